//! Reads a GGUF header once with suspicion, before candle reads it with trust.
//!
//! In: the file. Out: nothing, or why it cannot be a model. Called by [`super::file`]. candle checks lengths
//! against the file's size but divides by the alignment, multiplies shapes unchecked and keeps 32 bytes for
//! each element of an array, so a small hostile file could stop the program or fill the memory.
//! Layout: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>.

use std::io::{BufReader, Read, Seek};

use super::error::GgufError;

/// Real files have up to some thousand tensors and some dozen values.
const MOST_TENSORS: u64 = 65_536;
const MOST_VALUES: u64 = 65_536;
/// The largest vocabularies have 262,144 tokens in three arrays, with about as many merges.
const MOST_ELEMENTS: u64 = 8_000_000;
/// Templates are the longest strings, with some ten thousand bytes.
const LONGEST_STRING: u64 = 16 << 20;
const LONGEST_NAME: u64 = 4_096;
const DEEPEST_ARRAY: usize = 4;
/// A million million weights.
const MOST_WEIGHTS: u64 = 1 << 40;
const MOST_DIMENSIONS: u32 = 4;

/// Refuses a header that would make the reader behind it misbehave.
pub fn check<R: Read + Seek>(file: R) -> Result<(), GgufError> {
    let mut header = Header::new(file)?;
    if &header.bytes::<4>()? != b"GGUF" {
        return Err(GgufError::bad("it is not a GGUF file"));
    }
    let version = header.u32()?;
    if !(2..=3).contains(&version) {
        return Err(GgufError::bad(format!("GGUF version {version} is not known")));
    }
    let tensors = header.count("tensors", MOST_TENSORS)?;
    let values = header.count("values", MOST_VALUES)?;
    for _ in 0..values {
        let key = header.name()?;
        let kind = header.u32()?;
        if key == "general.alignment" {
            let alignment = header.integer(kind)?;
            if !(1..=1 << 16).contains(&alignment) || !alignment.is_power_of_two() {
                return Err(GgufError::bad(format!("its alignment {alignment} is not a power of two")));
            }
        } else {
            header.skip_value(kind, 0)?;
        }
    }
    for _ in 0..tensors {
        header.tensor()?;
    }
    Ok(())
}

struct Header<R: Read + Seek> {
    file: BufReader<R>,
    /// Bytes that are left in the file.
    left: u64,
    /// Array elements that may still come.
    elements: u64,
}

impl<R: Read + Seek> Header<R> {
    fn new(mut file: R) -> Result<Self, GgufError> {
        let left = file.seek(std::io::SeekFrom::End(0))?;
        file.rewind()?;
        Ok(Self { file: BufReader::new(file), left, elements: MOST_ELEMENTS })
    }

