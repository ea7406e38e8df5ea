//! Experiments of creators. What their variants did is in the traces of the turns.

use super::Store;
use super::accounts::creator_of;
use super::codec::{key, read_json, write_json};
use super::tables::{Rows, Writing, clear};
use crate::domain::{CreatorId, Experiment, ExperimentId};
use crate::store::StoreError;

impl Store {
    /// Fails when its creator is not there. `false`, and nothing is written, where another one is not stopped: two at once
    /// would change each other's results.
    pub async fn add_experiment(&self, experiment: Experiment) -> Result<bool, StoreError> {
        self.write(move |tables| {
            let number = creator_of(&tables.creators, &experiment.creator)?.number;
            if all(&tables.experiments, number)?.iter().any(|other| other.stopped_at.is_none()) {
                return Ok(false);
            }
            save(tables, number, &experiment)?;
            Ok(true)
        })
        .await
    }

    /// A creator's experiments, oldest first.
    pub async fn experiments(&self, creator: &CreatorId) -> Result<Vec<Experiment>, StoreError> {
        let creator = creator.clone();
        self.read(move |tables| {
            let mut found = all(&tables.experiments, creator_of(&tables.creators, &creator)?.number)?;
            found.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
            Ok(found)
        })
        .await
    }

    /// Changes an experiment; `None` when the creator has no such one. `change` may run twice.
    pub async fn change_experiment(
        &self,
        creator: &CreatorId,
        id: &ExperimentId,
        mut change: impl FnMut(&mut Experiment) + Send + 'static,
    ) -> Result<Option<Experiment>, StoreError> {
        let (creator, id) = (creator.clone(), id.clone());
        self.write(move |tables| {
            let number = creator_of(&tables.creators, &creator)?.number;
            let Some(bytes) = tables.experiments.fetch(&name(number, &id))? else { return Ok(None) };
            let mut experiment: Experiment = read_json(&bytes, "an experiment")?;
            change(&mut experiment);
            save(tables, number, &experiment)?;
            Ok(Some(experiment))
        })
        .await
    }

    /// Forgets an experiment; whether there was one. The answers of its variants stay.
    pub async fn remove_experiment(
        &self,
        creator: &CreatorId,
        id: &ExperimentId,
    ) -> Result<bool, StoreError> {
        let (creator, id) = (creator.clone(), id.clone());
        self.write(move |tables| {
            let number = creator_of(&tables.creators, &creator)?.number;
            Ok(tables.experiments.remove(&name(number, &id)[..])?.is_some())
        })
        .await
    }
}

/// Removes all of a creator's.
pub fn forget_creator(tables: &mut Writing, number: u32) -> Result<(), StoreError> {
    clear(&mut tables.experiments, &number.to_be_bytes())
}

fn all(experiments: &impl Rows, number: u32) -> Result<Vec<Experiment>, StoreError> {
    experiments.under(&number.to_be_bytes())?.map(|row| read_json(row?.1.value(), "an experiment")).collect()
}

fn save(tables: &mut Writing, number: u32, experiment: &Experiment) -> Result<(), StoreError> {
    tables.experiments.insert(&name(number, &experiment.id)[..], &write_json(experiment)?[..])?;
    Ok(())
}

fn name(number: u32, id: &ExperimentId) -> Vec<u8> {
    key([&number.to_be_bytes(), id.as_str().as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Timestamp, Variant};
    use crate::store::Creator;

    fn experiment(creator: &CreatorId, byte: u8) -> Experiment {
        let variant = |name: &str| Variant { name: name.into(), weight: 1, settings: serde_json::Map::new() };
        Experiment {
            id: ExperimentId::from_bytes([byte; 16]),
            creator: creator.clone(),
            name: "one".into(),
            variants: vec![variant("a"), variant("b")],
            created_at: Timestamp(u64::from(byte)),
            starts_at: Timestamp(u64::from(byte)),
            stopped_at: None,
            used: None,
        }
    }

    #[tokio::test]
    async fn one_runs_at_a_time_and_none_outlives_its_creator() {
        let store = Store::in_memory().unwrap();
        for id in ["anna", "ben"] {
            let id: CreatorId = id.parse().unwrap();
            let (name, settings) = (id.to_string(), serde_json::json!({}));
            let creator =
                Creator { id, name, created_at: Timestamp(0), embedding: None, generation: 0, settings };
            store.add_creator(creator).await.unwrap();
        }
        let (anna, ben): (CreatorId, CreatorId) = ("anna".parse().unwrap(), "ben".parse().unwrap());
        let (first, second) = (experiment(&anna, 1), experiment(&anna, 2));
        assert!(store.add_experiment(first.clone()).await.unwrap());
        assert!(!store.add_experiment(second.clone()).await.unwrap());
        assert!(store.add_experiment(experiment(&ben, 3)).await.unwrap());
        let stop = |experiment: &mut Experiment| experiment.stopped_at = Some(Timestamp(9));
        assert!(store.change_experiment(&ben, &first.id, stop).await.unwrap().is_none());
        let stopped = store.change_experiment(&anna, &first.id, stop).await.unwrap().unwrap();
        assert!(store.add_experiment(second.clone()).await.unwrap());
        assert_eq!(store.experiments(&anna).await.unwrap(), [stopped, second.clone()]);
        assert!(!store.remove_experiment(&ben, &second.id).await.unwrap());
        assert!(store.remove_experiment(&anna, &second.id).await.unwrap());
        store.remove_creator(&anna).await.unwrap();
        let again = Creator::new(anna.clone(), Timestamp(0));
        store.add_creator(again).await.unwrap();
        assert!(store.experiments(&anna).await.unwrap().is_empty());
        assert_eq!(store.experiments(&ben).await.unwrap().len(), 1);
    }
}
