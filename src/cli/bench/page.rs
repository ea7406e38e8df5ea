//! `bench --out report.html`: what a bench measured, as a page.
//!
//! A [`Report`] comes in, a [`Page`] goes out: every figure as a table, and plots where its parameters are an axis
//! (clients, numbers of vectors, tokens of a prompt, texts given at once). What is drawn comes from [`crate::eval::plot`]; what is written, from `eval --out`.

use crate::bench::report::{Figure, Measurement, Report, number};
use crate::eval::plot::{Plot, Setting, latency_by_clients, rates, recall_against_latency, throughput};
use crate::eval::report::html::{Block, Page, Section, Table};

/// The whole page; `command` is what was typed.
pub fn page(report: &Report, command: &str) -> Page {
    let plots = plots(report);
    let mut sections = Vec::new();
    if !plots.is_empty() {
        let blocks = plots.into_iter().map(Block::Plot).collect();
        sections.push(Section { title: "Plots".to_owned(), blocks });
    }
    let mut figures = vec![Block::Table { caption: String::new(), table: table(report) }];
    figures.extend(report.notes.iter().cloned().map(Block::Text));
    sections.push(Section { title: "Figures".to_owned(), blocks: figures });
    Page {
        title: format!("Speed: bench {}", report.bench),
        lead: report.machine.line(),
        tiles: Vec::new(),
        sections,
        facts: facts(report, command),
    }
}

fn table(report: &Report) -> Table {
    let mut columns = ["measured", "figure", "unit", "median", "p5", "p95", "p99", "values"].to_vec();
    if report.comparison.is_some() {
        columns.extend(["before", "ratio", "verdict"]);
    }
    let mut rows = Vec::new();
    for measurement in &report.measurements {
        for figure in &measurement.figures {
            let spread = figure.value;
            let sample = |value| if spread.repetitions > 1 { number(value) } else { String::new() };
            let mut row = vec![
                measurement.name.clone(),
                figure.name.clone(),
                figure.unit.clone(),
                number(spread.median),
                sample(spread.p5),
                sample(spread.p95),
                sample(spread.p99),
                spread.repetitions.to_string(),
            ];
            if let Some(comparison) = &report.comparison {
                row.extend(match comparison.ratio(&measurement.name, &figure.name) {
                    Some(found) => [
                        number(found.before),
                        format!("{:.2}", found.ratio),
                        found.verdict.as_str().to_owned(),
                    ],
                    None => [const { String::new() }; 3],
                });
            }
            rows.push(row);
        }
    }
    Table { columns: columns.into_iter().map(str::to_owned).collect(), rows }
}

fn plots(report: &Report) -> Vec<Plot> {
    match report.bench.as_str() {
        "serve" => {
            let rates = by_clients(report, "requests_per_second", |figure| figure.value.median);
            let times = by_clients(report, "milliseconds", |figure| figure.value.p95);
            let named = |series: Vec<(String, _)>| {
                series.into_iter().map(|(load, points)| (format!("{load}, p95"), points)).collect::<Vec<_>>()
            };
            let mut plots = Vec::new();
            plots.extend((!rates.is_empty()).then(|| throughput(&rates)));
            plots.extend((!times.is_empty()).then(|| latency_by_clients(&named(times))));
            plots
        }
        "search" => {
            let settings = recalls(report);
            if settings.is_empty() { Vec::new() } else { vec![recall_against_latency(&settings)] }
        }
        "chat" => chat(report),
        "embed" => {
            let texts = |one: &Measurement| {
                let tokens = one.parameters.get("tokens")?.as_u64()?;
                let of_passages = one.parameters.get("role")?.as_str()? == "passage";
                of_passages.then(|| format!("{tokens} tokens each"))
            };
            let series = by_size(report, "batch", "tokens_per_second", texts);
            let told =
                "Tokens that become vectors in a second, by the texts given at once. Higher is better.";
            let axes = ("texts at once", "tokens per second");
            if series.is_empty() { Vec::new() } else { vec![rates("Embedding", told, axes, &series)] }
        }
        _ => Vec::new(),
    }
}

