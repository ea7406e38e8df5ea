//! [`LocalChat`]: a GGUF model as a [`ChatModel`].
//!
//! In: requests from many tasks. Out: streams of pieces. One thread owns the model and answers one request
//! after the other; the queue before it is bounded and says "busy" at once when it is full. The thread wakes
//! when a request comes, skips those whose receiver is gone, and ends when this value is dropped. A panic in
//! the model ends the thread: what it knew may be damaged, so all later requests get
//! [`ModelError::Unavailable`].

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use tokio::sync::mpsc;

use super::gguf::{Ending, GgufError, Model, Tokenizer};
use crate::inference::{ChatModel, ChatPiece, ChatRequest, ModelError, TokenStream};

/// How a model is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalChatOptions {
    /// Threads to compute with; without it, and at most, one for each physical core.
    pub threads: Option<usize>,
    /// Tokens of prompt and answer together, where the model allows more. Each costs memory.
    pub context: usize,
    /// Requests that may wait while one is answered.
    pub queue: usize,
}

impl Default for LocalChatOptions {
    fn default() -> Self {
        Self { threads: None, context: 4096, queue: 8 }
    }
}

pub struct LocalChat {
    name: String,
    context: usize,
    tokenizer: Arc<Tokenizer>,
    shared: Arc<Shared>,
    /// Taken when dropped, so that the thread sees the end of its queue before it is joined.
    queue: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
}

type Pieces = mpsc::Sender<Result<ChatPiece, ModelError>>;

struct Job {
    request: ChatRequest,
    pieces: Pieces,
}

/// What the handle and the thread both see.
#[derive(Default)]
struct Shared {
    stopping: AtomicBool,
    /// Requests that wait or are answered.
    open: AtomicUsize,
    /// How long an answer takes, in milliseconds: the mean of the last few.
    usual: AtomicU64,
    /// Why the thread has ended.
    failure: Mutex<Option<String>>,
}

/// How long an answer is taken to last before one was seen.
const FIRST_GUESS: Duration = Duration::from_secs(5);

impl LocalChat {
    /// Loads the model and computes once with it, which takes seconds: not for an async thread. The file is
    /// not needed afterwards.
    pub fn open(name: &str, path: &Path, options: &LocalChatOptions) -> Result<Self, ModelError> {
        let unusable = |reason: String| ModelError::Unusable { model: name.to_owned(), reason };
        let load = || -> Result<Model, GgufError> {
            let mut model = Model::open(path, options.context, options.threads)?;
            model.warm_up()?;
            Ok(model)
        };
        // The file comes from somewhere else, and candle's code for it panics where it should refuse.
        let model = match catch_unwind(load) {
            Ok(loaded) => loaded.map_err(|error| unusable(error.to_string()))?,
            Err(_) => return Err(unusable("its contents make no sense".to_owned())),
        };
        let shared = Arc::new(Shared::default());
        let (queue, jobs) = sync_channel(options.queue.max(1));
        let (context, tokenizer) = (model.context(), model.tokenizer());
        let for_thread = shared.clone();
        let thread = std::thread::Builder::new()
            .name("chat".to_owned())
            .spawn(move || serve(model, &jobs, &for_thread))
            .map_err(|error| ModelError::Unavailable(format!("its thread cannot be started: {error}")))?;
        let name = name.to_owned();
        Ok(Self { name, context, tokenizer, shared, queue: Some(queue), thread: Some(thread) })
    }
}

#[async_trait]
impl ChatModel for LocalChat {
    fn name(&self) -> &str {
        &self.name
    }

    fn context_tokens(&self) -> usize {
        self.context
    }

    fn count_tokens(&self, text: &str) -> usize {
        // Byte-level and byte-fallback vocabularies have tokens for every text; a byte is the upper bound.
        self.tokenizer.encode(text).map_or(text.len(), |tokens| tokens.len())
    }

