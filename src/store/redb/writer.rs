//! The one thread that writes: it takes waiting calls from a bounded queue and commits them together, so that
//! several writers share the two fsyncs of a commit.
//!
//! What wakes it is the queue; it ends when the store closes. Each call is still whole or absent: when one of a
//! batch fails, the transaction is dropped and the calls are made one by one. After a commit it deletes the blobs
//! that nothing uses any more; as only this thread records uses, none can appear in between.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::documents::content_used;
use super::tables::Writing;
use super::{PAUSES, Shared};
use crate::domain::ContentHash;
use crate::store::StoreError;

/// Calls that wait before further callers must wait to queue.
const QUEUE: usize = 256;
/// Calls in one commit: enough to share the fsync, few enough that the first does not wait for long.
const BATCH: usize = 64;

/// The handle of the thread; dropping it ends the thread once the queue is empty.
pub struct Writer {
    queue: Option<mpsc::Sender<Message>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub fn start(shared: Arc<Shared>) -> Result<Self, StoreError> {
        let (queue, messages) = mpsc::channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || run(&shared, messages))
            .map_err(|error| StoreError::Failed(format!("the writer's thread does not start: {error}")))?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    /// One call within a commit.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut Writing) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let call = Box::new(WriteCall { work, result: None, reply });
        self.send(Message::Write(call), answer).await
    }

    /// Work between two commits.
    pub async fn alone<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let work = move |shared: &Shared| {
            let result = catch_unwind(AssertUnwindSafe(|| work(shared)))
                .unwrap_or_else(|panic| Err(panicked(&*panic)));
            // The caller may have left; what was done stays done.
            let _ = reply.send(result);
        };
        self.send(Message::Alone(Box::new(work)), answer).await
    }

    async fn send<T>(
        &self,
        message: Message,
        answer: oneshot::Receiver<Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let stopped = || StoreError::Failed("the writer has stopped".to_owned());
        let queue = self.queue.as_ref().ok_or_else(stopped)?;
        queue.send(message).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // The queue must close before the join, or the thread waits for messages that never come.
        self.queue = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the store's writer ended by a panic");
        }
    }
}

enum Message {
    Write(Box<dyn Call>),
    Alone(Box<dyn FnOnce(&Shared) + Send>),
}

/// A waiting call of any type.
trait Call: Send {
    /// May run again after a transaction that was dropped.
    fn run(&mut self, tables: &mut Writing) -> Result<(), StoreError>;
    fn answer(self: Box<Self>, outcome: Result<(), StoreError>);
}

struct WriteCall<W, T> {
    work: W,
    result: Option<T>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T: Send, W: FnMut(&mut Writing) -> Result<T, StoreError> + Send> Call for WriteCall<W, T> {
    fn run(&mut self, tables: &mut Writing) -> Result<(), StoreError> {
        self.result = Some((self.work)(tables)?);
        Ok(())
    }

    fn answer(self: Box<Self>, outcome: Result<(), StoreError>) {
        let Self { result, reply, .. } = *self;
        let missing = || StoreError::Failed("a committed call has no result".to_owned());
        // The caller may have left; what was committed stays committed.
        let _ = reply.send(outcome.and_then(|()| result.ok_or_else(missing)));
    }
}

fn run(shared: &Shared, mut messages: mpsc::Receiver<Message>) {
    while let Some(message) = messages.blocking_recv() {
        let mut next = Some(message);
        let mut batch = Vec::new();
        while let Some(message) = next.take() {
            match message {
                Message::Write(call) => {
                    batch.push(call);
                    if batch.len() < BATCH {
                        next = messages.try_recv().ok();
                    }
                }
                Message::Alone(work) => {
                    write_together(shared, std::mem::take(&mut batch));
                    work(shared);
                }
            }
        }
        write_together(shared, batch);
    }
}

/// Why a batch was not committed.
enum Failure {
    /// Nothing was committed.
    Before(StoreError),
    /// The commit failed, perhaps after it became durable: calls must not be made again.
    Within(StoreError),
}

fn write_together(shared: &Shared, mut calls: Vec<Box<dyn Call>>) {
    if calls.is_empty() {
        return;
    }
    match commit(shared, &mut calls) {
        Ok(()) => calls.into_iter().for_each(|call| call.answer(Ok(()))),
        Err(Failure::Before(error)) if calls.len() > 1 => {
            tracing::debug!(%error, calls = calls.len(), "one call of a commit failed: each is made alone");
            calls.into_iter().for_each(|call| write_alone(shared, call));
        }
        Err(Failure::Before(StoreError::Reopening)) => {
            calls.into_iter().for_each(|call| write_alone(shared, call));
        }
        Err(Failure::Before(error) | Failure::Within(error)) => {
            calls.into_iter().for_each(|call| call.answer(Err(error.clone())));
        }
    }
}

/// A call that meets the database as a failure closed it is made again: nothing of it was committed.
fn write_alone(shared: &Shared, mut call: Box<dyn Call>) {
    let mut pauses = PAUSES.iter();
    let outcome = loop {
        match (commit(shared, std::slice::from_mut(&mut call)), pauses.next()) {
            (Ok(()), _) => break Ok(()),
            (Err(Failure::Before(StoreError::Reopening)), Some(pause)) => {
                std::thread::sleep(Duration::from_millis(*pause));
            }
            (Err(Failure::Before(error) | Failure::Within(error)), _) => break Err(error),
        }
    };
    call.answer(outcome);
}

fn commit(shared: &Shared, calls: &mut [Box<dyn Call>]) -> Result<(), Failure> {
    let mut failure: fn(StoreError) -> Failure = Failure::Before;
    let done = shared.with_database(|database| {
        let mut transaction = database.begin_write()?;
        // Reopening after a crash then takes no walk through the whole file.
        transaction.set_quick_repair(true);
        let mut tables = Writing::open(&transaction)?;
        for call in calls {
            catch_unwind(AssertUnwindSafe(|| call.run(&mut tables)))
                .unwrap_or_else(|panic| Err(panicked(&*panic)))?;
        }
        let done = (std::mem::take(&mut tables.doomed), std::mem::take(&mut tables.told));
        drop(tables);
        failure = Failure::Within;
        transaction.commit()?;
        Ok(done)
    });
    let (doomed, told) = done.map_err(failure)?;
    if !doomed.is_empty() {
        delete_unused(shared, doomed);
    }
    for told in told {
        shared.tell(told);
    }
    Ok(())
}

/// What fails here leaves an orphan, which [`super::Store::sweep_blobs`] collects.
fn delete_unused(shared: &Shared, doomed: Vec<ContentHash>) {
    let deleted = shared.read(|tables| {
        for content in &doomed {
            if !content_used(tables, *content)? {
                shared.blobs.delete_now(content)?;
            }
        }
        Ok(())
    });
    if let Err(error) = deleted {
        tracing::warn!(%error, "an unused blob stays until the next sweep");
    }
}

fn panicked(panic: &(dyn Any + Send)) -> StoreError {
    let words = panic.downcast_ref::<&str>().map(|words| (*words).to_owned());
    let words = words.or_else(|| panic.downcast_ref::<String>().cloned());
    StoreError::Failed(format!("a bug in the store: {}", words.unwrap_or_else(|| "it panicked".to_owned())))
}
