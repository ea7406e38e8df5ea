//! What a student states of themselves: "my name is Ana", "I am in cohort 3", "ich benutze Windows".
//!
//! Comes in: a turn. Goes out: facts, each with its kind and value. Pure. Only statements count: "Is my name Ana?"
//! states nothing. Seven languages; the words before the value are a table.

use crate::domain::memory::Fact;
use crate::index::analyze::{fold, words};

/// Words of a value at most; a fact is short.
const MOST_WORDS: usize = 5;

/// Words of a turn that is looked at.
const LOOKED_AT: usize = 120;

/// Kind, and the words before the value (without accents and apostrophes; `I'm` is `i`).
#[rustfmt::skip]
const OPENINGS: &[(&str, &str)] = &[
    ("name", "my name is"), ("name", "call me"),
    ("cohort", "i am in cohort"), ("cohort", "i in cohort"), ("cohort", "my cohort is"),
    ("in", "i am in"), ("in", "i in the"), ("on", "i am on"), ("from", "i am from"), ("from", "i come from"),
    ("use", "i use"), ("use", "i am using"), ("use", "i using"), ("work", "i work with"), ("work", "i work as"), ("work", "i work in"),
    ("live", "i live in"),
    ("name", "mein name ist"), ("name", "ich heisse"), ("name", "ich heiße"), ("cohort", "ich bin in kohorte"), ("in", "ich bin in"), ("from", "ich komme aus"),
    ("use", "ich benutze"), ("use", "ich nutze"), ("use", "ich verwende"), ("live", "ich wohne in"), ("work", "ich arbeite mit"),
    ("name", "me llamo"), ("name", "mi nombre es"), ("cohort", "estoy en la cohorte"), ("in", "estoy en"), ("use", "yo uso"), ("use", "utilizo"), ("live", "vivo en"), ("work", "trabajo con"),
    ("name", "je appelle"), ("name", "je mappelle"), ("name", "mon nom est"), ("in", "je suis dans"), ("use", "utilise"), ("live", "habite a"),
    ("name", "meu nome e"), ("name", "me chamo"), ("name", "chamo me"), ("in", "estou na"), ("in", "estou no"), ("use", "eu uso"), ("live", "moro em"),
    ("name", "mi chiamo"), ("name", "il mio nome e"), ("in", "sono nel"), ("in", "sono nella"), ("use", "io uso"), ("use", "utilizzo"), ("live", "vivo a"),
    ("name", "ik heet"), ("name", "mijn naam is"), ("in", "ik zit in"), ("use", "ik gebruik"), ("live", "ik woon in"),
];

/// Words that end a value.
#[rustfmt::skip]
const ENDS: &[&str] = &[
    "and", "but", "so", "because", "und", "aber", "weil", "y", "pero", "porque", "et", "mais", "e", "mas", "ma", "en",
    "maar", "want", "who", "which", "that", "for", "when", "to",
];

/// Things of a student that are worth knowing later: "my browser is Firefox". "My bread is dense" asks for help.
#[rustfmt::skip]
const THINGS: &[&str] = &[
    "cohort", "group", "team", "class", "browser", "computer", "laptop", "tablet", "phone", "camera", "os", "system",
    "email", "country", "city", "timezone", "language", "level", "plan", "job", "role", "company", "goal", "instrument",
    "kohorte", "gruppe", "rechner", "handy", "beruf", "ziel", "grupo", "cohorte", "navegador", "navigateur", "groupe",
    "objectif", "niveau", "groep", "doel",
];

/// Kinds that tell where somebody is at the moment, which is often told to ask for help.
const PASSING: &[&str] = &["in", "on"];

struct Word {
    text: String,
    start: usize,
    end: usize,
}

/// The facts that a turn states, in order.
pub fn facts(text: &str) -> Vec<Fact> {
    statements(text).flat_map(facts_of).collect()
}

/// Whether a turn states facts and nothing else.
pub fn is_only_facts(text: &str) -> bool {
    let mut count = 0;
    let only = statements(text).filter(|statement| !words(statement).is_empty()).all(|statement| {
        count += 1;
        let facts = facts_of(statement);
        let lasting = facts.iter().all(|fact| !PASSING.contains(&fact.kind.as_str()));
        let told: usize = facts.iter().map(|fact| words_of(&fact.text).len()).sum();
        let rest = words_of(statement).iter().filter(|word| !ENDS.contains(&word.text.as_str())).count();
        lasting && told >= rest
    });
    only && count > 0 && !text.contains(['?', '？', '؟'])
}

/// The sentences that are no questions.
fn statements(text: &str) -> impl Iterator<Item = &str> {
    let sentences = text.split_inclusive(['.', '!', '?', '\n', '…', '？']);
    sentences.filter(|sentence| !sentence.trim_end().ends_with(['?', '？'])).map(str::trim)
}

