//! What a question asks for, and whether a sentence holds a thing of that kind that the question does not.
//!
//! Pure word lists for the languages that courses are asked in most; a question whose kind is not recognised asks
//! for [`Kind::Any`] thing, which nothing can be held against.

use std::collections::HashSet;

use crate::index::analyze::{fold, words};

/// A question as its words show it.
pub struct Asked {
    pub kind: Kind,
    /// Its words, normalised: what a sentence repeats of them answers nothing.
    pub words: HashSet<String>,
    /// Capitalised words after the first, and words with digits, folded.
    names: Vec<String>,
    /// What it asks with: `when`, `how long`.
    asks_with: Option<String>,
}

/// The kind of thing that a question asks for, by its question words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Number,
    Date,
    Person,
    Place,
    Reason,
    /// What one should do or choose.
    Advice,
    /// How something is done.
    Steps,
    Any,
}

impl Asked {
    pub fn of(question: &str) -> Self {
        let list: Vec<String> = words(question).into_iter().map(|word| word.text).collect();
        let is_name = |(at, word): &(usize, &str)| {
            let begins_large = word.starts_with(|c: char| c.is_uppercase());
            let is_acronym = word.len() > 1 && word.chars().all(char::is_uppercase);
            word.contains(|c: char| c.is_ascii_digit()) || (begins_large && (*at > 0 || is_acronym))
        };
        let names = question
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty() && *word != "I")
            .enumerate()
            .filter(is_name)
            .map(|(_, word)| fold(word))
            .collect();
        let asks_with = asks_with(&list);
        Self { kind: Kind::of(&list), words: list.into_iter().collect(), names, asks_with }
    }

    /// Share of the question's names and numbers that a sentence or what stands above it holds; 1 without any.
    pub fn share_of_names(&self, text: &str, above: &str) -> f32 {
        if self.names.is_empty() {
            return 1.0;
        }
        let (text, above) = (fold(text), fold(above));
        let held = self.names.iter().filter(|name| text.contains(*name) || above.contains(*name)).count();
        held as f32 / self.names.len() as f32
    }

    /// Whether a heading asks with the same question words: `When you get it`.
    pub fn is_asked_by(&self, heading: &str) -> bool {
        let list: Vec<String> = words(heading).into_iter().map(|word| word.text).collect();
        self.asks_with.is_some() && self.asks_with == asks_with(&list)
    }

    /// Whether a heading announces what is asked for, as `My recommendation` does for who asks what to buy: the sentences
    /// under it need not say so again.
    pub fn is_announced_by(&self, heading: &str) -> bool {
        self.kind == Kind::Advice && words(heading).iter().any(|word| ADVISES.contains(&word.text.as_str()))
    }

    /// Whether a sentence only says what not to do, and was not asked that.
    fn is_denied(&self, text: &str) -> bool {
        let denies = |word: &str| AGAINST.contains(&word);
        !self.words.iter().any(|word| denies(word)) && words(text).iter().any(|word| denies(&word.text))
    }

    /// Whether `text` holds a thing of the kind that is asked for, or stands under what announces it; `None` when any thing would do.
    pub fn kind_is_in(&self, text: &str, is_announced: bool) -> Option<bool> {
        let tokens = || text.split(|c: char| !c.is_alphanumeric()).filter(|token| !token.is_empty());
        let is_new = |token: &str| !self.words.contains(&token.to_lowercase());
        let is_number = |token: &str| token.contains(|c: char| c.is_ascii_digit()) && is_new(token);
        let is_one_of = |list: &[&str]| tokens().any(|token| list.contains(&token.to_lowercase().as_str()));
        let holds_name =
            || tokens().skip(1).any(|token| token.starts_with(|c: char| c.is_uppercase()) && is_new(token));
        match self.kind {
            Kind::Any => None,
            Kind::Number => Some(tokens().any(is_number) || is_one_of(NUMBERS)),
            Kind::Date => Some(tokens().any(is_number) || is_one_of(DATES)),
            Kind::Person => Some(holds_name()),
            Kind::Place => Some(holds_name() || is_one_of(PLACES)),
            Kind::Reason => Some(is_one_of(REASONS)),
            // "Do not buy the first one you see" is no answer to what to buy.
            Kind::Advice => Some((is_announced || is_one_of(ADVICE)) && !self.is_denied(text)),
            Kind::Steps => Some(is_instruction(text)),
        }
    }
}

