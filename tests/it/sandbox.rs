//! Foreign bytes in processes of their own: hostile files end in sentences, the program goes on, and nothing outlives it.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use neverafk::app::App;
use neverafk::config::{Config, Flags};
use neverafk::ingest::extract::{ExtractError, Limits};
use neverafk::ingest::items::{self, Content, Ended, Found};
use neverafk::ingest::sandbox::{Allowance, Program, Reader, Reading, Sandbox, apart};
use neverafk::ingest::source::SourceOptions;
use neverafk::ingest::{IngestError, Item, Payload};
use neverafk::problem::Problem;
use neverafk::store::Store;
use rand::{Rng, SeedableRng};

use crate::support::{Desk, Server, TestApp, pdf, sandbox, zipped};

const GOOD: &str = "# Refunds\n\nYou can ask for a full refund within 23 days of buying the course.";

fn word(document: &[u8]) -> Vec<u8> {
    let rels = "<Relationships><Relationship Id='r1' Type='x/officeDocument' Target='word/document.xml'/></Relationships>";
    zipped(&[
        ("[Content_Types].xml", b"<Types/>"),
        ("_rels/.rels", rels.as_bytes()),
        ("word/document.xml", document),
    ])
}

/// A PDF of these objects, the first of which is the catalogue.
fn pdf_of(objects: &[Vec<u8>]) -> Vec<u8> {
    let (mut file, mut places) = (b"%PDF-1.5\n".to_vec(), Vec::new());
    for (number, object) in objects.iter().enumerate() {
        places.push(file.len());
        file.extend(format!("{} 0 obj\n", number + 1).into_bytes());
        file.extend_from_slice(object);
        file.extend_from_slice(b"\nendobj\n");
    }
    let table = file.len();
    file.extend(format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).into_bytes());
    for place in places {
        file.extend(format!("{place:010} 00000 n \n").into_bytes());
    }
    let size = objects.len() + 1;
    file.extend(format!("trailer\n<</Size {size}/Root 1 0 R>>\nstartxref\n{table}\n%%EOF\n").into_bytes());
    file
}

fn stream(dictionary: &str, bytes: &[u8]) -> Vec<u8> {
    let mut object = format!("<<{dictionary}/Length {}>>\nstream\n", bytes.len()).into_bytes();
    object.extend_from_slice(bytes);
    object.extend_from_slice(b"\nendstream");
    object
}

fn page(contents: Vec<u8>, more: Vec<Vec<u8>>, resources: &str) -> Vec<u8> {
    let page =
        format!("<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<<{resources}>>>>");
    let mut objects = vec![
        b"<</Type/Catalog/Pages 2 0 R>>".to_vec(),
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>".to_vec(),
        page.into_bytes(),
        contents,
    ];
    objects.extend(more);
    pdf_of(&objects)
}

fn packed_zeros(bytes: usize) -> Vec<u8> {
    let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    let zeros = vec![b' '; 1 << 20];
    for _ in 0..bytes >> 20 {
        packer.write_all(&zeros).unwrap();
    }
    packer.finish().unwrap()
}

