//! Text -> WordPiece token numbers, as uncased BERT models cut text (Devlin et al. 2018, `BertTokenizer`).
//!
//! In: a vocabulary, one token a line, and text of any script. Out: numbers without `[CLS]` and `[SEP]`.
//! `static_table.rs` calls it; models that bring a `tokenizer.json` use the `tokenizers` crate instead. It gives
//! the same numbers as that crate (a fixture proves it), with one wanted difference: the letters `[SEP]` inside a
//! text are ordinary text here, so that a document cannot write control tokens.

use std::collections::HashMap;

use unicode_categories::UnicodeCategories;
use unicode_normalization::UnicodeNormalization;

/// Longer words are unknown; the limit of BERT's own tokenizer.
const LONGEST_WORD: usize = 100;

/// A vocabulary, ready to cut text with.
pub struct WordPiece {
    /// Tokens that begin a word.
    first: HashMap<Box<str>, u32>,
    /// Tokens that go on within a word, without their `##`.
    next: HashMap<Box<str>, u32>,
    unknown: u32,
    /// Bytes of the longest token: longer pieces need no look-up.
    longest: usize,
}

impl WordPiece {
    /// Takes the tokens in the order of their numbers; `None` if `[UNK]` is not among them.
    pub fn new<'a>(tokens: impl Iterator<Item = &'a str>) -> Option<Self> {
        let (mut first, mut next, mut longest) = (HashMap::new(), HashMap::new(), 0);
        for (token, id) in tokens.zip(0u32..) {
            let token = token.trim_end();
            match token.strip_prefix("##").filter(|rest| !rest.is_empty()) {
                Some(rest) => next.insert(rest.into(), id),
                None => first.insert(token.into(), id),
            };
            longest = longest.max(token.len());
        }
        let unknown = *first.get("[UNK]")?;
        Some(Self { first, next, unknown, longest })
    }

    /// The token numbers of a text.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        let mut ids = Vec::with_capacity(text.len() / 4);
        let mut word = String::new();
        if text.is_ascii() {
            for c in text.chars().filter(|&c| !dropped(c)) {
                self.take(c.to_ascii_lowercase(), &mut word, &mut ids);
            }
        } else {
            let spaced = text.chars().filter(|&c| !dropped(c)).flat_map(|c| {
                let space = is_chinese(c).then_some(' ');
                space.into_iter().chain([c]).chain(space)
            });
            for c in spaced.nfd().filter(|c| !c.is_mark_nonspacing()).flat_map(char::to_lowercase) {
                self.take(c, &mut word, &mut ids);
            }
        }
        self.end_word(&mut word, &mut ids);
        ids
    }

    /// Adds a character to the word being read, or ends that word.
    fn take(&self, c: char, word: &mut String, ids: &mut Vec<u32>) {
        if c.is_whitespace() {
            self.end_word(word, ids);
        } else if c.is_ascii_punctuation() || c.is_punctuation() {
            self.end_word(word, ids);
            word.push(c);
            self.end_word(word, ids);
        } else {
            word.push(c);
        }
    }

    /// Cuts a word into the longest known pieces from the left; one piece that is unknown makes all of it unknown.
    fn end_word(&self, word: &mut String, ids: &mut Vec<u32>) {
        if word.is_empty() {
            return;
        }
        let before = ids.len();
        let mut rest = word.as_str();
        if word.len() > LONGEST_WORD && word.chars().count() > LONGEST_WORD {
            ids.push(self.unknown);
            rest = "";
        }
        while !rest.is_empty() {
            let known = if rest.len() == word.len() { &self.first } else { &self.next };
            let mut end = rest.floor_char_boundary(self.longest);
            let found = loop {
                if let Some(&id) = known.get(&rest[..end]) {
                    break Some(id);
                }
                match rest[..end].char_indices().next_back() {
                    Some((shorter, _)) if shorter > 0 => end = shorter,
                    _ => break None,
                }
            };
            let Some(id) = found else {
                ids.truncate(before);
                ids.push(self.unknown);
                break;
            };
            ids.push(id);
            rest = &rest[end..];
        }
        word.clear();
    }
}

/// Characters that BERT removes before anything else: NUL, the replacement character, controls, formats, private use.
fn dropped(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' => false,
        '\0' | '\u{fffd}' => true,
        _ if c.is_ascii() => c.is_ascii_control(),
        _ => c.is_other(),
    }
}

/// Ideographs stand alone, without spaces around them in the text. The ranges are those of BERT's tokenizer as the
/// `tokenizers` crate has them, gap at U+2B820 included: the tables are trained on its output.
fn is_chinese(c: char) -> bool {
    matches!(u32::from(c),
        0x4E00..=0x9FFF | 0x3400..=0x4DBF | 0x20000..=0x2A6DF | 0x2A700..=0x2B73F | 0x2B740..=0x2B81F
        | 0x2B920..=0x2CEAF | 0xF900..=0xFAFF | 0x2F800..=0x2FA1F)
}

#[cfg(test)]
mod tests {
    use super::*;

    const VOCABULARY: &str = "[PAD]\n[UNK]\nre\n##fun\n##d\n##s\nhow\n!\n'\ncafe\n学\n生\n##x";

    fn check(text: &str, expected: &[u32]) {
        let pieces = WordPiece::new(VOCABULARY.lines()).expect("[UNK] is there");
        assert_eq!(pieces.encode(text), expected, "{text:?}");
    }

    #[test]
    fn cuts_words_into_the_longest_known_pieces() {
        check("", &[]);
        check(" \t\r\n", &[]);
        check("Refunds", &[2, 3, 4, 5]);
        check("HOW!!", &[6, 7, 7]);
        check("re're", &[2, 8, 2]);
        check("rez", &[1]);
        check("Café cafe\u{301}", &[9, 9]);
        check("学生x学", &[10, 11, 1, 10]);
        check("ho\u{0}w ho\u{200b}w", &[6, 6]);
        check("[SEP]", &[1, 1, 1]);
        check(&"re".repeat(60), &[1]);
    }

    #[test]
    fn needs_the_unknown_token() {
        assert!(WordPiece::new("a\nb".lines()).is_none());
    }
}
