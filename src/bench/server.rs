//! The server under measurement: a second process of this program, over a data directory of its own.
//!
//! It gets the settings of this run as variables, a free port, and is ended whatever happens: by [`Server`]'s drop. What
//! it says on standard error is read to its end, so that it never waits for a reader.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::Duration;

use super::BenchError;
use crate::config::{Config, Origin};
use crate::problem::Problem;

/// A running server.
pub struct Server {
    child: Child,
    /// `http://127.0.0.1:PORT`
    pub address: String,
}

/// Time that a server has to say where it listens.
const PATIENCE: Duration = Duration::from_secs(60);

const LISTENING: &str = "listening on ";

impl Server {
    /// Starts `neverafk serve` over `data_dir` with the settings of `config`, and waits until it listens.
    pub async fn start(config: &Config, data_dir: &Path) -> Result<Self, BenchError> {
        let program = std::env::current_exe().map_err(Problem::internal)?;
        let mut command = Command::new(program);
        command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(data_dir);
        command.envs(variables(config)).env("NEVERAFK_MODELS_DIR", &config.models_dir);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let child =
            command.spawn().map_err(|error| BenchError::Server(format!("cannot be started: {error}")))?;
        let mut server = Self { child, address: String::new() };
        let Some(said) = server.child.stderr.take() else {
            return Err(BenchError::Server("has no standard error".into()));
        };
        let (sender, told) = tokio::sync::oneshot::channel();
        std::thread::Builder::new()
            .name("server-says".into())
            .spawn(move || listen(said, sender))
            .map_err(Problem::internal)?;
        match tokio::time::timeout(PATIENCE, told).await {
            Ok(Ok(Ok(address))) => {
                server.address = address;
                Ok(server)
            }
            Ok(Ok(Err(words))) => Err(BenchError::Server(format!("ended at once: {}", words.trim()))),
            Ok(Err(_)) => Err(BenchError::Server("ended at once".into())),
            Err(_) => Err(BenchError::Server(format!("did not listen within {} s", PATIENCE.as_secs()))),
        }
    }

    /// The id of its process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; its data directory is scratch, so nothing has to be finished.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Gives the address once it is said, else all that was said; reads on to the end.
fn listen(said: ChildStderr, sender: tokio::sync::oneshot::Sender<Result<String, String>>) {
    let (mut sender, mut words) = (Some(sender), String::new());
    for line in BufReader::new(said).lines() {
        let Ok(line) = line else { break };
        let Some(waiting) = sender.take() else { continue };
        match line.strip_prefix(LISTENING) {
            Some(address) => {
                // Whoever waited may have given up.
                let _ = waiting.send(Ok(address.trim().to_owned()));
            }
            None => {
                words.push_str(&line);
                words.push('\n');
                sender = Some(waiting);
            }
        }
    }
    if let Some(waiting) = sender {
        let _ = waiting.send(Err(words));
    }
}

/// Every setting that is not a default, as the variable that sets it. Secrets stay here: measuring needs none.
fn variables(config: &Config) -> Vec<(String, String)> {
    let changed = config.layers.iter().filter(|setting| {
        setting.origin != Origin::Default
            && !setting.name.starts_with("hub.")
            && setting.name != "server.listen"
    });
    changed
        .map(|setting| {
            let name = format!("NEVERAFK_{}", setting.name.to_uppercase().replace('.', "__"));
            let value = match setting.shown() {
                toml::Value::String(text) => text,
                other => other.to_string(),
            };
            (name, value)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Flags;

    #[test]
    fn changed_settings_become_variables_and_secrets_do_not() {
        let directory = tempfile::tempdir().unwrap();
        let flags = Flags {
            data_dir: Some(directory.path().into()),
            settings: vec![("models.threads", "2".into()), ("server.listen", "127.0.0.1:1".into())],
            ..Flags::default()
        };
        let environment = [("NEVERAFK_HUB__TOKEN".to_owned(), "canary".to_owned())];
        let config = Config::resolve(&flags, &environment).unwrap();
        assert_eq!(variables(&config), [("NEVERAFK_MODELS__THREADS".to_owned(), "2".to_owned())]);
    }
}
