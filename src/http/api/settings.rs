//! `/api/v1/settings`: what a creator chose for their own assistant. Needs the creator's key.

use axum::extract::State;
use serde_json::{Map, Value};

use super::brand::{BRAND, Brand};
use super::document_view::access::{self, Level};
use crate::answer::route::{Agent, nearest};
use crate::answer::tuned::{self, Tuned};
use crate::answer::{lessons, phrases, policy};
use crate::app::chain::{CREATOR_MODELS, CREATOR_TOKENS};
use crate::domain::privacy::PRIVACY;
use crate::domain::{CreatorId, Privacy};
use crate::http::AppState;
use crate::http::auth::Principal;
use crate::http::error::ApiError;
use crate::http::extract::Json;
use crate::problem::{Kind, Problem};

/// What a creator can choose. What was never chosen is absent.
#[derive(Debug, utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the settings for /openapi.json; a change is checked name by name")]
pub struct CreatorSettings {
    /// Pages that may ask, as `https://school.example`: scheme, host and port, nothing behind. Empty, `null` or absent
    /// lets every page ask.
    #[schema(nullable)]
    allowed_origins: Option<Vec<String>>,
    /// Examples of turns for an agent: `{"policy": ["Is the studio open on Sundays?"]}`. Agents are `course`, `policy`,
    /// `progress`, `escalation`, `small_talk` and `not_ours`; at most 64 examples count.
    #[schema(nullable, value_type = Option<std::collections::HashMap<String, Vec<String>>>)]
    routes: Option<Value>,
    /// Documents that are policies beside those that their folder or title tells: beginnings of sources, titles or ids.
    #[schema(nullable)]
    policies: Option<Vec<String>>,
    /// The lessons in the order of the course, by title, id or name of the file, for what a student is told of their
    /// progress; without it the order of the sources counts.
    #[schema(nullable)]
    lessons: Option<Vec<String>>,
    /// Said when the content does not hold the answer; one text, or texts by language. The other phrases of the assistant
    /// are set in the same way, by the names in `assets/phrases.toml`.
    #[schema(nullable, value_type = Option<Object>)]
    decline: Option<Value>,
    /// How the assistant is called and looks in widgets and on its full page.
    #[schema(nullable)]
    brand: Option<Brand>,
    /// How to answer, beside what the server has: `threshold`, `max_sentences` and `passages`.
    #[schema(nullable)]
    answer: Option<Tuned>,
    /// For how long what students say is kept, and what they are told of it.
    #[schema(nullable)]
    privacy: Option<Privacy>,
    /// How sure the guard must be to refuse a question, 0 to 1; `false` for no guard. Absent: as the server has it.
    #[schema(nullable, value_type = Option<f64>)]
    guard: Option<Value>,
    /// Replies that people send to students again and again, offered in the inbox.
    #[schema(nullable)]
    canned_replies: Option<Vec<String>>,
    /// How much of a document the address of a citation opens: `quote` (absent means this) shows the quotation with
    /// what stands around it, `text` all of the text, `original` the file too.
    viewer: Option<Level>,
}

/// Shows the settings of the key's creator.
#[utoipa::path(get, path = "/api/v1/settings", operation_id = "showSettings", tag = "settings", security(("key" = [])),
    responses((status = 200, body = CreatorSettings), (status = 401, description = "no key, or one that is not known", body = crate::http::error::ErrorBody),
    (status = "default", description = "refused", body = crate::http::error::ErrorBody)))]
pub async fn show(State(app): State<AppState>, principal: Principal) -> Result<axum::Json<Value>, ApiError> {
    Ok(axum::Json(app.store().creator(&principal.creator).await?.settings))
}

/// Changes the settings named in the body and leaves the rest; `null` takes one back.
#[utoipa::path(patch, path = "/api/v1/settings", operation_id = "changeSettings", tag = "settings", security(("key" = [])), request_body = CreatorSettings,
    responses((status = 200, body = CreatorSettings), (status = 422, description = "the request is wrong, and why", body = crate::http::error::ErrorBody),
    (status = "default", description = "refused", body = crate::http::error::ErrorBody)))]
pub async fn change(
    State(app): State<AppState>,
    principal: Principal,
    Json(changes): Json<Map<String, Value>>,
) -> Result<axum::Json<Value>, ApiError> {
    Ok(axum::Json(apply(&app, &principal.creator, changes).await?))
}

/// Checks the changes and keeps them with what was chosen before; gives all that is chosen now.
pub async fn apply(
    app: &AppState,
    creator: &CreatorId,
    changes: Map<String, Value>,
) -> Result<Value, Problem> {
    let mut settings = match app.store().creator(creator).await?.settings {
        Value::Object(settings) => settings,
        _ => Map::new(),
    };
    for (name, value) in changes {
        match (name.as_str(), &value) {
            (_, Value::Null) => {
                settings.remove(&name);
                continue;
            }
            ("allowed_origins", value) => origins(value)?,
            (access::SETTING, value) if value.as_str().and_then(Level::named).is_some() => {}
            (access::SETTING, _) => {
                return Err(wrong("`viewer` is \"quote\", \"text\" or \"original\"".into()));
            }
            (CREATOR_MODELS, value) => models(app, value)?,
            (CREATOR_TOKENS, value) if value.is_u64() => {}
            (CREATOR_TOKENS, _) => {
                return Err(wrong(format!("`{CREATOR_TOKENS}` is a whole number of tokens")));
            }
            (nearest::SETTING, value) => routes(value)?,
            (name @ (policy::SETTING | lessons::SETTING), value) => drop(texts(name, value)?),
            (key, value) if phrases::KEYS.contains(&key) => phrase(key, value)?,
            (BRAND, value) => drop(Brand::parse(value).map_err(wrong)?),
            (PRIVACY, value) => drop(Privacy::parse(value).map_err(wrong)?),
            ("guard", value) => guard(value)?,
            (tuned::SETTING, value) => drop(Tuned::parse(value).map_err(wrong)?),
            (REPLIES, value) => drop(list(REPLIES, value, MOST_REPLIES, MOST_PHRASE)?),
            _ => return Err(wrong(format!("there is no setting `{name}`"))),
        }
        settings.insert(name, value);
    }
    let settings = Value::Object(settings);
    app.store().update_creator(creator, None, Some(settings.clone())).await?;
    Ok(settings)
}

