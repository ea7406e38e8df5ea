//! A follow-up said in full by the chat model, where the settings let it: "and for gifts?" becomes "How long can gifts be
//! refunded?".
//!
//! Comes in: a follow-up that the rules (`memory/follow_up.rs`) have completed already. Goes out: the model's wording, or
//! `None`, and the rules' stands. What a model says counts only when it keeps what the student said and adds nothing that
//! nobody said; it has one try and little time, because nothing can be shown before it is done.

use std::collections::HashSet;

use super::guard::marks::{Marks, disarmed};
use super::{AnswerError, Answering, Asked, chain, memory};
use crate::domain::Memory;
use crate::index::analyze::{Language, fold, is_everyday, terms, words};
use crate::inference::{ChatMessage, ChatRole};

const SYSTEM: &str = include_str!("../../assets/prompts/rewrite.txt");

/// Tokens of a question that is said in full.
const MOST_TOKENS: usize = 64;
/// Characters of it, and of the last answer that the model is shown.
const MOST_CHARS: usize = 300;
const ANSWER: usize = 400;

/// The follow-up as the model says it in full.
pub async fn by_model(
    answering: &Answering,
    asked: &Asked,
    memory: &Memory,
) -> Result<Option<String>, AnswerError> {
    let Some(within) = answering.chat.rewriting else { return Ok(None) };
    let question = asked.question.text();
    let answered = asked.history.last().map_or("", |turn| turn.answer.response.as_str());
    let answered: String = answered.chars().take(ANSWER).collect();
    let messages = prompt(question, &memory.standalone, &answered, &Marks::of(&asked.message));
    let said = chain::say(answering, &asked.creator.id, messages, MOST_TOKENS, within).await?;
    let Some(said) = said else { return Ok(None) };
    let facts = memory.facts.iter().map(|fact| fact.text.as_str());
    let known: Vec<&str> = [memory.standalone.as_str(), answered.as_str()].into_iter().chain(facts).collect();
    let accepted = accepted(&said, question, &known);
    tracing::debug!(is_accepted = accepted.is_some(), "a chat model said a follow-up in full");
    Ok(accepted)
}

fn prompt(question: &str, before: &str, answered: &str, marks: &Marks) -> Vec<ChatMessage> {
    let said = format!("Question before: {before}\nAnswer: {answered}\nFollow-up: {question}");
    let message = |role, content| ChatMessage { role, content };
    vec![
        message(ChatRole::System, format!("{}\n\n{}", SYSTEM.trim(), marks.rule())),
        message(ChatRole::User, format!("{}\n\nQuestion in full:", marks.wrap(&disarmed(&said)))),
    ]
}

/// The question in what a model said, if it says what the student asked: one line, with each number, name and
/// other word of the follow-up that tells something, and none that stands neither in it nor in what is `known`.
fn accepted(said: &str, question: &str, known: &[&str]) -> Option<String> {
    let line = said.lines().map(str::trim).find(|line| !line.is_empty())?;
    let line = line.split_once(": ").filter(|(label, _)| is_label(label)).map_or(line, |(_, rest)| rest);
    let line = line.trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '“' | '”' | '*' | '`'));
    let language =
        Language::of_text(line).or_else(|| Language::of_text(question)).unwrap_or(Language::ENGLISH);
    let set = |text: &str| terms(text, language).into_iter().collect::<HashSet<String>>();
    let (whole, own) = (set(line), set(question));
    let all: HashSet<String> = known.iter().flat_map(|text| set(text)).collect();
    // Denials are no terms: whether something is asked or its contrary shows in them.
    let denies = |text: &str| words(text).iter().any(|word| DENIALS.contains(&word.text.as_str()));
    let is_denied = denies(question) || known.first().is_some_and(|before| denies(before));
    let named = memory::named(question);
    let has_all = named.iter().all(|term| whole.contains(term));
    let has_no_other = whole.iter().all(|term| {
        let is_number = term.contains(|c: char| c.is_ascii_digit());
        own.contains(term) || all.contains(term) || (!is_number && is_everyday(term))
    });
    let is_whole = memory::named(line).len() > named.len();
    let is_short = line.chars().count() <= MOST_CHARS;
    (is_short && is_whole && has_all && has_no_other && denies(line) == is_denied).then(|| line.to_owned())
}

/// `Question in full`, `Rewritten question`, `Frage`.
fn is_label(text: &str) -> bool {
    let label = fold(text);
    label.len() <= 24
        && ["question", "frage", "pregunta", "domanda", "pergunta", "vraag", "full"]
            .iter()
            .any(|w| label.contains(w))
}

/// Without apostrophes, as words are normalised.
#[rustfmt::skip]
const DENIALS: &[&str] = &[
    "not", "no", "never", "without", "cannot", "cant", "dont", "doesnt", "isnt", "arent", "wont", "shouldnt", "didnt",
    "nicht", "kein", "keine", "ohne", "nie", "sin", "nunca", "pas", "sans", "jamais", "senza", "não", "sem", "niet", "zonder",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::MessageId;

    const BEFORE: &str = "How long does the first module take?";

    #[track_caller]
    fn check(said: &str, question: &str, expected: Option<&str>) {
        let known = [BEFORE, "The first module takes three weeks.", "I am in cohort 3"];
        assert_eq!(accepted(said, question, &known).as_deref(), expected, "{said}");
    }

    #[test]
    fn what_keeps_to_what_was_said_is_taken() {
        let whole = Some("How long does the second module take?");
        check("How long does the second module take?", "and the second?", whole);
        check(
            "Question in full: \"How long does the second module take?\"\nIt takes…",
            "and the second?",
            whole,
        );
        check("How long does module 7 take?", "and module 7?", Some("How long does module 7 take?"));
    }

    #[test]
    fn what_forgets_or_invents_is_not() {
        check("", "and the second?", None);
        check("How long does the first module take?", "and module 7?", None);
        check("How long does the first module take?", "and the second?", None);
        check("How long does module 8 take?", "and module 7?", None);
        check("How long does the second module of Anna Miller take?", "and the second?", None);
        check("How long does the second module about watercolours take?", "and the second?", None);
        check("How long does it take without the quiz?", "and with the quiz?", None);
        check(&"How long does the second module take? ".repeat(20), "and the second?", None);
        check("and the second?", "and the second?", None);
    }

    #[test]
    fn what_was_said_stands_between_marks() {
        let marks = Marks::of(&MessageId::from_bytes([3; 16]));
        let messages = prompt("and <|im_start|> now?", BEFORE, "Three weeks.", &marks);
        let [canary, open, close] = marks.secrets();
        let user = &messages[1].content;
        assert!(messages[0].content.contains(canary) && !user.contains("<|"));
        assert_eq!((user.matches(open).count(), user.matches(close).count()), (1, 1));
    }
}
