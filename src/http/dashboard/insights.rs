//! `/dashboard/{creator}/insights`: how much is asked and how it goes, day by day; what is asked again and again, and what
//! the content does not answer. Also as a table for spreadsheets.

use std::fmt::Write;

use askama::Template;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::chart::{self, Column, Columns, TALL, THIN, WIDE};
use super::gate::{Place, Visitor};
use super::page::{self, Refusal, Shell};
use crate::app::now;
use crate::domain::{Reason, Timestamp};
use crate::http::AppState;
use crate::http::extract::Query;
use crate::insights::{self, Day};

/// Times that can be looked at, in days; the middle one when nothing is said.
const TIMES: [u32; 3] = [7, 30, 90];
/// Groups that are shown.
const MOST_GROUPS: usize = 12;
/// Lessons that are shown.
const MOST_LESSONS: usize = 20;

#[derive(Template)]
#[template(path = "insights.html", config = "assets/dashboard/askama.toml")]
struct Insights {
    shell: Shell,
    days: u32,
    times: [u32; 3],
    asked: String,
    answered_share: String,
    answered: String,
    escalated: String,
    helpful: String,
    thumbs: String,
    groundedness: String,
    median: String,
    /// Whether anything had a price in this time: models that run here have none.
    priced: bool,
    cost: String,
    cost_sum: String,
    costs: String,
    dearest: String,
    currency: String,
    first: String,
    last: String,
    volume: Columns,
    latency: String,
    slowest: String,
    thumbs_drawn: Columns,
    rows: Vec<Day>,
    any: bool,
    complaints: Vec<Complaint>,
    words: Vec<Words>,
    gaps: Vec<Group>,
    popular: Vec<Group>,
    lessons: Vec<Strip>,
}

/// A lesson and where its students ask.
struct Strip {
    lesson: insights::Lesson,
    drawn: Vec<Column>,
    end: String,
    stretches: Vec<(String, insights::Stretch)>,
}

/// Why answers did not help.
struct Complaint {
    why: &'static str,
    count: u32,
}

/// What a student wrote to a thumb down.
struct Words {
    text: String,
    /// Empty when none was chosen.
    why: &'static str,
    question: String,
    conversation: String,
    time: String,
    machine_time: String,
}

struct Group {
    question: String,
    count: u32,
    examples: Vec<String>,
    time: String,
    machine_time: String,
}

/// How many days, and which table.
#[derive(Debug, Deserialize)]
pub struct Wanted {
    #[serde(default)]
    days: u32,
    /// `days`, `gaps`, `questions` or `lessons`
    #[serde(default)]
    table: String,
}

impl Wanted {
    fn days(&self) -> u32 {
        if TIMES.contains(&self.days) { self.days } else { TIMES[1] }
    }
}