/// Files that were made to do harm, each with what its sentence says; `None` where it may be read as well.
fn hostile() -> Vec<(&'static str, Vec<u8>, Option<&'static str>)> {
    let zeros = vec![b' '; 300 << 20];
    let flat = zipped(&[("a.txt", &zeros)]);
    drop(zeros);
    let mut nested = zipped(&[("a.txt", &b"words"[..])]);
    for _ in 0..40 {
        nested = zipped(&[("inner.zip", &nested)]);
    }
    let mut laughs = String::from("<!DOCTYPE d [<!ENTITY a0 \"ha\">");
    for n in 1..30 {
        laughs.push_str(&format!("<!ENTITY a{n} \"{}\">", format!("&a{};", n - 1).repeat(10)));
    }
    laughs.push_str("]><w:document><w:body><w:p><w:r><w:t>&a29;</w:t></w:r></w:p></w:body></w:document>");
    let pages: Vec<String> = (0..10_000).map(|n| format!("page {n}")).collect();
    let pages: Vec<&str> = pages.iter().map(String::as_str).collect();
    let drawing = stream("", b"q 9 0 0 9 0 0 cm /I Do Q BT (x) Tj ET");
    let image = stream(
        "/Type/XObject/Subtype/Image/Width 2147483647/Height 2147483647/BitsPerComponent 16/ColorSpace/DeviceRGB",
        b"x",
    );
    let tree_loop = pdf_of(&[
        b"<</Type/Catalog/Pages 2 0 R>>".to_vec(),
        b"<</Type/Pages/Kids[3 0 R 2 0 R]/Count 2>>".to_vec(),
        b"<</Type/Pages/Parent 2 0 R/Kids[2 0 R]/Count 1>>".to_vec(),
    ]);
    let form_loop = page(
        stream("", b"/F Do"),
        vec![stream(
            "/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</F 5 0 R>>>>",
            b"/F Do /F Do",
        )],
        "/XObject<</F 5 0 R>>",
    );
    let deep_arrays = page(stream("", &b"[".repeat(100_000)), Vec::new(), "");
    let deep_object = pdf_of(&[[&b"<</Type/Catalog/Pages 2 0 R/X"[..], &b"[".repeat(100_000)].concat()]);
    let bomb = page(stream("/Filter/FlateDecode", &packed_zeros(300 << 20)), Vec::new(), "");
    vec![
        ("flat.zip", flat, Some("unpacks to more than")),
        ("nested.zip", nested, Some("")),
        ("bomb.pdf", bomb, Some("unpacks to more than")),
        ("laughs.docx", word(laughs.as_bytes()), None),
        ("deep.docx", word(&b"<w:tbl><w:tr><w:tc>".repeat(100_000)), Some("within each other")),
        ("deep.html", b"<div>".repeat(100_000), Some("")),
        ("deep-words.html", [b"<b><i>".repeat(100_000), b"words".to_vec()].concat(), None),
        ("deep.json", [b"[".repeat(100_000), b"]".repeat(100_000)].concat(), None),
        ("deep.md", [b"> ".repeat(100_000), b"words".to_vec()].concat(), None),
        ("deep.rtf", [b"{\\rtf1 ".to_vec(), b"{".repeat(100_000), b"words".to_vec()].concat(), None),
        ("deep-arrays.pdf", deep_arrays, Some("")),
        ("deep-object.pdf", deep_object, Some("")),
        ("long.pdf", pdf(&pages), Some("more than 5000 pages")),
        ("tree-loop.pdf", tree_loop, Some("")),
        ("form-loop.pdf", form_loop, Some("")),
        ("picture.pdf", page(drawing, vec![image], "/XObject<</I 5 0 R>>"), None),
        ("broken.pdf", b"%PDF-1.7\n\xff\xfe\0 9999999999 0 obj << /Length -1 >> stream".to_vec(), Some("")),
        ("broken.zip", [&b"PK\x03\x04"[..], &[0xff; 4000]].concat(), Some("")),
        ("broken.tar.gz", [&b"\x1f\x8b\x08"[..], &[0x41; 4000]].concat(), Some("")),
        ("broken.xls", [&b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"[..], &[0x7f; 4000]].concat(), Some("")),
        ("picture.txt", [&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..], &[0xff; 64]].concat(), Some("picture")),
        ("text.pdf", format!("{GOOD} In a PDF?").into(), Some("not a PDF")),
        ("archive.pdf", zipped(&[("a.md", b"# Wax\n\nWarm it.")]), None),
        ("../../../../tmp/neverafk-climbed.md", format!("{GOOD} Up.").into(), None),
        ("climbing.zip", zipped(&[("../../../tmp/neverafk-climbed.md", b"# Oil\n\nStir it.")]), None),
        ("nothing.md", Vec::new(), Some("empty")),
    ]
}

/// A line of `/proc/PID/status`, in kB.
fn memory(process: u32, line: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let found = status.lines().find_map(|found| found.strip_prefix(line));
    found.and_then(|rest| rest.trim_matches([':', ' ', '\t']).split(' ').next()?.parse().ok()).unwrap_or(0)
}

/// Processes that this one started and that read documents.
fn readers_of(parent: u32) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    numbers
        .filter(|number| {
            let words = std::fs::read(format!("/proc/{number}/cmdline")).unwrap_or_default();
            let reads = words.windows(14).any(|window| window == b"extract-worker");
            reads && memory(*number, "PPid") == u64::from(parent)
        })
        .collect()
}

