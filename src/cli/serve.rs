//! `serve`: the HTTP server and the job workers, until a signal.

use std::sync::Arc;

use clap::{Args, ValueEnum};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::output::Output;
use super::relay::Holder;
use crate::app::App;
use crate::problem::{Kind, Problem};

#[derive(Debug, Args)]
pub struct Serve {
    /// Address and port [default: 127.0.0.1:8000]
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<String>,
    /// Whether this process works through queued uploads
    #[arg(long, value_name = "on|off", default_value = "on")]
    jobs: Switch,
    /// Whether this process answers over HTTP
    #[arg(long, value_name = "on|off", default_value = "on")]
    http: Switch,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Switch {
    On,
    Off,
}

pub async fn run(serve: Serve, app: Arc<App>, output: &Output) -> Result<(), Problem> {
    let listener = match serve.http {
        Switch::On => Some(bind(&app).await?),
        Switch::Off => None,
    };
    let steps = first_steps(&app).await?;
    run_with(app, listener, serve.jobs == Switch::On, steps, output).await
}

/// Takes the configured address, or says who has it.
pub async fn bind(app: &App) -> Result<TcpListener, Problem> {
    let address = app.config().listen;
    TcpListener::bind(address).await.map_err(|error| {
        let hint = match error.kind() {
            std::io::ErrorKind::AddrInUse => {
                "stop the other program, or choose another port with `--listen 127.0.0.1:8001`"
            }
            std::io::ErrorKind::PermissionDenied => "choose a port above 1023 with `--listen`",
            _ => "choose an address of this machine with `--listen`",
        };
        Problem::new(Kind::Conflict, "address_unusable", format!("cannot listen on {address}: {error}"), hint)
    })
}

/// Serves and works until SIGINT or SIGTERM; then stops accepting, drains, stops the workers, in this order. `steps`
/// are said under the address.
pub async fn run_with(
    app: Arc<App>,
    listener: Option<TcpListener>,
    jobs: bool,
    steps: Option<String>,
    output: &Output,
) -> Result<(), Problem> {
    app.check_pair_models()?;
    app.warm_up();
    app.tidy_up();
    if let Err(error) = app.make_secrets().await {
        tracing::warn!(%error, "secrets are made when they are first needed");
    }
    let stop = CancellationToken::new();
    let deliveries = jobs.then(|| tokio::spawn(crate::events::deliver::run(app.deliverer(), stop.clone())));
    let worker = jobs.then(|| tokio::spawn(crate::jobs::run(app.jobs(), stop.clone())));
    let watcher =
        jobs.then(|| tokio::spawn(crate::jobs::watch::run(app.jobs(), app.look_every(), stop.clone())));
    let retention = jobs.then(|| tokio::spawn(crate::app::retention::run(app.clone(), stop.clone())));
    let signalled = {
        let stop = stop.clone();
        tokio::spawn(async move {
            signal().await;
            stop.cancel();
        })
    };
    let address = match &listener {
        Some(listener) => Some(format!("http://{}", listener.local_addr().map_err(Problem::internal)?)),
        None => None,
    };
    let holder = Holder::start(app.clone(), address.clone()).await?;
    if let (Some(listener), Some(address)) = (listener, address) {
        output.say(format!("listening on {address}"));
        if let Some(link) = first_account(&app, &address).await? {
            output.say(format!("no account yet; make yours here, once: {link}"));
        }
        if let Some(steps) = steps {
            output.say(steps);
        }
        serve_metrics(&app, &stop).await?;
        let stopped = stop.clone();
        crate::http::serve(app.clone(), listener, async move { stopped.cancelled().await })
            .await
            .map_err(Problem::internal)?;
    } else {
        stop.cancelled().await;
    }
    stop.cancel();
    signalled.abort();
    holder.finish().await;
    for task in [watcher, worker, deliveries, retention].into_iter().flatten() {
        task.await.map_err(Problem::internal)?;
    }
    output.say("stopped");
    Ok(())
}

/// Begins to count, and answers `/metrics` where the settings say. An address that somebody else has is no reason to
/// leave students without answers.
async fn serve_metrics(app: &Arc<App>, stop: &CancellationToken) -> Result<(), Problem> {
    let settings = &app.config().settings.server;
    if settings.metrics_listen.is_empty() {
        return Ok(());
    }
    crate::telemetry::metrics::install()?;
    tokio::spawn(crate::http::metrics::watch(app.clone(), stop.clone()));
    if settings.metrics_listen == settings.listen {
        return Ok(());
    }
    match TcpListener::bind(&settings.metrics_listen).await {
        Ok(listener) => {
            tracing::info!(address = %settings.metrics_listen, "metrics are at /metrics");
            let (app, stop) = (app.clone(), stop.clone());
            tokio::spawn(async move {
                if let Err(error) = crate::http::metrics::serve(app, listener, stop).await {
                    tracing::warn!(%error, "metrics are not served any more");
                }
            });
        }
        Err(error) => tracing::warn!(
            %error, address = %settings.metrics_listen,
            "metrics are not served; set `server.metrics_listen` to a free address, or to \"\" for none"
        ),
    }
    Ok(())
}

/// What is missing before students can ask and programs can bring content in.
async fn first_steps(app: &App) -> Result<Option<String>, Problem> {
    let neverafk = super::relay::typed(app.config());
    let store = app.store();
    Ok(if store.creators().await?.is_empty() {
        Some(format!("no creator yet; in another terminal: {neverafk} creator add SLUG"))
    } else if store.keys(None).await?.is_empty() {
        Some(format!("no key yet; in another terminal: {neverafk} key create --creator SLUG"))
    } else {
        None
    })
}

/// The link that makes the first account; nothing when there is one.
async fn first_account(app: &App, address: &str) -> Result<Option<String>, Problem> {
    let secret = crate::app::secret()?;
    let open = app.accounts().offer_first(&secret).await?;
    Ok(open.then(|| format!("{address}/setup?token={}", secret.to_text())))
}

/// Resolves at SIGINT or SIGTERM.
pub async fn signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    if let Err(error) = tokio::signal::ctrl_c().await {
        tracing::error!(%error, "signals cannot be received; stop the program by killing it");
        std::future::pending::<()>().await;
    }
}
