//! A process is killed at random moments while it writes: what it had acknowledged is there, and the store opens.
//!
//! The process is this test binary again, running [`work_until_killed`] alone.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::*;

const DIRECTORY: &str = "NEVERAFK_TEST_KILL_DIRECTORY";
const CYCLES: usize = 12;

#[tokio::test]
async fn what_a_killed_process_acknowledged_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let mut rng = StdRng::seed_from_u64(9);
    let mut acknowledged = Vec::new();
    for cycle in 0..CYCLES {
        if cycle % 3 == 2 {
            // Killed while it opens what the last one left.
            let mut child = start(dir.path());
            std::thread::sleep(Duration::from_millis(rng.random_range(0..20)));
            // SIGKILL, here and below: the process gets no chance to tidy up.
            child.kill().unwrap();
            child.wait().unwrap();
        }
        let mut child = start(dir.path());
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let wanted = rng.random_range(1..25);
        let mut seen = 0;
        while let Some(Ok(line)) = lines.next() {
            let Some(source) = line.strip_prefix("recorded ") else { continue };
            acknowledged.push(source.to_owned());
            seen += 1;
            if seen == wanted {
                std::thread::sleep(Duration::from_micros(rng.random_range(0..3_000)));
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
        assert!(seen >= wanted, "the child ended by itself after {seen} records");
    }
    let store = Store::open(dir.path(), Options::default()).await.unwrap();
    for source in &acknowledged {
        let id = DocumentId::of_source(&creator_id("anna"), source);
        let content =
            store.document(&id).await.unwrap().unwrap_or_else(|| panic!("{source} is lost")).content;
        assert!(store.blobs().read(&content).await.unwrap().is_some(), "the bytes of {source} are lost");
    }
    let documents = store.documents(&creator_id("anna")).await.unwrap().len() as u64;
    let chunks = rows(&store, "anna").await.len() as u64;
    let counts = Counts { documents, chunks, conversations: 0 };
    assert_eq!(store.counts(&creator_id("anna")).await.unwrap(), counts);
    assert!(acknowledged.len() as u64 <= documents);
}

/// The killed process; without its directory, as in an ordinary run of the tests, there is nothing to do.
#[tokio::test]
async fn work_until_killed() {
    let Ok(dir) = std::env::var(DIRECTORY) else { return };
    let store = Store::open(Path::new(&dir), Options::default()).await.unwrap();
    if store.creator(&creator_id("anna")).await.is_err() {
        store.add_creator(creator("anna")).await.unwrap();
    }
    let mut out = std::io::stdout();
    for number in 0.. {
        let source = format!("{}-{number}.md", std::process::id());
        let text = format!("Document {source} with its words {}", "again ".repeat(number % 50));
        let held = store.blobs().put(Bytes::from(text.clone())).await.unwrap();
        let recorded = record(&store, plain("anna", &source, &text)).await;
        assert_eq!(recorded.outcome, Outcome::Added);
        drop(held);
        writeln!(out, "\nrecorded {source}").unwrap();
        out.flush().unwrap();
        if number % 6 == 5 {
            store.purge().await.unwrap();
        }
    }
}

fn start(dir: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["store::redb::tests::kill::work_until_killed", "--exact", "--nocapture"])
        .env(DIRECTORY, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}
