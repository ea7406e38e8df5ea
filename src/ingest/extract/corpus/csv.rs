//! Rows of a CSV file (RFC 4180): quoted fields may hold delimiters, doubled quotes and line breaks.

use std::io::BufRead;

use super::{Lines, Record, RecordError, make};

/// Reads lines into the buffer until no quote is open; says the number of the first.
pub fn next_row<R: BufRead>(lines: &mut Lines<R>) -> Result<Option<u64>, RecordError> {
    let Some(first) = lines.next()? else { return Ok(None) };
    let mut seen = 0;
    let mut open = false;
    loop {
        // A doubled quote closes and opens again, so counting is enough.
        open ^= lines.bytes()[seen..].iter().filter(|&&b| b == b'"').count() % 2 == 1;
        seen = lines.bytes().len();
        if !open || !lines.append()? {
            return Ok(Some(first));
        }
    }
}

/// The fields of one row.
pub fn fields(row: &str, delimiter: u8) -> Vec<String> {
    let delimiter = char::from(delimiter);
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut chars = row.trim_end_matches(['\n', '\r']).chars().peekable();
    while let Some(c) = chars.next() {
        let Some(field) = fields.last_mut() else { break };
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                field.push('"');
                chars.next();
            }
            '"' if quoted => quoted = false,
            '"' if field.is_empty() => quoted = true,
            _ if c == delimiter && !quoted => fields.push(String::new()),
            _ => field.push(c),
        }
    }
    fields
}

/// Which column is what.
pub struct Columns {
    names: Vec<String>,
    id: Option<usize>,
    title: Option<usize>,
    text: Option<usize>,
}

const ID: [&str; 3] = ["_id", "id", "external_id"];
const TITLE: [&str; 5] = ["title", "question", "name", "heading", "subject"];
const TEXT: [&str; 6] = ["text", "answer", "body", "content", "description", "passage"];

impl Columns {
    /// Columns are known by name; without one for the text a row is listed as `header: value`.
    pub fn of_header(fields: Vec<String>) -> Self {
        let names: Vec<String> =
            fields.iter().map(|f| f.trim().trim_start_matches('\u{feff}').to_owned()).collect();
        let find =
            |known: &[&str]| known.iter().find_map(|k| names.iter().position(|n| n.eq_ignore_ascii_case(k)));
        let (id, title, text) = (find(&ID), find(&TITLE), find(&TEXT));
        Self { names, id, title, text }
    }

    /// The record of one row.
    pub fn record(&self, mut fields: Vec<String>, line: u64) -> Result<Record, RecordError> {
        if fields.len() > self.names.len() {
            let reason = format!("it has {} fields, the header has {}", fields.len(), self.names.len());
            return Err(RecordError::Bad { line, reason });
        }
        let mut take = |column: Option<usize>| column.and_then(|at| fields.get_mut(at)).map(std::mem::take);
        let (id, title) = (take(self.id), take(self.title));
        let text = match self.text {
            Some(_) => take(self.text).unwrap_or_default(),
            None => {
                let listed = self.names.iter().zip(&fields).filter(|(_, value)| !value.trim().is_empty());
                listed.map(|(name, value)| format!("{name}: {}", value.trim())).collect::<Vec<_>>().join("\n")
            }
        };
        make(line, id, title, text)
    }
}
