//! Captions: WebVTT, SubRip and TTML, each cue with its time.
//!
//! Cues are cut by what fits on a screen. Those of one sentence become one block, from its first cue's start to its
//! last cue's end, so that a citation is a sentence with the time where it begins. Rolling captions, in which each cue
//! repeats the line before, are said once.

mod ttml;

use bytes::Bytes;

use crate::domain::{Anchor, BlockKind, Text};
use crate::inference::Segment;

use super::{Builder, ExtractError, ExtractOptions, decode};

/// A block of cues is closed when it is this long, or after a pause, even if no sentence ended: captions made by a
/// machine often have no punctuation.
const BLOCK_CHARS: usize = 240;
const PAUSE_MS: u64 = 2_000;

struct Cue {
    start_ms: u64,
    end_ms: u64,
    words: String,
}

impl Cue {
    fn add(&mut self, next: &Self) {
        self.words.push(' ');
        self.words.push_str(&next.words);
        self.end_ms = self.end_ms.max(next.end_ms);
    }
}

/// The words of a file of captions, in whatever encoding.
pub fn read(bytes: &Bytes, options: &ExtractOptions) -> Result<Text, ExtractError> {
    let mut builder = Builder::new(options);
    let decoded = decode::decode(bytes, decode::Declared::Nothing)?;
    if let Some(warning) = decoded.warning {
        builder.warn(warning);
    }
    extract(&decoded.text, &mut builder)?;
    builder.finish()
}

/// Reads WebVTT, SubRip or TTML.
pub fn extract(text: &str, out: &mut Builder) -> Result<(), ExtractError> {
    if text.trim_start_matches(['\u{feff}', ' ', '\n', '\r', '\t']).starts_with('<') {
        let cues = ttml::cues(text, out)?;
        return merge(cues.into_iter(), out);
    }
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    if let Some(title) = text.strip_prefix("WEBVTT").and_then(|rest| rest.lines().next()) {
        out.title(title.trim_start_matches([' ', '-', ':']));
    }
    merge(text.split("\n\n").filter_map(cue), out)
}

/// What a model heard, in the order of the times: whoever speaks next begins a new block.
pub fn spoken(heard: impl IntoIterator<Item = Segment>, out: &mut Builder) -> Result<(), ExtractError> {
    let mut open: Option<Cue> = None;
    for segment in heard {
        let cue = Cue { start_ms: segment.start_ms, end_ms: segment.end_ms, words: segment.text };
        match &mut open {
            Some(block) if goes_on(block, &cue) => block.add(&cue),
            _ => {
                if let Some(block) = open.replace(cue) {
                    push(&block, out)?;
                }
            }
        }
        if segment.speaker_turn
            && let Some(block) = open.take()
        {
            push(&block, out)?;
        }
    }
    open.map_or(Ok(()), |block| push(&block, out))
}

/// Cues of one sentence become one block.
fn merge(all: impl Iterator<Item = Cue>, out: &mut Builder) -> Result<(), ExtractError> {
    let mut open: Option<Cue> = None;
    let mut said_before = String::new();
    let mut cues = 0usize;
    for mut cue in all {
        cues += 1;
        let said = std::mem::replace(&mut said_before, cue.words.clone());
        cue.words = new_words(&said, &cue.words).to_owned();
        if cue.words.is_empty() {
            continue;
        }
        match &mut open {
            Some(block) if goes_on(block, &cue) => block.add(&cue),
            _ => {
                if let Some(block) = open.replace(cue) {
                    push(&block, out)?;
                }
            }
        }
    }
    if let Some(block) = open {
        push(&block, out)?;
    }
    if cues == 0 { Err(ExtractError::NoCues) } else { Ok(()) }
}

fn push(block: &Cue, out: &mut Builder) -> Result<(), ExtractError> {
    let anchor = Anchor { start_ms: Some(block.start_ms), end_ms: Some(block.end_ms), ..Anchor::default() };
    out.line(BlockKind::Cue, &block.words, anchor)
}

fn goes_on(block: &Cue, next: &Cue) -> bool {
    let ended = block.words.ends_with(['.', '!', '?', '…', '。', '！', '？', '"', '”']);
    let paused = next.start_ms > block.end_ms.saturating_add(PAUSE_MS);
    !ended && !paused && block.words.chars().count() + next.words.chars().count() < BLOCK_CHARS
}

