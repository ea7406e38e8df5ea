//! `tesseract` as a helper: a picture into its standard input, a table of words out of its standard output.
//!
//! It gets nothing else: no path, no terminal, none of the program's variables; where the system can fence a program in, it
//! reads its own libraries and languages and no other file, and speaks to nobody. Its memory and its computing are limited,
//! and it is killed when it takes too long or when its words are not wanted any more.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::page;
use crate::ingest::extract::ExtractError;
use crate::ingest::sandbox::{Confinement, Fence, Helper};

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

/// The program, with the variables that say where its languages and libraries are.
const HELPER: Helper =
    Helper { name: "tesseract", variables: &["TESSDATA_PREFIX", "LD_LIBRARY_PATH"], memory: MEMORY };

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
    let fence = Arc::new(Fence::around(&HELPER.files()));
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
    let mut command = HELPER.command(fence, CPU_SECONDS);
    // One thread: pages are many, and cores are for those who ask.
    command.env("OMP_THREAD_LIMIT", "1");
    command
}
