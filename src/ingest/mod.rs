//! Bytes become searchable: detect, extract, chunk, embed, record. The pipeline, top to bottom, is [`Ingest::batch`].
//!
//! Items come from [`source`] (files, folders, pages), uploads and the job queue. A batch is one transaction: when
//! it returns, everything in it is durable and searchable; when it fails or is dropped, nothing of it is there.
//! What one item lacks is that item's own failure and does not hold up the others.

pub mod chunk;
pub mod detect;
pub mod extract;
pub mod hear;
pub mod holding;
pub mod items;
pub mod ocr;
pub mod pictures;
pub mod prepare;
pub mod sandbox;
pub mod site;
pub mod source;

mod together;
mod watch;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;

use crate::collection::{CollectionError, Collections};
use crate::domain::{
    ContentHash, CreatorId, Document, DocumentId, EmbeddingModelId, MediaType, Receipt, Text, Timestamp,
};
use crate::inference::embedders::Embedders;
use crate::inference::{EmbedInput, EmbedRole, Embedder, Lane, ModelError};
use crate::store::{Outcome, Store, StoreError};

use chunk::ChunkOptions;
use detect::Kind;
use extract::{ExtractError, Limits};
use hear::{HearError, Hearing, Listen, MediaFile, Original};
use prepare::{Prepared, PreparedChunk};
use sandbox::{Reader, Reading, Sandbox};

/// Texts given to the embedding model at once: enough to fill its batches, few enough to cancel soon.
const EMBED_BATCH: usize = 64;

/// What ingestion needs.
#[derive(Clone)]
pub struct Ingest {
    pub store: Store,
    pub collections: Arc<Collections>,
    pub embedders: Arc<Embedders>,
    pub options: IngestOptions,
    pub hearing: Hearing,
    pub now: fn() -> Timestamp,
}

/// How documents are read and cut.
#[derive(Debug, Clone, Default)]
pub struct IngestOptions {
    pub limits: Limits,
    pub chunks: ChunkOptions,
    /// What recognises the words of scans.
    pub ocr: ocr::Ocr,
    /// Where foreign bytes are read.
    pub sandbox: Sandbox,
}

/// One document's bytes on their way in.
#[derive(Debug, Clone)]
pub struct Item {
    /// What names it within its creator: a path, an address, an upload's name, `corpus:ID` for records.
    pub source: String,
    /// The name that says what kind of bytes these may be.
    pub name: String,
    pub external_id: Option<String>,
    /// Overrides the title that the document gives itself.
    pub title: Option<String>,
    pub password: Option<String>,
    /// What it stands under, outermost first: the modules and lessons of a package, the folders of a folder.
    pub path: Vec<String>,
    /// What is already known to be missing, for the document's warnings.
    pub warnings: Vec<String>,
    /// Captions that belong to a recording.
    pub captions: Option<Bytes>,
    /// The source of the file, site or feed that it came out of, with others.
    pub package: Option<String>,
    /// It lies among others in a folder or a package, where a picture without words is nothing that anybody misses.
    pub among: bool,
    pub payload: Payload,
}

/// What there is to read.
#[derive(Debug, Clone)]
pub enum Payload {
    /// A file's bytes; the original is kept.
    File(Bytes),
    /// A record of a corpus: its words are the original.
    Record(String),
    /// A recording, which is not held in memory; the original is kept.
    Recording(MediaFile),
    /// A recording that was listened to.
    Heard { media: MediaType, original: Original, text: Box<Text> },
}

impl Item {
    /// A file that was uploaded under this name.
    pub fn upload(name: &str, bytes: impl Into<Bytes>) -> Self {
        Self::file(format!("upload:{name}"), name.to_owned(), bytes)
    }

    /// A file whose job carries only its source.
    pub fn queued(source: &str, bytes: impl Into<Bytes>) -> Self {
        let name = source.strip_prefix("upload:").unwrap_or(source).to_owned();
        Self::file(source.to_owned(), name, bytes)
    }

