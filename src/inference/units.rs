//! Many inputs for one model, a unit at a time, so that an urgent question overtakes between two units.
//!
//! In: a list of inputs and the worker that holds the model. Out: one result for each, in order. How much a unit may
//! hold says the model ([`InUnits`]); queueing, refusing and failing are the worker's. `local/embedder.rs` and
//! `pairs.rs` build on it.

use tokio::sync::oneshot;

use super::worker::{Progress, Task, Worker};
use super::{Lane, ModelError};

/// A model that does some inputs in one call.
pub trait InUnits: Send + 'static {
    type Input: Send + 'static;
    type Output: Send + 'static;
    /// Bytes of text of an input.
    fn size(input: &Self::Input) -> usize;
    /// How many bytes of text one call should be given, so that it takes some tens of milliseconds.
    fn most_bytes(&self) -> usize;
    /// One result for each input, in order.
    fn run(&mut self, unit: &[Self::Input]) -> Result<Vec<Self::Output>, ModelError>;
}

/// Results on their way. Dropping it cancels what has not begun.
pub struct Pending<T>(oneshot::Receiver<Result<Vec<T>, ModelError>>);

impl<T> Pending<T> {
    /// One result for each input, in order.
    pub async fn results(self) -> Result<Vec<T>, ModelError> {
        self.0.await.unwrap_or_else(|_| Err(ModelError::Unavailable("it ended while it was asked".into())))
    }
}

/// Gives all inputs to the model's thread, or refuses them at once. What comes back does not name the model's type, so that
/// any future may hold it.
pub fn in_units<M: InUnits>(
    worker: &Worker<M>,
    inputs: Vec<M::Input>,
    lane: Lane,
) -> Result<Pending<M::Output>, ModelError> {
    let (reply, answer) = oneshot::channel();
    let done = Vec::with_capacity(inputs.len());
    let mut batch = Batch::<M> { inputs, done, reply: Some(reply) };
    if batch.inputs.is_empty() {
        batch.finish(Ok(Vec::new()));
    } else {
        worker.submit(lane, batch)?;
    }
    Ok(Pending(answer))
}

/// The results of a batch, or why there are none.
type Outcome<M> = Result<Vec<<M as InUnits>::Output>, ModelError>;

/// A batch on its way: the first `done.len()` inputs are finished.
struct Batch<M: InUnits> {
    inputs: Vec<M::Input>,
    done: Vec<M::Output>,
    reply: Option<oneshot::Sender<Outcome<M>>>,
}

impl<M: InUnits> Batch<M> {
    fn finish(&mut self, outcome: Outcome<M>) -> Progress {
        if let Some(reply) = self.reply.take() {
            // A caller that left meanwhile needs no answer.
            let _ = reply.send(outcome);
        }
        Progress::Done
    }
}

impl<M: InUnits> Task<M> for Batch<M> {
    fn step(&mut self, model: &mut M) -> Progress {
        let rest = &self.inputs[self.done.len()..];
        let (most, mut size) = (model.most_bytes(), 0);
        let fits = rest.iter().take_while(|input| {
            size += M::size(input);
            size <= most
        });
        let unit = &rest[..fits.count().clamp(1, rest.len())];
        match model.run(unit) {
            Err(error) => self.finish(Err(error)),
            Ok(results) => {
                self.done.extend(results);
                if self.done.len() < self.inputs.len() {
                    return Progress::More;
                }
                let all = std::mem::take(&mut self.done);
                self.finish(Ok(all))
            }
        }
    }

    fn wanted(&self) -> bool {
        self.reply.as_ref().is_some_and(|reply| !reply.is_closed())
    }

    fn fail(&mut self, error: ModelError) {
        self.finish(Err(error));
    }
}
