//! PDF: pages to words in reading order.
//!
//! `hayro` interprets the pages and tells where each glyph stands (`glyphs`); glyphs become fragments, columns, lines
//! and blocks, each in a file of that name; what repeats at the edges of pages is left out (`furniture`). The file's own
//! outline says what is a heading (`outline`, `headings`), its labels what pages are called. All of it runs on a thread with a large stack, and a panic of the library becomes an [`ExtractError`]. A stack that overflows and
//! memory that runs out can only be contained by a process, which is not here; `bomb` refuses the plain cases.

mod blocks;
mod bomb;
mod columns;
mod fragments;
mod furniture;
mod glyphs;
mod headings;
mod labels;
mod lines;
mod outline;
mod pictures;
mod title;

use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use hayro_interpret::util::TransformExt;
use hayro_interpret::{Context, InterpreterCache, InterpreterSettings, RenderContent, interpret_page};
use hayro_syntax::page::Page;
use hayro_syntax::{DecryptionError, LoadPdfError, Pdf};
use kurbo::Rect;

use crate::domain::Text;
use crate::domain::area::{Sheet as Paper, tenths};

use super::{Builder, ExtractError, ExtractOptions};
use glyphs::{Collector, Interrupted, PageGlyphs};
use lines::Line;

pub use pictures::{LONGEST_SIDE, Sheet, pictures};

/// How the warning about pages ends that are pictures without words.
pub const PICTURE: &str = "holds a picture and no text";

/// Nested objects are read by recursion; 64 MB hold more levels than any honest file has.
const STACK_BYTES: usize = 64 << 20;

/// Reads a PDF.
pub fn extract(bytes: &Bytes, options: &ExtractOptions) -> Result<Text, ExtractError> {
    if !bytes[..bytes.len().min(1024)].windows(5).any(|w| w == b"%PDF-") {
        return Err(ExtractError::NotPdf);
    }
    on_large_stack(|| read(bytes, options))
}

/// Runs what recurses and may panic.
fn on_large_stack<T: Send>(work: impl FnOnce() -> Result<T, ExtractError> + Send) -> Result<T, ExtractError> {
    std::thread::scope(|scope| {
        let reader = std::thread::Builder::new().name("pdf".into()).stack_size(STACK_BYTES);
        let started = reader.spawn_scoped(scope, || guarded(work).and_then(|done| done));
        let thread = started.map_err(|error| ExtractError::Crashed(error.to_string()))?;
        thread.join().unwrap_or_else(|_| Err(ExtractError::Crashed("its thread ended".into())))
    })
}

/// Runs what may panic.
fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, ExtractError> {
    // What the closure touches is thrown away after a panic, so that no broken state is seen.
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        if panic.is::<Interrupted>() {
            return ExtractError::Stopped;
        }
        let message = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|&s| s.to_owned()));
        ExtractError::Crashed(message.unwrap_or_default())
    })
}

