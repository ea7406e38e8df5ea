//! Models that run on this machine. `device.rs` opens the encoders, `embedder.rs` gives each its thread; `cross.rs` reads
//! two texts at once; `chat.rs` runs the models of `gguf/`; `whisper/` writes down speech.

pub mod bert;
pub mod bert_candle;
pub mod chat;
mod checkpoint;
mod crew;
pub mod cross;
pub mod device;
pub mod embedder;
pub mod encoder;
pub mod gguf;
mod matrix;
mod pointwise;
pub mod static_table;
pub mod whisper;
pub mod wordpiece;
