//! `/api/v1/webhooks`: addresses that are told what happens. Needs the creator's key.
//!
//! Deliveries are signed by the Standard Webhooks specification; the secret is shown when a webhook is added and
//! never again.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::domain::{CreatorId, Delivery, DeliveryId, Event, EventKind, Subject, Webhook, WebhookId};
use crate::events::deliver::{AddressError, check_address};
use crate::events::{rfc3339, sign};
use crate::http::AppState;
use crate::http::auth::Principal;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::{Json, Path, Query};
use crate::problem::{Kind, Problem};

/// A creator's webhooks; each event costs a request for each of them.
const MOST: usize = 20;

/// What to add.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct NewWebhook {
    /// `https://…`, on the public internet unless this server allows others.
    pub url: String,
    /// Names of events, as `answer.created`; empty or absent means all.
    #[serde(default)]
    pub events: Vec<String>,
}

/// The webhooks of a creator.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Webhooks {
    pub webhooks: Vec<WebhookBody>,
    /// Every event there is.
    pub known_events: Vec<&'static str>,
}

/// A webhook.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct WebhookBody {
    pub id: String,
    pub url: String,
    /// Empty means all.
    pub events: Vec<&'static str>,
    /// Verifies deliveries; given once, when the webhook is added.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// RFC 3339.
    pub created_at: String,
}

/// How many.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Page {
    /// 1 to 200.
    #[serde(default = "default_limit")]
    pub limit: usize,
}

fn default_limit() -> usize {
    50
}

/// Deliveries of a webhook.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Deliveries {
    pub deliveries: Vec<DeliveryBody>,
}

/// One event on its way.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct DeliveryBody {
    /// Also the header `webhook-id`, the same at every try.
    pub id: String,
    pub event: &'static str,
    /// `waiting`, `delivered` or `dead`.
    pub state: &'static str,
    pub attempts: Vec<AttemptBody>,
    /// When it goes out next, while it waits; RFC 3339.
    pub next_at: Option<String>,
    /// RFC 3339.
    pub created_at: String,
}

/// One try.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct AttemptBody {
    /// RFC 3339.
    pub at: String,
    pub status: Option<u16>,
    pub error: Option<String>,
    pub took_ms: u64,
}

impl From<Webhook> for WebhookBody {
    fn from(webhook: Webhook) -> Self {
        Self {
            id: webhook.id.to_string(),
            url: webhook.url,
            events: webhook.events.iter().map(|kind| kind.as_str()).collect(),
            secret: None,
            created_at: rfc3339(webhook.created_at),
        }
    }
}

impl From<Delivery> for DeliveryBody {
    fn from(delivery: Delivery) -> Self {
        let standing = delivery.standing;
        let waits = standing.state == crate::domain::DeliveryState::Waiting;
        Self {
            id: delivery.id.to_string(),
            event: delivery.event.kind.as_str(),
            state: standing.state.as_str(),
            attempts: standing
                .attempts
                .into_iter()
                .map(|attempt| AttemptBody {
                    at: rfc3339(attempt.at),
                    status: attempt.status,
                    error: attempt.error,
                    took_ms: attempt.took_ms,
                })
                .collect(),
            next_at: waits.then(|| rfc3339(standing.next_at)),
            created_at: rfc3339(delivery.event.at),
        }
    }
}

/// Adds a webhook. The answer has its secret, which is never shown again.
#[utoipa::path(post, path = "/api/v1/webhooks", operation_id = "addWebhook", tag = "webhooks", security(("key" = [])), request_body = NewWebhook,
    responses((status = 201, body = WebhookBody), (status = 422, description = "not an address that is delivered to, or no such event", body = ErrorBody),
    (status = "default", description = "refused", body = ErrorBody)))]
pub async fn add(
    State(app): State<AppState>,
    principal: Principal,
    Json(new): Json<NewWebhook>,
) -> Result<(StatusCode, axum::Json<WebhookBody>), ApiError> {
    let webhook = made(&app, &principal.creator, &new.url, &new.events).await?;
    let secret = Some(sign::shown(&webhook.secret));
    Ok((StatusCode::CREATED, axum::Json(WebhookBody { secret, ..webhook.into() })))
}

/// Checks an address and names of events, and keeps a webhook with a secret of its own.
pub async fn made(
    app: &AppState,
    creator: &CreatorId,
    url: &str,
    events: &[String],
) -> Result<Webhook, Problem> {
    let private = app.config().settings.webhooks.allow_private_addresses;
    let url = check_address(url.trim(), private).map_err(refused)?;
    let events: Result<Vec<EventKind>, String> = events.iter().map(|name| name.parse()).collect();
    let mut events = events.map_err(|message| {
        Problem::new(
            Kind::Invalid,
            "unknown_event",
            message,
            "name events as they stand there, or none for all",
        )
    })?;
    events.sort_unstable();
    events.dedup();
    if app.store().webhooks(creator).await?.len() >= MOST {
        return Err(Problem::new(
            Kind::Conflict,
            "too_many_webhooks",
            format!("there are {MOST} webhooks already"),
            "remove one that is not needed any more",
        ));
    }
    let mut secret = vec![0; sign::SECRET_BYTES];
    getrandom::fill(&mut secret).map_err(Problem::internal)?;
    let webhook = Webhook {
        id: WebhookId::from_bytes(crate::app::random()?),
        creator: creator.clone(),
        url: url.to_string(),
        events,
        secret,
        created_at: crate::app::now(),
    };
    app.store().add_webhook(webhook.clone()).await?;
    Ok(webhook)
}

