//! The sentences of the evidence that answer the question, verbatim.
//!
//! Comes in: the question as the word index understood it and the best chunks with their text. Goes out: up to three
//! sentences with where they stand, the best first, and the signs by which `abstain.rs` judges whether they answer
//! at all. Pure. What is deliberately not here: joining them into a response, and any chat model.
//!
//! A sentence is scored by the share of the question's rarity that it covers, read together with the title and
//! headings above it, and in part with the sentence before it (pronouns point there); by whether it holds the kind
//! of thing that is asked for (a number, a date, a name); and by its chunk's place in the ranking. The weights below
//! were set by hand and not fitted.

use std::collections::HashSet;

use super::sentence::{PieceKind, split};
use crate::domain::{ChunkId, Span};
use crate::index::analyze::{Language, fold, terms, words};
use crate::index::lexical::LexicalQuery;

/// Part of what only the sentence before covers that counts.
const BEFORE_SHARE: f32 = 0.4;
/// Weight of words that stand together as in the question.
const NEARNESS_WEIGHT: f32 = 0.2;
/// Bonus for holding the kind of thing that is asked for.
const KIND_BONUS: f32 = 0.15;
/// Weight of the chunk's score, and bonus of an entry's first sentence when its title asks the question.
const CHUNK_WEIGHT: f32 = 1.0;
const LEAD_BONUS: f32 = 0.1;
/// A sentence this much worse than the best is not shown.
const SHOWN_BELOW_BEST: f32 = 0.45;
/// Longer pieces (lists without stops, blocks of code) answer only where nothing shorter does.
const LONG_CHARS: usize = 600;
const LONG_PENALTY: f32 = 0.3;
/// A sentence that ends in a colon announces an answer and is none.
const ANNOUNCEMENT_PENALTY: f32 = 0.3;

/// A chunk with its words, as retrieval ranked it.
#[derive(Debug, Clone, Copy)]
pub struct Passage<'a> {
    pub chunk: ChunkId,
    pub title: &'a str,
    pub heading: Option<&'a str>,
    pub text: &'a str,
    /// Where headings stand in `text`: they name what follows and answer nothing.
    pub headings: &'a [Span],
    /// Of [`Fused`](super::fuse::Fused).
    pub score: f32,
    pub language: Language,
}

/// A sentence that was picked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Picked {
    /// Place among the passages.
    pub passage: usize,
    /// Within the passage's text: quoting it is verbatim.
    pub span: Span,
    pub score: f32,
}

/// What was picked, and how well the best sentence fits.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Extracted {
    /// In reading order, passages by their best sentence; empty when the passages hold no sentence.
    pub sentences: Vec<Picked>,
    pub signs: Signs,
}

/// What the best sentence holds of the question, each 0 to 1.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Signs {
    /// Share of the question's rarity that it covers with its title and, in part, the sentence before.
    pub coverage: f32,
    /// Share of the question's names and numbers that it or its title holds; 1 when the question has none.
    pub names: f32,
    /// Words that stand together as in the question.
    pub nearness: f32,
}

/// Picks up to `most` sentences from `passages`.
pub fn extract(question: &str, query: &LexicalQuery, passages: &[Passage], most: usize) -> Extracted {
    let asked = Asked::of(question);
    let mut found: Vec<(Picked, Signs)> = Vec::new();
    for (place, passage) in passages.iter().enumerate() {
        score_passage(&asked, query, place, passage, &mut found);
    }
    found.sort_by(|(a, _), (b, _)| {
        b.score.total_cmp(&a.score).then((a.passage, a.span.start).cmp(&(b.passage, b.span.start)))
    });
    let Some(&(best, signs)) = found.first() else { return Extracted::default() };
    let mut sentences: Vec<Picked> = Vec::new();
    let mut shown = HashSet::new();
    for (picked, _) in found {
        let text = picked.span.of(passages[picked.passage].text);
        let is_new = shown.insert(text.split_whitespace().collect::<String>());
        if is_new && picked.score >= best.score - SHOWN_BELOW_BEST {
            sentences.push(picked);
        }
        if sentences.len() == most {
            break;
        }
    }
    in_reading_order(&mut sentences);
    Extracted { sentences, signs }
}

