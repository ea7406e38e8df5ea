//! `[mail]`: the server that takes mails to people, and whom they come from. Off while no host is set.
//!
//! Goes out: how to reach it ([`MailSettings::smtp`]), checked when the settings are resolved. What mails say is `mail`.

use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use super::Secret;
use crate::mail::letter::sender;
use crate::mail::smtp::{Authority, Security, SmtpOptions};

/// `[mail]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MailSettings {
    /// The mail server; empty sends no mail.
    pub host: String,
    /// 0 is the usual one of `security`.
    pub port: u16,
    /// `starttls`, `tls` or `none`.
    pub security: String,
    /// Empty signs in nowhere.
    pub username: String,
    pub password: Secret,
    /// A file that holds the password and nothing else.
    pub password_file: String,
    /// A file with certificates (PEM) of an authority of one's own, which is believed beside those of the system.
    pub ca_file: String,
    /// As `School <help@school.example>`.
    pub from: String,
    /// Tries before a mail is given up; the pauses between them grow to a day.
    pub attempts: u32,
    /// For one session.
    pub timeout_ms: u64,
    /// Whether a creator's people are told of conversations that need a person.
    pub escalations: bool,
}

impl Default for MailSettings {
    fn default() -> Self {
        Self {
            host: String::new(),
            port: 0,
            security: Security::StartTls.as_str().into(),
            username: String::new(),
            password: Secret::default(),
            password_file: String::new(),
            ca_file: String::new(),
            from: String::new(),
            attempts: 8,
            timeout_ms: 20_000,
            escalations: true,
        }
    }
}

impl MailSettings {
    /// Whether mails are sent at all.
    pub fn is_on(&self) -> bool {
        !self.host.is_empty()
    }

    /// The password, from where the settings say it is; or why not.
    pub fn password(&self) -> Result<String, String> {
        match self.password_file.as_str() {
            "" => Ok(self.password.reveal().to_owned()),
            path => std::fs::read_to_string(path)
                .map(|text| text.trim_end_matches(['\r', '\n']).to_owned())
                .map_err(|error| format!("the file {path} cannot be read: {error}")),
        }
    }

    /// The certificates of an authority of one's own, from where the settings say they are; or why not.
    pub fn authority(&self) -> Result<Option<Authority>, String> {
        match self.ca_file.as_str() {
            "" => Ok(None),
            path => {
                let pem = std::fs::read(path)
                    .map_err(|error| format!("the file {path} cannot be read: {error}"))?;
                Authority::parse(&pem).map(Some).map_err(|reason| format!("the file {path} {reason}"))
            }
        }
    }

    /// How to reach the server; `None` when there is none. Or which setting is wrong, and why. `public_url` is where
    /// links lead: never to what a request calls this server, which its sender chooses.
    pub fn smtp(
        &self,
        public_url: &str,
        password: String,
    ) -> Result<Option<SmtpOptions>, (&'static str, String)> {
        let security: Security = self.security.parse().map_err(|reason| ("mail.security", reason))?;
        if !self.is_on() {
            return Ok(None);
        }
        if Host::parse(&self.host).is_err() {
            let reason = format!("`{}` is not the name of a server such as `mail.school.example`", self.host);
            return Err(("mail.host", reason));
        }
        let url = Url::parse(public_url).map_err(|_| {
            let reason = "mails have links, and `server.public_url` does not say where they lead".to_owned();
            ("mail.host", reason)
        })?;
        let from = sender(&self.from).ok_or_else(|| {
            ("mail.from", format!("`{}` is not an address such as `School <help@school.example>`", self.from))
        })?;
        if !self.password.is_empty() && !self.password_file.is_empty() {
            let reason = "there is a `password` already; one of the two is enough";
            return Err(("mail.password_file", reason.to_owned()));
        }
        if security == Security::None && !self.username.is_empty() && !is_here(&self.host) {
            let reason = "`none` would send the password over a line that others can read";
            return Err(("mail.security", reason.to_owned()));
        }
        let login = (!self.username.is_empty()).then(|| (self.username.clone(), password));
        Ok(Some(SmtpOptions {
            host: self.host.clone(),
            port: if self.port == 0 { security.usual_port() } else { self.port },
            security,
            login,
            hello: match url.host() {
                Some(Host::Domain(name)) => name.to_owned(),
                Some(Host::Ipv4(address)) => address.to_string(),
                _ => "127.0.0.1".to_owned(),
            },
            from,
            authority: None,
            timeout: Duration::from_millis(self.timeout_ms),
        }))
    }
}

