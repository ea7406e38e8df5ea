//! Micro-benchmarks of the store: one document, durable, with its chunks, terms and vectors in one transaction.
//!
//! `cargo bench --bench store`. On a disk the time is mostly that of making it durable; in memory it is the store's own.

use std::sync::atomic::{AtomicU64, Ordering};

use divan::Bencher;
use divan::counter::ItemsCount;
use neverafk::bench::words::Writer;
use neverafk::domain::{ContentHash, CreatorId, EmbeddingModelId, Timestamp};
use neverafk::ingest::prepare::prepare;
use neverafk::ingest::sandbox::{Reader, Reading};
use neverafk::ingest::{IngestOptions, Item};
use neverafk::store::{Creator, NewDocument, Options, Store};

fn main() {
    divan::main();
}

const DIMENSIONS: usize = 384;

/// About twenty chunks.
const BYTES: usize = 16_000;

#[divan::bench(sample_count = 20, sample_size = 1)]
fn a_document_written_to_disk(bencher: Bencher) {
    let directory = tempfile::tempdir().expect("a directory");
    let runtime = runtime();
    let store =
        runtime.block_on(Store::open(directory.path(), Options::default())).expect("a new store opens");
    write(bencher, &runtime, &store);
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn a_document_written_to_memory(bencher: Bencher) {
    let store = Store::in_memory().expect("memory");
    write(bencher, &runtime(), &store);
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads")
}

fn write(bencher: Bencher, runtime: &tokio::runtime::Runtime, store: &Store) {
    let creator: CreatorId = "bench".parse().expect("a slug");
    let record = Creator {
        id: creator.clone(),
        name: "bench".into(),
        created_at: Timestamp(0),
        embedding: None,
        generation: 0,
        settings: serde_json::json!({}),
    };
    runtime.block_on(store.add_creator(record)).expect("a first creator");
    let model = EmbeddingModelId { name: "none".into(), revision: "1".into(), dimensions: DIMENSIONS };
    let made = AtomicU64::new(0);
    bencher.counter(ItemsCount::new(1u32)).with_inputs(|| document(&creator, &made)).bench_values(
        |document| {
            runtime
                .block_on(store.record(&creator, Some(model.clone()), vec![document]))
                .expect("it is recorded")
        },
    );
}

/// Each one unlike the others, since known content is left out.
fn document(creator: &CreatorId, made: &AtomicU64) -> NewDocument {
    let number = made.fetch_add(1, Ordering::Relaxed);
    let words = Writer::new(number).markdown(BYTES);
    let item = Item::upload(&format!("lesson-{number}.md"), words.clone().into_bytes());
    let content = ContentHash::of(words.as_bytes());
    let options = IngestOptions::default();
    let reading = Reading { sandbox: &options.sandbox, limits: &options.limits, stop: &|| false };
    let mut reader = Reader::new(reading);
    let mut prepared =
        prepare(creator, item, content, &options, Timestamp(0), &mut reader).expect("Markdown reads");
    for chunk in &mut prepared.chunks {
        chunk.vector = vec![0.05; DIMENSIONS];
    }
    prepared.split().0
}
