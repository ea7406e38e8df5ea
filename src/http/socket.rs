//! `GET /ws`: what happens, as it happens, and people speaking with students. Frames are JSON texts.
//!
//! A creator's program or person proves itself by a key, in `Authorization` or in the first frame, and hears every
//! event of that creator. So does a page of the dashboard, by the cookie of who is signed in and its token; its session
//! is looked at again and again, and ends the connection. A student's page proves by the conversation's token that it began the conversation, and
//! hears what a person says there, nothing else. Neither ever stands in the address, which logs would keep.
//! What wakes the loop of a connection: a frame, an event of the store, the clock. A reader that is too slow for the
//! events is closed; so is one that is silent for longer than its pings.

use std::time::{Duration, Instant};

use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message as Frame, WebSocket, WebSocketUpgrade, close_code};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::response::Response;
use metrics::gauge;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::sync::broadcast::error::RecvError;

use super::api::chat::{admitted, not_theirs};
use super::api::escalations::short;
use super::auth::Principal;
use super::dashboard::{self, Member};
use super::error::{ApiError, body};
use super::{AppState, cors};
use crate::domain::{ConversationId, CreatorId, Event, EventKind, Matter, Party, Scope, Subject, Told};
use crate::events;
use crate::problem::{Kind, Problem};
use crate::telemetry::metrics as names;

/// Connections at once.
const PLACES: usize = 2_048;
/// Largest frame: a message has 4,000 characters at most.
const LARGEST: usize = 32 * 1024;
/// Whoever connects says who they are within this time.
const PATIENCE: Duration = Duration::from_secs(10);
/// A frame that does not go out within this time does not go out at all.
const SEND: Duration = Duration::from_secs(10);
const PING: Duration = Duration::from_secs(30);
/// Two pings that nobody answered.
const SILENCE: Duration = Duration::from_secs(75);
/// Frames that may come at once, and how many of them come back in a second.
const BURST: f64 = 20.0;
const REFILL: f64 = 5.0;
/// Longest message and name, in characters.
const MOST_TEXT: usize = 4_000;
const MOST_NAME: usize = 120;
/// Messages of the past that a student's page gets.
const PAST: usize = 100;

static OPEN: Semaphore = Semaphore::const_new(PLACES);

/// What a client says.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Said {
    /// The first frame of a creator's program without the header.
    Auth {
        key: String,
    },
    /// The first frame of a page of the dashboard.
    Enter {
        creator_id: String,
        csrf: String,
    },
    /// The first frame of a student's page.
    Join {
        creator_id: String,
        conversation_id: String,
        token: String,
    },
    Typing {
        conversation_id: Option<String>,
    },
    Message {
        conversation_id: Option<String>,
        text: String,
        by: Option<String>,
    },
    TakeOver {
        conversation_id: String,
        by: Option<String>,
    },
    HandBack {
        conversation_id: String,
        by: Option<String>,
    },
    Ping,
}

/// Who is at the other end.
#[derive(Debug, Clone)]
enum Role {
    /// A program with the creator's key, or somebody who is signed in.
    Agent(CreatorId, Option<Member>),
    Student(CreatorId, ConversationId),
}

/// Upgrades. A key in the header is checked before; a page of another site has no business with keys.
pub async fn open(
    State(app): State<AppState>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    let upgrade = upgrade.map_err(|rejection| {
        Problem::new(
            Kind::Invalid,
            "websocket_expected",
            rejection.body_text(),
            "connect with a WebSocket client: `ws://HOST/ws`",
        )
    })?;
    let role = match headers.get(AUTHORIZATION) {
        None => None,
        Some(value) => {
            let principal = Principal::of_header(&app, Some(value), Scope::Write).await?;
            cors::check_own(&headers, &app.config().settings.server.public_url)?;
            Some(Role::Agent(principal.creator, None))
        }
    };
    let place = OPEN.try_acquire().map_err(|_| {
        Problem::new(
            Kind::Busy(Duration::from_secs(5)),
            "busy",
            "too many connections are open",
            "connect again in a moment",
        )
    })?;
    let upgrade =
        upgrade.max_message_size(LARGEST).max_frame_size(LARGEST).max_write_buffer_size(8 * LARGEST);
    Ok(upgrade.on_upgrade(async move |socket| {
        let _place = place;
        let _counted = Counted::new();
        let mut connection =
            Connection { desk: Desk { app, headers }, socket, allowance: BURST, last: Instant::now() };
        let ended = connection.run(role).await;
        if let Some((code, reason)) = ended {
            let close = Frame::Close(Some(CloseFrame { code, reason: reason.into() }));
            // The other side may be gone, or never read again.
            let _ = tokio::time::timeout(Duration::from_secs(1), connection.socket.send(close)).await;
        }
    }))
}

