//! Looks at a whisper.cpp file before the library does: header, vocabulary and the list of tensors, without reading weights.
//!
//! The library allocates what a header asks for and ends the process on some broken files; one without tensors it takes
//! for a test and then computes with nothing. Layout: magic `ggml`, eleven numbers, mel filters, words, then for each tensor
//! its dimensions, name and data (whisper.cpp, `whisper_model_load`).

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

/// "ggml", little-endian.
const MAGIC: u32 = 0x6767_6d6c;
/// What Silero's file says after the magic.
const SILERO: &[u8] = b"silero-16k";

/// Why a file is no model that can be run, as the end of a sentence.
pub fn check(path: &Path) -> Result<(), String> {
    let file = File::open(path).map_err(|error| format!("its file cannot be opened: {error}"))?;
    let size = file.metadata().map_err(|error| error.to_string())?.len();
    walk(&mut BufReader::new(file), size).map_err(|fault| match fault {
        Fault::Wrong(reason) => reason.to_owned(),
        Fault::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => "its file is cut off".to_owned(),
        Fault::Io(error) => format!("its file cannot be read: {error}"),
    })
}

/// Whether these are the weights of Silero.
pub fn is_voice_detector(path: &Path) -> bool {
    let read = || -> io::Result<bool> {
        let mut reader = BufReader::new(File::open(path)?);
        if number(&mut reader)? != MAGIC || number(&mut reader)? as usize != SILERO.len() {
            return Ok(false);
        }
        let mut name = [0; SILERO.len()];
        reader.read_exact(&mut name)?;
        Ok(name == SILERO)
    };
    read().unwrap_or(false)
}