fn soon(what: &str, mut happened: impl FnMut() -> bool) {
    for _ in 0..400 {
        if happened() {
            return;
        }
        std::thread::sleep(Duration::from_millis(25));
    }
    panic!("{what} did not happen");
}

/// Says when dropped that the work is done.
struct Ending<'a>(&'a AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn hostile_files_are_sentences_and_the_server_lives() {
    let desk = Desk::new();
    desk.creator();
    let key = desk.json(&["key", "create", "--creator", "course"])["key"].as_str().unwrap().to_owned();
    let server = Server::start(desk.command(&["serve", "--listen", "127.0.0.1:0"]));
    assert_eq!(server.upload("first.md", GOOD.as_bytes(), &key, "").0, 200);
    let before = memory(server.process(), "VmRSS");
    let hostile = hostile();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // Others go on meanwhile.
        let (server, key, done) = (&server, &key, &done);
        let others = scope.spawn(move || {
            let mut longest = Duration::ZERO;
            for number in 0.. {
                if done.load(Ordering::Relaxed) {
                    break;
                }
                let began = Instant::now();
                let words = format!("{GOOD}\n\nLesson {number}.");
                let (status, body) = server.upload(&format!("good-{number}.md"), words.as_bytes(), key, "");
                assert_eq!(status, 200, "{body}");
                longest = longest.max(began.elapsed());
                std::thread::sleep(Duration::from_millis(100));
            }
            longest
        });
        // Set also when an assertion ends this thread, else the other would go on for ever.
        let ending = Ending(done);
        for (name, bytes, expected) in &hostile {
            let began = Instant::now();
            let (status, body) = server.upload(name, bytes, key, "");
            let took = began.elapsed();
            eprintln!(
                "{name}: {status} after {} ms, {} kB",
                took.as_millis(),
                memory(server.process(), "VmRSS")
            );
            assert!(took < Duration::from_secs(120), "{name}: {took:?}");
            assert!(status == 200 || (400..500).contains(&status), "{name}: {status} {body}");
            if let Some(expected) = expected {
                let (message, hint) = (&body["error"]["message"], &body["error"]["hint"]);
                let message = message.as_str().unwrap_or_else(|| panic!("{name} came in: {body}"));
                assert!(
                    message.contains(expected) && hint.as_str().is_some_and(|hint| hint.len() > 10),
                    "{name}: {body}"
                );
                assert!(
                    !message.contains("panicked") && !message.contains("process can be started"),
                    "{name}: {message}"
                );
            }
        }
        drop(ending);
        let longest = others.join().unwrap();
        assert!(longest < Duration::from_secs(30), "{longest:?}");
    });
    let (after, peak) = (memory(server.process(), "VmRSS"), memory(server.process(), "VmHWM"));
    eprintln!("memory of the server: {before} kB before, {after} kB after, {peak} kB at most");
    assert!(peak < before + (200 << 10), "{before} kB before, {peak} kB at most");
    assert!(!Path::new("/tmp/neverafk-climbed.md").exists());
    let (status, answer) = server.chat("course", "How many days for a refund?");
    assert!(status == 200 && answer["response"].as_str().unwrap().contains("23 days"), "{answer}");
    soon("the end of every reader", || readers_of(server.process()).is_empty());
}

