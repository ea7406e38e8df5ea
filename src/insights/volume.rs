//! How many questions there were on each day and how they went.
//!
//! Comes in: kept turns in any order, and the time. Goes out: [`Insights`] over the last days in UTC, today among them.
//! One turn at a time, so that a year of them is never in memory. Called by `app`.

use std::collections::HashMap;

use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::{Day, Insights};
use crate::domain::figures::{Figures, begin_of};
use crate::domain::{AnswerTrace, Timestamp, Turn};

/// Longest time that is looked at.
pub const MOST_DAYS: u32 = 366;

/// Counts turns.
pub struct Tally {
    days: Vec<Day>,
    places: HashMap<Date, usize>,
    times: Vec<Vec<u32>>,
    groundedness: (f64, u32),
}

/// The first moment of the `days` days that end with the day of `now`.
pub fn begin(days: u32, now: Timestamp) -> Timestamp {
    let first = first_day(days, now);
    let start = first.to_zoned(TimeZone::UTC).map(|zoned| zoned.timestamp().as_millisecond());
    Timestamp(start.ok().and_then(|millis| u64::try_from(millis).ok()).unwrap_or(0))
}

impl Tally {
    /// Of the `days` days that end with the day of `now`: 1 to [`MOST_DAYS`].
    pub fn new(days: u32, now: Timestamp) -> Self {
        let (first, last) = (first_day(days, now), date_of(now));
        let dates: Vec<Date> =
            first.series(1.day()).take_while(|date| *date <= last).take(MOST_DAYS as usize).collect();
        let day = |date: &Date| Day { date: date.to_string(), ..Day::default() };
        Self {
            days: dates.iter().map(day).collect(),
            times: vec![Vec::new(); dates.len()],
            places: dates.into_iter().enumerate().map(|(place, date)| (date, place)).collect(),
            groundedness: (0.0, 0),
        }
    }

    /// Counts a turn of these days; others are passed over.
    pub fn add(&mut self, turn: &Turn) {
        let Some(&place) = self.places.get(&date_of(turn.created_at)) else { return };
        let (day, answer) = (&mut self.days[place], &turn.answer);
        let one = |is: bool| u32::from(is);
        let is_answered = !answer.abstained && !answer.citations.is_empty();
        day.asked += 1;
        day.answered += one(is_answered);
        day.abstained += one(answer.is_gap());
        day.escalated += one(answer.should_escalate);
        if let Some(feedback) = &turn.feedback {
            day.helpful += one(feedback.helpful);
            day.unhelpful += one(!feedback.helpful);
        }
        if is_answered {
            self.groundedness.0 += f64::from(answer.groundedness);
            self.groundedness.1 += 1;
        }
        day.cost += turn.trace.as_ref().map_or(0.0, AnswerTrace::cost);
        // A float beyond the range of whole milliseconds becomes the nearest of them.
        self.times[place].push(answer.timings_ms.total.round() as u32);
    }

    /// Counts what is left of the erased turns of a day (UTC, in days since 1970); the times of their answers are gone.
    pub fn add_figures(&mut self, day: u32, figures: &Figures) {
        let Some(&place) = self.places.get(&date_of(begin_of(day))) else { return };
        let day = &mut self.days[place];
        day.asked = day.asked.saturating_add(figures.asked);
        day.answered = day.answered.saturating_add(figures.answered);
        day.abstained = day.abstained.saturating_add(figures.abstained);
        day.escalated = day.escalated.saturating_add(figures.escalated);
        day.helpful = day.helpful.saturating_add(figures.helpful);
        day.unhelpful = day.unhelpful.saturating_add(figures.unhelpful);
        day.cost += figures.cost;
        self.groundedness.0 += figures.groundedness;
        self.groundedness.1 = self.groundedness.1.saturating_add(figures.answered);
    }

    /// What was counted.
    pub fn finish(mut self) -> Insights {
        let mut all = Vec::new();
        for (day, times) in self.days.iter_mut().zip(&mut self.times) {
            day.median_ms = median(times);
            all.append(times);
        }
        let sum = |of: fn(&Day) -> u32| self.days.iter().map(of).fold(0, u32::saturating_add);
        let (support, count) = self.groundedness;
        let (asked, cost) = (sum(|day| day.asked), self.days.iter().map(|day| day.cost).sum::<f64>());
        Insights {
            asked,
            cost,
            cost_per_answer: (asked > 0).then(|| cost / f64::from(asked)),
            currency: String::new(),
            answered: sum(|day| day.answered),
            abstained: sum(|day| day.abstained),
            escalated: sum(|day| day.escalated),
            helpful: sum(|day| day.helpful),
            unhelpful: sum(|day| day.unhelpful),
            groundedness: (count > 0).then(|| (support / f64::from(count)) as f32),
            median_ms: median(&mut all),
            days: self.days,
        }
    }
}

/// The middle one; the lower of the two in the middle.
pub(super) fn median(times: &mut [u32]) -> Option<u32> {
    let middle = times.len().checked_sub(1)? / 2;
    Some(*times.select_nth_unstable(middle).1)
}

fn first_day(days: u32, now: Timestamp) -> Date {
    let back = i64::from(days.clamp(1, MOST_DAYS)) - 1;
    date_of(now).saturating_sub(back.days())
}

