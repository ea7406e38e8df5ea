//! The reading process itself: confined first, then one request after the other until the program hangs up.
//!
//! It speaks through the socket that is its standard output; a file to be taken apart is its standard input. A panic of a
//! reader is an answer like any other. Called by the command line under [`COMMAND`](super::COMMAND) before anything else
//! of the program is set up.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use super::confine::{close_inherited, confine};
use super::frame::{self, Caps, FrameError};
use super::message::{Part, PartKind, Reply, Request, Start};
use crate::domain::{MediaType, Text};
use crate::ingest::detect::{Kind, detect_whole};
use crate::ingest::extract::audio::{self, MediaSource, Sound};
use crate::ingest::extract::decode::{Declared, decode};
use crate::ingest::extract::{ExtractError, ExtractOptions, Limits, captions, corpus, extract, links, pdf};
use crate::ingest::items::{self, Content, Ended, ItemError};
use crate::ingest::source::SourceError;
use crate::ingest::{Item, Payload};

/// What the program sends is trusted; the caps only keep a mistake from taking all memory.
const CAPS: Caps = Caps { header: 16 << 20, rest: 4 << 30 };

/// Reads for the program until it hangs up.
pub fn run() -> ExitCode {
    match serve() {
        Ok(()) | Err(FrameError::Ended) => ExitCode::SUCCESS,
        Err(error) => {
            // Goes to the log of the program, where there is one.
            #[expect(clippy::print_stderr, reason = "a process without a log")]
            {
                eprintln!("a reading process is started by neverafk itself, not by hand: {error}");
            }
            ExitCode::from(2)
        }
    }
}

fn serve() -> Result<(), FrameError> {
    close_inherited();
    let mut file = Some(File::from(io::stdin().as_fd().try_clone_to_owned()?));
    let socket = UnixStream::from(io::stdout().as_fd().try_clone_to_owned()?);
    let mut requests = BufReader::with_capacity(64 << 10, socket.try_clone()?);
    let mut replies = socket;
    let (start, _): (Start, _) = frame::read(&mut requests, CAPS)?;
    if start.version != env!("CARGO_PKG_VERSION") {
        return Err(FrameError::Malformed("the program is of another version"));
    }
    let confinement = confine(&start.bounds, start.parent)?;
    frame::write(&mut replies, &Reply::Ready(confinement), &[])?;
    loop {
        let (request, rest) = frame::read(&mut requests, CAPS)?;
        match request {
            Request::Read { name, is_record, password } => {
                let payload = payload(is_record, rest)?;
                let options =
                    ExtractOptions { limits: &start.limits, password: password.as_deref(), stop: &|| false };
                let (reply, words) = said(guarded(|| read(&name, &payload, &options)));
                frame::write(&mut replies, &reply, words.as_bytes())?;
            }
            Request::Captions => {
                let options = ExtractOptions { limits: &start.limits, password: None, stop: &|| false };
                let bytes = bytes::Bytes::from(rest);
                let read = guarded(|| captions::read(&bytes, &options));
                let (reply, words) = said(read.map(|text| (MediaType::Captions, text)));
                frame::write(&mut replies, &reply, words.as_bytes())?;
            }
            Request::Leads { sought, address } => {
                let reply = match guarded(|| links::leads(&rest, sought, &address, &start.limits)) {
                    Ok(leads) => Reply::Leads(Box::new(leads)),
                    Err(error) => Reply::Failed(error),
                };
                frame::write(&mut replies, &reply, &[])?;
            }
            Request::Pictures { password, pages } => {
                let options =
                    ExtractOptions { limits: &start.limits, password: password.as_deref(), stop: &|| false };
                let bytes = bytes::Bytes::from(rest);
                let drawn = guarded(|| {
                    pdf::pictures(&bytes, &pages, &options, &mut |page, sheet| {
                        let reply = Reply::Picture { page, width: sheet.width, height: sheet.height };
                        frame::write(&mut replies, &reply, &sheet.grey).is_ok()
                    })
                });
                let reply = match drawn {
                    Ok(()) => Reply::Done(Ended::Whole),
                    Err(error) => Reply::Failed(error),
                };
                frame::write(&mut replies, &reply, &[])?;
            }
            Request::Sound { name } => {
                let file = file.take().ok_or(FrameError::Malformed("a second file to decode"))?;
                if let Err(error) = guarded(|| sound(file, &name, &mut replies)) {
                    frame::write(&mut replies, &Reply::Failed(error), &[])?;
                }
            }
            Request::Apart { source, name, title, path, warnings, kept } => {
                let item = Item { title, path, warnings, ..Item::file(source, name, bytes::Bytes::new()) };
                let file = file.take().ok_or(FrameError::Malformed("a second file to take apart"))?;
                let reply = match guarded(|| Ok(apart(item, file, kept, &start.limits, &mut replies))) {
                    Ok(ended) => Reply::Done(ended),
                    Err(error) => Reply::Failed(error),
                };
                frame::write(&mut replies, &reply, &[])?;
            }
        }
    }
}

/// The recording's file. Its length is where its end is: this process may not ask for what the file system says of it, and
/// without a length containers that keep their table at the end cannot be read.
struct Given {
    file: File,
    length: u64,
}

impl Given {
    fn new(mut file: File) -> Result<Self, ExtractError> {
        let damaged = |_| ExtractError::Damaged("recording");
        let length = file.seek(SeekFrom::End(0)).map_err(damaged)?;
        file.rewind().map_err(damaged)?;
        Ok(Self { file, length })
    }
}

