//! Where words stand on the pages of their original: boxes around lines, so that a quotation can be marked there.
//!
//! Extraction notes a [`Line`] for each line of a page in [`Text::lines`](super::Text), chunking hands them to the chunk
//! as [`Area`]s, and a citation keeps those of its own words ([`within`]). Lengths are tenths of a point in numbers of 16
//! bits (a page of 2.3 metres), measured from the upper left corner of the page as it is shown; in JSON they are points.

use serde::{Deserialize, Serialize};

use super::Span;

/// A page as it is shown: its crop box, turned as the file says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Sheet {
    pub width: u16,
    pub height: u16,
    /// What is printed on it as its number, where that is another than its place in the file: `iv`, `A-3`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub label: Option<String>,
}

/// A line of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Byte of the document's text where it begins; it ends where the next one begins.
    pub start: usize,
    /// 1 is the first page.
    pub page: u32,
    pub frame: Frame,
}

/// A rectangle on a page, in tenths of a point.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Frame {
    pub x0: u16,
    pub y0: u16,
    pub x1: u16,
    pub y1: u16,
}

/// The lines of one page that a text stands in.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Area {
    pub page: u32,
    #[serde(flatten, with = "points::sheet")]
    pub sheet: Sheet,
    pub lines: Vec<Mark>,
}

/// A line of an [`Area`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mark {
    /// Byte of the text (a chunk's, a quotation's) where it begins.
    pub start: u32,
    pub frame: Frame,
}

/// A chunk of more lines than this keeps the first; at the usual width it has twenty.
pub const MOST: usize = 96;

/// The lines that `span` of a document's text stands in, page by page, numbered from the start of the span.
/// `lines` are in order; `sheets` are the document's pages.
pub fn areas(lines: &[Line], sheets: &[Sheet], span: Span) -> Vec<Area> {
    let first = lines.partition_point(|line| line.start <= span.start).saturating_sub(1);
    let mut areas: Vec<Area> = Vec::new();
    for line in lines[first..].iter().take_while(|line| line.start < span.end).take(MOST) {
        let start = u32::try_from(line.start.saturating_sub(span.start)).unwrap_or(u32::MAX);
        let mark = Mark { start, frame: line.frame };
        match areas.last_mut() {
            Some(area) if area.page == line.page => area.lines.push(mark),
            _ => {
                let sheet = (line.page as usize).checked_sub(1).and_then(|at| sheets.get(at));
                let Some(sheet) = sheet.cloned() else { continue };
                areas.push(Area { page: line.page, sheet, lines: vec![mark] });
            }
        }
    }
    areas
}

/// The lines that a part of the text stands in, numbered from the start of that part.
pub fn within(areas: &[Area], span: Span) -> Vec<Area> {
    let marks = areas.iter().flat_map(|area| &area.lines);
    let starts: Vec<usize> = marks.map(|mark| mark.start as usize).collect();
    let ends = starts.iter().skip(1).copied().chain([usize::MAX]);
    let mut shown = starts.iter().zip(ends).map(|(&start, end)| start < span.end && end > span.start);
    let mut kept = Vec::new();
    for area in areas {
        let mut lines = area.lines.clone();
        lines.retain(|_| shown.next().unwrap_or(false));
        for line in &mut lines {
            line.start = line.start.saturating_sub(u32::try_from(span.start).unwrap_or(u32::MAX));
        }
        if !lines.is_empty() {
            kept.push(Area { page: area.page, sheet: area.sheet.clone(), lines });
        }
    }
    kept
}

/// Points to tenths of them, as far as they fit.
pub fn tenths(points: f32) -> u16 {
    // The cast keeps to the limits of the type, and takes what is no number for 0.
    (points * 10.0).round() as u16
}

fn to_points(tenths: u16) -> f64 {
    f64::from(tenths) / 10.0
}

fn to_tenths(points: f64) -> u16 {
    (points * 10.0).round() as u16
}

/// `[start, x0, y0, x1, y1]` with lengths in points.
impl Serialize for Mark {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Frame { x0, y0, x1, y1 } = self.frame;
        (self.start, to_points(x0), to_points(y0), to_points(x1), to_points(y1)).serialize(to)
    }
}

