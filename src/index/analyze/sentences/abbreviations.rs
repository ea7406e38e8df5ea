//! Words that a full stop follows without ending the sentence, by language, in lower case and sorted.
//!
//! Only words that more often than not stand before something else: `etc.` and `a.m.` end sentences as often as not
//! and are decided by what follows them (a small letter goes on).

use crate::index::analyze::Language;

/// Titles and Latin that many languages share.
const COMMON: &[&str] =
    &["al", "approx", "ca", "cf", "dr", "e.g", "ed", "eds", "eg", "i.e", "ie", "jr", "prof", "st", "vs"];

const BY_LANGUAGE: &[(&str, &[&str])] = &[
    (
        "de",
        &[
            "abb", "abs", "allg", "bes", "bzw", "d.h", "evtl", "frl", "geb", "gem", "ggf", "hr", "inkl",
            "jh", "max", "min", "mio", "mrd", "o.ä", "s.o", "s.u", "sog", "std", "str", "u.a", "usw", "v.a",
            "vgl", "z.b", "z.t", "zzgl",
        ],
    ),
    (
        "en",
        &[
            "capt", "col", "dept", "esp", "gen", "gov", "hon", "inc", "lt", "ltd", "messrs", "mr", "mrs",
            "ms", "mt", "ph.d", "rep", "rev", "sen", "sgt", "viz",
        ],
    ),
    ("es", &["aprox", "d", "dra", "dña", "ej", "p.ej", "pág", "sr", "sra", "srta", "ud", "uds"]),
    ("fr", &["av", "env", "mlle", "mm", "mme", "p.ex"]),
    ("it", &["dott", "ecc", "es", "ing", "sig", "sig.ra", "sigg"]),
    ("nl", &["bijv", "blz", "d.w.z", "dhr", "enz", "m.b.t", "mevr", "o.a"]),
    ("pt", &["av", "dra", "exa", "p.ex", "sr", "sra"]),
];

/// The same before a number only.
const BEFORE_NUMBER: &[&str] = &[
    "abb", "abs", "apr", "art", "aug", "ch", "chap", "dec", "eq", "feb", "fig", "figs", "jan", "jul", "jun",
    "kap", "mar", "no", "nos", "nov", "nr", "núm", "oct", "op", "p", "pp", "s", "sec", "sep", "sept", "vol",
];

/// What a German ordinal number stands before: `am 3. Oktober`.
pub const AFTER_ORDINAL: &[&str] = &[
    "april",
    "august",
    "auflage",
    "dezember",
    "februar",
    "jahrhundert",
    "januar",
    "juli",
    "juni",
    "jänner",
    "kapitel",
    "klasse",
    "lektion",
    "mai",
    "modul",
    "monat",
    "märz",
    "november",
    "oktober",
    "september",
    "stock",
    "stunde",
    "tag",
    "woche",
];

/// Whether a word, in lower case and without its full stop, is an abbreviation. Where the language is not known,
/// those of all count.
pub fn is_abbreviation(word: &str, language: Language) -> bool {
    let is_in = |list: &[&str]| list.binary_search(&word).is_ok();
    is_in(COMMON)
        || BY_LANGUAGE
            .iter()
            .any(|(code, list)| (language == Language::OTHER || language.code() == *code) && is_in(list))
}

/// Whether it is one before a number.
pub fn is_before_number(word: &str) -> bool {
    BEFORE_NUMBER.binary_search(&word).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sorted() {
        assert!(COMMON.is_sorted() && BEFORE_NUMBER.is_sorted());
        assert!(BY_LANGUAGE.iter().all(|(_, list)| list.is_sorted()));
    }
}
