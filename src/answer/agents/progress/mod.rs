//! What a student has done of the course: where they were, what is next, what is left, how they scored.
//!
//! Comes in: a turn of a student whom the creator's site signed for, and what the site reported of that student. Goes out: set
//! phrases with names of lessons and numbers in them, no model's words. A student who is not signed for is told how to be;
//! nothing of anybody's progress is read for them. Called by [`super::look_up`].

pub mod lessons;

use std::collections::BTreeSet;

use crate::answer::phrases::Voice;
use crate::answer::route::{self, Asks};
use crate::answer::{AnswerError, Answering, Asked};
use crate::domain::Progress;
use crate::domain::progress::LessonProgress;
use lessons::Lesson;

/// Lessons and scores that are named in one answer.
const NAMED: usize = 8;

/// What can be said of a student's progress.
pub enum Standing {
    /// The creator's site signs for nobody.
    Off,
    /// It signs for its students, and for this one it did not.
    Unsigned,
    Known(Box<Known>),
}

/// A student's progress beside the lessons of the course.
pub struct Known {
    asks: Asks,
    progress: Progress,
    lessons: Vec<Lesson>,
    /// Places of the lessons that are done.
    done: BTreeSet<usize>,
    /// Place of the lesson of the last news.
    last: Option<usize>,
}

/// What is known for a turn.
pub async fn standing(answering: &Answering, asked: &Asked, text: &str) -> Result<Standing, AnswerError> {
    let (store, creator) = (&answering.finder.store, &asked.creator);
    let Some(student) = &asked.student else {
        let signs = store.student_secret(&creator.id).await?.is_some();
        return Ok(if signs { Standing::Unsigned } else { Standing::Off });
    };
    let progress = store.progress(&creator.id, &student.id).await?;
    let documents = if progress.is_empty() { Vec::new() } else { store.documents(&creator.id).await? };
    let lessons = lessons::in_order(&documents, creator);
    Ok(Standing::Known(Box::new(Known::of(route::progress_asks(text), progress, lessons))))
}

impl Standing {
    /// Whether there is something to say.
    pub fn is_known(&self) -> bool {
        matches!(self, Self::Known(known) if !known.progress.is_empty())
    }

    /// The answer.
    pub fn say(&self, voice: &Voice) -> String {
        match self {
            Self::Off => voice.say("progress_none"),
            Self::Unsigned => voice.say("progress_sign_in"),
            Self::Known(known) if known.progress.is_empty() => voice.say("progress_empty"),
            Self::Known(known) => known.say(voice).join(" "),
        }
    }
}

impl Known {
    fn of(asks: Asks, progress: Progress, lessons: Vec<Lesson>) -> Self {
        let place = |known: &LessonProgress| lessons::place_of(&lessons, &known.lesson);
        let done = progress.lessons.iter().filter(|known| known.completed_at.is_some()).filter_map(place);
        let (done, last) = (done.collect(), progress.last().and_then(place));
        Self { asks, progress, done, last, lessons }
    }

    /// Sentences: what is asked for, or, where nothing is singled out, all of it.
    fn say(&self, voice: &Voice) -> Vec<String> {
        let Asks { next, left, score, certificate } = self.asks;
        let mut said = Vec::new();
        if score {
            said.extend(self.scores(voice));
        }
        if left || certificate {
            said.push(self.far(voice));
            said.extend(self.left(voice));
        } else if next {
            said.extend(self.last(voice).filter(|_| !self.is_last_done()));
            said.push(self.next(voice).unwrap_or_else(|| self.far(voice)));
        } else if !score {
            said.extend(self.last(voice));
            said.push(self.far(voice));
            said.extend(self.next(voice));
        }
        said
    }

    /// Where the student was last.
    fn last(&self, voice: &Voice) -> Option<String> {
        let last = self.progress.last()?;
        let name = self.last.map_or(last.lesson.as_str(), |place| &self.lessons[place].name);
        Some(match last.position {
            Some(position) => {
                voice.say_with("progress_last_at", "{time}", &time(position.ms)).replace("{lesson}", name)
            }
            None => voice.say_with("progress_last", "{lesson}", name),
        })
    }

