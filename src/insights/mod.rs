//! What a creator's questions say about the course: how many there are and how they went ([`volume`]), and which are
//! asked again and again or go unanswered ([`cluster`]), and why answers did not help ([`complaints`]).
//!
//! Comes in: kept turns, and vectors of their questions. Goes out: numbers by day, and groups of questions, masked. Pure:
//! `app` reads the turns, has the questions embedded and says what time it is.

pub mod cluster;
pub mod complaints;
pub mod volume;

use serde::{Deserialize, Serialize};

pub use complaints::Complaints;

/// How the questions of some days went.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Insights {
    /// Every day of the time, oldest first, also those without a question.
    pub days: Vec<Day>,
    pub asked: u32,
    /// From the content, with quotations.
    pub answered: u32,
    /// Declined because the content does not hold the answer.
    pub abstained: u32,
    /// Handed to a person, for whatever reason.
    pub escalated: u32,
    /// Answers that students found helpful, and not.
    pub helpful: u32,
    pub unhelpful: u32,
    /// Mean support of the answers by what they quote, 0 to 1; `null` without any.
    pub groundedness: Option<f32>,
    /// Median time of an answer, in milliseconds.
    pub median_ms: Option<u32>,
}

/// The same of one day.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Day {
    /// `YYYY-MM-DD`, in UTC.
    pub date: String,
    pub asked: u32,
    pub answered: u32,
    pub abstained: u32,
    pub escalated: u32,
    pub helpful: u32,
    pub unhelpful: u32,
    pub median_ms: Option<u32>,
}

/// Questions that ask about the same. Personal data in them is masked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Cluster {
    /// The one that is nearest to all the others.
    pub question: String,
    pub count: u32,
    /// Milliseconds since 1970 (UTC).
    pub last_asked_ms: u64,
    /// Other wordings, newest first, at most [`cluster::EXAMPLES`].
    pub examples: Vec<String>,
}
