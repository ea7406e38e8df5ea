//! `/dashboard/{creator}/billing`: the plan, what of it is used, what can be bought, and the ledger; for owners. Links to
//! the payment provider are shown and not jumped to: pages send forms to this server alone.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::gate::{Place, Visitor};
use super::page::{self, Refusal, Shell};
use super::widget;
use crate::billing::offer::Plan;
use crate::billing::{Standing, month_text};
use crate::domain::{Entry, EntryKind, HeldSubscription};
use crate::http::AppState;
use crate::http::api::billing::{note, wanted};
use crate::http::extract::{Form, Query};
use crate::problem::Problem;

/// Entries on one page.
const ON_PAGE: usize = 40;
/// Entries in a file: so many rows a table program opens.
const IN_FILE: usize = 100_000;

#[derive(Template)]
#[template(path = "billing.html", config = "assets/dashboard/askama.toml")]
struct Billing {
    shell: Shell,
    plan: String,
    month: String,
    used: String,
    /// Of what the plan includes.
    included: Option<String>,
    /// Full and filled part of the bar; none without end.
    bar: Option<(u64, u64)>,
    left: Option<String>,
    bought: String,
    counts: [(&'static str, String); 3],
    subscription: Option<Subscription>,
    plans: Vec<ForSale>,
    packs: Vec<ForSale>,
    rows: Vec<Row>,
    older: Option<u64>,
    first: bool,
}

struct Subscription {
    state: &'static str,
    renews: Option<String>,
    ends: Option<String>,
}

/// A plan or a pack.
struct ForSale {
    id: String,
    name: String,
    what: String,
    price: String,
    here: bool,
    for_sale: bool,
}

struct Row {
    time: String,
    machine_time: String,
    kind: &'static str,
    /// What of it was of the plan and what of bought credits.
    plan: String,
    bought: String,
    why: String,
}

/// Where the list begins.
#[derive(Debug, Deserialize)]
pub struct Wanted {
    #[serde(default)]
    before: Option<u64>,
}

/// `GET /dashboard/{creator}/billing`
pub async fn show(
    State(app): State<AppState>,
    visitor: Visitor,
    place: Place,
    Query(Wanted { before }): Query<Wanted>,
) -> Result<Response, Refusal> {
    let packs = app.offered()?.packs.iter().map(|pack| ForSale {
        id: pack.id.clone(),
        name: pack.name.clone(),
        what: format!("{} answers that stay until they are used", page::number(pack.credits)),
        price: pack.price.clone(),
        here: false,
        for_sale: !pack.variant.is_empty(),
    });
    let packs = packs.collect();
    let standing = app.standing(&place.creator.id).await?;
    let standing = standing.ok_or_else(|| Problem::internal("billing is on and nobody stands anywhere"))?;
    let entries = app.store().ledger(&place.creator.id, before, ON_PAGE).await?;
    let older = entries.last().map(|entry| entry.number).filter(|last| *last > 1);
    let plans = app.shown_plans().into_iter().map(|plan| for_sale(plan, &standing)).collect();
    let Standing { plan, subscription, account, month, left, .. } = standing;
    let used = account.month;
    Ok(page::page(&Billing {
        month: month_text(month),
        used: page::number(used.credits()),
        bar: plan.answers.map(|most| (most.max(1), used.included.min(most.max(1)))),
        included: plan.answers.map(page::number),
        left: left.map(page::number),
        bought: signed(account.wallet.balance),
        counts: [
            ("phrased by a model", page::number(used.generated)),
            ("quoted", page::number(used.extractive)),
            ("given again", page::number(used.cached)),
        ],
        plan: plan.name,
        subscription: subscription.map(Subscription::from),
        plans,
        packs,
        rows: entries.into_iter().map(Row::from).collect(),
        older,
        first: before.is_none(),
        shell: Shell::new(&visitor, &place, "Billing"),
    }))
}

fn for_sale(plan: Plan, standing: &Standing) -> ForSale {
    ForSale {
        what: included(&plan),
        here: plan.id == standing.plan.id,
        for_sale: !plan.variant.is_empty(),
        id: plan.id,
        name: plan.name,
        price: plan.price,
    }
}

/// `1,000 answers a month`
pub fn included(plan: &Plan) -> String {
    match plan.answers {
        None => "answers without end".to_owned(),
        Some(0) => "bought answers only".to_owned(),
        Some(answers) => format!("{} answers a month", page::number(answers)),
    }
}

impl From<HeldSubscription> for Subscription {
    fn from(held: HeldSubscription) -> Self {
        Self {
            state: held.told.state.as_str(),
            renews: held.told.renews_at.map(page::moment),
            ends: held.told.ends_at.map(page::moment),
        }
    }
}

impl From<Entry> for Row {
    fn from(entry: Entry) -> Self {
        Self {
            time: page::moment(entry.at),
            machine_time: page::machine_time(entry.at),
            kind: match entry.kind {
                EntryKind::Grant => "given",
                EntryKind::Spend => "answer",
                EntryKind::Refund => "paid back",
                EntryKind::Adjust => "corrected",
            },
            plan: if entry.included == 0 { String::new() } else { page::number(entry.included) },
            bought: if entry.credits == 0 { String::new() } else { signed(entry.credits) },
            why: match entry.served {
                Some(served) => served.as_str().to_owned(),
                None => entry.reason,
            },
        }
    }
}

fn signed(credits: i64) -> String {
    let digits = page::number(credits.unsigned_abs());
    if credits < 0 { format!("−{digits}") } else { digits }
}

/// `GET /dashboard/{creator}/billing/ledger.csv`: the newest entries, oldest last.
pub async fn csv(State(app): State<AppState>, place: Place) -> Result<Response, Refusal> {
    app.offered()?;
    let entries = app.store().ledger(&place.creator.id, None, IN_FILE).await?;
    let mut text = "number,time,kind,bought_credits,plan_credits,month,served,message,reason\r\n".to_owned();
    for entry in &entries {
        let served = entry.served.map_or("", |served| served.as_str());
        let message = entry.message.as_ref().map_or("", |message| message.as_str());
        text.push_str(&format!(
            "{},{},{},{},{},{},{served},{message},{}\r\n",
            entry.number,
            page::machine_time(entry.at),
            entry.kind.as_str(),
            entry.credits,
            entry.included,
            month_text(entry.month),
            quoted(&entry.reason),
        ));
    }
    let name = format!("attachment; filename=\"{}-credits.csv\"", place.creator.id);
    let headers =
        [(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, text).into_response())
}

/// A field of RFC 4180. What a table program would take for a formula gets a mark before it.
fn quoted(text: &str) -> String {
    let mark = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    format!("\"{mark}{}\"", text.replace('"', "\"\""))
}

/// What to buy.
#[derive(Debug, Deserialize)]
pub struct Order {
    #[serde(default)]
    plan: Option<String>,
    #[serde(default)]
    pack: Option<String>,
}

/// A page with a link out.
#[derive(Template)]
#[template(path = "leaving.html", config = "assets/dashboard/askama.toml")]
struct Leaving {
    shell: Shell,
    title: &'static str,
    text: &'static str,
    label: &'static str,
    url: String,
}

/// `POST /dashboard/{creator}/billing/checkout`
pub async fn checkout(
    State(app): State<AppState>,
    visitor: Visitor,
    place: Place,
    headers: HeaderMap,
    Form(order): Form<Order>,
) -> Result<Response, Refusal> {
    app.offered()?;
    let wanted = wanted(order.plan, order.pack)?;
    let creator = &place.creator.id;
    let back = format!("{}/dashboard/{creator}/billing", widget::address(&app, &visitor, &headers));
    let url = app.checkout(creator, &wanted, back).await?;
    note(&app, creator, visitor.user.email.as_str(), &wanted, &visitor.address).await?;
    Ok(page::page(&Leaving {
        shell: Shell::new(&visitor, &place, "Billing"),
        title: "Go on to payment",
        text: "Lemon Squeezy sells this, asks for your card and sends the invoice. Nothing of that comes to this server but \
               what you bought.",
        label: "To Lemon Squeezy",
        url,
    }))
}

/// `POST /dashboard/{creator}/billing/portal`
pub async fn portal(
    State(app): State<AppState>,
    visitor: Visitor,
    place: Place,
) -> Result<Response, Refusal> {
    let url = app.portal(&place.creator.id).await?;
    Ok(page::page(&Leaving {
        shell: Shell::new(&visitor, &place, "Billing"),
        title: "Your subscription",
        text: "At Lemon Squeezy you change the card, find invoices, or end the subscription. The link works for a day.",
        label: "To your subscription",
        url,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_a_file_are_no_formulas() {
        for (text, expected) in [
            ("order 7", "\"order 7\""),
            ("=1+1", "\"'=1+1\""),
            ("a \"gift\", kept", "\"a \"\"gift\"\", kept\""),
        ] {
            assert_eq!(quoted(text), expected);
        }
        assert_eq!((signed(-1_500), signed(7)), ("−1,500".to_owned(), "7".to_owned()));
    }
}
