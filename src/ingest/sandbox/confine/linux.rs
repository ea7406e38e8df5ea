//! What Linux offers besides limits and the list of system calls: an end with the parent, and Landlock.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::PathBuf;

use landlock::{
    ABI, Access, AccessFs, AccessNet, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError, RulesetStatus,
    Scope, path_beneath_rules,
};

use super::Confinement;

/// The newest rules that are asked for; an older kernel enforces those that it knows.
const RULES: ABI = ABI::V6;

/// Ends this process when the thread that started it ends, however that ends.
pub fn die_with(parent: u32) -> io::Result<()> {
    let signal = libc::SIGKILL as libc::c_ulong;
    // SAFETY: numbers only; no memory is touched.
    if unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, signal, 0, 0, 0) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // It may have ended before the wish was known.
    if std::os::unix::process::parent_id() != parent {
        return Err(io::Error::other("the program that started this process has ended"));
    }
    // SAFETY: numbers only. Nobody reads the memory of this process, no other of the same user either.
    unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0) };
    Ok(())
}

/// Closes whatever was inherited besides the three standard streams. All of this program closes itself; a library's may
/// not.
pub fn close_others() {
    let (first, last, flags) = (3 as libc::c_uint, libc::c_uint::MAX, 0 as libc::c_uint);
    // SAFETY: closes descriptors that nothing in this process owns yet: it is called before anything is opened. A kernel
    // without the call leaves them as they are.
    unsafe { libc::syscall(libc::SYS_close_range, first, last, flags) };
}

/// Takes away every right to files, and to TCP and signals where the kernel knows how.
pub fn give_up_files(confinement: &mut Confinement) {
    match landlock() {
        Ok(RulesetStatus::FullyEnforced | RulesetStatus::PartiallyEnforced) => {}
        Ok(RulesetStatus::NotEnforced) => {
            confinement.lacking.push("the kernel has no Landlock, or it is switched off".into());
        }
        Err(error) => {
            confinement.lacking.push(format!("its access to files is not limited (Landlock: {error})"))
        }
    }
}

/// Rules by which only these files and folders can be read and run, to be entered later; `None` where the kernel has none.
pub fn readable(paths: &[PathBuf], confinement: &mut Confinement) -> Option<OwnedFd> {
    match rules(paths) {
        Ok(Some(rules)) => Some(rules),
        Ok(None) => {
            confinement.lacking.push("the kernel has no Landlock, or it is switched off".into());
            None
        }
        Err(error) => {
            confinement.lacking.push(format!("its access to files is not limited (Landlock: {error})"));
            None
        }
    }
}

fn rules(paths: &[PathBuf]) -> Result<Option<OwnedFd>, RulesetError> {
    let created = Ruleset::default()
        .handle_access(AccessFs::from_all(RULES))?
        .handle_access(AccessNet::from_all(RULES))?
        .scope(Scope::from_all(RULES))?
        .create()?
        .add_rules(path_beneath_rules(paths, AccessFs::from_read(RULES)))?;
    Ok(created.into())
}

/// Enters such rules. System calls only.
pub fn enter(rules: &OwnedFd) -> io::Result<()> {
    // SAFETY: numbers only; no memory is touched. Without a way to more rights, as the rules demand.
    if unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let flags = 0 as libc::c_uint;
    // SAFETY: a descriptor that is open, and no memory.
    if unsafe { libc::syscall(libc::SYS_landlock_restrict_self, rules.as_raw_fd(), flags) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

fn landlock() -> Result<RulesetStatus, RulesetError> {
    let status = Ruleset::default()
        .handle_access(AccessFs::from_all(RULES))?
        .handle_access(AccessNet::from_all(RULES))?
        .scope(Scope::from_all(RULES))?
        .create()?
        .restrict_self()?;
    Ok(status.ruleset)
}
