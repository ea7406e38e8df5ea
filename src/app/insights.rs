//! What the questions of a creator say: numbers by day, what goes unanswered, what is asked again and again.
//!
//! Reads the kept turns, newest first, and has questions embedded by the model of the creator's collection; what is made
//! of both is [`crate::insights`]. Vectors of questions stay in memory for the next look, bounded. Called by `http`.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use super::{App, blocking};
use crate::answer::corrected;
use crate::domain::figures::day_of;
use crate::domain::{CreatorId, Embedding, Timestamp, Turn};
use crate::inference::{EmbedInput, EmbedRole, Lane};
use crate::insights::cluster::{MOST_QUESTIONS, Question, clusters};
use crate::insights::timeline::Places;
use crate::insights::volume::{self, Tally};
use crate::insights::{Cluster, Complaints, Insights, Timeline};
use crate::problem::Problem;

/// Groups that are shown.
const MOST_GROUPS: usize = 50;
/// Turns that are looked at for groups: a creator whose students mostly chat must not be read for minutes.
const MOST_TURNS: usize = 20_000;
/// Vectors in memory, at most: 12 MB of 384 dimensions.
const MOST_VECTORS: usize = 8_192;
/// Texts given to the model at once, so that a student's question need not wait for long.
const BATCH: usize = 64;

/// Vectors of questions by the model and the words.
#[derive(Default)]
pub struct Vectors(Mutex<HashMap<[u8; 32], Vec<f32>>>);

impl App {
    /// How the questions of the last `days` days went, today among them; 1 to 366.
    pub async fn insights(
        &self,
        creator: &CreatorId,
        days: u32,
        now: Timestamp,
    ) -> Result<Insights, Problem> {
        let since = volume::begin(days, now);
        let tally = self.store.fold_turns(creator, since, Tally::new(days, now), |tally, turn| {
            tally.add(&turn);
            true
        });
        let currency = self.config.settings.chain.currency.clone();
        let mut tally = tally.await?;
        // What was erased because of its age is counted still.
        for (day, figures) in self.store.figures(creator, day_of(since)).await? {
            tally.add_figures(day, &figures);
        }
        Ok(Insights { currency, ..tally.finish() })
    }

    /// Why answers of these days did not help, as far as students said it.
    pub async fn complaints(
        &self,
        creator: &CreatorId,
        days: u32,
        now: Timestamp,
    ) -> Result<Complaints, Problem> {
        let since = volume::begin(days, now);
        let found = self.store.fold_turns(creator, since, Complaints::default(), |found, turn| {
            found.add(&turn);
            true
        });
        Ok(found.await?.finish())
    }

    /// Questions of these days that the content does not answer, those about the same together; the largest first.
    pub async fn gaps(
        &self,
        creator: &CreatorId,
        days: u32,
        now: Timestamp,
    ) -> Result<Vec<Cluster>, Problem> {
        let cases = self.store.cases(creator).await?;
        let known: HashSet<String> = cases.into_iter().map(|case| case.asks).collect();
        // What the creator has answered meanwhile is no gap any more.
        let is_gap = move |turn: &Turn| {
            turn.answer.is_gap()
                && turn.correction.is_none()
                && !known.contains(&corrected::key(&whole(turn)))
        };
        self.groups(creator, days, now, is_gap).await
    }

    /// Questions of these days about the course and its conditions, those about the same together; the largest first.
    pub async fn popular(
        &self,
        creator: &CreatorId,
        days: u32,
        now: Timestamp,
    ) -> Result<Vec<Cluster>, Problem> {
        let is_ours = |agent: &str| matches!(agent, "course" | "policy" | "progress");
        let is_asked = move |turn: &Turn| turn.answer.is_gap() || turn.answer.agent.split('+').any(is_ours);
        self.groups(creator, days, now, is_asked).await
    }

    /// Where in the lessons students asked in these days, and where that went badly.
    pub async fn lessons(&self, creator: &CreatorId, days: u32, now: Timestamp) -> Result<Timeline, Problem> {
        let since = volume::begin(days, now);
        let places = self.store.fold_turns(creator, since, Places::default(), |places, turn| {
            places.add(&turn);
            true
        });
        Ok(places.await?.finish())
    }

    async fn groups(
        &self,
        creator: &CreatorId,
        days: u32,
        now: Timestamp,
        counts: impl Fn(&Turn) -> bool + Send + 'static,
    ) -> Result<Vec<Cluster>, Problem> {
        let start: (usize, Vec<(String, Timestamp)>) = (0, Vec::new());
        let found =
            self.store.fold_turns(creator, volume::begin(days, now), start, move |(seen, found), turn| {
                *seen += 1;
                if counts(&turn) {
                    found.push((whole(&turn), turn.created_at));
                }
                *seen < MOST_TURNS && found.len() < MOST_QUESTIONS
            });
        let (_, found) = found.await?;
        let texts: Vec<String> = found.iter().map(|(text, _)| text.clone()).collect();
        let vectors = self.question_vectors(creator, &texts).await?;
        let questions = found
            .into_iter()
            .zip(vectors)
            .map(|((text, at), vector)| Question { text, at, vector })
            .collect();
        blocking(move || clusters(questions, MOST_GROUPS)).await
    }

    /// A vector for each text, by the model of the creator's collection.
    async fn question_vectors(
        &self,
        creator: &CreatorId,
        texts: &[String],
    ) -> Result<Vec<Vec<f32>>, Problem> {
        let model = self.store.creator(creator).await?.embedding.map(|model| model.name);
        let place = |text: &str| {
            let mut hasher = blake3::Hasher::new();
            for part in [model.as_deref().unwrap_or_default(), text] {
                hasher.update(&(part.len() as u64).to_le_bytes());
                hasher.update(part.as_bytes());
            }
            *hasher.finalize().as_bytes()
        };
        let mut seen = HashSet::new();
        let unknown: Vec<&String> = {
            let known = self.vectors.0.lock().unwrap_or_else(PoisonError::into_inner);
            texts
                .iter()
                .filter(|text| seen.insert(place(text)) && !known.contains_key(&place(text)))
                .collect()
        };
        let mut fresh = Vec::with_capacity(unknown.len());
        if !unknown.is_empty() {
            let (embedders, name) = (self.embedders.clone(), model.clone());
            let embedder = blocking(move || embedders.get(name.as_deref())).await??;
            for some in unknown.chunks(BATCH) {
                let input = |text: &&String| EmbedInput { text: (*text).clone(), role: EmbedRole::Question };
                let made = embedder.embed(some.iter().map(input).collect(), Lane::Background).await?;
                fresh.extend(some.iter().map(|text| place(text)).zip(made.into_iter().map(|Embedding(v)| v)));
            }
        }
        let places: Vec<[u8; 32]> = texts.iter().map(|text| place(text)).collect();
        let mut known = self.vectors.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.extend(fresh);
        let vectors = places.iter().map(|place| known.get(place).cloned().unwrap_or_default()).collect();
        if known.len() > MOST_VECTORS {
            let wanted: HashSet<&[u8; 32]> = places.iter().collect();
            known.retain(|place, _| wanted.contains(place));
        }
        // Another look may have taken one away meanwhile: then words alone speak for that question.
        Ok(vectors)
    }
}

/// The question as one that stands alone, where it leaned on the one before.
fn whole(turn: &Turn) -> String {
    let standalone = turn.trace.as_ref().and_then(|trace| trace.standalone.clone());
    standalone.unwrap_or_else(|| turn.question.clone())
}
