//! Reading evaluation data: the folders and files of the contract's section 5.
//!
//! Everything is read line by line, and whatever is wrong is told with its file and line. A line longer than
//! [`MAX_LINE`] is refused rather than held in memory. [`retrieval`] is a folder in BEIR's layout, the others are
//! single files. What is measured on the data is not decided here.

mod answers;
mod grounding;
mod injection;
mod lines;
mod retrieval;

pub use answers::{AnswerCase, read_answers};
pub use grounding::{GroundingCase, read_grounding};
pub use injection::{InjectionCase, InjectionKind, read_injection};
pub use lines::{JsonLines, MAX_LINE};
pub use retrieval::{CorpusEntry, Judgements, Query, RetrievalSet, read_corpus};

use std::path::PathBuf;

/// Why a data set cannot be read. All of it is for whoever made or named the files.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    #[error("cannot read `{}`: {source}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("`{}`, line {line}: {what}", path.display())]
    Line { path: PathBuf, line: u64, what: String },
    #[error("`{}` holds nothing to measure", .0.display())]
    Empty(PathBuf),
}

impl DatasetError {
    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Read { .. } => {
                "a retrieval set is a folder with `corpus.jsonl`, `queries.jsonl` and `qrels/test.tsv`; the others are one `.jsonl` file"
            }
            Self::Line { .. } => "mend this line, or leave it out",
            Self::Empty(_) => "check that this is the file you meant",
        }
    }
}
