//! How sure a number is, by drawing the questions again and again: the bootstrap.
//!
//! Percentile intervals at 95 % (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13). Two runs
//! over the same questions are compared pair by pair (Koehn, "Statistical significance tests for machine
//! translation evaluation", EMNLP 2004), so that the difficulty of a question falls out.

use serde::Serialize;

use super::latency::quantile;
use crate::eval::sample::Random;

/// Draws for an interval: the ends then move by less than a twentieth of its width from seed to seed.
const DRAWS: usize = 2000;

/// A mean, and where it would lie with other questions of the same kind in 95 of 100 cases.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    pub mean: f64,
    pub low: f64,
    pub high: f64,
}

impl Interval {
    /// Whether the interval lies wholly above or below 0: for a difference, that one side really is better.
    pub fn excludes_zero(&self) -> bool {
        self.low > 0.0 || self.high < 0.0
    }
}

/// The mean of one value for each question.
pub fn mean_interval(values: &[f64], seed: u64) -> Option<Interval> {
    let mean = super::mean(values.iter().copied())?;
    let mut random = Random::new(seed);
    let mut means: Vec<f64> = (0..DRAWS)
        .map(|_| values.iter().map(|_| values[random.below(values.len())]).sum::<f64>() / values.len() as f64)
        .collect();
    means.sort_by(f64::total_cmp);
    Some(Interval { mean, low: quantile(&means, 0.025)?, high: quantile(&means, 0.975)? })
}

/// How much higher `after` is than `before`, both with one value for each of the same questions, in the same order.
/// Absent where there are no questions or the two do not pair up.
pub fn paired_difference(before: &[f64], after: &[f64], seed: u64) -> Option<Interval> {
    if before.len() != after.len() {
        return None;
    }
    // The mean of a resample of pairs is the mean of the resampled differences.
    let differences: Vec<f64> = before.iter().zip(after).map(|(before, after)| after - before).collect();
    mean_interval(&differences, seed)
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
        assert_eq!(mean_interval(&coins, 7), Some(interval), "the same seed gives the same interval");
        assert_ne!(mean_interval(&coins, 8), Some(interval));
    }

    #[test]
    fn pairing_sees_a_small_gain_that_two_separate_intervals_hide() {
        // Hard and easy questions; each is answered .02 better.
        let before: Vec<f64> = (0..200).map(|at| f64::from(at % 10) / 10.0).collect();
        let after: Vec<f64> = before.iter().map(|value| value + 0.02).collect();
        let gain = paired_difference(&before, &after, 1).unwrap();
        assert!(gain.excludes_zero() && (gain.mean - 0.02).abs() < 1e-9, "{gain:?}");
        let (one, other) = (mean_interval(&before, 1).unwrap(), mean_interval(&after, 1).unwrap());
        assert!(one.high > other.low, "the separate intervals overlap");
        assert!(!paired_difference(&before, &before, 1).unwrap().excludes_zero());
    }

    #[test]
    fn nothing_to_compare_is_absent() {
        assert_eq!(mean_interval(&[], 1), None);
        assert_eq!(paired_difference(&[], &[], 1), None);
        assert_eq!(paired_difference(&[1.0], &[], 1), None);
    }
}
