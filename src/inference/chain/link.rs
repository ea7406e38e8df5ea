//! One model of a chain, for as long as the program runs: the model, its breaker, and how it fared lately.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::backoff::Backoff;
use super::breaker::{Breaker, BreakerOptions, BreakerState};
use super::price::Price;
use crate::inference::{ChatModel, ModelError};

/// How a link is used.
#[derive(Debug, Clone)]
pub struct LinkOptions {
    /// Tries before the next link gets its turn.
    pub attempts: u32,
    pub backoff: Backoff,
    pub breaker: BreakerOptions,
    /// Where the words go when they leave this machine; `None` for models that run here.
    pub leaves_to: Option<String>,
    pub price: Price,
    /// Gives a number in 0..1 for the jitter.
    pub random: fn() -> f64,
}

impl LinkOptions {
    /// A model that runs here: one try, for what failed here once fails again.
    pub fn local(random: fn() -> f64) -> Self {
        Self {
            attempts: 1,
            backoff: Backoff::default(),
            breaker: BreakerOptions::default(),
            leaves_to: None,
            price: Price::default(),
            random,
        }
    }
}

/// A model with its breaker.
pub struct Link {
    pub(super) model: Arc<dyn ChatModel>,
    pub(super) options: LinkOptions,
    health: Mutex<Health>,
}

struct Health {
    breaker: Breaker,
    last_fault: Option<String>,
}

/// What people see of a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkState {
    pub name: String,
    pub leaves_to: Option<String>,
    pub breaker: BreakerState,
    /// Failures and calls that the breaker looks at.
    pub failures: usize,
    pub calls: usize,
    /// Code of the last failure; kept when it works again.
    pub last_fault: Option<String>,
}

impl Link {
    pub fn new(model: Arc<dyn ChatModel>, options: LinkOptions) -> Self {
        let breaker = Breaker::new(options.breaker);
        Self { model, options, health: Mutex::new(Health { breaker, last_fault: None }) }
    }

    pub fn name(&self) -> &str {
        self.model.name()
    }

    /// The model behind it.
    pub fn model(&self) -> Arc<dyn ChatModel> {
        self.model.clone()
    }

    /// Where the words go when they leave this machine.
    pub fn leaves_to(&self) -> Option<&str> {
        self.options.leaves_to.as_deref()
    }

    /// What its tokens cost.
    pub fn price(&self) -> Price {
        self.options.price
    }

    pub fn state(&self, now: Instant) -> LinkState {
        let health = self.health();
        let (failures, calls) = health.breaker.counts();
        LinkState {
            name: self.name().to_owned(),
            leaves_to: self.options.leaves_to.clone(),
            breaker: health.breaker.state(now),
            failures,
            calls,
            last_fault: health.last_fault.clone(),
        }
    }

    /// A permit for one call, or how long there is none.
    pub(super) fn permit(self: &Arc<Self>) -> Result<Permit, std::time::Duration> {
        self.health().breaker.allow(Instant::now())?;
        Ok(Permit { link: Some(self.clone()) })
    }

    fn record(&self, error: Option<&ModelError>) {
        let mut health = self.health();
        health.breaker.record(Instant::now(), error.is_none());
        if let Some(error) = error {
            health.last_fault = Some(code(error).to_owned());
        }
    }

    /// Counting cannot stop halfway, so a poisoned lock is as good as any.
    fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn code(error: &ModelError) -> &'static str {
    match error {
        ModelError::Remote { fault, .. } => fault.code(),
        ModelError::Busy { .. } => "busy",
        ModelError::Unavailable(_) => "stopped",
        ModelError::NotInstalled { .. } => "not_installed",
        ModelError::Unusable { .. } => "unusable",
        ModelError::TooLong { .. } => "prompt_too_long",
        ModelError::Failed(_) => "failed",
    }
}

/// A call that the breaker allowed; its outcome is reported exactly once, by being dropped if need be.
pub(super) struct Permit {
    link: Option<Arc<Link>>,
}

impl Permit {
    pub fn good(mut self) {
        if let Some(link) = self.link.take() {
            link.record(None);
        }
    }

    /// A full queue and a long prompt say nothing about the model.
    pub fn failed(mut self, error: &ModelError) {
        if matches!(error, ModelError::Busy { .. } | ModelError::TooLong { .. }) {
            return;
        }
        if let Some(link) = self.link.take() {
            link.record(Some(error));
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(link) = self.link.take() {
            link.health().breaker.abandon();
        }
    }
}
