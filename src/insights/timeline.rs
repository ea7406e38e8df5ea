//! Where in a lesson students ask, where their questions found no answer, and where the answers did not help.
//!
//! Comes in: kept turns in any order, with the lesson and the place that the page named, and with the times of what the
//! answers quote. Goes out: a [`Timeline`], each lesson cut into equal stretches. Pure; called by `app`.

use std::collections::{BTreeMap, HashMap};

use super::{Lesson, Stretch, Timeline};
use crate::domain::Turn;

/// What is counted apart while turns come in; stretches are made of whole ones.
const SLOT_MS: u64 = 10_000;

/// Lengths that a stretch can have, in slots: 10 s to an hour, as people divide time.
const LENGTHS: [u64; 10] = [1, 3, 6, 12, 18, 30, 60, 90, 180, 360];

/// Stretches that a lesson is cut into at most, as long as it is shorter than a day: a strip of a page shows them apart.
const MOST_STRETCHES: u64 = 48;

/// Lessons that are told apart; those beyond are not looked at, and nobody teaches so many.
const MOST_LESSONS: usize = 2_000;

/// Counts turns by lesson and time.
#[derive(Default)]
pub struct Places {
    lessons: HashMap<String, Counted>,
}

#[derive(Default)]
struct Counted {
    /// As it was written first.
    name: String,
    elsewhere: u32,
    slots: BTreeMap<u64, Stretch>,
}

impl Places {
    /// Counts a turn that knows its lesson, or quotes a recording; others are passed over.
    pub fn add(&mut self, turn: &Turn) {
        let (answer, trace) = (&turn.answer, turn.trace.as_ref());
        let circumstances = trace.and_then(|trace| trace.circumstances.as_ref());
        let lesson = circumstances.and_then(|known| Some((known.lesson.as_ref()?, known.position_ms)));
        if let Some((lesson, position)) = lesson {
            let Some(counted) = self.lesson(lesson) else { return };
            match position {
                None => counted.elsewhere = counted.elsewhere.saturating_add(1),
                Some(position) => {
                    let one = |is: bool| u32::from(is);
                    let slot = counted.slots.entry(position / SLOT_MS).or_default();
                    slot.asked += 1;
                    slot.declined += one(answer.is_gap());
                    slot.unhelpful += one(turn.feedback.as_ref().is_some_and(|given| !given.helpful));
                }
            }
        }
        // A place that is quoted twice in one answer is quoted once.
        let mut quoted: Vec<(&str, u64)> = answer
            .citations
            .iter()
            .filter_map(|citation| Some((citation.title.as_str(), citation.anchor.start_ms? / SLOT_MS)))
            .collect();
        quoted.sort_unstable();
        quoted.dedup();
        for (title, slot) in quoted {
            if let Some(counted) = self.lesson(title) {
                counted.slots.entry(slot).or_default().quoted += 1;
            }
        }
    }

    /// The lesson of this name, however it is written; `None` beyond [`MOST_LESSONS`].
    fn lesson(&mut self, name: &str) -> Option<&mut Counted> {
        let key = name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        if self.lessons.len() >= MOST_LESSONS && !self.lessons.contains_key(&key) {
            return None;
        }
        Some(
            self.lessons
                .entry(key)
                .or_insert_with(|| Counted { name: name.trim().to_owned(), ..Counted::default() }),
        )
    }

    /// The lessons in which students asked or which answers quote, those with the most questions first.
    pub fn finish(self) -> Timeline {
        let mut lessons: Vec<Lesson> = self.lessons.into_values().map(Lesson::from).collect();
        let key = |lesson: &Lesson| (std::cmp::Reverse(lesson.asked), lesson.lesson.clone());
        lessons.sort_by_cached_key(key);
        Timeline { lessons }
    }
}

