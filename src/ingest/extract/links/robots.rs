//! What a site allows: robots.txt (RFC 9309), and the same wishes of a single page.

use serde::{Deserialize, Serialize};
use url::Url;

use super::{Leads, absolute};

/// The product token that sites know this program by, in lower case.
pub const AGENT: &str = "neverafk";
/// Bytes that are read of a robots.txt: the least that RFC 9309 (2.5) asks for.
pub const BYTES: usize = 500 << 10;
/// Rules and bytes of one rule: what is more is no rule that a person wrote.
const RULES: usize = 10_000;
const RULE_BYTES: usize = 1_000;
/// Lists of pages that are named.
const LISTS: usize = 100;

/// A path that may or may not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    pub allow: bool,
    /// `*` stands for anything, `$` at the end for the end.
    pub path: String,
}

/// The rules that count for this program: those of all groups that name it, else of all for everybody.
pub fn leads(text: &str, base: &Url) -> Leads {
    let (mut own, mut common, mut lists) = (Group::default(), Group::default(), Vec::new());
    // Which groups the lines at hand belong to, and whether agents are still being named.
    let (mut for_us, mut for_all, mut naming) = (false, false, false);
    for line in text.trim_start_matches('\u{feff}').split(['\n', '\r']) {
        let line = line.split('#').next().unwrap_or_default();
        let Some((key, value)) = line.split_once(':') else { continue };
        let value = value.trim();
        match key.trim().to_ascii_lowercase().as_str() {
            "user-agent" => {
                if !naming {
                    (for_us, for_all) = (false, false);
                }
                naming = true;
                // The token ends where its letters do: `neverafk/1.0` is meant for us too (2.2.1).
                let end = value.find(|c: char| !(c.is_ascii_alphabetic() || matches!(c, '_' | '-')));
                let token = &value[..end.unwrap_or(value.len())];
                if token.eq_ignore_ascii_case(AGENT) {
                    for_us = true;
                    own.is_there = true;
                } else if value.starts_with('*') {
                    for_all = true;
                }
            }
            "sitemap" if lists.len() < LISTS => lists.extend(absolute(base, value)),
            key @ ("allow" | "disallow" | "crawl-delay") => {
                naming = false;
                for (group, counts) in [(&mut own, for_us), (&mut common, for_all)] {
                    if counts {
                        group.add(key, value);
                    }
                }
            }
            _ => {}
        }
    }
    let group = if own.is_there { own } else { common };
    Leads { rules: group.rules, delay_ms: group.delay_ms, lists, ..Leads::default() }
}

#[derive(Default)]
struct Group {
    is_there: bool,
    rules: Vec<Rule>,
    delay_ms: Option<u64>,
}

impl Group {
    fn add(&mut self, key: &str, value: &str) {
        if key == "crawl-delay" {
            // No part of the RFC, and widely used: seconds.
            let seconds = value.parse::<f64>().ok().filter(|seconds| (0.0..=86_400.0).contains(seconds));
            self.delay_ms = seconds.map(|seconds| (seconds * 1000.0) as u64).or(self.delay_ms);
        } else if !value.is_empty() && value.len() <= RULE_BYTES && self.rules.len() < RULES {
            // An empty rule forbids nothing.
            self.rules.push(Rule { allow: key == "allow", path: value.to_owned() });
        }
    }
}

/// Whether an address may be read: the longest rule that matches says so, and of two the kinder one (2.2.2).
pub fn allows(rules: &[Rule], url: &Url) -> bool {
    let path = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    if path == "/robots.txt" {
        return true;
    }
    let path = octets(&path);
    let matching = rules.iter().filter_map(|rule| {
        let pattern = octets(&rule.path);
        matches(&pattern, &path).then_some((pattern.len(), rule.allow))
    });
    matching.max().is_none_or(|(_, allow)| allow)
}

/// `noindex` and `nofollow` of a list of wishes, as pages and the header `X-Robots-Tag` have them.
pub fn directives(text: &str) -> (bool, bool) {
    let has = |wanted: &str| {
        text.split([',', ';', ' ']).any(|word| {
            let word = word.trim();
            word.eq_ignore_ascii_case(wanted) || word.eq_ignore_ascii_case("none")
        })
    };
    (has("noindex"), has("nofollow"))
}

/// The same of the header, where wishes may be addressed to one agent: `otherbot: noindex`.
pub fn header(text: &str) -> (bool, bool) {
    match text.split_once(':') {
        Some((agent, wishes)) if !agent.contains(',') => {
            if agent.trim().eq_ignore_ascii_case(AGENT) {
                directives(wishes)
            } else {
                (false, false)
            }
        }
        _ => directives(text),
    }
}

