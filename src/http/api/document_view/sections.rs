//! The stored words of a document as a reader sees them: headings, paragraphs, lists, rows and cues, with the
//! quotation marked at its exact bytes. Pure; the page and the JSON of a document are made of this.
//!
//! What is shown is a window of the text: what surrounds the quotation, or one part of a long text. Blocks say what
//! their words are; words that no block covers (records of a corpus) are paragraphs.

use std::collections::HashSet;

use crate::answer::cite::{clock, fragment};
use crate::domain::{Anchor, Block, BlockKind, Span};

/// A part of a long text: about ten printed pages, which every phone shows at once.
const PART_BYTES: usize = 64 << 10;

/// Neighbours of one kind: a list, a table, a transcript, or one paragraph.
#[derive(Debug, Clone, PartialEq)]
pub struct Group<'a> {
    /// `page`, `slide`, `sheet` (a line that says where one begins), `heading`, `paragraph`, `list`, `code`, `rows`,
    /// `cues`.
    pub kind: &'static str,
    /// Number of the page or slide, name of the sheet.
    pub label: Option<String>,
    /// Where a fragment of an address leads, for a group that is a line.
    pub id: Option<String>,
    pub lines: Vec<Line<'a>>,
}

/// A block, or what is shown of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Line<'a> {
    /// Where a fragment of an address leads.
    pub id: Option<String>,
    /// 2 to 6, of a heading.
    pub level: u8,
    /// Seconds, of a cue; the player goes there.
    pub seconds: Option<u64>,
    /// The same for people: `2:05`.
    pub clock: Option<String>,
    pub pieces: Vec<Piece<'a>>,
}

/// Words that are quoted or not.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece<'a> {
    pub text: &'a str,
    pub quoted: bool,
    /// Here the quotation begins.
    pub first: bool,
    /// Here it ends.
    pub last: bool,
}

/// The blocks with paragraphs for all words between them.
pub fn complete(text: &str, blocks: &[Block]) -> Vec<Block> {
    let mut all = Vec::with_capacity(blocks.len());
    let mut at = 0;
    for block in blocks {
        if block.span.start < at || block.span.of(text).is_empty() {
            continue;
        }
        paragraphs(text, Span { start: at, end: block.span.start }, &mut all);
        at = block.span.end;
        all.push(block.clone());
    }
    paragraphs(text, Span { start: at, end: text.len() }, &mut all);
    all
}

/// Adds what stands between empty lines.
fn paragraphs(text: &str, span: Span, all: &mut Vec<Block>) {
    let mut start = span.start;
    for words in span.of(text).split("\n\n") {
        let trimmed = words.trim();
        if !trimmed.is_empty() {
            let begin = start + (words.len() - words.trim_start().len());
            let span = Span { start: begin, end: begin + trimmed.len() };
            all.push(Block { kind: BlockKind::Paragraph, span, anchor: Anchor::default() });
        }
        start += words.len() + 2;
    }
}

/// The parts of a text, cut between blocks; at least one.
pub fn parts(blocks: &[Block]) -> Vec<Span> {
    let mut parts: Vec<Span> = Vec::new();
    for block in blocks {
        match parts.last_mut() {
            Some(part) if block.span.end - part.start <= PART_BYTES => part.end = block.span.end,
            _ => parts.push(block.span),
        }
    }
    if parts.is_empty() { vec![Span { start: 0, end: 0 }] } else { parts }
}

/// The block in which a place begins.
pub fn block_at(blocks: &[Block], place: Span) -> Option<&Block> {
    let after = blocks.partition_point(|block| block.span.start <= place.start);
    after.checked_sub(1).and_then(|at| blocks.get(at))
}

/// What is shown of `blocks` (complete and in order) within `window`, with `place` marked.
pub fn groups<'a>(text: &'a str, blocks: &[Block], window: Span, place: Option<Span>) -> Vec<Group<'a>> {
    let quoted = place.and_then(|place| block_at(blocks, place)).map(|block| block.span);
    // The place's own name belongs to the line that holds the quotation, so that an address leads there without a
    // script, and not to the top of its page.
    let own =
        quoted.and(place).and_then(|place| block_at(blocks, place)).map(|block| fragment(&block.anchor));
    let mut names: HashSet<String> = own.iter().cloned().collect();
    names.insert("quote".to_owned());
    let has_lines = blocks.iter().any(|block| section(&block.anchor).is_some());
    let top = if has_lines { 3 } else { 2 };
    let (mut groups, mut level, mut open): (Vec<Group>, u8, Option<(&str, String)>) =
        (Vec::new(), top - 1, None);
    for block in blocks {
        let shown = Span { start: block.span.start.max(window.start), end: block.span.end.min(window.end) };
        if shown.start >= shown.end {
            continue;
        }
        if let Some((kind, label)) = section(&block.anchor)
            && open.as_ref() != Some(&(kind, label.clone()))
        {
            let id =
                (kind != "sheet").then(|| format!("{kind}={label}")).filter(|id| names.insert(id.clone()));
            groups.push(Group { kind, label: Some(label.clone()), id, lines: Vec::new() });
            open = Some((kind, label));
            level = top - 1;
        }
        if let BlockKind::Heading(depth) = block.kind {
            // Levels that a document leaves out would puzzle those who hear the page.
            level = (depth.max(1) + top - 1).min(level + 1).min(6);
        }
        let named = if quoted == Some(block.span) {
            own.clone().filter(|own| own != "quote")
        } else {
            Some(fragment(&block.anchor))
                .filter(|name| !name.starts_with("page=") && !name.starts_with("slide="))
        };
        let id = named.filter(|name| {
            own.as_ref() == Some(name) && quoted == Some(block.span) || names.insert(name.clone())
        });
        let milliseconds = block.anchor.start_ms.filter(|_| block.kind == BlockKind::Cue);
        let line = Line {
            id,
            level,
            seconds: milliseconds.map(|time| time / 1000),
            clock: milliseconds.map(clock),
            pieces: pieces(text, shown, place),
        };
        let kind = kind_of(block.kind);
        match groups.last_mut() {
            Some(group) if group.kind == kind && matches!(kind, "list" | "rows" | "cues") => {
                group.lines.push(line)
            }
            _ => groups.push(Group { kind, label: None, id: None, lines: vec![line] }),
        }
    }
    groups
}

