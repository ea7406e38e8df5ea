//! Plots: numbers in, a [`Plot`] out, which is one SVG with its words and its numbers beside it.
//!
//! Pure functions without a clock, a file or a library. Colours are the classes `s0` to `s5` and variables of
//! `assets/eval/report.css`, so that one drawing serves light and dark; every series also has its own dash and marker, so
//! that nothing depends on colour. `report::html` puts plots on a page; `eval` and `bench` decide which.

mod abstention;
mod chart;
mod distribution;
mod frame;
mod intervals;
mod reliability;
mod scale;
mod svg;

pub use abstention::{Scores, risk_coverage, roc};
pub use chart::{
    Chart, Line, Look, Mark, Setting, latency_by_clients, rates, recall_against_latency, throughput,
};
pub use distribution::{latency_distribution, latency_shares};
pub use intervals::{Bar, Change, Group, bars, differences};
pub use reliability::reliability;
pub use scale::{Axis, number};
pub(crate) use svg::escape;

use super::report::html::Table;

/// One drawing with what somebody needs who does not see it: its words, and its numbers as a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Plot {
    pub title: String,
    /// What is drawn, how to read it, and what it says here.
    pub description: String,
    /// `<svg …>…</svg>`, with a `viewBox` and no fixed size.
    pub svg: String,
    pub data: Table,
}
