//! A site, a sitemap or a feed: its pages, one after the other, as items of one package.
//!
//! A crawl begins with one page and follows links within the site, as far as it was told; a list names its pages itself.
//! What the site asks for is done (robots.txt, `noindex`, `nofollow`, canonical addresses). Pages that are gone leave with the next pass,
//! as the files of a package do, but only where a pass met no trouble. Of a site that is followed only pages and lists are sent
//! that are not as they were. Blocking; `items` calls this. Foreign bytes are read by the sandbox alone.

mod address;
mod fetch;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use url::Url;

use super::Item;
use super::detect::{Kind, detect};
use super::extract::links::{self, Entry, Leads, Sought, robots};
use super::items::{Ended, Found, ItemError};
use super::sandbox::Reading;
use super::source::{self, Reach, SourceError, SourceOptions, web};
use crate::domain::MediaType;
use crate::store::{ListStamp, PageStamp};
use address::{may_be_read, plain, same_site};
use fetch::{Fetcher, Miss, Page};

/// Addresses that wait to be read: many times the pages that are.
const WAITING: usize = 100_000;
/// Lists that one index may name.
const LISTS: usize = 100;
/// Bytes that are kept of how the pages of a site are, most of them links; what is beyond is sent again each time.
const KEPT_BYTES: usize = 8 << 20;
/// Of these, bytes of one list: a sitemap of 50,000 pages must not take the place of what is known of the pages.
const LIST_BYTES: usize = KEPT_BYTES / 4;
/// Names in one warning.
const NAMES: usize = 5;

/// Hands all that a site or a list holds to `each`, then its end; false when no more is wanted.
pub fn read(
    address: &str,
    reach: Reach,
    options: &SourceOptions,
    reading: Reading,
    each: &mut dyn FnMut(Found) -> bool,
) -> bool {
    let start = match source::address(address) {
        Ok(start) => plain(start),
        Err(error) => return each(Found::Failed(error.into())),
    };
    let mut visit = Visit {
        package: format!("site:{start}"),
        reach,
        fetcher: Fetcher::new(options, reading),
        before: options.pages.clone(),
        room: KEPT_BYTES,
        each,
        waiting: VecDeque::new(),
        seen: HashSet::new(),
        given: HashSet::new(),
        held: None,
        lost: Vec::new(),
        pages: 0,
        cut: false,
        wanted: true,
    };
    visit.all(start);
    visit.end()
}

/// A pass over a site.
struct Visit<'a, 'e> {
    package: String,
    reach: Reach,
    fetcher: Fetcher<'a>,
    /// How the pages were at the last pass, where there will be another.
    before: Option<Arc<HashMap<String, PageStamp>>>,
    /// Bytes that may still be kept for the next one.
    room: usize,
    each: &'e mut dyn FnMut(Found) -> bool,
    /// Pages to read, each with the links that lead to it from the first.
    waiting: VecDeque<(Url, u32)>,
    seen: HashSet<String>,
    /// Sources that were given out.
    given: HashSet<String>,
    /// The last page, until the next one or the warnings are there.
    held: Option<Item>,
    /// Pages that are named and are not there.
    lost: Vec<String>,
    /// Pages that were asked for.
    pages: u32,
    /// Something may have been overlooked.
    cut: bool,
    wanted: bool,
}

