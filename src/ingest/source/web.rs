//! Pages of the web: an address in, a body to read out, and never a look into the private network.
//!
//! Every connection, also the one after each redirect, goes to an address that was resolved and checked here: the
//! connection uses exactly the checked address, so a name that resolves differently the next time gains nothing.
//! Proxies of the environment are not used, because a proxy would resolve names itself. No cookies, no credentials.

use std::io::Read;
use std::net::IpAddr;
use std::time::Duration;

use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use url::Url;

use super::{SourceError, SourceOptions};
use crate::domain::address::is_public;
use crate::store::PageStamp;

/// A page that answered.
pub struct Page {
    pub address: String,
    pub name: String,
    pub size: Option<u64>,
    pub body: Box<dyn Read + Send>,
}

/// As many as browsers follow would be 20; a page that needs more than five is not worth it.
pub const MAX_REDIRECTS: u32 = 5;
/// Bytes of a version's name that are kept; real ones have less than a hundred.
const VERSION: usize = 1024;
/// Names the program, so that a site can speak to it in its robots.txt.
const USER_AGENT: &str = concat!("neverafk/", env!("CARGO_PKG_VERSION"));

/// Asks for a page.
pub fn fetch(url: &Url, options: &SourceOptions) -> Result<Page, SourceError> {
    fetch_from(url, options, if options.allow_private_addresses { |_| true } else { is_public })
}

/// Refuses what is no page, and names nobody's password in saying so.
pub fn check(url: &Url) -> Result<(), SourceError> {
    let has_credentials = !url.username().is_empty() || url.password().is_some();
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() || has_credentials {
        return Err(SourceError::BadAddress(format!(
            "{}://{}",
            url.scheme(),
            url.host_str().unwrap_or_default()
        )));
    }
    Ok(())
}

fn fetch_from(url: &Url, options: &SourceOptions, allowed: fn(IpAddr) -> bool) -> Result<Page, SourceError> {
    let mut url = url.clone();
    url.set_fragment(None);
    check(&url)?;
    let agent = agent(options, allowed, MAX_REDIRECTS);
    let response = agent.get(url.as_str()).call().map_err(|error| explain(&url, error))?;
    let is_html = response
        .headers()
        .get("content-type")
        .and_then(|v| v.to_str().ok())
        .is_some_and(|t| t.contains("html"));
    let (_, body) = response.into_parts();
    let size = body.content_length();
    let name = page_name(&url, is_html);
    let reader = body.into_with_config().limit(options.page_bytes.saturating_add(1)).reader();
    Ok(Page { name, size, body: Box::new(reader), address: url.into() })
}

/// Asks one site for many pages, and follows nothing by itself.
pub struct Client {
    agent: ureq::Agent,
}

/// What a site answered to one request.
pub struct Answer {
    pub status: u16,
    /// Where a redirect leads.
    pub location: Option<String>,
    pub is_html: bool,
    pub retry_after: Option<Duration>,
    /// What the site calls this version, in its own words (RFC 9110, 8.8).
    pub etag: Option<String>,
    pub last_modified: Option<String>,
    /// What `X-Robots-Tag` wishes, one string for each header.
    pub wishes: Vec<String>,
    pub body: Box<dyn Read + Send>,
}

impl Client {
    pub fn new(options: &SourceOptions) -> Self {
        let allowed: fn(IpAddr) -> bool = if options.allow_private_addresses { |_| true } else { is_public };
        Self { agent: agent(options, allowed, 0) }
    }

    /// One request, whatever its status. Of a version that is `known` only a newer one is asked for (RFC 9110, 13.1).
    pub fn get(&self, url: &Url, most: u64, known: Option<&PageStamp>) -> Result<Answer, SourceError> {
        check(url)?;
        let mut request = self.agent.get(url.as_str());
        if let Some(etag) = known.and_then(|known| known.etag.as_deref()) {
            request = request.header("if-none-match", etag);
        }
        if let Some(date) = known.and_then(|known| known.last_modified.as_deref()) {
            request = request.header("if-modified-since", date);
        }
        let response = request.call().map_err(|error| explain(url, error))?;
        let header = |name: &str| {
            let values = response.headers().get_all(name).iter();
            values.filter_map(|value| Some(value.to_str().ok()?.trim().to_owned())).collect::<Vec<_>>()
        };
        let first = |name: &str| header(name).into_iter().next();
        let version = |name: &str| first(name).filter(|value| !value.is_empty() && value.len() <= VERSION);
        Ok(Answer {
            status: response.status().as_u16(),
            location: first("location"),
            is_html: first("content-type").is_some_and(|kind| kind.contains("html")),
            // The form with a date is for servers that are down for hours, and nobody waits for them here.
            retry_after: first("retry-after").and_then(|text| text.parse().ok()).map(Duration::from_secs),
            etag: version("etag"),
            last_modified: version("last-modified"),
            wishes: header("x-robots-tag"),
            body: Box::new(response.into_parts().1.into_with_config().limit(most.saturating_add(1)).reader()),
        })
    }
}

