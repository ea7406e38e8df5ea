//! Two reports over the same questions: which is better, and can that be told?
//!
//! Each number is compared question by question ([`compare_means`], [`compare_aurocs`]). A number differs where its interval
//! leaves out 0 and its probability, corrected for the count of numbers, is below .05. Time is shown and never decides:
//! it depends on what else the machine did.

use std::collections::HashMap;

use serde::Serialize;

use super::metrics::{DRAWS, Difference, Weighted, compare_aurocs, compare_means};
use super::report::{Report, Scored};
use crate::stats::holm;

/// A difference below this probability is not put down to chance.
const SURE: f64 = 0.05;
/// Mean time for a question.
const LATENCY: &str = "latency_ms";
/// Says the same as another number.
const REDUNDANT: &str = "refused_of_answerable";

/// Numbers that are the better the lower they are.
const LOWER_IS_BETTER: [&str; 7] = [
    LATENCY,
    "answered_of_unanswerable",
    "refused_of_answerable",
    "brier",
    "ece",
    "attack_success_rate",
    "false_block_rate",
];

/// What a comparison says of a number, or of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Better,
    Worse,
    /// Better in one, worse in another.
    Mixed,
    NoDifference,
}

/// One number of two runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    pub metric: String,
    #[serde(flatten)]
    pub difference: Difference,
    /// Corrected for the count of numbers.
    pub p_corrected: f64,
    pub lower_is_better: bool,
    pub verdict: Verdict,
}

impl Row {
    /// Whether the second run is worse by more than the interval.
    pub fn falls(&self) -> bool {
        let Difference { low, high, .. } = self.difference;
        self.metric != LATENCY && if self.lower_is_better { low > 0.0 } else { high < 0.0 }
    }
}

/// The second run beside the first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    pub dataset: String,
    pub questions: usize,
    pub rows: Vec<Row>,
    pub verdict: Verdict,
    /// The verdict in words; the runs are called A and B.
    pub sentence: String,
}

/// Why two runs cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Incomparable {
    #[error("one run measured {0}, the other {1}")]
    Task(&'static str, &'static str),
    #[error("{0} was saved without its single questions")]
    NoQuestions(&'static str),
    #[error("the runs are over different questions: {0}")]
    Questions(String),
    #[error("the runs are over the same questions and different content")]
    Content,
    #[error("the runs have no number in common")]
    Nothing,
}

impl Incomparable {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NoQuestions(_) => {
                "measure again with `--save FILE`, or with `--json --per-question` into a file"
            }
            Self::Task(..) | Self::Questions(_) | Self::Nothing => {
                "measure both runs on the same set with the same `--limit` and `--seed`"
            }
            Self::Content => "measure both runs over the same corpus",
        }
    }
}

