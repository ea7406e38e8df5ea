//! Styles of Word: which are headings, titles, lists, and entries of a table of contents.

use std::collections::HashMap;
use std::io::BufRead;

use super::paragraph::outline;
use crate::ingest::extract::ExtractError;
use crate::ingest::extract::xml::{Event, Xml};

/// Styles by their ids, with what they inherit.
pub type Styles = HashMap<String, Style>;

/// What a style says about its paragraphs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Style {
    /// Level of the heading, 1 to 9.
    pub outline: Option<u8>,
    pub is_title: bool,
    pub is_contents: bool,
    /// List and level.
    pub list: Option<(String, usize)>,
}

/// How far a style's ancestors are followed; honest documents have a handful.
const GENERATIONS: usize = 20;

#[derive(Default)]
struct Raw {
    name: String,
    based_on: Option<String>,
    outline: Option<Option<u8>>,
    list: Option<String>,
    level: usize,
}

/// Reads `styles.xml`.
pub fn read(mut xml: Xml<impl BufRead>) -> Result<Styles, ExtractError> {
    let mut raw: HashMap<String, Raw> = HashMap::new();
    let mut id = String::new();
    let mut style: Option<Raw> = None;
    while let Some(event) = xml.next()? {
        match event {
            Event::Open(open) if open.name == "style" => {
                id = open.attr("styleId").unwrap_or_default();
                style = (open.attr("type").as_deref() != Some("character")).then(Raw::default);
            }
            Event::Open(open) => {
                let Some(style) = &mut style else { continue };
                match open.name.as_str() {
                    "name" => style.name = open.attr("val").unwrap_or_default().to_lowercase(),
                    "basedOn" => style.based_on = open.attr("val"),
                    "outlineLvl" => style.outline = Some(outline(&open)),
                    "ilvl" => style.level = open.attr("val").and_then(|n| n.parse().ok()).unwrap_or(0),
                    "numId" => style.list = open.attr("val"),
                    _ => {}
                }
            }
            Event::Close(name) if name == "style" => {
                if let Some(style) = style.take() {
                    raw.insert(std::mem::take(&mut id), style);
                }
            }
            _ => {}
        }
    }
    Ok(raw.keys().map(|id| (id.clone(), whole(id, &raw))).collect())
}

/// A style with what it inherits.
fn whole(id: &str, raw: &HashMap<String, Raw>) -> Style {
    let mut style = Style::default();
    let mut outline = None;
    let mut next = Some(id);
    for generation in 0..GENERATIONS {
        let Some(found) = next.and_then(|id| raw.get(id)) else { break };
        outline = outline.or(found.outline).or_else(|| heading(&found.name).map(Some));
        if style.list.is_none() {
            style.list = found.list.clone().map(|list| (list, found.level));
        }
        if generation == 0 {
            style.is_title = found.name == "title";
            style.is_contents = found.name.starts_with("toc ") || found.name == "toc heading";
        }
        next = found.based_on.as_deref();
    }
    style.outline = if style.is_title { Some(1) } else { outline.flatten() };
    style
}

/// The built-in names stay English in every language of Word.
fn heading(name: &str) -> Option<u8> {
    let level = name.strip_prefix("heading ")?.trim().parse().ok()?;
    (1..=9).contains(&level).then_some(level)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_known_by_name_level_and_ancestor() {
        let xml = "<w><style styleId='A'><name val='heading 2'/></style><style styleId='B'><name val='Mine'/><basedOn val='A'/></style>\
                   <style styleId='C'><name val='Other'/><pPr><outlineLvl val='4'/></pPr></style><style styleId='D'><name val='Title'/></style>\
                   <style styleId='E'><name val='toc 1'/></style><style styleId='F'><name val='x'/><basedOn val='F'/></style>\
                   <style styleId='G'><name val='body'/><basedOn val='A'/><pPr><outlineLvl val='9'/></pPr></style></w>";
        let styles = read(Xml::new(xml.as_bytes(), "x")).unwrap();
        let outlines: Vec<_> =
            ["A", "B", "C", "D", "E", "F", "G"].iter().map(|id| styles[*id].outline).collect();
        assert_eq!(outlines, [Some(2), Some(2), Some(5), Some(1), None, None, None]);
        assert!(styles["D"].is_title && styles["E"].is_contents);
    }
}
