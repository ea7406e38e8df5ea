//! Is one run better than another over the same questions, or is the difference chance?
//!
//! The interval is a paired bootstrap: the questions are drawn again and again, each with both its outcomes (Efron and
//! Tibshirani, "An Introduction to the Bootstrap", 1993; Koehn, "Statistical significance tests for machine
//! translation evaluation", EMNLP 2004). The probability is that of a randomisation test: if the runs were alike, the two
//! outcomes of a question could be swapped (Smucker, Allan and Carterette, "A comparison of statistical significance
//! tests for information retrieval evaluation", CIKM 2007). Both hold for means and for the area under the ROC curve.

use serde::{Deserialize, Serialize};

use super::latency::quantile;
use crate::eval::sample::Random;

/// Draws and swaps: the ends of an interval then move by less than a fiftieth of its width from seed to seed.
pub const DRAWS: usize = 10_000;

/// A number in two runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    pub before: f64,
    pub after: f64,
    /// `after` - `before`.
    pub difference: f64,
    /// Where the difference lies with other questions of the same kind in 95 of 100 cases.
    pub low: f64,
    pub high: f64,
    /// How often a difference this large comes about where there is none: 1 plus the swaps that reach it, over 1 plus all
    /// (Phipson and Smyth, "Permutation p-values should never be zero", 2010).
    pub p: f64,
}

/// One question's value with its weight; `None` where the question says nothing about the number.
pub type Weighted = Option<(f64, f64)>;

/// Compares weighted means, question by question. Absent where either run has no value at all.
pub fn compare_means(before: &[Weighted], after: &[Weighted], draws: usize, seed: u64) -> Option<Difference> {
    let sums = |value: &Weighted| value.map_or([0.0, 0.0], |(value, weight)| [value * weight, weight]);
    let rows: Vec<[f64; 4]> = before
        .iter()
        .zip(after)
        .map(|(before, after)| [sums(before), sums(after)])
        .map(|[[a, b], [c, d]]| [a, b, c, d])
        .collect();
    let difference =
        |[a, b, c, d]: [f64; 4]| (b > 0.0 && d > 0.0).then(|| (a / b, c / d)).map(|(a, c)| (a, c, c - a));
    let add = |mut total: [f64; 4], row: &[f64; 4]| {
        total.iter_mut().zip(row).for_each(|(total, value)| *total += value);
        total
    };
    let resampled = |random: &mut Random| {
        let total = (0..rows.len()).fold([0.0; 4], |total, _| add(total, &rows[random.below(rows.len())]));
        difference(total).map(|(.., difference)| difference)
    };
    let swapped = |random: &mut Random| {
        let mut coins = Coins::default();
        let total = rows.iter().fold([0.0; 4], |total, row| {
            let [a, b, c, d] = *row;
            add(total, &if coins.toss(random) { [c, d, a, b] } else { *row })
        });
        difference(total).map(|(.., difference)| difference)
    };
    let (before, after, observed) = difference(rows.iter().fold([0.0; 4], add))?;
    judge(before, after, observed, resampled, swapped, draws, seed)
}