/// How fast prompts are read and answers written by the length of the prompt, and written by the questions at once.
fn chat(report: &Report) -> Vec<Plot> {
    let alone = |name: &'static str| {
        move |one: &Measurement| {
            let is_alone = one.parameters.get("concurrent")?.as_u64()? == 1;
            is_alone.then(|| name.to_owned())
        }
    };
    let mut by_length = by_size(report, "prompt_tokens", "prefill_tokens_per_second", alone("reading"));
    by_length.extend(by_size(report, "prompt_tokens", "decode_tokens_per_second", alone("writing")));
    let together = |_: &Measurement| Some("written".to_owned());
    let at_once = by_size(report, "concurrent", "written_tokens_per_second", together);
    let mut plots = Vec::new();
    if !by_length.is_empty() {
        let told = "Tokens of a prompt that are read, and of an answer that are written, in a second, by the length of the \
                    prompt. Higher is better.";
        plots.push(rates(
            "Chat, one question",
            told,
            ("tokens of the prompt", "tokens per second"),
            &by_length,
        ));
    }
    if !at_once.is_empty() {
        let told = "Tokens that are written in a second for all who ask, by the questions at once. Higher is better.";
        plots.push(rates("Chat, many at once", told, ("questions at once", "tokens per second"), &at_once));
    }
    plots
}

/// The figure against a parameter that is a number, a line for each name that `named` gives.
fn by_size(
    report: &Report,
    parameter: &str,
    figure_name: &str,
    named: impl Fn(&Measurement) -> Option<String>,
) -> Vec<(String, Vec<(f64, f64)>)> {
    let points = report.measurements.iter().filter_map(|one| {
        let size = one.parameters.get(parameter)?.as_f64()?;
        Some((named(one)?, (size, figure(one, figure_name)?.value.median)))
    });
    grouped(points)
}

/// For each load, in the order in which they were measured: the figure against the number of clients.
fn by_clients(report: &Report, name: &str, value: fn(&Figure) -> f64) -> Vec<(String, Vec<(f64, f64)>)> {
    let points = report.measurements.iter().filter_map(|one| {
        let load = one.parameters.get("load")?.as_str()?;
        let clients = one.parameters.get("clients")?.as_f64()?;
        Some((load.to_owned(), (clients, value(figure(one, name)?))))
    });
    grouped(points)
}

/// For each kind of index: a point for each number of vectors.
fn recalls(report: &Report) -> Vec<(String, Vec<Setting>)> {
    let points = report.measurements.iter().filter_map(|one| {
        let index = one.parameters.get("index")?.as_str()?;
        let vectors = one.parameters.get("vectors")?.as_u64()?;
        let time = figure(one, "milliseconds")?.value.median;
        let recall = one.figures.iter().find(|figure| figure.name.starts_with("recall_at_"))?.value.median;
        Some((index.to_owned(), (format!("{vectors} vectors"), time, recall)))
    });
    grouped(points)
}

fn grouped<T>(points: impl Iterator<Item = (String, T)>) -> Vec<(String, Vec<T>)> {
    let mut groups: Vec<(String, Vec<T>)> = Vec::new();
    for (name, point) in points {
        match groups.iter_mut().find(|(known, _)| *known == name) {
            Some((_, points)) => points.push(point),
            None => groups.push((name, vec![point])),
        }
    }
    groups
}

fn figure<'a>(measurement: &'a Measurement, name: &str) -> Option<&'a Figure> {
    measurement.figures.iter().find(|figure| figure.name == name)
}

