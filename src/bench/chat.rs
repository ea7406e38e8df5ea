//! `bench chat`: how fast the configured chat model reads a prompt and writes an answer, as whoever asks sees it.
//!
//! Goes through the seam, so waiting for the model's one thread is part of the time. Every prompt begins with other
//! words, so that no part of it can have been read before, apart from what the model's own template puts first.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::report::{Better, Report, sampled, single};
use super::words::Writer;
use super::{BenchError, Pace, keep, milliseconds, weights};
use crate::app::{App, EXTRACTIVE, parts};
use crate::inference::{ChatMessage, ChatModel, ChatPiece, ChatRequest, ChatRole, ModelError, Sampling};

/// What is measured.
#[derive(Debug, Clone)]
pub struct ChatOptions {
    /// Tokens of the prompt.
    pub prompts: Vec<usize>,
    /// Questions asked at the same moment, with the shortest prompt.
    pub concurrent: Vec<usize>,
    /// Tokens that are written at most.
    pub max_tokens: usize,
    pub seed: u64,
    /// Where the prompts are written to for other programs.
    pub keep_input: Option<PathBuf>,
}

/// What one answer showed.
struct Answered {
    prompt_tokens: u32,
    completion_tokens: u32,
    first: f64,
    whole: f64,
}

/// Measures the configured chat model.
pub async fn run(app: &App, options: &ChatOptions, pace: &Pace<'_>) -> Result<Report, BenchError> {
    let chosen = &app.config().settings.answer.model;
    if chosen == EXTRACTIVE {
        return Err(BenchError::NoChatModel);
    }
    pace.tell(0.0, "loading the model");
    let began = Instant::now();
    let model = app.chat_model(chosen).await?.ok_or(BenchError::NoChatModel)?;
    let loaded = began.elapsed();
    let weights = weights(app, &["chat"]).await?;
    let mut report = Report::begin("chat", settings(app, (model.as_ref(), weights), options, pace));
    report.add("loading", json!({}), vec![single("milliseconds", "ms", Better::Lower, milliseconds(loaded))]);
    let mut prompts = Prompts { model: model.clone(), seed: options.seed, kept: String::new() };
    // A prompt costs about its tokens, a question at the same moment as much again.
    let shortest = options.prompts.iter().copied().min().unwrap_or(0);
    let costs: Vec<usize> =
        options.prompts.iter().copied().chain(options.concurrent.iter().map(|n| n * shortest)).collect();
    let (all, mut done) = (costs.iter().sum::<usize>().max(1) as f64, 0.0);
    for &tokens in &options.prompts {
        pace.tell(done / all, &format!("prompt of {tokens} tokens"));
        done += tokens as f64;
        one_by_one(&mut report, &mut prompts, tokens, options.max_tokens, pace).await?;
    }
    for &count in &options.concurrent {
        pace.tell(done / all, &format!("{count} questions at once"));
        done += (count * shortest) as f64;
        at_once(&mut report, &mut prompts, (count, shortest), options.max_tokens, pace).await?;
    }
    report.note(
        "Prefill is the prompt's tokens over the time to the first piece of text, decode the tokens after the first over \
         the time after it.",
    );
    if let Some(folder) = &options.keep_input {
        keep(folder, "chat.jsonl", prompts.kept.as_bytes())?;
    }
    Ok(report)
}

async fn one_by_one(
    report: &mut Report,
    prompts: &mut Prompts,
    tokens: usize,
    max_tokens: usize,
    pace: &Pace<'_>,
) -> Result<(), BenchError> {
    let model = prompts.model.clone();
    let answers =
        pace.repeat(async |_| answer(model.as_ref(), prompts.next(tokens, max_tokens)).await).await?;
    let decode = answers
        .iter()
        .filter(|one| one.completion_tokens > 1 && one.whole > one.first)
        .map(|one| f64::from(one.completion_tokens - 1) / (one.whole - one.first));
    report.add(
        format!("prompt of {tokens} tokens"),
        json!({"prompt_tokens": tokens, "concurrent": 1}),
        vec![
            sampled(
                "prefill_tokens_per_second",
                "tokens/s",
                Better::Higher,
                answers.iter().map(|one| f64::from(one.prompt_tokens) / one.first),
            ),
            sampled("decode_tokens_per_second", "tokens/s", Better::Higher, decode),
            sampled("first_token", "ms", Better::Lower, answers.iter().map(|one| one.first * 1000.0)),
            sampled(
                "prompt_tokens",
                "tokens",
                Better::Neither,
                answers.iter().map(|one| one.prompt_tokens.into()),
            ),
            sampled(
                "completion_tokens",
                "tokens",
                Better::Neither,
                answers.iter().map(|one| one.completion_tokens.into()),
            ),
        ],
    );
    Ok(())
}

