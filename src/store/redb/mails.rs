//! Mails that wait, were sent, or were given up. They hold ids and no words (`domain/mail.rs`).
//!
//! A mail about an event is written in the event's transaction ([`escalated`]), so that a process that is killed in
//! between loses none. It is claimed for a time, sent by `mail`, and finished here.

use std::collections::HashSet;

use super::accounts::creator_of;
use super::codec::key;
use super::tables::{Rows, Writing};
use super::{Store, outbox, people, tries};
use crate::domain::{
    About, Attempt, ConversationId, CreatorId, DeliveryState, Event, EventKind, Mail, MailId, Message,
    Timestamp,
};
use crate::store::{Event as Done, MailCounts, StoreError};

/// Mails that are kept once they are done, for people to look at.
const KEPT: usize = 500;
/// In `meta`: whether people are told by mail that conversations need them.
const TOLD_BY_MAIL: &[u8] = b"told_by_mail";

impl Store {
    /// Queues a mail; one that is there already stays as it is.
    pub async fn add_mail(&self, mail: Mail) -> Result<(), StoreError> {
        self.write(move |tables| add(tables, &mail)).await
    }

    /// Counts that somebody asked for a new password, and queues the mail if there is one: both cost the same time, so
    /// that nobody learns from it whether there is an account.
    pub async fn add_event_with_mail(&self, event: Done, mail: Option<Mail>) -> Result<(), StoreError> {
        self.write(move |tables| {
            tries::count(tables, &event)?;
            mail.as_ref().map_or(Ok(()), |mail| add(tables, mail))
        })
        .await
    }

    /// Keeps what a person said, with the mail that brings it to the student.
    pub async fn add_message_with_mail(&self, message: Message, mail: Mail) -> Result<(), StoreError> {
        self.write(move |tables| {
            super::escalations::add(tables, &message)?;
            add(tables, &mail)
        })
        .await
    }

    /// Says once and for all whether people are told by mail that conversations need them.
    pub async fn tell_people_by_mail(&self, told: bool) -> Result<(), StoreError> {
        if self.read(|tables| tables.meta.has(TOLD_BY_MAIL)).await? == told {
            return Ok(());
        }
        self.write(move |tables| {
            if told {
                tables.meta.insert(TOLD_BY_MAIL, &super::codec::write_number(1)[..])?;
            } else {
                tables.meta.remove(TOLD_BY_MAIL)?;
            }
            Ok(())
        })
        .await
    }

    pub async fn mail(&self, id: &MailId) -> Result<Option<Mail>, StoreError> {
        let id = id.clone();
        self.read(move |tables| outbox::find(&tables.mails, id.as_str())).await
    }

    /// How many wait and how many were given up, and what went wrong last.
    pub async fn mail_counts(&self) -> Result<MailCounts, StoreError> {
        self.read(|tables| {
            let mut counts = MailCounts::default();
            for row in tables.mail_order.under(b"")? {
                let mail: Mail = outbox::listed(&tables.mails, row?.0.value())?;
                match mail.standing.state {
                    DeliveryState::Waiting => counts.waiting += 1,
                    DeliveryState::Dead => counts.given_up += 1,
                    DeliveryState::Delivered => counts.sent += 1,
                }
                let last = mail.standing.attempts.last();
                let fault = last.and_then(|attempt| Some((attempt.at, attempt.error.clone()?)));
                if let Some(fault) = fault
                    && counts.last_fault.as_ref().is_none_or(|known| known.0 < fault.0)
                {
                    counts.last_fault = Some(fault);
                }
            }
            Ok(counts)
        })
        .await
    }

    /// Takes mails whose time has come, at most `limit`. Sets their time to `now` + `lease_ms`: when the process dies
    /// meanwhile, they go out again then.
    pub async fn claim_mails(
        &self,
        now: Timestamp,
        lease_ms: u64,
        limit: usize,
    ) -> Result<Vec<Mail>, StoreError> {
        // Most looks find nothing, and then nothing is written.
        if limit == 0
            || self.read(move |tables| due(&tables.due_mails, &tables.mails, now, 1)).await?.is_empty()
        {
            return Ok(Vec::new());
        }
        self.write(move |tables| {
            let mut claimed = due(&tables.due_mails, &tables.mails, now, limit)?;
            for mail in &mut claimed {
                let former = mail.clone();
                mail.standing.claim(Timestamp(now.0.saturating_add(lease_ms)));
                save(tables, Some(&former), mail)?;
            }
            Ok(claimed)
        })
        .await
    }

