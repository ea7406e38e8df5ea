//! What a new version of a package or a folder no longer holds is gone, and nothing else is.

use std::io::{Cursor, Write};

use axum::http::StatusCode;
use serde_json::json;
use zip::write::SimpleFileOptions;

use crate::support::{Desk, TestApp};

fn zipped(files: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, words) in files {
        // Stored as it is, so that a test can damage one entry and no other.
        let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        writer.start_file(*name, options).unwrap();
        writer.write_all(words.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A Common Cartridge with one page for each pair.
fn cartridge(pages: &[(&str, &str)]) -> Vec<u8> {
    let mut items = String::new();
    let mut resources = String::new();
    let mut files = Vec::new();
    for (name, words) in pages {
        items +=
            &format!("<item identifier=\"i{name}\" identifierref=\"r{name}\"><title>{name}</title></item>");
        resources += &format!(
            "<resource identifier=\"r{name}\" type=\"webcontent\" href=\"{name}.html\"><file href=\"{name}.html\"/></resource>"
        );
        files.push((
            format!("{name}.html"),
            format!("<html><body><h1>{name}</h1><p>{words}</p></body></html>"),
        ));
    }
    let manifest = format!(
        "<?xml version=\"1.0\"?><manifest identifier=\"m\" xmlns=\"http://www.imsglobal.org/xsd/imsccv1p1/imscp_v1p1\">\
         <metadata><schema>IMS Common Cartridge</schema><schemaversion>1.1.0</schemaversion></metadata>\
         <organizations><organization identifier=\"o\" structure=\"rooted-hierarchy\"><item identifier=\"root\">{items}</item></organization></organizations>\
         <resources>{resources}</resources></manifest>"
    );
    let mut all = vec![("imsmanifest.xml", manifest.as_str())];
    all.extend(files.iter().map(|(name, words)| (name.as_str(), words.as_str())));
    zipped(&all)
}

async fn sources(test: &TestApp) -> Vec<String> {
    let documents = test.app.store().documents(&TestApp::course()).await.unwrap();
    let mut sources: Vec<String> = documents.into_iter().map(|document| document.source).collect();
    sources.sort();
    sources
}

const WAX: &str = "# Wax\n\nWarm the wax to 62 degrees first.";
const GLUE: &str = "# Glue\n\nThe glue dries within 9 hours.";
const PRESS: &str = "# Press\n\nThe press stands in the attic.";

#[tokio::test]
async fn an_uploaded_archive_takes_along_what_it_no_longer_holds() {
    let test = TestApp::new().await;
    let first = zipped(&[("wax.md", WAX), ("glue.md", GLUE), ("press.md", PRESS)]);
    let said = test.upload("course.zip", &first, &test.key, "").await.json();
    assert_eq!(said["documents"], json!({"added": 3, "changed": 0, "unchanged": 0, "removed": 0}), "{said}");
    test.upload("press.md", format!("{PRESS} Really.").as_bytes(), &test.key, "").await;
    assert_eq!(sources(&test).await.len(), 4);

    let changed = GLUE.replace('9', "7");
    let second =
        zipped(&[("wax.md", WAX), ("glue.md", &changed), ("knife.md", "# Knife\n\nHold it at 20 degrees.")]);
    let said = test.upload("course.zip", &second, &test.key, "").await.json();
    assert_eq!(said["documents"], json!({"added": 1, "changed": 1, "unchanged": 1, "removed": 1}), "{said}");
    assert_eq!(said["removed"], json!(["Press"]), "{said}");
    let left = [
        "upload:course.zip#glue.md",
        "upload:course.zip#knife.md",
        "upload:course.zip#wax.md",
        "upload:press.md",
    ];
    assert_eq!(sources(&test).await, left);
    let found = test.app.search(&TestApp::course(), "Where does the press stand?", 9).await.unwrap();
    let texts: Vec<&str> = found.hits.iter().map(|hit| hit.text.as_str()).collect();
    assert!(texts.iter().any(|text| text.contains("Really")), "{texts:?}");
    assert!(!texts.iter().any(|text| text.contains("attic.") && !text.contains("Really")), "{texts:?}");

    // The same once more changes nothing.
    let said = test.upload("course.zip", &second, &test.key, "").await.json();
    assert_eq!(said["documents"], json!({"added": 0, "changed": 0, "unchanged": 3, "removed": 0}), "{said}");
}

#[tokio::test]
async fn nothing_goes_when_a_package_is_not_read_to_its_end() {
    let test = TestApp::new().await;
    let first = zipped(&[("wax.md", WAX), ("glue.md", GLUE), ("press.md", PRESS)]);
    test.upload("course.zip", &first, &test.key, "").await;
    let all = sources(&test).await;

    let cut = &first[..first.len() / 2];
    let refused = test.upload("course.zip", cut, &test.key, "").await;
    assert_ne!(refused.status, StatusCode::OK, "{}", refused.text);
    assert_eq!(sources(&test).await, all);

    // One file of it is damaged: perhaps that is where the others went.
    let mut damaged = zipped(&[("wax.md", WAX), ("glue.md", GLUE)]);
    let at = damaged.windows(9).position(|window| window == b"The glue ").unwrap();
    damaged[at] ^= 1;
    let said = test.upload("course.zip", &damaged, &test.key, "").await.json();
    assert_eq!(said["documents"]["removed"], 0, "{said}");
    assert!(said["warnings"].to_string().contains("glue.md"), "{said}");
    assert_eq!(sources(&test).await, all);

    // Too deep: what lies in there is not known to be gone.
    let mut deep = zipped(&[("press.md", PRESS)]);
    for level in 0..5 {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        writer.start_file(format!("{level}.zip"), SimpleFileOptions::default()).unwrap();
        writer.write_all(&deep).unwrap();
        writer.start_file("wax.md", SimpleFileOptions::default()).unwrap();
        writer.write_all(WAX.as_bytes()).unwrap();
        deep = writer.finish().unwrap().into_inner();
    }
    let said = test.upload("course.zip", &deep, &test.key, "").await.json();
    assert_eq!(said["documents"]["removed"], 0, "{said}");
    assert_eq!(sources(&test).await, all);
}

#[tokio::test]
async fn content_that_something_else_holds_stays() {
    let test = TestApp::new().await;
    let both = zipped(&[("wax.md", WAX), ("glue.md", GLUE)]);
    test.upload("one.zip", &both, &test.key, "").await;
    test.upload("two.zip", &zipped(&[("more.md", PRESS), ("same.md", GLUE)]), &test.key, "").await;
    test.upload("mine.md", WAX.as_bytes(), &test.key, "").await;
    assert_eq!(
        sources(&test).await,
        ["upload:one.zip#glue.md", "upload:one.zip#wax.md", "upload:two.zip#more.md"]
    );

    let other = zipped(&[("knife.md", "# Knife\n\nHold it at 20 degrees.")]);
    let said = test.upload("one.zip", &other, &test.key, "").await.json();
    assert_eq!(said["documents"]["removed"], 0, "{said}");
    assert_eq!(sources(&test).await.len(), 4);
    // Now the second one has it no more either, and the upload that was the same is replaced.
    let said = test.upload("two.zip", &zipped(&[("more.md", PRESS)]), &test.key, "").await.json();
    assert_eq!(said["removed"], json!(["Glue"]), "{said}");
    let said = test.upload("mine.md", b"# Mine\n\nSomething else.", &test.key, "").await.json();
    assert_eq!(said["removed"], json!(["Wax"]), "{said}");
    assert_eq!(sources(&test).await, ["upload:mine.md", "upload:one.zip#knife.md", "upload:two.zip#more.md"]);

    // A file that moved within its package keeps its words.
    let said = test.upload("two.zip", &zipped(&[("new/place.md", PRESS)]), &test.key, "").await.json();
    assert_eq!(
        (&said["documents"]["unchanged"], &said["documents"]["removed"]),
        (&json!(1), &json!(0)),
        "{said}"
    );
    let said = test.upload("two.zip", &zipped(&[("new/place.md", GLUE)]), &test.key, "").await.json();
    assert_eq!(said["removed"], json!(["Press"]), "{said}");
}

#[tokio::test]
async fn a_queued_package_says_in_its_job_what_left() {
    let test = TestApp::new().await;
    let first =
        cartridge(&[("Wax", "Warm the wax to 62 degrees."), ("Glue", "The glue dries within 9 hours.")]);
    test.upload("course.imscc", &first, &test.key, "").await;
    let second = cartridge(&[("Wax", "Warm the wax to 62 degrees.")]);
    let queued = test.upload("course.imscc", &second, &test.key, "?wait=false").await;
    assert_eq!(queued.status, StatusCode::ACCEPTED, "{}", queued.text);
    let job = queued.json()["job_url"].as_str().unwrap().to_owned();
    assert!(neverafk::jobs::step(&test.app.jobs()).await.unwrap());
    let job = test.get_as(&job, &test.key).await.json();
    assert_eq!(job["status"], "done", "{job}");
    assert_eq!(job["documents"], json!({"added": 0, "changed": 0, "unchanged": 1, "removed": 1}), "{job}");
    assert_eq!(sources(&test).await.len(), 1);
}

#[test]
fn the_command_line_says_what_left_a_package_and_a_folder() {
    let desk = Desk::new();
    desk.creator();
    let package = desk.write(
        "course.imscc",
        cartridge(&[("Wax", "Warm it to 62 degrees."), ("Glue", "It dries in 9 hours.")]),
    );
    let package = package.to_str().unwrap();
    let ingest = |more: &[&str]| {
        let mut arguments = vec!["ingest", package, "--creator", "course"];
        arguments.extend(more);
        desk.json(&arguments)
    };
    assert_eq!(ingest(&[])["added"], 2);
    desk.write("course.imscc", cartridge(&[("Glue", "It dries in 9 hours.")]));
    let said = ingest(&[]);
    assert_eq!((&said["unchanged"], said["removed"].as_array().unwrap().len()), (&json!(1), 1), "{said}");

    // A folder loses only what is gone, only when it is asked to, and never when it is empty.
    let page = desk.write("folder/a.md", "# A\n\nThe saw hangs on the wall.");
    desk.write("folder/below/b.md", "# B\n\nThe plane lies on the bench.");
    let archive = desk.write("folder/more.zip", zipped(&[("c.md", "# C\n\nThe chisel is sharp.")]));
    let copy = desk.write("folder/copy.md", "# A\n\nThe saw hangs on the wall.");
    let folder = page.parent().unwrap().to_str().unwrap().to_owned();
    let sync = |more: &[&str]| {
        let mut arguments = vec!["ingest", folder.as_str(), "--creator", "course"];
        arguments.extend(more);
        desk.json(&arguments)
    };
    let said = sync(&[]);
    assert_eq!((&said["added"], &said["unchanged"]), (&json!(3), &json!(1)), "{said}");
    std::fs::remove_file(page).unwrap();
    std::fs::remove_file(archive).unwrap();
    assert_eq!(sync(&[])["removed"], json!([]));
    let said = sync(&["--sync"]);
    assert_eq!(said["removed"].as_array().unwrap().len(), 1, "{said}");
    assert!(said["removed"][0].as_str().unwrap().ends_with("C"), "{said}");
    std::fs::remove_file(copy).unwrap();
    assert_eq!(sync(&["--sync"])["removed"], json!(["A"]), "the copy kept the words of the first");
    let documents = |desk: &Desk| desk.json(&["creator", "show", "course"])["documents"].clone();
    assert_eq!(documents(&desk), 2);
    std::fs::remove_file(desk.directory.path().join("files/folder/below/b.md")).unwrap();
    desk.refused(&["ingest", &folder, "--creator", "course", "--sync"]);
    assert_eq!(documents(&desk), 2, "an empty folder is more likely a disk that is not there");
}

#[test]
fn a_queued_package_is_taken_apart_later() {
    let desk = Desk::new();
    desk.creator();
    let package = desk.write("course.zip", zipped(&[("wax.md", WAX), ("glue.md", GLUE)]));
    let said = desk.json(&["ingest", package.to_str().unwrap(), "--creator", "course", "--detach"]);
    assert_eq!(said["added"], 1, "one file is one piece of work: {said}");
}

#[tokio::test]
async fn nearly_the_same_document_is_kept_and_said() {
    let test = TestApp::new().await;
    let lesson: String = (0..60)
        .map(|n| format!("Step {n}: rub the board {} times with wool number {}.\n\n", n * 3, n + 7))
        .collect();
    let first = test.upload("lesson.md", lesson.as_bytes(), &test.key, "").await.json();
    assert_eq!(first["near_duplicate_of"], json!(null));
    let edited = lesson.replace("Step 30:", "Then, in step 30:");
    let second = test.upload("lesson-new.md", edited.as_bytes(), &test.key, "").await.json();
    assert_eq!(second["near_duplicate_of"], first["document_id"], "{second}");
    let other: String =
        (0..60).map(|n| format!("Line {n} of a poem about the sea and {} ships.\n\n", n * 5)).collect();
    let third = test.upload("poem.md", other.as_bytes(), &test.key, "").await.json();
    assert_eq!(third["near_duplicate_of"], json!(null));
    let near = async || {
        let shown = test.get_as("/api/v1/documents", &test.key).await.json();
        let all = shown["documents"].as_array().unwrap().clone();
        all.into_iter().filter(|one| !one["near_duplicate_of"].is_null()).collect::<Vec<_>>()
    };
    let found = near().await;
    assert_eq!(found.len(), 1);
    assert_eq!(
        (&found[0]["id"], &found[0]["near_duplicate_of"]),
        (&second["document_id"], &first["document_id"])
    );
    let id: neverafk::domain::DocumentId = first["document_id"].as_str().unwrap().parse().unwrap();
    test.app.delete_document(&id).await.unwrap();
    assert!(near().await.is_empty(), "the other one is gone");
}
