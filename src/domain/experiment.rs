//! An experiment: students get one of several variants of a creator's settings, always the same one, by chance.
//!
//! Comes in: whom to answer. Goes out: which variant that student has. Pure: the choice is a hash, so nothing has to be kept
//! for it, and it is the same after a restart. What the variants did is counted by `insights/trial.rs`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::ids::{derived, encode};
use super::{ConversationId, CreatorId, ExperimentId, Timestamp};

/// Variants of one experiment: each needs students of its own, and five share few already.
pub const MOST_VARIANTS: usize = 5;
/// Longest name of an experiment and of a variant, in characters.
pub const MOST_NAME: usize = 80;
/// Largest weight of a variant.
pub const MOST_WEIGHT: u32 = 1_000;

/// Variants that are tried on a creator's students.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Experiment {
    pub id: ExperimentId,
    pub creator: CreatorId,
    pub name: String,
    /// The first is what the others are compared with.
    pub variants: Vec<Variant>,
    pub created_at: Timestamp,
    /// Students get variants from then on.
    pub starts_at: Timestamp,
    /// They get none any more.
    pub stopped_at: Option<Timestamp>,
    /// The variant that the creator took for the settings, by its name.
    pub used: Option<String>,
}

/// Settings to try.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Variant {
    pub name: String,
    /// How many students get it, beside the weights of the others.
    pub weight: u32,
    /// Changes of the creator's settings; none leaves them as they are.
    pub settings: Map<String, Value>,
}

/// Why something is no experiment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExperimentError {
    #[error("the name has {0} characters, 1 to {MOST_NAME} are allowed")]
    Name(usize),
    #[error("there are {0} variants, 2 to {MOST_VARIANTS} are allowed")]
    Count(usize),
    #[error("two variants are called `{0}`")]
    Twice(String),
    #[error("the weight {0} is not between 1 and {MOST_WEIGHT}")]
    Weight(u32),
}

impl Experiment {
    /// Whether name and variants make sense by themselves; what the settings mean is checked at the edge.
    pub fn check(&self) -> Result<(), ExperimentError> {
        let names = self.variants.iter().map(|variant| &variant.name);
        for name in names.clone().chain([&self.name]) {
            let length = name.trim().chars().count();
            if !(1..=MOST_NAME).contains(&length) || name.chars().any(char::is_control) {
                return Err(ExperimentError::Name(length));
            }
        }
        if !(2..=MOST_VARIANTS).contains(&self.variants.len()) {
            return Err(ExperimentError::Count(self.variants.len()));
        }
        for (place, name) in names.enumerate() {
            if self.variants[..place].iter().any(|before| before.name == *name) {
                return Err(ExperimentError::Twice(name.clone()));
            }
        }
        match self.variants.iter().find(|variant| !(1..=MOST_WEIGHT).contains(&variant.weight)) {
            Some(variant) => Err(ExperimentError::Weight(variant.weight)),
            None => Ok(()),
        }
    }

    /// Whether students get variants at this time.
    pub fn runs(&self, now: Timestamp) -> bool {
        self.starts_at <= now && self.stopped_at.is_none()
    }

    /// Who asks, as far as this experiment knows: a student whom the creator's site names, else a conversation. Another
    /// experiment knows the same student by another name, so that its variants fall anew.
    pub fn unit(&self, student: Option<&str>, conversation: &ConversationId) -> String {
        let (kind, id): (&[u8], &str) = match student {
            Some(student) => (b"student", student),
            None => (b"conversation", conversation.as_str()),
        };
        encode(derived(&[b"neverafk unit v1", self.id.as_str().as_bytes(), kind, id.as_bytes()]))
    }

    /// The variant of a unit; `None` only where there are no variants.
    pub fn variant_of(&self, unit: &str) -> Option<&Variant> {
        let weights = self.variants.iter().map(|variant| u64::from(variant.weight));
        let sum: u64 = weights.sum();
        let [.., a, b, c, d, e, f, g, h] = derived(&[b"neverafk variant v1", unit.as_bytes()]);
        let drawn = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
        // A number below the sum: the high half of the product, whose bias is below one in 2^50.
        let mut place = ((u128::from(drawn) * u128::from(sum)) >> 64) as u64;
        self.variants.iter().find(|variant| {
            let weight = u64::from(variant.weight);
            let here = place < weight;
            place = place.saturating_sub(weight);
            here
        })
    }
}

