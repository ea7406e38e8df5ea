//! What creators bought, as the payment provider tells it: subscriptions, orders of credits, and what fits nobody.
//!
//! A message of the provider is taken in by one transaction with the digest of its body: the same body again changes
//! nothing, whoever sends it and how often. What is older than what is held never overwrites it, so the order in which
//! messages arrive does not matter.

use super::Store;
use super::accounts::creator_of;
use super::codec::{key, read_json, write_json};
use super::tables::{Rows, Writing, clear};
use super::{ledger, people};
use crate::domain::{
    CreatorId, EntryKind, Finding, HeldSubscription, NewEntry, News, Order, Payment, Payments, Purchase,
    Report, Subscription, Taken, Timestamp, subscription,
};
use crate::store::{Event, StoreError};

/// How long the digest of a message is kept. An older one that comes again is met by what is held: states have their
/// time, and orders count once.
const REMEMBERED_MS: u64 = 90 * 24 * 60 * 60 * 1000;
/// Findings that are kept; the oldest go.
const MOST_FINDINGS: usize = 500;
/// Who speaks, in the record of what was done.
const PROVIDER: &str = "Lemon Squeezy";

impl Store {
    /// Takes a message of the payment provider in; `digest` is the BLAKE3 of its body.
    pub async fn take_report(
        &self,
        digest: [u8; 32],
        report: Report,
        month: u32,
        now: Timestamp,
    ) -> Result<Taken, StoreError> {
        self.write(move |tables| {
            if tables.reports.has(&digest)? {
                return Ok(Taken::Again);
            }
            forget_old(tables, now)?;
            let taken = take(tables, &report, month, now)?;
            if taken == Taken::Kept {
                // Once the creator or the plan is there, the provider may send it again.
                return Ok(taken);
            }
            tables.reports.insert(&digest[..], &now.0.to_be_bytes()[..])?;
            tables.findings.remove(&of_finding(&report)[..])?;
            if let (Taken::Applied, Some(creator)) = (taken, &report.creator) {
                note(tables, creator, &report, &digest, now)?;
            }
            Ok(taken)
        })
        .await
    }

    /// A creator's subscriptions.
    pub async fn subscriptions(&self, creator: &CreatorId) -> Result<Vec<HeldSubscription>, StoreError> {
        let creator = creator.clone();
        self.read(move |tables| {
            subscriptions_of(&tables.subscriptions, creator_of(&tables.creators, &creator)?.number)
        })
        .await
    }

    /// Messages of the payment provider that fit nobody, newest first.
    pub async fn findings(&self) -> Result<Vec<Finding>, StoreError> {
        self.read(|tables| {
            let mut found = all_findings(&tables.findings)?;
            found.reverse();
            Ok(found.into_iter().map(|(_, finding)| finding).collect())
        })
        .await
    }
}

fn take(tables: &mut Writing, report: &Report, month: u32, now: Timestamp) -> Result<Taken, StoreError> {
    let why = match &report.news {
        News::Nothing => return Ok(Taken::Nothing),
        News::Strange(why) => why.clone(),
        news => match number_of(tables, report)? {
            Ok(number) => return apply(tables, number, news, month, now),
            Err(why) => why,
        },
    };
    keep_finding(tables, report, why, now)?;
    Ok(Taken::Kept)
}

/// The number of the creator that a message is about, or why there is none. A message that names nobody is about whom
/// the earlier ones of the same thing named.
fn number_of(tables: &Writing, report: &Report) -> Result<Result<u32, String>, StoreError> {
    let Some(creator) = &report.creator else {
        let known = match &report.news {
            News::Subscription(told) => holder(&tables.subscriptions, &told.id)?,
            News::Payment(subscription, ..) => holder(&tables.subscriptions, subscription)?,
            News::Order(order) => holder(&tables.orders, &order.id)?,
            News::Nothing | News::Strange(_) => None,
        };
        return Ok(known.ok_or_else(|| "it names no creator".to_owned()));
    };
    match creator_of(&tables.creators, creator) {
        Ok(stored) => Ok(Ok(stored.number)),
        Err(StoreError::NoCreator(id)) => Ok(Err(format!("there is no creator `{id}`"))),
        Err(error) => Err(error),
    }
}

