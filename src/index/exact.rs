//! The exact index: every search looks at every vector, first in eight bits, then in full where it may matter.
//!
//! The eight-bit scan gives each vector a similarity and how far off it can be at most; whoever cannot be among the
//! best is out, the rest is computed in full precision. So the result is that of a plain scan, whatever the data.
//! For collections up to some hundred thousand chunks; kept in memory, made from the store's rows.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::OnceLock;

use super::int8::{dot, dots, padded, quantize};
use super::{Hit, IndexError, VectorIndex, VectorSearch};
use crate::domain::ChunkId;

/// Rows whose products are computed before any is looked at: few enough for the first cache.
const BLOCK: usize = 256;

/// Covers rounding in the bound itself, which is computed in single precision: about a hundred times its error.
const SLACK: f32 = 1e-5;

/// Vectors whose length is nearer to 1 than this are taken as they are.
const UNIT: f32 = 1e-4;

/// Chunks whose nearest neighbour is looked for to know how crowded the collection is, and the size from which it
/// is taken for crowded without looking: neighbours come nearer with every chunk.
const SAMPLE: usize = 128;
const CROWDED_FROM: usize = 5_000;

/// Exact nearest neighbours by cosine.
#[derive(Debug, Clone)]
pub struct ExactIndex {
    dimensions: usize,
    places: HashMap<ChunkId, usize>,
    /// The chunk at each place; the vectors below have the same order.
    chunks: Vec<ChunkId>,
    vectors: Vec<f32>,
    numbers: Vec<i8>,
    rounding: Vec<Rounding>,
    /// Computed when first asked for, forgotten with every change.
    crowding: OnceLock<Option<f32>>,
}

/// How a row of eight-bit numbers stands for its vector.
#[derive(Debug, Clone, Copy)]
struct Rounding {
    scale: f32,
    error: f32,
    norm: f32,
}

impl ExactIndex {
    /// An empty index of vectors with this many dimensions.
    pub fn new(dimensions: usize) -> Self {
        Self {
            dimensions,
            places: HashMap::new(),
            chunks: Vec::new(),
            vectors: Vec::new(),
            numbers: Vec::new(),
            rounding: Vec::new(),
            crowding: OnceLock::new(),
        }
    }

    /// Makes room for this many more vectors.
    pub fn reserve(&mut self, more: usize) {
        self.places.reserve(more);
        self.chunks.reserve(more);
        self.vectors.reserve(more * self.dimensions);
        self.numbers.reserve(more * padded(self.dimensions));
        self.rounding.reserve(more);
    }

    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// The places that may be among the `top` best: all whose upper bound reaches the `top`-th lower bound.
    fn candidates(&self, query: &[f32], top: usize) -> Vec<usize> {
        let width = padded(self.dimensions);
        let rounded = quantize(query);
        let mut best = BinaryHeap::with_capacity(top + 1);
        let mut least = f32::NEG_INFINITY;
        let mut candidates: Vec<(f32, usize)> = Vec::new();
        let mut products = [0i32; BLOCK];
        for (block, rounding) in self.rounding.chunks(BLOCK).enumerate() {
            let first = block * BLOCK;
            let rows = &self.numbers[first * width..(first + rounding.len()) * width];
            let products = &mut products[..rounding.len()];
            dots(&rounded.numbers, rows, products);
            for (row, (&product, rounding)) in products.iter().zip(rounding).enumerate() {
                let near = product as f32 * (rounding.scale * rounded.scale);
                // v·q − v'·q' = (v − v')·q + v'·(q − q'), each at most the product of its lengths; |q| = 1.
                let bound = rounding.error + rounding.norm * rounded.error + SLACK;
                if near + bound < least {
                    continue;
                }
                candidates.push((near + bound, first + row));
                if best.len() < top || near - bound > least {
                    best.push(Reverse(Ordered(near - bound)));
                    if best.len() > top {
                        best.pop();
                    }
                    if best.len() == top {
                        least = best.peek().map_or(least, |Reverse(Ordered(lower))| *lower);
                    }
                }
            }
        }
        candidates.retain(|(upper, _)| *upper >= least);
        candidates.into_iter().map(|(_, place)| place).collect()
    }

