//! What works on this machine, what does not, and what to do about it. Changes nothing that is there.

use std::time::Duration;

use serde::Serialize;

use super::{App, chain, models};
use crate::config::{BillingSettings, Config, MailSettings};
use crate::inference::{ModelError, remote};
use crate::ingest::IngestError;
use crate::ingest::ocr::Ocr;
use crate::mail::smtp::{SmtpOptions, probe};
use crate::problem::Problem;

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Good,
    /// Works, but worth knowing.
    Note,
    Bad,
}

/// One thing that was looked at.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    pub name: &'static str,
    pub state: State,
    pub found: String,
    pub hint: Option<String>,
}

/// Looks at everything.
pub async fn examine(config: Config) -> Vec<Check> {
    let mut checks = vec![processor(), models_directory(&config)];
    checks.push(model("embedding model", &config.settings.models.embedding, &config).await);
    for name in chain::names(&config.settings) {
        checks.push(model("answer model", name, &config).await);
    }
    let answer = &config.settings.answer;
    for (name, chosen) in [("reranker", &answer.reranker), ("entailment model", &answer.entailment)] {
        if !chosen.is_empty() {
            checks.push(model(name, chosen, &config).await);
        }
    }
    checks.push(readers(&config).await);
    checks.push(scans(&config).await);
    checks.push(speech(&config));
    checks.push(privacy(&config));
    checks.extend(mail(&config).await);
    checks.extend(billing(&config));
    checks.push(port(&config));
    checks.extend(breakers(&config).await);
    checks.extend(data(config).await);
    checks
}

/// Looks at what can be looked at while the server runs, which has its address and its data.
pub async fn examine_running(app: &App) -> Vec<Check> {
    let config = app.config();
    let mut checks = vec![processor(), models_directory(config)];
    checks.push(model("embedding model", &config.settings.models.embedding, config).await);
    for name in chain::names(&config.settings) {
        checks.push(model("answer model", name, config).await);
    }
    checks.push(readers(config).await);
    checks.push(scans(config).await);
    checks.push(speech(config));
    checks.push(privacy(config));
    checks.extend(mail(config).await);
    checks
}

fn good(name: &'static str, found: String) -> Check {
    Check { name, state: State::Good, found, hint: None }
}

fn bad(name: &'static str, problem: &Problem) -> Check {
    Check { name, state: State::Bad, found: problem.message.clone(), hint: Some(problem.hint.to_string()) }
}

fn processor() -> Check {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    good("processor", format!("{cores} cores, {}", instructions()))
}

/// The widest instruction set that this machine offers, as the kernels will find it.
pub fn instructions() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    {
        if std::arch::is_x86_feature_detected!("avx512f") {
            return "AVX-512";
        }
        if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
            return "AVX2";
        }
        "SSE2"
    }
    #[cfg(target_arch = "aarch64")]
    {
        "NEON"
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    {
        "portable code"
    }
}

fn models_directory(config: &Config) -> Check {
    match models::installed(&config.models_dir) {
        Ok(names) if names.is_empty() => Check {
            name: "models",
            state: State::Note,
            found: "none installed; the built-in ones answer".into(),
            hint: Some(
                "`neverafk models pull all-MiniLM-L6-v2` finds more questions that are worded otherwise"
                    .into(),
            ),
        },
        Ok(names) => good("models", names.join(", ")),
        Err(problem) => bad("models", &problem),
    }
}

/// Whether recordings can be listened to; many have none.
fn speech(config: &Config) -> Check {
    let note = |found: &str, hint: String| Check {
        name: "speech model",
        state: State::Note,
        found: found.into(),
        hint: Some(hint),
    };
    let pull = |model: &str| format!("`neverafk models pull {model}`");
    let name = match models::speech_model(&config.models_dir, &config.settings.models) {
        Ok(name) => name,
        Err(ModelError::NotInstalled { model }) => {
            return note("none installed; recordings are kept without their words", pull(&model));
        }
        Err(error) => return bad("speech model", &Problem::from(error)),
    };
    if let Err(error) = models::present(&name, &config.models_dir) {
        return bad("speech model", &Problem::from(error));
    }
    match models::present("silero-vad", &config.models_dir) {
        Ok(()) => good("speech model", format!("{name} with silero-vad")),
        Err(_) => note(&format!("{name}; speech is told from silence by loudness alone"), pull("silero-vad")),
    }
}

/// A model that runs here must be installed; a server is asked whether it is there and takes the key.
async fn model(name: &'static str, chosen: &str, config: &Config) -> Check {
    let asked = match models::remote(chosen, &config.settings) {
        Ok(None) => models::present(chosen, &config.models_dir).map(|()| good(name, chosen.to_owned())),
        Ok(Some(options)) => remote::probe(options, PROBE_TIME)
            .await
            .map(|took| good(name, format!("{chosen} answers after {} ms", took.as_millis()))),
        Err(error) => Err(error),
    };
    asked.unwrap_or_else(|error| bad(name, &Problem::from(error)))
}

