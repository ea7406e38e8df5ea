//! Answering: who asks and what they wish becomes a stream of [`crate::answer`], with everything that it needs.
//!
//! Called by `http`, the command line and `eval`. How an answer is made is not here, nor which models it may use
//! (`chain.rs`), what it costs (`billing.rs`) or which variant of an experiment holds (`experiments.rs`).

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;

use super::{App, billing, blocking, models, now, random};
use crate::answer::find::Finder;
use crate::answer::guard::{self, Guard};
use crate::answer::tuned::Tuned;
use crate::answer::{AnswerOptions, AnswerStream, Answering, Asked};
use crate::domain::{ConversationId, MessageId, Question, Student, Timestamp, Turn};
use crate::problem::{Kind, Problem};
use crate::store::Creator;

/// What chat models draw with when nobody wishes otherwise.
const SEED: u64 = 42;

/// Turns of a conversation that an answer may look back at.
pub(super) const HISTORY: usize = 20;

/// What whoever asks may say about how to answer; nothing of it is the settings' way.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    /// This model and no other, else the passages' own words.
    pub model: Option<String>,
    /// Earlier turns, oldest first, for callers who keep conversations themselves.
    pub history: Option<Vec<Turn>>,
    /// At most what the settings allow.
    pub max_tokens: Option<usize>,
    pub seed: Option<u64>,
    /// Fail when the models fail.
    pub strict: bool,
    /// The answer is not kept.
    pub forget: bool,
    /// Who asks, as the creator's site says.
    pub student: Option<Student>,
    /// The answer has its price, where billing is on. What the owner of this machine asks has none.
    pub paid: bool,
}

impl App {
    /// A place among the answers under way, or the advice to come back.
    pub fn admit(&self) -> Result<OwnedSemaphorePermit, Problem> {
        self.places.clone().try_acquire_owned().map_err(|_| {
            Problem::new(
                Kind::Busy(Duration::from_secs(1)),
                "busy",
                "too many questions are being answered",
                "ask again in a moment",
            )
        })
    }

    /// Answers under way, and how many there may be.
    pub fn answers_under_way(&self) -> [usize; 2] {
        let places = self.config.settings.server.max_concurrent_answers;
        [places.saturating_sub(self.places.available_permits()), places]
    }

    /// Answers a question; `model` overrides `answer.models`.
    pub async fn answer(&self, question: Question, model: Option<String>) -> Result<AnswerStream, Problem> {
        self.answer_with(question, Wishes { model, ..Wishes::default() }).await
    }

    /// Answers a question as whoever asks wishes.
    pub async fn answer_with(&self, question: Question, wishes: Wishes) -> Result<AnswerStream, Problem> {
        let creator = self.store.creator(&question.creator).await?;
        self.begin(question, creator, wishes).await
    }

    /// Answers as if the creator's record were the one given here, and keeps nothing: for measuring.
    pub async fn try_answer(&self, question: Question, creator: Creator) -> Result<AnswerStream, Problem> {
        self.begin(question, creator, Wishes { forget: true, ..Wishes::default() }).await
    }

    async fn begin(
        &self,
        question: Question,
        creator: Creator,
        mut wishes: Wishes,
    ) -> Result<AnswerStream, Problem> {
        let conversation = match &question.conversation {
            Some(id) => id.clone(),
            None => ConversationId::from_bytes(random()?),
        };
        if !wishes.forget {
            if let Some(student) = &wishes.student {
                self.store.link_student(&creator.id, student, &conversation).await?;
            }
            if question.conversation.is_some()
                && let Some(silent) = self.heard_by_person(&creator.id, &conversation, &question).await?
            {
                return Ok(silent);
            }
        }
        let history = match (wishes.history.take(), &question.conversation) {
            (Some(history), _) => history,
            (None, Some(id)) => self.store.conversation(&question.creator, id, HISTORY).await?,
            (None, None) => Vec::new(),
        };
        let now = now();
        let (creator, variant) = self.varied(creator, &conversation, &wishes, now).await?;
        let answering = self.answering(&creator, &wishes, now).await?;
        let asked = Asked {
            question,
            creator,
            conversation,
            history,
            message: MessageId::from_bytes(random()?),
            now,
            keep: !wishes.forget,
            student: wishes.student,
            variant,
            bill: None,
        };
        if !wishes.paid {
            return Ok(crate::answer::answer(answering, asked));
        }
        let phrased = !answering.chat.links.is_empty();
        match self.bill(&asked, phrased).await? {
            billing::Paid::By(bill) => {
                Ok(crate::answer::answer(answering, Asked { bill: Some(bill), ..asked }))
            }
            billing::Paid::ForNothing => Ok(crate::answer::answer(answering, asked)),
            billing::Paid::NoLonger => Ok(crate::answer::unpaid(self.store.clone(), asked)),
        }
    }

    /// What answers a creator's students, as whoever asks wishes.
    pub(super) async fn answering(
        &self,
        creator: &Creator,
        wishes: &Wishes,
        now: Timestamp,
    ) -> Result<Answering, Problem> {
        let guarding = &self.config.settings.guard;
        let threshold = guard::threshold(creator, guarding.on.then_some(guarding.threshold));
        let settings = &self.config.settings.answer;
        let mut chat = self.chain(creator, wishes.model.as_deref(), now).await?;
        chat.strict = wishes.strict;
        // Loaded now, so that one that is not there is told and not passed over.
        if let Some(entailment) = self.entailment.as_ref().filter(|_| !chat.links.is_empty()) {
            entailment.model.get().await?;
        }
        let (own, fitted) = (Tuned::of(creator), creator.calibration().and_then(|fitted| fitted.threshold));
        let most = wishes.max_tokens.map_or(settings.max_tokens, |most| most.clamp(1, settings.max_tokens));
        Ok(Answering {
            finder: self.finder(),
            chat,
            entailment: self.entailment.clone(),
            guard: if threshold.is_some() { Some(self.guard().await?) } else { None },
            examples: self.examples.clone(),
            cache: self.cache.clone(),
            options: AnswerOptions {
                threshold: own.threshold.or(fitted).unwrap_or(settings.threshold),
                max_sentences: own.max_sentences.unwrap_or(settings.max_sentences),
                max_tokens: most,
                passages: own.passages.unwrap_or(settings.passages),
                guard_threshold: threshold.unwrap_or(guarding.threshold),
                seed: wishes.seed.unwrap_or(SEED),
            },
        })
    }

    /// What finds evidence.
    pub fn finder(&self) -> Finder {
        Finder {
            store: self.store.clone(),
            collections: self.collections.clone(),
            embedders: self.embedders.clone(),
            trust: self.trust.clone(),
            // Checked when the settings were resolved.
            fusion: self.config.settings.answer.fusion.parse().unwrap_or_default(),
            reranker: self.reranker.clone(),
            table: models::canonical(models::STATIC),
            now,
        }
    }

    /// What judges questions, loaded at the first one.
    pub(super) async fn guard(&self) -> Result<Arc<Guard>, Problem> {
        let guard = self.guard.clone();
        blocking(move || loaded(&guard)).await?
    }
}

/// The guard, loaded unless it is there. Held while loading: a second question waits for the first.
pub(super) fn loaded(guard: &Mutex<Option<Arc<Guard>>>) -> Result<Arc<Guard>, Problem> {
    let mut guard = guard.lock().unwrap_or_else(PoisonError::into_inner);
    match &*guard {
        Some(guard) => Ok(guard.clone()),
        None => Ok(guard.insert(Arc::new(models::guard()?)).clone()),
    }
}
