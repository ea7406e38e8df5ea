//! Choosing a part of a data set (`--limit N --seed S`), and the small generator behind it.
//!
//! The generator is written out here because a sample and an interval must be the same in years: a library's
//! may change its stream with a version.

/// Which part of a set is measured.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    pub limit: Option<usize>,
    pub seed: u64,
}

/// A seeded stream of numbers: SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number
/// generators", OOPSLA 2014), whose constants these are.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`, which is not zero. The high half of a product (Lemire, "Fast random integer
    /// generation in an interval", 2019) without its rejection step: the bias is below `bound` / 2^64.
    pub fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.draw()) * bound as u128) >> 64) as usize
    }
}

/// `limit` positions out of `len`, in order and spread over all of it: one from each of `limit` equal stretches, so
/// that a file sorted by subject is sampled in every subject. All positions where `limit` is not smaller.
pub fn spread(len: usize, limit: usize, seed: u64) -> Vec<usize> {
    if limit >= len {
        return (0..len).collect();
    }
    let mut random = Random::new(seed);
    let edge = |stretch: usize| (stretch as u128 * len as u128 / limit as u128) as usize;
    (0..limit).map(|stretch| edge(stretch) + random.below(edge(stretch + 1) - edge(stretch))).collect()
}

/// Keeps those elements that [`spread`] chooses.
pub fn keep_spread<T>(items: Vec<T>, limit: Option<usize>, seed: u64) -> Vec<T> {
    let Some(limit) = limit else { return items };
    let mut chosen = spread(items.len(), limit, seed).into_iter().peekable();
    items
        .into_iter()
        .enumerate()
        .filter(|(at, _)| chosen.next_if_eq(at).is_some())
        .map(|(_, item)| item)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_is_splitmix64() {
        // First outputs for the seed 1234567, as published with the reference implementation.
        let mut random = Random::new(1_234_567);
        let first: Vec<u64> = (0..3).map(|_| random.draw()).collect();
        assert_eq!(first, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn a_sample_is_spread_over_everything_and_repeats_with_its_seed() {
        for (len, limit) in [(1000, 10), (101, 100), (7, 3), (5, 1)] {
            let chosen = spread(len, limit, 7);
            assert_eq!(chosen.len(), limit);
            for (stretch, &at) in chosen.iter().enumerate() {
                assert!(at >= stretch * len / limit && at < (stretch + 1) * len / limit, "{at} of {len}");
            }
            assert_eq!(chosen, spread(len, limit, 7));
        }
        assert_ne!(spread(1000, 10, 7), spread(1000, 10, 8));
    }

    #[test]
    fn a_limit_that_is_large_or_absent_keeps_all_and_zero_keeps_none() {
        assert_eq!(spread(3, 3, 1), [0, 1, 2]);
        assert_eq!(spread(3, 9, 1), [0, 1, 2]);
        assert_eq!(spread(0, 4, 1), [0; 0]);
        assert_eq!(keep_spread(vec!['a', 'b', 'c'], None, 1), ['a', 'b', 'c']);
        assert_eq!(keep_spread(vec!['a', 'b', 'c'], Some(0), 1), [' '; 0]);
        assert_eq!(keep_spread((0..100).collect(), Some(10), 3), spread(100, 10, 3));
    }
}
