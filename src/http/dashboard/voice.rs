//! `/dashboard/{creator}/voice`: how the assistant is called and looks, what it says of its own in each language, and the
//! rules that it keeps. Everything here stands among the creator's settings and is checked as the API checks it.

use std::collections::BTreeMap;

use askama::Template;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::gate::{Place, Visitor};
use super::page::{self, Refusal, Shell};
use crate::answer::{phrases, policy};
use crate::http::AppState;
use crate::http::api::avatar::{self, Avatar};
use crate::http::api::brand::{self, BRAND, Brand};
use crate::http::api::settings;
use crate::http::error::ApiError;
use crate::http::extract::{Form, Query};
use crate::problem::{Kind, Problem};

/// The phrases that are set here, and when the assistant says them; the API sets the others too.
const PHRASES: [(&str, &str); 13] = [
    ("greeting", "When the student greets"),
    ("intro", "Before a quotation"),
    ("decline", "When the content does not hold the answer"),
    ("not_ours", "When it is about something else"),
    ("refuse", "When a message looks like an attack"),
    ("human", "When the student asks for a person"),
    ("who", "When the student asks who is there"),
    ("safety", "When somebody may be in danger: look whether these numbers help where your students live"),
    ("anger", "When the student is angry"),
    ("threat", "When the student speaks of a lawyer or of getting the money back"),
    ("credits_used_up", "When this month's answers are used up"),
    ("thanks", "When the student says thank you"),
    ("bye", "When the student says goodbye"),
];

/// What the guard's choices in the page mean.
const STRICT: f64 = 0.2;

#[derive(Template)]
#[template(path = "voice.html", config = "assets/dashboard/askama.toml")]
struct Voice {
    shell: Shell,
    name: String,
    brand: Brand,
    color: String,
    /// One a line, as it is typed.
    suggestions: String,
    /// `name: value`, one a line.
    css: String,
    /// Of the picture that was brought in, for this server's pages.
    picture: Option<String>,
    /// Of the phrases that are shown.
    language: String,
    languages: Vec<&'static str>,
    phrases: Vec<Phrase>,
    policies: String,
    viewer: String,
    guard: &'static str,
    threshold: String,
    fault: Option<String>,
    done: bool,
}

struct Phrase {
    key: &'static str,
    when: &'static str,
    own: String,
    shipped: &'static str,
}

/// Which language's phrases, and `?done=true` after a change.
#[derive(Debug, Default, Deserialize)]
pub struct Wanted {
    #[serde(default)]
    lang: String,
    #[serde(default)]
    done: bool,
}

/// `GET /dashboard/{creator}/voice`
pub async fn show(
    State(app): State<AppState>,
    visitor: Visitor,
    place: Place,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Refusal> {
    Ok(page::page(&voice(&app, &visitor, &place, &wanted).await?))
}

async fn voice(app: &AppState, visitor: &Visitor, place: &Place, wanted: &Wanted) -> Result<Voice, Problem> {
    let creator = &place.creator;
    let chosen = |name: &str| creator.settings.get(name);
    let language = *phrases::LANGUAGES.iter().find(|known| **known == wanted.lang).unwrap_or(&"en");
    let policies = chosen(policy::SETTING).and_then(Value::as_array).into_iter().flatten();
    let brand = Brand::of(creator);
    let tag = app.store().picture_tag(&creator.id).await?;
    Ok(Voice {
        name: creator.name.clone(),
        color: if brand.color.is_empty() { brand::COLOR.to_owned() } else { brand.color.clone() },
        suggestions: brand.suggestions.join("\n"),
        css: brand.css.iter().map(|(name, value)| format!("{name}: {value}\n")).collect(),
        picture: tag.map(|tag| format!("/{}", avatar::address(&creator.id, &tag))),
        brand,
        language: language.to_owned(),
        languages: phrases::LANGUAGES.to_vec(),
        phrases: PHRASES
            .into_iter()
            .map(|(key, when)| Phrase {
                key,
                when,
                own: own(chosen(key), language).to_owned(),
                shipped: phrases::shipped(language, key).unwrap_or_default(),
            })
            .collect(),
        policies: policies.filter_map(Value::as_str).collect::<Vec<_>>().join("\n"),
        viewer: chosen("viewer").and_then(Value::as_str).unwrap_or("quote").to_owned(),
        guard: match chosen("guard") {
            Some(Value::Bool(false)) => "off",
            Some(value) if value.as_f64() == Some(STRICT) => "strict",
            Some(value) if value.is_number() => "own",
            _ => "usual",
        },
        threshold: threshold(app, place),
        fault: None,
        done: wanted.done,
        shell: Shell::new(visitor, place, "Voice & brand"),
    })
}

/// Above which confidence is answered, and why so.
fn threshold(app: &AppState, place: &Place) -> String {
    let usual = app.config().settings.answer.threshold;
    match place.creator.calibration() {
        Some(fitted) if fitted.threshold.is_some() => format!(
            "{:.2}, fitted to {} questions of your own",
            fitted.threshold.unwrap_or(usual),
            fitted.questions
        ),
        _ => format!("{usual:.2}, as everywhere on this server"),
    }
}

/// What a creator says instead of a phrase, in a language: one text stands for all of them.
fn own<'a>(chosen: Option<&'a Value>, language: &str) -> &'a str {
    match chosen {
        Some(Value::String(text)) => text,
        Some(Value::Object(texts)) => texts.get(language).and_then(Value::as_str).unwrap_or_default(),
        _ => "",
    }
}