impl From<Counted> for Lesson {
    fn from(counted: Counted) -> Self {
        let slots = counted.slots.last_key_value().map_or(0, |(last, _)| last + 1);
        let wanted = slots.div_ceil(MOST_STRETCHES);
        let longest = LENGTHS[LENGTHS.len() - 1];
        // Beyond two days even hours are many, and then whole hours are put together.
        let length = LENGTHS
            .into_iter()
            .find(|length| *length >= wanted)
            .unwrap_or_else(|| wanted.next_multiple_of(longest));
        let stretch = |place: u64| Stretch { from_ms: place * length * SLOT_MS, ..Stretch::default() };
        let mut stretches: Vec<Stretch> = (0..slots.div_ceil(length)).map(stretch).collect();
        for (slot, found) in &counted.slots {
            let at = usize::try_from(slot / length).unwrap_or(usize::MAX);
            // The last slot is within the last stretch, by their number.
            let Some(stretch) = stretches.get_mut(at) else { continue };
            stretch.asked += found.asked;
            stretch.declined += found.declined;
            stretch.unhelpful += found.unhelpful;
            stretch.quoted += found.quoted;
        }
        let sum = |of: fn(&Stretch) -> u32| stretches.iter().map(of).fold(0, u32::saturating_add);
        Self {
            lesson: counted.name,
            asked: sum(|stretch| stretch.asked).saturating_add(counted.elsewhere),
            without_place: counted.elsewhere,
            declined: sum(|stretch| stretch.declined),
            unhelpful: sum(|stretch| stretch.unhelpful),
            quoted: sum(|stretch| stretch.quoted),
            stretch_ms: length * SLOT_MS,
            stretches,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::trace::Circumstances;
    use crate::domain::{
        Anchor, Answer, AnswerTrace, Citation, ConversationId, DocumentId, Escalation, Feedback, Memory,
        MessageId, Timestamp, TimingsMs, Usage,
    };

    fn turn(lesson: Option<&str>, position_ms: Option<u64>, declined: bool, helpful: Option<bool>) -> Turn {
        let (conversation, id) = (ConversationId::from_bytes([1; 16]), MessageId::from_bytes([2; 16]));
        let lesson = lesson.map(str::to_owned);
        let circumstances = Some(Circumstances { lesson, position_ms, ..Circumstances::default() });
        Turn {
            id: id.clone(),
            conversation: conversation.clone(),
            creator: "course".parse().unwrap(),
            question: "Why?".into(),
            answer: Answer {
                response: String::new(),
                sources: Vec::new(),
                should_escalate: declined,
                escalation: declined.then_some(Escalation::NotInContent),
                conversation_id: conversation,
                message_id: id,
                citations: Vec::new(),
                sentences: Vec::new(),
                confidence: 1.0,
                groundedness: 1.0,
                abstained: declined,
                agent: "course".into(),
                model: "extractive".into(),
                cached: false,
                language: "en".into(),
                usage: Usage::default(),
                timings_ms: TimingsMs::default(),
            },
            reviewed: false,
            created_at: Timestamp(5),
            memory: Memory::default(),
            trace: Some(AnswerTrace { circumstances, ..AnswerTrace::default() }),
            feedback: helpful.map(|helpful| Feedback {
                helpful,
                reason: None,
                comment: None,
                at: Timestamp(6),
            }),
            correction: None,
        }
    }

    fn quotes(title: &str, starts: &[u64]) -> Turn {
        let citation = |start: &u64| Citation {
            id: 1,
            document_id: DocumentId::from_bytes([3; 16]),
            external_id: None,
            title: title.into(),
            quote: String::new(),
            anchor: Anchor { start_ms: Some(*start), ..Anchor::default() },
            url: None,
            score: 1.0,
        };
        let mut turn = turn(None, None, false, None);
        turn.answer.citations = starts.iter().map(citation).collect();
        turn
    }

    #[test]
    fn questions_fall_where_the_student_was() {
        let mut places = Places::default();
        places.add(&turn(Some("The Moon"), Some(5_000), true, None));
        places.add(&turn(Some(" the  moon"), Some(9_999), false, Some(false)));
        places.add(&turn(Some("The Moon"), Some(470_000), false, Some(true)));
        places.add(&turn(Some("The Moon"), None, true, None));
        places.add(&turn(Some("Planets"), Some(0), false, None));
        places.add(&turn(None, Some(77_000), true, None));
        places.add(&quotes("The Moon", &[12_000, 14_000, 21_000]));
        let found = places.finish().lessons;
        let names: Vec<(&str, u32)> =
            found.iter().map(|lesson| (lesson.lesson.as_str(), lesson.asked)).collect();
        assert_eq!(names, [("The Moon", 4), ("Planets", 1)]);
        let moon = &found[0];
        assert_eq!((moon.without_place, moon.declined, moon.unhelpful, moon.quoted), (1, 1, 1, 2));
        assert_eq!((moon.stretch_ms, moon.stretches.len()), (10_000, 48));
        let first = &moon.stretches[0];
        assert_eq!((first.from_ms, first.asked, first.declined, first.unhelpful), (0, 2, 1, 1));
        assert_eq!((moon.stretches[1].quoted, moon.stretches[2].quoted), (1, 1));
        assert_eq!((moon.stretches[47].from_ms, moon.stretches[47].asked), (470_000, 1));
    }

    #[test]
    fn long_lessons_have_longer_stretches_and_nothing_is_lost() {
        for (last_ms, stretch_ms) in [
            (0, 10_000),
            (479_999, 10_000),
            (480_000, 30_000),
            (3_600_000, 120_000),
            (4 * 3_600_000, 600_000),
            (30 * 24 * 3_600_000, 16 * 3_600_000),
        ] {
            let mut places = Places::default();
            for part in 0..=100 {
                places.add(&turn(Some("Long"), Some(last_ms / 100 * part), part % 2 == 0, None));
            }
            let lesson = places.finish().lessons.remove(0);
            assert_eq!(
                (lesson.stretch_ms, lesson.asked, lesson.declined),
                (stretch_ms, 101, 51),
                "{last_ms}"
            );
            assert!(lesson.stretches.len() as u64 <= MOST_STRETCHES + 1, "{}", lesson.stretches.len());
        }
    }

    #[test]
    fn a_course_without_lessons_has_no_timeline() {
        let mut places = Places::default();
        places.add(&turn(None, None, true, None));
        assert!(places.finish().lessons.is_empty());
    }
}