/// Checks what a variant of an experiment changes: which models answer, how, and with which phrases. The rest of the settings
/// is no matter of which answers are better.
pub fn check_variant(app: &AppState, changes: &Map<String, Value>) -> Result<(), Problem> {
    for (name, value) in changes {
        match (name.as_str(), value) {
            (name, Value::Null)
                if name == CREATOR_MODELS || name == tuned::SETTING || phrases::KEYS.contains(&name) => {}
            (CREATOR_MODELS, value) => models(app, value)?,
            (tuned::SETTING, value) => drop(Tuned::parse(value).map_err(wrong)?),
            (key, value) if phrases::KEYS.contains(&key) => phrase(key, value)?,
            _ => return Err(wrong(format!("a variant cannot change `{name}`"))),
        }
    }
    Ok(())
}

/// How sure the guard must be to refuse a question, or `false` for no guard.
fn guard(value: &Value) -> Result<(), Problem> {
    let number = value.as_f64().is_some_and(|number| (0.0..=1.0).contains(&number));
    if number || value.is_boolean() {
        return Ok(());
    }
    Err(wrong("`guard` is a number from 0 to 1, or true or false".into()))
}

/// Under this name stand the replies that people of the creator's team send to students again and again.
pub const REPLIES: &str = "canned_replies";

/// Origins as browsers send them: scheme, host, perhaps a port, nothing behind.
pub fn origins(value: &Value) -> Result<(), Problem> {
    let list = value.as_array().ok_or_else(|| wrong("`allowed_origins` is a list of origins".into()))?;
    for origin in list {
        let text = origin.as_str().unwrap_or_default();
        let exact = url::Url::parse(text).is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https") && url.origin().ascii_serialization() == text
        });
        if !exact {
            return Err(wrong(format!("`{origin}` is not an origin such as \"https://school.example\"")));
        }
    }
    Ok(())
}

/// Names of models in the order in which they are tried; an empty list quotes only.
fn models(app: &AppState, value: &Value) -> Result<(), Problem> {
    let list = value.as_array().filter(|list| list.len() <= MOST_MODELS);
    let list =
        list.ok_or_else(|| wrong(format!("`{CREATOR_MODELS}` is a list of at most {MOST_MODELS} names")))?;
    for name in list {
        let name = name.as_str().ok_or_else(|| wrong(format!("`{name}` is not the name of a model")))?;
        app.check_offered(name)?;
    }
    Ok(())
}

/// Examples of turns by agent.
fn routes(value: &Value) -> Result<(), Problem> {
    let agents = value.as_object();
    let agents = agents.ok_or_else(|| wrong(format!("`{}` is lists of texts by agent", nearest::SETTING)))?;
    let mut count = 0;
    for (agent, examples) in agents {
        Agent::of_name(agent).ok_or_else(|| wrong(format!("there is no agent `{agent}`")))?;
        count += texts(agent, examples)?.len();
    }
    if count > nearest::MOST_EXAMPLES {
        return Err(wrong(format!("at most {} examples are compared with", nearest::MOST_EXAMPLES)));
    }
    Ok(())
}

/// A list of short texts.
fn texts<'a>(name: &str, value: &'a Value) -> Result<&'a Vec<Value>, Problem> {
    list(name, value, MOST_TEXTS, nearest::MOST_CHARS)
}

/// A list of at most so many texts of at most so many characters.
fn list<'a>(name: &str, value: &'a Value, most: usize, chars: usize) -> Result<&'a Vec<Value>, Problem> {
    let is_text =
        |text: &Value| text.as_str().is_some_and(|text| (1..=chars).contains(&text.chars().count()));
    let list = value.as_array().filter(|list| list.len() <= most && list.iter().all(is_text));
    list.ok_or_else(|| {
        wrong(format!("`{name}` is a list of at most {most} texts of 1 to {chars} characters"))
    })
}

/// A phrase of the assistant: one text, or texts by language.
fn phrase(name: &str, value: &Value) -> Result<(), Problem> {
    let is_text = |text: &Value| text.as_str().is_some_and(|text| text.chars().count() <= MOST_PHRASE);
    match value {
        Value::Object(texts) if texts.values().all(is_text) => Ok(()),
        text if is_text(text) => Ok(()),
        _ => Err(wrong(format!(
            "`{name}` is a text of at most {MOST_PHRASE} characters, or texts by language"
        ))),
    }
}

const MOST_TEXTS: usize = 200;
const MOST_REPLIES: usize = 50;
const MOST_PHRASE: usize = 2_000;

/// A longer chain would use its time up before it comes to its end.
const MOST_MODELS: usize = 8;

fn wrong(message: String) -> Problem {
    Problem::new(Kind::Invalid, "invalid_setting", message, "see `/docs` for the settings of a creator")
}
