//! `/api/v1/usage` and `/api/v1/billing`: what is used and what is left, the ledger, and links to buy. Needs the creator's
//! key. Where answers have no price, usage is all there is.

use axum::extract::State;
use axum::http::{HeaderMap, header};
use serde::{Deserialize, Serialize};

use crate::app::billing::Wanted;
use crate::billing::offer::{Pack, Plan};
use crate::billing::{Level, Standing, month_text};
use crate::domain::{CreatorId, Entry, EntryKind, HeldSubscription, Served, SubscriptionState};
use crate::events::rfc3339;
use crate::http::AppState;
use crate::http::auth::Principal;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::{Json, Query};
use crate::problem::{Kind, Problem};

/// What there is, and what was used.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct UsageBody {
    pub documents: u64,
    pub chunks: u64,
    pub conversations: u64,
    /// Tokens of models on other machines in this month (UTC).
    pub tokens_this_month: u64,
    /// Absent where answers have no price.
    pub credits: Option<Credits>,
}

/// Credits of this calendar month (UTC), and those that stay.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Credits {
    /// The plan that counts.
    pub plan: String,
    /// As `2026-11`.
    pub month: String,
    /// What the plan includes in a month; `null` is without end.
    pub included: Option<u64>,
    /// Used in this month, of the plan and of bought credits.
    pub used: u64,
    /// Answers that were paid in this month.
    pub answers: u64,
    /// Bought credits that are left; below zero after a refund of what was used.
    pub bought: i64,
    /// `null` is without end.
    pub left: Option<u64>,
    /// Past the soft limit.
    pub low: bool,
    /// Questions go to a person.
    pub used_up: bool,
}

impl From<&Standing> for Credits {
    fn from(standing: &Standing) -> Self {
        Self {
            plan: standing.plan.id.clone(),
            month: standing.month_text(),
            included: standing.plan.answers,
            used: standing.account.month.credits(),
            answers: standing.account.month.answers(),
            bought: standing.account.wallet.balance,
            left: standing.left,
            low: standing.level != Level::Enough,
            used_up: standing.level == Level::UsedUp,
        }
    }
}

/// What a creator pays for, and what can be bought.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct BillingBody {
    pub credits: Credits,
    /// The subscription whose plan counts.
    pub subscription: Option<SubscriptionBody>,
    pub plans: Vec<PlanBody>,
    pub packs: Vec<PackBody>,
}

/// As the payment provider tells it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SubscriptionBody {
    pub id: String,
    pub state: SubscriptionState,
    /// RFC 3339.
    pub renews_at: Option<String>,
    pub ends_at: Option<String>,
}

impl From<HeldSubscription> for SubscriptionBody {
    fn from(held: HeldSubscription) -> Self {
        Self {
            state: held.told.state,
            renews_at: held.told.renews_at.map(rfc3339),
            ends_at: held.told.ends_at.map(rfc3339),
            id: held.told.id,
        }
    }
}

/// What is included every month.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PlanBody {
    pub id: String,
    pub name: String,
    /// `null` is without end.
    pub answers: Option<u64>,
    pub price: String,
    /// Whether it can be bought here.
    pub for_sale: bool,
}

impl From<Plan> for PlanBody {
    fn from(plan: Plan) -> Self {
        let for_sale = !plan.variant.is_empty();
        Self { id: plan.id, name: plan.name, answers: plan.answers, price: plan.price, for_sale }
    }
}

/// Credits that are bought once and stay.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PackBody {
    pub id: String,
    pub name: String,
    pub credits: u64,
    pub price: String,
    pub for_sale: bool,
}

impl From<&Pack> for PackBody {
    fn from(pack: &Pack) -> Self {
        Self {
            id: pack.id.clone(),
            name: pack.name.clone(),
            credits: pack.credits,
            price: pack.price.clone(),
            for_sale: !pack.variant.is_empty(),
        }
    }
}

/// Which entries.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// 1 to 500.
    #[serde(default = "default_limit")]
    pub limit: usize,
    /// The `next` of the answer before.
    #[serde(default)]
    pub before: Option<u64>,
}

fn default_limit() -> usize {
    50
}

/// A part of the ledger, newest first.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Ledger {
    pub entries: Vec<EntryBody>,
    /// Give it as `before`; absent at the end.
    pub next: Option<u64>,
}

/// One change of credits.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct EntryBody {
    pub number: u64,
    pub kind: EntryKind,
    /// Change of bought credits.
    pub credits: i64,
    /// Taken from what the plan includes.
    pub included: u64,
    /// As `2026-11`.
    pub month: String,
    pub reason: String,
    /// The answer that was paid.
    pub message_id: Option<String>,
    pub served: Option<Served>,
    /// RFC 3339.
    pub created_at: String,
}

impl From<Entry> for EntryBody {
    fn from(entry: Entry) -> Self {
        Self {
            number: entry.number,
            kind: entry.kind,
            credits: entry.credits,
            included: entry.included,
            month: month_text(entry.month),
            reason: entry.reason,
            message_id: entry.message.map(String::from),
            served: entry.served,
            created_at: rfc3339(entry.at),
        }
    }
}

/// What to buy: one of the two.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct CheckoutRequest {
    #[serde(default)]
    #[schema(max_length = 64)]
    pub plan: Option<String>,
    #[serde(default)]
    #[schema(max_length = 64)]
    pub pack: Option<String>,
}

/// Where a browser goes on.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct GoOn {
    pub url: String,
}

/// Shows what there is and what was used.
#[utoipa::path(get, path = "/api/v1/usage", operation_id = "usage", tag = "billing", security(("key" = [])),
    responses((status = 200, body = UsageBody), (status = 401, description = "no key, or one that is not known", body = ErrorBody),
    (status = "default", description = "refused", body = ErrorBody)))]
