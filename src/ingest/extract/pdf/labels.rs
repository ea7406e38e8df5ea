//! The names that a PDF gives its pages: `iv`, `A-3`, `12` on the twentieth page of the file.
//!
//! ISO 32000-1, 12.4.2: a number tree of ranges, each with a style, a prefix and a number to begin with. Out comes a
//! label for each page where it is another than the page's place in the file, which is what readers count by otherwise.

use std::collections::{BTreeMap, HashSet};

use hayro_syntax::Pdf;
use hayro_syntax::object::{Dict, MaybeRef, Name, Object, String as PdfString};

use super::title::text;

/// Nodes of the tree that are looked at; a tree of a textbook has one.
const MOST_NODES: usize = 10_000;
/// Longer labels are no page numbers.
const LONGEST: usize = 40;

/// A range of pages that are numbered alike.
#[derive(Debug, Clone, Default, PartialEq)]
struct Range {
    style: Option<u8>,
    prefix: String,
    start: u32,
}

/// The label of each page, in their order.
pub fn of(pdf: &Pdf) -> Vec<Option<String>> {
    let ranges = ranges(pdf).unwrap_or_default();
    (0..pdf.pages().len()).map(|page| label(&ranges, page)).collect()
}

fn ranges(pdf: &Pdf) -> Option<BTreeMap<usize, Range>> {
    let root: Dict = pdf.xref().get(pdf.xref().root_id())?;
    let mut nodes = vec![root.get::<Dict>("PageLabels")?];
    let mut ranges = BTreeMap::new();
    let mut seen = HashSet::new();
    while let Some(node) = nodes.pop() {
        for kid in node.get::<hayro_syntax::object::Array>("Kids").iter().flat_map(|kids| kids.raw_iter()) {
            // A tree that holds itself, or one without end, is left where it repeats.
            let MaybeRef::Ref(at) = kid else { continue };
            if seen.len() < MOST_NODES && seen.insert(at) {
                nodes.extend(pdf.xref().get::<Dict>(at.into()));
            }
        }
        let Some(numbers) = node.get::<hayro_syntax::object::Array>("Nums") else { continue };
        let mut items = numbers.raw_iter();
        while let (Some(first), Some(range)) = (items.next(), items.next()) {
            let (Some(Object::Number(first)), Some(Object::Dict(range))) =
                (resolved(pdf, first), resolved(pdf, range))
            else {
                continue;
            };
            if let Ok(first) = usize::try_from(first.as_i64())
                && first < pdf.pages().len()
            {
                ranges.insert(first, range_of(&range));
            }
        }
    }
    Some(ranges)
}

fn range_of(range: &Dict) -> Range {
    let start = range.get::<i32>("St").and_then(|start| u32::try_from(start).ok());
    Range {
        style: range.get::<Name>("S").and_then(|style| style.first().copied()),
        prefix: range.get::<PdfString>("P").map(|prefix| text(prefix.as_bytes())).unwrap_or_default(),
        start: start.unwrap_or(1).max(1),
    }
}

/// What a reference leads to.
pub fn resolved<'a>(pdf: &'a Pdf, item: MaybeRef<Object<'a>>) -> Option<Object<'a>> {
    match item {
        MaybeRef::Ref(at) => pdf.xref().get(at.into()),
        MaybeRef::NotRef(object) => Some(object),
    }
}

fn label(ranges: &BTreeMap<usize, Range>, page: usize) -> Option<String> {
    let (first, range) = ranges.range(..=page).next_back()?;
    let number = range.start.checked_add(u32::try_from(page - first).ok()?)?;
    let number = match range.style {
        None => String::new(),
        Some(b'R') => roman(number)?,
        Some(b'r') => roman(number)?.to_lowercase(),
        Some(b'A') => letters(number)?,
        Some(b'a') => letters(number)?.to_lowercase(),
        Some(_) => number.to_string(),
    };
    let seen = range.prefix.chars().filter(|c| !c.is_control()).collect::<String>() + &number;
    let seen = seen.trim();
    let says_more = !seen.is_empty() && seen != (page + 1).to_string();
    (says_more && seen.len() <= LONGEST).then(|| seen.to_owned())
}

/// Roman numerals as far as there are signs for them.
fn roman(mut number: u32) -> Option<String> {
    const SIGNS: [(u32, &str); 13] = [
        (1000, "M"),
        (900, "CM"),
        (500, "D"),
        (400, "CD"),
        (100, "C"),
        (90, "XC"),
        (50, "L"),
        (40, "XL"),
        (10, "X"),
        (9, "IX"),
        (5, "V"),
        (4, "IV"),
        (1, "I"),
    ];
    let mut out = String::new();
    if !(1..4000).contains(&number) {
        return None;
    }
    for (value, sign) in SIGNS {
        while number >= value {
            out.push_str(sign);
            number -= value;
        }
    }
    Some(out)
}

/// A to Z, then AA to ZZ, AAA to ZZZ, as the standard has it.
fn letters(number: u32) -> Option<String> {
    let from_zero = number.checked_sub(1)?;
    let times = from_zero as usize / 26 + 1;
    let letter = char::from(b'A' + u8::try_from(from_zero % 26).ok()?);
    (times <= LONGEST).then(|| letter.to_string().repeat(times))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_named_in_every_style() {
        let range = |style: Option<u8>, prefix: &str, start| Range { style, prefix: prefix.into(), start };
        let ranges = BTreeMap::from([
            (0, range(Some(b'r'), "", 1)),
            (3, range(Some(b'D'), "", 1)),
            (10, range(Some(b'A'), "App. ", 26)),
            (12, range(None, "Cover", 1)),
            (13, range(Some(b'a'), "", 2)),
            (14, range(Some(b'R'), "", 49)),
            (15, range(Some(b'D'), "", 16)),
            (16, range(Some(b'D'), "", u32::MAX)),
        ]);
        for (page, expected) in [
            (0, Some("i")),
            (2, Some("iii")),
            (3, Some("1")),
            (9, Some("7")),
            (10, Some("App. Z")),
            (11, Some("App. AA")),
            (12, Some("Cover")),
            (13, Some("b")),
            (14, Some("XLIX")),
            (15, None),
            (16, Some("4294967295")),
            (17, None),
        ] {
            assert_eq!(label(&ranges, page).as_deref(), expected, "{page}");
        }
        assert_eq!(label(&BTreeMap::new(), 4), None);
        assert_eq!((roman(1994).as_deref(), roman(0), roman(4000)), (Some("MCMXCIV"), None, None));
    }
}