impl Read for Given {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.file.read(into)
    }
}

impl Seek for Given {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

impl MediaSource for Given {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.length)
    }
}

/// Samples in one answer: a second.
const SAMPLES: usize = audio::RATE as usize;

/// Decodes until the end, or until nobody listens.
fn sound(file: File, name: &str, replies: &mut UnixStream) -> Result<(), ExtractError> {
    let mut sound = Sound::open(Box::new(Given::new(file)?), name)?;
    let mut wanted = frame::write(replies, &Reply::Sound { duration_ms: sound.duration_ms() }, &[]).is_ok();
    let (mut bytes, mut ended) = (Vec::with_capacity(SAMPLES * 4), false);
    while wanted && !ended {
        match sound.next_block()? {
            Some(block) => bytes.extend(block.iter().flat_map(|sample| sample.to_le_bytes())),
            None => ended = true,
        }
        if !bytes.is_empty() && (ended || bytes.len() >= SAMPLES * 4) {
            wanted = frame::write(replies, &Reply::Samples, &bytes).is_ok();
            bytes.clear();
        }
    }
    // Nobody hears it when nobody listens, and then the loop of requests ends too.
    let _ = frame::write(replies, &Reply::Silence { warnings: sound.warnings() }, &[]);
    Ok(())
}

/// What was read, and the words that follow it.
fn said(read: Result<(MediaType, Text), ExtractError>) -> (Reply, String) {
    match read {
        Ok((media, mut text)) => {
            let words = std::mem::take(&mut text.text);
            (Reply::Text { media, text: Box::new(text) }, words)
        }
        Err(error) => (Reply::Failed(error), String::new()),
    }
}

fn payload(is_record: bool, rest: Vec<u8>) -> Result<Payload, FrameError> {
    if is_record {
        let words = String::from_utf8(rest).map_err(|_| FrameError::Malformed("a record that is no text"))?;
        Ok(Payload::Record(words))
    } else {
        Ok(Payload::File(rest.into()))
    }
}

/// Tells what the bytes are and reads them.
pub fn read(
    name: &str,
    payload: &Payload,
    options: &ExtractOptions,
) -> Result<(MediaType, Text), ExtractError> {
    match payload {
        Payload::Record(words) => {
            let text = corpus::record_text(None, words.clone(), options)?;
            Ok((MediaType::Record, text))
        }
        Payload::File(bytes) => {
            let Kind::Document(media) = detect_whole(bytes, name, options.limits)? else {
                return Err(ExtractError::Unsupported("a corpus in the place of a document".into()));
            };
            Ok((media, extract(bytes, media, options)?))
        }
        Payload::Recording(_) | Payload::Heard { .. } => Err(ExtractError::Damaged("recording")),
    }
}

fn apart(item: Item, file: File, kept: bool, limits: &Limits, replies: &mut UnixStream) -> Ended {
    let source = item.source.clone();
    items::apart(item, Content::File(file), limits, &mut |found| {
        let (reply, bytes) = reply(found, &source, kept);
        // Nobody wants the rest when nobody hears it.
        frame::write(replies, &reply, &bytes).is_ok()
    })
}

/// An item as the program gets it.
fn reply(found: Result<Item, ItemError>, source: &str, kept: bool) -> (Reply, bytes::Bytes) {
    let none = bytes::Bytes::new();
    match found {
        Ok(item) => {
            let (kind, rest) = match item.payload {
                Payload::Record(words) => (PartKind::Record { id: item.name.clone() }, words.into()),
                Payload::File(_) if kept && item.source == source => (PartKind::Itself, none),
                // Only the program, which has a disk, makes these.
                Payload::Recording(_) | Payload::Heard { .. } => {
                    let error = ExtractError::Damaged("recording");
                    return (Reply::ItemFailed { name: item.name, error }, none);
                }
                Payload::File(bytes) => {
                    let below = item.source.strip_prefix(source).unwrap_or_default().to_owned();
                    (PartKind::File { below }, bytes)
                }
            };
            let Item { name, title, path, warnings, captions, .. } = item;
            let decoded = captions.map(|bytes| decode(&bytes, Declared::Nothing));
            // Bytes that are no text are no captions.
            let captions = decoded.and_then(|decoded| Some(decoded.ok()?.text));
            (Reply::Item(Part { name, title, path, warnings, captions, kind }), rest)
        }
        Err(ItemError::File { name, error: SourceError::Content(error) }) => {
            (Reply::ItemFailed { name, error }, none)
        }
        Err(ItemError::Record { name, error }) => {
            let (line, reason) = match error {
                corpus::RecordError::Bad { line, reason } => (Some(line), reason),
                corpus::RecordError::Io(error) => (None, error.to_string()),
            };
            (Reply::RecordFailed { name, line, reason }, none)
        }
        Err(other) => {
            let error = ExtractError::Crashed(other.to_string());
            (Reply::ItemFailed { name: source.to_owned(), error }, none)
        }
    }
}

/// Runs what may panic.
fn guarded<T>(work: impl FnOnce() -> Result<T, ExtractError>) -> Result<T, ExtractError> {
    // What the closure touches is thrown away after a panic, so that no broken state is seen.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().map(String::as_str);
        let said = said.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(ExtractError::Crashed(said.unwrap_or("it gave up").to_owned()))
    })
}
