//! `/dashboard/{creator}/widget`: the line to paste, who may ask, and the keys of programs.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::gate::{Place, Visitor};
use super::page::{self, Done, Refusal, Shell};
use crate::accounts::{Action, may};
use crate::http::AppState;
use crate::http::api::settings;
use crate::http::extract::{Form, Path, Query};
use crate::problem::{Kind, Problem};

/// Under this name the list stands among a creator's settings.
const ORIGINS: &str = "allowed_origins";

#[derive(Template)]
#[template(path = "widget.html", config = "assets/dashboard/askama.toml")]
struct Widget {
    shell: Shell,
    snippet: String,
    inline: String,
    /// The chat as a whole page.
    whole: String,
    voice: bool,
    /// One a line, as it is typed.
    origins: String,
    changes_origins: bool,
    manages_keys: bool,
    keys: Vec<Key>,
    /// A key that was made just now, shown this once.
    made: Option<String>,
    fault: Option<String>,
    done: bool,
}

struct Key {
    id: String,
    name: String,
    time: String,
    machine_time: String,
}

/// `GET /dashboard/{creator}/widget`
pub async fn show(
    State(app): State<AppState>,
    visitor: Visitor,
    place: Place,
    headers: HeaderMap,
    Query(Done { done }): Query<Done<bool>>,
) -> Result<Response, Refusal> {
    let widget = Widget { done, ..widget(&app, &visitor, &place, &headers).await? };
    Ok(page::page(&widget))
}

async fn widget(
    app: &AppState,
    visitor: &Visitor,
    place: &Place,
    headers: &HeaderMap,
) -> Result<Widget, Problem> {
    let id = &place.creator.id;
    let base = address(app, visitor, headers);
    let manages_keys = may(place.role, Action::ManageKeys);
    let keys = if manages_keys { app.store().keys(Some(id)).await? } else { Vec::new() };
    let origins = place.creator.settings.get(ORIGINS).and_then(Value::as_array);
    let origins = origins.into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>().join("\n");
    Ok(Widget {
        snippet: format!("<script async src=\"{base}/embed.js\" data-creator-id=\"{id}\"></script>"),
        inline: format!(
            "<neverafk-chat creator-id=\"{id}\"></neverafk-chat>\n<script async src=\"{base}/embed.js\"></script>"
        ),
        whole: format!("{base}/c/{id}"),
        voice: may(place.role, Action::ChangeVoice),
        origins,
        changes_origins: may(place.role, Action::ChangeOrigins),
        manages_keys,
        keys: keys
            .into_iter()
            .map(|key| Key {
                id: key.id,
                name: if key.name.is_empty() { "without a name".to_owned() } else { key.name },
                time: page::moment(key.created_at),
                machine_time: page::machine_time(key.created_at),
            })
            .collect(),
        made: None,
        fault: None,
        done: false,
        shell: Shell::new(visitor, place, "Keys & widget"),
    })
}

/// Where students' browsers find this server: by the settings, else as the visitor did.
pub fn address(app: &AppState, visitor: &Visitor, headers: &HeaderMap) -> String {
    let public = &app.config().settings.server.public_url;
    if !public.is_empty() {
        return public.trim_end_matches('/').to_owned();
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.map_or_else(|| app.config().listen.to_string(), str::to_owned);
    format!("{}://{host}", if visitor.https { "https" } else { "http" })
}

/// The form with the origins.
#[derive(Debug, Deserialize)]
pub struct Origins {
    #[serde(default)]
    origins: String,
}

/// `POST /dashboard/{creator}/origins`
pub async fn set_origins(
    State(app): State<AppState>,
    visitor: Visitor,
    place: Place,
    headers: HeaderMap,
    Form(form): Form<Origins>,
) -> Result<Response, Refusal> {
    let list: Vec<&str> = form
        .origins
        .lines()
        .map(|line| line.trim().trim_end_matches('/'))
        .filter(|line| !line.is_empty())
        .collect();
    let value = json!(list);
    if let Err(problem) = settings::origins(&value) {
        let again = Widget {
            fault: Some(page::sentence(&problem.message)),
            origins: form.origins,
            ..widget(&app, &visitor, &place, &headers).await?
        };
        return Ok(page::with_status(StatusCode::UNPROCESSABLE_ENTITY, &again));
    }
    let mut settings = match place.creator.settings.clone() {
        Value::Object(settings) => settings,
        _ => Map::new(),
    };
    settings.insert(ORIGINS.to_owned(), value);
    app.store().update_creator(&place.creator.id, None, Some(Value::Object(settings))).await?;
    visitor.note(&app, &place, "settings.origins", &list.join(", ")).await?;
    Ok(Redirect::to(&format!("/dashboard/{}/widget?done=true", place.creator.id)).into_response())
}

/// The form for a key.
#[derive(Debug, Deserialize)]
pub struct NewKey {
    #[serde(default)]
    name: String,
}

/// `POST /dashboard/{creator}/keys`: the page that answers is the only one that shows the key.
pub async fn add_key(
    State(app): State<AppState>,
    visitor: Visitor,
    place: Place,
    headers: HeaderMap,
    Form(form): Form<NewKey>,
) -> Result<Response, Refusal> {
    let name: String = form.name.trim().chars().filter(|c| !c.is_control()).take(100).collect();
    let (record, key) = app.create_key(&place.creator.id, name).await?;
    visitor.note(&app, &place, "key.created", &format!("{} {}", record.id, record.name)).await?;
    let page = Widget { made: Some(key), ..widget(&app, &visitor, &place, &headers).await? };
    Ok(page::page(&page))
}

/// `POST /dashboard/{creator}/keys/{key}/revoke`
pub async fn revoke_key(
    State(app): State<AppState>,
    visitor: Visitor,
    place: Place,
    Path((_, id)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    let own = app.store().keys(Some(&place.creator.id)).await?.into_iter().any(|key| key.id == id);
    if !own || !app.store().revoke_key(&id).await? {
        return Err(Problem::new(
            Kind::Missing,
            "unknown_key",
            "there is no such key",
            "it may be revoked already; look at the list",
        )
        .into());
    }
    visitor.note(&app, &place, "key.revoked", &id).await?;
    Ok(Redirect::to(&format!("/dashboard/{}/widget?done=true", place.creator.id)).into_response())
}
