//! Tests of whole models: tiny ones that [`tiny`] makes, compared with candle's own forward passes
//! ([`families`]), tokens and prompts ([`tokens`], [`templates`]), and SmolLM2-135M-Instruct compared with
//! llama.cpp ([`smollm`]), where its weights are at hand.

mod families;
pub mod smollm;
mod templates;
pub mod tiny;
mod tokens;
