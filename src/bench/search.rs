//! `bench search`: how long a search takes, what it finds of what is there, how fast an index is built and how much
//! memory it holds, for the exact index and for the graph, by number of vectors.
//!
//! One thread, as one question has it. Recall is counted against a plain scan in full precision that shares no code with
//! the indexes.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::json;

use super::report::{Better, Figure, Report, sampled, single};
use super::vectors::{Truth, World};
use super::{BenchError, Pace, keep, machine, milliseconds};
use crate::app::parts::{self, IndexKind};
use crate::domain::ChunkId;
use crate::index::VectorIndex;
use crate::problem::Problem;

/// What is measured.
#[derive(Debug, Clone)]
pub struct SearchOptions {
    /// Numbers of vectors.
    pub sizes: Vec<usize>,
    pub dimensions: usize,
    /// Unlike queries that are asked in turn.
    pub queries: usize,
    /// Neighbours that are looked for.
    pub top: usize,
    pub seed: u64,
    /// Where vectors, queries and true neighbours are written to for other programs.
    pub keep_input: Option<PathBuf>,
}

/// Vectors are made in blocks of this many, and only adding them is timed.
const BLOCK: usize = 1_000;

/// What adding a vector to the graph costs against the exact index, about: for the time that is left.
const GRAPH_COST: f64 = 20.0;

/// Measures both indexes.
pub fn run(options: &SearchOptions, pace: &Pace<'_>) -> Result<Report, BenchError> {
    let SearchOptions { sizes, dimensions, queries, top, seed, .. } = options;
    let mut report = Report::begin(
        "search",
        json!({
            "dimensions": dimensions, "sizes": sizes, "queries": queries, "top": top, "seed": seed, "threads": 1,
            "vectors": "clustered, length 1", "warm_ups": queries.min(&WARM_UPS),
            "seconds_each": pace.budget.as_secs_f64(),
        }),
    );
    let all = sizes.iter().sum::<usize>().max(1) as f64 * (1.0 + GRAPH_COST);
    let mut done = 0.0;
    for &size in sizes {
        let world = World::new(*dimensions, size, *seed);
        let mut truth = Truth::new((0..*queries).map(|query| world.query(query)).collect(), *top);
        for (kind, name, cost) in
            [(IndexKind::Exact, "exact int8", 1.0), (IndexKind::Hnsw, "HNSW f16", GRAPH_COST)]
        {
            let told = |vectors: usize| {
                let share = (done + vectors as f64 * cost) / all;
                pace.tell(share, &format!("{name}, {vectors} of {size} vectors"));
            };
            let looks = (kind == IndexKind::Exact).then_some(&mut truth);
            let built = build(kind, &world, size, looks, &told)?;
            let neighbours = truth.neighbours();
            let mut figures = measure(built.index.as_ref(), &truth, &neighbours, *top, pace)?;
            figures.push(sampled("build", "vectors/s", Better::Higher, built.rates));
            figures.push(
                built.memory.and_then(|bytes| {
                    single("memory", "MB", Better::Lower, bytes as f64 / f64::from(1 << 20))
                }),
            );
            let parameters = json!({"index": name, "vectors": size, "dimensions": dimensions});
            report.add(format!("{name}, {size} vectors"), parameters, figures);
            done += size as f64 * cost;
        }
        if let Some(folder) = &options.keep_input {
            keep_world(folder, &world, size, &truth)?;
        }
    }
    report.note(
        "Memory is the growth of the process while the index was built; vectors are added by one thread.",
    );
    Ok(report)
}

/// Queries that are not counted.
const WARM_UPS: usize = 20;

struct Built {
    index: Box<dyn VectorIndex>,
    /// Vectors a second, for each block.
    rates: Vec<f64>,
    memory: Option<u64>,
}

