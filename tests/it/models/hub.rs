//! A stand-in for a model hub: two hosts on this machine, one that redirects and one that sends the bytes.
//!
//! Written on plain sockets, as the tests need what good servers do not do: cut a connection, dribble, lie.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What a client asked.
#[derive(Debug, Clone)]
pub struct Request {
    pub path: String,
    headers: Vec<(String, String)>,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Where the asked range begins.
    pub fn from(&self) -> Option<usize> {
        self.header("range")?.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()
    }
}

/// What it gets.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    /// Close the connection after so many bytes of the body.
    pub cut_after: Option<usize>,
    /// Send pieces of this many bytes, and pause after each.
    pub dribble: Option<(usize, Duration)>,
}

impl Reply {
    pub fn status(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// A file as a good server sends it: whole, or the range, if the file is still the one that was meant.
    pub fn file(request: &Request, bytes: &[u8], etag: &str) -> Self {
        let changed = request.header("if-range").is_some_and(|meant| meant != etag);
        let reply = match request.from().filter(|_| !changed) {
            Some(from) if from >= bytes.len() => return Self::status(416),
            Some(from) => Self { status: 206, body: bytes[from..].to_vec(), ..Self::default() }
                .with("content-range", format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len())),
            None => Self { status: 200, body: bytes.to_vec(), ..Self::default() },
        };
        reply.with("etag", etag)
    }
}

/// A host that answers with what a function says, and remembers what it was asked.
pub struct Host {
    pub address: String,
    asked: Arc<Mutex<Vec<Request>>>,
}

impl Host {
    pub fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (answer, log) = (Arc::new(answer), Arc::clone(&asked));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (answer, log) = (Arc::clone(&answer), Arc::clone(&log));
                // A client that leaves early is a part of the tests, so how serving ends does not matter.
                thread::spawn(move || stream.and_then(|stream| serve(stream, &*answer, &log)));
            }
        });
        Self { address, asked }
    }

    pub fn asked(&self) -> Vec<Request> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(
    stream: TcpStream,
    answer: &(dyn Fn(&Request) -> Reply + Send + Sync),
    log: &Mutex<Vec<Request>>,
) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut headers = Vec::new();
    for line in lines {
        let line = line?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    let request = Request { path, headers };
    log.lock().unwrap().push(request.clone());
    let reply = answer(&request);
    let mut stream = stream;
    write!(
        stream,
        "HTTP/1.1 {} -\r\nconnection: close\r\ncontent-length: {}\r\n",
        reply.status,
        reply.body.len()
    )?;
    for (name, value) in &reply.headers {
        write!(stream, "{name}: {value}\r\n")?;
    }
    stream.write_all(b"\r\n")?;
    let body = &reply.body[..reply.cut_after.unwrap_or(reply.body.len()).min(reply.body.len())];
    match reply.dribble {
        Some((piece, pause)) => {
            for piece in body.chunks(piece) {
                stream.write_all(piece)?;
                thread::sleep(pause);
            }
        }
        None => stream.write_all(body)?,
    }
    stream.flush()
}

/// A host that nobody is at.
pub fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}
