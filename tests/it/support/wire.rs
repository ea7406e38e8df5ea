//! The other side of a wire: the app on a real port, a WebSocket client of a page's few needs, and receivers of webhooks
//! that behave well or badly.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::TestApp;

impl TestApp {
    /// Serves on a free port until the test ends.
    pub async fn served(&self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(neverafk::http::serve(self.app.clone(), listener, std::future::pending()));
        address
    }
}

/// A WebSocket (RFC 6455), by hand, so that the server is not tested with its own library.
pub struct Socket {
    stream: TcpStream,
}

/// What came.
#[derive(Debug, Clone, PartialEq)]
pub enum Frame {
    Json(Value),
    Closed(u16),
    /// Without a word.
    Gone,
}

impl Socket {
    /// The status, and the socket when it is 101.
    pub async fn open(address: SocketAddr, headers: &str) -> (u16, Option<Self>) {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!(
            "GET /ws HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap();
        let status: u16 = head.split(' ').nth(1).unwrap().parse().unwrap();
        // The example of RFC 6455, section 1.3.
        assert_eq!(status == 101, head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{head}");
        (status, (status == 101).then_some(Self { stream }))
    }

    pub async fn send(&mut self, value: Value) {
        self.send_text(&value.to_string()).await;
    }

    pub async fn send_text(&mut self, text: &str) {
        let mut frame = vec![0x81];
        match text.len() {
            short @ 0..126 => frame.push(0x80 | short as u8),
            long => {
                frame.push(0x80 | 127);
                frame.extend((long as u64).to_be_bytes());
            }
        }
        let mask = [1, 2, 3, 4];
        frame.extend(mask);
        frame.extend(text.bytes().enumerate().map(|(place, byte)| byte ^ mask[place % 4]));
        // The server may have closed already; what it said comes with the next read.
        let _ = self.stream.write_all(&frame).await;
    }

    pub async fn next(&mut self) -> Frame {
        tokio::time::timeout(Duration::from_secs(20), self.read()).await.expect("a frame in time")
    }

    async fn read(&mut self) -> Frame {
        loop {
            let Ok(first) = self.stream.read_u8().await else { return Frame::Gone };
            let Ok(length) = self.stream.read_u8().await else { return Frame::Gone };
            let length = match length {
                126 => u64::from(self.stream.read_u16().await.unwrap()),
                127 => self.stream.read_u64().await.unwrap(),
                short => u64::from(short),
            };
            let mut body = vec![0; length as usize];
            if self.stream.read_exact(&mut body).await.is_err() {
                return Frame::Gone;
            }
            match first & 0x0f {
                1 => return Frame::Json(serde_json::from_slice(&body).unwrap()),
                8 => return Frame::Closed(u16::from_be_bytes([body[0], body[1]])),
                _ => {}
            }
        }
    }

    pub async fn json(&mut self) -> Value {
        match self.next().await {
            Frame::Json(value) => value,
            other => panic!("{other:?}"),
        }
    }

    /// Reads on until a frame of this type, or an event of it.
    pub async fn until(&mut self, kind: &str) -> Value {
        loop {
            let value = self.json().await;
            if value["type"] == kind || value["event"]["type"] == kind {
                return value;
            }
        }
    }

    /// Nothing comes for a while.
    pub async fn is_silent(&mut self) -> bool {
        tokio::time::timeout(Duration::from_millis(300), self.read()).await.is_err()
    }
}

/// How a receiver behaves.
#[derive(Debug, Clone)]
pub enum Manner {
    Answers(u16),
    /// Takes the request and never answers.
    Hangs,
    /// Sends its answer byte by byte, too slowly.
    Drips,
    RedirectsTo(String),
}

/// A receiver of webhooks on a port of its own; its manner can be changed.
pub struct Receiver {
    pub url: String,
    pub manner: Arc<Mutex<Manner>>,
    pub requests: Arc<Mutex<Vec<String>>>,
}

impl Receiver {
    pub fn start(manner: Manner) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let (manner, requests) = (Arc::new(Mutex::new(manner)), Arc::new(Mutex::new(Vec::new())));
        let (how, seen) = (manner.clone(), requests.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (manner, seen) = (how.lock().unwrap().clone(), seen.clone());
                std::thread::spawn(move || receive(stream.unwrap(), &manner, &seen));
            }
        });
        Self { url, manner, requests }
    }

    pub fn behave(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }

    pub fn count(&self) -> usize {
        self.requests.lock().unwrap().len()
    }
}

