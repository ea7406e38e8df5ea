//! The tail of the normal distribution, to the last digits of a float.
//!
//! Formulas of Abramowitz and Stegun, "Handbook of Mathematical Functions" (1964), chapter 7. Called by `ranks.rs`.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

/// Between the series, which loses digits of a small tail, and the fraction, which takes many steps near zero.
const FAR: f64 = 2.5;

/// Steps of the fraction: at [`FAR`] the rest is then below 1e-16.
const STEPS: u32 = 80;

/// How probable it is to be at least `z` away from the middle, on either side; `z` is not negative.
pub fn beyond(z: f64) -> f64 {
    erfc(z * FRAC_1_SQRT_2)
}

/// The complementary error function of a number that is not negative.
fn erfc(x: f64) -> f64 {
    let bell = (-x * x).exp();
    if x < FAR {
        // 7.1.6: every term is positive, so nothing cancels.
        let (mut term, mut sum, mut odd) = (x, x, 1.0);
        while term > sum * f64::EPSILON / 4.0 {
            odd += 2.0;
            term *= 2.0 * x * x / odd;
            sum += term;
        }
        return 1.0 - FRAC_2_SQRT_PI * bell * sum;
    }
    // 7.1.14: a continued fraction, from its far end.
    let tail = (1..=STEPS).rev().fold(x, |below, step| x + f64::from(step) / 2.0 / below);
    bell * FRAC_2_SQRT_PI / 2.0 / tail
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against `2 * scipy.stats.norm.sf(z)`, scipy 1.17.1.
    #[test]
    fn tails_are_those_of_scipy() {
        for (z, expected) in [
            (0.0, 1.0),
            (0.1, 0.920344325445942),
            (0.5, 0.6170750774519738),
            (1.0, 0.31731050786291415),
            (1.96, 0.04999579029644087),
            (2.5, 0.012419330651552265),
            (3.5, 0.00046525815807105003),
            (3.6, 0.00031821718031506727),
            (4.0, 6.334248366623973e-05),
            (6.0, 1.973175290075389e-09),
            (10.0, 1.523970604832094e-23),
            (30.0, 9.813427854295816e-198),
        ] {
            let found: f64 = beyond(z);
            assert!((found - expected).abs() <= 1e-11 * expected, "{z}: {found} instead of {expected}");
        }
    }
}
