//! Folders and files: the folders are the modules and lessons.

use super::{Content, LeftOut, Outline, Resource};
use crate::ingest::extract::archive::Archive;

/// Every file that may be read, in the order of the names.
pub fn outline(archive: &Archive) -> Outline {
    let mut names: Vec<String> = archive.entries().into_iter().map(|entry| entry.name).collect();
    names.retain(|name| !is_hidden(name));
    names.sort();
    names.dedup();
    let root = shared_folder(&names);
    let mut left_out = LeftOut::default();
    let mut resources = Vec::new();
    for name in names {
        if !left_out.is_read(&name) {
            continue;
        }
        let within = name[root..].to_owned();
        let mut path: Vec<String> =
            within.split('/').filter(|step| !matches!(*step, "" | "." | "..")).map(readable).collect();
        let file = within.rsplit('/').next().unwrap_or(&within).to_owned();
        path.pop();
        resources.push(Resource { id: within, name: file, path, title: None, content: Content::Entry(name) });
    }
    Outline { resources, warnings: left_out.sentences() }
}

/// `02_Brushes-and-knives` as a heading.
pub fn readable(folder: &str) -> String {
    folder.replace('_', " ").trim().to_owned()
}

/// What computers leave in archives for themselves.
fn is_hidden(name: &str) -> bool {
    name.starts_with("__MACOSX/")
        || name.split('/').any(|step| step.len() > 1 && step.starts_with('.') && step != "..")
}

/// Bytes of the one folder that everything stands in; its name is that of the archive.
fn shared_folder(names: &[String]) -> usize {
    let Some(root) = names.first().and_then(|name| Some(name.find('/')? + 1)) else { return 0 };
    let folder = &names[0][..root];
    if names.iter().all(|name| name.starts_with(folder)) { root } else { 0 }
}
