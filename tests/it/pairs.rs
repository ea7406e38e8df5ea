//! Models that read two texts at once, on the whole path: imported by the command line, named by the settings, at work in
//! search, answers and measurements. The models are tiny and know nothing; that they are computed rightly shows in an order that
//! only their reference logits explain.

use std::path::{Path, PathBuf};

use neverafk::answer::entail::{Verdict, joined};
use neverafk::answer::verify::support;
use neverafk::index::analyze::Language;
use serde_json::{Value, json};

use crate::support::{Desk, TestApp};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/cross").join(name)
}

/// What transformers makes of the fixture's texts.
fn reference(name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(fixture(name).join("reference.json")).unwrap()).unwrap()
}

fn imported(desk: &Desk, fixture_name: &str, name: &str) -> Value {
    let folder = fixture(fixture_name).display().to_string();
    desk.json(&["models", "import", &folder, "--name", name])
}

fn settings(desk: &Desk, lines: &str) {
    std::fs::create_dir_all(desk.data()).unwrap();
    std::fs::write(desk.data().join("neverafk.toml"), format!("[answer]\n{lines}\n")).unwrap();
}

/// The documents of the reference in the order of their logits, best first.
fn by_logits(reference: &Value) -> Vec<String> {
    let logit = |document: &Value| document["logits"][0].as_f64().unwrap();
    let mut documents: Vec<&Value> = reference["documents"].as_array().unwrap().iter().collect();
    documents.sort_by(|a, b| logit(b).total_cmp(&logit(a)));
    documents.iter().map(|document| document["title"].as_str().unwrap().to_owned()).collect()
}

fn corpus(reference: &Value) -> String {
    let line = |document: &Value| {
        let (title, text) = (&document["title"], &document["text"]);
        format!("{}\n", json!({"_id": title, "title": title, "text": text}))
    };
    reference["documents"].as_array().unwrap().iter().map(line).collect()
}

fn found(desk: &Desk, question: &str) -> (Vec<String>, Vec<f64>) {
    let report = desk.json(&["search", question, "--creator", "course", "--k", "6"]);
    let hits = report["hits"].as_array().unwrap();
    let titles = hits.iter().map(|hit| hit["title"].as_str().unwrap().to_owned()).collect();
    (titles, hits.iter().map(|hit| hit["score"].as_f64().unwrap()).collect())
}

