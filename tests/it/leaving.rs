//! Taking everything along, and being forgotten: `export` and `erase --student`.

use std::io::Read;

use serde_json::Value;

use crate::support::Desk;

fn archive(path: &std::path::Path) -> zip::ZipArchive<std::fs::File> {
    zip::ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap()
}

fn text(zip: &mut zip::ZipArchive<std::fs::File>, name: &str) -> String {
    let mut text = String::new();
    zip.by_name(name).unwrap().read_to_string(&mut text).unwrap();
    text
}

fn lines(zip: &mut zip::ZipArchive<std::fs::File>, name: &str) -> Vec<Value> {
    text(zip, name).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn an_export_holds_everything_of_one_creator_and_no_secret() {
    let desk = Desk::new();
    let refunds = "You can ask for a full refund within 23 days of buying the course.";
    desk.creator().ingest(&desk.write("refunds.txt", refunds));
    desk.ingest(
        &desk.write(
            "corpus.jsonl",
            "{\"_id\":\"a\",\"title\":\"A\",\"text\":\"Gesso dries in 17 minutes.\"}\n",
        ),
    );
    desk.ok(&["creator", "add", "other"]);
    let key = desk.json(&["key", "create", "--creator", "course"])["key"].as_str().unwrap().to_owned();
    let answer = desk.ask("How many days do I have for a refund?");
    assert!(desk.ask("Who painted the ceiling of the Sistine Chapel?")["should_escalate"].as_bool().unwrap());

    let file = desk.directory.path().join("all.zip");
    let said = desk.json(&["export", "--creator", "course", "--out", file.to_str().unwrap()]);
    assert_eq!(said["holds"]["documents"], 2, "{said}");
    let mut zip = archive(&file);
    let documents = lines(&mut zip, "documents.jsonl");
    let whole = documents.iter().find(|line| {
        line["title"] == "refunds.txt" || line["source"].as_str().unwrap().ends_with("refunds.txt")
    });
    let whole = whole.unwrap_or_else(|| panic!("{documents:?}"));
    assert!(whole["text"].as_str().unwrap().contains("23 days"));
    assert_eq!(text(&mut zip, whole["file"].as_str().unwrap()), refunds);
    assert!(
        documents
            .iter()
            .any(|line| line["external_id"] == "a" && line["text"].as_str().unwrap().contains("17"))
    );
    let turns = lines(&mut zip, "conversations.jsonl");
    assert_eq!(turns.len(), 2);
    assert_eq!(turns[0]["answer"]["message_id"], answer["message_id"]);
    assert_eq!(lines(&mut zip, "escalations.jsonl").len(), 1);
    let manifest: Value = serde_json::from_str(&text(&mut zip, "manifest.json")).unwrap();
    assert_eq!((manifest["format"].as_u64(), manifest["holds"]["turns"].as_u64()), (Some(1), Some(2)));
    let readme = text(&mut zip, "README.txt");
    for name in zip.file_names().map(|name| name.unwrap().into_owned()).collect::<Vec<_>>() {
        let known = name.split('/').next().unwrap();
        assert!(readme.contains(known), "README.txt does not name {known}");
        let mut bytes = Vec::new();
        zip.by_name(&name).unwrap().read_to_end(&mut bytes).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains(&key), "{name}");
    }

    // A second export replaces the first; one that fails leaves it.
    desk.ok(&["export", "--creator", "course", "--out", file.to_str().unwrap()]);
    desk.refused(&["export", "--creator", "nobody", "--out", file.to_str().unwrap()]);
    assert_eq!(lines(&mut archive(&file), "conversations.jsonl").len(), 2);
    let folder = std::fs::read_dir(desk.directory.path()).unwrap();
    assert!(
        folder
            .map(|entry| entry.unwrap().file_name())
            .all(|name| !name.to_string_lossy().starts_with(".export"))
    );
}

#[test]
fn a_student_is_erased_from_every_file_with_a_receipt() {
    let desk = Desk::new();
    desk.creator().ingest(&desk.write("refunds.txt", "Refunds are given within 23 days."));
    let canary = "quillwort zanzibar";
    let answer = desk.ask(&format!("Does the {canary} come with a refund?"));
    let kept = desk.ask("Within how many days are refunds given?");
    let conversation = answer["conversation_id"].as_str().unwrap();
    desk.refused(&["erase", "--student", "nobody@school.example"]);
    let said = desk.json(&["erase", "--student", conversation, "--creator", "course"]);
    assert_eq!((said["erased"].as_str(), said["receipts"][0]["turns"].as_u64()), (Some("student"), Some(1)));
    for entry in walkdir::WalkDir::new(desk.data()) {
        let entry = entry.unwrap();
        if entry.file_type().is_file() {
            let bytes = std::fs::read(entry.path()).unwrap();
            let found = bytes.windows(canary.len()).any(|part| part == canary.as_bytes());
            assert!(!found, "{}", entry.path().display());
        }
    }
    let shown = desk.json(&["creator", "show", "course"]);
    assert_eq!(shown["conversations"], 1, "{shown}");
    assert!(!kept["response"].as_str().unwrap().is_empty());
    assert_eq!(desk.run(&["erase", "--student", "x", "--document", "y"]).code, 2);
}