fn facts_of(sentence: &str) -> Vec<Fact> {
    let all = words_of(sentence);
    let mut found: Vec<Fact> = Vec::new();
    let mut at = 0;
    while at < all.len() {
        let Some((kind, after)) = opening(&all, at) else {
            at += 1;
            continue;
        };
        let length = value_length(sentence, &all[after..]);
        if length > 0 {
            let (first, last) = (&all[after], &all[after + length - 1]);
            found.push(Fact {
                kind,
                value: sentence[first.start..last.end].to_owned(),
                text: sentence[all[at].start..last.end].to_owned(),
            });
        }
        at = after + length;
    }
    found
}

/// The kind of fact that begins at `at`, and where its value begins: the longest opening, or `my … is`.
fn opening(all: &[Word], at: usize) -> Option<(String, usize)> {
    let begins = |opening: &str| {
        let mut count = 0;
        let holds = opening.split(' ').all(|word| {
            count += 1;
            all.get(at + count - 1).is_some_and(|here| here.text == word)
        });
        holds.then_some(at + count)
    };
    let listed = OPENINGS
        .iter()
        .filter_map(|(kind, opening)| Some(((*kind).to_owned(), begins(opening)?)))
        .max_by_key(|(_, after)| *after);
    if listed.is_some() {
        return listed;
    }
    // "my browser is Firefox"
    let thing = all.get(at + 1)?;
    let is = all.get(at + 2).is_some_and(|word| matches!(word.text.as_str(), "is" | "ist" | "es" | "est"));
    let mine = matches!(all[at].text.as_str(), "my" | "mein" | "meine" | "mi" | "mon" | "ma" | "mijn");
    (mine && is && THINGS.contains(&thing.text.as_str())).then(|| (thing.text.clone(), at + 3))
}

/// Words of the value: up to the next mark or the next word that begins something else.
fn value_length(sentence: &str, rest: &[Word]) -> usize {
    let mut length = 0;
    for (place, word) in rest.iter().take(MOST_WORDS).enumerate() {
        let is_cut =
            place > 0 && sentence[rest[place - 1].end..word.start].contains([',', ';', ':', '(', '–']);
        if is_cut || ENDS.contains(&word.text.as_str()) {
            break;
        }
        length += 1;
    }
    length
}

fn words_of(text: &str) -> Vec<Word> {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '\'' | '\u{2019}' | '_' | '+' | '#');
    let mut found = Vec::new();
    let mut rest = 0;
    while let Some(start) = text[rest..].find(is_part).map(|at| rest + at) {
        let end = text[start..].find(|c| !is_part(c)).map_or(text.len(), |length| start + length);
        let plain = words(&text[start..end]).into_iter().next();
        let text = plain.map_or_else(|| fold(&text[start..end]), |word| fold(&word.text));
        found.push(Word { text, start, end });
        rest = end;
        if found.len() == LOOKED_AT {
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[(&str, &str)]) {
        let facts = facts(text);
        let found: Vec<(&str, &str)> =
            facts.iter().map(|fact| (fact.kind.as_str(), fact.value.as_str())).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn statements_are_facts_and_questions_are_not() {
        check("My name is Ana and I am in cohort 3.", &[("name", "Ana"), ("cohort", "3")]);
        check("I use Windows, how do I install it?", &[]);
        check("I'm in cohort 12! What is next?", &[("cohort", "12")]);
        check("I use Windows 11. How do I install it?", &[("use", "Windows 11")]);
        check("my browser is Firefox", &[("browser", "Firefox")]);
        check("Ich heiße Jörg und ich benutze Linux.", &[("name", "Jörg"), ("use", "Linux")]);
        check("Me llamo Lucía", &[("name", "Lucía")]);
        check("Je m'appelle Zoé", &[("name", "Zoé")]);
        check("Mi chiamo Ada", &[("name", "Ada")]);
        check("Ik heet Sanne", &[("name", "Sanne")]);
        check("Is my name Ana?", &[]);
        check("My question is hard. My bread is dense.", &[]);
        check("", &[]);
    }

    #[test]
    fn what_only_states_is_told_from_what_asks_too() {
        assert!(is_only_facts("My name is Ana.") && is_only_facts("Ich heiße Jörg und ich benutze Linux"));
        assert!(!is_only_facts("My name is Ana. How do I dry the brushes?"));
        assert!(!is_only_facts("I am on lesson 3 and stuck") && !is_only_facts("I'm in trouble"));
        assert!(!is_only_facts("I use Linux and nothing starts."));
        assert!(!is_only_facts("Dry the brushes.") && !is_only_facts(""));
    }
}
