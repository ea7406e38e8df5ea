//! What works on this machine, what does not, and what to do about it. Changes nothing that is there.

use serde::Serialize;

use super::{App, models};
use crate::config::Config;
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
    checks.extend([model("embedding model", &config), model("answer model", &config)]);
    checks.push(port(&config));
    checks.push(data(config).await);
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

fn model(name: &'static str, config: &Config) -> Check {
    let chosen = match name {
        "embedding model" => &config.settings.models.embedding,
        _ => &config.settings.answer.model,
    };
    match models::present(chosen, &config.models_dir) {
        Ok(()) => good(name, chosen.clone()),
        Err(error) => bad(name, &Problem::from(error)),
    }
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

async fn data(config: Config) -> Check {
    let directory = config.data_dir.display().to_string();
    if !config.data_dir.join("neverafk.redb").exists() {
        return Check {
            name: "data",
            state: State::Note,
            found: format!("{directory} holds nothing yet"),
            hint: Some("`neverafk demo` or `neverafk creator add SLUG` begins".into()),
        };
    }
    let app = match App::open(config).await {
        Ok(app) => app,
        Err(problem) => return bad("data", &problem),
    };
    match app.store().creators().await {
        Ok(creators) => good("data", format!("{directory}, {} creators", creators.len())),
        Err(error) => bad("data", &error.into()),
    }
}
