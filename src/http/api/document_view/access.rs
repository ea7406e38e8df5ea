//! Who may see how much of a document: the one place that decides it for all routes under `/d/`.
//!
//! A key of the document's creator opens all of it. A signed address, which came with an answer, opens as much as the
//! creator's setting `viewer` says: the quotation with what stands around it, the text, or the original too. An id
//! alone opens nothing, and then it cannot be told whether there is such a document: ids can be computed from names.

use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};

use crate::app::now;
use crate::domain::link::parse_place;
use crate::domain::{Document, DocumentId, Pass, PassFault, Span};
use crate::http::AppState;
use crate::http::auth::Principal;
use crate::http::error::ApiError;
use crate::problem::{Kind, Problem};
use crate::store::Creator;

/// How much may be seen; each holds what the ones before it hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// The quotation with what stands around it.
    Quote,
    /// All of the text.
    Text,
    /// The file as well.
    Original,
}

impl Level {
    /// The level of this name.
    pub fn named(name: &str) -> Option<Self> {
        [("quote", Self::Quote), ("text", Self::Text), ("original", Self::Original)]
            .into_iter()
            .find_map(|(known, level)| (known == name).then_some(level))
    }

    /// What the creator chose for those who come with an address; nothing said is the least.
    fn of(creator: &Creator) -> Self {
        let chosen = creator.settings.get(SETTING).and_then(|value| value.as_str());
        chosen.and_then(Self::named).unwrap_or(Self::Quote)
    }
}

/// The creator's setting.
pub const SETTING: &str = "viewer";

/// What comes with the address of a document.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Opened {
    /// Where the quotation stands in the stored text: `START-END`, in bytes.
    pub at: Option<String>,
    /// The version that was quoted.
    pub of: Option<String>,
    /// The last day of the address, counted from 1970-01-01.
    pub until: Option<String>,
    /// Proof that this server made the address. Not needed with a key.
    pub sig: Option<String>,
    /// Long texts come in parts; the first is 0. Left out, the one that holds the quotation.
    pub part: Option<usize>,
}

impl Opened {
    /// The signed part, as it goes into links to the same document; empty without one.
    pub fn query(&self) -> String {
        let Some(pass) = self.pass() else { return self.place_query() };
        // What was signed has these characters only; anything else was refused before.
        format!("at={}&of={}&until={}&sig={}", pass.at, pass.of, pass.until, pass.sig)
    }

    /// The place alone: enough with a key.
    fn place_query(&self) -> String {
        let place = self.at.as_deref().and_then(parse_place);
        place.map(|place| format!("at={}-{}", place.start, place.end)).unwrap_or_default()
    }

    fn pass(&self) -> Option<Pass> {
        Some(Pass {
            at: self.at.clone()?,
            of: self.of.clone()?,
            until: self.until.clone()?,
            sig: self.sig.clone()?,
        })
    }
}

/// A document that may be seen.
#[derive(Debug, Clone)]
pub struct Seen {
    pub document: Document,
    pub creator: Creator,
    pub level: Level,
    /// The quotation, where there is one and the document is still the one that was quoted.
    pub place: Option<Span>,
    /// The document has other words now than when it was quoted.
    pub changed: bool,
    /// The query of links to the same document.
    pub query: String,
}

/// Decides.
pub async fn see(
    app: &AppState,
    principal: Option<Principal>,
    id: &str,
    opened: &Opened,
) -> Result<Seen, Problem> {
    let Ok(id) = id.parse::<DocumentId>() else { return Err(nothing_here()) };
    let pass = match opened.pass() {
        Some(pass) => match pass.check(app.store().link_key().await?, &id, now()) {
            Ok(place) => Some((place, pass)),
            Err(PassFault::Forged) => None,
            // Only a true address gets this far, so that it tells nobody anything new.
            Err(PassFault::Expired) if principal.is_none() => return Err(expired()),
            Err(PassFault::Expired) => None,
        },
        None => None,
    };
    if pass.is_none() && principal.is_none() {
        // Before anything is looked up, so that not even the time tells whether it is there.
        return Err(nothing_here());
    }
    let Some(document) = app.store().document(&id).await? else {
        return Err(if pass.is_some() { deleted() } else { nothing_here() });
    };
    let creator = app.store().creator(&document.creator).await?;
    if principal.is_some_and(|principal| principal.may_manage(&document.creator).is_ok()) {
        let current = opened.of.as_deref().is_none_or(|of| document.content.to_hex().starts_with(of));
        let place = opened.at.as_deref().and_then(parse_place).filter(|_| current);
        let query = opened.place_query();
        return Ok(Seen { document, creator, level: Level::Original, place, changed: !current, query });
    }
    let Some((place, pass)) = pass else { return Err(nothing_here()) };
    let (level, current) = (Level::of(&creator), pass.is_of(document.content));
    if !current && level == Level::Quote {
        return Err(changed());
    }
    let place = Some(place).filter(|_| current);
    Ok(Seen { document, creator, level, place, changed: !current, query: opened.query() })
}

/// Who asks, if they say so. A key that is not known is refused, since whoever sends one wants to be told.
pub fn caller(
    headers: &HeaderMap,
    principal: Result<Principal, ApiError>,
) -> Result<Option<Principal>, ApiError> {
    match principal {
        Ok(principal) => Ok(Some(principal)),
        Err(ApiError(problem))
            if problem.kind == Kind::Unauthenticated
                && !headers.contains_key(axum::http::header::AUTHORIZATION) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// The same words whether there is no such document, no address or a forged one.
fn nothing_here() -> Problem {
    Problem::new(
        Kind::Missing,
        "unknown_document",
        "there is no document at this address",
        "open the address as the answer gave it, all of it; with a key, check the document's id",
    )
}

fn expired() -> Problem {
    Problem::new(
        Kind::Gone,
        "address_expired",
        "this address was made some weeks ago and no longer opens",
        "ask the question again: the new answer has a new address",
    )
}

fn deleted() -> Problem {
    Problem::new(
        Kind::Gone,
        "document_deleted",
        "the document that was quoted here has been removed",
        "ask the question again: the answer will come from what is there now",
    )
}

fn changed() -> Problem {
    Problem::new(
        Kind::Gone,
        "document_changed",
        "the document has changed since it was quoted, and the passage is no longer as it was",
        "ask the question again: the answer will come from what is there now",
    )
}