    /// A file from somewhere.
    pub fn file(source: String, name: String, bytes: impl Into<Bytes>) -> Self {
        Self {
            source,
            name,
            external_id: None,
            title: None,
            password: None,
            path: Vec::new(),
            warnings: Vec::new(),
            captions: None,
            package: None,
            among: false,
            payload: Payload::File(bytes.into()),
        }
    }

    /// A recording on the disk.
    pub fn recording(source: String, name: String, file: MediaFile) -> Self {
        Self { payload: Payload::Recording(file), ..Self::file(source, name, Bytes::new()) }
    }

    /// A line of a corpus.
    pub fn record(external_id: String, title: String, text: String) -> Self {
        Self {
            source: format!("corpus:{external_id}"),
            name: external_id.clone(),
            external_id: Some(external_id),
            title: Some(title).filter(|title| !title.trim().is_empty()),
            password: None,
            path: Vec::new(),
            warnings: Vec::new(),
            captions: None,
            package: None,
            among: false,
            payload: Payload::Record(text),
        }
    }

    /// How many bytes it holds.
    pub fn size(&self) -> usize {
        match &self.payload {
            Payload::File(bytes) => bytes.len(),
            Payload::Record(text) => text.len(),
            Payload::Recording(file) => usize::try_from(file.bytes).unwrap_or(usize::MAX),
            Payload::Heard { original, .. } => usize::try_from(original.size()).unwrap_or(usize::MAX),
        }
    }

    /// What names its bytes. Reads a recording; on a blocking thread, then.
    fn content(&self) -> Result<ContentHash, ExtractError> {
        Ok(match &self.payload {
            Payload::Recording(MediaFile { path, .. })
            | Payload::Heard { original: Original::File(MediaFile { path, .. }), .. } => {
                let file = std::fs::File::open(path);
                let read = file.and_then(ContentHash::of_reader);
                read.map_err(|_| ExtractError::Damaged("recording"))?
            }
            Payload::File(bytes) | Payload::Heard { original: Original::Bytes(bytes), .. } => {
                ContentHash::of(bytes)
            }
            Payload::Record(text) => {
                let title = self.title.as_deref().unwrap_or_default();
                ContentHash::of(format!("{title}\n\n{text}").as_bytes())
            }
        })
    }
}

/// What became of an item.
#[derive(Debug, Clone)]
pub struct Ingested {
    pub document: DocumentId,
    pub media: MediaType,
    pub outcome: Outcome,
    pub documents: usize,
    pub chunks: usize,
    pub warnings: Vec<String>,
    /// What it came out of.
    pub package: Option<String>,
    /// How many documents came, changed and left.
    pub receipt: Receipt,
    /// Another document of the creator that it is nearly the same as.
    pub near_duplicate_of: Option<DocumentId>,
    /// Titles of documents that left, because nothing holds them any more.
    pub removed: Vec<String>,
}

/// Why an item did not come in.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    #[error("{name}: {error}")]
    Extract { name: String, error: ExtractError },
    /// A picture among other files.
    #[error("{name}: {error}")]
    Wordless { name: String, error: ExtractError },
    #[error(transparent)]
    Item(#[from] items::ItemError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Model(#[from] ModelError),
    #[error(transparent)]
    Collection(#[from] CollectionError),
    #[error("reading the document crashed")]
    Crashed,
}

impl IngestError {
    /// Whether the same item may work later.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Extract { error: ExtractError::NoReader(_), .. } => true,
            Self::Extract { .. } | Self::Wordless { .. } | Self::Item(_) | Self::Crashed => false,
            Self::Store(_) | Self::Collection(_) => true,
            Self::Model(error) => matches!(error, ModelError::Busy { .. } | ModelError::Unavailable(_)),
        }
    }
}

impl Ingest {
    /// Brings one file in; of a package or a mailbox all that it holds, in several transactions. Then the result
    /// counts all documents and names the first, and what could not be read is a warning unless nothing could.
    pub async fn one(&self, creator: &CreatorId, item: Item) -> Result<Ingested, IngestError> {
        if items::may_hold_others(&item) {
            return together::all(self, creator, item).await;
        }
        let mut results = self.batch(creator, vec![item]).await?;
        results.pop().unwrap_or(Err(IngestError::Crashed))
    }

