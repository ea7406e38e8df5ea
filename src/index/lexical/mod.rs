//! The word index of one creator: BM25 over stemmed terms, in memory, with spelling tolerance and nearness.
//!
//! Comes in: the stored terms of each chunk ([`ChunkTerms`]). Goes out: the chunks that hold a question's words,
//! and for any given chunks how well they hold them, so that fusion sees both signals of every candidate. It is a
//! cache of the store like any index. What is deliberately not here: vectors, fusion, and the chunks' text.

mod postings;
mod query;
mod score;
mod spelling;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::analyze::{ChunkTerms, Language, is_everyday};
use crate::domain::ChunkId;
use postings::Postings;
use spelling::Spelling;

pub use query::LexicalQuery;
pub use score::{LexicalHit, LexicalScore};

/// A word in the title or a heading counts as much as this many in the text. Measured flat between 2 and 3.
const TITLE_WEIGHT: f32 = 2.5;

/// An in-memory word index. Searching takes `&self`; changes take `&mut self`.
#[derive(Debug, Default)]
pub struct LexicalIndex {
    dictionary: HashMap<Arc<str>, u32>,
    names: Vec<Arc<str>>,
    postings: Vec<Postings>,
    spelling: Spelling,
    /// In the order of adding; a removed chunk leaves `None` until the index is packed.
    slots: Vec<Option<Slot>>,
    /// Length of the chunk in each slot, apart so that scoring reads little memory.
    lengths: Vec<f32>,
    slot_of: HashMap<ChunkId, u32>,
    /// Sum of the lengths of all chunks, in half terms, so that it stays exact.
    total_length: u64,
    languages: BTreeMap<Language, usize>,
}

/// One chunk: its terms in order, those of title and headings first.
#[derive(Debug)]
struct Slot {
    chunk: ChunkId,
    language: Language,
    title_terms: u32,
    terms: Box<[u32]>,
}

impl Slot {
    fn title(&self) -> &[u32] {
        &self.terms[..self.title_terms as usize]
    }

    fn body(&self) -> &[u32] {
        &self.terms[self.title_terms as usize..]
    }

    /// Terms of the body plus [`TITLE_WEIGHT`] for each of the title, in halves.
    fn half_length(&self) -> u64 {
        self.body().len() as u64 * 2 + self.title().len() as u64 * 5
    }

    fn length(&self) -> f32 {
        self.body().len() as f32 + self.title().len() as f32 * TITLE_WEIGHT
    }
}

impl LexicalIndex {
    /// Number of chunks.
    pub fn len(&self) -> usize {
        self.slot_of.len()
    }

    pub fn is_empty(&self) -> bool {
        self.slot_of.is_empty()
    }

    /// Adds a chunk, or replaces it.
    pub fn add(&mut self, chunk: ChunkId, terms: &ChunkTerms) {
        self.remove(chunk);
        let slot_number = self.slots.len() as u32;
        let numbers = terms.title.iter().chain(&terms.body).map(|term| self.number_of(term)).collect();
        let slot =
            Slot { chunk, language: terms.language, title_terms: terms.title.len() as u32, terms: numbers };
        for (term, weight) in half_frequencies(&slot) {
            self.postings[term as usize].push(slot_number, weight);
        }
        self.total_length += slot.half_length();
        *self.languages.entry(slot.language).or_default() += 1;
        self.slot_of.insert(chunk, slot_number);
        self.lengths.push(slot.length());
        self.slots.push(Some(slot));
    }

    /// Removes a chunk; an absent one changes nothing.
    pub fn remove(&mut self, chunk: ChunkId) {
        let Some(number) = self.slot_of.remove(&chunk) else { return };
        let Some(slot) = self.slots[number as usize].take() else { return };
        for (term, _) in half_frequencies(&slot) {
            self.postings[term as usize].remove(number);
        }
        self.total_length -= slot.half_length();
        if let Some(count) = self.languages.get_mut(&slot.language) {
            *count -= 1;
        }
        if self.slots.len() > 1_000 && self.slots.len() > 2 * self.slot_of.len() {
            self.pack();
        }
    }

    /// Gives back the memory that growing reserved and removing left; worth calling after many changes.
    pub fn pack(&mut self) {
        let mut packed = Self::default();
        for slot in self.slots.iter().flatten() {
            let named =
                |numbers: &[u32]| numbers.iter().map(|&n| String::from(&*self.names[n as usize])).collect();
            let terms =
                ChunkTerms { language: slot.language, title: named(slot.title()), body: named(slot.body()) };
            packed.add(slot.chunk, &terms);
        }
        packed.postings.iter_mut().for_each(Postings::shrink);
        packed.slots.shrink_to_fit();
        packed.lengths.shrink_to_fit();
        *self = packed;
    }

    /// Languages of the chunks, the most common first. A language of fewer than one chunk in fifty is left out:
    /// it is more often a mistake of recognition than a language of the course.
    pub fn languages(&self) -> Vec<Language> {
        let mut counted: Vec<_> =
            self.languages.iter().filter(|&(_, &count)| count > 0 && count * 50 >= self.len()).collect();
        counted.sort_by_key(|&(_, &count)| std::cmp::Reverse(count));
        counted.into_iter().map(|(&language, _)| language).collect()
    }

    fn number_of(&mut self, term: &str) -> u32 {
        if let Some(&number) = self.dictionary.get(term) {
            return number;
        }
        let number = self.postings.len() as u32;
        let name: Arc<str> = term.into();
        self.dictionary.insert(Arc::clone(&name), number);
        self.names.push(name);
        self.postings.push(Postings::new(is_everyday(term)));
        self.spelling.add(number, term);
        number
    }

    fn mean_length(&self) -> f32 {
        (self.total_length as f32 / 2.0 / self.len().max(1) as f32).max(1.0)
    }
}

/// Distinct terms of a chunk with their weighted frequency in halves, as postings keep it.
fn half_frequencies(slot: &Slot) -> impl Iterator<Item = (u32, u8)> + use<> {
    let mut frequencies: BTreeMap<u32, u32> = BTreeMap::new();
    for &term in slot.title() {
        *frequencies.entry(term).or_default() += 5;
    }
    for &term in slot.body() {
        *frequencies.entry(term).or_default() += 2;
    }
    frequencies.into_iter().map(|(term, half)| (term, u8::try_from(half).unwrap_or(u8::MAX)))
}

#[cfg(test)]
mod tests;
