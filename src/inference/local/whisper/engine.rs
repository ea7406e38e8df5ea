//! A loaded model: samples of one window in, segments with times out. Lives on the model's thread.
//!
//! Decoding is whisper.cpp's own with the paper's rules (Radford et al., 2022, section 4.5): the likeliest tokens first, and
//! again at higher temperatures when the text is too uniform or too unlikely. Windows know nothing of each other, so that
//! what was made up in one is not carried into the next.

use std::ffi::c_void;
use std::sync::Once;

use tokio::sync::mpsc;
use whisper_rs::{
    FullParams, SamplingStrategy, WhisperContext, WhisperContextParameters, WhisperError, WhisperState,
};

use super::filter::Heard;
use super::vad::Voice;
use super::{WhisperOptions, file, log};
use crate::inference::{ModelError, Transcribed};

/// Samples in a second.
pub const RATE: u64 = 16_000;
/// Whisper says nothing about less than a tenth of a second; what is short gets silence after it.
const SHORTEST: usize = 16_000;
/// What a position of the encoder covers: every released Whisper has 1,500 for 30 seconds (Radford et al., 2022, section
/// 2.1 and 2.2).
const POSITION_MS: u64 = 20;
/// In the names of models that were trained to say where somebody else begins to speak (akashmjn/tinydiarize). To any other
/// the same token means something else, so that only these may say it.
const TELLS_TURNS: &str = "tdrz";
/// Candidates at a temperature above zero, as whisper.cpp's own tool takes.
const BEST_OF: i32 = 5;

/// A Whisper model and a detector of speech.
pub struct Engine {
    name: String,
    context: WhisperContext,
    state: WhisperState,
    pub voice: Voice,
    threads: i32,
    tells_turns: bool,
    /// As much as the model reads at once.
    pub window_ms: u64,
}

/// A segment as the model said it, before the filter; times are within the window.
pub struct Raw {
    pub start_ms: u64,
    pub end_ms: u64,
    pub heard: Heard,
    pub speaker_turn: bool,
}

impl Engine {
    /// Loads the weights.
    pub fn open(options: &WhisperOptions) -> Result<Self, ModelError> {
        log::redirect();
        let unusable = |reason: String| ModelError::Unusable { model: options.name.clone(), reason };
        file::check(&options.weights).map_err(unusable)?;
        let parameters = WhisperContextParameters::default();
        let context = WhisperContext::new_with_params(&options.weights, parameters)
            .map_err(|_| unusable("whisper.cpp does not load it".into()))?;
        let positions = context.model_n_audio_ctx();
        let state =
            context.create_state().map_err(|_| unusable("there is not enough memory for it".into()))?;
        Ok(Self {
            name: options.name.clone(),
            context,
            state,
            voice: Voice::open(options.voice.as_deref())?,
            threads: i32::try_from(options.threads.clamp(1, 16)).unwrap_or(1),
            tells_turns: tells_turns(&options.name) || tells_turns(&options.weights.to_string_lossy()),
            window_ms: u64::try_from(positions).unwrap_or(0).max(100) * POSITION_MS,
        })
    }

    /// What is said in a window; `None` when nobody waits for it any more. `language` is filled in by the first window.
    pub fn window(
        &mut self,
        samples: &[f32],
        language: &mut Option<String>,
        reply: &mpsc::Sender<Transcribed>,
    ) -> Result<Option<Vec<Raw>>, ModelError> {
        lower_priority();
        let mut padded;
        let mut samples = samples;
        if samples.len() < SHORTEST {
            padded = samples.to_vec();
            padded.resize(SHORTEST, 0.0);
            samples = &padded;
        }
        let chosen = if self.context.is_multilingual() { language.as_deref() } else { Some("en") };
        let mut parameters = parameters(self.threads);
        parameters.set_language(Some(chosen.unwrap_or("auto")));
        parameters.set_tdrz_enable(self.tells_turns);
        // SAFETY: `left` reads the sender behind the pointer, which outlives the call of `full` below, and does not unwind.
        unsafe {
            parameters.set_abort_callback(Some(left));
            parameters.set_abort_callback_user_data(std::ptr::from_ref(reply).cast_mut().cast());
        }
        match self.state.full(parameters, samples) {
            Ok(()) => {}
            Err(_) if reply.is_closed() => return Ok(None),
            Err(WhisperError::NoSamples) => return Ok(Some(Vec::new())),
            Err(error) => return Err(ModelError::Failed(format!("`{}`: {error}", self.name))),
        }
        if language.is_none() {
            *language = whisper_rs::get_lang_str(self.state.full_lang_id_from_state()).map(str::to_owned);
        }
        Ok(Some(self.segments()))
    }

