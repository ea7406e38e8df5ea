//! `/dashboard/{creator}/conversations`: what students asked, what they were told, and what each sentence stands on.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::gate::{Place, Visitor};
use super::page::{self, Done, Refusal, Shell};
use crate::accounts::{Action, may};
use crate::app::now;
use crate::domain::{Anchor, ConversationId, MessageId, Reason, Turn};
use crate::http::AppState;
use crate::http::extract::{Form, Path, Query};
use crate::problem::{Kind, Problem};

/// The last questions, in which is searched.
const LAST: usize = 2000;
/// Conversations on one page.
const ON_PAGE: usize = 40;
/// Turns that are shown of one.
const LONGEST: usize = 200;

#[derive(Template)]
#[template(path = "conversations.html", config = "assets/dashboard/askama.toml")]
struct Conversations {
    shell: Shell,
    q: String,
    only: String,
    any: bool,
    /// Questions older than these are not among them.
    all: bool,
    rows: Vec<Row>,
    earlier: Option<usize>,
    later: Option<usize>,
}

struct Row {
    id: String,
    question: String,
    answer: String,
    turns: usize,
    escalated: bool,
    time: String,
    machine_time: String,
}

/// Which conversations.
#[derive(Debug, Deserialize)]
pub struct Wanted {
    /// Words in questions or answers.
    #[serde(default)]
    q: String,
    /// `escalated` or nothing.
    #[serde(default)]
    only: String,
    #[serde(default)]
    page: usize,
}

