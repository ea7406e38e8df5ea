//! A creator's picture, small enough to lie in the database: it is in every backup, and goes with the creator.
//!
//! Whether bytes are a picture is `domain/picture.rs`; here they are kept with their BLAKE3, by which addresses name them.

use super::Store;
use super::accounts::creator_of;
use super::codec::damaged;
use super::tables::{Rows, Writing};
use crate::domain::CreatorId;
use crate::store::StoreError;

/// Bytes of the hash that are kept: enough that no two pictures of a creator share an address.
const TAG: usize = 16;

impl Store {
    /// Keeps a picture in place of the one before; `None` takes it away.
    pub async fn set_picture(&self, creator: &CreatorId, picture: Option<Vec<u8>>) -> Result<(), StoreError> {
        let creator = creator.clone();
        self.write(move |tables| {
            let number = creator_of(&tables.creators, &creator)?.number.to_be_bytes();
            match &picture {
                Some(bytes) => {
                    let row = [&blake3::hash(bytes).as_bytes()[..TAG], bytes].concat();
                    tables.pictures.insert(&number[..], &row[..])?;
                }
                None => drop(tables.pictures.remove(&number[..])?),
            }
            Ok(())
        })
        .await
    }

    /// What names the picture, if there is one.
    pub async fn picture_tag(&self, creator: &CreatorId) -> Result<Option<String>, StoreError> {
        let creator = creator.clone();
        self.read(move |tables| {
            let number = creator_of(&tables.creators, &creator)?.number.to_be_bytes();
            let Some(row) = tables.pictures.get(&number[..])? else { return Ok(None) };
            Ok(Some(parts(row.value())?.0))
        })
        .await
    }

    /// The picture with what names it.
    pub async fn picture(&self, creator: &CreatorId) -> Result<Option<(String, Vec<u8>)>, StoreError> {
        let creator = creator.clone();
        self.read(move |tables| {
            let number = creator_of(&tables.creators, &creator)?.number.to_be_bytes();
            let Some(row) = tables.pictures.get(&number[..])? else { return Ok(None) };
            let (tag, bytes) = parts(row.value())?;
            Ok(Some((tag, bytes.to_vec())))
        })
        .await
    }
}

/// The picture, for an archive.
pub fn bytes_of(pictures: &impl Rows, number: u32) -> Result<Option<Vec<u8>>, StoreError> {
    let row = pictures.fetch(&number.to_be_bytes())?;
    row.map(|row| Ok(parts(&row)?.1.to_vec())).transpose()
}

fn parts(row: &[u8]) -> Result<(String, &[u8]), StoreError> {
    let (tag, bytes) = row.split_at_checked(TAG).ok_or_else(|| damaged("a picture"))?;
    Ok((tag.iter().map(|byte| format!("{byte:02x}")).collect(), bytes))
}

/// Removes all of a creator's.
pub fn forget_creator(tables: &mut Writing, number: u32) -> Result<(), StoreError> {
    tables.pictures.remove(&number.to_be_bytes()[..])?;
    Ok(())
}
