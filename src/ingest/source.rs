//! Where bytes come from: what a command line names, as a stream of [`Incoming`].
//!
//! Files, folders, standard input (`-`) and pages of the web. Each is opened only when it is asked for and its bytes
//! are read only when the caller wants them: whole, up to a cap, for a document ([`Incoming::read`]), or not here at all,
//! for a file that holds many ([`Incoming::into_content`]). Blocking; never called on an async thread.

pub mod web;

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use url::Url;
use walkdir::WalkDir;

use super::detect::{HEAD_BYTES, Kind, detect};
use super::extract::package::Purpose;
use super::extract::{ExtractError, Limits, links, package};
use super::hear::{self, MediaFile};
use super::items::Content;
use crate::store::{PageStamp, Stamp};

/// What may be fetched, how long it may take, and what is passed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceOptions {
    /// Also fetch from this machine and its private network. Only for tests and for pages that the owner of the machine
    /// names on the command line knowing this: a stranger's address must never reach it.
    pub allow_private_addresses: bool,
    /// For a page with all its redirects.
    pub page_timeout: Duration,
    /// No page is larger.
    pub page_bytes: u64,
    /// How much of a site is read when one is; a page alone when there is none.
    pub crawl: Option<Reach>,
    /// Pages that a sitemap or a feed brings in at most.
    pub list_pages: u32,
    /// Between two requests to a site.
    pub pause: Duration,
    /// Files of a folder that are passed over as long as they are as they were.
    pub known: Arc<HashMap<String, Stamp>>,
    /// Pages of a site that is followed, by address, as they were: what did not change is not sent again. `None` where
    /// nobody will look again.
    pub pages: Option<Arc<HashMap<String, PageStamp>>>,
}

/// How far into a site to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reach {
    /// Links away from the first page.
    pub depth: u32,
    pub pages: u32,
}

impl Default for SourceOptions {
    fn default() -> Self {
        let page_bytes = Limits::default().pdf_bytes;
        Self {
            allow_private_addresses: false,
            page_timeout: Duration::from_secs(20),
            page_bytes,
            crawl: None,
            list_pages: 200,
            pause: Duration::from_millis(500),
            known: Arc::default(),
            pages: None,
        }
    }
}

/// Why something that was named cannot be brought in.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error("there is no file or folder `{0}`")]
    NotFound(String),
    #[error("`{name}` cannot be opened: {error}")]
    Io { name: String, error: io::Error },
    #[error("the folder `{0}` holds no files")]
    EmptyFolder(String),
    #[error("`{0}` is neither a file nor a folder")]
    Special(String),
    #[error("`{0}` is not an address that can be fetched")]
    BadAddress(String),
    #[error("`{0}` is on this machine or in a private network and is not fetched")]
    PrivateAddress(String),
    #[error("`{address}` answered with status {status}")]
    Status { address: String, status: u16 },
    #[error("`{address}` cannot be reached: {reason}")]
    Unreachable { address: String, reason: String },
    #[error("`{0}` did not answer in time")]
    TimedOut(String),
    #[error("the site asks programs not to read `{0}`, or does not say what they may read (robots.txt)")]
    Forbidden(String),
    #[error("`{address}` leads away from the site, to `{to}`")]
    Elsewhere { address: String, to: String },
    #[error("`{0}` names no page that can be read")]
    NoPages(String),
    #[error(transparent)]
    Content(#[from] ExtractError),
}

impl SourceError {
    /// What the creator can do about it.
    pub fn hint(&self) -> &str {
        match self {
            Self::NotFound(_) => "check the path; web pages begin with https://",
            Self::Io { .. } => "check that the file may be read by this user",
            Self::EmptyFolder(_) => "files whose names begin with a dot are skipped",
            Self::Special(_) => "give a file, a folder, `-` for standard input, or an address",
            Self::BadAddress(_) => "give an address such as https://example.org/page, without a user name",
            Self::PrivateAddress(_) => "save the page to a file and bring that in",
            Self::Status { .. } => {
                "open the address in a browser; pages behind a login must be saved to a file first"
            }
            Self::Unreachable { .. } | Self::TimedOut(_) => {
                "check the address and the network, then try again"
            }
            Self::Forbidden(_) => {
                "if the site is yours, allow `neverafk` in its robots.txt; else save the pages that you may use to files"
            }
            Self::Elsewhere { .. } => "give the address that it leads to",
            Self::NoPages(_) => "give the address of a page with links, a sitemap or a feed",
            Self::Content(error) => error.hint(),
        }
    }
}

