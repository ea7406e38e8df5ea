//! When an answer is paid, where a creator stands, and what is bought: `billing` put to work with this program's settings.
//!
//! Off unless `billing.enabled`; then nothing here looks at anything. What the owner of this machine asks in a terminal,
//! `eval` and `bench` pay nothing: they do not wish to.

use std::sync::Arc;

use super::{App, chain, now};
use crate::answer::{Asked, Bill};
use crate::billing::lemon::{message, sign};
use crate::billing::offer::Plan;
use crate::billing::{Checkout, Lemon, LemonError, Offer, Reserved, Standing};
use crate::config::BillingSettings;
use crate::domain::{CreatorId, Entry, EntryKind, NewEntry, Report, Taken, Terms};
use crate::problem::{Kind, Problem};

/// Who pays an answer.
pub(super) enum Paid {
    By(Bill),
    /// Nobody has to.
    ForNothing,
    /// Nobody can: the credits are used up.
    NoLonger,
}

/// What somebody wants to buy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    Plan(String),
    Pack(String),
}

/// What is offered and how to sell it, where billing is on.
pub(super) fn of(settings: &BillingSettings) -> Result<(Option<Arc<Offer>>, Option<Lemon>), Problem> {
    if !settings.enabled {
        return Ok((None, None));
    }
    // Both were checked when the settings were resolved.
    let wrong = |(name, reason): (String, String)| Problem::internal(format!("{name}: {reason}"));
    let (offer, lemon) = (settings.offer().map_err(wrong)?, settings.lemon().map_err(wrong)?);
    Ok((Some(Arc::new(offer)), Some(Lemon::new(lemon))))
}

impl App {
    /// What can be had; `None` where answers have no price.
    pub fn offer(&self) -> Option<&Offer> {
        self.offer.as_deref()
    }

    /// The same, or that there is no such thing here.
    pub fn offered(&self) -> Result<&Offer, Problem> {
        self.offer().ok_or_else(|| {
            Problem::new(
                Kind::Missing,
                "billing_off",
                "answers have no price on this server",
                "whoever runs it can set `billing.enabled`",
            )
        })
    }

    /// Where a creator stands; `None` where answers have no price.
    pub async fn standing(&self, creator: &CreatorId) -> Result<Option<Standing>, Problem> {
        let Some(offer) = self.offer() else { return Ok(None) };
        let (now, creator) = (now(), creator.clone());
        let month = chain::month(now);
        let account = self.store.account(&creator, month, Vec::new()).await?;
        Ok(Some(Standing::of(offer, account, month, now)))
    }

    /// Holds the credits that an answer may cost.
    pub(super) async fn bill(&self, asked: &Asked, phrased: bool) -> Result<Paid, Problem> {
        let Some(offer) = self.offer() else { return Ok(Paid::ForNothing) };
        let most = offer.tariff.dearest(phrased);
        if most == 0 {
            return Ok(Paid::ForNothing);
        }
        let (creator, month) = (&asked.creator.id, chain::month(asked.now));
        let reserved = self.till.reserve(creator, &asked.message, most, offer, month, asked.now).await?;
        Ok(match reserved {
            Reserved::UsedUp => {
                tracing::info!(creator = %creator, "the credits are used up: a question goes to a person");
                Paid::NoLonger
            }
            Reserved::Held(hold, standing) => Paid::By(Bill {
                tariff: offer.tariff,
                terms: Terms { month, included: standing.plan.answers, soft_limit: offer.soft_limit },
                hold: Arc::new(hold),
                paid: crate::telemetry::metrics::paid,
            }),
        })
    }

    /// Gives credits, or corrects them; in the ledger for good.
    pub async fn change_credits(
        &self,
        creator: &CreatorId,
        kind: EntryKind,
        credits: i64,
        reason: String,
    ) -> Result<Entry, Problem> {
        let at = now();
        let entry = NewEntry { kind, credits, month: chain::month(at), at, reason };
        Ok(self.store.add_entry(creator, entry).await?)
    }

    /// An address where the wanted thing is bought for a creator; the browser comes back to `back`.
    pub async fn checkout(
        &self,
        creator: &CreatorId,
        wanted: &Wanted,
        back: String,
    ) -> Result<String, Problem> {
        let offer = self.offered()?;
        let variant = match wanted {
            Wanted::Plan(id) => offer.plan(id).filter(|plan| plan.offered).map(|plan| &plan.variant),
            Wanted::Pack(id) => offer.pack(id).map(|pack| &pack.variant),
        };
        let (Wanted::Plan(id) | Wanted::Pack(id)) = wanted;
        let missing = |message: String| {
            let hint = "`GET /api/v1/billing` lists what can be bought";
            Problem::new(Kind::Missing, "not_for_sale", message, hint)
        };
        let shown: String = id.chars().take(64).collect();
        let variant = variant.ok_or_else(|| missing(format!("there is no plan or pack `{shown}`")))?;
        if variant.is_empty() {
            return Err(missing(format!("`{shown}` cannot be bought: no variant is set for it")));
        }
        let creator = self.store.creator(creator).await?.id;
        Ok(self.lemon()?.checkout(Checkout { creator, variant: variant.clone(), back }).await?)
    }

    /// The address where a creator's subscription is changed: cards, invoices, cancelling.
    pub async fn portal(&self, creator: &CreatorId) -> Result<String, Problem> {
        self.offered()?;
        let all = self.store.subscriptions(creator).await?;
        let newest = all.into_iter().max_by_key(|held| (held.counts(now()), held.told.updated_at));
        let held = newest.ok_or_else(|| {
            Problem::new(
                Kind::Missing,
                "no_subscription",
                "there is no subscription to look after",
                "buy a plan first",
            )
        })?;
        Ok(self.lemon()?.portal(&held.told.id).await?)
    }

    /// Takes a message of the payment provider in, if its signature is right. Looked at before a byte of it is
    /// understood.
    pub async fn hear_provider(&self, body: &[u8], signature: &str) -> Result<(Report, Taken), Problem> {
        let settings = &self.config.settings.billing;
        let offer = self.offered()?;
        if !sign::is_signed(settings.webhook_secret.reveal(), body, signature) {
            tracing::warn!(bytes = body.len(), "a message to the payment webhook has no right signature");
            return Err(Problem::new(
                Kind::Forbidden,
                "signature_refused",
                "the signature is not right",
                "set `billing.webhook_secret` to the secret of the webhook at Lemon Squeezy",
            ));
        }
        let reading = message::Reading { offer, store: &settings.store, test_mode: settings.test_mode };
        let report = message::read(body, reading);
        let (digest, now) = (*blake3::hash(body).as_bytes(), now());
        let taken = self.store.take_report(digest, report.clone(), chain::month(now), now).await?;
        match taken {
            Taken::Kept => tracing::warn!(
                event = report.event, subject = report.subject, news = ?report.news,
                "a message of the payment provider fits nobody; `neverafk doctor` lists it"
            ),
            _ => tracing::info!(
                event = report.event,
                subject = report.subject,
                ?taken,
                "the payment provider told something"
            ),
        }
        Ok((report, taken))
    }

    /// Plans that can be seen.
    pub fn shown_plans(&self) -> Vec<Plan> {
        let plans = self.offer().map(|offer| offer.plans.as_slice()).unwrap_or_default();
        plans.iter().filter(|plan| plan.offered).cloned().collect()
    }

    fn lemon(&self) -> Result<&Lemon, LemonError> {
        self.lemon.as_ref().ok_or(LemonError::NotSetUp("billing.enabled"))
    }
}
