//! What was asked and answered, as it is kept.

use serde::{Deserialize, Serialize};

use super::{
    Answer, AnswerTrace, ConversationId, Correction, CreatorId, Feedback, Memory, MessageId, Timestamp,
};

/// One question with its answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Turn {
    pub id: MessageId,
    pub conversation: ConversationId,
    pub creator: CreatorId,
    pub question: String,
    pub answer: Answer,
    /// A person has looked at it.
    pub reviewed: bool,
    pub created_at: Timestamp,
    /// What is remembered of the conversation after this turn.
    #[serde(default, skip_serializing_if = "Memory::is_empty")]
    pub memory: Memory,
    /// What the stages of the answer decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<AnswerTrace>,
    /// What the student said of it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feedback: Option<Feedback>,
    /// The creator knew better.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correction: Option<Correction>,
}

impl Turn {
    /// What stands for an answer whose document was deleted.
    pub const EMPTIED: &str = "removed";

    /// Whether the words of its document were taken out of it.
    pub fn is_emptied(&self) -> bool {
        self.answer.response == Self::EMPTIED && self.answer.citations.is_empty()
    }
}
