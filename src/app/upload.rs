//! Files that a creator sends: kept on the disk on their way in, made searchable at once or queued.
//!
//! Called by the HTTP edge and by commands. What becomes of an item is [`ingest`](crate::ingest)'s; who works through the
//! queue is [`jobs`](crate::jobs).

use std::path::Path;

use super::leave::SENT_BACKUP;
use super::{App, now, random};
use crate::domain::{CreatorId, Job, JobId, JobKind, JobLane, JobState, MediaType};
use crate::ingest::detect::{self, Kind as Content};
use crate::ingest::hear::MediaFile;
use crate::ingest::{Ingested, Item, Payload, source};
use crate::problem::{Kind, Problem};
use crate::store::StoreError;

/// Begins the name of a file that is being sent.
const UPLOAD: &str = ".upload-";

/// A file that a creator sends.
pub struct Upload {
    pub name: String,
    pub title: Option<String>,
    pub password: Option<String>,
    pub file: tempfile::NamedTempFile,
}

impl App {
    /// A place in the data directory for bytes on their way in; gone when dropped.
    pub fn temporary_file(&self) -> Result<tempfile::NamedTempFile, Problem> {
        let named = tempfile::Builder::new().prefix(UPLOAD).tempfile_in(&self.config.data_dir);
        named.map_err(|error| match error.kind() {
            std::io::ErrorKind::StorageFull => StoreError::Full(error.to_string()).into(),
            _ => Problem::internal(error),
        })
    }

    /// Makes an uploaded file searchable.
    pub async fn ingest_upload(&self, creator: &CreatorId, upload: Upload) -> Result<Ingested, Problem> {
        self.store.creator(creator).await?;
        let (title, password) = (upload.title, upload.password);
        let item = Item { title, password, ..uploaded(upload.name, upload.file).await? };
        Ok(self.ingest().one(creator, item).await?)
    }

    /// Keeps an uploaded file and queues the work on it.
    pub async fn enqueue_upload(&self, creator: &CreatorId, upload: Upload) -> Result<JobId, Problem> {
        let title = upload.title;
        self.enqueue(creator, Item { title, ..uploaded(upload.name, upload.file).await? }).await
    }

    /// Keeps a file's bytes and queues the work on them. Records of a corpus have no file to keep.
    pub async fn enqueue(&self, creator: &CreatorId, item: Item) -> Result<JobId, Problem> {
        self.store.creator(creator).await?;
        let looked = tokio::task::spawn_blocking(move || (lane(&item), item));
        let (lane, item) = looked.await.map_err(Problem::internal)?;
        let original = match item.payload {
            Payload::File(bytes) => self.store.blobs().put(bytes).await?,
            Payload::Recording(file) => self.store.blobs().put_file(file.path.clone()).await?,
            Payload::Record(_) | Payload::Heard { .. } => {
                return Err(Problem::new(
                    Kind::Invalid,
                    "not_a_file",
                    "a corpus cannot be queued",
                    "bring corpora in without `--detach`",
                ));
            }
        };
        let (id, time) = (JobId::from_bytes(random()?), now());
        let job = Job {
            id: id.clone(),
            creator: creator.clone(),
            kind: JobKind::IngestDocument {
                source: item.source,
                title: item.title,
                content: original.content(),
            },
            lane,
            state: JobState::Queued,
            attempts: 0,
            created_at: time,
            updated_at: time,
        };
        self.store.enqueue(job).await?;
        self.wake.notify_one();
        Ok(id)
    }
}

/// Jobs of a creator that are looked through for those that were given up.
const RECENT: usize = 1_000;

/// A job that was given up.
pub struct Stuck {
    pub job: Job,
    /// Its bytes are still there, so that it can be tried again.
    pub can_retry: bool,
}

