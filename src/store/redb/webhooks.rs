//! Webhooks, and what waits to be delivered to them.
//!
//! A delivery is written in the transaction of the event that it carries ([`tell`]), so that a process that is
//! killed in between loses none; it is claimed for a time, sent by `events`, and finished here. Deliveries hold ids
//! and no words.

use std::collections::HashSet;

use super::Store;
use super::accounts::creator_of;
use super::codec::{id_at_end, key, read_json, write_json};
use super::tables::{Rows, Writing, clear};
use super::{mails, outbox};
use crate::domain::{
    Attempt, ConversationId, CreatorId, Delivery, DeliveryId, DeliveryState, Event, Matter, Timestamp, Told,
    Webhook, WebhookId,
};
use crate::store::StoreError;

/// Deliveries that are kept of a webhook once they are done, for people to look at.
const KEPT: usize = 200;

impl Store {
    /// Fails when its creator is not there.
    pub async fn add_webhook(&self, webhook: Webhook) -> Result<(), StoreError> {
        self.write(move |tables| {
            let number = creator_of(&tables.creators, &webhook.creator)?.number;
            tables.webhooks.insert(&name(number, &webhook.id)[..], &write_json(&webhook)?[..])?;
            Ok(())
        })
        .await
    }

    /// A creator's webhooks, oldest first.
    pub async fn webhooks(&self, creator: &CreatorId) -> Result<Vec<Webhook>, StoreError> {
        let creator = creator.clone();
        self.read(move |tables| {
            let number = creator_of(&tables.creators, &creator)?.number;
            let rows = tables.webhooks.under(&number.to_be_bytes())?;
            let mut found = rows
                .map(|row| read_json(row?.1.value(), "a webhook"))
                .collect::<Result<Vec<Webhook>, _>>()?;
            found.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
            Ok(found)
        })
        .await
    }

    /// Removes a webhook with its deliveries; whether there was one.
    pub async fn remove_webhook(&self, creator: &CreatorId, id: &WebhookId) -> Result<bool, StoreError> {
        let (creator, id) = (creator.clone(), id.clone());
        self.write(move |tables| {
            let number = creator_of(&tables.creators, &creator)?.number;
            let name = name(number, &id);
            for row in tables.webhook_deliveries.keys_under(&name)? {
                remove(tables, number, &id_at_end(&row)?)?;
            }
            Ok(tables.webhooks.remove(&name[..])?.is_some())
        })
        .await
    }

    /// Queues an event for one webhook, wanted or not; `None` when there is no such webhook.
    pub async fn deliver_to(
        &self,
        creator: &CreatorId,
        id: &WebhookId,
        event: Event,
    ) -> Result<Option<Delivery>, StoreError> {
        let (creator, id) = (creator.clone(), id.clone());
        self.write(move |tables| {
            let number = creator_of(&tables.creators, &creator)?.number;
            if !tables.webhooks.has(&name(number, &id))? {
                return Ok(None);
            }
            let delivery = Delivery::new(&event, &id);
            save(tables, number, None, &delivery)?;
            tables.told.push(Told { event: event.clone(), matter: Matter::Nothing });
            Ok(Some(delivery))
        })
        .await
    }

    /// Deliveries of a webhook, newest first.
    pub async fn deliveries(
        &self,
        creator: &CreatorId,
        id: &WebhookId,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        let (creator, id) = (creator.clone(), id.clone());
        self.read(move |tables| {
            let number = creator_of(&tables.creators, &creator)?.number;
            let rows = tables.webhook_deliveries.under(&name(number, &id))?.rev().take(limit);
            rows.map(|row| outbox::listed(&tables.deliveries, row?.0.value())).collect()
        })
        .await
    }

