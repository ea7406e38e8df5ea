//! One question's use of a link: tries again before the first piece, ends in time, and counts what is spent.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout_at};

use super::link::{Link, Permit};
use crate::inference::fault::Fault;
use crate::inference::{ChatModel, ChatPiece, ChatRequest, ModelError, TokenStream};

/// A link with a deadline.
pub struct Attempt {
    link: Arc<Link>,
    began: Instant,
    deadline: Instant,
    spent: Arc<Spent>,
}

/// Tokens of one attempt that left this machine and came back.
#[derive(Debug, Default)]
pub struct Spent {
    read: AtomicU64,
    written: AtomicU64,
}

impl Spent {
    /// What the model read and wrote so far.
    pub fn so_far(&self) -> [u64; 2] {
        [self.read.load(Ordering::Relaxed), self.written.load(Ordering::Relaxed)]
    }

    /// All of it, once: what was taken is not there any more.
    pub fn take(&self) -> u64 {
        self.read.swap(0, Ordering::Relaxed).saturating_add(self.written.swap(0, Ordering::Relaxed))
    }
}

impl Attempt {
    /// Nothing is asked before [`ChatModel::chat`].
    pub fn new(link: Arc<Link>, deadline: Instant) -> Self {
        Self { link, began: Instant::now(), deadline, spent: Arc::default() }
    }

    /// Tokens that left this machine and came back so far, for the budget: an estimate until the end is there.
    /// Nothing for models that run here.
    pub fn spent(&self) -> Arc<Spent> {
        self.spent.clone()
    }

    fn too_slow(&self) -> ModelError {
        let fault = Fault::Slow(self.deadline.saturating_duration_since(self.began));
        ModelError::Remote { model: self.link.name().to_owned(), fault }
    }

    /// The first piece and the rest, or why there is none.
    async fn begin(&self, request: ChatRequest) -> Result<(ChatPiece, TokenStream), ModelError> {
        let begun = async {
            let mut stream = self.link.model.chat(request).await?;
            match stream.recv().await {
                Some(piece) => Ok((piece?, stream)),
                None => Err(self.cut()),
            }
        };
        timeout_at(self.deadline, begun).await.unwrap_or_else(|_| Err(self.too_slow()))
    }

    fn cut(&self) -> ModelError {
        ModelError::Remote { model: self.link.name().to_owned(), fault: Fault::Cut }
    }

    /// How long to wait before the next try; `None` when there is none.
    fn pause(&self, error: &ModelError, tried: u32) -> Option<std::time::Duration> {
        let ModelError::Remote { fault, .. } = error else { return None };
        if tried + 1 >= self.link.options.attempts || !fault.is_passing() {
            return None;
        }
        let backoff = self.link.options.backoff;
        let mut pause = backoff.wait(tried, (self.link.options.random)());
        if let Fault::Limited { retry_after: Some(asked) } = fault {
            // A server that wants to be left alone longer than a student waits is not asked again.
            if *asked > backoff.cap {
                return None;
            }
            pause = pause.max(*asked);
        }
        (Instant::now() + pause < self.deadline).then_some(pause)
    }
}

#[async_trait]
impl ChatModel for Attempt {
    fn name(&self) -> &str {
        self.link.name()
    }

    fn context_tokens(&self) -> usize {
        self.link.model.context_tokens()
    }

    fn count_tokens(&self, text: &str) -> usize {
        self.link.model.count_tokens(text)
    }

    /// Waits for the first piece. After it, the stream ends with the model's end or with an error, never without.
    async fn chat(&self, request: ChatRequest) -> Result<TokenStream, ModelError> {
        let asked: usize = match self.link.leaves_to() {
            Some(_) => request.messages.iter().map(|message| self.count_tokens(&message.content)).sum(),
            None => 0,
        };
        let mut tried = 0;
        loop {
            let permit = self.link.permit().map_err(|left| ModelError::Remote {
                model: self.link.name().to_owned(),
                fault: Fault::Resting(left),
            })?;
            match self.begin(request.clone()).await {
                Ok((piece, stream)) => {
                    let (pieces, passed_on) = mpsc::channel(1);
                    let relay = Relay {
                        link: self.link.clone(),
                        deadline: self.deadline,
                        late: self.too_slow(),
                        cut: self.cut(),
                        asked: asked as u64,
                        spent: self.spent.clone(),
                    };
                    tokio::spawn(relay.run(piece, stream, pieces, permit));
                    return Ok(passed_on);
                }
                Err(error) => {
                    permit.failed(&error);
                    let Some(pause) = self.pause(&error, tried) else { return Err(error) };
                    tracing::debug!(model = self.link.name(), %error, "asking again in {} ms", pause.as_millis());
                    sleep(pause).await;
                    tried += 1;
                }
            }
        }
    }
}

/// Passes pieces on, with an eye on the clock.
struct Relay {
    link: Arc<Link>,
    deadline: Instant,
    late: ModelError,
    cut: ModelError,
    /// Tokens of the prompt, when they count.
    asked: u64,
    spent: Arc<Spent>,
}

impl Relay {
    async fn run(
        self,
        first: ChatPiece,
        mut stream: TokenStream,
        pieces: mpsc::Sender<Result<ChatPiece, ModelError>>,
        permit: Permit,
    ) {
        self.spent.read.store(self.asked, Ordering::Relaxed);
        let mut next = Ok(first);
        loop {
            let ended = match &next {
                Ok(piece) => {
                    self.count(piece);
                    matches!(piece, ChatPiece::End { .. })
                }
                Err(error) => {
                    permit.failed(error);
                    let _ = pieces.send(next).await;
                    return;
                }
            };
            if ended {
                permit.good();
                let _ = pieces.send(next).await;
                return;
            }
            // A reader that left gives the permit back unused: dropping `stream` stops the model.
            if pieces.send(next).await.is_err() {
                return;
            }
            next = tokio::select! {
                biased;
                () = pieces.closed() => return,
                received = timeout_at(self.deadline, stream.recv()) => match received {
                    Ok(Some(piece)) => piece,
                    Ok(None) => Err(self.cut.clone()),
                    Err(_) => Err(self.late.clone()),
                },
            };
        }
    }

    fn count(&self, piece: &ChatPiece) {
        if self.link.leaves_to().is_none() {
            return;
        }
        match piece {
            ChatPiece::Text(text) => {
                let tokens = self.link.model.count_tokens(text).max(1);
                self.spent.written.fetch_add(tokens as u64, Ordering::Relaxed);
            }
            ChatPiece::End { prompt_tokens, completion_tokens, .. } => {
                self.spent.read.store(u64::from(*prompt_tokens), Ordering::Relaxed);
                self.spent.written.store(u64::from(*completion_tokens), Ordering::Relaxed);
            }
        }
    }
}
