//! Claims with evidence, and whether the evidence supports them.

use std::path::Path;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

use super::DatasetError;
use super::lines::JsonLines;

/// A claim and the passages that it is judged by.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct GroundingCase {
    pub claim: String,
    pub evidence: Vec<String>,
    #[serde(rename = "label", deserialize_with = "label")]
    pub supported: bool,
}

/// All claims of a file.
pub fn read_grounding(path: &Path) -> Result<Vec<GroundingCase>, DatasetError> {
    JsonLines::open(path)?.read_all(|_| Ok(()))
}

fn label<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    match u8::deserialize(deserializer)? {
        0 => Ok(false),
        1 => Ok(true),
        other => Err(D::Error::custom(format!("`label` is 1 (supported) or 0, not {other}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_zero_or_one() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let line = |label: &str| format!("{{\"claim\": \"c\", \"evidence\": [\"e\"], \"label\": {label}}}\n");
        std::fs::write(file.path(), line("0") + &line("1")).unwrap();
        let cases = read_grounding(file.path()).unwrap();
        assert_eq!((cases[0].supported, cases[1].supported), (false, true));
        std::fs::write(file.path(), line("0") + &line("2")).unwrap();
        let error = read_grounding(file.path()).unwrap_err().to_string();
        assert!(error.contains("line 2: `label` is 1 (supported) or 0, not 2"), "{error}");
    }
}
