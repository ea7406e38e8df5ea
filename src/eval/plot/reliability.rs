//! Whether a confidence means what it says: of the questions told to be 80 % sure, are 80 of 100 what was said?

use super::Plot;
use super::frame::{Frame, WIDTH};
use super::scale::{Axis, number};
use super::svg::{Anchor, width};
use crate::eval::metrics::{expected_calibration_error, reliability as bins};
use crate::eval::report::html::Table;

/// The reliability diagram of (confidence, true) pairs; `what` is what the true ones are: answerable, right. Absent
/// without any.
pub fn reliability(scored: &[(f64, bool)], what: &str) -> Option<Plot> {
    let known: Vec<(f64, bool)> = scored.iter().copied().filter(|(told, _)| told.is_finite()).collect();
    let bins = bins(&known);
    let error = expected_calibration_error(&bins)?;
    let axes = (Axis::share("confidence told"), Axis::share(format!("share that is {what}")));
    let mut frame = Frame::new(&axes.0, &axes.1, [].into_iter(), [].into_iter(), &[]);
    let bottom = frame.field.3;
    let mut rows = Vec::new();
    for bin in &bins {
        let edges = (bin.low, bin.high);
        let name = format!("{}–{}%", number(edges.0 * 100.0), number(edges.1 * 100.0));
        let (left, right) = (frame.x.at(edges.0) + 1.0, frame.x.at(edges.1) - 1.0);
        let top = frame.y.at(bin.positive);
        let note = format!(
            "confidence {name}: {} questions, {}% {what}",
            bin.count,
            number((bin.positive * 1000.0).round() / 10.0)
        );
        let sides = [("x", left), ("y", top), ("width", right - left), ("height", (bottom - top).max(1.0))];
        frame.svg.noted("rect", "bar s0", &sides, &note);
        let count = bin.count.to_string();
        if width(&count) <= right - left + 4.0 {
            let y = if bottom - top > 24.0 { top + 16.0 } else { top - 8.0 };
            let class = if bottom - top > 24.0 { "on" } else { "tick" };
            frame.svg.text((left + right) / 2.0, y, Anchor::Middle, class, &count);
        }
        rows.push(vec![name, count, percent(bin.confidence), percent(bin.positive)]);
    }
    let (from, to) = (frame.at((0.0, 0.0)), frame.at((1.0, 1.0)));
    frame.svg.line("reference", from, to);
    // Where the told confidence of each bin lies, so that the distance to its bar is seen.
    for bin in &bins {
        let (x, y) = frame.at((bin.confidence, bin.positive));
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

fn percent(share: f64) -> String {
    format!("{}%", number((share * 1000.0).round() / 10.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_holds_what_is_drawn() {
        let plot = reliability(&[(0.05, false), (0.85, true), (0.81, false)], "right").unwrap();
        assert_eq!(plot.data.rows, [["0–10%", "1", "5%", "0%"], ["80–90%", "2", "83%", "50%"]]);
        assert_eq!(reliability(&[(f64::NAN, true)], "right"), None);
        assert!(plot.description.contains("expected calibration error"));
    }
}
