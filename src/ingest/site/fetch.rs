//! Asks a site for one page after the other, politely: what its robots.txt allows, one request at a time, with a pause
//! between two, and never a step away from the site.

use std::collections::HashMap;
use std::io::Read;
use std::time::{Duration, Instant};

use bytes::Bytes;
use url::Url;

use super::address::same_site;
use crate::ingest::extract::ExtractError;
use crate::ingest::extract::links::robots::{self, Rule};
use crate::ingest::extract::links::{Leads, Sought};
use crate::ingest::sandbox::{Reader, Reading};
use crate::ingest::source::web::{Answer, Client, MAX_REDIRECTS};
use crate::ingest::source::{SourceError, SourceOptions};
use crate::store::PageStamp;

/// A site that says how long to wait is waited for this long at most.
const MOST_PAUSE: Duration = Duration::from_secs(60);
/// A pause when a site is busy and does not say how long.
const BUSY: Duration = Duration::from_secs(5);
/// Between two looks at whether the work is still wanted.
const LOOK: Duration = Duration::from_millis(50);

/// A page that was fetched.
pub struct Page {
    /// After all redirects.
    pub url: Url,
    pub bytes: Bytes,
    pub is_html: bool,
    pub wishes: Vec<String>,
    /// What the site calls this version of it.
    pub etag: Option<String>,
    pub last_modified: Option<String>,
}

/// Why there is no page.
pub enum Miss {
    /// There is none, or none for this program: nothing is wrong with that.
    None(SourceError),
    /// Something went wrong, and the page may be there.
    Failed(SourceError),
    /// The page at this address is as it was when it was last read.
    Same(Url),
    /// Nobody wants it any more.
    Unwanted,
}

/// Fetches pages of one site.
pub struct Fetcher<'a> {
    client: Client,
    options: &'a SourceOptions,
    reading: Reading<'a>,
    /// Rules by scheme, host and port; `None` forbids all.
    rules: HashMap<String, Option<Vec<Rule>>>,
    pause: Duration,
    last: Option<Instant>,
    /// Pages elsewhere are left alone.
    site: Option<Url>,
}

impl<'a> Fetcher<'a> {
    pub fn new(options: &'a SourceOptions, reading: Reading<'a>) -> Self {
        let (client, rules, pause) = (Client::new(options), HashMap::new(), options.pause);
        Self { client, options, reading, rules, pause, last: None, site: None }
    }

    /// Fetches a page. Where the first one is, after its redirects, is the site.
    pub fn page(&mut self, url: &Url) -> Result<Page, Miss> {
        let mut at = url.clone();
        for _ in 0..=MAX_REDIRECTS {
            if let Some(site) = &self.site
                && !same_site(site, &at)
            {
                let (address, to) = (url.to_string(), at.to_string());
                return Err(Miss::None(SourceError::Elsewhere { address, to }));
            }
            if !self.allows(&at)? {
                return Err(Miss::None(SourceError::Forbidden(at.to_string())));
            }
            let options = self.options;
            let known = options.pages.as_ref().and_then(|pages| pages.get(at.as_str()));
            let answer = self.patiently(&at, options.page_bytes, known)?;
            match answer.status {
                304 if known.is_some() => {
                    self.site.get_or_insert_with(|| at.clone());
                    return Err(Miss::Same(at));
                }
                200..=299 => {
                    self.site.get_or_insert_with(|| at.clone());
                    return self.whole(at, answer);
                }
                301 | 302 | 303 | 307 | 308 => at = next(&at, &answer).map_err(Miss::None)?,
                status => {
                    let error = SourceError::Status { address: at.to_string(), status };
                    // Gone, or not for everybody.
                    let is_none = matches!(status, 401 | 402 | 403 | 404 | 405 | 410 | 451);
                    return Err(if is_none { Miss::None(error) } else { Miss::Failed(error) });
                }
            }
        }
        Err(Miss::None(circles(url)))
    }

    /// Reads what a page or a list leads to.
    pub fn leads(&self, page: &Page, sought: Sought) -> Result<Leads, SourceError> {
        // A reader for each: kept, it would hold a place that the reading of these very pages needs.
        Ok(Reader::new(self.reading).leads(sought, page.url.as_str(), &page.bytes)?)
    }

    fn whole(&self, url: Url, answer: Answer) -> Result<Page, Miss> {
        let limit = if answer.is_html { self.reading.limits.html_bytes } else { self.options.page_bytes };
        let mut bytes = Vec::new();
        let read = answer.body.take(limit.saturating_add(1)).read_to_end(&mut bytes);
        read.map_err(|error| {
            Miss::Failed(SourceError::Unreachable { address: url.to_string(), reason: error.to_string() })
        })?;
        if bytes.len() as u64 > limit {
            let error = ExtractError::TooLarge { bytes: bytes.len() as u64, limit };
            return Err(Miss::Failed(error.into()));
        }
        let Answer { is_html, wishes, etag, last_modified, .. } = answer;
        Ok(Page { url, bytes: bytes.into(), is_html, wishes, etag, last_modified })
    }

