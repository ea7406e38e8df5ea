//! Answers that were given before: the same question of the same creator over the same content gets the same answer.
//!
//! Comes in: a first question in its circumstances. Goes out: an earlier answer whose quotations still stand in the
//! store, or nothing. Two questions are the same when their telling words are, in order: `a brush` and `the brushes`
//! are one, `module 3` and `module 4`, `can` and `cannot`, `when` and `how long` are not. Where none is, those nearest in
//! meaning are compared once more by what their words say ([`same`]). Nearness alone never counts: "Is module 3 free?" is
//! very near to a question with another answer. Any change of content or settings makes all earlier answers of that
//! creator unfindable. Bounded in entries and bytes; gone with the process.

mod same;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::find::Finder;
use super::{AnswerError, Answering, Asked, extract, judge, route};
use crate::domain::figures::day_of;
use crate::domain::{Answer, CreatorId};
use crate::index::analyze::{Language, term_of, words};
use crate::store::Store;
use same::Form;

/// Creators whose answers are kept; the one that was longest without a question goes first.
const MOST_CREATORS: usize = 256;
/// Bytes of one creator's answers.
const MOST_BYTES: usize = 4 << 20;

/// Words that change nothing of what is asked. Short on purpose: prepositions, question words, tenses and denials tell.
#[rustfmt::skip]
const EMPTY: &[&str] = &[
    "a", "an", "the", "please", "do", "does", "i", "me", "we", "you", "is", "are", "of", "hi", "hello", "hey", "just",
    "der", "die", "das", "den", "dem", "ein", "eine", "einen", "bitte", "ich", "ist", "sind", "hallo",
    "el", "la", "los", "las", "un", "una", "hola", "le", "les", "une", "bonjour", "il", "lo", "gli", "o", "os", "uma", "um", "het", "een",
];

/// Answers by creator.
pub struct AnswerCache {
    shelves: Mutex<HashMap<CreatorId, Shelf>>,
    most_entries: usize,
    /// Whether questions in other words are looked for.
    is_near: bool,
}

#[derive(Default)]
struct Shelf {
    generation: u64,
    entries: HashMap<Key, Entry>,
    bytes: usize,
    used: u64,
}

struct Entry {
    answer: Answer,
    near: Option<Near>,
    bytes: usize,
    used: u64,
}

/// What an answer depends on beside the content.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    words: [u8; 32],
    /// All but the words.
    circumstances: [u8; 32],
}

/// A question in other words may be found by this.
#[derive(Debug, Clone)]
struct Near {
    form: Form,
    /// Of the small embedding table.
    vector: Vec<f32>,
}

/// A question that is looked for, and under which its answer is kept when none is found.
pub struct Wanted {
    key: Key,
    /// Known once the very same question was not found.
    near: Option<Near>,
}

/// How an earlier answer was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// To the same words.
    Exact,
    /// To other words that ask the same.
    Near,
}

impl How {
    /// As the trace and the metrics name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Near => "near",
        }
    }
}

/// What the trace and the metrics call a question that was looked for and not found.
pub const MISS: &str = "miss";

/// Questions nearest in meaning whose words are compared, and how near they must be at least. The comparison decides; this
/// only spares it the rest of the shelf, so it is set far below what the same question in other words reaches.
const COMPARED: usize = 8;
const NEAR: f32 = 0.5;

impl Wanted {
    /// `None` for a question that is not alone: what was said before may change what it means, and one that is not kept
    /// is asked to measure.
    pub fn of(answering: &Answering, asked: &Asked) -> Option<Self> {
        if !asked.history.is_empty() || !asked.keep || answering.chat.strict {
            return None;
        }
        let question = &asked.question;
        // What is said of a student's own progress is nobody else's, and is old a lesson later.
        if asked.student.is_some() && route::concerns_progress(question.text()) {
            return None;
        }
        let mut parts = vec![
            question.language.clone().unwrap_or_default(),
            question.lesson.clone().unwrap_or_default(),
            question.position_ms.map(|position| position.to_string()).unwrap_or_default(),
            // The addresses of citations are signed by the day.
            day_of(asked.now).to_string(),
        ];
        parts.extend(answering.chat.links.iter().map(|link| link.name().to_owned()));
        parts.push(format!("{:?}", answering.options));
        parts.push(asked.creator.name.clone());
        parts.push(asked.creator.settings.to_string());
        // A variant has settings of its own; where they are those of another one, its answers are its own all the same.
        let variant = asked.variant.as_ref();
        parts.push(variant.map_or(String::new(), |one| format!("{} {}", one.experiment_id, one.variant)));
        // Corrections are found by the telling words alone; here whom something is done to tells too.
        let is_done_to_me = words(question.text()).iter().any(|word| word.text == "me");
        let words = hash([telling(question.text()).join(" "), is_done_to_me.to_string()]);
        Some(Self { key: Key { words, circumstances: hash(parts) }, near: None })
    }
}