/// The number of the creator who has something of this id.
fn holder(table: &impl Rows, id: &str) -> Result<Option<u32>, StoreError> {
    for name in table.keys_under(b"")? {
        if let Some((number, found)) = name.split_first_chunk()
            && found == id.as_bytes()
        {
            return Ok(Some(u32::from_be_bytes(*number)));
        }
    }
    Ok(None)
}

fn apply(
    tables: &mut Writing,
    number: u32,
    news: &News,
    month: u32,
    now: Timestamp,
) -> Result<Taken, StoreError> {
    match news {
        News::Subscription(told) => subscribe(tables, number, told),
        News::Payment(subscription, payment, made) => pay(tables, number, subscription, *payment, *made),
        News::Order(order) => order_credits(tables, number, order, month, now),
        News::Nothing | News::Strange(_) => Ok(Taken::Nothing),
    }
}

fn subscribe(tables: &mut Writing, number: u32, told: &Subscription) -> Result<Taken, StoreError> {
    let name = of_id(number, &told.id);
    let before: Option<HeldSubscription> =
        tables.subscriptions.fetch(&name)?.map(|bytes| read_json(&bytes, "a subscription")).transpose()?;
    let waiting = take_payments(tables, &name)?;
    let (since, payments) = match &before {
        Some(before) if told.updated_at < before.told.updated_at => return Ok(Taken::Outdated),
        Some(before) if told.state == before.told.state => (before.since, before.payments),
        Some(before) => (told.updated_at, before.payments),
        None => (told.updated_at, waiting),
    };
    let held = HeldSubscription { told: told.clone(), since, payments };
    tables.subscriptions.insert(&name[..], &write_json(&held)?[..])?;
    Ok(Taken::Applied)
}

/// Notes an invoice; that of a subscription which was not told of yet waits for it.
fn pay(
    tables: &mut Writing,
    number: u32,
    subscription: &str,
    payment: Payment,
    made: Timestamp,
) -> Result<Taken, StoreError> {
    if payment == Payment::Failed {
        // What follows from it, the subscription's state says.
        return Ok(Taken::Applied);
    }
    let name = of_id(number, subscription);
    let held: Option<HeldSubscription> =
        tables.subscriptions.fetch(&name)?.map(|bytes| read_json(&bytes, "a subscription")).transpose()?;
    let mut payments = match &held {
        Some(held) => held.payments,
        None => take_payments(tables, &name)?,
    };
    let last = if payment == Payment::Refunded { &mut payments.refunded } else { &mut payments.paid };
    let is_news = last.is_none_or(|last| last < made);
    *last = (*last).max(Some(made));
    match held {
        Some(held) => {
            let held = HeldSubscription { payments, ..held };
            tables.subscriptions.insert(&name[..], &write_json(&held)?[..])?;
        }
        None => {
            tables.early_payments.insert(&name[..], &write_json(&payments)?[..])?;
        }
    }
    Ok(if is_news { Taken::Applied } else { Taken::Outdated })
}

/// What was paid before the subscription was told of; it is there no more.
fn take_payments(tables: &mut Writing, name: &[u8]) -> Result<Payments, StoreError> {
    match tables.early_payments.remove(name)? {
        Some(bytes) => read_json(bytes.value(), "payments of a subscription"),
        None => Ok(Payments::default()),
    }
}

