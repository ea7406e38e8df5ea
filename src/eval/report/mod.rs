//! What `eval` prints: the JSON of the contract's section 5, and a table for people.

pub mod html;
mod meaning;
pub mod page;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};

use super::metrics::{Percentiles, RankingScores};

/// The outcome of one run over one data set.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Report {
    /// The name of the folder or file.
    pub dataset: String,
    /// Questions, claims or cases that were measured.
    pub queries: usize,
    pub metrics: Metrics,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<Percentiles>,
    /// What is needed to measure it again: version, models, options, sample and seed.
    pub settings: Map<String, Value>,
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

impl Report {
    /// The table for people: a line for each metric, the latency, the settings.
    pub fn table(&self) -> String {
        let mut rows: Vec<(&str, String)> = self
            .metrics
            .iter()
            .map(|(name, value)| (name, value.map_or("–".to_owned(), |v| format!("{v:.4}"))))
            .collect();
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
