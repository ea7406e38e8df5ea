//! Pages, scripts and styles, compiled into the binary.
//!
//! Everything is static: compressed once, at its first use, and tagged by its content. The policy allows nothing from
//! elsewhere and nothing inline.

use std::borrow::Cow;
use std::io::Write;
use std::sync::OnceLock;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use super::AppState;
use super::error::ApiError;
use super::extract::Path;

/// Pages load what we serve and talk to us, nothing else.
const PAGE_POLICY: &str =
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'";

static LANDING: Asset = Asset::made_by(HTML, include_str!("../../assets/pages/landing.html"), unpriced);
static PRICED: Asset = Asset::made_by(HTML, include_str!("../../assets/pages/landing.html"), priced);
static DOCS: Asset = Asset::new(HTML, include_str!("../../assets/pages/docs.html"));
static WIDGET: Asset = Asset::made_by(SCRIPT, include_str!("../../assets/widget/embed.js"), lean);
const MISSING: &str = include_str!("../../assets/pages/missing.html");

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Scripts and styles: old ones live for five minutes after an update, and are then asked for by their tag.
const FIVE_MINUTES: &str = "public, max-age=300";
/// Pages name no version of what they load, so they are asked for each time; mostly that is a 304.
const ASK_FIRST: &str = "no-cache";

/// Name and content.
static FILES: [(&str, Asset); 9] = [
    (
        "dashboard/dashboard.css",
        Asset::new("text/css; charset=utf-8", include_str!("../../assets/dashboard/dashboard.css")),
    ),
    ("dashboard/dashboard.js", Asset::new(SCRIPT, include_str!("../../assets/dashboard/dashboard.js"))),
    ("dashboard/live.js", Asset::new(SCRIPT, include_str!("../../assets/dashboard/live.js"))),
    ("pages/pages.css", Asset::new("text/css; charset=utf-8", include_str!("../../assets/pages/pages.css"))),
    (
        "viewer/viewer.css",
        Asset::new("text/css; charset=utf-8", include_str!("../../assets/viewer/viewer.css")),
    ),
    ("viewer/viewer.js", Asset::new(SCRIPT, include_str!("../../assets/viewer/viewer.js"))),
    ("pages/docs.js", Asset::new(SCRIPT, include_str!("../../assets/pages/docs.js"))),
    ("pages/landing.js", Asset::new(SCRIPT, include_str!("../../assets/pages/landing.js"))),
    ("pages/icon.svg", Asset::new("image/svg+xml", include_str!("../../assets/pages/icon.svg"))),
];

/// A text of the binary, with what is made of it at its first use.
struct Asset {
    kind: &'static str,
    text: &'static str,
    /// What is sent of it.
    make: fn(&'static str) -> Cow<'static, str>,
    made: OnceLock<Made>,
}

struct Made {
    /// Changes with the text.
    tag: String,
    text: Cow<'static, str>,
    /// As small as gzip gets; `None` when it could not be made.
    gzip: Option<Bytes>,
}

impl Asset {
    const fn new(kind: &'static str, text: &'static str) -> Self {
        Self::made_by(kind, text, Cow::Borrowed)
    }