/// The form of name and looks.
#[derive(Debug, Deserialize)]
pub struct Looks {
    #[serde(default)]
    name: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    welcome: String,
    #[serde(default)]
    color: String,
    #[serde(default)]
    avatar: String,
    #[serde(default)]
    suggestions: String,
    #[serde(default)]
    position: String,
    #[serde(default)]
    theme: String,
    #[serde(default)]
    lang: String,
    #[serde(default)]
    css: String,
    /// What is not ticked is not sent.
    #[serde(default)]
    powered_by: String,
    #[serde(default)]
    dictation: String,
}

impl Looks {
    /// What a browser sends for a field that was left as it was says nothing.
    fn brand(&self) -> Brand {
        let unless = |usual: &str, text: &str| {
            let text = text.trim();
            if text == usual { String::new() } else { text.replace("\r\n", "\n") }
        };
        Brand {
            title: unless("", &self.title),
            welcome: unless("", &self.welcome),
            color: unless(brand::COLOR, &self.color),
            avatar: unless("", &self.avatar),
            suggestions: lines(&self.suggestions),
            position: unless(brand::POSITIONS[0], &self.position),
            theme: unless(brand::THEMES[0], &self.theme),
            lang: unless("", &self.lang),
            css: variables(&self.css),
            powered_by: self.powered_by.is_empty().then_some(false),
            dictation: (!self.dictation.is_empty()).then_some(true),
        }
    }
}

/// `name: value`, one a line, also as a style sheet would have it: `--name: value;`.
fn variables(text: &str) -> BTreeMap<String, String> {
    let clean = |part: &str| part.trim().trim_end_matches(';').trim_end().to_owned();
    let lines = lines(text).into_iter().map(|line| match line.split_once(':') {
        Some((name, value)) => (clean(name.trim_start_matches('-')), clean(value)),
        None => (clean(&line), String::new()),
    });
    lines.collect()
}

/// `POST /dashboard/{creator}/voice/avatar`: a picture's bytes, by the page's script.
pub async fn set_avatar(
    State(app): State<AppState>,
    visitor: Visitor,
    place: Place,
    body: Body,
) -> Result<axum::Json<Avatar>, ApiError> {
    let kept = avatar::keep(&app, &place.creator.id, body).await?;
    visitor.note(&app, &place, "settings.voice", "").await?;
    Ok(axum::Json(kept))
}

/// `POST /dashboard/{creator}/voice/avatar/remove`
pub async fn remove_avatar(
    State(app): State<AppState>,
    visitor: Visitor,
    place: Place,
) -> Result<Response, Refusal> {
    app.store().set_picture(&place.creator.id, None).await?;
    saved_voice(&app, &visitor, &place, "").await
}

/// `POST /dashboard/{creator}/voice`
pub async fn set_looks(
    State(app): State<AppState>,
    visitor: Visitor,
    place: Place,
    Form(form): Form<Looks>,
) -> Result<Response, Refusal> {
    let name: String = form.name.trim().chars().filter(|c| !c.is_control()).collect();
    let brand = form.brand();
    let fits = !name.is_empty() && name.chars().count() <= 100;
    let saved = if fits {
        let value = if brand == Brand::default() { Value::Null } else { json!(brand) };
        settings::apply(&app, &place.creator.id, Map::from_iter([(BRAND.to_owned(), value)])).await
    } else {
        Err(Problem::new(
            Kind::Invalid,
            "invalid_setting",
            "the name has 1 to 100 characters",
            "choose another",
        ))
    };
    if let Err(problem) = saved {
        if problem.kind != Kind::Invalid {
            return Err(problem.into());
        }
        let again = Voice {
            fault: Some(page::sentence(&problem.message)),
            name: form.name,
            color: form.color,
            suggestions: form.suggestions,
            css: form.css,
            brand,
            ..voice(&app, &visitor, &place, &Wanted::default()).await?
        };
        return Ok(page::with_status(StatusCode::UNPROCESSABLE_ENTITY, &again));
    }
    if name != place.creator.name {
        app.store().update_creator(&place.creator.id, Some(name), None).await?;
    }
    saved_voice(&app, &visitor, &place, "").await
}

