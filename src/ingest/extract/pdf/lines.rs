//! A page to lines: glyphs, fragments, regions, and in each region the lines from top to bottom.

use crate::domain::area::{Frame, tenths};

use super::columns::{median, regions};
use super::fragments::{Fragment, WORD_GAP, fragments};
use super::glyphs::{Glyph, PageGlyphs};

/// A line of one region of a page.
#[derive(Debug, Clone)]
pub struct Line {
    pub text: String,
    pub x0: f32,
    pub x1: f32,
    /// The baseline, and the same as a part of the page's height.
    pub y: f32,
    pub height: f32,
    /// Size of most of its type.
    pub size: f32,
    /// Columns of the page are numbered in reading order.
    pub region: u32,
    /// Texts with wide gaps between them; a row of a table has several.
    pub cells: Vec<Cell>,
    /// Where it is seen on the page.
    pub frame: Frame,
    /// Level and number of the item of the file's outline that it says.
    pub outline: Option<(u8, u32)>,
    /// Titles of the outline that lead here and are not written on the page, with their levels.
    pub above: Vec<(u8, String)>,
}

/// A text that stands apart in its line, and its ends.
#[derive(Debug, Clone)]
pub struct Cell {
    pub x0: f32,
    pub x1: f32,
    pub text: String,
}

/// A gap wider than this many times the size of the type lies between two cells.
const CELL_GAP: f32 = 1.4;

/// The lines of a page in reading order; text that does not run from left to right comes last.
pub fn lines(page: &PageGlyphs, page_height: f32) -> Vec<Line> {
    let mut turns: Vec<i16> = page.glyphs.iter().map(|g| g.turn).collect();
    turns.sort_unstable();
    turns.dedup();
    // Upright text first, else the direction with most glyphs (pages that were scanned or printed lying).
    let count = |turn: i16| page.glyphs.iter().filter(|g| g.turn == turn).count();
    turns.sort_by_key(|&turn| std::cmp::Reverse(count(turn)));
    let mut out = Vec::new();
    let mut region = 0;
    for turn in turns {
        let found = fragments(page, page.glyphs.iter().filter(|g: &&Glyph| g.turn == turn));
        for indices in regions(&found) {
            let members: Vec<&Fragment> = indices.iter().map(|&i| &found[i]).collect();
            out.extend(region_lines(members, region, Way { turn, page_height }));
            region += 1;
        }
    }
    out
}

/// The direction of a region's lines, on a page of this height.
#[derive(Clone, Copy)]
struct Way {
    turn: i16,
    page_height: f32,
}

impl Way {
    /// A rectangle of turned text as it lies on the page.
    fn frame(self, (x0, x1): (f32, f32), (y0, y1): (f32, f32)) -> Frame {
        let (sin, cos) = f32::from(self.turn).to_radians().sin_cos();
        let corners = [(x0, y0), (x1, y0), (x0, y1), (x1, y1)];
        let seen = corners.map(|(x, y)| (x * cos - y * sin, x * sin + y * cos));
        let (xs, ys) = (seen.map(|(x, _)| x), seen.map(|(_, y)| y));
        let least = |of: [f32; 4]| tenths(of.into_iter().fold(f32::INFINITY, f32::min));
        let most = |of: [f32; 4]| tenths(of.into_iter().fold(f32::NEG_INFINITY, f32::max));
        Frame { x0: least(xs), y0: least(ys), x1: most(xs), y1: most(ys) }
    }
}

fn region_lines(mut members: Vec<&Fragment>, region: u32, way: Way) -> Vec<Line> {
    members.sort_by(|a, b| a.y.total_cmp(&b.y));
    let mut groups: Vec<Vec<&Fragment>> = Vec::new();
    for fragment in members {
        match groups.last_mut() {
            Some(group) if same_line(group, fragment) => group.push(fragment),
            _ => groups.push(vec![fragment]),
        }
    }
    groups.into_iter().filter_map(|group| line(group, region, way)).collect()
}

/// Whether a fragment, at or below all of `group`, stands on its line: at the same height, or (as indices and
/// exponents do) beside it with most of its own height within the line's.
fn same_line(group: &[&Fragment], next: &Fragment) -> bool {
    let Some(main) = group.iter().max_by(|a, b| a.size.total_cmp(&b.size)) else { return false };
    let shared = main.bottom().min(next.bottom()) - main.top().max(next.top());
    let smaller = 0.93 * main.size.min(next.size);
    let differs = main.size.max(next.size) > 1.15 * main.size.min(next.size);
    let overlaps =
        group.iter().any(|other| next.x0 < other.x1 - 0.3 * smaller && other.x0 < next.x1 - 0.3 * smaller);
    let level = (main.y - next.y).abs() < 0.25 * main.size.max(next.size);
    !overlaps && (level || (shared > 0.5 * smaller && (differs || shared > 0.75 * smaller)))
}

