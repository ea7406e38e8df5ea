//! Whether a confidence means what it says: of the questions told to be 80 % sure, are 80 of 100 what was said?

use super::Plot;
use super::frame::{Frame, WIDTH};
use super::scale::{Axis, number};
use super::svg::{Anchor, width};
use crate::eval::report::html::Table;

/// Ten equal bins, as in Guo et al., "On calibration of modern neural networks", ICML 2017.
const BINS: usize = 10;

/// The reliability diagram of (confidence, true) pairs; `what` is what the true ones are: answerable, right. Absent
/// without any.
pub fn reliability(scored: &[(f64, bool)], what: &str) -> Option<Plot> {
    let error = calibration_error(scored)?;
    let bins = bins(scored);
    let axes = (Axis::share("confidence told"), Axis::share(format!("share that is {what}")));
    let mut frame = Frame::new(&axes.0, &axes.1, [].into_iter(), [].into_iter(), &[]);
    let bottom = frame.field.3;
    let mut rows = Vec::new();
    for (at, bin) in bins.iter().enumerate() {
        let edges = (at as f64 / BINS as f64, (at + 1) as f64 / BINS as f64);
        let name = format!("{}–{}%", number(edges.0 * 100.0), number(edges.1 * 100.0));
        let Some(bin) = bin else {
            rows.push(vec![name, "0".to_owned(), "–".to_owned(), "–".to_owned()]);
            continue;
        };
        let (left, right) = (frame.x.at(edges.0) + 1.0, frame.x.at(edges.1) - 1.0);
        let top = frame.y.at(bin.right);
        let note = format!(
            "confidence {name}: {} questions, {}% {what}",
            bin.count,
            number((bin.right * 1000.0).round() / 10.0)
        );
        let sides = [("x", left), ("y", top), ("width", right - left), ("height", (bottom - top).max(1.0))];
        frame.svg.noted("rect", "bar s0", &sides, &note);
        let count = bin.count.to_string();
        if width(&count) <= right - left + 4.0 {
            let y = if bottom - top > 24.0 { top + 16.0 } else { top - 8.0 };
            let class = if bottom - top > 24.0 { "on" } else { "tick" };
            frame.svg.text((left + right) / 2.0, y, Anchor::Middle, class, &count);
        }
        rows.push(vec![name, count, percent(bin.told), percent(bin.right)]);
    }
    let (from, to) = (frame.at((0.0, 0.0)), frame.at((1.0, 1.0)));
    frame.svg.line("reference", from, to);
    // Where the told confidence of each bin lies, so that the distance to its bar is seen.
    for bin in bins.iter().flatten() {
        let (x, y) = frame.at((bin.told, bin.right));
        frame.svg.element("circle", "here", &[("cx", x.min(WIDTH)), ("cy", y), ("r", 3.0)]);
    }
    let description = format!(
        "Questions sorted by the confidence that was told, and which share of each group is {what} (the number in a \
         bar says how many there are; the ring stands at their mean confidence). On the dashed line, confidence means \
         what it says; the mean distance is {}% (expected calibration error).",
        number((error * 1000.0).round() / 10.0)
    );
    let columns = ["confidence", "questions", "mean confidence", what].map(str::to_owned).to_vec();
    Some(frame.finish("Confidence".to_owned(), description, Table { columns, rows }))
}

/// The expected calibration error: the distance between confidence and share of right ones, a mean over the bins
/// weighted by how many they hold (Naeini et al., AAAI 2015). Absent without any pair.
pub fn calibration_error(scored: &[(f64, bool)]) -> Option<f64> {
    let bins = bins(scored);
    let all: usize = bins.iter().flatten().map(|bin| bin.count).sum();
    let sum: f64 = bins.iter().flatten().map(|bin| bin.count as f64 * (bin.right - bin.told).abs()).sum();
    (all > 0).then(|| sum / all as f64)
}

struct Bin {
    count: usize,
    /// Mean confidence.
    told: f64,
    /// Share that is right.
    right: f64,
}

fn bins(scored: &[(f64, bool)]) -> Vec<Option<Bin>> {
    let mut sums = [(0usize, 0.0, 0usize); BINS];
    for (confidence, right) in scored.iter().filter(|(confidence, _)| confidence.is_finite()) {
        let confidence = confidence.clamp(0.0, 1.0);
        let bin = &mut sums[((confidence * BINS as f64) as usize).min(BINS - 1)];
        *bin = (bin.0 + 1, bin.1 + confidence, bin.2 + usize::from(*right));
    }
    let bin = |(count, told, right): (usize, f64, usize)| {
        (count > 0).then(|| Bin { count, told: told / count as f64, right: right as f64 / count as f64 })
    };
    sums.into_iter().map(bin).collect()
}

fn percent(share: f64) -> String {
    format!("{}%", number((share * 1000.0).round() / 10.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calibration_error_by_hand() {
        // Bin .8–.9: told .8, half right, 2 of 4. Bin 1: told 1, all right.
        let scored = [(0.8, true), (0.8, false), (1.0, true), (1.0, true)];
        let error = calibration_error(&scored).unwrap();
        assert!((error - 0.15).abs() < 1e-12, "{error}");
        assert_eq!(calibration_error(&[]), None);
        assert_eq!(calibration_error(&[(f64::NAN, true)]), None);
    }

    #[test]
    fn the_table_holds_what_is_drawn() {
        let plot = reliability(&[(0.05, false), (0.85, true), (0.81, false)], "right").unwrap();
        assert_eq!(plot.data.rows.len(), BINS);
        assert_eq!(plot.data.rows[0], ["0–10%", "1", "5%", "0%"]);
        assert_eq!(plot.data.rows[8], ["80–90%", "2", "83%", "50%"]);
        assert!(plot.description.contains("expected calibration error"));
    }
}
