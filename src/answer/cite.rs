//! Citations: a verbatim quotation, its place in words, and the address that opens it.

use crate::domain::{Anchor, Citation, Document};

/// A place for people: `Refunds (p. 3)`, `Lesson 3 (2:05)`, `Brushes › Cleaning`, `Prices (sheet "2026", row 12)`.
pub fn place(title: &str, anchor: &Anchor) -> String {
    let heading = anchor.heading.as_deref().filter(|heading| *heading != title);
    // The heading of a sheet is its name, which stands in the brackets already.
    let heading = heading.filter(|heading| anchor.sheet.as_deref() != Some(heading));
    let named = heading.map_or_else(|| title.to_owned(), |heading| format!("{title} › {heading}"));
    with_spot(&named, anchor)
}

/// The line that `sources` has for a citation.
pub fn source_line(citation: &Citation) -> String {
    let where_it_is = with_spot(&citation.title, &citation.anchor);
    format!("{where_it_is} (Score: {:.2})", citation.score)
}

/// The spot within the document in brackets, where there is one.
fn with_spot(named: &str, anchor: &Anchor) -> String {
    let spot = match anchor {
        Anchor { page: Some(page), .. } => format!("p. {page}"),
        Anchor { slide: Some(slide), .. } => format!("slide {slide}"),
        Anchor { sheet: Some(sheet), row: Some(row), .. } => format!("sheet \"{sheet}\", row {row}"),
        Anchor { sheet: Some(sheet), .. } => format!("sheet \"{sheet}\""),
        Anchor { row: Some(row), .. } => format!("entry {row}"),
        Anchor { start_ms: Some(start), .. } => clock(*start),
        _ => return named.to_owned(),
    };
    format!("{named} ({spot})")
}

/// The address of a web page that a document was read from. Other originals have no viewer yet.
pub fn url(document: &Document) -> Option<String> {
    let web = document.source.starts_with("https://") || document.source.starts_with("http://");
    web.then(|| document.source.clone())
}

/// `2:05`, `1:02:05`.
fn clock(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{rest:02}") } else { format!("{minutes}:{rest:02}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_read_well() {
        let page = Anchor { page: Some(3), ..Anchor::default() };
        let time = Anchor { start_ms: Some(3_725_000), ..Anchor::default() };
        let heading = Anchor { heading: Some("Cleaning".into()), ..Anchor::default() };
        let slide = Anchor { slide: Some(4), heading: Some("Glaze".into()), ..Anchor::default() };
        let sheet = Some("2026".to_owned());
        let cell = Anchor { heading: sheet.clone(), sheet, row: Some(12), ..Anchor::default() };
        let entry = Anchor { row: Some(2), ..Anchor::default() };
        for (title, anchor, expected) in [
            ("Deck", &slide, "Deck › Glaze (slide 4)"),
            ("Prices", &cell, "Prices (sheet \"2026\", row 12)"),
            ("FAQ", &entry, "FAQ (entry 2)"),
            ("Refunds", &page, "Refunds (p. 3)"),
            ("Lesson", &time, "Lesson (1:02:05)"),
            ("Brushes", &heading, "Brushes › Cleaning"),
            ("Cleaning", &heading, "Cleaning"),
            ("Plain", &Anchor::default(), "Plain"),
        ] {
            assert_eq!(place(title, anchor), expected);
        }
    }
}