/// Passages by their best sentence, and the sentences of each as they stand in it: a student reads on, not back.
fn in_reading_order(sentences: &mut [Picked]) {
    let order: Vec<usize> = sentences.iter().map(|picked| picked.passage).collect();
    let rank = |picked: &Picked| order.iter().position(|&passage| passage == picked.passage);
    sentences.sort_by_key(|picked| (rank(picked), picked.span.start));
}

/// Scores every sentence of one passage.
fn score_passage(
    asked: &Asked,
    query: &LexicalQuery,
    place: usize,
    passage: &Passage,
    found: &mut Vec<(Picked, Signs)>,
) {
    let above = format!("{}\n{}", passage.title, passage.heading.unwrap_or_default());
    let above_terms = terms(&above, passage.language);
    let above_held = query.held(&above_terms);
    let title_coverage = query.coverage(&above_held);
    let mut before = vec![0.0; above_held.len()];
    let mut section = vec![0.0; above_held.len()];
    let mut former: Option<Span> = None;
    let mut is_first = true;
    for piece in split(passage.text) {
        let text = piece.span.of(passage.text);
        let own_terms = terms(text, passage.language);
        let own = query.held(&own_terms);
        if passage
            .headings
            .iter()
            .any(|heading| heading.start <= piece.span.start && piece.span.start < heading.end)
        {
            // Its words count for the sentences under it.
            section.clone_from(&own);
            former = None;
            before = vec![0.0; above_held.len()];
            is_first = true;
            continue;
        }
        if piece.kind == PieceKind::Heading || repeats(text, passage.title) {
            continue;
        }
        let with_title = most_of(&most_of(&own, &section), &above_held);
        let with_title_coverage = query.coverage(&with_title);
        let with_all_coverage = query.coverage(&most_of(&with_title, &before));
        let coverage = with_title_coverage + BEFORE_SHARE * (with_all_coverage - with_title_coverage);
        let nearness = query.nearness(&own_terms);
        let mut score = coverage + NEARNESS_WEIGHT * nearness + CHUNK_WEIGHT * passage.score;
        score += KIND_BONUS * f32::from(u8::from(asked.kind.is_in(text, &asked.words)));
        score += LEAD_BONUS * title_coverage * f32::from(u8::from(is_first));
        if text.len() > LONG_CHARS || piece.kind == PieceKind::Code {
            score -= LONG_PENALTY;
        }
        if text.ends_with(':') {
            score -= ANNOUNCEMENT_PENALTY;
        }
        let span = match former {
            Some(former) if points_back(text) => together(former, piece.span, passage.text),
            _ => piece.span,
        };
        let names = asked.share_of_names(text, &above);
        found.push((Picked { passage: place, span, score }, Signs { coverage, names, nearness }));
        former = Some(piece.span);
        before = own;
        is_first = false;
    }
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
    if between.contains('\n') || both.of(text).len() > LONG_CHARS { own } else { both }
}

fn most_of(a: &[f32], b: &[f32]) -> Vec<f32> {
    a.iter().zip(b).map(|(a, b)| a.max(*b)).collect()
}

/// Whether a sentence is only the title said again.
fn repeats(text: &str, title: &str) -> bool {
    let letters = |text: &str| fold(text).chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    !title.is_empty() && letters(text) == letters(title)
}

/// What a question asks for.
struct Asked {
    kind: Kind,
    words: HashSet<String>,
    /// Capitalised words after the first, and words with digits, folded.
    names: Vec<String>,
}

