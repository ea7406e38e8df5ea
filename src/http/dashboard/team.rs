//! `/dashboard/{creator}/team`: who looks after the assistant; invite, change roles, take off. `/join` is where an
//! invitation leads. The link is shown once, for whoever invites to hand on; where mails are sent, another one goes to the
//! address, and the first that is used ends the other.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::gate::{Place, Visitor};
use super::page::{self, Done, Refusal, Shell};
use super::sign_in::{Peer, Token};
use super::{cookie, sign_in, widget};
use crate::accounts::{AccountError, Action, Attempt, INVITATION_LASTS, NewUser, Secret, may};
use crate::app::{self, now};
use crate::domain::{CreatorId, Email, Mail, Role, Timestamp, UserId};
use crate::http::AppState;
use crate::http::error;
use crate::http::extract::{Form, Path, Query};
use crate::problem::{Kind, Problem};
use crate::store::{Link, Purpose, StoreError, User};

#[derive(Template)]
#[template(path = "team.html", config = "assets/dashboard/askama.toml")]
struct Team {
    shell: Shell,
    people: Vec<Person>,
    manages: bool,
    /// An invitation that was made just now: for whom, and the link.
    made: Option<(String, String)>,
    /// A mail with a link goes there too.
    mailed: bool,
    fault: Option<String>,
    done: bool,
}

struct Person {
    id: String,
    email: String,
    name: String,
    role: Role,
    second: bool,
    me: bool,
}

/// `GET /dashboard/{creator}/team`
pub async fn show(
    State(app): State<AppState>,
    visitor: Visitor,
    place: Place,
    Query(Done { done }): Query<Done<bool>>,
) -> Result<Response, Refusal> {
    Ok(page::page(&Team { done, ..team(&app, &visitor, &place).await? }))
}

async fn team(app: &AppState, visitor: &Visitor, place: &Place) -> Result<Team, Problem> {
    let users = app.store().users().await?.into_iter();
    let people = users.filter_map(|user| {
        let role = *user.roles.get(&place.creator.id)?;
        Some(Person {
            me: user.id == visitor.user.id,
            id: user.id.to_string(),
            email: user.email.to_string(),
            second: user.second.is_some(),
            name: user.name,
            role,
        })
    });
    Ok(Team {
        people: people.collect(),
        manages: may(place.role, Action::ManageTeam),
        made: None,
        mailed: app.sends_mail(),
        fault: None,
        done: false,
        shell: Shell::new(visitor, place, "Team"),
    })
}

/// The form of an invitation.
#[derive(Debug, Deserialize)]
pub struct Invitation {
    #[serde(default)]
    email: String,
    #[serde(default)]
    role: String,
}

/// `POST /dashboard/{creator}/team`: the page that answers is the only one that shows the link.
pub async fn invite(
    State(app): State<AppState>,
    visitor: Visitor,
    place: Place,
    headers: HeaderMap,
    Form(form): Form<Invitation>,
) -> Result<Response, Refusal> {
    let (email, role) = match (form.email.parse::<Email>(), form.role.parse::<Role>()) {
        (Ok(email), Ok(role)) => (email, role),
        (Err(error), _) | (_, Err(error)) => {
            let fault = Some(page::sentence(&error.to_string()));
            let again = Team { fault, ..team(&app, &visitor, &place).await? };
            return Ok(page::with_status(StatusCode::UNPROCESSABLE_ENTITY, &again));
        }
    };
    let secret = app::secret()?;
    let purpose = Purpose::Invitation { creator: place.creator.id.clone(), role, email: email.clone() };
    let expires_at = Timestamp(now().0 + INVITATION_LASTS);
    app.store().add_link(secret.hash(), Link { purpose, expires_at }).await?;
    if app.sends_mail() {
        let (to, by) = (email.clone(), visitor.user.email.clone());
        app.store().add_mail(Mail::invitation(place.creator.id.clone(), role, to, by, now())).await?;
    }
    visitor.note(&app, &place, "team.invited", &format!("{email}: {role}")).await?;
    let link = format!("{}/join?token={}", widget::address(&app, &visitor, &headers), secret.to_text());
    Ok(page::page(&Team { made: Some((email.to_string(), link)), ..team(&app, &visitor, &place).await? }))
}

/// The form of another role; `none` takes the person off.
#[derive(Debug, Deserialize)]
pub struct NewRole {
    #[serde(default)]
    role: String,
}

