//! `key create`, `list`, `revoke`.

use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::output::Output;
use crate::app::{App, now};
use crate::domain::{CreatorId, DAY_MS, Scope, Timestamp};
use crate::problem::{Kind, Problem};

#[derive(Debug, Args, Serialize, Deserialize)]
pub struct Keys {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand, Serialize, Deserialize)]
enum Action {
    /// Make a key; it is shown once and never again
    Create {
        #[arg(long)]
        creator: String,
        /// What the key is for
        #[arg(long, default_value = "")]
        name: String,
        /// ask, read or write; may be given more than once [default: everything]
        #[arg(long = "scope", value_name = "SCOPE")]
        scopes: Vec<String>,
        /// After so many days it opens nothing [default: never]
        #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u16).range(1..))]
        expires_in: Option<u16>,
    },
    /// List keys, without their secret part
    List {
        #[arg(long)]
        creator: Option<String>,
    },
    /// Make a key useless at once
    Revoke {
        /// As `key list` shows it
        id: String,
    },
}

pub async fn run(keys: Keys, app: &App, output: &Output) -> Result<(), Problem> {
    match keys.action {
        Action::Create { creator, name, scopes, expires_in } => {
            let creator: CreatorId = creator.parse()?;
            let scopes = scopes.iter().map(|scope| scope.parse()).collect::<Result<Vec<Scope>, _>>()?;
            let expires_at = expires_in.map(|days| Timestamp(now().0 + u64::from(days) * DAY_MS));
            let (record, key) = app.create_key_for(&creator, name, scopes, expires_at).await?;
            if output.json {
                return output.document(&json!({
                    "id": record.id, "creator_id": creator, "key": key, "scopes": record.scopes,
                    "expires_at": record.expires_at,
                }));
            }
            output.data(&key);
            output.say("keep it safe: it is not shown again. Send it as `Authorization: Bearer KEY`.");
            Ok(())
        }
        Action::List { creator } => {
            let creator: Option<CreatorId> = creator.map(|slug| slug.parse()).transpose()?;
            let keys = app.store().keys(creator.as_ref()).await?;
            if output.json {
                let keys: Vec<_> = keys
                    .iter()
                    .map(|key| json!({"id": key.id, "creator_id": key.creator, "name": key.name, "created_at": key.created_at, "scopes": key.scopes, "expires_at": key.expires_at}))
                    .collect();
                return output.document(&json!({"keys": keys}));
            }
            for key in keys {
                output.data(format!("{:<28} {:<24} {}", key.id, key.creator.as_str(), key.name));
            }
            Ok(())
        }
        Action::Revoke { id } => {
            if !app.store().revoke_key(&id).await? {
                return Err(Problem::new(
                    Kind::Missing,
                    "unknown_key",
                    format!("there is no key `{id}`"),
                    "`neverafk key list` shows the ids",
                ));
            }
            if output.json {
                return output.document(&json!({"revoked": id}));
            }
            output.data(format!("revoked `{id}`"));
            Ok(())
        }
    }
}
