//! Questions that the content answers, each with the words that answer it.

use super::english;
use super::held::Held;
use super::material::Section;
use super::phrases::Activity;
use super::quantity::{Measure, bare, is_number, quantity};
use super::wording::{capital, reads_well, small, spoken};
use super::{Case, Kind};

/// Statements of a section that count as an answer to a question about the whole of it.
const STATEMENTS: usize = 4;
/// Shortest statement that says anything, in words.
const SHORTEST: usize = 5;

/// Last words of subjects that point to something said before: `the first`, `the reason`.
const VAGUE: &[&str] = &[
    "first",
    "second",
    "third",
    "last",
    "next",
    "other",
    "others",
    "rest",
    "same",
    "result",
    "reason",
    "problem",
    "answer",
    "trick",
    "best",
    "way",
    "idea",
    "question",
    "point",
    "number",
    "difference",
    "rule",
    "goal",
    "exception",
    "erste",
    "zweite",
    "grund",
    "ergebnis",
    "primero",
    "segundo",
    "razón",
    "premier",
    "second",
    "raison",
    "résultat",
];
/// Whose things nobody asks to have explained.
const OWN: &[&str] =
    &["your", "our", "my", "dein", "deine", "unser", "unsere", "tu", "nuestro", "nuestra", "votre", "notre"];

/// Everything that can be asked, section by section.
pub fn all(sections: &[Section], held: &Held) -> Vec<Case> {
    let mut cases = Vec::new();
    for section in sections {
        from_heading(section, held, &mut cases);
        for statement in section.sentences.iter().copied() {
            from_statement(statement, section, held, &mut cases);
        }
        from_items(section, &mut cases);
    }
    from_names(sections, held, &mut cases);
    cases.retain(|case| reads_well(&case.question) && !case.answers.is_empty() && !gives_away(case));
    cases
}

/// Whether every answer stands in the question already.
fn gives_away(case: &Case) -> bool {
    let question = case.question.to_lowercase();
    case.answers.iter().all(|answer| question.contains(&answer.to_lowercase()))
}

fn push(
    cases: &mut Vec<Case>,
    section: &Section,
    template: &'static str,
    question: String,
    answers: Vec<String>,
    quote: &str,
) {
    let mut case = Case::new(Kind::Answerable, template, question, section, quote);
    case.answers = answers;
    case.external_ids = vec![section.source.id.clone()];
    cases.push(case);
}

fn from_heading(section: &Section, held: &Held, cases: &mut Vec<Case>) {
    let phrases = section.phrases();
    let english = phrases.activity == Activity::English;
    let answers = statements(section);
    let Some(quote) = answers.first().cloned() else { return };
    // `Lesson 6: Choosing binoculars` is about choosing binoculars.
    let heading = section.heading().rsplit_once(": ").map_or(section.heading(), |(_, topic)| topic).trim();
    let heading = heading.trim_end_matches(['.', ':', '!']);
    if heading.is_empty() || phrases.usual.contains(&heading.to_lowercase().as_str()) {
        return;
    }
    if heading.ends_with(['?', '？']) {
        let answers = fact(heading, section).map_or(answers, |fact| vec![fact]);
        if english && let Some(question) = english::reworded(heading) {
            push(cases, section, "faq_reworded", question, answers.clone(), &quote);
        }
        push(cases, section, "faq", heading.to_owned(), answers, &quote);
        return;
    }
    if english && let Some(question) = english::turned(heading) {
        // `How long do I have?` says nothing without the title above it.
        let short = question.split_whitespace().count() <= 5 || question.ends_with(" it?");
        let title = section.headings.first().map_or("", String::as_str);
        let question = match title {
            "" => question,
            title if short && title != section.heading() => format!("{title}: {}", small(&question)),
            _ => question,
        };
        push(cases, section, "heading_question", question, answers, &quote);
        return;
    }
    let activity = match phrases.activity {
        Activity::English => english::activity(heading, held),
        Activity::LastWord(endings) => {
            ends_as_infinitive(heading, endings).then(|| small_thing(heading, section, held))
        }
        Activity::FirstWord(endings) => starts_as_infinitive(heading, endings).then(|| small(heading)),
    };
    if let Some(activity) = activity {
        push(cases, section, "how_to", phrases.how_to.replace("{x}", &activity), answers, &quote);
        return;
    }
    // A clause or a whole sentence as a heading is no thing to ask about.
    let words = heading.split_whitespace().count();
    let pronouns = ["it", "you", "i", "we", "they", "this", "that"];
    let is_clause = english
        && heading
            .split_whitespace()
            .any(|word| pronouns.contains(&word.to_lowercase().as_str()) || word.ends_with(','));
    if words > 7 || is_clause || heading.chars().count() < 4 || starts_as_question(heading) {
        return;
    }
    let thing = if english {
        english::mine(&small_thing(heading, section, held))
    } else {
        small_thing(heading, section, held)
    };
    let thing = if phrases.about.contains(['„', '«']) { heading.to_owned() } else { thing };
    push(cases, section, "topic", phrases.about.replace("{x}", &thing), answers, &quote);
}

