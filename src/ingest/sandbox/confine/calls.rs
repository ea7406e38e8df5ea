//! The system calls that are left to a reading process: computing, memory, threads, and the streams it has already.
//!
//! Whatever is not on the list fails with `EPERM`: opening files, sockets, starting programs, sending signals to others,
//! looking into other processes. A list of what is allowed needs no care for calls that later kernels bring.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, Error, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, apply_filter,
};

/// Allowed whatever their arguments.
const FREE: &[libc::c_long] = &[
    // The streams that are open; `UnixStream` receives and sends.
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_readv,
    libc::SYS_writev,
    libc::SYS_recvfrom,
    libc::SYS_sendto,
    libc::SYS_lseek,
    libc::SYS_fstat,
    libc::SYS_close,
    libc::SYS_ppoll,
    // Memory.
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_brk,
    // Threads and signals to oneself; `clone3` is left to the filter below.
    libc::SYS_clone3,
    libc::SYS_futex,
    libc::SYS_set_robust_list,
    libc::SYS_rseq,
    libc::SYS_membarrier,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_restart_syscall,
    libc::SYS_gettid,
    libc::SYS_getpid,
    libc::SYS_exit,
    libc::SYS_exit_group,
    // The clock, and randomness for hash maps.
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_getrandom,
];

/// Refused to a helper that is otherwise free to compute and to read its files: other machines, other processes, and the
/// system's own settings.
const ALONE: &[libc::c_long] = &[
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_kill,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_io_uring_setup,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_keyctl,
    libc::SYS_mount,
    libc::SYS_unshare,
    libc::SYS_setns,
];

/// The filter for such a helper, to be installed later.
pub fn alone() -> Result<BpfProgram, Error> {
    let arch = TargetArch::try_from(std::env::consts::ARCH)?;
    let rules = ALONE.iter().map(|&call| (call, Vec::new())).collect();
    let refused = SeccompAction::Errno(libc::EPERM as u32);
    Ok(SeccompFilter::new(rules, SeccompAction::Allow, refused, arch)?.try_into()?)
}

/// Takes every other call away from this thread and those that it starts.
pub fn give_up() -> Result<(), Error> {
    let arch = TargetArch::try_from(std::env::consts::ARCH)?;
    // A thread is made with `clone3`, whose flags no filter can see. Told that the kernel does not know it, the C library
    // takes `clone`, whose flags say whether it is a thread. This filter comes first: the second forbids adding another,
    // and lets this call through to it, since of two refusals the later filter's counts.
    let unknown = SeccompAction::Errno(libc::ENOSYS as u32);
    let clone3 = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
    install(SeccompFilter::new(clone3, SeccompAction::Allow, unknown, arch)?)?;
    let refused = SeccompAction::Errno(libc::EPERM as u32);
    install(SeccompFilter::new(allowed()?, refused, SeccompAction::Allow, arch)?)
}

fn install(filter: SeccompFilter) -> Result<(), Error> {
    let program: BpfProgram = filter.try_into()?;
    apply_filter(&program)
}

fn allowed() -> Result<BTreeMap<i64, Vec<SeccompRule>>, Error> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = FREE.iter().map(|&call| (call, Vec::new())).collect();
    let mut only = |call, argument, how, value: u64| {
        let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Qword, how, value)?;
        rules.insert(call, vec![SeccompRule::new(vec![condition])?]);
        Ok::<_, Error>(())
    };
    // No memory that can be run.
    let run = libc::PROT_EXEC as u64;
    only(libc::SYS_mmap, 2, SeccompCmpOp::MaskedEq(run), 0)?;
    only(libc::SYS_mprotect, 2, SeccompCmpOp::MaskedEq(run), 0)?;
    // Threads, and no processes.
    let thread = libc::CLONE_THREAD as u64;
    only(libc::SYS_clone, 0, SeccompCmpOp::MaskedEq(thread), thread)?;
    // `abort` sends itself a signal; others get none.
    only(libc::SYS_tgkill, 0, SeccompCmpOp::Eq, u64::from(std::process::id()))?;
    // The name of a thread.
    only(libc::SYS_prctl, 0, SeccompCmpOp::Eq, libc::PR_SET_NAME as u64)?;
    // Limits can be asked for, and not changed.
    only(libc::SYS_prlimit64, 2, SeccompCmpOp::Eq, 0)?;
    // Whether a descriptor is open, which the standard library asks in some builds.
    only(libc::SYS_fcntl, 1, SeccompCmpOp::Eq, libc::F_GETFD as u64)?;
    Ok(rules)
}
