//! What a creator's questions say about the course: how many there are and how they went ([`volume`]), and which are
//! asked again and again or go unanswered ([`cluster`]), and why answers did not help ([`complaints`]); where in a lesson
//! they come up ([`timeline`]); and which variant of an experiment does better ([`trial`]).
//!
//! Comes in: kept turns, and vectors of their questions. Goes out: numbers by day, and groups of questions, masked. Pure:
//! `app` reads the turns, has the questions embedded and says what time it is.

pub mod cluster;
pub mod complaints;
pub mod timeline;
pub mod trial;
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
    /// What the models of providers cost by their prices, in `currency`; models that run here cost nothing.
    pub cost: f64,
    /// The same for one question; `null` without any.
    pub cost_per_answer: Option<f64>,
    /// Of the prices in the server's settings.
    pub currency: String,
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
    pub cost: f64,
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

/// Where in the lessons students ask.
#[derive(Debug, Clone, Default, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Timeline {
    /// Those with the most questions first.
    pub lessons: Vec<Lesson>,
}

/// A lesson, as the pages name it, or a recording that answers quote, by its title.
#[derive(Debug, Clone, Default, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Lesson {
    pub lesson: String,
    pub asked: u32,
    /// Of these, without saying how far the lesson was played.
    pub without_place: u32,
    /// Asked at a place, and not in the content.
    pub declined: u32,
    /// Asked at a place, and the answer did not help.
    pub unhelpful: u32,
    /// Places that answers quote.
    pub quoted: u32,
    /// Length of each stretch.
    pub stretch_ms: u64,
    /// From the beginning to the last place that is known, in order.
    pub stretches: Vec<Stretch>,
}

/// A stretch of a lesson.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Stretch {
    pub from_ms: u64,
    pub asked: u32,
    pub declined: u32,
    pub unhelpful: u32,
    /// Answers to questions from anywhere that quote this stretch.
    pub quoted: u32,
}

/// What the variants of an experiment did.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Trial {
    /// In the order of the experiment.
    pub variants: Vec<VariantResult>,
    /// Each number of each variant beside the first one's, where enough students are there to tell.
    pub compared: Vec<Compared>,
    /// What it says, in words.
    pub sentence: String,
}

/// What one variant did.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct VariantResult {
    pub variant: String,
    pub weight: u32,
    /// Who got it: students, or conversations of those whom the site does not name.
    pub students: u32,
    pub asked: u32,
    /// From the content, with quotations.
    pub answered: u32,
    /// Answers that students found helpful, and not.
    pub helpful: u32,
    pub unhelpful: u32,
    /// Handed to a person, for whatever reason.
    pub escalated: u32,
    /// The content does not hold the answer.
    pub declined: u32,
    /// Mean support of the answers by what they quote, 0 to 1.
    pub groundedness: Option<f64>,
    /// By the prices of the models' providers.
    pub cost: f64,
    pub cost_per_answer: Option<f64>,
    pub median_ms: Option<u32>,
}

/// A number of a variant beside the first one's: means over students.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Compared {
    pub variant: String,
    /// `helpful`, `groundedness`, `escalated`, `declined`, `cost` or `latency_ms`.
    pub measure: &'static str,
    pub lower_is_better: bool,
    /// From 0 to 1.
    pub is_share: bool,
    pub first: f64,
    pub other: f64,
    /// `fisher` or `rank_sum`.
    pub test: &'static str,
    /// How often a difference this large comes about where there is none.
    pub p: f64,
    /// The same, corrected for the count of comparisons.
    pub p_corrected: f64,
    pub likely: Likely,
}

/// What a difference may be put down to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Likely {
    Chance,
    Better,
    Worse,
}

impl Compared {
    /// A value of it, for people.
    pub fn shown(&self, value: f64) -> String {
        match self.measure {
            _ if self.is_share => format!("{:.0} %", value * 100.0),
            "latency_ms" => format!("{value:.0} ms"),
            _ => format!("{value:.5}"),
        }
    }
}
