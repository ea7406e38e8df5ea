//! `config show` and `config init`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::output::Output;
use crate::config::{Config, EXAMPLE};
use crate::problem::{Kind, Problem};

#[derive(Debug, Args)]
pub struct Settings {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Print each setting with its value and where it came from; secrets are masked
    Show,
    /// Write a commented settings file into the data directory
    Init(Init),
}

#[derive(Debug, Args)]
struct Init {
    /// Replace a file that is there
    #[arg(long)]
    force: bool,
}

pub fn run(settings: Settings, config: &Config, output: &Output) -> Result<(), Problem> {
    match settings.action {
        Action::Show => show(config, output),
        Action::Init(init) => write(&init, config, output),
    }
}

fn show(config: &Config, output: &Output) -> Result<(), Problem> {
    if output.json {
        let mut settings = Map::new();
        for setting in config.layers.iter() {
            let value = serde_json::to_value(setting.shown()).map_err(Problem::internal)?;
            settings
                .insert(setting.name.clone(), json!({"value": value, "origin": setting.origin.to_string()}));
        }
        return output.document(&json!({
            "data_dir": config.data_dir, "models_dir": config.models_dir, "settings": Value::Object(settings),
        }));
    }
    output.data(format!("data directory    {}", config.data_dir.display()));
    output.data(format!("models directory  {}", config.models_dir.display()));
    for setting in config.layers.iter() {
        output.data(format!("{:<32} {:<24} {}", setting.name, setting.shown().to_string(), setting.origin));
    }
    Ok(())
}

fn write(init: &Init, config: &Config, output: &Output) -> Result<(), Problem> {
    let path: PathBuf = Config::default_file(&config.data_dir);
    if path.exists() && !init.force {
        return Err(Problem::new(
            Kind::Conflict,
            "settings_exist",
            format!("{} is there already", path.display()),
            "edit it, or replace it with `--force`",
        ));
    }
    let cannot = |error: std::io::Error| {
        Problem::new(
            Kind::Invalid,
            "settings_unwritable",
            format!("{} cannot be written: {error}", path.display()),
            "name a directory that you may write with `--data-dir`",
        )
    };
    std::fs::create_dir_all(&config.data_dir).map_err(cannot)?;
    std::fs::write(&path, EXAMPLE).map_err(cannot)?;
    output.data(path.display().to_string());
    Ok(())
}
