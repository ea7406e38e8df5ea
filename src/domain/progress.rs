//! How far a student has come, as the creator's own site reports it: lessons opened and done, scores, positions.
//!
//! Events come in any order and more than once; what is kept is what they come to, one line a lesson, so that it is
//! bounded whatever a site sends. Which lessons there are and in which order is `answer/agents/progress`.

use serde::{Deserialize, Serialize};

use super::Timestamp;

/// Lessons of one student; those without news for longest go first.
pub const MOST_LESSONS: usize = 1_000;

/// Longest name of a lesson that is kept, in characters.
pub const MAX_NAME_CHARS: usize = 200;

/// What happened to a student in a lesson.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProgressKind {
    LessonOpened,
    LessonCompleted,
    /// `value` is the score, on the site's own scale.
    Score,
    /// `value` is how far the lesson was played, in milliseconds.
    Position,
}

/// One report of the creator's site.
#[derive(Debug, Clone, PartialEq)]
pub struct ProgressEvent {
    pub kind: ProgressKind,
    /// The lesson's title, its id, or the name of its file.
    pub lesson: String,
    pub value: Option<f64>,
    /// Whether a score is a pass, where the site says so.
    pub passed: Option<bool>,
    pub at: Timestamp,
}

/// What is known of a student in one lesson.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LessonProgress {
    pub lesson: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<Score>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
    /// Of the last news.
    pub at: Timestamp,
}

/// The last score.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Score {
    pub value: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passed: Option<bool>,
    pub at: Timestamp,
}

/// The last position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    pub ms: u64,
    pub at: Timestamp,
}

/// Everything that is known of a student's progress.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// In the order in which they were first heard of.
    pub lessons: Vec<LessonProgress>,
}

impl Progress {
    /// Takes an event in; of two of a kind the later one counts, whichever comes first. Whether anything changed.
    pub fn apply(&mut self, event: &ProgressEvent) -> bool {
        let at = event.at;
        let place = self.lessons.iter().position(|known| known.lesson == event.lesson);
        let place = place.unwrap_or_else(|| {
            self.lessons.push(LessonProgress {
                lesson: event.lesson.clone(),
                opened_at: None,
                completed_at: None,
                score: None,
                position: None,
                at: Timestamp(0),
            });
            self.lessons.len() - 1
        });
        let known = &mut self.lessons[place];
        let before = known.clone();
        match event.kind {
            ProgressKind::LessonOpened => known.opened_at = known.opened_at.max(Some(at)),
            ProgressKind::LessonCompleted => known.completed_at = known.completed_at.max(Some(at)),
            ProgressKind::Score => {
                if let Some(value) = event.value.filter(|value| value.is_finite())
                    && known.score.is_none_or(|score| score.at <= at)
                {
                    known.score = Some(Score { value, passed: event.passed, at });
                }
            }
            ProgressKind::Position => {
                if let Some(value) = event.value.filter(|value| value.is_finite() && *value >= 0.0)
                    && known.position.is_none_or(|position| position.at <= at)
                {
                    // A float beyond the range becomes the nearest whole number.
                    known.position = Some(Position { ms: value as u64, at });
                }
            }
        }
        known.at = known.at.max(at);
        let changed = *known != before;
        if self.lessons.len() > MOST_LESSONS {
            let oldest =
                self.lessons.iter().enumerate().min_by_key(|(_, known)| known.at).map(|(place, _)| place);
            if let Some(oldest) = oldest {
                self.lessons.remove(oldest);
            }
        }
        changed
    }

    /// The lesson of the last news.
    pub fn last(&self) -> Option<&LessonProgress> {
        self.lessons.iter().max_by_key(|known| known.at)
    }

    pub fn is_empty(&self) -> bool {
        self.lessons.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: ProgressKind, lesson: &str, value: Option<f64>, at: u64) -> ProgressEvent {
        ProgressEvent { kind, lesson: lesson.into(), value, passed: None, at: Timestamp(at) }
    }

    #[test]
    fn events_come_to_the_same_in_any_order_and_twice() {
        let events = [
            event(ProgressKind::LessonOpened, "one", None, 1),
            event(ProgressKind::Position, "one", Some(61_000.0), 5),
            event(ProgressKind::Position, "one", Some(9_000.0), 2),
            event(ProgressKind::LessonCompleted, "one", None, 6),
            event(ProgressKind::Score, "two", Some(40.0), 7),
            event(ProgressKind::Score, "two", Some(83.5), 9),
        ];
        let (mut there, mut back) = (Progress::default(), Progress::default());
        events.iter().for_each(|event| assert!(there.apply(event) || event.at == Timestamp(2)));
        for event in events.iter().rev().chain(&events) {
            back.apply(event);
        }
        back.lessons.sort_by(|a, b| a.lesson.cmp(&b.lesson));
        assert_eq!(there, back);
        assert_eq!(there.lessons[0].position, Some(Position { ms: 61_000, at: Timestamp(5) }));
        assert_eq!(there.lessons[1].score.map(|score| score.value), Some(83.5));
        assert_eq!(there.last().map(|last| last.lesson.as_str()), Some("two"));
        assert!(!there.apply(&events[5]));
    }

    #[test]
    fn nonsense_is_no_score_and_lessons_are_bounded() {
        let mut progress = Progress::default();
        progress.apply(&event(ProgressKind::Score, "one", Some(f64::NAN), 1));
        progress.apply(&event(ProgressKind::Position, "one", Some(-1.0), 1));
        progress.apply(&event(ProgressKind::Score, "one", None, 1));
        assert_eq!((progress.lessons[0].score, progress.lessons[0].position), (None, None));
        for number in 0..MOST_LESSONS as u64 + 5 {
            progress.apply(&event(ProgressKind::LessonOpened, &number.to_string(), None, number + 2));
        }
        assert_eq!(progress.lessons.len(), MOST_LESSONS);
        assert!(progress.lessons.iter().all(|known| known.lesson != "one" && known.lesson != "0"));
    }
}
