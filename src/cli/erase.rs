//! `erase`: a document, a student or a creator, with every trace, and a receipt of what went.

use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::output::Output;
use crate::app::App;
use crate::domain::{CreatorId, DocumentId};
use crate::problem::Problem;

#[derive(Debug, Args, Serialize, Deserialize)]
#[group(required = true, multiple = true)]
pub struct Erase {
    /// A document's id, as `search` and citations show it
    #[arg(long, value_name = "ID", conflicts_with_all = ["student", "creator"])]
    document: Option<String>,
    /// A student with all questions, answers, messages and tickets: the id that your site signs, an e-mail address,
    /// or a conversation's id; of every creator, or of the one that `--creator` names
    #[arg(long, value_name = "ID|EMAIL")]
    student: Option<String>,
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
    } else if let Some(student) = erase.student {
        let creator: Option<CreatorId> = erase.creator.map(|slug| slug.parse()).transpose()?;
        let receipts = app.erase_student(creator.as_ref(), &student).await?;
        if output.json {
            let at = crate::app::now();
            return output.document(&json!({"erased": "student", "erased_at": at, "receipts": receipts}));
        }
        for gone in receipts {
            output.data(format!("erased at `{}`: {}", gone.creator, gone.counted()));
        }
    } else if let Some(slug) = erase.creator {
        let id: CreatorId = slug.parse()?;
        super::credits::warn(&id, app, output).await?;
        app.erase_creator(&id).await?;
        if output.json {
            return output.document(&json!({"erased": "creator", "id": id}));
        }
        output.data(format!("erased creator `{id}` with everything that belonged to it"));
    }
    output.say("backups and exports made before still hold it: delete or replace them");
    Ok(())
}
