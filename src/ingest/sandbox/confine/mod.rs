//! Gives up what a reader of documents needs not: files, network, other programs, memory and time without end.
//!
//! Called once by the worker, on its only thread and before the first foreign byte. Linux gives all of it: limits of the
//! process, Landlock (no files), a list of the system calls that are left (`calls`). Elsewhere there are only the limits
//! and the process itself; [`Confinement`] says what is lacking, for the log and for `doctor`.

#[cfg(target_os = "linux")]
mod calls;
#[cfg(target_os = "linux")]
mod linux;

mod fence;
mod helper;

#[cfg(test)]
mod tests;

use std::io;

use serde::{Deserialize, Serialize};

use super::bounds::Bounds;

pub use fence::Fence;
pub use helper::Helper;

/// How well a process is confined.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confinement {
    /// What this system does not offer, each in a few words.
    pub lacking: Vec<String>,
}

/// Files that may be open at once; only those that are already are needed.
const OPEN_FILES: u64 = 16;
/// How much the process stands back for those that answer questions.
const NICE: libc::c_int = 10;
/// Between the signal that ends a process for its computing and the one that it cannot catch.
const GRACE_SECONDS: u64 = 5;

#[cfg(all(target_os = "linux", target_env = "gnu"))]
type Resource = libc::__rlimit_resource_t;
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
type Resource = libc::c_int;

/// Confines this process from here on. `parent` is the process that it must not outlive.
pub fn confine(bounds: &Bounds, parent: u32) -> io::Result<Confinement> {
    let mut confinement = Confinement::default();
    // Asked while files can be read.
    let memory = own_memory().saturating_add(bounds.memory);
    // SAFETY: `nice` takes a number and touches no memory. It can only fail for want of a right to be *less* nice.
    unsafe { libc::nice(NICE) };
    #[cfg(target_os = "linux")]
    {
        linux::die_with(parent)?;
        linux::give_up_files(&mut confinement);
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = parent;
        let lacking = "this system limits neither files nor network of a process";
        confinement.lacking.push(lacking.into());
    }
    limit(libc::RLIMIT_CORE, 0, 0)?;
    limit(libc::RLIMIT_FSIZE, 0, 0)?;
    limit(libc::RLIMIT_NOFILE, OPEN_FILES, OPEN_FILES)?;
    limit(libc::RLIMIT_CPU, bounds.cpu_seconds, bounds.cpu_seconds.saturating_add(GRACE_SECONDS))?;
    // macOS refuses this one.
    if let Err(error) = limit(libc::RLIMIT_AS, memory, memory) {
        confinement.lacking.push(format!("its memory is not limited ({error})"));
    }
    #[cfg(target_os = "linux")]
    if let Err(error) = calls::give_up() {
        confinement.lacking.push(format!("its system calls are not limited (seccomp: {error})"));
    }
    Ok(confinement)
}

/// Closes what was inherited besides the three standard streams. Called before anything is opened.
pub fn close_inherited() {
    #[cfg(target_os = "linux")]
    linux::close_others();
}

/// Sets a limit, never above what it is.
fn limit(resource: Resource, soft: u64, hard: u64) -> io::Result<()> {
    let mut now = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer is to a value of this frame.
    if unsafe { libc::getrlimit(resource, &raw mut now) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let hard = (hard as libc::rlim_t).min(now.rlim_max);
    let wanted = libc::rlimit { rlim_cur: (soft as libc::rlim_t).min(hard), rlim_max: hard };
    // SAFETY: the pointer is to a value of this frame, which the call only reads.
    if unsafe { libc::setrlimit(resource, &raw const wanted) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Bytes of address space that the program takes already: its code is mapped, whatever of it is used.
fn own_memory() -> u64 {
    /// Where the system does not say: more than the program takes.
    const ASSUMED: u64 = 512 << 20;
    let pages = std::fs::read_to_string("/proc/self/statm")
        .ok()
        .and_then(|line| line.split(' ').next()?.parse::<u64>().ok());
    // SAFETY: asks for a number.
    let page = u64::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096);
    pages.map_or(ASSUMED, |pages| pages.saturating_mul(page))
}
