//! The sound of a recording, decoded in a process: a file in, blocks of mono samples at 16 kHz out, one by one.
//!
//! The process has the open file as its standard input and stops when nobody takes its blocks, so that three hours take
//! the memory of a second on both sides. What it cannot decode `ffmpeg` is asked for, which is a program of its own. Called
//! by `hear`.

use std::fs::File;
use std::process::Stdio;

use super::message::{Reply, Request};
use super::process::Process;
use super::{Reading, Sandbox, checked, reader};
use crate::ingest::extract::ExtractError;
use crate::ingest::extract::audio::Sound;
use crate::ingest::hear::MediaFile;

/// A recording that is being decoded.
pub struct Decoding<'a> {
    origin: Origin<'a>,
    duration_ms: Option<u64>,
    warnings: Vec<String>,
    /// A helper opens it by its name, which must last as long.
    _file: MediaFile,
}

enum Origin<'a> {
    /// Here, or through the helper.
    Sound(Box<Sound>),
    Process(Box<Process>, &'a (dyn Fn() -> bool + Sync)),
}

impl<'a> Decoding<'a> {
    /// Opens a recording. The name's ending is a hint and no more.
    pub fn open(file: MediaFile, name: &str, reading: Reading<'a>) -> Result<Self, ExtractError> {
        let opened = match reading.sandbox {
            Sandbox::Within => Sound::of_file(&file.path, name),
            Sandbox::Apart(program) => {
                let input = File::open(&file.path).map_err(|_| ExtractError::Damaged("recording"))?;
                let bounds = program.allowance.many(Some(file.bytes), 0);
                let Reading { limits, stop, .. } = reading;
                let mut process = Process::start(program, bounds, limits, Stdio::from(input), stop)?;
                process.request(&Request::Sound { name: name.to_owned() }, &[], stop)?;
                match process.reply(stop)? {
                    (Reply::Sound { duration_ms }, _) => {
                        let origin = Origin::Process(Box::new(process), stop);
                        return Ok(Self { origin, duration_ms, warnings: Vec::new(), _file: file });
                    }
                    (Reply::Failed(ExtractError::UnknownSound(codec)), _) => {
                        Sound::helped(&file.path, reader::brief(&codec).into_owned())
                    }
                    (Reply::Failed(error), _) => return Err(reader::own(&mut process, error)),
                    _ => return Err(process.disbelieve(OTHER)),
                }
            }
        };
        let sound = Box::new(opened?);
        Ok(Self {
            duration_ms: sound.duration_ms(),
            origin: Origin::Sound(sound),
            warnings: Vec::new(),
            _file: file,
        })
    }

    /// The next samples, never none of them; `None` at the end.
    pub fn next_block(&mut self) -> Result<Option<Vec<f32>>, ExtractError> {
        let (process, stop) = match &mut self.origin {
            Origin::Sound(sound) => return sound.next_block(),
            Origin::Process(process, stop) => (process, *stop),
        };
        match process.reply(stop)? {
            (Reply::Samples, bytes) => match checked::samples(&bytes) {
                Ok(samples) => Ok(Some(samples)),
                Err(wrong) => Err(process.disbelieve(wrong)),
            },
            (Reply::Silence { warnings }, _) => {
                self.warnings = checked::warnings(warnings);
                Ok(None)
            }
            (Reply::Failed(error), _) => Err(reader::own(process, error)),
            _ => Err(process.disbelieve(OTHER)),
        }
    }

    /// How long it is, where the container says it.
    pub fn duration_ms(&self) -> Option<u64> {
        self.duration_ms
    }

    /// What could not be read, in sentences; known at the end.
    pub fn warnings(&self) -> Vec<String> {
        match &self.origin {
            Origin::Sound(sound) => sound.warnings(),
            Origin::Process(..) => self.warnings.clone(),
        }
    }
}

const OTHER: checked::Wrong = checked::Wrong("another answer than was asked for");
