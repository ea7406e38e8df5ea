//! `/dashboard/{creator}/record`: who did what, and when; nothing of it can be changed.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::gate::{Place, Visitor};
use super::page::{self, Refusal, Shell};
use crate::http::AppState;
use crate::store::Event;

/// The newest that are shown.
const LAST: usize = 300;

#[derive(Template)]
#[template(path = "record.html", config = "assets/dashboard/askama.toml")]
struct Record {
    shell: Shell,
    rows: Vec<Row>,
}

struct Row {
    time: String,
    machine_time: String,
    who: String,
    what: String,
    target: String,
    address: String,
}

impl From<Event> for Row {
    fn from(event: Event) -> Self {
        let what = match event.what.as_str() {
            "billing.checkout" => "went to buy",
            "billing.credits" => "changed the credits by",
            "billing.told" => "told of",
            "conversations.expired" => "erased what was old:",
            "student.erased" => "erased a student:",
            "settings.privacy" => "changed what is kept of students:",
            "content.added" => "brought in",
            "content.deleted" => "deleted",
            "key.created" => "made the key",
            "key.revoked" => "revoked the key",
            "answer.corrected" => "corrected the answer to",
            "server.pull" => "pulled the model",
            "settings.models" => "chose what writes answers:",
            "server.backup" => "took a backup of",
            "webhook.added" => "added the webhook",
            "webhook.removed" => "removed the webhook",
            "settings.replies" => "changed the replies of the inbox",
            "settings.voice" => "changed voice, brand or rules",
            "settings.origins" => "set who may ask",
            "team.added" => "let in",
            "team.invited" => "invited",
            "team.joined" => "joined as",
            "team.removed" => "took off the team",
            "team.role_changed" => "changed the role of",
            other => other,
        };
        Self {
            time: page::moment(event.at),
            machine_time: page::machine_time(event.at),
            what: what.to_owned(),
            who: event.who,
            target: event.target,
            address: if event.address.is_empty() { "this machine".to_owned() } else { event.address },
        }
    }
}

/// `GET /dashboard/{creator}/record`
pub async fn show(State(app): State<AppState>, visitor: Visitor, place: Place) -> Result<Response, Refusal> {
    let events = app.store().events(Some(&place.creator.id), LAST).await?;
    let rows = events.into_iter().map(Row::from).collect();
    Ok(page::page(&Record { rows, shell: Shell::new(&visitor, &place, "Record") }))
}
