//! Each thing that a confined process must not do is tried in one: this test's own executable, started again.

use std::io::Write;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use super::*;

/// Says to the test [`attempt`] that it is the confined process, and what to try.
const VARIABLE: &str = "NEVERAFK_TEST_ATTEMPT";

/// Does nothing in a run of the tests; in a process started by [`tried`] it confines itself and does what must fail.
#[test]
fn attempt() {
    let Ok(what) = std::env::var(VARIABLE) else { return };
    let bounds = Bounds { memory: 256 << 20, cpu_seconds: 1, answer_ms: 0 };
    let (program, address) = (std::env::current_exe().unwrap(), ("127.0.0.1", 9));
    let confinement = confine(&bounds, std::os::unix::process::parent_id()).unwrap();
    assert!(confinement.lacking.is_empty() || cfg!(not(target_os = "linux")), "{confinement:?}");
    let outcome = match what.as_str() {
        "nothing" => {
            let sum = std::thread::Builder::new().name("sum".into()).stack_size(64 << 20);
            let sum = sum.spawn(|| vec![1u64; 1 << 20].iter().sum::<u64>()).unwrap().join().unwrap();
            assert_eq!(sum, 1 << 20);
            Ok(())
        }
        "open" => std::fs::read("/etc/passwd").map(drop),
        "list" => std::fs::read_dir("/").map(drop),
        "write" => std::fs::write(std::env::temp_dir().join("neverafk-confined"), "x"),
        "delete" => std::fs::remove_file("/tmp/neverafk-confined-nothing"),
        "connect" => std::net::TcpStream::connect(address).map(drop),
        "listen" => std::net::TcpListener::bind("127.0.0.1:0").map(drop),
        "datagram" => std::net::UdpSocket::bind("127.0.0.1:0").map(drop),
        "socket" => std::os::unix::net::UnixStream::connect("/run/nothing").map(drop),
        "pair" => std::os::unix::net::UnixStream::pair().map(drop),
        "program" => Command::new(program).output().map(drop),
        // SAFETY: a child that there must not be ends at once.
        "fork" => match unsafe { libc::fork() } {
            0 => std::process::exit(0),
            child => {
                if child < 0 {
                    Err(io::Error::last_os_error())
                } else {
                    Ok(())
                }
            }
        },
        // SAFETY: the signal 0 asks only whether it may be sent.
        "signal" => match unsafe { libc::kill(libc::getppid(), 0) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        },
        "limits" => limit(libc::RLIMIT_CPU, 1, 1),
        "panic" => {
            assert!(std::panic::catch_unwind(|| panic!("caught")).is_err());
            Ok(())
        }
        "memory" => {
            let mut held: Vec<Vec<u8>> = Vec::new();
            loop {
                held.push(vec![1; 16 << 20]);
            }
        }
        "recursion" => {
            fn deeper(n: u64) -> u64 {
                let kept = std::hint::black_box([n; 512]);
                if n == u64::MAX { 0 } else { deeper(n + 1) + kept[3] }
            }
            std::hint::black_box(deeper(0));
            Ok(())
        }
        "spin" => loop {
            std::hint::black_box(0);
        },
        "abort" => std::process::abort(),
        other => panic!("`{other}` is no attempt"),
    };
    let kind = outcome.map_err(|error| error.raw_os_error());
    let mut out = io::stdout();
    writeln!(out, "outcome {kind:?}").unwrap();
    out.flush().unwrap();
    // The harness would go on to report on streams and threads of its own.
    // SAFETY: ends the process without running anything more of it.
    unsafe { libc::_exit(0) }
}

fn tried(what: &str) -> Output {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "ingest::sandbox::confine::tests::attempt", "--nocapture", "--test-threads=1"])
        .env(VARIABLE, what)
        .output()
        .unwrap()
}

fn outcome(what: &str) -> String {
    let output = tried(what);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let line =
        said.lines().find_map(|line| line.split_once("outcome ").map(|(_, outcome)| outcome.to_owned()));
    line.unwrap_or_else(|| {
        panic!("{what}: {:?} {said} {}", output.status, String::from_utf8_lossy(&output.stderr))
    })
}

#[test]
fn a_confined_process_still_computes() {
    assert_eq!(outcome("nothing"), "Ok(())");
    assert_eq!(outcome("panic"), "Ok(())");
}

#[test]
#[cfg(target_os = "linux")]
fn a_confined_process_reaches_nothing() {
    for what in [
        "open", "list", "write", "delete", "connect", "listen", "datagram", "socket", "pair", "program",
        "fork", "signal", "limits",
    ] {
        let refused = [libc::EPERM, libc::EACCES].map(|code| format!("Err(Some({code}))"));
        let outcome = outcome(what);
        assert!(refused.contains(&outcome), "{what}: {outcome}");
    }
    assert!(!std::env::temp_dir().join("neverafk-confined").exists());
}

#[test]
#[cfg(target_os = "linux")]
fn memory_and_computing_end_at_their_limits() {
    use std::os::unix::process::ExitStatusExt;
    let began = Instant::now();
    let spun = tried("spin");
    assert_eq!(spun.status.signal(), Some(libc::SIGXCPU), "{spun:?}");
    let hungry = tried("memory");
    assert_eq!(hungry.status.signal(), Some(libc::SIGABRT), "{hungry:?}");
    assert!(String::from_utf8_lossy(&hungry.stderr).contains("memory allocation of"), "{hungry:?}");
    for what in ["recursion", "abort"] {
        assert!(tried(what).status.signal().is_some(), "{what}");
    }
    assert!(began.elapsed() < Duration::from_secs(60));
}
