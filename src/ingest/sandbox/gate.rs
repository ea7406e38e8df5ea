//! How many reading processes there are at once: more of them would only take memory from each other.
//!
//! Two gates, because who takes an archive apart waits until its parts are read: with one, they could wait for each
//! other.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use super::super::extract::ExtractError;

/// Reads documents; at most one for each core is of use, and two let others pass by a slow one.
pub static READERS: Gate = Gate::new(2, 8);
/// Takes files apart, mostly waiting for those who read the parts.
pub static TAKERS: Gate = Gate::new(8, 16);

/// Between two looks at whether the work is still wanted.
const LOOK: Duration = Duration::from_millis(100);

pub struct Gate {
    inside: Mutex<usize>,
    left: Condvar,
    least: usize,
    most: usize,
}

/// A place, until dropped.
pub struct Place(&'static Gate);

impl Gate {
    /// As many places as there are cores, within these bounds.
    const fn new(least: usize, most: usize) -> Self {
        Self { inside: Mutex::new(0), left: Condvar::new(), least, most }
    }

    /// Waits for a place.
    pub fn enter(&'static self, stop: &dyn Fn() -> bool) -> Result<Place, ExtractError> {
        let places = std::thread::available_parallelism().map_or(self.least, usize::from);
        let places = places.clamp(self.least, self.most);
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        while *inside >= places {
            if stop() {
                return Err(ExtractError::Stopped);
            }
            let waited = self.left.wait_timeout(inside, LOOK);
            inside = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        *inside += 1;
        Ok(Place(self))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut inside = self.0.inside.lock().unwrap_or_else(PoisonError::into_inner);
        *inside = inside.saturating_sub(1);
        self.0.left.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn no_more_are_inside_than_there_are_places() {
        static NARROW: Gate = Gate::new(2, 2);
        static INSIDE: AtomicUsize = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let _place = NARROW.enter(&|| false).unwrap();
                    assert!(INSIDE.fetch_add(1, Ordering::SeqCst) < 2);
                    std::thread::sleep(Duration::from_millis(5));
                    INSIDE.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        let _both = (NARROW.enter(&|| false).unwrap(), NARROW.enter(&|| false).unwrap());
        assert!(matches!(NARROW.enter(&|| true), Err(ExtractError::Stopped)));
    }
}
