//! The command line: what can be typed, one file for each command, and the exit codes.
//!
//! 0 done, 1 failed with a sentence and a hint, 2 wrong usage or settings, 130 interrupted.

mod ask;
mod backup;
mod bench;
mod config;
mod creator;
mod credits;
mod demo;
mod doctor;
mod erase;
mod eval;
mod export;
mod ingest;
mod key;
pub mod models;
mod output;
mod reindex;
mod relay;
mod replay;
mod search;
mod serve;
mod user;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::{Args, Parser, Subcommand};
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::config::{Config, Flags};
use crate::ingest::sandbox;
use crate::problem::{Kind, Problem};
use output::Output;

/// Answers students' questions from a course creator's own content, on this machine, with proof for every
/// sentence.
#[derive(Debug, Parser)]
#[command(name = "neverafk", version, max_term_width = 100, propagate_version = false)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
struct Global {
    /// Directory that holds everything [env: NEVERAFK_DATA_DIR]
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Settings file [default: neverafk.toml in the data directory]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print one JSON document on standard output, for programs
    #[arg(long, global = true)]
    json: bool,
    /// Say nothing but data and errors
    #[arg(long, short, global = true)]
    quiet: bool,
    /// No colours, even on a terminal
    #[arg(long, global = true)]
    no_color: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show the whole thing on a bundled course: one question, its cited answer, then the server
    Demo(demo::Demo),
    /// Serve the widget and the HTTP interface, and work through queued uploads
    Serve(serve::Serve),
    #[command(flatten)]
    Data(DataCommand),
    /// Models: what there is, what is installed, download and check
    Models(Models),
    /// Measure the quality of retrieval and answers
    Eval(eval::Eval),
    /// Measure speed and memory on this machine
    Bench(bench::Bench),
    /// Fill an empty data directory from a backup
    Restore(backup::Restore),
    /// Check the machine, the data directory and the models, and say what to do
    Doctor(doctor::Doctor),
    /// Show the effective settings, or write a commented settings file
    Config(config::Settings),
}

/// Commands that work on the data: here, or in the server that holds it ([`relay`]).
#[derive(Debug, Subcommand, Serialize, Deserialize)]
enum DataCommand {
    /// Bring content in: files, folders, web pages, corpora, or - for standard input
    Ingest(ingest::Ingest),
    /// Find passages, without an answer
    Search(search::Search),
    /// Ask a question and print the cited answer
    Ask(ask::Ask),
    /// Repeat a kept answer from its trace, and show the first stage whose result differs
    Replay(replay::Replay),
    /// Creators: each has their own content, students and settings
    Creator(creator::Creators),
    /// People who may sign in to the dashboard
    User(user::Users),
    /// Keys for programs that bring content in or read conversations
    Key(key::Keys),
    /// Write everything into one file
    Backup(backup::Backup),
    /// Write everything of one creator into an archive that other programs can read
    Export(export::Export),
    /// Delete a document, a student or a creator with every trace
    Erase(erase::Erase),
    /// Make all vectors again, with the same or another embedding model
    Reindex(reindex::Reindex),
}

/// `models`
#[derive(Debug, Args)]
struct Models {
    /// Never touch the network
    #[arg(long, global = true)]
    offline: bool,
    #[command(subcommand)]
    command: models::ModelsCommand,
}

/// Parses, runs, prints what failed; gives the exit code.
pub fn main(arguments: Vec<OsString>, variables: Vec<(OsString, OsString)>) -> ExitCode {
    if arguments.get(1).is_some_and(|first| first == sandbox::COMMAND) {
        // Nothing else of the program is set up for it: no settings, no log, no threads.
        return sandbox::worker::run();
    }
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            let code = u8::try_from(error.exit_code()).unwrap_or(2);
            if error.print().is_err() {
                return ExitCode::FAILURE;
            }
            return ExitCode::from(code);
        }
    };
    let output = Output::new(cli.global.json, cli.global.quiet, cli.global.no_color);
    let environment: Vec<(String, String)> = variables
        .into_iter()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let config = match Config::resolve(&cli.flags(), &environment) {
        Ok(config) => config,
        Err(error) => {
            output.problem(&error.into());
            return ExitCode::from(2);
        }
    };
    if let Err(problem) = crate::telemetry::start(&config.settings.log) {
        output.problem(&problem);
        return ExitCode::from(2);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            output.problem(&Problem::internal(error));
            return ExitCode::FAILURE;
        }
    };
    let code = match runtime.block_on(run(cli.command, config, &output)) {
        Ok(code) => code,
        Err(problem) => {
            output.problem(&problem);
            ExitCode::FAILURE
        }
    };
    // A blocking task that ignores its cancellation must not hold the exit up.
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    code
}

