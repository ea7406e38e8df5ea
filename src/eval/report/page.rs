//! Which tables and drawings a run of `eval` gets: what was seen in, a [`Page`] out.

use super::html::{Block, Page, Section, Table, Tile};
use super::meaning::meaning;
use crate::eval::metrics::Percentiles;
use crate::eval::plot::{self, Bar, Change, Group, Plot, Scores, number};

/// Name, value, ends of the 95 % interval.
pub type SeenMetric = (String, Option<f64>, Option<(f64, f64)>);

/// What one run saw, as far as a page shows it. Everything but the metrics may be empty.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Seen {
    /// What tells this run from the others on the page: the setting that differs.
    pub name: String,
    pub dataset: String,
    pub queries: usize,
    /// Name, value, ends of the 95 % interval; in the order in which they are told.
    pub metrics: Vec<SeenMetric>,
    /// One for each question.
    pub latencies_ms: Vec<f64>,
    /// A score (confidence, support) and whether it should be high.
    pub scored: Vec<(f64, bool)>,
    /// What those are called that should score high, and the others: answerable, unanswerable.
    pub kinds: (&'static str, &'static str),
    /// A confidence and whether the answer was right; an unanswerable question has no right answer.
    pub right: Vec<(f64, bool)>,
    /// At or above it a question is answered.
    pub threshold: Option<f64>,
}

/// The page of one run, or of several settings side by side.
pub fn page(title: &str, runs: &[Seen], facts: Vec<(String, String)>) -> Page {
    let one = if let [one] = runs { Some(one) } else { None };
    let mut sections = Vec::new();
    if !runs.is_empty() {
        sections.push(quality(runs));
    }
    let scores = scores(runs);
    if !scores.is_empty() {
        sections.push(Section { title: "Knowing what it does not know".to_owned(), blocks: scores });
    }
    let speed = speed(runs);
    if !speed.is_empty() {
        sections.push(Section { title: "Speed".to_owned(), blocks: speed });
    }
    Page {
        title: title.to_owned(),
        lead: lead(runs),
        tiles: one.map(tiles).unwrap_or_default(),
        sections,
        facts,
    }
}

/// The page of two runs over the same questions: what changed, and whether it is more than luck.
pub fn comparison(
    names: (&str, &str),
    runs: &[Seen; 2],
    changes: &[Change],
    facts: Vec<(String, String)>,
) -> Page {
    let tile = |count: usize, name: &str, note: &str| Tile {
        value: count.to_string(),
        name: name.to_owned(),
        note: note.to_owned(),
    };
    let better = changes.iter().filter(|change| change.is_better()).count();
    let worse = changes.iter().filter(|change| change.is_worse()).count();
    let mut page = page(&format!("{} against {}", names.0, names.1), runs, facts);
    page.tiles = vec![
        tile(better, &format!("metrics better in {}", names.1), "clear of luck at 95 %"),
        tile(worse, &format!("metrics worse in {}", names.1), "clear of luck at 95 %"),
        tile(changes.len() - better - worse, "without a clear difference", "more questions would tell more"),
    ];
    // Shares and milliseconds do not fit one axis.
    let (times, shares): (Vec<Change>, Vec<Change>) =
        changes.iter().cloned().partition(|change| change.name.ends_with("_ms"));
    let drawn = [("What changed", shares), ("Time (ms)", times)];
    let plots = drawn.iter().filter_map(|(title, changes)| plot::differences(title, names, changes));
    let blocks: Vec<Block> = plots.map(Block::Plot).collect();
    if !blocks.is_empty() {
        page.sections.insert(0, Section { title: "Differences".to_owned(), blocks });
    }
    page
}

fn lead(runs: &[Seen]) -> String {
    match runs {
        [] => String::new(),
        [one] => format!("{}, {} questions", one.dataset, one.queries),
        [first, ..] => {
            format!("{}, {} questions, {} settings side by side", first.dataset, first.queries, runs.len())
        }
    }
}

