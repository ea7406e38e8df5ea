//! A fence around a program of somebody else's that foreign bytes are given to: files that it may read, and nothing else.
//!
//! Made before such a program is started and entered by it between fork and exec, where hardly anything is allowed: so all
//! that needs memory happens in [`Fence::around`]. `helper.rs` starts programs within one and limits
//! what they take; this program's own reading processes give up more (`mod.rs`).

use std::io;
use std::path::PathBuf;

use super::Confinement;
#[cfg(target_os = "linux")]
use super::{calls, linux};

/// What holds a program to reading some files.
#[derive(Debug)]
pub struct Fence {
    #[cfg(target_os = "linux")]
    files: Option<std::os::fd::OwnedFd>,
    #[cfg(target_os = "linux")]
    calls: seccompiler::BpfProgram,
    confinement: Confinement,
}

impl Fence {
    /// With these files and folders to be read and run; those that are not there are passed over.
    #[cfg(target_os = "linux")]
    pub fn around(readable: &[PathBuf]) -> Self {
        let mut confinement = Confinement::default();
        let files = linux::readable(readable, &mut confinement);
        let calls = calls::alone().unwrap_or_else(|error| {
            confinement.lacking.push(format!("its system calls are not limited (seccomp: {error})"));
            Vec::new()
        });
        Self { files, calls, confinement }
    }

    #[cfg(not(target_os = "linux"))]
    pub fn around(_: &[PathBuf]) -> Self {
        let lacking = vec!["this system limits neither files nor network of a process".to_owned()];
        Self { confinement: Confinement { lacking } }
    }

    /// What the system does not offer of it.
    pub fn confinement(&self) -> &Confinement {
        &self.confinement
    }

    /// Confines this process for good. Makes system calls only and takes no memory, so that it may be called between fork
    /// and exec.
    pub fn enter(&self) -> io::Result<()> {
        #[cfg(target_os = "linux")]
        {
            if let Some(files) = &self.files {
                linux::enter(files)?;
            }
            if !self.calls.is_empty() {
                let applied = seccompiler::apply_filter(&self.calls);
                applied.map_err(|_| io::Error::from_raw_os_error(libc::EPERM))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::os::unix::process::CommandExt;
    use std::path::Path;
    use std::process::{Command, Stdio};

    use super::*;

    /// Whether a fenced program reads a file.
    fn reads(readable: &[PathBuf], file: &Path) -> bool {
        let fence = Fence::around(readable);
        assert!(fence.confinement().lacking.is_empty(), "{:?}", fence.confinement());
        let mut command = Command::new("cat");
        command.arg(file).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        // SAFETY: `enter` makes system calls only.
        unsafe { command.pre_exec(move || fence.enter()) };
        command.output().is_ok_and(|output| output.status.success() && output.stdout == b"words")
    }

    #[test]
    fn a_fenced_program_reads_what_it_may_and_nothing_else() {
        let home = tempfile::tempdir().unwrap();
        let (open, secret) = (home.path().join("open"), home.path().join("secret"));
        for folder in [&open, &secret] {
            std::fs::create_dir(folder).unwrap();
            std::fs::write(folder.join("file"), "words").unwrap();
        }
        let system = ["/usr", "/bin", "/lib", "/lib64", "/etc/ld.so.cache", "/nowhere"].map(PathBuf::from);
        let with = |folder: &Path| system.iter().cloned().chain([folder.to_owned()]).collect::<Vec<_>>();
        assert!(reads(&with(&open), &open.join("file")));
        assert!(reads(&with(home.path()), &secret.join("file")));
        assert!(!reads(&with(&open), &secret.join("file")));
        assert!(!reads(&with(&open), &open.join("../secret/file")));
        // Not even a program can be started that may not be read.
        assert!(!reads(std::slice::from_ref(&open), &open.join("file")));
    }
}
