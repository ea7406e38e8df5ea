//! Flags that several subcommands of `eval` share: which part of a set, and which settings.

use clap::Args;

use crate::eval::retrieval::Part;

/// Which part of a set.
#[derive(Debug, Args)]
pub struct Sample {
    /// Measure only a spread sample of this many
    #[arg(long)]
    limit: Option<usize>,
    /// For the sample
    #[arg(long, default_value_t = 7)]
    seed: u64,
}

impl Sample {
    pub fn part(&self) -> Part {
        Part { limit: self.limit, seed: self.seed }
    }
}

/// Which part of a set, measured with which settings.
#[derive(Debug, Args)]
pub struct Options {
    #[command(flatten)]
    pub sample: Sample,
    /// Embedding model [default: `models.embedding`]
    #[arg(long, value_name = "NAME")]
    embedder: Option<String>,
    /// Chat model [default: `answer.model`]
    #[arg(long, value_name = "NAME")]
    chat: Option<String>,
}

impl Options {
    /// What the flags say about settings.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        let embedder = self.embedder.clone().map(|name| ("models.embedding", name));
        embedder.into_iter().chain(self.chat.clone().map(|name| ("answer.model", name))).collect()
    }
}
