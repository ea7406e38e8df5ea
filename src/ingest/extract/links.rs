//! Where else to read: the links of a page, the pages of a sitemap, the items of a feed, the rules of a robots.txt.
//!
//! In come foreign bytes and the address that they came from, out come absolute addresses, as text that nobody has
//! believed yet. Fetches nothing and follows nothing: `site` does, with what this says. Runs where documents are read.

mod lists;
pub mod robots;

use std::io::Read;

use flate2::read::MultiGzDecoder;
use scraper::Html;
use serde::{Deserialize, Serialize};
use url::Url;

use super::decode::{Declared, decode};
use super::html::walk::{Enter, Step, walk};
use super::{ExtractError, Limits, html};
use robots::Rule;

/// What the bytes are meant to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sought {
    /// A page of HTML.
    Page,
    /// A sitemap, an index of sitemaps, or a feed; packed with gzip or not.
    List,
    Robots,
}

/// What they say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leads {
    /// The address that the page itself wants to be known by.
    pub canonical: Option<String>,
    /// The page asks not to be found.
    pub noindex: bool,
    /// The page asks that its links are not followed.
    pub nofollow: bool,
    /// Pages, in their order.
    pub links: Vec<String>,
    /// Lists of more pages.
    pub lists: Vec<String>,
    pub entries: Vec<Entry>,
    pub rules: Vec<Rule>,
    /// Milliseconds that the site wants between two requests.
    pub delay_ms: Option<u64>,
}

/// An item of a feed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub address: Option<String>,
    pub title: String,
    /// Its words, as HTML.
    pub content: Option<String>,
    /// The words are a summary and not the whole.
    pub is_summary: bool,
}

/// Addresses of one page or list: the sitemap protocol allows 50,000, and no page that people read has more.
pub const MOST: usize = 50_000;
/// Bytes of one address; longer ones are mostly traps (and no server must take more than 8,000, RFC 9110).
pub const ADDRESS_BYTES: usize = 2_000;

/// Reads `bytes` that came from `address`.
pub fn leads(bytes: &[u8], sought: Sought, address: &str, limits: &Limits) -> Result<Leads, ExtractError> {
    let base = Url::parse(address).map_err(|_| ExtractError::Damaged("address"))?;
    match sought {
        Sought::Page => {
            let text = decode(bytes, Declared::Html)?.text;
            html::check_depth(&text)?;
            Ok(page(&text, base))
        }
        Sought::List => {
            let unpacked = unpacked(bytes, limits.html_bytes)?;
            let text = decode(unpacked.as_deref().unwrap_or(bytes), Declared::Nothing)?.text;
            lists::leads(&text, &base)
        }
        Sought::Robots => Ok(robots::leads(&String::from_utf8_lossy(bytes), &base)),
    }
}

/// Whether the first bytes, from this address, begin a sitemap or a feed.
pub fn is_list(head: &[u8], address: &str) -> bool {
    if head.starts_with(b"\x1f\x8b") {
        let path = address.split(['?', '#']).next().unwrap_or_default().to_ascii_lowercase();
        return path.ends_with(".xml.gz");
    }
    let begin = String::from_utf8_lossy(&head[..head.len().min(4_096)]).to_ascii_lowercase();
    begin.trim_start_matches('\u{feff}').trim_start().starts_with('<')
        && !begin.contains("<html")
        && ["<urlset", "<sitemapindex", "<rss", "<feed", "<rdf:rdf"].iter().any(|root| begin.contains(root))
}

fn unpacked(bytes: &[u8], limit: u64) -> Result<Option<Vec<u8>>, ExtractError> {
    if !bytes.starts_with(b"\x1f\x8b") {
        return Ok(None);
    }
    let mut all = Vec::new();
    let read = MultiGzDecoder::new(bytes).take(limit.saturating_add(1)).read_to_end(&mut all);
    read.map_err(|_| ExtractError::Damaged("packed list"))?;
    if all.len() as u64 > limit { Err(ExtractError::Bomb { limit }) } else { Ok(Some(all)) }
}

/// An address as it stands in a document, made absolute; nothing that is no page of the web.
fn absolute(base: &Url, text: &str) -> Option<String> {
    let text = text.trim();
    if text.is_empty() || text.len() > ADDRESS_BYTES {
        return None;
    }
    let url = base.join(text).ok()?;
    let is_page = matches!(url.scheme(), "http" | "https") && url.as_str().len() <= ADDRESS_BYTES;
    is_page.then(|| url.into())
}

