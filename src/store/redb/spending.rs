//! Tokens that a creator's questions used of models on other machines, month by month.
//!
//! Rows of `meta`, named by the creator's number, which is never given twice, and the month.

use super::Store;
use super::accounts::creator_of;
use super::codec::{read_number, write_number};
use super::tables::{Rows, Writing};
use crate::domain::CreatorId;
use crate::store::StoreError;

impl Store {
    /// Adds to what was used in a month (`202611`); gives the sum. Repeating it counts twice.
    pub async fn spend_tokens(&self, id: &CreatorId, month: u32, tokens: u64) -> Result<u64, StoreError> {
        let id = id.clone();
        self.write(move |tables| {
            let name = name(creator_of(&tables.creators, &id)?.number, month);
            let before = number(&tables.meta, &name)?;
            let sum = before.saturating_add(tokens);
            tables.meta.insert(name.as_bytes(), &write_number(sum)[..])?;
            Ok(sum)
        })
        .await
    }

    /// What was used in a month.
    pub async fn tokens_spent(&self, id: &CreatorId, month: u32) -> Result<u64, StoreError> {
        let id = id.clone();
        self.read(move |tables| number(&tables.meta, &name(creator_of(&tables.creators, &id)?.number, month)))
            .await
    }
}

/// Forgets what a creator used.
pub fn forget(tables: &mut Writing, number: u32) -> Result<(), StoreError> {
    super::tables::clear(&mut tables.meta, prefix(number).as_bytes())
}

fn number(meta: &impl Rows, name: &str) -> Result<u64, StoreError> {
    meta.fetch(name.as_bytes())?.map_or(Ok(0), |bytes| read_number(&bytes, name))
}

fn name(creator: u32, month: u32) -> String {
    format!("{}{month:06}", prefix(creator))
}

fn prefix(creator: u32) -> String {
    format!("spent_tokens {creator:010} ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;
    use crate::store::Creator;

    #[tokio::test]
    async fn months_and_creators_are_counted_apart_and_forgotten_with_the_creator() {
        let store = Store::in_memory().unwrap();
        let creator = |name: &str| Creator::new(name.parse().unwrap(), Timestamp(0));
        let (anna, ben) = (creator("anna"), creator("ben"));
        store.add_creator(anna.clone()).await.unwrap();
        store.add_creator(ben.clone()).await.unwrap();
        assert_eq!(store.spend_tokens(&anna.id, 202_611, 70).await.unwrap(), 70);
        assert_eq!(store.spend_tokens(&anna.id, 202_611, 30).await.unwrap(), 100);
        assert_eq!(store.spend_tokens(&anna.id, 202_611, u64::MAX).await.unwrap(), u64::MAX);
        assert_eq!(store.tokens_spent(&anna.id, 202_612).await.unwrap(), 0);
        assert_eq!(store.spend_tokens(&ben.id, 202_611, 5).await.unwrap(), 5);
        store.remove_creator(&anna.id).await.unwrap();
        store.add_creator(anna.clone()).await.unwrap();
        assert_eq!(store.tokens_spent(&anna.id, 202_611).await.unwrap(), 0);
        assert_eq!(store.tokens_spent(&ben.id, 202_611).await.unwrap(), 5);
    }
}
