//! Does the content hold the answer? One probability, by which the answer is given or withheld.
//!
//! Comes in: what retrieval found and the sentences that were picked. Goes out: a number from 0 to 1 that is right as
//! often as it says, where about seven questions in ten have their answer in the content. Pure. Who asks decides what
//! to do below [`DEFAULT_THRESHOLD`]: abstain and offer a person.
//!
//! A logistic regression on few, bounded signals that mean the same in a collection of three documents and of three
//! thousand. `tests/reference/fit_abstain.py` asks the program itself for its signals on question sets with a part of
//! the documents removed, on questions of other courses and other worlds, and on adversarial questions, and prints
//! the weights below; `tests/reference/confidence.md` has what that measured and what was tried in vain.

use super::extract::{Extracted, Passage};
use super::fuse::Fused;
use super::retrieve::Retrieved;
use crate::index::analyze::words;

/// Below this the content is said not to hold the answer. With a calibrated probability this is the price of a wrong
/// answer divided by the sum of both prices. Nine to eleven: a wrong refusal fetches a person for nothing; a wrong
/// answer is a cited sentence beside the question, which a student sees through a little more easily.
pub const DEFAULT_THRESHOLD: f32 = 0.45;

/// What speaks for and against an answer in the content.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Signals {
    /// Score of the first chunk, and how much better its words fit than those of the second.
    pub score: f32,
    pub gap: f32,
    /// By how much the best sentence leads the best one of every other passage: where many passages fit about as well,
    /// they share the question's words rather than its answer.
    pub lead: f32,
    /// What the best sentence with its headings covers of the question's rarity, and of its names and numbers.
    pub coverage: f32,
    pub names: f32,
    /// Cosine of the best sentence in its context with the question, by the small table, and of the sentence alone.
    pub context: f32,
    pub meaning: f32,
    /// Length of the question: the more it says, the more its covered share tells.
    pub words: f32,
    /// Question or best sentence denies what the other affirms.
    pub negation: f32,
    /// Best cosine of a chunk, where that says something about absence: `None` else.
    pub similarity: Option<f32>,
}

impl Signals {
    /// `similarity_counts` says whether cosines come from a sentence encoder that knows the question's language; those
    /// of a static table say too little about absence (AUROC .67 alone). `None` when nothing was found.
    pub fn of(
        question: &str,
        ranked: &Retrieved,
        extracted: &Extracted,
        passages: &[Passage],
        similarity_counts: bool,
    ) -> Option<Self> {
        let (first, best) = (ranked.hits.first()?, extracted.best.as_ref()?);
        let second = ranked.hits.get(1).map_or(0.0, |hit| hit.lexical);
        let sentence = best.own.of(passages.get(best.passage)?.text);
        let cosines = ranked.hits.iter().take(LOOKED_AT).filter_map(|hit: &Fused| hit.similarity);
        Some(Self {
            score: first.score,
            gap: (first.lexical - second).clamp(0.0, MOST_GAP),
            lead: extracted.lead.map_or(MOST_LEAD, |lead| lead.clamp(0.0, MOST_LEAD)),
            coverage: best.features.coverage(),
            names: best.features.names,
            context: best.features.context,
            meaning: best.features.meaning,
            words: (ranked.query.words().len() as f32).ln_1p(),
            negation: f32::from(u8::from(denies(question) != denies(sentence))),
            similarity: similarity_counts.then(|| cosines.fold(0.0, f32::max)),
        })
    }
}

/// Hits whose cosines count.
const LOOKED_AT: usize = 5;
const MOST_GAP: f32 = 0.5;
/// Nine leads in ten are shorter; a sentence without rivals leads by this.
const MOST_LEAD: f32 = 1.0;

/// Probability that the content holds the answer.
pub fn confidence(signals: &Signals) -> f32 {
    let w = if signals.similarity.is_some() { &WITH_SIMILARITY } else { &WORDS_ALONE };
    let sum = w.bias
        + w.score * signals.score
        + w.gap * signals.gap
        + w.lead * signals.lead
        + w.coverage * signals.coverage
        + w.names * signals.names
        + w.context * signals.context
        + w.meaning * signals.meaning
        + w.words * signals.words
        + w.negation * signals.negation
        + w.similarity * signals.similarity.unwrap_or(0.0);
    1.0 / (1.0 + (-sum).exp())
}

