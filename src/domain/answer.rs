//! An answer with its proof: the wire shape of `POST /chat` is exactly [`Answer`].
//!
//! These types are the contract with clients (CONTRACT, section 3), so their field names never change.

use serde::{Deserialize, Serialize};

use super::{Anchor, ConversationId, DocumentId, MessageId};

/// A finished answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Answer {
    /// The words for the student; citations stand in them as `[1]`.
    pub response: String,
    /// One line for each cited place, as `Refunds (p. 3) (Score: 0.92)`.
    pub sources: Vec<String>,
    /// A person should look at this conversation.
    pub should_escalate: bool,
    /// Why a person should.
    #[serde(default)]
    pub escalation: Option<Escalation>,
    #[schema(value_type = String)]
    pub conversation_id: ConversationId,
    #[schema(value_type = String)]
    pub message_id: MessageId,
    pub citations: Vec<Citation>,
    pub sentences: Vec<Sentence>,
    /// Probability that the content holds the answer, 0 to 1.
    pub confidence: f32,
    /// Mean support of the sentences by what they cite, 0 to 1.
    pub groundedness: f32,
    /// The content does not hold the answer, and the response says so.
    pub abstained: bool,
    /// Which agent answered: `course`, `policy`, `progress`, `escalation`, `small_talk`, `not_ours`, `guard` or `credits`; two
    /// with a plus between them.
    pub agent: String,
    /// `extractive`, or the name of the chat model.
    pub model: String,
    pub cached: bool,
    /// ISO 639-1.
    pub language: String,
    pub usage: Usage,
    pub timings_ms: TimingsMs,
}

impl Answer {
    /// The content does not hold the answer: not merely that the message was none for this assistant.
    pub fn is_gap(&self) -> bool {
        self.abstained && self.escalation == Some(Escalation::NotInContent)
    }
}

/// Why a person should look at a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Escalation {
    /// The content does not hold the answer.
    NotInContent,
    /// The question is about something else than the course.
    NotOurs,
    /// The guard took the message for an attack.
    Blocked,
    /// The student asks for a person, or complains.
    Human,
    Anger,
    /// The student demands money back, or threatens with a bank, a lawyer or the public.
    MoneyBack,
    /// Somebody may be in danger.
    Safety,
    /// The creator's credits are used up, so nothing was looked up.
    CreditsUsedUp,
}

impl Escalation {
    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotInContent => "not_in_content",
            Self::NotOurs => "not_ours",
            Self::Blocked => "blocked",
            Self::Human => "human",
            Self::Anger => "anger",
            Self::MoneyBack => "money_back",
            Self::Safety => "safety",
            Self::CreditsUsedUp => "credits_used_up",
        }
    }
}

/// A verbatim quotation and where it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Citation {
    /// The number in the answer's `[n]`.
    pub id: u32,
    #[schema(value_type = String)]
    pub document_id: DocumentId,
    pub external_id: Option<String>,
    pub title: String,
    /// A verbatim part of the stored text of the document.
    pub quote: String,
    #[schema(value_type = Object)]
    pub anchor: Anchor,
    /// Opens the place in the original.
    pub url: Option<String>,
    pub score: f32,
}

/// A sentence of the answer with what supports it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Sentence {
    pub text: String,
    pub citations: Vec<u32>,
    /// 0 to 1; low means that the cited places do not say this.
    pub support: f32,
}

/// Tokens that a chat model read and wrote; zero when none was used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Usage {
    pub prompt_tokens: u32,
    pub completion_tokens: u32,
}

/// How long the stages took, in milliseconds since the question came in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TimingsMs {
    /// Until the evidence was there.
    pub retrieve: f64,
    /// Until the first piece of the answer.
    pub first_token: f64,
    pub total: f64,
}

/// What a client sees while an answer is made, in this order.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum AnswerEvent {
    /// Evidence is there; sent once, first.
    Sources { sources: Vec<String>, citations: Vec<Citation> },
    /// A piece of the response; all pieces together are the response.
    Token { content: String },
    /// The whole answer; sent once, last.
    Done(Box<Answer>),
}
