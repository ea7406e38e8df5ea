//! A question as the word index looks for it: its content words, each with the terms it may stand for.

use super::LexicalIndex;
use crate::index::analyze::{Language, is_everyday, term_of, words};

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
    /// Terms it may stand for, with their likeness; the word itself when no chunk holds anything like it.
    pub readings: Vec<(String, f32)>,
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

    /// How surely each word is among `terms`, 0 to 1, in the order of [`words`](Self::words).
    pub fn held(&self, terms: &[String]) -> Vec<f32> {
        let likeness_in = |word: &QueryWord| {
            let held = word.readings.iter().filter(|(term, _)| terms.contains(term));
            held.map(|&(_, likeness)| likeness).fold(0.0, f32::max)
        };
        self.words.iter().map(likeness_in).collect()
    }

    /// Share of the question's rarity that words held this surely cover, 0 to 1.
    pub fn coverage(&self, held: &[f32]) -> f32 {
        if self.mass <= 0.0 {
            return 0.0;
        }
        let covered: f32 =
            self.words.iter().zip(held).map(|(word, likeness)| word.idf * word.count * likeness).sum();
        (covered / self.mass).clamp(0.0, 1.0)
    }

    /// Share of the question's neighbouring pairs of words that stand near each other in `terms`, 0 to 1.
    pub fn nearness(&self, terms: &[String]) -> f32 {
        let word_of = |term: &String| {
            self.words.iter().position(|word| word.readings.iter().any(|(reading, _)| reading == term))
        };
        let places: Vec<(usize, usize)> =
            terms.iter().enumerate().filter_map(|(at, term)| Some((at, word_of(term)?))).collect();
        let is_near = |&(a, b): &(usize, usize)| {
            places.iter().enumerate().any(|(n, &(at, word))| {
                let after = places[n + 1..].iter().take_while(|&&(later, _)| later <= at + 2);
                after.into_iter().any(|&(_, other)| (word, other) == (a, b) || (word, other) == (b, a))
            })
        };
        let near = self.pairs.iter().filter(|pair| is_near(pair)).count();
        near as f32 / self.pairs.len().max(1) as f32
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
        let mut named: Vec<(String, f32)> = readings
            .iter()
            .map(|&(n, likeness)| (String::from(&*self.names[n as usize]), likeness))
            .collect();
        if named.is_empty() {
            named.push((term.clone(), 1.0));
        }
        query.readings.extend(readings.into_iter().map(|(number, likeness)| (number, place, likeness)));
        let idf = own_idf.unwrap_or_else(|| idf(self.len(), 0, is_everyday(&term)));
        query.words.push(QueryWord { term, count: 1.0, idf, is_known, readings: named });
        place
    }

    /// Rarity of a term in this collection.
    pub(super) fn idf(&self, term: u32) -> f32 {
        let postings = &self.postings[term as usize];
        idf(self.len(), postings.len(), postings.is_everyday())
    }
}

/// Chunks that every collection is thought to hold beside its own, so that rarity means something in small ones.
/// It changes nothing measurable from some hundred chunks on.
const BACKGROUND_CHUNKS: f32 = 100.0;
/// Share of the background that holds an everyday word, and any other.
const EVERYDAY_SHARE: f32 = 0.05;
const OTHER_SHARE: f32 = 0.004;

/// Inverse document frequency, never negative (Lucene's form of Robertson and Sparck Jones 1976), with a background.
fn idf(chunks: usize, with_term: usize, is_everyday: bool) -> f32 {
    let share = if is_everyday { EVERYDAY_SHARE } else { OTHER_SHARE };
    let chunks = chunks as f32 + BACKGROUND_CHUNKS;
    let with_term = with_term as f32 + BACKGROUND_CHUNKS * share;
    ((chunks - with_term + 0.5) / (with_term + 0.5)).ln_1p()
}
