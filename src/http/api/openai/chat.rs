//! `POST /v1/chat/completions`: a question to a course in the shape of OpenAI's API, whole or streamed.

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::limit::{Finish, Limit};
use super::messages::{self, Message};
use super::{creator_of, invalid, seconds, stream, unsupported};
use crate::app::{Wishes, now};
use crate::domain::{Answer, AnswerEvent, Citation, Question, Sentence};
use crate::http::auth::Principal;
use crate::http::error::{ApiError, ErrorBody, RequestId};
use crate::http::extract::Json;
use crate::http::{AppState, fresh_id};
use crate::problem::Problem;

/// Stop sequences of one request, as OpenAI allows.
const MOST_STOPS: usize = 4;

/// A chat to be continued. `temperature`, `top_p`, penalties and `user` are accepted and change nothing: answers are
/// proved, not drawn.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct ChatCompletionRequest {
    /// The creator's slug.
    pub model: String,
    /// The last one is the question; earlier ones tell what it refers to.
    pub messages: Vec<Message>,
    #[serde(default)]
    pub stream: Option<bool>,
    #[serde(default)]
    pub stream_options: Option<StreamOptions>,
    /// A text or up to four.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    pub stop: Option<Stop>,
    #[serde(default)]
    pub seed: Option<i64>,
    #[serde(default)]
    pub max_tokens: Option<usize>,
    /// The newer name of `max_tokens`.
    #[serde(default)]
    pub max_completion_tokens: Option<usize>,
    /// 1.
    #[serde(default)]
    pub n: Option<u32>,
    /// `{"type": "text"}` only.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub response_format: Option<Value>,
    /// Refused when it is not empty.
    #[serde(default)]
    #[schema(value_type = Option<Vec<Object>>)]
    pub tools: Option<Vec<Value>>,
    /// Refused when it is not empty.
    #[serde(default)]
    #[schema(value_type = Option<Vec<Object>>)]
    pub functions: Option<Vec<Value>>,
    /// Refused when true.
    #[serde(default)]
    pub logprobs: Option<bool>,
}

