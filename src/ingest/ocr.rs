//! Words of scans and pictures, by `tesseract` where the creator has it: grey pages or a picture's bytes in, paragraphs out.
//!
//! Pages of a PDF are drawn by the sandbox and come here as plain dots. A picture's own bytes are read by tesseract, which
//! runs fenced in and with limits of memory and time, gets no path, and is killed when its words are not wanted any more.
//! Called by `prepare`.

mod page;
mod tesseract;

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, OnceLock};

use super::extract::ExtractError;
use super::extract::pdf::{self, Sheet};
use super::sandbox::{Confinement, Reader};
use crate::domain::{Anchor, BlockKind, ExtractWarning, MediaType, Text};
use bytes::Bytes;
use tesseract::Tesseract;

/// Pages that are recognised of one document: a thick book, at some seconds for each.
const MOST_PAGES: usize = 1_000;
/// Pages that are drawn at a time; each takes some megabytes.
const AT_ONCE: usize = 4;

/// What recognises text.
#[derive(Debug, Clone, Default)]
pub struct Ocr {
    /// `auto`, `off`, or tesseract's names with `+` between them.
    languages: String,
    found: Arc<OnceLock<Option<Found>>>,
}

/// What is installed of what is wanted.
#[derive(Debug)]
struct Found {
    tesseract: Tesseract,
    languages: String,
}

/// What is said of a document whose words were recognised.
const RECOGNISED: &str = "read by text recognition: words may be wrong";

impl Ocr {
    /// As the settings name the languages.
    pub fn new(languages: &str) -> Self {
        Self { languages: languages.to_owned(), found: Arc::default() }
    }

    /// The languages that are recognised; `None` when nothing is. The first call asks tesseract.
    pub fn languages(&self) -> Option<&str> {
        self.found().map(|found| found.languages.as_str())
    }

    /// How well tesseract is confined; `None` when nothing is recognised.
    pub fn confinement(&self) -> Option<&Confinement> {
        self.found().map(|found| &found.tesseract.confinement)
    }

    fn found(&self) -> Option<&Found> {
        let look = || match self.languages.as_str() {
            "" | "off" => None,
            wanted => {
                let tesseract = tesseract::find()?;
                let languages = chosen(wanted, &tesseract.languages)?;
                Some(Found { tesseract, languages })
            }
        };
        self.found.get_or_init(look).as_ref()
    }

    /// Reads a document again that holds pages without words: its text with theirs, or as it was when nothing can
    /// recognise them.
    pub fn complete(
        &self,
        read: Result<(MediaType, Text), ExtractError>,
        bytes: &Bytes,
        password: Option<&str>,
        reader: &mut Reader,
    ) -> Result<(MediaType, Text), ExtractError> {
        let (text, wanted): (Text, Vec<u32>) = match &read {
            Ok((MediaType::Pdf, text)) if !text.pictures.is_empty() => (text.clone(), text.pictures.clone()),
            Err(ExtractError::Scanned { pages }) => {
                let pages = u32::try_from(*pages).unwrap_or(u32::MAX);
                (Text { pages: Some(pages), ..Text::default() }, (1..=pages).collect())
            }
            _ => return read,
        };
        let Some(Found { tesseract, languages }) = self.found() else {
            return read.map(|(media, mut text)| {
                // A page with a number and a photograph is no scan that anybody misses.
                if !text.warnings.iter().any(|one| one.0.ends_with(pdf::PICTURE)) {
                    return (media, text);
                }
                text.warnings.push(ExtractWarning(
                    "pages that are pictures were not read: install `tesseract` to have their text recognised".into(),
                ));
                (media, text)
            });
        };
        let mut found = BTreeMap::new();
        for some in wanted[..wanted.len().min(MOST_PAGES)].chunks(AT_ONCE) {
            let sheets = match reader.pictures(bytes, some, password) {
                Ok(sheets) => sheets,
                Err(error @ (ExtractError::Stopped | ExtractError::NoReader(_))) => return Err(error),
                // What was recognised so far is better than nothing.
                Err(error) => {
                    tracing::warn!(%error, "scanned pages cannot be drawn");
                    break;
                }
            };
            for (page, sheet) in sheets {
                let paragraphs = match tesseract::words(tesseract, &pgm(&sheet)?, languages, reader.stop()) {
                    Err(ExtractError::Stopped) => return Err(ExtractError::Stopped),
                    recognised => recognised.unwrap_or_default(),
                };
                found.insert(page, paragraphs);
            }
        }
        if found.values().all(Vec::is_empty) {
            return read;
        }
        Ok((MediaType::Pdf, merged(text, &found, wanted.len().saturating_sub(MOST_PAGES))))
    }

    /// Reads a picture.
    pub fn picture(&self, bytes: &[u8], stop: &(dyn Fn() -> bool + Sync)) -> Result<Text, ExtractError> {
        let Some(Found { tesseract, languages }) = self.found() else {
            return Err(ExtractError::Picture);
        };
        let paragraphs = tesseract::words(tesseract, bytes, languages, stop)?;
        if paragraphs.is_empty() {
            return Err(ExtractError::NoText);
        }
        let mut text = Text::default();
        for words in &paragraphs {
            text.push(BlockKind::Paragraph, words, Anchor::default());
        }
        text.warnings.push(ExtractWarning(RECOGNISED.into()));
        Ok(text)
    }
}

