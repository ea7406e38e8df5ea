//! The server's half: takes commands on a loopback port and does them with the data that it has open.

use std::io::Write;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::tcp::OwnedWriteHalf;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use super::{Address, FILE, Output, Reply, Typed, perform};
use crate::app::App;
use crate::problem::{Kind, Problem};

/// Commands at once; more wait.
const PLACES: usize = 16;
/// A question from standard input has at most a mebibyte; lists of files are shorter.
const LONGEST_LINE: u64 = 4 << 20;
/// Whoever connects says what they want within this time.
const PATIENCE: Duration = Duration::from_secs(10);
/// After a signal, commands under way have this long to end.
const DRAIN: Duration = Duration::from_secs(10);

/// Takes commands until it is dropped; then the file that names it is gone.
pub struct Holder {
    work: tokio::task::JoinHandle<()>,
    stop: CancellationToken,
    file: PathBuf,
}

impl Holder {
    /// Listens, and writes the file.
    pub async fn start(app: Arc<App>, http: Option<String>) -> Result<Self, Problem> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(Problem::internal)?;
        let mut random = [0; 32];
        getrandom::fill(&mut random).map_err(Problem::internal)?;
        let address = Address {
            commands: listener.local_addr().map_err(Problem::internal)?,
            token: blake3::hash(&random).to_hex().to_string(),
            http,
            process: std::process::id(),
        };
        let file = Address::file(&app.config().data_dir);
        write(&address, &file).map_err(|error| unwritable(&file, &error))?;
        let stop = CancellationToken::new();
        let work = tokio::spawn(listen(listener, app, Arc::new(address), stop.clone()));
        Ok(Self { work, stop, file })
    }

    /// Takes no more commands, and lets those under way end.
    pub async fn finish(mut self) {
        self.stop.cancel();
        if tokio::time::timeout(DRAIN, &mut self.work).await.is_err() {
            self.work.abort();
        }
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Err(error) = std::fs::remove_file(&self.file) {
            tracing::debug!(%error, "the file that names this server is gone already");
        }
    }
}

/// For its owner alone, whole or not at all: temporary files are made with mode 0600.
fn write(address: &Address, file: &std::path::Path) -> std::io::Result<()> {
    let folder = file.parent().unwrap_or(std::path::Path::new("."));
    let mut new = tempfile::Builder::new().prefix(FILE).tempfile_in(folder)?;
    new.write_all(&serde_json::to_vec(address)?)?;
    new.persist(file).map(drop).map_err(|error| error.error)
}

fn unwritable(file: &std::path::Path, error: &std::io::Error) -> Problem {
    if error.kind() == std::io::ErrorKind::StorageFull {
        return crate::store::StoreError::Full(error.to_string()).into();
    }
    Problem::new(
        Kind::Internal,
        "data_unusable",
        format!("{} cannot be written: {error}", file.display()),
        "check that the directory is yours, or name another with `--data-dir`",
    )
}

async fn listen(listener: TcpListener, app: Arc<App>, address: Arc<Address>, stop: CancellationToken) {
    let places = Arc::new(Semaphore::new(PLACES));
    let mut under_way = tokio::task::JoinSet::new();
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        while under_way.try_join_next().is_some() {}
        match accepted {
            Ok((stream, _)) => {
                let (app, address) = (app.clone(), address.clone());
                under_way.spawn(async move {
                    let _place = place;
                    if let Err(error) = serve(stream, &app, &address).await {
                        tracing::debug!(%error, "a command's connection ended");
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a command could not be taken");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    while under_way.join_next().await.is_some() {}
}

async fn serve(stream: TcpStream, app: &App, address: &Address) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    write.write_all(format!("{}\n", address.greeting()).as_bytes()).await?;
    let mut read = BufReader::new(read);
    let mut line = String::new();
    let mut limited = (&mut read).take(LONGEST_LINE);
    let typed = match tokio::time::timeout(PATIENCE, limited.read_line(&mut line)).await {
        Ok(Ok(length)) if length > 0 => serde_json::from_str::<Typed>(&line),
        Ok(Err(error)) => return Err(error),
        _ => return Ok(()),
    };
    let typed = match typed {
        // Hashes are compared in a time that tells nothing.
        Ok(typed) if blake3::hash(typed.token.as_bytes()) == blake3::hash(address.token.as_bytes()) => typed,
        // Another version of this program, or no program of ours: both learn that they are not understood.
        _ => return reply(&mut write, &Reply::Code(2)).await,
    };
    let (says, mut said) = mpsc::unbounded_channel();
    let output = Output::through(typed.manner, says);
    let work = async {
        let code = perform(typed.command, app, &output).await.unwrap_or_else(|problem| {
            output.problem(&problem);
            1
        });
        drop(output);
        code
    };
    let left = async {
        // Nothing more is ever sent: a byte or the end both mean that nobody waits any more.
        let mut rest = [0; 1];
        let _ = read.read(&mut rest).await;
    };
    tokio::pin!(work, left);
    let mut code = None;
    loop {
        tokio::select! {
            biased;
            () = &mut left => return Ok(()),
            heard = said.recv() => match heard {
                Some(said) => reply(&mut write, &Reply::Said(said)).await?,
                None => break,
            },
            done = &mut work, if code.is_none() => code = Some(done),
        }
    }
    reply(&mut write, &Reply::Code(code.unwrap_or(1))).await
}

async fn reply(write: &mut OwnedWriteHalf, reply: &Reply) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(reply)?;
    line.push(b'\n');
    write.write_all(&line).await
}
