//! `GET /openapi.json`: the API as a document, made from the handlers themselves.

use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::models;
use super::{
    avatar, billing, chat, compare, conversations, document_view, documents, escalations, experiments,
    feedback, health, insights, jobs, lemon, look, openai, progress, search, settings, sources, students,
    upload, webhooks,
};

#[derive(OpenApi)]
#[openapi(
    info(title = "neverafk", description = "Answers from a creator's own content, with proof for every sentence."),
    tags(
        (name = "ask", description = "What students' pages call: no key, but the creator's list of allowed origins holds."),
        (name = "documents", description = "A creator's content: bring in, list, search, delete."),
        (name = "jobs", description = "Uploads that were queued."),
        (name = "conversations", description = "What was asked and answered."),
        (name = "escalations", description = "Conversations that need a person."),
        (name = "insights", description = "What the questions say about the course."),
        (name = "experiments", description = "Variants of the settings that are tried on students, and whether they differ."),
        (name = "students", description = "Students whom the creator's own site names: what is kept of them, and how it goes."),
        (name = "webhooks", description = "Addresses that are told what happens, signed by the Standard Webhooks specification."),
        (name = "settings", description = "What a creator chose for the own assistant."),
        (name = "billing", description = "What is used and left, and buying more; answers have no price unless the server's settings say so."),
        (name = "models", description = "The models of this machine, and chat models side by side."),
        (name = "openai", description = "For programs that speak OpenAI's API; the model's name is the creator's."),
        (name = "health", description = "For load balancers and container runtimes."),
    ),
    paths(
        chat::answer, chat::stream, chat::access, chat::contact, look::show, avatar::show, avatar::set, avatar::remove, upload::create, upload::upload, conversations::turns, documents::list, documents::show,
        documents::delete, document_view::page, document_view::text, document_view::original, document_view::captions, jobs::show, search::search, settings::show, settings::change, sources::list, sources::add, sources::remove, health::health,
        health::detailed, health::ready, health::live, compare::compare, models::list, models::pull, openai::chat::complete,
        openai::embeddings::embed, openai::models::list, openai::models::show, escalations::list, escalations::show, escalations::assign, escalations::note,
        escalations::reply, escalations::resolve, escalations::take_over, escalations::hand_back, students::list, students::show,
        students::erase, students::secret, webhooks::add, webhooks::list, webhooks::remove, webhooks::test,
        webhooks::deliveries, webhooks::redeliver, feedback::give, feedback::judge, feedback::correct, progress::add, progress::show,
        insights::show, insights::complaints, insights::gaps, insights::questions, insights::lessons, experiments::list, experiments::add, experiments::show,
        experiments::stop, experiments::use_variant, experiments::remove, billing::usage, billing::show, billing::ledger, billing::checkout,
        billing::portal, lemon::receive
    ),
    modifiers(&Key),
)]
struct Api;

/// The key that private routes ask for.
struct Key;

impl Modify for Key {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        api.components.get_or_insert_default().add_security_scheme("key", SecurityScheme::Http(bearer));
    }
}

/// The document.
pub async fn document() -> axum::Json<utoipa::openapi::OpenApi> {
    axum::Json(Api::openapi())
}
