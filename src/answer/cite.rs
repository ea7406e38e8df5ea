//! Citations: a verbatim quotation, its place in words, and the address that opens it.

use super::find::Passage;
use crate::domain::{Anchor, Citation, Span};

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
        Anchor { page: Some(_), .. } => format!("p. {}", anchor.page_name().unwrap_or_default()),
        Anchor { slide: Some(slide), .. } => format!("slide {slide}"),
        Anchor { sheet: Some(sheet), row: Some(row), .. } => format!("sheet \"{sheet}\", row {row}"),
        Anchor { sheet: Some(sheet), .. } => format!("sheet \"{sheet}\""),
        Anchor { row: Some(row), .. } => format!("entry {row}"),
        Anchor { start_ms: Some(start), .. } => clock(*start),
        _ => return named.to_owned(),
    };
    format!("{named} ({spot})")
}

/// The address that opens a part of a passage in the product's own viewer; `span` is within the chunk's text.
pub fn url(passage: &Passage, span: Span, anchor: &Anchor) -> String {
    let start = passage.chunk.span.start;
    let place = Span { start: start + span.start, end: start + span.end };
    let query = passage.links.query(&passage.document, place);
    format!("/d/{}?{query}#{}", passage.document.id, fragment(anchor))
}

/// The same for all of a passage.
pub fn url_of_all(passage: &Passage) -> String {
    url(passage, Span { start: 0, end: passage.chunk.text.len() }, &passage.chunk.anchor)
}

/// The part of an address after `#`: where the viewer scrolls to. Pages and seconds are named as browsers' own PDF
/// viewers (RFC 8118) and players (Media Fragments URI 1.0) name them.
pub fn fragment(anchor: &Anchor) -> String {
    match anchor {
        Anchor { page: Some(page), .. } => format!("page={page}"),
        Anchor { slide: Some(slide), .. } => format!("slide={slide}"),
        Anchor { row: Some(row), .. } => format!("row={row}"),
        Anchor { start_ms: Some(start), .. } => format!("t={}", start / 1000),
        _ => "quote".to_owned(),
    }
}

/// `2:05`, `1:02:05`.
pub fn clock(milliseconds: u64) -> String {
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

    #[test]
    fn addresses_end_with_the_place() {
        let sheet = Some("2026".to_owned());
        for (anchor, expected) in [
            (Anchor { page: Some(3), heading: Some("Refunds".into()), ..Anchor::default() }, "page=3"),
            (Anchor { slide: Some(4), ..Anchor::default() }, "slide=4"),
            (Anchor { sheet, row: Some(12), ..Anchor::default() }, "row=12"),
            (Anchor { start_ms: Some(125_900), end_ms: Some(130_000), ..Anchor::default() }, "t=125"),
            (Anchor { heading: Some("Cleaning".into()), ..Anchor::default() }, "quote"),
        ] {
            assert_eq!(fragment(&anchor), expected);
        }
    }
}