fn starts_as_question(heading: &str) -> bool {
    let first = heading.split_whitespace().next().unwrap_or_default().to_lowercase();
    matches!(
        first.as_str(),
        "how" | "when" | "where" | "why" | "what" | "who" | "which" | "wie" | "wann" | "warum" | "comment"
    )
}

fn from_statement(statement: &str, section: &Section, held: &Held, cases: &mut Vec<Case>) {
    let phrases = section.phrases();
    let plain = spoken(statement);
    let words: Vec<&str> = plain.split_whitespace().collect();
    if !(4..=45).contains(&words.len()) || !plain.ends_with(['.', '!', '。']) {
        return;
    }
    let whole = vec![statement.to_owned()];
    if let Some(name) = called(&plain, section) {
        push(cases, section, "term", phrases.meant_by.replace("{x}", &name), whole.clone(), statement);
    }
    if phrases.activity == Activity::English
        && let Some((clause, rest)) = plain.split_once(" within ")
        && let Some(question) = english::time_limit(clause)
    {
        let after: Vec<&str> = rest.split_whitespace().collect();
        if let Some(found) = quantity(&after, 0).filter(|found| found.measure == Measure::Time) {
            let answer = cut(&after[found.start..found.end]);
            push(cases, section, "time_limit", question, vec![answer], statement);
        }
    }
    let pointing = phrases.pointing.contains(&bare(words[0]).as_str());
    let Some(verb) = words.iter().take(9).position(|word| is_verb(word, section)) else { return };
    let subject = words[..verb].join(" ");
    if verb == 0 || pointing || !is_thing(&subject, section) {
        return;
    }
    let thing = small_thing(&subject, section, held);
    let thing = if phrases.activity == Activity::English { english::mine(&thing) } else { thing };
    let predicate = words[verb].to_lowercase();
    let rest = &words[verb + 1..];
    for (verbs, measure, template) in phrases.quantities {
        if verbs.contains(&predicate.as_str())
            && let Some(found) = quantity(rest, 0).filter(|found| found.measure == *measure)
        {
            let answer = cut(&rest[found.start..found.end]);
            push(cases, section, "quantity", template.replace("{x}", &thing), vec![answer], statement);
            return;
        }
    }
    if phrases.holds.0.contains(&predicate.as_str())
        && rest.len() >= 2
        && is_number(rest[0])
        && let Some(things) = counted(&rest[1..], section)
    {
        let plural = matches!(predicate.as_str(), "have" | "contain" | "include");
        let template =
            if plural { phrases.holds.1.replace("does", "do") } else { phrases.holds.1.to_owned() };
        let question = template.replace("{n}", &things).replace("{x}", &thing);
        push(cases, section, "count", question, vec![format!("{} {things}", rest[0])], statement);
        return;
    }
    let copula = if phrases.singular.contains(&predicate.as_str()) {
        phrases.what_is
    } else if phrases.plural.contains(&predicate.as_str()) {
        phrases.what_are
    } else {
        return;
    };
    let vague = VAGUE.contains(&bare(words[verb - 1]).as_str());
    let defines = !vague
        && !OWN.contains(&bare(words[0]).as_str())
        && rest.first().is_some_and(|word| phrases.articles.contains(word))
        && rest.len() >= 3;
    // `The Moon is the one that beginners forget` explains nothing.
    let defines = defines && !(rest[0] == "the" && rest[1] == "one");
    if defines && verb <= 4 {
        push(cases, section, "definition", copula.replace("{x}", &thing), whole, statement);
    }
}