    /// How many lessons are done; which ones, where it is not known how many there are.
    fn far(&self, voice: &Voice) -> String {
        if self.is_ordered() {
            let (done, all) = (self.done.len(), self.lessons.len());
            if done == all {
                return voice.say_with("progress_all", "{all}", &all.to_string());
            }
            let far = voice.say_with("progress_far", "{done}", &done.to_string());
            return far.replace("{all}", &all.to_string());
        }
        let mut done: Vec<_> = self
            .progress
            .lessons
            .iter()
            .filter_map(|known| Some((known.completed_at?, &known.lesson)))
            .collect();
        done.sort();
        match done.len() {
            0 => voice.say("progress_none_done"),
            _ => voice.say_with(
                "progress_done",
                "{lessons}",
                &listed(done.iter().map(|(_, name)| name.as_str())),
            ),
        }
    }

    /// The first lesson that is not done after the last one, else the first of all.
    fn next(&self, voice: &Voice) -> Option<String> {
        if !self.is_ordered() {
            return None;
        }
        let after = self.last.map_or(0, |last| last + 1);
        let open = |place: &usize| !self.done.contains(place);
        let mut others = (0..self.lessons.len()).filter(|place| Some(*place) != self.last);
        let next = (after..self.lessons.len()).find(open).or_else(|| others.find(open));
        let next = next.or_else(|| self.last.filter(open))?;
        Some(voice.say_with("progress_next", "{lesson}", &self.lessons[next].name))
    }

    fn left(&self, voice: &Voice) -> Option<String> {
        let open = (0..self.lessons.len()).filter(|place| !self.done.contains(place));
        let open: Vec<&str> = open.map(|place| self.lessons[place].name.as_str()).collect();
        let has_any = self.is_ordered() && !open.is_empty();
        has_any.then(|| voice.say_with("progress_left", "{lessons}", &listed(open.into_iter())))
    }

    /// Scores, the latest first.
    fn scores(&self, voice: &Voice) -> Vec<String> {
        let scored = self.progress.lessons.iter().filter_map(|known| Some((known.score?, known)));
        let mut scored: Vec<_> = scored.collect();
        scored.sort_by_key(|(score, _)| std::cmp::Reverse(score.at));
        let said = scored.iter().take(NAMED).map(|(score, known)| {
            let place = lessons::place_of(&self.lessons, &known.lesson);
            let name = place.map_or(known.lesson.as_str(), |place| &self.lessons[place].name);
            let key = match score.passed {
                Some(true) => "progress_passed",
                Some(false) => "progress_failed",
                None => "progress_score",
            };
            voice.say_with(key, "{score}", &number(score.value)).replace("{lesson}", name)
        });
        let said: Vec<String> = said.collect();
        if said.is_empty() { vec![voice.say("progress_no_score")] } else { said }
    }

    /// Whether the site's names are those of the course.
    fn is_ordered(&self) -> bool {
        self.last.is_some() || !self.done.is_empty()
    }

    fn is_last_done(&self) -> bool {
        self.progress.last().is_some_and(|last| last.completed_at.is_some())
    }
}

/// Names, the first of many.
fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.map(|name| format!("“{name}”")).collect();
    let shown = names[..names.len().min(NAMED)].join(", ");
    if names.len() > NAMED { format!("{shown}, …") } else { shown }
}

/// `1:02:03`, or `2:03`.
fn time(ms: u64) -> String {
    let (hours, minutes, seconds) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// With two digits behind the point at most, and none that says nothing.
fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_numbers_read_as_people_write_them() {
        assert_eq!((time(61_000), time(3_723_999)), ("1:01".to_owned(), "1:02:03".to_owned()));
        assert_eq!([number(83.0), number(83.5), number(0.0), number(7.125)], ["83", "83.5", "0", "7.12"]);
    }

    #[test]
    fn many_names_are_cut() {
        let names: Vec<String> = (0..9).map(|number| number.to_string()).collect();
        let text = listed(names.iter().map(String::as_str));
        assert!(text.ends_with("“7”, …") && !text.contains("“8”"), "{text}");
    }
}
