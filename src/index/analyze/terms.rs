//! The terms of one chunk and their bytes: the store keeps them so that a start never analyses text again.
//!
//! Layout: a version byte; the language's code; the distinct terms; then the title's and the body's terms in
//! order, as numbers of distinct terms. Numbers are LEB128. Bytes of another version or damaged bytes are an
//! error, and the caller analyses the chunk's text again.

use std::collections::HashMap;

use super::{Language, terms};

const VERSION: u8 = 1;

/// A chunk as the word index sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChunkTerms {
    pub language: Language,
    /// Terms of the document's title and the headings above the chunk, in order.
    pub title: Vec<String>,
    /// Terms of the chunk's own words, in order.
    pub body: Vec<String>,
}

/// Why bytes are not the terms of a chunk.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TermsError {
    #[error("the terms were written in another version ({0})")]
    Version(u8),
    #[error("the terms are damaged")]
    Damaged,
}

impl ChunkTerms {
    /// Analyses a chunk. Headings that repeat the title (the first heading of most pages does) count once.
    pub fn of(title: &str, heading: Option<&str>, body: &str, language: Language) -> Self {
        let mut above = terms(title, language);
        for part in heading.unwrap_or_default().split('›').map(str::trim) {
            if !part.is_empty() && part != title.trim() {
                above.extend(terms(part, language));
            }
        }
        Self { language, title: above, body: terms(body, language) }
    }

    /// Bytes for the store.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut numbers: HashMap<&str, u64> = HashMap::new();
        let mut distinct: Vec<&str> = Vec::new();
        for term in self.title.iter().chain(&self.body) {
            numbers.entry(term).or_insert_with(|| {
                distinct.push(term);
                distinct.len() as u64 - 1
            });
        }
        let mut out = vec![VERSION];
        push_text(self.language.code(), &mut out);
        push_number(distinct.len() as u64, &mut out);
        distinct.iter().for_each(|term| push_text(term, &mut out));
        for terms in [&self.title, &self.body] {
            push_number(terms.len() as u64, &mut out);
            terms.iter().for_each(|term| push_number(numbers[term.as_str()], &mut out));
        }
        out
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TermsError> {
        let (&version, mut rest) = bytes.split_first().ok_or(TermsError::Damaged)?;
        if version != VERSION {
            return Err(TermsError::Version(version));
        }
        let language = Language::of_code(take_text(&mut rest)?);
        let count = take_number(&mut rest)?;
        let mut distinct = Vec::new();
        for _ in 0..count {
            distinct.push(take_text(&mut rest)?);
        }
        let mut sequence = || -> Result<Vec<String>, TermsError> {
            let count = take_number(&mut rest)?;
            let mut terms = Vec::new();
            for _ in 0..count {
                let number = take_number(&mut rest)?;
                terms.push((*distinct.get(number).ok_or(TermsError::Damaged)?).to_owned());
            }
            Ok(terms)
        };
        let (title, body) = (sequence()?, sequence()?);
        if rest.is_empty() { Ok(Self { language, title, body }) } else { Err(TermsError::Damaged) }
    }
}

fn push_number(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn push_text(text: &str, out: &mut Vec<u8>) {
    push_number(text.len() as u64, out);
    out.extend_from_slice(text.as_bytes());
}

fn take_number(bytes: &mut &[u8]) -> Result<usize, TermsError> {
    let mut number = 0usize;
    for shift in [0, 7, 14, 21, 28] {
        let (&byte, rest) = bytes.split_first().ok_or(TermsError::Damaged)?;
        *bytes = rest;
        number |= usize::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(number);
        }
    }
    Err(TermsError::Damaged)
}

fn take_text<'a>(bytes: &mut &'a [u8]) -> Result<&'a str, TermsError> {
    let length = take_number(bytes)?;
    let (text, rest) = bytes.split_at_checked(length).ok_or(TermsError::Damaged)?;
    *bytes = rest;
    std::str::from_utf8(text).map_err(|_| TermsError::Damaged)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_heading_that_repeats_the_title_counts_once() {
        let chunk =
            ChunkTerms::of("Brushes", Some("Brushes › Cleaning"), "Rinse the brushes", Language::ENGLISH);
        assert_eq!(chunk.title, ["brush", "clean"]);
        assert_eq!(chunk.body, ["rins", "brush"]);
    }

    proptest! {
        #[test]
        fn bytes_round_trip(title: Vec<String>, body: Vec<String>) {
            let chunk = ChunkTerms { language: Language::of_code("de"), title, body };
            prop_assert_eq!(ChunkTerms::from_bytes(&chunk.to_bytes()), Ok(chunk));
        }

        #[test]
        fn damaged_bytes_are_refused_or_read_but_never_panic(mut bytes: Vec<u8>) {
            let _ = ChunkTerms::from_bytes(&bytes);
            bytes.insert(0, VERSION);
            let _ = ChunkTerms::from_bytes(&bytes);
        }
    }
}
