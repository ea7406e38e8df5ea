//! A student, as the creator's own site names one: an id of that site, and perhaps an address and a name.
//!
//! Who nobody names is nobody: such a student is known by the conversation alone.

use serde::{Deserialize, Serialize};

/// Longest id and address that are kept.
pub const MAX_STUDENT_CHARS: usize = 320;

/// Somebody who asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Student {
    pub id: String,
    #[serde(default)]
    pub email: Option<String>,
    #[serde(default)]
    pub name: Option<String>,
}

impl Student {
    /// Whether a person writing this means this student: the id as it is, or the address in any case.
    pub fn is(&self, id_or_email: &str) -> bool {
        self.id == id_or_email || self.email.as_deref().is_some_and(|email| same_address(email, id_or_email))
    }
}

/// Whether two texts are one e-mail address. Its first part may be told apart by case (RFC 5321, 2.4), but no
/// provider does, and a student who asks to be forgotten means both.
pub fn same_address(one: &str, other: &str) -> bool {
    let clean = |text: &str| text.trim().to_lowercase();
    one.contains('@') && clean(one) == clean(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_student_is_meant_by_id_or_address() {
        let ana =
            Student { id: "17".into(), email: Some("Ana@School.example".into()), name: Some("Ana".into()) };
        for (text, means) in [
            ("17", true),
            ("ana@school.example", true),
            (" ANA@school.example ", true),
            ("1", false),
            ("Ana", false),
            ("", false),
        ] {
            assert_eq!(ana.is(text), means, "{text}");
        }
    }
}
