//! What was asked and answered. An answer keeps the words of documents only as long as they are here.

use super::Store;
use super::accounts::{counts_of, creator_of, save_counts};
use super::codec::{id_at_end, key, read_json, write_json};
use super::documents::find;
use super::tables::{Rows, Writing};
use super::{escalations, ledger, webhooks};
use crate::domain::{
    AnswerTrace, Charge, ConversationId, CreatorId, DocumentId, Event, EventKind, Matter, MessageId, Subject,
    Timestamp, Turn,
};
use crate::store::StoreError;

impl Store {
    /// Adds a turn, or writes it anew when its id is there. An answer that cites a document that was deleted while
    /// it was made is kept without words, as if it had been kept before.
    pub async fn add_turn(&self, turn: Turn) -> Result<(), StoreError> {
        self.write(move |tables| add(tables, turn.clone())).await
    }

    /// The same, and pays it in the same transaction, once for each message. `hold` lives until that is durable, also
    /// when nobody waits for it any more.
    pub async fn add_paid_turn(
        &self,
        turn: Turn,
        charge: Charge,
        hold: impl Send + 'static,
    ) -> Result<(), StoreError> {
        self.write(move |tables| {
            let _held = &hold;
            add(tables, turn.clone())?;
            let number = creator_of(&tables.creators, &turn.creator)?.number;
            ledger::spend(tables, number, &turn.creator, &turn.id, &charge, turn.created_at)
        })
        .await
    }

    /// A creator's turns, newest first.
    pub async fn turns(&self, creator: &CreatorId, limit: usize) -> Result<Vec<Turn>, StoreError> {
        let creator = creator.clone();
        self.read(move |tables| {
            let number = creator_of(&tables.creators, &creator)?.number.to_be_bytes();
            let rows = tables.creator_turns.under(&number)?.rev().take(limit);
            rows.map(|row| listed(&tables.turns, row?.0.value())).collect()
        })
        .await
    }

    /// A creator's turns before one of them, newest first; all of them when none is named or it is not there.
    pub async fn turns_before(
        &self,
        creator: &CreatorId,
        before: Option<&MessageId>,
        limit: usize,
    ) -> Result<Vec<Turn>, StoreError> {
        let (creator, before) = (creator.clone(), before.cloned());
        self.read(move |tables| {
            let number = creator_of(&tables.creators, &creator)?.number;
            let edge = match &before {
                Some(before) => find_turn(&tables.turns, before)?.filter(|turn| turn.creator == creator),
                None => None,
            };
            let edge = edge.map(|turn| index_rows(number, &turn)[0].clone());
            let mut found = Vec::new();
            for row in tables.creator_turns.under(&number.to_be_bytes())?.rev() {
                let row = row?;
                let name = row.0.value();
                if found.len() == limit {
                    break;
                }
                if edge.as_deref().is_none_or(|edge| name < edge) {
                    found.push(listed(&tables.turns, name)?);
                }
            }
            Ok(found)
        })
        .await
    }

    /// The last `limit` turns of a conversation, oldest first; none when it is another creator's.
    pub async fn conversation(
        &self,
        creator: &CreatorId,
        conversation: &ConversationId,
        limit: usize,
    ) -> Result<Vec<Turn>, StoreError> {
        let (creator, conversation) = (creator.clone(), conversation.clone());
        self.read(move |tables| {
            let number = creator_of(&tables.creators, &creator)?.number.to_be_bytes();
            let name = key([&number, conversation.as_str().as_bytes()]);
            let rows = tables.conversation_turns.under(&name)?.rev().take(limit);
            let turns: Result<Vec<Turn>, StoreError> =
                rows.map(|row| listed(&tables.turns, row?.0.value())).collect();
            turns.map(|mut turns| {
                turns.reverse();
                turns
            })
        })
        .await
    }

    /// The turn of this id, whoever owns it.
    pub async fn turn(&self, message: &MessageId) -> Result<Option<Turn>, StoreError> {
        let message = message.clone();
        self.read(move |tables| find_turn(&tables.turns, &message)).await
    }

