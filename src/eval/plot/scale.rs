//! From values to places on an axis, and the round numbers that are written beside it.

/// What an axis measures.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// With the unit: `latency (ms)`.
    pub label: String,
    /// Both ends, where they are not to be taken from the data.
    pub range: Option<(f64, f64)>,
    /// Equal steps multiply instead of add. Values must be above 0 then; others are not drawn.
    pub log: bool,
    /// Shares from 0 to 1, written as percent.
    pub percent: bool,
    /// These ticks and no others (numbers of clients, say).
    pub ticks: Option<Vec<f64>>,
}

impl Axis {
    pub fn new(label: impl Into<String>) -> Self {
        Self { label: label.into(), range: None, log: false, percent: false, ticks: None }
    }

    /// From 0 to 1.
    pub fn share(label: impl Into<String>) -> Self {
        Self { range: Some((0.0, 1.0)), percent: true, ..Self::new(label) }
    }

    pub fn log(self, log: bool) -> Self {
        Self { log, ..self }
    }

    pub fn from_zero(self, highest: f64) -> Self {
        Self { range: Some((0.0, if highest > 0.0 { highest } else { 1.0 })), ..self }
    }
}

/// An axis fitted to its values and to a stretch of the drawing.
#[derive(Debug, Clone, PartialEq)]
pub struct Scale {
    log: bool,
    percent: bool,
    range: (f64, f64),
    place: (f64, f64),
    pub ticks: Vec<f64>,
}

impl Scale {
    /// `place` are the ends in the drawing, `wanted` about how many ticks there is room for.
    pub fn fit(axis: &Axis, values: impl Iterator<Item = f64>, place: (f64, f64), wanted: usize) -> Self {
        let drawn = |value: &f64| value.is_finite() && (!axis.log || *value > 0.0);
        let seen = values.filter(drawn).fold(None, |range: Option<(f64, f64)>, value| {
            Some(range.map_or((value, value), |(low, high)| (low.min(value), high.max(value))))
        });
        let known = axis.ticks.iter().flatten().copied().filter(drawn);
        let (mut low, mut high) = axis.range.or(seen).unwrap_or((if axis.log { 1.0 } else { 0.0 }, 1.0));
        for tick in known {
            (low, high) = (low.min(tick), high.max(tick));
        }
        if axis.log {
            low = low.max(f64::MIN_POSITIVE);
            if high <= low {
                (low, high) = (low / 2.0, low * 2.0);
            }
        } else if high <= low {
            let around = if low == 0.0 { 1.0 } else { low.abs() * 0.1 };
            (low, high) = (low - around, high + around);
        }
        let fixed = axis.ticks.is_some();
        let ticks = match &axis.ticks {
            Some(ticks) => ticks.iter().copied().filter(drawn).collect(),
            None if axis.log => log_ticks(low, high, wanted),
            None => ticks(low, high, wanted),
        };
        // The ends are ticks, where the data does not say otherwise.
        if !fixed
            && (axis.range.is_none() || !axis.percent)
            && let (Some(first), Some(last)) = (ticks.first(), ticks.last())
        {
            (low, high) = (low.min(*first), high.max(*last));
        }
        Self { log: axis.log, percent: axis.percent, range: (low, high), place, ticks }
    }

    /// Where a value stands in the drawing; what lies beyond the ends stands at them.
    pub fn at(&self, value: f64) -> f64 {
        let (low, high) = self.range;
        let share = if self.log {
            (value.max(low).ln() - low.ln()) / (high.ln() - low.ln())
        } else {
            (value - low) / (high - low)
        };
        self.place.0 + share.clamp(0.0, 1.0) * (self.place.1 - self.place.0)
    }

    /// A tick as it is written.
    pub fn label(&self, tick: f64) -> String {
        let exact = |value: f64| format!("{}", tidy(value)).replacen('-', "−", 1);
        if self.percent {
            return format!("{}%", exact(tick * 100.0));
        }
        match tick.abs() {
            size if size >= 1e9 => format!("{}G", exact(tick / 1e9)),
            size if size >= 1e6 => format!("{}M", exact(tick / 1e6)),
            size if size >= 1e4 => format!("{}k", exact(tick / 1e3)),
            _ => exact(tick),
        }
    }
}

