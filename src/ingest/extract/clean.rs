//! Characters as the stored text has them.
//!
//! Composed letters (NFC), plain spaces and line feeds, and nothing that a reader cannot see: control characters,
//! soft hyphens, zero-width spaces, direction marks and the invisible "tag" letters that hide instructions in text.
//! The joiners U+200C and U+200D stay, because Persian, Indic scripts and emoji mean something by them.

use unicode_normalization::{UnicodeNormalization, is_nfc};

/// Words with their line breaks: trailing space and the empty lines around them are dropped.
pub fn clean(raw: &str) -> String {
    let plain = visible(raw);
    let mut out = String::with_capacity(plain.len());
    let mut blank = 0usize;
    for line in plain.lines().map(str::trim_end) {
        if line.is_empty() {
            blank += 1;
            continue;
        }
        if !out.is_empty() {
            // One empty line is a pause; more of them are layout.
            out.push_str(if blank > 0 { "\n\n" } else { "\n" });
        }
        out.push_str(line);
        blank = 0;
    }
    out
}

/// Words on one line, with single spaces.
pub fn clean_line(raw: &str) -> String {
    let plain = visible(raw);
    let mut out = String::with_capacity(plain.len());
    for word in plain.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

fn visible(raw: &str) -> String {
    let kept = raw.replace("\r\n", "\n");
    let kept = kept.chars().filter_map(|c| match c {
        '\n' | '\t' => Some(c),
        '\r' | '\u{2028}' | '\u{2029}' | '\u{85}' => Some('\n'),
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => Some(' '),
        '\u{ad}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{feff}' => None,
        '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{e0000}'..='\u{e007f}' => None,
        _ if c.is_control() => None,
        _ => Some(c),
    });
    let kept: String = kept.collect();
    if is_nfc(&kept) { kept } else { kept.nfc().collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_seen_stays() {
        assert_eq!(clean_line(" a\u{a0}b\u{200b}c \r\n\u{202e}d\u{e0041}\0 "), "a bc d");
        assert_eq!(clean("\n\n  x\t1 \r\ny\n\n\n\nz\n"), "  x\t1\ny\n\nz");
        assert_eq!(clean_line("e\u{301}"), "é");
    }
}
