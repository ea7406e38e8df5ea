//! The index against a slow and obvious BM25, and under adding and removing.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

fn chunk(title: &str, body: &str) -> ChunkTerms {
    ChunkTerms::of(title, None, body, Language::ENGLISH)
}

fn index(chunks: &[(&str, &str)]) -> LexicalIndex {
    let mut index = LexicalIndex::default();
    for (number, (title, body)) in (0..).zip(chunks) {
        index.add(ChunkId(number), &chunk(title, body));
    }
    index
}

fn found(index: &LexicalIndex, question: &str) -> Vec<u64> {
    index.search(&index.query(question, None), 10).iter().map(|hit| hit.chunk.0).collect()
}

const COURSE: &[(&str, &str)] = &[
    ("Refunds", "You can ask for your money back within two weeks of buying."),
    ("Brushes", "Rinse the brushes in cold water and dry them flat."),
    ("Certificate", "Everyone who hands in both projects gets a certificate."),
    ("Projects", "Each project is reviewed by three other students."),
];

#[test]
fn words_of_title_and_text_find_their_chunk() {
    let index = index(COURSE);
    assert_eq!(found(&index, "How do I get a refund?"), [0]);
    assert_eq!(found(&index, "cleaning a brush with water"), [1]);
    assert_eq!(found(&index, "certificate for projects")[0], 2);
    assert!(found(&index, "").is_empty());
    assert!(found(&index, "zebra").is_empty());
}

#[test]
fn misspelt_words_are_understood() {
    let index = index(COURSE);
    assert_eq!(found(&index, "certifcate")[0], 2);
    assert_eq!(found(&index, "brishes")[0], 1);
}

#[test]
fn words_that_stand_together_count_more() {
    let index = index(&[
        ("", "learning brings much joy while one machine brings lasting noise"),
        ("", "machine learning brings much joy while one tool brings lasting noise"),
    ]);
    assert_eq!(found(&index, "machine learning"), [1, 0]);
}

#[test]
fn a_removed_chunk_is_gone_and_a_replaced_one_changed() {
    let mut index = index(COURSE);
    index.remove(ChunkId(0));
    assert!(found(&index, "refund").is_empty());
    index.add(ChunkId(1), &chunk("Paint", "Cobalt blue"));
    assert!(found(&index, "brushes").is_empty());
    assert_eq!(found(&index, "cobalt"), [1]);
    index.remove(ChunkId(99));
    assert_eq!(index.len(), 3);
}

#[test]
fn a_collection_in_two_languages_is_searched_in_both() {
    let mut index = LexicalIndex::default();
    let german = Language::of_code("de");
    index.add(ChunkId(0), &ChunkTerms::of("", None, "Die Rückerstattungen dauern zwei Wochen.", german));
    index.add(ChunkId(1), &ChunkTerms::of("", None, "The certificates are sent by mail.", Language::ENGLISH));
    assert_eq!(found(&index, "Wann kommt die Rückerstattung?"), [0]);
    assert_eq!(found(&index, "Where is my certificate?"), [1]);
}

#[test]
fn coverage_is_the_share_of_rare_words_found() {
    let index = index(COURSE);
    let query = index.query("rinse the brushes", None);
    let scores = index.scores(&query, &[ChunkId(1), ChunkId(0), ChunkId(77)]);
    assert!((scores[0].coverage - 1.0).abs() < 1e-6);
    assert_eq!(scores[1], LexicalScore::default());
    assert_eq!(scores[2], LexicalScore::default());
}

/// BM25 by its definition, for questions whose words the collection holds, without nearness.
fn plain_bm25(chunks: &HashMap<u64, ChunkTerms>, question: &[String], of: u64) -> f64 {
    let frequency = |c: &ChunkTerms, term: &String| {
        let count = |terms: &[String]| terms.iter().filter(|t| *t == term).count() as f64;
        count(&c.body) + 2.5 * count(&c.title)
    };
    let length = |c: &ChunkTerms| c.body.len() as f64 + 2.5 * c.title.len() as f64;
    let mean = chunks.values().map(length).sum::<f64>() / chunks.len() as f64;
    let n = chunks.len() as f64;
    question
        .iter()
        .map(|term| {
            let df = chunks.values().filter(|c| frequency(c, term) > 0.0).count() as f64;
            let tf = frequency(&chunks[&of], term);
            let (all, with) = (n + 100.0, df + 0.4);
            let idf = (1.0 + (all - with + 0.5) / (with + 0.5)).ln();
            idf * tf * 2.2 / (tf + 1.2 * (0.5 + 0.5 * length(&chunks[&of]) / mean.max(1.0)))
        })
        .sum()
}

fn word() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["ant", "bee", "cow", "dog", "elk", "fox"]).prop_map(str::to_owned)
}

proptest! {
    #[test]
    fn search_agrees_with_the_definition(
        bodies in prop::collection::vec((prop::collection::vec(word(), 0..3), prop::collection::vec(word(), 1..12)), 2..12),
        removed in prop::collection::vec(0u64..12, 0..4),
        question in word(),
    ) {
        let mut index = LexicalIndex::default();
        let mut chunks = HashMap::new();
        for (number, (title, body)) in (0u64..).zip(bodies) {
            let terms = ChunkTerms { language: Language::OTHER, title, body };
            index.add(ChunkId(number), &terms);
            chunks.insert(number, terms);
        }
        for number in removed.into_iter().filter(|&n| n > 0) {
            index.remove(ChunkId(number));
            chunks.remove(&number);
        }
        for packed in [false, true] {
            if packed {
                index.pack();
            }
            let query = index.query(&question, Some(Language::OTHER));
            for hit in index.search(&query, 100) {
                if query.words()[0].is_known {
                    let expected = plain_bm25(&chunks, std::slice::from_ref(&question), hit.chunk.0);
                    prop_assert!((f64::from(hit.score.total) - expected).abs() < 1e-3 * expected.max(1.0));
                }
                prop_assert_eq!(index.scores(&query, &[hit.chunk])[0], hit.score);
            }
            if query.words()[0].is_known {
                let holding = chunks.values().filter(|c| c.title.contains(&question) || c.body.contains(&question));
                prop_assert_eq!(index.search(&query, 100).len(), holding.count());
            }
        }
    }
}
