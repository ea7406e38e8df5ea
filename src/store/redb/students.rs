//! Students whom a creator's site named, their conversations, and how all of one student goes.
//!
//! Rows are named by a hash of the id, so that a strange id makes no strange key. Also here: the secrets that sign
//! what says who somebody is.

use std::collections::BTreeSet;

use super::Store;
use super::accounts::creator_of;
use super::codec::{id_at_end, key, read_json, write_json};
use super::tables::{Rows, Writing, clear};
use super::{conversations, escalations, progress, webhooks};
use crate::domain::student::same_address;
use crate::domain::{ConversationId, CreatorId, Student, Ticket};
use crate::store::{ErasedStudent, StoreError};

impl Store {
    /// Notes that a conversation is this student's. Nothing is written when that is known.
    pub async fn link_student(
        &self,
        creator: &CreatorId,
        student: &Student,
        conversation: &ConversationId,
    ) -> Result<(), StoreError> {
        let (creator, student, conversation) = (creator.clone(), student.clone(), conversation.clone());
        let (whose, who) = (creator.clone(), student.clone());
        let known = {
            let conversation = conversation.clone();
            self.read(move |tables| {
                let number = creator_of(&tables.creators, &whose)?.number;
                let linked = tables.student_conversations.fetch(&linked(number, &conversation))?;
                let kept = tables.students.fetch(&name(number, &who.id))?;
                let kept: Option<Student> = kept.map(|bytes| read_json(&bytes, "a student")).transpose()?;
                Ok(linked.as_deref() == Some(&hash(&who.id)[..]) && kept.as_ref() == Some(&who))
            })
            .await?
        };
        if known {
            return Ok(());
        }
        self.write(move |tables| {
            let number = creator_of(&tables.creators, &creator)?.number;
            tables.students.insert(&name(number, &student.id)[..], &write_json(&student)?[..])?;
            let linked = linked(number, &conversation);
            // A conversation stays with the first who is named in it.
            if !tables.student_conversations.has(&linked)? {
                tables.student_conversations.insert(&linked[..], &hash(&student.id)[..])?;
            }
            Ok(())
        })
        .await
    }

    /// The student whose conversation it is, if the creator's site named one.
    pub async fn student_of(
        &self,
        creator: &CreatorId,
        conversation: &ConversationId,
    ) -> Result<Option<Student>, StoreError> {
        let (creator, conversation) = (creator.clone(), conversation.clone());
        self.read(move |tables| {
            let number = creator_of(&tables.creators, &creator)?.number;
            let Some(whose) = tables.student_conversations.fetch(&linked(number, &conversation))? else {
                return Ok(None);
            };
            let kept = tables.students.fetch(&key([&number.to_be_bytes(), &whose]))?;
            kept.map(|bytes| read_json(&bytes, "a student")).transpose()
        })
        .await
    }

    /// The students that a creator's site named, each with the conversations.
    pub async fn students(
        &self,
        creator: &CreatorId,
    ) -> Result<Vec<(Student, Vec<ConversationId>)>, StoreError> {
        let creator = creator.clone();
        self.read(move |tables| {
            let number = creator_of(&tables.creators, &creator)?.number;
            all(&tables.students, &tables.student_conversations, number)
        })
        .await
    }

    /// Deletes every turn, message, ticket and delivery of a student of a creator: whom the creator's site names so,
    /// who left that address, or who is known by a conversation alone. What is counted is gone; the words stay in
    /// free pages of the file until [`Store::purge`].
    pub async fn erase_student(
        &self,
        creator: &CreatorId,
        id_or_email: &str,
    ) -> Result<ErasedStudent, StoreError> {
        let (creator, who) = (creator.clone(), id_or_email.to_owned());
        self.write(move |tables| erase(tables, &creator, &who)).await
    }

    /// The secret of this name, made of `fresh` at its first use.
    pub async fn secret(&self, name: &str, fresh: Vec<u8>) -> Result<Vec<u8>, StoreError> {
        let place = name.as_bytes().to_vec();
        let here = place.clone();
        if let Some(secret) = self.read(move |tables| tables.secrets.fetch(&here)).await? {
            return Ok(secret);
        }
        self.write(move |tables| match tables.secrets.fetch(&place)? {
            Some(secret) => Ok(secret),
            None => {
                tables.secrets.insert(&place[..], &fresh[..])?;
                Ok(fresh.clone())
            }
        })
        .await
    }

    /// What signs a creator's students' tokens; none until it was made.
    pub async fn student_secret(&self, creator: &CreatorId) -> Result<Option<Vec<u8>>, StoreError> {
        let creator = creator.clone();
        self.read(move |tables| {
            let number = creator_of(&tables.creators, &creator)?.number;
            tables.secrets.fetch(&of_creator(number))
        })
        .await
    }

    /// Replaces it: tokens that were signed before count no more.
    pub async fn set_student_secret(&self, creator: &CreatorId, secret: Vec<u8>) -> Result<(), StoreError> {
        let creator = creator.clone();
        self.write(move |tables| {
            let number = creator_of(&tables.creators, &creator)?.number;
            tables.secrets.insert(&of_creator(number)[..], &secret[..])?;
            Ok(())
        })
        .await
    }
}

