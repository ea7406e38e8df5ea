//! Keeps the house in order: headers, the direction of imports, the map, the top of the repository.
//!
//! Reads files and compiles none of the program. What each test wants is in its message, so that whoever breaks one
//! knows what to do. The rules themselves stand in `.github/CONTRIBUTING.md` and `src/README.md`.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Direction of dependencies: each module of `src/`, and what it may name of the others.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("domain", &[]),
    // The seams, each with its adapters.
    ("store", &["domain"]),
    ("index", &["domain"]),
    ("inference", &["domain"]),
    ("collection", &["domain", "index", "store"]),
    // The two pipelines.
    ("ingest", &["collection", "domain", "index", "inference", "store"]),
    ("answer", &["collection", "domain", "index", "inference", "store"]),
    ("stats", &[]),
    ("insights", &["domain", "index", "stats"]),
    ("accounts", &["domain", "store"]),
    ("billing", &["domain", "store"]),
    ("jobs", &["domain", "index", "inference", "ingest", "problem", "store"]),
    ("events", &["domain", "store"]),
    ("mail", &["accounts", "domain", "events", "store"]),
    // Settings know the option types of every module, and how nothing runs.
    (
        "config",
        &["answer", "billing", "collection", "domain", "index", "inference", "ingest", "mail", "store"],
    ),
    // Turns everybody's errors into what people are told.
    (
        "problem",
        &[
            "accounts",
            "answer",
            "billing",
            "collection",
            "config",
            "domain",
            "index",
            "inference",
            "ingest",
            "store",
        ],
    ),
    ("telemetry", &["config", "domain", "problem"]),
    (
        "app",
        &[
            "accounts",
            "answer",
            "billing",
            "collection",
            "config",
            "domain",
            "events",
            "index",
            "inference",
            "ingest",
            "insights",
            "jobs",
            "mail",
            "problem",
            "store",
            "telemetry",
        ],
    ),
    // The edges.
    (
        "eval",
        &["answer", "app", "config", "domain", "index", "inference", "ingest", "problem", "stats", "store"],
    ),
    ("bench", &["app", "config", "domain", "eval", "index", "inference", "ingest", "problem"]),
    (
        "http",
        &[
            "accounts",
            "answer",
            "app",
            "billing",
            "domain",
            "events",
            "insights",
            "problem",
            "store",
            "telemetry",
        ],
    ),
    (
        "cli",
        &[
            "accounts",
            "answer",
            "app",
            "bench",
            "billing",
            "config",
            "domain",
            "eval",
            "events",
            "http",
            "inference",
            "ingest",
            "jobs",
            "problem",
            "store",
            "telemetry",
        ],
    ),
];

/// What implements a seam, and who may name it beside the seam's own folder. Everybody else goes through the seam.
const ADAPTERS: &[(&str, &[&str])] = &[
    ("inference::local", &["app"]),
    ("inference::remote", &["app"]),
    ("store::redb", &["app"]),
    ("index::exact", &["app", "collection"]),
    ("index::usearch", &["app", "collection"]),
];

/// Files of a seam that serve every adapter alike and therefore name none.
const BLIND: &[(&str, &str)] =
    &[("inference::worker", "inference::local"), ("inference::worker", "inference::remote")];

/// Everything that may stand at the top of the repository.
const TOP: &[&str] = &[
    ".cargo",
    ".ci",
    ".dockerignore",
    ".editorconfig",
    ".gitattributes",
    ".github",
    ".gitignore",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "Dockerfile",
    "LICENSE",
    "Makefile",
    "README.md",
    "assets",
    "benches",
    "clippy.toml",
    "deny.toml",
    "models",
    "rustfmt.toml",
    "src",
    "tests",
];

/// Longest source file, and the files that are longer with the reason why they are not two.
const LONGEST: usize = 600;
const LONGER: &[(&str, &str)] = &[];

#[test]
fn every_file_opens_by_saying_what_it_is_for() {
    let mut wrong = Vec::new();
    for path in rust_files(&["src", "tests", "benches"]) {
        let text = fs::read_to_string(&path).unwrap();
        // The library's header is the map.
        if path.ends_with("src/lib.rs") && text.starts_with("#![doc = include_str!(\"README.md\")]") {
            continue;
        }
        if let Some(fault) = header_fault(&text) {
            wrong.push(format!("{}: {fault}", shown(&path)));
        }
    }
    report(
        "a file opens with `//!` lines: what comes in, what goes out, who calls it, what is not here",
        &wrong,
    );
}

