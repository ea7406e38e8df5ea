//! Beside a running server: commands from another terminal, what a killed one left behind, the way to a key.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;
use std::time::Duration;

use crate::support::{Desk, Server, said};

const GOOD: &str = "You can ask for a full refund within 23 days of buying the course.";

fn serve(desk: &Desk) -> Server {
    Server::start(desk.command(&["serve", "--listen", "127.0.0.1:0"]))
}

/// Waits for what happens in the background.
fn soon(what: &str, mut happened: impl FnMut() -> bool) {
    for _ in 0..200 {
        if happened() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("{what} did not happen");
}

#[test]
fn commands_beside_a_server_do_what_they_always_do() {
    let desk = Desk::new();
    desk.creator().ingest(&desk.write("good.txt", GOOD));
    let search = &["search", "refund", "--creator", "course", "--json"][..];
    let alone = desk.json(&search[..4])["hits"].clone();
    let server = serve(&desk);

    assert_eq!(desk.json(&search[..4])["hits"], alone);
    // A relative path is one of the terminal's, not of the server's.
    let gesso = desk.write("gesso.txt", "The gesso needs 17 minutes to dry.");
    let mut command = desk.command(&["ingest", "gesso.txt", "--creator", "course"]);
    let done = said(command.current_dir(gesso.parent().unwrap()).output().unwrap());
    assert!(done.code == 0 && done.out.starts_with("1 added"), "{}{}", done.out, done.err);
    let (status, answer) = server.chat("course", "How many minutes does the gesso need?");
    assert!(status == 200 && answer["response"].as_str().unwrap().contains("17"), "{answer}");
    assert!(desk.ask("How many days for a refund?")["response"].as_str().unwrap().contains("23 days"));

    let mut command = desk.command(&["ask", "-", "--creator", "course"]);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"How many days for a refund?").unwrap();
    assert!(said(child.wait_with_output().unwrap()).out.contains("23 days"));

    desk.ok(&["creator", "add", "other"]);
    let key = desk.json(&["key", "create", "--creator", "course"])["key"].as_str().unwrap().to_owned();
    let (status, uploaded) = server.upload("oil.txt", b"Linseed oil dries in 6 days.", &key, "");
    assert_eq!(status, 200, "{uploaded}");
    desk.ok(&["erase", "--document", uploaded["document_id"].as_str().unwrap()]);
    assert_eq!(desk.json(&["creator", "show", "course"])["documents"], 2);

    // Failures are told as ever, with their exit codes.
    let refused = desk.refused(&["search", "refund", "--creator", "nobody"]);
    assert!(refused.contains("`nobody`"), "{refused}");
    let refused = desk.refused(&["ingest", "/no/such/file.txt", "--creator", "course"]);
    assert!(refused.contains("/no/such/file.txt"), "{refused}");
    let refused = desk.refused(&["serve", "--listen", "127.0.0.1:0"]);
    assert!(refused.contains(&server.address) && refused.contains("Ctrl-C"), "{refused}");
    assert_eq!(desk.run(&["doctor"]).code, 0);
    assert_eq!(desk.run(&["search"]).code, 2);

    // A killed server leaves its file behind; the next command opens the data itself.
    server.kill();
    assert!(desk.data().join("neverafk.server").exists());
    assert_eq!(desk.json(&search[..4])["hits"][0]["document_id"], alone[0]["document_id"]);
}

#[cfg(unix)]
#[test]
fn only_the_owner_reads_the_token_and_it_goes_with_the_server() {
    use std::os::unix::fs::PermissionsExt;
    let desk = Desk::new();
    let server = serve(&desk);
    let file = desk.data().join("neverafk.server");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(&file).unwrap();
    let address: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(address["http"], server.address);

    // Without the token nothing is done.
    let commands = address["commands"].as_str().unwrap();
    let mut stream = std::net::TcpStream::connect(commands).unwrap();
    let typed = r#"{"token":"guess","manner":{"json":false,"quiet":false,"color":false},"command":{"Creator":{"action":{"Add":{"slug":"mine","name":null}}}}}"#;
    writeln!(stream, "{typed}").unwrap();
    let mut reply = String::new();
    std::io::Read::read_to_string(&mut stream, &mut reply).unwrap();
    assert!(
        reply.ends_with("{\"code\":2}\n") && !reply.contains(address["token"].as_str().unwrap()),
        "{reply}"
    );
    assert_eq!(desk.json(&["creator", "list"])["creators"], serde_json::json!([]));

    std::process::Command::new("kill").args(["-INT", &server.process().to_string()]).status().unwrap();
    soon("the end of the server", || !file.exists());
}

#[test]
fn a_start_deletes_what_killed_uploads_left() {
    let desk = Desk::new();
    desk.creator().ingest(&desk.write("good.txt", GOOD));
    let blobs = || {
        let all = walkdir::WalkDir::new(desk.data().join("blobs")).into_iter().map(Result::unwrap);
        all.filter(|entry| entry.file_type().is_file()).count()
    };
    assert_eq!(blobs(), 1);
    std::fs::create_dir_all(desk.data().join("blobs/ab")).unwrap();
    std::fs::write(desk.data().join("blobs/ab").join("c".repeat(62)), "nobody's").unwrap();
    std::fs::write(desk.data().join("blobs/.new-half"), "half").unwrap();
    std::fs::write(desk.data().join(".upload-half"), "half").unwrap();
    let server = serve(&desk);
    soon("the sweep", || blobs() == 1);
    assert!(!desk.data().join(".upload-half").exists());
    let (status, answer) = server.chat("course", "How many days for a refund?");
    assert!(status == 200 && answer["response"].as_str().unwrap().contains("23 days"), "{answer}");
}

#[test]
fn a_first_start_says_how_to_get_on() {
    let desk = Desk::new();
    for (step, words) in [("nothing", "creator add"), ("creator", "key create"), ("key", "")] {
        match step {
            "creator" => drop(desk.ok(&["creator", "add", "course"])),
            "key" => drop(desk.ok(&["key", "create", "--creator", "course"])),
            _ => {}
        }
        let mut command = desk.command(&["serve", "--listen", "127.0.0.1:0"]);
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
        let first = lines.next().unwrap();
        assert!(first.starts_with("listening on"), "{first}");
        if !words.is_empty() {
            let second = lines.find(|line| !line.contains("/setup?token=")).unwrap();
            assert!(second.contains(words) && second.contains("--data-dir"), "{second}");
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