    /// Whether the site allows it. What robots.txt says is asked for once.
    fn allows(&mut self, url: &Url) -> Result<bool, Miss> {
        let origin = url.origin().ascii_serialization();
        if !self.rules.contains_key(&origin) {
            let rules = self.robots(url)?;
            self.rules.insert(origin.clone(), rules);
        }
        Ok(self.rules.get(&origin).and_then(Option::as_ref).is_some_and(|rules| robots::allows(rules, url)))
    }

    /// The rules of a site (RFC 9309, 2.3.1): no file allows everything, a server that fails forbids everything.
    fn robots(&mut self, url: &Url) -> Result<Option<Vec<Rule>>, Miss> {
        let Ok(mut at) = url.join("/robots.txt") else { return Ok(None) };
        for _ in 0..=MAX_REDIRECTS {
            let answer = match self.patiently(&at, robots::BYTES as u64, None) {
                Ok(answer) => answer,
                // A private address is told as such, not as a rule.
                Err(Miss::Failed(error @ SourceError::PrivateAddress(_))) => return Err(Miss::None(error)),
                Err(miss @ (Miss::Unwanted | Miss::Same(_))) => return Err(miss),
                Err(Miss::None(error) | Miss::Failed(error)) => {
                    tracing::debug!(%error, "no robots.txt");
                    return Err(Miss::Failed(error));
                }
            };
            match answer.status {
                200..=299 => {
                    let mut bytes = Vec::new();
                    let read = answer.body.take(robots::BYTES as u64).read_to_end(&mut bytes);
                    let leads = read.map_err(drop).and_then(|_| {
                        let found = Reader::new(self.reading).leads(Sought::Robots, at.as_str(), &bytes);
                        found.map_err(drop)
                    });
                    let Ok(leads) = leads else { return Ok(None) };
                    if let Some(delay) = leads.delay_ms {
                        self.pause = self.pause.max(Duration::from_millis(delay).min(MOST_PAUSE));
                    }
                    return Ok(Some(leads.rules));
                }
                301 | 302 | 303 | 307 | 308 => match next(&at, &answer) {
                    Ok(to) => at = to,
                    Err(_) => return Ok(Some(Vec::new())),
                },
                400..=499 => return Ok(Some(Vec::new())),
                _ => return Ok(None),
            }
        }
        // More redirects than are followed may be taken for no file (2.3.1.2).
        Ok(Some(Vec::new()))
    }

    /// One request after its pause; once more when the site is busy.
    fn patiently(&mut self, url: &Url, most: u64, known: Option<&PageStamp>) -> Result<Answer, Miss> {
        let mut wait = self.pause;
        for is_last in [false, true] {
            self.wait(wait)?;
            let answer = self.client.get(url, most, known);
            self.last = Some(Instant::now());
            match answer {
                Ok(answer) if !is_last && matches!(answer.status, 429 | 503) => {
                    wait = answer.retry_after.unwrap_or(BUSY).clamp(self.pause, MOST_PAUSE.max(self.pause));
                }
                Ok(answer) => return Ok(answer),
                Err(error) => return Err(Miss::Failed(error)),
            }
        }
        Err(Miss::Failed(SourceError::TimedOut(url.to_string())))
    }

    fn wait(&self, pause: Duration) -> Result<(), Miss> {
        let until = self.last.map(|last| last + pause);
        loop {
            if (self.reading.stop)() {
                return Err(Miss::Unwanted);
            }
            match until.map(|until| until.saturating_duration_since(Instant::now())) {
                None | Some(Duration::ZERO) => return Ok(()),
                Some(left) => std::thread::sleep(left.min(LOOK)),
            }
        }
    }
}

/// Where a redirect leads.
fn next(at: &Url, answer: &Answer) -> Result<Url, SourceError> {
    let to = answer.location.as_deref().and_then(|location| at.join(location).ok());
    let mut to = to.ok_or_else(|| SourceError::Unreachable {
        address: at.to_string(),
        reason: "it redirects to nowhere".into(),
    })?;
    to.set_fragment(None);
    crate::ingest::source::web::check(&to)?;
    Ok(to)
}

fn circles(url: &Url) -> SourceError {
    SourceError::Unreachable { address: url.to_string(), reason: "too many redirects".into() }
}
