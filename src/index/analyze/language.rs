//! The languages whose words are stemmed or filtered, and how a text's language is recognised.
//!
//! [`Language`] is a small number; what is known of it stands in one table. A text is recognised by its script
//! and, among languages that share one, by its function words: even a short question holds some. A language that
//! is not in the table is [`Language::OTHER`]: nothing is stemmed or dropped, and the rarity of words decides.

use rust_stemmers::{Algorithm, Stemmer};

use super::{stop_words, words};

/// A language of the table below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Language(u8);

struct Rules {
    /// ISO 639-1; empty for the language that is not known.
    code: &'static str,
    stemmer: Option<Algorithm>,
    /// Sorted by bytes.
    stop_words: &'static [&'static str],
}

const fn rules(code: &'static str, stemmer: Option<Algorithm>, stop_words: &'static [&'static str]) -> Rules {
    Rules { code, stemmer, stop_words }
}

const TABLE: &[Rules] = &[
    rules("", None, &[]),
    rules("en", Some(Algorithm::English), stop_words::EN),
    rules("de", Some(Algorithm::German), stop_words::DE),
    rules("es", Some(Algorithm::Spanish), stop_words::ES),
    rules("fr", Some(Algorithm::French), stop_words::FR),
    rules("it", Some(Algorithm::Italian), stop_words::IT),
    rules("pt", Some(Algorithm::Portuguese), stop_words::PT),
    rules("nl", Some(Algorithm::Dutch), stop_words::NL),
    rules("sv", Some(Algorithm::Swedish), stop_words::SV),
    rules("da", Some(Algorithm::Danish), stop_words::DA),
    rules("no", Some(Algorithm::Norwegian), stop_words::NO),
    rules("ru", Some(Algorithm::Russian), stop_words::RU),
    rules("tr", Some(Algorithm::Turkish), stop_words::TR),
    rules("fi", Some(Algorithm::Finnish), &[]),
    rules("hu", Some(Algorithm::Hungarian), &[]),
    rules("ro", Some(Algorithm::Romanian), &[]),
    rules("el", Some(Algorithm::Greek), &[]),
    rules("ar", Some(Algorithm::Arabic), &[]),
    rules("ta", Some(Algorithm::Tamil), &[]),
    rules("zh", None, &[]),
    rules("ja", None, &[]),
    rules("ko", None, &[]),
    rules("th", None, &[]),
    rules("he", None, &[]),
    rules("hi", None, &[]),
];

/// How much of a text is looked at to recognise its language, in bytes.
const LOOKED_AT: usize = 4_000;

impl Language {
    /// A language that is not known: words are taken as they are.
    pub const OTHER: Self = Self(0);
    pub const ENGLISH: Self = Self(1);

    /// The language of an ISO 639-1 code, as `pt` or `pt-BR`.
    pub fn of_code(code: &str) -> Self {
        let base = code.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
        let base = if base == "nb" || base == "nn" { "no" } else { base.as_str() };
        match TABLE.iter().position(|rules| rules.code == base) {
            Some(place) => Self(u8::try_from(place).unwrap_or(0)),
            None => Self::OTHER,
        }
    }

    /// The language that `text` is written in; `None` when it shows no sign or two languages fit as well.
    pub fn of_text(text: &str) -> Option<Self> {
        let sample = &text[..text.floor_char_boundary(LOOKED_AT)];
        if let Some(code) = code_of_script(sample) {
            return Some(Self::of_code(code));
        }
        let words = words(sample);
        let mut best = (0, Self::OTHER);
        let mut second = 0;
        for (place, rules) in (0u8..).zip(TABLE) {
            let hits = words
                .iter()
                .filter(|word| rules.stop_words.binary_search(&word.text.as_str()).is_ok())
                .count();
            if hits > best.0 {
                second = best.0;
                best = (hits, Self(place));
            } else {
                second = second.max(hits);
            }
        }
        (best.0 > second).then_some(best.1)
    }

    /// ISO 639-1; empty for [`Language::OTHER`].
    pub fn code(self) -> &'static str {
        self.rules().code
    }

    /// Whether `word` (lower case, no apostrophe) is a function word.
    pub fn is_stop_word(self, word: &str) -> bool {
        self.rules().stop_words.binary_search(&word).is_ok()
    }

    /// Whether it is written in Latin letters; one that is not known is taken to be.
    pub fn is_latin(self) -> bool {
        !matches!(self.code(), "ru" | "el" | "ar" | "ta" | "zh" | "ja" | "ko" | "th" | "he" | "hi")
    }

    pub(super) fn stemmer(self) -> Option<Stemmer> {
        self.rules().stemmer.map(Stemmer::create)
    }

    fn rules(self) -> &'static Rules {
        TABLE.get(usize::from(self.0)).unwrap_or(&TABLE[0])
    }
}

/// The language of a text in a script that only one language of the table writes.
fn code_of_script(text: &str) -> Option<&'static str> {
    let (mut letters, mut kana) = (0, 0);
    let mut counts = [("zh", 0), ("ko", 0), ("th", 0), ("el", 0), ("ar", 0), ("he", 0), ("hi", 0), ("ta", 0)];
    for c in text.chars().filter(|c| c.is_alphabetic()) {
        letters += 1;
        let code = match c {
            '\u{3040}'..='\u{30ff}' => {
                kana += 1;
                "zh"
            }
            '\u{3400}'..='\u{9fff}' => "zh",
            '\u{1100}'..='\u{11ff}' | '\u{ac00}'..='\u{d7af}' => "ko",
            '\u{0e00}'..='\u{0e7f}' => "th",
            '\u{0370}'..='\u{03ff}' => "el",
            '\u{0600}'..='\u{06ff}' => "ar",
            '\u{0590}'..='\u{05ff}' => "he",
            '\u{0900}'..='\u{097f}' => "hi",
            '\u{0b80}'..='\u{0bff}' => "ta",
            _ => continue,
        };
        for (name, count) in &mut counts {
            *count += usize::from(*name == code);
        }
    }
    let (code, count) = counts.into_iter().max_by_key(|&(_, count)| count)?;
    // Names in Latin letters stand in every such text, so a third is enough.
    (count * 3 > letters).then_some(if code == "zh" && kana * 10 > count { "ja" } else { code })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(Language::of_text(text).map(Language::code), expected, "{text}");
    }

    #[test]
    fn function_words_and_scripts_tell_the_language() {
        check("How do I sign up?", Some("en"));
        check("Wie viele Punkte gab die Verteidigung ab?", Some("de"));
        check("¿Cuántos puntos dejó la defensa?", Some("es"));
        check("Où est la bibliothèque ?", Some("fr"));
        check("Сколько стоит курс и как его купить?", Some("ru"));
        check("如何安装 Docker？", Some("zh"));
        check("インストールの方法は", Some("ja"));
        check("설치 방법", Some("ko"));
        check("docker kubernetes", None);
        check("", None);
    }

    #[test]
    fn lists_are_sorted_and_normalised() {
        for rules in TABLE {
            assert!(rules.stop_words.is_sorted(), "{}", rules.code);
            for word in rules.stop_words {
                assert_eq!(*word, word.to_lowercase(), "{}", rules.code);
                assert!(!word.contains('\''));
            }
        }
    }

    #[test]
    fn codes_round_trip_and_the_unknown_is_other() {
        for rules in TABLE {
            assert_eq!(Language::of_code(rules.code).code(), rules.code);
        }
        assert_eq!(Language::of_code("pt-BR").code(), "pt");
        assert_eq!(Language::of_code("tlh"), Language::OTHER);
    }
}
