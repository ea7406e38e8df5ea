//! A creator's documents, out of the store, for the generator; and the corpus that `eval answers` ingests.

use std::collections::HashSet;

use serde_json::json;

use super::material::Source;
use crate::app::App;
use crate::domain::{BlockKind, CreatorId};
use crate::eval::EvalError;
use crate::index::analyze::Language;
use crate::problem::Problem;

/// All documents of a creator, ordered by their names.
pub async fn sources(app: &App, creator: &CreatorId) -> Result<Vec<Source>, EvalError> {
    let mut documents = app.store().documents(creator).await.map_err(Problem::from)?;
    documents.sort_by(|a, b| (&a.source, a.id.as_str()).cmp(&(&b.source, b.id.as_str())));
    let mut names = HashSet::new();
    let mut all = Vec::with_capacity(documents.len());
    for document in documents {
        let Some((text, blocks)) = app.store().document_text(&document.id).await.map_err(Problem::from)?
        else {
            continue;
        };
        // The name that another system or the creator knows it by; its own id where two share that.
        let name = document.external_id.unwrap_or(document.source);
        let id = if names.insert(name.clone()) { name } else { document.id.as_str().to_owned() };
        let language =
            document.language.as_deref().map(Language::of_code).or_else(|| Language::of_text(&text));
        let language = language.unwrap_or(Language::OTHER);
        all.push(Source { id, title: document.title, text, blocks, language });
    }
    Ok(all)
}

/// The document as a line of `corpus.jsonl`. Headings get their marks again, so that ingesting makes the same sections.
pub fn corpus_line(source: &Source) -> String {
    let mut text = String::with_capacity(source.text.len() + 64);
    for (at, block) in source.blocks.iter().enumerate() {
        let tight =
            at > 0 && block.kind == BlockKind::ListItem && source.blocks[at - 1].kind == BlockKind::ListItem;
        if at > 0 {
            text.push_str(if tight { "\n" } else { "\n\n" });
        }
        let words = block.span.of(&source.text);
        if let BlockKind::Heading(level) = block.kind
            && !words.starts_with('#')
        {
            text.push_str(&"#".repeat(usize::from(level.clamp(1, 6))));
            text.push(' ');
        }
        text.push_str(words);
    }
    let text = if source.blocks.is_empty() { &source.text } else { &text };
    json!({"_id": source.id, "title": source.title, "text": text}).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Anchor, Text};

    #[test]
    fn headings_get_their_marks_again() {
        let mut text = Text::default();
        text.push(BlockKind::Heading(2), "Refunds", Anchor::default());
        text.push(BlockKind::Paragraph, "Within 30 days.", Anchor::default());
        text.push(BlockKind::ListItem, "- one", Anchor::default());
        text.push(BlockKind::ListItem, "- two", Anchor::default());
        let source = Source {
            id: "a".into(),
            title: "A".into(),
            text: text.text,
            blocks: text.blocks,
            language: Language::ENGLISH,
        };
        let line: serde_json::Value = serde_json::from_str(&corpus_line(&source)).unwrap();
        assert_eq!(line["text"], "## Refunds\n\nWithin 30 days.\n\n- one\n- two");
        assert_eq!((&line["_id"], &line["title"]), (&json!("a"), &json!("A")));
    }
}
