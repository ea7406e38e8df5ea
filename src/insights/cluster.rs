//! Questions that ask about the same, put together: by what they mean and by the words that they share.
//!
//! Comes in: questions with their times and with vectors of one embedding model. Goes out: [`Cluster`]s, the largest
//! first, labelled by their most central question, without personal data. Average linkage, by chains of nearest
//! neighbours (Murtagh 1983): the square of the number of different questions, which the caller bounds. Pure.

use std::collections::{BTreeSet, HashMap};

use super::Cluster;
use crate::domain::{Timestamp, mask};
use crate::index::analyze::{Language, terms};

/// Examples of a cluster.
pub const EXAMPLES: usize = 5;

/// Questions that are compared at most: their similarities take 16 MB.
pub const MOST_QUESTIONS: usize = 2_000;

/// What nearness in meaning counts; shared words count the rest. Words alone join "When is lesson 3?" to "Who made
/// lesson 3?", meaning alone joins what a model takes for one subject.
const MEANING: f32 = 0.65;

/// Mean similarity from which two groups are one. With [`MEANING`] it joins questions that share no word at .7 of the
/// way from unrelated to the same, and those that share half of their words at .45 of it. Set by the pairs of the tests
/// below and of `tests/it/insights.rs`, not fitted to data.
const SAME: f32 = 0.45;

/// Cosine of unrelated questions while there are too few to see it, and the most that is believed to be one: models
/// such as E5 give everything at least .7.
const UNRELATED: f32 = 0.2;
const MOST_UNRELATED: f32 = 0.85;
/// From so many different questions on, most pairs are unrelated, and the middle one tells what that is.
const TELLING: usize = 12;

/// Characters of a question that are shown.
const SHOWN: usize = 300;

/// A question that somebody asked.
#[derive(Debug, Clone)]
pub struct Question {
    pub text: String,
    pub at: Timestamp,
    /// Of any length above 0; all of one model.
    pub vector: Vec<f32>,
}

/// The groups, the largest first and of equals the latest; at most `most` of them. Looks at the newest
/// [`MOST_QUESTIONS`].
pub fn clusters(mut questions: Vec<Question>, most: usize) -> Vec<Cluster> {
    questions.sort_by_key(|question| std::cmp::Reverse(question.at));
    questions.truncate(MOST_QUESTIONS);
    let items = items(questions);
    let mut groups: Vec<Cluster> =
        joined(&items).into_iter().map(|members| cluster(&items, &members)).collect();
    groups.sort_by(|a, b| {
        (b.count, b.last_asked_ms, &a.question).cmp(&(a.count, a.last_asked_ms, &b.question))
    });
    groups.truncate(most);
    groups
}

/// One wording, however often it was asked.
struct Item {
    /// As it was asked last.
    text: String,
    /// Numbers of its words, in order.
    words: Vec<usize>,
    /// Of length 1, or empty.
    vector: Vec<f32>,
    count: u32,
    last: Timestamp,
}

/// Different wordings, newest first: case, blanks and signs make no other question.
fn items(questions: Vec<Question>) -> Vec<Item> {
    let (mut places, mut numbers) = (HashMap::<String, usize>::new(), HashMap::<String, usize>::new());
    let mut items: Vec<Item> = Vec::new();
    for question in questions {
        let letters = question.text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        let name = letters.collect::<Vec<_>>().join(" ").to_lowercase();
        match places.get(&name).and_then(|&place| items.get_mut(place)) {
            Some(known) => known.count += 1,
            None => {
                places.insert(name, items.len());
                let language = Language::of_text(&question.text).unwrap_or(Language::ENGLISH);
                let words = terms(&question.text, language).into_iter().map(|word| {
                    let next = numbers.len();
                    *numbers.entry(word).or_insert(next)
                });
                items.push(Item {
                    words: words.collect::<BTreeSet<_>>().into_iter().collect(),
                    text: question.text,
                    vector: unit(question.vector),
                    count: 1,
                    last: question.at,
                });
            }
        }
    }
    items
}

