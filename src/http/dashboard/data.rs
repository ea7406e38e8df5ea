//! `/dashboard/{creator}/data`: where everything lies on this machine, and what leaves it.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::gate::{Place, Visitor};
use super::page::{self, Refusal, Shell};
use crate::app::doctor::{self, State as Found};
use crate::http::AppState;

#[derive(Template)]
#[template(path = "data.html", config = "assets/dashboard/askama.toml")]
struct Data {
    shell: Shell,
    directory: String,
    total: String,
    rows: Vec<Row>,
    /// What leaves this machine, in plain words.
    leaves: String,
    /// Nothing does.
    stays: bool,
    models: Vec<String>,
    embedding: String,
}

struct Row {
    what: &'static str,
    path: String,
    size: String,
}

/// `GET /dashboard/{creator}/data`
pub async fn show(State(app): State<AppState>, visitor: Visitor, place: Place) -> Result<Response, Refusal> {
    let places = app.places().await?;
    let privacy = doctor::privacy(app.config());
    let embedding = place.creator.embedding.as_ref().map(|model| model.name.clone());
    Ok(page::page(&Data {
        directory: app.config().data_dir.display().to_string(),
        total: page::size(places.iter().map(|place| place.bytes).sum()),
        rows: places
            .into_iter()
            .map(|place| Row {
                what: place.what,
                path: place.path.display().to_string(),
                size: page::size(place.bytes),
            })
            .collect(),
        leaves: page::sentence(&privacy.found),
        stays: privacy.state == Found::Good,
        models: app.chain_names().to_vec(),
        embedding: embedding.unwrap_or_else(|| app.config().settings.models.embedding.clone()),
        shell: Shell::new(&visitor, &place, "Where your data is"),
    }))
}
