//! Backups of Moodle (`.mbz`, 2.0 and later): sections, activities, and a pool of files named by their contents.
//!
//! Pages, labels, books, lessons, glossaries and the words about every other activity are read, and the files of
//! resources, folders and pages. Questions and answers of quizzes are not, nor anything that students wrote.

mod activity;

use std::collections::{HashMap, HashSet};
use std::io::Cursor;

use bytes::Bytes;

use super::{Content, LeftOut, Outline, Resource, bare, page, says_something};
use crate::ingest::extract::ExtractError;
use crate::ingest::extract::archive::{Archive, Budget};
use crate::ingest::extract::xml::{Event, Xml};

const WHAT: &str = "Moodle backup";

/// An activity as the list of contents has it.
#[derive(Debug, Default)]
struct Listed {
    id: String,
    section: String,
    module: String,
    title: String,
    directory: String,
}

/// A file of the pool.
struct Pooled {
    hash: String,
    area: String,
    component: String,
    name: String,
}

/// What the backup says.
pub fn outline(archive: &mut Archive, budget: &mut Budget) -> Result<Outline, ExtractError> {
    let names: Vec<String> = archive.entries().into_iter().map(|entry| entry.name).collect();
    let main =
        names.iter().find(|name| bare(name) == "moodle_backup.xml").ok_or(ExtractError::Damaged(WHAT))?;
    let root = main.strip_suffix("moodle_backup.xml").unwrap_or_default().to_owned();
    let bytes = archive.read(main, budget)?.ok_or(ExtractError::Damaged(WHAT))?;
    let (activities, sections) = contents(&bytes)?;

    let mut wanted = HashSet::from([format!("{root}files.xml"), format!("{root}questions.xml")]);
    wanted.extend(sections.iter().map(|(_, _, directory)| format!("{root}{directory}/section.xml")));
    for one in &activities {
        wanted.insert(format!("{root}{}/{}.xml", one.directory, one.module));
        wanted.insert(format!("{root}{}/inforef.xml", one.directory));
    }
    let parts = archive.read_map(&wanted, budget)?;
    let part = |name: String| parts.get(&name);
    let pool = part(format!("{root}files.xml")).map(|bytes| files(bytes)).transpose()?.unwrap_or_default();
    let held: HashSet<&str> = names.iter().map(String::as_str).collect();

    let mut left_out = LeftOut::default();
    let mut resources = Vec::new();
    let mut section_names: HashMap<&str, String> = HashMap::new();
    for (id, title, directory) in &sections {
        let section = part(format!("{root}{directory}/section.xml")).map(|bytes| activity::section(bytes));
        let (name, summary) = section.transpose()?.unwrap_or_default();
        // A section without a name of its own is listed by its number.
        let unnamed = name.trim().is_empty() || name == "$@NULL@$";
        let name = match (unnamed, title.bytes().all(|b| b.is_ascii_digit())) {
            (false, _) => name,
            (true, true) => format!("Section {title}"),
            (true, false) => title.clone(),
        };
        if says_something(&summary) {
            resources.push(made(format!("section-{id}"), Vec::new(), &name, &[&summary]));
        }
        section_names.insert(id, name);
    }
    for one in &activities {
        if one.module == "quiz" {
            left_out.quizzes += 1;
        }
        if matches!(one.module.as_str(), "lti" | "url" | "scorm" | "h5pactivity" | "hvp") {
            left_out.tools += 1;
        }
        let path: Vec<String> = section_names.get(one.section.as_str()).cloned().into_iter().collect();
        let found = part(format!("{root}{}/{}.xml", one.directory, one.module)).map(|b| activity::read(b));
        let found = found.transpose()?.unwrap_or_default();
        let title = if found.name.trim().is_empty() { one.title.clone() } else { found.name };
        let id = format!("{}-{}", one.module, one.id);
        if found.pieces.iter().any(|piece| says_something(piece)) {
            let pieces: Vec<&str> = found.pieces.iter().map(String::as_str).collect();
            // A label's title is only the beginning of its text.
            let heading = if one.module == "label" { "" } else { title.as_str() };
            resources.push(match heading {
                "" => label(id.clone(), path.clone(), &pieces),
                _ => made(id.clone(), path.clone(), heading, &pieces),
            });
        }
        let refs = part(format!("{root}{}/inforef.xml", one.directory)).map(|bytes| file_ids(bytes));
        let within: Vec<String> = path.iter().cloned().chain([title]).collect();
        for pooled in refs.transpose()?.unwrap_or_default().iter().filter_map(|id| pool.get(id)) {
            let is_content =
                matches!(pooled.area.as_str(), "content" | "intro" | "chapter" | "page_contents" | "package")
                    && pooled.component.starts_with("mod_");
            let entry = pooled.hash.get(..2).map(|two| format!("{root}files/{two}/{}", pooled.hash));
            let Some(entry) = entry.filter(|entry| is_content && held.contains(entry.as_str())) else {
                continue;
            };
            if left_out.is_read(&pooled.name) {
                resources.push(Resource {
                    id: format!("{id}/{}", pooled.name),
                    name: pooled.name.clone(),
                    path: within.clone(),
                    title: None,
                    content: Content::Entry(entry),
                });
            }
        }
    }
    let has_questions = |bytes: &Bytes| bytes.windows(10).any(|window| window == b"<question ");
    if part(format!("{root}questions.xml")).is_some_and(has_questions) {
        left_out.quizzes += 1;
    }
    let mut seen = HashSet::new();
    resources.retain(|resource| seen.insert(resource.id.clone()));
    Ok(Outline { resources, warnings: left_out.sentences() })
}

