//! A retrieval set in BEIR's layout (Thakur et al., "BEIR", NeurIPS Datasets and Benchmarks 2021):
//! `corpus.jsonl`, `queries.jsonl`, `qrels/test.tsv`.
//!
//! Queries and judgements are small and are held; the corpus is a stream. Queries that nobody judged, or for
//! which nothing is relevant, are left out, as trec_eval does: they would measure nothing.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::DatasetError;
use super::answers::AnswerCase;
use super::lines::{JsonLines, Lines, id};

/// Which documents answer a query, and how well: above 0 is relevant.
pub type Judgements = BTreeMap<String, i32>;

/// A query with what was judged for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    pub id: String,
    pub text: String,
    pub judgements: Judgements,
}

/// The queries of a folder, in the order of `queries.jsonl`.
#[derive(Debug, Clone)]
pub struct RetrievalSet {
    /// The folder's own name.
    pub name: String,
    pub corpus: PathBuf,
    /// What the questions and judgements were read from.
    pub files: Vec<PathBuf>,
    pub queries: Vec<Query>,
}

impl RetrievalSet {
    pub fn read(folder: &Path) -> Result<Self, DatasetError> {
        // Opened now, so that a missing corpus is told before the queries are read and not an hour later.
        read_corpus(&folder.join("corpus.jsonl"))?;
        Self::read_questions(folder)
    }

    /// The same where other content is asked than the folder's corpus, which need not be there.
    pub fn read_questions(folder: &Path) -> Result<Self, DatasetError> {
        let texts_path = folder.join("queries.jsonl");
        let mut texts = read_queries(&texts_path)?;
        let qrels = folder.join("qrels").join("test.tsv");
        let mut judged = read_judgements(&qrels, &texts)?;
        let queries: Vec<Query> = texts
            .drain(..)
            .filter_map(|RawQuery { id, text }| {
                judged.remove(&id).map(|judgements| Query { id, text, judgements })
            })
            .filter(|query| query.judgements.values().any(|&grade| grade > 0))
            .collect();
        if queries.is_empty() {
            return Err(DatasetError::Empty(qrels));
        }
        let name = folder
            .canonicalize()
            .ok()
            .and_then(|full| Some(full.file_name()?.to_string_lossy().into_owned()));
        Ok(Self {
            name: name.unwrap_or_else(|| folder.display().to_string()),
            corpus: folder.join("corpus.jsonl"),
            files: vec![texts_path, qrels],
            queries,
        })
    }

    /// The answerable questions of a file of answers, each with the documents that hold its answer.
    pub fn of_answers(name: String, file: &Path, cases: Vec<AnswerCase>) -> Result<Self, DatasetError> {
        let queries: Vec<Query> = cases
            .into_iter()
            .filter(|case| !case.unanswerable && !case.external_ids.is_empty())
            .map(|case| Query {
                id: case.id,
                text: case.question,
                judgements: case.external_ids.into_iter().map(|document| (document, 1)).collect(),
            })
            .collect();
        if queries.is_empty() {
            return Err(DatasetError::Empty(file.to_owned()));
        }
        let corpus = file.with_file_name("corpus.jsonl");
        Ok(Self { name, corpus, files: vec![file.to_owned()], queries })
    }
}

/// A document of a corpus.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct CorpusEntry {
    #[serde(rename = "_id", deserialize_with = "id")]
    pub id: String,
    #[serde(default)]
    pub title: String,
    pub text: String,
}

/// The documents of a `corpus.jsonl`, as a stream.
pub fn read_corpus(path: &Path) -> Result<JsonLines<CorpusEntry>, DatasetError> {
    JsonLines::open(path)
}

#[derive(Deserialize)]
struct RawQuery {
    #[serde(rename = "_id", deserialize_with = "id")]
    id: String,
    text: String,
}

fn read_queries(path: &Path) -> Result<Vec<RawQuery>, DatasetError> {
    let mut lines = JsonLines::<RawQuery>::open(path)?;
    let (mut queries, mut seen) = (Vec::new(), HashSet::new());
    while let Some(query) = lines.next() {
        let query = query?;
        if !seen.insert(query.id.clone()) {
            return Err(lines.wrong(format!("the query `{}` stands here a second time", query.id)));
        }
        queries.push(query);
    }
    Ok(queries)
}

