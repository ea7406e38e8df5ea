//! A page to glyphs: what is drawn as text, where, and how large, in the order of the page's content.
//!
//! Positions are turned so that every baseline runs from left to right and y grows downwards; text that runs in another
//! direction carries its turn and is laid out apart. Invisible text is kept, because that is how scans carry their
//! recognised words; what is drawn twice at one place (imitated bold) is kept once.

use std::collections::HashMap;

use hayro_cmap::{BfString, WritingMode};
use hayro_interpret::font::{Glyph as Drawn, GlyphRun};
use hayro_interpret::{BlendMode, ClipPath, Device, DrawMode, DrawProps, Image, ImageDrawProps, SoftMask};
use hayro_syntax::object::{Dict, String as PdfString};
use kurbo::{Affine, BezPath, Point};
use unicode_normalization::UnicodeNormalization;

use super::title::text;

/// One drawn character, or several that one glyph stands for.
#[derive(Debug, Clone)]
pub struct Glyph {
    /// Its characters, as a range of [`PageGlyphs::text`].
    pub start: u32,
    pub end: u32,
    pub x: f32,
    /// The baseline.
    pub y: f32,
    pub width: f32,
    /// Size of the font in points.
    pub size: f32,
    /// Direction of the baseline in degrees, clockwise, a multiple of 5; 0 is ordinary text.
    pub turn: i16,
}

/// All text of a page.
#[derive(Debug, Default)]
pub struct PageGlyphs {
    pub text: String,
    pub glyphs: Vec<Glyph>,
    /// Glyphs whose characters the file does not tell.
    pub unknown: usize,
    pub images: usize,
    /// Square points that images cover, those under others too.
    pub covered: f32,
}

impl PageGlyphs {
    pub fn words(&self, glyph: &Glyph) -> &str {
        &self.text[glyph.start as usize..glyph.end as usize]
    }
}

/// Thrown (without a message) through the interpreter when the caller wants to stop.
pub struct Interrupted;

/// Collects glyphs while a page is interpreted.
pub struct Collector<'s> {
    pub page: PageGlyphs,
    width: f32,
    height: f32,
    max_glyphs: usize,
    stop: &'s (dyn Fn() -> bool + Sync),
    calls: usize,
    /// How many marked parts of the content are open, and what the outermost that says it stands for.
    depth: usize,
    said: Option<Said>,
    /// Glyphs by place, to find those drawn twice.
    seen: HashMap<(i32, i32), Vec<u32>>,
}

/// What a marked part of the content stands for (`ActualText`, ISO 32000-1, 14.9.4): flags and other pictures of signs.
/// Used only for glyphs that do not tell their letters; what others tell is what readers see.
struct Said {
    depth: usize,
    words: String,
}

/// Characters that a part of the content may stand for.
const LONGEST_SAID: usize = 500;
/// Text smaller than this is not meant for readers.
const SMALLEST: f32 = 1.0;
/// A glyph within this part of the font size of an equal one is the same one.
const SAME_PLACE: f32 = 0.12;
/// Edge of the squares in which equal glyphs are looked for, in points.
const SQUARE: f32 = 4.0;
const STOP_EVERY: usize = 1024;

impl<'s> Collector<'s> {
    pub fn new(width: f32, height: f32, max_glyphs: usize, stop: &'s (dyn Fn() -> bool + Sync)) -> Self {
        Self {
            page: PageGlyphs::default(),
            width,
            height,
            max_glyphs,
            stop,
            calls: 0,
            depth: 0,
            said: None,
            seen: HashMap::new(),
        }
    }

    fn count_call(&mut self) {
        self.calls += 1;
        if self.calls.is_multiple_of(STOP_EVERY) && (self.stop)() {
            // The interpreter knows no way to end early. Unwinding is one, and does not call the panic hook.
            std::panic::resume_unwind(Box::new(Interrupted));
        }
    }

