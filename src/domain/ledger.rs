//! Credits: what an answer costs, where it is taken from, and the ledger in which each change is one entry.
//!
//! Two pockets pay: first what a plan includes in a calendar month (UTC), which comes and goes with the month, then
//! bought credits, which stay. Entries are only ever added; [`Wallet`] and [`MonthUse`] are sums of them, and [`replay`]
//! makes them again. The month is the calendar's, not a subscription's period: a free plan has no period, an entry's month
//! follows from its time alone, and tokens of remote models are counted by the same month. Pure; `store` keeps it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Answer, MessageId, Timestamp};

/// What moved credits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// Credits were bought or given.
    Grant,
    /// An answer was paid.
    Spend,
    /// An order was paid back, and its credits go.
    Refund,
    /// Whoever runs the server corrected something.
    Adjust,
}

impl EntryKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Grant => "grant",
            Self::Spend => "spend",
            Self::Refund => "refund",
            Self::Adjust => "adjust",
        }
    }
}

/// How an answer came about, as far as its price goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Served {
    /// A chat model phrased it.
    Generated,
    /// The content's own sentences.
    Extractive,
    /// It was given before.
    Cached,
}

impl Served {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Generated => "generated",
            Self::Extractive => "extractive",
            Self::Cached => "cached",
        }
    }
}

/// Credits for one answer of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tariff {
    pub generated: u32,
    pub extractive: u32,
    pub cached: u32,
}

impl Tariff {
    /// What an answer costs; `None` for what is free. An answer is paid for what it shows of the content: refusals, small
    /// talk and hand-overs cite nothing. `quoted` is the model's name of answers without a model.
    pub fn price(&self, answer: &Answer, quoted: &str) -> Option<(Served, u64)> {
        if answer.abstained || answer.citations.is_empty() {
            return None;
        }
        let (served, credits) = if answer.cached {
            (Served::Cached, self.cached)
        } else if answer.model == quoted {
            (Served::Extractive, self.extractive)
        } else {
            (Served::Generated, self.generated)
        };
        (credits > 0).then_some((served, u64::from(credits)))
    }

    /// The most that an answer can cost; `phrased` when a chat model may be asked.
    pub fn dearest(&self, phrased: bool) -> u64 {
        let quoted = self.extractive.max(self.cached);
        u64::from(if phrased { quoted.max(self.generated) } else { quoted })
    }
}

/// What held when an answer was begun.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Terms {
    /// As `202611`.
    pub month: u32,
    /// Credits that the plan includes in a month; `None` is all.
    pub included: Option<u64>,
    /// Share of the credits after which `credits.low` is told, 0 to 1.
    pub soft_limit: f64,
}

/// An answer to be paid.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Charge {
    pub served: Served,
    pub credits: u64,
    pub terms: Terms,
}

/// One line of the ledger. Never changed, and gone only with its creator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// A creator's entries are counted from 1.
    pub number: u64,
    pub kind: EntryKind,
    /// Change of the bought credits.
    pub credits: i64,
    /// Taken from what the plan includes in the month.
    #[serde(default)]
    pub included: u64,
    /// As `202611`.
    pub month: u32,
    pub at: Timestamp,
    /// Why, for people.
    pub reason: String,
    /// The answer that was paid. Its words may be erased; the id then leads nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub served: Option<Served>,
    /// This one told `credits.low`.
    #[serde(default)]
    pub low: bool,
}

/// An entry before it has its number; spends are made by the store alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEntry {
    pub kind: EntryKind,
    pub credits: i64,
    pub month: u32,
    pub at: Timestamp,
    pub reason: String,
}

/// The bought credits of a creator: the sum of the ledger.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wallet {
    /// Below zero after a refund of what was used.
    pub balance: i64,
    /// The number of the last entry.
    pub entries: u64,
}

/// What a creator's answers took in one month.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MonthUse {
    /// Of what the plan includes.
    pub included: u64,
    /// Of bought credits.
    pub bought: u64,
    /// Paid answers.
    pub generated: u64,
    pub extractive: u64,
    pub cached: u64,
    /// `credits.low` was told.
    pub low: bool,
}

impl MonthUse {
    pub fn credits(&self) -> u64 {
        self.included.saturating_add(self.bought)
    }

    pub fn answers(&self) -> u64 {
        self.generated.saturating_add(self.extractive).saturating_add(self.cached)
    }
}

