//! `POST /dashboard/{creator}/replies`: the replies that people send again and again; `inbox.rs` and `ticket.rs` show
//! them. They stand among the creator's settings.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::gate::{Place, Visitor};
use super::page::Refusal;
use crate::http::AppState;
use crate::http::api::settings;
use crate::http::extract::Form;
use crate::store::Creator;

/// Those of a creator, in their order.
pub fn of(creator: &Creator) -> Vec<String> {
    let kept = creator.settings.get(settings::REPLIES).and_then(Value::as_array);
    kept.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// A text to add, or the text of one to take away.
#[derive(Debug, Deserialize)]
pub struct Change {
    #[serde(default)]
    add: String,
    #[serde(default)]
    remove: String,
}

/// `POST /dashboard/{creator}/replies`
pub async fn change(
    State(app): State<AppState>,
    visitor: Visitor,
    place: Place,
    Form(form): Form<Change>,
) -> Result<Response, Refusal> {
    let replies = changed(of(&place.creator), &form);
    let changes = Map::from_iter([(settings::REPLIES.to_owned(), json!(replies))]);
    settings::apply(&app, &place.creator.id, changes).await?;
    visitor.note(&app, &place, "settings.replies", "").await?;
    Ok(Redirect::to(&format!("/dashboard/{}/inbox?done=true", place.creator.id)).into_response())
}

fn changed(mut replies: Vec<String>, form: &Change) -> Vec<String> {
    // Browsers send lines with CR LF; they are kept as people count them.
    let clean = |text: &str| text.replace("\r\n", "\n").trim().to_owned();
    let (add, remove) = (clean(&form.add), clean(&form.remove));
    replies.retain(|reply| *reply != remove);
    if !add.is_empty() && !replies.contains(&add) {
        replies.push(add);
    }
    replies
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_comes_once_and_goes_by_its_words() {
        let check = |add: &str, remove: &str, expected: &[&str]| {
            let before = vec!["One".to_owned(), "Two\nlines".to_owned()];
            let form = Change { add: add.to_owned(), remove: remove.to_owned() };
            assert_eq!(changed(before, &form), expected, "{form:?}");
        };
        check("Three ", "", &["One", "Two\nlines", "Three"]);
        check("One", "", &["One", "Two\nlines"]);
        check("", "Two\r\nlines", &["One"]);
        check(" ", "Nine", &["One", "Two\nlines"]);
    }
}
