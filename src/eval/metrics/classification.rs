//! How well a score tells two kinds apart: answerable from unanswerable, supported from invented, attack from not.

/// The probability that a random positive scores above a random negative, ties counting half: the area under the ROC
/// curve, computed from ranks (Hanley and McNeil, "The meaning and use of the area under a receiver operating
/// characteristic curve", Radiology 1982; Mann and Whitney 1947). Absent without both kinds, or where a score
/// is no number.
pub fn auroc(scored: &[(f64, bool)]) -> Option<f64> {
    if scored.iter().any(|(score, _)| score.is_nan()) {
        return None;
    }
    let mut sorted: Vec<(f64, bool)> = scored.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let positives = sorted.iter().filter(|(_, positive)| *positive).count() as f64;
    let negatives = sorted.len() as f64 - positives;
    if positives == 0.0 || negatives == 0.0 {
        return None;
    }
    // `==` and not the total order, so that -0 and 0 are a tie.
    let mut rank_sum = 0.0;
    let mut before = 0;
    for tied in sorted.chunk_by(|a, b| a.0 == b.0) {
        let middle = before as f64 + (tied.len() as f64 + 1.0) / 2.0;
        rank_sum += middle * tied.iter().filter(|(_, positive)| *positive).count() as f64;
        before += tied.len();
    }
    Some((rank_sum - positives * (positives + 1.0) / 2.0) / (positives * negatives))
}

/// What happens at a threshold: scores at or above it are taken for positive.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates {
    /// Positives taken for positive, of all positives.
    pub true_positive: Option<f64>,
    /// Negatives taken for positive, of all negatives.
    pub false_positive: Option<f64>,
    /// Positives among what was taken for positive.
    pub precision: Option<f64>,
}

impl Rates {
    pub fn at(threshold: f64, scored: &[(f64, bool)]) -> Self {
        let taken = |kind: bool| {
            scored.iter().filter(move |(_, k)| *k == kind).map(move |(score, _)| *score >= threshold)
        };
        Self {
            true_positive: super::share(taken(true)),
            false_positive: super::share(taken(false)),
            precision: super::share(
                scored.iter().filter(|(score, _)| *score >= threshold).map(|(_, kind)| *kind),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(positives: &[f64], negatives: &[f64], expected: Option<f64>) {
        let scored: Vec<_> =
            positives.iter().map(|&s| (s, true)).chain(negatives.iter().map(|&s| (s, false))).collect();
        assert_eq!(auroc(&scored), expected, "{positives:?} against {negatives:?}");
    }

    #[test]
    fn pairs_counted_by_hand() {
        check(&[2.0, 3.0], &[0.0, 1.0], Some(1.0));
        check(&[0.0, 1.0], &[2.0, 3.0], Some(0.0));
        // 4 pairs: 3 > 1, 3 > 2, 1 = 1 (half), 1 < 2.
        check(&[3.0, 1.0], &[1.0, 2.0], Some(2.5 / 4.0));
        check(&[1.0, 1.0, 1.0], &[1.0, 1.0], Some(0.5));
        check(&[0.0], &[-0.0], Some(0.5));
        check(&[f64::INFINITY], &[f64::NEG_INFINITY, 5.0], Some(1.0));
        check(&[1.0], &[], None);
        check(&[], &[1.0], None);
        check(&[f64::NAN], &[1.0], None);
    }

    #[test]
    fn rates_at_a_threshold() {
        let scored = [(0.9, true), (0.5, true), (0.4, true), (0.5, false), (0.1, false)];
        let rates = Rates::at(0.5, &scored);
        assert_eq!(rates.true_positive, Some(2.0 / 3.0));
        assert_eq!(rates.false_positive, Some(0.5));
        assert_eq!(rates.precision, Some(2.0 / 3.0));
        assert_eq!(Rates::at(2.0, &scored).precision, None);
        assert_eq!(Rates::at(0.0, &[]), Rates { true_positive: None, false_positive: None, precision: None });
    }

    /// Against scikit-learn's `roc_auc_score`, with many ties: tests/reference/answer_metrics.py.
    #[test]
    fn agrees_with_scikit_learn() {
        let reference = crate::eval::metrics::answers::reference();
        assert!(reference.auroc.len() >= 10);
        for case in reference.auroc {
            let value = auroc(&case.scored).unwrap();
            assert!((value - case.expected).abs() < 1e-12, "{value} instead of {}", case.expected);
        }
    }
}
