//! `/forgot` and `/reset`: a new password for whoever forgot theirs, by a link that comes by mail. Only where mail is
//! sent; elsewhere the machine's terminal sets one. What `/forgot` answers is the same for every address.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::cookie;
use super::page::{self, Refusal};
use super::sign_in::{Peer, Token, entered};
use crate::accounts::{AccountError, Secret};
use crate::app::{self, now};
use crate::http::AppState;
use crate::http::error;
use crate::http::extract::{Form, Query};
use crate::problem::{Kind, Problem};

#[derive(Template)]
#[template(path = "forgot.html", config = "assets/dashboard/askama.toml")]
struct Forgot {
    email: String,
    /// The mail is on its way, if there is anybody to get it.
    asked: bool,
    fault: Option<String>,
}

/// `GET /forgot`
pub async fn form(State(app): State<AppState>) -> Result<Response, Refusal> {
    sent_at_all(&app)?;
    Ok(page::page(&Forgot { email: String::new(), asked: false, fault: None }))
}

/// The form of `/forgot`.
#[derive(Debug, Deserialize)]
pub struct Asking {
    #[serde(default)]
    email: String,
}

/// `POST /forgot`
pub async fn ask(
    State(app): State<AppState>,
    Peer(address): Peer,
    headers: HeaderMap,
    Form(Asking { email }): Form<Asking>,
) -> Result<Response, Refusal> {
    sent_at_all(&app)?;
    cookie::from_own_page(&headers, &app.config().settings.server.public_url)?;
    match app.accounts().ask_reset(&email, &address, now()).await {
        Ok(()) => Ok(page::page(&Forgot { email, asked: true, fault: None })),
        Err(error @ AccountError::TooMany(_)) => {
            let problem = Problem::from(error);
            let fault = Some(format!("That was asked too often. {}", page::sentence(&problem.hint)));
            let again = Forgot { email, asked: false, fault };
            let mut response = page::with_status(error::status(problem.kind), &again);
            page::retry_after(&mut response, problem.kind);
            Ok(response)
        }
        Err(error) => Err(error.into()),
    }
}

#[derive(Template)]
#[template(path = "reset.html", config = "assets/dashboard/askama.toml")]
struct Reset {
    token: String,
    email: String,
    fault: Option<String>,
}

/// `GET /reset`: looking at it uses nothing up, as programs that check mails for evil links look too.
pub async fn reset_form(
    State(app): State<AppState>,
    Query(Token { token }): Query<Token>,
) -> Result<Response, Refusal> {
    let secret = Secret::parse(&token).ok_or(AccountError::Link)?;
    let user = app.accounts().resetting(&secret, now()).await?;
    Ok(page::page(&Reset { token, email: user.email.to_string(), fault: None }))
}

/// The form of `/reset`.
#[derive(Debug, Deserialize)]
pub struct Chosen {
    #[serde(default)]
    token: String,
    #[serde(default)]
    password: String,
}

/// `POST /reset`
pub async fn reset(
    State(app): State<AppState>,
    Peer(address): Peer,
    headers: HeaderMap,
    Form(form): Form<Chosen>,
) -> Result<Response, Refusal> {
    cookie::from_own_page(&headers, &app.config().settings.server.public_url)?;
    let secret = Secret::parse(&form.token).ok_or(AccountError::Link)?;
    let user = app.accounts().resetting(&secret, now()).await?;
    match app.accounts().reset(&secret, &form.password, &address, &app::secret()?, now()).await {
        // An authenticator's code is asked for where everybody is asked for it.
        Ok(user) if user.second.is_some() => Ok(Redirect::to("/login").into_response()),
        Ok(user) => {
            let fresh = app::secret()?;
            app.accounts().begin_session(&user, &fresh, &address, now()).await?;
            entered(&app, &headers, &fresh, "/dashboard").await
        }
        Err(error) => {
            let problem = Problem::from(error);
            if problem.kind != Kind::Invalid {
                return Err(problem.into());
            }
            let fault =
                Some(format!("{} {}", page::sentence(&problem.message), page::sentence(&problem.hint)));
            let again = Reset { token: form.token, email: user.email.to_string(), fault };
            Ok(page::with_status(StatusCode::UNPROCESSABLE_ENTITY, &again))
        }
    }
}

fn sent_at_all(app: &AppState) -> Result<(), Problem> {
    if app.sends_mail() {
        return Ok(());
    }
    Err(Problem::new(
        Kind::Missing,
        "no_mail",
        "this server sends no mail",
        "`neverafk user passwd EMAIL` on the server's machine sets a new password",
    ))
}
