//! One answer: prompt, then token after token until something ends it.
//!
//! In: a request, where text goes, and a way to ask whether anyone still listens. Out: [`Ending`]. Called by
//! the thread that owns the model. The part of a prompt that equals what was read last is not read again:
//! with the same system text and the same evidence in front, only the new question costs time.

use super::{
    Model,
    error::GgufError,
    pieces::Writer,
    sample::Sampler,
    stop::{Found, StopSearch},
};
use crate::inference::{ChatRequest, EndReason};

/// Tokens of a prompt that are read at a time. Larger blocks use the weights better, smaller ones notice
/// sooner that nobody listens (about 0.6 s for SmolLM2-135M on two cores with AVX2).
pub const PROMPT_BLOCK: usize = 256;

/// How an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    Complete {
        prompt_tokens: usize,
        completion_tokens: usize,
        reason: EndReason,
    },
    /// Nobody listened any more.
    Abandoned,
    /// The prompt leaves no room for an answer.
    TooLong {
        tokens: usize,
    },
}

impl Model {
    /// Answers a request. `say` gets pieces of whole characters; `gone` is asked before each step.
    pub fn answer(
        &mut self,
        request: &ChatRequest,
        say: &mut dyn FnMut(String),
        gone: &dyn Fn() -> bool,
    ) -> Result<Ending, GgufError> {
        let prompt = self.tokenizer.encode_prompt(&self.template.render(&request.messages)?)?;
        if prompt.is_empty() {
            return Err(GgufError::bad("there is nothing to answer"));
        }
        if prompt.len() >= self.context() {
            return Ok(Ending::TooLong { tokens: prompt.len() });
        }
        if !self.read_prompt(&prompt, gone)? {
            return Ok(Ending::Abandoned);
        }

        let mut sampler = Sampler::new(&request.sampling);
        let mut stops = StopSearch::new(&request.sampling.stop);
        let mut writer = Writer::default();
        let tokenizer = self.tokenizer.clone();
        let mut completion_tokens = 0;
        let reason = loop {
            if gone() {
                return Ok(Ending::Abandoned);
            }
            if completion_tokens >= request.sampling.max_tokens {
                break EndReason::Length;
            }
            // Matrices may have more rows than there are tokens.
            let scores = &mut self.logits[..tokenizer.pieces.len()];
            let token = sampler.draw(scores, self.cache.tokens());
            if tokenizer.ends.contains(&token) {
                break EndReason::Stop;
            }
            completion_tokens += 1;
            let mut text = String::new();
            writer.push(&tokenizer.pieces, token, &mut text);
            match stops.push(&text) {
                Found::Text(text) if text.is_empty() => {}
                Found::Text(text) => say(text),
                Found::Stop(text) => {
                    if !text.is_empty() {
                        say(text);
                    }
                    return Ok(Ending::Complete {
                        prompt_tokens: prompt.len(),
                        completion_tokens,
                        reason: EndReason::Stop,
                    });
                }
            }
            if self.cache.tokens().len() == self.context() {
                break EndReason::Length;
            }
            if completion_tokens < request.sampling.max_tokens {
                self.read(&[token], true)?;
            }
        };
        let mut rest = String::new();
        writer.finish(&mut rest);
        let rest = match stops.push(&rest) {
            Found::Text(text) => text + &stops.finish(),
            Found::Stop(text) => text,
        };
        if !rest.is_empty() {
            say(rest);
        }
        Ok(Ending::Complete { prompt_tokens: prompt.len(), completion_tokens, reason })
    }

    /// Reads a prompt, but not the beginning that is known. False if nobody waits for it any more.
    fn read_prompt(&mut self, prompt: &[u32], gone: &dyn Fn() -> bool) -> Result<bool, GgufError> {
        let known = self.cache.tokens().iter().zip(prompt).take_while(|(a, b)| a == b).count();
        // The last token is always read: its scores are needed.
        self.cache.cut(known.min(prompt.len() - 1));
        while self.cache.tokens().len() < prompt.len() {
            if gone() {
                return Ok(false);
            }
            let start = self.cache.tokens().len();
            let end = prompt.len().min(start + PROMPT_BLOCK);
            self.read(&prompt[start..end], end == prompt.len())?;
        }
        Ok(true)
    }
}
