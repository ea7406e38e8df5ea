//! Rich Text Format: control words and groups in, paragraphs with headings, lists and table rows out.
//!
//! Characters come as `\'xx` in the code page of the font at hand, or as `\uN` with a stand-in that is passed over.
//! Destinations that are no text (fonts, colours, pictures, headers, comments) are left out, as is hidden and deleted
//! text. Groups are a stack with a limit, so deep nesting costs nothing.

mod fonts;
mod tokens;

use std::collections::HashMap;

use encoding_rs::Encoding;

use crate::domain::{Anchor, BlockKind};

use super::{Builder, ExtractError};
use fonts::{of_charset, of_code_page};
use tokens::{Token, tokens};

/// Deepest nesting of groups.
const MAX_DEPTH: usize = 1_000;

/// Reads a rich text.
pub fn extract(bytes: &[u8], out: &mut Builder) -> Result<(), ExtractError> {
    if !bytes.starts_with(b"{\\rtf") {
        return Err(ExtractError::Damaged("rich text"));
    }
    let mut reader = Reader::new(out);
    for token in tokens(bytes) {
        reader.token(token)?;
    }
    reader.end_paragraph()
}

/// What the words of a group are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Destination {
    Body,
    Skip,
    Fonts,
    Styles,
    Title,
    Footnote,
}

#[derive(Clone)]
struct Group {
    destination: Destination,
    /// Characters that stand in for each `\u`.
    stand_in: usize,
    font: i32,
    hidden: bool,
    /// The group began with `\*`: a destination that may be passed over.
    optional: bool,
}

struct Reader<'a, 'b> {
    out: &'a mut Builder<'b>,
    groups: Vec<Group>,
    encoding: &'static Encoding,
    fonts: HashMap<i32, &'static Encoding>,
    /// Heading level of each style.
    styles: HashMap<i32, u8>,
    /// The font or style that is being declared.
    declared: i32,
    declared_name: String,
    /// Title in the document's properties.
    title: String,
    /// Bytes of `\'xx` that are not letters yet, because a letter may have two.
    pending: Vec<u8>,
    /// Half of a letter that `\u` gives in two steps.
    surrogate: Option<u16>,
    /// Stand-ins still to pass over.
    pass: usize,
    words: String,
    notes: Vec<String>,
    note: String,
    heading: Option<u8>,
    in_list: bool,
    in_table: bool,
    cells: Vec<String>,
}

impl<'a, 'b> Reader<'a, 'b> {
    fn new(out: &'a mut Builder<'b>) -> Self {
        Self {
            out,
            groups: vec![Group {
                destination: Destination::Body,
                stand_in: 1,
                font: -1,
                hidden: false,
                optional: false,
            }],
            encoding: encoding_rs::WINDOWS_1252,
            fonts: HashMap::new(),
            styles: HashMap::new(),
            declared: 0,
            declared_name: String::new(),
            title: String::new(),
            pending: Vec::new(),
            surrogate: None,
            pass: 0,
            words: String::new(),
            notes: Vec::new(),
            note: String::new(),
            heading: None,
            in_list: false,
            in_table: false,
            cells: Vec::new(),
        }
    }

    fn group(&mut self) -> Option<&mut Group> {
        self.groups.last_mut()
    }

    fn destination(&self) -> Destination {
        self.groups.last().map_or(Destination::Skip, |group| group.destination)
    }

