//! Metrics side by side with how sure each is, and differences with the zero that they should be clear of.

use super::Plot;
use super::chart::class;
use super::frame::{WIDTH, fitting, shape};
use super::scale::{Axis, Scale, number};
use super::svg::{Anchor, Svg, TEXT, width};
use crate::eval::report::html::Table;

/// One number of one run.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    /// The run or the setting it belongs to.
    pub name: String,
    pub value: f64,
    /// Ends of the 95 % interval.
    pub interval: Option<(f64, f64)>,
}

/// One metric with a bar for each run, in the same order everywhere.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    pub name: String,
    pub bars: Vec<Bar>,
}

/// How one metric differs between two runs, the second less the first.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    pub name: String,
    pub difference: f64,
    /// Ends of the 95 % interval.
    pub low: f64,
    pub high: f64,
    pub lower_is_better: bool,
    /// It is more than chance.
    pub clear: bool,
}

impl Change {
    pub fn is_better(&self) -> bool {
        self.clear && (self.difference > 0.0) != self.lower_is_better
    }

    pub fn is_worse(&self) -> bool {
        self.clear && (self.difference > 0.0) == self.lower_is_better
    }
}

const LINE: f64 = 17.0;
const BAR: f64 = 11.0;
/// Room at the right for a number with its interval.
const NUMBERS: f64 = 104.0;

/// Metrics from 0 to 1: a bar for each run, a whisker for its interval, the numbers beside it.
pub fn bars(title: &str, groups: &[Group]) -> Option<Plot> {
    let names: Vec<&str> = groups
        .iter()
        .max_by_key(|group| group.bars.len())?
        .bars
        .iter()
        .map(|bar| bar.name.as_str())
        .collect();
    let mut svg = Svg::default();
    let mut y = 0.0;
    if names.len() > 1 {
        y = runs(&mut svg, &names);
    }
    let highest = groups.iter().flat_map(|group| &group.bars).map(|bar| bar.value).fold(1.0, f64::max);
    let axis = Axis { range: Some((0.0, highest)), ..Axis::new("") };
    let scale = Scale::fit(&axis, [].into_iter(), (0.0, WIDTH - NUMBERS), 5);
    let mut rows = Vec::new();
    for group in groups {
        y += LINE + 3.0;
        svg.text(0.0, y, Anchor::Start, "", &fitting(&group.name, WIDTH));
        y += 6.0;
        for (at, bar) in group.bars.iter().enumerate() {
            let middle = y + BAR / 2.0;
            svg.element(
                "rect",
                "track",
                &[("x", 0.0), ("y", y), ("width", scale.at(highest)), ("height", BAR)],
            );
            let note = format!("{}, {}: {}", group.name, bar.name, told(bar));
            let sides = [("x", 0.0), ("y", y), ("width", scale.at(bar.value).max(1.0)), ("height", BAR)];
            svg.noted("rect", &format!("bar {}", class(at)), &sides, &note);
            if let Some((low, high)) = bar.interval {
                let (low, high) = (scale.at(low), scale.at(high));
                svg.line("whisker", (low, middle), (high, middle));
                svg.line("whisker", (low, middle - 3.5), (low, middle + 3.5));
                svg.line("whisker", (high, middle - 3.5), (high, middle + 3.5));
            }
            svg.text(
                WIDTH - NUMBERS + 8.0,
                middle + 4.5,
                Anchor::Start,
                "label",
                &format!("{:.3}", bar.value),
            );
            if let Some((low, high)) = bar.interval {
                svg.text(WIDTH, middle + 4.5, Anchor::End, "tick", &format!("{}–{}", two(low), two(high)));
            }
            y += BAR + 6.0;
            rows.push(vec![group.name.clone(), bar.name.clone(), told(bar)]);
        }
    }
    let sure = groups.iter().flat_map(|group| &group.bars).any(|bar| bar.interval.is_some());
    let whiskers = if sure {
        " The thin line is the range in which the number would lie in 95 of 100 cases with other questions of the same kind."
    } else {
        ""
    };
    let description = format!("Each number from 0 to 1.{whiskers}");
    let columns = ["metric", "run", "value (95 % interval)"].map(str::to_owned).to_vec();
    let svg = svg.finish(WIDTH, y + 2.0, title, &description);
    Some(Plot { title: title.to_owned(), description, svg, data: Table { columns, rows } })
}

