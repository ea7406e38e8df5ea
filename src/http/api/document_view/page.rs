//! The viewer's page and its notices, from the templates in `assets/viewer`.
//!
//! The templates escape every value; the words come from [`words`](super::words) in the reader's language, the text
//! from [`sections`](super::sections).

use std::sync::OnceLock;

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, UndefinedBehavior, Value, context};

use super::access::{Level, Seen};
use super::file::{FileKind, Show};
use super::sections::{self, Group, Line, Piece};
use super::{Shown, words};
use crate::answer::cite::{clock, fragment};
use crate::domain::area::{Frame, Mark};
use crate::domain::{Anchor, Area};
use crate::http::error::status;
use crate::problem::Problem;

/// Everything from this server, nothing inline. The frame is for the browser's own PDF viewer.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; \
    frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const DOCUMENT: &str = "document.html";
const NOTICE: &str = "notice.html";

/// The page of a document; `original` where its file may be seen.
pub fn document(
    seen: &Seen,
    shown: &Shown,
    original: Option<&FileKind>,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let document = &seen.document;
    let marked = shown.marked();
    let mut here = shown
        .place
        .and_then(|place| sections::block_at(&shown.blocks, place))
        .map(|block| block.anchor.clone());
    if let (Some(anchor), Some(first)) = (&mut here, marked.first()) {
        // Its paragraph may begin on the page before.
        anchor.page = Some(first.page);
        anchor.areas.clone_from(&marked);
    }
    let own = here.as_ref().map(fragment);
    let groups = sections::groups(&shown.text, &shown.blocks, shown.window, shown.place);
    let below = |name: &str| match seen.query.as_str() {
        "" => format!("/d/{}/{name}", document.id),
        query => format!("/d/{}/{name}?{query}", document.id),
    };
    let file = original.map(|_| below("original"));
    let is_timed = shown.blocks.iter().any(|block| block.anchor.start_ms.is_some());
    let captions = original
        .filter(|kind| is_timed && matches!(kind.show, Show::Audio | Show::Video))
        .map(|_| below("captions"));
    let part = |number: usize| {
        let query = if seen.query.is_empty() { String::new() } else { format!("{}&", seen.query) };
        format!("/d/{}?{query}part={number}", document.id)
    };
    let begins = shown.blocks.first().is_none_or(|block| shown.window.start <= block.span.start);
    let ends = shown.blocks.last().is_none_or(|block| shown.window.end >= block.span.end);
    let language = words::language(headers);
    respond(
        DOCUMENT,
        context! {
            lang => language,
            words => words::of(language),
            title => document.title.as_str(),
            creator => seen.creator.name.as_str(),
            language => document.language.as_deref(),
            spot => here.as_ref().map(spot),
            outline => marked.first().and_then(|first| outline(&shown.lines, first)),
            quoted => shown.place.is_some(),
            // The quotation may stand in another part than the one that is shown.
            here => shown.place.is_some_and(|place| place.start < shown.window.end && place.end > shown.window.start),
            own => own.as_deref(),
            changed => seen.changed,
            only_quote => seen.level == Level::Quote,
            groups => groups.iter().map(group).collect::<Vec<_>>(),
            cut_before => seen.level == Level::Quote && !begins,
            cut_after => seen.level == Level::Quote && !ends,
            part => shown.part + 1,
            parts => shown.parts,
            earlier => (shown.part > 0).then(|| part(shown.part.saturating_sub(1))),
            later => (shown.part + 1 < shown.parts).then(|| part(shown.part + 1)),
            web => web_address(&document.source),
            file => file,
            captions => captions,
            show => original.map(|kind| match kind.show {
                Show::Pdf => "pdf",
                Show::Audio => "audio",
                Show::Video => "video",
                Show::Inert => "inert",
                Show::Save => "save",
            }),
            // Only what a PDF viewer or a player understands.
            file_place => own.as_deref().filter(|own| own.starts_with("page=") || own.starts_with("t=")),
        },
    )
}

