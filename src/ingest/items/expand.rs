//! Files that hold documents: packages, mailboxes, messages with files, archives within archives.
//!
//! One budget of bytes and one depth serve a file with all that is in it. What cannot be read of a package is one
//! warning on one of its documents, so the item at hand is always held back until the next is there.

use std::collections::{HashMap, HashSet};
use std::io::{BufRead, Read, Seek, SeekFrom};

use bytes::Bytes;

use super::{Each, Ended, ItemError, cursor, is_nothing, records};
use crate::domain::MediaType;
use crate::ingest::detect::{Kind, detect, inside};
use crate::ingest::extract::archive::{Archive, Budget, Source};
use crate::ingest::extract::corpus::Corpus;
use crate::ingest::extract::mail::{self, mbox::Mailbox};
use crate::ingest::extract::office::ole;
use crate::ingest::extract::package::{self, Content, Format, Purpose, outline};
use crate::ingest::extract::{ExtractError, ExtractOptions, Limits, extract};
use crate::ingest::{Item, Payload, pictures};

/// Names in one warning.
const NAMES: usize = 5;

/// A file that is being taken apart.
pub struct Expansion<'a, 'e> {
    limits: &'a Limits,
    each: &'a mut Each<'e>,
    budget: Budget,
    depth: usize,
    /// Sources that were given out: two files of one name must not replace each other.
    sources: HashSet<String>,
    held: Option<Item>,
    /// Something was given out or failed with a sentence.
    told: bool,
    /// A limit left something out.
    cut: bool,
    name: String,
    warnings: Vec<String>,
    /// Names of files that are nothing to read.
    nothing: Vec<String>,
    /// Pictures that were given out.
    pictures: usize,
}

impl<'a, 'e> Expansion<'a, 'e> {
    pub fn new(limits: &'a Limits, each: &'a mut Each<'e>) -> Self {
        let budget = Budget::new(limits.unpacked_bytes, limits.stream_bytes, limits.archive_entries);
        let (sources, held, told, cut, name, warnings, nothing) = Default::default();
        let (depth, pictures) = (0, 0);
        Self { limits, each, budget, depth, sources, held, told, cut, name, warnings, nothing, pictures }
    }

    /// Gives an item, or what it holds.
    pub fn item(mut self, item: Item) -> Ended {
        self.name.clone_from(&item.name);
        let wanted = self.part(item, true);
        self.finish(wanted)
    }

    /// The same for an archive or a file of an older Office that need not be held whole.
    pub fn container(mut self, item: Item, source: Box<dyn Source>) -> Ended {
        self.name.clone_from(&item.name);
        let wanted = self.opened(item, source, true);
        self.finish(wanted)
    }

    /// The messages of a mailbox.
    pub fn mailbox(mut self, item: &Item, reader: impl BufRead) -> Ended {
        self.name.clone_from(&item.name);
        let wanted = self.messages(item, reader);
        self.finish(wanted)
    }

    /// Gives the last item with the warnings, if it is wanted.
    fn finish(mut self, wanted: bool) -> Ended {
        let is_cut = self.cut || self.budget.cut;
        match (wanted && self.last(), is_cut) {
            (false, _) => Ended::Unwanted,
            (true, true) => Ended::Cut,
            (true, false) => Ended::Whole,
        }
    }

    fn last(&mut self) -> bool {
        self.warn_of_nothing();
        match self.held.take() {
            Some(mut item) => {
                item.warnings.append(&mut self.warnings);
                (self.each)(Ok(item))
            }
            None if !self.told => {
                let name = std::mem::take(&mut self.name);
                self.fail(&name, ExtractError::NothingInside)
            }
            None => true,
        }
    }

    fn warn_of_nothing(&mut self) {
        let count = self.nothing.len();
        if count == 0 {
            return;
        }
        let names =
            self.nothing.iter().take(NAMES).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let more = if count > NAMES { format!(" and {} more", count - NAMES) } else { String::new() };
        self.warnings.push(format!("files that hold no text that can be read: {names}{more}"));
        self.nothing.clear();
    }

    fn warn_once(&mut self, sentence: String) {
        if !self.warnings.contains(&sentence) {
            self.warnings.push(sentence);
        }
    }

    fn give(&mut self, mut item: Item) -> bool {
        if !self.sources.insert(item.source.clone()) {
            self.warnings.push(format!("a second file with the name `{}` is not read", item.name));
            return true;
        }
        self.told = true;
        item.warnings.append(&mut self.warnings);
        match self.held.replace(item) {
            Some(before) => (self.each)(Ok(before)),
            None => true,
        }
    }

    fn fail(&mut self, name: &str, error: ExtractError) -> bool {
        self.told = true;
        (self.each)(Err(ItemError::of(name, error)))
    }

