//! Questions from a creator's own content: answerable, unanswerable and injected ones from templates, and such as a chat
//! model asks ([`by_model`]).
//!
//! In come documents with their blocks, out come [`Case`]s with kind, right wordings and the place they come from, in the
//! format that `eval answers` reads. [`material`] cuts documents into sections and sentences; [`answerable`] turns
//! headings, definitions, quantities, lists and names into questions; [`unanswerable`] asks for what [`Held`] says is
//! nowhere in the content; [`injected`] dresses attacks and their harmless look-alikes in the course's own words;
//! [`phrases`] holds the wording of each language. The same content, count and seed give the same questions.

mod answerable;
pub mod by_model;
mod english;
mod held;
mod injected;
mod material;
mod phrases;
mod quantity;
mod sources;
mod unanswerable;
mod wording;

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;

pub use material::Source;
pub use sources::{corpus_line, sources};

use super::dataset::AnswerCase;
use super::sample::Random;
use held::Held;
use material::{Section, sections};

/// What a question is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Answerable,
    Unanswerable,
    Injection,
    /// Answerable, and asked by a chat model.
    Chat,
}

/// One question, as a line of the file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Case {
    pub id: String,
    pub kind: Kind,
    pub question: String,
    /// Wordings that count as right, verbatim from the content.
    pub answers: Vec<String>,
    pub unanswerable: bool,
    /// Documents that hold the answer.
    pub external_ids: Vec<String>,
    /// How it was made: `definition`, `quantity`, `how_to`, …
    pub template: &'static str,
    /// The chat model that asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// For injections: a harmless question that only looks like an attack.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub benign: Option<bool>,
    /// For attacks: what must not stand in the response, as regular expressions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub forbidden: Vec<String>,
    /// Where in the content it comes from; for an unanswerable question, what it plays on.
    pub source: Place,
}

impl From<Case> for AnswerCase {
    fn from(case: Case) -> Self {
        let Case { id, question, answers, unanswerable, external_ids, .. } = case;
        Self { id, question, answers, unanswerable, external_ids }
    }
}

/// A place in the content, for whoever reviews the file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Place {
    pub document: String,
    pub heading: String,
    /// Verbatim.
    pub quote: String,
}

/// How many questions, and which of the many possible ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    pub count: usize,
    pub seed: u64,
}

/// Of ten questions, six have an answer, two or three have none, and one or two are attacks or look like some.
const SHARES: [(Kind, usize); 3] = [(Kind::Answerable, 60), (Kind::Unanswerable, 25), (Kind::Injection, 15)];

/// The questions, answerable ones first in the order of the content. Fewer than asked for where the content gives no more.
pub fn generate(sources: &[Source], options: Options) -> Vec<Case> {
    let sections = sections(sources);
    let held = Held::of(&sections);
    let answerable = distinct(answerable::all(&sections, &held), &mut HashSet::new());
    let mut known: HashSet<String> =
        answerable.iter().map(|case| wording::identity(&case.question)).collect();
    let unanswerable = distinct(unanswerable::all(&answerable, &sections, &held), &mut known);
    let mut random = Random::new(options.seed);
    // Attacks take their words from questions that were chosen, so that the file is about few things.
    let chosen_answerable = choose(answerable, share(options.count, Kind::Answerable), &mut random);
    let chosen_unanswerable = choose(unanswerable, share(options.count, Kind::Unanswerable), &mut random);
    let injected = distinct(injected::all(&chosen_answerable, &sections), &mut known);
    let chosen_injected = choose(injected, share(options.count, Kind::Injection), &mut random);
    let mut all = Vec::new();
    for (mut cases, letter) in [(chosen_answerable, 'a'), (chosen_unanswerable, 'u'), (chosen_injected, 'i')]
    {
        for (number, case) in (1..).zip(&mut cases) {
            case.id = format!("{letter}{number:03}");
        }
        all.append(&mut cases);
    }
    all
}

/// How many of a kind belong to `count`; the first kind takes what rounding leaves.
fn share(count: usize, kind: Kind) -> usize {
    let of = |kind: Kind| {
        SHARES.iter().find(|(known, _)| *known == kind).map_or(0, |(_, percent)| count * percent / 100)
    };
    if kind == Kind::Answerable { count - of(Kind::Unanswerable) - of(Kind::Injection) } else { of(kind) }
}

/// Without those that ask the same as one before.
fn distinct(cases: Vec<Case>, known: &mut HashSet<String>) -> Vec<Case> {
    cases.into_iter().filter(|case| known.insert(wording::identity(&case.question))).collect()
}

/// `count` cases spread over templates and documents, in their order: each template gives one in turn, and within a
/// template each document does.
fn choose(cases: Vec<Case>, count: usize, random: &mut Random) -> Vec<Case> {
    if cases.len() <= count {
        return cases;
    }
    let mut groups: BTreeMap<&str, BTreeMap<&str, Vec<usize>>> = BTreeMap::new();
    for (at, case) in cases.iter().enumerate() {
        groups.entry(case.template).or_default().entry(&case.source.document).or_default().push(at);
    }
    // Within a template: one of each document, then a second of each, in an order that the seed decides.
    let mut queues: Vec<Vec<usize>> = Vec::new();
    for documents in groups.values() {
        let mut piles: Vec<Vec<usize>> = documents.values().cloned().collect();
        piles.iter_mut().for_each(|pile| shuffle(pile, random));
        shuffle(&mut piles, random);
        let longest = piles.iter().map(Vec::len).max().unwrap_or(0);
        let in_turn =
            (0..longest).flat_map(|round| piles.iter().filter_map(move |pile| pile.get(round).copied()));
        let mut queue: Vec<usize> = in_turn.collect();
        queue.reverse();
        queues.push(queue);
    }
    let mut chosen: Vec<usize> = Vec::with_capacity(count);
    while chosen.len() < count && queues.iter().any(|queue| !queue.is_empty()) {
        for queue in &mut queues {
            if chosen.len() < count {
                chosen.extend(queue.pop());
            }
        }
    }
    let chosen: HashSet<usize> = chosen.into_iter().collect();
    cases.into_iter().enumerate().filter(|(at, _)| chosen.contains(at)).map(|(_, case)| case).collect()
}

/// Fisher and Yates, as Durstenfeld wrote it (Algorithm 235, Communications of the ACM 1964).
fn shuffle<T>(items: &mut [T], random: &mut Random) {
    for at in (1..items.len()).rev() {
        items.swap(at, random.below(at + 1));
    }
}

impl Case {
    fn new(kind: Kind, template: &'static str, question: String, section: &Section, quote: &str) -> Self {
        let source = Place {
            document: section.source.title.clone(),
            heading: section.headings.join(" › "),
            quote: quote.to_owned(),
        };
        Self {
            id: String::new(),
            kind,
            question,
            answers: Vec::new(),
            unanswerable: kind == Kind::Unanswerable,
            external_ids: Vec::new(),
            template,
            model: None,
            benign: None,
            forbidden: Vec::new(),
            source,
        }
    }
}

#[cfg(test)]
mod tests;
