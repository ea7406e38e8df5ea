//! Every table of the database, with its key and its value.
//!
//! Keys and values are plain bytes that `codec` makes and reads, so neither the order of keys nor a backup
//! depends on how redb writes tuples. Numbers in keys are big-endian: bytes sort as numbers do. A creator's
//! rows begin with its number, so they lie side by side. [`Reading`] and [`Writing`] are one transaction's view.

use std::ops::Bound;

use redb::{ReadTransaction, ReadableTable, TableDefinition, WriteTransaction};

use crate::domain::{ContentHash, Told};
use crate::store::StoreError;

pub type Definition = TableDefinition<'static, &'static [u8], &'static [u8]>;
pub type ReadTable = redb::ReadOnlyTable<&'static [u8], &'static [u8]>;
pub type WriteTable<'txn> = redb::Table<'txn, &'static [u8], &'static [u8]>;

macro_rules! tables {
    ($($(#[$doc:meta])* $name:ident,)+) => {
        /// The tables as they were when the transaction began.
        pub struct Reading {
            $($(#[$doc])* pub $name: ReadTable,)+
        }

        /// The tables, to be changed; nothing counts until the transaction is committed.
        pub struct Writing<'txn> {
            $($(#[$doc])* pub $name: WriteTable<'txn>,)+
            /// Contents that this transaction stops using; their blobs go after the commit, if nothing else
            /// uses them then.
            pub doomed: Vec<ContentHash>,
            /// What is told inside this process after the commit.
            pub told: Vec<Told>,
        }

        /// The names of all tables, in the order of a backup.
        pub const NAMES: &[&str] = &[$(stringify!($name)),+];

        impl Reading {
            pub fn open(transaction: &ReadTransaction) -> Result<Self, StoreError> {
                Ok(Self { $($name: transaction.open_table(Definition::new(stringify!($name)))?,)+ })
            }

            /// Every table with its name, in the order of a backup.
            pub fn each(&self) -> Vec<(&'static str, &ReadTable)> {
                vec![$((stringify!($name), &self.$name)),+]
            }
        }

        impl<'txn> Writing<'txn> {
            /// Creates the tables that are not there yet.
            pub fn open(transaction: &'txn WriteTransaction) -> Result<Self, StoreError> {
                Ok(Self {
                    $($name: transaction.open_table(Definition::new(stringify!($name)))?,)+
                    doomed: Vec::new(),
                    told: Vec::new(),
                })
            }
        }
    };
}

tables! {
    /// name → number: `schema`, `next_creator`, `next_chunk`, `told_by_mail`, and the tokens of `spending`; `link_key` → 32
    /// bytes.
    meta,
    /// slug → creator.
    creators,
    /// hash of the key (32) → key.
    keys,
    /// document (26) → document, with the range of its chunks.
    documents,
    /// creator (4), document (26) → nothing.
    creator_documents,
    /// content (32), creator (4), document (26) → nothing.
    contents,
    /// document (26) → its words, as they are.
    texts,
    /// document (26) → its blocks.
    blocks,
    /// creator (4), hash of the holder (16), document (26) → how it holds it, and its name.
    holders,
    /// document (26), hash of the holder (16) → how it holds it; with zeroes for the hash: its own source has it no more.
    held,
    /// creator (4), document (26) → signature of its words.
    signatures,
    /// creator (4), hash of a part of a signature (8), document (26) → nothing.
    bands,
    /// creator (4), document (26) → another document that it is nearly the same as.
    near,
    /// chunk (8) → creator, document, ordinal, span, anchor.
    chunks,
    /// creator (4), chunk (8) → checksum, document, analysed terms.
    terms,
    /// creator (4), chunk (8) → checksum, vector.
    vectors,
    /// creator (4), number (8) → change of the index.
    changes,
    /// creator (4) → numbers of documents, chunks and conversations.
    counts,
    /// message (26) → turn.
    turns,
    /// creator (4), time (8), message (26) → nothing.
    creator_turns,
    /// creator (4), conversation (26), time (8), message (26) → nothing.
    conversation_turns,
    /// creator (4), cited document (26), message (26) → nothing.
    cited,
    /// creator (4), document (26) → what was corrected.
    cases,
    /// job (26) → job.
    jobs,
    /// creator (4), time (8), job (26) → nothing.
    creator_jobs,
    /// time (8), job (26) → nothing; jobs that are queued or running.
    open_jobs,
    /// content (32), job (26) → nothing; what queued and running jobs will read.
    job_contents,
    /// creator (4), place (26) → watched folder or site.
    watched,
    /// place (26), path → time of change (8), size (8) of a file as it was when it was last read; place (26), address →
    /// what a site called that version of a page, and where it led.
    watched_files,
    /// name → bytes that nobody outside sees: what signs tokens.
    secrets,
    /// creator (4), hash of the id (32) → student.
    students,
    /// creator (4), hash of the id (32) → how far the student has come.
    progress,
    /// creator (4), conversation (26) → hash of the student's id.
    student_conversations,
    /// creator (4), conversation (26) → ticket.
    tickets,
    /// creator (4), time of opening (8), conversation (26) → nothing.
    creator_tickets,
    /// creator (4), conversation (26), time (8), message (26) → what a person or a student said.
    messages,
    /// creator (4), webhook (26) → webhook.
    webhooks,
    /// delivery (26) → delivery.
    deliveries,
    /// creator (4), webhook (26), time of the event (8), delivery (26) → nothing.
    webhook_deliveries,
    /// time (8), delivery (26) → nothing; deliveries that wait for that time.
    due_deliveries,
    /// mail (26) → mail.
    mails,
    /// time (8), mail (26) → nothing; mails that wait for that time.
    due_mails,
    /// time when it was queued (8), mail (26) → nothing.
    mail_order,
    /// creator (4), experiment (26) → experiment.
    experiments,
    /// user (26) → user.
    users,
    /// e-mail address → user (26).
    user_emails,
    /// hash of the secret (32) → session.
    sessions,
    /// hash of the secret (32) → what a link lets its bearer do, once.
    links,
    /// creator (4; 0 is the server), time (8), random (16) → event.
    audit,
    /// creator (4), number (8) → entry of the ledger of credits.
    ledger,
    /// creator (4), message (26) → number of the entry that paid it.
    spent,
    /// creator (4) → sum of bought credits; creator (4), month (4) → what the month took.
    wallets,
    /// creator (4), the payment provider's id → subscription.
    subscriptions,
    /// creator (4), the payment provider's id → invoices of a subscription that was not told of yet.
    early_payments,
    /// creator (4), the payment provider's id → order of credits.
    orders,
    /// BLAKE3 of a message of the payment provider (32) → time (8).
    reports,
    /// what it is about and its event → message of the payment provider that fits nobody.
    findings,
    /// creator (4) → BLAKE3 of a picture (16), the picture.
    pictures,
    /// creator (4), day (4) → sums of erased turns.
    figures,
}

/// What reading and writing transactions can both do.
pub trait Rows: ReadableTable<&'static [u8], &'static [u8]> {
    /// A copy of the value.
    fn fetch(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.get(key)?.map(|value| value.value().to_vec()))
    }

    fn has(&self, key: &[u8]) -> Result<bool, StoreError> {
        Ok(self.get(key)?.is_some())
    }

    /// The rows whose key begins with `prefix`, in order.
    fn under(&self, prefix: &[u8]) -> Result<redb::Range<'_, &'static [u8], &'static [u8]>, StoreError> {
        self.under_beginning(prefix, prefix)
    }

    /// The rows whose key begins with `prefix` and does not come before `from`.
    fn under_beginning(
        &self,
        from: &[u8],
        prefix: &[u8],
    ) -> Result<redb::Range<'_, &'static [u8], &'static [u8]>, StoreError> {
        let after = after_prefix(prefix);
        let end = after.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        Ok(self.range::<&[u8]>((Bound::Included(from), end))?)
    }

    /// The keys that begin with `prefix`, in order.
    fn keys_under(&self, prefix: &[u8]) -> Result<Vec<Vec<u8>>, StoreError> {
        self.under(prefix)?.map(|row| Ok(row?.0.value().to_vec())).collect()
    }
}

impl<T: ReadableTable<&'static [u8], &'static [u8]>> Rows for T {}

/// Removes every row whose key begins with `prefix`.
pub fn clear(table: &mut WriteTable, prefix: &[u8]) -> Result<(), StoreError> {
    let after = after_prefix(prefix);
    let end = after.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
    Ok(table.retain_in::<&[u8], _>((Bound::Included(prefix), end), |_, _| false)?)
}

/// The first key after all that begin with `prefix`; `None` when there is none.
fn after_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|&byte| byte != u8::MAX)?;
    let mut after = prefix[..=last].to_vec();
    after[last] += 1;
    Some(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_prefix_comes_after_all_its_keys() {
        assert_eq!(after_prefix(&[1, 2]), Some(vec![1, 3]));
        assert_eq!(after_prefix(&[1, 255]), Some(vec![2]));
        assert_eq!(after_prefix(&[255, 255]), None);
        assert_eq!(after_prefix(&[]), None);
    }
}
