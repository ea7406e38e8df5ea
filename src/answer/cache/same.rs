//! Do two questions ask the same in other words? Decides whether an answer that was given to one may be given to the other.
//!
//! Comes in: two questions. Goes out: yes or no. Pure; called by `cache/mod.rs` for questions that are near in meaning,
//! because nearness tells nothing of numbers, denials and names. A question becomes a [`Form`]: its frame ("can you tell
//! me") goes, a closed list of phrases that mean the same becomes one ("get my money back", "get a refund"), numbers
//! become digits, words become stems. Two forms are the same when they are equal, or when a clause stands at the other
//! end. Nothing is guessed: a word that only one of them has makes them two.

use crate::index::analyze::{Language, Word, fold, term_of, words};

/// A question as it is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    language: Language,
    tokens: Vec<String>,
}

impl Form {
    pub fn of(question: &str) -> Self {
        let language = Language::of_text(question).unwrap_or(Language::ENGLISH);
        let found = words(question);
        // Pairs of characters have neither frames nor stems: they are compared as they stand.
        if found.iter().any(|word| word.is_pair) {
            return Self { language, tokens: found.into_iter().map(|word| word.text).collect() };
        }
        let list: Vec<String> = found.into_iter().map(|word| fold(&word.text)).collect();
        let list = priced(replaced(unframed(&list)));
        // Whom something is done to tells: "Can I pay you?", "Can you pay me?"
        let told = list.into_iter().filter(|word| word == "me" || !super::EMPTY.contains(&word.as_str()));
        let tokens = numbered(told.collect())
            .into_iter()
            .map(|text| term_of(&Word { text, is_pair: false }, language))
            .collect();
        Self { language, tokens }
    }

    /// Whether both ask the same.
    pub fn is_same(&self, other: &Self) -> bool {
        self.language == other.language
            && !self.tokens.is_empty()
            && self.tokens.len() == other.tokens.len()
            && (self.tokens == other.tokens || self.turned(other) || other.turned(self))
    }

    /// Whether a clause at the end of this one stands at the beginning of the other: "Do I get it if I am late?", "If I am
    /// late, do I get it?"
    fn turned(&self, other: &Self) -> bool {
        let all = &self.tokens;
        (CLAUSE..all.len().saturating_sub(CLAUSE - 1)).any(|at| {
            CLAUSES.contains(&all[at].as_str())
                && other.tokens.starts_with(&all[at..])
                && other.tokens.ends_with(&all[..at])
        })
    }
}

/// Fewest words of each of two clauses: two words in the other order are another thing (boat house, house boat).
const CLAUSE: usize = 2;

/// Stems that a clause begins with.
#[rustfmt::skip]
const CLAUSES: &[&str] = &["if", "when", "after", "befor", "onc", "while", "dure", "without", "wenn", "falls", "si", "quand", "se", "als"];

/// The words behind "can you tell me" and its kin, where a question follows.
fn unframed(list: &[String]) -> &[String] {
    let mut rest = list;
    loop {
        let behind = FRAMES.iter().filter_map(|frame| {
            let frame: Vec<&str> = frame.split(' ').collect();
            let after = rest.get(frame.len()..).filter(|_| rest.iter().zip(&frame).all(|(a, b)| a == b))?;
            ASKING.contains(&after.first()?.as_str()).then_some(after)
        });
        // The longest frame leaves the least.
        let Some(after) = behind.min_by_key(|after| after.len()) else { return rest };
        // "Can you tell me whether I can": what follows is the question.
        rest = if WHETHER.contains(&after[0].as_str()) { &after[1..] } else { after };
    }
}

/// Phrases that mean the same, as one.
fn replaced(list: &[String]) -> Vec<String> {
    let mut out = Vec::with_capacity(list.len());
    let mut at = 0;
    while at < list.len() {
        let found = PHRASES.iter().filter_map(|(from, to)| {
            let from: Vec<&str> = from.split(' ').collect();
            let here = list.get(at..at + from.len())?;
            here.iter().zip(&from).all(|(a, b)| a == b).then_some((from.len(), *to))
        });
        match found.max_by_key(|(length, _)| *length) {
            Some((length, to)) => {
                out.extend(to.split(' ').filter(|word| !word.is_empty()).map(str::to_owned));
                at += length;
            }
            None => {
                out.push(list[at].clone());
                at += 1;
            }
        }
    }
    out
}

/// "What does it cost?", "How much does it cost?" and "What is the price of it?" with one beginning.
fn priced(list: Vec<String>) -> Vec<String> {
    let starts = |start: &[&str]| list.len() > start.len() && list.iter().zip(start).all(|(a, b)| a == b);
    let price = || std::iter::once(PRICE.to_owned());
    let costs = list.last().is_some_and(|word| matches!(word.as_str(), "cost" | "costs"));
    let asked = [&["how", "much"][..], &["what"]].into_iter().find(|start| starts(start));
    if let Some(start) = asked.filter(|_| costs) {
        return price().chain(list[start.len()..list.len() - 1].iter().cloned()).collect();
    }
    // The apostrophe of "what's" takes its letters along.
    let named = [
        &["what", "is", "the", "price", "of"][..],
        &["what", "is", "the", "cost", "of"],
        &["what", "the", "price", "of"],
        &["what", "the", "cost", "of"],
    ];
    match named.into_iter().find(|start| starts(start)) {
        Some(start) => price().chain(list[start.len()..].iter().cloned()).collect(),
        None => list,
    }
}

