//! One recording on its way through the model: blocks of samples to windows with their segments, a step at a time.
//!
//! Memory is what one window and one piece take, whatever the length of the recording. Between two steps the worker asks
//! whether anybody still wants the outcome, and within a window whisper.cpp does.

use std::collections::VecDeque;
use std::ops::Range;

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use super::engine::{Engine, RATE};
use super::filter::Filter;
use super::spans::{FRAME, Spans};
use super::vad::WARM_UP;
use super::windows::Windows;
use crate::inference::worker::{Progress, Task};
use crate::inference::{ModelError, Recording, Segment, Transcribed, Window};

/// Samples that are looked at for speech at once: 9.6 seconds.
const PIECE: usize = 300 * FRAME;
/// Kept around speech, where it is: 200 ms. Consonants begin softly, and the model was trained with some room.
const ROOM: u64 = RATE / 5;

/// A recording that is being transcribed.
pub struct Listening {
    recording: Recording,
    reply: mpsc::Sender<Transcribed>,
    /// Samples from `base` on, counted from the first block.
    samples: Vec<f32>,
    base: u64,
    /// Made with the first step, as the engine says how long windows are.
    cutting: Option<(Spans, Windows)>,
    ready: VecDeque<Range<u64>>,
    /// The end of the last window.
    done: u64,
    ended: bool,
    language: Option<String>,
    filter: Filter,
}

impl Listening {
    pub fn new(recording: Recording, reply: mpsc::Sender<Transcribed>) -> Self {
        let language = recording.language.clone();
        Self {
            recording,
            reply,
            samples: Vec::new(),
            base: 0,
            cutting: None,
            ready: VecDeque::new(),
            done: 0,
            ended: false,
            language,
            filter: Filter::default(),
        }
    }

    fn advance(&mut self, engine: &mut Engine) -> Result<Progress, ModelError> {
        if let Some(window) = self.ready.pop_front() {
            return self.transcribe(engine, window);
        }
        if self.ended {
            self.send(Ok(None));
            return Ok(Progress::Done);
        }
        self.listen(engine)?;
        Ok(Progress::More)
    }

    /// Takes the next piece and looks for speech in it.
    fn listen(&mut self, engine: &mut Engine) -> Result<(), ModelError> {
        let longest = (engine.window_ms * RATE / 1000 - 2 * ROOM) / FRAME as u64;
        let (spans, windows) =
            self.cutting.get_or_insert_with(|| (Spans::new(longest), Windows::new(longest)));
        let known = spans.now() * FRAME as u64;
        while !self.ended && self.base + (self.samples.len() as u64) < known + PIECE as u64 {
            match self.recording.blocks.blocking_recv() {
                Some(Ok(block)) => self.samples.extend_from_slice(&block),
                Some(Err(reason)) => return Err(ModelError::Failed(reason)),
                None => self.ended = true,
            }
        }
        // Everything up to the last whole frame; the rest waits for the next block or ends the recording.
        let known = usize::try_from(known - self.base).unwrap_or(usize::MAX);
        let mut end = self.samples.len();
        if !self.ended {
            end -= (end - known) % FRAME;
        }
        if end > known {
            let before = WARM_UP.min(known / FRAME);
            let from = known - before * FRAME;
            for probability in engine.voice.probabilities(&self.samples[from..end], before)? {
                self.ready.extend(spans.push(probability).and_then(|span| windows.push(span)));
            }
        }
        if self.ended {
            self.ready.extend(spans.finish().and_then(|span| windows.push(span)));
            self.ready.extend(windows.finish());
        }
        let next = spans.open_since().unwrap_or(spans.now());
        self.ready.extend(windows.close_before(next));
        if self.ready.is_empty() {
            let quiet_until = windows.open_since().unwrap_or(next) * FRAME as u64;
            // Nothing was said up to here: as good a place to go on from as the end of a window.
            let quiet_until = quiet_until.saturating_sub(ROOM).max(self.done);
            if quiet_until > self.done + RATE {
                self.done = quiet_until;
                let end_ms = self.at(quiet_until);
                self.send(Ok(Some(Window { end_ms, language: None, segments: Vec::new() })));
            }
            self.forget();
        }
        Ok(())
    }

    fn transcribe(&mut self, engine: &mut Engine, window: Range<u64>) -> Result<Progress, ModelError> {
        let last = self.base + self.samples.len() as u64;
        let start = (window.start * FRAME as u64).saturating_sub(ROOM).max(self.done).max(self.base);
        let end = (window.end * FRAME as u64 + ROOM).min(last);
        let inside = |at: u64| usize::try_from(at - self.base).unwrap_or(usize::MAX);
        let samples = &self.samples[inside(start)..inside(end)];
        let raw = engine.window(samples, &mut self.language, &self.reply)?;
        let Some(raw) = raw else { return Ok(Progress::Done) };
        let (start_ms, end_ms) = (self.at(start), self.at(end));
        let mut segments: Vec<Segment> = Vec::with_capacity(raw.len());
        for one in raw {
            let Some(text) = self.filter.keep(&one.heard) else { continue };
            // The model reads silence after short windows, and may say that a segment ends there.
            let begin = (start_ms + one.start_ms).min(end_ms);
            let begin = segments.last().map_or(begin, |before| begin.max(before.start_ms));
            let end = (start_ms + one.end_ms).clamp(begin, end_ms);
            segments.push(Segment { start_ms: begin, end_ms: end, text, speaker_turn: one.speaker_turn });
        }
        self.done = end;
        self.send(Ok(Some(Window { end_ms, language: self.language.clone(), segments })));
        if self.ready.is_empty() {
            self.forget();
        }
        Ok(Progress::More)
    }

    /// Drops the samples that no window and no warming up will need.
    fn forget(&mut self) {
        let Some((spans, windows)) = &self.cutting else { return };
        let next = spans.open_since().unwrap_or(spans.now());
        let first = windows.open_since().unwrap_or(next).min(next);
        let room = (WARM_UP.max(1) * FRAME) as u64;
        let keep = (first * FRAME as u64).saturating_sub(room).max(self.base);
        self.samples.drain(..usize::try_from(keep - self.base).unwrap_or(0).min(self.samples.len()));
        self.base = keep;
    }

    /// Milliseconds of the whole recording.
    fn at(&self, sample: u64) -> u64 {
        self.recording.start_ms + sample * 1000 / RATE
    }

    /// Waits for room; whoever asked may have left, which the worker finds out.
    fn send(&self, what: Transcribed) {
        if let Err(TrySendError::Full(what)) = self.reply.try_send(what) {
            let _ = self.reply.blocking_send(what);
        }
    }
}

impl Task<Engine> for Listening {
    fn step(&mut self, engine: &mut Engine) -> Progress {
        self.advance(engine).unwrap_or_else(|error| {
            self.send(Err(error));
            Progress::Done
        })
    }

    fn wanted(&self) -> bool {
        !self.reply.is_closed()
    }

    fn fail(&mut self, error: ModelError) {
        self.send(Err(error));
    }
}
