//! What chunking promises, as tables of small texts and as properties of random ones.

use proptest::prelude::*;

use super::pieces::width;
use super::*;
use crate::domain::BlockKind;

fn made(title: &str, blocks: &[(BlockKind, &str)]) -> Text {
    let mut text = Text { title: (!title.is_empty()).then(|| title.to_owned()), ..Default::default() };
    for (kind, words) in blocks {
        text.push(*kind, words, Anchor::default());
    }
    text
}

/// What holds for every text: order, no overlap, nothing lost, limits kept.
fn holds(text: &Text, options: &ChunkOptions) -> Vec<ChunkDraft> {
    let drafts = chunk(text, options);
    let mut end = 0;
    for draft in &drafts {
        assert!(draft.span.start >= end && draft.span.start < draft.span.end, "{draft:?} after {end}");
        let words = text.text.get(draft.span.start..draft.span.end).expect("on character boundaries");
        assert_eq!(words, words.trim());
        assert!(width(words) <= options.max || words.chars().count() == 1, "{} wide: {words}", width(words));
        assert!(
            text.text[end..draft.span.start].trim().is_empty(),
            "lost {:?}",
            &text.text[end..draft.span.start]
        );
        end = draft.span.end;
    }
    assert!(text.text[end..].trim().is_empty());
    drafts
}

fn shown(text: &Text, drafts: &[ChunkDraft]) -> Vec<(Option<String>, String)> {
    drafts.iter().map(|d| (d.anchor.heading.clone(), d.span.of(&text.text).to_owned())).collect()
}

use BlockKind::{Heading, ListItem, Paragraph, TableRow};

#[test]
fn a_section_is_a_chunk_and_knows_its_headings_without_the_title() {
    let long = "A sentence of some length about brushes and paint. ".repeat(8);
    let text = made(
        "Brushes",
        &[
            (Heading(1), "Brushes"),
            (Heading(2), "Care"),
            (Heading(3), "Cleaning"),
            (Paragraph, &long),
            (Heading(3), "Drying"),
            (Paragraph, &long),
        ],
    );
    let drafts = holds(&text, &ChunkOptions::default());
    let paths: Vec<_> = drafts.iter().map(|d| d.anchor.heading.as_deref()).collect();
    assert_eq!(paths, [Some("Care › Cleaning"), Some("Care › Drying")]);
    assert!(drafts[0].span.of(&text.text).starts_with("Brushes\n\nCare\n\nCleaning\n\nA sentence"));
}

#[test]
fn tiny_siblings_share_a_chunk_but_questions_do_not() {
    let tools = made(
        "",
        &[
            (Heading(1), "Tools"),
            (Heading(2), "Knife"),
            (Paragraph, "Keep it dry."),
            (Heading(2), "Easel"),
            (Paragraph, "It folds."),
        ],
    );
    assert_eq!(
        shown(&tools, &holds(&tools, &ChunkOptions::default())),
        [(Some("Tools".to_owned()), tools.text.clone())]
    );
    let faq = made(
        "",
        &[
            (Heading(1), "FAQ"),
            (Heading(2), "Is it live?"),
            (Paragraph, "No."),
            (Heading(2), "Is it free?"),
            (Paragraph, "Yes."),
        ],
    );
    let paths: Vec<_> = holds(&faq, &ChunkOptions::default()).into_iter().map(|d| d.anchor.heading).collect();
    assert_eq!(paths, [Some("FAQ › Is it live?".to_owned()), Some("FAQ › Is it free?".to_owned())]);
}

#[test]
fn a_long_section_is_cut_between_sentences_of_about_equal_chunks() {
    let sentence = "The varnish cures for many weeks before the picture can travel. ";
    let text = made("", &[(Paragraph, sentence.repeat(40).trim())]);
    let drafts = holds(&text, &ChunkOptions::default());
    for draft in &drafts {
        let words = draft.span.of(&text.text);
        assert!(words.ends_with('.') && words.starts_with("The"), "{words}");
        assert!((500..=1000).contains(&words.len()), "{}", words.len());
    }
}

#[test]
fn rows_stay_whole_and_an_introduction_stays_with_its_list() {
    let row = "| cobalt | ".repeat(60);
    let text = made("", &[(TableRow, row.trim()), (TableRow, row.trim()), (TableRow, row.trim())]);
    assert!(holds(&text, &ChunkOptions::default()).iter().all(|d| d.span.of(&text.text) == row.trim()));
    let filler = "Words about something else that fill the page. ".repeat(15);
    let text = made(
        "",
        &[
            (Paragraph, filler.trim()),
            (Paragraph, "You need:"),
            (ListItem, "- a knife"),
            (ListItem, "- an easel"),
        ],
    );
    let last = holds(&text, &ChunkOptions::default());
    assert!(last.last().unwrap().span.of(&text.text).contains("You need:\n\n- a knife\n- an easel"));
}

#[test]
fn a_chunk_keeps_to_its_page_and_times() {
    let words = "About a hundred and twenty characters stand in this one paragraph, which is on one page only, and that is all of it. ";
    let mut text = Text::default();
    for page in 1..=3 {
        for _ in 0..3 {
            text.push(Paragraph, words, Anchor { page: Some(page), ..Default::default() });
        }
    }
    let pages: Vec<_> = holds(&text, &ChunkOptions::default()).into_iter().map(|d| d.anchor.page).collect();
    assert_eq!(pages, [Some(1), Some(2), Some(3)]);

    let mut captions = Text::default();
    for n in 0..30u64 {
        let anchor = Anchor { start_ms: Some(n * 1000), end_ms: Some(n * 1000 + 900), ..Default::default() };
        captions.push(BlockKind::Cue, "Forty characters are said in this cue.", anchor);
    }
    let drafts = holds(&captions, &ChunkOptions::default());
    assert_eq!(drafts[0].anchor.start_ms, Some(0));
    assert_eq!(drafts.last().unwrap().anchor.end_ms, Some(29_900));
    assert!(drafts.windows(2).all(|w| w[0].anchor.end_ms < w[1].anchor.start_ms));
}

#[test]
fn words_that_no_block_names_are_not_lost() {
    let mut text = Text { text: "before middle after".into(), ..Default::default() };
    let span = Span { start: 7, end: 13 };
    text.blocks.push(crate::domain::Block { kind: Paragraph, span, anchor: Anchor::default() });
    holds(&text, &ChunkOptions::default());
}

fn kinds() -> impl Strategy<Value = BlockKind> {
    prop_oneof![
        (1u8..=6).prop_map(Heading),
        Just(Paragraph),
        Just(ListItem),
        Just(BlockKind::Code),
        Just(TableRow),
        Just(BlockKind::Cue),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_text_is_cut_without_loss(
        blocks in prop::collection::vec((kinds(), "(\\PC|[a-z .\\n?!]|日本|é){0,400}", 0u32..4), 0..12),
        target in 1usize..300,
        more in 0usize..300,
    ) {
        let mut text = Text::default();
        let mut page = 1;
        for (kind, words, step) in &blocks {
            page += step / 3;
            text.push(*kind, words, Anchor { page: Some(page), ..Default::default() });
        }
        holds(&text, &ChunkOptions { target, max: target + more });
    }
}
