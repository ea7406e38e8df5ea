//! A command that is typed while a server holds the data directory is done by that server.
//!
//! One process at a time may open the data. So `serve` listens for commands on a loopback port of its own, apart from
//! HTTP ([`holder`]), and writes the address with a fresh token into a file of the data directory that only its owner
//! may read. A command that finds the directory in use reads the file and hands itself over ([`typist`]); what it
//! would have printed comes back line by line, and closing the connection stops the work. No file, no server: then
//! whoever holds the data is named in an error.

mod holder;
mod typist;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde::{Deserialize, Serialize};

use super::output::{Manner, Output, Said};
use super::{DataCommand, perform};
use crate::app::App;
use crate::config::Config;
use crate::problem::{Kind, Problem};

pub use holder::Holder;

/// In the data directory while a server runs; after a crash it lies there and leads nowhere.
const FILE: &str = "neverafk.server";

/// What the file says. The token is as good as an open data directory.
#[derive(Serialize, Deserialize)]
struct Address {
    /// Where commands are taken, on this machine.
    commands: std::net::SocketAddr,
    token: String,
    /// Where students ask, for people; nothing when only jobs are worked on.
    http: Option<String>,
    process: u32,
}

impl Address {
    fn file(directory: &Path) -> PathBuf {
        directory.join(FILE)
    }

    fn read(directory: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(Self::file(directory)).ok()?).ok()
    }

    /// The first line of a server to whoever connects: it shows that it knows the token, so that a stranger on the
    /// port of a dead server learns nothing.
    fn greeting(&self) -> String {
        let proof = blake3::hash(format!("neverafk greets {}", self.token).as_bytes());
        format!("neverafk commands 1 {}", proof.to_hex())
    }
}

/// The only line that a client sends.
#[derive(Serialize, Deserialize)]
struct Typed {
    token: String,
    manner: Manner,
    command: DataCommand,
}

/// A line of a server's reply; the code is the last one.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Reply {
    Said(Said),
    Code(u8),
}

/// Opens the data and does the command, or has it done by the server that holds the data.
pub async fn here_or_there(
    command: DataCommand,
    config: Config,
    output: &Output,
) -> Result<ExitCode, Problem> {
    let directory = config.data_dir.clone();
    let code = match App::open(config).await {
        Ok(app) => perform(command, &app, output).await?,
        Err(problem) if problem.code == IN_USE => match Address::read(&directory) {
            Some(address) => typist::hand_over(&address, command.elsewhere()?, output)
                .await?
                .ok_or_else(|| name_holder(problem, &directory))?,
            None => return Err(name_holder(problem, &directory)),
        },
        Err(problem) => return Err(problem),
    };
    Ok(ExitCode::from(code))
}

const IN_USE: &str = "data_in_use";

/// Says which server holds the data, when that is why a program cannot start.
pub fn name_holder(problem: Problem, directory: &Path) -> Problem {
    if problem.code != IN_USE {
        return problem;
    }
    match Address::read(directory).filter(Address::answers) {
        Some(Address { http: Some(http), process, .. }) => Problem::new(
            Kind::Conflict,
            IN_USE,
            format!("{}: a server runs at {http} (process {process})", problem.message),
            "use that server, stop it with Ctrl-C in its terminal, or name another directory with `--data-dir`",
        ),
        _ => problem,
    }
}

impl Address {
    fn answers(&self) -> bool {
        std::net::TcpStream::connect_timeout(&self.commands, std::time::Duration::from_secs(1)).is_ok()
    }
}

impl DataCommand {
    /// The same for a process with another working directory and another standard input.
    fn elsewhere(self) -> Result<Self, Problem> {
        Ok(match self {
            Self::Ingest(ingest) => Self::Ingest(ingest.elsewhere()?),
            Self::User(users) => Self::User(users.elsewhere()?),
            Self::Ask(ask) => Self::Ask(ask.elsewhere()?),
            Self::Backup(backup) => Self::Backup(backup.elsewhere()?),
            Self::Export(export) => Self::Export(export.elsewhere()?),
            Self::Reindex(reindex) => Self::Reindex(reindex.elsewhere()?),
            other => other,
        })
    }
}

/// How this program was called and where its data is, so that a line with it can be typed in another terminal.
pub fn typed(config: &Config) -> String {
    let program = std::env::args().next().unwrap_or_else(|| "neverafk".into());
    let usual = dirs::data_dir().is_some_and(|data| data.join("neverafk") == config.data_dir);
    if usual { program } else { format!("{program} --data-dir {}", config.data_dir.display()) }
}