/// The form of one language's phrases.
#[derive(Debug, Deserialize)]
pub struct Phrases {
    #[serde(default)]
    lang: String,
    #[serde(flatten)]
    texts: std::collections::HashMap<String, String>,
}

/// `POST /dashboard/{creator}/voice/phrases`
pub async fn set_phrases(
    State(app): State<AppState>,
    visitor: Visitor,
    place: Place,
    Form(form): Form<Phrases>,
) -> Result<Response, Refusal> {
    let language = *phrases::LANGUAGES.iter().find(|known| **known == form.lang).unwrap_or(&"en");
    let mut changes = Map::new();
    for (key, _) in PHRASES {
        if let Some(text) = form.texts.get(key) {
            let now = place.creator.settings.get(key);
            changes.insert(key.to_owned(), with_text(now, language, &text.replace("\r\n", "\n")));
        }
    }
    settings::apply(&app, &place.creator.id, changes).await?;
    saved_voice(&app, &visitor, &place, language).await
}

/// A phrase with the text of one language set or, when it is empty, taken back; nothing is left of one without texts.
fn with_text(now: Option<&Value>, language: &str, text: &str) -> Value {
    let mut texts = match now {
        Some(Value::Object(texts)) => texts.clone(),
        // One text for all: English is what the other languages fall back to.
        Some(Value::String(one)) => Map::from_iter([("en".to_owned(), json!(one))]),
        _ => Map::new(),
    };
    match text.trim() {
        "" => drop(texts.remove(language)),
        text => drop(texts.insert(language.to_owned(), json!(text))),
    }
    if texts.is_empty() { Value::Null } else { Value::Object(texts) }
}

/// The form of the rules.
#[derive(Debug, Deserialize)]
pub struct Rules {
    #[serde(default)]
    guard: String,
    #[serde(default)]
    viewer: String,
    #[serde(default)]
    policies: String,
}

/// `POST /dashboard/{creator}/voice/rules`
pub async fn set_rules(
    State(app): State<AppState>,
    visitor: Visitor,
    place: Place,
    Form(form): Form<Rules>,
) -> Result<Response, Refusal> {
    let policies = lines(&form.policies);
    let mut changes = Map::from_iter([
        ("viewer".to_owned(), json!(form.viewer)),
        (policy::SETTING.to_owned(), if policies.is_empty() { Value::Null } else { json!(policies) }),
    ]);
    match form.guard.as_str() {
        "off" => drop(changes.insert("guard".to_owned(), json!(false))),
        "strict" => drop(changes.insert("guard".to_owned(), json!(STRICT))),
        // A number that a program set stays what it is.
        "own" => {}
        _ => drop(changes.insert("guard".to_owned(), Value::Null)),
    }
    settings::apply(&app, &place.creator.id, changes).await?;
    saved_voice(&app, &visitor, &place, "").await
}

async fn saved_voice(
    app: &AppState,
    visitor: &Visitor,
    place: &Place,
    language: &str,
) -> Result<Response, Refusal> {
    visitor.note(app, place, "settings.voice", "").await?;
    let to = format!("/dashboard/{}/voice?done=true&lang={language}", place.creator.id);
    Ok(Redirect::to(&to).into_response())
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_read_as_people_write_them() {
        let read = variables(" bg: #ffffff\r\n\r\n--radius : 4px;\nnothing\n");
        let expected = [("bg", "#ffffff"), ("nothing", ""), ("radius", "4px")];
        assert_eq!(read, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
    }

    #[test]
    fn a_phrase_has_a_text_for_each_language_or_none() {
        let check = |now: Value, language: &str, text: &str, expected: Value| {
            assert_eq!(with_text(Some(&now), language, text), expected, "{now} {language} {text}");
        };
        check(Value::Null, "de", " Hallo ", json!({"de": "Hallo"}));
        check(json!("Hi"), "de", "Hallo", json!({"en": "Hi", "de": "Hallo"}));
        check(json!({"en": "Hi", "de": "Hallo"}), "de", "", json!({"en": "Hi"}));
        check(json!({"de": "Hallo"}), "de", " ", Value::Null);
        check(json!("Hi"), "en", "", Value::Null);
        assert_eq!(own(Some(&json!("Hi")), "de"), "Hi");
        assert_eq!(own(Some(&json!({"en": "Hi"})), "de"), "");
    }
}
