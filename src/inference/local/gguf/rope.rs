//! Rotary position embedding (Su et al. 2021): pairs of values are turned by an angle that grows with the
//! position.
//!
//! In: the shape of the model and its frequency factors. Out: tables for the positions of a block, applied
//! to query and key heads. Called by [`super::network`]. The cache keeps keys already turned.

use super::config::RopeConfig;

pub struct Rope {
    /// The angle of each pair at position 1.
    frequencies: Vec<f64>,
    neighbours: bool,
    magnitude: f32,
}

/// Cosine and sine for each pair at some positions one after the other.
#[derive(Default)]
pub struct RopeTable {
    cosines: Vec<f32>,
    sines: Vec<f32>,
    pairs: usize,
}

impl Rope {
    /// `factors` divide the frequency of each pair: Llama 3.1's scaling and Phi-3's both come as such a list.
    pub fn new(config: &RopeConfig, base: f32, linear_factor: f32, factors: Option<&[f32]>) -> Self {
        let frequencies = (0..config.size / 2)
            .map(|pair| {
                let exponent = -(2.0 * pair as f64) / config.size as f64;
                let factor = factors.map_or(1.0, |factors| f64::from(factors[pair]));
                f64::from(base).powf(exponent) / factor / f64::from(linear_factor)
            })
            .collect();
        Self { frequencies, neighbours: config.neighbours, magnitude: config.magnitude }
    }

    pub fn fill(&self, table: &mut RopeTable, first_position: usize, positions: usize) {
        table.pairs = self.frequencies.len();
        table.cosines.clear();
        table.sines.clear();
        for position in first_position..first_position + positions {
            for frequency in &self.frequencies {
                let (sine, cosine) = (position as f64 * frequency).sin_cos();
                table.cosines.push(cosine as f32 * self.magnitude);
                table.sines.push(sine as f32 * self.magnitude);
            }
        }
    }

    /// Turns one head at the `index`th position of the table.
    pub fn turn(&self, table: &RopeTable, index: usize, head: &mut [f32]) {
        let pairs = table.pairs;
        let cosines = &table.cosines[index * pairs..][..pairs];
        let sines = &table.sines[index * pairs..][..pairs];
        if self.neighbours {
            for ((pair, cosine), sine) in head.as_chunks_mut::<2>().0.iter_mut().zip(cosines).zip(sines) {
                let [a, b] = *pair;
                *pair = [a * cosine - b * sine, a * sine + b * cosine];
            }
        } else {
            let (left, right) = head[..2 * pairs].split_at_mut(pairs);
            for (((a, b), cosine), sine) in left.iter_mut().zip(right).zip(cosines).zip(sines) {
                let (x, y) = (*a, *b);
                *a = x * cosine - y * sine;
                *b = x * sine + y * cosine;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turned(neighbours: bool, factors: Option<&[f32]>) -> Vec<f32> {
        let config = RopeConfig {
            base: 100.0,
            local_base: 100.0,
            linear_factor: 1.0,
            size: 4,
            neighbours,
            long_from: None,
            magnitude: 1.0,
        };
        let rope = Rope::new(&config, 100.0, 1.0, factors);
        let mut table = RopeTable::default();
        rope.fill(&mut table, 2, 2);
        let mut head = vec![1.0, 0.0, 0.0, 1.0, 7.0];
        rope.turn(&table, 1, &mut head);
        head
    }

    #[test]
    fn pairs_turn_by_position_times_frequency() {
        // Frequencies are 1 and 100^(-1/2) = 0.1; the position is 3.
        let (s1, c1) = 3f32.sin_cos();
        let (s2, c2) = 0.3f32.sin_cos();
        let close = |got: Vec<f32>, want: [f32; 5]| {
            assert!(got.iter().zip(want).all(|(a, b)| (a - b).abs() < 1e-6), "{got:?} and {want:?}");
        };
        close(turned(true, None), [c1, s1, -s2, c2, 7.0]);
        close(turned(false, None), [c1, -s2, s1, c2, 7.0]);
        let (s3, c3) = 0.15f32.sin_cos();
        close(turned(true, Some(&[1.0, 2.0])), [c1, s1, -s3, c3, 7.0]);
    }
}
