//! A student's question, checked once at the edge.

use super::{ConversationId, CreatorId};

/// Longest question that is answered, in characters; longer ones are almost never questions.
pub const MAX_QUESTION_CHARS: usize = 4_000;

/// Longest name of a lesson, in characters.
pub const MAX_LESSON_CHARS: usize = 200;

/// No lesson is longer than thirty days: what says so counts in other units.
const MAX_POSITION_MS: u64 = 30 * 24 * 3_600_000;

/// Why a text is not a question.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuestionError {
    #[error("the question is empty")]
    Empty,
    #[error("the question has {0} characters, at most {MAX_QUESTION_CHARS} are allowed")]
    TooLong(usize),
    #[error("the name of the lesson has {0} characters, at most {MAX_LESSON_CHARS} are allowed")]
    LongLesson(usize),
    #[error("{0} milliseconds are no position in a lesson")]
    Position(u64),
    #[error("`{0}` is not a language")]
    Language(String),
}

/// What is asked, of whom, and in which conversation.
#[derive(Debug, Clone)]
pub struct Question {
    text: String,
    pub creator: CreatorId,
    pub conversation: Option<ConversationId>,
    /// Language that the student asked for, ISO 639-1; else it is recognised.
    pub language: Option<String>,
    /// The lesson that the student is in, as the page names it.
    pub lesson: Option<String>,
    /// How far the student has played it.
    pub position_ms: Option<u64>,
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
            _ => Ok(Self {
                text: clean.to_owned(),
                creator,
                conversation: None,
                language: None,
                lesson: None,
                position_ms: None,
            }),
        }
    }

    /// The same, asked from this place of the course. A blank name is none.
    pub fn at(mut self, lesson: Option<&str>, position_ms: Option<u64>) -> Result<Self, QuestionError> {
        let clean =
            |name: &str| name.chars().filter(|c| !c.is_control()).collect::<String>().trim().to_owned();
        self.lesson = lesson.map(clean).filter(|name| !name.is_empty());
        let length = self.lesson.as_ref().map_or(0, |name| name.chars().count());
        if length > MAX_LESSON_CHARS {
            return Err(QuestionError::LongLesson(length));
        }
        if let Some(position) = position_ms.filter(|position| *position > MAX_POSITION_MS) {
            return Err(QuestionError::Position(position));
        }
        self.position_ms = position_ms;
        Ok(self)
    }

    /// The same, to be answered in this language: a tag such as `pt` or `pt-BR`, of which the language counts
    /// (RFC 5646). Blank leaves it to be recognised.
    pub fn in_language(mut self, tag: &str) -> Result<Self, QuestionError> {
        let tag = tag.trim();
        let language = tag.split(['-', '_']).next().unwrap_or_default();
        let plain = tag.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        let right = (2..=3).contains(&language.len()) && language.chars().all(|c| c.is_ascii_alphabetic());
        self.language = match tag {
            "" => None,
            _ if plain && right && tag.len() <= 35 => Some(language.to_ascii_lowercase()),
            _ => return Err(QuestionError::Language(tag.chars().take(35).collect())),
        };
        Ok(self)
    }

    /// The words of the question: not empty, no control characters.
    pub fn text(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question() -> Question {
        Question::parse(" Why?\u{7} ", "course".parse().unwrap()).unwrap()
    }

    #[test]
    fn where_and_in_which_language_is_checked() {
        for (tag, language) in [
            ("en", Ok(Some("en"))),
            ("pt-BR", Ok(Some("pt"))),
            ("ZH_hant", Ok(Some("zh"))),
            (" ", Ok(None)),
            ("english", Err(())),
            ("e", Err(())),
            ("de-<script>", Err(())),
        ] {
            let found = question().in_language(tag).map(|question| question.language).map_err(drop);
            assert_eq!(found, language.map(|language| language.map(str::to_owned)), "{tag}");
        }
        let placed = question().at(Some(" Lesson 3\n"), Some(61_000)).unwrap();
        assert_eq!(
            (placed.text(), placed.lesson.as_deref(), placed.position_ms),
            ("Why?", Some("Lesson 3"), Some(61_000))
        );
        assert_eq!(question().at(Some("  "), None).unwrap().lesson, None);
        assert_eq!(question().at(Some(&"x".repeat(201)), None).unwrap_err(), QuestionError::LongLesson(201));
        assert!(question().at(None, Some(u64::MAX)).is_err());
    }
}
