//! `/account/authenticator`: a second proof at sign-in, set up with a code and taken away with the password.

use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use qrcode::render::svg;
use serde::Deserialize;

use super::gate::Visitor;
use super::page::{self, Refusal};
use crate::accounts::{AccountError, totp};
use crate::app::{self, now};
use crate::http::AppState;
use crate::http::extract::Form;
use crate::problem::{Kind, Problem};
use crate::store::{SecondFactor, User};

#[derive(Template)]
#[template(path = "authenticator.html", config = "assets/dashboard/askama.toml")]
struct Authenticator {
    csrf: String,
    /// What is set up: its secret in base 32, four letters a group, and as a picture.
    secret: String,
    grouped: String,
    picture: String,
    /// One is set up already; so many one-time codes are left.
    left: Option<usize>,
    /// One-time codes that were made just now.
    codes: Vec<String>,
    fault: Option<String>,
}

/// `GET /account/authenticator`
pub async fn show(visitor: Visitor) -> Result<Response, Refusal> {
    let secret = totp::base32(&totp::secret(&app::secret()?));
    Ok(page::page(&offered(&visitor, &secret, None)?))
}

fn offered(visitor: &Visitor, secret: &str, fault: Option<String>) -> Result<Authenticator, Problem> {
    let left = visitor.user.second.as_ref().map(|factor| factor.recovery.len());
    let bytes = totp::from_base32(secret).ok_or_else(|| {
        Problem::new(Kind::Invalid, "invalid_form", "this form is damaged", "open the page anew")
    })?;
    let address = totp::address(&visitor.user.email, &bytes);
    let code = qrcode::QrCode::new(address.as_bytes()).map_err(Problem::internal)?;
    let image = code.render::<svg::Color>().min_dimensions(220, 220).build();
    let letters: Vec<char> = secret.chars().collect();
    Ok(Authenticator {
        csrf: visitor.csrf.clone(),
        grouped: letters
            .chunks(4)
            .map(|group| group.iter().collect::<String>())
            .collect::<Vec<_>>()
            .join(" "),
        secret: secret.to_owned(),
        // The declaration of a file of its own has no place within a page.
        picture: image.split_once("?>").map_or(image.clone(), |(_, rest)| rest.to_owned()),
        left,
        codes: Vec::new(),
        fault,
    })
}

/// The form that sets one up.
#[derive(Debug, Deserialize)]
pub struct Enrolment {
    #[serde(default)]
    secret: String,
    #[serde(default)]
    code: String,
}

/// `POST /account/authenticator`: the page that answers is the only one that shows the one-time codes.
pub async fn add(
    State(app): State<AppState>,
    visitor: Visitor,
    Form(form): Form<Enrolment>,
) -> Result<Response, Refusal> {
    let page = offered(&visitor, &form.secret, None)?;
    let secret = totp::from_base32(&form.secret).unwrap_or_default();
    let Some(last_step) = totp::step_of(&secret, &form.code, 0, now()) else {
        let fault = Some("This is not the code that the authenticator shows now.".to_owned());
        return Ok(page::with_status(StatusCode::UNPROCESSABLE_ENTITY, &Authenticator { fault, ..page }));
    };
    let (codes, recovery) = totp::recovery(&app::secret()?);
    let factor = SecondFactor { secret, recovery, last_step };
    let change = move |user: &mut User| user.second = Some(factor.clone());
    app.store().change_user(&visitor.user.id, change).await?;
    note(&app, &visitor, "account.authenticator_added").await?;
    Ok(page::page(&Authenticator { codes, ..page }))
}

/// The form that takes it away.
#[derive(Debug, Deserialize)]
pub struct Removal {
    #[serde(default)]
    password: String,
}

/// `POST /account/authenticator/remove`
pub async fn remove(
    State(app): State<AppState>,
    visitor: Visitor,
    Form(Removal { password }): Form<Removal>,
) -> Result<Response, Refusal> {
    let secret = totp::base32(&totp::secret(&app::secret()?));
    match app.accounts().is_password(&visitor.user, &password, &visitor.address, now()).await {
        Ok(true) => {}
        Ok(false) => {
            let page = offered(&visitor, &secret, Some("The password is not right.".to_owned()))?;
            return Ok(page::with_status(StatusCode::UNPROCESSABLE_ENTITY, &page));
        }
        Err(AccountError::TooMany(wait)) => return Err(too_often(wait).into()),
        Err(error) => return Err(error.into()),
    }
    app.store().change_user(&visitor.user.id, |user| user.second = None).await?;
    note(&app, &visitor, "account.authenticator_removed").await?;
    Ok(Redirect::to("/account?done=authenticator").into_response())
}

fn too_often(wait: Duration) -> Problem {
    AccountError::TooMany(wait).into()
}

async fn note(app: &AppState, visitor: &Visitor, what: &str) -> Result<(), Problem> {
    let (email, fresh) = (visitor.user.email.as_str(), app::secret()?);
    Ok(app.accounts().note(None, email, what, email, &visitor.address, &fresh, now()).await?)
}
