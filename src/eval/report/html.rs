//! A report as one HTML file: words, tables and plots in, a page out that needs nothing else.
//!
//! No script, no font, no picture, and a policy in the page that forbids any request. `eval --out` and `bench --out` fill
//! a [`Page`]; what is drawn comes from [`plot`](crate::eval::plot). Every text is escaped here, whoever it comes from.

use std::fmt::Write;

use super::meaning::meaning;
use crate::eval::plot::{Plot, escape};

const STYLE: &str = include_str!("../../../assets/eval/report.css");

/// Cells as they are shown.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

/// A number that the reader should take away.
#[derive(Debug, Clone, PartialEq)]
pub struct Tile {
    pub value: String,
    pub name: String,
    /// A sentence or a range below it; may be empty.
    pub note: String,
}

/// A part of a page.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    Text(String),
    Table { caption: String, table: Table },
    Plot(Plot),
}

/// A heading with what stands below it.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    pub title: String,
    pub blocks: Vec<Block>,
}

/// A whole report.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Page {
    pub title: String,
    /// One sentence: what was measured, on what.
    pub lead: String,
    pub tiles: Vec<Tile>,
    pub sections: Vec<Section>,
    /// How it was measured and what is needed to repeat it: command, version, machine, date, hash of the data.
    pub facts: Vec<(String, String)>,
}

impl Page {
    /// The file.
    pub fn html(&self) -> String {
        let title = escape(&self.title);
        let mut out = format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
             img-src data:\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
             <link rel=\"icon\" href=\"data:,\">\n<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
             <header>\n<h1>{title}</h1>\n<p class=\"lead\">{}</p>\n",
            escape(&self.lead)
        );
        if !self.tiles.is_empty() {
            out.push_str("<dl class=\"tiles\">\n");
            for tile in &self.tiles {
                let note = if tile.note.is_empty() {
                    String::new()
                } else {
                    format!("<span>{}</span>", escape(&tile.note))
                };
                let _infallible = writeln!(
                    out,
                    "<div><dt>{}</dt><dd>{}{note}</dd></div>",
                    escape(&tile.name),
                    escape(&tile.value)
                );
            }
            out.push_str("</dl>\n");
        }
        out.push_str("</header>\n<main>\n");
        for section in &self.sections {
            write_section(section, &mut out);
        }
        if !self.facts.is_empty() {
            out.push_str("<section>\n<h2>How this was measured</h2>\n<dl class=\"facts\">\n");
            for (name, value) in &self.facts {
                let _infallible =
                    writeln!(out, "<div><dt>{}</dt><dd>{}</dd></div>", escape(name), escape(value));
            }
            out.push_str("</dl>\n</section>\n");
        }
        out.push_str("</main>\n</body>\n</html>\n");
        out
    }
}

fn write_section(section: &Section, out: &mut String) {
    let _infallible = writeln!(out, "<section>\n<h2>{}</h2>", escape(&section.title));
    let mut in_plots = false;
    for block in &section.blocks {
        let is_plot = matches!(block, Block::Plot(_));
        if is_plot != in_plots {
            out.push_str(if is_plot { "<div class=\"plots\">\n" } else { "</div>\n" });
            in_plots = is_plot;
        }
        match block {
            Block::Text(text) => {
                for paragraph in text.split("\n\n") {
                    let _infallible = writeln!(out, "<p>{}</p>", escape(paragraph));
                }
            }
            Block::Table { caption, table } => write_table(caption, table, out),
            Block::Plot(plot) => {
                let _infallible = write!(
                    out,
                    "<figure>\n<figcaption><h3>{}</h3>{}</figcaption>\n<div class=\"drawing\">{}</div>\n<details><summary>Numbers of this plot\
                     </summary>",
                    escape(&plot.title),
                    if plot.description.is_empty() {
                        String::new()
                    } else {
                        format!("<p>{}</p>", escape(&plot.description))
                    },
                    plot.svg
                );
                write_table("", &plot.data, out);
                out.push_str("</details>\n</figure>\n");
            }
        }
    }
    if in_plots {
        out.push_str("</div>\n");
    }
    out.push_str("</section>\n");
}

