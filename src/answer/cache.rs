//! Answers that were given before: the same question of the same creator over the same content gets the same answer.
//!
//! Comes in: a first question in its circumstances. Goes out: an earlier answer whose quotations still stand in the
//! store, or nothing. Two questions are the same when their telling words are, in order: `a brush` and `the brushes`
//! are one, `module 3` and `module 4`, `can` and `cannot`, `when` and `how long` are not. Nearness in meaning alone
//! never counts: "Is module 3 free?" is very near to a question with another answer. Any change of content or settings
//! makes all earlier answers of that creator unfindable. Bounded in entries and bytes; gone with the process.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{AnswerError, Answering, Asked, route};
use crate::domain::{Answer, CreatorId};
use crate::index::analyze::{Language, term_of, words};
use crate::store::Store;

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

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// Answers by creator.
pub struct AnswerCache {
    shelves: Mutex<HashMap<CreatorId, Shelf>>,
    most_entries: usize,
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
    bytes: usize,
    used: u64,
}

/// What an answer depends on beside the content.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key([u8; 32]);

impl Key {
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
        let mut hasher = blake3::Hasher::new();
        let mut part = |text: &str| {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        };
        part(&telling(question.text()).join(" "));
        part(question.language.as_deref().unwrap_or_default());
        part(question.lesson.as_deref().unwrap_or_default());
        part(&question.position_ms.map(|position| position.to_string()).unwrap_or_default());
        // The addresses of citations are signed by the day.
        part(&(asked.now.0 / DAY_MS).to_string());
        for link in &answering.chat.links {
            part(link.name());
        }
        part(&format!("{:?}", answering.options));
        part(&asked.creator.name);
        part(&asked.creator.settings.to_string());
        // A variant has settings of its own; where they are those of another one, its answers are its own all the same.
        let variant = asked.variant.as_ref();
        part(variant.map_or("", |variant| variant.experiment_id.as_str()));
        part(variant.map_or("", |variant| variant.variant.as_str()));
        Some(Self(*hasher.finalize().as_bytes()))
    }
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
        Self { shelves: Mutex::default(), most_entries }
    }

    /// The earlier answer, if each of its quotations still stands in the creator's documents.
    pub async fn get(&self, key: &Key, asked: &Asked, store: &Store) -> Result<Option<Answer>, AnswerError> {
        let Some(answer) = self.find(key, &asked.creator.id, asked.creator.generation) else {
            return Ok(None);
        };
        for citation in &answer.citations {
            let document = store.document(&citation.document_id).await?;
            let is_ours = document.is_some_and(|document| document.creator == asked.creator.id);
            let text = if is_ours { store.document_text(&citation.document_id).await? } else { None };
            if text.is_none_or(|(text, _)| !text.contains(&citation.quote)) {
                self.remove(key, &asked.creator.id);
                return Ok(None);
            }
        }
        Ok(Some(answer))
    }

    /// Keeps an answer that may be given again: one from the content, by the model that is meant to give it, whole.
    pub fn keep(&self, key: Key, answering: &Answering, asked: &Asked, answer: &Answer) {
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
            self.insert(key, &asked.creator.id, asked.creator.generation, answer.clone());
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

    fn insert(&self, key: Key, creator: &CreatorId, generation: u64, answer: Answer) {
        let bytes = size(&answer);
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
        if let Some(former) = shelf.entries.insert(key, Entry { answer, bytes, used }) {
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

    #[test]
    fn a_change_of_content_makes_earlier_answers_unfindable() {
        let (cache, creator) = (AnswerCache::new(8), "course".parse().unwrap());
        let key = Key([1; 32]);
        cache.insert(key.clone(), &creator, 5, answer("old"));
        assert_eq!(cache.find(&key, &creator, 5).unwrap().response, "old");
        assert!(cache.find(&key, &creator, 6).is_none());
        cache.insert(key.clone(), &creator, 6, answer("new"));
        // One that was begun before the change is not kept.
        cache.insert(key.clone(), &creator, 5, answer("late"));
        assert_eq!(cache.find(&key, &creator, 6).unwrap().response, "new");
        assert!(cache.find(&key, &"other".parse().unwrap(), 6).is_none());
    }

    #[test]
    fn entries_and_bytes_are_bounded_and_the_least_used_goes_first() {
        let (cache, creator) = (AnswerCache::new(3), "course".parse().unwrap());
        for number in 0..4u8 {
            cache.insert(Key([number; 32]), &creator, 1, answer("x"));
            assert!(cache.find(&Key([0; 32]), &creator, 1).is_some(), "{number}");
        }
        assert!(cache.find(&Key([1; 32]), &creator, 1).is_none());
        let large = "x".repeat(MOST_BYTES / 2);
        for number in 10..14u8 {
            cache.insert(Key([number; 32]), &creator, 1, answer(&large));
        }
        let shelves = cache.lock();
        let shelf = &shelves[&creator];
        assert!(shelf.bytes <= MOST_BYTES);
        assert_eq!(shelf.bytes, shelf.entries.values().map(|entry| entry.bytes).sum::<usize>());
    }
}