    /// Embeds every chunk of a collection with the model named `embedder` (else the default one) and swaps all
    /// vectors at once; until then answers come from the old ones. `progress` gets chunks done and chunks in all.
    pub async fn reindex(
        &self,
        creator: &CreatorId,
        embedder: Option<&str>,
        mut progress: impl FnMut(u64, u64),
    ) -> Result<EmbeddingModelId, IngestError> {
        let (embedders, name) = (self.embedders.clone(), embedder.map(str::to_owned));
        let model = blocking(move || embedders.get(name.as_deref())).await??;
        let mut ids = Vec::new();
        for document in self.store.documents(creator).await? {
            ids.extend(self.store.document_chunks(&document.id).await?);
        }
        let (total, mut vectors) = (ids.len() as u64, Vec::with_capacity(ids.len()));
        for some in ids.chunks(EMBED_BATCH) {
            let chunks: Vec<_> = self.store.hydrate(creator, some).await?.into_iter().flatten().collect();
            let inputs = chunks
                .iter()
                .map(|found| EmbedInput {
                    text: prepare::embed_text(&found.document.title, &found.chunk.anchor, &found.chunk.text),
                    role: EmbedRole::Passage,
                })
                .collect();
            let embedded = model.embed(inputs, Lane::Background).await?;
            vectors.extend(
                chunks.iter().map(|found| found.chunk.id).zip(embedded.into_iter().map(|vector| vector.0)),
            );
            progress(vectors.len() as u64, total);
        }
        self.store.replace_vectors(creator, model.model().clone(), vectors).await?;
        self.collections.forget(creator);
        Ok(model.model().clone())
    }

    /// Brings items in, in one transaction; the results stand in the order of the items. The outer error is one
    /// that concerns all of them.
    pub async fn batch(
        &self,
        creator: &CreatorId,
        items: Vec<Item>,
    ) -> Result<Vec<Result<Ingested, IngestError>>, IngestError> {
        let origins: Vec<_> = items.iter().map(holding::Origin::of).collect();
        let mut results = self.bring(creator, items).await?;
        self.note_holders(creator, origins, &mut results).await?;
        Ok(results)
    }

    async fn bring(
        &self,
        creator: &CreatorId,
        items: Vec<Item>,
    ) -> Result<Vec<Result<Ingested, IngestError>>, IngestError> {
        let collection = self.store.creator(creator).await?;
        let items = blocking(move || {
            let hashed = items.into_iter().map(|item| (item.content(), item));
            hashed.collect::<Vec<(Result<ContentHash, ExtractError>, Item)>>()
        })
        .await?;
        // What cannot be read has no hash; it fails below and is not looked up.
        let nothing = ContentHash([0; 32]);
        let names: Vec<_> = items
            .iter()
            .map(|(hash, item)| {
                (DocumentId::of_source(creator, &item.source), *hash.as_ref().unwrap_or(&nothing))
            })
            .collect();
        let known = self.store.known(creator, &names).await?;
        let (items, heard) = self.hear(creator, items, known).await?;

        let (options, owner, now) = (self.options.clone(), creator.clone(), (self.now)());
        // When this future is dropped, nobody wants what is being read.
        let wanted = Wanted::default();
        let dropped = wanted.0.clone();
        let mut read: Vec<Read> = blocking(move || {
            let stop = move || dropped.load(Ordering::Relaxed);
            let reading = Reading { sandbox: &options.sandbox, limits: &options.limits, stop: &stop };
            let mut reader = Reader::new(reading);
            let mut prepare =
                |content, item| prepare::prepare(&owner, item, content, &options, now, &mut reader);
            let read = items.into_iter().map(|look| match look {
                Look::Known(document, said) => Read::Known(document, said),
                Look::Failed(error) => Read::Failed(error),
                Look::New(content, item) => match prepare(content, *item) {
                    Ok(prepared) => Read::New(Box::new(prepared)),
                    Err(error) => Read::Failed(error),
                },
            });
            read.collect()
        })
        .await?;

        if !read.iter().any(|one| one.prepared().is_some()) {
            return self.record(creator, read, None).await;
        }
        let (embedders, name) = (self.embedders.clone(), collection.embedding.map(|model| model.name));
        let embedder = blocking(move || embedders.get(name.as_deref())).await??;
        self.embed(&mut read, embedder.as_ref()).await?;
        // Held until the records that name them are there: else they could be taken for orphans.
        let mut originals = Vec::new();
        for original in read.iter().filter_map(|one| one.prepared()?.original.clone()) {
            originals.push(match original {
                Original::Bytes(bytes) => self.store.blobs().put(bytes).await?,
                Original::File(file) => self.store.blobs().put_file(file.path).await?,
            });
        }
        let recorded = self.record(creator, read, Some(embedder.model().clone())).await?;
        for content in heard {
            self.hearing.forget(creator, content).await;
        }
        Ok(recorded)
    }

