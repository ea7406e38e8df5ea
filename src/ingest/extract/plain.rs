//! Plain text: paragraphs, underlined or lone short lines as headings, list items, and nothing invented.
//!
//! Paragraphs wrapped at a fixed width become one line; others keep their lines (addresses, poems, tables).

use crate::domain::{Anchor, BlockKind};

use super::{Builder, ExtractError};

/// A line longer than this is no heading.
const HEADING_CHARS: usize = 90;

/// Reads plain text.
pub fn extract(text: &str, out: &mut Builder) -> Result<(), ExtractError> {
    let paragraphs = paragraphs(text);
    for (at, lines) in paragraphs.iter().enumerate() {
        let next = paragraphs.get(at + 1).map(Vec::as_slice);
        let lines = match underlined(lines) {
            Some((level, rest)) => {
                heading(out, level, lines[0])?;
                rest
            }
            None => match lone_heading(lines, next, at == 0) {
                Some(level) => {
                    heading(out, level, lines[0])?;
                    continue;
                }
                None => lines,
            },
        };
        body(lines, out)?;
    }
    Ok(())
}

/// Reads paragraphs and lists, of which none is a heading.
pub fn paragraphs_of(text: &str, out: &mut Builder) -> Result<(), ExtractError> {
    paragraphs(text).iter().try_for_each(|lines| body(lines, out))
}

fn heading(out: &mut Builder, level: u8, words: &str) -> Result<(), ExtractError> {
    if level == 1 {
        out.title(words);
    }
    out.line(BlockKind::Heading(level), words, Anchor::default())
}

/// Lines between empty lines. A page break (form feed) is an empty line too.
fn paragraphs(text: &str) -> Vec<Vec<&str>> {
    let mut all = vec![Vec::new()];
    for line in text.split(['\n', '\u{c}', '\u{2029}']) {
        let line = line.trim_end();
        if line.is_empty() {
            all.push(Vec::new());
        } else if let Some(last) = all.last_mut() {
            last.push(line);
        }
    }
    all.retain(|lines| !lines.is_empty());
    all
}

/// A first line with `===` or `---` under it, and the lines after.
fn underlined<'a, 'b>(lines: &'b [&'a str]) -> Option<(u8, &'b [&'a str])> {
    let [title, rule, rest @ ..] = lines else { return None };
    let made_of = |c: char| rule.trim().chars().count() >= 3 && rule.trim().chars().all(|r| r == c);
    let level = if made_of('=') {
        1
    } else if made_of('-') || made_of('~') {
        2
    } else {
        return None;
    };
    (title.chars().count() <= HEADING_CHARS).then_some((level, rest))
}

/// A short line on its own, above longer text: the first of the file is its title; later ones count as headings only
/// when they are questions, numbered, or in capitals, since a short line may be anything.
fn lone_heading(lines: &[&str], next: Option<&[&str]>, is_first: bool) -> Option<u8> {
    let [line] = lines else { return None };
    let words = line.trim();
    let next = next?.join(" ");
    let short = words.chars().count() <= HEADING_CHARS && item(words).is_none();
    if !short || next.chars().count() <= words.chars().count() {
        return None;
    }
    if is_first && !words.ends_with(['.', '!', ',', ';', ':']) {
        return Some(1);
    }
    let letters = || words.chars().filter(|c| c.is_alphabetic());
    let capitals = letters().count() >= 3 && letters().all(|c| c.is_uppercase());
    let numbered = words.split_whitespace().next().is_some_and(|n| {
        n.starts_with(|c: char| c.is_ascii_digit())
            && n.contains('.')
            && n.chars().all(|c| c.is_ascii_digit() || c == '.')
    });
    let is_question = words.ends_with(['?', '？', '؟']) && !next.trim_end().ends_with('?');
    let ends_like_text = words.ends_with(['.', ',', ';', ':', '!']);
    ((is_question || capitals || numbered) && !ends_like_text).then_some(2)
}

