//! Documents with their words and chunks: recorded, replaced, read and deleted, each in one transaction.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Store;
use super::accounts::{counts_of, creator_of, next_number, save_counts, save_creator};
use super::codec::{
    StoredChunk, StoredCreator, StoredDocument, content_key, creator_chunk, damaged, id_at_end, key,
    read_blocks, read_chunk, read_json, write_blocks, write_chunk, write_json, write_number, write_terms,
    write_vector,
};
use super::rows::append_change;
use super::tables::{Reading, Rows, Writing};
use super::{conversations, corrections, holders, jobs, likeness, webhooks};
use crate::domain::{
    Block, Chunk, ChunkId, ContentHash, CreatorId, Document, DocumentId, EmbeddingModelId, Event, EventKind,
    JobId, Matter, MediaType, Span, Subject,
};
use crate::store::{Counts, Hydrated, IndexChange, NewDocument, Outcome, Recorded, StoreError};

impl Store {
    /// Records all of `documents` or none, in order. A document whose content the creator has already is
    /// unchanged, under whatever source it came (records of a corpus are compared under their own id alone); one
    /// whose id has other content is replaced. `model` made the vectors and must be the collection's own.
    pub async fn record(
        &self,
        creator: &CreatorId,
        model: Option<EmbeddingModelId>,
        documents: Vec<NewDocument>,
    ) -> Result<Vec<Recorded>, StoreError> {
        let creator = creator.clone();
        self.write(move |tables| record_all(tables, &creator, model.as_ref(), &documents)).await
    }

    /// For each pair the document that [`Store::record`] would leave unchanged, if there is one: a cheap look before
    /// reading and embedding.
    pub async fn known(
        &self,
        creator: &CreatorId,
        contents: &[(DocumentId, ContentHash)],
    ) -> Result<Vec<Option<DocumentId>>, StoreError> {
        let (creator, contents) = (creator.clone(), contents.to_vec());
        self.read(move |tables| {
            let number = creator_of(&tables.creators, &creator)?.number;
            let documents = &tables.documents;
            let known = |(id, content): &(DocumentId, ContentHash)| match find(documents, id)? {
                Some(stored) => Ok((stored.document.content == *content).then(|| id.clone())),
                None => same_content(documents, &tables.contents, number, *content),
            };
            contents.iter().map(known).collect()
        })
        .await
    }

    /// Deletes all of `ids` or, when one is not this creator's, none; gives the chunks that are gone. Kept answers
    /// that cite one lose their words, and the original bytes go unless something else uses them. The words stay
    /// in free pages of the file until [`Store::purge`].
    pub async fn delete_documents(
        &self,
        creator: &CreatorId,
        ids: &[DocumentId],
    ) -> Result<Vec<ChunkId>, StoreError> {
        let (creator, ids) = (creator.clone(), ids.iter().cloned().collect::<BTreeSet<_>>());
        self.write(move |tables| delete_all(tables, &creator, &ids)).await
    }

    /// The document of this id, whoever owns it.
    pub async fn document(&self, id: &DocumentId) -> Result<Option<Document>, StoreError> {
        let id = id.clone();
        self.read(move |tables| Ok(find(&tables.documents, &id)?.map(|stored| stored.document))).await
    }

    /// A creator's documents, newest first.
    pub async fn documents(&self, creator: &CreatorId) -> Result<Vec<Document>, StoreError> {
        let documents = self.documents_with_chunks(creator).await?;
        Ok(documents.into_iter().map(|(document, _)| document).collect())
    }

    /// A creator's documents with the number of their chunks, newest first.
    pub async fn documents_with_chunks(
        &self,
        creator: &CreatorId,
    ) -> Result<Vec<(Document, u32)>, StoreError> {
        let creator = creator.clone();
        self.read(move |tables| {
            let number = creator_of(&tables.creators, &creator)?.number;
            let mut documents = Vec::new();
            for row in tables.creator_documents.under(&number.to_be_bytes())? {
                let id: DocumentId = id_at_end(row?.0.value())?;
                let stored = find(&tables.documents, &id)?
                    .ok_or_else(|| damaged(&format!("document {id} is listed but not there")))?;
                documents.push((stored.document, stored.chunks));
            }
            documents.sort_by(|(a, _), (b, _)| (b.created_at, &b.id).cmp(&(a.created_at, &a.id)));
            Ok(documents)
        })
        .await
    }

