//! A place that a creator's content is taken from again and again: a folder of this machine, or a site.

use serde::{Deserialize, Serialize};

use super::{CreatorId, JobId, Receipt, Timestamp, WatchId};

/// Where to look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Place {
    /// A folder, by its absolute path. Named on the command line only: a key must not read the server's disk.
    Folder { path: String },
    /// A site, a sitemap or a feed.
    Site { address: String, depth: u32, max_pages: u32 },
}

impl Place {
    /// The path or the address.
    pub fn name(&self) -> &str {
        match self {
            Self::Folder { path } => path,
            Self::Site { address, .. } => address,
        }
    }
}

/// A place with how the last look went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watched {
    pub id: WatchId,
    pub creator: CreatorId,
    pub place: Place,
    /// It was named over the network: then nothing in private networks is looked at, whatever the settings allow.
    pub remote: bool,
    pub created_at: Timestamp,
    /// When a look last ended.
    pub looked_at: Option<Timestamp>,
    /// What the last look did, where it was one to the end.
    pub receipt: Option<Receipt>,
    /// What went wrong with the last look, in a sentence.
    pub problem: Option<String>,
}

impl Watched {
    /// A place that nobody has looked at yet.
    pub fn new(creator: &CreatorId, place: Place, remote: bool, now: Timestamp) -> Self {
        let id = WatchId::of(creator, place.name());
        let creator = creator.clone();
        Self { id, creator, place, remote, created_at: now, looked_at: None, receipt: None, problem: None }
    }

    /// The one job that looks at it; a place is never looked at twice at once.
    pub fn job(&self) -> JobId {
        JobId::from_bytes(super::ids::derived(&[b"neverafk look v1", self.id.as_str().as_bytes()]))
    }

    /// Whether it is time to look again; `last` is when a look was last begun.
    pub fn is_due(&self, last: Option<Timestamp>, every_ms: u64, now: Timestamp) -> bool {
        now >= self.due(last, every_ms)
    }

    /// When it is time to look again; at once where nobody has. `every_ms` is stretched by up to a tenth, for each place
    /// another part, so that not all are looked at together.
    pub fn due(&self, last: Option<Timestamp>, every_ms: u64) -> Timestamp {
        let Some(last) = last.max(self.looked_at) else { return self.created_at };
        let part = self.id.as_str().bytes().fold(0u64, |sum, byte| (sum * 31 + u64::from(byte)) % 1000);
        let jitter = every_ms / 10 * part / 1000;
        Timestamp(last.0.saturating_add(every_ms).saturating_add(jitter))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_due_after_their_time_and_not_all_at_once() {
        let creator: CreatorId = "anna".parse().unwrap();
        let watched = |path: &str| {
            let place = Place::Folder { path: path.into() };
            Watched {
                looked_at: Some(Timestamp(1_000)),
                ..Watched::new(&creator, place, false, Timestamp(0))
            }
        };
        let every = 100_000;
        let first = |path: &str| (0..).find(|ms| watched(path).is_due(None, every, Timestamp(*ms))).unwrap();
        let times = [first("/a"), first("/b"), first("/c")];
        assert!(times.iter().all(|time| (101_000..=111_000).contains(time)), "{times:?}");
        assert!(times[0] != times[1] || times[1] != times[2], "{times:?}");
        assert!(!watched("/a").is_due(Some(Timestamp(50_000)), every, Timestamp(120_000)));
        let fresh = Watched { looked_at: None, ..watched("/a") };
        assert!(fresh.is_due(None, every, Timestamp(0)));
        assert_eq!(fresh.job(), watched("/a").job());
        assert_ne!(fresh.job(), watched("/b").job());
    }
}
