//! reStructuredText as text: its headings, lists, tables as rows and code, without its marks.
//!
//! A heading is a line over (or between) lines of one mark; which mark is which level is told by the order in which
//! they come, as docutils does. Directives give what they hold, comments and targets nothing.

use crate::domain::{Anchor, BlockKind};

use super::{Builder, ExtractError};

/// Reads reStructuredText.
pub fn extract(source: &str, out: &mut Builder) -> Result<(), ExtractError> {
    let lines: Vec<&str> = source.lines().map(str::trim_end).collect();
    let mut reader = Reader { out, marks: Vec::new() };
    let mut at = 0;
    while at < lines.len() {
        at = reader.block(&lines, at)?;
    }
    Ok(())
}

struct Reader<'a, 'b> {
    out: &'a mut Builder<'b>,
    /// Marks of headings in the order of their levels, and whether they stand above too.
    marks: Vec<(char, bool)>,
}

impl Reader<'_, '_> {
    /// Reads one block and says where the next line is.
    fn block(&mut self, lines: &[&str], at: usize) -> Result<usize, ExtractError> {
        let line = lines[at];
        let next = lines.get(at + 1).copied().unwrap_or_default();
        let bare = line.trim();
        if bare.is_empty() {
            return Ok(at + 1);
        }
        let width = |line: &str| line.trim().chars().count();
        if let Some(mark) = rule(line) {
            let below = lines.get(at + 2).copied().unwrap_or_default();
            if !is_table_rule(line)
                && rule(below) == Some(mark)
                && !next.is_empty()
                && width(next) <= width(below)
            {
                self.heading(next, (mark, true))?;
                return Ok(at + 3);
            }
            if is_table_rule(line) {
                return self.table(lines, at);
            }
            return Ok(at + 1); // a line across the page
        }
        if let Some(mark) = rule(next)
            && !line.starts_with(' ')
            && width(line) <= width(next)
        {
            self.heading(line, (mark, false))?;
            return Ok(at + 2);
        }
        if bare.starts_with("+-") && bare.ends_with('+') {
            return self.table(lines, at);
        }
        if let Some(rest) = bare.strip_prefix(".. ") {
            return self.directive(lines, at, rest);
        }
        if bare == ".." || is_field(bare) {
            return Ok(indented(lines, at + 1));
        }
        self.text(lines, at)
    }

    fn heading(&mut self, words: &str, mark: (char, bool)) -> Result<(), ExtractError> {
        let level = match self.marks.iter().position(|known| *known == mark) {
            Some(level) => level,
            None => {
                self.marks.push(mark);
                self.marks.len() - 1
            }
        };
        let words = plain(words.trim());
        if level == 0 {
            self.out.title(&words);
        }
        self.out.line(BlockKind::Heading(level.min(8) as u8 + 1), &words, Anchor::default())
    }

    /// `.. name:: words` with what is indented below it.
    fn directive(&mut self, lines: &[&str], at: usize, rest: &str) -> Result<usize, ExtractError> {
        let end = indented(lines, at + 1);
        let inside = &lines[at + 1..end];
        let Some((name, argument)) = rest.split_once("::") else { return Ok(end) };
        match name.trim() {
            "code" | "code-block" | "sourcecode" | "literalinclude" | "parsed-literal" => {
                self.out.lines(BlockKind::Code, &dedented(inside, true), Anchor::default())?;
            }
            "image" | "figure" | "toctree" | "contents" | "include" | "raw" | "meta" | "index" | "math"
            | "only" | "highlight" | "currentmodule" | "default-role" | "role" => {}
            _ => {
                let title = plain(argument.trim());
                self.out.line(BlockKind::Paragraph, &title, Anchor::default())?;
                let inside = dedented(inside, true);
                let inside: Vec<&str> = inside.lines().collect();
                // What stands within stands within less: each turn takes away an indent.
                let mut inner = 0;
                while inner < inside.len() {
                    if inside[inner].trim().starts_with(".. ") || inside[inner].trim().is_empty() {
                        inner += 1;
                        continue;
                    }
                    inner = self.text(&inside, inner)?;
                }
            }
        }
        Ok(end)
    }

