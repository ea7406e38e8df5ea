//! Numbers with their units in a sentence: `30 days`, `eight to twelve weeks`, `about 25 minutes`, `79 Euro`.

/// What a unit measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    Time,
    Money,
    Weight,
    Length,
    /// Countable things, degrees, shares.
    Other,
}

/// A quantity found among words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantity {
    /// The first word of the number itself (`about` is before it).
    pub start: usize,
    /// One after the unit.
    pub end: usize,
    pub measure: Measure,
}

const UNITS: &[(Measure, &str)] = &[
    (
        Measure::Time,
        "second seconds minute minutes hour hours day days week weeks month months year years \
         sekunde sekunden minute minuten stunde stunden tag tage tagen woche wochen monat monate monaten jahr jahre jahren \
         segundo segundos minuto minutos hora horas día días semana semanas mes meses año años \
         seconde secondes minute minutes heure heures jour jours semaine semaines mois an ans année années",
    ),
    (Measure::Money, "euro euros dollar dollars pound pounds franken cents pesos francs kronor € $ £"),
    (
        Measure::Weight,
        "gram grams kilogram kilograms kilo kilos kg g tonnes gramm kilogramm tonnen gramos kilogramos toneladas grammes \
         kilogrammes",
    ),
    (
        Measure::Length,
        "millimetre millimetres centimetre centimetres metre metres kilometre kilometres meter meters mile miles feet inch \
         inches millimeter zentimeter kilometer metern kilometern metro metros kilómetros milímetros centímetros mètre mètres \
         kilomètres millimètres centimètres mm cm km nanometres light-years",
    ),
    (Measure::Other, "degree degrees percent grad prozent grados degrés % °"),
];

const NUMBER_WORDS: &str = "one two three four five six seven eight nine ten eleven twelve fifteen twenty thirty forty fifty \
    sixty hundred zwei drei vier fünf sechs sieben acht neun zehn elf zwölf zwanzig dreißig dos tres cuatro cinco seis siete \
    ocho nueve diez doce quince veinte treinta deux trois quatre cinq sept huit neuf dix douze quinze vingt trente";

/// `or`, `to` and their kin between two numbers.
const BETWEEN: &[&str] = &["to", "or", "and", "bis", "oder", "und", "a", "o", "y", "à", "ou", "et"];

const ABOUT: &[&str] = &[
    "about",
    "around",
    "roughly",
    "at",
    "least",
    "most",
    "up",
    "to",
    "only",
    "nearly",
    "almost",
    "some",
    "just",
    "etwa",
    "rund",
    "ungefähr",
    "höchstens",
    "mindestens",
    "unos",
    "unas",
    "aproximadamente",
    "environ",
    "presque",
];

/// The quantity that begins at `at`, after words like `about`; a word between number and unit is allowed (`working`).
pub fn quantity(words: &[&str], at: usize) -> Option<Quantity> {
    let mut start = at;
    while start < words.len() && start < at + 3 && ABOUT.contains(&words[start].to_lowercase().as_str()) {
        start += 1;
    }
    let mut end = start;
    if !is_number(words.get(end)?) {
        return None;
    }
    end += 1;
    if words.get(end).is_some_and(|word| BETWEEN.contains(word))
        && words.get(end + 1).is_some_and(|next| is_number(next))
    {
        end += 2;
    }
    for step in 0..2 {
        let word = bare(words.get(end + step)?);
        if let Some((measure, _)) =
            UNITS.iter().find(|(_, units)| units.split_whitespace().any(|unit| unit == word))
        {
            return Some(Quantity { start, end: end + step + 1, measure: *measure });
        }
        // A clause that ends here has no unit.
        if words[end + step].ends_with([',', '.', ';', ':', ')']) {
            return None;
        }
    }
    None
}

/// A number in digits or words.
pub fn is_number(word: &str) -> bool {
    let word = bare(word);
    let digits = word.starts_with(|c: char| c.is_ascii_digit())
        && word.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | '–' | '-' | ' '));
    digits || NUMBER_WORDS.split_whitespace().any(|number| number == word)
}

/// The word in small letters without the marks around it.
pub fn bare(word: &str) -> String {
    word.trim_matches(|c: char| {
        matches!(c, ',' | '.' | ';' | ':' | '(' | ')' | '"' | '“' | '”' | '!' | '?' | '*')
    })
    .to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_in_four_languages() {
        let check = |text: &str, expected: Option<(&str, Measure)>| {
            let words: Vec<&str> = text.split_whitespace().collect();
            let got =
                quantity(&words, 0).map(|found| (words[found.start..found.end].join(" "), found.measure));
            assert_eq!(got, expected.map(|(text, measure)| (text.to_owned(), measure)), "{text}");
        };
        check("79 euros, paid once", Some(("79 euros,", Measure::Money)));
        check("about 25 minutes each", Some(("25 minutes", Measure::Time)));
        check("eight to twelve weeks because", Some(("eight to twelve weeks", Measure::Time)));
        check("two working days.", Some(("two working days.", Measure::Time)));
        check("etwa 1.200 Gramm", Some(("1.200 Gramm", Measure::Weight)));
        check("unos 20 minutos", Some(("20 minutos", Measure::Time)));
        check("environ 3 mois", Some(("3 mois", Measure::Time)));
        check("eight lessons of an hour", None);
        check("the 30 days", None);
    }
}
