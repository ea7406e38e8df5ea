//! Seeded text to measure with: sentences, documents and questions made of everyday words.
//!
//! It reads like nothing and is cut, stemmed and embedded like English: some hundred words, the common ones oftener.
//! The same seed gives the same bytes on every machine.

use crate::eval::sample::Random;

/// In the order of how often they come.
const WORDS: &str = "the of and to in is it you that for on are as with his they at be this have from or had by word but \
    not what all were when your can said there use each which she how their will other about out many then them these \
    so some her would make like him into time has look two more write go see number way could people my than first \
    water been call who now find long down day did get come made may part sound take only little work know place year \
    live back give most very after thing our just name good sentence man think say great where help through much before \
    line right too mean old any same tell boy follow came want show also around form three small set put end does \
    another well large must big even such because turn here why ask went men read need land different home us move try \
    kind hand picture again change off play spell air away animal house point page letter mother answer found study \
    still learn should world high every near add food between own below country plant last school father keep tree \
    never start city earth eye light thought head under story saw left few while along might close something seem next \
    hard open example begin life always those both paper together got group often run important until children side \
    feet car mile night walk white sea began grow took river four carry state once book hear stop without second late \
    miss idea enough eat face watch far really almost let above girl sometimes mountain cut young talk soon list song \
    being leave family music color red door sure become top ship across today during short better best however low \
    hours black products happened whole measure remember early waves reached listen wind rock space covered fast several \
    hold himself toward five step morning passed vowel true hundred against pattern numeral table north slowly money map \
    farm pulled draw voice seen cold cried plan notice south sing war ground fall king town unit figure certain field \
    travel wood fire upon refund lesson lecture student course credit deadline homework telescope galaxy exercise";

/// Makes text from a seed.
pub struct Writer {
    words: Vec<&'static str>,
    random: Random,
}

impl Writer {
    pub fn new(seed: u64) -> Self {
        Self { words: WORDS.split_whitespace().collect(), random: Random::new(seed) }
    }

    /// One word; the first ones of the list come oftener.
    pub fn word(&mut self) -> &'static str {
        let bound = self.random.below(self.words.len()) + 1;
        self.words[self.random.below(bound)]
    }

    /// A sentence of 6 to 18 words.
    pub fn sentence(&mut self) -> String {
        let count = 6 + self.random.below(13);
        let mut sentence = capital(self.word());
        for _ in 1..count {
            sentence.push(' ');
            sentence.push_str(self.word());
        }
        sentence.push('.');
        sentence
    }

    /// Sentences until `count` says that there are `size` of what it counts: the last ones are cut to fit.
    pub fn text_of(&mut self, size: usize, count: impl Fn(&str) -> usize) -> String {
        let mut text = String::new();
        while count(&text) < size {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(&self.sentence());
        }
        while count(&text) > size {
            let Some(cut) = text.rfind(' ') else { break };
            text.truncate(cut);
        }
        text
    }

    /// A paragraph of three to eight sentences.
    pub fn paragraph(&mut self) -> String {
        let count = 3 + self.random.below(6);
        (0..count).map(|_| self.sentence()).collect::<Vec<_>>().join(" ")
    }

    /// A heading of two to five words.
    pub fn heading(&mut self) -> String {
        let count = 1 + self.random.below(4);
        let rest: Vec<&str> = (0..count).map(|_| self.word()).collect();
        format!("{} {}", capital(self.word()), rest.join(" "))
    }

    /// Paragraphs of at least so many bytes.
    pub fn plain(&mut self, bytes: usize) -> String {
        let mut text = String::new();
        while text.len() < bytes {
            text.push_str(&self.paragraph());
            text.push_str("\n\n");
        }
        text
    }

    /// A lesson in Markdown: sections, lists, now and then code.
    pub fn markdown(&mut self, bytes: usize) -> String {
        let mut text = format!("# {}\n\n", self.heading());
        for section in 0.. {
            if text.len() >= bytes {
                break;
            }
            let marks = if section % 3 == 0 { "##" } else { "###" };
            text.push_str(&format!("{marks} {}\n\n{}\n\n", self.heading(), self.paragraph()));
            match section % 4 {
                1 => (0..3).for_each(|_| text.push_str(&format!("- {}\n", self.sentence()))),
                3 => text.push_str(&format!("```\n{} = {}\n```\n", self.word(), self.word())),
                _ => {}
            }
            text.push('\n');
        }
        text
    }

    /// A web page with what surrounds the words of real ones.
    pub fn html(&mut self, bytes: usize) -> String {
        let title = self.heading();
        let mut page = format!(
            "<!doctype html><html lang=\"en\"><head><title>{title}</title><style>p {{ margin: 0 }}</style></head><body>\
             <nav><a href=\"/\">{}</a> <a href=\"/a\">{}</a></nav><main><h1>{title}</h1>\n",
            self.word(),
            self.word()
        );
        while page.len() < bytes {
            page.push_str(&format!(
                "<h2>{}</h2><p>{} <em>{}</em></p>\n<ul><li>{}</li><li>{}</li></ul>\n",
                self.heading(),
                self.paragraph(),
                self.sentence(),
                self.sentence(),
                self.sentence()
            ));
        }
        page.push_str("</main><footer>…</footer></body></html>\n");
        page
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_writes_the_same_and_another_does_not() {
        let write = |seed| Writer::new(seed).markdown(4_000);
        assert_eq!(write(7), write(7));
        assert_ne!(write(7), write(8));
        assert!(write(7).len() >= 4_000 && write(7).contains("\n## "));
        assert!(Writer::new(1).html(3_000).ends_with("</html>\n"));
    }

    #[test]
    fn a_text_has_the_wanted_size() {
        let count = |text: &str| text.split_whitespace().count();
        for size in [1, 5, 64, 300] {
            assert_eq!(count(&Writer::new(3).text_of(size, count)), size);
        }
    }
}
