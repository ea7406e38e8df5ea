//! The queue of work that outlives a request: claimed under a lease, renewed, finished; no transaction is open
//! while a job runs.

use std::collections::HashSet;

use super::Store;
use super::accounts::creator_of;
use super::codec::{StoredDocument, id_at_end, key, read_json, write_json};
use super::tables::{Rows, Writing};
use crate::domain::{
    ContentHash, CreatorId, DocumentId, Event, EventKind, Job, JobId, JobKind, JobLane, JobState, Matter,
    Subject, Timestamp,
};
use crate::store::StoreError;

/// A job that was begun this often and never ended is parked: it probably kills the process.
const MAX_ATTEMPTS: u32 = 3;

impl Store {
    /// Adds a job, or writes it anew when its id is there.
    pub async fn enqueue(&self, job: Job) -> Result<(), StoreError> {
        self.write(move |tables| {
            creator_of(&tables.creators, &job.creator)?;
            remove_job(tables, &job.id)?;
            save(tables, &job)
        })
        .await
    }

    /// Takes the oldest job of these lanes that is queued, or whose lease ran out, until `now` + `lease_ms`. A job that
    /// was begun too often is parked on the way.
    pub async fn claim(
        &self,
        now: Timestamp,
        lease_ms: u64,
        lanes: &[JobLane],
    ) -> Result<Option<Job>, StoreError> {
        // Most polls find nothing, and then nothing is written.
        let wanted = lanes.to_vec();
        let looked = self.read(move |tables| {
            Ok(claimable(tables.open_jobs.under(b"")?, &tables.jobs, now, &wanted)?.is_empty())
        });
        if looked.await? {
            return Ok(None);
        }
        let lanes = lanes.to_vec();
        self.write(move |tables| claim_oldest(tables, now, lease_ms, &lanes)).await
    }

    /// Prolongs the lease of a running job; whether it still is running.
    pub async fn renew(&self, id: &JobId, now: Timestamp, lease_ms: u64) -> Result<bool, StoreError> {
        let id = id.clone();
        self.write(move |tables| match find(&tables.jobs, &id)? {
            Some(mut job) if matches!(job.state, JobState::Running { .. }) => {
                job.state = JobState::Running { until: later(now, lease_ms) };
                job.updated_at = now;
                save(tables, &job)?;
                Ok(true)
            }
            _ => Ok(false),
        })
        .await
    }

    /// Sets where the job stands: done, parked, or queued for another try. Whether there is such a job.
    pub async fn finish(&self, id: &JobId, state: JobState, now: Timestamp) -> Result<bool, StoreError> {
        let id = id.clone();
        self.write(move |tables| {
            let Some(mut job) = find(&tables.jobs, &id)? else { return Ok(false) };
            job.state = state.clone();
            job.updated_at = now;
            save(tables, &job)?;
            if matches!(job.state, JobState::Parked { .. }) {
                tell_parked(tables, job)?;
            }
            Ok(true)
        })
        .await
    }

    pub async fn job(&self, id: &JobId) -> Result<Option<Job>, StoreError> {
        let id = id.clone();
        self.read(move |tables| find(&tables.jobs, &id)).await
    }

    /// Forgets a parked job of a creator, and with it the bytes that only it needs; whether there was one.
    pub async fn forget_parked(&self, creator: &CreatorId, id: &JobId) -> Result<bool, StoreError> {
        let (creator, id) = (creator.clone(), id.clone());
        self.write(move |tables| {
            let found = find(&tables.jobs, &id)?;
            let is_parked =
                |job: &Job| job.creator == creator && matches!(job.state, JobState::Parked { .. });
            let is_there = found.as_ref().is_some_and(is_parked);
            if is_there {
                remove_job(tables, &id)?;
            }
            Ok(is_there)
        })
        .await
    }

    /// How many jobs wait, and how many run.
    pub async fn open_jobs(&self) -> Result<[u64; 2], StoreError> {
        self.read(|tables| {
            let mut counts = [0, 0];
            for row in tables.open_jobs.under(b"")? {
                let job = listed(&tables.jobs, row?.0.value())?;
                counts[usize::from(matches!(job.state, JobState::Running { .. }))] += 1;
            }
            Ok(counts)
        })
        .await
    }

    /// A creator's jobs, newest first.
    pub async fn jobs(&self, creator: &CreatorId, limit: usize) -> Result<Vec<Job>, StoreError> {
        let creator = creator.clone();
        self.read(move |tables| {
            let number = creator_of(&tables.creators, &creator)?.number.to_be_bytes();
            let rows = tables.creator_jobs.under(&number)?.rev().take(limit);
            rows.map(|row| listed(&tables.jobs, row?.0.value())).collect()
        })
        .await
    }
}

/// Removes a job with its traces; nothing when there is none.
pub fn remove_job(tables: &mut Writing, id: &JobId) -> Result<(), StoreError> {
    let Some(job) = find(&tables.jobs, id)? else { return Ok(()) };
    let number = creator_of(&tables.creators, &job.creator)?.number;
    close(tables, &job)?;
    tables.creator_jobs.remove(&by_creator(number, &job)[..])?;
    tables.jobs.remove(id.as_str().as_bytes())?;
    Ok(())
}

