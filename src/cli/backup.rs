//! `backup` and `restore`: everything in one checked file, and back.

use std::path::PathBuf;

use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::output::Output;
use crate::app::App;
use crate::config::Config;
use crate::problem::Problem;
use crate::store::Store;

#[derive(Debug, Args, Serialize, Deserialize)]
pub struct Backup {
    /// File to write; replaced only when the new one is whole
    file: PathBuf,
}

#[derive(Debug, Args)]
pub struct Restore {
    /// File that `backup` wrote
    file: PathBuf,
}

impl Backup {
    /// The same for a process with another working directory.
    pub fn elsewhere(self) -> Result<Self, Problem> {
        Ok(Self { file: super::ingest::absolute(&self.file)?.into() })
    }
}

pub async fn backup(backup: Backup, app: &App, output: &Output) -> Result<(), Problem> {
    app.store().backup(&backup.file).await?;
    let bytes = std::fs::metadata(&backup.file).map(|file| file.len()).unwrap_or_default();
    if output.json {
        return output.document(&json!({"file": backup.file, "bytes": bytes}));
    }
    output.data(format!("wrote {} ({} KiB)", backup.file.display(), bytes >> 10));
    Ok(())
}

pub async fn restore(restore: Restore, config: &Config, output: &Output) -> Result<(), Problem> {
    Store::restore(&restore.file, &config.data_dir).await?;
    if output.json {
        return output.document(&json!({"data_dir": config.data_dir}));
    }
    output.data(format!("restored {} into {}", restore.file.display(), config.data_dir.display()));
    Ok(())
}
