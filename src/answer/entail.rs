//! What an entailment model says of a sentence: does the evidence bear it out, or say the contrary?
//!
//! Comes in: a claim and texts of evidence. Goes out: a [`Verdict`] as a value; how it joins the support by words is
//! [`joined`]. All but [`Entailment::verdict`] is pure. Called by `generate.rs` for the sentences of a chat model, where the
//! settings name such a model, and by `eval grounding`. Quotations are not asked about: they are what they quote.
//!
//! A model of natural language inference reads evidence and claim together and gives probabilities of entailment,
//! contradiction and neither (Bowman et al., EMNLP 2015; Williams et al., NAACL 2018). It was trained on sentences, so
//! that each text is read whole and by its best sentence, and the surest counts (Laban et al., SummaC, TACL 2022).

use std::sync::Arc;
use std::time::Duration;

use super::proved::supporting;
use crate::index::analyze::Language;
use crate::inference::pairs::{LazyPairs, TextPair};
use crate::inference::{Lane, ModelError};

/// Texts of evidence that are read for one claim.
const TEXTS: usize = 3;

/// How long a sentence waits for its verdict; after that words alone judge it.
const PATIENCE: Duration = Duration::from_secs(5);

/// From this probability of a contradiction on a sentence is left out, whatever else speaks for it.
const CONTRADICTED: f32 = 0.5;

/// Probabilities are taken as no surer than this, so that neither side alone decides.
const SUREST: f32 = 0.99;

/// A model of natural language inference.
#[derive(Clone)]
pub struct Entailment {
    pub model: Arc<LazyPairs>,
    /// It knows only English: claims in other languages are judged by words alone.
    pub english_only: bool,
}

/// What the evidence says of a claim, each 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verdict {
    pub entailment: f32,
    pub contradiction: f32,
}

/// Where a model's labels stand among its logits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Labels {
    entailment: usize,
    /// Models that only tell entailment from all else have none.
    contradiction: Option<usize>,
}

impl Entailment {
    /// What the evidence says of a claim; `None` where the model does not know the language.
    pub async fn verdict(
        &self,
        claim: &str,
        evidence: &[String],
        language: Language,
    ) -> Result<Option<Verdict>, ModelError> {
        if self.english_only && language != Language::ENGLISH && language != Language::OTHER {
            return Ok(None);
        }
        let model = self.model.get().await?;
        let Some(labels) = Labels::of(model.labels()) else {
            let reason = "none of its labels is `entailment`".to_owned();
            return Err(ModelError::Unusable { model: self.model.name().to_owned(), reason });
        };
        let premises = premises(claim, evidence, language).into_iter();
        let pairs = premises.map(|premise| TextPair { first: premise, second: claim.to_owned() });
        let scored = tokio::time::timeout(PATIENCE, model.score(pairs.collect(), Lane::Urgent)).await;
        let logits = scored.map_err(|_| ModelError::Busy { retry_after: PATIENCE })??;
        Ok(Verdict::of(&logits, labels))
    }
}

impl Labels {
    fn of(labels: &[String]) -> Option<Self> {
        let place = |start: &str| labels.iter().position(|label| label.to_lowercase().starts_with(start));
        Some(Self { entailment: place("entail")?, contradiction: place("contra") })
    }
}

impl Verdict {
    /// From the logits of each premise: the surest entailment, and the surest contradiction.
    fn of(logits: &[Vec<f32>], labels: Labels) -> Option<Self> {
        let of_one = |logits: &Vec<f32>| {
            let shares = softmax(logits);
            let at = |place: usize| shares.get(place).copied().unwrap_or(0.0);
            Self { entailment: at(labels.entailment), contradiction: labels.contradiction.map_or(0.0, at) }
        };
        logits.iter().map(of_one).reduce(|a, b| Self {
            entailment: a.entailment.max(b.entailment),
            contradiction: a.contradiction.max(b.contradiction),
        })
    }