fn hash(parts: impl IntoIterator<Item = String>) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    *hasher.finalize().as_bytes()
}

/// The words of a question that tell what is asked, in order and as terms, behind its language.
pub fn telling(text: &str) -> Vec<String> {
    let language = Language::of_text(text).unwrap_or(Language::OTHER);
    let found = words(text).into_iter().filter(|word| !EMPTY.contains(&word.text.as_str()));
    let mut telling = vec![language.code().to_owned()];
    telling.extend(found.map(|word| term_of(&word, language)));
    telling
}

impl AnswerCache {
    /// Keeps at most so many answers of each creator; 0 keeps none.
    pub fn new(most_entries: usize) -> Self {
        Self { shelves: Mutex::default(), most_entries, is_near: true }
    }

    /// Whether a question is also answered from one that asks the same in other words.
    pub fn near(self, is_near: bool) -> Self {
        Self { is_near, ..self }
    }

    /// The earlier answer, if each of its quotations still stands in the creator's documents, and how it was found.
    pub async fn get(
        &self,
        wanted: &mut Wanted,
        asked: &Asked,
        finder: &Finder,
    ) -> Result<Option<(Answer, How)>, AnswerError> {
        let (creator, generation) = (&asked.creator.id, asked.creator.generation);
        let exact = self.find(&wanted.key, creator, generation);
        let mut found = exact.map(|answer| (wanted.key.clone(), answer, How::Exact));
        if found.is_none() && self.is_near && self.most_entries > 0 {
            let vector = judge::embed(finder, vec![asked.question.text().to_owned()]).await?.pop();
            let form = Form::of(asked.question.text());
            wanted.near = vector.map(|vector| Near { form, vector });
            found = wanted.near.as_ref().and_then(|near| {
                let (key, answer) = self.find_near(&wanted.key, near, creator, generation)?;
                Some((key, answer, How::Near))
            });
        }
        let Some((key, answer, how)) = found else { return Ok(None) };
        if stands(&answer, creator, &finder.store).await? {
            return Ok(Some((answer, how)));
        }
        self.remove(&key, creator);
        Ok(None)
    }

    /// Keeps an answer that may be given again: one from the content, by the model that is meant to give it, whole.
    pub fn keep(&self, wanted: Wanted, answering: &Answering, asked: &Asked, answer: &Answer) {
        let is_personal = answer.agent.split('+').any(|agent| agent == route::Agent::Progress.name());
        let from_content =
            !is_personal && !answer.abstained && answer.escalation.is_none() && !answer.citations.is_empty();
        let is_phrased = answer.agent == "course" && !answering.chat.links.is_empty();
        let is_meant = match answering.chat.links.first() {
            // Quotations that stand in for a model that did not work are not given when it works again.
            Some(first) if is_phrased => answer.model == first.name() && answer.usage.completion_tokens > 0,
            _ => true,
        };
        if self.most_entries > 0 && from_content && is_meant {
            self.insert(wanted, &asked.creator.id, asked.creator.generation, answer.clone());
        }
    }

    fn find(&self, key: &Key, creator: &CreatorId, generation: u64) -> Option<Answer> {
        let mut shelves = self.lock();
        let shelf = shelves.get_mut(creator).filter(|shelf| shelf.generation == generation)?;
        shelf.used += 1;
        let used = shelf.used;
        let entry = shelf.entries.get_mut(key)?;
        entry.used = used;
        Some(entry.answer.clone())
    }

