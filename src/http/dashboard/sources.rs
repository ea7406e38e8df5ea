//! What the page of the content shows beside documents: places that are followed, and what could not be brought in; and the
//! forms on both. The page itself is `content`'s.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::gate::{Place, Visitor};
use super::page::{self, Refusal};
use crate::app::{Followed, Stuck};
use crate::domain::{self, JobId, JobState, WatchId};
use crate::http::AppState;
use crate::http::extract::{Form, Path};
use crate::problem::{Kind, Problem};

/// Pages that a site is read of when somebody names it here.
const PAGES: u32 = 200;
/// What could not be brought in, at most so many lines of it.
const LINES: usize = 20;

/// A place that is followed.
pub struct Source {
    pub id: String,
    pub name: String,
    pub kind: &'static str,
    /// For people and for machines.
    pub looked: Option<(String, String)>,
    pub next: Option<(String, String)>,
    pub is_looking: bool,
    /// What the last look did.
    pub changed: Option<String>,
    pub problem: Option<String>,
}

/// Something that was given up.
pub struct Failure {
    pub id: String,
    pub name: String,
    pub reason: String,
    pub time: String,
    pub machine_time: String,
    pub can_retry: bool,
}

/// The places of a creator.
pub async fn sources(app: &AppState, place: &Place) -> Result<Vec<Source>, Problem> {
    Ok(app.followed(&place.creator.id).await?.into_iter().map(Source::from).collect())
}

/// What of a creator's was given up.
pub async fn failures(app: &AppState, place: &Place) -> Result<Vec<Failure>, Problem> {
    let sources = app.watched(&place.creator.id).await?;
    let stuck = app.stuck(&place.creator.id).await?.into_iter().take(LINES);
    Ok(stuck.map(|stuck| Failure::of(stuck, &sources)).collect())
}

impl From<Followed> for Source {
    fn from(followed: Followed) -> Self {
        let Followed { watched, is_looking, next } = followed;
        let time = |at| (page::moment(at), page::machine_time(at));
        Self {
            id: watched.id.to_string(),
            name: watched.place.name().to_owned(),
            kind: match watched.place {
                domain::Place::Folder { .. } => "folder",
                domain::Place::Site { .. } => "site",
            },
            looked: watched.looked_at.map(time),
            next: next.map(time),
            is_looking,
            changed: watched.receipt.map(|receipt| receipt.to_string()),
            problem: watched.problem,
        }
    }
}

impl Failure {
    fn of(stuck: Stuck, sources: &[domain::Watched]) -> Self {
        let Stuck { job, can_retry } = stuck;
        let look = || sources.iter().find(|watched| watched.job() == job.id);
        let name = match job.kind.source() {
            Some(source) => source.strip_prefix("upload:").unwrap_or(source).to_owned(),
            None => look().map_or("a look at a place", |watched| watched.place.name()).to_owned(),
        };
        let reason = match &job.state {
            JobState::Parked { reason } => reason.clone(),
            _ => String::new(),
        };
        let (time, machine_time) = (page::moment(job.updated_at), page::machine_time(job.updated_at));
        Self { id: job.id.to_string(), name, reason, time, machine_time, can_retry }
    }
}

/// The form of a new place: sites only, since a browser must not read the server's disk.
#[derive(Debug, Deserialize)]
pub struct New {
    #[serde(default)]
    address: String,
    /// Also what the page leads to.
    #[serde(default)]
    whole: bool,
}

/// `POST /dashboard/{creator}/sources`
pub async fn add(
    State(app): State<AppState>,
    visitor: Visitor,
    place: Place,
    Form(new): Form<New>,
) -> Result<Response, Refusal> {
    let reach = (if new.whole { 2 } else { 0 }, PAGES);
    let watched = app.watch_site(&place.creator.id, &new.address, reach, true).await?;
    visitor.note(&app, &place, "source.added", watched.place.name()).await?;
    app.look_now(&place.creator.id, &watched.id).await?;
    Ok(back(&place, "followed"))
}

/// What was pressed.
#[derive(Debug, Deserialize)]
pub struct Act {
    #[serde(default)]
    act: String,
}

/// `POST /dashboard/{creator}/sources/{source}`
pub async fn act(
    State(app): State<AppState>,
    visitor: Visitor,
    place: Place,
    Path((_, id)): Path<(String, String)>,
    Form(Act { act }): Form<Act>,
) -> Result<Response, Refusal> {
    let (creator, id) = (&place.creator.id, id.parse::<WatchId>()?);
    match act.as_str() {
        "look" => {
            let watched = app.look_now(creator, &id).await?;
            visitor.note(&app, &place, "source.looked_at", watched.place.name()).await?;
            Ok(back(&place, "looking"))
        }
        "forget" => {
            let watched = app.unwatch(creator, &id).await?;
            visitor.note(&app, &place, "source.removed", watched.place.name()).await?;
            Ok(back(&place, "forgotten"))
        }
        _ => Err(nothing_pressed().into()),
    }
}

/// `POST /dashboard/{creator}/jobs/{job}`
pub async fn act_on_job(
    State(app): State<AppState>,
    visitor: Visitor,
    place: Place,
    Path((_, id)): Path<(String, String)>,
    Form(Act { act }): Form<Act>,
) -> Result<Response, Refusal> {
    let (creator, id) = (&place.creator.id, id.parse::<JobId>()?);
    match act.as_str() {
        "retry" => {
            app.retry(creator, &id).await?;
            visitor.note(&app, &place, "job.retried", id.as_str()).await?;
            Ok(back(&place, "again"))
        }
        "forget" => {
            app.forget_stuck(creator, &id).await?;
            visitor.note(&app, &place, "job.forgotten", id.as_str()).await?;
            Ok(back(&place, "dismissed"))
        }
        _ => Err(nothing_pressed().into()),
    }
}

/// What the page says after one of these.
pub fn said(done: &str) -> Option<&'static str> {
    Some(match done {
        "followed" => "It is followed from now on; its pages come in soon.",
        "looking" => "It is being looked at; what changed comes in soon.",
        "forgotten" => "It is followed no longer. What came from it stays.",
        "again" => "It is tried again.",
        "dismissed" => "It is off the list.",
        _ => return None,
    })
}

fn back(place: &Place, done: &str) -> Response {
    Redirect::to(&format!("/dashboard/{}/content?done={done}", place.creator.id)).into_response()
}

fn nothing_pressed() -> Problem {
    Problem::new(
        Kind::Invalid,
        "unknown_act",
        "the form says nothing that can be done",
        "use the buttons of the page",
    )
}
