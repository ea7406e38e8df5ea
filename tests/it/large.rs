//! A collection beyond the limit of the exact scan: its graph follows every change, outlives every restart, and never
//! gives what is deleted.
//!
//! The limit is lowered to 100 passages, so that 300 short documents make a large collection.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use neverafk::app::App;
use neverafk::collection::Shared;
use neverafk::config::{Config, Flags};
use neverafk::domain::{ChunkId, CreatorId};
use neverafk::ingest::Item;

use crate::support::{Desk, Server};

const LIMIT: (&str, &str) = ("NEVERAFK_INDEX__EXACT_LIMIT", "100");
const WORDS: [&str; 24] = [
    "glaze", "kiln", "cobalt", "brush", "easel", "canvas", "linseed", "varnish", "charcoal", "paper", "clay",
    "wheel", "copper", "etching", "press", "ink", "wax", "marble", "chisel", "plaster", "gesso", "pastel",
    "gouache", "frame",
];

fn course() -> CreatorId {
    "course".parse().unwrap()
}

/// A document of one passage; no two have the same words.
fn item(number: usize, version: usize) -> Item {
    let word = |place: usize| WORDS[(number * (place + 3) + number / 24 + place * version) % WORDS.len()];
    let text = format!(
        "The {} of lesson {number} goes with the {} and the {} of shelf {}.",
        word(0),
        word(1),
        word(2),
        number * 7 + version
    );
    Item::record(format!("d{number}"), String::new(), text)
}

fn items(numbers: impl Iterator<Item = usize>, version: usize) -> Vec<Item> {
    numbers.map(|number| item(number, version)).collect()
}

async fn open(directory: &Path) -> Arc<App> {
    let flags = Flags { data_dir: Some(directory.into()), ..Flags::default() };
    let config = Config::resolve(&flags, &[(LIMIT.0.into(), LIMIT.1.into())]).unwrap();
    let config = Config { sandbox: crate::support::sandbox(), ..config };
    // The former app's work in the background may hold the directory a moment longer.
    for _ in 0..200 {
        match App::open(config.clone()).await {
            Err(problem) if problem.code == "data_in_use" => {
                tokio::time::sleep(Duration::from_millis(50)).await
            }
            opened => {
                let app = opened.unwrap();
                if app.store().creator(&course()).await.is_err() {
                    app.add_creator(course(), None).await.unwrap();
                }
                return app;
            }
        }
    }
    panic!("the directory is not given back");
}

async fn ingest(app: &App, items: Vec<Item>) {
    for done in app.ingest().batch(&course(), items).await.unwrap() {
        done.unwrap();
    }
}

async fn delete(app: &App, numbers: impl Iterator<Item = usize>) {
    let gone: HashSet<String> = numbers.map(|number| format!("d{number}")).collect();
    for document in app.store().documents(&course()).await.unwrap() {
        if gone.contains(document.external_id.as_deref().unwrap_or_default()) {
            app.delete_document(&document.id).await.unwrap();
        }
    }
}

async fn collection(app: &App) -> Arc<Shared> {
    app.finder().collections.get(&course()).await.unwrap()
}

async fn by_graph(app: &App) -> bool {
    collection(app).await.read().by_graph()
}

