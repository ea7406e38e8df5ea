//! Glyphs to fragments: runs of characters on one baseline without a wide gap.
//!
//! A fragment is at most a line of one column and usually exactly that. Words are told apart by gaps, since many files
//! hold no spaces. Letters written from right to left come out in the order in which they are read.

use super::glyphs::{Glyph, PageGlyphs};

/// A piece of a line.
#[derive(Debug, Clone)]
pub struct Fragment {
    pub text: String,
    pub x0: f32,
    pub x1: f32,
    /// The baseline.
    pub y: f32,
    pub size: f32,
    /// Most of its letters are written from right to left.
    pub rtl: bool,
}

impl Fragment {
    /// Where ordinary capitals end above the baseline.
    pub fn top(&self) -> f32 {
        self.y - 0.72 * self.size
    }
    pub fn bottom(&self) -> f32 {
        self.y + 0.21 * self.size
    }
}

/// A gap wider than this part of the font size is a space between words.
pub const WORD_GAP: f32 = 0.13;
/// A gap wider than this ends a fragment: it may be the space between two columns.
const FRAGMENT_GAP: f32 = 0.9;
/// A glyph may lie this far behind the end of the one before (kerning, accents).
const OVERLAP: f32 = 0.6;

/// The fragments of the glyphs of one direction, in the order of the content.
pub fn fragments<'a>(page: &PageGlyphs, glyphs: impl Iterator<Item = &'a Glyph>) -> Vec<Fragment> {
    let mut out = Vec::new();
    let mut run: Vec<Placed> = Vec::new();
    let mut spaced = false;
    for glyph in glyphs {
        let words = page.words(glyph);
        if words.trim().is_empty() {
            spaced = true;
            continue;
        }
        let next = Placed {
            words,
            x0: glyph.x,
            x1: glyph.x + glyph.width,
            y: glyph.y,
            size: glyph.size,
            spaced,
            rtl: words.chars().any(is_rtl),
        };
        spaced = false;
        if run.last().is_some_and(|last| !follows(last, &next)) {
            out.extend(finish(&mut run));
        }
        run.push(next);
    }
    out.extend(finish(&mut run));
    out
}

struct Placed<'a> {
    words: &'a str,
    x0: f32,
    x1: f32,
    y: f32,
    size: f32,
    /// A space was drawn before it.
    spaced: bool,
    rtl: bool,
}

fn follows(last: &Placed, next: &Placed) -> bool {
    let size = last.size.max(next.size);
    let smaller = last.size.min(next.size);
    if (last.y - next.y).abs() > 0.18 * size || smaller < 0.5 * size {
        return false;
    }
    let near = |gap: f32| gap > -OVERLAP * size && gap < FRAGMENT_GAP * size;
    near(next.x0 - last.x1) || ((last.rtl || next.rtl) && near(last.x0 - next.x1))
}

fn finish(run: &mut Vec<Placed>) -> Option<Fragment> {
    let first = run.first()?;
    let (y, mut x0, mut x1) = (first.y, f32::INFINITY, f32::NEG_INFINITY);
    let mut size = 0.0;
    let (mut rtl_letters, mut ltr_letters) = (0usize, 0usize);
    for glyph in run.iter() {
        x0 = x0.min(glyph.x0);
        x1 = x1.max(glyph.x1);
        size = glyph.size.max(size);
        if glyph.rtl {
            rtl_letters += 1;
        } else if glyph.words.chars().any(char::is_alphabetic) {
            ltr_letters += 1;
        }
    }
    let text =
        if rtl_letters > 0 { read_both_ways(run, rtl_letters > ltr_letters) } else { in_order(run.iter()) };
    run.clear();
    Some(Fragment { text, x0, x1, y, size, rtl: rtl_letters > ltr_letters })
}

/// The characters in the order given, with spaces where they were drawn or where there is a gap.
fn in_order<'a>(glyphs: impl Iterator<Item = &'a Placed<'a>>) -> String {
    let mut text = String::new();
    let mut last: Option<&Placed> = None;
    for glyph in glyphs {
        if let Some(last) = last {
            let gap = (glyph.x0 - last.x1).max(last.x0 - glyph.x1);
            if glyph.spaced || gap > WORD_GAP * last.size.max(glyph.size) {
                text.push(' ');
            }
        }
        text.push_str(glyph.words);
        last = Some(glyph);
    }
    text
}

/// Text with letters of both directions: by place, in the direction of most letters, with the others' runs turned back.
/// Some files hold such text in reading order and some in the order seen; by place, both come out the same.
fn read_both_ways(run: &mut [Placed], mostly_rtl: bool) -> String {
    // Spaces that were drawn are only known by the order of the content; gaps tell them here.
    for glyph in run.iter_mut() {
        glyph.spaced = false;
    }
    run.sort_by(|a, b| a.x0.total_cmp(&b.x0));
    if mostly_rtl {
        run.reverse();
    }
    // Runs against the main direction: letters of the other kind and what stands between them.
    let against = |glyph: &Placed| glyph.rtl != mostly_rtl && glyph.words.chars().any(char::is_alphanumeric);
    let mut at = 0;
    while at < run.len() {
        if !against(&run[at]) {
            at += 1;
            continue;
        }
        let mut end = at + 1;
        let mut look = end;
        while look < run.len() && (against(&run[look]) || !run[look].words.chars().any(char::is_alphabetic)) {
            look += 1;
            if against(&run[look - 1]) {
                end = look;
            }
        }
        run[at..end].reverse();
        at = end;
    }
    in_order(run.iter())
}

/// Hebrew, Arabic, Syriac, Thaana, N'Ko and their presentation forms.
pub fn is_rtl(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}' | '\u{10800}'..='\u{10fff}')
        && c.is_alphabetic()
}
