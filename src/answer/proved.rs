//! What a chat model said, sentence by sentence: only what is proved and to the question stays.
//!
//! Comes in: the model's words so far and the passages it was given. Goes out: the sentences that may be shown, each
//! with the numbers of its passages, and the citations. Called by `generate.rs`, which asks an entailment model in between
//! where there is one; how a sentence is judged stands in [`verify`], [`facts`], [`relevance`](super::relevance) and
//! [`entail`].

use std::collections::BTreeMap;

use super::compose::citation;
use super::entail::{self, Verdict};
use super::find::Passage;
use super::guard::output::Output;
use super::relevance::Relevance;
use super::{Draft, Evidence, facts, verify};
use crate::domain::{Citation, Sentence, Span, Usage};
use crate::index::analyze::Language;
use crate::index::analyze::sentences::{Piece, PieceKind, pieces};

/// A sentence of the model that is shown where its passages bear it out.
pub struct Claim {
    sentence: Sentence,
    is_code: bool,
}

impl Claim {
    /// Without the numbers of its passages.
    pub fn text(&self) -> &str {
        &self.sentence.text
    }
}

/// The sentences that are proved, as far as the model has come.
pub struct Proved<'a> {
    evidence: &'a Evidence,
    /// Passages that the model was given.
    used: usize,
    relevance: Relevance<'a>,
    output: Output,
    pub response: String,
    sentences: Vec<Sentence>,
    /// Pieces of what the model said that were looked at.
    seen: usize,
}

impl<'a> Proved<'a> {
    /// `output` is what the guard keeps from being said.
    pub fn new(question: &str, evidence: &'a Evidence, used: usize, output: Output) -> Self {
        let picked = evidence.picked.iter();
        let picked =
            picked.map(|picked| picked.span.of(&evidence.passages[picked.passage].chunk.text)).collect();
        let titles: Vec<&str> = evidence.passages[..used].iter().flat_map(titles).collect();
        let relevance = Relevance::of(question, picked, &titles, evidence.language);
        Self { evidence, used, relevance, output, response: String::new(), sentences: Vec::new(), seen: 0 }
    }

    /// Looks at the sentences that are whole now and gives those that may be claimed: they hold no fact that their passages
    /// lack, and answer the question. One that names no passage is compared with all and gets the best.
    pub fn advance(&mut self, said: &str, ended: bool) -> Vec<Claim> {
        let pieces = pieces(said, self.evidence.language);
        let whole = if ended { pieces.len() } else { pieces.len().saturating_sub(1) };
        let new = pieces.iter().take(whole).skip(self.seen);
        let claims = new.filter_map(|&piece| self.claim(piece, said)).collect();
        self.seen = self.seen.max(whole);
        claims
    }

    /// What an entailment model reads to judge a claim: the passages that it cites. Nothing for code, which stands in them.
    pub fn premises(&self, claim: &Claim) -> Vec<String> {
        if claim.is_code {
            return Vec::new();
        }
        let cited = claim.sentence.citations.iter().map(|&number| self.passage(number));
        cited
            .map(|passage| passage.chunk.anchor.under_titles(&passage.document.title, &passage.chunk.text))
            .collect()
    }

    /// Takes a claim in where it is proved, by its words and by the verdict of a model if there is one, and gives it
    /// ready to be sent.
    pub fn accept(&mut self, claim: Claim, verdict: Option<Verdict>) -> Option<String> {
        let Claim { mut sentence, is_code } = claim;
        if let Some(verdict) = verdict {
            if verdict.contradicts() {
                return None;
            }
            sentence.support = entail::joined(sentence.support, verdict);
        }
        if sentence.support < verify::DEFAULT_THRESHOLD {
            return None;
        }
        let marks: String = sentence.citations.iter().map(|number| format!("[{number}]")).collect();
        let (before, text) = match is_code {
            true => ("\n\n", format!("```\n{}\n```\n{marks}", sentence.text)),
            false => (" ", format!("{} {marks}", sentence.text)),
        };
        let text = if self.response.is_empty() { text } else { format!("{before}{text}") };
        self.response.push_str(&text);
        self.sentences.push(sentence);
        Some(text)
    }

