//! Hostile and damaged files: each gets a sentence or its words, never a crash, and never much memory or time.

use std::io::Cursor;
use std::path::Path;
use std::time::{Duration, Instant};

use neverafk::ingest::detect::{Kind, detect_whole};
use neverafk::ingest::extract::{ExtractError, ExtractOptions, Limits, extract};
use neverafk::ingest::items::expand;
use neverafk::ingest::{Item, Payload};
use proptest::prelude::*;

use crate::support::zipped;

/// Small enough that a bomb is refused soon.
fn limits() -> Limits {
    Limits {
        unpacked_bytes: 32 << 20,
        stream_bytes: 8 << 20,
        words_bytes: 8 << 20,
        archive_entries: 2_000,
        ..Limits::default()
    }
}

/// Takes a file apart and reads every part, as ingestion does; sentences of what failed.
fn read(name: &str, bytes: Vec<u8>, limits: &Limits) -> Vec<String> {
    let mut said = Vec::new();
    let options = ExtractOptions { limits, password: None, stop: &|| false };
    expand(Item::upload(name, bytes), limits, &mut |item| {
        match item {
            Err(error) => said.push(format!("{error}; {}", error.hint())),
            Ok(item) => {
                let Payload::File(bytes) = &item.payload else { return true };
                let text = match detect_whole(bytes, &item.name, limits) {
                    Ok(Kind::Document(media)) => extract(bytes, media, &options),
                    Ok(_) => Err(ExtractError::NothingInside),
                    Err(error) => Err(error),
                };
                if let Err(error) = text {
                    said.push(format!("{}: {error}; {}", item.name, error.hint()));
                }
                said.extend(item.warnings);
            }
        }
        true
    });
    said
}

fn fixtures() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/office");
    let mut all: Vec<(String, Vec<u8>)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), std::fs::read(entry.path()).unwrap()))
        .collect();
    all.sort();
    assert!(all.len() >= 20);
    all
}

/// A Word document, presentation or workbook whose main part is this.
fn office(folder: &str, main: &str, part: &[u8]) -> Vec<u8> {
    let rels = format!(
        "<Relationships><Relationship Id='r1' Type='x/officeDocument' Target='{folder}/{main}.xml'/></Relationships>"
    );
    zipped(&[
        ("[Content_Types].xml", b"<Types/>"),
        ("_rels/.rels", rels.as_bytes()),
        (&format!("{folder}/{main}.xml"), part),
    ])
}

#[test]
fn cut_and_empty_files_are_sentences() {
    let limits = limits();
    for (name, bytes) in fixtures() {
        for part in [0, 1, 10, 50, 90] {
            let cut = bytes[..bytes.len() * part / 100].to_vec();
            for sentence in read(&name, cut, &limits) {
                assert!(sentence.len() > 10 && !sentence.contains("panicked"), "{name}: {sentence}");
            }
        }
        let said = read(&name, Vec::new(), &limits);
        assert!(said.iter().any(|sentence| sentence.contains("empty")), "{name}: {said:?}");
        assert!(
            !read("x.txt", bytes[..bytes.len() / 2].to_vec(), &limits).is_empty()
                || !bytes.starts_with(b"PK")
        );
    }
}

#[test]
fn bombs_are_refused_soon() {
    let limits = limits();
    let zeros = vec![b' '; 64 << 20];
    let began = Instant::now();
    let flat = zipped(&[("a.txt", &zeros)]);
    assert!(flat.len() < 1 << 20);
    assert!(read("flat.zip", flat.clone(), &limits)[0].contains("unpacks to more than"));
    // Many that are each allowed, and not together.
    let eight = zipped(&[("a", &zeros[..7 << 20])]);
    let many: Vec<String> = (0..12).map(|n| format!("{n}.zip")).collect();
    let files: Vec<(&str, &[u8])> = many.iter().map(|name| (name.as_str(), eight.as_slice())).collect();
    let said = read("nested.zip", zipped(&files), &limits);
    assert!(said.iter().any(|sentence| sentence.contains("unpacks to more than")), "{said:?}");
    // Archives within archives.
    let mut nested = flat;
    for _ in 0..40 {
        nested = zipped(&[("inner.zip", &nested)]);
    }
    let said = read("deep.zip", nested, &limits);
    assert!(!said.is_empty(), "{said:?}");
    // The same within an office file, whose parts are streams.
    let mut part = b"<w:document><w:body><w:p><w:r><w:t>".to_vec();
    part.extend(vec![b'x'; 30 << 20]);
    assert!(read("a.docx", office("word", "document", &part), &limits)[0].contains("unpacks to more than"));
    let names: Vec<String> = (0..3_000).map(|n| format!("{n}.txt")).collect();
    let crowd: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b"x"[..])).collect();
    assert!(read("crowd.zip", zipped(&crowd), &limits)[0].contains("files in it"));
    assert!(began.elapsed() < Duration::from_secs(120));
}

