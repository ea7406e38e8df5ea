//! How good a ranking of documents is, given which of them are relevant.
//!
//! Definitions as in NIST's trec_eval, cut at k: only the first k documents count. A document is relevant where its
//! grade is above 0. Rankings name each document once: [`first_of_each`] makes one of a ranking of passages.

use std::collections::HashSet;

use serde::Serialize;

use crate::eval::dataset::Judgements;

/// The metrics of the contract, of one query or as means.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct RankingScores {
    #[serde(rename = "hit@1")]
    pub hit_at_1: f64,
    #[serde(rename = "hit@5")]
    pub hit_at_5: f64,
    #[serde(rename = "hit@10")]
    pub hit_at_10: f64,
    #[serde(rename = "mrr@10")]
    pub mrr_at_10: f64,
    #[serde(rename = "ndcg@10")]
    pub ndcg_at_10: f64,
    #[serde(rename = "recall@100")]
    pub recall_at_100: f64,
}

impl RankingScores {
    /// The names and values, in the order of the contract.
    pub fn named(&self) -> [(&'static str, f64); 6] {
        [
            ("hit@1", self.hit_at_1),
            ("hit@5", self.hit_at_5),
            ("hit@10", self.hit_at_10),
            ("mrr@10", self.mrr_at_10),
            ("ndcg@10", self.ndcg_at_10),
            ("recall@100", self.recall_at_100),
        ]
    }

    /// One query's ranking, best first, against what was judged for it.
    pub fn of(ranking: &[impl AsRef<str>], judgements: &Judgements) -> Self {
        Self {
            hit_at_1: hit(ranking, judgements, 1),
            hit_at_5: hit(ranking, judgements, 5),
            hit_at_10: hit(ranking, judgements, 10),
            mrr_at_10: reciprocal_rank(ranking, judgements, 10),
            ndcg_at_10: ndcg(ranking, judgements, 10),
            recall_at_100: recall(ranking, judgements, 100),
        }
    }

    /// Means over queries, each counting the same; all 0 where there is none.
    pub fn mean(queries: &[Self]) -> Self {
        let mean = |field: fn(&Self) -> f64| super::mean(queries.iter().map(field)).unwrap_or(0.0);
        Self {
            hit_at_1: mean(|query| query.hit_at_1),
            hit_at_5: mean(|query| query.hit_at_5),
            hit_at_10: mean(|query| query.hit_at_10),
            mrr_at_10: mean(|query| query.mrr_at_10),
            ndcg_at_10: mean(|query| query.ndcg_at_10),
            recall_at_100: mean(|query| query.recall_at_100),
        }
    }
}

/// Each id once, where it stands first: a document ranks as its best passage does.
pub fn first_of_each(ids: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut seen = HashSet::new();
    ids.into_iter().filter(|id| seen.insert(id.clone())).collect()
}

/// Whether a relevant document is among the first k (trec_eval's `success_k`).
fn hit(ranking: &[impl AsRef<str>], judgements: &Judgements, k: usize) -> f64 {
    if grades(ranking, judgements, k).any(|grade| grade > 0) { 1.0 } else { 0.0 }
}

/// 1 / rank of the first relevant document, 0 if it is not among the first k (trec_eval's `recip_rank`; Voorhees,
/// "The TREC-8 question answering track report", 1999).
fn reciprocal_rank(ranking: &[impl AsRef<str>], judgements: &Judgements, k: usize) -> f64 {
    grades(ranking, judgements, k).position(|grade| grade > 0).map_or(0.0, |at| 1.0 / (at + 1) as f64)
}

/// Discounted cumulated gain over that of the best possible ranking (Järvelin and Kekäläinen, "Cumulated gain-based
/// evaluation of IR techniques", TOIS 2002), with the grade itself as gain and log2(rank + 1) as discount, as
/// trec_eval's `ndcg_cut_k` has them.
fn ndcg(ranking: &[impl AsRef<str>], judgements: &Judgements, k: usize) -> f64 {
    let mut best: Vec<i32> = judgements.values().copied().collect();
    best.sort_unstable_by(|a, b| b.cmp(a));
    let ideal = gain(best.into_iter().take(k));
    if ideal > 0.0 { gain(grades(ranking, judgements, k)) / ideal } else { 0.0 }
}

/// The share of all relevant documents that is among the first k (trec_eval's `recall_k`).
fn recall(ranking: &[impl AsRef<str>], judgements: &Judgements, k: usize) -> f64 {
    let relevant = judgements.values().filter(|&&grade| grade > 0).count();
    let found = grades(ranking, judgements, k).filter(|&grade| grade > 0).count();
    if relevant > 0 { found as f64 / relevant as f64 } else { 0.0 }
}

fn gain(grades: impl Iterator<Item = i32>) -> f64 {
    grades.enumerate().map(|(at, grade)| f64::from(grade.max(0)) / ((at + 2) as f64).log2()).sum()
}

fn grades(ranking: &[impl AsRef<str>], judgements: &Judgements, k: usize) -> impl Iterator<Item = i32> {
    ranking.iter().take(k).map(|id| judgements.get(id.as_ref()).copied().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    fn judged(grades: &[(&str, i32)]) -> Judgements {
        grades.iter().map(|&(id, grade)| (id.to_owned(), grade)).collect()
    }

    /// Computed by hand; written as sums so that they can be followed.
    #[test]
    fn cases_by_hand() {
        let log = |rank: f64| (rank + 1.0).log2();
        /// Ranking, judgements, hit@1, mrr@10, ndcg@10, recall@100.
        type Row<'a> = (&'a [&'a str], &'a [(&'a str, i32)], f64, f64, f64, f64);
        let rows: [Row; 6] = [
            (&["a", "b"], &[("a", 1)], 1.0, 1.0, 1.0, 1.0),
            (&["b", "a"], &[("a", 1)], 0.0, 0.5, 1.0 / log(2.0), 1.0),
            (
                &["x", "a", "y"],
                &[("a", 3), ("b", 2)],
                0.0,
                0.5,
                (3.0 / log(2.0)) / (3.0 + 2.0 / log(2.0)),
                0.5,
            ),
            (
                &["b", "a"],
                &[("a", 3), ("b", 1)],
                1.0,
                1.0,
                (1.0 + 3.0 / log(2.0)) / (3.0 + 1.0 / log(2.0)),
                1.0,
            ),
            (&[], &[("a", 1)], 0.0, 0.0, 0.0, 0.0),
            (&["a"], &[("a", 0), ("b", -1)], 0.0, 0.0, 0.0, 0.0),
        ];
        for (ranking, judgements, hit, mrr, ndcg, recall) in rows {
            let scores = RankingScores::of(ranking, &judged(judgements));
            let got = [scores.hit_at_1, scores.mrr_at_10, scores.ndcg_at_10, scores.recall_at_100];
            for (got, expected) in got.into_iter().zip([hit, mrr, ndcg, recall]) {
                assert!((got - expected).abs() < 1e-12, "{ranking:?}: {got} instead of {expected}");
            }
        }
    }

    #[test]
    fn nothing_behind_the_cut_counts() {
        let ranking: Vec<String> = (1..=120).map(|rank| rank.to_string()).collect();
        let scores = |id: &str| RankingScores::of(&ranking, &judged(&[(id, 1)]));
        assert_eq!((scores("5").hit_at_5, scores("6").hit_at_5), (1.0, 0.0));
        assert_eq!((scores("10").mrr_at_10, scores("11").mrr_at_10), (0.1, 0.0));
        assert_eq!((scores("10").hit_at_10, scores("11").ndcg_at_10), (1.0, 0.0));
        assert_eq!((scores("100").recall_at_100, scores("101").recall_at_100), (1.0, 0.0));
    }

    #[test]
    fn a_document_ranks_as_its_first_passage() {
        let passages = ["a", "b", "a", "c", "b"].map(String::from);
        assert_eq!(first_of_each(passages), ["a", "b", "c"]);
    }

    /// Against trec_eval (through pytrec_eval), on rankings made at random: tests/reference/ir_metrics.py.
    #[test]
    fn agrees_with_trec_eval() {
        #[derive(Deserialize)]
        struct Case {
            judgements: Judgements,
            ranking: Vec<String>,
            expected: std::collections::BTreeMap<String, f64>,
        }
        #[derive(Deserialize)]
        struct Reference {
            queries: Vec<Case>,
            means: std::collections::BTreeMap<String, f64>,
        }
        let reference = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference/ir_metrics.json"));
        let reference: Reference = serde_json::from_str(reference).unwrap();
        let mut all = Vec::new();
        for (at, case) in reference.queries.iter().enumerate() {
            let scores = RankingScores::of(&case.ranking, &case.judgements);
            assert_eq!(case.expected.len(), scores.named().len());
            for (name, value) in scores.named() {
                assert!((value - case.expected[name]).abs() < 1e-9, "query {at}, {name}: {value}");
            }
            all.push(scores);
        }
        assert!(all.len() >= 50);
        for (name, value) in RankingScores::mean(&all).named() {
            assert!((value - reference.means[name]).abs() < 5e-5, "{name}: {value}");
        }
    }
}
