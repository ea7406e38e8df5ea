//! What happened: an event names its kind and its subject by their ids, and holds nobody's words.
//!
//! The store makes events in the transaction of what happened, so that none is lost and none is invented. What is
//! told inside this process carries the thing itself beside the event ([`Told`]); what waits for a webhook is the
//! event alone, so that erased words wait nowhere.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::ids::derived;
use super::{
    ConversationId, CreatorId, Document, DocumentId, EventId, Job, JobId, Message, MessageId, Party, Ticket,
    Timestamp, Turn,
};

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal,)+) => {
        /// What kind of thing happened.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum EventKind {
            $($(#[$doc])* #[serde(rename = $name)] $kind,)+
        }

        impl EventKind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$kind),+];

            /// The name in JSON, settings and headers.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$kind => $name),+ }
            }
        }
    };
}

kinds! {
    /// A question was answered, or declined, and kept.
    AnswerCreated = "answer.created",
    /// A student said whether an answer helped.
    FeedbackGiven = "feedback.given",
    /// The creator gave the right answer to a question.
    AnswerCorrected = "answer.corrected",
    /// A conversation needs a person.
    ConversationEscalated = "conversation.escalated",
    /// The student said how to be reached.
    ContactLeft = "conversation.contact_left",
    /// Somebody took the ticket.
    ConversationAssigned = "conversation.assigned",
    ConversationResolved = "conversation.resolved",
    /// A person speaks instead of the assistant.
    ConversationTakenOver = "conversation.taken_over",
    ConversationHandedBack = "conversation.handed_back",
    /// A person or, while a person speaks, the student said something.
    MessageCreated = "message.created",
    /// Documents are searchable.
    DocumentReady = "document.ready",
    /// A queued document was given up.
    DocumentFailed = "document.failed",
    /// Most of a month's credits are used.
    CreditsLow = "credits.low",
    /// A webhook is tried out.
    WebhookTest = "webhook.test",
    /// Somebody is writing; told to sockets alone.
    Typing = "conversation.typing",
}

impl EventKind {
    /// Whether webhooks can ask for it.
    pub fn is_for_webhooks(self) -> bool {
        self != Self::Typing
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for EventKind {
    type Err = String;
    fn from_str(name: &str) -> Result<Self, String> {
        let kinds = Self::ALL.iter().copied();
        kinds.filter(|kind| kind.is_for_webhooks()).find(|kind| kind.as_str() == name).ok_or_else(|| {
            let known: Vec<&str> =
                Self::ALL.iter().filter(|kind| kind.is_for_webhooks()).map(|kind| kind.as_str()).collect();
            format!("`{name}` is no event; there are {}", known.join(", "))
        })
    }
}

/// What an event is about: only what applies is set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub conversation: Option<ConversationId>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub message: Option<MessageId>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub document: Option<DocumentId>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub job: Option<JobId>,
    /// How many documents, when it is more than the one that is named; how many credits are left.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub count: Option<u64>,
}

/// Something that happened to a creator's data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    pub id: EventId,
    pub creator: CreatorId,
    pub kind: EventKind,
    #[serde(flatten)]
    pub subject: Subject,
    pub at: Timestamp,
}

impl Event {
    /// The event of this; the same is told under the same id.
    pub fn new(creator: &CreatorId, kind: EventKind, subject: Subject, at: Timestamp) -> Self {
        let part = |text: Option<&str>| text.unwrap_or_default().as_bytes().to_vec();
        let id = derived(&[
            b"neverafk event v1",
            creator.as_str().as_bytes(),
            kind.as_str().as_bytes(),
            &part(subject.conversation.as_ref().map(ConversationId::as_str)),
            &part(subject.message.as_ref().map(MessageId::as_str)),
            &part(subject.document.as_ref().map(DocumentId::as_str)),
            &part(subject.job.as_ref().map(JobId::as_str)),
            &at.0.to_le_bytes(),
        ]);
        Self { id: EventId::from_bytes(id), creator: creator.clone(), kind, subject, at }
    }
}

/// The thing that an event is about, as it was when the event was told.
#[derive(Debug, Clone, PartialEq)]
pub enum Matter {
    Turn(Box<Turn>),
    Ticket(Box<Ticket>),
    Message(Box<Message>),
    /// The first of a call's documents, how many there are, and the bytes of all.
    Documents {
        first: Box<Document>,
        count: u64,
        bytes: u64,
    },
    Job(Box<Job>),
    /// How many are left.
    Credits(u64),
    Typing(Party),
    /// A test, which is about nothing.
    Nothing,
}

/// An event with its thing, told inside this process.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    pub event: Event,
    pub matter: Matter,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_has_one_id_and_no_other_has_it() {
        let creator: CreatorId = "course".parse().unwrap();
        let about =
            |byte: u8| Subject { message: Some(MessageId::from_bytes([byte; 16])), ..Subject::default() };
        let event = |kind, byte, at| Event::new(&creator, kind, about(byte), Timestamp(at)).id;
        let first = event(EventKind::AnswerCreated, 1, 1);
        assert_eq!(first, event(EventKind::AnswerCreated, 1, 1));
        for other in [
            event(EventKind::MessageCreated, 1, 1),
            event(EventKind::AnswerCreated, 2, 1),
            event(EventKind::AnswerCreated, 1, 2),
        ] {
            assert_ne!(first, other);
        }
    }

    #[test]
    fn names_are_read_back_and_typing_is_for_sockets_alone() {
        for kind in EventKind::ALL {
            assert_eq!(kind.as_str().parse::<EventKind>().is_ok(), kind.is_for_webhooks(), "{kind}");
        }
        assert!("answer".parse::<EventKind>().unwrap_err().contains("answer.created"));
    }
}
