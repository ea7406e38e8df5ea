//! What repeats at the edges of pages: running heads, running feet and page numbers, which are no part of the text.

use std::collections::HashMap;

use super::lines::Line;

/// Parts of the page's height in which furniture stands.
const TOP: f32 = 0.11;
const BOTTOM: f32 = 0.89;
/// A line must stand on so many pages to be furniture.
const PAGES: usize = 3;

/// Takes furniture out of the lines of each page. `body` is the size of the document's running text: what is larger is
/// a heading that happens to recur, such as the title of several slides.
pub fn remove(pages: &mut [Vec<Line>], body: f32) {
    let mut seen: HashMap<(String, bool), usize> = HashMap::new();
    for page in pages.iter() {
        let mut here: Vec<_> = page.iter().filter(|line| at_edge(line, body)).map(|line| key(line)).collect();
        here.sort();
        here.dedup();
        for key in here {
            *seen.entry(key).or_default() += 1;
        }
    }
    for page in pages.iter_mut() {
        page.retain(|line| {
            let repeated = || seen.get(&key(line)).is_some_and(|&pages| pages >= PAGES);
            !(at_edge(line, body) && (repeated() || is_page_number(&line.text)))
        });
    }
}

fn at_edge(line: &Line, body: f32) -> bool {
    (line.height < TOP || line.height > BOTTOM) && line.size <= 1.12 * body && line.text.chars().count() <= 200
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
    let words = ["page", "seite", "página", "p."].iter().find_map(|p| words.strip_prefix(p)).unwrap_or(&words).trim();
    let number = |s: &str| (1..=4).contains(&s.trim().len()) && s.trim().bytes().all(|b| b.is_ascii_digit());
    number(words) || ["of", "/", "von", "de"].iter().any(|of| words.split_once(of).is_some_and(|(a, b)| number(a) && number(b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str, height: f32, size: f32) -> Line {
        Line { text: text.to_owned(), x0: 0.0, x1: 1.0, y: height, height, size, region: 0, cells: Vec::new() }
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
        let mut single = vec![vec![line("Title of it", 0.05, 10.0), line("Page 1 of 1", 0.97, 8.0)]];
        remove(&mut single, 10.0);
        assert_eq!(single[0].len(), 1);
    }
}
