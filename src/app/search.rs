//! Retrieval alone, in the shape that `search --json` and `GET /api/v1/search` give.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::App;
use crate::domain::{Anchor, CreatorId};
use crate::problem::{Kind, Problem};

/// Found passages, best first.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct SearchReport {
    pub query: String,
    pub hits: Vec<SearchHit>,
    /// Stages in milliseconds.
    pub timings_ms: BTreeMap<String, f64>,
}

/// A found passage.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct SearchHit {
    /// 1 is the best.
    pub rank: usize,
    pub score: f32,
    pub chunk_id: u64,
    pub document_id: String,
    pub external_id: Option<String>,
    pub title: String,
    pub text: String,
    #[schema(value_type = Object)]
    pub anchor: Anchor,
    pub url: Option<String>,
}

pub(super) async fn search(
    app: &App,
    creator: &CreatorId,
    query: &str,
    k: usize,
) -> Result<SearchReport, Problem> {
    let began = Instant::now();
    if query.trim().is_empty() {
        return Err(Problem::new(
            Kind::Invalid,
            "invalid_question",
            "the query is empty",
            "search for something",
        ));
    }
    let (finder, creator) = (app.finder(), app.store().creator(creator).await?);
    let ranked = finder.rank(&creator, query, None, k).await?;
    let retrieved = began.elapsed();
    let hits = finder.passages(&creator.id, &ranked.hits).await?.into_iter().enumerate();
    let hits = hits
        .map(|(place, passage)| SearchHit {
            rank: place + 1,
            score: passage.hit.score,
            chunk_id: passage.chunk.id.0,
            document_id: passage.document.id.to_string(),
            url: Some(crate::answer::cite::url_of_all(&passage)),
            external_id: passage.document.external_id,
            title: passage.document.title,
            text: passage.chunk.text,
            anchor: passage.chunk.anchor,
        })
        .collect();
    let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
    let timings_ms = BTreeMap::from([
        ("retrieve".to_owned(), milliseconds(retrieved)),
        ("total".to_owned(), milliseconds(began.elapsed())),
    ]);
    Ok(SearchReport { query: query.to_owned(), hits, timings_ms })
}
