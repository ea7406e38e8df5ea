//! `ask`: the whole pipeline for one question.

use std::io::Read;

use clap::Args;
use serde::{Deserialize, Serialize};

use super::output::Output;
use crate::app::App;
use crate::domain::{Answer, AnswerEvent, Question};
use crate::problem::{Kind, Problem};

#[derive(Debug, Args, Serialize, Deserialize)]
pub struct Ask {
    /// The question, or - to read it from standard input
    question: String,
    /// Whose content answers
    #[arg(long)]
    creator: String,
    /// Print the answer when it is whole instead of piece by piece
    #[arg(long)]
    no_stream: bool,
    /// `extractive`, an installed chat model, or PROVIDER:MODEL [default: `answer.models`]
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// Go on with this conversation
    #[arg(long, value_name = "ID")]
    conversation: Option<String>,
}

impl Ask {
    /// The same with its words in it, for a process with another standard input.
    pub fn elsewhere(mut self) -> Result<Self, Problem> {
        if self.question == "-" {
            self.question = standard_input()?;
        }
        Ok(self)
    }
}

pub async fn run(ask: Ask, app: &App, output: &Output) -> Result<(), Problem> {
    let ask = ask.elsewhere()?;
    let mut question = Question::parse(&ask.question, ask.creator.parse()?)?;
    question.conversation = ask.conversation.map(|id| id.parse()).transpose()?;
    let stream = !output.json && !ask.no_stream;
    let answer = print(app, question, ask.model, stream, output).await?;
    match (output.json, stream) {
        (true, _) => output.document(&answer)?,
        (false, true) => output.data(""),
        (false, false) => output.data(&answer.response),
    }
    if !output.json {
        sources(&answer, output);
    }
    Ok(())
}

/// Asks, printing pieces as they come when `stream` is set; gives the whole answer.
pub async fn print(
    app: &App,
    question: Question,
    model: Option<String>,
    stream: bool,
    output: &Output,
) -> Result<Answer, Problem> {
    let mut events = app.answer(question, model).await?;
    while let Some(event) = events.recv().await {
        match event? {
            AnswerEvent::Token { content } if stream => output.piece(&content),
            AnswerEvent::Token { .. } | AnswerEvent::Sources { .. } => {}
            AnswerEvent::Done(answer) => return Ok(*answer),
        }
    }
    Err(Problem::internal("an answer ended without its last event"))
}

/// The cited places under an answer, for people.
pub fn sources(answer: &Answer, output: &Output) {
    if answer.citations.is_empty() {
        return;
    }
    output.data("");
    for citation in &answer.citations {
        let place = crate::answer::place(&citation.title, &citation.anchor);
        let quote = citation.quote.split_whitespace().collect::<Vec<_>>().join(" ");
        output.data(format!("[{}] {place}: “{quote}”", citation.id));
    }
}

fn standard_input() -> Result<String, Problem> {
    let mut text = String::new();
    std::io::stdin().lock().take(1 << 20).read_to_string(&mut text).map_err(|error| {
        Problem::new(
            Kind::Invalid,
            "unreadable_input",
            format!("standard input cannot be read: {error}"),
            "pipe a question in, as UTF-8 text",
        )
    })?;
    Ok(text)
}
