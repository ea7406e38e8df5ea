//! E-books (EPUB 2 and 3): the chapters of the spine in their order, each read as a page of HTML.
//!
//! A chapter without a heading gets the one that the book's table of contents has for it, so that a citation can name
//! it. Cover, title page and table of contents are left out. Books locked by a shop are refused.

mod toc;

use std::collections::{HashMap, HashSet};

use bytes::Bytes;

use crate::domain::{Anchor, BlockKind};

use super::decode::{Declared, decode};
use super::office::{Parts, resolve};
use super::xml::Event;
use super::{Builder, ExtractError, ExtractOptions, html};

pub use toc::unescaped;

const WHAT: &str = "e-book";

/// Reads an e-book.
pub fn extract(bytes: &Bytes, options: &ExtractOptions, out: &mut Builder) -> Result<(), ExtractError> {
    let mut parts = Parts::open(bytes, options.limits, WHAT)?;
    let package = package_name(&mut parts)?;
    let folder = package.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
    let book = Book::read(&mut parts, &package, &folder)?;
    let locked = locked(&mut parts)?;
    out.title(&book.title);
    let contents = match &book.contents {
        Some(name) => toc::read(&mut parts, name)?,
        None => HashMap::new(),
    };
    for (name, _) in book.spine.iter().filter(|(_, is_read)| *is_read) {
        if locked.contains(name) {
            return Err(ExtractError::Locked);
        }
        let Some(bytes) = parts.bytes(name)? else {
            out.warn(format!("the chapter `{name}` is missing in the file"));
            continue;
        };
        let size = bytes.len() as u64;
        if size > options.limits.html_bytes {
            return Err(ExtractError::TooLarge { bytes: size, limit: options.limits.html_bytes });
        }
        let page = with_ends(&decode(&bytes, Declared::Html)?.text);
        if let Some(label) = contents.get(name)
            && !html::begins_with_heading(&page)
        {
            out.line(BlockKind::Heading(1), label, Anchor::default())?;
        }
        html::extract(&page, out)?;
    }
    Ok(())
}

fn package_name(parts: &mut Parts) -> Result<String, ExtractError> {
    let mut xml = parts.needed("META-INF/container.xml")?;
    while let Some(event) = xml.next()? {
        if let Event::Open(open) = event
            && open.name == "rootfile"
            && let Some(name) = open.attr("full-path")
        {
            return Ok(resolve("", &name));
        }
    }
    Err(ExtractError::Damaged(WHAT))
}

/// Parts that are encrypted; fonts may be, by an open method that only hides them.
fn locked(parts: &mut Parts) -> Result<HashSet<String>, ExtractError> {
    let mut locked = HashSet::new();
    let Some(mut xml) = parts.part("META-INF/encryption.xml")? else { return Ok(locked) };
    while let Some(event) = xml.next()? {
        if let Event::Open(open) = event
            && open.name == "CipherReference"
            && let Some(name) = open.attr("URI")
        {
            locked.insert(resolve("", &unescaped(&name)));
        }
    }
    Ok(locked)
}

/// What the package file says.
struct Book {
    title: String,
    /// Parts in reading order, and whether each is read.
    spine: Vec<(String, bool)>,
    /// The part with the table of contents.
    contents: Option<String>,
}

impl Book {
    fn read(parts: &mut Parts, package: &str, folder: &str) -> Result<Self, ExtractError> {
        let (mut title, mut spine, mut ncx, mut nav) = (String::new(), Vec::new(), None, None);
        let mut items: HashMap<String, (String, bool)> = HashMap::new();
        let mut skipped: HashSet<String> = HashSet::new();
        let mut xml = parts.needed(package)?;
        while let Some(event) = xml.next()? {
            let Event::Open(open) = event else { continue };
            match open.name.as_str() {
                "title" if title.is_empty() => title = xml.words()?,
                "item" => {
                    let (Some(id), Some(href)) = (open.attr("id"), open.attr("href")) else { continue };
                    let name = resolve(folder, &unescaped(&href));
                    let properties = open.attr("properties").unwrap_or_default();
                    let media = open.attr("media-type").unwrap_or_default();
                    let is_nav = properties.split(' ').any(|property| property == "nav");
                    if is_nav {
                        nav = Some(name.clone());
                    }
                    if media == "application/x-dtbncx+xml" {
                        ncx = Some(name.clone());
                    }
                    let file = name.rsplit('/').next().unwrap_or(&name).to_ascii_lowercase();
                    let is_cover = ["cover", "titlepage", "title_page", "title-page"]
                        .iter()
                        .any(|word| id.eq_ignore_ascii_case(word) || file.split('.').next() == Some(word));
                    items.insert(id, (name, !is_nav && !is_cover && media.contains("html")));
                }
                "itemref" => {
                    let is_linear = open.attr("linear").as_deref() != Some("no");
                    if let Some((name, is_read)) = open.attr("idref").and_then(|id| items.get(&id)) {
                        spine.push((name.clone(), *is_read && is_linear));
                    }
                }
                "reference" => {
                    let kind = open.attr("type").unwrap_or_default();
                    if matches!(kind.as_str(), "cover" | "toc" | "title-page" | "index") {
                        let href = open.attr("href").unwrap_or_default();
                        let href = href.split('#').next().unwrap_or_default();
                        skipped.insert(resolve(folder, &unescaped(href)));
                    }
                }
                _ => {}
            }
        }
        for (name, is_read) in &mut spine {
            *is_read &= !skipped.contains(name);
        }
        Ok(Self { title, spine, contents: nav.or(ncx) })
    }
}

/// XHTML may end an element where it begins (`<title/>`, `<a id="x"/>`), which in HTML opens it without end.
fn with_ends(page: &str) -> String {
    const WITHOUT_CONTENT: [&str; 13] = [
        "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr",
    ];
    let mut out = String::with_capacity(page.len());
    let mut rest = page;
    while let Some(end) = rest.find("/>") {
        let (before, after) = (&rest[..end], &rest[end + 2..]);
        let name = before.rfind('<').map(|begin| &before[begin + 1..]).unwrap_or_default();
        let name = &name[..name.bytes().take_while(|b| b.is_ascii_alphanumeric()).count()];
        out.push_str(before);
        if name.is_empty() || WITHOUT_CONTENT.iter().any(|n| n.eq_ignore_ascii_case(name)) {
            out.push_str("/>");
        } else {
            out.push_str("></");
            out.push_str(name);
            out.push('>');
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_that_end_at_once_get_an_end() {
        assert_eq!(
            with_ends("<title/><p>a<br/>b<a id='x'/>c</p>"),
            "<title></title><p>a<br/>b<a id='x'></a>c</p>"
        );
        assert_eq!(with_ends("a /> b <svg:g/>"), "a /> b <svg:g></svg>");
    }
}
