//! The wording of each language: what questions look like, and what every course could be asked and may not hold.
//!
//! `{x}` is a thing of the course. A language without a row asks with its headings alone.

mod de;
mod en;
mod es;
mod fr;

use self::{de::DE, en::EN, es::ES, fr::FR};
use super::quantity::Measure;
use crate::index::analyze::Language;

/// How a heading that names an activity is recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity {
    /// `Setting the focus`, `Reset your password`: `english` knows.
    English,
    /// `Das Passwort zurücksetzen`: the last word is an infinitive.
    LastWord(&'static [&'static str]),
    /// `Restablecer la contraseña`: the first word is one.
    FirstWord(&'static [&'static str]),
}

/// A verb that goes with a quantity, and the question for it.
pub type QuantityVerb = (&'static [&'static str], Measure, &'static str);

/// A question that the content should not answer: the template, and words of which none may stand with `{x}` (or, without
/// `{x}`, anywhere).
pub type Absent = (&'static str, &'static [&'static str]);

pub struct Phrases {
    /// For a heading that is a thing.
    pub about: &'static str,
    /// For a name.
    pub name: &'static str,
    /// `is`, `are`; then what may follow when a definition begins.
    pub singular: &'static [&'static str],
    pub plural: &'static [&'static str],
    pub articles: &'static [&'static str],
    pub what_is: &'static str,
    pub what_are: &'static str,
    /// Before a name that the sentence explains: `which is called`.
    pub called: &'static [&'static str],
    pub meant_by: &'static str,
    pub activity: Activity,
    pub how_to: &'static str,
    pub quantities: &'static [QuantityVerb],
    /// `has`, `contains`, and the question for the number of `{n}` in `{x}`.
    pub holds: (&'static [&'static str], &'static str),
    /// First words of a sentence that point back: it cannot be asked about alone.
    pub pointing: &'static [&'static str],
    /// Words that a subject does not hold: it is a clause then.
    pub clause: &'static [&'static str],
    /// Words that may begin a thing in small letters.
    pub determiners: &'static [&'static str],
    /// Headings that every course has.
    pub usual: &'static [&'static str],
    pub numbered: &'static str,
    pub absent: &'static [Absent],
    pub absent_of: &'static [Absent],
    /// Attacks around `{x}`, and what they try to bring into the response.
    pub attacks: &'static [(&'static str, &'static str)],
    /// Harmless questions around a known question `{q}`, beginning small as `{s}`.
    pub look_alikes: &'static [&'static str],
}

/// The wording for a language.
pub fn phrases(language: Language) -> &'static Phrases {
    match language.code() {
        "en" => &EN,
        "de" => &DE,
        "es" => &ES,
        "fr" => &FR,
        _ => &OTHER,
    }
}

const OTHER: Phrases = Phrases {
    about: "{x}?",
    name: "{x}?",
    singular: &[],
    plural: &[],
    articles: &[],
    what_is: "",
    what_are: "",
    called: &[],
    meant_by: "",
    activity: Activity::FirstWord(&[]),
    how_to: "",
    quantities: &[],
    holds: (&[], ""),
    pointing: &[],
    clause: &[],
    determiners: &[],
    usual: &[],
    numbered: "{x}?",
    absent: &[],
    absent_of: &[],
    attacks: EN.attacks,
    look_alikes: &[],
};
