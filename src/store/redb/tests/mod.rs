//! Tests of the store as a whole, against what its methods promise; the harder ones are in the files below.

mod disk;
mod expire;
mod files;
mod holders;
mod kill;
mod ledger;
mod model;
mod people;
mod power;

use bytes::Bytes;

use super::*;
use crate::domain::{
    Anchor, Answer, Block, BlockKind, ChunkId, Citation, ContentHash, ConversationId, CreatorId, Document,
    DocumentId, EmbeddingModelId, Job, JobId, JobKind, JobLane, JobState, MediaType, MessageId, Span,
    Timestamp, Turn,
};
use crate::store::{ApiKey, Counts, Creator, IndexChange, NewChunk, NewDocument, Outcome, Recorded};

/// The change that the first creator begins with.
const START: u64 = 1 << 32;

fn creator_id(name: &str) -> CreatorId {
    name.parse().unwrap()
}

fn creator(name: &str) -> Creator {
    Creator { name: name.to_uppercase(), ..Creator::new(creator_id(name), Timestamp(1)) }
}

fn model() -> EmbeddingModelId {
    EmbeddingModelId { name: "plain".into(), revision: "1".into(), dimensions: 2 }
}

/// A document whose sentences are its chunks; a chunk's vector is made of its words.
fn document(owner: &str, source: &str, text: &str, media: MediaType) -> NewDocument {
    let id = DocumentId::of_source(&creator_id(owner), source);
    let mut chunks = Vec::new();
    let mut start = 0;
    for (place, sentence) in text.split_inclusive('.').enumerate() {
        let span = Span { start, end: start + sentence.len() };
        start = span.end;
        let anchor = Anchor { page: Some(place as u32 + 1), ..Anchor::default() };
        let vector = vec![sentence.len() as f32, place as f32];
        chunks.push(NewChunk { span, anchor, terms: sentence.to_lowercase().into_bytes(), vector });
    }
    let whole = Span { start: 0, end: text.len() };
    NewDocument {
        signature: crate::domain::Signature::of(text),
        document: Document {
            id,
            creator: creator_id(owner),
            external_id: None,
            title: source.to_owned(),
            source: source.to_owned(),
            media,
            content: ContentHash::of(text.as_bytes()),
            language: Some("en".into()),
            bytes: text.len() as u64,
            pages: None,
            created_at: Timestamp(5),
            warnings: Vec::new(),
        },
        text: text.to_owned(),
        blocks: vec![Block { kind: BlockKind::Paragraph, span: whole, anchor: Anchor::default() }],
        chunks,
    }
}

fn plain(owner: &str, source: &str, text: &str) -> NewDocument {
    document(owner, source, text, MediaType::Plain)
}

async fn record(store: &Store, new: NewDocument) -> Recorded {
    let owner = new.document.creator.clone();
    store.record(&owner, Some(model()), vec![new]).await.unwrap().remove(0)
}

fn turn(owner: &str, conversation: u8, message: u8, time: u64, cites: &[&DocumentId]) -> Turn {
    let citation = |document: &&DocumentId| Citation {
        id: 1,
        document_id: (*document).clone(),
        external_id: None,
        title: "Refunds".into(),
        quote: "within 23 days".into(),
        anchor: Anchor::default(),
        url: None,
        score: 0.5,
    };
    Turn {
        id: MessageId::from_bytes([message; 16]),
        conversation: ConversationId::from_bytes([conversation; 16]),
        creator: creator_id(owner),
        question: format!("question {message}?"),
        answer: Answer {
            response: "Within 23 days [1].".into(),
            sources: vec!["Refunds".into()],
            should_escalate: false,
            conversation_id: ConversationId::from_bytes([conversation; 16]),
            message_id: MessageId::from_bytes([message; 16]),
            citations: cites.iter().map(citation).collect(),
            sentences: Vec::new(),
            confidence: 0.5,
            groundedness: 0.25,
            abstained: false,
            agent: "course".into(),
            model: "extractive".into(),
            cached: false,
            escalation: None,
            language: "en".into(),
            usage: Default::default(),
            timings_ms: Default::default(),
        },
        memory: crate::domain::Memory::default(),
        trace: None,
        feedback: None,
        correction: None,
        reviewed: false,
        created_at: Timestamp(time),
    }
}

