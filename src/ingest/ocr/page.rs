//! What tesseract says of a picture (its table of words), as paragraphs.

/// Words that it is less sure of (of 100) are specks and edges more often than words; tried on scans of lessons, where
/// true words stand above 60 and drawings give 0 to 30.
const SURE: f32 = 35.0;

/// The paragraphs of a table as `tesseract … tsv` writes it: level, page, block, paragraph, line, word, left, top, width,
/// height, confidence, text.
pub fn paragraphs(table: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let (mut at, mut line) = (None, None);
    for row in table.lines().skip(1) {
        let fields: Vec<&str> = row.splitn(12, '\t').collect();
        let [level, page, block, paragraph, row, .., sure, word] = fields[..] else { continue };
        let is_sure = sure.parse::<f32>().is_ok_and(|sure| sure >= SURE);
        let word = word.trim();
        if level != "5" || !is_sure || word.is_empty() {
            continue;
        }
        let place = (page.to_owned(), block.to_owned(), paragraph.to_owned());
        if at.as_ref() != Some(&place) {
            all.push(String::new());
            (at, line) = (Some(place), None);
        }
        let Some(words) = all.last_mut() else { continue };
        let is_new_line = line.as_deref().is_some_and(|line| line != row);
        line = Some(row.to_owned());
        join(words, word, is_new_line);
    }
    // Single letters and signs stand beside pictures, not in lessons.
    all.retain(|words| words.chars().filter(|c| c.is_alphanumeric()).count() > 2);
    all
}

/// Appends a word; one that was divided at the end of a line becomes whole.
fn join(words: &mut String, word: &str, is_new_line: bool) {
    let before = words.chars().rev().nth(1);
    let is_divided = is_new_line
        && words.ends_with('-')
        && before.is_some_and(char::is_lowercase)
        && word.starts_with(char::is_lowercase);
    if is_divided {
        words.pop();
    } else if !words.is_empty() {
        words.push(' ');
    }
    words.push_str(word);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[(&str, u32, u32, &str)]) -> String {
        let mut table =
            "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext\n"
                .to_owned();
        for (place, line, sure, word) in rows {
            table += &format!("5\t1\t{place}\t1\t{line}\t1\t0\t0\t9\t9\t{sure}\t{word}\n");
        }
        table + "4\t1\t1\t1\t1\t0\t0\t0\t9\t9\t-1\t\n"
    }

    #[test]
    fn words_become_paragraphs() {
        let found = paragraphs(&table(&[
            ("1", 1, 96, "Warm"),
            ("1", 1, 95, "the"),
            ("1", 1, 90, "bees-"),
            ("1", 2, 91, "wax"),
            ("1", 2, 91, "to-"),
            ("1", 3, 91, "Day"),
            ("2", 1, 12, "~~|"),
            ("2", 1, 80, "x"),
            ("3", 1, 80, "Second."),
        ]));
        assert_eq!(found, ["Warm the beeswax to- Day", "Second."]);
        assert!(paragraphs("").is_empty() && paragraphs("garbage\nmore\tgarbage").is_empty());
    }
}