/// The part of `words` that the cue before did not show already.
fn new_words<'a>(before: &str, words: &'a str) -> &'a str {
    if before.is_empty() {
        return words;
    }
    if let Some(rest) = words.strip_prefix(before) {
        return rest.trim_start();
    }
    // A rolling caption repeats the last line of the cue before; lines were joined by `\n` for this.
    let last_line = before.rsplit('\n').next().unwrap_or(before);
    match words.split_once('\n') {
        Some((first, rest)) if first == last_line => rest,
        None if words == last_line => "",
        _ => words,
    }
}

/// One cue out of the lines between empty lines; comments, styles and broken times give nothing.
fn cue(lines: &str) -> Option<Cue> {
    let mut lines = lines.lines().skip_while(|line| !line.contains("-->"));
    let (start, end) = lines.next()?.split_once("-->")?;
    let start_ms = time(start.trim())?;
    let end_ms = time(end.split_whitespace().next()?)?.max(start_ms);
    let words: Vec<String> =
        lines.map(without_tags).map(|l| l.trim().to_owned()).filter(|l| !l.is_empty()).collect();
    Some(Cue { start_ms, end_ms, words: words.join("\n") })
}

/// `[HH:]MM:SS.mmm`, with a comma in SubRip.
fn time(text: &str) -> Option<u64> {
    let (clock, fraction) = text.split_once(['.', ',']).unwrap_or((text, "0"));
    let mut seconds = 0u64;
    let mut parts = 0;
    for part in clock.split(':') {
        if part.is_empty() || part.len() > 4 || !part.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        seconds = seconds * 60 + part.parse::<u64>().ok()?;
        parts += 1;
    }
    let digits = fraction.get(..fraction.len().min(3))?;
    let scale = 10u64.pow(3 - u32::try_from(digits.len()).ok()?);
    (2..=3).contains(&parts).then_some(seconds * 1000 + digits.parse::<u64>().ok()? * scale)
}

/// Words without `<v Name>`, `<i>`, `{\an8}` and the like, and with `&amp;` resolved.
fn without_tags(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find(['<', '{']) {
        out.push_str(&rest[..at]);
        let (close, is_tag) =
            if rest[at..].starts_with('<') { ('>', true) } else { ('}', rest[at..].starts_with("{\\")) };
        match rest[at..].find(close) {
            Some(end) if is_tag => rest = &rest[at + end + 1..],
            _ => {
                out.push_str(&rest[at..=at]);
                rest = &rest[at + 1..];
            }
        }
    }
    out.push_str(rest);
    let entities = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&nbsp;", " "),
        ("&lrm;", ""),
        ("&rlm;", ""),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&amp;", "&"),
    ];
    entities.iter().fold(out, |words, (name, c)| words.replace(name, c))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{read, shown};
    use super::*;
    use crate::domain::MediaType::Captions;

    #[test]
    fn cues_of_one_sentence_are_one_block_with_its_time() {
        let vtt = "WEBVTT - Lesson 3\n\nNOTE a comment\n\n1\n00:01.000 --> 00:03.500 align:start\n<v Ann>Wash the brush\n\n\
                   00:03.500 --> 00:05.000\nin <i>cold</i> water &amp; dry it.\n\n01:00:00.250 --> 01:00:02.000\nThen rest.\n";
        let text = read(vtt, Captions).unwrap();
        assert_eq!(text.title.as_deref(), Some("Lesson 3"));
        assert_eq!(shown(&text), ["cue Wash the brush in cold water & dry it.", "cue Then rest."]);
        let times: Vec<_> = text.blocks.iter().map(|b| (b.anchor.start_ms, b.anchor.end_ms)).collect();
        assert_eq!(times, [(Some(1000), Some(5000)), (Some(3_600_250), Some(3_602_000))]);
    }

    #[test]
    fn subrip_and_rolling_captions_are_read_once() {
        let srt = "1\r\n00:00:01,000 --> 00:00:02,000\r\nso today\r\n\r\n2\r\n00:00:02,000 --> 00:00:03,000\r\nso today\r\nwe paint\r\n\r\n\
                   3\r\n00:00:03,000 --> 00:00:04,000\r\nwe paint\r\nthe sky\r\n\r\n4\r\nbroken --> time\r\nlost\r\n";
        assert_eq!(shown(&read(srt, Captions).unwrap()), ["cue so today we paint the sky"]);
        assert_eq!(read("WEBVTT\n\nno cue here", Captions), Err(ExtractError::NoCues));
    }

    #[test]
    fn a_time_is_minutes_and_seconds_at_least() {
        for (text, expected) in [
            ("00:01.5", Some(1500)),
            ("1:02:03,004", Some(3_723_004)),
            ("12", None),
            ("a:b", None),
            ("99999:00", None),
            ("0:1.é", None),
        ] {
            assert_eq!(time(text), expected, "{text}");
        }
    }
}
