//! `reindex`: all vectors of a creator again, with the same or another embedding model; with `--gate` only where the
//! creator's questions are then found no worse.
//!
//! The new vectors take the place of the old ones in one transaction, and with a gate the old ones go back the same way. So
//! while the questions are asked, which takes seconds, students are answered from the new ones.

use std::path::PathBuf;

use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::output::Output;
use crate::app::App;
use crate::app::vectors::Aside;
use crate::domain::{CreatorId, EmbeddingModelId};
use crate::eval::EvalError;
use crate::eval::compare::{Comparison, compare};
use crate::eval::dataset::RetrievalSet;
use crate::eval::engine::Engine;
use crate::eval::report::Report;
use crate::eval::retrieval::{self, Part};
use crate::problem::{Kind, Problem};

/// Of the draws of a comparison; `eval compare` begins with the same.
const SEED: u64 = 7;

#[derive(Debug, Args, Serialize, Deserialize)]
pub struct Reindex {
    /// Whose collection
    #[arg(long, value_name = "SLUG")]
    creator: String,
    /// `static`, or an installed embedding model [default: `models.embedding`]
    #[arg(long, value_name = "NAME")]
    embedder: Option<String>,
    /// Go back to the former vectors if these questions are then found worse: a folder in BEIR's layout, or a file of
    /// questions with the documents that answer them
    #[arg(long, value_name = "QUESTIONS")]
    gate: Option<PathBuf>,
}

impl Reindex {
    /// The same for a process with another working directory.
    pub fn elsewhere(self) -> Result<Self, Problem> {
        let gate = self.gate.as_deref().map(super::ingest::absolute).transpose()?;
        Ok(Self { gate: gate.map(PathBuf::from), ..self })
    }
}

pub async fn run(reindex: Reindex, app: &App, output: &Output) -> Result<(), Problem> {
    let creator: CreatorId = reindex.creator.parse()?;
    let Some(questions) = &reindex.gate else {
        let model = embed(&reindex, &creator, app, output).await?;
        return tell(&creator, &model, None, output);
    };
    let set = super::eval::questions(questions)?;
    let before = measured(app, &creator, &set).await?;
    let aside = app.set_aside(&creator).await?;
    let model = embed(&reindex, &creator, app, output).await?;
    match judge(app, &creator, &set, &before).await {
        Ok(comparison) if !comparison.rows.iter().any(|row| row.falls()) => {
            tell(&creator, &model, Some(&comparison), output)
        }
        Ok(comparison) => {
            let former = put_back(app, &creator, aside).await?;
            if output.json {
                output.document(&json!({"creator_id": creator, "embedding": former, "gate": comparison}))?;
            } else {
                output.data(format!(
                    "A is the former model, B {}\n{}",
                    model.name,
                    comparison.table().trim_end()
                ));
            }
            Err(worse(&comparison, &model, former.as_ref()))
        }
        // What could not be measured is not let through.
        Err(problem) => {
            put_back(app, &creator, aside).await?;
            Err(problem)
        }
    }
}

async fn embed(
    reindex: &Reindex,
    creator: &CreatorId,
    app: &App,
    output: &Output,
) -> Result<EmbeddingModelId, Problem> {
    let bar = super::ingest::bar(output, "embedding");
    let progress = |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    };
    let model = app.reindex(creator, reindex.embedder.as_deref(), progress).await?;
    bar.finish_and_clear();
    Ok(model)
}

/// How well the questions are found now.
async fn measured(app: &App, creator: &CreatorId, set: &RetrievalSet) -> Result<Report, Problem> {
    let engine = Engine::beside(app, creator.clone()).await?;
    let part = Part { limit: None, seed: SEED };
    Ok(retrieval::run(&engine, set, part, |_, _| {}, |_| {}).await?)
}

async fn judge(
    app: &App,
    creator: &CreatorId,
    set: &RetrievalSet,
    before: &Report,
) -> Result<Comparison, Problem> {
    let after = measured(app, creator, set).await?;
    Ok(compare(before, &after, SEED, |_, _| {}).map_err(EvalError::from)?)
}

/// The model whose vectors are there again.
async fn put_back(
    app: &App,
    creator: &CreatorId,
    aside: Option<Aside>,
) -> Result<Option<EmbeddingModelId>, Problem> {
    let Some(aside) = aside else { return Ok(None) };
    let model = aside.model.clone();
    app.put_back(creator, aside).await?;
    Ok(Some(model))
}

fn worse(comparison: &Comparison, model: &EmbeddingModelId, former: Option<&EmbeddingModelId>) -> Problem {
    let fallen: Vec<&str> =
        comparison.rows.iter().filter(|row| row.falls()).map(|row| row.metric.as_str()).collect();
    let former = former.map_or("the former model", |former| former.name.as_str());
    Problem::new(
        Kind::Conflict,
        "worse_than_before",
        format!(
            "with {} the questions are found worse by more than the interval ({}); {former} is used as before",
            model.name,
            fallen.join(", ")
        ),
        "try another model, or leave out `--gate` if it is meant to be so",
    )
}

fn tell(
    creator: &CreatorId,
    model: &EmbeddingModelId,
    gate: Option<&Comparison>,
    output: &Output,
) -> Result<(), Problem> {
    if output.json {
        let mut said = json!({"creator_id": creator, "embedding": model});
        if let Some(gate) = gate {
            said["gate"] = json!(gate);
        }
        return output.document(&said);
    }
    if let Some(gate) = gate {
        output.data(format!("A is the former model, B {}\n{}\n", model.name, gate.table().trim_end()));
    }
    output.data(format!("`{creator}` is searched with {} now", model.name));
    Ok(())
}
