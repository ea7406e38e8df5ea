//! Creators and their keys: who there is, who may enter, and how everything of a creator goes.

use serde_json::Value;

use super::Store;
use super::codec::{
    StoredCreator, StoredDocument, id_at_end, key, no_creator, read_counts, read_json, read_number,
};
use super::codec::{write_counts, write_json, write_number};
use super::tables::{Rows, Writing, clear};
use crate::domain::{CreatorId, DocumentId, JobId, MessageId};
use crate::store::{ApiKey, Counts, Creator, StoreError};

impl Store {
    /// Fails when there is one of this name. Its generation begins as given.
    pub async fn add_creator(&self, creator: Creator) -> Result<(), StoreError> {
        self.write(move |tables| {
            if tables.creators.has(creator.id.as_str().as_bytes())? {
                return Err(StoreError::CreatorExists(creator.id.clone()));
            }
            let next = next_number(tables, "next_creator")?;
            let number =
                u32::try_from(next).map_err(|_| StoreError::Invalid("too many creators".to_owned()))?;
            // No other creator, not even a former one of this name, has changes with these numbers: an index file
            // that outlived its creator is recognised.
            let last_change = u64::from(number) << 32;
            save_creator(tables, &StoredCreator { number, last_change, creator: creator.clone() })?;
            save_counts(tables, number, Counts::default())
        })
        .await
    }

    /// All creators, by name.
    pub async fn creators(&self) -> Result<Vec<Creator>, StoreError> {
        self.read(|tables| {
            let rows = tables.creators.under(b"")?;
            rows.map(|row| {
                let stored: StoredCreator = read_json(row?.1.value(), "a creator")?;
                Ok(stored.creator)
            })
            .collect()
        })
        .await
    }

    pub async fn creator(&self, id: &CreatorId) -> Result<Creator, StoreError> {
        let id = id.clone();
        self.read(move |tables| Ok(creator_of(&tables.creators, &id)?.creator)).await
    }

    /// Changes what is given and leaves the rest.
    pub async fn update_creator(
        &self,
        id: &CreatorId,
        name: Option<String>,
        settings: Option<Value>,
    ) -> Result<(), StoreError> {
        let id = id.clone();
        self.write(move |tables| {
            let mut stored = creator_of(&tables.creators, &id)?;
            if let Some(name) = &name {
                stored.creator.name.clone_from(name);
            }
            if let Some(settings) = &settings {
                stored.creator.settings.clone_from(settings);
            }
            save_creator(tables, &stored)
        })
        .await
    }

    /// Removes the creator with all that is its own. The words stay in free pages of the file until
    /// [`Store::purge`].
    pub async fn remove_creator(&self, id: &CreatorId) -> Result<(), StoreError> {
        let id = id.clone();
        self.write(move |tables| {
            let stored = creator_of(&tables.creators, &id)?;
            remove_everything(tables, &stored)
        })
        .await
    }

    pub async fn counts(&self, id: &CreatorId) -> Result<Counts, StoreError> {
        let id = id.clone();
        self.read(move |tables| counts_of(&tables.counts, creator_of(&tables.creators, &id)?.number)).await
    }

    /// Fails when its creator is not there.
    pub async fn add_key(&self, api_key: ApiKey) -> Result<(), StoreError> {
        self.write(move |tables| {
            creator_of(&tables.creators, &api_key.creator)?;
            tables.keys.insert(&api_key.hash[..], &write_json(&api_key)?[..])?;
            Ok(())
        })
        .await
    }

    /// The keys of one creator, or all of them, oldest first.
    pub async fn keys(&self, creator: Option<&CreatorId>) -> Result<Vec<ApiKey>, StoreError> {
        let creator = creator.cloned();
        self.read(move |tables| {
            let mut keys = all_keys(&tables.keys)?;
            keys.retain(|api_key| creator.as_ref().is_none_or(|creator| api_key.creator == *creator));
            keys.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
            Ok(keys)
        })
        .await
    }

    pub async fn key_by_hash(&self, hash: &[u8; 32]) -> Result<Option<ApiKey>, StoreError> {
        let hash = *hash;
        self.read(move |tables| {
            tables.keys.fetch(&hash)?.map(|bytes| read_json(&bytes, "an API key")).transpose()
        })
        .await
    }

    /// Whether there was such a key.
    pub async fn revoke_key(&self, id: &str) -> Result<bool, StoreError> {
        let id = id.to_owned();
        self.write(move |tables| {
            let revoked: Vec<ApiKey> =
                all_keys(&tables.keys)?.into_iter().filter(|api_key| api_key.id == id).collect();
            for api_key in &revoked {
                tables.keys.remove(&api_key.hash[..])?;
            }
            Ok(!revoked.is_empty())
        })
        .await
    }
}

