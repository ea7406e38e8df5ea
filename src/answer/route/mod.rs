//! Which agent a turn goes to: course content, policy, progress, a person, small talk, or nobody here.
//!
//! Comes in: the words of a turn. Goes out: a [`Plan`] of one or two parts, each with its agent. Rules decide
//! ([`rules`], in seven languages); what they do not know is compared with examples ([`nearest`]), the creator's own
//! first. What nobody claims is a question about the course: only the content can tell that it is not.

pub mod nearest;
mod pattern;
mod rules;
mod split;

use std::sync::Arc;

use crate::domain::Escalation;
use crate::index::analyze::{Language, terms};
use crate::inference::{Embedder, ModelError};
use crate::store::Creator;

use nearest::Examples;
use pattern::{Token, tokens};
use rules::Rules;

/// Who answers a part of a turn. The name is the answer's `agent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Agent {
    Course,
    Policy,
    Progress,
    Escalation,
    SmallTalk,
    NotOurs,
}

impl Agent {
    pub const ALL: [Self; 6] =
        [Self::Course, Self::Policy, Self::Progress, Self::Escalation, Self::SmallTalk, Self::NotOurs];

    pub fn name(self) -> &'static str {
        match self {
            Self::Course => "course",
            Self::Policy => "policy",
            Self::Progress => "progress",
            Self::Escalation => "escalation",
            Self::SmallTalk => "small_talk",
            Self::NotOurs => "not_ours",
        }
    }

    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|agent| agent.name() == name)
    }
}

/// What decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    Rule,
    /// Nearness to an example, shipped or the creator's.
    Example,
    /// The creator answered this question in person.
    Correction,
    /// Nothing: it is taken for a question about the course.
    Default,
}

/// A part of a turn that one agent answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    pub agent: Agent,
    /// Its words, a part of the turn.
    pub text: String,
    /// The phrase that answers it, for agents that answer with one.
    pub phrase: &'static str,
    pub escalation: Option<Escalation>,
    pub by: By,
}

/// Where a turn goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// One or two, in the order in which they are answered.
    pub parts: Vec<Part>,
    /// The language whose patterns were found; the words themselves may say more.
    pub language: Option<Language>,
}

impl Plan {
    /// Whether nothing spoke for any agent.
    pub fn is_undecided(&self) -> bool {
        self.parts.iter().all(|part| part.by == By::Default)
    }

    /// What of the turn is answered with a set phrase, a call for a person and small talk; `None` when nothing is.
    pub fn set_phrases(mut self) -> Option<Self> {
        self.parts.retain(|part| matches!(part.agent, Agent::Escalation | Agent::SmallTalk));
        (!self.parts.is_empty()).then_some(self)
    }

    /// The agent of a turn that has one.
    pub fn only_agent(&self) -> Option<Agent> {
        match self.parts.as_slice() {
            [only] => Some(only.agent),
            _ => None,
        }
    }

    /// The same turn as one part for `agent`, because of an example or of what was said before.
    pub fn give_to(&mut self, agent: Agent, text: &str) {
        let (phrase, escalation) = match agent {
            Agent::Escalation => ("human", Some(Escalation::Human)),
            Agent::Progress => ("progress_none", None),
            Agent::SmallTalk => ("remembered", None),
            _ => ("", None),
        };
        self.parts = vec![Part { agent, text: text.to_owned(), phrase, escalation, by: By::Example }];
    }

    /// Whether a person must be fetched however near an example is.
    pub fn is_pressing(&self) -> bool {
        self.parts.iter().any(|part| part.escalation.is_some())
    }
}

/// Agents of one turn at most.
const MOST_PARTS: usize = 2;

/// Content words that make a question of its own of a piece that no rule claims.
const OWN_WORDS: usize = 2;

/// Sends a turn to its agents: by rules, and by examples where no rule fetches a person.
pub async fn route(
    examples: &Examples,
    table: &Arc<dyn Embedder>,
    text: &str,
    creator: &Creator,
) -> Result<Plan, ModelError> {
    let mut plan = plan(text);
    if !plan.is_pressing()
        && let Some(agent) = examples.nearest(table, text, creator, plan.is_undecided()).await?
    {
        plan.give_to(agent, text);
    }
    Ok(plan)
}

/// Sends a turn to its agents, by rules alone.
pub fn plan(text: &str) -> Plan {
    let rules = Rules::shipped();
    let all = tokens(text);
    let spoken = Language::of_text(text);
    let mut language = None;
    let mut parts: Vec<Part> = Vec::new();
    for range in split::split(text, &all, rules) {
        let within: Vec<Token> = all.iter().filter(|token| range.contains(&token.start)).cloned().collect();
        let piece = text[range].trim();
        let ruled = rules.of(&within, spoken);
        language = language.or(ruled.map(|ruled| ruled.language));
        parts.push(match ruled {
            Some(ruled) => Part {
                agent: ruled.agent,
                text: piece.to_owned(),
                phrase: ruled.phrase,
                escalation: ruled.escalation,
                by: By::Rule,
            },
            None => Part {
                agent: Agent::Course,
                text: piece.to_owned(),
                phrase: "",
                escalation: None,
                by: By::Default,
            },
        });
        // A statement, or a question without words of its own, belongs to its neighbour.
        if let Some(part) = parts.last_mut().filter(|part| part.by == By::Default) {
            let asks = piece.ends_with(['?', '？', '؟', ';']) || rules.begins_a_question(&within);
            if !asks || own_words(piece) < OWN_WORDS {
                part.phrase = JOINS;
            }
        }
    }
    let parts = joined(parts, text);
    Plan { parts: parts.into_iter().map(whole).collect(), language }
}

