//! Fisher's exact test: do two groups have the same share of something? (Fisher, "Statistical Methods for Research
//! Workers", 5th edition, 1934.)

/// Shares within so much of the observed table's probability count as equal to it: sums of logarithms differ in their last
/// digits.
const EQUAL: f64 = 1.0 + 1e-7;

/// How probable a difference like this one or a rarer one is where there is none: `had` of `all` in each group. The
/// two-sided test, which adds up the tables that are at most as probable as the one that was seen.
pub fn fisher([had, all]: [u64; 2], [other_had, other_all]: [u64; 2]) -> f64 {
    let (had, other_had) = (had.min(all), other_had.min(other_all));
    let (with, whole) = (had + other_had, all + other_all);
    let logs = log_factorials(whole);
    let choose = |n: u64, k: u64| logs[n as usize] - logs[k as usize] - logs[(n - k) as usize];
    // The hypergeometric distribution of how many of those with it are in the first group.
    let log_of = |k: u64| choose(all, k) + choose(other_all, with - k) - choose(whole, with);
    let (least, most) = (with.saturating_sub(other_all), with.min(all));
    let seen = log_of(had) + EQUAL.ln();
    let sum: f64 = (least..=most).map(log_of).filter(|log| *log <= seen).map(f64::exp).sum();
    sum.min(1.0)
}

/// The logarithms of 0! to `most`!.
fn log_factorials(most: u64) -> Vec<f64> {
    let mut logs = vec![0.0];
    let mut sum = 0.0;
    for number in 1..=most {
        sum += (number as f64).ln();
        logs.push(sum);
    }
    logs
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against `scipy.stats.fisher_exact([[a, n - a], [b, m - b]])`, scipy 1.17.1.
    #[test]
    fn probabilities_are_those_of_scipy() {
        for (one, other, expected) in [
            ([4, 40], [20, 40], 0.0001724243357872356),
            ([12, 50], [13, 50], 1.0),
            ([0, 20], [5, 20], 0.04712404712404713),
            ([1, 9], [10, 11], 0.0009228387711359848),
            ([300, 1000], [340, 1000], 0.06151337461771603),
            ([7, 30], [2, 400], 1.294607451212385e-07),
            ([19, 20], [20, 20], 1.0),
        ] {
            let found = fisher(one, other);
            assert!((found - expected).abs() < 1e-9, "{one:?} {other:?}: {found} instead of {expected}");
            assert!((fisher(other, one) - expected).abs() < 1e-9);
        }
    }

    #[test]
    fn nothing_differs_from_nothing() {
        assert_eq!(fisher([0, 0], [0, 0]), 1.0);
        assert_eq!(fisher([0, 7], [0, 9]), 1.0);
        assert_eq!(fisher([7, 7], [9, 9]), 1.0);
    }
}