/// Waits for the index to be the graph, or the scan.
async fn becomes_graph(app: &App, graph: bool) {
    for _ in 0..400 {
        if by_graph(app).await == graph {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("the index did not change");
}

fn checkpoint(directory: &Path) -> PathBuf {
    directory.join("index").join("course.hnsw")
}

/// Waits for a checkpoint that follows the store so closely that no new one is due.
async fn has_checkpoint(directory: &Path) {
    for _ in 0..400 {
        if checkpoint(directory).exists() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("no checkpoint was made");
}

/// The index holds exactly what the store holds, and finds nearly all that an exact search finds.
async fn in_step(app: &App) {
    let rows: Arc<Mutex<HashMap<ChunkId, Vec<f32>>>> = Arc::default();
    let filled = rows.clone();
    let each =
        move |row: neverafk::store::IndexRow| drop(filled.lock().unwrap().insert(row.chunk, row.vector));
    app.store().index_rows(&course(), each).await.unwrap();
    let rows = rows.lock().unwrap().clone();
    let shared = collection(app).await;
    let collection = shared.read();
    assert_eq!(collection.vectors.len(), rows.len());
    assert_eq!(collection.documents.len(), rows.len());
    assert!(collection.documents.keys().all(|chunk| rows.contains_key(chunk)));

    let length = |a: &[f32]| a.iter().map(|n| n * n).sum::<f32>().sqrt();
    let cosine = |a: &[f32], b: &[f32]| {
        a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>() / (length(a) * length(b)).max(1e-9)
    };
    let (mut wanted, mut found) = (0, 0);
    for query in rows.values() {
        let mut exact: Vec<f32> = rows.values().map(|vector| cosine(query, vector)).collect();
        exact.sort_by(|a, b| b.total_cmp(a));
        let tenth = exact[exact.len().min(10) - 1];
        let hits = collection.vectors.search(query, 10).unwrap();
        assert!(hits.iter().all(|hit| rows.contains_key(&hit.chunk)), "a deleted passage is found");
        assert_eq!(hits.len(), rows.len().min(10));
        wanted += hits.len();
        // By similarity: among equals any will do. Sixteen bits round in the fourth place.
        found += hits.iter().filter(|hit| cosine(query, &rows[&hit.chunk]) >= tenth - 1e-3).count();
    }
    assert!(found * 100 >= wanted * 98, "{found} of {wanted}");
}

#[tokio::test(flavor = "multi_thread")]
async fn crossing_the_limit_both_ways_loses_nothing() {
    let home = tempfile::tempdir().unwrap();
    let app = open(home.path()).await;
    ingest(&app, items(0..80, 0)).await;
    in_step(&app).await;
    assert!(!by_graph(&app).await);
    // One after the other, so that many come while the graph is being made.
    for first in (80..300).step_by(5) {
        ingest(&app, items(first..first + 5, 0)).await;
    }
    becomes_graph(&app, true).await;
    in_step(&app).await;

    ingest(&app, items(300..320, 0)).await;
    ingest(&app, items(0..40, 1)).await;
    delete(&app, 100..150).await;
    in_step(&app).await;
    assert!(by_graph(&app).await);
    let report = app.search(&course(), "lesson 120 shelf 840", 50).await.unwrap();
    assert!(report.hits.iter().all(|hit| hit.external_id.as_deref() != Some("d120")));
    let report = app.search(&course(), &text_of(7, 1), 3).await.unwrap();
    assert_eq!(report.hits[0].external_id.as_deref(), Some("d7"));

    // Replaced again and again, a graph is mostly dead nodes; it is made anew.
    for version in 2..6 {
        ingest(&app, items(150..320, version)).await;
        in_step(&app).await;
    }
    delete(&app, 40..300).await;
    becomes_graph(&app, false).await;
    in_step(&app).await;
    assert!(!checkpoint(home.path()).exists());
    ingest(&app, items(400..700, 0)).await;
    becomes_graph(&app, true).await;
    in_step(&app).await;
}

fn text_of(number: usize, version: usize) -> String {
    match item(number, version).payload {
        neverafk::ingest::Payload::Record(text) => text,
        _ => String::new(),
    }
}

/// A directory with 300 passages and a checkpoint, closed.
async fn large() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let app = open(home.path()).await;
    ingest(&app, items(0..300, 0)).await;
    collection(&app).await;
    becomes_graph(&app, true).await;
    has_checkpoint(home.path()).await;
    home
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_takes_the_checkpoint_and_follows_what_came_after() {
    let home = large().await;
    {
        let app = open(home.path()).await;
        assert!(by_graph(&app).await, "the checkpoint is not used");
        in_step(&app).await;
        ingest(&app, items(300..310, 0)).await;
        ingest(&app, items(0..5, 1)).await;
        delete(&app, 20..30).await;
    }
    for _ in 0..3 {
        let app = open(home.path()).await;
        assert!(by_graph(&app).await);
        in_step(&app).await;
        // Changes that a checkpoint holds are forgotten; the list does not grow for ever.
        ingest(&app, items(310..340, 3)).await;
        delete(&app, 310..340).await;
        in_step(&app).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_that_cannot_be_used_is_made_anew() {
    let home = large().await;
    let path = checkpoint(home.path());
    for harm in ["missing", "damaged", "cut", "empty", "a directory of its name", "another model", "too old"]
    {
        let whole = std::fs::read(&path).unwrap();
        match harm {
            "missing" => std::fs::remove_file(&path).unwrap(),
            "damaged" => {
                let mut bytes = whole.clone();
                let middle = bytes.len() / 2;
                bytes[middle] ^= 4;
                std::fs::write(&path, bytes).unwrap();
            }
            "cut" => std::fs::write(&path, &whole[..whole.len() / 2]).unwrap(),
            "empty" => std::fs::write(&path, "").unwrap(),
            "a directory of its name" => {
                std::fs::remove_file(&path).unwrap();
                std::fs::create_dir(&path).unwrap();
            }
            "another model" => {
                let other = neverafk::domain::EmbeddingModelId {
                    name: "other".into(),
                    revision: "1".into(),
                    dimensions: 8,
                };
                neverafk::index::usearch::HnswIndex::new(8).unwrap().save(&path, &other, 1).unwrap();
            }
            _ => {
                // Changes that only the store had are gone from its list.
                let app = open(home.path()).await;
                ingest(&app, items(500..503, 0)).await;
                app.store().prune_changes(&course(), u64::MAX).await.unwrap();
            }
        }
        {
            let app = open(home.path()).await;
            assert!(!by_graph(&app).await || harm == "too old", "{harm}: it was used");
            in_step(&app).await;
            becomes_graph(&app, true).await;
            in_step(&app).await;
            if harm == "a directory of its name" {
                continue_without(&path);
            }
            let saved = async {
                while std::fs::read(&path).map_or(true, |bytes| bytes.len() < whole.len() / 2) {
                    tokio::time::sleep(Duration::from_millis(25)).await;
                }
            };
            if harm != "a directory of its name" {
                tokio::time::timeout(Duration::from_secs(20), saved).await.unwrap();
            } else {
                std::fs::write(&path, &whole).unwrap();
            }
        }
        let app = open(home.path()).await;
        in_step(&app).await;
    }
}

/// The graph answered although its checkpoint could not be written; now it can.
fn continue_without(path: &Path) {
    std::fs::remove_dir(path).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn another_embedder_and_erasing_leave_no_old_vectors() {
    let home = large().await;
    let app = open(home.path()).await;
    collection(&app).await;
    app.reindex(&course(), None, |_, _| {}).await.unwrap();
    in_step(&app).await;
    becomes_graph(&app, true).await;
    in_step(&app).await;

    let document = app.store().documents(&course()).await.unwrap().remove(0);
    app.erase_document(&document.id).await.unwrap();
    assert!(!checkpoint(home.path()).exists(), "the checkpoint still holds the vector");
    in_step(&app).await;
    becomes_graph(&app, true).await;
    has_checkpoint(home.path()).await;
    in_step(&app).await;
    app.remove_creator(&course()).await.unwrap();
    assert!(!checkpoint(home.path()).exists());
}

#[test]
fn a_server_killed_between_store_and_checkpoint_loses_nothing() {
    let desk = Desk::new();
    desk.creator();
    let corpus = |numbers: std::ops::Range<usize>, version: usize| {
        let lines: String = numbers
            .map(|number| {
                serde_json::json!({"_id": format!("d{number}"), "text": text_of(number, version)}).to_string()
                    + "\n"
            })
            .collect();
        desk.write("corpus.jsonl", lines)
    };
    let mut documents = 0;
    for cycle in 0..6 {
        let mut command = desk.command(&["serve", "--listen", "127.0.0.1:0"]);
        command.env(LIMIT.0, LIMIT.1);
        let server = Server::start(command);
        // Loaded, so that it is followed; then more comes, and the kill meets a graph or a checkpoint being made.
        assert_eq!(server.chat("course", "Which lesson has the kiln?").0, 200);
        desk.ingest(&corpus(cycle * 60..cycle * 60 + 90, cycle));
        documents = documents.max(cycle * 60 + 90);
        std::thread::sleep(Duration::from_millis([0, 5, 20, 60, 150, 400][cycle]));
        server.kill();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let app = open(&desk.data()).await;
        in_step(&app).await;
        assert_eq!(app.store().counts(&course()).await.unwrap().documents, documents as u64);
        becomes_graph(&app, true).await;
        in_step(&app).await;
    });
}