/// Compares areas under the ROC curve: one score for each question in each run, and whether it is a positive.
pub fn compare_aurocs(
    before: &[f64],
    after: &[f64],
    positive: &[bool],
    draws: usize,
    seed: u64,
) -> Option<Difference> {
    let mut order: Vec<(f64, usize, usize)> = Vec::with_capacity(2 * positive.len());
    for (run, scores) in [before, after].into_iter().enumerate() {
        order.extend(scores.iter().take(positive.len()).enumerate().map(|(at, &score)| (score, at, run)));
    }
    if order.len() != 2 * positive.len() || order.iter().any(|(score, ..)| score.is_nan()) {
        return None;
    }
    order.sort_by(|a, b| a.0.total_cmp(&b.0));
    let areas = |count: &dyn Fn(usize) -> f64, side: &dyn Fn(usize, usize) -> usize| -> Option<[f64; 2]> {
        // Each positive beats the negatives before it, and half of those level with it.
        let (mut won, mut negatives, mut positives) = ([0.0; 2], [0.0; 2], [0.0; 2]);
        for tied in order.chunk_by(|a, b| a.0 == b.0) {
            let mut level = [[0.0; 2]; 2];
            for &(_, at, run) in tied {
                level[side(at, run)][usize::from(positive[at])] += count(at);
            }
            for run in 0..2 {
                let [new_negatives, new_positives] = level[run];
                won[run] += new_positives * (negatives[run] + new_negatives / 2.0);
                negatives[run] += new_negatives;
                positives[run] += new_positives;
            }
        }
        let pairs = [positives[0] * negatives[0], positives[1] * negatives[1]];
        (pairs[0] > 0.0 && pairs[1] > 0.0).then(|| [won[0] / pairs[0], won[1] / pairs[1]])
    };
    let resampled = |random: &mut Random| {
        let mut counts = vec![0.0; positive.len()];
        (0..positive.len()).for_each(|_| counts[random.below(positive.len())] += 1.0);
        areas(&|at| counts[at], &|_, run| run).map(|[before, after]| after - before)
    };
    let swapped = |random: &mut Random| {
        let mut coins = Coins::default();
        let flips: Vec<usize> = positive.iter().map(|_| usize::from(coins.toss(random))).collect();
        areas(&|_| 1.0, &|at, run| run ^ flips[at]).map(|[before, after]| after - before)
    };
    let [before, after] = areas(&|_| 1.0, &|_, run| run)?;
    judge(before, after, after - before, resampled, swapped, draws, seed)
}

fn judge(
    before: f64,
    after: f64,
    difference: f64,
    resampled: impl Fn(&mut Random) -> Option<f64>,
    swapped: impl Fn(&mut Random) -> Option<f64>,
    draws: usize,
    seed: u64,
) -> Option<Difference> {
    let mut random = Random::new(seed);
    // A draw without any value for the number (all its questions left out) says nothing.
    let mut differences: Vec<f64> = (0..draws).filter_map(|_| resampled(&mut random)).collect();
    differences.sort_by(f64::total_cmp);
    let swaps: Vec<f64> = (0..draws).filter_map(|_| swapped(&mut random)).collect();
    // Sums in another order differ in their last digits.
    let reached = swaps.iter().filter(|swap| swap.abs() >= difference.abs() - 1e-12).count();
    Some(Difference {
        before,
        after,
        difference,
        low: quantile(&differences, 0.025)?,
        high: quantile(&differences, 0.975)?,
        p: (1 + reached) as f64 / (1 + swaps.len()) as f64,
    })
}

/// Fair coins, 64 from each draw.
#[derive(Default)]
struct Coins {
    bits: u64,
    left: u32,
}

