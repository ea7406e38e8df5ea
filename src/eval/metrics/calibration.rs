//! Whether a confidence means what it says: of the questions told to be .8 sure, are 80 of 100 answerable?

use serde::{Deserialize, Serialize};

/// Bins of the reliability diagram, of equal width (as Guo et al. draw it, with ten as in Niculescu-Mizil and Caruana,
/// "Predicting good probabilities with supervised learning", ICML 2005).
const BINS: usize = 10;

/// The cases whose confidence lies from `low` up to `high`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bin {
    pub low: f64,
    pub high: f64,
    pub count: usize,
    /// Mean confidence of these cases.
    pub confidence: f64,
    /// Share of them that is positive.
    pub positive: f64,
}

/// The mean squared difference of confidence and truth, 0 the best (Brier, "Verification of forecasts expressed in terms
/// of probability", Monthly Weather Review 1950, in the form for two outcomes).
pub fn brier(scored: &[(f64, bool)]) -> Option<f64> {
    super::mean(scored.iter().map(|&(confidence, positive)| squared_error(confidence, positive)))
}

/// What one case adds to [`brier`].
pub fn squared_error(confidence: f64, positive: bool) -> f64 {
    (confidence - f64::from(u8::from(positive))).powi(2)
}

/// The bins that hold any case, in order. A confidence of exactly 1 is in the last.
pub fn reliability(scored: &[(f64, bool)]) -> Vec<Bin> {
    let mut sums = [(0usize, 0.0, 0usize); BINS];
    for &(confidence, positive) in scored {
        let at = ((confidence * BINS as f64) as usize).min(BINS - 1);
        sums[at].0 += 1;
        sums[at].1 += confidence;
        sums[at].2 += usize::from(positive);
    }
    let bins = sums.into_iter().enumerate().filter(|(_, (count, ..))| *count > 0);
    bins.map(|(at, (count, confidence, positive))| Bin {
        low: at as f64 / BINS as f64,
        high: (at + 1) as f64 / BINS as f64,
        count,
        confidence: confidence / count as f64,
        positive: positive as f64 / count as f64,
    })
    .collect()
}

/// Expected calibration error: how far confidence and truth lie apart in a bin, averaged over the cases (Pakdaman
/// Naeini, Cooper and Hauskrecht, "Obtaining well calibrated probabilities using Bayesian binning", AAAI 2015; Guo et
/// al., "On calibration of modern neural networks", ICML 2017).
pub fn expected_calibration_error(bins: &[Bin]) -> Option<f64> {
    let cases: usize = bins.iter().map(|bin| bin.count).sum();
    let apart = bins.iter().map(|bin| bin.count as f64 * (bin.confidence - bin.positive).abs());
    (cases > 0).then(|| apart.sum::<f64>() / cases as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let scored = [(0.95, true), (0.85, false), (0.82, true), (0.1, false), (1.0, true)];
        let expected = (0.05f64.powi(2) + 0.85f64.powi(2) + 0.18f64.powi(2) + 0.1f64.powi(2)) / 5.0;
        assert!((brier(&scored).unwrap() - expected).abs() < 1e-12);
        let bins = reliability(&scored);
        let shape: Vec<_> = bins.iter().map(|bin| (bin.low, bin.count, bin.positive)).collect();
        assert_eq!(shape, [(0.1, 1, 0.0), (0.8, 2, 0.5), (0.9, 2, 1.0)]);
        // 1 case .1 off, 2 cases .335 off, 2 cases .025 off.
        let error = expected_calibration_error(&bins).unwrap();
        assert!((error - (0.1 + 2.0 * 0.335 + 2.0 * 0.025) / 5.0).abs() < 1e-12, "{error}");
    }

    #[test]
    fn a_confidence_that_keeps_its_word_has_no_error() {
        let scored: Vec<_> = (0..100).map(|at| (0.25, at % 4 == 0)).collect();
        assert_eq!(expected_calibration_error(&reliability(&scored)), Some(0.0));
        assert_eq!((brier(&[]), expected_calibration_error(&[])), (None, None));
    }
}