fn unit(mut vector: Vec<f32>) -> Vec<f32> {
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    if !(length > 0.0 && length.is_finite()) {
        return Vec::new();
    }
    vector.iter_mut().for_each(|x| *x /= length);
    vector
}

/// Places of the members of each group.
fn joined(items: &[Item]) -> Vec<Vec<usize>> {
    let count = items.len();
    let unrelated = unrelated(items);
    let mut similar = vec![0.0f32; count * count];
    for one in 0..count {
        for other in one + 1..count {
            let same = similarity(&items[one], &items[other], unrelated);
            similar[one * count + other] = same;
            similar[other * count + one] = same;
        }
    }
    let mut sizes: Vec<f32> = items.iter().map(|item| item.count as f32).collect();
    let mut members: Vec<Vec<usize>> = (0..count).map(|place| vec![place]).collect();
    let mut active: Vec<usize> = (0..count).collect();
    let (mut done, mut chain): (Vec<Vec<usize>>, Vec<usize>) = (Vec::new(), Vec::new());
    while let Some(&any) = active.first() {
        let last = *chain.last().unwrap_or(&any);
        if chain.is_empty() {
            chain.push(last);
        }
        let before = chain.len().checked_sub(2).map(|place| chain[place]);
        // Of equals the one before in the chain, so that a pair is noticed; else the first.
        let nearest = active.iter().copied().filter(|&other| other != last).max_by(|&a, &b| {
            let of = |other: usize| similar[last * count + other];
            of(a).total_cmp(&of(b)).then((Some(a) == before).cmp(&(Some(b) == before))).then(b.cmp(&a))
        });
        match nearest.filter(|&nearest| similar[last * count + nearest] >= SAME) {
            // Joining others only averages, so that nothing will ever be nearer to this one.
            None => {
                chain.pop();
                active.retain(|&place| place != last);
                done.push(std::mem::take(&mut members[last]));
            }
            Some(nearest) if Some(nearest) == before => {
                chain.truncate(chain.len() - 2);
                let (into, gone) = (nearest.min(last), nearest.max(last));
                let (a, b) = (sizes[into], sizes[gone]);
                for &other in active.iter().filter(|&&other| other != into && other != gone) {
                    let mean =
                        (a * similar[into * count + other] + b * similar[gone * count + other]) / (a + b);
                    similar[into * count + other] = mean;
                    similar[other * count + into] = mean;
                }
                sizes[into] = a + b;
                active.retain(|&place| place != gone);
                let moved = std::mem::take(&mut members[gone]);
                members[into].extend(moved);
            }
            Some(nearest) => chain.push(nearest),
        }
    }
    done
}

/// Between 0, unrelated, and 1, the same.
fn similarity(one: &Item, other: &Item, unrelated: f32) -> f32 {
    let meaning = ((cosine(one, other) - unrelated) / (1.0 - unrelated)).clamp(0.0, 1.0);
    let shared = shared(&one.words, &other.words) as f32;
    let all = (one.words.len() + other.words.len()) as f32 - shared;
    let words = if all > 0.0 { shared / all } else { 0.0 };
    MEANING * meaning + (1.0 - MEANING) * words
}

/// How many numbers two ordered lists share.
fn shared(mut one: &[usize], mut other: &[usize]) -> usize {
    let mut count = 0;
    while let ([a, rest @ ..], [b, others @ ..]) = (one, other) {
        count += usize::from(a == b);
        (one, other) = (if a <= b { rest } else { one }, if b <= a { others } else { other });
    }
    count
}

fn cosine(one: &Item, other: &Item) -> f32 {
    one.vector.iter().zip(&other.vector).map(|(a, b)| a * b).sum()
}

/// What this model makes of questions that have nothing to do with each other: the middle of the cosines of pairs, of
/// which some hundreds are enough.
fn unrelated(items: &[Item]) -> f32 {
    if items.len() < TELLING {
        return UNRELATED;
    }
    let mut cosines: Vec<f32> = Vec::new();
    for step in 1..=4 {
        let pairs = items.iter().zip(items.iter().cycle().skip(step * items.len() / 5));
        cosines.extend(pairs.take(200).map(|(one, other)| cosine(one, other)));
    }
    let middle = cosines.len() / 2;
    let (_, median, _) = cosines.select_nth_unstable_by(middle, f32::total_cmp);
    median.clamp(0.0, MOST_UNRELATED)
}

