//! How good the words of an answer and its citations are, given right wordings and right documents.

use std::collections::{HashMap, HashSet};

use unicode_normalization::UnicodeNormalization;

/// 1 where an answer, normalised, is one of the right wordings (SQuAD's `exact_match`; Rajpurkar et al., "SQuAD:
/// 100,000+ questions for machine comprehension of text", EMNLP 2016, and its script evaluate-v2.0).
pub fn exact_match(answer: &str, right: &[String]) -> f64 {
    let answer = normalise(answer);
    if right.iter().any(|right| normalise(right) == answer) { 1.0 } else { 0.0 }
}

/// The best harmonic mean of token precision and recall over the right wordings (SQuAD's `f1`). Where the answer or the
/// wording normalises to nothing, it is 1 if both do.
pub fn f1(answer: &str, right: &[String]) -> f64 {
    let answer = normalise(answer);
    right.iter().map(|right| f1_of_one(&answer, &normalise(right))).fold(0.0, f64::max)
}

fn f1_of_one(answer: &str, right: &str) -> f64 {
    let (answer, right): (Vec<&str>, Vec<&str>) = (answer.split(' ').collect(), right.split(' ').collect());
    if answer == [""] || right == [""] {
        return if answer == right { 1.0 } else { 0.0 };
    }
    let mut left: HashMap<&str, usize> = HashMap::new();
    for token in &right {
        *left.entry(token).or_default() += 1;
    }
    let mut common = 0;
    for token in &answer {
        if let Some(count) = left.get_mut(token).filter(|count| **count > 0) {
            *count -= 1;
            common += 1;
        }
    }
    if common == 0 {
        return 0.0;
    }
    let (precision, recall) =
        (f64::from(common) / answer.len() as f64, f64::from(common) / right.len() as f64);
    2.0 * precision * recall / (precision + recall)
}

/// Lower case, without ASCII punctuation, without the English articles, single spaces: SQuAD's `normalize_answer`, in
/// its order, so that `a.b` becomes `ab` and `a-the` stays whole.
fn normalise(text: &str) -> String {
    let bare: String = text.to_lowercase().chars().filter(|c| !c.is_ascii_punctuation()).collect();
    let mut words = String::with_capacity(bare.len());
    let mut rest = bare.as_str();
    while !rest.is_empty() {
        let word_ends = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
        let (word, after) = rest.split_at(word_ends);
        words.push_str(if matches!(word, "a" | "an" | "the") { " " } else { word });
        let between_ends = after.find(char::is_alphanumeric).unwrap_or(after.len());
        let (between, next) = after.split_at(between_ends);
        words.push_str(between);
        rest = next;
    }
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether a response holds one of the right wordings: its tokens, one after the other. Tokens are runs of letters, marks
/// and digits in lower case and canonical decomposition (`has_answer` of DrQA; Chen et al., "Reading Wikipedia to
/// answer open-domain questions", ACL 2017), without punctuation and articles as SQuAD compares. Scripts that do
/// not separate words have a token for each character.
pub fn holds_answer(response: &str, right: &[String]) -> bool {
    let response = tokens(response);
    right
        .iter()
        .map(|right| tokens(right))
        .any(|right| !right.is_empty() && response.windows(right.len()).any(|window| window == right))
}

fn tokens(text: &str) -> Vec<String> {
    let mut tokens = vec![String::new()];
    for c in text.nfd().flat_map(char::to_lowercase) {
        if !(c.is_alphanumeric() || unicode_normalization::char::is_combining_mark(c)) {
            tokens.push(String::new());
            continue;
        }
        if is_unspaced(c) {
            tokens.push(String::new());
        }
        if let Some(token) = tokens.last_mut() {
            token.push(c);
        }
    }
    tokens.retain(|token| !matches!(token.as_str(), "" | "a" | "an" | "the"));
    tokens
}

/// Letters of scripts written without spaces: Thai, Lao, Myanmar, Khmer, kana, and Han with its extensions.
fn is_unspaced(c: char) -> bool {
    matches!(u32::from(c), 0x0e00..=0x0eff | 0x1000..=0x109f | 0x1780..=0x17ff | 0x3040..=0x30ff | 0x3400..=0x4dbf
        | 0x4e00..=0x9fff | 0xf900..=0xfaff | 0x20000..=0x323af)
}

/// Precision and recall of the documents that an answer cites against those that hold the answer. Precision is absent
/// where nothing is cited, recall where no document is known to be right.
pub fn citation_scores<'a>(
    cited: impl IntoIterator<Item = &'a str>,
    right: impl IntoIterator<Item = &'a str>,
) -> (Option<f64>, Option<f64>) {
    let (cited, right): (HashSet<&str>, HashSet<&str>) =
        (cited.into_iter().collect(), right.into_iter().collect());
    (
        super::share(cited.iter().map(|id| right.contains(id))),
        super::share(right.iter().map(|id| cited.contains(id))),
    )
}

