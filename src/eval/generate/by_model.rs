//! Questions that a chat model asks about a passage, kept only where what it says can be checked.
//!
//! In come documents and a chat model, out come [`Case`]s of the kind `chat`. The model is shown some statements of one
//! section and asked for one question with its answer, copied from them. What it replies counts if the answer stands in a
//! statement word for word, and the question is one: well put, in the language of the content, no copy of a statement,
//! not about "the text", and not asked before. Templates ask in the words of the content (`answerable.rs`); a model asks in
//! words of its own, which is harder to find. The same model, content, limit and seed give the same questions.

use std::collections::{BTreeMap, HashSet};

use super::material::{Section, Source, sections};
use super::wording::{identity, reads_well};
use super::{Case, Kind};
use crate::answer::guard::documents;
use crate::eval::sample::spread;
use crate::index::analyze::Language;
use crate::inference::{ChatMessage, ChatModel, ChatPiece, ChatRequest, ChatRole, ModelError, Sampling};

/// How many passages a model is asked about, and which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    pub limit: usize,
    pub seed: u64,
}

/// What came of asking.
#[derive(Debug, Default)]
pub struct Made {
    pub cases: Vec<Case>,
    /// Passages that the model was asked about.
    pub asked: usize,
    /// Replies that were left out, by the reason.
    pub dropped: BTreeMap<&'static str, usize>,
    /// Why the model was asked no more.
    pub failed: Option<ModelError>,
}

/// Characters that a model is shown: enough for a question, little enough for a small model.
const SHOWN: usize = 1_200;
/// A passage with fewer characters holds nothing to ask for.
const LEAST: usize = 80;
/// A reply with more bytes is no answer to what was asked.
const LONGEST_REPLY: usize = 2_000;
/// Longest answer, in characters.
const LONGEST_ANSWER: usize = 200;
/// Failures in a row after which the model is left alone.
const FAILURES: usize = 3;
/// Words of a question that stand in a statement one after the other, as a share of all its words: from here on it is a copy.
const COPIED: f64 = 0.8;

const SYSTEM: &str = "You write one question that a student could ask and that the excerpt answers. Ask in your own words, in \
    the language of the excerpt, and never mention the excerpt. Copy the answer from the excerpt word for word, as few words \
    as answer the question. Reply with two lines and nothing else:\nQuestion: ...\nAnswer: ...";
/// A reply as it is wanted: small models follow what they see.
const EXAMPLE: [&str; 2] = [
    "Excerpt:\nThe kiln is fired on Thursdays. It takes nine hours until it is cool enough to be opened.",
    "Question: How long do I have to wait before I can open the kiln?\nAnswer: nine hours",
];

/// What a question calls the content when it is about the words instead of the subject. Folded, as [`identity`] gives it.
#[rustfmt::skip]
const ABOUT_THE_TEXT: &[&str] = &[
    "the text", "this text", "the passage", "this passage", "the excerpt", "this excerpt", "the author", "the article", "the document",
    "the sentence", "the paragraph", "the section", "the statement", "according to", "mentioned", "der text", "im text", "dem text",
    "abschnitt", "auszug", "el texto", "este texto", "el pasaje", "fragmento", "segun", "le texte", "ce texte", "le passage",
    "extrait", "selon", "il testo", "il brano", "o texto", "de tekst",
];

/// Asks a model about passages that are spread over the content. `known` are cases that need not be asked again.
/// `progress` gets the number of passages done and of all.
pub async fn ask(
    model: &dyn ChatModel,
    sources: &[Source],
    known: &[Case],
    options: Options,
    progress: impl Fn(u64, u64),
) -> Made {
    let sections = sections(sources);
    let passages: Vec<Passage> = sections.iter().flat_map(passages).collect();
    let chosen = spread(passages.len(), options.limit, options.seed);
    let mut known: HashSet<String> = known.iter().map(|case| identity(&case.question)).collect();
    let (mut made, mut failures) = (Made::default(), 0);
    for (done, &at) in (1u64..).zip(&chosen) {
        let passage = &passages[at];
        made.asked += 1;
        match reply(model, passage, options.seed.wrapping_add(done)).await {
            Ok(said) => {
                failures = 0;
                match case(&said, passage, &mut known) {
                    Ok(mut case) => {
                        case.id = format!("c{:03}", made.cases.len() + 1);
                        case.model = Some(model.name().to_owned());
                        made.cases.push(case);
                    }
                    Err(reason) => *made.dropped.entry(reason).or_default() += 1,
                }
            }
            Err(error) => {
                *made.dropped.entry("the model failed").or_default() += 1;
                failures += 1;
                made.failed = Some(error);
                if failures == FAILURES {
                    break;
                }
            }
        }
        progress(done, chosen.len() as u64);
    }
    made
}