/// As 2.2.2 compares: percent-encoded in one way.
fn octets(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    let hex = |byte: Option<&u8>| byte.and_then(|byte| (*byte as char).to_digit(16));
    while at < bytes.len() {
        let (byte, length) = match (bytes[at], hex(bytes.get(at + 1)), hex(bytes.get(at + 2))) {
            (b'%', Some(high), Some(low)) => ((high * 16 + low) as u8, 3),
            (byte, ..) => (byte, 1),
        };
        let plain = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if plain || (length == 1 && byte.is_ascii_graphic()) {
            out.push(byte);
        } else {
            out.extend(format!("%{byte:02X}").bytes());
        }
        at += length;
    }
    out
}

/// Whether a pattern matches the beginning of a path. Time is at most the product of both lengths.
fn matches(pattern: &[u8], path: &[u8]) -> bool {
    let (pattern, to_the_end) = match pattern.strip_suffix(b"$") {
        Some(pattern) => (pattern, true),
        None => (pattern, false),
    };
    let (mut at, mut place) = (0, 0);
    // Where to go on when the letters after a star do not match: after the star, one letter later.
    let mut back = None;
    loop {
        if at == pattern.len() {
            if !to_the_end || place == path.len() {
                return true;
            }
        } else if pattern[at] == b'*' {
            at += 1;
            back = Some((at, place));
            continue;
        } else if path.get(place) == Some(&pattern[at]) {
            (at, place) = (at + 1, place + 1);
            continue;
        }
        match &mut back {
            Some((after, from)) if *from < path.len() => {
                *from += 1;
                (at, place) = (*after, *from);
            }
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> Leads {
        leads(text, &Url::parse("https://school.example/robots.txt").unwrap())
    }

    fn check(text: &str, cases: &[(&str, bool)]) {
        let found = rules(text);
        for (path, expected) in cases {
            let url = Url::parse("https://school.example").unwrap().join(path).unwrap();
            assert_eq!(allows(&found.rules, &url), *expected, "{path} with {text:?}");
        }
    }

    #[test]
    fn the_longest_rule_of_the_own_group_counts() {
        // The example of RFC 9309, section 5.1, and of 5.2.
        check(
            "User-Agent: *\nDisallow: *.gif$\nDisallow: /example/\nAllow: /publications/\n\n\
             User-Agent: foobot\nDisallow:/\nAllow:/example/page.html\nAllow:/example/allowed.gif\n",
            &[
                ("/a.gif", false),
                ("/a.gif?x", true),
                ("/example/a", false),
                ("/publications/a", true),
                ("/", true),
            ],
        );
        check(
            "user-agent: a\nUSER-AGENT: NeverAFK/2.0 # us\ndisallow: /\nallow: /page\nallow: /page\n\nuser-agent: *\nallow: /\n",
            &[("/page.html", true), ("/other", false), ("/robots.txt", true)],
        );
        check("User-agent: neverafk\nDisallow:\nUser-agent: *\nDisallow: /", &[("/a", true)]);
        check("User-agent: neverafkbot\nDisallow: /\n", &[("/a", true)]);
        check("Disallow: /before-any-group\n", &[("/before-any-group", true)]);
        check(
            "User-agent: *\nDisallow: /\nUser-agent: neverafk\nDisallow: /x\n\nUser-agent: neverafk\nDisallow: /y",
            &[("/a", true), ("/x", false), ("/y", false)],
        );
    }

    #[test]
    fn stars_ends_and_escapes_match_as_written() {
        check(
            "User-agent: *\nDisallow: /a*b*c$\nDisallow: /foo/bar?q=%C3%BC\nDisallow: /%7Ejoe\nDisallow: /*?session=\n",
            &[
                ("/aXbYc", false),
                ("/aXbYcd", true),
                ("/abcbc", false),
                ("/foo/bar?q=ü", false),
                ("/~joe/x", false),
                ("/x/y?session=1", false),
                ("/x/y", true),
            ],
        );
        check("User-agent: *\nDisallow: /x\nAllow: /x\n", &[("/x", true)]);
        // Much backtracking ends all the same.
        let path = format!("/{}", "a".repeat(1_900));
        check(&format!("User-agent: *\nDisallow: /{}b$\n", "a*".repeat(400)), &[(&path, true)]);
    }

    #[test]
    fn delays_and_lists_are_read() {
        let found = rules(
            "Sitemap: https://school.example/s.xml\nUser-agent: *\nCrawl-delay: 2.5\nsitemap: /t.xml\nDisallow: /x\nCrawl-delay: soon\n",
        );
        assert_eq!(found.delay_ms, Some(2_500));
        assert_eq!(found.lists, ["https://school.example/s.xml", "https://school.example/t.xml"]);
        assert_eq!(found.rules.len(), 1);
    }

    #[test]
    fn headers_may_be_meant_for_others() {
        for (text, expected) in [
            ("noindex, nofollow", (true, true)),
            ("otherbot: noindex", (false, false)),
            ("NeverAFK: noindex", (true, false)),
            ("none", (true, true)),
            ("all", (false, false)),
        ] {
            assert_eq!(header(text), expected, "{text}");
        }
    }
}
