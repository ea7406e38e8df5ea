//! What the variants of an experiment did, and whether they differ by more than chance.
//!
//! Comes in: an experiment and kept turns in any order. Goes out: a [`Trial`]. What is compared are students, not answers: one
//! who asks ten questions of one variant is one observation of it, since all ten go the same way. A student's number is the
//! mean of their answers; where all of them are 0 or 1 they are shares, and Fisher's exact test compares them, else the rank
//! sum test does. Holm's correction over all comparisons. Pure; called by `app`.

use std::collections::HashMap;

use super::volume::median;
use super::{Compared, Likely, Trial, VariantResult};
use crate::domain::{AnswerTrace, Experiment, Turn};
use crate::stats::{fisher, holm, rank_sum};

/// Students that each of two variants must have before anything is said: the rank test's probabilities come from the normal
/// distribution, which holds from some twenty values in each group.
pub const LEAST_STUDENTS: usize = 20;

/// A difference below this probability is not put down to chance.
const SURE: f64 = 0.05;

/// A number of a student, and how it is told.
struct Measure {
    name: &'static str,
    lower_is_better: bool,
    is_share: bool,
    /// `None` where the student's answers say nothing about it.
    of: fn(&Student) -> Option<f64>,
}

static MEASURES: [Measure; 6] = [
    Measure {
        name: "helpful",
        lower_is_better: false,
        is_share: true,
        of: |student| mean(f64::from(student.helpful), student.rated),
    },
    Measure {
        name: "groundedness",
        lower_is_better: false,
        is_share: true,
        of: |student| mean(student.groundedness, student.answered),
    },
    Measure {
        name: "escalated",
        lower_is_better: true,
        is_share: true,
        of: |student| mean(f64::from(student.escalated), student.asked),
    },
    Measure {
        name: "declined",
        lower_is_better: true,
        is_share: true,
        of: |student| mean(f64::from(student.declined), student.asked),
    },
    Measure {
        name: "cost",
        lower_is_better: true,
        is_share: false,
        of: |student| mean(student.cost, student.asked),
    },
    Measure {
        name: "latency_ms",
        lower_is_better: true,
        is_share: false,
        of: |student| mean(student.ms, student.asked),
    },
];

fn mean(sum: f64, count: u32) -> Option<f64> {
    (count > 0).then(|| sum / f64::from(count))
}

/// What one student's answers add up to.
#[derive(Default)]
struct Student {
    asked: u32,
    answered: u32,
    escalated: u32,
    declined: u32,
    rated: u32,
    helpful: u32,
    groundedness: f64,
    cost: f64,
    ms: f64,
}

#[derive(Default)]
struct Arm {
    students: HashMap<String, Student>,
    times: Vec<u32>,
}

/// Counts turns of one experiment.
pub struct TrialTally {
    experiment: Experiment,
    arms: Vec<Arm>,
}

impl TrialTally {
    pub fn new(experiment: &Experiment) -> Self {
        let arms = experiment.variants.iter().map(|_| Arm::default()).collect();
        Self { experiment: experiment.clone(), arms }
    }

    /// Counts a turn of this experiment; others are passed over.
    pub fn add(&mut self, turn: &Turn) {
        let given = turn.trace.as_ref().and_then(|trace| trace.experiment.as_ref());
        let Some(given) = given.filter(|given| given.experiment_id == self.experiment.id) else { return };
        let place = self.experiment.variants.iter().position(|variant| variant.name == given.variant);
        let Some(arm) = place.and_then(|place| self.arms.get_mut(place)) else { return };
        let (answer, one) = (&turn.answer, |is: bool| u32::from(is));
        let student = arm.students.entry(given.unit.clone()).or_default();
        student.asked += 1;
        student.escalated += one(answer.should_escalate);
        student.declined += one(answer.is_gap());
        if !answer.abstained && !answer.citations.is_empty() {
            student.answered += 1;
            student.groundedness += f64::from(answer.groundedness);
        }
        if let Some(feedback) = &turn.feedback {
            student.rated += 1;
            student.helpful += one(feedback.helpful);
        }
        student.cost += turn.trace.as_ref().map_or(0.0, AnswerTrace::cost);
        student.ms += answer.timings_ms.total;
        // A float beyond the range of whole milliseconds becomes the nearest of them.
        arm.times.push(answer.timings_ms.total.round() as u32);
    }

    /// What was counted, and what it says.
    pub fn finish(mut self) -> Trial {
        let variants: Vec<VariantResult> = self
            .arms
            .iter_mut()
            .zip(&self.experiment.variants)
            .map(|(arm, variant)| result(&variant.name, variant.weight, arm))
            .collect();
        let mut compared = Vec::new();
        if let Some((first, others)) = self.arms.split_first() {
            for (other, variant) in others.iter().zip(self.experiment.variants.iter().skip(1)) {
                compared.extend(
                    MEASURES.iter().filter_map(|measure| compare(measure, first, other, &variant.name)),
                );
            }
        }
        let corrected = holm(&compared.iter().map(|row| row.p).collect::<Vec<_>>());
        for (row, p) in compared.iter_mut().zip(corrected) {
            row.p_corrected = p;
            row.likely = likely(row);
        }
        let sentence = sentence(&variants, &compared);
        Trial { variants, compared, sentence }
    }
}

