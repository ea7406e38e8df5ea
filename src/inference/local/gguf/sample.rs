//! Draws a token from the scores of the next one.
//!
//! In: scores, the tokens so far, and [`Sampling`]. Out: a token. Called by [`super::generate`]. The same seed
//! and scores give the same tokens: the generator is here, and nothing reads a clock.

use crate::inference::Sampling;

/// Tokens that the repeat penalty looks back, as llama.cpp's `repeat_last_n` does by default.
const PENALTY_WINDOW: usize = 64;

pub struct Sampler {
    temperature: f32,
    top_p: f32,
    repeat_penalty: f32,
    state: u64,
    /// Kept between calls: candidates with their probability.
    candidates: Vec<(u32, f32)>,
}

impl Sampler {
    pub fn new(sampling: &Sampling) -> Self {
        Self {
            temperature: sampling.temperature,
            top_p: sampling.top_p,
            repeat_penalty: sampling.repeat_penalty,
            state: sampling.seed,
            candidates: Vec::new(),
        }
    }

    /// `seen` are all tokens of prompt and answer. The scores are changed by the penalty.
    pub fn draw(&mut self, scores: &mut [f32], seen: &[u32]) -> u32 {
        self.penalise(scores, seen);
        if self.temperature <= 0.0 || self.top_p <= 0.0 {
            return largest(scores);
        }
        self.candidates.clear();
        let top = scores[largest(scores) as usize];
        let weights = scores.iter().map(|score| ((score - top) / self.temperature).exp());
        self.candidates.extend((0u32..).zip(weights).filter(|(_, weight)| *weight > 0.0));
        let total: f32 = self.candidates.iter().map(|(_, weight)| weight).sum();
        let mut kept = total;
        if self.top_p < 1.0 {
            // Holtzman et al. 2020. Equal weights keep the order of the vocabulary, so draws can be repeated.
            self.candidates.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            kept = 0.0;
            let mut count = 0;
            for (_, weight) in &self.candidates {
                kept += weight;
                count += 1;
                if kept >= self.top_p * total {
                    break;
                }
            }
            self.candidates.truncate(count);
        }
        let mut left = self.uniform() * kept;
        for (token, weight) in &self.candidates {
            left -= weight;
            if left <= 0.0 {
                return *token;
            }
        }
        // Rounding may leave a little: the last candidate then.
        self.candidates.last().map_or_else(|| largest(scores), |(token, _)| *token)
    }

    /// Keskar et al. 2019: each token of the window once, towards less likely.
    fn penalise(&self, scores: &mut [f32], seen: &[u32]) {
        if self.repeat_penalty == 1.0 || self.repeat_penalty <= 0.0 {
            return;
        }
        let window = &seen[seen.len().saturating_sub(PENALTY_WINDOW)..];
        for (index, token) in window.iter().enumerate() {
            if window[..index].contains(token) {
                continue;
            }
            if let Some(score) = scores.get_mut(*token as usize) {
                *score =
                    if *score > 0.0 { *score / self.repeat_penalty } else { *score * self.repeat_penalty };
            }
        }
    }

    /// Uniform in [0, 1), by SplitMix64 (Steele, Lea and Flood 2014).
    fn uniform(&mut self) -> f32 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        (z >> 40) as f32 / (1u64 << 24) as f32
    }
}

/// The first of the largest scores.
fn largest(scores: &[f32]) -> u32 {
    let mut best = 0;
    for (token, score) in scores.iter().enumerate() {
        if *score > scores[best] {
            best = token;
        }
    }
    best as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draws(sampling: &Sampling, scores: &[f32], count: usize) -> Vec<u32> {
        let mut sampler = Sampler::new(sampling);
        (0..count).map(|_| sampler.draw(&mut scores.to_vec(), &[])).collect()
    }

    #[test]
    fn greedy_takes_the_first_of_the_largest() {
        assert_eq!(draws(&Sampling::default(), &[0.1, 3.0, 3.0, -1.0], 3), [1, 1, 1]);
    }

    #[test]
    fn the_same_seed_draws_the_same_and_another_does_not() {
        let warm = Sampling { temperature: 1.0, ..Sampling::default() };
        let scores: Vec<f32> = (0..50).map(|i| (i % 7) as f32 * 0.3).collect();
        assert_eq!(draws(&warm, &scores, 40), draws(&warm, &scores, 40));
        assert_ne!(draws(&warm, &scores, 40), draws(&Sampling { seed: 7, ..warm }, &scores, 40));
    }

    #[test]
    fn frequencies_follow_the_softmax() {
        let warm = Sampling { temperature: 2.0, ..Sampling::default() };
        // With temperature 2 these are 1 : 2 : 5.
        let scores = [0.0, 2.0 * 2f32.ln(), 2.0 * 5f32.ln()];
        let drawn = draws(&warm, &scores, 8000);
        for (token, share) in [(0, 1000.0), (1, 2000.0), (2, 5000.0)] {
            let count = drawn.iter().filter(|t| **t == token).count() as f32;
            assert!((count - share).abs() < 150.0, "{token} came {count} times");
        }
    }

    #[test]
    fn the_nucleus_leaves_out_the_tail() {
        let scores = [0.0, 1f32.ln(), 2f32.ln(), 6f32.ln()];
        let narrow = Sampling { temperature: 1.0, top_p: 0.75, ..Sampling::default() };
        assert!(draws(&narrow, &scores, 500).iter().all(|t| [2, 3].contains(t)));
        let narrower = Sampling { top_p: 0.5, ..narrow };
        assert!(draws(&narrower, &scores, 100).iter().all(|t| *t == 3));
    }

    #[test]
    fn the_penalty_moves_seen_tokens_down() {
        let sampling = Sampling { repeat_penalty: 2.0, ..Sampling::default() };
        let mut scores = [3.0, 2.0, -1.0];
        assert_eq!(Sampler::new(&sampling).draw(&mut scores, &[0, 0, 2]), 1);
        assert_eq!(scores, [1.5, 2.0, -2.0]);
        let far: Vec<u32> = std::iter::once(0).chain(std::iter::repeat_n(2, PENALTY_WINDOW)).collect();
        assert_eq!(Sampler::new(&sampling).draw(&mut [3.0, 2.0, -1.0], &far), 0);
    }

    #[test]
    fn scores_that_are_not_numbers_do_not_stop_it() {
        let warm = Sampling { temperature: 1.0, top_p: 0.9, ..Sampling::default() };
        assert_eq!(draws(&warm, &[f32::NAN; 4], 1).len(), 1);
    }
}
