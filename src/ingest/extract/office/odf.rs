//! OpenDocument: texts, presentations and spreadsheets, which are one language (OASIS ODF 1.2).
//!
//! Texts give headings, lists, tables as rows and footnotes; presentations the same with slides as places; sheets give
//! rows with headers, in the words that the program shows. Deleted text, annotations, indexes and hidden sheets are
//! left out.

mod body;
mod sheets;

use std::collections::HashSet;
use std::io::BufRead;

use bytes::Bytes;

use super::Parts;
use crate::domain::MediaType;
use crate::ingest::extract::xml::{Event, Xml};
use crate::ingest::extract::{Builder, ExtractError, ExtractOptions};

const WHAT: &str = "OpenDocument file";

/// Reads a text (`Odt`), presentation (`Odp`) or spreadsheet (anything else).
pub fn extract(
    bytes: &Bytes,
    media: MediaType,
    options: &ExtractOptions,
    out: &mut Builder,
) -> Result<(), ExtractError> {
    let mut parts = Parts::open(bytes, options.limits, WHAT)?;
    if let Some(xml) = parts.part("META-INF/manifest.xml")? {
        refuse_encrypted(xml)?;
    }
    let title = parts.title("meta.xml")?;
    match media {
        MediaType::Odt | MediaType::Odp => {
            body::read(parts.needed("content.xml")?, media == MediaType::Odp, options, out)?;
        }
        _ => {
            let hidden = hidden_styles(parts.needed("content.xml")?)?;
            sheets::read(parts.needed("content.xml")?, &hidden, options.limits.rows, out)?;
        }
    }
    if let Some(title) = title {
        out.title(&title);
    }
    Ok(())
}

fn refuse_encrypted(mut xml: Xml<impl BufRead>) -> Result<(), ExtractError> {
    while let Some(event) = xml.next()? {
        if let Event::Open(open) = event
            && open.name == "encryption-data"
        {
            return Err(ExtractError::Locked);
        }
    }
    Ok(())
}

/// Names of the styles by which tables are hidden.
fn hidden_styles(mut xml: Xml<impl BufRead>) -> Result<HashSet<String>, ExtractError> {
    let mut hidden = HashSet::new();
    let mut style = None;
    while let Some(event) = xml.next()? {
        let Event::Open(open) = event else { continue };
        match open.name.as_str() {
            "style" => style = open.exact("style:name"),
            "table-properties" if open.exact("table:display").as_deref() == Some("false") => {
                hidden.extend(style.take());
            }
            "body" => break,
            _ => {}
        }
    }
    Ok(hidden)
}
