//! `/dashboard/{creator}/experiments`: variants of the settings that are tried on students, and whether they differ. The form
//! makes two variants, the settings as they are and others; the API takes more.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::gate::{Place, Visitor};
use super::insights::{money, share, took};
use super::page::{self, Done, Refusal, Shell};
use crate::accounts::Action;
use crate::answer::tuned;
use crate::app::chain::CREATOR_MODELS;
use crate::app::{EXTRACTIVE, now};
use crate::domain::{CreatorId, Experiment, ExperimentId};
use crate::http::AppState;
use crate::http::api::experiments::{self, NewExperiment, NewVariant};
use crate::http::extract::{Form, Path, Query};
use crate::insights::{Compared, Likely, Trial, VariantResult};
use crate::problem::{Kind, Problem};

/// Experiments whose results are shown; each one reads the turns since its start.
const SHOWN: usize = 5;

#[derive(Template)]
#[template(path = "experiments.html", config = "assets/dashboard/askama.toml")]
struct Page {
    shell: Shell,
    shown: Vec<Shown>,
    /// Names of models that may be chosen.
    offered: Vec<String>,
    may_change: bool,
    /// One is not stopped, so no other can begin.
    busy: bool,
    typed: New,
    fault: Option<String>,
    done: Option<&'static str>,
}

struct Shown {
    id: String,
    name: String,
    state: &'static str,
    from: String,
    until: String,
    used: Option<String>,
    sentence: String,
    rows: Vec<Row>,
    told: Vec<Told>,
}

struct Row {
    variant: String,
    changes: String,
    students: String,
    asked: String,
    helpful: String,
    groundedness: String,
    escalated: String,
    declined: String,
    cost: String,
    median: String,
}

struct Told {
    variant: String,
    measure: String,
    first: String,
    other: String,
    p: String,
    verdict: &'static str,
}

/// The form of a new one.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct New {
    name: String,
    variant: String,
    /// Of a hundred students.
    share: String,
    model: String,
    threshold: String,
    max_sentences: String,
    passages: String,
    intro: String,
    decline: String,
}

/// `GET /dashboard/{creator}/experiments`
pub async fn show(
    State(app): State<AppState>,
    visitor: Visitor,
    place: Place,
    Query(Done { done }): Query<Done<String>>,
) -> Result<Response, Refusal> {
    let done = match done.as_str() {
        "begun" => Some("It runs: each student gets one of the two, always the same."),
        "stopped" => Some("Stopped: every student gets what your settings say."),
        "used" => Some("Stopped, and your settings are those of the variant now."),
        "removed" => Some("Removed. What students asked is still there."),
        _ => None,
    };
    Ok(page::page(&Page { done, ..listed(&app, &visitor, &place).await? }))
}

async fn listed(app: &AppState, visitor: &Visitor, place: &Place) -> Result<Page, Problem> {
    let creator = &place.creator.id;
    let all = app.store().experiments(creator).await?;
    let busy = all.iter().any(|experiment| experiment.stopped_at.is_none());
    let mut shown = Vec::new();
    for experiment in all.iter().rev().take(SHOWN) {
        if let Some((experiment, trial)) = app.trial(creator, &experiment.id).await? {
            shown.push(Shown::of(&experiment, trial));
        }
    }
    let mut offered: Vec<String> = Vec::new();
    for name in app.chain_names().iter().chain(&app.config().settings.answer.offered) {
        if name != EXTRACTIVE && !offered.contains(name) {
            offered.push(name.clone());
        }
    }
    Ok(Page {
        shown,
        offered,
        busy,
        may_change: place.allows(Action::ChooseModels),
        typed: New { share: "50".into(), ..New::default() },
        fault: None,
        done: None,
        // The page belongs to Insights, which leads here.
        shell: Shell::new(visitor, place, "Insights"),
    })
}

