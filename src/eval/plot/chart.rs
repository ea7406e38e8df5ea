//! Lines and points over two axes, and the plots of speed that are made of them.

use super::Plot;
use super::frame::{Frame, Key, Marker, shape};
use super::scale::{Axis, number};
use super::svg::{Anchor, TEXT, width};
use crate::eval::report::html::Table;

/// How a series is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    Line,
    /// A line with a marker at each point: few points that were measured.
    Measured,
    Dots,
}

/// One series.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    pub name: String,
    pub points: Vec<(f64, f64)>,
    pub look: Look,
    /// What is written beside each point; empty for nothing, shorter for the first ones only.
    pub labels: Vec<String>,
}

/// What is marked besides the data.
#[derive(Debug, Clone, PartialEq)]
pub enum Mark {
    /// From one point to another: what chance or perfection would give.
    Reference((f64, f64), (f64, f64)),
    /// A line across the field at this x, with its name.
    Upright(f64, String),
    /// A ring around a point, with its name.
    Here((f64, f64), String),
}

/// A drawing of lines and points.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    pub title: String,
    pub description: String,
    pub x: Axis,
    pub y: Axis,
    pub lines: Vec<Line>,
    pub marks: Vec<Mark>,
}

/// Points of a line that are drawn at most: more than a screen has pixels for.
const DRAWN: usize = 400;

impl Chart {
    /// Draws it. The first six lines have colours of their own, further ones begin again with other dashes.
    pub fn plot(self) -> Plot {
        let all = || self.lines.iter().flat_map(|line| &line.points);
        let keys: Vec<Key> = self
            .lines
            .iter()
            .enumerate()
            .filter(|_| self.lines.len() > 1)
            .map(|(at, line)| Key {
                class: class(at),
                name: line.name.clone(),
                marker: match line.look {
                    Look::Line => Marker::Line,
                    Look::Measured => Marker::LineAndShape(at),
                    Look::Dots => Marker::Shape(at),
                },
            })
            .collect();
        let mut frame =
            Frame::new(&self.x, &self.y, all().map(|point| point.0), all().map(|point| point.1), &keys);
        let (left, top, right, bottom) = frame.field;
        let mut taken = Vec::new();
        for mark in &self.marks {
            match mark {
                Mark::Reference(from, to) => {
                    let (from, to) = (frame.at(*from), frame.at(*to));
                    frame.svg.line("reference", from, to);
                }
                Mark::Upright(x, name) => {
                    let x = frame.x.at(*x);
                    frame.svg.line("mark", (x, top), (x, bottom));
                    write_beside(&mut frame, &mut taken, (x, top + TEXT), name, (left, right));
                }
                Mark::Here(..) => {}
            }
        }
        for (at, line) in self.lines.iter().enumerate() {
            let points: Vec<(f64, f64)> = drawable(&self.x, &self.y, &line.points);
            if line.look != Look::Dots {
                let path: Vec<(f64, f64)> =
                    thinned(&points).into_iter().map(|point| frame.at(point)).collect();
                frame.svg.path(&format!("line {}", class(at)), &path, false);
                taken.extend(along(&path));
            }
            if line.look != Look::Line {
                for (x, y) in points {
                    let note = format!("{}: {}, {}", line.name, number(x), number(y));
                    let place = frame.at((x, y));
                    taken.push((place.0 - 5.0, place.1 - 5.0, place.0 + 5.0, place.1 + 5.0));
                    shape(&mut frame.svg, at, &class(at), place, &note);
                }
            }
        }
        for line in &self.lines {
            for (point, label) in line.points.iter().zip(&line.labels).filter(|(_, label)| !label.is_empty())
            {
                let place = frame.at(*point);
                write_beside(&mut frame, &mut taken, place, label, (left, right));
            }
        }
        for mark in &self.marks {
            if let Mark::Here(point, name) = mark {
                let (x, y) = frame.at(*point);
                frame.svg.noted("circle", "here", &[("cx", x), ("cy", y), ("r", 5.5)], name);
                taken.push((x - 6.0, y - 6.0, x + 6.0, y + 6.0));
                write_beside(&mut frame, &mut taken, (x, y), name, (left, right));
            }
        }
        let data = self.table();
        frame.finish(self.title, self.description, data)
    }

    fn table(&self) -> Table {
        let many = self.lines.len() > 1;
        let labelled = self.lines.iter().any(|line| !line.labels.is_empty());
        let mut columns = Vec::new();
        columns.extend(many.then(|| "series".to_owned()));
        columns.extend(labelled.then(|| "point".to_owned()));
        columns.extend([self.x.label.clone(), self.y.label.clone()]);
        let mut rows = Vec::new();
        for line in &self.lines {
            let shown = |value: f64, axis: &Axis| {
                if axis.percent { format!("{}%", number(value * 100.0)) } else { number(value) }
            };
            let kept = if line.look == Look::Line { few(&line.points) } else { line.points.clone() };
            for (at, (x, y)) in kept.into_iter().enumerate() {
                let mut row = Vec::new();
                row.extend(many.then(|| line.name.clone()));
                row.extend(labelled.then(|| line.labels.get(at).cloned().unwrap_or_default()));
                row.extend([shown(x, &self.x), shown(y, &self.y)]);
                rows.push(row);
            }
        }
        Table { columns, rows }
    }
}