/// Whether a turn is nothing but pleasantries and requests for them, whatever a classifier takes it for.
pub fn is_chatter(text: &str) -> bool {
    Rules::shipped().is_chatter(&tokens(text))
}

/// What a question about progress asks for; nothing of it means all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Asks {
    pub next: bool,
    pub left: bool,
    pub score: bool,
    pub certificate: bool,
}

/// What of a student's progress these words ask for.
pub fn progress_asks(text: &str) -> Asks {
    let (rules, tokens, spoken) = (Rules::shipped(), tokens(text), Language::of_text(text));
    let asks = |name| rules.holds(name, &tokens, spoken);
    Asks {
        next: asks("progress next"),
        left: asks("progress left"),
        score: asks("progress score"),
        certificate: asks("progress certificate"),
    }
}

/// Whether an answer may tell of a student's own progress.
pub fn concerns_progress(text: &str) -> bool {
    progress_asks(text).certificate || plan(text).parts.iter().any(|part| part.agent == Agent::Progress)
}

/// The words of a text as patterns see them.
pub fn pattern_tokens(text: &str) -> Vec<String> {
    tokens(text).into_iter().map(|token| token.text).collect()
}

/// Stands in place of a phrase while a piece waits for its neighbour.
const JOINS: &str = "joins";

fn whole(mut part: Part) -> Part {
    if part.phrase == JOINS {
        part.phrase = "";
    }
    part
}

/// Content words under the language that is recognised; all words under one that is not.
fn own_words(text: &str) -> usize {
    terms(text, Language::of_text(text).unwrap_or(Language::ENGLISH)).len()
}

/// The parts that are answered: those of one agent together, what is nothing of its own with its neighbour, small talk
/// only when nothing else is there.
fn joined(parts: Vec<Part>, text: &str) -> Vec<Part> {
    let only_small_talk = parts.iter().all(|part| part.agent == Agent::SmallTalk);
    let has_dropped = !only_small_talk && parts.iter().any(|part| part.agent == Agent::SmallTalk);
    let (mut out, mut waiting): (Vec<Part>, Option<Part>) = (Vec::new(), None);
    for mut part in parts {
        if part.agent == Agent::SmallTalk && !only_small_talk {
            continue;
        }
        if let Some(before) = waiting.take() {
            part.text = format!("{} {}", before.text, part.text);
        }
        let joins = part.phrase == JOINS;
        let home = out.iter().position(|known: &Part| known.agent == part.agent);
        let home = home.or_else(|| if joins { out.len().checked_sub(1) } else { None });
        match home.and_then(|home| out.get_mut(home)) {
            Some(known) => known.text = format!("{} {}", known.text, part.text),
            None if joins => waiting = Some(part),
            None => out.push(part),
        }
    }
    // What only waited is the turn, or belongs to what was said before it.
    match (waiting, out.last_mut()) {
        (Some(rest), Some(last)) => last.text = format!("{} {}", last.text, rest.text),
        (Some(rest), None) => out.push(rest),
        (None, _) => {}
    }
    // A turn that one agent has all of stays as it was written: what joins its pieces helps to understand them.
    if let ([only], false) = (out.as_mut_slice(), has_dropped) {
        text.clone_into(&mut only.text);
    }
    // Of more than two agents, a person is not the one left out; what is answered stands before what is handed on.
    out.sort_by_key(|part| part.escalation.is_none());
    out.truncate(MOST_PARTS);
    out.sort_by_key(|part| part.escalation.is_some());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_of_two_agents_is_cut_and_one_of_a_single_agent_is_not() {
        let parts = |text: &str| -> Vec<(Agent, String)> {
            plan(text).parts.into_iter().map(|part| (part.agent, part.text)).collect()
        };
        let one = |agent, text: &str| vec![(agent, text.to_owned())];
        let text = "What is overfitting? And how do I avoid it in practice?";
        assert_eq!(parts(text), one(Agent::Course, text));
        let text = "Can I get my money back, and until when?";
        assert_eq!(parts(text), one(Agent::Policy, text));
        let text = "I bought it yesterday. Can I get a refund?";
        assert_eq!(parts(text), one(Agent::Policy, text));
        assert_eq!(
            parts("Hello! How do I dry the brushes?"),
            one(Agent::Course, "How do I dry the brushes?")
        );
        assert_eq!(
            parts("Please get me a human. How do I dry the brushes?"),
            [
                (Agent::Course, "How do I dry the brushes?".to_owned()),
                (Agent::Escalation, "Please get me a human.".to_owned())
            ]
        );
        assert_eq!(parts("???"), one(Agent::Course, "???"));
    }

    #[test]
    fn names_round_trip() {
        for agent in Agent::ALL {
            assert_eq!(Agent::of_name(agent.name()), Some(agent));
        }
    }
}
