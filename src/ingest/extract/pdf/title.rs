//! The title that a PDF gives itself, when a person chose it.

use hayro_syntax::Pdf;

/// The title of the metadata, unless it is a file name or a program's placeholder.
pub fn of(pdf: &Pdf) -> Option<String> {
    let title = text(pdf.metadata().title.as_deref()?);
    let title = title.trim().strip_prefix("Microsoft Word - ").unwrap_or(title.trim()).trim();
    let lower = title.to_lowercase();
    let is_file = lower.rsplit_once('.').is_some_and(|(_, ending)| {
        [
            "doc", "docx", "odt", "tex", "dvi", "ps", "pdf", "ppt", "pptx", "xls", "xlsx", "indd", "qxd",
            "rtf", "txt", "html",
        ]
        .contains(&ending)
    });
    let is_placeholder = ["untitled", "unbenannt", "document", "title", "(anonymous)", "presentation"]
        .iter()
        .any(|p| lower.strip_prefix(p).is_some_and(|rest| rest.trim().bytes().all(|b| b.is_ascii_digit())));
    let says_something = title.chars().filter(|c| c.is_alphabetic()).count() >= 3;
    (says_something && !is_file && !is_placeholder).then(|| title.to_owned())
}

/// A text string of PDF: UTF-16 or UTF-8 with a mark, else PDFDocEncoding, which is Latin-1 where titles use it.
pub fn text(bytes: &[u8]) -> String {
    match encoding_rs::Encoding::for_bom(bytes) {
        Some((encoding, _)) => encoding.decode(bytes).0.into_owned(),
        None => match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => bytes.iter().map(|&b| char::from(b)).collect(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn titles_are_decoded() {
        assert_eq!(text(b"\xfe\xff\0G\0r\0\xfc\0n"), "Grün");
        assert_eq!(text(b"Gr\xfcn"), "Grün");
        assert_eq!(text("Grün".as_bytes()), "Grün");
    }
}
