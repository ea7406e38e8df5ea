//! What `eval` prints: the JSON of the contract's section 5, and a table for people.
//!
//! The numbers are [`metrics`](super::metrics); what repeats a run is [`provenance`](super::provenance); two reports
//! beside each other are [`compare`](super::compare).

mod details;
pub mod html;
mod meaning;
mod of;
pub mod page;
mod spark;

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};

use super::metrics::{Percentiles, RankingScores};

pub use details::{CurvePoint, Details, Scored, Task};
pub use of::{of_comparison, of_runs};

/// The outcome of one run over one data set.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Report {
    /// The name of the folder or file.
    pub dataset: String,
    /// Questions, claims or cases that were measured.
    pub queries: usize,
    pub metrics: Metrics,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<Percentiles>,
    /// The settings that matter most to a reader; all of them are in the provenance.
    pub settings: Map<String, Value>,
    /// What goes beyond the contract: intervals, provenance, single questions.
    #[serde(flatten)]
    pub details: Details,
}

/// Named numbers in the order in which they are told. One that the data cannot give (an AUROC without negatives) is null.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Metrics(Vec<(String, Option<f64>)>);

impl Metrics {
    pub fn add(&mut self, name: impl Into<String>, value: impl Into<Option<f64>>) {
        self.0.push((name.into(), value.into()));
    }

    pub fn get(&self, name: &str) -> Option<f64> {
        self.0.iter().find(|(known, _)| known == name).and_then(|(_, value)| *value)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<f64>)> {
        self.0.iter().map(|(name, value)| (name.as_str(), *value))
    }
}

impl From<RankingScores> for Metrics {
    fn from(scores: RankingScores) -> Self {
        Self(scores.named().map(|(name, value)| (name.to_owned(), Some(value))).to_vec())
    }
}

impl Serialize for Metrics {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Metrics {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Metrics;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("numbers by name")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Metrics, A::Error> {
                let mut metrics = Metrics::default();
                while let Some((name, value)) = map.next_entry::<String, Option<f64>>()? {
                    metrics.add(name, value);
                }
                Ok(metrics)
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

impl Report {
    /// The table with drawings, for a terminal: a bar for each metric, and how the times are spread.
    pub fn drawn(&self) -> String {
        let mut drawn = String::new();
        for line in self.table().lines() {
            let name = line.split_whitespace().next().unwrap_or_default();
            let share = self.metrics.get(name).filter(|value| (0.0..=1.0).contains(value));
            let bar = match share {
                Some(share) if line.starts_with(' ') => spark::bar(share, 16) + "  ",
                _ => String::new(),
            };
            drawn.push_str(&format!("{bar:<18}{line}\n"));
        }
        let times: Vec<f64> =
            self.details.questions.iter().filter_map(|question| question.latency_ms).collect();
        let spread = spark::distribution(&times, 40);
        if !spread.is_empty() {
            let (low, high) = times
                .iter()
                .fold((f64::INFINITY, 0.0f64), |(low, high), time| (low.min(*time), high.max(*time)));
            drawn.push_str(&format!("{:18}  times  {low:.1} ms {spread} {high:.1} ms\n", ""));
        }
        drawn
    }

    /// The table for people: a line for each metric, the latency, the settings.
    pub fn table(&self) -> String {
        let shown = |(name, value): (&'_ str, Option<f64>)| {
            let interval = self.details.intervals.get(name);
            let interval = interval.map_or(String::new(), |[low, high]| format!("  {low:.4} to {high:.4}"));
            value.map_or("–".to_owned(), |value| format!("{value:.4}{interval}"))
        };
        let mut rows: Vec<(&str, String)> =
            self.metrics.iter().map(|(name, value)| (name, shown((name, value)))).collect();
        if let Some(Percentiles { p50, p95, p99 }) = self.latency_ms {
            rows.push(("latency", format!("p50 {p50:.1} ms, p95 {p95:.1} ms, p99 {p99:.1} ms")));
        }
        rows.extend(self.settings.iter().map(|(name, value)| (name.as_str(), plain(value))));
        let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        let mut table = format!("{}, {} queries\n", self.dataset, self.queries);
        for (name, value) in rows {
            table.push_str(&format!("  {name:<width$}  {value}\n"));
        }
        table
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn report() -> Report {
        let scores = RankingScores { hit_at_1: 0.5, hit_at_5: 0.75, ..RankingScores::default() };
        let mut metrics = Metrics::from(scores);
        metrics.add("auroc", None);
        Report {
            dataset: "faq".to_owned(),
            queries: 4,
            metrics,
            latency_ms: Percentiles::of(&[1.0, 2.0]),
            settings: json!({"embedder": "static", "limit": 4}).as_object().unwrap().clone(),
            details: Details::default(),
        }
    }

    #[test]
    fn the_json_is_the_contracts() {
        assert_eq!(
            serde_json::to_string(&report()).unwrap(),
            "{\"dataset\":\"faq\",\"queries\":4,\"metrics\":{\"hit@1\":0.5,\"hit@5\":0.75,\"hit@10\":0.0,\"mrr@10\":0.0,\
             \"ndcg@10\":0.0,\"recall@100\":0.0,\"auroc\":null},\"latency_ms\":{\"p50\":1.5,\"p95\":1.95,\"p99\":1.99},\
             \"settings\":{\"embedder\":\"static\",\"limit\":4}}"
        );
        assert_eq!((report().metrics.get("hit@5"), report().metrics.get("auroc")), (Some(0.75), None));
    }

    #[test]
    fn what_was_written_is_read_again() {
        let mut full = report();
        full.details.task = Some(Task::Retrieval);
        full.details.intervals.insert("hit@1".to_owned(), [0.25, 0.75]);
        full.details.questions.push(Scored { id: "q".to_owned(), score: Some(0.5), ..Scored::default() });
        let text = serde_json::to_string(&full).unwrap();
        assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), full);
        assert!(full.table().contains("hit@1       0.5000  0.2500 to 0.7500\n"), "{}", full.table());
    }

    #[test]
    fn the_table_lines_up() {
        let expected = "\
faq, 4 queries
  hit@1       0.5000
  hit@5       0.7500
  hit@10      0.0000
  mrr@10      0.0000
  ndcg@10     0.0000
  recall@100  0.0000
  auroc       –
  latency     p50 1.5 ms, p95 1.9 ms, p99 2.0 ms
  embedder    static
  limit       4
";
        assert_eq!(report().table(), expected);
    }
}