/// What frames work with; apart from the socket, which no two threads may look at.
struct Desk {
    app: AppState,
    headers: HeaderMap,
}

/// Why the server closes; nothing when the other side is gone.
type End = Option<(u16, &'static str)>;

struct Connection {
    desk: Desk,
    socket: WebSocket,
    /// Frames that may still come.
    allowance: f64,
    last: Instant,
}

impl Connection {
    /// Until one side ends it.
    async fn run(&mut self, role: Option<Role>) -> End {
        let mut news = self.desk.app.store().news();
        let role = match role {
            Some(role) => role,
            None => match tokio::time::timeout(PATIENCE, self.introduced()).await {
                Ok(Ok(role)) => role,
                Ok(Err(end)) => return end,
                Err(_) => return Some((close_code::POLICY, "say who you are first")),
            },
        };
        // Registered before anything is read, so that what a person says from now on comes here and not by mail.
        let _present = match &role {
            Role::Student(creator, conversation) => Some(self.desk.app.present(creator, conversation)),
            Role::Agent(..) => None,
        };
        if let Err(end) = self.welcome(&role).await {
            return end;
        }
        let mut heard = Instant::now();
        let mut pings = tokio::time::interval_at(tokio::time::Instant::now() + PING, PING);
        loop {
            let outcome = tokio::select! {
                frame = self.socket.recv() => {
                    heard = Instant::now();
                    self.frame(&role, frame).await
                }
                told = news.recv() => match told {
                    Ok(told) => match words_for(&role, &told) {
                        Some(words) => self.send(&words).await,
                        None => Ok(()),
                    },
                    Err(RecvError::Lagged(_)) => Err(Some((close_code::AGAIN, "too slow for what happens; connect again"))),
                    Err(RecvError::Closed) => Err(Some((close_code::AWAY, "the server stops"))),
                },
                _ = pings.tick() => match heard.elapsed() > SILENCE {
                    true => Err(Some((close_code::POLICY, "silent for too long"))),
                    false => match self.desk.may_stay(&role).await {
                        Ok(()) => self.write(Frame::Ping(Vec::new().into())).await,
                        Err(end) => Err(end),
                    },
                },
            };
            if let Err(end) = outcome {
                return end;
            }
        }
    }

    /// The first frame, which says who is there.
    async fn introduced(&mut self) -> Result<Role, End> {
        loop {
            let Some(Ok(frame)) = self.socket.recv().await else { return Err(None) };
            let text = match &frame {
                Frame::Text(text) => text.as_str(),
                Frame::Close(_) => return Err(None),
                Frame::Ping(_) | Frame::Pong(_) => continue,
                Frame::Binary(_) => return Err(Some((close_code::UNSUPPORTED, "frames are JSON texts"))),
            };
            let found = match serde_json::from_str(text) {
                Ok(said) => self.desk.identify(said).await,
                Err(error) => Err(unreadable(&error)),
            };
            return match found {
                Ok(role) => Ok(role),
                Err(problem) => {
                    self.refuse(&problem).await?;
                    Err(Some((close_code::POLICY, problem.code)))
                }
            };
        }
    }

    /// What the other side needs to begin with.
    async fn welcome(&mut self, role: &Role) -> Result<(), End> {
        let words = match role {
            Role::Agent(creator, _) => json!({"type": "ready", "role": "agent", "creator_id": creator}),
            Role::Student(creator, conversation) => {
                let store = self.desk.app.store();
                let (ticket, said) = tokio::join!(
                    store.ticket(creator, conversation),
                    store.messages(creator, conversation, PAST)
                );
                let failed = |_| Some((close_code::ERROR, "the conversation cannot be read"));
                let messages: Vec<Value> = said.map_err(failed)?.iter().map(events::body::message).collect();
                json!({
                    "type": "ready", "role": "student", "conversation_id": conversation,
                    "taken_over": ticket.map_err(failed)?.is_some_and(|ticket| ticket.taken_over),
                    "messages": messages,
                })
            }
        };
        self.send(&words).await
    }

    async fn frame(&mut self, role: &Role, frame: Option<Result<Frame, axum::Error>>) -> Result<(), End> {
        let text = match frame {
            Some(Ok(Frame::Text(text))) => text,
            Some(Ok(Frame::Ping(_) | Frame::Pong(_))) => return Ok(()),
            Some(Ok(Frame::Binary(_))) => {
                return Err(Some((close_code::UNSUPPORTED, "frames are JSON texts")));
            }
            // A frame that is too large, or broken, is an error of the stream.
            Some(Err(_)) => {
                return Err(Some((close_code::SIZE, "the frame cannot be read, or is too large")));
            }
            Some(Ok(Frame::Close(_))) | None => return Err(None),
        };
        let passed = self.last.elapsed().as_secs_f64();
        self.last = Instant::now();
        self.allowance = (self.allowance + passed * REFILL).min(BURST) - 1.0;
        if self.allowance < 0.0 {
            return Err(Some((close_code::POLICY, "too many frames")));
        }
        self.desk.may_stay(role).await?;
        let done = match serde_json::from_str(&text) {
            Ok(said) => self.desk.act(role, said).await,
            Err(error) => Err(unreadable(&error)),
        };
        match done {
            Ok(Some(words)) => self.send(&words).await,
            Ok(None) => Ok(()),
            Err(problem) => self.refuse(&problem).await,
        }
    }

    async fn refuse(&mut self, problem: &Problem) -> Result<(), End> {
        let error = body(problem, "").error;
        self.send(&json!({
            "type": "error",
            "error": {"code": error.code, "message": error.message, "hint": error.hint},
        }))
        .await
    }

    async fn send(&mut self, words: &Value) -> Result<(), End> {
        self.write(Frame::text(words.to_string())).await
    }

    async fn write(&mut self, frame: Frame) -> Result<(), End> {
        match tokio::time::timeout(SEND, self.socket.send(frame)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(None),
            Err(_) => Err(Some((close_code::AGAIN, "too slow; connect again"))),
        }
    }
}

impl Desk {
    async fn identify(&self, said: Said) -> Result<Role, Problem> {
        match said {
            Said::Auth { key } => {
                cors::check_own(&self.headers, &self.app.config().settings.server.public_url)?;
                let principal =
                    Principal::of_key(&self.app, &key, Scope::Write).await.map_err(|error| error.0)?;
                Ok(Role::Agent(principal.creator, None))
            }
            Said::Enter { creator_id, csrf } => {
                let member = dashboard::member(&self.app, &self.headers, &creator_id, &csrf).await?;
                Ok(Role::Agent(member.creator.clone(), Some(member)))
            }
            Said::Join { creator_id, conversation_id, token } => {
                let creator =
                    admitted(&self.app, &self.headers, &creator_id).await.map_err(|error| error.0)?;
                let conversation: ConversationId = conversation_id.parse()?;
                if !self.app.tokens().await?.is_of(&token, &creator, &conversation) {
                    return Err(not_theirs());
                }
                Ok(Role::Student(creator, conversation))
            }
            _ => Err(Problem::new(
                Kind::Unauthenticated,
                "key_required",
                "the first frame says who you are",
                "send {\"type\":\"auth\",\"key\":…} or {\"type\":\"join\",\"creator_id\",\"conversation_id\",\"token\"}",
            )),
        }
    }

    /// A key opens the connection once and for all; a session and a role can end while it lasts.
    async fn may_stay(&self, role: &Role) -> Result<(), End> {
        let Role::Agent(_, Some(member)) = role else { return Ok(()) };
        match dashboard::is_still(&self.app, member).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Some((close_code::POLICY, "you are not signed in any more"))),
            Err(_) => Err(Some((close_code::AGAIN, "it cannot be seen whether you are signed in"))),
        }
    }

    /// Does what is asked; what everybody should know comes back as an event.
    async fn act(&self, role: &Role, said: Said) -> Result<Option<Value>, Problem> {
        let app = &self.app;
        match (role, said) {
            (_, Said::Ping) => Ok(Some(json!({"type": "pong"}))),
            (_, Said::Auth { .. } | Said::Enter { .. } | Said::Join { .. }) => {
                Err(invalid("who you are was said already; open another connection for somebody else"))
            }
            (Role::Student(creator, conversation), Said::Typing { .. }) => {
                self.typing(creator, conversation.clone(), Party::Student);
                Ok(None)
            }
            (Role::Student(creator, conversation), Said::Message { text, .. }) => {
                let ticket = app.store().ticket(creator, conversation).await?;
                if !ticket.is_some_and(|ticket| ticket.taken_over) {
                    return Err(Problem::new(
                        Kind::Conflict,
                        "not_taken_over",
                        "no person has this conversation",
                        "ask the assistant with `POST /chat`",
                    ));
                }
                let text = filled(&text)?;
                let message = app.say(creator, conversation, Party::Student, None, text).await?;
                Ok(Some(json!({"type": "sent", "message": events::body::message(&message)})))
            }
            (Role::Student(..), _) => Err(Problem::new(
                Kind::Forbidden,
                "key_required",
                "a student cannot do this",
                "connect with the creator's key",
            )),
            (Role::Agent(creator, _), Said::Typing { conversation_id }) => {
                self.typing(creator, wanted(conversation_id)?, Party::Person);
                Ok(None)
            }
            (Role::Agent(creator, member), Said::Message { conversation_id, text, by }) => {
                let conversation = wanted(conversation_id)?;
                if app.store().ticket(creator, &conversation).await?.is_none() {
                    return Err(Problem::new(
                        Kind::Missing,
                        "unknown_escalation",
                        format!("there is no escalation `{conversation}`"),
                        "`GET /api/v1/escalations` lists those there are",
                    ));
                }
                let by = Some(name(member, by)?).filter(|name| !name.is_empty());
                let message = app.say(creator, &conversation, Party::Person, by, filled(&text)?).await?;
                Ok(Some(json!({"type": "sent", "message": events::body::message(&message)})))
            }
            (Role::Agent(creator, member), Said::TakeOver { conversation_id, by }) => {
                let by = name(member, by)?;
                let ticket = app.take_over(creator, &conversation_id.parse()?, &by).await?;
                Ok(Some(json!({"type": "taken_over", "escalation": events::body::ticket(&ticket)})))
            }
            (Role::Agent(creator, member), Said::HandBack { conversation_id, by }) => {
                let by = name(member, by)?;
                let ticket = app.hand_back(creator, &conversation_id.parse()?, &by).await?;
                Ok(Some(json!({"type": "handed_back", "escalation": events::body::ticket(&ticket)})))
            }
        }
    }

    /// Told to whoever listens, and not kept.
    fn typing(&self, creator: &CreatorId, conversation: ConversationId, party: Party) {
        let subject = Subject { conversation: Some(conversation), ..Subject::default() };
        let event = Event::new(creator, EventKind::Typing, subject, crate::app::now());
        self.app.store().tell(Told { event, matter: Matter::Typing(party) });
    }
}

