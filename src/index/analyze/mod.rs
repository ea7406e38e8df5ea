//! Text becomes terms: what the word index stores and what a question looks for.
//!
//! Comes in: text and its [`Language`]. Goes out: terms, that is words normalised (NFKC, lower case), without
//! function words, stemmed (Snowball) and without accents; runs of Chinese, Japanese, Korean, Thai and their kin
//! become pairs of characters, because nothing marks their words. Identifiers (`predict_proba`, `DataFrame`)
//! give the whole and its parts. Ingestion and questions go through the same functions, so they always agree.
//! What is deliberately not here: weights, and everything that knows a collection ([`lexical`](super::lexical)).

mod everyday;
mod language;
pub mod sentences;
mod stop_words;
mod terms;

use rust_stemmers::Stemmer;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

pub use everyday::is_everyday;
pub use language::Language;
pub use terms::{ChunkTerms, TermsError};

/// The content words of `text` as terms, in order.
pub fn terms(text: &str, language: Language) -> Vec<String> {
    let stemmer = language.stemmer();
    words(text)
        .into_iter()
        .filter(|word| word.is_pair || !language.is_stop_word(&word.text))
        .map(|word| term(&word, stemmer.as_ref()))
        .collect()
}

/// The term of one word under one language, function word or not.
pub fn term_of(word: &Word, language: Language) -> String {
    term(word, language.stemmer().as_ref())
}

/// A normalised word, or a pair of characters of a script without spaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    pub text: String,
    /// A pair of characters: neither stemmed nor looked up among function words.
    pub is_pair: bool,
}

/// All words of `text` in order, normalised but neither stemmed nor filtered.
pub fn words(text: &str) -> Vec<Word> {
    let normal: Vec<char> = text.nfkc().collect();
    let mut out = Vec::new();
    let mut at = 0;
    while at < normal.len() {
        let here = normal[at];
        if is_unspaced(here) {
            let end = run_end(&normal, at, |c| is_unspaced(c) || is_combining_mark(c));
            push_pairs(&normal[at..end], &mut out);
            at = end;
        } else if is_word_char(here) {
            let end = word_end(&normal, at);
            push_word(&normal[at..end], normal.get(end..).unwrap_or_default(), &mut out);
            at = end;
        } else {
            at += 1;
        }
    }
    out
}

/// `text` in lower case without accents: `Über` is `uber`. Marks that spell vowels (Indic scripts) stay.
pub fn fold(text: &str) -> String {
    let lower = text.to_lowercase();
    if lower.is_ascii() {
        return lower;
    }
    let is_accent = |c: &char| matches!(c, '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5c7}' | '\u{64b}'..='\u{65f}' | '\u{670}');
    lower.nfd().filter(|c| !is_accent(c)).nfc().collect()
}

fn term(word: &Word, stemmer: Option<&Stemmer>) -> String {
    match stemmer {
        Some(stemmer) if !word.is_pair => fold(&stemmer.stem(&word.text)),
        _ => fold(&word.text),
    }
}

/// Scripts that put no spaces between words: Han, kana, Hangul (whose particles cling), Thai, Lao, Myanmar, Khmer.
fn is_unspaced(c: char) -> bool {
    matches!(c,
        '\u{0e00}'..='\u{0eff}' | '\u{1000}'..='\u{109f}' | '\u{1100}'..='\u{11ff}' | '\u{1780}'..='\u{17ff}'
        | '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}')
        && c.is_alphanumeric()
}

fn is_word_char(c: char) -> bool {
    !is_unspaced(c) && (c.is_alphanumeric() || c == '_' || is_combining_mark(c))
}

fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '\u{2019}' | '\u{02bc}')
}

fn run_end(text: &[char], start: usize, inside: impl Fn(char) -> bool) -> usize {
    text[start..].iter().position(|&c| !inside(c)).map_or(text.len(), |length| start + length)
}

/// End of the word at `start`; an apostrophe between two letters belongs to it.
fn word_end(text: &[char], start: usize) -> usize {
    let mut end = run_end(text, start, is_word_char);
    while end + 1 < text.len() && is_apostrophe(text[end]) && is_word_char(text[end + 1]) {
        end = run_end(text, end + 1, is_word_char);
    }
    end
}

/// Overlapping pairs; a single character stands for itself.
fn push_pairs(run: &[char], out: &mut Vec<Word>) {
    if run.len() == 1 {
        out.push(Word { text: run[0].to_string(), is_pair: true });
    }
    for pair in run.windows(2) {
        out.push(Word { text: pair.iter().collect(), is_pair: true });
    }
}

