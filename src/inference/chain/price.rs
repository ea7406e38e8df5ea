//! What a model's tokens cost, by what the settings say of its provider: tokens in, money out. Pure. Models that run here
//! cost nothing. Called where an answer is phrased, which writes down what it took.

/// For a million tokens, in the currency of the settings; providers name their prices so.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Price {
    /// Of what a model reads.
    pub input: f64,
    /// Of what it writes.
    pub output: f64,
}

impl Price {
    /// What so many tokens cost.
    pub fn of(&self, read: u64, written: u64) -> f64 {
        (read as f64 * self.input + written as f64 * self.output) / 1e6
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_of_a_million_tokens() {
        let price = Price { input: 3.0, output: 15.0 };
        for (read, written, expected) in
            [(0, 0, 0.0), (1_000_000, 0, 3.0), (0, 1_000_000, 15.0), (1_200, 80, 0.0048)]
        {
            assert!((price.of(read, written) - expected).abs() < 1e-12, "{read} {written}");
        }
        assert_eq!(Price::default().of(5_000, 5_000), 0.0);
    }
}