fn header_fault(text: &str) -> Option<&'static str> {
    let header: Vec<&str> = text.lines().map_while(|line| line.strip_prefix("//!")).collect();
    let header = header.join(" ");
    let lower = header.to_lowercase();
    if header.trim().is_empty() {
        Some("no header")
    } else if ["written next", "to be written", "todo", "tbd", "placeholder"]
        .iter()
        .any(|p| lower.contains(p))
    {
        Some("the header is a placeholder")
    } else if header.split_whitespace().count() < 4 {
        Some("the header says too little")
    } else {
        None
    }
}

#[test]
fn placeholders_are_no_headers() {
    let cases = [
        ("//! Written next.\n", Some("the header is a placeholder")),
        ("use std::fs;\n//! Late header of some words.\n", Some("no header")),
        ("//!\n", Some("no header")),
        ("//! Chunks.\n", Some("the header says too little")),
        ("//! Text becomes chunks; pure.\n", None),
    ];
    for (text, expected) in cases {
        assert_eq!(header_fault(text), expected, "{text:?}");
    }
}

#[test]
fn imports_go_one_way() {
    let mut wrong = Vec::new();
    for path in rust_files(&["src"]) {
        let module = module_of(&path);
        let Some(home) = module.first().cloned() else { continue };
        if home == "main" {
            continue;
        }
        let Some((_, may_know)) = MAY_KNOW.iter().find(|(name, _)| *name == home) else {
            wrong.push(format!("{}: the module `{home}` has no row in MAY_KNOW", shown(&path)));
            continue;
        };
        for named in paths_named(&fs::read_to_string(&path).unwrap(), &module) {
            let top = named.split("::").next().unwrap_or_default();
            if top != home && !may_know.contains(&top) && MAY_KNOW.iter().any(|(name, _)| *name == top) {
                wrong.push(format!("{}: `{home}` may not know `{named}`", shown(&path)));
            }
            for (adapter, friends) in ADAPTERS {
                let at_home =
                    is_within(adapter, &home) && !BLIND.contains(&(module.join("::").as_str(), adapter));
                if is_within(&named, adapter) && !at_home && !friends.contains(&home.as_str()) {
                    wrong.push(format!("{}: `{named}` is an adapter; use the seam", shown(&path)));
                }
            }
        }
    }
    report(
        "imports follow the table MAY_KNOW (see src/README.md); if a change needs another way, look at the seam first",
        &wrong,
    );
}

/// Whether a path is a module or something in it.
fn is_within(path: &str, module: &str) -> bool {
    path.strip_prefix(module).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// `src/a/b.rs` is `a::b`, `src/a/mod.rs` is `a`, `src/lib.rs` is the root.
fn module_of(path: &Path) -> Vec<String> {
    let inner = path.strip_prefix(root().join("src")).unwrap().with_extension("");
    let mut parts: Vec<String> = inner.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if parts.last().is_some_and(|last| last == "mod" || last == "lib") {
        parts.pop();
    }
    parts
}

/// Every path into this crate that a file names outside comments and tests, from the crate's root: `a::b::Name`.
/// Groups are spread out, `super::` is resolved; unit tests may use what they like.
fn paths_named(text: &str, module: &[String]) -> BTreeSet<String> {
    let code = without_tests(text);
    let mut named = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        if !continues_a_word(&code, at) {
            spread("", &code[at + "crate::".len()..], &mut named);
        }
    }
    for (at, _) in code.match_indices("super::") {
        if continues_a_word(&code, at) || code[..at].ends_with("super::") {
            continue;
        }
        let mut rest = &code[at..];
        let mut parents = module;
        while let Some(next) = rest.strip_prefix("super::") {
            rest = next;
            parents = parents.split_last().map_or(&[], |(_, parents)| parents);
        }
        spread(&parents.join("::"), rest, &mut named);
    }
    named
}

fn continues_a_word(code: &str, at: usize) -> bool {
    code[..at].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_')
}

/// Adds `prefix::path` for the path or the group of paths that `rest` begins with; returns what follows.
fn spread<'a>(prefix: &str, rest: &'a str, named: &mut BTreeSet<String>) -> &'a str {
    let rest = rest.trim_start();
    if let Some(mut rest) = rest.strip_prefix('{') {
        loop {
            rest = rest.trim_start();
            if let Some(after) = rest.strip_prefix('}') {
                return after;
            }
            let after = spread(prefix, rest, named);
            // Not a list of paths after all (or the end of the text): nothing was read.
            if after.len() == rest.len() && !after.starts_with(',') {
                return after;
            }
            rest = after.trim_start().strip_prefix(',').unwrap_or(after);
        }
    }
    let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
    let (name, after) = rest.split_at(end);
    if name.is_empty() {
        let Some(after) = after.strip_prefix('*') else { return after };
        named.insert(prefix.to_owned());
        return after;
    }
    let path = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}::{name}") };
    if let Some(inner) = after.strip_prefix("::")
        && !inner.starts_with('<')
    {
        return spread(&path, inner, named);
    }
    named.insert(path);
    // `x as y` within a group.
    after
        .strip_prefix(" as ")
        .map_or(after, |alias| alias.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_'))
}