    /// The chunks of a document, in order; none when there is no such document.
    pub async fn document_chunks(&self, id: &DocumentId) -> Result<Vec<ChunkId>, StoreError> {
        let id = id.clone();
        self.read(move |tables| {
            let stored = find(&tables.documents, &id)?;
            Ok(stored.map(|stored| stored.chunk_ids().collect()).unwrap_or_default())
        })
        .await
    }

    /// The words of a document and its blocks.
    pub async fn document_text(&self, id: &DocumentId) -> Result<Option<(String, Vec<Block>)>, StoreError> {
        let id = id.clone();
        self.read(move |tables| {
            let name = id.as_str().as_bytes();
            let (Some(text), Some(blocks)) = (tables.texts.fetch(name)?, tables.blocks.fetch(name)?) else {
                return Ok(None);
            };
            let text = String::from_utf8(text).map_err(|_| damaged(&format!("the text of document {id}")))?;
            Ok(Some((text, read_blocks(&blocks, &id)?)))
        })
        .await
    }

    /// For each pair the blocks of the document that reach into the span, in order; none for a document that is gone.
    pub async fn blocks_within(&self, spans: &[(DocumentId, Span)]) -> Result<Vec<Vec<Block>>, StoreError> {
        let spans = spans.to_vec();
        self.read(move |tables| {
            let mut decoded: BTreeMap<&DocumentId, Vec<Block>> = BTreeMap::new();
            for (id, _) in &spans {
                if let (false, Some(blocks)) =
                    (decoded.contains_key(id), tables.blocks.fetch(id.as_str().as_bytes())?)
                {
                    decoded.insert(id, read_blocks(&blocks, id)?);
                }
            }
            let within = |(id, span): &(DocumentId, Span)| {
                let blocks = decoded.get(id).map(Vec::as_slice).unwrap_or_default();
                let reaches = |block: &&Block| block.span.start < span.end && block.span.end > span.start;
                blocks.iter().filter(reaches).cloned().collect()
            };
            Ok(spans.iter().map(within).collect())
        })
        .await
    }

    /// The chunks with their documents, in order; `None` for one that is gone or another creator's.
    pub async fn hydrate(
        &self,
        creator: &CreatorId,
        chunks: &[ChunkId],
    ) -> Result<Vec<Option<Hydrated>>, StoreError> {
        let (creator, chunks) = (creator.clone(), chunks.to_vec());
        self.read(move |tables| hydrate_all(tables, &creator, &chunks)).await
    }

    /// Deletes blobs that no document and no open job uses, as a crash leaves them; gives their number.
    pub async fn sweep_blobs(&self) -> Result<usize, StoreError> {
        let sweep = |shared: &super::Shared| {
            // On the writer's thread, so that no use is recorded between looking and deleting.
            let live = shared.read(|tables| {
                let mut live = std::collections::HashSet::new();
                for table in [&tables.contents, &tables.job_contents] {
                    for row in table.under(b"")? {
                        let row = row?;
                        let content =
                            row.0.value().first_chunk().ok_or_else(|| damaged("a content's key"))?;
                        live.insert(ContentHash(*content));
                    }
                }
                Ok(live)
            })?;
            shared.blobs.sweep_now(&live)
        };
        self.inner.writer.alone(sweep).await
    }
}

