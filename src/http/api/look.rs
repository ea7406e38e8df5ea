//! `GET /chat/look`: how a creator's widget looks, with its words in the student's language, in the one request that it
//! makes before it is shown.
//!
//! Any page may read it: it says what every student sees. Whether a page may ask is decided at `/chat`. It is kept for a
//! minute and then asked for by its tag, so that a change in the dashboard reaches every page without pasting anything.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::brand::{Brand, LANGUAGES};
use crate::domain::{CreatorId, Privacy};
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::Query;
use crate::http::{AppState, assets};
use crate::problem::Problem;
use crate::store::{Creator, StoreError};

const ONE_MINUTE: &str = "public, max-age=60";

/// The widget's words by language and name; English stands in the script itself. A test checks that the file is whole.
static WORDS: LazyLock<BTreeMap<String, BTreeMap<String, String>>> =
    LazyLock::new(|| toml::from_str(include_str!("../../../assets/widget/words.toml")).unwrap_or_default());

/// Whose, and in which language.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LookQuery {
    /// The creator's slug.
    pub creator_id: String,
    /// The language that the page's line names, before what the creator chose.
    #[serde(default)]
    pub lang: String,
    /// The language of the page around it, after what the creator chose.
    #[serde(default)]
    pub page: String,
}

/// What the widget is told; what is absent is as the widget has it of its own.
#[derive(Debug, Default, Serialize, utoipa::ToSchema)]
pub struct Look {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// The greeting; Markdown.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub welcome: String,
    /// `#rrggbb`
    #[serde(skip_serializing_if = "String::is_empty")]
    pub color: String,
    /// Address of a picture, perhaps relative to this server's.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub avatar: String,
    /// First questions, with `|` between them.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub suggestions: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub position: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub theme: String,
    /// Chosen by the creator.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub lang: String,
    /// Variables of the style sheet.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub css: BTreeMap<String, String>,
    pub powered_by: bool,
    pub dictation: bool,
    /// Read before the first question; Markdown of one line.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub consent: String,
    /// Of the words: one that the widget has.
    pub language: &'static str,
    /// Where they are not English.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<std::collections::HashMap<String, String>>)]
    pub words: Option<&'static BTreeMap<String, String>>,
}

/// Says how the widget looks and speaks. A creator that is not there has the widget as it is of its own.
#[utoipa::path(get, path = "/chat/look", operation_id = "chatLook", tag = "ask", params(LookQuery), responses(
    (status = 200, body = Look), (status = 304, description = "as it was"),
    (status = "default", description = "refused", body = ErrorBody)))]
pub async fn show(
    State(app): State<AppState>,
    headers: HeaderMap,
    Query(query): Query<LookQuery>,
) -> Result<Response, ApiError> {
    let creator = match query.creator_id.parse::<CreatorId>() {
        Ok(id) => match app.store().creator(&id).await {
            Ok(creator) => Some(creator),
            Err(StoreError::NoCreator(_)) => None,
            Err(error) => return Err(error.into()),
        },
        Err(_) => None,
    };
    let picture = match &creator {
        Some(creator) => app.store().picture_tag(&creator.id).await?,
        None => None,
    };
    let look = look(creator.as_ref(), picture, &query);
    let text = serde_json::to_string(&look).map_err(Problem::internal)?;
    let tag = format!("W/\"{}\"", &blake3::hash(text.as_bytes()).to_hex()[..16]);
    let told = [
        (header::ETAG, tag.as_str()),
        (header::CACHE_CONTROL, ONE_MINUTE),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    ];
    let open = [("cross-origin-resource-policy", "cross-origin")];
    if assets::has(&headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, told, open).into_response());
    }
    Ok((told, open, [(header::CONTENT_TYPE, "application/json")], text).into_response())
}

fn look(creator: Option<&Creator>, picture: Option<String>, query: &LookQuery) -> Look {
    let brand = creator.map(Brand::of).unwrap_or_default();
    let language = language(&[&query.lang, &brand.lang, &query.page]);
    let avatar = match (creator, picture) {
        (Some(creator), Some(tag)) if brand.avatar.is_empty() => super::avatar::address(&creator.id, &tag),
        _ => brand.avatar,
    };
    Look {
        title: brand.title,
        welcome: brand.welcome,
        color: brand.color,
        avatar,
        suggestions: brand.suggestions.join("|"),
        position: brand.position,
        theme: brand.theme,
        lang: brand.lang,
        css: brand.css,
        powered_by: brand.powered_by.unwrap_or(true),
        dictation: brand.dictation.unwrap_or(false),
        consent: creator.map(|creator| Privacy::of(&creator.settings).consent).unwrap_or_default(),
        language,
        words: WORDS.get(language),
    }
}

/// The first that says something decides, by its first part (RFC 5646); English where the widget lacks it.
fn language(wishes: &[&str]) -> &'static str {
    let wish = wishes.iter().map(|wish| wish.trim()).find(|wish| !wish.is_empty()).unwrap_or("en");
    let first = wish.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
    LANGUAGES.iter().map(|(code, _)| *code).find(|code| *code == first).unwrap_or("en")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_first_wish_decides_the_language() {
        for (wishes, expected) in [
            (["", "", ""], "en"),
            (["", "", "de-AT"], "de"),
            (["", "ja", "de"], "ja"),
            (["PT_br", "ja", "de"], "pt"),
            (["he", "ja", "de"], "en"),
            ([" ", "", "zh-Hant"], "zh"),
        ] {
            assert_eq!(language(&wishes), expected, "{wishes:?}");
        }
    }

    #[test]
    fn every_language_has_every_word() {
        let script = include_str!("../../../assets/widget/embed.js");
        let english =
            script.split("const WORDS = {").nth(1).and_then(|rest| rest.split("};").next()).unwrap();
        let names: BTreeSet<&str> =
            english.lines().filter_map(|line| line.trim().split_once(": ")).map(|(name, _)| name).collect();
        assert!(names.len() > 30, "{names:?}");
        for (code, _) in LANGUAGES.iter().filter(|(code, _)| *code != "en") {
            let words = WORDS.get(*code).unwrap_or_else(|| panic!("no words of {code}"));
            let have: BTreeSet<&str> = words.keys().map(String::as_str).collect();
            assert_eq!(have, names, "{code}");
            assert!(words.values().all(|word| !word.trim().is_empty()), "{code}");
        }
    }
}
