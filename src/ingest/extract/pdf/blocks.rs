//! Lines to blocks: paragraphs, headings, list items and table rows, written into a [`Builder`].
//!
//! A paragraph goes on over the end of a column or a page when its sentence does. A word cut by a hyphen at the end of a
//! line is put together again, unless the document writes it with a hyphen elsewhere. Headings are what is set larger
//! than the running text; their level is the rank of their size.

use std::collections::{BTreeMap, HashSet};

use crate::domain::{Anchor, BlockKind, area};
use crate::ingest::extract::clean::clean_line;
use crate::ingest::extract::{Builder, ExtractError};

use super::columns::median;
use super::lines::{Cell, Line};

/// A heading is at least this much larger than the running text.
const HEADING_SIZE: f32 = 1.12;
const HEADING_LINES: usize = 4;
const HEADING_CHARS: usize = 200;
/// Lines further apart than this part of the usual distance belong to two paragraphs.
const PARAGRAPH_GAP: f32 = 1.35;
/// Parts of a formula further apart than so many times the size of the type do not belong together.
const FORMULA_GAP: f32 = 2.6;
/// So many rows in sequence are a table.
const TABLE_ROWS: usize = 3;

/// The size in which most characters of a document are set.
pub fn body_size(pages: &[Vec<Line>]) -> f32 {
    let mut sizes: BTreeMap<i32, usize> = BTreeMap::new();
    for line in pages.iter().flatten() {
        *sizes.entry(half_points(line.size)).or_default() += line.text.len();
    }
    sizes.into_iter().max_by_key(|&(_, count)| count).map_or(10.0, |(size, _)| size as f32 / 2.0)
}

fn half_points(size: f32) -> i32 {
    (size * 2.0).round() as i32
}

/// Writes the blocks of all pages. Returns the words of the largest heading of the first page, as a title.
pub fn write(pages: &[Vec<Line>], body: f32, out: &mut Builder) -> Result<Option<String>, ExtractError> {
    let compounds = compounds(pages);
    let leading = usual_leading(pages);
    let mut blocks: Vec<Open> = Vec::new();
    for (number, page) in pages.iter().enumerate() {
        let number = u32::try_from(number + 1).unwrap_or(u32::MAX);
        for region in page.chunk_by(|a, b| a.region == b.region) {
            let shape = Shape::of(region, leading);
            let rows = table_rows(region);
            for (i, line) in region.iter().enumerate() {
                let above = i.checked_sub(1).map(|i| &region[i]);
                let is_row = rows[i] && line.outline.is_none();
                blocks.extend(line.above.iter().map(|title| Open::untyped(title, number, line)));
                let begins = !line.above.is_empty() || is_row;
                let goes_on = blocks.last().is_some_and(|open| match above {
                    _ if begins || open.outline.is_some() || line.outline.is_some() => {
                        !begins && line.outline.is_some() && open.outline == line.outline
                    }
                    Some(above) => open.goes_on(above, line, &shape, body),
                    None => open.goes_on_elsewhere(line, body),
                });
                match blocks.last_mut() {
                    Some(open) if goes_on => open.add(line, number, &compounds),
                    _ => blocks.push(Open::new(line, number, is_row, body)),
                }
            }
        }
    }
    let levels = levels(&blocks);
    let mut title: Option<(i32, String)> = None;
    // What is set large below an item of the outline stands below it, too.
    let mut outlined = 0;
    for block in &blocks {
        let kind = match block.kind {
            BlockKind::Heading(_) if !block.is_heading() => BlockKind::Paragraph,
            BlockKind::Heading(_) => {
                let size = half_points(block.size);
                if block.page == 1 && title.as_ref().is_none_or(|&(largest, _)| size > largest) {
                    title = Some((size, block.text.clone()));
                }
                let level = match block.outline {
                    Some((level, _)) => {
                        outlined = level;
                        level
                    }
                    None => levels.get(&size).copied().unwrap_or(6).max(outlined + 1).min(6),
                };
                BlockKind::Heading(level)
            }
            kind => kind,
        };
        let anchor = Anchor { page: Some(block.page), ..Anchor::default() };
        out.placed(kind, &block.text, anchor, &block.places)?;
    }
    Ok(title.map(|(_, words)| words))
}

