//! Ends a text before a stop sequence, or when it has as many words as tokens are allowed. Pure.
//!
//! A chat model is limited where it runs; this also holds for quoted sentences, which no model wrote. A token is at
//! most a word there, so the limit is never exceeded.

/// Why a text ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    Stop,
    Length,
}

impl Finish {
    pub fn word(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Length => "length",
        }
    }
}

/// Lets pieces through until the limit.
#[derive(Debug)]
pub struct Limit {
    stops: Vec<String>,
    most_words: usize,
    /// Not let through yet: it may be the beginning of a stop sequence.
    held: String,
    words: usize,
    in_word: bool,
    finished: Option<Finish>,
}

impl Limit {
    pub fn new(stops: Vec<String>, most_words: Option<usize>) -> Self {
        Self {
            stops: stops.into_iter().filter(|stop| !stop.is_empty()).collect(),
            most_words: most_words.unwrap_or(usize::MAX),
            held: String::new(),
            words: 0,
            in_word: false,
            finished: None,
        }
    }

    /// The next piece as far as it may go out.
    pub fn pass(&mut self, piece: &str) -> String {
        if self.finished.is_some() {
            return String::new();
        }
        self.held.push_str(piece);
        if let Some(at) = self.stops.iter().filter_map(|stop| self.held.find(stop)).min() {
            self.held.truncate(at);
            let text = self.end();
            self.finished.get_or_insert(Finish::Stop);
            return text;
        }
        let keep = self.stops.iter().map(|stop| begun(&self.held, stop)).max().unwrap_or(0);
        let ready: String = self.held.drain(..self.held.len() - keep).collect();
        self.count(ready)
    }

    /// What was held back, when no more comes.
    pub fn end(&mut self) -> String {
        let rest = std::mem::take(&mut self.held);
        if self.finished.is_some() { String::new() } else { self.count(rest) }
    }

    /// Whether the text was ended here.
    pub fn finished(&self) -> Option<Finish> {
        self.finished
    }

    /// Cuts before the first word too many.
    fn count(&mut self, text: String) -> String {
        for (at, c) in text.char_indices() {
            if c.is_whitespace() {
                self.in_word = false;
            } else if !std::mem::replace(&mut self.in_word, true) {
                self.words += 1;
                if self.words > self.most_words {
                    self.finished = Some(Finish::Length);
                    return text[..at].to_owned();
                }
            }
        }
        text
    }
}

/// Length of the longest end of `text` that `stop` begins with.
fn begun(text: &str, stop: &str) -> usize {
    let places = stop.char_indices().skip(1).map(|(at, _)| at);
    places.filter(|&length| text.ends_with(&stop[..length])).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_end_where_they_shall() {
        let check =
            |pieces: &[&str], stops: &[&str], most: Option<usize>, text: &str, finish: Option<Finish>| {
                let mut limit = Limit::new(stops.iter().map(|stop| (*stop).to_owned()).collect(), most);
                let mut passed: String = pieces.iter().map(|piece| limit.pass(piece)).collect();
                passed.push_str(&limit.end());
                assert_eq!((passed.as_str(), limit.finished()), (text, finish), "{pieces:?} {stops:?}");
            };
        check(&["Dry ", "it flat."], &[], None, "Dry it flat.", None);
        check(&["one EN", "D two"], &["END"], None, "one ", Some(Finish::Stop));
        check(&["one EN", "E"], &["END"], None, "one ENE", None);
        check(&["one EN"], &["END"], None, "one EN", None);
        check(&["aab"], &["ab"], None, "a", Some(Finish::Stop));
        check(&["x b a"], &["a", "b"], None, "x ", Some(Finish::Stop));
        check(&["été", "É."], &["É."], None, "été", Some(Finish::Stop));
        check(&["on", "e two", " three"], &[], Some(2), "one two ", Some(Finish::Length));
        check(&["one two"], &[], Some(2), "one two", None);
        check(&["one two three STOP"], &["STOP"], Some(2), "one two ", Some(Finish::Length));
        check(&["x"], &[""], None, "x", None);
    }
}