struct Weights {
    bias: f32,
    score: f32,
    gap: f32,
    lead: f32,
    coverage: f32,
    names: f32,
    context: f32,
    meaning: f32,
    words: f32,
    negation: f32,
    similarity: f32,
}

/// The gap is left out: the lead says the same more surely. Context and meaning belong together: their difference is
/// what titles and headings say of the question, and a sentence that only says the question again has none.
const WORDS_ALONE: Weights = Weights {
    bias: -6.43,
    score: 6.13,
    gap: 0.0,
    lead: 1.19,
    coverage: 1.58,
    names: 0.45,
    context: 3.94,
    meaning: -3.03,
    words: 0.59,
    negation: -0.46,
    similarity: 0.0,
};
/// Score, lead and meaning are left out: beside the best cosine they tell nothing more.
const WITH_SIMILARITY: Weights = Weights {
    bias: -5.34,
    score: 0.0,
    gap: 1.65,
    lead: 0.0,
    coverage: 3.07,
    names: 0.47,
    context: 0.33,
    meaning: 0.0,
    words: 0.22,
    negation: -0.41,
    similarity: 6.57,
};

/// Whether a text says no.
fn denies(text: &str) -> bool {
    words(text).iter().any(|word| DENIALS.binary_search(&word.text.as_str()).is_ok())
}

/// Without apostrophes, as words are normalised; sorted.
const DENIALS: &[&str] = &[
    "arent", "cannot", "cant", "didnt", "doesnt", "dont", "isnt", "jamais", "kein", "keine", "keinen",
    "neither", "never", "nicht", "nie", "no", "none", "nor", "not", "nunca", "pas", "sans", "shouldnt",
    "sin", "unable", "wasnt", "werent", "without", "wont",
];

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: Signals = Signals {
        score: 0.75,
        gap: 0.3,
        lead: 0.8,
        coverage: 0.9,
        names: 1.0,
        context: 0.6,
        meaning: 0.5,
        words: 1.6,
        negation: 0.0,
        similarity: None,
    };
    const POOR: Signals = Signals {
        score: 0.3,
        gap: 0.0,
        lead: 0.1,
        coverage: 0.15,
        names: 0.0,
        context: 0.1,
        meaning: 0.05,
        ..GOOD
    };

    #[test]
    fn a_good_fit_is_answered_and_a_poor_one_refused() {
        for (good, poor) in [(None, None), (Some(0.7), Some(0.15))] {
            assert!(confidence(&Signals { similarity: good, ..GOOD }) > 0.8);
            assert!(confidence(&Signals { similarity: poor, ..POOR }) < DEFAULT_THRESHOLD);
        }
    }

    #[test]
    fn what_speaks_for_an_answer_raises_the_probability() {
        for similarity in [None, Some(0.4)] {
            let base = confidence(&Signals { similarity, ..POOR });
            let with = |change: fn(&mut Signals)| {
                let mut signals = Signals { similarity, ..POOR };
                change(&mut signals);
                confidence(&signals)
            };
            assert!(with(|s| s.score = 0.6) >= base && with(|s| s.coverage = 0.6) > base);
            assert!(with(|s| s.names = 1.0) > base);
            // Of the gap and the lead, each set of weights has one.
            assert!(with(|s| (s.gap, s.lead) = (0.4, 0.8)) > base);
            // A heading that says what is asked raises it more than a sentence that says it again.
            assert!(with(|s| s.context = 0.4) > with(|s| (s.context, s.meaning) = (0.4, 0.4)) - f32::EPSILON);
            assert!(with(|s| s.negation = 1.0) < base);
        }
    }

    #[test]
    fn denials_are_found_and_sorted() {
        assert!(DENIALS.is_sorted());
        assert!(denies("You can't.") && denies("Das geht nicht.") && !denies("You can."));
    }
}
