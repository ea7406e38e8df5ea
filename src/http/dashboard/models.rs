//! `/dashboard/{creator}/models`: the catalogue with what each model needs and whether it is here, which of them write this
//! assistant's answers and in which order, and one question through several of them.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::gate::{Place, Visitor};
use super::page::{self, Done, Refusal, Shell};
use crate::accounts::Action;
use crate::app::EXTRACTIVE;
use crate::app::chain::CREATOR_MODELS;
use crate::app::compare::MOST_MODELS;
use crate::app::shelf::{self, Shelved};
use crate::domain::Question;
use crate::http::AppState;
use crate::http::api::settings;
use crate::http::extract::{Form, Query};
use crate::problem::{Kind, Problem};

#[derive(Template)]
#[template(path = "models.html", config = "assets/dashboard/askama.toml")]
struct Models {
    shell: Shell,
    rows: Vec<Row>,
    memory: Option<String>,
    pulls: bool,
    /// One a line, as it is typed; empty is the server's.
    chain: String,
    usual: String,
    /// What can be asked here, and whether it was.
    offered: Vec<(String, bool)>,
    question: String,
    results: Vec<Tried>,
    fault: Option<String>,
    done: Option<&'static str>,
}

struct Row {
    model: Shelved,
    size: String,
    memory: String,
    /// More memory than there is.
    too_large: bool,
    under_way: bool,
}

/// What a model made of the question.
struct Tried {
    model: String,
    response: String,
    groundedness: String,
    took: String,
    failed: bool,
}

/// `GET /dashboard/{creator}/models`
pub async fn show(
    State(app): State<AppState>,
    visitor: Visitor,
    place: Place,
    Query(Done { done }): Query<Done<String>>,
) -> Result<Response, Refusal> {
    let done = match done.as_str() {
        "pull" => Some("It is being pulled; its line says how far it is."),
        "chain" => Some("Saved."),
        _ => None,
    };
    Ok(page::page(&Models { done, ..models(&app, &visitor, &place).await? }))
}

async fn models(app: &AppState, visitor: &Visitor, place: &Place) -> Result<Models, Problem> {
    let (shelf, memory) = (app.shelf().await?, shelf::memory_mb().await);
    let chosen = place.creator.settings.get(CREATOR_MODELS).and_then(Value::as_array).into_iter().flatten();
    let chosen: Vec<&str> = chosen.filter_map(Value::as_str).collect();
    let mut offered: Vec<String> = vec![EXTRACTIVE.to_owned()];
    let here = shelf.iter().filter(|model| model.kind == "chat" && model.state == "installed");
    let named = app.chain_names().iter().chain(&app.config().settings.answer.offered).cloned();
    for name in here.map(|model| model.name.clone()).chain(named) {
        if !offered.contains(&name) {
            offered.push(name);
        }
    }
    Ok(Models {
        rows: shelf.into_iter().map(|model| Row::of(model, memory)).collect(),
        memory: memory.map(|megabytes| page::size(megabytes * 1_000_000)),
        pulls: place.allows(Action::RunServer),
        chain: chosen.join("\n"),
        usual: app.chain_names().join(", "),
        offered: offered.into_iter().map(|name| (name, false)).collect(),
        question: String::new(),
        results: Vec::new(),
        fault: None,
        done: None,
        shell: Shell::new(visitor, place, "Models"),
    })
}

impl Row {
    fn of(model: Shelved, memory: Option<u64>) -> Self {
        Self {
            size: model.size.map(page::size).unwrap_or_default(),
            memory: page::size(model.memory_mb * 1_000_000),
            too_large: memory.is_some_and(|memory| memory < model.memory_mb),
            under_way: model.pull.as_ref().is_some_and(|pull| matches!(pull.state, "pulling" | "verifying")),
            model,
        }
    }
}

/// `GET /dashboard/{creator}/models/pulls`: for the page's script, which asks while something is being pulled.
pub async fn pulls(State(app): State<AppState>) -> Result<Response, Refusal> {
    Ok(axum::Json(app.shelf().await?).into_response())
}

/// The form of the models that write answers.
#[derive(Debug, Deserialize)]
pub struct Chain {
    #[serde(default)]
    chain: String,
}

