//! Work that outlives a request: claimed with a lease, done, finished; documents, short ones, media and looks beside each other
//! (`lanes`), each in their own order.
//!
//! What wakes the loop: [`Jobs::wake`], which enqueuing calls; the poll is the safety net, for jobs that another
//! process queued or left behind. No transaction is open while a job runs. An attempt is counted when a job is
//! claimed, so one that kills the process is parked after a few tries.

pub mod watch;

mod lanes;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::domain::{ContentHash, Job, JobKind, JobLane, JobState, Timestamp};
use crate::ingest::detect::{self, Kind};
use crate::ingest::hear::MediaFile;
use crate::ingest::source::{self, SourceOptions};
use crate::ingest::{Ingest, IngestError, Item};
use crate::problem::Problem;
use crate::store::{Store, StoreError};
use lanes::Lanes;

/// Longest pause between looks into the queue.
const POLL: Duration = Duration::from_secs(2);
/// A job whose process died is claimed again after this long.
const LEASE_MS: u64 = 120_000;
/// Renewed well before the lease ends.
const RENEW: Duration = Duration::from_secs(30);

/// What the runner needs.
#[derive(Clone)]
pub struct Jobs {
    pub store: Store,
    pub ingest: Ingest,
    /// How watched places are fetched from.
    pub sources: SourceOptions,
    pub wake: Arc<Notify>,
    pub now: fn() -> Timestamp,
}

/// Works through the queue until `stop`; the jobs at hand are finished or left to their leases.
pub async fn run(jobs: Jobs, stop: CancellationToken) {
    let mut lanes = Lanes::default();
    loop {
        begin(&jobs, &mut lanes).await;
        tokio::select! {
            () = stop.cancelled() => break,
            () = lanes.ended() => {}
            () = jobs.wake.notified() => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
    lanes.stop().await;
}

/// Begins what there is room for.
async fn begin(jobs: &Jobs, lanes: &mut Lanes) {
    loop {
        let free = lanes.free(Instant::now());
        if free.is_empty() {
            return;
        }
        match claim(jobs, &free).await {
            Ok(None) => return,
            Ok(Some(job)) => {
                let (lane, jobs) = (job.lane, jobs.clone());
                lanes.begin(lane, async move {
                    if let Err(error) = work(&jobs, &job).await {
                        tracing::error!(%error, job = %job.id, "what became of a job cannot be noted");
                    }
                });
            }
            Err(error) => {
                return tracing::error!(%error, "the job queue cannot be read; trying again");
            }
        }
    }
}

/// Claims and does one job, of whatever lane; whether there was one.
pub async fn step(jobs: &Jobs) -> Result<bool, StoreError> {
    let Some(job) = claim(jobs, &JobLane::ALL).await? else { return Ok(false) };
    work(jobs, &job).await?;
    Ok(true)
}

async fn claim(jobs: &Jobs, lanes: &[JobLane]) -> Result<Option<Job>, StoreError> {
    let claimed = jobs.store.claim((jobs.now)(), LEASE_MS, lanes).await?;
    if let Some(job) = &claimed {
        tracing::info!(job = %job.id, creator = %job.creator, attempt = job.attempts, "claimed a job");
    }
    Ok(claimed)
}

/// Does a claimed job and notes how it ended.
async fn work(jobs: &Jobs, job: &Job) -> Result<(), StoreError> {
    let state = tokio::select! {
        state = perform(jobs, job) => state,
        () = keep_lease(jobs, job) => None,
    };
    match state {
        Some(state) => drop(jobs.store.finish(&job.id, state, (jobs.now)()).await?),
        None => tracing::warn!(job = %job.id, "left for another try when its lease ends"),
    }
    Ok(())
}

/// Renews until dropped; returns when the lease is lost, so that two workers never do one job.
async fn keep_lease(jobs: &Jobs, job: &Job) {
    loop {
        tokio::time::sleep(RENEW).await;
        match jobs.store.renew(&job.id, (jobs.now)(), LEASE_MS).await {
            Ok(true) => {}
            Ok(false) => return tracing::warn!(job = %job.id, "the lease was lost"),
            Err(error) => return tracing::error!(%error, job = %job.id, "the lease cannot be renewed"),
        }
    }
}

/// The state that the job ends in; `None` when it may be tried again.
async fn perform(jobs: &Jobs, job: &Job) -> Option<JobState> {
    let (source, title, content) = match &job.kind {
        JobKind::IngestDocument { source, title, content } => (source, title, content),
        JobKind::LookAgain { watched } => return watch::look(jobs, job, watched).await,
    };
    let item = match item(jobs, source, content).await {
        Ok(Some(item)) => item,
        Ok(None) => {
            return Some(JobState::Parked { reason: "the uploaded file is not there any more".into() });
        }
        Err(error) => {
            tracing::warn!(%error, job = %job.id, "the uploaded file cannot be read; trying again later");
            return None;
        }
    };
    let item = Item { title: title.clone(), ..item };
    match jobs.ingest.one(&job.creator, item).await {
        Ok(done) => Some(JobState::Done {
            document: done.document.to_string(),
            chunks: u32::try_from(done.chunks).unwrap_or(u32::MAX),
            receipt: done.receipt,
        }),
        Err(error) if error.is_temporary() => {
            tracing::warn!(%error, job = %job.id, "the job failed and will be tried again");
            None
        }
        Err(error) => Some(JobState::Parked { reason: sentence(error) }),
    }
}

/// The queued file; a recording stays on the disk.
async fn item(jobs: &Jobs, source: &str, content: &ContentHash) -> Result<Option<Item>, StoreError> {
    let Some(path) = jobs.store.blobs().file(content).await? else { return Ok(None) };
    let name = source.to_owned();
    let recording = tokio::task::spawn_blocking(move || recording(&name, path)).await;
    if let Ok(Some(item)) = recording {
        return Ok(Some(item));
    }
    // Whatever else is the matter with it, reading it says so.
    Ok(jobs.store.blobs().read(content).await?.map(|bytes| Item::queued(source, bytes)))
}

fn recording(source: &str, path: PathBuf) -> Option<Item> {
    let item = Item::queued(source, Vec::new());
    let kind = detect::detect(&source::head(&path).ok()?, &item.name).ok()?;
    let bytes = std::fs::metadata(&path).ok()?.len();
    let is_recording = matches!(kind, Kind::Document(media) if media.is_recording());
    is_recording.then(|| Item::recording(item.source, item.name, MediaFile::at(path, bytes)))
}

fn sentence(error: IngestError) -> String {
    let problem = Problem::from(error);
    format!("{}: {}", problem.message, problem.hint)
}
