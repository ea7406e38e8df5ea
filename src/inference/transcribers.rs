//! Which speech model is open: loaded at its first use and dropped with its last, as it is large and seldom needed.
//!
//! How a setting becomes a model is the composition root's business; it gives [`Transcribers::new`] the function.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::{ModelError, Transcriber};

type Open = dyn Fn() -> Result<Arc<dyn Transcriber>, ModelError> + Send + Sync;

/// The speech model of this program, if there is one.
pub struct Transcribers {
    open: Box<Open>,
    opened: Mutex<Option<Weak<dyn Transcriber>>>,
}

impl Transcribers {
    /// A model opened by `open`, which says [`ModelError::NotInstalled`] when there is none.
    pub fn new(open: impl Fn() -> Result<Arc<dyn Transcriber>, ModelError> + Send + Sync + 'static) -> Self {
        Self { open: Box::new(open), opened: Mutex::default() }
    }

    /// The model. The first call loads it, so that async callers make it on a blocking thread.
    pub fn get(&self) -> Result<Arc<dyn Transcriber>, ModelError> {
        // Held while loading: a second caller waits for the first instead of loading the model twice.
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(model) = opened.as_ref().and_then(Weak::upgrade) {
            return Ok(model);
        }
        let model = (self.open)()?;
        *opened = Some(Arc::downgrade(&model));
        Ok(model)
    }
}
