//! One request to a hub with Hugging Face's layout, redirects followed by hand.
//!
//! By hand, because the hub answers with a redirect that carries the file's SHA-256 and size, and because the token
//! must not travel on to the host that it points to. Addresses, defaults and the stored token come from the hf-hub
//! crate. Retries and files are the matter of [`super::file`].

use std::cell::Cell;
use std::env;
use std::time::Duration;

use hf_hub::api::sync::{Api, ApiBuilder};
use hf_hub::{Cache, Repo, RepoType};
use ureq::http::{HeaderMap, StatusCode};
use ureq::{Agent, Body};
use url::{Host, Url};

use super::error::PullError;
use crate::inference::catalog::CatalogEntry;

/// The hub sends a browser over at most a few; more is a loop.
const MAX_REDIRECTS: usize = 10;

/// Which hub, and as whom.
#[derive(Clone, Default)]
pub struct HubSettings {
    /// Hugging Face itself where nothing is said.
    pub endpoint: Option<String>,
    pub token: Option<String>,
}

impl HubSettings {
    /// From `HF_ENDPOINT` and `HF_TOKEN`, else the token that `hf auth login` stored.
    pub fn from_env() -> Self {
        let set = |name: &str| {
            env::var(name).ok().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
        };
        // hf-hub needs a home directory for this, and ends the program where there is none.
        let has_home = env::var_os("HF_HOME").is_some() || dirs::home_dir().is_some();
        let stored = || if has_home { Cache::from_env().token() } else { None };
        Self { endpoint: set("HF_ENDPOINT"), token: set("HF_TOKEN").or_else(stored) }
    }
}

/// The token cannot be printed.
impl std::fmt::Debug for HubSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let token = self.token.as_ref().map(|_| "***");
        f.debug_struct("HubSettings").field("endpoint", &self.endpoint).field("token", &token).finish()
    }
}

/// A hub, ready to be asked.
pub(super) struct Hub {
    api: Api,
    agent: Agent,
    token: Option<String>,
    /// Something at this address has answered as a hub does.
    reached: Cell<bool>,
}

/// Which bytes to ask for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rest<'a> {
    pub from: u64,
    /// Only if the bytes are still these, by the strong `ETag` of the host that sent them.
    pub unless_changed: Option<&'a str>,
}

/// An answer with bytes to read.
pub(super) struct Reply {
    pub body: Body,
    /// Where the bytes begin in the file: 0, or what was asked for.
    pub from: u64,
    /// Of the whole file.
    pub size: Option<u64>,
    /// The hub's, which names the content.
    pub etag: Option<String>,
    /// The hub's etag, where it is a SHA-256 (it is for large files).
    pub sha256: Option<String>,
    /// Of the host that sends the bytes; only strong ones.
    pub body_etag: Option<String>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// No hub is there, or something on the way does not let us through.
    Unreachable(String),
    /// It may work in a moment.
    Cut(String),
    /// It may work later, perhaps after the time that the hub named.
    Later { status: u16, wait: Option<Duration> },
    /// What is on the disk does not go on with what the hub has.
    Restart,
    /// Trying again does not help.
    Final(PullError),
}