fn kind_of(kind: BlockKind) -> &'static str {
    match kind {
        BlockKind::Heading(_) => "heading",
        BlockKind::Paragraph => "paragraph",
        BlockKind::ListItem => "list",
        BlockKind::Code => "code",
        BlockKind::TableRow => "rows",
        BlockKind::Cue => "cues",
    }
}

/// The page, slide or sheet that a block stands on.
fn section(anchor: &Anchor) -> Option<(&'static str, String)> {
    match anchor {
        Anchor { page: Some(page), .. } => Some(("page", page.to_string())),
        Anchor { slide: Some(slide), .. } => Some(("slide", slide.to_string())),
        Anchor { sheet: Some(sheet), .. } => Some(("sheet", sheet.clone())),
        _ => None,
    }
}

/// `shown` cut where the quotation begins and ends.
fn pieces(text: &str, shown: Span, place: Option<Span>) -> Vec<Piece<'_>> {
    let none = Span { start: shown.end, end: shown.end };
    let place = place.filter(|place| place.start < shown.end && place.end > shown.start).unwrap_or(none);
    let quoted = Span { start: place.start.max(shown.start), end: place.end.min(shown.end) };
    let plain =
        |start, end| Piece { text: Span { start, end }.of(text), quoted: false, first: false, last: false };
    let marked = Piece {
        text: quoted.of(text),
        quoted: true,
        first: quoted.start == place.start,
        last: quoted.end == place.end,
    };
    let all = [plain(shown.start, quoted.start), marked, plain(quoted.end, shown.end)];
    all.into_iter().filter(|piece| !piece.text.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Text;

    fn on_page(page: u32) -> Anchor {
        Anchor { page: Some(page), ..Anchor::default() }
    }

    fn find(text: &str, words: &str) -> Span {
        let start = text.find(words).unwrap();
        Span { start, end: start + words.len() }
    }

    fn all(text: &Text) -> Span {
        Span { start: 0, end: text.text.len() }
    }

    /// What a reader of the whole page reads, with `[` and `]` around what is marked.
    fn read(groups: &[Group]) -> String {
        let lines = groups.iter().flat_map(|group| &group.lines);
        let line = |line: &Line| {
            let piece = |piece: &Piece| match piece.quoted {
                true => format!("[{}]", piece.text),
                false => piece.text.to_owned(),
            };
            line.pieces.iter().map(piece).collect::<String>()
        };
        lines.map(line).collect::<Vec<_>>().join("|")
    }

    #[test]
    fn the_quotation_is_marked_at_its_bytes() {
        let mut text = Text::default();
        text.push(BlockKind::Heading(1), "Rückgabe", Anchor::default());
        text.push(BlockKind::Paragraph, "Öl trocknet 🎨 langsam. Es dauert länger.", Anchor::default());
        text.push(BlockKind::ListItem, "- 油画颜料", Anchor::default());
        text.push(BlockKind::ListItem, "- زيت", Anchor::default());
        for (from, to, expected) in [
            ("Öl", "langsam.", "Rückgabe|[Öl trocknet 🎨 langsam.] Es dauert länger.|- 油画颜料|- زيت"),
            ("🎨", "🎨", "Rückgabe|Öl trocknet [🎨] langsam. Es dauert länger.|- 油画颜料|- زيت"),
            ("länger.", "油", "Rückgabe|Öl trocknet 🎨 langsam. Es dauert [länger.]|[- 油]画颜料|- زيت"),
            ("زيت", "زيت", "Rückgabe|Öl trocknet 🎨 langsam. Es dauert länger.|- 油画颜料|- [زيت]"),
        ] {
            let place = Span { start: find(&text.text, from).start, end: find(&text.text, to).end };
            let groups = groups(&text.text, &text.blocks, all(&text), Some(place));
            assert_eq!(read(&groups), expected);
            let pieces = groups.iter().flat_map(|g| &g.lines).flat_map(|l| &l.pieces);
            let ends: Vec<_> = pieces.filter(|p| p.first || p.last).map(|p| (p.first, p.last)).collect();
            assert_eq!(ends.iter().filter(|end| end.0).count(), 1, "{ends:?}");
            assert_eq!(ends.iter().filter(|end| end.1).count(), 1, "{ends:?}");
        }
    }

    #[test]
    fn the_name_of_the_place_stands_at_the_quotation() {
        let mut text = Text::default();
        for (page, words) in [(1, "One."), (3, "Two."), (3, "Three."), (4, "Four.")] {
            text.push(BlockKind::Paragraph, words, on_page(page));
        }
        let names = |place: Option<Span>| {
            let groups = groups(&text.text, &text.blocks, all(&text), place);
            let names =
                groups.iter().flat_map(|group| group.id.iter().chain(group.lines.iter().flat_map(|l| &l.id)));
            names.cloned().collect::<Vec<_>>()
        };
        assert_eq!(names(None), ["page=1", "page=3", "page=4"]);
        let groups = groups(&text.text, &text.blocks, all(&text), Some(find(&text.text, "Three.")));
        assert_eq!(names(Some(find(&text.text, "Three."))), ["page=1", "page=3", "page=4"]);
        let named = groups.iter().find(|group| group.lines.iter().any(|line| line.id.is_some())).unwrap();
        assert_eq!(named.lines[0].pieces[0].text, "Three.");
    }

    #[test]
    fn a_window_shows_nothing_else() {
        let mut text = Text::default();
        for words in ["Secret one.", "Shown two. Quoted three.", "Secret four."] {
            text.push(BlockKind::Paragraph, words, Anchor::default());
        }
        let window = find(&text.text, "two. Quoted three.");
        let groups = groups(&text.text, &text.blocks, window, Some(find(&text.text, "Quoted three.")));
        assert_eq!(read(&groups), "two. [Quoted three.]");
    }

    #[test]
    fn words_without_blocks_are_paragraphs_and_neighbours_share_a_group() {
        let text = "First words.\n\nSecond words.\n- a\n";
        let blocks = complete(text, &[]);
        assert_eq!(
            read(&groups(text, &blocks, Span { start: 0, end: text.len() }, None)),
            "First words.|Second words.\n- a"
        );
        let middle = Block { kind: BlockKind::Code, span: find(text, "Second"), anchor: Anchor::default() };
        let kinds: Vec<_> =
            complete(text, &[middle]).iter().map(|b| (b.kind, b.span.of(text).to_owned())).collect();
        assert_eq!(
            kinds,
            [
                (BlockKind::Paragraph, "First words.".to_owned()),
                (BlockKind::Code, "Second".to_owned()),
                (BlockKind::Paragraph, "words.\n- a".to_owned())
            ]
        );
        let mut text = Text::default();
        for (at, words) in [(0, "a"), (1500, "b"), (1900, "c")] {
            let anchor = Anchor { start_ms: Some(at), end_ms: Some(at + 100), ..Anchor::default() };
            text.push(BlockKind::Cue, words, anchor);
        }
        let cues = groups(&text.text, &text.blocks, all(&text), Some(find(&text.text, "c")));
        assert_eq!(cues.len(), 1);
        // Two cues of one second: the name is that of the quoted one.
        let names: Vec<_> = cues[0].lines.iter().map(|line| line.id.as_deref()).collect();
        assert_eq!(names, [Some("t=0"), None, Some("t=1")]);
        assert_eq!(cues[0].lines[1].clock.as_deref(), Some("0:01"));
    }

    #[test]
    fn headings_leave_no_level_out() {
        let mut text = Text::default();
        for depth in [1, 4, 2, 6, 6] {
            text.push(BlockKind::Heading(depth), "Heading", Anchor::default());
        }
        let levels = |text: &Text| {
            let groups = groups(&text.text, &text.blocks, all(text), None);
            groups.iter().flat_map(|group| &group.lines).map(|line| line.level).collect::<Vec<_>>()
        };
        assert_eq!(levels(&text), [2, 3, 3, 4, 5]);
        for block in &mut text.blocks {
            block.anchor.page = Some(1);
        }
        assert_eq!(levels(&text), [3, 4, 4, 5, 6]);
    }

    #[test]
    fn long_texts_have_parts_that_hold_every_block() {
        let mut text = Text::default();
        for _ in 0..300 {
            text.push(BlockKind::Paragraph, &"word ".repeat(200), Anchor::default());
        }
        let parts = parts(&text.blocks);
        assert_eq!(parts.len(), 5);
        let held = |span: &Span| parts.iter().any(|part| part.start <= span.start && span.end <= part.end);
        assert!(text.blocks.iter().all(|block| held(&block.span)));
        assert!(parts.iter().all(|part| part.end - part.start <= PART_BYTES));
        assert_eq!(super::parts(&[]), [Span { start: 0, end: 0 }]);
    }
}
