//! Pages with every kind of drawing, from made-up numbers of the size that real runs have.

use neverafk::eval::plot::{self, Change};
use neverafk::eval::report::html::{Block, Page, Section, Table, Tile};
use neverafk::eval::report::page;
use neverafk::eval::sample;

pub fn all() -> Vec<(&'static str, Page)> {
    vec![("answers", answers()), ("settings", settings()), ("compare", compare()), ("bench", bench())]
}

/// A stream of numbers from 0 to 1 that is the same each time.
fn noise(seed: u64) -> impl FnMut() -> f64 {
    let mut random = sample::Random::new(seed);
    move || random.below(10_000) as f64 / 10_000.0
}

fn seen(name: &str, quality: f64, speed: f64) -> page::Seen {
    let mut noise = noise((quality * 1000.0) as u64);
    let metric = |name: &str, value: f64, half: f64| {
        (name.to_owned(), Some(value), Some((value - half, (value + half).min(1.0))))
    };
    let scored: Vec<(f64, bool)> = (0..600)
        .map(|at| {
            let answerable = at % 4 != 0;
            let base: f64 = if answerable { 0.62 + quality * 0.3 } else { 0.34 };
            ((base + (noise() + noise() - 1.0) * 0.42).clamp(0.0, 1.0), answerable)
        })
        .collect();
    let right = scored
        .iter()
        .map(|(score, answerable)| (*score, *answerable && noise() < 0.55 + score * 0.42))
        .collect();
    page::Seen {
        name: name.to_owned(),
        dataset: "frequently-asked-questions".to_owned(),
        queries: 600,
        metrics: vec![
            metric("answer_in_response", quality, 0.031),
            metric("exact_match", quality * 0.4, 0.026),
            metric("f1", quality * 0.7, 0.028),
            metric("citation_precision", quality * 0.95, 0.024),
            metric("citation_recall", quality * 0.9, 0.027),
            ("quote_validity".to_owned(), Some(1.0), None),
            metric("groundedness", 0.97, 0.011),
            ("abstention_auroc".to_owned(), Some(0.88), None),
            metric("answered_of_answerable", 0.91, 0.02),
            metric("answered_of_unanswerable", 0.12, 0.04),
            metric("recall@100", quality, 0.02),
        ],
        latencies_ms: (0..600)
            .map(|at| speed * (0.6 + noise() + noise().powi(3) * if at % 40 == 0 { 14.0 } else { 2.0 }))
            .collect(),
        scored,
        kinds: ("answerable", "unanswerable"),
        right,
        threshold: Some(0.5),
    }
}

