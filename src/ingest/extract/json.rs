//! JSON: lists of objects as entries, everything else as readable lines.
//!
//! An object with a title or a question is a heading with its text below; other fields are said as `key: value`. Each
//! entry of the outermost list has its number as place. The parser refuses nesting beyond 128 levels, so walking the
//! value may recurse.

use serde_json::{Map, Value};

use crate::domain::{Anchor, BlockKind};

use super::{Builder, ExtractError, plain};

const TITLE: [&str; 8] = ["title", "question", "name", "heading", "subject", "term", "label", "q"];
const TEXT: [&str; 10] = [
    "text",
    "answer",
    "body",
    "content",
    "description",
    "definition",
    "summary",
    "passage",
    "a",
    "transcript",
];

/// Reads JSON; what only looks like it is read as text.
pub fn extract(text: &str, out: &mut Builder) -> Result<(), ExtractError> {
    let Ok(value) = serde_json::from_str::<Value>(text.trim_start_matches('\u{feff}')) else {
        out.warn("the file is no valid JSON and was read as text");
        return plain::extract(text, out);
    };
    match value {
        Value::Array(entries) => list(&entries, out),
        Value::Object(fields) => {
            // `{"title": ..., "items": [...]}`: a list with something around it.
            let lists = fields.values().filter(|value| is_list_of_objects(value)).count();
            if lists == 1 {
                let (around, inner): (Vec<_>, Vec<_>) =
                    fields.iter().partition(|(_, value)| !is_list_of_objects(value));
                let around: Map<String, Value> =
                    around.into_iter().map(|(k, v)| (k.clone(), v.clone())).collect();
                if let Some(title) = string(&around, &TITLE) {
                    out.title(title);
                }
                object(&around, 1, &Anchor::default(), out)?;
                return inner.into_iter().try_for_each(|(_, value)| match value {
                    Value::Array(entries) => list(entries, out),
                    _ => Ok(()),
                });
            }
            if let Some(title) = string(&fields, &TITLE) {
                out.title(title);
            }
            object(&fields, 1, &Anchor::default(), out)
        }
        other => out.lines(BlockKind::Paragraph, &scalar(&other), Anchor::default()),
    }
}

fn is_list_of_objects(value: &Value) -> bool {
    matches!(value, Value::Array(entries) if !entries.is_empty() && entries.iter().all(Value::is_object))
}

fn list(entries: &[Value], out: &mut Builder) -> Result<(), ExtractError> {
    for (at, entry) in entries.iter().enumerate() {
        let row = u32::try_from(at + 1).ok();
        let anchor = Anchor { row, ..Anchor::default() };
        match entry {
            Value::Object(fields) => object(fields, 2, &anchor, out)?,
            other => value(None, other, 2, &anchor, out)?,
        }
    }
    Ok(())
}

/// A title as heading, the text below it, then the other fields.
fn object(
    fields: &Map<String, Value>,
    level: u8,
    anchor: &Anchor,
    out: &mut Builder,
) -> Result<(), ExtractError> {
    let title = TITLE.iter().find(|key| fields.get(**key).is_some_and(Value::is_string));
    if let Some(title) = title.and_then(|key| fields[*key].as_str()) {
        out.line(BlockKind::Heading(level.min(6)), title, anchor.clone())?;
    }
    let text = TEXT.iter().find(|key| fields.get(**key).is_some_and(Value::is_string));
    if let Some(text) = text.and_then(|key| fields[*key].as_str()) {
        out.lines(BlockKind::Paragraph, text, anchor.clone())?;
    }
    let said = |key: &str| [title, text].into_iter().flatten().any(|known| *known == key);
    let others = || fields.iter().filter(|(key, _)| !said(key));
    // Simple fields make one line, so that an entry is one statement.
    let simple: Vec<String> = others()
        .filter(|(key, value)| !is_deep(value) && !is_id(key))
        .filter_map(|(key, value)| {
            Some(scalar(value)).filter(|v| !v.is_empty()).map(|v| format!("{key}: {v}"))
        })
        .collect();
    out.line(BlockKind::TableRow, &simple.join("; "), anchor.clone())?;
    others()
        .filter(|(_, value)| is_deep(value))
        .try_for_each(|(key, inner)| value(Some(key), inner, level, anchor, out))
}

fn value(
    key: Option<&str>,
    value: &Value,
    level: u8,
    anchor: &Anchor,
    out: &mut Builder,
) -> Result<(), ExtractError> {
    match value {
        Value::Object(fields) => {
            if let Some(key) = key {
                out.line(BlockKind::Heading((level + 1).min(6)), key, anchor.clone())?;
            }
            object(fields, level.saturating_add(1), anchor, out)
        }
        Value::Array(entries) => {
            if let Some(key) = key {
                out.line(BlockKind::Heading((level + 1).min(6)), key, anchor.clone())?;
            }
            entries
                .iter()
                .try_for_each(|entry| self::value(None, entry, level.saturating_add(1), anchor, out))
        }
        simple => out.line(BlockKind::ListItem, &format!("- {}", scalar(simple)), anchor.clone()),
    }
}

fn is_deep(value: &Value) -> bool {
    match value {
        Value::Array(entries) => entries.iter().any(|entry| entry.is_object() || entry.is_array()),
        Value::Object(fields) => !fields.is_empty(),
        _ => false,
    }
}

/// Numbers that machines gave tell a reader nothing.
fn is_id(key: &str) -> bool {
    matches!(key, "id" | "_id" | "uuid" | "guid")
}

fn scalar(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(words) => words.clone(),
        Value::Array(entries) => {
            entries.iter().map(scalar).filter(|words| !words.is_empty()).collect::<Vec<_>>().join(", ")
        }
        Value::Object(_) => String::new(),
        other => other.to_string(),
    }
}

fn string<'a>(fields: &'a Map<String, Value>, keys: &[&str]) -> Option<&'a str> {
    keys.iter().find_map(|key| fields.get(*key)?.as_str())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{read, shown};
    use super::*;
    use crate::domain::MediaType::Json;

    #[test]
    fn entries_have_headings_and_numbers() {
        let text = read(r#"[{"id":7,"question":"Is it live?","answer":"No, recorded.","tags":["a","b"]},{"colour":"ochre","tube":61,"more":{"x":[{"y":1}]}}]"#, Json).unwrap();
        assert_eq!(
            shown(&text),
            [
                "h2 Is it live?",
                "p No, recorded.",
                "tr tags: a, b",
                "tr colour: ochre; tube: 61",
                "h3 more",
                "h4 x",
                "tr y: 1"
            ]
        );
        assert_eq!(text.blocks[3].anchor.row, Some(2));
    }

    #[test]
    fn what_is_no_list_is_lines_and_what_is_no_json_is_text() {
        let text = read(r#"{"title":"Paints","items":[{"name":"Ochre","text":"Warm."}],"year":2026}"#, Json)
            .unwrap();
        assert_eq!(text.title.as_deref(), Some("Paints"));
        assert_eq!(shown(&text), ["h1 Paints", "tr year: 2026", "h2 Ochre", "p Warm."]);
        assert_eq!(shown(&read("{not json at all, sorry}", Json).unwrap()).len(), 1);
        assert_eq!(read("[".repeat(100_000), Json).unwrap().warnings.len(), 1);
        assert_eq!(read("[]", Json), Err(ExtractError::NoText));
    }
}
