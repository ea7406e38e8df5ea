//! How many tokens a text has at most, for models whose tokenizer is not here. Pure.
//!
//! The prompt must fit the window whatever the model, so this counts high. It is no bound for strings made to
//! break it; a server that finds a prompt too long says so, and the chain goes on.

/// An upper estimate, about 1.3 times the truth for English prose.
///
/// Words of Latin letters: one token for each begun three letters (byte-pair vocabularies of 32 000 and more average
/// over four letters a token in English, and just over three in German and in code). Digits and signs: one each, as
/// Llama's vocabularies have it. Two-byte characters (Cyrillic, Greek, Arabic, accents): one each. Longer ones: two
/// each, since rare Han characters fall apart into two or three byte tokens and common ones are one.
pub fn most_tokens(text: &str) -> usize {
    let (mut tokens, mut letters) = (0, 0);
    for c in text.chars() {
        if c.is_ascii_alphabetic() {
            if letters % LETTERS == 0 {
                tokens += 1;
            }
            letters += 1;
            continue;
        }
        letters = 0;
        tokens += match c.len_utf8() {
            // A single space belongs to the word behind it.
            1 if c == ' ' => 0,
            1 | 2 => 1,
            _ => 2,
        };
    }
    // Runs of spaces are tokens of their own: one for each, less the one before each word.
    tokens + text.as_bytes().windows(2).filter(|pair| pair == b"  ").count()
}

const LETTERS: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_high_but_not_absurd() {
        // Lower bounds are what cl100k and Llama's tokenizer give, whichever is more.
        for (text, least, most) in [
            ("", 0, 0),
            ("Dry the brushes flat, never upright.", 8, 14),
            ("Donaudampfschifffahrtsgesellschaft", 10, 14),
            ("2026-11-23T12:00:00Z", 16, 20),
            ("fn main() { println!(\"{}\", 1 + 1); }", 16, 26),
            ("Привет, как дела?", 6, 17),
            ("水彩画の筆", 5, 12),
            ("👩‍👩‍👧", 5, 12),
            ("a    b", 3, 6),
        ] {
            let count = most_tokens(text);
            assert!((least..=most).contains(&count), "{text}: {count}");
        }
    }
}
