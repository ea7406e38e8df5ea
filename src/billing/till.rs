//! The till: credits that answers under way hold, so that no two answers are paid by the same credit.
//!
//! Holds live in memory, because the store belongs to one process: a crash leaves nothing held and nothing spent, and
//! nothing has to be cleared up. An answer holds the most that it may cost, and is paid in the transaction that keeps it
//! (`store/redb/ledger.rs`); the hold goes with the last copy of [`Hold`], which the store keeps until that transaction is
//! durable. In between a message may be both held and paid: the look at the store says so, and it counts once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Offer, Standing};
use crate::domain::{CreatorId, MessageId, Timestamp};
use crate::store::{Store, StoreError};

/// Holds of all creators.
pub struct Till {
    store: Store,
    drawers: Mutex<HashMap<CreatorId, Arc<Drawer>>>,
}

/// One creator's.
#[derive(Debug, Default)]
struct Drawer {
    /// Whoever looks at the store and then holds does so alone.
    turn: tokio::sync::Mutex<()>,
    held: Mutex<HashMap<MessageId, u64>>,
}

/// Credits that are held until this is dropped.
#[derive(Debug)]
pub struct Hold {
    drawer: Arc<Drawer>,
    message: MessageId,
}

/// Whether an answer may be begun.
#[derive(Debug)]
pub enum Reserved {
    /// It can be paid, under what stands.
    Held(Hold, Box<Standing>),
    /// It cannot.
    UsedUp,
}

impl Till {
    pub fn new(store: Store) -> Self {
        Self { store, drawers: Mutex::default() }
    }

    /// Holds credits for an answer, if they are there.
    pub async fn reserve(
        &self,
        creator: &CreatorId,
        message: &MessageId,
        credits: u64,
        offer: &Offer,
        month: u32,
        now: Timestamp,
    ) -> Result<Reserved, StoreError> {
        let drawer = locked(&self.drawers).entry(creator.clone()).or_default().clone();
        let _turn = drawer.turn.lock().await;
        let (others, amounts): (Vec<MessageId>, Vec<u64>) =
            locked(&drawer.held).iter().map(|(message, credits)| (message.clone(), *credits)).unzip();
        // Begun after the holds were noted: what was paid since then is seen as paid, and what was let go still
        // counts as held, which is as if it were let go a moment later.
        let account = self.store.account(creator, month, others).await?;
        let held: u64 =
            amounts.iter().zip(&account.spent).filter(|(_, spent)| !**spent).map(|(held, _)| held).sum();
        let standing = Standing::of(offer, account, month, now);
        if standing.left.is_some_and(|left| left < held.saturating_add(credits)) {
            return Ok(Reserved::UsedUp);
        }
        locked(&drawer.held).insert(message.clone(), credits);
        Ok(Reserved::Held(Hold { drawer: drawer.clone(), message: message.clone() }, Box::new(standing)))
    }

    /// Credits that are held for a creator now.
    pub fn held(&self, creator: &CreatorId) -> u64 {
        let drawer = locked(&self.drawers).get(creator).cloned();
        drawer.map_or(0, |drawer| locked(&drawer.held).values().sum())
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        locked(&self.drawer.held).remove(&self.message);
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::billing::offer::tests::offer;
    use crate::domain::{Charge, Served, Terms};
    use crate::store::Creator;

    const MONTH: u32 = 202_611;

    async fn store(creator: &CreatorId) -> Store {
        let store = Store::in_memory().unwrap();
        let creator = Creator { name: "Anna".to_owned(), ..Creator::new(creator.clone(), Timestamp(0)) };
        store.add_creator(creator).await.unwrap();
        store
    }

    fn id(number: u8) -> MessageId {
        MessageId::from_bytes([number; 16])
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn as_many_are_paid_as_there_are_credits_whoever_comes_when() {
        let anna: CreatorId = "anna".parse().unwrap();
        let store = store(&anna).await;
        let mut offer = offer();
        offer.default.answers = Some(10);
        let (till, offer) = (Arc::new(Till::new(store.clone())), Arc::new(offer));
        let mut asked = tokio::task::JoinSet::new();
        for number in 0..64u8 {
            let (till, offer, store, anna) = (till.clone(), offer.clone(), store.clone(), anna.clone());
            asked.spawn(async move {
                let now = Timestamp(u64::from(number));
                match till.reserve(&anna, &id(number), 1, &offer, MONTH, now).await.unwrap() {
                    Reserved::UsedUp => false,
                    Reserved::Held(hold, standing) => {
                        tokio::task::yield_now().await;
                        let terms = Terms { month: MONTH, included: standing.plan.answers, soft_limit: 0.8 };
                        let charge = Charge { served: Served::Generated, credits: 1, terms };
                        store.charge(&anna, &id(number), charge, now, hold).await.unwrap();
                        true
                    }
                }
            });
        }
        let paid = asked.join_all().await.into_iter().filter(|paid| *paid).count();
        let account = store.account(&anna, MONTH, Vec::new()).await.unwrap();
        assert_eq!((paid, account.month.included, account.wallet.balance), (10, 10, 0));
        assert!(account.month.low);
        // The last hold goes a moment after its answer was reported.
        while till.held(&anna) > 0 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn what_is_let_go_can_be_had_by_the_next() {
        let anna: CreatorId = "anna".parse().unwrap();
        let mut offer = offer();
        offer.default.answers = Some(3);
        let till = Till::new(store(&anna).await);
        let reserve = async |number, credits| match till
            .reserve(&anna, &id(number), credits, &offer, MONTH, Timestamp(1))
            .await
            .unwrap()
        {
            Reserved::Held(hold, _) => Some(hold),
            Reserved::UsedUp => None,
        };
        let first = reserve(1, 2).await.unwrap();
        assert!(reserve(2, 2).await.is_none());
        let small = reserve(3, 1).await;
        assert!(small.is_some());
        drop(first);
        assert!(reserve(4, 2).await.is_some());
        drop(small);
        assert_eq!(till.held(&anna), 0);
    }
}