fn result(name: &str, weight: u32, arm: &mut Arm) -> VariantResult {
    let sum = |of: fn(&Student) -> u32| arm.students.values().map(of).fold(0, u32::saturating_add);
    let total = |of: fn(&Student) -> f64| arm.students.values().map(of).sum::<f64>();
    let (asked, answered) = (sum(|student| student.asked), sum(|student| student.answered));
    let (rated, helpful) = (sum(|student| student.rated), sum(|student| student.helpful));
    let (escalated, declined) = (sum(|student| student.escalated), sum(|student| student.declined));
    let cost = total(|student| student.cost);
    VariantResult {
        variant: name.to_owned(),
        weight,
        students: u32::try_from(arm.students.len()).unwrap_or(u32::MAX),
        asked,
        answered,
        helpful,
        unhelpful: rated.saturating_sub(helpful),
        escalated,
        declined,
        groundedness: mean(total(|student| student.groundedness), answered),
        cost,
        cost_per_answer: mean(cost, asked),
        median_ms: median(&mut arm.times),
    }
}

/// One number of a variant beside the first one's; `None` where either has too few students for it.
fn compare(measure: &Measure, first: &Arm, other: &Arm, variant: &str) -> Option<Compared> {
    let values = |arm: &Arm| arm.students.values().filter_map(measure.of).collect::<Vec<f64>>();
    let (first, other) = (values(first), values(other));
    if first.len().min(other.len()) < LEAST_STUDENTS {
        return None;
    }
    let is_even = first.iter().chain(&other).all(|value| *value == 0.0 || *value == 1.0);
    let ones = |values: &[f64]| values.iter().filter(|value| **value > 0.5).count() as u64;
    let (test, p) = match measure.is_share && is_even {
        true => {
            let counts = |values: &[f64]| [ones(values), values.len() as u64];
            ("fisher", fisher(counts(&first), counts(&other)))
        }
        false => ("rank_sum", rank_sum(&first, &other)),
    };
    let middle = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    Some(Compared {
        variant: variant.to_owned(),
        measure: measure.name,
        lower_is_better: measure.lower_is_better,
        is_share: measure.is_share,
        first: middle(&first),
        other: middle(&other),
        test,
        p,
        p_corrected: p,
        likely: Likely::Chance,
    })
}

fn likely(row: &Compared) -> Likely {
    if row.p_corrected >= SURE || row.first == row.other {
        Likely::Chance
    } else if (row.other < row.first) == row.lower_is_better {
        Likely::Better
    } else {
        Likely::Worse
    }
}

