//! `eval generate` as a creator uses it: questions from the bundled course, answered by the engine, shown on a page.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::support::provider::{Manner, Provider};
use crate::support::{Desk, Said, said};

#[test]
fn the_bundled_course_gives_questions_that_eval_answers_measures() {
    let desk = Desk::new();
    desk.ok(&["demo", "--offline", "--no-serve"]);
    let file = desk.write("own/questions.jsonl", "");
    let (questions, corpus) =
        (file.display().to_string(), file.with_file_name("corpus.jsonl").display().to_string());
    let attacks = file.with_file_name("attacks.jsonl").display().to_string();
    let generate = ["eval", "generate", "--creator", "demo", "--out", &questions, "--corpus", &corpus];
    let made = desk.json(&[&generate[..], &["--injection", &attacks]].concat());
    let counts = ["answerable", "unanswerable", "injection"].map(|kind| made[kind].as_u64().unwrap());
    assert!(counts.iter().sum::<u64>() >= 40 && counts.iter().all(|count| *count >= 5), "{counts:?}");

    let lines: Vec<Value> = std::fs::read_to_string(&file)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let texts: Vec<Value> = std::fs::read_to_string(&corpus)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let different: HashSet<&str> = lines.iter().map(|line| line["question"].as_str().unwrap()).collect();
    assert_eq!(different.len(), lines.len());
    for line in &lines {
        // Whatever is called an answer stands in the document that it is said to stand in.
        let ids = line["external_ids"].as_array().unwrap();
        for answer in line["answers"].as_array().unwrap() {
            let held = texts.iter().filter(|text| ids.contains(&text["_id"])).any(|text| {
                let plain =
                    |value: &Value| value.as_str().unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
                plain(&text["text"]).contains(&plain(answer))
                    || line["template"] == "count"
                    || line["template"] == "item"
            });
            assert!(held, "{line}");
        }
    }
    // The same seed gives the same file, another one another.
    let again = std::fs::read_to_string(&file).unwrap();
    assert_eq!(desk.ok(&["eval", "generate", "--creator", "demo"]).trim(), again.trim());
    assert_ne!(desk.ok(&["eval", "generate", "--creator", "demo", "--seed", "8"]).trim(), again.trim());

    let page = file.with_file_name("report.html").display().to_string();
    let report = desk.json(&["eval", "answers", &questions, "--corpus", &corpus, "--out", &page]);
    assert_eq!(report["queries"], lines.len());
    let known = |name: &str| report["metrics"][name].as_f64().unwrap();
    // Questions from templates are plain: most must be found, and asking for what is nowhere must be noticed.
    assert!(known("answer_in_response") > 0.4 && known("abstention_auroc") > 0.6, "{}", report["metrics"]);
    let html = std::fs::read_to_string(&page).unwrap();
    assert!(html.matches("<svg").count() >= 4 && html.contains("eval answers") && html.contains("BLAKE3"));
    assert!(!html.contains("<script"));
}

#[test]
fn a_creator_without_content_is_told_what_to_do() {
    let desk = Desk::new();
    desk.ok(&["creator", "add", "course"]);
    assert!(desk.refused(&["eval", "generate", "--creator", "course"]).contains("neverafk ingest"));
    desk.refused(&["eval", "generate", "--creator", "nobody"]);
}

/// `eval generate` with a chat model that behaves in this manner.
async fn asked_by(manner: Manner) -> (Said, Provider, Desk) {
    let provider = Provider::start(manner).await;
    let url = provider.url();
    let work = move || {
        let desk = Desk::new();
        desk.creator();
        let page = "# Refunds\n\nYou can ask for a full refund within 23 days of buying the course. Refunds are paid back to \
                    the card that was used.\n\n# Desk\n\nThe desk is open from nine to noon on working days. Write \
                    to the desk for a refund of the course.\n";
        desk.ingest(&desk.write("page.md", page));
        let asking =
            ["eval", "generate", "--creator", "course", "--chat", "gpu:any", "--limit", "4", "--json"];
        let mut command = desk.command(&asking);
        command.env("NEVERAFK_PROVIDERS__GPU__URL", url);
        (said(command.output().unwrap()), desk)
    };
    let (said, desk) = tokio::task::spawn_blocking(work).await.unwrap();
    (said, provider, desk)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_model_asks_what_templates_do_not() {
    let reply = "Question: Until when may I want my money back?\nAnswer: within 23 days";
    let (said, provider, _desk) = asked_by(Manner::Says(vec![reply], 30)).await;
    assert_eq!(said.code, 0, "{}", said.err);
    let made: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((&made["chat"], &made["asked"]["model"]), (&json!(1), &json!("gpu:any")));
    assert!(made["answerable"].as_u64().unwrap() > 0, "{made}");
    let questions = made["questions"].as_array().unwrap();
    let case = questions.iter().find(|case| case["kind"] == "chat").unwrap();
    assert_eq!(
        (&case["question"], &case["answers"]),
        (&json!("Until when may I want my money back?"), &json!(["within 23 days"]))
    );
    assert_eq!((&case["model"], &case["template"]), (&json!("gpu:any"), &json!("chat")));
    assert_eq!(case["unanswerable"], false);
    // One passage holds the answer; of the others nothing is believed.
    let asked = made["asked"]["passages"].as_u64().unwrap();
    assert_eq!(provider.hits() as u64, asked);
    let dropped = made["asked"]["dropped"].as_object().unwrap();
    assert_eq!(dropped.values().map(|count| count.as_u64().unwrap()).sum::<u64>(), asked - 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_model_that_babbles_or_fails_spoils_nothing() {
    let babble = "Certainly! Ignore the excerpt. What a lovely day? Answer 42, I believe.";
    let (said, _provider, _desk) = asked_by(Manner::Says(vec![babble], 30)).await;
    assert_eq!(said.code, 0, "{}", said.err);
    let made: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(made["chat"], 0);
    assert!(said.err.contains("no question with an answer"), "{}", said.err);
    for manner in [Manner::Garbage, Manner::Status(401, "", "{}")] {
        let (said, _provider, _desk) = asked_by(manner.clone()).await;
        assert_eq!(said.code, 1, "{manner:?}: {}", said.out);
        assert!(said.err.contains("hint: ") && !said.err.contains("panicked"), "{}", said.err);
    }
}
