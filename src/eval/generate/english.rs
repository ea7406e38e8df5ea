//! English forms: `Setting the focus` is something that one does, `your` becomes `my` in a question of a student.

use super::held::Held;

/// First words of headings that tell somebody to do something.
const IMPERATIVES: &str = "add adjust ask avoid book build buy cancel change check choose clean close compare configure \
    connect contact cook copy create cut debug define delete deploy design download draw edit enable export find fix format \
    get give hold import improve install invite join keep learn log look make manage measure mix move observe open order \
    organise organize pack pay plan plant play practise practice prepare print protect publish put read record redeem remove \
    repair replace report reset restore review run save search select send set share show sign solve start stop store submit \
    switch take test train turn understand update upload use verify view wash watch write";

/// What one does, from a heading: `set the focus`, `reset my password`. Absent where the heading names something else.
pub fn activity(heading: &str, held: &Held) -> Option<String> {
    let (first, rest) = heading.split_once(' ')?;
    let lower = first.to_lowercase();
    let rest_words: Vec<String> = rest.split_whitespace().map(str::to_lowercase).collect();
    // A pronoun points to what stood before; the heading alone does not say what it is about.
    if rest_words.iter().any(|word| matches!(word.as_str(), "it" | "them" | "this" | "that" | "they")) {
        return None;
    }
    if lower == "how" && rest_words.first().is_some_and(|word| word == "to") && rest_words.len() >= 3 {
        return Some(mine(rest.split_once(' ')?.1));
    }
    // `Open clusters` are things, `Open the cover` is something to do: what follows a verb tells.
    let follows = ["the", "a", "an", "your", "our", "my", "to", "in", "on", "up", "for", "with", "at"];
    let base = if is_imperative(&lower) && follows.contains(&rest_words.first()?.as_str()) {
        lower
    } else {
        base_of(&lower, held)?
    };
    Some(format!("{base} {}", mine(rest)))
}

fn is_imperative(word: &str) -> bool {
    IMPERATIVES.split_whitespace().any(|known| known == word)
}

/// `setting` is `set`, `choosing` is `choose`: whichever form is a known verb or stands in the content.
fn base_of(word: &str, held: &Held) -> Option<String> {
    let stem = word.strip_suffix("ing").filter(|stem| stem.len() >= 2)?;
    let letters: Vec<char> = stem.chars().collect();
    let doubled = letters.len() > 2 && letters[letters.len() - 1] == letters[letters.len() - 2];
    let short: String = if doubled { letters[..letters.len() - 1].iter().collect() } else { String::new() };
    let forms = [format!("{stem}e"), short, stem.to_owned()];
    let known = |form: &&String| !form.is_empty() && is_imperative(form);
    let seen = |form: &&String| !form.is_empty() && held.is_small(form);
    forms.iter().find(known).or_else(|| forms.iter().find(seen)).cloned()
}

/// A creator's `your` and `you` as the student who asks says them.
pub fn mine(text: &str) -> String {
    let turned = text.split(' ').map(|word| {
        let bare: String = word.chars().filter(|c| c.is_alphanumeric()).collect();
        let turn = match bare.to_lowercase().as_str() {
            "your" => "my",
            "yours" => "mine",
            "yourself" => "myself",
            "you" => "I",
            "our" => "your",
            "ours" => "yours",
            "we" => "you",
            "us" => "you",
            _ => return word.to_owned(),
        };
        word.replace(&bare, turn)
    });
    turned.collect::<Vec<_>>().join(" ")
}

/// The same question in other words, as students put it; only where the form is safe.
pub fn reworded(question: &str) -> Option<String> {
    let inner = question.strip_suffix('?')?;
    if inner.contains(['?', '.', ',']) {
        return None;
    }
    let changed = |start: &str, new: &str| inner.strip_prefix(start).map(|rest| format!("{new}{rest}?"));
    let framed = |start: &str, end: &str, new: &str| {
        let rest = inner.strip_prefix(start)?.strip_suffix(end)?;
        Some(format!("{new}{rest}?"))
    };
    framed("How much does ", " cost", "What is the price of ")
        .or_else(|| {
            framed("How long does ", " take", "How much time does ").map(|q| q.replace('?', " take?"))
        })
        .or_else(|| changed("Can I ", "Is it possible to "))
        .or_else(|| changed("How do I ", "What do I have to do to "))
        .or_else(|| changed("Do I need ", "Is it necessary to have "))
        .or_else(|| changed("What happens if ", "What if "))
        .or_else(|| changed("Who is ", "Can you tell me who ").map(|q| q.replace('?', " is?")))
        .or_else(|| changed("Is it safe to ", "Can I safely "))
        .or_else(|| changed("What is the best ", "Which is the best "))
}

