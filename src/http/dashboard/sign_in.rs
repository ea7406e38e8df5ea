//! `/login`, `/logout`, and `/setup`, which the link of the first start opens once.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::cookie;
use super::gate::{self, Visitor};
use super::page::{self, Refusal};
use crate::accounts::{AccountError, Attempt, NewUser, Secret, Step};
use crate::app::{self, now};
use crate::domain::{CreatorId, Role};
use crate::http::AppState;
use crate::http::error;
use crate::http::extract::{Form, Query};
use crate::problem::{Kind, Problem};

#[derive(Template)]
#[template(path = "login.html", config = "assets/dashboard/askama.toml")]
struct Login {
    email: String,
    next: String,
    fault: Option<String>,
    /// Nobody has an account yet.
    empty: bool,
    /// A forgotten password is renewed by mail.
    mail: bool,
}

/// `?next=` leads on to the page that was asked for.
#[derive(Debug, Deserialize)]
pub struct Next {
    #[serde(default)]
    next: String,
}

/// `GET /login`
pub async fn form(
    State(app): State<AppState>,
    Query(Next { next }): Query<Next>,
    request: Request,
) -> Result<Response, Refusal> {
    if gate::visitor(&app, request.headers(), request.extensions()).await?.is_some() {
        return Ok(Redirect::to(inside(&next)).into_response());
    }
    let empty = !app.store().has_users().await?;
    let (email, next, mail) = (String::new(), inside(&next).to_owned(), app.sends_mail());
    Ok(page::page(&Login { email, next, fault: None, empty, mail }))
}

/// The form of `/login`.
#[derive(Debug, Deserialize)]
pub struct Entry {
    #[serde(default)]
    email: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    next: String,
}

/// `POST /login`
pub async fn enter(
    State(app): State<AppState>,
    extensions: Peer,
    headers: HeaderMap,
    Form(entry): Form<Entry>,
) -> Result<Response, Refusal> {
    cookie::from_own_page(&headers, &app.config().settings.server.public_url)?;
    let fresh = app::secret()?;
    let attempt = Attempt { email: &entry.email, password: &entry.password, address: &extensions.0 };
    let next = inside(&entry.next).to_owned();
    match app.accounts().sign_in(attempt, &fresh, now()).await {
        Ok(Step::Inside(_)) => entered(&app, &headers, &fresh, &next).await,
        Ok(Step::Code) => Ok(page::page(&Code { ticket: fresh.to_text(), next, fault: None })),
        Err(error @ (AccountError::Refused | AccountError::TooMany(_))) => {
            let problem = Problem::from(error);
            let fault =
                Some(format!("{} {}", page::sentence(&problem.message), page::sentence(&problem.hint)));
            let again = Login { email: entry.email, next, fault, empty: false, mail: app.sends_mail() };
            let mut response = page::with_status(error::status(problem.kind), &again);
            page::retry_after(&mut response, problem.kind);
            Ok(response)
        }
        Err(error) => Err(error.into()),
    }
}

#[derive(Template)]
#[template(path = "code.html", config = "assets/dashboard/askama.toml")]
struct Code {
    ticket: String,
    next: String,
    fault: Option<String>,
}

/// The form of the second step.
#[derive(Debug, Deserialize)]
pub struct CodeEntry {
    #[serde(default)]
    ticket: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    next: String,
}

/// `POST /login/code`
pub async fn enter_code(
    State(app): State<AppState>,
    Peer(address): Peer,
    headers: HeaderMap,
    Form(entry): Form<CodeEntry>,
) -> Result<Response, Refusal> {
    cookie::from_own_page(&headers, &app.config().settings.server.public_url)?;
    let ticket = Secret::parse(&entry.ticket).ok_or(AccountError::Link)?;
    let (fresh, next) = (app::secret()?, inside(&entry.next).to_owned());
    match app.accounts().enter_code(&ticket, &entry.code, &address, &fresh, now()).await {
        Ok(_) => entered(&app, &headers, &fresh, &next).await,
        Err(error @ (AccountError::Code | AccountError::TooMany(_))) => {
            let problem = Problem::from(error);
            let fault =
                Some(format!("{} {}", page::sentence(&problem.message), page::sentence(&problem.hint)));
            let again = Code { ticket: entry.ticket, next, fault };
            let mut response = page::with_status(error::status(problem.kind), &again);
            page::retry_after(&mut response, problem.kind);
            Ok(response)
        }
        Err(AccountError::Link) => Ok(Redirect::to("/login").into_response()),
        Err(error) => Err(error.into()),
    }
}

/// `POST /logout`
pub async fn leave(
    State(app): State<AppState>,
    visitor: Visitor,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    if let Some((secret, _)) = cookie::read(&headers) {
        app.accounts().sign_out(&secret).await?;
    }
    let mut response = Redirect::to("/login").into_response();
    response.headers_mut().append(header::SET_COOKIE, cookie::clear(visitor.https));
    Ok(response)
}

#[derive(Template)]
#[template(path = "setup.html", config = "assets/dashboard/askama.toml")]
struct Setup {
    token: String,
    email: String,
    name: String,
    creator: String,
    /// There is an assistant already: whoever comes first owns it.
    known: Vec<String>,
    fault: Option<String>,
}

/// `?token=` of the first link.
#[derive(Debug, Deserialize)]
pub struct Token {
    #[serde(default)]
    pub token: String,
}

/// `GET /setup`
pub async fn setup_form(
    State(app): State<AppState>,
    Query(Token { token }): Query<Token>,
) -> Result<Response, Refusal> {
    first(&app, &token).await?;
    let known = creators(&app).await?.into_iter().map(|id| id.to_string()).collect();
    let (email, name, creator) = Default::default();
    Ok(page::page(&Setup { token, email, name, creator, known, fault: None }))
}

