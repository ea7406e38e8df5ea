//! The rank sum test: does one group tend to larger values than another, whatever their distribution? (Wilcoxon,
//! "Individual comparisons by ranking methods", Biometrics 1945; Mann and Whitney, "On a test of whether one of two random
//! variables is stochastically larger than the other", Annals of Mathematical Statistics 1947.)

use super::normal::beyond;

/// How probable a difference of ranks like this one or a larger one is where there is none, on either side: by the normal
/// distribution with the corrections for ties and for continuity, which holds from some twenty values in each group.
/// 1 where a group is empty or all values are the same; values are numbers.
pub fn rank_sum(one: &[f64], other: &[f64]) -> f64 {
    let (n, m) = (one.len() as f64, other.len() as f64);
    let mut all: Vec<(f64, bool)> = one.iter().map(|value| (*value, true)).collect();
    all.extend(other.iter().map(|value| (*value, false)));
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut before, mut ranks, mut ties) = (0.0, 0.0, 0.0);
    for tied in all.chunk_by(|a, b| a.0 == b.0) {
        let count = tied.len() as f64;
        // All of them get the middle of their places.
        ranks += (before + (count + 1.0) / 2.0) * tied.iter().filter(|(_, is_one)| *is_one).count() as f64;
        ties += count * count * count - count;
        before += count;
    }
    let whole = n + m;
    let spread = (n * m / 12.0 * (whole + 1.0 - ties / (whole * (whole - 1.0)))).sqrt();
    // Not a number where there is nothing to spread, and then nothing differs.
    if spread.is_nan() || spread <= 0.0 {
        return 1.0;
    }
    let away = (ranks - n * (n + 1.0) / 2.0 - n * m / 2.0).abs();
    beyond((away - 0.5).max(0.0) / spread)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against `scipy.stats.mannwhitneyu(a, b, method="asymptotic")`, scipy 1.17.1.
    #[test]
    fn probabilities_are_those_of_scipy() {
        let whole = |values: std::ops::Range<u32>| values.map(f64::from).collect::<Vec<f64>>();
        let fifths =
            |values: std::ops::Range<u32>| values.map(|n| f64::from(n % 5) / 4.0).collect::<Vec<f64>>();
        let squares =
            |values: std::ops::Range<u32>| values.map(|n| f64::from(n * n % 37)).collect::<Vec<f64>>();
        let coins =
            |ones: usize, all: usize| (0..all).map(|n| f64::from(u8::from(n < ones))).collect::<Vec<f64>>();
        for (one, other, expected) in [
            (whole(0..30), whole(5..35), 0.04274735330571392),
            (fifths(0..42), fifths(3..61), 0.76465663475542),
            (squares(1..40), squares(40..90), 0.7279997416198074),
            (coins(4, 40), coins(20, 40), 0.00010747517835926746),
            (whole(0..25), whole(100..140), 1.6364085503416784e-11),
        ] {
            let found: f64 = rank_sum(&one, &other);
            assert!((found - expected).abs() < 1e-9, "{one:?} {other:?}: {found} instead of {expected}");
            assert!((rank_sum(&other, &one) - expected).abs() < 1e-9);
        }
    }

    #[test]
    fn nothing_differs_from_nothing() {
        assert_eq!(rank_sum(&[], &[]), 1.0);
        assert_eq!(rank_sum(&[1.0], &[]), 1.0);
        assert_eq!(rank_sum(&[2.0; 30], &[2.0; 40]), 1.0);
    }
}
