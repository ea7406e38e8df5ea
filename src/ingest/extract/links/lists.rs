//! Sitemaps (sitemaps.org, 0.9), indexes of them, RSS (0.9 to 2.0) and Atom (RFC 4287).

use url::Url;

use super::{Entry, Leads, MOST, absolute};
use crate::ingest::extract::ExtractError;
use crate::ingest::extract::xml::{Event, Open, Xml};

const WHAT: &str = "sitemap or feed";
/// Items of a feed; feeds are for what is new.
const ENTRIES: usize = 2_000;
/// Bytes of the words of all items together.
const WORDS: usize = 8 << 20;

/// What a list names.
pub fn leads(text: &str, base: &Url) -> Result<Leads, ExtractError> {
    let mut xml = Xml::new(text.as_bytes(), WHAT);
    let (mut leads, mut item) = (Leads::default(), None::<Item>);
    let (mut in_index, mut words) = (false, 0);
    while let Some(event) = xml.next()? {
        match event {
            Event::Open(open) => match (open.name.as_str(), &mut item) {
                ("sitemapindex", _) => in_index = true,
                ("loc", None) => {
                    let found = absolute(base, &xml.words()?);
                    let into = if in_index { &mut leads.lists } else { &mut leads.links };
                    if into.len() < MOST {
                        into.extend(found);
                    }
                }
                ("item" | "entry", None) => item = Some(Item::default()),
                (_, Some(item)) => item.read(&open, &mut xml, base)?,
                _ => {}
            },
            Event::Close(name) if matches!(name.as_str(), "item" | "entry") => {
                let Some(entry) = item.take().map(Item::finish) else { continue };
                words += entry.content.as_ref().map_or(0, String::len);
                if words > WORDS || leads.entries.len() >= ENTRIES {
                    return Err(ExtractError::TooMany { what: "items", limit: ENTRIES });
                }
                leads.entries.push(entry);
            }
            _ => {}
        }
    }
    Ok(leads)
}

/// An item that is being read.
#[derive(Default)]
struct Item {
    title: String,
    link: Option<String>,
    whole: Option<String>,
    summary: Option<String>,
}

impl Item {
    fn read(&mut self, open: &Open, xml: &mut Xml<&[u8]>, base: &Url) -> Result<(), ExtractError> {
        match open.name.as_str() {
            "title" => self.title = xml.words()?.split_whitespace().collect::<Vec<_>>().join(" "),
            "link" => match open.attr("href") {
                // Atom: of several links the one to the page; without `rel` it is that (RFC 4287, 4.2.7.2).
                Some(href) => {
                    let is_page = open.attr("rel").is_none_or(|rel| rel == "alternate");
                    if is_page && self.link.is_none() {
                        self.link = absolute(base, &href);
                    }
                }
                None => self.link = absolute(base, &xml.words()?).or(self.link.take()),
            },
            // `content:encoded` of RSS; `content` of Atom, which may also be an address or a picture.
            "encoded" => self.whole = Some(xml.words()?),
            "content" if open.attr("src").is_none() && open.attr("url").is_none() => {
                let kind = open.attr("type").unwrap_or_default();
                let words = xml.words()?;
                self.whole = Some(if kind == "html" { words } else { escaped(&words) });
            }
            "description" => self.summary = Some(xml.words()?),
            "summary" => {
                let is_html = open.attr("type").is_some_and(|kind| kind == "html");
                let words = xml.words()?;
                self.summary = Some(if is_html { words } else { escaped(&words) });
            }
            _ => {}
        }
        Ok(())
    }

    fn finish(self) -> Entry {
        let says = |words: &String| !words.trim().is_empty();
        let is_summary = !self.whole.as_ref().is_some_and(says);
        let content = self.whole.filter(says).or(self.summary.filter(says));
        Entry { address: self.link, title: self.title, content, is_summary }
    }
}

/// Words as HTML.
fn escaped(words: &str) -> String {
    words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Leads {
        leads(text, &Url::parse("https://school.example/sitemap.xml").unwrap()).unwrap()
    }

    #[test]
    fn sitemaps_name_pages_and_indexes_name_sitemaps() {
        let pages = read(
            "<?xml version='1.0'?><urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>\
             <url><loc> https://school.example/a?x=1&amp;y=2 </loc><lastmod>2026-01-01</lastmod></url>\
             <url><loc>/b</loc></url><url><loc>ftp://school.example/c</loc></url></urlset>",
        );
        assert_eq!(pages.links, ["https://school.example/a?x=1&y=2", "https://school.example/b"]);
        let index = read(
            "<sitemapindex><sitemap><loc>https://school.example/one.xml.gz</loc></sitemap></sitemapindex>",
        );
        assert_eq!((index.lists.len(), index.links.len()), (1, 0));
    }

    #[test]
    fn feeds_give_their_items_with_words_or_links() {
        let rss = read(
            "<rss version='2.0' xmlns:content='x'><channel><title>News</title><link>https://school.example/</link>\
             <item><title>Wax\n 62</title><link>https://school.example/wax</link><description>&lt;p&gt;Short&lt;/p&gt;</description>\
             <content:encoded><![CDATA[<p>Warm the wax.</p>]]></content:encoded></item>\
             <item><link>/glue</link><description>About glue</description></item></channel></rss>",
        );
        let entry = |address: &str, title: &str, content: &str, is_summary| Entry {
            address: Some(address.into()),
            title: title.into(),
            content: Some(content.into()),
            is_summary,
        };
        assert_eq!(
            rss.entries,
            [
                entry("https://school.example/wax", "Wax 62", "<p>Warm the wax.</p>", false),
                entry("https://school.example/glue", "", "About glue", true)
            ]
        );
        let atom = read(
            "<feed xmlns='http://www.w3.org/2005/Atom'><link href='https://school.example/'/>\
             <entry><title>Press</title><link rel='edit' href='/edit'/><link href='/press'/>\
             <content type='html'>&lt;b&gt;Press&lt;/b&gt;</content></entry>\
             <entry><title>Saw</title><link rel='alternate' href='/saw'/><summary>a &lt; b</summary></entry></feed>",
        );
        assert_eq!(
            atom.entries,
            [
                entry("https://school.example/press", "Press", "<b>Press</b>", false),
                entry("https://school.example/saw", "Saw", "a &lt; b", true)
            ]
        );
    }
}