#[test]
#[cfg(target_os = "linux")]
fn no_reader_outlives_a_program_that_is_killed() {
    let desk = Desk::new();
    desk.creator();
    let mut command = desk.command(&["ingest", "-", "--creator", "course"]);
    let mut program = command.stdin(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut stdin = program.stdin.take().unwrap();
    // Enough to show what it is, and then silence.
    let line = "{\"_id\":\"a\",\"title\":\"Wax\",\"text\":\"Warm the wax first.\"}\n";
    stdin.write_all(line.repeat(2_000).as_bytes()).unwrap();
    let mut readers = Vec::new();
    soon("a reader", || {
        readers = readers_of(program.id());
        !readers.is_empty()
    });
    program.kill().unwrap();
    program.wait().unwrap();
    soon("the end of the readers", || readers.iter().all(|reader| memory(*reader, "VmSize") == 0));
}

/// The built program behind a script that counts its starts.
struct Counted {
    folder: tempfile::TempDir,
    sandbox: Sandbox,
}

impl Counted {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (path, log) = (folder.path().join("reader"), folder.path().join("starts"));
        let program = env!("CARGO_BIN_EXE_neverafk");
        let script = format!("#!/bin/sh\necho start >> '{}'\nexec '{program}' \"$@\"\n", log.display());
        std::fs::write(&path, script).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        let sandbox = Sandbox::Apart(Program { path, allowance: Allowance::default() });
        Self { folder, sandbox }
    }

    fn starts(&self) -> usize {
        let log: PathBuf = self.folder.path().join("starts");
        std::fs::read_to_string(log).unwrap_or_default().lines().count()
    }
}

#[test]
fn many_small_documents_share_a_process_and_packed_ones_do_not() {
    let (counted, limits) = (Counted::new(), Limits::default());
    let reading = Reading { sandbox: &counted.sandbox, limits: &limits, stop: &|| false };
    let began = Instant::now();
    let mut reader = Reader::new(reading);
    for n in 0..400 {
        let words = format!("# Lesson {n}\n\nWarm the wax first.");
        let (_, text) = reader.read(&format!("{n}.md"), &Payload::File(words.into()), None).unwrap();
        assert!(text.text.contains("Warm the wax") && text.blocks.len() == 2);
    }
    eprintln!("400 small documents in {} ms", began.elapsed().as_millis());
    assert_eq!(counted.starts(), 1);
    for _ in 0..3 {
        reader.read("a.pdf", &Payload::File(pdf(&["Warm the wax first."]).into()), None).unwrap();
    }
    assert_eq!(counted.starts(), 4);

    let (records, folder) = (Counted::new(), tempfile::tempdir().unwrap());
    let path = folder.path().join("corpus.jsonl");
    let lines: String = (0..10_000)
        .map(|n| format!("{{\"_id\":\"{n}\",\"title\":\"T\",\"text\":\"Words {n}.\"}}\n"))
        .collect();
    std::fs::write(&path, lines).unwrap();
    let began = Instant::now();
    let (reading, mut found) = (Reading { sandbox: &records.sandbox, ..reading }, Vec::new());
    items::read(&[path.to_str().unwrap().to_owned()], &SourceOptions::default(), reading, |one| {
        match one {
            Found::Item(item) => found.push(item),
            Found::Failed(error) => panic!("{error}"),
            Found::End { ended, .. } => assert_eq!(ended, Ended::Whole),
            other @ (Found::Same { .. } | Found::Page { .. }) => panic!("{other:?}"),
        }
        true
    });
    eprintln!("10,000 records in {} ms", began.elapsed().as_millis());
    assert_eq!((found.len(), records.starts()), (10_000, 1));
    assert_eq!((found[7].source.as_str(), found[7].title.as_deref()), ("corpus:7", Some("T")));
}

