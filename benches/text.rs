//! Micro-benchmarks of what is done with words: tokens, terms, language, sentences, chunks, whole documents.
//!
//! `cargo bench --bench text`. The text is seeded; sizes are those that the pipeline meets: a chunk, a lesson.

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use neverafk::app::demo;
use neverafk::bench::words::Writer;
use neverafk::domain::{ContentHash, CreatorId, MediaType, Timestamp};
use neverafk::index::analyze::sentences::{pieces, sentences};
use neverafk::index::analyze::{ChunkTerms, Language, terms};
use neverafk::inference::local::static_table::StaticTable;
use neverafk::ingest::chunk::{ChunkOptions, chunk};
use neverafk::ingest::extract::{ExtractOptions, Limits, extract};
use neverafk::ingest::prepare::prepare;
use neverafk::ingest::sandbox::{Reader, Reading};
use neverafk::ingest::{IngestOptions, Item};

fn main() {
    divan::main();
}

const SIZES: [usize; 2] = [800, 16_000];

#[divan::bench(args = SIZES)]
fn wordpiece_tokens(bencher: Bencher, bytes: usize) {
    let (table, text) =
        (StaticTable::shipped().expect("the shipped table reads"), Writer::new(1).plain(bytes));
    bencher.counter(BytesCount::of_str(&text)).bench(|| table.count_tokens(black_box(&text)));
}

#[divan::bench(args = SIZES)]
fn static_embedding(bencher: Bencher, bytes: usize) {
    let (table, text) =
        (StaticTable::shipped().expect("the shipped table reads"), Writer::new(1).plain(bytes));
    bencher.counter(BytesCount::of_str(&text)).bench(|| table.embed_text(black_box(&text)));
}

#[divan::bench(args = SIZES)]
fn analysed_terms(bencher: Bencher, bytes: usize) {
    let text = Writer::new(2).plain(bytes);
    bencher.counter(BytesCount::of_str(&text)).bench(|| terms(black_box(&text), Language::ENGLISH));
}

#[divan::bench]
fn terms_of_a_chunk_to_bytes_and_back(bencher: Bencher) {
    let text = Writer::new(3).plain(800);
    let made = ChunkTerms::of("The title", Some("A heading"), &text, Language::ENGLISH);
    bencher.bench(|| ChunkTerms::from_bytes(&black_box(&made).to_bytes()));
}

#[divan::bench(args = SIZES)]
fn language_of_a_text(bencher: Bencher, bytes: usize) {
    let text = Writer::new(4).plain(bytes);
    bencher.counter(BytesCount::of_str(&text)).bench(|| Language::of_text(black_box(&text)));
}

#[divan::bench(args = SIZES)]
fn sentences_for_chunks(bencher: Bencher, bytes: usize) {
    let text = Writer::new(5).plain(bytes);
    bencher.counter(BytesCount::of_str(&text)).bench(|| sentences(black_box(&text), Language::ENGLISH));
}

#[divan::bench(args = SIZES)]
fn sentences_for_quotations(bencher: Bencher, bytes: usize) {
    let text = Writer::new(5).plain(bytes);
    bencher.counter(BytesCount::of_str(&text)).bench(|| pieces(black_box(&text), Language::ENGLISH));
}

/// What a lesson in Markdown is cut into, once it was read.
#[divan::bench]
fn chunks_of_a_lesson(bencher: Bencher) {
    let bytes = bytes::Bytes::from(Writer::new(6).markdown(16_000));
    let limits = Limits::default();
    let options = ExtractOptions { limits: &limits, password: None, stop: &|| false };
    let text = extract(&bytes, MediaType::Markdown, &options).expect("Markdown reads");
    let chunks = ChunkOptions::default();
    bencher.counter(BytesCount::of_str(&text.text)).bench(|| chunk(black_box(&text), &chunks));
}

/// The sample course's handbook: words, order and places of each page.
#[divan::bench]
fn pages_of_a_pdf(bencher: Bencher) {
    let bytes = bytes::Bytes::from_static(demo::file("handbook.pdf").expect("the course has its handbook"));
    let limits = Limits::default();
    let options = ExtractOptions { limits: &limits, password: None, stop: &|| false };
    bencher
        .counter(BytesCount::new(bytes.len()))
        .bench_local(|| extract(black_box(&bytes), MediaType::Pdf, &options).expect("the handbook reads"));
}

/// Everything of ingestion but vectors and the store.
#[divan::bench(args = ["txt", "md", "html"])]
fn a_document_prepared(bencher: Bencher, kind: &str) {
    let mut writer = Writer::new(7);
    let words = match kind {
        "md" => writer.markdown(16_000),
        "html" => writer.html(16_000),
        _ => writer.plain(16_000),
    };
    let creator: CreatorId = "bench".parse().expect("a slug");
    let (options, content) = (IngestOptions::default(), ContentHash::of(words.as_bytes()));
    let item = Item::upload(&format!("lesson.{kind}"), words.clone().into_bytes());
    bencher.counter(BytesCount::of_str(&words)).with_inputs(|| item.clone()).bench_values(|item| {
        let reading = Reading { sandbox: &options.sandbox, limits: &options.limits, stop: &|| false };
        prepare(&creator, item, content, &options, Timestamp(0), &mut Reader::new(reading))
    });
}
