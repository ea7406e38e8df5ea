//! Bytes become searchable: detect, extract, chunk, embed, record.

pub mod chunk;
pub mod detect;
pub mod extract;
pub mod sentences;
pub mod source;