#[test]
fn a_file_taken_apart_gives_what_it_gives_within() {
    let limits = Limits::default();
    let (apart_here, within) = (sandbox(), Sandbox::Within);
    let message = "From: Ann <ann@example.org>\r\nTo: b@example.org\r\nSubject: Wax\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/mixed; boundary=\"b\"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nWarm it.\r\n\
        --b\r\nContent-Type: text/markdown; name=\"a.md\"\r\nContent-Disposition: attachment; filename=\"a.md\"\r\n\r\n# Wax\r\n--b--\r\n";
    let corpus = b"{\"_id\":\"r1\",\"title\":\"\",\"text\":\"Words.\"}\nnot a record\n";
    let files: Vec<(&str, Vec<u8>)> = vec![
        (
            "course.zip",
            zipped(&[("Week 1/a.md", GOOD.as_bytes()), ("b.png", b"\x89PNG\r\n\x1a\n"), ("c.jsonl", corpus)]),
        ),
        (
            "a.docx",
            word(b"<w:document><w:body><w:p><w:r><w:t>Warm it.</w:t></w:r></w:p></w:body></w:document>"),
        ),
        ("message.eml", message.into()),
        ("damaged.zip", [&b"PK\x03\x04"[..], &[0; 100]].concat()),
        ("corpus.jsonl", corpus.to_vec()),
    ];
    for (name, bytes) in files {
        for from_disk in [false, true] {
            let all = |sandbox: &Sandbox| {
                let mut said = Vec::new();
                let reading = Reading { sandbox, limits: &limits, stop: &|| false };
                let payload = if from_disk { Vec::new() } else { bytes.clone() };
                let item = Item {
                    path: vec!["Folder".into()],
                    password: Some("p".into()),
                    ..Item::upload(name, payload)
                };
                let content = if from_disk {
                    let mut file = tempfile::tempfile().unwrap();
                    file.write_all(&bytes).unwrap();
                    std::io::Seek::rewind(&mut file).unwrap();
                    Content::File(file)
                } else {
                    Content::Bytes(bytes.clone().into())
                };
                apart(reading, item, content, &mut |one| {
                    said.push(match one {
                        Ok(item) => format!("{item:?}"),
                        Err(error) => format!("{error}; {}", error.hint()),
                    });
                    true
                });
                said
            };
            let (one, other) = (all(&apart_here), all(&within));
            assert!(!one.is_empty());
            assert_eq!(one, other, "{name}");
        }
    }
}

#[test]
fn one_that_needs_too_much_is_told_and_the_others_are_read() {
    let limits = Limits::default();
    let program =
        |allowance| Sandbox::Apart(Program { path: env!("CARGO_BIN_EXE_neverafk").into(), allowance });
    let narrow = program(Allowance { memory: 24 << 20, cpu_seconds: 60 });
    let mut reader = Reader::new(Reading { sandbox: &narrow, limits: &limits, stop: &|| false });
    let mut read = |name: &str, bytes: Vec<u8>| reader.read(name, &Payload::File(bytes.into()), None);
    for round in 0..2 {
        assert!(read("good.md", GOOD.into()).is_ok(), "{round}");
        let error = read("hungry.html", b"<a>x</a>".repeat(120_000)).unwrap_err();
        assert!(matches!(error, ExtractError::TooHungry { .. }), "{error:?}");
        let problem = Problem::from(IngestError::Extract { name: "hungry.html".into(), error });
        assert_eq!(problem.code, "reader_out_of_memory");
        assert!(problem.message.contains("MB of memory") && !problem.hint.is_empty(), "{problem:?}");
    }
    assert!(read("good.md", GOOD.into()).is_ok());

    let lines: String = (0..40).map(|n| format!("line {n} of words ")).collect();
    let slow = pdf(&vec![lines.as_str(); 4_900]);
    let hasty = program(Allowance { memory: 512 << 20, cpu_seconds: 0 });
    // The size of the file gives it some seconds; the test wants it shorter than any machine reads.
    let seconds = slow.len() as u64 >> 20;
    let began = Instant::now();
    let reading = Reading { sandbox: &hasty, limits: &limits, stop: &|| false };
    let result = Reader::new(reading).read("slow.pdf", &Payload::File(slow.clone().into()), None);
    match result {
        Err(error) => assert!(matches!(error, ExtractError::TooSlow { .. }), "{error:?}"),
        Ok(_) => eprintln!("a quick machine: 4,900 pages took less than {seconds} s"),
    }
    // What is no longer wanted is not read to its end.
    let began_again = Instant::now();
    let stop = || began_again.elapsed() > Duration::from_millis(100);
    let patient = program(Allowance::default());
    let reading = Reading { sandbox: &patient, limits: &limits, stop: &stop };
    let stopped = Reader::new(reading).read("slow.pdf", &Payload::File(slow.into()), None);
    assert!(matches!(stopped, Err(ExtractError::Stopped)), "{stopped:?}");
    assert!(began.elapsed() < Duration::from_secs(120));
}