/// How much better the second run is than the first, metric by metric: an interval that is clear of zero is a difference
/// that other questions would show too.
pub fn differences(title: &str, names: (&str, &str), changes: &[Change]) -> Option<Plot> {
    let reach = changes
        .iter()
        .flat_map(|change| [change.low.abs(), change.high.abs()])
        .filter(|value| value.is_finite())
        .fold(0.0, f64::max);
    if changes.is_empty() {
        return None;
    }
    let reach = if reach > 0.0 { reach } else { 1.0 };
    let axis = Axis { range: Some((-reach, reach)), ..Axis::new("") };
    let scale = Scale::fit(&axis, [].into_iter(), (18.0, WIDTH - 18.0), 4);
    let mut svg = Svg::default();
    let mut y = TEXT + 2.0;
    svg.text(0.0, y, Anchor::Start, "axis", &fitting(&format!("← {} is better", names.0), WIDTH / 2.0 - 8.0));
    svg.text(WIDTH, y, Anchor::End, "axis", &fitting(&format!("{} is better →", names.1), WIDTH / 2.0 - 8.0));
    let top = y + 8.0;
    y = top;
    let bottom = top + changes.len() as f64 * (2.0 * LINE + 4.0) + 6.0;
    for tick in &scale.ticks {
        svg.line(
            if *tick == 0.0 { "zero" } else { "grid" },
            (scale.at(*tick), top),
            (scale.at(*tick), bottom),
        );
    }
    let mut rows = Vec::new();
    for change in changes {
        let name = &change.name;
        // Drawn so that right is always better.
        let turn = if change.lower_is_better { -1.0 } else { 1.0 };
        let ends = [change.low * turn, change.high * turn];
        let (low, high) = (ends[0].min(ends[1]), ends[0].max(ends[1]));
        let (class, verdict) = match (change.is_better(), change.is_worse()) {
            (true, _) => ("s2", "better"),
            (_, true) => ("s1", "worse"),
            _ => ("s5", "no clear difference"),
        };
        y += LINE + 2.0;
        svg.text(0.0, y, Anchor::Start, "halo", &fitting(&name.replace('_', " "), WIDTH - 130.0));
        svg.text(WIDTH, y, Anchor::End, "halo label", verdict);
        y += LINE + 2.0;
        let middle = y - 5.0;
        svg.line(&format!("line {class} solid"), (scale.at(low), middle), (scale.at(high), middle));
        let note = format!("{name}: {}", range(change));
        let kind = match class {
            "s2" => 0,
            "s1" => 2,
            _ => 1,
        };
        shape(&mut svg, kind, class, (scale.at(change.difference * turn), middle), &note);
        rows.push(vec![
            name.clone(),
            signed(change.difference),
            format!("{} to {}", signed(change.low), signed(change.high)),
            verdict.to_owned(),
        ]);
    }
    y = bottom + LINE;
    for tick in &scale.ticks {
        let label = if *tick > 0.0 { format!("+{}", scale.label(*tick)) } else { scale.label(*tick) };
        let half = width(&label) / 2.0;
        svg.text(scale.at(*tick).clamp(half, WIDTH - half), y, Anchor::Middle, "tick", &label);
    }
    let description = format!(
        "How much better {} is than {}, question by question (paired bootstrap, 95 % intervals). An interval that does not \
         touch the middle line is a difference that other questions of the same kind would show too.",
        names.1, names.0
    );
    let columns = ["metric", "difference", "95 % interval", "verdict"].map(str::to_owned).to_vec();
    let svg = svg.finish(WIDTH, y + 8.0, title, &description);
    Some(Plot { title: title.to_owned(), description, svg, data: Table { columns, rows } })
}

/// The names of the runs with their colours; gives where they end.
fn runs(svg: &mut Svg, names: &[&str]) -> f64 {
    let (mut x, mut y) = (0.0, TEXT + 2.0);
    for (at, name) in names.iter().enumerate() {
        let name = fitting(name, WIDTH - 24.0);
        let wide = 18.0 + width(&name) + 12.0;
        if x > 0.0 && x + wide > WIDTH {
            (x, y) = (0.0, y + LINE);
        }
        let sides = [("x", x), ("y", y - 9.5), ("width", 12.0), ("height", 10.0)];
        svg.element("rect", &format!("bar {}", class(at)), &sides);
        svg.text(x + 18.0, y, Anchor::Start, "", &name);
        x += wide;
    }
    y + 4.0
}

fn told(bar: &Bar) -> String {
    bar.interval.map_or(format!("{:.4}", bar.value), |(low, high)| {
        format!("{:.4} ({low:.4} to {high:.4})", bar.value)
    })
}

fn range(change: &Change) -> String {
    format!("{} ({} to {})", signed(change.difference), signed(change.low), signed(change.high))
}

fn two(value: f64) -> String {
    format!("{value:.2}").trim_start_matches('0').replace("1.00", "1").to_owned()
}

fn signed(value: f64) -> String {
    if value > 0.0 { format!("+{}", number(value)) } else { number(value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_of_two_runs_have_a_legend_and_whiskers() {
        let bar = |name: &str, value| Bar {
            name: name.to_owned(),
            value,
            interval: Some((value - 0.05, value + 0.05)),
        };
        let group =
            |name: &str| Group { name: name.to_owned(), bars: vec![bar("static", 0.8), bar("minilm", 0.9)] };
        let plot = bars("Retrieval", &[group("hit@1"), group("hit@5")]).unwrap();
        assert_eq!(plot.svg.matches("whisker").count(), 12);
        assert!(plot.svg.contains(">minilm</text>") && plot.svg.contains("0.800"));
        assert_eq!(plot.data.rows[1], ["hit@1", "minilm", "0.9000 (0.8500 to 0.9500)"]);
        assert_eq!(bars("nothing", &[]), None);
    }

    #[test]
    fn a_difference_is_told_only_when_it_is_clear_of_zero() {
        let change = |name: &str, difference: f64, half: f64, lower_is_better| Change {
            name: name.to_owned(),
            difference,
            low: difference - half,
            high: difference + half,
            lower_is_better,
            clear: difference.abs() > half,
        };
        let rows = [
            change("hit@1", 0.03, 0.01, false),
            change("f1", 0.01, 0.02, false),
            change("p50", 5.0, 1.0, true),
        ];
        let plot = differences("A or B", ("A", "B"), &rows).unwrap();
        let verdicts: Vec<&str> = plot.data.rows.iter().map(|row| row[3].as_str()).collect();
        assert_eq!(verdicts, ["better", "no clear difference", "worse"]);
        assert_eq!(plot.data.rows[0][1], "+0.03");
        assert_eq!(differences("", ("", ""), &[]), None);
    }
}