/// A wide table scrolls within itself and can be reached with the keyboard; the page never scrolls sideways.
fn write_table(caption: &str, table: &Table, out: &mut String) {
    let label = if caption.is_empty() { "numbers" } else { caption };
    let _infallible = write!(
        out,
        "<div class=\"table\" tabindex=\"0\" role=\"region\" aria-label=\"{}\"><table>",
        escape(label)
    );
    if !caption.is_empty() {
        let _infallible = write!(out, "<caption>{}</caption>", escape(caption));
    }
    // A column of numbers stands at the right, its name as well.
    let numeric: Vec<bool> = (0..table.columns.len())
        .map(|at| table.rows.iter().all(|row| row.get(at).is_none_or(|cell| is_number(cell))))
        .collect();
    let class = |at: usize| if numeric.get(at).copied().unwrap_or(false) { " class=\"number\"" } else { "" };
    out.push_str("<thead><tr>");
    for (at, column) in table.columns.iter().enumerate() {
        let _infallible = write!(out, "<th scope=\"col\"{}>{}</th>", class(at), escape(column));
    }
    out.push_str("</tr></thead><tbody>");
    for row in &table.rows {
        out.push_str("<tr>");
        for (at, cell) in row.iter().enumerate() {
            if at == 0 && class(0).is_empty() {
                let note =
                    meaning(cell).map_or(String::new(), |note| format!("<small>{}</small>", escape(note)));
                let _infallible = write!(out, "<th scope=\"row\">{}{note}</th>", escape(cell));
            } else {
                let _infallible = write!(out, "<td{}>{}</td>", class(at), escape(cell));
            }
        }
        out.push_str("</tr>");
    }
    out.push_str("</tbody></table></div>\n");
}

fn is_number(cell: &str) -> bool {
    cell.chars().all(|c| c.is_ascii_digit() || " .,%−–-+±()eµmsk/×".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_was_measured_can_write_into_the_page() {
        let evil = "<script>alert(1)</script>\"'&";
        let table = Table { columns: vec![evil.into()], rows: vec![vec![evil.into()], vec![]] };
        let plot = crate::eval::plot::latency_distribution(evil, &[1.0, 2.0]).unwrap();
        let page = Page {
            title: evil.into(),
            lead: evil.into(),
            tiles: vec![Tile { value: evil.into(), name: evil.into(), note: evil.into() }],
            sections: vec![Section {
                title: evil.into(),
                blocks: vec![
                    Block::Text(evil.into()),
                    Block::Table { caption: evil.into(), table },
                    Block::Plot(plot),
                    Block::Text(evil.into()),
                ],
            }],
            facts: vec![(evil.into(), evil.into())],
        };
        let html = page.html();
        assert!(!html.contains("<script") && !html.contains("alert(1)</script"), "{html}");
        for (open, close) in
            [("<section>", "</section>"), ("<div", "</div>"), ("<figure>", "</figure>"), ("<dl", "</dl>")]
        {
            assert_eq!(html.matches(open).count(), html.matches(close).count(), "{open}");
        }
    }

    #[test]
    fn a_page_asks_for_nothing_outside() {
        let html = Page { title: "Empty".into(), ..Page::default() }.html();
        let outside = html.replace("http://www.w3.org/2000/svg", "");
        for sign in ["http:", "https:", "src=", "@import", "url(", "<script"] {
            assert!(!outside.contains(sign), "{sign}");
        }
        assert!(html.contains("default-src 'none'"));
    }

    /// Contrast as WCAG 2.2 defines it: text 4.5 to 1 (success criterion 1.4.3), graphics 3 to 1 (1.4.11).
    #[test]
    fn everything_stands_out_in_light_and_dark() {
        let themes: Vec<&str> =
            STYLE.split(":root {").skip(1).map(|rest| rest.split('}').next().unwrap()).collect();
        assert_eq!(themes.len(), 2);
        for theme in themes {
            let light = |name: &str| {
                let hex = theme.split(&format!("--{name}: #")).nth(1).unwrap();
                let channel =
                    |at: usize| f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
                let linear = |c: f64| if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) };
                0.2126 * linear(channel(0)) + 0.7152 * linear(channel(2)) + 0.0722 * linear(channel(4))
            };
            let contrast = |a: f64, b: f64| (a.max(b) + 0.05) / (a.min(b) + 0.05);
            for ground in ["paper", "card"] {
                for name in ["ink", "dim", "link", "s0", "s1", "s2", "s3", "s4", "s5"] {
                    let ratio = contrast(light(name), light(ground));
                    assert!(ratio >= 4.5, "{name} on {ground}: {ratio:.2} in {theme}");
                }
            }
            let ratio = contrast(light("on"), light("s0"));
            assert!(ratio >= 4.5, "text on a bar: {ratio:.2}");
        }
    }
}