/// Whether it is this machine, to which no line leads.
fn is_here(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://ask.school.example";

    fn on() -> MailSettings {
        MailSettings {
            host: "mail.school.example".into(),
            from: "help@school.example".into(),
            ..MailSettings::default()
        }
    }

    #[test]
    fn nothing_is_sent_without_a_host_and_ports_are_the_usual_ones() {
        assert!(MailSettings::default().smtp("", String::new()).unwrap().is_none());
        for (security, port) in [("starttls", 587), ("tls", 465), ("none", 25)] {
            let settings = MailSettings { security: security.into(), ..on() };
            let smtp = settings.smtp(URL, String::new()).unwrap().unwrap();
            assert_eq!((smtp.port, smtp.hello.as_str()), (port, "ask.school.example"));
            assert_eq!(smtp.login, None);
        }
        let settings = MailSettings { port: 2525, username: "me".into(), ..on() };
        let smtp = settings.smtp(URL, "violet".into()).unwrap().unwrap();
        assert_eq!((smtp.port, smtp.login), (2525, Some(("me".into(), "violet".into()))));
    }

    #[test]
    fn wrong_settings_are_named() {
        let secret = |text: &str| toml::Value::from(text).try_into::<Secret>().unwrap();
        let check = |settings: MailSettings, url: &str, name: &str| {
            assert_eq!(settings.smtp(url, String::new()).unwrap_err().0, name, "{settings:?}");
        };
        check(MailSettings { security: "ssl".into(), ..MailSettings::default() }, URL, "mail.security");
        check(MailSettings { host: "mail:25".into(), ..on() }, URL, "mail.host");
        check(on(), "", "mail.host");
        check(MailSettings { from: "School".into(), ..on() }, URL, "mail.from");
        check(
            MailSettings { password: secret("a"), password_file: "b".into(), ..on() },
            URL,
            "mail.password_file",
        );
        let open = MailSettings { security: "none".into(), username: "me".into(), ..on() };
        check(open.clone(), URL, "mail.security");
        assert!(MailSettings { host: "127.0.0.1".into(), ..open }.smtp(URL, String::new()).is_ok());
    }

    #[test]
    fn a_password_comes_from_its_file_without_the_end_of_the_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("password");
        std::fs::write(&path, " violet tide \n").unwrap();
        let settings = MailSettings { password_file: path.display().to_string(), ..on() };
        assert_eq!(settings.password().unwrap(), " violet tide ");
        let missing = MailSettings { password_file: "/nowhere/at/all".into(), ..on() };
        assert!(missing.password().unwrap_err().contains("/nowhere/at/all"));
    }

    #[test]
    fn an_authority_is_read_from_its_file_or_refused() {
        assert!(MailSettings::default().authority().unwrap().is_none());
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ca.pem");
        for text in ["", "no certificate", "-----BEGIN CERTIFICATE-----\n????\n-----END CERTIFICATE-----\n"] {
            std::fs::write(&path, text).unwrap();
            let settings = MailSettings { ca_file: path.display().to_string(), ..on() };
            assert!(settings.authority().unwrap_err().contains("ca.pem"), "{text}");
        }
        let missing = MailSettings { ca_file: "/nowhere/at/all".into(), ..on() };
        assert!(missing.authority().unwrap_err().contains("/nowhere/at/all"));
    }
}
