//! Two signals become one ranking: how well a chunk holds the question's words, and how near its vector is.
//!
//! Comes in: the candidates of both searches with both signals each. Goes out: the candidates, best first. Pure.
//! [`retrieve`](super::retrieve) calls it; what the ranking means for the answer is `abstain.rs`.
//!
//! The word score is divided by the question's whole rarity (IDF mass), so it is near 1 where the chunk holds what
//! was asked and small where the question is worded otherwise; the cosine is taken as it is, times a weight. This
//! keeps what rank fusion throws away, and adapts by itself: where words fail, nearness decides. With one weight for
//! all it did at least as well as per-query min-max and z-scores on three question sets (course questions, lessons,
//! rephrasings). Where chunks lie far from each other, nearness deserves more the more of the question no chunk
//! holds: [`nearness_trust`]. The other ways of [`Fusion`] are there to be measured against, and for whoever measures
//! better with them.

use std::fmt;
use std::str::FromStr;

use crate::domain::ChunkId;
use crate::index::lexical::LexicalScore;

/// How words and nearness become one order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fusion {
    /// The sum of both scores, nearness weighted.
    #[default]
    Score,
    /// Reciprocal ranks (Cormack, Clarke and Büttcher, "Reciprocal rank fusion outperforms Condorcet and individual
    /// rank learning methods", SIGIR 2009).
    Rrf,
    /// Words alone.
    Lexical,
    /// Nearness alone.
    Dense,
}

impl Fusion {
    /// Every way, by the name that settings call it.
    pub const NAMES: [(&'static str, Self); 4] =
        [("score", Self::Score), ("rrf", Self::Rrf), ("lexical", Self::Lexical), ("dense", Self::Dense)];
}

impl fmt::Display for Fusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Score => "score",
            Self::Rrf => "rrf",
            Self::Lexical => "lexical",
            Self::Dense => "dense",
        })
    }
}

impl FromStr for Fusion {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, fusion)| *fusion);
        known.ok_or_else(|| format!("`{name}` is none of `score`, `rrf`, `lexical` and `dense`"))
    }
}

/// Both signals of one candidate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    pub chunk: ChunkId,
    pub lexical: LexicalScore,
    /// Cosine; `None` when the chunk has no vector or nothing was embedded.
    pub similarity: Option<f32>,
}

/// A candidate in its place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fused {
    pub chunk: ChunkId,
    /// 0 to 1, for people; candidates are in its order.
    pub score: f32,
    /// The word score divided by the question's IDF mass: about 1 when all words are held.
    pub lexical: f32,
    /// Share of the question's rarity that the chunk's words cover.
    pub coverage: f32,
    pub similarity: Option<f32>,
}

/// Orders `candidates`, the best first; ties by chunk id. `mass` is the question's IDF mass, `similarity_weight` the
/// cosine's beside the word score, which only [`Fusion::Score`] needs.
pub fn fuse(candidates: &[Candidate], mass: f32, similarity_weight: f32, fusion: Fusion) -> Vec<Fused> {
    let words = |candidate: &Candidate| if mass > 0.0 { candidate.lexical.total / mass } else { 0.0 };
    let below_one = |sum: f32| 1.0 - (-sum).exp();
    let scores: Vec<f32> = match fusion {
        Fusion::Score => candidates
            .iter()
            .map(|candidate| {
                let similarity = candidate.similarity.unwrap_or(0.0).max(0.0);
                below_one(words(candidate) + similarity_weight * similarity)
            })
            .collect(),
        Fusion::Rrf => reciprocal_ranks(candidates),
        Fusion::Lexical => candidates.iter().map(|candidate| below_one(words(candidate))).collect(),
        // From -1..1 to 0..1; behind all of these is what has no vector.
        Fusion::Dense => candidates
            .iter()
            .map(|candidate| candidate.similarity.map_or(0.0, |cosine| (1.0 + cosine.clamp(-1.0, 1.0)) / 2.0))
            .collect(),
    };
    let mut fused: Vec<Fused> = candidates
        .iter()
        .zip(scores)
        .map(|(candidate, score)| Fused {
            chunk: candidate.chunk,
            score,
            lexical: words(candidate),
            coverage: candidate.lexical.coverage,
            similarity: candidate.similarity,
        })
        .collect();
    fused.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.chunk.cmp(&b.chunk)));
    fused
}

/// Sum of 1 / (60 + rank) over both orders, divided by its largest value, so that the first of both is 1. What one
/// search does not hold at all (no word in common, no vector) gets nothing from it.
fn reciprocal_ranks(candidates: &[Candidate]) -> Vec<f32> {
    let mut sums = vec![0.0; candidates.len()];
    let mut add = |signal: &dyn Fn(&Candidate) -> Option<f32>| {
        let mut held: Vec<(usize, f32)> = candidates
            .iter()
            .enumerate()
            .filter_map(|(at, candidate)| signal(candidate).map(|value| (at, value)))
            .collect();
        held.sort_by(|a, b| b.1.total_cmp(&a.1).then(candidates[a.0].chunk.cmp(&candidates[b.0].chunk)));
        for (rank, (at, _)) in (1u16..).zip(held) {
            sums[at] += (RRF_K + 1.0) / (2.0 * (RRF_K + f32::from(rank)));
        }
    };
    add(&|candidate| Some(candidate.lexical.total).filter(|&total| total > 0.0));
    add(&|candidate| candidate.similarity);
    sums
}

/// The constant of reciprocal rank fusion, as its authors set it.
const RRF_K: f32 = 60.0;