impl Entry {
    /// Adds itself to the sums.
    pub fn count(&self, wallet: &mut Wallet, month: &mut MonthUse) {
        wallet.balance = wallet.balance.saturating_add(self.credits);
        wallet.entries = self.number;
        if self.kind != EntryKind::Spend {
            return;
        }
        month.included = month.included.saturating_add(self.included);
        month.bought = month.bought.saturating_add(self.credits.unsigned_abs());
        month.low |= self.low;
        let answers = match self.served {
            Some(Served::Generated) => &mut month.generated,
            Some(Served::Extractive) => &mut month.extractive,
            Some(Served::Cached) => &mut month.cached,
            None => return,
        };
        *answers += 1;
    }

    /// The entry that pays an answer. An answer that was given is paid, even where credits were taken away meanwhile:
    /// then the balance falls below zero.
    pub fn spend(
        charge: &Charge,
        message: &MessageId,
        at: Timestamp,
        wallet: &Wallet,
        month: &MonthUse,
    ) -> Self {
        let terms = &charge.terms;
        let plan_left = terms.included.map_or(u64::MAX, |most| most.saturating_sub(month.included));
        let included = charge.credits.min(plan_left);
        let bought = i64::try_from(charge.credits - included).unwrap_or(i64::MAX);
        let balance = wallet.balance.saturating_sub(bought);
        let used = month.credits().saturating_add(charge.credits);
        let left = left(terms.included, month.included.saturating_add(included), balance);
        let low = !month.low && left.is_some_and(|left| is_low(used, left, terms.soft_limit));
        Self {
            number: wallet.entries + 1,
            kind: EntryKind::Spend,
            credits: -bought,
            included,
            month: terms.month,
            at,
            reason: String::new(),
            message: Some(message.clone()),
            served: Some(charge.served),
            low,
        }
    }
}

/// Credits that are left: of the month's share of a plan, of which `used` are gone, and of bought ones. `None` is without
/// end. Debts of bought credits are paid by the next ones that are bought, not by the plan.
pub fn left(included: Option<u64>, used: u64, balance: i64) -> Option<u64> {
    let bought = u64::try_from(balance).unwrap_or(0);
    included.map(|most| most.saturating_sub(used).saturating_add(bought))
}

/// Whether so much is used, of what is used and left together, that somebody should know.
pub fn is_low(used: u64, left: u64, soft_limit: f64) -> bool {
    used as f64 >= soft_limit * (used.saturating_add(left)) as f64
}

/// The sums of a ledger, by going through all of it.
pub fn replay<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> (Wallet, BTreeMap<u32, MonthUse>) {
    let (mut wallet, mut months) = (Wallet::default(), BTreeMap::<u32, MonthUse>::new());
    for entry in entries {
        let mut unspent = MonthUse::default();
        let month = match entry.kind {
            EntryKind::Spend => months.entry(entry.month).or_default(),
            _ => &mut unspent,
        };
        entry.count(&mut wallet, month);
    }
    (wallet, months)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plan_pays_first_and_bought_credits_the_rest() {
        let check = |price, included: Option<u64>, used, balance, from_plan: u64, from_balance: i64| {
            let charge = Charge {
                served: Served::Generated,
                credits: price,
                terms: Terms { month: 202_611, included, soft_limit: 1.0 },
            };
            let wallet = Wallet { balance, entries: 6 };
            let month = MonthUse { included: used, ..MonthUse::default() };
            let entry = Entry::spend(&charge, &MessageId::from_bytes([1; 16]), Timestamp(9), &wallet, &month);
            assert_eq!((entry.included, entry.credits, entry.number), (from_plan, -from_balance, 7));
        };
        check(1, Some(100), 0, 5, 1, 0);
        check(1, Some(100), 99, 0, 1, 0);
        check(1, Some(100), 100, 5, 0, 1);
        check(3, Some(100), 99, 5, 1, 2);
        check(3, None, 5_000, 5, 3, 0);
        // A smaller plan since yesterday, and nothing bought: the answer was given all the same.
        check(1, Some(10), 60, 0, 0, 1);
        check(1, Some(0), 0, -4, 0, 1);
    }

    #[test]
    fn what_is_left_and_when_it_is_little() {
        for (included, used, balance, expected) in [
            (Some(100), 30, 0, Some(70)),
            (Some(100), 130, 0, Some(0)),
            (Some(100), 100, 25, Some(25)),
            (Some(100), 30, -25, Some(70)),
            (Some(0), 0, -1, Some(0)),
            (None, 9, 0, None),
        ] {
            assert_eq!(left(included, used, balance), expected);
        }
        for (used, left, expected) in [(79u64, 21u64, false), (80, 20, true), (80, 520, false), (10, 0, true)]
        {
            assert_eq!(is_low(used, left, 0.8), expected, "{used} of {}", used + left);
        }
    }
}
