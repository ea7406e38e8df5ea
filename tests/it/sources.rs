//! The page of the content beside its documents: places that are followed, files that were given up, words said twice.

use axum::http::StatusCode;
use neverafk::domain::{JobLane, JobState, Role, Timestamp};
use neverafk::ingest::Item;
use neverafk::jobs;

use crate::accounts::Browser;
use crate::support::TestApp;
use crate::support::wire::Site;

const CONTENT: &str = "/dashboard/course/content";

#[tokio::test]
async fn a_site_is_followed_looked_at_and_forgotten_from_its_page() {
    let allow = [("ALLOW_PRIVATE_ADDRESSES", "true"), ("SITE_PAUSE_MS", "5")];
    let allow = allow.map(|(name, value)| (format!("NEVERAFK_INGEST__{name}"), value.to_owned()));
    let (test, site) = (TestApp::configured(&allow).await, Site::start());
    site.page(
        "/",
        "<html><head><title>Saw</title></head><body><p>The saw hangs on the wall.</p></body></html>",
    );
    let creator = TestApp::course();
    let editor = Browser::of(&test, "anna@x.example", "course", Role::Editor).await;
    let agent = Browser::of(&test, "ben@x.example", "course", Role::Agent).await;
    assert!(editor.get(CONTENT).await.text.contains("None yet"));
    assert!(!agent.get(CONTENT).await.text.contains("Follow it"));

    // Named by the command line, so that the test may ask this machine; a browser may not.
    let watched = test.app.watch_site(&creator, &site.origin, (0, 10), false).await.unwrap();
    let page = editor.get(CONTENT).await.text;
    assert!(page.contains(watched.place.name()) && page.contains("Not looked at yet"), "{page}");
    let form = format!("/dashboard/course/sources/{}", watched.id);
    let reply = editor.post(&form, &[("act", "look")]).await;
    assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.text);
    assert!(editor.get(CONTENT).await.text.contains("Being looked at"));
    // Pressed twice, it is one look.
    editor.post(&form, &[("act", "look")]).await;
    assert!(jobs::step(&test.app.jobs()).await.unwrap());
    assert!(!jobs::step(&test.app.jobs()).await.unwrap());
    let page = editor.get(&format!("{CONTENT}?done=looking")).await.text;
    for words in ["Last look", "1 added", "Next look", "Look now", "It is being looked at"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let seen = agent.get(CONTENT).await.text;
    assert!(seen.contains("Last look") && !seen.contains("Look now"), "{seen}");
    assert_eq!(agent.post(&form, &[("act", "forget")]).await.status, StatusCode::FORBIDDEN);
    assert_eq!(editor.post(&form, &[("act", "dance")]).await.status, StatusCode::UNPROCESSABLE_ENTITY);

    assert_eq!(editor.post(&form, &[("act", "forget")]).await.status, StatusCode::SEE_OTHER);
    assert!(editor.get(CONTENT).await.text.contains("None yet"));
    assert_eq!(test.app.store().documents(&creator).await.unwrap().len(), 1, "what came from it stays");
    assert_eq!(editor.post(&form, &[("act", "look")]).await.status, StatusCode::NOT_FOUND);

    // From the page, with a sentence for what is no address.
    let wrong = editor.post("/dashboard/course/sources", &[("address", "ftp://x.example/a")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", wrong.text);
    let right = [("address", "https://school.example/course"), ("whole", "true")];
    assert_eq!(editor.post("/dashboard/course/sources", &right).await.status, StatusCode::SEE_OTHER);
    let all = test.app.watched(&creator).await.unwrap();
    assert!(all.len() == 1 && all[0].remote, "{all:?}");
    let events = test.app.store().jobs(&creator, 9).await.unwrap();
    assert!(events.iter().any(|job| job.id == all[0].job() && job.state == JobState::Queued));
}

#[tokio::test]
async fn what_was_given_up_is_listed_tried_again_and_taken_off() {
    let test = TestApp::new().await;
    let (creator, store) = (TestApp::course(), test.app.store());
    let editor = Browser::of(&test, "anna@x.example", "course", Role::Editor).await;
    // One whose reader never came back, as when the machine was switched off three times.
    let unlucky = Item::upload("unlucky.md", "# Glue\n\nThe glue dries within 9 hours.");
    let unlucky = test.app.enqueue(&creator, unlucky).await.unwrap();
    let far = test.app.store().job(&unlucky).await.unwrap().unwrap().created_at.0;
    for time in 1..=4 {
        store.claim(Timestamp(far + time * 10), 1, &JobLane::ALL).await.unwrap();
    }
    // And one that nobody can read.
    let unreadable = test.app.enqueue(&creator, Item::upload("b.pdf", "%PDF-1.7 and no more")).await.unwrap();
    assert!(jobs::step(&test.app.jobs()).await.unwrap());
    let page = editor.get(CONTENT).await.text;
    for words in ["Could not be brought in", "unlucky.md", "begun 3 times", "b.pdf", "Try unlucky.md again"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(!page.contains("Try b.pdf again"), "its bytes are gone");

    let form = |id| format!("/dashboard/course/jobs/{id}");
    assert_eq!(editor.post(&form(&unreadable), &[("act", "retry")]).await.status, StatusCode::GONE);
    assert_eq!(editor.post(&form(&unreadable), &[("act", "forget")]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(store.job(&unreadable).await.unwrap(), None);
    let reply = editor.post(&form(&unlucky), &[("act", "retry")]).await;
    assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.text);
    assert!(jobs::step(&test.app.jobs()).await.unwrap());
    let job = store.job(&unlucky).await.unwrap().unwrap();
    assert!(matches!(job.state, JobState::Done { .. }), "{job:?}");
    assert!(!editor.get(CONTENT).await.text.contains("Could not be brought in"));
    assert_eq!(editor.post(&form(&unlucky), &[("act", "retry")]).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn documents_that_say_nearly_the_same_are_told() {
    let words = |last: &str| {
        let all: Vec<String> = (0..300).map(|n| format!("word{n}")).collect();
        format!("{} {last}", all.join(" "))
    };
    let (first, second) = (words("first"), words("second"));
    let test =
        TestApp::with(&[("a.txt", first.as_str()), ("b.txt", second.as_str()), ("c.txt", "Another text.")])
            .await;
    let editor = Browser::of(&test, "anna@x.example", "course", Role::Editor).await;
    let page = editor.get(CONTENT).await.text;
    assert!(page.contains("1 document has nearly the same words"), "{page}");
    assert_eq!(page.matches("Nearly the same words as").count(), 1, "{page}");
}
