//! One answer over the wire: ask, listen, pass pieces on, until the end, a fault, or a reader that left.
//!
//! Leaving drops the response, and with it the connection: the server sees it and can stop its model.

use serde_json::{Map, Value};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

use super::client::{Wire, is_type, unreachable};
use super::sse::{Event, Reader};
use super::{Api, anthropic, most_tokens, openai};
use crate::inference::fault::Fault;
use crate::inference::{ChatPiece, ChatRequest, EndReason, ModelError};

type Pieces = mpsc::Sender<Result<ChatPiece, ModelError>>;

/// What a server has said about its answer, beside the words.
#[derive(Debug, Default, PartialEq)]
pub struct Tally {
    pub prompt: Option<u64>,
    pub completion: Option<u64>,
    pub reason: Option<EndReason>,
    /// It said that nothing more comes.
    pub done: bool,
}

/// Longest text for each token that was allowed, in bytes: a server that goes on for ever is stopped there. The
/// longest tokens of common vocabularies are runs of 128 spaces; words have at most some 30 bytes.
const BYTES_PER_TOKEN: usize = 64;

/// Parameters that may be taken back one after the other, because a server does not take them.
const TAKEN_BACK: usize = 4;

/// Runs one answer to its end. The last thing sent is an end or an error.
pub async fn pump(wire: Wire, request: ChatRequest, context: usize, pieces: Pieces) {
    let total = wire.options.patience.total;
    let finished = tokio::select! {
        biased;
        () = pieces.closed() => return,
        finished = timeout(total, talk(&wire, &request, context, &pieces)) => finished,
    };
    if let Err(fault) = finished.unwrap_or(Err(Fault::Slow(total))) {
        // A reader that left meanwhile needs no reason.
        let _ = pieces.send(Err(wire.error(fault))).await;
    }
}

async fn talk(wire: &Wire, request: &ChatRequest, context: usize, pieces: &Pieces) -> Result<(), Fault> {
    let patience = wire.options.patience;
    let first = Instant::now() + patience.first_token;
    let silent = |_| Fault::Silent(patience.first_token);
    let mut response = timeout_at(first, ask(wire, request)).await.map_err(silent)??;
    let (mut reader, mut tally, mut text) = (Reader::default(), Tally::default(), String::new());
    let most = request.sampling.max_tokens.saturating_mul(BYTES_PER_TOKEN);
    'listening: loop {
        let (wait, fault) = if text.is_empty() {
            (first, Fault::Silent(patience.first_token))
        } else {
            (Instant::now() + patience.idle, Fault::Silent(patience.idle))
        };
        let bytes = match timeout_at(wait, response.chunk()).await {
            Err(_) => return Err(fault),
            Ok(Err(_)) => return Err(Fault::Cut),
            Ok(Ok(None)) => break,
            Ok(Ok(Some(bytes))) => bytes,
        };
        for event in reader.feed(&bytes)? {
            if let Some(piece) = hear(wire.options.api, &event, &mut tally)? {
                text.push_str(&piece);
                if pieces.send(Ok(ChatPiece::Text(piece))).await.is_err() {
                    return Ok(());
                }
            }
            if text.len() > most {
                tally.reason = Some(EndReason::Length);
                break 'listening;
            }
            if tally.done {
                break 'listening;
            }
        }
    }
    let reason = match tally.reason {
        Some(reason) => reason,
        None if tally.done => EndReason::Stop,
        None => return Err(Fault::Cut),
    };
    let end = ChatPiece::End {
        prompt_tokens: believable(tally.prompt, context)
            .unwrap_or_else(|| saturated(request.messages.iter().map(|m| most_tokens(&m.content)).sum())),
        completion_tokens: believable(tally.completion, context)
            .unwrap_or_else(|| saturated(most_tokens(&text))),
        reason,
    };
    let _ = pieces.send(Ok(end)).await;
    Ok(())
}

/// What a server says of its usage, but never more than the window holds.
fn believable(said: Option<u64>, context: usize) -> Option<u32> {
    said.map(|tokens| saturated(usize::try_from(tokens).unwrap_or(usize::MAX).min(context)))
}

fn saturated(tokens: usize) -> u32 {
    u32::try_from(tokens).unwrap_or(u32::MAX)
}

/// Sends the question. A parameter that the server refuses by name is taken back, and it is asked again.
async fn ask(wire: &Wire, request: &ChatRequest) -> Result<reqwest::Response, Fault> {
    let model = &wire.options.model;
    let (path, mut body) = match wire.options.api {
        Api::OpenAi => ("chat/completions", openai::body(model, request)),
        Api::Anthropic => ("messages", anthropic::body(model, request)),
    };
    let mut left = TAKEN_BACK;
    loop {
        let sent = wire.request(reqwest::Method::POST, path).json(&body).send().await;
        let response = sent.map_err(unreachable)?;
        if response.status().is_success() {
            return if is_type(&response, "text/event-stream") {
                Ok(response)
            } else {
                Err(Fault::Garbled("it answered with something else than a stream of events".into()))
            };
        }
        let (fault, named) = wire.refusal(response).await;
        let Fault::Refused { said, .. } = &fault else { return Err(fault) };
        left -= 1;
        if left == 0 || !take_back(wire.options.api, &mut body, named.as_deref(), said) {
            return Err(fault);
        }
    }
}

/// Takes the parameter back that a refusal names; false when it names none that we can do without.
fn take_back(api: Api, body: &mut Map<String, Value>, named: Option<&str>, said: &str) -> bool {
    let without = |body: &mut Map<String, Value>, name: &str| match api {
        Api::OpenAi => openai::without(body, name),
        Api::Anthropic => anthropic::without(body, name),
    };
    if let Some(name) = named {
        return without(body, name);
    }
    let words = said.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words.into_iter().any(|word| without(body, word))
}

fn hear(api: Api, event: &Event, tally: &mut Tally) -> Result<Option<String>, Fault> {
    match api {
        Api::OpenAi => openai::hear(&event.data, tally),
        Api::Anthropic => anthropic::hear(event, tally),
    }
}