fn made(id: String, path: Vec<String>, title: &str, pieces: &[&str]) -> Resource {
    Resource {
        name: format!("{id}.html"),
        id,
        path,
        title: Some(title.to_owned()),
        content: page(title, pieces),
    }
}

/// A piece of a course page that has no name: it is known by its section.
fn label(id: String, mut path: Vec<String>, pieces: &[&str]) -> Resource {
    let title = path.pop();
    let page = format!("<!doctype html><meta charset=\"utf-8\"><body>{}", pieces.join("\n"));
    Resource { name: format!("{id}.html"), id, path, title, content: Content::Page(Bytes::from(page)) }
}

type Sections = Vec<(String, String, String)>;

/// Activities and sections in the order of the course.
fn contents(bytes: &[u8]) -> Result<(Vec<Listed>, Sections), ExtractError> {
    let mut xml = Xml::new(Cursor::new(bytes), WHAT);
    let (mut activities, mut sections) = (Vec::new(), Vec::new());
    let mut listed: Option<Listed> = None;
    let mut in_contents = false;
    while let Some(event) = xml.next()? {
        match event {
            Event::Open(open) => match open.name.as_str() {
                "contents" => in_contents = true,
                "activity" | "section" if in_contents => listed = Some(Listed::default()),
                name => {
                    let Some(listed) = &mut listed else { continue };
                    let field = match name {
                        "moduleid" => &mut listed.id,
                        "sectionid" => &mut listed.section,
                        "modulename" => &mut listed.module,
                        "title" => &mut listed.title,
                        "directory" => &mut listed.directory,
                        _ => continue,
                    };
                    *field = xml.words()?;
                }
            },
            Event::Close(name) => match name.as_str() {
                "contents" => in_contents = false,
                "activity" => activities.extend(listed.take()),
                "section" => {
                    sections.extend(
                        listed.take().map(|section| (section.section, section.title, section.directory)),
                    );
                }
                _ => {}
            },
            Event::Text(_) => {}
        }
    }
    Ok((activities, sections))
}

/// The files of the pool by their ids.
fn files(bytes: &[u8]) -> Result<HashMap<String, Pooled>, ExtractError> {
    let mut xml = Xml::new(Cursor::new(bytes), WHAT);
    let mut pool = HashMap::new();
    let mut file: Option<(String, Pooled)> = None;
    while let Some(event) = xml.next()? {
        match event {
            Event::Open(open) if open.name == "file" => {
                let (hash, area, component, name) = Default::default();
                file = Some((open.attr("id").unwrap_or_default(), Pooled { hash, area, component, name }));
            }
            Event::Open(open) => {
                let Some((_, file)) = &mut file else { continue };
                let field = match open.name.as_str() {
                    "contenthash" => &mut file.hash,
                    "filearea" => &mut file.area,
                    "component" => &mut file.component,
                    "filename" => &mut file.name,
                    _ => continue,
                };
                *field = xml.words()?;
            }
            Event::Close(name) if name == "file" => {
                // Folders are files of the name `.`; a hash is forty letters and digits and nothing else.
                let is_hash = |hash: &str| hash.len() == 40 && hash.bytes().all(|b| b.is_ascii_hexdigit());
                pool.extend(file.take().filter(|(_, file)| file.name != "." && is_hash(&file.hash)));
            }
            _ => {}
        }
    }
    Ok(pool)
}

/// Ids of the files that an activity uses.
fn file_ids(bytes: &[u8]) -> Result<Vec<String>, ExtractError> {
    let mut xml = Xml::new(Cursor::new(bytes), WHAT);
    let mut ids = Vec::new();
    let mut in_files = false;
    while let Some(event) = xml.next()? {
        match event {
            Event::Open(open) if open.name == "fileref" => in_files = true,
            Event::Open(open) if open.name == "id" && in_files => ids.push(xml.words()?),
            Event::Close(name) if name == "fileref" => in_files = false,
            _ => {}
        }
    }
    Ok(ids)
}
