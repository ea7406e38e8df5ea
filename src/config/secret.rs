//! A value that cannot be printed by accident: keys and tokens.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What stands in place of a secret, wherever it is shown.
pub const MASK: &str = "********";

/// A secret text. Debug shows a mask; only [`Secret::reveal`] gives the text.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The text itself: for the one place that sends it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
    /// Whether none is set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "\"\"" } else { MASK })
    }
}
