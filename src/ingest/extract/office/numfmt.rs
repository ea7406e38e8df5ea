//! Numbers as a spreadsheet shows them: a value and a number format (ECMA-376 18.8.30-31) in, words out.
//!
//! Read are decimals, thousands, percent, literal words such as a currency, and dates and times. Dates are written
//! as year-month-day whatever the format's order, because `03/04/26` is another day in another country. What a format
//! says beyond that (colours, fractions, exponents, conditions) is left out.

/// What a format makes of a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    General,
    Number {
        decimals: usize,
        thousands: bool,
        percent: bool,
        before: String,
        after: String,
    },
    /// Which parts of a moment are shown.
    Moment {
        date: bool,
        time: bool,
    },
    /// The words as they are.
    Text,
}

/// The format with this number, for those that every workbook has.
pub fn built_in(id: u32) -> Format {
    let number = |decimals, thousands, percent| Format::Number {
        decimals,
        thousands,
        percent,
        before: String::new(),
        after: String::new(),
    };
    match id {
        1 => number(0, false, false),
        2 => number(2, false, false),
        3 | 37 | 38 => number(0, true, false),
        4 | 39 | 40 => number(2, true, false),
        9 => number(0, false, true),
        10 => number(2, false, true),
        14..=17 | 27..=31 | 36 | 50..=54 | 57 | 58 => Format::Moment { date: true, time: false },
        18..=21 | 32..=35 | 45..=47 | 55 | 56 => Format::Moment { date: false, time: true },
        22 => Format::Moment { date: true, time: true },
        49 => Format::Text,
        _ => Format::General,
    }
}

/// Reads a format code such as `#,##0.00 "EUR"` or `dd/mm/yyyy`; of several sections the first counts.
pub fn parse(code: &str) -> Format {
    let (mut before, mut after) = (String::new(), String::new());
    let (mut digits, mut decimals, mut point) = (0usize, 0usize, false);
    let (mut thousands, mut percent) = (false, false);
    let (mut date, mut time) = (false, false);
    let mut chars = code.chars().peekable();
    let mut literal = |c: char, digits: usize| if digits == 0 { before.push(c) } else { after.push(c) };
    while let Some(c) = chars.next() {
        match c {
            ';' => break,
            '"' => {
                for c in chars.by_ref().take_while(|&c| c != '"') {
                    literal(c, digits);
                }
            }
            '\\' => {
                if let Some(c) = chars.next() {
                    literal(c, digits);
                }
            }
            // A space as wide as the next character, and one that fills the cell.
            '_' | '*' => drop(chars.next()),
            '[' => {
                let inside: String = chars.by_ref().take_while(|&c| c != ']').collect();
                if let Some(currency) = inside.strip_prefix('$') {
                    currency.chars().take_while(|&c| c != '-').for_each(|c| literal(c, digits));
                } else if inside.chars().all(|c| matches!(c.to_ascii_lowercase(), 'h' | 'm' | 's')) {
                    time = true;
                }
            }
            '0' | '#' | '?' => {
                digits += 1;
                decimals += usize::from(point);
            }
            '.' if digits > 0 => point = true,
            ',' if digits > 0 => thousands = true,
            '%' => {
                percent = true;
                literal('%', digits);
            }
            'y' | 'Y' | 'd' | 'D' => date = true,
            'h' | 'H' | 's' | 'S' => time = true,
            '@' => return Format::Text,
            'G' | 'g' if code.to_ascii_lowercase().contains("general") => return Format::General,
            ' ' | '$' | '€' | '£' | '¥' | '-' | '+' | '(' | ')' | '/' | ':' => literal(c, digits),
            _ => {}
        }
    }
    if date || time {
        return Format::Moment { date, time };
    }
    if code.split(';').next().is_some_and(|first| first.chars().all(|c| matches!(c, 'm' | 'M')))
        && !code.is_empty()
    {
        return Format::Moment { date: true, time: false };
    }
    if digits == 0 {
        return Format::General;
    }
    Format::Number { decimals: decimals.min(15), thousands, percent, before, after }
}

