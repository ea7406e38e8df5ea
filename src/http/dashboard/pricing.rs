//! `GET /pricing`: the plans, for everybody; there is no such page where answers have no price.

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use super::{billing, page};
use crate::http::AppState;

#[derive(Template)]
#[template(path = "pricing.html", config = "assets/dashboard/askama.toml")]
struct Pricing {
    plans: Vec<Row>,
    packs: Vec<Row>,
    /// An answer that was given before costs nothing.
    again_free: bool,
}

struct Row {
    name: String,
    what: String,
    price: String,
}

/// `GET /pricing`
pub async fn show(State(app): State<AppState>, headers: HeaderMap) -> Response {
    let Some(offer) = app.offer() else { return crate::http::missing(headers).await };
    let plans = app.shown_plans().into_iter();
    let packs = offer.packs.iter().filter(|pack| !pack.variant.is_empty());
    page::page(&Pricing {
        plans: plans
            .map(|plan| Row { what: billing::included(&plan), name: plan.name, price: plan.price })
            .collect(),
        packs: packs
            .map(|pack| Row {
                name: pack.name.clone(),
                what: format!("{} answers that stay until they are used", page::number(pack.credits)),
                price: pack.price.clone(),
            })
            .collect(),
        again_free: offer.tariff.cached == 0,
    })
}
