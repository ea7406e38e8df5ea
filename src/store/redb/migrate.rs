//! The version of the schema, and the steps from each version to the next.
//!
//! Opening runs the missing steps in one transaction, so a crash leaves the old version whole. Data of a newer
//! program is refused before anything is written.

use redb::{Database, ReadableDatabase, TableError, TableHandle};

use super::codec::{read_number, write_number};
use super::tables::{Definition, Rows, Writing};
use crate::store::StoreError;

/// What this program reads and writes.
pub const SCHEMA: u32 = 5;

type Step = fn(&mut Writing) -> Result<(), StoreError>;

/// The step at place 0 leads from version 1 to version 2, and so on.
const STEPS: [Step; SCHEMA as usize - 1] =
    [places_of_office_files, only_new_tables, only_new_tables, lines_of_chunks];

/// Brings a database to [`SCHEMA`]; creates the tables of an empty one.
pub fn migrate(database: &Database) -> Result<(), StoreError> {
    let found = schema_of(database)?;
    match found {
        Some(SCHEMA) => return Ok(()),
        Some(found) if found > SCHEMA => return Err(StoreError::Newer { found, known: SCHEMA }),
        _ => {}
    }
    let mut transaction = database.begin_write()?;
    transaction.set_quick_repair(true);
    {
        let mut tables = Writing::open(&transaction)?;
        if let Some(found) = found {
            for step in &STEPS[found as usize - 1..] {
                step(&mut tables)?;
            }
        }
        tables.meta.insert(&b"schema"[..], &write_number(u64::from(SCHEMA))[..])?;
    }
    transaction.commit()?;
    Ok(())
}

/// Schema 2 knows slides, sheets and rows as places, and more kinds of documents. Records of schema 1 read as they are;
/// the number only keeps older programs from taking the new ones for damage.
fn places_of_office_files(_: &mut Writing) -> Result<(), StoreError> {
    Ok(())
}

/// Schema 3 has tables for people, students, tickets, messages and webhooks, schema 4 for corrections, students'
/// progress, who holds a document, watched places, documents that are alike, credits and what was bought, schema 5 for
/// pictures, the figures of erased conversations, mails and experiments: opening them makes them.
fn only_new_tables(_: &mut Writing) -> Result<(), StoreError> {
    Ok(())
}

/// Schema 5 has new tables and also keeps with a chunk where its lines stand on the page. Records without read as they are.
fn lines_of_chunks(_: &mut Writing) -> Result<(), StoreError> {
    Ok(())
}

/// `None` for a database without tables.
fn schema_of(database: &Database) -> Result<Option<u32>, StoreError> {
    let transaction = database.begin_read()?;
    let meta = match transaction.open_table(Definition::new("meta")) {
        Ok(meta) => meta,
        Err(TableError::TableDoesNotExist(_)) => {
            return match transaction.list_tables()?.next() {
                None => Ok(None),
                Some(table) => Err(StoreError::Failed(format!(
                    "the database is of another program: it has a table `{}`",
                    table.name()
                ))),
            };
        }
        Err(error) => return Err(error.into()),
    };
    let schema =
        meta.fetch(b"schema")?.ok_or_else(|| StoreError::Damaged("the schema version".to_owned()))?;
    match u32::try_from(read_number(&schema, "the schema version")?) {
        Ok(schema) if schema > 0 => Ok(Some(schema)),
        _ => Err(StoreError::Damaged("the schema version".to_owned())),
    }
}
