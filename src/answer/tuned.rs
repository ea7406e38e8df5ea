//! What a creator chose of how to answer, beside what the server has: how sure an answer must be, and how much of it there is.
//!
//! Comes in: a creator's settings. Goes out: what is set of it; the rest is for `app` to fill in. The same names stand in a
//! variant of an experiment.

use serde::Deserialize;
use serde_json::Value;

use crate::store::Creator;

/// Under this name they stand among a creator's settings.
pub const SETTING: &str = "answer";

/// As many as the server's own settings allow.
const MOST_SENTENCES: usize = 10;
const MOST_PASSAGES: usize = 20;

/// How to answer; absent means as the server has it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Tuned {
    /// Below this confidence the answer is declined and a person offered, 0 to 1. Counts before what was fitted.
    pub threshold: Option<f32>,
    /// Most sentences in an extractive answer, 1 to 10.
    pub max_sentences: Option<usize>,
    /// Most passages given to a chat model, 1 to 20.
    pub passages: Option<usize>,
}

impl Tuned {
    /// What this creator chose. What was kept was checked; anything else counts as nothing.
    pub fn of(creator: &Creator) -> Self {
        creator.settings.get(SETTING).and_then(|value| Self::parse(value).ok()).unwrap_or_default()
    }

    /// Reads what somebody wants to choose, or says why it cannot be.
    pub fn parse(value: &Value) -> Result<Self, String> {
        let read = Self::deserialize(value).map_err(|error| format!("`{SETTING}`: {error}"))?;
        if read.threshold.is_some_and(|threshold| !(0.0..=1.0).contains(&threshold)) {
            return Err(format!("`{SETTING}.threshold` is not between 0 and 1"));
        }
        let counts = [
            ("max_sentences", read.max_sentences, MOST_SENTENCES),
            ("passages", read.passages, MOST_PASSAGES),
        ];
        for (name, count, most) in counts {
            if count.is_some_and(|count| !(1..=most).contains(&count)) {
                return Err(format!("`{SETTING}.{name}` is not between 1 and {most}"));
            }
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_chosen_is_read_and_the_rest_refused_by_name() {
        let all = Tuned { threshold: Some(0.5), max_sentences: Some(2), passages: None };
        assert_eq!(Tuned::parse(&json!({"threshold": 0.5, "max_sentences": 2})), Ok(all));
        assert_eq!(Tuned::parse(&json!({})), Ok(Tuned::default()));
        for (value, word) in [
            (json!({"threshold": 1.5}), "answer.threshold"),
            (json!({"max_sentences": 0}), "answer.max_sentences"),
            (json!({"passages": 21}), "answer.passages"),
            (json!({"top_k": 3}), "top_k"),
            (json!("much"), "answer"),
        ] {
            let error = Tuned::parse(&value).unwrap_err();
            assert!(error.contains(word), "{error}");
        }
    }
}
