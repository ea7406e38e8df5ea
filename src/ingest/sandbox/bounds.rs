//! How much memory and time a reading process gets, by what it reads.
//!
//! The numbers hold what an honest document of that size needs with room to spare: trees of HTML take ten bytes for one,
//! packed parts of office files and PDFs are held unpacked one at a time. Enforced in `confine` (memory, computing)
//! and `process` (the clock).

use std::time::Duration;

use serde::{Deserialize, Serialize};

const MIB: u64 = 1 << 20;

/// What every process may take, before the size of what it reads is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// Bytes of memory beyond the program itself.
    pub memory: u64,
    /// Seconds of computing.
    pub cpu_seconds: u64,
}

impl Default for Allowance {
    fn default() -> Self {
        Self { memory: 512 * MIB, cpu_seconds: 60 }
    }
}

/// The limits of one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounds {
    /// Bytes of address space beyond what the program takes when it starts.
    pub memory: u64,
    /// Seconds of computing, over its whole life.
    pub cpu_seconds: u64,
    /// Milliseconds by the clock until the next answer.
    pub answer_ms: u64,
}

/// Bytes that an honest reader holds for each byte of its document.
const MEMORY_FOR_A_BYTE: u64 = 6;
/// Bytes that are read in a second at least: a tenth of what the slowest reader does on one slow core.
const BYTES_A_SECOND: u64 = MIB;
/// By the clock a process may take this many times its computing: it runs with low priority beside others.
const PATIENCE: u64 = 3;
/// Bytes that unpacking holds: archives within archives, each level whole.
const UNPACKING: u64 = 1024 * MIB;
/// Seconds for a file whose size nobody knows before its end.
const UNKNOWN_SECONDS: u64 = 3_600;

impl Allowance {
    /// For the small texts of a batch, one after the other.
    pub fn shared(&self) -> Bounds {
        self.bounds(0, self.cpu_seconds)
    }

    /// For one document of this size.
    pub fn alone(&self, bytes: u64) -> Bounds {
        self.bounds(
            bytes.saturating_mul(MEMORY_FOR_A_BYTE),
            self.cpu_seconds.saturating_add(bytes / BYTES_A_SECOND),
        )
    }

    /// For a file that holds many: its parts are given out one by one, and the clock begins anew with each.
    pub fn many(&self, bytes: Option<u64>, held: u64) -> Bounds {
        let seconds = bytes.map_or(UNKNOWN_SECONDS, |bytes| bytes / BYTES_A_SECOND * 4);
        Bounds {
            cpu_seconds: self.cpu_seconds.saturating_mul(2).saturating_add(seconds),
            ..self.bounds(UNPACKING.saturating_add(held.saturating_mul(2)), self.cpu_seconds)
        }
    }

    fn bounds(&self, more_memory: u64, cpu_seconds: u64) -> Bounds {
        Bounds {
            memory: self.memory.saturating_add(more_memory),
            cpu_seconds,
            answer_ms: cpu_seconds.saturating_mul(1000 * PATIENCE),
        }
    }
}

impl Bounds {
    /// How long an answer may take by the clock.
    pub fn answer(&self) -> Duration {
        Duration::from_millis(self.answer_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn larger_documents_get_more_and_nothing_overflows() {
        let base = Allowance::default();
        assert_eq!(base.shared(), base.alone(0));
        let book = base.alone(100 * MIB);
        assert_eq!((book.memory, book.cpu_seconds), (1112 * MIB, 160));
        assert!(book.answer() > Duration::from_secs(book.cpu_seconds));
        for bounds in [base.alone(u64::MAX), base.many(Some(u64::MAX), u64::MAX), base.many(None, 0)] {
            assert!(bounds.memory >= base.memory && bounds.cpu_seconds > base.cpu_seconds);
        }
    }
}
