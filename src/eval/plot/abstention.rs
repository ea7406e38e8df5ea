//! Whether the engine knows what it does not know: what refusing more would buy, and how well the score separates.

use super::Plot;
use super::chart::{Chart, Line, Look, Mark};
use super::scale::{Axis, number};
use crate::eval::metrics::{Rates, auroc};

/// Among the questions answered first by confidence, which share is wrong: risk against coverage (El-Yaniv and Wiener,
/// "On the foundations of noise-free selective classification", JMLR 2010). `scored` are (confidence, right) of all
/// questions; an unanswerable one is never right. The threshold is marked. Absent without any.
pub fn risk_coverage(scored: &[(f64, bool)], threshold: Option<f64>) -> Option<Plot> {
    let mut sorted: Vec<(f64, bool)> =
        scored.iter().copied().filter(|(score, _)| score.is_finite()).collect();
    if sorted.is_empty() {
        return None;
    }
    sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
    let all = sorted.len() as f64;
    let (mut points, mut wrong, mut taken) = (Vec::new(), 0usize, 0usize);
    // Equal scores come together: no threshold parts them.
    for tied in sorted.chunk_by(|a, b| a.0 == b.0) {
        wrong += tied.iter().filter(|(_, right)| !right).count();
        taken += tied.len();
        points.push((taken as f64 / all, wrong as f64 / taken as f64));
    }
    // The area under the curve: the mean risk over all coverages (AURC, Geifman and El-Yaniv 2017), in steps.
    let mut area = 0.0;
    let mut before = 0.0;
    for (coverage, risk) in &points {
        area += (coverage - before) * risk;
        before = *coverage;
    }
    let here = threshold.and_then(|threshold| {
        let answered: Vec<bool> =
            sorted.iter().filter(|(score, _)| *score >= threshold).map(|(_, right)| *right).collect();
        let wrong = answered.iter().filter(|right| !**right).count() as f64;
        (!answered.is_empty()).then(|| (answered.len() as f64 / all, wrong / answered.len() as f64))
    });
    let now = here.map_or(String::new(), |(coverage, risk)| {
        format!(
            " As configured, {} of the questions are answered and {} of those answers are wrong.",
            percent(coverage),
            percent(risk)
        )
    });
    let chart = Chart {
        title: "Wrong answers against answered questions".to_owned(),
        description: format!(
            "The questions are answered from the surest to the least sure; the curve shows which share of the answers so far \
             is wrong. Lower is better. The mean along the curve is {}.{now}",
            percent(area)
        ),
        x: Axis::share("questions answered"),
        y: Axis { range: Some((0.0, ceiling(&points))), ..Axis::share("answers that are wrong") },
        lines: vec![Line { name: "risk".to_owned(), points, look: Look::Line, labels: Vec::new() }],
        marks: here.map(|here| Mark::Here(here, "as configured".to_owned())).into_iter().collect(),
    };
    Some(chart.plot())
}

/// The ROC curve of (score, positive): of the positives and of the negatives, which share lies at or above each
/// threshold (Fawcett, "An introduction to ROC analysis", 2006). `names` are what the positives and the negatives are
/// called on the axes. Absent without both kinds.
pub fn roc(scored: &[(f64, bool)], names: (&str, &str), threshold: Option<f64>) -> Option<Plot> {
    let area = auroc(scored)?;
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
    let here = threshold.and_then(|threshold| {
        let rates = Rates::at(threshold, scored);
        Some((rates.false_positive?, rates.true_positive?))
    });
    let now = here.map_or(String::new(), |(bad, good)| {
        format!(
            " As configured, {} of the {} and {} of the {} pass.",
            percent(good),
            names.0,
            percent(bad),
            names.1
        )
    });
    let chart = Chart {
        title: format!("Telling {} from {}", names.0, names.1),
        description: format!(
            "Which share of each kind passes as the threshold falls. Up and to the left is better, the dashed line is \
             chance. The area under the curve is {} (AUROC).{now}",
            number((area * 1000.0).round() / 1000.0)
        ),
        x: Axis::share(format!("{} that pass", names.1)),
        y: Axis::share(format!("{} that pass", names.0)),
        lines: vec![Line { name: "ROC".to_owned(), points, look: Look::Line, labels: Vec::new() }],
        marks: std::iter::once(Mark::Reference((0.0, 0.0), (1.0, 1.0)))
            .chain(here.map(|here| Mark::Here(here, "as configured".to_owned())))
            .collect(),
    };
    Some(chart.plot())
}

/// The next round share above the curve.
fn ceiling(points: &[(f64, f64)]) -> f64 {
    let highest = points.iter().map(|point| point.1).fold(0.0, f64::max);
    [0.05, 0.1, 0.2, 0.5].into_iter().find(|share| *share >= highest).unwrap_or(1.0)
}

fn percent(share: f64) -> String {
    format!("{}%", number((share * 1000.0).round() / 10.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn risk_by_hand() {
        let plot =
            risk_coverage(&[(0.9, true), (0.8, true), (0.4, false), (0.4, true), (0.1, false)], Some(0.4))
                .unwrap();
        assert_eq!(plot.data.rows, [["20%", "0%"], ["40%", "0%"], ["80%", "25%"], ["100%", "40%"]]);
        assert!(
            plot.description.contains("80% of the questions are answered and 25%"),
            "{}",
            plot.description
        );
        // .4 × .25 + .2 × .4
        assert!(plot.description.contains("mean along the curve is 18%"), "{}", plot.description);
        assert_eq!(risk_coverage(&[], None), None);
        assert!(!risk_coverage(&[(0.1, true)], Some(2.0)).unwrap().svg.contains("as configured"));
    }

    #[test]
    fn the_curve_has_the_area_that_is_told() {
        let scored = [(0.9, true), (0.8, false), (0.7, true), (0.2, false)];
        let plot = roc(&scored, ("answerable", "unanswerable"), Some(0.75)).unwrap();
        assert_eq!(
            plot.data.rows,
            [["0%", "0%"], ["0%", "50%"], ["50%", "50%"], ["50%", "100%"], ["100%", "100%"]]
        );
        assert!(plot.description.contains("0.75 (AUROC)"), "{}", plot.description);
        assert_eq!(roc(&[(0.1, true)], ("a", "b"), None), None);
    }
}
