//! A mail as it goes over the wire (RFC 5322): plain text in UTF-8, with the headers that programs' mails have.
//!
//! Names and subjects come from people and strangers; whatever would end a header line is taken out of them here, before
//! the library writes and encodes them.

use std::time::{Duration, UNIX_EPOCH};

use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, SinglePart};
use lettre::{Address, Message};

use crate::domain::{MailId, Timestamp};

/// Longest subject and name, in characters: RFC 5322, 2.1.1, wants lines of 78, which encoding makes longer.
const MOST_SUBJECT: usize = 120;
const MOST_NAME: usize = 80;

/// A mail before it is written down.
#[derive(Debug, Clone)]
pub struct Letter {
    /// The same at each try, so that a mail that comes twice is known as one.
    pub id: MailId,
    pub to: Mailbox,
    pub subject: String,
    pub text: String,
    /// A person wrote it; else it says that a program did (RFC 3834), so that no program answers.
    pub by_person: bool,
}

/// An address with the name of whoever has it; `None` when mail cannot go there.
pub fn mailbox(name: Option<&str>, address: &str) -> Option<Mailbox> {
    let address: Address = address.trim().parse().ok()?;
    let name = name.map(|name| one_line(name, MOST_NAME)).filter(|name| !name.is_empty());
    Some(Mailbox::new(name, address))
}

/// The address that mails come from, as `School <help@school.example>` or without the name.
pub fn sender(text: &str) -> Option<Mailbox> {
    let text = text.trim();
    match text.strip_suffix('>').and_then(|text| text.split_once('<')) {
        Some((name, address)) => mailbox(Some(name.trim().trim_matches('"')), address),
        None => mailbox(None, text),
    }
}

impl Letter {
    /// Writes it down; why not, when it cannot be.
    pub fn message(&self, from: &Mailbox, at: Timestamp) -> Result<Message, String> {
        let date = UNIX_EPOCH.checked_add(Duration::from_millis(at.0)).unwrap_or(UNIX_EPOCH);
        let mut builder = Message::builder()
            .from(from.clone())
            .to(self.to.clone())
            .subject(one_line(&self.subject, MOST_SUBJECT))
            .date(date)
            .message_id(Some(format!("<{}@{}>", self.id, from.email.domain())));
        if !self.by_person {
            let name = HeaderName::new_from_ascii_str("Auto-Submitted");
            builder = builder.raw_header(HeaderValue::new(name, "auto-generated".to_owned()));
        }
        builder.singlepart(SinglePart::plain(self.text.clone())).map_err(|error| error.to_string())
    }
}

/// A text that ends no line: control characters and ends of lines are spaces, and so are those of Unicode.
pub fn one_line(text: &str, most: usize) -> String {
    let plain: String = text
        .chars()
        .map(|c| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c })
        .collect();
    let words: Vec<&str> = plain.split_whitespace().collect();
    let line = words.join(" ");
    if line.chars().count() <= most {
        return line;
    }
    let short: String = line.chars().take(most - 1).collect();
    format!("{}…", short.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(name: &str, subject: &str, text: &str, by_person: bool) -> String {
        let letter = Letter {
            id: MailId::from_bytes([7; 16]),
            to: mailbox(Some(name), "tom@x.example").unwrap(),
            subject: subject.into(),
            text: text.into(),
            by_person,
        };
        let from = sender("School <help@school.example>").unwrap();
        let message = letter.message(&from, Timestamp(1_700_000_000_000)).unwrap();
        String::from_utf8(message.formatted()).unwrap()
    }

    #[test]
    fn a_letter_has_the_headers_of_a_program_and_plain_text() {
        let mail = written("Tom", "A new password", "Hello\nÄpfel", false);
        let (head, body) = mail.split_once("\r\n\r\n").unwrap();
        for line in [
            "From: School <help@school.example>",
            "To: Tom <tom@x.example>",
            "Subject: A new password",
            "Auto-Submitted: auto-generated",
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=utf-8",
            "Date: Tue, 14 Nov 2023 22:13:20 +0000",
        ] {
            assert!(head.lines().any(|found| found == line), "{line}: {head}");
        }
        let id = format!("Message-ID: <{}@school.example>", MailId::from_bytes([7; 16]));
        assert!(head.contains(&id), "{head}");
        assert!(mail.is_ascii() && body.contains("=C3=84pfel"), "{body}");
        assert!(!written("Tom", "Re: you", "Hello", true).contains("Auto-Submitted"));
    }

    #[test]
    fn nothing_ends_a_header_line() {
        let evil = "Tom\r\nBcc: all@x.example\r\n\r\nBuy\u{2028}now\0";
        let mail = written(evil, evil, "Body", false);
        let (head, body) = mail.split_once("\r\n\r\n").unwrap();
        assert!(!head.lines().any(|line| line.to_lowercase().starts_with("bcc")), "{head}");
        assert!(!body.contains("Buy"), "{body}");
        let long = written("Tom", &"ä\r\nx".repeat(2_000), "Body", false);
        let head = long.split_once("\r\n\r\n").unwrap().0;
        assert!(head.lines().all(|line| line.len() <= 998), "{head}");
        for wrong in ["", "tom", "tom@x.example\r\nRCPT TO:<all@x.example>", "a@b>, c@d", "tom@x.example b"] {
            assert!(mailbox(None, wrong).is_none(), "{wrong:?}");
        }
    }

    #[test]
    fn senders_are_read_with_and_without_a_name() {
        for (text, name, address) in [
            ("help@school.example", None, "help@school.example"),
            ("School <help@school.example>", Some("School"), "help@school.example"),
            ("\"The School\" <help@school.example>", Some("The School"), "help@school.example"),
        ] {
            let found = sender(text).unwrap();
            assert_eq!((found.name.as_deref(), found.email.to_string().as_str()), (name, address));
        }
        assert!(sender("School").is_none() && sender("School <help>").is_none());
    }

    #[test]
    fn a_line_is_cut_at_its_end() {
        assert_eq!(one_line("  a\t\nb ", 10), "a b");
        assert_eq!(one_line("abcdef", 4), "abc…");
    }
}
