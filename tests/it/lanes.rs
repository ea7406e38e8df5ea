//! The queue's lanes: what is slow keeps nothing waiting that is fast.

use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use neverafk::domain::{JobLane, JobState};
use neverafk::ingest::Item;
use neverafk::jobs;
use neverafk::jobs::watch::{Every, queue_due};
use tokio_util::sync::CancellationToken;

use crate::support::TestApp;

/// A site that takes every question and never answers, until it is dropped.
struct Silent {
    address: String,
    asked: Arc<Mutex<Vec<TcpStream>>>,
}

impl Silent {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/", listener.local_addr().unwrap());
        let asked = Arc::<Mutex<Vec<TcpStream>>>::default();
        let held = asked.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                held.lock().unwrap().push(stream);
            }
        });
        Self { address, asked }
    }

    fn is_asked(&self) -> bool {
        !self.asked.lock().unwrap().is_empty()
    }
}

#[tokio::test]
async fn a_slow_job_keeps_no_page_of_text_waiting() {
    let allow = [("NEVERAFK_INGEST__ALLOW_PRIVATE_ADDRESSES".to_owned(), "true".to_owned())];
    let (test, silent) = (TestApp::configured(&allow).await, Silent::start());
    let creator = TestApp::course();
    let slow = test.app.watch_site(&creator, &silent.address, (0, 10), false).await.unwrap();
    let (jobs, stop) = (test.app.jobs(), CancellationToken::new());
    assert_eq!(queue_due(&jobs, Every { folder_ms: 0, site_ms: 1 }).await.unwrap(), 1);
    let runner = tokio::spawn(jobs::run(jobs, stop.clone()));
    let patiently = async |what: &str, is_so: &dyn Fn(&JobState) -> bool, id: &neverafk::domain::JobId| {
        for _ in 0..1_500 {
            let state = test.app.store().job(id).await.unwrap().unwrap().state;
            if is_so(&state) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{what}");
    };
    let is_running = |state: &JobState| matches!(state, JobState::Running { .. });
    patiently("the look begins", &|state| is_running(state) && silent.is_asked(), &slow.job()).await;
    for name in ["wax.md", "glue.md"] {
        let item = Item::upload(name, format!("# {name}\n\nWarm the wax to 62 degrees, says {name}."));
        let id = test.app.enqueue(&creator, item).await.unwrap();
        patiently(name, &|state| matches!(state, JobState::Done { .. }), &id).await;
    }
    let state = test.app.store().job(&slow.job()).await.unwrap().unwrap().state;
    assert!(is_running(&state), "the slow job goes on: {state:?}");
    stop.cancel();
    // What it waits for ends here, and the thread that waits with it.
    silent.asked.lock().unwrap().clear();
    runner.await.unwrap();
}

#[tokio::test]
async fn a_page_waits_for_no_book() {
    let (test, creator) = (TestApp::new().await, TestApp::course());
    let book = Item::upload("book.md", "# Wax\n\nThe wax is warm.\n\n".repeat(20_000));
    let book = test.app.enqueue(&creator, book).await.unwrap();
    let page =
        test.app.enqueue(&creator, Item::upload("page.md", "# Glue\n\nThe glue dries.")).await.unwrap();
    // Whoever has room for short documents only takes the page, though the book is older.
    let claimed =
        test.app.store().claim(neverafk::domain::Timestamp(1), 10, &[JobLane::Short]).await.unwrap();
    assert_eq!(claimed.map(|job| job.id), Some(page));
    let claimed = test.app.store().claim(neverafk::domain::Timestamp(1), 10, &JobLane::ALL).await.unwrap();
    assert_eq!(claimed.map(|job| job.id), Some(book));
}

#[tokio::test]
async fn recordings_and_pictures_wait_in_a_lane_of_their_own() {
    let test = TestApp::new().await;
    let sound = b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\x3e\0\0\0\x7d\0\0\x02\0\x10\0data\0\0\0\0";
    let book = b"# Wax\n\nThe wax is warm.\n\n".repeat(20_000);
    let picture = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0";
    for (name, bytes, expected) in [
        ("lesson.wav", &sound[..], JobLane::Media),
        // The content decides, not the name.
        ("lesson.txt", &sound[..], JobLane::Media),
        ("board.png", &picture[..], JobLane::Media),
        ("notes.md", &b"# Notes\n\nThe glue dries."[..], JobLane::Short),
        ("broken.pdf", &b"%PDF-1.7 and no more"[..], JobLane::Short),
        ("book.md", &book[..], JobLane::Documents),
        // Nobody knows how much is in it.
        ("course.zip", &b"PK\x03\x04\x14\0\0\0\0\0"[..], JobLane::Documents),
    ] {
        let item = Item::upload(name, bytes.to_vec());
        let id = test.app.enqueue(&TestApp::course(), item).await.unwrap();
        let job = test.app.store().job(&id).await.unwrap().unwrap();
        assert_eq!(job.lane, expected, "{name}");
    }
}