    /// A paragraph or an item of a list, and a block of code where it ends with `::`.
    fn text(&mut self, lines: &[&str], at: usize) -> Result<usize, ExtractError> {
        let first = lines[at].trim();
        let (mark, rest) = item(first).unwrap_or_default();
        let is_item = !mark.is_empty();
        let indent = |line: &str| line.len() - line.trim_start().len();
        let mut words = vec![if is_item { rest } else { first }];
        let mut end = at + 1;
        while let Some(line) = lines.get(end).filter(|line| !line.trim().is_empty()) {
            let goes_on =
                if is_item { indent(line) > indent(lines[at]) } else { item(line.trim()).is_none() };
            if !goes_on || line.trim_start().starts_with(".. ") {
                break;
            }
            words.push(line.trim());
            end += 1;
        }
        let words = words.join(" ");
        let code_follows = words.ends_with("::");
        let shown =
            plain(words.strip_suffix("::").map_or(words.as_str(), |words| words.trim_end_matches(':')));
        let shown = if code_follows && !shown.is_empty() { format!("{shown}:") } else { shown };
        if is_item {
            self.out.line(BlockKind::ListItem, &format!("{mark}{shown}"), Anchor::default())?;
        } else {
            self.out.line(BlockKind::Paragraph, &shown, Anchor::default())?;
        }
        if code_follows {
            let code_end = indented(lines, end);
            self.out.lines(BlockKind::Code, &dedented(&lines[end..code_end], false), Anchor::default())?;
            return Ok(code_end.max(end));
        }
        Ok(end)
    }

    /// A table of either kind: rows are the lines between rules.
    fn table(&mut self, lines: &[&str], at: usize) -> Result<usize, ExtractError> {
        let is_grid = lines[at].trim_start().starts_with('+');
        let columns = columns(lines[at].trim());
        let mut end = at + 1;
        let mut row: Vec<String> = Vec::new();
        while let Some(line) = lines.get(end).filter(|line| !line.trim().is_empty()) {
            let line = line.trim();
            end += 1;
            if line.starts_with('+') || is_table_rule(line) {
                self.row(&mut row)?;
                if !is_grid && lines.get(end).is_none_or(|next| next.trim().is_empty()) {
                    break;
                }
                continue;
            }
            let cells: Vec<String> = if is_grid {
                line.trim_matches('|').split('|').map(|cell| plain(cell.trim())).collect()
            } else {
                cut(line, &columns).iter().map(|cell| plain(cell)).collect()
            };
            // A line of a grid without a rule above goes on with its row; so does one without a first cell.
            let goes_on = !row.is_empty() && (is_grid || cells.first().is_some_and(String::is_empty));
            if goes_on {
                for (old, new) in row.iter_mut().zip(&cells).filter(|(_, new)| !new.is_empty()) {
                    old.push(' ');
                    old.push_str(new);
                }
            } else {
                self.row(&mut row)?;
                row = cells;
            }
        }
        self.row(&mut row)?;
        Ok(end)
    }

    fn row(&mut self, row: &mut Vec<String>) -> Result<(), ExtractError> {
        let cells = std::mem::take(row);
        if cells.iter().all(String::is_empty) {
            return Ok(());
        }
        self.out.line(BlockKind::TableRow, &cells.join(" | "), Anchor::default())
    }
}

/// The mark that a line is made of, if it is a line under a heading.
fn rule(line: &str) -> Option<char> {
    let mark = line.chars().next().filter(|c| c.is_ascii_punctuation())?;
    (line.chars().count() >= 3 && line.chars().all(|c| c == mark || (c == ' ' && mark == '=')))
        .then_some(mark)
}

fn is_table_rule(line: &str) -> bool {
    let line = line.trim();
    line.starts_with('=') && line.contains("= ") && line.chars().all(|c| c == '=' || c == ' ')
}

/// Where the columns of a table begin.
fn columns(rule: &str) -> Vec<usize> {
    let mut begins = vec![0];
    let chars: Vec<char> = rule.chars().collect();
    begins.extend((1..chars.len()).filter(|&at| chars[at] == '=' && chars[at - 1] == ' '));
    begins
}

fn cut(line: &str, columns: &[usize]) -> Vec<String> {
    let chars: Vec<char> = line.chars().collect();
    let ends = columns.iter().skip(1).copied().chain([chars.len()]);
    let range = |(from, to): (&usize, usize)| {
        let to = to.min(chars.len());
        chars[(*from).min(to)..to].iter().collect::<String>().trim().to_owned()
    };
    columns.iter().zip(ends).map(range).collect()
}