async fn at_once(
    report: &mut Report,
    prompts: &mut Prompts,
    (count, tokens): (usize, usize),
    max_tokens: usize,
    pace: &Pace<'_>,
) -> Result<(), BenchError> {
    let model = prompts.model.clone();
    let (mut answers, mut busy, mut rates) = (Vec::new(), 0u32, Vec::new());
    // What one question warmed up is warm for several.
    let pace = Pace { warm_ups: 0, ..*pace };
    pace.repeat(async |_| {
        let requests: Vec<ChatRequest> = (0..count).map(|_| prompts.next(tokens, max_tokens)).collect();
        let began = Instant::now();
        let outcomes = join_all(requests.into_iter().map(|request| answer(model.as_ref(), request))).await;
        let took = began.elapsed().as_secs_f64();
        let mut written = 0.0;
        for outcome in outcomes {
            match outcome {
                Ok(answered) => {
                    written += f64::from(answered.completion_tokens);
                    answers.push(answered);
                }
                Err(ChatFailure::Model(ModelError::Busy { .. })) => busy += 1,
                Err(failure) => return Err(BenchError::from(failure)),
            }
        }
        rates.push(written / took);
        Ok(())
    })
    .await?;
    report.add(
        format!("{count} at once, prompt of {tokens} tokens"),
        json!({"prompt_tokens": tokens, "concurrent": count}),
        vec![
            sampled("first_token", "ms", Better::Lower, answers.iter().map(|one| one.first * 1000.0)),
            sampled("whole_answer", "ms", Better::Lower, answers.iter().map(|one| one.whole * 1000.0)),
            sampled("written_tokens_per_second", "tokens/s", Better::Higher, rates),
            single("refused_as_busy", "", Better::Lower, busy.into()),
        ],
    );
    Ok(())
}

/// Makes prompts of which no two begin alike.
struct Prompts {
    model: Arc<dyn ChatModel>,
    seed: u64,
    kept: String,
}

impl Prompts {
    fn next(&mut self, tokens: usize, max_tokens: usize) -> ChatRequest {
        self.seed = self.seed.wrapping_add(1);
        // What the template and the request add is counted by the model and reported.
        let text = Writer::new(self.seed).text_of(tokens, |text| self.model.count_tokens(text));
        let content = format!("{text}\n\nGo on with this text.");
        let line = json!({"prompt_tokens": tokens, "max_tokens": max_tokens, "content": content});
        self.kept.push_str(&line.to_string());
        self.kept.push('\n');
        let sampling = Sampling { max_tokens, ..Sampling::default() };
        ChatRequest { messages: vec![ChatMessage { role: ChatRole::User, content }], sampling }
    }
}

/// Why an answer did not come.
enum ChatFailure {
    Model(ModelError),
    NoEnd,
}

impl From<ModelError> for ChatFailure {
    fn from(error: ModelError) -> Self {
        Self::Model(error)
    }
}

impl From<ChatFailure> for BenchError {
    fn from(failure: ChatFailure) -> Self {
        match failure {
            ChatFailure::Model(error) => error.into(),
            ChatFailure::NoEnd => Self::NoEnd,
        }
    }
}

async fn answer(model: &dyn ChatModel, request: ChatRequest) -> Result<Answered, ChatFailure> {
    let began = Instant::now();
    let mut pieces = model.chat(request).await?;
    let mut first = None;
    while let Some(piece) = pieces.recv().await {
        match piece? {
            ChatPiece::Text(_) => {
                first.get_or_insert_with(|| began.elapsed().as_secs_f64());
            }
            ChatPiece::End { prompt_tokens, completion_tokens, .. } => {
                let whole = began.elapsed().as_secs_f64();
                return Ok(Answered {
                    prompt_tokens,
                    completion_tokens,
                    first: first.unwrap_or(whole),
                    whole,
                });
            }
        }
    }
    Err(ChatFailure::NoEnd)
}

fn settings(
    app: &App,
    (model, weights): (&dyn ChatModel, Vec<String>),
    options: &ChatOptions,
    pace: &Pace<'_>,
) -> Value {
    json!({
        "model": model.name(), "weights": weights, "context_tokens": model.context_tokens(), "threads": parts::threads(app),
        "prompts": options.prompts, "concurrent": options.concurrent, "max_tokens": options.max_tokens,
        "sampling": "greedy", "seed": options.seed, "warm_ups": pace.warm_ups,
        "seconds_each": pace.budget.as_secs_f64(), "least_repetitions": pace.least,
    })
}
