//! Blocks to a [`Text`], within limits: what every reader of a format writes into.
//!
//! Cleans what it is given (see `clean`), drops empty blocks, keeps warnings once, and ends the work when a limit is
//! reached or the caller wants to stop.

use crate::domain::area::{Line, Sheet};
use crate::domain::{Anchor, BlockKind, ExtractWarning, Text};

use super::clean::{clean, clean_line};
use super::{ExtractError, ExtractOptions};

/// A text in the making.
pub struct Builder<'a> {
    text: Text,
    options: &'a ExtractOptions<'a>,
}

/// The caller is asked for a stop once in so many blocks.
const STOP_EVERY: usize = 256;

impl<'a> Builder<'a> {
    pub fn new(options: &'a ExtractOptions<'a>) -> Self {
        Self { text: Text::default(), options }
    }

    /// Appends a block of running text: white space becomes single spaces.
    pub fn line(&mut self, kind: BlockKind, words: &str, anchor: Anchor) -> Result<(), ExtractError> {
        self.push(kind, clean_line(words), anchor)
    }

    /// The same with the lines of a page that it was put together from; they begin at bytes of `words`.
    pub fn placed(
        &mut self,
        kind: BlockKind,
        words: &str,
        anchor: Anchor,
        lines: &[Line],
    ) -> Result<(), ExtractError> {
        let before = self.text.blocks.len();
        self.line(kind, words, anchor)?;
        let Some(block) = self.text.blocks.get(before) else { return Ok(()) };
        let (start, last) = (block.span.start, block.span.end - 1);
        self.text
            .lines
            .extend(lines.iter().map(|line| Line { start: (start + line.start).min(last), ..*line }));
        Ok(())
    }

    /// The pages as they are shown, which lines point to.
    pub fn sheets(&mut self, sheets: Vec<Sheet>) {
        self.text.sheets = sheets;
    }

    /// Appends a block whose line breaks and indents mean something.
    pub fn lines(&mut self, kind: BlockKind, words: &str, anchor: Anchor) -> Result<(), ExtractError> {
        self.push(kind, clean(words), anchor)
    }

    fn push(&mut self, kind: BlockKind, words: String, anchor: Anchor) -> Result<(), ExtractError> {
        if words.is_empty() {
            return Ok(());
        }
        let limits = self.options.limits;
        if self.text.blocks.len() >= limits.blocks {
            return Err(ExtractError::TooMany { what: "paragraphs", limit: limits.blocks });
        }
        if self.text.text.len() + words.len() > limits.words_bytes {
            return Err(ExtractError::TooMany { what: "bytes of text", limit: limits.words_bytes });
        }
        if self.text.blocks.len().is_multiple_of(STOP_EVERY) && (self.options.stop)() {
            return Err(ExtractError::Stopped);
        }
        self.text.push(kind, &words, anchor);
        Ok(())
    }

    /// Sets the title, unless there is one or this one is empty.
    pub fn title(&mut self, title: &str) {
        let title = clean_line(title);
        if self.text.title.is_none() && !title.is_empty() {
            self.text.title = Some(title.chars().take(300).collect());
        }
    }

    pub fn has_title(&self) -> bool {
        self.text.title.is_some()
    }

    /// Something was not read; said once, however often it happens.
    pub fn warn(&mut self, sentence: impl Into<String>) {
        let warning = ExtractWarning(sentence.into());
        if !self.text.warnings.contains(&warning) {
            self.text.warnings.push(warning);
        }
    }

    /// Pages that are pictures, whose words something else may recognise.
    pub fn pictures(&mut self, pages: Vec<u32>) {
        self.text.pictures = pages;
    }

    pub fn pages(&mut self, pages: usize) {
        self.text.pages = u32::try_from(pages).ok();
    }

    /// The text, even if there is none: a recording without a word is still what the creator brought in.
    pub fn finish_empty(self) -> Text {
        self.text
    }

    /// The text, if there is any.
    pub fn finish(self) -> Result<Text, ExtractError> {
        if self.text.blocks.is_empty() { Err(ExtractError::NoText) } else { Ok(self.text) }
    }
}
