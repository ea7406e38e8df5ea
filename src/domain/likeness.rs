//! How alike two documents are, from a few hundred bytes of each.
//!
//! The words' 5-word shingles (Broder, "On the resemblance and containment of documents", 1997) go through one permutation,
//! of which the least value of each bin is kept (Li, Owen and Zhang, "One permutation hashing", 2012); an empty bin
//! borrows from the next one that is not (Shrivastava and Li, "Densifying one permutation hashing", 2014). The share of
//! equal bins estimates the share of shingles that both have, at .9 with a standard error of .027.

/// Words of a shingle.
const SHINGLE: usize = 5;
/// Bins of a signature.
const BINS: usize = 128;
/// Shorter documents are not compared: a sentence more or less is a large part of them.
const LEAST_SHINGLES: usize = 40;
/// From here on two documents are told to be nearly the same.
pub const NEAR: f32 = 0.9;
/// Bins of a band: documents that share none of 16 bands are not looked at. At .9 all but one of 10,000 pairs share one,
/// at .5 one of 16 does.
const BAND: usize = 8;

/// What is kept of a document's words.
#[derive(Clone, PartialEq, Eq)]
pub struct Signature([u32; BINS]);

impl std::fmt::Debug for Signature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signature")
    }
}

impl Signature {
    /// Of these words; `None` when they are too few.
    pub fn of(text: &str) -> Option<Self> {
        let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(hash);
        let (mut last, mut count) = ([0u64; SHINGLE], 0usize);
        let mut bins = [u64::MAX; BINS];
        for word in words {
            last.rotate_left(1);
            last[SHINGLE - 1] = word;
            count += 1;
            if count < SHINGLE {
                continue;
            }
            let shingle = last.iter().fold(0u64, |sum, word| mixed(sum.rotate_left(7) ^ word));
            // The high bits choose the bin, the low ones are the value.
            let bin = (shingle >> 57) as usize;
            bins[bin] = bins[bin].min(shingle & u64::from(u32::MAX));
        }
        (count >= LEAST_SHINGLES + SHINGLE - 1).then(|| Self(filled(&bins)))
    }

    /// The share of shingles that both have, about.
    pub fn likeness(&self, other: &Self) -> f32 {
        let same = self.0.iter().zip(&other.0).filter(|(one, other)| one == other).count();
        same as f32 / BINS as f32
    }

    /// Documents that are nearly the same share one of these, most likely.
    pub fn bands(&self) -> impl Iterator<Item = u64> + use<> {
        let bands: Vec<u64> = self
            .0
            .chunks_exact(BAND)
            .zip(1u64..)
            .map(|(bins, number)| bins.iter().fold(number, |sum, bin| mixed(sum ^ u64::from(*bin))))
            .collect();
        bands.into_iter()
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|bin| bin.to_le_bytes()).collect()
    }

    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (bins, []) = bytes.as_chunks::<4>() else { return None };
        let bins: Vec<u32> = bins.iter().map(|bin| u32::from_le_bytes(*bin)).collect();
        Some(Self(bins.try_into().ok()?))
    }
}

/// Every bin with a value: an empty one takes that of the next, turned by how far away it was.
fn filled(bins: &[u64; BINS]) -> [u32; BINS] {
    let mut all = [0; BINS];
    for (place, value) in all.iter_mut().enumerate() {
        let away = (0..BINS).find(|away| bins[(place + away) % BINS] != u64::MAX).unwrap_or(0);
        let found = bins[(place + away) % BINS];
        *value = mixed(found.wrapping_add((away as u64) << 32)) as u32;
    }
    all
}

/// A word, whatever its case (FNV-1a, 64 bits).
fn hash(word: &str) -> u64 {
    let letters = word.chars().flat_map(char::to_lowercase);
    letters.fold(0xcbf2_9ce4_8422_2325, |sum, letter| {
        (sum ^ u64::from(letter as u32)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// Spreads what is in a number over all its bits (the finaliser of SplitMix64; Steele, Lea and Flood, 2014).
fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words that differ from each other, from a number on.
    fn words(from: usize, count: usize) -> String {
        (from..from + count).map(|n| format!("word{n}")).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn likeness_is_the_share_of_common_shingles() {
        let one = Signature::of(&words(0, 2_000)).unwrap();
        for (other, expected) in [
            (words(0, 2_000).to_uppercase().replace(' ', ", "), 1.0),
            (words(20, 2_000), 0.98),
            (words(100, 2_000), 0.905),
            (words(667, 2_000), 0.5),
            (words(5_000, 2_000), 0.0),
        ] {
            let other = Signature::of(&other).unwrap();
            let found = one.likeness(&other);
            // Three standard errors.
            let error = 3.0 * (expected * (1.0 - expected) / BINS as f32).sqrt() + 0.001;
            assert!((found - expected).abs() <= error, "{found} instead of {expected}");
            let shares = one.bands().zip(other.bands()).any(|(one, other)| one == other);
            assert!(shares || expected < 0.9, "{expected}");
            assert_eq!(Signature::from_bytes(&other.to_bytes()), Some(other));
        }
        assert!(Signature::of(&words(0, 43)).is_none() && Signature::of("").is_none());
        let (short, longer) = (words(0, 60), words(0, 63));
        let found = Signature::of(&short).unwrap().likeness(&Signature::of(&longer).unwrap());
        assert!(found > 0.8, "{found}");
        assert_eq!(Signature::from_bytes(&[0; 511]), None);
    }
}
