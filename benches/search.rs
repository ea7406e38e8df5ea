//! Micro-benchmarks of finding chunks: by words, by eight-bit and full-precision vectors, by the graph, and fusion.
//!
//! `cargo bench --bench search`. `neverafk bench search` measures whole indexes with their recall; here are the parts.

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use neverafk::answer::fuse::{Candidate, Fusion, fuse};
use neverafk::bench::vectors::World;
use neverafk::bench::words::Writer;
use neverafk::domain::ChunkId;
use neverafk::index::analyze::{ChunkTerms, Language};
use neverafk::index::exact::ExactIndex;
use neverafk::index::int8;
use neverafk::index::lexical::LexicalIndex;
use neverafk::index::usearch::HnswIndex;
use neverafk::index::{VectorIndex, VectorSearch};

fn main() {
    divan::main();
}

const DIMENSIONS: usize = 384;

fn words(chunks: u64) -> LexicalIndex {
    let (mut index, mut writer) = (LexicalIndex::default(), Writer::new(1));
    for chunk in 0..chunks {
        let terms = ChunkTerms::of(&writer.heading(), None, &writer.plain(800), Language::ENGLISH);
        index.add(ChunkId(chunk), &terms);
    }
    index
}

#[divan::bench(args = [1_000, 10_000])]
fn bm25_search(bencher: Bencher, chunks: u64) {
    let index = words(chunks);
    let query =
        index.query("How long until the refund of a lesson reaches my family?", Some(Language::ENGLISH));
    bencher.counter(ItemsCount::new(chunks)).bench(|| index.search(black_box(&query), 100));
}

/// The eight-bit products of one query with every row.
#[divan::bench(args = [1_000, 50_000])]
fn int8_scan(bencher: Bencher, rows: usize) {
    let world = World::new(DIMENSIONS, rows, 2);
    let numbers: Vec<i8> = (0..rows).flat_map(|row| int8::quantize(&world.vector(row)).numbers).collect();
    let query = int8::quantize(&world.query(0)).numbers;
    let mut out = vec![0; rows];
    bencher
        .counter(BytesCount::new(numbers.len()))
        .bench_local(|| int8::dots(black_box(&query), black_box(&numbers), &mut out));
}

/// The full-precision similarities of the candidates that an eight-bit scan leaves.
#[divan::bench(args = [40, 400])]
fn f32_rescoring(bencher: Bencher, candidates: u64) {
    let (index, query) = exact(5_000);
    let chunks: Vec<ChunkId> = (0..candidates).map(|number| ChunkId(number * 11 % 5_000)).collect();
    bencher
        .counter(ItemsCount::new(candidates))
        .bench(|| index.similarities(black_box(&query), black_box(&chunks)));
}

#[divan::bench(args = [1_000, 50_000])]
fn exact_search(bencher: Bencher, vectors: usize) {
    let (index, query) = exact(vectors);
    bencher.counter(ItemsCount::new(vectors)).bench(|| index.search(black_box(&query), 10));
}

#[divan::bench(args = [5_000])]
fn graph_search(bencher: Bencher, vectors: usize) {
    let world = World::new(DIMENSIONS, vectors, 2);
    let mut index = HnswIndex::new(DIMENSIONS).expect("an empty graph");
    for number in 0..vectors {
        index.add(ChunkId(number as u64), &world.vector(number)).expect("room");
    }
    let query = world.query(0);
    bencher.bench(|| index.search(black_box(&query), 10));
}

#[divan::bench]
fn a_vector_to_eight_bits(bencher: Bencher) {
    let vector = World::new(DIMENSIONS, 1_000, 2).vector(0);
    bencher.bench(|| int8::quantize(black_box(&vector)));
}

fn exact(vectors: usize) -> (ExactIndex, Vec<f32>) {
    let world = World::new(DIMENSIONS, vectors, 2);
    let mut index = ExactIndex::new(DIMENSIONS);
    index.reserve(vectors);
    for number in 0..vectors {
        index.add(ChunkId(number as u64), &world.vector(number)).expect("vectors of the index's dimensions");
    }
    (index, world.query(0))
}

#[divan::bench(args = [100, 300])]
fn fusion(bencher: Bencher, candidates: u64) {
    let index = words(1_000);
    let query =
        index.query("How long until the refund of a lesson reaches my family?", Some(Language::ENGLISH));
    let chunks: Vec<ChunkId> = (0..candidates).map(ChunkId).collect();
    let scores = index.scores(&query, &chunks);
    let candidates: Vec<Candidate> = chunks
        .iter()
        .zip(scores)
        .map(|(&chunk, lexical)| Candidate { chunk, lexical, similarity: Some(chunk.0 as f32 % 7.0 / 10.0) })
        .collect();
    let mass = query.mass();
    bencher.bench(|| fuse(black_box(&candidates), mass, 0.5, Fusion::Score));
}
