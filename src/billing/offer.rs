//! What can be had: plans, packs of credits, the price of an answer; and which plan a creator is on.
//!
//! Made from the settings (`config/billing.rs`). The payment provider knows plans and packs by their variants.

use std::cmp::Reverse;

use crate::domain::{HeldSubscription, Tariff, Timestamp};

/// What is included every month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// As settings and `checkout` name it.
    pub id: String,
    pub name: String,
    /// Credits a month; `None` is without end.
    pub answers: Option<u64>,
    /// For people, as `€19 a month`.
    pub price: String,
    /// The payment provider's number of it; empty when it cannot be bought.
    pub variant: String,
    /// Whether it is shown.
    pub offered: bool,
}

/// Credits that are bought once and stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pack {
    pub id: String,
    pub name: String,
    pub credits: u64,
    pub price: String,
    pub variant: String,
}

/// What the payment provider's variant is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bought<'a> {
    Plan(&'a Plan),
    Pack(&'a Pack),
}

/// Everything that can be had.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
    /// In the order in which they are shown: the smallest first.
    pub plans: Vec<Plan>,
    pub packs: Vec<Pack>,
    /// The plan of whoever has no other.
    pub default: Plan,
    pub tariff: Tariff,
    /// Share of the credits after which little is left.
    pub soft_limit: f64,
}

impl Offer {
    pub fn plan(&self, id: &str) -> Option<&Plan> {
        self.plans.iter().find(|plan| plan.id == id)
    }

    pub fn pack(&self, id: &str) -> Option<&Pack> {
        self.packs.iter().find(|pack| pack.id == id)
    }

    /// What was bought under this number of the provider's.
    pub fn bought(&self, variant: &str) -> Option<Bought<'_>> {
        let plan = self.plans.iter().find(|plan| plan.variant == variant);
        let pack = || self.packs.iter().find(|pack| pack.variant == variant);
        (!variant.is_empty()).then(|| plan.map(Bought::Plan).or_else(|| pack().map(Bought::Pack))).flatten()
    }

    /// The largest plan that a creator pays for, else the default one; a plan that the settings do not know any more
    /// counts nothing.
    pub fn plan_of<'a>(
        &'a self,
        subscriptions: &'a [HeldSubscription],
        now: Timestamp,
    ) -> (&'a Plan, Option<&'a HeldSubscription>) {
        let counting = subscriptions.iter().filter(|held| held.counts(now));
        let known = counting.filter_map(|held| Some((self.plan(&held.told.plan)?, held)));
        let largest = known.max_by_key(|(plan, held)| (size(plan), Reverse(held.told.id.clone())));
        match largest {
            Some((plan, held)) if size(plan) >= size(&self.default) => (plan, Some(held)),
            _ => (&self.default, None),
        }
    }
}

/// Plans in their order; without end is the largest.
pub fn size(plan: &Plan) -> u64 {
    plan.answers.unwrap_or(u64::MAX)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::domain::{Payments, Subscription, SubscriptionState};

    pub fn offer() -> Offer {
        let plan = |id: &str, answers, variant: &str| Plan {
            id: id.into(),
            name: id.into(),
            answers,
            price: String::new(),
            variant: variant.into(),
            offered: true,
        };
        let free = plan("free", Some(100), "");
        Offer {
            plans: vec![free.clone(), plan("starter", Some(1_000), "11"), plan("pro", None, "22")],
            packs: vec![Pack {
                id: "small".into(),
                name: "Small".into(),
                credits: 500,
                price: String::new(),
                variant: "33".into(),
            }],
            default: free,
            tariff: Tariff { generated: 1, extractive: 1, cached: 0 },
            soft_limit: 0.8,
        }
    }

    fn held(id: &str, plan: &str, state: SubscriptionState) -> HeldSubscription {
        let told = Subscription {
            id: id.into(),
            variant: String::new(),
            plan: plan.into(),
            state,
            paused_free: false,
            renews_at: None,
            ends_at: None,
            updated_at: Timestamp(1),
        };
        HeldSubscription { told, since: Timestamp(1), payments: Payments::default() }
    }

    #[test]
    fn the_largest_plan_that_is_paid_for_counts() {
        use SubscriptionState::{Active, Expired};
        let offer = offer();
        let check = |subscriptions: &[HeldSubscription], plan: &str, by: Option<&str>| {
            let (found, held) = offer.plan_of(subscriptions, Timestamp(2));
            assert_eq!((found.id.as_str(), held.map(|held| held.told.id.as_str())), (plan, by));
        };
        check(&[], "free", None);
        check(&[held("1", "starter", Active)], "starter", Some("1"));
        check(&[held("1", "starter", Active), held("2", "pro", Active)], "pro", Some("2"));
        check(&[held("1", "starter", Active), held("2", "pro", Expired)], "starter", Some("1"));
        check(&[held("1", "starter", Active), held("2", "starter", Active)], "starter", Some("1"));
        check(&[held("1", "forgotten", Active)], "free", None);
    }

    #[test]
    fn variants_are_plans_packs_or_nothing() {
        let offer = offer();
        assert_eq!(offer.bought("22"), offer.plan("pro").map(Bought::Plan));
        assert_eq!(offer.bought("33"), offer.pack("small").map(Bought::Pack));
        assert_eq!((offer.bought(""), offer.bought("44")), (None, None));
    }
}
