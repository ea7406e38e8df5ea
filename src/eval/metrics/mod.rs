//! What a number in a report means, each definition with its source.
//!
//! Pure functions of rankings, scores and texts. A mean over no cases is absent (`None`), never 0 or 1; only the means
//! of rankings are 0 there, and a retrieval set without queries is refused when it is read.
//! Checked against trec_eval, scikit-learn, NumPy and SQuAD's own script: `tests/reference/ir_metrics.py` and
//! `answer_metrics.py` made the numbers that the tests here compare with.

mod answers;
mod calibration;
mod classification;
mod intervals;
mod latency;
mod paired;
mod ranking;

pub use answers::{citation_scores, exact_match, f1, holds_answer, is_verbatim};
pub use calibration::{Bin, brier, expected_calibration_error, reliability, squared_error};
pub use classification::{Rates, auroc};
pub use intervals::{Interval, auroc_interval, mean_interval, weighted_interval};
pub use latency::Percentiles;
pub use paired::{DRAWS, Difference, Weighted, compare_aurocs, compare_means};
pub use ranking::{RankingScores, first_of_each};

/// The arithmetic mean, if there is anything to take it of.
pub fn mean(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.into_iter().fold((0.0, 0u64), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / count as f64)
}

/// The share of `true`.
pub fn share(values: impl IntoIterator<Item = bool>) -> Option<f64> {
    mean(values.into_iter().map(|value| f64::from(u8::from(value))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_of_nothing_is_absent() {
        assert_eq!(mean([]), None);
        assert_eq!(mean([1.0, 2.0, 6.0]), Some(3.0));
        assert_eq!(share([true, false, false, true]), Some(0.5));
        assert_eq!(share([]), None);
    }
}
