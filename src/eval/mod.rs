//! Measuring quality: data sets in, numbers out.
//!
//! [`dataset`] reads the files of the contract's section 5, [`metrics`] are pure functions, [`sample`] chooses a part of
//! a set, [`report`] is what `eval` prints; none of them knows how an answer comes about, so that a metric can be
//! checked against other programs' numbers. [`engine`] is what is measured; [`retrieval`], [`answers`], [`grounding`]
//! and [`injection`] ask it and time it. [`compare`] puts reports beside each other, [`runs`] keeps them, [`calibrate`]
//! fits what a creator's questions can tell. What each number means is `README.md` beside this file.

pub mod answers;
pub mod calibrate;
pub mod compare;
pub mod dataset;
pub mod engine;
pub mod generate;
pub mod grounding;
pub mod injection;
pub mod machine;
pub mod metrics;
pub mod plot;
pub mod provenance;
pub mod report;
pub mod retrieval;
pub mod runs;
pub mod sample;
pub mod variants;

use crate::inference::ModelError;
use crate::problem::{Kind, Problem};

/// Why nothing could be measured.
#[derive(Debug, thiserror::Error)]
pub enum EvalError {
    #[error(transparent)]
    Dataset(#[from] dataset::DatasetError),
    #[error("no directory for the scratch data can be made: {0}")]
    Scratch(std::io::Error),
    #[error(transparent)]
    Run(#[from] runs::RunError),
    #[error(transparent)]
    Incomparable(#[from] compare::Incomparable),
    #[error("an answer ended without its last event")]
    NoAnswer,
    #[error(transparent)]
    Model(#[from] ModelError),
    #[error("{0}")]
    Engine(#[from] Problem),
}

impl From<EvalError> for Problem {
    fn from(error: EvalError) -> Self {
        match error {
            EvalError::Dataset(error) => {
                let hint = error.hint();
                Self::new(Kind::Unreadable, "unreadable_dataset", error.to_string(), hint)
            }
            EvalError::Run(error) => {
                let hint = error.hint();
                Self::new(Kind::Invalid, "run_unusable", error.to_string(), hint)
            }
            EvalError::Incomparable(error) => {
                let hint = error.hint();
                Self::new(Kind::Invalid, "runs_incomparable", error.to_string(), hint)
            }
            EvalError::Scratch(_) => Self::new(
                Kind::Full,
                "no_scratch",
                error.to_string(),
                "make room, or set TMPDIR to a directory with room",
            ),
            EvalError::NoAnswer => Self::internal(error),
            EvalError::Model(error) => error.into(),
            EvalError::Engine(problem) => problem,
        }
    }
}
