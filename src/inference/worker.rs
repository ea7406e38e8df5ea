//! One thread owns one model; the rest of the program holds this handle and sends it tasks.
//!
//! In: tasks, urgent or in the background. They are done in steps: between two steps an urgent task overtakes a
//! background one, so a question waits for one unit of a long batch, not for the batch. A full queue refuses at once
//! with a time to come back; a task whose caller has left is dropped; a model that panics fails its tasks and is
//! never used again. Nothing here knows a particular model: `local/` builds on it.

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::{Lane, ModelError};

/// Something to do with a model of type `M`.
pub trait Task<M>: Send {
    /// Does the next piece. What takes long is cut into pieces of some tens of milliseconds.
    fn step(&mut self, model: &mut M) -> Progress;
    /// Whether somebody still waits for the outcome; asked before each step.
    fn wanted(&self) -> bool;
    /// Tells the caller that no outcome will come.
    fn fail(&mut self, error: ModelError);
}

/// What a step leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    More,
    Done,
}

/// How many tasks may wait in each lane.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub urgent: usize,
    pub background: usize,
}

impl Default for Limits {
    /// Questions: what one machine answers within some seconds. Batches: the ingest workers, and a few more.
    fn default() -> Self {
        Self { urgent: 64, background: 16 }
    }
}

/// The handle of a model's thread. Dropping it fails what still waits and joins the thread.
pub struct Worker<M> {
    shared: Arc<Shared<M>>,
    limits: Limits,
    thread: Option<JoinHandle<()>>,
}

struct Shared<M> {
    state: Mutex<State<M>>,
    changed: Condvar,
}

struct State<M> {
    urgent: VecDeque<Box<dyn Task<M>>>,
    background: VecDeque<Box<dyn Task<M>>>,
    /// How long a task took, smoothed: what a refused caller is told to wait.
    usual: Duration,
    closing: bool,
    /// Why the model is no longer used.
    stopped: Option<String>,
}

impl<M: Send + 'static> Worker<M> {
    /// Moves a model to a thread of its own.
    pub fn start(name: &str, model: M, limits: Limits) -> Result<Self, ModelError> {
        let state = State {
            urgent: VecDeque::new(),
            background: VecDeque::new(),
            usual: Duration::from_millis(500),
            closing: false,
            stopped: None,
        };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let theirs = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || theirs.serve(model))
            .map_err(|e| ModelError::Unavailable(format!("no thread could be started: {e}")))?;
        Ok(Self { shared, limits, thread: Some(thread) })
    }

    /// Queues a task, or refuses it at once.
    pub fn submit(&self, lane: Lane, task: impl Task<M> + 'static) -> Result<(), ModelError> {
        let mut state = self.shared.lock();
        if let Some(why) = &state.stopped {
            return Err(ModelError::Unavailable(why.clone()));
        }
        let usual = state.usual;
        let (queue, limit) = match lane {
            Lane::Urgent => (&mut state.urgent, self.limits.urgent),
            Lane::Background => (&mut state.background, self.limits.background),
        };
        if queue.len() >= limit {
            // Callers that left while the model was busy need not keep others out.
            queue.retain(|task| task.wanted());
        }
        if queue.len() >= limit {
            let ahead = u32::try_from(queue.len()).unwrap_or(u32::MAX);
            let retry_after =
                usual.saturating_mul(ahead).clamp(Duration::from_secs(1), Duration::from_secs(60));
            return Err(ModelError::Busy { retry_after });
        }
        queue.push_back(Box::new(task));
        drop(state);
        self.shared.changed.notify_one();
        Ok(())
    }

    /// Why the model has stopped, if it has.
    pub fn stopped(&self) -> Option<String> {
        self.shared.lock().stopped.clone()
    }

    /// How many tasks wait.
    pub fn waiting(&self) -> usize {
        let state = self.shared.lock();
        state.urgent.len() + state.background.len()
    }
}

impl<M> Drop for Worker<M> {
    fn drop(&mut self) {
        self.shared.lock().closing = true;
        self.shared.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            // The thread catches what a model throws; if it died all the same there is nothing left to end.
            let _ = thread.join();
        }
    }
}