fn read(bytes: &Bytes, options: &ExtractOptions) -> Result<Text, ExtractError> {
    bomb::check(bytes, options)?;
    let pdf = open(bytes, options.password)?;
    let pages = pdf.pages();
    if pages.is_empty() {
        return Err(ExtractError::NoPages);
    }
    if pages.len() > options.limits.pages {
        return Err(ExtractError::TooMany { what: "pages", limit: options.limits.pages });
    }
    let mut out = Builder::new(options);
    out.pages(pages.len());
    let cache = InterpreterCache::new();
    let paper = |(page, label): (&Page, Option<String>)| {
        let (width, height) = page.render_dimensions();
        Paper { width: tenths(width), height: tenths(height), label }
    };
    let labels = guarded(|| labels::of(&pdf)).unwrap_or_else(|_| vec![None; pages.len()]);
    out.sheets(pages.iter().zip(labels).map(paper).collect());
    let (mut all, mut pictures, mut broken, mut unknown, mut known) =
        (Vec::new(), Vec::new(), Vec::new(), 0, 0);
    // Pages that are pictures but for a number or a stamp.
    let mut stamped = Vec::new();
    for (number, page) in (1..).zip(pages.iter()) {
        if (options.stop)() {
            return Err(ExtractError::Stopped);
        }
        match guarded(|| page_lines(&pdf, page, &cache, options)) {
            Ok((lines, glyphs)) => {
                unknown += glyphs.unknown;
                known += glyphs.glyphs.len();
                if lines.is_empty() && glyphs.images > 0 {
                    pictures.push(number);
                } else if is_scan(&glyphs, page.render_dimensions()) {
                    stamped.push(number);
                }
                all.push(lines);
            }
            Err(ExtractError::Stopped) => return Err(ExtractError::Stopped),
            Err(_) => {
                broken.push(number);
                all.push(Vec::new());
            }
        }
    }
    if all.iter().all(Vec::is_empty) {
        return Err(match (broken.is_empty(), pictures.is_empty()) {
            (false, _) => ExtractError::DamagedPdf,
            (true, false) => ExtractError::Scanned { pages: pages.len() },
            (true, true) => ExtractError::NoText,
        });
    }
    warn(&mut out, &broken, "could not be read");
    warn(&mut out, &pictures, PICTURE);
    pictures.append(&mut stamped);
    pictures.sort_unstable();
    out.pictures(pictures);
    // A font that does not say which letters it draws leaves holes.
    if unknown * 20 > known {
        out.warn(format!(
            "{unknown} characters are drawn in a font that does not say which letters they are"
        ));
    }
    let body = blocks::body_size(&all);
    furniture::remove(&mut all, body);
    // An outline that cannot be read leaves the headings that the type shows.
    headings::mark(&mut all, guarded(|| outline::of(&pdf)).unwrap_or_default());
    if let Some(title) = title::of(&pdf) {
        out.title(&title);
    }
    if let Some(heading) = blocks::write(&all, body, &mut out)? {
        out.title(&heading);
    }
    out.finish()
}

/// Letters on a page that is a picture all the same: the number of a page, the stamp of an archive.
const STAMP: usize = 60;

/// Whether a picture covers most of a page that has hardly a word.
fn is_scan(page: &PageGlyphs, (width, height): (f32, f32)) -> bool {
    page.text.chars().filter(|c| c.is_alphanumeric()).count() <= STAMP && page.covered > width * height * 0.6
}

fn open(bytes: &Bytes, password: Option<&str>) -> Result<Pdf, ExtractError> {
    let data = std::sync::Arc::new(bytes.clone());
    Pdf::new_with_password(data, password.unwrap_or_default()).map_err(|error| match error {
        LoadPdfError::Decryption(DecryptionError::PasswordProtected) if password.is_none() => {
            ExtractError::PasswordNeeded
        }
        LoadPdfError::Decryption(DecryptionError::PasswordProtected) => ExtractError::PasswordWrong,
        LoadPdfError::Decryption(_) => ExtractError::UnknownEncryption,
        LoadPdfError::Invalid => ExtractError::DamagedPdf,
    })
}

fn page_lines<'a>(
    pdf: &'a Pdf,
    page: &Page<'a>,
    cache: &InterpreterCache<'a>,
    options: &ExtractOptions,
) -> (Vec<Line>, PageGlyphs) {
    let (width, height) = page.render_dimensions();
    let settings =
        InterpreterSettings { render_content: RenderContent::all(), ..InterpreterSettings::default() };
    let area = Rect::new(0.0, 0.0, f64::from(width), f64::from(height));
    let mut context =
        Context::new(page.initial_transform(true).to_kurbo(), area, cache, pdf.xref(), settings);
    let mut collector = Collector::new(width, height, options.limits.page_glyphs, options.stop);
    interpret_page(page, &mut context, &mut collector);
    (lines::lines(&collector.page, height), collector.page)
}

/// One warning for all pages of a kind: "pages 2, 5 and 3 more could not be read".
fn warn(out: &mut Builder, pages: &[u32], what: &str) {
    let named: Vec<String> = pages.iter().take(5).map(u32::to_string).collect();
    match pages.len() {
        0 => {}
        1 => out.warn(format!("page {} {what}", named[0])),
        n if n > named.len() => {
            out.warn(format!("pages {} and {} more: each {what}", named.join(", "), n - named.len()))
        }
        _ => out.warn(format!("pages {}: each {what}", named.join(", "))),
    }
}

#[cfg(test)]
mod tests;
