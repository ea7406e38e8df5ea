//! Recordings as a creator has them: without a speech model, with captions, with a model that knows 26 words.

use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;

use crate::support::Desk;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/media").join(name)
}

/// A packed fixture; `None`, loudly, where it is missing.
fn unpacked(name: &str) -> Option<Vec<u8>> {
    let Ok(file) = std::fs::File::open(fixture(name)) else {
        eprintln!("skipped: {name} is missing");
        return None;
    };
    let mut bytes = Vec::new();
    GzDecoder::new(file).read_to_end(&mut bytes).unwrap();
    Some(bytes)
}

fn documents(desk: &Desk) -> u64 {
    desk.json(&["creator", "show", "course"])["documents"].as_u64().unwrap()
}

#[test]
fn a_recording_is_kept_without_a_model_and_heard_when_there_is_one() {
    let (Some(lesson), Some(weights)) = (unpacked("lesson.wav.gz"), unpacked("ggml-words.bin.gz")) else {
        return;
    };
    let desk = Desk::new();
    desk.creator();
    let path = desk.write("Lesson 4.wav", lesson);
    let said = desk.json(&["ingest", path.to_str().unwrap(), "--creator", "course"]);
    assert_eq!((said["added"].as_u64(), said["chunks"].as_u64()), (Some(1), Some(0)));
    let warning = said["warnings"][0].as_str().unwrap();
    assert!(warning.contains("no speech model") && warning.contains("models pull whisper-base"), "{warning}");
    assert_eq!(documents(&desk), 1);

    let model = desk.write("words.bin", weights);
    desk.ok(&["models", "import", model.to_str().unwrap()]);
    let said = desk.json(&["ingest", path.to_str().unwrap(), "--creator", "course"]);
    assert_eq!((said["replaced"].as_u64(), documents(&desk)), (Some(1), 1), "{said}");
    // Which words the small model gets right is its own business; what it heard lies where it was said.
    let lines = std::fs::read_to_string(fixture("lesson.tsv")).unwrap();
    let lines: Vec<(u64, &str)> = lines
        .lines()
        .map(|line| line.split_once('\t').unwrap())
        .map(|(start, rest)| (start.parse().unwrap(), rest.split_once('\t').unwrap().1))
        .collect();
    let right = ["canvas", "brush", "seven", "lesson", "white"].into_iter().filter(|word| {
        let found = desk.json(&["search", word, "--creator", "course"]);
        let Some(hit) = found["hits"].get(0).filter(|hit| hit["text"].as_str().unwrap().contains(word))
        else {
            return false;
        };
        let (from, to) = (&hit["anchor"]["start_ms"], &hit["anchor"]["end_ms"]);
        let (from, to) = (from.as_u64().unwrap(), to.as_u64().unwrap());
        lines.iter().any(|(start, words)| words.contains(word) && from <= start + 500 && to + 500 >= *start)
    });
    assert!(right.count() >= 3, "hardly a word is found where it was said");
    let report = desk.json(&["bench", "ingest", "--quick", "--recording", path.to_str().unwrap()]);
    let figures = &report["measurements"][0]["figures"];
    assert_eq!(
        (&figures[0]["name"], &figures[1]["name"]),
        (&"times_real_time".into(), &"words".into()),
        "{report}"
    );
    assert!(
        figures[0]["value"]["median"].as_f64() > Some(0.0)
            && figures[1]["value"]["median"].as_f64() > Some(3.0)
    );
    // Known now, and nothing is left of the work.
    let said = desk.json(&["ingest", path.to_str().unwrap(), "--creator", "course"]);
    assert_eq!(said["unchanged"].as_u64(), Some(1));
    let kept = desk.data().join("transcripts/course");
    assert_eq!(std::fs::read_dir(kept).map_or(0, Iterator::count), 0);
}

