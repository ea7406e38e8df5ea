//! A storm of hostile files over the real server: whatever comes, it lives, its memory stays flat, and it goes on answering.
//!
//! A hundred files, or as many as `NEVERAFK_STORM` says (`NEVERAFK_STORM=1000 cargo test --release --locked --test it storm`):
//! fixtures of every format that are cut, changed, doubled and given wrong names, with bombs among them. The same seed
//! makes the same files; what failed names its number. What single bombs must say stands in `sandbox.rs` and `hostile.rs`.

#![cfg(target_os = "linux")]

use std::io::{Cursor, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use zip::write::SimpleFileOptions;

use crate::support::{Desk, Server, pdf};

const USUAL: usize = 100;
/// Kilobytes by which the server may grow after the first fifth of the storm, when everything was used once: what came in
/// is kept in memory to be found.
const ROOM_KB: u64 = 96 << 10;
const GOOD: &str = "# Refunds\n\nYou get your money back within 23 days of the purchase.";

/// Files as people have them, one or more of each format.
fn good_files() -> Vec<(String, Vec<u8>)> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut files: Vec<(String, Vec<u8>)> = ["office", "media"]
        .iter()
        .flat_map(|folder| std::fs::read_dir(fixtures.join(folder)).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(&path).unwrap()))
        .collect();
    files.sort();
    let written: [(&str, &str); 12] = [
        ("notes.md", "# Wax\n\n- warm it\n- pour it\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```\ncode\n```\n"),
        ("page.html", "<!doctype html><title>Wax</title><h1>Wax</h1><table><tr><td>warm<td>cold</table>"),
        ("guide.adoc", "= Wax\n\n== Warm\n\nWarm the wax.\n\n|===\n|a |b\n|===\n"),
        ("guide.rst", "Wax\n===\n\n.. note:: Warm it.\n\n* one\n* two\n"),
        ("letter.rtf", "{\\rtf1\\ansi{\\fonttbl\\f0 Arial;}\\f0 Warm the \\b wax\\b0 .\\par}"),
        ("table.csv", "name,warmth\nwax,62\nglue,\"20, or more\"\n"),
        ("data.json", "{\"lesson\": {\"title\": \"Wax\", \"words\": [\"warm\", 1, null]}}"),
        ("lines.jsonl", "{\"text\": \"Warm the wax.\"}\n{\"text\": \"Cool the glue.\"}\n"),
        (
            "talk.srt",
            "1\n00:00:01,000 --> 00:00:03,000\nWarm the wax.\n\n2\n00:00:04,000 --> 00:00:05,000\nNow.\n",
        ),
        ("talk.vtt", "WEBVTT\n\n00:01.000 --> 00:03.000\n<v Anna>Warm the wax.\n"),
        (
            "talk.ttml",
            "<tt xmlns='http://www.w3.org/ns/ttml'><body><div><p begin='1s' end='2s'>Wax.</p></div></body></tt>",
        ),
        (
            "mail.eml",
            "From: a@example.org\nSubject: Wax\nMIME-Version: 1.0\nContent-Type: text/plain\n\nWarm it.\n",
        ),
    ];
    files.extend(written.map(|(name, words)| (name.to_owned(), words.as_bytes().to_vec())));
    files.push(("book.pdf".to_owned(), pdf(&["Warm the wax.", "Cool the glue."])));
    files
}

fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// Small files that want to become large or deep.
fn bombs() -> Vec<(String, Vec<u8>)> {
    let zeros = vec![0; 32 << 20];
    let mut nested = zipped(&[("a.txt", &zeros)]);
    for _ in 0..20 {
        nested = zipped(&[("inner.zip", &nested)]);
    }
    let mut laughs = String::from("<?xml version='1.0'?><!DOCTYPE d [<!ENTITY a0 \"ha\">");
    for n in 1..20 {
        laughs.push_str(&format!("<!ENTITY a{n} \"{}\">", format!("&a{};", n - 1).repeat(10)));
    }
    laughs.push_str("]><tt xmlns='http://www.w3.org/ns/ttml'><body><p begin='1s'>&a19;</p></body></tt>");
    [
        ("zeros.zip", zipped(&[("a.txt", &zeros)])),
        ("nested.zip", nested),
        ("climbing.zip", zipped(&[("../../../tmp/neverafk-storm.md", b"# Out\n\nWords.")])),
        ("laughs.ttml", laughs.into_bytes()),
        ("deep.json", "[".repeat(200_000).into_bytes()),
        ("deep.html", "<div>".repeat(100_000).into_bytes()),
        ("deep.md", "> ".repeat(50_000).into_bytes()),
        ("deep.rtf", format!("{{\\rtf1{}", "{".repeat(200_000)).into_bytes()),
        ("wide.csv", ",".repeat(1 << 20).into_bytes()),
        ("empty.pdf", Vec::new()),
    ]
    .map(|(name, bytes)| (name.to_owned(), bytes))
    .to_vec()
}