/// A number for people: three digits that matter, no trailing zeros.
pub fn number(value: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    let decimals = match value.abs() {
        size if size >= 100.0 || size == 0.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        size if size >= 0.01 => 3,
        _ => 5,
    };
    let text = format!("{value:.decimals$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if matches!(text, "-0" | "") { "0".to_owned() } else { text.replacen('-', "−", 1) }
}

/// Steps of 1, 2 or 5 times a power of ten (Heckbert, "Nice numbers for graph labels", Graphics Gems, 1990); the first
/// and the last tick enclose the range.
fn ticks(low: f64, high: f64, wanted: usize) -> Vec<f64> {
    let rough = (high - low) / wanted.max(2) as f64;
    let power = 10f64.powf(rough.log10().floor());
    let step = match rough / power {
        part if part <= 1.0 + 1e-9 => 1.0,
        part if part <= 2.0 + 1e-9 => 2.0,
        part if part <= 5.0 + 1e-9 => 5.0,
        _ => 10.0,
    } * power;
    let (first, last) = ((low / step + 1e-9).floor() as i64, (high / step - 1e-9).ceil() as i64);
    // Rounded to the step, so that 0.1 + 0.2 is 0.3.
    (first..=last).map(|at| (at as f64 * step / power).round() * power).map(tidy).collect()
}

/// Cuts the noise of floating point in the twelfth digit.
fn tidy(value: f64) -> f64 {
    if value == 0.0 {
        return 0.0;
    }
    format!("{value:.11e}").parse().unwrap_or(value)
}

/// Powers of ten, with 2 and 5 between them while there is room.
fn log_ticks(low: f64, high: f64, wanted: usize) -> Vec<f64> {
    let decades = (low.log10() + 1e-9).floor() as i32..=(high.log10() - 1e-9).ceil() as i32;
    let parts = |parts: &[f64]| -> Vec<f64> {
        let all: Vec<f64> = decades
            .clone()
            .flat_map(|decade| parts.iter().map(move |part| tidy(part * 10f64.powi(decade))))
            .collect();
        // The tick below the range and the one above enclose it; the rest would be empty space.
        let first = all.iter().rposition(|tick| *tick <= low * (1.0 + 1e-9)).unwrap_or(0);
        let last = all.iter().position(|tick| *tick >= high * (1.0 - 1e-9)).unwrap_or(all.len() - 1);
        all[first..=last].to_vec()
    };
    let fine = parts(&[1.0, 2.0, 5.0]);
    if fine.len() <= wanted + 2 {
        return fine;
    }
    let coarse = parts(&[1.0]);
    let step = coarse.len().div_ceil(wanted + 2).max(1);
    coarse.into_iter().step_by(step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_numbers_around_the_data() {
        let check =
            |low, high, expected: &[f64]| assert_eq!(ticks(low, high, 5), expected, "{low} to {high}");
        check(0.0, 1.0, &[0.0, 0.2, 0.4, 0.6, 0.8, 1.0]);
        check(0.0, 97.0, &[0.0, 20.0, 40.0, 60.0, 80.0, 100.0]);
        check(0.12, 0.47, &[0.1, 0.2, 0.3, 0.4, 0.5]);
        check(-0.03, 0.05, &[-0.04, -0.02, 0.0, 0.02, 0.04, 0.06]);
        check(1e6, 5e6, &[1e6, 2e6, 3e6, 4e6, 5e6]);
        assert_eq!(log_ticks(1.0, 64.0, 5), [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0]);
        assert_eq!(log_ticks(3.0, 40.0, 5), [2.0, 5.0, 10.0, 20.0, 50.0]);
        assert_eq!(log_ticks(0.5, 90_000.0, 5), [0.1, 1.0, 10.0, 100.0, 1000.0, 10_000.0, 100_000.0]);
    }

    #[test]
    fn values_stand_between_the_ends() {
        let scale = Scale::fit(&Axis::new("ms"), [0.0, 97.0].into_iter(), (10.0, 110.0), 5);
        assert_eq!(
            (scale.at(0.0), scale.at(50.0), scale.at(100.0), scale.at(500.0)),
            (10.0, 60.0, 110.0, 110.0)
        );
        let log = Scale::fit(&Axis::new("ms").log(true), [1.0, 100.0].into_iter(), (0.0, 100.0), 1);
        assert!((log.at(10.0) - 50.0).abs() < 1e-9 && log.at(0.0) == 0.0);
        // Nothing, one value, and no numbers at all still make an axis.
        for values in [vec![], vec![3.0], vec![f64::NAN, f64::INFINITY], vec![0.0, 0.0]] {
            for log in [false, true] {
                let scale = Scale::fit(&Axis::new("").log(log), values.iter().copied(), (0.0, 10.0), 4);
                assert!(scale.at(3.0).is_finite() && scale.ticks.len() > 1, "{values:?} {log}: {scale:?}");
            }
        }
    }

    #[test]
    fn numbers_have_the_digits_that_matter() {
        let cases = [
            (0.0, "0"),
            (-0.0, "0"),
            (0.8126, "0.813"),
            (12.0, "12"),
            (12.345, "12.3"),
            (1234.5, "1234"),
            (-0.5, "−0.5"),
            (0.000_12, "0.00012"),
            (f64::NAN, "–"),
        ];
        for (value, expected) in cases {
            assert_eq!(number(value), expected);
        }
        let scale = Scale::fit(&Axis::share("recall"), [].into_iter(), (0.0, 1.0), 5);
        assert_eq!((scale.label(0.2), scale.label(1.0)), ("20%".to_owned(), "100%".to_owned()));
        let scale = Scale::fit(&Axis::new("n"), [0.0, 2e6].into_iter(), (0.0, 1.0), 5);
        assert_eq!(
            (scale.label(15_000.0), scale.label(2e6), scale.label(500.0)),
            ("15k".into(), "2M".into(), "500".into())
        );
    }
}
