//! How long things took, all of them: a histogram, and the share that was done by a time.

use super::Plot;
use super::chart::{Chart, Line, Look};
use super::frame::Frame;
use super::scale::{Axis, number};
use super::svg::{Anchor, TEXT, width};
use crate::eval::metrics::Percentiles;
use crate::eval::report::html::Table;

/// How many took how long, with the median and the 95th and 99th percentile marked. `what` names one of them
/// (`question`). Absent where nothing was timed.
pub fn latency_distribution(what: &str, latencies_ms: &[f64]) -> Option<Plot> {
    let mut sorted: Vec<f64> = latencies_ms.iter().copied().filter(|value| value.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let percentiles = Percentiles::of(&sorted)?;
    let (first, last) = (*sorted.first()?, *sorted.last()?);
    // A few slow ones would press all others into one column.
    let log = first > 0.0 && last / percentiles.p50.max(f64::MIN_POSITIVE) > 20.0;
    let edges = edges(&sorted, log);
    let counts: Vec<usize> = edges
        .windows(2)
        .enumerate()
        .map(|(at, edge)| {
            let inside = |value: &&f64| **value >= edge[0] && (**value < edge[1] || at + 2 == edges.len());
            sorted.iter().filter(inside).count()
        })
        .collect();
    let axis = Axis { range: Some((edges[0], *edges.last()?)), ..Axis::new("time (ms)").log(log) };
    let most = counts.iter().copied().max().unwrap_or(0) as f64;
    let plural = format!("{what}s");
    let mut frame = Frame::new(
        &axis,
        &Axis::new(format!("{plural} in each column")).from_zero(most),
        edges.iter().copied(),
        [].into_iter(),
        &[],
    );
    let (_, top, right, bottom) = frame.field;
    let mut rows = Vec::new();
    for (edge, count) in edges.windows(2).zip(&counts) {
        let (from, to) = (frame.x.at(edge[0]), frame.x.at(edge[1]));
        let height = bottom - frame.y.at(*count as f64);
        let note = format!("{} to {} ms: {count} {plural}", number(edge[0]), number(edge[1]));
        if *count > 0 {
            let sides = [
                ("x", from + 0.5),
                ("y", bottom - height),
                ("width", (to - from - 1.0).max(0.8)),
                ("height", height.max(1.0)),
            ];
            frame.svg.noted("rect", "bar s0", &sides, &note);
        }
        rows.push(vec![number(edge[0]), number(edge[1]), count.to_string()]);
    }
    let marks = [("p50", percentiles.p50), ("p95", percentiles.p95), ("p99", percentiles.p99)];
    for (row, (name, value)) in marks.into_iter().enumerate() {
        let x = frame.x.at(value);
        let text = format!("{name} {} ms", number(value));
        // Each on a row of its own, below the text of the one before: percentiles may lie close together.
        let y = top + TEXT + row as f64 * 16.0;
        frame.svg.line("mark", (x, y - TEXT + 3.0), (x, bottom));
        if x + 5.0 + width(&text) <= right {
            frame.svg.text(x + 5.0, y, Anchor::Start, "label", &text);
        } else {
            frame.svg.text(x - 5.0, y, Anchor::End, "label", &text);
        }
    }
    let description = format!(
        "How many of {} {plural} took how long{}. Half were done within {} ms, 95 of 100 within {} ms, 99 of 100 within {} ms.",
        sorted.len(),
        if log { " (each tick multiplies the time)" } else { "" },
        number(percentiles.p50),
        number(percentiles.p95),
        number(percentiles.p99)
    );
    let columns = ["from (ms)", "to (ms)", plural.as_str()].map(str::to_owned).to_vec();
    Some(frame.finish("Latency".to_owned(), description, Table { columns, rows }))
}

/// Which share was done by which time, a line for each run: to compare.
pub fn latency_shares(runs: &[(String, Vec<f64>)]) -> Option<Plot> {
    let lines: Vec<Line> = runs
        .iter()
        .filter_map(|(name, values)| {
            let mut sorted: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
            sorted.sort_by(f64::total_cmp);
            let count = sorted.len() as f64;
            let first = *sorted.first()?;
            let steps = sorted.iter().enumerate().map(|(at, value)| (*value, (at + 1) as f64 / count));
            let points = std::iter::once((first, 0.0)).chain(steps).collect();
            Some(Line { name: name.clone(), points, look: Look::Line, labels: Vec::new() })
        })
        .collect();
    if lines.is_empty() {
        return None;
    }
    let values = || lines.iter().flat_map(|line| &line.points).map(|point| point.0);
    let (low, high) = (values().fold(f64::INFINITY, f64::min), values().fold(0.0, f64::max));
    let log = low > 0.0 && high / low > 50.0;
    let axis = Axis::new("time (ms)").log(log);
    let chart = Chart {
        title: "Share answered in time".to_owned(),
        description: "The share of questions that were answered within a time. Further left is faster; a long tail to the \
                      right are the few that take long."
            .to_owned(),
        x: if log { axis } else { axis.from_zero(high) },
        y: Axis::share("answered within this time"),
        lines,
        marks: Vec::new(),
    };
    Some(chart.plot())
}

/// Edges of 12 to 40 columns: Freedman and Diaconis ("On the histogram as a density estimator", 1981) give the width.
fn edges(sorted: &[f64], log: bool) -> Vec<f64> {
    let to = |value: f64| if log { value.max(f64::MIN_POSITIVE).ln() } else { value };
    let back = |value: f64| if log { value.exp() } else { value };
    let (low, high) = (to(sorted[0]), to(sorted[sorted.len() - 1]));
    if high <= low {
        let around = if low == 0.0 { 1.0 } else { low.abs() * 0.1 };
        return (0..=12).map(|at| back(low - around + around * 2.0 * f64::from(at) / 12.0)).collect();
    }
    let at = |share: f64| to(sorted[((sorted.len() - 1) as f64 * share) as usize]);
    let width = 2.0 * (at(0.75) - at(0.25)) / (sorted.len() as f64).cbrt();
    let columns = if width > 0.0 { ((high - low) / width).ceil().clamp(12.0, 40.0) } else { 12.0 };
    (0..=columns as usize).map(|at| back(low + (high - low) * at as f64 / columns)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_in_one_column() {
        let check = |values: &[f64]| {
            let plot = latency_distribution("question", values).unwrap();
            let counted: usize = plot.data.rows.iter().map(|row| row[2].parse::<usize>().unwrap()).sum();
            assert_eq!(counted, values.len(), "{values:?}");
            assert!(!plot.svg.contains("NaN") && plot.svg.contains("p95"));
        };
        check(&[3.0]);
        check(&[0.0, 0.0]);
        check(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let tail: Vec<f64> = (1..500).map(|at| 2.0 + f64::from(at % 17)).chain([900.0, 0.4]).collect();
        check(&tail);
        assert!(latency_distribution("question", &tail).unwrap().description.contains("multiplies"));
        assert_eq!(latency_distribution("question", &[]), None);
    }

    #[test]
    fn shares_end_at_all() {
        let plot = latency_shares(&[("a".into(), vec![2.0, 1.0]), ("b".into(), vec![])]).unwrap();
        assert_eq!(plot.data.rows, [["1", "0%"], ["1", "50%"], ["2", "100%"]]);
        assert_eq!(latency_shares(&[("b".into(), vec![])]), None);
    }
}
