//! `bench embed`: how fast texts become vectors, by batch size and length, and how long one question takes.
//!
//! Goes through the seam that ingestion and questions use, worker thread and queue included. A text's tokens are counted
//! as the model counts them, the marks at its ends among them, so that figures can be laid beside other programs'.

use std::path::PathBuf;
use std::time::Instant;

use serde_json::{Value, json};

use super::report::{Better, Report, sampled};
use super::words::Writer;
use super::{BenchError, Pace, keep, milliseconds};
use crate::app::{App, parts};
use crate::eval::sample::Random;
use crate::inference::{EmbedInput, EmbedRole, Embedder, Lane};

/// What is measured.
#[derive(Debug, Clone)]
pub struct EmbedOptions {
    /// Texts given at once.
    pub batches: Vec<usize>,
    /// Tokens of each text.
    pub tokens: Vec<usize>,
    pub seed: u64,
    /// Where the texts are written to for other programs.
    pub keep_input: Option<PathBuf>,
}

/// A batch of unlike texts, as ingestion gives them: this many, of 16 to 256 tokens.
const MIXED: usize = 64;
const MIXED_TOKENS: std::ops::RangeInclusive<usize> = 16..=256;

/// Tokens of a question, and how many unlike ones are asked in turn.
const QUESTION_TOKENS: usize = 16;
const QUESTIONS: usize = 64;

/// Measures the configured embedding model.
pub async fn run(app: &App, options: &EmbedOptions, pace: &Pace<'_>) -> Result<Report, BenchError> {
    let embedder = parts::embedder(app).await?;
    let count = parts::token_counter(app, embedder.model())?;
    let mut report = Report::begin("embed", settings(app, embedder.as_ref(), options, pace));
    let mut kept = String::new();
    let points = options.batches.len() * options.tokens.len() + 2;
    let mut writer = Writer::new(options.seed);

    let questions: Vec<String> =
        (0..QUESTIONS).map(|_| writer.text_of(QUESTION_TOKENS, |text| count(text))).collect();
    let name = format!("one question of {QUESTION_TOKENS} tokens");
    pace.tell(0.0, &name);
    let times = pace
        .repeat(async |call| {
            let input = inputs(&questions[call % QUESTIONS..=call % QUESTIONS], EmbedRole::Question);
            let began = Instant::now();
            embedder.embed(input, Lane::Urgent).await.map(|_| milliseconds(began.elapsed()))
        })
        .await?;
    line(&mut kept, "question", &questions);
    report.add(
        name,
        json!({"batch": 1, "tokens": QUESTION_TOKENS, "role": "question"}),
        vec![sampled("milliseconds", "ms", Better::Lower, times)],
    );

    let mut done = 1;
    for &tokens in &options.tokens {
        for &batch in &options.batches {
            let texts: Vec<String> = (0..batch).map(|_| writer.text_of(tokens, |text| count(text))).collect();
            let name = format!("{tokens} tokens, batch {batch}");
            pace.tell(done as f64 / points as f64, &name);
            line(&mut kept, &name, &texts);
            let parameters = json!({"batch": batch, "tokens": tokens, "role": "passage"});
            measure(&mut report, embedder.as_ref(), &count, (&name, parameters, &texts), pace).await?;
            done += 1;
        }
    }

    let mut random = Random::new(options.seed ^ 1);
    let (least, most) = MIXED_TOKENS.into_inner();
    let texts: Vec<String> = (0..MIXED)
        .map(|_| writer.text_of(least + random.below(most - least + 1), |text| count(text)))
        .collect();
    let name = format!("{least} to {most} tokens, batch {MIXED}");
    pace.tell(done as f64 / points as f64, &name);
    line(&mut kept, "mixed", &texts);
    let parameters = json!({"batch": MIXED, "tokens": "mixed", "role": "passage"});
    measure(&mut report, embedder.as_ref(), &count, (&name, parameters, &texts), pace).await?;
    if let Some(folder) = &options.keep_input {
        keep(folder, "embed.jsonl", kept.as_bytes())?;
    }
    Ok(report)
}

async fn measure(
    report: &mut Report,
    embedder: &dyn Embedder,
    count: &parts::CountTokens,
    (name, parameters, texts): (&str, Value, &[String]),
    pace: &Pace<'_>,
) -> Result<(), BenchError> {
    let tokens: usize = texts.iter().map(|text| count(text)).sum();
    let seconds = pace
        .repeat(async |_| {
            let input = inputs(texts, EmbedRole::Passage);
            let began = Instant::now();
            embedder.embed(input, Lane::Background).await.map(|_| began.elapsed().as_secs_f64())
        })
        .await?;
    let per_second = |size: usize| seconds.iter().map(move |seconds| size as f64 / seconds);
    report.add(
        name,
        parameters,
        vec![
            sampled("tokens_per_second", "tokens/s", Better::Higher, per_second(tokens)),
            sampled("texts_per_second", "texts/s", Better::Higher, per_second(texts.len())),
            sampled("milliseconds", "ms", Better::Lower, seconds.iter().map(|seconds| seconds * 1000.0)),
        ],
    );
    Ok(())
}

fn inputs(texts: &[String], role: EmbedRole) -> Vec<EmbedInput> {
    texts.iter().map(|text| EmbedInput { text: text.clone(), role }).collect()
}

fn line(kept: &mut String, name: &str, texts: &[String]) {
    kept.push_str(&json!({"name": name, "texts": texts}).to_string());
    kept.push('\n');
}

fn settings(app: &App, embedder: &dyn Embedder, options: &EmbedOptions, pace: &Pace<'_>) -> Value {
    json!({
        "model": embedder.model().name, "revision": embedder.model().revision,
        "dimensions": embedder.model().dimensions, "threads": parts::threads(app),
        "batches": options.batches, "tokens": options.tokens, "seed": options.seed,
        "warm_ups": pace.warm_ups, "seconds_each": pace.budget.as_secs_f64(), "least_repetitions": pace.least,
    })
}
