//! What the content holds: which words stand together in a section, so that a question can be known to have no answer.

use std::collections::{HashMap, HashSet};

use super::material::Section;
use crate::index::analyze::{Language, terms};

/// Words of the content and where they stand.
pub struct Held {
    /// Sections that hold a term, in order.
    places: HashMap<String, Vec<u32>>,
    /// Words as they are written in small letters somewhere.
    small: HashSet<String>,
    /// Words that are written with a capital where none is needed.
    names: HashSet<String>,
    /// The whole content in small letters, for wordings that are no terms (`lesson 9`).
    whole: String,
}

impl Held {
    pub fn of(sections: &[Section]) -> Self {
        let mut held = Self {
            places: HashMap::new(),
            small: HashSet::new(),
            names: HashSet::new(),
            whole: String::new(),
        };
        for (place, section) in (0u32..).zip(sections) {
            let title = section.source.title.as_str();
            let headings = section.headings.iter().map(String::as_str);
            for text in headings.chain([title]).chain(section.statements()) {
                for term in terms(text, section.source.language) {
                    let places = held.places.entry(term).or_default();
                    if places.last() != Some(&place) {
                        places.push(place);
                    }
                }
                let words = text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty());
                held.small
                    .extend(words.filter(|word| word.starts_with(char::is_lowercase)).map(str::to_owned));
                let mut before = ".";
                for word in text.split_whitespace() {
                    let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
                    let begins =
                        before.ends_with(['.', ':', '!', '?', '"', '“', '*', '-']) || word.starts_with('*');
                    if bare.starts_with(char::is_uppercase) && !begins {
                        held.names.insert(bare.to_owned());
                    }
                    before = word;
                }
                held.whole.push_str(&text.to_lowercase());
                held.whole.push('\n');
            }
        }
        held
    }

    /// Whether one section holds all terms of `text`.
    pub fn together(&self, text: &str, language: Language) -> bool {
        let mut rest: Option<Vec<u32>> = None;
        for term in terms(text, language) {
            let Some(places) = self.places.get(&term) else { return false };
            rest = Some(match rest {
                None => places.clone(),
                Some(rest) => rest.into_iter().filter(|place| places.binary_search(place).is_ok()).collect(),
            });
        }
        rest.is_none_or(|rest| !rest.is_empty())
    }

    /// Whether the content writes this word in small letters: then a capital at a sentence's start means nothing.
    pub fn is_small(&self, word: &str) -> bool {
        self.small.contains(&word.to_lowercase())
    }

    /// Whether the content writes this word with a capital in the middle of a sentence.
    pub fn is_name(&self, word: &str) -> bool {
        self.names.contains(word.trim_matches(|c: char| !c.is_alphanumeric()))
    }

    /// Whether these very words stand anywhere, whole.
    pub fn says(&self, words: &str) -> bool {
        let words = words.to_lowercase();
        self.whole.match_indices(&words).any(|(at, _)| {
            let before = self.whole[..at].chars().next_back();
            let after = self.whole[at + words.len()..].chars().next();
            let ends = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
            ends(before) && ends(after)
        })
    }
}
