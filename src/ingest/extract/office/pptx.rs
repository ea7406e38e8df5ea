//! Presentations by PowerPoint: each slide's title as a heading, its words in reading order, its notes.
//!
//! Every block has its slide as place. Shapes are read from top to bottom and from left to right where their places
//! are known, those of a layout first. Slide numbers, dates, footers and hidden slides are left out.

mod shapes;

use std::io::BufRead;

use bytes::Bytes;

use crate::domain::{Anchor, BlockKind};

use super::{Parts, by_id};
use crate::ingest::extract::xml::{Event, Xml};
use crate::ingest::extract::{Builder, ExtractError, ExtractOptions};
use shapes::{Shape, shapes};

const WHAT: &str = "presentation";

/// Reads a presentation.
pub fn extract(bytes: &Bytes, options: &ExtractOptions, out: &mut Builder) -> Result<(), ExtractError> {
    let mut parts = Parts::open(bytes, options.limits, WHAT)?;
    let main = parts.main("ppt/presentation.xml")?;
    let relations = parts.relations(&main)?;
    let relations = by_id(&relations);
    let ids = slide_ids(parts.needed(&main)?)?;
    let slides: Vec<String> =
        ids.iter().filter_map(|id| Some(relations.get(id.as_str())?.target.clone())).collect();
    if slides.len() > options.limits.pages {
        return Err(ExtractError::TooMany { what: "slides", limit: options.limits.pages });
    }
    out.pages(slides.len());
    let mut hidden = 0usize;
    for (at, slide) in slides.iter().enumerate() {
        let Some(xml) = parts.part(slide)? else {
            out.warn(format!("slide {} is missing in the file", at + 1));
            continue;
        };
        let Some(shapes) = shapes(xml)? else {
            hidden += 1;
            continue;
        };
        let anchor = Anchor { slide: u32::try_from(at + 1).ok(), ..Anchor::default() };
        put_slide(&shapes, &anchor, out)?;
        for relation in parts.relations(slide)? {
            match relation.kind.as_str() {
                "notesSlide" => {
                    let Some(xml) = parts.part(&relation.target)? else { continue };
                    let notes = shapes::shapes(xml)?.unwrap_or_default();
                    let is_spoken =
                        |shape: &&Shape| matches!(shape.placeholder.as_deref(), None | Some("body"));
                    let notes = notes.iter().filter(is_spoken);
                    for paragraph in notes.flat_map(|shape| &shape.paragraphs) {
                        out.lines(BlockKind::Paragraph, &paragraph.words, anchor.clone())?;
                    }
                }
                "diagramData" => {
                    let Some(xml) = parts.part(&relation.target)? else { continue };
                    for words in shapes::loose_paragraphs(xml)? {
                        out.line(BlockKind::ListItem, &format!("- {words}"), anchor.clone())?;
                    }
                }
                _ => {}
            }
        }
    }
    if hidden > 0 {
        out.warn(format!("{hidden} hidden slides are not read"));
    }
    if let Some(title) = parts.title("docProps/core.xml")?
        && !out.has_title()
    {
        out.title(&title);
    }
    Ok(())
}

fn slide_ids(mut xml: Xml<impl BufRead>) -> Result<Vec<String>, ExtractError> {
    let mut ids = Vec::new();
    while let Some(event) = xml.next()? {
        if let Event::Open(open) = event
            && open.name == "sldId"
        {
            // `id` stands there twice: the slide's own number, and the relation with its prefix.
            ids.extend(open.exact("r:id").or_else(|| open.attr("id")));
        }
    }
    Ok(ids)
}

/// Longest line at the top of a slide that is taken for its title where the layout names none.
const TITLE_CHARS: usize = 90;

/// Title first, then the other shapes from top to bottom.
fn put_slide(shapes: &[Shape], anchor: &Anchor, out: &mut Builder) -> Result<(), ExtractError> {
    let (mut titles, mut others): (Vec<&Shape>, Vec<&Shape>) =
        shapes.iter().partition(|shape| shape.is_title());
    others.sort_by_key(|shape| shape.reading_order());
    if titles.is_empty() && others.len() > 1 && is_like_title(others[0]) {
        titles.push(others.remove(0));
    }
    let title: Vec<&str> =
        titles.iter().flat_map(|shape| &shape.paragraphs).map(|paragraph| paragraph.words.as_str()).collect();
    let title = title.join(" ");
    out.title(&title);
    out.line(BlockKind::Heading(1), &title, anchor.clone())?;
    for shape in others {
        let is_list = shape.is_body() && shape.paragraphs.len() > 1;
        for paragraph in &shape.paragraphs {
            let bullet = paragraph.bullet.unwrap_or(is_list || (shape.is_body() && paragraph.level > 0));
            if bullet {
                out.line(BlockKind::ListItem, &format!("- {}", paragraph.words), anchor.clone())?;
            } else {
                out.lines(BlockKind::Paragraph, &paragraph.words, anchor.clone())?;
            }
        }
        for row in &shape.rows {
            out.line(BlockKind::TableRow, row, anchor.clone())?;
        }
    }
    Ok(())
}

/// One short line that is no sentence.
fn is_like_title(shape: &Shape) -> bool {
    let [only] = shape.paragraphs.as_slice() else { return false };
    let words = only.words.trim();
    words.chars().count() <= TITLE_CHARS && !words.ends_with(['.', ',', ';', ':'])
}