/// The form of `/setup`.
#[derive(Debug, Deserialize)]
pub struct Owner {
    #[serde(default)]
    token: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    password: String,
    /// The course's name, when there is no creator yet.
    #[serde(default)]
    creator: String,
}

/// `POST /setup`
pub async fn set_up(
    State(app): State<AppState>,
    Peer(address): Peer,
    headers: HeaderMap,
    Form(owner): Form<Owner>,
) -> Result<Response, Refusal> {
    cookie::from_own_page(&headers, &app.config().settings.server.public_url)?;
    let secret = first(&app, &owner.token).await?;
    match make_owner(&app, &secret, &owner).await {
        Ok(user) => {
            let fresh = app::secret()?;
            app.accounts().begin_session(&user, &fresh, &address, now()).await?;
            entered(&app, &headers, &fresh, "/dashboard").await
        }
        Err(problem) if problem.kind == Kind::Invalid => {
            let known = creators(&app).await?.into_iter().map(|id| id.to_string()).collect();
            let fault =
                Some(format!("{} {}", page::sentence(&problem.message), page::sentence(&problem.hint)));
            let Owner { token, email, name, creator, .. } = owner;
            let again = Setup { token, email, name, creator, known, fault };
            Ok(page::with_status(StatusCode::UNPROCESSABLE_ENTITY, &again))
        }
        Err(problem) => Err(problem.into()),
    }
}

/// Makes the account with all creators that are there, or with a new one.
async fn make_owner(app: &AppState, secret: &Secret, owner: &Owner) -> Result<crate::store::User, Problem> {
    let email = owner.email.parse()?;
    crate::accounts::password::check(&owner.password, &email).map_err(AccountError::from)?;
    let mut all = creators(app).await?;
    if all.is_empty() {
        let slug = slug(&owner.creator)?;
        app.add_creator(slug.clone(), Some(owner.creator.trim().to_owned())).await?;
        all.push(slug);
    }
    let roles: BTreeMap<CreatorId, Role> = all.into_iter().map(|id| (id, Role::Owner)).collect();
    let new = NewUser { email, name: &owner.name, password: &owner.password, roles };
    Ok(app.accounts().add_first(secret, new, app::user_id()?, now()).await?)
}

/// `Eight Clear Nights` is `eight-clear-nights`.
fn slug(name: &str) -> Result<CreatorId, Problem> {
    let plain: String =
        name.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let words: Vec<&str> = plain.split('-').filter(|word| !word.is_empty()).collect();
    let short: String = words.join("-").chars().take(64).collect();
    short.parse().map_err(|_| {
        Problem::new(
            Kind::Invalid,
            "invalid_creator",
            "your course needs a name",
            "a short one with some letters of a to z will do",
        )
    })
}

async fn creators(app: &AppState) -> Result<Vec<CreatorId>, Problem> {
    Ok(app.store().creators().await?.into_iter().map(|creator| creator.id).collect())
}

/// The secret of the first link, while it opens.
async fn first(app: &AppState, token: &str) -> Result<Secret, Problem> {
    let secret = Secret::parse(token).ok_or(AccountError::Link)?;
    if app.accounts().is_first(&secret).await? { Ok(secret) } else { Err(AccountError::Link.into()) }
}

/// Gives a browser its new session, and ends the one that it had.
pub async fn entered(
    app: &AppState,
    headers: &HeaderMap,
    fresh: &Secret,
    next: &str,
) -> Result<Response, Refusal> {
    if let Some((old, _)) = cookie::read(headers) {
        app.accounts().sign_out(&old).await?;
    }
    let mut response = Redirect::to(next).into_response();
    response.headers_mut().append(header::SET_COOKIE, cookie::set(fresh, cookie::is_https(headers)));
    Ok(response)
}

/// A page of ours to go on to; anything else is not followed.
fn inside(next: &str) -> &str {
    let plain = next.chars().all(|c| c.is_ascii_alphanumeric() || "/-_".contains(c));
    let ours = next == "/dashboard" || next == "/account" || next.starts_with("/dashboard/");
    if plain && ours { next } else { "/dashboard" }
}

/// Where a request comes from.
pub struct Peer(pub String);

impl<S: Send + Sync> axum::extract::FromRequestParts<S> for Peer {
    type Rejection = std::convert::Infallible;
    async fn from_request_parts(
        parts: &mut axum::http::request::Parts,
        _: &S,
    ) -> Result<Self, Self::Rejection> {
        Ok(Self(cookie::address(&parts.headers, &parts.extensions)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_in_leads_to_our_pages_alone() {
        for (next, leads) in [
            ("/dashboard/anna/content", "/dashboard/anna/content"),
            ("/account", "/account"),
            ("", "/dashboard"),
            ("//evil.example", "/dashboard"),
            ("https://evil.example", "/dashboard"),
            ("/dashboard/../login", "/dashboard"),
            ("/dashboard\r\nx: y", "/dashboard"),
            ("/dashboardx", "/dashboard"),
        ] {
            assert_eq!(inside(next), leads, "{next:?}");
        }
    }

    #[test]
    fn a_name_makes_a_slug() {
        for (name, text) in [
            ("Eight Clear Nights!", "eight-clear-nights"),
            ("  Yoga  ", "yoga"),
            ("Öl & Farbe 2", "l-farbe-2"),
        ] {
            assert_eq!(slug(name).unwrap().as_str(), text);
        }
        assert!(slug("  !").is_err() && slug("").is_err());
    }
}