/// No word that a student writes.
const PRICE: &str = "=price";

/// Number words as digits; "the third module" as "module 3".
fn numbered(list: Vec<String>) -> Vec<String> {
    let place = |names: &[&str], word: &str| names.iter().position(|name| *name == word);
    let mut out: Vec<String> = Vec::with_capacity(list.len());
    let mut at = 0;
    while let Some(word) = list.get(at) {
        let is_part = |word: &str| PARTS.contains(&word);
        let next = list.get(at + 1).filter(|next| is_part(next));
        if let (Some(number), Some(next)) = (place(ORDINALS, word), next) {
            out.extend([next.clone(), (number + 1).to_string()]);
            at += 2;
            continue;
        }
        let after_part = out.last().is_some_and(|last| is_part(last));
        match place(NUMBERS, word) {
            // "Which one" counts nothing.
            Some(number) if number > 0 || after_part => out.push((number + 1).to_string()),
            _ => out.push(word.clone()),
        }
        at += 1;
    }
    out
}

/// What courses number.
#[rustfmt::skip]
const PARTS: &[&str] = &[
    "module", "lesson", "week", "chapter", "unit", "part", "section", "lecture", "step", "day", "exercise", "level", "session",
    "video", "assignment", "quiz",
];
#[rustfmt::skip]
const NUMBERS: &[&str] = &[
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen",
    "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
];
#[rustfmt::skip]
const ORDINALS: &[&str] = &[
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth",
];

/// Beginnings that ask for an answer and not for a thing, without accents.
#[rustfmt::skip]
const FRAMES: &[&str] = &[
    "can you tell me", "could you tell me", "can you please tell me", "could you please tell me", "would you tell me",
    "please tell me", "tell me", "can you explain", "could you explain", "please explain", "explain", "i would like to know",
    "i want to know", "id like to know", "i need to know", "i like to know", "i was wondering", "i am wondering", "im wondering", "i wonder",
    "do you know", "does anyone know", "does anybody know", "may i ask", "can i ask", "let me know", "quick question",
    "i have a question", "sorry", "excuse me", "ok", "okay", "hi", "hello", "hey", "hi there", "hello there", "please",
    "kannst du mir sagen", "konnen sie mir sagen", "ich wurde gerne wissen", "ich mochte wissen", "ich frage mich", "hallo",
    "me puedes decir", "puedes decirme", "puede decirme", "quisiera saber", "quiero saber", "me gustaria saber", "hola",
    "pouvez vous me dire", "peux tu me dire", "je voudrais savoir", "jaimerais savoir", "bonjour",
    "puoi dirmi", "vorrei sapere", "ciao", "pode me dizer", "gostaria de saber", "ola", "kun je me zeggen", "ik wil graag weten",
];

/// What a question begins with behind a frame.
#[rustfmt::skip]
const ASKING: &[&str] = &[
    "how", "what", "when", "where", "which", "who", "whom", "whose", "why", "whether", "if", "whats", "wheres", "hows", "whens", "whos",
    "is", "are", "can", "could", "do", "does", "will", "would", "must", "should", "may", "did", "was", "were", "has", "have", "am",
    "at", "in", "i", "can", "please", "tell", "quick",
    "wie", "was", "wann", "wo", "wer", "warum", "ob", "welche", "welcher", "welches", "kann", "gibt",
    "como", "que", "cuando", "donde", "quien", "cual", "cuanto", "cuantos", "cuanta", "cuantas", "si", "puedo", "hay",
    "comment", "quand", "ou", "pourquoi", "qui", "quel", "quelle", "combien", "est",
    "come", "quando", "dove", "chi", "quanto", "quale", "se", "perche", "posso", "onde", "quem", "qual", "quantos",
    "hoe", "wanneer", "waar", "waarom", "welke", "of", "hoeveel", "kan",
];
const WHETHER: &[&str] = &["whether", "if", "ob", "si", "se"];

