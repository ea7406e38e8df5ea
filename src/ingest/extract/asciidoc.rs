//! AsciiDoc as text: its headings, lists, tables as rows and code, without its marks.
//!
//! Read line by line; what the language can do beyond that (includes, conditions, attributes) is left out.

use crate::domain::{Anchor, BlockKind};

use super::{Builder, ExtractError};

/// Reads AsciiDoc.
pub fn extract(source: &str, out: &mut Builder) -> Result<(), ExtractError> {
    let mut reader = Reader { out, words: Vec::new(), item: None };
    let mut lines = source.lines().map(str::trim_end);
    while let Some(line) = lines.next() {
        if let Some(fence) = fence(line) {
            reader.end()?;
            let inside: Vec<&str> = lines.by_ref().take_while(|inner| *inner != line).collect();
            match fence {
                Fence::Comment => {}
                Fence::Code => reader.out.lines(BlockKind::Code, &inside.join("\n"), Anchor::default())?,
                Fence::Table => reader.table(&inside)?,
            }
            continue;
        }
        reader.line(line)?;
    }
    reader.end()
}

enum Fence {
    Comment,
    Code,
    Table,
}

/// What a line opens that lasts up to the same line.
fn fence(line: &str) -> Option<Fence> {
    let all = |c: char| line.len() >= 4 && line.chars().all(|found| found == c);
    match line {
        _ if all('/') => Some(Fence::Comment),
        _ if all('-') || all('.') || line == "```" => Some(Fence::Code),
        "|===" | ",===" | "!===" => Some(Fence::Table),
        _ => None,
    }
}

struct Reader<'a, 'b> {
    out: &'a mut Builder<'b>,
    words: Vec<String>,
    /// The mark of the list item that is being read.
    item: Option<String>,
}

impl Reader<'_, '_> {
    fn line(&mut self, line: &str) -> Result<(), ExtractError> {
        let bare = line.trim();
        if bare.is_empty() || is_frame(bare) {
            return self.end();
        }
        if bare.starts_with("//") || is_attribute(bare) || (bare.starts_with('[') && bare.ends_with(']')) {
            return Ok(());
        }
        if bare == "+" {
            return Ok(()); // the next paragraph belongs to the item
        }
        if let Some((level, title)) = heading(line) {
            self.end()?;
            let title = words(title);
            if level == 1 {
                self.out.title(&title);
            }
            return self.out.line(BlockKind::Heading(level), &title, Anchor::default());
        }
        if let Some(title) = bare.strip_prefix('.').filter(|title| title.starts_with(char::is_alphanumeric)) {
            self.end()?;
            return self.out.line(BlockKind::Paragraph, &words(title), Anchor::default());
        }
        if ["include::", "ifdef::", "ifndef::", "endif::", "toc::"].iter().any(|word| bare.starts_with(word))
        {
            return Ok(());
        }
        if let Some((mark, rest)) = item(bare) {
            self.end()?;
            self.item = Some(mark);
            self.words.push(words(rest));
            return Ok(());
        }
        self.words.push(words(bare));
        Ok(())
    }

    fn end(&mut self) -> Result<(), ExtractError> {
        let words = std::mem::take(&mut self.words).join(" ");
        match self.item.take() {
            Some(mark) => self.out.line(BlockKind::ListItem, &format!("{mark}{words}"), Anchor::default()),
            None => self.out.line(BlockKind::Paragraph, &words, Anchor::default()),
        }
    }

    /// Rows of a table: a line with all its cells, or one line for each cell up to an empty line.
    fn table(&mut self, lines: &[&str]) -> Result<(), ExtractError> {
        let mut row: Vec<String> = Vec::new();
        for line in lines.iter().copied().chain([""]) {
            let cells: Vec<String> = line
                .split('|')
                .skip(1)
                .map(|cell| words(cell.trim()))
                .filter(|cell| !cell.is_empty())
                .collect();
            if cells.len() > 1 || line.trim().is_empty() {
                self.row(&mut row)?;
            }
            row.extend(cells.iter().cloned());
            if cells.len() > 1 {
                self.row(&mut row)?;
            }
        }
        Ok(())
    }

    fn row(&mut self, row: &mut Vec<String>) -> Result<(), ExtractError> {
        let cells = std::mem::take(row);
        self.out.line(BlockKind::TableRow, &cells.join(" | "), Anchor::default())
    }
}

/// Lines that frame an example, a quotation or a sidebar, whose words are words.
fn is_frame(line: &str) -> bool {
    line.len() >= 4 && ['=', '*', '_', '+'].iter().any(|&mark| line.chars().all(|c| c == mark))
        || line == "--"
}

