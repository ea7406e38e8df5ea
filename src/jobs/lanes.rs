//! Which jobs run beside each other: one of each lane, and documents that turned out to be long beside the next ones.
//! Short documents have a lane of their own, so that however many books are being read, a page waits for pages only.
//!
//! How long a document takes is known when it is read only: a book of scans or a package with a recording in it is as slow
//! as any recording. So a document that takes long keeps its work and loses its place. In memory only; the leases in the
//! store say who works on what.

use std::time::{Duration, Instant};

use tokio::task::{AbortHandle, JoinSet};

use crate::domain::JobLane;

/// A document that takes longer than this does not hold up the next one: text and PDFs are done in less.
const LONG: Duration = Duration::from_secs(20);
/// Long documents that go on beside the others; each has a reading process and its memory.
const MOST_LONG: usize = 2;
/// The same among those that are short files: a few kilobytes of scans or of a table may be hours of work.
const MOST_LONG_OF_SHORT: usize = 1;

/// The jobs that are being done.
#[derive(Default)]
pub struct Lanes {
    tasks: JoinSet<()>,
    begun: Vec<(JobLane, Instant, AbortHandle)>,
}

impl Lanes {
    /// Lanes in which one more may begin.
    pub fn free(&self, now: Instant) -> Vec<JobLane> {
        let running: Vec<_> = self
            .begun
            .iter()
            .filter(|(.., task)| !task.is_finished())
            .map(|(lane, begun, _)| (*lane, now.saturating_duration_since(*begun)))
            .collect();
        JobLane::ALL.into_iter().filter(|lane| has_room(*lane, &running)).collect()
    }

    /// Begins a job.
    pub fn begin(&mut self, lane: JobLane, work: impl Future<Output = ()> + Send + 'static) {
        let task = self.tasks.spawn(work);
        self.begun.push((lane, Instant::now(), task));
    }

    /// Waits until one of the jobs ends; for ever when there is none.
    pub async fn ended(&mut self) {
        match self.tasks.join_next().await {
            None => std::future::pending().await,
            Some(Ok(())) => {}
            // Its lease ends, and it is tried again or parked.
            Some(Err(error)) => tracing::error!(%error, "a job crashed"),
        }
        self.begun.retain(|(.., task)| !task.is_finished());
    }

    /// Drops the jobs that are not done.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}

/// Whether one more may begin in a lane, beside jobs that have been running for these times.
fn has_room(lane: JobLane, running: &[(JobLane, Duration)]) -> bool {
    let here = || running.iter().filter(|(other, _)| *other == lane);
    let (all, long) = (here().count(), here().filter(|(_, time)| *time >= LONG).count());
    match lane {
        JobLane::Documents => all == long && long <= MOST_LONG,
        JobLane::Short => all == long && long <= MOST_LONG_OF_SHORT,
        JobLane::Media | JobLane::Looks => all == 0,
    }
}

#[cfg(test)]
mod tests {
    use super::JobLane::{Documents, Looks, Media, Short};
    use super::*;

    #[test]
    fn each_lane_has_room_for_one_and_long_documents_make_room() {
        let (short, long) = (Duration::from_secs(1), LONG);
        let check = |running: &[(JobLane, Duration)], expected: &[JobLane]| {
            let free: Vec<_> = JobLane::ALL.into_iter().filter(|lane| has_room(*lane, running)).collect();
            assert_eq!(free, expected, "{running:?}");
        };
        check(&[], &[Documents, Short, Media, Looks]);
        check(&[(Media, long * 500)], &[Documents, Short, Looks]);
        check(&[(Looks, short), (Media, short)], &[Documents, Short]);
        check(&[(Documents, short)], &[Short, Media, Looks]);
        check(&[(Documents, long)], &[Documents, Short, Media, Looks]);
        check(&[(Documents, long), (Documents, short)], &[Short, Media, Looks]);
        check(&[(Documents, long), (Documents, long)], &[Documents, Short, Media, Looks]);
        check(&[(Documents, long), (Documents, long), (Documents, long)], &[Short, Media, Looks]);
        check(&[(Short, short)], &[Documents, Media, Looks]);
        check(&[(Short, long)], &[Documents, Short, Media, Looks]);
        check(&[(Short, long), (Short, long)], &[Documents, Media, Looks]);
    }

    #[tokio::test]
    async fn a_job_that_ends_or_crashes_gives_its_place_back() {
        let mut lanes = Lanes::default();
        lanes.begin(Media, std::future::pending());
        lanes.begin(Documents, async {});
        assert!(!lanes.free(Instant::now()).contains(&Media));
        lanes.ended().await;
        assert_eq!(lanes.free(Instant::now()), [Documents, Short, Looks]);
        lanes.begin(Looks, async { panic!("as a reader may") });
        lanes.ended().await;
        assert_eq!(lanes.free(Instant::now()), [Documents, Short, Looks]);
        assert_eq!(lanes.free(Instant::now() + LONG * 9), [Documents, Short, Looks]);
        lanes.stop().await;
    }
}
