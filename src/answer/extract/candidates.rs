//! Every sentence of the evidence that could be quoted, with what speaks for and against it.
//!
//! Comes in: the question as the word index understood it and the best chunks. Goes out: [`Candidate`]s with their
//! [`Features`], but for the nearness in meaning, which `extract/mod.rs` adds. Pure. Headings and questions are no
//! candidates: their words count for the sentences under them.

use super::Passage;
use super::asked::{Asked, Kind, is_instruction};
use crate::domain::Span;
use crate::index::analyze::sentences::{Piece, PieceKind, is_question, pieces};
use crate::index::analyze::{fold, terms};
use crate::index::lexical::LexicalQuery;

/// Longer pieces (lists without stops, blocks of code) answer only where nothing shorter does, in bytes.
pub const LONG: usize = 600;
/// Pieces of fewer words say little alone.
const SHORT_WORDS: usize = 4;

/// A sentence that could be quoted.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Place among the passages.
    pub passage: usize,
    /// What would be quoted: the sentence, with the one before where it points back to it.
    pub span: Span,
    /// The sentence itself, and the one before it in the same section.
    pub own: Span,
    pub before: Option<Span>,
    /// The heading within the chunk that it stands under.
    pub heading: Option<Span>,
    pub features: Features,
}

/// What speaks for a sentence, each 0 to 1 or a flag.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Features {
    /// Share of the question's rarity that its own words cover.
    pub own: f32,
    /// What its title and headings add to that, and what the sentence before adds then.
    pub above: f32,
    pub before: f32,
    /// Words that stand together as in the question.
    pub nearness: f32,
    /// Cosine with the question: of itself, and together with what stands before and above it.
    pub meaning: f32,
    pub context: f32,
    /// The chunk's score, and its place in the ranking as 1/place.
    pub passage: f32,
    pub rank: f32,
    /// It holds, or lacks, the kind of thing that is asked for.
    pub kind: f32,
    pub no_kind: f32,
    /// It is the first under a heading, as far as the headings hold the question.
    pub lead: f32,
    pub short: f32,
    pub long: f32,
    pub code: f32,
    /// It ends in a colon: it announces an answer and is none.
    pub announces: f32,
    /// The heading above asks with the same question words.
    pub same_question: f32,
    /// Its words that the question does not have, up to eight.
    pub new_words: f32,
    /// Share of the question's names and numbers that it or its title holds; 1 without any.
    pub names: f32,
}

impl Features {
    /// In the order of their weights.
    pub fn row(&self) -> [f32; 18] {
        [
            self.own,
            self.above,
            self.before,
            self.nearness,
            self.meaning,
            self.context,
            self.passage,
            self.rank,
            self.kind,
            self.no_kind,
            self.lead,
            self.short,
            self.long,
            self.code,
            self.announces,
            self.same_question,
            self.new_words,
            self.names,
        ]
    }

    /// Share of the question's rarity that it covers with its title and, in part, the sentence before.
    pub fn coverage(&self) -> f32 {
        self.own + self.above + BEFORE_SHARE * self.before
    }
}

/// Part of what only the sentence before covers that counts.
const BEFORE_SHARE: f32 = 0.4;

/// All candidates, passage after passage in reading order.
pub fn candidates(question: &str, query: &LexicalQuery, passages: &[Passage]) -> Vec<Candidate> {
    let asked = Asked::of(question);
    let mut found = Vec::new();
    for (place, passage) in passages.iter().enumerate() {
        of_passage(&asked, query, place, passage, &mut found);
    }
    found
}