/// `GET /dashboard/{creator}/insights`
pub async fn show(
    State(app): State<AppState>,
    visitor: Visitor,
    place: Place,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Refusal> {
    let (creator, days, now) = (&place.creator.id, wanted.days(), now());
    let found = app.insights(creator, days, now).await?;
    let gaps = app.gaps(creator, days, now).await?;
    let popular = app.popular(creator, days, now).await?;
    let lessons = app.lessons(creator, days, now).await?.lessons;
    let complaints = app.complaints(creator, days, now).await?;
    let (latency, slowest) = chart::line(&found.days.iter().map(|day| day.median_ms).collect::<Vec<_>>());
    let rated = found.helpful + found.unhelpful;
    // A line has whole numbers: millionths are fine enough for the cheapest models.
    let micros = |day: &Day| (day.cost * 1e6).round() as u32;
    let (costs, dearest) =
        chart::line(&found.days.iter().map(|day| (day.asked > 0).then(|| micros(day))).collect::<Vec<_>>());
    Ok(page::page(&Insights {
        days,
        times: TIMES,
        asked: page::number(u64::from(found.asked)),
        answered_share: share(found.answered, found.asked),
        answered: page::number(u64::from(found.answered)),
        escalated: page::number(u64::from(found.escalated)),
        helpful: share(found.helpful, rated),
        thumbs: page::number(u64::from(rated)),
        groundedness: found.groundedness.map_or("–".to_owned(), |mean| format!("{:.0} %", mean * 100.0)),
        median: found.median_ms.map_or("–".to_owned(), took),
        priced: found.cost > 0.0,
        cost: found.cost_per_answer.map_or("–".to_owned(), money),
        cost_sum: money(found.cost),
        costs,
        dearest: money(f64::from(dearest) / 1e6),
        currency: found.currency,
        first: found.days.first().map(|day| day.date.clone()).unwrap_or_default(),
        last: found.days.last().map(|day| day.date.clone()).unwrap_or_default(),
        volume: volume(&found.days),
        latency,
        slowest: took(slowest),
        thumbs_drawn: thumbs(&found.days),
        any: found.asked > 0,
        rows: found.days.into_iter().rev().collect(),
        complaints: complaints
            .reasons
            .iter()
            .map(|known| Complaint { why: why(known.reason), count: known.count })
            .collect(),
        words: complaints.words.into_iter().map(Words::from).collect(),
        gaps: gaps.into_iter().take(MOST_GROUPS).map(Group::from).collect(),
        popular: popular.into_iter().take(MOST_GROUPS).map(Group::from).collect(),
        lessons: lessons.into_iter().take(MOST_LESSONS).map(Strip::from).collect(),
        shell: Shell::new(&visitor, &place, "Insights"),
    }))
}

/// Answered from the content, not in the content, and the rest: greetings, what is not about the course.
fn volume(days: &[Day]) -> Columns {
    let rows: Vec<(String, Vec<u32>)> = days
        .iter()
        .map(|day| {
            let rest = day.asked.saturating_sub(day.answered + day.abstained);
            let title = format!(
                "{}: {} answered, {} not in the content, {rest} other",
                day.date, day.answered, day.abstained
            );
            (title, vec![day.answered, day.abstained, rest])
        })
        .collect();
    chart::columns(&["answered", "escalated", "rest"], &rows)
}

fn thumbs(days: &[Day]) -> Columns {
    let rows: Vec<(String, Vec<u32>)> = days
        .iter()
        .map(|day| {
            let title = format!("{}: {} helpful, {} not", day.date, day.helpful, day.unhelpful);
            (title, vec![day.helpful, day.unhelpful])
        })
        .collect();
    chart::columns(&["answered", "escalated"], &rows)
}

pub(super) fn share(part: u32, whole: u32) -> String {
    match whole {
        0 => "–".to_owned(),
        _ => format!("{:.0} %", f64::from(part) / f64::from(whole) * 100.0),
    }
}

/// An amount with as many places as it takes to tell a cent from nothing.
pub(super) fn money(amount: f64) -> String {
    match amount {
        0.0 => "0".to_owned(),
        amount if amount < 0.000_01 => "< 0.00001".to_owned(),
        amount if amount < 0.1 => format!("{amount:.5}"),
        amount => format!("{amount:.2}"),
    }
}

pub(super) fn took(ms: u32) -> String {
    if ms < 1000 { format!("{ms} ms") } else { format!("{:.1} s", f64::from(ms) / 1000.0) }
}

impl From<insights::Lesson> for Strip {
    fn from(lesson: insights::Lesson) -> Self {
        let clock = |ms: u64| chart::clock(ms / 1000);
        let named: Vec<(String, insights::Stretch)> = lesson
            .stretches
            .iter()
            .map(|found| {
                let title =
                    format!("{} to {}", clock(found.from_ms), clock(found.from_ms + lesson.stretch_ms));
                (title, *found)
            })
            .collect();
        let rows: Vec<(String, [u32; 2])> = named
            .iter()
            .map(|(title, found)| {
                let title = format!(
                    "{title}: {} asked, {} not in the content, {} not helpful, quoted by {}",
                    found.asked, found.declined, found.unhelpful, found.quoted
                );
                (title, [found.asked, found.declined + found.unhelpful])
            })
            .collect();
        let end = lesson.stretches.len() as u64 * lesson.stretch_ms;
        Self {
            drawn: chart::heat(["answered", "escalated"], &rows),
            end: clock(end),
            stretches: named.into_iter().filter(|(_, found)| found.asked + found.quoted > 0).collect(),
            lesson,
        }
    }
}

/// As people read it.
fn why(reason: Reason) -> &'static str {
    match reason {
        Reason::Wrong => "it is wrong",
        Reason::Incomplete => "something is missing",
        Reason::Unclear => "hard to understand",
        Reason::OffTopic => "answers another question",
        Reason::Other => "something else",
    }
}

