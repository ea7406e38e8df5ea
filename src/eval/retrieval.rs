//! `eval run`: rankings of documents against relevance judgements.

use std::collections::HashMap;
use std::path::Path;
use std::time::Instant;

use super::EvalError;
use super::dataset::RetrievalSet;
use super::engine::Engine;
use super::metrics::{Percentiles, RankingScores, first_of_each};
use super::report::{Metrics, Report};
use super::sample::keep_spread;
use crate::config::Config;
use crate::problem::Problem;

/// Passages that are ranked for one query: enough that a hundred documents are among them.
const PASSAGES: usize = 300;

/// Which part of a set is measured.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    pub limit: Option<usize>,
    pub seed: u64,
}

/// Measures retrieval on a folder in BEIR's layout.
pub async fn run(
    config: Config,
    folder: &Path,
    part: Part,
    progress: impl Fn(&str, u64),
) -> Result<Report, EvalError> {
    let set = RetrievalSet::read(folder)?;
    let queries = keep_spread(set.queries, part.limit, part.seed);
    let engine = Engine::fill(config, &set.corpus, |done| progress("documents", done)).await?;
    let creator = engine.app.store().creator(&engine.creator).await.map_err(Problem::from)?;
    let documents = engine.app.store().documents(&engine.creator).await.map_err(Problem::from)?;
    let external: HashMap<_, _> = documents
        .into_iter()
        .map(|document| (document.id, document.external_id.unwrap_or_default()))
        .collect();
    let finder = engine.app.finder();
    let collection = finder.collections.get(&engine.creator).await.map_err(Problem::from)?;
    // The first question loads the model and the collection; nobody waits for that twice.
    finder.rank(&creator, "warm up", None, PASSAGES).await.map_err(Problem::from)?;

    let (mut scores, mut latencies) = (Vec::with_capacity(queries.len()), Vec::with_capacity(queries.len()));
    for (number, query) in (1u64..).zip(&queries) {
        let began = Instant::now();
        let ranked = finder.rank(&creator, &query.text, None, PASSAGES).await.map_err(Problem::from)?;
        latencies.push(began.elapsed().as_secs_f64() * 1000.0);
        let ids = {
            let collection = collection.read();
            let document = |hit: &crate::answer::fuse::Fused| {
                collection.documents.get(&hit.chunk).and_then(|id| external.get(id)).cloned()
            };
            first_of_each(ranked.hits.iter().filter_map(document))
        };
        scores.push(RankingScores::of(&ids, &query.judgements));
        progress("queries", number);
    }
    Ok(Report {
        dataset: set.name,
        queries: queries.len(),
        metrics: Metrics::from(RankingScores::mean(&scores)),
        latency_ms: Percentiles::of(&latencies),
        settings: engine.settings(part.limit, part.seed),
    })
}
