//! What a creator promises students about what is kept: a line that is read before the first question, and for how many days.
//!
//! It stands among the creator's settings, checked. Who deletes is `app/retention.rs`; who shows the line, the widget.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::DAY_MS;

/// Under this name it stands among a creator's settings.
pub const PRIVACY: &str = "privacy";

/// Longest line, in characters.
pub const MOST_CONSENT: usize = 500;
/// Longest time, ten years; whoever wants longer says nothing.
pub const MOST_DAYS: u32 = 3_650;

/// What is kept of students, and what they are told of it. Nothing said: kept until it is erased.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Privacy {
    /// Read before the first question. Markdown of one line; links lead to `http` or `https`.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schema(max_length = 500)]
    pub consent: String,
    /// A conversation in which nothing was said for so many days is erased; 1 to 3650. Absent: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 3650)]
    pub keep_days: Option<u32>,
}

impl Privacy {
    /// A checked one, or what is wrong with it.
    pub fn parse(value: &Value) -> Result<Self, String> {
        let privacy =
            Self::deserialize(value).map_err(|error| format!("`{PRIVACY}` is not understood: {error}"))?;
        privacy.check()?;
        Ok(privacy)
    }

    /// What a creator's settings say.
    pub fn of(settings: &Value) -> Self {
        settings.get(PRIVACY).and_then(|value| Self::deserialize(value).ok()).unwrap_or_default()
    }

    /// What was said last before this is erased at `now`; never where there is no time.
    pub fn edge(&self, now: super::Timestamp) -> Option<super::Timestamp> {
        let days = self.keep_days?;
        now.0.checked_sub(u64::from(days) * DAY_MS).map(super::Timestamp)
    }

    fn check(&self) -> Result<(), String> {
        let length = self.consent.chars().count();
        if length > MOST_CONSENT || self.consent.chars().any(char::is_control) {
            return Err(format!("`consent` is one line of at most {MOST_CONSENT} characters"));
        }
        if let Some(link) = links(&self.consent).find(|link| !is_web(link)) {
            return Err(format!("`{link}` is no address for a link: it begins with https:// or http://"));
        }
        if self.keep_days.is_some_and(|days| !(1..=MOST_DAYS).contains(&days)) {
            return Err(format!("`keep_days` is a number from 1 to {MOST_DAYS}"));
        }
        Ok(())
    }
}

/// Where the Markdown links of a text lead.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).map(|rest| rest.split([')', ' ']).next().unwrap_or(rest))
}

/// Whether an address leads to a host of the web.
fn is_web(link: &str) -> bool {
    let lower = link.to_ascii_lowercase();
    let rest = lower.strip_prefix("https://").or_else(|| lower.strip_prefix("http://"));
    rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_alphanumeric() || c == '['))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::Timestamp;

    #[test]
    fn a_promise_is_checked() {
        for (value, good) in [
            (json!({}), true),
            (
                json!({"consent": "We keep questions. [How](https://school.example/privacy)", "keep_days": 90}),
                true,
            ),
            (json!({"consent": "[a](HTTP://a.example) and [b](https://b.example \"t\")"}), true),
            (json!({"consent": "[a](javascript:alert(1))"}), false),
            (json!({"consent": "[a](https://a.example) [b](data:text/html,x)"}), false),
            (json!({"consent": "[a](/privacy)"}), false),
            (json!({"consent": "[a](https:///x)"}), false),
            (json!({"consent": "two\nlines"}), false),
            (json!({"consent": "x".repeat(501)}), false),
            (json!({"keep_days": 0}), false),
            (json!({"keep_days": 3651}), false),
            (json!({"keep_days": -1}), false),
            (json!({"days": 1}), false),
        ] {
            assert_eq!(Privacy::parse(&value).is_ok(), good, "{value}");
        }
    }

    #[test]
    fn what_is_older_than_its_days_has_an_edge() {
        let keep = |keep_days| Privacy { keep_days, ..Privacy::default() };
        assert_eq!(keep(None).edge(Timestamp(DAY_MS)), None);
        assert_eq!(keep(Some(1)).edge(Timestamp(DAY_MS + 5)), Some(Timestamp(5)));
        assert_eq!(keep(Some(2)).edge(Timestamp(DAY_MS)), None);
    }
}