fn receive(mut stream: std::net::TcpStream, manner: &Manner, seen: &Mutex<Vec<String>>) {
    let mut request = Vec::new();
    let whole = |request: &[u8]| {
        let text = String::from_utf8_lossy(request).to_lowercase();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        body.len() >= length.map_or(0, |length| length.trim().parse().unwrap())
    };
    while !whole(&request) {
        let mut piece = [0; 4096];
        match stream.read(&mut piece) {
            Ok(0) | Err(_) => return,
            Ok(read) => request.extend_from_slice(&piece[..read]),
        }
    }
    seen.lock().unwrap().push(String::from_utf8(request).unwrap());
    let head = |status: &str, more: &str| {
        format!("HTTP/1.1 {status}\r\n{more}Content-Length: 0\r\nConnection: close\r\n\r\n")
    };
    let _ = match manner {
        Manner::Answers(status) => stream.write_all(head(&format!("{status} Said"), "").as_bytes()),
        Manner::Hangs => {
            std::thread::sleep(Duration::from_secs(30));
            Ok(())
        }
        Manner::Drips => head("200 OK", "").bytes().try_for_each(|byte| {
            std::thread::sleep(Duration::from_millis(200));
            stream.write_all(&[byte])
        }),
        Manner::RedirectsTo(url) => {
            stream.write_all(head("302 Found", &format!("Location: {url}\r\n")).as_bytes())
        }
    };
}

/// Status, more headers and bytes, by path.
type Pages = HashMap<String, (u16, String, Vec<u8>)>;

/// A site on a port of its own: pages by path (with its query), each with status, more headers and bytes.
pub struct Site {
    /// `http://127.0.0.1:PORT`
    pub origin: String,
    pages: Arc<Mutex<Pages>>,
    /// Paths that were asked for, in order, each with the moment and the agent.
    pub requests: Arc<Mutex<Vec<(String, Instant, String)>>>,
    /// Paths that were not sent, because who asked had this very version.
    spared: Arc<Mutex<Vec<String>>>,
}

impl Site {
    pub fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let (pages, requests) = (Arc::new(Mutex::new(HashMap::new())), Arc::new(Mutex::new(Vec::new())));
        let spared = Arc::<Mutex<Vec<String>>>::default();
        let (served, seen, not_sent) = (pages.clone(), requests.clone(), spared.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    let mut byte = [0];
                    if stream.read_exact(&mut byte).is_err() {
                        break;
                    }
                    request.push(byte[0]);
                }
                let request = String::from_utf8_lossy(&request).into_owned();
                let Some(path) = request.split(' ').nth(1).map(str::to_owned) else { continue };
                let agent = request.lines().find_map(|line| {
                    let (name, value) = line.split_once(": ")?;
                    name.eq_ignore_ascii_case("user-agent").then(|| value.to_owned())
                });
                seen.lock().unwrap().push((path.clone(), Instant::now(), agent.unwrap_or_default()));
                let served: &Mutex<Pages> = &served;
                let missing = || (404, "Content-Type: text/html\r\n".to_owned(), b"<p>no".to_vec());
                let (mut status, headers, mut body) =
                    served.lock().unwrap().get(&path).cloned().unwrap_or_else(missing);
                if has_it(&request, &headers) {
                    not_sent.lock().unwrap().push(path);
                    (status, body) = (304, Vec::new());
                }
                let head = format!(
                    "HTTP/1.1 {status} Said\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n",
                    body.len()
                );
                let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
            }
        });
        Self { origin, pages, requests, spared }
    }

    pub fn put(&self, path: &str, status: u16, headers: &str, body: impl Into<Vec<u8>>) -> &Self {
        self.pages.lock().unwrap().insert(path.to_owned(), (status, headers.to_owned(), body.into()));
        self
    }

    /// A page of HTML.
    pub fn page(&self, path: &str, html: &str) -> &Self {
        self.put(path, 200, "Content-Type: text/html; charset=utf-8\r\n", html)
    }

    pub fn remove(&self, path: &str) {
        self.pages.lock().unwrap().remove(path);
    }

    /// What was asked for and not sent since the last call, in the order of the names.
    pub fn spared(&self) -> Vec<String> {
        let mut spared = std::mem::take(&mut *self.spared.lock().unwrap());
        spared.sort();
        spared
    }

    /// What was asked for since the last call.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.requests.lock().unwrap()).into_iter().map(|(path, ..)| path).collect()
    }
}

/// Whether a request says that its sender has the version that these headers name (RFC 9110, 13.2.2).
fn has_it(request: &str, headers: &str) -> bool {
    let value = |text: &str, wanted: &str| {
        text.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case(wanted).then(|| value.trim().to_owned())
        })
    };
    let (etag, date) = (value(request, "if-none-match"), value(request, "if-modified-since"));
    match etag {
        Some(_) => etag == value(headers, "etag"),
        None => date.is_some() && date == value(headers, "last-modified"),
    }
}
