//! What is learned from answers: a student's thumb, and the creator's own answer, which is given from then on.
//!
//! A correction is a document of the creator's: searched, cited, counted as a change of content (so that no answer from
//! before is given again), and gone when it is deleted. Beside it the store keeps the question as a case that
//! `eval answers` measures. Called by `http`.

use super::App;
use crate::answer;
use crate::domain::{
    Case, CreatorId, DocumentId, EventKind, Feedback, MessageId, Question, Timestamp, Turn, mask,
};
use crate::ingest::{Item, Payload};
use crate::problem::{Kind, Problem};

/// Longest answer of a creator's, in characters.
pub const MAX_ANSWER_CHARS: usize = 8_000;

impl App {
    /// Keeps what is said of an answer; what was said before of it is forgotten.
    pub async fn feedback(
        &self,
        creator: &CreatorId,
        message: &MessageId,
        given: Feedback,
    ) -> Result<Turn, Problem> {
        let at = given.at;
        let kept =
            self.store.change_turn(creator, message, Some(EventKind::FeedbackGiven), at, move |turn| {
                turn.feedback = Some(given.clone());
            });
        kept.await?.ok_or_else(unknown)
    }

    /// Takes the creator's answer to a message for the right one, for `question` or, without one, for what the student
    /// asked, without personal data. Correcting the same message or the same question again replaces what was said.
    pub async fn correct(
        &self,
        creator: &CreatorId,
        message: MessageId,
        question: Option<String>,
        answer: String,
        who: &str,
        now: Timestamp,
    ) -> Result<DocumentId, Problem> {
        let turn = self.store.turn(&message).await?.filter(|turn| turn.creator == *creator);
        let turn = turn.ok_or_else(unknown)?;
        let question = question.filter(|question| !question.trim().is_empty());
        let question = question.unwrap_or_else(|| mask::masked(&asked(&turn)));
        let question = Question::parse(&question, creator.clone())?;
        let question = question.text().split_whitespace().collect::<Vec<_>>().join(" ");
        let (answer, asks) = (checked(&answer)?, answer::corrected::key(&question));
        let item = Item {
            title: Some(question.clone()),
            external_id: Some(Case::external_id(&asks)),
            payload: Payload::Record(answer.clone()),
            ..Item::file(Case::source(&asks), "correction".to_owned(), bytes::Bytes::new())
        };
        let document = self.ingest().one(creator, item).await?.document;
        let case = Case {
            external_id: Case::external_id(&asks),
            document: document.clone(),
            messages: vec![message],
            by: who.to_owned(),
            at: now,
            question,
            asks,
            answer,
        };
        for left in self.store.correct(creator, case).await? {
            self.delete_document(&left).await?;
        }
        Ok(document)
    }

    /// The questions that a creator corrected, oldest first.
    pub async fn cases(&self, creator: &CreatorId) -> Result<Vec<Case>, Problem> {
        Ok(self.store.cases(creator).await?)
    }
}

/// The question as one that stands alone, where it leaned on the one before.
fn asked(turn: &Turn) -> String {
    let standalone = turn.trace.as_ref().and_then(|trace| trace.standalone.clone());
    standalone.unwrap_or_else(|| turn.question.clone())
}

fn checked(answer: &str) -> Result<String, Problem> {
    let clean: String = answer.chars().filter(|c| !c.is_control() || *c == '\n' || *c == '\t').collect();
    let clean = clean.trim();
    let length = clean.chars().count();
    if (1..=MAX_ANSWER_CHARS).contains(&length) {
        return Ok(clean.to_owned());
    }
    Err(Problem::new(
        Kind::Invalid,
        "invalid_answer",
        format!("the answer has {length} characters, 1 to {MAX_ANSWER_CHARS} are allowed"),
        "send the right answer in `answer`, as a student should read it",
    ))
}

fn unknown() -> Problem {
    Problem::new(
        Kind::Missing,
        "unknown_message",
        "there is no answer of this id",
        "`GET /conversations/{creator}` lists answers with their ids; one that a person gave has none",
    )
}
