//! A corpus: one file, many small documents, read as a stream.
//!
//! JSON lines of `{"_id", "title", "text"}` or the rows of a CSV file. Each record becomes a document of its own, so a
//! file of any size passes through in constant memory; a line that cannot be read is reported with its number and the
//! rest goes on. The text of a record is kept as it came, because other systems compare quotes with their own copy:
//! blocks are ranges of it, found as Markdown where it looks like Markdown.

mod csv;

use std::io::{self, BufRead, Read};

use serde::Deserialize;

use crate::domain::{Anchor, Block, BlockKind, Span, Text};
use crate::ingest::detect::CorpusFormat;

use super::clean::clean_line;
use super::{ExtractError, ExtractOptions, decode, markdown};

/// One document of a corpus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Where it stands in the file; 1 is the first line.
    pub line: u64,
    /// `_id` or `id`; without one the caller names the document by file and line.
    pub id: Option<String>,
    pub title: Option<String>,
    /// As it came; never only space.
    pub text: String,
}

/// Why a record is missing.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The other records are not touched by this.
    #[error("line {line}: {reason}")]
    Bad { line: u64, reason: String },
    /// Nothing more can be read.
    #[error("the corpus cannot be read further: {0}")]
    Io(#[from] io::Error),
}

/// The longest record: the same as the largest text file would be far too much to hold many of.
pub const RECORD_BYTES: usize = 16 << 20;

/// The records of a corpus, in order.
pub struct Corpus<R> {
    rows: Rows<R>,
    done: bool,
}

enum Rows<R> {
    JsonLines { lines: Lines<R> },
    Csv { lines: Lines<R>, delimiter: u8, columns: Option<csv::Columns> },
}

impl<R: BufRead> Corpus<R> {
    pub fn new(reader: R, format: CorpusFormat) -> Self {
        let lines = Lines { reader, line: 0, buffer: Vec::new() };
        let rows = match format {
            CorpusFormat::JsonLines => Rows::JsonLines { lines },
            CorpusFormat::Csv { delimiter } => Rows::Csv { lines, delimiter, columns: None },
        };
        Self { rows, done: false }
    }

    fn advance(&mut self) -> Result<Option<Record>, RecordError> {
        match &mut self.rows {
            Rows::JsonLines { lines } => {
                while let Some(line) = lines.next()? {
                    let words = line_text(lines.bytes(), line)?;
                    if !words.trim().is_empty() {
                        return json_record(&words, line).map(Some);
                    }
                }
                Ok(None)
            }
            Rows::Csv { lines, delimiter, columns } => loop {
                let Some(line) = csv::next_row(lines)? else { return Ok(None) };
                let words = line_text(lines.bytes(), line)?;
                if words.trim().is_empty() {
                    continue;
                }
                let fields = csv::fields(&words, *delimiter);
                match columns {
                    None => *columns = Some(csv::Columns::of_header(fields)),
                    Some(columns) => return columns.record(fields, line).map(Some),
                }
            },
        }
    }
}

impl<R: BufRead> Iterator for Corpus<R> {
    type Item = Result<Record, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let next = self.advance().transpose();
        self.done = matches!(next, None | Some(Err(RecordError::Io(_))));
        next
    }
}

/// Lines with their numbers, in one buffer that is used again.
struct Lines<R> {
    reader: R,
    line: u64,
    buffer: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    /// Reads the next line into the buffer and says its number.
    fn next(&mut self) -> Result<Option<u64>, RecordError> {
        self.buffer.clear();
        if self.append()? { Ok(Some(self.line)) } else { Ok(None) }
    }

    /// Reads one more line behind what the buffer holds; false at the end of the file.
    fn append(&mut self) -> Result<bool, RecordError> {
        let room = (RECORD_BYTES + 1).saturating_sub(self.buffer.len());
        let before = self.buffer.len();
        let read = self.reader.by_ref().take(room as u64).read_until(b'\n', &mut self.buffer)?;
        if read == 0 && room > 0 {
            return Ok(false);
        }
        self.line += 1;
        if self.buffer.len() > RECORD_BYTES && !self.buffer[before..].ends_with(b"\n") {
            let line = self.line;
            self.skip_line()?;
            let reason = format!("it is longer than {} MB", RECORD_BYTES >> 20);
            return Err(RecordError::Bad { line, reason });
        }
        Ok(true)
    }