/// The first question word, `how` and its kin with the word after them.
fn asks_with(list: &[String]) -> Option<String> {
    let at = list.iter().position(|word| QUESTION_WORDS.contains(&word.as_str()))?;
    let amount = list.get(at + 1).filter(|next| AMOUNTS.contains(&next.as_str()));
    Some(amount.map_or_else(|| list[at].clone(), |amount| format!("{} {amount}", list[at])))
}

const QUESTION_WORDS: &[&str] = &[
    "how", "what", "when", "where", "which", "who", "why", "wie", "was", "wann", "wo", "wer", "warum",
    "cómo", "qué", "cuándo", "dónde", "quién", "comment", "quand", "où", "pourquoi",
];

impl Kind {
    /// By the words of a question, normalised.
    fn of(question: &[String]) -> Self {
        let has = |wanted: &[&str]| question.iter().any(|word| wanted.contains(&word.as_str()));
        let follows = |first: &[&str], second: &[&str]| {
            question.windows(2).any(|w| first.contains(&w[0].as_str()) && second.contains(&w[1].as_str()))
        };
        if follows(&["how", "wie"], AMOUNTS)
            || follows(&["what", "which"], &["amount", "number", "percent", "percentage", "price"])
            || has(&["cuántos", "cuántas", "cuánto", "wieviel", "wieviele", "combien", "quanto", "quanti"])
        {
            Self::Number
        } else if has(&["when", "wann", "cuándo", "quand", "quando"])
            || follows(&["what", "which"], &["century", "date", "day", "decade", "month", "time", "year"])
            || follows(&["until", "by", "since"], &["when"])
        {
            Self::Date
        } else if has(&["who", "whom", "whose", "wer", "wem", "wen", "quién", "quiénes", "qui"]) {
            Self::Person
        } else if has(&["where", "wo", "wohin", "dónde", "où", "dove", "onde"]) {
            Self::Place
        } else if has(&["why", "warum", "weshalb", "wieso", "pourquoi"]) {
            Self::Reason
        } else if has(&[
            "should",
            "recommend",
            "best",
            "better",
            "soll",
            "sollte",
            "empfehlen",
            "conviene",
            "conseillez",
        ]) {
            Self::Advice
        } else if follows(&["how"], &["can", "could", "do", "to", "would"])
            || follows(&["wie"], &["finde", "kann", "mache", "muss"])
            || follows(&["cómo"], &["encuentro", "hago", "puedo"])
            || follows(&["comment"], &["faire", "je", "puis"])
        {
            Self::Steps
        } else {
            Self::Any
        }
    }
}

/// Whether a sentence tells its reader to do something: `Open the lid.`, `Then press it.`, `Öffnen Sie den Deckel.`
pub fn is_instruction(sentence: &str) -> bool {
    let mut words = sentence.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let Some(first) = words.next() else { return false };
    let is_after = LEADS.contains(&first.to_lowercase().as_str());
    let Some(verb) = (if is_after { words.next() } else { Some(first) }) else { return false };
    let polite = words.next();
    INSTRUCTIONS.contains(&verb.to_lowercase().as_str())
        || (polite == Some("Sie") && verb.to_lowercase().ends_with("en"))
}

/// What stands before an instruction's verb.
const LEADS: &[&str] =
    &["first", "next", "now", "then", "finally", "second", "third", "please", "always", "dann"];
