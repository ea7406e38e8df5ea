//! `bench serve`: what a server bears. A second process serves the sample course; this one asks it over HTTP as 1 to 64
//! clients do, each with a connection of its own and the next request as soon as the last is answered.
//!
//! Three loads: chat with ever new questions, chat with the same question again and again, and search. Client and server
//! share the machine, so on few cores the figures are lower than with clients elsewhere; a note says so.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::report::{Better, Figure, Report, sampled, single};
use super::server::Server;
use super::{BenchError, Pace, machine, milliseconds, weights};
use crate::app::{App, demo, parts};
use crate::config::Config;
use crate::domain::CreatorId;
use crate::problem::Problem;

/// What is measured.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// Clients at the same time.
    pub clients: Vec<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Load {
    Chat,
    Repeated,
    Search,
}

const LOADS: [(Load, &str); 3] =
    [(Load::Chat, "chat"), (Load::Repeated, "chat, repeated question"), (Load::Search, "search")];

/// The time of a load is cut into so many slices, whose rates spread.
const SLICES: usize = 5;

/// A request that takes longer is an error.
const TIMEOUT: Duration = Duration::from_secs(60);

/// How long a client waits that was told to come back: a fraction of what a person would.
const BACK_OFF: Duration = Duration::from_millis(20);

/// What questions are about: all of it is in the sample course, and two of them with a form make thousands of questions.
const SUBJECTS: [&str; 24] = [
    "binoculars",
    "the dark",
    "my eyes",
    "red light",
    "the Moon",
    "Jupiter",
    "Saturn",
    "Venus",
    "Mars",
    "meteors",
    "satellites",
    "the log",
    "north",
    "the Plough",
    "Cassiopeia",
    "clusters",
    "nebulae",
    "galaxies",
    "a refund",
    "the certificate",
    "access",
    "the handbook",
    "clouds",
    "a tripod",
];
const FORMS: [&str; 8] = [
    "What should I know about A and B?",
    "How long does it take with A, and what about B?",
    "Can I see A without B?",
    "When is the best time for A or B?",
    "Does the course explain A before B?",
    "Why does A matter more than B?",
    "Where do I find A when there is B?",
    "What do I need for A, apart from B?",
];

/// Measures a server with these settings.
pub async fn run(mut config: Config, options: &ServeOptions, pace: &Pace<'_>) -> Result<Report, BenchError> {
    pace.tell(0.0, "preparing the sample course");
    let directory = tempfile::tempdir().map_err(BenchError::Scratch)?;
    config.data_dir = directory.path().to_owned();
    let (creator, key, settings) = prepare(&config, options, pace).await?;
    let mut report = Report::begin("serve", settings);
    let server = Server::start(&config, directory.path()).await?;
    let idle = machine::resident_of_process(server.process());
    let points = (options.clients.len() * LOADS.len()).max(1);
    let mut done = 0;
    for &count in &options.clients {
        let clients = clients(count, &server.address, &creator, &key)?;
        for (load, name) in LOADS {
            let word = if count == 1 { "client" } else { "clients" };
            let name = format!("{name}, {count} {word}");
            pace.tell(done as f64 / points as f64, &name);
            let outcome = drive(&clients, load, done, pace).await?;
            report.add(
                name,
                json!({"load": LOADS[done % 3].1, "clients": count}),
                outcome.figures(pace.budget),
            );
            done += 1;
        }
    }
    let memory = |name: &str, bytes: Option<u64>| {
        bytes.and_then(|bytes| single(name, "MB", Better::Lower, bytes as f64 / f64::from(1 << 20)))
    };
    let after = machine::resident_of_process(server.process());
    report.add("server", json!({}), vec![memory("memory_before", idle), memory("memory_after", after)]);
    report.note(format!(
        "Clients and server share the machine's {} cores; requests per second are those that were answered.",
        report.machine.cores
    ));
    Ok(report)
}

/// Brings the course in; gives its creator, a key, and the settings of the run. The store is closed again, since the
/// server opens it.
async fn prepare(
    config: &Config,
    options: &ServeOptions,
    pace: &Pace<'_>,
) -> Result<(CreatorId, String, Value), BenchError> {
    let app = App::open(config.clone()).await?;
    let creator = demo::prepare(&app).await?;
    let (_, key) = app.create_key(&creator, "bench".into()).await?;
    let all = &app.config().settings;
    let settings = json!({
        "embedder": all.models.embedding, "chat": all.answer.model,
        "weights": weights(&app, &["embedding", "chat"]).await?, "threads": parts::threads(&app),
        "max_concurrent_answers": all.server.max_concurrent_answers, "clients": options.clients,
        "content": "sample course", "warm_ups": "one request of each client",
        "seconds_each": pace.budget.as_secs_f64(),
    });
    Ok((creator, key, settings))
}

/// Somebody with a connection.
#[derive(Clone)]
struct Client {
    http: reqwest::Client,
    address: String,
    creator: String,
    key: String,
    number: usize,
}

fn clients(count: usize, address: &str, creator: &CreatorId, key: &str) -> Result<Vec<Client>, BenchError> {
    // Plain HTTP needs no TLS, but the client wants to know how it would; it fails only where that is said already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    (0..count)
        .map(|number| {
            let http = reqwest::Client::builder()
                .no_proxy()
                .timeout(TIMEOUT)
                .build()
                .map_err(|error| BenchError::Server(format!("cannot be spoken to: {error}")))?;
            let (address, creator, key) = (address.to_owned(), creator.to_string(), key.to_owned());
            Ok(Client { http, address, creator, key, number })
        })
        .collect()
}

