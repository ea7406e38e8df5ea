//! A recording becomes words with times: decode, transcribe, keep what is done, or take the captions that lie beside it.
//!
//! One recording at a time, whoever asks. Decoding runs on a blocking thread and hands blocks to the model's own thread
//! through a bounded channel, so nothing piles up; finished windows are kept on the disk ([`kept`]), and a run after a crash
//! goes on at the last of them. Without a speech model a recording is kept and says what is missing.

mod kept;
mod under_way;

#[cfg(test)]
mod tests;

use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use tempfile::TempPath;
use tokio::sync::{Semaphore, mpsc};

use super::extract::captions;
use super::extract::{Builder, ExtractError, ExtractOptions, Limits};
use super::sandbox::{Decoding, Reader, Reading, Sandbox};
use crate::domain::{ContentHash, CreatorId, Text};
use crate::inference::transcribers::Transcribers;
use crate::inference::{ModelError, Recording, Segment, Transcriber};

use kept::Kept;
pub use under_way::UnderWay;

/// Blocks that may wait for the model: some seconds.
const BLOCKS: usize = 32;

/// Begins the warning of a recording that nobody could listen to; [`super::Ingest`] looks for it.
pub const UNHEARD: &str = "no speech model";

/// What turns recordings into words.
#[derive(Clone)]
pub struct Hearing {
    transcribers: Arc<Transcribers>,
    folder: PathBuf,
    /// Where recordings are decoded.
    sandbox: Sandbox,
    turn: Arc<Semaphore>,
    under_way: UnderWay,
}

/// A recording on the disk, as it may be too large to hold.
#[derive(Debug, Clone)]
pub struct MediaFile {
    pub path: PathBuf,
    pub bytes: u64,
    /// Deletes a file that was made for this.
    _temporary: Option<Arc<TempPath>>,
}

impl MediaFile {
    /// A file that stays where it is.
    pub fn at(path: PathBuf, bytes: u64) -> Self {
        Self { path, bytes, _temporary: None }
    }

    /// A file that is deleted with the last clone of this.
    pub fn temporary(path: TempPath) -> std::io::Result<Self> {
        let bytes = std::fs::metadata(&path)?.len();
        Ok(Self { path: path.to_path_buf(), bytes, _temporary: Some(Arc::new(path)) })
    }

    /// Everything that a reader gives, in a file for as long as this lives.
    pub fn spool(mut reader: impl std::io::Read, limit: u64) -> std::io::Result<Self> {
        let mut file = tempfile::NamedTempFile::new()?;
        std::io::copy(&mut std::io::Read::take(&mut reader, limit), &mut file)?;
        file.flush()?;
        Self::temporary(file.into_temp_path())
    }
}

/// Where a recording's bytes are.
#[derive(Debug, Clone)]
pub enum Original {
    Bytes(Bytes),
    File(MediaFile),
}

impl Original {
    pub fn size(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File(file) => file.bytes,
        }
    }
}

/// What is listened to.
pub struct Listen<'a> {
    pub creator: &'a CreatorId,
    /// Names it within its creator, for whoever asks how far it is.
    pub source: &'a str,
    pub name: &'a str,
    pub content: ContentHash,
    pub original: Original,
    /// A caption file that belongs to it: its words count, and nothing is transcribed.
    pub captions: Option<Bytes>,
    pub limits: &'a Limits,
}