/// Verbs that lessons and manuals begin an instruction with, and that seldom begin another sentence.
const INSTRUCTIONS: &[&str] = &[
    "add",
    "adjust",
    "aim",
    "answer",
    "apply",
    "ask",
    "attach",
    "avoid",
    "begin",
    "blow",
    "bring",
    "build",
    "calculate",
    "check",
    "choose",
    "clean",
    "click",
    "close",
    "compare",
    "connect",
    "convert",
    "copy",
    "count",
    "create",
    "cut",
    "define",
    "delete",
    "divide",
    "do",
    "don",
    "download",
    "drag",
    "draw",
    "drop",
    "enter",
    "extend",
    "fill",
    "find",
    "fold",
    "follow",
    "give",
    "go",
    "hold",
    "imagine",
    "import",
    "insert",
    "install",
    "keep",
    "lean",
    "let",
    "lift",
    "listen",
    "log",
    "look",
    "make",
    "mark",
    "measure",
    "mix",
    "move",
    "multiply",
    "name",
    "note",
    "open",
    "pick",
    "place",
    "pour",
    "press",
    "pull",
    "push",
    "put",
    "read",
    "remove",
    "repeat",
    "rest",
    "restart",
    "rinse",
    "run",
    "save",
    "search",
    "select",
    "send",
    "set",
    "show",
    "sign",
    "sit",
    "stand",
    "start",
    "stir",
    "stop",
    "subtract",
    "switch",
    "take",
    "tap",
    "tell",
    "think",
    "tie",
    "tilt",
    "touch",
    "try",
    "turn",
    "type",
    "unplug",
    "upload",
    "use",
    "visit",
    "wait",
    "walk",
    "wash",
    "watch",
    "wear",
    "wipe",
    "work",
    "wrap",
    "write",
];

/// What a number is asked with after `how`.
const AMOUNTS: &[&str] = &[
    "big", "deep", "far", "fast", "heavy", "high", "large", "long", "many", "much", "often", "old", "tall",
    "thick", "wide", "alt", "groß", "hoch", "lange", "oft", "viel", "viele", "weit",
];
const NUMBERS: &[&str] = &[
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "dozen", "half", "hundred", "thousand", "million", "billion", "once", "twice", "daily", "weekly",
    "monthly", "every", "free", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn",
    "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve", "diez", "deux", "trois", "quatre",
    "cinq", "sept", "huit", "neuf", "dix",
];
const DATES: &[&str] = &[
    "january",
    "february",
    "march",
    "april",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "mondays",
    "tuesdays",
    "wednesdays",
    "thursdays",
    "fridays",
    "saturdays",
    "sundays",
    "today",
    "tomorrow",
    "noon",
    "midnight",
    "soon",
    "once",
    "after",
    "before",
    "until",
    "during",
    "day",
    "days",
    "week",
    "weeks",
    "month",
    "months",
    "year",
    "years",
    "tag",
    "tage",
    "tagen",
    "woche",
    "wochen",
    "monat",
    "jahr",
    "jahre",
    "nach",
    "bis",
    "januar",
    "februar",
    "märz",
    "juni",
    "juli",
    "oktober",
    "dezember",
    "día",
    "días",
    "semana",
    "semanas",
    "mes",
    "meses",
    "año",
    "años",
    "después",
    "hasta",
    "jour",
    "jours",
    "semaine",
    "mois",
    "après",
];
const PLACES: &[&str] = &[
    "at", "in", "on", "under", "near", "behind", "inside", "page", "link", "folder", "website", "channel",
    "unter", "auf", "im", "seite", "en", "página", "dans", "sur", "sous",
];
const REASONS: &[&str] = &[
    "because",
    "since",
    "so",
    "due",
    "therefore",
    "reason",
    "caused",
    "causes",
    "cause",
    "order",
    "as",
    "weil",
    "denn",
    "damit",
    "daher",
    "porque",
    "para",
    "debido",
    "car",
    "parce",
    "pour",
];

const ADVICE: &[&str] = &[
    "recommend",
    "recommended",
    "recommendation",
    "suggest",
    "advise",
    "best",
    "better",
    "should",
    "choose",
    "use",
    "need",
    "must",
    "most",
    "empfehlen",
    "besten",
    "sollte",
    "sollten",
    "recomendamos",
    "mejor",
    "recommandons",
];

