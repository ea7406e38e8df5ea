//! When people speak: taking a conversation over, handing it back, and what they and students say meanwhile.
//!
//! While a person has a conversation, the assistant is silent: a question is kept as a message that the person reads,
//! and its answer has no words. `http` calls this for agents and students alike.

use std::time::Duration;

use tokio::sync::mpsc;

use super::{App, now, random};
use crate::answer::AnswerStream;
use crate::domain::{
    Answer, AnswerEvent, ConversationId, CreatorId, EventKind, Message, MessageId, Party, Question, Ticket,
    TimingsMs, Usage,
};
use crate::problem::{Kind, Problem};

/// What answers while a person has the conversation.
pub const PERSON: &str = "person";

/// Tokens of conversations: whoever has one began the conversation, and may hear and say what goes on in it. An id
/// alone is no proof, as agents and programs see ids.
#[derive(Clone)]
pub struct Tokens {
    secret: Vec<u8>,
}

impl Tokens {
    /// The token of a conversation; nobody makes one without the secret.
    pub fn of(&self, creator: &CreatorId, conversation: &ConversationId) -> String {
        let mut hasher = blake3::Hasher::new_derive_key("neverafk 2026-11 conversation token");
        for part in [self.secret.as_slice(), creator.as_str().as_bytes(), conversation.as_str().as_bytes()] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        hasher.finalize().to_hex().to_string()
    }

    /// Whether a token is of this conversation; compared in a time that tells nothing.
    pub fn is_of(&self, token: &str, creator: &CreatorId, conversation: &ConversationId) -> bool {
        blake3::hash(self.of(creator, conversation).as_bytes()) == blake3::hash(token.as_bytes())
    }
}

impl App {
    /// Silences the assistant in a conversation that has a ticket.
    pub async fn take_over(
        &self,
        creator: &CreatorId,
        conversation: &ConversationId,
        by: &str,
    ) -> Result<Ticket, Problem> {
        let (by, at, kind) = (by.to_owned(), now(), Some(EventKind::ConversationTakenOver));
        self.change_ticket(creator, conversation, kind, move |ticket| ticket.take_over(&by, at)).await
    }

    /// Lets the assistant speak again.
    pub async fn hand_back(
        &self,
        creator: &CreatorId,
        conversation: &ConversationId,
        by: &str,
    ) -> Result<Ticket, Problem> {
        let (by, at, kind) = (by.to_owned(), now(), Some(EventKind::ConversationHandedBack));
        self.change_ticket(creator, conversation, kind, move |ticket| ticket.hand_back(&by, at)).await
    }

    /// Changes a ticket that must be there, and tells of it as the event of this kind.
    pub async fn change_ticket(
        &self,
        creator: &CreatorId,
        conversation: &ConversationId,
        kind: Option<EventKind>,
        change: impl FnMut(&mut Ticket) + Send + 'static,
    ) -> Result<Ticket, Problem> {
        let changed = self.store().change_ticket(creator, conversation, kind, change).await?;
        changed.ok_or_else(|| no_escalation(conversation))
    }

    /// Keeps what somebody says in a conversation; who listens hears it. A student who left an address and is not there
    /// gets a person's words by mail too.
    pub async fn say(
        &self,
        creator: &CreatorId,
        conversation: &ConversationId,
        from: Party,
        by: Option<String>,
        text: String,
    ) -> Result<Message, Problem> {
        let message = Message {
            id: MessageId::from_bytes(random()?),
            creator: creator.clone(),
            conversation: conversation.clone(),
            from,
            by,
            text,
            at: now(),
        };
        let ticket = match from {
            Party::Person => self.store().ticket(creator, conversation).await?,
            Party::Student => None,
        };
        match ticket.and_then(|ticket| self.reply_by_mail(&message, &ticket)) {
            Some(mail) => self.store().add_message_with_mail(message.clone(), mail).await?,
            None => self.store().add_message(message.clone()).await?,
        }
        Ok(message)
    }

    /// Makes the secrets that answers need, while there is room for them: a full disk later ends no answer.
    pub async fn make_secrets(&self) -> Result<(), Problem> {
        self.tokens().await?;
        self.store().link_key().await?;
        Ok(())
    }

    /// What makes and checks the tokens of conversations.
    pub async fn tokens(&self) -> Result<&Tokens, Problem> {
        self.tokens
            .get_or_try_init(|| async {
                let fresh = [random()?, random()?].concat();
                let secret = self.store().secret("conversations", fresh).await?;
                Ok(Tokens { secret })
            })
            .await
    }

    /// While a person has the conversation: keeps the question for the person, and gives an answer without words.
    pub(super) async fn heard_by_person(
        &self,
        creator: &CreatorId,
        conversation: &ConversationId,
        question: &Question,
    ) -> Result<Option<AnswerStream>, Problem> {
        let ticket = self.store().ticket(creator, conversation).await?;
        if !ticket.is_some_and(|ticket| ticket.taken_over) {
            return Ok(None);
        }
        let began = std::time::Instant::now();
        let message =
            self.say(creator, conversation, Party::Student, None, question.text().to_owned()).await?;
        let took = began.elapsed().max(Duration::from_nanos(1)).as_secs_f64() * 1000.0;
        let answer = Answer {
            response: String::new(),
            sources: Vec::new(),
            should_escalate: false,
            escalation: None,
            conversation_id: conversation.clone(),
            message_id: message.id,
            citations: Vec::new(),
            sentences: Vec::new(),
            confidence: 0.0,
            groundedness: 1.0,
            abstained: false,
            agent: PERSON.to_owned(),
            model: PERSON.to_owned(),
            cached: false,
            language: question.language.clone().unwrap_or_else(|| "en".to_owned()),
            usage: Usage::default(),
            timings_ms: TimingsMs { retrieve: 0.0, first_token: took, total: took },
        };
        let (sender, receiver) = mpsc::channel(2);
        let events = [
            AnswerEvent::Sources { sources: Vec::new(), citations: Vec::new() },
            AnswerEvent::Done(Box::new(answer)),
        ];
        for event in events {
            // The channel has room for both.
            let _ = sender.try_send(Ok(event));
        }
        Ok(Some(receiver))
    }
}

/// What is said where a conversation has no ticket.
pub fn no_escalation(conversation: &ConversationId) -> Problem {
    Problem::new(
        Kind::Missing,
        "unknown_escalation",
        format!("there is no escalation `{conversation}`"),
        "`GET /api/v1/escalations` lists those there are",
    )
}
