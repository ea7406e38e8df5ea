//! Which bytes of a file a request asks for (RFC 9110, sections 13 and 14): pure, from headers to a decision.
//!
//! One range is served, as `from-to`, `from-` or `-last`. Several at once, other units and what is not well-formed are
//! ignored, as the RFC allows: then the whole file goes out. A part is of the one version that the entity tag names.

use std::ops::Range;

use axum::http::{HeaderMap, Method, header};

/// What to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    Whole,
    Part(Range<u64>),
    /// The client has it: 304.
    Nothing,
    /// 416.
    OutOfReach,
    /// The client wants another version than this: 412.
    OtherVersion,
}

/// Decides, for a file of `length` bytes whose strong entity tag is `tag` (with its quotes).
pub fn wanted(method: &Method, headers: &HeaderMap, tag: &str, length: u64) -> Wanted {
    // The order is that of RFC 9110, 13.2.2. There is no date to compare with: the tag is the content's hash.
    if headers.contains_key(header::IF_MATCH) && !named(headers, header::IF_MATCH, tag, strong) {
        return Wanted::OtherVersion;
    }
    if named(headers, header::IF_NONE_MATCH, tag, weak) {
        return Wanted::Nothing;
    }
    let range = headers.get(header::RANGE).filter(|_| *method == Method::GET);
    let Some(range) = range.and_then(|value| value.to_str().ok()) else { return Wanted::Whole };
    let same = match headers.get(header::IF_RANGE) {
        Some(value) => value.to_str().is_ok_and(|value| strong(value.trim(), tag)),
        None => true,
    };
    if same { part(range, length) } else { Wanted::Whole }
}

/// `bytes=0-499`, `bytes=500-`, `bytes=-500`.
fn part(range: &str, length: u64) -> Wanted {
    let Some((unit, one)) = range.split_once('=') else { return Wanted::Whole };
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return Wanted::Whole;
    }
    let Some((from, to)) = one.trim().split_once('-') else { return Wanted::Whole };
    let part = match (number(from), number(to)) {
        (Some(from), Some(to)) if from <= to => from..to.saturating_add(1).min(length),
        (Some(from), None) if to.is_empty() => from..length,
        (None, Some(last)) if from.is_empty() => length.saturating_sub(last)..length,
        _ => return Wanted::Whole,
    };
    if part.is_empty() { Wanted::OutOfReach } else { Wanted::Part(part) }
}

/// Digits only. A number that does not fit is larger than any file.
fn number(digits: &str) -> Option<u64> {
    let well_formed = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    well_formed.then(|| digits.parse().unwrap_or(u64::MAX))
}

/// Whether one of the tags of a header is this one; a star is any.
fn named(
    headers: &HeaderMap,
    name: header::HeaderName,
    tag: &str,
    same: impl Fn(&str, &str) -> bool,
) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim).any(|one| one == "*" || same(one, tag))
}

fn strong(given: &str, tag: &str) -> bool {
    given == tag
}

fn weak(given: &str, tag: &str) -> bool {
    given.strip_prefix("W/").unwrap_or(given) == tag
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    const TAG: &str = "\"abc\"";

    fn decide(method: Method, headers: &[(header::HeaderName, &str)]) -> Wanted {
        let headers =
            headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap()));
        wanted(&method, &headers.collect(), TAG, 1000)
    }

    #[test]
    fn ranges_are_read_as_the_rfc_says() {
        for (range, expected) in [
            ("bytes=0-0", Wanted::Part(0..1)),
            ("bytes=0-499", Wanted::Part(0..500)),
            ("bytes=500-", Wanted::Part(500..1000)),
            ("bytes=-500", Wanted::Part(500..1000)),
            ("bytes=-5000", Wanted::Part(0..1000)),
            ("bytes=999-2000", Wanted::Part(999..1000)),
            ("bytes=0-18446744073709551615", Wanted::Part(0..1000)),
            ("bytes=0-99999999999999999999999", Wanted::Part(0..1000)),
            ("Bytes= 0-1", Wanted::Part(0..2)),
            ("bytes=1000-", Wanted::OutOfReach),
            ("bytes=99999999999999999999999-", Wanted::OutOfReach),
            ("bytes=-0", Wanted::OutOfReach),
            ("bytes=5-4", Wanted::Whole),
            ("bytes=0-1,5-6", Wanted::Whole),
            ("bytes=-", Wanted::Whole),
            ("bytes=a-b", Wanted::Whole),
            ("bytes=+1-2", Wanted::Whole),
            ("bytes", Wanted::Whole),
            ("pages=1-2", Wanted::Whole),
            ("", Wanted::Whole),
        ] {
            assert_eq!(decide(Method::GET, &[(header::RANGE, range)]), expected, "{range}");
        }
        assert_eq!(decide(Method::HEAD, &[(header::RANGE, "bytes=0-1")]), Wanted::Whole);
        assert_eq!(part("bytes=0-", 0), Wanted::OutOfReach);
    }

    #[test]
    fn conditions_come_before_ranges() {
        let range = (header::RANGE, "bytes=0-9");
        for (condition, expected) in [
            ((header::IF_RANGE, "\"abc\""), Wanted::Part(0..10)),
            ((header::IF_RANGE, "\"old\""), Wanted::Whole),
            ((header::IF_RANGE, "W/\"abc\""), Wanted::Whole),
            ((header::IF_RANGE, "Tue, 01 Jul 2025 10:00:00 GMT"), Wanted::Whole),
            ((header::IF_NONE_MATCH, "\"abc\""), Wanted::Nothing),
            ((header::IF_NONE_MATCH, "\"x\", W/\"abc\""), Wanted::Nothing),
            ((header::IF_NONE_MATCH, "*"), Wanted::Nothing),
            ((header::IF_NONE_MATCH, "\"x\""), Wanted::Part(0..10)),
            ((header::IF_MATCH, "\"abc\""), Wanted::Part(0..10)),
            ((header::IF_MATCH, "*"), Wanted::Part(0..10)),
            ((header::IF_MATCH, "W/\"abc\""), Wanted::OtherVersion),
            ((header::IF_MATCH, "\"x\""), Wanted::OtherVersion),
        ] {
            let shown = format!("{condition:?}");
            assert_eq!(decide(Method::GET, &[condition, range.clone()]), expected, "{shown}");
        }
    }
}
