//! One question through several models, side by side. Nothing of it is kept, and a model that fails says so instead
//! of quoting.

use std::time::Instant;

use tokio::task::JoinSet;

use super::{App, Wishes};
use crate::domain::{Answer, AnswerEvent, Question};
use crate::problem::{Kind, Problem};

/// Models that are compared at once: more than a screen shows side by side.
pub const MOST_MODELS: usize = 4;

/// What one model made of the question.
#[derive(Debug, Clone)]
pub struct Compared {
    pub model: String,
    pub outcome: Result<Answer, Problem>,
    pub took_ms: f64,
}

impl App {
    /// Asks each model; results in the order of the names. Each takes a place among the answers under way.
    pub async fn compare(
        self: &std::sync::Arc<Self>,
        question: Question,
        models: Vec<String>,
    ) -> Result<Vec<Compared>, Problem> {
        if models.is_empty() || models.len() > MOST_MODELS {
            return Err(Problem::new(
                Kind::Invalid,
                "invalid_models",
                format!("{} models are to be compared", models.len()),
                format!("name 1 to {MOST_MODELS} under `models`"),
            ));
        }
        for model in &models {
            self.check_offered(model)?;
        }
        let mut running = JoinSet::new();
        for (at, model) in models.into_iter().enumerate() {
            let place = self.admit()?;
            let (app, question) = (self.clone(), question.clone());
            running.spawn(async move {
                let began = Instant::now();
                let outcome = app.answer_once(question, model.clone()).await;
                drop(place);
                (at, Compared { model, outcome, took_ms: began.elapsed().as_secs_f64() * 1000.0 })
            });
        }
        // Dropping the set, as a client that leaves does, stops what is under way.
        let mut all = Vec::new();
        while let Some(done) = running.join_next().await {
            all.push(done.map_err(Problem::internal)?);
        }
        all.sort_by_key(|(at, _)| *at);
        Ok(all.into_iter().map(|(_, compared)| compared).collect())
    }

    async fn answer_once(&self, question: Question, model: String) -> Result<Answer, Problem> {
        let wishes =
            Wishes { model: Some(model), strict: true, forget: true, paid: true, ..Wishes::default() };
        let mut events = self.answer_with(question, wishes).await?;
        while let Some(event) = events.recv().await {
            if let AnswerEvent::Done(answer) = event? {
                return Ok(*answer);
            }
        }
        Err(Problem::internal("an answer ended without its last event"))
    }
}