impl<'de> Deserialize<'de> for Mark {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let (start, x0, y0, x1, y1) = <(u32, f64, f64, f64, f64)>::deserialize(from)?;
        let [x0, y0, x1, y1] = [x0, y0, x1, y1].map(to_tenths);
        Ok(Self { start, frame: Frame { x0, y0, x1, y1 } })
    }
}

mod points {
    /// A sheet with lengths in points.
    pub mod sheet {
        use super::super::{Sheet, to_points, to_tenths};
        use serde::{Deserialize, Deserializer, Serialize, Serializer};

        #[derive(Serialize, Deserialize)]
        struct Shown {
            width: f64,
            height: f64,
            #[serde(skip_serializing_if = "Option::is_none", default)]
            label: Option<String>,
        }

        pub fn serialize<S: Serializer>(sheet: &Sheet, to: S) -> Result<S::Ok, S::Error> {
            let (width, height) = (to_points(sheet.width), to_points(sheet.height));
            Shown { width, height, label: sheet.label.clone() }.serialize(to)
        }

        pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Sheet, D::Error> {
            let shown = Shown::deserialize(from)?;
            let (width, height) = (to_tenths(shown.width), to_tenths(shown.height));
            Ok(Sheet { width, height, label: shown.label })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(start: usize, page: u32, y0: u16) -> Line {
        Line { start, page, frame: Frame { x0: 720, y0, x1: 3000, y1: y0 + 120 } }
    }

    fn sheets() -> Vec<Sheet> {
        let sheet = |label: Option<&str>| Sheet { width: 5950, height: 8420, label: label.map(Into::into) };
        vec![sheet(Some("i")), sheet(None)]
    }

    /// Page and starts of what is left.
    fn starts(areas: &[Area]) -> Vec<(u32, Vec<u32>)> {
        areas.iter().map(|area| (area.page, area.lines.iter().map(|line| line.start).collect())).collect()
    }

    #[test]
    fn a_span_gets_the_lines_that_it_stands_in() {
        let lines = [line(0, 1, 100), line(40, 1, 220), line(80, 1, 340), line(120, 2, 100)];
        let of = |start, end| areas(&lines, &sheets(), Span { start, end });
        assert_eq!(starts(&of(50, 130)), [(1, vec![0, 30]), (2, vec![70])]);
        assert_eq!(starts(&of(0, 40)), [(1, vec![0])]);
        assert_eq!(starts(&of(80, 81)), [(1, vec![0])]);
        assert!(areas(&[], &sheets(), Span { start: 0, end: 9 }).is_empty());
        assert!(areas(&[line(0, 3, 0)], &sheets(), Span { start: 0, end: 9 }).is_empty(), "no such page");
        let chunk = of(50, 130);
        assert_eq!(starts(&within(&chunk, Span { start: 31, end: 60 })), [(1, vec![0])]);
        assert_eq!(starts(&within(&chunk, Span { start: 20, end: 75 })), [(1, vec![0, 10]), (2, vec![50])]);
        assert_eq!(chunk[0].sheet.label.as_deref(), Some("i"));
        let many: Vec<Line> = (0..1000).map(|n| line(n, 1, 0)).collect();
        assert_eq!(areas(&many, &sheets(), Span { start: 0, end: 1000 })[0].lines.len(), MOST);
    }

    #[test]
    fn json_has_points() {
        let lines = vec![Mark { start: 7, frame: Frame { x0: 720, y0: 1005, x1: 3000, y1: 1125 } }];
        let area = Area { page: 2, sheet: sheets().remove(0), lines };
        let json = serde_json::to_string(&area).unwrap();
        let expected =
            r#"{"page":2,"width":595.0,"height":842.0,"label":"i","lines":[[7,72.0,100.5,300.0,112.5]]}"#;
        assert_eq!(json, expected);
        assert_eq!(serde_json::from_str::<Area>(&json).unwrap(), area);
        assert_eq!((tenths(-3.0), tenths(f32::NAN), tenths(1e9), tenths(72.04)), (0, 0, u16::MAX, 720));
    }
}
