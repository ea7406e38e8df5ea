//! A mailbox (mbox): messages one after the other, each begun by a line `From …`.
//!
//! Read as a stream; a message larger than the limit is passed over and reported with its number.

use std::io::{self, BufRead, Read};

use bytes::Bytes;

/// Whether bytes begin a mailbox.
pub fn is_mailbox(head: &[u8]) -> bool {
    let Some(line) = head.split(|&b| b == b'\n').next().filter(|_| head.starts_with(b"From ")) else {
        return false;
    };
    // The line ends with a date, so with a year.
    let year = line.trim_ascii_end().split(|&b| b == b' ').any(|word| {
        word.len() == 4
            && word.iter().all(u8::is_ascii_digit)
            && (word.starts_with(b"19") || word.starts_with(b"20"))
    });
    year && super::is_message(head.get(line.len() + 1..).unwrap_or_default())
}

/// The messages of a mailbox.
pub struct Mailbox<R> {
    reader: R,
    /// The largest message that is read.
    limit: usize,
    number: usize,
    begun: bool,
    ended: bool,
}

/// A message and its number, 1 for the first; `Err` holds the number of one that is too large.
pub type Found = Result<(usize, Bytes), usize>;

impl<R: BufRead> Mailbox<R> {
    pub fn new(reader: R, limit: usize) -> Self {
        Self { reader, limit, number: 0, begun: false, ended: false }
    }

    /// The next message.
    pub fn next_message(&mut self) -> io::Result<Option<Found>> {
        let mut message = Vec::new();
        let (mut too_large, mut blank_before, mut any) = (false, true, false);
        while !self.ended {
            let mut line = Vec::new();
            let room = self.limit as u64 + 1;
            if self.reader.by_ref().take(room).read_until(b'\n', &mut line)? == 0 {
                self.ended = true;
                break;
            }
            if line.starts_with(b"From ") && blank_before {
                if !self.begun {
                    self.begun = true;
                    continue;
                }
                if any {
                    break;
                }
                continue;
            }
            self.begun = true;
            any = true;
            blank_before = line.iter().all(u8::is_ascii_whitespace);
            // `>From ` is how a line that begins with `From ` is kept.
            let quoted = line.iter().take_while(|&&b| b == b'>').count();
            let line =
                if quoted > 0 && line[quoted..].starts_with(b"From ") { &line[1..] } else { &line[..] };
            too_large |= message.len() + line.len() > self.limit;
            if too_large {
                message = Vec::new();
            } else {
                message.extend_from_slice(line);
            }
        }
        if !any {
            return Ok(None);
        }
        self.number += 1;
        Ok(Some(if too_large { Err(self.number) } else { Ok((self.number, Bytes::from(message))) }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_one_by_one() {
        let mailbox = b"From a@x Fri Nov 20 10:00:00 2026\nSubject: a\n\none\n>From here\n\nFrom b@x Fri Nov 20 2026\nSubject: b\n\ntwo\n";
        let mut all = Mailbox::new(&mailbox[..], 1000);
        let first = all.next_message().unwrap().unwrap().unwrap();
        assert_eq!((first.0, first.1.as_ref()), (1, &b"Subject: a\n\none\nFrom here\n\n"[..]));
        assert_eq!(all.next_message().unwrap().unwrap().unwrap().0, 2);
        assert!(all.next_message().unwrap().is_none());
        assert_eq!(Mailbox::new(&mailbox[..], 20).next_message().unwrap(), Some(Err(1)));
    }

    #[test]
    fn a_mailbox_is_known_by_its_first_lines() {
        assert!(is_mailbox(b"From a@x Fri Nov 20 10:00:00 2026\nSubject: a\nDate: x\nMessage-ID: 1\n\nhi"));
        assert!(!is_mailbox(b"From 2026"));
        assert!(!is_mailbox(b"From 2026 on we paint.\n\nWords: more"));
    }
}