fn facts() -> Vec<(String, String)> {
    [
        ("command", "neverafk eval answers questions.jsonl --corpus corpus.jsonl --out report.html"),
        ("version", "0.1.0 (build 4fe1a0c26bd91c77)"),
        (
            "embedding model",
            "all-MiniLM-L6-v2, BLAKE3 0c4e1d8ab5f7d3316c7bb20fd04f9ea19a0cf4e5f3d1bb6a8a7a6cf0b51b3e6a",
        ),
        ("machine", "AMD EPYC 7B13, 2 cores, AVX2, 24,576 MiB, Debian GNU/Linux 12"),
        ("measured", "2026-11-23 12:30 UTC"),
        ("data", "BLAKE3 1f2a9dd0c6a5fe7c9bb0d6d1a29c2ab8ee0d1adf7ac9cf2e47f1c05c3b7a9d10"),
        ("sample", "all questions, seed 7"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

fn answers() -> Page {
    page::page("Quality of answers", &[seen("", 0.86, 12.0)], facts())
}

fn settings() -> Page {
    let runs = [
        seen("static", 0.78, 3.1),
        seen("all-MiniLM-L6-v2", 0.86, 12.0),
        seen("bge-small-en-v1.5 with a reranker and a very long name", 0.9, 48.0),
    ];
    page::page("Three settings side by side", &runs, facts())
}

fn compare() -> Page {
    let runs = [seen("before", 0.84, 12.0), seen("after", 0.87, 14.0)];
    let change = |name: &str, difference: f64, half: f64, lower_is_better| Change {
        name: name.to_owned(),
        difference,
        low: difference - half,
        high: difference + half,
        lower_is_better,
        clear: difference.abs() > half,
    };
    let changes = [
        change("answer_in_response", 0.031, 0.012, false),
        change("f1", 0.008, 0.015, false),
        change("citation_precision", -0.004, 0.013, false),
        change("answered_of_unanswerable", 0.026, 0.014, true),
        change("groundedness", 0.011, 0.006, false),
        change("latency_ms", 2.3, 0.4, true),
    ];
    page::comparison(("before", "after"), &runs, &changes, facts())
}

fn bench() -> Page {
    let clients = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0];
    let against =
        |name: &str, values: [f64; 7]| (name.to_owned(), clients.into_iter().zip(values).collect::<Vec<_>>());
    let throughput = plot::throughput(&[
        against("chat", [38.0, 71.0, 84.0, 88.0, 90.0, 90.5, 89.0]),
        against("cached chat", [820.0, 1490.0, 2100.0, 2380.0, 2410.0, 2395.0, 2350.0]),
        against("search", [410.0, 790.0, 1010.0, 1090.0, 1120.0, 1118.0, 1105.0]),
    ]);
    let latency = plot::latency_by_clients(&[
        against("p50", [2.4, 2.6, 4.1, 7.4, 14.3, 28.9, 58.0]),
        against("p95", [3.9, 4.6, 8.2, 15.0, 27.0, 51.0, 99.0]),
        against("p99", [5.2, 7.7, 14.0, 26.0, 44.0, 80.0, 161.0]),
    ]);
    let chat = plot::rates(
        "Chat, one question",
        "Tokens of a prompt that are read, and of an answer that are written, in a second.",
        ("tokens of the prompt", "tokens per second"),
        &[("reading", 910.0, 640.0), ("writing", 41.0, 33.0)].map(|(name, short, long)| {
            (name.to_owned(), vec![(128.0, short), (512.0, long), (1000.0, long)])
        }),
    );
    let points = |values: &[(&str, f64, f64)]| {
        values.iter().map(|(n, x, y)| ((*n).to_owned(), *x, *y)).collect::<Vec<_>>()
    };
    let recall = plot::recall_against_latency(&[
        (
            "graph, 100k".to_owned(),
            points(&[
                ("ef 16", 0.12, 0.91),
                ("ef 32", 0.19, 0.957),
                ("ef 64", 0.34, 0.983),
                ("ef 128", 0.63, 0.995),
            ]),
        ),
        (
            "graph, 1M".to_owned(),
            points(&[
                ("ef 16", 0.2, 0.842),
                ("ef 32", 0.31, 0.911),
                ("ef 64", 0.57, 0.958),
                ("ef 128", 1.1, 0.984),
            ]),
        ),
        ("exact scan, 100k".to_owned(), points(&[("exact", 9.8, 1.0)])),
    ]);
    let rows = ["text", "PDF", "audio"].iter().zip([(48.2, 9120.0), (3.9, 410.0), (1.2, 22.0)]);
    let table = Table {
        columns: ["input", "MB/s", "chunks/s", "spread"].map(str::to_owned).to_vec(),
        rows: rows
            .map(|(name, (mb, chunks))| {
                vec![(*name).to_owned(), format!("{mb}"), format!("{chunks}"), "±2.1 %".to_owned()]
            })
            .collect(),
    };
    Page {
        title: "Speed".to_owned(),
        lead: "Search, chat and ingestion on this machine".to_owned(),
        tiles: [
            ("90", "answers per second", "chat, 16 clients"),
            ("2.4 ms", "median search", "one client"),
            ("98.3%", "recall against exact search", "100k vectors, ef 64"),
            ("48 MB/s", "text ingested", "2 threads"),
        ]
        .map(|(value, name, note)| Tile {
            value: value.to_owned(),
            name: name.to_owned(),
            note: note.to_owned(),
        })
        .to_vec(),
        sections: vec![
            Section {
                title: "Serving".to_owned(),
                blocks: vec![Block::Plot(throughput), Block::Plot(latency), Block::Plot(chat)],
            },
            Section {
                title: "Searching".to_owned(),
                blocks: vec![
                    Block::Text("Against an exact scan over the same vectors.".to_owned()),
                    Block::Plot(recall),
                ],
            },
            Section {
                title: "Ingesting".to_owned(),
                blocks: vec![Block::Table { caption: "Rates of three kinds of input".to_owned(), table }],
            },
        ],
        facts: facts(),
    }
}
