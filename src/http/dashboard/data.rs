//! `/dashboard/{creator}/data`: where everything lies on this machine, what leaves it, for how long what students say is
//! kept, and how one of them is forgotten.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::gate::{Place, Visitor};
use super::page::{self, Done, Refusal, Shell};
use crate::app::doctor::{self, State as Found};
use crate::domain::Privacy;
use crate::domain::privacy::{MOST_CONSENT, MOST_DAYS, PRIVACY};
use crate::http::AppState;
use crate::http::api::settings;
use crate::http::extract::{Form, Query};
use crate::problem::{Kind, Problem};

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
    consent: String,
    /// As it is typed; empty for ever.
    keep_days: String,
    /// Whom somebody wanted to erase, where that did not work.
    who: String,
    /// What was done just now.
    done: Option<String>,
    fault: Option<String>,
}

struct Row {
    what: &'static str,
    path: String,
    size: String,
}

/// `GET /dashboard/{creator}/data`
pub async fn show(
    State(app): State<AppState>,
    visitor: Visitor,
    place: Place,
    Query(Done { done }): Query<Done<bool>>,
) -> Result<Response, Refusal> {
    let done = done.then(|| "Saved.".to_owned());
    Ok(page::page(&Data { done, ..data(&app, &visitor, &place).await? }))
}

async fn data(app: &AppState, visitor: &Visitor, place: &Place) -> Result<Data, Problem> {
    let places = app.places().await?;
    let leaving = doctor::privacy(app.config());
    let embedding = place.creator.embedding.as_ref().map(|model| model.name.clone());
    let privacy = Privacy::of(&place.creator.settings);
    Ok(Data {
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
        leaves: page::sentence(&leaving.found),
        stays: leaving.state == Found::Good,
        models: app.chain_names().to_vec(),
        embedding: embedding.unwrap_or_else(|| app.config().settings.models.embedding.clone()),
        consent: privacy.consent,
        keep_days: privacy.keep_days.map(|days| days.to_string()).unwrap_or_default(),
        who: String::new(),
        done: None,
        fault: None,
        shell: Shell::new(visitor, place, "Where your data is"),
    })
}

/// The form with the promise.
#[derive(Debug, Deserialize)]
pub struct Promise {
    #[serde(default)]
    consent: String,
    #[serde(default)]
    keep_days: String,
}

impl Promise {
    /// The setting that it means; a number that is none is refused where settings are checked.
    fn setting(&self) -> Value {
        let (consent, days) = (self.consent.trim(), self.keep_days.trim());
        let mut said = Map::new();
        if !consent.is_empty() {
            said.insert("consent".to_owned(), json!(consent));
        }
        if !days.is_empty() {
            said.insert(
                "keep_days".to_owned(),
                days.parse::<u32>().map_or_else(|_| json!(days), |days| json!(days)),
            );
        }
        if said.is_empty() { Value::Null } else { Value::Object(said) }
    }
}

/// `POST /dashboard/{creator}/data/privacy`
pub async fn set_privacy(
    State(app): State<AppState>,
    visitor: Visitor,
    place: Place,
    Form(form): Form<Promise>,
) -> Result<Response, Refusal> {
    let changes = Map::from_iter([(PRIVACY.to_owned(), form.setting())]);
    match settings::apply(&app, &place.creator.id, changes).await {
        Ok(_) => {}
        Err(problem) if problem.kind == Kind::Invalid => {
            let again = Data {
                fault: Some(page::sentence(&problem.message)),
                consent: form.consent,
                keep_days: form.keep_days,
                ..data(&app, &visitor, &place).await?
            };
            return Ok(page::with_status(StatusCode::UNPROCESSABLE_ENTITY, &again));
        }
        Err(problem) => return Err(problem.into()),
    }
    let kept = match form.keep_days.trim() {
        "" => "kept until it is erased".to_owned(),
        days => format!("kept for {days} days"),
    };
    visitor.note(&app, &place, "settings.privacy", &kept).await?;
    Ok(Redirect::to(&format!("/dashboard/{}/data?done=true", place.creator.id)).into_response())
}

/// The form that names a student.
#[derive(Debug, Deserialize)]
pub struct Who {
    #[serde(default)]
    who: String,
}

/// `POST /dashboard/{creator}/data/erase`: the page that answers is the receipt. The record says how much went and not
/// whose it was.
pub async fn erase(
    State(app): State<AppState>,
    visitor: Visitor,
    place: Place,
    Form(form): Form<Who>,
) -> Result<Response, Refusal> {
    let who = form.who.trim();
    let erased = match who {
        "" => Err(Problem::new(Kind::Missing, "nobody_named", "nobody is named", "name a student")),
        who => app.erase_student(Some(&place.creator.id), who).await,
    };
    let gone = match erased {
        Ok(gone) => gone,
        Err(problem) if problem.kind == Kind::Missing => {
            let again = Data {
                fault: Some(page::sentence(&problem.message)),
                who: who.to_owned(),
                ..data(&app, &visitor, &place).await?
            };
            return Ok(page::with_status(StatusCode::UNPROCESSABLE_ENTITY, &again));
        }
        Err(problem) => return Err(problem.into()),
    };
    let counted: Vec<String> = gone.iter().map(crate::store::ErasedStudent::counted).collect();
    let receipt = counted.join("; ");
    visitor.note(&app, &place, "student.erased", &receipt).await?;
    let done = Some(format!("Erased from every file here: {receipt}. Backups made before still hold it."));
    Ok(page::page(&Data { done, ..data(&app, &visitor, &place).await? }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_means_a_setting_that_is_checked_elsewhere() {
        for (consent, days, expected) in [
            ("", " ", Value::Null),
            (" We keep it. ", "", json!({"consent": "We keep it."})),
            ("", "30", json!({"keep_days": 30})),
            ("x", "soon", json!({"consent": "x", "keep_days": "soon"})),
        ] {
            let form = Promise { consent: consent.to_owned(), keep_days: days.to_owned() };
            assert_eq!(form.setting(), expected, "{consent} {days}");
        }
    }
}
