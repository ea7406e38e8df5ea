//! Packages with an `imsmanifest.xml`: Common Cartridge 1.0 to 1.3, SCORM 1.2 and 2004, and plain content packages.
//!
//! The manifest has a tree of items, which are the modules and lessons, and a list of resources, which are the files.
//! Pages, discussions and assignments are read; assessments and question banks are not.

use std::collections::{HashMap, HashSet};
use std::io::Cursor;

use bytes::Bytes;

use super::{Content, LeftOut, Outline, Resource, bare, page, says_something};
use crate::ingest::extract::ExtractError;
use crate::ingest::extract::archive::{Archive, Budget};
use crate::ingest::extract::decode::{Declared, decode};
use crate::ingest::extract::epub::unescaped;
use crate::ingest::extract::office::resolve;
use crate::ingest::extract::xml::{Event, Xml};

const WHAT: &str = "manifest of the package (imsmanifest.xml)";

/// An item of the tree.
#[derive(Default)]
struct Item {
    title: String,
    parent: Option<usize>,
    resource: Option<String>,
}

/// An entry of the list of resources.
#[derive(Default)]
struct Listed {
    id: String,
    kind: String,
    href: Option<String>,
    files: Vec<String>,
}

/// What the manifest says.
pub fn outline(archive: &mut Archive, budget: &mut Budget) -> Result<Outline, ExtractError> {
    let entries: HashSet<String> = archive.entries().into_iter().map(|entry| entry.name).collect();
    let name = entries.iter().filter(|name| bare(name) == "imsmanifest.xml").min_by_key(|name| name.len());
    let name = name.cloned().ok_or(ExtractError::Damaged(WHAT))?;
    let root = name.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
    let bytes = archive.read(&name, budget)?.ok_or(ExtractError::Damaged(WHAT))?;
    let (items, listed) = read(&bytes, &root)?;

    // Small files that hold words in XML of their own.
    let wanted: HashSet<String> =
        listed.iter().filter(|one| is_topic(&one.kind)).filter_map(|one| file_of(one).cloned()).collect();
    let topics = archive.read_map(&wanted, budget)?;
    let listed_by_id: HashMap<&str, &Listed> = listed.iter().map(|one| (one.id.as_str(), one)).collect();
    let mut made = Maker {
        entries: &entries,
        root: &root,
        topics: &topics,
        seen: HashSet::new(),
        resources: Vec::new(),
        left_out: LeftOut::default(),
    };
    for (at, item) in items.iter().enumerate() {
        let Some(one) = item.resource.as_deref().and_then(|id| listed_by_id.get(id)) else { continue };
        made.put(one, path(&items, at), Some(item.title.clone()));
    }
    for one in &listed {
        made.put(one, Vec::new(), None);
    }
    Ok(Outline { resources: made.resources, warnings: made.left_out.sentences() })
}

/// Titles above an item, outermost first. Items are listed after their parents, so this ends.
fn path(items: &[Item], at: usize) -> Vec<String> {
    let mut path = Vec::new();
    let mut next = items[at].parent;
    while let Some(parent) = next {
        path.push(items[parent].title.clone());
        // The names above that are kept are few.
        if path.len() > 50 {
            break;
        }
        next = items[parent].parent;
    }
    path.reverse();
    path
}

fn read(bytes: &[u8], root: &str) -> Result<(Vec<Item>, Vec<Listed>), ExtractError> {
    let text = decode(bytes, Declared::Nothing).map_err(|_| ExtractError::Damaged(WHAT))?.text;
    let mut xml = Xml::new(Cursor::new(text.as_bytes()), WHAT);
    let (mut items, mut listed): (Vec<Item>, Vec<Listed>) = (Vec::new(), Vec::new());
    let mut open_items: Vec<usize> = Vec::new();
    let (mut base, mut list_base) = (root.to_owned(), root.to_owned());
    while let Some(event) = xml.next()? {
        match event {
            Event::Open(open) => match open.name.as_str() {
                "metadata" => xml.skip()?,
                "item" => {
                    let parent = open_items.last().copied();
                    let resource = open.attr("identifierref");
                    open_items.push(items.len());
                    items.push(Item { parent, resource, ..Item::default() });
                }
                "title" => {
                    let words = xml.words()?;
                    if let Some(item) = open_items.last().and_then(|at| items.get_mut(*at)) {
                        item.title = words;
                    }
                }
                "resources" => {
                    list_base = resolve(root, &open.exact("xml:base").unwrap_or_default());
                }
                "resource" => {
                    base = resolve(&list_base, &open.exact("xml:base").unwrap_or_default());
                    listed.push(Listed {
                        id: open.attr("identifier").unwrap_or_default(),
                        kind: open.exact("type").unwrap_or_default().to_ascii_lowercase(),
                        href: open.exact("href").and_then(|href| local(&base, &href)),
                        files: Vec::new(),
                    });
                }
                "file" => {
                    if let (Some(one), Some(href)) = (listed.last_mut(), open.exact("href")) {
                        one.files.extend(local(&base, &href));
                    }
                }
                _ => {}
            },
            Event::Close(name) if name == "item" => drop(open_items.pop()),
            _ => {}
        }
    }
    Ok((items, listed))
}

