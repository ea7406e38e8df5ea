//! Programs of somebody else's that foreign bytes are given to: what they may read, and how much they may take.
//!
//! In come a program's name and its limits, out comes a command that has nothing of this program's: no variables but the
//! named ones, no folder, no terminal, little priority, and no file outside the [`Fence`]. `ingest/ocr` starts tesseract
//! so, and the audio reader ffmpeg. How long one is waited for is the starter's business.

use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use super::{Fence, Resource};

/// Where systems keep programs, libraries and what belongs to them; what of it is not there is passed over.
const SYSTEM: [&str; 8] =
    ["/usr", "/bin", "/lib", "/lib32", "/lib64", "/etc/ld.so.cache", "/etc/alternatives", "/nix/store"];
/// The same below a folder of the creator's own in whose `bin` the program lies.
const OWN: [&str; 4] = ["bin", "lib", "lib64", "share"];

/// A program of somebody else's.
#[derive(Debug, Clone, Copy)]
pub struct Helper {
    pub name: &'static str,
    /// Variables that it needs; those that name folders are folders that it reads.
    pub variables: &'static [&'static str],
    /// Bytes of memory.
    pub memory: u64,
}

impl Helper {
    /// The files that it needs to run.
    pub fn files(&self) -> Vec<PathBuf> {
        let mut places = listed("PATH").into_iter().map(|folder| folder.join(self.name));
        let program = places.find(|path| path.is_file()).and_then(|path| path.canonicalize().ok());
        let own = program.as_deref().and_then(Path::parent).and_then(Path::parent).map(Path::to_owned);
        let own = own.into_iter().flat_map(|root| OWN.map(|name| root.join(name)));
        let named = self.variables.iter().flat_map(|name| listed(name));
        SYSTEM.iter().map(PathBuf::from).chain(program).chain(own).chain(named).collect()
    }

    /// Starts it within a fence, or without one where there is none, with so many seconds of computing.
    pub fn command(&self, fence: Option<&Arc<Fence>>, cpu_seconds: u64) -> Command {
        let (fence, memory) = (fence.cloned(), self.memory);
        let mut command = Command::new(self.name);
        let kept = std::iter::once(&"PATH").chain(self.variables);
        let kept = kept.filter_map(|name| Some((name, std::env::var_os(name)?)));
        command.env_clear().envs(kept).current_dir("/").process_group(0);
        // SAFETY: between fork and exec only calls that are safe there (setrlimit and nice by POSIX, and the fence's system
        // calls), and no memory is taken.
        unsafe {
            command.pre_exec(move || {
                limit(libc::RLIMIT_CORE, 0)?;
                limit(libc::RLIMIT_CPU, cpu_seconds)?;
                // Where the system refuses this one, the other limits hold.
                let _ = limit(libc::RLIMIT_AS, memory);
                libc::nice(10);
                fence.as_ref().map_or(Ok(()), |fence| fence.enter())
            });
        }
        command
    }
}

/// The folders that a variable names.
fn listed(name: &str) -> Vec<PathBuf> {
    let paths = std::env::var_os(name).unwrap_or_default();
    std::env::split_paths(&paths).filter(|path| path.is_absolute()).collect()
}

fn limit(resource: Resource, most: u64) -> io::Result<()> {
    let most = libc::rlimit { rlim_cur: most as libc::rlim_t, rlim_max: most as libc::rlim_t };
    // SAFETY: the pointer is to a value of this frame, which the call only reads.
    if unsafe { libc::setrlimit(resource, &raw const most) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::process::Stdio;
    use std::time::{Duration, Instant};

    use super::*;

    const SHELL: Helper = Helper { name: "sh", variables: &["LD_LIBRARY_PATH"], memory: 1 << 30 };

    fn says(fence: Option<&Arc<Fence>>, words: &str) -> Option<String> {
        let mut command = SHELL.command(fence, 1);
        command.args(["-c", words]).stdin(Stdio::null()).stderr(Stdio::null());
        let output = command.output().unwrap();
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
    }

    #[test]
    fn a_helper_has_its_files_its_variables_and_nothing_else() {
        let home = tempfile::tempdir().unwrap();
        let (given, secret) = (home.path().join("given"), home.path().join("secret"));
        std::fs::write(&given, "words").unwrap();
        std::fs::write(&secret, "more words").unwrap();
        let files = SHELL.files().into_iter().chain([given.clone()]).collect::<Vec<_>>();
        let fence = Arc::new(Fence::around(&files));
        assert!(fence.confinement().lacking.is_empty(), "{:?}", fence.confinement());
        let read = |path: &Path| says(Some(&fence), &format!("cat '{}'", path.display()));
        assert_eq!(read(&given).as_deref(), Some("words"));
        assert_eq!(read(&secret), None);
        assert_eq!(
            says(Some(&fence), &format!("echo more > '{}'", given.display())),
            None,
            "nothing is written"
        );
        assert_eq!(std::fs::read(&given).unwrap(), b"words");
        assert_eq!(says(Some(&fence), "echo \"$HOME\"").as_deref(), Some("\n"));
    }

    #[test]
    fn a_helper_that_computes_for_ever_is_ended() {
        let began = Instant::now();
        assert_eq!(says(None, "while :; do :; done"), None);
        assert!(began.elapsed() < Duration::from_secs(60));
    }
}
