//! What `run`, `answers`, `injection` and `record` share: every combination of settings measured, compared, printed, kept.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde::Serialize;

use super::options::Options;
use super::page;
use super::progress::Progress;
use super::{Config, Output, Problem};
use crate::eval::compare::{Comparison, compare, side_by_side};
use crate::eval::dataset::{AnswerCase, InjectionCase, RetrievalSet};
use crate::eval::engine::Engine;
use crate::eval::report::{Report, Task, of_runs};
use crate::eval::retrieval::Ranking;
use crate::eval::variants::{Variant, label};
use crate::eval::{EvalError, answers, injection, retrieval, runs};
use crate::problem::Kind;

/// What is asked.
pub enum Asked {
    Retrieval(RetrievalSet),
    Answers { file: PathBuf, cases: Vec<AnswerCase> },
    Injection { file: PathBuf, cases: Vec<InjectionCase> },
}

impl Asked {
    fn task(&self) -> Task {
        match self {
            Self::Retrieval(_) => Task::Retrieval,
            Self::Answers { .. } => Task::Answers,
            Self::Injection { .. } => Task::Injection,
        }
    }

    fn dataset(&self) -> String {
        match self {
            Self::Retrieval(set) => set.name.clone(),
            Self::Answers { file, .. } | Self::Injection { file, .. } => crate::eval::engine::name_of(file),
        }
    }
}

