//! Creators and the keys to them: made, and removed with everything that belonged to them.
//!
//! Called by `http`, the command line and the tests. Who may do it is decided in `accounts`; what a creator's settings
//! say is changed where they are shown.

use std::path::PathBuf;

use super::{App, TRANSCRIPTS, blocking, now, random};
use crate::domain::{CreatorId, MessageId, Scope, Timestamp};
use crate::problem::Problem;
use crate::store::{ApiKey, Creator};

impl App {
    /// Makes a creator.
    pub async fn add_creator(&self, id: CreatorId, name: Option<String>) -> Result<Creator, Problem> {
        let mut creator = Creator::new(id, now());
        if let Some(name) = name {
            creator.name = name;
        }
        self.store.add_creator(creator.clone()).await?;
        Ok(creator)
    }

    /// Deletes a creator with everything that belonged to it.
    pub async fn remove_creator(&self, id: &CreatorId) -> Result<(), Problem> {
        self.store.remove_creator(id).await?;
        let folders = [self.measurements(id), self.config.data_dir.join(TRANSCRIPTS).join(id.as_str())];
        blocking(move || {
            folders.into_iter().try_for_each(|folder| match std::fs::remove_dir_all(folder) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Problem::internal(error)),
                _ => Ok(()),
            })
        })
        .await??;
        Ok(self.collections.erase(id).await?)
    }

    /// Deletes a creator so that no file of the data directory holds anything of it.
    pub async fn erase_creator(&self, id: &CreatorId) -> Result<(), Problem> {
        self.remove_creator(id).await?;
        Ok(self.store.purge().await?)
    }

    /// Where runs of `eval` over a creator's content are kept; gone with the creator.
    pub fn measurements(&self, id: &CreatorId) -> PathBuf {
        self.config.data_dir.join("eval").join(id.as_str())
    }

    /// Makes a key for a creator; the key itself is given here and never again.
    pub async fn create_key(&self, creator: &CreatorId, name: String) -> Result<(ApiKey, String), Problem> {
        self.create_key_for(creator, name, Vec::new(), None).await
    }

    /// The same for these scopes only, and up to a time.
    pub async fn create_key_for(
        &self,
        creator: &CreatorId,
        name: String,
        scopes: Vec<Scope>,
        expires_at: Option<Timestamp>,
    ) -> Result<(ApiKey, String), Problem> {
        self.store.creator(creator).await?;
        let (first, second) = (MessageId::from_bytes(random()?), MessageId::from_bytes(random()?));
        let key = format!("nafk_{first}{second}");
        let record = ApiKey {
            id: MessageId::from_bytes(random()?).to_string(),
            creator: creator.clone(),
            name,
            hash: *blake3::hash(key.as_bytes()).as_bytes(),
            created_at: now(),
            scopes,
            expires_at,
        };
        self.store.add_key(record.clone()).await?;
        Ok((record, key))
    }
}
