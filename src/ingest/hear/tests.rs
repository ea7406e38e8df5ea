//! Hearing with a model made for the test: it says where it is asked to begin and what it was given.

use std::sync::Mutex;

use async_trait::async_trait;

use super::*;
use crate::inference::{Window, WindowStream};
use crate::ingest::sandbox::Program;

/// Says one segment for each second of sound, and breaks off after some.
struct Talker {
    breaks_after: Mutex<Option<usize>>,
    began: Mutex<Vec<u64>>,
}

impl Talker {
    fn new() -> Arc<Self> {
        Arc::new(Self { breaks_after: Mutex::new(None), began: Mutex::default() })
    }
}

#[async_trait]
impl Transcriber for Talker {
    fn name(&self) -> &str {
        "talker"
    }
    fn revision(&self) -> &str {
        "1"
    }
    fn warning(&self) -> Option<&str> {
        None
    }
    async fn transcribe(&self, mut recording: Recording) -> Result<WindowStream, ModelError> {
        let (sender, windows) = mpsc::channel(1);
        self.began.lock().unwrap().push(recording.start_ms);
        let breaks = self.breaks_after.lock().unwrap().take();
        tokio::spawn(async move {
            let (mut samples, mut said) = (0usize, 0usize);
            while let Some(block) = recording.blocks.recv().await {
                let block = match block {
                    Ok(block) => block,
                    Err(reason) => {
                        let _ = sender.send(Err(ModelError::Failed(reason))).await;
                        return;
                    }
                };
                samples += block.len();
                while samples >= 16_000 {
                    samples -= 16_000;
                    if breaks == Some(said) {
                        let _ = sender.send(Err(ModelError::Unavailable("the power went".into()))).await;
                        return;
                    }
                    said += 1;
                    let start_ms = recording.start_ms + (said as u64 - 1) * 1000;
                    let text = format!("This is second number {}.", start_ms / 1000);
                    let segment = Segment { start_ms, end_ms: start_ms + 900, text, speaker_turn: false };
                    let window = Window {
                        end_ms: start_ms + 1000,
                        language: Some("en".into()),
                        segments: vec![segment],
                    };
                    if sender.send(Ok(Some(window))).await.is_err() {
                        return;
                    }
                }
            }
            let _ = sender.send(Ok(None)).await;
        });
        Ok(windows)
    }
}

fn hearing(model: Option<Arc<Talker>>, folder: &Path) -> Hearing {
    let open = move || match &model {
        Some(model) => Ok(model.clone() as Arc<dyn Transcriber>),
        None => Err(ModelError::NotInstalled { model: "whisper-base".into() }),
    };
    Hearing::new(Arc::new(Transcribers::new(open)), folder.to_owned(), Sandbox::Within)
}

/// Seconds of a quiet tone as WAV.
fn recording(seconds: u32) -> Bytes {
    let samples = (0..seconds * 16_000).map(|i| ((f64::from(i) * 0.05).sin() * 1_000.0) as i16);
    let data: Vec<u8> = samples.flat_map(i16::to_le_bytes).collect();
    let length = data.len() as u32;
    let mut file = b"RIFF".to_vec();
    file.extend((36 + length).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    file.extend(16_000u32.to_le_bytes());
    file.extend(32_000u32.to_le_bytes());
    file.extend(b"\x02\0\x10\0data");
    file.extend(length.to_le_bytes());
    file.extend(data);
    Bytes::from(file)
}

async fn words(hearing: &Hearing, bytes: Bytes, captions: Option<&str>) -> Result<Text, HearError> {
    let (creator, limits) = ("anna".parse().unwrap(), Limits::default());
    let what = Listen {
        creator: &creator,
        source: "lesson.wav",
        name: "lesson.wav",
        content: ContentHash::of(&bytes),
        original: Original::Bytes(bytes),
        captions: captions.map(|text| Bytes::from(text.to_owned())),
        limits: &limits,
    };
    hearing.words(what).await
}

#[tokio::test]
async fn words_have_their_times() {
    let folder = tempfile::tempdir().unwrap();
    let model = Talker::new();
    let text = words(&hearing(Some(model), folder.path()), recording(3), None).await.unwrap();
    assert_eq!(text.blocks.len(), 3);
    assert_eq!(text.words(&text.blocks[1]), "This is second number 1.");
    let anchor = &text.blocks[1].anchor;
    assert_eq!((anchor.start_ms, anchor.end_ms), (Some(1_000), Some(1_900)));
    assert_eq!(text.warnings, []);
}

#[tokio::test]
async fn after_a_crash_it_goes_on_where_it_was_and_nothing_is_left_in_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let model = Talker::new();
    *model.breaks_after.lock().unwrap() = Some(2);
    let all = recording(5);
    let hearing = hearing(Some(model.clone()), folder.path());
    let error = words(&hearing, all.clone(), None).await.unwrap_err();
    assert!(error.to_string().contains("the power went"), "{error}");
    // A line that was cut off is not gone on from.
    let kept = folder.path().join("anna");
    let file = std::fs::read_dir(&kept).unwrap().next().unwrap().unwrap().path();
    let mut lines = std::fs::read_to_string(&file).unwrap();
    assert_eq!(lines.lines().count(), 2);
    lines.push_str("{\"end_ms\":30");
    std::fs::write(&file, lines).unwrap();

    let text = words(&hearing, all.clone(), None).await.unwrap();
    assert_eq!(*model.began.lock().unwrap(), [0, 2_000]);
    let said: Vec<&str> = text.blocks.iter().map(|block| text.words(block)).collect();
    assert_eq!(said.len(), 5, "{said:?}");
    assert_eq!(said[4], "This is second number 4.");
    assert_eq!(std::fs::read_to_string(&file).unwrap().lines().count(), 5);
    hearing.forget(&"anna".parse().unwrap(), ContentHash::of(&all)).await;
    assert_eq!(std::fs::read_dir(&kept).unwrap().count(), 0);
    // Another recording begins at its beginning.
    words(&hearing, recording(2), None).await.unwrap();
    assert_eq!(*model.began.lock().unwrap(), [0, 2_000, 0]);
}

