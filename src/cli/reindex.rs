//! `reindex`: all vectors of a creator again, with the same or another embedding model.

use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::output::Output;
use crate::app::App;
use crate::domain::CreatorId;
use crate::problem::Problem;

#[derive(Debug, Args, Serialize, Deserialize)]
pub struct Reindex {
    /// Whose collection
    #[arg(long, value_name = "SLUG")]
    creator: String,
    /// `static`, or an installed embedding model [default: `models.embedding`]
    #[arg(long, value_name = "NAME")]
    embedder: Option<String>,
}

pub async fn run(reindex: Reindex, app: &App, output: &Output) -> Result<(), Problem> {
    let creator: CreatorId = reindex.creator.parse()?;
    let bar = super::ingest::bar(output, "embedding");
    let model = app
        .reindex(&creator, reindex.embedder.as_deref(), |done, total| {
            bar.set_length(total);
            bar.set_position(done);
        })
        .await?;
    bar.finish_and_clear();
    if output.json {
        return output.document(&json!({"creator_id": creator, "embedding": model}));
    }
    output.data(format!("`{creator}` is searched with {} now", model.name));
    Ok(())
}
