//! How an assistant is called and looks: what a creator chose, checked, and the widget's attributes that say it.
//!
//! It stands among the creator's settings. The dashboard writes it, `GET /chat/look` tells it to widgets, and the full-page
//! chat wears it too.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::store::Creator;

/// Under this name it stands among a creator's settings.
pub const BRAND: &str = "brand";

/// The languages of the widget's buttons.
pub const LANGUAGES: [(&str, &str); 10] = [
    ("en", "English"),
    ("es", "Español"),
    ("de", "Deutsch"),
    ("fr", "Français"),
    ("pt", "Português"),
    ("it", "Italiano"),
    ("nl", "Nederlands"),
    ("ja", "日本語"),
    ("zh", "中文"),
    ("ar", "العربية"),
];
pub const POSITIONS: [&str; 4] = ["bottom-right", "bottom-left", "top-right", "top-left"];
pub const THEMES: [&str; 3] = ["auto", "light", "dark"];
/// The widget's own colour.
pub const COLOR: &str = "#0f766e";

const MOST_TITLE: usize = 80;
const MOST_WELCOME: usize = 1_000;
const MOST_ADDRESS: usize = 2_000;
const MOST_SUGGESTIONS: usize = 6;
const MOST_SUGGESTION: usize = 120;

/// What a custom variable of the widget's style sheet may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Is {
    /// `#rrggbb`
    Color,
    /// Whole pixels from and to.
    Pixels(u32, u32),
    /// Names of typefaces that the student's machine has.
    Fonts,
}

/// The variables that a creator may set, by their names in the widget's style sheet without `--`.
const VARIABLES: [(&str, Is); 12] = [
    ("bg", Is::Color),
    ("fg", Is::Color),
    ("dim", Is::Color),
    ("low", Is::Color),
    ("line", Is::Color),
    ("edge", Is::Color),
    ("bad", Is::Color),
    ("radius", Is::Pixels(0, 40)),
    ("width", Is::Pixels(280, 800)),
    ("height", Is::Pixels(320, 1200)),
    ("size", Is::Pixels(12, 22)),
    ("font", Is::Fonts),
];

/// Whether a variable is one of ours and its value one of its kind; nothing that could name an address or end a rule is.
fn variable(name: &str, value: &str) -> Result<(), String> {
    let Some((_, is)) = VARIABLES.iter().find(|(known, _)| *known == name) else {
        let known: Vec<&str> = VARIABLES.iter().map(|(known, _)| *known).collect();
        return Err(format!("`css` knows {}", known.join(", ")));
    };
    match is {
        Is::Color if is_color(value) => Ok(()),
        Is::Color => Err(format!("`{name}` is a colour, written as {COLOR}")),
        Is::Pixels(least, most) => {
            let pixels = value.strip_suffix("px").filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
            let pixels = pixels.and_then(|digits| digits.parse::<u32>().ok());
            match pixels {
                Some(pixels) if (*least..=*most).contains(&pixels) => Ok(()),
                _ => Err(format!("`{name}` is from {least}px to {most}px")),
            }
        }
        Is::Fonts => {
            let plain = |c: char| c.is_alphanumeric() || matches!(c, ' ' | ',' | '-');
            match (1..=120).contains(&value.chars().count()) && value.chars().all(plain) {
                true => Ok(()),
                false => Err(format!("`{name}` is names of typefaces with commas between them")),
            }
        }
    }
}

