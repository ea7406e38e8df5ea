//! `bench ingest`, recordings: how many times faster than it plays a recording is decoded, and heard.
//!
//! Decoding is measured on a minute that is made here; hearing on a recording that the caller names, as how quickly words are
//! found depends on what is said. What is heard goes the way of `neverafk ingest`, speech detection and kept windows
//! included, and nothing of it stays.

use std::io::Cursor;
use std::path::Path;
use std::time::Instant;

use bytes::Bytes;
use serde_json::json;

use super::report::{Better, Report, sampled};
use super::{BenchError, Pace};
use crate::app::App;
use crate::domain::{ContentHash, CreatorId};
use crate::inference::ModelError;
use crate::ingest::IngestError;
use crate::ingest::extract::ExtractError;
use crate::ingest::extract::audio::Sound;
use crate::ingest::hear::{HearError, Listen, Original};
use crate::problem::Problem;

/// Bytes of the head of a WAV file.
const HEAD: usize = 44;

/// A minute of stereo at 44.1 kHz, decoded and resampled as a recording is before anybody listens to it.
pub fn decoded(report: &mut Report, pace: &Pace<'_>) -> Result<(), BenchError> {
    const SECONDS: u32 = 60;
    const SOURCE: u32 = 44_100;
    let data = SECONDS * SOURCE * 4;
    let mut file: Vec<u8> = Vec::with_capacity(HEAD + data as usize);
    file.extend(b"RIFF");
    file.extend((36 + data).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x02\0");
    file.extend(SOURCE.to_le_bytes());
    file.extend((SOURCE * 4).to_le_bytes());
    file.extend(b"\x04\0\x10\0data");
    file.extend(data.to_le_bytes());
    file.extend((0..data / 2).flat_map(|i| ((i % 4_001) as i16 - 2_000).to_le_bytes()));
    let file = Bytes::from(file);
    let (began, mut rates) = (Instant::now(), Vec::new());
    while rates.len() < pace.least || began.elapsed() < pace.budget {
        let run = Instant::now();
        let seconds = seconds_of(file.clone(), "sound.wav")?;
        rates.push(seconds / run.elapsed().as_secs_f64());
    }
    report.add(
        "sound, decoded and resampled".to_owned(),
        json!({"kind": "PCM", "way": "44.1 kHz stereo to 16 kHz mono"}),
        vec![sampled("times_real_time", "x", Better::Higher, rates)],
    );
    Ok(())
}

/// A recording, heard by the speech model of the settings.
pub async fn heard(app: &App, path: &Path, report: &mut Report, pace: &Pace<'_>) -> Result<(), BenchError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let bytes = tokio::fs::read(path)
        .await
        .map(Bytes::from)
        .map_err(|error| BenchError::Unreadable { path: path.to_owned(), error })?;
    let ingest = app.ingest();
    if !ingest.hearing.can_hear().await {
        let missing = ModelError::NotInstalled { model: "whisper-base".into() };
        return Err(BenchError::from(missing));
    }
    let (decoding, named) = (bytes.clone(), name.clone());
    let seconds = tokio::task::spawn_blocking(move || seconds_of(decoding, &named));
    let seconds = seconds.await.map_err(Problem::internal)??;
    let creator: CreatorId = "bench-sound".parse().map_err(Problem::from)?;
    let content = ContentHash::of(&bytes);
    pace.tell(0.0, &name);
    let runs = pace
        .repeat(async |_| {
            let began = Instant::now();
            let listen = Listen {
                creator: &creator,
                source: &name,
                name: &name,
                content,
                original: Original::Bytes(bytes.clone()),
                captions: None,
                limits: &ingest.options.limits,
            };
            let words = ingest.hearing.words(listen).await.map_err(|error| of_hearing(&name, error))?;
            let took = began.elapsed().as_secs_f64();
            // Else the next run would go on where this one ended.
            ingest.hearing.forget(&creator, content).await;
            Ok::<_, BenchError>((seconds / took, words.text.split_whitespace().count() as f64))
        })
        .await?;
    report.add(
        format!("{name}, heard"),
        json!({"kind": "recording", "way": "heard", "seconds": seconds}),
        vec![
            sampled("times_real_time", "x", Better::Higher, runs.iter().map(|run| run.0)),
            sampled("words", "", Better::Neither, runs.iter().map(|run| run.1)),
        ],
    );
    Ok(())
}

/// Decodes a whole recording and gives its length in seconds.
fn seconds_of(file: Bytes, name: &str) -> Result<f64, BenchError> {
    let failed = |error: ExtractError| of_hearing(name, error.into());
    let mut sound = Sound::open(Box::new(Cursor::new(file)), name).map_err(failed)?;
    while sound.next_block().map_err(failed)?.is_some() {}
    Ok(sound.position_ms() as f64 / 1000.0)
}

fn of_hearing(name: &str, error: HearError) -> BenchError {
    match error {
        HearError::Extract(error) => IngestError::Extract { name: name.to_owned(), error }.into(),
        HearError::Model(error) => error.into(),
    }
}
