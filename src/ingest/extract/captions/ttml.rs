//! Timed text (TTML, DFXP): paragraphs with times of several kinds (W3C TTML2, 12.3).

use std::io::Cursor;

use super::{Builder, Cue, ExtractError};
use crate::ingest::extract::xml::{Event, Open, Xml};

/// How the document counts.
struct Clock {
    frames: f64,
    ticks: f64,
}

/// All cues, sorted by their times.
pub fn cues(text: &str, out: &mut Builder) -> Result<Vec<Cue>, ExtractError> {
    let mut xml = Xml::new(Cursor::new(text.as_bytes()), "captions (TTML)");
    let mut clock = Clock { frames: 30.0, ticks: 1.0 };
    let mut cues = Vec::new();
    // Times of the elements around, which those within count from.
    let mut around: Vec<(String, u64)> = Vec::new();
    let mut cue: Option<Cue> = None;
    while let Some(event) = xml.next()? {
        match event {
            Event::Open(open) => match open.name.as_str() {
                "tt" => {
                    let rate =
                        |name| open.attr(name).and_then(|n| n.parse::<f64>().ok()).filter(|n| *n >= 1.0);
                    clock.frames = rate("frameRate").unwrap_or(clock.frames);
                    clock.ticks = rate("tickRate").unwrap_or(clock.ticks);
                }
                "title" => out.title(&xml.words()?),
                "metadata" | "styling" | "layout" => {}
                "br" => {
                    if let Some(cue) = &mut cue {
                        cue.words.push('\n');
                    }
                }
                "body" | "div" => {
                    let begin = from(&around).saturating_add(time_of(&open, "begin", &clock).unwrap_or(0));
                    around.push((open.name, begin));
                }
                "p" => {
                    let start_ms = from(&around).saturating_add(time_of(&open, "begin", &clock).unwrap_or(0));
                    let end = time_of(&open, "end", &clock).map(|end| from(&around).saturating_add(end));
                    let lasting = time_of(&open, "dur", &clock).map(|long| start_ms.saturating_add(long));
                    let end_ms = end.or(lasting).unwrap_or(start_ms).max(start_ms);
                    cue = Some(Cue { start_ms, end_ms, words: String::new() });
                }
                _ => {}
            },
            Event::Text(text) => {
                if let Some(cue) = &mut cue {
                    let lines: Vec<&str> = text.split_whitespace().collect();
                    let space = |edge: bool| if edge { " " } else { "" };
                    cue.words.push_str(space(text.starts_with(char::is_whitespace)));
                    cue.words.push_str(&lines.join(" "));
                    cue.words.push_str(space(text.ends_with(char::is_whitespace)));
                }
            }
            Event::Close(name) => match name.as_str() {
                "p" => {
                    if let Some(mut cue) = cue.take() {
                        let lines = cue.words.lines().map(str::trim).filter(|line| !line.is_empty());
                        cue.words = lines.collect::<Vec<_>>().join("\n");
                        cues.push(cue);
                    }
                }
                _ if around.last().is_some_and(|(open, _)| *open == name) => drop(around.pop()),
                _ => {}
            },
        }
    }
    cues.sort_by_key(|cue| cue.start_ms);
    Ok(cues)
}

fn from(around: &[(String, u64)]) -> u64 {
    around.last().map_or(0, |(_, begin)| *begin)
}

fn time_of(open: &Open, name: &str, clock: &Clock) -> Option<u64> {
    milliseconds(open.attr(name)?.trim(), clock)
}

/// `01:02:03.500`, `01:02:03:12` with frames, `12.5s`, `500ms`, `1h`, `30f`, `1000t`.
fn milliseconds(text: &str, clock: &Clock) -> Option<u64> {
    let seconds = if text.contains(':') {
        let parts: Vec<f64> = text.split(':').map(|part| part.parse().ok()).collect::<Option<_>>()?;
        match parts[..] {
            [hours, minutes, seconds] => hours * 3600.0 + minutes * 60.0 + seconds,
            [hours, minutes, seconds, frames] => {
                hours * 3600.0 + minutes * 60.0 + seconds + frames / clock.frames
            }
            _ => return None,
        }
    } else {
        let digits = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let number: f64 = number.parse().ok()?;
        match unit {
            "h" => number * 3600.0,
            "m" => number * 60.0,
            "s" => number,
            "ms" => number / 1000.0,
            "f" => number / clock.frames,
            "t" => number / clock.ticks,
            _ => return None,
        }
    };
    // Longer than a month is no caption.
    (0.0..2_678_400.0).contains(&seconds).then(|| (seconds * 1000.0).round() as u64)
}

#[cfg(test)]
mod tests {
    use super::super::super::tests::{read, shown};
    use super::*;
    use crate::domain::MediaType::Captions;

    #[test]
    fn paragraphs_with_times_are_cues() {
        let ttml = "<?xml version='1.0'?><tt xmlns='x' xmlns:ttp='y' ttp:frameRate='25'><head><metadata><ttm:title>Lesson</ttm:title></metadata></head>\
            <body begin='1s'><div><p begin='00:00:01.500' end='00:00:03:05'>Wash <span>the</span>\n  brush<br/>in water.</p>\
            <p begin='4s' dur='500ms'>Dry it.</p></div></body></tt>";
        let text = read(ttml, Captions).unwrap();
        assert_eq!(shown(&text), ["cue Wash the brush in water.", "cue Dry it."]);
        let times: Vec<_> = text.blocks.iter().map(|b| (b.anchor.start_ms, b.anchor.end_ms)).collect();
        assert_eq!(times, [(Some(2500), Some(4200)), (Some(5000), Some(5500))]);
        assert_eq!(read("<tt/>", Captions), Err(ExtractError::NoCues));
    }

    #[test]
    fn times_of_every_kind_are_known() {
        let clock = Clock { frames: 25.0, ticks: 10_000_000.0 };
        for (text, expected) in [
            ("01:00:00", Some(3_600_000)),
            ("00:00:01:12", Some(1480)),
            ("1.5h", Some(5_400_000)),
            ("50f", Some(2000)),
            ("15000000t", Some(1500)),
            ("x", None),
            ("1:2", None),
            ("-1s", None),
            ("99999999999999h", None),
        ] {
            assert_eq!(milliseconds(text, &clock), expected, "{text}");
        }
    }
}
