//! Small drawings for a terminal: a number as a bar, many numbers as a row of columns.

const COLUMNS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const PARTS: [char; 7] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/// A share from 0 to 1 as a bar of `width` cells, to an eighth of a cell.
pub fn bar(share: f64, width: usize) -> String {
    let eighths = (share.clamp(0.0, 1.0) * width as f64 * 8.0).round() as usize;
    let mut bar = "█".repeat(eighths / 8);
    if !eighths.is_multiple_of(8) {
        bar.push(PARTS[eighths % 8 - 1]);
    }
    let missing = width - bar.chars().count();
    bar + &" ".repeat(missing)
}

/// How often values of each size come: `width` columns from the smallest to the largest value. Empty without values.
pub fn distribution(values: &[f64], width: usize) -> String {
    let known: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    let low = known.iter().copied().fold(f64::INFINITY, f64::min);
    let high = known.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if known.is_empty() || width == 0 {
        return String::new();
    }
    let mut counts = vec![0usize; width];
    for value in &known {
        let share = if high > low { (value - low) / (high - low) } else { 0.5 };
        counts[((share * width as f64) as usize).min(width - 1)] += 1;
    }
    let most = counts.iter().copied().max().unwrap_or(0).max(1);
    // A column that holds anything is seen.
    let column = |count: usize| if count == 0 { ' ' } else { COLUMNS[(count * 7).div_ceil(most).min(7)] };
    counts.into_iter().map(column).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_and_columns() {
        let check = |share: f64, expected: &str| assert_eq!(bar(share, 4), expected);
        check(0.0, "    ");
        check(0.5, "██  ");
        check(0.53125, "██▏ ");
        check(1.0, "████");
        check(7.0, "████");
        check(f64::NAN, "    ");
        assert_eq!(distribution(&[1.0, 1.0, 1.0, 2.0, 4.0], 4), "█▄ ▄");
        assert_eq!(distribution(&[], 4), "");
        assert_eq!(distribution(&[3.0], 2), " █");
    }
}
