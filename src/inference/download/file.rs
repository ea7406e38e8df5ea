//! One file: fetched or resumed, verified, and only then given its name.
//!
//! The bytes grow in `NAME.part`; `NAME.part.json` beside it says what they are, so that a later run knows whether
//! they go on with what the hub has now. Tried again after cut connections and busy answers, within bounds. What the
//! hub says is read in [`super::hub`].

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::error::PullError;
use super::hub::{self, Failure, Hub, Reply, Rest};
use super::progress::{Meter, PullEvent};
use super::{Job, PullOptions};
use crate::inference::catalog::CatalogFile;
use crate::inference::library::FileRecord;
use crate::inference::{digest, disk};

/// One read of the body.
const BLOCK: usize = 256 << 10;
/// As long as this much arrives between two failures, the line is bad and not dead.
const WORTH_GOING_ON: u64 = 1 << 20;
/// The longest pause between two tries, and the longest that a hub may ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// How soon a pause notices that it is to end.
const BLINK: Duration = Duration::from_millis(20);

/// What is known of a file before and while it arrives.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
struct Expected {
    size: Option<u64>,
    sha256: Option<String>,
}

/// What the bytes in a `.part` file are.
#[derive(Debug, Serialize, Deserialize)]
struct PartNote {
    url: String,
    etag: Option<String>,
    body_etag: Option<String>,
    expected: Expected,
}

/// The paths of a file that is arriving.
struct Paths {
    target: PathBuf,
    part: PathBuf,
    note: PathBuf,
}

/// Fetches a file of the entry from the hub.
pub(super) fn fetch(job: &mut Job<'_>, hub: &Hub, file: &CatalogFile) -> Result<FileRecord, PullError> {
    let paths = Paths::new(&job.folder, file.file_name());
    let url = hub.url(job.entry, &file.path)?;
    if let Some(record) = kept(job, file, &paths)? {
        return Ok(record);
    }
    let mut meter = Meter::new(file.file_name());
    let mut failures = 0;
    let mut had_at_failure = 0;
    let mut restarts = 0;
    loop {
        let (expected, resumed) = match arrive(job, hub, file, &paths, url.as_str(), &mut meter) {
            Ok(arrived) => arrived,
            Err(Failure::Final(error)) => return Err(error),
            Err(Failure::Restart) if restarts < 2 => {
                restarts += 1;
                paths.discard()?;
                continue;
            }
            Err(Failure::Unreachable(reason)) if !hub.reached() => {
                return Err(PullError::Unreachable { host: hub::host(&url), reason });
            }
            Err(failure) => {
                let has = part_length(&paths.part);
                if has >= had_at_failure + WORTH_GOING_ON {
                    failures = 0;
                }
                (failures, had_at_failure) = (failures + 1, has);
                let wait = pause(job.options, file, failures, &failure)?;
                let reason = failure.reason();
                (job.on_event)(PullEvent::Retrying { file: file.file_name().to_owned(), reason, wait });
                nap(job, wait)?;
                continue;
            }
        };
        match settle(job, file.file_name(), &paths, &expected) {
            // Old bytes may have been damaged on this disk, so they get one more chance from the start.
            Err(PullError::WrongHash { .. }) if resumed && restarts < 2 => restarts = 2,
            settled => return settled,
        }
    }
}

/// Verifies what arrived in `NAME.part`, makes it durable and gives it its name.
pub(super) fn settle_part(
    job: &mut Job<'_>,
    name: &str,
    size: Option<u64>,
    sha256: Option<String>,
) -> Result<FileRecord, PullError> {
    let paths = Paths::new(&job.folder, name);
    settle(job, name, &paths, &Expected { size, sha256 })
}

/// Where a file grows before it has its name.
pub(super) fn part_path(folder: &Path, name: &str) -> PathBuf {
    Paths::new(folder, name).part
}