    /// An item on its own (`outermost`), or one that came out of another.
    fn part(&mut self, item: Item, outermost: bool) -> bool {
        let Payload::File(bytes) = &item.payload else { return self.give(item) };
        let bytes = bytes.clone();
        match detect(&bytes, &item.name) {
            Err(error) if !outermost && is_nothing(&error) => {
                self.nothing.push(item.name);
                true
            }
            // Its failure is told where it is read.
            Err(_) if outermost => self.give(item),
            Err(error) => self.fail(&item.name, error),
            // A name without its content: there is nothing to listen to.
            Ok(kind) if !outermost && Purpose::of(&item.name).is_recording() && !is_recording(kind) => {
                self.nothing.push(item.name);
                true
            }
            Ok(kind) if is_recording(kind) => self.give(item),
            Ok(Kind::Document(MediaType::Email)) => self.message(item, &bytes),
            Ok(Kind::Document(media)) => {
                let is_silent = || match media {
                    MediaType::Html => self.says_nothing(&bytes),
                    MediaType::Picture => {
                        bytes.len() < pictures::LEAST_BYTES || self.pictures >= pictures::MOST
                    }
                    _ => false,
                };
                if !outermost && is_silent() {
                    self.nothing.push(item.name);
                    return true;
                }
                self.pictures += usize::from(media == MediaType::Picture);
                self.give(item)
            }
            Ok(Kind::Corpus(_)) if outermost => self.give(item),
            Ok(Kind::Corpus(format)) => {
                self.told = true;
                let corpus = Corpus::new(cursor(&bytes), format);
                records(&item.source, &item.name, corpus, self.each)
            }
            Ok(Kind::Mailbox) => self.messages(&item, cursor(&bytes)),
            Ok(Kind::Container | Kind::Package(_)) => self.opened(item, Box::new(cursor(&bytes)), outermost),
        }
    }

    /// Pages of a package that only start a player have no words.
    fn says_nothing(&self, bytes: &Bytes) -> bool {
        let options = ExtractOptions { limits: self.limits, password: None, stop: &|| false };
        matches!(extract(bytes, MediaType::Html, &options), Err(ExtractError::NoText))
    }

    fn opened(&mut self, mut item: Item, mut source: Box<dyn Source>, outermost: bool) -> bool {
        let mut magic = [0; 8];
        let is_old = source.read_exact(&mut magic).is_ok() && magic == *ole::MAGIC;
        if is_old {
            return self.whole(&mut item, source) && self.give(item);
        }
        let mut archive = match Archive::open(source, &mut self.budget) {
            Ok(archive) => archive,
            Err(error) => return self.fail(&item.name, error),
        };
        match inside(&mut archive, &mut self.budget) {
            Ok(Kind::Package(format)) => {
                if self.depth >= self.limits.archive_depth {
                    let depth = self.limits.archive_depth;
                    self.cut = true;
                    self.warn_once(format!("archives are not read deeper than {depth} within each other"));
                    return true;
                }
                self.depth += 1;
                let wanted = self.package(&item, &mut archive, format);
                self.depth -= 1;
                wanted
            }
            Ok(_) => match archive.into_source() {
                Some(source) => self.whole(&mut item, source) && self.give(item),
                None => self.fail(&item.name, ExtractError::Damaged("archive")),
            },
            Err(error) if !outermost && is_nothing(&error) => {
                self.nothing.push(item.name);
                true
            }
            Err(error) => self.fail(&item.name, error),
        }
    }

    /// Reads a document's bytes, if they are not there yet.
    fn whole(&mut self, item: &mut Item, mut source: Box<dyn Source>) -> bool {
        let Payload::File(bytes) = &mut item.payload else { return true };
        if !bytes.is_empty() {
            return true;
        }
        let limit = self.limits.office_bytes;
        let mut all = Vec::new();
        let read = source
            .seek(SeekFrom::Start(0))
            .and_then(|_| source.take(limit.saturating_add(1)).read_to_end(&mut all));
        match read {
            Ok(_) if all.len() as u64 > limit => {
                let error = ExtractError::TooLarge { bytes: all.len() as u64, limit };
                self.fail(&item.name, error);
                false
            }
            Ok(_) => {
                *bytes = Bytes::from(all);
                true
            }
            Err(_) => {
                self.fail(&item.name, ExtractError::Damaged("file"));
                false
            }
        }
    }

