//! Questions that belong to the subject and that the content does not answer: each is checked against all of it.

use std::collections::{BTreeMap, BTreeSet};

use super::held::Held;
use super::injected::thing_of;
use super::material::Section;
use super::wording::{capital, reads_well};
use super::{Case, Kind};

/// Designations with other numbers, at most.
const DESIGNATIONS: usize = 4;

/// Everything that can be asked in vain.
pub fn all(answerable: &[Case], sections: &[Section], held: &Held) -> Vec<Case> {
    let mut cases = Vec::new();
    next_in_a_row(sections, held, &mut cases);
    other_numbers(sections, held, &mut cases);
    left_out(sections, held, &mut cases);
    left_out_of_things(answerable, sections, held, &mut cases);
    cases.retain(|case| reads_well(&case.question));
    cases
}

/// `Lesson 12`, where the lessons end with 8.
fn next_in_a_row(sections: &[Section], held: &Held, cases: &mut Vec<Case>) {
    // The word before the number, with its numbers and the section that names the highest.
    let mut rows: BTreeMap<String, (BTreeSet<u32>, usize)> = BTreeMap::new();
    for (place, section) in sections.iter().enumerate() {
        let texts = section.headings.iter().map(String::as_str).chain([section.source.title.as_str()]);
        for text in texts {
            let words: Vec<&str> = text.split_whitespace().collect();
            for pair in words.windows(2) {
                let number = pair[1].trim_end_matches([':', '.', ',', ')']).parse::<u32>();
                if let Ok(number) = number
                    && number < 1000
                    && pair[0].chars().all(char::is_alphabetic)
                    && pair[0].starts_with(char::is_uppercase)
                {
                    let row = rows.entry(pair[0].to_lowercase()).or_insert_with(|| (BTreeSet::new(), place));
                    row.0.insert(number);
                }
            }
        }
    }
    for (word, (numbers, place)) in rows {
        let Some(highest) = numbers.last().copied().filter(|_| numbers.len() >= 3) else { continue };
        let section = &sections[place];
        // The neighbour is too near to be sure that a learner would not be told of it; two and more beyond are.
        for number in [highest + 2, highest + 4] {
            let name = format!("{word} {number}");
            if held.says(&name) {
                continue;
            }
            let name = if section.source.language.code() == "de" { capital(&name) } else { name };
            let question = capital(&section.phrases().numbered.replace("{x}", &name));
            let quote = format!("{word} {highest}");
            cases.push(Case::new(Kind::Unanswerable, "beyond_the_last", question, section, &quote));
        }
    }
}

/// Designations with other numbers: `13x57` where the content tells of `10x50`. A few are enough.
fn other_numbers(sections: &[Section], held: &Held, cases: &mut Vec<Case>) {
    let (mut seen, mut made) = (BTreeSet::new(), 0);
    for section in sections {
        for statement in section.statements() {
            for word in statement.split_whitespace() {
                let word = word.trim_matches(|c: char| !c.is_alphanumeric());
                if made == DESIGNATIONS || !is_designation(word) || !seen.insert(word.to_lowercase()) {
                    continue;
                }
                let Some(other) = with_other_numbers(word).filter(|other| !held.says(other)) else {
                    continue;
                };
                let question = capital(&section.phrases().name.replace("{x}", &other));
                cases.push(Case::new(Kind::Unanswerable, "other_number", question, section, statement));
                made += 1;
            }
        }
    }
}

/// Letters and digits in one word, such as a model's name, and no address or unit.
fn is_designation(word: &str) -> bool {
    let digits = word.chars().filter(char::is_ascii_digit).count();
    let letters = word.chars().filter(|c| c.is_alphabetic()).count();
    (3..=12).contains(&word.len())
        && digits >= 2
        && letters >= 1
        && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        && !word.ends_with(|c: char| c.is_lowercase())
}

/// Each number a little higher, by steps that no series of products has.
fn with_other_numbers(word: &str) -> Option<String> {
    let mut out = String::new();
    let mut letters = word.chars().peekable();
    let mut step = 3;
    while let Some(c) = letters.next() {
        if !c.is_ascii_digit() {
            out.push(c);
            continue;
        }
        let mut number = c.to_string();
        while let Some(digit) = letters.next_if(char::is_ascii_digit) {
            number.push(digit);
        }
        out += &(number.parse::<u64>().ok()? + step).to_string();
        step += 4;
    }
    Some(out)
}

/// What any course could be asked, and this one does not tell.
fn left_out(sections: &[Section], held: &Held, cases: &mut Vec<Case>) {
    let Some(section) = most_of_a_language(sections) else { return };
    for (question, words) in section.phrases().absent {
        if words.iter().all(|word| !held.together(word, section.source.language)) {
            let mut case = Case::new(Kind::Unanswerable, "left_out", (*question).to_owned(), section, "");
            case.source = super::Place::default();
            cases.push(case);
        }
    }
}

/// What could be asked of the things that the course explains, where no section tells it of that thing.
fn left_out_of_things(answerable: &[Case], sections: &[Section], held: &Held, cases: &mut Vec<Case>) {
    let explained = |case: &&Case| matches!(case.template, "definition" | "term" | "name");
    let topics = |case: &&Case| case.template == "topic";
    let mut about: Vec<&Case> = answerable.iter().filter(explained).collect();
    // A course that explains nothing still has headings.
    if about.len() < 5 {
        about.extend(answerable.iter().filter(topics));
    }
    let mut turn = 0;
    for case in about {
        let Some(section) = sections.iter().find(|section| case.external_ids.contains(&section.source.id))
        else {
            continue;
        };
        let (phrases, language) = (section.phrases(), section.source.language);
        let Some(thing) = thing_of(&case.question, section) else { continue };
        // Two for each thing and other two for the next, so that all templates are used alike.
        let mut made = 0;
        for _ in 0..phrases.absent_of.len() {
            let (template, words) = phrases.absent_of[turn % phrases.absent_of.len()];
            turn += 1;
            if words.iter().any(|word| held.together(&format!("{word} {thing}"), language)) {
                continue;
            }
            let question = template.replace("{x}", &thing);
            let mut left_out = Case::new(Kind::Unanswerable, "left_out_of_thing", question, section, "");
            left_out.source = case.source.clone();
            cases.push(left_out);
            made += 1;
            if made == 2 {
                break;
            }
        }
    }
}

/// A section in the language that most sections are in.
fn most_of_a_language<'a, 'b>(sections: &'b [Section<'a>]) -> Option<&'b Section<'a>> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for section in sections {
        *counts.entry(section.source.language.code()).or_default() += 1;
    }
    let most = counts.iter().max_by_key(|(_, count)| **count).map(|(code, _)| *code)?;
    sections.iter().find(|section| section.source.language.code() == most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_numbers_are_near_and_different() {
        let check = |word: &str, expected: Option<&str>| {
            let got = is_designation(word).then(|| with_other_numbers(word)).flatten();
            assert_eq!(got.as_deref(), expected, "{word}");
        };
        check("10x50", Some("13x57"));
        check("BaK-42", Some("BaK-45"));
        check("1080p", None);
        check("2026", None);
        check("word", None);
    }
}