    /// Takes deliveries whose time has come, at most `limit` and one for each webhook that is not `busy`, so that a
    /// slow one delays nobody else and hears things in their order. Sets their time to `now` + `lease_ms`: when the
    /// process dies meanwhile, they go out again then.
    pub async fn claim_deliveries(
        &self,
        now: Timestamp,
        lease_ms: u64,
        limit: usize,
        busy: &HashSet<WebhookId>,
    ) -> Result<Vec<(Webhook, Delivery)>, StoreError> {
        let busy = busy.clone();
        // Most looks find nothing, and then nothing is written.
        let found = {
            let busy = busy.clone();
            self.read(move |tables| due(&tables.due_deliveries, &tables.deliveries, now, 1, &busy)).await?
        };
        if found.is_empty() {
            return Ok(Vec::new());
        }
        self.write(move |tables| {
            let mut claimed = Vec::new();
            for mut delivery in due(&tables.due_deliveries, &tables.deliveries, now, limit, &busy)? {
                let number = creator_of(&tables.creators, &delivery.event.creator)?.number;
                let Some(webhook) = tables.webhooks.fetch(&name(number, &delivery.webhook))? else {
                    remove(tables, number, &delivery.id)?;
                    continue;
                };
                let former = delivery.clone();
                delivery.standing.claim(Timestamp(now.0.saturating_add(lease_ms)));
                save(tables, number, Some(&former), &delivery)?;
                claimed.push((read_json(&webhook, "a webhook")?, delivery));
            }
            Ok(claimed)
        })
        .await
    }

    /// Gives back what an earlier process had claimed, to go out in its order: one process at a time has the store, so
    /// nobody is sending it.
    pub async fn release_deliveries(&self) -> Result<u64, StoreError> {
        self.write(|tables| {
            let mut released = 0;
            for row in tables.due_deliveries.keys_under(b"")? {
                let former: Delivery = outbox::listed(&tables.deliveries, &row)?;
                if former.standing.claimed {
                    let number = creator_of(&tables.creators, &former.event.creator)?.number;
                    let mut delivery = former.clone();
                    delivery.standing.release(former.event.at);
                    save(tables, number, Some(&former), &delivery)?;
                    released += 1;
                }
            }
            Ok(released)
        })
        .await
    }

    /// Writes down how a try went and what comes next; whether the delivery is still there.
    pub async fn finish_delivery(
        &self,
        creator: &CreatorId,
        id: &DeliveryId,
        attempt: Attempt,
        state: DeliveryState,
        next_at: Timestamp,
    ) -> Result<bool, StoreError> {
        let (creator, id) = (creator.clone(), id.clone());
        self.write(move |tables| {
            let number = creator_of(&tables.creators, &creator)?.number;
            let Some(mut delivery) = find(&tables.deliveries, &id)? else { return Ok(false) };
            let former = delivery.clone();
            delivery.standing.tried(attempt.clone(), state, next_at);
            save(tables, number, Some(&former), &delivery)?;
            prune(tables, number, &delivery.webhook)?;
            Ok(true)
        })
        .await
    }

    /// Sends a delivery again, from the first try; `None` when it is not there or another creator's.
    pub async fn redeliver(
        &self,
        creator: &CreatorId,
        id: &DeliveryId,
        now: Timestamp,
    ) -> Result<Option<Delivery>, StoreError> {
        let (creator, id) = (creator.clone(), id.clone());
        self.write(move |tables| {
            let number = creator_of(&tables.creators, &creator)?.number;
            let Some(mut delivery) = find(&tables.deliveries, &id)? else { return Ok(None) };
            if delivery.event.creator != creator {
                return Ok(None);
            }
            let former = delivery.clone();
            delivery.standing.begin_again(now);
            save(tables, number, Some(&former), &delivery)?;
            Ok(Some(delivery))
        })
        .await
    }

    /// How many deliveries wait.
    pub async fn waiting_deliveries(&self) -> Result<u64, StoreError> {
        self.read(|tables| Ok(tables.due_deliveries.under(b"")?.count() as u64)).await
    }
}