    /// Gives back what an earlier process had claimed: one process at a time has the store, so nobody is sending it.
    pub async fn release_mails(&self) -> Result<u64, StoreError> {
        self.write(|tables| {
            let mut released = 0;
            for row in tables.due_mails.keys_under(b"")? {
                let former: Mail = outbox::listed(&tables.mails, &row)?;
                if former.standing.claimed {
                    let mut mail = former.clone();
                    mail.standing.release(former.created_at);
                    save(tables, Some(&former), &mail)?;
                    released += 1;
                }
            }
            Ok(released)
        })
        .await
    }

    /// Writes down how a try went and what comes next; whether the mail is still there.
    pub async fn finish_mail(
        &self,
        id: &MailId,
        attempt: Attempt,
        state: DeliveryState,
        next_at: Timestamp,
    ) -> Result<bool, StoreError> {
        let id = id.clone();
        self.write(move |tables| {
            let Some(mut mail) = outbox::find::<Mail>(&tables.mails, id.as_str())? else { return Ok(false) };
            let former = mail.clone();
            mail.standing.tried(attempt.clone(), state, next_at);
            save(tables, Some(&former), &mail)?;
            prune(tables)?;
            Ok(true)
        })
        .await
    }

    /// Sends everything again that was given up; gives how many.
    pub async fn send_mails_again(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.write(move |tables| {
            let mut count = 0;
            for row in tables.mail_order.keys_under(b"")? {
                let former: Mail = outbox::listed(&tables.mails, &row)?;
                if former.standing.state == DeliveryState::Dead {
                    let mut mail = former.clone();
                    mail.standing.begin_again(now);
                    save(tables, Some(&former), &mail)?;
                    count += 1;
                }
            }
            Ok(count)
        })
        .await
    }
}

/// Queues mails to those who answer a creator's students, when a conversation needs one of them. A mail that still waits
/// takes the conversation along.
pub fn escalated(tables: &mut Writing, event: &Event) -> Result<(), StoreError> {
    if event.kind != EventKind::ConversationEscalated || !tables.meta.has(TOLD_BY_MAIL)? {
        return Ok(());
    }
    let Some(conversation) = &event.subject.conversation else { return Ok(()) };
    let mut waiting: Vec<Mail> = Vec::new();
    for row in tables.due_mails.keys_under(b"")? {
        let mail: Mail = outbox::listed(&tables.mails, &row)?;
        let joins = mail.standing.tries == 0 && !mail.standing.claimed;
        if joins && matches!(&mail.about, About::Escalations { creator, .. } if *creator == event.creator) {
            waiting.push(mail);
        }
    }
    for person in people::of_creator(&tables.users, &event.creator)? {
        let fits =
            |mail: &&Mail| matches!(&mail.about, About::Escalations { user, .. } if *user == person.id);
        let mail = match waiting.iter().find(fits) {
            Some(former) => {
                let mut mail = former.clone();
                if let About::Escalations { conversations, .. } = &mut mail.about
                    && !conversations.contains(conversation)
                {
                    conversations.push(conversation.clone());
                }
                save(tables, Some(former), &mail)?;
                continue;
            }
            None => {
                let (creator, conversation) = (event.creator.clone(), conversation.clone());
                Mail::escalation(&event.id, creator, person.id.clone(), conversation, event.at)
            }
        };
        add(tables, &mail)?;
    }
    Ok(())
}