/// The file with this number.
fn hostile(number: usize, good: &[(String, Vec<u8>)], bombs: &[(String, Vec<u8>)]) -> (String, Vec<u8>) {
    if number % 10 == 9 {
        return bombs[number / 10 % bombs.len()].clone();
    }
    let mut random = StdRng::seed_from_u64(number as u64);
    let (name, mut bytes) = good[number % good.len()].clone();
    for _ in 0..random.random_range(1..6) {
        if bytes.is_empty() {
            break;
        }
        let at = random.random_range(0..bytes.len());
        let end = (at + random.random_range(1..2_000)).min(bytes.len());
        match random.random_range(0..6) {
            0 => bytes.truncate(at),
            1 => bytes[at..end].fill(0),
            2 => bytes[at..end].iter_mut().for_each(|byte| *byte = random.random()),
            3 => drop(bytes.drain(at..end)),
            4 => {
                let copy = bytes[at..end].to_vec();
                bytes.splice(at..at, copy);
            }
            _ => bytes[at] ^= 1 << random.random_range(0..8),
        }
    }
    // Every third has the ending of another format.
    let ending = if number % 3 == 0 { &good[random.random_range(0..good.len())].0 } else { &name };
    (format!("{number}-{ending}"), bytes)
}

fn memory_kb(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn a_storm_of_hostile_files_leaves_the_server_as_it_was() {
    let count = std::env::var("NEVERAFK_STORM").map_or(USUAL, |count| count.parse().unwrap());
    let desk = Desk::new();
    desk.creator();
    let key = desk.json(&["key", "create", "--creator", "course"])["key"].as_str().unwrap().to_owned();
    let server = Server::start(desk.command(&["serve", "--listen", "127.0.0.1:0"]));
    assert_eq!(server.upload("refunds.md", GOOD.as_bytes(), &key, "").0, 200);
    let (good, bombs) = (good_files(), bombs());
    let (mut before, mut most, mut came_in) = (0, 0, 0);
    for number in 0..count {
        let (name, bytes) = hostile(number, &good, &bombs);
        let began = Instant::now();
        let (status, body) = server.upload(&name, &bytes, &key, "");
        // What no model is there to hear is refused as well; nothing is ever the program's own fault.
        assert!(!matches!(status, 429 | 500), "{name}: {status} {body}");
        if status == 200 {
            came_in += 1;
        } else {
            let said = &body["error"];
            let message = said["message"].as_str().unwrap_or_else(|| panic!("{name}: {status} {body}"));
            assert!(!message.contains("panicked"), "{name}: {message}");
            assert!(said["hint"].as_str().is_some_and(|hint| !hint.is_empty()), "{name}: {body}");
        }
        assert!(began.elapsed() < Duration::from_secs(150), "{name}: {:?}", began.elapsed());
        let now = memory_kb(server.process());
        if number == count / 5 {
            before = now;
        }
        most = most.max(now);
    }
    let after = memory_kb(server.process());
    eprintln!(
        "{count} files, {came_in} of them read; {before} kB after a fifth, {after} kB at the end, {most} kB at most"
    );
    assert!(after < before + ROOM_KB, "{before} kB after a fifth of the files, {after} kB at the end");
    assert!(!Path::new("/tmp/neverafk-storm.md").exists());
    let (status, answer) = server.chat("course", "Within how many days do I get my money back?");
    assert!(
        status == 200 && answer["response"].as_str().is_some_and(|words| words.contains("23 days")),
        "{answer}"
    );
}
