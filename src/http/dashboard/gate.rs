//! Before any page: who is it, does one of our pages ask, whose data is it, and does the role allow it. In this order,
//! for every route of [`super::ROUTES`]; a creator that is not the visitor's does not exist for them.

use axum::body::Body;
use axum::extract::{FromRequestParts, MatchedPath, RawPathParams, Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};

use super::page::{self, Refusal};
use super::{ROUTES, Rule, cookie};
use crate::accounts::{Action, may, secret};
use crate::app::{self, now};
use crate::billing::Level;
use crate::domain::{CreatorId, Role, TicketState};
use crate::http::{AppState, BODY_LIMIT};
use crate::problem::{Kind, Problem};
use crate::store::{Creator, StoreError, User};

/// Who is signed in. Every handler behind the gate gets one.
#[derive(Debug, Clone)]
pub struct Visitor {
    pub user: User,
    pub session: [u8; 32],
    /// What forms of this session carry.
    pub csrf: String,
    pub address: String,
    /// Whether the visitor's browser speaks HTTPS.
    pub https: bool,
}

/// Whose data a route is about, and what the visitor is there. Absent on routes without `{creator}`.
#[derive(Debug, Clone)]
pub struct Place {
    pub creator: Creator,
    pub role: Role,
    /// Conversations that wait for a person, among the newest; none for whoever may not answer them.
    pub waiting: usize,
    /// Whether the visitor owns every assistant of this server, and so the server itself.
    pub operator: bool,
    /// How much is left of the credits; nothing where answers have no price.
    pub credits: Option<Level>,
}

impl Place {
    /// Whether the visitor may do it here.
    pub fn allows(&self, action: Action) -> bool {
        may(self.role, action) && (action != Action::RunServer || self.operator)
    }
}

/// Tickets that are looked through to count those that wait.
const LOOKED_AT: usize = 200;

/// Somebody who answers students live, over the socket of one of our pages.
#[derive(Debug, Clone)]
pub struct Member {
    pub creator: CreatorId,
    /// As students see it.
    pub name: String,
    session: [u8; 32],
}

impl Visitor {
    /// As colleagues and students see it: the name, else what stands before the `@`.
    pub fn name(&self) -> String {
        let name = self.user.name.trim();
        if name.is_empty() { self.user.email.local_part().to_owned() } else { name.to_owned() }
    }

    /// Writes into the record that this person did something to a creator's assistant.
    pub async fn note(&self, app: &AppState, place: &Place, what: &str, target: &str) -> Result<(), Problem> {
        let (who, at) = (self.user.email.as_str(), Some(&place.creator.id));
        Ok(app.accounts().note(at, who, what, target, &self.address, &app::secret()?, now()).await?)
    }
}

/// The layer.
pub async fn gate(State(app): State<AppState>, request: Request, next: Next) -> Response {
    let json = page::wants_json(request.headers());
    match admitted(&app, request).await {
        Ok(Admitted::Inside(request)) => next.run(*request).await,
        Ok(Admitted::SignIn(to)) => Redirect::to(&to).into_response(),
        Err(problem) if json => crate::http::error::ApiError(problem).into_response(),
        Err(problem) => Refusal::from(problem).into_response(),
    }
}

enum Admitted {
    Inside(Box<Request>),
    SignIn(String),
}

async fn admitted(app: &AppState, request: Request) -> Result<Admitted, Problem> {
    let (mut parts, body) = request.into_parts();
    let rule = parts.extensions.get::<MatchedPath>().and_then(|path| find(&parts.method, path.as_str()));
    let rule = rule.ok_or_else(|| Problem::internal("a route of the dashboard has no rule"))?;
    let Some(visitor) = visitor(app, &parts.headers, &parts.extensions).await? else {
        if parts.method == Method::GET && !page::wants_json(&parts.headers) {
            return Ok(Admitted::SignIn(format!("/login?next={}", encoded(parts.uri.path()))));
        }
        return Err(session_ended());
    };
    let body = if matches!(parts.method, Method::GET | Method::HEAD) {
        body
    } else {
        cookie::from_own_page(&parts.headers, &app.config().settings.server.public_url)?;
        with_token(&parts.headers, body, &visitor.csrf).await?
    };
    if rule.path.contains("{creator}") {
        let place = place(app, &mut parts, &visitor.user, rule).await?;
        parts.extensions.insert(place);
    }
    parts.extensions.insert(visitor);
    Ok(Admitted::Inside(Box::new(Request::from_parts(parts, body))))
}

fn find(method: &Method, path: &str) -> Option<&'static Rule> {
    let method = if method == Method::HEAD { "GET" } else { method.as_str() };
    ROUTES.iter().find(|rule| rule.method == method && rule.path == path)
}

/// Who sends these headers, if they are signed in.
pub async fn visitor(
    app: &AppState,
    headers: &HeaderMap,
    extensions: &axum::http::Extensions,
) -> Result<Option<Visitor>, Problem> {
    let Some((secret, https)) = cookie::read(headers) else { return Ok(None) };
    let found = app.accounts().signed_in(&secret, now()).await?;
    Ok(found.map(|found| Visitor {
        user: found.user,
        session: found.session,
        csrf: found.csrf,
        address: cookie::address(headers, extensions),
        https,
    }))
}