    fn take(&mut self, bytes: u64) -> Result<(), GgufError> {
        self.left = self.left.checked_sub(bytes).ok_or_else(|| GgufError::bad("its header is cut short"))?;
        Ok(())
    }

    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], GgufError> {
        self.take(N as u64)?;
        let mut bytes = [0; N];
        self.file.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn u32(&mut self) -> Result<u32, GgufError> {
        Ok(u32::from_le_bytes(self.bytes()?))
    }

    fn u64(&mut self) -> Result<u64, GgufError> {
        Ok(u64::from_le_bytes(self.bytes()?))
    }

    fn count(&mut self, of: &str, most: u64) -> Result<u64, GgufError> {
        let count = self.u64()?;
        if count > most {
            return Err(GgufError::bad(format!("its header claims {count} {of}")));
        }
        Ok(count)
    }

    fn name(&mut self) -> Result<String, GgufError> {
        let length = self.count("bytes of a name", LONGEST_NAME)?;
        self.take(length)?;
        let mut name = vec![0; length as usize];
        self.file.read_exact(&mut name)?;
        Ok(String::from_utf8_lossy(&name).into_owned())
    }

    fn skip(&mut self, bytes: u64) -> Result<(), GgufError> {
        self.take(bytes)?;
        // The file has these bytes, so the number fits.
        self.file.seek_relative(bytes as i64)?;
        Ok(())
    }

    fn integer(&mut self, kind: u32) -> Result<u64, GgufError> {
        Ok(match kind {
            0 | 1 => u64::from(self.bytes::<1>()?[0]),
            2 | 3 => u64::from(u16::from_le_bytes(self.bytes()?)),
            4 | 5 => u64::from(self.u32()?),
            _ => return Err(GgufError::bad("its alignment is not a number of at most 32 bits")),
        })
    }

    fn skip_value(&mut self, kind: u32, depth: usize) -> Result<(), GgufError> {
        match kind {
            0 | 1 | 7 => self.skip(1),
            2 | 3 => self.skip(2),
            4..=6 => self.skip(4),
            10..=12 => self.skip(8),
            8 => {
                let length = self.count("bytes of a string", LONGEST_STRING)?;
                self.skip(length)
            }
            9 if depth < DEEPEST_ARRAY => {
                let kind = self.u32()?;
                let length = self.count("elements of an array", self.elements)?;
                self.elements -= length;
                for _ in 0..length {
                    self.skip_value(kind, depth + 1)?;
                }
                Ok(())
            }
            9 => Err(GgufError::bad("its arrays are nested too deeply")),
            _ => Err(GgufError::bad(format!("its header has a value of the unknown kind {kind}"))),
        }
    }

    fn tensor(&mut self) -> Result<(), GgufError> {
        let name = self.name()?;
        let dimensions = self.u32()?;
        if dimensions > MOST_DIMENSIONS {
            return Err(GgufError::bad(format!("its tensor `{name}` has {dimensions} dimensions")));
        }
        let mut weights: u64 = 1;
        for _ in 0..dimensions {
            weights = weights
                .checked_mul(self.u64()?)
                .filter(|weights| *weights <= MOST_WEIGHTS)
                .ok_or_else(|| GgufError::bad(format!("its tensor `{name}` is impossibly large")))?;
        }
        self.skip(4 + 8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    #[derive(Default)]
    struct Bytes(Vec<u8>);

    impl Bytes {
        fn header(tensors: u64, values: u64) -> Self {
            Self(b"GGUF".to_vec()).u32(3).u64(tensors).u64(values)
        }
        fn u32(mut self, value: u32) -> Self {
            self.0.extend(value.to_le_bytes());
            self
        }
        fn u64(mut self, value: u64) -> Self {
            self.0.extend(value.to_le_bytes());
            self
        }
        fn text(mut self, text: &str) -> Self {
            self = self.u64(text.len() as u64);
            self.0.extend(text.bytes());
            self
        }
        fn refused(self, because: &str) {
            let error = check(Cursor::new(self.0)).expect_err(because).to_string();
            assert!(error.contains(because), "{error} is not about {because}");
        }
    }

    #[test]
    fn hostile_headers_are_refused() {
        Bytes(b"PK\x03\x04 and more bytes".to_vec()).refused("not a GGUF");
        Bytes(b"GG".to_vec()).refused("cut short");
        Bytes(b"GGUF".to_vec()).u32(9).refused("version 9");
        Bytes::header(u64::MAX, 0).refused("tensors");
        Bytes::header(0, 1 << 40).refused("values");
        Bytes::header(0, 1).text("general.alignment").u32(4).u32(0).refused("alignment 0");
        Bytes::header(0, 1).text("general.alignment").u32(4).u32(24).refused("alignment 24");
        Bytes::header(0, 1).text("general.alignment").u32(10).u64(0).refused("alignment");
        Bytes::header(0, 1).text("a").u32(8).u64(1 << 60).refused("bytes of a string");
        Bytes::header(0, 1).text("a").u32(8).u64(1 << 20).refused("cut short");
        Bytes::header(0, 1).text("a").u32(77).refused("kind 77");
        Bytes::header(0, 1).text("a").u32(9).u32(0).u64(1 << 50).refused("elements");
        let mut nested = Bytes::header(0, 1).text("a").u32(9);
        for _ in 0..20 {
            nested = nested.u32(9).u64(1);
        }
        nested.refused("nested");
        Bytes::header(1, 0).text("t").u32(200).refused("200 dimensions");
        Bytes::header(1, 0).text("t").u32(2).u64(1 << 33).u64(1 << 33).refused("large");
        Bytes::header(1, 0).text("t").u32(2).u64(u64::MAX).u64(3).refused("large");
        Bytes::header(1, 0).text("t").u32(1).u64(8).refused("cut short");
    }

    #[test]
    fn an_honest_header_passes() {
        let honest = Bytes::header(1, 2)
            .text("general.alignment")
            .u32(4)
            .u32(64)
            .text("tokens")
            .u32(9)
            .u32(8)
            .u64(2)
            .text("a")
            .text("bc")
            .text("t")
            .u32(2)
            .u64(4)
            .u64(4)
            .u32(0)
            .u64(0);
        check(Cursor::new(honest.0)).expect("it is honest");
    }
}
