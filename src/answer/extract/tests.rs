//! Questions to three small documents, without and with vectors.

use super::*;
use crate::answer::abstain::{DEFAULT_THRESHOLD, Signals, confidence};
use crate::answer::retrieve::{RetrieveOptions, retrieve};
use crate::index::analyze::ChunkTerms;
use crate::index::lexical::LexicalIndex;

const PASSAGES: &[(&str, &str)] = &[
    ("Refunds", "Refunds\n\nYou can ask for a full refund within 23 days of buying. Write to the help desk."),
    ("Can I still join?", "Yes, even after the start. Homework that is late is not graded."),
    ("History", "Ada Lovelace wrote the first program. It was for a machine of Babbage. He never built it."),
    (
        "Certificate",
        "## What you need\n\nYou get the certificate after all of this:\n\n1. All lessons are done.\n2. The quiz is passed.\n\n\
         ## When you get it\n\nIt is sent within three working days. Is that too late? Ask us.",
    ),
    (
        "Care",
        "Dust\n\nTake the lens out of its ring. Blow the dust away. Wipe it from the middle outwards. It is clear again in \
         a minute. Most lenses last for years.\n\nKeep the ring dry.",
    ),
];

/// What the pipeline does, with no vectors: the quotations, the best one's quotation first, and the confidence.
fn extracted(question: &str) -> (Vec<String>, String, f32) {
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
            let (heading, headings, language) = (None, &[][..], Language::ENGLISH);
            Passage { chunk: hit.chunk, title, heading, text, headings, score: hit.score, language }
        })
        .collect();
    let candidates = candidates(question, &found.query, &passages);
    let extracted = pick(&candidates, &passages, 3);
    let signals = Signals::of(question, &found, &extracted, &passages, false);
    let quote = |passage: usize, span: Span| span.of(passages[passage].text).to_owned();
    let quotes = extracted.sentences.iter().map(|picked| quote(picked.passage, picked.span)).collect();
    let best = extracted.best.map(|best| quote(best.passage, best.span)).unwrap_or_default();
    (quotes, best, signals.map_or(0.0, |signals| confidence(&signals)))
}

#[test]
fn who_asks_how_gets_every_step_once() {
    let (quotes, best, _) = extracted("How do I get dust off the lens?");
    let steps = "Take the lens out of its ring. Blow the dust away. Wipe it from the middle outwards. It is clear again in a \
                 minute.";
    assert_eq!(best, steps);
    assert!(quotes.iter().all(|quote| quote == steps || !steps.contains(quote.as_str())), "{quotes:?}");
}

#[test]
fn the_sentence_that_answers_is_the_best_and_verbatim() {
    for (question, answer) in [
        (
            "How many days do I have to ask for a refund?",
            "You can ask for a full refund within 23 days of buying.",
        ),
        ("Can I still join the course?", "Yes, even after the start."),
        ("Who wrote the first program?", "Ada Lovelace wrote the first program."),
        ("Where do I write to the help desk?", "Write to the help desk."),
        ("When do I get my certificate?", "It is sent within three working days."),
    ] {
        let (quotes, best, _) = extracted(question);
        assert_eq!(best, answer, "{question}");
        assert!(quotes.contains(&best));
    }
}

#[test]
fn who_asks_what_to_buy_is_told_what_to_buy() {
    let text = "## Before you buy\n\nYou should not buy binoculars without trying them. Cheap binoculars are never sharp.\n\n\
                ## My recommendation\n\nTake a pair of 7 by 50 binoculars with a wide neck strap.";
    let (title, heading, headings, language) = ("Binoculars", None, &[][..], Language::ENGLISH);
    let mut index = LexicalIndex::default();
    index.add(ChunkId(0), &ChunkTerms::of(title, None, text, language));
    let question = "Which binoculars should I buy?";
    let query = index.query(question, None);
    let passages = [Passage { chunk: ChunkId(0), title, heading, text, headings, score: 0.5, language }];
    let found = candidates(question, &query, &passages);
    let flags = |start: &str| {
        let candidate = found.iter().find(|c| c.own.of(text).starts_with(start)).unwrap();
        (candidate.features.kind, candidate.features.no_kind)
    };
    assert_eq!(flags("Take a pair"), (1.0, 0.0));
    assert_eq!(flags("You should not"), (0.0, 1.0));
    assert_eq!(flags("Cheap binoculars"), (0.0, 1.0));
}