async fn place(
    app: &AppState,
    parts: &mut axum::http::request::Parts,
    user: &User,
    rule: &Rule,
) -> Result<Place, Problem> {
    let named = RawPathParams::from_request_parts(parts, app).await;
    let named = named
        .map_err(|error| Problem::new(Kind::Missing, "not_found", error.body_text(), "check the address"))?;
    let slug = named.iter().find(|(name, _)| *name == "creator").map(|(_, value)| value).unwrap_or_default();
    let missing = || Problem::new(Kind::Missing, "not_found", "there is nothing here", "go to the overview");
    let creator: CreatorId = slug.parse().map_err(|_| missing())?;
    let role = *user.roles.get(&creator).ok_or_else(missing)?;
    let creator = match app.store().creator(&creator).await {
        Ok(creator) => creator,
        Err(StoreError::NoCreator(_)) => return Err(missing()),
        Err(error) => return Err(error.into()),
    };
    if rule.action.is_some_and(|action| may(role, action)) {
        let waiting = if may(role, Action::AnswerStudents) { waiting(app, &creator.id).await? } else { 0 };
        let operator = role == Role::Owner && owns_all(app, user).await?;
        let credits = app.standing(&creator.id).await?.map(|standing| standing.level);
        let place = Place { creator, role, waiting, operator, credits };
        if rule.action.is_some_and(|action| place.allows(action)) {
            return Ok(place);
        }
        return Err(Problem::new(
            Kind::Forbidden,
            "server_of_others",
            "this concerns the whole server, and others have assistants on it",
            "whoever runs the server does it in its terminal",
        ));
    }
    Err(Problem::new(
        Kind::Forbidden,
        "role_too_small",
        format!("your role here is {role}, which does not allow this"),
        "ask an owner of this assistant",
    ))
}

async fn owns_all(app: &AppState, user: &User) -> Result<bool, Problem> {
    let creators = app.store().creators().await?;
    Ok(creators.iter().all(|creator| user.roles.get(&creator.id) == Some(&Role::Owner)))
}

async fn waiting(app: &AppState, creator: &CreatorId) -> Result<usize, Problem> {
    let newest = app.store().tickets(creator, None, LOOKED_AT).await?;
    Ok(newest.iter().filter(|ticket| ticket.state == TicketState::Open).count())
}

/// Who opens a socket from one of our pages: the cookie says who it is, the token that the page is ours.
pub async fn member(
    app: &AppState,
    headers: &HeaderMap,
    creator: &str,
    token: &str,
) -> Result<Member, Problem> {
    cookie::from_own_page(headers, &app.config().settings.server.public_url)?;
    let visitor = visitor(app, headers, &axum::http::Extensions::new()).await?.ok_or_else(session_ended)?;
    if !secret::same(token, &visitor.csrf) {
        return Err(form_too_old());
    }
    let missing = || Problem::new(Kind::Missing, "not_found", "there is nothing here", "open the page anew");
    let creator: CreatorId = creator.parse().map_err(|_| missing())?;
    let member = Member { name: visitor.name(), session: visitor.session, creator };
    if !answers(&visitor.user, &member.creator) {
        return Err(missing());
    }
    Ok(member)
}

/// Whether that somebody still may: a session ends, and so does a role.
pub async fn is_still(app: &AppState, member: &Member) -> Result<bool, Problem> {
    let user = app.accounts().still_in(&member.session, now()).await?;
    Ok(user.is_some_and(|user| answers(&user, &member.creator)))
}

fn answers(user: &User, creator: &CreatorId) -> bool {
    user.roles.get(creator).is_some_and(|role| may(*role, Action::AnswerStudents))
}

fn session_ended() -> Problem {
    Problem::new(
        Kind::Unauthenticated,
        "session_ended",
        "you are not signed in any more",
        "sign in at `/login`; what you typed is still in the other tab",
    )
}

fn form_too_old() -> Problem {
    Problem::new(
        Kind::Forbidden,
        "form_too_old",
        "this form was made for another session",
        "go back, open the page anew, and send it again",
    )
}

/// The body again, after its token was looked at: a header of our scripts, or a field of a form.
async fn with_token(headers: &HeaderMap, body: Body, token: &str) -> Result<Body, Problem> {
    if let Some(given) = headers.get("x-csrf-token") {
        let right = given.to_str().is_ok_and(|given| secret::same(given, token));
        return if right { Ok(body) } else { Err(form_too_old()) };
    }
    let form = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if !form.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded")) {
        return Err(form_too_old());
    }
    let bytes =
        axum::body::to_bytes(body, BODY_LIMIT).await.map_err(|_| crate::http::extract::too_large())?;
    let given = url::form_urlencoded::parse(&bytes).find(|(name, _)| name == "csrf").map(|(_, value)| value);
    if given.is_some_and(|given| secret::same(&given, token)) {
        Ok(Body::from(bytes))
    } else {
        Err(form_too_old())
    }
}

fn encoded(path: &str) -> String {
    url::form_urlencoded::byte_serialize(path.as_bytes()).collect()
}

impl<S: Send + Sync> FromRequestParts<S> for Visitor {
    type Rejection = Refusal;
    async fn from_request_parts(parts: &mut axum::http::request::Parts, _: &S) -> Result<Self, Refusal> {
        let found = parts.extensions.get::<Self>().cloned();
        found.ok_or_else(|| Refusal::from(Problem::internal("a page of the dashboard without its gate")))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Place {
    type Rejection = Refusal;
    async fn from_request_parts(parts: &mut axum::http::request::Parts, _: &S) -> Result<Self, Refusal> {
        let found = parts.extensions.get::<Self>().cloned();
        found.ok_or_else(|| Refusal::from(Problem::internal("a page of a creator without its gate")))
    }
}
