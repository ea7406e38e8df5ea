//! Foreign bytes are read in a process of their own, which may compute and nothing else.
//!
//! In come a document's bytes or a file that holds many; out come words, or items, or an
//! [`ExtractError`](super::extract::ExtractError) that says what became of the process. The process is this very program
//! under the name [`COMMAND`] ([`worker`]): it gives up files, network and other programs ([`confine`]), works within
//! [`Bounds`], and what it answers is believed only after [`checked`] has looked at it. [`reader`] gives it documents,
//! [`apart`](self::apart()) files that hold many, [`Decoding`] recordings. Chunks, vectors and the store are not its business.

pub mod bounds;
pub mod checked;
pub mod confine;
pub mod frame;
pub mod message;
pub mod reader;
pub mod sound;
pub mod worker;

mod apart;
mod gate;
mod process;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::extract::{ExtractError, Limits};

pub use apart::apart;
pub use bounds::{Allowance, Bounds};
pub use confine::{Confinement, Fence, Helper};
pub use reader::Reader;
pub use sound::Decoding;

/// The argument that makes this program a reader.
pub const COMMAND: &str = "extract-worker";

/// Where foreign bytes are read.
#[derive(Debug, Clone, Default)]
pub enum Sandbox {
    /// In this process: for tests and benchmarks of the readers themselves, whose bytes are their own.
    #[default]
    Within,
    /// In processes of this program.
    Apart(Program),
}

/// A program that understands [`COMMAND`], and how much its processes may take.
#[derive(Debug, Clone)]
pub struct Program {
    pub path: PathBuf,
    pub allowance: Allowance,
}

impl Sandbox {
    /// Processes of the program that runs here.
    pub fn of_this_program() -> Self {
        // On Linux this names the program that runs even after its file was replaced by a newer one, so that both sides
        // speak alike. Elsewhere a replaced program is noticed by its version.
        let path = if cfg!(target_os = "linux") {
            PathBuf::from("/proc/self/exe")
        } else {
            std::env::current_exe().unwrap_or_else(|_| PathBuf::from("neverafk"))
        };
        Self::Apart(Program { path, allowance: Allowance::default() })
    }

    /// The same with other limits.
    pub fn with(self, allowance: Allowance) -> Self {
        match self {
            Self::Within => Self::Within,
            Self::Apart(program) => Self::Apart(Program { allowance, ..program }),
        }
    }

    /// Starts a process and ends it: how it is confined, and how long its start took.
    pub fn probe(&self) -> Result<(Confinement, Duration), ExtractError> {
        let began = Instant::now();
        let confinement = match self {
            Self::Within => Confinement { lacking: vec!["documents are read in the program itself".into()] },
            Self::Apart(program) => {
                let limits = Limits::default();
                let stdin = std::process::Stdio::null();
                let process =
                    process::Process::start(program, program.allowance.shared(), &limits, stdin, &|| false)?;
                process.confinement().clone()
            }
        };
        Ok((confinement, began.elapsed()))
    }
}

/// What reading needs to know, for as long as it goes on.
#[derive(Clone, Copy)]
pub struct Reading<'a> {
    pub sandbox: &'a Sandbox,
    pub limits: &'a Limits,
    /// Asked now and then; `true` ends the work, and the process with it.
    pub stop: &'a (dyn Fn() -> bool + Sync),
}
