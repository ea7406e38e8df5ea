//! A list of chat messages becomes a question and the turns before it. Pure.
//!
//! The last message must be the user's: it is the question. What a `system` or `developer` message says is not obeyed:
//! how a course answers is its creator's business, and whoever asks must not talk it out of its proof.

use serde::Deserialize;

use super::{invalid, unsupported};
use crate::domain::{
    Answer, ConversationId, CreatorId, Memory, MessageId, Timestamp, TimingsMs, Turn, Usage,
};
use crate::problem::Problem;

/// Messages that are looked at; what lies further back says nothing about the question.
const MOST_MESSAGES: usize = 200;

/// One message of a chat.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
pub struct Message {
    /// `system`, `developer`, `user` or `assistant`.
    pub role: String,
    #[schema(value_type = Option<String>)]
    pub content: Option<Content>,
}

/// A text, or texts in parts.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Content {
    Text(String),
    Parts(Vec<Part>),
}

/// A part of a message.
#[derive(Debug, Clone, Deserialize)]
pub struct Part {
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default)]
    pub text: String,
}

/// The question, and what was asked and answered before it, oldest first.
pub fn read(messages: &[Message]) -> Result<(String, Vec<(String, String)>), Problem> {
    let (last, before) = messages.split_last().ok_or_else(|| invalid("`messages` is empty"))?;
    if last.role != "user" {
        return Err(invalid("the last of `messages` is not the user's: there is no question"));
    }
    let mut turns: Vec<(String, String)> = Vec::new();
    for message in &before[before.len().saturating_sub(MOST_MESSAGES)..] {
        match message.role.as_str() {
            "user" => turns.push((text(message)?, String::new())),
            "assistant" => {
                let said = text(message)?;
                if let Some((_, answer)) = turns.last_mut() {
                    answer.push_str(&said);
                }
            }
            "system" | "developer" => {
                text(message)?;
            }
            "tool" | "function" => return Err(unsupported("tools", "answers come from the course alone")),
            other => return Err(invalid(format!("`{other}` is not a role of a message"))),
        }
    }
    Ok((text(last)?, turns))
}

/// Earlier turns as answering reads them: what was said, and nothing of where it came from.
pub fn turns(pairs: Vec<(String, String)>, creator: &CreatorId, now: Timestamp) -> Vec<Turn> {
    let nowhere = || (ConversationId::from_bytes([0; 16]), MessageId::from_bytes([0; 16]));
    let turn = |(question, response): (String, String)| {
        let (conversation, id) = nowhere();
        let answer = Answer {
            response,
            sources: Vec::new(),
            should_escalate: false,
            conversation_id: conversation.clone(),
            message_id: id.clone(),
            citations: Vec::new(),
            sentences: Vec::new(),
            escalation: None,
            confidence: 0.0,
            groundedness: 0.0,
            abstained: false,
            agent: String::new(),
            model: String::new(),
            cached: false,
            language: String::new(),
            usage: Usage::default(),
            timings_ms: TimingsMs::default(),
        };
        Turn {
            id,
            conversation,
            creator: creator.clone(),
            question,
            answer,
            reviewed: false,
            created_at: now,
            // Remembered anew from the turns that the caller sends.
            memory: Memory::default(),
            trace: None,
            feedback: None,
            correction: None,
        }
    };
    pairs.into_iter().map(turn).collect()
}

fn text(message: &Message) -> Result<String, Problem> {
    match &message.content {
        None => Ok(String::new()),
        Some(Content::Text(text)) => Ok(text.clone()),
        Some(Content::Parts(parts)) => {
            if let Some(part) = parts.iter().find(|part| part.kind != "text") {
                return Err(unsupported(
                    "messages",
                    &format!("a part of the type `{}` cannot be read", part.kind),
                ));
            }
            let texts: Vec<&str> = parts.iter().map(|part| part.text.as_str()).collect();
            Ok(texts.join("\n"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_json(messages: serde_json::Value) -> Result<(String, Vec<(String, String)>), Problem> {
        let messages: Vec<Message> = serde_json::from_value(messages).unwrap();
        read(&messages)
    }

    #[test]
    fn the_last_message_is_the_question() {
        let (question, turns) = read_json(serde_json::json!([
            {"role": "system", "content": "Be brief."},
            {"role": "assistant", "content": "Hello!"},
            {"role": "user", "content": "How long do I dry it?"},
            {"role": "assistant", "content": [{"type": "text", "text": "A day."}]},
            {"role": "user", "content": [{"type": "text", "text": "And the"}, {"type": "text", "text": "second coat?"}]},
        ]))
        .unwrap();
        assert_eq!(question, "And the\nsecond coat?");
        assert_eq!(turns, [("How long do I dry it?".to_owned(), "A day.".to_owned())]);
    }

    #[test]
    fn what_is_no_question_is_refused() {
        for (messages, code) in [
            (serde_json::json!([]), "invalid_request"),
            (serde_json::json!([{"role": "assistant", "content": "x"}]), "invalid_request"),
            (
                serde_json::json!([{"role": "wizard", "content": "x"}, {"role": "user", "content": "x"}]),
                "invalid_request",
            ),
            (
                serde_json::json!([{"role": "tool", "content": "x"}, {"role": "user", "content": "x"}]),
                "unsupported_parameter",
            ),
            (
                serde_json::json!([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]),
                "unsupported_parameter",
            ),
        ] {
            assert_eq!(read_json(messages.clone()).unwrap_err().code, code, "{messages}");
        }
    }
}
