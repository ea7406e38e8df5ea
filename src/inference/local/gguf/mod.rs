//! Chat models in GGUF files: an own forward pass on the processor.
//!
//! In: a file and a chat. Out: pieces of text. Called by [`super::chat`], whose thread owns a [`Model`].
//! From file to answer: [`guard`] and [`mod@file`] read, [`config`], [`network`], [`tokenizer`] and [`template`]
//! are made of it, [`generate`] answers with them. Nothing here knows of threads that wait, channels or tokio.
//!
//! There is no path for CUDA or Metal yet: with these features chat runs on the processor all the same.

mod attention;
mod cache;
mod config;
mod error;
mod file;
mod generate;
mod guard;
mod kernels;
mod matrix;
mod network;
mod pieces;
mod product;
mod rope;
mod sample;
mod stop;
mod template;
#[cfg(test)]
pub(super) mod tests;
mod tokenizer;

use std::{path::Path, sync::Arc};

pub use error::GgufError;
pub use generate::Ending;
pub use tokenizer::Tokenizer;

use cache::KvCache;
use file::GgufFile;
use network::{Network, Room};
use template::ChatTemplate;

/// A loaded model with the tokens that it has read last.
pub struct Model {
    tokenizer: Arc<Tokenizer>,
    template: ChatTemplate,
    network: Network,
    cache: KvCache,
    room: Room,
    logits: Vec<f32>,
    /// The threads that computations may use; at most as many as there are physical cores.
    pool: rayon::ThreadPool,
}

impl Model {
    /// Loads a file. `context` limits the window below what the model was trained for; `threads` limits the
    /// threads below the physical cores.
    pub fn open(path: &Path, context: usize, threads: Option<usize>) -> Result<Self, GgufError> {
        let mut file = GgufFile::open(path)?;
        let pool = pool(threads)?;
        let trained = config::Config::read(&file)?.trained_context;
        let context = context.clamp(1, trained);
        let network = pool.install(|| Network::load(&mut file, context))?;
        let source = file.text("tokenizer.chat_template").ok().map(str::to_owned);
        let tokenizer = Tokenizer::read(&mut file)?;
        if network.vocabulary() < tokenizer.pieces.len() {
            return Err(GgufError::bad("it has tokens without weights"));
        }
        let template = ChatTemplate::new(
            source,
            tokenizer.begin_text.clone(),
            tokenizer.end_text.clone(),
            tokenizer.controls.clone(),
        )?;
        let cache = KvCache::new(&network.config, context);
        let tokenizer = Arc::new(tokenizer);
        Ok(Self { tokenizer, template, network, cache, room: Room::default(), logits: Vec::new(), pool })
    }

    pub fn tokenizer(&self) -> Arc<Tokenizer> {
        self.tokenizer.clone()
    }

    /// Tokens of prompt and answer together.
    pub fn context(&self) -> usize {
        self.cache.capacity()
    }

    /// Computes once what the first question would otherwise wait for: memory is had from the system, and
    /// candle orders its blocks for this processor.
    pub fn warm_up(&mut self) -> Result<(), GgufError> {
        let tokens = vec![0; generate::PROMPT_BLOCK.min(self.context())];
        self.read(&tokens, true)?;
        self.cache.cut(self.context() - 1);
        self.read(&[0], true)?;
        self.cache.cut(0);
        Ok(())
    }

    /// Reads tokens behind those that are known; with `scores`, those of the next token are in `logits` then.
    fn read(&mut self, tokens: &[u32], scores: bool) -> Result<(), GgufError> {
        let Self { network, cache, room, logits, pool, .. } = self;
        pool.install(|| network.read(tokens, cache, room, scores.then_some(logits)))
    }
}

fn pool(threads: Option<usize>) -> Result<rayon::ThreadPool, GgufError> {
    // candle counts physical cores; the system may allow this process fewer.
    let physical = candle_core::utils::get_num_threads();
    let allowed = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = threads.unwrap_or(usize::MAX).min(physical).min(allowed).max(1);
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|index| format!("chat-{index}"))
        .build()
        .map_err(|e| GgufError::bad(format!("its threads cannot be started: {e}")))
}
