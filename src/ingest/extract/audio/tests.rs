//! Recordings of every container and codec, made by ffmpeg from a tone of 440 Hz and two seconds; what was made by code
//! is compared to the sample.

use std::f64::consts::TAU;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use super::*;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/media").join(name)
}

/// Everything that a recording holds, with its warnings.
fn read(mut sound: Sound) -> Result<(Vec<f32>, Vec<String>), ExtractError> {
    let mut all = Vec::new();
    while let Some(block) = sound.next_block()? {
        assert!(!block.is_empty());
        all.extend(block);
    }
    assert_eq!(sound.next_block(), Ok(None), "the end stays the end");
    assert_eq!(sound.position_ms(), all.len() as u64 / 16);
    Ok((all, sound.warnings()))
}

fn of_bytes(bytes: Vec<u8>) -> Result<(Vec<f32>, Vec<String>), ExtractError> {
    read(Sound::open(Box::new(Cursor::new(bytes)), "")?)
}

/// How loud a tone is in samples.
fn amplitude(samples: &[f32], hertz: f64) -> f64 {
    let step = TAU * hertz / f64::from(RATE);
    let (mut real, mut imaginary) = (0.0, 0.0);
    for (i, &sample) in samples.iter().enumerate() {
        real += f64::from(sample) * (step * i as f64).cos();
        imaginary += f64::from(sample) * (step * i as f64).sin();
    }
    2.0 * real.hypot(imaginary) / samples.len() as f64
}

