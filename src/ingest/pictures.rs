//! Pictures among other files, in a folder or a package: those with words are documents, of the others only the number
//! is told.
//!
//! A lesson is full of photographs and buttons; none of them is a failure of whoever brings the lesson in. What recognises
//! words is `ocr`; those who bring much in at once count here what it did not find.

use super::extract::ExtractError;

/// Smaller files are buttons and icons: the smallest screen shot of a line of text takes more.
pub const LEAST_BYTES: usize = 4 << 10;
/// Of one package so many are looked at: at some seconds for each, a quarter of an hour.
pub const MOST: usize = 200;

/// Pictures that gave no words.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wordless {
    /// There was nothing to recognise in them.
    blank: u32,
    /// There was nobody who recognises.
    unread: u32,
}

impl Wordless {
    /// One more, and why.
    pub fn count(&mut self, error: &ExtractError) {
        let count = match error {
            ExtractError::Picture => &mut self.unread,
            _ => &mut self.blank,
        };
        *count = count.saturating_add(1);
    }

    /// What is to be said of them.
    pub fn sentences(&self) -> Vec<String> {
        let counted = |count: u32| match count {
            1 => "1 picture was".to_owned(),
            count => format!("{count} pictures were"),
        };
        let mut all = Vec::new();
        if self.unread > 0 {
            let counted = counted(self.unread);
            all.push(format!("{counted} not read: install `tesseract` to have their text recognised"));
        }
        if self.blank > 0 {
            let counted = counted(self.blank);
            all.push(format!("{counted} left out, because no text was recognised in them"));
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_told_by_their_number() {
        let mut wordless = Wordless::default();
        assert!(wordless.sentences().is_empty());
        wordless.count(&ExtractError::Picture);
        for _ in 0..3 {
            wordless.count(&ExtractError::NoText);
        }
        let said = wordless.sentences();
        assert!(said[0].starts_with("1 picture was not read") && said[0].contains("tesseract"), "{said:?}");
        assert!(said[1].starts_with("3 pictures were left out") && said.len() == 2, "{said:?}");
    }
}
