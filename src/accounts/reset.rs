//! A new password for whoever reads the account's mail: asked for by an address, chosen behind a link that works once.
//!
//! Whoever asks learns nothing: an address without an account is counted, written down and answered like any other. The
//! link itself is made by `mail` when it sends the mail; here it is known by its hash. A second factor stays: the new
//! password signs nobody in who has one.

use super::{AccountError, Accounts, Secret, password, throttle};
use crate::domain::{Email, Mail, Timestamp};
use crate::store::{Purpose, User};

impl Accounts {
    /// Queues a mail that leads to a new password, if the address has an account. Every asking counts.
    pub async fn ask_reset(&self, email: &str, address: &str, now: Timestamp) -> Result<(), AccountError> {
        let keys = [throttle::Key::reset(&email.trim().to_lowercase()), throttle::Key::address(address)];
        self.throttle().begin(&keys, now).map_err(AccountError::TooMany)?;
        let user = match email.parse::<Email>() {
            Ok(email) => self.store.user_by_email(&email).await?,
            Err(_) => None,
        };
        let event = super::tried("account.reset_asked", email, address, now);
        let mail = user.map(|user| Mail::reset(user.id, now));
        Ok(self.store.add_event_with_mail(event, mail).await?)
    }

    /// Whose password this link renews, while it does.
    pub async fn resetting(&self, secret: &Secret, now: Timestamp) -> Result<User, AccountError> {
        let link = self.store.link(&secret.hash()).await?.filter(|link| link.expires_at > now);
        let Some(Purpose::Reset { user }) = link.map(|link| link.purpose) else {
            return Err(AccountError::Link);
        };
        self.store.user(&user).await?.ok_or(AccountError::Link)
    }

    /// Takes the link and gives the person another password; every session ends, and so do other links to this.
    pub async fn reset(
        &self,
        secret: &Secret,
        password: &str,
        address: &str,
        fresh: &Secret,
        now: Timestamp,
    ) -> Result<User, AccountError> {
        let user = self.resetting(secret, now).await?;
        password::check(password, &user.email)?;
        // What takes time and may be refused comes before the link is used up.
        let hash = self.hasher.hash(password).await?;
        if !self.store.take_link(&secret.hash()).await? {
            return Err(AccountError::Link);
        }
        let user = self.store.change_user(&user.id, move |user| user.password.clone_from(&hash)).await?;
        self.store.remove_sessions(&user.id, None).await?;
        let who = user.email.as_str();
        self.note(None, who, "account.password_reset", who, address, fresh, now).await?;
        Ok(user)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::accounts::{Attempt, NewUser};
    use crate::domain::UserId;
    use crate::store::{Link, Store};

    const OLD: &str = "violet tide nine";
    const NEW: &str = "another violet tide";

    fn secret(number: u8) -> Secret {
        Secret::from_bytes([number; 32])
    }

    async fn accounts() -> (Accounts, User) {
        let accounts = Accounts::new(Store::in_memory().unwrap());
        let email = "anna@x.example".parse().unwrap();
        let new = NewUser { email, name: "", password: OLD, roles: BTreeMap::new() };
        let user = accounts.add(new, UserId::from_bytes([1; 16]), Timestamp(0)).await.unwrap();
        (accounts, user)
    }

    async fn linked(accounts: &Accounts, user: &User, number: u8, expires_at: u64) {
        let link =
            Link { purpose: Purpose::Reset { user: user.id.clone() }, expires_at: Timestamp(expires_at) };
        accounts.store.add_link(secret(number).hash(), link).await.unwrap();
    }

    #[tokio::test]
    async fn a_link_renews_the_password_once_and_ends_every_session() {
        let (accounts, user) = accounts().await;
        let attempt = |password| Attempt { email: "anna@x.example", password, address: "192.0.2.1" };
        accounts.sign_in(attempt(OLD), &secret(1), Timestamp(0)).await.unwrap();
        linked(&accounts, &user, 2, 1_000).await;
        linked(&accounts, &user, 3, 1_000).await;
        let reset = async |number, password, now| {
            accounts.reset(&secret(number), password, "192.0.2.1", &secret(90), Timestamp(now)).await
        };
        assert!(matches!(reset(9, NEW, 1).await, Err(AccountError::Link)), "nobody's link");
        assert!(matches!(reset(2, NEW, 1_000).await, Err(AccountError::Link)), "too late");
        assert!(matches!(reset(2, "short", 1).await, Err(AccountError::Password(_))), "and the link stays");
        reset(2, NEW, 1).await.unwrap();
        assert!(matches!(reset(2, NEW, 1).await, Err(AccountError::Link)), "it is used up");
        assert!(matches!(reset(3, NEW, 1).await, Err(AccountError::Link)), "and so is the other one");
        assert!(accounts.signed_in(&secret(1), Timestamp(2)).await.unwrap().is_none());
        let old = accounts.sign_in(attempt(OLD), &secret(4), Timestamp(2)).await;
        assert!(matches!(old, Err(AccountError::Refused)));
        accounts.sign_in(attempt(NEW), &secret(5), Timestamp(2)).await.unwrap();
        // A password that is changed otherwise ends such links too.
        linked(&accounts, &user, 6, 9_000).await;
        accounts.set_password(&user, OLD, None).await.unwrap();
        assert!(matches!(reset(6, NEW, 3).await, Err(AccountError::Link)));
    }

    #[tokio::test]
    async fn asking_tells_nothing_and_is_slowed() {
        let (accounts, _) = accounts().await;
        let ask = async |email: &str| accounts.ask_reset(email, "192.0.2.1", Timestamp(60_000)).await;
        for (email, waiting) in [("nobody@x.example", 0), ("no address", 0), (" Anna@X.example", 1)] {
            ask(email).await.unwrap();
            assert_eq!(accounts.store.mail_counts().await.unwrap().waiting, waiting, "{email}");
        }
        let events = accounts.store.events(None, 9).await.unwrap();
        let asked: Vec<(&str, u32)> = events.iter().map(|event| (event.what.as_str(), event.times)).collect();
        assert_eq!(asked, [("account.reset_asked", 3)]);
        // Within the minute it is one mail, and then others are slowed.
        for _ in 1..throttle::FREE_RESETS {
            ask("anna@x.example").await.unwrap();
        }
        assert!(matches!(ask("anna@x.example").await, Err(AccountError::TooMany(_))));
        assert_eq!(accounts.store.mail_counts().await.unwrap().waiting, 1);
    }
}