    /// The answer to the nearest question that asks the same, with its key. A shelf has so few bytes that looking through
    /// it takes a fraction of a millisecond.
    fn find_near(
        &self,
        key: &Key,
        near: &Near,
        creator: &CreatorId,
        generation: u64,
    ) -> Option<(Key, Answer)> {
        let mut shelves = self.lock();
        let shelf = shelves.get_mut(creator).filter(|shelf| shelf.generation == generation)?;
        let mut nearest: Vec<(f32, &Key, &Form)> = shelf
            .entries
            .iter()
            .filter(|(other, _)| other.circumstances == key.circumstances)
            .filter_map(|(other, entry)| {
                let kept = entry.near.as_ref()?;
                Some((extract::cosine(&near.vector, &kept.vector), other, &kept.form))
            })
            .filter(|(cosine, _, _)| *cosine >= NEAR)
            .collect();
        nearest.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
        nearest.truncate(COMPARED);
        let found = nearest.into_iter().find(|(_, _, form)| form.is_same(&near.form));
        let key = found.map(|(_, key, _)| key.clone())?;
        shelf.used += 1;
        let used = shelf.used;
        let entry = shelf.entries.get_mut(&key)?;
        entry.used = used;
        Some((key, entry.answer.clone()))
    }

    fn insert(&self, wanted: Wanted, creator: &CreatorId, generation: u64, answer: Answer) {
        let Wanted { key, near } = wanted;
        let bytes = size(&answer) + near.as_ref().map_or(0, |near| near.vector.len() * 4 + 400);
        if bytes > MOST_BYTES {
            return;
        }
        let mut shelves = self.lock();
        if !shelves.contains_key(creator) && shelves.len() >= MOST_CREATORS {
            let oldest =
                shelves.iter().min_by_key(|(_, shelf)| shelf.used).map(|(creator, _)| creator.clone());
            if let Some(creator) = oldest {
                shelves.remove(&creator);
            }
        }
        let shelf = shelves.entry(creator.clone()).or_default();
        // An answer that was begun before a change of the content comes too late.
        if shelf.generation > generation {
            return;
        }
        if shelf.generation < generation {
            *shelf = Shelf { generation, ..Shelf::default() };
        }
        shelf.used += 1;
        let used = shelf.used;
        if let Some(former) = shelf.entries.insert(key, Entry { answer, near, bytes, used }) {
            shelf.bytes -= former.bytes;
        }
        shelf.bytes += bytes;
        while shelf.entries.len() > self.most_entries || shelf.bytes > MOST_BYTES {
            let oldest = shelf.entries.iter().min_by_key(|(_, entry)| entry.used).map(|(key, _)| key.clone());
            let Some(gone) = oldest.and_then(|key| shelf.entries.remove(&key)) else { break };
            shelf.bytes -= gone.bytes;
        }
    }

    fn remove(&self, key: &Key, creator: &CreatorId) {
        if let Some(shelf) = self.lock().get_mut(creator)
            && let Some(gone) = shelf.entries.remove(key)
        {
            shelf.bytes -= gone.bytes;
        }
    }