/// A number in this format. `from_1904` is the other way in which workbooks count days.
pub fn show(value: f64, format: &Format, from_1904: bool) -> String {
    match format {
        Format::Number { decimals, thousands, percent, before, after } => {
            let scaled = if *percent { value * 100.0 } else { value };
            let plain = format!("{:.*}", decimals, scaled.abs());
            let digits = if *thousands { grouped(&plain) } else { plain };
            let is_zero = digits.bytes().all(|b| !b.is_ascii_digit() || b == b'0');
            let sign = if scaled < 0.0 && !is_zero { "-" } else { "" };
            format!("{}{sign}{digits}{after}", before.trim_start_matches(['(', '-', '+']))
                .trim()
                .trim_end_matches(')')
                .to_owned()
        }
        Format::Moment { date, time } => {
            moment(value, *date, *time, from_1904).unwrap_or_else(|| general(value))
        }
        Format::General | Format::Text => general(value),
    }
}

/// Up to eleven digits, as a cell of usual width shows.
fn general(value: f64) -> String {
    if !value.is_finite() {
        return String::new();
    }
    if value == value.trunc() && value.abs() < 1e15 {
        return format!("{value:.0}");
    }
    let whole = value.abs().log10().floor().max(0.0) as usize + 1;
    let words = format!("{value:.*}", 11usize.saturating_sub(whole).min(10));
    if words.contains('.') { words.trim_end_matches('0').trim_end_matches('.').to_owned() } else { words }
}

fn grouped(digits: &str) -> String {
    let (whole, rest) = digits.split_once('.').map_or((digits, None), |(whole, rest)| (whole, Some(rest)));
    let mut out = String::new();
    for (at, c) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    if let Some(rest) = rest {
        out.push('.');
        out.push_str(rest);
    }
    out
}

/// Days since the last day of 1899 (or since 1904) as a date and a time.
fn moment(value: f64, date: bool, time: bool, from_1904: bool) -> Option<String> {
    if !(0.0..2_958_466.0).contains(&value) {
        return None;
    }
    let seconds_in_all = (value * 86_400.0).round() as i64;
    let (mut days, seconds) = (seconds_in_all.div_euclid(86_400), seconds_in_all.rem_euclid(86_400));
    let clock = match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (hours, minutes, 0) => format!("{hours:02}:{minutes:02}"),
        (hours, minutes, seconds) => format!("{hours:02}:{minutes:02}:{seconds:02}"),
    };
    if !date {
        // A duration may be longer than a day.
        return Some(if days > 0 {
            format!("{}:{:02}", days * 24 + seconds / 3600, seconds / 60 % 60)
        } else {
            clock
        });
    }
    if from_1904 {
        days += 1462;
    }
    // The first spreadsheets took 1900 for a leap year, so days up to 59 are one too early.
    if days < 60 {
        days += 1;
    }
    let (year, month, day) = civil(days - 25_569);
    let words = format!("{year:04}-{month:02}-{day:02}");
    Some(if time && seconds > 0 { format!("{words} {clock}") } else { words })
}

/// Year, month and day of a number of days since 1970 (H. Hinnant, "chrono-compatible low-level date algorithms").
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_look_as_in_the_sheet() {
        for (code, value, expected) in [
            ("General", 12.5, "12.5"),
            ("General", 0.1 + 0.2, "0.3"),
            ("General", 1e15 / 3.0, "333333333333333"),
            ("0.00", 12.5, "12.50"),
            ("#,##0", 1_234_567.4, "1,234,567"),
            ("#,##0.00\\ \"€\"", -1234.5, "-1,234.50 €"),
            ("[$£-809]#,##0.00", 9.5, "£9.50"),
            ("_($* #,##0.00_);_($* (#,##0.00)", 7.0, "$7.00"),
            ("0%", 0.125, "12%"),
            ("0.0%", 0.125, "12.5%"),
            ("0 \"g/m²\"", 300.0, "300 g/m²"),
            ("dd/mm/yyyy", 46_346.0, "2026-11-20"),
            ("yyyy-mm-dd hh:mm", 46_346.5, "2026-11-20 12:00"),
            ("h:mm AM/PM", 0.325, "07:48"),
            ("[h]:mm", 1.5, "36:00"),
            ("mmm yyyy", 1.0, "1900-01-01"),
            ("mmm yyyy", 61.0, "1900-03-01"),
            ("@", 5.0, "5"),
        ] {
            assert_eq!(show(value, &parse(code), false), expected, "{code}");
        }
        assert_eq!(show(0.0, &built_in(14), true), "1904-01-01");
        assert_eq!(show(f64::NAN, &Format::General, false), "");
        assert_eq!(show(-5.0, &built_in(14), false), "-5");
    }
}