/// The first numbers of a run, large.
fn tiles(run: &Seen) -> Vec<Tile> {
    let known = run.metrics.iter().filter_map(|(name, value, interval)| {
        let note =
            interval.map_or(String::new(), |(low, high)| format!("{low:.2} to {high:.2} in 95 of 100 cases"));
        Some(Tile { value: format!("{:.3}", (*value)?), name: readable(name), note })
    });
    let mut tiles: Vec<Tile> = known.take(3).collect();
    if let Some(times) = Percentiles::of(&run.latencies_ms) {
        let note = format!("95 of 100 within {} ms", number(times.p95));
        tiles.push(Tile { value: format!("{} ms", number(times.p50)), name: "median time".to_owned(), note });
    }
    tiles
}

fn quality(runs: &[Seen]) -> Section {
    let mut columns = vec!["metric".to_owned()];
    for run in runs {
        columns.push(if runs.len() == 1 { "value".to_owned() } else { run.name.clone() });
        if runs.len() == 1 {
            columns.push("95 % interval".to_owned());
        }
    }
    let names: Vec<&String> =
        runs.first().iter().flat_map(|run| &run.metrics).map(|(name, ..)| name).collect();
    let of = |run: &Seen, name: &str| run.metrics.iter().find(|(known, ..)| known == name).cloned();
    let rows = names
        .iter()
        .map(|name| {
            let mut row = vec![(*name).clone()];
            for run in runs {
                let (value, interval) =
                    of(run, name).map_or((None, None), |(_, value, interval)| (value, interval));
                row.push(value.map_or("–".to_owned(), |value| format!("{value:.4}")));
                if runs.len() == 1 {
                    row.push(interval.map_or("–".to_owned(), |(low, high)| format!("{low:.4} – {high:.4}")));
                }
            }
            row
        })
        .collect();
    let groups: Vec<Group> = names
        .iter()
        .map(|name| Group {
            name: readable(name),
            bars: runs
                .iter()
                .filter_map(|run| {
                    let (_, value, interval) = of(run, name)?;
                    Some(Bar { name: run.name.clone(), value: value?, interval })
                })
                .collect(),
        })
        // Bars of runs are told apart by their place: one that lacks its neighbour would be taken for it.
        .filter(|group| group.bars.len() == runs.len())
        .collect();
    let mut blocks: Vec<Block> = Vec::new();
    // Long lists of metrics are cut, so that drawings stay about as high as their neighbours.
    let most = (12 / runs.len().max(1)).clamp(3, 6);
    let parts = groups.chunks(groups.len().div_ceil(groups.len().div_ceil(most).max(1)).max(1));
    let many = parts.len() > 1;
    for (at, part) in parts.enumerate() {
        let title = if many { format!("Metrics, part {}", at + 1) } else { "Metrics".to_owned() };
        blocks.extend(plot::bars(&title, part).map(|mut plot| {
            // What is said of the first part holds for the others, whose drawings still carry it.
            if at > 0 {
                plot.description.clear();
            }
            Block::Plot(plot)
        }));
    }
    blocks.push(Block::Table { caption: String::new(), table: Table { columns, rows } });
    Section { title: "Quality".to_owned(), blocks }
}

/// The drawings of what a score is worth.
fn scores(runs: &[Seen]) -> Vec<Block> {
    let kinds = runs.first().map_or(("", ""), |run| run.kinds);
    let mut drawn: Vec<Plot> = Vec::new();
    // A support score is no confidence: only what was asked and judged has a reliability.
    for run in runs.iter().filter(|run| !run.right.is_empty()) {
        let named = |mut plot: Plot| {
            if runs.len() > 1 {
                plot.title = format!("{}: {}", plot.title, run.name);
            }
            plot
        };
        drawn.extend(plot::reliability(&run.scored, kinds.0).map(named));
    }
    drawn.extend(plot::roc(&of(runs, |run| &run.scored), kinds));
    drawn.extend(plot::risk_coverage(&of(runs, |run| &run.right)));
    drawn.into_iter().map(Block::Plot).collect()
}

fn of(runs: &[Seen], choose: fn(&Seen) -> &[(f64, bool)]) -> Vec<Scores<'_>> {
    let mut scores = Vec::new();
    for run in runs {
        scores.push(Scores { name: &run.name, scored: choose(run), threshold: run.threshold });
    }
    scores
}

