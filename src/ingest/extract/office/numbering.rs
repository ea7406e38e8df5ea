//! Numbers of Word's lists: which paragraphs are bullets or numbers, and which number comes next.
//!
//! Read from `numbering.xml`; asked by `docx.rs` for each paragraph that is part of a list.

use std::collections::HashMap;
use std::io::BufRead;

use crate::ingest::extract::ExtractError;
use crate::ingest::extract::xml::{Event, Xml};

/// Levels that a list of Word has.
const LEVELS: usize = 9;

/// The lists of a document, with how far each has counted.
#[derive(Default)]
pub struct Numbering {
    /// Formats of the levels of each abstract list.
    formats: HashMap<String, [Format; LEVELS]>,
    /// The abstract list of each list.
    lists: HashMap<String, String>,
    counted: HashMap<String, [u32; LEVELS]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Format {
    #[default]
    Bullet,
    None,
    Decimal,
    Letter {
        upper: bool,
    },
    Roman {
        upper: bool,
    },
}

impl Numbering {
    pub fn read(mut xml: Xml<impl BufRead>) -> Result<Self, ExtractError> {
        let mut this = Self::default();
        let (mut list, mut level, mut is_abstract) = (String::new(), 0, false);
        while let Some(event) = xml.next()? {
            let Event::Open(open) = event else { continue };
            match open.name.as_str() {
                "abstractNum" => (list, is_abstract) = (open.attr("abstractNumId").unwrap_or_default(), true),
                "num" => (list, is_abstract) = (open.attr("numId").unwrap_or_default(), false),
                "lvl" => level = open.attr("ilvl").and_then(|n| n.parse().ok()).unwrap_or(0),
                "numFmt" if is_abstract && level < LEVELS => {
                    let levels = this.formats.entry(list.clone()).or_default();
                    levels[level] = format(&open.attr("val").unwrap_or_default());
                }
                "abstractNumId" if !is_abstract => {
                    this.lists.insert(list.clone(), open.attr("val").unwrap_or_default());
                }
                _ => {}
            }
        }
        Ok(this)
    }

    /// What stands before the next paragraph of this list: `- `, `3. `, or nothing when it is no list.
    pub fn mark(&mut self, list: &str, level: usize) -> Option<String> {
        if list == "0" {
            return None;
        }
        let level = level.min(LEVELS - 1);
        let of = self.lists.get(list).map_or(list, String::as_str);
        let format = self.formats.get(of).map_or(Format::Bullet, |levels| levels[level]);
        let counted = self.counted.entry(list.to_owned()).or_default();
        counted[level] = counted[level].saturating_add(1);
        counted[level + 1..].fill(0);
        let number = counted[level];
        match format {
            Format::None => None,
            Format::Bullet => Some("- ".to_owned()),
            Format::Decimal => Some(format!("{number}. ")),
            Format::Letter { upper } => Some(format!("{}. ", cased(letters(number), upper))),
            Format::Roman { upper } => Some(format!("{}. ", cased(roman(number), upper))),
        }
    }
}

fn format(name: &str) -> Format {
    match name {
        "bullet" => Format::Bullet,
        "none" => Format::None,
        "lowerLetter" => Format::Letter { upper: false },
        "upperLetter" => Format::Letter { upper: true },
        "lowerRoman" => Format::Roman { upper: false },
        "upperRoman" => Format::Roman { upper: true },
        _ => Format::Decimal,
    }
}

fn cased(words: String, upper: bool) -> String {
    if upper { words.to_uppercase() } else { words }
}

/// a, b, … z, aa, bb, as Word counts.
fn letters(number: u32) -> String {
    let at = number.saturating_sub(1);
    let letter = char::from(b'a' + (at % 26) as u8);
    std::iter::repeat_n(letter, (at / 26 + 1).min(9) as usize).collect()
}

fn roman(number: u32) -> String {
    const SIGNS: [(u32, &str); 13] = [
        (1000, "m"),
        (900, "cm"),
        (500, "d"),
        (400, "cd"),
        (100, "c"),
        (90, "xc"),
        (50, "l"),
        (40, "xl"),
        (10, "x"),
        (9, "ix"),
        (5, "v"),
        (4, "iv"),
        (1, "i"),
    ];
    if number >= 4000 {
        return number.to_string();
    }
    let (mut rest, mut words) = (number, String::new());
    for (value, sign) in SIGNS {
        while rest >= value {
            words.push_str(sign);
            rest -= value;
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_count_and_begin_again_below() {
        let xml = "<n><abstractNum abstractNumId='7'><lvl ilvl='0'><numFmt val='decimal'/></lvl>\
                   <lvl ilvl='1'><numFmt val='lowerLetter'/></lvl><lvl ilvl='2'><numFmt val='upperRoman'/></lvl></abstractNum>\
                   <num numId='1'><abstractNumId val='7'/></num></n>";
        let mut lists = Numbering::read(Xml::new(xml.as_bytes(), "x")).unwrap();
        let marks: Vec<_> =
            [0, 1, 1, 0, 1, 2, 2].iter().map(|&level| lists.mark("1", level).unwrap()).collect();
        assert_eq!(marks, ["1. ", "a. ", "b. ", "2. ", "a. ", "I. ", "II. "]);
        assert_eq!((lists.mark("0", 0), lists.mark("9", 99)), (None, Some("- ".to_owned())));
        assert_eq!((letters(28).as_str(), roman(1994).as_str()), ("bb", "mcmxciv"));
    }
}
