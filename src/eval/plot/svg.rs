//! Writing SVG: elements with escaped text, and how wide a text will be.

use std::fmt::Write;

/// A drawing as it grows, in units of its `viewBox`.
#[derive(Debug, Default)]
pub struct Svg {
    body: String,
}

/// Where a text stands relative to its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

/// Height of ordinary text; `assets/eval/report.css` makes it smaller where a drawing is shown large, never larger.
pub const TEXT: f64 = 12.5;

/// A generous estimate of a text's width. Not less than in DejaVu Sans (its `hmtx` table), the widest of the fonts that
/// `system-ui` stands for and the only one of a fresh server.
pub fn width(text: &str) -> f64 {
    let ems: f64 = text
        .chars()
        .map(|c| match c {
            'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | ' ' => 0.34,
            'm' | 'M' | 'W' | '%' | '@' | '—' | '…' => 1.0,
            'w' | '+' | '−' | '=' | '<' | '>' | '~' | '#' | '±' | '×' | '←' | '→' => 0.84,
            c if c.is_ascii_uppercase() => 0.79,
            c if c as u32 >= 0x1100 => 1.05,
            _ => 0.64,
        })
        .sum();
    ems * TEXT
}

impl Svg {
    /// An element without content, from a name, a class and attributes.
    pub fn element(&mut self, name: &str, class: &str, numbers: &[(&str, f64)]) {
        self.open(name, class, numbers);
        self.body.push_str("/>");
    }

    /// The same with a note that shows under a pointer and is read aloud.
    pub fn noted(&mut self, name: &str, class: &str, numbers: &[(&str, f64)], note: &str) {
        self.open(name, class, numbers);
        let _infallible = write!(self.body, "><title>{}</title></{name}>", escape(note));
    }

    pub fn text(&mut self, x: f64, y: f64, anchor: Anchor, class: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
        let text = escape(text);
        let _infallible =
            write!(self.body, "<text{class} x=\"{}\" y=\"{}\"{anchor}>{text}</text>", short(x), short(y));
    }

    pub fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        self.element("line", class, &[("x1", from.0), ("y1", from.1), ("x2", to.0), ("y2", to.1)]);
    }

    /// A line through points, or with `closed` the area within them.
    pub fn path(&mut self, class: &str, points: &[(f64, f64)], closed: bool) {
        if points.is_empty() {
            return;
        }
        let _infallible = write!(self.body, "<path class=\"{class}\" d=\"");
        for (at, (x, y)) in points.iter().enumerate() {
            let command = if at == 0 { 'M' } else { 'L' };
            let _infallible = write!(self.body, "{command}{} {}", short(*x), short(*y));
        }
        self.body.push_str(if closed { "Z\"/>" } else { "\"/>" });
    }

    /// The whole element. The title and the description come first, where screen readers look for them.
    pub fn finish(self, width: f64, height: f64, title: &str, description: &str) -> String {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" role=\"img\"><title>{}</title>\
             <desc>{}</desc>{}</svg>",
            short(width),
            short(height),
            escape(title),
            escape(description),
            self.body
        )
    }

    fn open(&mut self, name: &str, class: &str, numbers: &[(&str, f64)]) {
        let _infallible = write!(self.body, "<{name} class=\"{class}\"");
        for (attribute, value) in numbers {
            let _infallible = write!(self.body, " {attribute}=\"{}\"", short(*value));
        }
    }
}

/// Text for HTML and SVG, in elements and in quoted attributes. Control characters, which neither allows, are left out.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() && !matches!(c, '\n' | '\t') => {}
            c => out.push(c),
        }
    }
    out
}

/// A coordinate with at most a tenth of a unit.
fn short(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_written_can_end_the_text_or_the_attribute() {
        assert_eq!(
            escape("<b a=\"1\" c='2'>&\u{1}\u{85}é</b>"),
            "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;é&lt;/b&gt;"
        );
        let mut svg = Svg::default();
        svg.text(1.0, 2.06, Anchor::Middle, "dim", "a<b");
        svg.noted("circle", "s0", &[("r", 3.0)], "x & y");
        assert_eq!(
            svg.finish(10.0, 20.5, "<t>", "d"),
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 10 20.5\" role=\"img\"><title>&lt;t&gt;</title>\
             <desc>d</desc><text class=\"dim\" x=\"1\" y=\"2.1\" text-anchor=\"middle\">a&lt;b</text>\
             <circle class=\"s0\" r=\"3\"><title>x &amp; y</title></circle></svg>"
        );
    }
}
