//! `demo`: the main job with no questions asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;

use super::output::Output;
use crate::app::demo;
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

/// The settings with what models there are, or can be pulled before somebody loses patience.
async fn models(config: Config, offline: bool, output: &Output) -> Result<Config, Problem> {
    let cancel = Arc::new(AtomicBool::new(false));
    let (stop, output) = (cancel.clone(), output.clone());
    let mut pulling = tokio::task::spawn_blocking(move || {
        demo::with_models(config, offline, &stop, |line| output.say(line))
    });
    tokio::select! {
        done = &mut pulling => return done.map_err(Problem::internal)?,
        () = super::serve::signal() => cancel.store(true, Ordering::Relaxed),
    }
    pulling.await.map_err(Problem::internal)?
}

pub async fn run(demo: Demo, config: Config, output: &Output) -> Result<(), Problem> {
    let app = super::open(models(config, demo.offline, output).await?).await?;
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
    output.data(format!(
        "Widget    <script async src=\"http://{address}/embed.js\" data-creator-id=\"{creator}\"></script>"
    ));
    let neverafk = super::relay::typed(app.config());
    output.data("\nIn another terminal, while this runs:");
    output.data(format!("  {neverafk} ingest my.pdf --creator {creator}   brings your own file in"));
    output
        .data(format!("  {neverafk} key create --creator {creator}      makes a key for uploads over HTTP"));
    output.say("\nPress Ctrl-C to stop.");
    super::serve::run_with(app, Some(listener), true, None, output).await
}