#[test]
fn bombs_of_xml_expand_to_nothing() {
    let limits = limits();
    let mut laughs = String::from("<!DOCTYPE d [<!ENTITY a0 \"ha\">");
    for n in 1..30 {
        laughs.push_str(&format!("<!ENTITY a{n} \"{}\">", format!("&a{};", n - 1).repeat(10)));
    }
    laughs.push_str("<!ENTITY x SYSTEM \"file:///etc/passwd\">]><w:document><w:body><w:p><w:r><w:t>&a29;&x;</w:t></w:r></w:p></w:body></w:document>");
    assert!(read("laughs.docx", office("word", "document", laughs.as_bytes()), &limits).is_empty());
    for (folder, main, element) in [
        ("word", "document", "<w:tbl><w:tr><w:tc>"),
        ("word", "document", "<w:p><w:txbxContent>"),
        ("ppt", "presentation", "<p:grpSp>"),
        ("xl", "workbook", "<sheet>"),
    ] {
        let deep = element.repeat(100_000);
        let said = read("deep.docx", office(folder, main, deep.as_bytes()), &limits);
        assert!(said[0].contains("within each other"), "{said:?}");
    }
    let manifest = format!("<manifest><organizations>{}", "<item><title>x</title>".repeat(100_000));
    let said = read("deep.imscc", zipped(&[("imsmanifest.xml", manifest.as_bytes())]), &limits);
    assert!(said[0].contains("within each other"), "{said:?}");
    let captions = "<tt ><body>".to_owned() + &"<div>".repeat(100_000);
    assert!(read("a.ttml", captions.into_bytes(), &limits)[0].contains("within each other"));
}

#[test]
fn a_cell_far_away_or_repeated_costs_nothing() {
    let limits = limits();
    let rels = "<Relationships><Relationship Id='r1' Type='x/worksheet' Target='s.xml'/></Relationships>";
    let top = "<Relationships><Relationship Id='r1' Type='x/officeDocument' Target='xl/workbook.xml'/></Relationships>";
    let sheet = "<worksheet><sheetData><row r='1'><c r='A1' t='str'><v>a</v></c></row>\
                 <row r='4294967295'><c r='ZZZZ4294967295' t='str'><v>far</v></c></row></sheetData></worksheet>";
    let far = zipped(&[
        ("[Content_Types].xml", b"<Types/>"),
        ("_rels/.rels", top.as_bytes()),
        ("xl/_rels/workbook.xml.rels", rels.as_bytes()),
        ("xl/workbook.xml", b"<workbook><sheets><sheet name='S' r:id='r1'/></sheets></workbook>"),
        ("xl/s.xml", sheet.as_bytes()),
    ]);
    assert!(read("far.xlsx", far, &limits).is_empty());
    let rows: String = (1..60).map(|n| format!("<row r='{n}'><c t='str'><v>x{n}</v></c></row>")).collect();
    let long = zipped(&[
        ("[Content_Types].xml", b"<Types/>"),
        ("_rels/.rels", top.as_bytes()),
        ("xl/_rels/workbook.xml.rels", rels.as_bytes()),
        ("xl/workbook.xml", b"<workbook><sheets><sheet name='S' r:id='r1'/></sheets></workbook>"),
        ("xl/s.xml", format!("<worksheet><sheetData>{rows}").as_bytes()),
    ]);
    let few = Limits { rows: 40, ..limits.clone() };
    let options = ExtractOptions { limits: &few, password: None, stop: &|| false };
    let text = extract(&long.into(), neverafk::domain::MediaType::Spreadsheet, &options).unwrap();
    assert_eq!(text.blocks.len(), 41);
    assert!(text.warnings[0].0.contains("longer than is read; it ends before row 41"), "{:?}", text.warnings);
    let content = "<office:document-content><office:body><office:spreadsheet><table:table table:name='S'>\
        <table:table-row table:number-rows-repeated='4294967295'><table:table-cell table:number-columns-repeated='4294967295' \
        office:value-type='string'><text:p>again</text:p></table:table-cell></table:table-row></table:table>";
    let repeated = zipped(&[
        ("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"),
        ("content.xml", content.as_bytes()),
    ]);
    assert!(read("repeated.ods", repeated, &limits).is_empty());
}