/// Requests answered in a second, for each number of clients that ask at once.
pub fn throughput(series: &[(String, Vec<(f64, f64)>)]) -> Plot {
    let highest = highest(series);
    Chart {
        title: "Throughput against clients".to_owned(),
        description: "Requests answered in a second while this many clients ask at once. A line that stops rising shows \
                      how many clients keep the machine busy."
            .to_owned(),
        x: Axis { ticks: Some(clients(series)), ..Axis::new("clients at once").log(true) },
        y: Axis::new("requests per second").from_zero(highest),
        lines: measured(series),
        marks: Vec::new(),
    }
    .plot()
}

/// What a rate is at a few sizes: tokens a second by the length of a prompt, by the texts given at once. `axes` are the
/// names of size and rate.
pub fn rates(
    title: &str,
    description: &str,
    axes: (&str, &str),
    series: &[(String, Vec<(f64, f64)>)],
) -> Plot {
    Chart {
        title: title.to_owned(),
        description: description.to_owned(),
        x: Axis { ticks: Some(clients(series)), ..Axis::new(axes.0).log(true) },
        y: Axis::new(axes.1).from_zero(highest(series)),
        lines: measured(series),
        marks: Vec::new(),
    }
    .plot()
}

/// How long requests take, for each number of clients: usually one series for each percentile.
pub fn latency_by_clients(series: &[(String, Vec<(f64, f64)>)]) -> Plot {
    let (highest, lowest) = (highest(series), lowest(series));
    let log = lowest > 0.0 && highest / lowest > 50.0;
    let axis = Axis::new("latency (ms)").log(log);
    Chart {
        title: "Latency against clients".to_owned(),
        description: "How long a request takes while this many clients ask at once. Lower is better."
            .to_owned(),
        x: Axis { ticks: Some(clients(series)), ..Axis::new("clients at once").log(true) },
        y: if log { axis } else { axis.from_zero(highest) },
        lines: measured(series),
        marks: Vec::new(),
    }
    .plot()
}

/// One setting: its name, its latency in ms, its recall from 0 to 1.
pub type Setting = (String, f64, f64);

/// Quality against time, a point for each setting: (name, latency in ms, recall from 0 to 1). Points of one series
/// belong together (one kind of index at several efforts) and are joined.
pub fn recall_against_latency(series: &[(String, Vec<Setting>)]) -> Plot {
    let times =
        || series.iter().flat_map(|(_, points)| points).map(|point| point.1).filter(|time| *time > 0.0);
    let (low, high) = (times().fold(f64::INFINITY, f64::min), times().fold(0.0, f64::max));
    let worst = series.iter().flat_map(|(_, points)| points).map(|point| point.2).fold(1.0, f64::min);
    let lines = series
        .iter()
        .map(|(name, points)| {
            let mut points: Vec<_> = points.iter().collect();
            points.sort_by(|a, b| a.1.total_cmp(&b.1));
            Line {
                name: name.clone(),
                points: points.iter().map(|(_, time, recall)| (*time, *recall)).collect(),
                look: if points.len() > 1 { Look::Measured } else { Look::Dots },
                labels: points.iter().map(|(label, _, _)| label.clone()).collect(),
            }
        })
        .collect();
    Chart {
        title: "Recall against latency".to_owned(),
        description: "Each point is one setting: how much of what should be found is found, and how long a query takes. \
                      Up and to the left is better."
            .to_owned(),
        x: Axis::new("median latency (ms)").log(high / low > 20.0),
        // Good recalls lie close together; the axis begins where they do.
        y: Axis { range: Some(((worst * 10.0 - 0.01).floor().max(0.0) / 10.0, 1.0)), ..Axis::share("recall") },
        lines,
        marks: Vec::new(),
    }
    .plot()
}

fn measured(series: &[(String, Vec<(f64, f64)>)]) -> Vec<Line> {
    let line = |(name, points): &(String, Vec<(f64, f64)>)| Line {
        name: name.clone(),
        points: points.clone(),
        look: Look::Measured,
        labels: Vec::new(),
    };
    series.iter().map(line).collect()
}

fn clients(series: &[(String, Vec<(f64, f64)>)]) -> Vec<f64> {
    let mut clients: Vec<f64> = series.iter().flat_map(|(_, points)| points).map(|point| point.0).collect();
    clients.sort_by(f64::total_cmp);
    clients.dedup();
    clients
}

fn highest(series: &[(String, Vec<(f64, f64)>)]) -> f64 {
    series.iter().flat_map(|(_, points)| points).map(|point| point.1).fold(0.0, f64::max)
}

fn lowest(series: &[(String, Vec<(f64, f64)>)]) -> f64 {
    series.iter().flat_map(|(_, points)| points).map(|point| point.1).fold(f64::INFINITY, f64::min)
}

/// The class of the series with this number: six colours, then the same dashed otherwise.
pub(super) fn class(number: usize) -> String {
    if number < 6 { format!("s{number}") } else { format!("s{} again", number % 6) }
}

