//! Spans of speech packed into windows: as long as the model reads at once, cut at pauses only.
//!
//! Whisper hears best with context around each sentence, so a window takes as many spans as fit; but not across a long
//! silence, in which it would make words up.

use std::ops::Range;

/// A pause after which a new window begins, in frames of 32 ms: 3 seconds.
const PAUSE: u64 = 94;

/// Packs spans; times are frames.
pub struct Windows {
    longest: u64,
    open: Option<Range<u64>>,
}

impl Windows {
    pub fn new(longest: u64) -> Self {
        Self { longest, open: None }
    }

    /// Takes the next span; gives a window when the span does not fit into it any more.
    pub fn push(&mut self, span: Range<u64>) -> Option<Range<u64>> {
        match &mut self.open {
            Some(open) if span.end - open.start <= self.longest && span.start - open.end < PAUSE => {
                open.end = span.end;
                None
            }
            open => open.replace(span),
        }
    }

    /// The window that nothing will be added to: no span began within the pause.
    pub fn close_before(&mut self, next: u64) -> Option<Range<u64>> {
        self.open.take_if(|open| next.saturating_sub(open.end) >= PAUSE)
    }

    /// The last window.
    pub fn finish(&mut self) -> Option<Range<u64>> {
        self.open.take()
    }

    /// Where the window begins that is open, if one is.
    pub fn open_since(&self) -> Option<u64> {
        self.open.as_ref().map(|open| open.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_full_and_end_at_pauses() {
        let mut windows = Windows::new(900);
        let spans = [10..300, 320..600, 620..880, 905..1_000, 1_200..1_300, 1_310..1_400];
        let mut found: Vec<Range<u64>> = spans.into_iter().filter_map(|span| windows.push(span)).collect();
        found.extend(windows.finish());
        assert_eq!(found, [10..880, 905..1_000, 1_200..1_400]);
        assert_eq!(windows.finish(), None);
    }

    #[test]
    fn a_long_silence_closes_what_is_open() {
        let mut windows = Windows::new(900);
        assert_eq!(windows.push(0..50), None);
        assert_eq!(windows.close_before(100), None);
        assert_eq!(windows.open_since(), Some(0));
        assert_eq!(windows.close_before(50 + PAUSE), Some(0..50));
        assert_eq!(windows.open_since(), None);
    }
}
