//! What waits to go out, whatever it is: a table of records by id, and one of times and ids for those that wait.
//!
//! Deliveries to webhooks and mails keep themselves here; who they belong to and in which order people see them is
//! theirs (`webhooks`, `mails`).

use std::collections::HashSet;
use std::hash::Hash;

use super::codec::{id_at_end, key, read_json, write_json};
use super::tables::{Rows, WriteTable};
use crate::domain::{DeliveryState, Outgoing, Timestamp};
use crate::store::StoreError;

/// Due rows that one look goes through; behind somebody with more of them others wait for the next look.
const LOOKED_AT: usize = 4_096;

/// Writes a record, and when it is due; `former` is the same as it stood before.
pub fn save<T: Outgoing>(
    records: &mut WriteTable,
    due: &mut WriteTable,
    former: Option<&T>,
    item: &T,
) -> Result<(), StoreError> {
    if let Some(former) = former {
        due.remove(&by_time(former)[..])?;
    }
    records.insert(item.id().as_bytes(), &write_json(item)?[..])?;
    if item.standing().state == DeliveryState::Waiting {
        due.insert(&by_time(item)[..], &[][..])?;
    }
    Ok(())
}

pub fn remove<T: Outgoing>(
    records: &mut WriteTable,
    due: &mut WriteTable,
    item: &T,
) -> Result<(), StoreError> {
    due.remove(&by_time(item)[..])?;
    records.remove(item.id().as_bytes())?;
    Ok(())
}

pub fn find<T: Outgoing>(records: &impl Rows, id: &str) -> Result<Option<T>, StoreError> {
    let bytes = records.fetch(id.as_bytes())?;
    bytes.map(|bytes| read_json(&bytes, format!("{} {id}", T::WHAT))).transpose()
}

/// The record whose id ends the key of a row.
pub fn listed<T: Outgoing>(records: &impl Rows, row: &[u8]) -> Result<T, StoreError> {
    let id: T::Id = id_at_end(row)?;
    find(records, &id.to_string())?
        .ok_or_else(|| StoreError::Damaged(format!("{} {id} is listed but not there", T::WHAT)))
}

/// Those whose time has come, the longest due first, and one for each lane that is not busy.
pub fn due<T: Outgoing, L: Eq + Hash>(
    due: &impl Rows,
    records: &impl Rows,
    now: Timestamp,
    limit: usize,
    mut busy: HashSet<L>,
    lane: impl Fn(&T) -> L,
) -> Result<Vec<T>, StoreError> {
    let mut found = Vec::new();
    for row in due.under(b"")?.take(LOOKED_AT) {
        let row = row?;
        let time = row.0.value().first_chunk().map(|bytes| u64::from_be_bytes(*bytes));
        if found.len() == limit || time.is_none_or(|time| time > now.0) {
            break;
        }
        let item: T = listed(records, row.0.value())?;
        if busy.insert(lane(&item)) {
            found.push(item);
        }
    }
    Ok(found)
}

fn by_time<T: Outgoing>(item: &T) -> Vec<u8> {
    key([&item.standing().next_at.0.to_be_bytes(), item.id().as_bytes()])
}