fn date_of(time: Timestamp) -> Date {
    let millis = i64::try_from(time.0).unwrap_or(i64::MAX);
    let time = jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    time.to_zoned(TimeZone::UTC).date()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::trace::CostTrace;
    use crate::domain::{
        Anchor, Answer, Citation, ConversationId, DocumentId, Escalation, Feedback, Memory, MessageId,
        TimingsMs, Usage,
    };

    const DAY: u64 = 24 * 3_600_000;
    /// 2026-11-23, 18:00 UTC.
    const NOW: Timestamp = Timestamp(1_795_456_800_000);

    fn cost(amount: f64) -> CostTrace {
        CostTrace { model: "gpu:m".into(), prompt_tokens: 10, completion_tokens: 5, amount }
    }

    fn turn(at: u64, answered: bool, ms: f64, helpful: Option<bool>) -> Turn {
        let (conversation, message) = (ConversationId::from_bytes([1; 16]), MessageId::from_bytes([2; 16]));
        let citation = Citation {
            id: 1,
            document_id: DocumentId::from_bytes([3; 16]),
            external_id: None,
            title: String::new(),
            quote: String::new(),
            anchor: Anchor::default(),
            url: None,
            score: 1.0,
        };
        Turn {
            id: message.clone(),
            conversation: conversation.clone(),
            creator: "course".parse().unwrap(),
            question: "Why?".into(),
            answer: Answer {
                response: String::new(),
                sources: Vec::new(),
                should_escalate: !answered,
                escalation: (!answered).then_some(Escalation::NotInContent),
                conversation_id: conversation,
                message_id: message,
                citations: if answered { vec![citation] } else { Vec::new() },
                sentences: Vec::new(),
                confidence: 1.0,
                groundedness: 0.5,
                abstained: !answered,
                agent: "course".into(),
                model: "extractive".into(),
                cached: false,
                language: "en".into(),
                usage: Usage::default(),
                timings_ms: TimingsMs { total: ms, ..TimingsMs::default() },
            },
            reviewed: false,
            created_at: Timestamp(at),
            memory: Memory::default(),
            trace: Some(AnswerTrace { costs: vec![cost(0.25)], ..AnswerTrace::default() }),
            feedback: helpful.map(|helpful| Feedback { helpful, reason: None, comment: None, at: NOW }),
            correction: None,
        }
    }

    #[test]
    fn turns_are_counted_on_their_day_in_utc() {
        assert_eq!(begin(1, NOW).0, NOW.0 - NOW.0 % DAY);
        assert_eq!(begin(7, NOW).0, begin(1, NOW).0 - 6 * DAY);
        let mut tally = Tally::new(7, NOW);
        for (at, answered, ms, helpful) in [
            (NOW.0, true, 10.0, Some(true)),
            (begin(1, NOW).0, false, 30.4, Some(false)),
            (begin(1, NOW).0 - 1, true, 20.0, None),
            (begin(7, NOW).0, true, f64::NAN, None),
            (begin(7, NOW).0 - 1, true, 5.0, Some(true)),
        ] {
            tally.add(&turn(at, answered, ms, helpful));
        }
        let found = tally.finish();
        assert_eq!(found.days.len(), 7);
        let last = &found.days[6];
        assert_eq!((last.date.as_str(), last.asked, last.answered), ("2026-11-23", 2, 1));
        assert_eq!((last.abstained, last.escalated, last.helpful, last.unhelpful), (1, 1, 1, 1));
        assert_eq!(
            (last.median_ms, found.days[5].median_ms, found.days[3].median_ms),
            (Some(10), Some(20), None)
        );
        assert_eq!((found.asked, found.answered, found.helpful, found.unhelpful), (4, 3, 1, 1));
        assert_eq!((found.groundedness, found.median_ms), (Some(0.5), Some(10)));
        assert_eq!((last.cost, found.cost, found.cost_per_answer), (0.5, 1.0, Some(0.25)));
    }

    #[test]
    fn what_is_left_of_erased_turns_counts_like_the_turns() {
        let (mut kept, mut erased) = (Tally::new(7, NOW), Tally::new(7, NOW));
        for (at, answered, helpful) in [
            (NOW.0, true, Some(true)),
            (NOW.0, false, Some(false)),
            (NOW.0 - 3 * DAY, true, None),
            (NOW.0 - 9 * DAY, true, None),
        ] {
            let turn = turn(at, answered, 10.0, helpful);
            kept.add(&turn);
            erased.add_figures(crate::domain::figures::day_of(Timestamp(at)), &Figures::of(&turn));
        }
        let mut kept = kept.finish();
        kept.median_ms = None;
        for day in &mut kept.days {
            day.median_ms = None;
        }
        assert_eq!(erased.finish(), kept);
    }

    #[test]
    fn a_time_without_questions_has_days_and_no_numbers() {
        let found = Tally::new(0, NOW).finish();
        assert_eq!((found.days.len(), found.asked, found.groundedness, found.median_ms), (1, 0, None, None));
        assert_eq!(Tally::new(10_000, NOW).finish().days.len(), MOST_DAYS as usize);
        assert_eq!(Tally::new(30, Timestamp(0)).finish().days.last().unwrap().date, "1970-01-01");
    }
}