/// A block that may still grow.
struct Open {
    kind: BlockKind,
    text: String,
    size: f32,
    page: u32,
    lines: usize,
    /// Level and number in the file's outline.
    outline: Option<(u8, u32)>,
    /// Where each of them begins in the text and stands on its page.
    places: Vec<area::Line>,
}

impl Open {
    fn new(line: &Line, page: u32, is_row: bool, body: f32) -> Self {
        let kind = if is_row {
            BlockKind::TableRow
        } else if line.outline.is_some() || (line.size >= HEADING_SIZE * body && !is_debris(&line.text)) {
            BlockKind::Heading(1)
        } else if begins_item(&line.text) {
            BlockKind::ListItem
        } else {
            BlockKind::Paragraph
        };
        let text = if is_row {
            line.cells.iter().map(|cell| cell.text.trim()).collect::<Vec<_>>().join(" | ")
        } else {
            clean_line(&line.text)
        };
        let places = vec![area::Line { start: 0, page, frame: line.frame }];
        Self { kind, text, size: line.size, page, lines: 1, outline: line.outline, places }
    }

    /// A title of the outline that no line says. It has its place where that line begins, and no width.
    fn untyped((level, words): &(u8, String), page: u32, below: &Line) -> Self {
        let frame = area::Frame { x1: below.frame.x0, y1: below.frame.y0, ..below.frame };
        Self {
            kind: BlockKind::Heading(*level),
            text: clean_line(words),
            size: 0.0,
            page,
            lines: 1,
            outline: Some((*level, u32::MAX)),
            places: vec![area::Line { start: 0, page, frame }],
        }
    }

    /// What is large is a heading only if it is short and says something.
    fn is_heading(&self) -> bool {
        let letters = self.text.chars().filter(|c| c.is_alphabetic()).count();
        self.outline.is_some()
            || letters >= 2 && self.lines <= HEADING_LINES && self.text.chars().count() <= HEADING_CHARS
    }

    fn same_type(&self, line: &Line, body: f32) -> bool {
        let heading = |size: f32| size >= HEADING_SIZE * body;
        let close = (self.size - line.size).abs() <= 0.12 * self.size.max(line.size);
        self.kind != BlockKind::TableRow
            && heading(self.size) == heading(line.size)
            && (close || !heading(line.size))
    }

    /// Whether `line`, right below `above` in the same column, is of this block.
    fn goes_on(&self, above: &Line, line: &Line, shape: &Shape, body: f32) -> bool {
        if begins_item(&line.text) {
            return false;
        }
        let size = above.size.max(line.size);
        // The parts of a formula stand higher and lower, some of them large, and belong to the words that introduce it.
        let is_text = matches!(self.kind, BlockKind::Paragraph | BlockKind::ListItem);
        let formula = is_debris(&line.text) || (is_debris(&above.text) && line.size < HEADING_SIZE * body);
        if is_text && formula && line.y - above.y < FORMULA_GAP * size {
            return true;
        }
        if !self.same_type(line, body) {
            return false;
        }
        let leading = if matches!(self.kind, BlockKind::Heading(_)) { 1.4 } else { shape.leading };
        if line.y - above.y > PARAGRAPH_GAP * leading * size {
            return false;
        }
        let indent = line.x0 - shape.left;
        let short = above.x1 < shape.right - 0.2 * (shape.right - shape.left);
        let ended = ends_sentence(&above.text);
        let begins_new = |c: char| c.is_uppercase() || c.is_numeric() || "\"“«(".contains(c);
        let new_sentence = line.text.trim_start().starts_with(begins_new);
        // A first line set in, below a line that was not; a line after one that ended early.
        let set_in = indent > 0.8 * size && indent < 5.0 * size && above.x0 - shape.left < 0.3 * size;
        let is_item = self.kind == BlockKind::ListItem;
        !(new_sentence && ((set_in && !is_item && (ended || short)) || (short && ended)))
    }

    /// Whether the first line of a column or page is of this block, which stood at the end of the one before.
    fn goes_on_elsewhere(&self, line: &Line, body: f32) -> bool {
        let text = matches!(self.kind, BlockKind::Paragraph | BlockKind::ListItem);
        let lower = line.text.trim_start().starts_with(char::is_lowercase);
        text && self.lines > 1
            && self.same_type(line, body)
            && (self.size - line.size).abs() < 0.6
            && lower
            && !ends_sentence(&self.text)
    }

