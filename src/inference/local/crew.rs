//! Forward passes over many texts, shared out over some threads.
//!
//! In: texts that are cut already. Out: what each gives, in their order. `bert.rs` and `cross.rs` say what one thread
//! does with a share; a few texts are done on the model's own thread.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::encoder::Scratch;

/// Tokens that a thread takes at once: enough rows to use each weight often, little enough that a unit ends soon.
pub const SHARE_TOKENS: usize = 128;

/// The memory of each thread, kept between calls.
pub struct Crew {
    own: Scratch,
    others: Vec<Scratch>,
}

impl Crew {
    /// So many threads, the model's own among them.
    pub fn of(threads: usize) -> Self {
        Self { own: Scratch::default(), others: (1..threads).map(|_| Scratch::default()).collect() }
    }

    pub fn threads(&self) -> usize {
        self.others.len() + 1
    }

    /// What `work` gives for each text; `length` is a text's tokens.
    pub fn share_out<T: Sync, R: Send>(
        &mut self,
        texts: &[T],
        length: impl Fn(&T) -> usize,
        work: impl Fn(&[T], &mut Scratch) -> Vec<R> + Sync,
    ) -> Vec<R> {
        let shares = shares(texts, length);
        if let [all] = shares[..] {
            return work(all, &mut self.own);
        }
        let next = AtomicUsize::new(0);
        let take = |scratch: &mut Scratch| {
            let mut done = Vec::new();
            while let Some((at, texts)) =
                Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| shares.get(at).map(|s| (at, s)))
            {
                done.push((at, work(texts, scratch)));
            }
            done
        };
        let (own, others) = (&mut self.own, &mut self.others);
        let mut done = std::thread::scope(|scope| {
            let helpers: Vec<_> = others.iter_mut().map(|scratch| scope.spawn(|| take(scratch))).collect();
            let mut done = take(own);
            for helper in helpers {
                done.extend(helper.join().unwrap_or_else(|panic| resume_unwind(panic)));
            }
            done
        });
        done.sort_unstable_by_key(|(at, _)| *at);
        done.into_iter().flat_map(|(_, results)| results).collect()
    }
}

/// Cuts a batch into runs of about [`SHARE_TOKENS`]; at least one text each.
fn shares<T>(texts: &[T], length: impl Fn(&T) -> usize) -> Vec<&[T]> {
    let (mut shares, mut begin, mut size) = (Vec::new(), 0, 0);
    for (at, text) in texts.iter().enumerate() {
        let length = length(text);
        if at > begin && size + length > SHARE_TOKENS {
            shares.push(&texts[begin..at]);
            (begin, size) = (at, 0);
        }
        size += length;
    }
    shares.push(&texts[begin..]);
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_hold_whole_texts_in_order() {
        let texts = [60, 60, 60, 200, 1, 1];
        let sizes: Vec<usize> = shares(&texts, |n| *n).iter().map(|s| s.len()).collect();
        assert_eq!(sizes, [2, 1, 1, 2]);
        assert_eq!(shares(&[], |n: &usize| *n).len(), 1);
    }

    #[test]
    fn results_come_in_the_order_of_the_texts_from_any_number_of_threads() {
        let texts: Vec<usize> = (0..40).map(|n| (n * 37) % 150).collect();
        for threads in [0, 1, 2, 5] {
            let mut crew = Crew::of(threads);
            assert_eq!(crew.threads(), threads.max(1));
            let doubled = crew.share_out(&texts, |n| *n, |share, _| share.iter().map(|n| n * 2).collect());
            assert_eq!(doubled, texts.iter().map(|n| n * 2).collect::<Vec<_>>());
        }
    }
}