impl Asked {
    fn of(question: &str) -> Self {
        let list: Vec<String> = words(question).into_iter().map(|word| word.text).collect();
        let kind = Kind::of(&list);
        let is_name = |(at, word): &(usize, &str)| {
            let begins_large = word.starts_with(|c: char| c.is_uppercase());
            let is_acronym = word.len() > 1 && word.chars().all(char::is_uppercase);
            word.contains(|c: char| c.is_ascii_digit()) || (begins_large && (*at > 0 || is_acronym))
        };
        let names = question
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty() && *word != "I")
            .enumerate()
            .filter(is_name)
            .map(|(_, word)| fold(word))
            .collect();
        Self { kind, words: list.into_iter().collect(), names }
    }

    fn share_of_names(&self, text: &str, above: &str) -> f32 {
        if self.names.is_empty() {
            return 1.0;
        }
        let (text, above) = (fold(text), fold(above));
        let held = self.names.iter().filter(|name| text.contains(*name) || above.contains(*name)).count();
        held as f32 / self.names.len() as f32
    }
}

/// The kind of thing that a question asks for, by its question words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    Date,
    Name,
    Any,
}

/// What a number is asked with after `how`.
const AMOUNTS: &[&str] =
    &["big", "deep", "far", "fast", "heavy", "high", "large", "long", "many", "much", "often", "old", "tall"];

impl Kind {
    fn of(question: &[String]) -> Self {
        let has = |wanted: &[&str]| question.iter().any(|word| wanted.contains(&word.as_str()));
        let follows = |first: &[&str], second: &[&str]| {
            question.windows(2).any(|w| first.contains(&w[0].as_str()) && second.contains(&w[1].as_str()))
        };
        if follows(&["how"], AMOUNTS)
            || follows(&["what", "which"], &["amount", "number", "percent", "percentage", "price"])
            || has(&["cuántos", "cuántas", "cuánto", "wieviel", "wieviele", "combien"])
            || follows(&["wie"], &["viel", "viele", "lange", "oft", "hoch", "groß", "alt"])
        {
            Self::Number
        } else if has(&["when", "wann", "cuándo", "quand"])
            || follows(&["what", "which"], &["century", "date", "day", "decade", "month", "time", "year"])
        {
            Self::Date
        } else if has(&[
            "who", "whom", "whose", "where", "wer", "wem", "wen", "wo", "quién", "quiénes", "dónde", "qui",
            "où",
        ]) {
            Self::Name
        } else {
            Self::Any
        }
    }

    /// Whether `text` holds such a thing that the question does not.
    fn is_in(self, text: &str, question: &HashSet<String>) -> bool {
        let mut tokens = text.split(|c: char| !c.is_alphanumeric()).filter(|token| !token.is_empty());
        let is_number = |token: &str| token.contains(|c: char| c.is_ascii_digit());
        match self {
            Self::Any => false,
            Self::Number => {
                tokens.any(|token| is_number(token) || NUMBERS.contains(&token.to_lowercase().as_str()))
            }
            Self::Date => tokens.any(|token| {
                let lower = token.to_lowercase();
                (is_number(token) && !question.contains(&lower)) || DATES.contains(&lower.as_str())
            }),
            Self::Name => tokens.skip(1).any(|token| {
                token.starts_with(|c: char| c.is_uppercase()) && !question.contains(&token.to_lowercase())
            }),
        }
    }
}

