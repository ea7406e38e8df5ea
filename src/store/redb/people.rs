//! Accounts, sessions, links and events in their tables. A person's address leads to the record, so that both change
//! in one transaction; sessions and links go with whom they belong to.

use super::Store;
use super::accounts::creator_of;
use super::codec::{key, read_json, write_json};
use super::tables::{Rows, Writing};
use crate::domain::{CreatorId, Email, Role, Timestamp, UserId};
use crate::store::{Event, Link, Purpose, Session, StoreError, User};

impl Store {
    /// Fails when the address is taken, or when a creator is not there.
    pub async fn add_user(&self, user: User) -> Result<(), StoreError> {
        self.write(move |tables| add(tables, &user)).await
    }

    /// The same, unless there is anybody already; gives whether it was done. Two that come at once cannot both be first.
    pub async fn add_first_user(&self, user: User) -> Result<bool, StoreError> {
        self.write(move |tables| {
            if tables.users.under(b"")?.next().is_some() {
                return Ok(false);
            }
            add(tables, &user).map(|()| true)
        })
        .await
    }

    /// Everybody, by address.
    pub async fn users(&self) -> Result<Vec<User>, StoreError> {
        self.read(|tables| {
            let mut users = all(&tables.users)?;
            users.sort_by(|a, b| a.email.cmp(&b.email));
            Ok(users)
        })
        .await
    }

    /// Whether anybody can sign in.
    pub async fn has_users(&self) -> Result<bool, StoreError> {
        self.read(|tables| Ok(tables.users.under(b"")?.next().is_some())).await
    }

    pub async fn user(&self, id: &UserId) -> Result<Option<User>, StoreError> {
        let id = id.clone();
        self.read(move |tables| find(&tables.users, &id)).await
    }

    pub async fn user_by_email(&self, email: &Email) -> Result<Option<User>, StoreError> {
        let email = email.clone();
        self.read(move |tables| by_email(&tables.user_emails, &tables.users, &email)).await
    }

    /// Changes a person's record with `change`; gives what it is then. The id and the address stay. Fails when a
    /// creator that had an owner would have none.
    pub async fn change_user(
        &self,
        id: &UserId,
        mut change: impl FnMut(&mut User) + Send + 'static,
    ) -> Result<User, StoreError> {
        let id = id.clone();
        self.write(move |tables| {
            let before = find(&tables.users, &id)?.ok_or_else(|| StoreError::NoUser(id.to_string()))?;
            let mut after = before.clone();
            change(&mut after);
            after.id.clone_from(&before.id);
            after.email.clone_from(&before.email);
            for creator in after.roles.keys().filter(|creator| !before.roles.contains_key(creator)) {
                creator_of(&tables.creators, creator)?;
            }
            save(tables, &after)?;
            still_owned(tables, &before)?;
            Ok(after)
        })
        .await
    }

    /// Removes a person with all sessions. Fails when a creator that had an owner would have none.
    pub async fn remove_user(&self, id: &UserId) -> Result<(), StoreError> {
        let id = id.clone();
        self.write(move |tables| {
            let user = find(&tables.users, &id)?.ok_or_else(|| StoreError::NoUser(id.to_string()))?;
            remove(tables, &user)?;
            still_owned(tables, &user)
        })
        .await
    }

    pub async fn add_session(&self, hash: [u8; 32], session: Session) -> Result<(), StoreError> {
        self.write(move |tables| {
            find(&tables.users, &session.user)?
                .ok_or_else(|| StoreError::NoUser(session.user.to_string()))?;
            tables.sessions.insert(&hash[..], &write_json(&session)?[..])?;
            Ok(())
        })
        .await
    }

    pub async fn session(&self, hash: &[u8; 32]) -> Result<Option<Session>, StoreError> {
        let hash = *hash;
        self.read(move |tables| {
            tables.sessions.fetch(&hash)?.map(|bytes| read_json(&bytes, "a session")).transpose()
        })
        .await
    }

    /// Notes that a session was used; one that has ended meanwhile stays ended.
    pub async fn touch_session(&self, hash: &[u8; 32], now: Timestamp) -> Result<(), StoreError> {
        let hash = *hash;
        self.write(move |tables| {
            if let Some(bytes) = tables.sessions.fetch(&hash)? {
                let mut session: Session = read_json(&bytes, "a session")?;
                session.seen_at = now;
                tables.sessions.insert(&hash[..], &write_json(&session)?[..])?;
            }
            Ok(())
        })
        .await
    }

    pub async fn remove_session(&self, hash: &[u8; 32]) -> Result<(), StoreError> {
        let hash = *hash;
        self.write(move |tables| {
            tables.sessions.remove(&hash[..])?;
            Ok(())
        })
        .await
    }