    /// Samples by chunk id, so that the order in which chunks came does not matter.
    fn measure_crowding(&self) -> Option<f32> {
        if !(2..CROWDED_FROM).contains(&self.chunks.len()) {
            return None;
        }
        let mut sample = self.chunks.clone();
        sample.sort_unstable();
        let step = sample.len().div_ceil(SAMPLE);
        let nearest = sample.into_iter().step_by(step).map(|chunk| {
            let hits = self.search(self.vector(self.places[&chunk]), 2).ok()?;
            hits.into_iter().find(|hit| hit.chunk != chunk).map(|hit| hit.similarity)
        });
        let nearest: Vec<f32> = nearest.collect::<Option<_>>()?;
        Some(nearest.iter().sum::<f32>() / nearest.len() as f32)
    }

    fn vector(&self, place: usize) -> &[f32] {
        &self.vectors[place * self.dimensions..(place + 1) * self.dimensions]
    }

    /// A copy of length 1; a vector of zeros stays.
    fn unit(&self, vector: &[f32]) -> Result<Vec<f32>, IndexError> {
        if vector.len() != self.dimensions {
            return Err(IndexError::Dimensions { got: vector.len(), want: self.dimensions });
        }
        let length = dot(vector, vector).sqrt();
        if !length.is_finite() {
            return Err(IndexError::Failed("the vector is not finite".to_owned()));
        }
        let divisor = if length == 0.0 || (length - 1.0).abs() < UNIT { 1.0 } else { length };
        Ok(vector.iter().map(|number| number / divisor).collect())
    }
}

impl VectorSearch for ExactIndex {
    fn search(&self, query: &[f32], top: usize) -> Result<Vec<Hit>, IndexError> {
        let query = self.unit(query)?;
        let top = top.min(self.chunks.len());
        if top == 0 {
            return Ok(Vec::new());
        }
        let similarity = |place| dot(&query, self.vector(place));
        let mut hits: Vec<Hit> = self
            .candidates(&query, top)
            .into_iter()
            .map(|place| Hit { chunk: self.chunks[place], similarity: similarity(place) })
            .collect();
        hits.sort_unstable_by(nearest_first);
        hits.truncate(top);
        Ok(hits)
    }

    fn similarities(&self, query: &[f32], chunks: &[ChunkId]) -> Result<Vec<Option<f32>>, IndexError> {
        let query = self.unit(query)?;
        let similarity = |chunk| self.places.get(chunk).map(|&place| dot(&query, self.vector(place)));
        Ok(chunks.iter().map(similarity).collect())
    }

    fn crowding(&self) -> Option<f32> {
        *self.crowding.get_or_init(|| self.measure_crowding())
    }

    fn len(&self) -> usize {
        self.chunks.len()
    }
}

impl VectorIndex for ExactIndex {
    fn add(&mut self, chunk: ChunkId, vector: &[f32]) -> Result<(), IndexError> {
        let vector = self.unit(vector)?;
        self.crowding = OnceLock::new();
        let rounded = quantize(&vector);
        let rounding = Rounding { scale: rounded.scale, error: rounded.error, norm: rounded.norm };
        match self.places.get(&chunk) {
            Some(&place) => {
                let (wide, narrow) = (place * self.dimensions, place * rounded.numbers.len());
                self.vectors[wide..wide + vector.len()].copy_from_slice(&vector);
                self.numbers[narrow..narrow + rounded.numbers.len()].copy_from_slice(&rounded.numbers);
                self.rounding[place] = rounding;
            }
            None => {
                self.places.insert(chunk, self.chunks.len());
                self.chunks.push(chunk);
                self.vectors.extend_from_slice(&vector);
                self.numbers.extend_from_slice(&rounded.numbers);
                self.rounding.push(rounding);
            }
        }
        Ok(())
    }

