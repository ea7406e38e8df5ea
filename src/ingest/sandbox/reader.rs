//! Reads documents one after the other: bytes and a name in, words out.
//!
//! Whatever is packed or large gets a process of its own. Small texts (plain, Markdown, HTML, captions, records) of one
//! batch, which is one creator's, share one: a process each would cost more than the reading. When a shared process
//! ends, the document at hand is tried once more alone, so that none is blamed for another.

use std::borrow::Cow;
use std::process::Stdio;

use bytes::Bytes;

use super::bounds::Bounds;
use super::gate::{Place, READERS};
use super::message::{Reply, Request};
use super::process::Process;
use super::{Program, Reading, Sandbox, checked, worker};
use crate::domain::{MediaType, Text};
use crate::ingest::Payload;
use crate::ingest::extract::captions;
use crate::ingest::extract::links::{self, Leads, Sought};
use crate::ingest::extract::pdf::{self, Sheet};
use crate::ingest::extract::{ExtractError, ExtractOptions, Limits};

/// Larger texts get a process of their own, with memory by their size.
const SMALL: usize = 1 << 20;
/// How far into a file a PDF may begin, as `detect` has it.
const PDF_WITHIN: usize = 1024;

/// Reads the documents of one batch.
pub struct Reader<'a> {
    reading: Reading<'a>,
    shared: Option<(Process, Place)>,
}

impl<'a> Reader<'a> {
    pub fn new(reading: Reading<'a>) -> Self {
        Self { reading, shared: None }
    }

    /// Tells what the bytes are and reads their words.
    pub fn read(
        &mut self,
        name: &str,
        payload: &Payload,
        password: Option<&str>,
    ) -> Result<(MediaType, Text), ExtractError> {
        let Reading { sandbox, limits, stop } = self.reading;
        let (bytes, is_record) = match payload {
            Payload::File(bytes) => (bytes.as_ref(), false),
            Payload::Record(words) => (words.as_bytes(), true),
            // Listened to before it comes here; what is left is something else under its name.
            Payload::Recording(_) | Payload::Heard { .. } => return Err(ExtractError::Damaged("recording")),
        };
        let program = match sandbox {
            Sandbox::Within => {
                return worker::read(name, payload, &ExtractOptions { limits, password, stop });
            }
            Sandbox::Apart(program) => program,
        };
        let (name, password) = (name.to_owned(), password.map(str::to_owned));
        let request = Request::Read { name, is_record, password };
        self.asked(program, &request, bytes, is_record || may_share(bytes), |reply, words| match reply {
            Reply::Text { media, text } => {
                Some(checked::text(*text, words, limits).map(|text| (media, text)))
            }
            _ => None,
        })
    }

    /// Reads captions that belong to a recording, whatever their file is called.
    pub fn captions(&mut self, bytes: &Bytes) -> Result<Text, ExtractError> {
        let Reading { sandbox, limits, stop } = self.reading;
        let program = match sandbox {
            Sandbox::Within => {
                return captions::read(bytes, &ExtractOptions { limits, password: None, stop });
            }
            Sandbox::Apart(program) => program,
        };
        self.asked(program, &Request::Captions, bytes, may_share(bytes), |reply, words| match reply {
            Reply::Text { media: MediaType::Captions, text } => Some(checked::text(*text, words, limits)),
            _ => None,
        })
    }

    /// Says where else to read, by bytes that came from `address`.
    pub fn leads(&mut self, sought: Sought, address: &str, bytes: &[u8]) -> Result<Leads, ExtractError> {
        let program = match self.reading.sandbox {
            Sandbox::Within => return links::leads(bytes, sought, address, self.reading.limits),
            Sandbox::Apart(program) => program,
        };
        let request = Request::Leads { sought, address: address.to_owned() };
        self.asked(program, &request, bytes, may_share(bytes), |reply, _| match reply {
            Reply::Leads(leads) => Some(checked::leads(*leads)),
            _ => None,
        })
    }

    /// Draws pages of a PDF, a few at a time: they are all held.
    pub fn pictures(
        &mut self,
        bytes: &[u8],
        pages: &[u32],
        password: Option<&str>,
    ) -> Result<Vec<(u32, Sheet)>, ExtractError> {
        let Reading { sandbox, limits, stop } = self.reading;
        let mut sheets = Vec::new();
        let program = match sandbox {
            Sandbox::Within => {
                let bytes = bytes::Bytes::copy_from_slice(bytes);
                let options = ExtractOptions { limits, password, stop };
                pdf::pictures(&bytes, pages, &options, &mut |page, sheet| {
                    sheets.push((page, sheet));
                    true
                })?;
                return Ok(sheets);
            }
            Sandbox::Apart(program) => program,
        };
        // Whoever recognises them takes long: no place is held meanwhile.
        self.shared = None;
        let request = Request::Pictures { password: password.map(str::to_owned), pages: pages.to_vec() };
        let (mut process, _place) = self.start(program, program.allowance.alone(bytes.len() as u64))?;
        process.request(&request, bytes, stop)?;
        loop {
            match process.reply(stop)? {
                (Reply::Picture { page, width, height }, grey) => {
                    let is_wanted = pages.contains(&page) && sheets.iter().all(|(known, _)| *known != page);
                    let sheet =
                        checked::sheet(width, height, grey).map_err(|wrong| process.disbelieve(wrong))?;
                    if !is_wanted {
                        return Err(process.disbelieve(checked::Wrong("a page that nobody asked for")));
                    }
                    sheets.push((page, sheet));
                }
                (Reply::Done(_), _) => return Ok(sheets),
                (Reply::Failed(error), _) if !is_over(&error) => return Err(error),
                _ => return Err(process.disbelieve(checked::Wrong("another answer than was asked for"))),
            }
        }
    }