fn facts(report: &Report, command: &str) -> Vec<(String, String)> {
    let plain = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut facts = vec![
        ("command".to_owned(), command.to_owned()),
        ("version".to_owned(), report.version.clone()),
        ("machine".to_owned(), report.machine.line()),
        ("took".to_owned(), format!("{:.1} s", report.seconds)),
    ];
    facts.extend(report.settings.iter().map(|(name, value)| (name.clone(), plain(value))));
    facts
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::bench::report::{Better, sampled, single};

    #[test]
    fn loads_become_lines_and_kinds_of_index_become_points() {
        let mut serve = Report::begin("serve", json!({"seed": 7}));
        for (load, clients, rate) in [("chat", 1, 10.0), ("search", 1, 50.0), ("chat", 4, 30.0)] {
            serve.add(
                format!("{load}, {clients} clients"),
                json!({"load": load, "clients": clients}),
                vec![sampled("requests_per_second", "1/s", Better::Higher, [rate, rate])],
            );
        }
        let rates = by_clients(&serve, "requests_per_second", |figure| figure.value.median);
        assert_eq!(
            rates,
            [("chat".to_owned(), vec![(1.0, 10.0), (4.0, 30.0)]), ("search".to_owned(), vec![(1.0, 50.0)])]
        );
        let mut search = Report::begin("search", json!({}));
        search.add(
            "exact int8, 500 vectors",
            json!({"index": "exact int8", "vectors": 500}),
            vec![
                sampled("milliseconds", "ms", Better::Lower, [0.5, 0.5]),
                single("recall_at_5", "", Better::Higher, 1.0),
            ],
        );
        assert_eq!(recalls(&search), [("exact int8".to_owned(), vec![("500 vectors".to_owned(), 0.5, 1.0)])]);
    }

    #[test]
    fn a_chats_lengths_and_an_embedders_batches_become_lines() {
        let rate = |name: &str, value| single(name, "tokens/s", Better::Higher, value);
        let mut chat = Report::begin("chat", json!({}));
        chat.add("loading", json!({}), vec![single("milliseconds", "ms", Better::Lower, 1.0)]);
        for (tokens, read, written) in [(128, 900.0, 40.0), (512, 800.0, 35.0)] {
            let figures =
                vec![rate("prefill_tokens_per_second", read), rate("decode_tokens_per_second", written)];
            chat.add(
                format!("prompt of {tokens} tokens"),
                json!({"prompt_tokens": tokens, "concurrent": 1}),
                figures,
            );
        }
        for count in [1, 4] {
            chat.add(
                format!("{count} at once, prompt of 128 tokens"),
                json!({"prompt_tokens": 128, "concurrent": count}),
                vec![rate("written_tokens_per_second", 40.0)],
            );
        }
        let drawn = plots(&chat);
        let titles: Vec<&str> = drawn.iter().map(|plot| plot.title.as_str()).collect();
        assert_eq!(titles, ["Chat, one question", "Chat, many at once"]);
        assert!(drawn[0].svg.contains("reading") && drawn[0].svg.contains("writing"));

        let mut embed = Report::begin("embed", json!({}));
        for (batch, tokens) in [(1, 16), (8, 16), (1, 64), (8, 64)] {
            embed.add(
                format!("{tokens} tokens, batch {batch}"),
                json!({"batch": batch, "tokens": tokens, "role": "passage"}),
                vec![rate("tokens_per_second", f64::from(batch * tokens))],
            );
        }
        let mixed = json!({"batch": 64, "tokens": "mixed", "role": "passage"});
        embed.add("mixed", mixed, vec![rate("tokens_per_second", 9.0)]);
        let drawn = plots(&embed);
        assert_eq!(drawn.len(), 1);
        assert!(drawn[0].svg.contains("16 tokens each") && drawn[0].svg.contains("64 tokens each"));
    }

    #[test]
    fn every_figure_is_on_the_page_and_what_was_typed() {
        let mut report = Report::begin("embed", json!({"model": "<static>"}));
        report.add(
            "batch 8",
            json!({}),
            vec![single("tokens_per_second", "tokens/s", Better::Higher, 1234.0)],
        );
        report.note("A note.");
        let html = page(&report, "neverafk bench embed --out page.html").html();
        for expected in ["batch 8", "tokens/s", ">1234<", "A note.", "&lt;static&gt;", "--out page.html"] {
            assert!(html.contains(expected), "{expected}: {html}");
        }
    }
}