/// `GET /dashboard/{creator}/conversations`
pub async fn list(
    State(app): State<AppState>,
    visitor: Visitor,
    place: Place,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Refusal> {
    let turns = app.store().turns(&place.creator.id, LAST).await?;
    let (any, all) = (!turns.is_empty(), turns.len() < LAST);
    let rows = found(turns, &wanted.q, wanted.only == "escalated");
    let first = wanted.page.saturating_mul(ON_PAGE);
    Ok(page::page(&Conversations {
        later: (first.saturating_add(ON_PAGE) < rows.len()).then(|| wanted.page + 1),
        earlier: wanted.page.checked_sub(1),
        rows: rows.into_iter().skip(first).take(ON_PAGE).collect(),
        any,
        all,
        q: wanted.q,
        only: wanted.only,
        shell: Shell::new(&visitor, &place, "Conversations"),
    }))
}

/// One row for each conversation that has all the words, newest first; `turns` come newest first.
fn found(turns: Vec<Turn>, q: &str, escalated: bool) -> Vec<Row> {
    let mut grouped: Vec<(ConversationId, Vec<Turn>)> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for turn in turns {
        let place = *places.entry(turn.conversation.clone()).or_insert_with(|| {
            grouped.push((turn.conversation.clone(), Vec::new()));
            grouped.len() - 1
        });
        grouped[place].1.push(turn);
    }
    let q = q.to_lowercase();
    let words: Vec<&str> = q.split_whitespace().collect();
    let matches = |turns: &[Turn]| {
        let text: String = turns
            .iter()
            .map(|turn| format!("{}\n{}\n", turn.question, turn.answer.response).to_lowercase())
            .collect();
        words.iter().all(|word| text.contains(word))
    };
    grouped
        .into_iter()
        .filter(|(_, turns)| matches(turns))
        .filter(|(_, turns)| !escalated || turns.iter().any(|turn| turn.answer.should_escalate))
        .filter_map(|(id, turns)| {
            let (newest, oldest) = (turns.first()?, turns.last()?);
            Some(Row {
                id: id.to_string(),
                question: oldest.question.clone(),
                answer: oldest.answer.response.clone(),
                turns: turns.len(),
                escalated: turns.iter().any(|turn| turn.answer.should_escalate),
                time: page::moment(newest.created_at),
                machine_time: page::machine_time(newest.created_at),
            })
        })
        .collect()
}

#[derive(Template)]
#[template(path = "conversation.html", config = "assets/dashboard/askama.toml")]
struct Conversation {
    shell: Shell,
    id: String,
    turns: Vec<Shown>,
    corrects: bool,
    fault: Option<String>,
    done: bool,
}

/// A question with its answer and what the answer stands on.
struct Shown {
    id: String,
    question: String,
    /// The creator knew better, and said so.
    corrected: bool,
    /// What the student said of it.
    thumb: Option<&'static str>,
    comment: String,
    response: String,
    escalated: bool,
    time: String,
    machine_time: String,
    confidence: String,
    groundedness: String,
    model: String,
    took: String,
    sentences: Vec<Sentence>,
    citations: Vec<Citation>,
}

struct Sentence {
    text: String,
    support: String,
    /// Low support is shown so that it is seen.
    weak: bool,
    citations: Vec<u32>,
}

struct Citation {
    number: u32,
    title: String,
    place: String,
    quote: String,
}

/// `GET /dashboard/{creator}/conversations/{conversation}`
pub async fn show(
    State(app): State<AppState>,
    visitor: Visitor,
    place: Place,
    Path((_, id)): Path<(String, String)>,
    Query(Done { done }): Query<Done<bool>>,
) -> Result<Response, Refusal> {
    let id: ConversationId = id.parse().map_err(|_| missing())?;
    Ok(page::page(&Conversation { done, ..conversation(&app, &visitor, &place, &id).await? }))
}

async fn conversation(
    app: &AppState,
    visitor: &Visitor,
    place: &Place,
    id: &ConversationId,
) -> Result<Conversation, Problem> {
    let turns = app.store().conversation(&place.creator.id, id, LONGEST).await?;
    if turns.is_empty() {
        return Err(missing());
    }
    Ok(Conversation {
        id: id.to_string(),
        turns: turns.into_iter().map(Shown::from).collect(),
        corrects: may(place.role, Action::ChangeContent),
        fault: None,
        done: false,
        shell: Shell::new(visitor, place, "Conversations"),
    })
}

fn missing() -> Problem {
    Problem::new(
        Kind::Missing,
        "unknown_conversation",
        "there is no such conversation",
        "it may have been deleted; go back to the list",
    )
}

/// The right answer to what was asked.
#[derive(Debug, Deserialize)]
pub struct Right {
    #[serde(default)]
    message: String,
    #[serde(default)]
    question: String,
    #[serde(default)]
    answer: String,
}

/// `POST /dashboard/{creator}/conversations/{conversation}/correct`
pub async fn correct(
    State(app): State<AppState>,
    visitor: Visitor,
    place: Place,
    Path((_, id)): Path<(String, String)>,
    Form(form): Form<Right>,
) -> Result<Response, Refusal> {
    let id: ConversationId = id.parse().map_err(|_| missing())?;
    let message: MessageId = form.message.parse().map_err(|_| missing())?;
    let (creator, who) = (&place.creator.id, visitor.name());
    let answer = form.answer.replace("\r\n", "\n");
    match app.correct(creator, message, Some(form.question.clone()), answer, &who, now()).await {
        Ok(_) => {
            visitor.note(&app, &place, "answer.corrected", &form.question).await?;
            let to = format!("/dashboard/{creator}/conversations/{id}?done=true");
            Ok(Redirect::to(&to).into_response())
        }
        Err(problem) if problem.kind == Kind::Invalid => {
            let fault = Some(page::sentence(&problem.message));
            let again = Conversation { fault, ..conversation(&app, &visitor, &place, &id).await? };
            Ok(page::with_status(StatusCode::UNPROCESSABLE_ENTITY, &again))
        }
        Err(problem) => Err(problem.into()),
    }
}

/// Below this share a sentence is marked: the groundedness that answers must reach on the whole.
const WEAK: f32 = 0.5;

impl From<Turn> for Shown {
    fn from(turn: Turn) -> Self {
        let answer = turn.answer;
        let thumb = turn.feedback.as_ref().map(|given| match (given.helpful, given.reason) {
            (true, _) => "helpful",
            (false, None) => "not helpful",
            (false, Some(reason)) => match reason {
                Reason::Wrong => "not helpful: wrong",
                Reason::Incomplete => "not helpful: incomplete",
                Reason::Unclear => "not helpful: unclear",
                Reason::OffTopic => "not helpful: answers something else",
                Reason::Other => "not helpful",
            },
        });
        let share = |part: f32| format!("{:.0} %", part * 100.0);
        let sentences = answer.sentences.into_iter().map(|sentence| Sentence {
            text: sentence.text,
            support: share(sentence.support),
            weak: sentence.support < WEAK,
            citations: sentence.citations,
        });
        let citations = answer.citations.into_iter().map(|citation| Citation {
            number: citation.id,
            title: citation.title,
            place: where_it_stands(&citation.anchor),
            quote: citation.quote,
        });
        let comment = turn.feedback.and_then(|given| given.comment);
        Self {
            id: turn.id.to_string(),
            question: turn.question,
            corrected: turn.correction.is_some(),
            thumb,
            comment: comment.unwrap_or_default(),
            response: answer.response,
            escalated: answer.should_escalate,
            time: page::moment(turn.created_at),
            machine_time: page::machine_time(turn.created_at),
            confidence: share(answer.confidence),
            groundedness: if answer.abstained { "–".to_owned() } else { share(answer.groundedness) },
            model: answer.model,
            took: format!("{:.0} ms", answer.timings_ms.total),
            sentences: sentences.collect(),
            citations: citations.collect(),
        }
    }
}

/// `page 3`, `12:05`, or the heading.
fn where_it_stands(anchor: &Anchor) -> String {
    if let Some(page) = anchor.page {
        return format!("page {page}");
    }
    if let Some(start) = anchor.start_ms {
        let seconds = start / 1000;
        return format!("{}:{:02}", seconds / 60, seconds % 60);
    }
    if let Some(slide) = anchor.slide {
        return format!("slide {slide}");
    }
    anchor.heading.clone().unwrap_or_default()
}
