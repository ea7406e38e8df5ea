//! What a run of `bench` gives: plain data, its JSON, and a table for people.
//!
//! The JSON is documented by `benches/report.schema.json`, and a test holds the two together. Tables are made here;
//! plots are made of the same data elsewhere: each [`Measurement`] carries its parameters as values, so that a plot can
//! put clients, batch sizes or numbers of vectors on an axis. Read again by [`super::compare`].

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::compare::Comparison;
use super::machine::Machine;
use super::spread::Spread;

/// The version of the JSON's layout; a change that could break a reader makes it another.
pub const SCHEMA: &str = "neverafk-bench-1";

/// The outcome of one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    pub schema: String,
    /// `embed`, `chat`, `search`, `ingest` or `serve`.
    pub bench: String,
    /// Version of the program.
    pub version: String,
    /// Milliseconds since 1970, when the run began.
    pub measured_at: u64,
    /// How long the run took.
    pub seconds: f64,
    pub machine: Machine,
    /// What is needed to measure it again: model, threads, sizes, seed, warm-ups, time for each measurement.
    pub settings: Map<String, Value>,
    pub measurements: Vec<Measurement>,
    /// What a reader should know about the figures.
    pub notes: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comparison: Option<Comparison>,
}

/// Figures of one combination of parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measurement {
    /// Unique within the report; two runs are compared by it.
    pub name: String,
    pub parameters: Map<String, Value>,
    pub figures: Vec<Figure>,
}

/// One figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// Snake case, unique within the measurement.
    pub name: String,
    pub unit: String,
    pub better: Better,
    pub value: Spread,
}

/// Which way is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    Higher,
    Lower,
    /// A count or a size that only describes.
    Neither,
}

impl Report {
    /// A report without figures yet.
    pub fn begin(bench: &str, settings: Value) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            bench: bench.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            measured_at: crate::app::now().0,
            seconds: 0.0,
            machine: Machine::here(),
            settings: if let Value::Object(map) = settings { map } else { Map::new() },
            measurements: Vec::new(),
            notes: Vec::new(),
            comparison: None,
        }
    }

    /// Adds a measurement.
    pub fn add(&mut self, name: impl Into<String>, parameters: Value, figures: Vec<Option<Figure>>) {
        let parameters = if let Value::Object(map) = parameters { map } else { Map::new() };
        let figures = figures.into_iter().flatten().collect();
        self.measurements.push(Measurement { name: name.into(), parameters, figures });
    }

    pub fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// A figure by the names of its measurement and its own.
    pub fn figure(&self, measurement: &str, figure: &str) -> Option<&Figure> {
        let found = self.measurements.iter().find(|one| one.name == measurement)?;
        found.figures.iter().find(|one| one.name == figure)
    }

    /// The table for people.
    pub fn table(&self) -> String {
        let mut table = format!("bench {}, neverafk {}\n{}\n", self.bench, self.version, self.machine.line());
        let settings: Vec<String> =
            self.settings.iter().map(|(name, value)| format!("{name} {}", plain(value))).collect();
        table.push_str(&format!("{}\n\n", settings.join(", ")));
        let mut rows = vec![["", "", "median", "p5", "p95", "p99", "n"].map(str::to_owned).to_vec()];
        if self.comparison.is_some() {
            rows[0].extend(["before", "ratio", ""].map(str::to_owned));
        }
        for measurement in &self.measurements {
            for (place, figure) in measurement.figures.iter().enumerate() {
                let name = if place == 0 { measurement.name.clone() } else { String::new() };
                rows.push(self.row(name, &measurement.name, figure));
            }
        }
        table.push_str(&aligned(&rows));
        for note in &self.notes {
            table.push_str(&format!("\n{note}"));
        }
        table
    }

    fn row(&self, name: String, measurement: &str, figure: &Figure) -> Vec<String> {
        let Spread { median, p5, p95, p99, repetitions, .. } = figure.value;
        let mut row = vec![name, format!("{} {}", figure.name, figure.unit), number(median)];
        let sample = |value: f64| if repetitions > 1 { number(value) } else { String::new() };
        row.extend([sample(p5), sample(p95), sample(p99)]);
        row.push(if repetitions > 1 { repetitions.to_string() } else { String::new() });
        if let Some(comparison) = &self.comparison {
            match comparison.ratio(measurement, &figure.name) {
                Some(ratio) => row.extend([
                    number(ratio.before),
                    format!("{:.2}", ratio.ratio),
                    ratio.verdict.as_str().to_owned(),
                ]),
                None => row.extend([String::new(), String::new(), String::new()]),
            }
        }
        row
    }
}

/// A figure of many values; absent when there are none.
pub fn sampled(
    name: &str,
    unit: &str,
    better: Better,
    values: impl IntoIterator<Item = f64>,
) -> Option<Figure> {
    let value = Spread::of(values)?;
    Some(Figure { name: name.to_owned(), unit: unit.to_owned(), better, value })
}

/// A figure of one value.
pub fn single(name: &str, unit: &str, better: Better, value: f64) -> Option<Figure> {
    let value = Spread::exactly(value);
    Some(Figure { name: name.to_owned(), unit: unit.to_owned(), better, value })
}

/// Three or four digits that matter.
pub fn number(value: f64) -> String {
    let size = value.abs();
    if size >= 100.0 || value == value.trunc() {
        format!("{value:.0}")
    } else if size >= 10.0 {
        format!("{value:.1}")
    } else if size >= 1.0 {
        format!("{value:.2}")
    } else {
        format!("{value:.3}")
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join("/"),
        other => other.to_string(),
    }
}

/// The first two columns to the left, the numbers to the right.
fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut table = String::new();
    for row in rows {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(column, (cell, &width))| {
                let right = (2..9).contains(&column);
                if right { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
            })
            .collect();
        table.push_str(cells.join("  ").trim_end());
        table.push('\n');
    }
    table
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn it_reads_what_it_writes_and_nothing_else() {
        let mut report = Report::begin("embed", json!({"model": "static", "batches": [1, 8]}));
        report.add(
            "batch 8",
            json!({"batch": 8}),
            vec![sampled("tokens_per_second", "tokens/s", Better::Higher, [10.0, 30.0, 20.0]), None],
        );
        report.note("A note.");
        let mut value = serde_json::to_value(&report).unwrap();
        assert_eq!(serde_json::from_value::<Report>(value.clone()).unwrap(), report);
        value["more"] = json!(1);
        assert!(serde_json::from_value::<Report>(value).is_err());
        assert_eq!(report.figure("batch 8", "tokens_per_second").unwrap().value.median, 20.0);
    }

    #[test]
    fn the_table_lines_up() {
        let rows = [["", "", "median"], ["batch 8", "ms", "1.25"], ["", "tokens/s", "12345"]];
        let rows: Vec<Vec<String>> = rows.iter().map(|row| row.map(str::to_owned).to_vec()).collect();
        assert_eq!(
            aligned(&rows),
            "                   median\nbatch 8  ms          1.25\n         tokens/s   12345\n"
        );
        let check = |value: f64, expected: &str| assert_eq!(number(value), expected);
        check(0.01234, "0.012");
        check(3.456, "3.46");
        check(34.56, "34.6");
        check(3456.7, "3457");
        check(8.0, "8");
    }
}
