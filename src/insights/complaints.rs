//! Why answers did not help: how often each reason was chosen, and what students wrote to it.
//!
//! Comes in: kept turns, newest first. Goes out: counts, and the newest words, masked and bounded. Called by `app`.

use serde::{Deserialize, Serialize};

use crate::domain::{ConversationId, Reason, Turn, mask};

/// Words that are shown.
const MOST_WORDS: usize = 20;
/// Characters of each that are shown.
const MOST_CHARS: usize = 400;

/// Why answers did not help.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Complaints {
    /// Thumbs down, with a reason or without.
    pub unhelpful: u32,
    /// Every reason that somebody chose, the most frequent first.
    pub reasons: Vec<ReasonCount>,
    /// What students wrote, newest first, at most 20; personal data in it is masked.
    pub words: Vec<Words>,
}

/// How often a reason was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ReasonCount {
    pub reason: Reason,
    pub count: u32,
}

/// What a student wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Words {
    pub text: String,
    pub reason: Option<Reason>,
    /// What was asked.
    pub question: String,
    #[schema(value_type = String)]
    pub conversation: ConversationId,
    /// Milliseconds since 1970 (UTC).
    pub said_at_ms: u64,
}

impl Complaints {
    /// Counts a turn that did not help; others say nothing here. Newest first.
    pub fn add(&mut self, turn: &Turn) {
        let Some(given) = turn.feedback.as_ref().filter(|given| !given.helpful) else { return };
        self.unhelpful = self.unhelpful.saturating_add(1);
        if let Some(reason) = given.reason {
            match self.reasons.iter_mut().find(|known| known.reason == reason) {
                Some(known) => known.count = known.count.saturating_add(1),
                None => self.reasons.push(ReasonCount { reason, count: 1 }),
            }
        }
        let written = given.comment.as_deref().filter(|text| !text.trim().is_empty());
        if let Some(text) = written.filter(|_| self.words.len() < MOST_WORDS) {
            self.words.push(Words {
                text: mask::excerpt(text, MOST_CHARS),
                reason: given.reason,
                question: mask::excerpt(&turn.question, MOST_CHARS),
                conversation: turn.conversation.clone(),
                said_at_ms: given.at.0,
            });
        }
    }

    /// The same with the most frequent reason first; those chosen equally often in the order of their list.
    pub fn finish(mut self) -> Self {
        let place = |reason: Reason| Reason::ALL.iter().position(|known| *known == reason);
        self.reasons.sort_by_key(|known| (std::cmp::Reverse(known.count), place(known.reason)));
        self
    }
}
