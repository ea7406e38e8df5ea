//! What is remembered of one conversation beyond its last turns. Kept with each turn, so that it goes when they go.
//!
//! It holds the student's own words only: what documents say is looked up again, and a deleted document leaves
//! nothing here. How it grows is `answer/memory`.

use serde::{Deserialize, Serialize};

/// The memory of a conversation after a turn.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// What the student said of themselves, oldest first.
    #[serde(default)]
    pub facts: Vec<Fact>,
    /// The most telling of the student's questions, oldest first.
    #[serde(default)]
    pub summary: Vec<String>,
    /// The last question as one that can be understood without the conversation.
    #[serde(default)]
    pub standalone: String,
}

/// Something that a student said of themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// What it is about: `name`, `cohort`, `use`; a later fact of the same kind takes its place.
    pub kind: String,
    /// The value alone: `Ana`, `3`, `Windows`.
    pub value: String,
    /// The student's words.
    pub text: String,
}

impl Memory {
    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.facts.is_empty() && self.summary.is_empty() && self.standalone.is_empty()
    }

    /// The latest value of a kind of fact.
    pub fn fact(&self, kind: &str) -> Option<&str> {
        self.facts.iter().rfind(|fact| fact.kind == kind).map(|fact| fact.value.as_str())
    }
}
