//! A question that leans on the one before becomes one that stands alone: "and for the second module?", "why?", "how
//! long does it take?". Without a model. Pure.
//!
//! Comes in: the question and what is remembered. Goes out: the completed question, or `None` where nothing is missing.
//! Who asks searches with both and takes what is found more surely.

use crate::domain::memory::Memory;
use crate::index::analyze::{Language, fold, is_everyday, terms, words};

/// Content words of a question that stands alone although it holds a pronoun: the pronoun then means one of them.
const FULL: usize = 3;
/// Content words of a question that begins with `and` and yet stands alone.
const FULL_AFTER_AND: usize = 5;

/// The question with what it leaves unsaid, taken from the one before.
pub fn standalone(question: &str, memory: &Memory) -> Option<String> {
    let before = memory.standalone.as_str();
    if before.is_empty() {
        return None;
    }
    let list: Vec<String> = words(question).into_iter().map(|word| fold(&word.text)).collect();
    let own = telling(question);
    let mine = own_things(&list, memory);
    let opening = OPENINGS.iter().filter_map(|opening| starts(&list, opening)).max().unwrap_or(0);
    let points = list.iter().any(|word| POINTERS.contains(&word.as_str()));
    let leans = own.is_empty()
        || (opening > 0 && own.len() < FULL_AFTER_AND)
        || (points && own.len() < FULL)
        || (own.len() == 1 && list.len() <= 3 && asks(&list));
    if !leans {
        return mine.map(|values| format!("{question} {values}"));
    }
    let whole = if opening > 0 && !asks(&list[opening..]) && !own.is_empty() {
        // The former question with this in the place of what it named: "How long is the … module? the second module".
        let rest = after_words(question, opening);
        let numbered = list.iter().any(|word| is_number(word));
        let frame = if numbered { without_numbers(before) } else { before.to_owned() };
        format!("{frame} {rest}")
    } else {
        format!("{question} {}", topic(before))
    };
    Some(mine.map_or(whole.clone(), |values| format!("{whole} {values}")))
}

/// Values of facts that the question names as the student's: `my cohort`.
fn own_things(list: &[String], memory: &Memory) -> Option<String> {
    let named = list.windows(2).filter(|pair| MINE.contains(&pair[0].as_str()));
    let values: Vec<&str> = named.filter_map(|pair| memory.fact(&pair[1])).collect();
    (!values.is_empty()).then(|| values.join(" "))
}

/// Content words as terms, without those that are everyday in any question.
fn telling(text: &str) -> Vec<String> {
    named(text).into_iter().filter(|term| !is_everyday(term)).collect()
}

/// Words as terms that say what is asked about: neither pointers, nor openings, nor what questions are asked with.
pub fn named(text: &str) -> Vec<String> {
    let language = Language::of_text(text).unwrap_or(Language::ENGLISH);
    let pointers = |term: &String| !POINTERS.contains(&term.as_str()) && !ASKING.contains(&term.as_str());
    let opening = |term: &String| !OPENINGS.iter().any(|opening| opening.split(' ').any(|word| word == term));
    terms(text, language).into_iter().filter(|term| pointers(term) && opening(term)).collect()
}

/// The words of a question that name its subject, as they were written.
fn topic(question: &str) -> String {
    let language = Language::of_text(question).unwrap_or(Language::ENGLISH);
    let is_subject = |word: &&str| {
        let plain = words(word);
        plain.iter().any(|part| {
            let folded = fold(&part.text);
            !language.is_stop_word(&part.text)
                && !ASKING.contains(&folded.as_str())
                && !POINTERS.contains(&folded.as_str())
        })
    };
    let trimmed = question.split_whitespace().map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()));
    let subjects: Vec<&str> = trimmed.filter(is_subject).collect();
    subjects.join(" ")
}

/// Number of words that `opening` takes of the beginning.
fn starts(list: &[String], opening: &str) -> Option<usize> {
    let mut count = 0;
    let holds = opening.split(' ').all(|word| {
        count += 1;
        list.get(count - 1).is_some_and(|here| here == word)
    });
    holds.then_some(count)
}

/// Whether a question word stands among the first two.
fn asks(list: &[String]) -> bool {
    list.iter().take(2).any(|word| ASKING.contains(&word.as_str()))
}

/// What follows the first `count` words.
fn after_words(text: &str, count: usize) -> &str {
    let mut rest = text;
    for _ in 0..count {
        let start = rest.find(|c: char| c.is_alphanumeric()).unwrap_or(rest.len());
        let length =
            rest[start..].find(|c: char| !c.is_alphanumeric() && c != '\'').unwrap_or(rest.len() - start);
        rest = &rest[start + length..];
    }
    rest.trim_start()
}

fn without_numbers(text: &str) -> String {
    let is_kept = |word: &&str| !is_number(&fold(word.trim_matches(|c: char| !c.is_alphanumeric())));
    text.split_whitespace().filter(is_kept).collect::<Vec<_>>().join(" ")
}

