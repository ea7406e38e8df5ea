//! From any sample rate to 16 kHz, as a stream.
//!
//! Rubato's synchronous resampler multiplies spectra, with a Blackman-Harris window as its filter, so that nothing above
//! 8 kHz comes back as a tone that was never there. Its delay is cut off at the start and made up for at the end: what
//! comes out is as long as what went in, and times stay true.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Indexing, Resampler as _, WindowFunction};

use super::{ExtractError, RATE};

/// Frames that go in at once and are one transform: a filter this long falls steeply enough below 8 kHz.
const CHUNK: usize = 2_048;

/// A resampler with what it has not used yet.
pub struct Resampler {
    from: u32,
    /// `None` where nothing is to be done.
    inner: Option<Inner>,
}

struct Inner {
    fft: Fft<f32>,
    waiting: Vec<f32>,
    out: Vec<f32>,
    /// Frames still to be cut off, and counts of what went in and came out.
    delay: usize,
    taken: u64,
    given: u64,
}

impl Resampler {
    pub fn new(from: u32) -> Result<Self, ExtractError> {
        if from == RATE {
            return Ok(Self { from, inner: None });
        }
        let window = WindowFunction::BlackmanHarris2;
        let fft = Fft::new_custom(from as usize, RATE as usize, CHUNK, 1, 1, window, FixedSync::Input)
            .map_err(|_| ExtractError::UnknownSound(format!("{from} samples a second")))?;
        let (delay, out) = (fft.output_delay(), vec![0.0; fft.output_frames_max()]);
        Ok(Self { from, inner: Some(Inner { fft, waiting: Vec::new(), out, delay, taken: 0, given: 0 }) })
    }

    /// The rate that goes in.
    pub fn from(&self) -> u32 {
        self.from
    }

    /// Takes samples and appends what they give.
    pub fn push(&mut self, samples: &[f32], out: &mut Vec<f32>) -> Result<(), ExtractError> {
        let Some(inner) = &mut self.inner else {
            out.extend_from_slice(samples);
            return Ok(());
        };
        inner.taken += samples.len() as u64;
        inner.waiting.extend_from_slice(samples);
        let mut used = 0;
        while inner.waiting.len() - used >= inner.fft.input_frames_next() {
            let wanted = inner.fft.input_frames_next();
            let waiting = std::mem::take(&mut inner.waiting);
            inner.chunk(&waiting[used..used + wanted], None, out)?;
            inner.waiting = waiting;
            used += wanted;
        }
        inner.waiting.drain(..used);
        Ok(())
    }

    /// Appends the rest: as much as is due for what was taken.
    pub fn finish(&mut self, out: &mut Vec<f32>) -> Result<(), ExtractError> {
        let Some(inner) = &mut self.inner else { return Ok(()) };
        let due = inner.taken * u64::from(RATE) / u64::from(self.from);
        let mut rest = std::mem::take(&mut inner.waiting);
        while inner.given < due {
            let present = rest.len();
            rest.resize(inner.fft.input_frames_next(), 0.0);
            let before = out.len();
            inner.chunk(&rest, Some(present), out)?;
            let over = inner.given.saturating_sub(due);
            out.truncate(out.len() - usize::try_from(over).unwrap_or(0).min(out.len() - before));
            rest.clear();
        }
        Ok(())
    }
}

impl Inner {
    fn chunk(
        &mut self,
        samples: &[f32],
        present: Option<usize>,
        out: &mut Vec<f32>,
    ) -> Result<(), ExtractError> {
        // The sizes are those that the resampler asked for, so it has nothing to refuse.
        let wrong = |_| ExtractError::Crashed("resampling".into());
        let input = InterleavedSlice::new(samples, 1, samples.len()).map_err(|_| wrong(()))?;
        let room = self.out.len();
        let mut output = InterleavedSlice::new_mut(&mut self.out, 1, room).map_err(|_| wrong(()))?;
        let indexing = present.map(|frames| Indexing::new().partial_len(frames));
        let (_, made) =
            self.fft.process_into_buffer(&input, &mut output, indexing.as_ref()).map_err(|_| wrong(()))?;
        let cut = self.delay.min(made);
        self.delay -= cut;
        self.given += (made - cut) as u64;
        out.extend_from_slice(&self.out[cut..made]);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resampled(from: u32, hertz: f32, seconds: f32) -> Vec<f32> {
        let count = (from as f32 * seconds) as usize;
        // In f64: the argument grows so large that f32 would add noise of its own.
        let step = std::f64::consts::TAU * f64::from(hertz) / f64::from(from);
        let samples: Vec<f32> = (0..count).map(|i| (step * i as f64).sin() as f32).collect();
        let (mut resampler, mut out) = (Resampler::new(from).unwrap(), Vec::new());
        // Packets of awkward sizes.
        for part in samples.chunks(577) {
            resampler.push(part, &mut out).unwrap();
        }
        resampler.finish(&mut out).unwrap();
        out
    }

    /// Power at a frequency (Goertzel, 1958), as the amplitude of a tone.
    fn amplitude(samples: &[f32], hertz: f64) -> f64 {
        let step = std::f64::consts::TAU * hertz / f64::from(RATE);
        let (mut real, mut imaginary) = (0.0, 0.0);
        for (i, &sample) in samples.iter().enumerate() {
            real += f64::from(sample) * (step * i as f64).cos();
            imaginary += f64::from(sample) * (step * i as f64).sin();
        }
        2.0 * real.hypot(imaginary) / samples.len() as f64
    }

    #[test]
    fn a_tone_keeps_its_pitch_its_loudness_and_its_length() {
        for from in [8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 96_000] {
            let out = resampled(from, 1_000.0, 1.0);
            assert!(out.len().abs_diff(RATE as usize) <= 1, "{from}: {} samples", out.len());
            let inside = &out[1_600..14_400];
            let loud = amplitude(inside, 1_000.0);
            assert!((loud - 1.0).abs() < 0.01, "{from}: {loud}");
            // The phase is kept too: the tone lies where it lay, to a sample of the source.
            let expected = |i: usize| (std::f32::consts::TAU * 1_000.0 * i as f32 / RATE as f32).sin();
            let worst = (1_600..14_400).map(|i| (out[i] - expected(i)).abs()).fold(0.0, f32::max);
            let sample = std::f32::consts::TAU * 1_000.0 / from as f32;
            assert!(worst < sample + 0.02, "{from}: off by {worst}");
        }
    }

    #[test]
    fn what_is_too_high_for_16_khz_does_not_come_back_as_another_tone() {
        for (from, hertz) in [(44_100, 10_000.0), (48_000, 12_000.0), (48_000, 20_000.0), (96_000, 9_500.0)] {
            let out = resampled(from, hertz, 1.0);
            let loudest = out[1_600..14_400].iter().fold(0.0f32, |most, sample| most.max(sample.abs()));
            assert!(loudest < 0.002, "{from} {hertz}: {loudest} is left");
        }
    }

    #[test]
    fn a_sound_shorter_than_the_filter_comes_out_whole() {
        assert_eq!(resampled(48_000, 500.0, 0.003).len(), 48);
        assert_eq!(resampled(44_100, 500.0, 0.0).len(), 0);
        assert_eq!(resampled(16_000, 500.0, 0.001).len(), 16);
    }
}
