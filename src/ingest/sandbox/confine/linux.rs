//! What Linux offers besides limits and the list of system calls: an end with the parent, and Landlock.

use std::io;

use landlock::{ABI, Access, AccessFs, AccessNet, Ruleset, RulesetAttr, RulesetError, RulesetStatus, Scope};

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

fn landlock() -> Result<RulesetStatus, RulesetError> {
    let status = Ruleset::default()
        .handle_access(AccessFs::from_all(RULES))?
        .handle_access(AccessNet::from_all(RULES))?
        .scope(Scope::from_all(RULES))?
        .create()?
        .restrict_self()?;
    Ok(status.ruleset)
}