fn settle(
    job: &mut Job<'_>,
    name: &str,
    paths: &Paths,
    expected: &Expected,
) -> Result<FileRecord, PullError> {
    (job.on_event)(PullEvent::Verifying { file: name.to_owned() });
    let found = digest::of_file(&paths.part, job.cancel, &mut |_| ())
        .map_err(|error| PullError::disk("read", &paths.part, 0, error))?;
    let wrong = match (expected.size, &expected.sha256) {
        (Some(size), _) if size != found.size => {
            Some(PullError::WrongSize { file: name.to_owned(), expected: size, found: found.size })
        }
        (_, Some(sha256)) if *sha256 != found.sha256 => Some(PullError::WrongHash {
            file: name.to_owned(),
            expected: sha256.clone(),
            found: found.sha256.clone(),
        }),
        _ => None,
    };
    if let Some(wrong) = wrong {
        paths.discard()?;
        return Err(wrong);
    }
    disk::rename(&paths.part, &paths.target)
        .and_then(|()| disk::remove_if_there(&paths.note))
        .map_err(|error| PullError::disk("write", &paths.target, 0, error))?;
    Ok(FileRecord { path: name.to_owned(), size: found.size, sha256: found.sha256 })
}

/// A file that an earlier run finished, if its SHA-256 is known and right.
fn kept(job: &mut Job<'_>, file: &CatalogFile, paths: &Paths) -> Result<Option<FileRecord>, PullError> {
    let name = file.file_name();
    if !paths.target.is_file() {
        return Ok(None);
    }
    (job.on_event)(PullEvent::Verifying { file: name.to_owned() });
    let found = digest::of_file(&paths.target, job.cancel, &mut |_| ())
        .map_err(|error| PullError::disk("read", &paths.target, 0, error))?;
    if file.sha256.as_ref() == Some(&found.sha256) {
        (job.on_event)(PullEvent::Kept { file: name.to_owned() });
        return Ok(Some(FileRecord { path: name.to_owned(), size: found.size, sha256: found.sha256 }));
    }
    disk::remove_if_there(&paths.target)
        .map_err(|error| PullError::disk("remove", &paths.target, 0, error))?;
    Ok(None)
}

/// One try: the bytes from where they stop on the disk to the end. Says what they should be, and whether some of
/// them were there before.
fn arrive(
    job: &mut Job<'_>,
    hub: &Hub,
    file: &CatalogFile,
    paths: &Paths,
    url: &str,
    meter: &mut Meter,
) -> Result<(Expected, bool), Failure> {
    let note = paths.read_note().filter(|note| note.url == url);
    let has = if note.is_some() { part_length(&paths.part) } else { 0 };
    if let Some(note) = &note
        && has > 0
        && let Some(size) = note.expected.size
    {
        if has == size {
            return Ok((note.expected.clone(), true));
        }
        if has > size {
            return Err(Failure::Restart);
        }
    }
    let resumes = note.as_ref().filter(|_| has > 0);
    let rest = resumes.map(|note| Rest { from: has, unless_changed: note.body_etag.as_deref() });
    let reply = hub.get(job.entry, &file.path, rest)?;
    if resumes.is_some_and(|note| reply.from > 0 && note.etag != reply.etag) {
        return Err(Failure::Restart);
    }
    let expected = agree(file, &reply).map_err(Failure::Final)?;
    check_room(job, file, expected.size, reply.from)?;
    let note = PartNote {
        url: url.to_owned(),
        etag: reply.etag.clone(),
        body_etag: reply.body_etag.clone(),
        expected: expected.clone(),
    };
    let to_write = expected.size.unwrap_or(0).saturating_sub(reply.from);
    let full = |path: &Path| {
        let path = path.to_owned();
        move |error| Failure::Final(PullError::disk("write", &path, to_write, error))
    };
    serde_json::to_vec(&note)
        .map_err(io::Error::other)
        .and_then(|text| disk::write_whole(&paths.note, &text))
        .map_err(full(&paths.note))?;
    let mut part = open_part(&paths.part, reply.from).map_err(full(&paths.part))?;
    copy_body(job, reply, &mut part, &paths.part, expected.size, meter)?;
    part.sync_all().map_err(full(&paths.part))?;
    Ok((expected, rest.is_some()))
}

fn copy_body(
    job: &mut Job<'_>,
    reply: Reply,
    part: &mut File,
    path: &Path,
    size: Option<u64>,
    meter: &mut Meter,
) -> Result<(), Failure> {
    let mut done = reply.from;
    let mut body = reply.body.into_reader();
    let mut block = vec![0; BLOCK];
    meter.begin(done);
    loop {
        if job.cancel.load(Ordering::Relaxed) {
            return Err(Failure::Final(PullError::Cancelled));
        }
        let read = body.read(&mut block).map_err(|error| Failure::Cut(error.to_string()))?;
        if read == 0 {
            break;
        }
        part.write_all(&block[..read]).map_err(|error| {
            let needed = size.unwrap_or(0).saturating_sub(done);
            Failure::Final(PullError::disk("write", path, needed, error))
        })?;
        done += read as u64;
        if size.is_some_and(|size| done > size) {
            return Err(Failure::Restart);
        }
        if let Some(event) = meter.at(done, size) {
            (job.on_event)(event);
        }
    }
    if size.is_some_and(|size| done < size) {
        return Err(Failure::Cut("the connection ended early".to_owned()));
    }
    (job.on_event)(meter.end(done));
    Ok(())
}