fn of_passage(
    asked: &Asked,
    query: &LexicalQuery,
    place: usize,
    passage: &Passage,
    found: &mut Vec<Candidate>,
) {
    let held = |text: &str| query.held(&terms(text, passage.language));
    let above = format!("{}\n{}", passage.title, passage.heading.unwrap_or_default());
    let title = held(&above);
    let nothing = vec![0.0; title.len()];
    let mut section = Section {
        heading: None,
        held: nothing.clone(),
        asks: asked.is_asked_by(&above),
        announces: asked.is_announced_by(passage.heading.unwrap_or_default()),
    };
    let mut before = nothing.clone();
    let mut former: Option<Span> = None;
    let mut is_first = true;
    let pieces = pieces(passage.text, passage.language);
    for (at, piece) in pieces.iter().enumerate() {
        let text = piece.span.of(passage.text);
        let is_heading = piece.kind == PieceKind::Heading
            || passage.headings.iter().any(|h| h.start <= piece.span.start && piece.span.start < h.end);
        if is_heading {
            section = Section {
                heading: Some(piece.span),
                held: held(text),
                asks: asked.is_asked_by(text),
                announces: asked.is_announced_by(text),
            };
        }
        if is_heading || repeats(text, passage.title) {
            (former, before, is_first) = (None, nothing.clone(), true);
            continue;
        }
        let steps = if asked.kind == Kind::Steps { steps(passage.text, &pieces[at..]) } else { None };
        let own_terms = terms(steps.map_or(text, |steps| steps.of(passage.text)), passage.language);
        let own = query.held(&own_terms);
        if is_question(text) {
            // What it asks is answered by what follows.
            (former, before) = (None, most_of(&own, &before));
            continue;
        }
        let headings = most_of(&section.held, &title);
        let with_above = most_of(&own, &headings);
        let own_coverage = query.coverage(&own);
        let above_coverage = query.coverage(&with_above);
        let all_coverage = query.coverage(&most_of(&with_above, &before));
        let listed = listed(passage.text, &pieces[at..]).or(steps);
        let points_back = points_back(text);
        let span = match (former, listed) {
            (_, Some(listed)) => listed,
            (Some(former), None) if points_back || is_short(former.of(passage.text)) => {
                together(former, piece.span, passage.text)
            }
            _ => piece.span,
        };
        let kind = asked.kind_is_in(listed.unwrap_or(piece.span).of(passage.text), section.announces);
        let new_words = own_terms.iter().filter(|term| !is_asked(query, term)).count();
        let features = Features {
            own: own_coverage,
            above: above_coverage - own_coverage,
            before: all_coverage - above_coverage,
            nearness: query.nearness(&own_terms),
            meaning: 0.0,
            context: 0.0,
            passage: passage.score,
            rank: 1.0 / (place + 1) as f32,
            kind: flag(kind == Some(true)),
            no_kind: flag(kind == Some(false)),
            lead: if is_first { query.coverage(&headings) } else { 0.0 },
            short: flag(is_short(text)),
            long: flag(text.len() > LONG),
            code: flag(piece.kind == PieceKind::Code),
            announces: flag(text.ends_with([':', '：']) && listed.is_none()),
            same_question: flag(section.asks),
            new_words: new_words.min(MOST_NEW) as f32 / MOST_NEW as f32,
            names: asked.share_of_names(text, &above),
        };
        found.push(Candidate {
            passage: place,
            span,
            own: piece.span,
            before: former,
            heading: section.heading,
            features,
        });
        (former, before, is_first) = (Some(piece.span), own, false);
    }
}

/// The heading that a sentence stands under.
struct Section {
    heading: Option<Span>,
    /// What it holds of the question.
    held: Vec<f32>,
    /// Whether it asks with the same words, as `When you get it` does.
    asks: bool,
    /// Whether it announces what is asked for, as `My recommendation` does.
    announces: bool,
}

/// A line that announces a list, together with the list, when that stays short enough to read. `pieces` begin with it.
fn listed(text: &str, pieces: &[Piece]) -> Option<Span> {
    let (first, rest) = pieces.split_first()?;
    if !first.span.of(text).ends_with([':', '：']) {
        return None;
    }
    let mut end = first.span.end;
    for piece in rest {
        let between = text.get(end..piece.span.start).unwrap_or_default();
        let is_item = between.contains('\n') && !between.trim().is_empty();
        let goes_on = end > first.span.end && !between.contains('\n');
        if piece.kind != PieceKind::Sentence || !(is_item || goes_on) {
            break;
        }
        end = piece.span.end;
    }
    let all = Span { start: first.span.start, end };
    (end > first.span.end && all.of(text).len() <= LONG).then_some(all)
}

/// Instructions that follow each other in one paragraph, with the sentence after them, which tells what comes of them:
/// a student who asks how needs all of them. `pieces` begin with the first.
fn steps(text: &str, pieces: &[Piece]) -> Option<Span> {
    let start = pieces.first()?.span.start;
    let (mut end, mut instructions) = (start, 0);
    for piece in pieces {
        let is_next =
            instructions == 0 || !text.get(end..piece.span.start).is_some_and(|gap| gap.contains("\n\n"));
        if piece.kind != PieceKind::Sentence || !is_next || piece.span.end - start > LONG {
            break;
        }
        end = piece.span.end;
        if !is_instruction(piece.span.of(text)) {
            break;
        }
        instructions += 1;
    }
    (instructions > 1).then_some(Span { start, end })
}

fn is_short(text: &str) -> bool {
    text.is_ascii() && text.split_whitespace().count() < SHORT_WORDS
}

/// New words that make a difference.
const MOST_NEW: usize = 8;

fn flag(is: bool) -> f32 {
    f32::from(u8::from(is))
}

fn is_asked(query: &LexicalQuery, term: &str) -> bool {
    query.words().iter().any(|word| word.readings.iter().any(|(reading, _)| reading == term))
}

/// Whether a sentence begins with a word that points to the one before.
fn points_back(text: &str) -> bool {
    let first: String = text.chars().take_while(|c| c.is_alphabetic()).collect();
    const POINTERS: [&str; 10] =
        ["it", "they", "that", "this", "these", "those", "he", "she", "its", "their"];
    POINTERS.contains(&first.to_lowercase().as_str())
}

/// Two neighbouring sentences as one quotation, when they stand in one paragraph and stay short enough to read.
fn together(former: Span, own: Span, text: &str) -> Span {
    let both = Span { start: former.start, end: own.end };
    let between = text.get(former.end..own.start).unwrap_or("\n");
    if between.contains('\n') || both.of(text).len() > LONG { own } else { both }
}

fn most_of(a: &[f32], b: &[f32]) -> Vec<f32> {
    a.iter().zip(b).map(|(a, b)| a.max(*b)).collect()
}

/// Whether a sentence is only the title said again.
fn repeats(text: &str, title: &str) -> bool {
    let letters = |text: &str| fold(text).chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    !title.is_empty() && letters(text) == letters(title)
}
