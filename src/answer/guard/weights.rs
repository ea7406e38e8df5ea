//! The trained numbers of the guard: `models/guard.bin`, made by `models/train_guard.py` (`pack` says how it is laid out).
//!
//! A logistic regression: a window's columns go in, the probability that it is an attack comes out.

use super::features::{SIGNS, Window};

const SHIPPED: &[u8] = include_bytes!("../../../models/guard.bin");
const MAGIC: &[u8] = b"NVRGUARD";
const VERSION: u32 = 1;
/// Magic, six numbers, the bias and four scales.
const HEADER: usize = 8 + 6 * 4 + 5 * 4;

/// Why the weights cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the guard's weights cannot be used: {0}")]
pub struct WeightsError(String);

/// Weights of each group of columns.
pub struct Weights {
    bias: f32,
    scales: [f32; 4],
    groups: [&'static [u8]; 4],
    meaning: Vec<f32>,
    signs: [f32; SIGNS],
    /// Bits of the hashes of words and of letters.
    pub bits: (u32, u32),
}

impl Weights {
    /// The weights that are compiled in, for a lexicon of so many concepts.
    pub fn shipped(concepts: usize) -> Result<Self, WeightsError> {
        Self::parse(SHIPPED, concepts)
    }

    fn parse(bytes: &'static [u8], concepts: usize) -> Result<Self, WeightsError> {
        let wrong = |reason: &str| WeightsError(reason.to_owned());
        if bytes.len() < HEADER || !bytes.starts_with(MAGIC) {
            return Err(wrong("they are not weights of the guard"));
        }
        let word = |at: usize| [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
        let number = |place: usize| u32::from_le_bytes(word(8 + 4 * place));
        let float = |at: usize| f32::from_le_bytes(word(at));
        let (word_bits, letter_bits, dimensions) = (number(2), number(3), number(4) as usize);
        if number(0) != VERSION || number(5) as usize != SIGNS || word_bits > 24 || letter_bits > 24 {
            return Err(wrong("their layout is another"));
        }
        if number(1) as usize != concepts {
            return Err(wrong("they belong to another lexicon"));
        }
        let sizes = [concepts, concepts * concepts, 1 << word_bits, 1 << letter_bits];
        let dense = HEADER + sizes.iter().sum::<usize>();
        if bytes.len() != dense + 4 * (dimensions + SIGNS) {
            return Err(wrong("their length does not agree with their header"));
        }
        let mut start = HEADER;
        let groups = sizes.map(|size| {
            let group = &bytes[start..start + size];
            start += size;
            group
        });
        let floats = |from: usize, count: usize| (0..count).map(move |n| float(from + 4 * n));
        let mut signs = [0.0; SIGNS];
        signs.iter_mut().zip(floats(dense + 4 * dimensions, SIGNS)).for_each(|(sign, value)| *sign = value);
        Ok(Self {
            bias: float(32),
            scales: [float(36), float(40), float(44), float(48)],
            groups,
            meaning: floats(dense, dimensions).collect(),
            signs,
            bits: (word_bits, letter_bits),
        })
    }

    /// Probability that a window is an attack. An embedding of another length says nothing.
    pub fn probability(&self, window: &Window, meaning: &[f32], signs: &[f32; SIGNS]) -> f32 {
        let root = |columns: &[usize]| 1.0 / (columns.len().max(1) as f32).sqrt();
        let sparse = [
            (&window.concepts, 1.0),
            (&window.pairs, window.pair_weight),
            (&window.words, root(&window.words)),
            (&window.letters, root(&window.letters)),
        ];
        let mut sum = self.bias;
        for ((columns, weight), (group, scale)) in sparse.iter().zip(self.groups.iter().zip(self.scales)) {
            let total: i32 = columns.iter().map(|&column| i32::from(group[column].cast_signed())).sum();
            sum += total as f32 * scale * weight;
        }
        if meaning.len() == self.meaning.len() {
            sum += dot(meaning, &self.meaning);
        }
        sum += dot(signs, &self.signs);
        1.0 / (1.0 + (-sum).exp())
    }
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::super::lexicon::Lexicon;
    use super::*;

    #[test]
    fn the_shipped_weights_fit_the_shipped_lexicon_and_no_other() {
        let concepts = Lexicon::shipped().len();
        assert!(Weights::shipped(concepts).is_ok());
        assert!(Weights::shipped(concepts + 1).is_err());
        assert!(Weights::parse(&SHIPPED[..SHIPPED.len() - 1], concepts).is_err());
        assert!(Weights::parse(b"NVRGUARD", concepts).is_err());
    }
}
