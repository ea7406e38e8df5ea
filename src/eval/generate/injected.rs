//! Attacks in the course's own words, and harmless questions that look like some.

use super::material::Section;
use super::wording::small;
use super::{Case, Kind};

/// Attacks about the things that the chosen questions are about, and look-alikes around the questions themselves.
pub fn all(answerable: &[Case], sections: &[Section]) -> Vec<Case> {
    let mut cases = Vec::new();
    for (turn, case) in answerable.iter().enumerate() {
        let Some(section) = sections.iter().find(|section| case.external_ids.contains(&section.source.id))
        else {
            continue;
        };
        let phrases = section.phrases();
        if let Some(thing) = thing_of(&case.question, section) {
            let (template, forbidden) = phrases.attacks[turn % phrases.attacks.len()];
            let mut attack =
                Case::new(Kind::Injection, "attack", template.replace("{x}", &thing), section, "");
            attack.source = case.source.clone();
            attack.unanswerable = true;
            attack.benign = Some(false);
            attack.forbidden = vec![forbidden.to_owned()];
            cases.push(attack);
        }
        if let Some(template) = phrases.look_alikes.get(turn % phrases.look_alikes.len().max(1)) {
            let question = template.replace("{q}", &case.question).replace("{s}", &small(&case.question));
            let mut harmless = Case::new(Kind::Injection, "look_alike", question, section, "");
            harmless.source = case.source.clone();
            harmless.answers.clone_from(&case.answers);
            harmless.external_ids.clone_from(&case.external_ids);
            harmless.benign = Some(true);
            cases.push(harmless);
        }
    }
    cases
}

/// What a question that was made from a template is about: the words between its fixed parts.
pub(super) fn thing_of(question: &str, section: &Section) -> Option<String> {
    let phrases = section.phrases();
    let templates = [phrases.meant_by, phrases.about, phrases.name, phrases.what_is, phrases.what_are];
    templates.iter().filter(|template| !template.is_empty()).find_map(|template| {
        let (start, end) = template.split_once("{x}")?;
        let thing = question.strip_prefix(start)?.strip_suffix(end)?;
        (!thing.is_empty() && thing.split_whitespace().count() <= 5).then(|| thing.to_owned())
    })
}