impl Visit<'_, '_> {
    fn all(&mut self, start: Url) {
        self.seen.insert(start.to_string());
        match self.fetch(&start) {
            Ok(page) if links::is_list(&page.bytes, page.url.as_str()) => self.list(page),
            Ok(page) => {
                self.seen.insert(plain(page.url.clone()).into());
                self.visit(page, 0);
            }
            Err(Miss::Same(url)) => match self.same_list(&url) {
                Some(lists) => self.lists(lists, &url),
                None => self.same(&url, 0),
            },
            Err(Miss::Unwanted) => return self.wanted = false,
            Err(Miss::None(error) | Miss::Failed(error)) => return self.fail(error),
        }
        while self.wanted
            && let Some((url, depth)) = self.waiting.pop_front()
        {
            if self.pages >= self.reach.pages {
                self.cut = true;
                let more = self.waiting.len().saturating_add(1);
                self.warn(format!(
                    "{} pages of the site were read, and at least {more} more are there",
                    self.pages
                ));
                return;
            }
            match self.fetch(&url) {
                Err(Miss::Unwanted) => self.wanted = false,
                Err(Miss::Same(at)) => {
                    let address = plain(at.clone());
                    if address == url || self.seen.insert(address.into()) {
                        self.same(&at, depth);
                    }
                }
                // Links that lead nowhere are no trouble of whoever brings the rest in.
                Err(Miss::None(SourceError::Status { address, .. })) => self.lost.push(address),
                Err(Miss::None(_)) => {}
                Err(Miss::Failed(error)) => self.fail(error),
                Ok(page) => {
                    let address = plain(page.url.clone());
                    // A redirect to a page that was or will be read.
                    if address == url || self.seen.insert(address.into()) {
                        self.visit(page, depth);
                    }
                }
            }
        }
    }

    fn fetch(&mut self, url: &Url) -> Result<Page, Miss> {
        self.pages += 1;
        self.fetcher.page(url)
    }

    /// Gives a page and queues what it leads to.
    fn visit(&mut self, page: Page, depth: u32) {
        let wishes = page.wishes.iter().map(|wish| robots::header(wish));
        let (mut noindex, mut nofollow) =
            wishes.fold((false, false), |sum, one| (sum.0 | one.0, sum.1 | one.1));
        let mut source = plain(page.url.clone());
        let mut links = Vec::new();
        if page.is_html {
            let leads = match self.fetcher.leads(&page, Sought::Page) {
                Ok(leads) => leads,
                Err(error) => return self.fail(error),
            };
            noindex |= leads.noindex;
            nofollow |= leads.nofollow;
            if let Some(canonical) = own(leads.canonical, &source) {
                self.seen.insert(canonical.to_string());
                source = canonical;
            }
            links = own_links(&leads.links, &page.url);
        }
        if nofollow {
            links.clear();
        }
        self.follow(&links, &page.url, depth);
        let is_one = !noindex && is_document(&page);
        self.keep(&page, is_one.then(|| source.to_string()), links);
        if is_one {
            let name = web::page_name(&source, page.is_html);
            self.give(Item::file(source.into(), name, page.bytes));
        }
    }

    /// The same for a page that was not sent again: what it was still holds.
    fn same(&mut self, url: &Url, depth: u32) {
        // Only of a page that is known can be said that it is the same.
        let Some(stamp) = self.known(url) else { return };
        self.seen.insert(plain(url.clone()).into());
        self.follow(&stamp.links, url, depth);
        if let Some(source) = stamp.source.clone() {
            self.still(source);
        }
        self.tell(url, stamp);
    }

    /// The same for a list; the lists that it names. `None` where what was at this address was none.
    fn same_list(&mut self, url: &Url) -> Option<Vec<String>> {
        let stamp = self.known(url)?;
        let list = stamp.list.clone()?;
        for link in &stamp.links {
            self.wait_for(link, url, self.reach.depth);
        }
        for source in list.sources {
            self.still(source);
        }
        self.tell(url, stamp);
        Some(list.lists)
    }

    /// How what is at this address was at the last pass.
    fn known(&self, url: &Url) -> Option<PageStamp> {
        self.before.as_ref()?.get(url.as_str()).cloned()
    }

    /// Says of a document that it is as it was.
    fn still(&mut self, source: String) {
        self.seen.insert(source.clone());
        if self.given.insert(source.clone()) {
            let package = self.package.clone();
            self.wanted &= (self.each)(Found::Same { package, source });
        }
    }

