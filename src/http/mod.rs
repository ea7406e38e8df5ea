//! The HTTP edge: every route in one list, every layer in another. Handlers own no rules: they take, check,
//! call [`App`], and shape what comes back.

mod api;
mod assets;
mod auth;
mod cors;
mod dashboard;
mod error;
mod extract;
mod graphql;
pub mod metrics;
mod socket;
mod sse;
mod talk;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::handler::Handler;
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, StatusCode, Version, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};
use tower_http::set_header::SetResponseHeaderLayer;

use crate::app::App;
use crate::problem::{Kind, Problem};
pub use dashboard::{ROUTES as DASHBOARD_ROUTES, Rule as DashboardRule};
use error::ApiError;

/// What every handler sees.
pub type AppState = Arc<App>;

/// Questions are short; nothing but uploads needs more.
const BODY_LIMIT: usize = 256 * 1024;
/// After a signal, answers under way have this long to end.
const DRAIN: Duration = Duration::from_secs(10);

/// Serves until `shutdown` resolves, then lets answers end.
pub async fn serve(
    app: AppState,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let (signalled, drained) = tokio::sync::oneshot::channel::<()>();
    let router = router(app).into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(listener, router).with_graceful_shutdown(async move {
        shutdown.await;
        let _ = signalled.send(());
    });
    tokio::select! {
        ended = server.into_future() => ended,
        // Idle keep-alive connections and stalled readers must not hold the program up.
        () = async { let _ = drained.await; tokio::time::sleep(DRAIN).await } => Ok(()),
    }
}

/// Every route within every layer.
pub fn router(app: AppState) -> Router {
    let upload_limit =
        usize::try_from(app.config().settings.server.max_upload_mb << 20).unwrap_or(usize::MAX);
    routes(&app, DefaultBodyLimit::max(upload_limit.saturating_add(BODY_LIMIT)))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(axum::middleware::from_fn(metrics::count))
        .layer(axum::middleware::from_fn_with_state(app.clone(), cors::cross_origin))
        .layer(axum::middleware::from_fn(declared_length(upload_limit)))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(compression())
        .layer(plain_header("x-content-type-options", "nosniff"))
        .layer(plain_header("referrer-policy", "no-referrer"))
        // What is made for one asker is nobody else's, and is old a moment later.
        .layer(plain_header("cache-control", "no-store"))
        .layer(axum::middleware::from_fn(error::finish))
        .with_state(app)
}

fn routes(app: &AppState, uploads: DefaultBodyLimit) -> Router<AppState> {
    let settings = &app.config().settings.server;
    let with_metrics = settings.metrics_listen == settings.listen;
    let router = Router::new();
    let router = if with_metrics { router.route("/metrics", get(metrics::show)) } else { router };
    router
        .route("/", get(assets::landing))
        .route("/docs", get(assets::docs))
        .route("/demo", get(talk::demo))
        .route("/c/{creator}", get(talk::show))
        .route("/c/{creator}/avatar", get(api::avatar::show))
        .route("/embed.js", get(assets::widget))
        .route("/assets/{*path}", get(assets::file))
        .route("/openapi.json", get(api::openapi::document))
        .route("/health", get(api::health::health))
        .route("/health/detailed", get(api::health::detailed))
        .route("/ready", get(api::health::ready))
        .route("/live", get(api::health::live))
        .route("/graphql", post(graphql::execute))
        .route("/ws", get(socket::open))
        .route("/chat", post(api::chat::answer))
        .route("/chat/stream", post(api::chat::stream))
        .route("/chat/access", get(api::chat::access))
        .route("/chat/contact", post(api::chat::contact))
        .route("/chat/look", get(api::look::show))
        .route("/feedback", post(api::feedback::give))
        .route("/upload/content", post(api::upload::upload.layer(uploads)))
        .route("/conversations/{creator}", get(api::conversations::turns))
        .route("/api/v1/documents", get(api::documents::list).post(api::upload::create.layer(uploads)))
        .route("/api/v1/documents/{id}", get(api::documents::show).delete(api::documents::delete))
        .route("/d/{document}", get(api::document_view::page))
        .route("/d/{document}/text", get(api::document_view::text))
        .route("/d/{document}/original", get(api::document_view::original))
        .route("/d/{document}/captions", get(api::document_view::captions))
        .route("/api/v1/jobs/{id}", get(api::jobs::show))
        .route("/api/v1/sources", get(api::sources::list).post(api::sources::add))
        .route("/api/v1/sources/{id}", axum::routing::delete(api::sources::remove))
        .route("/api/v1/search", get(api::search::search))
        .route("/api/v1/usage", get(api::billing::usage))
        .route("/api/v1/billing", get(api::billing::show))
        .route("/api/v1/billing/ledger", get(api::billing::ledger))
        .route("/api/v1/billing/checkout", post(api::billing::checkout))
        .route("/api/v1/billing/portal", post(api::billing::portal))
        .route("/webhooks/lemonsqueezy", post(api::lemon::receive))
        .route("/api/v1/settings", get(api::settings::show).patch(api::settings::change))
        .route("/api/v1/avatar", axum::routing::put(api::avatar::set).delete(api::avatar::remove))
        .route("/api/v1/compare", post(api::compare::compare))
        .route("/api/v1/models", get(api::models::list))
        .route("/api/v1/models/pull", post(api::models::pull))
        .route("/api/v1/escalations", get(api::escalations::list))
        .route("/api/v1/escalations/{id}", get(api::escalations::show))
        .route("/api/v1/escalations/{id}/assign", post(api::escalations::assign))
        .route("/api/v1/escalations/{id}/notes", post(api::escalations::note))
        .route("/api/v1/escalations/{id}/reply", post(api::escalations::reply))
        .route("/api/v1/escalations/{id}/resolve", post(api::escalations::resolve))
        .route("/api/v1/escalations/{id}/take-over", post(api::escalations::take_over))
        .route("/api/v1/escalations/{id}/hand-back", post(api::escalations::hand_back))
        .route("/api/v1/messages/{id}/feedback", post(api::feedback::judge))
        .route("/api/v1/messages/{id}/correction", post(api::feedback::correct))
        .route("/api/v1/insights", get(api::insights::show))
        .route("/api/v1/insights/complaints", get(api::insights::complaints))
        .route("/api/v1/insights/gaps", get(api::insights::gaps))
        .route("/api/v1/insights/questions", get(api::insights::questions))
        .route("/api/v1/insights/lessons", get(api::insights::lessons))
        .route("/api/v1/experiments", get(api::experiments::list).post(api::experiments::add))
        .route("/api/v1/experiments/{id}", get(api::experiments::show).delete(api::experiments::remove))
        .route("/api/v1/experiments/{id}/stop", post(api::experiments::stop))
        .route("/api/v1/experiments/{id}/use", post(api::experiments::use_variant))
        .route("/api/v1/students", get(api::students::list))
        .route("/api/v1/students/secret", post(api::students::secret))
        .route("/api/v1/students/{id}", get(api::students::show).delete(api::students::erase))
        .route("/api/v1/students/{id}/progress", get(api::progress::show).post(api::progress::add))
        .route("/api/v1/webhooks", get(api::webhooks::list).post(api::webhooks::add))
        .route("/api/v1/webhooks/{id}", axum::routing::delete(api::webhooks::remove))
        .route("/api/v1/webhooks/{id}/test", post(api::webhooks::test))
        .route("/api/v1/webhooks/{id}/deliveries", get(api::webhooks::deliveries))
        .route("/api/v1/webhooks/{id}/deliveries/{delivery}/redeliver", post(api::webhooks::redeliver))
        .route("/v1/chat/completions", post(api::openai::chat::complete))
        .route("/v1/embeddings", post(api::openai::embeddings::embed))
        .route("/v1/models", get(api::openai::models::list))
        .route("/v1/models/{id}", get(api::openai::models::show))
        .merge(dashboard::routes(app.clone(), uploads))
        .fallback(missing)
        .method_not_allowed_fallback(wrong_method)
}

