//! One reading process, seen from the program: start it, speak with it, and know why it ended.
//!
//! It lives as long as the [`Process`] here and no longer: dropped, it is killed. Everything waits at most until the
//! bounds' clock runs out or the work is no longer wanted. What the process wrote to its standard error goes to the log,
//! masked.

use std::io::{self, BufReader, ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Once;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;

use super::bounds::Bounds;
use super::checked::Wrong;
use super::confine::Confinement;
use super::frame::{self, Caps, FrameError};
use super::message::{Reply, Request, Start};
use super::{COMMAND, Program};
use crate::domain::mask;
use crate::ingest::extract::{ExtractError, Limits};

/// Between two looks at whether the work is still wanted.
const LOOK: Duration = Duration::from_millis(100);
/// A process that has hung up should be gone after this long.
const GOODBYE: Duration = Duration::from_millis(500);
/// A start is a matter of milliseconds; a machine that swaps takes longer.
const START: Duration = Duration::from_secs(20);
/// Characters of its standard error in the log.
const LOGGED: usize = 600;
/// Bytes of a header: the places of a document's blocks are in it, about a hundred bytes for each.
const HEADER_BYTES: u64 = 192 << 20;

/// A process that reads.
pub struct Process {
    child: Child,
    words: BufReader<UnixStream>,
    errors: UnixStream,
    bounds: Bounds,
    rest_cap: u64,
    confinement: Confinement,
}

impl Process {
    /// Starts one and waits until it is confined; `content` becomes its standard input.
    pub fn start(
        program: &Program,
        bounds: Bounds,
        limits: &Limits,
        content: Stdio,
        stop: &dyn Fn() -> bool,
    ) -> Result<Self, ExtractError> {
        let unavailable = |error: &dyn std::fmt::Display| ExtractError::NoReader(error.to_string());
        let mut process =
            Self::spawn(program, bounds, limits, content).map_err(|error| unavailable(&error))?;
        let start = Start {
            version: env!("CARGO_PKG_VERSION").into(),
            parent: std::process::id(),
            bounds,
            limits: limits.clone(),
        };
        let answered = process.send(&start, &[], START, stop).and_then(|()| process.receive(START, stop));
        match answered {
            Ok((Reply::Ready(confinement), _)) => {
                say_once(&confinement);
                process.confinement = confinement;
                Ok(process)
            }
            Ok(_) => Err(unavailable(&"it does not answer as it should")),
            Err(FrameError::Io(error)) if is_stopped(&error) => Err(ExtractError::Stopped),
            Err(error) => {
                let said = process.said();
                tracing::error!(%error, said, "a process to read documents did not start");
                Err(unavailable(&error))
            }
        }
    }

    fn spawn(program: &Program, bounds: Bounds, limits: &Limits, content: Stdio) -> io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        let (errors, their_errors) = UnixStream::pair()?;
        ours.set_read_timeout(Some(LOOK))?;
        ours.set_write_timeout(Some(LOOK))?;
        errors.set_nonblocking(true)?;
        // What does not fit is lost: nobody reads it before the end, and the process must not wait for that.
        their_errors.set_nonblocking(true)?;
        // No keys, no proxies, no settings; only where the libraries lie that the program itself was found with.
        let libraries = ["LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"];
        let libraries = libraries.into_iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
        let child = Command::new(&program.path)
            .arg0("neverafk")
            .arg(COMMAND)
            .env_clear()
            .envs(libraries)
            .current_dir("/")
            // What is typed at the terminal is for the program to act upon.
            .process_group(0)
            .stdin(content)
            .stdout(OwnedFd::from(theirs))
            .stderr(OwnedFd::from(their_errors))
            .spawn()?;
        Ok(Self {
            child,
            words: BufReader::with_capacity(64 << 10, ours),
            errors,
            bounds,
            rest_cap: longest(limits),
            confinement: Confinement::default(),
        })
    }

    pub fn confinement(&self) -> &Confinement {
        &self.confinement
    }

    /// The pipe to its standard input, where it was started with one.
    pub fn take_stdin(&mut self) -> Option<std::process::ChildStdin> {
        self.child.stdin.take()
    }

    /// Sends what is to be done.
    pub fn request(
        &mut self,
        request: &Request,
        rest: &[u8],
        stop: &dyn Fn() -> bool,
    ) -> Result<(), ExtractError> {
        let sent = self.send(request, rest, self.bounds.answer(), stop);
        sent.map_err(|error| self.ended(error))
    }

    /// Waits for what came of it.
    pub fn reply(&mut self, stop: &dyn Fn() -> bool) -> Result<(Reply, Vec<u8>), ExtractError> {
        let received = self.receive(self.bounds.answer(), stop);
        received.map_err(|error| self.ended(error))
    }

    /// The process said what no reader says: it is not asked again.
    pub fn disbelieve(&mut self, wrong: Wrong) -> ExtractError {
        self.ended(FrameError::Malformed(wrong.0))
    }

    fn send(
        &mut self,
        header: &impl serde::Serialize,
        rest: &[u8],
        within: Duration,
        stop: &dyn Fn() -> bool,
    ) -> Result<(), FrameError> {
        let mut timed = Timed { stream: self.words.get_ref(), until: Instant::now() + within, stop };
        frame::write(&mut timed, header, rest)
    }

    fn receive<T: DeserializeOwned>(
        &mut self,
        within: Duration,
        stop: &dyn Fn() -> bool,
    ) -> Result<(T, Vec<u8>), FrameError> {
        let caps = Caps { header: HEADER_BYTES, rest: self.rest_cap };
        let mut timed = TimedBuffer { words: &mut self.words, until: Instant::now() + within, stop };
        frame::read(&mut timed, caps)
    }

    /// Why nothing more comes from it, for the creator; it is over with it.
    fn ended(&mut self, error: FrameError) -> ExtractError {
        let status = match error {
            FrameError::Ended => self.goodbye(),
            _ => None,
        };
        self.kill();
        let said = self.said();
        let seconds = self.bounds.cpu_seconds;
        let cause = match (&error, status.and_then(|status| status.signal())) {
            (FrameError::Io(error), _) if error.kind() == ErrorKind::TimedOut => {
                ExtractError::TooSlow { seconds: self.bounds.answer_ms / 1000 }
            }
            (FrameError::Io(error), _) if is_stopped(error) => ExtractError::Stopped,
            (FrameError::Io(error), _) => ExtractError::Crashed(error.to_string()),
            (FrameError::Malformed(what), _) => ExtractError::Crashed(format!("it answered with {what}")),
            (FrameError::Ended, Some(libc::SIGXCPU)) => ExtractError::TooSlow { seconds },
            (FrameError::Ended, _) if said.contains("memory allocation of") => {
                ExtractError::TooHungry { limit: self.bounds.memory }
            }
            (FrameError::Ended, _) if said.contains("overflowed its stack") => {
                ExtractError::Crashed("its parts lie too deep within each other".into())
            }
            // Not sent from here: the system was out of memory, or somebody ended it.
            (FrameError::Ended, Some(libc::SIGKILL)) => {
                ExtractError::Crashed("it was ended from outside, or the machine has no memory left".into())
            }
            (FrameError::Ended, Some(signal)) => {
                ExtractError::Crashed(format!("it ended with signal {signal}"))
            }
            (FrameError::Ended, None) => ExtractError::Crashed("it ended before it was done".into()),
        };
        if cause != ExtractError::Stopped {
            tracing::debug!(%error, ?status, said, "a reading process ended early");
        }
        cause
    }

    /// How it ended, when it does so by itself.
    fn goodbye(&mut self) -> Option<ExitStatus> {
        let until = Instant::now() + GOODBYE;
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return Some(status),
                Ok(None) if Instant::now() < until => std::thread::sleep(Duration::from_millis(2)),
                Ok(None) | Err(_) => return None,
            }
        }
    }

    fn kill(&mut self) {
        // Both fail only when it is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// What it wrote to its standard error, without what a log must not have.
    fn said(&mut self) -> String {
        let mut said = vec![0; 8 << 10];
        let length = self.errors.read(&mut said).unwrap_or(0);
        mask::excerpt(&String::from_utf8_lossy(&said[..length]), LOGGED)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The longest that follows a header: a document's words, or one of the files that a package holds.
fn longest(limits: &Limits) -> u64 {
    let files = limits.stream_bytes.max(limits.office_bytes).max(limits.html_bytes);
    files.max(limits.words_bytes as u64) + (1 << 20)
}

/// What the system does not offer is said once, not for each document.
fn say_once(confinement: &Confinement) {
    static SAID: Once = Once::new();
    if !confinement.lacking.is_empty() {
        SAID.call_once(|| {
            let lacking = confinement.lacking.join("; ");
            tracing::warn!(lacking, "documents are read in a process that is less confined than it could be");
        });
    }
}

const STOPPED: &str = "no longer wanted";

fn is_stopped(error: &io::Error) -> bool {
    error.kind() == ErrorKind::Other && error.to_string() == STOPPED
}

/// Tries until it works, the clock runs out or the work is no longer wanted.
fn patiently(
    until: Instant,
    stop: &dyn Fn() -> bool,
    mut attempt: impl FnMut() -> io::Result<usize>,
) -> io::Result<usize> {
    loop {
        // Also when something comes: a byte now and then would go on for ever.
        if Instant::now() >= until {
            return Err(ErrorKind::TimedOut.into());
        }
        match attempt() {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            done => return done,
        }
        if stop() {
            return Err(io::Error::other(STOPPED));
        }
    }
}

struct Timed<'a> {
    stream: &'a UnixStream,
    until: Instant,
    stop: &'a dyn Fn() -> bool,
}

impl Write for Timed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        patiently(self.until, self.stop, || self.stream.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

struct TimedBuffer<'a> {
    words: &'a mut BufReader<UnixStream>,
    until: Instant,
    stop: &'a dyn Fn() -> bool,
}

impl Read for TimedBuffer<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        patiently(self.until, self.stop, || self.words.read(bytes))
    }
}
