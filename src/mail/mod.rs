//! Mails to people: what they say ([`compose`], in the languages of [`words`]), how they are written down for the wire ([`letter`]), and the way to the
//! mail server ([`smtp`]). [`Mailer`] puts the three together for the loop of `events`, which says when and how often.
//!
//! What waits is in the store and holds ids; words and links are made at each try and are nowhere else. A mail server
//! that fails delays mails and nothing else. Off where no server is set: `app` makes no [`Mailer`] then.

pub mod compose;
pub mod letter;
pub mod smtp;
mod words;

use std::collections::HashSet;
use std::time::Instant;

use crate::accounts::Secret;
use crate::domain::{Attempt, DeliveryState, Mail, MailId, Timestamp};
use crate::events::outbox::{Outbox, Outcome, after};
use crate::store::{Store, StoreError};

use compose::Composed;
use smtp::{Fault, SmtpOptions};

/// Beyond any session's time; a mail whose process died goes out again after this long.
const LEASE_MS: u64 = 120_000;

/// What sending mails needs.
#[derive(Clone)]
pub struct Mailer {
    pub store: Store,
    pub smtp: SmtpOptions,
    /// Tries before a mail is given up.
    pub attempts: u32,
    /// Where links lead, without a slash at the end.
    pub public_url: String,
    pub now: fn() -> Timestamp,
    /// Fresh bits for a link.
    pub secret: fn() -> Option<Secret>,
    /// Counts a try.
    pub tried: fn(sent: bool),
}

impl Outbox for Mailer {
    const WHAT: &'static str = "mails";
    /// Mail servers take few connections from one sender at once.
    const PLACES: usize = 4;
    type Item = Mail;
    type Lane = MailId;

    fn store(&self) -> &Store {
        &self.store
    }

    async fn release(&self) -> Result<u64, StoreError> {
        self.store.release_mails().await
    }

    async fn claim(&self, places: usize, _: &HashSet<MailId>) -> Result<Vec<(MailId, Mail)>, StoreError> {
        let claimed = self.store.claim_mails((self.now)(), LEASE_MS, places).await?;
        Ok(claimed.into_iter().map(|mail| (mail.id.clone(), mail)).collect())
    }

    /// One try, and what comes of it.
    async fn send(&self, mail: Mail) -> Result<(), StoreError> {
        let (at, began) = ((self.now)(), Instant::now());
        let tried = match compose::of(self, &mail).await? {
            Composed::Letter(letter) => {
                let sent = smtp::send(&self.smtp, &letter, at).await;
                (self.tried)(sent.is_ok());
                sent
            }
            Composed::Needless => Ok(None),
            Composed::Gone(why) => Err(Fault::for_good(why)),
            Composed::NotNow(why) => Err(Fault::passing(why)),
        };
        let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (outcome, attempt) = match tried {
            Ok(status) => (
                Outcome { arrived: true, ..Outcome::default() },
                Attempt { at, status, error: None, took_ms },
            ),
            Err(fault) => (
                Outcome { for_good: fault.for_good, ..Outcome::default() },
                Attempt { at, status: fault.status, error: Some(fault.reason), took_ms },
            ),
        };
        let tries = mail.standing.tries.saturating_add(1);
        let (state, next_at) = after(mail.id.as_str(), tries, self.attempts, outcome, (self.now)());
        if let Some(error) = &attempt.error {
            // Whom it was for stands in no log.
            match state {
                DeliveryState::Dead => tracing::error!(mail = %mail.id, %error, "a mail is given up"),
                _ => tracing::warn!(mail = %mail.id, %error, "a mail goes out again later"),
            }
        }
        self.store.finish_mail(&mail.id, attempt, state, next_at).await?;
        Ok(())
    }
}