    const fn made_by(
        kind: &'static str,
        text: &'static str,
        make: fn(&'static str) -> Cow<'static, str>,
    ) -> Self {
        Self { kind, text, make, made: OnceLock::new() }
    }

    fn made(&self) -> &Made {
        self.made.get_or_init(|| {
            let text = (self.make)(self.text);
            let hash = blake3::hash(text.as_bytes()).to_hex();
            let gzip = gzip(text.as_bytes())
                .inspect_err(|error| tracing::warn!(%error, "a file goes out uncompressed"));
            // Weak: it stands for the compressed and the plain form alike.
            Made { tag: format!("W/\"{}\"", &hash[..16]), gzip: gzip.ok(), text }
        })
    }

    /// The whole, compressed where that is understood, or 304 when the client has it.
    fn answer(&self, asked: &HeaderMap, cache: &'static str) -> Response {
        let made = self.made();
        let headers = [
            (header::ETAG, made.tag.as_str()),
            (header::CACHE_CONTROL, cache),
            (header::VARY, "accept-encoding"),
        ];
        if has(asked, &made.tag) {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        let kind = [(header::CONTENT_TYPE, self.kind)];
        match &made.gzip {
            Some(gzip) if reads_gzip(asked) => {
                (headers, kind, [(header::CONTENT_ENCODING, "gzip")], gzip.clone()).into_response()
            }
            _ => (headers, kind, made.text.clone()).into_response(),
        }
    }
}

/// A script without indentation, empty lines, and lines that are comments alone. Its strings hold no line that begins
/// so; the style sheet in it means the same.
fn lean(script: &'static str) -> Cow<'static, str> {
    let lines = script.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//"));
    Cow::Owned(lines.flat_map(|line| [line, "\n"]).collect())
}

/// Stands in the landing page where the plans are named.
const PRICING: &str = "<a href=\"/pricing\">Pricing</a>";

/// The landing page of a server whose answers have no price.
fn unpriced(page: &'static str) -> Cow<'static, str> {
    Cow::Owned(page.replace(PRICING, ""))
}

/// The landing page of a server that sells answers.
fn priced(page: &'static str) -> Cow<'static, str> {
    Cow::Borrowed(page)
}

fn gzip(bytes: &[u8]) -> std::io::Result<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?.into())
}

/// Whether `If-None-Match` names the tag (RFC 9110, 13.1.2: compared weakly).
pub fn has(asked: &HeaderMap, tag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let given = asked.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    given.flat_map(|value| value.split(',')).any(|one| one.trim() == "*" || opaque(one) == opaque(tag))
}

/// Whether `Accept-Encoding` takes gzip: named, or meant by a star, and not with a weight of zero.
fn reads_gzip(asked: &HeaderMap) -> bool {
    let given = asked.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    given.flat_map(|value| value.split(',')).any(|one| {
        let mut parts = one.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip") || name == "*");
        let refused = |part: &str| {
            part.strip_prefix("q=").and_then(|q| q.parse::<f32>().ok()).is_some_and(|weight| weight <= 0.0)
        };
        named && !parts.any(refused)
    })
}

/// `GET /`: a page for browsers, the status for programs.
pub async fn landing(State(app): State<AppState>, headers: HeaderMap) -> Response {
    if accepts(&headers, "application/json") && !wants_html(&headers) {
        return axum::Json(json!({
            "message": "neverafk answers students' questions from a creator's own content",
            "status": "running",
            "version": app.version(),
        }))
        .into_response();
    }
    let landing = if app.offer().is_some() { &PRICED } else { &LANDING };
    page(landing.answer(&headers, ASK_FIRST))
}

/// `GET /docs`: the API, readable.
pub async fn docs(headers: HeaderMap) -> Response {
    page(DOCS.answer(&headers, ASK_FIRST))
}

/// `GET /embed.js`: the widget. Pages of any origin may load it; whether they may ask is decided at `/chat`.
pub async fn widget(headers: HeaderMap) -> Response {
    let open = [("access-control-allow-origin", "*"), ("cross-origin-resource-policy", "cross-origin")];
    (open, WIDGET.answer(&headers, FIVE_MINUTES)).into_response()
}

/// `GET /assets/...`: what the pages use.
pub async fn file(Path(path): Path<String>, headers: HeaderMap) -> Result<Response, ApiError> {
    let found = FILES.iter().find(|(name, _)| *name == path);
    let Some((_, asset)) = found else { return Err(super::not_found()) };
    Ok(asset.answer(&headers, FIVE_MINUTES))
}

/// Whether a browser asks, for a page.
pub fn wants_html(headers: &HeaderMap) -> bool {
    accepts(headers, "text/html")
}

fn accepts(headers: &HeaderMap, kind: &str) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accept| accept.contains(kind))
}

/// The page for an address where nothing is.
pub fn missing_page() -> Response {
    page((StatusCode::NOT_FOUND, [(header::CONTENT_TYPE, HTML)], MISSING).into_response())
}

/// The same answer under the pages' policy.
pub fn page(mut response: Response) -> Response {
    let policy = HeaderValue::from_static(PAGE_POLICY);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clients_have_and_read_is_understood() {
        let headers = |name: header::HeaderName, value: &str| {
            HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())])
        };
        for (value, reads) in [
            ("gzip, deflate, br", true),
            ("br;q=1.0, GZIP;q=0.2", true),
            ("*", true),
            ("gzip;q=0", false),
            ("identity", false),
            ("x-gzipped", false),
        ] {
            assert_eq!(reads_gzip(&headers(header::ACCEPT_ENCODING, value)), reads, "{value}");
        }
        for (value, known) in
            [("W/\"a\"", true), ("\"a\"", true), ("\"b\", W/\"a\"", true), ("*", true), ("\"ab\"", false)]
        {
            assert_eq!(has(&headers(header::IF_NONE_MATCH, value), "W/\"a\""), known, "{value}");
        }
    }

    #[test]
    fn the_widget_goes_over_the_wire_in_fifteen_kibibytes() {
        let size = WIDGET.made().gzip.as_ref().unwrap().len();
        assert!(size <= 15 << 10, "{size} bytes");
    }
}
