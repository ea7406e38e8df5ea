//! Money's side of the program: what is offered ([`offer`]), which credits answers under way hold ([`till`]), and the
//! payment provider ([`lemon`]).
//!
//! Off unless the settings say otherwise: then nothing here is asked, and no answer has a price. What is held is in the
//! store; how a plan, a month and a purchase decide is plain functions of `domain`. When and whom to charge is `app`'s.

pub mod lemon;
pub mod offer;
pub mod till;

use crate::domain::{HeldSubscription, Timestamp, ledger};
use crate::store::Account;

pub use lemon::{Checkout, Lemon, LemonError, LemonOptions};
pub use offer::{Offer, Pack, Plan};
pub use till::{Hold, Reserved, Till};

/// How much is left, as people need to know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Enough,
    /// Past the soft limit.
    Low,
    /// The next question goes to a person.
    UsedUp,
}

/// Where a creator stands with credits.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    pub plan: Plan,
    /// The subscription whose plan counts; none for the default plan.
    pub subscription: Option<HeldSubscription>,
    pub account: Account,
    /// As `202611`.
    pub month: u32,
    /// `None` is without end.
    pub left: Option<u64>,
    pub level: Level,
}

impl Standing {
    pub fn of(offer: &Offer, account: Account, month: u32, now: Timestamp) -> Self {
        let (plan, subscription) = offer.plan_of(&account.subscriptions, now);
        let left = ledger::left(plan.answers, account.month.included, account.wallet.balance);
        let used = account.month.credits();
        let level = match left {
            Some(left) if left < offer.tariff.dearest(true) => Level::UsedUp,
            Some(left) if ledger::is_low(used, left, offer.soft_limit) => Level::Low,
            _ => Level::Enough,
        };
        Self { plan: plan.clone(), subscription: subscription.cloned(), month, left, level, account }
    }

    /// As `2026-11`.
    pub fn month_text(&self) -> String {
        month_text(self.month)
    }
}

/// `202611` as `2026-11`.
pub fn month_text(month: u32) -> String {
    format!("{:04}-{:02}", month / 100, month % 100)
}