/// Statements of one section that are shown together.
struct Passage<'a> {
    section: &'a Section<'a>,
    statements: Vec<&'a str>,
}

/// A section as passages of at most [`SHOWN`] characters, each of whole statements.
fn passages<'a>(section: &'a Section<'a>) -> Vec<Passage<'a>> {
    let mut all: Vec<Passage> = Vec::new();
    let mut size = SHOWN;
    for statement in section.statements().filter(|statement| !documents::addresses_the_assistant(statement)) {
        let length = statement.chars().count() + 1;
        if size + length > SHOWN {
            all.push(Passage { section, statements: Vec::new() });
            size = 0;
        }
        if let Some(last) = all.last_mut() {
            last.statements.push(statement);
        }
        size += length;
    }
    all.retain(|passage| passage.statements.iter().map(|text| text.len()).sum::<usize>() >= LEAST);
    all
}

/// What the model says of a passage.
async fn reply(model: &dyn ChatModel, passage: &Passage<'_>, seed: u64) -> Result<String, ModelError> {
    let message = |role, content: &str| ChatMessage { role, content: content.to_owned() };
    let [excerpt, wanted] = EXAMPLE;
    let messages = vec![
        message(ChatRole::System, SYSTEM),
        message(ChatRole::User, excerpt),
        message(ChatRole::Assistant, wanted),
        message(ChatRole::User, &format!("Excerpt:\n{}", passage.statements.join("\n"))),
    ];
    let sampling = Sampling { max_tokens: 128, seed, ..Sampling::default() };
    let mut pieces = model.chat(ChatRequest { messages, sampling }).await?;
    let mut said = String::new();
    while let Some(piece) = pieces.recv().await {
        match piece? {
            ChatPiece::Text(text) => said.push_str(&text),
            ChatPiece::End { .. } => break,
        }
        if said.len() > LONGEST_REPLY {
            break;
        }
    }
    Ok(said)
}

/// The reply as a question, or why it is none.
fn case(said: &str, passage: &Passage, known: &mut HashSet<String>) -> Result<Case, &'static str> {
    // Models that think aloud answer behind it.
    let said = said.rsplit("</think>").next().unwrap_or(said);
    let (question, answer) =
        labelled(said, "question").zip(labelled(said, "answer")).ok_or("no question with an answer")?;
    let quote =
        |answer: &str| passage.statements.iter().copied().find(|statement| stands_in(answer, statement));
    let answer = [answer, answer.trim_end_matches(['.', '!', ','])]
        .into_iter()
        .find(|answer| quote(answer).is_some())
        .ok_or("the answer is not in the passage word for word")?;
    if answer.chars().count() > LONGEST_ANSWER {
        return Err("the answer is too long");
    }
    if !reads_well(question) {
        return Err("the question is not well put");
    }
    let asked = identity(question);
    if ABOUT_THE_TEXT.iter().any(|phrase| holds(&asked, phrase)) {
        return Err("the question is about the text");
    }
    if passage.statements.iter().any(|statement| is_copy(&asked, &identity(statement))) {
        return Err("the question is a copy");
    }
    let language = passage.section.source.language;
    if Language::of_text(question).is_some_and(|own| language != Language::OTHER && own != language) {
        return Err("the question is in another language");
    }
    if holds(&asked, &identity(answer)) {
        return Err("the question holds its answer");
    }
    if !known.insert(asked) {
        return Err("the question was asked before");
    }
    let mut case = Case::new(
        Kind::Chat,
        "chat",
        question.to_owned(),
        passage.section,
        quote(answer).unwrap_or_default(),
    );
    case.answers = vec![answer.to_owned()];
    case.external_ids = vec![passage.section.source.id.clone()];
    Ok(case)
}