    /// Every change of a shelf ends whole, so a poisoned lock is as good as any.
    fn lock(&self) -> MutexGuard<'_, HashMap<CreatorId, Shelf>> {
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether each quotation still stands in the creator's documents.
async fn stands(answer: &Answer, creator: &CreatorId, store: &Store) -> Result<bool, AnswerError> {
    for citation in &answer.citations {
        let document = store.document(&citation.document_id).await?;
        let is_ours = document.is_some_and(|document| document.creator == *creator);
        let text = if is_ours { store.document_text(&citation.document_id).await? } else { None };
        if text.is_none_or(|(text, _)| !text.contains(&citation.quote)) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// About what an answer takes in memory.
fn size(answer: &Answer) -> usize {
    let citations = answer.citations.iter().map(|citation| citation.quote.len() + citation.title.len() + 300);
    let sentences = answer.sentences.iter().map(|sentence| sentence.text.len() + 80);
    let sources = answer.sources.iter().map(|source| source.len() + 24);
    600 + answer.response.len() + citations.sum::<usize>() + sentences.sum::<usize>() + sources.sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ConversationId, MessageId, TimingsMs, Usage};

    fn answer(response: &str) -> Answer {
        Answer {
            response: response.into(),
            sources: Vec::new(),
            should_escalate: false,
            escalation: None,
            conversation_id: ConversationId::from_bytes([1; 16]),
            message_id: MessageId::from_bytes([2; 16]),
            citations: Vec::new(),
            sentences: Vec::new(),
            confidence: 1.0,
            groundedness: 1.0,
            abstained: false,
            agent: "course".into(),
            model: "extractive".into(),
            cached: false,
            language: "en".into(),
            usage: Usage::default(),
            timings_ms: TimingsMs::default(),
        }
    }

    #[test]
    fn questions_are_the_same_when_their_telling_words_are() {
        let same = |a: &str, b: &str| telling(a) == telling(b);
        assert!(same("How do I clean a brush?", "how do you clean the brushes"));
        assert!(same("Hello, when is the live session?", "When is the live session, please?"));
        for (a, b) in [
            ("Is module 3 free?", "Is module 4 free?"),
            ("Can I share my account?", "Can't I share my account?"),
            ("When does the course begin?", "How long does the course take?"),
            ("When does it end?", "Where does it end?"),
            ("Can a dog bite a man?", "Can a man bite a dog?"),
            ("Refund before the course?", "Refund after the course?"),
            ("What comes with the kit?", "What comes without the kit?"),
            ("Is it open on Sundays?", "Was it open on Sundays?"),
            ("Turn the heat up?", "Turn the heat down?"),
            ("Does it cost 10 or 20 euros?", "Does it cost 20 or 10 euros?"),
            ("What is C++?", "What is C#?"),
        ] {
            assert!(!same(a, b), "{a} / {b}");
        }
    }

    fn wanted(number: u8) -> Wanted {
        Wanted { key: Key { words: [number; 32], circumstances: [0; 32] }, near: None }
    }

    fn find(cache: &AnswerCache, number: u8, creator: &str, generation: u64) -> Option<Answer> {
        cache.find(&wanted(number).key, &creator.parse().unwrap(), generation)
    }

    #[test]
    fn a_change_of_content_makes_earlier_answers_unfindable() {
        let (cache, creator) = (AnswerCache::new(8), "course".parse().unwrap());
        cache.insert(wanted(1), &creator, 5, answer("old"));
        assert_eq!(find(&cache, 1, "course", 5).unwrap().response, "old");
        assert!(find(&cache, 1, "course", 6).is_none());
        cache.insert(wanted(1), &creator, 6, answer("new"));
        // One that was begun before the change is not kept.
        cache.insert(wanted(1), &creator, 5, answer("late"));
        assert_eq!(find(&cache, 1, "course", 6).unwrap().response, "new");
        assert!(find(&cache, 1, "other", 6).is_none());
    }

    #[test]
    fn other_words_find_an_answer_only_where_they_ask_the_same_in_the_same_circumstances() {
        let (cache, creator) = (AnswerCache::new(8), "course".parse().unwrap());
        let near =
            |question: &str, vector: [f32; 2]| Near { form: Form::of(question), vector: vector.to_vec() };
        let kept = near("How do I get a refund for module 3?", [1.0, 0.0]);
        cache.insert(Wanted { near: Some(kept), ..wanted(1) }, &creator, 1, answer("In 14 days."));
        let key = |circumstances| Key { words: [9; 32], circumstances: [circumstances; 32] };
        let found = |key: &Key, near: &Near, generation| {
            cache.find_near(key, near, &creator, generation).map(|(_, answer)| answer.response)
        };
        let same = near("Can you tell me how to get my money back for the third module?", [0.9, 0.1]);
        assert_eq!(found(&key(0), &same, 1).as_deref(), Some("In 14 days."));
        assert_eq!(found(&key(1), &same, 1), None, "another lesson, model or day");
        assert_eq!(found(&key(0), &same, 2), None, "other content");
        let other = near("How do I get a refund for module 4?", [1.0, 0.0]);
        assert_eq!(found(&key(0), &other, 1), None, "as near as can be, and another question");
        let far = near("How do I get a refund for module 3?", [0.0, 1.0]);
        assert_eq!(found(&key(0), &far, 1), None);
    }

    #[test]
    fn entries_and_bytes_are_bounded_and_the_least_used_goes_first() {
        let (cache, creator) = (AnswerCache::new(3), "course".parse().unwrap());
        for number in 0..4u8 {
            cache.insert(wanted(number), &creator, 1, answer("x"));
            assert!(find(&cache, 0, "course", 1).is_some(), "{number}");
        }
        assert!(find(&cache, 1, "course", 1).is_none());
        let large = "x".repeat(MOST_BYTES / 2);
        for number in 10..14u8 {
            cache.insert(wanted(number), &creator, 1, answer(&large));
        }
        let shelves = cache.lock();
        let shelf = &shelves[&creator];
        assert!(shelf.bytes <= MOST_BYTES);
        assert_eq!(shelf.bytes, shelf.entries.values().map(|entry| entry.bytes).sum::<usize>());
    }
}
