//! Seeded vectors to measure searching with, and the true neighbours of a query by a plain scan.
//!
//! Sentence vectors lie in clusters and use far fewer directions than they have dimensions; uniformly random ones would
//! make every search look worse than it is. So a vector is a cluster's centre plus its own offset in [`LATENT`] hidden
//! dimensions, spread over all dimensions by a random matrix, plus some noise in each. The same seed gives the same
//! vectors; nothing of them is kept, so that a million need no room here.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::eval::sample::Random;
use crate::index::int8::dot;

/// Hidden dimensions: about the intrinsic dimension that sentence embeddings show (some tens).
const LATENT: usize = 32;

/// Members of a cluster, on average.
const CLUSTER: usize = 100;

/// How far a member lies from its centre, and the noise in each dimension, against 1 for the centres: the mean cosine to
/// the nearest neighbour is then about that of course content (.6 to .8).
const OFFSET: f32 = 0.6;
const NOISE: f32 = 0.35;

/// A world of clusters that vectors and queries are drawn from.
pub struct World {
    dimensions: usize,
    seed: u64,
    clusters: usize,
    /// `LATENT` rows of `dimensions` numbers.
    spread: Vec<f32>,
}

impl World {
    /// For `count` vectors of length 1.
    pub fn new(dimensions: usize, count: usize, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let spread = (0..LATENT * dimensions).map(|_| uniform(&mut random)).collect();
        Self { dimensions, seed, clusters: (count / CLUSTER).max(8), spread }
    }

    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// The vector of this number.
    pub fn vector(&self, number: usize) -> Vec<f32> {
        self.draw(2 * number as u64)
    }

    /// The query of this number: a member of some cluster that is not among the vectors.
    pub fn query(&self, number: usize) -> Vec<f32> {
        self.draw(2 * number as u64 + 1)
    }

    fn draw(&self, number: u64) -> Vec<f32> {
        let mut own = Random::new(self.seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(17));
        let cluster = own.below(self.clusters) as u64;
        let mut centre = Random::new(self.seed.wrapping_add(1 + cluster).rotate_left(31));
        let mut vector: Vec<f32> = (0..self.dimensions).map(|_| 0.0).collect();
        for row in self.spread.chunks_exact(self.dimensions) {
            let latent = uniform(&mut centre) + OFFSET * uniform(&mut own);
            for (sum, weight) in vector.iter_mut().zip(row) {
                *sum += latent * weight;
            }
        }
        // A sum of LATENT products of two uniform numbers has a standard deviation of √LATENT / 3.
        let noise = NOISE * (LATENT as f32).sqrt() / 3.0 * 3f32.sqrt();
        vector.iter_mut().for_each(|number| *number += noise * uniform(&mut own));
        let length = dot(&vector, &vector).sqrt().max(f32::MIN_POSITIVE);
        vector.iter_mut().for_each(|number| *number /= length);
        vector
    }
}

/// The true nearest vectors of some queries, found by looking at every vector in full.
pub struct Truth {
    top: usize,
    queries: Vec<Vec<f32>>,
    best: Vec<BinaryHeap<Reverse<Near>>>,
}

impl Truth {
    pub fn new(queries: Vec<Vec<f32>>, top: usize) -> Self {
        let best = queries.iter().map(|_| BinaryHeap::with_capacity(top + 1)).collect();
        Self { top, queries, best }
    }

    pub fn queries(&self) -> &[Vec<f32>] {
        &self.queries
    }

    /// Looks at one vector.
    pub fn look_at(&mut self, number: usize, vector: &[f32]) {
        for (query, best) in self.queries.iter().zip(&mut self.best) {
            let near = Near { similarity: dot(query, vector), number };
            if best.len() < self.top || best.peek().is_some_and(|Reverse(least)| near > *least) {
                best.push(Reverse(near));
                if best.len() > self.top {
                    best.pop();
                }
            }
        }
    }

    /// Numbers of the nearest vectors of each query, nearest first.
    pub fn neighbours(&self) -> Vec<Vec<usize>> {
        let of_one = |best: &BinaryHeap<Reverse<Near>>| {
            let mut near: Vec<Near> = best.iter().map(|Reverse(near)| *near).collect();
            near.sort_by(|a, b| b.cmp(a));
            near.into_iter().map(|near| near.number).collect()
        };
        self.best.iter().map(of_one).collect()
    }
}

/// Ordered by similarity; of equals the lower number is nearer.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Near {
    similarity: f32,
    number: usize,
}

impl Eq for Near {}

impl PartialOrd for Near {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Near {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.similarity.total_cmp(&other.similarity).then(other.number.cmp(&self.number))
    }
}

/// Between −1 and 1.
fn uniform(random: &mut Random) -> f32 {
    // The upper 24 bits fill a single-precision fraction exactly.
    (random.draw() >> 40) as f32 / (1u32 << 23) as f32 - 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_repeat_have_length_one_and_lie_in_clusters() {
        let world = World::new(256, 2_000, 5);
        assert_eq!(world.vector(17), World::new(256, 2_000, 5).vector(17));
        assert_ne!(world.vector(17), world.query(17));
        let mut truth = Truth::new((0..20).map(|query| world.query(query)).collect(), 2);
        for number in 0..2_000 {
            let vector = world.vector(number);
            assert!((dot(&vector, &vector) - 1.0).abs() < 1e-5);
            truth.look_at(number, &vector);
        }
        let mean = |place: usize| {
            let near = truth.neighbours().into_iter().zip(truth.queries());
            near.map(|(near, query)| dot(query, &world.vector(near[place]))).sum::<f32>() / 20.0
        };
        assert!(mean(0) >= mean(1) && (0.5..0.9).contains(&mean(0)), "{}", mean(0));
    }

    #[test]
    fn the_nearest_are_kept_in_order_and_ties_go_to_the_lower_number() {
        let mut truth = Truth::new(vec![vec![1.0, 0.0]], 3);
        for (number, vector) in
            [[0.0, 1.0], [1.0, 0.0], [0.6, 0.8], [1.0, 0.0], [-1.0, 0.0]].iter().enumerate()
        {
            truth.look_at(number, vector);
        }
        assert_eq!(truth.neighbours(), [[1, 3, 2]]);
    }
}
