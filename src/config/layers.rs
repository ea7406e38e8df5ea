//! Where settings come from: defaults, file, environment, flags, each leaf with its origin.
//!
//! Values here are TOML; what they mean is the module above.

use std::fmt;
use std::path::{Path, PathBuf};

use toml::Value;

use super::billing::{PackSettings, PlanSettings};
use super::providers::is_name;
use super::secret::MASK;
use super::{ConfigError, ProviderSettings, Settings};

/// Variables that are not settings of the file: directories, and switches of tests.
const NOT_SETTINGS: [&str; 3] = ["NEVERAFK_DATA_DIR", "NEVERAFK_MODELS_DIR", "NEVERAFK_TEST_MODELS"];
const PREFIX: &str = "NEVERAFK_";

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    Default,
    File(PathBuf),
    Variable(String),
    Flag,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Variable(name) => write!(f, "variable {name}"),
            Self::Flag => f.write_str("flag"),
        }
    }
}

/// One effective setting.
#[derive(Clone)]
pub struct Setting {
    /// Dotted, as `server.listen`.
    pub name: String,
    pub origin: Origin,
    value: Value,
}

impl Setting {
    /// The value for people and programs; secrets are masked.
    pub fn shown(&self) -> Value {
        let secret = self
            .name
            .rsplit(['.', '_'])
            .next()
            .is_some_and(|last| ["secret", "password", "key", "token"].contains(&last));
        match &self.value {
            Value::String(text) if secret && !text.is_empty() => Value::String(MASK.into()),
            value => value.clone(),
        }
    }
}

impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {} ({})", self.name, self.shown(), self.origin)
    }
}

/// All settings with their origins, in the order of the defaults.
#[derive(Debug, Clone)]
pub struct Layers {
    settings: Vec<Setting>,
}