/// How long a server may take to say that it is there.
const PROBE_TIME: Duration = Duration::from_secs(3);

/// Whether documents can be read apart from the program, and how well those processes are confined.
async fn readers(config: &Config) -> Check {
    let name = "reading";
    let sandbox = config.sandbox.clone();
    let probed = tokio::task::spawn_blocking(move || sandbox.probe()).await;
    match probed.map_err(Problem::internal) {
        Ok(Ok((confinement, took))) if confinement.lacking.is_empty() => good(
            name,
            format!(
                "documents are read in processes without files, network and other programs ({:.0} ms to start one)",
                took.as_secs_f64() * 1e3
            ),
        ),
        Ok(Ok((confinement, _))) => Check {
            name,
            state: State::Note,
            found: format!(
                "documents are read in processes of their own; {}",
                confinement.lacking.join("; ")
            ),
            hint: Some("run the server as a user of its own that may read nothing else".into()),
        },
        Ok(Err(error)) => bad(name, &Problem::from(IngestError::Extract { name: "a test".into(), error })),
        Err(problem) => bad(name, &problem),
    }
}

/// Whether the words of scans and pictures are recognised, and how well the program that does it is confined.
async fn scans(config: &Config) -> Check {
    let name = "text recognition";
    let ocr = Ocr::new(&config.settings.ingest.ocr_languages);
    let looked = tokio::task::spawn_blocking(move || {
        Some((ocr.languages()?.to_owned(), ocr.confinement().cloned().unwrap_or_default()))
    });
    match looked.await.map_err(Problem::internal) {
        Ok(None) => {
            good(name, "off: no `tesseract`, or none of the languages of `ingest.ocr_languages`".into())
        }
        Ok(Some((languages, confinement))) if confinement.lacking.is_empty() => good(
            name,
            format!("`tesseract` reads scans ({languages}), without network and without files but its own"),
        ),
        Ok(Some((languages, confinement))) => Check {
            name,
            state: State::Note,
            found: format!(
                "`tesseract` reads scans ({languages}) within limits; {}",
                confinement.lacking.join("; ")
            ),
            hint: Some("run the server as a user of its own that may read nothing else".into()),
        },
        Err(problem) => bad(name, &problem),
    }
}

/// What leaves this machine, in plain words, and whether anything does.
pub fn privacy(config: &Config) -> Check {
    let settings = &config.settings;
    let mut lines: Vec<String> = Vec::new();
    let mut leaves = false;
    let chat = chain::names(settings).iter().chain(&settings.answer.offered);
    let chat = chat.map(|name| (name, "questions and the passages found for them"));
    let embedding = std::iter::once((&settings.models.embedding, "all content and all questions"));
    for (name, what) in chat.chain(embedding) {
        if let Some(place) = models::leaves_to(name, settings) {
            let away = models::leaves_this_machine(&place);
            leaves |= away;
            let whose = if away { "" } else { ", on this machine" };
            lines.push(format!("`{name}` gets {what}, at {place}{whose}"));
        }
    }
    let stays = "no question and no content leaves this machine";
    if let Some((line, away)) = sold(&settings.billing) {
        leaves |= away;
        lines.push(if lines.is_empty() { format!("{stays}; {line}") } else { line });
    }
    if let Some((line, away)) = mailed(&settings.mail) {
        leaves |= away;
        lines.push(line);
    }
    if lines.is_empty() {
        return good("privacy", stays.into());
    }
    Check {
        name: "privacy",
        state: if leaves { State::Note } else { State::Good },
        found: lines.join("; "),
        hint: leaves.then(|| "models without a provider's name run here and send nothing".into()),
    }
}

/// Whether the mail server takes what is sent; nothing where none is set.
async fn mail(config: &Config) -> Option<Check> {
    let name = "mail";
    let smtp = match super::mail::smtp(config) {
        Ok(smtp) => smtp?,
        Err(problem) => return Some(bad(name, &problem)),
    };
    let server = format!("{}:{} ({})", smtp.host, smtp.port, smtp.security.as_str());
    let patience = smtp.timeout.min(PROBE_TIME);
    Some(match probe(&SmtpOptions { timeout: patience, ..smtp }).await {
        Ok(took) => good(name, format!("{server} takes mail, after {} ms", took.as_millis())),
        Err(fault) => Check {
            name,
            state: State::Bad,
            found: format!("{server} takes no mail: {}", fault.reason),
            hint: Some("check `[mail]`; what is to be sent waits, and nothing else does".into()),
        },
    })
}