/// Something that is brought in, opened, with its first bytes read.
pub struct Incoming {
    /// Names it for good: an absolute path, an address, or `stdin:` with a hash. The same source again is a new version
    /// of the same document.
    pub source: String,
    /// Last part of path or address, for people and as a last resort for a title.
    pub name: String,
    /// In bytes, where it is known before reading.
    pub size: Option<u64>,
    /// Folders below the one that was named, outermost first: the modules and lessons of a course.
    pub folders: Vec<String>,
    /// Where the bytes can be read again, in any order.
    path: Option<PathBuf>,
    /// It was found in a folder, with everything beside it.
    in_folder: bool,
    head: Vec<u8>,
    rest: Box<dyn Read + Send>,
}

impl std::fmt::Debug for Incoming {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Incoming")
            .field("source", &self.source)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

impl Incoming {
    fn open(
        source: String,
        name: String,
        size: Option<u64>,
        mut rest: Box<dyn Read + Send>,
    ) -> Result<Self, SourceError> {
        let mut head = Vec::new();
        let read = rest.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut head);
        read.map_err(|error| SourceError::Io { name: name.clone(), error })?;
        Ok(Self { source, name, size, folders: Vec::new(), path: None, in_folder: false, head, rest })
    }

    /// What it is, from its first bytes and its name.
    pub fn kind(&self) -> Result<Kind, ExtractError> {
        detect(&self.head, &self.name)
    }

    /// Whether it came from the web and names other pages rather than saying something itself.
    pub fn is_list(&self) -> bool {
        is_address(&self.source) && links::is_list(&self.head, &self.source)
    }

    /// All bytes, refused as soon as they are more than `limit` (see [`Limits::bytes`]); held once in memory.
    pub fn read(self, limit: u64) -> Result<Bytes, SourceError> {
        let too_large = |bytes: u64| SourceError::Content(ExtractError::TooLarge { bytes, limit });
        if let Some(size) = self.size.filter(|&size| size > limit) {
            return Err(too_large(size));
        }
        let mut bytes = self.head;
        let expected = usize::try_from(self.size.unwrap_or(0)).unwrap_or(0);
        bytes.reserve_exact(expected.saturating_sub(bytes.len()));
        let room = limit.saturating_add(1).saturating_sub(bytes.len() as u64);
        let read = self.rest.take(room).read_to_end(&mut bytes);
        read.map_err(|error| SourceError::Io { name: self.name, error })?;
        if bytes.len() as u64 > limit { Err(too_large(bytes.len() as u64)) } else { Ok(Bytes::from(bytes)) }
    }

    /// A recording: a file stays where it is, anything else is written to one.
    pub fn into_recording(self, limit: u64) -> Result<MediaFile, SourceError> {
        let too_large = |bytes: u64| SourceError::Content(ExtractError::TooLarge { bytes, limit });
        if let Some(size) = self.size.filter(|&size| size > limit) {
            return Err(too_large(size));
        }
        if let (Some(path), Some(size)) = (&self.path, self.size) {
            return Ok(MediaFile::at(path.clone(), size));
        }
        let name = self.name.clone();
        let spooled = MediaFile::spool(Cursor::new(self.head).chain(self.rest), limit.saturating_add(1));
        let file = spooled.map_err(|error| SourceError::Io { name, error })?;
        if file.bytes > limit { Err(too_large(file.bytes)) } else { Ok(file) }
    }

    /// Captions that lie beside a recording on the disk, of the same base name.
    pub fn captions(&self, limit: u64) -> Option<Bytes> {
        hear::captions_beside(self.path.as_ref()?, limit)
    }

    /// Whether it was found in a folder, with everything beside it.
    pub fn is_among_others(&self) -> bool {
        self.in_folder
    }

    /// Whether these are captions to a recording that lies beside them.
    pub fn belongs_to_recording(&self) -> bool {
        if !self.in_folder {
            return false;
        }
        let Some(entries) = self.path.as_ref().and_then(|path| path.parent()?.read_dir().ok()) else {
            return false;
        };
        entries.flatten().any(|entry| {
            let Ok(name) = entry.file_name().into_string() else { return false };
            let is_media = matches!(package::Purpose::of(&name), Purpose::Recording | Purpose::Video);
            is_media && hear::belongs(&self.name, &name)
        })
    }

    /// The bytes of a file that holds many documents: the file itself, which is not taken into memory, or a stream.
    pub fn into_content(self) -> Result<Content, SourceError> {
        match &self.path {
            Some(path) => {
                let opened = File::open(path);
                let file = opened.map_err(|error| SourceError::Io { name: self.name.clone(), error })?;
                Ok(Content::File(file))
            }
            None => Ok(Content::Stream(Box::new(Cursor::new(self.head).chain(self.rest)))),
        }
    }
}

/// Everything that the arguments name, in their order; folders by name, without hidden files and without symbolic
/// links, so that nothing outside of a folder comes in. An error concerns one argument or file; the rest goes on.
pub fn incoming<'a>(
    arguments: &'a [String],
    options: &'a SourceOptions,
) -> impl Iterator<Item = Result<Incoming, SourceError>> + 'a {
    arguments.iter().flat_map(move |argument| one(argument, options))
}

