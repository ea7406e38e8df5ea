//! Whether the engine knows what it does not know: what refusing more would buy, and how well the score separates.

use super::Plot;
use super::chart::{Chart, Line, Look, Mark};
use super::scale::{Axis, number};
use crate::eval::metrics::{Rates, auroc};

/// The scores of one run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scores<'a> {
    pub name: &'a str,
    /// A score, and what it should tell.
    pub scored: &'a [(f64, bool)],
    /// At or above it a question passes.
    pub threshold: Option<f64>,
}

/// Among the questions answered first by confidence, which share is wrong: risk against coverage (El-Yaniv and Wiener,
/// "On the foundations of noise-free selective classification", JMLR 2010). Scored are (confidence, right) of all
/// questions; an unanswerable one is never right. Thresholds are marked. Absent without any.
pub fn risk_coverage(runs: &[Scores]) -> Option<Plot> {
    let (mut lines, mut marks, mut told) = (Vec::new(), Vec::new(), Vec::new());
    for run in runs {
        let points = risks(run.scored);
        if points.is_empty() {
            continue;
        }
        // The area under the curve in steps: the mean risk over all coverages (AURC, Geifman, Uziel and El-Yaniv,
        // "Bias-reduced uncertainty estimation for deep neural classifiers", ICLR 2019).
        let (mut area, mut before) = (0.0, 0.0);
        for (coverage, risk) in &points {
            area += (coverage - before) * risk;
            before = *coverage;
        }
        let mut sentence = format!("The mean along the curve is {}", percent(area));
        if let Some((coverage, risk)) = run.threshold.and_then(|threshold| risk_at(threshold, run.scored)) {
            sentence += &format!(
                "; as configured, {} of the questions are answered and {} of those answers are wrong",
                percent(coverage),
                percent(risk)
            );
            marks.push(Mark::Here((coverage, risk), here(runs)));
        }
        told.push(named(run, runs, sentence));
        lines.push(Line { name: run.name.to_owned(), points, look: Look::Line, labels: Vec::new() });
    }
    if lines.is_empty() {
        return None;
    }
    let highest = lines.iter().flat_map(|line| &line.points).map(|point| point.1).fold(0.0, f64::max);
    let ceiling = [0.05, 0.1, 0.2, 0.5].into_iter().find(|share| *share >= highest).unwrap_or(1.0);
    let chart = Chart {
        title: "Wrong answers against answered questions".to_owned(),
        description: format!(
            "The questions are answered from the surest to the least sure; the curve shows which share of the answers so \
             far is wrong. Lower is better. {}",
            told.join(" ")
        ),
        x: Axis::share("questions answered"),
        y: Axis { range: Some((0.0, ceiling)), ..Axis::share("answers that are wrong") },
        lines,
        marks,
    };
    Some(chart.plot())
}

/// The ROC curve of (score, positive): of the positives and of the negatives, which share lies at or above each
/// threshold (Fawcett, "An introduction to ROC analysis", Pattern Recognition Letters 2006). `kinds` are what the
/// positives and the negatives are called. Absent without both kinds.
pub fn roc(runs: &[Scores], kinds: (&str, &str)) -> Option<Plot> {
    let mut marks = vec![Mark::Reference((0.0, 0.0), (1.0, 1.0))];
    let (mut lines, mut told) = (Vec::new(), Vec::new());
    for run in runs {
        let Some(area) = auroc(run.scored) else { continue };
        let mut sentence =
            format!("The area under the curve is {} (AUROC)", number((area * 1000.0).round() / 1000.0));
        let rates = run.threshold.map(|threshold| Rates::at(threshold, run.scored));
        if let Some(Rates { true_positive: Some(good), false_positive: Some(bad), .. }) = rates {
            sentence += &format!(
                "; as configured, {} of the {} and {} of the {} pass",
                percent(good),
                kinds.0,
                percent(bad),
                kinds.1
            );
            marks.push(Mark::Here((bad, good), here(runs)));
        }
        told.push(named(run, runs, sentence));
        lines.push(Line {
            name: run.name.to_owned(),
            points: rates_at_all(run.scored),
            look: Look::Line,
            labels: Vec::new(),
        });
    }
    if lines.is_empty() {
        return None;
    }
    let chart = Chart {
        title: format!("Telling {} from {}", kinds.0, kinds.1),
        description: format!(
            "Which share of each kind passes as the threshold falls. Up and to the left is better, the dashed line is \
             chance. {}",
            told.join(" ")
        ),
        x: Axis::share(format!("{} that pass", kinds.1)),
        y: Axis::share(format!("{} that pass", kinds.0)),
        lines,
        marks,
    };
    Some(chart.plot())
}

