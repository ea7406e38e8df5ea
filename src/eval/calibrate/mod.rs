//! `eval calibrate`: what a creator's questions can tell about the threshold of declining and the weight of nearness.
//!
//! Comes in: questions with and without an answer in the content. Goes out: for both values whether another than the
//! usual one is better, judged on questions that it was not chosen by ([`mod@fit`]). Who asks stores it. [`defaults`] does
//! the same over whole data sets, for the values that the program ships with.

pub mod defaults;
mod fit;

use serde::Serialize;

use super::EvalError;
use super::dataset::{AnswerCase, RetrievalSet};
use super::engine::Engine;
use super::metrics::{RankingScores, first_of_each};
use crate::answer::fuse::Fusion;
use crate::problem::Problem;
use crate::store::{CALIBRATION, Calibration, Creator};

pub use fit::{Fit, Outcome, fit};

/// Factors of nearness that are tried: from not at all to three times the usual. Doubling and halving matter, a tenth does
/// not: the ranking is flat in between.
pub const NEARNESS: [f64; 8] = [0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0];
/// Thresholds that are tried, in hundredths.
const THRESHOLDS: std::ops::RangeInclusive<u32> = 2..=98;
/// Parts of cross-validation.
const FOLDS: usize = 5;
/// With fewer questions of a kind nothing is fitted: a share of ten has a standard error of .15.
const FEWEST: usize = 10;
/// Passages that are ranked for one question; the first ten documents count.
const PASSAGES: usize = 100;

/// What mistakes cost. A wrong answer of this program is a true quotation that does not answer, so a refusal costs more; at
/// a probability that keeps its word, costs of 1 and 3 put the threshold at 1 / (1 + 3) = .25, which is what ships (Elkan,
/// "The foundations of cost-sensitive learning", IJCAI 2001).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Costs {
    /// Of answering a question that the content does not answer.
    pub wrong_answer: f64,
    /// Of declining a question that it does answer.
    pub wrong_refusal: f64,
}

