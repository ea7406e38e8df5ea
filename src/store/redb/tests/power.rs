//! Power loss and a full disk: what was acknowledged is there afterwards, whatever became of the rest.

use super::disk::{Disk, Event, Loss, after_power_loss};
use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_records_survive_a_power_loss_at_every_sync() {
    let disk = Disk::default();
    let store = disk.open().unwrap();
    // Each acknowledged step, with the number of events that had happened by then.
    let mut acknowledged: Vec<(usize, Step)> = Vec::new();
    store.add_creator(creator("anna")).await.unwrap();
    let created = disk.events().len();
    for number in 0..12u8 {
        let new =
            plain("anna", &format!("{number}.md"), &format!("Number {number}. {}", "word ".repeat(300)));
        let id = record(&store, new).await.document;
        acknowledged.push((disk.events().len(), Step::Recorded(id.clone())));
        store.add_turn(turn("anna", 1, number, u64::from(number), &[&id])).await.unwrap();
        acknowledged.push((disk.events().len(), Step::Said(MessageId::from_bytes([number; 16]))));
        if number % 4 == 3 {
            store.delete_documents(&creator_id("anna"), std::slice::from_ref(&id)).await.unwrap();
            acknowledged.push((disk.events().len(), Step::Deleted(id)));
        }
    }
    drop(store);
    let events = disk.events();
    let syncs: Vec<usize> = events
        .iter()
        .enumerate()
        .filter(|(_, event)| matches!(event, Event::Sync))
        .map(|(at, _)| at)
        .collect();
    for (number, &sync) in syncs.iter().enumerate().filter(|(_, sync)| **sync >= created) {
        let next = syncs.get(number + 1).copied().unwrap_or(events.len());
        for loss in [Loss::Dropped, Loss::Reordered, Loss::Torn] {
            let bytes = after_power_loss(&events[..sync], &events[sync..next], loss, number as u64);
            let store = Disk::with(bytes).open().unwrap();
            let known: Vec<&Step> =
                acknowledged.iter().filter(|(at, _)| *at <= next).map(|(_, step)| step).collect();
            for step in &known {
                step.check(&store, &known, &format!("sync {number}, {loss:?}")).await;
            }
        }
    }
    assert!(syncs.len() > 50, "{} syncs", syncs.len());
}

#[derive(Debug, PartialEq)]
enum Step {
    Recorded(DocumentId),
    Said(MessageId),
    Deleted(DocumentId),
}

impl Step {
    async fn check(&self, store: &Store, known: &[&Step], at: &str) {
        match self {
            Self::Recorded(id) if known.contains(&&Self::Deleted(id.clone())) => {}
            Self::Recorded(id) => {
                // The next step may have deleted it, unacknowledged.
                let Some((text, _)) = store.document_text(id).await.unwrap() else {
                    assert_eq!(known.last(), Some(&&Self::Said(last_message(known))), "{at}: {id} is lost");
                    return;
                };
                let chunks = store.document_chunks(id).await.unwrap();
                let found = store.hydrate(&creator_id("anna"), &chunks).await.unwrap();
                let words: String = found.into_iter().map(|hit| hit.unwrap().chunk.text).collect();
                assert_eq!(words, text, "{at}");
                assert!(
                    store.vectors(&creator_id("anna"), &chunks).await.unwrap().iter().all(Option::is_some),
                    "{at}"
                );
            }
            Self::Said(id) => assert!(store.turn(id).await.unwrap().is_some(), "{at}: {id} is lost"),
            Self::Deleted(id) => assert_eq!(store.document(id).await.unwrap(), None, "{at}"),
        }
    }
}

fn last_message(known: &[&Step]) -> MessageId {
    let said = |step: &&Step| match step {
        Step::Said(id) => Some(id.clone()),
        _ => None,
    };
    known.iter().rev().find_map(said).unwrap()
}

#[tokio::test]
async fn a_full_disk_is_said_and_the_store_goes_on_when_there_is_room_again() {
    let disk = Disk::default();
    let store = disk.open().unwrap();
    store.add_creator(creator("anna")).await.unwrap();
    let first = record(&store, plain("anna", "first.md", "One. Two.")).await;
    disk.set_room(Some(disk.len_now()));
    let big = |number: usize| {
        plain("anna", &format!("{number}.md"), &format!("Number {number}. {}", "x".repeat(200_000)))
    };
    let mut kept = Vec::new();
    let mut full = None;
    for number in 0..200 {
        match store.record(&creator_id("anna"), Some(model()), vec![big(number)]).await {
            Ok(mut recorded) => kept.push(recorded.remove(0).document),
            Err(error) => {
                full = Some(error);
                break;
            }
        }
    }
    assert!(matches!(full, Some(StoreError::Full(_))), "{full:?}");
    // What was acknowledged can be read while the disk is full, and a further write says so again.
    assert!(store.document(&first.document).await.unwrap().is_some());
    let again = store.record(&creator_id("anna"), Some(model()), vec![big(201)]).await;
    assert!(matches!(again, Err(StoreError::Full(_))), "{again:?}");

    disk.set_room(None);
    record(&store, big(202)).await;
    for id in &kept {
        assert!(store.document_text(id).await.unwrap().is_some(), "{id} is lost");
    }
    assert_eq!(store.counts(&creator_id("anna")).await.unwrap().documents, kept.len() as u64 + 2);
}