#[test]
fn the_doctor_says_how_documents_are_read() {
    let desk = Desk::new();
    let said = desk.run(&["doctor", "--json"]);
    let checks: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let found = checks["checks"].as_array().unwrap().iter().find(|check| check["name"] == "reading").unwrap();
    assert!(found["found"].as_str().unwrap().contains("documents are read in processes"), "{found}");
    assert_ne!(found["state"], "bad");
    let scans = checks["checks"].as_array().unwrap().iter().find(|check| check["name"] == "text recognition");
    let said = scans.unwrap()["found"].as_str().unwrap();
    assert!(said.contains("tesseract") && (said.contains("off") || said.contains("reads scans")), "{said}");
    // By hand it only says what it is for.
    let said = desk.run(&["extract-worker"]);
    assert!(said.code == 2 && said.err.contains("not by hand"), "{} {}", said.code, said.err);
}

/// Files of every format that is read, as they come from the programs that make them or as people write them.
fn samples() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/office");
    let mut all: Vec<(String, Vec<u8>)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), std::fs::read(entry.path()).unwrap()))
        .collect();
    let texts = [
        ("a.md", format!("{GOOD}\n\n- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```\ncode\n```\n")),
        ("a.html", "<!doctype html><title>t</title><main><h1>Wax</h1><p>Warm <b>it</b>.<table><tr><td>1<td>2</table></main>".into()),
        ("a.vtt", "WEBVTT\n\n00:01.000 --> 00:02.000\nWarm it.\n\n00:03.000 --> 00:04.000\nStir.\n".into()),
        ("a.json", "{\"lessons\":[{\"title\":\"Wax\",\"minutes\":7}],\"open\":true}".into()),
        ("a.adoc", "= Wax\n\n== Warm\n\n* one\n* two\n\n----\ncode\n----\n".into()),
        ("a.rst", "Wax\n===\n\nWarm it.\n\n.. note:: Stir.\n\n- one\n".into()),
        ("a.jsonl", "{\"_id\":\"a\",\"title\":\"t\",\"text\":\"x\"}\n".repeat(5)),
        ("a.csv", "id,title,text\n1,Wax,Warm it.\n2,\"Oil, raw\",Stir.\n".into()),
        ("a.mbox", "From a@b Mon Jan  1 00:00:00 2024\nFrom: a@b\nTo: c@d\nSubject: Wax\n\nWarm it.\n".into()),
    ];
    all.extend(texts.map(|(name, words)| (name.to_owned(), words.into_bytes())));
    all.push(("a.pdf".into(), pdf(&["Warm the wax first.", "Then stir."])));
    all.push((
        "bomb.pdf".into(),
        page(stream("/Filter/FlateDecode", &packed_zeros(8 << 20)), Vec::new(), ""),
    ));
    all.sort();
    all
}

/// One change of a kind that files suffer or that an attacker makes.
fn change(bytes: &mut Vec<u8>, random: &mut rand::rngs::StdRng) {
    if bytes.is_empty() {
        return;
    }
    let at = random.random_range(0..bytes.len());
    match random.random_range(0..7) {
        0 => bytes[at] = random.random(),
        1 => bytes.truncate(at),
        2 => drop(bytes.drain(at..(at + random.random_range(1..200)).min(bytes.len()))),
        3 => {
            let copy = bytes[at..(at + 400).min(bytes.len())].to_vec();
            bytes.splice(at..at, copy);
        }
        4 => {
            let end = (at + 8).min(bytes.len());
            bytes[at..end].fill(if random.random() { 0xff } else { 0 });
        }
        5 => {
            let deep = [&b"<div>"[..], b"[", b"{", b"> ", b"<<", b"("][random.random_range(0..6)];
            bytes.splice(at..at, deep.repeat(20_000));
        }
        // A number in the text becomes an immense one.
        _ => {
            if let Some(from) = bytes[at..].iter().position(u8::is_ascii_digit).map(|from| at + from) {
                bytes.splice(from..=from, b"99999999999".iter().copied());
            }
        }
    }
}

