//! `[billing]`: plans, packs of credits, the price of an answer, and the payment provider. Off by default.
//!
//! Goes out: what is offered ([`BillingSettings::offer`]) and how to reach the provider ([`BillingSettings::lemon`]), both
//! checked when the settings are resolved. What they mean is `billing`.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use url::Url;

use super::Secret;
use crate::billing::lemon::is_here;
use crate::billing::offer::size;
use crate::billing::{LemonOptions, Offer, Pack, Plan};
use crate::domain::Tariff;

/// `[billing]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BillingSettings {
    /// Whether answers have a price at all.
    pub enabled: bool,
    /// The plan of creators who have no other.
    pub default_plan: String,
    /// Credits for an answer that a chat model phrased, that is quoted, and that was given before.
    pub generated_credits: u32,
    pub extractive_credits: u32,
    pub cached_credits: u32,
    /// Share of a month's credits after which the creator is told, 0 to 1.
    pub soft_limit: f64,
    /// The number of the store at Lemon Squeezy; empty sells nothing.
    pub store: String,
    pub api_key: Secret,
    /// Signs what Lemon Squeezy sends; empty takes nothing.
    pub webhook_secret: Secret,
    /// Without the version.
    pub api_url: String,
    /// For one request.
    pub timeout_ms: u64,
    /// Sells for play money, and takes such messages only.
    pub test_mode: bool,
    /// `[billing.plans.NAME]`
    pub plans: BTreeMap<String, PlanSettings>,
    /// `[billing.packs.NAME]`
    pub packs: BTreeMap<String, PackSettings>,
}

impl Default for BillingSettings {
    fn default() -> Self {
        Self {
            enabled: false,
            default_plan: "free".into(),
            generated_credits: 1,
            extractive_credits: 1,
            cached_credits: 0,
            soft_limit: 0.8,
            store: String::new(),
            api_key: Secret::default(),
            webhook_secret: Secret::default(),
            api_url: "https://api.lemonsqueezy.com".into(),
            timeout_ms: 10_000,
            test_mode: false,
            plans: known(),
            packs: BTreeMap::new(),
        }
    }
}

/// A plan as it is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PlanSettings {
    pub name: String,
    /// Credits a month.
    pub answers: u64,
    /// Instead of `answers`: without end.
    pub unlimited: bool,
    /// For people.
    pub price: String,
    /// The number of what is sold, at Lemon Squeezy.
    pub variant: String,
    /// Whether the plan is shown and sold.
    pub offered: bool,
}

impl Default for PlanSettings {
    fn default() -> Self {
        Self {
            name: String::new(),
            answers: 0,
            unlimited: false,
            price: String::new(),
            variant: String::new(),
            offered: true,
        }
    }
}

/// Credits to be bought once, as it is written.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PackSettings {
    pub name: String,
    pub credits: u64,
    pub price: String,
    pub variant: String,
}

/// The plans that are there without being written down.
fn known() -> BTreeMap<String, PlanSettings> {
    let plan = |name: &str, answers, unlimited| PlanSettings {
        name: name.into(),
        answers,
        unlimited,
        ..PlanSettings::default()
    };
    [
        ("free", plan("Free", 100, false)),
        ("pro", plan("Pro", 0, true)),
        ("starter", plan("Starter", 1_000, false)),
    ]
    .map(|(id, plan)| (id.to_owned(), plan))
    .into()
}

/// No plan includes more, and no answer costs more: sums of them stay far from the ends of numbers.
const MOST_CREDITS: u64 = 1_000_000_000;
const MOST_PRICE: u32 = 10_000;

