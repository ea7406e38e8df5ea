//! A student's question, checked once at the edge.

use super::{ConversationId, CreatorId};

/// Longest question that is answered, in characters; longer ones are almost never questions.
pub const MAX_QUESTION_CHARS: usize = 4_000;

/// Why a text is not a question.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuestionError {
    #[error("the question is empty")]
    Empty,
    #[error("the question has {0} characters, at most {MAX_QUESTION_CHARS} are allowed")]
    TooLong(usize),
}

/// What is asked, of whom, and in which conversation.
#[derive(Debug, Clone)]
pub struct Question {
    text: String,
    pub creator: CreatorId,
    pub conversation: Option<ConversationId>,
    /// Language that the student asked for, ISO 639-1; else it is recognised.
    pub language: Option<String>,
}

impl Question {
    /// Trims, drops control characters, and refuses what is empty or too long.
    pub fn parse(text: &str, creator: CreatorId) -> Result<Self, QuestionError> {
        let clean: String = text.chars().filter(|c| !c.is_control() || *c == '\n' || *c == '\t').collect();
        let clean = clean.trim();
        let length = clean.chars().count();
        match length {
            0 => Err(QuestionError::Empty),
            _ if length > MAX_QUESTION_CHARS => Err(QuestionError::TooLong(length)),
            _ => Ok(Self { text: clean.to_owned(), creator, conversation: None, language: None }),
        }
    }

    /// The words of the question: not empty, no control characters.
    pub fn text(&self) -> &str {
        &self.text
    }
}