/// Whether the job brought or will bring one of these documents.
pub fn is_about(tables: &Writing, id: &JobId, documents: &[StoredDocument]) -> Result<bool, StoreError> {
    let Some(job) = find(&tables.jobs, id)? else { return Ok(false) };
    let JobKind::IngestDocument { source, content, .. } = &job.kind else { return Ok(false) };
    let from_source = DocumentId::of_source(&job.creator, source);
    Ok(documents
        .iter()
        .any(|stored| stored.document.id == from_source || stored.document.content == *content))
}

fn claim_oldest(
    tables: &mut Writing,
    now: Timestamp,
    lease_ms: u64,
    lanes: &[JobLane],
) -> Result<Option<Job>, StoreError> {
    for mut job in claimable(tables.open_jobs.under(b"")?, &tables.jobs, now, lanes)? {
        job.updated_at = now;
        if job.attempts < MAX_ATTEMPTS {
            job.attempts += 1;
            job.state = JobState::Running { until: later(now, lease_ms) };
            save(tables, &job)?;
            return Ok(Some(job));
        }
        let reason = format!("it was begun {} times and did not end", job.attempts);
        job.state = JobState::Parked { reason };
        save(tables, &job)?;
        // The file may be in order: its bytes stay, so that it can be tried again.
        if let Some(content) = job.kind.content() {
            tables.job_contents.insert(&by_content(content, &job)[..], &[][..])?;
        }
        tell_parked(tables, job)?;
    }
    Ok(None)
}

fn tell_parked(tables: &mut Writing, job: Job) -> Result<(), StoreError> {
    let number = creator_of(&tables.creators, &job.creator)?.number;
    let subject = Subject { job: Some(job.id.clone()), ..Subject::default() };
    let event = Event::new(&job.creator, EventKind::DocumentFailed, subject, job.updated_at);
    super::webhooks::tell(tables, number, event, Matter::Job(Box::new(job)))
}

/// Jobs of these lanes that nobody works on, oldest first, up to the first that may be begun. Of one source only the
/// oldest open job is among them: whatever its lane, the last version sent must be the last to come in.
fn claimable(
    open: redb::Range<'_, &'static [u8], &'static [u8]>,
    jobs: &impl Rows,
    now: Timestamp,
    lanes: &[JobLane],
) -> Result<Vec<Job>, StoreError> {
    let (mut claimable, mut sources) = (Vec::new(), HashSet::new());
    for row in open {
        let job = listed(jobs, row?.0.value())?;
        let is_first = match job.kind.source() {
            Some(source) => sources.insert((job.creator.clone(), source.to_owned())),
            None => true,
        };
        if !is_first || !lanes.contains(&job.lane) {
            continue;
        }
        let free = match job.state {
            JobState::Running { until } => until <= now,
            _ => true,
        };
        if free {
            let found = job.attempts < MAX_ATTEMPTS;
            claimable.push(job);
            if found {
                break;
            }
        }
    }
    Ok(claimable)
}

fn later(now: Timestamp, lease_ms: u64) -> Timestamp {
    Timestamp(now.0.saturating_add(lease_ms))
}

fn save(tables: &mut Writing, job: &Job) -> Result<(), StoreError> {
    let number = creator_of(&tables.creators, &job.creator)?.number;
    tables.jobs.insert(job.id.as_str().as_bytes(), &write_json(job)?[..])?;
    tables.creator_jobs.insert(&by_creator(number, job)[..], &[][..])?;
    match job.state {
        JobState::Queued | JobState::Running { .. } => {
            tables.open_jobs.insert(&by_time(job)[..], &[][..])?;
            if let Some(content) = job.kind.content() {
                tables.job_contents.insert(&by_content(content, job)[..], &[][..])?;
            }
            Ok(())
        }
        JobState::Done { .. } | JobState::Parked { .. } => close(tables, job),
    }
}

/// The job needs its content no more.
fn close(tables: &mut Writing, job: &Job) -> Result<(), StoreError> {
    tables.open_jobs.remove(&by_time(job)[..])?;
    if let Some(content) = job.kind.content() {
        tables.job_contents.remove(&by_content(content, job)[..])?;
        tables.doomed.push(content);
    }
    Ok(())
}

fn by_time(job: &Job) -> Vec<u8> {
    key([&job.created_at.0.to_be_bytes(), job.id.as_str().as_bytes()])
}

fn by_creator(number: u32, job: &Job) -> Vec<u8> {
    key([&number.to_be_bytes(), &job.created_at.0.to_be_bytes(), job.id.as_str().as_bytes()])
}

fn by_content(content: ContentHash, job: &Job) -> Vec<u8> {
    key([&content.0, job.id.as_str().as_bytes()])
}

fn listed(jobs: &impl Rows, row: &[u8]) -> Result<Job, StoreError> {
    let id: JobId = id_at_end(row)?;
    find(jobs, &id)?.ok_or_else(|| StoreError::Damaged(format!("job {id} is listed but not there")))
}

fn find(jobs: &impl Rows, id: &JobId) -> Result<Option<Job>, StoreError> {
    let bytes = jobs.fetch(id.as_str().as_bytes())?;
    bytes.map(|bytes| read_json(&bytes, format!("job {id}"))).transpose()
}