/// `POST /dashboard/{creator}/models`
pub async fn choose(
    State(app): State<AppState>,
    visitor: Visitor,
    place: Place,
    Form(form): Form<Chain>,
) -> Result<Response, Refusal> {
    let names: Vec<&str> = form.chain.lines().map(str::trim).filter(|name| !name.is_empty()).collect();
    let value = if names.is_empty() { Value::Null } else { json!(names) };
    let changes = Map::from_iter([(CREATOR_MODELS.to_owned(), value)]);
    if let Err(problem) = settings::apply(&app, &place.creator.id, changes).await {
        if !matches!(problem.kind, Kind::Invalid | Kind::Forbidden) {
            return Err(problem.into());
        }
        let fault = Some(format!("{} {}", page::sentence(&problem.message), page::sentence(&problem.hint)));
        let again = Models { fault, chain: form.chain, ..models(&app, &visitor, &place).await? };
        return Ok(page::with_status(StatusCode::UNPROCESSABLE_ENTITY, &again));
    }
    visitor.note(&app, &place, "settings.models", &names.join(", ")).await?;
    Ok(Redirect::to(&format!("/dashboard/{}/models?done=chain", place.creator.id)).into_response())
}

/// The form that pulls one.
#[derive(Debug, Deserialize)]
pub struct Wanted {
    #[serde(default)]
    name: String,
}

/// `POST /dashboard/{creator}/models/pull`
pub async fn pull(
    State(app): State<AppState>,
    visitor: Visitor,
    place: Place,
    Form(Wanted { name }): Form<Wanted>,
) -> Result<Response, Refusal> {
    app.pull(&name)?;
    visitor.note(&app, &place, "server.pull", &name).await?;
    Ok(Redirect::to(&format!("/dashboard/{}/models?done=pull", place.creator.id)).into_response())
}

/// A question, and the models that it goes to: each is a field of its own, as a browser sends boxes that are ticked.
#[derive(Debug, Deserialize)]
pub struct Try {
    #[serde(default)]
    question: String,
    #[serde(flatten)]
    others: std::collections::HashMap<String, String>,
}

/// `POST /dashboard/{creator}/models/try`: nothing of it is kept.
pub async fn try_out(
    State(app): State<AppState>,
    visitor: Visitor,
    place: Place,
    Form(form): Form<Try>,
) -> Result<Response, Refusal> {
    let mut page = models(&app, &visitor, &place).await?;
    for (name, chosen) in &mut page.offered {
        *chosen = form.others.contains_key(name.as_str());
    }
    let chosen: Vec<String> =
        page.offered.iter().filter(|(_, chosen)| *chosen).map(|(name, _)| name.clone()).collect();
    page.question.clone_from(&form.question);
    match compared(&app, &place, &form.question, chosen).await {
        Ok(results) => {
            page.results = results;
            Ok(page::page(&page))
        }
        Err(problem) if matches!(problem.kind, Kind::Invalid | Kind::Busy(_)) => {
            page.fault = Some(page::sentence(&problem.message));
            Ok(page::with_status(crate::http::error::status(problem.kind), &page))
        }
        Err(problem) => Err(problem.into()),
    }
}

async fn compared(
    app: &AppState,
    place: &Place,
    question: &str,
    models: Vec<String>,
) -> Result<Vec<Tried>, Problem> {
    if models.is_empty() || models.len() > MOST_MODELS {
        let message = format!("choose one to {MOST_MODELS} models");
        return Err(Problem::new(Kind::Invalid, "invalid_models", message, "tick their boxes"));
    }
    let question = Question::parse(question, place.creator.id.clone())?;
    let compared = app.compare(question, models).await?;
    let tried = compared.into_iter().map(|one| {
        let took = format!("{:.0} ms", one.took_ms);
        match one.outcome {
            Ok(answer) => Tried {
                model: one.model,
                groundedness: format!("groundedness {:.0} %", answer.groundedness * 100.0),
                response: answer.response,
                took,
                failed: false,
            },
            Err(problem) => Tried {
                model: one.model,
                response: format!("{} {}", page::sentence(&problem.message), page::sentence(&problem.hint)),
                groundedness: String::new(),
                took,
                failed: true,
            },
        }
    });
    Ok(tried.collect())
}
