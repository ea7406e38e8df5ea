//! Why a GGUF file or a computation with it failed, for the files of this folder.
//!
//! [`super::super::chat`] turns it into a [`ModelError`](crate::inference::ModelError) with the model's name.

/// The sentence says what is wrong with the file, without a final full stop.
#[derive(Debug, thiserror::Error)]
pub enum GgufError {
    #[error("{0}")]
    Read(#[from] std::io::Error),
    /// The header or its values make no sense, or ask for something that is not built.
    #[error("{0}")]
    Bad(String),
    #[error("{0}")]
    Candle(#[from] candle_core::Error),
}

impl GgufError {
    pub fn bad(reason: impl Into<String>) -> Self {
        Self::Bad(reason.into())
    }
}
