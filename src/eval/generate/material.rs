//! Documents as the generator sees them: sections under headings, with their sentences and list items.

use crate::domain::{Block, BlockKind};
use crate::index::analyze::Language;
use crate::index::analyze::sentences::{PieceKind, pieces};

use super::phrases::{Phrases, phrases};

/// A document with its words and their structure.
#[derive(Debug, Clone)]
pub struct Source {
    /// What `eval answers` calls it: the id of a corpus line.
    pub id: String,
    pub title: String,
    pub text: String,
    pub blocks: Vec<Block>,
    pub language: Language,
}

/// What stands under one heading.
#[derive(Debug)]
pub struct Section<'a> {
    pub source: &'a Source,
    /// Outermost first; empty before the first heading.
    pub headings: Vec<String>,
    /// Sentences of its paragraphs in order, verbatim.
    pub sentences: Vec<&'a str>,
    pub items: Vec<&'a str>,
}

impl<'a> Section<'a> {
    /// The innermost heading.
    pub fn heading(&self) -> &str {
        self.headings.last().map_or("", String::as_str)
    }

    pub fn phrases(&self) -> &'static Phrases {
        phrases(self.source.language)
    }

    /// Everything that is said here.
    pub fn statements(&self) -> impl Iterator<Item = &'a str> + '_ {
        self.sentences.iter().chain(&self.items).copied()
    }
}

/// All sections that say something, in order.
pub fn sections(sources: &[Source]) -> Vec<Section<'_>> {
    let mut all = Vec::new();
    for source in sources {
        let mut above: Vec<(u8, String)> = Vec::new();
        let mut here = Section { source, headings: Vec::new(), sentences: Vec::new(), items: Vec::new() };
        for block in &source.blocks {
            let words = block.span.of(&source.text);
            match block.kind {
                BlockKind::Heading(level) => {
                    above.retain(|(other, _)| *other < level);
                    above.push((level, plain(words)));
                    let headings = above.iter().map(|(_, heading)| heading.clone()).collect();
                    let next = Section { source, headings, sentences: Vec::new(), items: Vec::new() };
                    all.push(std::mem::replace(&mut here, next));
                }
                BlockKind::Paragraph | BlockKind::Cue => {
                    let sentences = pieces(words, source.language)
                        .into_iter()
                        .filter(|piece| piece.kind == PieceKind::Sentence);
                    here.sentences.extend(sentences.map(|piece| piece.span.of(words)));
                }
                BlockKind::ListItem => here.items.push(without_mark(words)),
                BlockKind::Code | BlockKind::TableRow => {}
            }
        }
        all.push(here);
    }
    all.retain(|section| !section.sentences.is_empty() || !section.items.is_empty());
    all
}

/// A heading without its marks.
fn plain(heading: &str) -> String {
    heading.trim_start_matches('#').replace(['*', '`', '_'], "").trim().to_owned()
}

/// `- **For you:** this` is `**For you:** this`.
fn without_mark(item: &str) -> &str {
    let item = item.trim();
    let number = item.bytes().take_while(u8::is_ascii_digit).count();
    let rest = match item.as_bytes().get(number) {
        Some(b'.' | b')') if number > 0 => &item[number + 1..],
        Some(b'-' | b'*' | b'+') if number == 0 && item[1..].starts_with(' ') => &item[1..],
        _ => item.trim_start_matches('•'),
    };
    rest.trim_start()
}
