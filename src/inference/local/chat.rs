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
                    TrySendError::Full(_) => {
                        Err(ModelError::Busy { retry_after: self.shared.wait_for(open) })
                    }
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

#[cfg(test)]
mod tests {
    use candle_core::quantized::GgmlDType;

    use super::*;
    use crate::inference::{
        ChatMessage, ChatRole, EndReason, Sampling,
        local::gguf::tests::{smollm, tiny::Tiny},
    };

    fn open(tiny: &Tiny, options: &LocalChatOptions) -> LocalChat {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("tiny.gguf");
        tiny.write(&path);
        LocalChat::open("tiny", &path, options).expect("it loads")
    }

    fn request(text: &str, max_tokens: usize) -> ChatRequest {
        let message = ChatMessage { role: ChatRole::User, content: text.to_owned() };
        // The tiny models end their answers at once where nothing else is likely: warm draws go on.
        let sampling = Sampling { max_tokens, temperature: 1.5, ..Sampling::default() };
        ChatRequest { messages: vec![message], sampling }
    }

    async fn collect(mut stream: TokenStream) -> (String, Option<Result<ChatPiece, ModelError>>) {
        let mut text = String::new();
        while let Some(piece) = stream.recv().await {
            match piece {
                Ok(ChatPiece::Text(more)) => text.push_str(&more),
                end => return (text, Some(end)),
            }
        }
        (text, None)
    }

    /// One with many layers and a long window, whose answers take a while.
    fn slow() -> Tiny {
        Tiny {
            layers: 12,
            hidden: 256,
            feed_forward: 1024,
            head_size: 64,
            context: 2048,
            ..Tiny::of("llama")
        }
    }

    #[tokio::test]
    async fn an_answer_streams_and_ends_once() {
        let chat = open(&Tiny::of("llama"), &LocalChatOptions::default());
        assert_eq!((chat.name(), chat.context_tokens(), chat.count_tokens("the hat")), ("tiny", 256, 5));
        let (text, end) = collect(chat.chat(request("hello", 12)).await.expect("it is idle")).await;
        let Some(Ok(ChatPiece::End { prompt_tokens, completion_tokens, reason })) = end else {
            panic!("{end:?}")
        };
        assert!(prompt_tokens > 20 && completion_tokens <= 12);
        assert!(text.chars().count() >= completion_tokens as usize || reason == EndReason::Stop);
        let again = collect(chat.chat(request("hello", 12)).await.expect("it is idle")).await;
        assert_eq!(again.0, text, "the same seed gives the same answer");
    }

    #[tokio::test]
    async fn a_prompt_that_does_not_fit_says_so() {
        let chat = open(&Tiny::of("qwen3"), &LocalChatOptions { context: 64, ..LocalChatOptions::default() });
        let (_, end) = collect(chat.chat(request(&"long ".repeat(50), 12)).await.expect("it is idle")).await;
        assert!(matches!(end, Some(Err(ModelError::TooLong { tokens: 250.., window: 64 }))), "{end:?}");
    }

    #[tokio::test]
    async fn a_full_queue_is_busy_and_a_dropped_answer_makes_room() {
        let chat = open(&slow(), &LocalChatOptions { queue: 1, ..LocalChatOptions::default() });
        let mut running = chat.chat(request("go on", 2000)).await.expect("it is idle");
        assert!(matches!(running.recv().await, Some(Ok(ChatPiece::Text(_)))), "it has begun");
        let waiting = chat.chat(request("me too", 2000)).await.expect("one may wait");
        let refused = chat.chat(request("and I", 3)).await.expect_err("two may not");
        assert!(
            matches!(refused, ModelError::Busy { retry_after } if retry_after >= Duration::from_secs(1)),
            "{refused:?}"
        );
        drop(running);
        drop(waiting);
        // The model notices before its next token, and skips the one that waited.
        let started = Instant::now();
        let stream = loop {
            match chat.chat(request("and I", 3)).await {
                Ok(stream) => break stream,
                Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            }
            assert!(started.elapsed() < Duration::from_secs(20), "it never came free");
        };
        let (_, end) = collect(stream).await;
        assert!(matches!(end, Some(Ok(ChatPiece::End { .. }))), "{end:?}");
    }

    #[tokio::test]
    async fn dropping_the_model_ends_its_answers() {
        let chat = open(&slow(), &LocalChatOptions::default());
        let mut running = chat.chat(request("go on", 2000)).await.expect("it is idle");
        let waiting = chat.chat(request("me too", 2000)).await.expect("it may wait");
        assert!(matches!(running.recv().await, Some(Ok(ChatPiece::Text(_)))), "it has begun");
        drop(chat);
        for stream in [running, waiting] {
            let (_, end) = collect(stream).await;
            assert!(matches!(end, Some(Err(ModelError::Unavailable(_)))), "{end:?}");
        }
    }

    #[test]
    fn what_is_no_model_is_unusable() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("model.gguf");
        let unusable = |because: &str| {
            let error =
                LocalChat::open("m", &path, &LocalChatOptions::default()).err().expect(because).to_string();
            assert!(error.contains("`m` cannot be loaded") && error.contains(because), "{error}");
        };
        unusable("No such file");
        std::fs::write(&path, b"hello").expect("a file");
        unusable("not a GGUF file");
        Tiny::of("mamba").write(&path);
        unusable("`mamba` is not built in");
        Tiny { heads: 3, kv_heads: 2, ..Tiny::of("llama") }.write(&path);
        unusable("3 heads cannot share 2 keys");
        Tiny::of("llama").write(&path);
        let whole = std::fs::read(&path).expect("just written");
        std::fs::write(&path, &whole[..whole.len() / 2]).expect("a file");
        unusable("remaining");
        // No byte of the header may stop the program.
        let small = Tiny { layers: 1, dtype: GgmlDType::Q8_0, ..Tiny::of("gemma3") };
        small.write(&path);
        let whole = std::fs::read(&path).expect("just written");
        for at in (0..6000).step_by(37) {
            let mut damaged = whole.clone();
            damaged[at] = damaged[at].wrapping_add(113);
            std::fs::write(&path, &damaged).expect("a file");
            // Loading may work: the damage may be in a name or a number that is still sensible.
            drop(LocalChat::open(
                "m",
                &path,
                &LocalChatOptions { context: 32, ..LocalChatOptions::default() },
            ));
        }
    }

    #[tokio::test]
    async fn smollm2_answers() {
        let Some(path) = smollm::weights() else { return };
        let chat = LocalChat::open("smollm2", &path, &LocalChatOptions::default()).expect("it loads");
        let mut request = request("What is two plus two? Answer with one number.", 30);
        request.sampling.temperature = 0.0;
        let (text, end) = collect(chat.chat(request).await.expect("it is idle")).await;
        assert!(matches!(end, Some(Ok(ChatPiece::End { .. }))) && !text.is_empty(), "{text} {end:?}");
    }
}
