//! Refuses a PDF in which a few compressed bytes stand for very many, before anything unpacks them into memory.
//!
//! Deflate packs at most 1032 to 1, so only a long stream or one packed twice can be such a bomb; just those are unpacked
//! here, into nothing, up to the limit. Streams of encrypted files look like noise and pass; so do bombs made of many
//! small parts. Those need limits on the process.

use std::io::Read;

use flate2::read::ZlibDecoder;

use crate::ingest::extract::{ExtractError, ExtractOptions};

/// Most bytes that one byte of deflate can stand for (RFC 1951: 258 bytes for two bits).
const DEFLATE_RATIO: u64 = 1032;
/// Where the dictionary of a stream is looked for, in front of it.
const DICTIONARY_BYTES: usize = 400;

/// Looks at every packed stream of a file.
pub fn check(bytes: &[u8], options: &ExtractOptions) -> Result<(), ExtractError> {
    let limit = options.limits.stream_bytes;
    let mut at = 0;
    while let Some(found) = find(&bytes[at..], b"stream") {
        let begin = at + found + b"stream".len();
        at = begin;
        if bytes[..begin - b"stream".len()].ends_with(b"end") {
            continue;
        }
        if (options.stop)() {
            return Err(ExtractError::Stopped);
        }
        let dictionary = &bytes[begin.saturating_sub(DICTIONARY_BYTES + b"stream".len())..begin];
        // Only what follows the last object's beginning is this stream's dictionary.
        let dictionary =
            dictionary.windows(3).rposition(|w| w == b"obj").map_or(dictionary, |from| &dictionary[from..]);
        let packings = dictionary.windows(5).filter(|w| *w == b"Flate").count();
        let data = bytes[begin..].trim_ascii_start();
        let length = find(data, b"endstream").unwrap_or(data.len());
        at += length;
        let could_be = packings > 1 || (packings == 1 && length as u64 * DEFLATE_RATIO > limit);
        if could_be && unpacked(&data[..length], packings, limit, options)? > limit {
            return Err(ExtractError::Bomb { limit });
        }
    }
    Ok(())
}

/// How many bytes come out, counted up to a little more than the limit.
fn unpacked(data: &[u8], packings: usize, limit: u64, options: &ExtractOptions) -> Result<u64, ExtractError> {
    let mut reader: Box<dyn Read> = Box::new(data);
    // More layers than that serve no one.
    for _ in 0..packings.min(4) {
        reader = Box::new(ZlibDecoder::new(reader));
    }
    let mut buffer = vec![0; 1 << 16];
    let mut total = 0u64;
    while total <= limit {
        if (options.stop)() {
            return Err(ExtractError::Stopped);
        }
        match reader.read(&mut buffer) {
            // A stream that is damaged or no deflate at all is for the reader of the file to judge.
            Ok(0) | Err(_) => break,
            Ok(n) => total += n as u64,
        }
    }
    Ok(total)
}

fn find(bytes: &[u8], word: &[u8]) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = bytes[from..].iter().position(|&b| b == word[0]) {
        if bytes[from + at..].starts_with(word) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}
