//! `/dashboard/{creator}/webhooks`: addresses that are told what happens, and how it went each time. A webhook's secret is
//! shown by the page that answers its making, and never again.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::gate::{Place, Visitor};
use super::page::{self, Done, Refusal, Shell};
use crate::app::now;
use crate::domain::{Delivery, DeliveryId, DeliveryState, Event, EventKind, Subject, Webhook, WebhookId};
use crate::events::sign;
use crate::http::AppState;
use crate::http::api::webhooks;
use crate::http::extract::{Form, Path, Query};
use crate::problem::{Kind, Problem};

/// Deliveries that are shown of each.
const LAST: usize = 12;

#[derive(Template)]
#[template(path = "webhooks.html", config = "assets/dashboard/askama.toml")]
struct Webhooks {
    shell: Shell,
    hooks: Vec<Hook>,
    events: Vec<&'static str>,
    /// One that was made just now: its address and its secret, shown this once.
    made: Option<(String, String)>,
    typed: String,
    fault: Option<String>,
    done: Option<&'static str>,
}

struct Hook {
    id: String,
    url: String,
    events: String,
    deliveries: Vec<Shown>,
}

struct Shown {
    id: String,
    event: &'static str,
    state: DeliveryState,
    tries: usize,
    /// What the other side said last.
    last: String,
    time: String,
    machine_time: String,
}

/// `GET /dashboard/{creator}/webhooks`
pub async fn show(
    State(app): State<AppState>,
    visitor: Visitor,
    place: Place,
    Query(Done { done }): Query<Done<String>>,
) -> Result<Response, Refusal> {
    let done = match done.as_str() {
        "test" => Some("A test is on its way; how it went stands among the deliveries."),
        "again" => Some("It goes out again."),
        "removed" => Some("Removed, with what waited for it."),
        _ => None,
    };
    Ok(page::page(&Webhooks { done, ..listed(&app, &visitor, &place).await? }))
}

async fn listed(app: &AppState, visitor: &Visitor, place: &Place) -> Result<Webhooks, Problem> {
    let (store, creator) = (app.store(), &place.creator.id);
    let mut hooks = Vec::new();
    for webhook in store.webhooks(creator).await? {
        let deliveries = store.deliveries(creator, &webhook.id, LAST).await?;
        hooks.push(Hook::of(webhook, deliveries));
    }
    let events =
        EventKind::ALL.iter().filter(|kind| kind.is_for_webhooks() && **kind != EventKind::WebhookTest);
    Ok(Webhooks {
        hooks,
        events: events.map(|kind| kind.as_str()).collect(),
        made: None,
        typed: String::new(),
        fault: None,
        done: None,
        shell: Shell::new(visitor, place, "Webhooks"),
    })
}

impl Hook {
    fn of(webhook: Webhook, deliveries: Vec<Delivery>) -> Self {
        let events: Vec<&str> = webhook.events.iter().map(|kind| kind.as_str()).collect();
        Self {
            id: webhook.id.to_string(),
            url: webhook.url,
            events: if events.is_empty() { "everything".to_owned() } else { events.join(", ") },
            deliveries: deliveries.into_iter().map(Shown::from).collect(),
        }
    }
}

impl From<Delivery> for Shown {
    fn from(delivery: Delivery) -> Self {
        let standing = delivery.standing;
        let last = standing.attempts.last().map(|attempt| match (attempt.status, &attempt.error) {
            (Some(status), _) => format!("answered {status} after {} ms", attempt.took_ms),
            (None, Some(error)) => error.clone(),
            (None, None) => String::new(),
        });
        Self {
            id: delivery.id.to_string(),
            event: delivery.event.kind.as_str(),
            state: standing.state,
            tries: standing.attempts.len(),
            last: last.unwrap_or_default(),
            time: page::moment(delivery.event.at),
            machine_time: page::machine_time(delivery.event.at),
        }
    }
}

/// The form of a new one. A browser sends each event that was chosen as a field of its own.
#[derive(Debug, Deserialize)]
pub struct New {
    #[serde(default)]
    url: String,
    #[serde(flatten)]
    others: std::collections::HashMap<String, String>,
}

/// `POST /dashboard/{creator}/webhooks`: the page that answers is the only one that shows the secret.
pub async fn add(
    State(app): State<AppState>,
    visitor: Visitor,
    place: Place,
    Form(form): Form<New>,
) -> Result<Response, Refusal> {
    let chosen = |kind: &&EventKind| form.others.contains_key(kind.as_str());
    let events: Vec<String> =
        EventKind::ALL.iter().filter(chosen).map(|kind| kind.as_str().to_owned()).collect();
    match webhooks::made(&app, &place.creator.id, &form.url, &events).await {
        Ok(webhook) => {
            visitor.note(&app, &place, "webhook.added", &webhook.url).await?;
            let made = Some((webhook.url.clone(), sign::shown(&webhook.secret)));
            Ok(page::page(&Webhooks { made, ..listed(&app, &visitor, &place).await? }))
        }
        Err(problem) if matches!(problem.kind, Kind::Invalid | Kind::Conflict) => {
            let fault =
                Some(format!("{} {}", page::sentence(&problem.message), page::sentence(&problem.hint)));
            let again = Webhooks { fault, typed: form.url, ..listed(&app, &visitor, &place).await? };
            Ok(page::with_status(StatusCode::UNPROCESSABLE_ENTITY, &again))
        }
        Err(problem) => Err(problem.into()),
    }
}

/// What to do with one.
#[derive(Debug, Deserialize)]
pub struct Act {
    act: What,
    #[serde(default)]
    delivery: String,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum What {
    Test,
    Again,
    Remove,
}

/// `POST /dashboard/{creator}/webhooks/{webhook}`
pub async fn act(
    State(app): State<AppState>,
    visitor: Visitor,
    place: Place,
    Path((_, id)): Path<(String, String)>,
    Form(form): Form<Act>,
) -> Result<Response, Refusal> {
    let id: WebhookId = id.parse().map_err(|_| missing())?;
    let (store, creator) = (app.store(), &place.creator.id);
    let known = store.webhooks(creator).await?.into_iter().find(|webhook| webhook.id == id);
    let webhook = known.ok_or_else(missing)?;
    let done = match form.act {
        What::Test => {
            let event = Event::new(creator, EventKind::WebhookTest, Subject::default(), now());
            store.deliver_to(creator, &id, event).await?.ok_or_else(missing)?;
            "test"
        }
        What::Again => {
            let delivery: DeliveryId = form.delivery.parse().map_err(|_| missing())?;
            store.redeliver(creator, &delivery, now()).await?.ok_or_else(missing)?;
            "again"
        }
        What::Remove => {
            store.remove_webhook(creator, &id).await?;
            visitor.note(&app, &place, "webhook.removed", &webhook.url).await?;
            "removed"
        }
    };
    Ok(Redirect::to(&format!("/dashboard/{creator}/webhooks?done={done}")).into_response())
}

fn missing() -> Problem {
    Problem::new(
        Kind::Missing,
        "unknown_webhook",
        "there is no such webhook or delivery",
        "it may be removed already; look at the list",
    )
}