    /// Sorts out what is known and listens to the recordings among the rest, one after another; also gives the contents
    /// that were listened to.
    async fn hear(
        &self,
        creator: &CreatorId,
        items: Vec<(Result<ContentHash, ExtractError>, Item)>,
        known: Vec<Option<DocumentId>>,
    ) -> Result<(Vec<Look>, Vec<ContentHash>), IngestError> {
        let (mut looks, mut heard) = (Vec::with_capacity(items.len()), Vec::new());
        for ((content, mut item), known) in items.into_iter().zip(known) {
            let content = match content {
                Ok(content) => content,
                Err(error) => {
                    looks.push(Look::Failed(IngestError::Extract { name: item.name, error }));
                    continue;
                }
            };
            if let Some(id) = known
                && !self.is_to_be_heard(creator, &id, &item).await?
            {
                looks.push(Look::Known(id, item.warnings));
                continue;
            }
            let Some((media, original)) = recording(&item) else {
                looks.push(Look::New(content, Box::new(item)));
                continue;
            };
            let listen = Listen {
                creator,
                source: &item.source,
                name: &item.name,
                content,
                original: original.clone(),
                captions: item.captions.clone(),
                limits: &self.options.limits,
            };
            match self.hearing.words(listen).await {
                Ok(text) => {
                    item.payload = Payload::Heard { media, original, text: Box::new(text) };
                    heard.push(content);
                    looks.push(Look::New(content, Box::new(item)));
                }
                Err(HearError::Extract(error)) => {
                    looks.push(Look::Failed(IngestError::Extract { name: item.name, error }));
                }
                Err(HearError::Model(error)) => looks.push(Look::Failed(error.into())),
            }
        }
        Ok((looks, heard))
    }

    /// Whether a recording is known that nobody could listen to, and now somebody can; or whose captions say something
    /// else than what is kept of it, as when they came later.
    async fn is_to_be_heard(
        &self,
        creator: &CreatorId,
        id: &DocumentId,
        item: &Item,
    ) -> Result<bool, IngestError> {
        if *id != DocumentId::of_source(creator, &item.source) {
            return Ok(false);
        }
        let document = self.store.document(id).await?.filter(|document| document.media.is_recording());
        let Some(document) = document else { return Ok(false) };
        if let Some(captions) = &item.captions
            && let Ok(words) = self.hearing.captions(captions.clone(), &self.options.limits).await
        {
            let kept = self.store.document_text(id).await?;
            return Ok(kept.is_none_or(|(text, _)| text != words.text));
        }
        let is_unheard = document.warnings.iter().any(|one| one.starts_with(hear::UNHEARD));
        Ok(is_unheard && (item.captions.is_some() || self.hearing.can_hear().await))
    }

    /// Vectors for every chunk of every item that is new.
    async fn embed(&self, read: &mut [Read], embedder: &dyn Embedder) -> Result<(), IngestError> {
        let mut chunks: Vec<&mut PreparedChunk> = read
            .iter_mut()
            .filter_map(|one| if let Read::New(new) = one { Some(new) } else { None })
            .flat_map(|new| new.chunks.iter_mut())
            .collect();
        for some in chunks.chunks_mut(EMBED_BATCH) {
            let inputs = some
                .iter_mut()
                .map(|chunk| EmbedInput {
                    text: std::mem::take(&mut chunk.embed_text),
                    role: EmbedRole::Passage,
                })
                .collect();
            let vectors = embedder.embed(inputs, Lane::Background).await?;
            for (chunk, vector) in some.iter_mut().zip(vectors) {
                chunk.vector = vector.0;
            }
        }
        Ok(())
    }

