//! A question becomes an answer. The pipeline, with every branch visible, is [`run`].
//!
//! question → guard → memory → route → find evidence → is the answer in it? → extract or generate → verify → answer. "The
//! content does not hold it" is an answer that fetches a person; only faults are errors. Each stage is a function of its own file,
//! testable without the rest. Dropping the stream of events stops everything, a model between two tokens.

pub mod abstain;
mod agents;
pub mod cache;
pub mod chain;
pub mod cite;
mod compose;
pub mod corrected;
pub mod entail;
pub mod extract;
mod facts;
pub mod find;
pub mod fuse;
mod generate;
pub mod guard;
mod judge;
mod lesson;
mod memory;
pub mod phrases;
mod prompt;
mod proved;
mod relevance;
pub mod rerank;
pub mod retrieve;
mod rewrite;
pub mod route;
mod trace;
pub mod tuned;
mod unpaid;
pub mod verify;

use std::any::Any;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::mpsc;

use crate::collection::CollectionError;
use crate::domain::trace::{CostTrace, EntailmentTrace, RerankTrace, VariantTrace};
use crate::domain::{
    Answer, AnswerEvent, AnswerTrace, Charge, Citation, ConversationId, Escalation, Memory, MessageId,
    Question, Sentence, Student, Tariff, Terms, Timestamp, TimingsMs, Turn, Usage, mask,
};
use crate::index::IndexError;
use crate::index::analyze::Language;
use crate::inference::ModelError;
use crate::store::{Creator, Store, StoreError};

use cache::{AnswerCache, Wanted};
use chain::Chain;
use entail::Entailment;
use extract::Picked;
use find::{Finder, Passage};
use guard::{Guard, Verdict};
use phrases::Voice;
use route::nearest::Examples;
use route::{Agent, By, Plan};

pub use agents::policy;
pub use agents::progress::lessons;
pub use cite::place;
pub use unpaid::unpaid;

/// Pieces wait here for a slow reader; a full channel slows the model down, not the server.
const EVENTS: usize = 64;

/// Chunks that are looked at for one answer.
const EVIDENCE: usize = 5;

/// How many times as many are looked at where the student's lesson may raise one.
const LESSON_DEPTH: usize = 4;

/// Characters of a blocked question that are logged.
const LOGGED: usize = 80;

/// What answering needs.
#[derive(Clone)]
pub struct Answering {
    pub finder: Finder,
    /// Phrases answers; when it is empty or nothing of it works, they are the best sentences, verbatim.
    pub chat: Chain,
    /// Reads a chat model's sentences beside what they cite; without one their words alone are compared.
    pub entailment: Option<Entailment>,
    /// Judges questions before anything else is done; without one every question is answered.
    pub guard: Option<Arc<Guard>>,
    /// Examples of turns that the router compares with.
    pub examples: Arc<Examples>,
    /// Answers that were given before.
    pub cache: Arc<AnswerCache>,
    pub options: AnswerOptions,
}

/// How to answer.
#[derive(Debug, Clone)]
pub struct AnswerOptions {
    /// Below this confidence the answer is declined.
    pub threshold: f32,
    pub max_sentences: usize,
    pub max_tokens: usize,
    /// Passages given to a chat model.
    pub passages: usize,
    /// Probability of an attack from which the guard blocks a question.
    pub guard_threshold: f32,
    /// The same seed, question and model give the same answer.
    pub seed: u64,
}

/// A question in its circumstances.
#[derive(Debug, Clone)]
pub struct Asked {
    pub question: Question,
    pub creator: Creator,
    pub conversation: ConversationId,
    /// Earlier turns of this conversation, oldest first.
    pub history: Vec<Turn>,
    pub message: MessageId,
    pub now: Timestamp,
    /// Whether the answer is kept as a turn of its conversation.
    pub keep: bool,
    /// Whom the creator's site signed for.
    pub student: Option<Student>,
    /// Which variant of an experiment the student has; the creator's settings are those of it.
    pub variant: Option<VariantTrace>,
    /// Who pays; nobody where answers have no price.
    pub bill: Option<Bill>,
}