    fn token(&mut self, token: Token) -> Result<(), ExtractError> {
        match token {
            Token::Byte(_) | Token::Text(_) if self.pass > 0 => self.pass_over(token),
            Token::Byte(byte) => self.pending.push(byte),
            Token::Text(text) => {
                self.letters();
                for &byte in text {
                    if byte >= 0x80 { self.pending.push(byte) } else { self.put(char::from(byte)) }
                }
            }
            Token::Open => {
                self.letters();
                self.pass = 0;
                if self.groups.len() >= MAX_DEPTH {
                    return Err(ExtractError::TooMany { what: "groups within each other", limit: MAX_DEPTH });
                }
                let group = self.groups.last().cloned();
                self.groups.extend(group.map(|group| Group { optional: false, ..group }));
            }
            Token::Close => {
                self.letters();
                self.pass = 0;
                let ended = self.destination();
                if self.groups.len() > 1 {
                    self.groups.pop();
                }
                if ended == Destination::Footnote && self.destination() != Destination::Footnote {
                    self.notes.push(std::mem::take(&mut self.note));
                }
            }
            Token::Word(word, number) => {
                if word != "u" {
                    self.letters();
                }
                return self.word(word, number);
            }
            Token::Symbol(symbol) => {
                if self.pass > 0 {
                    self.pass -= 1;
                    return Ok(());
                }
                self.letters();
                match symbol {
                    b'~' => self.put(' '),
                    b'_' => self.put('-'),
                    b'{' | b'}' | b'\\' => self.put(char::from(symbol)),
                    b'*' => {
                        if let Some(group) = self.group() {
                            group.optional = true;
                        }
                    }
                    b'\n' | b'\r' => self.end_paragraph()?,
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn pass_over(&mut self, token: Token) {
        match token {
            Token::Text(text) => {
                let passed = self.pass.min(text.len());
                self.pass -= passed;
                for &byte in &text[passed..] {
                    self.put(char::from(byte));
                }
            }
            _ => self.pass -= 1,
        }
    }

    /// Turns the bytes that wait into letters of the font at hand.
    fn letters(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let bytes = std::mem::take(&mut self.pending);
        let font = self.groups.last().map_or(-1, |group| group.font);
        let encoding = self.fonts.get(&font).copied().unwrap_or(self.encoding);
        let (text, _) = encoding.decode_without_bom_handling(&bytes);
        text.chars().for_each(|c| self.put(c));
    }

    fn put(&mut self, c: char) {
        let hidden = self.groups.last().is_some_and(|group| group.hidden);
        match self.destination() {
            Destination::Body if !hidden => self.words.push(c),
            Destination::Footnote if !hidden => self.note.push(c),
            Destination::Title => self.title.push(c),
            Destination::Styles if c == ';' => {
                if let Some(level) = heading_style(&self.declared_name) {
                    self.styles.insert(self.declared, level);
                }
                self.declared_name.clear();
            }
            Destination::Styles => self.declared_name.push(c),
            _ => {}
        }
    }

    fn word(&mut self, word: &str, number: Option<i32>) -> Result<(), ExtractError> {
        if let Some(destination) = destination(word) {
            let already = self.destination();
            // The title stands within the properties, which are no text themselves.
            let may = already != Destination::Skip || destination == Destination::Title;
            if let (true, Some(group)) = (may, self.group()) {
                group.destination = destination;
                group.optional = false;
            }
            return Ok(());
        }
        if self.groups.last().is_some_and(|group| group.optional) {
            // A destination of which nothing is known; the words of a list's mark say that here is an item.
            self.in_list |= word == "pn" || word == "pntext";
            if let Some(group) = self.group() {
                group.destination = Destination::Skip;
            }
            return Ok(());
        }
        let on = number != Some(0);
        match (self.destination(), word) {
            (_, "u") => self.unicode(number.unwrap_or(0)),
            (_, "uc") => {
                let count = usize::try_from(number.unwrap_or(1)).unwrap_or(1);
                if let Some(group) = self.group() {
                    group.stand_in = count.min(8);
                }
            }
            (_, "ansicpg") => self.encoding = of_code_page(number.unwrap_or(1252)).unwrap_or(self.encoding),
            (_, "mac") => self.encoding = encoding_rs::MACINTOSH,
            (Destination::Fonts, "f") => self.declared = number.unwrap_or(0),
            (Destination::Fonts, "fcharset") => {
                if let Some(encoding) = of_charset(number.unwrap_or(0)) {
                    self.fonts.insert(self.declared, encoding);
                }
            }
            (Destination::Styles, "s") => self.declared = number.unwrap_or(0),
            (Destination::Body | Destination::Footnote, _) => return self.format(word, number, on),
            _ => {}
        }
        Ok(())
    }

    /// A control word within text.
    fn format(&mut self, word: &str, number: Option<i32>, on: bool) -> Result<(), ExtractError> {
        let of_paragraph = matches!(word, "pard" | "intbl" | "s" | "outlinelevel" | "ls");
        if of_paragraph && self.destination() == Destination::Footnote {
            return Ok(());
        }
        match word {
            "f" => {
                if let Some(group) = self.group() {
                    group.font = number.unwrap_or(-1);
                }
            }
            "plain" => {
                if let Some(group) = self.group() {
                    group.hidden = false;
                }
            }
            "v" | "deleted" => {
                if let Some(group) = self.group() {
                    group.hidden = on;
                }
            }
            "par" | "sect" | "page" if self.destination() == Destination::Footnote => self.note.push(' '),
            "par" | "sect" | "page" if self.in_table => self.words.push(' '),
            "par" | "sect" | "page" => self.end_paragraph()?,
            "pard" => (self.heading, self.in_list, self.in_table) = (None, false, false),
            "intbl" => self.in_table = true,
            "s" => self.heading = self.styles.get(&number.unwrap_or(0)).copied(),
            "outlinelevel" => {
                let level = number.and_then(|n| u8::try_from(n).ok()).filter(|&n| n < 9);
                self.heading = level.map(|n| n + 1).or(self.heading);
            }
            "ls" => self.in_list = true,
            "cell" | "nestcell" => {
                let cell = std::mem::take(&mut self.words);
                self.cells.push(cell.split_whitespace().collect::<Vec<_>>().join(" "));
            }
            "row" | "nestrow" => self.end_row()?,
            "line" => self.put('\n'),
            "tab" => self.put('\t'),
            "emdash" => self.put('—'),
            "endash" => self.put('–'),
            "lquote" => self.put('‘'),
            "rquote" => self.put('’'),
            "ldblquote" => self.put('“'),
            "rdblquote" => self.put('”'),
            "bullet" => self.put('•'),
            "emspace" | "enspace" | "qmspace" => self.put(' '),
            _ => {}
        }
        Ok(())
    }

    fn unicode(&mut self, number: i32) {
        self.letters();
        self.pass = self.groups.last().map_or(1, |group| group.stand_in);
        // Numbers are written as signed 16-bit ones, and letters beyond those as two.
        let unit = (number & 0xffff) as u16;
        let high = self.surrogate.take();
        match (high, unit) {
            (_, 0xd800..=0xdbff) => self.surrogate = Some(unit),
            (Some(high), 0xdc00..=0xdfff) => {
                let letter = char::decode_utf16([high, unit]).next().and_then(Result::ok);
                self.put(letter.unwrap_or('\u{fffd}'));
            }
            _ => self.put(char::from_u32(u32::from(unit)).unwrap_or('\u{fffd}')),
        }
    }

    fn end_row(&mut self) -> Result<(), ExtractError> {
        let cells = std::mem::take(&mut self.cells);
        self.words.clear();
        match cells.as_slice() {
            [] => Ok(()),
            [only] => self.out.line(BlockKind::Paragraph, only, Anchor::default()),
            _ if cells.iter().all(String::is_empty) => Ok(()),
            _ => self.out.line(BlockKind::TableRow, &cells.join(" | "), Anchor::default()),
        }
    }

    fn end_paragraph(&mut self) -> Result<(), ExtractError> {
        self.letters();
        if !self.title.is_empty() {
            self.out.title(&std::mem::take(&mut self.title));
        }
        let words = std::mem::take(&mut self.words);
        if !words.trim().is_empty() {
            match self.heading {
                Some(level) => {
                    if level == 1 {
                        self.out.title(&words);
                    }
                    self.out.line(BlockKind::Heading(level), &words, Anchor::default())?;
                }
                None if self.in_list => {
                    let words = words.trim_start().trim_start_matches(['•', '·', '-']).trim_start();
                    self.out.line(BlockKind::ListItem, &format!("- {words}"), Anchor::default())?;
                }
                None => self.out.lines(BlockKind::Paragraph, &words, Anchor::default())?,
            }
        }
        for note in std::mem::take(&mut self.notes) {
            self.out.line(BlockKind::Paragraph, &note, Anchor::default())?;
        }
        Ok(())
    }
}

fn destination(word: &str) -> Option<Destination> {
    Some(match word {
        "fonttbl" => Destination::Fonts,
        "stylesheet" => Destination::Styles,
        "title" => Destination::Title,
        "footnote" => Destination::Footnote,
        "fldrslt" | "shptxt" | "shprslt" => Destination::Body,
        "colortbl" | "info" | "pict" | "header" | "headerl" | "headerr" | "headerf" | "footer"
        | "footerl" | "footerr" | "footerf" | "object" | "fldinst" | "listtext" | "pntext" | "annotation"
        | "xe" | "tc" | "filetbl" | "revtbl" | "listtable" | "listoverridetable" | "author" | "operator"
        | "comment" | "doccomm" | "company" | "manager" | "category" | "keywords" | "subject" | "creatim"
        | "revtim" | "printim" | "buptim" | "nonesttables" | "ftnsep" | "ftnsepc" | "bkmkstart"
        | "bkmkend" => Destination::Skip,
        _ => return None,
    })
}

/// `heading 2` is 2, whatever the language of the program: the built-in names are English.
fn heading_style(name: &str) -> Option<u8> {
    let name = name.trim().to_ascii_lowercase();
    if name == "title" {
        return Some(1);
    }
    let level = name.strip_prefix("heading")?.trim().parse().ok()?;
    (1..=9).contains(&level).then_some(level)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{read, shown};
    use super::*;
    use crate::domain::MediaType::Rtf;

    fn check(source: &str, blocks: &[&str]) {
        assert_eq!(shown(&read(source, Rtf).unwrap()), blocks);
    }

    #[test]
    fn words_come_in_any_code_page_and_structure_stays() {
        check(
            r"{\rtf1\ansi\ansicpg1252\uc1{\fonttbl{\f0\fcharset0 Arial;}{\f1\fcharset204 Arial;}}{\stylesheet{\s1 heading 1;}}{\*\generator X;}
\pard\s1 Gl\'e4ser\par\pard\plain Caf\u233?s \{open\} {\f1 \'cf\'f0} \u-10179?\u-8704? end.{\v hidden}\par
\pard\ls1{\listtext\'b7\tab}first\par\pard Note{\*\footnote\chftn\pard It dries.} here\par\trowd\intbl a\cell b\cell\row\pard{\pict ffd8}last}",
            &[
                "h1 Gläser",
                "p Cafés {open} Пр 😀 end.",
                "li - first",
                "p Note here",
                "p It dries.",
                "tr a | b",
                "p last",
            ],
        );
    }

    #[test]
    fn nothing_breaks_it() {
        let deep = format!("{{\\rtf1 {}x", "{".repeat(100_000));
        assert!(matches!(read(deep, Rtf), Err(ExtractError::TooMany { .. })));
        for source in
            ["{\\rtf", "{\\rtf1}}}}}x", "{\\rtf1 \\'", "{\\rtf1 \\u99999999999 x", "{\\rtf1\\bin99999 x"]
        {
            let _ = read(source, Rtf);
        }
        assert_eq!(read("text", Rtf), Err(ExtractError::Damaged("rich text")));
    }
}
