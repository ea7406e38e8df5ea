//! [`RemoteChat`]: a model on another machine as a [`ChatModel`], over HTTPS and Server-Sent Events.
//!
//! Speaks with every OpenAI-compatible server ([`openai`]) and with Anthropic ([`anthropic`]). What is asked leaves
//! this machine, so `app` makes one only where the settings name it. Every wait and every size is bounded
//! ([`Patience`], [`sse`]); dropping the stream closes the connection. Trying again is the chain's business.

mod anthropic;
mod client;
mod count;
mod embedder;
mod openai;
mod probe;
mod sse;
mod stream;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::Url;
use tokio::sync::mpsc;

use super::{ChatModel, ChatRequest, ModelError, TokenStream};
use client::Wire;

pub use count::most_tokens;
pub use embedder::RemoteEmbedder;
pub use probe::{page, probe};

/// Which language a server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Api {
    /// `POST {url}/chat/completions`: OpenAI, Ollama, vLLM, the server of llama.cpp.
    OpenAi,
    /// `POST {url}/messages`, as Anthropic has it.
    Anthropic,
}

/// A key that cannot be printed.
#[derive(Clone)]
pub struct Key(String);

impl Key {
    /// `None` for an empty text. Keys are visible ASCII; anything else could not be sent.
    pub fn parse(text: &str) -> Result<Option<Self>, &'static str> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        if text.len() > 4096 || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("the key has characters that no key has");
        }
        Ok(Some(Self(text.to_owned())))
    }

    fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("********")
    }
}

/// How long to wait for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    pub connect: Duration,
    /// From asking to the first word; models that think first need some.
    pub first_token: Duration,
    /// Between two pieces.
    pub idle: Duration,
    pub total: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            first_token: Duration::from_secs(15),
            idle: Duration::from_secs(10),
            total: Duration::from_secs(60),
        }
    }
}

/// Where a model is and how to ask it.
#[derive(Debug, Clone)]
pub struct RemoteOptions {
    /// As settings name it: `openai:gpt-4o-mini`.
    pub name: String,
    pub api: Api,
    /// Up to and with the version: `https://api.openai.com/v1`.
    pub url: Url,
    pub key: Option<Key>,
    /// As the server names it.
    pub model: String,
    pub context_tokens: usize,
    pub patience: Patience,
}

/// A chat model on another machine.
pub struct RemoteChat {
    name: String,
    context: usize,
    wire: Wire,
}

impl RemoteChat {
    /// Nothing is sent before the first question.
    pub fn new(options: RemoteOptions) -> Result<Self, ModelError> {
        let (name, context) = (options.name.clone(), options.context_tokens);
        Ok(Self { name, context, wire: Wire::new(options)? })
    }
}

#[async_trait]
impl ChatModel for RemoteChat {
    fn name(&self) -> &str {
        &self.name
    }

    fn context_tokens(&self) -> usize {
        self.context
    }

    /// An upper estimate: the tokenizer of another machine is not here.
    fn count_tokens(&self, text: &str) -> usize {
        most_tokens(text)
    }

    /// Failures to connect come through the stream too.
    async fn chat(&self, request: ChatRequest) -> Result<TokenStream, ModelError> {
        let room = request.sampling.max_tokens.min(PIECES_AHEAD) + 2;
        let (pieces, stream) = mpsc::channel(room);
        tokio::spawn(stream::pump(self.wire.clone(), request, self.context, pieces));
        Ok(stream)
    }
}

/// Pieces that may wait for a slow reader before the server is slowed down.
const PIECES_AHEAD: usize = 1024;
