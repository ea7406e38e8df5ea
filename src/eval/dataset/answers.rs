//! Questions with their right answers, or marked as having none: `answers.jsonl` beside a `corpus.jsonl`.

use std::path::Path;

use serde::Deserialize;

use super::DatasetError;
use super::lines::{JsonLines, id};

/// One question. `answers` may be empty for an answerable one too: then only its documents are known.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct AnswerCase {
    #[serde(deserialize_with = "id")]
    pub id: String,
    pub question: String,
    /// Wordings that count as right.
    #[serde(default)]
    pub answers: Vec<String>,
    /// The corpus does not hold the answer.
    #[serde(default)]
    pub unanswerable: bool,
    /// The documents that hold the answer, by the `_id` of the corpus.
    #[serde(default)]
    pub external_ids: Vec<String>,
}

/// All questions of a file.
pub fn read_answers(path: &Path) -> Result<Vec<AnswerCase>, DatasetError> {
    JsonLines::<AnswerCase>::open(path)?.read_all(|case| {
        if case.unanswerable && !case.answers.is_empty() {
            return Err(format!("`{}` is marked unanswerable and has answers", case.id));
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<AnswerCase>, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        read_answers(file.path()).map_err(|error| error.to_string())
    }

    #[test]
    fn absent_fields_mean_answerable_without_known_wording() {
        let cases = read("{\"id\": 1, \"question\": \"When?\"}\n").unwrap();
        assert_eq!((cases[0].id.as_str(), cases[0].unanswerable, cases[0].answers.len()), ("1", false, 0));
    }

    #[test]
    fn contradictions_and_empty_files_are_told() {
        let contradiction = r#"{"id": "a", "question": "?", "answers": ["x"], "unanswerable": true}"#;
        assert!(
            read(contradiction).unwrap_err().contains("line 1: `a` is marked unanswerable and has answers")
        );
        assert!(read("\n\n").unwrap_err().contains("holds nothing to measure"));
    }
}
