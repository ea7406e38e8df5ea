//! The best candidates read once more, each together with the question: a cross-encoder's order of them.
//!
//! Comes in: a ranking. Goes out: the same chunks, the first [`DEPTH`] in the order of the model. Called by
//! [`find`](super::find) where the settings name a reranker. A question never fails for it: when the model is busy, late or
//! broken, the order of words and nearness stands, and the trace says so. A model that is not there at all is an error,
//! because somebody wrote it into the settings.
//!
//! The model gives the order and nothing else. The scores of the ranking are dealt out anew in that order, the highest to the
//! first: thresholds, the weights of sentences and the confidence were fitted to such scores and keep their meaning,
//! while each chunk keeps its own words' and vector's signals.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::AnswerError;
use super::fuse::Fused;
use crate::domain::trace::RerankTrace;
use crate::index::analyze::Language;
use crate::inference::pairs::{LazyPairs, TextPair};
use crate::inference::{Lane, ModelError};

/// Chunks that are read: each costs a forward pass over a whole passage.
pub const DEPTH: usize = 24;

/// A cross-encoder that judges whether a passage answers a question.
#[derive(Clone)]
pub struct Reranker {
    pub model: Arc<LazyPairs>,
    /// It knows only English: questions in other languages keep the order they have.
    pub english_only: bool,
    /// How long a question waits for a better order.
    pub patience: Duration,
}

impl Reranker {
    /// Puts `hits` into the model's order; `texts` are what it reads, of the first hits.
    pub async fn rerank(
        &self,
        question: &str,
        language: Language,
        hits: Vec<Fused>,
        texts: Vec<String>,
    ) -> Result<(Vec<Fused>, RerankTrace), AnswerError> {
        let began = Instant::now();
        let trace = |outcome: &str, passages| RerankTrace {
            model: self.model.name().to_owned(),
            outcome: outcome.to_owned(),
            passages,
            took_ms: began.elapsed().as_secs_f64() * 1000.0,
        };
        if self.english_only && language != Language::ENGLISH && language != Language::OTHER {
            return Ok((hits, trace("language", 0)));
        }
        let pairs = texts.into_iter().map(|text| TextPair { first: question.to_owned(), second: text });
        // Loading it is no part of the patience: it happens once.
        let model = self.model.get().await?;
        let scored = tokio::time::timeout(self.patience, model.score(pairs.collect(), Lane::Urgent)).await;
        let outcome = match scored {
            Ok(Ok(logits)) => {
                let scores: Vec<f32> = logits.iter().map(|logits| relevance(logits)).collect();
                return Ok((reordered(hits, &scores), trace("reordered", scores.len())));
            }
            Ok(Err(ModelError::Busy { .. })) => "busy",
            Ok(Err(error)) => {
                tracing::warn!(model = self.model.name(), %error, "a reranker failed; the order stands");
                "failed"
            }
            Err(_) => {
                let waited_ms = self.patience.as_millis();
                tracing::warn!(
                    model = self.model.name(),
                    waited_ms,
                    "a reranker is too slow; the order stands"
                );
                "late"
            }
        };
        Ok((hits, trace(outcome, 0)))
    }
}

/// How well a passage answers: rerankers have one logit; where there are two, the second is that of the right ones.
fn relevance(logits: &[f32]) -> f32 {
    match logits {
        [wrong, right] => right - wrong,
        logits => logits.first().copied().unwrap_or(f32::NEG_INFINITY),
    }
}