/// Coverage and risk after each group of equal scores, from the highest: no threshold parts equal ones.
fn risks(scored: &[(f64, bool)]) -> Vec<(f64, f64)> {
    let mut sorted: Vec<(f64, bool)> =
        scored.iter().copied().filter(|(score, _)| score.is_finite()).collect();
    sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut wrong, mut taken) = (0usize, 0usize);
    let after = |tied: &[(f64, bool)]| {
        wrong += tied.iter().filter(|(_, right)| !right).count();
        taken += tied.len();
        (taken as f64 / sorted.len() as f64, wrong as f64 / taken as f64)
    };
    sorted.chunk_by(|a, b| a.0 == b.0).map(after).collect()
}

fn risk_at(threshold: f64, scored: &[(f64, bool)]) -> Option<(f64, f64)> {
    let answered: Vec<bool> =
        scored.iter().filter(|(score, _)| *score >= threshold).map(|(_, right)| *right).collect();
    let wrong = answered.iter().filter(|right| !**right).count() as f64;
    (!answered.is_empty())
        .then(|| (answered.len() as f64 / scored.len() as f64, wrong / answered.len() as f64))
}

/// Shares of the negatives and of the positives at or above each score.
fn rates_at_all(scored: &[(f64, bool)]) -> Vec<(f64, f64)> {
    let mut sorted = scored.to_vec();
    sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
    let positives = sorted.iter().filter(|(_, positive)| *positive).count() as f64;
    let negatives = sorted.len() as f64 - positives;
    let (mut points, mut hits, mut misses) = (vec![(0.0, 0.0)], 0usize, 0usize);
    for tied in sorted.chunk_by(|a, b| a.0 == b.0) {
        let positive = tied.iter().filter(|(_, positive)| *positive).count();
        (hits, misses) = (hits + positive, misses + tied.len() - positive);
        points.push((misses as f64 / negatives, hits as f64 / positives));
    }
    points
}

/// The note at a threshold; beside several curves the rings say enough.
fn here(runs: &[Scores]) -> String {
    if runs.len() == 1 { "as configured".to_owned() } else { String::new() }
}

fn named(run: &Scores, runs: &[Scores], sentence: String) -> String {
    if runs.len() == 1 { sentence + "." } else { format!("{}: {}.", run.name, lower_first(&sentence)) }
}

fn lower_first(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map_or(String::new(), |first| first.to_lowercase().chain(letters).collect())
}

fn percent(share: f64) -> String {
    format!("{}%", number((share * 1000.0).round() / 10.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn risk_by_hand() {
        let scored = [(0.9, true), (0.8, true), (0.4, false), (0.4, true), (0.1, false)];
        let plot = risk_coverage(&[Scores { name: "", scored: &scored, threshold: Some(0.4) }]).unwrap();
        assert_eq!(plot.data.rows, [["20%", "0%"], ["40%", "0%"], ["80%", "25%"], ["100%", "40%"]]);
        assert!(
            plot.description.contains("80% of the questions are answered and 25%"),
            "{}",
            plot.description
        );
        // .4 × .25 + .2 × .4
        assert!(plot.description.contains("mean along the curve is 18%"), "{}", plot.description);
        assert_eq!(risk_coverage(&[]), None);
        let high =
            risk_coverage(&[Scores { name: "", scored: &[(0.1, true)], threshold: Some(2.0) }]).unwrap();
        assert!(!high.svg.contains("as configured"));
    }

    #[test]
    fn the_curve_has_the_area_that_is_told() {
        let scored = [(0.9, true), (0.8, false), (0.7, true), (0.2, false)];
        let run = Scores { name: "a", scored: &scored, threshold: Some(0.75) };
        let plot = roc(&[run], ("answerable", "unanswerable")).unwrap();
        let expected = [["0%", "0%"], ["0%", "50%"], ["50%", "50%"], ["50%", "100%"], ["100%", "100%"]];
        assert_eq!(plot.data.rows, expected);
        assert!(plot.description.contains("0.75 (AUROC)"), "{}", plot.description);
        let two = roc(&[run, Scores { name: "b", ..run }], ("x", "y")).unwrap();
        assert!(two.description.contains("b: the area") && two.data.columns[0] == "series");
        assert_eq!(roc(&[Scores { scored: &[(0.1, true)], ..run }], ("a", "b")), None);
    }
}