    /// Adds the best sentences of the passages, verbatim, but none that the proved ones say already.
    pub fn complete(&mut self) -> Vec<String> {
        let (said, language) = (self.response.clone(), self.evidence.language);
        let mut ready = Vec::new();
        for picked in self.evidence.picked.iter().filter(|picked| picked.passage < self.used) {
            let quote = picked.span.of(&self.evidence.passages[picked.passage].chunk.text);
            if verify::support(quote, &[&said], language) >= verify::DEFAULT_THRESHOLD {
                continue;
            }
            let number = picked.passage as u32 + 1;
            let sentence = format!(" {quote} [{number}]");
            self.response.push_str(&sentence);
            self.sentences.push(Sentence { text: quote.to_owned(), citations: vec![number], support: 1.0 });
            ready.push(sentence);
        }
        ready
    }

    /// The answer that is proved so far.
    pub fn draft(self, model: &str, usage: Usage) -> Draft {
        Draft {
            citations: self.citations(),
            response: self.response,
            sentences: self.sentences,
            abstained: false,
            escalation: None,
            confidence: self.evidence.confidence,
            agents: vec!["course"],
            model: model.to_owned(),
            usage,
            entailment: None,
            costs: Vec::new(),
        }
    }

    fn passage(&self, number: u32) -> &'a Passage {
        &self.evidence.passages[number as usize - 1]
    }

    /// The sentence with its passages and what its words say for it; nothing when it may not be shown at all.
    fn claim(&self, piece: Piece, said: &str) -> Option<Claim> {
        if piece.kind == PieceKind::Heading {
            return None;
        }
        if let Some(fault) = self.output.fault(piece.span.of(said)) {
            tracing::info!(?fault, "the guard dropped a sentence of the model");
            return None;
        }
        let (text, mut citations) = split_citations(without_leading_marks(piece.span.of(said)));
        let text = text.trim();
        citations.retain(|number| (1..=self.used as u32).contains(number));
        citations.sort_unstable();
        citations.dedup();
        let language = self.evidence.language;
        let (best, support) = self.best_passage(text, &citations)?;
        if citations.is_empty() {
            citations.push(best);
        }
        let cited: Vec<&Passage> = citations.iter().map(|&number| self.passage(number)).collect();
        if piece.kind == PieceKind::Code {
            // Code is shown as it stands in a passage or not at all.
            let holder = cited.iter().find(|passage| has_lines(&passage.chunk.text, text));
            holder?;
            let sentence = Sentence { text: text.to_owned(), citations, support: 1.0 };
            return Some(Claim { sentence, is_code: true });
        }
        let texts: Vec<&str> =
            cited.iter().flat_map(|passage| titles(passage).chain([passage.chunk.text.as_str()])).collect();
        let may_be_shown = facts::missing(text, &texts, language).is_empty() && self.relevance.answers(text);
        let sentence = Sentence { text: text.to_owned(), citations, support };
        may_be_shown.then_some(Claim { sentence, is_code: false })
    }

    /// The passage that bears a claim out best, of those it names (else of all), with its support.
    fn best_passage(&self, claim: &str, numbers: &[u32]) -> Option<(u32, f32)> {
        let passages = (1u32..).zip(&self.evidence.passages[..self.used]);
        let support =
            |passage: &Passage| verify::support(claim, &[&passage.chunk.text], self.evidence.language);
        passages
            .filter(|(number, _)| numbers.is_empty() || numbers.contains(number))
            .map(|(number, passage)| (number, support(passage)))
            .max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)))
    }

    /// A citation for each passage that a sentence names: the part that bears the first such sentence out.
    fn citations(&self) -> Vec<Citation> {
        let mut cited: BTreeMap<u32, Citation> = BTreeMap::new();
        for sentence in &self.sentences {
            for &number in &sentence.citations {
                let passage = self.passage(number);
                cited.entry(number).or_insert_with(|| {
                    let text = &passage.chunk.text;
                    citation(number, passage, supporting(&sentence.text, text, self.evidence.language))
                });
            }
        }
        cited.into_values().collect()
    }
}

