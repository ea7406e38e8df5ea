//! A local embedding model on its own thread, as the [`Embedder`] that the rest of the program holds.
//!
//! In: batches of texts of any size, urgent or not. Out: their vectors, in order. A batch is cut into units of
//! limited size, between which an urgent question overtakes (`units.rs`); what is computed is the model's business
//! (`bert.rs`, `static_table.rs`). Queueing, refusing and failing are the worker's.

use async_trait::async_trait;

use crate::domain::{Embedding, EmbeddingModelId};
use crate::inference::units::{InUnits, in_units};
use crate::inference::worker::{Limits, Worker};
use crate::inference::{EmbedInput, Embedder, Lane, ModelError};

/// An embedding model as its own thread sees it.
pub trait EmbedModel: Send + 'static {
    /// Which model this is.
    fn id(&self) -> &EmbeddingModelId;
    /// One vector of length 1 for each input, in order.
    fn embed(&mut self, inputs: &[EmbedInput]) -> Result<Vec<Embedding>, ModelError>;
    /// How many bytes of text one call should be given, so that it takes some tens of milliseconds.
    fn unit_bytes(&self) -> usize;
}

impl InUnits for Box<dyn EmbedModel> {
    type Input = EmbedInput;
    type Output = Embedding;

    fn size(input: &EmbedInput) -> usize {
        input.text.len()
    }

    fn most_bytes(&self) -> usize {
        self.unit_bytes()
    }

    fn run(&mut self, unit: &[EmbedInput]) -> Result<Vec<Embedding>, ModelError> {
        self.embed(unit)
    }
}

/// An embedding model on a thread of its own; dropping it ends that thread.
pub struct LocalEmbedder {
    id: EmbeddingModelId,
    worker: Worker<Box<dyn EmbedModel>>,
}

impl LocalEmbedder {
    /// Gives a model its thread.
    pub fn start(model: Box<dyn EmbedModel>, limits: Limits) -> Result<Self, ModelError> {
        let id = model.id().clone();
        let worker = Worker::start(&id.name, model, limits)?;
        Ok(Self { id, worker })
    }

    /// Why the model has stopped, if it has; for the health page.
    pub fn stopped(&self) -> Option<String> {
        self.worker.stopped()
    }
}

#[async_trait]
impl Embedder for LocalEmbedder {
    fn model(&self) -> &EmbeddingModelId {
        &self.id
    }

    async fn embed(&self, inputs: Vec<EmbedInput>, lane: Lane) -> Result<Vec<Embedding>, ModelError> {
        in_units(&self.worker, inputs, lane)?.results().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inference::EmbedRole;
    use std::sync::mpsc;

    /// Its vectors are the text's length; it tells the size of each unit it is given.
    struct Lengths {
        id: EmbeddingModelId,
        units: mpsc::Sender<usize>,
    }

    impl EmbedModel for Lengths {
        fn id(&self) -> &EmbeddingModelId {
            &self.id
        }
        fn embed(&mut self, inputs: &[EmbedInput]) -> Result<Vec<Embedding>, ModelError> {
            self.units.send(inputs.len()).map_err(|e| ModelError::Failed(e.to_string()))?;
            if inputs.iter().any(|i| i.text == "panic") {
                panic!("on purpose");
            }
            Ok(inputs.iter().map(|i| Embedding(vec![i.text.len() as f32])).collect())
        }
        fn unit_bytes(&self) -> usize {
            10
        }
    }

    fn start() -> (LocalEmbedder, mpsc::Receiver<usize>) {
        let (units, seen) = mpsc::channel();
        let id = EmbeddingModelId { name: "lengths".into(), revision: "1".into(), dimensions: 1 };
        let model = Box::new(Lengths { id, units });
        (LocalEmbedder::start(model, Limits::default()).expect("a thread"), seen)
    }

    fn inputs(texts: &[&str]) -> Vec<EmbedInput> {
        texts.iter().map(|t| EmbedInput { text: (*t).to_owned(), role: EmbedRole::Passage }).collect()
    }

    #[tokio::test]
    async fn a_batch_is_cut_into_units_and_keeps_its_order() {
        let (embedder, seen) = start();
        let texts = inputs(&["1234", "12345", "a text longer than a unit", "", "12"]);
        let vectors = embedder.embed(texts, Lane::Background).await.expect("it works");
        let lengths: Vec<f32> = vectors.iter().map(|e| e.0[0]).collect();
        assert_eq!(lengths, [4.0, 5.0, 25.0, 0.0, 2.0]);
        assert_eq!(seen.try_iter().collect::<Vec<_>>(), [2, 1, 2]);
        assert!(embedder.embed(Vec::new(), Lane::Urgent).await.expect("nothing to do").is_empty());
    }

    #[tokio::test]
    async fn a_model_that_panics_is_unavailable_from_then_on() {
        let (embedder, _seen) = start();
        for _ in 0..2 {
            let outcome = embedder.embed(inputs(&["panic"]), Lane::Urgent).await;
            assert!(
                matches!(&outcome, Err(ModelError::Unavailable(why)) if why.contains("on purpose")),
                "{outcome:?}"
            );
        }
        assert!(embedder.stopped().is_some());
    }
}