/// What an answer costs, and the credits that are held for it.
#[derive(Debug, Clone)]
pub struct Bill {
    pub tariff: Tariff,
    pub terms: Terms,
    /// Lets go of them when the last copy goes: the answer is paid, or given up.
    pub hold: Arc<dyn Any + Send + Sync>,
    /// Hears of what was paid, once it is durable.
    pub paid: fn(&Charge),
}

impl Bill {
    fn charge(&self, answer: &Answer) -> Option<Charge> {
        let (served, credits) = self.tariff.price(answer, compose::EXTRACTIVE)?;
        Some(Charge { served, credits, terms: self.terms })
    }
}

/// What an answer fails of.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Collection(#[from] CollectionError),
    #[error(transparent)]
    Index(#[from] IndexError),
    #[error(transparent)]
    Model(#[from] ModelError),
    #[error("a stage of answering crashed")]
    Crashed,
}

/// One event of an answer, or why there are no more.
pub type AnswerItem = Result<AnswerEvent, AnswerError>;
/// The events of one answer. Dropping it stops the work.
pub type AnswerStream = mpsc::Receiver<AnswerItem>;

/// An answer before it is finished: what the branches of the pipeline give.
struct Draft {
    response: String,
    citations: Vec<Citation>,
    sentences: Vec<Sentence>,
    abstained: bool,
    escalation: Option<Escalation>,
    /// Probability that the content holds the answer; 1 of set phrases, which claim nothing of it.
    confidence: f32,
    /// Names of the agents that answer, in order.
    agents: Vec<&'static str>,
    model: String,
    usage: Usage,
    /// What an entailment model said of a chat model's sentences.
    entailment: Option<EntailmentTrace>,
    /// What each model that was tried took.
    costs: Vec<CostTrace>,
}

/// Begins to answer; events come as they are made.
pub fn answer(answering: Answering, asked: Asked) -> AnswerStream {
    let (sender, receiver) = mpsc::channel(EVENTS);
    tokio::spawn(async move {
        let events =
            Events { sender: sender.clone(), began: Instant::now(), first_token: None, sources_sent: false };
        let finished = tokio::select! {
            finished = run(&answering, asked, events) => finished,
            () = sender.closed() => return,
        };
        if let Err(error) = finished {
            // Nobody left to tell when the stream was dropped meanwhile.
            let _ = sender.send(Err(error)).await;
        }
    });
    receiver
}

/// The whole turn, for who waits for it: what a stream would have told is told to nobody.
pub async fn turn_of(answering: &Answering, asked: Asked) -> Result<Turn, AnswerError> {
    let (sender, mut receiver) = mpsc::channel(EVENTS);
    let events = Events { sender, began: Instant::now(), first_token: None, sources_sent: false };
    let unheard = async { while receiver.recv().await.is_some() {} };
    tokio::join!(run(answering, asked, events), unheard).0
}

async fn run(answering: &Answering, asked: Asked, mut events: Events) -> Result<Turn, AnswerError> {
    let given = asked.question.language.as_deref().map(Language::of_code);
    let mut trace = trace::begun(answering, &asked);
    let verdict = judged(answering, &asked).await?;
    let is_blocked = verdict.as_ref().is_some_and(|verdict| verdict.reason.is_some());
    trace.guard = verdict.as_ref().map(trace::guard);
    trace.at_ms.guard = events.elapsed_ms();
    let mut wanted = if is_blocked { None } else { Wanted::of(answering, &asked) };
    if let Some(wanted) = &mut wanted {
        match answering.cache.get(wanted, &asked, &answering.finder).await? {
            Some((answer, how)) => {
                trace.cache = Some(how.name().to_owned());
                return again(answering, &asked, answer, trace, events).await;
            }
            None => trace.cache = Some(cache::MISS.to_owned()),
        }
    }
    let memory = memory::of(&asked.history);
    let mut whole = memory::standalone(asked.question.text(), &memory);
    if whole.is_some()
        && !is_blocked
        && let Some(said) = rewrite::by_model(answering, &asked, &memory).await?
    {
        whole = Some(said);
    }
    let corrected =
        if is_blocked { None } else { corrected::evidence(answering, &asked, whole.as_deref()).await? };
    let mut plan = if is_blocked {
        // Who asks for a person gets one, whatever else the message looks like: nothing is looked up for it.
        route::plan(asked.question.text()).set_phrases()
    } else {
        Some(route(answering, &asked, whole.as_deref()).await?)
    };
    // Who asks for a person gets one, whatever the creator once answered.
    let mut corrected = corrected.filter(|_| plan.as_ref().is_some_and(|plan| !plan.is_pressing()));
    if let (Some(plan), Some(_)) = (&mut plan, &corrected) {
        plan.give_to(Agent::Course, asked.question.text());
        plan.parts.iter_mut().for_each(|part| part.by = By::Correction);
    }
    let is_refused = plan.is_none();
    let spoken = spoken(&asked, given, plan.as_ref());
    trace.standalone.clone_from(&whole);
    trace.facts = memory.facts.len();
    trace.at_ms.route = events.elapsed_ms();
    let mut found = Vec::new();
    for part in plan.into_iter().flat_map(|plan| plan.parts) {
        // A part is not what leans on the turn before, the whole turn is.
        let whole = whole.as_deref().filter(|_| part.text == asked.question.text());
        let routed = trace::part(&part);
        let looked_up = match corrected.take() {
            Some(evidence) => agents::Found { part, evidence: Some(evidence), standing: None },
            None => agents::look_up(answering, &asked, part, whole, given).await?,
        };
        trace.parts.push(trace::found(routed, &looked_up));
        found.push(looked_up);
    }
    let retrieve = events.elapsed_ms();
    trace.at_ms.retrieve = retrieve;

    // Where the words themselves do not say, the evidence does: it is looked for in the content's language.
    let found_in = found.iter().find_map(|found| Some(found.evidence.as_ref()?.language));
    let language = spoken.or(found_in).unwrap_or(Language::ENGLISH);
    let voice = Voice::of(&asked.creator, language);
    let mut draft = if is_refused {
        events.sources(&[]).await;
        let draft = agents::refuse(&voice);
        events.text(&draft.response).await;
        draft
    } else {
        agents::reply(answering, &asked, &found, &memory, &voice, &mut events).await?
    };
    trace.entailment.clone_from(&draft.entailment);
    trace.costs = std::mem::take(&mut draft.costs);
    let answer = finish(&asked, draft, language, retrieve, &events);
    if let Some(wanted) = wanted {
        answering.cache.keep(wanted, answering, &asked, &answer);
    }
    // What small talk and a call for a person say is no subject of later questions.
    let subject = found.iter().any(|found| found.evidence.is_some());
    let subject = subject.then(|| whole.unwrap_or_else(|| asked.question.text().to_owned()));
    let memory = memory::after(memory, asked.question.text(), subject);
    trace.at_ms.answer = events.elapsed_ms();
    let turn = turn(&asked, &answer, memory, trace);
    if asked.keep {
        record(&answering.finder.store, &asked, turn.clone()).await?;
    } else if let Some(bill) = &asked.bill
        && let Some(charge) = bill.charge(&turn.answer)
    {
        let (id, hold) = (&asked.creator.id, bill.hold.clone());
        answering.finder.store.charge(id, &asked.message, charge, asked.now, hold).await?;
        (bill.paid)(&charge);
    }
    events.send(AnswerEvent::Done(Box::new(answer))).await;
    Ok(turn)
}

/// Gives an earlier answer once more, as a turn of its own.
async fn again(
    answering: &Answering,
    asked: &Asked,
    before: Answer,
    mut trace: AnswerTrace,
    mut events: Events,
) -> Result<Turn, AnswerError> {
    let retrieve = events.elapsed_ms();
    events.sources(&before.citations).await;
    events.text(&before.response).await;
    let answer = Answer {
        conversation_id: asked.conversation.clone(),
        message_id: asked.message.clone(),
        cached: true,
        // No model read or wrote anything for it.
        usage: Usage::default(),
        timings_ms: timings(retrieve, &events),
        ..before
    };
    let text = asked.question.text();
    let memory = memory::after(Memory::default(), text, Some(text.to_owned()));
    trace.cached = true;
    trace.at_ms.answer = events.elapsed_ms();
    let turn = turn(asked, &answer, memory, trace);
    record(&answering.finder.store, asked, turn.clone()).await?;
    events.send(AnswerEvent::Done(Box::new(answer))).await;
    Ok(turn)
}

/// Keeps a turn of its conversation, and pays it where it has a price.
async fn record(store: &Store, asked: &Asked, turn: Turn) -> Result<(), AnswerError> {
    let charge = asked.bill.as_ref().and_then(|bill| Some((bill.charge(&turn.answer)?, bill)));
    let kept = match charge {
        Some((charge, bill)) => {
            store.add_paid_turn(turn, charge, bill.hold.clone()).await.inspect(|_| (bill.paid)(&charge))
        }
        None => store.add_turn(turn).await,
    };
    match kept {
        // The student has the answer; a full disk takes the record of it, not the answer.
        Err(StoreError::Full(error)) => tracing::error!(error, "the disk is full: an answer is not kept"),
        Err(StoreError::Reopening) => tracing::error!("the disk refused a moment ago: an answer is not kept"),
        kept => kept?,
    }
    Ok(())
}

fn timings(retrieve: f64, events: &Events) -> TimingsMs {
    let first_token = events.first_token.unwrap_or(retrieve);
    TimingsMs { retrieve, first_token, total: events.elapsed_ms() }
}

/// Which agents the turn goes to; `whole` is what a follow-up means.
async fn route(answering: &Answering, asked: &Asked, whole: Option<&str>) -> Result<Plan, AnswerError> {
    let table = judge::table(&answering.finder).await?;
    let text = asked.question.text();
    let mut plan = route::route(&answering.examples, &table, text, &asked.creator).await?;
    if plan.is_undecided() {
        if memory::is_only_facts(text) {
            plan.give_to(Agent::SmallTalk, text);
        } else if let Some(agent) = whole.and_then(|whole| route::plan(whole).only_agent()) {
            // "And for gifts?" after a question about refunds is one about refunds.
            if agent == Agent::Policy {
                plan.give_to(agent, text);
            }
        }
    }
    Ok(plan)
}

/// The student's language, as far as the question or the conversation tells it.
fn spoken(asked: &Asked, given: Option<Language>, plan: Option<&Plan>) -> Option<Language> {
    let before =
        || asked.history.last().map(|turn| turn.answer.language.as_str()).filter(|code| !code.is_empty());
    given
        .or_else(|| Language::of_text(asked.question.text()))
        .or_else(|| plan?.language)
        .or_else(|| before().map(Language::of_code))
}

/// What the guard says of the question; `None` without one. What is logged of it is masked and short.
async fn judged(answering: &Answering, asked: &Asked) -> Result<Option<Verdict>, AnswerError> {
    let Some(guard) = answering.guard.clone() else { return Ok(None) };
    let (text, threshold) = (asked.question.text().to_owned(), answering.options.guard_threshold);
    let mut verdict =
        tokio::task::spawn_blocking(move || guard.check(&text, threshold)).await.map_err(find::crashed)?;
    if verdict.reason == Some(guard::Reason::Attack) && route::is_chatter(asked.question.text()) {
        verdict.reason = None;
    }
    if let Some(reason) = verdict.reason {
        tracing::info!(
            creator = %asked.creator.id, message = %asked.message, reason = reason.name(), score = verdict.score,
            excerpt = mask::excerpt(asked.question.text(), LOGGED), "the guard blocked a question"
        );
    }
    Ok(Some(verdict))
}

/// What was found, and how surely it holds the answer.
pub struct Evidence {
    /// The question as it was looked for.
    pub question: String,
    /// Best first.
    pub passages: Vec<Passage>,
    /// The sentences of the passages that answer best.
    pub picked: Vec<Picked>,
    /// Probability that the content holds the answer.
    pub confidence: f32,
    pub language: Language,
    /// Whom the router asked: a question about refunds that no policy answers is phrased with a policy's care.
    pub asked_of: Agent,
    /// It is the creator's own answer to this question, which is never phrased anew.
    pub is_corrected: bool,
    /// What a reranker did with the passages.
    pub reranking: Option<RerankTrace>,
}

/// Finds evidence for a part of the turn. A follow-up is looked for as it was written and as `whole`, which says what it
/// leaves unsaid ("and for the second module?"); what finds its answer more surely counts.
async fn evidence(
    answering: &Answering,
    asked: &Asked,
    text: &str,
    whole: Option<&str>,
    language: Option<Language>,
) -> Result<Evidence, AnswerError> {
    let alone = search(answering, asked, text, language).await?;
    let Some(whole) = whole else { return Ok(alone) };
    let together = search(answering, asked, whole, language).await?;
    Ok(if together.confidence > alone.confidence { together } else { alone })
}

async fn search(
    answering: &Answering,
    asked: &Asked,
    text: &str,
    language: Option<Language>,
) -> Result<Evidence, AnswerError> {
    let finder = &answering.finder;
    let question = &asked.question;
    let top = if question.lesson.is_some() { EVIDENCE * LESSON_DEPTH } else { EVIDENCE };
    let mut ranked = finder.rank(&asked.creator, text, language, top).await?;
    if let Some(lesson) = &question.lesson {
        let passages = finder.passages(&asked.creator.id, &ranked.hits).await?;
        ranked.hits = lesson::raised(&passages, lesson, question.position_ms, EVIDENCE);
    }
    let passages = finder.passages_with_blocks(&asked.creator.id, &ranked.hits).await?;
    let similarity_counts = finder.similarity_counts(&asked.creator, ranked.language);
    let most = answering.options.max_sentences;
    judge::judge(finder, text, ranked, passages, similarity_counts, most).await
}

fn finish(asked: &Asked, draft: Draft, language: Language, retrieve: f64, events: &Events) -> Answer {
    let claims: Vec<f32> = draft
        .sentences
        .iter()
        .filter(|sentence| !sentence.citations.is_empty())
        .map(|sentence| sentence.support)
        .collect();
    let groundedness = match claims.len() {
        // Set phrases and refusals say nothing that needs proof.
        0 => 1.0,
        count => claims.iter().sum::<f32>() / count as f32,
    };
    Answer {
        sources: draft.citations.iter().map(cite::source_line).collect(),
        should_escalate: draft.escalation.is_some(),
        escalation: draft.escalation,
        conversation_id: asked.conversation.clone(),
        message_id: asked.message.clone(),
        citations: draft.citations,
        sentences: draft.sentences,
        confidence: draft.confidence,
        groundedness,
        abstained: draft.abstained,
        agent: draft.agents.join("+"),
        model: draft.model,
        cached: false,
        language: language.code().to_owned(),
        usage: draft.usage,
        timings_ms: timings(retrieve, events),
        response: draft.response,
    }
}

fn turn(asked: &Asked, answer: &Answer, memory: Memory, trace: AnswerTrace) -> Turn {
    Turn {
        id: asked.message.clone(),
        conversation: asked.conversation.clone(),
        creator: asked.creator.id.clone(),
        question: asked.question.text().to_owned(),
        answer: answer.clone(),
        reviewed: false,
        created_at: asked.now,
        memory,
        trace: Some(trace),
        feedback: None,
        correction: None,
    }
}

/// The way out, with its clock. A reader that left is noticed by [`answer`], which drops the work.
struct Events {
    sender: mpsc::Sender<AnswerItem>,
    began: Instant,
    first_token: Option<f64>,
    sources_sent: bool,
}

impl Events {
    async fn send(&self, event: AnswerEvent) {
        // The receiver is gone only when this work is about to be dropped.
        let _ = self.sender.send(Ok(event)).await;
    }

    /// Sent once: a second model that has to step in works from the same evidence.
    async fn sources(&mut self, citations: &[Citation]) {
        if std::mem::replace(&mut self.sources_sent, true) {
            return;
        }
        let sources = citations.iter().map(cite::source_line).collect();
        self.send(AnswerEvent::Sources { sources, citations: citations.to_vec() }).await;
    }

    async fn token(&mut self, content: String) {
        self.first_token.get_or_insert(self.began.elapsed().as_secs_f64() * 1000.0);
        self.send(AnswerEvent::Token { content }).await;
    }

    /// A finished text in pieces, so that every client sees one kind of stream.
    async fn text(&mut self, text: &str) {
        for piece in text.split_inclusive([' ', '\n']) {
            self.token(piece.to_owned()).await;
        }
    }

    fn elapsed_ms(&self) -> f64 {
        self.began.elapsed().as_secs_f64() * 1000.0
    }
}
