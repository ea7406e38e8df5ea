//! Models that run on this machine: [`chat`] answers with GGUF files.
//!
//! Each keeps its weights on a thread of its own; nobody outside of `app.rs` names what is here.

pub mod chat;
pub mod gguf;