impl Default for Costs {
    fn default() -> Self {
        Self { wrong_answer: 1.0, wrong_refusal: 3.0 }
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Calibrated {
    pub questions: usize,
    pub answerable: usize,
    pub costs: Costs,
    pub nearness: Fit,
    pub threshold: Fit,
}

/// One question's confidence and whether it has an answer.
pub type Known = (f64, bool);

/// Fits both values to `cases` over a creator's own content, as if nothing had been fitted before. `progress` gets what
/// is done, how much of it, and of how much.
pub async fn calibrate(
    engine: &mut Engine,
    cases: &[AnswerCase],
    costs: Costs,
    seed: u64,
    progress: impl Fn(&str, u64, u64),
) -> Result<Calibrated, EvalError> {
    let usual = engine.app.config().settings.answer.threshold;
    let mut creator = engine.record().await?;
    set_calibration(&mut creator, None);
    engine.live = Some(creator.clone());
    let nearness = match RetrievalSet::of_answers(String::new(), std::path::Path::new(""), cases.to_vec()) {
        Ok(set) => {
            let losses = ranking_losses(engine, &set, |done, all| progress("rankings", done, all)).await?;
            fit_nearness(&losses, &folds(losses.len()), seed)
        }
        Err(_) => Fit::left("no question names the documents that answer it"),
    };
    if let Outcome::Better = nearness.outcome {
        let fitted =
            Calibration { nearness: Some(nearness.chosen as f32), ..Calibration::for_creator(&creator) };
        set_calibration(&mut creator, Some(&fitted));
        engine.live = Some(creator);
    }
    let known = confidences(engine, cases, |done, all| progress("questions", done, all)).await?;
    let threshold = fit_threshold(&known, &stratified(&known), costs, f64::from(usual), seed);
    Ok(Calibrated {
        questions: cases.len(),
        answerable: known.iter().filter(|(_, answerable)| *answerable).count(),
        costs,
        nearness,
        threshold,
    })
}

impl Calibrated {
    /// What to store: nothing where both usual values stay.
    pub fn record(&self, creator: &Creator) -> Option<Calibration> {
        let kept = |fit: &Fit| matches!(fit.outcome, Outcome::Better).then_some(fit.chosen as f32);
        let (threshold, nearness) = (kept(&self.threshold), kept(&self.nearness));
        (threshold.is_some() || nearness.is_some()).then(|| Calibration {
            threshold,
            nearness,
            questions: self.questions,
            fitted_at: crate::app::now(),
            ..Calibration::for_creator(creator)
        })
    }
}

/// Puts a calibration into a creator's settings, or takes it out.
pub fn set_calibration(creator: &mut Creator, calibration: Option<&Calibration>) {
    if !creator.settings.is_object() {
        creator.settings = serde_json::json!({});
    }
    if let Some(settings) = creator.settings.as_object_mut() {
        settings.remove(CALIBRATION);
        // A struct of numbers and names is always JSON.
        if let Some(value) = calibration.and_then(|fitted| serde_json::to_value(fitted).ok()) {
            settings.insert(CALIBRATION.to_owned(), value);
        }
    }
}

/// How confident the engine is that each question has an answer.
async fn confidences(
    engine: &Engine,
    cases: &[AnswerCase],
    progress: impl Fn(u64, u64),
) -> Result<Vec<Known>, EvalError> {
    let mut known = Vec::with_capacity(cases.len());
    for case in cases {
        known.push((f64::from(engine.ask(&case.question).await?.confidence), !case.unanswerable));
        progress(known.len() as u64, cases.len() as u64);
    }
    Ok(known)
}

/// For each question 1 - reciprocal rank of its first right document, with each factor of [`NEARNESS`].
async fn ranking_losses(
    engine: &Engine,
    set: &RetrievalSet,
    progress: impl Fn(u64, u64),
) -> Result<Vec<Vec<f64>>, EvalError> {
    let (creator, names, finder) = (engine.record().await?, engine.names().await?, engine.app.finder());
    let collection = finder.collections.get(&engine.creator).await.map_err(Problem::from)?;
    let mut losses = Vec::with_capacity(set.queries.len());
    for query in &set.queries {
        let gathered = finder.gather(&creator, &query.text, None, PASSAGES).await.map_err(Problem::from)?;
        let collection = collection.read();
        let loss = |factor: f64| {
            let hits = gathered.rank(Fusion::Score, factor as f32, PASSAGES);
            let document =
                |chunk| collection.documents.get(&chunk).and_then(|document| names.get(document)).cloned();
            let ids = first_of_each(hits.into_iter().filter_map(|hit| document(hit.chunk)));
            1.0 - RankingScores::of(&ids, &query.judgements).mrr_at_10
        };
        losses.push(NEARNESS.map(loss).to_vec());
        progress(losses.len() as u64, set.queries.len() as u64);
    }
    Ok(losses)
}

fn fit_nearness(losses: &[Vec<f64>], folds: &[usize], seed: u64) -> Fit {
    if losses.len() < 2 * FEWEST {
        return Fit::left(&format!("{} questions with documents are too few", losses.len()));
    }
    fit(&NEARNESS, 1.0, losses, folds, seed)
}

/// Costs count by kind, so that it does not matter how many questions of each kind somebody wrote.
fn fit_threshold(known: &[Known], folds: &[usize], costs: Costs, usual: f64, seed: u64) -> Fit {
    let answerable = known.iter().filter(|(_, answerable)| *answerable).count();
    let unanswerable = known.len() - answerable;
    if answerable.min(unanswerable) < FEWEST {
        let few = format!("{answerable} answerable and {unanswerable} unanswerable questions are too few");
        return Fit::left(&few);
    }
    let mut thresholds: Vec<f64> = THRESHOLDS.map(|hundredths| f64::from(hundredths) / 100.0).collect();
    // The usual one in the digits that people write it with.
    let usual = (usual * 1e4).round() / 1e4;
    if !thresholds.contains(&usual) {
        thresholds.push(usual);
        thresholds.sort_by(f64::total_cmp);
    }
    let share = |of_kind: usize| known.len() as f64 / (2.0 * of_kind as f64);
    let loss =
        |&(confidence, is_answerable): &Known, threshold: f64| match (is_answerable, confidence >= threshold)
        {
            (true, false) => costs.wrong_refusal * share(answerable),
            (false, true) => costs.wrong_answer * share(unanswerable),
            _ => 0.0,
        };
    let losses: Vec<Vec<f64>> = known
        .iter()
        .map(|case| thresholds.iter().map(|&threshold| loss(case, threshold)).collect())
        .collect();
    fit(&thresholds, usual, &losses, folds, seed)
}

/// The fold of each of `count` questions: neighbours, who are often about one document, in different ones would let the
/// fit see its exam, so that each fold is one stretch of the file.
fn folds(count: usize) -> Vec<usize> {
    (0..count).map(|at| at * FOLDS / count.max(1)).collect()
}

/// The same with both kinds in every fold.
fn stratified(known: &[Known]) -> Vec<usize> {
    let mut counts = [0usize; 2];
    let totals = [false, true].map(|kind| known.iter().filter(|(_, answerable)| *answerable == kind).count());
    known
        .iter()
        .map(|(_, answerable)| {
            let kind = usize::from(*answerable);
            let fold = counts[kind] * FOLDS / totals[kind];
            counts[kind] += 1;
            fold
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::sample::Random;

    /// Confidences that tell the kinds apart best at `best`.
    fn known(count: usize, best: f64) -> Vec<Known> {
        let mut random = Random::new(5);
        let mut noise = || random.below(1000) as f64 / 1000.0 * 0.2;
        (0..count)
            .map(
                |at| if at % 2 == 0 { (best + 0.02 + noise(), true) } else { (best - 0.02 - noise(), false) },
            )
            .collect()
    }

    #[test]
    fn a_threshold_that_is_clearly_better_is_taken() {
        let known = known(100, 0.6);
        let fitted = fit_threshold(&known, &stratified(&known), Costs::default(), 0.25, 7);
        assert_eq!(fitted.outcome, Outcome::Better);
        assert!((0.58..=0.62).contains(&fitted.chosen), "{fitted:?}");
        assert!(fitted.saved.is_some_and(|saved| saved.low > 0.0));
    }

    #[test]
    fn noise_leaves_the_usual_threshold() {
        // At equal costs no threshold is better than another where the confidence says nothing.
        let mut random = Random::new(9);
        let known: Vec<Known> =
            (0..60).map(|_| (random.below(100) as f64 / 100.0, random.below(2) == 0)).collect();
        let fitted = fit_threshold(
            &known,
            &stratified(&known),
            Costs { wrong_answer: 1.0, wrong_refusal: 1.0 },
            0.25,
            7,
        );
        assert_eq!(fitted.outcome, Outcome::WithinNoise, "{fitted:?}");
    }

    #[test]
    fn few_questions_fit_nothing() {
        let fitted = fit_threshold(&known(18, 0.6), &[], Costs::default(), 0.25, 7);
        assert!(matches!(&fitted.outcome, Outcome::NotFitted { reason } if reason.contains("9 answerable")));
        assert!(matches!(fit_nearness(&[], &[], 7).outcome, Outcome::NotFitted { .. }));
    }

    #[test]
    fn costs_move_the_threshold() {
        // Confidences that keep their word, so that the best threshold is that of the costs alone.
        let known: Vec<Known> = (0..4000)
            .map(|at| {
                let confidence = f64::from(at % 100) / 100.0 + 0.005;
                (confidence, f64::from(at / 100 % 40) / 40.0 < confidence)
            })
            .collect();
        for (costs, expected) in [
            (Costs::default(), 0.25),
            (Costs { wrong_answer: 3.0, wrong_refusal: 1.0 }, 0.75),
            (Costs { wrong_answer: 1.0, wrong_refusal: 1.0 }, 0.5),
        ] {
            let fitted = fit_threshold(&known, &stratified(&known), costs, 0.9, 7);
            assert!((fitted.chosen - expected).abs() < 0.04, "{costs:?}: {fitted:?}");
        }
    }

    #[test]
    fn folds_are_stretches_with_both_kinds() {
        assert_eq!(folds(10), [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]);
        let known: Vec<Known> = (0..20).map(|at| (0.5, at < 10)).collect();
        let folds = stratified(&known);
        for fold in 0..FOLDS {
            let kinds: Vec<bool> =
                known.iter().zip(&folds).filter(|(_, f)| **f == fold).map(|((_, kind), _)| *kind).collect();
            assert_eq!(kinds, [true, true, false, false]);
        }
    }
}