/// The creator, or that there is none.
pub fn creator_of(creators: &impl Rows, id: &CreatorId) -> Result<StoredCreator, StoreError> {
    let bytes = creators.fetch(id.as_str().as_bytes())?.ok_or_else(|| no_creator(id))?;
    read_json(&bytes, format!("creator `{id}`"))
}

pub fn save_creator(tables: &mut Writing, stored: &StoredCreator) -> Result<(), StoreError> {
    tables.creators.insert(stored.creator.id.as_str().as_bytes(), &write_json(stored)?[..])?;
    Ok(())
}

pub fn counts_of(counts: &impl Rows, number: u32) -> Result<Counts, StoreError> {
    counts.fetch(&number.to_be_bytes())?.map_or_else(|| Ok(Counts::default()), |bytes| read_counts(&bytes))
}

pub fn save_counts(tables: &mut Writing, number: u32, counts: Counts) -> Result<(), StoreError> {
    tables.counts.insert(&number.to_be_bytes()[..], &write_counts(counts)[..])?;
    Ok(())
}

/// Takes the next number of a row in `meta`; the first is 1. A number is never given twice.
pub fn next_number(tables: &mut Writing, name: &str) -> Result<u64, StoreError> {
    let next = match tables.meta.fetch(name.as_bytes())? {
        Some(bytes) => read_number(&bytes, name)?,
        None => 1,
    };
    tables.meta.insert(name.as_bytes(), &write_number(next + 1)[..])?;
    Ok(next)
}

fn all_keys(keys: &impl Rows) -> Result<Vec<ApiKey>, StoreError> {
    keys.under(b"")?.map(|row| read_json(row?.1.value(), "an API key")).collect()
}

fn remove_everything(tables: &mut Writing, stored: &StoredCreator) -> Result<(), StoreError> {
    let number = stored.number.to_be_bytes();
    for row in tables.creator_documents.keys_under(&number)? {
        let id: DocumentId = id_at_end(&row)?;
        let id = id.as_str().as_bytes();
        if let Some(bytes) = tables.documents.fetch(id)? {
            let document: StoredDocument = read_json(&bytes, "a document")?;
            for chunk in document.chunk_ids() {
                tables.chunks.remove(&write_number(chunk.0)[..])?;
            }
            let content = document.document.content;
            tables.contents.remove(&key([&content.0, &number, id])[..])?;
            clear(&mut tables.held, id)?;
            tables.doomed.push(content);
        }
        tables.documents.remove(id)?;
        tables.texts.remove(id)?;
        tables.blocks.remove(id)?;
    }
    for row in tables.creator_turns.keys_under(&number)? {
        let message: MessageId = id_at_end(&row)?;
        tables.turns.remove(message.as_str().as_bytes())?;
    }
    for row in tables.creator_jobs.keys_under(&number)? {
        let job: JobId = id_at_end(&row)?;
        super::jobs::remove_job(tables, &job)?;
    }
    for api_key in all_keys(&tables.keys)? {
        if api_key.creator == stored.creator.id {
            tables.keys.remove(&api_key.hash[..])?;
        }
    }
    for table in [
        &mut tables.creator_documents,
        &mut tables.holders,
        &mut tables.terms,
        &mut tables.vectors,
        &mut tables.changes,
        &mut tables.counts,
        &mut tables.creator_turns,
        &mut tables.conversation_turns,
        &mut tables.cited,
        &mut tables.creator_jobs,
        &mut tables.audit,
    ] {
        clear(table, &number)?;
    }
    super::people::leave_creator(tables, &stored.creator.id)?;
    super::spending::forget(tables, stored.number)?;
    super::students::forget_creator(tables, stored.number)?;
    super::corrections::forget_creator(tables, stored.number)?;
    super::escalations::forget_creator(tables, stored.number)?;
    super::webhooks::forget_creator(tables, stored.number)?;
    super::mails::forget_creator(tables, &stored.creator.id)?;
    super::watched::forget_creator(tables, stored.number)?;
    super::experiments::forget_creator(tables, stored.number)?;
    super::likeness::forget_creator(tables, stored.number)?;
    super::ledger::forget_creator(tables, stored.number)?;
    super::purchases::forget_creator(tables, stored.number)?;
    super::pictures::forget_creator(tables, stored.number)?;
    super::expire::forget_creator(tables, stored.number)?;
    tables.creators.remove(stored.creator.id.as_str().as_bytes())?;
    Ok(())
}