#[test]
fn names_that_climb_touch_nothing() {
    let limits = limits();
    let climbing = zipped(&[
        ("../../../tmp/neverafk-climbed.md", b"# Out\n\nWords."),
        ("/etc/x.md", b"# Root\n\nWords."),
    ]);
    let mut sources = Vec::new();
    expand(Item::upload("a.zip", climbing), &limits, &mut |item| {
        sources.push(item.unwrap().path.join("/"));
        true
    });
    assert_eq!(sources, ["tmp", "etc"]);
    assert!(!Path::new("/tmp/neverafk-climbed.md").exists());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    /// Bytes of the fixtures are changed, cut out and doubled; whatever comes is a result.
    #[test]
    fn changed_files_never_crash(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..24),
        cut in prop::option::of((any::<prop::sample::Index>(), 1usize..200)),
    ) {
        let all = fixtures();
        let (name, mut bytes) = all[which.index(all.len())].clone();
        for (place, value) in changes {
            let at = place.index(bytes.len());
            bytes[at] = value;
        }
        if let Some((place, length)) = cut {
            let at = place.index(bytes.len());
            let end = (at + length).min(bytes.len());
            bytes.drain(at..end);
        }
        let began = Instant::now();
        let _ = read(&name, bytes, &limits());
        prop_assert!(began.elapsed() < Duration::from_secs(20), "{name}");
    }
}

#[test]
fn changed_parts_of_office_files_never_crash() {
    // Changes of packed bytes mostly end in the checksum; so the parts themselves are changed too, and packed again.
    use rand::{Rng, SeedableRng};
    let limits = limits();
    let mut random = rand::rngs::StdRng::seed_from_u64(5817);
    for (name, bytes) in fixtures() {
        let Ok(mut archive) = zip::ZipArchive::new(Cursor::new(bytes)) else { continue };
        let parts: Vec<(String, Vec<u8>)> = (0..archive.len())
            .map(|at| {
                let mut entry = archive.by_index(at).unwrap();
                let name = entry.name().unwrap().into_owned();
                let mut part = Vec::new();
                std::io::Read::read_to_end(&mut entry, &mut part).unwrap();
                (name, part)
            })
            .collect();
        for _ in 0..60 {
            let mut changed = parts.clone();
            for _ in 0..random.random_range(1..4) {
                let which = random.random_range(0..changed.len());
                let part = &mut changed[which].1;
                if part.is_empty() || which == 0 && part.len() < 100 {
                    continue;
                }
                let at = random.random_range(0..part.len());
                match random.random_range(0..4) {
                    0 => part.truncate(at),
                    1 => part[at] = *b"<>&\"'/\0\xff0".get(random.random_range(0..9)).unwrap(),
                    2 => drop(part.drain(at..(at + random.random_range(1..40)).min(part.len()))),
                    _ => {
                        let copy = part[at..(at + 200).min(part.len())].to_vec();
                        part.splice(at..at, copy);
                    }
                }
            }
            let files: Vec<(&str, &[u8])> =
                changed.iter().map(|(name, part)| (name.as_str(), part.as_slice())).collect();
            let _ = read(&name, zipped(&files), &limits);
        }
    }
}
