//! `neverafk models list | pull | import | remove | verify | show`.
//!
//! Arguments come in; data goes to the one stream, words for people to the other. The work is done in
//! `inference::{catalog, library, import, download}`; every call blocks, so the caller is on a blocking thread.
//! Nothing needs tidying when the process is killed: unfinished files are `.part` files, and pulling resumes them.

mod watcher;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Subcommand;
use serde_json::{Value, json};

use crate::domain::Timestamp;
use crate::inference::catalog::{Catalog, CatalogEntry, UnknownModel};
use crate::inference::download::{self, PullError, PullOptions};
use crate::inference::import::{self, ImportError};
use crate::inference::library::{FileState, Installed, Library, LibraryError, ModelName, Source, State};
use watcher::{Watcher, bytes};

/// What may be done with models.
#[derive(Debug, Clone, Subcommand)]
pub enum ModelsCommand {
    /// Show the catalogue and what is installed
    List,
    /// Download models by name; goes on where an earlier pull stopped
    Pull {
        /// Names, as `neverafk models list` shows them
        #[arg(required = true)]
        names: Vec<String>,
    },
    /// Take in a GGUF or whisper.cpp file, or a folder of safetensors, by copying it
    Import {
        path: PathBuf,
        /// The name to give it; the file's or folder's own by default
        #[arg(long)]
        name: Option<String>,
    },
    /// Delete installed or half-pulled models
    Remove {
        #[arg(required = true)]
        names: Vec<String>,
    },
    /// Compare the SHA-256 of every file with what was locked; all models by default
    Verify { names: Vec<String> },
    /// Show everything that is known about a model
    Show { name: String },
}

/// What the commands need from outside.
pub struct ModelsContext<'a> {
    pub models_dir: &'a Path,
    pub offline: bool,
    pub json: bool,
    pub quiet: bool,
    /// People read along on a terminal, so bars may be drawn.
    pub terminal: bool,
    pub now: Timestamp,
    pub cancel: &'a AtomicBool,
}

/// Models whose files are not what was locked.
#[derive(Debug, thiserror::Error)]
#[error("{} damaged: {}", if .0.len() == 1 { "a model is" } else { "models are" }, .0.join(", "))]
pub struct DamagedModels(Vec<String>);

/// Does a subcommand: data to `out`, words to `people`.
pub fn run(
    command: &ModelsCommand,
    context: &ModelsContext<'_>,
    out: &mut dyn Write,
    people: &mut dyn Write,
) -> anyhow::Result<()> {
    let catalog = Catalog::bundled()?;
    let library = Library::new(context.models_dir);
    match command {
        ModelsCommand::List => list(&catalog, &library, context, out),
        ModelsCommand::Pull { names } => {
            let options = PullOptions::from_env(context.offline, context.now);
            // Names are looked up first: a typing error in the last must not show after an hour.
            let entries: Vec<&CatalogEntry> =
                names.iter().map(|name| catalog.find(name)).collect::<Result<_, UnknownModel>>()?;
            let mut models = Vec::new();
            for entry in entries {
                models.push(pull(entry, &library, &options, context, people)?);
            }
            print(out, context, &Value::Array(models.iter().map(describe).collect()), String::new)
        }
        ModelsCommand::Import { path, name } => {
            let mut watcher = Watcher::new(context, people, path.file_name().map_or(0, |name| name.len()));
            let label = path.display().to_string();
            let mut meter = Instant::now();
            let model =
                import::import(&library, path, name.as_deref(), context.now, context.cancel, &mut |done| {
                    if meter.elapsed() > Duration::from_millis(200) {
                        meter = Instant::now();
                        watcher.bar(&format!("copying {label}  {}", bytes(done)));
                    }
                })?;
            watcher.say(&format!("imported {} ({}) as `{}`", label, model.record.kind, model.record.name))?;
            print(out, context, &describe(&model), String::new)
        }
        ModelsCommand::Remove { names } => {
            for name in names {
                library.remove(installed_name(&catalog, name))?;
                Watcher::new(context, people, 0)
                    .say(&format!("removed `{}`", installed_name(&catalog, name)))?;
            }
            Ok(())
        }
        ModelsCommand::Verify { names } => verify(&catalog, &library, names, context, out, people),
        ModelsCommand::Show { name } => show(&catalog, &library, name, context, out),
    }
}