/// Members that the most central one is looked for among: the newest ones.
const COMPARED: usize = 64;

fn cluster(items: &[Item], members: &[usize]) -> Cluster {
    let mut members: Vec<&Item> = members.iter().map(|&place| &items[place]).collect();
    members.sort_by_key(|item| std::cmp::Reverse(item.last));
    let some = &members[..members.len().min(COMPARED)];
    let centrality = |item: &Item| -> f32 {
        some.iter().map(|other| similarity(item, other, 0.0) * other.count as f32).sum()
    };
    let central = some.iter().copied().max_by(|a, b| centrality(a).total_cmp(&centrality(b)));
    let question = central.map(|item| mask::excerpt(&item.text, SHOWN)).unwrap_or_default();
    let mut examples: Vec<String> = Vec::new();
    for item in &members {
        let shown = mask::excerpt(&item.text, SHOWN);
        if examples.len() < EXAMPLES && shown != question && !examples.contains(&shown) {
            examples.push(shown);
        }
    }
    Cluster {
        question,
        count: members.iter().map(|item| item.count).fold(0, u32::saturating_add),
        last_asked_ms: members.iter().map(|item| item.last.0).max().unwrap_or(0),
        examples,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Vectors that a model might give: one direction a subject, and a little of its own.
    fn question(text: &str, at: u64, subject: usize, own: usize) -> Question {
        let mut vector = vec![0.0; 64];
        vector[subject] = 1.0;
        vector[32 + own % 32] = 0.4;
        Question { text: text.into(), at: Timestamp(at), vector }
    }

    #[test]
    fn what_asks_about_the_same_is_one_group_and_the_rest_is_not() {
        let questions = vec![
            question("Do you offer team licences?", 1, 0, 1),
            question("Is there a licence for a team?", 2, 0, 2),
            question("do you offer TEAM licences", 3, 0, 1),
            question("Can five of us share one seat?", 4, 0, 3),
            question("Which camera was used?", 5, 1, 4),
            question("My mail is ann@example.org, which camera is it?", 6, 1, 5),
            question("Who composed the music?", 7, 2, 6),
        ];
        let found = clusters(questions, 10);
        let counts: Vec<u32> = found.iter().map(|cluster| cluster.count).collect();
        assert_eq!(counts, [4, 2, 1], "{found:#?}");
        assert_eq!((found[0].last_asked_ms, found[1].last_asked_ms), (4, 6));
        assert!(found[0].examples.len() == 2 && !found[0].examples.contains(&found[0].question));
        let shown = format!("{found:?}");
        assert!(shown.contains("[email]") && !shown.contains("ann@"), "{shown}");
    }

    #[test]
    fn there_are_few_groups_of_many_questions_and_none_of_none() {
        assert!(clusters(Vec::new(), 10).is_empty());
        let many: Vec<Question> = (0..3_000)
            .map(|number| {
                question(&format!("Question {number} of {}?", number % 7), number, number as usize % 7, 0)
            })
            .collect();
        let found = clusters(many, 5);
        assert_eq!(found.len(), 5);
        assert!(found.iter().all(|cluster| cluster.examples.len() <= EXAMPLES));
        assert!(found.iter().map(|cluster| cluster.count).sum::<u32>() <= MOST_QUESTIONS as u32);
        assert_eq!(found[0].last_asked_ms / 7, 2_999 / 7);
    }

    #[test]
    fn without_vectors_words_alone_join_what_is_the_same() {
        let bare = |text: &str, at| Question { text: text.into(), at: Timestamp(at), vector: vec![0.0; 3] };
        let found =
            clusters(vec![bare("Is it free?", 1), bare("is it free", 2), bare("When does it begin?", 3)], 9);
        assert_eq!(found.iter().map(|cluster| cluster.count).collect::<Vec<_>>(), [2, 1]);
    }
}