/// `POST /dashboard/{creator}/team/{user}`
pub async fn change(
    State(app): State<AppState>,
    visitor: Visitor,
    place: Place,
    Path((_, id)): Path<(String, String)>,
    Form(NewRole { role }): Form<NewRole>,
) -> Result<Response, Refusal> {
    let creator = place.creator.id.clone();
    let missing = || Problem::from(StoreError::NoUser("this id".to_owned()));
    let id: UserId = id.parse().map_err(|_| missing())?;
    let user =
        app.store().user(&id).await?.filter(|user| user.roles.contains_key(&creator)).ok_or_else(missing)?;
    let role = if role == "none" { None } else { Some(role.parse::<Role>()?) };
    let changed = match role {
        None if user.roles.len() == 1 => app.store().remove_user(&id).await,
        _ => {
            let at = creator.clone();
            let change = move |user: &mut User| {
                match role {
                    Some(role) => user.roles.insert(at.clone(), role),
                    None => user.roles.remove(&at),
                };
            };
            app.store().change_user(&id, change).await.map(drop)
        }
    };
    if let Err(error @ StoreError::LastOwner(_)) = changed {
        let problem = Problem::from(error);
        let fault = Some(format!("{} {}", page::sentence(&problem.message), page::sentence(&problem.hint)));
        let again = Team { fault, ..team(&app, &visitor, &place).await? };
        return Ok(page::with_status(StatusCode::CONFLICT, &again));
    }
    changed?;
    let (what, target) = match role {
        Some(role) => ("team.role_changed", format!("{}: {role}", user.email)),
        None => ("team.removed", user.email.to_string()),
    };
    visitor.note(&app, &place, what, &target).await?;
    // Who took themselves off sees what is left to them.
    let to = if id == visitor.user.id {
        "/dashboard".to_owned()
    } else {
        format!("/dashboard/{creator}/team?done=true")
    };
    Ok(Redirect::to(&to).into_response())
}

#[derive(Template)]
#[template(path = "join.html", config = "assets/dashboard/askama.toml")]
struct Join {
    token: String,
    creator: String,
    role: Role,
    email: String,
    name: String,
    /// The address has an account: its password is asked for, and not a new one.
    known: bool,
    fault: Option<String>,
}

/// What an invitation offers.
struct Offer {
    secret: Secret,
    creator: CreatorId,
    role: Role,
    email: Email,
}

/// `GET /join`
pub async fn join_form(
    State(app): State<AppState>,
    Query(Token { token }): Query<Token>,
) -> Result<Response, Refusal> {
    let offer = offer(&app, &token).await?;
    Ok(page::page(&joining(&app, &offer, String::new(), None).await?))
}

async fn joining(
    app: &AppState,
    offer: &Offer,
    name: String,
    fault: Option<String>,
) -> Result<Join, Problem> {
    let known = app.store().user_by_email(&offer.email).await?.is_some();
    Ok(Join {
        token: offer.secret.to_text(),
        creator: app.store().creator(&offer.creator).await?.name,
        role: offer.role,
        email: offer.email.to_string(),
        name,
        known,
        fault,
    })
}

/// The form of `/join`.
#[derive(Debug, Deserialize)]
pub struct Joining {
    #[serde(default)]
    token: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    password: String,
}

/// `POST /join`
pub async fn join(
    State(app): State<AppState>,
    Peer(address): Peer,
    headers: HeaderMap,
    Form(form): Form<Joining>,
) -> Result<Response, Refusal> {
    cookie::from_own_page(&headers, &app.config().settings.server.public_url)?;
    let offer = offer(&app, &form.token).await?;
    match accept(&app, &offer, &form, &address).await {
        Ok(user) => {
            let (who, what) = (user.email.as_str(), "team.joined");
            let at = Some(&offer.creator);
            app.accounts().note(at, who, what, offer.role.as_str(), &address, &app::secret()?, now()).await?;
            let next = format!("/dashboard/{}", offer.creator);
            if user.second.is_some() {
                // An authenticator's code is asked for where everybody is asked for it.
                return Ok(Redirect::to(&format!("/login?next={next}")).into_response());
            }
            let fresh = app::secret()?;
            app.accounts().begin_session(&user, &fresh, &address, now()).await?;
            sign_in::entered(&app, &headers, &fresh, &next).await
        }
        Err(problem) if matches!(problem.kind, Kind::Invalid | Kind::Unauthenticated | Kind::TooOften(_)) => {
            let fault = Some(page::sentence(&problem.message));
            let again = joining(&app, &offer, form.name, fault).await?;
            Ok(page::with_status(error::status(problem.kind), &again))
        }
        Err(problem) => Err(problem.into()),
    }
}

/// Takes the link and gives the role, to the account that the address has or to a new one.
async fn accept(app: &AppState, offer: &Offer, form: &Joining, address: &str) -> Result<User, Problem> {
    let (creator, role) = (offer.creator.clone(), offer.role);
    let taken = async || match app.store().take_link(&offer.secret.hash()).await? {
        true => Ok(()),
        false => Err(Problem::from(AccountError::Link)),
    };
    if app.store().user_by_email(&offer.email).await?.is_some() {
        let attempt = Attempt { email: offer.email.as_str(), password: &form.password, address };
        let user = app.accounts().prove(attempt, now()).await?;
        taken().await?;
        let change = move |user: &mut User| {
            user.roles.insert(creator.clone(), role);
        };
        return Ok(app.store().change_user(&user.id, change).await?);
    }
    crate::accounts::password::check(&form.password, &offer.email).map_err(AccountError::from)?;
    taken().await?;
    let roles = BTreeMap::from([(creator, role)]);
    let new = NewUser { email: offer.email.clone(), name: &form.name, password: &form.password, roles };
    Ok(app.accounts().add(new, app::user_id()?, now()).await?)
}

async fn offer(app: &AppState, token: &str) -> Result<Offer, Problem> {
    let secret = Secret::parse(token).ok_or(AccountError::Link)?;
    let link = app.store().link(&secret.hash()).await?.filter(|link| link.expires_at > now());
    match link.map(|link| link.purpose) {
        Some(Purpose::Invitation { creator, role, email }) => Ok(Offer { secret, creator, role, email }),
        _ => Err(AccountError::Link.into()),
    }
}