async fn run(command: Command, config: Config, output: &Output) -> Result<ExitCode, Problem> {
    match command {
        Command::Config(settings) => config::run(settings, &config, output)?,
        Command::Models(models) => manage_models(models, config, output).await?,
        Command::Doctor(doctor) => return doctor::run(doctor, config, output).await,
        Command::Restore(restore) => backup::restore(restore, &config, output).await?,
        Command::Demo(demo) => demo::run(demo, config, output).await?,
        Command::Serve(serve) => serve::run(serve, open(config).await?, output).await?,
        Command::Data(command) => return relay::here_or_there(command, config, output).await,
        Command::Eval(eval) => return eval::run(eval, config, output).await,
        Command::Bench(bench) => bench::run(bench, config, output).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Does a command with an open data directory; gives its exit code.
async fn perform(command: DataCommand, app: &App, output: &Output) -> Result<u8, Problem> {
    match command {
        DataCommand::Ingest(ingest) => return ingest::run(ingest, app, output).await,
        DataCommand::Search(search) => search::run(search, app, output).await?,
        DataCommand::Ask(ask) => ask::run(ask, app, output).await?,
        DataCommand::Replay(replay) => replay::run(replay, app, output).await?,
        DataCommand::Creator(creators) => creator::run(creators, app, output).await?,
        DataCommand::User(users) => user::run(users, app, output).await?,
        DataCommand::Key(keys) => key::run(keys, app, output).await?,
        DataCommand::Backup(backup) => backup::backup(backup, app, output).await?,
        DataCommand::Export(export) => export::run(export, app, output).await?,
        DataCommand::Erase(erase) => erase::run(erase, app, output).await?,
        DataCommand::Reindex(reindex) => reindex::run(reindex, app, output).await?,
    }
    Ok(0)
}

/// Runs what blocks (hashing, downloading) off the async threads, until it is done or interrupted.
async fn manage_models(models: Models, config: Config, output: &Output) -> Result<(), Problem> {
    let cancel = Arc::new(AtomicBool::new(false));
    if matches!(models.command, models::ModelsCommand::List) && !output.json {
        output.say(format!("{}.", crate::app::doctor::privacy(&config).found));
    }
    let (stop, output) = (cancel.clone(), output.clone());
    let work = tokio::task::spawn_blocking(move || {
        let context = models::ModelsContext {
            models_dir: &config.models_dir,
            offline: models.offline,
            json: output.json,
            quiet: output.quiet,
            terminal: output.draws(),
            now: crate::app::now(),
            cancel: &stop,
        };
        models::run(&models.command, &context, &mut std::io::stdout(), &mut std::io::stderr()).map_err(
            |error| {
                let hint = models::hint_of(&error).unwrap_or_else(|| "try again".into());
                Problem::new(Kind::Invalid, "model_command_failed", format!("{error:#}"), hint)
            },
        )
    });
    tokio::pin!(work);
    tokio::select! {
        done = &mut work => return done.map_err(Problem::internal)?,
        () = serve::signal() => cancel.store(true, Ordering::Relaxed),
    }
    work.await.map_err(Problem::internal)?
}

/// Opens the data for a server, or says which one has it.
async fn open(config: Config) -> Result<Arc<App>, Problem> {
    let directory = config.data_dir.clone();
    App::open(config).await.map_err(|problem| relay::name_holder(problem, &directory))
}

impl Cli {
    /// What the typed flags say about settings.
    fn flags(&self) -> Flags {
        let mut settings = Vec::new();
        if let Command::Serve(serve) = &self.command
            && let Some(listen) = &serve.listen
        {
            settings.push(("server.listen", listen.clone()));
        }
        if let Command::Bench(bench) = &self.command {
            settings.extend(bench.settings());
        }
        Flags { data_dir: self.global.data_dir.clone(), config: self.global.config.clone(), settings }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_commands_are_well_formed() {
        super::Cli::command().debug_assert();
    }
}
