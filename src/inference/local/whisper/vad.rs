//! How likely each 32 ms are speech: by Silero's network, run by whisper.cpp, or by loudness where its weights are missing.
//!
//! Samples come in pieces of some seconds. The network remembers what it heard within one call only, so each call begins with
//! a second of what came before, whose probabilities are thrown away.

use std::path::Path;

use whisper_rs::{WhisperVadContext, WhisperVadContextParams};

use super::file;
use super::spans::FRAME;
use crate::inference::ModelError;

/// Frames that warm the network up: a second.
pub const WARM_UP: usize = 31;

/// Tells speech from everything else.
pub enum Voice {
    Silero(WhisperVadContext),
    Loudness,
}

impl Voice {
    /// Loads Silero's weights, or goes by loudness.
    pub fn open(weights: Option<&Path>) -> Result<Self, ModelError> {
        let Some(path) = weights else { return Ok(Self::Loudness) };
        let unusable =
            |reason: &str| ModelError::Unusable { model: "silero-vad".into(), reason: reason.to_owned() };
        if !file::is_voice_detector(path) {
            return Err(unusable("its file is not Silero's as whisper.cpp reads it"));
        }
        let name = path.to_str().filter(|name| !name.contains('\0'));
        let name = name.ok_or_else(|| unusable("the path of its file is not Unicode"))?;
        let mut parameters = WhisperVadContextParams::new();
        // The network is smaller than what handing work to another thread costs.
        parameters.set_n_threads(1);
        parameters.set_use_gpu(false);
        let context = WhisperVadContext::new(name, parameters);
        context.map(Self::Silero).map_err(|_| unusable("whisper.cpp does not load it"))
    }

    /// One probability for each [`FRAME`] of `samples`, of which the first `before` frames are known already.
    pub fn probabilities(&mut self, samples: &[f32], before: usize) -> Result<Vec<f32>, ModelError> {
        let mut all = match self {
            Self::Silero(context) => {
                context
                    .detect_speech(samples)
                    .map_err(|error| ModelError::Failed(format!("detecting speech: {error}")))?;
                context.probabilities().to_vec()
            }
            Self::Loudness => louder_than_around(samples),
        };
        all.drain(..before.min(all.len()));
        Ok(all)
    }
}

/// Below this nothing is speech: a quiet room into a good microphone.
const SILENCE_DB: f32 = -50.0;
/// Speech stands out of its background by this much; less is not understood by Whisper either.
const ABOVE_FLOOR_DB: f32 = 9.0;

/// What is clearly louder than the quietest tenth of the same seconds is taken for speech. Nothing is remembered, so that
/// neither another recording nor the silence before a noise makes speech of it.
fn louder_than_around(samples: &[f32]) -> Vec<f32> {
    let levels: Vec<f32> = samples.chunks(FRAME).map(decibels).collect();
    let mut sorted = levels.clone();
    sorted.sort_by(f32::total_cmp);
    // Seconds without any pause would lift the floor to the voice itself.
    let floor = sorted.get(sorted.len() / 10).copied().unwrap_or(SILENCE_DB).min(-20.0);
    let threshold = (floor + ABOVE_FLOOR_DB).max(SILENCE_DB);
    // 0.5 at the threshold; 3 dB more are a sure thing.
    levels.into_iter().map(|level| 1.0 / (1.0 + (threshold - level).exp())).collect()
}

fn decibels(samples: &[f32]) -> f32 {
    let power = samples.iter().map(|sample| sample * sample).sum::<f32>() / samples.len().max(1) as f32;
    10.0 * power.max(1e-10).log10()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loudness_hears_what_stands_out_and_not_what_is_steady() {
        // Noise from a linear congruential generator (Knuth).
        let mut state = 7u64;
        let mut noise = |loud: f32| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 40) as f32 / (1u64 << 24) as f32 - 0.5) * 2.0 * loud
        };
        let mut check = |quiet: f32, loud: f32, expected: bool| {
            let samples: Vec<f32> = (0..FRAME * 100)
                .map(|i| noise(if (40 * FRAME..70 * FRAME).contains(&i) { loud } else { quiet }))
                .collect();
            let found = louder_than_around(&samples);
            assert_eq!(found.len(), 100);
            assert_eq!(found[45..65].iter().all(|&p| p > 0.9), expected, "{quiet} {loud}");
            assert!(found[..40].iter().all(|&p| p < 0.5), "{quiet} {loud}");
        };
        check(0.001, 0.2, true);
        check(0.02, 0.3, true);
        check(0.02, 0.02, false);
        check(0.3, 0.3, false);
        check(0.0, 0.0, false);
        check(0.000_1, 0.001, false);
    }
}