/// A word with its apostrophes and, for identifiers, its parts. `after` is what follows it: `C++`, `C#`.
fn push_word(word: &[char], after: &[char], out: &mut Vec<Word>) {
    let plain = without_apostrophes(word);
    let parts = identifier_parts(&plain);
    let mut push = |text: String| {
        if !text.is_empty() {
            out.push(Word { text, is_pair: false });
        }
    };
    if parts.len() == 1 && plain.len() <= 2 {
        let sign = match after {
            ['+', '+', ..] => "++",
            ['#', ..] => "#",
            _ => "",
        };
        push(lower(parts[0]) + sign);
        return;
    }
    if parts.len() > 1 {
        push(lower(&plain).trim_matches('_').to_owned());
    }
    for part in parts {
        push(lower(part));
    }
}

fn lower(word: &[char]) -> String {
    word.iter().collect::<String>().to_lowercase()
}

/// `student's` is `student`, `don't` is `dont`, `l'eau` is `eau`, `o'reilly` is `oreilly`.
fn without_apostrophes(word: &[char]) -> Vec<char> {
    let Some(at) = word.iter().rposition(|&c| is_apostrophe(c)) else { return word.to_vec() };
    let (front, back) = (&word[..at], &word[at + 1..]);
    let tail = lower(back);
    if matches!(tail.as_str(), "s" | "ll" | "re" | "ve" | "d" | "m") {
        without_apostrophes(front)
    } else if tail != "t" && (front.len() == 1 && !matches!(front[0], 'o' | 'O') || lower(front) == "qu") {
        back.to_vec()
    } else {
        word.iter().copied().filter(|&c| !is_apostrophe(c)).collect()
    }
}

/// Cuts at underscores and where camel case begins a new word: `HTTPServer_v2` is `HTTP`, `Server`, `v2`.
fn identifier_parts(word: &[char]) -> Vec<&[char]> {
    let mut parts = Vec::new();
    for piece in word.split(|&c| c == '_').filter(|piece| !piece.is_empty()) {
        let mut start = 0;
        for at in 1..piece.len() {
            let (before, here) = (piece[at - 1], piece[at]);
            let next_is_small = piece.get(at + 1).is_some_and(|c| c.is_lowercase());
            let begins = here.is_uppercase()
                && (before.is_lowercase() || before.is_numeric() || (before.is_uppercase() && next_is_small));
            if begins {
                parts.push(&piece[start..at]);
                start = at;
            }
        }
        parts.push(&piece[start..]);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, code: &str, expected: &str) {
        assert_eq!(terms(text, Language::of_code(code)).join(" "), expected, "{text}");
    }

    #[test]
    fn english_is_stemmed_and_loses_its_function_words() {
        check("How do I reset the students' passwords?", "en", "reset student password");
        check("The student's notes aren't here", "en", "student note");
        check("", "en", "");
        check("?! …", "en", "");
    }

    #[test]
    fn accents_and_forms_of_letters_do_not_matter() {
        check("Café CAFÉ Cafe\u{301} ｃａｆｅ", "", "cafe cafe cafe cafe");
        check("die größten Häuser", "de", "grosst haus");
        check("l'eau qu'il aujourd'hui", "fr", "eau aujourdhui");
        check("las canciones", "es", "cancion");
    }

    #[test]
    fn identifiers_give_the_whole_and_the_parts() {
        check(
            "predict_proba DataFrame HTTPServer",
            "",
            "predict_proba predict proba dataframe data frame httpserver http server",
        );
        check("docker-compose.yml", "", "docker compose yml");
        check("C++ and C# and __init__", "en", "c++ c# init");
    }

    #[test]
    fn scripts_without_spaces_become_pairs() {
        check("机器学习GPU", "zh", "机器 器学 学习 gpu");
        check("水", "zh", "水");
        check("カメラ", "ja", "カメ メラ");
        assert!(!terms("การเรียนรู้", Language::of_code("th")).is_empty());
        check("हिन्दी", "hi", "हिन्दी");
    }

    #[test]
    fn any_text_is_taken() {
        for text in ["''''", "_", "a'", "'a", "é\u{301}\u{301}", "\u{0}\u{ffff}", "𝒳𝒴", "ﷺ", "'s", "o'o'o's"]
        {
            terms(text, Language::ENGLISH);
        }
    }
}