impl Coins {
    fn toss(&mut self, random: &mut Random) -> bool {
        if self.left == 0 {
            (self.bits, self.left) = (random.draw(), 64);
        }
        self.left -= 1;
        let head = self.bits & 1 == 1;
        self.bits >>= 1;
        head
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::metrics::auroc;

    fn plain(values: &[f64]) -> Vec<Weighted> {
        values.iter().map(|&value| Some((value, 1.0))).collect()
    }

    fn noise(seed: u64, count: usize) -> Vec<f64> {
        let mut random = Random::new(seed);
        (0..count).map(|_| random.below(1000) as f64 / 1000.0).collect()
    }

    /// The same written the slow and obvious way: all sign patterns, one by one.
    #[test]
    fn the_probability_is_that_of_all_swaps() {
        let (before, after) = (noise(1, 10), noise(2, 10));
        let differences: Vec<f64> = before.iter().zip(&after).map(|(before, after)| after - before).collect();
        let observed = differences.iter().sum::<f64>().abs();
        let reached = (0..1024u32).filter(|pattern| {
            let sum: f64 =
                (0..10).map(|at| differences[at] * if pattern >> at & 1 == 1 { -1.0 } else { 1.0 }).sum();
            sum.abs() >= observed - 1e-12
        });
        let exact = reached.count() as f64 / 1024.0;
        let got = compare_means(&plain(&before), &plain(&after), DRAWS, 3).unwrap().p;
        assert!((got - exact).abs() < 0.02, "{got} instead of {exact}");
    }

    /// The same written the slow and obvious way: every resample made and measured.
    #[test]
    fn the_interval_is_that_of_resamples_measured_one_by_one() {
        let (before, after) = (noise(5, 40), noise(6, 40));
        let mut random = Random::new(99);
        let mut slow: Vec<f64> = (0..DRAWS)
            .map(|_| {
                let chosen: Vec<usize> = (0..40).map(|_| random.below(40)).collect();
                let mean = |values: &[f64]| chosen.iter().map(|&at| values[at]).sum::<f64>() / 40.0;
                mean(&after) - mean(&before)
            })
            .collect();
        slow.sort_by(f64::total_cmp);
        let got = compare_means(&plain(&before), &plain(&after), DRAWS, 3).unwrap();
        let width = got.high - got.low;
        assert!((got.low - quantile(&slow, 0.025).unwrap()).abs() < width / 20.0);
        assert!((got.high - quantile(&slow, 0.975).unwrap()).abs() < width / 20.0);
        assert!(got.low < got.difference && got.difference < got.high);
    }

    #[test]
    fn areas_are_compared_as_the_plain_definition_has_them() {
        let positive: Vec<bool> = (0..60).map(|at| at % 3 == 0).collect();
        let scores = |seed, gain: f64| -> Vec<f64> {
            // Tenths, so that there are ties.
            let noise = noise(seed, 60);
            noise
                .iter()
                .zip(&positive)
                .map(|(n, &p)| ((n + if p { gain } else { 0.0 }) * 10.0).round())
                .collect()
        };
        let (before, after) = (scores(1, 0.1), scores(2, 0.9));
        let area = |scores: &[f64], chosen: &[usize]| {
            let cases: Vec<_> = chosen.iter().map(|&at| (scores[at], positive[at])).collect();
            auroc(&cases)
        };
        let all: Vec<usize> = (0..60).collect();
        let got = compare_aurocs(&before, &after, &positive, 2000, 3).unwrap();
        assert!((got.before - area(&before, &all).unwrap()).abs() < 1e-12);
        assert!((got.after - area(&after, &all).unwrap()).abs() < 1e-12);
        let mut random = Random::new(77);
        let mut slow: Vec<f64> = (0..2000)
            .filter_map(|_| {
                let chosen: Vec<usize> = (0..60).map(|_| random.below(60)).collect();
                Some(area(&after, &chosen)? - area(&before, &chosen)?)
            })
            .collect();
        slow.sort_by(f64::total_cmp);
        assert!((got.low - quantile(&slow, 0.025).unwrap()).abs() < 0.03, "{got:?}");
        assert!((got.high - quantile(&slow, 0.975).unwrap()).abs() < 0.03, "{got:?}");
        assert!(got.p < 0.01);
    }

    #[test]
    fn equal_runs_do_not_differ_and_a_seed_repeats() {
        let values = plain(&noise(4, 30));
        let same = compare_means(&values, &values, DRAWS, 1).unwrap();
        assert_eq!((same.difference, same.low, same.high, same.p), (0.0, 0.0, 0.0, 1.0));
        let other = plain(&noise(8, 30));
        let first = compare_means(&values, &other, DRAWS, 1);
        assert_eq!(first, compare_means(&values, &other, DRAWS, 1));
        assert_ne!(first, compare_means(&values, &other, DRAWS, 2));
        assert_eq!(compare_means(&[], &[], DRAWS, 1), None);
        assert_eq!(compare_means(&[None], &[Some((1.0, 1.0))], DRAWS, 1), None);
    }

    #[test]
    fn weights_and_absent_values_count_as_the_mean_has_them() {
        let before = [Some((1.0, 3.0)), Some((0.0, 1.0)), None];
        let after = [Some((0.5, 1.0)), None, Some((1.0, 1.0))];
        let got = compare_means(&before, &after, 100, 1).unwrap();
        assert_eq!((got.before, got.after), (0.75, 0.75));
    }
}
