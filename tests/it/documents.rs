//! The life of a document: brought in, found, replaced, deleted.

use serde_json::json;

use crate::support::{Desk, TestApp, pdf};

const REFUNDS: &str = "Refunds\n\nYou can ask for a full refund within 23 days of buying the course.\n";

#[test]
fn every_format_is_found_with_its_place() {
    let desk = Desk::new();
    desk.creator();
    for (name, content) in [
        ("refunds.txt", REFUNDS),
        ("brushes.md", "# Brushes\n\n## Cleaning\n\nDry the brushes flat on a towel for 14 hours.\n"),
        (
            "studio.html",
            "<title>Hours</title><script>var zebra = 1</script><p>The studio opens at 07:45 on Saturdays.</p>",
        ),
        ("talk.vtt", "WEBVTT\n\n00:01.000 --> 00:04.000\nThe varnish cures for 41 weeks.\n"),
    ] {
        desk.ingest(&desk.write(name, content));
    }
    desk.ingest(
        &desk.write(
            "tubes.pdf",
            pdf(&["Contents of the box.", "The cobalt blue is pigment PB28 from tube 61."]),
        ),
    );
    let found = |query: &str| desk.json(&["search", query, "--creator", "course"])["hits"][0].clone();
    assert!(found("full refund days")["text"].as_str().unwrap().contains("23 days"));
    assert_eq!(found("how long do brushes dry")["anchor"]["heading"], "Cleaning");
    assert!(found("studio Saturdays")["text"].as_str().unwrap().contains("07:45"));
    assert_eq!(found("varnish cures")["anchor"]["start_ms"], 1000);
    assert_eq!(found("cobalt blue pigment")["anchor"]["page"], 2);
    assert!(!desk.ok(&["search", "zebra", "--creator", "course", "--json"]).contains("zebra = 1"));
}

#[test]
fn the_same_bytes_twice_add_nothing_and_a_changed_file_replaces_its_old_self() {
    let desk = Desk::new();
    desk.creator();
    let path = desk.write("refunds.txt", REFUNDS);
    desk.ingest(&path);
    let shown = desk.json(&["creator", "show", "course"]);
    desk.ingest(&path);
    desk.ingest(&desk.write("copy of refunds.txt", REFUNDS));
    assert_eq!(desk.json(&["creator", "show", "course"])["chunks"], shown["chunks"]);
    desk.write("refunds.txt", REFUNDS.replace("23 days", "30 days"));
    desk.ingest(&path);
    assert_eq!(desk.json(&["creator", "show", "course"])["documents"], 1);
    let answer = desk.ask("How many days do I have to ask for a refund?");
    assert!(answer["response"].as_str().unwrap().contains("30 days"), "{answer}");
    assert!(!answer.to_string().contains("23 days"));
}

#[test]
fn a_corpus_keeps_its_ids() {
    let desk = Desk::new();
    desk.creator();
    desk.ingest(&desk.write(
        "corpus.jsonl",
        "{\"_id\":\"a/1.md\",\"title\":\"Easels\",\"text\":\"The easel folds to 92 centimetres.\"}\n\
         {\"_id\":\"b2\",\"title\":\"Paper\",\"text\":\"Use cotton paper of 300 grams.\"}\n",
    ));
    let hits = desk.json(&["search", "Which paper?", "--creator", "course"]);
    assert_eq!(hits["hits"][0]["external_id"], "b2");
    assert_eq!(desk.json(&["creator", "show", "course"])["documents"], 2);
}

#[test]
fn erasing_leaves_no_trace() {
    let desk = Desk::new();
    let canary = "quillwort-5817-zanzibar";
    desk.creator();
    desk.ingest(&desk.write("refunds.txt", REFUNDS));
    desk.ingest(&desk.write("secret.txt", format!("The code word of the workshop is {canary}.")));
    let answer = desk.ask("What is the code word of the workshop?");
    let document = answer["citations"][0]["document_id"].as_str().unwrap().to_owned();
    desk.ok(&["erase", "--document", &document]);
    for entry in
        walkdir::WalkDir::new(desk.data()).into_iter().map(Result::unwrap).filter(|e| e.file_type().is_file())
    {
        let bytes = std::fs::read(entry.path()).unwrap();
        let found = bytes.windows(canary.len()).any(|window| window == canary.as_bytes());
        assert!(!found, "{} still holds it", entry.path().display());
    }
    assert!(
        desk.ask("How many days do I have to ask for a refund?")["response"].as_str().unwrap().contains("23")
    );
}

