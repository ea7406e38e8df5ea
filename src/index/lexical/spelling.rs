//! Terms that look like a given one: what a question's unknown word may have meant.
//!
//! Two words are alike by the letter triples they share (Dice's coefficient; Kondrak 2005 compares such measures),
//! or when the shorter lies almost whole within the longer, which finds the parts of German compounds. Only
//! question words that no chunk holds are looked up. Measured against an index of the four-letter pieces of every
//! chunk, this loses less to typing errors in English; in German the pieces were better, for compounds. It keeps only
//! the vocabulary's triples instead of every chunk's pieces, which decides for it.

use std::collections::HashMap;

/// Least share of common triples.
const LEAST_DICE: f32 = 0.4;
/// Least share of the shorter word's triples that the longer one holds, from [`LEAST_PART_CHARS`] letters on.
const LEAST_CONTAINED: f32 = 0.7;
const LEAST_PART_CHARS: usize = 5;
/// Shorter words are like too many others.
const LEAST_CHARS: usize = 4;

/// An index from letter triples to the terms that hold them.
#[derive(Debug, Default)]
pub(super) struct Spelling {
    terms_with: HashMap<[char; 3], Vec<u32>>,
    /// For each term: its distinct triples and its letters.
    sizes: Vec<(u8, u8)>,
}

impl Spelling {
    /// Adds the term with the next number.
    pub fn add(&mut self, number: u32, term: &str) {
        let triples = triples(term);
        let cap = |count: usize| u8::try_from(count).unwrap_or(u8::MAX);
        self.sizes.push((cap(triples.len()), cap(term.chars().count())));
        for triple in triples {
            self.terms_with.entry(triple).or_default().push(number);
        }
    }

    /// Up to `top` terms like `word`, with their likeness (0 to 1), the likest first. `is_used` leaves out terms
    /// that no chunk holds any more.
    pub fn alike(&self, word: &str, top: usize, is_used: impl Fn(u32) -> bool) -> Vec<(u32, f32)> {
        let letters = word.chars().count();
        if letters < LEAST_CHARS {
            return Vec::new();
        }
        let own = triples(word);
        let mut common: HashMap<u32, u8> = HashMap::new();
        for number in own.iter().filter_map(|triple| self.terms_with.get(triple)).flatten() {
            let count = common.entry(*number).or_default();
            *count = count.saturating_add(1);
        }
        let mut found: Vec<(u32, f32)> = common
            .into_iter()
            .filter(|&(number, _)| is_used(number))
            .map(|(number, count)| {
                let (size, other_letters) = self.sizes[number as usize];
                let (shared, size, own) = (f32::from(count), f32::from(size), own.len() as f32);
                let dice = 2.0 * shared / (own + size);
                let contained = shared / own.min(size);
                let is_part =
                    letters.min(other_letters.into()) >= LEAST_PART_CHARS && contained >= LEAST_CONTAINED;
                let by_part = if is_part { (dice + contained) / 2.0 } else { 0.0 };
                (number, by_part.max(if dice >= LEAST_DICE { dice } else { 0.0 }))
            })
            .filter(|&(_, likeness)| likeness > 0.0)
            .collect();
        found.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        found.truncate(top);
        found
    }
}

/// Distinct triples of `_word_`.
fn triples(word: &str) -> Vec<[char; 3]> {
    let marked: Vec<char> = std::iter::once('_').chain(word.chars()).chain(std::iter::once('_')).collect();
    let mut triples: Vec<[char; 3]> = marked.windows(3).map(|w| [w[0], w[1], w[2]]).collect();
    triples.sort_unstable();
    triples.dedup();
    triples
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(terms: &[&str], word: &str, expected: &[&str]) {
        let mut spelling = Spelling::default();
        for (number, term) in (0..).zip(terms) {
            spelling.add(number, term);
        }
        let found = spelling.alike(word, 3, |_| true);
        assert_eq!(found.iter().map(|&(n, _)| terms[n as usize]).collect::<Vec<_>>(), expected, "{word}");
        assert!(found.iter().all(|&(_, likeness)| likeness > 0.0 && likeness <= 1.0));
    }

    #[test]
    fn damaged_words_and_parts_of_compounds_are_found() {
        let terms = ["certificate", "certain", "kubernetes", "verfassungsgericht", "refund", "cat"];
        check(&terms, "certifcate", &["certificate"]);
        check(&terms, "kubernets", &["kubernetes"]);
        check(&terms, "verfassung", &["verfassungsgericht"]);
        check(&terms, "zebra", &[]);
        check(&terms, "ca", &[]);
    }

    #[test]
    fn terms_out_of_use_are_left_out() {
        let mut spelling = Spelling::default();
        spelling.add(0, "refund");
        assert!(spelling.alike("refnd", 3, |_| false).is_empty());
    }
}
