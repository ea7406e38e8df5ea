//! SHA-256 of a file, with a way to watch and to stop.
//!
//! [`super::library`], [`super::import`] and [`super::download`] call it on blocking threads. Why it is SHA-256 and
//! not a quicker hash: it is what the hub publishes.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use sha2::{Digest, Sha256};

/// One read: large enough that the system calls do not count, small enough to stop within a blink.
const BLOCK: usize = 1 << 20;

/// What a file was found to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileDigest {
    pub size: u64,
    /// 64 small hexadecimal digits.
    pub sha256: String,
}

/// Reads a file and hashes it. `ErrorKind::Interrupted` when `cancel` was set.
pub fn of_file(path: &Path, cancel: &AtomicBool, on_bytes: &mut dyn FnMut(u64)) -> io::Result<FileDigest> {
    of_reader(&mut File::open(path)?, &mut io::sink(), cancel, on_bytes)
}

/// Copies a stream and hashes it on the way.
pub fn of_reader(
    from: &mut dyn Read,
    to: &mut dyn Write,
    cancel: &AtomicBool,
    on_bytes: &mut dyn FnMut(u64),
) -> io::Result<FileDigest> {
    let mut hasher = Sha256::new();
    let mut block = vec![0; BLOCK];
    let mut size = 0;
    loop {
        if cancel.load(Ordering::Relaxed) {
            return Err(io::Error::from(io::ErrorKind::Interrupted));
        }
        let read = match from.read(&mut block) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hasher.update(&block[..read]);
        to.write_all(&block[..read])?;
        size += read as u64;
        on_bytes(size);
    }
    let sha256 = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(FileDigest { size, sha256 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_the_published_one() {
        // FIPS 180-2, appendix B.1.
        let mut copy = Vec::new();
        let mut from: &[u8] = b"abc";
        let found = of_reader(&mut from, &mut copy, &AtomicBool::new(false), &mut |_| ()).unwrap();
        assert_eq!(found.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!((found.size, copy.as_slice()), (3, b"abc".as_slice()));
        let stopped = of_reader(&mut from, &mut copy, &AtomicBool::new(true), &mut |_| ()).unwrap_err();
        assert_eq!(stopped.kind(), io::ErrorKind::Interrupted);
    }
}
