//! Many timings become one line: the median, how far the values spread, and how many there were.
//!
//! Pure. [`super::report`] prints it, [`super::compare`] compares two.

use serde::{Deserialize, Serialize};

/// A figure that was measured several times. A figure that is known at once (a recall, a size) has one repetition.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spread {
    pub median: f64,
    pub p5: f64,
    pub p95: f64,
    pub p99: f64,
    /// Median distance from the median: unlike a standard deviation, one hiccup of the machine does not move it.
    pub mad: f64,
    pub repetitions: usize,
}

impl Spread {
    /// Absent where there are no values.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let sorted = in_order(values);
        let median = quantile(&sorted, 0.5)?;
        let distances = in_order(sorted.iter().map(|value| (value - median).abs()));
        Some(Self {
            median,
            p5: quantile(&sorted, 0.05)?,
            p95: quantile(&sorted, 0.95)?,
            p99: quantile(&sorted, 0.99)?,
            mad: quantile(&distances, 0.5)?,
            repetitions: sorted.len(),
        })
    }

    /// A value that is no sample.
    pub fn exactly(value: f64) -> Self {
        Self { median: value, p5: value, p95: value, p99: value, mad: 0.0, repetitions: 1 }
    }
}

fn in_order(values: impl IntoIterator<Item = f64>) -> Vec<f64> {
    let mut sorted: Vec<f64> = values.into_iter().collect();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// By linear interpolation between the two nearest values: type 7 of Hyndman and Fan, "Sample quantiles in statistical
/// packages", The American Statistician 1996, as NumPy has it by default.
fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let at = share * last as f64;
    let (below, above) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
    Some(below + (above - below) * at.fract())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_and_the_median_distance() {
        let check = |values: &[f64], expected: Option<[f64; 5]>| {
            let got = Spread::of(values.iter().copied()).map(|s| [s.median, s.p5, s.p95, s.p99, s.mad]);
            match (got, expected) {
                (Some(got), Some(want)) => {
                    assert!(got.iter().zip(want).all(|(g, w)| (g - w).abs() < 1e-9), "{got:?}, not {want:?}");
                }
                (got, want) => assert_eq!(got, want),
            }
        };
        check(&[], None);
        check(&[3.0], Some([3.0, 3.0, 3.0, 3.0, 0.0]));
        // One wild value moves neither the median nor the median distance much.
        check(&[1.0, 2.0, 3.0, 4.0, 100.0], Some([3.0, 1.2, 80.8, 96.16, 1.0]));
        let hundred: Vec<f64> = (0..=100).rev().map(f64::from).collect();
        check(&hundred, Some([50.0, 5.0, 95.0, 99.0, 25.0]));
        assert_eq!(Spread::exactly(2.0), Spread::of([2.0]).unwrap());
    }
}
