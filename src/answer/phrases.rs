//! What the assistant says of its own, in the student's language: refusals, greetings, what stands before quotations.
//!
//! Comes in: a creator, a language, the name of a phrase. Goes out: the creator's own words from the settings, else
//! those of `assets/phrases.toml`, else the English ones. Who says what when is decided in `agents/`.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde_json::Value;

use crate::index::analyze::Language;
use crate::store::Creator;

/// The names of the phrases.
pub const KEYS: &[&str] = &[
    "intro",
    "policy_intro",
    "decline",
    "refuse",
    "not_ours",
    "credits_used_up",
    "human",
    "anger",
    "threat",
    "safety",
    "progress_none",
    "progress_sign_in",
    "progress_empty",
    "progress_last",
    "progress_last_at",
    "progress_far",
    "progress_done",
    "progress_none_done",
    "progress_next",
    "progress_left",
    "progress_all",
    "progress_score",
    "progress_passed",
    "progress_failed",
    "progress_no_score",
    "greeting",
    "greeting_named",
    "how_are_you",
    "thanks",
    "bye",
    "who",
    "able",
    "ack",
    "recall",
    "recall_none",
    "remembered",
];

/// The languages that have all of them.
pub const LANGUAGES: &[&str] = &["en", "de", "es", "fr", "pt", "it", "nl"];

type Catalogue = HashMap<String, HashMap<String, String>>;

/// Checked by a test; a file that does not parse leaves the keys themselves, which no release can have.
static PHRASES: LazyLock<Catalogue> =
    LazyLock::new(|| toml::from_str(include_str!("../../assets/phrases.toml")).unwrap_or_default());

/// The phrase of this name as it is when a creator says nothing.
pub fn shipped(code: &str, key: &str) -> Option<&'static str> {
    PHRASES.get(code)?.get(key).map(String::as_str)
}

/// How one creator's assistant speaks to one student.
pub struct Voice<'a> {
    creator: &'a Creator,
    language: Language,
}

impl<'a> Voice<'a> {
    pub fn of(creator: &'a Creator, language: Language) -> Self {
        Self { creator, language }
    }

    /// The phrase of this name. A creator sets it as one text, or as texts by language: `{"en": …, "de": …}`.
    pub fn say(&self, key: &str) -> String {
        let own = match self.creator.settings.get(key) {
            Some(Value::String(text)) => Some(text.as_str()),
            Some(Value::Object(texts)) => {
                [self.language.code(), "en"].iter().find_map(|code| texts.get(*code)?.as_str())
            }
            _ => None,
        };
        let text =
            own.or_else(|| shipped(self.language.code(), key)).or_else(|| shipped("en", key)).unwrap_or(key);
        text.replace("{creator}", &self.creator.name)
    }

    /// The same with a value of the student's in its place.
    pub fn say_with(&self, key: &str, place: &str, value: &str) -> String {
        self.say(key).replace(place, value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;

    /// What stands for a value.
    const PLACES: [&str; 9] = [
        "{creator}",
        "{student}",
        "{facts}",
        "{lesson}",
        "{lessons}",
        "{time}",
        "{done}",
        "{all}",
        "{score}",
    ];

    fn creator(settings: Value) -> Creator {
        Creator { name: "Mara".into(), settings, ..Creator::new("course".parse().unwrap(), Timestamp(0)) }
    }

    #[test]
    fn every_phrase_exists_in_every_language_with_the_same_places() {
        for code in LANGUAGES {
            let phrases = &PHRASES[*code];
            let mut names: Vec<&str> = phrases.keys().map(String::as_str).collect();
            let mut expected = KEYS.to_vec();
            names.sort_unstable();
            expected.sort_unstable();
            assert_eq!(names, expected, "{code}");
            for key in KEYS {
                assert!(!phrases[*key].trim().is_empty(), "{code}: {key}");
                for place in PLACES {
                    let english = PHRASES["en"][*key].contains(place);
                    assert_eq!(phrases[*key].contains(place), english, "{code}: {key}");
                }
            }
        }
        assert_eq!(PHRASES.len(), LANGUAGES.len());
    }

    #[test]
    fn the_students_language_is_spoken_and_the_creators_words_go_first() {
        let say = |settings: Value, code: &str| {
            Voice::of(&creator(settings), Language::of_code(code)).say("decline")
        };
        assert!(say(Value::Null, "de").contains("für Mara vorgemerkt"));
        assert!(say(Value::Null, "ja").contains("marked for Mara"));
        assert_eq!(say(serde_json::json!({"decline": "Ask {creator}."}), "de"), "Ask Mara.");
        let both = serde_json::json!({"decline": {"en": "No.", "de": "Nein."}});
        assert_eq!((say(both.clone(), "de"), say(both, "fr")), ("Nein.".into(), "No.".into()));
    }
}
