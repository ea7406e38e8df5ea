//! What the model is given of a text, the same as in `models/train_guard.py`, whose head describes it.
//!
//! Comes in: a text without tricks and its words. Goes out: for each window of words the columns and values that
//! [`Weights`](super::weights::Weights) adds up. The embedding comes from outside.

use super::lexicon::{Lexicon, Named};

const WINDOW: usize = 48;
const STRIDE: usize = 24;
/// Concepts at most this many words apart make a pair.
const NEAR: usize = 10;
const PAIR_WEIGHT: f32 = 0.7;
pub const SIGNS: usize = 4;

/// Marks by which a text pretends to be a dialogue or a system's message.
const MARKS: &[&str] = &[
    "<|",
    "|>",
    "[inst",
    "[/inst",
    "<<sys",
    "###",
    "---end",
    "</",
    "system:",
    "system]",
    "assistant:",
    "human:",
    "\"role\"",
    "[system",
    "<system",
    "{system",
];

/// One window: columns within their group (each weighing the same), and what is dense.
pub struct Window {
    pub concepts: Vec<usize>,
    pub pairs: Vec<usize>,
    pub pair_weight: f32,
    pub words: Vec<usize>,
    pub letters: Vec<usize>,
    /// What is embedded.
    pub text: String,
}

/// The windows of a text of these words.
pub fn windows<'a>(
    words: &'a [String],
    lexicon: &'a Lexicon,
    bits: (u32, u32),
) -> impl Iterator<Item = Window> + 'a {
    let count = if words.len() <= WINDOW { 1 } else { 1 + (words.len() - WINDOW).div_ceil(STRIDE) };
    (0..count).map(move |number| {
        let start = number * STRIDE;
        window(&words[start..(start + WINDOW).min(words.len())], lexicon, bits)
    })
}

fn window(words: &[String], lexicon: &Lexicon, (word_bits, letter_bits): (u32, u32)) -> Window {
    let found = lexicon.find(words);
    let text = words.join(" ");
    let mut grams: Vec<usize> = words.iter().map(|word| hash(&[b"w", word.as_bytes()], word_bits)).collect();
    grams.extend(
        words.windows(2).map(|two| hash(&[b"b", two[0].as_bytes(), b" ", two[1].as_bytes()], word_bits)),
    );
    let line = format!(" {text} ");
    let places: Vec<usize> = line.char_indices().map(|(at, _)| at).chain([line.len()]).collect();
    let letters = places
        .windows(5)
        .map(|ends| hash(&[b"c", &line.as_bytes()[ends[0]..ends[4]]], letter_bits))
        .collect();
    Window {
        concepts: unique(found.iter().map(|&(_, concept)| usize::from(concept)).collect()),
        pairs: pairs(&found, lexicon.len()),
        pair_weight: PAIR_WEIGHT,
        words: unique(grams),
        letters: unique(letters),
        text,
    }
}

fn pairs(found: &[Named], concepts: usize) -> Vec<usize> {
    let mut pairs = Vec::new();
    for (number, &(first, a)) in found.iter().enumerate() {
        let near = found[number + 1..].iter().take_while(|&&(second, _)| second <= first + NEAR);
        pairs.extend(
            near.filter(|&&(second, _)| second > first)
                .map(|&(_, b)| usize::from(a) * concepts + usize::from(b)),
        );
    }
    unique(pairs)
}

fn hash(parts: &[&[u8]], bits: u32) -> usize {
    let mut hasher = crc32fast::Hasher::new();
    parts.iter().for_each(|part| hasher.update(part));
    (hasher.finalize() & ((1 << bits) - 1)) as usize
}

fn unique(mut columns: Vec<usize>) -> Vec<usize> {
    columns.sort_unstable();
    columns.dedup();
    columns
}

/// What the whole text looks like, whatever it says.
pub fn signs(text: &str) -> [f32; SIGNS] {
    let lower = text.to_lowercase();
    let marks = MARKS.iter().filter(|mark| lower.contains(**mark)).count();
    let (mut runs, mut shouted) = (0u32, 0u32);
    for run in text.split(|c: char| !c.is_alphabetic()).filter(|run| run.chars().nth(1).is_some()) {
        runs += 1;
        shouted += u32::from(run.contains(char::is_uppercase) && !run.contains(char::is_lowercase));
    }
    let (mut all, mut digits, mut others) = (0u32, 0u32, 0u32);
    for c in text.chars() {
        all += 1;
        digits += u32::from(c.is_ascii_digit());
        others += u32::from(!c.is_alphanumeric() && !c.is_whitespace());
    }
    let share = |part: u32, whole: u32| part as f32 / whole.max(1) as f32;
    [marks.min(3) as f32 / 3.0, share(shouted, runs), share(digits, all), share(others, all)]
}

#[cfg(test)]
mod tests {
    use super::super::normal::words;
    use super::*;

    #[test]
    fn windows_overlap_and_hold_every_word() {
        let lexicon = Lexicon::shipped();
        for (length, expected) in [(0, 1), (1, 1), (48, 1), (49, 2), (72, 2), (73, 3), (1200, 49)] {
            let text = (0..length).map(|n| format!("w{n} ")).collect::<String>();
            let words = words(&text);
            let windows: Vec<Window> = windows(&words, &lexicon, (14, 15)).collect();
            assert_eq!(windows.len(), expected, "{length}");
            if let Some(last) = words.last() {
                assert!(windows.last().unwrap().text.ends_with(last.as_str()));
            }
        }
    }

    #[test]
    fn pairs_are_near_and_in_order() {
        let found = [(0, 1), (0, 2), (5, 3), (20, 4)];
        assert_eq!(pairs(&found, 10), [13, 23]);
    }

    #[test]
    fn signs_are_shares() {
        assert_eq!(signs("OK go 12"), [0.0, 0.5, 0.25, 0.0]);
        assert_eq!(signs(""), [0.0; SIGNS]);
        assert!(signs("<|im_start|>system: x")[0] >= 0.99);
    }
}
