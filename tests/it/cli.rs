//! The command line: exit codes, pure JSON, settings, the demonstration.

use std::io::Write;
use std::process::Stdio;

use crate::support::{Desk, said};

#[test]
fn wrong_usage_exits_2_and_says_why_on_standard_error() {
    let desk = Desk::new();
    for arguments in [
        &["ask", "hello", "--creator", "course", "--no-such-flag"][..],
        &["ask", "hello"],
        &["frobnicate"],
        &["serve", "--listen", "not-an-address"],
        &["erase"],
    ] {
        let said = desk.run(arguments);
        assert_eq!(said.code, 2, "{arguments:?}: {}", said.err);
        assert!(said.out.is_empty() && !said.err.is_empty());
    }
}

#[test]
fn the_demonstration_answers_with_a_citation_offline() {
    let desk = Desk::new();
    let out = desk.ok(&["demo", "--offline", "--no-serve"]);
    assert!(out.contains("[1]") && desk.data().join("neverafk.redb").exists(), "{out}");
    // A second run finds everything there.
    assert!(desk.ok(&["demo", "--offline", "--no-serve"]).contains("[1]"));
    assert_eq!(desk.json(&["creator", "list"])["creators"].as_array().unwrap().len(), 1);
}

#[test]
fn json_is_one_document_and_nothing_else() {
    let desk = Desk::new();
    desk.creator().ingest(&desk.write("a.txt", "You can ask for a refund within 23 days."));
    for arguments in [
        &["search", "refund", "--creator", "course"][..],
        &["ask", "When can I ask for a refund?", "--creator", "course"],
        &["creator", "list"],
        &["creator", "show", "course"],
        &["key", "create", "--creator", "course"],
        &["key", "list", "--creator", "course"],
        &["models", "list"],
        &["config", "show"],
        &["doctor"],
    ] {
        desk.json(arguments);
    }
}

#[test]
fn a_question_can_come_from_standard_input() {
    let desk = Desk::new();
    desk.creator().ingest(&desk.write("a.txt", "You can ask for a full refund within 23 days of buying."));
    let mut command = desk.command(&["ask", "-", "--creator", "course"]);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"How many days for a refund?").unwrap();
    let said = said(child.wait_with_output().unwrap());
    assert!(
        said.out.contains("23") && said.out.contains("[1]") && !said.out.contains('\x1b'),
        "{}{}",
        said.out,
        said.err
    );
}

#[test]
fn a_key_works_until_it_is_revoked_and_is_never_stored() {
    let desk = Desk::new();
    desk.creator();
    let made = desk.json(&["key", "create", "--creator", "course"]);
    let key = made["key"].as_str().unwrap();
    assert!(key.len() > 40);
    let stored = std::fs::read(desk.data().join("neverafk.redb")).unwrap();
    assert!(!stored.windows(key.len()).any(|window| window == key.as_bytes()));
    assert!(!desk.ok(&["key", "list", "--json"]).contains(key));
    desk.ok(&["key", "revoke", made["id"].as_str().unwrap()]);
    desk.refused(&["key", "revoke", made["id"].as_str().unwrap()]);
}

#[test]
fn settings_are_shown_with_their_origin_and_secrets_masked() {
    let desk = Desk::new();
    let mut command = desk.command(&["config", "show", "--json"]);
    let said = said(command.env("NEVERAFK_HUB__TOKEN", "canary-7").output().unwrap());
    assert!(
        !said.out.contains("canary-7") && said.out.contains("variable NEVERAFK_HUB__TOKEN"),
        "{}",
        said.out
    );
    desk.ok(&["config", "init"]);
    desk.refused(&["config", "init"]);
    desk.ok(&["config", "show"]);
}

#[test]
fn a_backup_fills_an_empty_directory_and_half_of_one_does_not() {
    let desk = Desk::new();
    desk.creator().ingest(&desk.write("a.txt", "You can ask for a full refund within 23 days of buying."));
    let file = desk.directory.path().join("all.backup");
    desk.ok(&["backup", file.to_str().unwrap()]);
    let other = Desk::new();
    other.ok(&["restore", file.to_str().unwrap()]);
    let hits = |desk: &Desk| desk.json(&["search", "refund", "--creator", "course"])["hits"].clone();
    assert_eq!(hits(&desk), hits(&other));
    let whole = std::fs::read(&file).unwrap();
    let half = desk.write("half.backup", &whole[..whole.len() / 2]);
    Desk::new().refused(&["restore", half.to_str().unwrap()]);
}
