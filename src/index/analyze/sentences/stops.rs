//! Which stop ends a sentence.
//!
//! Chinese and Japanese stops end at once; `.`, `!` and `?` end before white space and something that does not begin
//! small. Full stops after abbreviations, initials, numbers of a list and German ordinals end nothing.

use std::ops::Range;

use super::abbreviations::{AFTER_ORDINAL, is_abbreviation, is_before_number};
use crate::index::analyze::Language;

/// The sentences of one paragraph as ranges that follow each other without a gap, white space included.
pub fn sentences(paragraph: &str, language: Language) -> Vec<Range<usize>> {
    let mut sentences = Vec::new();
    let (mut start, mut at) = (0, 0);
    while let Some(found) = paragraph[at..].find(is_stop) {
        let place = at + found;
        let mark = paragraph[place..].chars().next().unwrap_or('.');
        // A row of stops and what it closes belong to the sentence: `?!`, `...”`.
        at = place + run(&paragraph[place..], is_stop);
        at += run(&paragraph[at..], is_closer);
        let rest = &paragraph[at..];
        if rest.is_empty() || is_wide(mark) || (rest.starts_with(char::is_whitespace) && begins(rest)) {
            let before = &paragraph[start..place];
            if mark != '.' || rest.is_empty() || !is_part_of_word(before, rest.trim_start(), language) {
                sentences.push(start..at);
                start = at;
            }
        }
    }
    if start < paragraph.len() {
        sentences.push(start..paragraph.len());
    }
    sentences
}

/// Closing quotes, brackets and emphasis.
pub fn is_closer(c: char) -> bool {
    matches!(c, '"' | '\'' | '”' | '’' | '»' | ')' | ']' | '」' | '』' | '）' | '】' | '*')
}

fn is_stop(c: char) -> bool {
    is_wide(c) || matches!(c, '.' | '!' | '?' | '…' | '؟' | '۔' | '।')
}

/// Stops that no space needs to follow.
fn is_wide(c: char) -> bool {
    matches!(c, '。' | '！' | '？' | '｡')
}

fn run(text: &str, is_in: impl Fn(char) -> bool) -> usize {
    text.find(|c| !is_in(c)).unwrap_or(text.len())
}

/// Whether what follows a stop can begin a sentence.
fn begins(rest: &str) -> bool {
    !rest.trim_start().starts_with(char::is_lowercase)
}

/// Whether the full stop between `before` and `after` belongs to an abbreviation, an initial or a number.
fn is_part_of_word(before: &str, after: &str, language: Language) -> bool {
    let opens = |c: char| c.is_whitespace() || matches!(c, '(' | '[' | '"' | '“' | '„' | '/');
    let word = before.rsplit(opens).next().unwrap_or_default();
    let next: String = after.chars().take_while(|c| c.is_alphanumeric()).collect();
    let before_number = next.starts_with(|c: char| c.is_ascii_digit());
    let is_number = !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit());
    if is_number {
        let is_item = word.len() == before.trim_start().len();
        let is_ordinal = word.len() <= 2
            && language == Language::of_code("de")
            && AFTER_ORDINAL.contains(&next.to_lowercase().as_str());
        return is_item || is_ordinal;
    }
    // `J. Doe`, `U.S. Army`, but `vitamin C. It helps.`: a function word begins a sentence, another initial does not.
    let is_initials = word.split('.').all(|part| {
        let mut letters = part.chars();
        letters.next().is_some_and(char::is_uppercase) && letters.next().is_none()
    });
    let is_initial_next = next.chars().count() == 1 && after[next.len()..].starts_with('.');
    if is_initials {
        return is_initial_next || !language.is_stop_word(&next.to_lowercase());
    }
    let word = word.to_lowercase();
    is_abbreviation(&word, language) || (before_number && is_before_number(&word))
}