/// All students of a creator, each with the conversations.
pub fn all(
    students: &impl Rows,
    conversations: &impl Rows,
    number: u32,
) -> Result<Vec<(Student, Vec<ConversationId>)>, StoreError> {
    let mut found = Vec::new();
    let mut places = std::collections::HashMap::new();
    for row in students.under(&number.to_be_bytes())? {
        let (name, student) = row?;
        places.insert(name.value()[4..].to_vec(), found.len());
        found.push((read_json(student.value(), "a student")?, Vec::new()));
    }
    for row in conversations.under(&number.to_be_bytes())? {
        let (name, whose) = row?;
        if let Some(&place) = places.get(whose.value()) {
            let of: &mut (Student, Vec<ConversationId>) = &mut found[place];
            of.1.push(id_at_end(name.value())?);
        }
    }
    Ok(found)
}

fn erase(tables: &mut Writing, creator: &CreatorId, who: &str) -> Result<ErasedStudent, StoreError> {
    let number = creator_of(&tables.creators, creator)?.number;
    let mut erased = ErasedStudent::none(creator);
    let mut theirs: BTreeSet<ConversationId> = BTreeSet::new();
    for (student, conversations) in all(&tables.students, &tables.student_conversations, number)? {
        if student.is(who) {
            erased.students += 1;
            theirs.extend(conversations);
            tables.students.remove(&name(number, &student.id)[..])?;
            progress::forget(tables, number, &student.id)?;
        }
    }
    for row in tables.tickets.under(&number.to_be_bytes())? {
        let ticket: Ticket = read_json(row?.1.value(), "a ticket")?;
        let email = ticket.contact.as_ref().and_then(|contact| contact.email.as_deref());
        if email.is_some_and(|email| same_address(email, who)) {
            theirs.insert(ticket.conversation);
        }
    }
    if let Ok(conversation) = who.parse() {
        theirs.insert(conversation);
    }
    for conversation in &theirs {
        remove_conversation(tables, number, conversation, &mut erased)?;
    }
    Ok(erased)
}

/// Removes a conversation with everything that was said in it, and counts what went.
pub fn remove_conversation(
    tables: &mut Writing,
    number: u32,
    conversation: &ConversationId,
    erased: &mut ErasedStudent,
) -> Result<(), StoreError> {
    let turns = conversations::remove_conversation(tables, number, conversation)?;
    let [tickets, messages] = escalations::remove_conversation(tables, number, conversation)?;
    let deliveries = webhooks::remove_conversation(tables, number, conversation)?;
    tables.student_conversations.remove(&linked(number, conversation)[..])?;
    erased.conversations += u64::from(turns + tickets + messages > 0);
    erased.turns += turns;
    erased.tickets += tickets;
    erased.messages += messages;
    erased.deliveries += deliveries;
    Ok(())
}

/// What names the rows of the student whose conversation it is.
pub fn whose(
    tables: &Writing,
    number: u32,
    conversation: &ConversationId,
) -> Result<Option<Vec<u8>>, StoreError> {
    tables.student_conversations.fetch(&linked(number, conversation))
}

/// Removes those of these students of whom nothing is left, neither a conversation nor progress; gives their number.
pub fn forget_silent(
    tables: &mut Writing,
    number: u32,
    mut silent: BTreeSet<Vec<u8>>,
) -> Result<u64, StoreError> {
    if silent.is_empty() {
        return Ok(0);
    }
    for row in tables.student_conversations.under(&number.to_be_bytes())? {
        silent.remove(row?.1.value());
    }
    let mut gone = 0;
    for hash in silent {
        let name = key([&number.to_be_bytes(), &hash]);
        if !tables.progress.has(&name)? {
            gone += u64::from(tables.students.remove(&name[..])?.is_some());
        }
    }
    Ok(gone)
}

/// Removes all of a creator's.
pub fn forget_creator(tables: &mut Writing, number: u32) -> Result<(), StoreError> {
    clear(&mut tables.students, &number.to_be_bytes())?;
    clear(&mut tables.student_conversations, &number.to_be_bytes())?;
    tables.secrets.remove(&of_creator(number)[..])?;
    progress::forget_creator(tables, number)
}

/// Notes a student whom the creator's site named, unless more is known already.
pub fn noted(tables: &mut Writing, number: u32, student: &Student) -> Result<(), StoreError> {
    let name = name(number, &student.id);
    if !tables.students.has(&name)? {
        tables.students.insert(&name[..], &write_json(student)?[..])?;
    }
    Ok(())
}

fn hash(id: &str) -> [u8; 32] {
    *blake3::hash(id.as_bytes()).as_bytes()
}

/// The name of a student's rows.
pub fn name(number: u32, id: &str) -> Vec<u8> {
    key([&number.to_be_bytes(), &hash(id)])
}

fn linked(number: u32, conversation: &ConversationId) -> Vec<u8> {
    key([&number.to_be_bytes(), conversation.as_str().as_bytes()])
}

fn of_creator(number: u32) -> Vec<u8> {
    key([b"students ", &number.to_be_bytes()])
}
