//! Several probabilities at once: what each is worth among so many.

/// Holm's correction: with many numbers tested, one is below .05 by chance soon (Holm, "A simple sequentially
/// rejective multiple test procedure", Scandinavian Journal of Statistics 1979). In the order given.
pub fn holm(probabilities: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..probabilities.len()).collect();
    order.sort_by(|&a, &b| probabilities[a].total_cmp(&probabilities[b]));
    let (mut corrected, mut largest) = (vec![1.0; probabilities.len()], 0.0f64);
    for (rank, at) in order.into_iter().enumerate() {
        largest = largest.max(((probabilities.len() - rank) as f64 * probabilities[at]).min(1.0));
        corrected[at] = largest;
    }
    corrected
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holm_by_hand() {
        assert_eq!(holm(&[0.01, 0.04, 0.03]), [0.03, 0.06, 0.06]);
        assert_eq!(holm(&[0.9, 0.8]), [1.0, 1.0]);
        assert_eq!(holm(&[]), [0.0; 0]);
    }
}