    /// Ends every session of a person but one; gives how many.
    pub async fn remove_sessions(&self, user: &UserId, but: Option<[u8; 32]>) -> Result<usize, StoreError> {
        let user = user.clone();
        self.write(move |tables| {
            end_sessions(tables, |hash, session| session.user == user && but.is_none_or(|but| but != hash))
        })
        .await
    }

    /// Ends the sessions that began before one time or were not used since another, and forgets links and counted tries
    /// that are too old; gives the number of sessions.
    pub async fn sweep_people(
        &self,
        began: Timestamp,
        seen: Timestamp,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        self.write(move |tables| {
            for hash in tables.links.keys_under(b"")? {
                let link = tables.links.fetch(&hash)?.map(|bytes| read_json::<Link>(&bytes, "a link"));
                if link.transpose()?.is_some_and(|link| link.expires_at <= now) {
                    tables.links.remove(&hash[..])?;
                }
            }
            super::tries::sweep(tables, now)?;
            end_sessions(tables, |_, session| session.created_at < began || session.seen_at < seen)
        })
        .await
    }

    pub async fn add_link(&self, hash: [u8; 32], link: Link) -> Result<(), StoreError> {
        self.write(move |tables| {
            if let Purpose::Invitation { creator, .. } = &link.purpose {
                creator_of(&tables.creators, creator)?;
            }
            tables.links.insert(&hash[..], &write_json(&link)?[..])?;
            Ok(())
        })
        .await
    }

    pub async fn link(&self, hash: &[u8; 32]) -> Result<Option<Link>, StoreError> {
        let hash = *hash;
        self.read(move |tables| {
            tables.links.fetch(&hash)?.map(|bytes| read_json(&bytes, "a link")).transpose()
        })
        .await
    }

    /// Whether the link was there: who takes it first has it. Others that lead the same person to the same go with it,
    /// so that what was sent twice works once.
    pub async fn take_link(&self, hash: &[u8; 32]) -> Result<bool, StoreError> {
        let hash = *hash;
        self.write(move |tables| {
            let Some(bytes) = tables.links.fetch(&hash)? else { return Ok(false) };
            let taken: Link = read_json(&bytes, "a link")?;
            tables.links.remove(&hash[..])?;
            drop_links(tables, |purpose| purpose.is_like(&taken.purpose))?;
            Ok(true)
        })
        .await
    }

    /// Forgets the links that lead a person to a new password.
    pub async fn forget_resets(&self, user: &UserId) -> Result<(), StoreError> {
        let wanted = Purpose::Reset { user: user.clone() };
        self.write(move |tables| drop_links(tables, |purpose| *purpose == wanted)).await
    }

    /// Adds to the record of what was done. `random` keeps two events of one millisecond apart.
    pub async fn add_event(&self, event: Event, random: [u8; 16]) -> Result<(), StoreError> {
        self.write(move |tables| note(tables, &event, random)).await
    }

    /// What was done at a creator, or with the server as a whole; newest first.
    pub async fn events(&self, creator: Option<&CreatorId>, limit: usize) -> Result<Vec<Event>, StoreError> {
        let creator = creator.cloned();
        self.read(move |tables| {
            let number = match &creator {
                Some(creator) => creator_of(&tables.creators, creator)?.number,
                None => 0,
            };
            let rows = tables.audit.under(&number.to_be_bytes())?.rev().take(limit);
            rows.map(|row| read_json(row?.1.value(), "an event")).collect()
        })
        .await
    }
}

/// Adds to the record of what was done.
pub fn note(tables: &mut Writing, event: &Event, random: [u8; 16]) -> Result<(), StoreError> {
    let number = match &event.creator {
        Some(creator) => creator_of(&tables.creators, creator)?.number,
        None => 0,
    };
    let name = key([&number.to_be_bytes(), &event.at.0.to_be_bytes(), &random]);
    tables.audit.insert(&name[..], &write_json(event)?[..])?;
    Ok(())
}

/// Takes a creator's people off it; who belongs to no other creator goes.
pub fn leave_creator(tables: &mut Writing, creator: &CreatorId) -> Result<(), StoreError> {
    for mut user in all(&tables.users)? {
        if user.roles.remove(creator).is_some() {
            if user.roles.is_empty() {
                remove(tables, &user)?;
            } else {
                save(tables, &user)?;
            }
        }
    }
    drop_links(tables, |purpose| matches!(purpose, Purpose::Invitation { creator: of, .. } if of == creator))
}

fn drop_links(tables: &mut Writing, drops: impl Fn(&Purpose) -> bool) -> Result<(), StoreError> {
    for hash in tables.links.keys_under(b"")? {
        let link = tables.links.fetch(&hash)?.map(|bytes| read_json::<Link>(&bytes, "a link")).transpose()?;
        if link.is_some_and(|link| drops(&link.purpose)) {
            tables.links.remove(&hash[..])?;
        }
    }
    Ok(())
}

