//! Credits of creators: the ledger, to which entries are only added, and its sums, kept in the same transaction.
//!
//! An answer is paid in the transaction that keeps it, once for each message, and costs no fsync of its own. What an
//! answer under way holds back is not here: the store belongs to one process, so `billing/till.rs` has it in memory, and a
//! crash leaves nothing spent. Tokens of models on other machines, which somebody else bills, are `spending.rs`.

use super::Store;
use super::accounts::creator_of;
use super::codec::{key, read_json, write_json};
use super::tables::{Rows, Writing, clear};
use super::{purchases, webhooks};
use crate::domain::{
    Charge, CreatorId, Entry, Event, EventKind, Matter, MessageId, MonthUse, NewEntry, Subject, Timestamp,
    Wallet, ledger,
};
use crate::store::{Account, StoreError};

impl Store {
    /// Everything that decides whether an answer can be paid, of one moment: `spent` says for each of the messages
    /// whether it is paid already.
    pub async fn account(
        &self,
        creator: &CreatorId,
        month: u32,
        messages: Vec<MessageId>,
    ) -> Result<Account, StoreError> {
        let creator = creator.clone();
        self.read(move |tables| {
            let number = creator_of(&tables.creators, &creator)?.number;
            let paid = |message: &MessageId| tables.spent.has(&of_message(number, message));
            Ok(Account {
                wallet: wallet_of(&tables.wallets, number)?,
                month: month_of(&tables.wallets, number, month)?,
                subscriptions: purchases::subscriptions_of(&tables.subscriptions, number)?,
                spent: messages.iter().map(paid).collect::<Result<_, _>>()?,
            })
        })
        .await
    }

    /// Adds what somebody gives or corrects.
    pub async fn add_entry(&self, creator: &CreatorId, new: NewEntry) -> Result<Entry, StoreError> {
        let creator = creator.clone();
        self.write(move |tables| {
            let number = creator_of(&tables.creators, &creator)?.number;
            append(tables, number, new.clone())
        })
        .await
    }

    /// Pays an answer that is not kept. `hold` lives until that is durable.
    pub async fn charge(
        &self,
        creator: &CreatorId,
        message: &MessageId,
        charge: Charge,
        at: Timestamp,
        hold: impl Send + 'static,
    ) -> Result<(), StoreError> {
        let (creator, message) = (creator.clone(), message.clone());
        self.write(move |tables| {
            let _held = &hold;
            let number = creator_of(&tables.creators, &creator)?.number;
            spend(tables, number, &creator, &message, &charge, at)
        })
        .await
    }

    /// A creator's entries before one of them, newest first.
    pub async fn ledger(
        &self,
        creator: &CreatorId,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        let creator = creator.clone();
        self.read(move |tables| {
            let number = creator_of(&tables.creators, &creator)?.number;
            let (from, to) = (of_entry(number, 0), of_entry(number, before.unwrap_or(u64::MAX)));
            let rows = tables.ledger.range::<&[u8]>(&from[..]..&to[..])?.rev().take(limit);
            rows.map(|row| read_json(row?.1.value(), "an entry of the ledger")).collect()
        })
        .await
    }
}

/// Pays an answer, once; tells `credits.low` when it is the one after which little is left.
pub fn spend(
    tables: &mut Writing,
    number: u32,
    creator: &CreatorId,
    message: &MessageId,
    charge: &Charge,
    at: Timestamp,
) -> Result<(), StoreError> {
    if tables.spent.has(&of_message(number, message))? {
        return Ok(());
    }
    let wallet = wallet_of(&tables.wallets, number)?;
    let month = month_of(&tables.wallets, number, charge.terms.month)?;
    let entry = Entry::spend(charge, message, at, &wallet, &month);
    save(tables, number, &entry, wallet, month)?;
    tables.spent.insert(&of_message(number, message)[..], &entry.number.to_be_bytes()[..])?;
    if !entry.low {
        return Ok(());
    }
    let balance = wallet.balance.saturating_add(entry.credits);
    let used = month.included.saturating_add(entry.included);
    let left = ledger::left(charge.terms.included, used, balance).unwrap_or_default();
    let event =
        Event::new(creator, EventKind::CreditsLow, Subject { count: Some(left), ..Subject::default() }, at);
    webhooks::tell(tables, number, event, Matter::Credits(left))
}

/// Adds an entry under the next number.
pub fn append(tables: &mut Writing, number: u32, new: NewEntry) -> Result<Entry, StoreError> {
    let wallet = wallet_of(&tables.wallets, number)?;
    let month = month_of(&tables.wallets, number, new.month)?;
    let entry = Entry {
        number: wallet.entries + 1,
        kind: new.kind,
        credits: new.credits,
        included: 0,
        month: new.month,
        at: new.at,
        reason: new.reason,
        message: None,
        served: None,
        low: false,
    };
    save(tables, number, &entry, wallet, month)?;
    Ok(entry)
}

/// Removes all of a creator's. Credits are no money: invoices and receipts are the payment provider's, which sells.
pub fn forget_creator(tables: &mut Writing, number: u32) -> Result<(), StoreError> {
    for table in [&mut tables.ledger, &mut tables.spent, &mut tables.wallets] {
        clear(table, &number.to_be_bytes())?;
    }
    Ok(())
}

fn save(
    tables: &mut Writing,
    number: u32,
    entry: &Entry,
    mut wallet: Wallet,
    mut month: MonthUse,
) -> Result<(), StoreError> {
    entry.count(&mut wallet, &mut month);
    let place = of_entry(number, entry.number);
    if tables.ledger.has(&place)? {
        return Err(StoreError::Damaged(format!("entry {} of the ledger is there already", entry.number)));
    }
    tables.ledger.insert(&place[..], &write_json(entry)?[..])?;
    tables.wallets.insert(&number.to_be_bytes()[..], &write_json(&wallet)?[..])?;
    tables.wallets.insert(&of_month(number, entry.month)[..], &write_json(&month)?[..])?;
    Ok(())
}

pub fn wallet_of(wallets: &impl Rows, number: u32) -> Result<Wallet, StoreError> {
    let bytes = wallets.fetch(&number.to_be_bytes())?;
    bytes.map_or_else(|| Ok(Wallet::default()), |bytes| read_json(&bytes, "the credits of a creator"))
}

fn month_of(wallets: &impl Rows, number: u32, month: u32) -> Result<MonthUse, StoreError> {
    let bytes = wallets.fetch(&of_month(number, month))?;
    bytes.map_or_else(|| Ok(MonthUse::default()), |bytes| read_json(&bytes, "the use of a month"))
}

fn of_entry(number: u32, entry: u64) -> Vec<u8> {
    key([&number.to_be_bytes(), &entry.to_be_bytes()])
}

fn of_message(number: u32, message: &MessageId) -> Vec<u8> {
    key([&number.to_be_bytes(), message.as_str().as_bytes()])
}

fn of_month(number: u32, month: u32) -> Vec<u8> {
    key([&number.to_be_bytes(), &month.to_be_bytes()])
}
