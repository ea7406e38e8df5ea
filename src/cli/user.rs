//! `user add`, `list`, `passwd`, `remove`: people who may sign in to the dashboard.
//!
//! Whoever types here holds the machine, so nobody is asked who they are. A password is never an argument, where every
//! process could read it: it comes through standard input, or is made and shown once.

use std::collections::BTreeMap;
use std::io::Read;

use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::output::Output;
use crate::accounts::NewUser;
use crate::app::{self, App};
use crate::domain::{CreatorId, Email, Role};
use crate::problem::{Kind, Problem};
use crate::store::{StoreError, User};

/// Who did it, in the record.
const TERMINAL: &str = "command line";
/// More than any password that is taken.
const LONGEST_INPUT: u64 = 4096;

#[derive(Debug, Args, Serialize, Deserialize)]
pub struct Users {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand, Serialize, Deserialize)]
enum Action {
    /// Let someone sign in; an account that is there gets the role at one more creator
    Add {
        /// E-mail address
        email: String,
        #[arg(long)]
        creator: String,
        /// owner, editor or agent
        #[arg(long, default_value = "owner")]
        role: String,
        /// As colleagues see it
        #[arg(long, default_value = "")]
        name: String,
        #[command(flatten)]
        password: Password,
    },
    /// List people with their roles
    List {
        #[arg(long)]
        creator: Option<String>,
    },
    /// Set a new password and end all sessions
    Passwd {
        email: String,
        /// Take the authenticator away too
        #[arg(long)]
        drop_authenticator: bool,
        #[command(flatten)]
        password: Password,
    },
    /// Take someone off a creator, or delete the account
    Remove {
        email: String,
        /// Only from this creator
        #[arg(long)]
        creator: Option<String>,
    },
}

#[derive(Debug, Args, Serialize, Deserialize)]
struct Password {
    /// Read the password from standard input instead of making one
    #[arg(long)]
    password_stdin: bool,
    /// What was read, for a process with another standard input.
    #[arg(skip)]
    read: Option<String>,
}

impl Password {
    fn elsewhere(&mut self) -> Result<(), Problem> {
        if !self.password_stdin || self.read.is_some() {
            return Ok(());
        }
        let mut text = String::new();
        std::io::stdin().take(LONGEST_INPUT).read_to_string(&mut text).map_err(|error| {
            Problem::new(
                Kind::Invalid,
                "password_unreadable",
                format!("standard input cannot be read: {error}"),
                "pipe one line of text in",
            )
        })?;
        let line = text.lines().next().unwrap_or_default();
        self.read = Some(line.to_owned());
        Ok(())
    }

    /// The password, and whether it was made here and must be shown.
    fn take(mut self) -> Result<(String, bool), Problem> {
        self.elsewhere()?;
        match self.read {
            Some(password) => Ok((password, false)),
            None => Ok((app::secret()?.password(), true)),
        }
    }
}

impl Users {
    /// The same with its password in it, for a process with another standard input.
    pub fn elsewhere(mut self) -> Result<Self, Problem> {
        if let Action::Add { password, .. } | Action::Passwd { password, .. } = &mut self.action {
            password.elsewhere()?;
        }
        Ok(self)
    }
}

pub async fn run(users: Users, app: &App, output: &Output) -> Result<(), Problem> {
    match users.action {
        Action::Add { email, creator, role, name, password } => {
            let (email, creator, role) = (email.parse()?, creator.parse()?, role.parse()?);
            add(app, output, email, creator, role, &name, password).await
        }
        Action::List { creator } => list(app, output, creator.map(|slug| slug.parse()).transpose()?).await,
        Action::Passwd { email, drop_authenticator, password } => {
            let user = named(app, &email).await?;
            let (password, made) = password.take()?;
            app.accounts().set_password(&user, &password, None).await?;
            if drop_authenticator {
                app.store().change_user(&user.id, |user| user.second = None).await?;
            }
            note(app, None, "account.password_reset", user.email.as_str()).await?;
            let text = format!("new password for `{}`; all sessions have ended", user.email);
            told(output, &user, made.then_some(&password), &text)
        }
        Action::Remove { email, creator } => {
            let user = named(app, &email).await?;
            let creator: Option<CreatorId> = creator.map(|slug| slug.parse()).transpose()?;
            remove(app, output, &user, creator).await
        }
    }
}