    /// The last vector takes the place of the removed one.
    fn remove(&mut self, chunk: ChunkId) -> Result<(), IndexError> {
        let Some(place) = self.places.remove(&chunk) else { return Ok(()) };
        self.crowding = OnceLock::new();
        self.chunks.swap_remove(place);
        self.rounding.swap_remove(place);
        move_last(&mut self.vectors, place, self.dimensions);
        move_last(&mut self.numbers, place, padded(self.dimensions));
        if let Some(moved) = self.chunks.get(place) {
            self.places.insert(*moved, place);
        }
        Ok(())
    }
}

/// Nearest first; the order of chunks decides between equals.
pub(super) fn nearest_first(a: &Hit, b: &Hit) -> std::cmp::Ordering {
    b.similarity.total_cmp(&a.similarity).then(a.chunk.cmp(&b.chunk))
}

fn move_last<T: Copy>(rows: &mut Vec<T>, place: usize, width: usize) {
    let last = rows.len() - width;
    rows.copy_within(last.., place * width);
    rows.truncate(last);
}

/// A number that is not NaN.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Ordered(f32);

impl Eq for Ordered {}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::super::conformance::{self, clustered, random};
    use super::super::oracle::BruteForce;
    use super::*;

    #[test]
    fn it_keeps_the_contract_of_an_index() {
        conformance::all(|dimensions| Box::new(ExactIndex::new(dimensions)));
    }

    fn check(vectors: &[Vec<f32>], queries: &[Vec<f32>], top: usize) {
        let dimensions = vectors[0].len();
        let (mut index, mut oracle) = (ExactIndex::new(dimensions), BruteForce::new(dimensions));
        index.reserve(vectors.len());
        for (chunk, vector) in vectors.iter().enumerate() {
            index.add(ChunkId(chunk as u64), vector).unwrap();
            oracle.add(ChunkId(chunk as u64), vector).unwrap();
        }
        for query in queries {
            assert_eq!(index.search(query, top).unwrap(), oracle.search(query, top).unwrap());
        }
    }

    #[test]
    fn it_finds_what_a_plain_scan_finds() {
        for dimensions in [7, 64, 256, 384] {
            check(&random(3_000, dimensions, 1), &random(20, dimensions, 2), 10);
            check(&clustered(3_000, dimensions, 3), &clustered(20, dimensions, 3), 50);
        }
    }

    #[test]
    fn near_duplicates_do_not_hide_the_best() {
        // All within the error of eight bits: the scan alone could not order them.
        let base = &random(1, 384, 5)[0];
        let nudged = |n: usize| {
            let mut vector = base.clone();
            vector[n % 384] += 1e-4 * (n as f32 / 1_000.0);
            vector
        };
        check(&(0..1_000).map(nudged).collect::<Vec<_>>(), &[base.clone(), nudged(777)], 5);
    }

    #[test]
    fn crowding_is_the_similarity_to_the_nearest_other_and_follows_changes() {
        let mut index = ExactIndex::new(2);
        let mut check = |chunk: u64, vector: Option<[f32; 2]>, expected: Option<f32>| {
            match vector {
                Some(vector) => index.add(ChunkId(chunk), &vector).unwrap(),
                None => index.remove(ChunkId(chunk)).unwrap(),
            }
            assert_eq!(index.crowding(), expected);
        };
        check(5, Some([1.0, 0.0]), None);
        check(3, Some([0.6, 0.8]), Some(0.6));
        check(4, Some([1.0, 0.0]), Some((1.0 + 1.0 + 0.6) / 3.0));
        check(5, None, Some(0.6));
    }

    #[test]
    fn few_vectors_are_few_candidates() {
        let (vectors, queries) = (random(10_000, 384, 8), random(20, 384, 9));
        let mut index = ExactIndex::new(384);
        for (chunk, vector) in vectors.iter().enumerate() {
            index.add(ChunkId(chunk as u64), vector).unwrap();
        }
        for query in &queries {
            let looked_at = index.candidates(&index.unit(query).unwrap(), 10).len();
            assert!(looked_at < 500, "{looked_at}");
        }
    }
}