    /// Hands a creator's turns since a time to `each`, newest first, until it wants no more; gives what it gathered.
    pub async fn fold_turns<T: Send + 'static>(
        &self,
        creator: &CreatorId,
        since: Timestamp,
        start: T,
        mut each: impl FnMut(&mut T, Turn) -> bool + Send + 'static,
    ) -> Result<T, StoreError> {
        let creator = creator.clone();
        self.read_once(move |tables| {
            let number = creator_of(&tables.creators, &creator)?.number.to_be_bytes();
            let mut gathered = start;
            let first = key([&number, &since.0.to_be_bytes()]);
            for row in tables.creator_turns.under_beginning(&first, &number)?.rev() {
                if !each(&mut gathered, listed(&tables.turns, row?.0.value())?) {
                    break;
                }
            }
            Ok(gathered)
        })
        .await
    }

    /// Changes what is said of a turn, and tells `kind` of it, if one is given; `None` when the creator has no such turn.
    /// `change` may run twice; it leaves id, conversation, time and citations as they are.
    pub async fn change_turn(
        &self,
        creator: &CreatorId,
        message: &MessageId,
        kind: Option<EventKind>,
        at: Timestamp,
        mut change: impl FnMut(&mut Turn) + Send + 'static,
    ) -> Result<Option<Turn>, StoreError> {
        let (creator, message) = (creator.clone(), message.clone());
        self.write(move |tables| change_one(tables, &creator, &message, kind, at, &mut change)).await
    }
}

/// Changes a turn of this creator and tells of it.
pub fn change_one(
    tables: &mut Writing,
    creator: &CreatorId,
    message: &MessageId,
    kind: Option<EventKind>,
    at: Timestamp,
    change: &mut dyn FnMut(&mut Turn),
) -> Result<Option<Turn>, StoreError> {
    let number = creator_of(&tables.creators, creator)?.number;
    let turn = find_turn(&tables.turns, message)?.filter(|turn| turn.creator == *creator);
    let Some(mut turn) = turn else { return Ok(None) };
    change(&mut turn);
    save(tables, number, &turn)?;
    if let Some(kind) = kind {
        let event = Event::new(creator, kind, subject(&turn), at);
        webhooks::tell(tables, number, event, Matter::Turn(Box::new(turn.clone())))?;
    }
    Ok(Some(turn))
}

/// Takes the words out of every answer that cites a document.
pub fn forget_document(tables: &mut Writing, number: u32, document: &DocumentId) -> Result<(), StoreError> {
    let prefix = key([&number.to_be_bytes(), document.as_str().as_bytes()]);
    for row in tables.cited.keys_under(&prefix)? {
        let message: MessageId = id_at_end(&row)?;
        if let Some(mut turn) = find_turn(&tables.turns, &message)? {
            remove_index_rows(tables, number, &turn)?;
            remove_words(&mut turn);
            save(tables, number, &turn)?;
        }
    }
    Ok(())
}

fn add(tables: &mut Writing, mut turn: Turn) -> Result<(), StoreError> {
    let number = creator_of(&tables.creators, &turn.creator)?.number;
    let conversation = key([&number.to_be_bytes(), turn.conversation.as_str().as_bytes()]);
    let is_new = tables.conversation_turns.under(&conversation)?.next().is_none();
    let former = find_turn(&tables.turns, &turn.id)?;
    let is_new_turn = former.is_none();
    if let Some(former) = former {
        if former.creator != turn.creator || former.conversation != turn.conversation {
            return Err(StoreError::Invalid(format!("message {} is of another conversation", turn.id)));
        }
        remove_index_rows(tables, number, &former)?;
    }
    for citation in &turn.answer.citations {
        let cited = find(&tables.documents, &citation.document_id)?;
        if cited.is_none_or(|document| document.number != number) {
            remove_words(&mut turn);
            break;
        }
    }
    save(tables, number, &turn)?;
    if is_new {
        let mut counts = counts_of(&tables.counts, number)?;
        counts.conversations += 1;
        save_counts(tables, number, counts)?;
    }
    if is_new_turn { tell(tables, number, turn) } else { Ok(()) }
}

