//! What every vector index must do, as tests that each of them runs; and vectors to test with.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::oracle::BruteForce;
use super::{IndexError, VectorIndex};
use crate::domain::ChunkId;

/// Runs all of them on fresh indexes of the dimensions asked for.
pub fn all(make: impl Fn(usize) -> Box<dyn VectorIndex>) {
    an_empty_index_finds_nothing(make(4).as_mut());
    adding_again_replaces_and_removing_twice_is_allowed(make(4).as_mut());
    wrong_dimensions_and_numbers_are_refused(make(4).as_mut());
    lengths_do_not_matter(make(3).as_mut());
    equals_are_in_the_order_of_chunks(make(3).as_mut());
    random_changes_end_as_in_a_plain_scan(make(32).as_mut());
}

/// Unit vectors in all directions.
pub fn random(count: usize, dimensions: usize, seed: u64) -> Vec<Vec<f32>> {
    let mut rng = StdRng::seed_from_u64(seed);
    (0..count).map(|_| unit((0..dimensions).map(|_| normal(&mut rng)).collect())).collect()
}

/// Unit vectors around a few centres that depend on the seed alone, as texts of a few topics lie.
pub fn clustered(count: usize, dimensions: usize, seed: u64) -> Vec<Vec<f32>> {
    let centres = random(20, dimensions, seed);
    let mut rng = StdRng::seed_from_u64(seed ^ count as u64);
    let near = |rng: &mut StdRng| {
        let centre = &centres[rng.random_range(0..centres.len())];
        let spread = 0.3 / (dimensions as f32).sqrt();
        unit(centre.iter().map(|number| number + spread * normal(rng)).collect())
    };
    (0..count).map(|_| near(&mut rng)).collect()
}

fn an_empty_index_finds_nothing(index: &mut dyn VectorIndex) {
    assert!(index.is_empty());
    assert_eq!(index.search(&[1.0, 0.0, 0.0, 0.0], 5).unwrap(), []);
    assert_eq!(index.similarities(&[1.0, 0.0, 0.0, 0.0], &[ChunkId(1)]).unwrap(), [None]);
}

fn adding_again_replaces_and_removing_twice_is_allowed(index: &mut dyn VectorIndex) {
    index.add(ChunkId(1), &[1.0, 0.0, 0.0, 0.0]).unwrap();
    index.add(ChunkId(2), &[0.0, 1.0, 0.0, 0.0]).unwrap();
    index.add(ChunkId(1), &[0.0, 0.0, 1.0, 0.0]).unwrap();
    assert_eq!(index.len(), 2);
    assert_eq!(index.search(&[0.0, 0.0, 1.0, 0.0], 1).unwrap()[0].chunk, ChunkId(1));
    index.remove(ChunkId(1)).unwrap();
    index.remove(ChunkId(1)).unwrap();
    assert_eq!(index.len(), 1);
    assert_eq!(index.search(&[0.0, 0.0, 1.0, 0.0], 9).unwrap().len(), 1);
    assert_eq!(
        index.similarities(&[0.0, 1.0, 0.0, 0.0], &[ChunkId(1), ChunkId(2)]).unwrap(),
        [None, Some(1.0)]
    );
}

fn wrong_dimensions_and_numbers_are_refused(index: &mut dyn VectorIndex) {
    let wrong =
        |result: Result<(), IndexError>| matches!(result, Err(IndexError::Dimensions { got: 3, want: 4 }));
    assert!(wrong(index.add(ChunkId(1), &[1.0; 3])));
    assert!(wrong(index.search(&[1.0; 3], 1).map(drop)));
    assert!(wrong(index.similarities(&[1.0; 3], &[]).map(drop)));
    for number in [f32::NAN, f32::INFINITY] {
        assert!(matches!(index.add(ChunkId(1), &[number, 0.0, 0.0, 0.0]), Err(IndexError::Failed(_))));
    }
    assert!(index.is_empty());
}

fn lengths_do_not_matter(index: &mut dyn VectorIndex) {
    index.add(ChunkId(1), &[10.0, 0.0, 0.0]).unwrap();
    index.add(ChunkId(2), &[0.0, 0.1, 0.0]).unwrap();
    let hits = index.search(&[3.0, 4.0, 0.0], 2).unwrap();
    assert_eq!(hits.iter().map(|hit| hit.chunk.0).collect::<Vec<_>>(), [2, 1]);
    assert!((hits[0].similarity - 0.8).abs() < 1e-3 && (hits[1].similarity - 0.6).abs() < 1e-3);
}

fn equals_are_in_the_order_of_chunks(index: &mut dyn VectorIndex) {
    for chunk in [5, 3, 9, 1, 7] {
        index.add(ChunkId(chunk), &[0.0, 1.0, 0.0]).unwrap();
    }
    let hits = index.search(&[0.0, 1.0, 0.0], 3).unwrap();
    assert_eq!(hits.iter().map(|hit| hit.chunk.0).collect::<Vec<_>>(), [1, 3, 5]);
}

fn random_changes_end_as_in_a_plain_scan(index: &mut dyn VectorIndex) {
    let mut oracle = BruteForce::new(32);
    let mut rng = StdRng::seed_from_u64(11);
    for vector in random(600, 32, 12) {
        let chunk = ChunkId(rng.random_range(0..200));
        if rng.random_bool(0.3) {
            index.remove(chunk).unwrap();
            oracle.remove(chunk).unwrap();
        } else {
            index.add(chunk, &vector).unwrap();
            oracle.add(chunk, &vector).unwrap();
        }
    }
    assert_eq!(index.len(), super::VectorSearch::len(&oracle));
    for query in random(20, 32, 13) {
        let found = index.search(&query, 10).unwrap();
        let expected = super::VectorSearch::search(&oracle, &query, 10).unwrap();
        let common = found.iter().filter(|hit| expected.iter().any(|other| other.chunk == hit.chunk)).count();
        assert!(common >= 9, "{common} of 10");
        for (hit, other) in found.iter().zip(&expected) {
            assert!((hit.similarity - other.similarity).abs() < 2e-3, "{hit:?} {other:?}");
        }
    }
}

fn unit(vector: Vec<f32>) -> Vec<f32> {
    let length = vector.iter().map(|number| number * number).sum::<f32>().sqrt();
    vector.into_iter().map(|number| number / length).collect()
}

/// Box and Muller.
fn normal(rng: &mut StdRng) -> f32 {
    let (a, b): (f32, f32) = (rng.random_range(f32::EPSILON..1.0), rng.random());
    (-2.0 * a.ln()).sqrt() * (std::f32::consts::TAU * b).cos()
}