fn speed(runs: &[Seen]) -> Vec<Block> {
    if let [one] = runs {
        return plot::latency_distribution("question", &one.latencies_ms)
            .into_iter()
            .map(Block::Plot)
            .collect();
    }
    let all: Vec<(String, Vec<f64>)> =
        runs.iter().map(|run| (run.name.clone(), run.latencies_ms.clone())).collect();
    let mut plots: Vec<Plot> = plot::latency_shares(&all).into_iter().collect();
    // One point for each setting: the quality that matters most against its time.
    let points: Vec<(String, Vec<plot::Setting>)> = runs
        .iter()
        .filter_map(|run| {
            let recall =
                run.metrics.iter().find(|(name, ..)| name == "recall@100" || name == "recall@10")?.1?;
            let time = Percentiles::of(&run.latencies_ms)?.p50;
            Some((run.name.clone(), vec![(String::new(), time, recall)]))
        })
        .collect();
    if points.len() > 1 {
        plots.push(plot::recall_against_latency(&points));
    }
    plots.into_iter().map(Block::Plot).collect()
}

/// `answer_in_response` as people write it.
fn readable(metric: &str) -> String {
    if meaning(metric).is_some() || metric.contains('_') {
        metric.replace('_', " ")
    } else {
        metric.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(name: &str, shift: f64) -> Seen {
        Seen {
            name: name.to_owned(),
            dataset: "faq".to_owned(),
            queries: 40,
            metrics: vec![
                ("hit@1".to_owned(), Some(0.5 + shift), Some((0.4 + shift, 0.6 + shift))),
                ("recall@100".to_owned(), Some(0.9), None),
                ("auroc".to_owned(), None, None),
            ],
            latencies_ms: (0..40).map(|at| 1.0 + f64::from(at) * (1.0 + shift)).collect(),
            scored: (0..40).map(|at| (f64::from(at) / 40.0, at % 3 > 0)).collect(),
            kinds: ("answerable", "unanswerable"),
            right: (0..40).map(|at| (f64::from(at) / 40.0, at % 2 > 0)).collect(),
            threshold: Some(0.5),
        }
    }

    fn titles(page: &Page) -> Vec<String> {
        let plots =
            page.sections.iter().flat_map(|section| &section.blocks).filter_map(|block| match block {
                Block::Plot(plot) => Some(plot.title.clone()),
                _ => None,
            });
        plots.collect()
    }

    #[test]
    fn a_run_gets_what_it_has_numbers_for() {
        let all = titles(&page("Answers", &[run("", 0.0)], Vec::new()));
        let expected = [
            "Metrics",
            "Confidence",
            "Telling answerable from unanswerable",
            "Wrong answers against answered questions",
            "Latency",
        ];
        assert_eq!(all, expected);
        let bare = Seen { metrics: vec![("auroc".to_owned(), Some(0.8), None)], ..Seen::default() };
        assert_eq!(titles(&page("Grounding", &[bare], Vec::new())), ["Metrics"]);
        assert!(titles(&page("Nothing", &[], Vec::new())).is_empty());
    }

    #[test]
    fn settings_side_by_side_and_two_runs_compared() {
        let runs = [run("static", 0.0), run("minilm", 0.1)];
        let all = titles(&page("Settings", &runs, Vec::new()));
        assert!(
            all.contains(&"Share answered in time".to_owned())
                && all.contains(&"Recall against latency".to_owned())
        );
        let change = |name: &str, lower_is_better| Change {
            name: name.to_owned(),
            difference: 0.1,
            low: 0.05,
            high: 0.15,
            lower_is_better,
            clear: true,
        };
        let differences =
            [change("hit@1", false), change("answered_of_unanswerable", true), change("latency_ms", true)];
        let page = comparison(("static", "minilm"), &runs, &differences, Vec::new());
        let counts: Vec<&str> = page.tiles.iter().map(|tile| tile.value.as_str()).collect();
        assert_eq!((titles(&page)[0].as_str(), counts), ("What changed", vec!["1", "2", "0"]));
    }
}
