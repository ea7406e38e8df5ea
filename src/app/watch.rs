//! Folders and sites that are looked at again and again: named, listed, forgotten.
//!
//! Called by the command line and, for sites only, by HTTP. When they are looked at says `jobs/watch.rs`.

use std::path::Path;
use std::time::Duration;

use super::{App, now};
use crate::domain::{CreatorId, Job, JobState, Place, Timestamp, WatchId, Watched};
use crate::ingest::source::{self, SourceOptions};
use crate::jobs::watch::Every;
use crate::problem::{Kind, Problem};

/// Places that one creator may have watched.
const MOST: usize = 100;
/// Links away from the first page, and pages, that a site may be looked at by.
pub const MOST_DEPTH: u32 = 10;
pub const MOST_PAGES: u32 = 10_000;

/// A watched place with when it is looked at.
pub struct Followed {
    pub watched: Watched,
    /// A look waits or goes on.
    pub is_looking: bool,
    /// When the next one begins; `None` where the settings say never.
    pub next: Option<Timestamp>,
}

impl App {
    /// Watches a folder of this machine from now on. Only for who sits at it.
    pub async fn watch_folder(&self, creator: &CreatorId, folder: &Path) -> Result<Watched, Problem> {
        let path = whole(folder)?;
        self.watch(Watched::new(creator, Place::Folder { path }, false, now())).await
    }

    /// Watches a site, a sitemap or a feed from now on; `remote` when somebody asks over the network.
    pub async fn watch_site(
        &self,
        creator: &CreatorId,
        address: &str,
        (depth, max_pages): (u32, u32),
        remote: bool,
    ) -> Result<Watched, Problem> {
        if depth > MOST_DEPTH || max_pages == 0 || max_pages > MOST_PAGES {
            return Err(Problem::new(
                Kind::Invalid,
                "invalid_site",
                format!("a site is looked at up to {MOST_DEPTH} links away and {MOST_PAGES} pages"),
                "give fewer, for example a depth of 2 and 200 pages",
            ));
        }
        let url = source::address(address).map_err(|error| {
            Problem::new(Kind::Invalid, "invalid_address", error.to_string(), error.hint().to_owned())
        })?;
        let place = Place::Site { address: url.into(), depth, max_pages };
        self.watch(Watched::new(creator, place, remote, now())).await
    }

    async fn watch(&self, watched: Watched) -> Result<Watched, Problem> {
        let all = self.store.watched(Some(&watched.creator)).await?;
        let known = all.iter().find(|one| one.id == watched.id);
        if known.is_none() && all.len() >= MOST {
            return Err(Problem::new(
                Kind::Conflict,
                "too_many_sources",
                format!("{MOST} places are watched already"),
                "stop watching one that is not needed any more",
            ));
        }
        // What is known of its last look stays, and so does that somebody at the machine named it.
        let watched = match known {
            Some(known) => {
                Watched { place: watched.place, remote: watched.remote && known.remote, ..known.clone() }
            }
            None => watched,
        };
        self.store.watch(watched.clone()).await?;
        Ok(watched)
    }

    /// The places that are watched for a creator, oldest first.
    pub async fn watched(&self, creator: &CreatorId) -> Result<Vec<Watched>, Problem> {
        Ok(self.store.watched(Some(creator)).await?)
    }

    /// The places that are watched for a creator with when they are looked at, oldest first.
    pub async fn followed(&self, creator: &CreatorId) -> Result<Vec<Followed>, Problem> {
        let (every, mut all) = (self.look_every(), Vec::new());
        for watched in self.watched(creator).await? {
            let every_ms = match watched.place {
                Place::Folder { .. } => every.folder_ms,
                Place::Site { .. } => every.site_ms,
            };
            let last = self.store.job(&watched.job()).await?;
            let is_looking = last.as_ref().is_some_and(is_open);
            let next = watched.due(last.map(|job| job.updated_at), every_ms);
            all.push(Followed { next: (every_ms > 0 && !is_looking).then_some(next), is_looking, watched });
        }
        Ok(all)
    }

    /// Looks at a place as soon as the queue comes to it, whenever it would be due.
    pub async fn look_now(&self, creator: &CreatorId, id: &WatchId) -> Result<Watched, Problem> {
        let found = self.watched(creator).await?.into_iter().find(|watched| watched.id == *id);
        let watched = found.ok_or_else(|| not_watched(creator))?;
        if !self.store.job(&watched.job()).await?.as_ref().is_some_and(is_open) {
            self.store.enqueue(crate::jobs::watch::job(&watched, now())).await?;
            self.wake.notify_one();
        }
        Ok(watched)
    }

    /// Watches a place no longer; what came from it stays.
    pub async fn unwatch(&self, creator: &CreatorId, id: &WatchId) -> Result<Watched, Problem> {
        self.store.unwatch(creator, id).await?.ok_or_else(|| not_watched(creator))
    }

    /// The same by path or address, as it was typed.
    pub async fn unwatch_named(&self, creator: &CreatorId, name: &str) -> Result<Watched, Problem> {
        let known = if source::is_address(name) {
            source::address(name).map_or_else(|_| name.to_owned(), String::from)
        } else {
            // The folder may be gone.
            let typed =
                std::path::absolute(name).ok().and_then(|path| path.into_os_string().into_string().ok());
            whole(Path::new(name)).ok().or(typed).unwrap_or_else(|| name.to_owned())
        };
        self.unwatch(creator, &WatchId::of(creator, &known)).await
    }

    /// How pages are fetched, as the settings say.
    pub fn source_options(&self) -> SourceOptions {
        let settings = &self.config.settings.ingest;
        SourceOptions {
            allow_private_addresses: settings.allow_private_addresses,
            page_bytes: settings.max_pdf_mb << 20,
            pause: Duration::from_millis(settings.site_pause_ms),
            ..SourceOptions::default()
        }
    }

    /// How often watched places are looked at, as the settings say.
    pub fn look_every(&self) -> Every {
        let settings = &self.config.settings.ingest;
        Every { folder_ms: settings.watch_minutes * 60_000, site_ms: settings.watch_site_minutes * 60_000 }
    }
}

/// Whether a job waits or runs.
fn is_open(job: &Job) -> bool {
    matches!(job.state, JobState::Queued | JobState::Running { .. })
}

fn not_watched(creator: &CreatorId) -> Problem {
    Problem::new(
        Kind::Missing,
        "unknown_source",
        "this place is not watched",
        format!("`neverafk creator show {creator}` lists what is"),
    )
}

/// The one path that names a folder for good.
fn whole(folder: &Path) -> Result<String, Problem> {
    let failed = |reason: String| {
        Problem::new(
            Kind::Invalid,
            "not_a_folder",
            format!("`{}` cannot be watched: {reason}", folder.display()),
            "name a folder that is there and that this user may read",
        )
    };
    let whole = folder.canonicalize().map_err(|error| failed(error.to_string()))?;
    if !whole.is_dir() {
        return Err(failed("it is no folder".into()));
    }
    whole.into_os_string().into_string().map_err(|_| failed("its path is not Unicode".into()))
}
