//! What the generator makes of small documents in four languages.

use super::*;
use crate::domain::{Anchor, BlockKind, Text};
use crate::index::analyze::Language;

/// A document from lines: `# ` heading, `- ` item, the rest paragraphs.
fn source(id: &str, language: &str, lines: &str) -> Source {
    let mut text = Text::default();
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let level = line.bytes().take_while(|&byte| byte == b'#').count();
        let kind = match (level, line.starts_with("- ")) {
            (0, true) => BlockKind::ListItem,
            (0, false) => BlockKind::Paragraph,
            (level, _) => BlockKind::Heading(level as u8),
        };
        text.push(kind, line.trim_start_matches('#').trim_start(), Anchor::default());
    }
    let (title, language) = (id.to_owned(), Language::of_code(language));
    Source { id: id.to_owned(), title, text: text.text, blocks: text.blocks, language }
}

const ENOUGH: Options = Options { count: 200, seed: 7 };

#[track_caller]
fn check(language: &str, lines: &str, expected: &[(&str, &str)]) {
    let cases = generate(&[source("doc", language, lines)], ENOUGH);
    for (question, answer) in expected {
        let case = cases.iter().find(|case| case.question == *question);
        let all = || cases.iter().map(|case| case.question.as_str()).collect::<Vec<_>>().join("\n");
        let case = case.unwrap_or_else(|| panic!("{question} is not among\n{}", all()));
        assert!(case.answers.iter().any(|known| known.contains(answer)), "{question}: {:?}", case.answers);
        assert_eq!((case.kind, case.external_ids.as_slice()), (Kind::Answerable, &["doc".to_owned()][..]));
    }
}

#[test]
fn english() {
    check(
        "en",
        "## How much does the course cost?
         The course costs 79 euros, paid once.
         ## How long you have
         You may ask for your money back within 30 days of the purchase.
         ## Setting the focus
         Cover the right front lens and look with the left eye.
         ## The exit pupil
         The exit pupil is the width of the beam that leaves the eyepiece.
         The two halves are out of alignment, which is called bad collimation.
         A single pair has two numbers on it.
         - For most people: 10x50, at 90 to 150 euros",
        &[
            ("How much does the course cost?", "79 euros"),
            ("What is the price of the course?", "79 euros"),
            ("How long do I have?", "within 30 days"),
            ("How long do I have to ask for my money back?", "30 days"),
            ("How do I set the focus?", "Cover the right front lens"),
            ("What should I know about the exit pupil?", "width of the beam"),
            ("What is the exit pupil?", "width of the beam"),
            ("What is meant by \"bad collimation\"?", "out of alignment"),
            ("How many numbers does a single pair have?", "two numbers"),
            ("What do you recommend for most people?", "10x50"),
        ],
    );
}

#[test]
fn german_spanish_and_french() {
    check(
        "de",
        "# Das Passwort zurücksetzen
         Klicke auf der Anmeldeseite auf den Knopf.
         # Die Gebühr
         Der Kurs kostet 79 Euro im Jahr. Ein Termin dauert etwa 90 Minuten.
         Die Dämmerung ist die Zeit nach dem Untergang der Sonne.",
        &[
            ("Wie kann ich das Passwort zurücksetzen?", "Knopf"),
            ("Was muss ich über „Die Gebühr“ wissen?", "79 Euro"),
            ("Wie viel kostet der Kurs?", "79 Euro"),
            ("Wie lange dauert ein Termin?", "90 Minuten"),
            ("Was ist die Dämmerung?", "Untergang der Sonne"),
        ],
    );
    check(
        "es",
        "# Restablecer la contraseña
         Pulsa el botón de la página de acceso para empezar.
         # El precio
         El curso cuesta 79 euros al año. La clase dura unos 90 minutos.
         La penumbra es una zona de sombra parcial.",
        &[
            ("¿Cómo puedo restablecer la contraseña?", "botón"),
            ("¿Cuánto cuesta el curso?", "79 euros"),
            ("¿Cuánto dura la clase?", "90 minutos"),
            ("¿Qué es la penumbra?", "sombra parcial"),
        ],
    );
    check(
        "fr",
        "# Réinitialiser le mot de passe
         Cliquez sur le bouton de la page de connexion.
         # Le prix
         Le cours coûte 79 euros par an. La leçon dure environ 90 minutes.
         La pénombre est une zone d'ombre partielle.",
        &[
            ("Comment puis-je réinitialiser le mot de passe ?", "bouton"),
            ("Combien coûte le cours ?", "79 euros"),
            ("Combien de temps dure la leçon ?", "90 minutes"),
            ("Qu'est-ce que la pénombre ?", "partielle"),
        ],
    );
}

