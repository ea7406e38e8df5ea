//! Flags that several subcommands of `eval` share: which part of a set, which settings, what becomes of the run.

use std::path::PathBuf;

use clap::Args;

use crate::answer::fuse::Fusion;
use crate::eval::sample::Part;
use crate::eval::variants::{OFF, Variant, combinations};

/// Which part of a set.
#[derive(Debug, Args)]
pub struct Sample {
    /// Measure only a spread sample of this many
    #[arg(long)]
    limit: Option<usize>,
    /// For the sample and for intervals
    #[arg(long, default_value_t = 7)]
    seed: u64,
}

impl Sample {
    pub fn part(&self) -> Part {
        Part { limit: self.limit, seed: self.seed }
    }
}

/// Settings to measure. Each may be given several times or with commas between values: then every combination is
/// measured and compared with the first.
#[derive(Debug, Args)]
#[command(next_help_heading = "Settings to measure (several values compare all combinations)")]
pub struct Choices {
    /// Embedding model [default: `models.embedding`]
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    embedder: Vec<String>,
    /// Chat model, or `extractive` [default: `answer.model`]
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    chat: Vec<String>,
    /// How words and nearness become one ranking: score, rrf, lexical, dense [default: `answer.fusion`]
    #[arg(long, value_name = "WAY", value_delimiter = ',')]
    fusion: Vec<Fusion>,
    /// Reads the best passages once more, or `off` [default: `answer.reranker`]
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    reranker: Vec<String>,
    /// Reads a chat model's sentences beside what they cite, or `off` [default: `answer.entailment`]
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    entailment: Vec<String>,
    /// Below this confidence the answer is declined [default: `answer.threshold`]
    #[arg(long, value_name = "SHARE", value_delimiter = ',', value_parser = share)]
    threshold: Vec<f32>,
}

fn share(text: &str) -> Result<f32, String> {
    let value = text.parse::<f32>().ok().filter(|value| (0.0..=1.0).contains(value));
    value.ok_or_else(|| "a number from 0 to 1 is wanted".to_owned())
}

/// A model's name as the settings have it: no name is none.
pub fn setting_of(name: &str) -> String {
    if name == OFF { String::new() } else { name.to_owned() }
}

impl Choices {
    /// Every combination, the first named first.
    pub fn variants(&self) -> Vec<Variant> {
        combinations(&[
            ("models.embedding", self.embedder.clone()),
            ("answer.model", self.chat.clone()),
            ("answer.fusion", self.fusion.iter().map(Fusion::to_string).collect()),
            ("answer.reranker", self.reranker.iter().map(|name| setting_of(name)).collect()),
            ("answer.entailment", self.entailment.iter().map(|name| setting_of(name)).collect()),
            ("answer.threshold", self.threshold.iter().map(f32::to_string).collect()),
        ])
    }

    /// Whether embedding models are chosen.
    pub fn names_embedder(&self) -> bool {
        !self.embedder.is_empty()
    }
}

/// What is measured, over what, and what becomes of it.
#[derive(Debug, Args)]
pub struct Options {
    #[command(flatten)]
    pub sample: Sample,
    /// Ask this creator's own content as it stands, instead of a corpus
    #[arg(long, value_name = "SLUG")]
    pub creator: Option<String>,
    /// Keep the run: a file, or a name for `eval compare`
    #[arg(long, value_name = "FILE|NAME")]
    pub save: Option<PathBuf>,
    /// Compare with a run kept before, and exit 1 where a metric falls below it by more than its interval: `last` is what
    /// `eval record` kept
    #[arg(long, value_name = "last|FILE|NAME")]
    pub baseline: Option<PathBuf>,
    /// Also write a page with tables and plots there
    #[arg(long, value_name = "FILE.html")]
    pub out: Option<PathBuf>,
    /// With --json: each question's scores as well
    #[arg(long)]
    pub per_question: bool,
    #[command(flatten)]
    pub choices: Choices,
}
