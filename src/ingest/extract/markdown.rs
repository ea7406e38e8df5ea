//! Markdown: its structure as blocks, its words without its marks.
//!
//! A paragraph is one line, a list item keeps `- ` or its number, a table row is its cells between ` | `, code keeps
//! its lines. Links and pictures give their words, raw HTML goes through the reader for HTML. The title comes from the
//! front matter, else from the first heading of level 1. [`outline`] gives the same blocks as ranges of the source,
//! for text that must be kept as it is.

use std::ops::Range;

use pulldown_cmark::{Event, HeadingLevel, MetadataBlockKind, Options, Parser, Tag, TagEnd};

use crate::domain::{Anchor, BlockKind};

use super::{Builder, ExtractError, html};

fn options() -> Options {
    Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_HEADING_ATTRIBUTES
        | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS
        | Options::ENABLE_PLUSES_DELIMITED_METADATA_BLOCKS
        | Options::ENABLE_GFM
}

/// Reads Markdown.
pub fn extract(source: &str, out: &mut Builder) -> Result<(), ExtractError> {
    let mut reader = Reader {
        out,
        words: String::new(),
        lists: Vec::new(),
        marker: None,
        cells: Vec::new(),
        within: Within::Text,
    };
    for event in Parser::new_ext(source, options()) {
        reader.event(event)?;
    }
    reader.flush(BlockKind::Paragraph)
}

/// What the words that arrive belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Within {
    Text,
    Code,
    Html,
    FrontMatter,
}

struct Reader<'a, 'b> {
    out: &'a mut Builder<'b>,
    words: String,
    /// Open lists, innermost last: the next number, or none for bullets.
    lists: Vec<Option<u64>>,
    /// What stands before the words of the item that was just opened.
    marker: Option<String>,
    cells: Vec<String>,
    within: Within,
}

impl Reader<'_, '_> {
    fn event(&mut self, event: Event) -> Result<(), ExtractError> {
        match event {
            Event::Start(tag) => self.start(tag)?,
            Event::End(tag) => self.end(tag)?,
            Event::Text(words)
            | Event::Code(words)
            | Event::InlineMath(words)
            | Event::DisplayMath(words) => {
                self.words.push_str(&words);
            }
            Event::Html(raw) => self.words.push_str(&raw),
            Event::InlineHtml(raw) if raw.to_ascii_lowercase().starts_with("<br") => self.words.push('\n'),
            Event::SoftBreak => self.words.push(' '),
            Event::HardBreak => self.words.push('\n'),
            Event::TaskListMarker(done) => self.words.push_str(if done { "[x] " } else { "[ ] " }),
            Event::InlineHtml(_) | Event::FootnoteReference(_) | Event::Rule => {}
        }
        Ok(())
    }

