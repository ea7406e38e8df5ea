//! A mail server on loopback, by hand (RFC 5321), so that the client is not tested with its own library. It takes mail,
//! or behaves badly as it is told, session by session.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

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
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let taken = Arc::new(Mutex::new(Vec::new()));
        let (all, manners) = (taken.clone(), manners.to_vec());
        std::thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                let manner = manners[number.min(manners.len() - 1)];
                let all = all.clone();
                // A session that breaks off is what some of the tests want.
                std::thread::spawn(move || drop(session(&stream.unwrap(), manner, &all)));
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

fn session(stream: &TcpStream, manner: Manner, all: &Mutex<Vec<Taken>>) -> std::io::Result<()> {
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
    let mut lines = BufReader::new(stream);
    let mut say = |text: &str| writer.write_all(format!("{text}\r\n").as_bytes());
    let mut next = || -> std::io::Result<String> {
        let mut line = String::new();
        if lines.read_line(&mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end_matches(['\r', '\n']).to_owned())
    };
    let mut mail = Taken { from: String::new(), to: Vec::new(), data: String::new() };
    let mut signed_in = false;
    say("220 post.example ESMTP")?;
    loop {
        let line = next()?;
        let command = line.split(' ').next().unwrap_or_default().to_uppercase();
        match command.as_str() {
            "EHLO" => say("250-post.example\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME")?,
            "AUTH" => {
                let word = line.split(' ').nth(2).unwrap_or_default();
                let expected = STANDARD.encode(format!("\0{}\0{}", LOGIN.0, LOGIN.1));
                signed_in = word == expected;
                say(if signed_in { "235 welcome" } else { "535 5.7.8 not the right password" })?;
            }
            "MAIL" if !signed_in => say("530 5.7.0 sign in first")?,
            "MAIL" if manner == Manner::Busy => say("451 4.3.2 come back later")?,
            "MAIL" => {
                mail.from = address(&line);
                say("250 fine")?;
            }
            "RCPT" if manner == Manner::KnowsNobody => say("550 5.1.1 nobody of this name")?,
            "RCPT" => {
                mail.to.push(address(&line));
                say("250 fine")?;
            }
            "DATA" => {
                say("354 go on")?;
                loop {
                    let line = next()?;
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
                say("250 taken")?;
                if manner == Manner::HangsAtGoodbye {
                    std::thread::sleep(Duration::from_secs(30));
                }
            }
            "QUIT" => {
                say("221 goodbye")?;
                return Ok(());
            }
            "NOOP" | "RSET" => say("250 fine")?,
            _ => say("500 what?")?,
        }
    }
}

/// What stands between the angle brackets.
fn address(line: &str) -> String {
    let inner = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inner.map(|(address, _)| address.to_owned()).unwrap_or_default()
}