/// Removes what speaks of a conversation.
pub fn remove_conversation(tables: &mut Writing, gone: &ConversationId) -> Result<(), StoreError> {
    for row in tables.mail_order.keys_under(b"")? {
        let former: Mail = outbox::listed(&tables.mails, &row)?;
        let mut mail = former.clone();
        match &mut mail.about {
            About::Reply { conversation, .. } if conversation == gone => remove(tables, &former)?,
            About::Escalations { conversations, .. } if conversations.contains(gone) => {
                conversations.retain(|conversation| conversation != gone);
                if conversations.is_empty() {
                    remove(tables, &former)?;
                } else {
                    save(tables, Some(&former), &mail)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Removes all of a creator's.
pub fn forget_creator(tables: &mut Writing, creator: &CreatorId) -> Result<(), StoreError> {
    for row in tables.mail_order.keys_under(b"")? {
        let mail: Mail = outbox::listed(&tables.mails, &row)?;
        if mail.about.creator() == Some(creator) {
            remove(tables, &mail)?;
        }
    }
    Ok(())
}

fn add(tables: &mut Writing, mail: &Mail) -> Result<(), StoreError> {
    if let Some(creator) = mail.about.creator() {
        creator_of(&tables.creators, creator)?;
    }
    // The same mail again is sent once.
    if tables.mails.has(mail.id.as_str().as_bytes())? {
        return Ok(());
    }
    tables.mail_order.insert(&in_order(mail)[..], &[][..])?;
    save(tables, None, mail)
}

fn save(tables: &mut Writing, former: Option<&Mail>, mail: &Mail) -> Result<(), StoreError> {
    outbox::save(&mut tables.mails, &mut tables.due_mails, former, mail)
}

fn remove(tables: &mut Writing, mail: &Mail) -> Result<(), StoreError> {
    tables.mail_order.remove(&in_order(mail)[..])?;
    outbox::remove(&mut tables.mails, &mut tables.due_mails, mail)
}

/// Done mails beyond the newest go.
fn prune(tables: &mut Writing) -> Result<(), StoreError> {
    let rows = tables.mail_order.keys_under(b"")?;
    let excess = rows.len().saturating_sub(KEPT);
    for row in &rows[..excess] {
        let mail: Mail = outbox::listed(&tables.mails, row)?;
        if mail.standing.state != DeliveryState::Waiting {
            remove(tables, &mail)?;
        }
    }
    Ok(())
}

fn due(due: &impl Rows, mails: &impl Rows, now: Timestamp, limit: usize) -> Result<Vec<Mail>, StoreError> {
    outbox::due(due, mails, now, limit, HashSet::new(), |mail: &Mail| mail.id.clone())
}

fn in_order(mail: &Mail) -> Vec<u8> {
    key([&mail.created_at.0.to_be_bytes(), mail.id.as_str().as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::UserId;
    use crate::store::Options;

    fn reset(byte: u8, at: u64) -> Mail {
        Mail::reset(UserId::from_bytes([byte; 16]), Timestamp(at))
    }

    fn failed(at: u64, error: &str) -> Attempt {
        Attempt { at: Timestamp(at), status: Some(451), error: Some(error.into()), took_ms: 3 }
    }

    #[tokio::test]
    async fn a_mail_is_claimed_once_survives_the_process_and_is_finished() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), Options::default()).await.unwrap();
        let (one, two) = (reset(1, 10), reset(2, 20));
        for mail in [&one, &two, &one] {
            store.add_mail(mail.clone()).await.unwrap();
        }
        assert!(store.claim_mails(Timestamp(9), 1_000, 9).await.unwrap().is_empty());
        let claimed = store.claim_mails(Timestamp(99), 1_000, 9).await.unwrap();
        assert_eq!(claimed.iter().map(|mail| &mail.id).collect::<Vec<_>>(), [&one.id, &two.id]);
        assert!(store.claim_mails(Timestamp(99), 1_000, 9).await.unwrap().is_empty());
        drop(store);
        let store = Store::open(dir.path(), Options::default()).await.unwrap();
        assert_eq!(store.release_mails().await.unwrap(), 2);
        assert_eq!(store.claim_mails(Timestamp(99), 1_000, 1).await.unwrap().len(), 1);
        let next = Timestamp(5_000);
        assert!(store.finish_mail(&one.id, failed(100, "busy"), DeliveryState::Waiting, next).await.unwrap());
        assert!(store.finish_mail(&two.id, failed(90, "no"), DeliveryState::Dead, next).await.unwrap());
        let counts = store.mail_counts().await.unwrap();
        assert_eq!((counts.waiting, counts.given_up, counts.sent), (1, 1, 0));
        assert_eq!(counts.last_fault, Some((Timestamp(100), "busy".to_owned())));
        assert!(store.claim_mails(Timestamp(4_999), 1_000, 9).await.unwrap().is_empty());
        assert_eq!(store.send_mails_again(Timestamp(4_000)).await.unwrap(), 1);
        assert_eq!(store.claim_mails(Timestamp(4_999), 1_000, 9).await.unwrap()[0].id, two.id);
        assert!(!store.finish_mail(&reset(3, 1).id, failed(1, ""), DeliveryState::Dead, next).await.unwrap());
    }

    #[tokio::test]
    async fn done_mails_are_kept_in_bounds_and_waiting_ones_all() {
        let store = Store::in_memory().unwrap();
        let waiting = reset(7, 0);
        store.add_mail(waiting.clone()).await.unwrap();
        for minute in 1..=u64::try_from(KEPT).unwrap() + 3 {
            let mail = reset(1, minute * 60_000);
            store.add_mail(mail.clone()).await.unwrap();
            store.finish_mail(&mail.id, failed(1, "no"), DeliveryState::Dead, Timestamp(0)).await.unwrap();
        }
        let counts = store.mail_counts().await.unwrap();
        assert_eq!(counts.waiting, 1);
        assert!(counts.given_up <= KEPT as u64, "{}", counts.given_up);
        assert!(store.mail(&waiting.id).await.unwrap().is_some());
    }
}