/// How one request came out.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Reply {
    Answered,
    /// 503 or 429: the server says that it has too much to do.
    Busy,
    Failed,
}

impl Client {
    async fn ask(&self, load: Load, question: &str) -> Reply {
        let request = match load {
            Load::Chat | Load::Repeated => self
                .http
                .post(format!("{}/chat", self.address))
                .json(&json!({"message": question, "creator_id": self.creator})),
            Load::Search => {
                let address = format!("{}/api/v1/search", self.address);
                let Ok(address) = url::Url::parse_with_params(&address, [("q", question), ("k", "10")])
                else {
                    return Reply::Failed;
                };
                self.http.get(address).bearer_auth(&self.key)
            }
        };
        let Ok(response) = request.send().await else { return Reply::Failed };
        let status = response.status().as_u16();
        // Answered is what was read to its end.
        match (status, response.bytes().await) {
            (200, Ok(_)) => Reply::Answered,
            (503 | 429, _) => Reply::Busy,
            _ => Reply::Failed,
        }
    }

    /// Asks until `until`; gives when each reply was there, since `began`, and how long it took.
    async fn keep_asking(
        self,
        load: Load,
        began: Instant,
        until: Instant,
        round: usize,
    ) -> Vec<(Duration, Duration, Reply)> {
        let mut replies = Vec::new();
        while Instant::now() < until {
            let question = question(load, round, self.number, replies.len());
            let asked = Instant::now();
            let reply = self.ask(load, &question).await;
            replies.push((began.elapsed(), asked.elapsed(), reply));
            if reply != Reply::Answered {
                tokio::time::sleep(BACK_OFF).await;
            }
        }
        replies
    }
}

/// Unlike for every round, client and turn, as long as there are unlike ones; always the same for the repeated load.
fn question(load: Load, round: usize, client: usize, turn: usize) -> String {
    if load == Load::Repeated {
        return demo::SAMPLE_QUESTION.to_owned();
    }
    // Multiplied by a number without common factors, so that neighbours are about other subjects.
    let number = (round * 65_537 + client * 8_191 + turn) * 7_919;
    let (form, rest) = (FORMS[number % FORMS.len()], number / FORMS.len());
    let (first, rest) = (SUBJECTS[rest % SUBJECTS.len()], rest / SUBJECTS.len());
    let second = SUBJECTS[rest % SUBJECTS.len()];
    let question = form.replace('A', first).replace('B', second);
    // Beyond the forms only the ending makes it unlike.
    format!("{question} ({round}-{client}-{turn})")
}

/// What one load showed.
struct Outcome {
    replies: Vec<(Duration, Duration, Reply)>,
}

async fn drive(clients: &[Client], load: Load, round: usize, pace: &Pace<'_>) -> Result<Outcome, BenchError> {
    // A request of each opens the connections.
    futures_util::future::join_all(
        clients.iter().map(async |client| {
            client.ask(load, &question(load, round, client.number, usize::MAX >> 40)).await
        }),
    )
    .await;
    let began = Instant::now();
    let tasks: Vec<_> = clients
        .iter()
        .map(|client| tokio::spawn(client.clone().keep_asking(load, began, began + pace.budget, round)))
        .collect();
    let mut replies = Vec::new();
    for task in tasks {
        replies.extend(task.await.map_err(Problem::internal)?);
    }
    Ok(Outcome { replies })
}

impl Outcome {
    fn figures(&self, budget: Duration) -> Vec<Option<Figure>> {
        let answered = || self.replies.iter().filter(|(_, _, reply)| *reply == Reply::Answered);
        let count =
            |wanted: Reply| self.replies.iter().filter(|(_, _, reply)| *reply == wanted).count() as f64;
        // What was begun in time and ended late counts in no slice, as it would in none of a longer run's first ones.
        let slice = budget / SLICES as u32;
        let rates = (0..SLICES as u32).map(|number| {
            let within = slice * number..slice * (number + 1);
            answered().filter(|(at, _, _)| within.contains(at)).count() as f64 / slice.as_secs_f64()
        });
        vec![
            sampled("requests_per_second", "1/s", Better::Higher, rates),
            sampled("milliseconds", "ms", Better::Lower, answered().map(|(_, took, _)| milliseconds(*took))),
            single("refused_as_busy", "", Better::Lower, count(Reply::Busy)),
            single("errors", "", Better::Lower, count(Reply::Failed)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn questions_are_unlike_except_the_repeated_one() {
        let mut seen = HashSet::new();
        for (client, turn) in (0..64).flat_map(|client| (0..100).map(move |turn| (client, turn))) {
            assert!(seen.insert(question(Load::Chat, 3, client, turn)));
            assert_eq!(question(Load::Repeated, 3, client, turn), demo::SAMPLE_QUESTION);
        }
    }

    #[test]
    fn refusals_and_errors_are_counted_apart() {
        let ms = Duration::from_millis;
        let outcome = Outcome {
            replies: vec![
                (ms(100), ms(10), Reply::Answered),
                (ms(900), ms(30), Reply::Answered),
                (ms(950), ms(1), Reply::Busy),
                (ms(960), ms(1), Reply::Failed),
                (ms(970), ms(1), Reply::Failed),
            ],
        };
        let figures: Vec<Figure> = outcome.figures(ms(1000)).into_iter().flatten().collect();
        let value = |name: &str| figures.iter().find(|figure| figure.name == name).unwrap().value;
        assert_eq!((value("refused_as_busy").median, value("errors").median), (1.0, 2.0));
        assert_eq!(value("milliseconds").median, 20.0);
        assert_eq!(value("requests_per_second").repetitions, SLICES);
    }
}
