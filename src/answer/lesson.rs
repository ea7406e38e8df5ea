//! What a student is looking at goes first: passages of their lesson, and those near the place that they have played.
//!
//! Comes in: passages best first, the lesson and the position that the page names. Goes out: the same hits in a new
//! order. Pure. Scores stay as they are, because they tell how surely the content holds the answer, and that does not
//! change with the lesson.

use super::find::Passage;
use super::fuse::Fused;
use super::route::pattern_tokens;

/// What being of the lesson is worth beside a score between 0 and 1: it decides between passages that fit about as well,
/// and never lifts one that does not fit over one that does.
const OF_THE_LESSON: f32 = 0.08;
const NEAR_THE_PLACE: f32 = 0.04;

/// A place is near when it is played at most this long before or after, in milliseconds.
const NEAR: u64 = 120_000;

/// The best `most` hits for a student in `lesson`.
pub fn raised(passages: &[Passage], lesson: &str, position: Option<u64>, most: usize) -> Vec<Fused> {
    let lesson = pattern_tokens(lesson);
    let worth = |passage: &Passage| {
        if !is_of(passage, &lesson) {
            return passage.hit.score;
        }
        let near = position.is_some_and(|position| is_near(passage, position));
        passage.hit.score + OF_THE_LESSON + if near { NEAR_THE_PLACE } else { 0.0 }
    };
    let mut ordered: Vec<(f32, Fused)> =
        passages.iter().map(|passage| (worth(passage), passage.hit)).collect();
    // Stable, so that equals keep their order.
    ordered.sort_by(|a, b| b.0.total_cmp(&a.0));
    ordered.into_iter().take(most).map(|(_, hit)| hit).collect()
}

/// Whether the lesson's name stands in the title, the source or a heading, word for word: `lesson 3` is not `lesson 31`.
fn is_of(passage: &Passage, lesson: &[String]) -> bool {
    let holds = |name: &str| {
        let words = pattern_tokens(&name.replace(['-', '_', '/', '.'], " "));
        words.windows(lesson.len()).any(|window| window == lesson)
    };
    let document = &passage.document;
    !lesson.is_empty()
        && (holds(&document.title)
            || holds(&document.source)
            || passage.chunk.anchor.heading.as_deref().is_some_and(holds)
            || document.external_id.as_deref().is_some_and(holds))
}

fn is_near(passage: &Passage, position: u64) -> bool {
    let anchor = &passage.chunk.anchor;
    let Some(start) = anchor.start_ms else { return false };
    let end = anchor.end_ms.unwrap_or(start);
    position + NEAR >= start && position <= end + NEAR
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        Anchor, Chunk, ChunkId, ContentHash, Document, DocumentId, LinkKey, Links, MediaType, Span, Timestamp,
    };

    fn passage(number: u64, title: &str, score: f32, start_ms: Option<u64>) -> Passage {
        let document = Document {
            id: DocumentId::from_bytes([number as u8; 16]),
            creator: "course".parse().unwrap(),
            external_id: None,
            title: title.into(),
            source: format!("lessons/{number}.md"),
            media: MediaType::Plain,
            content: ContentHash([0; 32]),
            language: None,
            bytes: 1,
            pages: None,
            created_at: Timestamp(0),
            warnings: Vec::new(),
        };
        let chunk = Chunk {
            id: ChunkId(number),
            document: document.id.clone(),
            ordinal: 0,
            span: Span { start: 0, end: 0 },
            text: String::new(),
            anchor: Anchor { start_ms, ..Anchor::default() },
        };
        let hit = Fused { chunk: chunk.id, score, lexical: score, coverage: score, similarity: None };
        let links = Links::new(LinkKey([7; 32]), Timestamp(0));
        Passage { chunk, document, hit, blocks: Vec::new(), links }
    }

    #[test]
    fn the_lesson_decides_between_passages_that_fit_alike() {
        let passages = [
            passage(1, "Lesson 31: Dough", 0.60, None),
            passage(2, "Lesson 3: Dough", 0.56, Some(10_000)),
            passage(3, "Lesson 3: Dough", 0.55, Some(600_000)),
            passage(4, "Lesson 3: Salt", 0.30, None),
        ];
        let order = |lesson: &str, position| -> Vec<u64> {
            raised(&passages, lesson, position, 3).iter().map(|hit| hit.chunk.0).collect()
        };
        assert_eq!(order("lesson 3", None), [2, 3, 1]);
        assert_eq!(order("Lesson 3", Some(590_000)), [3, 2, 1]);
        assert_eq!(order("Lesson 9", None), [1, 2, 3]);
        assert_eq!(order("", None), [1, 2, 3]);
    }
}