/// What the weight of a sentence encoder's cosine is multiplied by, 1 or more. In a collection of unlike texts a near
/// vector is rarely near by chance, so it decides where the question is worded otherwise; in a crowded one (lessons
/// of one course) the best five look alike and words are needed to tell them apart. `crowding` is that of
/// [`VectorSearch`](crate::index::VectorSearch).
///
/// Set on seven English question sets with all-MiniLM-L6-v2, whose crowding was .53 to .73: the bounds lie between
/// sets that gain and sets that lose by it, and [`MOST_TRUST`] was much the same from 6 to 15. Most of the gain is in
/// the one set of rephrased questions.
pub fn nearness_trust(candidates: &[Candidate], crowding: Option<f32>) -> f32 {
    let Some(crowding) = crowding else { return 1.0 };
    let room = ((CROWDED - crowding) / (CROWDED - ROOMY)).clamp(0.0, 1.0);
    let covered = candidates.iter().map(|candidate| candidate.lexical.coverage).fold(0.0, f32::max);
    1.0 + MOST_TRUST * room * (1.0 - covered)
}

/// Crowding from which nearness is trusted no more than usual, and up to which it is trusted most.
const CROWDED: f32 = 0.65;
const ROOMY: f32 = 0.55;
/// Added to the factor where nothing of the question is covered.
const MOST_TRUST: f32 = 10.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(chunk: u64, total: f32, similarity: Option<f32>) -> Candidate {
        Candidate { chunk: ChunkId(chunk), lexical: LexicalScore { total, coverage: 0.5 }, similarity }
    }

    #[track_caller]
    fn check(candidates: &[Candidate], mass: f32, weight: f32, expected: &[u64]) {
        let order: Vec<u64> = fuse(candidates, mass, weight, Fusion::Score).iter().map(|fused| fused.chunk.0).collect();
        assert_eq!(order, expected);
    }

    #[test]
    fn both_signals_count_and_ties_go_by_chunk() {
        let words = candidate(1, 10.0, Some(0.1));
        let near = candidate(2, 1.0, Some(0.9));
        check(&[words, near], 10.0, 1.0, &[1, 2]);
        check(&[words, near], 10.0, 3.0, &[2, 1]);
        check(&[words, near], 10.0, 0.0, &[1, 2]);
        check(&[candidate(7, 1.0, None), candidate(3, 1.0, None)], 1.0, 1.0, &[3, 7]);
        check(&[], 1.0, 1.0, &[]);
    }

    #[test]
    fn where_words_fail_nearness_decides() {
        // The same chunks, but the question holds rarer words that neither chunk has: its mass is larger.
        let (words, near) = (candidate(1, 5.0, Some(0.3)), candidate(2, 0.0, Some(0.8)));
        check(&[words, near], 5.0, 1.0, &[1, 2]);
        check(&[words, near], 25.0, 1.0, &[2, 1]);
    }

    #[test]
    fn nearness_is_trusted_more_where_words_fail_among_unlike_texts() {
        let half = [candidate(1, 1.0, None)];
        let none = [Candidate { lexical: LexicalScore::default(), ..half[0] }];
        assert_eq!(nearness_trust(&half, None), 1.0);
        assert_eq!(nearness_trust(&half, Some(0.7)), 1.0);
        assert_eq!(nearness_trust(&half, Some(0.4)), 1.0 + MOST_TRUST / 2.0);
        assert_eq!(nearness_trust(&none, Some(0.4)), 1.0 + MOST_TRUST);
        assert!(nearness_trust(&none, Some(0.6)) < nearness_trust(&none, Some(0.58)));
    }

    #[test]
    fn scores_stay_between_0_and_1() {
        for (total, mass, similarity) in [(0.0, 0.0, None), (1e9, 1e-3, Some(1.0)), (0.0, 1.0, Some(-1.0))] {
            for (_, fusion) in Fusion::NAMES {
                let fused = fuse(&[candidate(1, total, similarity)], mass, 1.3, fusion);
                assert!((0.0..=1.0).contains(&fused[0].score), "{fusion}");
            }
        }
    }

    #[test]
    fn each_way_has_its_own_order() {
        // By words 1, 2, 3; by nearness 3, 2, and 1 has no vector.
        let all = [candidate(1, 9.0, None), candidate(2, 8.0, Some(0.1)), candidate(3, 0.0, Some(0.9))];
        let check = |fusion, expected: [u64; 3]| {
            let order: Vec<u64> = fuse(&all, 10.0, 5.0, fusion).iter().map(|fused| fused.chunk.0).collect();
            assert_eq!(order, expected, "{fusion}");
        };
        check(Fusion::Score, [3, 2, 1]);
        check(Fusion::Lexical, [1, 2, 3]);
        check(Fusion::Dense, [3, 2, 1]);
        // 2 is second twice: 1/62 + 1/62 is more than 1/61 once.
        check(Fusion::Rrf, [2, 1, 3]);
        let best = fuse(&[candidate(4, 1.0, Some(0.5))], 1.0, 1.0, Fusion::Rrf);
        assert!((best[0].score - 1.0).abs() < 1e-6);
    }

    #[test]
    fn a_way_is_named_as_it_is_shown() {
        for (name, fusion) in Fusion::NAMES {
            assert_eq!((name.parse(), fusion.to_string().as_str()), (Ok(fusion), name));
        }
        assert!("min-max".parse::<Fusion>().unwrap_err().contains("`rrf`"));
    }
}
