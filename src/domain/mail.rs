//! A mail on its way to a person. It holds ids, and neither what it says nor a secret: words are looked up and links made
//! when it goes out, so that erased words wait nowhere and nobody finds a link that works in the data.

use serde::{Deserialize, Serialize};

use super::ids::derived;
use super::{
    ConversationId, CreatorId, Email, EventId, MailId, MessageId, Outgoing, Role, Standing, Timestamp, UserId,
};

/// A mail that waits, was sent, or was given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail {
    pub id: MailId,
    pub about: About,
    pub created_at: Timestamp,
    #[serde(flatten)]
    pub standing: Standing,
}

/// What a mail is about, which also says to whom it goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum About {
    /// Somebody asked for a new password.
    Reset { user: UserId },
    /// Somebody may join a creator's team.
    Invitation { creator: CreatorId, role: Role, email: Email, by: Email },
    /// Conversations need a person, and this is one who answers.
    Escalations { creator: CreatorId, user: UserId, conversations: Vec<ConversationId> },
    /// What a person said to a student who is not there to read it.
    Reply { creator: CreatorId, conversation: ConversationId, message: MessageId },
}

impl About {
    /// Whose data it concerns; nobody's in particular when absent.
    pub fn creator(&self) -> Option<&CreatorId> {
        match self {
            Self::Reset { .. } => None,
            Self::Invitation { creator, .. }
            | Self::Escalations { creator, .. }
            | Self::Reply { creator, .. } => Some(creator),
        }
    }
}

/// Hand-overs within this time after the first one go out in one mail.
const GATHERED_MS: u64 = 60_000;
/// Askings for a new password within this time are one.
const ONE_RESET_MS: u64 = 60_000;

impl Mail {
    /// Leads a person to a new password. Asking again within a minute is asking once.
    pub fn reset(user: UserId, now: Timestamp) -> Self {
        let minute = (now.0 / ONE_RESET_MS).to_le_bytes();
        let id = MailId::of(&[b"reset", user.as_str().as_bytes(), &minute]);
        Self::new(id, About::Reset { user }, now, now)
    }

    /// Invites somebody; each invitation is a mail of its own.
    pub fn invitation(creator: CreatorId, role: Role, email: Email, by: Email, now: Timestamp) -> Self {
        let at = now.0.to_le_bytes();
        let id = MailId::of(&[b"invitation", creator.as_str().as_bytes(), email.as_str().as_bytes(), &at]);
        Self::new(id, About::Invitation { creator, role, email, by }, now, now)
    }

    /// Tells a person that conversations need one. It waits a little, so that others can join it.
    pub fn escalation(
        event: &EventId,
        creator: CreatorId,
        user: UserId,
        conversation: ConversationId,
        now: Timestamp,
    ) -> Self {
        let id = MailId::of(&[b"escalation", event.as_str().as_bytes(), user.as_str().as_bytes()]);
        let about = About::Escalations { creator, user, conversations: vec![conversation] };
        Self::new(id, about, now, Timestamp(now.0.saturating_add(GATHERED_MS)))
    }

    /// Brings a message to the student.
    pub fn reply(
        creator: CreatorId,
        conversation: ConversationId,
        message: MessageId,
        now: Timestamp,
    ) -> Self {
        let id = MailId::of_reply(&message);
        Self::new(id, About::Reply { creator, conversation, message }, now, now)
    }

    fn new(id: MailId, about: About, created_at: Timestamp, due: Timestamp) -> Self {
        Self { id, about, created_at, standing: Standing::due(due) }
    }
}

impl MailId {
    /// The mail that brings this message to the student.
    pub fn of_reply(message: &MessageId) -> Self {
        Self::of(&[b"reply", message.as_str().as_bytes()])
    }

    fn of(parts: &[&[u8]]) -> Self {
        let mut all: Vec<&[u8]> = vec![b"neverafk mail v1"];
        all.extend_from_slice(parts);
        Self::from_bytes(derived(&all))
    }
}

impl Outgoing for Mail {
    const WHAT: &'static str = "mail";
    type Id = MailId;

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn standing(&self) -> &Standing {
        &self.standing
    }

    fn standing_mut(&mut self) -> &mut Standing {
        &mut self.standing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asking_twice_in_a_minute_is_asking_once() {
        let user = |byte| UserId::from_bytes([byte; 16]);
        let id = |byte, at| Mail::reset(user(byte), Timestamp(at)).id;
        assert_eq!(id(1, 60_000), id(1, 119_999));
        assert_ne!(id(1, 60_000), id(1, 120_000));
        assert_ne!(id(1, 60_000), id(2, 60_000));
    }

    #[test]
    fn a_record_reads_as_it_was_written() {
        let creator: CreatorId = "course".parse().unwrap();
        let email: Email = "a@x.example".parse().unwrap();
        let (conversation, message) = (ConversationId::from_bytes([1; 16]), MessageId::from_bytes([2; 16]));
        let event = EventId::from_bytes([3; 16]);
        for mail in [
            Mail::reset(UserId::from_bytes([1; 16]), Timestamp(5)),
            Mail::invitation(creator.clone(), Role::Agent, email.clone(), email, Timestamp(5)),
            Mail::escalation(
                &event,
                creator.clone(),
                UserId::from_bytes([1; 16]),
                conversation.clone(),
                Timestamp(5),
            ),
            Mail::reply(creator, conversation, message, Timestamp(5)),
        ] {
            let json = serde_json::to_string(&mail).unwrap();
            assert_eq!(serde_json::from_str::<Mail>(&json).unwrap(), mail, "{json}");
        }
    }
}
