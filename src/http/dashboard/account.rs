//! `/account`: a person's own password and sessions.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::gate::Visitor;
use super::page::{self, Done, Refusal};
use crate::accounts::AccountError;
use crate::app::{self, now};
use crate::http::AppState;
use crate::http::error;
use crate::http::extract::{Form, Query};
use crate::problem::Problem;

#[derive(Template)]
#[template(path = "account.html", config = "assets/dashboard/askama.toml")]
struct Account {
    email: String,
    name: String,
    csrf: String,
    roles: Vec<(String, &'static str)>,
    second: bool,
    fault: Option<String>,
    done: Option<&'static str>,
}

/// `GET /account`
pub async fn show(visitor: Visitor, Query(Done { done }): Query<Done<String>>) -> Response {
    let done = match done.as_str() {
        "password" => Some("Your password is changed, and every other session has ended."),
        "authenticator" => Some("Signing in takes your password alone now."),
        "sessions" => Some("Every other session has ended."),
        _ => None,
    };
    page::page(&account(&visitor, None, done))
}

fn account(visitor: &Visitor, fault: Option<String>, done: Option<&'static str>) -> Account {
    Account {
        email: visitor.user.email.to_string(),
        name: visitor.user.name.clone(),
        csrf: visitor.csrf.clone(),
        second: visitor.user.second.is_some(),
        roles: visitor
            .user
            .roles
            .iter()
            .map(|(creator, role)| (creator.to_string(), role.as_str()))
            .collect(),
        fault,
        done,
    }
}

/// The form for a new password.
#[derive(Debug, Deserialize)]
pub struct Change {
    #[serde(default)]
    current: String,
    #[serde(default)]
    password: String,
}

/// `POST /account/password`
pub async fn change_password(
    State(app): State<AppState>,
    visitor: Visitor,
    Form(change): Form<Change>,
) -> Result<Response, Refusal> {
    let accounts = app.accounts();
    match accounts.is_password(&visitor.user, &change.current, &visitor.address, now()).await {
        Ok(true) => {}
        Ok(false) => {
            return Ok(refused(
                &visitor,
                StatusCode::UNPROCESSABLE_ENTITY,
                "The current password is not right.",
            ));
        }
        Err(error @ AccountError::TooMany(_)) => {
            let problem = Problem::from(error);
            return Ok(refused(&visitor, error::status(problem.kind), &page::sentence(&problem.message)));
        }
        Err(error) => return Err(error.into()),
    }
    match accounts.set_password(&visitor.user, &change.password, Some(visitor.session)).await {
        Ok(()) => {}
        Err(AccountError::Password(error)) => {
            let problem = Problem::from(AccountError::Password(error));
            return Ok(refused(&visitor, error::status(problem.kind), &page::sentence(&problem.message)));
        }
        Err(error) => return Err(error.into()),
    }
    note(&app, &visitor, "account.password_changed").await?;
    Ok(Redirect::to("/account?done=password").into_response())
}

/// `POST /account/sessions`: every other browser is signed out.
pub async fn end_sessions(State(app): State<AppState>, visitor: Visitor) -> Result<Response, Refusal> {
    app.accounts().sign_out_everywhere(&visitor.user.id, Some(visitor.session)).await?;
    note(&app, &visitor, "account.sessions_ended").await?;
    Ok(Redirect::to("/account?done=sessions").into_response())
}

fn refused(visitor: &Visitor, status: StatusCode, fault: &str) -> Response {
    page::with_status(status, &account(visitor, Some(fault.to_owned()), None))
}

async fn note(app: &AppState, visitor: &Visitor, what: &str) -> Result<(), Problem> {
    let (email, fresh) = (visitor.user.email.as_str(), app::secret()?);
    Ok(app.accounts().note(None, email, what, email, &visitor.address, &fresh, now()).await?)
}
