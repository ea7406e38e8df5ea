//! The path with real code and weights that fit into a test: a model of Whisper's shape that knows 26 words
//! (`tests/reference/tiny_whisper.py` made it), Silero's weights where they are installed, generated noise.

use std::io::Read;

use super::vad::Voice;
use super::*;
use crate::inference::{Segment, Window};

/// The tiny model, unpacked into a file.
fn tiny() -> Option<tempfile::NamedTempFile> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/media/ggml-words.bin.gz");
    let Ok(packed) = std::fs::File::open(&path) else {
        eprintln!("skipped: {} is missing", path.display());
        return None;
    };
    let mut file = tempfile::NamedTempFile::new().unwrap();
    std::io::copy(&mut flate2::read::GzDecoder::new(packed), &mut file).unwrap();
    Some(file)
}

/// Silero's weights: those of `NEVERAFK_TEST_VAD`, or of the models folder.
fn silero() -> Option<PathBuf> {
    let folder = std::env::var_os("NEVERAFK_MODELS_DIR").map(PathBuf::from);
    let folder = folder.map(|folder| folder.join("silero-vad/ggml-silero-v6.2.0.bin"));
    let path = std::env::var_os("NEVERAFK_TEST_VAD").map(PathBuf::from).or(folder);
    let path = path.filter(|path| path.is_file());
    if path.is_none() {
        eprintln!("skipped: Silero's weights are missing; NEVERAFK_TEST_VAD names their file");
    }
    path
}

fn open(weights: &Path, voice: Option<PathBuf>) -> Result<LocalTranscriber, ModelError> {
    LocalTranscriber::open(&WhisperOptions {
        name: "words".into(),
        revision: "test".into(),
        weights: weights.to_owned(),
        voice,
        threads: 1,
    })
}

/// The held-out lesson: its samples, and its sentences with their times.
fn lesson() -> (Vec<f32>, Vec<(u64, u64, String)>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/media");
    let mut packed = flate2::read::GzDecoder::new(std::fs::File::open(folder.join("lesson.wav.gz")).unwrap());
    let mut bytes = Vec::new();
    packed.read_to_end(&mut bytes).unwrap();
    let pairs = bytes[44..].chunks_exact(2);
    let samples = pairs.map(|two| f32::from(i16::from_le_bytes([two[0], two[1]])) / 32_768.0).collect();
    let lines = std::fs::read_to_string(folder.join("lesson.tsv")).unwrap();
    let line = |line: &str| {
        let mut parts = line.split('\t');
        let mut time = || parts.next().unwrap().parse::<u64>().unwrap();
        (time(), time(), parts.next().unwrap().to_owned())
    };
    (samples, lines.lines().map(line).collect())
}

async fn transcribe(model: &LocalTranscriber, samples: &[f32], start_ms: u64) -> Vec<Window> {
    let (sender, blocks) = mpsc::channel(2);
    let samples = samples.to_vec();
    tokio::spawn(async move {
        for block in samples.chunks(7_001) {
            if sender.send(Ok(block.to_vec())).await.is_err() {
                return;
            }
        }
    });
    let recording = Recording { blocks, start_ms, language: None };
    let mut stream = model.transcribe(recording).await.unwrap();
    let mut windows = Vec::new();
    while let Some(window) = stream.recv().await.unwrap().unwrap() {
        windows.push(window);
    }
    windows
}

fn segments(windows: &[Window]) -> Vec<&Segment> {
    windows.iter().flat_map(|window| &window.segments).collect()
}

/// White noise from a linear congruential generator (Knuth).
fn noise(samples: usize, loud: f32) -> Vec<f32> {
    let mut state = 11u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 40) as f32 / (1u64 << 24) as f32 - 0.5) * 2.0 * loud
    };
    (0..samples).map(|_| next()).collect()
}

