//! Documents of office programs, e-books, mail and course packages: each is found and cited at its place.
//!
//! The files were saved by the programs that people use; `tests/reference/make_office.py` says how.

use std::path::{Path, PathBuf};

use neverafk::answer::place;
use neverafk::domain::Anchor;
use neverafk::ingest::{Ingested, Item};

use crate::support::{Desk, TestApp};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/office").join(name)
}

/// An app with one fixture in it, uploaded under another name where `as_name` gives one.
async fn with(name: &str, as_name: Option<&str>) -> (TestApp, Ingested) {
    let test = TestApp::new().await;
    let item = Item::upload(as_name.unwrap_or(name), std::fs::read(fixture(name)).unwrap());
    let done = test.app.ingest().one(&TestApp::course(), item).await;
    let done = done.unwrap_or_else(|error| panic!("{name}: {error}"));
    (test, done)
}

/// What the first hit says, and where it is.
async fn first(test: &TestApp, query: &str) -> (String, String, Anchor) {
    let report = test.app.search(&TestApp::course(), query, 3).await.unwrap();
    let hit = report.hits.first().unwrap_or_else(|| panic!("nothing found for {query:?}"));
    (hit.text.clone(), place(&hit.title, &hit.anchor), hit.anchor.clone())
}

/// Asks one fixture; the first hit must hold the words and stand at the place (or a heading below it, as chunks go). No fixture shows a zebra.
async fn check(name: &str, cases: &[(&str, &str, &str)]) {
    let (test, done) = with(name, None).await;
    for (query, words, at) in cases {
        let (text, found_at, _) = first(&test, query).await;
        assert!(text.contains(words), "{name}, {query:?}: {text}");
        assert!(found_at.starts_with(at), "{name}, {query:?}: {found_at}: {text}");
    }
    let zebra = test.app.search(&TestApp::course(), "zebra", 20).await.unwrap();
    assert!(zebra.hits.iter().all(|hit| !hit.text.contains("zebra")), "{name} shows what is hidden");
    assert!(done.chunks > 0);
}

#[tokio::test]
async fn texts_of_word_processors_keep_their_headings() {
    for name in ["notebook.docx", "notebook.odt", "notebook.rtf"] {
        check(
            name,
            &[
                (
                    "Which way must the grain run?",
                    "parallel to the spine",
                    "Binding a notebook › Paper and thread",
                ),
                ("How long is the block pressed?", "9 hours", "Binding a notebook › Glue and press"),
                ("open time of PVA", "PVA | 6 minutes", "Binding a notebook › Glue and press"),
                (
                    "thick paper sheets at most",
                    "three sheets at most",
                    "Binding a notebook › Paper and thread",
                ),
                (
                    "waxed linen thread size",
                    "waxed linen of size 18",
                    "Binding a notebook › Paper and thread",
                ),
            ],
        )
        .await;
    }
    let (test, _) = with("notebook.docx", None).await;
    let (text, ..) = first(&test, "radiators").await;
    assert!(text.contains("Keep the press away from radiators."), "{text}");
    assert_eq!(text.matches("radiators").count(), 1, "{text}");
    assert!(text.contains("1. Brush the paste") && text.contains("2. Press the block"), "{text}");
    check("bindery.rtf", &[("How is the knife held?", "20 degrees", "Choosing leather")]).await;
    for name in ["bindery.docx", "bindery.odt"] {
        check(name, &[("How is the knife held?", "20 degrees", "The small bindery › Choosing leather")])
            .await;
    }
}

#[tokio::test]
async fn slides_are_cited_by_their_number() {
    for name in ["sewing.pptx", "sewing.odp"] {
        let (test, _) = with(name, None).await;
        let (text, at, anchor) = first(&test, "kettle stitch needle behind the stitch below").await;
        assert_eq!(anchor.slide, Some(2), "{name}: {text}");
        assert!(at.ends_with("Kettle stitch (slide 2)"), "{name}: {at}");
        let (left, right) = (text.find("Left:").unwrap(), text.find("Right:").unwrap());
        assert!(left < right, "{name}: reading order: {text}");
        let (text, _, anchor) = first(&test, "How much thread does it need in centimetres?").await;
        assert!(text.contains("30 centimetres") && anchor.slide == Some(2), "{name}: {text}");
        assert_eq!(first(&test, "tapes of 12 mm").await.2.slide, Some(3), "{name}");
    }
    let (test, _) = with("bindery.pptx", None).await;
    assert!(first(&test, "gold leaf glair dried").await.2.slide.is_some());
}

#[tokio::test]
async fn rows_of_sheets_say_what_their_values_are() {
    for name in ["prices.xlsx", "prices.xls", "prices.ods"] {
        let (test, done) = with(name, None).await;
        let answer = test.chat("What is the price of the linen thread?").await;
        let citation = &answer["citations"][0];
        assert_eq!(citation["anchor"]["sheet"], "Prices", "{name}: {answer}");
        assert_eq!(citation["anchor"]["row"], 4, "{name}: {answer}");
        let quote = citation["quote"].as_str().unwrap();
        assert!(quote.starts_with("Item: Linen thread; Price: 1"), "{name}: {quote}");
        assert!(quote.contains("Valid from: 2026-03-15"), "{name}: {quote}");
        if name != "prices.xls" {
            // The library for the old format tells no formats of numbers.
            assert!(quote.contains("240.00 kr") && quote.contains("Discount: 25%"), "{name}: {quote}");
        }
        let (text, at, _) = first(&test, "seats in the attic").await;
        assert!(text.contains("Room: Attic; Seats: 14"), "{name}: {text}");
        assert!(at.contains("sheet \"Rooms\""), "{name}: {at}");
        assert!(done.warnings.iter().any(|warning| warning.contains("hidden sheet")), "{name}");
        let hidden = test.app.search(&TestApp::course(), "zebra margin", 9).await.unwrap();
        assert!(hidden.hits.iter().all(|hit| !hit.text.contains("zebra")), "{name}");
    }
}

