//! The table of contents of an e-book: which chapter is called what.
//!
//! EPUB 3 has a page of links (`nav`), EPUB 2 a list of its own (`ncx`).

use std::collections::HashMap;

use crate::ingest::extract::ExtractError;
use crate::ingest::extract::office::{Parts, resolve};
use crate::ingest::extract::xml::Event;

/// Names of chapters by the parts that hold them; the first name of a part counts.
pub fn read(parts: &mut Parts, name: &str) -> Result<HashMap<String, String>, ExtractError> {
    let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
    let mut names = HashMap::new();
    let mut put = |href: &str, label: &str| {
        let part = resolve(&folder, &unescaped(href.split('#').next().unwrap_or_default()));
        let label = label.split_whitespace().collect::<Vec<_>>().join(" ");
        if !label.is_empty() && !part.is_empty() {
            names.entry(part).or_insert(label);
        }
    };
    let Some(mut xml) = parts.part(name)? else { return Ok(names) };
    let mut label = String::new();
    let mut in_toc = false;
    while let Some(event) = xml.next()? {
        match event {
            Event::Open(open) => match open.name.as_str() {
                "nav" => in_toc = open.attr("type").is_none_or(|kind| kind == "toc"),
                "a" if in_toc => {
                    if let Some(href) = open.attr("href") {
                        let words = xml.words()?;
                        put(&href, &words);
                    }
                }
                "navLabel" => label = xml.words()?,
                "content" => put(&open.attr("src").unwrap_or_default(), &label),
                _ => {}
            },
            Event::Close(name) if name == "nav" => in_toc = false,
            _ => {}
        }
    }
    Ok(names)
}

/// An address within a file without its `%20`.
pub fn unescaped(href: &str) -> String {
    let mut bytes = Vec::with_capacity(href.len());
    let mut rest = href.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        match hex.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(byte) if first == b'%' => {
                bytes.push(byte);
                rest = &after[2..];
            }
            _ => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| href.to_owned())
}
