//! A question finds its evidence: both searches, their candidates put together, one ranking.
//!
//! Comes in: the question's words and, where there is an embedding model, its vector; the word index and the
//! vector index of one creator. Goes out: [`Retrieved`], chunks in order with their signals. Synchronous and pure
//! but for the indexes; the caller runs it off the async threads and fetches the chunks' text from the store.

use std::collections::HashSet;

use super::fuse::{Candidate, Fused, Fusion, fuse, nearness_trust};
use crate::domain::ChunkId;
use crate::domain::trace::RerankTrace;
use crate::index::analyze::Language;
use crate::index::lexical::{LexicalIndex, LexicalQuery};
use crate::index::{IndexError, VectorSearch};

/// How to search.
#[derive(Debug, Clone)]
pub struct RetrieveOptions {
    /// Chunks that are returned.
    pub top: usize,
    /// Candidates that each search brings; more never hurt the ranking, only the time.
    pub candidates: usize,
    pub vectors: VectorTrust,
    pub fusion: Fusion,
}

impl Default for RetrieveOptions {
    fn default() -> Self {
        Self { top: 10, candidates: 100, vectors: VectorTrust::SENTENCE_MODEL, fusion: Fusion::Score }
    }
}

/// How much the cosines of an embedding model say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VectorTrust {
    /// Weight of the cosine beside the word score.
    pub weight: f32,
    /// The model knows only English: elsewhere it is turned down, and off where it cannot read the script.
    pub english_only: bool,
}

impl VectorTrust {
    /// all-MiniLM-L6-v2 and its kin. Measured flat between 1 and 2 where chunks are crowded; elsewhere
    /// [`nearness_trust`] raises it.
    pub const SENTENCE_MODEL: Self = Self { weight: 1.3, english_only: true };
    /// The bundled static table, which tells meanings apart less well.
    pub const STATIC_TABLE: Self = Self { weight: 0.79, english_only: true };
    /// A model trained on many languages.
    pub const MULTILINGUAL: Self = Self { weight: 1.3, english_only: false };

    /// Whether a low cosine means that the content lacks the answer: true of sentence encoders that know the
    /// question's language. A static table says too little about that (AUROC .67 alone).
    pub fn tells_absence(self, question: Language) -> bool {
        self != Self::STATIC_TABLE && (!self.english_only || question == Language::ENGLISH)
    }

    /// Whether nearness may be trusted beyond its weight: a sentence encoder that knows both languages. A question
    /// whose language is not recognised may be a foreign one, whose words fail for that reason.
    fn is_sure_of(self, question: Language, content: Language) -> bool {
        self.tells_absence(question) && self.tells_absence(content)
    }

    /// The weight for a question in one language over content in another.
    fn weight_for(self, question: Language, content: Language) -> f32 {
        let is_english = |language| language == Language::ENGLISH || language == Language::OTHER;
        match (is_english(question), is_english(content)) {
            (true, true) => self.weight,
            _ if !self.english_only => self.weight,
            _ if question.is_latin() && content.is_latin() => self.weight * FOREIGN_SHARE,
            _ => 0.0,
        }
    }
}

/// What is left of an English model's weight in another language of Latin script: it still knows names and loans.
const FOREIGN_SHARE: f32 = 0.4;

/// What both searches brought, before it is ranked: one question can be ranked in several ways.
#[derive(Debug, Clone)]
pub struct Gathered {
    candidates: Vec<Candidate>,
    /// The cosine's weight for these languages, this model and this collection.
    weight: f32,
    query: LexicalQuery,
    language: Language,
}

impl Gathered {
    /// Ranks with the cosine's weight times `scale`: 1, or what was fitted to the creator's questions.
    pub fn rank(&self, fusion: Fusion, scale: f32, top: usize) -> Vec<Fused> {
        let mut hits = fuse(&self.candidates, self.query.mass(), self.weight * scale, fusion);
        hits.truncate(top);
        hits
    }

    /// The ranking with what belongs to it.
    pub fn into_ranked(self, fusion: Fusion, scale: f32, top: usize) -> Retrieved {
        let hits = self.rank(fusion, scale, top);
        Retrieved { hits, query: self.query, language: self.language, reranking: None }
    }
}

/// What was found for a question.
#[derive(Debug, Clone)]
pub struct Retrieved {
    /// Best first.
    pub hits: Vec<Fused>,
    /// The question as the word index understood it.
    pub query: LexicalQuery,
    /// The question's own language, given or recognised, else that of the content.
    pub language: Language,
    /// What a reranker did with the order; `None` without one.
    pub reranking: Option<RerankTrace>,
}

/// Finds the evidence for a question. `vector` is the question's embedding and the index to search with it.
pub fn retrieve(
    question: &str,
    language: Option<Language>,
    words: &LexicalIndex,
    vector: Option<(&[f32], &dyn VectorSearch)>,
    options: &RetrieveOptions,
) -> Result<Retrieved, IndexError> {
    let gathered = gather(question, language, words, vector, options)?;
    Ok(gathered.into_ranked(options.fusion, 1.0, options.top))
}

