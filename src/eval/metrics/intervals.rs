//! How sure a number is: where it would lie with other questions of the same kind, in 95 of 100 cases.
//!
//! A share is Wilson's score interval ("Probable inference", JASA 1927; Brown, Cai and DasGupta, "Interval estimation for a
//! binomial proportion", Statistical Science 2001): the bootstrap gives none of 20 attacks an interval without width. All
//! else draws the questions again and again (percentile bootstrap: Efron and Tibshirani, "An Introduction to the
//! Bootstrap", 1993, chapter 13). Two runs over the same questions are compared in [`paired`](super::paired).

use serde::{Deserialize, Serialize};

use super::latency::quantile;
use crate::eval::sample::Random;

/// Draws for an interval: the ends then move by less than a twentieth of its width from seed to seed.
const DRAWS: usize = 2000;

/// A mean, and where it would lie with other questions of the same kind in 95 of 100 cases.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    pub mean: f64,
    pub low: f64,
    pub high: f64,
}

/// The mean of one value for each question.
pub fn mean_interval(values: &[f64], seed: u64) -> Option<Interval> {
    let mean = super::mean(values.iter().copied())?;
    if values.iter().all(|&value| value == 0.0 || value == 1.0) {
        return Some(wilson(mean, values.len()));
    }
    drawn(mean, seed, |random| {
        Some(values.iter().map(|_| values[random.below(values.len())]).sum::<f64>() / values.len() as f64)
    })
}