/// What means the same in any question to a course, without accents. Near synonyms are not in it: `end` is not `finish`, and
/// who asks for a teacher may not mean the tutor.
#[rustfmt::skip]
const PHRASES: &[(&str, &str)] = &[
    ("how can", "how"), ("how could", "how"), ("how would", "how"), ("how to", "how"), ("how should", "how should"),
    ("what is the way to", "how"), ("whats the way to", "how"), ("which way can i", "how"), ("in what way can i", "how"),
    ("is there a way to", "can"), ("is there any way to", "can"), ("is it possible to", "can"), ("is it possible for me to", "can"),
    ("am i able to", "can"), ("are we able to", "can"), ("would i be able to", "can"), ("could i", "can"), ("could we", "can"),
    ("whats", "what is"), ("hows", "how is"), ("wheres", "where is"), ("whens", "when is"), ("whos", "who is"),
    ("where can i find", "where is"), ("where do i find", "where is"), ("where to find", "where is"), ("where can", "where"),
    ("where could", "where"), ("at what time", "what time"), ("at which time", "what time"), ("how come", "why"),
    ("for how long", "how long"), ("for what reason", "why"), ("is there any", "is there"), ("are there any", "are there"),
    ("can not", "cannot"), ("cant", "cannot"), ("do not", "not"), ("does not", "not"), ("dont", "not"), ("doesnt", "not"),
    ("is not", "not"), ("isnt", "not"), ("are not", "not"), ("arent", "not"), ("wont", "will not"), ("im", "i am"), ("ive", "i have"),
    ("id like", "i would like"), ("theres", "there is"),
    ("have to", "must"), ("need to", "must"),
    ("get my money back", "refund"), ("get the money back", "refund"), ("get money back", "refund"), ("get a refund", "refund"),
    ("get my refund", "refund"), ("receive a refund", "refund"), ("have a refund", "refund"), ("get refunded", "refund"),
    ("be refunded", "refund"), ("get reimbursed", "refund"), ("be reimbursed", "refund"), ("reimbursement", "refund"),
    ("get a reimbursement", "refund"),
    ("log in", "login"), ("log into", "login to"), ("sign in", "login"), ("sign into", "login to"), ("log on", "login"),
    ("log out", "logout"), ("sign out", "logout"), ("log off", "logout"), ("set up", "setup"),
    ("get in touch with", "contact"), ("reach out to", "contact"), ("get hold of", "contact"), ("e mail", "email"),
    ("begin", "start"), ("begins", "starts"), ("beginning", "starting"), ("commence", "start"), ("commences", "starts"),
    ("complete", "finish"), ("completing", "finishing"), ("completed", "finished"), ("purchase", "buy"), ("purchasing", "buying"),
    ("wi fi", "wifi"), ("cell phone", "smartphone"), ("cellphone", "smartphone"), ("mobile phone", "smartphone"),
    ("enrol", "enroll"), ("enrolling", "enroll"), ("fulfil", "fulfill"), ("colour", "color"), ("colours", "colors"),
    ("metre", "meter"), ("metres", "meters"), ("centre", "center"), ("cancelling", "canceling"), ("cancelled", "canceled"),
    ("programme", "program"), ("mins", "minutes"), ("min", "minutes"), ("hrs", "hours"), ("hr", "hour"), ("thank you", ""),
    ("thanks", ""), ("kindly", ""), ("actually", ""), ("exactly", ""), ("per cent", "percent"), ("ok", ""), ("est ce que", ""),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn same(a: &str, b: &str) -> bool {
        let (a, b) = (Form::of(a), Form::of(b));
        assert_eq!(a.is_same(&b), b.is_same(&a));
        a.is_same(&b)
    }

    /// Two questions a line, with a tab between.
    fn pairs(text: &'static str) -> Vec<(&'static str, &'static str)> {
        text.lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| line.split_once('\t').unwrap())
            .collect()
    }

    #[test]
    fn near_questions_with_other_answers_are_never_the_same() {
        let pairs = pairs(include_str!("../../../tests/fixtures/cache/collisions.tsv"));
        assert!(pairs.len() >= 200, "{}", pairs.len());
        let wrong: Vec<_> = pairs.iter().filter(|(a, b)| same(a, b)).collect();
        assert!(wrong.len() * 100 <= pairs.len(), "{} of {}: {wrong:#?}", wrong.len(), pairs.len());
    }

    #[test]
    fn most_of_the_same_in_other_words_is_the_same() {
        let pairs = pairs(include_str!("../../../tests/fixtures/cache/paraphrases.tsv"));
        let found = pairs.iter().filter(|(a, b)| same(a, b)).count();
        let missed: Vec<_> = pairs.iter().filter(|(a, b)| !same(a, b)).collect();
        assert!(found * 2 >= pairs.len(), "{found} of {}; missed {missed:#?}", pairs.len());
    }

    #[test]
    fn frames_phrases_numbers_and_clauses_change_nothing() {
        for (a, b) in [
            ("Can you tell me whether I can download the lessons?", "Can I download the lessons?"),
            ("What does the course cost?", "How much does the course cost?"),
            ("What is the price of the course?", "What does the course cost?"),
            ("Is the third module free?", "Is module 3 free?"),
            ("Do I get a certificate if I finish late?", "If I finish late, do I get a certificate?"),
            ("How can I get my money back?", "How do I get a refund?"),
        ] {
            assert!(same(a, b), "{a} / {b}: {:?} {:?}", Form::of(a), Form::of(b));
        }
        for (a, b) in [("", ""), ("Boat house?", "House boat?"), ("什么是第三课", "什么是第四课")]
        {
            assert!(!same(a, b), "{a} / {b}");
        }
    }
}
