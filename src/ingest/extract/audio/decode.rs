//! Containers and codecs through Symphonia, Opus through libopus: packets in, mono samples at the file's own rate out.
//!
//! The first audio track that can be decoded is taken, so a video gives its sound. Encoder delay and padding are cut by
//! the decoders (gapless). libopus gives one channel at 16 kHz by itself, which is much less work than all channels at 48 kHz
//! and a resampler after it. A broken packet is left out and counted; too many of them end the work, as the file is then
//! something else.

use std::sync::OnceLock;

use symphonia::core::audio::layouts::CHANNEL_LAYOUT_MONO;
use symphonia::core::codecs::audio::well_known::CODEC_ID_OPUS;
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::codecs::registry::CodecRegistry;
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, Track, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream};
use symphonia::core::meta::MetadataOptions;
use symphonia::core::packet::Packet;
use symphonia::core::units::Duration;
use symphonia_adapter_libopus::OpusDecoder;

use super::{ExtractError, RATE};

/// Broken packets one after another after which nothing good is expected: two seconds of MP3.
const MOST_BROKEN: u32 = 80;

/// Sample rates that exist; what a damaged header says beyond them would ask for absurd amounts of work.
const RATES: std::ops::RangeInclusive<u32> = 4_000..=384_000;

/// A file whose sound is read packet by packet.
pub struct Decoder {
    format: Box<dyn FormatReader>,
    codec: Codec,
    track: u32,
    duration_ms: Option<u64>,
    /// Interleaved samples of the last packet, then its mono samples.
    interleaved: Vec<f32>,
    mono: Vec<f32>,
    broken: u64,
    broken_in_a_row: u32,
    cut_off: bool,
}

impl Decoder {
    pub fn open(source: Box<dyn MediaSource>, name: &str) -> Result<Self, ExtractError> {
        let stream = MediaSourceStream::new(source, Default::default());
        let mut hint = Hint::new();
        if let Some((_, ending)) = name.rsplit_once('.') {
            hint.with_extension(&ending.to_ascii_lowercase());
        }
        let format = symphonia::default::get_probe()
            .probe(&hint, stream, FormatOptions::default(), MetadataOptions::default())
            .map_err(|error| match error {
                Error::Unsupported(_) => ExtractError::UnknownSound("an unknown container".into()),
                _ => ExtractError::Damaged("recording"),
            })?;
        let (codec, track, duration_ms) = {
            let tracks = || format.tracks().iter().filter(|track| audio(track).is_some());
            if tracks().next().is_none() {
                // A track without parameters is of a codec that the container's reader does not know.
                let unknown = format.tracks().iter().any(|track| track.codec_params.is_none());
                return Err(if unknown {
                    ExtractError::UnknownSound("an unknown codec".into())
                } else {
                    ExtractError::NoSound
                });
            }
            let preferred = format.default_track(TrackType::Audio).map(|track| track.id);
            let in_order = tracks()
                .filter(|track| Some(track.id) == preferred)
                .chain(tracks().filter(|track| Some(track.id) != preferred));
            let mut found = None;
            for track in in_order {
                let Some(parameters) = audio(track) else { continue };
                if let Ok(codec) = Codec::open(parameters) {
                    found = Some((codec, track.id, duration_ms(track)));
                    break;
                }
            }
            found.ok_or_else(|| ExtractError::UnknownSound("an unknown codec".into()))?
        };
        Ok(Self {
            format,
            codec,
            track,
            duration_ms,
            interleaved: Vec::new(),
            mono: Vec::new(),
            broken: 0,
            broken_in_a_row: 0,
            cut_off: false,
        })
    }

    /// What the container says.
    pub fn duration_ms(&self) -> Option<u64> {
        self.duration_ms
    }

    /// The rate and the mono samples of the next packet that has some; `None` at the end.
    pub fn next_packet(&mut self) -> Result<Option<(u32, &[f32])>, ExtractError> {
        loop {
            let mut packet = match self.format.next_packet() {
                Ok(Some(packet)) => packet,
                Ok(None) => return Ok(None),
                // A chained stream begins anew with the same kind of track.
                Err(Error::ResetRequired) => {
                    self.restart()?;
                    continue;
                }
                Err(Error::DecodeError(_)) => {
                    self.count_broken()?;
                    continue;
                }
                Err(_) => {
                    self.cut_off = true;
                    return Ok(None);
                }
            };
            if packet.track_id != self.track {
                continue;
            }
            self.codec.fit(&mut packet);
            let (rate, channels) = match self.codec.decoder.decode(&packet) {
                Ok(decoded) => {
                    decoded.copy_to_vec_interleaved(&mut self.interleaved);
                    (decoded.spec().rate(), decoded.spec().channels().count())
                }
                Err(Error::DecodeError(_) | Error::IoError(_)) => {
                    self.count_broken()?;
                    continue;
                }
                Err(Error::ResetRequired) => {
                    self.codec.decoder.reset();
                    continue;
                }
                Err(_) => {
                    self.cut_off = true;
                    return Ok(None);
                }
            };
            if channels == 0 || !RATES.contains(&rate) {
                return Err(ExtractError::Damaged("recording"));
            }
            self.broken_in_a_row = 0;
            if !self.interleaved.is_empty() {
                mix(&self.interleaved, channels, &mut self.mono);
                return Ok(Some((rate, &self.mono)));
            }
        }
    }

    /// What was left out, in sentences.
    pub fn warnings(&self) -> Vec<String> {
        let mut sentences = Vec::new();
        if self.broken > 0 {
            let packets = if self.broken == 1 { "part" } else { "parts" };
            sentences.push(format!("{} broken {packets} of the recording were left out", self.broken));
        }
        if self.cut_off {
            sentences.push("the recording breaks off before its end".to_owned());
        }
        sentences
    }