/// That it was answered, and that a person is needed.
fn tell(tables: &mut Writing, number: u32, turn: Turn) -> Result<(), StoreError> {
    let event = Event::new(&turn.creator, EventKind::AnswerCreated, subject(&turn), turn.created_at);
    if turn.answer.should_escalate {
        escalations::open_for(tables, number, &turn)?;
    }
    webhooks::tell(tables, number, event, Matter::Turn(Box::new(turn)))
}

fn subject(turn: &Turn) -> Subject {
    Subject {
        conversation: Some(turn.conversation.clone()),
        message: Some(turn.id.clone()),
        ..Subject::default()
    }
}

/// Removes every turn of a conversation with its rows; gives their number.
pub fn remove_conversation(
    tables: &mut Writing,
    number: u32,
    conversation: &ConversationId,
) -> Result<u64, StoreError> {
    let prefix = key([&number.to_be_bytes(), conversation.as_str().as_bytes()]);
    let rows = tables.conversation_turns.keys_under(&prefix)?;
    for row in &rows {
        let turn = listed(&tables.turns, row)?;
        remove_index_rows(tables, number, &turn)?;
        tables.turns.remove(turn.id.as_str().as_bytes())?;
    }
    if !rows.is_empty() {
        let mut counts = counts_of(&tables.counts, number)?;
        counts.conversations = counts.conversations.saturating_sub(1);
        save_counts(tables, number, counts)?;
    }
    Ok(rows.len() as u64)
}

/// Everything that may hold words of a document; the question is the student's own.
fn remove_words(turn: &mut Turn) {
    turn.answer.response = Turn::EMPTIED.to_owned();
    turn.answer.sources.clear();
    turn.answer.citations.clear();
    turn.answer.sentences.clear();
    // What it took stays known; what was found is no longer there.
    turn.trace = turn.trace.take().map(AnswerTrace::without_passages);
}

fn save(tables: &mut Writing, number: u32, turn: &Turn) -> Result<(), StoreError> {
    let bytes = write_json(turn)?;
    // JSON has no NaN: such a turn would be written and never read again.
    let _: Turn = read_json(&bytes, "a turn").map_err(|error| StoreError::Invalid(error.to_string()))?;
    tables.turns.insert(turn.id.as_str().as_bytes(), &bytes[..])?;
    let [by_time, by_conversation] = index_rows(number, turn);
    tables.creator_turns.insert(&by_time[..], &[][..])?;
    tables.conversation_turns.insert(&by_conversation[..], &[][..])?;
    for cited in cited_rows(number, turn) {
        tables.cited.insert(&cited[..], &[][..])?;
    }
    Ok(())
}

fn remove_index_rows(tables: &mut Writing, number: u32, turn: &Turn) -> Result<(), StoreError> {
    let [by_time, by_conversation] = index_rows(number, turn);
    tables.creator_turns.remove(&by_time[..])?;
    tables.conversation_turns.remove(&by_conversation[..])?;
    for cited in cited_rows(number, turn) {
        tables.cited.remove(&cited[..])?;
    }
    Ok(())
}

fn index_rows(number: u32, turn: &Turn) -> [Vec<u8>; 2] {
    let (number, time) = (number.to_be_bytes(), turn.created_at.0.to_be_bytes());
    let message = turn.id.as_str().as_bytes();
    [key([&number, &time, message]), key([&number, turn.conversation.as_str().as_bytes(), &time, message])]
}

fn cited_rows(number: u32, turn: &Turn) -> Vec<Vec<u8>> {
    let message = turn.id.as_str().as_bytes();
    let row = |document: &DocumentId| key([&number.to_be_bytes(), document.as_str().as_bytes(), message]);
    turn.answer.citations.iter().map(|citation| row(&citation.document_id)).collect()
}

fn listed(turns: &impl Rows, row: &[u8]) -> Result<Turn, StoreError> {
    let message: MessageId = id_at_end(row)?;
    find_turn(turns, &message)?
        .ok_or_else(|| StoreError::Damaged(format!("message {message} is listed but not there")))
}

fn find_turn(turns: &impl Rows, message: &MessageId) -> Result<Option<Turn>, StoreError> {
    let bytes = turns.fetch(message.as_str().as_bytes())?;
    bytes.map(|bytes| read_json(&bytes, format!("message {message}"))).transpose()
}
