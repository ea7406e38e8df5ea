//! How far students have come. One row a student, under the same name as the student's own; it goes with the student.

use super::Store;
use super::accounts::creator_of;
use super::codec::{read_json, write_json};
use super::students::{name, noted};
use super::tables::{Rows, Writing, clear};
use crate::domain::{CreatorId, Progress, ProgressEvent, Student};
use crate::store::StoreError;

impl Store {
    /// Takes events of a student in and gives what they come to; a student who is not known yet is noted. Nothing is
    /// written when nothing is new.
    pub async fn add_progress(
        &self,
        creator: &CreatorId,
        student: &Student,
        events: Vec<ProgressEvent>,
    ) -> Result<Progress, StoreError> {
        let known = self.progress(creator, &student.id).await?;
        let mut after = known.clone();
        let mut changes = false;
        for event in &events {
            changes |= after.apply(event);
        }
        if !changes {
            return Ok(known);
        }
        let (creator, student) = (creator.clone(), student.clone());
        self.write(move |tables| {
            let number = creator_of(&tables.creators, &creator)?.number;
            let mut progress = find(&tables.progress, number, &student.id)?;
            for event in &events {
                progress.apply(event);
            }
            noted(tables, number, &student)?;
            tables.progress.insert(&name(number, &student.id)[..], &write_json(&progress)?[..])?;
            Ok(progress)
        })
        .await
    }

    /// What is known of a student; nothing of one who is not known.
    pub async fn progress(&self, creator: &CreatorId, student: &str) -> Result<Progress, StoreError> {
        let (creator, student) = (creator.clone(), student.to_owned());
        self.read(move |tables| {
            let number = creator_of(&tables.creators, &creator)?.number;
            find(&tables.progress, number, &student)
        })
        .await
    }
}

/// What is known of a student.
pub fn find(progress: &impl Rows, number: u32, student: &str) -> Result<Progress, StoreError> {
    let bytes = progress.fetch(&name(number, student))?;
    Ok(bytes.map(|bytes| read_json(&bytes, "a student's progress")).transpose()?.unwrap_or_default())
}

/// Removes what is known of a student.
pub fn forget(tables: &mut Writing, number: u32, student: &str) -> Result<(), StoreError> {
    tables.progress.remove(&name(number, student)[..])?;
    Ok(())
}

/// Removes all of a creator's.
pub fn forget_creator(tables: &mut Writing, number: u32) -> Result<(), StoreError> {
    clear(&mut tables.progress, &number.to_be_bytes())
}
