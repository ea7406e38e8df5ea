//! What strangers try at the door: wrong passwords, wrong codes, askings for a new password.
//!
//! Comes in: an event of the record. It is counted in one row for its kind, its address and its hour, so that guessing
//! does not fill the disk; where too many addresses try within one hour, the rest share a row. Such rows are forgotten
//! after [`KEPT_MS`] ([`sweep`]). What people did stands in rows of its own, for good (`people.rs`).

use super::Store;
use super::codec::{key, read_json, write_json};
use super::tables::{Rows, Writing};
use crate::domain::Timestamp;
use crate::store::{Event, StoreError};

/// What is counted together.
const HOUR_MS: u64 = 60 * 60_000;
/// Rows of one hour: with [`KEPT_MS`] some 200,000 of them at the very most, 40 MB.
const MOST_ROWS: usize = 100;
/// Who looks after an attack looks soon; 90 days is what sums of other kinds are looked back at.
const KEPT_MS: u64 = 90 * 24 * HOUR_MS;
/// Rows of the whole server have this number for a creator's.
const SERVER: [u8; 4] = [0; 4];
/// Stands for the addresses that have no row of their own.
const OTHERS: &str = "many other addresses";

impl Store {
    /// Counts one more try of this kind from this address within the hour.
    pub async fn count_event(&self, event: Event) -> Result<(), StoreError> {
        self.write(move |tables| count(tables, &event)).await
    }
}

/// The same within a transaction.
pub fn count(tables: &mut Writing, event: &Event) -> Result<(), StoreError> {
    let hour = (event.at.0 - event.at.0 % HOUR_MS).to_be_bytes();
    let mut event = event.clone();
    let mut name = name_of(hour, &event);
    if !tables.audit.has(&name)? && tables.audit.under(&key([&SERVER, &hour]))?.count() >= MOST_ROWS {
        OTHERS.clone_into(&mut event.address);
        name = name_of(hour, &event);
    }
    if let Some(bytes) = tables.audit.fetch(&name)? {
        let known: Event = read_json(&bytes, "an event")?;
        event.times = known.times.saturating_add(1);
    }
    tables.audit.insert(&name[..], &write_json(&event)?[..])?;
    Ok(())
}

/// Forgets what was counted long ago.
pub fn sweep(tables: &mut Writing, now: Timestamp) -> Result<(), StoreError> {
    let old = now.0.saturating_sub(KEPT_MS);
    let mut gone: Vec<Vec<u8>> = Vec::new();
    for row in tables.audit.under(&SERVER)? {
        let (name, event) = row?;
        let at = name.value().get(4..12).and_then(|bytes| bytes.try_into().ok()).map(u64::from_be_bytes);
        let Some(at) = at.filter(|at| *at < old) else { break };
        // What somebody did in the first millisecond of an hour is told apart by its kind.
        if at % HOUR_MS == 0 && is_counted(&read_json(event.value(), "an event")?) {
            gone.push(name.value().to_vec());
        }
    }
    for name in gone {
        tables.audit.remove(&name[..])?;
    }
    Ok(())
}

fn is_counted(event: &Event) -> bool {
    event.what.ends_with("_refused") || event.what.ends_with(".refused") || event.what.ends_with("_asked")
}

/// Stands among the rows of the beginning of its hour.
fn name_of(hour: [u8; 8], event: &Event) -> Vec<u8> {
    let digest = blake3::hash(format!("{}\n{}", event.what, event.address).as_bytes());
    key([&SERVER, &hour, &digest.as_bytes()[..16]])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(at: u64, address: &str) -> Event {
        Event {
            creator: None,
            at: Timestamp(at),
            who: "anna@x.example".into(),
            what: "sign_in.refused".into(),
            target: String::new(),
            address: address.into(),
            times: 1,
        }
    }

    #[tokio::test]
    async fn tries_of_an_hour_are_one_row_for_each_address_and_bounded() {
        let store = Store::in_memory().unwrap();
        for (at, address) in [(10, "192.0.2.1"), (20, "192.0.2.1"), (30, "192.0.2.2"), (HOUR_MS, "192.0.2.1")]
        {
            store.count_event(tried(at, address)).await.unwrap();
        }
        let seen = |events: &[Event]| -> Vec<(u64, String, u32)> {
            let mut seen: Vec<_> =
                events.iter().map(|event| (event.at.0, event.address.clone(), event.times)).collect();
            seen.sort();
            seen
        };
        let events = store.events(None, 99).await.unwrap();
        let expected = [(20, "192.0.2.1", 2), (30, "192.0.2.2", 1), (HOUR_MS, "192.0.2.1", 1)];
        assert_eq!(seen(&events), expected.map(|(at, address, times)| (at, address.to_owned(), times)));

        for number in 0..3 * MOST_ROWS {
            store.count_event(tried(2 * HOUR_MS + 1, &format!("2001:db8::{number:x}"))).await.unwrap();
        }
        let events = store.events(None, 9_999).await.unwrap();
        let of_the_hour: Vec<&Event> = events.iter().filter(|event| event.at.0 > 2 * HOUR_MS).collect();
        assert_eq!(of_the_hour.len(), MOST_ROWS + 1);
        let others = of_the_hour.iter().find(|event| event.address == OTHERS).unwrap();
        assert_eq!(others.times as usize, 2 * MOST_ROWS);
    }

    #[tokio::test]
    async fn old_tries_are_forgotten_and_deeds_are_not() {
        let store = Store::in_memory().unwrap();
        let done = Event { what: "sign_in.done".into(), ..tried(HOUR_MS, "192.0.2.1") };
        store.add_event(done, [1; 16]).await.unwrap();
        store.count_event(tried(HOUR_MS + 5, "192.0.2.1")).await.unwrap();
        store.count_event(tried(KEPT_MS, "192.0.2.1")).await.unwrap();
        let now = Timestamp(KEPT_MS + 2 * HOUR_MS);
        store.sweep_people(Timestamp(0), Timestamp(0), now).await.unwrap();
        let left = store.events(None, 9).await.unwrap();
        let left: Vec<(&str, u64)> = left.iter().map(|event| (event.what.as_str(), event.at.0)).collect();
        assert_eq!(left, [("sign_in.refused", KEPT_MS), ("sign_in.done", HOUR_MS)]);
    }
}