/// The code without comments and without inline test modules, which rustfmt ends with a brace at the margin.
fn without_tests(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let opens_tests = line == "#[cfg(test)]"
            && lines.peek().is_some_and(|next| {
                next.trim_start_matches("pub(super) ").starts_with("mod ") && next.ends_with('{')
            });
        if opens_tests {
            lines.by_ref().find(|line| *line == "}");
            continue;
        }
        code.push_str(line.split("//").next().unwrap_or(line));
        code.push('\n');
    }
    code
}

#[test]
fn the_reader_of_imports_sees_every_form() {
    let check = |module: &str, text: &str, expected: &[&str]| {
        let module: Vec<String> = module.split("::").map(str::to_owned).collect();
        let expected: BTreeSet<String> = expected.iter().map(|&path| path.to_owned()).collect();
        assert_eq!(paths_named(text, &module), expected, "{text:?}");
    };
    check("a", "use crate::store::Store;", &["store::Store"]);
    check(
        "a",
        "use crate::{app::App, domain::{Answer, ids::{ChunkId as Id, JobId}}};",
        &["app::App", "domain::Answer", "domain::ids::ChunkId", "domain::ids::JobId"],
    );
    check("a", "use crate::{\n    app::App,\n    http,\n};\nfn f() {}", &["app::App", "http"]);
    check("a", "use crate::store::*;", &["store"]);
    check("a", "fn f() -> crate::app::App { crate::http::serve::<u8>() }", &["app::App", "http::serve"]);
    check("a::b::c", "use super::super::store::X; use super::d;", &["a::store::X", "a::b::d"]);
    check("a::b", "use super::super::store::{X, Y};", &["store::X", "store::Y"]);
    check("a", "macro_rules! m { () => { $crate::app::x() } }", &["app::x"]);
    check("a", "// use crate::app::App;\n/// [`crate::app`]\nlet x = 1; // crate::http", &[]);
    check("a", "use other_crate::app::App;", &[]);
    check("a", "#[cfg(test)]\nmod tests {\n    use crate::app::App;\n}\nuse crate::http::x;", &["http::x"]);
}

#[test]
fn handlers_read_json_through_the_house_extractor() {
    // clippy.toml bans axum's Path and Query altogether; `axum::Json` is right as an answer, so only arguments count.
    let mut wrong = Vec::new();
    for path in rust_files(&["src/http"]).into_iter().filter(|path| !path.ends_with("extract.rs")) {
        let text = fs::read_to_string(&path).unwrap();
        for (at, line) in text.lines().enumerate() {
            let imported = line.trim_start().starts_with("use axum::") && mentions(line, "Json");
            if imported || line.contains(": axum::Json<") {
                wrong.push(format!("{}:{}: {}", shown(&path), at + 1, line.trim()));
            }
        }
    }
    report("an argument is `crate::http::extract::Json`; an answer is `axum::Json`, written out", &wrong);
}

#[test]
fn the_map_is_true() {
    let map = fs::read_to_string(root().join("src/README.md")).unwrap();
    let mut wrong = Vec::new();
    for path in paths_in_markdown(&map) {
        if !root().join("src").join(&path).exists() && !root().join(&path).exists() {
            wrong.push(format!("`{path}` is named and does not exist"));
        }
    }
    for module in top_modules() {
        if !mentions(&map, &module) {
            wrong.push(format!("the module `{module}` is not named"));
        }
    }
    report("src/README.md names every module, and only files that exist", &wrong);
}

/// Paths in backticks, in links, and in drawn trees (fenced lines that begin with the names of files and folders).
fn paths_in_markdown(text: &str) -> Vec<String> {
    let mut paths = Vec::new();
    let mut fenced = false;
    // The folders that the line stands in, with their indentation.
    let mut folders: Vec<(usize, String)> = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
            folders.clear();
        } else if fenced {
            let indent = line.len() - line.trim_start().len();
            folders.retain(|(outer, _)| *outer < indent);
            let parent: String = folders.iter().map(|(_, name)| name.as_str()).collect();
            for name in line.split_whitespace().take_while(|word| is_file_name(word)) {
                paths.push(format!("{parent}{name}"));
                if name.ends_with('/') {
                    folders.push((indent, name.to_owned()));
                }
            }
        } else {
            let code = line.split('`').skip(1).step_by(2);
            let links = line.split("](").skip(1).filter_map(|rest| rest.split(')').next());
            let links = links.map(|link| link.split('#').next().unwrap_or(link));
            paths.extend(code.chain(links).filter(|word| is_file_name(word)).map(str::to_owned));
        }
    }
    paths
}

