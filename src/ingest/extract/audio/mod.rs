//! The sound of a recording: a file of any common container and codec in, blocks of mono samples at 16 kHz out.
//!
//! [`Sound::open`] reads from anything that can be read and sought, so that the same function works on a file, on bytes
//! in memory and in a confined process; [`Sound::of_file`] also asks `ffmpeg` for what cannot be read here. A block is a
//! fraction of a second and nothing is kept, so three hours take the memory of one second. What the words are is not known
//! here: the transcriber's seam stands in `inference`.

mod decode;
mod ffmpeg;
mod resample;

#[cfg(test)]
mod tests;

use std::fs::File;
use std::path::Path;

use super::ExtractError;
use decode::Decoder;
use ffmpeg::Helper;
use resample::Resampler;

pub use symphonia::core::io::MediaSource;

/// Samples in a second of what comes out: what Whisper and Silero were trained on.
pub const RATE: u32 = 16_000;

/// A recording that is being read.
pub struct Sound {
    source: Source,
    /// What the container says; what it says need not be true.
    duration_ms: Option<u64>,
    given: u64,
}

enum Source {
    Here { decoder: Box<Decoder>, resampler: Option<Box<Resampler>>, ended: bool },
    Helper(Helper),
}

impl Sound {
    /// Opens a recording. The name's ending is a hint and no more.
    pub fn open(source: Box<dyn MediaSource>, name: &str) -> Result<Self, ExtractError> {
        let decoder = Box::new(Decoder::open(source, name)?);
        let duration_ms = decoder.duration_ms();
        Ok(Self { source: Source::Here { decoder, resampler: None, ended: false }, duration_ms, given: 0 })
    }

    /// Opens a file, with the help of `ffmpeg` where that is needed and installed.
    pub fn of_file(path: &Path, name: &str) -> Result<Self, ExtractError> {
        let file = File::open(path).map_err(|_| ExtractError::Damaged("recording"))?;
        match Self::open(Box::new(file), name) {
            Err(ExtractError::UnknownSound(codec)) => Self::helped(path, codec),
            opened => opened,
        }
    }

    /// Asks `ffmpeg` for a file whose sound is in `codec`, which cannot be read here.
    pub fn helped(path: &Path, codec: String) -> Result<Self, ExtractError> {
        let (helper, duration_ms) = Helper::start(path, codec)?;
        Ok(Self { source: Source::Helper(helper), duration_ms, given: 0 })
    }

    /// The next samples, never none of them; `None` at the end.
    pub fn next_block(&mut self) -> Result<Option<Vec<f32>>, ExtractError> {
        let block = match &mut self.source {
            Source::Helper(helper) => helper.next_block()?,
            Source::Here { decoder, resampler, ended } => {
                let mut block = Vec::new();
                while block.is_empty() && !*ended {
                    match decoder.next_packet()? {
                        Some((rate, samples)) => {
                            // The rate may change within a file: chained Ogg, a joined MP3.
                            if resampler.as_ref().is_none_or(|open| open.from() != rate) {
                                let before = resampler.replace(Box::new(Resampler::new(rate)?));
                                before.map_or(Ok(()), |mut before| before.finish(&mut block))?;
                            }
                            resampler.as_mut().map_or(Ok(()), |open| open.push(samples, &mut block))?;
                        }
                        None => {
                            *ended = true;
                            resampler.as_mut().map_or(Ok(()), |open| open.finish(&mut block))?;
                        }
                    }
                }
                (!block.is_empty()).then_some(block)
            }
        };
        self.given += block.as_ref().map_or(0, |block| block.len() as u64);
        Ok(block)
    }

    /// How long it is, where the container says it.
    pub fn duration_ms(&self) -> Option<u64> {
        self.duration_ms
    }

    /// How far it has been read.
    pub fn position_ms(&self) -> u64 {
        self.given * 1000 / u64::from(RATE)
    }

    /// What could not be read so far, in sentences.
    pub fn warnings(&self) -> Vec<String> {
        match &self.source {
            Source::Here { decoder, .. } => decoder.warnings(),
            Source::Helper(_) => Vec::new(),
        }
    }
}
