//! Models that read two texts at once and judge how they belong together: whether a passage answers a question, or
//! whether evidence bears out a claim.
//!
//! In: pairs of texts of any number, urgent or not. Out: the model's logits for each pair, in order, one for each of its
//! labels. What they mean is for `answer/rerank.rs` and `answer/entail.rs` to say; what computes them is
//! `local/cross.rs`, on a thread of its own.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::units::{InUnits, in_units};
use super::worker::{Limits, Worker};
use super::{Lane, ModelError};

/// Two texts: a question and a passage, or evidence and a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextPair {
    pub first: String,
    pub second: String,
}

/// A cross-encoder as its own thread sees it.
pub trait PairModel: Send + 'static {
    /// Name in the catalogue.
    fn name(&self) -> &str;
    /// What each logit stands for, in their order, as the model's `config.json` calls it.
    fn labels(&self) -> &[String];
    /// As many logits as there are labels for each pair, in order. What does not fit the window is cut from the longer text.
    fn score(&mut self, pairs: &[TextPair]) -> Result<Vec<Vec<f32>>, ModelError>;
    /// How many bytes of text one call should be given, so that it takes some tens of milliseconds.
    fn unit_bytes(&self) -> usize;
}

impl InUnits for Box<dyn PairModel> {
    type Input = TextPair;
    type Output = Vec<f32>;

    fn size(pair: &TextPair) -> usize {
        pair.first.len() + pair.second.len()
    }

    fn most_bytes(&self) -> usize {
        self.unit_bytes()
    }

    fn run(&mut self, unit: &[TextPair]) -> Result<Vec<Vec<f32>>, ModelError> {
        self.score(unit)
    }
}

/// A cross-encoder on a thread of its own; dropping it ends that thread.
pub struct PairScorer {
    name: String,
    labels: Vec<String>,
    worker: Worker<Box<dyn PairModel>>,
}

impl PairScorer {
    /// Gives a model its thread.
    pub fn start(model: Box<dyn PairModel>, limits: Limits) -> Result<Self, ModelError> {
        let (name, labels) = (model.name().to_owned(), model.labels().to_vec());
        let worker = Worker::start(&name, model, limits)?;
        Ok(Self { name, labels, worker })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// What each logit stands for, in their order.
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// The logits of each pair, in order. Dropping the future cancels what has not begun.
    pub async fn score(&self, pairs: Vec<TextPair>, lane: Lane) -> Result<Vec<Vec<f32>>, ModelError> {
        in_units(&self.worker, pairs, lane)?.results().await
    }
}

type Open = dyn Fn() -> Result<PairScorer, ModelError> + Send + Sync;

/// A cross-encoder that is loaded when it is first needed, once.
pub struct LazyPairs {
    name: String,
    open: Box<Open>,
    opened: OnceLock<Arc<PairScorer>>,
    loading: Mutex<()>,
}

impl LazyPairs {
    /// The model of that name, opened by `open`.
    pub fn new(
        name: &str,
        open: impl Fn() -> Result<PairScorer, ModelError> + Send + Sync + 'static,
    ) -> Self {
        Self {
            name: name.to_owned(),
            open: Box::new(open),
            opened: OnceLock::new(),
            loading: Mutex::default(),
        }
    }

    /// As the settings name it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The model. The first call loads it, off the async threads; later ones give the same.
    pub async fn get(self: &Arc<Self>) -> Result<Arc<PairScorer>, ModelError> {
        if let Some(model) = self.opened.get() {
            return Ok(model.clone());
        }
        let this = self.clone();
        tokio::task::spawn_blocking(move || this.load())
            .await
            .unwrap_or_else(|error| Err(ModelError::Unavailable(format!("loading it failed: {error}"))))
    }

    /// The same for callers on blocking threads.
    pub fn load(&self) -> Result<Arc<PairScorer>, ModelError> {
        // A second caller waits for the first instead of loading the model twice. Nothing is half-made after a panic.
        let _one = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(model) = self.opened.get() {
            return Ok(model.clone());
        }
        let model = Arc::new((self.open)()?);
        Ok(self.opened.get_or_init(|| model).clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Its logits are both lengths; it counts its calls.
    struct Lengths(Arc<AtomicUsize>);

    impl PairModel for Lengths {
        fn name(&self) -> &str {
            "lengths"
        }
        fn labels(&self) -> &[String] {
            &[]
        }
        fn score(&mut self, pairs: &[TextPair]) -> Result<Vec<Vec<f32>>, ModelError> {
            self.0.fetch_add(1, Ordering::SeqCst);
            Ok(pairs.iter().map(|p| vec![p.first.len() as f32, p.second.len() as f32]).collect())
        }
        fn unit_bytes(&self) -> usize {
            8
        }
    }

    #[tokio::test]
    async fn pairs_are_scored_in_order_by_a_model_that_is_loaded_once() {
        let (calls, loads) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (counted, loaded) = (calls.clone(), loads.clone());
        let lazy = Arc::new(LazyPairs::new("lengths", move || {
            loaded.fetch_add(1, Ordering::SeqCst);
            PairScorer::start(Box::new(Lengths(counted.clone())), Limits::default())
        }));
        let pair = |first: &str, second: &str| TextPair { first: first.into(), second: second.into() };
        let pairs = vec![pair("ab", "c"), pair("", "abcd"), pair("abcdefgh", "abcd"), pair("a", "")];
        for _ in 0..2 {
            let model = lazy.get().await.unwrap();
            let scores = model.score(pairs.clone(), Lane::Urgent).await.unwrap();
            assert_eq!(scores, [[2.0, 1.0], [0.0, 4.0], [8.0, 4.0], [1.0, 0.0]]);
        }
        // Two pairs fit into a unit, the third is larger than one, the fourth comes alone.
        assert_eq!((calls.load(Ordering::SeqCst), loads.load(Ordering::SeqCst)), (6, 1));
    }
}
