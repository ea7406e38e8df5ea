//! What the bytes are: the first bytes and a name in, a [`Kind`] or a refusal out.
//!
//! Content comes before names: a PDF named `.txt` is read as a PDF, a picture named `.txt` is refused. The name decides
//! only between kinds that look alike, such as Markdown and plain text. What an archive is shows only its inside:
//! [`detect`] says [`Kind::Container`], and [`inside`] or [`detect_whole`] looks further.

use std::io::Cursor;
use std::path::Path;

use bytes::Bytes;

use crate::domain::MediaType;

use super::extract::archive::{Archive, Budget};
use super::extract::decode::{Declared, decode};
use super::extract::office::ole;
use super::extract::package::Format;
use super::extract::{ExtractError, Limits, mail};

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One document.
    Document(MediaType),
    /// Many records, each a document; read as a stream.
    Corpus(CorpusFormat),
    /// Many messages, each a document.
    Mailbox,
    /// A course package, or files packed together.
    Package(Format),
    /// A ZIP archive, a packed tar archive or a file of an older Office: any of these, which only its inside shows.
    Container,
}

/// How the records of a corpus are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CorpusFormat {
    /// One JSON object a line.
    JsonLines,
    /// A header and rows.
    Csv { delimiter: u8 },
}

/// How many of the first bytes are enough to tell.
pub const HEAD_BYTES: usize = 64 << 10;