    fn add(&mut self, words: &str, place: Affine, advance: f64, vertical: bool) {
        let [a, b, c, d, ..] = place.as_coeffs();
        let origin = place * Point::ZERO;
        let (along, up) = (a.hypot(b), c.hypot(d));
        let size = (up * 1000.0) as f32;
        let on_page = (-1.0..=f64::from(self.width) + 1.0).contains(&origin.x)
            && (-1.0..=f64::from(self.height) + 1.0).contains(&origin.y);
        if !(size.is_finite() && along > 0.0 && on_page) || size < SMALLEST {
            return;
        }
        let (dx, dy) = if vertical { (c / up, d / up) } else { (a / along, b / along) };
        let (dx, dy) = if vertical { (-dx, -dy) } else { (dx, dy) };
        let turn = ((dy.atan2(dx).to_degrees() / 5.0).round() as i16) * 5;
        // Exact for the four upright directions; others are rare and need no more than this.
        let (sin, cos) = f64::from(turn).to_radians().sin_cos();
        let (x, y) = (origin.x * cos + origin.y * sin, origin.y * cos - origin.x * sin);
        let width = if vertical { size } else { (advance.abs() * along) as f32 };
        let start = self.page.text.len() as u32;
        self.page.text.push_str(words);
        let end = self.page.text.len() as u32;
        let turn = if turn == -180 { 180 } else { turn };
        let glyph = Glyph { start, end, x: x as f32, y: y as f32, width, size, turn };
        if self.composes(&glyph) {
            return;
        }
        if !words.trim().is_empty() && self.is_repeated(&glyph) {
            self.page.text.truncate(start as usize);
            return;
        }
        self.page.glyphs.push(glyph);
    }

    /// Puts an accent and the letter under it together, in whichever order they were drawn; whether it did.
    fn composes(&mut self, new: &Glyph) -> bool {
        let Some(last) = self.page.glyphs.last() else { return false };
        let (Some(drawn), Some(before)) = (single(self.page.words(new)), single(self.page.words(last)))
        else {
            return false;
        };
        let together = match (accent(before), accent(drawn)) {
            (None, Some(mark)) if is_over(new, last) => composed(before, mark),
            (Some(mark), None) if is_over(last, new) => composed(drawn, mark),
            _ => return false,
        };
        let Some(together) = together else { return false };
        let start = last.start;
        // The letter says where both stand.
        let letter = if accent(before).is_some() { new.clone() } else { last.clone() };
        self.page.text.truncate(start as usize);
        self.page.text.push_str(&together);
        let end = self.page.text.len() as u32;
        self.page.glyphs.pop();
        self.page.glyphs.push(Glyph { start, end, ..letter });
        true
    }

    /// Whether an equal glyph stands here already; else remembers this one.
    fn is_repeated(&mut self, glyph: &Glyph) -> bool {
        let square = ((glyph.x / SQUARE).floor() as i32, (glyph.y / SQUARE).floor() as i32);
        let near = glyph.size * SAME_PLACE;
        for dx in -1..=1 {
            for dy in -1..=1 {
                let square = (square.0.saturating_add(dx), square.1.saturating_add(dy));
                for &at in self.seen.get(&square).into_iter().flatten() {
                    let other = &self.page.glyphs[at as usize];
                    let same_place = (other.x - glyph.x).abs() < near && (other.y - glyph.y).abs() < near;
                    if same_place
                        && other.turn == glyph.turn
                        && self.page.words(other) == self.page.words(glyph)
                    {
                        return true;
                    }
                }
            }
        }
        self.seen.entry(square).or_default().push(self.page.glyphs.len() as u32);
        false
    }
}

impl Device<'_> for Collector<'_> {
    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, '_>, props: DrawProps<'_>, _: &DrawMode) {
        self.count_call();
        let vertical = matches!(run.writing_mode(), WritingMode::Vertical);
        let drawn = run.glyphs();
        // A Type 3 font has units of its own, so that its size says nothing; half an em is a letter's usual width.
        let widths: Vec<f64> = drawn
            .iter()
            .filter_map(|g| {
                if let Drawn::Type3(glyph) = &**g { glyph.advance_width().map(f64::from) } else { None }
            })
            .filter(|&w| w > 0.0)
            .collect();
        let mean_width = widths.iter().sum::<f64>() / widths.len().max(1) as f64;
        for glyph in drawn {
            if self.page.glyphs.len() >= self.max_glyphs {
                return;
            }
            let unicode = glyph.as_unicode();
            let mut words = match &unicode {
                Some(BfString::Char(c)) => normal(*c),
                Some(BfString::String(s)) => s.chars().map(normal).collect(),
                None => String::new(),
            };
            if words.is_empty() {
                match &mut self.said {
                    // The first glyph of several gets all of it.
                    Some(said) => words = std::mem::take(&mut said.words),
                    None if unicode.is_none() => self.page.unknown += 1,
                    None => {}
                }
            }
            if words.is_empty() {
                continue;
            }
            let mut place = props.transform * glyph.transform();
            let advance = match &**glyph {
                Drawn::Outline(glyph) => glyph.advance_width().map_or(500.0, f64::from),
                Drawn::Type3(glyph) => {
                    let advance = glyph.advance_width().map_or(mean_width, f64::from);
                    let scale = if mean_width > 0.0 { mean_width / 500.0 } else { 1.0 };
                    place *= Affine::scale(scale);
                    advance / scale
                }
            };
            self.add(&words, place, advance, vertical);
        }
    }

    fn draw_image(&mut self, image: Image<'_, '_>, props: ImageDrawProps<'_>) {
        self.count_call();
        self.page.images += 1;
        // The transform is that of one dot of the image.
        let dots = f64::from(image.width()) * f64::from(image.height());
        let covered = (props.transform.determinant().abs() * dots) as f32;
        if covered.is_finite() {
            self.page.covered += covered;
        }
    }
    fn draw_path(&mut self, _: &BezPath, _: DrawProps<'_>, _: &DrawMode) {
        self.count_call();
    }
    fn begin_marked_content(&mut self, _: &[u8], properties: Option<&Dict<'_>>) {
        self.depth = self.depth.saturating_add(1);
        if self.said.is_some() {
            return;
        }
        let said = properties.and_then(|properties| properties.get::<PdfString>("ActualText"));
        let words: String = said.map(|said| text(said.as_bytes())).unwrap_or_default();
        let words: String = words.chars().take(LONGEST_SAID).map(normal).collect();
        self.said = (!words.is_empty()).then_some(Said { depth: self.depth, words });
    }
    fn end_marked_content(&mut self) {
        self.said.take_if(|said| said.depth == self.depth);
        self.depth = self.depth.saturating_sub(1);
    }
    fn push_clip_path(&mut self, _: &ClipPath) {}
    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'_>>, _: BlendMode) {
        self.count_call();
    }
    fn pop_clip(&mut self) {}
    fn pop_transparency_group(&mut self) {}
}