/// Why a recording gave no words.
#[derive(Debug, thiserror::Error)]
pub enum HearError {
    #[error(transparent)]
    Extract(#[from] ExtractError),
    #[error(transparent)]
    Model(#[from] ModelError),
}

impl Hearing {
    /// `folder` is where windows that are done are kept until their recording is; `sandbox` where sound is decoded.
    pub fn new(transcribers: Arc<Transcribers>, folder: PathBuf, sandbox: Sandbox) -> Self {
        Self {
            transcribers,
            folder,
            sandbox,
            turn: Arc::new(Semaphore::new(1)),
            under_way: UnderWay::default(),
        }
    }

    /// How far each recording is.
    pub fn under_way(&self) -> &UnderWay {
        &self.under_way
    }

    /// Whether there is a model that listens.
    pub async fn can_hear(&self) -> bool {
        self.model().await.is_ok()
    }

    /// The words of a recording with their times.
    pub async fn words(&self, what: Listen<'_>) -> Result<Text, HearError> {
        let (size, limit) = (what.original.size(), what.limits.recording_bytes);
        if size > limit {
            return Err(ExtractError::TooLarge { bytes: size, limit }.into());
        }
        if let Some(bytes) = &what.captions {
            match self.captions(bytes.clone(), what.limits).await {
                Ok(text) => return Ok(text),
                // Nothing is the matter with the captions, then.
                Err(HearError::Extract(error @ (ExtractError::NoReader(_) | ExtractError::Stopped))) => {
                    return Err(error.into());
                }
                Err(HearError::Model(error)) => return Err(error.into()),
                Err(error) => tracing::warn!(%error, name = what.name, "captions are left for transcription"),
            }
        }
        // Waiting costs nothing; two models at once would cost the memory of both.
        let _turn =
            self.turn.acquire().await.map_err(|_| ModelError::Unavailable("the program ends".into()))?;
        let model = match self.model().await {
            Ok(model) => model,
            Err(ModelError::NotInstalled { model }) => {
                return without_model(&what, &model, &self.sandbox).await;
            }
            Err(error) => return Err(error.into()),
        };
        let kept = Kept::open(&self.folder, what.creator, what.content, model.as_ref());
        let (kept, before) = blocking(move || kept.load()).await?;
        let start_ms = before.last().map_or(0, |window| window.end_ms);
        let language = before.iter().find_map(|window| window.language.clone());
        if start_ms > 0 {
            tracing::info!(name = what.name, start_ms, "going on where transcription was left");
        }
        let mut windows = before;
        let warnings = self.listen(&what, model.as_ref(), kept, start_ms, language, &mut windows).await?;
        let (limits, unsure) = (what.limits.clone(), model.warning().map(str::to_owned));
        let segments: Vec<Segment> = windows.into_iter().flat_map(|window| window.segments).collect();
        Ok(text_of(segments, &limits, warnings.into_iter().chain(unsure))?)
    }

    /// The words of captions that somebody wrote: better than what a model hears.
    pub async fn captions(&self, bytes: Bytes, limits: &Limits) -> Result<Text, HearError> {
        let (sandbox, limits) = (self.sandbox.clone(), limits.clone());
        let read = blocking(move || {
            let reading = Reading { sandbox: &sandbox, limits: &limits, stop: &|| false };
            Reader::new(reading).captions(&bytes)
        });
        Ok(read.await??)
    }

    /// What was kept of a recording is not needed any more: its words are recorded.
    pub async fn forget(&self, creator: &CreatorId, content: ContentHash) {
        let (folder, creator) = (self.folder.clone(), creator.clone());
        match blocking(move || kept::forget(&folder, &creator, content)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "what was kept of a transcription stays"),
            Err(error) => tracing::warn!(%error, "what was kept of a transcription stays"),
        }
    }

    async fn model(&self) -> Result<Arc<dyn Transcriber>, ModelError> {
        let transcribers = self.transcribers.clone();
        blocking(move || transcribers.get()).await?
    }

    /// Transcribes from `start_ms` on; windows are kept as they come. Gives what could not be decoded, in sentences.
    async fn listen(
        &self,
        what: &Listen<'_>,
        model: &dyn Transcriber,
        kept: Kept,
        start_ms: u64,
        language: Option<String>,
        windows: &mut Vec<crate::inference::Window>,
    ) -> Result<Vec<String>, HearError> {
        let (sender, blocks) = mpsc::channel(BLOCKS);
        let (original, name) = (what.original.clone(), what.name.to_owned());
        let progress = self.under_way.begin(what.creator, what.source);
        let told = progress.clone();
        let (sandbox, limits) = (self.sandbox.clone(), what.limits.clone());
        let decoding = tokio::task::spawn_blocking(move || {
            let stop = || sender.is_closed();
            let reading = Reading { sandbox: &sandbox, limits: &limits, stop: &stop };
            let read = open(original, &name, reading).and_then(|sound| {
                told.length(sound.duration_ms());
                decode_all(sound, start_ms, &sender)
            });
            if let Err(error) = &read {
                // Whoever transcribes has left when this cannot be sent.
                let _ = sender.blocking_send(Err(error.to_string()));
            }
            read
        });
        let mut kept = Some(kept);
        let mut stream = model.transcribe(Recording { blocks, start_ms, language }).await?;
        let ended = loop {
            match stream.recv().await {
                Some(Ok(Some(window))) => {
                    progress.reached(window.end_ms);
                    windows.push(window.clone());
                    let Some(mut file) = kept.take() else { continue };
                    match blocking(move || file.add(&window).map(|()| file)).await? {
                        Ok(file) => kept = Some(file),
                        // A full disk ends the keeping and not the work.
                        Err(error) => {
                            tracing::warn!(%error, "what is transcribed cannot be kept for a restart")
                        }
                    }
                }
                Some(Ok(None)) => break Ok(()),
                Some(Err(error)) => break Err(error),
                None => break Err(ModelError::Unavailable("it ended while it listened".into())),
            }
        };
        // Without a listener decoding ends with its next block.
        drop(stream);
        let decoded = decoding.await.map_err(|error| {
            tracing::error!(%error, "decoding a recording crashed");
            ExtractError::Crashed("decoding".into())
        })?;
        // What decoding says comes first: the model only heard that it broke off.
        let warnings = decoded?;
        ended?;
        Ok(warnings)
    }
}

/// Decodes everything and drops what lies before `start_ms`; stops when nobody takes the blocks any more.
fn decode_all(
    mut sound: Decoding,
    start_ms: u64,
    sender: &mpsc::Sender<Result<Vec<f32>, String>>,
) -> Result<Vec<String>, ExtractError> {
    let mut skip = start_ms * u64::from(super::extract::audio::RATE) / 1000;
    while let Some(mut block) = sound.next_block()? {
        let dropped = usize::try_from(skip).unwrap_or(usize::MAX).min(block.len());
        skip -= dropped as u64;
        if dropped > 0 {
            block.drain(..dropped);
        }
        if !block.is_empty() && sender.blocking_send(Ok(block)).is_err() {
            break;
        }
    }
    Ok(sound.warnings())
}

/// Opens a recording where foreign bytes are read; one in memory is written to a file for it.
fn open<'a>(original: Original, name: &str, reading: Reading<'a>) -> Result<Decoding<'a>, ExtractError> {
    let file = match original {
        Original::File(file) => file,
        Original::Bytes(bytes) => {
            let spooled = MediaFile::spool(Cursor::new(bytes), u64::MAX);
            spooled.map_err(|_| ExtractError::Damaged("recording"))?
        }
    };
    Decoding::open(file, name, reading)
}