/// Whether a quote stands in a text word for word, every character of it, and quotes anything at all.
pub fn is_verbatim(quote: &str, text: &str) -> bool {
    !quote.trim().is_empty() && text.contains(quote)
}

#[cfg(test)]
pub(super) use tests::reference;

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    /// What other programs computed: tests/reference/answer_metrics.py.
    #[derive(Deserialize)]
    pub struct Reference {
        squad: Vec<SquadCase>,
        pub auroc: Vec<AurocCase>,
        pub percentiles: Vec<PercentileCase>,
    }

    #[derive(Deserialize)]
    struct SquadCase {
        answer: String,
        right: Vec<String>,
        exact_match: f64,
        f1: f64,
    }

    #[derive(Deserialize)]
    pub struct AurocCase {
        pub scored: Vec<(f64, bool)>,
        pub expected: f64,
    }

    #[derive(Deserialize)]
    pub struct PercentileCase {
        pub values: Vec<f64>,
        pub expected: [f64; 3],
    }

    pub fn reference() -> Reference {
        let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference/answer_metrics.json"));
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn agrees_with_squads_own_script() {
        let reference = reference();
        assert!(reference.squad.len() >= 20);
        for SquadCase { answer, right, exact_match: em, f1: expected } in reference.squad {
            assert_eq!(exact_match(&answer, &right), em, "{answer:?} against {right:?}");
            let got = f1(&answer, &right);
            assert!(
                (got - expected).abs() < 1e-12,
                "{answer:?} against {right:?}: {got} instead of {expected}"
            );
        }
    }

    #[test]
    fn f1_by_hand() {
        let check = |answer: &str, right: &str, expected: f64| {
            assert!(
                (f1(answer, &[right.to_owned()]) - expected).abs() < 1e-12,
                "{answer:?} against {right:?}"
            );
        };
        // Two of three tokens are right, and both right ones are there.
        check("in fourteen days", "fourteen days", 2.0 * (2.0 / 3.0) / (2.0 / 3.0 + 1.0));
        check("The Refund!", "refund", 1.0);
        // A token counts as often as the wording has it.
        check("no no no", "no", 0.5);
        check("", "something", 0.0);
        check("the", "", 1.0);
        assert_eq!(f1("anything", &[]), 0.0);
        assert_eq!(f1("red", &["blue".to_owned(), "Red".to_owned()]), 1.0);
    }

    #[test]
    fn a_response_holds_an_answer_by_whole_tokens() {
        let check = |response: &str, right: &str, expected: bool| {
            assert_eq!(holds_answer(response, &[right.to_owned()]), expected, "{right:?} in {response:?}");
        };
        check("Refunds take 14 days.", "14 days", true);
        check("Refunds take 14-day steps.", "14 day", true);
        check("It was 1985.", "98", false);
        check("the French-speaking part", "French", true);
        check("About $10,000 in all", "10,000", true);
        check("Duke of the Normans", "duke of Normans", true);
        check("caf\u{e9} society", "cafe\u{301}", true);
        check("退款需要十四天。", "十四天", true);
        check("退款需要十四天。", "十五天", false);
        check("ตอบคำถาม", "คำ", true);
        check("anything", "the", false);
        check("", "x", false);
        assert!(!holds_answer("anything", &[]));
    }

    #[test]
    fn citations_against_right_documents() {
        assert_eq!(citation_scores(["a", "b"], ["a"]), (Some(0.5), Some(1.0)));
        assert_eq!(citation_scores(["a", "a"], ["a", "b"]), (Some(1.0), Some(0.5)));
        assert_eq!(citation_scores([], ["a"]), (None, Some(0.0)));
        assert_eq!(citation_scores(["a"], []), (Some(0.0), None));
    }

    #[test]
    fn verbatim_means_every_character() {
        assert!(is_verbatim("14 days", "within 14 days."));
        assert!(!is_verbatim("14  days", "within 14 days."));
        assert!(!is_verbatim(" ", "a b"));
    }
}