type Items<'a> = Box<dyn Iterator<Item = Result<Incoming, SourceError>> + 'a>;

fn one<'a>(argument: &'a str, options: &'a SourceOptions) -> Items<'a> {
    if argument == "-" {
        return Box::new(std::iter::once_with(standard_input));
    }
    if is_address(argument) {
        return Box::new(std::iter::once_with(move || page(argument, options)));
    }
    let path = Path::new(argument);
    match std::fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            failed(SourceError::NotFound(argument.to_owned()))
        }
        Err(error) => failed(SourceError::Io { name: argument.to_owned(), error }),
        Ok(found) if found.is_dir() => folder(argument, &options.known),
        Ok(found) if found.is_file() => Box::new(std::iter::once_with(move || file(path))),
        Ok(_) => failed(SourceError::Special(argument.to_owned())),
    }
}

fn failed<'a>(error: SourceError) -> Items<'a> {
    Box::new(std::iter::once(Err(error)))
}

/// Whether an argument is meant as an address of the web.
pub fn is_address(argument: &str) -> bool {
    let begin = argument[..argument.floor_char_boundary(8)].to_ascii_lowercase();
    begin.starts_with("http://") || begin.starts_with("https://")
}

/// The first bytes of a file, enough to tell what it is.
pub fn head(path: &Path) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    File::open(path)?.take(HEAD_BYTES as u64).read_to_end(&mut head)?;
    Ok(head)
}

fn standard_input() -> Result<Incoming, SourceError> {
    let mut incoming =
        Incoming::open(String::new(), "standard input".to_owned(), None, Box::new(io::stdin()))?;
    // Two different texts must not replace each other, and the same one again must be known: its beginning names it.
    incoming.source = format!("stdin:{}", &blake3::hash(&incoming.head).to_hex()[..16]);
    Ok(incoming)
}

/// What an address means, without its fragment; refused when it is none that is fetched.
pub fn address(text: &str) -> Result<Url, SourceError> {
    let mut url = Url::parse(text.trim()).map_err(|_| SourceError::BadAddress(text.to_owned()))?;
    web::check(&url)?;
    url.set_fragment(None);
    Ok(url)
}

fn page(address: &str, options: &SourceOptions) -> Result<Incoming, SourceError> {
    let url = self::address(address)?;
    let page = web::fetch(&url, options)?;
    Incoming::open(page.address, page.name, page.size, page.body)
}

fn file(path: &Path) -> Result<Incoming, SourceError> {
    let io = |error| SourceError::Io { name: path.display().to_string(), error };
    let opened = File::open(path).map_err(io)?;
    let size = opened.metadata().map_err(io)?.len();
    let whole = path.canonicalize().map_err(io)?;
    let name = whole.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let incoming = Incoming::open(source_of(&whole), name, Some(size), Box::new(opened))?;
    Ok(Incoming { path: Some(whole), ..incoming })
}

/// A path as text; one that is not Unicode gets a hash, so that two of them stay two.
fn source_of(path: &Path) -> String {
    match path.to_str() {
        Some(text) => text.to_owned(),
        None => {
            let hash = blake3::hash(path.as_os_str().as_encoded_bytes()).to_hex();
            format!("{}#{}", path.to_string_lossy(), &hash[..8])
        }
    }
}

fn folder<'a>(argument: &'a str, known: &'a HashMap<String, Stamp>) -> Items<'a> {
    let mut entries = walk(Path::new(argument)).peekable();
    if entries.peek().is_none() {
        return failed(SourceError::EmptyFolder(argument.to_owned()));
    }
    let changed = entries.filter(move |entry| {
        let Ok(entry) = entry else { return true };
        known.is_empty() || !is_as_before(entry, known)
    });
    Box::new(changed.map(move |entry| match entry {
        Ok(entry) => file(entry.path()).map(|incoming| {
            let below = entry.path().strip_prefix(argument).ok().and_then(Path::parent);
            let folders = below.into_iter().flat_map(Path::iter);
            let folders = folders.map(|step| package::folder_name(&step.to_string_lossy())).collect();
            Incoming { folders, in_folder: true, ..incoming }
        }),
        Err(error) => Err(SourceError::Io { name: argument.to_owned(), error: error.into() }),
    }))
}

/// The files of a folder, by name, without hidden ones and without symbolic links.
fn walk(folder: &Path) -> impl Iterator<Item = Result<walkdir::DirEntry, walkdir::Error>> + use<> {
    let hidden = |name: &std::ffi::OsStr| name.as_encoded_bytes().starts_with(b".");
    WalkDir::new(folder)
        .follow_links(false)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(move |entry| entry.depth() == 0 || !hidden(entry.file_name()))
        .filter(|entry| entry.as_ref().map_or(true, |entry| entry.file_type().is_file()))
}