#[test]
fn an_announcement_is_quoted_with_its_list() {
    let (_, best, _) = extracted("What do I need to get the certificate?");
    assert_eq!(
        best,
        "You get the certificate after all of this:\n\n1. All lessons are done.\n2. The quiz is passed."
    );
}

#[test]
fn headings_titles_and_questions_are_never_quoted() {
    for question in ["refunds", "What do I need?", "Is that too late?", "When do I get it?"] {
        let (quotes, _, _) = extracted(question);
        let bad = ["Refunds", "What you need", "When you get it", "Is that too late?"];
        assert!(quotes.iter().all(|quote| !bad.contains(&quote.as_str())), "{question}: {quotes:?}");
    }
}

#[test]
fn one_sentence_is_shown_where_one_is_clearly_best() {
    assert_eq!(extracted("Who wrote the first program?").0, ["Ada Lovelace wrote the first program."]);
}

#[test]
fn few_documents_are_enough_to_tell_what_they_answer() {
    for (question, held) in [
        ("How many days do I have to ask for a refund?", true),
        ("Who wrote the first program?", true),
        ("Can I still join the course late?", true),
        ("Who scored first in the football final of 1998?", false),
        ("What is the capital of Peru?", false),
        ("Which book should I read about machine learning?", false),
    ] {
        assert_eq!(extracted(question).2 >= DEFAULT_THRESHOLD, held, "{question}");
    }
}

#[test]
fn meaning_decides_where_words_do_not() {
    let text = "Payment is taken at once. Reimbursement is possible for a month.";
    let (title, heading, headings, language) = ("", None, &[][..], Language::ENGLISH);
    let passages = [Passage { chunk: ChunkId(0), title, heading, text, headings, score: 0.1, language }];
    let question = "When do I get my money back?";
    let query = LexicalIndex::default().query(question, None);
    let mut candidates = candidates(question, &query, &passages);
    assert_eq!(texts(question, &candidates, &passages).len(), 5);
    let unit = |at: usize| (0..2).map(|i| if i == at { 1.0 } else { 0.0 }).collect::<Vec<f32>>();
    add_meaning(&mut candidates, &[unit(1), unit(0), unit(1), unit(0), unit(0)]);
    let best = pick(&candidates, &passages, 1).best.unwrap();
    assert_eq!(best.own.of(text), "Reimbursement is possible for a month.");
}

#[test]
fn the_best_sentence_leads_those_of_other_passages() {
    let candidate = |passage: usize, own: f32| Candidate {
        passage,
        span: Span { start: 0, end: 1 },
        own: Span { start: 0, end: 1 },
        before: None,
        heading: None,
        features: Features { own, ..Features::default() },
    };
    let (title, heading, headings, text, language) = ("", None, &[][..], "a b", Language::ENGLISH);
    let passage = Passage { chunk: ChunkId(0), title, heading, text, headings, score: 0.5, language };
    let lead = |candidates: &[Candidate]| pick(candidates, &[passage, passage], 3).lead;
    assert_eq!(lead(&[candidate(0, 0.25), candidate(0, 0.75), candidate(1, 0.5)]), Some(0.25));
    assert_eq!(lead(&[candidate(0, 0.25), candidate(0, 0.75)]), None);
}

#[test]
fn nothing_is_picked_from_nothing() {
    assert!(pick(&[], &[], 3).best.is_none());
}
