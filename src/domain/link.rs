//! Signed addresses of places in documents: what makes them and what tells a true one from a forged one.
//!
//! An id of a document can be computed from its creator and its name, so it opens nothing by itself. An address says
//! which bytes of which version of a document may be seen, until which day, and a keyed hash (BLAKE3 with the
//! server's own key) covers all of that. Whoever asks gets such addresses with the answer; nobody can make one.
//! Who may see how much of a document is decided where it is opened (`http`), not here.

use std::fmt;

use serde::Deserialize;
use subtle::ConstantTimeEq;

use super::ids::encode;
use super::{ContentHash, Document, DocumentId, Span, Timestamp};

/// The key of a server's addresses.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct LinkKey(pub [u8; 32]);

impl fmt::Debug for LinkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkKey(…)")
    }
}

/// As long as the widget keeps a conversation in the browser, so that what it shows can be opened.
const DAYS: u64 = 30;
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// Makes the addresses of one day.
#[derive(Debug, Clone, Copy)]
pub struct Links {
    key: LinkKey,
    /// The last day (since 1970) on which they open.
    until: u64,
}

/// The signed part of an address, as it came in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Pass {
    /// `START-END`, in bytes of the stored text.
    pub at: String,
    /// The version of the document.
    pub of: String,
    /// The last day, since 1970.
    pub until: String,
    pub sig: String,
}

/// Why a pass opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PassFault {
    Forged,
    Expired,
}

impl Links {
    pub fn new(key: LinkKey, now: Timestamp) -> Self {
        // The day under way is a gift: all addresses of a day are the same.
        Self { key, until: now.0 / DAY_MS + DAYS }
    }

    /// The query of the address of a part of a document.
    pub fn query(&self, document: &Document, place: Span) -> String {
        let Pass { at, of, until, sig } = self.pass(&document.id, document.content, place);
        format!("at={at}&of={of}&until={until}&sig={sig}")
    }

    /// What the query says.
    pub fn pass(&self, document: &DocumentId, content: ContentHash, place: Span) -> Pass {
        let (at, of) = (format!("{}-{}", place.start, place.end), version(content));
        let until = self.until.to_string();
        let sig = self.key.sign([document.as_str(), &at, &of, &until]);
        Pass { at, of, until, sig }
    }
}

impl Pass {
    /// The place that it opens, when this server made it for this document and its time is not over.
    pub fn check(&self, key: LinkKey, document: &DocumentId, now: Timestamp) -> Result<Span, PassFault> {
        let own = key.sign([document.as_str(), &self.at, &self.of, &self.until]);
        if !bool::from(own.as_bytes().ct_eq(self.sig.as_bytes())) {
            return Err(PassFault::Forged);
        }
        let place = parse_place(&self.at).ok_or(PassFault::Forged)?;
        match self.until.parse::<u64>() {
            Ok(until) if now.0 / DAY_MS <= until => Ok(place),
            _ => Err(PassFault::Expired),
        }
    }

    /// Whether it was made for these bytes and not for an earlier version of them.
    pub fn is_of(&self, content: ContentHash) -> bool {
        self.of == version(content)
    }
}

impl LinkKey {
    fn sign(self, parts: [&str; 4]) -> String {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        for part in ["neverafk link v1"].into_iter().chain(parts) {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        // 128 bits: guessing one takes longer than the key lives, and the address stays short.
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        encode(bytes)
    }
}

/// `START-END`.
pub fn parse_place(text: &str) -> Option<Span> {
    let (start, end) = text.split_once('-')?;
    let span = Span { start: start.parse().ok()?, end: end.parse().ok()? };
    (span.start <= span.end).then_some(span)
}

/// Enough of the hash to tell versions of one document apart; it need not withstand anyone, since it is signed.
fn version(content: ContentHash) -> String {
    content.to_hex()[..12].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::CreatorId;

    const KEY: LinkKey = LinkKey([7; 32]);
    const NOW: Timestamp = Timestamp(20_000 * DAY_MS + 5);
    const PLACE: Span = Span { start: 12, end: 40 };

    fn document(source: &str) -> DocumentId {
        let creator: CreatorId = "anna".parse().unwrap();
        DocumentId::of_source(&creator, source)
    }

    fn pass() -> Pass {
        Links::new(KEY, NOW).pass(&document("a.md"), ContentHash::of(b"words"), PLACE)
    }

    #[test]
    fn a_ticket_opens_its_own_place_until_its_day() {
        let (pass, id) = (pass(), document("a.md"));
        assert_eq!(pass.check(KEY, &id, NOW), Ok(PLACE));
        let last = Timestamp((20_030 + 1) * DAY_MS - 1);
        assert_eq!(pass.check(KEY, &id, last), Ok(PLACE));
        assert_eq!(pass.check(KEY, &id, Timestamp(last.0 + 1)), Err(PassFault::Expired));
        assert!(pass.is_of(ContentHash::of(b"words")));
        assert!(!pass.is_of(ContentHash::of(b"other words")));
    }

    #[test]
    fn whatever_is_changed_is_noticed() {
        let id = document("a.md");
        let forged = |change: fn(&mut Pass)| {
            let mut pass = pass();
            change(&mut pass);
            pass.check(KEY, &id, NOW)
        };
        for change in [
            (|t| t.at = "0-4000".into()) as fn(&mut Pass),
            |t| t.at = "12-40 ".into(),
            |t| t.of = "0".repeat(12),
            |t| t.until = "99999".into(),
            |t| t.sig.replace_range(0..1, if t.sig.starts_with('0') { "1" } else { "0" }),
            |t| t.sig.truncate(25),
            |t| t.sig.clear(),
            // Parts are hashed with their lengths: moving a character from one to the next does not help.
            |t| {
                t.of.insert(0, '0');
                t.at.pop();
            },
        ] {
            assert_eq!(forged(change), Err(PassFault::Forged));
        }
        assert_eq!(pass().check(KEY, &document("b.md"), NOW), Err(PassFault::Forged));
        assert_eq!(pass().check(LinkKey([8; 32]), &id, NOW), Err(PassFault::Forged));
    }

    #[test]
    fn places_are_two_numbers_in_order() {
        for (text, expected) in [
            ("3-9", Some(Span { start: 3, end: 9 })),
            ("3-3", Some(Span { start: 3, end: 3 })),
            ("9-3", None),
            ("-3", None),
            ("3", None),
            ("a-b", None),
            ("1-99999999999999999999999", None),
        ] {
            assert_eq!(parse_place(text), expected, "{text}");
        }
    }
}