/// Words that have to be changed, added or dropped (Levenshtein), of all that were said.
fn word_errors(heard: &[String], said: &[String]) -> f64 {
    let mut row: Vec<usize> = (0..=said.len()).collect();
    for (i, a) in heard.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in said.iter().enumerate() {
            let changed = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[said.len()] as f64 / said.len() as f64
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

#[tokio::test]
async fn a_lesson_that_was_never_heard_becomes_words_with_times() {
    let Some(file) = tiny() else { return };
    let model = open(file.path(), None).unwrap();
    let (samples, sentences) = lesson();
    let windows = transcribe(&model, &samples, 0).await;
    let said: Vec<String> = sentences.iter().flat_map(|(_, _, text)| words(text)).collect();
    let heard: Vec<String> = segments(&windows).iter().flat_map(|segment| words(&segment.text)).collect();
    let rate = word_errors(&heard, &said);
    eprintln!("word error rate {rate:.3}: {heard:?}");
    assert!(rate <= MOST_ERRORS, "{rate:.3} of the words are wrong: {heard:?}");
    // Windows follow each other, and each sentence lies in the segment that is nearest to it.
    assert!(windows.windows(2).all(|pair| pair[0].end_ms <= pair[1].end_ms));
    for (start, end, text) in &sentences {
        let over = segments(&windows).into_iter().find(|one| one.start_ms < *end && one.end_ms > *start);
        let over = over.unwrap_or_else(|| panic!("nothing was heard at {start}: {text}"));
        assert!(over.start_ms <= start + 500 && over.end_ms + 500 >= *end, "{start} {end} {over:?}");
    }
}

/// What the tiny model gets wrong of voices that it never heard.
const MOST_ERRORS: f64 = 0.35;

#[tokio::test]
async fn one_window_is_what_whisper_cpp_itself_says() {
    let Some(file) = tiny() else { return };
    let (samples, sentences) = lesson();
    let (start, end, _) = sentences[0];
    let cut = |ms: u64| usize::try_from(ms * 16).unwrap();
    let clip = &samples[cut(start.saturating_sub(400))..cut(end + 400)];
    let ours = transcribe(&open(file.path(), None).unwrap(), clip, 0).await;
    let ours: String = segments(&ours).iter().map(|segment| segment.text.as_str()).collect();

    let context = whisper_rs::WhisperContext::new_with_params(
        file.path(),
        whisper_rs::WhisperContextParameters::default(),
    );
    let mut state = context.unwrap().create_state().unwrap();
    let mut parameters = engine::parameters(1);
    parameters.set_language(Some("en"));
    let mut padded = clip.to_vec();
    padded.resize(padded.len().max(16_000), 0.0);
    state.full(parameters, &padded).unwrap();
    let theirs: String = state.as_iter().map(|segment| segment.to_str().unwrap().trim().to_owned()).collect();
    assert_eq!(ours, theirs);
    assert!(!ours.is_empty());
}

#[tokio::test]
async fn it_goes_on_from_the_end_of_any_window() {
    let Some(file) = tiny() else { return };
    let model = open(file.path(), None).unwrap();
    let (samples, _) = lesson();
    let whole = transcribe(&model, &samples, 0).await;
    let said = whole.iter().position(|window| !window.segments.is_empty()).unwrap();
    let from = whole[said].end_ms;
    let rest = transcribe(&model, &samples[usize::try_from(from * 16).unwrap()..], from).await;
    let expected: Vec<&Segment> = segments(&whole[said + 1..]);
    let found = segments(&rest);
    assert_eq!(found.len(), expected.len(), "{found:?}\n{expected:?}");
    for (a, b) in found.iter().zip(&expected) {
        assert!(a.start_ms.abs_diff(b.start_ms) <= 300, "{a:?} {b:?}");
    }
}

#[tokio::test]
async fn silence_gives_nothing_and_who_leaves_stops_it() {
    let Some(file) = tiny() else { return };
    let model = open(file.path(), None).unwrap();
    let windows = transcribe(&model, &vec![0.0; 16_000 * 25], 0).await;
    assert!(segments(&windows).is_empty(), "{windows:?}");
    assert!(windows.last().is_some_and(|window| window.end_ms > 20_000), "silence is progress too");
    let windows = transcribe(&model, &noise(16_000 * 20, 0.1), 5_000).await;
    assert!(segments(&windows).is_empty(), "{windows:?}");

    // An endless recording: the model is free for the next one as soon as nobody listens.
    let (sender, blocks) = mpsc::channel(2);
    let (samples, _) = lesson();
    let endless = tokio::spawn(async move { while sender.send(Ok(samples.clone())).await.is_ok() {} });
    let mut stream = model.transcribe(Recording { blocks, start_ms: 0, language: None }).await.unwrap();
    stream.recv().await.unwrap().unwrap();
    drop(stream);
    tokio::time::timeout(std::time::Duration::from_secs(60), endless).await.unwrap().unwrap();
    assert!(transcribe(&model, &[0.0; 100], 0).await.is_empty());
}

#[tokio::test]
async fn what_breaks_off_while_it_is_decoded_is_an_error() {
    let Some(file) = tiny() else { return };
    let model = open(file.path(), None).unwrap();
    let (sender, blocks) = mpsc::channel(4);
    sender.send(Ok(vec![0.0; 1_000])).await.unwrap();
    sender.send(Err("the disk is gone".into())).await.unwrap();
    let mut stream = model.transcribe(Recording { blocks, start_ms: 0, language: None }).await.unwrap();
    let error = stream.recv().await.unwrap().unwrap_err();
    assert!(error.to_string().contains("the disk is gone"), "{error}");
}

#[test]
fn weights_that_cannot_be_run_say_why() {
    let folder = tempfile::tempdir().unwrap();
    let check = |bytes: &[u8], says: &str| {
        let path = folder.path().join("ggml.bin");
        std::fs::write(&path, bytes).unwrap();
        let Err(error) = open(&path, None) else { panic!("it was loaded") };
        assert!(error.to_string().contains(says), "{error}");
        assert!(matches!(error, ModelError::Unusable { .. }));
    };
    check(b"", "cut off");
    check(b"GGUF\x03\0\0\0", "not of whisper.cpp");
    check(b"lmgg\0\0\0\0", "cut off");
    let Some(file) = tiny() else { return };
    let mut bytes = std::fs::read(file.path()).unwrap();
    bytes.truncate(bytes.len() - 5_000);
    check(&bytes, "cut off");
    let Err(error) = open(file.path(), Some(file.path().to_owned())) else { panic!("it was loaded") };
    assert!(error.to_string().contains("silero-vad"), "{error}");
}

#[tokio::test]
async fn silero_hears_speech_and_neither_silence_nor_noise_nor_music() {
    let Some(weights) = silero() else { return };
    assert!(is_voice_detector(&weights));
    let speech = |samples: &[f32]| {
        let mut voice = Voice::open(Some(&weights)).unwrap();
        let found = voice.probabilities(samples, 0).unwrap();
        found.iter().filter(|&&p| p >= 0.5).count() as f64 / found.len() as f64
    };
    let seconds = 16_000 * 10;
    assert_eq!(speech(&vec![0.0; seconds]), 0.0);
    assert!(speech(&noise(seconds, 0.1)) < 0.02);
    // A chord with an envelope, as an organ plays it.
    let chord = |i: usize| {
        let time = i as f32 / 16_000.0;
        let tone = |hertz: f32| (std::f32::consts::TAU * hertz * time).sin();
        0.1 * (tone(220.0) + tone(277.2) + tone(329.6)) * (0.6 + 0.4 * (time * 3.0).sin())
    };
    let chord: Vec<f32> = (0..seconds).map(chord).collect();
    assert!(speech(&chord) < 0.05, "{}", speech(&chord));
    let (samples, sentences) = lesson();
    let spoken: u64 = sentences.iter().map(|(start, end, _)| end - start).sum();
    let share = spoken as f64 / (samples.len() as f64 / 16.0);
    let found = speech(&samples);
    assert!(found > share * 0.5 && found < share * 1.5, "{found:.2} of {share:.2}");

    // People's speech, where there is some: raw mono f32 at 16 kHz in the folder that the variable names.
    let people = std::env::var_os("NEVERAFK_TEST_SPEECH").and_then(|folder| std::fs::read_dir(folder).ok());
    for path in people.into_iter().flatten().flatten().map(|entry| entry.path()) {
        let bytes = std::fs::read(&path).unwrap();
        let fours = bytes.chunks_exact(4);
        let samples: Vec<f32> = fours.map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
        let found = speech(&samples);
        eprintln!(
            "{}: {:.0} % speech of {:.1} s",
            path.display(),
            found * 100.0,
            samples.len() as f64 / 16_000.0
        );
        assert!(found > 0.4, "{}", path.display());
    }
    let Some(file) = tiny() else { return };
    let model = open(file.path(), Some(weights.clone())).unwrap();
    assert_eq!(model.warning(), None);
    assert!(segments(&transcribe(&model, &noise(seconds, 0.1), 0).await).is_empty());
    assert!(segments(&transcribe(&model, &chord, 0).await).is_empty());
    assert!(!segments(&transcribe(&model, &samples, 0).await).is_empty());
}