fn is_number(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit()) || ORDINALS.contains(&word)
}

/// How follow-ups begin, without accents; the longest counts.
#[rustfmt::skip]
const OPENINGS: &[&str] = &[
    "and", "what about", "how about", "and for", "and in", "and what about", "also", "or", "but", "so", "then",
    "und", "und fur", "und was ist mit", "was ist mit", "wie ist es mit", "und bei", "und wie", "aber", "oder",
    "y", "y para", "y que hay de", "que hay de", "y con", "pero",
    "et", "et pour", "et avec", "qu en est il de", "mais",
    "e", "e para", "e quanto a", "e com", "mas", "e per", "e con", "ma", "e nel caso di",
    "en", "en voor", "hoe zit het met", "en met", "maar",
];

/// Words that point at what was said before.
#[rustfmt::skip]
const POINTERS: &[&str] = &[
    "it", "its", "this", "that", "these", "those", "they", "them", "their", "there", "one", "ones", "he", "she",
    "es", "das", "dies", "diese", "dieser", "dieses", "davon", "dafur", "damit", "dort", "dazu", "sie", "er", "dabei",
    "eso", "esto", "ese", "esa", "lo", "ello", "alli", "ellos",
    "cela", "ca", "il", "elle", "ils", "elles", "celui", "celle",
    "isso", "isto", "ele", "ela", "eles", "elas", "disso", "questo", "quello", "esso", "ne",
    "het", "dat", "dit", "die", "daar", "ervoor", "ermee",
];

/// Words that questions are asked with.
#[rustfmt::skip]
const ASKING: &[&str] = &[
    "how", "what", "when", "where", "why", "who", "which", "long", "much", "many", "often", "is", "are", "do", "does", "can",
    "wie", "was", "wann", "wo", "warum", "wieso", "wer", "welche", "lange", "viel", "viele", "oft",
    "como", "que", "cuando", "donde", "quien", "cual", "cuanto", "cuanta", "cuantos", "tiempo",
    "comment", "quand", "ou", "pourquoi", "qui", "quel", "quelle", "combien", "temps",
    "quando", "onde", "porque", "quem", "qual", "quanto", "quanta", "tempo", "come", "dove", "perche", "chi", "quale",
    "hoe", "wat", "wanneer", "waar", "waarom", "welke", "hoeveel", "lang",
];

#[rustfmt::skip]
const ORDINALS: &[&str] = &[
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "last", "next",
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "erste", "ersten", "erstes", "zweite", "zweiten", "zweites", "dritte", "dritten", "vierte", "vierten", "letzte", "letzten",
    "primer", "primera", "primero", "segundo", "segunda", "tercer", "tercera", "cuarto", "ultima", "ultimo",
    "premier", "premiere", "deuxieme", "seconde", "troisieme", "quatrieme", "dernier", "derniere",
    "primeiro", "primeira", "terceiro", "terceira", "primo", "prima", "secondo", "terzo", "terza",
    "eerste", "tweede", "derde", "vierde", "laatste",
];

/// Words of possession before a thing of the student's.
const MINE: &[&str] = &[
    "my", "mein", "meine", "meinen", "meinem", "mi", "mis", "mon", "ma", "mes", "meu", "minha", "mio", "mia",
    "mijn",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::memory::Fact;

    #[track_caller]
    fn check(before: &str, question: &str, expected: Option<&str>) {
        let fact = Fact { kind: "cohort".into(), value: "3".into(), text: "I am in cohort 3".into() };
        let memory = Memory { standalone: before.into(), facts: vec![fact], ..Memory::default() };
        assert_eq!(standalone(question, &memory).as_deref(), expected, "{question}");
    }

    #[test]
    fn what_is_left_unsaid_is_taken_from_the_question_before() {
        let before = "How long does the first module take?";
        check(
            before,
            "and for the second module?",
            Some("How long does the module take? the second module?"),
        );
        check(before, "What about videos?", Some("How long does the first module take? videos?"));
        check("Why should the torch be red?", "why?", Some("why? torch red"));
        check("What is gesso?", "How long does it take to dry?", Some("How long does it take to dry? gesso"));
        check("Wie lange ruht der Teig?", "Und warum?", Some("Und warum? ruht der Teig"));
        check("¿Cuánto reposa la masa?", "¿y para la segunda?", Some("¿Cuánto reposa la masa? la segunda?"));
    }

    #[test]
    fn what_stands_alone_stays_alone() {
        let before = "How long does the first module take?";
        check(before, "Which binoculars should I buy for the Moon?", None);
        check(before, "How do I clean a brush so that it keeps its shape?", None);
        check("", "and for the second module?", None);
        check(
            before,
            "When does my cohort begin its live sessions?",
            Some("When does my cohort begin its live sessions? 3"),
        );
    }
}