fn read_judgements(path: &Path, queries: &[RawQuery]) -> Result<HashMap<String, Judgements>, DatasetError> {
    let known: HashSet<&str> = queries.iter().map(|query| query.id.as_str()).collect();
    let mut judged: HashMap<String, Judgements> = HashMap::new();
    let mut lines = Lines::open(path)?;
    let mut first = true;
    while let Some(line) = lines.next() {
        let line = line?;
        let is_first = std::mem::take(&mut first);
        let fields: Vec<&str> = line.split('\t').map(str::trim).collect();
        let &[query, document, grade] = fields.as_slice() else {
            return Err(lines.wrong(format!(
                "{} fields between tabs instead of query-id, corpus-id, score",
                fields.len()
            )));
        };
        let grade = match grade.parse::<i32>() {
            Ok(grade) => grade,
            // The header, whatever it calls the columns.
            Err(_) if is_first => continue,
            Err(_) => return Err(lines.wrong(format!("the score `{grade}` is not a whole number"))),
        };
        if !known.contains(query) {
            return Err(lines.wrong(format!("the query `{query}` is not in queries.jsonl")));
        }
        let before = judged.entry(query.to_owned()).or_default().insert(document.to_owned(), grade);
        if before.is_some_and(|before| before != grade) {
            return Err(lines.wrong(format!("`{document}` has two scores for the query `{query}`")));
        }
    }
    Ok(judged)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CORPUS: &str = r#"{"_id": "d1", "title": "Refunds", "text": "Within 14 days."}
{"_id": 2, "text": "No title here.", "metadata": {"ignored": true}}
"#;
    const QUERIES: &str = r#"{"_id": "q1", "text": "refund?"}
{"_id": 7, "text": "title?"}
{"_id": "unjudged", "text": "?"}
{"_id": "hopeless", "text": "nothing is relevant"}
"#;
    const QRELS: &str = "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\t2\t0\n7\t2\t1\nhopeless\td1\t0\n";

    fn folder(corpus: &str, queries: &str, qrels: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("qrels")).unwrap();
        std::fs::write(folder.path().join("corpus.jsonl"), corpus).unwrap();
        std::fs::write(folder.path().join("queries.jsonl"), queries).unwrap();
        std::fs::write(folder.path().join("qrels/test.tsv"), qrels).unwrap();
        folder
    }

    #[test]
    fn a_folder_gives_its_judged_queries_and_its_corpus() {
        let folder = folder(CORPUS, QUERIES, QRELS);
        let set = RetrievalSet::read(folder.path()).unwrap();
        assert_eq!(set.name, folder.path().file_name().unwrap().to_string_lossy());
        let queries: Vec<_> = set.queries.iter().map(|q| (q.id.as_str(), q.judgements.len())).collect();
        assert_eq!(queries, [("q1", 2), ("7", 1)]);
        let corpus: Vec<_> = read_corpus(&set.corpus).unwrap().map(Result::unwrap).collect();
        assert_eq!(
            (corpus[0].title.as_str(), corpus[1].id.as_str(), corpus[1].title.as_str()),
            ("Refunds", "2", "")
        );
    }

    #[test]
    fn a_file_of_answers_is_a_set_of_its_answerable_questions() {
        let case = |id: &str, unanswerable, documents: &[&str]| AnswerCase {
            id: id.to_owned(),
            question: "?".to_owned(),
            answers: Vec::new(),
            unanswerable,
            external_ids: documents.iter().map(|&id| id.to_owned()).collect(),
        };
        let cases = vec![case("a", false, &["d1", "d2"]), case("b", true, &["d1"]), case("c", false, &[])];
        let set = RetrievalSet::of_answers("own".to_owned(), Path::new("x/own.jsonl"), cases).unwrap();
        assert_eq!((set.queries.len(), set.queries[0].judgements.len()), (1, 2));
        assert_eq!(set.corpus, Path::new("x/corpus.jsonl"));
        assert!(RetrievalSet::of_answers("own".to_owned(), Path::new("x"), Vec::new()).is_err());
    }

    #[test]
    fn a_corpus_that_is_not_asked_need_not_be_there() {
        let folder = folder(CORPUS, QUERIES, QRELS);
        std::fs::remove_file(folder.path().join("corpus.jsonl")).unwrap();
        assert!(RetrievalSet::read(folder.path()).is_err());
        assert_eq!(RetrievalSet::read_questions(folder.path()).unwrap().queries.len(), 2);
    }

    #[test]
    fn a_header_may_be_missing() {
        let folder = folder(CORPUS, QUERIES, "q1\td1\t1\n");
        assert_eq!(RetrievalSet::read(folder.path()).unwrap().queries.len(), 1);
    }

    #[test]
    fn what_is_wrong_is_told_with_file_and_line() {
        let cases = [
            (CORPUS, QUERIES, "q\td\ts\nq1\td1\n", "test.tsv`, line 2: 2 fields"),
            (CORPUS, QUERIES, "q\td\ts\nq1\td1\tyes\n", "line 2: the score `yes`"),
            (CORPUS, QUERIES, "q\td\ts\nq9\td1\t1\n", "line 2: the query `q9` is not in queries.jsonl"),
            (CORPUS, QUERIES, "q\td\ts\nq1\td1\t1\nq1\td1\t2\n", "line 3: `d1` has two scores"),
            (CORPUS, QUERIES, "q\td\ts\nq1\td1\t0\n", "test.tsv` holds nothing to measure"),
            (
                CORPUS,
                "{\"_id\": \"a\", \"text\": \"\"}\n{\"_id\": \"a\", \"text\": \"\"}",
                QRELS,
                "queries.jsonl`, line 2: the query `a`",
            ),
            (CORPUS, "{\"text\": \"no id\"}", QRELS, "queries.jsonl`, line 1: missing field `_id`"),
            (
                CORPUS,
                "{\"_id\": [], \"text\": \"\"}",
                QRELS,
                "line 1: an id is a non-empty string or a number",
            ),
        ];
        for (corpus, queries, qrels, expected) in cases {
            let error = RetrievalSet::read(folder(corpus, queries, qrels).path()).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        let error = RetrievalSet::read(Path::new("/nowhere")).unwrap_err();
        assert!(error.to_string().contains("corpus.jsonl") && error.hint().contains("qrels/test.tsv"));
    }
}