fn single(words: &str) -> Option<char> {
    let mut chars = words.chars();
    chars.next().filter(|_| chars.next().is_none())
}

/// Whether the middle of an accent lies over (or below) a letter. One that is typed beside it does not.
fn is_over(accent: &Glyph, letter: &Glyph) -> bool {
    let middle = accent.x + accent.width / 2.0;
    let size = accent.size.max(letter.size);
    accent.turn == letter.turn
        && (accent.y - letter.y).abs() < 0.4 * size
        && middle > letter.x
        && middle < letter.x + letter.width
}

/// The combining form of an accent that stands alone.
fn accent(c: char) -> Option<char> {
    Some(match c {
        '`' | 'ˋ' => '\u{300}',
        '´' | 'ˊ' => '\u{301}',
        '^' | 'ˆ' => '\u{302}',
        '~' | '˜' => '\u{303}',
        '¯' | 'ˉ' => '\u{304}',
        '˘' => '\u{306}',
        '˙' => '\u{307}',
        '¨' => '\u{308}',
        '˚' => '\u{30a}',
        '˝' => '\u{30b}',
        'ˇ' => '\u{30c}',
        '¸' => '\u{327}',
        '˛' => '\u{328}',
        '\u{300}'..='\u{36f}' => c,
        _ => return None,
    })
}

/// A letter with a mark; nothing of what is no letter. The dotless letters are drawn under accents for those with dots.
fn composed(letter: char, mark: char) -> Option<String> {
    let letter = match letter {
        'ı' => 'i',
        'ȷ' => 'j',
        _ => letter,
    };
    letter.is_alphabetic().then(|| [letter, mark].into_iter().nfc().collect())
}

/// A character as it is stored: ligatures, presentation forms, mathematical letters and full-width forms become the
/// letters they stand for (NFKC); superscripts and fractions, which mean something, stay.
fn normal(c: char) -> String {
    match c {
        '\t' | '\n' | '\r' | '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{3000}' => " ".to_owned(),
        // Bullets of the Symbol and Wingdings fonts lie in the private area.
        '\u{f0b7}' | '\u{f0a7}' | '\u{f076}' | '\u{f0d8}' => "•".to_owned(),
        // Soft hyphens stand at the ends of lines, where they are seen.
        '\u{ad}' | '\u{2010}' | '\u{2011}' => "-".to_owned(),
        '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}' | '\u{fffd}' | '\u{feff}' => String::new(),
        _ if c.is_control() => String::new(),
        '\u{fb00}'..='\u{fdff}'
        | '\u{fe70}'..='\u{feff}'
        | '\u{ff01}'..='\u{ffee}'
        | '\u{1d400}'..='\u{1d7ff}' => std::iter::once(c).nfkc().collect(),
        '\u{2f00}'..='\u{2fdf}' | '\u{f900}'..='\u{faff}' => std::iter::once(c).nfkc().collect(),
        _ => c.to_string(),
    }
}
