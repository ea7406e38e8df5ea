//! Packages: many files in one, with the course's own order and names.
//!
//! In comes an open archive, out comes an [`Outline`]: which files are resources, under which modules and lessons, and
//! what is left out with the reason. Nothing is unpacked for that but the manifest; the caller reads the resources
//! one by one and brings each in as a document of its own. Questions and answers of quizzes are never resources.

mod files;
mod manifest;
mod moodle;

pub use files::readable as folder_name;

use std::collections::HashMap;

use bytes::Bytes;

use super::ExtractError;
use super::archive::{Archive, Budget};
use crate::ingest::hear::belongs;

/// How a package is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Common Cartridge and SCORM: `imsmanifest.xml`.
    Manifest,
    /// A backup of Moodle: `moodle_backup.xml`.
    Moodle,
    /// Folders and files.
    Files,
}

/// What a package holds for students to read.
#[derive(Debug, Default)]
pub struct Outline {
    pub resources: Vec<Resource>,
    /// What was left out, in sentences.
    pub warnings: Vec<String>,
}

/// A document in a package.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resource {
    /// Names it within the package for good.
    pub id: String,
    /// The name that says what kind of bytes these may be.
    pub name: String,
    /// Modules and lessons above it, outermost first.
    pub path: Vec<String>,
    /// The name that the course gives it.
    pub title: Option<String>,
    pub content: Content,
}

/// Where a resource's bytes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A file of the archive.
    Entry(String),
    /// Words that stood in the manifest or beside it, as a page.
    Page(Bytes),
}

impl Default for Content {
    fn default() -> Self {
        Self::Page(Bytes::new())
    }
}

/// Names above a resource that are kept, and how long each may be.
const PATH_LEVELS: usize = 6;
const NAME_CHARS: usize = 120;

impl Format {
    /// Which of these an archive is.
    pub fn of(archive: &Archive) -> Self {
        let names = archive.entries();
        let holds = |file: &str| names.iter().any(|entry| bare(&entry.name) == file);
        if holds("moodle_backup.xml") {
            Self::Moodle
        } else if holds("imsmanifest.xml") {
            Self::Manifest
        } else {
            Self::Files
        }
    }
}

/// A name without the one folder that it may stand in.
fn bare(name: &str) -> &str {
    name.split_once('/').map_or(name, |(_, rest)| if rest.contains('/') { name } else { rest })
}

/// What a package holds.
pub fn outline(archive: &mut Archive, format: Format, budget: &mut Budget) -> Result<Outline, ExtractError> {
    let mut outline = match format {
        Format::Manifest => manifest::outline(archive, budget)?,
        Format::Moodle => moodle::outline(archive, budget)?,
        Format::Files => files::outline(archive),
    };
    for resource in &mut outline.resources {
        let names = resource.path.iter().map(|name| short(name)).filter(|name| !name.is_empty());
        let names: Vec<String> = names.collect();
        resource.path = names[names.len().saturating_sub(PATH_LEVELS)..].to_vec();
        resource.title = resource.title.as_deref().map(short).filter(|title| !title.is_empty());
    }
    Ok(outline)
}

/// A name on one line, and not endless.
fn short(name: &str) -> String {
    super::clean::clean_line(name).chars().take(NAME_CHARS).collect()
}

/// Which captions belong to which recording: names of entries. Of several the shortest, which names no language.
pub fn captions(resources: &[Resource]) -> HashMap<String, String> {
    let entries = || {
        resources.iter().filter_map(|resource| match &resource.content {
            Content::Entry(name) => Some((name, name.rsplit_once('/').unwrap_or(("", name)))),
            Content::Page(_) => None,
        })
    };
    let recordings = entries().filter(|(name, _)| Purpose::of(name).is_recording());
    recordings
        .filter_map(|(recording, (folder, file))| {
            let beside = entries().filter(|(_, (other, name))| *other == folder && belongs(name, file));
            let (best, _) = beside.min_by_key(|(name, _)| (name.len(), name.as_str()))?;
            Some((recording.clone(), best.clone()))
        })
        .collect()
}

/// What a file in a package is for, as far as its name tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    Read,
    /// Perhaps of a page or a board with words.
    Picture,
    /// Drawings, buttons and forms that nobody here recognises words in.
    Drawing,
    Recording,
    Video,
    /// Style sheets, scripts, fonts, schemas: what pages need and nobody reads.
    Machinery,
}

