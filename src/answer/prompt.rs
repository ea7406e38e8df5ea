//! Evidence becomes a prompt within a token budget. Pure.
//!
//! Passages are marked as quoted material and numbered as the answer shall cite them; the model has no tools and
//! sees no secrets, so that nothing a passage says can do more than spoil one answer.

use crate::inference::{ChatMessage, ChatRole};

/// The system prompt; the same for every question, so that its computed prefix can be kept.
const SYSTEM: &str = include_str!("../../assets/prompts/answer.txt");

/// What the system prompt tells a model to say when the passages do not hold the answer.
pub const REFUSAL: &str = "NOT IN THE COURSE";

/// A passage on its way to a model.
#[derive(Debug, Clone, Copy)]
pub struct Excerpt<'a> {
    /// The number that the answer cites.
    pub id: u32,
    pub place: &'a str,
    pub text: &'a str,
}

/// The messages, with as many passages as fit `budget` tokens (at least the first, cut when it must be); and how
/// many passages are in it.
pub fn prompt(
    question: &str,
    excerpts: &[Excerpt],
    budget: usize,
    count: impl Fn(&str) -> usize,
) -> (Vec<ChatMessage>, usize) {
    let frame = count(SYSTEM) + count(question) + 64;
    let mut room = budget.saturating_sub(frame);
    let mut passages = String::new();
    let mut used = 0;
    for excerpt in excerpts {
        let text = format!("[{}] {}\n{}\n\n", excerpt.id, excerpt.place, excerpt.text.trim());
        let cost = count(&text);
        if cost > room {
            if used > 0 {
                break;
            }
            // About as many characters as tokens allow: a cut passage is better than none.
            let keep = text.chars().count() * room / cost.max(1);
            passages.extend(text.chars().take(keep));
            used += 1;
            break;
        }
        room -= cost;
        passages.push_str(&text);
        used += 1;
    }
    let content = format!("Passages:\n\n{}\n\nQuestion: {question}", passages.trim_end());
    let messages = vec![
        ChatMessage { role: ChatRole::System, content: SYSTEM.trim().to_owned() },
        ChatMessage { role: ChatRole::User, content },
    ];
    (messages, used)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> usize {
        text.split_whitespace().count()
    }

    #[test]
    fn the_prompt_teaches_the_refusal() {
        assert!(SYSTEM.contains(REFUSAL));
    }

    #[test]
    fn passages_are_numbered_and_end_with_the_budget() {
        let text = "word ".repeat(50);
        let excerpts: Vec<_> = (1..=4).map(|id| Excerpt { id, place: "Lesson", text: &text }).collect();
        let budget = words(SYSTEM) + 2 + 64 + 110;
        let (messages, used) = prompt("why though", &excerpts, budget, words);
        assert_eq!(used, 2);
        assert!(messages[1].content.contains("[2] Lesson") && !messages[1].content.contains("[3]"));
        assert!(messages[1].content.ends_with("Question: why though"));
    }

    #[test]
    fn a_first_passage_that_is_too_long_is_cut() {
        let text = "word ".repeat(5_000);
        let excerpts = [Excerpt { id: 1, place: "Lesson", text: &text }];
        let (messages, used) = prompt("why", &excerpts, words(SYSTEM) + 200, words);
        assert_eq!(used, 1);
        assert!(words(&messages[1].content) < 220);
    }
}
