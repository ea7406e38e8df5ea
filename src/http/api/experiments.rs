//! `/api/v1/experiments`: variants of a creator's settings that are tried on students, and what they did. Needs the
//! creator's key. What is checked and done here is what the dashboard does too.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::settings;
use crate::domain::{CreatorId, Experiment, ExperimentId, Timestamp, Variant};
use crate::events::rfc3339;
use crate::http::AppState;
use crate::http::auth::Principal;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::{Json, Path};
use crate::insights::Trial;
use crate::problem::{Kind, Problem};

/// Experiments that are kept of a creator.
const MOST: usize = 100;

/// What to try.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct NewExperiment {
    #[schema(min_length = 1, max_length = 80)]
    pub name: String,
    /// 2 to 5; the others are compared with the first.
    pub variants: Vec<NewVariant>,
    /// RFC 3339; now when absent.
    #[serde(default)]
    pub starts_at: Option<String>,
}

/// Settings to try.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct NewVariant {
    #[schema(min_length = 1, max_length = 80)]
    pub name: String,
    /// How many students get it, beside the weights of the others: 1 to 1000.
    #[serde(default = "one")]
    pub weight: u32,
    /// Changes of the creator's settings: `models` (an empty list quotes only), `answer`, and the assistant's phrases. None
    /// leaves them as they are.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub settings: Map<String, Value>,
}

fn one() -> u32 {
    1
}

/// Which variant becomes the setting.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct Use {
    /// By its name.
    pub variant: String,
}

/// The experiments of a creator.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Experiments {
    /// Newest first.
    pub experiments: Vec<ExperimentBody>,
}

/// An experiment.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ExperimentBody {
    pub id: String,
    pub name: String,
    /// `waiting`, `running` or `stopped`.
    pub state: &'static str,
    pub variants: Vec<VariantBody>,
    /// RFC 3339.
    pub created_at: String,
    pub starts_at: String,
    pub stopped_at: Option<String>,
    /// The variant that was taken for the settings.
    pub used: Option<String>,
}

/// A variant.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct VariantBody {
    pub name: String,
    pub weight: u32,
    #[schema(value_type = Object)]
    pub settings: Map<String, Value>,
}

/// An experiment with what its variants did.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ExperimentResult {
    pub experiment: ExperimentBody,
    pub results: Trial,
}

/// `waiting`, `running` or `stopped`.
pub fn state(experiment: &Experiment, now: Timestamp) -> &'static str {
    match experiment.stopped_at {
        Some(_) => "stopped",
        None if experiment.runs(now) => "running",
        None => "waiting",
    }
}

impl From<Experiment> for ExperimentBody {
    fn from(experiment: Experiment) -> Self {
        let variant = |variant: Variant| VariantBody {
            name: variant.name,
            weight: variant.weight,
            settings: variant.settings,
        };
        Self {
            id: experiment.id.to_string(),
            state: state(&experiment, crate::app::now()),
            name: experiment.name,
            variants: experiment.variants.into_iter().map(variant).collect(),
            created_at: rfc3339(experiment.created_at),
            starts_at: rfc3339(experiment.starts_at),
            stopped_at: experiment.stopped_at.map(rfc3339),
            used: experiment.used,
        }
    }
}

/// Lists the experiments of the key's creator.
#[utoipa::path(get, path = "/api/v1/experiments", operation_id = "listExperiments", tag = "experiments", security(("key" = [])),
    responses((status = 200, body = Experiments), (status = "default", description = "refused", body = ErrorBody)))]
pub async fn list(
    State(app): State<AppState>,
    principal: Principal,
) -> Result<axum::Json<Experiments>, ApiError> {
    let all = app.store().experiments(&principal.creator).await?;
    let experiments = all.into_iter().rev().map(ExperimentBody::from).collect();
    Ok(axum::Json(Experiments { experiments }))
}

/// Begins an experiment. Each student gets one variant, always the same.
#[utoipa::path(post, path = "/api/v1/experiments", operation_id = "addExperiment", tag = "experiments", security(("key" = [])), request_body = NewExperiment,
    responses((status = 201, body = ExperimentBody), (status = 409, description = "another one is not stopped", body = ErrorBody),
    (status = 422, description = "the request is wrong, and why", body = ErrorBody), (status = "default", description = "refused", body = ErrorBody)))]
pub async fn add(
    State(app): State<AppState>,
    principal: Principal,
    Json(new): Json<NewExperiment>,
) -> Result<(StatusCode, axum::Json<ExperimentBody>), ApiError> {
    let experiment = made(&app, &principal.creator, new).await?;
    Ok((StatusCode::CREATED, axum::Json(experiment.into())))
}

/// Shows an experiment with what its variants did.
#[utoipa::path(get, path = "/api/v1/experiments/{id}", operation_id = "showExperiment", tag = "experiments", params(("id" = String, Path)), security(("key" = [])),
    responses((status = 200, body = ExperimentResult), (status = 404, description = "not there, or another creator's", body = ErrorBody),
    (status = "default", description = "refused", body = ErrorBody)))]
pub async fn show(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<axum::Json<ExperimentResult>, ApiError> {
    let found = app.trial(&principal.creator, &id.parse()?).await?;
    let (experiment, results) = found.ok_or_else(|| unknown(&id))?;
    Ok(axum::Json(ExperimentResult { experiment: experiment.into(), results }))
}

/// Stops an experiment: every student gets what the settings say.
#[utoipa::path(post, path = "/api/v1/experiments/{id}/stop", operation_id = "stopExperiment", tag = "experiments", params(("id" = String, Path)), security(("key" = [])),
    responses((status = 200, body = ExperimentBody), (status = 404, description = "not there, or another creator's", body = ErrorBody),
    (status = "default", description = "refused", body = ErrorBody)))]
