//! A table of cases: what a reader would call the sentences.

use proptest::prelude::*;

use super::*;

#[track_caller]
fn check_in(code: &str, text: &str, expected: &[&str]) {
    let found: Vec<&str> =
        pieces(text, Language::of_code(code)).iter().map(|piece| piece.span.of(text)).collect();
    assert_eq!(found, expected);
}

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    check_in("en", text, expected);
}

#[track_caller]
fn check_all(text: &str, expected: &[&str]) {
    let found: Vec<&str> = sentences(text, Language::OTHER).into_iter().map(|range| &text[range]).collect();
    assert_eq!(found, expected);
}

#[test]
fn stops_end_sentences() {
    check("One. Two! Three? Four", &["One.", "Two!", "Three?", "Four"]);
    check("He said \"Stop.\" Then he left.", &["He said \"Stop.\"", "Then he left."]);
    check("Really?! Yes… No.", &["Really?!", "Yes…", "No."]);
    check("(It rains.) We stay.", &["(It rains.)", "We stay."]);
    check("It begins at 9 a.m. Bring a chair.", &["It begins at 9 a.m.", "Bring a chair."]);
    check("Pens, paper etc. Then begin.", &["Pens, paper etc.", "Then begin."]);
    check("", &[]);
    check("…", &[]);
}

#[test]
fn abbreviations_initials_and_numbers_end_nothing() {
    check(
        "See Dr. Smith, e.g. on p. 3.14 of J. Doe vs. Roe. Then go.",
        &["See Dr. Smith, e.g. on p. 3.14 of J. Doe vs. Roe.", "Then go."],
    );
    check("The U.S. Army came. It stayed.", &["The U.S. Army came.", "It stayed."]);
    check("It holds vitamin C. The body needs it.", &["It holds vitamin C.", "The body needs it."]);
    check("Ask J. A. Smith. He knows.", &["Ask J. A. Smith.", "He knows."]);
    check("Do you want it? No. 5 is free.", &["Do you want it?", "No. 5 is free."]);
    check("Is it far? No. Walk on.", &["Is it far?", "No.", "Walk on."]);
    check(
        "It costs 3.50 euros. Pay on Jan. 5 or later.",
        &["It costs 3.50 euros.", "Pay on Jan. 5 or later."],
    );
    check("Run example.com/a.b now. ok it is small", &["Run example.com/a.b now. ok it is small"]);
}

#[test]
fn each_language_has_its_own() {
    check_in(
        "de",
        "Am 3. Oktober, d.h. bzw. usw. ist frei. Es kostet 30. Danach mehr.",
        &["Am 3. Oktober, d.h. bzw. usw. ist frei.", "Es kostet 30.", "Danach mehr."],
    );
    check_in("es", "Vive con la Sra. López. ¿Y tú?", &["Vive con la Sra. López.", "¿Y tú?"]);
    check_in("fr", "Écrivez à Mme Petit. Merci !", &["Écrivez à Mme Petit.", "Merci !"]);
    check_in("en", "Es kostet usw. Danach mehr.", &["Es kostet usw.", "Danach mehr."]);
    check_in("", "Es kostet ggf. Geld.", &["Es kostet ggf. Geld."]);
    check_in("zh", "第一句。第二句！“第三句？”他说。", &["第一句。", "第二句！", "“第三句？”", "他说。"]);
    check_in(
        "ja",
        "「はい。」と言った。値段は3.5円です。",
        &["「はい。」", "と言った。", "値段は3.5円です。"],
    );
    check_in("hi", "यह पहला है। यह दूसरा है।", &["यह पहला है।", "यह दूसरा है।"]);
    check_in("ar", "هل هذا صحيح؟ نعم.", &["هل هذا صحيح؟", "نعم."]);
}

#[test]
fn items_of_lists_stand_alone_without_their_marks() {
    check(
        "Intro:\n- first item\n- Second item. With more.\n1. third\n2) fourth",
        &["Intro:", "first item", "Second item.", "With more.", "third", "fourth"],
    );
    check("1. Wash the brush. 2. Dry it.", &["Wash the brush.", "Dry it."]);
}

#[test]
fn headings_are_told_apart() {
    for (text, words) in [("## A b\ntext", "A b"), ("**Refund policy**\ntext", "Refund policy")] {
        let found = pieces(text, Language::ENGLISH);
        assert_eq!((found[0].kind, found[0].span.of(text)), (PieceKind::Heading, words));
        assert_eq!((found[1].kind, found[1].span.of(text)), (PieceKind::Sentence, "text"));
    }
    assert_eq!(pieces("**Never share it.**", Language::ENGLISH)[0].kind, PieceKind::Sentence);
    assert_eq!(pieces("#hashtag", Language::ENGLISH)[0].kind, PieceKind::Sentence);
}

#[test]
fn wrapped_lines_are_one_sentence_and_short_lines_are_their_own() {
    check(
        "In this module we build a small search index by hand\nand call the model ourselves. I want you to see it.",
        &[
            "In this module we build a small search index by hand\nand call the model ourselves.",
            "I want you to see it.",
        ],
    );
    check("Ask in Slack\nRead the FAQ", &["Ask in Slack", "Read the FAQ"]);
}

#[test]
fn code_is_one_piece() {
    let text = "Run this:\n\n```python\nimport os\nprint(1). Ok\n```\n\nDone.";
    check(text, &["Run this:", "import os\nprint(1). Ok", "Done."]);
    assert_eq!(pieces(text, Language::ENGLISH)[1].kind, PieceKind::Code);
    check("```\nopen", &["open"]);
    check("```\n```", &[]);
    check_all(text, &["Run this:", "```python\nimport os\nprint(1). Ok\n```", "Done."]);
}

#[test]
fn chunking_leaves_out_no_word() {
    check_all("- One. Two\n\n# Three", &["- One.", "Two", "# Three"]);
    check_all("A wrapped\nline goes on. Next", &["A wrapped\nline goes on.", "Next"]);
    check_all("1. Wash the brush. 2. Dry it.", &["1. Wash the brush.", "2. Dry it."]);
    check_all("  \n ", &[]);
}

#[test]
fn questions_are_told_apart() {
    for (text, expected) in [
        ("Which binoculars should I buy?", true),
        ("(Which one?)", true),
        ("哪一个？", true),
        ("This one.", false),
        ("Which? This one.", false),
    ] {
        assert_eq!(is_question(text), expected, "{text}");
    }
}

proptest! {
    #[test]
    fn pieces_are_ordered_and_within_the_text(text in "([a-zA-Z.!?。 \n#`*0-9\"'é-]|```\n|\n\n){0,80}") {
        let mut last = 0;
        for piece in pieces(&text, Language::ENGLISH) {
            prop_assert!(piece.span.start >= last && piece.span.start < piece.span.end);
            prop_assert!(text.get(piece.span.start..piece.span.end).is_some());
            last = piece.span.end;
        }
    }

    #[test]
    fn sentences_hold_every_byte_that_is_not_space(text in "([a-zA-Z.!?。 \n#`*0-9\"'é-]|```\n|\n\n){0,80}") {
        let mut last = 0;
        for range in sentences(&text, Language::OTHER) {
            prop_assert!(range.start >= last && range.start < range.end);
            prop_assert!(text[last..range.start].trim().is_empty());
            last = range.end;
        }
        prop_assert!(text[last..].trim().is_empty());
    }
}
