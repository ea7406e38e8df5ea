//! Bytes of a `text/event-stream` become events. Pure, and bounded in line, event and whole.
//!
//! Follows the parsing rules of the HTML standard (9.2.6): lines end with CR, LF or both, `:` begins a comment, `data`
//! lines of one event are joined with LF, and an event that the end of the stream cuts off counts for nothing.

use crate::inference::fault::Fault;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Event {
    /// Empty when the stream names none.
    pub kind: String,
    pub data: String,
}

/// Longest line and longest event; a piece of an answer has some hundred bytes.
pub const LINE_BYTES: usize = 256 << 10;
/// Longest stream. Each token comes in an envelope of up to some kB from some servers: this is for thousands.
pub const STREAM_BYTES: usize = 16 << 20;

/// Reads a stream piece by piece.
#[derive(Debug, Default)]
pub struct Reader {
    line: Vec<u8>,
    event: Event,
    /// An LF that comes next belongs to the CR before it.
    after_cr: bool,
    begun: bool,
    seen: usize,
}

impl Reader {
    /// The events that are whole now.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<Vec<Event>, Fault> {
        self.seen = self.seen.saturating_add(bytes.len());
        if self.seen > STREAM_BYTES {
            return Err(Fault::Endless(STREAM_BYTES));
        }
        let mut events = Vec::new();
        for &byte in bytes {
            let after_cr = std::mem::take(&mut self.after_cr);
            match byte {
                b'\n' if after_cr => {}
                b'\n' | b'\r' => {
                    self.after_cr = byte == b'\r';
                    events.extend(self.end_line()?);
                }
                _ if self.line.len() >= LINE_BYTES => return Err(Fault::Endless(LINE_BYTES)),
                _ => self.line.push(byte),
            }
        }
        Ok(events)
    }

    fn end_line(&mut self) -> Result<Option<Event>, Fault> {
        let line = std::mem::take(&mut self.line);
        let line = str::from_utf8(&line).map_err(|_| Fault::Garbled("its stream is not UTF-8".into()))?;
        let line = if self.begun { line } else { line.trim_start_matches('\u{feff}') };
        self.begun = true;
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            return Ok((!event.data.is_empty()).then_some(event));
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => {
                if !self.event.data.is_empty() {
                    self.event.data.push('\n');
                }
                self.event.data.push_str(value);
                if self.event.data.len() > LINE_BYTES {
                    return Err(Fault::Endless(LINE_BYTES));
                }
            }
            "event" => value.clone_into(&mut self.event.kind),
            // Comments, ids, times to reconnect, and fields that nobody knows.
            _ => {}
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pieces: &[&[u8]]) -> Result<Vec<(String, String)>, Fault> {
        let mut reader = Reader::default();
        let mut all = Vec::new();
        for piece in pieces {
            all.extend(reader.feed(piece)?.into_iter().map(|event| (event.kind, event.data)));
        }
        Ok(all)
    }

    #[test]
    fn events_are_read_wherever_they_are_cut() {
        let stream = "\u{feff}: hello\r\nevent: ping\r\ndata: {}\r\n\r\ndata:é1\ndata: 2\n\nretry: 5\nid: x\ndata\n\ndata: last\r\rdata: cut";
        let whole = read(&[stream.as_bytes()]).unwrap();
        let pair = |kind: &str, data: &str| (kind.to_owned(), data.to_owned());
        assert_eq!(whole, [pair("ping", "{}"), pair("", "é1\n2"), pair("", "last")]);
        for at in 0..stream.len() {
            let (a, b) = stream.as_bytes().split_at(at);
            assert_eq!(read(&[a, b]).unwrap(), whole, "cut at {at}");
        }
    }

    #[test]
    fn nothing_grows_without_end() {
        let long = vec![b'x'; LINE_BYTES + 1];
        assert_eq!(read(&[&long]), Err(Fault::Endless(LINE_BYTES)));
        let lines =
            b"data: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n".repeat(1000);
        assert_eq!(read(&[lines.as_slice(); 5]), Err(Fault::Endless(LINE_BYTES)));
        let mut reader = Reader::default();
        let comments = b": keep-alive\n".repeat(10_000);
        let end = (0..1_000).find_map(|_| reader.feed(&comments).err());
        assert_eq!(end, Some(Fault::Endless(STREAM_BYTES)));
    }

    #[test]
    fn bytes_that_are_no_text_are_refused() {
        assert!(matches!(read(&[b"data: \xff\xfe\n\n"]), Err(Fault::Garbled(_))));
    }
}