impl Shown {
    fn of(experiment: &Experiment, trial: Trial) -> Self {
        let rows = trial.variants.iter().zip(&experiment.variants);
        Self {
            id: experiment.id.to_string(),
            name: experiment.name.clone(),
            state: experiments::state(experiment, now()),
            from: page::moment(experiment.starts_at),
            until: experiment.stopped_at.map(page::moment).unwrap_or_default(),
            used: experiment.used.clone(),
            sentence: trial.sentence,
            rows: rows.map(|(result, variant)| Row::of(result, &variant.settings)).collect(),
            told: trial.compared.iter().map(Told::from).collect(),
        }
    }
}

impl Row {
    fn of(result: &VariantResult, settings: &Map<String, Value>) -> Self {
        let changes: Vec<String> = settings.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        let grounded = result.groundedness.map(|mean| format!("{:.0} %", mean * 100.0));
        Self {
            variant: result.variant.clone(),
            changes: changes.join(", "),
            students: page::number(u64::from(result.students)),
            asked: page::number(u64::from(result.asked)),
            helpful: share(result.helpful, result.helpful.saturating_add(result.unhelpful)),
            groundedness: grounded.unwrap_or_else(|| "–".to_owned()),
            escalated: share(result.escalated, result.asked),
            declined: share(result.declined, result.asked),
            cost: result.cost_per_answer.map_or("–".to_owned(), money),
            median: result.median_ms.map_or("–".to_owned(), took),
        }
    }
}

impl From<&Compared> for Told {
    fn from(row: &Compared) -> Self {
        Self {
            variant: row.variant.clone(),
            measure: row.measure.replace('_', " "),
            first: row.shown(row.first),
            other: row.shown(row.other),
            p: format!("{:.3}", row.p_corrected),
            verdict: match row.likely {
                Likely::Chance => "could be chance",
                Likely::Better => "better",
                Likely::Worse => "worse",
            },
        }
    }
}

/// `POST /dashboard/{creator}/experiments`
pub async fn add(
    State(app): State<AppState>,
    visitor: Visitor,
    place: Place,
    Form(form): Form<New>,
) -> Result<Response, Refusal> {
    let creator = &place.creator.id;
    let made = match wanted(&form, &place.creator.settings) {
        Ok(new) => experiments::made(&app, creator, new).await,
        Err(problem) => Err(problem),
    };
    match made {
        Ok(experiment) => {
            visitor.note(&app, &place, "experiment.begun", &experiment.name).await?;
            Ok(Redirect::to(&format!("/dashboard/{creator}/experiments?done=begun")).into_response())
        }
        Err(problem) if matches!(problem.kind, Kind::Invalid | Kind::Conflict | Kind::Forbidden) => {
            let fault =
                Some(format!("{} {}", page::sentence(&problem.message), page::sentence(&problem.hint)));
            let again = Page { fault, typed: form, ..listed(&app, &visitor, &place).await? };
            Ok(page::with_status(StatusCode::UNPROCESSABLE_ENTITY, &again))
        }
        Err(problem) => Err(problem.into()),
    }
}