fn page(source: &str, mut base: Url) -> Leads {
    let (mut leads, mut has_base) = (Leads::default(), false);
    let tree = Html::parse_document(source);
    let is = |value: Option<&str>, word: &str| {
        value.is_some_and(|value| value.split_ascii_whitespace().any(|one| one.eq_ignore_ascii_case(word)))
    };
    walk(tree.root_element(), &mut |step| {
        let Step::Open(element) = step else { return Enter::Yes };
        let value = element.value();
        match value.name() {
            "base" if !has_base => {
                // The first one counts (HTML, 4.2.3).
                if let Some(new) = value.attr("href").and_then(|href| base.join(href.trim()).ok()) {
                    (base, has_base) = (new, true);
                }
            }
            "link" if is(value.attr("rel"), "canonical") && leads.canonical.is_none() => {
                leads.canonical = value.attr("href").and_then(|href| absolute(&base, href));
            }
            "meta" if is(value.attr("name"), "robots") || is(value.attr("name"), robots::AGENT) => {
                let (noindex, nofollow) = robots::directives(value.attr("content").unwrap_or_default());
                leads.noindex |= noindex;
                leads.nofollow |= nofollow;
            }
            "a" | "area" if !is(value.attr("rel"), "nofollow") && leads.links.len() < MOST => {
                leads.links.extend(value.attr("href").and_then(|href| absolute(&base, href)));
            }
            _ => {}
        }
        Enter::Yes
    });
    leads
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &str) -> Leads {
        leads(words.as_bytes(), Sought::Page, "https://school.example/a/b.html", &Limits::default()).unwrap()
    }

    #[test]
    fn a_page_says_where_its_links_lead() {
        let found = read(
            "<html><head><link rel='canonical' href='/a/c'><title>x</title></head><body><nav><a href='../d'>d</a></nav>\
             <a href='//other.example/e#f'>e</a><a rel='nofollow noopener' href='g'>g</a><a href='mailto:a@b'>m</a>\
             <a href='javascript:x()'>j</a><a>none</a><map><area href='h?i=1'></map></body></html>",
        );
        assert_eq!(found.canonical.as_deref(), Some("https://school.example/a/c"));
        let links =
            ["https://school.example/d", "https://other.example/e#f", "https://school.example/a/h?i=1"];
        assert_eq!(found.links, links);
        assert!(!found.noindex && !found.nofollow);
        assert_eq!(
            read("<base href='/z/'><base href='/y/'><a href='k'>k</a>").links,
            ["https://school.example/z/k"]
        );
        let long = format!("<a href='/{}'>x</a>", "x".repeat(3_000));
        assert!(read(&long).links.is_empty());
    }

    #[test]
    fn a_page_may_ask_to_be_left_alone() {
        for (meta, expected) in [
            ("<meta name=robots content='NOINDEX, follow'>", (true, false)),
            ("<meta name=robots content='none'>", (true, true)),
            ("<meta name=NeverAFK content='nofollow'>", (false, true)),
            ("<meta name=googlebot content='noindex'>", (false, false)),
            ("<meta name=robots content='max-snippet:-1'>", (false, false)),
        ] {
            let found = read(meta);
            assert_eq!((found.noindex, found.nofollow), expected, "{meta}");
        }
    }

    #[test]
    fn lists_are_known_by_their_beginning() {
        for (head, address, expected) in [
            ("<?xml version='1.0'?>\n<urlset xmlns=''>", "https://a/sitemap.xml", true),
            ("\u{feff}<feed xmlns='http://www.w3.org/2005/Atom'>", "https://a/feed", true),
            ("<rss version='2.0'>", "https://a/rss", true),
            ("<!doctype html><html><pre>&lt;rss></pre>", "https://a/about-rss", false),
            ("How <rss is written", "https://a/x.txt", false),
        ] {
            assert_eq!(is_list(head.as_bytes(), address), expected, "{head}");
        }
        assert!(is_list(b"\x1f\x8b\x08", "https://a/sitemap.xml.gz?x=1"));
        assert!(!is_list(b"\x1f\x8b\x08", "https://a/course.tar.gz"));
    }
}
