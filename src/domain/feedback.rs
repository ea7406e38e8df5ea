//! What is said of an answer afterwards: a student's thumb, and the creator's correction.
//!
//! Both are kept with the turn. A correction is a document of its own, which answers from then on; here stands which.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::ids::{derived, encode};
use super::{DocumentId, MessageId, Timestamp};

/// Longest comment, in characters.
pub const MAX_COMMENT_CHARS: usize = 1_000;

/// Under this source corrections are kept, one for each question.
pub const CORRECTIONS: &str = "corrections/";

/// A student's judgement of an answer. There is one for each answer, the last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feedback {
    pub helpful: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// In the student's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    pub at: Timestamp,
}

/// Why an answer did not help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    Wrong,
    Incomplete,
    Unclear,
    /// It answers another question.
    OffTopic,
    Other,
}

impl Reason {
    pub const ALL: [Self; 5] = [Self::Wrong, Self::Incomplete, Self::Unclear, Self::OffTopic, Self::Other];

    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Wrong => "wrong",
            Self::Incomplete => "incomplete",
            Self::Unclear => "unclear",
            Self::OffTopic => "off_topic",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Reason {
    type Err = String;
    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == name).ok_or_else(|| {
            let known: Vec<&str> = Self::ALL.iter().map(|reason| reason.as_str()).collect();
            format!(
                "`{}` is no reason; there are {}",
                name.chars().take(32).collect::<String>(),
                known.join(", ")
            )
        })
    }
}

/// That an answer was corrected, and where the right one stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correction {
    pub document: DocumentId,
    pub at: Timestamp,
}

/// A question with the creator's own answer: what the assistant must know from then on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    pub question: String,
    /// The same for every question that asks the same.
    pub asks: String,
    pub answer: String,
    /// The document that holds both; the case goes with it.
    pub document: DocumentId,
    pub external_id: String,
    /// The messages whose answers it corrects.
    pub messages: Vec<MessageId>,
    /// Who corrected it last, as people know them.
    pub by: String,
    pub at: Timestamp,
}

/// A case as a line of a file that `eval answers` reads.
#[derive(Debug, Serialize)]
pub struct Measured<'a> {
    id: &'a str,
    question: &'a str,
    answers: [&'a str; 1],
    unanswerable: bool,
    external_ids: [&'a str; 1],
}

impl Case {
    /// The source of the document that answers what `asks` stands for.
    pub fn source(asks: &str) -> String {
        format!("{CORRECTIONS}{}", Self::name(asks))
    }

    /// The id of the same for other systems.
    pub fn external_id(asks: &str) -> String {
        format!("correction-{}", Self::name(asks))
    }

    /// The same as `eval answers` reads it.
    pub fn measured(&self) -> Measured<'_> {
        Measured {
            id: &self.external_id,
            question: &self.question,
            answers: [&self.answer],
            unanswerable: false,
            external_ids: [&self.external_id],
        }
    }

    fn name(asks: &str) -> String {
        encode(derived(&[b"neverafk correction v1", asks.as_bytes()]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_read_as_they_are_named() {
        for reason in Reason::ALL {
            assert_eq!(reason.as_str().parse::<Reason>().unwrap(), reason);
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
        }
        assert!("boring".parse::<Reason>().unwrap_err().contains("off_topic"));
    }
}