    /// Whether the evidence says the contrary of the claim.
    pub fn contradicts(self) -> bool {
        self.contradiction >= CONTRADICTED && self.contradiction > self.entailment
    }
}

/// The support of a claim by its words ([`verify`](super::verify)) and by the model together: the mean of their log-odds,
/// a logarithmic opinion pool with equal weights (Genest and Zidek, Statistical Science 1986). No weights are fitted,
/// as they would be those of one model.
pub fn joined(support: f32, verdict: Verdict) -> f32 {
    let mean = (log_odds(support) + log_odds(verdict.entailment)) / 2.0;
    1.0 / (1.0 + (-mean).exp())
}

fn log_odds(probability: f32) -> f32 {
    let probability = probability.clamp(1.0 - SUREST, SUREST);
    (probability / (1.0 - probability)).ln()
}

/// What the model reads beside a claim: each text, and the sentence of it that comes nearest.
fn premises(claim: &str, evidence: &[String], language: Language) -> Vec<String> {
    let mut premises: Vec<String> = Vec::with_capacity(2 * TEXTS);
    for text in evidence.iter().filter(|text| !text.trim().is_empty()).take(TEXTS) {
        let nearest = supporting(claim, text, language).of(text).trim();
        for premise in [text.trim(), nearest] {
            if !premise.is_empty() && !premises.iter().any(|known| known == premise) {
                premises.push(premise.to_owned());
            }
        }
    }
    premises
}

fn softmax(logits: &[f32]) -> Vec<f32> {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f32> = logits.iter().map(|logit| (logit - most).exp()).collect();
    let sum: f32 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(names: &[&str]) -> Option<Labels> {
        Labels::of(&names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn labels_are_found_wherever_they_stand() {
        let check = |names: &[&str], expected: Option<(usize, Option<usize>)>| {
            let found = labels(names).map(|labels| (labels.entailment, labels.contradiction));
            assert_eq!(found, expected, "{names:?}");
        };
        check(&["contradiction", "entailment", "neutral"], Some((1, Some(0))));
        check(&["ENTAILMENT", "NEUTRAL", "CONTRADICTION"], Some((0, Some(2))));
        check(&["entailment", "not_entailment"], Some((0, None)));
        check(&["LABEL_0"], None);
    }

    #[test]
    fn the_surest_premise_counts() {
        let labels = labels(&["contradiction", "entailment", "neutral"]).unwrap();
        let verdict = Verdict::of(&[vec![0.0, 0.0, 9.0], vec![-5.0, 5.0, -5.0]], labels).unwrap();
        assert!(verdict.entailment > 0.99 && verdict.contradiction < 0.01 && !verdict.contradicts());
        let verdict = Verdict::of(&[vec![4.0, 0.0, 0.0], vec![0.0, 0.0, 4.0]], labels).unwrap();
        assert!(verdict.contradicts());
        assert_eq!(Verdict::of(&[], labels), None);
    }

    #[test]
    fn words_and_model_weigh_the_same() {
        let with = |entailment| Verdict { entailment, contradiction: 0.0 };
        let check = |support, entailment, from: f32, to: f32| {
            let joined = joined(support, with(entailment));
            assert!((from..=to).contains(&joined), "{support} with {entailment}: {joined}");
        };
        check(0.5, 0.5, 0.499, 0.501);
        check(0.8, 0.2, 0.499, 0.501);
        check(0.3, 0.98, 0.8, 0.83);
        check(0.95, 0.01, 0.29, 0.31);
        check(1.0, 1.0, 0.98, 0.991);
        check(0.0, 0.0, 0.0, 0.011);
    }

    #[test]
    fn each_text_is_read_whole_and_by_its_nearest_sentence() {
        let evidence =
            ["Rinse the brushes. The kiln is hot.".to_owned(), " ".to_owned(), "One alone.".to_owned()];
        let read = premises("The kiln is hot today.", &evidence, Language::ENGLISH);
        assert_eq!(read, ["Rinse the brushes. The kiln is hot.", "The kiln is hot.", "One alone."]);
    }
}