/// The files of a folder as they are now; an error when it cannot be looked through.
pub fn stamps(folder: &Path) -> Result<HashMap<String, Stamp>, SourceError> {
    let mut stamps = HashMap::new();
    for entry in walk(folder) {
        let name = || folder.display().to_string();
        let entry = entry.map_err(|error| SourceError::Io { name: name(), error: error.into() })?;
        stamps.extend(stamp(&entry));
    }
    Ok(stamps)
}

/// Whether a file is as it was, and for a recording its captions too: they come in with it.
fn is_as_before(entry: &walkdir::DirEntry, known: &HashMap<String, Stamp>) -> bool {
    let same = |entry: &walkdir::DirEntry| {
        stamp(entry).is_some_and(|(path, stamp)| known.get(&path) == Some(&stamp))
    };
    let name = entry.file_name().to_string_lossy();
    let (true, Some(folder)) = (same(entry), entry.path().parent()) else { return false };
    if !Purpose::of(&name).is_recording() {
        return true;
    }
    let beside = WalkDir::new(folder).min_depth(1).max_depth(1).into_iter().flatten();
    beside
        .filter(|other| {
            other.file_type().is_file() && hear::belongs(&other.file_name().to_string_lossy(), &name)
        })
        .all(|captions| same(&captions))
}

/// `None` for a file whose path is no text, which is read every time.
fn stamp(entry: &walkdir::DirEntry) -> Option<(String, Stamp)> {
    let found = entry.metadata().ok()?;
    let changed = found.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    let changed = u64::try_from(changed.as_nanos()).ok()?;
    Some((entry.path().to_str()?.to_owned(), Stamp { changed, size: found.len() }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::detect::CorpusFormat;

    fn names(arguments: &[&str]) -> Vec<String> {
        let arguments: Vec<String> = arguments.iter().map(|&a| a.to_owned()).collect();
        incoming(&arguments, &SourceOptions::default())
            .map(|item| item.map_or_else(|error| format!("! {error}"), |incoming| incoming.name))
            .collect()
    }

    #[test]
    fn a_folder_gives_its_files_by_name_and_nothing_from_outside() {
        let home = tempfile::tempdir().unwrap();
        let root = home.path().join("course");
        std::fs::create_dir_all(root.join("b/.git")).unwrap();
        std::fs::write(home.path().join("secret.txt"), "secret").unwrap();
        for name in [
            "z.txt",
            "a name with \u{202e} and\nlines.md",
            ".hidden",
            "b/.git/config",
            "b/c.txt",
            "b/'; drop --.txt",
        ] {
            std::fs::write(root.join(name), "words").unwrap();
        }
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(home.path().join("secret.txt"), root.join("link.txt")).unwrap();
            std::os::unix::fs::symlink(home.path(), root.join("up")).unwrap();
        }
        let found = names(&[root.to_str().unwrap()]);
        assert_eq!(found, ["a name with \u{202e} and\nlines.md", "'; drop --.txt", "c.txt", "z.txt"]);
        let empty = home.path().join("empty");
        std::fs::create_dir(&empty).unwrap();
        assert!(names(&[empty.to_str().unwrap()])[0].contains("holds no files"));
        assert!(
            names(&["no/such/file", root.join("z.txt").to_str().unwrap()])[0]
                .starts_with("! there is no file")
        );
    }

    #[test]
    fn bytes_come_whole_up_to_the_cap_or_as_a_stream() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("big.jsonl");
        let line = "{\"_id\":\"a\",\"text\":\"x\"}\n";
        std::fs::write(&path, line.repeat(10_000)).unwrap();
        let open = || file(&path).unwrap();
        let size = (line.len() * 10_000) as u64;
        assert_eq!(open().kind().unwrap(), Kind::Corpus(CorpusFormat::JsonLines));
        assert_eq!(open().size, Some(size));
        assert_eq!(open().read(size).unwrap().len() as u64, size);
        let error = open().read(size - 1).unwrap_err();
        assert!(matches!(error, SourceError::Content(ExtractError::TooLarge { .. })), "{error}");
        assert!(!error.hint().is_empty());
        assert_eq!(open().into_content().unwrap().size(), Some(size));
        // A stream that does not know its size is cut off at the cap as well.
        let endless = Incoming::open("s".into(), "n".into(), None, Box::new(io::repeat(b'x'))).unwrap();
        assert!(endless.read(100_000).is_err());
    }

    #[test]
    fn the_same_path_in_other_words_is_the_same_source() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join("b")).unwrap();
        std::fs::write(home.path().join("a.txt"), "x").unwrap();
        let winding = home.path().join("b/../a.txt");
        assert_eq!(file(&winding).unwrap().source, file(&home.path().join("a.txt")).unwrap().source);
    }
}
