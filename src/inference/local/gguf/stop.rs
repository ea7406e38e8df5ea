//! Ends an answer before a stop sequence, also where it spreads over several pieces.
//!
//! In: pieces of text. Out: the text that can no longer be part of a stop sequence. Called by
//! [`super::generate`].

pub struct StopSearch {
    sequences: Vec<String>,
    held: String,
}

/// What a piece made certain.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// This much text is certain, perhaps none.
    Text(String),
    /// A stop sequence came; this text stands before it.
    Stop(String),
}

impl StopSearch {
    pub fn new(sequences: &[String]) -> Self {
        Self { sequences: sequences.iter().filter(|s| !s.is_empty()).cloned().collect(), held: String::new() }
    }

    pub fn push(&mut self, piece: &str) -> Found {
        self.held.push_str(piece);
        let first = self.sequences.iter().filter_map(|sequence| self.held.find(sequence.as_str())).min();
        if let Some(at) = first {
            self.held.truncate(at);
            return Found::Stop(std::mem::take(&mut self.held));
        }
        let kept = self.sequences.iter().map(|sequence| overlap(&self.held, sequence)).max().unwrap_or(0);
        let rest = self.held.split_off(self.held.len() - kept);
        Found::Text(std::mem::replace(&mut self.held, rest))
    }

    /// The text that was held back, when nothing follows.
    pub fn finish(&mut self) -> String {
        std::mem::take(&mut self.held)
    }
}

/// How much of the end of `text` is a beginning of `sequence`.
fn overlap(text: &str, sequence: &str) -> usize {
    let beginnings = sequence.char_indices().map(|(at, _)| at).rev();
    beginnings.into_iter().find(|length| text.ends_with(&sequence[..*length])).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn streamed(stops: &[&str], pieces: &[&str]) -> (String, bool) {
        let mut search = StopSearch::new(&stops.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>());
        let mut text = String::new();
        for piece in pieces {
            match search.push(piece) {
                Found::Text(more) => text.push_str(&more),
                Found::Stop(more) => return (text + &more, true),
            }
        }
        (text + &search.finish(), false)
    }

    #[test]
    fn stops_are_found_across_pieces() {
        for (stops, pieces, text, stopped) in [
            (&["\n\n"][..], &["one\n", "two\n", "\nthree"][..], "one\ntwo", true),
            (&["END"], &["the EN", "EN", "D of it"], "the EN", true),
            (&["END"], &["the EN", "trance"], "the ENtrance", false),
            (&["aab"], &["a", "a", "a", "b", "c"], "a", true),
            (&["x", "é!"], &["caf", "é", "! x"], "caf", true),
            (&["x", "é!"], &["café", "."], "café.", false),
            (&[""], &["any", "thing"], "anything", false),
            (&[], &["any"], "any", false),
            (&["b", "ab"], &["1ab"], "1", true),
        ] {
            assert_eq!(streamed(stops, pieces), (text.to_owned(), stopped), "{stops:?} in {pieces:?}");
        }
    }

    #[test]
    fn certain_text_is_not_held_back() {
        let mut search = StopSearch::new(&["\nUser:".to_owned()]);
        assert_eq!(search.push("hello"), Found::Text("hello".into()));
        assert_eq!(search.push(" you\n"), Found::Text(" you".into()));
        assert_eq!(search.push("Us"), Found::Text(String::new()));
        assert_eq!(search.push("ed"), Found::Text("\nUsed".into()));
    }
}