/// A relative path to a folder (with its slash) or to a file of a kind that lies in this repository.
fn is_file_name(word: &str) -> bool {
    let plain = word.chars().all(|c| c.is_ascii_alphanumeric() || "._-/".contains(c));
    let kind = word.ends_with('/')
        || [".rs", ".md", ".toml", ".html", ".css", ".py", ".yml"].iter().any(|end| word.ends_with(end));
    plain && kind && !word.starts_with('/') && word.len() > 1
}

#[test]
fn the_reader_of_the_map_sees_code_links_and_trees() {
    let map = "See `answer/mod.rs`, `POST /chat`, `a::b` and [this](../README.md#top) or [that](https://x.org/a.md).\n\
               ```\nsrc/\n  domain/  what is talked about\n    ids.rs   chunk.rs names\n  app.rs\nlet x = y;\n```\n";
    assert_eq!(
        paths_in_markdown(map),
        [
            "answer/mod.rs",
            "../README.md",
            "src/",
            "src/domain/",
            "src/domain/ids.rs",
            "src/domain/chunk.rs",
            "src/app.rs"
        ]
    );
}

#[test]
fn the_top_of_the_repository_stays_small() {
    let allowed: BTreeSet<&str> = TOP.iter().copied().collect();
    let wrong: Vec<String> = top_names()
        .into_iter()
        .filter(|name| !allowed.contains(name.as_str()))
        .map(|name| format!("`{name}`"))
        .collect();
    report("a new file belongs into one of the folders, or into TOP with good reason", &wrong);
}

/// What git holds or would take; without git, what lies there.
fn top_names() -> BTreeSet<String> {
    let listed = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .ok()
        .filter(|output| output.status.success() && !output.stdout.is_empty());
    match listed {
        Some(output) => String::from_utf8(output.stdout)
            .unwrap()
            .split_terminator('\0')
            .filter_map(|path| path.split('/').next())
            .map(str::to_owned)
            .collect(),
        None => fs::read_dir(root())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .filter(|name| name != ".git" && name != "target")
            .collect(),
    }
}

#[test]
fn no_source_file_hides_a_second_noun() {
    let mut wrong = Vec::new();
    for path in rust_files(&["src"]) {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        let excused = LONGER.iter().any(|(name, _)| *name == shown(&path));
        if lines > LONGEST && !excused {
            wrong.push(format!("{}: {lines} lines", shown(&path)));
        } else if lines <= LONGEST && excused {
            wrong.push(format!("{}: {lines} lines, so it needs no row in LONGER", shown(&path)));
        }
    }
    report(
        "a file over 600 lines becomes a folder of the same name, or gets a row in LONGER with the reason",
        &wrong,
    );
}

#[test]
fn data_files_parse() {
    let mut wrong = Vec::new();
    let mut files = Vec::new();
    for folder in ["assets", "models", "tests/reference", "tests/fixtures"] {
        walk(&root().join(folder), &mut files);
    }
    files.extend(TOP.iter().map(|name| root().join(name)).filter(|path| path.is_file()));
    for path in files {
        let kind = path.extension().map(|kind| kind.to_string_lossy().into_owned()).unwrap_or_default();
        if !matches!(kind.as_str(), "json" | "jsonl" | "toml") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let fault = match kind.as_str() {
            "json" => serde_json::from_str::<serde_json::Value>(&text).err().map(|error| error.to_string()),
            "jsonl" => {
                text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).find_map(|(at, line)| {
                    let error = serde_json::from_str::<serde_json::Value>(line).err()?;
                    Some(format!("line {}: {error}", at + 1))
                })
            }
            _ => toml::from_str::<toml::Table>(&text).err().map(|error| error.to_string()),
        };
        wrong.extend(fault.map(|fault| format!("{}: {fault}", shown(&path))));
    }
    report("every JSON and TOML file parses", &wrong);
}

fn report(rule: &str, wrong: &[String]) {
    assert!(wrong.is_empty(), "{rule}:\n  {}", wrong.join("\n  "));
}

/// Whether a name stands in a text as a whole word.
fn mentions(text: &str, name: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(name).any(|(at, _)| {
        !text[..at].chars().next_back().is_some_and(is_word)
            && !text[at + name.len()..].chars().next().is_some_and(is_word)
    })
}

fn top_modules() -> BTreeSet<String> {
    fs::read_dir(root().join("src"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir() || path.extension().is_some_and(|kind| kind == "rs"))
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .filter(|name| name != "lib" && name != "main")
        .collect()
}

fn rust_files(folders: &[&str]) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for folder in folders {
        walk(&root().join(folder), &mut files);
    }
    files.retain(|path| path.extension().is_some_and(|kind| kind == "rs"));
    files.sort();
    files
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            walk(&path, files);
        } else {
            files.push(path);
        }
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}
