//! Where sentences end: text in, byte ranges out.
//!
//! Chunking cuts long blocks here. The rules are Unicode's default sentence boundaries (UAX #29) with the usual
//! repairs: an abbreviation, an initial or a number in a list does not end a sentence. Pure; no model, no language
//! tables beyond the short list below, so a wrong cut costs a little recall and never a word.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

/// Words after which a full stop rarely ends a sentence, in lower case, without the stop.
const ABBREVIATIONS: [&str; 40] = [
    "mr", "mrs", "ms", "dr", "prof", "st", "vs", "etc", "e.g", "i.e", "eg", "ie", "cf", "al", "fig", "figs",
    "eq", "sec", "ch", "no", "nr", "vol", "pp", "p", "ed", "eds", "approx", "ca", "bzw", "z.b", "d.h", "usw",
    "vgl", "abs", "art", "sr", "sra", "inc", "ltd", "dept",
];

/// The sentences of `text` as byte ranges without surrounding space, in order; every non-space byte is in one.
pub fn sentences(text: &str) -> Vec<Range<usize>> {
    let mut out: Vec<Range<usize>> = Vec::new();
    let mut glue = false;
    for (start, piece) in text.split_sentence_bound_indices() {
        // UAX #29 breaks at every line feed, but here a single one is a wrapped line.
        let words = piece.trim();
        if words.is_empty() {
            glue &= !piece.contains("\n\n");
            continue;
        }
        let start = start + (piece.len() - piece.trim_start().len());
        let range = start..start + words.len();
        match out.last_mut() {
            Some(last) if glue => last.end = range.end,
            _ => out.push(range),
        }
        let sentence = out.last().map_or("", |r| &text[r.clone()]);
        glue = !ends(sentence);
    }
    out
}

/// Whether these words can stand as a whole sentence.
fn ends(sentence: &str) -> bool {
    let bare = sentence.trim_end_matches(['"', '\'', ')', ']', '”', '’', '»']);
    if bare.ends_with(['!', '?', '…', '。', '！', '？', '؟', '।', '۔', ':', ';']) {
        return true;
    }
    let Some(before) = bare.strip_suffix('.') else { return false };
    let word = before.rsplit(|c: char| c.is_whitespace() || c == '(').next().unwrap_or(before).to_lowercase();
    let is_initial = word.chars().count() == 1 && word.chars().all(char::is_alphabetic) && word != "i";
    let is_list_number =
        !word.is_empty() && word.len() == before.trim().len() && word.bytes().all(|b| b.is_ascii_digit());
    !(is_initial || is_list_number || ABBREVIATIONS.contains(&word.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let found: Vec<&str> = sentences(text).into_iter().map(|r| &text[r]).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn sentences_end_where_a_reader_would_end_them() {
        check("One. Two! Three?", &["One.", "Two!", "Three?"]);
        check("See Dr. Hart, e.g. on Mondays. Then go.", &["See Dr. Hart, e.g. on Mondays.", "Then go."]);
        check("A wrapped\nline goes on. Next", &["A wrapped\nline goes on.", "Next"]);
        check("J. Hart wrote 3.5 pages.", &["J. Hart wrote 3.5 pages."]);
        check("第一句。第二句。", &["第一句。", "第二句。"]);
        check("1. Wash the brush. 2. Dry it.", &["1. Wash the brush.", "2. Dry it."]);
        check("", &[]);
        check("  \n ", &[]);
    }
}
