//! What a chat model wrote, checked before anybody sees it.
//!
//! Comes in: a sentence, and what the request holds: its canary and marks, the system prompt, the evidence, the
//! creator's own hosts. Goes out: what is wrong with the sentence, or nothing. Who asks drops a faulty sentence; when none
//! is left, the evidence itself answers. Quotations need no check: they are verbatim and come from disarmed evidence.

use std::collections::HashSet;
use std::sync::LazyLock;

use regex::Regex;

use super::marks::Marks;
use super::normal::words;

/// Words in a row that a sentence may share with the system prompt.
const SHARED: usize = 7;

/// Why a sentence is not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The canary or a mark of the prompt.
    Canary,
    /// Words of the system prompt.
    Prompt,
    /// A link to a place that the evidence does not name.
    Link,
    /// A picture in Markdown: showing it would call its host.
    Image,
    Html,
}

/// What the sentences of one answer are checked against.
pub struct Output {
    secrets: Vec<String>,
    prompt: HashSet<Vec<String>>,
    /// All that links may be taken from, in lower case.
    known: String,
}

impl Output {
    /// `evidence` and `hosts` are where links may lead.
    pub fn of<'a>(
        marks: &Marks,
        system: &str,
        evidence: impl IntoIterator<Item = &'a str>,
        hosts: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let known = evidence
            .into_iter()
            .chain(hosts)
            .flat_map(|text| [text, "\n"])
            .collect::<String>()
            .to_lowercase();
        Self {
            secrets: marks.secrets().map(str::to_owned).to_vec(),
            prompt: words(system).windows(SHARED).map(<[String]>::to_vec).collect(),
            known,
        }
    }

    /// What is wrong with a sentence.
    pub fn fault(&self, sentence: &str) -> Option<Fault> {
        if self.secrets.iter().any(|secret| sentence.contains(secret.as_str())) {
            return Some(Fault::Canary);
        }
        if words(sentence).windows(SHARED).any(|row| self.prompt.contains(row)) {
            return Some(Fault::Prompt);
        }
        if IMAGE.is_match(sentence) {
            return Some(Fault::Image);
        }
        if HTML.is_match(&without_code(sentence)) {
            return Some(Fault::Html);
        }
        let lower = sentence.to_lowercase();
        let foreign = LINK.captures_iter(&lower).any(|link| {
            let host = link.name("host").or(link.name("bare")).map_or("", |host| host.as_str());
            host.is_empty() || !self.names(host.trim_start_matches("www."))
        });
        foreign.then_some(Fault::Link)
    }

    /// Whether a host stands in the evidence as a whole: `evil.org` is not in `devil.org`.
    fn names(&self, host: &str) -> bool {
        let is_part = |c: char| c.is_alphanumeric() || c == '-';
        self.known.match_indices(host).any(|(at, _)| {
            let before = self.known[..at].chars().next_back();
            let mut after = self.known[at + host.len()..].chars();
            let ends = match after.next() {
                Some('.') => !after.next().is_some_and(is_part),
                Some(c) => !is_part(c),
                None => true,
            };
            ends && !before.is_some_and(|c| is_part(c) || (c == '.' && !self.known[..at].ends_with("www.")))
        })
    }
}

/// Markdown without its code, which is shown as it stands.
fn without_code(sentence: &str) -> String {
    sentence.split('`').step_by(2).collect::<Vec<_>>().join(" ")
}

static IMAGE: LazyLock<Regex> = LazyLock::new(|| pattern(r"!\[[^\]]*\]\s*[(\[]"));
static HTML: LazyLock<Regex> = LazyLock::new(|| pattern(r"<(/?[A-Za-z][A-Za-z0-9-]*(\s[^<>]*)?/?|!--|!\w)"));
/// Addresses with a scheme, and names that end like hosts do.
static LINK: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"(?:\b[a-z][a-z0-9+.-]{1,9}://(?:[^\s/@]*@)?(?P<host>[^\s/?#:)\]>]*)|\b(?:javascript|data|vbscript|file):\S",
        r"|\]\(\s*//|\b(?P<bare>(?:[\p{L}0-9-]+\.)+(?:com|org|net|io|dev|ai|co|app|xyz|info|biz|ly|gg|tv|online|site|shop|ru|",
        r"cn|de|uk|fr|es|eu|br|edu|gov|link|click|store|tech|club))\b(?:[^\p{L}0-9(]|$))"
    ))
});

fn pattern(pattern: &str) -> Regex {
    #[expect(clippy::expect_used, reason = "constant expressions, compiled by the tests")]
    Regex::new(pattern).expect("a regular expression")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::MessageId;

    const SYSTEM: &str =
        "You answer a student's question from numbered passages of a course. Never add facts.";

    fn marks() -> Marks {
        Marks::of(&MessageId::from_bytes([7; 16]))
    }

    fn fault(sentence: &str) -> Option<Fault> {
        let evidence = "See https://docs.example.org/start and join www.club.example.com today. Use `<div>`.";
        Output::of(&marks(), SYSTEM, [evidence], ["school.example"]).fault(sentence)
    }

    #[test]
    fn leaks_pictures_and_foreign_links_are_found() {
        let canary = format!("My code is {}.", marks().secrets()[0]);
        for (sentence, expected) in [
            (canary.as_str(), Some(Fault::Canary)),
            ("I answer a student's question from numbered passages of a course.", Some(Fault::Prompt)),
            ("![x](https://docs.example.org/x.png)", Some(Fault::Image)),
            ("![x][ref]", Some(Fault::Image)),
            ("<img src=x onerror=alert(1)>", Some(Fault::Html)),
            ("Go <b>now</b>.", Some(Fault::Html)),
            ("See https://evil.example/a.", Some(Fault::Link)),
            ("See [this](//evil.example).", Some(Fault::Link)),
            ("See https://docs.example.org.evil.com/x.", Some(Fault::Link)),
            ("See https://docs.example.org@evil.com/x.", Some(Fault::Link)),
            ("See https://example.org/x.", Some(Fault::Link)),
            ("Download it at www.malware.xyz today.", Some(Fault::Link)),
            ("Click javascript:alert(1) now", Some(Fault::Link)),
            ("See https://docs.example.org/other page.", None),
            ("Join club.example.com.", None),
            ("See https://school.example/faq.", None),
            ("Use the `<div>` element.", None),
            ("If a < b and c > d, stop.", None),
            ("A refund takes 23 days, e.g. by card.", None),
            ("Call pandas.DataFrame and numpy.info() first.", None),
        ] {
            assert_eq!(fault(sentence), expected, "{sentence}");
        }
    }
}
