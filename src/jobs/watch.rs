//! When watched places are looked at: each at its own time, as a job of the queue like any other.
//!
//! What wakes the loop: a clock. Whether a place is due depends on the end of its last look, which the store keeps, so
//! that a restart neither forgets nor repeats. What a look does is `ingest/watch.rs`.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Jobs;
use crate::domain::{Job, JobKind, JobLane, JobState, Place, Watched};
use crate::ingest::source::SourceOptions;
use crate::store::StoreError;

/// Between two looks at what is due.
const TICK: Duration = Duration::from_secs(10);

/// Milliseconds between two looks at a place; never when it is 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Every {
    pub folder_ms: u64,
    pub site_ms: u64,
}

/// Queues what is due until `stop`.
pub async fn run(jobs: Jobs, every: Every, stop: CancellationToken) {
    if every == Every::default() {
        return;
    }
    loop {
        if let Err(error) = queue_due(&jobs, every).await {
            tracing::error!(%error, "watched places cannot be looked up; trying again");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(TICK) => {}
        }
    }
}

/// Queues a look at every place that is due; gives their number.
pub async fn queue_due(jobs: &Jobs, every: Every) -> Result<usize, StoreError> {
    let now = (jobs.now)();
    let mut count = 0;
    for watched in jobs.store.watched(None).await? {
        let every = match watched.place {
            Place::Folder { .. } => every.folder_ms,
            Place::Site { .. } => every.site_ms,
        };
        let last = jobs.store.job(&watched.job()).await?;
        let is_open = |job: &Job| matches!(job.state, JobState::Queued | JobState::Running { .. });
        if every == 0 || last.as_ref().is_some_and(is_open) {
            continue;
        }
        // A look that never ended was parked then.
        if watched.is_due(last.map(|job| job.updated_at), every, now) {
            jobs.store.enqueue(job(&watched, now)).await?;
            count += 1;
        }
    }
    if count > 0 {
        jobs.wake.notify_one();
    }
    Ok(count)
}

/// A look, to be queued.
pub fn job(watched: &Watched, now: crate::domain::Timestamp) -> Job {
    Job {
        id: watched.job(),
        creator: watched.creator.clone(),
        kind: JobKind::LookAgain { watched: watched.id.clone() },
        lane: JobLane::Looks,
        state: JobState::Queued,
        attempts: 0,
        created_at: now,
        updated_at: now,
    }
}

/// Looks at the place of a job and notes how it went; the state that the job ends in, `None` when it may be tried
/// again.
pub(super) async fn look(jobs: &Jobs, job: &Job, id: &crate::domain::WatchId) -> Option<JobState> {
    let done = |receipt, chunks| JobState::Done { document: String::new(), chunks, receipt };
    let all = match jobs.store.watched(Some(&job.creator)).await {
        Ok(all) => all,
        Err(error) => {
            tracing::warn!(%error, job = %job.id, "watched places cannot be read; trying again later");
            return None;
        }
    };
    // Nobody watches it any more.
    let Some(watched) = all.into_iter().find(|watched| watched.id == *id) else {
        return Some(done(Default::default(), 0));
    };
    let allow_private_addresses = jobs.sources.allow_private_addresses && !watched.remote;
    let options = SourceOptions { allow_private_addresses, ..jobs.sources.clone() };
    let looked = jobs.ingest.look(&watched, options).await;
    let (state, receipt, problem) = match looked {
        Ok(look) => {
            let chunks = u32::try_from(look.chunks).unwrap_or(u32::MAX);
            let more = look.problems.len().saturating_sub(1);
            let problem = look.problems.into_iter().next().map(|first| match more {
                0 => first,
                _ => format!("{first} (and {more} more)"),
            });
            (done(look.receipt, chunks), Some(look.receipt), problem)
        }
        Err(error) if error.is_temporary() => {
            tracing::warn!(%error, job = %job.id, "a watched place will be looked at again");
            return None;
        }
        // Said where the place is shown; a folder that is away for a week is not a thousand failed jobs.
        Err(error) => (done(Default::default(), 0), None, Some(super::sentence(error))),
    };
    let looked_at = Some((jobs.now)());
    match jobs.store.looked(Watched { looked_at, receipt, problem, ..watched }).await {
        Ok(_) => Some(state),
        Err(error) => {
            tracing::warn!(%error, job = %job.id, "a look at a watched place cannot be noted");
            None
        }
    }
}
