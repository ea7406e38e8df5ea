//! What a chat model is reminded of, within a budget of its own tokens: facts first, then the last turns, then what
//! else was asked. Pure.
//!
//! The text goes into the prompt between marks, as all words of students and documents do (`prompt.rs`).

use crate::domain::memory::Memory;

/// Characters of an earlier answer that are worth their tokens.
const ANSWER: usize = 400;

/// What a model is reminded of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recollection {
    /// Empty when there is nothing, or no room.
    pub text: String,
    /// Turns that are in it.
    pub turns: usize,
}

/// The reminder for the next question. `turns` are questions with answers, oldest first; `count` counts a text as the
/// model does.
pub fn recollect(
    memory: &Memory,
    turns: &[(&str, &str)],
    budget: usize,
    count: impl Fn(&str) -> usize,
) -> Recollection {
    let mut kept = Recollection::default();
    let facts: Vec<&str> = memory.facts.iter().map(|fact| fact.text.as_str()).collect();
    let mut before: Vec<String> = Vec::new();
    for fact in facts {
        before.push(format!("The student said: {fact}"));
        if count(&joined(&before, &[])) > budget {
            before.pop();
            break;
        }
    }
    let mut last: Vec<String> = Vec::new();
    for (question, answer) in turns.iter().rev() {
        let answer: String = answer.chars().take(ANSWER).collect();
        last.insert(0, format!("Student: {question}\nAssistant: {answer}"));
        if count(&joined(&before, &last)) > budget {
            last.remove(0);
            break;
        }
        kept.turns += 1;
    }
    let shown = &turns[turns.len() - kept.turns..];
    let facts = before.len();
    for line in memory.summary.iter().rev().filter(|line| !shown.iter().any(|(question, _)| question == line))
    {
        before.insert(facts, format!("Asked earlier: {line}"));
        if count(&joined(&before, &last)) > budget {
            before.remove(facts);
            break;
        }
    }
    kept.text = joined(&before, &last);
    kept
}

fn joined(before: &[String], last: &[String]) -> String {
    [before, last].concat().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::memory::Fact;

    fn words(text: &str) -> usize {
        text.split_whitespace().count()
    }

    #[test]
    fn facts_come_before_turns_and_turns_before_the_summary() {
        let memory = Memory {
            facts: vec![Fact { kind: "name".into(), value: "Ana".into(), text: "my name is Ana".into() }],
            summary: vec!["What is gesso?".into(), "Why?".into()],
            standalone: String::new(),
        };
        let turns = [("How thick?", "Two millimetres."), ("Why?", "It cracks.")];
        let all = recollect(&memory, &turns, 100, words);
        assert_eq!(
            all.text,
            "The student said: my name is Ana\nAsked earlier: What is gesso?\nStudent: How thick?\n\
             Assistant: Two millimetres.\nStudent: Why?\nAssistant: It cracks."
        );
        let some = recollect(&memory, &turns, 13, words);
        assert_eq!(some.text, "The student said: my name is Ana\nStudent: Why?\nAssistant: It cracks.");
        assert_eq!((some.turns, recollect(&memory, &turns, 2, words).text), (1, String::new()));
    }
}