fn body(lines: &[&str], out: &mut Builder) -> Result<(), ExtractError> {
    let mut rest = lines;
    while !rest.is_empty() {
        let is_item = item(rest[0]).is_some();
        // An item reaches up to the next item, with the indented lines below it; a paragraph up to the first item.
        let end = 1 + rest[1..]
            .iter()
            .position(|line| item(line).is_some() || (is_item && !line.starts_with([' ', '\t'])))
            .unwrap_or(rest.len() - 1);
        let words = &rest[..end];
        if is_item {
            out.line(BlockKind::ListItem, &words.join(" "), Anchor::default())?;
        } else if is_wrapped(words) {
            out.line(BlockKind::Paragraph, &words.join(" "), Anchor::default())?;
        } else {
            out.lines(BlockKind::Paragraph, &words.join("\n"), Anchor::default())?;
        }
        rest = &rest[end..];
    }
    Ok(())
}

/// What follows a bullet or a number with full stop or bracket.
fn item(line: &str) -> Option<&str> {
    let line = line.trim_start();
    for bullet in ["- ", "* ", "• ", "– ", "+ "] {
        if let Some(words) = line.strip_prefix(bullet) {
            return Some(words);
        }
    }
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let after = &line[digits..];
    if (1..=3).contains(&digits) {
        after.strip_prefix(". ").or_else(|| after.strip_prefix(") "))
    } else {
        None
    }
}

/// Whether the line breaks come from a fixed width: all lines but the last are about equally long.
fn is_wrapped(lines: &[&str]) -> bool {
    let [full @ .., _] = lines else { return false };
    let widths = || full.iter().map(|line| line.chars().count());
    let (Some(longest), Some(shortest)) = (widths().max(), widths().min()) else { return false };
    (40..=160).contains(&longest) && shortest * 3 >= longest * 2
}

#[cfg(test)]
mod tests {
    use super::super::tests::{read, shown};
    use crate::domain::MediaType::Plain;

    fn check(text: &str, title: Option<&str>, blocks: &[&str]) {
        let found = read(text, Plain).unwrap();
        assert_eq!(shown(&found), blocks);
        assert_eq!(found.title.as_deref(), title);
    }

    #[test]
    fn a_first_short_line_is_the_title() {
        check(
            "Refunds\n\nYou can ask for a full refund within 23 days.\n",
            Some("Refunds"),
            &["h1 Refunds", "p You can ask for a full refund within 23 days."],
        );
        check("Just one line.", None, &["p Just one line."]);
        check("Dear all,\n\nThe studio is closed.", None, &["p Dear all,", "p The studio is closed."]);
    }

    #[test]
    fn underlines_questions_and_capitals_are_headings() {
        check(
            "Guide\r\n=====\r\nIntro words.\r\n\r\nPart\r\n----\r\nMore.\r\n\r\nIs it live?\r\n\r\nNo, it is recorded.\r\n",
            Some("Guide"),
            &["h1 Guide", "p Intro words.", "h2 Part", "p More.", "h2 Is it live?", "p No, it is recorded."],
        );
        check(
            "Text first. It is long.\n\nTOOLS\n\nA knife and an easel.",
            None,
            &["p Text first. It is long.", "h2 TOOLS", "p A knife and an easel."],
        );
    }

    #[test]
    fn wrapped_lines_are_joined_others_kept() {
        let wrapped = "This paragraph was wrapped by an editor at some\nfixed width, so that its lines are about equally\nlong.";
        check(wrapped, None, &[&format!("p {}", wrapped.replace('\n', " "))]);
        check("Studio\n12 High Street\nLondon", None, &["p Studio\n12 High Street\nLondon"]);
        check(
            "You need:\n- a knife,\n  sharp\n- an easel\n1. Wash.",
            None,
            &["p You need:", "li - a knife, sharp", "li - an easel", "li 1. Wash."],
        );
    }
}
