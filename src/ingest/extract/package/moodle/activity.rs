//! One activity of a Moodle backup: its name and the words that the teacher wrote.

use std::io::Cursor;

use super::WHAT;
use crate::ingest::extract::ExtractError;
use crate::ingest::extract::xml::{Event, Xml};

/// What an activity says.
#[derive(Debug, Default)]
pub struct Activity {
    pub name: String,
    /// Pieces of HTML, with headings for chapters, pages and terms.
    pub pieces: Vec<String>,
}

/// Reads `page.xml`, `book.xml` and the like.
pub fn read(bytes: &[u8]) -> Result<Activity, ExtractError> {
    let mut xml = Xml::new(Cursor::new(bytes), WHAT);
    let mut activity = Activity::default();
    let mut depth = 0usize;
    while let Some(event) = xml.next()? {
        let open = match event {
            Event::Close(_) => {
                depth = depth.saturating_sub(1);
                continue;
            }
            Event::Text(_) => continue,
            Event::Open(open) => open,
        };
        depth += 1;
        match open.name.as_str() {
            // What students did, and what tells the solutions.
            "answers" | "question_instances" | "attempts" | "grades" | "submissions" | "discussions"
            | "responses" | "feedbacks" | "comments" | "ratings" | "overrides" | "userdata"
            | "completedpages" | "branches" | "subscriptions" | "timers" | "question_usage" => {
                xml.skip()?;
            }
            "name" if activity.name.is_empty() => activity.name = xml.words()?,
            "intro" | "content" | "contents" | "definition" => activity.pieces.push(xml.words()?),
            // Chapters of a book, pages of a lesson; terms of a glossary.
            "title" if depth > 2 => activity.pieces.push(heading(&xml.words()?)),
            "concept" => activity.pieces.push(heading(&xml.words()?)),
            _ => continue,
        }
        // What was read whole or skipped has ended here.
        depth -= 1;
    }
    Ok(activity)
}

fn heading(words: &str) -> String {
    format!("<h2>{}</h2>", words.replace('&', "&amp;").replace('<', "&lt;"))
}

/// Name and summary of a section.
pub fn section(bytes: &[u8]) -> Result<(String, String), ExtractError> {
    let mut xml = Xml::new(Cursor::new(bytes), WHAT);
    let (mut name, mut summary) = (String::new(), String::new());
    while let Some(event) = xml.next()? {
        let Event::Open(open) = event else { continue };
        match open.name.as_str() {
            "name" if name.is_empty() => name = xml.words()?,
            "summary" if summary.is_empty() => summary = xml.words()?,
            _ => {}
        }
    }
    Ok((name, summary))
}
