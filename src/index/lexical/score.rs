//! How well chunks hold a question's words: BM25 and the nearness of words that the question says together.
//!
//! BM25 as in Robertson and Zaragoza 2009 with k1 = 1.2 and b = 0.5 (chunks are of about one length, so length
//! says less than b = 0.75 assumes). A word that may stand for several terms counts as its best one, times its
//! likeness. Nearness is the unordered window of Metzler and Croft 2005: a pair of neighbours of the question
//! with at most one word between them in the chunk counts as a term of its own, as rare as the commoner of both.

use super::{LexicalIndex, LexicalQuery, Slot, TITLE_WEIGHT};
use crate::domain::ChunkId;

const K1: f32 = 1.2;
const B: f32 = 0.5;
/// Weight of nearness beside BM25.
const NEARNESS: f32 = 0.3;
/// Two words are near at this distance: at most one other between them.
const NEAR: usize = 2;

/// A chunk found by its words.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LexicalHit {
    pub chunk: ChunkId,
    pub score: LexicalScore,
}

/// How well a chunk holds a question's words; all zero for one that holds none.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct LexicalScore {
    /// BM25 and nearness together: what chunks are ranked by.
    pub total: f32,
    /// Share of the question's rarity (IDF) that the chunk's words cover, 0 to 1.
    pub coverage: f32,
}

impl LexicalIndex {
    /// The `top` best chunks, best first; ties by chunk id. Chunks without any word of the question are left out.
    pub fn search(&self, query: &LexicalQuery, top: usize) -> Vec<LexicalHit> {
        let scores = self.accumulate(query);
        let mut found: Vec<(u32, f32)> = (0u32..).zip(scores).filter(|&(_, score)| score > 0.0).collect();
        // Nearness can lift a chunk: keep twice as many before it is added.
        let kept = top.saturating_mul(2).min(found.len());
        if kept < found.len() && kept > 0 {
            found.select_nth_unstable_by(kept - 1, |a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            found.truncate(kept);
        }
        let mut hits: Vec<LexicalHit> = found
            .into_iter()
            .filter_map(|(slot, _)| self.slots[slot as usize].as_ref())
            .map(|slot| LexicalHit { chunk: slot.chunk, score: self.score(query, slot) })
            .collect();
        hits.sort_by(|a, b| b.score.total.total_cmp(&a.score.total).then(a.chunk.cmp(&b.chunk)));
        hits.truncate(top);
        hits
    }

    /// The scores of given chunks, in their order; zero for a chunk that is not here.
    pub fn scores(&self, query: &LexicalQuery, chunks: &[ChunkId]) -> Vec<LexicalScore> {
        let slot_of = |chunk| self.slot_of.get(chunk).and_then(|&slot| self.slots[slot as usize].as_ref());
        chunks
            .iter()
            .map(|chunk| slot_of(chunk).map_or_else(Default::default, |slot| self.score(query, slot)))
            .collect()
    }

    /// BM25 of every slot, from the postings. Removed chunks have left the postings, so their slots stay zero.
    fn accumulate(&self, query: &LexicalQuery) -> Vec<f32> {
        let mean = self.mean_length();
        let mut scores = vec![0.0f32; self.slots.len()];
        for (place, word) in query.words.iter().enumerate() {
            let readings: Vec<(u32, f32)> =
                query.readings.iter().filter(|r| r.1 == place).map(|r| (r.0, r.2)).collect();
            let scored = |&(term, likeness): &(u32, f32)| {
                let weight = likeness * self.idf(term) * word.count;
                let postings = self.postings[term as usize].iter();
                postings.map(move |(slot, frequency)| {
                    (slot, weight * saturated(frequency, self.lengths[slot as usize], mean))
                })
            };
            if let [only] = readings.as_slice() {
                scored(only).for_each(|(slot, score)| scores[slot as usize] += score);
            } else {
                // A chunk that holds several readings counts the best one.
                let mut best: Vec<(u32, f32)> = readings.iter().flat_map(scored).collect();
                best.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
                best.dedup_by_key(|&mut (slot, _)| slot);
                best.into_iter().for_each(|(slot, score)| scores[slot as usize] += score);
            }
        }
        scores
    }

    /// Everything about one chunk, from its own terms.
    fn score(&self, query: &LexicalQuery, slot: &Slot) -> LexicalScore {
        let mean = self.mean_length();
        let saturate = |frequency| saturated(frequency, slot.length(), mean);
        let mut frequencies = vec![0.0f32; query.readings.len()];
        let mut near = vec![0.0f32; query.pairs.len()];
        for (terms, weight) in [(slot.title(), TITLE_WEIGHT), (slot.body(), 1.0)] {
            let mut seen: Vec<(usize, usize)> = Vec::new();
            for (at, &term) in terms.iter().enumerate() {
                let first = query.readings.partition_point(|&(reading, _, _)| reading < term);
                let readings = query.readings.iter().enumerate().skip(first);
                for (place, &(_, word, _)) in readings.take_while(|(_, reading)| reading.0 == term) {
                    frequencies[place] += weight;
                    for &(before, other) in seen.iter().rev().take_while(|&&(before, _)| before + NEAR >= at)
                    {
                        let pair = (word.min(other), word.max(other));
                        if before < at
                            && let Some(place) = query.pairs.iter().position(|&known| known == pair)
                        {
                            near[place] += weight;
                        }
                    }
                    seen.push((at, word));
                }
            }
        }
        let mut total = 0.0;
        let mut covered = 0.0;
        for (place, word) in query.words.iter().enumerate() {
            let mut best = (0.0f32, 0.0f32);
            for (&(term, of, likeness), &frequency) in query.readings.iter().zip(&frequencies) {
                if of == place && frequency > 0.0 {
                    let score = likeness * self.idf(term) * word.count * saturate(frequency.min(127.5));
                    best = (best.0.max(score), best.1.max(likeness));
                }
            }
            total += best.0;
            covered += best.1 * word.idf * word.count;
        }
        for (&(a, b), &frequency) in query.pairs.iter().zip(&near).filter(|&(_, &frequency)| frequency > 0.0)
        {
            total += NEARNESS * query.words[a].idf.min(query.words[b].idf) * saturate(frequency);
        }
        let coverage = if query.mass() > 0.0 { (covered / query.mass()).clamp(0.0, 1.0) } else { 0.0 };
        LexicalScore { total, coverage }
    }
}

fn saturated(frequency: f32, length: f32, mean_length: f32) -> f32 {
    frequency * (K1 + 1.0) / (frequency + K1 * (1.0 - B + B * length / mean_length))
}
