//! The session's cookie, and whether a request comes from one of our own pages.
//!
//! Over HTTPS the cookie is called `__Host-…`, which browsers take from this very host alone. A page is ours when it
//! has the origin under which it reached us: another site that makes a browser send something has another one.

use axum::extract::ConnectInfo;
use axum::http::{Extensions, HeaderMap, HeaderValue, header};
use std::net::SocketAddr;

use crate::accounts::{Secret, session};
use crate::problem::{Kind, Problem};

const SECURE: &str = "__Host-neverafk";
const PLAIN: &str = "neverafk_session";

/// The secret that a browser sends, and whether it came over HTTPS.
pub fn read(headers: &HeaderMap) -> Option<(Secret, bool)> {
    let given = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs: Vec<(&str, &str)> =
        given.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('=')).collect();
    let named =
        |name: &str| pairs.iter().find(|(known, _)| *known == name).and_then(|(_, text)| Secret::parse(text));
    named(SECURE).map(|secret| (secret, true)).or_else(|| named(PLAIN).map(|secret| (secret, false)))
}

/// Gives a browser its session.
pub fn set(secret: &Secret, secure: bool) -> HeaderValue {
    written(&secret.to_text(), session::LONGEST / 1000, secure)
}

/// Takes it away.
pub fn clear(secure: bool) -> HeaderValue {
    written("", 0, secure)
}

/// `Lax`, so that a link in a mail leads inside; forms of other sites come without it.
fn written(value: &str, seconds: u64, secure: bool) -> HeaderValue {
    let (name, secure) = if secure { (SECURE, "; Secure") } else { (PLAIN, "") };
    let text = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    // Hexadecimal digits and our own words: always a header's value.
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}

/// That a change is asked for by one of our own pages.
pub fn from_own_page(headers: &HeaderMap, public_url: &str) -> Result<(), Problem> {
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let own = match text(header::ORIGIN).filter(|origin| *origin != "null") {
        Some(origin) => {
            let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
            (!public_url.is_empty() && origin == public_url) || (host.is_some() && host == text(header::HOST))
        }
        // Some browsers and settings hide the origin; what they say instead cannot be set by a page.
        None => text(header::HeaderName::from_static("sec-fetch-site")) == Some("same-origin"),
    };
    if own {
        return Ok(());
    }
    Err(Problem::new(
        Kind::Forbidden,
        "not_our_page",
        "this was not sent by one of this server's own pages",
        "open the page anew; behind a proxy, let it pass `Host` on or set `server.public_url`",
    ))
}

/// Whether our page was reached over HTTPS: then its cookie stays there.
pub fn is_https(headers: &HeaderMap) -> bool {
    headers.get(header::ORIGIN).is_some_and(|origin| origin.as_bytes().starts_with(b"https://"))
}

/// Where a request comes from. A proxy on this machine says for whom it asks; nobody else is believed.
pub fn address(headers: &HeaderMap, extensions: &Extensions) -> String {
    let Some(ConnectInfo(peer)) = extensions.get::<ConnectInfo<SocketAddr>>() else {
        return "unknown".to_owned();
    };
    let mut forwarded = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let last = forwarded.next_back().and_then(|value| value.rsplit(',').next()).map(str::trim);
    match last.and_then(|text| text.parse::<std::net::IpAddr>().ok()) {
        Some(client) if peer.ip().is_loopback() => client.to_string(),
        _ => peer.ip().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (header::HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
            })
            .collect()
    }

    #[test]
    fn a_cookie_comes_back_as_it_was_given() {
        let secret = Secret::from_bytes([7; 32]);
        for secure in [false, true] {
            let given = set(&secret, secure);
            let text = given.to_str().unwrap();
            assert!(text.contains("; HttpOnly; SameSite=Lax") && text.contains("; Path=/;"), "{text}");
            assert_eq!(text.contains("; Secure"), secure);
            assert_eq!(text.starts_with("__Host-"), secure);
            let sent = format!("other=1; {}", text.split(';').next().unwrap());
            assert_eq!(read(&headers(&[("cookie", &sent)])), Some((secret.clone(), secure)));
            assert!(clear(secure).to_str().unwrap().contains("Max-Age=0"));
        }
        for wrong in ["", "neverafk_session=", "neverafk_session=zz", "xneverafk_session=00"] {
            assert_eq!(read(&headers(&[("cookie", wrong)])), None, "{wrong}");
        }
    }

    #[test]
    fn only_our_own_pages_change_something() {
        for (sent, public_url, own) in [
            (&[("origin", "http://127.0.0.1:8000"), ("host", "127.0.0.1:8000")][..], "", true),
            (&[("origin", "https://ask.school.example"), ("host", "ask.school.example")], "", true),
            (
                &[("origin", "https://ask.school.example"), ("host", "10.0.0.1")],
                "https://ask.school.example",
                true,
            ),
            (&[("origin", "https://evil.example"), ("host", "ask.school.example")], "", false),
            (&[("origin", "http://127.0.0.1:9000"), ("host", "127.0.0.1:8000")], "", false),
            (&[("origin", "null"), ("host", "127.0.0.1:8000")], "", false),
            (&[("origin", "null"), ("sec-fetch-site", "same-origin")], "", true),
            (&[("sec-fetch-site", "same-origin")], "", true),
            (&[("sec-fetch-site", "same-site")], "", false),
            (&[("origin", "https://evil.example"), ("sec-fetch-site", "same-origin")], "", false),
            (&[("host", "127.0.0.1:8000")], "", false),
        ] {
            assert_eq!(from_own_page(&headers(sent), public_url).is_ok(), own, "{sent:?}");
        }
    }

    #[test]
    fn a_proxy_here_is_believed_and_nobody_else() {
        for (peer, forwarded, address_is) in [
            ("127.0.0.1:5", "198.51.100.7, 192.0.2.1", "192.0.2.1"),
            ("127.0.0.1:5", "no address", "127.0.0.1"),
            ("192.0.2.9:5", "198.51.100.7", "192.0.2.9"),
        ] {
            let mut extensions = Extensions::new();
            extensions.insert(ConnectInfo(peer.parse::<SocketAddr>().unwrap()));
            assert_eq!(address(&headers(&[("x-forwarded-for", forwarded)]), &extensions), address_is);
        }
        assert_eq!(address(&HeaderMap::new(), &Extensions::new()), "unknown");
    }
}
