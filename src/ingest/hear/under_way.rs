//! How far recordings are: told by whoever transcribes, asked by the command line and the pages of jobs.
//!
//! In memory only: after a restart it begins where the kept windows end.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::CreatorId;

type Key = (CreatorId, String);

/// The recordings that are being listened to; clones are handles to the same ones.
#[derive(Debug, Clone, Default)]
pub struct UnderWay {
    all: Arc<Mutex<HashMap<Key, Arc<Counters>>>>,
}

#[derive(Debug, Default)]
struct Counters {
    reached_ms: AtomicU64,
    /// 0 while it is not known.
    length_ms: AtomicU64,
}

/// One recording's place; gone from [`UnderWay`] when the last clone is dropped.
#[derive(Clone)]
pub struct Progress {
    counters: Arc<Counters>,
    _entry: Arc<Entry>,
}

struct Entry {
    key: Key,
    all: Arc<Mutex<HashMap<Key, Arc<Counters>>>>,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

impl UnderWay {
    pub(super) fn begin(&self, creator: &CreatorId, source: &str) -> Progress {
        let key = (creator.clone(), source.to_owned());
        let counters = Arc::<Counters>::default();
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(key.clone(), counters.clone());
        Progress { counters, _entry: Arc::new(Entry { key, all: self.all.clone() }) }
    }

    /// Percent of a recording that are done; `None` when it is not under way or its length is not known.
    pub fn percent(&self, creator: &CreatorId, source: &str) -> Option<u8> {
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&(creator.clone(), source.to_owned()))?.percent()
    }

    /// Everything that is under way: source and percent.
    pub fn of(&self, creator: &CreatorId) -> Vec<(String, Option<u8>)> {
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let own = all.iter().filter(|((owner, _), _)| owner == creator);
        own.map(|((_, source), counters)| (source.clone(), counters.percent())).collect()
    }
}

impl Counters {
    fn percent(&self) -> Option<u8> {
        let (reached, length) =
            (self.reached_ms.load(Ordering::Relaxed), self.length_ms.load(Ordering::Relaxed));
        // Lengths that containers give are not always true; what is not done is never 100.
        let percent = reached.saturating_mul(100).checked_div(length)?;
        u8::try_from(percent.min(99)).ok()
    }
}

impl Progress {
    pub(super) fn length(&self, ms: Option<u64>) {
        self.counters.length_ms.store(ms.unwrap_or(0), Ordering::Relaxed);
    }

    pub(super) fn reached(&self, ms: u64) {
        self.counters.reached_ms.store(ms, Ordering::Relaxed);
    }
}
