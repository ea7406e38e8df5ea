//! The last lines of the log, in memory: for whoever runs the server and looks at it in a browser. Written by the log
//! itself, read by the dashboard; gone with the process.

use std::collections::VecDeque;
use std::io;
use std::sync::{Mutex, PoisonError};

use tracing_subscriber::fmt::MakeWriter;

/// Lines that stay.
const LINES: usize = 200;
/// Bytes of one that stay.
const LONGEST: usize = 2_000;

static RECENT: Mutex<VecDeque<String>> = Mutex::new(VecDeque::new());

/// The lines, oldest first.
pub fn lines() -> Vec<String> {
    RECENT.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
}

/// Where the log writes for [`lines`].
#[derive(Debug, Clone, Copy)]
pub struct Keeper;

impl<'a> MakeWriter<'a> for Keeper {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        Self
    }
}

impl io::Write for Keeper {
    /// The log writes a line at a time.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let kept = line.get(..LONGEST).unwrap_or(line);
        let text = String::from_utf8_lossy(kept).trim_end().to_owned();
        if !text.is_empty() {
            let mut recent = RECENT.lock().unwrap_or_else(PoisonError::into_inner);
            if recent.len() == LINES {
                recent.pop_front();
            }
            recent.push_back(text);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn the_last_lines_stay_and_none_is_long() {
        for number in 0..LINES + 3 {
            writeln!(Keeper, "line {number}").unwrap();
        }
        Keeper.write_all("é".repeat(LONGEST).as_bytes()).unwrap();
        let lines = lines();
        assert_eq!(lines.len(), LINES);
        assert!(lines.iter().all(|line| line.chars().count() <= LONGEST));
        assert!(!lines.iter().any(|line| line == "line 0"));
    }
}
