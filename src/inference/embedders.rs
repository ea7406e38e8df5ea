//! Which embedding models are open: each is loaded once, at its first use, and shared.
//!
//! How a name becomes a model is the composition root's business; it gives [`Embedders::new`] the function.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Embedder, ModelError};

type Open = dyn Fn(&str) -> Result<Arc<dyn Embedder>, ModelError> + Send + Sync;

/// Open embedding models by name.
pub struct Embedders {
    open: Box<Open>,
    default: String,
    opened: Mutex<HashMap<String, Arc<dyn Embedder>>>,
}

impl Embedders {
    /// Models opened by `open`; `default` is for collections that have none yet.
    pub fn new(
        default: String,
        open: impl Fn(&str) -> Result<Arc<dyn Embedder>, ModelError> + Send + Sync + 'static,
    ) -> Self {
        Self { open: Box::new(open), default, opened: Mutex::default() }
    }

    /// The model of that name, else the default one. The first call for a name loads it, so that async callers
    /// make it on a blocking thread.
    pub fn get(&self, name: Option<&str>) -> Result<Arc<dyn Embedder>, ModelError> {
        let name = name.unwrap_or(&self.default);
        // Held while loading: a second caller waits for the first instead of loading the model twice.
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(model) = opened.get(name) {
            return Ok(model.clone());
        }
        let model = (self.open)(name)?;
        opened.insert(name.to_owned(), model.clone());
        Ok(model)
    }
}
