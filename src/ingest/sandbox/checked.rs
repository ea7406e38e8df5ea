//! What a reading process says, looked at before it is believed: it read foreign bytes and may say anything.
//!
//! A [`Text`] must keep the contract of its type, since whoever cuts and quotes relies on it; an item may only name itself
//! below the file that it came out of. What is too long is cut, what is wrong is [`Wrong`].

use bytes::Bytes;

use super::message::{Part, PartKind};
use crate::domain::Text;
use crate::ingest::extract::Limits;
use crate::ingest::extract::links::{self, Leads};
use crate::ingest::extract::pdf::{self, Sheet};
use crate::ingest::{Item, Payload};

/// The process said something that no reader says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Wrong(pub &'static str);

/// Warnings on one document, and characters of each.
const WARNINGS: usize = 1_000;
const WARNING_CHARS: usize = 2_000;
/// Bytes of a title or a name.
const NAME_BYTES: usize = 64 << 10;
/// Bytes of the label of a page.
const LABEL_BYTES: usize = 64;
/// Levels that an item stands under.
const PATH_LEVELS: usize = 64;

/// A document's words as the process read them.
pub fn text(mut text: Text, words: Vec<u8>, limits: &Limits) -> Result<Text, Wrong> {
    let words = String::from_utf8(words).map_err(|_| Wrong("words that are no text"))?;
    if !text.text.is_empty() {
        return Err(Wrong("words in two places"));
    }
    if text.blocks.len() > limits.blocks {
        return Err(Wrong("more blocks than are read"));
    }
    let mut end = 0;
    for block in &text.blocks {
        let span = block.span;
        let fits = span.start >= end && span.start <= span.end && words.get(span.start..span.end).is_some();
        if !fits {
            return Err(Wrong("a place outside of the words"));
        }
        end = span.end;
    }
    if text.title.as_ref().is_some_and(|title| title.len() > NAME_BYTES) {
        return Err(Wrong("a title too long"));
    }
    if text.sheets.len() > limits.pages || text.lines.len() > words.len() {
        return Err(Wrong("more lines than there are words"));
    }
    let ordered = text.lines.windows(2).all(|pair| pair[0].start <= pair[1].start);
    if !ordered || text.lines.last().is_some_and(|line| line.start >= words.len()) {
        return Err(Wrong("a line outside of the words"));
    }
    if text.sheets.iter().filter_map(|sheet| sheet.label.as_ref()).any(|label| label.len() > LABEL_BYTES) {
        return Err(Wrong("a label too long"));
    }
    text.pictures.truncate(limits.pages);
    text.warnings.truncate(WARNINGS);
    for warning in &mut text.warnings {
        cut(&mut warning.0);
    }
    text.text = words;
    Ok(text)
}

/// Loudest sample that is let through, as the decoder has it; more is no sound.
const LOUDEST: f32 = 4.0;

/// A block of a recording.
pub fn samples(bytes: &[u8]) -> Result<Vec<f32>, Wrong> {
    match bytes.as_chunks::<4>() {
        (samples, []) if !samples.is_empty() => Ok(samples
            .iter()
            .map(|four| f32::from_le_bytes(*four))
            .map(|one| if one.is_finite() { one.clamp(-LOUDEST, LOUDEST) } else { 0.0 })
            .collect()),
        _ => Err(Wrong("half a sample")),
    }
}

/// What could not be read, in sentences.
pub fn warnings(mut warnings: Vec<String>) -> Vec<String> {
    warnings.truncate(WARNINGS);
    warnings.iter_mut().for_each(cut);
    warnings
}

/// A page that the process drew.
pub fn sheet(width: u32, height: u32, grey: Vec<u8>) -> Result<Sheet, Wrong> {
    let most = pdf::LONGEST_SIDE;
    let is_whole = grey.len() as u64 == u64::from(width) * u64::from(height);
    if width == 0 || height == 0 || width > most || height > most || !is_whole {
        return Err(Wrong("a picture of another size"));
    }
    Ok(Sheet { width, height, grey })
}

/// Where else to read, as the process says. That an address is one that may be fetched is for whoever fetches.
pub fn leads(leads: Leads) -> Result<Leads, Wrong> {
    let entries = || leads.entries.iter().filter_map(|entry| entry.address.as_ref());
    let addresses = leads.links.iter().chain(&leads.lists).chain(&leads.canonical).chain(entries());
    if addresses.clone().count() > links::MOST * 2 || leads.rules.len() > links::MOST {
        return Err(Wrong("more addresses than are read"));
    }
    let rules = leads.rules.iter().map(|rule| &rule.path);
    if addresses.chain(rules).any(|address| address.len() > links::ADDRESS_BYTES) {
        return Err(Wrong("an address too long"));
    }
    if leads.entries.iter().any(|entry| entry.title.len() > NAME_BYTES) {
        return Err(Wrong("a title too long"));
    }
    Ok(leads)
}

