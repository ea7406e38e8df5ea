//! `tesseract` as a helper: a picture into its standard input, a table of words out of its standard output.
//!
//! It gets nothing else: no path, no terminal, none of the program's variables; where the system can fence a program in, it
//! reads its own libraries and languages and no other file, and speaks to nobody. Its memory and its computing are limited,
//! and it is killed when it takes too long or when its words are not wanted any more.

use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::page;
use crate::ingest::extract::ExtractError;
use crate::ingest::sandbox::{Confinement, Fence};

/// For one page by the clock; a dense one takes ten seconds on one slow core.
const PATIENCE: Duration = Duration::from_secs(180);
/// Seconds of computing for one page.
const CPU_SECONDS: u64 = 120;
/// Bytes of memory: several times what a large page in three languages needs.
const MEMORY: u64 = 3 << 30;
/// Bytes that it may say of one page.
const WORDS: u64 = 16 << 20;
/// Between two looks at whether the work is still wanted.
const LOOK: Duration = Duration::from_millis(20);

/// Where systems keep programs, libraries and languages; what of it is not there is passed over.
const SYSTEM: [&str; 8] =
    ["/usr", "/bin", "/lib", "/lib32", "/lib64", "/etc/ld.so.cache", "/etc/alternatives", "/nix/store"];
/// The same below a folder of the creator's own in whose `bin` tesseract lies.
const OWN: [&str; 4] = ["bin", "lib", "lib64", "share"];

/// An installed tesseract.
#[derive(Debug)]
pub struct Tesseract {
    /// The names of the installed languages.
    pub languages: Vec<String>,
    fence: Option<Arc<Fence>>,
    pub confinement: Confinement,
}

/// Looks for it; `None` when there is none.
pub fn find() -> Option<Tesseract> {
    let fence = Arc::new(Fence::around(&readable()));
    let confinement = fence.confinement().clone();
    if let Some(languages) = languages(Some(&fence)) {
        return Some(Tesseract { languages, fence: Some(fence), confinement });
    }
    // One that needs more than its own files, as programs from a snap do, still has its limits.
    let languages = languages(None)?;
    let lacking =
        "this `tesseract` does not run without reading other files; its access to files is not limited";
    Some(Tesseract { languages, fence: None, confinement: Confinement { lacking: vec![lacking.into()] } })
}

/// The files that it needs.
fn readable() -> Vec<PathBuf> {
    let listed = |name: &str| {
        let paths = std::env::var_os(name).unwrap_or_default();
        std::env::split_paths(&paths).filter(|path| path.is_absolute()).collect::<Vec<_>>()
    };
    let program =
        listed("PATH").into_iter().map(|folder| folder.join("tesseract")).find(|path| path.is_file());
    let program = program.and_then(|path| path.canonicalize().ok());
    let own = program.as_deref().and_then(Path::parent).and_then(Path::parent).map(Path::to_owned);
    let own = own.into_iter().flat_map(|root| OWN.map(|name| root.join(name)));
    let system = SYSTEM.iter().map(PathBuf::from);
    system
        .chain(program.clone())
        .chain(own)
        .chain(listed("TESSDATA_PREFIX"))
        .chain(listed("LD_LIBRARY_PATH"))
        .collect()
}

/// `None` when it cannot be started so.
fn languages(fence: Option<&Arc<Fence>>) -> Option<Vec<String>> {
    let mut command = helper(fence);
    let output = command.arg("--list-langs").stdin(Stdio::null()).output();
    let output = output.inspect_err(|error| tracing::debug!(%error, "tesseract cannot be started")).ok()?;
    if !output.status.success() {
        return None;
    }
    // Older ones say it on the other stream.
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    // The first line tells where they lie; `osd` finds out which way is up and reads nothing.
    let names = said.lines().map(str::trim).filter(|line| !line.is_empty() && !line.contains(' '));
    let names: Vec<String> = names.filter(|name| *name != "osd").map(str::to_owned).collect();
    // Fenced in too closely, it runs and finds none.
    (!names.is_empty()).then_some(names)
}

/// The paragraphs of a picture.
pub fn words(
    tesseract: &Tesseract,
    picture: &[u8],
    languages: &str,
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<Vec<String>, ExtractError> {
    let unavailable = |error: std::io::Error| ExtractError::NoReader(format!("tesseract: {error}"));
    let mut command = helper(tesseract.fence.as_ref());
    command.args(["stdin", "stdout", "-l", languages, "tsv"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut running = Running(command.spawn().map_err(unavailable)?);
    let (Some(mut into), Some(out)) = (running.0.stdin.take(), running.0.stdout.take()) else {
        return Err(ExtractError::Damaged("scan"));
    };
    std::thread::scope(|scope| {
        scope.spawn(move || {
            // It may end before it has read all.
            let _ = into.write_all(picture);
        });
        let table = scope.spawn(move || {
            let mut table = Vec::new();
            out.take(WORDS).read_to_end(&mut table).map(|_| table)
        });
        let ended = running.wait(stop);
        // Dead or done, its streams are closed and both threads end.
        let table = table.join().ok().and_then(Result::ok).unwrap_or_default();
        ended.map(|()| page::paragraphs(&String::from_utf8_lossy(&table)))
    })
}

/// Killed when it is not wanted any more.
struct Running(Child);

impl Running {
    fn wait(&mut self, stop: &(dyn Fn() -> bool + Sync)) -> Result<(), ExtractError> {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.0.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(()),
                Ok(Some(_)) | Err(_) => return Err(ExtractError::Damaged("picture")),
                Ok(None) => {}
            }
            let error = if stop() {
                ExtractError::Stopped
            } else if Instant::now() >= until {
                ExtractError::TooSlow { seconds: PATIENCE.as_secs() }
            } else {
                std::thread::sleep(LOOK);
                continue;
            };
            self.end();
            return Err(error);
        }
    }

    fn end(&mut self) {
        // Both fail only when it has ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}

fn helper(fence: Option<&Arc<Fence>>) -> Command {
    let fence = fence.cloned();
    let mut command = Command::new("tesseract");
    let kept = ["PATH", "TESSDATA_PREFIX", "LD_LIBRARY_PATH"];
    let kept = kept.into_iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
    // One thread: pages are many, and cores are for those who ask.
    command.env_clear().envs(kept).env("OMP_THREAD_LIMIT", "1").current_dir("/").process_group(0);
    // SAFETY: between fork and exec only calls that are safe there (setrlimit and nice by POSIX, and the fence's system
    // calls), and no memory is taken.
    unsafe {
        command.pre_exec(move || {
            limit(libc::RLIMIT_CORE, 0)?;
            limit(libc::RLIMIT_CPU, CPU_SECONDS)?;
            // Where the system refuses this one, the other limits hold.
            let _ = limit(libc::RLIMIT_AS, MEMORY);
            libc::nice(10);
            fence.as_ref().map_or(Ok(()), |fence| fence.enter())
        });
    }
    command
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
type Resource = libc::__rlimit_resource_t;
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
type Resource = libc::c_int;

fn limit(resource: Resource, most: u64) -> std::io::Result<()> {
    let most = libc::rlimit { rlim_cur: most as libc::rlim_t, rlim_max: most as libc::rlim_t };
    // SAFETY: the pointer is to a value of this frame, which the call only reads.
    if unsafe { libc::setrlimit(resource, &raw const most) } != 0 {
        return Err(std::io::Error::last_os_error());
    }
    Ok(())
}