/// `NEVERAFK_HOSTILE_FILES=1000` for as many as are wanted; a run of all tests takes fewer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changed_files_harm_nobody() {
    let count =
        std::env::var("NEVERAFK_HOSTILE_FILES").ok().and_then(|count| count.parse().ok()).unwrap_or(60);
    let app = TestApp::new().await;
    let (samples, mut random) = (samples(), rand::rngs::StdRng::seed_from_u64(20_240_611));
    let (began, own) = (Instant::now(), std::process::id());
    let (mut read, mut refused, mut ended, mut longest) = (0, 0, 0, (Duration::ZERO, String::new()));
    let mut first_peak = 0;
    for number in 0..count {
        let (name, mut bytes) = samples[random.random_range(0..samples.len())].clone();
        for _ in 0..random.random_range(1..8) {
            change(&mut bytes, &mut random);
        }
        let name = match random.random_range(0..10) {
            0 => format!("{number}.{}", ["pdf", "docx", "txt", "html", "zip"][random.random_range(0..5)]),
            1 => format!("../{number}/{name}"),
            _ => format!("{number}-{name}"),
        };
        let one = Instant::now();
        match app.app.ingest().one(&TestApp::course(), Item::upload(&name, bytes)).await {
            Ok(_) => read += 1,
            Err(error @ IngestError::Extract { .. }) => {
                refused += 1;
                let problem = Problem::from(error);
                if problem.code.starts_with("reader_") {
                    ended += 1;
                    eprintln!("{}: {}", problem.code, problem.message);
                }
                assert_ne!(problem.code, "reader_unavailable", "{problem:?}");
                assert!(!problem.hint.is_empty() && problem.message.len() < 1_000, "{problem:?}");
            }
            Err(other) => panic!("{name}: {other:?}"),
        }
        if one.elapsed() > longest.0 {
            longest = (one.elapsed(), name);
        }
        if number == count / 10 {
            first_peak = memory(own, "VmRSS");
        }
    }
    eprintln!(
        "{count} changed files in {:.1} s: {read} read, {refused} refused, of which {ended} ended their process; \
         the longest took {:?}; memory {first_peak} kB after a tenth, {} kB at the end",
        began.elapsed().as_secs_f64(),
        longest,
        memory(own, "VmRSS"),
    );
    assert!(longest.0 < Duration::from_secs(90), "{longest:?}");
    soon("the end of every reader", || readers_of(own).is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_with_a_bad_document_brings_in_the_good_ones() {
    let directory = tempfile::tempdir().unwrap();
    let flags = Flags { data_dir: Some(directory.path().into()), ..Flags::default() };
    let allowance = Allowance { memory: 24 << 20, cpu_seconds: 60 };
    let sandbox = Sandbox::Apart(Program { path: env!("CARGO_BIN_EXE_neverafk").into(), allowance });
    let config = Config { sandbox, ..Config::resolve(&flags, &[]).unwrap() };
    let app = App::with_store(config, Store::in_memory().unwrap()).unwrap();
    app.add_creator(TestApp::course(), None).await.unwrap();
    let items = vec![
        Item::upload("a.md", GOOD),
        Item::upload("hungry.html", b"<a>x</a>".repeat(120_000)),
        Item::upload("b.md", format!("{GOOD} Again.")),
        Item::record("r".into(), "Wax".into(), "Warm the wax first.".into()),
    ];
    let results = app.ingest().batch(&TestApp::course(), items).await.unwrap();
    let came: Vec<bool> = results.iter().map(Result::is_ok).collect();
    assert_eq!(came, [true, false, true, true], "{results:?}");
}
