//! An item's bytes become a document with chunks: everything of ingestion that is pure.
//!
//! No store, no model: vectors are still empty here. Called by the pipeline on a blocking thread.

use super::chunk::{ChunkDraft, chunk};
use super::detect::{Kind, detect};
use super::extract::ExtractError;
use super::hear::Original;
use super::ocr::Ocr;
use super::sandbox::Reader;
use super::{IngestError, IngestOptions, Item, Payload};
use crate::collection::Row;
use crate::domain::{
    Anchor, Block, ContentHash, CreatorId, Document, DocumentId, MediaType, Signature, Text, Timestamp,
};
use crate::index::analyze::{ChunkTerms, Language};
use crate::store::{NewChunk, NewDocument};

/// Characters of a document that its language is recognised from.
const LANGUAGE_SAMPLE: usize = 4_000;

/// A document ready for its vectors.
pub struct Prepared {
    pub document: Document,
    pub text: String,
    pub blocks: Vec<Block>,
    pub chunks: Vec<PreparedChunk>,
    /// The bytes to keep, for files.
    pub original: Option<Original>,
    /// Of its words, to be compared with others.
    pub signature: Option<Signature>,
}

/// A chunk with what its indexes need.
pub struct PreparedChunk {
    pub draft: ChunkDraft,
    pub terms: ChunkTerms,
    /// What the embedding model reads: title, headings and words.
    pub embed_text: String,
    pub vector: Vec<f32>,
}

impl Prepared {
    /// What the store keeps, and what the index in memory needs.
    pub fn split(self) -> (NewDocument, Vec<Row>) {
        let (mut chunks, mut rows) =
            (Vec::with_capacity(self.chunks.len()), Vec::with_capacity(self.chunks.len()));
        for chunk in self.chunks {
            let (terms, vector) = (chunk.terms.to_bytes(), chunk.vector.clone());
            chunks.push(NewChunk { span: chunk.draft.span, anchor: chunk.draft.anchor, terms, vector });
            rows.push((chunk.terms, chunk.vector));
        }
        let Self { document, text, blocks, signature, .. } = self;
        (NewDocument { document, text, blocks, chunks, signature }, rows)
    }
}

/// Reads and cuts an item. The reader alone touches foreign bytes; all else works on the words that it gave.
pub fn prepare(
    creator: &CreatorId,
    mut item: Item,
    content: ContentHash,
    options: &IngestOptions,
    now: Timestamp,
    reader: &mut Reader,
) -> Result<Prepared, IngestError> {
    let name = item.name.clone();
    let is_beside =
        item.among && matches!(&item.payload, Payload::File(bytes) if is_picture(bytes, &item.name));
    let failed = |error: ExtractError| match error {
        ExtractError::Picture | ExtractError::NoText | ExtractError::Damaged(_) if is_beside => {
            IngestError::Wordless { name, error }
        }
        error => IngestError::Extract { name, error },
    };
    let bytes = item.size() as u64;
    let (media, text, original) = read(&mut item, reader, &options.ocr).map_err(failed)?;
    let title = item.title.clone().or_else(|| text.title.clone()).unwrap_or_else(|| stem(&item.name));
    let title = with_path(&item.path, title);
    let language = language(&text.text);
    let document = Document {
        id: DocumentId::of_source(creator, &item.source),
        creator: creator.clone(),
        external_id: item.external_id,
        title,
        source: item.source,
        media,
        content,
        language,
        bytes,
        pages: text.pages,
        created_at: now,
        warnings: item.warnings.into_iter().chain(text.warnings.iter().map(|one| one.0.clone())).collect(),
    };
    let drafts = chunk(&text, &options.chunks).into_iter();
    let chunks = drafts.map(|draft| prepare_chunk(draft, &text, &document)).collect();
    // Records are many, short and often alike.
    let signature = (media != MediaType::Record).then(|| Signature::of(&text.text)).flatten();
    Ok(Prepared { document, text: text.text, blocks: text.blocks, chunks, original, signature })
}

fn read(
    item: &mut Item,
    reader: &mut Reader,
    ocr: &Ocr,
) -> Result<(MediaType, Text, Option<Original>), ExtractError> {
    if let Payload::Heard { media, original, text } = &mut item.payload {
        return Ok((*media, std::mem::take(text.as_mut()), Some(original.clone())));
    }
    let password = item.password.as_deref();
    let (media, text) = match &item.payload {
        Payload::File(bytes) if is_picture(bytes, &item.name) => {
            let (limit, bytes_here) = (reader.limits().bytes(MediaType::Picture), bytes.len() as u64);
            if bytes_here > limit {
                return Err(ExtractError::TooLarge { bytes: bytes_here, limit });
            }
            (MediaType::Picture, ocr.picture(bytes, reader.stop())?)
        }
        Payload::File(bytes) => {
            let read = reader.read(&item.name, &item.payload, password);
            ocr.complete(read, bytes, password, reader)?
        }
        _ => reader.read(&item.name, &item.payload, password)?,
    };
    let original = match &item.payload {
        Payload::File(bytes) => Some(Original::Bytes(bytes.clone())),
        _ => None,
    };
    Ok((media, text, original))
}

fn is_picture(bytes: &[u8], name: &str) -> bool {
    matches!(detect(bytes, name), Ok(Kind::Document(MediaType::Picture)))
}

fn prepare_chunk(draft: ChunkDraft, text: &Text, document: &Document) -> PreparedChunk {
    let words = draft.span.of(&text.text);
    let heading = draft.anchor.heading.as_deref();
    let language = document.language.as_deref().map_or(Language::ENGLISH, Language::of_code);
    let terms = ChunkTerms::of(&document.title, heading, words, language);
    let embed_text = embed_text(&document.title, &draft.anchor, words);
    PreparedChunk { draft, terms, embed_text, vector: Vec::new() }
}

/// What an embedding model reads of a chunk: its words under title and headings. Without them retrieval loses .04 MRR
/// (measured on course lessons).
pub fn embed_text(title: &str, anchor: &Anchor, words: &str) -> String {
    anchor.under_titles(title, words)
}

/// ISO 639-1 of the language, when it is recognised with certainty.
fn language(text: &str) -> Option<String> {
    let sample: String = text.chars().take(LANGUAGE_SAMPLE).collect();
    Language::of_text(&sample).map(|language| language.code().to_owned())
}

/// `Week 2 › Varnish › Drying`: what a document stands under is part of its title, so that it is found and cited by it.
fn with_path(path: &[String], title: String) -> String {
    let above = path.iter().map(|name| name.trim()).filter(|name| !name.is_empty());
    let mut names: Vec<&str> = above.chain([title.as_str()]).collect();
    names.dedup();
    names.join(" › ")
}

/// `lessons/Cold wax.md` → `Cold wax`.
fn stem(name: &str) -> String {
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let title = stem.replace(['_', '-'], " ");
    if title.trim().is_empty() { "Untitled".to_owned() } else { title.trim().to_owned() }
}
