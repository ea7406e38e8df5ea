//! The bytes of a file that is taken apart: a file on disk, bytes that are there, or a stream.
//!
//! Opened, it has shown its first bytes and can be read from its beginning: in any order where it is a file or a piece of
//! memory, else once from front to back, or held whole up to a limit.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read, Seek, SeekFrom};

use bytes::Bytes;

use crate::ingest::detect::HEAD_BYTES;
use crate::ingest::extract::ExtractError;
use crate::ingest::extract::archive::Source;

/// What a file that holds many documents is read from.
pub enum Content {
    /// Not taken into memory. A pipe is read as a stream.
    File(File),
    Bytes(Bytes),
    Stream(Box<dyn Read + Send>),
}

impl Content {
    /// How many bytes there are, where that is known.
    pub fn size(&self) -> Option<u64> {
        match self {
            Self::File(file) => file.metadata().ok().map(|found| found.len()),
            Self::Bytes(bytes) => Some(bytes.len() as u64),
            Self::Stream(_) => None,
        }
    }

    /// The first bytes, and all of it.
    pub(super) fn open(self) -> io::Result<(Vec<u8>, Opened)> {
        match self {
            Self::Bytes(bytes) => {
                let head = bytes[..bytes.len().min(HEAD_BYTES)].to_vec();
                Ok((head, Opened::Source(Box::new(Cursor::new(bytes)))))
            }
            Self::File(mut file) => {
                let head = head(&mut file)?;
                match file.seek(SeekFrom::Start(0)) {
                    Ok(_) => Ok((head, Opened::Source(Box::new(BufReader::new(file))))),
                    Err(_) => Ok(stream(head, file)),
                }
            }
            Self::Stream(mut rest) => Ok(stream(head(&mut rest)?, rest)),
        }
    }
}

fn head(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    from.take(HEAD_BYTES as u64).read_to_end(&mut head)?;
    Ok(head)
}

fn stream(head: Vec<u8>, rest: impl Read + Send + 'static) -> (Vec<u8>, Opened) {
    let whole = Cursor::new(head.clone()).chain(rest);
    (head, Opened::Stream(Box::new(whole)))
}

/// Content that stands at its beginning.
pub(super) enum Opened {
    Source(Box<dyn Source>),
    Stream(Box<dyn Read + Send>),
}

impl Opened {
    /// From front to back.
    pub fn into_reader(self) -> impl BufRead {
        let reader: Box<dyn Read> = match self {
            Self::Source(source) => source,
            Self::Stream(stream) => stream,
        };
        BufReader::with_capacity(HEAD_BYTES, reader)
    }

    /// In any order; of a stream at most `limit` bytes are held.
    pub fn into_source(self, limit: u64) -> Result<Box<dyn Source>, ExtractError> {
        match self {
            Self::Source(source) => Ok(source),
            Self::Stream(_) => Ok(Box::new(Cursor::new(self.into_bytes(limit)?))),
        }
    }

    /// All of it, refused when it is more than `limit`.
    pub fn into_bytes(self, limit: u64) -> Result<Bytes, ExtractError> {
        let mut bytes = Vec::new();
        let read = self.into_reader().take(limit.saturating_add(1)).read_to_end(&mut bytes);
        read.map_err(|_| ExtractError::Damaged("file"))?;
        if bytes.len() as u64 > limit {
            return Err(ExtractError::TooLarge { bytes: bytes.len() as u64, limit });
        }
        Ok(Bytes::from(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_content_shows_its_head_and_is_read_whole() {
        let words = b"words ".repeat(20_000);
        let mut file = tempfile::tempfile().unwrap();
        io::Write::write_all(&mut file, &words).unwrap();
        let all = |n: u8| match n {
            0 => Content::Bytes(words.clone().into()),
            1 => {
                let mut again = file.try_clone().unwrap();
                again.rewind().unwrap();
                Content::File(again)
            }
            _ => Content::Stream(Box::new(Cursor::new(words.clone()))),
        };
        for n in 0..3 {
            let (head, opened) = all(n).open().unwrap();
            assert_eq!(head, words[..HEAD_BYTES]);
            assert_eq!(opened.into_bytes(words.len() as u64).unwrap(), words);
            let (_, opened) = all(n).open().unwrap();
            assert!(matches!(opened.into_bytes(10), Err(ExtractError::TooLarge { limit: 10, .. })));
            let mut source = all(n).open().unwrap().1.into_source(1 << 20).ok().unwrap();
            source.seek(SeekFrom::End(-6)).unwrap();
            let mut end = String::new();
            source.read_to_string(&mut end).unwrap();
            assert_eq!(end, "words ");
        }
    }
}
