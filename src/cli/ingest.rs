//! `ingest`: bring content in and wait until it is searchable.
//!
//! A thread of its own reads files and corpora line by line into a bounded queue; batches of what it read are one
//! transaction each. Ctrl-C ends after the batch at hand: what was recorded stays, nothing is half there.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::mpsc;

use super::output::Output;
use crate::app::App;
use crate::domain::{CreatorId, DocumentId, Receipt, Watched};
use crate::ingest::holding::Passes;
use crate::ingest::items::{self, Ended, Found};
use crate::ingest::pictures::Wordless;
use crate::ingest::sandbox::Reading;
use crate::ingest::source::{Reach, is_address};
use crate::ingest::{IngestError, Ingested, Item, Payload};
use crate::problem::{Kind, Problem};

/// A batch is recorded when it holds this many documents…
const BATCH_DOCUMENTS: usize = 256;
/// …or this many bytes.
const BATCH_BYTES: usize = 4 << 20;
/// Exit code of a program that was interrupted, as shells count it.
const INTERRUPTED: u8 = 130;

#[derive(Debug, Args, Serialize, Deserialize)]
pub struct Ingest {
    /// Files, folders, course packages, addresses of web pages, corpora (.jsonl, .csv), or - for standard input
    #[arg(required = true, value_name = "PATH-OR-URL")]
    sources: Vec<String>,
    /// Whose content it is
    #[arg(long)]
    creator: String,
    /// For encrypted PDFs
    #[arg(long, value_name = "PASSWORD", env = "NEVERAFK_INGEST_PASSWORD", hide_env_values = true)]
    password: Option<String>,
    /// Title of the document [default: its own]
    #[arg(long)]
    title: Option<String>,
    /// Only queue the files; a running or later `serve` reads them
    #[arg(long)]
    detach: bool,
    /// Read whole sites: the pages that the addresses lead to, as their robots.txt allows
    #[arg(long, conflicts_with = "detach")]
    crawl: bool,
    /// How many links away from the first page
    #[arg(long, value_name = "LINKS", default_value_t = 2, value_parser = clap::value_parser!(u32).range(0..=10))]
    depth: u32,
    /// Most pages of a site, a sitemap or a feed
    #[arg(long, value_name = "PAGES", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    max_pages: u32,
    /// Remove what came from the folders named here before and is in them no longer
    #[arg(long, conflicts_with = "detach")]
    sync: bool,
    /// Bring in what changes in these folders and sites from now on, as long as `serve` runs; implies --sync
    #[arg(long, conflicts_with_all = ["detach", "unwatch"])]
    watch: bool,
    /// Only stop watching these folders and sites; what came from them stays
    #[arg(long, conflicts_with_all = ["detach", "sync"])]
    unwatch: bool,
}

#[derive(Debug, Default)]
struct Totals {
    receipt: Receipt,
    chunks: usize,
    removed: Vec<String>,
    /// Documents, each with another that has nearly the same words.
    near: Vec<(DocumentId, DocumentId)>,
    failed: Vec<Problem>,
    warnings: Vec<String>,
    wordless: Wordless,
}

impl Ingest {
    /// The same for a process with another working directory and another standard input.
    pub fn elsewhere(mut self) -> Result<Self, Problem> {
        for source in &mut self.sources {
            if source == "-" {
                return Err(Problem::new(
                    Kind::Conflict,
                    "data_in_use",
                    "a running server holds the data and cannot read this standard input",
                    "save it to a file and bring that in, or stop the server first",
                ));
            }
            if !is_address(source) {
                *source = absolute(std::path::Path::new(source))?;
            }
        }
        Ok(self)
    }
}

/// A path that means the same in every working directory.
pub fn absolute(path: &std::path::Path) -> Result<String, Problem> {
    let whole = std::path::absolute(path).map_err(Problem::internal)?;
    whole.into_os_string().into_string().map_err(|path| {
        Problem::new(
            Kind::Invalid,
            "path_not_unicode",
            format!("the path {} is not Unicode", path.display()),
            "stop the running server, or give the file another name",
        )
    })
}

