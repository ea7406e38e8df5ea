//! What the bytes are: the first bytes and a name in, a [`Kind`] or a refusal out.
//!
//! Content comes before names: a PDF named `.txt` is read as a PDF, a picture named `.txt` is refused. The name decides
//! only between kinds that look alike, such as Markdown and plain text.

use std::path::Path;

use crate::domain::MediaType;

use super::extract::ExtractError;
use super::extract::decode::{Declared, decode};

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One document.
    Document(MediaType),
    /// Many records, each a document; read as a stream.
    Corpus(CorpusFormat),
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
    // Readers accept up to 1024 bytes of other things before the header.
    if head[..head.len().min(1024)].windows(5).any(|w| w == b"%PDF-") {
        return Ok(Kind::Document(MediaType::Pdf));
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

/// Kinds that are known and not read, in words.
fn binary_kind(head: &[u8], ending: &str) -> Option<String> {
    let by_name = match ending {
        "ipynb" => Some("a notebook (.ipynb)"),
        "doc" | "docx" | "odt" | "rtf" | "pages" => Some("a word-processor document"),
        "ppt" | "pptx" | "odp" | "key" => Some("a presentation"),
        "xls" | "xlsx" | "ods" | "numbers" => Some("a spreadsheet"),
        "epub" | "mobi" => Some("an e-book"),
        _ => None,
    };
    if let Some(kind) = by_name {
        return Some(kind.to_owned());
    }
    if head.starts_with(b"{\\rtf") {
        return Some("a word-processor document".to_owned());
    }
    if head.starts_with(b"%!PS") {
        return Some("a PostScript file".to_owned());
    }
    let found = infer::get(head)?;
    let kind = match found.matcher_type() {
        infer::MatcherType::Image => "a picture",
        infer::MatcherType::Audio => "an audio file",
        infer::MatcherType::Video => "a video",
        infer::MatcherType::Archive => "an archive",
        infer::MatcherType::Doc => "an office document",
        infer::MatcherType::Book => "an e-book",
        infer::MatcherType::Font => "a font",
        infer::MatcherType::App => "a program",
        // Marked-up and other text is told apart below.
        infer::MatcherType::Text | infer::MatcherType::Custom => return None,
    };
    // Two or three letters that also begin a text ("BM…", "MZ…", "GIF…") prove nothing.
    let is_text = !head.contains(&0) && std::str::from_utf8(whole_lines(head)).is_ok();
    (!is_text).then(|| format!("{kind} (.{})", found.extension()))
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
    if begin.starts_with("WEBVTT") || is_subrip(begin) || matches!(ending, "vtt" | "srt") {
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
        _ => {}
    }
    if is_html(begin) {
        return document(MediaType::Html);
    }
    let known_text = matches!(
        ending,
        "txt" | "text" | "rst" | "org" | "adoc" | "log" | "tex" | "json" | "xml" | "yaml" | "yml"
    );
    document(if !known_text && is_markdown(begin) { MediaType::Markdown } else { MediaType::Plain })
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
            (&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..], "a.txt", "a picture (.png)"),
            (b"PK\x03\x04\x14\0\0\0", "a.zip", "an archive (.zip)"),
            (b"PK\x03\x04\x14\0\0\0", "a.docx", "a word-processor document"),
            (&[&b"\x7fELF\x02\x01\x01"[..], &[0; 60]].concat(), "a.txt", "a program (.elf)"),
        ] {
            assert_eq!(detect(head, name), Err(ExtractError::Unsupported(words.to_owned())), "{name}");
        }
    }

    #[test]
    fn a_long_head_is_not_cut_within_a_character() {
        let long = "ü".repeat(HEAD_BYTES);
        check(&long.as_bytes()[..HEAD_BYTES], "a.txt", Plain);
        check(&long.as_bytes()[1..=HEAD_BYTES], "a.html", Html);
    }
}
