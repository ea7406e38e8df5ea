//! Sends what waits, whatever it is: again and again until it arrives or is given up.
//!
//! Comes in: an [`Outbox`], which is deliveries to webhooks ([`super::deliver`]) or mails (`mail`). What wakes the loop:
//! news of the store, something that ended, and a look every second. What a process did not finish goes out again with
//! the next one, so it may arrive twice; none is lost. No transaction is open while something is under way.

use std::collections::HashSet;
use std::future::Future;
use std::hash::Hash;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::domain::{DeliveryState, Timestamp};
use crate::store::{Store, StoreError};

/// Longest pause between looks.
const POLL: Duration = Duration::from_secs(1);
/// Pauses before the second try and those after it, in seconds: those that the Standard Webhooks specification
/// proposes. RFC 5321, 4.5.4.1, asks the same of mail: two tries in the first hour, then seldom, for days.
const PAUSES: [u64; 9] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];

/// What was taken to be sent, each with its lane.
pub type Claimed<O> = Vec<(<O as Outbox>::Lane, <O as Outbox>::Item)>;

/// Where things wait, and how one of them is sent.
pub trait Outbox: Clone + Send + Sync + 'static {
    /// Several of it, for the log.
    const WHAT: &'static str;
    /// How many are sent at once.
    const PLACES: usize;
    type Item: Send + 'static;
    /// Of one lane one goes out at a time.
    type Lane: Clone + Eq + Hash + Send + Sync + 'static;

    fn store(&self) -> &Store;

    /// Gives back what an earlier process had claimed.
    fn release(&self) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Takes what is due.
    fn claim(
        &self,
        places: usize,
        busy: &HashSet<Self::Lane>,
    ) -> impl Future<Output = Result<Claimed<Self>, StoreError>> + Send;

    /// One try, and what comes of it, written down.
    fn send(&self, item: Self::Item) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// Sends until `stop`.
pub async fn run<O: Outbox>(outbox: O, stop: CancellationToken) {
    let mut news = outbox.store().news();
    match outbox.release().await {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "{} of an earlier run go out again", O::WHAT),
        Err(error) => tracing::error!(%error, "{} of an earlier run wait until their lease ends", O::WHAT),
    }
    let mut under_way = JoinSet::new();
    let mut busy: HashSet<O::Lane> = HashSet::new();
    loop {
        let places = O::PLACES.saturating_sub(busy.len());
        match outbox.claim(places, &busy).await {
            Ok(claimed) => {
                for (lane, item) in claimed {
                    busy.insert(lane.clone());
                    let outbox = outbox.clone();
                    under_way.spawn(async move {
                        if let Err(error) = outbox.send(item).await {
                            tracing::error!(%error, "what became of one of the {} cannot be written down", O::WHAT);
                        }
                        lane
                    });
                }
            }
            Err(error) => tracing::error!(%error, "waiting {} cannot be read; trying again", O::WHAT),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            Some(done) = under_way.join_next(), if !under_way.is_empty() => match done {
                Ok(lane) => drop(busy.remove(&lane)),
                Err(error) => {
                    tracing::error!(%error, "sending one of the {} crashed", O::WHAT);
                    busy.clear();
                }
            },
            // Missed news are no loss: what waits is in the store.
            _ = news.recv() => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
}

/// How a try went.
#[derive(Debug, Clone, Copy, Default)]
pub struct Outcome {
    pub arrived: bool,
    /// No further try makes it better.
    pub for_good: bool,
    /// The other side asks for so much patience.
    pub retry_after_ms: Option<u64>,
}

/// What comes after a try: whether it goes out again, and when. `tries` counts this one.
pub fn after(
    id: &str,
    tries: u32,
    most: u32,
    outcome: Outcome,
    now: Timestamp,
) -> (DeliveryState, Timestamp) {
    match (outcome.arrived, outcome.for_good || tries >= most) {
        (true, _) => (DeliveryState::Delivered, now),
        (false, true) => (DeliveryState::Dead, now),
        (false, false) => {
            let pause = pause_ms(id, tries).max(outcome.retry_after_ms.unwrap_or(0));
            (DeliveryState::Waiting, Timestamp(now.0.saturating_add(pause)))
        }
    }
}

/// Before the next try: the pause of the table and up to a fifth more, so that what failed together does not come
/// back together. The share is drawn from the id, which is as good as random.
pub fn pause_ms(id: &str, tries: u32) -> u64 {
    let place = (tries.max(1) as usize - 1).min(PAUSES.len() - 1);
    let pause = PAUSES[place] * 1_000;
    let draw = blake3::hash(format!("{id} {tries}").as_bytes());
    let share = u64::from(u16::from_le_bytes([draw.as_bytes()[0], draw.as_bytes()[1]]));
    pause + pause * share / (5 * u64::from(u16::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_do_not_fall_together() {
        for tries in 1..=12u32 {
            let pause = PAUSES[(tries as usize - 1).min(PAUSES.len() - 1)] * 1_000;
            let drawn: HashSet<u64> = (0..20).map(|id| pause_ms(&format!("id {id}"), tries)).collect();
            assert!(drawn.iter().all(|&ms| (pause..=pause + pause / 5).contains(&ms)), "{tries}: {drawn:?}");
            assert!(drawn.len() > 10, "{tries}");
        }
    }

    #[test]
    fn a_try_ends_in_three_ways() {
        let now = Timestamp(1_000);
        let failed = Outcome::default();
        let arrived = Outcome { arrived: true, ..failed };
        let for_good = Outcome { for_good: true, ..failed };
        let patient = Outcome { retry_after_ms: Some(40_000), ..failed };
        assert_eq!(after("a", 8, 8, arrived, now), (DeliveryState::Delivered, now));
        assert_eq!(after("a", 1, 8, for_good, now), (DeliveryState::Dead, now));
        assert_eq!(after("a", 8, 8, failed, now), (DeliveryState::Dead, now));
        let next = Timestamp(1_000 + pause_ms("a", 1));
        assert_eq!(after("a", 1, 8, failed, now), (DeliveryState::Waiting, next));
        assert_eq!(after("a", 1, 8, patient, now), (DeliveryState::Waiting, Timestamp(41_000)));
    }
}
