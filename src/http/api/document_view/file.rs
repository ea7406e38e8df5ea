//! What an original is to a browser: its media type, whether it may be shown in the page, and its name on a disk.
//!
//! The type comes from what ingestion found the bytes to be and from their beginning, never from what an uploader
//! said. Only kinds that run nothing are shown inline; all else is handed over as a file.

use crate::domain::{Document, MediaType};

/// Enough for every signature that is looked for.
pub const HEAD_BYTES: usize = 8 << 10;

/// How a browser can show a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Show {
    Pdf,
    Audio,
    Video,
    /// Pictures of pixels, and text.
    Inert,
    /// What could run something, and what no browser reads.
    Save,
}

/// A file for the response's headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileKind {
    pub mime: String,
    pub show: Show,
}

/// Tells what `head`, the beginning of a document's original, is the beginning of.
pub fn kind(document: &Document, head: &[u8]) -> FileKind {
    let name = file_name(&document.source).to_lowercase();
    let fixed = match document.media {
        MediaType::Plain | MediaType::Rst | MediaType::Asciidoc => {
            return text("text/plain", head, Show::Inert);
        }
        MediaType::Markdown => return text("text/markdown", head, Show::Inert),
        MediaType::Captions if starts(head, b"WEBVTT") => return text("text/vtt", head, Show::Inert),
        MediaType::Captions if starts(head, b"<") => "application/ttml+xml",
        MediaType::Captions => return text("text/plain", head, Show::Inert),
        MediaType::Html => return text("text/html", head, Show::Save),
        MediaType::Pdf => return FileKind { mime: "application/pdf".into(), show: Show::Pdf },
        MediaType::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        MediaType::Pptx => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        MediaType::Odt => "application/vnd.oasis.opendocument.text",
        MediaType::Odp => "application/vnd.oasis.opendocument.presentation",
        MediaType::Epub => "application/epub+zip",
        MediaType::Rtf => "application/rtf",
        MediaType::Email => "message/rfc822",
        MediaType::Json => "application/json",
        MediaType::Spreadsheet if name.ends_with(".csv") => return text("text/csv", head, Show::Save),
        MediaType::Spreadsheet if name.ends_with(".ods") => "application/vnd.oasis.opendocument.spreadsheet",
        // Old Excel is a compound file (CFB), new Excel a ZIP.
        MediaType::Spreadsheet if starts(head, &[0xd0, 0xcf, 0x11, 0xe0]) => "application/vnd.ms-excel",
        MediaType::Spreadsheet => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        #[allow(
            unreachable_patterns,
            reason = "media kinds that need no row of their own are told by their bytes"
        )]
        _ => return sniffed(head),
    };
    FileKind { mime: fixed.into(), show: Show::Save }
}

/// Recordings and pictures by their signature; what is not known is bytes to be saved.
fn sniffed(head: &[u8]) -> FileKind {
    let found = infer::get(head).map_or("application/octet-stream", |found| found.mime_type());
    let show = match found {
        "image/png" | "image/jpeg" | "image/gif" | "image/webp" => Show::Inert,
        _ if found.starts_with("audio/") => Show::Audio,
        _ if found.starts_with("video/") => Show::Video,
        _ => Show::Save,
    };
    // Names of types that mean something to a browser, but not to be trusted here.
    let mime = if show == Show::Save { "application/octet-stream" } else { found };
    FileKind { mime: mime.into(), show }
}

/// A text type, with the charset when the bytes are UTF-8; a character may be cut at the end of the head.
fn text(mime: &str, head: &[u8], show: Show) -> FileKind {
    let is_utf8 = match std::str::from_utf8(head) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    let mime = if is_utf8 { format!("{mime}; charset=utf-8") } else { mime.to_owned() };
    FileKind { mime, show }
}

fn starts(head: &[u8], with: &[u8]) -> bool {
    head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).starts_with(with)
}

/// The last name of a source; the folders of the creator's machine are nobody's business.
pub fn file_name(source: &str) -> &str {
    let source = source.strip_prefix("upload:").unwrap_or(source);
    let name = source.rsplit(['/', '\\']).find(|part| !part.is_empty()).unwrap_or(source);
    name.split(['?', '#']).next().unwrap_or(name)
}

