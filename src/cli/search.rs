//! `search`: passages, without an answer.

use clap::Args;
use serde::{Deserialize, Serialize};

use super::output::Output;
use crate::app::App;
use crate::problem::Problem;

#[derive(Debug, Args, Serialize, Deserialize)]
pub struct Search {
    query: String,
    /// Whose content is searched
    #[arg(long)]
    creator: String,
    /// Most passages
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1000))]
    k: u16,
}

pub async fn run(search: Search, app: &App, output: &Output) -> Result<(), Problem> {
    let report = app.search(&search.creator.parse()?, &search.query, usize::from(search.k)).await?;
    if output.json {
        return output.document(&report);
    }
    if report.hits.is_empty() {
        output.say("nothing found");
    }
    for hit in &report.hits {
        output.data(format!(
            "{:>3}  {:.3}  {}",
            hit.rank,
            hit.score,
            crate::answer::place(&hit.title, &hit.anchor)
        ));
        let text = hit.text.split_whitespace().collect::<Vec<_>>().join(" ");
        output.data(format!("            {}", text.chars().take(200).collect::<String>()));
    }
    Ok(())
}