const NUMBERS: &[&str] = &[
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "dozen", "half", "hundred", "thousand", "million", "billion", "once", "twice", "daily", "weekly",
    "monthly",
];
const DATES: &[&str] = &[
    "january",
    "february",
    "march",
    "april",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "mondays",
    "tuesdays",
    "wednesdays",
    "thursdays",
    "fridays",
    "saturdays",
    "sundays",
    "today",
    "tomorrow",
    "noon",
    "midnight",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::abstain::{DEFAULT_THRESHOLD, confidence};
    use crate::answer::retrieve::{RetrieveOptions, retrieve};
    use crate::index::analyze::ChunkTerms;
    use crate::index::lexical::LexicalIndex;

    const PASSAGES: &[(&str, &str)] = &[
        (
            "Refunds",
            "Refunds\n\nYou can ask for a full refund within 23 days of buying. Write to the help desk.",
        ),
        ("Can I still join?", "Yes, even after the start. Homework that is late is not graded."),
        (
            "History",
            "Ada Lovelace wrote the first program. It was for a machine of Babbage. He never built it.",
        ),
    ];

    fn extracted(question: &str) -> (Vec<&'static str>, Signs) {
        let mut index = LexicalIndex::default();
        for (number, (title, text)) in (0..).zip(PASSAGES) {
            index.add(ChunkId(number), &ChunkTerms::of(title, None, text, Language::ENGLISH));
        }
        let query = index.query(question, None);
        let mut passages: Vec<Passage> = (0..)
            .zip(PASSAGES)
            .map(|(number, &(title, text))| {
                let chunk = ChunkId(number);
                let score = index.scores(&query, &[chunk])[0].coverage;
                Passage {
                    chunk,
                    title,
                    heading: None,
                    text,
                    headings: &[],
                    score,
                    language: Language::ENGLISH,
                }
            })
            .collect();
        passages.sort_by(|a, b| b.score.total_cmp(&a.score));
        let found = extract(question, &query, &passages, 3);
        let texts = found.sentences.iter().map(|s| s.span.of(passages[s.passage].text)).collect();
        (texts, found.signs)
    }

    #[test]
    fn the_sentence_that_answers_comes_first_and_is_verbatim() {
        let first = |question| extracted(question).0[0];
        assert_eq!(
            first("How many days do I have to ask for a refund?"),
            "You can ask for a full refund within 23 days of buying."
        );
        assert_eq!(first("Can I still join the course?"), "Yes, even after the start.");
        assert_eq!(first("Who wrote the first program?"), "Ada Lovelace wrote the first program.");
        assert_eq!(first("Where do I write to the help desk?"), "Write to the help desk.");
    }

    #[test]
    fn signs_tell_a_good_fit_from_a_bad_one() {
        let (good, bad) =
            (extracted("Who wrote the first program?").1, extracted("Who won the final of 1998?").1);
        assert!(good.coverage > 0.9 && bad.coverage < 0.3);
        assert!(good.names == 1.0 && bad.names == 0.0);
    }

    #[test]
    fn three_documents_are_enough_to_tell_what_they_answer() {
        let confident = |question: &str| {
            let mut index = LexicalIndex::default();
            for (number, (title, text)) in (0..).zip(PASSAGES) {
                index.add(ChunkId(number), &ChunkTerms::of(title, None, text, Language::ENGLISH));
            }
            let found = retrieve(question, None, &index, None, &RetrieveOptions::default()).unwrap();
            let passages: Vec<Passage> = found
                .hits
                .iter()
                .map(|hit| {
                    let (title, text) = PASSAGES[hit.chunk.0 as usize];
                    Passage {
                        chunk: hit.chunk,
                        title,
                        heading: None,
                        text,
                        headings: &[],
                        score: hit.score,
                        language: Language::ENGLISH,
                    }
                })
                .collect();
            let signs = extract(question, &found.query, &passages, 3).signs;
            confidence(&found.hits, &signs, false) >= DEFAULT_THRESHOLD
        };
        assert!(confident("How many days do I have to ask for a refund?"));
        assert!(confident("Who wrote the first program?"));
        assert!(confident("Can I join late?"));
        assert!(!confident("Who scored first in the football final of 1998?"));
        assert!(!confident("What is the capital of Peru?"));
        assert!(!confident("Which book should I read about machine learning?"));
    }

    #[test]
    fn nothing_is_picked_from_nothing() {
        let query = LexicalIndex::default().query("What?", None);
        assert_eq!(extract("What?", &query, &[], 3), Extracted::default());
    }
}