/// `Content-Disposition` (RFC 6266), with the name in ASCII and as it is (RFC 8187).
pub fn disposition(show: Show, name: &str) -> String {
    let kind = if show == Show::Save { "attachment" } else { "inline" };
    let plain = |c: char| if c.is_ascii_alphanumeric() || " ._-()".contains(c) { c } else { '_' };
    let ascii: String = name.chars().map(plain).collect();
    let mut exact = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"._-".contains(&byte) {
            exact.push(char::from(byte));
        } else {
            exact.push_str(&format!("%{byte:02X}"));
        }
    }
    format!("{kind}; filename=\"{ascii}\"; filename*=UTF-8''{exact}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ContentHash, CreatorId, DocumentId, Timestamp};

    fn document(media: MediaType, source: &str) -> Document {
        let creator: CreatorId = "anna".parse().unwrap();
        Document {
            id: DocumentId::of_source(&creator, source),
            creator,
            external_id: None,
            title: "A".into(),
            source: source.into(),
            media,
            content: ContentHash::of(b""),
            language: None,
            bytes: 0,
            pages: None,
            created_at: Timestamp(0),
            warnings: Vec::new(),
        }
    }

    #[test]
    fn kinds_are_told_by_the_bytes_and_not_by_the_name() {
        for (media, source, head, mime, show) in [
            (MediaType::Plain, "upload:a.html", &b"words"[..], "text/plain; charset=utf-8", Show::Inert),
            (MediaType::Plain, "a.txt", b"caf\xe9 noir", "text/plain", Show::Inert),
            (MediaType::Plain, "a.txt", b"caf\xc3", "text/plain; charset=utf-8", Show::Inert),
            (MediaType::Html, "a.pdf", b"<script>", "text/html; charset=utf-8", Show::Save),
            (MediaType::Pdf, "a.pdf", b"%PDF-1.4", "application/pdf", Show::Pdf),
            (MediaType::Captions, "a.vtt", b"\xef\xbb\xbfWEBVTT", "text/vtt; charset=utf-8", Show::Inert),
            (MediaType::Captions, "a.srt", b"1\n00:00", "text/plain; charset=utf-8", Show::Inert),
            (MediaType::Captions, "a.ttml", b"<tt>", "application/ttml+xml", Show::Save),
            (MediaType::Spreadsheet, "a.xls", b"\xd0\xcf\x11\xe0", "application/vnd.ms-excel", Show::Save),
        ] {
            let kind = kind(&document(media, source), head);
            assert_eq!((kind.mime.as_str(), kind.show), (mime, show), "{source}");
        }
        for (head, mime, show) in [
            (&b"<svg onload='x'>"[..], "application/octet-stream", Show::Save),
            (b"<!doctype html><script>", "application/octet-stream", Show::Save),
            (b"ID3\x03\x00\x00\x00\x00\x00\x00", "audio/mpeg", Show::Audio),
            (b"\x89PNG\r\n\x1a\n", "image/png", Show::Inert),
            (b"", "application/octet-stream", Show::Save),
        ] {
            let kind = sniffed(head);
            assert_eq!((kind.mime.as_str(), kind.show), (mime, show), "{head:?}");
        }
    }

    #[test]
    fn names_are_safe_in_a_header_and_on_a_disk() {
        for (source, name) in [
            ("upload:Lesson 1.pdf", "Lesson 1.pdf"),
            ("/home/anna/private/notes.md", "notes.md"),
            ("C:\\Users\\anna\\notes.md", "notes.md"),
            ("https://school.example/a/page.html?x=1#y", "page.html"),
            ("https://school.example/a/", "a"),
        ] {
            assert_eq!(file_name(source), name);
        }
        assert_eq!(
            disposition(Show::Save, "Öl\"\r\n; x.pdf"),
            "attachment; filename=\"_l____ x.pdf\"; filename*=UTF-8''%C3%96l%22%0D%0A%3B%20x.pdf"
        );
        assert!(disposition(Show::Pdf, "a.pdf").starts_with("inline; filename=\"a.pdf\""));
    }
}
