//! The hard facts of a sentence: numbers, names, addresses and code. Each must stand in what the sentence cites.
//!
//! Comes in: a sentence of an answer and the texts it cites. Goes out: the facts that they lack. Pure. How well the
//! texts bear out the rest of the sentence is [`verify`](super::verify); a sentence that lacks a fact is not shown
//! however well the rest is borne out.

use std::collections::HashSet;

use crate::index::analyze::{Language, fold};

/// Facts of `sentence` that no text of `evidence` holds.
pub fn missing(sentence: &str, evidence: &[&str], language: Language) -> Vec<String> {
    let plain: Vec<String> = evidence.iter().map(|text| squeezed(text)).collect();
    let is_quoted = |words: &str| plain.iter().any(|text| text.contains(&squeezed(words)));
    let (code, rest) = without_code(sentence);
    let mut missing: Vec<String> = code.into_iter().filter(|code| !is_quoted(code)).collect();
    let mut words = String::new();
    for token in rest.split_whitespace() {
        let bare = token.trim_matches(|c: char| !c.is_alphanumeric() && c != '/');
        if is_address(bare) {
            if !is_quoted(bare) {
                missing.push(bare.to_owned());
            }
        } else {
            words.push_str(token);
            words.push(' ');
        }
    }
    let known: HashSet<String> = evidence.iter().flat_map(|text| tokens(text)).map(number_or_word).collect();
    let holds = |token: &str| {
        let word = number_or_word(token);
        let base = word.strip_suffix('s').unwrap_or(&word);
        known.contains(&word) || known.contains(base) || known.contains(&format!("{word}s"))
    };
    let list: Vec<&str> = tokens(&words).collect();
    for (at, token) in list.iter().enumerate() {
        let is_fact = is_number(token) || is_name(&list, at, language);
        if is_fact && !holds(token) {
            missing.push((*token).to_owned());
        }
    }
    missing
}

/// White space as single blanks.
fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What stands between backticks, and the rest.
fn without_code(sentence: &str) -> (Vec<String>, String) {
    let (mut code, mut rest) = (Vec::new(), String::new());
    for (at, part) in sentence.split('`').enumerate() {
        if at % 2 == 0 {
            rest.push_str(part);
        } else if !part.trim().is_empty() {
            code.push(part.to_owned());
        }
        rest.push(' ');
    }
    (code, rest)
}

/// An address of the web or of e-mail.
fn is_address(token: &str) -> bool {
    token.contains("://") || token.starts_with("www.") || (token.contains('@') && token.contains('.'))
}

/// Words, and numbers with what stands between their digits: `1,200.50`, `10:30`, `2024-05-01`.
fn tokens(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let start = rest.find(char::is_alphanumeric)?;
        rest = &rest[start..];
        let mut end = 0;
        let mut chars = rest.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            let next = chars.peek().map(|&(_, next)| next);
            let joins = matches!(c, '.' | ',' | ':' | '/' | '-')
                && rest[..at].ends_with(|c: char| c.is_ascii_digit())
                && next.is_some_and(|next| next.is_ascii_digit());
            if !c.is_alphanumeric() && !joins {
                break;
            }
            end = at + c.len_utf8();
        }
        let (token, after) = rest.split_at(end);
        rest = after;
        Some(token)
    })
}

fn is_number(token: &str) -> bool {
    token.contains(|c: char| c.is_ascii_digit())
        || NUMBERS.iter().any(|(word, _)| *word == token.to_lowercase())
}

/// A capitalised word within the sentence, or at its beginning before another one. German begins every noun large,
/// so that only words with a second large letter count there.
fn is_name(list: &[&str], at: usize, language: Language) -> bool {
    let large = |token: &&str| token.starts_with(char::is_uppercase);
    let token = list[at];
    if !large(&token) || language.is_stop_word(&token.to_lowercase()) || token == "I" {
        return false;
    }
    if language == Language::of_code("de") {
        return token.chars().filter(|c| c.is_uppercase()).count() > 1;
    }
    at > 0 || list.get(1).is_some_and(large)
}

/// One spelling for all ways to write a number; words folded.
fn number_or_word(token: &str) -> String {
    let lower = fold(token);
    if let Some((_, number)) = NUMBERS.iter().find(|(word, _)| *word == lower) {
        return (*number).to_owned();
    }
    if !lower.contains(|c: char| c.is_ascii_digit()) {
        return lower;
    }
    // A comma before three digits groups thousands.
    let mut plain = String::new();
    for (at, c) in lower.char_indices() {
        let digits = lower[at + c.len_utf8()..].bytes().take_while(u8::is_ascii_digit).count();
        if c != ',' || digits != 3 {
            plain.push(c);
        }
    }
    plain
}

/// Numbers that are often spelled out. `one` is left out: it is a pronoun as often.
const NUMBERS: &[(&str, &str)] = &[
    ("two", "2"),
    ("three", "3"),
    ("four", "4"),
    ("five", "5"),
    ("six", "6"),
    ("seven", "7"),
    ("eight", "8"),
    ("nine", "9"),
    ("ten", "10"),
    ("eleven", "11"),
    ("twelve", "12"),
    ("fifteen", "15"),
    ("twenty", "20"),
    ("thirty", "30"),
    ("forty", "40"),
    ("fifty", "50"),
    ("sixty", "60"),
    ("hundred", "100"),
    ("thousand", "1000"),
];

#[cfg(test)]
mod tests {
    use super::*;

    const EVIDENCE: &str = "Ask Anna Miller within three working days (by 1 March 2026, 10:30). It costs 1,200.50 \
                            euros. Run `make test` or see https://course.example/help.";

    #[track_caller]
    fn check(sentence: &str, expected: &[&str]) {
        assert_eq!(missing(sentence, &[EVIDENCE], Language::ENGLISH), expected);
    }

    #[test]
    fn facts_of_the_evidence_are_held_however_they_are_written() {
        check("Ask Anna Miller within 3 days.", &[]);
        check("Anna's help costs 1200.50 euros, or 1,200.50.", &[]);
        check("The last day is 1 March 2026 at 10:30.", &[]);
        check("Run `make  test` or see https://course.example/help.", &[]);
        check("However, you should ask somebody.", &[]);
    }

    #[test]
    fn other_facts_are_missing() {
        check("Ask Anna Miller within five days.", &["five"]);
        check("Ask Ben Carter on 2 March 2026.", &["Ben", "Carter", "2"]);
        check("Ben Carter helps.", &["Ben", "Carter"]);
        check("It costs 200 euros or 1.", &["200"]);
        check("Run `make clean`.", &["make clean"]);
        check(
            "See https://evil.example/help, or write to a@b.example.",
            &["https://evil.example/help", "a@b.example"],
        );
    }

    #[test]
    fn german_nouns_are_no_names() {
        let evidence = ["Das Geld kommt in 5 Tagen."];
        let german = Language::of_code("de");
        assert!(missing("Die Erstattung dauert 5 Tage.", &evidence, german).is_empty());
        assert_eq!(missing("Der ADAC zahlt in 6 Tagen.", &evidence, german), ["ADAC", "6"]);
    }
}
