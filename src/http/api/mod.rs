//! One file for each thing that the API speaks of; wire types stand beside their handlers.

pub mod avatar;
pub mod billing;
pub mod brand;
pub mod chat;
pub mod compare;
pub mod conversations;
pub mod document_view;
pub mod documents;
pub mod escalations;
pub mod experiments;
pub mod feedback;
pub mod health;
pub mod insights;
pub mod jobs;
pub mod lemon;
pub mod look;
pub mod models;
pub mod openai;
pub mod openapi;
pub mod progress;
pub mod search;
pub mod settings;
pub mod sources;
pub mod students;
pub mod upload;
pub mod webhooks;

use crate::events::rfc3339;