/// What it all says, for people.
fn sentence(variants: &[VariantResult], compared: &[Compared]) -> String {
    let few = variants.iter().any(|variant| (variant.students as usize) < LEAST_STUDENTS);
    if few {
        let counts: Vec<String> =
            variants.iter().map(|variant| format!("{} has {}", variant.variant, variant.students)).collect();
        let counts = counts.join(", ");
        return format!("Too few answers to tell: of {LEAST_STUDENTS} students that each needs, {counts}.");
    }
    let told: Vec<String> = compared
        .iter()
        .filter(|row| row.likely != Likely::Chance)
        .map(|row| {
            let word = if row.likely == Likely::Better { "better" } else { "worse" };
            format!(
                "{} is {word} in {}: {} instead of {} (p = {:.3}).",
                row.variant,
                row.measure.replace('_', " "),
                row.shown(row.other),
                row.shown(row.first),
                row.p_corrected
            )
        })
        .collect();
    if told.is_empty() { "No difference that could not be chance.".to_owned() } else { told.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::trace::{CostTrace, VariantTrace};
    use crate::domain::{
        Answer, ConversationId, Escalation, ExperimentId, Feedback, Memory, MessageId, Timestamp, TimingsMs,
        Usage, Variant,
    };

    fn experiment() -> Experiment {
        let variant = |name: &str| Variant { name: name.into(), weight: 1, settings: serde_json::Map::new() };
        Experiment {
            id: ExperimentId::from_bytes([7; 16]),
            creator: "course".parse().unwrap(),
            name: "Quotes".into(),
            variants: vec![variant("now"), variant("new")],
            created_at: Timestamp(0),
            starts_at: Timestamp(0),
            stopped_at: None,
            used: None,
        }
    }

    struct Asked {
        variant: &'static str,
        student: u32,
        escalates: bool,
        helpful: Option<bool>,
        cost: f64,
        ms: f64,
    }

    fn turn(asked: &Asked) -> Turn {
        let (conversation, id) = (ConversationId::from_bytes([1; 16]), MessageId::from_bytes([2; 16]));
        let cost =
            CostTrace { model: "m".into(), prompt_tokens: 1, completion_tokens: 1, amount: asked.cost };
        let experiment = Some(VariantTrace {
            experiment_id: ExperimentId::from_bytes([7; 16]),
            variant: asked.variant.into(),
            unit: asked.student.to_string(),
        });
        Turn {
            id: id.clone(),
            conversation: conversation.clone(),
            creator: "course".parse().unwrap(),
            question: "Why?".into(),
            answer: Answer {
                response: String::new(),
                sources: Vec::new(),
                should_escalate: asked.escalates,
                escalation: asked.escalates.then_some(Escalation::NotInContent),
                conversation_id: conversation,
                message_id: id,
                citations: Vec::new(),
                sentences: Vec::new(),
                confidence: 1.0,
                groundedness: 1.0,
                abstained: asked.escalates,
                agent: "course".into(),
                model: "m".into(),
                cached: false,
                language: "en".into(),
                usage: Usage::default(),
                timings_ms: TimingsMs { total: asked.ms, ..TimingsMs::default() },
            },
            reviewed: false,
            created_at: Timestamp(5),
            memory: Memory::default(),
            trace: Some(AnswerTrace { experiment, costs: vec![cost], ..AnswerTrace::default() }),
            feedback: asked.helpful.map(|helpful| Feedback {
                helpful,
                reason: None,
                comment: None,
                at: Timestamp(6),
            }),
            correction: None,
        }
    }

    fn asked(variant: &'static str, student: u32) -> Asked {
        Asked { variant, student, escalates: false, helpful: None, cost: 0.0, ms: 10.0 }
    }

    #[test]
    fn one_who_asks_much_is_one_student() {
        let mut tally = TrialTally::new(&experiment());
        for student in 0..40u32 {
            for _ in 0..=student % 3 {
                // Four of forty in vain, and each of their questions.
                tally.add(&turn(&Asked { escalates: student % 10 == 0, ..asked("now", student) }));
                tally.add(&turn(&Asked { escalates: student % 2 == 0, ..asked("new", student) }));
            }
        }
        let found = tally.finish();
        assert_eq!((found.variants[0].students, found.variants[0].asked), (40, 79));
        let row = found.compared.iter().find(|row| row.measure == "escalated").unwrap();
        assert_eq!((row.test, row.first, row.other), ("fisher", 0.1, 0.5));
        // scipy.stats.fisher_exact([[4, 36], [20, 20]])
        assert!((row.p - 0.0001724243357872356).abs() < 1e-9, "{row:?}");
        assert_eq!(row.likely, Likely::Worse);
        assert!(row.p_corrected > row.p && row.p_corrected < 0.01, "{row:?}");
        assert!(
            found.sentence.contains("new is worse in escalated: 50 % instead of 10 %"),
            "{}",
            found.sentence
        );
        // Nobody said a thumb, and nothing was quoted: no such row.
        assert!(found.compared.iter().all(|row| row.measure != "helpful" && row.measure != "groundedness"));
    }

    #[test]
    fn costs_and_times_go_by_ranks() {
        let mut tally = TrialTally::new(&experiment());
        for student in 0..30u32 {
            let own = f64::from(student);
            tally.add(&turn(&Asked { cost: 0.001 * (own + 1.0), ms: 20.0 + own, ..asked("now", student) }));
            tally.add(&turn(&Asked { cost: 0.0, ms: 20.5 + own, ..asked("new", student) }));
        }
        let found = tally.finish();
        let row = |name: &str| found.compared.iter().find(|row| row.measure == name).unwrap();
        assert_eq!((row("cost").test, row("cost").likely), ("rank_sum", Likely::Better));
        // scipy.stats.mannwhitneyu([20 + i], [20.5 + i]) for i below 30, method="asymptotic"
        assert!((row("latency_ms").p - 0.8302552839111963).abs() < 1e-9, "{:?}", row("latency_ms"));
        assert_eq!(row("latency_ms").likely, Likely::Chance);
        assert_eq!((found.variants[0].median_ms, found.variants[1].cost), (Some(34), 0.0));
        assert!((found.variants[0].cost_per_answer.unwrap() - 0.0155).abs() < 1e-12);
    }

    #[test]
    fn few_students_say_nothing_and_other_turns_do_not_count() {
        let mut tally = TrialTally::new(&experiment());
        for student in 0..19 {
            tally.add(&turn(&Asked { helpful: Some(true), ..asked("now", student) }));
            tally.add(&turn(&Asked { helpful: Some(false), ..asked("new", student) }));
        }
        tally.add(&turn(&asked("unknown", 1)));
        let mut other = turn(&asked("now", 99));
        other.trace = Some(AnswerTrace::default());
        tally.add(&other);
        let found = tally.finish();
        assert!(found.compared.is_empty());
        assert_eq!(
            found.sentence,
            "Too few answers to tell: of 20 students that each needs, now has 19, new has 19."
        );
        assert_eq!((found.variants[0].helpful, found.variants[1].unhelpful), (19, 19));
    }

    #[test]
    fn equal_variants_do_not_differ() {
        let mut tally = TrialTally::new(&experiment());
        for student in 0..50 {
            for variant in ["now", "new"] {
                tally.add(&turn(&Asked { helpful: Some(student % 2 == 0), ..asked(variant, student) }));
            }
        }
        assert_eq!(tally.finish().sentence, "No difference that could not be chance.");
    }
}
