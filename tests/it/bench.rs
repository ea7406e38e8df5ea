//! `bench`: each one's JSON is what `benches/report.schema.json` says, an earlier run is compared with, and nothing is
//! left behind.

use serde_json::{Value, json};

use crate::support::provider::{Manner, Provider};
use crate::support::{Desk, said};

fn schema() -> Value {
    serde_json::from_str(include_str!("../../benches/report.schema.json")).unwrap()
}

#[test]
fn every_bench_gives_what_the_schema_says() {
    let desk = Desk::new();
    for (arguments, figure) in [
        (&["embed", "--batch", "1,4", "--tokens", "16"][..], "tokens_per_second"),
        (&["search", "--sizes", "500", "--dimensions", "64"], "recall_at_10"),
        (&["ingest", "--document-bytes", "1000"], "chunks_per_second"),
        (&["serve", "--clients", "1,3", "--seconds", "0.2"], "requests_per_second"),
    ] {
        let mut all = vec!["bench"];
        all.extend(arguments);
        all.extend(["--quick", "--seconds", "0.05"].iter().take(if arguments[0] == "serve" { 1 } else { 3 }));
        let report = desk.json(&all);
        check(&schema(), &schema(), &report, "report");
        assert_eq!(
            (&report["bench"], &report["version"]),
            (&json!(arguments[0]), &json!(env!("CARGO_PKG_VERSION")))
        );
        assert!(report["machine"]["cores"].as_u64().unwrap() > 0);
        let figures: Vec<&Value> = measurements(&report).flat_map(figures).collect();
        let found = figures.iter().find(|one| one["name"] == figure).unwrap();
        assert!(found["value"]["median"].as_f64().unwrap() > 0.0, "{arguments:?}: {found}");
    }
    // Measuring uses directories that vanish: not even the data directory was made.
    assert!(!desk.data().exists());
}

#[test]
fn the_exact_index_has_a_recall_of_one_and_a_server_under_load_makes_no_errors() {
    let desk = Desk::new();
    let page = desk.directory.path().join("search.html");
    let out = ["--out", page.to_str().unwrap()];
    let search = ["bench", "search", "--quick", "--sizes", "2000", "--dimensions", "64"];
    let report = desk.json(&[&search[..], &out].concat());
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("Recall against latency") && page.contains("exact int8, 2000 vectors"), "{page}");
    assert_eq!(value(&report, "exact int8, 2000 vectors", "recall_at_10"), 1.0);
    let report = desk.json(&["bench", "serve", "--quick", "--clients", "4", "--seconds", "0.3"]);
    for load in ["chat", "chat, repeated question", "search"] {
        let name = format!("{load}, 4 clients");
        assert_eq!(value(&report, &name, "errors"), 0.0, "{name}");
        assert!(value(&report, &name, "milliseconds") > 0.0);
    }
}

#[test]
fn an_earlier_run_is_compared_with_and_another_machine_is_told() {
    let desk = Desk::new();
    let run = ["bench", "embed", "--quick", "--seconds", "0.05", "--batch", "1", "--tokens", "16"];
    let mut earlier = desk.json(&run);
    let same = desk.write("same.json", earlier.to_string());
    let mut compared = run.to_vec();
    compared.extend(["--compare", same.to_str().unwrap()]);
    let report = desk.json(&compared);
    check(&schema(), &schema(), &report, "report");
    assert_eq!(report["comparison"]["warnings"], json!([]));
    let ratio = &report["comparison"]["ratios"][0];
    let (before, now) = (ratio["before"].as_f64().unwrap(), ratio["now"].as_f64().unwrap());
    assert!((ratio["ratio"].as_f64().unwrap() - now / before).abs() < 1e-9);

    earlier["machine"]["processor"] = json!("abacus");
    earlier["settings"]["threads"] = json!(777);
    let other = desk.write("other.json", earlier.to_string());
    compared[run.len() + 1] = other.to_str().unwrap();
    let said = desk.run(&compared);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.err.contains("warning: the processor differs: abacus before"), "{}", said.err);
    assert!(said.err.contains("`threads` differs: 777 before"), "{}", said.err);
    assert!(said.out.contains("ratio"), "{}", said.out);

    earlier["bench"] = json!("chat");
    let wrong = desk.write("wrong.json", earlier.to_string());
    compared[run.len() + 1] = wrong.to_str().unwrap();
    assert!(desk.refused(&compared).contains("bench chat"));
    compared[run.len() + 1] = "/nowhere.json";
    desk.refused(&compared);
}

#[test]
fn without_a_chat_model_it_says_what_to_pull() {
    let desk = Desk::new();
    assert!(desk.refused(&["bench", "chat", "--quick"]).contains("models pull"));
    assert!(desk.refused(&["bench", "chat", "--quick", "--chat", "no-such-model"]).contains("no-such-model"));
    assert!(
        desk.refused(&["bench", "embed", "--quick", "--embedder", "no-such-model"]).contains("no-such-model")
    );
}

#[test]
fn a_chat_model_is_measured() {
    let Some(models) = std::env::var_os("NEVERAFK_TEST_MODELS") else {
        return eprintln!("skipped: no chat model (NEVERAFK_TEST_MODELS)");
    };
    let weights = std::path::Path::new(&models).join("SmolLM2-135M-Instruct/SmolLM2-135M-Instruct.Q4_1.gguf");
    if !weights.exists() {
        return eprintln!("skipped: no SmolLM2-135M-Instruct in NEVERAFK_TEST_MODELS");
    }
    let desk = Desk::new();
    desk.ok(&["models", "import", weights.to_str().unwrap(), "--name", "small"]);
    let run = ["bench", "chat", "--quick", "--chat", "small", "--prompts", "32", "--max-tokens", "4"];
    let report = desk.json(&run);
    check(&schema(), &schema(), &report, "report");
    assert!(value(&report, "prompt of 32 tokens", "prefill_tokens_per_second") > 0.0);
    assert!(value(&report, "2 at once, prompt of 32 tokens", "first_token") > 0.0);
    let prompt = value(&report, "prompt of 32 tokens", "prompt_tokens");
    assert!((32.0..120.0).contains(&prompt), "{prompt}");
}

