//! Models that run on this machine.

pub mod chat;
pub mod gguf;