/// The two variants of a form: the settings as they are, and those with what was filled in.
fn wanted(form: &New, settings: &Value) -> Result<NewExperiment, Problem> {
    let wrong = |field: &str| {
        let hint = "leave a field empty to keep what your settings say";
        Problem::new(Kind::Invalid, "invalid_experiment", format!("{field} is not a number that fits"), hint)
    };
    let share: u32 = form.share.trim().parse().map_err(|_| wrong("the share of students"))?;
    if !(1..=99).contains(&share) {
        return Err(wrong("the share of students"));
    }
    let mut changes = Map::new();
    match form.model.trim() {
        "" => {}
        EXTRACTIVE => drop(changes.insert(CREATOR_MODELS.to_owned(), json!([]))),
        name => drop(changes.insert(CREATOR_MODELS.to_owned(), json!([name]))),
    }
    let mut answer = settings.get(tuned::SETTING).and_then(Value::as_object).cloned().unwrap_or_default();
    let before = answer.clone();
    if !form.threshold.trim().is_empty() {
        let value: f64 = form.threshold.trim().parse().map_err(|_| wrong("the least confidence"))?;
        answer.insert("threshold".to_owned(), json!(value));
    }
    for (name, text) in [("max_sentences", &form.max_sentences), ("passages", &form.passages)] {
        if !text.trim().is_empty() {
            let value: u64 = text.trim().parse().map_err(|_| wrong(name))?;
            answer.insert(name.to_owned(), json!(value));
        }
    }
    if answer != before {
        changes.insert(tuned::SETTING.to_owned(), Value::Object(answer));
    }
    for (name, text) in [("intro", &form.intro), ("decline", &form.decline)] {
        if !text.trim().is_empty() {
            changes.insert(name.to_owned(), json!(text.trim()));
        }
    }
    if changes.is_empty() {
        return Err(Problem::new(
            Kind::Invalid,
            "invalid_experiment",
            "the variant changes nothing",
            "fill in at least one of the fields",
        ));
    }
    let named = form.variant.trim();
    let variants = vec![
        NewVariant { name: "as now".to_owned(), weight: 100 - share, settings: Map::new() },
        NewVariant {
            name: if named.is_empty() { "new".to_owned() } else { named.to_owned() },
            weight: share,
            settings: changes,
        },
    ];
    Ok(NewExperiment { name: form.name.clone(), variants, starts_at: None })
}

/// What to do with one.
#[derive(Debug, Deserialize)]
pub struct Act {
    act: What,
    #[serde(default)]
    variant: String,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum What {
    Stop,
    Use,
    Remove,
}

/// `POST /dashboard/{creator}/experiments/{experiment}`
pub async fn act(
    State(app): State<AppState>,
    visitor: Visitor,
    place: Place,
    Path((_, id)): Path<(String, String)>,
    Form(form): Form<Act>,
) -> Result<Response, Refusal> {
    let creator = &place.creator.id;
    let done = match form.act {
        What::Stop => {
            let experiment = experiments::stopped(&app, creator, &id).await?;
            visitor.note(&app, &place, "experiment.stopped", &experiment.name).await?;
            "stopped"
        }
        What::Use => {
            experiments::used(&app, creator, &id, &form.variant).await?;
            visitor.note(&app, &place, "experiment.used", &form.variant).await?;
            "used"
        }
        What::Remove => {
            removed(&app, creator, &id).await?;
            visitor.note(&app, &place, "experiment.removed", &id).await?;
            "removed"
        }
    };
    Ok(Redirect::to(&format!("/dashboard/{creator}/experiments?done={done}")).into_response())
}

async fn removed(app: &AppState, creator: &CreatorId, id: &str) -> Result<(), Problem> {
    let known: ExperimentId = id.parse()?;
    if app.store().remove_experiment(creator, &known).await? {
        return Ok(());
    }
    Err(Problem::new(
        Kind::Missing,
        "unknown_experiment",
        "there is no such experiment",
        "it may be removed already; look at the list",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_becomes_two_variants_or_says_what_is_wrong() {
        let form = |model: &str, threshold: &str, share: &str| New {
            name: "Quotes".into(),
            model: model.into(),
            threshold: threshold.into(),
            share: share.into(),
            ..New::default()
        };
        let settings = json!({"answer": {"passages": 6}});
        let made = wanted(&form(EXTRACTIVE, "0.6", "20"), &settings).unwrap();
        assert_eq!((made.variants[0].weight, made.variants[1].weight), (80, 20));
        assert!(made.variants[0].settings.is_empty());
        let changes = Value::Object(made.variants[1].settings.clone());
        assert_eq!(changes, json!({"models": [], "answer": {"passages": 6, "threshold": 0.6}}));
        for (model, threshold, share) in [("", "", "50"), ("gpu:m", "much", "50"), ("gpu:m", "", "0")] {
            assert!(
                wanted(&form(model, threshold, share), &settings).is_err(),
                "{model} {threshold} {share}"
            );
        }
    }
}