/// Gives the credits of an order once, and takes the share of them back whose price went back.
fn order_credits(
    tables: &mut Writing,
    number: u32,
    told: &Purchase,
    month: u32,
    now: Timestamp,
) -> Result<Taken, StoreError> {
    let name = of_id(number, &told.id);
    let before: Option<Order> =
        tables.orders.fetch(&name)?.map(|bytes| read_json(&bytes, "an order")).transpose()?;
    let is_new = before.is_none();
    // A refund may come before the order that it is of: then the credits come and go.
    let mut held = before.unwrap_or(Order { id: told.id.clone(), credits: told.credits, refunded: 0 });
    let returned = u128::from(held.credits) * u128::from(told.returned.min(subscription::WHOLE))
        / u128::from(subscription::WHOLE);
    let more = u64::try_from(returned).unwrap_or(held.credits).saturating_sub(held.refunded);
    if !is_new && more == 0 {
        return Ok(Taken::Outdated);
    }
    let mut add = |kind, credits: i64| {
        let reason = format!("order {}", told.id);
        ledger::append(tables, number, NewEntry { kind, credits, month, at: now, reason }).map(drop)
    };
    let signed = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    if is_new {
        add(EntryKind::Grant, signed(held.credits))?;
    }
    if more > 0 {
        add(EntryKind::Refund, -signed(more))?;
    }
    held.refunded += more;
    tables.orders.insert(&name[..], &write_json(&held)?[..])?;
    Ok(Taken::Applied)
}

fn keep_finding(
    tables: &mut Writing,
    report: &Report,
    why: String,
    now: Timestamp,
) -> Result<(), StoreError> {
    let finding = Finding {
        at: now,
        event: report.event.clone(),
        subject: report.subject.clone(),
        creator: report.creator.clone(),
        why,
    };
    tables.findings.insert(&of_finding(report)[..], &write_json(&finding)?[..])?;
    let all = all_findings(&tables.findings)?;
    for (name, _) in all.iter().take(all.len().saturating_sub(MOST_FINDINGS)) {
        tables.findings.remove(&name[..])?;
    }
    Ok(())
}

/// With their names, oldest first.
fn all_findings(findings: &impl Rows) -> Result<Vec<(Vec<u8>, Finding)>, StoreError> {
    let mut found = Vec::new();
    for row in findings.under(b"")? {
        let (name, finding) = row?;
        let finding: Finding = read_json(finding.value(), "a finding")?;
        found.push((name.value().to_vec(), finding));
    }
    found.sort_by_key(|(_, finding)| finding.at);
    Ok(found)
}

/// One for each event of each thing: sent again, it is the same finding.
fn of_finding(report: &Report) -> Vec<u8> {
    key([report.subject.as_bytes(), b" ", report.event.as_bytes()])
}

fn forget_old(tables: &mut Writing, now: Timestamp) -> Result<(), StoreError> {
    let edge = now.0.saturating_sub(REMEMBERED_MS).to_be_bytes();
    Ok(tables.reports.retain(|_, time| time >= &edge[..])?)
}

/// A line in the creator's record of what was done.
fn note(
    tables: &mut Writing,
    creator: &CreatorId,
    report: &Report,
    digest: &[u8; 32],
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut distinct = [0; 16];
    distinct.copy_from_slice(&digest[..16]);
    let event = Event {
        creator: Some(creator.clone()),
        at: now,
        who: PROVIDER.to_owned(),
        what: "billing.told".to_owned(),
        target: format!("{}, {}", report.event, report.subject),
        address: PROVIDER.to_owned(),
        times: 1,
    };
    people::note(tables, &event, distinct)
}

/// Removes all of a creator's. A subscription goes on at the provider, whose messages are findings from then on.
pub fn forget_creator(tables: &mut Writing, number: u32) -> Result<(), StoreError> {
    for table in [&mut tables.subscriptions, &mut tables.early_payments, &mut tables.orders] {
        clear(table, &number.to_be_bytes())?;
    }
    Ok(())
}

pub fn subscriptions_of(subscriptions: &impl Rows, number: u32) -> Result<Vec<HeldSubscription>, StoreError> {
    let rows = subscriptions.under(&number.to_be_bytes())?;
    rows.map(|row| read_json(row?.1.value(), "a subscription")).collect()
}

fn of_id(number: u32, id: &str) -> Vec<u8> {
    key([&number.to_be_bytes(), id.as_bytes()])
}
