//! Conversations that are older than their creator keeps them: erased a few at a time, each with everything said in it.
//!
//! What stays are sums by day ([`Figures`]), added in the transaction that takes the turns, so that no figure is counted
//! twice or lost. When it is time says `app/retention.rs`; credits are the ledger's, which never shrinks.

use std::collections::BTreeSet;

use super::accounts::creator_of;
use super::codec::{id_at_end, key, read_json, write_json};
use super::tables::{Rows, Writing, clear};
use super::{Store, students};
use crate::domain::figures::day_of;
use crate::domain::{ConversationId, CreatorId, Figures, MessageId, Ticket, Timestamp, Turn};
use crate::store::{ErasedStudent, StoreError};

impl Store {
    /// Erases at most `most` conversations in which nothing was said since `before`, the oldest first; says what went.
    pub async fn expire(
        &self,
        creator: &CreatorId,
        before: Timestamp,
        most: usize,
    ) -> Result<ErasedStudent, StoreError> {
        let creator = creator.clone();
        self.write(move |tables| {
            let number = creator_of(&tables.creators, &creator)?.number;
            let mut erased = ErasedStudent::none(&creator);
            let mut students = BTreeSet::new();
            for conversation in old(tables, number, before, most)? {
                keep_figures(tables, number, &conversation)?;
                students.extend(students::whose(tables, number, &conversation)?);
                students::remove_conversation(tables, number, &conversation, &mut erased)?;
            }
            erased.students = students::forget_silent(tables, number, students)?;
            Ok(erased)
        })
        .await
    }

    /// What is left of erased turns since a day, by day.
    pub async fn figures(&self, creator: &CreatorId, since: u32) -> Result<Vec<(u32, Figures)>, StoreError> {
        let creator = creator.clone();
        self.read(move |tables| all(&tables.figures, creator_of(&tables.creators, &creator)?.number, since))
            .await
    }
}

/// The sums of a creator since a day, by day.
pub fn all(figures: &impl Rows, number: u32, since: u32) -> Result<Vec<(u32, Figures)>, StoreError> {
    let mut found = Vec::new();
    for row in figures.under_beginning(&name(number, since), &number.to_be_bytes())? {
        let (day, figures) = row?;
        let day = day.value().last_chunk().map_or(0, |day| u32::from_be_bytes(*day));
        found.push((day, read_json(figures.value(), "figures of a day")?));
    }
    Ok(found)
}

/// Conversations with nothing since `before`. Turns and tickets lie in the order of time, so that the young ones are not
/// looked at.
fn old(
    tables: &Writing,
    number: u32,
    before: Timestamp,
    most: usize,
) -> Result<BTreeSet<ConversationId>, StoreError> {
    let whose = number.to_be_bytes();
    let is_old = |row: &[u8]| time_in(row, whose.len()) < before.0;
    let mut found = BTreeSet::new();
    for row in tables.creator_turns.under(&whose)? {
        let row = row?;
        if found.len() >= most || !is_old(row.0.value()) {
            break;
        }
        let message: MessageId = id_at_end(row.0.value())?;
        if let Some(turn) = tables.turns.fetch(message.as_str().as_bytes())? {
            let turn: Turn = read_json(&turn, "a turn")?;
            if !found.contains(&turn.conversation) && is_silent(tables, number, &turn.conversation, before)? {
                found.insert(turn.conversation);
            }
        }
    }
    // Some asked for a person and for nothing else.
    for row in tables.creator_tickets.under(&whose)? {
        let row = row?;
        if found.len() >= most || !is_old(row.0.value()) {
            break;
        }
        let conversation: ConversationId = id_at_end(row.0.value())?;
        if !found.contains(&conversation) && is_silent(tables, number, &conversation, before)? {
            found.insert(conversation);
        }
    }
    Ok(found)
}

/// Whether the last turn, the last message and the last change of the ticket are all older.
fn is_silent(
    tables: &Writing,
    number: u32,
    conversation: &ConversationId,
    before: Timestamp,
) -> Result<bool, StoreError> {
    let prefix = key([&number.to_be_bytes(), conversation.as_str().as_bytes()]);
    for table in [&tables.conversation_turns, &tables.messages] {
        if let Some(last) = table.under(&prefix)?.next_back()
            && time_in(last?.0.value(), prefix.len()) >= before.0
        {
            return Ok(false);
        }
    }
    let ticket = tables.tickets.fetch(&prefix)?;
    let ticket: Option<Ticket> = ticket.map(|bytes| read_json(&bytes, "a ticket")).transpose()?;
    Ok(ticket.is_none_or(|ticket| ticket.updated_at < before))
}

/// The time that stands in a key after so many bytes; a key without one is of the newest.
fn time_in(row: &[u8], at: usize) -> u64 {
    row.get(at..).and_then(<[u8]>::first_chunk).map_or(u64::MAX, |time| u64::from_be_bytes(*time))
}

fn keep_figures(tables: &mut Writing, number: u32, conversation: &ConversationId) -> Result<(), StoreError> {
    let prefix = key([&number.to_be_bytes(), conversation.as_str().as_bytes()]);
    for row in tables.conversation_turns.keys_under(&prefix)? {
        let message: MessageId = id_at_end(&row)?;
        let Some(turn) = tables.turns.fetch(message.as_str().as_bytes())? else { continue };
        let turn: Turn = read_json(&turn, "a turn")?;
        let day = name(number, day_of(turn.created_at));
        let kept = tables.figures.fetch(&day)?;
        let kept: Figures =
            kept.map(|bytes| read_json(&bytes, "figures of a day")).transpose()?.unwrap_or_default();
        tables.figures.insert(&day[..], &write_json(&kept.and(Figures::of(&turn)))?[..])?;
    }
    Ok(())
}

/// Removes all of a creator's.
pub fn forget_creator(tables: &mut Writing, number: u32) -> Result<(), StoreError> {
    clear(&mut tables.figures, &number.to_be_bytes())
}

fn name(number: u32, day: u32) -> Vec<u8> {
    key([&number.to_be_bytes(), &day.to_be_bytes()])
}