/// Compares `after` with `before`. Content of a creator may have changed meanwhile; a corpus may not. `progress` gets how
/// many numbers are compared, and of how many.
pub fn compare(
    before: &Report,
    after: &Report,
    seed: u64,
    progress: impl Fn(u64, u64),
) -> Result<Comparison, Incomparable> {
    check_data(before, after)?;
    let (first, second) = (&before.details.questions, &after.details.questions);
    let mut rows: Vec<Row> = Vec::new();
    let names = after.metrics.iter().map(|(name, _)| name).chain([LATENCY]);
    let names: Vec<&str> = names.filter(|name| *name != REDUNDANT).collect();
    for (done, &name) in (0u64..).zip(&names) {
        progress(done, names.len() as u64);
        let difference = if name.ends_with("auroc") {
            aurocs(first, second, seed)
        } else {
            let values = |questions: &[Scored]| -> Vec<Weighted> {
                questions.iter().map(|question| value(question, name)).collect()
            };
            compare_means(&values(first), &values(second), DRAWS, seed)
        };
        rows.extend(difference.map(|difference| Row {
            metric: name.to_owned(),
            difference,
            p_corrected: difference.p,
            lower_is_better: LOWER_IS_BETTER.contains(&name),
            verdict: Verdict::NoDifference,
        }));
    }
    let quality = rows.iter().filter(|row| row.metric != LATENCY).count();
    if quality == 0 {
        return Err(Incomparable::Nothing);
    }
    // Time stands last and is a question of its own. A number that is the same for every question could not have come
    // out otherwise, so it does not make the others harder to tell (Tarone, "A modified Bonferroni method for discrete
    // data", Biometrics 1990).
    let mut tested: Vec<&mut Row> = rows[..quality]
        .iter_mut()
        .filter(|row| row.difference.low != 0.0 || row.difference.high != 0.0)
        .collect();
    let corrected = holm(&tested.iter().map(|row| row.difference.p).collect::<Vec<_>>());
    tested.iter_mut().zip(corrected).for_each(|(row, p)| row.p_corrected = p);
    for row in &mut rows {
        let Difference { low, high, difference, .. } = row.difference;
        let told = row.p_corrected < SURE && (low > 0.0 || high < 0.0);
        row.verdict = match told {
            false => Verdict::NoDifference,
            true if (difference > 0.0) == row.lower_is_better => Verdict::Worse,
            true => Verdict::Better,
        };
    }
    let (verdict, sentence) = sum_up(&rows[..quality], first.len());
    Ok(Comparison { dataset: after.dataset.clone(), questions: first.len(), rows, verdict, sentence })
}

fn check_data(before: &Report, after: &Report) -> Result<(), Incomparable> {
    if let (Some(a), Some(b)) = (before.details.task, after.details.task)
        && a != b
    {
        return Err(Incomparable::Task(a.name(), b.name()));
    }
    for (report, which) in [(before, "the first run"), (after, "the second run")] {
        if report.details.questions.is_empty() {
            return Err(Incomparable::NoQuestions(which));
        }
    }
    let ids = |report: &Report| -> Vec<String> {
        report.details.questions.iter().map(|question| question.id.clone()).collect()
    };
    let (first, second) = (ids(before), ids(after));
    if first.len() != second.len() {
        return Err(Incomparable::Questions(format!("{} and {}", first.len(), second.len())));
    }
    if let Some((a, b)) = first.iter().zip(&second).find(|(a, b)| a != b) {
        return Err(Incomparable::Questions(format!("`{a}` in one stands where `{b}` stands in the other")));
    }
    let data = |report: &Report| report.details.provenance.as_ref().map(|known| known.data.clone());
    let (Some(first), Some(second)) = (data(before), data(after)) else { return Ok(()) };
    if first.questions != second.questions {
        return Err(Incomparable::Questions("their files differ".to_owned()));
    }
    if first.content != second.content && !(first.live && second.live) {
        return Err(Incomparable::Content);
    }
    Ok(())
}

fn value(question: &Scored, name: &str) -> Weighted {
    if name == LATENCY {
        return question.latency_ms.map(|latency| (latency, 1.0));
    }
    question.weighted(name)
}

fn aurocs(before: &[Scored], after: &[Scored], seed: u64) -> Option<Difference> {
    let (mut first, mut second, mut positive) = (Vec::new(), Vec::new(), Vec::new());
    for (before, after) in before.iter().zip(after) {
        if let (Some(a), Some(b), Some(is_positive)) = (before.score, after.score, after.positive) {
            first.push(a);
            second.push(b);
            positive.push(is_positive);
        }
    }
    compare_aurocs(&first, &second, &positive, DRAWS, seed)
}

