//! Experiments at work: which variant answers a student, and what the variants did.
//!
//! A variant is the creator's record with other settings, so everything behind it answers as it always does. Only what
//! students ask through the widget and the other students' interfaces has one: what is measured, compared, or asked with a
//! model by name goes by the settings. Called by [`App::answer_with`](super::App::answer_with) and by `http`.

use super::{App, Wishes};
use crate::domain::trace::VariantTrace;
use crate::domain::{AnswerTrace, ConversationId, CreatorId, Experiment, ExperimentId, Timestamp};
use crate::insights::Trial;
use crate::insights::trial::TrialTally;
use crate::problem::Problem;
use crate::store::Creator;

impl App {
    /// The creator as the student's variant of a running experiment has it, and which one that is.
    pub(super) async fn varied(
        &self,
        creator: Creator,
        conversation: &ConversationId,
        wishes: &Wishes,
        now: Timestamp,
    ) -> Result<(Creator, Option<VariantTrace>), Problem> {
        let is_students = wishes.paid && !wishes.forget && wishes.model.is_none() && wishes.history.is_none();
        if !is_students {
            return Ok((creator, None));
        }
        let all = self.store.experiments(&creator.id).await?;
        let Some(running) = all.iter().find(|experiment| experiment.runs(now)) else {
            return Ok((creator, None));
        };
        // Who was named once in this conversation is the same student when a later question comes without the name.
        let student = match &wishes.student {
            Some(student) => Some(student.clone()),
            None => self.store.student_of(&creator.id, conversation).await?,
        };
        let unit = running.unit(student.as_ref().map(|student| student.id.as_str()), conversation);
        let Some(variant) = running.variant_of(&unit) else { return Ok((creator, None)) };
        let given = VariantTrace { experiment_id: running.id.clone(), variant: variant.name.clone(), unit };
        let settings = variant.over(&creator.settings);
        Ok((Creator { settings, ..creator }, Some(given)))
    }

    /// The creator as it was for an answer that is traced, as far as its experiment is still known.
    pub(super) async fn as_varied(
        &self,
        creator: Creator,
        trace: Option<&AnswerTrace>,
    ) -> Result<Creator, Problem> {
        let Some(given) = trace.and_then(|trace| trace.experiment.as_ref()) else { return Ok(creator) };
        let all = self.store.experiments(&creator.id).await?;
        let variant = all
            .iter()
            .find(|experiment| experiment.id == given.experiment_id)
            .and_then(|experiment| experiment.variants.iter().find(|variant| variant.name == given.variant));
        Ok(match variant {
            Some(variant) => Creator { settings: variant.over(&creator.settings), ..creator },
            None => creator,
        })
    }

    /// An experiment with what its variants did; `None` when the creator has no such one.
    pub async fn trial(
        &self,
        creator: &CreatorId,
        id: &ExperimentId,
    ) -> Result<Option<(Experiment, Trial)>, Problem> {
        let all = self.store.experiments(creator).await?;
        let Some(experiment) = all.into_iter().find(|experiment| experiment.id == *id) else {
            return Ok(None);
        };
        let tally = TrialTally::new(&experiment);
        let tally = self.store.fold_turns(creator, experiment.starts_at, tally, |tally, turn| {
            tally.add(&turn);
            true
        });
        let tally = tally.await?;
        // Ranks of thousands of students are sorted, several times.
        let trial = tokio::task::spawn_blocking(move || tally.finish()).await.map_err(Problem::internal)?;
        Ok(Some((experiment, trial)))
    }
}