/// Searches, and ranks nothing yet.
pub fn gather(
    question: &str,
    language: Option<Language>,
    words: &LexicalIndex,
    vector: Option<(&[f32], &dyn VectorSearch)>,
    options: &RetrieveOptions,
) -> Result<Gathered, IndexError> {
    let content = words.languages().first().copied().unwrap_or(Language::OTHER);
    let known = language.or_else(|| Language::of_text(question));
    let language = known.unwrap_or(content);
    let query = words.query(question, Some(language));
    let mut chunks: Vec<ChunkId> = match options.fusion {
        Fusion::Dense => Vec::new(),
        _ => words.search(&query, options.candidates).into_iter().map(|hit| hit.chunk).collect(),
    };
    let weight = options.vectors.weight_for(language, content);
    let wants_near = match options.fusion {
        Fusion::Score => weight > 0.0,
        Fusion::Rrf | Fusion::Dense => true,
        Fusion::Lexical => false,
    };
    let similarities = match vector {
        Some((vector, index)) => {
            let mut known: HashSet<ChunkId> = chunks.iter().copied().collect();
            let near = if wants_near { index.search(vector, options.candidates)? } else { Vec::new() };
            chunks.extend(near.into_iter().map(|hit| hit.chunk).filter(|&chunk| known.insert(chunk)));
            index.similarities(vector, &chunks)?
        }
        None => vec![None; chunks.len()],
    };
    let scores = words.scores(&query, &chunks);
    let candidates: Vec<Candidate> = chunks
        .iter()
        .zip(scores)
        .zip(similarities)
        .map(|((&chunk, lexical), similarity)| Candidate { chunk, lexical, similarity })
        .collect();
    let trust = match vector {
        Some((_, index)) if known.is_some_and(|question| options.vectors.is_sure_of(question, content)) => {
            nearness_trust(&candidates, index.crowding())
        }
        _ => 1.0,
    };
    Ok(Gathered { candidates, weight: weight * trust, query, language })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::Hit;
    use crate::index::analyze::ChunkTerms;

    /// Plain vectors in memory.
    struct Vectors(Vec<(ChunkId, Vec<f32>)>);

    impl Vectors {
        fn cosine(&self, query: &[f32], vector: &[f32]) -> f32 {
            query.iter().zip(vector).map(|(a, b)| a * b).sum()
        }
    }

    impl VectorSearch for Vectors {
        fn search(&self, query: &[f32], top: usize) -> Result<Vec<Hit>, IndexError> {
            let similar =
                |(chunk, v): &(ChunkId, Vec<f32>)| Hit { chunk: *chunk, similarity: self.cosine(query, v) };
            let mut hits: Vec<Hit> = self.0.iter().map(similar).collect();
            hits.sort_by(|a, b| b.similarity.total_cmp(&a.similarity));
            hits.truncate(top);
            Ok(hits)
        }
        fn similarities(&self, query: &[f32], chunks: &[ChunkId]) -> Result<Vec<Option<f32>>, IndexError> {
            let of = |chunk| self.0.iter().find(|(c, _)| c == chunk).map(|(_, v)| self.cosine(query, v));
            Ok(chunks.iter().map(of).collect())
        }
        fn len(&self) -> usize {
            self.0.len()
        }
    }

    fn course() -> (LexicalIndex, Vectors) {
        let mut words = LexicalIndex::default();
        for (number, text) in (0..).zip([
            "You can ask for your money back within two weeks.",
            "Rinse the brushes in cold water.",
            "The studio opens early on Saturdays.",
        ]) {
            words.add(ChunkId(number), &ChunkTerms::of("", None, text, Language::ENGLISH));
        }
        let unit = |at: usize| (0..3).map(|i| if i == at { 1.0 } else { 0.0 }).collect();
        (words, Vectors((0..3).map(|n| (ChunkId(n as u64), unit(n))).collect()))
    }

    #[track_caller]
    fn first(question: &str, vector: Option<&[f32]>) -> Option<u64> {
        let (words, vectors) = course();
        let vector = vector.map(|v| (v, &vectors as &dyn VectorSearch));
        let found = retrieve(question, None, &words, vector, &RetrieveOptions::default()).unwrap();
        found.hits.first().map(|hit| hit.chunk.0)
    }

    #[test]
    fn words_alone_are_enough_and_vectors_find_what_is_worded_otherwise() {
        assert_eq!(first("Are the brushes rinsed with water?", None), Some(1));
        assert_eq!(first("What about reimbursement?", None), None);
        assert_eq!(first("What about reimbursement?", Some(&[0.9, 0.1, 0.0])), Some(0));
    }

    #[test]
    fn only_an_encoder_that_knows_both_languages_is_trusted_beyond_its_weight() {
        let (english, german) = (Language::ENGLISH, Language::of_code("de"));
        let check = |trust: VectorTrust, question, content, expected| {
            assert_eq!(trust.is_sure_of(question, content), expected);
        };
        check(VectorTrust::SENTENCE_MODEL, english, english, true);
        check(VectorTrust::SENTENCE_MODEL, german, english, false);
        check(VectorTrust::SENTENCE_MODEL, english, german, false);
        check(VectorTrust::MULTILINGUAL, german, english, true);
        check(VectorTrust::STATIC_TABLE, english, english, false);
    }

    #[test]
    fn an_english_model_is_turned_down_elsewhere() {
        let (english, german, chinese) =
            (Language::ENGLISH, Language::of_code("de"), Language::of_code("zh"));
        let trust = VectorTrust::SENTENCE_MODEL;
        assert_eq!(trust.weight_for(english, english), trust.weight);
        assert!(trust.weight_for(german, german) < trust.weight);
        assert_eq!(trust.weight_for(chinese, chinese), 0.0);
        assert_eq!(VectorTrust::MULTILINGUAL.weight_for(chinese, chinese), VectorTrust::MULTILINGUAL.weight);
    }
}