fn is_color(text: &str) -> bool {
    text.strip_prefix('#').is_some_and(|hex| hex.len() == 6 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// What is empty is as the widget has it of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Brand {
    /// The assistant's name, above the chat.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// The greeting; Markdown.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub welcome: String,
    /// `#rrggbb`
    #[serde(skip_serializing_if = "String::is_empty")]
    pub color: String,
    /// Address of a picture: `https://…`
    #[serde(skip_serializing_if = "String::is_empty")]
    pub avatar: String,
    /// First questions that are offered.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub suggestions: Vec<String>,
    /// A corner: `bottom-right`
    #[serde(skip_serializing_if = "String::is_empty")]
    pub position: String,
    /// `light`, `dark` or `auto`
    #[serde(skip_serializing_if = "String::is_empty")]
    pub theme: String,
    /// Of the buttons, ISO 639-1; else as the page around the widget.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub lang: String,
    /// Variables of the widget's style sheet: colours as `#rrggbb` (`bg`, `fg`, `dim`, `low`, `line`, `edge`, `bad`), whole
    /// pixels as `12px` (`radius`, `width`, `height`, `size`), and `font`, names of typefaces.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub css: BTreeMap<String, String>,
    /// `false` leaves the line with the program's name out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub powered_by: Option<bool>,
    /// `true` offers to speak a question where the browser can. Some browsers send the voice to their maker.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dictation: Option<bool>,
}

impl Brand {
    /// A checked one, or what is wrong with it.
    pub fn parse(value: &Value) -> Result<Self, String> {
        let brand =
            Self::deserialize(value).map_err(|error| format!("`{BRAND}` is not understood: {error}"))?;
        brand.check()?;
        Ok(brand)
    }

    /// What a creator chose.
    pub fn of(creator: &Creator) -> Self {
        creator.settings.get(BRAND).and_then(|value| Self::deserialize(value).ok()).unwrap_or_default()
    }

    fn check(&self) -> Result<(), String> {
        let long = |name: &str, text: &str, most: usize| match text.chars().count() {
            length if length > most => {
                Err(format!("`{name}` has {length} characters, at most {most} are allowed"))
            }
            _ => Ok(()),
        };
        let one_of = |name: &str, text: &str, known: &[&str]| match text.is_empty() || known.contains(&text) {
            true => Ok(()),
            false => Err(format!("`{name}` is one of {}", known.join(", "))),
        };
        long("title", &self.title, MOST_TITLE)?;
        long("welcome", &self.welcome, MOST_WELCOME)?;
        long("avatar", &self.avatar, MOST_ADDRESS)?;
        if self.suggestions.len() > MOST_SUGGESTIONS {
            return Err(format!("at most {MOST_SUGGESTIONS} first questions are offered"));
        }
        for suggestion in &self.suggestions {
            long("suggestions", suggestion, MOST_SUGGESTION)?;
            if suggestion.trim().is_empty() || suggestion.contains(['|', '\n']) {
                return Err("a first question is one line without `|`".into());
            }
        }
        for (name, value) in &self.css {
            variable(name, value)?;
        }
        if !self.color.is_empty() && !is_color(&self.color) {
            return Err("`color` is written as #0f766e".into());
        }
        let is_address =
            |text: &str| url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        if !self.avatar.is_empty() && !is_address(&self.avatar) {
            return Err("`avatar` is the address of a picture, as https://school.example/face.png".into());
        }
        one_of("position", &self.position, &POSITIONS)?;
        one_of("theme", &self.theme, &THEMES)?;
        one_of("lang", &self.lang, &LANGUAGES.map(|(code, _)| code))
    }

    /// The widget's attributes for what was chosen, without `data-`.
    pub fn attributes(&self) -> Vec<(&'static str, String)> {
        let all = [
            ("title", self.title.clone()),
            ("welcome", self.welcome.clone()),
            ("color", self.color.clone()),
            ("avatar", self.avatar.clone()),
            ("position", self.position.clone()),
            ("theme", self.theme.clone()),
            ("lang", self.lang.clone()),
            ("suggestions", self.suggestions.join("|")),
        ];
        all.into_iter().filter(|(_, value)| !value.is_empty()).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_brand_is_checked_and_says_only_what_was_chosen() {
        for (value, good) in [
            (json!({}), true),
            (json!({"title": "Ask Mara", "color": "#0F766e", "theme": "dark", "lang": "ja"}), true),
            (json!({"avatar": "https://school.example/face.png", "suggestions": ["Why?"]}), true),
            (json!({"color": "red"}), false),
            (json!({"color": "#12345é"}), false),
            (json!({"avatar": "javascript:alert(1)"}), false),
            (json!({"position": "middle"}), false),
            (json!({"suggestions": ["a|b"]}), false),
            (json!({"title": "x".repeat(81)}), false),
            (json!({"colour": "#0f766e"}), false),
            (json!({"css": {"bg": "#fffdf7", "radius": "0px", "font": "Georgia, serif"}}), true),
            (json!({"css": {"accent": "#000000"}}), false),
            (json!({"css": {"bg": "url(https://x.example/a.png)"}}), false),
            (json!({"css": {"bg": "#fff}*{color:red"}}), false),
            (json!({"css": {"font": "x;} a{}"}}), false),
            (json!({"css": {"font": "url(x)"}}), false),
            (json!({"css": {"font": "x\\"}}), false),
            (json!({"css": {"width": "9999px"}}), false),
            (json!({"css": {"width": "calc(1px)"}}), false),
            (json!({"css": {"radius": "+5px"}}), false),
            (json!({"css": {"radius": ""}}), false),
            (json!({"powered_by": false, "dictation": true}), true),
            (json!({"powered_by": "no"}), false),
            (json!("Mara"), false),
        ] {
            assert_eq!(Brand::parse(&value).is_ok(), good, "{value}");
        }
        let brand = Brand::parse(&json!({"title": "Ask", "suggestions": ["Why?", "How?"]})).unwrap();
        let said = vec![("title", "Ask".to_owned()), ("suggestions", "Why?|How?".to_owned())];
        assert_eq!(brand.attributes(), said);
    }
}
