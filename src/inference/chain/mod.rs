//! What stands between a question and a model that may fail: attempts, pauses, and a breaker for each model.
//!
//! A [`Link`] is one model of an ordered chain and lives as long as the program; an [`Attempt`] is one question's use
//! of it and is itself a [`ChatModel`](super::ChatModel). It tries again only before the first piece, so two texts
//! never mix. Which link comes next, and what is done when none is left, is `answer/chain.rs`.

mod attempt;
mod backoff;
mod breaker;
mod link;
mod price;

pub use attempt::{Attempt, Spent};
pub use backoff::Backoff;
pub use breaker::{BreakerOptions, BreakerState};
pub use link::{Link, LinkOptions, LinkState};
pub use price::Price;