impl Hub {
    pub fn new(settings: &HubSettings, stall: Duration) -> Result<Self, PullError> {
        // hf-hub's own cache is not used, so where it would be does not matter.
        let mut builder =
            ApiBuilder::from_cache(Cache::new(env::temp_dir())).with_token(None).with_progress(false);
        if let Some(endpoint) = &settings.endpoint {
            builder = builder.with_endpoint(endpoint.trim_end_matches('/').to_owned());
        }
        let api = builder.build().map_err(|error| PullError::BadAddress {
            url: settings.endpoint.clone().unwrap_or_default(),
            reason: error.to_string(),
        })?;
        let url = parse(&api.model("a/b".to_owned()).url("c"))?;
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("neverafk/", env!("CARGO_PKG_VERSION")))
            // A compressed answer has no ranges.
            .accept_encoding("identity")
            .timeout_resolve(Some(Duration::from_secs(15)))
            .timeout_connect(Some(Duration::from_secs(15)))
            .timeout_recv_response(Some(stall.max(Duration::from_secs(30))))
            .timeout_per_read(Some(stall));
        if is_loopback(&url) {
            config = config.proxy(None);
        }
        Ok(Self {
            api,
            agent: config.build().into(),
            token: settings.token.clone(),
            reached: Cell::new(false),
        })
    }

    /// The address of a file.
    pub fn url(&self, entry: &CatalogEntry, path: &str) -> Result<Url, PullError> {
        let repo = Repo::with_revision(entry.repository.clone(), RepoType::Model, entry.revision.clone());
        parse(&self.api.repo(repo).url(path))
    }

    /// Whether a hub has answered at all.
    pub fn reached(&self) -> bool {
        self.reached.get()
    }

    /// Asks for a file, or for the rest of one.
    pub fn get(&self, entry: &CatalogEntry, path: &str, rest: Option<Rest<'_>>) -> Result<Reply, Failure> {
        let start = self.url(entry, path).map_err(Failure::Final)?;
        let mut url = start.clone();
        let mut etag = None;
        let mut size = None;
        for _ in 0..MAX_REDIRECTS {
            let at_hub = url.origin() == start.origin();
            let response = self.request(&url, at_hub, rest).map_err(|error| self.sort_error(error))?;
            let (parts, body) = response.into_parts();
            let (status, headers) = (parts.status, parts.headers);
            if at_hub {
                // A large file: the redirect names the content and the size.
                etag = text(&headers, "x-linked-etag").or_else(|| text(&headers, "etag")).or(etag);
                size = number(&headers, "x-linked-size").or(size);
            }
            if status.is_redirection() {
                self.reached.set(true);
                url = next(&url, &headers).map_err(Failure::Final)?;
                continue;
            }
            if !matches!(status, StatusCode::OK | StatusCode::PARTIAL_CONTENT) {
                return Err(self.sort_status(entry, path, status, &headers, at_hub, &start));
            }
            self.reached.set(true);
            let length = number(&headers, "content-length");
            let (from, total) = match (status, rest) {
                (StatusCode::OK, _) => (0, length),
                (_, Some(rest)) => match content_range(&headers) {
                    Some((from, total)) if from == rest.from => (from, total),
                    _ => return Err(Failure::Restart),
                },
                // A part that nobody asked for.
                (_, None) => return Err(Failure::Cut("the server sent a part of the file".to_owned())),
            };
            let etag = etag.map(|etag| bare(&etag).to_owned());
            return Ok(Reply {
                body,
                from,
                size: size.or(total),
                sha256: etag
                    .clone()
                    .filter(|etag| etag.len() == 64 && etag.bytes().all(|b| b.is_ascii_hexdigit())),
                etag,
                body_etag: text(&headers, "etag").filter(|etag| !etag.starts_with("W/")),
            });
        }
        Err(Failure::Final(PullError::BadAddress {
            url: start.into(),
            reason: "it redirects without end".to_owned(),
        }))
    }

    fn request(
        &self,
        url: &Url,
        at_hub: bool,
        rest: Option<Rest<'_>>,
    ) -> Result<ureq::http::Response<Body>, ureq::Error> {
        let mut request = self.agent.get(url.as_str());
        if let (true, Some(token)) = (at_hub, &self.token) {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if let Some(rest) = rest {
            request = request.header("range", format!("bytes={}-", rest.from));
            // The hub compares with another etag than the host of the bytes; only the latter's is known.
            if let Some(etag) = rest.unless_changed {
                request = request.header("if-range", etag);
            }
        }
        request.call()
    }

    /// No answer: before the first one it looks as if there were no network, later the line was cut.
    fn sort_error(&self, error: ureq::Error) -> Failure {
        match error {
            ureq::Error::BadUri(_) | ureq::Error::Http(_) => {
                Failure::Final(PullError::BadAddress { url: "the hub".to_owned(), reason: error.to_string() })
            }
            error if self.reached() => Failure::Cut(error.to_string()),
            error => Failure::Unreachable(error.to_string()),
        }
    }

    fn sort_status(
        &self,
        entry: &CatalogEntry,
        path: &str,
        status: StatusCode,
        headers: &HeaderMap,
        at_hub: bool,
        start: &Url,
    ) -> Failure {
        let code = status.as_u16();
        // Hugging Face explains every refusal in these; a proxy or firewall on the way does not.
        let message = text(headers, "x-error-message").or_else(|| text(headers, "x-error-code"));
        match code {
            416 => Failure::Restart,
            408 | 429 | 500..=599 => {
                // A proxy that finds nobody also answers so. Not worth waiting for while there is another way.
                let other_way = entry.pip.is_some() && !self.reached();
                if message.is_none() && other_way && matches!(code, 502..=504) {
                    return Failure::Unreachable(format!("HTTP {code}"));
                }
                let wait = text(headers, "retry-after").and_then(|text| text.trim().parse().ok());
                Failure::Later { status: code, wait: wait.map(Duration::from_secs) }
            }
            // The address of the bytes is signed for a while; the next request gets a fresh one.
            401 | 403 if !at_hub => Failure::Cut(format!("HTTP {code} from {}", host(start))),
            407 => Failure::Unreachable("the proxy wants a password".to_owned()),
            403 if message.is_none() => {
                Failure::Unreachable("HTTP 403, it seems from a proxy or firewall".to_owned())
            }
            401 | 403 => Failure::Final(PullError::Denied {
                repository: entry.repository.clone(),
                status: code,
                message,
                with_token: self.token.is_some(),
                endpoint: start.origin().ascii_serialization(),
            }),
            404 => Failure::Final(PullError::NotFound {
                file: path.to_owned(),
                repository: entry.repository.clone(),
                revision: entry.revision.clone(),
            }),
            code => Failure::Final(PullError::Refused { file: path.to_owned(), status: code }),
        }
    }
}