impl Variant {
    /// The settings with the changes of this variant; `null` takes one back.
    pub fn over(&self, settings: &Value) -> Value {
        let mut settings = settings.as_object().cloned().unwrap_or_default();
        for (name, value) in &self.settings {
            match value {
                Value::Null => settings.remove(name),
                value => settings.insert(name.clone(), value.clone()),
            };
        }
        Value::Object(settings)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn experiment(byte: u8, weights: &[u32]) -> Experiment {
        let variant = |(place, weight): (usize, &u32)| Variant {
            name: format!("v{place}"),
            weight: *weight,
            settings: Map::new(),
        };
        Experiment {
            id: ExperimentId::from_bytes([byte; 16]),
            creator: "anna".parse().unwrap(),
            name: "Shorter answers".into(),
            variants: weights.iter().enumerate().map(variant).collect(),
            created_at: Timestamp(1),
            starts_at: Timestamp(1_000),
            stopped_at: None,
            used: None,
        }
    }

    fn given(experiment: &Experiment, student: u32) -> String {
        let unit = experiment.unit(Some(&student.to_string()), &ConversationId::from_bytes([0; 16]));
        experiment.variant_of(&unit).unwrap().name.clone()
    }

    /// Chi-squared over 20 000 students: 13.8 is exceeded once in a thousand times with two degrees of freedom, 10.8 with
    /// one. The ids are fixed, so it is exceeded always or never.
    #[test]
    fn students_fall_to_variants_by_their_weights() {
        for (weights, bound) in [(vec![1, 1], 10.8), (vec![9, 1], 10.8), (vec![5, 3, 2], 13.8)] {
            let experiment = experiment(7, &weights);
            let mut counts = vec![0u32; weights.len()];
            for student in 0..20_000 {
                let name = given(&experiment, student);
                counts[name[1..].parse::<usize>().unwrap()] += 1;
            }
            let sum = f64::from(weights.iter().sum::<u32>());
            let chi: f64 = counts
                .iter()
                .zip(&weights)
                .map(|(count, weight)| {
                    let expected = 20_000.0 * f64::from(*weight) / sum;
                    (f64::from(*count) - expected).powi(2) / expected
                })
                .sum();
            assert!(chi < bound, "{weights:?}: {counts:?}, {chi}");
        }
    }

    #[test]
    fn a_student_keeps_the_variant_and_another_experiment_draws_anew() {
        let (first, second) = (experiment(1, &[1, 1]), experiment(2, &[1, 1]));
        let other = ConversationId::from_bytes([9; 16]);
        let unit = first.unit(Some("17"), &other);
        assert_eq!(unit, first.unit(Some("17"), &ConversationId::from_bytes([3; 16])));
        assert_ne!(unit, first.unit(None, &other));
        assert_ne!(unit, second.unit(Some("17"), &other));
        // What was stored and read again chooses the same.
        let again: Experiment = serde_json::from_str(&serde_json::to_string(&first).unwrap()).unwrap();
        let moved = (0..2_000).filter(|student| given(&first, *student) != given(&again, *student)).count();
        assert_eq!(moved, 0);
        let differ = (0..2_000).filter(|student| given(&first, *student) != given(&second, *student)).count();
        assert!(
            (900..1_100).contains(&differ),
            "{differ} of 2000 have another variant in another experiment"
        );
    }

    #[test]
    fn it_runs_from_its_start_to_its_stop() {
        let mut it = experiment(1, &[1, 1]);
        assert!(!it.runs(Timestamp(999)) && it.runs(Timestamp(1_000)));
        it.stopped_at = Some(Timestamp(2_000));
        assert!(!it.runs(Timestamp(3_000)));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        assert_eq!(experiment(1, &[1, 1]).check(), Ok(()));
        assert_eq!(experiment(1, &[1]).check(), Err(ExperimentError::Count(1)));
        assert_eq!(experiment(1, &[1; 6]).check(), Err(ExperimentError::Count(6)));
        assert_eq!(experiment(1, &[1, 0]).check(), Err(ExperimentError::Weight(0)));
        let mut twice = experiment(1, &[1, 1]);
        twice.variants[1].name = "v0".into();
        assert_eq!(twice.check(), Err(ExperimentError::Twice("v0".into())));
        twice.variants[1].name = " ".into();
        assert_eq!(twice.check(), Err(ExperimentError::Name(0)));
    }

    #[test]
    fn a_variant_changes_what_it_names_and_nothing_else() {
        let changes = json!({"models": [], "intro": null}).as_object().unwrap().clone();
        let variant = Variant { name: "quotes".into(), weight: 1, settings: changes };
        let settings = json!({"intro": "Look:", "viewer": "text"});
        assert_eq!(variant.over(&settings), json!({"models": [], "viewer": "text"}));
        assert_eq!(variant.over(&Value::Null), json!({"models": []}));
    }
}