pub async fn usage(
    State(app): State<AppState>,
    principal: Principal,
) -> Result<axum::Json<UsageBody>, ApiError> {
    let id = &principal.creator;
    let counts = app.store().counts(id).await?;
    Ok(axum::Json(UsageBody {
        documents: counts.documents,
        chunks: counts.chunks,
        conversations: counts.conversations,
        tokens_this_month: app.tokens_this_month(id).await?,
        credits: app.standing(id).await?.as_ref().map(Credits::from),
    }))
}

/// Shows plan, credits, subscription, and what can be bought.
#[utoipa::path(get, path = "/api/v1/billing", operation_id = "billing", tag = "billing", security(("key" = [])),
    responses((status = 200, body = BillingBody), (status = 404, description = "answers have no price here", body = ErrorBody),
    (status = "default", description = "refused", body = ErrorBody)))]
pub async fn show(
    State(app): State<AppState>,
    principal: Principal,
) -> Result<axum::Json<BillingBody>, ApiError> {
    let packs = app.offered()?.packs.iter().map(PackBody::from).collect();
    let standing = app.standing(&principal.creator).await?;
    let standing = standing.ok_or_else(|| Problem::internal("billing is on and nobody stands anywhere"))?;
    Ok(axum::Json(BillingBody {
        credits: Credits::from(&standing),
        subscription: standing.subscription.map(SubscriptionBody::from),
        plans: app.shown_plans().into_iter().map(PlanBody::from).collect(),
        packs,
    }))
}

/// Lists every change of credits, newest first.
#[utoipa::path(get, path = "/api/v1/billing/ledger", operation_id = "ledger", tag = "billing", params(Which), security(("key" = [])),
    responses((status = 200, body = Ledger), (status = 404, description = "answers have no price here", body = ErrorBody),
    (status = "default", description = "refused", body = ErrorBody)))]
pub async fn ledger(
    State(app): State<AppState>,
    principal: Principal,
    Query(which): Query<Which>,
) -> Result<axum::Json<Ledger>, ApiError> {
    app.offered()?;
    let most = which.limit.clamp(1, 500);
    let found = app.store().ledger(&principal.creator, which.before, most).await?;
    let next = found.last().map(|entry| entry.number).filter(|last| *last > 1);
    Ok(axum::Json(Ledger { entries: found.into_iter().map(EntryBody::from).collect(), next }))
}

/// Makes a link to buy a plan or a pack of credits.
#[utoipa::path(post, path = "/api/v1/billing/checkout", operation_id = "checkout", tag = "billing", security(("key" = [])),
    request_body = CheckoutRequest, responses((status = 200, body = GoOn),
    (status = 404, description = "answers have no price here, or this cannot be bought", body = ErrorBody),
    (status = 503, description = "the payment provider does not answer", body = ErrorBody),
    (status = "default", description = "refused", body = ErrorBody)))]
pub async fn checkout(
    State(app): State<AppState>,
    principal: Principal,
    headers: HeaderMap,
    Json(request): Json<CheckoutRequest>,
) -> Result<axum::Json<GoOn>, ApiError> {
    let wanted = wanted(request.plan, request.pack)?;
    let back = format!("{}/dashboard/{}/billing", here(&app, &headers), principal.creator);
    let url = app.checkout(&principal.creator, &wanted, back).await?;
    note(&app, &principal.creator, "a key", &wanted, "").await?;
    Ok(axum::Json(GoOn { url }))
}

/// Makes a link to where the subscription is changed or ended; it works for a day.
#[utoipa::path(post, path = "/api/v1/billing/portal", operation_id = "portal", tag = "billing", security(("key" = [])),
    responses((status = 200, body = GoOn), (status = 404, description = "there is no subscription", body = ErrorBody),
    (status = 503, description = "the payment provider does not answer", body = ErrorBody),
    (status = "default", description = "refused", body = ErrorBody)))]
pub async fn portal(State(app): State<AppState>, principal: Principal) -> Result<axum::Json<GoOn>, ApiError> {
    Ok(axum::Json(GoOn { url: app.portal(&principal.creator).await? }))
}

/// One of the two.
pub fn wanted(plan: Option<String>, pack: Option<String>) -> Result<Wanted, Problem> {
    let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
    match (filled(plan), filled(pack)) {
        (Some(plan), None) => Ok(Wanted::Plan(plan)),
        (None, Some(pack)) => Ok(Wanted::Pack(pack)),
        _ => Err(Problem::new(
            Kind::Invalid,
            "invalid_checkout",
            "either a plan or a pack is to be bought",
            "send {\"plan\": …} or {\"pack\": …}; `GET /api/v1/billing` lists them",
        )),
    }
}

/// In the record of what was done: who went to buy what.
pub async fn note(
    app: &AppState,
    creator: &CreatorId,
    who: &str,
    wanted: &Wanted,
    address: &str,
) -> Result<(), Problem> {
    let target = match wanted {
        Wanted::Plan(id) => format!("plan {id}"),
        Wanted::Pack(id) => format!("pack {id}"),
    };
    let fresh = crate::app::secret()?;
    let now = crate::app::now();
    Ok(app.accounts().note(Some(creator), who, "billing.checkout", &target, address, &fresh, now).await?)
}

/// Where the world reaches this server: by the settings, else as the caller did.
fn here(app: &AppState, headers: &HeaderMap) -> String {
    let public = &app.config().settings.server.public_url;
    if !public.is_empty() {
        return public.clone();
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    format!("http://{}", host.map_or_else(|| app.config().listen.to_string(), str::to_owned))
}
