//! Does the content hold the answer? One probability, by which the answer is given or withheld.
//!
//! Comes in: what retrieval found and the signs of the best sentence. Goes out: a number from 0 to 1. Pure. Who asks
//! decides what to do below [`DEFAULT_THRESHOLD`]: abstain and offer a person.
//!
//! A logistic regression on few, bounded signals that mean the same in a collection of three documents and of three
//! thousand; each pushes the probability up. The coefficients were fitted to this program's own signals on question
//! sets with a part of the documents removed, questions of other courses and adversarial questions;
//! `tests/reference/fit_abstain.py` repeats the fit on signals that it imitates, so its coefficients are close in
//! effect, not in every digit.

use super::extract::Signs;
use super::fuse::Fused;

/// Below this the content is said not to hold the answer. Chosen so that at most about one answerable question in
/// ten is refused in English: measured .01 to .10, the most where students word everything differently; .16 in German,
/// whose compounds hide words. Of questions about another world it refuses .97 by words alone, all with an encoder.
pub const DEFAULT_THRESHOLD: f32 = 0.25;

/// Probability that the content holds the answer to the question. `similarity_counts` says whether cosines come from
/// a sentence encoder that knows the question's language; those of a static table say too little about absence.
pub fn confidence(hits: &[Fused], signs: &Signs, similarity_counts: bool) -> f32 {
    let best = |of: fn(&Fused) -> f32| hits.iter().take(LOOKED_AT).map(of).fold(0.0, f32::max);
    let lexical = best(|hit| hit.lexical).min(MOST_LEXICAL);
    let similarity = best(|hit| hit.similarity.unwrap_or(0.0));
    let weights = if similarity_counts { &WITH_SIMILARITY } else { &WORDS_ALONE };
    let sum = weights.bias
        + weights.lexical * lexical
        + weights.coverage * signs.coverage
        + weights.names * signs.names
        + weights.similarity * similarity;
    if hits.is_empty() { 0.0 } else { 1.0 / (1.0 + (-sum).exp()) }
}

/// Hits whose signals count.
const LOOKED_AT: usize = 5;
/// A chunk that repeats the question's words says no more than one that holds them.
const MOST_LEXICAL: f32 = 2.0;

struct Weights {
    bias: f32,
    lexical: f32,
    coverage: f32,
    names: f32,
    similarity: f32,
}

const WORDS_ALONE: Weights =
    Weights { bias: -4.15, lexical: 2.8, coverage: 1.55, names: 1.05, similarity: 0.0 };
const WITH_SIMILARITY: Weights =
    Weights { bias: -6.3, lexical: 0.9, coverage: 3.25, names: 0.8, similarity: 5.6 };

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ChunkId;

    fn hit(lexical: f32, similarity: f32) -> Fused {
        Fused { chunk: ChunkId(0), score: 0.5, lexical, coverage: 0.5, similarity: Some(similarity) }
    }

    #[test]
    fn every_signal_raises_the_probability() {
        let signs = Signs { coverage: 0.5, names: 0.5, nearness: 0.0 };
        let base = confidence(&[hit(0.5, 0.4)], &signs, true);
        assert!(confidence(&[hit(1.0, 0.4)], &signs, true) > base);
        assert!(confidence(&[hit(0.5, 0.7)], &signs, true) > base);
        assert!(confidence(&[hit(0.5, 0.4)], &Signs { coverage: 0.9, ..signs }, true) > base);
        assert!(confidence(&[hit(0.5, 0.4)], &Signs { names: 1.0, ..signs }, true) > base);
        let words_alone = confidence(&[hit(0.5, 0.4)], &signs, false);
        assert_eq!(words_alone, confidence(&[hit(0.5, 0.9)], &signs, false));
    }

    #[test]
    fn nothing_found_is_no_answer() {
        assert_eq!(confidence(&[], &Signs::default(), true), 0.0);
    }

    #[test]
    fn a_good_fit_is_answered_and_a_poor_one_refused() {
        for similarity_counts in [false, true] {
            let good = Signs { coverage: 0.9, names: 1.0, nearness: 0.5 };
            let poor = Signs { coverage: 0.12, names: 0.0, nearness: 0.0 };
            assert!(confidence(&[hit(1.1, 0.6)], &good, similarity_counts) > DEFAULT_THRESHOLD);
            assert!(confidence(&[hit(0.15, 0.15)], &poor, similarity_counts) < DEFAULT_THRESHOLD);
        }
    }
}
