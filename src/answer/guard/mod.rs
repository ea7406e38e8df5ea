//! The guard: is a question an attack on the assistant, and does a document try to command it?
//!
//! Comes in: the text of a question. Goes out: a [`Verdict`]; a blocked question gets a polite refusal in the
//! creator's voice instead of an answer, and no model is called. Checks in their order: hidden writing, floods,
//! ciphers, then a trained classifier over what the text says. [`documents`] keeps planted instructions out of evidence,
//! [`marks`] wraps untrusted text for a prompt, [`output`] checks what a model wrote. Pure; the embedding is a seam.

mod decode;
pub mod documents;
mod features;
mod lexicon;
pub mod marks;
mod normal;
pub mod output;
mod weights;

use serde_json::Value;

use crate::store::Creator;
use lexicon::Lexicon;
use normal::{Plain, plain, words};
use weights::Weights;

pub use weights::WeightsError;

/// Probability of an attack from which a question is blocked. Chosen on the composed texts of `models/guard_texts.py`
/// so that fewer than one benign text in a thousand reaches it.
pub const DEFAULT_THRESHOLD: f32 = 0.4;

/// What a text means, as a vector: the shipped static embedding.
pub type Meaning = Box<dyn Fn(&str) -> Vec<f32> + Send + Sync>;

/// Judges questions.
pub struct Guard {
    lexicon: Lexicon,
    weights: Weights,
    meaning: Meaning,
}

/// What the guard says of a question.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verdict {
    /// Probability that it is an attack.
    pub score: f32,
    /// Why it is blocked; `None` lets it pass.
    pub reason: Option<Reason>,
}

/// Why a question is blocked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Words in characters that nobody sees.
    Hidden,
    /// The same words over and over.
    Flood,
    /// Mostly cipher.
    Cipher,
    /// It says what attacks say.
    Attack,
}

impl Reason {
    /// Its name in logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hidden => "hidden",
            Self::Flood => "flood",
            Self::Cipher => "cipher",
            Self::Attack => "attack",
        }
    }
}

impl Guard {
    /// The guard with the weights and the lexicon that are compiled in.
    pub fn shipped(meaning: Meaning) -> Result<Self, WeightsError> {
        let lexicon = Lexicon::shipped();
        let weights = Weights::shipped(lexicon.len())?;
        Ok(Self { lexicon, weights, meaning })
    }

    /// Judges a question; one whose score reaches `threshold` is blocked.
    pub fn check(&self, question: &str, threshold: f32) -> Verdict {
        let Plain { text, hidden } = plain(question);
        let words = words(&text);
        if hidden.chars().filter(|c| c.is_alphabetic()).count() >= 8 {
            return Verdict { score: 1.0, reason: Some(Reason::Hidden) };
        }
        if decode::is_flood(&words) {
            return Verdict { score: 1.0, reason: Some(Reason::Flood) };
        }
        let readings = decode::readings(&text);
        let covered: usize = readings.iter().map(|reading| reading.covered).sum();
        let mut score = self.score(&text, &words);
        for reading in &readings {
            score = score.max(self.score(&reading.text, &normal::words(&reading.text)));
        }
        let reason = if score >= threshold {
            Some(Reason::Attack)
        } else if covered * 2 > text.chars().count()
            && readings.iter().any(|reading| reading.text.len() >= 20)
        {
            Some(Reason::Cipher)
        } else {
            None
        };
        Verdict { score, reason }
    }

    /// Probability that a text is an attack, by the window of it that is most like one.
    fn score(&self, text: &str, words: &[String]) -> f32 {
        let signs = features::signs(text);
        features::windows(words, &self.lexicon, self.weights.bits)
            .map(|window| self.weights.probability(&window, &(self.meaning)(&window.text), &signs))
            .fold(0.0, f32::max)
    }
}

/// The threshold of a creator, from the creator's own setting `guard` (a number, or `false` for none), else `default`.
/// `None`: questions are not guarded.
pub fn threshold(creator: &Creator, default: Option<f32>) -> Option<f32> {
    match creator.settings.get("guard") {
        Some(Value::Bool(false)) => None,
        Some(Value::Bool(true)) => Some(default.unwrap_or(DEFAULT_THRESHOLD)),
        Some(value) => value.as_f64().map(|own| own as f32).or(default),
        None => default,
    }
}

/// The creator's own pages, where an answer may always link to: the origins that their widget runs on.
pub fn hosts(creator: &Creator) -> impl Iterator<Item = &str> {
    creator
        .settings
        .get("allowed_origins")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

#[cfg(test)]
mod tests;