/// `**For most people: 10x50**, at 90 euros` and `Dew: water that …`.
fn from_items(section: &Section, cases: &mut Vec<Case>) {
    let phrases = section.phrases();
    if phrases.what_is.is_empty() {
        return;
    }
    for item in &section.items {
        let plain = spoken(item);
        let Some((label, rest)) = plain.split_once(": ") else { continue };
        let words = label.split_whitespace().count();
        if words == 0
            || words > 6
            || rest.split_whitespace().count() < 2
            || label.contains([',', '.', '(', '"', '“'])
        {
            continue;
        }
        let first = label.split_whitespace().next().map(bare).unwrap_or_default();
        let question = if phrases.activity == Activity::English && first == "for" {
            format!("What do you recommend {}?", english::mine(&small(label)))
        } else if !phrases.pointing.contains(&first.as_str()) && is_thing(label, section) {
            phrases.meant_by.replace("{x}", label)
        } else {
            continue;
        };
        push(cases, section, "item", question, vec![(*item).to_owned(), rest.to_owned()], item);
    }
}

/// Where something is said: the section, and the words.
type Statements<'a> = Vec<(usize, &'a str)>;

/// Names that stand in the middle of sentences: people, places, products.
fn from_names(sections: &[Section], held: &Held, cases: &mut Vec<Case>) {
    let mut seen: Vec<(String, Statements)> = Vec::new();
    for (place, section) in sections.iter().enumerate() {
        // German writes every noun with a capital: a name cannot be told there.
        if section.phrases().singular.is_empty() || section.source.language.code() == "de" {
            continue;
        }
        for statement in section.statements() {
            for name in names(&spoken(statement), held) {
                match seen.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, places)) => places.push((place, statement)),
                    None => seen.push((name, vec![(place, statement)])),
                }
            }
        }
    }
    for (name, places) in seen {
        let words = name.split_whitespace().filter(|word| word.starts_with(char::is_uppercase)).count();
        if places.len() < 2 && words < 2 {
            continue;
        }
        let section = &sections[places[0].0];
        let mut ids: Vec<String> =
            places.iter().map(|(place, _)| sections[*place].source.id.clone()).collect();
        ids.dedup();
        let answers: Vec<String> =
            places.iter().map(|(_, statement)| (*statement).to_owned()).take(8).collect();
        let quote = answers[0].clone();
        push(cases, section, "name", section.phrases().name.replace("{x}", &name), answers, &quote);
        if let Some(case) = cases.last_mut() {
            case.external_ids = ids;
        }
    }
}

/// Articles that belong to a name: the Pleiades, la Luna.
const ARTICLES: &[&str] = &["the", "la", "el", "los", "las", "le", "les"];

