//! Why settings cannot be used, and what to do about it; a value of its own, so that every layer can say it.

/// Why the settings cannot be used. Wrong settings end the program with exit code 2.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("the settings file {path} cannot be read: {reason}")]
    File { path: String, reason: String },
    #[error("setting `{name}` from {origin}: {reason}")]
    Setting { name: String, origin: String, reason: String },
    #[error("no data directory is known on this system")]
    NoDataDir,
}

impl ConfigError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::File { .. } => "check the file, or name another with `--config FILE`",
            Self::Setting { .. } => "`neverafk config show` lists every setting with its origin",
            Self::NoDataDir => "name one with `--data-dir DIR` or `NEVERAFK_DATA_DIR`",
        }
    }
}
