//! Conversations that a creator does not want to keep any longer: erased once a day, with a receipt in the record.
//!
//! Comes in: the time. Goes out: what was erased. How long is kept says `domain/privacy.rs` of the creator's settings, nothing
//! means for ever; what counts as old, and which figures stay, is `store/redb/expire.rs`. Called by `serve`.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{App, now, secret};
use crate::domain::figures::day_of;
use crate::domain::{Privacy, Timestamp};
use crate::problem::Problem;
use crate::store::{Creator, ErasedStudent};

/// Who erases, as the record names it.
const WHO: &str = "retention";

/// Conversations that one transaction erases, so that no student waits long for it.
const AT_ONCE: usize = 100;

/// Between two looks at the date.
const TICK: Duration = Duration::from_secs(600);

/// Erases what is too old, at the start and once on every day (UTC), until `stop`.
pub async fn run(app: Arc<App>, stop: CancellationToken) {
    let mut done = None;
    loop {
        let now = now();
        if done != Some(day_of(now)) {
            match app.erase_old(now).await {
                Ok(_) => done = Some(day_of(now)),
                Err(error) => {
                    tracing::error!(%error, "old conversations cannot be erased; trying again");
                }
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(TICK) => {}
        }
    }
}

impl App {
    /// Erases every conversation that is older than its creator keeps them, so that no file of the data directory holds
    /// anything of it. What went, for each creator where something did; the same stands in the record.
    pub async fn erase_old(&self, now: Timestamp) -> Result<Vec<ErasedStudent>, Problem> {
        let mut receipts = Vec::new();
        for creator in self.store.creators().await? {
            let erased = self.erase_old_of(&creator, now).await?;
            if !erased.is_nothing() {
                receipts.push(erased);
            }
        }
        if !receipts.is_empty() {
            self.store.purge().await?;
        }
        Ok(receipts)
    }

    async fn erase_old_of(&self, creator: &Creator, now: Timestamp) -> Result<ErasedStudent, Problem> {
        let privacy = Privacy::of(&creator.settings);
        let mut all = ErasedStudent::none(&creator.id);
        let Some(edge) = privacy.edge(now) else { return Ok(all) };
        loop {
            let erased = self.store.expire(&creator.id, edge, AT_ONCE).await?;
            if erased.is_nothing() {
                break;
            }
            all.add(&erased);
        }
        if !all.is_nothing() {
            tracing::info!(creator = %creator.id, conversations = all.conversations, "erased old conversations");
            let days = privacy.keep_days.unwrap_or_default();
            let receipt = format!("{} after {days} days", all.counted());
            let what = "conversations.expired";
            self.accounts.note(Some(&creator.id), WHO, what, &receipt, "", &secret()?, now).await?;
        }
        Ok(all)
    }
}
