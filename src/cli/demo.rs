//! `demo`: the main job with no questions asked.

use clap::Args;

use super::output::Output;
use crate::app::{App, demo};
use crate::config::Config;
use crate::domain::Question;
use crate::problem::Problem;

#[derive(Debug, Args)]
pub struct Demo {
    /// Never touch the network; what is installed already is used
    #[arg(long)]
    offline: bool,
    /// Stop after the answer
    #[arg(long)]
    no_serve: bool,
}

pub async fn run(demo: Demo, config: Config, output: &Output) -> Result<(), Problem> {
    let config = demo::with_models(config, demo.offline, |line| output.say(line)).await;
    let app = App::open(config).await?;
    let creator = demo::prepare(&app).await?;
    output.data(format!("Q: {}\n", demo::SAMPLE_QUESTION));
    let question = Question::parse(demo::SAMPLE_QUESTION, creator.clone())?;
    let answer = super::ask::print(&app, question, None, true, output).await?;
    output.data("");
    super::ask::sources(&answer, output);
    output.data(format!(
        "\nAnswered in {:.0} ms by {} from {} documents on this machine.",
        answer.timings_ms.total,
        answer.model,
        app.store().counts(&creator).await?.documents
    ));
    if demo.no_serve {
        return Ok(());
    }
    let listener = super::serve::bind(&app).await?;
    let address = listener.local_addr().map_err(Problem::internal)?;
    output.data(format!("\nChat      http://{address}/"));
    output.data(format!("API       http://{address}/docs"));
    output.data(format!("Widget    <script async src=\"http://{address}/embed.js\" data-creator-id=\"{creator}\"></script>"));
    output.say("\nPress Ctrl-C to stop.");
    super::serve::run_with(app, Some(listener), true, output).await
}
