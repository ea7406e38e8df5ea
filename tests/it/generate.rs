//! `eval generate` as a creator uses it: questions from the bundled course, answered by the engine, shown on a page.

use std::collections::HashSet;

use serde_json::Value;

use crate::support::Desk;

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