/// Words of headings that announce advice, in the languages of the lists above.
#[rustfmt::skip]
const ADVISES: &[&str] = &[
    "recommend", "recommends", "recommended", "recommendation", "recommendations", "suggestion", "suggestions", "advice", "tip", "tips",
    "choice", "choose", "choosing", "pick", "picks", "favourite", "favourites", "favorite", "favorites", "best",
    "empfehlung", "empfehlungen", "empfehle", "rat", "tipp", "tipps", "auswahl",
    "recomendación", "recomendaciones", "consejo", "consejos", "recommandation", "recommandations", "conseil", "conseils",
    "consiglio", "consigli", "recomendação", "recomendações", "conselho", "aanbeveling", "aanbevelingen", "advies",
];

/// Words of a sentence that tells what not to do.
#[rustfmt::skip]
const AGAINST: &[&str] = &[
    "not", "never", "avoid", "avoids", "dont", "doesnt", "shouldnt", "cannot", "cant", "wont", "neither", "worst",
    "nicht", "nie", "niemals", "kein", "keine", "keinen", "vermeide", "vermeiden", "nunca", "evita", "evite", "evitar",
    "jamais", "pas", "évitez", "éviter", "evitare", "não", "niet", "nooit", "vermijd",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_thing_is_recognised_and_found() {
        let check = |question: &str, kind: Kind, with: &str, without: &str| {
            let asked = Asked::of(question);
            assert_eq!(asked.kind, kind, "{question}");
            assert_eq!(asked.kind_is_in(with, false), Some(true), "{with}");
            assert_eq!(asked.kind_is_in(without, false), Some(false), "{without}");
        };
        check("How much is it?", Kind::Number, "It costs 20 euros.", "It costs money.");
        check("How many of the 7 lessons?", Kind::Number, "You need five.", "Of the 7 you need some.");
        check("When do I get it?", Kind::Date, "You get it within two weeks.", "You get it.");
        check("Wann war das?", Kind::Date, "Das war 1969.", "Das war schön.");
        check("Who wrote it?", Kind::Person, "It was Ada.", "It was she.");
        check("Where is it?", Kind::Place, "It is under the shelf.", "It is lost.");
        check("How do I open it?", Kind::Steps, "Then press the latch.", "The latch opens it.");
        check("Why is it red?", Kind::Reason, "Because of the iron.", "It is red.");
        check(
            "Which should I buy?",
            Kind::Advice,
            "Most people choose the red one.",
            "The red one costs more.",
        );
        assert_eq!(Asked::of("What is it?").kind_is_in("Anything.", true), None);
    }

    #[test]
    fn a_denial_is_no_advice_and_a_heading_makes_advice_of_what_follows() {
        let asked = Asked::of("Which brush should I buy?");
        assert_eq!(asked.kind_is_in("You should not buy the cheapest brush.", true), Some(false));
        assert_eq!(asked.kind_is_in("Avoid the cheapest: most lose hair.", false), Some(false));
        assert_eq!(asked.kind_is_in("A round brush of size 8.", false), Some(false));
        assert_eq!(asked.kind_is_in("A round brush of size 8.", true), Some(true));
        assert!(
            asked.is_announced_by("Brushes › My recommendation") && !asked.is_announced_by("Kinds of brush")
        );
        assert!(!Asked::of("When does it end?").is_announced_by("My recommendation"));
        let asked = Asked::of("Which brush should I not buy?");
        assert_eq!(asked.kind_is_in("You should not buy the cheapest brush.", false), Some(true));
    }

    #[test]
    fn names_are_capitals_and_digits_after_the_first_word() {
        let asked = Asked::of("Did Ada Lovelace write it in 1843?");
        assert_eq!(asked.share_of_names("Ada wrote it.", "1843"), 2.0 / 3.0);
        assert_eq!(Asked::of("Did she?").share_of_names("", ""), 1.0);
    }
}