    fn restart(&mut self) -> Result<(), ExtractError> {
        let track = self.format.default_track(TrackType::Audio).or_else(|| self.format.tracks().first());
        let parameters = track.and_then(|track| Some((track.id, audio(track)?)));
        let Some((id, parameters)) = parameters else { return Err(ExtractError::NoSound) };
        let made = Codec::open(parameters);
        self.codec = made.map_err(|_| ExtractError::UnknownSound("a codec that changes".into()))?;
        self.track = id;
        Ok(())
    }

    fn count_broken(&mut self) -> Result<(), ExtractError> {
        self.broken += 1;
        self.broken_in_a_row += 1;
        if self.broken_in_a_row > MOST_BROKEN { Err(ExtractError::Damaged("recording")) } else { Ok(()) }
    }
}

/// Containers count samples of Opus at 48 kHz, whatever was recorded (RFC 7845, section 4): three for one of ours.
const OPUS_FOR_ONE: u64 = 48_000 / RATE as u64;

/// A decoder, and whether it gives less than was recorded.
struct Codec {
    decoder: Box<dyn AudioDecoder>,
    /// One channel at [`RATE`], of which the container knows nothing.
    is_reduced: bool,
}

impl Codec {
    fn open(parameters: &AudioCodecParameters) -> Result<Self, Error> {
        // Of more than two channels each pair is a stream of its own, which this decoder does not know.
        let channels = parameters.channels.as_ref().map_or(0, |channels| channels.count());
        let is_reduced = parameters.codec == CODEC_ID_OPUS && (1..=2).contains(&channels);
        let mut wanted = parameters.clone();
        if is_reduced {
            // Both are for the decoder to choose (RFC 6716, section 4): it leaves out what lies above 8 kHz before it makes
            // samples, and makes one channel of two as their mean.
            wanted.with_sample_rate(RATE).with_channels(CHANNEL_LAYOUT_MONO);
        }
        let decoder = codecs().make_audio_decoder(&wanted, &AudioDecoderOptions::default())?;
        Ok(Self { decoder, is_reduced })
    }

    /// Says in the decoder's samples what of a packet is to be cut off, which the container says in its own.
    fn fit(&self, packet: &mut Packet) {
        if self.is_reduced {
            let fitted = |duration: Duration| Duration::new(duration.get() / OPUS_FOR_ONE);
            packet.trim_start = fitted(packet.trim_start);
            packet.trim_end = fitted(packet.trim_end);
        }
    }
}

/// The mean of the channels: a voice stands in the middle or on one side, and the mean keeps both.
fn mix(interleaved: &[f32], channels: usize, mono: &mut Vec<f32>) {
    mono.clear();
    // A float file may hold anything; one NaN would silence everything after it in a filter.
    let clean = |sample: f32| if sample.is_finite() { sample.clamp(-4.0, 4.0) } else { 0.0 };
    let scale = 1.0 / channels as f32;
    mono.extend(
        interleaved
            .chunks_exact(channels)
            .map(|frame| frame.iter().map(|&sample| clean(sample)).sum::<f32>() * scale),
    );
}

fn audio(track: &Track) -> Option<&AudioCodecParameters> {
    track.codec_params.as_ref()?.audio()
}

fn duration_ms(track: &Track) -> Option<u64> {
    if let (Some(base), Some(duration)) = (track.time_base, track.duration) {
        let ticks = u128::from(duration.get()) * 1000 * u128::from(base.numer.get());
        return u64::try_from(ticks / u128::from(base.denom.get())).ok();
    }
    let rate = audio(track)?.sample_rate.filter(|&rate| rate > 0)?;
    Some(track.num_frames?.saturating_mul(1000) / u64::from(rate))
}

/// Symphonia's codecs, and Opus.
fn codecs() -> &'static CodecRegistry {
    static CODECS: OnceLock<CodecRegistry> = OnceLock::new();
    CODECS.get_or_init(|| {
        let mut registry = CodecRegistry::new();
        symphonia::default::register_enabled_codecs(&mut registry);
        registry.register_audio_decoder::<OpusDecoder>();
        registry
    })
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::path::Path;

    use super::*;

    #[test]
    fn opus_comes_at_16_khz_by_itself_and_others_as_they_were_recorded() {
        let rates = |name: &str| {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/media").join(name);
            let mut decoder = Decoder::open(Box::new(File::open(path).unwrap()), name).unwrap();
            let (mut rates, mut samples) = (std::collections::BTreeSet::new(), 0);
            while let Some((rate, packet)) = decoder.next_packet().unwrap() {
                rates.insert(rate);
                samples += packet.len();
            }
            (rates.into_iter().collect::<Vec<_>>(), samples)
        };
        let (opus, samples) = rates("tone.opus");
        assert_eq!(opus, [RATE]);
        // Two seconds, with the delay and the padding cut as far as they are at this rate.
        assert!((31_990..=32_032).contains(&samples), "{samples}");
        assert_ne!(rates("tone.ogg").0, [RATE]);
    }

    #[test]
    fn channels_become_their_mean_and_nothing_that_is_no_number_gets_through() {
        let mut mono = vec![9.0];
        mix(&[1.0, 0.0, 0.5, -0.5, f32::NAN, 0.5], 2, &mut mono);
        assert_eq!(mono, [0.5, 0.0, 0.25]);
        mix(&[f32::INFINITY, 100.0], 1, &mut mono);
        assert_eq!(mono, [0.0, 4.0]);
    }
}
