//! A mail server on loopback, by hand (RFC 5321), so that the client is not tested with its own library. It takes mail,
//! or behaves badly as it is told, session by session.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// What a session does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    Takes,
    /// Answers `MAIL` with 451.
    Busy,
    /// Answers `RCPT` with 550.
    KnowsNobody,
    /// Says nothing at all.
    Hangs,
    /// Sends its greeting one letter at a time, without end.
    Drips,
    /// Closes in the middle of the mail.
    Cuts,
    /// Takes the mail, and then says nothing any more.
    HangsAtGoodbye,
}

/// A mail that was taken.
#[derive(Debug, Clone)]
pub struct Taken {
    pub from: String,
    pub to: Vec<String>,
    /// As it came over the wire, without the dots that were doubled.
    pub data: String,
}

impl Taken {
    /// The words, decoded by another library than the one that wrote them.
    pub fn text(&self) -> String {
        let message = mail_parser::MessageParser::default().parse(self.data.as_bytes()).unwrap();
        message.body_text(0).unwrap().replace("\r\n", "\n")
    }

    pub fn subject(&self) -> String {
        let message = mail_parser::MessageParser::default().parse(self.data.as_bytes()).unwrap();
        message.subject().unwrap().to_owned()
    }

    /// The lines of the head.
    pub fn head(&self) -> Vec<&str> {
        self.data.split("\r\n\r\n").next().unwrap().lines().collect()
    }

    /// What stands behind `path?token=` in the only link of this path.
    pub fn token(&self, path: &str) -> String {
        let text = self.text();
        let (_, rest) = text.split_once(&format!("/{path}?token=")).unwrap_or_else(|| panic!("{text}"));
        rest.chars().take_while(char::is_ascii_hexdigit).collect()
    }
}

/// The server.
pub struct Post {
    pub port: u16,
    taken: Arc<Mutex<Vec<Taken>>>,
}

/// Who may send.
pub const LOGIN: (&str, &str) = ("school", "violet tide nine");

impl Post {
    /// The first session behaves as the first manner says, and so on; the last one counts for the rest.
    pub fn start(manners: &[Manner]) -> Self {
        Self::listening(manners, Line::Open)
    }

    /// One that takes mail over encrypted lines only.
    pub fn encrypted(line: Line) -> Self {
        Self::listening(&[Manner::Takes], line)
    }

