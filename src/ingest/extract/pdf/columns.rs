//! Fragments to regions: the columns of a page in reading order.
//!
//! A recursive XY-cut (Nagy and Seth, 1984) with two changes. Bands of a page, from top to bottom, are taken together
//! as long as a white gutter runs through all of them, so that a title, a figure or a footnote across the page does not
//! hide the columns above or below it. And a gutter counts only between running text, or between lines that do not
//! stand at equal heights: what else has a gutter is a table or a list, which is read row by row.

use super::fragments::Fragment;

/// Fragments (by index) that are read from top to bottom, line by line.
pub type Region = Vec<usize>;

/// A gutter is at least this many times the size of the type.
const GUTTER: f32 = 0.8;
/// Mean length of a line above which a column is running text, in characters.
const RUNNING_TEXT: f32 = 18.0;
/// Letters among the characters of running text, at least. English prose has nine of ten, pages of formulas two of three.
const WORDS: f32 = 0.5;
/// How deep columns lie within columns.
const MAX_DEPTH: usize = 12;

/// The regions of a page in reading order; each fragment is in one of them.
pub fn regions(fragments: &[Fragment]) -> Vec<Region> {
    let mut out = Vec::new();
    let rtl = fragments.iter().filter(|f| f.rtl).count() * 2 > fragments.len();
    cut(fragments, (0..fragments.len()).collect(), rtl, 0, &mut out);
    out
}

fn cut(all: &[Fragment], within: Vec<usize>, rtl: bool, depth: usize, out: &mut Vec<Region>) {
    if within.len() < 2 || depth > MAX_DEPTH {
        out.extend((!within.is_empty()).then_some(within));
        return;
    }
    let size = median(within.iter().map(|&i| all[i].size));
    let bands = bands(all, &within);
    let mut plain: Region = Vec::new();
    let mut at = 0;
    while at < bands.len() {
        match columns_from(all, &bands[at..], size) {
            Some((count, left, right)) => {
                out.extend((!plain.is_empty()).then(|| std::mem::take(&mut plain)));
                let (first, second) = if rtl { (right, left) } else { (left, right) };
                cut(all, first, rtl, depth + 1, out);
                cut(all, second, rtl, depth + 1, out);
                at += count;
            }
            None => {
                plain.extend(&bands[at]);
                at += 1;
            }
        }
    }
    out.extend((!plain.is_empty()).then_some(plain));
}

/// Groups between which a horizontal line can be drawn, from top to bottom.
fn bands(all: &[Fragment], within: &[usize]) -> Vec<Vec<usize>> {
    let mut sorted = within.to_vec();
    sorted.sort_by(|&a, &b| all[a].top().total_cmp(&all[b].top()));
    let mut bands: Vec<Vec<usize>> = Vec::new();
    let mut bottom = f32::NEG_INFINITY;
    for i in sorted {
        match bands.last_mut() {
            Some(band) if all[i].top() < bottom => band.push(i),
            _ => bands.push(vec![i]),
        }
        bottom = bottom.max(all[i].bottom());
    }
    bands
}

/// The longest run of bands, from the first on, that a gutter divides into columns: how many bands, and both sides.
fn columns_from(all: &[Fragment], bands: &[Vec<usize>], size: f32) -> Option<(usize, Region, Region)> {
    let mut free = free_intervals(all, &bands[0], GUTTER * size);
    let (mut x0, mut x1) = (f32::INFINITY, f32::NEG_INFINITY);
    let mut best: Option<(usize, (f32, f32))> = None;
    for (count, band) in bands.iter().enumerate() {
        if count > 0 {
            free = intersect(&free, &free_intervals(all, band, GUTTER * size), GUTTER * size);
        }
        if free.is_empty() {
            break;
        }
        for &i in band {
            x0 = x0.min(all[i].x0);
            x1 = x1.max(all[i].x1);
        }
        // Of several gutters the one nearest to the middle is the first to cut.
        let middle = (x0 + x1) / 2.0;
        let off = |&(a, b): &(f32, f32)| ((a + b) / 2.0 - middle).abs();
        let gutters = free.iter().filter(|&&(a, b)| a >= x0 - 0.1 && b <= x1 + 0.1);
        if let Some(&gutter) = gutters.min_by(|a, b| off(a).total_cmp(&off(b))) {
            best = Some((count + 1, gutter));
        }
    }
    let (count, (a, _)) = best?;
    let (left, right): (Region, Region) =
        bands[..count].iter().flatten().partition(|&&i| all[i].x0 < a + 0.05);
    are_columns(all, &left, &right, size).then_some((count, left, right))
}

/// Whether two sides of a gutter are read one after the other rather than row by row.
fn are_columns(all: &[Fragment], left: &Region, right: &Region, size: f32) -> bool {
    let (left_lines, right_lines) = (baselines(all, left, size), baselines(all, right, size));
    if left_lines.len() < 2 || right_lines.len() < 2 {
        return false;
    }
    let length = |side: &Region, lines: usize| {
        side.iter().map(|&i| all[i].text.chars().count()).sum::<usize>() as f32 / lines as f32
    };
    let is_text = |side: &Region, lines: &[f32]| {
        lines.len() >= 3 && length(side, lines.len()) >= RUNNING_TEXT && is_words(all, side)
    };
    if is_text(left, &left_lines) && is_text(right, &right_lines) {
        return true;
    }
    let (fewer, more) = if left_lines.len() < right_lines.len() {
        (&left_lines, &right_lines)
    } else {
        (&right_lines, &left_lines)
    };
    let level = fewer.iter().filter(|y| more.iter().any(|other| (*y - other).abs() < 0.25 * size)).count();
    fewer.len() >= 3 && level * 10 < fewer.len() * 6
}