#[tokio::test]
async fn without_a_model_a_recording_is_kept_with_a_sentence_that_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let hearing = hearing(None, folder.path());
    let text = words(&hearing, recording(1), None).await.unwrap();
    assert!(text.blocks.is_empty());
    assert_eq!(text.warnings.len(), 1);
    let sentence = &text.warnings[0].0;
    assert!(sentence.starts_with(UNHEARD) && sentence.contains("models pull whisper-base"), "{sentence}");
    // What is no recording at all is refused all the same.
    let damaged = words(&hearing, Bytes::from_static(b"RIFF\x10\0\0\0WAVEfmt "), None).await;
    assert!(matches!(damaged, Err(HearError::Extract(_))));
}

#[tokio::test]
async fn captions_count_before_what_a_model_hears() {
    let folder = tempfile::tempdir().unwrap();
    let model = Talker::new();
    let hearing = hearing(Some(model.clone()), folder.path());
    let vtt = "WEBVTT\n\n00:01.000 --> 00:02.000\nWax on.\n";
    let text = words(&hearing, recording(2), Some(vtt)).await.unwrap();
    assert_eq!((text.words(&text.blocks[0]), text.blocks.len()), ("Wax on.", 1));
    assert_eq!(text.blocks[0].anchor.start_ms, Some(1_000));
    assert!(model.began.lock().unwrap().is_empty());
    // Captions without a cue are none.
    let text = words(&hearing, recording(2), Some("WEBVTT\n")).await.unwrap();
    assert_eq!(text.blocks.len(), 2);
}

#[test]
fn captions_belong_to_the_recording_of_their_name() {
    for (captions, media, expected) in [
        ("Lesson 1.vtt", "Lesson 1.mp4", true),
        ("Lesson 1.en.srt", "Lesson 1.mp4", true),
        ("Lesson 1_de-AT.SRT", "Lesson 1.mp3", true),
        ("Lesson 10.vtt", "Lesson 1.mp4", false),
        ("Lesson 1.part two of it.vtt", "Lesson 1.mp4", false),
        ("Lesson 1.txt", "Lesson 1.mp4", false),
        ("vtt", "Lesson 1.mp4", false),
    ] {
        assert_eq!(belongs(captions, media), expected, "{captions} {media}");
    }
}

#[test]
fn the_percent_is_there_while_it_is_under_way() {
    let under_way = UnderWay::default();
    let anna: CreatorId = "anna".parse().unwrap();
    let progress = under_way.begin(&anna, "a.mp4");
    assert_eq!(under_way.percent(&anna, "a.mp4"), None);
    progress.length(Some(200_000));
    progress.reached(50_000);
    assert_eq!(under_way.percent(&anna, "a.mp4"), Some(25));
    progress.reached(400_000);
    assert_eq!(under_way.of(&anna), [("a.mp4".to_owned(), Some(99))]);
    assert_eq!(under_way.percent(&"ben".parse().unwrap(), "a.mp4"), None);
    drop(progress);
    assert_eq!(under_way.of(&anna), []);
}

#[tokio::test]
async fn captions_are_read_where_foreign_bytes_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let model = Talker::new();
    // A program that cannot be started: nothing is read in this process instead, and nothing is transcribed either.
    let program = Program { path: folder.path().join("nothing"), allowance: Default::default() };
    let hearing = Hearing { sandbox: Sandbox::Apart(program), ..hearing(Some(model.clone()), folder.path()) };
    let vtt = "WEBVTT\n\n00:01.000 --> 00:02.000\nWax on.\n";
    let error = words(&hearing, recording(1), Some(vtt)).await.unwrap_err();
    assert!(matches!(error, HearError::Extract(ExtractError::NoReader(_))), "{error}");
    assert!(model.began.lock().unwrap().is_empty());
}
