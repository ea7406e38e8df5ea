//! What all pages have in common: headers, the frame around them, the page of a refusal, and how times and sizes are
//! written for people.

use askama::Template;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::gate::{Place, Visitor};
use crate::accounts::Action;
use crate::billing::Level;
use crate::domain::Timestamp;
use crate::http::{assets, error};
use crate::problem::{Kind, Problem};

/// A page of ours.
pub fn page(template: &impl Template) -> Response {
    with_status(StatusCode::OK, template)
}

/// A page of ours that says that something went another way.
pub fn with_status(status: StatusCode, template: &impl Template) -> Response {
    let html = match template.render() {
        Ok(html) => html,
        Err(error) => return error::ApiError(Problem::internal(error)).into_response(),
    };
    let kind = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
    let mut response = assets::page((status, kind, html).into_response());
    // Without a referrer at all, browsers hide the origin of our own forms too, and the gate must see it.
    response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    response
}

/// Whether one of our scripts asks, and not a person who sees the answer.
pub fn wants_json(headers: &HeaderMap) -> bool {
    headers.get(header::ACCEPT).is_some_and(|accept| accept.as_bytes().starts_with(b"application/json"))
}

/// What is around every page of a creator.
pub struct Shell {
    pub slug: String,
    /// The assistant's name.
    pub name: String,
    pub email: String,
    pub csrf: String,
    pub links: Vec<Link>,
    /// Other creators of this person.
    pub others: Vec<String>,
    /// What every page says first.
    pub notice: Option<&'static str>,
}

/// A line of the navigation.
pub struct Link {
    pub to: String,
    pub label: &'static str,
    pub here: bool,
    /// How many wait there, on the line of the inbox.
    pub waiting: Option<usize>,
}

/// Address under the creator's, label, and what it takes to see it.
const PAGES: [(&str, &str, Action); 13] = [
    ("", "Overview", Action::SeeOverview),
    (INBOX, "Inbox", Action::AnswerStudents),
    ("/content", "Content", Action::SeeContent),
    ("/conversations", "Conversations", Action::SeeConversations),
    ("/insights", "Insights", Action::SeeConversations),
    ("/voice", "Voice & brand", Action::ChangeVoice),
    ("/widget", "Keys & widget", Action::SeeWidget),
    ("/models", "Models", Action::ChooseModels),
    ("/webhooks", "Webhooks", Action::ManageWebhooks),
    ("/team", "Team", Action::SeeTeam),
    ("/record", "Record", Action::SeeRecord),
    ("/system", "Backup & system", Action::RunServer),
    ("/data", "Where your data is", Action::SeeData),
];

/// `?done=` after a change: that something was done, or what.
#[derive(Debug, Deserialize)]
pub struct Done<T> {
    #[serde(default)]
    pub done: T,
}

/// Where the conversations are that wait for a person.
const INBOX: &str = "/inbox";

impl Shell {
    /// Around the page whose label is `here`.
    pub fn new(visitor: &Visitor, place: &Place, here: &str) -> Self {
        let slug = place.creator.id.to_string();
        let links = PAGES.iter().filter(|(.., action)| place.allows(*action)).map(|(path, label, _)| Link {
            to: format!("/dashboard/{slug}{path}"),
            label,
            here: *label == here,
            waiting: (*path == INBOX).then_some(place.waiting),
        });
        let mut links: Vec<Link> = links.collect();
        if place.credits.is_some() && place.allows(Action::ManageBilling) {
            let to = format!("/dashboard/{slug}/billing");
            links.push(Link { to, label: "Billing", here: here == "Billing", waiting: None });
        }
        Self {
            links,
            notice: place.credits.and_then(notice),
            name: place.creator.name.clone(),
            email: visitor.user.email.to_string(),
            csrf: visitor.csrf.clone(),
            others: visitor.user.roles.keys().map(|id| id.to_string()).filter(|id| *id != slug).collect(),
            slug,
        }
    }
}

fn notice(level: Level) -> Option<&'static str> {
    match level {
        Level::Enough => None,
        Level::Low => {
            Some("Most of this month's answers are used. When none is left, questions go to a person.")
        }
        Level::UsedUp => Some("No answers are left this month: every question goes to a person."),
    }
}

/// A refusal that a person sees.
pub struct Refusal(Problem);

impl<E: Into<Problem>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

#[derive(Template)]
#[template(path = "refused.html", config = "assets/dashboard/askama.toml")]
struct Refused<'a> {
    message: String,
    hint: &'a str,
    sign_in: bool,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let problem = self.0;
        let page = Refused {
            message: sentence(&problem.message),
            hint: &problem.hint,
            sign_in: problem.kind == Kind::Unauthenticated,
        };
        let mut response = with_status(error::status(problem.kind), &page);
        retry_after(&mut response, problem.kind);
        response
    }
}

/// Says when to come back, where that is why it was refused.
pub fn retry_after(response: &mut Response, kind: Kind) {
    if let Kind::Busy(wait) | Kind::TooOften(wait) = kind {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs() + 1));
    }
}

/// A message as a sentence of its own.
pub fn sentence(message: &str) -> String {
    let mut letters = message.chars();
    let first = letters.next().map(|c| c.to_uppercase().collect::<String>()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

/// `23 Nov 2026, 15:42`, in UTC.
pub fn moment(time: Timestamp) -> String {
    zoned(time, "%-d %b %Y, %H:%M")
}

/// As machines read it.
pub fn machine_time(time: Timestamp) -> String {
    zoned(time, "%Y-%m-%dT%H:%M:%SZ")
}

fn zoned(time: Timestamp, form: &str) -> String {
    let millis = i64::try_from(time.0).unwrap_or(i64::MAX);
    jiff::Timestamp::from_millisecond(millis)
        .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
        .strftime(form)
        .to_string()
}

/// `3.4 MB`: powers of ten, as file managers show them.
pub fn size(bytes: u64) -> String {
    let mut value = bytes as f64;
    for unit in ["bytes", "kB", "MB", "GB"] {
        if value < 999.5 {
            return if unit == "bytes" || value >= 99.5 {
                format!("{value:.0} {unit}")
            } else {
                format!("{value:.1} {unit}")
            };
        }
        value /= 1000.0;
    }
    format!("{value:.1} TB")
}

/// `1,234`.
pub fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_read_sizes_numbers_and_times() {
        for (bytes, text) in [
            (0, "0 bytes"),
            (999, "999 bytes"),
            (1_000, "1.0 kB"),
            (99_500, "100 kB"),
            (3_400_000, "3.4 MB"),
            (5_000_000_000_000, "5.0 TB"),
        ] {
            assert_eq!(size(bytes), text);
        }
        for (value, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(number(value), text);
        }
        assert_eq!(moment(Timestamp(0)), "1 Jan 1970, 00:00");
        assert_eq!(machine_time(Timestamp(86_400_000)), "1970-01-02T00:00:00Z");
        assert_eq!(sentence("there is nothing"), "There is nothing.");
    }
}