/// A page that says why nothing can be shown, and what to do.
pub fn notice(problem: &Problem, headers: &HeaderMap) -> Result<Response, Problem> {
    let language = words::language(headers);
    let (said, advice) =
        words::notice(language, problem.code).unwrap_or((problem.message.as_str(), problem.hint.as_ref()));
    let mut response =
        respond(NOTICE, context! { lang => language, words => words::of(language), said, advice })?;
    *response.status_mut() = status(problem.kind);
    Ok(response)
}

/// The address of the web page that a document was read from.
pub fn web_address(source: &str) -> Option<&str> {
    let is_web = source.starts_with("https://") || source.starts_with("http://");
    is_web.then_some(source)
}

/// The place in parts that the template names in the reader's language.
fn spot(anchor: &Anchor) -> Value {
    context! {
        page => anchor.page_name(),
        slide => anchor.slide,
        sheet => anchor.sheet.clone(),
        row => anchor.row,
        clock => anchor.start_ms.map(clock),
    }
}

/// A page drawn as the boxes of its lines, those of the quotation marked: where it stands, for the eye. In tenths of a
/// point, as areas are; what no line is known of is left white.
fn outline(lines: &[Area], marked: &Area) -> Option<Value> {
    let page = lines.iter().find(|area| area.page == marked.page)?;
    let boxes = |area: &Area, quoted: bool| {
        let one = |mark: &Mark| {
            let Frame { x0, y0, x1, y1 } = mark.frame;
            context! { x => x0, y => y0, width => x1.saturating_sub(x0), height => y1.saturating_sub(y0), quoted }
        };
        area.lines.iter().map(one).collect::<Vec<_>>()
    };
    let (width, height) = (page.sheet.width, page.sheet.height);
    (width > 0 && height > 0).then(|| {
        let lines = [boxes(page, false), boxes(marked, true)].concat();
        context! { width, height, lines, page => marked.page }
    })
}

fn group(group: &Group) -> Value {
    context! {
        kind => group.kind,
        label => group.label.clone(),
        id => group.id.clone(),
        lines => group.lines.iter().map(line).collect::<Vec<_>>(),
    }
}

fn line(line: &Line) -> Value {
    let piece = |piece: &Piece| {
        context! { text => piece.text, quoted => piece.quoted, first => piece.first, last => piece.last }
    };
    context! {
        id => line.id.clone(),
        level => line.level,
        seconds => line.seconds,
        clock => line.clock.clone(),
        pieces => line.pieces.iter().map(piece).collect::<Vec<_>>(),
    }
}

fn respond(template: &str, values: Value) -> Result<Response, Problem> {
    let page = templates()?.get_template(template).and_then(|template| template.render(values));
    let page = page.map_err(Problem::internal)?;
    let mut response = ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::VARY, HeaderValue::from_static("accept, accept-language"));
    // An address is for whoever asked; it belongs into no search engine.
    headers.insert("x-robots-tag", HeaderValue::from_static("noindex"));
    Ok(response)
}

/// The templates, read once. Their names end with `.html`, which is what makes them escape.
fn templates() -> Result<&'static Environment<'static>, Problem> {
    static TEMPLATES: OnceLock<Result<Environment<'static>, String>> = OnceLock::new();
    let made = TEMPLATES.get_or_init(|| {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
        environment.set_syntax(syntax.map_err(|error| format!("{error:#}"))?);
        let all = [
            (DOCUMENT, include_str!("../../../../assets/viewer/document.html")),
            (NOTICE, include_str!("../../../../assets/viewer/notice.html")),
        ];
        for (name, source) in all {
            environment.add_template(name, source).map_err(|error| format!("{error:#}"))?;
        }
        Ok(environment)
    });
    made.as_ref().map_err(Problem::internal)
}