pub async fn stop(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<axum::Json<ExperimentBody>, ApiError> {
    Ok(axum::Json(stopped(&app, &principal.creator, &id).await?.into()))
}

/// Stops an experiment and takes one of its variants for the settings.
#[utoipa::path(post, path = "/api/v1/experiments/{id}/use", operation_id = "useVariant", tag = "experiments", params(("id" = String, Path)), security(("key" = [])),
    request_body = Use, responses((status = 200, body = ExperimentBody), (status = 404, description = "no such experiment or variant", body = ErrorBody),
    (status = "default", description = "refused", body = ErrorBody)))]
pub async fn use_variant(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<String>,
    Json(Use { variant }): Json<Use>,
) -> Result<axum::Json<ExperimentBody>, ApiError> {
    Ok(axum::Json(used(&app, &principal.creator, &id, &variant).await?.into()))
}

/// Forgets an experiment. What students asked and were answered stays.
#[utoipa::path(delete, path = "/api/v1/experiments/{id}", operation_id = "removeExperiment", tag = "experiments", params(("id" = String, Path)), security(("key" = [])),
    responses((status = 204), (status = 404, description = "not there, or another creator's", body = ErrorBody),
    (status = "default", description = "refused", body = ErrorBody)))]
pub async fn remove(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    match app.store().remove_experiment(&principal.creator, &id.parse()?).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(unknown(&id).into()),
    }
}

/// Checks an experiment and keeps it.
pub async fn made(app: &AppState, creator: &CreatorId, new: NewExperiment) -> Result<Experiment, Problem> {
    let now = crate::app::now();
    let starts_at = match new.starts_at.as_deref() {
        None => now,
        Some(text) => moment(text)?,
    };
    let variant = |new: NewVariant| Variant {
        name: new.name.trim().to_owned(),
        weight: new.weight,
        settings: new.settings,
    };
    let experiment = Experiment {
        id: ExperimentId::from_bytes(crate::app::random()?),
        creator: creator.clone(),
        name: new.name.trim().to_owned(),
        variants: new.variants.into_iter().map(variant).collect(),
        created_at: now,
        starts_at,
        stopped_at: None,
        used: None,
    };
    experiment.check().map_err(|error| wrong(error.to_string()))?;
    for variant in &experiment.variants {
        settings::check_variant(app, &variant.settings)?;
    }
    if app.store().experiments(creator).await?.len() >= MOST {
        return Err(Problem::new(
            Kind::Conflict,
            "too_many_experiments",
            format!("there are {MOST} experiments already"),
            "remove one whose results are not needed any more",
        ));
    }
    if app.store().add_experiment(experiment.clone()).await? {
        return Ok(experiment);
    }
    Err(Problem::new(
        Kind::Conflict,
        "experiment_running",
        "another experiment is not stopped, and two at once would change each other's results",
        "stop that one first",
    ))
}

/// Stops it, unless it is stopped already.
pub async fn stopped(app: &AppState, creator: &CreatorId, id: &str) -> Result<Experiment, Problem> {
    let now = crate::app::now();
    let stop = move |experiment: &mut Experiment| {
        experiment.stopped_at.get_or_insert(now);
    };
    app.store().change_experiment(creator, &id.parse()?, stop).await?.ok_or_else(|| unknown(id))
}

/// Stops it and takes a variant for the settings.
pub async fn used(
    app: &AppState,
    creator: &CreatorId,
    id: &str,
    variant: &str,
) -> Result<Experiment, Problem> {
    let known: ExperimentId = id.parse()?;
    let all = app.store().experiments(creator).await?;
    let experiment = all.into_iter().find(|experiment| experiment.id == known).ok_or_else(|| unknown(id))?;
    let chosen = experiment.variants.into_iter().find(|known| known.name == variant);
    let Some(chosen) = chosen else {
        return Err(Problem::new(
            Kind::Missing,
            "unknown_variant",
            "the experiment has no variant of this name",
            "name one as it stands in the experiment",
        ));
    };
    settings::apply(app, creator, chosen.settings).await?;
    let now = crate::app::now();
    let name = chosen.name;
    let take = move |experiment: &mut Experiment| {
        experiment.stopped_at.get_or_insert(now);
        experiment.used = Some(name.clone());
    };
    app.store().change_experiment(creator, &known, take).await?.ok_or_else(|| unknown(id))
}

fn moment(text: &str) -> Result<Timestamp, Problem> {
    let time: jiff::Timestamp =
        text.parse().map_err(|_| wrong("`starts_at` is not a time such as 2026-11-23T18:00:00Z".into()))?;
    Ok(Timestamp(u64::try_from(time.as_millisecond()).unwrap_or(0)))
}

fn wrong(message: String) -> Problem {
    Problem::new(Kind::Invalid, "invalid_experiment", message, "see `/docs` for what an experiment is")
}

fn unknown(id: &str) -> Problem {
    Problem::new(
        Kind::Missing,
        "unknown_experiment",
        format!("there is no experiment `{}`", id.chars().take(64).collect::<String>()),
        "`GET /api/v1/experiments` lists those there are",
    )
}
