//! E-mail: subject, sender, date and what the sender wrote; quoted messages are left out.
//!
//! The text part is read, else the HTML part. [`attachments`] gives the files that a message carries, and `mbox` the
//! messages of a mailbox; the caller makes documents of them.

pub mod mbox;
mod quotes;

use bytes::Bytes;
use mail_parser::{Address, Message, MessageParser, MimeHeaders, PartType};

use crate::domain::{Anchor, BlockKind};

use super::{Builder, ExtractError, html, plain};

/// A file that a message carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    pub name: String,
    pub bytes: Bytes,
}

/// Parts within each other; the parser keeps a small state for each and this reader asks only for the outermost.
const MAX_PARTS: usize = 1_000;

/// Reads a message.
pub fn extract(bytes: &[u8], out: &mut Builder) -> Result<(), ExtractError> {
    let message = parse(bytes)?;
    let subject = message.subject().unwrap_or_default().trim();
    let from = message.from().map(people).unwrap_or_default();
    let date = message.date().map(|date| format!("{:04}-{:02}-{:02}", date.year, date.month, date.day));
    if !subject.is_empty() {
        out.title(subject);
        out.line(BlockKind::Heading(1), subject, Anchor::default())?;
    }
    let facts = [("From", from), ("Date", date.unwrap_or_default())];
    let facts =
        facts.iter().filter(|(_, words)| !words.is_empty()).map(|(name, words)| format!("{name}: {words}"));
    out.line(BlockKind::Paragraph, &facts.collect::<Vec<_>>().join(", "), Anchor::default())?;
    let is_text = |part: &mail_parser::MessagePart| matches!(part.body, PartType::Text(_));
    if message.text_part(0).is_some_and(is_text) {
        for at in 0..message.text_body_count().min(MAX_PARTS) {
            let Some(text) = message.body_text(at) else { continue };
            let (own, quoted) = quotes::own_words(&text);
            // Paragraphs as in any text, but the first line is a greeting and no title.
            plain::paragraphs_of(&own, out)?;
            if quoted {
                out.warn("quoted messages in this e-mail are not read");
            }
        }
    } else if let Some(page) = message.body_html(0) {
        let (own, quoted) = quotes::own_html(&page);
        html::fragment(own, out)?;
        if quoted {
            out.warn("quoted messages in this e-mail are not read");
        }
    }
    Ok(())
}

/// The files of a message, those within forwarded messages left out.
pub fn attachments(bytes: &[u8]) -> Result<Vec<Attachment>, ExtractError> {
    let message = parse(bytes)?;
    let files = message.attachments().take(MAX_PARTS).enumerate().filter_map(|(at, part)| {
        let bytes = match &part.body {
            PartType::Binary(bytes) => Bytes::copy_from_slice(bytes),
            PartType::Text(text) | PartType::Html(text) => Bytes::copy_from_slice(text.as_bytes()),
            // A picture within the page, a forwarded message, a frame of parts.
            PartType::InlineBinary(_) | PartType::Message(_) | PartType::Multipart(_) => return None,
        };
        let name = part.attachment_name().map_or_else(|| format!("attachment {}", at + 1), str::to_owned);
        Some(Attachment { name, bytes })
    });
    Ok(files.collect())
}

/// The subject of a message.
pub fn subject(bytes: &[u8]) -> Option<String> {
    let message = parse(bytes).ok()?;
    message.subject().map(|subject| subject.trim().to_owned()).filter(|subject| !subject.is_empty())
}

/// What names a message for good.
pub fn message_id(bytes: &[u8]) -> Option<String> {
    let message = parse(bytes).ok()?;
    message.message_id().map(str::to_owned)
}

fn parse(bytes: &[u8]) -> Result<Message<'_>, ExtractError> {
    MessageParser::default().parse(bytes).ok_or(ExtractError::Damaged("e-mail"))
}

/// Names, or addresses where there are none.
fn people(address: &Address) -> String {
    let all = address.iter().filter_map(|one| one.name.as_deref().or(one.address.as_deref()));
    all.take(10).collect::<Vec<_>>().join(", ")
}

/// Whether bytes begin like a message: lines of a header with at least two of the usual names.
pub fn is_message(head: &[u8]) -> bool {
    const USUAL: [&str; 14] = [
        "from",
        "to",
        "subject",
        "date",
        "received",
        "return-path",
        "delivered-to",
        "message-id",
        "mime-version",
        "content-type",
        "reply-to",
        "x-mailer",
        "dkim-signature",
        "cc",
    ];
    let head = &head[..head.len().min(16 << 10)];
    let text = String::from_utf8_lossy(head);
    let mut names = std::collections::HashSet::new();
    for line in text.lines() {
        if line.trim().is_empty() {
            break;
        }
        if line.starts_with([' ', '\t']) {
            continue;
        }
        let Some((name, _)) = line.split_once(':') else { return false };
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') {
            return false;
        }
        names.insert(name.to_ascii_lowercase());
    }
    let named = USUAL.iter().filter(|usual| names.contains(**usual)).count();
    // "From:" and "To:" alone may begin a letter that someone typed.
    let technical =
        ["received", "message-id", "mime-version", "return-path", "delivered-to", "x-mailer", "date"];
    named >= 3 && technical.iter().any(|name| names.contains(*name))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{read, shown};
    use super::*;
    use crate::domain::MediaType::Email;

    const MAIL: &str = "From: =?utf-8?q?Anna_Gl=C3=A4ser?= <anna@example.org>\r\nTo: b@example.org\r\nSubject: Varnish\r\n\
        Date: Fri, 20 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n\
        --x\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
        Hello,\r\n\r\nthe varnish f=FCr wood dries in 41 hours.\r\n\r\nOn Monday Bob wrote:\r\n> old zebra words\r\n\
        --x\r\nContent-Type: text/plain; name=\"notes.txt\"\r\nContent-Disposition: attachment; filename=\"notes.txt\"\r\n\r\n\
        Attached words.\r\n--x--\r\n";

    #[test]
    fn a_message_is_what_its_sender_wrote() {
        let text = read(MAIL, Email).unwrap();
        assert_eq!(
            shown(&text),
            [
                "h1 Varnish",
                "p From: Anna Gläser, Date: 2026-11-20",
                "p Hello,",
                "p the varnish für wood dries in 41 hours."
            ]
        );
        assert_eq!(text.title.as_deref(), Some("Varnish"));
        assert_eq!(text.warnings.len(), 1);
        let files = attachments(MAIL.as_bytes()).unwrap();
        assert_eq!(
            (files.len(), files[0].name.as_str(), files[0].bytes.as_ref()),
            (1, "notes.txt", &b"Attached words."[..])
        );
    }

    #[test]
    fn messages_are_known_by_their_header() {
        assert!(is_message(MAIL.as_bytes()));
        assert!(!is_message(b"Dear Anna,\n\nFrom: me"));
        assert!(!is_message(b"From: me\nTo: you\nSubject: a play\n\nACT I"));
        assert!(!is_message(b"title: x\ndate: y\n"));
    }

    #[test]
    fn endless_nesting_ends() {
        let mut deep = String::from("MIME-Version: 1.0\r\nSubject: deep\r\n");
        for level in 0..20_000 {
            deep.push_str(&format!("Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n"));
        }
        let _ = read(deep, Email);
        let wrapped = "Content-Type: message/rfc822\r\n\r\n".repeat(20_000) + "Subject: x\r\n\r\nwords";
        let _ = read(wrapped, Email);
    }
}
