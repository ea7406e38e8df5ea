//! Which lessons a course has, in the order of the course, and which of them a name means.
//!
//! Comes in: the creator's documents and settings, and names as a creator's site gives them. Goes out: lessons and their
//! places. Pure. The creator's own list goes first; else the documents count that are neither policies nor help texts,
//! those of a folder of lessons where there is one, by their sources: `2 salt.md` stands before `10 bread.md`.

use serde_json::Value;

use super::super::policy;
use crate::answer::route::pattern_tokens;
use crate::domain::{Document, feedback};
use crate::store::Creator;

/// Name of the setting that lists the lessons in order: titles, ids, or names of files.
pub const SETTING: &str = "lessons";

/// More documents than this are no course whose lessons a student counts.
const MOST: usize = 1_000;

/// A lesson.
#[derive(Debug, Clone, PartialEq)]
pub struct Lesson {
    pub name: String,
    /// What it may be called, in words.
    names: Vec<Vec<String>>,
}

/// The lessons in the order of the course; none where that cannot be told.
pub fn in_order(documents: &[Document], creator: &Creator) -> Vec<Lesson> {
    let mut lessons: Vec<&Document> =
        documents.iter().filter(|document| is_lesson(document, creator)).take(MOST + 1).collect();
    if lessons.iter().any(|document| is_in_folder(document)) {
        lessons.retain(|document| is_in_folder(document));
    } else {
        lessons.retain(|document| !is_help(document));
    }
    lessons.sort_by_cached_key(|document| natural(&document.source));
    let lessons: Vec<Lesson> = lessons.into_iter().map(Lesson::of).collect();
    let own: Vec<&str> = creator
        .settings
        .get(SETTING)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if own.is_empty() {
        return if lessons.len() > MOST { Vec::new() } else { lessons };
    }
    let named = |name: &&str| match place_of(&lessons, name) {
        Some(place) => lessons[place].clone(),
        None => Lesson { name: (*name).to_owned(), names: vec![words(name)] },
    };
    own.iter().map(named).collect()
}

/// The lesson that a site means by a name: the one that is called so, else the only one whose name holds it.
pub fn place_of(lessons: &[Lesson], name: &str) -> Option<usize> {
    let wanted = words(name);
    if wanted.is_empty() {
        return None;
    }
    if let Some(place) = lessons.iter().position(|lesson| lesson.names.contains(&wanted)) {
        return Some(place);
    }
    let holds = |lesson: &Lesson| {
        lesson.names.iter().any(|words| words.windows(wanted.len()).any(|window| window == wanted))
    };
    let mut found = lessons.iter().enumerate().filter(|(_, lesson)| holds(lesson)).map(|(place, _)| place);
    found.next().filter(|_| found.next().is_none())
}

impl Lesson {
    fn of(document: &Document) -> Self {
        let last = document.title.rsplit('›').next().unwrap_or(&document.title);
        let file = document.source.rsplit(['/', '\\', '#', ':']).next().unwrap_or_default();
        let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
        let external = document.external_id.as_deref().unwrap_or_default();
        let names = [&document.title, last, file, stem, external, document.id.as_str()];
        let mut names: Vec<Vec<String>> =
            names.into_iter().map(words).filter(|words| !words.is_empty()).collect();
        names.dedup();
        Self { name: document.title.clone(), names }
    }
}

fn is_lesson(document: &Document, creator: &Creator) -> bool {
    !document.source.starts_with(feedback::CORRECTIONS) && !policy::is_policy_document(document, creator)
}

fn is_in_folder(document: &Document) -> bool {
    let folders = document.source.rsplit_once(['/', '\\']).map_or("", |(folders, _)| folders);
    folders.split(['/', '\\']).any(|folder| words(folder).iter().any(|word| FOLDERS.contains(&word.as_str())))
}

fn is_help(document: &Document) -> bool {
    let lesson = Lesson::of(document);
    lesson.names.iter().any(|words| matches!(words.as_slice(), [only] if HELP.contains(&only.as_str())))
}

fn words(name: &str) -> Vec<String> {
    pattern_tokens(&name.replace(['-', '_', '/', '.'], " "))
}

/// Without accents. What folders of lessons are called.
#[rustfmt::skip]
const FOLDERS: &[&str] = &[
    "lessons", "lektionen", "lecciones", "clases", "lecons", "aulas", "licoes", "lezioni", "lessen",
];

/// Documents that belong to a course and are no lesson of it.
const HELP: &[&str] = &["faq", "faqs", "readme", "glossary", "glossar", "glosario", "handbook", "syllabus"];

/// Sources in the order in which a person would put them.
fn natural(source: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let is_number = first.is_ascii_digit();
        let end = rest.find(|c: char| c.is_ascii_digit() != is_number).unwrap_or(rest.len());
        let (piece, after) = rest.split_at(end);
        pieces.push(match piece.parse() {
            Ok(number) if is_number => Piece::Number(number),
            _ => Piece::Text(piece.to_lowercase()),
        });
        rest = after;
    }
    pieces
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Piece {
    Number(u64),
    Text(String),
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::{ContentHash, CreatorId, DocumentId, MediaType, Timestamp};

    fn document(source: &str, title: &str) -> Document {
        let creator: CreatorId = "course".parse().unwrap();
        Document {
            id: DocumentId::of_source(&creator, source),
            creator,
            external_id: None,
            title: title.into(),
            source: source.into(),
            media: MediaType::Markdown,
            content: ContentHash([0; 32]),
            language: None,
            bytes: 1,
            pages: None,
            created_at: Timestamp(0),
            warnings: Vec::new(),
        }
    }

    fn creator(settings: Value) -> Creator {
        Creator { name: "Mara".into(), settings, ..Creator::new("course".parse().unwrap(), Timestamp(0)) }
    }

    fn names(documents: &[Document], settings: Value) -> Vec<String> {
        in_order(documents, &creator(settings)).into_iter().map(|lesson| lesson.name).collect()
    }

    #[test]
    fn lessons_stand_in_the_order_of_the_course() {
        let course = [
            document("upload:faq.md", "FAQ"),
            document("upload:10-bread.md", "Bread"),
            document("upload:2-salt.md", "Salt"),
            document("upload:refunds.md", "Refunds"),
            document("corrections/x", "Is salt needed?"),
        ];
        assert_eq!(names(&course, Value::Null), ["Salt", "Bread"]);
        let own = json!({"lessons": ["bread", "A walk", "2-salt.md"]});
        assert_eq!(names(&course, own), ["Bread", "A walk", "Salt"]);
        let foldered = [document("Course/lessons/b.md", "B"), document("Course/notes.md", "Notes")];
        assert_eq!(names(&foldered, Value::Null), ["B"]);
    }

    #[test]
    fn a_site_names_a_lesson_by_title_file_or_part_of_it() {
        let lessons = in_order(
            &[
                document("lessons/03-finding-your-way.md", "Lesson 3: Finding your way"),
                document("lessons/31-the-moon.md", "Lesson 31: The moon"),
            ],
            &creator(Value::Null),
        );
        for (name, place) in [
            ("Lesson 3: Finding your way", Some(0)),
            ("lesson-3", Some(0)),
            ("31-the-moon", Some(1)),
            ("The Moon", Some(1)),
            ("lesson", None),
            ("Lesson 4", None),
            ("", None),
        ] {
            assert_eq!(place_of(&lessons, name), place, "{name}");
        }
    }
}