fn line(mut group: Vec<&Fragment>, region: u32, way: Way) -> Option<Line> {
    let letters = |rtl: bool| group.iter().filter(|f| f.rtl == rtl).map(|f| f.text.len()).sum::<usize>();
    let rtl = letters(true) > letters(false);
    group.sort_by(|a, b| a.x0.total_cmp(&b.x0));
    if rtl {
        group.reverse();
    }
    // The size that most characters have, so that a large initial or a footnote mark says nothing.
    let mut sizes: Vec<(f32, usize)> = group.iter().map(|f| (f.size, f.text.len())).collect();
    sizes.sort_by(|a, b| a.0.total_cmp(&b.0));
    let half = sizes.iter().map(|s| s.1).sum::<usize>() / 2;
    let mut before = 0;
    let size = sizes.iter().find(|s| {
        before += s.1;
        before > half
    })?;
    // Where most of the line stands: an exponent and the mark of a note stand above it.
    let base = median(group.iter().filter(|f| f.size > 0.9 * size.0).map(|f| f.y));
    let (mut text, mut cells) = (String::new(), Vec::<Cell>::new());
    let mut last: Option<&Fragment> = None;
    for fragment in &group {
        let words = if is_raised(fragment, base, size.0) { raised(&fragment.text) } else { None };
        let words = words.as_deref().unwrap_or(&fragment.text);
        let gap = last.map(|last| (fragment.x0 - last.x1).max(last.x0 - fragment.x1) / size.0);
        match cells.last_mut() {
            Some(cell) if gap.is_none_or(|gap| gap <= CELL_GAP) => {
                if gap.is_some_and(|gap| gap > WORD_GAP) {
                    cell.text.push(' ');
                }
                cell.text.push_str(words);
                (cell.x0, cell.x1) = (cell.x0.min(fragment.x0), cell.x1.max(fragment.x1));
            }
            _ => cells.push(Cell { x0: fragment.x0, x1: fragment.x1, text: words.to_owned() }),
        }
        if gap.is_some_and(|gap| gap > WORD_GAP) {
            text.push(' ');
        }
        text.push_str(words);
        last = Some(fragment);
    }
    let y = median(group.iter().map(|f| f.y));
    let x0 = group.iter().map(|f| f.x0).fold(f32::INFINITY, f32::min);
    let x1 = group.iter().map(|f| f.x1).fold(f32::NEG_INFINITY, f32::max);
    let top = group.iter().map(|f| f.top()).fold(f32::INFINITY, f32::min);
    let bottom = group.iter().map(|f| f.bottom()).fold(f32::NEG_INFINITY, f32::max);
    Some(Line {
        text,
        x0,
        x1,
        y,
        // Text set sideways stands at an edge as well.
        height: if way.turn == 0 { y / way.page_height } else { 0.0 },
        frame: way.frame((x0, x1), (top, bottom)),
        size: size.0,
        region,
        cells,
        outline: None,
        above: Vec::new(),
    })
}

/// Smaller than its line and above its baseline, as exponents are set.
fn is_raised(fragment: &Fragment, base: f32, size: f32) -> bool {
    fragment.size < 0.85 * size && base - fragment.y > 0.2 * size
}

/// A raised number as such, because 10² is not 102 and the mark of a note is no part of the amount before it.
fn raised(text: &str) -> Option<String> {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let sign = |c: char| match c {
        '+' => Some('⁺'),
        '-' | '−' | '–' => Some('⁻'),
        _ => c.to_digit(10).and_then(|digit| DIGITS.get(digit as usize).copied()),
    };
    text.chars().any(|c| c.is_ascii_digit()).then_some(())?;
    text.chars().map(sign).collect()
}

#[cfg(test)]
mod tests {
    use super::raised;

    #[test]
    fn raised_numbers_are_told_from_those_on_the_line() {
        for (text, expected) in
            [("2", Some("²")), ("−10", Some("⁻¹⁰")), ("-", None), ("2n", None), ("th", None)]
        {
            assert_eq!(raised(text).as_deref(), expected, "{text}");
        }
    }
}
