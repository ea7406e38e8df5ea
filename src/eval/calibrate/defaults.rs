//! The values that the program ships with, from data sets: the threshold of declining and the weight of nearness.
//!
//! From each set in BEIR's layout a part of the documents is taken away, so that their questions have no answer left.
//! A value is judged on sets that it was not chosen by: each set is a fold. A question counts the same in every set, so that
//! `--limit` keeps a large set from deciding alone.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{Costs, Fit, Known, confidences, fit_nearness, fit_threshold, ranking_losses};
use crate::config::Config;
use crate::eval::EvalError;
use crate::eval::dataset::{AnswerCase, RetrievalSet, read_corpus};
use crate::eval::engine::Engine;
use crate::eval::metrics::auroc;
use crate::eval::sample::{Part, Random, keep_spread};

/// Of a thousand documents so many are taken away.
const TAKEN: usize = 270;

/// What the sets say.
#[derive(Debug, Clone, Serialize)]
pub struct Defaults {
    pub sets: Vec<SetFacts>,
    pub costs: Costs,
    pub nearness: Fit,
    pub threshold: Fit,
}

/// What became of one set.
#[derive(Debug, Clone, Serialize)]
pub struct SetFacts {
    pub name: String,
    pub questions: usize,
    pub unanswerable: usize,
    pub auroc: Option<f64>,
    /// At the threshold as configured.
    pub refused_of_answerable: Option<f64>,
    pub answered_of_unanswerable: Option<f64>,
}

/// Measures `folders` with the engine as configured and fits both values.
pub async fn defaults(
    config: &Config,
    folders: &[PathBuf],
    costs: Costs,
    part: Part,
    progress: impl Fn(&str, u64, u64),
) -> Result<Defaults, EvalError> {
    let usual = f64::from(config.settings.answer.threshold);
    let (mut facts, mut known, mut losses) = (Vec::new(), Vec::new(), Vec::new());
    let (mut known_folds, mut loss_folds) = (Vec::new(), Vec::new());
    for (fold, folder) in folders.iter().enumerate() {
        let set = RetrievalSet::read(folder)?;
        let mut random = Random::new(part.seed);
        let kept = tempfile::NamedTempFile::new().map_err(EvalError::Scratch)?;
        let gone = take_away(&set.corpus, kept.path(), &mut random)?;
        let name = set.name.clone();
        let engine = Engine::fill(config.clone(), kept.path(), |done| progress(&name, done, 0)).await?;
        let queries = keep_spread(set.queries.clone(), part.limit, part.seed);
        let (mut cases, mut answerable) = (Vec::new(), Vec::new());
        for query in queries {
            let mut right = query.judgements.iter().filter(|(_, grade)| **grade > 0);
            let unanswerable = right.all(|(document, _)| gone.contains(document));
            cases.push(AnswerCase {
                id: query.id.clone(),
                question: query.text.clone(),
                answers: Vec::new(),
                unanswerable,
                external_ids: Vec::new(),
            });
            if !unanswerable {
                answerable.push(query);
            }
        }
        let told = confidences(&engine, &cases, |done, all| progress(&name, done, all)).await?;
        let ranked = RetrievalSet { queries: answerable, ..set };
        let ranked = ranking_losses(&engine, &ranked, |done, all| progress(&name, done, all)).await?;
        facts.push(describe(&name, &told, usual));
        known_folds.extend(told.iter().map(|_| fold));
        loss_folds.extend(ranked.iter().map(|_| fold));
        known.extend(told);
        losses.extend(ranked);
    }
    Ok(Defaults {
        sets: facts,
        costs,
        nearness: fit_nearness(&losses, &loss_folds, part.seed),
        threshold: fit_threshold(&known, &known_folds, costs, usual, part.seed),
    })
}

/// Writes the corpus without some documents; gives the ids of those.
fn take_away(
    corpus: &Path,
    to: &Path,
    random: &mut Random,
) -> Result<std::collections::HashSet<String>, EvalError> {
    let mut file = std::io::BufWriter::new(std::fs::File::create(to).map_err(EvalError::Scratch)?);
    let mut gone = std::collections::HashSet::new();
    for entry in read_corpus(corpus)? {
        let entry = entry?;
        if random.below(1000) < TAKEN {
            gone.insert(entry.id);
            continue;
        }
        let line = serde_json::json!({"_id": entry.id, "title": entry.title, "text": entry.text});
        writeln!(file, "{line}").map_err(EvalError::Scratch)?;
    }
    file.flush().map_err(EvalError::Scratch)?;
    Ok(gone)
}

fn describe(name: &str, known: &[Known], threshold: f64) -> SetFacts {
    let rates = crate::eval::metrics::Rates::at(threshold, known);
    SetFacts {
        name: name.to_owned(),
        questions: known.len(),
        unanswerable: known.iter().filter(|(_, answerable)| !answerable).count(),
        auroc: auroc(known),
        refused_of_answerable: rates.true_positive.map(|answered| 1.0 - answered),
        answered_of_unanswerable: rates.false_positive,
    }
}
