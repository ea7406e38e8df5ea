//! The small language in which `assets/routing` says how turns are recognised, and its matcher. Pure.
//!
//! Words are lower case without accents and apostrophes; `(a|b c)` one of these, `x?` perhaps, `x*` a beginning, `..`
//! up to four words, `^` and `$` the ends. All places of a turn at which a pattern may stand are followed at once, as
//! bits of one number, so that thousands of patterns cost microseconds.

use std::collections::HashMap;

use crate::index::analyze::{fold, words};

/// Words of a turn that are looked at; bits of a `u128` less the place behind the last.
const MOST_WORDS: usize = 120;

/// Words that `..` steps over.
const GAP: u32 = 4;

/// One pattern, its words as numbers of a [`Vocabulary`].
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern(Vec<Item>);

#[derive(Debug, Clone, PartialEq)]
enum Item {
    Word(usize),
    /// One of these sequences.
    Any(Vec<Vec<Item>>),
    Maybe(Vec<Item>),
    Gap,
    Start,
    End,
}

/// The words of all patterns.
#[derive(Debug, Default)]
pub struct Vocabulary {
    numbers: HashMap<String, usize>,
    /// Beginnings of words, with their numbers.
    beginnings: Vec<(String, usize)>,
    count: usize,
}

/// A word of a turn and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub text: String,
    pub start: usize,
    pub end: usize,
}

/// The words of a text as patterns see them. A word that counts as several (`WooCommerce`) stands several times.
pub fn tokens(text: &str) -> Vec<Token> {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '\'' | '\u{2019}' | '_');
    let mut found = Vec::new();
    let mut push = |start: usize, end: usize| {
        let words = words(&text[start..end]).into_iter();
        found.extend(words.map(|word| Token { text: fold(&word.text), start, end }));
    };
    let mut begin = None;
    for (at, c) in text.char_indices() {
        match (is_part(c), begin) {
            (true, None) => begin = Some(at),
            (false, Some(start)) => {
                push(start, at);
                begin = None;
            }
            _ => {}
        }
    }
    if let Some(start) = begin {
        push(start, text.len());
    }
    found
}

/// A turn, ready to be matched: for each word of the vocabulary the places where it stands.
pub struct Turn {
    places: Vec<u128>,
    pub length: usize,
}

impl Turn {
    /// `range` is within `tokens`.
    pub fn of(vocabulary: &Vocabulary, tokens: &[Token]) -> Self {
        let mut places = vec![0; vocabulary.count];
        for (at, token) in tokens.iter().take(MOST_WORDS).enumerate() {
            if let Some(&number) = vocabulary.numbers.get(&token.text) {
                places[number] |= 1 << at;
            }
            for (beginning, number) in &vocabulary.beginnings {
                if token.text.starts_with(beginning.as_str()) {
                    places[*number] |= 1 << at;
                }
            }
        }
        Self { places, length: tokens.len().min(MOST_WORDS) }
    }

    /// Whether `pattern` stands anywhere.
    pub fn holds(&self, pattern: &Pattern) -> bool {
        self.follow(&pattern.0, self.all()) != 0
    }

    /// Where the longest match that begins at `start` ends.
    pub fn end_of(&self, pattern: &Pattern, start: usize) -> Option<usize> {
        let ends = self.follow(&pattern.0, 1 << start);
        (ends >> start > 1).then(|| 127 - ends.leading_zeros() as usize)
    }

    /// Places 0 to the one behind the last word.
    fn all(&self) -> u128 {
        u128::MAX >> (127 - self.length)
    }

    /// The places behind `items` for all places before them.
    fn follow(&self, items: &[Item], mut places: u128) -> u128 {
        for item in items {
            places = match item {
                Item::Word(number) => (places & self.places[*number]) << 1,
                Item::Any(choices) => choices.iter().fold(0, |all, choice| all | self.follow(choice, places)),
                Item::Maybe(items) => places | self.follow(items, places),
                Item::Gap => (0..=GAP).fold(0, |all, width| all | places << width) & self.all(),
                Item::Start => places & 1,
                Item::End => places & 1 << self.length,
            };
            if places == 0 {
                return 0;
            }
        }
        places
    }
}

impl Vocabulary {
    /// Reads a pattern and learns its words. What is wrong with it is told to whoever writes patterns, by a test.
    pub fn read(&mut self, line: &str) -> Result<Pattern, String> {
        let mut rest = line.trim();
        let items = self.sequence(&mut rest)?;
        match (rest.is_empty(), items.is_empty()) {
            (true, false) => Ok(Pattern(items)),
            _ => Err(format!("`{line}` cannot be read at `{rest}`")),
        }
    }

