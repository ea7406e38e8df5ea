//! Measuring quality: data sets in, numbers out.
//!
//! [`dataset`] reads the files of the contract's section 5, [`metrics`] are pure functions, [`sample`] chooses a part of
//! a set, [`report`] is what `eval` prints. Who asks the engine and times it is the runner; nothing here knows
//! how an answer comes about, so that a metric can be checked against other programs' numbers without one.

pub mod dataset;
pub mod metrics;
pub mod report;
pub mod sample;
