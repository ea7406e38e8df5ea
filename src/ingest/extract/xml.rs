//! XML as a stream of openings, closings and words, for every format that is made of it.
//!
//! Names come without their prefix. Only the five entities of XML and character references are resolved: what a
//! document declares itself is left as it stands, so a "billion laughs" gives a few odd words and no memory. Nothing
//! is a tree and nothing recurses; nesting beyond [`MAX_DEPTH`] is refused.

use std::io::BufRead;

use quick_xml::Reader;
use quick_xml::escape::{resolve_predefined_entity, unescape};
use quick_xml::events::{BytesStart, Event as Raw};

use super::ExtractError;

/// Deepest nesting that is read; office programs stay below 100.
const MAX_DEPTH: usize = 1_000;

/// One step through a document.
pub enum Event {
    Open(Open),
    Text(String),
    Close(String),
}

/// An element that begins.
pub struct Open {
    pub name: String,
    start: BytesStart<'static>,
}

impl Open {
    /// The value of the attribute with this name, whatever its prefix.
    pub fn attr(&self, name: &str) -> Option<String> {
        self.find(|key| key.rsplit(':').next() == Some(name))
    }

    /// The value of the attribute with this prefix and name, for elements that have two of one name.
    pub fn exact(&self, name: &str) -> Option<String> {
        self.find(|key| key == name)
    }

    /// Whether an attribute is a switch that is on.
    pub fn on(&self, name: &str) -> bool {
        self.attr(name).is_some_and(|value| matches!(value.as_str(), "1" | "true" | "on"))
    }

    fn find(&self, wanted: impl Fn(&str) -> bool) -> Option<String> {
        let mut all = self.start.attributes();
        let found = all.with_checks(false).flatten().find(|a| wanted(a.key.as_ref()))?;
        // An entity of the document's own stays as it stands.
        let value = unescape(&found.value);
        Some(value.map_or_else(|_| found.value.as_ref().to_owned(), |value| value.into_owned()))
    }
}

/// A document that is being read.
pub struct Xml<R> {
    reader: Reader<R>,
    buffer: Vec<u8>,
    depth: usize,
    what: &'static str,
}

impl<R: BufRead> Xml<R> {
    /// `what` names the document in the sentence that says it is damaged.
    pub fn new(source: R, what: &'static str) -> Self {
        let mut reader = Reader::from_reader(source);
        let config = reader.config_mut();
        config.expand_empty_elements = true;
        config.check_end_names = false;
        config.allow_unmatched_ends = true;
        config.allow_dangling_amp = true;
        Self { reader, buffer: Vec::new(), depth: 0, what }
    }

    /// The next step; `None` at the end.
    pub fn next(&mut self) -> Result<Option<Event>, ExtractError> {
        loop {
            self.buffer.clear();
            let event =
                self.reader.read_event_into(&mut self.buffer).map_err(|error| broken(self.what, error))?;
            return Ok(Some(match event {
                Raw::Start(start) => {
                    self.depth += 1;
                    if self.depth > MAX_DEPTH {
                        return Err(ExtractError::TooMany {
                            what: "elements within each other",
                            limit: MAX_DEPTH,
                        });
                    }
                    let name = local(start.name().as_ref()).to_owned();
                    Event::Open(Open { name, start: start.into_owned() })
                }
                Raw::End(end) => {
                    self.depth = self.depth.saturating_sub(1);
                    Event::Close(local(end.name().as_ref()).to_owned())
                }
                Raw::Text(text) => Event::Text(text.xml10_content().into_owned()),
                Raw::CData(text) => Event::Text(text.xml10_content().into_owned()),
                Raw::GeneralRef(name) => Event::Text(match name.resolve_char_ref() {
                    Ok(Some(c)) => c.to_string(),
                    Ok(None) => match resolve_predefined_entity(&name) {
                        Some(words) => words.to_owned(),
                        None => format!("&{};", &*name),
                    },
                    Err(_) => "\u{fffd}".to_owned(),
                }),
                Raw::Eof => return Ok(None),
                Raw::Empty(_) | Raw::Comment(_) | Raw::Decl(_) | Raw::PI(_) | Raw::DocType(_) => continue,
            }));
        }
    }

    /// Reads past the element that was just opened.
    pub fn skip(&mut self) -> Result<(), ExtractError> {
        let outside = self.depth.saturating_sub(1);
        while self.depth > outside {
            if self.next()?.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// All words within the element that was just opened.
    pub fn words(&mut self) -> Result<String, ExtractError> {
        let outside = self.depth.saturating_sub(1);
        let mut words = String::new();
        while self.depth > outside {
            match self.next()? {
                None => break,
                Some(Event::Text(text)) => words.push_str(&text),
                Some(_) => {}
            }
        }
        Ok(words)
    }
}

fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

fn broken(what: &'static str, error: quick_xml::Error) -> ExtractError {
    if let quick_xml::Error::Io(io) = &error
        && let Some(bomb) = io.get_ref().and_then(|inner| inner.downcast_ref::<ExtractError>())
    {
        return bomb.clone();
    }
    ExtractError::Damaged(what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(source: &str) -> Result<String, ExtractError> {
        let mut xml = Xml::new(source.as_bytes(), "page");
        let mut all = String::new();
        while let Some(event) = xml.next()? {
            match event {
                Event::Open(open) => {
                    all.push_str(&format!("<{}{}>", open.name, open.attr("v").unwrap_or_default()))
                }
                Event::Text(text) => all.push_str(&text),
                Event::Close(name) => all.push_str(&format!("</{name}>")),
            }
        }
        Ok(all)
    }

    #[test]
    fn entities_of_the_document_are_not_expanded() {
        let laughs = "<!DOCTYPE x [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;\">]><w:x n:v='&lt;&#65;'>&b;&amp;&#x41;<y/></w:x>";
        assert_eq!(words(laughs).unwrap(), "<x<A>&b;&A<y></y></x>");
    }

    #[test]
    fn endless_nesting_and_broken_ends_are_sentences() {
        let deep = "<a>".repeat(100_000);
        assert!(matches!(words(&deep), Err(ExtractError::TooMany { .. })));
        assert_eq!(words("<a><b></a></c>x").unwrap(), "<a><b></a></c>x");
        assert_eq!(words("<a <b"), Err(ExtractError::Damaged("page")));
    }

    #[test]
    fn a_part_can_be_skipped_or_taken_whole() {
        let mut xml = Xml::new(&b"<a><b>1<c>2</c></b><d>3<e>4</e></d>5</a>"[..], "page");
        let mut seen = String::new();
        while let Some(event) = xml.next().unwrap() {
            match event {
                Event::Open(open) if open.name == "b" => xml.skip().unwrap(),
                Event::Open(open) if open.name == "d" => seen.push_str(&xml.words().unwrap()),
                Event::Text(text) => seen.push_str(&text),
                _ => {}
            }
        }
        assert_eq!(seen, "345");
    }
}