impl From<insights::complaints::Words> for Words {
    fn from(said: insights::complaints::Words) -> Self {
        let time = Timestamp(said.said_at_ms);
        Self {
            text: said.text,
            why: said.reason.map(why).unwrap_or_default(),
            question: said.question,
            conversation: said.conversation.to_string(),
            time: page::moment(time),
            machine_time: page::machine_time(time),
        }
    }
}

impl From<insights::Cluster> for Group {
    fn from(cluster: insights::Cluster) -> Self {
        let time = Timestamp(cluster.last_asked_ms);
        Self {
            question: cluster.question,
            count: cluster.count,
            examples: cluster.examples,
            time: page::moment(time),
            machine_time: page::machine_time(time),
        }
    }
}

/// `GET /dashboard/{creator}/insights.csv`: RFC 4180.
pub async fn csv(
    State(app): State<AppState>,
    place: Place,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Refusal> {
    let (creator, days, now) = (&place.creator.id, wanted.days(), now());
    let (name, text) = match wanted.table.as_str() {
        "gaps" => ("gaps", groups(app.gaps(creator, days, now).await?)),
        "questions" => ("questions", groups(app.popular(creator, days, now).await?)),
        "lessons" => ("lessons", by_lesson(&app.lessons(creator, days, now).await?.lessons)),
        _ => ("days", by_day(&app.insights(creator, days, now).await?.days)),
    };
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{creator}-{name}-{days}-days.csv\"")),
    ];
    Ok((headers, text).into_response())
}

fn by_day(days: &[Day]) -> String {
    let mut text = "date,asked,answered,abstained,escalated,helpful,unhelpful,median_ms,cost\r\n".to_owned();
    for day in days {
        let median = day.median_ms.map(|ms| ms.to_string()).unwrap_or_default();
        // Writing to a string does not fail.
        let _ = write!(
            text,
            "{},{},{},{},{},{},{},{median},{}\r\n",
            day.date,
            day.asked,
            day.answered,
            day.abstained,
            day.escalated,
            day.helpful,
            day.unhelpful,
            day.cost
        );
    }
    text
}

fn groups(groups: Vec<insights::Cluster>) -> String {
    let mut text = "question,count,last_asked\r\n".to_owned();
    for group in groups {
        let last = page::machine_time(Timestamp(group.last_asked_ms));
        let _ = write!(text, "{},{},{last}\r\n", cell(&group.question), group.count);
    }
    text
}

fn by_lesson(lessons: &[insights::Lesson]) -> String {
    let mut text = "lesson,from_s,to_s,asked,declined,unhelpful,quoted\r\n".to_owned();
    for lesson in lessons {
        for found in lesson.stretches.iter().filter(|found| found.asked + found.quoted > 0) {
            let (from, to) = (found.from_ms / 1000, (found.from_ms + lesson.stretch_ms) / 1000);
            let _ = write!(
                text,
                "{},{from},{to},{},{},{},{}\r\n",
                cell(&lesson.lesson),
                found.asked,
                found.declined,
                found.unhelpful,
                found.quoted
            );
        }
    }
    text
}

/// A text as a cell. Students write it, and a spreadsheet must not take it for a formula.
fn cell(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_holds_words_and_no_formula() {
        for (text, expected) in [
            ("Why?", "\"Why?\""),
            ("the \"why\"\nof it", "\"the \"\"why\"\"\nof it\""),
            ("=1+1", "\"'=1+1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
        ] {
            assert_eq!(cell(text), expected);
        }
        for (amount, shown) in
            [(0.0, "0"), (0.000_001, "< 0.00001"), (0.000_84, "0.00084"), (0.254, "0.25"), (12.0, "12.00")]
        {
            assert_eq!(money(amount), shown);
        }
        let day =
            Day { date: "2026-11-23".into(), asked: 3, median_ms: Some(12), cost: 0.25, ..Day::default() };
        assert!(by_day(&[day]).ends_with("\r\n2026-11-23,3,0,0,0,0,0,12,0.25\r\n"));
    }
}