/// A recording that is kept without words. That it can be read is checked, as a damaged one should be sent again now.
async fn without_model(what: &Listen<'_>, model: &str, sandbox: &Sandbox) -> Result<Text, HearError> {
    let (original, name) = (what.original.clone(), what.name.to_owned());
    let (sandbox, limits) = (sandbox.clone(), what.limits.clone());
    blocking(move || {
        let reading = Reading { sandbox: &sandbox, limits: &limits, stop: &|| false };
        open(original, &name, reading).map(drop)
    })
    .await??;
    let sentence = format!(
        "{UNHEARD}: nothing of the recording can be found until `neverafk models pull {model}` and bringing it in again"
    );
    Ok(text_of(Vec::new(), what.limits, std::iter::once(sentence))?)
}

fn text_of(
    segments: Vec<Segment>,
    limits: &Limits,
    warnings: impl Iterator<Item = String>,
) -> Result<Text, ExtractError> {
    let options = ExtractOptions { limits, password: None, stop: &|| false };
    let mut builder = Builder::new(&options);
    let mut warnings = warnings.peekable();
    if segments.is_empty() && !warnings.peek().is_some_and(|sentence| sentence.starts_with(UNHEARD)) {
        builder.warn("no speech was heard in the recording");
    }
    for warning in warnings {
        builder.warn(warning);
    }
    captions::spoken(segments, &mut builder)?;
    Ok(builder.finish_empty())
}

/// The endings of caption files, the best first.
pub const CAPTION_ENDINGS: [&str; 4] = ["vtt", "srt", "ttml", "dfxp"];

/// Whether `captions` is the name of captions to the recording `media`: the same base name, and perhaps a language:
/// `Lesson 1.mp4` has `Lesson 1.vtt` and `Lesson 1.en.srt`.
pub fn belongs(captions: &str, media: &str) -> bool {
    let Some((base, ending)) = captions.rsplit_once('.') else { return false };
    let media = media.rsplit_once('.').map_or(media, |(base, _)| base);
    let ending = ending.to_ascii_lowercase();
    if !CAPTION_ENDINGS.contains(&ending.as_str()) || media.is_empty() {
        return false;
    }
    let rest = base.strip_prefix(media);
    // Language tags (BCP 47) are short and of letters, digits and hyphens.
    rest.is_some_and(|rest| {
        rest.is_empty()
            || rest.strip_prefix(['.', '_']).is_some_and(|tag| {
                (2..=11).contains(&tag.len()) && tag.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            })
    })
}

/// The captions beside a recording on the disk.
pub fn captions_beside(media: &Path, limit: u64) -> Option<Bytes> {
    let name = media.file_name()?.to_str()?;
    let mut found: Vec<PathBuf> = std::fs::read_dir(media.parent()?)
        .ok()?
        .flatten()
        .filter(|entry| entry.file_name().to_str().is_some_and(|other| belongs(other, name)))
        .map(|entry| entry.path())
        .collect();
    // The shortest name has no language in it: it is in that of the recording.
    found.sort_by_key(|path| (path.as_os_str().len(), path.clone()));
    let path = found.into_iter().find(|path| path.is_file())?;
    let size = std::fs::metadata(&path).ok()?.len();
    (size <= limit).then(|| std::fs::read(&path).ok()).flatten().map(Bytes::from)
}

/// Runs computing and reading off the async threads.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, ModelError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| ModelError::Unavailable(error.to_string()))
}
