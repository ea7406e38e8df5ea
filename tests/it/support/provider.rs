//! A provider of models on loopback that behaves, or does not: a real socket, with every byte under the test's control.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What a provider does with a request.
#[derive(Debug, Clone)]
pub enum Manner {
    /// Streams these texts as OpenAI does, with this usage.
    Says(Vec<&'static str>, u64),
    /// The same as Anthropic.
    SaysAsAnthropic(Vec<&'static str>, u64),
    /// A status with these headers and this body.
    Status(u16, &'static str, &'static str),
    /// Takes the request and never answers.
    Hangs,
    /// Says these texts, then nothing.
    HangsAfter(Vec<&'static str>),
    /// Says these texts, then closes.
    CutsAfter(Vec<&'static str>),
    /// Promises more bytes than it sends.
    PromisesMore,
    /// Promises fewer bytes than its answer has.
    PromisesLess,
    /// A stream of bytes that are no text.
    Garbage,
    /// A page instead of a stream.
    Page,
    /// Events that are no chunks.
    OtherEvents,
    /// One line without an end.
    EndlessLine,
    /// Comments for ever.
    EndlessComments,
    /// Words for ever, never a full stop.
    EndlessWords,
    /// Refuses the named parameter as long as it is there.
    RefusesParameter(&'static str),
}

/// A running provider.
pub struct Provider {
    pub address: SocketAddr,
    pub manner: Arc<Mutex<Manner>>,
    pub hits: Arc<AtomicUsize>,
    /// Connections that the other side closed while something was sent or kept back.
    pub left: Arc<AtomicUsize>,
    pub requests: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Provider {
    pub async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let this = Self {
            address: listener.local_addr().unwrap(),
            manner: Arc::new(Mutex::new(manner)),
            hits: Arc::default(),
            left: Arc::default(),
            requests: Arc::default(),
        };
        let (manner, hits) = (this.manner.clone(), this.hits.clone());
        let (left, requests) = (this.left.clone(), this.requests.clone());
        tokio::spawn(async move {
            while let Ok((mut peer, _)) = listener.accept().await {
                let (manner, hits) = (manner.clone(), hits.clone());
                let (left, requests) = (left.clone(), requests.clone());
                tokio::spawn(async move {
                    let Some(request) = request(&mut peer).await else { return };
                    hits.fetch_add(1, Ordering::SeqCst);
                    requests.lock().unwrap().push(request.clone());
                    let manner = manner.lock().unwrap().clone();
                    if behave(&mut peer, manner, &request.1).await.is_err() {
                        left.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
        });
        this
    }

    /// An address where nobody listens.
    pub async fn nobody() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}/v1", listener.local_addr().unwrap())
    }

    pub fn url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    pub fn hits(&self) -> usize {
        self.hits.load(Ordering::SeqCst)
    }

    pub fn becomes(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }
}

/// Head and body of a request.
async fn request(peer: &mut TcpStream) -> Option<(String, Value)> {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let read = peer.read(&mut piece).await.ok()?;
        if read == 0 {
            return None;
        }
        bytes.extend_from_slice(&piece[..read]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| {
            line.to_ascii_lowercase()
                .strip_prefix("content-length:")
                .and_then(|n| n.trim().parse::<usize>().ok())
        });
        if body.len() >= length.unwrap_or(0) {
            return Some((head.to_owned(), serde_json::from_str(body).unwrap_or(Value::Null)));
        }
    }
}

const STREAM: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";

async fn behave(peer: &mut TcpStream, manner: Manner, body: &Value) -> std::io::Result<()> {
    match manner {
        Manner::Says(texts, usage) => says(peer, &texts, usage).await,
        Manner::SaysAsAnthropic(texts, usage) => {
            peer.write_all(STREAM.as_bytes()).await?;
            let start = json!({"type": "message_start", "message": {"usage": {"input_tokens": usage}}});
            event(peer, "message_start", &start).await?;
            event(peer, "ping", &json!({"type": "ping"})).await?;
            for text in texts {
                let delta = json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}});
                event(peer, "content_block_delta", &delta).await?;
            }
            let end = json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": usage}});
            event(peer, "message_delta", &end).await?;
            event(peer, "message_stop", &json!({"type": "message_stop"})).await
        }
        Manner::Status(status, headers, body) => {
            let head = format!(
                "HTTP/1.1 {status} X\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            peer.write_all(format!("{head}{body}").as_bytes()).await
        }
        Manner::Hangs => gone(peer).await,
        Manner::HangsAfter(texts) => {
            pieces(peer, &texts).await?;
            gone(peer).await
        }
        Manner::CutsAfter(texts) => pieces(peer, &texts).await,
        Manner::PromisesMore => {
            let head = STREAM.replace("connection: close", "content-length: 100000\r\nconnection: close");
            peer.write_all(head.as_bytes()).await?;
            chunk(peer, "You").await
        }
        Manner::PromisesLess => {
            let head = STREAM.replace("connection: close", "content-length: 40\r\nconnection: close");
            peer.write_all(head.as_bytes()).await?;
            chunk(peer, "You can ask for a full refund").await
        }
        Manner::Garbage => {
            peer.write_all(STREAM.as_bytes()).await?;
            let noise: Vec<u8> =
                (0..65_536u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
            peer.write_all(&noise).await
        }
        Manner::Page => {
            let page = "<html>Welcome to the captive portal</html>";
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {}\r\n\r\n",
                page.len()
            );
            peer.write_all(format!("{head}{page}").as_bytes()).await
        }
        Manner::OtherEvents => {
            peer.write_all(STREAM.as_bytes()).await?;
            event(peer, "", &json!(["not", "a", "chunk"])).await
        }
        Manner::EndlessLine => {
            peer.write_all(STREAM.as_bytes()).await?;
            peer.write_all(b"data: ").await?;
            loop {
                peer.write_all(&[b'x'; 65_536]).await?;
            }
        }
        Manner::EndlessComments => {
            peer.write_all(STREAM.as_bytes()).await?;
            loop {
                peer.write_all(b": still thinking\n\n").await?;
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        Manner::EndlessWords => {
            peer.write_all(STREAM.as_bytes()).await?;
            loop {
                chunk(peer, " word and").await?;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        Manner::RefusesParameter(name) if body.get(name).is_some() => {
            let body =
                json!({"error": {"message": format!("Unsupported parameter: '{name}'"), "param": name}})
                    .to_string();
            let head =
                format!("HTTP/1.1 400 X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
            peer.write_all(format!("{head}{body}").as_bytes()).await
        }
        Manner::RefusesParameter(_) => says(peer, &[REFUND], 9).await,
    }
}

/// What the content of the tests says, word for word.
pub const REFUND: &str = "You can ask for a full refund within 23 days of buying the course.";

async fn says(peer: &mut TcpStream, texts: &[&str], usage: u64) -> std::io::Result<()> {
    pieces(peer, texts).await?;
    event(peer, "", &json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})).await?;
    let usage = json!({"choices": [], "usage": {"prompt_tokens": usage, "completion_tokens": usage}});
    event(peer, "", &usage).await?;
    peer.write_all(b"data: [DONE]\n\n").await
}

async fn pieces(peer: &mut TcpStream, texts: &[&str]) -> std::io::Result<()> {
    peer.write_all(STREAM.as_bytes()).await?;
    for text in texts {
        chunk(peer, text).await?;
    }
    Ok(())
}

async fn chunk(peer: &mut TcpStream, text: &str) -> std::io::Result<()> {
    event(peer, "", &json!({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": null}]}))
        .await
}

async fn event(peer: &mut TcpStream, kind: &str, data: &Value) -> std::io::Result<()> {
    let kind = if kind.is_empty() { String::new() } else { format!("event: {kind}\n") };
    peer.write_all(format!("{kind}data: {data}\n\n").as_bytes()).await
}

/// Waits until the other side closes, which is an error as the test counts it.
async fn gone(peer: &mut TcpStream) -> std::io::Result<()> {
    let mut rest = [0; 64];
    while peer.read(&mut rest).await? > 0 {}
    Err(std::io::ErrorKind::ConnectionReset.into())
}