#[tokio::test]
async fn books_are_cited_by_chapter() {
    check(
        "bindery.epub",
        &[
            ("How is the knife held?", "20 degrees", "The small bindery › Choosing leather"),
            ("How long did the glair dry?", "40 minutes", "The small bindery › Gilding"),
            ("carat of lemon leaf", "Lemon | 18", "The small bindery › Gilding"),
        ],
    )
    .await;
}

#[tokio::test]
async fn messages_come_with_their_files_and_without_what_they_quote() {
    check(
        "drying.eml",
        &[
            ("How long does wheat paste dry?", "5 hours", "Drying times"),
            ("Where do we meet on Sunday?", "room 27", "Drying times › Plan"),
        ],
    )
    .await;
    let (test, done) = with("course.mbox", None).await;
    assert_eq!(done.documents, 4, "{done:?}");
    assert_eq!(first(&test, "When does the bindery open in winter?").await.1, "Opening hours");
}

#[tokio::test]
async fn packages_keep_module_and_lesson() {
    check(
        "cartridge.imscc",
        &[
            ("blade of the awl in mm", "61 mm", "Week 1: Tools › The awl"),
            ("post a picture of the first notebook", "by day 11", "Week 1: Tools › What do you bind?"),
            (
                "Which way must the grain run?",
                "parallel to the spine",
                "Week 2: Covers › Boards › Cutting boards › Paper and thread",
            ),
        ],
    )
    .await;
    for name in ["scorm12.zip", "scorm2004.zip"] {
        check(
            name,
            &[
                ("hands on the buttons blade up", "Both hands", "Module A: Machines › The guillotine"),
                (
                    "people in the machine room",
                    "At most 3",
                    "Module A: Machines › The guillotine › House rules",
                ),
            ],
        )
        .await;
    }
    for name in ["moodle.zip.mbz", "moodle.tar.mbz"] {
        check(
            name,
            &[
                ("strokes of the bone", "2 strokes", "Folding evening › Folding"),
                ("When do the doors open?", "18:20", "Folding evening"),
                ("paste for endpapers", "4 mm", "Section 2 › Handbook"),
                (
                    "Which way must the grain run?",
                    "parallel to the spine",
                    "Section 2 › Cutting plan › Binding a notebook › Paper and thread",
                ),
            ],
        )
        .await;
        let (_, done) = with(name, None).await;
        let said = done.warnings.join("\n");
        assert!(said.contains("quizzes") && said.contains("film.mp4"), "{name}: {said}");
    }
    check(
        "folders.zip",
        &[
            ("temperature of gelatine size", "45 degrees", "01 Paper › Sizing"),
            ("two nights", "two nights", "01 Paper › plan (0:05)"),
            ("tapes of 12 mm", "12 mm", "02 Sewing › Frame › Sewing the block › Tapes (slide 3)"),
        ],
    )
    .await;
}

#[tokio::test]
async fn content_comes_before_names() {
    let (test, _) = with("notebook.docx", Some("notes.txt")).await;
    assert!(first(&test, "grain direction").await.0.contains("parallel to the spine"));
    let (test, done) = with("folders.zip", Some("course.pdf")).await;
    assert!(done.documents >= 3 && first(&test, "gelatine").await.0.contains("45"));
    for (name, words, hint) in [
        ("notebook.doc", "old Word document", ".docx"),
        ("locked.docx", "protected by a password", "without a password"),
    ] {
        let desk = Desk::new();
        desk.creator();
        let path = fixture(name);
        let said = desk.refused(&["ingest", path.to_str().unwrap(), "--creator", "course"]);
        assert!(said.contains(words) && said.contains(hint), "{name}: {said}");
    }
}

#[test]
fn a_folder_with_everything_is_picked_up_by_the_command_line() {
    let desk = Desk::new();
    desk.creator();
    for name in ["sewing.pptx", "prices.xlsx", "cartridge.imscc", "course.mbox", "bindery.epub"] {
        desk.write(&format!("course/Part 1/{name}"), std::fs::read(fixture(name)).unwrap());
    }
    desk.ingest(&desk.directory.path().join("files/course"));
    let answer = desk.ask("What is the price of the linen thread?");
    assert_eq!(answer["citations"][0]["anchor"]["row"], 4, "{answer}");
    let hits = desk.json(&["search", "blade of the awl", "--creator", "course"]);
    assert_eq!(hits["hits"][0]["title"], "Part 1 › Week 1: Tools › The awl");
    // The same again adds nothing.
    let before = desk.json(&["creator", "show", "course"]);
    desk.ingest(&desk.directory.path().join("files/course"));
    assert_eq!(desk.json(&["creator", "show", "course"])["chunks"], before["chunks"]);
}
