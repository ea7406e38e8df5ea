//! Random calls, compared with plain maps that follow the same rules.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

const OWNERS: [&str; 2] = ["anna", "ben"];
const TEXTS: [&str; 4] = ["One. Two.", "Three.", "", "Four – fünf. Six. Seven."];

#[derive(Debug, Clone)]
enum Call {
    Record { owner: usize, source: u8, text: usize, corpus: bool },
    Delete { owner: usize, source: u8 },
    Say { owner: usize, message: u8, cites: u8 },
    RemoveCreator { owner: usize },
    Prune { owner: usize },
}

fn call() -> impl Strategy<Value = Call> {
    let owner = 0..OWNERS.len();
    prop_oneof![
        8 => (owner.clone(), 0..5u8, 0..TEXTS.len(), any::<bool>())
            .prop_map(|(owner, source, text, corpus)| Call::Record { owner, source, text, corpus }),
        3 => (owner.clone(), 0..5u8).prop_map(|(owner, source)| Call::Delete { owner, source }),
        4 => (owner.clone(), 0..6u8, 0..5u8).prop_map(|(owner, message, cites)| Call::Say { owner, message, cites }),
        1 => owner.clone().prop_map(|owner| Call::RemoveCreator { owner }),
        1 => owner.prop_map(|owner| Call::Prune { owner }),
    ]
}

/// What a creator should have.
#[derive(Default)]
struct Plain {
    /// By source: the text, and whether it is a record of a corpus.
    documents: BTreeMap<u8, (usize, bool)>,
    /// By message: the source that is cited, unless its words were removed.
    turns: BTreeMap<u8, Option<u8>>,
    /// Chunks by following the changes.
    followed: BTreeSet<ChunkId>,
    change: u64,
}

impl Plain {
    async fn new(store: &Store, owner: &str) -> Self {
        let change = store.index_rows(&creator_id(owner), |_| {}).await.unwrap();
        Self { change, ..Self::default() }
    }

    fn expected(&self, source: u8, text: usize, corpus: bool) -> Outcome {
        let same = |other: &(usize, bool)| *other == (text, false);
        match self.documents.get(&source) {
            Some((former, _)) if *former == text => Outcome::Unchanged,
            Some(_) => Outcome::Replaced,
            None if !corpus && self.documents.values().any(same) => Outcome::Unchanged,
            None => Outcome::Added,
        }
    }
}

fn source_id(owner: &str, source: u8) -> DocumentId {
    DocumentId::of_source(&creator_id(owner), &source.to_string())
}

async fn make(store: &Store, plain: &mut [Plain; 2], call: &Call) {
    match *call {
        Call::Record { owner, source, text, corpus } => {
            let (name, plain) = (OWNERS[owner], &mut plain[owner]);
            let media = if corpus { MediaType::Record } else { MediaType::Plain };
            let expected = plain.expected(source, text, corpus);
            let recorded = record(store, document(name, &source.to_string(), TEXTS[text], media)).await;
            assert_eq!(recorded.outcome, expected);
            if expected != Outcome::Unchanged {
                plain.documents.insert(source, (text, corpus));
            }
        }
        Call::Delete { owner, source } => {
            let (name, plain) = (OWNERS[owner], &mut plain[owner]);
            let deleted = store.delete_documents(&creator_id(name), &[source_id(name, source)]).await;
            assert_eq!(deleted.is_ok(), plain.documents.remove(&source).is_some());
            plain.turns.values_mut().filter(|cites| **cites == Some(source)).for_each(|cites| *cites = None);
        }
        Call::Say { owner, message, cites } => {
            let (name, plain) = (OWNERS[owner], &mut plain[owner]);
            let number = message + 100 * owner as u8;
            let said = turn(name, number % 3, number, u64::from(number), &[&source_id(name, cites)]);
            store.add_turn(said).await.unwrap();
            plain.turns.insert(message, plain.documents.contains_key(&cites).then_some(cites));
        }
        Call::RemoveCreator { owner } => {
            store.remove_creator(&creator_id(OWNERS[owner])).await.unwrap();
            store.add_creator(creator(OWNERS[owner])).await.unwrap();
            // An index that followed the former creator does not follow the new one.
            let stale = store.index_changes(&creator_id(OWNERS[owner]), plain[owner].change).await;
            assert!(matches!(stale, Err(StoreError::Gap { .. })));
            plain[owner] = Plain::new(store, OWNERS[owner]).await;
        }
        Call::Prune { owner } => {
            follow(store, OWNERS[owner], &mut plain[owner]).await;
            store.prune_changes(&creator_id(OWNERS[owner]), plain[owner].change).await.unwrap();
        }
    }
}

async fn follow(store: &Store, owner: &str, plain: &mut Plain) {
    for (number, change) in store.index_changes(&creator_id(owner), plain.change).await.unwrap() {
        assert_eq!(number, plain.change + 1);
        plain.change = number;
        match change {
            IndexChange::Add(chunk) => assert!(plain.followed.insert(chunk)),
            IndexChange::Remove(chunk) => assert!(plain.followed.remove(&chunk)),
        }
    }
}

async fn compare(store: &Store, owner: &str, plain: &mut Plain) {
    let id = creator_id(owner);
    let documents = store.documents(&id).await.unwrap();
    assert_eq!(documents.len(), plain.documents.len());
    let mut chunks = Vec::new();
    for (source, (text, _)) in &plain.documents {
        let document = source_id(owner, *source);
        assert_eq!(store.document_text(&document).await.unwrap().unwrap().0, TEXTS[*text]);
        let own = store.document_chunks(&document).await.unwrap();
        let words: String =
            store.hydrate(&id, &own).await.unwrap().into_iter().map(|hit| hit.unwrap().chunk.text).collect();
        assert_eq!(words, TEXTS[*text]);
        chunks.extend(own);
    }
    chunks.sort();
    let found: Vec<ChunkId> = rows(store, owner).await.into_iter().map(|row| ChunkId(row.0)).collect();
    assert_eq!(found, chunks);
    follow(store, owner, plain).await;
    assert!(plain.followed.iter().eq(&chunks));

    let turns = store.turns(&id, 99).await.unwrap();
    assert!(
        turns.iter().rev().map(|turn| turn.created_at.0 % 100).eq(plain.turns.keys().map(|m| u64::from(*m)))
    );
    for (turn, cites) in turns.iter().rev().zip(plain.turns.values()) {
        assert_eq!(turn.answer.response == "removed", cites.is_none());
        assert_eq!(turn.answer.citations.len(), usize::from(cites.is_some()));
    }
    let conversations: BTreeSet<_> = turns.iter().map(|turn| turn.conversation.clone()).collect();
    let counts = Counts {
        documents: documents.len() as u64,
        chunks: chunks.len() as u64,
        conversations: conversations.len() as u64,
    };
    assert_eq!(store.counts(&id).await.unwrap(), counts);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn random_calls_do_what_plain_maps_say(calls in prop::collection::vec(call(), 1..30)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let store = store_with(&OWNERS).await;
            let mut plain = [Plain::new(&store, OWNERS[0]).await, Plain::new(&store, OWNERS[1]).await];
            for call in &calls {
                make(&store, &mut plain, call).await;
                for (owner, plain) in OWNERS.iter().zip(&mut plain) {
                    compare(&store, owner, plain).await;
                }
            }
        });
    }
}
