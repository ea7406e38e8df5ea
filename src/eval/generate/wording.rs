//! Whether a question reads well, and when two ask the same.

use crate::index::analyze::{fold, words};

/// Longest question, in characters: what students type is shorter.
const LONGEST: usize = 140;

/// Heuristics for a question that a person could have asked: its length, its end, no marks of markup, no address, no half
/// of a pair of quotes or brackets, no word twice in a row.
pub fn reads_well(question: &str) -> bool {
    let count = question.chars().count();
    let tokens: Vec<&str> = question.split_whitespace().collect();
    let twice =
        tokens.windows(2).any(|pair| pair[0].to_lowercase() == pair[1].to_lowercase() && pair[0].len() > 1);
    let marks = ['|', '*', '_', '`', '#', '<', '>', '[', ']', '{', '}', '\n', '…', '='];
    let pairs = [('(', ')'), ('„', '“'), ('«', '»'), ('¿', '?')];
    let paired = pairs.iter().all(|(open, close)| {
        question.matches(*open).count() <= question.matches(*close).count()
            && (*open != '(' || question.matches('(').count() == question.matches(')').count())
    });
    (8..=LONGEST).contains(&count)
        && question.ends_with(['?', '？'])
        && !question.contains(marks)
        && !question.contains("://")
        && !question.contains("..")
        && !question.contains(" ,")
        && question.matches('"').count().is_multiple_of(2)
        && paired
        && !twice
        && !question.trim_end_matches([' ', '?']).ends_with([',', ':', ';', '-', '–'])
}

/// The same for questions that differ only in marks, capitals and accents.
pub fn identity(question: &str) -> String {
    words(question).into_iter().map(|word| fold(&word.text)).collect::<Vec<_>>().join(" ")
}

/// The text with its first letter in capitals.
pub fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

/// The text with its first letter small.
pub fn small(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_lowercase().chain(letters).collect())
}

/// Marks of emphasis and what else is not said aloud.
pub fn spoken(text: &str) -> String {
    text.replace(['*', '`', '_'], "").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_would_ask_is_dropped() {
        let check = |question: &str, expected: bool| assert_eq!(reads_well(question), expected, "{question}");
        check("What is the exit pupil?", true);
        check("What does \"bad collimation\" mean?", true);
        check("¿Qué es la Luna?", true);
        check("Was bedeutet „Dämmerung“?", true);
        check("What is the the exit pupil?", false);
        check("What is |x|?", false);
        check("What is \"half a pair?", false);
        check("What is (this?", false);
        check("What does https://a.example say?", false);
        check("Why?", false);
        check("Tell me about it.", false);
        check("What is that,?", false);
        assert_eq!(identity("What is THE Pupil?"), identity("what is the pupil"));
    }
}