/// Programs get the error's shape, people a page that leads back.
async fn missing(headers: HeaderMap) -> Response {
    if assets::wants_html(&headers) {
        return assets::missing_page();
    }
    not_found().into_response()
}

fn not_found() -> ApiError {
    ApiError(Problem::new(
        Kind::Missing,
        "not_found",
        "there is nothing at this address",
        "see `/docs` for the routes",
    ))
}

async fn wrong_method() -> ApiError {
    ApiError(Problem::new(
        Kind::Method,
        "method_not_allowed",
        "this address does not know that method",
        "see `/docs` for the routes and their methods",
    ))
}

fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    ApiError(Problem::internal("a handler panicked")).into_response()
}

/// Refuses a body by its declared length, before a byte of it is read.
fn declared_length(
    upload_limit: usize,
) -> impl Fn(axum::extract::Request, axum::middleware::Next) -> futures_util::future::BoxFuture<'static, Response>
+ Clone
+ Send
+ 'static {
    move |request, next| {
        let path = request.uri().path();
        let upload = matches!(path, "/upload/content" | "/api/v1/documents") || dashboard::takes_files(path);
        let limit = if upload { upload_limit } else { BODY_LIMIT } as u64;
        let declared = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
        let too_large =
            declared.and_then(|length| length.parse::<u64>().ok()).is_some_and(|length| length > limit);
        Box::pin(async move {
            if too_large { ApiError(extract::too_large()).into_response() } else { next.run(request).await }
        })
    }
}

/// Compresses pages and JSON; never a stream, which would hold events back, and never a file that comes in ranges,
/// whose lengths and tag are those of its bytes.
fn compression() -> CompressionLayer<impl Predicate> {
    let whole = |_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions| {
        !headers.contains_key(header::ACCEPT_RANGES)
    };
    CompressionLayer::new().compress_when(SizeAbove::new(1024).and(NotForContentType::SSE).and(whole))
}

fn plain_header(name: &'static str, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(HeaderName::from_static(name), HeaderValue::from_static(value))
}

/// 128 random bits as an id; when the system gives none, the time has to do.
fn fresh_id() -> String {
    let mut bytes = [0u8; 16];
    if getrandom::fill(&mut bytes).is_err() {
        let now = std::time::UNIX_EPOCH.elapsed().map_or(0, |elapsed| elapsed.as_nanos());
        bytes = now.to_le_bytes();
    }
    crate::domain::MessageId::from_bytes(bytes).to_string()
}