    fn add(&mut self, line: &Line, page: u32, compounds: &HashSet<String>) {
        // As it will be stored, so that its place in the text is right.
        let words = clean_line(&line.text);
        join(&mut self.text, &words, compounds);
        self.lines += 1;
        self.places.push(area::Line { start: self.text.len() - words.len(), page, frame: line.frame });
    }
}

/// Where the lines of a column begin and end, and their usual distance.
struct Shape {
    left: f32,
    right: f32,
    /// As a part of the size of the type.
    leading: f32,
}

impl Shape {
    fn of(region: &[Line], usual_leading: f32) -> Self {
        let own = median(distances(region));
        // A few lines may hang out; the column is where most begin.
        let mut starts: Vec<f32> = region.iter().map(|l| l.x0).collect();
        starts.sort_by(f32::total_cmp);
        Self {
            left: starts.get(starts.len() / 10).copied().unwrap_or(0.0),
            right: region.iter().map(|l| l.x1).fold(f32::NEG_INFINITY, f32::max),
            // A column of short paragraphs has more gaps than lines: its own distance then says nothing.
            leading: if own > 0.0 { own.min(1.1 * usual_leading) } else { usual_leading }.max(0.9),
        }
    }
}

/// From baseline to baseline, as parts of the size of the type; larger ones are gaps.
fn distances(region: &[Line]) -> impl Iterator<Item = f32> {
    region
        .windows(2)
        .map(|w| (w[1].y - w[0].y) / w[0].size.max(w[1].size).max(1.0))
        .filter(|d| (0.5..3.0).contains(d))
}

/// The distance between lines that most of the document has, as a part of the size of the type.
fn usual_leading(pages: &[Vec<Line>]) -> f32 {
    let mut seen: BTreeMap<i32, usize> = BTreeMap::new();
    for region in pages.iter().flat_map(|page| page.chunk_by(|a, b| a.region == b.region)) {
        for distance in distances(region) {
            *seen.entry((distance * 20.0).round() as i32).or_default() += 1;
        }
    }
    // 1.2 is what programs set when nobody chooses.
    seen.into_iter().max_by_key(|&(_, count)| count).map_or(1.2, |(twentieths, _)| twentieths as f32 / 20.0)
}

/// Which lines are rows of a table: several in sequence with cells in the same columns.
fn table_rows(region: &[Line]) -> Vec<bool> {
    let mut rows = vec![false; region.len()];
    let mut start = 0;
    for end in 1..=region.len() {
        let goes_on = end < region.len() && alike(&region[end - 1], &region[end]);
        if !goes_on {
            if end - start >= TABLE_ROWS && region[start].cells.len() > 1 {
                rows[start..end].fill(true);
                // The head of a table is centred, so that its cells begin elsewhere.
                let head = start.checked_sub(1).filter(|&head| {
                    region[head].cells.len() > 1
                        && region[start].y - region[head].y < 3.0 * region[start].size
                });
                if let Some(head) = head {
                    rows[head] = true;
                }
            }
            start = end;
        }
    }
    rows
}

fn alike(above: &Line, below: &Line) -> bool {
    if above.cells.len() < 2 || below.cells.len() < 2 || begins_item(&below.text) {
        return false;
    }
    let near = 1.5 * above.size;
    let shared = below
        .cells
        .iter()
        .skip(1)
        .filter(|cell| above.cells.iter().skip(1).any(|other| in_column(cell, other, near)));
    shared.count() * 2 >= below.cells.len() - 1
}

/// Cells of one column begin, end or have their middle at one place: words are set to the left, numbers to the right.
fn in_column(a: &Cell, b: &Cell, near: f32) -> bool {
    let middle = |cell: &Cell| (cell.x0 + cell.x1) / 2.0;
    (a.x0 - b.x0).abs() < near || (a.x1 - b.x1).abs() < near || (middle(a) - middle(b)).abs() < near
}

