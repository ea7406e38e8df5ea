//! A file of JSON lines as a stream of values, each error with its line.
//!
//! Empty lines are passed over, a byte order mark and carriage returns are cut off.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error as _};

use super::DatasetError;

/// Longest line that is read, in bytes: many times the longest document that anybody asks questions about.
pub const MAX_LINE: u64 = 64 << 20;

/// The non-empty lines of a text file, numbered from 1.
pub(super) struct Lines {
    path: PathBuf,
    reader: BufReader<File>,
    number: u64,
    longest: u64,
}

impl Lines {
    pub(super) fn open(path: &Path) -> Result<Self, DatasetError> {
        let file = File::open(path).map_err(|source| DatasetError::Read { path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), reader: BufReader::new(file), number: 0, longest: MAX_LINE })
    }

    /// This file's error at the line read last.
    pub(super) fn wrong(&self, what: impl Into<String>) -> DatasetError {
        DatasetError::Line { path: self.path.clone(), line: self.number, what: what.into() }
    }

    pub(super) fn empty(&self) -> DatasetError {
        DatasetError::Empty(self.path.clone())
    }

    pub(super) fn next(&mut self) -> Option<Result<String, DatasetError>> {
        loop {
            let mut bytes = Vec::new();
            self.number += 1;
            match (&mut self.reader).take(self.longest + 1).read_until(b'\n', &mut bytes) {
                Ok(0) => return None,
                Ok(_) => {}
                Err(source) => return Some(Err(DatasetError::Read { path: self.path.clone(), source })),
            }
            if bytes.len() as u64 > self.longest {
                return Some(Err(self.wrong(format!("longer than {} MiB", self.longest >> 20))));
            }
            let Ok(text) = std::str::from_utf8(&bytes) else {
                return Some(Err(self.wrong("not UTF-8")));
            };
            let text = if self.number == 1 { text.trim_start_matches('\u{feff}') } else { text };
            let text = text.trim_end_matches(['\n', '\r']);
            if !text.trim().is_empty() {
                return Some(Ok(text.to_owned()));
            }
        }
    }
}

/// The values of a file of JSON lines, read as they are asked for. Ends after the first error.
pub struct JsonLines<T> {
    lines: Lines,
    failed: bool,
    value: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> JsonLines<T> {
    pub(super) fn open(path: &Path) -> Result<Self, DatasetError> {
        Ok(Self { lines: Lines::open(path)?, failed: false, value: PhantomData })
    }

    /// This file's error at the value read last.
    pub(super) fn wrong(&self, what: impl Into<String>) -> DatasetError {
        self.lines.wrong(what)
    }

    /// All values, of which there must be some; `check` says what is wrong with one.
    pub(super) fn read_all(
        mut self,
        check: impl Fn(&T) -> Result<(), String>,
    ) -> Result<Vec<T>, DatasetError> {
        let mut values = Vec::new();
        while let Some(value) = self.next() {
            let value = value?;
            check(&value).map_err(|what| self.wrong(what))?;
            values.push(value);
        }
        if values.is_empty() {
            return Err(self.lines.empty());
        }
        Ok(values)
    }
}

impl<T: DeserializeOwned> Iterator for JsonLines<T> {
    type Item = Result<T, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let value = self.lines.next()?.and_then(|line| {
            serde_json::from_str(&line).map_err(|error| {
                // serde_json counts lines within the one it got; ours is the line of the file.
                let what = error.to_string();
                let what = what.split(" at line ").next().unwrap_or(&what);
                self.lines.wrong(format!("{what} (column {})", error.column()))
            })
        });
        self.failed = value.is_err();
        Some(value)
    }
}

/// An id, which some sets write as a number.
pub(super) fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    match serde_json::Value::deserialize(deserializer)? {
        serde_json::Value::String(id) if !id.is_empty() => Ok(id),
        serde_json::Value::Number(id) => Ok(id.to_string()),
        other => Err(D::Error::custom(format!("an id is a non-empty string or a number, not {other}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Vec<Result<serde_json::Value, String>> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        let shown = file.path().display().to_string();
        let lines = JsonLines::<serde_json::Value>::open(file.path()).unwrap();
        lines.map(|value| value.map_err(|error| error.to_string().replace(&shown, "FILE"))).collect()
    }

    #[test]
    fn marks_and_line_ends_and_empty_lines_do_not_matter() {
        assert_eq!(read("\u{feff}1\r\n\r\n  \n2".as_bytes()), [Ok(1.into()), Ok(2.into())]);
        assert_eq!(read(b""), []);
    }

    #[test]
    fn an_error_names_its_line_and_ends_the_stream() {
        let broken = read(b"1\n\n{\"a\": \n3\n");
        assert_eq!(broken.len(), 2);
        assert_eq!(broken[1], Err("`FILE`, line 3: EOF while parsing a value (column 6)".to_owned()));
        assert_eq!(read(b"1\n\xff\n")[1], Err("`FILE`, line 2: not UTF-8".to_owned()));
    }

    #[test]
    fn a_line_without_end_is_refused_before_it_fills_the_memory() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "\"123456\"\n\"1234567\"\n").unwrap();
        let mut lines = Lines { longest: 9, ..Lines::open(file.path()).unwrap() };
        assert_eq!(lines.next().unwrap().unwrap(), "\"123456\"");
        assert!(lines.next().unwrap().unwrap_err().to_string().ends_with("line 2: longer than 0 MiB"));
    }
}