fn build(
    kind: IndexKind,
    world: &World,
    size: usize,
    mut truth: Option<&mut Truth>,
    told: &dyn Fn(usize),
) -> Result<Built, BenchError> {
    machine::give_back_memory();
    let before = machine::resident();
    let mut index = parts::index(kind, world.dimensions(), size)?;
    let mut rates = Vec::new();
    for first in (0..size).step_by(BLOCK) {
        told(first);
        let vectors: Vec<Vec<f32>> = (first..size.min(first + BLOCK)).map(|n| world.vector(n)).collect();
        let began = Instant::now();
        for (number, vector) in (first..).zip(&vectors) {
            index.add(ChunkId(number as u64), vector).map_err(Problem::from)?;
        }
        rates.push(vectors.len() as f64 / began.elapsed().as_secs_f64());
        if let Some(truth) = &mut truth {
            for (number, vector) in (first..).zip(&vectors) {
                truth.look_at(number, vector);
            }
        }
    }
    machine::give_back_memory();
    let memory = before.zip(machine::resident()).map(|(before, after)| after.saturating_sub(before));
    Ok(Built { index, rates, memory })
}

fn measure(
    index: &dyn VectorIndex,
    truth: &Truth,
    neighbours: &[Vec<usize>],
    top: usize,
    pace: &Pace<'_>,
) -> Result<Vec<Option<Figure>>, BenchError> {
    let queries = truth.queries();
    for query in queries.iter().take(WARM_UPS) {
        index.search(query, top).map_err(Problem::from)?;
    }
    let (began, mut times, mut found, mut wanted) = (Instant::now(), Vec::new(), 0, 0);
    // Every query once for the recall, then round and round for the time.
    for call in 0.. {
        if call >= queries.len() && (began.elapsed() >= pace.budget || call >= super::MOST) {
            break;
        }
        let query = &queries[call % queries.len()];
        let asked = Instant::now();
        let hits = index.search(query, top).map_err(Problem::from)?;
        times.push(milliseconds(asked.elapsed()));
        if call < queries.len() {
            let hits: HashSet<u64> = hits.iter().map(|hit| hit.chunk.0).collect();
            found += neighbours[call].iter().filter(|number| hits.contains(&(**number as u64))).count();
            wanted += neighbours[call].len();
        }
    }
    Ok(vec![
        sampled("milliseconds", "ms", Better::Lower, times),
        single(&format!("recall_at_{top}"), "", Better::Higher, found as f64 / wanted.max(1) as f64),
    ])
}

/// Raw little-endian numbers, row after row, with the sizes in a file of their own.
fn keep_world(folder: &Path, world: &World, size: usize, truth: &Truth) -> Result<(), BenchError> {
    let bytes = |rows: &mut dyn Iterator<Item = Vec<f32>>| -> Vec<u8> {
        rows.flatten().flat_map(f32::to_le_bytes).collect()
    };
    keep(folder, &format!("vectors-{size}.f32"), &bytes(&mut (0..size).map(|n| world.vector(n))))?;
    keep(folder, &format!("queries-{size}.f32"), &bytes(&mut truth.queries().iter().cloned()))?;
    let neighbours = json!({
        "vectors": size, "dimensions": world.dimensions(), "queries": truth.queries().len(),
        "neighbours": truth.neighbours(),
    });
    keep(folder, &format!("truth-{size}.json"), neighbours.to_string().as_bytes())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_exact_index_finds_everything_and_the_graph_nearly() {
        let options = SearchOptions {
            sizes: vec![1_500],
            dimensions: 64,
            queries: 30,
            top: 10,
            seed: 3,
            keep_input: None,
        };
        let pace = Pace { budget: Duration::ZERO, least: 1, warm_ups: 0, progress: &|_, _| {} };
        let report = run(&options, &pace).unwrap();
        let recall = |index: &str| {
            report.figure(&format!("{index}, 1500 vectors"), "recall_at_10").unwrap().value.median
        };
        assert_eq!(recall("exact int8"), 1.0);
        assert!(recall("HNSW f16") > 0.9, "{}", recall("HNSW f16"));
        assert_eq!(report.figure("exact int8, 1500 vectors", "milliseconds").unwrap().value.repetitions, 30);
    }
}
