//! Models that run on this machine. `device.rs` opens the encoders, `embedder.rs` gives each its thread.

pub mod bert;
pub mod bert_candle;
pub mod device;
pub mod embedder;
pub mod encoder;
mod matrix;
mod pointwise;
pub mod static_table;
pub mod wordpiece;
