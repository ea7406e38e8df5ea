//! Who may enter, and what they may do: people, their passwords and sessions, links that work once, and the one
//! function that decides ([`permit::may`]).
//!
//! The store keeps the records; nothing here knows HTTP or the command line. Time and secrets come in as values, so
//! that every rule about them can be tested without waiting. Keys of programs are `http/auth.rs`.

pub mod password;
pub mod permit;
mod reset;
pub mod secret;
pub mod session;
pub mod throttle;
pub mod totp;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::domain::{AccountNameError, CreatorId, Email, Role, Timestamp, UserId};
use crate::store::{Event, Link, Purpose, Session, Store, StoreError, User};

pub use password::{Hasher, PasswordError};
pub use permit::{Action, may};
pub use secret::Secret;
use throttle::Throttle;

/// Why an account's door stays shut, or an account cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// One sentence for a wrong address and a wrong password: who guesses learns nothing.
    #[error("the e-mail address or the password is not right")]
    Refused,
    #[error("this code is not right, or was used already")]
    Code,
    #[error("too many tries to sign in")]
    TooMany(Duration),
    #[error("this link is not valid any more")]
    Link,
    #[error(transparent)]
    Name(#[from] AccountNameError),
    #[error(transparent)]
    Password(#[from] PasswordError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Someone who wants to sign in.
pub struct Attempt<'a> {
    pub email: &'a str,
    pub password: &'a str,
    /// Where the request comes from.
    pub address: &'a str,
}

/// How far a right password leads.
#[derive(Debug)]
pub enum Step {
    Inside(User),
    /// A code is asked for too.
    Code,
}

/// Time to type a code after the password.
const TICKET: u64 = 5 * 60_000;
/// Time to answer an invitation.
pub const INVITATION_LASTS: u64 = 7 * 24 * 60 * 60_000;
/// Time to choose a new password: OWASP (Forgot Password) asks for links that end soon; an hour lets slow mail arrive.
pub const RESET_LASTS: u64 = 60 * 60_000;

/// Who is signed in, found by a session's secret.
#[derive(Debug, Clone)]
pub struct SignedIn {
    pub user: User,
    /// The hash by which the store knows the session.
    pub session: [u8; 32],
    /// What a form of this session must carry.
    pub csrf: String,
}

/// Everybody's accounts. One for each process: it counts tries.
pub struct Accounts {
    store: Store,
    hasher: Hasher,
    throttle: Mutex<Throttle>,
    /// The hash of the link that makes the first account, as long as this process shows one.
    first: Mutex<Option<[u8; 32]>>,
}

impl Accounts {
    pub fn new(store: Store) -> Self {
        Self { store, hasher: Hasher::default(), throttle: Mutex::default(), first: Mutex::default() }
    }

    /// Lets someone in: the session is found by `fresh` from now on. Who has an authenticator gets no session yet;
    /// then `fresh` is what [`Accounts::enter_code`] asks for.
    pub async fn sign_in(
        &self,
        attempt: Attempt<'_>,
        fresh: &Secret,
        now: Timestamp,
    ) -> Result<Step, AccountError> {
        let address = attempt.address;
        let user = self.prove(attempt, now).await?;
        if user.second.is_some() {
            let (purpose, expires_at) = (Purpose::Code { user: user.id }, Timestamp(now.0 + TICKET));
            self.store.add_link(fresh.hash(), Link { purpose, expires_at }).await?;
            return Ok(Step::Code);
        }
        self.begin_session(&user, fresh, address, now).await?;
        Ok(Step::Inside(user))
    }

    /// Whose password this is. Every try counts, the right ones until it is known that they are right, so that many at
    /// once are not let through.
    pub async fn prove(&self, attempt: Attempt<'_>, now: Timestamp) -> Result<User, AccountError> {
        let keys = [
            throttle::Key::account(&attempt.email.trim().to_lowercase()),
            throttle::Key::address(attempt.address),
        ];
        self.throttle().begin(&keys, now).map_err(AccountError::TooMany)?;
        let user = match attempt.email.parse::<Email>() {
            Ok(email) => self.store.user_by_email(&email).await?,
            Err(_) => None,
        };
        let hash = user.as_ref().map(|user| user.password.clone());
        // An address without an account costs the same time.
        let right = self.hasher.verify(attempt.password, hash.as_deref()).await?;
        let Some(user) = user.filter(|_| right) else {
            self.refused("sign_in.refused", attempt.email, attempt.address, now).await?;
            return Err(AccountError::Refused);
        };
        // With an authenticator the code is still to come, and guesses of it count.
        if user.second.is_none() {
            self.throttle().succeeded(&keys);
        }
        Ok(user)
    }

    /// The second step: a code of the authenticator, or a one-time code. The session is found by `fresh` from now on.
    pub async fn enter_code(
        &self,
        ticket: &Secret,
        code: &str,
        address: &str,
        fresh: &Secret,
        now: Timestamp,
    ) -> Result<User, AccountError> {
        let link = self.store.link(&ticket.hash()).await?.filter(|link| link.expires_at > now);
        let Some(Purpose::Code { user }) = link.map(|link| link.purpose) else {
            return Err(AccountError::Link);
        };
        let user = self.store.user(&user).await?.ok_or(AccountError::Link)?;
        let keys = [throttle::Key::account(user.email.as_str()), throttle::Key::address(address)];
        self.throttle().begin(&keys, now).map_err(AccountError::TooMany)?;
        // Decided within the transaction: two requests at once do not use one code twice.
        let right = Arc::new(AtomicBool::new(false));
        let (seen, code) = (right.clone(), code.to_owned());
        let change = move |user: &mut User| {
            let after = user.second.as_ref().and_then(|factor| totp::used(factor, &code, now));
            seen.store(after.is_some(), Ordering::SeqCst);
            if after.is_some() {
                user.second = after;
            }
        };
        let user = self.store.change_user(&user.id, change).await?;
        if !right.load(Ordering::SeqCst) {
            self.refused("sign_in.code_refused", user.email.as_str(), address, now).await?;
            return Err(AccountError::Code);
        }
        if !self.store.take_link(&ticket.hash()).await? {
            return Err(AccountError::Link);
        }
        self.throttle().succeeded(&keys);
        self.begin_session(&user, fresh, address, now).await?;
        Ok(user)
    }

    /// Signs somebody in who proved otherwise who they are.
    pub async fn begin_session(
        &self,
        user: &User,
        fresh: &Secret,
        address: &str,
        now: Timestamp,
    ) -> Result<(), AccountError> {
        let session =
            Session { user: user.id.clone(), created_at: now, seen_at: now, address: address.to_owned() };
        self.store.add_session(fresh.hash(), session).await?;
        let (began, seen) = session::oldest(now);
        self.store.sweep_people(began, seen, now).await?;
        self.note(None, user.email.as_str(), "sign_in.done", "", address, fresh, now).await
    }

    /// Who holds this session, if it has not ended.
    pub async fn signed_in(&self, secret: &Secret, now: Timestamp) -> Result<Option<SignedIn>, AccountError> {
        let hash = secret.hash();
        let Some(session) = self.store.session(&hash).await? else { return Ok(None) };
        if session::has_ended(&session, now) {
            self.store.remove_session(&hash).await?;
            return Ok(None);
        }
        let Some(user) = self.store.user(&session.user).await? else { return Ok(None) };
        if session::is_worth_noting(&session, now) {
            self.store.touch_session(&hash, now).await?;
        }
        Ok(Some(SignedIn { user, session: hash, csrf: secret.csrf() }))
    }

    /// Whose session it is, as long as it lasts; being asked here is no use of it, so that an open tab does not keep it.
    pub async fn still_in(&self, session: &[u8; 32], now: Timestamp) -> Result<Option<User>, AccountError> {
        match self.store.session(session).await? {
            Some(found) if !session::has_ended(&found, now) => Ok(self.store.user(&found.user).await?),
            _ => Ok(None),
        }
    }

    /// Ends a session.
    pub async fn sign_out(&self, secret: &Secret) -> Result<(), AccountError> {
        Ok(self.store.remove_session(&secret.hash()).await?)
    }

    /// Ends every session of a person but one; gives how many.
    pub async fn sign_out_everywhere(
        &self,
        user: &UserId,
        but: Option<[u8; 32]>,
    ) -> Result<usize, AccountError> {
        Ok(self.store.remove_sessions(user, but).await?)
    }

    /// Makes an account.
    pub async fn add(&self, new: NewUser<'_>, id: UserId, now: Timestamp) -> Result<User, AccountError> {
        let user = self.made(new, id, now).await?;
        self.store.add_user(user.clone()).await?;
        Ok(user)
    }

    /// Opens the door for the first account: who has this secret may make it, as long as there is none. Gives whether
    /// there is none.
    pub async fn offer_first(&self, fresh: &Secret) -> Result<bool, AccountError> {
        let open = !self.store.has_users().await?;
        *self.first() = open.then(|| fresh.hash());
        Ok(open)
    }

    /// Whether this secret still opens that door.
    pub async fn is_first(&self, secret: &Secret) -> Result<bool, AccountError> {
        let known = self.first().is_some_and(|hash| secret.is(&hash));
        Ok(known && !self.store.has_users().await?)
    }

    /// Makes the first account, once.
    pub async fn add_first(
        &self,
        secret: &Secret,
        new: NewUser<'_>,
        id: UserId,
        now: Timestamp,
    ) -> Result<User, AccountError> {
        if !self.is_first(secret).await? {
            return Err(AccountError::Link);
        }
        let user = self.made(new, id, now).await?;
        if !self.store.add_first_user(user.clone()).await? {
            return Err(AccountError::Link);
        }
        *self.first() = None;
        Ok(user)
    }

    /// Gives a person another password and ends every session but one.
    pub async fn set_password(
        &self,
        user: &User,
        password: &str,
        but: Option<[u8; 32]>,
    ) -> Result<(), AccountError> {
        password::check(password, &user.email)?;
        let hash = self.hasher.hash(password).await?;
        self.store.change_user(&user.id, move |user| user.password.clone_from(&hash)).await?;
        self.store.remove_sessions(&user.id, but).await?;
        Ok(self.store.forget_resets(&user.id).await?)
    }

    /// Whether this is the person's password. Tries count.
    pub async fn is_password(
        &self,
        user: &User,
        password: &str,
        address: &str,
        now: Timestamp,
    ) -> Result<bool, AccountError> {
        let keys = [throttle::Key::account(user.email.as_str()), throttle::Key::address(address)];
        self.throttle().begin(&keys, now).map_err(AccountError::TooMany)?;
        let right = self.hasher.verify(password, Some(&user.password)).await?;
        if right {
            self.throttle().succeeded(&keys);
        }
        Ok(right)
    }

    /// Adds to the record of what was done.
    #[expect(clippy::too_many_arguments, reason = "each is a column of the record")]
    pub async fn note(
        &self,
        creator: Option<&CreatorId>,
        who: &str,
        what: &str,
        target: &str,
        address: &str,
        fresh: &Secret,
        now: Timestamp,
    ) -> Result<(), AccountError> {
        let event = Event {
            creator: creator.cloned(),
            at: now,
            who: short(who),
            what: what.to_owned(),
            target: short(target),
            address: short(address),
            times: 1,
        };
        Ok(self.store.add_event(event, fresh.distinct()).await?)
    }

    /// Counts in the record what somebody tried in vain: one row an hour for each address, however often it is tried.
    async fn refused(
        &self,
        what: &str,
        who: &str,
        address: &str,
        now: Timestamp,
    ) -> Result<(), AccountError> {
        Ok(self.store.count_event(tried(what, who, address, now)).await?)
    }

    async fn made(&self, new: NewUser<'_>, id: UserId, now: Timestamp) -> Result<User, AccountError> {
        password::check(new.password, &new.email)?;
        let password = self.hasher.hash(new.password).await?;
        let NewUser { email, name, roles, .. } = new;
        let name = name.trim().chars().filter(|c| !c.is_control()).take(100).collect();
        Ok(User { id, email, name, password, roles, second: None, created_at: now })
    }

    fn throttle(&self) -> std::sync::MutexGuard<'_, Throttle> {
        self.throttle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn first(&self) -> std::sync::MutexGuard<'_, Option<[u8; 32]>> {
        self.first.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Something that a stranger tried.
fn tried(what: &str, who: &str, address: &str, at: Timestamp) -> Event {
    Event {
        creator: None,
        at,
        who: short(who),
        what: what.to_owned(),
        target: String::new(),
        address: short(address),
        times: 1,
    }
}

/// What stands in the record comes from strangers too.
fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(256).collect()
}

/// What an account is made of.
pub struct NewUser<'a> {
    pub email: Email,
    pub name: &'a str,
    pub password: &'a str,
    pub roles: BTreeMap<CreatorId, Role>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWORD: &str = "violet tide nine";

    fn secret(number: u8) -> Secret {
        Secret::from_bytes([number; 32])
    }

    async fn accounts() -> Accounts {
        let accounts = Accounts::new(Store::in_memory().unwrap());
        let new = NewUser {
            email: "anna@x.example".parse().unwrap(),
            name: " Anna ",
            password: PASSWORD,
            roles: BTreeMap::new(),
        };
        let user = accounts.add(new, UserId::from_bytes([1; 16]), Timestamp(0)).await.unwrap();
        assert_eq!(user.name, "Anna");
        assert!(user.password.starts_with("$argon2id$"));
        accounts
    }

    fn attempt(password: &str) -> Attempt<'_> {
        Attempt { email: "Anna@X.example", password, address: "192.0.2.1" }
    }

    #[tokio::test]
    async fn a_session_lasts_while_it_is_used_and_not_for_ever() {
        let accounts = accounts().await;
        let hour = 3_600_000;
        let s = secret(1);
        accounts.sign_in(attempt(PASSWORD), &s, Timestamp(hour)).await.unwrap();
        assert!(accounts.signed_in(&secret(2), Timestamp(hour)).await.unwrap().is_none());
        let mut now = hour;
        while now < hour + session::LONGEST {
            assert!(accounts.signed_in(&s, Timestamp(now)).await.unwrap().is_some(), "{now}");
            now += session::IDLE - hour;
        }
        let end = hour + session::LONGEST;
        assert!(accounts.signed_in(&s, Timestamp(end)).await.unwrap().is_none());

        accounts.sign_in(attempt(PASSWORD), &secret(3), Timestamp(0)).await.unwrap();
        assert!(accounts.signed_in(&secret(3), Timestamp(session::IDLE)).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn signing_out_everywhere_leaves_one_session_and_a_new_password_too() {
        let accounts = accounts().await;
        for number in 1..=3 {
            accounts.sign_in(attempt(PASSWORD), &secret(number), Timestamp(0)).await.unwrap();
        }
        let here = accounts.signed_in(&secret(1), Timestamp(1)).await.unwrap().unwrap();
        assert_eq!(accounts.sign_out_everywhere(&here.user.id, Some(here.session)).await.unwrap(), 2);
        assert!(accounts.signed_in(&secret(2), Timestamp(1)).await.unwrap().is_none());
        accounts.set_password(&here.user, "another violet tide", None).await.unwrap();
        assert!(accounts.signed_in(&secret(1), Timestamp(1)).await.unwrap().is_none());
        let old = accounts.sign_in(attempt(PASSWORD), &secret(4), Timestamp(2)).await;
        assert!(matches!(old, Err(AccountError::Refused)));
        accounts.sign_in(attempt("another violet tide"), &secret(5), Timestamp(2)).await.unwrap();
        accounts.sign_out(&secret(5)).await.unwrap();
        assert!(accounts.signed_in(&secret(5), Timestamp(3)).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn guessing_is_slowed_and_the_record_says_so() {
        let accounts = accounts().await;
        for number in 0..throttle::FREE_ACCOUNT {
            let refused = accounts.sign_in(attempt("wrong guess"), &secret(number as u8), Timestamp(0)).await;
            assert!(matches!(refused, Err(AccountError::Refused)));
        }
        let wait = match accounts.sign_in(attempt(PASSWORD), &secret(9), Timestamp(0)).await {
            Err(AccountError::TooMany(wait)) => wait,
            other => panic!("{:?}", other.err()),
        };
        let later = Timestamp(u64::try_from(wait.as_millis()).unwrap());
        accounts.sign_in(attempt(PASSWORD), &secret(9), later).await.unwrap();
        let events = accounts.store.events(None, 99).await.unwrap();
        assert_eq!(events[0].what, "sign_in.done");
        let refused: Vec<&Event> = events.iter().filter(|event| event.what == "sign_in.refused").collect();
        assert_eq!(refused.iter().map(|event| event.times).collect::<Vec<_>>(), [throttle::FREE_ACCOUNT]);
    }

    #[tokio::test]
    async fn an_authenticator_is_asked_for_a_code_that_works_once() {
        let accounts = accounts().await;
        let user = accounts.store.users().await.unwrap().remove(0);
        let (codes, recovery) = totp::recovery(&secret(50));
        let factor = crate::store::SecondFactor { secret: vec![7; 20], recovery, last_step: 0 };
        accounts.store.change_user(&user.id, move |user| user.second = Some(factor.clone())).await.unwrap();
        let now = Timestamp(1_000_000);
        let ticket = secret(1);
        assert!(matches!(accounts.sign_in(attempt(PASSWORD), &ticket, now).await, Ok(Step::Code)));
        assert!(accounts.signed_in(&ticket, now).await.unwrap().is_none(), "a ticket is no session");
        let enter = async |ticket: u8, code: &str, fresh: u8| {
            accounts.enter_code(&secret(ticket), code, "192.0.2.1", &secret(fresh), now).await
        };
        assert!(matches!(enter(1, "000000", 2).await, Err(AccountError::Code)));
        assert!(matches!(enter(9, &codes[0], 2).await, Err(AccountError::Link)));
        enter(1, &codes[0], 2).await.unwrap();
        assert!(accounts.signed_in(&secret(2), now).await.unwrap().is_some());
        assert!(matches!(enter(1, &codes[1], 3).await, Err(AccountError::Link)), "the ticket is gone");
        accounts.sign_in(attempt(PASSWORD), &secret(4), now).await.unwrap();
        assert!(matches!(enter(4, &codes[0], 5).await, Err(AccountError::Code)), "and so is the code");
    }

    #[tokio::test]
    async fn the_first_link_makes_one_account() {
        let accounts = Accounts::new(Store::in_memory().unwrap());
        let new = |email: &str, password| NewUser {
            email: email.parse().unwrap(),
            name: "",
            password,
            roles: BTreeMap::new(),
        };
        let (right, wrong, id) = (secret(1), secret(2), |n| UserId::from_bytes([n; 16]));
        assert!(!accounts.is_first(&right).await.unwrap(), "nothing is offered yet");
        assert!(accounts.offer_first(&right).await.unwrap());
        assert!(!accounts.is_first(&wrong).await.unwrap());
        let short = accounts.add_first(&right, new("a@x.example", "short"), id(1), Timestamp(0)).await;
        assert!(matches!(short, Err(AccountError::Password(_))));
        let guessed = accounts.add_first(&wrong, new("a@x.example", PASSWORD), id(1), Timestamp(0)).await;
        assert!(matches!(guessed, Err(AccountError::Link)));
        accounts.add_first(&right, new("a@x.example", PASSWORD), id(1), Timestamp(0)).await.unwrap();
        let again = accounts.add_first(&right, new("b@x.example", PASSWORD), id(2), Timestamp(0)).await;
        assert!(matches!(again, Err(AccountError::Link)));
        assert!(!accounts.offer_first(&wrong).await.unwrap());
    }
}
