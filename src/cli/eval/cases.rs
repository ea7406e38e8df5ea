//! `eval cases`: the questions that a creator corrected, one JSON object a line: `eval answers FILE --creator SLUG` then
//! measures whether they are answered so.

use std::process::ExitCode;

use clap::Args;

use super::{Config, Output, Problem};
use crate::app::App;
use crate::domain::CreatorId;

#[derive(Debug, Args)]
pub struct Cases {
    /// Whose corrections
    #[arg(long, value_name = "SLUG")]
    creator: String,
}

pub async fn run(args: Cases, config: Config, output: &Output) -> Result<ExitCode, Problem> {
    let creator: CreatorId = args.creator.parse()?;
    let app = App::open(config).await?;
    let cases = app.cases(&creator).await?;
    if output.json {
        let lines: Vec<_> = cases.iter().map(crate::domain::Case::measured).collect();
        output.document(&serde_json::json!({ "creator": creator, "cases": lines }))?;
        return Ok(ExitCode::SUCCESS);
    }
    for case in &cases {
        output.data(serde_json::to_string(&case.measured()).map_err(Problem::internal)?);
    }
    if cases.is_empty() {
        output.say(format!(
            "`{creator}` has corrected nothing; `POST /api/v1/messages/ID/correction` gives the right answer to a message"
        ));
    }
    Ok(ExitCode::SUCCESS)
}