fn sum_up(rows: &[Row], questions: usize) -> (Verdict, String) {
    let named = |verdict: Verdict| {
        let names: Vec<&str> =
            rows.iter().filter(|row| row.verdict == verdict).map(|row| row.metric.as_str()).collect();
        match names.split_last() {
            None => String::new(),
            Some((only, [])) => (*only).to_owned(),
            Some((last, others)) => format!("{} and {last}", others.join(", ")),
        }
    };
    let (better, worse) = (named(Verdict::Better), named(Verdict::Worse));
    let rest = if rows.iter().any(|row| row.verdict == Verdict::NoDifference) {
        "; in the rest no difference can be told"
    } else {
        ""
    };
    match (better.is_empty(), worse.is_empty()) {
        (true, true) => (
            Verdict::NoDifference,
            format!("no difference can be told: with {questions} questions, chance explains what differs"),
        ),
        (false, true) => (Verdict::Better, format!("B is better in {better}{rest}")),
        (true, false) => (Verdict::Worse, format!("A is better: B is worse in {worse}{rest}")),
        (false, false) => (Verdict::Mixed, format!("B is better in {better} and worse in {worse}{rest}")),
    }
}

impl Comparison {
    /// The table for people.
    pub fn table(&self) -> String {
        let mut table = format!(
            "{}, {} questions\n  {:<24} {:>9} {:>9}  {:>9}  {:^20}  {:>6}\n",
            self.dataset, self.questions, "", "A", "B", "B - A", "95 %", "p"
        );
        for row in &self.rows {
            let Difference { before, after, difference, low, high, .. } = row.difference;
            let verdict = match row.verdict {
                Verdict::Better => "better",
                Verdict::Worse => "worse",
                Verdict::Mixed | Verdict::NoDifference => "",
            };
            let line = format!(
                "  {:<24} {before:>9.4} {after:>9.4}  {difference:>+9.4}  {low:>+9.4} {high:>+9.4}   {:>6.4}  {verdict}",
                row.metric, row.p_corrected
            );
            table.push_str(line.trim_end());
            table.push('\n');
        }
        table + &self.sentence + "\n"
    }
}