/// Runs of capitalised words that do not begin a sentence.
fn names(sentence: &str, held: &Held) -> Vec<String> {
    let words: Vec<&str> = sentence.split_whitespace().collect();
    let mut names = Vec::new();
    let mut at = 1;
    while at < words.len() {
        let mut end = at;
        while end < words.len() && is_name_part(words[end], held) {
            end += 1;
            if words[end - 1].ends_with([',', '.', ';', ':', ')', '!', '?', '"', '”']) {
                break;
            }
        }
        // After a full stop within the text a capital means nothing.
        let starts_clause = words[at - 1].ends_with(['.', ':', '!', '?', '"', '“', '(']);
        if end > at && !starts_clause && end - at <= 4 {
            let name = words[at..end].join(" ");
            let name = name.trim_matches(|c: char| !c.is_alphanumeric()).to_owned();
            let name =
                name.strip_suffix("'s").or_else(|| name.strip_suffix("’s")).unwrap_or(&name).to_owned();
            if name.chars().count() > 3 {
                let article = words[at - 1].to_lowercase();
                let article =
                    if ARTICLES.contains(&article.as_str()) { article + " " } else { String::new() };
                names.push(article + &name);
            }
        }
        at = end.max(at + 1);
    }
    names
}

fn is_name_part(word: &str, held: &Held) -> bool {
    let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
    let mut letters = bare.chars();
    letters.next().is_some_and(char::is_uppercase)
        && letters.clone().count() >= 2
        && letters.all(|c| c.is_lowercase() || c == '’' || c == '\'' || c == '-')
        && !held.is_small(bare)
        && !bare.contains(['\'', '’'])
        && !is_calendar(&bare.to_lowercase())
}

fn is_calendar(word: &str) -> bool {
    "monday tuesday wednesday thursday friday saturday sunday mondays tuesdays wednesdays thursdays fridays january february \
     march april may june july august september october november december english german french spanish swedish"
        .split_whitespace()
        .any(|known| known == word)
}

/// The number that a question for a number asks for, from the section's first statements.
fn fact(question: &str, section: &Section) -> Option<String> {
    let lower = question.to_lowercase();
    let asks = |starts: &[&str]| starts.iter().any(|start| lower.contains(start));
    let wanted =
        if asks(&["how much", "wie viel kostet", "cuánto cuesta", "combien coûte", "what is the price"]) {
            Measure::Money
        } else if asks(&["how long", "wie lange", "cuánto dura", "cuánto tiempo", "combien de temps"]) {
            Measure::Time
        } else {
            return None;
        };
    section.statements().take(3).find_map(|statement| {
        let words: Vec<&str> = statement.split_whitespace().collect();
        let found =
            (0..words.len()).filter_map(|at| quantity(&words, at)).find(|found| found.measure == wanted)?;
        Some(cut(&words[found.start..found.end]))
    })
}

/// The first statements that say something, verbatim.
fn statements(section: &Section) -> Vec<String> {
    let enough = |statement: &&str| {
        statement.split_whitespace().count() >= SHORTEST || section.phrases().singular.is_empty()
    };
    section.statements().filter(enough).take(STATEMENTS).map(str::to_owned).collect()
}

/// Words as they stand in the text, without the mark behind them.
fn cut(words: &[&str]) -> String {
    words.join(" ").trim_end_matches([',', '.', ';', ':', ')', '!', '*']).to_owned()
}

fn is_verb(word: &str, section: &Section) -> bool {
    let phrases = section.phrases();
    let word = word.to_lowercase();
    let verb = word.as_str();
    phrases.singular.contains(&verb)
        || phrases.plural.contains(&verb)
        || phrases.holds.0.contains(&verb)
        || phrases.quantities.iter().any(|(verbs, ..)| verbs.contains(&verb))
}