    /// Drops what is left of a line without holding it.
    fn skip_line(&mut self) -> io::Result<()> {
        loop {
            let held = self.reader.fill_buf()?;
            let (used, ended) = match held.iter().position(|&b| b == b'\n') {
                Some(at) => (at + 1, true),
                None => (held.len(), held.is_empty()),
            };
            self.reader.consume(used);
            if ended {
                return Ok(());
            }
        }
    }

    fn bytes(&self) -> &[u8] {
        &self.buffer
    }
}

fn line_text(bytes: &[u8], line: u64) -> Result<String, RecordError> {
    let bad = |error: ExtractError| RecordError::Bad { line, reason: error.to_string() };
    Ok(decode::decode(bytes, decode::Declared::Nothing).map_err(bad)?.text)
}

#[derive(Deserialize)]
struct JsonRecord {
    #[serde(rename = "_id", alias = "id")]
    id: Option<serde_json::Value>,
    title: Option<String>,
    text: Option<String>,
}

fn json_record(words: &str, line: u64) -> Result<Record, RecordError> {
    let bad = |reason: String| RecordError::Bad { line, reason };
    let record: JsonRecord =
        serde_json::from_str(words).map_err(|e| bad(format!("it is not a JSON record: {e}")))?;
    let id = match record.id {
        None | Some(serde_json::Value::Null) => None,
        Some(serde_json::Value::String(id)) => Some(id),
        Some(serde_json::Value::Number(id)) => Some(id.to_string()),
        Some(_) => return Err(bad("its `_id` is neither a text nor a number".into())),
    };
    make(line, id, record.title, record.text.unwrap_or_default())
}

/// A record with words; one that has only a title is about its title.
fn make(line: u64, id: Option<String>, title: Option<String>, text: String) -> Result<Record, RecordError> {
    let filled = |words: &String| !words.trim().is_empty();
    let id = id.filter(filled);
    let title = title.map(|title| clean_line(&title)).filter(filled);
    let text = match (filled(&text), &title) {
        (true, _) => text,
        (false, Some(title)) => title.clone(),
        (false, None) => {
            return Err(RecordError::Bad { line, reason: "it has neither title nor text".into() });
        }
    };
    Ok(Record { line, id, title, text })
}

/// The text of a record, unchanged, with its blocks.
pub fn record_text(
    title: Option<&str>,
    text: String,
    options: &ExtractOptions,
) -> Result<Text, ExtractError> {
    if text.trim().is_empty() {
        return Err(ExtractError::NoText);
    }
    if text.len() > options.limits.words_bytes {
        return Err(ExtractError::TooMany { what: "bytes of text", limit: options.limits.words_bytes });
    }
    let found = if looks_like_markdown(&text) { markdown::outline(&text) } else { paragraphs(&text) };
    if found.len() > options.limits.blocks {
        return Err(ExtractError::TooMany { what: "paragraphs", limit: options.limits.blocks });
    }
    if (options.stop)() {
        return Err(ExtractError::Stopped);
    }
    let blocks = found.into_iter().filter_map(|(kind, range)| {
        let words = &text[range.clone()];
        let start = range.start + (words.len() - words.trim_start().len());
        let end = start + words.trim().len();
        (start < end).then(|| Block { kind, span: Span { start, end }, anchor: Anchor::default() })
    });
    let blocks = blocks.collect();
    Ok(Text { title: title.map(str::to_owned), text, blocks, ..Text::default() })
}

/// Whether headings shape the text: one opens it, or at least one of level 2 stands in it.
fn looks_like_markdown(text: &str) -> bool {
    let first = text.trim_start();
    first.starts_with("# ")
        || first.starts_with("## ")
        || first.starts_with("---\n")
        || text.contains("\n## ")
}