/// Writes a delivery for each webhook that wants the event, and tells it after the commit.
pub fn tell(tables: &mut Writing, number: u32, event: Event, matter: Matter) -> Result<(), StoreError> {
    let mut wanting = Vec::new();
    for row in tables.webhooks.under(&number.to_be_bytes())? {
        let webhook: Webhook = read_json(row?.1.value(), "a webhook")?;
        if webhook.wants(event.kind) {
            wanting.push(webhook.id);
        }
    }
    for webhook in wanting {
        let delivery = Delivery::new(&event, &webhook);
        // The same event told again is delivered once.
        if find(&tables.deliveries, &delivery.id)?.is_none() {
            save(tables, number, None, &delivery)?;
        }
    }
    mails::escalated(tables, &event)?;
    tables.told.push(Told { event, matter });
    Ok(())
}

/// Removes what waits or was delivered about these conversations; gives the number.
pub fn remove_conversation(
    tables: &mut Writing,
    number: u32,
    conversation: &ConversationId,
) -> Result<u64, StoreError> {
    let mut gone = Vec::new();
    for row in tables.webhook_deliveries.keys_under(&number.to_be_bytes())? {
        let delivery: Delivery = outbox::listed(&tables.deliveries, &row)?;
        if delivery.event.subject.conversation.as_ref() == Some(conversation) {
            gone.push(delivery.id);
        }
    }
    for id in &gone {
        remove(tables, number, id)?;
    }
    Ok(gone.len() as u64)
}

/// Removes all of a creator's.
pub fn forget_creator(tables: &mut Writing, number: u32) -> Result<(), StoreError> {
    for row in tables.webhook_deliveries.keys_under(&number.to_be_bytes())? {
        remove(tables, number, &id_at_end(&row)?)?;
    }
    clear(&mut tables.webhooks, &number.to_be_bytes())
}

/// Done deliveries beyond the newest go.
fn prune(tables: &mut Writing, number: u32, webhook: &WebhookId) -> Result<(), StoreError> {
    let rows = tables.webhook_deliveries.keys_under(&name(number, webhook))?;
    let excess = rows.len().saturating_sub(KEPT);
    for row in &rows[..excess] {
        let delivery: Delivery = outbox::listed(&tables.deliveries, row)?;
        if delivery.standing.state != DeliveryState::Waiting {
            remove(tables, number, &delivery.id)?;
        }
    }
    Ok(())
}

fn save(
    tables: &mut Writing,
    number: u32,
    former: Option<&Delivery>,
    delivery: &Delivery,
) -> Result<(), StoreError> {
    outbox::save(&mut tables.deliveries, &mut tables.due_deliveries, former, delivery)?;
    tables.webhook_deliveries.insert(&by_webhook(number, delivery)[..], &[][..])?;
    Ok(())
}

fn remove(tables: &mut Writing, number: u32, id: &DeliveryId) -> Result<(), StoreError> {
    let Some(delivery) = find(&tables.deliveries, id)? else { return Ok(()) };
    tables.webhook_deliveries.remove(&by_webhook(number, &delivery)[..])?;
    outbox::remove(&mut tables.deliveries, &mut tables.due_deliveries, &delivery)
}

/// Deliveries whose time has come, one for each webhook that is not busy.
fn due(
    due: &impl Rows,
    deliveries: &impl Rows,
    now: Timestamp,
    limit: usize,
    busy: &HashSet<WebhookId>,
) -> Result<Vec<Delivery>, StoreError> {
    outbox::due(due, deliveries, now, limit, busy.clone(), |delivery: &Delivery| delivery.webhook.clone())
}

fn find(deliveries: &impl Rows, id: &DeliveryId) -> Result<Option<Delivery>, StoreError> {
    outbox::find(deliveries, id.as_str())
}

fn name(number: u32, webhook: &WebhookId) -> Vec<u8> {
    key([&number.to_be_bytes(), webhook.as_str().as_bytes()])
}

fn by_webhook(number: u32, delivery: &Delivery) -> Vec<u8> {
    key([
        &number.to_be_bytes(),
        delivery.webhook.as_str().as_bytes(),
        &delivery.event.at.0.to_be_bytes(),
        delivery.id.as_str().as_bytes(),
    ])
}