/// A question from a heading that is half one: `How long you have`, `When the money arrives`.
pub fn turned(heading: &str) -> Option<String> {
    let words: Vec<&str> = heading.split_whitespace().collect();
    if heading.ends_with('?') || words.len() > 9 {
        return None;
    }
    let first = words.first()?.to_lowercase();
    if !matches!(first.as_str(), "how" | "when" | "where" | "why" | "what") {
        return None;
    }
    if let Some(at) = words.iter().position(|word| *word == "you")
        && (1..=3).contains(&at)
        && words
            .get(at + 1)
            .is_some_and(|verb| !matches!(*verb, "can" | "are" | "will" | "must" | "may" | "should"))
    {
        return Some(format!("{} do I {}?", words[..at].join(" "), mine(&words[at + 1..].join(" "))));
    }
    // The subject with its article, then one verb in the third person, at the end.
    let verb =
        words.last()?.strip_suffix('s').filter(|verb| verb.len() > 2 && !verb.ends_with(['s', 'u', 'i']))?;
    let subject = &words[1..words.len() - 1];
    if matches!(first.as_str(), "how" | "when" | "where" | "why")
        && subject.first().is_some_and(|word| matches!(*word, "the" | "a" | "an" | "your" | "our"))
        && (2..=4).contains(&subject.len())
    {
        return Some(format!("{} does {} {verb}?", words[0], mine(&subject.join(" "))));
    }
    None
}

/// The question for a time limit: `You may ask for your money back within 30 days`.
pub fn time_limit(clause: &str) -> Option<String> {
    let words: Vec<&str> = clause.split_whitespace().collect();
    if words.len() < 3 || words.len() > 12 || clause.contains([',', ';', ':', '(', '"']) {
        return None;
    }
    let first = words[0].to_lowercase();
    if first == "you" {
        let skip = match words[1] {
            "may" | "can" | "must" | "should" => 2,
            "have" | "need" if words[2] == "to" => 3,
            _ => return None,
        };
        return Some(format!("How long do I have to {}?", mine(&words[skip..].join(" "))));
    }
    if !matches!(first.as_str(), "we" | "a" | "an" | "the" | "your" | "our") {
        return None;
    }
    if words
        .iter()
        .any(|word| matches!(*word, "it" | "this" | "that" | "them" | "they" | "if" | "be" | "not"))
    {
        return None;
    }
    Some(format!("How long does it take until {}?", mine(&super::wording::small(clause))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_become_what_one_does() {
        let held = Held::of(&[]);
        let check = |heading: &str, expected: Option<&str>| {
            assert_eq!(activity(heading, &held).as_deref(), expected, "{heading}");
        };
        check("Setting the focus", Some("set the focus"));
        check("Choosing binoculars", Some("choose binoculars"));
        check("Reset your password", Some("reset my password"));
        check("How to change our plans", Some("change your plans"));
        check("Holding it steady", None);
        check("Evening light", None);
        check("Refund policy", None);
        check("Open clusters", None);
    }

    #[test]
    fn halves_of_questions_become_whole_ones() {
        let check = |heading: &str, expected: Option<&str>| {
            assert_eq!(turned(heading).as_deref(), expected, "{heading}")
        };
        check("How long you have", Some("How long do I have?"));
        check("When the money arrives", Some("When does the money arrive?"));
        check("How to ask", None);
        check("The two numbers", None);
        check("What you can see", None);
    }

    #[test]
    fn limits_of_time() {
        let check = |clause: &str, expected: Option<&str>| {
            assert_eq!(time_limit(clause).as_deref(), expected, "{clause}")
        };
        check("You may ask for your money back", Some("How long do I have to ask for my money back?"));
        check("We confirm your request", Some("How long does it take until you confirm my request?"));
        check("A tutor reads the log", Some("How long does it take until a tutor reads the log?"));
        check("We do it", None);
        check("If you ask, we answer", None);
    }

    #[test]
    fn questions_in_other_words() {
        let check = |question: &str, expected: Option<&str>| {
            assert_eq!(reworded(question).as_deref(), expected, "{question}");
        };
        check("How much does the course cost?", Some("What is the price of the course?"));
        check("How long does the course take?", Some("How much time does the course take?"));
        check("Can I start in any month?", Some("Is it possible to start in any month?"));
        check("Who is Mara?", Some("Can you tell me who Mara is?"));
        check("I live in a city. Is it worth it?", None);
    }
}