/// `:author: Anna`
fn is_field(line: &str) -> bool {
    line.strip_prefix(':').and_then(|rest| rest.split_once(": ")).is_some_and(|(name, _)| !name.contains('`'))
}

/// The first line from `at` on that is neither empty nor indented; empty lines before it are not counted.
fn indented(lines: &[&str], at: usize) -> usize {
    let mut end = at;
    for (place, line) in lines.iter().enumerate().skip(at) {
        if line.trim().is_empty() {
            continue;
        }
        if !line.starts_with([' ', '\t']) {
            break;
        }
        end = place + 1;
    }
    end
}

/// Lines without the indent that all have; options (`:name: value`) are left out on request.
fn dedented(lines: &[&str], without_options: bool) -> String {
    let indent = |line: &&str| line.len() - line.trim_start().len();
    let shared = lines.iter().filter(|line| !line.trim().is_empty()).map(indent).min().unwrap_or(0);
    let kept = lines.iter().filter(|line| !(without_options && is_option(line.trim())));
    kept.map(|line| line.get(shared..).unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

fn is_option(line: &str) -> bool {
    line.strip_prefix(':')
        .and_then(|rest| rest.split_once(':'))
        .is_some_and(|(name, _)| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '-'))
}

fn item(line: &str) -> Option<(String, &str)> {
    let (mark, rest) = line.split_once(' ')?;
    if matches!(mark, "-" | "*" | "+" | "•" | "#.") {
        return Some(("- ".to_owned(), rest.trim()));
    }
    let number = mark.strip_suffix(['.', ')'])?;
    let is_number = (1..=3).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| (format!("{number}. "), rest.trim()))
}

/// A line without marks: emphasis, roles, links and references give their words.
fn plain(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        if c == ':'
            && let Some(after) = role(rest)
        {
            rest = after;
            continue;
        }
        if c == '`' {
            let marks = rest.bytes().take_while(|&b| b == b'`').count().min(2);
            let fence = &rest[..marks];
            if let Some((inside, after)) = rest[marks..].split_once(fence) {
                let words = if marks == 1 { inside.split(" <").next().unwrap_or(inside) } else { inside };
                out.push_str(words);
                rest = if marks == 1 { after.trim_start_matches('_') } else { after };
                continue;
            }
        }
        if c == '*' {
            rest = rest.trim_start_matches('*');
            let lonely = out.ends_with(' ') && rest.starts_with(' ');
            out.push_str(if lonely { "*" } else { "" });
            continue;
        }
        out.push(c);
        rest = &rest[c.len_utf8()..];
    }
    out.trim().to_owned()
}

/// What follows `:role:` before a backquote.
fn role(rest: &str) -> Option<&str> {
    let (name, after) = rest.strip_prefix(':')?.split_once(':')?;
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "-_+.".contains(c));
    (is_name && after.starts_with('`')).then_some(after)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{read, shown};
    use crate::domain::MediaType::Rst;

    #[test]
    fn structure_stays_and_marks_go() {
        let source = "=======\nGlazing\n=======\n\n:author: Anna\n\nTools\n=====\n\nUse *thin* **layers** of ``oil``, see :ref:`drying <dry>` and `the page <x>`_.\n\n\
            - a brush\n- a rag,\n  clean\n\n1. first\n\n.. note:: Mind the gap.\n   It dries.\n\n.. code-block:: sh\n   :linenos:\n\n   make x\n\n.. a comment\n   more\n\n\
            ======  ====\nColour  Tube\n======  ====\nOchre   61\n======  ====\n\n+---+---+\n| a | b |\n+===+===+\n| c | d |\n+---+---+\n\nExample::\n\n    code here\n\nDeep\n----\n\nend.\n";
        let text = read(source, Rst).unwrap();
        assert_eq!(text.title.as_deref(), Some("Glazing"));
        assert_eq!(
            shown(&text),
            [
                "h1 Glazing",
                "h2 Tools",
                "p Use thin layers of oil, see drying and the page.",
                "li - a brush",
                "li - a rag, clean",
                "li 1. first",
                "p Mind the gap.",
                "p It dries.",
                "code make x",
                "tr Colour | Tube",
                "tr Ochre | 61",
                "tr a | b",
                "tr c | d",
                "p Example:",
                "code code here",
                "h3 Deep",
                "p end."
            ]
        );
    }
}