    fn start(&mut self, tag: Tag) -> Result<(), ExtractError> {
        match tag {
            Tag::List(first) => {
                self.flush(BlockKind::Paragraph)?;
                self.lists.push(first);
            }
            Tag::Item => {
                self.flush(BlockKind::Paragraph)?;
                self.marker = Some(match self.lists.last_mut() {
                    Some(Some(number)) => {
                        *number = number.saturating_add(1);
                        format!("{}. ", number.saturating_sub(1))
                    }
                    _ => "- ".to_owned(),
                });
            }
            Tag::CodeBlock(_) => self.enter(Within::Code)?,
            Tag::HtmlBlock => self.enter(Within::Html)?,
            Tag::MetadataBlock(_) => self.enter(Within::FrontMatter)?,
            Tag::Paragraph
            | Tag::Heading { .. }
            | Tag::BlockQuote(_)
            | Tag::Table(_)
            | Tag::FootnoteDefinition(_) => {
                self.flush(BlockKind::Paragraph)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn enter(&mut self, within: Within) -> Result<(), ExtractError> {
        self.flush(BlockKind::Paragraph)?;
        self.within = within;
        Ok(())
    }

    fn end(&mut self, tag: TagEnd) -> Result<(), ExtractError> {
        match tag {
            TagEnd::Heading(level) => {
                if level == HeadingLevel::H1 {
                    self.out.title(&self.words);
                }
                self.flush(BlockKind::Heading(level as u8))?;
            }
            TagEnd::Paragraph | TagEnd::Item | TagEnd::BlockQuote(_) | TagEnd::FootnoteDefinition => {
                self.flush(BlockKind::Paragraph)?;
                if tag == TagEnd::Item {
                    self.marker = None;
                }
            }
            TagEnd::List(_) => {
                self.flush(BlockKind::Paragraph)?;
                self.lists.pop();
            }
            TagEnd::TableCell => self.cells.push(std::mem::take(&mut self.words).trim().replace('\n', " ")),
            TagEnd::TableHead | TagEnd::TableRow => {
                let cells = std::mem::take(&mut self.cells);
                if cells.iter().any(|cell| !cell.is_empty()) {
                    self.out.line(BlockKind::TableRow, &cells.join(" | "), Anchor::default())?;
                }
            }
            TagEnd::CodeBlock => {
                self.within = Within::Text;
                let code = std::mem::take(&mut self.words);
                self.out.lines(BlockKind::Code, &code, Anchor::default())?;
            }
            TagEnd::HtmlBlock => {
                self.within = Within::Text;
                let raw = std::mem::take(&mut self.words);
                html::fragment(&raw, self.out)?;
            }
            TagEnd::MetadataBlock(kind) => {
                self.within = Within::Text;
                let matter = std::mem::take(&mut self.words);
                if let Some(title) = front_matter_title(&matter, kind) {
                    self.out.title(title);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Ends the block that was being read; the first of a list item carries its marker.
    fn flush(&mut self, kind: BlockKind) -> Result<(), ExtractError> {
        if self.words.trim().is_empty() {
            self.words.clear();
            return Ok(());
        }
        let words = std::mem::take(&mut self.words);
        let (kind, words) = match (kind, self.marker.take()) {
            (BlockKind::Paragraph, Some(marker)) => {
                (BlockKind::ListItem, format!("{marker}{}", words.trim_start()))
            }
            (kind, _) => (kind, words),
        };
        if kind == BlockKind::Paragraph && words.trim().contains('\n') {
            self.out.lines(kind, &words, Anchor::default())
        } else {
            self.out.line(kind, &words, Anchor::default())
        }
    }
}

/// The value of `title:` (YAML) or `title =` (TOML) on a line of its own.
fn front_matter_title(matter: &str, kind: MetadataBlockKind) -> Option<&str> {
    let separator = if kind == MetadataBlockKind::YamlStyle { ':' } else { '=' };
    let value = matter.lines().find_map(|line| {
        let (key, value) = line.split_once(separator)?;
        (key.trim() == "title" && !line.starts_with([' ', '\t'])).then_some(value.trim())
    })?;
    let quoted = |mark: char| value.strip_prefix(mark).and_then(|v| v.strip_suffix(mark));
    // `title: >` begins a folded block, which is rare enough to leave to the first heading.
    Some(quoted('"').or_else(|| quoted('\'')).unwrap_or(value))
        .filter(|v| !v.starts_with(['>', '|', '[', '{']))
}

/// The blocks of a Markdown source as ranges of it, marks included; nested lists stay with their item.
pub fn outline(source: &str) -> Vec<(BlockKind, Range<usize>)> {
    let mut blocks: Vec<(BlockKind, Range<usize>)> = Vec::new();
    let mut until = 0;
    for (event, range) in Parser::new_ext(source, options()).into_offset_iter() {
        let kind = match event {
            Event::Start(Tag::Heading { level, .. }) => BlockKind::Heading(level as u8),
            Event::Start(Tag::Item) => BlockKind::ListItem,
            Event::Start(Tag::CodeBlock(_)) => BlockKind::Code,
            Event::Start(Tag::TableHead | Tag::TableRow) => BlockKind::TableRow,
            Event::Start(Tag::Paragraph | Tag::HtmlBlock | Tag::MetadataBlock(_)) => BlockKind::Paragraph,
            _ => continue,
        };
        // What lies within a block that was taken belongs to it.
        if range.start >= until {
            until = range.end;
            blocks.push((kind, range));
        }
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::super::tests::{read, shown};
    use super::*;
    use crate::domain::MediaType::Markdown;

    fn check(source: &str, title: Option<&str>, blocks: &[&str]) {
        let found = read(source, Markdown).unwrap();
        assert_eq!(shown(&found), blocks);
        assert_eq!(found.title.as_deref(), title);
    }

    #[test]
    fn structure_becomes_blocks_and_marks_go() {
        check(
            "# Brushes\n\nRinse *them* in\ncold [water](https://example.org) &amp; dry.\n\n## Choosing {#c}\n\nA `size 8`  \nbrush![a cat](c.png)[^1].\n\n[^1]: A note.\n",
            Some("Brushes"),
            &[
                "h1 Brushes",
                "p Rinse them in cold water & dry.",
                "h2 Choosing",
                "p A size 8\nbrusha cat.",
                "p A note.",
            ],
        );
        check(
            "- one\n- two\n  - inner\n\n3. three\n\n   more\n4. [ ] four\n",
            None,
            &["li - one", "li - two", "li - inner", "li 3. three", "p more", "li 4. [ ] four"],
        );
        check(
            "| a | b |\n|---|---|\n| *1* | 2 |\n\n```py\nx = 1\n\n  y\n```\n",
            None,
            &["tr a | b", "tr 1 | 2", "code x = 1\n\n  y"],
        );
        check(
            "> quoted\n> text\n\n<div><p>raw <b>html</b></p><script>zebra</script></div>\n\nend <b>x</b><br>y",
            None,
            &["p quoted text", "p raw html", "p end x\ny"],
        );
    }

    #[test]
    fn the_front_matter_gives_the_title() {
        check(
            "---\ntitle: \"Week 1\"\ntags: [a]\n---\n\n# Other\n\ntext",
            Some("Week 1"),
            &["h1 Other", "p text"],
        );
        check("+++\ntitle = 'Week 2'\n+++\ntext", Some("Week 2"), &["p text"]);
    }

    #[test]
    fn an_outline_names_ranges_of_the_source() {
        let source = "## A\n\ntext *b*\n\n- x\n  - y\n- z\n";
        let found: Vec<_> = outline(source).into_iter().map(|(kind, r)| (kind, source[r].trim())).collect();
        let item = BlockKind::ListItem;
        assert_eq!(
            found,
            [
                (BlockKind::Heading(2), "## A"),
                (BlockKind::Paragraph, "text *b*"),
                (item, "- x\n  - y"),
                (item, "- z")
            ]
        );
    }

    #[test]
    fn deep_nesting_ends_soon() {
        for unit in ["> ", "- ", "* a\n ", "[", "**a", "`", "<div>"] {
            let started = std::time::Instant::now();
            let result = read(format!("{}x", unit.repeat(20_000)), Markdown);
            assert!(started.elapsed().as_secs() < 20, "{unit:?}");
            assert!(result.is_ok() || !result.unwrap_err().hint().is_empty());
        }
    }
}