/// Languages that are taken when nobody says which: more than some only make recognition slower and worse.
const USUAL: [&str; 8] = ["eng", "deu", "fra", "spa", "ita", "por", "nld", "pol"];
const MOST_LANGUAGES: usize = 3;

/// Of the installed languages those that are wanted.
fn chosen(wanted: &str, installed: &[String]) -> Option<String> {
    let has = |name: &&str| installed.iter().any(|one| one == name);
    let chosen: Vec<&str> = if wanted == "auto" {
        USUAL.into_iter().filter(has).take(MOST_LANGUAGES).collect()
    } else {
        wanted.split('+').map(str::trim).filter(has).collect()
    };
    match (chosen.is_empty(), wanted, installed.first()) {
        (false, ..) => Some(chosen.join("+")),
        (true, "auto", Some(first)) => Some(first.clone()),
        _ => {
            tracing::warn!(wanted, "none of these languages is installed for text recognition");
            None
        }
    }
}

/// Dots as a portable graymap (netpbm), which needs no encoder.
fn pgm(sheet: &Sheet) -> Result<Vec<u8>, ExtractError> {
    let mut file = Vec::with_capacity(sheet.grey.len() + 32);
    writeln!(file, "P5 {} {} 255", sheet.width, sheet.height).map_err(|_| ExtractError::Damaged("scan"))?;
    file.extend_from_slice(&sheet.grey);
    Ok(file)
}

/// A document's text with the words of its pictures, each at its page.
fn merged(text: Text, found: &BTreeMap<u32, Vec<String>>, left_out: usize) -> Text {
    let mut all = Text { title: text.title.clone(), pages: text.pages, ..Text::default() };
    let mut pages = found.iter().peekable();
    let push = |all: &mut Text, page: u32, paragraphs: &[String]| {
        for words in paragraphs {
            all.push(BlockKind::Paragraph, words, Anchor { page: Some(page), ..Anchor::default() });
        }
    };
    for block in &text.blocks {
        // What stands on a page itself comes before what its picture says.
        while let Some((page, paragraphs)) =
            pages.next_if(|(page, _)| block.anchor.page.is_some_and(|at| at > **page))
        {
            push(&mut all, *page, paragraphs);
        }
        all.push(block.kind, text.words(block), block.anchor.clone());
    }
    for (page, paragraphs) in pages {
        push(&mut all, *page, paragraphs);
    }
    let read: Vec<u32> = found.iter().filter(|(_, words)| !words.is_empty()).map(|(page, _)| *page).collect();
    let blank: Vec<u32> = found.iter().filter(|(_, words)| words.is_empty()).map(|(page, _)| *page).collect();
    // What reading said of these pages is true no more.
    all.warnings = text.warnings.into_iter().filter(|one| !one.0.ends_with(pdf::PICTURE)).collect();
    all.warnings.extend(said(&read, RECOGNISED));
    all.warnings.extend(said(&blank, "a picture in which no text was recognised"));
    if left_out > 0 {
        all.warnings.push(ExtractWarning(format!("{left_out} more scanned pages were not read")));
    }
    all
}

fn said(pages: &[u32], what: &str) -> Option<ExtractWarning> {
    let named: Vec<String> = pages.iter().take(5).map(u32::to_string).collect();
    let sentence = match pages.len() {
        0 => return None,
        1 => format!("page {}: {what}", named[0]),
        count if count > named.len() => {
            format!("pages {} and {} more: {what}", named.join(", "), count - named.len())
        }
        _ => format!("pages {}: {what}", named.join(", ")),
    };
    Some(ExtractWarning(sentence))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_those_that_are_wanted_and_there() {
        let installed: Vec<String> = ["dan", "deu", "eng", "fra", "spa"].map(String::from).into();
        for (wanted, expected) in [
            ("auto", Some("eng+deu+fra")),
            ("dan+eng", Some("dan+eng")),
            ("jpn + eng", Some("eng")),
            ("jpn", None),
        ] {
            assert_eq!(chosen(wanted, &installed).as_deref(), expected, "{wanted}");
        }
        assert_eq!(chosen("auto", &["dan".to_owned()]).as_deref(), Some("dan"));
        assert_eq!(chosen("auto", &[]), None);
        assert_eq!(Ocr::new("off").languages(), None);
    }

    #[test]
    fn words_of_pictures_stand_at_their_pages() {
        let mut text = Text { pages: Some(4), ..Text::default() };
        for page in [1, 3] {
            let anchor = Anchor { page: Some(page), ..Anchor::default() };
            text.push(BlockKind::Paragraph, &format!("Page {page}."), anchor);
        }
        text.warnings = vec![ExtractWarning(format!("page 2 {}", pdf::PICTURE))];
        let found = BTreeMap::from([(2, vec!["Seen.".to_owned(), "Twice.".to_owned()]), (4, Vec::new())]);
        let all = merged(text, &found, 0);
        assert_eq!(all.text, "Page 1.\n\nSeen.\n\nTwice.\n\nPage 3.");
        assert_eq!(
            all.blocks.iter().map(|one| one.anchor.page).collect::<Vec<_>>(),
            [Some(1), Some(2), Some(2), Some(3)]
        );
        let warnings: Vec<&str> = all.warnings.iter().map(|one| one.0.as_str()).collect();
        assert_eq!(
            warnings,
            [&format!("page 2: {RECOGNISED}"), "page 4: a picture in which no text was recognised"]
        );
    }
}
