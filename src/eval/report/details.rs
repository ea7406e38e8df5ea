//! What a report says beyond the contract's fields: each part is left out of the JSON where it is empty.
//!
//! Single questions are in saved runs and with `--per-question`; comparing two runs and the plots need them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::eval::metrics::{
    Bin, Interval, Rates, auroc_interval, expected_calibration_error, mean_interval, reliability,
    weighted_interval,
};
use crate::eval::provenance::Provenance;

/// What was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    Retrieval,
    Answers,
    Grounding,
    Injection,
}

impl Task {
    /// As files and messages name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Retrieval => "retrieval",
            Self::Answers => "answers",
            Self::Grounding => "grounding",
            Self::Injection => "injection",
        }
    }

    /// What its area under the ROC curve is called, where it has one.
    fn area(self) -> Option<&'static str> {
        match self {
            Self::Answers => Some("abstention_auroc"),
            Self::Grounding => Some("auroc"),
            Self::Retrieval | Self::Injection => None,
        }
    }
}

/// The optional parts of a report.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Details {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<Task>,
    /// Where each mean, and the area under the ROC curve, would lie with other questions of the same kind, in 95 of 100 cases.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub intervals: BTreeMap<String, [f64; 2]>,
    /// The reliability diagram of the confidence.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reliability: Vec<Bin>,
    /// What would be answered at other thresholds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub abstention: Vec<CurvePoint>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provenance: Option<Provenance>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub questions: Vec<Scored>,
}

/// Shares answered at one threshold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    pub threshold: f64,
    pub answered_of_answerable: Option<f64>,
    pub answered_of_unanswerable: Option<f64>,
}

/// One question, claim or case.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Scored {
    pub id: String,
    /// Its part in each mean; a number that it says nothing about is absent.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub scores: BTreeMap<String, f64>,
    /// How much it counts in a mean, where that is not 1: a mean over quotes counts each of its quotes.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub weights: BTreeMap<String, f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<f64>,
    /// What an area under the ROC curve ranks by: confidence, support.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// What it should tell: answerable, supported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub positive: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub abstained: Option<bool>,
}

impl Scored {
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), ..Self::default() }
    }

    pub fn add(&mut self, name: &str, value: impl Into<Option<f64>>) {
        if let Some(value) = value.into() {
            self.scores.insert(name.to_owned(), value);
        }
    }

    /// The mean of several values, which counts as many times in the whole.
    pub fn add_mean(&mut self, name: &str, values: &[bool]) {
        if let Some(share) = crate::eval::metrics::share(values.iter().copied()) {
            self.scores.insert(name.to_owned(), share);
            if values.len() > 1 {
                self.weights.insert(name.to_owned(), values.len() as f64);
            }
        }
    }

    /// Value and weight in a mean.
    pub fn weighted(&self, name: &str) -> Option<(f64, f64)> {
        let weight = self.weights.get(name).copied().unwrap_or(1.0);
        self.scores.get(name).map(|&value| (value, weight))
    }
}

impl Details {
    /// What follows from single questions: intervals, and the reliability where there are confidences.
    pub fn of(task: Task, questions: Vec<Scored>, seed: u64) -> Self {
        let names: std::collections::BTreeSet<&String> =
            questions.iter().flat_map(|question| question.scores.keys()).collect();
        let mut intervals = BTreeMap::new();
        for name in names {
            let values: Vec<(f64, f64)> = questions.iter().filter_map(|q| q.weighted(name)).collect();
            let interval = if questions.iter().any(|question| question.weights.contains_key(name)) {
                weighted_interval(&values, seed)
            } else {
                mean_interval(&values.iter().map(|(value, _)| *value).collect::<Vec<_>>(), seed)
            };
            intervals.extend(interval.map(|Interval { low, high, .. }| (name.clone(), [low, high])));
        }
        let scored: Vec<(f64, bool)> =
            questions.iter().filter_map(|question| Some((question.score?, question.positive?))).collect();
        if let (Some(name), Some(Interval { low, high, .. })) = (task.area(), auroc_interval(&scored, seed)) {
            intervals.insert(name.to_owned(), [low, high]);
        }
        Self { task: Some(task), intervals, questions, ..Self::default() }
    }

    /// Adds the diagrams of confidences; gives the expected calibration error.
    pub fn add_confidences(&mut self, known: &[(f64, bool)]) -> Option<f64> {
        self.reliability = reliability(known);
        self.abstention = (0..=50)
            .map(|step| {
                let threshold = f64::from(step) / 50.0;
                let rates = Rates::at(threshold, known);
                CurvePoint {
                    threshold,
                    answered_of_answerable: rates.true_positive,
                    answered_of_unanswerable: rates.false_positive,
                }
            })
            .collect();
        expected_calibration_error(&self.reliability)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_and_areas_get_intervals() {
        let questions: Vec<Scored> = (0..20)
            .map(|at| {
                let (score, positive) = (Some(f64::from(at % 7)), Some(at % 2 == 0));
                let mut scored = Scored { score, positive, ..Scored::new(at.to_string()) };
                scored.add("hit@1", f64::from(at % 2));
                scored.add("recall", None);
                scored.add_mean("quote_validity", &[true, at > 3]);
                scored
            })
            .collect();
        let details = Details::of(Task::Answers, questions, 7);
        let [low, high] = details.intervals["hit@1"];
        assert!(low < 0.5 && high > 0.5, "{:?}", details.intervals);
        let names: Vec<&str> = details.intervals.keys().map(String::as_str).collect();
        assert_eq!(names, ["abstention_auroc", "hit@1", "quote_validity"]);
        let [low, high] = details.intervals["quote_validity"];
        assert!(low < 0.9 && high > 0.9 && high <= 1.0, "{low} {high}");
        assert_eq!(details.questions[0].weighted("quote_validity"), Some((0.5, 2.0)));
        assert_eq!(details.questions[0].weighted("recall"), None);
    }
}
