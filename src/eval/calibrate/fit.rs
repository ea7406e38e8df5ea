//! Choosing one of several values by what it costs on questions, and whether the choice is more than luck.
//!
//! Pure. The choice is judged by cross-validation (Stone, "Cross-validatory choice and assessment of statistical
//! predictions", 1974): each part of the questions is measured with the value that the other parts choose. Only where
//! that costs less than the usual value, and by more than the interval of the difference, the choice is taken.

use serde::Serialize;

use crate::eval::metrics::{Interval, mean, mean_interval};

/// What came of choosing.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fit {
    /// The value that is used from now on where the outcome is better.
    pub chosen: f64,
    pub usual: f64,
    /// Mean cost of a question with the usual value, and with values chosen by other questions.
    pub cost_usual: Option<f64>,
    pub cost_chosen: Option<f64>,
    /// What a question saves, with its interval.
    pub saved: Option<Interval>,
    #[serde(flatten)]
    pub outcome: Outcome,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// The chosen value is better on questions that it was not chosen by.
    Better,
    /// It may be luck: the usual value stays.
    WithinNoise,
    /// The questions do not suffice.
    NotFitted { reason: String },
}

impl Fit {
    /// Nothing was fitted.
    pub fn left(reason: &str) -> Self {
        Self {
            chosen: f64::NAN,
            usual: f64::NAN,
            cost_usual: None,
            cost_chosen: None,
            saved: None,
            outcome: Outcome::NotFitted { reason: reason.to_owned() },
        }
    }
}

/// Chooses among `values` by `losses[question][value]`; `folds[question]` is the part that a question is in.
pub fn fit(values: &[f64], usual: f64, losses: &[Vec<f64>], folds: &[usize], seed: u64) -> Fit {
    let at_usual = values.iter().position(|&value| value == usual).unwrap_or(0);
    let parts: std::collections::BTreeSet<usize> = folds.iter().copied().collect();
    let mut held_out = vec![0.0; losses.len()];
    for part in parts {
        let others = losses.iter().zip(folds).filter(|(_, fold)| **fold != part).map(|(loss, _)| loss);
        let chosen = cheapest(values.len(), at_usual, others);
        for (question, fold) in folds.iter().enumerate() {
            if *fold == part {
                held_out[question] = losses[question][chosen];
            }
        }
    }
    let saved: Vec<f64> =
        losses.iter().zip(&held_out).map(|(loss, &held_out)| loss[at_usual] - held_out).collect();
    let interval = mean_interval(&saved, seed);
    let chosen = cheapest(values.len(), at_usual, losses.iter());
    let is_better = chosen != at_usual && interval.is_some_and(|saved| saved.low > 0.0);
    Fit {
        chosen: values[chosen],
        usual,
        cost_usual: mean(losses.iter().map(|loss| loss[at_usual])),
        cost_chosen: mean(held_out),
        saved: interval,
        outcome: if is_better { Outcome::Better } else { Outcome::WithinNoise },
    }
}

/// The value with the least loss; of several the middle one of the stretch nearest to the usual, so that the choice does
/// not stand at an edge.
fn cheapest<'a>(count: usize, usual: usize, losses: impl Iterator<Item = &'a Vec<f64>>) -> usize {
    let mut sums = vec![0.0; count];
    for loss in losses {
        sums.iter_mut().zip(loss).for_each(|(sum, loss)| *sum += loss);
    }
    let least = sums.iter().copied().fold(f64::INFINITY, f64::min);
    // Sums in another order differ in their last digits.
    let is_least = |at: usize| sums[at] <= least + 1e-9;
    if is_least(usual) {
        return usual;
    }
    let Some(nearest) = (0..count).filter(|&at| is_least(at)).min_by_key(|&at| at.abs_diff(usual)) else {
        return usual;
    };
    let (mut first, mut last) = (nearest, nearest);
    while first > 0 && is_least(first - 1) {
        first -= 1;
    }
    while last + 1 < count && is_least(last + 1) {
        last += 1;
    }
    first.midpoint(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_the_cheapest_stretch_is_taken() {
        let check = |sums: &[f64], usual: usize, expected: usize| {
            assert_eq!(cheapest(sums.len(), usual, std::iter::once(&sums.to_vec())), expected, "{sums:?}");
        };
        check(&[3.0, 1.0, 1.0, 1.0, 2.0], 0, 2);
        check(&[1.0, 1.0, 1.0], 0, 0);
        check(&[1.0, 5.0, 9.0, 5.0, 1.0], 3, 4);
    }

    #[test]
    fn a_value_chosen_by_luck_does_not_hold_on_other_questions() {
        // In every part another value is free by chance, and none is better in the next.
        let losses: Vec<Vec<f64>> = (0..30)
            .map(|at| (0..4).map(|value| if value > 0 && at / 10 + 1 == value { 0.0 } else { 1.0 }).collect())
            .collect();
        let folds: Vec<usize> = (0..30).map(|at| at / 10).collect();
        let fitted = fit(&[0.0, 1.0, 2.0, 3.0], 0.0, &losses, &folds, 7);
        assert_eq!((fitted.outcome, fitted.cost_chosen), (Outcome::WithinNoise, Some(1.0)));
    }

    #[test]
    fn a_value_that_is_always_better_is_taken() {
        let losses: Vec<Vec<f64>> = (0..30).map(|at| vec![1.0, f64::from(at % 3) / 10.0]).collect();
        let folds: Vec<usize> = (0..30).map(|at| at % 5).collect();
        let fitted = fit(&[1.0, 2.0], 1.0, &losses, &folds, 7);
        assert_eq!((fitted.chosen, fitted.outcome), (2.0, Outcome::Better));
        assert!((fitted.saved.unwrap().mean - 0.9).abs() < 1e-9);
    }
}