/// What stands behind `Question:` or `**Answer:**` on a line of its own.
fn labelled<'a>(said: &'a str, label: &str) -> Option<&'a str> {
    said.lines().find_map(|line| {
        let line = line.trim_start_matches(|c: char| c.is_whitespace() || "*#->".contains(c));
        let start = line.get(..label.len()).filter(|start| start.eq_ignore_ascii_case(label))?;
        let rest = line[start.len()..].trim_start_matches(['*', ' ']).strip_prefix(':')?;
        let text = rest.trim_matches(|c: char| c.is_whitespace() || "*\"“”«»".contains(c));
        (!text.is_empty()).then_some(text)
    })
}

/// Whether an answer stands in a statement, not within a longer word or number.
fn stands_in(answer: &str, statement: &str) -> bool {
    let ends = |c: Option<char>, inner: Option<char>| match (c, inner) {
        // Scripts without spaces have no ends of words.
        (Some(c), Some(inner)) => !(c.is_alphanumeric() && inner.is_alphanumeric() && (c as u32) < 0x2E80),
        _ => true,
    };
    answer.contains(char::is_alphanumeric)
        && statement.match_indices(answer).any(|(at, _)| {
            let (before, behind) = (&statement[..at], &statement[at + answer.len()..]);
            ends(before.chars().next_back(), answer.chars().next())
                && ends(behind.chars().next(), answer.chars().next_back())
        })
}

/// Whether whole words stand in others, one after the other. Both are folded.
fn holds(text: &str, words: &str) -> bool {
    !words.is_empty() && format!(" {text} ").contains(&format!(" {words} "))
}

