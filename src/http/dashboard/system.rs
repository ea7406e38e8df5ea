//! `/dashboard/{creator}/system`: how the server does, what the log said last, and a backup to take along. It concerns
//! everybody's data, so it is for who owns every assistant of the server.

use askama::Template;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use futures_util::StreamExt;

use super::gate::{Place, Visitor};
use super::page::{self, Done, Refusal, Shell};
use crate::app::doctor::{self, State as Found};
use crate::app::now;
use crate::http::AppState;
use crate::http::api::document_view::stream;
use crate::http::extract::Query;
use crate::problem::Problem;
use crate::telemetry::recent;

#[derive(Template)]
#[template(path = "system.html", config = "assets/dashboard/askama.toml")]
struct System {
    shell: Shell,
    version: &'static str,
    uptime: String,
    under_way: [usize; 2],
    jobs: [u64; 2],
    data: String,
    checks: Vec<Check>,
    /// Where mails are sent, or wait.
    mails: Option<Mails>,
    entries: Vec<Entry>,
    lines: Vec<String>,
}

/// How mails fare.
struct Mails {
    on: bool,
    waiting: u64,
    given_up: u64,
    sent: u64,
    /// When, and what went wrong.
    last_fault: Option<(String, String)>,
    /// Those that were given up go out again.
    done: bool,
}

/// What happened at the door.
struct Entry {
    time: String,
    machine_time: String,
    who: String,
    what: &'static str,
    address: String,
    times: u32,
}

/// The newest that are shown.
const LAST_ENTRIES: usize = 50;

struct Check {
    name: &'static str,
    /// `good`, `note` or `bad`.
    state: &'static str,
    found: String,
    hint: Option<String>,
}

/// `GET /dashboard/{creator}/system`
pub async fn show(
    State(app): State<AppState>,
    visitor: Visitor,
    place: Place,
    Query(Done { done }): Query<Done<String>>,
) -> Result<Response, Refusal> {
    let places = app.places().await?;
    let checks = doctor::examine_running(&app).await;
    let mut lines = recent::lines();
    lines.reverse();
    Ok(page::page(&System {
        version: app.version(),
        uptime: duration(app.uptime().as_secs()),
        under_way: app.answers_under_way(),
        jobs: app.store().open_jobs().await?,
        data: page::size(places.iter().map(|place| place.bytes).sum()),
        checks: checks
            .into_iter()
            .map(|check| Check {
                name: check.name,
                state: match check.state {
                    Found::Good => "good",
                    Found::Note => "note",
                    Found::Bad => "bad",
                },
                found: check.found,
                hint: check.hint,
            })
            .collect(),
        mails: mails(&app, done == "mails").await?,
        entries: entries(&app).await?,
        lines,
        shell: Shell::new(&visitor, &place, "Backup & system"),
    }))
}

async fn mails(app: &AppState, done: bool) -> Result<Option<Mails>, Problem> {
    let counts = app.store().mail_counts().await?;
    let on = app.sends_mail();
    Ok((on || counts.waiting > 0).then(|| Mails {
        on,
        waiting: counts.waiting,
        given_up: counts.given_up,
        sent: counts.sent,
        last_fault: counts.last_fault.map(|(at, fault)| (page::moment(at), fault)),
        done,
    }))
}

/// Who came in and who did not, newest first.
async fn entries(app: &AppState) -> Result<Vec<Entry>, Problem> {
    let events = app.store().events(None, LAST_ENTRIES).await?;
    let told = events.into_iter().filter_map(|event| {
        let what = match event.what.as_str() {
            "sign_in.done" => "signed in",
            "sign_in.refused" => "was refused: wrong password",
            "sign_in.code_refused" => "was refused: wrong code",
            "account.reset_asked" => "asked for a new password",
            "account.password_reset" => "chose a new password by a link",
            _ => return None,
        };
        Some(Entry {
            time: page::moment(event.at),
            machine_time: page::machine_time(event.at),
            who: event.who,
            what,
            address: event.address,
            times: event.times,
        })
    });
    Ok(told.collect())
}

/// `POST /dashboard/{creator}/system/mails`: what was given up goes out again.
pub async fn send_mails_again(
    State(app): State<AppState>,
    visitor: Visitor,
    place: Place,
) -> Result<Response, Refusal> {
    let count = app.store().send_mails_again(now()).await?;
    visitor.note(&app, &place, "server.mails_again", &count.to_string()).await?;
    Ok(Redirect::to(&format!("/dashboard/{}/system?done=mails", place.creator.id)).into_response())
}

/// `POST /dashboard/{creator}/system/backup`: everything in one file. It is written first, so that it is whole or an
/// error, and deleted when it was sent.
pub async fn backup(
    State(app): State<AppState>,
    visitor: Visitor,
    place: Place,
) -> Result<Response, Refusal> {
    let (folder, path) = app.backup_to_send().await?;
    let file = tokio::fs::File::open(&path).await.map_err(Problem::internal)?;
    let length = file.metadata().await.map_err(Problem::internal)?.len();
    let pieces = stream(file.into_std().await, 0..length).map(move |piece| {
        // The folder stays until the last piece is out.
        let _ = &folder;
        piece
    });
    visitor.note(&app, &place, "server.backup", "everything").await?;
    let time = page::machine_time(now());
    let name = format!("attachment; filename=\"neverafk-{}.backup\"", &time[..10]);
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream")),
        (header::CONTENT_LENGTH, HeaderValue::from(length)),
        (header::CONTENT_DISPOSITION, HeaderValue::from_str(&name).map_err(Problem::internal)?),
    ];
    Ok((headers, Body::from_stream(pieces)).into_response())
}

/// `3 days`, `5 hours`, `12 minutes`.
fn duration(seconds: u64) -> String {
    let (number, word) = match seconds {
        0..60 => (seconds, "second"),
        60..3_600 => (seconds / 60, "minute"),
        3_600..86_400 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_said_roughly() {
        for (seconds, text) in
            [(0, "0 seconds"), (61, "1 minute"), (7_200, "2 hours"), (86_400, "1 day"), (900_000, "10 days")]
        {
            assert_eq!(duration(seconds), text);
        }
    }
}
