//! `bench`: measure speed and memory on this machine, with the settings as they are or as flags say.
//!
//! Flags become options of [`crate::bench`], which measures; what it gives is printed as a table or as one JSON document,
//! beside an earlier run when one is named. `--quick` measures the same things smaller and shorter, in seconds.

mod flags;
mod page;
mod progress;

use std::time::{Duration, Instant};

use clap::{Args, Subcommand};

use super::eval::page as html;
use super::output::Output;
use crate::app::{App, parts};
use crate::bench::chat::{self, ChatOptions};
use crate::bench::embed::{self, EmbedOptions};
use crate::bench::ingest::{self, IngestOptions};
use crate::bench::report::Report;
use crate::bench::search::{self, SearchOptions};
use crate::bench::serve::{self, ServeOptions};
use crate::bench::{BenchError, Pace, compare};
use crate::config::Config;
use crate::problem::{Kind, Problem};
use flags::{Chat, Common, Embed, Ingest, Search, Serve};
use progress::Progress;

#[derive(Debug, Args)]
pub struct Bench {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Texts to vectors: tokens and texts per second by batch and length, and one question's time
    Embed(Embed),
    /// The chat model: reading a prompt, the first word, writing, and several questions at once
    Chat(Chat),
    /// Vector search: time, recall, build and memory of the exact index and the graph
    Search(Search),
    /// Bringing content in: MB/s and passages per second by kind of document
    Ingest(Ingest),
    /// A server of its own under 1 to 64 clients: requests per second and their times
    Serve(Serve),
}

impl Bench {
    /// What the flags say about settings.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        self.common().settings()
    }

    fn common(&self) -> &Common {
        match &self.what {
            What::Embed(flags) => &flags.common,
            What::Chat(flags) => &flags.common,
            What::Search(flags) => &flags.common,
            What::Ingest(flags) => &flags.common,
            What::Serve(flags) => &flags.common,
        }
    }
}

pub async fn run(bench: Bench, config: Config, output: &Output) -> Result<(), Problem> {
    let common = bench.common().clone();
    // Read first: a file that cannot be compared with should not cost minutes.
    let earlier = common.compare.as_deref().map(compare::read).transpose()?;
    let progress = Progress::new(output);
    let began = Instant::now();
    let told = |share: f64, what: &str| progress.tell(share, what);
    let pace = common.pace(seconds_each(&bench.what), &told);
    let mut report = measure(bench.what, &common, config, &pace).await?;
    report.seconds = began.elapsed().as_secs_f64();
    progress.finish();
    if let Some(earlier) = earlier {
        if earlier.bench != report.bench || earlier.schema != report.schema {
            let path = common.compare.clone().unwrap_or_default();
            let reason = format!("it is of `bench {}` ({})", earlier.bench, earlier.schema);
            return Err(BenchError::Report { path, reason }.into());
        }
        let comparison = compare::compare(&report, &earlier);
        for warning in &comparison.warnings {
            output.say(format!("warning: {warning}"));
        }
        report.comparison = Some(comparison);
    }
    if let Some(path) = &common.out {
        html::write(path, &page::page(&report, &html::command()), output)?;
    }
    if output.json {
        return output.document(&report);
    }
    output.data(report.table().trim_end());
    Ok(())
}

/// Time for each measurement, whole and quick, so that a run ends within about a minute or within seconds.
fn seconds_each(what: &What) -> (f64, f64) {
    match what {
        What::Embed(_) => (2.0, 0.2),
        What::Chat(_) => (8.0, 0.5),
        What::Search(_) => (2.0, 0.2),
        What::Ingest(_) => (3.0, 0.4),
        What::Serve(_) => (3.0, 0.5),
    }
}

async fn measure(what: What, common: &Common, config: Config, pace: &Pace<'_>) -> Result<Report, Problem> {
    let (seed, keep_input) = (common.seed, common.keep_input.clone());
    Ok(match what {
        What::Embed(flags) => {
            let options = EmbedOptions {
                batches: common.list(flags.batch, &[1, 8, 32], &[1, 8]),
                tokens: common.list(flags.tokens, &[16, 64, 256], &[16, 128]),
                seed,
                keep_input,
            };
            let scratch = Scratch::open(config).await?;
            embed::run(&scratch.app, &options, pace).await?
        }
        What::Chat(flags) => {
            let options = ChatOptions {
                prompts: common.list(flags.prompts, &[128, 512, 1000], &[64, 128]),
                concurrent: common.list(flags.concurrent, &[1, 2, 4], &[2]),
                max_tokens: flags.max_tokens.unwrap_or(if common.quick { 16 } else { 64 }),
                seed,
                keep_input,
            };
            let scratch = Scratch::open(config).await?;
            chat::run(&scratch.app, &options, pace).await?
        }
        What::Search(flags) => {
            let mut sizes = common.list(flags.sizes, &[1_000, 10_000, 100_000], &[1_000, 5_000]);
            if flags.large {
                sizes.push(1_000_000);
            }
            let dimensions = match flags.dimensions {
                Some(dimensions) => dimensions,
                None => {
                    let scratch = Scratch::open(config).await?;
                    parts::embedder(&scratch.app).await?.model().dimensions
                }
            };
            let queries = flags.queries.unwrap_or(if common.quick { 50 } else { 200 });
            search::run(
                &SearchOptions { sizes, dimensions, queries, top: flags.top, seed, keep_input },
                pace,
            )?
        }
        What::Ingest(flags) => {
            let options =
                IngestOptions { document_bytes: flags.document_bytes, recording: flags.recording, seed };
            tokio::select! {
                report = ingest::run(config, &options, pace) => report?,
                () = super::serve::signal() => return Err(interrupted()),
            }
        }
        What::Serve(flags) => {
            let clients = common.list(flags.clients, &[1, 2, 4, 8, 16, 32, 64], &[1, 4, 16]);
            let options = ServeOptions { clients };
            // A signal drops the server, and with it the child.
            tokio::select! {
                report = serve::run(config, &options, pace) => report?,
                () = super::serve::signal() => return Err(interrupted()),
            }
        }
    })
}

fn interrupted() -> Problem {
    Problem::new(
        Kind::Conflict,
        "interrupted",
        "interrupted: nothing was measured to its end",
        "run it again",
    )
}

/// An app over a data directory that vanishes: measuring touches nothing of a creator's, and works beside a server.
struct Scratch {
    app: std::sync::Arc<App>,
    _directory: tempfile::TempDir,
}

impl Scratch {
    async fn open(mut config: Config) -> Result<Self, Problem> {
        let directory = tempfile::tempdir().map_err(BenchError::Scratch)?;
        config.data_dir = directory.path().to_owned();
        Ok(Self { app: App::open(config).await?, _directory: directory })
    }
}

impl Common {
    fn pace<'a>(&self, (whole, quick): (f64, f64), progress: &'a dyn Fn(f64, &str)) -> Pace<'a> {
        let seconds = self.seconds.unwrap_or(if self.quick { quick } else { whole });
        Pace {
            budget: Duration::from_secs_f64(seconds.clamp(0.0, 3600.0)),
            least: if self.quick { 1 } else { 3 },
            warm_ups: 1,
            progress,
        }
    }

    /// What was typed, else the defaults.
    fn list(&self, typed: Vec<usize>, whole: &[usize], quick: &[usize]) -> Vec<usize> {
        match (typed.is_empty(), self.quick) {
            (false, _) => typed,
            (true, false) => whole.to_vec(),
            (true, true) => quick.to_vec(),
        }
    }
}