fn drawable(x: &Axis, y: &Axis, points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let fits = |value: f64, axis: &Axis| value.is_finite() && (!axis.log || value > 0.0);
    points.iter().copied().filter(|point| fits(point.0, x) && fits(point.1, y)).collect()
}

/// At most [`DRAWN`] points, the ends among them.
fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    pick(points, DRAWN)
}

/// Enough of a curve to be read as a table.
fn few(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    pick(points, 21)
}

fn pick(points: &[(f64, f64)], most: usize) -> Vec<(f64, f64)> {
    if points.len() <= most {
        return points.to_vec();
    }
    (0..most).map(|at| points[at * (points.len() - 1) / (most - 1)]).collect()
}

/// Small boxes along a line, so that no text is written over it.
fn along(path: &[(f64, f64)]) -> Vec<(f64, f64, f64, f64)> {
    let mut boxes = Vec::new();
    for pair in path.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        let steps = ((to.0 - from.0).hypot(to.1 - from.1) / 5.0).ceil().max(1.0);
        for step in 0..=steps as usize {
            let share = step as f64 / steps;
            let (x, y) = (from.0 + (to.0 - from.0) * share, from.1 + (to.1 - from.1) * share);
            boxes.push((x - 1.5, y - 1.5, x + 1.5, y + 1.5));
        }
    }
    boxes
}

/// Writes `text` beside a point where it covers nothing: right, left, above, below. Where there is no room at all it is
/// left out, and stands in the table.
fn write_beside(
    frame: &mut Frame,
    taken: &mut Vec<(f64, f64, f64, f64)>,
    (x, y): (f64, f64),
    text: &str,
    (left, right): (f64, f64),
) {
    let wide = width(text);
    let places = [
        (x + 9.0, y + 4.0, Anchor::Start),
        (x + 7.0, y + 17.0, Anchor::Start),
        (x - 9.0, y + 4.0, Anchor::End),
        (x - 7.0, y - 8.0, Anchor::End),
        (x, y + 19.0, Anchor::Middle),
        (x, y - 10.0, Anchor::Middle),
        (x - 7.0, y + 17.0, Anchor::End),
        (x + 7.0, y - 8.0, Anchor::Start),
    ];
    for (x, y, anchor) in places {
        let start = match anchor {
            Anchor::Start => x,
            Anchor::Middle => x - wide / 2.0,
            Anchor::End => x - wide,
        };
        let place = (start, y - TEXT + 1.0, start + wide, y + 3.0);
        let inside = place.0 >= left
            && place.2 <= right + 8.0
            && place.1 >= frame.field.1 - 8.0
            && place.3 <= frame.field.3;
        let free = taken.iter().all(|other| {
            place.2 <= other.0 || other.2 <= place.0 || place.3 <= other.1 || other.3 <= place.1
        });
        if inside && free {
            taken.push(place);
            frame.svg.text(x, y, anchor, "label", text);
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_has_its_words_its_numbers_and_no_holes() {
        let plot = throughput(&[
            ("chat".to_owned(), vec![(1.0, 12.0), (2.0, 21.0), (64.0, 24.5)]),
            ("search <k>".to_owned(), vec![(1.0, 100.0), (2.0, f64::NAN), (64.0, 180.0)]),
        ]);
        assert!(plot.svg.contains("<title>Throughput against clients</title>"));
        assert!(plot.svg.contains("requests per second") && plot.svg.contains("clients at once"));
        assert!(plot.svg.contains("search &lt;k&gt;") && !plot.svg.contains("NaN"), "{}", plot.svg);
        assert_eq!(plot.data.columns, ["series", "clients at once", "requests per second"]);
        assert_eq!(plot.data.rows[2], ["chat", "64", "24.5"]);
        assert_eq!(plot.data.rows[4], ["search <k>", "2", "–"]);
    }

    #[test]
    fn nothing_to_draw_still_makes_a_drawing() {
        for plot in [throughput(&[]), latency_by_clients(&[]), recall_against_latency(&[])] {
            assert!(
                plot.svg.starts_with("<svg") && plot.svg.ends_with("</svg>") && !plot.svg.contains("NaN")
            );
            assert!(!plot.svg.contains("inf"), "{}", plot.svg);
        }
    }

    #[test]
    fn labels_do_not_cover_each_other() {
        let points = |n: usize| (0..n).map(|at| (format!("setting {at}"), 5.0, 0.9)).collect();
        let plot = recall_against_latency(&[("one".to_owned(), points(20))]);
        // At most eight places exist around one point.
        assert!(plot.svg.matches("class=\"label\"").count() <= 8);
        assert_eq!(plot.data.rows.len(), 20, "what is not written stands in the table");
    }

    #[test]
    fn long_curves_are_thinned_with_their_ends() {
        let points: Vec<(f64, f64)> = (0..5000).map(|at| (f64::from(at), 1.0)).collect();
        let thin = thinned(&points);
        assert_eq!((thin.len(), thin[0].0, thin[399].0), (400, 0.0, 4999.0));
    }
}