/// What to do after a failure of these commands, where something can be said.
pub fn hint_of(error: &anyhow::Error) -> Option<String> {
    let hints: [fn(&anyhow::Error) -> Option<String>; 5] = [
        |error| error.downcast_ref::<PullError>().map(PullError::hint),
        |error| error.downcast_ref::<LibraryError>().map(LibraryError::hint),
        |error| error.downcast_ref::<ImportError>().map(ImportError::hint),
        |error| error.downcast_ref::<UnknownModel>().map(UnknownModel::hint),
        |error| {
            let DamagedModels(names) = error.downcast_ref()?;
            let names = names.join(" ");
            Some(format!("run `neverafk models remove {names}` and `neverafk models pull {names}`"))
        },
    ];
    hints.iter().find_map(|hint| hint(error))
}

/// Pulls one model and shows how far it is. Also called by `demo`.
pub fn pull(
    entry: &CatalogEntry,
    library: &Library,
    options: &PullOptions,
    context: &ModelsContext<'_>,
    people: &mut dyn Write,
) -> Result<Installed, PullError> {
    let widest = entry.files.iter().map(|file| file.file_name().len()).max().unwrap_or(0);
    let mut watcher = Watcher::new(context, people, widest);
    // A closed stream must not stop a download, so what cannot be said is not said.
    download::pull(entry, library, options, context.cancel, &mut |event| {
        let _ = watcher.event(&entry.name, event);
    })
}

fn list(
    catalog: &Catalog,
    library: &Library,
    context: &ModelsContext<'_>,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let mut rows = Vec::new();
    let mut values = Vec::new();
    for entry in catalog.entries() {
        let state = library.state(&ModelName::parse(&entry.name)?)?;
        rows.push([
            entry.name.clone(),
            entry.kind.to_string(),
            entry.size().map(bytes).unwrap_or_default(),
            format!("{} MB", entry.memory_mb),
            state_word(&state),
            entry.licence.clone(),
        ]);
        let mut value = serde_json::to_value(entry)?;
        value["size"] = json!(entry.size());
        value["state"] = json!(state_word(&state));
        value["installed"] = json!(matches!(state, State::Installed(_)));
        values.push(value);
    }
    for model in library.list()? {
        if catalog.find(model.record.name.as_str()).is_err() {
            rows.push([
                model.record.name.to_string(),
                model.record.kind.to_string(),
                bytes(model.record.size()),
                String::new(),
                "installed".to_owned(),
                model.record.licence.clone(),
            ]);
            values.push(describe(&model));
        }
    }
    print(out, context, &Value::Array(values), || {
        table(["NAME", "KIND", "SIZE", "MEMORY", "STATE", "LICENCE"], &rows)
    })
}

fn show(
    catalog: &Catalog,
    library: &Library,
    name: &str,
    context: &ModelsContext<'_>,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let entry = catalog.find(name);
    let state = library.state(&ModelName::parse(installed_name(catalog, name))?)?;
    if let (Err(unknown), State::Absent) = (&entry, &state) {
        return Err(unknown.clone().into());
    }
    let mut value = json!({ "state": state_word(&state), "installed": matches!(state, State::Installed(_)) });
    if let Ok(entry) = entry {
        value["catalogue"] = serde_json::to_value(entry)?;
    }
    match &state {
        State::Installed(model) => value["model"] = describe(model),
        State::Damaged { reason, .. } => value["reason"] = json!(reason),
        State::Absent | State::Partial { .. } => (),
    }
    print(out, context, &value, || describe_for_people(entry.ok(), &state))
}

fn verify(
    catalog: &Catalog,
    library: &Library,
    names: &[String],
    context: &ModelsContext<'_>,
    out: &mut dyn Write,
    people: &mut dyn Write,
) -> anyhow::Result<()> {
    let names: Vec<String> = if names.is_empty() {
        library.list()?.into_iter().map(|model| model.record.name.into()).collect()
    } else {
        names.iter().map(|name| installed_name(catalog, name).to_owned()).collect()
    };
    let watcher = Watcher::new(context, people, 0);
    let (mut damaged, mut values, mut rows) = (Vec::new(), Vec::new(), Vec::new());
    for name in names {
        watcher.bar(&format!("verifying {name}"));
        let mut shown = Instant::now();
        let files = library.verify(&name, context.cancel, &mut |done| {
            if shown.elapsed() > Duration::from_millis(200) {
                shown = Instant::now();
                watcher.bar(&format!("verifying {name}  {}", bytes(done)));
            }
        })?;
        for (file, state) in &files {
            let word = match state {
                FileState::Intact => "intact",
                FileState::Missing => "missing",
                FileState::Changed => "changed",
            };
            rows.push([name.clone(), file.path.clone(), word.to_owned()]);
            values.push(json!({ "model": name, "file": file.path, "sha256": file.sha256, "state": word }));
        }
        if files.iter().any(|(_, state)| *state != FileState::Intact) {
            damaged.push(name);
        }
    }
    watcher.clear();
    print(out, context, &Value::Array(values), || table(["MODEL", "FILE", "STATE"], &rows))?;
    if damaged.is_empty() { Ok(()) } else { Err(DamagedModels(damaged).into()) }
}

