//! Speech to words on this machine: whisper.cpp behind the [`Transcriber`] seam, on a thread of its own with low priority.
//!
//! Blocks of samples come in; `vad` says where there is speech, `spans` and `windows` cut at its pauses, `listening` has
//! each window transcribed, `filter` takes out what Whisper makes up. Silence and music therefore cost little and give no
//! text. `file` looks at weights before whisper.cpp does, which ends the process on some broken ones.

mod engine;
mod file;
mod filter;
mod listening;
mod log;
mod spans;
mod vad;
mod windows;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use tokio::sync::mpsc;

use crate::inference::worker::{Limits, Worker};
use crate::inference::{Lane, ModelError, Recording, Transcriber, WindowStream};

use engine::Engine;
use listening::Listening;

/// Windows that may wait to be taken.
const READY: usize = 4;
/// Recordings that may wait; the caller lets one in at a time.
const WAITING: usize = 4;

/// What a Whisper model is opened with.
#[derive(Debug, Clone)]
pub struct WhisperOptions {
    /// Name in the catalogue.
    pub name: String,
    /// Tells two models of one name apart.
    pub revision: String,
    pub weights: PathBuf,
    /// Silero's weights; without them loudness decides what is speech.
    pub voice: Option<PathBuf>,
    pub threads: usize,
}

/// A Whisper model with its thread.
pub struct LocalTranscriber {
    name: String,
    revision: String,
    hears_voices: bool,
    worker: Worker<Engine>,
}

impl LocalTranscriber {
    /// Loads a model and gives it its thread. Takes a second for each few hundred megabytes.
    pub fn open(options: &WhisperOptions) -> Result<Self, ModelError> {
        let engine = Engine::open(options)?;
        let limits = Limits { urgent: 1, background: WAITING };
        Ok(Self {
            name: options.name.clone(),
            revision: options.revision.clone(),
            hears_voices: options.voice.is_some(),
            worker: Worker::start("whisper", engine, limits)?,
        })
    }
}

#[async_trait]
impl Transcriber for LocalTranscriber {
    fn name(&self) -> &str {
        &self.name
    }

    fn revision(&self) -> &str {
        &self.revision
    }

    fn warning(&self) -> Option<&str> {
        (!self.hears_voices).then_some(
            "speech was told from silence by its loudness alone: `neverafk models pull silero-vad` tells it from noise and music too",
        )
    }

    async fn transcribe(&self, recording: Recording) -> Result<WindowStream, ModelError> {
        let (sender, windows) = mpsc::channel(READY);
        self.worker.submit(Lane::Background, Listening::new(recording, sender))?;
        Ok(windows)
    }
}

/// Whether these are Silero's weights as whisper.cpp reads them.
pub fn is_voice_detector(path: &Path) -> bool {
    file::is_voice_detector(path)
}
