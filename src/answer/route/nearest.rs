//! Examples of turns for each agent, and which of them a turn is nearest to.
//!
//! Comes in: the small embedding table, a turn, and the creator's own examples. Goes out: an agent, when an example is
//! near enough and clearly nearer than any question about a course. The shipped examples are English, as the table is.

use std::sync::{Arc, LazyLock};

use serde_json::Value;

use super::Agent;
use crate::inference::{EmbedInput, EmbedRole, Embedder, Lane, ModelError};
use crate::store::Creator;

/// Name of the setting that holds a creator's examples: `{"policy": ["Is the studio open on Sundays?"]}`.
pub const SETTING: &str = "routes";

/// A creator's examples that are looked at, and characters of each.
pub const MOST_EXAMPLES: usize = 64;
pub const MOST_CHARS: usize = 300;

/// Cosine from which a shipped example counts, and how much nearer it must be than the nearest of the course's. Chosen by
/// judgement: high enough that an example decides only what is nearly said as it is.
const NEAR: f32 = 0.70;
const NEARER: f32 = 0.12;

/// Cosine from which a creator's example counts: it is the same question in about the same words.
const SAME: f32 = 0.80;

static TEXTS: LazyLock<Vec<(Agent, String)>> = LazyLock::new(|| {
    let mut agent = Agent::Course;
    let mut texts = Vec::new();
    for line in include_str!("../../../assets/routing/examples.txt").lines().map(str::trim) {
        match line.strip_prefix('[').and_then(|line| line.strip_suffix(']')).and_then(Agent::of_name) {
            Some(named) => agent = named,
            None if line.is_empty() || line.starts_with('#') => {}
            None => texts.push((agent, line.to_owned())),
        }
    }
    texts
});

/// The shipped examples with their vectors.
#[derive(Default)]
pub struct Examples {
    vectors: tokio::sync::OnceCell<Vec<(Agent, Vec<f32>)>>,
}

impl Examples {
    /// The agent that the examples speak for. The creator's count for every turn, the shipped ones only where
    /// `undecided`.
    pub async fn nearest(
        &self,
        table: &Arc<dyn Embedder>,
        text: &str,
        creator: &Creator,
        undecided: bool,
    ) -> Result<Option<Agent>, ModelError> {
        let own = own(creator);
        if own.is_empty() && !undecided {
            return Ok(None);
        }
        let mut texts = vec![text.to_owned()];
        texts.extend(own.iter().map(|(_, example)| example.clone()));
        let mut vectors = embed(table, texts).await?.into_iter();
        let Some(asked) = vectors.next() else { return Ok(None) };
        let same = own
            .iter()
            .zip(vectors)
            .map(|((agent, _), vector)| (*agent, cosine(&asked, &vector)))
            .max_by(|a, b| a.1.total_cmp(&b.1));
        if let Some((agent, _)) = same.filter(|(_, near)| *near >= SAME) {
            return Ok(Some(agent));
        }
        if !undecided {
            return Ok(None);
        }
        let shipped = self
            .vectors
            .get_or_try_init(|| async {
                let texts = TEXTS.iter().map(|(_, text)| text.clone()).collect();
                let agents = TEXTS.iter().map(|(agent, _)| *agent);
                Ok::<_, ModelError>(agents.zip(embed(table, texts).await?).collect())
            })
            .await?;
        Ok(clearly_nearest(&asked, shipped))
    }
}

/// The agent of the nearest example, if it is near and the course's own are not.
fn clearly_nearest(asked: &[f32], examples: &[(Agent, Vec<f32>)]) -> Option<Agent> {
    let near = |is_course: bool| {
        examples
            .iter()
            .filter(|(agent, _)| (*agent == Agent::Course) == is_course)
            .map(|(agent, vector)| (*agent, cosine(asked, vector)))
            .max_by(|a, b| a.1.total_cmp(&b.1))
    };
    let (agent, best) = near(false)?;
    let course = near(true).map_or(0.0, |(_, near)| near);
    (best >= NEAR && best - course >= NEARER).then_some(agent)
}

/// A creator's examples.
fn own(creator: &Creator) -> Vec<(Agent, String)> {
    let Some(routes) = creator.settings.get(SETTING).and_then(Value::as_object) else { return Vec::new() };
    let named = routes.iter().filter_map(|(name, texts)| Some((Agent::of_name(name)?, texts.as_array()?)));
    named
        .flat_map(|(agent, texts)| texts.iter().filter_map(Value::as_str).map(move |text| (agent, text)))
        .take(MOST_EXAMPLES)
        .map(|(agent, text)| (agent, text.chars().take(MOST_CHARS).collect()))
        .collect()
}

async fn embed(table: &Arc<dyn Embedder>, texts: Vec<String>) -> Result<Vec<Vec<f32>>, ModelError> {
    let input = |text| EmbedInput { text, role: EmbedRole::Passage };
    let vectors = table.embed(texts.into_iter().map(input).collect(), Lane::Urgent).await?;
    Ok(vectors.into_iter().map(|vector| vector.0).collect())
}

/// Vectors of length 1.
fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_agent_has_shipped_examples() {
        for agent in Agent::ALL {
            assert!(TEXTS.iter().filter(|(of, _)| *of == agent).count() >= 5, "{}", agent.name());
        }
    }

    #[test]
    fn what_is_as_near_to_the_course_is_the_courses() {
        let example = |agent, x: f32| (agent, vec![x, (1.0 - x * x).sqrt()]);
        let near = example(Agent::Policy, 0.95);
        assert_eq!(clearly_nearest(&[1.0, 0.0], std::slice::from_ref(&near)), Some(Agent::Policy));
        assert_eq!(clearly_nearest(&[1.0, 0.0], &[near, example(Agent::Course, 0.9)]), None);
        assert_eq!(clearly_nearest(&[1.0, 0.0], &[example(Agent::Policy, 0.5)]), None);
    }
}