/// The share `share` of `count` cases.
fn wilson(share: f64, count: usize) -> Interval {
    let (n, z2) = (count as f64, Z * Z);
    let middle = (share + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = Z / (1.0 + z2 / n) * (share * (1.0 - share) / n + z2 / (4.0 * n * n)).sqrt();
    // At a share of 0 or 1 that end is the share itself but for the last digit.
    let low = if share == 0.0 { 0.0 } else { (middle - half).max(0.0) };
    let high = if share == 1.0 { 1.0 } else { (middle + half).min(1.0) };
    Interval { mean: share, low, high }
}

/// The quantile of the normal distribution that leaves 2.5 % above it.
const Z: f64 = 1.959_963_984_540_054;

/// A mean over parts of questions: each question's mean with its number of parts. Whole questions are drawn, since the
/// parts of one hang together. Absent where all draws are alike: these questions cannot tell how it varies.
pub fn weighted_interval(questions: &[(f64, f64)], seed: u64) -> Option<Interval> {
    let of = |(sum, weight): (f64, f64)| (weight > 0.0).then(|| sum / weight);
    let add = |(sum, all): (f64, f64), &(value, weight): &(f64, f64)| (sum + value * weight, all + weight);
    let mean = of(questions.iter().fold((0.0, 0.0), add))?;
    let interval = drawn(mean, seed, |random| {
        of((0..questions.len())
            .fold((0.0, 0.0), |total, _| add(total, &questions[random.below(questions.len())])))
    });
    interval.filter(|interval| interval.low < interval.high)
}

/// The area under the ROC curve of scores, each with whether it should be high. Absent where all draws are alike.
pub fn auroc_interval(scored: &[(f64, bool)], seed: u64) -> Option<Interval> {
    let mean = super::auroc(scored)?;
    let mut order = scored.to_vec();
    order.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut counts = vec![0.0; order.len()];
    let interval = drawn(mean, seed, |random| {
        counts.fill(0.0);
        (0..order.len()).for_each(|_| counts[random.below(order.len())] += 1.0);
        area(&order, &counts)
    });
    interval.filter(|interval| interval.low < interval.high)
}

/// The area where the case at each place of `order`, which is sorted, counts so many times.
fn area(order: &[(f64, bool)], counts: &[f64]) -> Option<f64> {
    // Each positive beats the negatives before it, and half of those level with it.
    let (mut won, mut negatives, mut positives, mut at) = (0.0, 0.0, 0.0, 0);
    for tied in order.chunk_by(|a, b| a.0 == b.0) {
        let mut level = [0.0; 2];
        for (_, positive) in tied {
            level[usize::from(*positive)] += counts[at];
            at += 1;
        }
        won += level[1] * (negatives + level[0] / 2.0);
        negatives += level[0];
        positives += level[1];
    }
    (positives * negatives > 0.0).then(|| won / (positives * negatives))
}

/// The middle 95 % of what `draw` gives; a draw without a value (all its questions of one kind) says nothing.
fn drawn(mean: f64, seed: u64, mut draw: impl FnMut(&mut Random) -> Option<f64>) -> Option<Interval> {
    let mut random = Random::new(seed);
    let mut values: Vec<f64> = (0..DRAWS).filter_map(|_| draw(&mut random)).collect();
    values.sort_by(f64::total_cmp);
    Some(Interval { mean, low: quantile(&values, 0.025)?, high: quantile(&values, 0.975)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_about_two_standard_errors_each_way() {
        // 100 coins, 60 heads: the standard error of the mean is sqrt(.6 × .4 / 100) = .049.
        let coins: Vec<f64> = (0..100).map(|at| if at < 60 { 1.0 } else { 0.0 }).collect();
        let interval = mean_interval(&coins, 7).unwrap();
        assert!((interval.mean - 0.6).abs() < 1e-12);
        assert!((interval.low - (0.6 - 1.96 * 0.049)).abs() < 0.015, "{interval:?}");
        assert!((interval.high - (0.6 + 1.96 * 0.049)).abs() < 0.015, "{interval:?}");
        let ranks: Vec<f64> = (1..=100).map(|rank| 1.0 / f64::from(rank)).collect();
        let interval = mean_interval(&ranks, 7);
        assert_eq!(mean_interval(&ranks, 7), interval, "the same seed gives the same interval");
        assert_ne!(mean_interval(&ranks, 8), interval);
    }

    /// The ends are worked out by hand from Wilson's formula with z = 1.96; of none of n the upper is z² / (n + z²).
    #[test]
    fn a_share_of_few_cases_is_not_surer_than_they_allow() {
        let check = |ones: usize, of: usize, low: f64, high: f64| {
            let values: Vec<f64> = (0..of).map(|at| f64::from(u8::from(at < ones))).collect();
            let interval = mean_interval(&values, 7).unwrap();
            assert!((interval.low - low).abs() < 5e-4 && (interval.high - high).abs() < 5e-4, "{interval:?}");
        };
        check(0, 20, 0.0, 0.1611);
        check(20, 20, 0.8389, 1.0);
        check(5, 10, 0.2366, 0.7634);
        check(1, 1, 0.2065, 1.0);
    }

    #[test]
    fn an_area_is_drawn_as_the_plain_definition_has_it() {
        let mut random = Random::new(5);
        // Tenths, so that there are ties.
        let scored: Vec<(f64, bool)> = (0..60)
            .map(|at| ((random.below(10) + if at % 3 == 0 { 3 } else { 0 }) as f64 / 10.0, at % 3 == 0))
            .collect();
        let mut slow: Vec<f64> = (0..DRAWS)
            .filter_map(|_| {
                let cases: Vec<_> = (0..60).map(|_| scored[random.below(60)]).collect();
                super::super::auroc(&cases)
            })
            .collect();
        slow.sort_by(f64::total_cmp);
        let got = auroc_interval(&scored, 7).unwrap();
        assert_eq!(Some(got.mean), super::super::auroc(&scored));
        assert!(got.low < got.mean && got.mean < got.high && got.high <= 1.0, "{got:?}");
        assert!((got.low - quantile(&slow, 0.025).unwrap()).abs() < 0.02, "{got:?}");
        assert!((got.high - quantile(&slow, 0.975).unwrap()).abs() < 0.02, "{got:?}");
        // Told apart without a mistake: no draw could say how it varies.
        assert_eq!(auroc_interval(&[(0.1, false), (0.2, false), (0.8, true), (0.9, true)], 7), None);
    }

    #[test]
    fn parts_of_a_question_are_drawn_together() {
        // Ten questions with ten quotations each, all right or all wrong: as sure as ten coins, not as a hundred.
        let questions: Vec<(f64, f64)> = (0..10).map(|at| (f64::from(u8::from(at % 2 == 0)), 10.0)).collect();
        let interval = weighted_interval(&questions, 7).unwrap();
        assert_eq!(interval.mean, 0.5);
        assert!(interval.high - interval.low > 0.5, "{interval:?}");
        assert_eq!(weighted_interval(&[(1.0, 3.0), (1.0, 1.0)], 7), None);
        assert_eq!(weighted_interval(&[], 7), None);
    }

    #[test]
    fn nothing_to_draw_from_is_absent() {
        assert_eq!(mean_interval(&[], 1), None);
    }
}
