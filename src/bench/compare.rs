//! Two runs of the same bench beside each other: the ratio of each figure, and what makes them hard to compare.
//!
//! In: an earlier report's JSON and the new one. Out: a [`Comparison`] that travels inside the new report. Figures are
//! matched by the names of measurement and figure; whether two medians differ is told by the spreads of both.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::BenchError;
use super::report::{Better, Figure, Report};

/// What became of an earlier run's figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Comparison {
    /// The earlier run's version and time.
    pub version: String,
    pub measured_at: u64,
    /// Differences of machine and settings: with them a ratio tells of more than the program.
    pub warnings: Vec<String>,
    pub ratios: Vec<Ratio>,
}

/// One figure, then and now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ratio {
    pub measurement: String,
    pub figure: String,
    pub before: f64,
    pub now: f64,
    /// Now divided by before.
    pub ratio: f64,
    pub verdict: Verdict,
}

/// Whether it got better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Better,
    Worse,
    /// Each median lies within the other's p5 to p95.
    Same,
    /// It differs, and neither way is good.
    Other,
}

impl Verdict {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Worse => "worse",
            Self::Same => "same",
            Self::Other => "",
        }
    }
}

impl Comparison {
    pub fn ratio(&self, measurement: &str, figure: &str) -> Option<&Ratio> {
        self.ratios.iter().find(|ratio| ratio.measurement == measurement && ratio.figure == figure)
    }
}

/// Reads an earlier report.
pub fn read(path: &Path) -> Result<Report, BenchError> {
    let unusable = |reason: String| BenchError::Report { path: path.to_owned(), reason };
    let text = std::fs::read_to_string(path).map_err(|error| unusable(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| unusable(error.to_string()))
}

/// Compares a run with an earlier one of the same bench.
pub fn compare(now: &Report, before: &Report) -> Comparison {
    let mut ratios = Vec::new();
    for measurement in &now.measurements {
        for figure in &measurement.figures {
            let Some(old) = before.figure(&measurement.name, &figure.name) else { continue };
            let (was, is) = (old.value.median, figure.value.median);
            if was == 0.0 {
                continue;
            }
            ratios.push(Ratio {
                measurement: measurement.name.clone(),
                figure: figure.name.clone(),
                before: was,
                now: is,
                ratio: is / was,
                verdict: verdict(figure, old),
            });
        }
    }
    Comparison {
        version: before.version.clone(),
        measured_at: before.measured_at,
        warnings: differences(now, before),
        ratios,
    }
}

fn verdict(now: &Figure, before: &Figure) -> Verdict {
    let (is, was) = (now.value, before.value);
    let within = |value: f64, low: f64, high: f64| (low..=high).contains(&value);
    if within(is.median, was.p5, was.p95) && within(was.median, is.p5, is.p95) {
        return Verdict::Same;
    }
    match (now.better, is.median > was.median) {
        (Better::Neither, _) => Verdict::Other,
        (Better::Higher, true) | (Better::Lower, false) => Verdict::Better,
        (Better::Higher, false) | (Better::Lower, true) => Verdict::Worse,
    }
}

/// What else than the program is different, as sentences.
fn differences(now: &Report, before: &Report) -> Vec<String> {
    let mut warnings = Vec::new();
    let mut differ = |what: &str, was: String, is: String| {
        if was != is {
            warnings.push(format!("{what} differs: {was} before, {is} now"));
        }
    };
    let (old, new) = (&before.machine, &now.machine);
    differ("the processor", old.processor.clone(), new.processor.clone());
    differ("the instruction set", old.instructions.clone(), new.instructions.clone());
    differ("the number of cores", old.cores.to_string(), new.cores.to_string());
    let memory = |mb: Option<u64>| mb.map_or("unknown".to_owned(), |mb| format!("{mb} MB"));
    differ("the memory", memory(old.memory_mb), memory(new.memory_mb));
    differ("the system", old.system.clone(), new.system.clone());
    let names: std::collections::BTreeSet<&String> =
        before.settings.keys().chain(now.settings.keys()).collect();
    for name in names {
        let shown =
            |report: &Report| report.settings.get(name).map_or("absent".to_owned(), ToString::to_string);
        differ(&format!("the setting `{name}`"), shown(before), shown(now));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::report::{sampled, single};
    use super::*;

    fn report(speed: [f64; 3], size: f64) -> Report {
        let mut report = Report::begin("embed", json!({"threads": 2}));
        let speed = sampled("texts_per_second", "texts/s", Better::Higher, speed);
        report.add("batch 8", json!({}), vec![speed, single("memory", "MB", Better::Lower, size)]);
        report
    }

    #[test]
    fn a_ratio_says_which_way_it_went() {
        let before = report([10.0, 11.0, 12.0], 100.0);
        let check = |speed, size, expected: [Verdict; 2]| {
            let compared = compare(&report(speed, size), &before);
            assert_eq!(compared.ratios.iter().map(|ratio| ratio.verdict).collect::<Vec<_>>(), expected);
            assert!(compared.warnings.is_empty(), "{:?}", compared.warnings);
        };
        check([10.5, 11.5, 11.0], 100.0, [Verdict::Same, Verdict::Same]);
        check([20.0, 22.0, 24.0], 90.0, [Verdict::Better, Verdict::Better]);
        check([5.0, 5.5, 6.0], 110.0, [Verdict::Worse, Verdict::Worse]);
        let twice = compare(&report([20.0, 22.0, 24.0], 100.0), &before);
        assert_eq!(twice.ratio("batch 8", "texts_per_second").unwrap().ratio, 2.0);
    }

    #[test]
    fn another_machine_and_other_settings_are_told() {
        let before = report([1.0; 3], 1.0);
        let mut now = before.clone();
        now.machine.processor = "abacus".into();
        now.machine.load = Some(99.0);
        now.settings.insert("threads".into(), json!(4));
        now.settings.insert("batches".into(), json!([1]));
        let warnings = compare(&now, &before).warnings.join("\n");
        assert!(warnings.contains("abacus") && warnings.contains("`threads` differs: 2 before, 4 now"));
        assert!(warnings.contains("`batches` differs: absent") && !warnings.contains("load"), "{warnings}");
    }
}