/// Whether a document or an open job needs the original bytes.
pub fn content_used(tables: &Reading, content: ContentHash) -> Result<bool, StoreError> {
    for table in [&tables.contents, &tables.job_contents] {
        if table.under(&content.0)?.next().transpose()?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The stored document, if there is one.
pub fn find(documents: &impl Rows, id: &DocumentId) -> Result<Option<StoredDocument>, StoreError> {
    let bytes = documents.fetch(id.as_str().as_bytes())?;
    bytes.map(|bytes| read_json(&bytes, format!("document {id}"))).transpose()
}

fn record_all(
    tables: &mut Writing,
    creator: &CreatorId,
    model: Option<&EmbeddingModelId>,
    documents: &[NewDocument],
) -> Result<Vec<Recorded>, StoreError> {
    let mut stored = creator_of(&tables.creators, creator)?;
    if let (Some(has), Some(got)) = (&stored.creator.embedding, model)
        && has != got
    {
        let (has, got) = (model_name(has), model_name(got));
        return Err(StoreError::OtherModel { creator: creator.clone(), has, got });
    }
    for new in documents {
        check(creator, model, new)?;
    }
    let mut counts = counts_of(&tables.counts, stored.number)?;
    let mut recorded = Vec::with_capacity(documents.len());
    for new in documents {
        recorded.push(record_one(tables, &mut stored, &mut counts, new)?);
    }
    if recorded.iter().any(|recorded| recorded.outcome != Outcome::Unchanged) {
        stored.creator.generation += 1;
        if stored.creator.embedding.is_none() {
            stored.creator.embedding = model.cloned();
        }
        save_creator(tables, &stored)?;
        save_counts(tables, stored.number, counts)?;
        tell(tables, creator, stored.number, documents, &recorded)?;
    }
    Ok(recorded)
}

/// One event for all documents of a call: a corpus has thousands.
fn tell(
    tables: &mut Writing,
    creator: &CreatorId,
    number: u32,
    documents: &[NewDocument],
    recorded: &[Recorded],
) -> Result<(), StoreError> {
    let changed = documents.iter().zip(recorded).filter(|(_, one)| one.outcome != Outcome::Unchanged);
    let changed: Vec<&Document> = changed.map(|(new, _)| &new.document).collect();
    let Some(&first) = changed.first() else { return Ok(()) };
    let (count, bytes) = (changed.len() as u64, changed.iter().map(|document| document.bytes).sum());
    let subject = Subject {
        document: Some(first.id.clone()),
        count: (count > 1).then_some(count),
        ..Subject::default()
    };
    let event = Event::new(creator, EventKind::DocumentReady, subject, first.created_at);
    webhooks::tell(tables, number, event, Matter::Documents { first: Box::new(first.clone()), count, bytes })
}

fn model_name(model: &EmbeddingModelId) -> String {
    format!("{} ({}, {} dimensions)", model.name, model.revision, model.dimensions)
}

/// What later reads take for granted.
fn check(creator: &CreatorId, model: Option<&EmbeddingModelId>, new: &NewDocument) -> Result<(), StoreError> {
    let invalid = |what: &str| Err(StoreError::Invalid(format!("document {}: {what}", new.document.id)));
    if new.document.creator != *creator {
        return invalid("it belongs to another creator");
    }
    for chunk in &new.chunks {
        if new.text.get(chunk.span.start..chunk.span.end).is_none() {
            return invalid("a chunk is not a part of its text");
        }
        let dimensions = model.map_or(0, |model| model.dimensions);
        if !chunk.vector.is_empty() && chunk.vector.len() != dimensions {
            return invalid("a vector has not the dimensions of its model");
        }
        if !chunk.vector.iter().all(|number| number.is_finite()) {
            return invalid("a vector is not finite");
        }
    }
    Ok(())
}

fn record_one(
    tables: &mut Writing,
    creator: &mut StoredCreator,
    counts: &mut Counts,
    new: &NewDocument,
) -> Result<Recorded, StoreError> {
    let document = &new.document;
    let former = find(&tables.documents, &document.id)?;
    let same = match &former {
        // The same recording, heard at last, has words that it did not have.
        Some(former) if former.document.content == document.content => {
            let is_heard = document.media.is_recording() && !new.chunks.is_empty();
            (!is_heard).then(|| document.id.clone())
        }
        // Its content is stale: it must go even if the new content is here under another id.
        Some(_) => None,
        None if document.media == MediaType::Record => None,
        None => same_content(&tables.documents, &tables.contents, creator.number, document.content)?,
    };
    if let Some(same) = same {
        let (added, removed) = (Vec::new(), Vec::new());
        let (outcome, near) = (Outcome::Unchanged, None);
        return Ok(Recorded { document: same, outcome, added, removed, near });
    }
    let outcome = if former.is_some() { Outcome::Replaced } else { Outcome::Added };
    let removed = match former {
        Some(former) => remove(tables, creator, counts, &former)?,
        None => Vec::new(),
    };
    let added = insert(tables, creator, counts, new)?;
    let near = match &new.signature {
        Some(signature) => likeness::keep(tables, creator.number, &document.id, signature)?,
        None => None,
    };
    Ok(Recorded { document: document.id.clone(), outcome, added, removed, near })
}

/// Another document of the creator with this content, apart from records of a corpus.
fn same_content(
    documents: &impl Rows,
    contents: &impl Rows,
    number: u32,
    content: ContentHash,
) -> Result<Option<DocumentId>, StoreError> {
    for row in contents.under(&key([&content.0, &number.to_be_bytes()]))? {
        let id = id_at_end(row?.0.value())?;
        if find(documents, &id)?.is_some_and(|stored| stored.document.media != MediaType::Record) {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

fn insert(
    tables: &mut Writing,
    creator: &mut StoredCreator,
    counts: &mut Counts,
    new: &NewDocument,
) -> Result<Vec<ChunkId>, StoreError> {
    let too_many = |_| StoreError::Invalid("a document has too many chunks".to_owned());
    let number = creator.number;
    let name = new.document.id.as_str().as_bytes();
    let chunks = u32::try_from(new.chunks.len()).map_err(too_many)?;
    let first_chunk = take_chunks(tables, chunks)?;
    let stored = StoredDocument { number, first_chunk, chunks, document: new.document.clone() };
    tables.documents.insert(name, &write_json(&stored)?[..])?;
    tables.creator_documents.insert(&key([&number.to_be_bytes(), name])[..], &[][..])?;
    let content = content_key(new.document.content, number, &new.document.id);
    tables.contents.insert(&content[..], &[][..])?;
    tables.texts.insert(name, new.text.as_bytes())?;
    tables.blocks.insert(name, &write_blocks(&new.blocks)[..])?;
    for (id, (ordinal, chunk)) in stored.chunk_ids().zip((0u32..).zip(&new.chunks)) {
        let record = StoredChunk {
            number,
            document: new.document.id.clone(),
            ordinal,
            span: chunk.span,
            anchor: chunk.anchor.clone(),
        };
        tables.chunks.insert(&write_number(id.0)[..], &write_chunk(&record)[..])?;
        let row = creator_chunk(number, id);
        tables.terms.insert(&row[..], &write_terms(&row, &new.document.id, &chunk.terms)[..])?;
        if !chunk.vector.is_empty() {
            tables.vectors.insert(&row[..], &write_vector(&row, &chunk.vector)[..])?;
        }
        append_change(tables, creator, IndexChange::Add(id))?;
    }
    counts.documents += 1;
    counts.chunks += u64::from(chunks);
    Ok(stored.chunk_ids().collect())
}

/// The first of `count` fresh chunk numbers.
fn take_chunks(tables: &mut Writing, count: u32) -> Result<u64, StoreError> {
    let first = next_number(tables, "next_chunk")?;
    tables.meta.insert(&b"next_chunk"[..], &write_number(first + u64::from(count))[..])?;
    Ok(first)
}

/// Removes a document's rows, not what others say of it.
fn remove(
    tables: &mut Writing,
    creator: &mut StoredCreator,
    counts: &mut Counts,
    stored: &StoredDocument,
) -> Result<Vec<ChunkId>, StoreError> {
    let id = &stored.document.id;
    let name = id.as_str().as_bytes();
    for chunk in stored.chunk_ids() {
        tables.chunks.remove(&write_number(chunk.0)[..])?;
        let row = creator_chunk(creator.number, chunk);
        tables.terms.remove(&row[..])?;
        tables.vectors.remove(&row[..])?;
        append_change(tables, creator, IndexChange::Remove(chunk))?;
    }
    likeness::forget(tables, creator.number, id)?;
    tables.documents.remove(name)?;
    tables.creator_documents.remove(&key([&creator.number.to_be_bytes(), name])[..])?;
    tables.contents.remove(&content_key(stored.document.content, creator.number, id)[..])?;
    tables.texts.remove(name)?;
    tables.blocks.remove(name)?;
    tables.doomed.push(stored.document.content);
    counts.documents = counts.documents.saturating_sub(1);
    counts.chunks = counts.chunks.saturating_sub(u64::from(stored.chunks));
    Ok(stored.chunk_ids().collect())
}

/// Deletes the documents with every trace of them in answers; gives their chunks.
pub fn delete_all(
    tables: &mut Writing,
    creator: &CreatorId,
    ids: &BTreeSet<DocumentId>,
) -> Result<Vec<ChunkId>, StoreError> {
    let mut stored = creator_of(&tables.creators, creator)?;
    let mut doomed = Vec::new();
    for id in ids {
        match find(&tables.documents, id)? {
            Some(document) if document.number == stored.number => doomed.push(document),
            _ => return Err(StoreError::NoDocument(id.clone())),
        }
    }
    if doomed.is_empty() {
        return Ok(Vec::new());
    }
    let mut counts = counts_of(&tables.counts, stored.number)?;
    let mut removed = Vec::new();
    for document in &doomed {
        removed.extend(remove(tables, &mut stored, &mut counts, document)?);
        conversations::forget_document(tables, stored.number, &document.document.id)?;
        corrections::forget_document(tables, creator, stored.number, &document.document.id)?;
        holders::forget(tables, stored.number, &document.document.id)?;
    }
    for row in tables.creator_jobs.keys_under(&stored.number.to_be_bytes())? {
        let job: JobId = id_at_end(&row)?;
        if jobs::is_about(tables, &job, &doomed)? {
            jobs::remove_job(tables, &job)?;
        }
    }
    stored.creator.generation += 1;
    save_creator(tables, &stored)?;
    save_counts(tables, stored.number, counts)?;
    Ok(removed)
}

fn hydrate_all(
    tables: &Reading,
    creator: &CreatorId,
    chunks: &[ChunkId],
) -> Result<Vec<Option<Hydrated>>, StoreError> {
    let number = creator_of(&tables.creators, creator)?.number;
    // Hits of one document are common, and its text may be large: it is looked up once and only borrowed.
    let mut documents = HashMap::new();
    let mut hydrated = Vec::with_capacity(chunks.len());
    for &id in chunks {
        let chunk = match tables.chunks.get(&write_number(id.0)[..])? {
            Some(bytes) => read_chunk(bytes.value(), id)?,
            None => {
                hydrated.push(None);
                continue;
            }
        };
        if chunk.number != number {
            hydrated.push(None);
            continue;
        }
        if !documents.contains_key(&chunk.document) {
            let name = chunk.document.as_str().as_bytes();
            let (Some(stored), Some(text)) =
                (find(&tables.documents, &chunk.document)?, tables.texts.get(name)?)
            else {
                return Err(damaged(&format!("chunk {id} has no document")));
            };
            documents.insert(chunk.document.clone(), (stored.document, text));
        }
        let (document, text) = &documents[&chunk.document];
        let words = text.value().get(chunk.span.start..chunk.span.end);
        let words = words.and_then(|bytes| std::str::from_utf8(bytes).ok());
        let text = words.ok_or_else(|| damaged(&format!("the words of chunk {id}")))?.to_owned();
        let StoredChunk { document: of, ordinal, span, anchor, .. } = chunk;
        let chunk = Chunk { id, document: of, ordinal, span, text, anchor };
        hydrated.push(Some(Hydrated { chunk, document: document.clone() }));
    }
    Ok(hydrated)
}