/// The host of an address, for messages.
pub(super) fn host(url: &Url) -> String {
    url.host_str().unwrap_or("the hub").to_owned()
}

fn parse(url: &str) -> Result<Url, PullError> {
    let bad = |reason: String| PullError::BadAddress { url: url.to_owned(), reason };
    let url = Url::parse(url).map_err(|error| bad(error.to_string()))?;
    if matches!(url.scheme(), "http" | "https") {
        Ok(url)
    } else {
        Err(bad("it is not http or https".to_owned()))
    }
}

/// Where a redirect leads: never from https to http.
fn next(from: &Url, headers: &HeaderMap) -> Result<Url, PullError> {
    let bad = |reason: &str| PullError::BadAddress { url: from.to_string(), reason: reason.to_owned() };
    let location = text(headers, "location").ok_or_else(|| bad("its redirect leads nowhere"))?;
    let url = from.join(&location).map_err(|_| bad("its redirect cannot be read"))?;
    match (from.scheme(), url.scheme()) {
        (_, "https") | ("http", "http") => Ok(url),
        _ => Err(bad("its redirect is not safe")),
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    text(headers, name)?.trim().parse().ok()
}

/// An etag without its quotes and weakness mark.
fn bare(etag: &str) -> &str {
    etag.strip_prefix("W/").unwrap_or(etag).trim_matches('"')
}

/// `bytes 5-9/10` begins at 5 of 10; the size may be `*`.
fn content_range(headers: &HeaderMap) -> Option<(u64, Option<u64>)> {
    let text = text(headers, "content-range")?;
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    Some((range.split_once('-')?.0.trim().parse().ok()?, total.trim().parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read() {
        let check = |value: &str, expected: Option<(u64, Option<u64>)>| {
            let mut headers = HeaderMap::new();
            headers.insert("content-range", value.parse().unwrap());
            assert_eq!(content_range(&headers), expected, "{value}");
        };
        check("bytes 5-9/10", Some((5, Some(10))));
        check("bytes 5-9/*", Some((5, None)));
        check("bytes */10", None);
        check("pages 1-2/3", None);
        assert_eq!(bare("W/\"abc\""), "abc");
    }

    #[test]
    fn redirects_stay_safe() {
        let check = |from: &str, to: &str, expected: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert("location", to.parse().unwrap());
            let url = next(&Url::parse(from).unwrap(), &headers).ok();
            assert_eq!(url.as_ref().map(Url::as_str), expected, "{to}");
        };
        check("https://hub.example/a", "/b", Some("https://hub.example/b"));
        check("https://hub.example/a", "https://cdn.example/b?x=1", Some("https://cdn.example/b?x=1"));
        check("http://hub.example/a", "https://cdn.example/", Some("https://cdn.example/"));
        check("https://hub.example/a", "http://cdn.example/", None);
        check("https://hub.example/a", "file:///etc/passwd", None);
    }

    #[test]
    fn addresses_are_those_of_the_hub() {
        let hub = |endpoint: Option<&str>| {
            let settings =
                HubSettings { endpoint: endpoint.map(str::to_owned), token: Some("hf_secret".to_owned()) };
            assert!(!format!("{settings:?}").contains("secret"));
            Hub::new(&settings, Duration::from_secs(1))
        };
        let catalog = crate::inference::catalog::Catalog::bundled().unwrap();
        let entry = catalog.find("whisper-tiny").unwrap();
        let url = hub(None).unwrap().url(entry, "ggml-tiny.bin").unwrap();
        let tail = "/ggerganov/whisper.cpp/resolve/5359861c739e955e79d9a303bcbc70fb988958b1/ggml-tiny.bin";
        assert_eq!(url.as_str(), format!("https://huggingface.co{tail}"));
        let url = hub(Some("http://127.0.0.1:9/")).unwrap().url(entry, "ggml-tiny.bin").unwrap();
        assert_eq!(url.as_str(), format!("http://127.0.0.1:9{tail}"));
        assert!(matches!(hub(Some("ftp://x")), Err(PullError::BadAddress { .. })));
        assert!(matches!(hub(Some("x")), Err(PullError::BadAddress { .. })));
    }
}
