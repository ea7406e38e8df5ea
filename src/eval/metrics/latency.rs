//! Percentiles of how long things took.

use serde::{Deserialize, Serialize};

/// Quantiles by linear interpolation between the two nearest values, type 7 of Hyndman and Fan ("Sample quantiles in
/// statistical packages", The American Statistician 1996), as NumPy and R have them by default. In the unit of the values.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Percentiles {
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
}

impl Percentiles {
    /// Absent where there are no values.
    pub fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        Some(Self {
            p50: quantile(&sorted, 0.50)?,
            p95: quantile(&sorted, 0.95)?,
            p99: quantile(&sorted, 0.99)?,
        })
    }
}

/// The quantile of values in ascending order, for a share from 0 to 1.
pub(super) fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let at = share.clamp(0.0, 1.0) * last as f64;
    let (below, above) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
    Some(below + (above - below) * at.fract())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn between_two_values_it_is_interpolated() {
        let check = |values: &[f64], expected: Option<[f64; 3]>| {
            let got = Percentiles::of(values).map(|p| [p.p50, p.p95, p.p99]);
            match (got, expected) {
                (Some(got), Some(expected)) => {
                    assert!(got.iter().zip(expected).all(|(g, e)| (g - e).abs() < 1e-12), "{got:?}");
                }
                (got, expected) => assert_eq!(got, expected),
            }
        };
        check(&[], None);
        check(&[4.0], Some([4.0, 4.0, 4.0]));
        check(&[2.0, 1.0], Some([1.5, 1.95, 1.99]));
        let hundred: Vec<f64> = (0..=100).rev().map(f64::from).collect();
        check(&hundred, Some([50.0, 95.0, 99.0]));
    }

    /// Against `numpy.percentile`: tests/reference/answer_metrics.py.
    #[test]
    fn agrees_with_numpy() {
        let reference = crate::eval::metrics::answers::reference();
        assert!(!reference.percentiles.is_empty());
        for case in reference.percentiles {
            let got = Percentiles::of(&case.values).unwrap();
            for (got, expected) in [got.p50, got.p95, got.p99].into_iter().zip(case.expected) {
                assert!((got - expected).abs() < 1e-9, "{got} instead of {expected}");
            }
        }
    }
}