/// What a stream carries beside the text.
#[derive(Debug, Clone, Copy, Default, Deserialize, utoipa::ToSchema)]
pub struct StreamOptions {
    /// A chunk with the usage, and no choice, before the end.
    #[serde(default)]
    pub include_usage: bool,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Stop {
    One(String),
    Many(Vec<String>),
}

/// An answer in the shape of OpenAI's API.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ChatCompletion {
    pub id: String,
    /// `chat.completion`
    pub object: &'static str,
    /// Seconds since 1970.
    pub created: u64,
    /// The creator's slug.
    pub model: String,
    pub choices: Vec<Choice>,
    pub usage: CompletionUsage,
    pub neverafk: Proof,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Choice {
    pub index: u32,
    pub message: Said,
    /// `stop` or `length`
    pub finish_reason: &'static str,
    pub logprobs: Option<u32>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Said {
    /// `assistant`
    pub role: &'static str,
    pub content: String,
    pub refusal: Option<String>,
}

/// Tokens that a chat model read and wrote; zero when the content was quoted without one.
#[derive(Debug, Clone, Copy, Serialize, utoipa::ToSchema)]
pub struct CompletionUsage {
    pub prompt_tokens: u32,
    pub completion_tokens: u32,
    pub total_tokens: u32,
}

/// What proves the answer: fields of `POST /chat`.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Proof {
    pub citations: Vec<Citation>,
    pub sentences: Vec<Sentence>,
    pub sources: Vec<String>,
    pub confidence: f32,
    pub groundedness: f32,
    pub abstained: bool,
    pub should_escalate: bool,
    pub agent: String,
    /// What phrased the answer: `extractive`, or a chat model.
    pub model: String,
    pub language: String,
    #[schema(value_type = String)]
    pub conversation_id: crate::domain::ConversationId,
    #[schema(value_type = String)]
    pub message_id: crate::domain::MessageId,
}

/// Answers the last message from the creator's content.
#[utoipa::path(post, path = "/v1/chat/completions", tag = "openai", security(("key" = [])),
    request_body = ChatCompletionRequest, responses(
    (status = 200, description = "With `stream`, chunks as Server-Sent Events and `[DONE]`", body = ChatCompletion),
    (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub async fn complete(
    State(app): State<AppState>,
    Extension(RequestId(request_id)): Extension<RequestId>,
    principal: Principal,
    Json(request): Json<ChatCompletionRequest>,
) -> Result<Response, ApiError> {
    refuse_unsupported(&request)?;
    let creator = creator_of(&app, &principal, &request.model).await?;
    let place = app.admit()?;
    let (text, before) = messages::read(&request.messages)?;
    let question = Question::parse(&text, creator.clone())?;
    let most = request.max_completion_tokens.or(request.max_tokens);
    let time = now();
    let wishes = Wishes {
        history: Some(messages::turns(before, &creator, time)),
        max_tokens: most,
        seed: request.seed.map(i64::cast_unsigned),
        paid: true,
        ..Wishes::default()
    };
    let stops = match request.stop {
        None => Vec::new(),
        Some(Stop::One(stop)) => vec![stop],
        Some(Stop::Many(stops)) => stops,
    };
    let mut limit = Limit::new(stops, most);
    let mut events = app.answer_with(question, wishes).await?;
    let head =
        stream::Head { id: format!("chatcmpl-{}", fresh_id()), created: seconds(time), model: request.model };
    if request.stream == Some(true) {
        let usage = request.stream_options.unwrap_or_default().include_usage;
        return Ok(stream::respond(events, head, limit, usage, request_id, place));
    }
    let mut content = String::new();
    while let Some(event) = events.recv().await {
        match event? {
            AnswerEvent::Token { content: piece } => content.push_str(&limit.pass(&piece)),
            AnswerEvent::Sources { .. } => {}
            AnswerEvent::Done(answer) => {
                content.push_str(&limit.end());
                return Ok(axum::Json(completion(head, content, &limit, *answer)).into_response());
            }
        }
    }
    Err(Problem::internal("an answer ended without its last event").into())
}

fn completion(head: stream::Head, content: String, limit: &Limit, answer: Answer) -> ChatCompletion {
    let message = Said { role: "assistant", content, refusal: None };
    ChatCompletion {
        id: head.id,
        object: "chat.completion",
        created: head.created,
        model: head.model,
        choices: vec![Choice { index: 0, message, finish_reason: finish(limit), logprobs: None }],
        usage: usage(&answer),
        neverafk: proof(answer),
    }
}

pub(super) fn finish(limit: &Limit) -> &'static str {
    limit.finished().unwrap_or(Finish::Stop).word()
}

pub(super) fn usage(answer: &Answer) -> CompletionUsage {
    let (prompt, completion) = (answer.usage.prompt_tokens, answer.usage.completion_tokens);
    CompletionUsage {
        prompt_tokens: prompt,
        completion_tokens: completion,
        total_tokens: prompt.saturating_add(completion),
    }
}

pub(super) fn proof(answer: Answer) -> Proof {
    Proof {
        citations: answer.citations,
        sentences: answer.sentences,
        sources: answer.sources,
        confidence: answer.confidence,
        groundedness: answer.groundedness,
        abstained: answer.abstained,
        should_escalate: answer.should_escalate,
        agent: answer.agent,
        model: answer.model,
        language: answer.language,
        conversation_id: answer.conversation_id,
        message_id: answer.message_id,
    }
}

/// Refuses by name what would otherwise be promised in silence.
fn refuse_unsupported(request: &ChatCompletionRequest) -> Result<(), Problem> {
    if request.n.is_some_and(|n| n != 1) {
        return Err(unsupported("n", "there is one answer to a question"));
    }
    let format = request.response_format.as_ref().filter(|format| !format.is_null());
    if format.is_some_and(|format| format.get("type").and_then(Value::as_str) != Some("text")) {
        return Err(unsupported("response_format", "answers are text with citations"));
    }
    if request.tools.as_ref().is_some_and(|tools| !tools.is_empty()) {
        return Err(unsupported("tools", "answers come from the course alone"));
    }
    if request.functions.as_ref().is_some_and(|functions| !functions.is_empty()) {
        return Err(unsupported("functions", "answers come from the course alone"));
    }
    if request.logprobs == Some(true) {
        return Err(unsupported("logprobs", "quoted sentences have none"));
    }
    if matches!(&request.stop, Some(Stop::Many(stops)) if stops.len() > MOST_STOPS) {
        return Err(invalid(format!("`stop` has more than {MOST_STOPS} sequences")));
    }
    if request.max_completion_tokens.or(request.max_tokens) == Some(0) {
        return Err(invalid("`max_tokens` is 0: there would be no answer"));
    }
    Ok(())
}