/// Through a socket instead of a processor: the figures are of the same making, and no weights are needed.
#[tokio::test(flavor = "multi_thread")]
async fn a_chat_model_of_another_server_is_measured_as_its_users_see_it() {
    let provider = Provider::start(Manner::Says(vec!["You can ask ", "for a full ", "refund."], 12)).await;
    let url = provider.url();
    let work = move || {
        let run =
            ["bench", "chat", "--quick", "--seconds", "0.05", "--chat", "near:any", "--prompts", "16,32"];
        let desk = Desk::new();
        let mut command = desk.command(&[&run[..], &["--concurrent", "1,3", "--json"]].concat());
        said(command.env("NEVERAFK_PROVIDERS__NEAR__URL", url).output().unwrap())
    };
    let said = tokio::task::spawn_blocking(work).await.unwrap();
    assert_eq!(said.code, 0, "{}", said.err);
    let report: Value = serde_json::from_str(&said.out).unwrap();
    check(&schema(), &schema(), &report, "report");
    assert_eq!(report["settings"]["weights"], json!(["near:any"]));
    for tokens in [16, 32] {
        let name = format!("prompt of {tokens} tokens");
        assert!(value(&report, &name, "first_token") > 0.0);
        assert!(value(&report, &name, "prefill_tokens_per_second") > 0.0);
    }
    assert!(value(&report, "3 at once, prompt of 16 tokens", "whole_answer") > 0.0);
    // A warm-up and one counted answer of each length, then one and three at once.
    assert!(provider.hits() >= 8, "{}", provider.hits());
}

#[test]
fn inputs_are_kept_for_other_programs() {
    let desk = Desk::new();
    let folder = desk.directory.path().join("kept");
    let kept = ["--quick", "--seconds", "0.01", "--keep-input", folder.to_str().unwrap()];
    let mut embed = vec!["bench", "embed", "--batch", "3", "--tokens", "16"];
    embed.extend(kept);
    desk.ok(&embed);
    let lines = std::fs::read_to_string(folder.join("embed.jsonl")).unwrap();
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[1]["texts"].as_array().unwrap().len(), 3);
    let mut search = vec!["bench", "search", "--sizes", "300", "--dimensions", "32", "--queries", "5"];
    search.extend(kept);
    desk.ok(&search);
    assert_eq!(std::fs::metadata(folder.join("vectors-300.f32")).unwrap().len(), 300 * 32 * 4);
    let truth: Value =
        serde_json::from_slice(&std::fs::read(folder.join("truth-300.json")).unwrap()).unwrap();
    assert_eq!(truth["neighbours"].as_array().unwrap().len(), 5);
}

fn measurements(report: &Value) -> impl Iterator<Item = &Value> {
    report["measurements"].as_array().unwrap().iter()
}

fn figures(measurement: &Value) -> impl Iterator<Item = &Value> {
    measurement["figures"].as_array().unwrap().iter()
}

fn value(report: &Value, measurement: &str, figure: &str) -> f64 {
    let found = measurements(report).find(|one| one["name"] == measurement);
    let found = found.and_then(|one| figures(one).find(|one| one["name"] == figure));
    found.unwrap_or_else(|| panic!("no {figure} of {measurement}"))["value"]["median"].as_f64().unwrap()
}

/// As much of JSON Schema as the file uses; a word that is not known here fails, so that nothing goes unchecked.
fn check(root: &Value, schema: &Value, value: &Value, at: &str) {
    for (word, wanted) in schema.as_object().unwrap() {
        match word.as_str() {
            "$ref" => {
                let name = wanted.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
                check(root, &root["$defs"][name], value, at);
            }
            "type" => {
                let is = |kind: &str| match kind {
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "string" => value.is_string(),
                    "number" => value.is_number(),
                    "integer" => value.is_u64() || value.is_i64(),
                    "null" => value.is_null(),
                    other => panic!("unknown type {other}"),
                };
                let kinds = wanted.as_array().cloned().unwrap_or_else(|| vec![wanted.clone()]);
                assert!(kinds.iter().any(|kind| is(kind.as_str().unwrap())), "{at}: {value} is no {wanted}");
            }
            "enum" => assert!(wanted.as_array().unwrap().contains(value), "{at}: {value}"),
            "required" => {
                for name in wanted.as_array().unwrap() {
                    assert!(value.get(name.as_str().unwrap()).is_some(), "{at} has no {name}");
                }
            }
            "properties" => {
                for (name, inner) in value.as_object().unwrap() {
                    match wanted.get(name) {
                        Some(schema) => check(root, schema, inner, &format!("{at}.{name}")),
                        None => assert!(
                            schema["additionalProperties"] != json!(false),
                            "{at}.{name} is not described"
                        ),
                    }
                }
            }
            "items" => {
                for (place, item) in value.as_array().unwrap().iter().enumerate() {
                    check(root, wanted, item, &format!("{at}[{place}]"));
                }
            }
            "$schema" | "title" | "description" | "$defs" | "additionalProperties" => {}
            other => panic!("{at}: the test does not know `{other}`"),
        }
    }
}