/// One of the many that `whole` holds, with its bytes.
pub fn item(part: Part, rest: Vec<u8>, whole: &Item) -> Result<Item, Wrong> {
    let title_bytes = part.title.as_ref().map_or(0, String::len);
    let longest = part.path.iter().map(String::len).chain([part.name.len(), title_bytes]).max().unwrap_or(0);
    if longest > NAME_BYTES || part.path.len() > PATH_LEVELS {
        return Err(Wrong("a name too long"));
    }
    let warnings = warnings(part.warnings);
    let item = match part.kind {
        PartKind::Itself => Item {
            payload: whole.payload.clone(),
            ..Item::file(whole.source.clone(), part.name, Bytes::new())
        },
        PartKind::File { below } => {
            if below.len() > NAME_BYTES {
                return Err(Wrong("a name too long"));
            }
            if !below.is_empty() && !below.starts_with('#') {
                return Err(Wrong("a source of its own"));
            }
            Item::file(format!("{}{below}", whole.source), part.name, rest)
        }
        PartKind::Record { id } => {
            if id.len() > NAME_BYTES {
                return Err(Wrong("a name too long"));
            }
            let words = String::from_utf8(rest).map_err(|_| Wrong("words that are no text"))?;
            Item::record(id, part.title.clone().unwrap_or_default(), words)
        }
    };
    let password = match item.payload {
        Payload::File(_) => whole.password.clone(),
        _ => None,
    };
    let captions = part.captions.map(Bytes::from);
    Ok(Item { title: part.title, path: part.path, warnings, password, captions, ..item })
}

fn cut(words: &mut String) {
    if let Some((end, _)) = words.char_indices().nth(WARNING_CHARS) {
        words.truncate(end);
        words.push('…');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Anchor, Block, BlockKind, ExtractWarning, Span};

    fn read(words: &[u8], spans: &[(usize, usize)]) -> Result<Text, Wrong> {
        let block = |&(start, end)| Block {
            kind: BlockKind::Paragraph,
            span: Span { start, end },
            anchor: Anchor::default(),
        };
        let found = Text { blocks: spans.iter().map(block).collect(), ..Text::default() };
        text(found, words.to_vec(), &Limits { blocks: 3, ..Limits::default() })
    }

    #[test]
    fn only_places_within_the_words_are_believed() {
        let words = "grün. Wachs.".as_bytes();
        assert_eq!(read(words, &[(0, 6), (7, 13)]).unwrap().text, "grün. Wachs.");
        for spans in [
            &[(0, 3)][..],
            &[(0, 14)],
            &[(6, 2)],
            &[(0, 6), (5, 13)],
            &[(7, 13), (0, 6)],
            &[(usize::MAX, usize::MAX)],
            &[(0, usize::MAX)],
        ] {
            assert_eq!(read(words, spans), Err(Wrong("a place outside of the words")), "{spans:?}");
        }
        assert!(read(words, &[(0, 1), (1, 2), (4, 5), (5, 6)]).is_err());
        assert!(read(b"\xff\xfe", &[]).is_err());
        let twice = Text { text: "hidden".into(), ..Text::default() };
        assert!(text(twice, Vec::new(), &Limits::default()).is_err());
        let long = Text { warnings: vec![ExtractWarning("ü".repeat(9_000)); 2_000], ..Text::default() };
        let long = text(long, b"x".to_vec(), &Limits::default()).unwrap();
        assert_eq!((long.warnings.len(), long.warnings[0].0.chars().count()), (WARNINGS, WARNING_CHARS + 1));
    }

    #[test]
    fn an_item_names_itself_below_its_file() {
        let mut whole = Item::upload("course.zip", &b"PK"[..]);
        whole.password = Some("secret".into());
        let part = |kind| Part {
            name: "a.md".into(),
            title: Some("A".into()),
            path: vec!["Week 1".into()],
            warnings: Vec::new(),
            captions: None,
            kind,
        };
        let below = |below: &str| part(PartKind::File { below: below.into() });
        let found = item(below("#a.md"), b"words".to_vec(), &whole).unwrap();
        assert_eq!(
            (found.source.as_str(), found.password.as_deref()),
            ("upload:course.zip#a.md", Some("secret"))
        );
        assert!(item(below("x/other.pdf"), Vec::new(), &whole).is_err());
        assert_eq!(item(below(""), Vec::new(), &whole).unwrap().source, "upload:course.zip");
        let itself = item(part(PartKind::Itself), b"ignored".to_vec(), &whole).unwrap();
        assert!(matches!(itself.payload, Payload::File(bytes) if bytes == "PK"));
        let record = item(part(PartKind::Record { id: "7".into() }), b"words".to_vec(), &whole).unwrap();
        assert_eq!((record.source.as_str(), record.external_id.as_deref()), ("corpus:7", Some("7")));
        let deep = Part { path: vec![String::new(); 65], ..below("#a") };
        assert!(item(deep, Vec::new(), &whole).is_err());
    }
}