impl App {
    /// What of a creator's recent files and looks was given up, newest first.
    pub async fn stuck(&self, creator: &CreatorId) -> Result<Vec<Stuck>, Problem> {
        let mut stuck = Vec::new();
        for job in self.store.jobs(creator, RECENT).await? {
            if matches!(job.state, JobState::Parked { .. }) {
                let can_retry = self.can_retry(&job).await?;
                stuck.push(Stuck { job, can_retry });
            }
        }
        Ok(stuck)
    }

    /// Queues a job again that was given up, with all its tries.
    pub async fn retry(&self, creator: &CreatorId, id: &JobId) -> Result<(), Problem> {
        let job = self
            .store
            .job(id)
            .await?
            .filter(|job| job.creator == *creator && matches!(job.state, JobState::Parked { .. }));
        let Some(job) = job else { return Err(not_given_up(id)) };
        if !self.can_retry(&job).await? {
            return Err(Problem::new(
                Kind::Gone,
                "file_gone",
                "the file of this job is not there any more",
                "send the file again",
            ));
        }
        let job = Job { state: JobState::Queued, attempts: 0, updated_at: now(), ..job };
        self.store.enqueue(job).await?;
        self.wake.notify_one();
        Ok(())
    }

    /// Forgets a job that was given up.
    pub async fn forget_stuck(&self, creator: &CreatorId, id: &JobId) -> Result<(), Problem> {
        match self.store.forget_parked(creator, id).await? {
            true => Ok(()),
            false => Err(not_given_up(id)),
        }
    }

    async fn can_retry(&self, job: &Job) -> Result<bool, Problem> {
        Ok(match job.kind.content() {
            Some(content) => self.store.blobs().file(&content).await?.is_some(),
            None => true,
        })
    }
}

fn not_given_up(id: &JobId) -> Problem {
    Problem::new(
        Kind::Missing,
        "unknown_job",
        format!("there is no job `{id}` that was given up"),
        "load the page again: it may have been tried or forgotten already",
    )
}

/// Deletes files that were being sent when a process was killed; gives their number.
pub(super) fn left(directory: &Path) -> std::io::Result<usize> {
    let mut count = 0;
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(UPLOAD) && entry.file_type()?.is_file() {
            std::fs::remove_file(entry.path())?;
            count += 1;
        } else if entry.file_name().to_string_lossy().starts_with(SENT_BACKUP) && entry.file_type()?.is_dir()
        {
            std::fs::remove_dir_all(entry.path())?;
            count += 1;
        }
    }
    Ok(count)
}

/// Longest file of the lane for a few pages: a chapter of text, or a PDF without pictures. What is read of it takes a second.
const SHORT: usize = 256 << 10;

/// Where the work on a file waits, as far as its first bytes and its length tell.
fn lane(item: &Item) -> JobLane {
    let of = |head: &[u8], is_short: bool| match detect::detect(head, &item.name) {
        Ok(Content::Document(media)) if media.is_recording() || media == MediaType::Picture => JobLane::Media,
        Ok(Content::Document(_)) if is_short => JobLane::Short,
        // Of what is packed nobody knows how much it is.
        _ => JobLane::Documents,
    };
    match &item.payload {
        Payload::File(bytes) => of(bytes, bytes.len() <= SHORT),
        Payload::Recording(file) => {
            source::head(&file.path).map_or(JobLane::Documents, |head| of(&head, false))
        }
        Payload::Record(_) | Payload::Heard { .. } => JobLane::Documents,
    }
}

/// A file that was sent: a recording stays on the disk, anything else is read.
async fn uploaded(name: String, file: tempfile::NamedTempFile) -> Result<Item, Problem> {
    let read = move || {
        let head = source::head(file.path())?;
        match detect::detect(&head, &name) {
            Ok(Content::Document(media)) if media.is_recording() => {
                let file = MediaFile::temporary(file.into_temp_path())?;
                Ok(Item::recording(format!("upload:{name}"), name, file))
            }
            _ => Ok(Item::upload(&name, std::fs::read(file.path())?)),
        }
    };
    let read = tokio::task::spawn_blocking(read).await.map_err(Problem::internal)?;
    read.map_err(|error: std::io::Error| Problem::internal(error))
}
