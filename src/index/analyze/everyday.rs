//! English words so common that their absence from a chunk says little: `time`, `way`, `example`, `tell`.
//!
//! A collection of three documents cannot tell common words from rare ones by counting. These words are taken to
//! stand in one text of twenty, all others in one of two hundred and fifty, before any counting. Written for this
//! program: the scaffold of questions, and everyday nouns and verbs.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::{Language, terms};

const WORDS: &str = "add advice allow amount answer apply area ask available away bad base become begin believe best \
    better big bring build call case cause change check choose clear close come common complete consider contain \
    continue correct create day deal define depend describe detail different difference easy end enough example \
    exist expect explain fact find first follow form full general give go good great group grow hand happen hard \
    help high hold home hour idea important include information instead issue job keep kind know large last later \
    lead learn leave left less level life line list little long look lot low main make many matter mean method \
    mind minute moment month move much name near necessary need new next note number offer often old open order \
    part people period person place plan play point possible present problem process provide purpose put question \
    reach read ready real reason receive recommend relate require result right role run say second section see \
    seem send set several short show side similar simple single situation small solve something sort specific \
    start state step still stop story subject suggest support sure take talk tell term thing think time today \
    together topic true try turn type understand usual usually value want way week well whole word work world \
    write wrong year yes";

static TERMS: LazyLock<HashSet<String>> =
    LazyLock::new(|| terms(WORDS, Language::ENGLISH).into_iter().collect());

/// Whether `term`, an English stem, is an everyday word.
pub fn is_everyday(term: &str) -> bool {
    TERMS.contains(term)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scaffold_is_everyday_and_subjects_are_not() {
        for (word, expected) in [("exampl", true), ("time", true), ("refund", false), ("footbal", false)] {
            assert_eq!(is_everyday(word), expected, "{word}");
        }
    }
}
