//! The typed command's half: hands it to the server that holds the data, and prints what comes back.

use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::{Address, DataCommand, Output, Reply, Typed};
use crate::problem::{Kind, Problem};

/// A server of this machine answers at once.
const PATIENCE: Duration = Duration::from_secs(5);

/// Has the command done; gives its exit code, or nothing when no server is there.
pub async fn hand_over(
    address: &Address,
    command: DataCommand,
    output: &Output,
) -> Result<Option<u8>, Problem> {
    let Ok(Ok(stream)) = tokio::time::timeout(PATIENCE, TcpStream::connect(address.commands)).await else {
        return Ok(None);
    };
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let greeted = tokio::time::timeout(PATIENCE, lines.next_line()).await;
    if !matches!(greeted, Ok(Ok(Some(line))) if line == address.greeting()) {
        return Ok(None);
    }
    let typed = Typed { token: address.token.clone(), manner: output.manner(), command };
    let mut line = serde_json::to_vec(&typed).map_err(Problem::internal)?;
    line.push(b'\n');
    write.write_all(&line).await.map_err(lost)?;
    while let Some(line) = lines.next_line().await.map_err(lost)? {
        match serde_json::from_str(&line) {
            Ok(Reply::Said(said)) => output.pass(said),
            Ok(Reply::Code(code)) => return Ok(Some(code)),
            Err(error) => return Err(lost(error)),
        }
    }
    Err(lost("it closed the connection"))
}

fn lost(error: impl std::fmt::Display) -> Problem {
    Problem::new(
        Kind::Conflict,
        "server_lost",
        format!("the running server that holds the data did not finish this command: {error}"),
        "what it had recorded stays; run the same command again",
    )
}