/// The catalogue and the hub must mean the same bytes, before gigabytes are fetched.
fn agree(file: &CatalogFile, reply: &Reply) -> Result<Expected, PullError> {
    let name = || file.file_name().to_owned();
    if let (Some(expected), Some(found)) = (file.size, reply.size)
        && expected != found
    {
        return Err(PullError::WrongSize { file: name(), expected, found });
    }
    if let (Some(expected), Some(found)) = (&file.sha256, &reply.sha256)
        && expected != found
    {
        return Err(PullError::WrongHash { file: name(), expected: expected.clone(), found: found.clone() });
    }
    Ok(Expected {
        size: file.size.or(reply.size),
        sha256: file.sha256.clone().or_else(|| reply.sha256.clone()),
    })
}

fn check_room(job: &Job<'_>, file: &CatalogFile, size: Option<u64>, from: u64) -> Result<(), Failure> {
    let needed = size.unwrap_or(0).saturating_sub(from);
    match disk::free_bytes(&job.folder) {
        Some(free) if free < needed => Err(Failure::Final(PullError::DiskFull {
            file: file.file_name().to_owned(),
            needed,
            folder: job.folder.clone(),
        })),
        _ => Ok(()),
    }
}

/// Goes on at `from`, which is the end of what is there, or begins anew.
fn open_part(path: &Path, from: u64) -> io::Result<File> {
    if from > 0 {
        return OpenOptions::new().append(true).open(path);
    }
    OpenOptions::new().write(true).create(true).truncate(true).open(path)
}

/// How long to pause before the next try, or why there is none.
fn pause(
    options: &PullOptions,
    file: &CatalogFile,
    failures: u32,
    failure: &Failure,
) -> Result<Duration, PullError> {
    let doubled = options.backoff.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(LONGEST_PAUSE);
    let (status, asked) = match failure {
        Failure::Later { status, wait } => (Some(*status), *wait),
        _ => (None, None),
    };
    let wait = asked.unwrap_or(doubled);
    match status {
        Some(status) if failures > options.retries || wait > LONGEST_WAIT => {
            Err(PullError::Busy { status, wait })
        }
        None if failures > options.retries => Err(PullError::Interrupted {
            file: file.file_name().to_owned(),
            times: failures,
            reason: failure.reason(),
        }),
        _ => Ok(wait),
    }
}

fn nap(job: &Job<'_>, wait: Duration) -> Result<(), PullError> {
    let begun = Instant::now();
    while begun.elapsed() < wait {
        if job.cancel.load(Ordering::Relaxed) {
            return Err(PullError::Cancelled);
        }
        thread::sleep(BLINK.min(wait));
    }
    Ok(())
}

fn part_length(part: &Path) -> u64 {
    fs::metadata(part).map_or(0, |metadata| metadata.len())
}

impl Failure {
    fn reason(&self) -> String {
        match self {
            Self::Unreachable(reason) | Self::Cut(reason) => reason.clone(),
            Self::Later { status, .. } => format!("the hub is busy (HTTP {status})"),
            Self::Restart => "the file at the hub keeps changing".to_owned(),
            Self::Final(error) => error.to_string(),
        }
    }
}

impl Paths {
    fn new(folder: &Path, name: &str) -> Self {
        let beside = |end: &str| folder.join(format!("{name}{end}"));
        Self { target: beside(""), part: beside(".part"), note: beside(".part.json") }
    }

    fn read_note(&self) -> Option<PartNote> {
        serde_json::from_slice(&fs::read(&self.note).ok()?).ok()
    }

    fn discard(&self) -> Result<(), PullError> {
        for path in [&self.note, &self.part] {
            disk::remove_if_there(path).map_err(|error| PullError::disk("remove", path, 0, error))?;
        }
        Ok(())
    }
}