impl Purpose {
    /// Whether it is to be listened to.
    pub fn is_recording(self) -> bool {
        matches!(self, Self::Recording | Self::Video)
    }

    pub fn of(name: &str) -> Self {
        let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending).to_ascii_lowercase();
        match ending.as_str() {
            "png" | "jpg" | "jpeg" | "webp" | "tif" | "tiff" => Self::Picture,
            "gif" | "svg" | "bmp" | "ico" | "heic" => Self::Drawing,
            "mp3" | "wav" | "ogg" | "oga" | "m4a" | "flac" | "aac" | "opus" | "wma" => Self::Recording,
            "mp4" | "m4v" | "mov" | "webm" | "mkv" | "avi" | "wmv" | "ogv" | "mpg" | "mpeg" | "flv" => {
                Self::Video
            }
            "css" | "scss" | "js" | "mjs" | "map" | "woff" | "woff2" | "ttf" | "otf" | "eot" | "xsd"
            | "dtd" | "swf" | "xsl" | "ds_store" | "db" | "ini" | "lnk" | "exe" | "dll" | "jar" | "class" => {
                Self::Machinery
            }
            _ => Self::Read,
        }
    }
}

/// Counts what is left out, for one sentence about each kind.
#[derive(Debug, Default)]
struct LeftOut {
    drawings: usize,
    quizzes: usize,
    tools: usize,
}

impl LeftOut {
    /// Whether a file of this name is read or listened to; counts it when it is a drawing.
    fn is_read(&mut self, name: &str) -> bool {
        match Purpose::of(name) {
            Purpose::Read | Purpose::Picture | Purpose::Recording | Purpose::Video => return true,
            Purpose::Drawing => self.drawings += 1,
            Purpose::Machinery => {}
        }
        false
    }

    fn sentences(&self) -> Vec<String> {
        let mut all = Vec::new();
        if self.drawings > 0 {
            all.push(format!("not read: {} of the package", counted(self.drawings, "drawing")));
        }
        if self.quizzes > 0 {
            let what = if self.quizzes == 1 { "quiz or question bank" } else { "quizzes and question banks" };
            all.push(format!(
                "left out, so that students are not told the solutions: {} {what} of the package",
                self.quizzes
            ));
        }
        if self.tools > 0 {
            all.push(format!(
                "not read: {} that the package only links to",
                counted(self.tools, "web page or tool")
            ));
        }
        all
    }
}

fn counted(count: usize, what: &str) -> String {
    let plural = match what {
        "web page or tool" => "web pages or tools".to_owned(),
        _ => format!("{what}s"),
    };
    format!("{count} {}", if count == 1 { what } else { &plural })
}

/// Words of a manifest as a page: a heading and pieces of HTML.
fn page(title: &str, pieces: &[&str]) -> Content {
    let escaped = title.replace('&', "&amp;").replace('<', "&lt;");
    let body = pieces.join("\n");
    Content::Page(Bytes::from(format!(
        "<!doctype html><meta charset=\"utf-8\"><title>{escaped}</title><h1>{escaped}</h1>\n{body}"
    )))
}

/// Whether a piece of HTML says anything.
fn says_something(html: &str) -> bool {
    let mut in_tag = false;
    html.replace("&nbsp;", " ").chars().any(|c| {
        match c {
            '<' => in_tag = true,
            '>' => in_tag = false,
            _ => {}
        }
        !in_tag && c != '>' && c.is_alphanumeric()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captions_lie_beside_their_recording() {
        let entry = |name: &str| Resource { content: Content::Entry(name.to_owned()), ..Resource::default() };
        let names = [
            "a/talk.mp4",
            "a/talk.de.vtt",
            "a/talk.vtt",
            "b/talk.mp3",
            "a/notes.srt",
            "b/x.en.srt",
            "b/x.webm",
        ];
        let resources: Vec<Resource> = names.into_iter().map(entry).collect();
        let mut found: Vec<(String, String)> = captions(&resources).into_iter().collect();
        found.sort();
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(found, [pair("a/talk.mp4", "a/talk.vtt"), pair("b/x.webm", "b/x.en.srt")]);
    }
}
