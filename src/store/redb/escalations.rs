//! Tickets of conversations that need a person, and what a person and a student say to each other.
//!
//! A ticket is opened in the transaction that keeps the answer which hands over. Each change tells its event.

use super::Store;
use super::accounts::creator_of;
use super::codec::{id_at_end, key, read_json, write_json};
use super::tables::{Rows, Writing, clear};
use super::webhooks;
use crate::domain::{
    Contact, ConversationId, CreatorId, Event, EventKind, Matter, Message, Subject, Ticket, TicketState,
    Timestamp, Turn,
};
use crate::store::StoreError;

impl Store {
    /// The ticket of a conversation, if it has one.
    pub async fn ticket(
        &self,
        creator: &CreatorId,
        conversation: &ConversationId,
    ) -> Result<Option<Ticket>, StoreError> {
        let (creator, conversation) = (creator.clone(), conversation.clone());
        self.read(move |tables| {
            let number = creator_of(&tables.creators, &creator)?.number;
            find(&tables.tickets, number, &conversation)
        })
        .await
    }

    /// A creator's tickets, newest first; those in one state, or all.
    pub async fn tickets(
        &self,
        creator: &CreatorId,
        state: Option<TicketState>,
        limit: usize,
    ) -> Result<Vec<Ticket>, StoreError> {
        let creator = creator.clone();
        self.read(move |tables| {
            let number = creator_of(&tables.creators, &creator)?.number;
            let mut found = Vec::new();
            for row in tables.creator_tickets.under(&number.to_be_bytes())?.rev() {
                if found.len() == limit {
                    break;
                }
                let conversation: ConversationId = id_at_end(row?.0.value())?;
                let ticket = find(&tables.tickets, number, &conversation)?.ok_or_else(|| {
                    StoreError::Damaged(format!("ticket {conversation} is listed but not there"))
                })?;
                if state.is_none_or(|state| ticket.state == state) {
                    found.push(ticket);
                }
            }
            Ok(found)
        })
        .await
    }

    /// Changes a ticket and tells `kind` of it, if one is given; `None` when there is no such ticket. `change` may
    /// run twice.
    pub async fn change_ticket(
        &self,
        creator: &CreatorId,
        conversation: &ConversationId,
        kind: Option<EventKind>,
        mut change: impl FnMut(&mut Ticket) + Send + 'static,
    ) -> Result<Option<Ticket>, StoreError> {
        let (creator, conversation) = (creator.clone(), conversation.clone());
        self.write(move |tables| {
            let number = creator_of(&tables.creators, &creator)?.number;
            let Some(mut ticket) = find(&tables.tickets, number, &conversation)? else { return Ok(None) };
            change(&mut ticket);
            save(tables, number, &ticket)?;
            if let Some(kind) = kind {
                tell(tables, number, kind, &ticket)?;
            }
            Ok(Some(ticket))
        })
        .await
    }

    /// Notes how a student can be reached; opens a ticket, or opens it again.
    pub async fn ask_for_person(
        &self,
        creator: &CreatorId,
        conversation: &ConversationId,
        contact: Contact,
        now: Timestamp,
    ) -> Result<Ticket, StoreError> {
        let (creator, conversation) = (creator.clone(), conversation.clone());
        self.write(move |tables| {
            let number = creator_of(&tables.creators, &creator)?.number;
            let asked = contact.message.clone().unwrap_or_default();
            let (mut ticket, is_news) = match find(&tables.tickets, number, &conversation)? {
                Some(mut ticket) => {
                    let question = if asked.is_empty() { ticket.question.clone() } else { asked };
                    let again = ticket.reopen(crate::domain::escalation::ASKED, &question, now);
                    (ticket, again)
                }
                None => {
                    let reason = crate::domain::escalation::ASKED;
                    (Ticket::open(&creator, &conversation, reason, &asked, now), true)
                }
            };
            ticket.contact = Some(contact.clone());
            save(tables, number, &ticket)?;
            if is_news {
                tell(tables, number, EventKind::ConversationEscalated, &ticket)?;
            }
            tell(tables, number, EventKind::ContactLeft, &ticket)?;
            Ok(ticket)
        })
        .await
    }

    /// Keeps what was said. A person's first words in a conversation without a ticket open one, so that it is found.
    pub async fn add_message(&self, message: Message) -> Result<(), StoreError> {
        self.write(move |tables| add(tables, &message)).await
    }

