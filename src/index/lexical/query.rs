//! A question as the word index looks for it: its content words, each with the terms it may stand for.

use super::LexicalIndex;
use crate::index::analyze::{Language, term_of, words};

/// Terms that a misspelt word may stand for.
const READINGS: usize = 5;

/// A question's words against one state of the index; valid until the index changes.
#[derive(Debug, Clone)]
pub struct LexicalQuery {
    pub(super) words: Vec<QueryWord>,
    /// Neighbouring words of the question, as places in `words`.
    pub(super) pairs: Vec<(usize, usize)>,
    /// Every term looked for, sorted: term, place in `words`, likeness.
    pub(super) readings: Vec<(u32, usize, f32)>,
    mass: f32,
}

/// A distinct content word of a question.
#[derive(Debug, Clone)]
pub struct QueryWord {
    /// As the main language of the collection stems it.
    pub term: String,
    /// How often the question says it.
    pub count: f32,
    /// Rarity: of the word itself, or of a word that no chunk holds.
    pub idf: f32,
    /// A chunk holds the word itself, not only one that looks like it.
    pub is_known: bool,
}

impl LexicalQuery {
    /// The distinct content words.
    pub fn words(&self) -> &[QueryWord] {
        &self.words
    }

    /// Sum of the rarity of all words: about the best score a chunk could have.
    pub fn mass(&self) -> f32 {
        self.mass
    }
}

impl LexicalIndex {
    /// Prepares a question. Its function words are dropped by its own language (`language`, or recognised); its
    /// stems are tried in each language of the collection. A question of function words alone keeps them all.
    pub fn query(&self, question: &str, language: Option<Language>) -> LexicalQuery {
        let collection = self.languages();
        let main = collection.first().copied().unwrap_or(Language::ENGLISH);
        let own = language.or_else(|| Language::of_text(question)).unwrap_or(main);
        let all = words(question);
        let is_content = |text: &str, is_pair: bool| is_pair || !own.is_stop_word(text);
        let has_content = all.iter().any(|word| is_content(&word.text, word.is_pair));
        let mut query =
            LexicalQuery { words: Vec::new(), pairs: Vec::new(), readings: Vec::new(), mass: 0.0 };
        let mut former = None;
        for word in all.iter().filter(|word| !has_content || is_content(&word.text, word.is_pair)) {
            let term = term_of(word, main);
            let place = match query.words.iter().position(|known| known.term == term) {
                Some(place) => {
                    query.words[place].count += 1.0;
                    place
                }
                None => {
                    let others = collection.iter().skip(1).map(|&language| term_of(word, language));
                    let mut terms: Vec<String> = std::iter::once(term.clone()).chain(others).collect();
                    terms.dedup();
                    self.add_word(term, &terms, word.is_pair, &mut query)
                }
            };
            if let Some(former) = former.filter(|&former| former != place) {
                let pair = (place.min(former), place.max(former));
                if !query.pairs.contains(&pair) {
                    query.pairs.push(pair);
                }
            }
            former = Some(place);
        }
        query.readings.sort_unstable_by_key(|&(term, word, _)| (term, word));
        query.mass = query.words.iter().map(|word| word.idf * word.count).sum();
        query
    }

    /// Adds a word that may stand for any of `terms`, and returns its place.
    fn add_word(&self, term: String, terms: &[String], is_pair: bool, query: &mut LexicalQuery) -> usize {
        let place = query.words.len();
        let is_used = |number: u32| self.postings[number as usize].len() > 0;
        let mut readings: Vec<(u32, f32)> = Vec::new();
        for &number in terms.iter().filter_map(|term| self.dictionary.get(term.as_str())) {
            if is_used(number) && !readings.contains(&(number, 1.0)) {
                readings.push((number, 1.0));
            }
        }
        let is_known = !readings.is_empty();
        let own_idf = readings.iter().map(|&(number, _)| self.idf(number)).reduce(f32::max);
        if !is_known && !is_pair {
            readings = self.spelling.alike(&term, READINGS, is_used);
        }
        query.readings.extend(readings.into_iter().map(|(number, likeness)| (number, place, likeness)));
        let idf = own_idf.unwrap_or_else(|| idf(self.len(), 0));
        query.words.push(QueryWord { term, count: 1.0, idf, is_known });
        place
    }

    /// Rarity of a term in this collection.
    pub(super) fn idf(&self, term: u32) -> f32 {
        idf(self.len(), self.postings[term as usize].len())
    }
}

/// Inverse document frequency, never negative (Lucene's form of Robertson and Sparck Jones 1976).
fn idf(chunks: usize, with_term: usize) -> f32 {
    let (chunks, with_term) = (chunks as f32, with_term as f32);
    ((chunks - with_term + 0.5) / (with_term + 0.5)).ln_1p()
}
