//! `GET /c/{creator}` and `GET /demo`: the chat as a whole page, for a link in a mail or a place that takes an address and
//! no script. It wears the creator's brand, and may stand in the pages that the creator allows to ask.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::api::brand::Brand;
use super::extract::Path;
use super::{AppState, assets};
use crate::domain::CreatorId;
use crate::problem::Problem;
use crate::store::{Creator, StoreError};

/// The creator that `neverafk demo` makes.
const DEMO: &str = "demo";

#[derive(Template)]
#[template(path = "talk.html", config = "assets/dashboard/askama.toml")]
struct Talk {
    slug: String,
    title: String,
    attributes: Vec<(&'static str, String)>,
    demo: bool,
}

/// `GET /demo`
pub async fn demo(State(app): State<AppState>) -> Result<Response, super::error::ApiError> {
    shown(&app, DEMO).await
}

/// `GET /c/{creator}`
pub async fn show(
    State(app): State<AppState>,
    Path(creator): Path<String>,
) -> Result<Response, super::error::ApiError> {
    shown(&app, &creator).await
}

async fn shown(app: &AppState, slug: &str) -> Result<Response, super::error::ApiError> {
    let Ok(id) = slug.parse::<CreatorId>() else { return Ok(assets::missing_page()) };
    let creator = match app.store().creator(&id).await {
        Ok(creator) => creator,
        Err(StoreError::NoCreator(_)) => return Ok(assets::missing_page()),
        Err(error) => return Err(error.into()),
    };
    let brand = Brand::of(&creator);
    let page = Talk {
        title: if brand.title.is_empty() { creator.name.clone() } else { brand.title.clone() },
        // The page has one place for the chat, and no corner.
        attributes: brand.attributes().into_iter().filter(|(name, _)| *name != "position").collect(),
        demo: slug == DEMO,
        slug: slug.to_owned(),
    };
    let html = page.render().map_err(Problem::internal)?;
    let kind = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
    let mut response = (StatusCode::OK, kind, html).into_response();
    let policy = HeaderValue::from_str(&policy(&creator, &brand)).map_err(Problem::internal)?;
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    Ok(response)
}

/// As for our other pages, but for the picture, and for who may show the page within their own.
fn policy(creator: &Creator, brand: &Brand) -> String {
    let picture =
        url::Url::parse(&brand.avatar).map(|url| format!(" {}", url.origin().ascii_serialization()));
    let allowed = creator.settings.get("allowed_origins").and_then(Value::as_array).into_iter().flatten();
    let allowed: Vec<&str> = allowed.filter_map(Value::as_str).collect();
    let ancestors = if allowed.is_empty() { "*".to_owned() } else { format!("'self' {}", allowed.join(" ")) };
    format!(
        "default-src 'self'; img-src 'self'{}; base-uri 'none'; form-action 'self'; frame-ancestors {ancestors}; \
         object-src 'none'",
        picture.unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::Timestamp;

    #[test]
    fn who_may_ask_may_show_the_page() {
        let check = |settings: Value, parts: &[&str]| {
            let creator = Creator { settings, ..Creator::new("course".parse().unwrap(), Timestamp(0)) };
            let policy = policy(&creator, &Brand::of(&creator));
            for part in parts {
                assert!(policy.contains(part), "{part} in {policy}");
            }
        };
        check(json!({}), &["frame-ancestors *;", "img-src 'self';"]);
        check(
            json!({"allowed_origins": ["https://school.example"],
                   "brand": {"avatar": "https://cdn.example/a/face.png"}}),
            &["frame-ancestors 'self' https://school.example;", "img-src 'self' https://cdn.example;"],
        );
    }
}
