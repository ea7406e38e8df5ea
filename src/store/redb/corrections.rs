//! What creators corrected: a case for each question, beside the document that holds its answer.
//!
//! The document is recorded first, as any other; a case without one is refused. Deleting the document takes the case
//! along and the note in the turns that it corrected.

use super::Store;
use super::accounts::creator_of;
use super::codec::{key, read_json, write_json};
use super::conversations::change_one;
use super::documents::find;
use super::tables::{Rows, Writing, clear};
use crate::domain::{Case, Correction, CreatorId, DocumentId, EventKind};
use crate::store::StoreError;

/// Messages that a case remembers, the newest.
const MOST_MESSAGES: usize = 200;

impl Store {
    /// Keeps a case, in place of the one of its document, and notes it with its messages. Gives the documents of cases
    /// that corrected nothing else than these messages: nobody needs them any more.
    pub async fn correct(&self, creator: &CreatorId, case: Case) -> Result<Vec<DocumentId>, StoreError> {
        let creator = creator.clone();
        self.write(move |tables| correct(tables, &creator, case.clone())).await
    }

    /// A creator's cases, oldest first.
    pub async fn cases(&self, creator: &CreatorId) -> Result<Vec<Case>, StoreError> {
        let creator = creator.clone();
        self.read(move |tables| {
            let number = creator_of(&tables.creators, &creator)?.number;
            let mut cases = all(&tables.cases, number)?;
            cases.sort_by(|a, b| (a.at, &a.document).cmp(&(b.at, &b.document)));
            Ok(cases)
        })
        .await
    }

    /// The case of the question that `asks` stands for.
    pub async fn case_that_asks(&self, creator: &CreatorId, asks: &str) -> Result<Option<Case>, StoreError> {
        let (creator, asks) = (creator.clone(), asks.to_owned());
        self.read(move |tables| {
            let number = creator_of(&tables.creators, &creator)?.number;
            Ok(all(&tables.cases, number)?.into_iter().find(|case| case.asks == asks))
        })
        .await
    }
}

fn correct(tables: &mut Writing, creator: &CreatorId, mut case: Case) -> Result<Vec<DocumentId>, StoreError> {
    let number = creator_of(&tables.creators, creator)?.number;
    if find(&tables.documents, &case.document)?.is_none_or(|document| document.number != number) {
        return Err(StoreError::NoDocument(case.document));
    }
    let (at, messages) = (case.at, case.messages.clone());
    let mut left = Vec::new();
    for mut other in all(&tables.cases, number)? {
        other.messages.retain(|message| !messages.contains(message));
        if other.document == case.document {
            other.messages.append(&mut case.messages);
            case.messages = other.messages;
        } else if other.messages.is_empty() {
            left.push(other.document);
        } else {
            save(tables, number, &other)?;
        }
    }
    let excess = case.messages.len().saturating_sub(MOST_MESSAGES);
    case.messages.drain(..excess);
    save(tables, number, &case)?;
    let correction = Correction { document: case.document, at };
    for message in &messages {
        let mut note = |turn: &mut crate::domain::Turn| turn.correction = Some(correction.clone());
        change_one(tables, creator, message, Some(EventKind::AnswerCorrected), at, &mut note)?;
    }
    Ok(left)
}

/// Removes the case of a document, and the note in the turns that it corrected.
pub fn forget_document(
    tables: &mut Writing,
    creator: &CreatorId,
    number: u32,
    document: &DocumentId,
) -> Result<(), StoreError> {
    let Some(gone) = tables.cases.fetch(&name(number, document))? else { return Ok(()) };
    let gone: Case = read_json(&gone, "a case")?;
    tables.cases.remove(&name(number, document)[..])?;
    for message in &gone.messages {
        let mut forget = |turn: &mut crate::domain::Turn| {
            if turn.correction.as_ref().is_some_and(|correction| correction.document == *document) {
                turn.correction = None;
            }
        };
        change_one(tables, creator, message, None, gone.at, &mut forget)?;
    }
    Ok(())
}

/// Removes all of a creator's.
pub fn forget_creator(tables: &mut Writing, number: u32) -> Result<(), StoreError> {
    clear(&mut tables.cases, &number.to_be_bytes())
}

/// The cases of a creator, by document.
pub fn all(cases: &impl Rows, number: u32) -> Result<Vec<Case>, StoreError> {
    cases.under(&number.to_be_bytes())?.map(|row| read_json(row?.1.value(), "a case")).collect()
}

fn save(tables: &mut Writing, number: u32, case: &Case) -> Result<(), StoreError> {
    tables.cases.insert(&name(number, &case.document)[..], &write_json(case)?[..])?;
    Ok(())
}

fn name(number: u32, document: &DocumentId) -> Vec<u8> {
    key([&number.to_be_bytes(), document.as_str().as_bytes()])
}