/// The first hits in the order of `scores`, which are theirs; equal ones stay as they were. What has no score stays where
/// it is.
fn reordered(mut hits: Vec<Fused>, scores: &[f32]) -> Vec<Fused> {
    let read = scores.len().min(hits.len());
    let score = |at: usize| if scores[at].is_nan() { f32::NEG_INFINITY } else { scores[at] };
    let mut order: Vec<usize> = (0..read).collect();
    order.sort_by(|&a, &b| score(b).total_cmp(&score(a)));
    let dealt: Vec<Fused> =
        order.iter().zip(&hits).map(|(&at, place)| Fused { score: place.score, ..hits[at] }).collect();
    hits[..read].copy_from_slice(&dealt);
    hits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ChunkId;
    use crate::inference::pairs::{PairModel, PairScorer};
    use crate::inference::worker::Limits;

    fn hits(count: u64) -> Vec<Fused> {
        let hit = |n: u64| Fused {
            chunk: ChunkId(n),
            score: 1.0 - n as f32 / 10.0,
            lexical: n as f32,
            coverage: 0.5,
            similarity: Some(n as f32 / 100.0),
        };
        (0..count).map(hit).collect()
    }

    #[test]
    fn the_order_is_the_models_and_the_scores_stay_in_theirs() {
        let check = |scores: &[f32], expected: &[u64]| {
            let before = hits(5);
            let after = reordered(before.clone(), scores);
            assert_eq!(after.iter().map(|hit| hit.chunk.0).collect::<Vec<_>>(), expected, "{scores:?}");
            assert!(after.iter().zip(&before).all(|(a, b)| a.score == b.score));
            // What a chunk is known by stays its own.
            assert!(after.iter().all(|hit| hit.lexical == hit.chunk.0 as f32));
        };
        check(&[0.0, 1.0, 2.0, 3.0, 4.0], &[4, 3, 2, 1, 0]);
        check(&[-9.0, 4.0, -2.0], &[1, 2, 0, 3, 4]);
        check(&[1.0, 1.0, 1.0], &[0, 1, 2, 3, 4]);
        check(&[f32::NAN, 1.0, f32::NEG_INFINITY], &[1, 0, 2, 3, 4]);
        check(&[], &[0, 1, 2, 3, 4]);
        check(&[0.0; 9], &[0, 1, 2, 3, 4]);
    }

    #[test]
    fn one_logit_is_the_relevance_and_two_are_told_apart() {
        assert_eq!((relevance(&[2.5]), relevance(&[1.0, 3.0])), (2.5, 2.0));
        assert_eq!(relevance(&[]), f32::NEG_INFINITY);
    }

    /// Likes long passages, and fails or dawdles on some questions.
    struct Lengths;

    impl PairModel for Lengths {
        fn name(&self) -> &str {
            "lengths"
        }
        fn labels(&self) -> &[String] {
            &[]
        }
        fn score(&mut self, pairs: &[TextPair]) -> Result<Vec<Vec<f32>>, ModelError> {
            match pairs[0].first.as_str() {
                "fail" => return Err(ModelError::Failed("on purpose".into())),
                "wait" => std::thread::sleep(Duration::from_millis(300)),
                _ => {}
            }
            Ok(pairs.iter().map(|pair| vec![pair.second.len() as f32]).collect())
        }
        fn unit_bytes(&self) -> usize {
            1 << 20
        }
    }

    fn reranker(english_only: bool) -> Reranker {
        let patience = Duration::from_secs(2);
        let limits = Limits { urgent: 1, background: 1 };
        let open = move || PairScorer::start(Box::new(Lengths), limits);
        Reranker { model: Arc::new(LazyPairs::new("lengths", open)), english_only, patience }
    }

    async fn outcome(reranker: &Reranker, question: &str, language: &str) -> (String, Vec<u64>) {
        let texts = ["a", "ccc", "bb"].map(str::to_owned).to_vec();
        let language = Language::of_code(language);
        let (hits, trace) = reranker.rerank(question, language, hits(3), texts).await.unwrap();
        (trace.outcome, hits.iter().map(|hit| hit.chunk.0).collect())
    }

    #[tokio::test]
    async fn a_question_never_fails_for_its_reranker() {
        let english = reranker(true);
        assert_eq!(outcome(&english, "q", "en").await, ("reordered".into(), vec![1, 2, 0]));
        assert_eq!(outcome(&english, "q", "de").await, ("language".into(), vec![0, 1, 2]));
        assert_eq!(outcome(&reranker(false), "q", "de").await, ("reordered".into(), vec![1, 2, 0]));
        assert_eq!(outcome(&english, "fail", "en").await, ("failed".into(), vec![0, 1, 2]));
        let hasty = Reranker { patience: Duration::from_millis(30), ..reranker(true) };
        assert_eq!(outcome(&hasty, "wait", "en").await, ("late".into(), vec![0, 1, 2]));
        // One is read, one waits, and there is no room for a third.
        let (first, second, third) = tokio::join!(
            outcome(&english, "wait", "en"),
            async {
                tokio::time::sleep(Duration::from_millis(100)).await;
                outcome(&english, "wait", "en").await
            },
            async {
                tokio::time::sleep(Duration::from_millis(200)).await;
                outcome(&english, "q", "en").await
            },
        );
        assert_eq!((first.0.as_str(), second.0.as_str()), ("reordered", "reordered"));
        assert_eq!(third, ("busy".into(), vec![0, 1, 2]));
    }

    #[tokio::test]
    async fn a_model_that_is_not_there_is_an_error() {
        let open = || Err(ModelError::NotInstalled { model: "nobody".into() });
        let missing = Reranker { model: Arc::new(LazyPairs::new("nobody", open)), ..reranker(false) };
        let asked = missing.rerank("q", Language::ENGLISH, hits(1), vec!["a".into()]).await;
        assert!(matches!(asked, Err(AnswerError::Model(ModelError::NotInstalled { .. }))));
    }
}