impl Layers {
    /// Merges the four layers. A missing file is an error only when it was named.
    pub fn merge(
        file: &Path,
        named: bool,
        environment: &[(String, String)],
        flags: &[(&'static str, String)],
    ) -> Result<Self, ConfigError> {
        let defaults = Value::try_from(Settings::default()).map_err(|error| ConfigError::File {
            path: "built-in defaults".into(),
            reason: error.to_string(),
        })?;
        let mut layers = Self {
            settings: flatten(&defaults)
                .into_iter()
                .map(|(name, value)| Setting { name, origin: Origin::Default, value })
                .collect(),
        };
        let unreadable = |reason: String| ConfigError::File { path: file.display().to_string(), reason };
        match std::fs::read_to_string(file) {
            Ok(text) => {
                let table: Value = toml::from_str(&text).map_err(|error| unreadable(error.to_string()))?;
                for (name, value) in flatten(&table) {
                    layers.set(&name, value, Origin::File(file.into()))?;
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !named => {}
            Err(error) => return Err(unreadable(error.to_string())),
        }
        for (variable, text) in environment {
            let Some(name) = variable.strip_prefix(PREFIX) else { continue };
            if NOT_SETTINGS.contains(&variable.as_str()) {
                continue;
            }
            let name = name.to_ascii_lowercase().replace("__", ".");
            layers.set_text(&name, text, Origin::Variable(variable.clone()))?;
        }
        layers.change(flags)?;
        Ok(layers)
    }

    /// Settings that flags name, over all others.
    pub fn change(&mut self, flags: &[(&'static str, String)]) -> Result<(), ConfigError> {
        flags.iter().try_for_each(|(name, text)| self.set_text(name, text, Origin::Flag))
    }

    /// Every setting, in the order of the example file.
    pub fn iter(&self) -> impl Iterator<Item = &Setting> {
        self.settings.iter()
    }

    /// One setting by its dotted name.
    pub fn get(&self, name: &str) -> Option<&Setting> {
        self.settings.iter().find(|setting| setting.name == name)
    }

    /// The values as one typed struct.
    pub fn settings(&self) -> Result<Settings, ConfigError> {
        let mut root = toml::Table::new();
        for setting in &self.settings {
            let mut parts: Vec<&str> = setting.name.split('.').collect();
            let leaf = parts.pop().unwrap_or_default();
            let table = parts.into_iter().try_fold(&mut root, |table, part| {
                let inner = table.entry(part).or_insert_with(|| Value::Table(toml::Table::new()));
                inner.as_table_mut()
            });
            // Every name but the last of a dotted one is a table, since defaults and providers are made of tables.
            if let Some(table) = table {
                table.insert(leaf.to_owned(), setting.value.clone());
            }
        }
        Value::Table(root).try_into().map_err(|error: toml::de::Error| ConfigError::File {
            path: "settings".into(),
            reason: error.to_string(),
        })
    }

    /// An error about one setting, with its origin.
    pub fn wrong(&self, name: &str, reason: String) -> ConfigError {
        let origin = self.get(name).map_or("nowhere".to_owned(), |setting| setting.origin.to_string());
        ConfigError::Setting { name: name.to_owned(), origin, reason }
    }

    fn set(&mut self, name: &str, value: Value, origin: Origin) -> Result<(), ConfigError> {
        let refuse = |reason: String| ConfigError::Setting {
            name: name.to_owned(),
            origin: origin.to_string(),
            reason,
        };
        self.meet(name);
        let Some(setting) = self.settings.iter_mut().find(|setting| setting.name == name) else {
            return Err(refuse("there is no such setting".into()));
        };
        let value = match (&setting.value, value) {
            (Value::Float(_), Value::Integer(whole)) => Value::Float(whole as f64),
            (_, value) => value,
        };
        if setting.value.type_str() != value.type_str() {
            return Err(refuse(format!(
                "a {} is wanted, not a {}",
                setting.value.type_str(),
                value.type_str()
            )));
        }
        setting.value = value;
        setting.origin = origin;
        Ok(())
    }

    /// The first word about `providers.NAME`, or another table that has names of its own, gives it all its settings,
    /// empty, so that they can be set and shown.
    fn meet(&mut self, name: &str) {
        type Example = fn() -> Result<Value, toml::ser::Error>;
        // The empty settings of one are a plain table of texts and numbers.
        let nothing = || Value::Table(toml::Table::new());
        let known: [(&str, Example); 3] = [
            ("providers.", || Value::try_from(ProviderSettings::default())),
            ("billing.plans.", || Value::try_from(PlanSettings::default())),
            ("billing.packs.", || Value::try_from(PackSettings::default())),
        ];
        for (table, empty) in known {
            let met = name.strip_prefix(table).and_then(|rest| rest.split('.').next());
            let Some(met) = met.filter(|met| is_name(met)) else { continue };
            let prefix = format!("{table}{met}.");
            if self.settings.iter().any(|setting| setting.name.starts_with(&prefix)) {
                return;
            }
            let last = self.settings.iter().rposition(|setting| setting.name.starts_with(table));
            let empty = empty().unwrap_or_else(|_| nothing());
            let fresh = flatten(&empty).into_iter().map(|(leaf, value)| Setting {
                name: format!("{prefix}{leaf}"),
                origin: Origin::Default,
                value,
            });
            let at = last.map_or(self.settings.len(), |last| last + 1);
            self.settings.splice(at..at, fresh);
            return;
        }
    }

    /// Reads `text` as the type that the default has.
    fn set_text(&mut self, name: &str, text: &str, origin: Origin) -> Result<(), ConfigError> {
        self.meet(name);
        let wanted = self.get(name).map(|setting| setting.value.type_str());
        let parsed = match wanted {
            Some("integer") => text.parse().ok().map(Value::Integer),
            Some("float") => text.parse().ok().map(Value::Float),
            Some("boolean") => text.parse().ok().map(Value::Boolean),
            // A list in a variable or a flag has commas between its parts.
            Some("array") => {
                let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
                Some(Value::Array(parts.map(Value::from).collect()))
            }
            _ => Some(Value::String(text.to_owned())),
        };
        match parsed {
            Some(value) => self.set(name, value, origin),
            None => Err(ConfigError::Setting {
                name: name.to_owned(),
                origin: origin.to_string(),
                reason: format!("`{text}` is not a {}", wanted.unwrap_or("value")),
            }),
        }
    }
}

/// The leaves of a table with their dotted names.
pub fn flatten(value: &Value) -> Vec<(String, Value)> {
    fn walk(prefix: &str, value: &Value, leaves: &mut Vec<(String, Value)>) {
        match value {
            Value::Table(table) => {
                for (name, inner) in table {
                    let dotted = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
                    walk(&dotted, inner, leaves);
                }
            }
            leaf => leaves.push((prefix.to_owned(), leaf.clone())),
        }
    }
    let mut leaves = Vec::new();
    walk("", value, &mut leaves);
    leaves
}