impl BillingSettings {
    /// Everything that can be had; or which setting is wrong, and why.
    pub fn offer(&self) -> Result<Offer, (String, String)> {
        let mut variants = BTreeMap::new();
        let mut once = |place: String, variant: &str| match variants
            .insert(variant.to_owned(), place.clone())
            .filter(|_| !variant.is_empty())
        {
            Some(other) => Err((place, format!("`{variant}` is that of `{other}` already"))),
            None => Ok(()),
        };
        let mut plans = Vec::new();
        for (id, plan) in &self.plans {
            let place = |field: &str| format!("billing.plans.{id}.{field}");
            once(place("variant"), &plan.variant)?;
            if plan.answers > MOST_CREDITS {
                return Err((place("answers"), format!("{} is more than {MOST_CREDITS}", plan.answers)));
            }
            plans.push(Plan {
                id: id.clone(),
                name: if plan.name.is_empty() { id.clone() } else { plan.name.clone() },
                answers: (!plan.unlimited).then_some(plan.answers),
                price: plan.price.clone(),
                variant: plan.variant.clone(),
                offered: plan.offered,
            });
        }
        plans.sort_by_key(|plan| (size(plan), plan.id.clone()));
        let mut packs = Vec::new();
        for (id, pack) in &self.packs {
            let place = |field: &str| format!("billing.packs.{id}.{field}");
            once(place("variant"), &pack.variant)?;
            if !(1..=MOST_CREDITS).contains(&pack.credits) {
                let reason = format!("{} is not between 1 and {MOST_CREDITS}", pack.credits);
                return Err((place("credits"), reason));
            }
            packs.push(Pack {
                id: id.clone(),
                name: if pack.name.is_empty() { id.clone() } else { pack.name.clone() },
                credits: pack.credits,
                price: pack.price.clone(),
                variant: pack.variant.clone(),
            });
        }
        packs.sort_by_key(|pack| (pack.credits, pack.id.clone()));
        let default = plans.iter().find(|plan| plan.id == self.default_plan).cloned();
        let default = default.ok_or_else(|| {
            let known: Vec<&str> = self.plans.keys().map(String::as_str).collect();
            let reason = format!("there is no plan `{}`, only {}", self.default_plan, known.join(", "));
            ("billing.default_plan".to_owned(), reason)
        })?;
        let prices = [
            ("billing.generated_credits", self.generated_credits),
            ("billing.extractive_credits", self.extractive_credits),
            ("billing.cached_credits", self.cached_credits),
        ];
        if let Some((name, price)) = prices.into_iter().find(|(_, price)| *price > MOST_PRICE) {
            return Err((name.to_owned(), format!("{price} is more than {MOST_PRICE}")));
        }
        if !(self.soft_limit > 0.0 && self.soft_limit <= 1.0) {
            let reason = format!("{} is not above 0 and at most 1", self.soft_limit);
            return Err(("billing.soft_limit".to_owned(), reason));
        }
        let [generated, extractive, cached] = prices.map(|(_, price)| price);
        let tariff = Tariff { generated, extractive, cached };
        Ok(Offer { plans, packs, default, tariff, soft_limit: self.soft_limit })
    }

    /// How to reach the payment provider; or which setting is wrong, and why.
    pub fn lemon(&self) -> Result<LemonOptions, (String, String)> {
        let wrong = |reason: &str| ("billing.api_url".to_owned(), format!("`{}` {reason}", self.api_url));
        let url = Url::parse(&self.api_url);
        let url = url.map_err(|_| wrong("is not an address such as `https://api.lemonsqueezy.com`"))?;
        if url.scheme() != "https" && !is_here(&url) {
            return Err(wrong("would send the key over a line that others can read: HTTPS is wanted"));
        }
        if !url.username().is_empty() || url.password().is_some() || !url.has_host() {
            return Err(wrong("is not an address such as `https://api.lemonsqueezy.com`"));
        }
        if !(1..=60_000).contains(&self.timeout_ms) {
            let reason = format!("{} is not between 1 and 60000", self.timeout_ms);
            return Err(("billing.timeout_ms".to_owned(), reason));
        }
        let key = self.api_key.reveal().trim().to_owned();
        if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(("billing.api_key".to_owned(), "it has characters that no key has".to_owned()));
        }
        Ok(LemonOptions {
            api_url: url,
            key,
            store: self.store.clone(),
            timeout: Duration::from_millis(self.timeout_ms),
            test_mode: self.test_mode,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_plans_are_in_their_order() {
        let offer = BillingSettings::default().offer().unwrap();
        let found: Vec<_> = offer.plans.iter().map(|plan| (plan.id.as_str(), plan.answers)).collect();
        assert_eq!(found, [("free", Some(100)), ("starter", Some(1_000)), ("pro", None)]);
        assert_eq!(offer.default.id, "free");
        assert!(!BillingSettings::default().enabled);
    }

    #[test]
    fn wrong_settings_are_named() {
        let check = |change: &dyn Fn(&mut BillingSettings), name: &str| {
            let mut settings = BillingSettings::default();
            change(&mut settings);
            let found = settings.offer().map(drop).and_then(|()| settings.lemon().map(drop));
            assert_eq!(found.unwrap_err().0, name);
        };
        check(&|s| s.default_plan = "gold".into(), "billing.default_plan");
        check(&|s| s.soft_limit = 0.0, "billing.soft_limit");
        check(&|s| s.soft_limit = f64::NAN, "billing.soft_limit");
        check(&|s| s.generated_credits = 20_000, "billing.generated_credits");
        check(&|s| s.plans.get_mut("pro").unwrap().answers = u64::MAX, "billing.plans.pro.answers");
        check(
            &|s| drop(s.packs.insert("small".into(), PackSettings::default())),
            "billing.packs.small.credits",
        );
        check(
            &|s| s.plans.values_mut().for_each(|plan| plan.variant = "11".into()),
            "billing.plans.pro.variant",
        );
        for url in ["lemon", "http://api.lemonsqueezy.com", "https://me:secret@api.example", "ftp://x/"] {
            check(&|s| s.api_url = url.into(), "billing.api_url");
        }
        check(&|s| s.timeout_ms = 0, "billing.timeout_ms");
    }
}
