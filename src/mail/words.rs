//! The words of mails in the languages that have them (`assets/mails.toml`).
//!
//! Comes in: a language, the name of a text, values for its places. Goes out: the text, in English where the language has
//! none. What a value holds is never read as a place: names come from strangers. Called by `compose`.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::store::Creator;

type Catalogue = HashMap<String, HashMap<String, String>>;

/// Checked by a test; a file that does not parse leaves the names of the texts, which no release can have.
static MAILS: LazyLock<Catalogue> =
    LazyLock::new(|| toml::from_str(include_str!("../../assets/mails.toml")).unwrap_or_default());

/// The words of one language.
#[derive(Debug, Clone, Copy)]
pub struct Words(Option<&'static HashMap<String, String>>);

impl Words {
    /// Of a language by its code (ISO 639-1); English where there are none of it.
    pub fn of(code: &str) -> Self {
        Self(MAILS.get(code).or_else(|| MAILS.get("en")))
    }

    /// In the language that the creator chose for the buttons; English where none is chosen, as in the dashboard.
    pub fn of_creator(creator: &Creator) -> Self {
        let chosen = creator.settings.get("brand").and_then(|brand| brand.get("lang"));
        Self::of(chosen.and_then(|code| code.as_str()).unwrap_or("en"))
    }

    /// The text of this name with these values in its places.
    pub fn say(self, name: &str, values: &[(&str, &str)]) -> String {
        let text = self.0.and_then(|words| words.get(name)).map_or(name, String::as_str);
        let mut said = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            said.push_str(before);
            let place = after.split_once('}').and_then(|(place, behind)| {
                let value = values.iter().find(|(known, _)| *known == place)?;
                Some((value.1, behind))
            });
            match place {
                Some((value, behind)) => {
                    said.push_str(value);
                    rest = behind;
                }
                None => {
                    said.push('{');
                    rest = after;
                }
            }
        }
        said.push_str(rest);
        said
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;
    use crate::domain::{Role, Timestamp};

    fn places(text: &str) -> BTreeSet<&str> {
        text.split('{').skip(1).filter_map(|part| part.split_once('}')).map(|(place, _)| place).collect()
    }

    #[test]
    fn every_language_has_every_text_with_the_same_places() {
        let english = &MAILS["en"];
        assert!(english.len() > 10 && MAILS.len() >= 4);
        for (code, texts) in MAILS.iter() {
            let names = |texts: &'static HashMap<String, String>| -> BTreeSet<&str> {
                texts.keys().map(String::as_str).collect()
            };
            assert_eq!(names(texts), names(english), "{code}");
            for (name, text) in texts {
                assert!(!text.trim().is_empty(), "{code}: {name}");
                assert_eq!(places(text), places(&english[name]), "{code}: {name}");
            }
        }
        for role in Role::ALL {
            assert!(english.contains_key(role.as_str()));
        }
    }

    #[test]
    fn a_value_is_no_place_and_an_unknown_language_is_english() {
        let said = Words::of("de").say("one_waits", &[("name", "{inbox} {name}")]);
        assert_eq!(said, "Bei {inbox} {name} braucht jemand einen Menschen");
        assert_eq!(Words::of("xx").say("reset_subject", &[]), "A new password");
        assert_eq!(Words::of("en").say("one_waits", &[]), "A student of {name} needs a person");
    }

    #[test]
    fn a_creators_mails_are_in_the_language_of_the_buttons() {
        let check = |settings: serde_json::Value, expected: &str| {
            let creator = Creator {
                id: "course".parse().unwrap(),
                name: "Mara".into(),
                created_at: Timestamp(0),
                embedding: None,
                generation: 0,
                settings,
            };
            assert_eq!(Words::of_creator(&creator).say("reset_subject", &[]), expected);
        };
        check(json!({}), "A new password");
        check(json!({"brand": {"title": "Ask"}}), "A new password");
        check(json!({"brand": {"lang": "fr"}}), "Un nouveau mot de passe");
        check(json!({"brand": {"lang": "ja"}}), "A new password");
    }
}