fn titles(passage: &Passage) -> impl Iterator<Item = &str> {
    [Some(passage.document.title.as_str()), passage.chunk.anchor.heading.as_deref()].into_iter().flatten()
}

/// Whether each line stands in `text`, indentation aside.
fn has_lines(text: &str, code: &str) -> bool {
    let known: Vec<&str> = text.lines().map(str::trim).collect();
    code.lines().map(str::trim).all(|line| line.is_empty() || known.contains(&line))
}

/// The sentence of a text that bears a claim out best; all of the text when it has none.
pub fn supporting(claim: &str, text: &str, language: Language) -> Span {
    let borne_out = |span: Span| {
        let features = verify::Features::of(claim, &[span.of(text)], language);
        features.recall + features.pairs
    };
    let quotable = pieces(text, language).into_iter().filter(|piece| piece.kind != PieceKind::Heading);
    let best = quotable.map(|piece| piece.span).max_by(|a, b| borne_out(*a).total_cmp(&borne_out(*b)));
    best.unwrap_or(Span { start: 0, end: text.len() })
}

/// A sentence without the `[n]` at its beginning: behind a full stop they belong to the sentence before.
fn without_leading_marks(sentence: &str) -> &str {
    let mut rest = sentence.trim_start();
    while let Some((inner, behind)) = rest.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
        if inner.is_empty() || !inner.bytes().all(|b| b.is_ascii_digit() || b == b',' || b == b' ') {
            break;
        }
        rest = behind.trim_start();
    }
    rest
}

/// A sentence without its `[n]`, and the numbers.
fn split_citations(sentence: &str) -> (String, Vec<u32>) {
    let (mut words, mut numbers, mut rest) = (String::new(), Vec::new(), sentence);
    while let Some(open) = rest.find('[') {
        let after = &rest[open + 1..];
        let inner = after.find(']').map(|close| (&after[..close], &after[close + 1..]));
        let parsed = inner.and_then(|(inner, behind)| {
            let numbers: Option<Vec<u32>> = inner.split(',').map(|part| part.trim().parse().ok()).collect();
            numbers.map(|numbers| (numbers, behind))
        });
        match parsed {
            Some((found, behind)) => {
                words.push_str(rest[..open].trim_end());
                numbers.extend(found);
                rest = behind;
            }
            None => {
                words.push_str(&rest[..=open]);
                rest = after;
            }
        }
    }
    words.push_str(rest);
    (words, numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn citations_are_taken_out_of_sentences() {
        for (sentence, words, numbers) in [
            ("Dry them flat [1].", "Dry them flat.", &[1][..]),
            ("Both hold [1][2].", "Both hold.", &[1, 2]),
            ("Both hold [1, 3].", "Both hold.", &[1, 3]),
            ("An array [i] stays.", "An array [i] stays.", &[]),
            ("Open [ only", "Open [ only", &[]),
        ] {
            assert_eq!(split_citations(sentence), (words.to_owned(), numbers.to_vec()));
        }
    }

    #[test]
    fn marks_behind_a_full_stop_belong_to_the_sentence_before() {
        for (sentence, rest) in
            [("[1] [2,3] Dry them.", "Dry them."), ("[i] is an index.", "[i] is an index.")]
        {
            assert_eq!(without_leading_marks(sentence), rest);
        }
    }

    #[test]
    fn code_must_stand_in_the_passage_line_by_line() {
        assert!(has_lines("Run:\n  make a\n  make b", "make a\n\nmake b"));
        assert!(!has_lines("Run:\n  make a", "make a\nmake b"));
    }
}