/// Everybody who is something to a creator.
pub fn of_creator(users: &impl Rows, creator: &CreatorId) -> Result<Vec<User>, StoreError> {
    let mut found = all(users)?;
    found.retain(|user| user.roles.contains_key(creator));
    Ok(found)
}

fn add(tables: &mut Writing, user: &User) -> Result<(), StoreError> {
    if tables.user_emails.has(user.email.as_str().as_bytes())? {
        return Err(StoreError::UserExists(user.email.clone()));
    }
    for creator in user.roles.keys() {
        creator_of(&tables.creators, creator)?;
    }
    tables.user_emails.insert(user.email.as_str().as_bytes(), user.id.as_str().as_bytes())?;
    save(tables, user)
}

fn save(tables: &mut Writing, user: &User) -> Result<(), StoreError> {
    tables.users.insert(user.id.as_str().as_bytes(), &write_json(user)?[..])?;
    Ok(())
}

fn remove(tables: &mut Writing, user: &User) -> Result<(), StoreError> {
    tables.users.remove(user.id.as_str().as_bytes())?;
    tables.user_emails.remove(user.email.as_str().as_bytes())?;
    end_sessions(tables, |_, session| session.user == user.id).map(drop)
}

fn end_sessions(
    tables: &mut Writing,
    ends: impl Fn([u8; 32], &Session) -> bool,
) -> Result<usize, StoreError> {
    let mut count = 0;
    for name in tables.sessions.keys_under(b"")? {
        let Ok(hash) = <[u8; 32]>::try_from(name.as_slice()) else {
            return Err(StoreError::Damaged("the key of a session".to_owned()));
        };
        let session = tables.sessions.fetch(&name)?.map(|bytes| read_json(&bytes, "a session"));
        if session.transpose()?.is_some_and(|session| ends(hash, &session)) {
            tables.sessions.remove(&name[..])?;
            count += 1;
        }
    }
    Ok(count)
}

/// That every creator that this person owned before has an owner.
fn still_owned(tables: &Writing, before: &User) -> Result<(), StoreError> {
    let mut owned = before.roles.iter().filter(|(_, role)| **role == Role::Owner).peekable();
    if owned.peek().is_none() {
        return Ok(());
    }
    let everybody = all(&tables.users)?;
    for (creator, _) in owned {
        if !everybody.iter().any(|user| user.roles.get(creator) == Some(&Role::Owner)) {
            return Err(StoreError::LastOwner(creator.clone()));
        }
    }
    Ok(())
}

fn all(users: &impl Rows) -> Result<Vec<User>, StoreError> {
    users.under(b"")?.map(|row| read_json(row?.1.value(), "an account")).collect()
}

fn find(users: &impl Rows, id: &UserId) -> Result<Option<User>, StoreError> {
    users.fetch(id.as_str().as_bytes())?.map(|bytes| read_json(&bytes, "an account")).transpose()
}

