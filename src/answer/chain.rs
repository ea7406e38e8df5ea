//! Which model phrases an answer: the first of an ordered list that works, else the passages themselves, which never
//! fail.
//!
//! All of them share one time budget, and those on other machines a creator's tokens of the month. The next model gets
//! its turn only while nothing was shown: two models' texts never mix in one answer (`generate.rs` completes what broke
//! off by quotation). How one model is tried, paused and left alone is `inference/chain`.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::compose::extractive;
use super::phrases::Voice;
use super::{AnswerError, Answering, Asked, Draft, Events, Evidence, generate};
use crate::domain::trace::CostTrace;
use crate::domain::{CreatorId, Usage};
use crate::inference::chain::{Attempt, Link, Spent};
use crate::inference::{ChatMessage, ChatModel, ChatPiece, ChatRequest, ModelError, Sampling};
use crate::store::{Store, StoreError};

/// The models of an answer, in the order in which they are tried.
#[derive(Clone)]
pub struct Chain {
    pub links: Vec<Arc<Link>>,
    /// For all of them together, from the moment the question came in.
    pub budget: Duration,
    /// Tokens that models on other machines may use for this creator in this month.
    pub allowance: Option<Allowance>,
    /// Fail with the last model's error instead of quoting: for those who compare models.
    pub strict: bool,
    /// How long the first model may take to say a follow-up in full; `None` leaves that to the rules.
    pub rewriting: Option<Duration>,
}

/// A limit for one month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// As `202611`.
    pub month: u32,
    /// `None` counts without a limit.
    pub tokens: Option<u64>,
}

impl Chain {
    /// No model: the best sentences, verbatim.
    pub fn none() -> Self {
        Self {
            links: Vec::new(),
            budget: Duration::from_secs(120),
            allowance: None,
            strict: false,
            rewriting: None,
        }
    }
}

/// Phrases the answer that the evidence holds.
pub(super) async fn phrase(
    answering: &Answering,
    asked: &Asked,
    evidence: &Evidence,
    voice: &Voice<'_>,
    events: &mut Events,
) -> Result<Draft, AnswerError> {
    let (chain, options) = (&answering.chat, &answering.options);
    let deadline = Instant::from_std(events.began) + chain.budget;
    let mut failed: Option<ModelError> = None;
    let mut costs = Vec::new();
    for link in &chain.links {
        let metered = chain.allowance.filter(|_| link.leaves_to().is_some());
        if let Some(Allowance { month, tokens: Some(most) }) = metered
            && answering.finder.store.tokens_spent(&asked.creator.id, month).await? >= most
        {
            tracing::info!(creator = %asked.creator.id, model = link.name(), "the month's tokens are used up");
            failed = Some(ModelError::Unavailable("this month's tokens are used up".into()));
            continue;
        }
        let attempt = Attempt::new(link.clone(), deadline);
        let bill = Bill {
            store: &answering.finder.store,
            creator: &asked.creator.id,
            month: metered.map(|allowance| allowance.month),
            spent: attempt.spent(),
        };
        let entailment = answering.entailment.as_ref();
        let outcome = generate::generate(&attempt, entailment, asked, evidence, voice, options, events).await;
        costs.extend(cost(link, outcome.as_ref().map_or(Usage::default(), |draft| draft.usage), &bill.spent));
        bill.settle().await?;
        match outcome {
            Err(AnswerError::Model(error)) => {
                tracing::warn!(model = link.name(), %error, "a model did not answer; the next one does");
                failed = Some(error);
            }
            other => return other.map(|draft| Draft { costs, ..draft }),
        }
    }
    if let Some(error) = failed.filter(|_| chain.strict) {
        return Err(error.into());
    }
    let draft = extractive(evidence, &voice.say("intro"));
    events.sources(&draft.citations).await;
    events.text(&draft.response).await;
    Ok(Draft { costs, ..draft })
}

/// What a model took: as it says itself, else as it was counted on the way; nothing where it took nothing.
fn cost(link: &Link, usage: Usage, spent: &Spent) -> Option<CostTrace> {
    let said = [u64::from(usage.prompt_tokens), u64::from(usage.completion_tokens)];
    let [read, written] = if said == [0, 0] { spent.so_far() } else { said };
    (read > 0 || written > 0).then(|| CostTrace {
        model: link.name().to_owned(),
        prompt_tokens: read,
        completion_tokens: written,
        amount: link.price().of(read, written),
    })
}

/// What the first model says to `messages`, in one try; `None` where there is none, its tokens are used up, or it fails or
/// takes longer than `within`: who asks goes on without.
pub(super) async fn say(
    answering: &Answering,
    creator: &CreatorId,
    messages: Vec<ChatMessage>,
    max_tokens: usize,
    within: Duration,
) -> Result<Option<String>, AnswerError> {
    let (chain, store) = (&answering.chat, &answering.finder.store);
    let Some(link) = chain.links.first() else { return Ok(None) };
    let metered = chain.allowance.filter(|_| link.leaves_to().is_some());
    if let Some(Allowance { month, tokens: Some(most) }) = metered
        && store.tokens_spent(creator, month).await? >= most
    {
        return Ok(None);
    }
    let attempt = Attempt::new(link.clone(), Instant::now() + within);
    let month = metered.map(|allowance| allowance.month);
    let bill = Bill { store, creator, month, spent: attempt.spent() };
    let sampling = Sampling { max_tokens, seed: answering.options.seed, ..Sampling::default() };
    let said = timeout(within, listen(&attempt, ChatRequest { messages, sampling })).await;
    bill.settle().await?;
    match said {
        Ok(Ok(text)) => Ok(Some(text)),
        Ok(Err(error)) => {
            tracing::warn!(model = link.name(), %error, "a model did not say a follow-up in full");
            Ok(None)
        }
        Err(_) => {
            tracing::debug!(model = link.name(), "a model took too long to say a follow-up in full");
            Ok(None)
        }
    }
}

async fn listen(model: &dyn ChatModel, request: ChatRequest) -> Result<String, ModelError> {
    let mut pieces = model.chat(request).await?;
    let mut said = String::new();
    while let Some(piece) = pieces.recv().await {
        match piece? {
            ChatPiece::Text(text) => said.push_str(&text),
            ChatPiece::End { .. } => break,
        }
    }
    Ok(said)
}

/// Tokens that are written down when an attempt ends, however it ends.
struct Bill<'a> {
    store: &'a Store,
    creator: &'a CreatorId,
    /// `None` when nothing is counted.
    month: Option<u32>,
    spent: Arc<Spent>,
}

impl Bill<'_> {
    async fn settle(self) -> Result<(), StoreError> {
        let tokens = self.spent.take();
        if let (Some(month), true) = (self.month, tokens > 0) {
            self.store.spend_tokens(self.creator, month, tokens).await?;
        }
        Ok(())
    }
}

impl Drop for Bill<'_> {
    /// The student left in the middle: what was used until then counts all the same.
    fn drop(&mut self) {
        let tokens = self.spent.take();
        let Some(month) = self.month.filter(|_| tokens > 0) else { return };
        let (store, creator) = (self.store.clone(), self.creator.clone());
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Err(error) = store.spend_tokens(&creator, month, tokens).await {
                    tracing::warn!(%creator, %error, "{tokens} used tokens could not be counted");
                }
            });
        }
    }
}
