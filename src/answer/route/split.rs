//! A turn that asks two things is cut where the second begins: at ends of sentences and at `and can I …`. Pure.
//!
//! Gives ranges of bytes. Whether the pieces then belong to different agents is decided by [`super`]; when they do
//! not, the turn stays whole.

use std::ops::Range;

use super::pattern::Token;
use super::rules::Rules;

/// The pieces of `text` in order, without the words that join them.
pub fn split(text: &str, tokens: &[Token], rules: &Rules) -> Vec<Range<usize>> {
    let (mut pieces, mut start, mut first) = (Vec::new(), 0, 0);
    for at in 1..tokens.len() {
        let (before, here) = (&tokens[at - 1], &tokens[at]);
        if before.start == here.start || at == first {
            continue;
        }
        let ends = ends_a_sentence(&text[before.end..here.start]);
        let joins = at > first + 1 && at + 1 < tokens.len() && rules.joins(here, &tokens[at + 1..]);
        if ends {
            pieces.push(start..here.start);
            (start, first) = (here.start, at);
        } else if joins {
            pieces.push(start..before.end);
            (start, first) = (tokens[at + 1].start, at + 1);
        }
    }
    pieces.push(start..text.len());
    pieces
}

/// Whether what stands between two words ends a sentence: a mark with a space behind it. `e.g. x` ends one too, which
/// does no harm: pieces that say nothing of their own join their neighbours again.
fn ends_a_sentence(between: &str) -> bool {
    let mut marks = between.chars();
    marks.any(|c| matches!(c, '.' | '!' | '?' | '…' | '\n' | '。' | '？' | '！'))
        && (between.contains('\n') || marks.any(char::is_whitespace) || between.contains(['。', '？', '！']))
}

#[cfg(test)]
mod tests {
    use super::super::pattern::tokens;
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let pieces = split(text, &tokens(text), Rules::shipped());
        let pieces: Vec<&str> = pieces.into_iter().map(|range| text[range].trim()).collect();
        assert_eq!(pieces, expected);
    }

    #[test]
    fn two_questions_are_two_pieces() {
        check(
            "How long does it rest, and can I get a refund?",
            &["How long does it rest", "can I get a refund?"],
        );
        check("Was ist ein Fork? Und bekomme ich Geld?", &["Was ist ein Fork?", "Und bekomme ich Geld?"]);
        check("Salt and pepper", &["Salt and pepper"]);
        check("What is version 2.1 of it?", &["What is version 2.1 of it?"]);
        check("¿Cuánto reposa y puedo pagar?", &["¿Cuánto reposa", "puedo pagar?"]);
        check("", &[""]);
    }
}
