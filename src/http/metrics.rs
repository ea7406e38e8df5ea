//! `GET /metrics`: the numbers for Prometheus, on a listener of their own; and the layer that counts requests.
//!
//! By default only this machine can ask (`server.metrics_listen`); the public listener has the route only when both
//! settings name the same address. Names and meanings are in `telemetry/metrics.rs`.

use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use metrics::{counter, gauge, histogram};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::AppState;
use super::error::ApiError;
use crate::telemetry::metrics as names;

/// Histograms are folded this often when nobody reads them.
const UPKEEP: Duration = Duration::from_secs(5);

/// Answers `GET /metrics` and nothing else, until `stop`.
pub async fn serve(app: AppState, listener: TcpListener, stop: CancellationToken) -> std::io::Result<()> {
    let router = Router::new().route("/metrics", get(show)).with_state(app);
    axum::serve(listener, router).with_graceful_shutdown(async move { stop.cancelled().await }).await
}

/// Counts what the store tells, until `stop`.
pub async fn watch(app: AppState, stop: CancellationToken) {
    let mut news = app.store().news();
    let mut upkeep = tokio::time::interval(UPKEEP);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = upkeep.tick() => match names::install() {
                Ok(handle) => handle.run_upkeep(),
                Err(problem) => tracing::warn!(%problem, "metrics are not kept"),
            },
            told = news.recv() => match told {
                Ok(told) => names::observe(&told),
                Err(tokio::sync::broadcast::error::RecvError::Lagged(missed)) => {
                    counter!(names::EVENTS_MISSED).increment(missed);
                }
                Err(tokio::sync::broadcast::error::RecvError::Closed) => return,
            },
        }
    }
}

/// The numbers as they are now.
pub async fn show(State(app): State<AppState>) -> Result<Response, ApiError> {
    let handle = names::install()?;
    let store = app.store();
    let [queued, running] = store.open_jobs().await?;
    gauge!(names::JOBS, "state" => "queued").set(queued as f64);
    gauge!(names::JOBS, "state" => "running").set(running as f64);
    gauge!(names::DELIVERIES_WAITING).set(store.waiting_deliveries().await? as f64);
    gauge!(names::MAILS_WAITING).set(store.mail_counts().await?.waiting as f64);
    gauge!(names::CREATORS).set(store.creators().await?.len() as f64);
    let [under_way, places] = app.answers_under_way();
    gauge!(names::ANSWERS_UNDER_WAY).set(under_way as f64);
    gauge!(names::ANSWER_PLACES).set(places as f64);
    gauge!(names::UPTIME_SECONDS).set(app.uptime().as_secs_f64());
    gauge!(names::BUILD, "version" => app.version()).set(1.0);
    let file = app.config().data_dir.join("neverafk.redb");
    if let Ok(file) = tokio::fs::metadata(file).await {
        gauge!(names::STORE_BYTES).set(file.len() as f64);
    }
    if let Some(bytes) = resident_bytes().await {
        gauge!(names::MEMORY_BYTES).set(bytes as f64);
    }
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    Ok(([(header::CONTENT_TYPE, kind)], handle.render()).into_response())
}

/// Counts a request under the route as it is declared, so that ids in addresses make no labels.
pub async fn count(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str).to_owned();
    let method = match request.method().as_str() {
        known @ ("GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "HEAD" | "OPTIONS") => known.to_owned(),
        _ => "other".to_owned(),
    };
    let began = Instant::now();
    let response = {
        let _under_way = UnderWay::new();
        next.run(request).await
    };
    let status = response.status().as_u16().to_string();
    histogram!(names::HTTP_SECONDS, "route" => route.clone()).record(began.elapsed().as_secs_f64());
    counter!(names::HTTP_REQUESTS, "route" => route, "method" => method, "status" => status).increment(1);
    response
}

/// A request whose client left is dropped, and counts no more.
struct UnderWay;

impl UnderWay {
    fn new() -> Self {
        gauge!(names::HTTP_UNDER_WAY).increment(1.0);
        Self
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        gauge!(names::HTTP_UNDER_WAY).decrement(1.0);
    }
}

/// As Linux tells it (proc_pid_status(5)); other systems have no such file.
async fn resident_bytes() -> Option<u64> {
    let status = tokio::fs::read_to_string("/proc/self/status").await.ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kilobytes << 10)
}