    /// Notes how a page is, where the site says what this version is called.
    fn keep(&mut self, page: &Page, source: Option<String>, links: Vec<String>) {
        if self.before.is_some() && (page.etag.is_some() || page.last_modified.is_some()) {
            let (etag, last_modified) = (page.etag.clone(), page.last_modified.clone());
            self.tell(&page.url, PageStamp { etag, last_modified, source, links, list: None });
        }
    }

    /// The same for a list.
    fn keep_list(&mut self, page: &Page, links: Vec<String>, list: ListStamp) {
        let all = links.iter().chain(&list.lists).chain(&list.sources);
        let is_named = page.etag.is_some() || page.last_modified.is_some();
        if self.before.is_some() && is_named && all.map(String::len).sum::<usize>() <= LIST_BYTES {
            let (etag, last_modified) = (page.etag.clone(), page.last_modified.clone());
            self.tell(&page.url, PageStamp { etag, last_modified, source: None, links, list: Some(list) });
        }
    }

    fn tell(&mut self, url: &Url, stamp: PageStamp) {
        let listed = stamp.list.iter().flat_map(|list| list.lists.iter().chain(&list.sources));
        let all = stamp.links.iter().chain(listed);
        let bytes = url.as_str().len() + all.map(String::len).sum::<usize>();
        if bytes <= self.room {
            self.room -= bytes;
            let stamp = Box::new(stamp);
            self.wanted &= (self.each)(Found::Page { address: url.to_string(), stamp });
        }
    }

    /// Queues what a page leads to, unless it is as far away as one reads.
    fn follow(&mut self, links: &[String], from: &Url, depth: u32) {
        if depth < self.reach.depth {
            for link in links {
                self.wait_for(link, from, depth + 1);
            }
        }
    }

    /// Queues an address of the site, once.
    fn wait_for(&mut self, link: &str, site: &Url, depth: u32) {
        let Ok(url) = Url::parse(link) else { return };
        let url = plain(url);
        if !same_site(&url, site) || !may_be_read(&url) || self.seen.contains(url.as_str()) {
            return;
        }
        if self.waiting.len() >= WAITING {
            self.cut = true;
            return;
        }
        self.seen.insert(url.to_string());
        self.waiting.push_back((url, depth));
    }

    /// Queues the pages of a sitemap, of the sitemaps of an index, or of a feed; its items' own words are given at once.
    fn list(&mut self, page: Page) {
        if let Some(lists) = self.take(&page) {
            self.lists(lists, &page.url);
        }
    }

    /// Reads the sitemaps that the list at `site` names.
    fn lists(&mut self, mut lists: Vec<String>, site: &Url) {
        self.cut |= lists.len() > LISTS;
        lists.truncate(LISTS);
        for list in lists {
            if !self.wanted {
                return;
            }
            let Some(url) = Url::parse(&list).ok().map(plain) else { continue };
            if !same_site(&url, site) || !self.seen.insert(url.to_string()) {
                continue;
            }
            // A list is no page, and counts as none.
            match self.fetcher.page(&url) {
                Err(Miss::Unwanted) => return self.wanted = false,
                // Lists within these are not read, neither now nor then; a page that was read before is no list.
                Err(Miss::Same(at)) => drop(self.same_list(&at)),
                Err(Miss::None(error) | Miss::Failed(error)) => self.fail(error),
                Ok(page) => drop(self.take(&page)),
            }
        }
        if self.waiting.is_empty() && self.given.is_empty() && !self.cut {
            self.fail(SourceError::NoPages(site.to_string()));
        }
    }

    /// Queues what a list names, gives what it says itself, and notes how it is; the lists that it names.
    fn take(&mut self, page: &Page) -> Option<Vec<String>> {
        let leads = match self.fetcher.leads(page, Sought::List) {
            Ok(leads) => leads,
            Err(error) => {
                self.fail(error);
                return None;
            }
        };
        let Leads { mut links, lists, entries, .. } = leads;
        for link in &links {
            self.wait_for(link, &page.url, self.reach.depth);
        }
        let mut sources = Vec::new();
        for entry in entries {
            match self.entry(entry, &page.url) {
                Told::Page(address) => links.push(address),
                Told::Words(source) => sources.push(source),
                Told::Nothing => {}
            }
        }
        self.keep_list(page, links, ListStamp { lists: lists.clone(), sources });
        Some(lists)
    }