/// What mails carry, and whether that leaves this machine; nothing where none is sent.
fn mailed(settings: &MailSettings) -> Option<(String, bool)> {
    if !settings.is_on() {
        return None;
    }
    let told = if settings.escalations { "questions that need a person, " } else { "" };
    let line = format!(
        "mails go out through {}: links for new passwords, invitations, {told}and replies to students",
        settings.host
    );
    // A mail server on this machine is where mails begin to leave it.
    Some((line, true))
}

/// What goes to the payment provider, and whether that is another machine; nothing where nothing is sold.
fn sold(settings: &BillingSettings) -> Option<(String, bool)> {
    if !settings.enabled || settings.api_key.is_empty() {
        return None;
    }
    // Checked when the settings were resolved.
    let url = settings.lemon().ok()?.api_url;
    let place = url.host_str().unwrap_or_default();
    let line = format!(
        "billing gives a creator's short name and what is bought to {place} when an owner goes to buy, and no question"
    );
    Some((line, models::leaves_this_machine(place)))
}

/// Whether what is offered can be bought, and paying is heard of.
fn billing(config: &Config) -> Option<Check> {
    let settings = &config.settings.billing;
    let name = "billing";
    if !settings.enabled {
        return None;
    }
    let missing = [
        ("billing.store", settings.store.is_empty()),
        ("billing.api_key", settings.api_key.is_empty()),
        ("billing.webhook_secret", settings.webhook_secret.is_empty()),
    ];
    let missing: Vec<&str> =
        missing.into_iter().filter(|(_, missing)| *missing).map(|(name, _)| name).collect();
    let plans = settings.plans.len();
    if missing.is_empty() {
        let mode = if settings.test_mode { ", for play money" } else { "" };
        return Some(good(name, format!("{plans} plans, sold by Lemon Squeezy{mode}")));
    }
    Some(Check {
        name,
        state: State::Note,
        found: format!("{plans} plans, of which none can be bought: {} not set", missing.join(", ")),
        hint: Some(
            "set them for buying; credits are counted without, and `neverafk creator credits` gives some"
                .into(),
        ),
    })
}

/// How the models of a server that runs already fare: their breakers live in its process.
async fn breakers(config: &Config) -> Vec<Check> {
    let Ok(url) = format!("http://{}/health/detailed", config.listen).parse() else { return Vec::new() };
    let Some(page) = remote::page(url, Duration::from_secs(1)).await else { return Vec::new() };
    let models = page["models"].as_array().cloned().unwrap_or_default();
    models
        .iter()
        .filter_map(|model| {
            let (name, state) = (model["name"].as_str()?, model["state"].as_str()?);
            let found = format!(
                "{name} is {state} in the running server: {} of the last {} calls failed",
                model["failures"], model["calls"]
            );
            let resting = matches!(state, "open" | "half_open");
            Some(Check {
                name: "breaker",
                state: if resting { State::Note } else { State::Good },
                found,
                hint: resting.then(|| {
                    format!("its last fault was `{}`", model["last_fault"].as_str().unwrap_or("unknown"))
                }),
            })
        })
        .collect()
}

fn port(config: &Config) -> Check {
    match std::net::TcpListener::bind(config.listen) {
        Ok(_) => good("address", format!("{} is free", config.listen)),
        Err(error) => Check {
            name: "address",
            state: State::Note,
            found: format!("{} cannot be used: {error}", config.listen),
            hint: Some("if no `neverafk` serves there, choose another port with `--listen`".into()),
        },
    }
}

async fn data(config: Config) -> Vec<Check> {
    let directory = config.data_dir.display().to_string();
    if !config.data_dir.join("neverafk.redb").exists() {
        return vec![Check {
            name: "data",
            state: State::Note,
            found: format!("{directory} holds nothing yet"),
            hint: Some("`neverafk demo` or `neverafk creator add SLUG` begins".into()),
        }];
    }
    let app = match App::open(config).await {
        Ok(app) => app,
        // A running server has it, which is as it should be.
        Err(problem) if problem.code == "data_in_use" => {
            return vec![Check {
                name: "data",
                state: State::Note,
                found: problem.message,
                hint: Some("if no server should run, end the process that holds it".into()),
            }];
        }
        Err(problem) => return vec![bad("data", &problem)],
    };
    let held = match app.store().creators().await {
        Ok(creators) => good("data", format!("{directory}, {} creators", creators.len())),
        Err(error) => bad("data", &error.into()),
    };
    let found = match app.store().findings().await {
        Ok(findings) => findings.first().map(|newest| Check {
            name: "payments",
            state: State::Note,
            found: format!(
                "{} messages of the payment provider fit nobody, as {} of {}: {}",
                findings.len(),
                newest.event,
                newest.subject,
                newest.why
            ),
            hint: Some(
                "`neverafk creator findings` lists them; let Lemon Squeezy send one again when it fits"
                    .into(),
            ),
        }),
        Err(error) => Some(bad("payments", &error.into())),
    };
    std::iter::once(held).chain(found).collect()
}