/// A WAV file of 16 bits.
pub fn wav(rate: u32, channels: u16, frames: impl Iterator<Item = i16>) -> Vec<u8> {
    let data: Vec<u8> = frames.flat_map(i16::to_le_bytes).collect();
    let (length, frame) = (u32::try_from(data.len()).unwrap(), channels * 2);
    let mut file = Vec::new();
    file.extend(b"RIFF");
    file.extend((36 + length).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0");
    file.extend(channels.to_le_bytes());
    file.extend(rate.to_le_bytes());
    file.extend((rate * u32::from(frame)).to_le_bytes());
    file.extend(frame.to_le_bytes());
    file.extend(16u16.to_le_bytes());
    file.extend(b"data");
    file.extend(length.to_le_bytes());
    file.extend(data);
    file
}

#[test]
fn every_container_and_codec_gives_the_tone_at_its_length() {
    // Codecs without a note of their padding may be longer by a frame: AAC 1,024 samples twice, MP3 1,152.
    for (name, longer_ms) in [
        ("tone.mp3", 1),
        ("tone.m4a", 70),
        ("tone.aac", 70),
        ("tone-alac.m4a", 1),
        ("tone.ogg", 3),
        ("tone.opus", 1),
        ("tone.flac", 1),
        ("tone.aiff", 1),
        ("tone.webm", 25),
        ("tone.mp4", 70),
        ("tone.mkv", 40),
    ] {
        let sound = Sound::open(Box::new(File::open(fixture(name)).unwrap()), name)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let said = sound.duration_ms();
        let (samples, warnings) = read(sound).unwrap_or_else(|error| panic!("{name}: {error}"));
        let ms = samples.len() / 16;
        assert!((1_990..=2_001 + longer_ms).contains(&ms), "{name}: {ms} ms");
        if let Some(said) = said {
            assert!(said.abs_diff(ms as u64) <= 80, "{name}: says {said} ms, has {ms}");
        }
        let inside = &samples[3_200..28_800];
        let (tone, other) = (amplitude(inside, 440.0), amplitude(inside, 1_000.0));
        assert!(tone > 0.3 && other < 0.02, "{name}: {tone} {other}");
        assert_eq!(warnings, Vec::<String>::new(), "{name}");
    }
}

#[test]
fn pcm_comes_out_as_it_went_in() {
    let frames = |i: usize| (i as i32 % 2_000 - 1_000) as i16;
    let (samples, _) = of_bytes(wav(16_000, 1, (0..5_000).map(frames))).unwrap();
    assert_eq!(samples.len(), 5_000);
    assert!((0..5_000).all(|i| (samples[i] - f32::from(frames(i)) / 32_768.0).abs() < 1e-6));
    // Left and right become their mean.
    let stereo = (0..8_000).map(|i| if i % 2 == 0 { 8_192 } else { -4_096 });
    let (samples, _) = of_bytes(wav(16_000, 2, stereo)).unwrap();
    assert!(samples.len() == 4_000 && samples.iter().all(|sample| (sample - 0.0625).abs() < 1e-6));
}

#[test]
fn what_holds_no_sound_or_is_damaged_says_so() {
    let open = |name: &str| Sound::of_file(&fixture(name), name).map(|_| ());
    assert_eq!(open("silent.mp4"), Err(ExtractError::NoSound));
    assert!(of_bytes(b"this is not a recording at all".repeat(100)).is_err());
    assert!(of_bytes(Vec::new()).is_err());
    for error in [ExtractError::NoSound, ExtractError::UnknownSound("x".into())] {
        assert!(!error.hint().is_empty());
    }
}

#[test]
fn a_broken_middle_is_left_out_and_the_rest_is_heard() {
    let mut bytes = std::fs::read(fixture("tone.mp3")).unwrap();
    let middle = bytes.len() / 2;
    for (i, byte) in bytes[middle..middle + 700].iter_mut().enumerate() {
        *byte = (i * 31 % 251) as u8;
    }
    let (samples, _) = of_bytes(bytes).unwrap();
    assert!(samples.len() > 16_000 * 17 / 10, "{} samples", samples.len());
    assert!(amplitude(&samples[3_200..12_800], 440.0) > 0.3);
    // Cut off: what is there is heard.
    let bytes = std::fs::read(fixture("tone.flac")).unwrap();
    let (samples, _) = of_bytes(bytes[..bytes.len() * 3 / 4].to_vec()).unwrap();
    assert!((16_000..30_000).contains(&samples.len()), "{} samples", samples.len());
}

#[test]
fn decoding_is_much_quicker_than_listening() {
    // A minute of every codec; the bound is for tests on busy machines, what it prints is what it is.
    for name in ["tone.mp3", "tone.m4a", "tone.ogg", "tone.opus", "tone.flac"] {
        let bytes = std::fs::read(fixture(name)).unwrap();
        let began = std::time::Instant::now();
        let samples: usize = (0..30).map(|_| of_bytes(bytes.clone()).unwrap().0.len()).sum();
        let times = samples as f64 / f64::from(RATE) / began.elapsed().as_secs_f64();
        eprintln!("{name}: {times:.0} times as quick as listening");
        assert!(times > 20.0, "{name}: {times}");
    }
}

#[test]
fn a_mutated_file_never_panics() {
    for name in ["tone.mp3", "tone.m4a", "tone.ogg", "tone.opus", "tone.flac", "tone.webm", "tone.mkv"] {
        let whole = std::fs::read(fixture(name)).unwrap();
        let mut state = 0x9e37_79b9_u64;
        for round in 0..24u64 {
            let mut bytes = whole.clone();
            for _ in 0..=round % 8 {
                // A linear congruential generator (Knuth): any numbers will do.
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let at = (state >> 33) as usize % bytes.len();
                bytes[at] ^= (state >> 20) as u8 | 1;
            }
            if round % 3 == 0 {
                bytes.truncate(bytes.len() / 2);
            }
            // Whatever comes out, it comes out.
            let _ = of_bytes(bytes);
        }
    }
}

#[test]
fn what_cannot_be_read_here_is_asked_of_ffmpeg() {
    let path = fixture("tone.wma");
    match Sound::of_file(&path, "tone.wma") {
        Ok(sound) => {
            let (samples, _) = read(sound).unwrap();
            assert!(amplitude(&samples[3_200..28_800], 440.0) > 0.3);
        }
        Err(error) => {
            eprintln!("skipped: ffmpeg is not installed");
            assert!(matches!(error, ExtractError::UnknownSound(_)), "{error}");
            assert!(error.hint().contains("ffmpeg"), "{}", error.hint());
        }
    }
}