    /// An item of a feed: its words when they are whole, else its page, else what it says of itself.
    fn entry(&mut self, entry: Entry, site: &Url) -> Told {
        let address = entry.address.and_then(|address| Url::parse(&address).ok()).map(plain);
        let is_here = address.as_ref().is_some_and(|url| same_site(url, site));
        match (entry.content, address) {
            (content, Some(url)) if is_here && (content.is_none() || entry.is_summary) => {
                self.wait_for(url.as_str(), site, self.reach.depth);
                Told::Page(url.into())
            }
            (Some(content), Some(url)) => {
                self.seen.insert(url.to_string());
                let html = format!("<!doctype html><html><body>\n{content}\n</body></html>");
                let title = Some(entry.title).filter(|title| !title.trim().is_empty());
                let name = web::page_name(&url, true);
                let source = String::from(url);
                self.give(Item { title, ..Item::file(source.clone(), name, Bytes::from(html)) });
                Told::Words(source)
            }
            (_, _) => Told::Nothing,
        }
    }

    fn give(&mut self, item: Item) {
        // Two addresses of one page, as the page itself says.
        if !self.given.insert(item.source.clone()) {
            return;
        }
        let item = Item { package: Some(self.package.clone()), ..item };
        if let Some(before) = self.held.replace(item) {
            self.wanted &= (self.each)(Found::Item(Box::new(before)));
        }
    }

    fn fail(&mut self, error: SourceError) {
        self.cut = true;
        self.wanted &= (self.each)(Found::Failed(ItemError::Source(error)));
    }

    fn warn(&mut self, sentence: String) {
        if let Some(item) = &mut self.held {
            item.warnings.push(sentence);
        }
    }

    fn end(mut self) -> bool {
        if !self.lost.is_empty() {
            let named: Vec<&str> = self.lost.iter().take(NAMES).map(String::as_str).collect();
            let more = self.lost.len().saturating_sub(NAMES);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let sentence = format!("links of the site that lead to no page: {}{more}", named.join(", "));
            self.warn(sentence);
        }
        if let Some(item) = self.held.take().filter(|_| self.wanted) {
            self.wanted = (self.each)(Found::Item(Box::new(item)));
        }
        let ended = if self.cut { Ended::Cut } else { Ended::Whole };
        self.wanted && (self.each)(Found::End { package: self.package, ended })
    }
}

/// What an item of a feed is.
enum Told {
    /// A page to read.
    Page(String),
    /// A document under this source.
    Words(String),
    Nothing,
}

/// Where a page leads to within its site, each place once.
fn own_links(links: &[String], page: &Url) -> Vec<String> {
    let mut seen = HashSet::new();
    let urls = links.iter().filter_map(|link| Url::parse(link).ok()).map(plain);
    let own = urls.filter(|url| same_site(url, page) && may_be_read(url)).map(String::from);
    own.filter(|link| seen.insert(link.clone())).collect()
}

/// The address that a page wants to be known by, when it is one of its own site.
fn own(canonical: Option<String>, page: &Url) -> Option<Url> {
    let url = plain(Url::parse(&canonical?).ok()?);
    same_site(&url, page).then_some(url)
}

/// Whether it is one document to read, and no recording: lessons are watched where they are.
fn is_document(page: &Page) -> bool {
    let name = web::page_name(&page.url, page.is_html);
    match detect(&page.bytes, &name) {
        Ok(Kind::Document(media)) => !media.is_recording() && media != MediaType::Picture,
        // Office files and books; what else is packed is no page.
        Ok(Kind::Container) => {
            let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
            let known = ["docx", "pptx", "xlsx", "odt", "odp", "ods", "epub", "xls"];
            ending.is_some_and(|ending| known.contains(&ending.as_str()))
        }
        _ => false,
    }
}
