//! The outline of a PDF (its bookmarks): titles with the page and height that they lead to.
//!
//! ISO 32000-1, 12.3.2 and 12.3.3: items are a linked tree, destinations are given directly, by name or by an action.
//! Broken and looping trees are left where they loop. What becomes of the titles is in `headings`.

use std::collections::{HashMap, HashSet};

use hayro_interpret::util::TransformExt;
use hayro_syntax::Pdf;
use hayro_syntax::object::{
    Array, Dict, MaybeRef, Name, ObjRef, Object, ObjectIdentifier, String as PdfString,
};
use kurbo::Point;

use super::labels::resolved;
use super::title::text;
use crate::ingest::extract::clean::clean_line;

/// An item of the outline.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub title: String,
    /// 1 is the outermost, 6 the innermost that is told apart.
    pub level: u8,
    /// 0 is the first page.
    pub page: usize,
    /// How far below the upper edge of the page as it is shown, where the item says.
    pub y: Option<f32>,
}

const MOST_ITEMS: usize = 5_000;
const MOST_NODES: usize = 50_000;
/// Names lead to destinations, which may be names; honest files need two steps.
const STEPS: usize = 4;
const LONGEST: usize = 200;

/// The items that lead to pages of this file, in the order of the outline.
pub fn of(pdf: &Pdf) -> Vec<Entry> {
    Reader::new(pdf).and_then(|mut reader| reader.entries()).unwrap_or_default()
}

struct Reader<'a> {
    pdf: &'a Pdf,
    root: Dict<'a>,
    pages: HashMap<ObjectIdentifier, usize>,
    /// Destinations by name; read when the first is asked for.
    names: Option<HashMap<Vec<u8>, Object<'a>>>,
}

impl<'a> Reader<'a> {
    fn new(pdf: &'a Pdf) -> Option<Self> {
        let root = pdf.xref().get(pdf.xref().root_id())?;
        let pages = pdf.pages().iter().enumerate().filter_map(|(n, page)| Some((page.raw().obj_id()?, n)));
        Some(Self { pdf, root, pages: pages.collect(), names: None })
    }

    fn entries(&mut self) -> Option<Vec<Entry>> {
        let first = self.root.get::<Dict>("Outlines")?.get_ref("First")?;
        let mut waiting: Vec<(ObjRef, u8)> = vec![(first, 1)];
        let (mut seen, mut entries) = (HashSet::new(), Vec::new());
        while let Some((at, level)) = waiting.pop() {
            if seen.len() >= MOST_ITEMS || !seen.insert(at) {
                continue;
            }
            let Some(item) = self.pdf.xref().get::<Dict>(at.into()) else { continue };
            // The last in is the first out: what lies below an item comes before its neighbour.
            waiting.extend(item.get_ref("Next").map(|next| (next, level)));
            waiting.extend(item.get_ref("First").map(|below| (below, (level + 1).min(6))));
            let title = item.get::<PdfString>("Title").map(|title| text(title.as_bytes()));
            let title = clean_line(&title.unwrap_or_default()).chars().take(LONGEST).collect::<String>();
            if says_something(&title)
                && let Some((page, y)) = self.leads_to(&item)
            {
                entries.push(Entry { title, level, page, y });
            }
        }
        Some(entries)
    }

    fn leads_to(&mut self, item: &Dict<'a>) -> Option<(usize, Option<f32>)> {
        let direct = item.get::<Object>("Dest");
        let by_action = || {
            let action = item.get::<Dict>("A")?;
            let stays = action.get::<Name>("S").is_some_and(|kind| &*kind == b"GoTo");
            if stays { action.get::<Object>("D") } else { None }
        };
        let mut target = direct.or_else(by_action)?;
        for _ in 0..STEPS {
            target = match target {
                Object::Array(place) => return self.place(&place),
                Object::Dict(named) => named.get("D")?,
                Object::Name(name) => self.root.get::<Dict>("Dests")?.get(&*name)?,
                Object::String(name) => self.named(name.as_bytes())?,
                _ => return None,
            };
        }
        None
    }

    /// `[page /XYZ left top zoom]` and its kin.
    fn place(&self, place: &Array<'a>) -> Option<(usize, Option<f32>)> {
        let mut items = place.raw_iter();
        let page = match items.next()? {
            MaybeRef::Ref(at) => *self.pages.get(&at.into())?,
            MaybeRef::NotRef(Object::Number(number)) => usize::try_from(number.as_i64()).ok()?,
            MaybeRef::NotRef(_) => return None,
        };
        let shown = self.pdf.pages().get(page)?;
        let mut rest = items.take(5).map(|item| match resolved(self.pdf, item) {
            Some(Object::Number(number)) => Ok(number.as_f64()),
            Some(Object::Name(kind)) => Err(kind),
            _ => Ok(f64::NAN),
        });
        let Some(Err(kind)) = rest.next() else { return Some((page, None)) };
        let numbers: Vec<f64> = rest.filter_map(Result::ok).collect();
        let (left, top) = match &*kind {
            b"XYZ" => (numbers.first(), numbers.get(1)),
            b"FitH" | b"FitBH" => (None, numbers.first()),
            b"FitR" => (numbers.first(), numbers.get(3)),
            _ => (None, None),
        };
        let left = left.copied().filter(|left| left.is_finite()).unwrap_or(0.0);
        let top = top.copied().filter(|top| top.is_finite());
        let y = top.map(|top| (shown.initial_transform(true).to_kurbo() * Point::new(left, top)).y as f32);
        Some((page, y.filter(|y| y.is_finite())))
    }

    fn named(&mut self, name: &[u8]) -> Option<Object<'a>> {
        if self.names.is_none() {
            self.names = Some(self.all_names().unwrap_or_default());
        }
        self.names.as_ref()?.get(name).cloned()
    }

    /// The name tree of destinations (7.9.6), flat.
    fn all_names(&self) -> Option<HashMap<Vec<u8>, Object<'a>>> {
        let mut nodes = vec![self.root.get::<Dict>("Names")?.get::<Dict>("Dests")?];
        let (mut seen, mut names) = (HashSet::new(), HashMap::new());
        while let Some(node) = nodes.pop() {
            for kid in node.get::<Array>("Kids").iter().flat_map(Array::raw_iter) {
                let MaybeRef::Ref(at) = kid else { continue };
                if seen.len() < MOST_NODES && seen.insert(at) {
                    nodes.extend(self.pdf.xref().get::<Dict>(at.into()));
                }
            }
            let Some(pairs) = node.get::<Array>("Names") else { continue };
            let mut pairs = pairs.raw_iter();
            while let (Some(name), Some(target)) = (pairs.next(), pairs.next()) {
                if names.len() >= MOST_NODES {
                    return Some(names);
                }
                if let (Some(Object::String(name)), Some(target)) =
                    (resolved(self.pdf, name), resolved(self.pdf, target))
                {
                    names.insert(name.as_bytes().to_vec(), target);
                }
            }
        }
        Some(names)
    }
}

/// Has a word, and is not what programs write when nobody chose one: "Page 7", "Slide 12", "scan0012.pdf".
fn says_something(title: &str) -> bool {
    let lower = title.to_lowercase();
    let counted = ["page", "seite", "página", "slide", "folie", "diapositiva", "p."]
        .iter()
        .any(|word| lower.strip_prefix(word).is_some_and(|rest| !rest.chars().any(char::is_alphabetic)));
    let is_file = [".pdf", ".doc", ".docx", ".ppt", ".pptx"].iter().any(|ending| lower.ends_with(ending));
    !counted && !is_file && title.chars().filter(|c| c.is_alphabetic()).count() >= 2
}
