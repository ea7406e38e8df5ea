//! `creator add`, `list`, `show`, `remove`, `credits`, `findings`.

use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::credits;
use super::output::Output;
use crate::app::App;
use crate::domain::{CreatorId, Watched};
use crate::problem::Problem;
use crate::store::{Counts, Creator};

#[derive(Debug, Args, Serialize, Deserialize)]
pub struct Creators {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand, Serialize, Deserialize)]
enum Action {
    /// Make a creator
    Add {
        /// Short name: a-z, 0-9, `-` and `_`
        slug: String,
        /// Name that students see [default: the short name]
        #[arg(long)]
        name: Option<String>,
    },
    /// List all creators
    List,
    /// Show one creator with counts
    Show { slug: String },
    /// Delete a creator with all content, conversations and keys
    Remove { slug: String },
    /// Show a creator's credits and the last changes of them; give or correct some
    Credits {
        slug: String,
        /// Give so many credits, which stay until they are used
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000_000), requires = "reason")]
        grant: Option<u32>,
        /// Correct the bought credits by so many, as `--adjust=-20`
        #[arg(long, value_name = "N", allow_hyphen_values = true, requires = "reason", conflicts_with = "grant",
            value_parser = clap::value_parser!(i64).range(-1_000_000_000..=1_000_000_000))]
        adjust: Option<i64>,
        /// Why, for the ledger
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// List messages of the payment provider that fit nobody
    Findings,
}

pub async fn run(creators: Creators, app: &App, output: &Output) -> Result<(), Problem> {
    match creators.action {
        Action::Add { slug, name } => {
            let creator = app.add_creator(slug.parse()?, name).await?;
            if output.json {
                return output.document(&json(&creator, Counts::default()));
            }
            output.data(format!("added `{}`", creator.id));
            output.say(format!("next: neverafk ingest PATH --creator {}", creator.id));
            Ok(())
        }
        Action::List => list(app, output).await,
        Action::Show { slug } => {
            let id: CreatorId = slug.parse()?;
            let (creator, counts) = (app.store().creator(&id).await?, app.store().counts(&id).await?);
            let (watched, standing) = (app.watched(&id).await?, app.standing(&id).await?);
            if output.json {
                let mut shown = json(&creator, counts);
                shown["watched"] = watched.iter().map(place).collect();
                if let Some(standing) = &standing {
                    shown["credits"] = credits::json(standing);
                }
                return output.document(&shown);
            }
            output.data(format!("name           {}", creator.name));
            output.data(format!("documents      {}", counts.documents));
            output.data(format!("passages       {}", counts.chunks));
            output.data(format!("conversations  {}", counts.conversations));
            output.data(format!("embedding      {}", embedding(&creator)));
            for one in &watched {
                let last = match (&one.problem, one.receipt) {
                    (Some(problem), _) => problem.clone(),
                    (None, Some(receipt)) => receipt.to_string(),
                    (None, None) => "not looked at yet".to_owned(),
                };
                output.data(format!("watched        {} ({last})", one.place.name()));
            }
            if let Some(standing) = &standing {
                credits::say(standing, output);
            }
            Ok(())
        }
        Action::Remove { slug } => {
            let id: CreatorId = slug.parse()?;
            credits::warn(&id, app, output).await?;
            app.remove_creator(&id).await?;
            if output.json {
                return output.document(&json!({"removed": id}));
            }
            output.data(format!("removed `{id}` with everything that belonged to it"));
            Ok(())
        }
        Action::Credits { slug, grant, adjust, reason } => {
            let change = credits::Change { grant, adjust, reason };
            credits::run(&slug.parse()?, change, app, output).await
        }
        Action::Findings => credits::findings(app, output).await,
    }
}

async fn list(app: &App, output: &Output) -> Result<(), Problem> {
    let mut all = Vec::new();
    for creator in app.store().creators().await? {
        let counts = app.store().counts(&creator.id).await?;
        all.push((creator, counts));
    }
    if output.json {
        let creators: Vec<_> = all.iter().map(|(creator, counts)| json(creator, *counts)).collect();
        return output.document(&json!({"creators": creators}));
    }
    if all.is_empty() {
        output.say("no creators yet; `neverafk creator add SLUG` makes one");
    }
    for (creator, counts) in &all {
        output.data(format!(
            "{:<24} {:>6} documents {:>8} passages  {}",
            creator.id.as_str(),
            counts.documents,
            counts.chunks,
            creator.name
        ));
    }
    Ok(())
}

fn json(creator: &Creator, counts: Counts) -> serde_json::Value {
    json!({
        "creator_id": creator.id, "name": creator.name, "documents": counts.documents, "chunks": counts.chunks,
        "conversations": counts.conversations, "embedding": creator.embedding, "settings": creator.settings,
        "created_at": creator.created_at,
    })
}

fn place(watched: &Watched) -> serde_json::Value {
    json!({
        "id": watched.id, "place": watched.place, "created_at": watched.created_at,
        "looked_at": watched.looked_at, "receipt": watched.receipt, "problem": watched.problem,
    })
}

fn embedding(creator: &Creator) -> String {
    creator
        .embedding
        .as_ref()
        .map_or("none yet".into(), |model| format!("{} ({} dimensions)", model.name, model.dimensions))
}