pub async fn run(ingest: Ingest, app: &App, output: &Output) -> Result<u8, Problem> {
    let creator: CreatorId = ingest.creator.parse()?;
    app.store().creator(&creator).await?;
    if ingest.unwatch {
        return unwatch(&ingest, app, &creator, output).await;
    }
    let (reads, mut options) = (app.ingest().options, app.source_options());
    options.list_pages = ingest.max_pages;
    options.crawl = ingest.crawl.then_some(Reach { depth: ingest.depth, pages: ingest.max_pages });
    let began = Instant::now();
    let mut totals = Totals::default();
    let interrupted = {
        let (sender, receiver) = mpsc::channel(BATCH_DOCUMENTS);
        let (sources, detach) = (ingest.sources.clone(), ingest.detach);
        std::thread::Builder::new()
            .name("read-sources".into())
            .spawn(move || {
                // The receiver is gone when the command was interrupted.
                let stop = || sender.is_closed();
                let reading = Reading { sandbox: &reads.sandbox, limits: &reads.limits, stop: &stop };
                let each = |found| sender.blocking_send(found).is_ok();
                if detach {
                    items::read_whole(&sources, &options, reading, each);
                } else {
                    items::read(&sources, &options, reading, each);
                }
            })
            .map_err(Problem::internal)?;
        work(&ingest, app, &creator, receiver, &mut totals, output).await?
    };
    for sentence in totals.wordless.sentences() {
        output.say(format!("warning: {sentence}"));
        totals.warnings.push(sentence);
    }
    let watched =
        if ingest.watch && !interrupted { watch(&ingest, app, &creator).await? } else { Vec::new() };
    if (ingest.sync || ingest.watch) && !interrupted {
        for folder in ingest.sources.iter().map(std::path::Path::new).filter(|path| path.is_dir()) {
            let folder = folder.canonicalize().map_err(Problem::internal)?;
            let removed = app.ingest().forget_missing(&creator, &folder).await?;
            left(removed, &mut totals, output);
        }
    }
    for place in watched {
        output.say(format!("watching {}", place.place.name()));
    }
    report(&creator, &totals, began.elapsed(), interrupted, output)?;
    Ok(match (interrupted, totals.failed.is_empty()) {
        (true, _) => INTERRUPTED,
        (false, true) => 0,
        (false, false) => 1,
    })
}

/// Watches what was named from now on.
async fn watch(ingest: &Ingest, app: &App, creator: &CreatorId) -> Result<Vec<Watched>, Problem> {
    let mut watched = Vec::new();
    for source in &ingest.sources {
        watched.push(if is_address(source) {
            let depth = if ingest.crawl { ingest.depth } else { 0 };
            app.watch_site(creator, source, (depth, ingest.max_pages), false).await?
        } else {
            app.watch_folder(creator, std::path::Path::new(source)).await?
        });
    }
    Ok(watched)
}

async fn unwatch(ingest: &Ingest, app: &App, creator: &CreatorId, output: &Output) -> Result<u8, Problem> {
    let mut names = Vec::new();
    for source in &ingest.sources {
        names.push(app.unwatch_named(creator, source).await?.place.name().to_owned());
    }
    if output.json {
        output.document(&json!({"creator_id": creator, "unwatched": names}))?;
    } else {
        names.iter().for_each(|name| output.data(format!("not watched any more: {name}")));
    }
    Ok(0)
}

/// Records batch after batch; whether it was interrupted.
async fn work(
    ingest: &Ingest,
    app: &App,
    creator: &CreatorId,
    mut found: mpsc::Receiver<Found>,
    totals: &mut Totals,
    output: &Output,
) -> Result<bool, Problem> {
    let interrupt = super::serve::signal();
    tokio::pin!(interrupt);
    let bar = bar(output, "documents");
    let pipeline = app.ingest();
    let mut carried: Option<Item> = None;
    let mut passes = Passes::default();
    loop {
        let batch = tokio::select! {
            biased;
            () = &mut interrupt => return Ok(true),
            batch = gather(ingest, &mut found, &mut carried, totals, output) => batch,
        };
        if batch.items.is_empty() && batch.ends.is_empty() && batch.is_last {
            break;
        }
        let size = batch.items.len() as u64;
        if ingest.detach {
            for item in batch.items {
                match app.enqueue(creator, item).await {
                    Ok(_) => totals.receipt.added += 1,
                    Err(problem) => fail(problem, totals, output),
                }
            }
        } else {
            passes.expect(creator, &batch.items);
            let recorded = tokio::select! {
                biased;
                () = &mut interrupt => return Ok(true),
                recorded = pipeline.batch(creator, batch.items) => recorded?,
                never = tell(app, creator, &bar) => match never {},
            };
            for one in recorded {
                match one {
                    Ok(done) => {
                        passes.came(&done);
                        count(done, totals, output);
                    }
                    Err(IngestError::Wordless { error, .. }) => totals.wordless.count(&error),
                    Err(error) => fail(error.into(), totals, output),
                }
            }
            for (package, ended) in batch.ends {
                let removed = passes.end(&pipeline, creator, &package, ended).await?;
                left(removed, totals, output);
            }
        }
        bar.set_message("documents");
        bar.inc(size);
        if batch.is_last {
            break;
        }
    }
    bar.finish_and_clear();
    Ok(false)
}

/// What is recorded together.
#[derive(Default)]
struct Batch {
    items: Vec<Item>,
    /// Packages all of whose items are in this batch or were in one before.
    ends: Vec<(String, Ended)>,
    /// Nothing comes after it.
    is_last: bool,
}

