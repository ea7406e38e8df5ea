//! Office files: a ZIP archive of XML parts, by Microsoft (Open XML) or by OASIS (OpenDocument).
//!
//! Parts are found through the relations that the file names, never through fixed paths alone, and read as streams
//! within a [`Budget`]. What each kind of file means stands in the modules below; this one only opens parts.

pub mod docx;
pub mod odf;
pub mod ole;
pub mod pptx;
pub mod xlsx;

mod numbering;
mod numfmt;
mod rows;

use std::collections::HashMap;
use std::io::{BufRead, Cursor};

use bytes::Bytes;

use super::archive::{Archive, Budget};
use super::xml::{Event, Xml};
use super::{Builder, ExtractError, ExtractOptions, Limits};
use crate::domain::MediaType;

/// An open office file.
pub struct Parts {
    archive: Archive<'static>,
    budget: Budget,
    what: &'static str,
}

/// A part that another part names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    pub id: String,
    /// The last word of its type: `slide`, `styles`, `notesSlide`.
    pub kind: String,
    /// The part's name within the archive.
    pub target: String,
}

type Part<'a> = Xml<Box<dyn BufRead + 'a>>;

impl Parts {
    /// `what` names the file in sentences.
    pub fn open(bytes: &Bytes, limits: &Limits, what: &'static str) -> Result<Self, ExtractError> {
        let mut budget = Budget::new(limits.unpacked_bytes, limits.stream_bytes, limits.archive_entries);
        let archive = Archive::open(Box::new(Cursor::new(bytes.clone())), &mut budget)?;
        Ok(Self { archive, budget, what })
    }

    /// A part as a stream; `None` when it is not there.
    pub fn part(&mut self, name: &str) -> Result<Option<Part<'_>>, ExtractError> {
        let stream = self.archive.stream(name, &mut self.budget)?;
        Ok(stream.map(|stream| Xml::new(stream, self.what)))
    }

    /// A part that the file cannot do without.
    pub fn needed(&mut self, name: &str) -> Result<Part<'_>, ExtractError> {
        let damaged = ExtractError::Damaged(self.what);
        self.part(name)?.ok_or(damaged)
    }

    /// A part's bytes.
    pub fn bytes(&mut self, name: &str) -> Result<Option<Bytes>, ExtractError> {
        self.archive.read(name, &mut self.budget)
    }

    pub fn holds(&self, name: &str) -> bool {
        self.archive.holds(name)
    }

    /// The parts that `part` names (empty: the file itself), in their order.
    pub fn relations(&mut self, part: &str) -> Result<Vec<Relation>, ExtractError> {
        let (folder, file) = part.rsplit_once('/').unwrap_or(("", part));
        let slash = if folder.is_empty() { "" } else { "/" };
        let mut relations = Vec::new();
        let Some(mut xml) = self.part(&format!("{folder}{slash}_rels/{file}.rels"))? else {
            return Ok(relations);
        };
        while let Some(event) = xml.next()? {
            let Event::Open(open) = event else { continue };
            if open.name != "Relationship" || open.attr("TargetMode").as_deref() == Some("External") {
                continue;
            }
            let (Some(id), Some(kind), Some(target)) =
                (open.attr("Id"), open.attr("Type"), open.attr("Target"))
            else {
                continue;
            };
            let kind = kind.rsplit('/').next().unwrap_or_default().to_owned();
            relations.push(Relation { id, kind, target: resolve(folder, &target) });
        }
        Ok(relations)
    }

    /// The main part, which the file names as its `officeDocument`.
    pub fn main(&mut self, usual: &str) -> Result<String, ExtractError> {
        let relations = self.relations("")?;
        let named = relations.into_iter().find(|relation| relation.kind == "officeDocument");
        Ok(named.map_or_else(|| usual.to_owned(), |relation| relation.target))
    }

    /// The title in the file's properties.
    pub fn title(&mut self, part: &str) -> Result<Option<String>, ExtractError> {
        let Some(mut xml) = self.part(part)? else { return Ok(None) };
        while let Some(event) = xml.next()? {
            if let Event::Open(open) = event
                && open.name == "title"
            {
                return Ok(Some(xml.words()?).filter(|title| !title.trim().is_empty()));
            }
        }
        Ok(None)
    }
}

/// Reads a spreadsheet of any kind.
pub fn spreadsheet(bytes: &Bytes, options: &ExtractOptions, out: &mut Builder) -> Result<(), ExtractError> {
    if bytes.starts_with(ole::MAGIC) {
        return ole::workbook(bytes, options, out);
    }
    let is_open_document = Parts::open(bytes, options.limits, "spreadsheet")?.holds("content.xml");
    if is_open_document {
        odf::extract(bytes, MediaType::Spreadsheet, options, out)
    } else {
        xlsx::extract(bytes, options, out)
    }
}

/// `../media/x` seen from `ppt/slides` is `ppt/media/x`; `/word/x` is from the top.
pub fn resolve(folder: &str, target: &str) -> String {
    let mut path: Vec<&str> = if target.starts_with('/') { Vec::new() } else { folder.split('/').collect() };
    for step in target.split('/') {
        match step {
            "" | "." => {}
            ".." => drop(path.pop()),
            _ => path.push(step),
        }
    }
    path.retain(|step| !step.is_empty());
    path.join("/")
}

/// Relations by their ids.
pub fn by_id(relations: &[Relation]) -> HashMap<&str, &Relation> {
    relations.iter().map(|relation| (relation.id.as_str(), relation)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_seen_from_where_they_are_named() {
        for (folder, target, expected) in [
            ("ppt/slides", "../media/x.png", "ppt/media/x.png"),
            ("", "word/document.xml", "word/document.xml"),
            ("word", "/word/styles.xml", "word/styles.xml"),
            ("a", "../../../etc/passwd", "etc/passwd"),
            ("a/b", "./c", "a/b/c"),
        ] {
            assert_eq!(resolve(folder, target), expected);
        }
    }
}
