//! What leaves: documents and students deleted without a trace, and everything of a creator as one archive.
//!
//! Called by the edges. What has to go where is the store's (`store/redb/purge.rs`, `students.rs`, `export.rs`); here it is
//! done in an order that leaves nothing behind in memory or in a file.

use std::path::{Path, PathBuf};

use super::{App, blocking, now};
use crate::domain::{CreatorId, DocumentId};
use crate::problem::{Kind, Problem};
use crate::store::{ErasedStudent, ExportSummary, StoreError};

/// How folders begin that hold a backup while it is sent.
pub(super) const SENT_BACKUP: &str = "sent-backup-";

impl App {
    /// Deletes a document with every trace; gives the number of its chunks.
    pub async fn delete_document(&self, id: &DocumentId) -> Result<usize, Problem> {
        let document = self.store.document(id).await?.ok_or_else(|| StoreError::NoDocument(id.clone()))?;
        let removed = self.store.delete_documents(&document.creator, std::slice::from_ref(id)).await?;
        let count = removed.len();
        self.collections.remove(&document.creator, removed).await?;
        Ok(count)
    }

    /// Deletes a document so that no file of the data directory holds anything of it; gives the number of its chunks.
    pub async fn erase_document(&self, id: &DocumentId) -> Result<usize, Problem> {
        let document = self.store.document(id).await?.ok_or_else(|| StoreError::NoDocument(id.clone()))?;
        let removed = self.delete_document(id).await?;
        self.collections.erase(&document.creator).await?;
        self.store.purge().await?;
        Ok(removed)
    }

    /// Deletes everything of a student, by id, address or conversation, so that no file of the data directory holds
    /// anything of it: at one creator, or at all. What was deleted, for each creator where something was.
    pub async fn erase_student(
        &self,
        creator: Option<&CreatorId>,
        id_or_email: &str,
    ) -> Result<Vec<ErasedStudent>, Problem> {
        let creators = match creator {
            Some(id) => vec![self.store.creator(id).await?.id],
            None => self.store.creators().await?.into_iter().map(|creator| creator.id).collect(),
        };
        let mut receipts = Vec::new();
        for id in creators {
            let erased = self.store.erase_student(&id, id_or_email).await?;
            if !erased.is_nothing() {
                receipts.push(erased);
            }
        }
        if receipts.is_empty() {
            return Err(Problem::new(
                Kind::Missing,
                "unknown_student",
                "nothing is kept of this student",
                "name a student by the id that your site signs, by e-mail address, or by the conversation's id",
            ));
        }
        self.store.purge().await?;
        Ok(receipts)
    }

    /// Everything of this server as one file, to be sent; it goes with its folder.
    pub async fn backup_to_send(&self) -> Result<(tempfile::TempDir, PathBuf), Problem> {
        let data = self.config().data_dir.clone();
        let made = move || tempfile::Builder::new().prefix(SENT_BACKUP).tempdir_in(data);
        let folder = blocking(made).await?;
        let folder = folder.map_err(Problem::internal)?;
        let path = folder.path().join("neverafk.backup");
        self.store.backup(&path).await?;
        Ok((folder, path))
    }

    /// Writes everything of a creator into one archive.
    pub async fn export(&self, creator: &CreatorId, path: &Path) -> Result<ExportSummary, Problem> {
        Ok(self.store.export(creator, path, self.version(), now()).await?)
    }
}
