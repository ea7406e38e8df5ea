//! `erase`: a document or a creator, with every trace.

use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::output::Output;
use crate::app::App;
use crate::domain::{CreatorId, DocumentId};
use crate::problem::Problem;

#[derive(Debug, Args, Serialize, Deserialize)]
#[group(required = true, multiple = false)]
pub struct Erase {
    /// A document's id, as `search` and citations show it
    #[arg(long, value_name = "ID")]
    document: Option<String>,
    /// A creator with all content, conversations and keys
    #[arg(long, value_name = "SLUG")]
    creator: Option<String>,
}

pub async fn run(erase: Erase, app: &App, output: &Output) -> Result<(), Problem> {
    if let Some(id) = erase.document {
        let id: DocumentId = id.parse()?;
        let removed = app.erase_document(&id).await?;
        if output.json {
            return output.document(&json!({"erased": "document", "id": id, "chunks": removed}));
        }
        output.data(format!(
            "erased document {id}: its text, {removed} passages, vectors, original and quotations are gone"
        ));
    }
    if let Some(slug) = erase.creator {
        let id: CreatorId = slug.parse()?;
        app.erase_creator(&id).await?;
        if output.json {
            return output.document(&json!({"erased": "creator", "id": id}));
        }
        output.data(format!("erased creator `{id}` with everything that belonged to it"));
    }
    output.say("backups made before still hold it: delete or replace them");
    Ok(())
}