/// Measures, tells and keeps everything that the options want. `each` gets every ranking.
pub async fn measure(
    asked: &Asked,
    corpus: &Path,
    options: &Options,
    config: Config,
    output: &Output,
    each: impl FnMut(Ranking<'_>),
) -> Result<ExitCode, Problem> {
    if options.save.is_some() || options.baseline.is_some() {
        want_one_run(options.choices.variants().len())?;
    }
    let data_dir = config.data_dir.clone();
    // Read now, so that a missing one is told before an hour of measuring.
    let baseline = match &options.baseline {
        None => None,
        Some(name) => {
            let creator = options.creator.as_deref();
            Some(read_baseline(&data_dir, name, (asked.task(), &asked.dataset()), creator)?)
        }
    };
    let reports = reports(asked, corpus, options, config, output, each).await?;
    if let (Some(name), Some(report)) = (&options.save, reports.first()) {
        let path = runs::place(&data_dir, &name.to_string_lossy());
        runs::save(report, &path).map_err(EvalError::from)?;
        output.say(format!("kept in {}", path.display()));
    }
    tell(reports, baseline, &options.telling(), output)
}

/// Refuses several combinations where one run is kept.
pub fn want_one_run(combinations: usize) -> Result<(), Problem> {
    if combinations == 1 {
        return Ok(());
    }
    Err(Problem::new(
        Kind::Invalid,
        "one_run_wanted",
        "several settings were named, and one run is kept or compared with a baseline",
        "name each setting once",
    ))
}

/// One report for each combination of settings, in order.
pub async fn reports(
    asked: &Asked,
    corpus: &Path,
    options: &Options,
    config: Config,
    output: &Output,
    mut each: impl FnMut(Ranking<'_>),
) -> Result<Vec<Report>, Problem> {
    let variants = options.choices.variants();
    let mut reports = Vec::with_capacity(variants.len());
    let progress = Progress::new(output);
    let mut filled: Option<(String, Engine)> = None;
    for variant in &variants {
        let config = config.with(variant)?;
        let embedder = config.settings.models.embedding.clone();
        let engine = match filled.take() {
            Some((made_with, engine)) if made_with == embedder => engine.with(&config)?,
            _ => open(config, asked, corpus, options, &progress).await?,
        };
        reports.push(ask(asked, &engine, options, &progress, &mut each).await?);
        filled = Some((embedder, engine));
    }
    progress.end();
    Ok(reports)
}

/// The engine over a corpus, over a creator's own content, or over the course among which documents are planted.
async fn open(
    config: Config,
    asked: &Asked,
    corpus: &Path,
    options: &Options,
    progress: &Progress<'_>,
) -> Result<Engine, Problem> {
    if matches!(asked, Asked::Injection { .. }) {
        return Ok(Engine::with_sample_course(config).await?);
    }
    let Some(creator) = &options.creator else {
        let all = count_lines(corpus);
        return Ok(Engine::fill(config, corpus, |done| progress.show("documents", done, all)).await?);
    };
    if options.choices.names_embedder() {
        return Err(Problem::new(
            Kind::Invalid,
            "collection_has_its_embedder",
            "a creator's content is searched with the embedding model that it was brought in with",
            "leave out `--embedder`, or change the model with `neverafk reindex`",
        ));
    }
    Ok(Engine::of_creator(config, creator.parse()?).await?)
}

async fn ask(
    asked: &Asked,
    engine: &Engine,
    options: &Options,
    progress: &Progress<'_>,
    each: impl FnMut(Ranking<'_>),
) -> Result<Report, Problem> {
    let part = options.sample.part();
    Ok(match asked {
        Asked::Retrieval(set) => {
            retrieval::run(engine, set, part, |done, all| progress.show("queries", done, all), each).await?
        }
        Asked::Answers { file, cases } => {
            answers::run(engine, file, cases, part, |done, all| progress.show("questions", done, all)).await?
        }
        Asked::Injection { file, cases } => {
            injection::run(engine, file, cases, part, |done, all| progress.show("cases", done, all)).await?
        }
    })
}

/// The run that `--baseline NAME` means, for a task on a set.
pub fn read_baseline(
    data_dir: &Path,
    name: &Path,
    (task, dataset): (Task, &str),
    creator: Option<&str>,
) -> Result<Report, Problem> {
    let path = if name.as_os_str() == "last" {
        let path = runs::baseline(data_dir, creator, task, dataset);
        if !path.exists() {
            let none = runs::RunError::NoBaseline { dataset: dataset.to_owned(), task: task.name() };
            return Err(EvalError::from(none).into());
        }
        path
    } else {
        runs::place(data_dir, &name.to_string_lossy())
    };
    Ok(runs::read(&path).map_err(EvalError::from)?)
}

/// How runs are told.
pub struct Telling<'a> {
    /// What was measured with: one for each run.
    pub variants: Vec<Variant>,
    pub seed: u64,
    /// The page that is written, too.
    pub out: Option<&'a Path>,
    /// Whether JSON holds single questions.
    pub per_question: bool,
}

impl Options {
    pub fn telling(&self) -> Telling<'_> {
        Telling {
            variants: self.choices.variants(),
            seed: self.sample.part().seed,
            out: self.out.as_deref(),
            per_question: self.per_question,
        }
    }
}

/// Prints the runs; the exit code is that of the baseline.
pub fn tell(
    mut reports: Vec<Report>,
    baseline: Option<Report>,
    telling: &Telling<'_>,
    output: &Output,
) -> Result<ExitCode, Problem> {
    let labels: Vec<String> = telling.variants.iter().map(label).collect();
    if let Some(out) = telling.out {
        page::write(out, &of_runs(&reports, &labels, &page::command()), output)?;
    }
    let progress = Progress::new(output);
    let show = |done, all| progress.show("numbers compared", done, all);
    let against =
        |first: &Report, other: &Report| compare(first, other, telling.seed, show).map_err(EvalError::from);
    let comparisons: Vec<Comparison> = match reports.split_first() {
        Some((first, others)) => {
            others.iter().map(|other| against(first, other)).collect::<Result<_, _>>()?
        }
        None => Vec::new(),
    };
    let held = match (&baseline, reports.first()) {
        (Some(baseline), Some(report)) => Some(against(baseline, report)?),
        _ => None,
    };
    progress.end();
    if output.json {
        if !telling.per_question {
            reports.iter_mut().for_each(|report| report.details.questions.clear());
        }
        match reports.as_slice() {
            [report] => output.document(&One { report, baseline: held.as_ref() })?,
            runs => {
                let (dataset, queries) =
                    runs.first().map_or(("", 0), |run| (run.dataset.as_str(), run.queries));
                let (labels, comparisons) = (&labels, &comparisons);
                output.document(&Several { dataset, queries, labels, runs, comparisons })?;
            }
        }
    } else {
        match reports.as_slice() {
            [report] if output.is_seen() => output.data(report.drawn().trim_end()),
            [report] => output.data(report.table().trim_end()),
            several => output.data(side_by_side(several, &labels, &comparisons).trim_end()),
        }
        if let Some(held) = &held {
            output.data(format!("\nA is the baseline, B this run\n{}", held.table().trim_end()));
        }
    }
    let fallen: Vec<&str> = held
        .iter()
        .flat_map(|held| &held.rows)
        .filter(|row| row.falls())
        .map(|row| row.metric.as_str())
        .collect();
    if fallen.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    output.problem(&Problem::new(
        Kind::Conflict,
        "below_baseline",
        format!("worse than the baseline by more than the interval: {}", fallen.join(", ")),
        "look at what changed since; if it is meant to be so, `neverafk eval record` keeps a new baseline",
    ));
    Ok(ExitCode::FAILURE)
}

/// One run, as the contract has it.
#[derive(Serialize)]
struct One<'a> {
    #[serde(flatten)]
    report: &'a Report,
    #[serde(skip_serializing_if = "Option::is_none")]
    baseline: Option<&'a Comparison>,
}

/// Several settings over the same questions; each comparison is with the first.
#[derive(Serialize)]
struct Several<'a> {
    dataset: &'a str,
    queries: usize,
    labels: &'a [String],
    runs: &'a [Report],
    comparisons: &'a [Comparison],
}

/// For the time left; a file that cannot be read is told when it is opened for good.
fn count_lines(path: &Path) -> u64 {
    let Ok(file) = std::fs::File::open(path) else { return 0 };
    let mut reader = BufReader::with_capacity(1 << 16, file);
    let mut lines = 0;
    while let Ok(bytes) = reader.fill_buf() {
        if bytes.is_empty() {
            break;
        }
        lines += bytes.iter().filter(|&&byte| byte == b'\n').count() as u64;
        let length = bytes.len();
        reader.consume(length);
    }
    lines
}
