//! Mails: whether there is a server for them, what sends them, and whether a student is there to read without one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::{App, now, secret};
use crate::config::Config;
use crate::domain::{ConversationId, CreatorId, Mail, Message, Ticket};
use crate::mail::Mailer;
use crate::mail::smtp::SmtpOptions;
use crate::problem::Problem;

impl App {
    /// Whether mails are sent.
    pub fn sends_mail(&self) -> bool {
        self.config().settings.mail.is_on()
    }

    /// What sends mails; nothing when no server is set.
    pub fn mailer(&self) -> Result<Option<Mailer>, Problem> {
        let settings = &self.config().settings;
        Ok(smtp(self.config())?.map(|smtp| Mailer {
            store: self.store().clone(),
            smtp,
            attempts: settings.mail.attempts,
            public_url: settings.server.public_url.trim_end_matches('/').to_owned(),
            now,
            secret: || secret().ok(),
            tried: crate::telemetry::metrics::mailed,
        }))
    }

    /// Whether a creator's people are told by mail that conversations need them, from now on.
    pub async fn tell_people_by_mail(&self) -> Result<(), Problem> {
        let settings = &self.config().settings.mail;
        Ok(self.store().tell_people_by_mail(settings.is_on() && settings.escalations).await?)
    }

    /// The mail that brings a person's message to a student who left an address and is not there.
    pub(super) fn reply_by_mail(&self, message: &Message, ticket: &Ticket) -> Option<Mail> {
        let left = ticket.contact.as_ref().is_some_and(|contact| contact.email.is_some());
        let (creator, conversation) = (&message.creator, &message.conversation);
        if !self.sends_mail() || !left || self.is_present(creator, conversation) {
            return None;
        }
        Some(Mail::reply(creator.clone(), conversation.clone(), message.id.clone(), message.at))
    }

    /// A student's page is open as long as what this gives lives.
    pub fn present(&self, creator: &CreatorId, conversation: &ConversationId) -> Presence {
        let key = (creator.clone(), conversation.clone());
        *self.presences.lock().entry(key.clone()).or_default() += 1;
        Presence { all: self.presences.clone(), key }
    }

    /// Whether a student's page is open.
    pub fn is_present(&self, creator: &CreatorId, conversation: &ConversationId) -> bool {
        self.presences.lock().contains_key(&(creator.clone(), conversation.clone()))
    }
}

/// How to reach the mail server.
pub(super) fn smtp(config: &Config) -> Result<Option<SmtpOptions>, Problem> {
    let settings = &config.settings;
    if !settings.mail.is_on() {
        return Ok(None);
    }
    let wrong = |name: &str, reason| Problem::from(config.layers.wrong(name, reason));
    let authority = settings.mail.authority().map_err(|reason| wrong("mail.ca_file", reason))?;
    let password = settings.mail.password().map_err(|reason| wrong("mail.password_file", reason))?;
    let smtp = settings.mail.smtp(&settings.server.public_url, password);
    let smtp = smtp.map_err(|(name, reason)| wrong(name, reason))?;
    Ok(smtp.map(|smtp| SmtpOptions { authority, ..smtp }))
}

/// Students' pages that are open, by conversation. Bounded by the connections that a server takes.
#[derive(Clone, Default)]
pub struct Presences(Arc<Mutex<HashMap<(CreatorId, ConversationId), usize>>>);

impl Presences {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<(CreatorId, ConversationId), usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One open page of a student.
pub struct Presence {
    all: Presences,
    key: (CreatorId, ConversationId),
}

impl Drop for Presence {
    fn drop(&mut self) {
        let mut all = self.all.lock();
        if let Some(count) = all.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                all.remove(&self.key);
            }
        }
    }
}