    fn segments(&self) -> Vec<Raw> {
        let end_of_text = self.context.token_eot();
        let segments = self.state.as_iter().map(|segment| {
            // Probabilities of words; what marks time and end says nothing about them.
            let tokens = (0..segment.n_tokens()).filter_map(|i| segment.get_token(i));
            let words: Vec<f32> = tokens
                .filter(|token| token.token_id() < end_of_text)
                .map(|token| token.token_probability())
                .collect();
            let sure = words.iter().sum::<f32>() / words.len().max(1) as f32;
            Raw {
                start_ms: milliseconds(segment.start_timestamp()),
                end_ms: milliseconds(segment.end_timestamp()),
                heard: Heard {
                    text: segment.to_str_lossy().map(|text| text.trim().to_owned()).unwrap_or_default(),
                    no_speech: segment.no_speech_probability(),
                    sure,
                },
                speaker_turn: segment.next_segment_speaker_turn(),
            }
        });
        segments.collect()
    }
}

/// What whisper.cpp's own tool uses, without what it carries from one window to the next.
pub fn parameters<'a>(threads: i32) -> FullParams<'a, 'a> {
    let mut parameters = FullParams::new(SamplingStrategy::Greedy { best_of: BEST_OF });
    parameters.set_n_threads(threads);
    parameters.set_no_context(true);
    parameters.set_suppress_blank(true);
    parameters.set_suppress_nst(true);
    // The paper's thresholds: mean logarithm of the tokens, entropy in place of the compression ratio, no speech.
    parameters.set_temperature(0.0);
    parameters.set_temperature_inc(0.2);
    parameters.set_logprob_thold(-1.0);
    parameters.set_entropy_thold(2.4);
    parameters.set_no_speech_thold(0.6);
    parameters.set_print_special(false);
    parameters.set_print_progress(false);
    parameters.set_print_realtime(false);
    parameters.set_print_timestamps(false);
    parameters
}

/// Whether a model or a file of this name is one of those.
fn tells_turns(name: &str) -> bool {
    let last = name.rsplit('/').next().unwrap_or(name);
    last.split(['-', '.', '_']).any(|part| part.eq_ignore_ascii_case(TELLS_TURNS))
}

/// Times come in hundredths of a second.
fn milliseconds(hundredths: i64) -> u64 {
    u64::try_from(hundredths).unwrap_or(0).saturating_mul(10)
}

/// Asked by ggml between its steps: whether to stop, because nobody waits.
unsafe extern "C" fn left(reply: *mut c_void) -> bool {
    // SAFETY: the pointer is the sender that `Engine::window` was given and borrows until `full` returns.
    let reply = unsafe { &*reply.cast::<mpsc::Sender<Transcribed>>() };
    reply.is_closed()
}

/// Answers come first: this thread, and the ones that it starts, yield to all others.
fn lower_priority() {
    static ONCE: Once = Once::new();
    #[cfg(target_os = "linux")]
    thread_local! {
        static DONE: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
    }
    #[cfg(target_os = "linux")]
    if !DONE.replace(true) {
        // On Linux 0 names the calling thread, and threads inherit the value.
        // SAFETY: the call takes three numbers and touches no memory of ours.
        let failed = unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, 10) } != 0;
        if failed {
            ONCE.call_once(|| tracing::debug!("the priority of transcription cannot be lowered"));
        }
    }
    #[cfg(not(target_os = "linux"))]
    ONCE.call_once(|| tracing::debug!("transcription runs at normal priority on this system"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_models_that_were_trained_to_tell_turns_do() {
        for (name, expected) in [
            ("whisper-small.en-tdrz", true),
            ("/models/ggml-small.en-tdrz.bin", true),
            ("whisper-base", false),
            ("/tdrz/ggml-base.bin", false),
        ] {
            assert_eq!(tells_turns(name), expected, "{name}");
        }
    }
}
