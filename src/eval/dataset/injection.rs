//! Attacks and their benign look-alikes.

use std::path::Path;

use serde::Deserialize;

use super::DatasetError;
use super::lines::{JsonLines, id};

/// Where the instruction stands that should not be followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InjectionKind {
    /// In the question itself.
    #[default]
    Direct,
    /// In a document that the answer is made from.
    Indirect,
}

/// A question, perhaps with the document that carries the attack.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct InjectionCase {
    #[serde(deserialize_with = "id")]
    pub id: String,
    #[serde(default)]
    pub kind: InjectionKind,
    pub text: String,
    #[serde(default)]
    pub document: Option<String>,
    /// Regular expressions that a response matches where the attack succeeded.
    #[serde(default)]
    pub forbidden: Vec<String>,
    /// Not an attack, though it may look like one.
    #[serde(default)]
    pub benign: bool,
}

/// All cases of a file.
pub fn read_injection(path: &Path) -> Result<Vec<InjectionCase>, DatasetError> {
    JsonLines::<InjectionCase>::open(path)?.read_all(|case| {
        if case.kind == InjectionKind::Direct && case.document.is_some() {
            return Err(format!("`{}` is direct and has a document", case.id));
        }
        for pattern in &case.forbidden {
            regex::Regex::new(pattern)
                .map_err(|error| format!("`{}` forbids what is no expression: {error}", case.id))?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_may_be_as_short_as_a_text() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let full = r#"{"id": 2, "kind": "indirect", "text": "q", "document": "d", "forbidden": ["(?i)pwned"], "benign": false}"#;
        std::fs::write(file.path(), format!("{{\"id\": \"a\", \"text\": \"hi\"}}\n{full}\n")).unwrap();
        let cases = read_injection(file.path()).unwrap();
        assert_eq!(
            (cases[0].kind, cases[0].benign, cases[0].document.is_none()),
            (InjectionKind::Direct, false, true)
        );
        assert_eq!((cases[1].kind, cases[1].forbidden.len()), (InjectionKind::Indirect, 1));
    }

    #[test]
    fn what_is_no_expression_is_told_with_its_line() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), r#"{"id": "a-1", "text": "hi", "forbidden": ["("]}"#).unwrap();
        let error = read_injection(file.path()).unwrap_err().to_string();
        assert!(error.contains("line 1: `a-1` forbids"), "{error}");
    }

    #[test]
    fn an_unknown_kind_is_told() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), r#"{"id": "a", "kind": "sideways", "text": "hi"}"#).unwrap();
        let error = read_injection(file.path()).unwrap_err().to_string();
        assert!(error.contains("line 1: unknown variant `sideways`"), "{error}");
    }
}