    /// What a person and the student said in a conversation, oldest first: the last `limit` messages.
    pub async fn messages(
        &self,
        creator: &CreatorId,
        conversation: &ConversationId,
        limit: usize,
    ) -> Result<Vec<Message>, StoreError> {
        let (creator, conversation) = (creator.clone(), conversation.clone());
        self.read(move |tables| {
            let number = creator_of(&tables.creators, &creator)?.number;
            let rows = tables.messages.under(&name(number, &conversation))?.rev().take(limit);
            let found: Result<Vec<Message>, StoreError> =
                rows.map(|row| read_json(row?.1.value(), "a message")).collect();
            found.map(|mut messages| {
                messages.reverse();
                messages
            })
        })
        .await
    }
}

/// Keeps what was said, and tells it.
pub fn add(tables: &mut Writing, message: &Message) -> Result<(), StoreError> {
    let number = creator_of(&tables.creators, &message.creator)?.number;
    let row = key([
        &number.to_be_bytes(),
        message.conversation.as_str().as_bytes(),
        &message.at.0.to_be_bytes(),
        message.id.as_str().as_bytes(),
    ]);
    tables.messages.insert(&row[..], &write_json(message)?[..])?;
    let subject = Subject {
        conversation: Some(message.conversation.clone()),
        message: Some(message.id.clone()),
        ..Subject::default()
    };
    let event = Event::new(&message.creator, EventKind::MessageCreated, subject, message.at);
    webhooks::tell(tables, number, event, Matter::Message(Box::new(message.clone())))
}

/// Opens the ticket of an answer that hands over, or opens it again.
pub fn open_for(tables: &mut Writing, number: u32, turn: &Turn) -> Result<(), StoreError> {
    let (reason, now) = (Ticket::reason_of(turn), turn.created_at);
    let (ticket, is_news) = match find(&tables.tickets, number, &turn.conversation)? {
        Some(mut ticket) => {
            let again = ticket.reopen(reason, &turn.question, now);
            (ticket, again)
        }
        None => (Ticket::open(&turn.creator, &turn.conversation, reason, &turn.question, now), true),
    };
    save(tables, number, &ticket)?;
    if is_news {
        tell(tables, number, EventKind::ConversationEscalated, &ticket)?;
    }
    Ok(())
}

/// Removes the ticket and the messages of a conversation; gives their numbers.
pub fn remove_conversation(
    tables: &mut Writing,
    number: u32,
    conversation: &ConversationId,
) -> Result<[u64; 2], StoreError> {
    let name = name(number, conversation);
    let ticket = find(&tables.tickets, number, conversation)?;
    if let Some(ticket) = &ticket {
        tables.creator_tickets.remove(&by_time(number, ticket)[..])?;
        tables.tickets.remove(&name[..])?;
    }
    let messages = tables.messages.keys_under(&name)?.len() as u64;
    clear(&mut tables.messages, &name)?;
    Ok([u64::from(ticket.is_some()), messages])
}

/// Removes all of a creator's.
pub fn forget_creator(tables: &mut Writing, number: u32) -> Result<(), StoreError> {
    for table in [&mut tables.tickets, &mut tables.creator_tickets, &mut tables.messages] {
        clear(table, &number.to_be_bytes())?;
    }
    Ok(())
}

/// The ticket of a conversation, if it has one.
pub fn find(
    tickets: &impl Rows,
    number: u32,
    conversation: &ConversationId,
) -> Result<Option<Ticket>, StoreError> {
    let bytes = tickets.fetch(&name(number, conversation))?;
    bytes.map(|bytes| read_json(&bytes, format!("ticket {conversation}"))).transpose()
}

fn save(tables: &mut Writing, number: u32, ticket: &Ticket) -> Result<(), StoreError> {
    tables.tickets.insert(&name(number, &ticket.conversation)[..], &write_json(ticket)?[..])?;
    tables.creator_tickets.insert(&by_time(number, ticket)[..], &[][..])?;
    Ok(())
}

fn tell(tables: &mut Writing, number: u32, kind: EventKind, ticket: &Ticket) -> Result<(), StoreError> {
    let subject = Subject { conversation: Some(ticket.conversation.clone()), ..Subject::default() };
    let event = Event::new(&ticket.creator, kind, subject, ticket.updated_at);
    webhooks::tell(tables, number, event, Matter::Ticket(Box::new(ticket.clone())))
}

fn name(number: u32, conversation: &ConversationId) -> Vec<u8> {
    key([&number.to_be_bytes(), conversation.as_str().as_bytes()])
}

fn by_time(number: u32, ticket: &Ticket) -> Vec<u8> {
    let time = ticket.created_at.0.to_be_bytes();
    key([&number.to_be_bytes(), &time, ticket.conversation.as_str().as_bytes()])
}