    async fn chat(&self, request: ChatRequest) -> Result<TokenStream, ModelError> {
        // Room for the whole answer, its held-back rest and its end: a slow reader never holds up the model.
        let (pieces, stream) = mpsc::channel(request.sampling.max_tokens.min(self.context) + 2);
        let Some(queue) = &self.queue else { return Err(self.shared.unavailable()) };
        self.shared.open.fetch_add(1, Ordering::Relaxed);
        match queue.try_send(Job { request, pieces }) {
            Ok(()) => Ok(stream),
            Err(refused) => {
                let open = self.shared.open.fetch_sub(1, Ordering::Relaxed);
                match refused {
                    TrySendError::Full(_) => Err(ModelError::Busy { retry_after: self.shared.wait_for(open) }),
                    TrySendError::Disconnected(_) => Err(self.shared.unavailable()),
                }
            }
        }
    }
}

impl Drop for LocalChat {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::Relaxed);
        self.queue = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!(model = %self.name, "the chat thread of `{}` panicked outside of an answer", self.name);
        }
    }
}

impl Shared {
    fn unavailable(&self) -> ModelError {
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        ModelError::Unavailable(failure.clone().unwrap_or_else(|| "it is being shut down".to_owned()))
    }

    fn fail(&self, reason: String) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason);
    }

    /// When a place in the queue should be free: after one answer of usual length. Callers beyond the queue
    /// spread out.
    fn wait_for(&self, open: usize) -> Duration {
        let usual = match self.usual.load(Ordering::Relaxed) {
            0 => FIRST_GUESS,
            millis => Duration::from_millis(millis),
        };
        (usual * u32::try_from(open).unwrap_or(u32::MAX).clamp(1, 4) / 2).max(Duration::from_secs(1))
    }

    fn took(&self, time: Duration) {
        let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1);
        let usual = self.usual.load(Ordering::Relaxed);
        // A quarter of the new, three of the old.
        let usual = if usual == 0 { millis } else { usual - usual / 4 + millis / 4 };
        self.usual.store(usual, Ordering::Relaxed);
    }
}

/// The thread's loop.
fn serve(mut model: Model, jobs: &Receiver<Job>, shared: &Shared) {
    while let Ok(job) = jobs.recv() {
        if !job.pieces.is_closed() {
            let started = Instant::now();
            let answered = catch_unwind(AssertUnwindSafe(|| answer(&mut model, &job, shared)));
            shared.took(started.elapsed());
            if answered.is_err() {
                shared.fail("it panicked while it answered".to_owned());
                // The receiver may be gone: then nobody needs to know.
                let _ = job.pieces.try_send(Err(shared.unavailable()));
                break;
            }
        }
        shared.open.fetch_sub(1, Ordering::Relaxed);
    }
    // After a panic others may still wait. When the handle was dropped, the queue is empty and closed.
    while let Ok(job) = jobs.try_recv() {
        let _ = job.pieces.try_send(Err(shared.unavailable()));
    }
}

fn answer(model: &mut Model, job: &Job, shared: &Shared) {
    // Sending fails only when the receiver is gone, which `gone` sees next.
    let send = |piece| {
        let _ = job.pieces.try_send(piece);
    };
    let stopping = || shared.stopping.load(Ordering::Relaxed);
    let gone = || job.pieces.is_closed() || stopping();
    let window = model.context();
    match model.answer(&job.request, &mut |text| send(Ok(ChatPiece::Text(text))), &gone) {
        Ok(Ending::Complete { prompt_tokens, completion_tokens, reason }) => {
            // Both are less than a window.
            let (prompt_tokens, completion_tokens) = (prompt_tokens as u32, completion_tokens as u32);
            send(Ok(ChatPiece::End { prompt_tokens, completion_tokens, reason }));
        }
        Ok(Ending::TooLong { tokens }) => send(Err(ModelError::TooLong { tokens, window })),
        Ok(Ending::Abandoned) if stopping() => send(Err(shared.unavailable())),
        Ok(Ending::Abandoned) => {}
        Err(error) => send(Err(ModelError::Failed(error.to_string()))),
    }
}