/// The levels of the sizes in which headings are set: the largest is 1.
fn levels(blocks: &[Open]) -> BTreeMap<i32, u8> {
    let headings =
        blocks.iter().filter(|b| b.size > 0.0 && matches!(b.kind, BlockKind::Heading(_)) && b.is_heading());
    let mut sizes: Vec<i32> = headings.map(|b| half_points(b.size)).collect();
    sizes.sort_unstable_by(|a, b| b.cmp(a));
    sizes.dedup();
    let mut levels = BTreeMap::new();
    let (mut level, mut last) = (0u8, i32::MAX);
    for size in sizes {
        // Sizes that differ by less than a twentieth were meant to be one.
        if last == i32::MAX || f64::from(size) < 0.95 * f64::from(last) {
            level = (level + 1).min(6);
            last = size;
        }
        levels.insert(size, level);
    }
    levels
}

/// Begins with a bullet, or with a number in one of the usual forms.
fn begins_item(text: &str) -> bool {
    let text = text.trim_start();
    let mut chars = text.chars();
    let first = chars.next();
    // Bullets, geometric shapes and dingbats; a dash only with a space.
    let bullet = |c: char| matches!(c, '•' | '◦' | '‣' | '∗' | '·' | '\u{25a0}'..='\u{25ff}' | '\u{2700}'..='\u{27bf}' | '\u{2b1a}'..='\u{2b2f}');
    if first.is_some_and(bullet) || ["- ", "– ", "— "].iter().any(|dash| text.starts_with(dash)) {
        return chars.next().is_some();
    }
    if first.is_some_and(|c| c.is_ascii_lowercase()) && (text[1..].starts_with(") ")) {
        return true;
    }
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    (1..=2).contains(&digits) && (text[digits..].starts_with(". ") || text[digits..].starts_with(") "))
}

/// A line without any word: signs, single letters and numbers, as a displayed formula leaves them.
fn is_debris(text: &str) -> bool {
    let longest =
        text.split(|c: char| !c.is_alphabetic()).map(|word| word.chars().count()).max().unwrap_or(0);
    longest <= 2 && text.chars().count() <= 60
}

fn ends_sentence(text: &str) -> bool {
    let bare = text.trim_end().trim_end_matches(['"', '”', '’', ')', ']', '»']);
    bare.ends_with(['.', '!', '?', ':', ';', '…', '。', '！', '？', '؟'])
}

/// Appends a line to the words before it.
fn join(text: &mut String, line: &str, compounds: &HashSet<String>) {
    let Some(next) = line.chars().next() else { return };
    let mut back = text.chars().rev();
    let (last, before) = (back.next(), back.next());
    if last == Some('-') && before.is_some_and(char::is_alphabetic) && next.is_lowercase() {
        let head = text.rsplit(char::is_whitespace).next().unwrap_or_default();
        let tail: String = line.chars().take_while(|c| c.is_alphanumeric() || *c == '-').collect();
        if !compounds.contains(&format!("{head}{tail}").to_lowercase()) {
            text.pop();
        }
    } else if !(last.is_some_and(is_unspaced) && is_unspaced(next)) {
        text.push(' ');
    }
    text.push_str(line);
}

/// Scripts that write no spaces between words.
fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{3000}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ffef}')
}

/// The words that the document writes with a hyphen inside of a line, in lower case.
fn compounds(pages: &[Vec<Line>]) -> HashSet<String> {
    let mut found = HashSet::new();
    for line in pages.iter().flatten() {
        for word in line.text.split_whitespace() {
            let word = word.trim_matches(|c: char| !c.is_alphanumeric());
            if word.contains('-') {
                found.insert(word.to_lowercase());
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_cut_at_the_end_of_a_line_are_whole_again() {
        let compounds = HashSet::from(["two-column".to_owned()]);
        for (text, line, expected) in [
            ("a hyphen-", "ated word", "a hyphenated word"),
            ("a two-", "column page", "a two-column page"),
            ("from 3-", "5 on", "from 3- 5 on"),
            ("plain", "words", "plain words"),
            ("第一", "行", "第一行"),
        ] {
            let mut text = text.to_owned();
            join(&mut text, line, &compounds);
            assert_eq!(text, expected);
        }
    }

    #[test]
    fn items_begin_with_bullets_or_numbers() {
        for (text, expected) in [
            ("• one", true),
            ("2. two", true),
            ("12) x", true),
            ("1984 was", false),
            ("3.5 cm", false),
            ("–", false),
            ("❒ Policy", true),
            ("a) one", true),
            ("a one", false),
        ] {
            assert_eq!(begins_item(text), expected, "{text}");
        }
    }
}
