//! How a day's questions went, in numbers: what stays of conversations that were erased because they are old.
//!
//! Comes in: kept turns. Goes out: sums without a word of anybody's. The store keeps them by day; `insights` adds them.

use serde::{Deserialize, Serialize};

use super::{AnswerTrace, DAY_MS, Timestamp, Turn};

/// Sums over the turns of a day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    pub asked: u32,
    pub answered: u32,
    pub abstained: u32,
    pub escalated: u32,
    pub helpful: u32,
    pub unhelpful: u32,
    /// Groundedness of those that were answered, summed.
    pub groundedness: f64,
    /// What models of providers cost.
    #[serde(default)]
    pub cost: f64,
}

impl Figures {
    /// Of one turn.
    pub fn of(turn: &Turn) -> Self {
        let (answer, one) = (&turn.answer, |is: bool| u32::from(is));
        let is_answered = !answer.abstained && !answer.citations.is_empty();
        let helpful = turn.feedback.as_ref().map(|feedback| feedback.helpful);
        Self {
            asked: 1,
            answered: one(is_answered),
            abstained: one(answer.is_gap()),
            escalated: one(answer.should_escalate),
            helpful: one(helpful == Some(true)),
            unhelpful: one(helpful == Some(false)),
            groundedness: if is_answered { f64::from(answer.groundedness) } else { 0.0 },
            cost: turn.trace.as_ref().map_or(0.0, AnswerTrace::cost),
        }
    }

    /// Both together.
    pub fn and(self, other: Self) -> Self {
        Self {
            asked: self.asked.saturating_add(other.asked),
            answered: self.answered.saturating_add(other.answered),
            abstained: self.abstained.saturating_add(other.abstained),
            escalated: self.escalated.saturating_add(other.escalated),
            helpful: self.helpful.saturating_add(other.helpful),
            unhelpful: self.unhelpful.saturating_add(other.unhelpful),
            groundedness: self.groundedness + other.groundedness,
            cost: self.cost + other.cost,
        }
    }
}

/// The day of a time in UTC, in days since 1970; the last that can be written for times beyond it.
pub fn day_of(time: Timestamp) -> u32 {
    u32::try_from(time.0 / DAY_MS).unwrap_or(u32::MAX)
}

/// The first moment of a day.
pub fn begin_of(day: u32) -> Timestamp {
    Timestamp(u64::from(day) * DAY_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_begin_at_midnight_in_utc() {
        for (time, day) in [(0, 0), (DAY_MS - 1, 0), (DAY_MS, 1), (u64::MAX, u32::MAX)] {
            assert_eq!(day_of(Timestamp(time)), day, "{time}");
        }
        assert_eq!(day_of(begin_of(20_000)), 20_000);
        let one = Figures { asked: 1, groundedness: 0.5, ..Figures::default() };
        assert_eq!(one.and(one), Figures { asked: 2, groundedness: 1.0, ..Figures::default() });
    }
}