/// Ranges between empty lines.
fn paragraphs(text: &str) -> Vec<(BlockKind, std::ops::Range<usize>)> {
    let mut found = Vec::new();
    let (mut start, mut at) = (0, 0);
    for line in text.split_inclusive('\n') {
        if line.trim().is_empty() {
            found.push((BlockKind::Paragraph, start..at));
            start = at + line.len();
        }
        at += line.len();
    }
    found.push((BlockKind::Paragraph, start..at));
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::extract::Limits;

    fn read(format: CorpusFormat, bytes: &[u8]) -> Vec<String> {
        Corpus::new(bytes, format)
            .map(|record| match record {
                Ok(r) => format!("{} {:?} {:?} {:?}", r.line, r.id.as_deref(), r.title.as_deref(), r.text),
                Err(error) => error.to_string(),
            })
            .collect()
    }

    #[test]
    fn each_line_is_a_record_and_a_bad_one_stops_nothing() {
        let lines = b"\xef\xbb\xbf{\"_id\":\"a/1.md\",\"title\":\"Easels\",\"text\":\"It folds.\\nYes.\"}\r\n\n{\"_id\":7,\"text\":\"x\"}\nnot json\n\
                      {\"_id\":[],\"text\":\"x\"}\n{\"_id\":\"e\",\"text\":\" \"}\n{\"title\":\"Only a title\"}";
        let found = read(CorpusFormat::JsonLines, lines);
        assert_eq!(found[0], "1 Some(\"a/1.md\") Some(\"Easels\") \"It folds.\\nYes.\"");
        assert_eq!(found[1], "3 Some(\"7\") None \"x\"");
        assert!(found[2].starts_with("line 4: it is not a JSON record"), "{}", found[2]);
        assert!(found[3].starts_with("line 5: its `_id`"));
        assert_eq!(found[4], "line 6: it has neither title nor text");
        assert_eq!(found[5], "7 None Some(\"Only a title\") \"Only a title\"");
    }

    #[test]
    fn rows_with_known_columns_are_records_others_are_listed() {
        let csv = CorpusFormat::Csv { delimiter: b',' };
        let known = b"id,Question,Answer\n1,\"Is it, live?\",\"No.\nIt is \"\"recorded\"\".\"\n2,Free?,Yes\n";
        assert_eq!(
            read(csv, known),
            [
                "2 Some(\"1\") Some(\"Is it, live?\") \"No.\\nIt is \\\"recorded\\\".\"",
                "4 Some(\"2\") Some(\"Free?\") \"Yes\""
            ]
        );
        let other = b"colour;tube\ncobalt;61\n\nochre;\n;\n";
        assert_eq!(
            read(CorpusFormat::Csv { delimiter: b';' }, other),
            [
                "2 None None \"colour: cobalt\\ntube: 61\"",
                "4 None None \"colour: ochre\"",
                "line 5: it has neither title nor text"
            ]
        );
    }

    #[test]
    fn an_endless_line_is_skipped_in_bounded_memory() {
        let mut lines = vec![b'x'; RECORD_BYTES + 10];
        lines.extend(b"\n{\"_id\":\"b\",\"text\":\"after\"}\n");
        let found = read(CorpusFormat::JsonLines, &lines);
        assert_eq!(found, ["line 1: it is longer than 16 MB", "2 Some(\"b\") None \"after\""]);
    }

    #[test]
    fn the_text_of_a_record_is_not_touched() {
        let options = ExtractOptions { limits: &Limits::default(), password: None, stop: &|| false };
        let raw = "# A\u{200b}\n\ntext [link](x)  \r\n\r\n- item\n";
        let text = record_text(Some("T"), raw.to_owned(), &options).unwrap();
        assert_eq!(text.text, raw);
        let kinds: Vec<_> = text.blocks.iter().map(|b| (b.kind, text.words(b))).collect();
        assert_eq!(
            kinds,
            [
                (BlockKind::Heading(1), "# A\u{200b}"),
                (BlockKind::Paragraph, "text [link](x)"),
                (BlockKind::ListItem, "- item")
            ]
        );
        let plain =
            record_text(None, "# not a heading? no: x\nb\n\nc".replace("# n", "n"), &options).unwrap();
        assert_eq!(plain.blocks.len(), 2);
    }
}
