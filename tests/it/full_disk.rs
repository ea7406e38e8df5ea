//! A disk that is full under a running server: uploads are refused with a sentence, questions are answered, nothing is
//! lost.
//!
//! The disk is a small file system in memory, which a name space of our own may mount where the system allows that;
//! elsewhere these tests say that they were skipped.

#![cfg(target_os = "linux")]

use std::process::Command;

use crate::support::{Desk, Server};

const REFUNDS: &str = "You can ask for a full refund within 23 days of buying the course.";

/// A server whose data directory is a disk of this size, with a creator `course`; and a key.
fn serve_on(desk: &Desk, size: &str) -> Option<(Server, String)> {
    std::fs::create_dir_all(desk.data()).unwrap();
    let may = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "tmpfs"])
        .arg(desk.data())
        .output();
    if !may.is_ok_and(|tried| tried.status.success()) {
        eprintln!("skipped: this system lets nobody mount a file system in memory");
        return None;
    }
    let program = desk.command(&[]);
    let script = format!(
        r#"mount -t tmpfs -o size={size} tmpfs "$NEVERAFK_DATA_DIR" &&
        "$0" creator add course >&2 && "$0" key create --creator course > "$1" &&
        exec "$0" serve --listen 127.0.0.1:0"#
    );
    let key = desk.directory.path().join("key");
    let mut command = desk.command(&[]);
    let mut inside = Command::new("unshare");
    inside.args(["--user", "--map-root-user", "--mount", "sh", "-c", &script]);
    inside.arg(program.get_program()).arg(&key).env_clear();
    for (name, value) in command.stdin(std::process::Stdio::null()).get_envs() {
        inside.envs(value.map(|value| (name, value)));
    }
    let server = Server::start_after(inside, "keep it safe");
    Some((server, std::fs::read_to_string(key).unwrap().trim().to_owned()))
}

#[test]
fn a_full_disk_refuses_uploads_and_goes_on_answering() {
    let desk = Desk::new();
    let Some((server, key)) = serve_on(&desk, "6m") else { return };
    let (status, kept) = server.upload("refunds.txt", REFUNDS.as_bytes(), &key, "");
    assert_eq!(status, 200, "{kept}");

    // Bytes that do not compress, until nothing fits any more: whole uploads, then smaller and smaller ones.
    let mut kept = 1;
    let mut refusals = 0;
    for (number, size) in
        [900_000, 900_000, 900_000, 900_000, 900_000, 300_000, 300_000, 90_000, 90_000, 20_000]
            .into_iter()
            .cycle()
            .take(40)
            .enumerate()
    {
        let words: String = (0..size / 10).map(|word| format!("w{:08x} ", word * 7919 + number)).collect();
        let query = if number % 2 == 0 { "" } else { "?wait=false" };
        let (status, said) = server.upload(&format!("{number}.txt"), words.as_bytes(), &key, query);
        match status {
            200 => kept += 1,
            202 => {}
            503 | 507 => {
                refusals += 1;
                assert!(!said["error"]["hint"].as_str().unwrap().is_empty(), "{said}");
                assert!(said["detail"].as_str().unwrap().contains("disk"), "{said}");
            }
            _ => panic!("{status} {said}"),
        }
        if refusals > 12 {
            break;
        }
    }
    assert!(refusals > 0, "the disk was never full");
    for _ in 0..3 {
        let (status, answer) = server.chat("course", "How many days for a refund?");
        assert!(
            status == 200 && answer["response"].as_str().unwrap().contains("23 days"),
            "{status} {answer}"
        );
    }
    let documents = ureq::http::Request::get(format!("{}/api/v1/documents", server.address))
        .header("authorization", format!("Bearer {key}"))
        .body(Vec::new())
        .unwrap();
    let (status, documents) = server.request(documents);
    assert!(status == 200 && documents["documents"].as_array().unwrap().len() >= kept, "{documents}");
}
