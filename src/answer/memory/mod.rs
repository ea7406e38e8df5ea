//! What an answer knows of its conversation: facts that the student stated, a summary of what was asked, the last turns,
//! and what a follow-up question leaves unsaid.
//!
//! Comes in: earlier turns and the question. Goes out: the [`Memory`] to keep with the answer, the question as one that
//! stands alone ([`follow_up`]), and what a chat model is reminded of within its window ([`window`]). Pure.

mod facts;
mod follow_up;
mod window;

use std::collections::HashSet;

use crate::domain::{Fact, Memory, Turn};
use crate::index::analyze::{Language, terms};

pub use facts::{facts, is_only_facts};
pub use follow_up::{named, standalone};
pub use window::recollect;

/// Facts that are kept, and lines of the summary; both are short, and a prompt can hold all of them.
const MOST_FACTS: usize = 24;
const MOST_LINES: usize = 12;

/// Characters of a line of the summary.
const LINE: usize = 160;

/// What is remembered when the next question comes in. Turns that were kept elsewhere bring no memory of their own and
/// are remembered anew.
pub fn of(history: &[Turn]) -> Memory {
    let known = history.iter().rposition(|turn| !turn.memory.is_empty());
    let (mut memory, rest) = match known {
        Some(at) => (history[at].memory.clone(), &history[at + 1..]),
        None => (Memory::default(), history),
    };
    for turn in rest {
        let whole = standalone(&turn.question, &memory).unwrap_or_else(|| turn.question.clone());
        memory = after(memory, &turn.question, Some(whole));
    }
    memory
}

/// The memory after a question; `whole` is the question as one that stands alone, where it was one about the content.
pub fn after(mut memory: Memory, question: &str, whole: Option<String>) -> Memory {
    for fact in facts(question) {
        remember(&mut memory.facts, fact);
    }
    let Some(whole) = whole else { return memory };
    let line: String = whole.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(LINE).collect();
    if content(&line).len() >= 2 {
        memory.summary.retain(|known| *known != line);
        memory.summary.push(line);
    }
    while memory.summary.len() > MOST_LINES {
        let least = least_telling(&memory.summary);
        memory.summary.remove(least);
    }
    if !content(&whole).is_empty() {
        memory.standalone = whole.chars().take(MOST_CHARS).collect();
    }
    memory
}

/// Longest question that a follow-up is completed from.
const MOST_CHARS: usize = 400;

fn remember(facts: &mut Vec<Fact>, fact: Fact) {
    facts.retain(|known| known.kind != fact.kind);
    facts.push(fact);
    if facts.len() > MOST_FACTS {
        facts.remove(0);
    }
}

/// The line whose words the others hold already, the oldest of several.
fn least_telling(lines: &[String]) -> usize {
    let words: Vec<HashSet<String>> = lines.iter().map(|line| content(line)).collect();
    let own = |at: usize| {
        let others = words.iter().enumerate().filter(|(other, _)| *other != at);
        let held: HashSet<&String> = others.flat_map(|(_, words)| words).collect();
        words[at].iter().filter(|word| !held.contains(word)).count()
    };
    (0..lines.len()).min_by_key(|&at| own(at)).unwrap_or(0)
}

fn content(text: &str) -> HashSet<String> {
    terms(text, Language::of_text(text).unwrap_or(Language::ENGLISH)).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_hundred_turns_fit_into_a_small_window_and_the_first_fact_is_still_known() {
        let count = |text: &str| text.len().div_ceil(4);
        let said = |number: usize| match number {
            0 => "My name is Ana and I am in cohort 3.".to_owned(),
            _ if number.is_multiple_of(7) => "and for the next one?".to_owned(),
            _ => {
                format!("How long does step {number} of module {} take with tool{}?", number % 9, number % 41)
            }
        };
        let mut memory = Memory::default();
        let mut exchanges = Vec::new();
        for number in 0..500 {
            let question = said(number);
            let whole = standalone(&question, &memory).unwrap_or_else(|| question.clone());
            memory = after(memory, &question, Some(whole));
            exchanges.push((question, "It takes an hour. ".repeat(30)));
            let turns: Vec<(&str, &str)> =
                exchanges.iter().rev().take(20).rev().map(|(q, a)| (q.as_str(), a.as_str())).collect();
            for budget in [64, 256, 1024] {
                let recalled = recollect(&memory, &turns, budget, count);
                assert!(count(&recalled.text) <= budget, "turn {number}: {}", recalled.text);
                assert!(budget < 256 || recalled.text.contains("Ana"), "turn {number}");
            }
        }
        assert_eq!((memory.fact("name"), memory.fact("cohort")), (Some("Ana"), Some("3")));
        assert!(memory.summary.len() <= MOST_LINES && serde_json::to_string(&memory).unwrap().len() < 8_000);
    }

    #[test]
    fn what_adds_nothing_leaves_the_summary_first() {
        let mut memory = Memory::default();
        for number in 0..MOST_LINES {
            let question = format!("What about subject{number} and theme{number}?");
            memory = after(memory, &question, Some(question.clone()));
        }
        let again = "Is subject5 theme5?".to_owned();
        memory = after(memory, &again, Some(again.clone()));
        assert_eq!(memory.summary.len(), MOST_LINES);
        assert!(memory.summary[0].contains("subject0"), "{:?}", memory.summary);
    }
}