/// `:toc: left`
fn is_attribute(line: &str) -> bool {
    line.strip_prefix(':').and_then(|rest| rest.split_once(':')).is_some_and(|(name, _)| {
        !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "-_!".contains(c))
    })
}

fn heading(line: &str) -> Option<(u8, &str)> {
    let marks = line.bytes().take_while(|&b| b == b'=').count();
    let title = line[marks..].strip_prefix(' ')?;
    (1..=6).contains(&marks).then_some((marks as u8, title.trim()))
}

fn item(line: &str) -> Option<(String, &str)> {
    let (mark, rest) = line.split_once(' ')?;
    let same = |c: char| mark.len() <= 6 && mark.chars().all(|found| found == c);
    if same('*') || same('-') {
        return Some(("- ".to_owned(), rest.trim()));
    }
    if same('.') {
        return Some(("- ".to_owned(), rest.trim()));
    }
    let numbered =
        mark.strip_suffix('.').is_some_and(|n| n.len() <= 3 && n.bytes().all(|b| b.is_ascii_digit()));
    numbered.then(|| (format!("{mark} "), rest.trim()))
}

/// Longer addresses are no links.
const ADDRESS_BYTES: usize = 2_000;

/// A line without marks: emphasis, links and references give their words.
pub fn words(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    // Ends that do not come any more are not looked for again: a line may have very many beginnings.
    let last_reference = line.rfind(">>").unwrap_or(0);
    let last_bracket = line.rfind(']').unwrap_or(0);
    while let Some(c) = rest.chars().next() {
        let at = line.len() - rest.len();
        if at < last_reference
            && let Some(inside) = rest.strip_prefix("<<")
            && let Some((target, after)) = inside.split_once(">>")
        {
            out.push_str(target.split_once(',').map_or(target, |(_, words)| words.trim()));
            rest = after;
            continue;
        }
        // `link:address[words]`, `image::x.png[words]`, `https://address[words]`.
        if (out.is_empty() || out.ends_with([' ', '(']))
            && at < last_bracket
            && let near = &rest[..rest.floor_char_boundary(ADDRESS_BYTES)]
            && let Some(open) = near.split(char::is_whitespace).next().and_then(|word| word.find('['))
            && rest[..open].contains(':')
            && let Some(close) = rest[open..].find(']')
        {
            let inside = &rest[open + 1..open + close];
            out.push_str(inside.split(',').next().unwrap_or(inside).trim_end_matches('^'));
            rest = &rest[open + close + 1..];
            continue;
        }
        if matches!(c, '*' | '_' | '`' | '#') && is_mark(&out, &rest[c.len_utf8()..]) {
            rest = &rest[c.len_utf8()..];
            continue;
        }
        out.push(c);
        rest = &rest[c.len_utf8()..];
    }
    out
}

/// Marks stand at the edge of a word, not within one or between spaces.
fn is_mark(before: &str, after: &str) -> bool {
    let letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let space = |c: Option<char>| c.is_none_or(char::is_whitespace);
    let (left, right) = (before.chars().next_back(), after.chars().next());
    !(letter(left) && letter(right) || space(left) && space(right))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{read, shown};
    use crate::domain::MediaType::Asciidoc;

    #[test]
    fn very_many_beginnings_without_an_end_take_no_time() {
        let began = std::time::Instant::now();
        for begin in ["<div>", "<<", "a:[ ", "(", "`"] {
            let line = begin.repeat(50_000);
            assert!(!super::words(&line).is_empty() || begin == "`");
        }
        assert!(began.elapsed().as_secs() < 5);
    }

    #[test]
    fn structure_stays_and_marks_go() {
        let source = "= Glazing\nAnna Hart\n:toc: left\n\n== Tools\n\nUse *thin* _layers_ of `oil`, see <<dry,Drying>> and link:x.html[the page].\n// no\n\n\
            * a brush\n* a rag,\nclean\n. first\n\n[source,sh]\n----\nmake = x\n----\n\n|===\n|Colour |Tube\n\n|Ochre\n|61\n|===\n\nNOTE: Snake_case 2 * 3 stays.\n";
        let text = read(source, Asciidoc).unwrap();
        assert_eq!(text.title.as_deref(), Some("Glazing"));
        assert_eq!(
            shown(&text),
            [
                "h1 Glazing",
                "p Anna Hart",
                "h2 Tools",
                "p Use thin layers of oil, see Drying and the page.",
                "li - a brush",
                "li - a rag, clean",
                "li - first",
                "code make = x",
                "tr Colour | Tube",
                "tr Ochre | 61",
                "p NOTE: Snake_case 2 * 3 stays."
            ]
        );
    }
}