fn agent(options: &SourceOptions, allowed: fn(IpAddr) -> bool, redirects: u32) -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .timeout_global(Some(options.page_timeout))
        .max_redirects(redirects)
        // Who follows by himself wants to see every status.
        .http_status_as_error(redirects > 0)
        .proxy(None)
        .user_agent(USER_AGENT)
        .build();
    let resolver = Guard { allowed, inner: DefaultResolver::default() };
    ureq::Agent::with_parts(config, DefaultConnector::default(), resolver)
}

fn explain(url: &Url, error: ureq::Error) -> SourceError {
    let address = url.to_string();
    match error {
        ureq::Error::StatusCode(status) => SourceError::Status { address, status },
        ureq::Error::Timeout(_) => SourceError::TimedOut(address),
        ureq::Error::Other(inner) if inner.is::<Private>() => SourceError::PrivateAddress(address),
        ureq::Error::BadUri(_) => SourceError::BadAddress(address),
        other => SourceError::Unreachable { address, reason: other.to_string() },
    }
}

/// The last part of the path, else the host; with an ending by which HTML is known.
pub fn page_name(url: &Url, is_html: bool) -> String {
    let last = url.path_segments().and_then(|mut parts| parts.next_back()).unwrap_or_default();
    let name = if last.is_empty() { url.host_str().unwrap_or("page") } else { last };
    let has_ending =
        [".html", ".htm", ".xhtml"].iter().any(|ending| name.to_ascii_lowercase().ends_with(ending));
    if is_html && !has_ending { format!("{name}.html") } else { name.to_owned() }
}

/// Resolves names and refuses those that lead to a private place, even if only one of their addresses does.
#[derive(Debug)]
struct Guard {
    allowed: fn(IpAddr) -> bool,
    inner: DefaultResolver,
}

#[derive(Debug, thiserror::Error)]
#[error("the address is private")]
struct Private;

impl Resolver for Guard {
    fn resolve(
        &self,
        uri: &Uri,
        config: &ureq::config::Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.inner.resolve(uri, config, timeout)?;
        if found.iter().any(|address| !(self.allowed)(address.ip())) {
            return Err(ureq::Error::Other(Box::new(Private)));
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::net::TcpListener;

    /// Answers `count` requests with these bytes and gives the address.
    fn serve(count: usize, answer: String) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for stream in listener.incoming().take(count) {
                let Ok(mut stream) = stream else { return };
                let mut request = [0; 4096];
                let _ = stream.read(&mut request);
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        address
    }

    fn get(address: &str, allow_private_addresses: bool) -> Result<(String, String), SourceError> {
        let options = SourceOptions {
            allow_private_addresses,
            page_timeout: std::time::Duration::from_secs(3),
            ..Default::default()
        };
        let mut page = fetch(&Url::parse(address).unwrap(), &options)?;
        let mut words = String::new();
        page.body.read_to_string(&mut words).unwrap();
        Ok((page.name, words))
    }

    #[test]
    fn this_machine_is_refused_unless_allowed() {
        let page = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\nConnection: close\r\n\r\n<p>hi";
        let address = serve(1, page.to_owned());
        let port = address.rsplit(':').next().unwrap().to_owned();
        for name in ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]", "0"] {
            let error = get(&format!("http://{name}:{port}/"), false).unwrap_err();
            assert!(matches!(error, SourceError::PrivateAddress(_)), "{name}: {error}");
        }
        assert_eq!(
            get(&format!("{address}/lesson"), true).unwrap(),
            ("lesson.html".to_owned(), "<p>hi".to_owned())
        );
    }

    #[test]
    fn a_redirect_is_checked_like_the_first_address() {
        let to = "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.2:9/secret\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        let url = Url::parse(&serve(1, to.to_owned())).unwrap();
        let only_the_first = |ip: IpAddr| ip == IpAddr::from([127, 0, 0, 1]);
        let error = fetch_from(&url, &SourceOptions::default(), only_the_first).err().unwrap();
        assert!(matches!(error, SourceError::PrivateAddress(_)), "{error}");
    }

    #[test]
    fn what_is_no_page_says_why() {
        let missing =
            serve(1, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned());
        assert!(matches!(get(&missing, true), Err(SourceError::Status { status: 404, .. })));
        let circle = serve(
            20,
            "HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                .to_owned(),
        );
        assert!(matches!(get(&circle, true), Err(SourceError::Unreachable { .. })));
        let elsewhere = serve(1, "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned());
        assert!(get(&elsewhere, true).is_err());
        for address in ["ftp://example.org/x", "http://anna:secret@example.org/"] {
            let error = get(address, true).unwrap_err();
            assert!(matches!(&error, SourceError::BadAddress(a) if !a.contains("secret")), "{error}");
        }
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        assert!(matches!(
            get(&format!("http://{}", silent.local_addr().unwrap()), true),
            Err(SourceError::TimedOut(_))
        ));
    }
}