/// Running text is made of letters; amounts, dates and prices are cells of a table however long they are.
fn is_words(all: &[Fragment], side: &Region) -> bool {
    let seen = || side.iter().flat_map(|&i| all[i].text.chars()).filter(|c| !c.is_whitespace());
    seen().filter(|c| c.is_alphabetic()).count() as f32 >= WORDS * seen().count() as f32
}

/// The heights of a side's lines, from top to bottom. Small type (exponents, footnote marks) stands off its line.
fn baselines(all: &[Fragment], side: &Region, size: f32) -> Vec<f32> {
    let mut ys: Vec<f32> = side.iter().filter(|&&i| all[i].size > 0.8 * size).map(|&i| all[i].y).collect();
    ys.sort_by(f32::total_cmp);
    ys.dedup_by(|b, a| (*b - *a).abs() < 0.4 * size);
    ys
}

/// The parts of the x-axis that a band leaves free, at least `least` wide; the outer ones have no end.
fn free_intervals(all: &[Fragment], band: &[usize], least: f32) -> Vec<(f32, f32)> {
    let mut taken: Vec<(f32, f32)> = band.iter().map(|&i| (all[i].x0, all[i].x1)).collect();
    taken.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut free = Vec::new();
    let mut from = f32::NEG_INFINITY;
    for (x0, x1) in taken {
        if x0 - from >= least {
            free.push((from, x0));
        }
        from = from.max(x1);
    }
    free.push((from, f32::INFINITY));
    free
}

fn intersect(a: &[(f32, f32)], b: &[(f32, f32)], least: f32) -> Vec<(f32, f32)> {
    let mut out = Vec::new();
    let (mut i, mut j) = (0, 0);
    while i < a.len() && j < b.len() {
        let (from, to) = (a[i].0.max(b[j].0), a[i].1.min(b[j].1));
        if to - from >= least {
            out.push((from, to));
        }
        if a[i].1 < b[j].1 { i += 1 } else { j += 1 }
    }
    out
}

/// The value in the middle; 0 of nothing.
pub fn median(values: impl Iterator<Item = f32>) -> f32 {
    let mut values: Vec<f32> = values.filter(|v| v.is_finite()).collect();
    values.sort_by(f32::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(x0: f32, x1: f32, y: f32, text: &str) -> Fragment {
        Fragment { text: text.to_owned(), x0, x1, y, size: 10.0, rtl: false }
    }

    fn read(fragments: &[Fragment]) -> String {
        let regions = regions(fragments);
        let words = |region: &Region| {
            region.iter().map(|&i| fragments[i].text.as_str()).collect::<Vec<_>>().join(" ")
        };
        regions.iter().map(words).collect::<Vec<_>>().join(" / ")
    }

    const LONG: &str = "a line of running text";

    #[test]
    fn columns_between_a_title_and_a_footnote_are_read_one_by_one() {
        let mut page = vec![line(50.0, 450.0, 20.0, "title")];
        for row in 0..4u8 {
            let y = 50.0 + 12.0 * f32::from(row);
            page.push(line(50.0, 240.0, y, &format!("l{row} {LONG}")));
            page.push(line(260.0, 450.0, y, &format!("r{row} {LONG}")));
        }
        page.push(line(50.0, 450.0, 120.0, "footnote"));
        let order: Vec<String> =
            read(&page).split(&format!(" {LONG}")).map(|s| s.trim().to_owned()).collect();
        assert_eq!(order.join(" "), "title / l0 l1 l2 l3 / r0 r1 r2 r3 / footnote");
    }

    #[test]
    fn three_columns_are_found_too() {
        let mut page = Vec::new();
        for row in 0..3u8 {
            for (column, x) in [("a", 0.0), ("b", 210.0), ("c", 420.0)] {
                page.push(line(x, x + 190.0, 12.0 * f32::from(row), &format!("{column}{row} {LONG}")));
            }
        }
        assert_eq!(read(&page).replace(&format!(" {LONG}"), ""), "a0 a1 a2 / b0 b1 b2 / c0 c1 c2");
    }

    #[test]
    fn a_table_and_a_list_are_read_row_by_row() {
        let mut page = Vec::new();
        for row in 0..4u8 {
            let y = 12.0 * f32::from(row);
            page.push(line(0.0, 40.0, y, "blue"));
            page.push(line(100.0, 140.0, y, "61"));
        }
        assert_eq!(read(&page), "blue 61 blue 61 blue 61 blue 61");
        // As long as lines of text, and none.
        let mut prices = Vec::new();
        for row in 0..4u8 {
            let y = 12.0 * f32::from(row);
            prices.push(line(0.0, 140.0, y, "ochre 1.38 - 1.48 / kg"));
            prices.push(line(200.0, 340.0, y, "1.27 - 1.34, 1.35 - 1.40"));
        }
        assert!(read(&prices).starts_with("ochre 1.38 - 1.48 / kg 1.27 - 1.34, 1.35 - 1.40 ochre"));
    }
}