    fn package(&mut self, item: &Item, archive: &mut Archive, format: Format) -> bool {
        let mut outline = match outline(archive, format, &mut self.budget) {
            Ok(outline) => outline,
            Err(error) => return self.fail(&item.name, error),
        };
        if outline.resources.is_empty() {
            return self.fail(&item.name, ExtractError::NothingInside);
        }
        self.warnings.extend(outline.warnings);
        let mut words: HashMap<String, Bytes> = HashMap::new();
        for (recording, captions) in package::captions(&outline.resources) {
            // Captions that cannot be read are brought in as a file of their own, and fail there.
            if let Ok(Some(bytes)) = archive.read(&captions, &mut self.budget) {
                outline.resources.retain(
                    |resource| !matches!(&resource.content, Content::Entry(name) if *name == captions),
                );
                words.insert(recording, bytes);
            }
        }
        let mut of_entry: HashMap<String, Vec<Item>> = HashMap::new();
        for resource in outline.resources {
            let path = item.path.iter().chain(&item.title).cloned().chain(resource.path).collect();
            let source = format!("{}#{}", item.source, resource.id);
            let part = |bytes| Item {
                title: resource.title.clone(),
                path,
                password: item.password.clone(),
                ..Item::file(source, resource.name.clone(), bytes)
            };
            match resource.content {
                Content::Page(bytes) => {
                    if !self.part(part(bytes), false) {
                        return false;
                    }
                }
                Content::Entry(name) => of_entry.entry(name).or_default().push(part(Bytes::new())),
            }
        }
        let wanted: HashSet<String> = of_entry.keys().cloned().collect();
        // The budget travels with the parts, which may be archives themselves.
        let mut budget = self.budget.clone();
        let before = budget.bytes;
        let mut more = true;
        let read = archive.read_all(&wanted, &mut budget, |name, bytes| {
            for mut item in of_entry.remove(name).into_iter().flatten() {
                more = match &bytes {
                    Ok(bytes) => {
                        item.payload = Payload::File(bytes.clone());
                        item.captions = words.get(name).cloned();
                        self.part(item, false)
                    }
                    Err(error) => self.fail(&item.name, error.clone()),
                };
                if !more {
                    return false;
                }
            }
            true
        });
        // What the parts took is gone too.
        let taken = before.saturating_sub(budget.bytes);
        self.budget.cut |= budget.cut;
        self.budget.bytes = self.budget.bytes.saturating_sub(taken);
        match read {
            Err(error) => self.fail(&item.name, error),
            Ok(()) => more,
        }
    }

    /// A message, then the files that it carries.
    fn message(&mut self, item: Item, bytes: &Bytes) -> bool {
        let files = mail::attachments(bytes).unwrap_or_default();
        let (source, mut path, password) = (item.source.clone(), item.path.clone(), item.password.clone());
        path.push(item.title.clone().or_else(|| mail::subject(bytes)).unwrap_or_else(|| item.name.clone()));
        if !self.give(item) {
            return false;
        }
        for file in files {
            let is_media = Purpose::of(&file.name) != Purpose::Read;
            let is_deep = self.depth >= self.limits.archive_depth;
            self.cut |= is_deep;
            if is_media || is_deep {
                self.nothing.push(file.name);
                continue;
            }
            let item = Item {
                path: path.clone(),
                password: password.clone(),
                ..Item::file(format!("{source}#{}", file.name), file.name, file.bytes)
            };
            self.depth += 1;
            let more = self.part(item, false);
            self.depth -= 1;
            if !more {
                return false;
            }
        }
        true
    }

    fn messages(&mut self, item: &Item, reader: impl BufRead) -> bool {
        let limit = usize::try_from(self.limits.html_bytes).unwrap_or(usize::MAX);
        let mut mailbox = Mailbox::new(reader, limit);
        let mut any = false;
        loop {
            match mailbox.next_message() {
                Ok(None) if any => return true,
                Ok(None) => return self.fail(&item.name, ExtractError::NothingInside),
                Ok(Some(Ok((number, bytes)))) => {
                    any = true;
                    let name = mail::message_id(&bytes).unwrap_or_else(|| number.to_string());
                    let message = Item {
                        path: item.path.clone(),
                        ..Item::file(
                            format!("{}#{name}", item.source),
                            format!("message {number}.eml"),
                            bytes.clone(),
                        )
                    };
                    if !self.message(message, &bytes) {
                        return false;
                    }
                }
                Ok(Some(Err(number))) => {
                    let error = ExtractError::TooLarge { bytes: limit as u64 + 1, limit: limit as u64 };
                    if !self.fail(&format!("{}, message {number}", item.name), error) {
                        return false;
                    }
                }
                Err(_) => return self.fail(&item.name, ExtractError::Damaged("mailbox")),
            }
        }
    }
}

fn is_recording(kind: Kind) -> bool {
    matches!(kind, Kind::Document(media) if media.is_recording())
}
