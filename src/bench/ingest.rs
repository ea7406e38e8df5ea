//! `bench ingest`: how fast content becomes searchable, by kind of document: read and cut only, recorded without
//! vectors, and the whole way with the configured embedding model. Recordings are `sound`'s.
//!
//! Documents are made here (the PDF is the sample course's handbook, again and again); they go the way of `neverafk
//! ingest`, in batches that are one durable transaction each, into a data directory that vanishes.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use serde_json::json;

use super::report::{Better, Report, sampled};
use super::words::Writer;
use super::{BenchError, Pace, sound, weights};
use crate::app::{App, demo, parts};
use crate::config::Config;
use crate::domain::{ContentHash, CreatorId, Embedding, EmbeddingModelId};
use crate::inference::embedders::Embedders;
use crate::inference::{EmbedInput, Embedder, Lane, ModelError};
use crate::ingest::sandbox::{Reader, Reading};
use crate::ingest::{Ingest, Item, Payload, prepare};
use crate::problem::Problem;

/// What is measured.
#[derive(Debug, Clone)]
pub struct IngestOptions {
    /// Bytes of a text, lesson or page.
    pub document_bytes: usize,
    /// A recording that the speech model is to hear; then nothing else is measured.
    pub recording: Option<PathBuf>,
    pub seed: u64,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Text,
    Markdown,
    Html,
    Pdf,
}

const KINDS: [(Kind, &str); 4] =
    [(Kind::Text, "text"), (Kind::Markdown, "Markdown"), (Kind::Html, "HTML"), (Kind::Pdf, "PDF")];

#[derive(Debug, Clone, Copy, PartialEq)]
enum Way {
    Prepare,
    Unembedded,
    Whole,
}

const WAYS: [(Way, &str); 3] = [
    (Way::Prepare, "read and cut"),
    (Way::Unembedded, "recorded without vectors"),
    (Way::Whole, "recorded with vectors"),
];

/// Documents in a batch at most: as many as `neverafk ingest` records at once.
const BATCH: usize = 256;

/// Batches that the budget is to hold.
const BATCHES: u32 = 4;

/// Measures every kind of document every way.
pub async fn run(mut config: Config, options: &IngestOptions, pace: &Pace<'_>) -> Result<Report, BenchError> {
    let directory = tempfile::tempdir().map_err(BenchError::Scratch)?;
    config.data_dir = directory.path().to_owned();
    let app = App::open(config).await?;
    let model = parts::embedder(&app).await?.model().clone();
    let mut report = Report::begin(
        "ingest",
        json!({
            "model": model.name, "weights": weights(&app, &["embedding"]).await?, "dimensions": model.dimensions, "threads": parts::threads(&app),
            "document_bytes": options.document_bytes, "chunk_chars": app.config().settings.ingest.chunk_chars,
            "seed": options.seed, "warm_ups": "batches of 1, 2, 4, …", "seconds_each": pace.budget.as_secs_f64(),
            "least_repetitions": pace.least,
        }),
    );
    if let Some(path) = &options.recording {
        sound::heard(&app, path, &mut report, pace).await?;
        return Ok(report);
    }
    let points = KINDS.len() * WAYS.len();
    for (place, (kind, kind_name)) in KINDS.into_iter().enumerate() {
        for (at, (way, way_name)) in WAYS.into_iter().enumerate() {
            let name = format!("{kind_name}, {way_name}");
            pace.tell((place * WAYS.len() + at) as f64 / points as f64, &name);
            let mut load = Load::new(&app, kind, way, &model, options, place * WAYS.len() + at).await?;
            let runs = load.run(pace).await?;
            let rates = |of: fn(&Run) -> f64| runs.iter().map(move |run| of(run) / run.took.as_secs_f64());
            report.add(
                name,
                json!({"kind": kind_name, "way": way_name}),
                vec![
                    sampled(
                        "megabytes_per_second",
                        "MB/s",
                        Better::Higher,
                        rates(|run| run.bytes as f64 / 1e6),
                    ),
                    sampled("chunks_per_second", "chunks/s", Better::Higher, rates(|run| run.chunks as f64)),
                    sampled(
                        "documents_per_second",
                        "docs/s",
                        Better::Higher,
                        rates(|run| run.documents as f64),
                    ),
                    sampled(
                        "documents_in_a_batch",
                        "",
                        Better::Neither,
                        runs.iter().map(|run| run.documents as f64),
                    ),
                ],
            );
        }
    }
    pace.tell(1.0, "sound");
    sound::decoded(&mut report, pace)?;
    report.note(
        "Recordings are decoded only; `--recording FILE` measures how quickly the speech model hears one.",
    );
    Ok(report)
}