#[test]
fn a_search_is_ranked_as_its_reranker_says() {
    let desk = Desk::new();
    desk.creator();
    let reference = reference("bert");
    let question = reference["question"].as_str().unwrap();
    desk.ingest(&desk.write("workshop/corpus.jsonl", corpus(&reference)));
    let (before, scores) = found(&desk, question);
    let expected = by_logits(&reference);
    assert_eq!((before.len(), expected.len()), (6, 6));
    assert_ne!(before, expected, "the test would show nothing");

    assert_eq!(imported(&desk, "bert", "tiny")["kind"], "reranker");
    settings(&desk, "reranker = \"tiny\"");
    let (after, dealt) = found(&desk, question);
    assert_eq!(after, expected);
    assert_eq!(dealt, scores, "the scores stay on their scale, the highest first");

    // Both ways side by side, and what was measured says which it was.
    let set = desk.write("workshop/queries.jsonl", format!("{}\n", json!({"_id": "q", "text": question})));
    desk.write("workshop/qrels/test.tsv", format!("q\td\ts\nq\t{}\t1\n", expected[0]));
    let folder = set.parent().unwrap().display().to_string();
    let run = desk.json(&["eval", "run", &folder, "--reranker", "off,tiny"]);
    assert_eq!(run["labels"], json!(["reranker off", "reranker tiny"]));
    assert_eq!(run["runs"][1]["metrics"]["hit@1"], 1.0);
    assert_eq!(run["runs"][1]["settings"]["reranker"], "tiny");
    let models = run["runs"][1]["provenance"]["models"].as_array().unwrap();
    assert!(models.iter().any(|model| model["role"] == "reranker" && model["hash"] != ""), "{models:?}");

    // One that is not there is told, at once by a server.
    settings(&desk, "reranker = \"nobody\"");
    for command in [&["search", question, "--creator", "course"][..], &["serve", "--listen", "127.0.0.1:0"]] {
        assert!(desk.refused(command).contains("`nobody` is not installed"));
    }
    imported(&desk, "roberta", "nli");
    settings(&desk, "reranker = \"nli\"");
    assert!(desk.refused(&["search", question, "--creator", "course"]).contains("for entailment"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_tells_what_its_reranker_did() {
    let desk = Desk::new();
    imported(&desk, "bert", "tiny");
    let test = TestApp::configured(&[
        ("NEVERAFK_MODELS_DIR".into(), desk.data().join("models").display().to_string()),
        ("NEVERAFK_ANSWER__RERANKER".into(), "tiny".into()),
    ])
    .await;
    let reference = reference("bert");
    for document in reference["documents"].as_array().unwrap() {
        let (title, text) = (document["title"].as_str().unwrap(), document["text"].as_str().unwrap());
        let item = neverafk::ingest::Item::record(title.into(), title.into(), text.into());
        test.app.ingest().one(&TestApp::course(), item).await.unwrap();
    }
    test.chat(reference["question"].as_str().unwrap()).await;
    let turns = test.get_as("/conversations/course?limit=1", &test.key).await;
    assert_eq!(turns.status, axum::http::StatusCode::OK, "{}", turns.text);
    let text = turns.text;
    assert!(text.contains(r#""outcome":"reordered""#) && text.contains(r#""model":"tiny""#), "{text}");
    assert!(text.contains(r#""passages":6"#), "{text}");
}

#[test]
fn claims_are_measured_with_the_entailment_models_own_order_of_labels() {
    let desk = Desk::new();
    let reference = reference("roberta");
    let labels = reference["labels"].as_array().unwrap();
    let entailment = labels.iter().position(|label| label == "entailment").unwrap();
    assert_ne!(entailment, 0, "the test would show nothing");
    assert_eq!(imported(&desk, "roberta", "nli")["kind"], "entailment");

    // Evidence of one sentence is read once, as the reference was.
    let (mut lines, mut expected) = (String::new(), Vec::new());
    for pair in reference["pairs"].as_array().unwrap() {
        let (evidence, claim) = (pair["first"].as_str().unwrap(), pair["second"].as_str().unwrap());
        let is_trimmed = evidence == evidence.trim() && claim == claim.trim();
        if evidence.split_whitespace().count() > 8 || evidence.is_empty() || claim.is_empty() || !is_trimmed {
            continue;
        }
        let powers: Vec<f64> =
            pair["logits"].as_array().unwrap().iter().map(|logit| logit.as_f64().unwrap().exp()).collect();
        let share = (powers[entailment] / powers.iter().sum::<f64>()) as f32;
        let by_words = support(claim, &[evidence], Language::ENGLISH);
        expected.push(joined(by_words, Verdict { entailment: share, contradiction: 0.0 }));
        lines +=
            &format!("{}\n", json!({"claim": claim, "evidence": [evidence], "label": expected.len() % 2}));
    }
    assert!(expected.len() > 8);
    let file = desk.write("claims.jsonl", lines).display().to_string();
    let scores = desk.data().with_file_name("scores.jsonl").display().to_string();
    let report = desk.json(&["eval", "grounding", &file, "--entailment", "nli", "--scores", &scores]);
    assert_eq!(report["settings"]["entailment"], "nli");
    assert_eq!(report["provenance"]["models"][0]["role"], "entailment");
    let scores = std::fs::read_to_string(&scores).unwrap();
    for (line, expected) in scores.lines().zip(&expected) {
        let line: Value = serde_json::from_str(line).unwrap();
        let score = line["score"].as_f64().unwrap();
        assert!((score - f64::from(*expected)).abs() < 1e-4, "{line}: {expected}");
    }
    assert_eq!(scores.lines().count(), expected.len());
    let alone = desk.json(&["eval", "grounding", &file]);
    assert_eq!(alone["settings"]["entailment"], "");
    // Both side by side in one call; what is kept of a run is of one.
    let both = ["eval", "grounding", file.as_str(), "--entailment", "off,nli"];
    let compared = desk.json(&both);
    assert_eq!(compared["labels"], json!(["entailment off", "entailment nli"]));
    assert_eq!(compared["runs"][0]["metrics"], alone["metrics"]);
    assert_eq!(compared["runs"][1]["metrics"], report["metrics"]);
    assert_eq!(compared["comparisons"].as_array().unwrap().len(), 1);
    assert!(desk.refused(&[&both[..], &["--save", "x"]].concat()).contains("each setting once"));
    assert!(desk.refused(&["eval", "grounding", &file, "--entailment", "nobody"]).contains("not installed"));
}