/// Tells what a file is from its first bytes (give up to [`HEAD_BYTES`]) and its name (may be empty).
pub fn detect(head: &[u8], name: &str) -> Result<Kind, ExtractError> {
    let head = &head[..head.len().min(HEAD_BYTES)];
    let ending =
        Path::new(name).extension().map(|e| e.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    if head.is_empty() {
        return Err(ExtractError::Empty);
    }
    if [&b"PK\x03\x04"[..], b"PK\x05\x06", b"\x1f\x8b\x08", ole::MAGIC]
        .iter()
        .any(|magic| head.starts_with(magic))
    {
        return Ok(Kind::Container);
    }
    if head.starts_with(b"{\\rtf") {
        return Ok(Kind::Document(MediaType::Rtf));
    }
    if mail::mbox::is_mailbox(head) {
        return Ok(Kind::Mailbox);
    }
    if mail::is_message(head) {
        return Ok(Kind::Document(MediaType::Email));
    }
    // Readers accept up to 1024 bytes of other things before the header.
    if head[..head.len().min(1024)].windows(5).any(|w| w == b"%PDF-") {
        return Ok(Kind::Document(MediaType::Pdf));
    }
    if let Some(media) = recording(head, &ending) {
        return Ok(Kind::Document(media));
    }
    if is_picture(head) {
        return Ok(Kind::Document(MediaType::Picture));
    }
    if let Some(refused) = binary_kind(head, &ending) {
        return Err(ExtractError::Unsupported(refused));
    }
    if ending == "pdf" {
        return Err(ExtractError::NotPdf);
    }
    let text = decode(
        whole_lines(head),
        if ending.starts_with("htm") { Declared::Html } else { Declared::Nothing },
    )?
    .text;
    Ok(text_kind(text.trim_start_matches('\u{feff}'), &ending))
}

/// The same for bytes that are there whole; never [`Kind::Container`].
pub fn detect_whole(bytes: &Bytes, name: &str, limits: &Limits) -> Result<Kind, ExtractError> {
    match detect(bytes, name)? {
        Kind::Container if bytes.starts_with(ole::MAGIC) => {
            ole::check(bytes).map(|()| Kind::Document(MediaType::Spreadsheet))
        }
        Kind::Container => {
            let mut budget = Budget::new(limits.unpacked_bytes, limits.stream_bytes, limits.archive_entries);
            let mut archive = Archive::open(Box::new(Cursor::new(bytes.clone())), &mut budget)?;
            inside(&mut archive, &mut budget)
        }
        kind => Ok(kind),
    }
}

/// What an archive is, by what lies in it.
pub fn inside(archive: &mut Archive, budget: &mut Budget) -> Result<Kind, ExtractError> {
    let document = |media| Ok(Kind::Document(media));
    if archive.holds("_rels/.rels") && archive.holds("[Content_Types].xml") {
        return match [("word/", MediaType::Docx), ("ppt/", MediaType::Pptx), ("xl/", MediaType::Spreadsheet)]
            .into_iter()
            .find(|(folder, _)| archive.entries().iter().any(|entry| entry.name.starts_with(folder)))
        {
            Some((_, media)) => document(media),
            None => Err(ExtractError::Unsupported("an office file of an unusual kind".into())),
        };
    }
    if let Some(kind) = archive.read("mimetype", budget)? {
        let kind = String::from_utf8_lossy(&kind[..kind.len().min(100)]).trim().to_owned();
        match kind.as_str() {
            "application/epub+zip" => return document(MediaType::Epub),
            "application/vnd.oasis.opendocument.text"
            | "application/vnd.oasis.opendocument.text-template" => {
                return document(MediaType::Odt);
            }
            "application/vnd.oasis.opendocument.presentation"
            | "application/vnd.oasis.opendocument.presentation-template" => return document(MediaType::Odp),
            "application/vnd.oasis.opendocument.spreadsheet"
            | "application/vnd.oasis.opendocument.spreadsheet-template" => {
                return document(MediaType::Spreadsheet);
            }
            other if other.starts_with("application/vnd.oasis.opendocument") => {
                return Err(ExtractError::Unsupported("an OpenDocument drawing".into()));
            }
            _ => {}
        }
    }
    if archive.holds("META-INF/container.xml") {
        return document(MediaType::Epub);
    }
    if archive.entries().iter().any(|entry| entry.name.ends_with(".iwa")) {
        return Err(ExtractError::Unsupported("a document of Pages, Keynote or Numbers".into()));
    }
    Ok(Kind::Package(Format::of(archive)))
}

/// Sound or a film, by its first bytes. Notes of music (MIDI) are neither.
fn recording(head: &[u8], ending: &str) -> Option<MediaType> {
    if is_text(head) {
        return None;
    }
    let found = infer::get(head);
    let media = match found.map(|found| (found.matcher_type(), found.mime_type())) {
        Some((_, "audio/midi")) => return None,
        Some((infer::MatcherType::Audio, _)) => MediaType::Audio,
        Some((infer::MatcherType::Video, _)) => MediaType::Video,
        // Frames of MP3 and AAC begin with eleven set bits (ISO 11172-3), which other things do too.
        None if head.starts_with(&[0xff])
            && head.get(1).is_some_and(|byte| byte & 0xe0 == 0xe0)
            && matches!(ending, "mp3" | "mp2" | "aac") =>
        {
            MediaType::Audio
        }
        // GUID of the header object of Advanced Systems Format; other containers by their first box or chunk.
        _ if head.starts_with(b"\x30\x26\xb2\x75\x8e\x66\xcf\x11") => MediaType::Video,
        _ if head.starts_with(b"FORM") && head.get(8..11) == Some(b"AIF") => MediaType::Audio,
        _ if head.get(4..8) == Some(b"ftyp")
            && matches!(ending, "mp4" | "m4a" | "m4b" | "m4v" | "mov" | "3gp") =>
        {
            MediaType::Video
        }
        _ => return None,
    };
    // Containers that hold either are what they are called.
    Some(match ending {
        "wma" | "m4a" | "m4b" | "mka" | "oga" | "opus" | "weba" => MediaType::Audio,
        "ogv" => MediaType::Video,
        _ => media,
    })
}

/// Two or three letters that also begin a text ("BM…", "MZ…", "ID3…") prove nothing.
fn is_text(head: &[u8]) -> bool {
    !head.contains(&0) && std::str::from_utf8(whole_lines(head)).is_ok()
}

/// A picture of a kind that scanners and cameras write.
fn is_picture(head: &[u8]) -> bool {
    let known = ["image/png", "image/jpeg", "image/tiff", "image/webp"];
    infer::get(head).is_some_and(|found| known.contains(&found.mime_type())) && !is_text(head)
}

/// Kinds that are known and not read, in words.
fn binary_kind(head: &[u8], ending: &str) -> Option<String> {
    if ending == "ipynb" {
        return Some("a notebook (.ipynb)".to_owned());
    }
    if head.starts_with(b"%!PS") {
        return Some("a PostScript file".to_owned());
    }
    let found = infer::get(head)?;
    let kind = match found.matcher_type() {
        infer::MatcherType::Image => "a picture",
        infer::MatcherType::Audio => "a file of notes or sound",
        infer::MatcherType::Video => "a video",
        infer::MatcherType::Archive => "an archive",
        infer::MatcherType::Doc => "an office document",
        infer::MatcherType::Book => "an e-book",
        infer::MatcherType::Font => "a font",
        infer::MatcherType::App => "a program",
        // Marked-up and other text is told apart below.
        infer::MatcherType::Text | infer::MatcherType::Custom => return None,
    };
    (!is_text(head)).then(|| format!("{kind} (.{})", found.extension()))
}

/// The bytes up to the last line break, so that no character is cut in half; all of a short file.
fn whole_lines(head: &[u8]) -> &[u8] {
    if head.len() < HEAD_BYTES {
        return head;
    }
    match head.iter().rposition(|&b| b == b'\n') {
        Some(at) if at > 0 => &head[..at],
        _ => match std::str::from_utf8(head) {
            Err(error) if error.error_len().is_none() => &head[..error.valid_up_to()],
            _ => head,
        },
    }
}

fn text_kind(text: &str, ending: &str) -> Kind {
    let begin = text.trim_start();
    let document = |media| Kind::Document(media);
    let is_captions = matches!(ending, "vtt" | "srt" | "ttml" | "dfxp");
    if begin.starts_with("WEBVTT") || is_subrip(begin) || is_captions || is_timed_text(begin) {
        return document(MediaType::Captions);
    }
    let is_corpus_line = |line: &str| {
        let keys = line.starts_with('{') && line.contains("\"text\"");
        keys && serde_json::from_str::<serde_json::Value>(line)
            .is_ok_and(|v| v.get("_id").is_some() && v.get("text").is_some())
    };
    if matches!(ending, "jsonl" | "ndjson") || begin.lines().next().is_some_and(is_corpus_line) {
        return Kind::Corpus(CorpusFormat::JsonLines);
    }
    match ending {
        "csv" | "tsv" => return Kind::Corpus(CorpusFormat::Csv { delimiter: delimiter(begin, ending) }),
        "md" | "markdown" | "mdown" | "mdx" | "qmd" | "rmd" => return document(MediaType::Markdown),
        "html" | "htm" | "xhtml" => return document(MediaType::Html),
        "adoc" | "asciidoc" | "asc" => return document(MediaType::Asciidoc),
        "rst" | "rest" => return document(MediaType::Rst),
        "json" => return document(MediaType::Json),
        "eml" => return document(MediaType::Email),
        "mbox" => return Kind::Mailbox,
        _ => {}
    }
    if is_html(begin) {
        return document(MediaType::Html);
    }
    let known_text = matches!(ending, "txt" | "text" | "org" | "log" | "tex" | "xml" | "yaml" | "yml");
    if !known_text && (begin.starts_with("[{") || begin.starts_with("{\"") || begin.starts_with("[\n  {")) {
        return document(MediaType::Json);
    }
    document(if !known_text && is_markdown(begin) { MediaType::Markdown } else { MediaType::Plain })
}

/// `<tt …>` after the declaration and comments.
fn is_timed_text(text: &str) -> bool {
    let text = &text[..text.floor_char_boundary(2000)];
    let is_xml = text.starts_with("<?xml") || text.starts_with("<tt");
    is_xml
        && (text.contains("<tt ") || text.contains("<tt:tt ") || text.contains("http://www.w3.org/ns/ttml"))
}

fn is_subrip(text: &str) -> bool {
    let mut lines = text.lines();
    let number =
        lines.next().is_some_and(|l| !l.trim().is_empty() && l.trim().bytes().all(|b| b.is_ascii_digit()));
    number && lines.next().is_some_and(|l| l.contains("-->"))
}

/// Begins with a doctype, or with an element that only pages begin with, after comments.
fn is_html(text: &str) -> bool {
    let mut rest = text;
    if rest.starts_with("<?xml") {
        rest = rest.split_once("?>").map_or("", |(_, after)| after).trim_start();
    }
    while let Some(after) = rest.strip_prefix("<!--") {
        rest = after.split_once("-->").map_or("", |(_, after)| after).trim_start();
    }
    let begin = rest[..rest.floor_char_boundary(20)].to_ascii_lowercase();
    [
        "<!doctype html",
        "<html",
        "<head",
        "<body",
        "<title",
        "<meta",
        "<h1",
        "<div",
        "<p>",
        "<article",
        "<main",
        "<table",
    ]
    .iter()
    .any(|tag| begin.starts_with(tag))
}

/// Front matter, a first heading, or a later one with an empty line before it.
fn is_markdown(text: &str) -> bool {
    let heading = |text: &str| (1..=6).any(|n| text.starts_with(&format!("{} ", "#".repeat(n))));
    heading(text) && !text.starts_with("#!")
        || text.starts_with("---\ntitle:")
        || text.contains("\n\n## ")
        || text.contains("\n```")
}

fn delimiter(text: &str, ending: &str) -> u8 {
    if ending == "tsv" {
        return b'\t';
    }
    let header = text.lines().next().unwrap_or("").as_bytes();
    let count = |delimiter: u8| header.iter().filter(|&&b| b == delimiter).count();
    [b',', b';', b'\t', b'|'].into_iter().rev().max_by_key(|&d| count(d)).unwrap_or(b',')
}

#[cfg(test)]
mod tests {
    use super::*;
    use MediaType::{Captions, Html, Markdown, Pdf, Plain};

    fn check(head: &[u8], name: &str, expected: MediaType) {
        assert_eq!(
            detect(head, name),
            Ok(Kind::Document(expected)),
            "{name} {:?}",
            String::from_utf8_lossy(head)
        );
    }

    #[test]
    fn content_comes_before_names() {
        check(b"%PDF-1.7\n", "notes.txt", Pdf);
        check(b"junk\n%PDF-1.4", "a", Pdf);
        check(b"<!DOCTYPE html><p>x", "page", Html);
        check(b"<?xml version='1.0'?>\n<!-- c -->\n<html>", "", Html);
        check(b"WEBVTT\n\n00:01.000 --> 00:02.000\nhi", "talk.txt", Captions);
        check(b"1\r\n00:00:01,000 --> 00:00:02,000\r\nhi\r\n", "", Captions);
        check(b"# Title\n\ntext", "", Markdown);
        check(b"# Title\n\ntext", "a.txt", Plain);
        check(b"x", "A.MD", Markdown);
        check(b"Refunds\n\nWithin 23 days.", "-", Plain);
        check("grün".as_bytes(), "../../\u{202e}name \n.txt", Plain);
        check(b"BM is a short name. GIF89 too.", "", Plain);
    }

    #[test]
    fn corpora_are_known_by_name_or_first_line() {
        let line = br#"{"_id":"a","title":"t","text":"x"}"#;
        assert_eq!(detect(line, "anything"), Ok(Kind::Corpus(CorpusFormat::JsonLines)));
        assert_eq!(detect(b"{}", "a.jsonl"), Ok(Kind::Corpus(CorpusFormat::JsonLines)));
        assert_eq!(detect(b"a;b\n1,5;2", "a.csv"), Ok(Kind::Corpus(CorpusFormat::Csv { delimiter: b';' })));
        assert_eq!(detect(b"text\nx", "a.csv"), Ok(Kind::Corpus(CorpusFormat::Csv { delimiter: b',' })));
    }

    #[test]
    fn what_is_not_read_is_refused_in_words() {
        assert_eq!(detect(b"", "a.txt"), Err(ExtractError::Empty));
        assert_eq!(detect(b"text", "a.pdf"), Err(ExtractError::NotPdf));
        assert_eq!(detect(b"abc\0\x01\x02", "a.txt"), Err(ExtractError::NotText));
        for (head, name, words) in [
            (&b"GIF89a\x01\0\x01\0\0\0\0"[..], "a.txt", "a picture (.gif)"),
            (&[&b"\x7fELF\x02\x01\x01"[..], &[0; 60]].concat(), "a.txt", "a program (.elf)"),
        ] {
            assert_eq!(detect(head, name), Err(ExtractError::Unsupported(words.to_owned())), "{name}");
        }
    }

    #[test]
    fn scans_are_known_by_their_bytes() {
        for head in [
            &b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..],
            b"\xff\xd8\xff\xe0\0\x10JFIF\0",
            b"II*\0\x08\0\0\0\0\0\0\0",
        ] {
            check(head, "a.txt", MediaType::Picture);
        }
    }

    #[test]
    fn a_long_head_is_not_cut_within_a_character() {
        let long = "ü".repeat(HEAD_BYTES);
        check(&long.as_bytes()[..HEAD_BYTES], "a.txt", Plain);
        check(&long.as_bytes()[1..=HEAD_BYTES], "a.html", Html);
    }
}
