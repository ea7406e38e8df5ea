//! `/dashboard/{creator}`: how the assistant does, from the last thousand questions.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};

use super::gate::{Place, Visitor};
use super::page::{self, Refusal, Shell};
use crate::accounts::{Action, may};
use crate::app::now;
use crate::domain::{DAY_MS, TicketState, Timestamp, Turn};
use crate::http::AppState;
use crate::problem::{Kind, Problem};

/// Questions that are looked at.
const LAST: usize = 1000;
/// Open tickets that are named.
const MOST_WAITING: usize = 5;
/// Days in the chart.
const DAYS: u64 = 14;
/// Height of the chart's columns.
const TALL: u64 = 120;

#[derive(Template)]
#[template(path = "overview.html", config = "assets/dashboard/askama.toml")]
struct Overview {
    shell: Shell,
    documents: String,
    passages: String,
    conversations: String,
    summary: Option<Summary>,
    columns: Vec<Column>,
    unanswered: Vec<Question>,
    reads_conversations: bool,
    changes_content: bool,
}

/// What the last questions came to, in words for people.
struct Summary {
    questions: String,
    answered: String,
    answered_share: String,
    escalated: String,
    groundedness: String,
    median: String,
}

/// A day of the chart: how tall its two parts are, and where they begin.
struct Column {
    day: String,
    answered: u64,
    escalated: u64,
    x: u64,
    answered_y: u64,
    answered_height: u64,
    escalated_y: u64,
    escalated_height: u64,
}

struct Question {
    words: String,
    link: String,
    time: String,
    machine_time: String,
}

/// `GET /dashboard`: the first creator of the visitor.
pub async fn first(visitor: Visitor) -> Result<Response, Refusal> {
    match visitor.user.roles.keys().next() {
        Some(creator) => Ok(Redirect::to(&format!("/dashboard/{creator}")).into_response()),
        None => Err(Problem::new(
            Kind::Forbidden,
            "no_role",
            "your account belongs to no assistant",
            "`neverafk user add EMAIL --creator SLUG` gives it one",
        )
        .into()),
    }
}

/// `GET /dashboard/{creator}`
pub async fn show(State(app): State<AppState>, visitor: Visitor, place: Place) -> Result<Response, Refusal> {
    let creator = &place.creator.id;
    let counts = app.store().counts(creator).await?;
    let turns = app.store().turns(creator, LAST).await?;
    let reads_conversations = may(place.role, Action::AnswerStudents);
    let open = match reads_conversations {
        true => app.store().tickets(creator, Some(TicketState::Open), MOST_WAITING).await?,
        false => Vec::new(),
    };
    let unanswered = open.into_iter().filter(|ticket| !ticket.question.is_empty()).map(|ticket| Question {
        link: format!("/dashboard/{creator}/inbox/{}", ticket.conversation),
        words: ticket.question,
        time: page::moment(ticket.updated_at),
        machine_time: page::machine_time(ticket.updated_at),
    });
    Ok(page::page(&Overview {
        documents: page::number(counts.documents),
        passages: page::number(counts.chunks),
        conversations: page::number(counts.conversations),
        summary: summary(&turns),
        columns: columns(&turns, now()),
        unanswered: unanswered.collect(),
        reads_conversations,
        changes_content: may(place.role, Action::ChangeContent),
        shell: Shell::new(&visitor, &place, "Overview"),
    }))
}

fn summary(turns: &[Turn]) -> Option<Summary> {
    if turns.is_empty() {
        return None;
    }
    let answered: Vec<&Turn> = turns.iter().filter(|turn| !turn.answer.should_escalate).collect();
    let share = |part: f64| format!("{:.0} %", part * 100.0);
    let supported = turns.iter().filter(|turn| !turn.answer.sentences.is_empty());
    let supports: Vec<f64> = supported.map(|turn| f64::from(turn.answer.groundedness)).collect();
    let groundedness = match supports.len() {
        0 => "–".to_owned(),
        count => share(supports.iter().sum::<f64>() / count as f64),
    };
    let mut times: Vec<f64> = turns.iter().map(|turn| turn.answer.timings_ms.total).collect();
    times.sort_by(f64::total_cmp);
    let median = times[times.len() / 2];
    Some(Summary {
        questions: page::number(turns.len() as u64),
        answered: page::number(answered.len() as u64),
        answered_share: share(answered.len() as f64 / turns.len() as f64),
        escalated: page::number((turns.len() - answered.len()) as u64),
        groundedness,
        median: if median < 1000.0 { format!("{median:.0} ms") } else { format!("{:.1} s", median / 1000.0) },
    })
}

/// The last days, oldest first; days are those of UTC.
fn columns(turns: &[Turn], now: Timestamp) -> Vec<Column> {
    let today = now.0 / DAY_MS;
    let mut days = vec![(0u64, 0u64); DAYS as usize];
    for turn in turns {
        let ago = today.saturating_sub(turn.created_at.0 / DAY_MS);
        if let Some(day) = (DAYS - 1).checked_sub(ago).and_then(|place| days.get_mut(place as usize)) {
            if turn.answer.should_escalate { day.1 += 1 } else { day.0 += 1 }
        }
    }
    let most = days.iter().map(|(answered, escalated)| answered + escalated).max().unwrap_or(0).max(1);
    let height = |count: u64| if count == 0 { 0 } else { (count * TALL / most).max(3) };
    let column = |(place, (answered, escalated)): (usize, &(u64, u64))| {
        let (low, high) = (height(*answered), height(*escalated));
        let time = Timestamp((today + 1 + place as u64).saturating_sub(DAYS) * DAY_MS);
        let moment = page::moment(time);
        Column {
            day: moment.split(' ').take(2).collect::<Vec<_>>().join(" "),
            answered: *answered,
            escalated: *escalated,
            x: place as u64 * 24,
            answered_y: (TALL + 6).saturating_sub(low),
            answered_height: low,
            escalated_y: (TALL + 6).saturating_sub(low + high),
            escalated_height: high,
        }
    };
    days.iter().enumerate().map(column).collect()
}