/// A subject that stands for something by itself: short, no clause, no list, no number before it.
fn is_thing(subject: &str, section: &Section) -> bool {
    let phrases = section.phrases();
    let words: Vec<String> = subject.split_whitespace().map(str::to_lowercase).collect();
    let last = words.last().map_or("", String::as_str);
    let only_determines = words.len() == 1 && phrases.determiners.contains(&last);
    words.len() <= 6
        && !subject.contains([',', ';', ':', '(', ')', '"', '“', '”', '.', '—', '–'])
        && !words.iter().any(|word| phrases.clause.contains(&word.as_str()))
        && !only_determines
        && !words.iter().any(|word| word.ends_with("ly"))
        && words.iter().any(|word| word.chars().filter(|c| c.is_alphabetic()).count() > 2)
        && !words.first().is_some_and(|word| is_number(word))
}

/// `stars of the Pleiades` after a number, up to what follows the noun.
fn counted(words: &[&str], section: &Section) -> Option<String> {
    let first = words.first()?;
    let plain = first.trim_end_matches(['.', ',']);
    let countable = plain.chars().all(char::is_alphabetic)
        && !section.phrases().clause.contains(&plain)
        && (plain.ends_with('s') || section.source.language.code() == "de")
        && plain.chars().count() > 3;
    // A verb or a preposition after it would belong to the noun.
    let ends = *first != plain
        || words.len() == 1
        || words.get(1).is_some_and(|next| next.len() <= 4 && !next.contains('-'));
    (countable && ends).then(|| plain.to_owned())
}

/// The name that a sentence introduces: `which is called bad collimation.`
fn called(sentence: &str, section: &Section) -> Option<String> {
    let lower = sentence.to_lowercase();
    let (at, mark) = section.phrases().called.iter().find_map(|mark| {
        let at = lower.find(&format!(" {mark} "))?;
        Some((at, mark))
    })?;
    let rest = sentence.get(at + mark.len() + 2..)?;
    let end = rest.find([',', '.', ';', ':', ')', '(']).unwrap_or(rest.len());
    let name = rest[..end].trim().trim_matches(['"', '“', '”', '„', '«', '»', ' ']);
    let name = ["a ", "an ", "the "].iter().find_map(|article| name.strip_prefix(article)).unwrap_or(name);
    let words: Vec<&str> = name.split_whitespace().collect();
    let joins =
        ["and", "or", "to", "by", "in", "when", "because", "that", "und", "y", "et", "so", "after", "for"];
    ((1..=4).contains(&words.len())
        && name.chars().count() > 3
        && words.iter().all(|word| word.chars().all(|c| c.is_alphanumeric() || c == '-'))
        && !words.iter().any(|word| joins.contains(word)))
    .then(|| name.to_owned())
}

/// The thing with a small first letter where its capital only begins a sentence.
fn small_thing(thing: &str, section: &Section, held: &Held) -> String {
    // Nothing is known of this language's capitals.
    if section.phrases().singular.is_empty() {
        return thing.to_owned();
    }
    let first = thing.split_whitespace().next().unwrap_or_default();
    let lower = first.to_lowercase();
    let stays = first.chars().skip(1).any(char::is_uppercase) || first.chars().any(|c| c.is_ascii_digit());
    let is_noun_in_german =
        section.source.language.code() == "de" && !section.phrases().determiners.contains(&lower.as_str());
    let only_begins = held.is_small(first) || !held.is_name(first);
    if section.phrases().determiners.contains(&lower.as_str())
        || (only_begins && !stays && !is_noun_in_german)
    {
        small(thing)
    } else {
        capital(thing)
    }
}

fn ends_as_infinitive(heading: &str, endings: &[&str]) -> bool {
    let words: Vec<&str> = heading.split_whitespace().collect();
    words.len() >= 2
        && words.last().is_some_and(|last| {
            last.starts_with(char::is_lowercase)
                && last.len() > 4
                && endings.iter().any(|end| last.ends_with(end))
        })
}

fn starts_as_infinitive(heading: &str, endings: &[&str]) -> bool {
    let words: Vec<&str> = heading.split_whitespace().collect();
    let first = words.first().copied().unwrap_or_default();
    words.len() >= 2 && first.chars().count() > 3 && endings.iter().any(|end| first.ends_with(end))
}
