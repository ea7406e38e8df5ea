//! A creator's subscription as the payment provider tells it, and whether its plan counts.
//!
//! What comes in from the provider is a [`Report`]: made by `billing/lemon`, taken in by the store, which drops what is
//! older than what it holds. Amounts of money and names of people are not here: the provider sells, and keeps them.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{CreatorId, Timestamp};

/// Where a subscription stands, in the words of Lemon Squeezy
/// (<https://docs.lemonsqueezy.com/api/subscriptions/the-subscription-object>, `status`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SubscriptionState {
    Active,
    OnTrial,
    /// A payment failed, and is tried again.
    PastDue,
    /// No payment is asked for; see [`Subscription::paused_free`].
    Paused,
    /// All tries to be paid failed.
    Unpaid,
    /// Runs out at its end.
    Cancelled,
    Expired,
}

impl SubscriptionState {
    pub const ALL: [Self; 7] = [
        Self::Active,
        Self::OnTrial,
        Self::PastDue,
        Self::Paused,
        Self::Unpaid,
        Self::Cancelled,
        Self::Expired,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::OnTrial => "on_trial",
            Self::PastDue => "past_due",
            Self::Paused => "paused",
            Self::Unpaid => "unpaid",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

impl fmt::Display for SubscriptionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How long a plan goes on while a payment is tried again: as long as the provider tries, four times in two weeks
/// (<https://docs.lemonsqueezy.com/help/online-store/recovery-dunning>).
pub const GRACE_MS: u64 = 14 * 24 * 60 * 60 * 1000;

/// What the provider says of a subscription.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// The provider's.
    pub id: String,
    /// What was bought, as the provider numbers it.
    pub variant: String,
    /// The plan that had this variant when the provider told of it.
    pub plan: String,
    pub state: SubscriptionState,
    /// While paused, it goes on for nothing.
    #[serde(default)]
    pub paused_free: bool,
    pub renews_at: Option<Timestamp>,
    pub ends_at: Option<Timestamp>,
    /// When the provider changed it.
    pub updated_at: Timestamp,
}

/// A subscription with what was paid for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldSubscription {
    #[serde(flatten)]
    pub told: Subscription,
    /// When it came into its state.
    pub since: Timestamp,
    #[serde(default)]
    pub payments: Payments,
}

/// The invoices of a subscription, as far as they decide.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payments {
    /// The invoice that was paid last, by the time when it was made.
    pub paid: Option<Timestamp>,
    /// The invoice that was paid back last, by the time when it was made.
    pub refunded: Option<Timestamp>,
}

impl Payments {
    /// Whether the money of the last invoice went back.
    fn is_refunded(&self) -> bool {
        self.refunded.is_some() && self.refunded >= self.paid
    }
}

impl HeldSubscription {
    /// Whether its plan counts at this time.
    pub fn counts(&self, now: Timestamp) -> bool {
        if self.payments.is_refunded() {
            return false;
        }
        match self.told.state {
            SubscriptionState::Active | SubscriptionState::OnTrial => true,
            SubscriptionState::PastDue => now.0 < self.since.0.saturating_add(GRACE_MS),
            SubscriptionState::Paused => self.told.paused_free,
            SubscriptionState::Cancelled => self.told.ends_at.is_some_and(|end| now < end),
            SubscriptionState::Unpaid | SubscriptionState::Expired => false,
        }
    }
}

/// Credits that were given for an order, and how many of them were taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The provider's.
    pub id: String,
    pub credits: u64,
    pub refunded: u64,
}

/// An order of credits as the provider tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purchase {
    /// The provider's.
    pub id: String,
    pub credits: u64,
    /// How much of the price went back, in millionths.
    pub returned: u32,
}

/// Millionths of a whole.
pub const WHOLE: u32 = 1_000_000;

/// What happened to an invoice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payment {
    Paid,
    Failed,
    Refunded,
}

/// What the provider tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    Subscription(Subscription),
    /// Of a subscription: which, what, and when the invoice was made.
    Payment(String, Payment, Timestamp),
    Order(Purchase),
    /// Known, and changes nothing here.
    Nothing,
    /// Somebody should look at it: why, in a sentence without a full stop.
    Strange(String),
}

/// A message of the provider, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// As the provider names it: `subscription_created`.
    pub event: String,
    /// Whom it concerns, as the checkout that led to it said.
    pub creator: Option<CreatorId>,
    /// What it is about: `subscription 12`.
    pub subject: String,
    pub news: News,
}

/// What became of a message of the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It was taken in.
    Applied,
    /// The same message came before.
    Again,
    /// It is older than what is held.
    Outdated,
    /// It fits nobody and waits for somebody to look.
    Kept,
    Nothing,
}

/// A message of the provider that fits nobody: kept, so that no payment is lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    pub at: Timestamp,
    pub event: String,
    pub subject: String,
    /// As the message named them.
    pub creator: Option<CreatorId>,
    pub why: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_counts_as_long_as_it_is_paid_or_about_to_be() {
        use SubscriptionState::*;
        let now = Timestamp(100 * GRACE_MS);
        let (before, after) = (Some(Timestamp(now.0 - 1)), Some(Timestamp(now.0 + 1)));
        let long_ago = Timestamp(now.0 - GRACE_MS);
        let just = Timestamp(now.0 - GRACE_MS + 1);
        let check = |state, since, ends_at, paused_free, payments: (Option<u64>, Option<u64>), expected| {
            let held = HeldSubscription {
                told: Subscription {
                    id: "1".into(),
                    variant: "2".into(),
                    plan: "pro".into(),
                    state,
                    paused_free,
                    renews_at: None,
                    ends_at,
                    updated_at: since,
                },
                since,
                payments: Payments { paid: payments.0.map(Timestamp), refunded: payments.1.map(Timestamp) },
            };
            assert_eq!(held.counts(now), expected, "{held:?}");
        };
        let none = (None, None);
        check(Active, long_ago, None, false, none, true);
        check(OnTrial, long_ago, None, false, none, true);
        check(PastDue, just, None, false, none, true);
        check(PastDue, long_ago, None, false, none, false);
        check(Paused, just, None, false, none, false);
        check(Paused, long_ago, None, true, none, true);
        check(Unpaid, just, None, false, none, false);
        check(Cancelled, just, after, false, none, true);
        check(Cancelled, just, before, false, none, false);
        check(Cancelled, just, Some(now), false, none, false);
        check(Cancelled, just, None, false, none, false);
        check(Expired, just, after, false, none, false);
        // Money that went back buys nothing, until the next payment.
        check(Active, just, None, false, (Some(5), Some(5)), false);
        check(Active, just, None, false, (None, Some(5)), false);
        check(Active, just, None, false, (Some(6), Some(5)), true);
        check(Cancelled, just, after, false, (Some(5), Some(5)), false);
    }

    #[test]
    fn states_are_read_as_they_are_written() {
        for state in SubscriptionState::ALL {
            assert_eq!(SubscriptionState::named(state.as_str()), Some(state));
            assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
        }
        assert_eq!(SubscriptionState::named("forgotten"), None);
    }
}
