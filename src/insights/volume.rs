//! How many questions there were on each day and how they went.
//!
//! Comes in: kept turns in any order, and the time. Goes out: [`Insights`] over the last days in UTC, today among them.
//! One turn at a time, so that a year of them is never in memory. Called by `app`.

use std::collections::HashMap;

use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::{Day, Insights};
use crate::domain::{Timestamp, Turn};

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
        day.abstained += one(answer.abstained);
        day.escalated += one(answer.should_escalate);
        if let Some(feedback) = &turn.feedback {
            day.helpful += one(feedback.helpful);
            day.unhelpful += one(!feedback.helpful);
        }
        if is_answered {
            self.groundedness.0 += f64::from(answer.groundedness);
            self.groundedness.1 += 1;
        }
        // A float beyond the range of whole milliseconds becomes the nearest of them.
        self.times[place].push(answer.timings_ms.total.round() as u32);
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
        Insights {
            asked: sum(|day| day.asked),
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
fn median(times: &mut [u32]) -> Option<u32> {
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
