//! How sure a number is, by drawing the questions again and again: the bootstrap.
//!
//! Percentile intervals at 95 % (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13). Two runs
//! over the same questions are compared in [`paired`](super::paired).

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
    let mut random = Random::new(seed);
    let mut means: Vec<f64> = (0..DRAWS)
        .map(|_| values.iter().map(|_| values[random.below(values.len())]).sum::<f64>() / values.len() as f64)
        .collect();
    means.sort_by(f64::total_cmp);
    Some(Interval { mean, low: quantile(&means, 0.025)?, high: quantile(&means, 0.975)? })
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
    fn nothing_to_draw_from_is_absent() {
        assert_eq!(mean_interval(&[], 1), None);
    }
}
