//! When a person is needed: the ticket of a conversation, and what people say in it.
//!
//! A conversation has one ticket at most, so its id is the conversation's. What may become of a ticket are the
//! methods here; each leaves a note of who did it. Keeping tickets is the store's.

use serde::{Deserialize, Serialize};

use super::{ConversationId, CreatorId, MessageId, Timestamp, Turn};

/// Where a ticket stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TicketState {
    Open,
    Assigned,
    Resolved,
}

impl TicketState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Assigned => "assigned",
            Self::Resolved => "resolved",
        }
    }
}

/// How a student can be reached.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub email: Option<String>,
    #[serde(default)]
    pub message: Option<String>,
}

/// A line of a ticket's history, for the creator's people alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    pub at: Timestamp,
    /// Who did or wrote it; empty is the program.
    pub by: String,
    pub text: String,
}

/// A conversation that needs a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    pub creator: CreatorId,
    pub conversation: ConversationId,
    pub state: TicketState,
    /// Why: `not_in_content`, `asked_for_person`, or another name of [`Escalation`].
    pub reason: String,
    /// What the student asked last.
    pub question: String,
    pub contact: Option<Contact>,
    pub assignee: Option<String>,
    /// A person speaks, and the assistant is silent.
    pub taken_over: bool,
    pub notes: Vec<Note>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Reason of a ticket that a student opened by the contact form.
pub const ASKED: &str = "asked_for_person";

impl Ticket {
    /// A new ticket.
    pub fn open(
        creator: &CreatorId,
        conversation: &ConversationId,
        reason: &str,
        question: &str,
        at: Timestamp,
    ) -> Self {
        Self {
            creator: creator.clone(),
            conversation: conversation.clone(),
            state: TicketState::Open,
            reason: reason.to_owned(),
            question: question.to_owned(),
            contact: None,
            assignee: None,
            taken_over: false,
            notes: Vec::new(),
            created_at: at,
            updated_at: at,
        }
    }

    /// Why an answer hands over. Answers of before the reason was kept have only the agent's name.
    pub fn reason_of(turn: &Turn) -> &str {
        match turn.answer.escalation {
            Some(reason) => reason.name(),
            None => &turn.answer.agent,
        }
    }

    /// The conversation needs a person again; whether it did not already.
    pub fn reopen(&mut self, reason: &str, question: &str, at: Timestamp) -> bool {
        let was_resolved = self.state == TicketState::Resolved;
        question.clone_into(&mut self.question);
        if was_resolved {
            reason.clone_into(&mut self.reason);
            self.state = TicketState::Open;
            self.assignee = None;
            self.note("", "opened again", at);
        }
        self.updated_at = at;
        was_resolved
    }

    pub fn assign(&mut self, to: &str, by: &str, at: Timestamp) {
        self.assignee = Some(to.to_owned());
        self.state = TicketState::Assigned;
        self.note(by, &format!("assigned to {to}"), at);
    }

    /// A person speaks from now on.
    pub fn take_over(&mut self, by: &str, at: Timestamp) {
        if self.state != TicketState::Assigned {
            self.assignee = Some(by.to_owned());
            self.state = TicketState::Assigned;
        }
        self.taken_over = true;
        self.note(by, "took the conversation over", at);
    }

    /// The assistant speaks from now on.
    pub fn hand_back(&mut self, by: &str, at: Timestamp) {
        self.taken_over = false;
        self.note(by, "handed the conversation back", at);
    }

    pub fn resolve(&mut self, by: &str, at: Timestamp) {
        self.taken_over = false;
        self.state = TicketState::Resolved;
        self.note(by, "resolved", at);
    }

    pub fn note(&mut self, by: &str, text: &str, at: Timestamp) {
        self.notes.push(Note { at, by: by.to_owned(), text: text.to_owned() });
        // A ticket that is written for years stays a record that is read at once.
        if self.notes.len() > MOST_NOTES {
            self.notes.remove(0);
        }
        self.updated_at = at;
    }
}

/// Older notes go.
const MOST_NOTES: usize = 500;

/// Who speaks in a conversation beside the assistant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    Student,
    Person,
}

impl Party {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Student => "student",
            Self::Person => "person",
        }
    }
}

/// Words that went between a student and a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    pub id: MessageId,
    pub creator: CreatorId,
    pub conversation: ConversationId,
    pub from: Party,
    /// The person's name, as the student sees it.
    pub by: Option<String>,
    pub text: String,
    pub at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_goes_from_hand_to_hand() {
        let conversation = ConversationId::from_bytes([1; 16]);
        let mut ticket =
            Ticket::open(&"course".parse().unwrap(), &conversation, "not_in_content", "Why?", Timestamp(1));
        assert!(!ticket.reopen("x", "And now?", Timestamp(2)));
        assert_eq!((ticket.reason.as_str(), ticket.question.as_str()), ("not_in_content", "And now?"));
        ticket.assign("ana", "ben", Timestamp(3));
        ticket.take_over("ben", Timestamp(4));
        assert_eq!((ticket.assignee.as_deref(), ticket.taken_over), (Some("ana"), true));
        ticket.resolve("ana", Timestamp(5));
        assert_eq!((ticket.state, ticket.taken_over), (TicketState::Resolved, false));
        assert!(ticket.reopen(ASKED, "Hello?", Timestamp(6)));
        assert_eq!((ticket.state, ticket.assignee, ticket.reason.as_str()), (TicketState::Open, None, ASKED));
        assert_eq!(ticket.notes.len(), 4);
    }
}
