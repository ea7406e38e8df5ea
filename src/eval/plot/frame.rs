//! The frame of a drawing with two axes: grid, ticks, names of the axes, legend; then what is drawn within.

use super::Plot;
use super::scale::{Axis, Scale};
use super::svg::{Anchor, Svg, TEXT, width};
use crate::eval::report::html::Table;

/// Every drawing is this wide; a page shows it between 280 and 580 pixels.
pub const WIDTH: f64 = 340.0;
/// Height of the field within the axes.
const FIELD: f64 = 180.0;
const LINE: f64 = 17.0;
const RIGHT: f64 = 14.0;

/// A drawing with its axes made, to be filled.
pub struct Frame {
    pub svg: Svg,
    pub x: Scale,
    pub y: Scale,
    /// The field: left, top, right, bottom.
    pub field: (f64, f64, f64, f64),
    height: f64,
}

/// What a legend shows: a class (`s0`), and its marker.
pub struct Key {
    pub class: String,
    pub name: String,
    pub marker: Marker,
}

/// How something is recognised without its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marker {
    Line,
    /// The shape of the series with this number.
    Shape(usize),
    /// A line with that shape on it.
    LineAndShape(usize),
}

impl Frame {
    pub fn new(
        x: &Axis,
        y: &Axis,
        xs: impl Iterator<Item = f64>,
        ys: impl Iterator<Item = f64>,
        keys: &[Key],
    ) -> Self {
        let mut svg = Svg::default();
        svg.text(0.0, TEXT + 2.0, Anchor::Start, "axis", &y.label);
        let top = legend(&mut svg, keys, LINE + 6.0) + 10.0;
        let bottom = top + FIELD;
        let y = Scale::fit(y, ys, (bottom, top), 5);
        let left = y.ticks.iter().map(|tick| width(&y.label(*tick))).fold(0.0, f64::max) + 8.0;
        let right = WIDTH - RIGHT;
        let x_scale = Scale::fit(x, xs, (left, right), 5);
        for tick in &y.ticks {
            let at = y.at(*tick);
            svg.line("grid", (left, at), (right, at));
            svg.text(left - 6.0, at + 4.0, Anchor::End, "tick", &y.label(*tick));
        }
        svg.line("base", (left, bottom), (right, bottom));
        let mut free = f64::NEG_INFINITY;
        for tick in &x_scale.ticks {
            let (at, label) = (x_scale.at(*tick), x_scale.label(*tick));
            let half = width(&label) / 2.0;
            svg.line("base", (at, bottom), (at, bottom + 4.0));
            // A label that would touch the one before it or leave the drawing is left out; its tick stays.
            let middle = at.min(WIDTH - half);
            if middle - half > free {
                svg.text(middle, bottom + LINE, Anchor::Middle, "tick", &label);
                free = middle + half + 5.0;
            }
        }
        svg.text((left + right) / 2.0, bottom + 2.0 * LINE + 3.0, Anchor::Middle, "axis", &x.label);
        Self { svg, x: x_scale, y, field: (left, top, right, bottom), height: bottom + 2.0 * LINE + 10.0 }
    }

    pub fn at(&self, (x, y): (f64, f64)) -> (f64, f64) {
        (self.x.at(x), self.y.at(y))
    }

    pub fn finish(self, title: String, description: String, data: Table) -> Plot {
        let svg = self.svg.finish(WIDTH, self.height, &title, &description);
        Plot { title, description, svg, data }
    }
}

/// Draws the names of what is drawn, in as many rows as they need; gives where the next row would be.
fn legend(svg: &mut Svg, keys: &[Key], top: f64) -> f64 {
    if keys.is_empty() {
        return top;
    }
    let (mut x, mut y) = (0.0, top + TEXT);
    for key in keys {
        let name = fitting(&key.name, WIDTH - 30.0);
        let wide = 26.0 + width(&name) + 12.0;
        if x > 0.0 && x + wide > WIDTH {
            (x, y) = (0.0, y + LINE);
        }
        let middle = y - 4.0;
        match key.marker {
            Marker::Line => svg.line(&format!("line {}", key.class), (x, middle), (x + 20.0, middle)),
            Marker::Shape(number) => shape(svg, number, &key.class, (x + 10.0, middle), &key.name),
            Marker::LineAndShape(number) => {
                svg.line(&format!("line {}", key.class), (x, middle), (x + 20.0, middle));
                shape(svg, number, &key.class, (x + 10.0, middle), &key.name);
            }
        }
        svg.text(x + 26.0, y, Anchor::Start, "", &name);
        x += wide;
    }
    y
}

/// The marker of a series: disc, square, diamond, triangle, then from the first again (colour and dash differ by then).
pub fn shape(svg: &mut Svg, number: usize, class: &str, (x, y): (f64, f64), note: &str) {
    let class = format!("dot {class}");
    match number % 4 {
        0 => svg.noted("circle", &class, &[("cx", x), ("cy", y), ("r", 3.8)], note),
        1 => {
            let sides = [("x", x - 3.5), ("y", y - 3.5), ("width", 7.0), ("height", 7.0)];
            svg.noted("rect", &class, &sides, note);
        }
        2 => svg.path(&class, &[(x, y - 5.0), (x + 5.0, y), (x, y + 5.0), (x - 5.0, y)], true),
        _ => svg.path(&class, &[(x, y - 4.8), (x + 4.8, y + 3.6), (x - 4.8, y + 3.6)], true),
    }
}

/// The text, or as much of it as there is room for, with an ellipsis.
pub fn fitting(text: &str, room: f64) -> String {
    if width(text) <= room {
        return text.to_owned();
    }
    let mut short = String::new();
    for c in text.chars() {
        short.push(c);
        if width(&short) + TEXT > room {
            break;
        }
    }
    short.pop();
    short + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_too_long_ends_in_an_ellipsis() {
        assert_eq!(fitting("short", 100.0), "short");
        let cut = fitting("a very long name of a setting that nobody can read", 100.0);
        assert!(cut.ends_with('…') && width(&cut) <= 105.0 && cut.starts_with("a very long"), "{cut}");
    }
}