    fn listening(manners: &[Manner], line: Line) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let taken = Arc::new(Mutex::new(Vec::new()));
        let (all, manners) = (taken.clone(), manners.to_vec());
        std::thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                let manner = manners[number.min(manners.len() - 1)];
                let (all, line) = (all.clone(), line.clone());
                // A session that breaks off is what some of the tests want.
                std::thread::spawn(move || drop(session(&stream.unwrap(), manner, line, &all)));
            }
        });
        Self { port, taken }
    }

    pub fn taken(&self) -> Vec<Taken> {
        self.taken.lock().unwrap().clone()
    }

    /// The mails once there are so many.
    pub async fn wait_for(&self, count: usize) -> Vec<Taken> {
        for _ in 0..400 {
            let taken = self.taken();
            if taken.len() >= count {
                return taken;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("{} mails, not {count}", self.taken().len());
    }
}

/// How a line is kept from others.
#[derive(Clone)]
pub enum Line {
    Open,
    /// Encrypted after the first words.
    StartTls(Arc<ServerConfig>),
    /// Encrypted from the first byte.
    Tls(Arc<ServerConfig>),
}

trait Both: Read + Write {}
impl<T: Read + Write> Both for T {}

/// Lines, one at a time: nothing is read ahead, so that what comes after them can be encrypted.
struct Wire(Box<dyn Both>);

impl Wire {
    fn open(stream: &TcpStream) -> std::io::Result<Self> {
        Ok(Self(Box::new(stream.try_clone()?)))
    }

    fn encrypted(stream: &TcpStream, config: &Arc<ServerConfig>) -> std::io::Result<Self> {
        let connection = ServerConnection::new(config.clone()).map_err(std::io::Error::other)?;
        Ok(Self(Box::new(StreamOwned::new(connection, stream.try_clone()?))))
    }

    fn say(&mut self, text: &str) -> std::io::Result<()> {
        self.0.write_all(format!("{text}\r\n").as_bytes())?;
        self.0.flush()
    }

    fn next(&mut self) -> std::io::Result<String> {
        let mut line = Vec::new();
        let mut byte = [0];
        while line.last() != Some(&b'\n') {
            self.0.read_exact(&mut byte)?;
            line.push(byte[0]);
        }
        Ok(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned())
    }
}

fn session(stream: &TcpStream, manner: Manner, line: Line, all: &Mutex<Vec<Taken>>) -> std::io::Result<()> {
    let mut writer = stream;
    match manner {
        Manner::Hangs => {
            std::thread::sleep(Duration::from_secs(30));
            return Ok(());
        }
        Manner::Drips => loop {
            writer.write_all(b"2")?;
            std::thread::sleep(Duration::from_millis(20));
        },
        _ => {}
    }
    let (mut wire, mut upgrade) = match line {
        Line::Open => (Wire::open(stream)?, None),
        Line::StartTls(config) => (Wire::open(stream)?, Some(config)),
        Line::Tls(config) => (Wire::encrypted(stream, &config)?, None),
    };
    let mut mail = Taken { from: String::new(), to: Vec::new(), data: String::new() };
    let mut signed_in = false;
    wire.say("220 post.example ESMTP")?;
    loop {
        let line = wire.next()?;
        let command = line.split(' ').next().unwrap_or_default().to_uppercase();
        match command.as_str() {
            "EHLO" if upgrade.is_some() => wire.say("250-post.example\r\n250 STARTTLS")?,
            "EHLO" => wire.say("250-post.example\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME")?,
            "STARTTLS" => match upgrade.take() {
                Some(config) => {
                    wire.say("220 go ahead")?;
                    wire = Wire::encrypted(stream, &config)?;
                }
                None => wire.say("503 what for?")?,
            },
            // Nothing is taken that others could read.
            "AUTH" | "MAIL" if upgrade.is_some() => wire.say("530 5.7.0 encrypt first")?,
            "AUTH" => {
                let word = line.split(' ').nth(2).unwrap_or_default();
                let expected = STANDARD.encode(format!("\0{}\0{}", LOGIN.0, LOGIN.1));
                signed_in = word == expected;
                wire.say(if signed_in { "235 welcome" } else { "535 5.7.8 not the right password" })?;
            }
            "MAIL" if !signed_in => wire.say("530 5.7.0 sign in first")?,
            "MAIL" if manner == Manner::Busy => wire.say("451 4.3.2 come back later")?,
            "MAIL" => {
                mail.from = address(&line);
                wire.say("250 fine")?;
            }
            "RCPT" if manner == Manner::KnowsNobody => wire.say("550 5.1.1 nobody of this name")?,
            "RCPT" => {
                mail.to.push(address(&line));
                wire.say("250 fine")?;
            }
            "DATA" => {
                wire.say("354 go on")?;
                loop {
                    let line = wire.next()?;
                    if manner == Manner::Cuts {
                        return stream.shutdown(std::net::Shutdown::Both);
                    }
                    if line == "." {
                        break;
                    }
                    mail.data.push_str(line.strip_prefix('.').unwrap_or(&line));
                    mail.data.push_str("\r\n");
                }
                all.lock().unwrap().push(mail.clone());
                wire.say("250 taken")?;
                if manner == Manner::HangsAtGoodbye {
                    std::thread::sleep(Duration::from_secs(30));
                }
            }
            "QUIT" => {
                wire.say("221 goodbye")?;
                return Ok(());
            }
            "NOOP" | "RSET" => wire.say("250 fine")?,
            _ => wire.say("500 what?")?,
        }
    }
}

/// What stands between the angle brackets.
fn address(line: &str) -> String {
    let inner = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inner.map(|(address, _)| address.to_owned()).unwrap_or_default()
}
