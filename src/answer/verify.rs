//! Does the evidence say what a sentence says? One number for each sentence, from 0 to 1.
//!
//! Comes in: a sentence of an answer and the texts it cites. Goes out: its support, the probability that they bear
//! it out. Pure and without a model. What to do with an unsupported sentence is decided by who asks.
//!
//! A logistic function of how much of the sentence the evidence holds: its content words weighted by how telling
//! they are, its pairs of neighbouring words, and its numbers and names. `tests/reference/fit_support.py` fits the
//! weights and says where these depart from the fit, and why. It can tell what was added to the evidence better than what was turned around.

use std::collections::HashSet;

use crate::index::analyze::{Language, fold, is_everyday, term_of, terms, words};

/// Below this a sentence is treated as not supported.
pub const DEFAULT_THRESHOLD: f32 = 0.5;

/// How well `evidence` bears out `sentence`. A sentence without content words (`Yes.`) is neither, near a half.
pub fn support(sentence: &str, evidence: &[&str], language: Language) -> f32 {
    let features = Features::of(sentence, evidence, language);
    let sum = BIAS
        + RECALL * features.recall
        + PAIRS * features.pairs
        + MISSING_NUMBER * features.missing_numbers
        + MISSING_NAME * features.missing_names;
    1.0 / (1.0 + (-sum).exp())
}

const BIAS: f32 = -3.8;
const RECALL: f32 = 3.5;
const PAIRS: f32 = 2.5;
const MISSING_NUMBER: f32 = -2.0;
const MISSING_NAME: f32 = -2.0;

/// What the evidence holds of a sentence, each 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Features {
    /// Of its content words, weighted.
    pub recall: f32,
    /// Of its pairs of neighbouring words, function words included.
    pub pairs: f32,
    /// Share of its numbers that the evidence lacks.
    pub missing_numbers: f32,
    /// Share of its names that the evidence lacks.
    pub missing_names: f32,
}

impl Features {
    /// Measures `sentence` against `evidence`.
    pub fn of(sentence: &str, evidence: &[&str], language: Language) -> Self {
        let content = terms(sentence, language);
        let all = all_terms(sentence, language);
        let mut held_content = HashSet::new();
        let mut held_words = HashSet::new();
        let mut held_pairs = HashSet::new();
        for text in evidence {
            held_content.extend(terms(text, language));
            let all = all_terms(text, language);
            held_pairs.extend(all.windows(2).map(|pair| (pair[0].clone(), pair[1].clone())));
            held_words.extend(words(text).into_iter().map(|word| fold(&word.text)));
        }
        let mass: f32 = content.iter().map(|term| weight(term)).sum();
        let held: f32 =
            content.iter().filter(|term| held_content.contains(*term)).map(|term| weight(term)).sum();
        let recall = if mass > 0.0 { held / mass } else { 0.5 };
        let pairs = share(all.windows(2).map(|p| held_pairs.contains(&(p[0].clone(), p[1].clone()))))
            .unwrap_or(recall);
        let tokens = || sentence.split(|c: char| !c.is_alphanumeric()).filter(|token| !token.is_empty());
        let is_missing = |token: &str| !held_words.contains(&fold(token));
        let numbers = tokens().filter(|token| token.contains(|c: char| c.is_ascii_digit()));
        let names = tokens().skip(1).filter(|token| token.starts_with(|c: char| c.is_uppercase()));
        Self {
            recall,
            pairs,
            missing_numbers: share(numbers.map(is_missing)).unwrap_or(0.0),
            missing_names: share(names.map(is_missing)).unwrap_or(0.0),
        }
    }
}

/// The terms of all words, function words too.
fn all_terms(text: &str, language: Language) -> Vec<String> {
    words(text).iter().map(|word| term_of(word, language)).collect()
}

/// Longer words tell more, everyday words less.
fn weight(term: &str) -> f32 {
    if is_everyday(term) { 0.4 } else { 1.0 + 0.08 * term.chars().count().min(10) as f32 }
}

/// Share of `true`; `None` of nothing.
fn share(held: impl Iterator<Item = bool>) -> Option<f32> {
    let (mut yes, mut all) = (0u32, 0u32);
    for is_held in held {
        yes += u32::from(is_held);
        all += 1;
    }
    (all > 0).then(|| yes as f32 / all as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVIDENCE: &str =
        "You can ask for a full refund within 23 days of buying the course. Write to Anna Miller.";

    fn supported(sentence: &str) -> f32 {
        support(sentence, &[EVIDENCE], Language::ENGLISH)
    }

    #[test]
    fn what_the_evidence_says_is_supported_and_what_it_does_not_say_is_not() {
        assert!(supported("You can ask for a full refund within 23 days of buying the course.") > 0.9);
        assert!(
            supported("A full refund is possible within 23 days.")
                > supported("A full refund is possible within 47 days.")
        );
        assert!(supported("Write to Anna Miller.") > supported("Write to Ben Carter."));
        assert!(supported("The final was played in Paris.") < DEFAULT_THRESHOLD);
    }

    #[test]
    fn nothing_is_between() {
        for (sentence, evidence) in [("", vec![]), ("Yes.", vec![""]), ("...", vec![EVIDENCE])] {
            let value = support(sentence, &evidence, Language::ENGLISH);
            assert!((0.0..=1.0).contains(&value), "{sentence}");
        }
    }
}