/// One batch.
struct Run {
    documents: usize,
    bytes: usize,
    chunks: usize,
    took: Duration,
}

/// Documents of one kind on one way.
struct Load {
    ingest: Ingest,
    creator: CreatorId,
    kind: Kind,
    way: Way,
    bytes: usize,
    writer: Writer,
    made: usize,
}

impl Load {
    async fn new(
        app: &App,
        kind: Kind,
        way: Way,
        model: &EmbeddingModelId,
        options: &IngestOptions,
        number: usize,
    ) -> Result<Self, BenchError> {
        let creator: CreatorId = format!("bench-{number}").parse().map_err(Problem::from)?;
        app.add_creator(creator.clone(), None).await?;
        let mut ingest = app.ingest();
        if way == Way::Unembedded {
            let id = EmbeddingModelId { name: "none".into(), ..model.clone() };
            let open = move |_: &str| Ok(Arc::new(NoModel(id.clone())) as Arc<dyn Embedder>);
            ingest.embedders = Arc::new(Embedders::new("none".into(), open));
        }
        let writer = Writer::new(options.seed.wrapping_add(number as u64));
        Ok(Self { ingest, creator, kind, way, bytes: options.document_bytes, writer, made: 0 })
    }

    /// Batches twice as large each, not counted, show how large one may be: a transaction costs the same for one document
    /// as for many, so small batches would measure the disk. Then batch after batch of that size.
    async fn run(&mut self, pace: &Pace<'_>) -> Result<Vec<Run>, BenchError> {
        let mut size = 1;
        while self.batch(size).await?.took * 2 <= pace.budget / BATCHES && size < BATCH {
            size *= 2;
        }
        let pace = Pace { warm_ups: 0, ..*pace };
        pace.repeat(async |_| self.batch(size).await).await
    }

    async fn batch(&mut self, documents: usize) -> Result<Run, BenchError> {
        let items: Vec<Item> = (0..documents).map(|_| self.document()).collect();
        let bytes = items.iter().map(Item::size).sum();
        let began = Instant::now();
        let chunks = match self.way {
            Way::Prepare => self.prepare(items).await?,
            Way::Unembedded | Way::Whole => {
                let mut chunks = 0;
                for ingested in self.ingest.batch(&self.creator, items).await? {
                    chunks += ingested?.chunks;
                }
                chunks
            }
        };
        Ok(Run { documents, bytes, chunks, took: began.elapsed() })
    }

    async fn prepare(&self, items: Vec<Item>) -> Result<usize, BenchError> {
        let (creator, options, now) =
            (self.creator.clone(), self.ingest.options.clone(), (self.ingest.now)());
        let work = move || {
            let reading = Reading { sandbox: &options.sandbox, limits: &options.limits, stop: &|| false };
            let (mut chunks, mut reader) = (0, Reader::new(reading));
            for item in items {
                let content = match &item.payload {
                    Payload::File(bytes) => ContentHash::of(bytes),
                    Payload::Record(text) => ContentHash::of(text.as_bytes()),
                    Payload::Recording(_) | Payload::Heard { .. } => continue,
                };
                chunks += prepare::prepare(&creator, item, content, &options, now, &mut reader)?.chunks.len();
            }
            Ok::<_, crate::ingest::IngestError>(chunks)
        };
        Ok(tokio::task::spawn_blocking(work).await.map_err(Problem::internal)??)
    }

    /// No two have the same bytes: known ones would be left out.
    fn document(&mut self) -> Item {
        self.made += 1;
        let (name, bytes) = match self.kind {
            Kind::Text => ("txt", self.writer.plain(self.bytes).into_bytes()),
            Kind::Markdown => ("md", self.writer.markdown(self.bytes).into_bytes()),
            Kind::Html => ("html", self.writer.html(self.bytes).into_bytes()),
            Kind::Pdf => {
                let mut bytes = demo::file("handbook.pdf").unwrap_or_default().to_vec();
                // A comment after the end, which readers pass over.
                bytes.extend(format!("% {}\n", self.made).into_bytes());
                ("pdf", bytes)
            }
        };
        Item::upload(&format!("document-{}.{name}", self.made), bytes)
    }
}

/// Gives every text the same vector at no cost.
struct NoModel(EmbeddingModelId);

#[async_trait]
impl Embedder for NoModel {
    fn model(&self) -> &EmbeddingModelId {
        &self.0
    }

    async fn embed(&self, inputs: Vec<EmbedInput>, _: Lane) -> Result<Vec<Embedding>, ModelError> {
        let mut vector = vec![0.0; self.0.dimensions];
        vector[0] = 1.0;
        Ok(vec![Embedding(vector); inputs.len()])
    }
}
