//! Bad input gets a sentence and a hint and loses nothing.

use std::io::{Read, Write};
use std::net::TcpListener;

use neverafk::store::{Options, Store};

use crate::support::{Desk, pdf};

const GOOD: &str = "You can ask for a full refund within 23 days of buying the course.";

/// A desk with one good document.
fn desk() -> Desk {
    let desk = Desk::new();
    desk.creator().ingest(&desk.write("good.txt", GOOD));
    desk
}

#[test]
fn broken_files_are_refused_and_the_rest_stays() {
    let desk = desk();
    let whole = pdf(&["Words on a page."]);
    let cases: [(&str, Vec<u8>, &str); 5] = [
        ("empty.txt", Vec::new(), "empty"),
        ("no-pages.pdf", pdf(&[]), "no pages"),
        ("cut.pdf", whole[..whole.len() / 3].to_vec(), "PDF"),
        ("binary.txt", [b"\x7fELF\x02\x01\x01\0".to_vec(), vec![0; 900]].concat(), ""),
        ("picture.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec(), ""),
    ];
    for (name, bytes, word) in cases {
        let path = desk.write(name, bytes);
        let said = desk.refused(&["ingest", path.to_str().unwrap(), "--creator", "course"]);
        assert!(said.contains(name) && said.contains(word), "{name}: {said}");
    }
    assert_eq!(desk.json(&["creator", "show", "course"])["documents"], 1);
    assert!(desk.ask("How many days for a refund?")["response"].as_str().unwrap().contains("23 days"));
}

#[test]
fn a_good_file_beside_a_broken_one_comes_in() {
    let desk = desk();
    desk.write("folder/broken.pdf", b"%PDF-1.4 and nothing else");
    let folder =
        desk.write("folder/fine.txt", "The gesso dries for 17 minutes.").parent().unwrap().to_owned();
    let said = desk.refused(&["ingest", folder.to_str().unwrap(), "--creator", "course"]);
    assert!(said.contains("broken.pdf"), "{said}");
    assert!(desk.ask("How long does the gesso dry?")["response"].as_str().unwrap().contains("17 minutes"));
}

#[test]
fn what_is_not_there_is_named() {
    let desk = desk();
    let said = desk.refused(&["ask", "hello", "--creator", "nobody"]);
    assert!(said.contains("`nobody`") && said.contains("creator add nobody"), "{said}");
    let said = desk.refused(&["ingest", "/no/such/file.txt", "--creator", "course"]);
    assert!(said.contains("/no/such/file.txt"), "{said}");
    let said = desk.refused(&["ask", "hello", "--creator", "course", "--model", "no-such-model"]);
    assert!(said.contains("no-such-model"), "{said}");
    let said = desk.refused(&["erase", "--document", "00000000000000000000000000"]);
    assert!(said.contains("no document"), "{said}");
    desk.refused(&["ask", "   ", "--creator", "course"]);
}

#[tokio::test]
async fn a_port_in_use_and_a_directory_in_use_are_told() {
    let desk = desk();
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = holder.local_addr().unwrap().to_string();
    let said = desk.refused(&["serve", "--listen", &address]);
    assert!(said.contains(&address) && said.contains("--listen"), "{said}");

    // Held by a process that takes no commands, with what a killed server left.
    let store = Store::open(&desk.data(), Options::default()).await.unwrap();
    std::fs::write(
        desk.data().join("neverafk.server"),
        format!(r#"{{"commands":"{address}","token":"x","http":"http://{address}","process":1}}"#),
    )
    .unwrap();
    let answering = std::thread::spawn(move || {
        // Whoever has the port now is a stranger: it must not be given the token.
        let (mut stranger, _) = holder.accept().unwrap();
        stranger.write_all(b"HTTP/1.1 400 Bad Request\n\n").unwrap();
        let mut heard = String::new();
        stranger.read_to_string(&mut heard).unwrap();
        heard
    });
    let said = desk.refused(&["search", "refund", "--creator", "course"]);
    assert!(said.contains("in use by another process") && said.contains("--data-dir"), "{said}");
    assert_eq!(answering.join().unwrap(), "");
    drop(store);
}

#[test]
fn a_large_text_is_refused_by_its_size_without_being_read() {
    let desk = desk();
    let path = desk.write("large.txt", "Layer upon layer of glaze. ".repeat(10_000));
    // The rest is a hole: it has a size and costs no disk.
    std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(300 << 20).unwrap();
    let said = desk.refused(&["ingest", path.to_str().unwrap(), "--creator", "course"]);
    assert!(said.contains("large.txt") && said.contains("MB"), "{said}");
}

#[test]
fn a_locked_pdf_says_so() {
    let Some(path) = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map(|up| up.join("shared/data/pdf/libreoffice-writer-password.pdf"))
    else {
        return;
    };
    if !path.exists() {
        eprintln!("skipped: no encrypted PDF at hand");
        return;
    }
    let desk = desk();
    let path = path.to_str().unwrap();
    let said = desk.refused(&["ingest", path, "--creator", "course"]);
    assert!(said.contains("password"), "{said}");
    let said = desk.refused(&["ingest", path, "--creator", "course", "--password", "wrong"]);
    assert!(said.contains("password"), "{said}");
    desk.ok(&["ingest", path, "--creator", "course", "--password", "openpassword"]);
}