/// Lists the webhooks of the key's creator.
#[utoipa::path(get, path = "/api/v1/webhooks", operation_id = "listWebhooks", tag = "webhooks", security(("key" = [])),
    responses((status = 200, body = Webhooks), (status = "default", description = "refused", body = ErrorBody)))]
pub async fn list(
    State(app): State<AppState>,
    principal: Principal,
) -> Result<axum::Json<Webhooks>, ApiError> {
    let webhooks = app.store().webhooks(&principal.creator).await?;
    let known = EventKind::ALL.iter().filter(|kind| kind.is_for_webhooks());
    Ok(axum::Json(Webhooks {
        webhooks: webhooks.into_iter().map(WebhookBody::from).collect(),
        known_events: known.map(|kind| kind.as_str()).collect(),
    }))
}

/// Removes a webhook; what waits for it goes.
#[utoipa::path(delete, path = "/api/v1/webhooks/{id}", operation_id = "removeWebhook", tag = "webhooks", params(("id" = String, Path)), security(("key" = [])),
    responses((status = 204), (status = 404, description = "not there, or another creator's", body = ErrorBody),
    (status = "default", description = "refused", body = ErrorBody)))]
pub async fn remove(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let id: WebhookId = id.parse()?;
    match app.store().remove_webhook(&principal.creator, &id).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(unknown(&id).into()),
    }
}

/// Sends a `webhook.test` to a webhook; how it went stands among its deliveries.
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/test", operation_id = "testWebhook", tag = "webhooks", params(("id" = String, Path)), security(("key" = [])),
    responses((status = 202, body = DeliveryBody), (status = 404, description = "not there, or another creator's", body = ErrorBody),
    (status = "default", description = "refused", body = ErrorBody)))]
pub async fn test(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<(StatusCode, axum::Json<DeliveryBody>), ApiError> {
    let id: WebhookId = id.parse()?;
    let creator = &principal.creator;
    let event = Event::new(creator, EventKind::WebhookTest, Subject::default(), crate::app::now());
    let delivery = app.store().deliver_to(creator, &id, event).await?.ok_or_else(|| unknown(&id))?;
    Ok((StatusCode::ACCEPTED, axum::Json(delivery.into())))
}

/// Lists what was and what will be delivered to a webhook, newest first.
#[utoipa::path(get, path = "/api/v1/webhooks/{id}/deliveries", operation_id = "listDeliveries", tag = "webhooks", params(("id" = String, Path), Page), security(("key" = [])),
    responses((status = 200, body = Deliveries), (status = 404, description = "not there, or another creator's", body = ErrorBody),
    (status = "default", description = "refused", body = ErrorBody)))]
pub async fn deliveries(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<String>,
    Query(page): Query<Page>,
) -> Result<axum::Json<Deliveries>, ApiError> {
    let id: WebhookId = id.parse()?;
    let store = app.store();
    if !store.webhooks(&principal.creator).await?.iter().any(|webhook| webhook.id == id) {
        return Err(unknown(&id).into());
    }
    let found = store.deliveries(&principal.creator, &id, page.limit.clamp(1, 200)).await?;
    Ok(axum::Json(Deliveries { deliveries: found.into_iter().map(DeliveryBody::from).collect() }))
}

/// Sends a delivery again, from the first try, under the same id.
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/deliveries/{delivery}/redeliver", operation_id = "redeliver", tag = "webhooks",
    params(("id" = String, Path), ("delivery" = String, Path)), security(("key" = [])),
    responses((status = 202, body = DeliveryBody), (status = 404, description = "not there, or another creator's", body = ErrorBody),
    (status = "default", description = "refused", body = ErrorBody)))]
pub async fn redeliver(
    State(app): State<AppState>,
    principal: Principal,
    Path((id, delivery)): Path<(String, String)>,
) -> Result<(StatusCode, axum::Json<DeliveryBody>), ApiError> {
    let (id, delivery): (WebhookId, DeliveryId) = (id.parse()?, delivery.parse()?);
    let again = app.store().redeliver(&principal.creator, &delivery, crate::app::now()).await?;
    match again.filter(|delivery| delivery.webhook == id) {
        Some(delivery) => Ok((StatusCode::ACCEPTED, axum::Json(delivery.into()))),
        None => Err(unknown(&id).into()),
    }
}

fn unknown(id: &WebhookId) -> Problem {
    Problem::new(
        Kind::Missing,
        "unknown_webhook",
        format!("there is no such webhook or delivery at `{id}`"),
        "`GET /api/v1/webhooks` lists those there are",
    )
}

fn refused(error: AddressError) -> Problem {
    let (code, hint) = match error {
        AddressError::Malformed(_) => {
            ("invalid_url", "send an address with its scheme and without a password")
        }
        AddressError::Private => (
            "private_address",
            "use an address of the public internet, or set `webhooks.allow_private_addresses`",
        ),
    };
    Problem::new(Kind::Invalid, code, error.to_string(), hint)
}