    fn sequence(&mut self, rest: &mut &str) -> Result<Vec<Item>, String> {
        let mut items = Vec::new();
        loop {
            *rest = rest.trim_start();
            let item = match rest.chars().next() {
                None | Some('|' | ')') => return Ok(items),
                Some('^') => take(rest, 1, Item::Start),
                Some('$') => take(rest, 1, Item::End),
                Some('(') => self.group(rest)?,
                Some(_) if rest.starts_with("..") => take(rest, 2, Item::Gap),
                Some(_) => self.word(rest)?,
            };
            let maybe = rest.strip_prefix('?');
            *rest = maybe.unwrap_or(rest);
            items.push(if maybe.is_some() { Item::Maybe(vec![item]) } else { item });
        }
    }

    fn group(&mut self, rest: &mut &str) -> Result<Item, String> {
        let mut choices = Vec::new();
        loop {
            // The bracket or the bar.
            *rest = &rest[1..];
            choices.push(self.sequence(rest)?);
            match rest.chars().next() {
                Some('|') => {}
                Some(')') => {
                    *rest = &rest[1..];
                    return Ok(Item::Any(choices));
                }
                _ => return Err("a bracket is not closed".into()),
            }
        }
    }

    fn word(&mut self, rest: &mut &str) -> Result<Item, String> {
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '+' && c != '#').unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        if word.is_empty() || fold(word) != word {
            return Err(format!("`{word}` is not a word as patterns see it, before `{after}`"));
        }
        let beginning = after.strip_prefix('*');
        *rest = beginning.unwrap_or(after);
        let count = &mut self.count;
        let mut new = || {
            *count += 1;
            *count - 1
        };
        if beginning.is_none() {
            return Ok(Item::Word(*self.numbers.entry(word.to_owned()).or_insert_with(new)));
        }
        let known =
            self.beginnings.iter().find(|(beginning, _)| beginning == word).map(|(_, number)| *number);
        let number = known.unwrap_or_else(|| {
            let number = new();
            self.beginnings.push((word.to_owned(), number));
            number
        });
        Ok(Item::Word(number))
    }
}

fn take(rest: &mut &str, length: usize, item: Item) -> Item {
    *rest = &rest[length..];
    item
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, text: &str, expected: bool) {
        let mut vocabulary = Vocabulary::default();
        let pattern = vocabulary.read(pattern).unwrap();
        assert_eq!(Turn::of(&vocabulary, &tokens(text)).holds(&pattern), expected, "{text}");
    }

    #[test]
    fn patterns_mean_what_they_say() {
        check("talk to (a|an)? human", "Can I talk to a human?", true);
        check("talk to (a|an)? human", "Talk to human", true);
        check("talk to (a|an)? human", "talk to a nice human", false);
        check("talk .. human", "talk to some nice human", true);
        check("talk .. human", "talk to one of the more nice humans or human", false);
        check("^ refund* $", "Refunds?", true);
        check("^ refund* $", "my refunds", false);
        check("(waste of (time|money) $)", "it is a waste of money", true);
        check("(waste of (time|money) $)", "a waste of money to her", false);
        check("acces", "Combien de temps ai-je l'accès ?", true);
        check("(now|$)", "now or never", true);
        check("i want (now|$)", "that is what I want", true);
    }

    #[test]
    fn the_longest_match_from_a_place_is_found() {
        let mut vocabulary = Vocabulary::default();
        let pattern = vocabulary.read("see you (later|soon)?").unwrap();
        let turn = Turn::of(&vocabulary, &tokens("ok see you soon then"));
        assert_eq!((turn.end_of(&pattern, 1), turn.end_of(&pattern, 0)), (Some(4), None));
    }

    #[test]
    fn long_and_empty_turns_are_matched_as_far_as_they_are_looked_at() {
        check("end $", &format!("{}end", "word ".repeat(500)), false);
        check("word", &"word ".repeat(500), true);
        check("word", "", false);
        check("$", "", true);
    }

    #[test]
    fn what_is_no_pattern_is_told() {
        for wrong in ["(a|b", "a)", "", "Über", "dont' x"] {
            assert!(Vocabulary::default().read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn tokens_keep_their_places() {
        let text = "Où j'ai WooCommerce?";
        let all: Vec<(String, &str)> =
            tokens(text).into_iter().map(|token| (token.text, &text[token.start..token.end])).collect();
        let expected = [
            ("ou", "Où"),
            ("ai", "j'ai"),
            ("woocommerce", "WooCommerce"),
            ("woo", "WooCommerce"),
            ("commerce", "WooCommerce"),
        ];
        assert_eq!(all, expected.map(|(word, place)| (word.to_owned(), place)));
    }
}