enum Fault {
    Wrong(&'static str),
    Io(io::Error),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn walk(reader: &mut (impl Read + Seek), size: u64) -> Result<(), Fault> {
    if number(reader)? != MAGIC {
        return Err(Fault::Wrong("its file is not of whisper.cpp"));
    }
    let mut header = [0; 11];
    for value in &mut header {
        *value = number(reader)?;
    }
    let [
        words,
        audio_context,
        state,
        heads,
        layers,
        text_context,
        text_state,
        text_heads,
        text_layers,
        mels,
        kind,
    ] = header;
    // Whisper large has 1,280 wide states, 20 heads and 32 layers; English-only models have 51,864 words.
    let sane = (51_864..=60_000).contains(&words)
        && (2..=3_000).contains(&audio_context)
        && (8..=4_096).contains(&state)
        && state == text_state
        && (1..=64).contains(&heads)
        && (1..=64).contains(&text_heads)
        && state.is_multiple_of(heads)
        && state.is_multiple_of(text_heads)
        && (1..=64).contains(&layers)
        && (1..=64).contains(&text_layers)
        && (8..=2_048).contains(&text_context)
        && matches!(mels, 80 | 128)
        && kind % 1_000 <= 20;
    if !sane {
        return Err(Fault::Wrong("its header holds numbers that no Whisper model has"));
    }
    let (filters, bins) = (number(reader)?, number(reader)?);
    if filters != mels || !(100..=1_000).contains(&bins) {
        return Err(Fault::Wrong("its mel filters are of another size"));
    }
    skip(reader, u64::from(filters) * u64::from(bins) * 4, size)?;
    let count = number(reader)?;
    if count > words {
        return Err(Fault::Wrong("it has more words than its header says"));
    }
    for _ in 0..count {
        let length = number(reader)?;
        if length > 1_024 {
            return Err(Fault::Wrong("its vocabulary is damaged"));
        }
        skip(reader, u64::from(length), size)?;
    }
    let tensors = tensors(reader, size)?;
    // Seven and four beside the layers, of which the encoder's have 15 and the decoder's 24.
    let expected = 11 + 15 * layers + 24 * text_layers;
    match tensors {
        0 => Err(Fault::Wrong("its file holds a vocabulary and no weights")),
        found if found == expected => Ok(()),
        _ => Err(Fault::Wrong("its file does not hold all of its weights")),
    }
}

/// The number of tensors up to the end of the file.
fn tensors(reader: &mut (impl Read + Seek), size: u64) -> Result<u32, Fault> {
    let mut found = 0;
    while reader.stream_position()? < size {
        let (dimensions, name, kind) = (number(reader)?, number(reader)?, number(reader)?);
        if !(1..=4).contains(&dimensions) || !(1..=256).contains(&name) {
            return Err(Fault::Wrong("its list of tensors is damaged"));
        }
        let mut elements = 1u64;
        for _ in 0..dimensions {
            elements = elements.saturating_mul(u64::from(number(reader)?));
        }
        // Bytes and elements of a block of each type that whisper.cpp writes (ggml's type numbers).
        let (bytes, block) = match kind {
            0 => (4, 1),
            1 => (2, 1),
            2 => (18, 32),
            3 => (20, 32),
            6 => (22, 32),
            7 => (24, 32),
            8 => (34, 32),
            _ => return Err(Fault::Wrong("its weights are packed in a way that is not known")),
        };
        skip(reader, u64::from(name), size)?;
        skip(reader, elements.saturating_mul(bytes) / block, size)?;
        found += 1;
    }
    Ok(found)
}

fn skip(reader: &mut impl Seek, bytes: u64, size: u64) -> Result<(), Fault> {
    let end = reader.stream_position()?.saturating_add(bytes);
    if end > size {
        return Err(Fault::Io(io::ErrorKind::UnexpectedEof.into()));
    }
    reader.seek(SeekFrom::Start(end))?;
    Ok(())
}

fn number(reader: &mut impl Read) -> io::Result<u32> {
    let mut four = [0; 4];
    reader.read_exact(&mut four)?;
    Ok(u32::from_le_bytes(four))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn file(header: [u32; 11], tensors: u32) -> Vec<u8> {
        let mut bytes = MAGIC.to_le_bytes().to_vec();
        let mut put = |numbers: &[u32]| bytes.extend(numbers.iter().flat_map(|n| n.to_le_bytes()));
        put(&header);
        put(&[80, 201]);
        put(&vec![0; 80 * 201]);
        put(&[1, 1]);
        bytes.push(b'a');
        for _ in 0..tensors {
            let numbers = [1u32, 1, 0, 2];
            bytes.extend(numbers.iter().flat_map(|n| n.to_le_bytes()));
            bytes.push(b't');
            bytes.extend([0; 8]);
        }
        bytes
    }

    #[test]
    fn a_file_that_cannot_be_run_says_why() {
        const GOOD: [u32; 11] = [51_864, 1_500, 384, 6, 4, 448, 384, 6, 4, 80, 1];
        let check = |bytes: Vec<u8>, says: Option<&str>| {
            let size = bytes.len() as u64;
            match (walk(&mut Cursor::new(bytes), size), says) {
                (Ok(()), None) => {}
                (Err(Fault::Wrong(reason)), Some(says)) => assert!(reason.contains(says), "{reason}"),
                (Err(Fault::Io(error)), Some("cut off")) => {
                    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
                }
                (Ok(()), Some(says)) => panic!("it should say {says}"),
                (Err(_), says) => panic!("another failure than {says:?}"),
            }
        };
        let all = 11 + 15 * 4 + 24 * 4;
        check(file(GOOD, all), None);
        check(file(GOOD, 0), Some("no weights"));
        check(file(GOOD, all - 1), Some("not hold all"));
        let mut cut = file(GOOD, all);
        cut.truncate(cut.len() - 3);
        check(cut, Some("cut off"));
        check(b"GGUF and more".to_vec(), Some("not of whisper.cpp"));
        check(Vec::new(), Some("cut off"));
        for (at, value) in [(0, 10), (2, 1 << 30), (3, 0), (3, 5), (4, 9_999), (9, 81)] {
            let mut header = GOOD;
            header[at] = value;
            check(file(header, all), Some("numbers that no"));
        }
    }
}
