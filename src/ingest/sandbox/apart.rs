//! Takes a file that holds many documents apart in a process: archives, course packages, mailboxes, corpora, messages
//! with files.
//!
//! The process reads the file from its standard input, which for a file on disk is the open file itself, so that none of
//! it passes through this program. The items come back one by one, each at most when the one before was taken.

use std::io::{self, Read, Write};
use std::process::{ChildStdin, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::gate::TAKERS;
use super::message::{Part, Reply, Request};
use super::process::Process;
use super::{Program, Reading, Sandbox, checked, reader};
use crate::ingest::Item;
use crate::ingest::extract::ExtractError;
use crate::ingest::extract::corpus::RecordError;
use crate::ingest::items::{self, Content, Each, Ended, ItemError};

/// Hands the items that a file holds to `each`, until it wants no more.
pub fn apart(reading: Reading, item: Item, content: Content, each: &mut Each) -> Ended {
    match reading.sandbox {
        Sandbox::Within => {
            items::apart(item, content, reading.limits, &mut |found| each(found.map(items::on_disk)))
        }
        Sandbox::Apart(program) => match taken_apart(program, reading, &item, content, each) {
            Ok(ended) => ended,
            Err(error) => {
                let wanted = each(Err(ItemError::of(&item.name, error)));
                if wanted { Ended::Cut } else { Ended::Unwanted }
            }
        },
    }
}

fn taken_apart(
    program: &Program,
    reading: Reading,
    item: &Item,
    content: Content,
    each: &mut Each,
) -> Result<Ended, ExtractError> {
    let size = content.size();
    let broken_off = Arc::new(AtomicBool::new(false));
    let (kept, held) = match &content {
        Content::Bytes(bytes) => (true, bytes.len() as u64),
        // Standard input of an archive is held whole; of a corpus it is a stream.
        Content::Stream(_) => (false, reading.limits.office_bytes),
        Content::File(_) => (false, 0),
    };
    let (stdin, rest) = match content {
        Content::File(file) => (Stdio::from(file), None),
        Content::Stream(stream) => (Stdio::piped(), Some(stream)),
        Content::Bytes(bytes) => {
            (Stdio::piped(), Some(Box::new(io::Cursor::new(bytes)) as Box<dyn Read + Send>))
        }
    };
    let bounds = program.allowance.many(size, held);
    let _place = TAKERS.enter(reading.stop)?;
    let mut process = Process::start(program, bounds, reading.limits, stdin, reading.stop)?;
    if let (Some(rest), Some(stdin)) = (rest, process.take_stdin()) {
        pump(rest, stdin, broken_off.clone())?;
    }
    let request = Request::Apart {
        source: item.source.clone(),
        name: item.name.clone(),
        title: item.title.clone(),
        path: item.path.clone(),
        warnings: item.warnings.clone(),
        kept,
    };
    process.request(&request, &[], reading.stop)?;
    loop {
        let next = match process.reply(reading.stop)? {
            (Reply::Item(part), rest) => Ok(part_of(&mut process, part, rest, item)?),
            (Reply::ItemFailed { name, error }, _) => {
                let error = match error {
                    ExtractError::Crashed(said) => ExtractError::Crashed(reader::brief(&said).into_owned()),
                    error => error,
                };
                Err(ItemError::of(&reader::brief(&name), error))
            }
            (Reply::RecordFailed { name, line, reason }, _) => {
                let (name, reason) = (reader::brief(&name).into_owned(), reader::brief(&reason).into_owned());
                let error = match line {
                    Some(line) => RecordError::Bad { line, reason },
                    None => RecordError::Io(io::Error::other(reason)),
                };
                Err(ItemError::Record { name, error })
            }
            (Reply::Failed(ExtractError::Crashed(said)), _) => {
                return Err(ExtractError::Crashed(reader::brief(&said).into_owned()));
            }
            (Reply::Done(Ended::Whole), _) if broken_off.load(Ordering::Relaxed) => return Ok(Ended::Cut),
            (Reply::Done(ended), _) => return Ok(ended),
            _ => return Err(process.disbelieve(checked::Wrong("another answer than was asked for"))),
        };
        if !each(next) {
            return Ok(Ended::Unwanted);
        }
    }
}

fn part_of(process: &mut Process, part: Part, rest: Vec<u8>, whole: &Item) -> Result<Item, ExtractError> {
    checked::item(part, rest, whole).map(items::on_disk).map_err(|wrong| process.disbelieve(wrong))
}

/// Gives the process its bytes from a thread of its own, since it answers before it has read all.
fn pump(
    mut from: Box<dyn Read + Send>,
    mut to: ChildStdin,
    broken_off: Arc<AtomicBool>,
) -> Result<(), ExtractError> {
    let pump = std::thread::Builder::new().name("feed-reader".into());
    let started = pump.spawn(move || {
        let mut buffer = vec![0; 64 << 10];
        loop {
            match from.read(&mut buffer) {
                Ok(0) => return,
                Ok(length) => {
                    // It has ended, or wants no more.
                    if to.write_all(&buffer[..length]).is_err() {
                        return;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    broken_off.store(true, Ordering::Relaxed);
                    tracing::warn!(%error, "what was being read broke off; its beginning is read");
                    return;
                }
            }
        }
    });
    started.map(drop).map_err(|error| ExtractError::NoReader(error.to_string()))
}
