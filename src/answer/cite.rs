//! Citations: a verbatim quotation, its place in words, and the address that opens it.

use crate::domain::{Anchor, Citation, Document};

/// A place for people: `Refunds (p. 3)`, `Lesson 3 (2:05)`, `Brushes › Cleaning`.
pub fn place(title: &str, anchor: &Anchor) -> String {
    let heading = anchor.heading.as_deref().filter(|heading| *heading != title);
    let named = heading.map_or_else(|| title.to_owned(), |heading| format!("{title} › {heading}"));
    match (anchor.page, anchor.start_ms) {
        (Some(page), _) => format!("{named} (p. {page})"),
        (None, Some(start)) => format!("{named} ({})", clock(start)),
        (None, None) => named,
    }
}

/// The line that `sources` has for a citation.
pub fn source_line(citation: &Citation) -> String {
    let where_it_is = match (citation.anchor.page, citation.anchor.start_ms) {
        (Some(page), _) => format!("{} (p. {page})", citation.title),
        (None, Some(start)) => format!("{} ({})", citation.title, clock(start)),
        (None, None) => citation.title.clone(),
    };
    format!("{where_it_is} (Score: {:.2})", citation.score)
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
        for (title, anchor, expected) in [
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
