//! The shapes of a slide: what each says, what it is for, and where it stands.

use std::io::BufRead;

use crate::ingest::extract::ExtractError;
use crate::ingest::extract::xml::{Event, Open, Xml};

/// A box of words or a table.
#[derive(Debug, Default)]
pub struct Shape {
    /// What the layout made it for: `title`, `body`, `sldNum`; nothing for a box that someone drew.
    pub placeholder: Option<String>,
    pub paragraphs: Vec<Paragraph>,
    /// Rows of a table, cells between ` | `.
    pub rows: Vec<String>,
    /// Left and top, in units of 1/914400 inch; unknown where the layout says it.
    place: Option<(i64, i64)>,
}

#[derive(Debug, Default)]
pub struct Paragraph {
    pub words: String,
    pub level: u8,
    /// Whether it is certainly a bullet or certainly none.
    pub bullet: Option<bool>,
}

/// Boxes whose tops differ by less stand in one row: a quarter of an inch.
const ROW: i64 = 914_400 / 4;

impl Shape {
    pub fn is_title(&self) -> bool {
        matches!(self.placeholder.as_deref(), Some("title" | "ctrTitle"))
    }

    pub fn is_body(&self) -> bool {
        matches!(self.placeholder.as_deref(), Some("body" | "obj" | ""))
    }

    /// Sorts shapes as people read them; those without a place of their own come first, in their order.
    pub fn reading_order(&self) -> (i64, i64) {
        self.place.map_or((i64::MIN, 0), |(left, top)| (top.div_euclid(ROW), left))
    }
}

/// The shapes of a slide or of its notes; `None` when the slide is hidden.
pub fn shapes(mut xml: Xml<impl BufRead>) -> Result<Option<Vec<Shape>>, ExtractError> {
    let mut shapes = Vec::new();
    let mut reader = Reader::default();
    while let Some(event) = xml.next()? {
        match event {
            Event::Open(open) => match open.name.as_str() {
                "sld" if open.attr("show").is_some_and(|show| matches!(show.as_str(), "0" | "false")) => {
                    return Ok(None);
                }
                "Fallback" => xml.skip()?,
                _ => reader.open(&open),
            },
            Event::Text(text) => reader.text(&text),
            Event::Close(name) => shapes.extend(reader.close(&name)),
        }
    }
    shapes.extend(reader.shape.take());
    shapes.retain(|shape: &Shape| {
        !matches!(shape.placeholder.as_deref(), Some("sldNum" | "dt" | "ftr" | "hdr" | "sldImg"))
    });
    Ok(Some(shapes))
}

/// The words of each paragraph of a part that has no shapes, such as a diagram.
pub fn loose_paragraphs(mut xml: Xml<impl BufRead>) -> Result<Vec<String>, ExtractError> {
    let mut reader = Reader { shape: Some(Shape::default()), ..Reader::default() };
    while let Some(event) = xml.next()? {
        match event {
            Event::Open(open) => reader.open(&open),
            Event::Text(text) => reader.text(&text),
            Event::Close(name) => drop(reader.close(&name)),
        }
    }
    let shape = reader.shape.unwrap_or_default();
    Ok(shape.paragraphs.into_iter().map(|paragraph| paragraph.words).collect())
}

#[derive(Default)]
struct Reader {
    shape: Option<Shape>,
    paragraph: Option<Paragraph>,
    cells: Vec<String>,
    in_cell: bool,
    in_text: bool,
    /// Places of the groups around; a shape in a group stands where the group does.
    groups: Vec<Option<(i64, i64)>>,
}

impl Reader {
    fn open(&mut self, open: &Open) {
        match open.name.as_str() {
            "grpSp" => self.groups.push(None),
            "sp" | "graphicFrame" | "cxnSp" | "pic" => {
                let place = self.groups.first().copied().flatten();
                self.shape = Some(Shape { place, ..Shape::default() });
            }
            "off" => {
                let number = |name| open.attr(name).and_then(|n| n.parse::<i64>().ok());
                let place = number("x").zip(number("y"));
                match (&mut self.shape, self.groups.last_mut()) {
                    (Some(shape), _) => shape.place = shape.place.or(place),
                    (None, Some(group)) => *group = group.or(place),
                    (None, None) => {}
                }
            }
            "ph" => {
                if let Some(shape) = &mut self.shape {
                    shape.placeholder = Some(open.attr("type").unwrap_or_default());
                }
            }
            "tc" => {
                self.in_cell = true;
                self.cells.push(String::new());
            }
            "p" => self.paragraph = Some(Paragraph::default()),
            "pPr" => {
                if let Some(paragraph) = &mut self.paragraph {
                    paragraph.level = open.attr("lvl").and_then(|n| n.parse().ok()).unwrap_or(0);
                }
            }
            "buNone" => self.bullet(false),
            "buChar" | "buAutoNum" | "buBlip" => self.bullet(true),
            "br" => self.text_of_run("\n"),
            "t" => self.in_text = true,
            _ => {}
        }
    }

    fn bullet(&mut self, is: bool) {
        if let Some(paragraph) = &mut self.paragraph {
            paragraph.bullet = Some(is);
        }
    }

    fn text(&mut self, text: &str) {
        if self.in_text {
            self.text_of_run(text);
        }
    }

    fn text_of_run(&mut self, text: &str) {
        if let Some(paragraph) = &mut self.paragraph {
            paragraph.words.push_str(text);
        }
    }

    /// The shape that ends here, if one does.
    fn close(&mut self, name: &str) -> Option<Shape> {
        match name {
            "t" => self.in_text = false,
            "p" => {
                let paragraph =
                    self.paragraph.take().filter(|paragraph| !paragraph.words.trim().is_empty())?;
                match (self.in_cell, self.cells.last_mut(), &mut self.shape) {
                    (true, Some(cell), _) => {
                        if !cell.is_empty() {
                            cell.push(' ');
                        }
                        cell.push_str(paragraph.words.trim());
                    }
                    (_, _, Some(shape)) => shape.paragraphs.push(paragraph),
                    _ => {}
                }
            }
            "tc" => self.in_cell = false,
            "tr" => {
                let cells = std::mem::take(&mut self.cells);
                if let Some(shape) = &mut self.shape
                    && cells.iter().any(|cell| !cell.is_empty())
                {
                    shape.rows.push(cells.join(" | "));
                }
            }
            "grpSp" => drop(self.groups.pop()),
            "sp" | "graphicFrame" | "cxnSp" | "pic" => return self.shape.take(),
            _ => {}
        }
        None
    }
}
