//! One session with a mail server: connect, encrypt, sign in, hand a mail over (RFC 5321, 3207, 4954).
//!
//! All of it has one time limit, however slowly the other side speaks. What the server said of a mail it took counts,
//! even when it then hangs; what it said when it refused decides whether another try makes sense.

use std::fmt;
use std::time::{Duration, Instant};

use lettre::address::Envelope;
use lettre::message::Mailbox;
use lettre::transport::smtp;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::letter::{Letter, one_line};
use crate::domain::Timestamp;

/// How the connection is kept from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// Encrypted after the first words; a server that cannot is refused.
    StartTls,
    /// Encrypted from the first byte.
    Tls,
    /// Read by whoever is in between.
    None,
}

impl Security {
    /// Where servers listen for it (RFC 6409, RFC 8314).
    pub fn usual_port(self) -> u16 {
        match self {
            Self::StartTls => 587,
            Self::Tls => 465,
            Self::None => 25,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::StartTls => "starttls",
            Self::Tls => "tls",
            Self::None => "none",
        }
    }
}

impl std::str::FromStr for Security {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let known = [Self::StartTls, Self::Tls, Self::None];
        known
            .into_iter()
            .find(|security| security.as_str() == text)
            .ok_or_else(|| format!("`{text}` is neither `starttls`, `tls` nor `none`"))
    }
}

/// Certificates of an authority of one's own, as a school's network may have.
#[derive(Debug, Clone)]
pub struct Authority(Certificate);

impl Authority {
    /// From PEM text (RFC 7468); why not, when there is none in it.
    pub fn parse(pem: &[u8]) -> Result<Self, &'static str> {
        const NONE: &str = "holds no certificate that can be read (PEM)";
        // What cannot be believed is better found out here than with the first mail.
        let mut believed = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            believed.add(certificate.map_err(|_| NONE)?).map_err(|_| NONE)?;
        }
        if believed.is_empty() {
            return Err(NONE);
        }
        Certificate::from_pem(pem).map(Self).map_err(|_| NONE)
    }
}

/// Which server, and who asks.
#[derive(Clone)]
pub struct SmtpOptions {
    pub host: String,
    pub port: u16,
    pub security: Security,
    /// Name and password, where the server wants them.
    pub login: Option<(String, String)>,
    /// This machine, as it introduces itself.
    pub hello: String,
    pub from: Mailbox,
    /// Believed beside those that the system believes.
    pub authority: Option<Authority>,
    /// For one session.
    pub timeout: Duration,
}

/// A log that shows the options shows no password.
impl fmt::Debug for SmtpOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpOptions")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("security", &self.security)
            .finish_non_exhaustive()
    }
}

/// Why a mail was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What the server answered, if it did.
    pub status: Option<u16>,
    pub reason: String,
    /// No further try makes it better.
    pub for_good: bool,
}

impl Fault {
    pub fn for_good(reason: impl Into<String>) -> Self {
        Self { status: None, reason: reason.into(), for_good: true }
    }

    pub fn passing(reason: impl Into<String>) -> Self {
        Self { status: None, reason: reason.into(), for_good: false }
    }
}

/// Hands a mail over; gives what the server answered.
pub async fn send(options: &SmtpOptions, letter: &Letter, at: Timestamp) -> Result<Option<u16>, Fault> {
    let message = letter.message(&options.from, at).map_err(Fault::for_good)?;
    let (envelope, bytes) = (message.envelope(), message.formatted());
    within(options.timeout, async {
        let mut connection = connected(options).await?;
        let taken = handed(&mut connection, envelope, &bytes).await;
        goodbye(&mut connection).await;
        taken
    })
    .await
    .map(Some)
}

/// Connects and signs in, and hands nothing over; gives how long it took.
pub async fn probe(options: &SmtpOptions) -> Result<Duration, Fault> {
    let began = Instant::now();
    within(options.timeout, async {
        let mut connection = connected(options).await?;
        goodbye(&mut connection).await;
        Ok(())
    })
    .await?;
    Ok(began.elapsed())
}

async fn within<T>(limit: Duration, work: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    match tokio::time::timeout(limit, work).await {
        Ok(result) => result,
        Err(_) => Err(Fault::passing("the mail server did not answer in time")),
    }
}

async fn connected(options: &SmtpOptions) -> Result<AsyncSmtpConnection, Fault> {
    let hello = match options.hello.parse() {
        Ok(address) => ClientId::Ipv4(address),
        Err(_) => ClientId::Domain(options.hello.clone()),
    };
    let tls = || {
        let builder = TlsParameters::builder(options.host.clone());
        let builder = match &options.authority {
            Some(Authority(own)) => builder.add_root_certificate(own.clone()),
            None => builder,
        };
        builder.build().map_err(fault)
    };
    let at_once = if options.security == Security::Tls { Some(tls()?) } else { None };
    let server = (options.host.as_str(), options.port);
    let connecting =
        AsyncSmtpConnection::connect_tokio1(server, Some(options.timeout), &hello, at_once, None);
    let mut connection = connecting.await.map_err(fault)?;
    if options.security == Security::StartTls {
        connection.starttls(tls()?, &hello).await.map_err(fault)?;
    }
    if let Some((name, password)) = &options.login {
        let credentials = Credentials::new(name.clone(), password.clone());
        // A password that is refused is the settings' fault, not the mail's: it goes out when they are right.
        connection
            .auth(DEFAULT_MECHANISMS, &credentials)
            .await
            .map_err(|error| Fault { for_good: false, ..fault(error) })?;
    }
    Ok(connection)
}

async fn handed(
    connection: &mut AsyncSmtpConnection,
    envelope: &Envelope,
    bytes: &[u8],
) -> Result<u16, Fault> {
    let response = connection.send(envelope, bytes).await.map_err(fault)?;
    Ok(response.code().into())
}

/// Takes leave, for a moment: whether the server says goodbye changes nothing.
async fn goodbye(connection: &mut AsyncSmtpConnection) {
    const MOMENT: Duration = Duration::from_millis(500);
    let _ = tokio::time::timeout(MOMENT, connection.abort()).await;
}

/// Codes by which a server asks for other credentials (RFC 4954, 6).
const SIGN_IN: [u16; 4] = [530, 534, 535, 538];

fn fault(error: smtp::Error) -> Fault {
    let status = error.status().map(u16::from);
    let for_good = error.is_permanent() && !status.is_some_and(|status| SIGN_IN.contains(&status));
    Fault { status, reason: one_line(&error.to_string(), 300), for_good }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_security_are_read_back() {
        for security in [Security::StartTls, Security::Tls, Security::None] {
            assert_eq!(security.as_str().parse(), Ok(security));
        }
        assert!("ssl".parse::<Security>().unwrap_err().contains("starttls"));
    }

    #[test]
    fn options_show_no_password() {
        let options = SmtpOptions {
            host: "mail.example".into(),
            port: 587,
            security: Security::StartTls,
            login: Some(("me".into(), "violet".into())),
            hello: "school.example".into(),
            from: super::super::letter::sender("a@x.example").unwrap(),
            authority: None,
            timeout: Duration::from_secs(1),
        };
        assert!(!format!("{options:?}").contains("violet"));
    }
}