#[test]
fn another_language_asks_with_its_headings() {
    check(
        "fi",
        "# Hinta ja maksaminen\nKurssi maksaa 79 euroa vuodessa.",
        &[("Hinta ja maksaminen?", "79 euroa")],
    );
}

#[test]
fn what_the_content_holds_is_never_called_unanswerable() {
    let lines = "# Lesson 1: The Moon\nThe Moon is the satellite of the Earth. There is a podcast about it.
        # Lesson 2: The Milky Way\nThe Milky Way is the band of light across the sky.
        # Lesson 3: Paying\nYou can pay in three instalments. Pensioners pay half.";
    let cases = generate(&[source("doc", "en", lines)], ENOUGH);
    let unanswerable: Vec<&str> = cases
        .iter()
        .filter(|case| case.kind == Kind::Unanswerable)
        .map(|case| case.question.as_str())
        .collect();
    assert!(unanswerable.contains(&"What is lesson 5 about?"), "{unanswerable:?}");
    assert!(unanswerable.contains(&"Do you accept payment in bitcoin?"), "{unanswerable:?}");
    for told in
        ["instalment", "pensioner", "podcast episode about the Moon", "podcast that belongs", "lesson 3"]
    {
        assert!(!unanswerable.iter().any(|question| question.contains(told)), "{told}: {unanswerable:?}");
    }
    for case in &cases {
        assert_eq!(case.unanswerable, case.answers.is_empty(), "{case:?}");
    }
}

#[test]
fn attacks_and_look_alikes_take_the_courses_words() {
    let lines = "# The exit pupil\nThe exit pupil is the width of the beam that leaves the eyepiece.
        # Care of lenses\nNever wipe a dusty lens with your shirt.";
    let cases = generate(&[source("doc", "en", lines)], ENOUGH);
    let of = |benign: bool| cases.iter().find(|case| case.benign == Some(benign)).unwrap();
    assert!(
        of(false).unanswerable
            && !of(false).forbidden.is_empty()
            && of(false).question.contains("exit pupil")
    );
    assert!(!of(true).unanswerable && !of(true).answers.is_empty() && of(true).forbidden.is_empty());
}

#[test]
fn the_seed_decides_and_nothing_is_asked_twice() {
    let lines: String = (0..60)
        .map(|at| format!("## The term{at} of art\nThe term{at} of art is the thing with number {at}.\n"))
        .collect();
    let sources = [source("doc", "en", &lines)];
    let of = |seed| generate(&sources, Options { count: 40, seed });
    assert_eq!(of(1), of(1));
    assert_ne!(of(1), of(2));
    let cases = of(1);
    assert_eq!(cases.len(), 40, "{:?}", cases.iter().map(|case| &case.question).collect::<Vec<_>>());
    let different: HashSet<String> = cases.iter().map(|case| wording::identity(&case.question)).collect();
    assert_eq!(different.len(), cases.len());
    let kinds: Vec<Kind> = cases.iter().map(|case| case.kind).collect();
    assert!(kinds.is_sorted() && cases[0].id == "a001");
    assert!(generate(&[], ENOUGH).is_empty());
}