/// Several runs over the same questions, each compared with the first.
pub fn side_by_side(reports: &[Report], labels: &[String], comparisons: &[Comparison]) -> String {
    let Some(first) = reports.first() else { return String::new() };
    let mut table = format!("{}, {} queries\n", first.dataset, first.queries);
    for (number, label) in labels.iter().enumerate() {
        table.push_str(&format!("  {}: {label}\n", number + 1));
    }
    table.push_str(&format!("  {:<24} {:>8}", "", 1));
    (2..=reports.len()).for_each(|number| table.push_str(&format!("  {number:>8} {:<29}", "")));
    table = table.trim_end().to_owned() + "\n";
    let rows: Vec<HashMap<&str, &Row>> = comparisons
        .iter()
        .map(|comparison| comparison.rows.iter().map(|row| (row.metric.as_str(), row)).collect())
        .collect();
    let number = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.4}"));
    for (name, value) in first.metrics.iter() {
        let mut line = format!("  {name:<24} {:>8}", number(value));
        for (report, rows) in reports[1..].iter().zip(&rows) {
            let told = rows.get(name).map_or(String::new(), |row| {
                let mark = match row.verdict {
                    Verdict::Better => " better",
                    Verdict::Worse => " worse",
                    Verdict::Mixed | Verdict::NoDifference => "",
                };
                let Difference { low, high, .. } = row.difference;
                format!("[{low:+.4} {high:+.4}]{mark}")
            });
            line.push_str(&format!("  {:>8} {told:<29}", number(report.metrics.get(name))));
        }
        table.push_str(line.trim_end());
        table.push('\n');
    }
    let mut line = format!("  {:<24}", "latency p50 ms");
    for (number, report) in reports.iter().enumerate() {
        let time = report.latency_ms.map_or("–".to_owned(), |latency| format!("{:.1}", latency.p50));
        line.push_str(&if number == 0 { format!(" {time:>8}") } else { format!("  {time:>8} {:<29}", "") });
    }
    table.push_str(line.trim_end());
    table.push_str("\n  in brackets: where the difference to 1 lies, 95 %\n");
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::metrics::Percentiles;
    use crate::eval::provenance::{Data, Provenance};
    use crate::eval::report::{Details, Metrics, Task};
    use crate::eval::sample::Random;

    fn compare(before: &Report, after: &Report, seed: u64) -> Result<Comparison, Incomparable> {
        super::compare(before, after, seed, |_, _| ())
    }

    fn report(values: &[f64], corpus: &str) -> Report {
        let questions = (0..)
            .zip(values)
            .map(|(at, &value)| {
                let mut scored = Scored { latency_ms: Some(1.0), ..Scored::new(format!("q{at}")) };
                scored.add("hit@1", value);
                scored
            })
            .collect();
        let mut details = Details::of(Task::Retrieval, questions, 7);
        let data =
            Data { questions: "h".into(), content: corpus.into(), live: corpus.starts_with("creator") };
        details.provenance = Some(Provenance { data, ..Provenance::default() });
        let mut metrics = Metrics::default();
        metrics.add("hit@1", crate::eval::metrics::mean(values.iter().copied()));
        Report {
            dataset: "set".into(),
            queries: values.len(),
            metrics,
            latency_ms: Percentiles::of(&[1.0]),
            settings: serde_json::Map::new(),
            details,
        }
    }

    fn coins(seed: u64, of_ten: usize) -> Vec<f64> {
        let mut random = Random::new(seed);
        (0..200).map(|_| f64::from(u8::from(random.below(10) < of_ten))).collect()
    }

    #[test]
    fn a_gain_is_told_from_chance() {
        let (low, same, high) = (coins(1, 4), coins(2, 4), coins(3, 8));
        let check = |before: &[f64], after: &[f64], verdict, words: &str| {
            let got = compare(&report(before, "c"), &report(after, "c"), 7).unwrap();
            assert_eq!(got.verdict, verdict, "{got:?}");
            assert!(got.sentence.starts_with(words), "{}", got.sentence);
            got
        };
        check(&low, &high, Verdict::Better, "B is better in hit@1");
        let worse = check(&high, &low, Verdict::Worse, "A is better: B is worse in hit@1");
        assert!(worse.rows[0].falls() && worse.table().contains("worse"));
        check(&low, &same, Verdict::NoDifference, "no difference can be told");
        let equal = check(&low, &low, Verdict::NoDifference, "no difference can be told");
        assert!(!equal.rows[0].falls());
        assert_eq!(equal.rows.last().map(|row| row.metric.as_str()), Some(LATENCY));
    }

    #[test]
    fn unequal_data_is_refused_with_a_sentence() {
        let base = report(&[1.0, 0.0], "c");
        let check = |other: &Report, words: &str| {
            let error = compare(&base, other, 7).unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
            assert!(!error.hint().is_empty());
        };
        check(&report(&[1.0], "c"), "different questions: 2 and 1");
        check(&report(&[1.0, 0.0], "other"), "different content");
        let mut other = report(&[1.0, 0.0], "c");
        other.details.questions[1].id = "else".into();
        check(&other, "`q1` in one stands where `else`");
        other.details.questions.clear();
        check(&other, "the second run was saved without");
        other.details.task = Some(Task::Answers);
        check(&other, "one run measured retrieval, the other answers");
        let (monday, tuesday) = (report(&[1.0, 0.0], "creator 1"), report(&[1.0, 0.0], "creator 2"));
        assert!(compare(&monday, &tuesday, 7).is_ok(), "a creator's content may change");
    }

    #[test]
    fn runs_stand_side_by_side() {
        let (low, high) = (report(&coins(1, 4), "c"), report(&coins(3, 8), "c"));
        let comparison = compare(&low, &high, 7).unwrap();
        let table = side_by_side(&[low, high], &["a".into(), "b".into()], &[comparison]);
        assert!(table.contains("  1: a\n  2: b\n") && table.contains("better"), "{table}");
    }
}