    /// One store call for all that is new, then the index in memory.
    async fn record(
        &self,
        creator: &CreatorId,
        read: Vec<Read>,
        model: Option<EmbeddingModelId>,
    ) -> Result<Vec<Result<Ingested, IngestError>>, IngestError> {
        let (mut results, mut documents, mut rows) = (Vec::with_capacity(read.len()), Vec::new(), Vec::new());
        // Where the result of each new document stands.
        let mut places = Vec::new();
        for one in read {
            match one {
                Read::Failed(error) => results.push(Err(error)),
                Read::Known(id, said) => {
                    let document = self.store.document(&id).await?.ok_or(StoreError::NoDocument(id))?;
                    let mut known = Ingested::unchanged(&document);
                    let new = said.into_iter().filter(|warning| !document.warnings.contains(warning));
                    known.warnings.extend(new);
                    results.push(Ok(known));
                }
                Read::New(new) => {
                    places.push(results.len());
                    results.push(Ok(Ingested::unchanged(&new.document)));
                    let new = new.split();
                    documents.push(new.0);
                    rows.push(new.1);
                }
            }
        }
        if documents.is_empty() {
            return Ok(results);
        }
        let recorded = self.store.record(creator, model, documents).await?;
        for (place, recorded) in places.into_iter().zip(&recorded) {
            let Some(Ok(ingested)) = results.get_mut(place) else { continue };
            // Another one when that has the same content.
            ingested.document = recorded.document.clone();
            ingested.outcome = recorded.outcome;
            ingested.receipt = holding::counted(recorded.outcome);
            ingested.chunks = recorded.added.len();
            ingested.near_duplicate_of.clone_from(&recorded.near);
        }
        self.collections.apply(creator, recorded, rows).await?;
        Ok(results)
    }
}

/// An item before it is read.
enum Look {
    /// The same bytes are there already, as this document; and what is to be said of this pass.
    Known(DocumentId, Vec<String>),
    New(ContentHash, Box<Item>),
    Failed(IngestError),
}

/// What an item is that has to be listened to.
fn recording(item: &Item) -> Option<(MediaType, Original)> {
    let (kind, original) = match &item.payload {
        Payload::File(bytes) => (detect::detect(bytes, &item.name), Original::Bytes(bytes.clone())),
        Payload::Recording(file) => {
            let head = source::head(&file.path).unwrap_or_default();
            (detect::detect(&head, &item.name), Original::File(file.clone()))
        }
        Payload::Record(_) | Payload::Heard { .. } => return None,
    };
    match kind {
        Ok(Kind::Document(media)) if media.is_recording() => Some((media, original)),
        _ => None,
    }
}

/// An item after it was looked at.
enum Read {
    /// The same bytes are there already, as this document; and what is to be said of this pass.
    Known(DocumentId, Vec<String>),
    New(Box<Prepared>),
    Failed(IngestError),
}

impl Read {
    fn prepared(&self) -> Option<&Prepared> {
        if let Self::New(new) = self { Some(new) } else { None }
    }
}

impl Ingested {
    fn unchanged(document: &Document) -> Self {
        Self {
            document: document.id.clone(),
            media: document.media,
            outcome: Outcome::Unchanged,
            documents: 1,
            chunks: 0,
            warnings: document.warnings.clone(),
            package: None,
            receipt: holding::counted(Outcome::Unchanged),
            near_duplicate_of: None,
            removed: Vec::new(),
        }
    }
}

/// Says when dropped that the work is no longer wanted.
#[derive(Default)]
struct Wanted(Arc<AtomicBool>);

impl Drop for Wanted {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Runs computing off the async threads.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, IngestError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        tracing::error!(%error, "reading a document crashed");
        IngestError::Crashed
    })
}