/// An alias means the catalogue's name; any other name is that of an imported model.
fn installed_name<'a>(catalog: &'a Catalog, name: &'a str) -> &'a str {
    catalog.find(name).map_or(name, |entry| entry.name.as_str())
}

fn print(
    out: &mut dyn Write,
    context: &ModelsContext<'_>,
    value: &Value,
    text: impl FnOnce() -> String,
) -> anyhow::Result<()> {
    if context.json {
        writeln!(out, "{value:#}").context("cannot write the answer")
    } else {
        write!(out, "{}", text()).context("cannot write the answer")
    }
}

fn describe(model: &Installed) -> Value {
    let record = &model.record;
    json!({
        "name": record.name,
        "kind": record.kind,
        "state": "installed",
        "installed": true,
        "folder": model.folder,
        "size": record.size(),
        "licence": record.licence,
        "source": record.source,
        "pulled_at": record.pulled_at,
        "settings": record.settings,
        "files": record.files,
    })
}

fn describe_for_people(entry: Option<&CatalogEntry>, state: &State) -> String {
    let mut lines: Vec<(&str, String)> = Vec::new();
    if let Some(entry) = entry {
        lines.push(("name", entry.name.clone()));
        lines.push(("kind", entry.kind.to_string()));
        lines.push(("repository", format!("{} at {}", entry.repository, entry.revision)));
        let licence_url = entry.licence_url.as_ref().map(|url| format!(", {url}")).unwrap_or_default();
        lines.push(("licence", format!("{}{licence_url}", entry.licence)));
        lines.push(("memory", format!("about {} MB", entry.memory_mb)));
        lines.push(("languages", entry.languages.join(", ")));
        if let Some(context) = entry.settings.context {
            lines.push(("context", format!("{context} tokens")));
        }
        lines.push(("notes", entry.notes.clone()));
    }
    lines.push(("state", state_word(state)));
    match state {
        State::Installed(Installed { folder, record }) => {
            if entry.is_none() {
                lines.push(("name", record.name.to_string()));
                lines.push(("kind", record.kind.to_string()));
            }
            let source = match &record.source {
                Source::Hub { repository, .. } => format!("the hub's {repository}"),
                Source::Pip { package, version } => format!("the Python package {package} {version}"),
                Source::Import { path } => path.clone(),
            };
            lines.push(("from", source));
            lines.push(("folder", folder.display().to_string()));
            for file in &record.files {
                lines.push(("file", format!("{}  {}  sha256 {}", file.path, bytes(file.size), file.sha256)));
            }
        }
        State::Damaged { reason, .. } => lines.push(("reason", reason.clone())),
        State::Absent | State::Partial { .. } => {
            for file in entry.into_iter().flat_map(|entry| &entry.files) {
                let size = file.size.map(bytes).unwrap_or_default();
                let sha256 = file.sha256.as_deref().unwrap_or("locked at the first pull");
                lines.push(("file", format!("{}  {size}  sha256 {sha256}", file.file_name())));
            }
        }
    }
    lines.into_iter().map(|(name, value)| format!("{name:<11} {value}\n")).collect()
}

fn state_word(state: &State) -> String {
    match state {
        State::Absent => "-".to_owned(),
        State::Partial { bytes: done } => format!("partial, {}", bytes(*done)),
        State::Installed(_) => "installed".to_owned(),
        State::Damaged { .. } => "damaged".to_owned(),
    }
}

/// Columns as wide as their widest cell.
fn table<const N: usize>(head: [&str; N], rows: &[[String; N]]) -> String {
    let widths: [usize; N] = std::array::from_fn(|column| {
        rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0).max(head[column].len())
    });
    let line = |cells: [&str; N]| {
        let cells: Vec<String> =
            cells.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    let rows = rows.iter().map(|row| line(std::array::from_fn(|column| row[column].as_str())));
    std::iter::once(line(head)).chain(rows).collect()
}