#[tokio::test]
async fn a_document_deleted_while_serving_is_gone_at_once() {
    let test = TestApp::with(&[
        ("refunds.txt", REFUNDS),
        ("b.txt", "Rinse the brushes in cold water for 14 minutes."),
    ])
    .await;
    let question = "How many days do I have to ask for a refund?";
    let answer = test.chat(question).await;
    assert!(answer["response"].as_str().unwrap().contains("23 days"), "{answer}");
    let id = answer["citations"][0]["document_id"].as_str().unwrap().parse().unwrap();
    test.app.delete_document(&id).await.unwrap();
    let answer = test.chat(question).await;
    assert!(!answer.to_string().contains("23 days"), "{answer}");
}

#[tokio::test]
async fn reindexing_with_another_model_keeps_every_passage() {
    let test = TestApp::with(&[("refunds.txt", REFUNDS)]).await;
    let creator = TestApp::course();
    let before = test.app.search(&creator, "refund", 5).await.unwrap();
    let model = test.app.reindex(&creator, None, |_, _| {}).await.unwrap();
    let after = test.app.search(&creator, "refund", 5).await.unwrap();
    assert_eq!(before.hits[0].chunk_id, after.hits[0].chunk_id);
    assert_eq!(test.app.store().creator(&creator).await.unwrap().embedding, Some(model));
}

#[tokio::test]
async fn vectors_that_were_set_aside_come_back() {
    let test = TestApp::with(&[("refunds.txt", REFUNDS)]).await;
    let (creator, store) = (TestApp::course(), test.app.store());
    let all = async || {
        let mut chunks = Vec::new();
        for document in store.documents(&creator).await.unwrap() {
            chunks.extend(store.document_chunks(&document.id).await.unwrap());
        }
        let vectors = store.vectors(&creator, &chunks).await.unwrap();
        chunks.into_iter().zip(vectors).collect::<Vec<_>>()
    };
    let (before, aside) = (all().await, test.app.set_aside(&creator).await.unwrap().unwrap());
    let former = aside.model.clone();
    let other = neverafk::domain::EmbeddingModelId { name: "other".into(), ..former.clone() };
    let vectors = before.iter().map(|(chunk, _)| {
        let mut vector = vec![0.0; former.dimensions];
        vector[0] = 1.0;
        (*chunk, vector)
    });
    store.replace_vectors(&creator, other.clone(), vectors.collect()).await.unwrap();
    assert_eq!(store.creator(&creator).await.unwrap().embedding, Some(other));
    test.app.put_back(&creator, aside).await.unwrap();
    assert_eq!(store.creator(&creator).await.unwrap().embedding, Some(former.clone()));
    assert_eq!(all().await, before);

    // What came meanwhile is not lost, and has a vector of the same model.
    let aside = test.app.set_aside(&creator).await.unwrap().unwrap();
    let reply = test.upload("glue.md", b"# Glue\n\nThe glue dries within 9 hours.", &test.key, "").await;
    assert!(reply.status.is_success(), "{}", reply.text);
    test.app.put_back(&creator, aside).await.unwrap();
    assert_eq!(store.creator(&creator).await.unwrap().embedding, Some(former));
    let now = all().await;
    assert!(now.len() > before.len() && now.iter().all(|(_, vector)| vector.is_some()), "{now:?}");
    let found = test.app.search(&creator, "How long does the glue dry?", 1).await.unwrap();
    assert!(found.hits[0].text.contains("9 hours"));
}

#[test]
fn a_gate_measures_the_new_vectors_with_the_creators_questions() {
    let desk = Desk::new();
    desk.creator();
    let (mut corpus, mut questions) = (String::new(), String::new());
    for (number, subject) in ["refund", "varnish", "cobalt", "easel", "gesso"].iter().enumerate() {
        let text = format!("The {subject} of the course takes {} days.", number + 3);
        corpus += &format!("{}\n", json!({"_id": subject, "title": subject, "text": text}));
        let question = format!("How many days does the {subject} take?");
        questions += &format!("{}\n", json!({"id": number, "question": question, "external_ids": [subject]}));
    }
    desk.ingest(&desk.write("corpus.jsonl", corpus));
    let file = desk.write("questions.jsonl", questions);
    let said = desk.json(&[
        "reindex",
        "--creator",
        "course",
        "--embedder",
        "static",
        "--gate",
        file.to_str().unwrap(),
    ]);
    assert_eq!(said["gate"]["questions"], 5, "{said}");
    assert_eq!(said["gate"]["verdict"], "no_difference", "{said}");
    let plain = desk.ok(&["reindex", "--creator", "course", "--gate", file.to_str().unwrap()]);
    assert!(plain.contains("A is the former model") && plain.contains("is searched with"), "{plain}");
    // Before anything is computed.
    let nowhere = desk.directory.path().join("nowhere.jsonl");
    desk.refused(&["reindex", "--creator", "course", "--gate", nowhere.to_str().unwrap()]);
}
