//! Does a sentence answer this question? What is true and beside the question is no answer.
//!
//! Comes in: the question, a sentence that a chat model said, and the sentences that extraction picked. Goes out: yes
//! or no. Pure. Whether the sentence is borne out is [`verify`].

use std::collections::HashSet;

use super::verify;
use crate::index::analyze::sentences::is_question;
use crate::index::analyze::{Language, is_everyday, terms};

/// The question as relevance reads it.
pub struct Relevance<'a> {
    asked: HashSet<String>,
    /// What extraction would have quoted.
    picked: Vec<&'a str>,
    /// Titles and headings of the evidence: a sentence that only says one of them again says nothing.
    titles: Vec<HashSet<String>>,
    language: Language,
}

impl<'a> Relevance<'a> {
    pub fn of(question: &str, picked: Vec<&'a str>, titles: &[&str], language: Language) -> Self {
        let set = |text: &str| terms(text, language).into_iter().collect();
        Self {
            asked: set(question),
            picked,
            titles: titles.iter().map(|title| set(title)).collect(),
            language,
        }
    }

    /// Whether `sentence` says something, and says it to the question: it shares enough of the question's words, or it
    /// says what a picked sentence says. Headings, questions and the question said again say nothing.
    pub fn answers(&self, sentence: &str) -> bool {
        let said: HashSet<String> = terms(sentence, self.language).into_iter().collect();
        let is_new = said.iter().any(|term| !self.asked.contains(term));
        let is_title = self.titles.iter().any(|title| said.is_subset(title));
        if !is_new || is_title || is_question(sentence) {
            return false;
        }
        let weight = |term: &&String| if is_everyday(term) { 0.4 } else { 1.0 };
        let mass: f32 = self.asked.iter().map(|term| weight(&term)).sum();
        let shared: f32 =
            self.asked.iter().filter(|term| said.contains(*term)).map(|term| weight(&term)).sum();
        (mass > 0.0 && shared / mass >= SHARED)
            || self
                .picked
                .iter()
                .any(|quote| verify::support(sentence, &[quote], self.language) >= verify::DEFAULT_THRESHOLD)
    }
}

/// Share of the question's content words, everyday ones counting less, that makes a sentence one about the question.
const SHARED: f32 = 0.4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_beside_the_question_is_told_from_one_that_answers() {
        let picked = vec!["The money is back within five working days."];
        let titles = ["Refund policy", "How to ask"];
        let relevance = Relevance::of("How long does a refund take?", picked, &titles, Language::ENGLISH);
        for (sentence, expected) in [
            ("The refund takes five working days.", true),
            ("Your money is back within five days.", true),
            ("Refund policy", false),
            ("The refund policy.", false),
            ("How long does a refund take?", false),
            ("Lesson 4 is about the Moon.", false),
            ("Yes.", false),
        ] {
            assert_eq!(relevance.answers(sentence), expected, "{sentence}");
        }
    }
}
