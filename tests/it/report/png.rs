//! Reads the pictures that a browser takes: PNG with 8 bits for each of three or four channels, not interlaced.

use std::collections::HashSet;
use std::io::Read;

/// Pixels, row by row.
pub struct Picture {
    pixels: Vec<[u8; 3]>,
}

impl Picture {
    /// From 0, black, to 1, white.
    pub fn mean_light(&self) -> f64 {
        let sum: u64 = self.pixels.iter().flatten().map(|&value| u64::from(value)).sum();
        sum as f64 / (self.pixels.len() * 3 * 255) as f64
    }

    pub fn colors(&self) -> usize {
        self.pixels.iter().collect::<HashSet<_>>().len()
    }
}

/// Decodes the chunks IHDR and IDAT (PNG specification, third edition, sections 9 and 11).
pub fn read(bytes: &[u8]) -> Picture {
    let mut rest = bytes.strip_prefix(b"\x89PNG\r\n\x1a\n").unwrap();
    let (mut width, mut channels, mut packed) = (0, 0, Vec::new());
    while rest.len() >= 12 {
        let length = u32::from_be_bytes(rest[..4].try_into().unwrap()) as usize;
        let (kind, data) = (&rest[4..8], &rest[8..8 + length]);
        if kind == b"IHDR" {
            width = u32::from_be_bytes(data[..4].try_into().unwrap()) as usize;
            assert_eq!((data[8], data[12]), (8, 0), "bits and interlacing");
            channels = if data[9] == 6 { 4 } else { 3 };
        } else if kind == b"IDAT" {
            packed.extend_from_slice(data);
        }
        rest = &rest[12 + length..];
    }
    let mut raw = Vec::new();
    flate2::read::ZlibDecoder::new(packed.as_slice()).read_to_end(&mut raw).unwrap();
    let stride = width * channels;
    let mut above = vec![0u8; stride];
    let mut pixels = Vec::new();
    for row in raw.chunks_exact(stride + 1) {
        let (filter, mut line) = (row[0], row[1..].to_vec());
        for at in 0..stride {
            let left = if at >= channels { line[at - channels] } else { 0 };
            let corner = if at >= channels { above[at - channels] } else { 0 };
            let guess = match filter {
                0 => 0,
                1 => left,
                2 => above[at],
                3 => (u16::from(left) + u16::from(above[at])).div_euclid(2) as u8,
                _ => paeth(left, above[at], corner),
            };
            line[at] = line[at].wrapping_add(guess);
        }
        pixels.extend(line.chunks_exact(channels).map(|pixel| [pixel[0], pixel[1], pixel[2]]));
        above = line;
    }
    Picture { pixels }
}

/// Whichever of the neighbours is nearest to left + above - corner.
fn paeth(left: u8, above: u8, corner: u8) -> u8 {
    let (a, b, c) = (i16::from(left), i16::from(above), i16::from(corner));
    let away = |value: i16| (a + b - c - value).abs();
    if away(a) <= away(b) && away(a) <= away(c) {
        left
    } else if away(b) <= away(c) {
        above
    } else {
        corner
    }
}