/// Takes what was read until it is enough for one transaction. `carried` is what the batch before had no place for.
async fn gather(
    ingest: &Ingest,
    found: &mut mpsc::Receiver<Found>,
    carried: &mut Option<Item>,
    totals: &mut Totals,
    output: &Output,
) -> Batch {
    let mut batch = Batch::default();
    let mut bytes = 0;
    batch.items.extend(carried.take());
    // A recording may take an hour: what was read before it is recorded first.
    let is_recording = |item: &Item| matches!(item.payload, Payload::Recording(_));
    if batch.items.first().is_some_and(is_recording) {
        bytes = BATCH_BYTES;
    }
    while batch.items.len() < BATCH_DOCUMENTS && bytes < BATCH_BYTES {
        match found.recv().await {
            None => {
                batch.is_last = true;
                break;
            }
            Some(Found::Failed(error)) => fail(error.into(), totals, output),
            Some(Found::End { package, ended }) => batch.ends.push((package, ended)),
            // Only of sites that are followed, and those the queue looks at.
            Some(Found::Same { .. } | Found::Page { .. }) => {}
            Some(Found::Item(item)) => {
                let mut item = *item;
                item.password = item.password.or_else(|| ingest.password.clone());
                item.title = ingest.title.clone().or(item.title);
                if is_recording(&item) && !batch.items.is_empty() {
                    *carried = Some(item);
                    break;
                }
                bytes += item.size();
                batch.items.push(item);
            }
        }
    }
    batch
}

/// Shows how far a recording is, for as long as it is wanted.
async fn tell(app: &App, creator: &CreatorId, bar: &ProgressBar) -> Infallible {
    loop {
        tokio::time::sleep(Duration::from_millis(500)).await;
        if let Some((source, percent)) = app.listening().of(creator).into_iter().next() {
            let name = source.rsplit(['/', '\\']).next().unwrap_or(&source);
            let percent = percent.map_or(String::new(), |percent| format!(" {percent} %"));
            bar.set_message(format!("documents, listening to {name}{percent}"));
        }
    }
}

fn count(done: Ingested, totals: &mut Totals, output: &Output) {
    totals.receipt = totals.receipt.and(Receipt { removed: 0, ..done.receipt });
    left(done.removed, totals, output);
    if let Some(other) = done.near_duplicate_of {
        output.say(format!("note: document {} has nearly the same words as {other}", done.document));
        totals.near.push((done.document, other));
    }
    totals.chunks += done.chunks;
    for warning in done.warnings {
        output.say(format!("warning: {warning}"));
        totals.warnings.push(warning);
    }
}

/// Says what is there no more.
fn left(removed: Vec<String>, totals: &mut Totals, output: &Output) {
    for title in removed {
        output.say(format!("removed: {title}"));
        totals.receipt.removed = totals.receipt.removed.saturating_add(1);
        totals.removed.push(title);
    }
}

fn fail(problem: Problem, totals: &mut Totals, output: &Output) {
    output.problem(&problem);
    totals.failed.push(problem);
}

fn report(
    creator: &CreatorId,
    totals: &Totals,
    took: Duration,
    interrupted: bool,
    output: &Output,
) -> Result<(), Problem> {
    if output.json {
        return output.document(&json!({
            "creator_id": creator, "added": totals.receipt.added, "replaced": totals.receipt.changed,
            "unchanged": totals.receipt.unchanged, "removed": totals.removed, "chunks": totals.chunks,
            "near_duplicates": totals.near.iter().map(|(document, other)| json!({"document_id": document, "near_duplicate_of": other})).collect::<Vec<_>>(),
            "warnings": totals.warnings,
            "failed": totals.failed.iter().map(|problem| json!({"code": problem.code, "message": problem.message, "hint": problem.hint})).collect::<Vec<_>>(),
            "interrupted": interrupted, "seconds": took.as_secs_f64(),
        }));
    }
    let Receipt { added, changed, unchanged, removed } = totals.receipt;
    let removed = if removed > 0 { format!(", {removed} removed") } else { String::new() };
    output.data(format!(
        "{added} added, {changed} replaced, {unchanged} unchanged{removed}, {} failed; {} passages in {:.1} s",
        totals.failed.len(),
        totals.chunks,
        took.as_secs_f64()
    ));
    if interrupted {
        output.problem(&Problem::new(
            Kind::Conflict,
            "interrupted",
            "interrupted: what is counted above is searchable, the rest was not begun",
            "run the same command again to go on",
        ));
    }
    Ok(())
}

/// A progress bar with rate on a terminal, nothing otherwise.
pub fn bar(output: &Output, what: &'static str) -> ProgressBar {
    if !output.draws() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner().with_message(what);
    if let Ok(style) = ProgressStyle::with_template("{spinner} {pos} {msg}  {per_sec}  {elapsed}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
