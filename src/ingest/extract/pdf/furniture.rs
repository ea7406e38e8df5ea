//! What repeats at the edges of pages: running heads, running feet and page numbers, which are no part of the text.

use std::collections::HashMap;

use super::lines::Line;

/// Parts of the page's height in which furniture stands.
const TOP: f32 = 0.12;
const BOTTOM: f32 = 0.86;
/// A line must stand on so many pages to be furniture; on two, if there are hardly more.
const PAGES: usize = 3;

/// Takes furniture out of the lines of each page. `body` is the size of the document's running text: what is much larger
/// is a heading that happens to recur, such as the title of several slides.
pub fn remove(pages: &mut [Vec<Line>], body: f32) {
    let mut seen: HashMap<(String, bool), usize> = HashMap::new();
    let mut offsets: HashMap<i64, usize> = HashMap::new();
    for (number, page) in (1i64..).zip(pages.iter()) {
        let lowest = lowest(page);
        let mut here: Vec<_> = page.iter().filter(|line| at_edge(line)).map(key).collect();
        let edges = page.iter().filter(|line| at_edge(line) || is_last_number(line, lowest));
        here.sort();
        here.dedup();
        for key in here {
            *seen.entry(key).or_default() += 1;
        }
        let mut printed: Vec<i64> =
            edges.flat_map(|line| outer_numbers(&line.text)).map(|n| n - number).collect();
        printed.sort_unstable();
        printed.dedup();
        for offset in printed {
            *offsets.entry(offset).or_default() += 1;
        }
    }
    let enough = if pages.len() > 4 { PAGES } else { 2 };
    // Printed page numbers run along with the pages: one difference between the two stands on most of them.
    let numbering = offsets.into_iter().filter(|&(_, count)| count >= PAGES && count * 2 >= pages.len());
    let numbering = numbering.max_by_key(|&(_, count)| count).map(|(offset, _)| offset);
    let total = pages.len();
    for (number, page) in (1i64..).zip(pages.iter_mut()) {
        let lowest = lowest(page);
        page.retain(|line| {
            let small = line.size <= 1.12 * body;
            let numbered = small
                && numbering.is_some_and(|n| outer_numbers(&line.text).any(|printed| printed - number == n));
            if !at_edge(line) {
                // Above a wide margin only a number that runs along with the pages is one of a page.
                return !(numbered && is_last_number(line, lowest));
            }
            let count = seen.get(&key(line)).copied().unwrap_or(0);
            // A head may be set a little larger than small print, if it is on most pages.
            let middling = line.size <= 1.6 * body && count * 10 >= total * 6;
            let repeated = count >= enough && (small || middling);
            !(repeated || numbered || is_page_number(&line.text))
        });
    }
}

/// The numbers with which a short line begins and ends: "12 1.3. Continuity", "Chapter 1 — 12".
fn outer_numbers(text: &str) -> impl Iterator<Item = i64> + use<> {
    let number = |word: Option<&str>| word.filter(|w| w.len() <= 4).and_then(|w| w.parse().ok());
    let short = text.chars().count() <= 100;
    let mut words = text.split_whitespace();
    let (first, last) = (number(words.next()), number(words.next_back()));
    first.into_iter().chain(last).filter(move |_| short)
}

/// The last baseline of a page.
fn lowest(page: &[Line]) -> f32 {
    page.iter().map(|line| line.y).fold(f32::NEG_INFINITY, f32::max)
}

/// A number with nothing beside or below it, in the lower half of the page.
fn is_last_number(line: &Line, lowest: f32) -> bool {
    line.height > 0.5 && line.y >= lowest && is_page_number(&line.text)
}

/// At the upper or lower edge, or set sideways along another.
fn at_edge(line: &Line) -> bool {
    (line.height < TOP || line.height > BOTTOM) && line.text.chars().count() <= 200
}

/// Equal lines but for their numbers have one key.
fn key(line: &Line) -> (String, bool) {
    let mut words = String::new();
    for c in line.text.chars().filter(|c| !c.is_whitespace()) {
        match c {
            '0'..='9' if words.ends_with('#') => {}
            '0'..='9' => words.push('#'),
            _ => words.extend(c.to_lowercase()),
        }
    }
    (words, line.height < 0.5)
}

/// `7`, `- 7 -`, `Page 7 of 12`, `7/12`.
fn is_page_number(text: &str) -> bool {
    let words = text.trim().trim_matches(['-', '–', '—', '|', ' ', '.', '[', ']']).to_lowercase();
    let words =
        ["page", "seite", "página", "p."].iter().find_map(|p| words.strip_prefix(p)).unwrap_or(&words).trim();
    let number = |s: &str| (1..=4).contains(&s.trim().len()) && s.trim().bytes().all(|b| b.is_ascii_digit());
    number(words)
        || ["of", "/", "von", "de"]
            .iter()
            .any(|of| words.split_once(of).is_some_and(|(a, b)| number(a) && number(b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str, height: f32, size: f32) -> Line {
        Line {
            text: text.to_owned(),
            x0: 0.0,
            x1: 1.0,
            y: height,
            height,
            size,
            region: 0,
            cells: Vec::new(),
            frame: Default::default(),
            outline: None,
            above: Vec::new(),
        }
    }

    #[test]
    fn repeated_heads_and_numbers_go_and_headings_stay() {
        let page = |n: usize| {
            vec![
                line(&format!("Course notes, week {n}"), 0.05, 9.0),
                line("Example", 0.08, 20.0),
                line("Course notes, week 1", 0.5, 10.0),
                line(&format!("{n}"), 0.95, 9.0),
            ]
        };
        let mut pages = vec![page(1), page(2), page(3)];
        remove(&mut pages, 10.0);
        let words: Vec<&str> = pages[2].iter().map(|l| l.text.as_str()).collect();
        assert_eq!(words, ["Example", "Course notes, week 1"]);
        // Above a wide margin: those that count the pages go, and an amount stays.
        let page = |n: usize, last: &str| {
            vec![line(&format!("Words {n} and more"), 0.4, 10.0), line(last, 0.8, 10.0)]
        };
        let mut pages = vec![page(1, "8"), page(2, "9"), page(3, "10"), page(4, "77")];
        remove(&mut pages, 10.0);
        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [1, 1, 1, 2]);
        let mut single = vec![vec![line("Title of it", 0.05, 10.0), line("Page 1 of 1", 0.97, 8.0)]];
        remove(&mut single, 10.0);
        assert_eq!(single[0].len(), 1);
    }
}
