//! The outline's titles find their lines on the pages they lead to.
//!
//! A line that says what an item of the outline says becomes a heading of that level, however small it is set (a number
//! or "Chapter 3" may stand before it, and a long title may take several lines). Where no line says it, as on slides, the
//! title is put above the first line at or below the place the item leads to. Called after running heads are gone.

use std::collections::HashMap;
use std::ops::Range;

use super::lines::Line;
use super::outline::Entry;

/// Lines of a page that are compared with titles.
const MOST_LINES: usize = 400;
/// Lines that a title may take.
const TITLE_LINES: usize = 4;
/// Characters of "Chapter 12", "Anhang B".
const NUMBERING: usize = 14;
/// A baseline may stand so many points above the place that an item names.
const ABOVE: f32 = 2.0;

/// Marks the lines of all pages.
pub fn mark(pages: &mut [Vec<Line>], entries: Vec<Entry>) {
    let mut keys: HashMap<usize, Vec<String>> = HashMap::new();
    for (number, entry) in (0u32..).zip(entries) {
        // An item that was noted before its page was turned leads to the end of the page before.
        let found = [entry.page, entry.page + 1].into_iter().find_map(|at| {
            let page = pages.get(at)?;
            let of_page = || page.iter().take(MOST_LINES).map(|line| letters(&line.text)).collect();
            let keys = keys.entry(at).or_insert_with(of_page);
            let looked_at = if at == entry.page { keys.len() } else { keys.len().min(TITLE_LINES) };
            let y = entry.y.filter(|_| at == entry.page);
            find(page, &keys[..looked_at], &letters(&entry.title), y).map(|found| (at, found))
        });
        match found {
            Some((at, found)) => {
                pages[at][found].iter_mut().for_each(|line| line.outline = Some((entry.level, number)));
            }
            None if entry.page < pages.len() => put_above(&mut pages[entry.page..], entry),
            None => {}
        }
    }
}

/// The lines that say the title. Those of several places: the nearest to where the item leads, or the largest.
fn find(page: &[Line], keys: &[String], title: &str, y: Option<f32>) -> Option<Range<usize>> {
    let mut best: Option<(f32, Range<usize>)> = None;
    for start in 0..keys.len() {
        let mut said = String::new();
        for end in start + 1..=(start + TITLE_LINES).min(keys.len()) {
            let here = &page[end - 1];
            if here.outline.is_some() || here.region != page[start].region {
                break;
            }
            said.push_str(&keys[end - 1]);
            if said.len() > title.len() + 4 * NUMBERING {
                break;
            }
            if said.strip_suffix(title).is_some_and(is_numbering) {
                let line = &page[start];
                let cost = y.map_or(-line.size, |y| (line.y - y).abs());
                if best.as_ref().is_none_or(|&(least, _)| cost < least) {
                    best = Some((cost, start..end));
                }
                break;
            }
        }
    }
    best.map(|(_, found)| found)
}

/// Nothing, `3`, `iv`, `chapter3`, `b`.
fn is_numbering(before: &str) -> bool {
    let count = before.chars().count();
    count <= 1 || (count <= NUMBERING && before.chars().any(char::is_numeric)) || is_roman(before)
}

fn is_roman(word: &str) -> bool {
    word.len() <= 6 && word.bytes().all(|b| b"ivxlc".contains(&b))
}

/// Puts a title where it leads to: on the first of `pages`, or on the next that has lines.
fn put_above(pages: &mut [Vec<Line>], entry: Entry) {
    let y = entry.y.unwrap_or(0.0) - ABOVE;
    let Some((page, rest)) = pages.split_first_mut() else { return };
    let line = match page.iter_mut().find(|line| line.y >= y) {
        Some(below) => Some(below),
        None => rest.iter_mut().find_map(|page| page.first_mut()),
    };
    if let Some(line) = line {
        line.above.push((entry.level, entry.title));
    }
}

/// What two ways of writing a title share.
fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