/// The file that an address means, if it is one of the package.
fn local(base: &str, href: &str) -> Option<String> {
    let bare = href.split(['?', '#']).next().unwrap_or_default().trim();
    let is_web = bare.contains("://") || bare.starts_with("//");
    let bare = bare.strip_prefix("$IMS-CC-FILEBASE$/").unwrap_or(bare);
    (!bare.is_empty() && !is_web).then(|| resolve(base, &unescaped(bare)))
}

fn is_topic(kind: &str) -> bool {
    kind.starts_with("imsdt") || kind.starts_with("assignment_xmlv1p0")
}

fn is_quiz(kind: &str) -> bool {
    kind.contains("imsqti") || kind.contains("assessment") || kind.contains("question-bank")
}

fn file_of(one: &Listed) -> Option<&String> {
    one.files.first().or(one.href.as_ref())
}

struct Maker<'a> {
    entries: &'a HashSet<String>,
    root: &'a str,
    topics: &'a HashMap<String, Bytes>,
    seen: HashSet<String>,
    resources: Vec<Resource>,
    left_out: LeftOut,
}

impl Maker<'_> {
    /// A resource with its place; the second time it is said nothing of it is.
    fn put(&mut self, one: &Listed, path: Vec<String>, title: Option<String>) {
        if !self.seen.insert(format!("#{}", one.id)) {
            return;
        }
        if is_quiz(&one.kind) {
            self.left_out.quizzes += 1;
            self.seen.extend(one.files.iter().cloned());
            return;
        }
        if one.kind.starts_with("imswl") || one.kind.starts_with("imsbasiclti") {
            self.left_out.tools += 1;
            return;
        }
        if is_topic(&one.kind) {
            self.topic(one, path, title);
            return;
        }
        let main = one.href.iter().filter(|href| self.entries.contains(*href));
        let main: Vec<String> = main.cloned().collect();
        let below = || path.iter().cloned().chain(title.clone()).collect::<Vec<_>>();
        for name in &main {
            self.file(name, path.clone(), title.clone());
        }
        for name in &one.files {
            self.file(name, below(), None);
        }
    }

    fn file(&mut self, name: &str, path: Vec<String>, title: Option<String>) {
        // XML beside the pages describes them for machines.
        let is_xml =
            [".xml", ".qti", ".xsd"].iter().any(|ending| name.to_ascii_lowercase().ends_with(ending));
        if is_xml
            || !self.entries.contains(name)
            || !self.seen.insert(name.to_owned())
            || !self.left_out.is_read(name)
        {
            return;
        }
        let file = name.rsplit('/').next().unwrap_or(name).to_owned();
        let id = name.strip_prefix(self.root).unwrap_or(name).trim_start_matches('/').to_owned();
        self.resources.push(Resource {
            id,
            name: file,
            path,
            title,
            content: Content::Entry(name.to_owned()),
        });
    }

    /// A discussion or an assignment: a title and a text in XML.
    fn topic(&mut self, one: &Listed, path: Vec<String>, title: Option<String>) {
        let Some((title_inside, text)) =
            file_of(one).and_then(|name| self.topics.get(name)).and_then(|bytes| topic(bytes).ok())
        else {
            return;
        };
        let title = title.filter(|title| !title.trim().is_empty()).unwrap_or(title_inside);
        if says_something(&text) {
            let content = page(&title, &[&text]);
            let id = one.id.clone();
            self.resources.push(Resource {
                name: format!("{id}.html"),
                id,
                path,
                title: Some(title),
                content,
            });
        }
    }
}

/// Title and text, as HTML.
fn topic(bytes: &[u8]) -> Result<(String, String), ExtractError> {
    let text = decode(bytes, Declared::Nothing)?.text;
    let mut xml = Xml::new(Cursor::new(text.as_bytes()), WHAT);
    let (mut title, mut words) = (String::new(), String::new());
    while let Some(event) = xml.next()? {
        let Event::Open(open) = event else { continue };
        match open.name.as_str() {
            "title" => title = xml.words()?,
            "text" | "instructor_text" if words.is_empty() => {
                let is_plain = open.attr("texttype").as_deref() == Some("text/plain");
                words = xml.words()?;
                if is_plain {
                    words = words.replace('&', "&amp;").replace('<', "&lt;");
                }
            }
            _ => {}
        }
    }
    Ok((title, words))
}