/// What an event is for this listener; nothing when it does not concern them.
fn words_for(role: &Role, told: &Told) -> Option<Value> {
    let event = &told.event;
    match role {
        Role::Agent(creator, _) => (event.creator == *creator).then(|| {
            let mut whole = events::body::of(event, &told.matter);
            if let (EventKind::Typing, Some(conversation)) = (event.kind, &event.subject.conversation) {
                whole["data"]["conversation_id"] = conversation.as_str().into();
            }
            json!({"type": "event", "event": whole})
        }),
        Role::Student(creator, conversation) => {
            if event.creator != *creator || event.subject.conversation.as_ref() != Some(conversation) {
                return None;
            }
            match (event.kind, &told.matter) {
                (EventKind::MessageCreated, Matter::Message(message)) if message.from == Party::Person => {
                    Some(json!({"type": "message", "message": events::body::message(message)}))
                }
                (EventKind::Typing, Matter::Typing(Party::Person)) => Some(json!({"type": "typing"})),
                (EventKind::ConversationTakenOver, Matter::Ticket(ticket)) => {
                    Some(json!({"type": "taken_over", "by": ticket.assignee}))
                }
                (EventKind::ConversationHandedBack | EventKind::ConversationResolved, _) => {
                    Some(json!({"type": "handed_back"}))
                }
                _ => None,
            }
        }
    }
}

fn wanted(conversation: Option<String>) -> Result<ConversationId, Problem> {
    Ok(conversation.ok_or_else(|| invalid("`conversation_id` is missing"))?.parse()?)
}

fn filled(text: &str) -> Result<String, Problem> {
    let text = short(text, "text", MOST_TEXT)?;
    if text.is_empty() { Err(invalid("`text` is empty")) } else { Ok(text) }
}

/// Who is signed in has their own name, and no other.
fn name(member: &Option<Member>, by: Option<String>) -> Result<String, Problem> {
    if let Some(member) = member {
        return Ok(member.name.clone());
    }
    short(by.as_deref().unwrap_or_default(), "by", MOST_NAME)
}

fn unreadable(error: &serde_json::Error) -> Problem {
    invalid(format!("the frame is not understood: {error}"))
}

fn invalid(message: impl Into<String>) -> Problem {
    Problem::new(Kind::Invalid, "invalid_request", message, "see the README for the frames of `/ws`")
}

/// Counts a connection as long as it lives.
struct Counted;

impl Counted {
    fn new() -> Self {
        gauge!(names::SOCKETS).increment(1.0);
        Self
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        gauge!(names::SOCKETS).decrement(1.0);
    }
}
