//! What travels between the two processes: a header as JSON, then bytes as they are.
//!
//! Sixteen bytes go before: a mark with the version, the length of the header, the length of the rest. Whoever reads
//! believes no length: it is compared with a cap, and memory is taken only for what has arrived.

use std::io::{self, ErrorKind, Read, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Begins every frame; its last byte is the version.
const MARK: [u8; 4] = *b"rdr1";
/// Bytes before header and rest.
const FRONT: usize = 16;
/// What is sent together with the header, to save a call.
const TOGETHER: usize = 64 << 10;

/// The longest frame that is read.
#[derive(Debug, Clone, Copy)]
pub struct Caps {
    pub header: u64,
    pub rest: u64,
}

/// Why there is no frame.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    #[error("the other side ended")]
    Ended,
    #[error("{0}")]
    Malformed(&'static str),
    #[error(transparent)]
    Io(io::Error),
}

impl From<io::Error> for FrameError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::UnexpectedEof
            | ErrorKind::BrokenPipe
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::NotConnected => Self::Ended,
            _ => Self::Io(error),
        }
    }
}

/// Sends a frame.
pub fn write(out: &mut impl Write, header: &impl Serialize, rest: &[u8]) -> Result<(), FrameError> {
    let mut front = vec![0; FRONT];
    serde_json::to_writer(&mut front, header).map_err(io::Error::from)?;
    let length =
        u32::try_from(front.len() - FRONT).map_err(|_| FrameError::Malformed("a header too long"))?;
    front[..4].copy_from_slice(&MARK);
    front[4..8].copy_from_slice(&length.to_le_bytes());
    front[8..FRONT].copy_from_slice(&(rest.len() as u64).to_le_bytes());
    if rest.len() <= TOGETHER {
        front.extend_from_slice(rest);
        out.write_all(&front)?;
    } else {
        out.write_all(&front)?;
        out.write_all(rest)?;
    }
    Ok(out.flush()?)
}

/// Receives a frame; [`FrameError::Ended`] when there is none, or only a part of one.
pub fn read<T: DeserializeOwned>(input: &mut impl Read, caps: Caps) -> Result<(T, Vec<u8>), FrameError> {
    let mut front = [0; FRONT];
    input.read_exact(&mut front)?;
    let [m0, m1, m2, m3, h0, h1, h2, h3, rest @ ..] = front;
    if [m0, m1, m2, m3] != MARK {
        return Err(FrameError::Malformed("no frame"));
    }
    let header = u64::from(u32::from_le_bytes([h0, h1, h2, h3]));
    let rest = u64::from_le_bytes(rest);
    if header > caps.header || rest > caps.rest {
        return Err(FrameError::Malformed("a frame longer than is read"));
    }
    let header = exactly(input, header)?;
    let header = serde_json::from_slice(&header).map_err(|_| FrameError::Malformed("no header"))?;
    Ok((header, exactly(input, rest)?))
}

/// So many bytes; the buffer grows with what arrives.
fn exactly(input: &mut impl Read, length: u64) -> Result<Vec<u8>, FrameError> {
    let mut bytes = Vec::with_capacity(length.min(TOGETHER as u64) as usize);
    input.take(length).read_to_end(&mut bytes)?;
    if bytes.len() as u64 == length { Ok(bytes) } else { Err(FrameError::Ended) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CAPS: Caps = Caps { header: 1_000, rest: 200_000 };

    #[test]
    fn what_is_sent_arrives_and_no_length_is_believed() {
        let mut pipe = Vec::new();
        let long = vec![7; 100_000];
        write(&mut pipe, &"first", b"\0\xff").unwrap();
        write(&mut pipe, &("second", 2), &long).unwrap();
        let mut input = pipe.as_slice();
        assert_eq!(read::<String>(&mut input, CAPS).unwrap(), ("first".into(), b"\0\xff".to_vec()));
        assert_eq!(read::<(String, u8)>(&mut input, CAPS).unwrap(), (("second".into(), 2), long));
        assert!(matches!(read::<String>(&mut input, CAPS), Err(FrameError::Ended)));
        for cut in [1, 15, 17, pipe.len() - 1] {
            let mut part = &pipe[..cut];
            let ended = std::iter::from_fn(|| Some(read::<serde_json::Value>(&mut part, CAPS)))
                .find_map(Result::err)
                .unwrap();
            assert!(matches!(ended, FrameError::Ended), "{cut}: {ended}");
        }
        let mut huge = pipe.clone();
        huge[8..16].copy_from_slice(&u64::MAX.to_le_bytes());
        let refused = read::<String>(&mut huge.as_slice(), CAPS);
        assert!(matches!(refused, Err(FrameError::Malformed("a frame longer than is read"))));
        // A length within the caps that never comes.
        huge[8..16].copy_from_slice(&150_000u64.to_le_bytes());
        huge.truncate(100);
        assert!(matches!(read::<String>(&mut huge.as_slice(), CAPS), Err(FrameError::Ended)));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_frame_or_an_error(mut bytes in prop::collection::vec(any::<u8>(), 0..300), marked: bool) {
            if marked && bytes.len() >= 16 {
                bytes[..4].copy_from_slice(&MARK);
                bytes[5..8].fill(0);
                bytes[9..16].fill(0);
            }
            let _ = read::<serde_json::Value>(&mut bytes.as_slice(), CAPS);
        }
    }
}