async fn add(
    app: &App,
    output: &Output,
    email: Email,
    creator: CreatorId,
    role: Role,
    name: &str,
    password: Password,
) -> Result<(), Problem> {
    app.store().creator(&creator).await?;
    if let Some(user) = app.store().user_by_email(&email).await? {
        if password.password_stdin {
            return Err(StoreError::UserExists(email).into());
        }
        let at = creator.clone();
        let change = move |user: &mut User| {
            user.roles.insert(at.clone(), role);
        };
        let user = app.store().change_user(&user.id, change).await?;
        note(app, Some(&creator), "team.role_changed", &format!("{email}: {role}")).await?;
        return told(output, &user, None, &format!("`{email}` is {role} of `{creator}` now"));
    }
    let (password, made) = password.take()?;
    let roles = BTreeMap::from([(creator.clone(), role)]);
    let new = NewUser { email: email.clone(), name, password: &password, roles };
    let user = app.accounts().add(new, app::user_id()?, app::now()).await?;
    note(app, Some(&creator), "team.added", &format!("{email}: {role}")).await?;
    told(output, &user, made.then_some(&password), &format!("added `{email}` as {role} of `{creator}`"))
}

async fn list(app: &App, output: &Output, creator: Option<CreatorId>) -> Result<(), Problem> {
    if let Some(creator) = &creator {
        app.store().creator(creator).await?;
    }
    let mut users = app.store().users().await?;
    users.retain(|user| creator.as_ref().is_none_or(|creator| user.roles.contains_key(creator)));
    if output.json {
        let users: Vec<_> = users.iter().map(json).collect();
        return output.document(&json!({"users": users}));
    }
    if users.is_empty() {
        output.say("nobody yet; `neverafk user add EMAIL --creator SLUG` lets someone in");
    }
    for user in users {
        let roles: Vec<String> =
            user.roles.iter().map(|(creator, role)| format!("{role} of {creator}")).collect();
        output.data(format!("{:<32} {}", user.email.as_str(), roles.join(", ")));
    }
    Ok(())
}

async fn remove(app: &App, output: &Output, user: &User, creator: Option<CreatorId>) -> Result<(), Problem> {
    let text = match &creator {
        Some(creator) if !user.roles.contains_key(creator) => {
            return Err(Problem::new(
                Kind::Missing,
                "not_a_member",
                format!("`{}` has no role at `{creator}`", user.email),
                "`neverafk user list` shows everybody's roles",
            ));
        }
        Some(creator) if user.roles.len() > 1 => {
            let at = creator.clone();
            let change = move |user: &mut User| {
                user.roles.remove(&at);
            };
            app.store().change_user(&user.id, change).await?;
            format!("took `{}` off `{creator}`", user.email)
        }
        _ => {
            app.store().remove_user(&user.id).await?;
            format!("removed `{}`", user.email)
        }
    };
    note(app, creator.as_ref(), "team.removed", user.email.as_str()).await?;
    if output.json {
        return output.document(&json!({"removed": user.email, "creator_id": creator}));
    }
    output.data(text);
    Ok(())
}

async fn named(app: &App, email: &str) -> Result<User, Problem> {
    let email: Email = email.parse()?;
    let user = app.store().user_by_email(&email).await?;
    Ok(user.ok_or_else(|| StoreError::NoUser(email.to_string()))?)
}

async fn note(app: &App, creator: Option<&CreatorId>, what: &str, target: &str) -> Result<(), Problem> {
    Ok(app.accounts().note(creator, TERMINAL, what, target, "", &app::secret()?, app::now()).await?)
}

/// Says what was done, and shows a password that was made.
fn told(output: &Output, user: &User, made: Option<&String>, text: &str) -> Result<(), Problem> {
    if output.json {
        let mut value = json(user);
        if let Some(password) = made {
            value["password"] = json!(password);
        }
        return output.document(&value);
    }
    match made {
        Some(password) => {
            output.say(text);
            output.data(password);
            output.say("this is the password; it is not shown again");
        }
        None => output.data(text),
    }
    Ok(())
}

fn json(user: &User) -> serde_json::Value {
    json!({
        "id": user.id, "email": user.email, "name": user.name, "roles": user.roles,
        "second_factor": user.second.is_some(), "created_at": user.created_at,
    })
}
