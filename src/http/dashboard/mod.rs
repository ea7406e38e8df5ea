//! The creator's dashboard: pages made on the server, one file for each. Which route needs what is one table here,
//! [`ROUTES`]; [`gate`] enforces it before any handler runs, so that no handler decides who may come in.

mod account;
mod billing;
mod chart;
mod content;
mod conversations;
mod cookie;
mod data;
mod experiments;
mod forgotten;
mod gate;
mod inbox;
mod insights;
mod models;
mod overview;
mod page;
mod pricing;
mod record;
mod replies;
mod second;
mod sign_in;
mod sources;
mod system;
mod team;
mod ticket;
mod voice;
mod webhooks;
mod widget;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::handler::Handler;
use axum::routing::{get, post};

use super::AppState;
use crate::accounts::Action;
pub use gate::{Member, is_still, member};

/// A route behind the gate.
#[derive(Debug)]
pub struct Rule {
    pub method: &'static str,
    /// As the router names it; `{creator}` is whose data it is about.
    pub path: &'static str,
    /// `None` for what everybody who is signed in may do.
    pub action: Option<Action>,
}

const fn rule(method: &'static str, path: &'static str, action: Option<Action>) -> Rule {
    Rule { method, path, action }
}

/// Every route behind the gate. What is not here is refused, whatever the router knows.
pub const ROUTES: &[Rule] = &[
    rule("GET", "/dashboard", None),
    rule("POST", "/logout", None),
    rule("GET", "/account", None),
    rule("POST", "/account/password", None),
    rule("POST", "/account/sessions", None),
    rule("GET", "/account/authenticator", None),
    rule("POST", "/account/authenticator", None),
    rule("POST", "/account/authenticator/remove", None),
    rule("GET", "/dashboard/{creator}", Some(Action::SeeOverview)),
    rule("GET", "/dashboard/{creator}/inbox", Some(Action::AnswerStudents)),
    rule("GET", "/dashboard/{creator}/inbox/{conversation}", Some(Action::AnswerStudents)),
    rule("POST", "/dashboard/{creator}/inbox/{conversation}", Some(Action::AnswerStudents)),
    rule("POST", "/dashboard/{creator}/replies", Some(Action::AnswerStudents)),
    rule("GET", "/dashboard/{creator}/content", Some(Action::SeeContent)),
    rule("POST", "/dashboard/{creator}/content", Some(Action::ChangeContent)),
    rule("POST", "/dashboard/{creator}/content/{document}/delete", Some(Action::ChangeContent)),
    rule("POST", "/dashboard/{creator}/sources", Some(Action::ChangeContent)),
    rule("POST", "/dashboard/{creator}/sources/{source}", Some(Action::ChangeContent)),
    rule("POST", "/dashboard/{creator}/jobs/{job}", Some(Action::ChangeContent)),
    rule("GET", "/dashboard/{creator}/conversations", Some(Action::SeeConversations)),
    rule("GET", "/dashboard/{creator}/conversations/{conversation}", Some(Action::SeeConversations)),
    rule("POST", "/dashboard/{creator}/conversations/{conversation}/correct", Some(Action::ChangeContent)),
    rule("GET", "/dashboard/{creator}/insights", Some(Action::SeeConversations)),
    rule("GET", "/dashboard/{creator}/insights.csv", Some(Action::SeeConversations)),
    rule("GET", "/dashboard/{creator}/experiments", Some(Action::SeeConversations)),
    rule("POST", "/dashboard/{creator}/experiments", Some(Action::ChooseModels)),
    rule("POST", "/dashboard/{creator}/experiments/{experiment}", Some(Action::ChooseModels)),
    rule("GET", "/dashboard/{creator}/voice", Some(Action::ChangeVoice)),
    rule("POST", "/dashboard/{creator}/voice", Some(Action::ChangeVoice)),
    rule("POST", "/dashboard/{creator}/voice/phrases", Some(Action::ChangeVoice)),
    rule("POST", "/dashboard/{creator}/voice/rules", Some(Action::ChangeVoice)),
    rule("POST", "/dashboard/{creator}/voice/avatar", Some(Action::ChangeVoice)),
    rule("POST", "/dashboard/{creator}/voice/avatar/remove", Some(Action::ChangeVoice)),
    rule("GET", "/dashboard/{creator}/widget", Some(Action::SeeWidget)),
    rule("POST", "/dashboard/{creator}/origins", Some(Action::ChangeOrigins)),
    rule("POST", "/dashboard/{creator}/keys", Some(Action::ManageKeys)),
    rule("POST", "/dashboard/{creator}/keys/{key}/revoke", Some(Action::ManageKeys)),
    rule("GET", "/dashboard/{creator}/models", Some(Action::ChooseModels)),
    rule("POST", "/dashboard/{creator}/models", Some(Action::ChooseModels)),
    rule("GET", "/dashboard/{creator}/models/pulls", Some(Action::ChooseModels)),
    rule("POST", "/dashboard/{creator}/models/try", Some(Action::ChooseModels)),
    rule("POST", "/dashboard/{creator}/models/pull", Some(Action::RunServer)),
    rule("GET", "/dashboard/{creator}/webhooks", Some(Action::ManageWebhooks)),
    rule("POST", "/dashboard/{creator}/webhooks", Some(Action::ManageWebhooks)),
    rule("POST", "/dashboard/{creator}/webhooks/{webhook}", Some(Action::ManageWebhooks)),
    rule("GET", "/dashboard/{creator}/data", Some(Action::SeeData)),
    rule("POST", "/dashboard/{creator}/data/privacy", Some(Action::ManagePrivacy)),
    rule("POST", "/dashboard/{creator}/data/erase", Some(Action::ManagePrivacy)),
    rule("GET", "/dashboard/{creator}/team", Some(Action::SeeTeam)),
    rule("POST", "/dashboard/{creator}/team", Some(Action::ManageTeam)),
    rule("POST", "/dashboard/{creator}/team/{user}", Some(Action::ManageTeam)),
    rule("GET", "/dashboard/{creator}/system", Some(Action::RunServer)),
    rule("POST", "/dashboard/{creator}/system/backup", Some(Action::RunServer)),
    rule("POST", "/dashboard/{creator}/system/mails", Some(Action::RunServer)),
    rule("GET", "/dashboard/{creator}/record", Some(Action::SeeRecord)),
    rule("GET", "/dashboard/{creator}/billing", Some(Action::ManageBilling)),
    rule("GET", "/dashboard/{creator}/billing/ledger.csv", Some(Action::ManageBilling)),
    rule("POST", "/dashboard/{creator}/billing/checkout", Some(Action::ManageBilling)),
    rule("POST", "/dashboard/{creator}/billing/portal", Some(Action::ManageBilling)),
];