impl<M> Shared<M> {
    /// A panic cannot leave the queues half-changed, so a poisoned lock is as good as any.
    fn lock(&self) -> MutexGuard<'_, State<M>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The model's thread: works until the handle is dropped or the model panics.
    fn serve(&self, mut model: M) {
        while let Some((lane, mut task)) = self.next() {
            let begun = Instant::now();
            loop {
                if !task.wanted() {
                    break;
                }
                match catch_unwind(AssertUnwindSafe(|| task.step(&mut model))) {
                    Ok(Progress::Done) => {
                        self.note(begun.elapsed());
                        break;
                    }
                    Ok(Progress::More) => {
                        let mut state = self.lock();
                        if lane == Lane::Background && !state.urgent.is_empty() || state.closing {
                            state.background.push_front(task);
                            break;
                        }
                    }
                    Err(panic) => {
                        let why = message(panic.as_ref());
                        task.fail(ModelError::Unavailable(why.clone()));
                        self.stop(why);
                        return;
                    }
                }
            }
        }
        self.stop("the program is stopping".to_owned());
    }

    /// Waits for the next task, urgent ones first; `None` when the handle is gone.
    fn next(&self) -> Option<(Lane, Box<dyn Task<M>>)> {
        let mut state = self.lock();
        loop {
            if state.closing {
                return None;
            }
            if let Some(task) = state.urgent.pop_front() {
                return Some((Lane::Urgent, task));
            }
            if let Some(task) = state.background.pop_front() {
                return Some((Lane::Background, task));
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Smooths the time of a task over about eight of them.
    fn note(&self, took: Duration) {
        let mut state = self.lock();
        state.usual = (state.usual * 7 + took) / 8;
    }

    /// Fails everything that waits and everything that will come.
    fn stop(&self, why: String) {
        let left: Vec<_> = {
            let mut state = self.lock();
            state.stopped = Some(why.clone());
            let State { urgent, background, .. } = &mut *state;
            urgent.drain(..).chain(background.drain(..)).collect()
        };
        for mut task in left {
            task.fail(ModelError::Unavailable(why.clone()));
        }
    }
}

/// What a panic said.
fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or(panic.downcast_ref::<String>().map(String::as_str));
    format!("it failed badly: {}", text.unwrap_or("without a message"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc::{Receiver, Sender, channel};

    /// The model is the list of what was done. A task does its name once per step, waits for a go before each if it
    /// has one, and tells how it ended.
    struct Named {
        name: &'static str,
        steps: usize,
        go: Option<Receiver<()>>,
        left: Arc<AtomicBool>,
        end: Sender<String>,
    }

    type Done = Arc<Mutex<Vec<&'static str>>>;

    impl Task<Done> for Named {
        fn step(&mut self, done: &mut Done) -> Progress {
            if let Some(go) = &self.go {
                go.recv().expect("the test says go");
            }
            if self.name == "panic" {
                panic!("on purpose");
            }
            done.lock().expect("not poisoned").push(self.name);
            self.steps -= 1;
            if self.steps > 0 {
                return Progress::More;
            }
            let _ = self.end.send(format!("{} done", self.name));
            Progress::Done
        }
        fn wanted(&self) -> bool {
            !self.left.load(Ordering::SeqCst)
        }
        fn fail(&mut self, error: ModelError) {
            let _ = self.end.send(format!("{} {error}", self.name));
        }
    }

    struct Bench {
        worker: Worker<Done>,
        done: Done,
        end: Sender<String>,
        ended: Receiver<String>,
    }

    impl Bench {
        fn new(urgent: usize, background: usize) -> Self {
            let done = Done::default();
            let worker =
                Worker::start("test", Arc::clone(&done), Limits { urgent, background }).expect("a thread");
            let (end, ended) = channel();
            Self { worker, done, end, ended }
        }
        fn task(&self, name: &'static str, steps: usize) -> Named {
            Named { name, steps, go: None, left: Arc::default(), end: self.end.clone() }
        }
        /// A task that waits for the test before each step.
        fn held(&self, name: &'static str, steps: usize) -> (Named, Sender<()>) {
            let (go, wait) = channel();
            (Named { go: Some(wait), ..self.task(name, steps) }, go)
        }
        /// Lets the model's thread take everything that is queued.
        fn until_taken(&self) {
            while self.worker.waiting() > 0 {
                std::thread::yield_now();
            }
        }
        fn end(&self) -> String {
            self.ended.recv_timeout(Duration::from_secs(20)).expect("it ends")
        }
    }

    #[test]
    fn a_question_overtakes_a_batch_between_its_steps() {
        let bench = Bench::new(4, 4);
        let (batch, go) = bench.held("batch", 3);
        bench.worker.submit(Lane::Background, batch).expect("room");
        bench.until_taken();
        bench.worker.submit(Lane::Background, bench.task("later", 1)).expect("room");
        bench.worker.submit(Lane::Urgent, bench.task("question", 1)).expect("room");
        for _ in 0..3 {
            go.send(()).expect("it listens");
        }
        assert_eq!([bench.end(), bench.end(), bench.end()], ["question done", "batch done", "later done"]);
        assert_eq!(*bench.done.lock().expect("fine"), ["batch", "question", "batch", "batch", "later"]);
    }

    #[test]
    fn a_full_lane_refuses_with_a_time_and_leaves_the_other_open() {
        let bench = Bench::new(1, 1);
        let (first, go) = bench.held("first", 1);
        bench.worker.submit(Lane::Urgent, first).expect("room");
        bench.until_taken();
        bench.worker.submit(Lane::Urgent, bench.task("second", 1)).expect("room");
        let refused = bench.worker.submit(Lane::Urgent, bench.task("third", 1));
        assert!(
            matches!(refused, Err(ModelError::Busy { retry_after }) if retry_after >= Duration::from_secs(1))
        );
        bench.worker.submit(Lane::Background, bench.task("batch", 1)).expect("room");
        go.send(()).expect("it listens");
        assert_eq!([bench.end(), bench.end(), bench.end()], ["first done", "second done", "batch done"]);
    }

    #[test]
    fn callers_that_left_cost_nothing_and_make_room() {
        let bench = Bench::new(1, 1);
        let (first, go) = bench.held("first", 1);
        bench.worker.submit(Lane::Urgent, first).expect("room");
        bench.until_taken();
        let gone = bench.task("gone", 1);
        gone.left.store(true, Ordering::SeqCst);
        bench.worker.submit(Lane::Urgent, gone).expect("room");
        bench.worker.submit(Lane::Urgent, bench.task("second", 1)).expect("the one that left made room");
        go.send(()).expect("it listens");
        assert_eq!([bench.end(), bench.end()], ["first done", "second done"]);
        assert_eq!(*bench.done.lock().expect("fine"), ["first", "second"]);
    }

    #[test]
    fn a_panic_fails_what_waits_and_what_comes() {
        let bench = Bench::new(4, 4);
        let (bad, go) = bench.held("panic", 1);
        bench.worker.submit(Lane::Urgent, bad).expect("room");
        bench.until_taken();
        bench.worker.submit(Lane::Background, bench.task("batch", 1)).expect("room");
        go.send(()).expect("it listens");
        for name in ["panic", "batch"] {
            let end = bench.end();
            assert!(end.starts_with(name) && end.contains("on purpose"), "{end}");
        }
        let refused = bench.worker.submit(Lane::Urgent, bench.task("after", 1));
        assert!(matches!(refused, Err(ModelError::Unavailable(_))));
        assert!(bench.worker.stopped().is_some());
    }

    #[test]
    fn dropping_the_handle_joins_the_thread_and_fails_what_waits() {
        let bench = Bench::new(4, 4);
        let (batch, go) = bench.held("batch", 2);
        bench.worker.submit(Lane::Background, batch).expect("room");
        bench.until_taken();
        bench.worker.submit(Lane::Background, bench.task("waiting", 1)).expect("room");
        let Bench { worker, done, ended, .. } = bench;
        let dropping = std::thread::spawn(move || drop(worker));
        // The step in hand ends; whether another begins before the drop is seen, nothing of the queue does.
        go.send(()).expect("it listens");
        drop(go);
        dropping.join().expect("the thread was joined");
        assert_eq!(Arc::strong_count(&done), 1, "the model is gone");
        let ends: Vec<String> = ended.try_iter().collect();
        assert!(ends.iter().any(|e| e.starts_with("waiting the model has stopped")), "{ends:?}");
        assert_eq!(ends.len(), 2, "{ends:?}");
    }
}