#[test]
fn captions_that_come_later_take_the_place_of_what_was_there() {
    let desk = Desk::new();
    desk.creator();
    let path = desk.write("talk.mp4", std::fs::read(fixture("tone.mp4")).unwrap());
    let ingest = || desk.json(&["ingest", path.to_str().unwrap(), "--creator", "course"]);
    assert_eq!(ingest()["added"], 1);
    for (weeks, expected) in [("41", "replaced"), ("41", "unchanged"), ("17", "replaced")] {
        let words = format!("WEBVTT\n\n00:01.000 --> 00:04.000\nThe varnish cures for {weeks} weeks.\n");
        desk.write("talk.en.vtt", words);
        assert_eq!(ingest()[expected], 1, "{weeks}");
        let answer = desk.ask("How long does the varnish cure?");
        assert!(answer["response"].as_str().unwrap().contains(weeks), "{answer}");
    }
    assert_eq!(documents(&desk), 1);
}

#[test]
fn captions_beside_a_recording_are_its_words() {
    let desk = Desk::new();
    desk.creator();
    desk.write("course/talk.mp4", std::fs::read(fixture("tone.mp4")).unwrap());
    let captions = "WEBVTT\n\n00:01.000 --> 00:04.000\nThe varnish cures for 41 weeks.\n";
    let folder = desk.write("course/talk.en.vtt", captions);
    desk.write("course/other.vtt", "WEBVTT\n\n00:02.000 --> 00:03.000\nThe gesso dries in 9 hours.\n");
    desk.ingest(folder.parent().unwrap());
    assert_eq!(documents(&desk), 2, "the recording with its words, and captions of something else");
    let hit = desk.json(&["search", "varnish cures", "--creator", "course"])["hits"][0].clone();
    assert_eq!(
        (hit["anchor"]["start_ms"].as_u64(), hit["anchor"]["end_ms"].as_u64()),
        (Some(1000), Some(4000))
    );
    assert_eq!(hit["title"], "talk");
    assert!(desk.ask("How long does the varnish cure?")["response"].as_str().unwrap().contains("41 weeks"));
}

#[test]
fn what_is_no_recording_or_has_no_sound_is_refused_in_words() {
    let desk = Desk::new();
    desk.creator();
    let refused = |name: &str, bytes: Vec<u8>| {
        let path = desk.write(name, bytes);
        desk.refused(&["ingest", path.to_str().unwrap(), "--creator", "course"])
    };
    let silent = refused("silent.mp4", std::fs::read(fixture("silent.mp4")).unwrap());
    assert!(silent.contains("has no sound"), "{silent}");
    let broken = refused("broken.flac", b"fLaC\0\0\0\x22 and nothing of a recording".to_vec());
    assert!(broken.contains("damaged") || broken.contains("cannot be read"), "{broken}");
    assert_eq!(documents(&desk), 0);
}

/// With a folder for `PATH` in which there is no `ffmpeg`: what is read here is read without it, in the confined process,
/// also where the table of the samples stands at the end of the file, as in `tone.m4a`.
#[test]
fn every_container_that_is_read_here_needs_no_helper() {
    let desk = Desk::new();
    desk.creator();
    let nothing = desk.write("bin/readme.txt", "no programs");
    let ingest = |path: &Path| {
        let mut command = desk.command(&["ingest", path.to_str().unwrap(), "--creator", "course", "--json"]);
        let output = command.env("PATH", nothing.parent().unwrap()).output().unwrap();
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
    };
    let names = [
        "tone.mp3",
        "tone.m4a",
        "tone.aac",
        "tone-alac.m4a",
        "tone.ogg",
        "tone.opus",
        "tone.flac",
        "tone.aiff",
        "tone.webm",
        "tone.mp4",
        "tone.mkv",
    ];
    for name in names {
        let said = ingest(&desk.write(name, std::fs::read(fixture(name)).unwrap()));
        assert_eq!((&said["added"], &said["failed"]), (&1.into(), &serde_json::json!([])), "{name}: {said}");
    }
    // What only a helper reads says so.
    let said = ingest(&desk.write("tone.wma", std::fs::read(fixture("tone.wma")).unwrap()));
    assert!(said["failed"].to_string().contains("ffmpeg"), "{said}");
}