    /// Whether the work is no longer wanted.
    pub fn stop(&self) -> &'a (dyn Fn() -> bool + Sync) {
        self.reading.stop
    }

    /// How much is read.
    pub fn limits(&self) -> &'a Limits {
        self.reading.limits
    }

    /// Asks the shared process, or one that is started for this alone.
    fn asked<T>(
        &mut self,
        program: &Program,
        request: &Request,
        bytes: &[u8],
        share: bool,
        take: impl Fn(Reply, Vec<u8>) -> Option<Result<T, checked::Wrong>>,
    ) -> Result<T, ExtractError> {
        if !share {
            return self.alone(program, request, bytes, &take);
        }
        let (mut process, place, is_new) = match self.shared.take() {
            Some((process, place)) => (process, place, false),
            None => {
                let (process, place) = self.start(program, program.allowance.shared())?;
                (process, place, true)
            }
        };
        let result = ask(&mut process, request, bytes, &self.reading, &take);
        match result {
            Err(error) if is_over(&error) => {
                drop((process, place));
                if is_new || error == ExtractError::Stopped {
                    return Err(error);
                }
                self.alone(program, request, bytes, &take)
            }
            result => {
                self.shared = Some((process, place));
                result
            }
        }
    }

    fn alone<T>(
        &mut self,
        program: &Program,
        request: &Request,
        bytes: &[u8],
        take: &impl Fn(Reply, Vec<u8>) -> Option<Result<T, checked::Wrong>>,
    ) -> Result<T, ExtractError> {
        // Its place is needed: two of one batch must not wait for each other.
        self.shared = None;
        let (mut process, _place) = self.start(program, program.allowance.alone(bytes.len() as u64))?;
        ask(&mut process, request, bytes, &self.reading, take)
    }

    fn start(&self, program: &Program, bounds: Bounds) -> Result<(Process, Place), ExtractError> {
        let place = READERS.enter(self.reading.stop)?;
        let Reading { limits, stop, .. } = self.reading;
        Ok((Process::start(program, bounds, limits, Stdio::null(), stop)?, place))
    }
}

fn ask<T>(
    process: &mut Process,
    request: &Request,
    bytes: &[u8],
    reading: &Reading,
    take: &impl Fn(Reply, Vec<u8>) -> Option<Result<T, checked::Wrong>>,
) -> Result<T, ExtractError> {
    process.request(request, bytes, reading.stop)?;
    match process.reply(reading.stop)? {
        (Reply::Failed(error), _) => Err(own(process, error)),
        (reply, rest) => {
            let other = checked::Wrong("another answer than was asked for");
            take(reply, rest).unwrap_or(Err(other)).map_err(|wrong| process.disbelieve(wrong))
        }
    }
}

/// An error as the process says it: what only this side can know is not for it to say.
pub fn own(process: &mut Process, error: ExtractError) -> ExtractError {
    match error {
        ExtractError::Crashed(said) => ExtractError::Crashed(brief(&said).into_owned()),
        error if is_over(&error) => process.disbelieve(checked::Wrong("an error that is not its own")),
        error => error,
    }
}

/// Whether an error may mean that the process is gone.
fn is_over(error: &ExtractError) -> bool {
    matches!(
        error,
        ExtractError::Crashed(_)
            | ExtractError::TooHungry { .. }
            | ExtractError::TooSlow { .. }
            | ExtractError::NoReader(_)
            | ExtractError::Stopped
    )
}

/// What a reader said when it failed may hold words of the document: a few are enough for a sentence.
pub fn brief(said: &str) -> Cow<'_, str> {
    /// Characters.
    const BRIEF: usize = 160;
    match said.char_indices().nth(BRIEF) {
        Some((end, _)) => Cow::Owned(format!("{}…", &said[..end])),
        None => Cow::Borrowed(said),
    }
}

/// Small, and of no kind that is unpacked or interpreted.
fn may_share(bytes: &[u8]) -> bool {
    let packed = [&b"PK"[..], b"\x1f\x8b", b"\xd0\xcf\x11\xe0", b"{\\rtf"];
    let front = &bytes[..bytes.len().min(PDF_WITHIN)];
    bytes.len() <= SMALL
        && !packed.iter().any(|magic| bytes.starts_with(magic))
        && !front.windows(5).any(|window| window == b"%PDF-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_small_texts_share_a_process() {
        assert!(may_share(b"# Wax\n\nWarm it first."));
        assert!(may_share(b""));
        assert!(may_share(b"<!doctype html><p>x"));
        for alone in [&b"PK\x03\x04"[..], b"\x1f\x8b\x08", b"{\\rtf1", b"\n%PDF-1.7", &vec![b'x'; SMALL + 1]]
        {
            assert!(!may_share(alone));
        }
    }

    #[test]
    fn what_failed_is_said_briefly() {
        assert_eq!(brief("short"), "short");
        assert_eq!(brief(&"ü".repeat(500)).chars().count(), 161);
    }
}