/// The dashboard's routes. `uploads` is the limit of what carries a file.
pub fn routes(app: AppState, uploads: DefaultBodyLimit) -> Router<AppState> {
    let inside = Router::new()
        .route("/dashboard", get(overview::first))
        .route("/logout", post(sign_in::leave))
        .route("/account", get(account::show))
        .route("/account/password", post(account::change_password))
        .route("/account/sessions", post(account::end_sessions))
        .route("/account/authenticator", get(second::show).post(second::add))
        .route("/account/authenticator/remove", post(second::remove))
        .route("/dashboard/{creator}", get(overview::show))
        .route("/dashboard/{creator}/inbox", get(inbox::show))
        .route("/dashboard/{creator}/inbox/{conversation}", get(ticket::show).post(ticket::act))
        .route("/dashboard/{creator}/replies", post(replies::change))
        .route("/dashboard/{creator}/content", get(content::list).post(content::add.layer(uploads)))
        .route("/dashboard/{creator}/content/{document}/delete", post(content::delete))
        .route("/dashboard/{creator}/sources", post(sources::add))
        .route("/dashboard/{creator}/sources/{source}", post(sources::act))
        .route("/dashboard/{creator}/jobs/{job}", post(sources::act_on_job))
        .route("/dashboard/{creator}/conversations", get(conversations::list))
        .route("/dashboard/{creator}/conversations/{conversation}", get(conversations::show))
        .route("/dashboard/{creator}/conversations/{conversation}/correct", post(conversations::correct))
        .route("/dashboard/{creator}/insights", get(insights::show))
        .route("/dashboard/{creator}/insights.csv", get(insights::csv))
        .route("/dashboard/{creator}/experiments", get(experiments::show).post(experiments::add))
        .route("/dashboard/{creator}/experiments/{experiment}", post(experiments::act))
        .route("/dashboard/{creator}/voice", get(voice::show).post(voice::set_looks))
        .route("/dashboard/{creator}/voice/phrases", post(voice::set_phrases))
        .route("/dashboard/{creator}/voice/rules", post(voice::set_rules))
        .route("/dashboard/{creator}/voice/avatar", post(voice::set_avatar))
        .route("/dashboard/{creator}/voice/avatar/remove", post(voice::remove_avatar))
        .route("/dashboard/{creator}/widget", get(widget::show))
        .route("/dashboard/{creator}/origins", post(widget::set_origins))
        .route("/dashboard/{creator}/keys", post(widget::add_key))
        .route("/dashboard/{creator}/keys/{key}/revoke", post(widget::revoke_key))
        .route("/dashboard/{creator}/models", get(models::show).post(models::choose))
        .route("/dashboard/{creator}/models/pulls", get(models::pulls))
        .route("/dashboard/{creator}/models/try", post(models::try_out))
        .route("/dashboard/{creator}/models/pull", post(models::pull))
        .route("/dashboard/{creator}/webhooks", get(webhooks::show).post(webhooks::add))
        .route("/dashboard/{creator}/webhooks/{webhook}", post(webhooks::act))
        .route("/dashboard/{creator}/data", get(data::show))
        .route("/dashboard/{creator}/data/privacy", post(data::set_privacy))
        .route("/dashboard/{creator}/data/erase", post(data::erase))
        .route("/dashboard/{creator}/team", get(team::show).post(team::invite))
        .route("/dashboard/{creator}/team/{user}", post(team::change))
        .route("/dashboard/{creator}/system", get(system::show))
        .route("/dashboard/{creator}/system/backup", post(system::backup))
        .route("/dashboard/{creator}/system/mails", post(system::send_mails_again))
        .route("/dashboard/{creator}/record", get(record::show))
        .route("/dashboard/{creator}/billing", get(billing::show))
        .route("/dashboard/{creator}/billing/ledger.csv", get(billing::csv))
        .route("/dashboard/{creator}/billing/checkout", post(billing::checkout))
        .route("/dashboard/{creator}/billing/portal", post(billing::portal))
        .route_layer(axum::middleware::from_fn_with_state(app, gate::gate));
    Router::new()
        .route("/pricing", get(pricing::show))
        .route("/login", get(sign_in::form).post(sign_in::enter))
        .route("/login/code", post(sign_in::enter_code))
        .route("/forgot", get(forgotten::form).post(forgotten::ask))
        .route("/reset", get(forgotten::reset_form).post(forgotten::reset))
        .route("/join", get(team::join_form).post(team::join))
        .route("/setup", get(sign_in::setup_form).post(sign_in::set_up))
        .merge(inside)
}

/// Whether a path takes a file, which may be larger than everything else that is sent.
pub fn takes_files(path: &str) -> bool {
    path.starts_with("/dashboard/") && path.ends_with("/content")
}