fn job(owner: &str, number: u8, time: u64, content: ContentHash) -> Job {
    Job {
        id: JobId::from_bytes([number; 16]),
        creator: creator_id(owner),
        kind: JobKind::IngestDocument { source: format!("{number}.md"), title: None, content },
        lane: JobLane::Documents,
        state: JobState::Queued,
        attempts: 0,
        created_at: Timestamp(time),
        updated_at: Timestamp(time),
    }
}

async fn store_with(names: &[&str]) -> Store {
    let store = Store::in_memory().unwrap();
    for name in names {
        store.add_creator(creator(name)).await.unwrap();
    }
    store
}

async fn rows(store: &Store, owner: &str) -> Vec<(u64, Vec<u8>, Vec<f32>)> {
    let rows = Arc::new(std::sync::Mutex::new(Vec::new()));
    let into = rows.clone();
    let each =
        move |row: crate::store::IndexRow| into.lock().unwrap().push((row.chunk.0, row.terms, row.vector));
    store.index_rows(&creator_id(owner), each).await.unwrap();
    Arc::into_inner(rows).unwrap().into_inner().unwrap()
}

#[tokio::test]
async fn creators_and_keys_come_and_go() {
    let store = store_with(&["anna", "ben"]).await;
    let (anna, ben) = (creator_id("anna"), creator_id("ben"));
    assert!(matches!(store.add_creator(creator("anna")).await, Err(StoreError::CreatorExists(_))));
    assert!(matches!(store.creator(&creator_id("cleo")).await, Err(StoreError::NoCreator(_))));
    store.update_creator(&anna, Some("Anna".into()), None).await.unwrap();
    store.update_creator(&anna, None, Some(serde_json::json!({"tone": "warm"}))).await.unwrap();
    let found = store.creator(&anna).await.unwrap();
    assert_eq!((found.name.as_str(), &found.settings["tone"]), ("Anna", &serde_json::json!("warm")));

    let api_key = |id: &str, owner: &CreatorId, hash: u8| ApiKey {
        id: id.into(),
        creator: owner.clone(),
        name: "laptop".into(),
        hash: [hash; 32],
        created_at: Timestamp(u64::from(hash)),
        scopes: Vec::new(),
        expires_at: None,
    };
    store.add_key(api_key("k2", &anna, 2)).await.unwrap();
    store.add_key(api_key("k1", &ben, 1)).await.unwrap();
    assert!(store.add_key(api_key("k3", &creator_id("cleo"), 3)).await.is_err());
    assert_eq!(store.keys(None).await.unwrap().len(), 2);
    assert_eq!(store.keys(Some(&anna)).await.unwrap()[0].id, "k2");
    assert_eq!(store.key_by_hash(&[1; 32]).await.unwrap().unwrap().creator, ben);
    assert!(store.revoke_key("k1").await.unwrap());
    assert!(!store.revoke_key("k1").await.unwrap());
    assert_eq!(store.key_by_hash(&[1; 32]).await.unwrap(), None);

    store.remove_creator(&anna).await.unwrap();
    assert_eq!(store.key_by_hash(&[2; 32]).await.unwrap(), None);
    assert_eq!(store.creators().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_removed_creator_leaves_no_row() {
    let store = store_with(&["anna", "ben"]).await;
    record(&store, plain("ben", "b.md", "One. Two.")).await;
    let before = store.read(|tables| Ok(lengths(tables))).await.unwrap();
    store.remove_creator(&creator_id("anna")).await.unwrap();
    store.add_creator(creator("anna")).await.unwrap();
    let id = record(&store, plain("anna", "a.md", "One. Three.")).await.document;
    store.add_turn(turn("anna", 1, 1, 1, &[&id])).await.unwrap();
    store.enqueue(job("anna", 1, 1, ContentHash::of(b"x"))).await.unwrap();
    store.remove_creator(&creator_id("anna")).await.unwrap();
    store.add_creator(creator("anna")).await.unwrap();
    assert_eq!(store.read(|tables| Ok(lengths(tables))).await.unwrap(), before);
    assert_eq!(store.counts(&creator_id("anna")).await.unwrap(), Counts::default());
}

fn lengths(tables: &Reading) -> Vec<(&'static str, u64)> {
    let length = |(name, table): (&'static str, &tables::ReadTable)| {
        (name, ::redb::ReadableTableMetadata::len(table).unwrap())
    };
    tables.each().into_iter().map(length).collect()
}

#[tokio::test]
async fn documents_are_added_left_or_replaced() {
    let store = store_with(&["anna"]).await;
    let anna = creator_id("anna");
    let first = record(&store, plain("anna", "a.md", "One. Two.")).await;
    assert_eq!(
        (first.outcome, first.added.len(), store.creator(&anna).await.unwrap().generation),
        (Outcome::Added, 2, 1)
    );
    let again = record(&store, plain("anna", "a.md", "One. Two.")).await;
    let renamed = record(&store, plain("anna", "copy.md", "One. Two.")).await;
    for unchanged in [again, renamed] {
        assert_eq!((unchanged.outcome, &unchanged.document), (Outcome::Unchanged, &first.document));
        assert!(unchanged.added.is_empty());
    }
    assert_eq!(store.creator(&anna).await.unwrap().generation, 1);

    let replaced = record(&store, plain("anna", "a.md", "One. Two. Three.")).await;
    assert_eq!((replaced.outcome, &replaced.removed), (Outcome::Replaced, &first.added));
    assert_eq!(store.counts(&anna).await.unwrap(), Counts { documents: 1, chunks: 3, conversations: 0 });
    assert_eq!(store.document_text(&first.document).await.unwrap().unwrap().0, "One. Two. Three.");
    assert_eq!(store.document_chunks(&first.document).await.unwrap(), replaced.added);
    let changes: Vec<_> = store.index_changes(&anna, START + 2).await.unwrap();
    assert_eq!(changes[0], (START + 3, IndexChange::Remove(first.added[0])));
    assert_eq!(changes.last().unwrap(), &(START + 7, IndexChange::Add(replaced.added[2])));
    store.prune_changes(&anna, START + 6).await.unwrap();
    assert_eq!(store.index_changes(&anna, START + 6).await.unwrap().len(), 1);
    assert_eq!(store.index_changes(&anna, START + 7).await.unwrap(), []);
    for elsewhere in [0, START, START + 5, START + 8, u64::MAX] {
        let gap = store.index_changes(&anna, elsewhere).await;
        assert!(matches!(gap, Err(StoreError::Gap { .. })), "{elsewhere}: {gap:?}");
    }

    // A changed source must not keep its stale words, though its new ones are here under another name.
    record(&store, plain("anna", "b.md", "Four.")).await;
    assert_eq!(record(&store, plain("anna", "a.md", "Four.")).await.outcome, Outcome::Replaced);
}

#[tokio::test]
async fn records_of_a_corpus_may_be_equal() {
    let store = store_with(&["anna"]).await;
    for source in ["r1", "r2"] {
        let new = document("anna", source, "Same.", MediaType::Record);
        let pair = (new.document.id.clone(), new.document.content);
        assert_eq!(store.known(&creator_id("anna"), std::slice::from_ref(&pair)).await.unwrap(), [None]);
        assert_eq!(record(&store, new).await.outcome, Outcome::Added);
        assert_eq!(
            store.known(&creator_id("anna"), std::slice::from_ref(&pair)).await.unwrap(),
            [Some(pair.0)]
        );
    }
    assert_eq!(record(&store, plain("anna", "a.md", "Same.")).await.outcome, Outcome::Added);
    let elsewhere = DocumentId::of_source(&creator_id("anna"), "b.md");
    let known = store.known(&creator_id("anna"), &[(elsewhere, ContentHash::of(b"Same."))]).await.unwrap();
    assert_eq!(known, [Some(DocumentId::of_source(&creator_id("anna"), "a.md"))]);
}

#[tokio::test]
async fn bad_records_are_refused_whole() {
    let store = store_with(&["anna"]).await;
    let good = plain("anna", "a.md", "One.");
    let mut cut = plain("anna", "b.md", "Ö.");
    cut.chunks[0].span.end = 1;
    let mut nan = plain("anna", "c.md", "One!");
    nan.chunks[0].vector[0] = f32::NAN;
    let foreign = plain("ben", "d.md", "One?");
    for bad in [cut, nan, foreign] {
        let both = vec![good.clone(), bad];
        let error = store.record(&creator_id("anna"), Some(model()), both).await.unwrap_err();
        assert!(matches!(error, StoreError::Invalid(_)), "{error}");
    }
    assert_eq!(store.counts(&creator_id("anna")).await.unwrap(), Counts::default());
    record(&store, good).await;
    let other = EmbeddingModelId { revision: "2".into(), ..model() };
    let error = store.record(&creator_id("anna"), Some(other), vec![]).await.unwrap_err();
    assert!(matches!(error, StoreError::OtherModel { .. }), "{error}");
}

#[tokio::test]
async fn chunks_are_hydrated_for_their_owner_alone() {
    let store = store_with(&["anna", "ben"]).await;
    let anna = record(&store, plain("anna", "a.md", "One. Zwei – drei.")).await;
    let ben = record(&store, plain("ben", "a.md", "Other.")).await;
    let asked = [anna.added[1], ben.added[0], ChunkId(999), anna.added[0]];
    let found = store.hydrate(&creator_id("anna"), &asked).await.unwrap();
    let texts: Vec<_> = found.iter().map(|hit| hit.as_ref().map(|hit| hit.chunk.text.as_str())).collect();
    assert_eq!(texts, [Some(" Zwei – drei."), None, None, Some("One.")]);
    let hit = found[0].as_ref().unwrap();
    assert_eq!((hit.chunk.ordinal, hit.chunk.anchor.page, &hit.document.id), (1, Some(2), &anna.document));
    assert_eq!(store.vectors(&creator_id("anna"), &asked[..2]).await.unwrap(), [Some(vec![15.0, 1.0]), None]);
}

#[tokio::test]
async fn index_rows_are_all_chunks_in_order_with_the_last_change() {
    let store = store_with(&["anna", "ben"]).await;
    record(&store, plain("anna", "a.md", "One. Two.")).await;
    record(&store, plain("ben", "a.md", "Other.")).await;
    let mut without = plain("anna", "b.md", "Three. Four.");
    without.chunks[0].vector.clear();
    record(&store, without).await;
    assert_eq!(store.index_rows(&creator_id("anna"), |_| {}).await.unwrap(), START + 4);
    let rows = rows(&store, "anna").await;
    let numbers: Vec<_> = rows.iter().map(|row| row.0).collect();
    assert!(numbers.is_sorted() && numbers.len() == 4);
    assert_eq!((rows[1].1.as_slice(), rows[1].2.as_slice()), (&b" two."[..], &[5.0, 1.0][..]));
    assert!(rows[2].2.is_empty() && rows[3].2 == [6.0, 1.0]);
}

#[tokio::test]
async fn a_deleted_document_takes_its_words_along() {
    let store = store_with(&["anna", "ben"]).await;
    let anna = creator_id("anna");
    let held = store.blobs().put(Bytes::from_static(b"Within 23 days.")).await.unwrap();
    let id = record(&store, plain("anna", "a.md", "Within 23 days.")).await.document;
    let kept = record(&store, plain("anna", "b.md", "Other.")).await.document;
    let content = held.content();
    drop(held);
    store.add_turn(turn("anna", 1, 1, 1, &[&id, &kept])).await.unwrap();
    store.add_turn(turn("anna", 1, 2, 2, &[&kept])).await.unwrap();
    store.enqueue(job("anna", 3, 3, content)).await.unwrap();

    let foreign = store.delete_documents(&creator_id("ben"), std::slice::from_ref(&id)).await;
    assert!(matches!(foreign, Err(StoreError::NoDocument(_))));
    let missing = DocumentId::from_bytes([9; 16]);
    let both = store.delete_documents(&anna, &[id.clone(), missing]).await;
    assert!(matches!(both, Err(StoreError::NoDocument(_))) && store.document(&id).await.unwrap().is_some());

    let twice = [id.clone(), id.clone()];
    assert_eq!(store.delete_documents(&anna, &twice).await.unwrap().len(), 1);
    assert_eq!(store.document(&id).await.unwrap(), None);
    assert_eq!(store.blobs().read(&content).await.unwrap(), None);
    assert_eq!(store.jobs(&anna, 9).await.unwrap(), []);
    let turns = store.turns(&anna, 9).await.unwrap();
    assert_eq!(
        (turns[0].answer.response.as_str(), turns[0].answer.citations.len()),
        ("Within 23 days [1].", 1)
    );
    assert_eq!((turns[1].answer.response.as_str(), turns[1].answer.citations.len()), ("removed", 0));
    assert_eq!((turns[1].answer.sources.len(), turns[1].question.as_str()), (0, "question 1?"));

    // An answer that was being made while the document went.
    store.add_turn(turn("anna", 2, 4, 4, &[&id])).await.unwrap();
    assert_eq!(store.turns(&anna, 1).await.unwrap()[0].answer.response, "removed");
}

#[tokio::test]
async fn blobs_live_as_long_as_something_uses_them() {
    let store = store_with(&["anna", "ben"]).await;
    let content = store.blobs().put(Bytes::from_static(b"Shared.")).await.unwrap().content();
    let id = record(&store, plain("anna", "a.md", "Shared.")).await.document;
    record(&store, plain("ben", "a.md", "Shared.")).await;
    store.delete_documents(&creator_id("anna"), &[id]).await.unwrap();
    assert!(store.blobs().read(&content).await.unwrap().is_some());
    record(&store, plain("ben", "a.md", "Changed.")).await;
    assert!(store.blobs().read(&content).await.unwrap().is_none());

    let content = store.blobs().put(Bytes::from_static(b"Queued.")).await.unwrap().content();
    store.enqueue(job("anna", 1, 1, content)).await.unwrap();
    let orphan = store.blobs().put(Bytes::from_static(b"Orphan.")).await.unwrap().content();
    assert_eq!(store.sweep_blobs().await.unwrap(), 1);
    assert!(store.blobs().read(&orphan).await.unwrap().is_none());
    assert!(store.blobs().read(&content).await.unwrap().is_some());
    let parked = JobState::Parked { reason: "unreadable".into() };
    store.finish(&JobId::from_bytes([1; 16]), parked, Timestamp(2)).await.unwrap();
    assert!(store.blobs().read(&content).await.unwrap().is_none());
}

#[tokio::test]
async fn conversations_are_read_by_their_creator_alone() {
    let store = store_with(&["anna", "ben"]).await;
    let (anna, ben) = (creator_id("anna"), creator_id("ben"));
    for (conversation, message, time) in [(1, 1, 10), (1, 2, 20), (2, 3, 15), (1, 4, 30)] {
        store.add_turn(turn("anna", conversation, message, time, &[])).await.unwrap();
    }
    store.add_turn(turn("anna", 1, 2, 21, &[])).await.unwrap();
    let times = |turns: Vec<Turn>| turns.iter().map(|turn| turn.created_at.0).collect::<Vec<_>>();
    assert_eq!(times(store.turns(&anna, 3).await.unwrap()), [30, 21, 15]);
    let conversation = ConversationId::from_bytes([1; 16]);
    assert_eq!(times(store.conversation(&anna, &conversation, 2).await.unwrap()), [21, 30]);
    assert_eq!(times(store.conversation(&anna, &conversation, 9).await.unwrap()), [10, 21, 30]);
    assert_eq!(store.conversation(&ben, &conversation, 9).await.unwrap(), []);
    assert_eq!(store.turn(&MessageId::from_bytes([3; 16])).await.unwrap().unwrap().created_at, Timestamp(15));
    assert_eq!(store.counts(&anna).await.unwrap().conversations, 2);
    assert!(store.add_turn(turn("ben", 1, 1, 40, &[])).await.is_err());
    let mut nan = turn("anna", 3, 9, 50, &[]);
    nan.answer.confidence = f32::NAN;
    assert!(matches!(store.add_turn(nan).await, Err(StoreError::Invalid(_))));
}

#[tokio::test]
async fn jobs_are_leased_renewed_and_given_up() {
    let store = store_with(&["anna"]).await;
    let content = ContentHash::of(b"x");
    assert_eq!(store.claim(Timestamp(0), 10, &JobLane::ALL).await.unwrap(), None);
    store.enqueue(job("anna", 2, 2, content)).await.unwrap();
    store.enqueue(job("anna", 1, 1, content)).await.unwrap();
    let claim = async |now| {
        let claimed = store.claim(Timestamp(now), 10, &JobLane::ALL).await.unwrap();
        claimed.map(|job| (job.created_at.0, job.attempts))
    };
    assert_eq!(claim(10).await, Some((1, 1)));
    assert_eq!(claim(10).await, Some((2, 1)));
    assert_eq!(claim(15).await, None);
    let (first, second) = (JobId::from_bytes([1; 16]), JobId::from_bytes([2; 16]));
    assert!(store.renew(&first, Timestamp(19), 10).await.unwrap());
    assert_eq!(claim(20).await, Some((2, 2)));
    let done = JobState::Done { document: "d".into(), chunks: 3, receipt: Default::default() };
    assert!(store.finish(&first, done.clone(), Timestamp(21)).await.unwrap());
    assert!(!store.renew(&first, Timestamp(22), 10).await.unwrap());
    assert_eq!(claim(40).await, Some((2, 3)));
    assert_eq!(claim(60).await, None);
    let parked = store.job(&second).await.unwrap().unwrap();
    assert!(matches!(parked.state, JobState::Parked { .. }), "{parked:?}");
    let listed: Vec<_> =
        store.jobs(&creator_id("anna"), 9).await.unwrap().into_iter().map(|job| job.state).collect();
    assert_eq!(listed, [parked.state, done]);
    assert!(!store.finish(&JobId::from_bytes([7; 16]), JobState::Queued, Timestamp(1)).await.unwrap());
}

#[tokio::test]
async fn no_lane_waits_for_another_and_no_version_overtakes_its_former() {
    let store = store_with(&["anna"]).await;
    let content = ContentHash::of(b"x");
    let of = |number, time, lane, name: &str| {
        let kind = JobKind::IngestDocument { source: name.to_owned(), title: None, content };
        Job { kind, lane, ..job("anna", number, time, content) }
    };
    store.enqueue(of(1, 1, JobLane::Media, "long.mp3")).await.unwrap();
    store.enqueue(of(2, 2, JobLane::Media, "second.mp3")).await.unwrap();
    store.enqueue(of(3, 3, JobLane::Documents, "page.pdf")).await.unwrap();
    // The lesson was a recording first and is a text now.
    store.enqueue(of(4, 4, JobLane::Media, "lesson")).await.unwrap();
    store.enqueue(of(5, 5, JobLane::Documents, "lesson")).await.unwrap();
    let claim =
        async |lane| store.claim(Timestamp(10), 100, &[lane]).await.unwrap().map(|job| job.created_at.0);
    assert_eq!(claim(JobLane::Media).await, Some(1));
    assert_eq!(claim(JobLane::Documents).await, Some(3));
    assert_eq!((claim(JobLane::Documents).await, claim(JobLane::Looks).await), (None, None));
    assert_eq!(store.claim(Timestamp(10), 100, &[]).await.unwrap(), None);
    assert_eq!((claim(JobLane::Media).await, claim(JobLane::Media).await), (Some(2), Some(4)));
    let former = JobId::from_bytes([4; 16]);
    let done = JobState::Done { document: "d".into(), chunks: 1, receipt: Default::default() };
    assert!(store.finish(&former, done, Timestamp(11)).await.unwrap());
    assert_eq!(claim(JobLane::Documents).await, Some(5));
    // A job of a former version of the program names no lane.
    let mut old = serde_json::to_value(of(6, 6, JobLane::Media, "old.md")).unwrap();
    old.as_object_mut().unwrap().remove("lane").unwrap();
    assert_eq!(serde_json::from_value::<Job>(old).unwrap().lane, JobLane::Documents);
}

#[tokio::test]
async fn a_collection_changes_its_model_at_once() {
    let store = store_with(&["anna"]).await;
    let anna = creator_id("anna");
    let chunks = record(&store, plain("anna", "a.md", "One. Two.")).await.added;
    let other = EmbeddingModelId { name: "better".into(), revision: "1".into(), dimensions: 3 };
    let vectors =
        |count: usize| chunks.iter().take(count).map(|&chunk| (chunk, vec![0.5; 3])).collect::<Vec<_>>();
    let partial = store.replace_vectors(&anna, other.clone(), vectors(1)).await;
    assert!(matches!(partial, Err(StoreError::Invalid(_))));
    store.replace_vectors(&anna, other.clone(), vectors(2)).await.unwrap();
    let found = store.creator(&anna).await.unwrap();
    assert_eq!((found.embedding, found.generation), (Some(other), 2));
    assert!(rows(&store, "anna").await.iter().all(|row| row.2 == [0.5; 3]));
}

#[tokio::test]
async fn one_process_at_a_time_and_closing_lets_the_next_in() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data");
    let store = Store::open(&path, Options::default()).await.unwrap();
    store.add_creator(creator("anna")).await.unwrap();
    let second = Store::open(&path, Options::default()).await.err().unwrap();
    assert!(matches!(second, StoreError::InUse(_)), "{second}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
    }
    drop(store);
    let store = Store::open(&path, Options::default()).await.unwrap();
    assert_eq!(store.creators().await.unwrap(), [creator("anna")]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_writers_share_commits_and_fail_alone() {
    let store = store_with(&["anna"]).await;
    let mut calls = tokio::task::JoinSet::new();
    for number in 0..200u32 {
        let store = store.clone();
        calls.spawn(async move {
            let owner = if number % 10 == 0 { "nobody" } else { "anna" };
            let new = plain(owner, &format!("{number}.md"), &format!("Number {number}."));
            (number, store.record(&creator_id(owner), Some(model()), vec![new]).await)
        });
    }
    while let Some(call) = calls.join_next().await {
        let (number, result) = call.unwrap();
        assert_eq!(result.is_err(), number % 10 == 0, "{number}: {result:?}");
    }
    let counts = store.counts(&creator_id("anna")).await.unwrap();
    assert_eq!((counts.documents, counts.chunks), (180, 180));
    assert_eq!(store.creator(&creator_id("anna")).await.unwrap().generation, 180);
}

#[tokio::test]
async fn a_panic_in_a_call_is_an_error_of_that_call() {
    let store = store_with(&["anna"]).await;
    let error = store.write(|_| -> Result<(), StoreError> { panic!("on purpose") }).await.unwrap_err();
    assert!(error.to_string().contains("on purpose"), "{error}");
    assert_eq!(record(&store, plain("anna", "a.md", "One.")).await.outcome, Outcome::Added);
}
