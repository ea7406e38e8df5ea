//! `eval run`: rankings of documents against relevance judgements.

use std::time::Instant;

use super::EvalError;
use super::dataset::RetrievalSet;
use super::engine::Engine;
use super::metrics::{Percentiles, RankingScores, first_of_each};
use super::provenance::{Provenance, hash};
use super::report::{Details, Metrics, Report, Scored, Task};
use super::sample::keep_spread;
use crate::answer::fuse::Fused;
use crate::problem::Problem;

pub use super::sample::Part;

/// Passages that are ranked for one query: enough that a hundred documents are among them.
const PASSAGES: usize = 300;

/// The documents that were ranked for a query, best first.
pub struct Ranking<'a> {
    pub query: &'a str,
    pub documents: &'a [String],
}

/// Measures retrieval. `progress` gets the number of queries done and of all, `each` every ranking.
pub async fn run(
    engine: &Engine,
    set: &RetrievalSet,
    part: Part,
    progress: impl Fn(u64, u64),
    mut each: impl FnMut(Ranking<'_>),
) -> Result<Report, EvalError> {
    let queries = keep_spread(set.queries.clone(), part.limit, part.seed);
    let creator = engine.record().await?;
    let names = engine.names().await?;
    let finder = engine.app.finder();
    let collection = finder.collections.get(&engine.creator).await.map_err(Problem::from)?;
    // The first question loads the model and the collection; nobody waits for that twice.
    finder.rank(&creator, "warm up", None, PASSAGES).await.map_err(Problem::from)?;

    let (mut scores, mut latencies) = (Vec::with_capacity(queries.len()), Vec::with_capacity(queries.len()));
    let mut questions = Vec::with_capacity(queries.len());
    for (number, query) in (1u64..).zip(&queries) {
        let began = Instant::now();
        let ranked = finder.rank(&creator, &query.text, None, PASSAGES).await.map_err(Problem::from)?;
        let latency = began.elapsed().as_secs_f64() * 1000.0;
        let ids = {
            let collection = collection.read();
            let document =
                |hit: &Fused| collection.documents.get(&hit.chunk).and_then(|id| names.get(id)).cloned();
            first_of_each(ranked.hits.iter().filter_map(document))
        };
        each(Ranking { query: &query.id, documents: &ids });
        let score = RankingScores::of(&ids, &query.judgements);
        let mut scored = Scored { latency_ms: Some(latency), ..Scored::new(&query.id) };
        score.named().into_iter().for_each(|(name, value)| scored.add(name, value));
        questions.push(scored);
        scores.push(score);
        latencies.push(latency);
        progress(number, queries.len() as u64);
    }
    let files: Vec<_> = set.files.iter().map(AsRef::as_ref).collect();
    let mut details = Details::of(Task::Retrieval, questions, part.seed);
    details.provenance = Some(Provenance::of(&engine.app, engine.data(hash(&files)?), part).await?);
    Ok(Report {
        dataset: set.name.clone(),
        queries: queries.len(),
        metrics: Metrics::from(RankingScores::mean(&scores)),
        latency_ms: Percentiles::of(&latencies),
        settings: engine.settings(part),
        details,
    })
}
