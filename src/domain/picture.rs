//! A picture that a creator brings in for the assistant's face: what kind of file it is and how large it is drawn.
//!
//! Comes in: bytes of anybody's. Goes out: kind, width and height, or why it is no such picture. Only headers are read, and
//! nothing is decoded; browsers do that. SVG is refused, since it can hold scripts. Pure.

/// Most bytes that are kept.
pub const MOST_BYTES: usize = 256 * 1024;

/// Sides that a face can have, in pixels: one that fits its place on any screen, and none that fills a browser's memory.
pub const SIDES: std::ops::RangeInclusive<u32> = 16..=2_048;

/// What a picture is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Png,
    Jpeg,
    WebP,
}

/// What the header of a picture says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Picture {
    pub format: Format,
    pub width: u32,
    pub height: u32,
}

/// Why bytes are no face.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    #[error("the picture has {0} bytes, at most {MOST_BYTES} are kept")]
    TooLarge(usize),
    #[error("this is no PNG, JPEG or WebP picture")]
    Unknown,
    #[error("the picture is {0} by {1} pixels, each side has {start} to {end}", start = SIDES.start(), end = SIDES.end())]
    Size(u32, u32),
}

impl Format {
    /// The media type (RFC 2046, and the WebP registration of RFC 9649).
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::WebP => "image/webp",
        }
    }
}

impl Picture {
    /// Looks at the header.
    pub fn read(bytes: &[u8]) -> Result<Self, PictureError> {
        if bytes.len() > MOST_BYTES {
            return Err(PictureError::TooLarge(bytes.len()));
        }
        let found = png(bytes).or_else(|| jpeg(bytes)).or_else(|| webp(bytes));
        let found = found.ok_or(PictureError::Unknown)?;
        if SIDES.contains(&found.width) && SIDES.contains(&found.height) {
            return Ok(found);
        }
        Err(PictureError::Size(found.width, found.height))
    }
}

/// The signature, and the chunk IHDR that comes first (PNG specification, 5.2 and 11.2.2).
fn png(bytes: &[u8]) -> Option<Picture> {
    let rest = bytes.strip_prefix(b"\x89PNG\r\n\x1a\n")?;
    if rest.get(4..8)? != b"IHDR" {
        return None;
    }
    Some(Picture { format: Format::Png, width: big(rest.get(8..12)?), height: big(rest.get(12..16)?) })
}

/// Segments up to the first frame header (ISO/IEC 10918-1, B.1.1.4 and B.2.2).
fn jpeg(bytes: &[u8]) -> Option<Picture> {
    let mut rest = bytes.strip_prefix(b"\xff\xd8")?;
    loop {
        // Any number of fill bytes may stand before a marker.
        while let Some(more) = rest.strip_prefix(b"\xff\xff") {
            rest = &bytes[bytes.len() - more.len() - 1..];
        }
        let marker = *rest.strip_prefix(b"\xff")?.first()?;
        let segment = rest.get(2..)?;
        match marker {
            // A frame; C4, C8 and CC are tables and an extension.
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                let (height, width) = (big(segment.get(3..5)?), big(segment.get(5..7)?));
                return Some(Picture { format: Format::Jpeg, width, height });
            }
            // These have no length.
            0x01 | 0xd0..=0xd7 => rest = segment,
            // The scan or the end before any frame.
            0xd8..=0xda => return None,
            _ => {
                let length = usize::try_from(big(segment.get(..2)?)).ok()?;
                rest = segment.get(length.max(2)..)?;
            }
        }
    }
}

/// The container, and the header of each of the three kinds of its first chunk (RFC 9649, 2.5 to 2.7).
fn webp(bytes: &[u8]) -> Option<Picture> {
    let kind = (bytes.get(..4)? == b"RIFF" && bytes.get(8..12)? == b"WEBP").then(|| bytes.get(12..16))??;
    let data = bytes.get(20..)?;
    let (width, height) = match kind {
        b"VP8X" => (small(data.get(4..7)?) + 1, small(data.get(7..10)?) + 1),
        b"VP8L" if *data.first()? == 0x2f => {
            let bits = small(data.get(1..5)?);
            ((bits & 0x3fff) + 1, ((bits >> 14) & 0x3fff) + 1)
        }
        b"VP8 " if data.get(3..6)? == b"\x9d\x01\x2a" => {
            (small(data.get(6..8)?) & 0x3fff, small(data.get(8..10)?) & 0x3fff)
        }
        _ => return None,
    };
    Some(Picture { format: Format::WebP, width, height })
}

/// At most four bytes, the high one first.
fn big(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |number, byte| (number << 8) | u32::from(*byte))
}

/// At most four bytes, the low one first.
fn small(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |number, byte| (number << 8) | u32::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png_of(width: u32, height: u32) -> Vec<u8> {
        [
            &b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR"[..],
            &width.to_be_bytes(),
            &height.to_be_bytes(),
            &[8, 6, 0, 0, 0],
        ]
        .concat()
    }

    #[test]
    fn pictures_are_known_by_their_headers() {
        let picture = |format, width, height| Ok(Picture { format, width, height });
        let jpeg = b"\xff\xd8\xff\xe0\0\x04ab\xff\xff\xc0\0\x11\x08\0\x40\0\x80\x03";
        let riff = |kind: &[u8], data: &[u8]| [&b"RIFF\0\0\0\0WEBP"[..], kind, &[0; 4], data].concat();
        for (bytes, expected) in [
            (png_of(64, 32), picture(Format::Png, 64, 32)),
            (png_of(8, 32), Err(PictureError::Size(8, 32))),
            (png_of(64, u32::MAX), Err(PictureError::Size(64, u32::MAX))),
            (jpeg.to_vec(), picture(Format::Jpeg, 128, 64)),
            (b"\xff\xd8\xff\xda\0\x04ab".to_vec(), Err(PictureError::Unknown)),
            (riff(b"VP8X", &[0, 0, 0, 0, 99, 0, 0, 199, 0, 0]), picture(Format::WebP, 100, 200)),
            (riff(b"VP8L", &[0x2f, 63, 0xc0, 15, 0]), picture(Format::WebP, 64, 64)),
            (riff(b"VP8 ", &[0, 0, 0, 0x9d, 1, 0x2a, 64, 0, 32, 0]), picture(Format::WebP, 64, 32)),
            (riff(b"VP8 ", &[0; 10]), Err(PictureError::Unknown)),
            (b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>".to_vec(), Err(PictureError::Unknown)),
            (b"GIF89a".to_vec(), Err(PictureError::Unknown)),
            (vec![0; MOST_BYTES + 1], Err(PictureError::TooLarge(MOST_BYTES + 1))),
        ] {
            assert_eq!(Picture::read(&bytes), expected, "{:?}", &bytes[..bytes.len().min(40)]);
        }
    }

    #[test]
    fn a_header_that_is_cut_is_no_picture_and_no_panic() {
        let whole = [png_of(64, 64), b"\xff\xd8\xff\xe0\0\x04ab\xff\xc0\0\x11\x08\0\x40\0\x80\x03".to_vec()];
        for bytes in whole {
            for length in 0..bytes.len() {
                // The last bytes of both say nothing that is read.
                drop(Picture::read(&bytes[..length]));
            }
        }
        assert_eq!(Picture::read(b"\xff\xd8\xff\xff\xff"), Err(PictureError::Unknown));
    }
}