fn by_email(emails: &impl Rows, users: &impl Rows, email: &Email) -> Result<Option<User>, StoreError> {
    let Some(id) = emails.fetch(email.as_str().as_bytes())? else { return Ok(None) };
    users.fetch(&id)?.map(|bytes| read_json(&bytes, "an account")).transpose()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::store::Creator;

    async fn store() -> Store {
        let store = Store::in_memory().unwrap();
        for name in ["anna", "ben"] {
            let creator = Creator::new(name.parse().unwrap(), Timestamp(0));
            store.add_creator(creator).await.unwrap();
        }
        store
    }

    fn user(number: u8, email: &str, roles: &[(&str, Role)]) -> User {
        User {
            id: UserId::from_bytes([number; 16]),
            email: email.parse().unwrap(),
            name: String::new(),
            password: String::new(),
            roles: roles
                .iter()
                .map(|(creator, role)| (creator.parse().unwrap(), *role))
                .collect::<BTreeMap<_, _>>(),
            second: None,
            created_at: Timestamp(1),
        }
    }

    #[tokio::test]
    async fn an_address_has_one_account_and_the_first_is_made_once() {
        let store = store().await;
        let first = user(1, "a@x.example", &[("anna", Role::Owner)]);
        assert!(store.add_first_user(first.clone()).await.unwrap());
        assert!(!store.add_first_user(user(2, "b@x.example", &[])).await.unwrap());
        let again = store.add_user(user(3, "a@x.example", &[])).await;
        assert!(matches!(again, Err(StoreError::UserExists(_))));
        let nowhere = store.add_user(user(4, "c@x.example", &[("nobody", Role::Agent)])).await;
        assert!(matches!(nowhere, Err(StoreError::NoCreator(_))));
        assert_eq!(store.user_by_email(&first.email).await.unwrap(), Some(first));
        assert_eq!(store.users().await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_creator_keeps_an_owner() {
        let store = store().await;
        let (one, two) = (
            user(1, "a@x.example", &[("anna", Role::Owner)]),
            user(2, "b@x.example", &[("anna", Role::Agent)]),
        );
        store.add_user(one.clone()).await.unwrap();
        store.add_user(two.clone()).await.unwrap();
        assert!(matches!(store.remove_user(&one.id).await, Err(StoreError::LastOwner(_))));
        let demoted = store.change_user(&one.id, |user| user.roles.clear()).await;
        assert!(matches!(demoted, Err(StoreError::LastOwner(_))));
        assert_eq!(store.user(&one.id).await.unwrap().unwrap().roles, one.roles);
        store
            .change_user(&two.id, |user| {
                user.roles.insert("anna".parse().unwrap(), Role::Owner);
            })
            .await
            .unwrap();
        store.remove_user(&one.id).await.unwrap();
        assert_eq!(store.user_by_email(&one.email).await.unwrap(), None);
    }

    #[tokio::test]
    async fn sessions_and_people_go_with_whom_they_belong_to() {
        let store = store().await;
        let (one, two) = (
            user(1, "a@x.example", &[("anna", Role::Owner)]),
            user(2, "b@x.example", &[("anna", Role::Agent), ("ben", Role::Owner)]),
        );
        let session = |user: &User, at: u64| Session {
            user: user.id.clone(),
            created_at: Timestamp(at),
            seen_at: Timestamp(at),
            address: String::new(),
        };
        for user in [&one, &two] {
            store.add_user(user.clone()).await.unwrap();
        }
        for (hash, user, at) in [(1, &one, 10), (2, &one, 20), (3, &two, 10), (4, &two, 30)] {
            store.add_session([hash; 32], session(user, at)).await.unwrap();
        }
        assert_eq!(store.remove_sessions(&one.id, Some([2; 32])).await.unwrap(), 1);
        assert_eq!(store.session(&[1; 32]).await.unwrap(), None);
        store.touch_session(&[2; 32], Timestamp(40)).await.unwrap();
        store.touch_session(&[1; 32], Timestamp(40)).await.unwrap();
        assert_eq!(store.session(&[1; 32]).await.unwrap(), None, "an ended session does not come back");
        assert_eq!(store.sweep_people(Timestamp(0), Timestamp(15), Timestamp(50)).await.unwrap(), 1);
        assert_eq!(store.session(&[3; 32]).await.unwrap(), None);

        let event = |creator: Option<&str>, at: u64| Event {
            creator: creator.map(|creator| creator.parse().unwrap()),
            at: Timestamp(at),
            who: "a@x.example".into(),
            what: "content.deleted".into(),
            target: String::new(),
            address: String::new(),
            times: 1,
        };
        for (creator, at) in [(Some("anna"), 1), (Some("anna"), 2), (None, 3), (Some("ben"), 4)] {
            store.add_event(event(creator, at), [u8::try_from(at).unwrap(); 16]).await.unwrap();
        }
        let anna: CreatorId = "anna".parse().unwrap();
        let at: Vec<u64> =
            store.events(Some(&anna), 9).await.unwrap().iter().map(|event| event.at.0).collect();
        assert_eq!(at, [2, 1], "newest first, and nobody else's");

        store.remove_creator(&anna).await.unwrap();
        assert_eq!(store.user(&one.id).await.unwrap(), None);
        assert_eq!(store.session(&[2; 32]).await.unwrap(), None);
        assert_eq!(store.user(&two.id).await.unwrap().unwrap().roles.len(), 1);
        assert!(store.session(&[4; 32]).await.unwrap().is_some());
        assert_eq!(store.events(None, 9).await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_link_is_taken_once() {
        let store = store().await;
        let purpose = Purpose::Invitation {
            creator: "anna".parse().unwrap(),
            role: Role::Agent,
            email: "c@x.example".parse().unwrap(),
        };
        let link = Link { purpose, expires_at: Timestamp(100) };
        store.add_link([7; 32], link.clone()).await.unwrap();
        assert_eq!(store.link(&[7; 32]).await.unwrap(), Some(link.clone()));
        assert!(store.take_link(&[7; 32]).await.unwrap());
        assert!(!store.take_link(&[7; 32]).await.unwrap());
        store.add_link([8; 32], link).await.unwrap();
        store.sweep_people(Timestamp(0), Timestamp(0), Timestamp(100)).await.unwrap();
        assert_eq!(store.link(&[8; 32]).await.unwrap(), None);
    }
}
