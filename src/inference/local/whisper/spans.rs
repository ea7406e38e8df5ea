//! From how likely each 32 ms are speech to spans of speech, as a stream.
//!
//! The rules are those of Silero's `get_speech_timestamps`: speech begins at a threshold and ends after some time below a
//! lower one, so that a breath does not cut a sentence. A span that grows too long is cut where it is most nearly silent.

use std::ops::Range;

/// Samples of which one probability is said (Silero at 16 kHz).
pub const FRAME: usize = 512;

/// Speech begins here; Silero's own default.
const THRESHOLD: f32 = 0.5;
/// …and ends here: .15 lower, as there.
const LOWER: f32 = THRESHOLD - 0.15;
/// Frames below the lower threshold that end a span: 320 ms, the pause after a clause.
const SILENCE: u64 = 10;
/// Frames that a span must have: 224 ms, as Silero's 250.
const SHORTEST: u64 = 7;

/// Follows probabilities; times are frames since the beginning.
pub struct Spans {
    longest: u64,
    now: u64,
    begun: Option<u64>,
    quiet_since: Option<u64>,
    /// Probabilities since `begun`.
    since: Vec<f32>,
}

impl Spans {
    /// No span is longer than `longest` frames.
    pub fn new(longest: u64) -> Self {
        Self { longest: longest.max(2), now: 0, begun: None, quiet_since: None, since: Vec::new() }
    }

    /// Takes the next probability; gives a span when one ends.
    pub fn push(&mut self, probability: f32) -> Option<Range<u64>> {
        let at = self.now;
        self.now += 1;
        let Some(begun) = self.begun else {
            if probability >= THRESHOLD {
                self.begun = Some(at);
                self.quiet_since = None;
                self.since.clear();
                self.since.push(probability);
            }
            return None;
        };
        self.since.push(probability);
        if probability >= THRESHOLD {
            self.quiet_since = None;
        } else if probability < LOWER {
            self.quiet_since.get_or_insert(at);
        }
        if let Some(quiet) = self.quiet_since.filter(|&quiet| self.now - quiet >= SILENCE) {
            self.begun = None;
            return long_enough(begun..quiet);
        }
        if self.now - begun >= self.longest {
            // In the last half, so that the parts are not short; the least likely frame ends the first part.
            let half = self.since.len() / 2;
            let quietest = (half..self.since.len())
                .min_by(|&a, &b| self.since[a].total_cmp(&self.since[b]))
                .unwrap_or(self.since.len() - 1);
            let cut = begun + quietest as u64 + 1;
            self.since.drain(..=quietest);
            self.begun = (cut < self.now).then_some(cut);
            self.quiet_since = self.quiet_since.filter(|&quiet| quiet >= cut);
            return Some(begun..cut);
        }
        None
    }

    /// The span that is open at the end.
    pub fn finish(&mut self) -> Option<Range<u64>> {
        let begun = self.begun.take()?;
        long_enough(begun..self.quiet_since.unwrap_or(self.now))
    }

    /// Where the span begins that is open, if one is.
    pub fn open_since(&self) -> Option<u64> {
        self.begun
    }

    /// Frames seen.
    pub fn now(&self) -> u64 {
        self.now
    }
}

fn long_enough(span: Range<u64>) -> Option<Range<u64>> {
    (span.end - span.start >= SHORTEST).then_some(span)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(longest: u64, probabilities: &[(f32, usize)]) -> Vec<Range<u64>> {
        let mut spans = Spans::new(longest);
        let mut found = Vec::new();
        for &(probability, times) in probabilities {
            for _ in 0..times {
                found.extend(spans.push(probability));
            }
        }
        found.extend(spans.finish());
        found
    }

    #[test]
    fn speech_has_a_beginning_and_an_end_and_breaths_do_not_cut_it() {
        let check = |probabilities: &[(f32, usize)], expected: &[Range<u64>]| {
            assert_eq!(spans(1_000, probabilities), expected, "{probabilities:?}");
        };
        check(&[(0.0, 100)], &[]);
        check(&[(0.0, 10), (0.9, 20), (0.0, 30)], std::slice::from_ref(&(10..30)));
        // A breath, doubt between the thresholds, a click.
        check(&[(0.9, 10), (0.1, 5), (0.9, 10), (0.0, 20)], std::slice::from_ref(&(0..25)));
        check(&[(0.9, 10), (0.4, 50), (0.9, 10), (0.0, 20)], std::slice::from_ref(&(0..70)));
        check(&[(0.0, 10), (0.9, 3), (0.0, 20)], &[]);
        check(&[(0.9, 20), (0.0, 15), (0.9, 20), (0.0, 3)], &[0..20, 35..55]);
        // What is said up to the end.
        check(&[(0.0, 5), (0.9, 20)], std::slice::from_ref(&(5..25)));
    }

    #[test]
    fn what_never_pauses_is_cut_where_it_is_quietest() {
        let found = spans(100, &[(0.9, 70), (0.55, 1), (0.9, 129), (0.0, 20)]);
        assert_eq!(found[0], 0..71);
        assert!(found.iter().all(|span| span.end - span.start <= 100), "{found:?}");
        assert!(found.windows(2).all(|pair| pair[0].end == pair[1].start), "{found:?}");
        assert_eq!(found.last().map(|span| span.end), Some(200));
    }
}