/// Whether nearly all of a question stands in a statement as it is. Both are folded.
fn is_copy(question: &str, statement: &str) -> bool {
    let words: Vec<&str> = question.split(' ').collect();
    let run = ((words.len() as f64 * COPIED).ceil() as usize).max(1);
    words.windows(run).any(|window| holds(statement, &window.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Anchor, BlockKind, Text};
    use async_trait::async_trait;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::sync::mpsc;

    const STATEMENT: &str = "You can ask for a full refund within 23 days of buying the course.";

    fn source(language: &str, paragraphs: &[&str]) -> Source {
        let mut text = Text::default();
        text.push(BlockKind::Heading(1), "Refunds", Anchor::default());
        for paragraph in paragraphs {
            text.push(BlockKind::Paragraph, paragraph, Anchor::default());
        }
        Source {
            id: "doc".into(),
            title: "Doc".into(),
            text: text.text,
            blocks: text.blocks,
            language: Language::of_code(language),
        }
    }

    fn of(said: &str, language: &str, paragraph: &str) -> Result<Case, &'static str> {
        let sources = [source(
            language,
            &[paragraph, "The desk answers letters on working days and never before noon."],
        )];
        let sections = sections(&sources);
        case(said, &passages(&sections[0])[0], &mut HashSet::new())
    }

    #[test]
    fn only_what_can_be_checked_is_kept() {
        let check = |said: &str, reason: Option<&str>| {
            assert_eq!(of(said, "en", STATEMENT).err(), reason, "{said}");
        };
        let good = "Question: How long may I wait before I want my money back?\nAnswer: 23 days";
        check(good, None);
        check(
            "<think>The answer: 5?</think>\n**Question:** \"Until when do I get money back?\"\n**Answer:** within 23 days.",
            None,
        );
        check("I would be glad to help you with that!", Some("no question with an answer"));
        check("", Some("no question with an answer"));
        check("Question:\nAnswer: 23 days", Some("no question with an answer"));
        let answer = "the answer is not in the passage word for word";
        check("Question: How long may I wait?\nAnswer: 24 days", Some(answer));
        check("Question: How long may I wait?\nAnswer: 3 days", Some(answer));
        check("Question: How long may I wait?\nAnswer: ...", Some(answer));
        check("Question: Tell me how long.\nAnswer: 23 days", Some("the question is not well put"));
        check(
            "Question: What does the passage say of refunds?\nAnswer: 23 days",
            Some("the question is about the text"),
        );
        check(
            "Question: You can ask for a full refund within?\nAnswer: 23 days",
            Some("the question is a copy"),
        );
        check(
            "Question: Wie lange kann ich mein Geld zurück bekommen?\nAnswer: 23 days",
            Some("the question is in another language"),
        );
        check(
            "Question: Do I really have 23 days for that?\nAnswer: 23 days",
            Some("the question holds its answer"),
        );
        assert!(
            of(
                "Question: Wie lange geht das?\nAnswer: 23 Tage",
                "de",
                "Das geht 23 Tage lang nach dem Kauf des Kurses."
            )
            .is_ok()
        );
        let chinese = of(
            "Question: 我们什么时候可以退款呢？\nAnswer: 二十三天",
            "zh",
            "购买课程后二十三天内您可以要求全额退款，此后不再退款。",
        );
        assert_eq!(chinese.map(|case| case.answers), Ok(vec!["二十三天".to_owned()]));
    }

    #[test]
    fn a_case_tells_where_it_comes_from() {
        let case =
            of("Question: How long may I wait with that?\nAnswer: within 23 days.", "en", STATEMENT).unwrap();
        assert_eq!(
            (case.kind, case.answers, case.external_ids),
            (Kind::Chat, vec!["within 23 days".into()], vec!["doc".into()])
        );
        assert_eq!((case.source.quote.as_str(), case.source.heading.as_str()), (STATEMENT, "Refunds"));
    }

    /// Says the same of everything, and fails after so many times.
    struct Parrot {
        said: &'static str,
        fails_after: usize,
        times: AtomicUsize,
    }

    #[async_trait]
    impl ChatModel for Parrot {
        fn name(&self) -> &str {
            "parrot"
        }
        fn context_tokens(&self) -> usize {
            2048
        }
        fn count_tokens(&self, text: &str) -> usize {
            text.len()
        }
        async fn chat(&self, _: ChatRequest) -> Result<crate::inference::TokenStream, ModelError> {
            if self.times.fetch_add(1, Ordering::SeqCst) >= self.fails_after {
                return Err(ModelError::Failed("on purpose".into()));
            }
            let (sender, receiver) = mpsc::channel(1);
            let said = self.said.to_owned();
            tokio::spawn(async move {
                // The reader may have enough of it.
                let _ = sender.send(Ok(ChatPiece::Text(said))).await;
            });
            Ok(receiver)
        }
    }

    async fn asked(said: &'static str, fails_after: usize, limit: usize) -> Made {
        let long =
            format!("{STATEMENT} {}", "The kiln is hot and nobody may touch it without gloves. ".repeat(90));
        let parrot = Parrot { said, fails_after, times: AtomicUsize::new(0) };
        ask(&parrot, &[source("en", &[&long])], &[], Options { limit, seed: 1 }, |_, _| ()).await
    }

    #[tokio::test]
    async fn a_model_is_asked_so_often_and_no_question_comes_twice() {
        let said = "Question: What must I wear when I am near it?\nAnswer: gloves";
        let made = asked(said, usize::MAX, 4).await;
        assert_eq!((made.asked, made.cases.len(), made.failed.is_some()), (4, 1, false));
        assert_eq!(made.dropped, BTreeMap::from([("the question was asked before", 3)]));
        assert_eq!((made.cases[0].id.as_str(), made.cases[0].model.as_deref()), ("c001", Some("parrot")));
    }

    #[tokio::test]
    async fn a_model_that_fails_is_left_alone() {
        let made = asked("Question: What must I wear when I am near it?\nAnswer: gloves", 1, 50).await;
        assert!(made.asked <= 4 && made.cases.len() == 1 && made.failed.is_some(), "{made:?}");
    }
}
