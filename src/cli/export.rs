//! `export`: everything of one creator in an archive of JSON Lines and original files, for other programs.

use std::path::PathBuf;

use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::output::Output;
use crate::app::App;
use crate::domain::CreatorId;
use crate::problem::Problem;

#[derive(Debug, Args, Serialize, Deserialize)]
pub struct Export {
    /// Whose content, conversations and settings
    #[arg(long, value_name = "SLUG")]
    creator: String,
    /// File to write; replaced only when the new one is whole [default: SLUG-export.zip]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Export {
    /// The same for a process with another working directory.
    pub fn elsewhere(self) -> Result<Self, Problem> {
        let out = super::ingest::absolute(&self.file())?.into();
        Ok(Self { out: Some(out), ..self })
    }

    fn file(&self) -> PathBuf {
        self.out.clone().unwrap_or_else(|| format!("{}-export.zip", self.creator).into())
    }
}

pub async fn run(export: Export, app: &App, output: &Output) -> Result<(), Problem> {
    let creator: CreatorId = export.creator.parse()?;
    let file = export.file();
    let holds = app.export(&creator, &file).await?;
    if output.json {
        return output.document(&json!({"file": file, "creator": creator, "holds": holds}));
    }
    output.data(format!(
        "wrote {} ({} KiB): {} documents, {} originals, {} answers, {} tickets",
        file.display(),
        holds.bytes >> 10,
        holds.documents,
        holds.files,
        holds.turns,
        holds.escalations
    ));
    Ok(())
}
