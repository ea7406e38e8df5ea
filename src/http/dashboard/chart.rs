//! Small drawings for pages: columns in parts, and a line. Numbers in, places on a canvas of fixed height out; templates
//! write the SVG, colours are classes of the style sheet, and a table beside each drawing says the same in numbers.

/// Width and height of the canvas; the page stretches it.
pub const WIDE: u32 = 720;
pub const TALL: u32 = 120;
/// Height of a strip.
pub const THIN: u32 = 32;

/// A column for each moment, each in parts that stand on each other.
pub struct Columns {
    pub columns: Vec<Column>,
    /// The tallest.
    pub most: u32,
}

pub struct Column {
    /// For whoever points at it.
    pub title: String,
    pub parts: Vec<Part>,
}

pub struct Part {
    pub class: &'static str,
    pub x: f32,
    pub y: f32,
    pub width: f32,
    pub height: f32,
    /// How strong its colour is, 0 to 1.
    pub strength: f32,
}

/// Columns of these titles and values; each value has its class from `classes`, the lowest first.
pub fn columns(classes: &[&'static str], rows: &[(String, Vec<u32>)]) -> Columns {
    let most = rows.iter().map(|(_, values)| values.iter().sum::<u32>()).max().unwrap_or(0);
    let step = WIDE as f32 / rows.len().max(1) as f32;
    let column = |(place, (title, values)): (usize, &(String, Vec<u32>))| {
        let mut top = TALL as f32;
        let part = |(class, value): (&&'static str, &u32)| {
            let height = *value as f32 / most.max(1) as f32 * TALL as f32;
            // What happened at all can be seen.
            let height = if *value > 0 { height.max(2.0) } else { 0.0 };
            top -= height;
            Part { class, x: place as f32 * step, y: top.max(0.0), width: step * 0.78, height, strength: 1.0 }
        };
        Column { title: title.clone(), parts: classes.iter().zip(values).map(part).collect() }
    };
    Columns { columns: rows.iter().enumerate().map(column).collect(), most }
}

/// A line through the values that are there, as the `d` of a path, and its highest value; moments without one break it.
pub fn line(values: &[Option<u32>]) -> (String, u32) {
    let most = values.iter().flatten().copied().max().unwrap_or(0);
    let step = WIDE as f32 / values.len().max(1) as f32;
    let mut path = String::new();
    let mut drawn = false;
    for (place, value) in values.iter().enumerate() {
        let Some(value) = value else {
            drawn = false;
            continue;
        };
        let x = (place as f32 + 0.4) * step;
        let y = TALL as f32 - *value as f32 / most.max(1) as f32 * (TALL as f32 - 4.0) - 2.0;
        path.push_str(&if drawn {
            format!("L{x:.1} {y:.1}")
        } else {
            // A moment alone is a dot: round ends make it one.
            format!("M{x:.1} {y:.1}h.01")
        });
        drawn = true;
    }
    (path, most)
}

/// Two rows of cells from left to right, the second under the first: the more of something there was, the stronger the colour;
/// the most of a row has all of it.
pub fn heat(classes: [&'static str; 2], cells: &[(String, [u32; 2])]) -> Vec<Column> {
    let most = [0, 1].map(|row| cells.iter().map(|(_, values)| values[row]).max().unwrap_or(0).max(1));
    let (step, height) = (WIDE as f32 / cells.len().max(1) as f32, THIN as f32 / 2.0);
    let cell = |(place, (title, values)): (usize, &(String, [u32; 2]))| {
        let part = |row: usize| Part {
            class: classes[row],
            x: place as f32 * step,
            y: row as f32 * height,
            // Cells touch, so that nothing shines through between them.
            width: step + 0.5,
            height: if values[row] > 0 { height } else { 0.0 },
            // What happened at all can be seen.
            strength: 0.2 + 0.8 * values[row] as f32 / most[row] as f32,
        };
        Column { title: title.clone(), parts: vec![part(0), part(1)] }
    };
    cells.iter().enumerate().map(cell).collect()
}

/// `4:05` or `1:02:03`, of seconds.
pub fn clock(seconds: u64) -> String {
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_fill_the_canvas_and_lines_break_where_nothing_was() {
        let rows =
            [("a".to_owned(), vec![30, 10]), ("b".to_owned(), vec![0, 0]), ("c".to_owned(), vec![20, 0])];
        let drawn = columns(&["x", "y"], &rows);
        assert_eq!(drawn.most, 40);
        let heights = |place: usize| drawn.columns[place].parts.iter().map(|part| part.height).sum::<f32>();
        assert_eq!([heights(0), heights(1), heights(2)], [120.0, 0.0, 60.0]);
        assert_eq!(drawn.columns[0].parts[1].y, 0.0);
        assert!(columns(&["x"], &[]).columns.is_empty());

        let strip = heat(["x", "y"], &[("a".into(), [10, 0]), ("b".into(), [5, 1]), ("c".into(), [0, 0])]);
        assert_eq!(strip.len(), 3);
        let part = |cell: usize, row: usize| &strip[cell].parts[row];
        assert_eq!((part(0, 0).strength, part(1, 0).strength, part(1, 1).strength), (1.0, 0.6, 1.0));
        assert_eq!((part(1, 0).x, part(0, 1).height, part(1, 1).y), (240.0, 0.0, 16.0));
        assert!(heat(["x", "y"], &[]).is_empty());
        assert_eq!((clock(245), clock(3_723), clock(0)), ("4:05".into(), "1:02:03".into(), "0:00".into()));

        assert_eq!(line(&[]), (String::new(), 0));
        let (path, most) = line(&[Some(10), Some(20), None, Some(5)]);
        assert_eq!(most, 20);
        assert_eq!([path.matches('M').count(), path.matches('L').count()], [2, 1], "{path}");
    }
}
