//! Backups, purging, old schemas and damaged records: what lies in files.

use super::*;

async fn filled(dir: &Path) -> Store {
    let store = Store::open(dir, Options::default()).await.unwrap();
    for name in ["anna", "ben"] {
        store.add_creator(creator(name)).await.unwrap();
        for number in 0..20 {
            let text = format!("Number {number} of {name}. Second sentence.");
            let held = store.blobs().put(Bytes::from(text.clone())).await.unwrap();
            let id = record(&store, plain(name, &format!("{number}.md"), &text)).await.document;
            drop(held);
            store
                .add_turn(turn(name, 1, number + if name == "ben" { 100 } else { 0 }, 1, &[&id]))
                .await
                .unwrap();
        }
    }
    store
}

/// Everything a store says.
async fn told(store: &Store) -> String {
    let mut told = format!("{:?}", store.creators().await.unwrap());
    for creator in store.creators().await.unwrap() {
        let documents = store.documents(&creator.id).await.unwrap();
        for document in &documents {
            told += &format!("{document:?} {:?}", store.document_text(&document.id).await.unwrap());
            told += &format!("{:?}", store.blobs().read(&document.content).await.unwrap());
        }
        told += &format!("{:?}", rows(store, creator.id.as_str()).await);
        told += &format!("{:?}", store.turns(&creator.id, 99).await.unwrap());
        told += &format!("{:?}", store.index_rows(&creator.id, |_| {}).await.unwrap());
    }
    told
}

#[tokio::test]
async fn a_backup_restores_everything() {
    let dir = tempfile::tempdir().unwrap();
    let (from, to, file) = (dir.path().join("from"), dir.path().join("to"), dir.path().join("all.backup"));
    let store = filled(&from).await;
    let written = store.backup(&file).await.unwrap();
    assert_eq!((written.blobs, written.bytes), (40, fs::metadata(&file).unwrap().len()));
    let restored = Store::restore(&file, &to).await.unwrap();
    assert_eq!(restored, written);
    let copy = Store::open(&to, Options::default()).await.unwrap();
    assert_eq!(told(&copy).await, told(&store).await);
    // Fresh chunks do not take numbers that were given.
    let next = record(&copy, plain("anna", "new.md", "New.")).await.added[0];
    assert!(rows(&store, "anna").await.iter().all(|row| row.0 < next.0));

    let refused = Store::restore(&file, &from).await.err().unwrap();
    assert!(matches!(refused, StoreError::InUse(_)), "{refused}");
    drop(store);
    let refused = Store::restore(&file, &from).await.err().unwrap();
    assert!(matches!(refused, StoreError::Backup { .. }), "{refused}");
}

#[tokio::test]
async fn a_damaged_backup_is_refused_before_anything_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let (from, to, file) = (dir.path().join("from"), dir.path().join("to"), dir.path().join("all.backup"));
    filled(&from).await.backup(&file).await.unwrap();
    let whole = fs::read(&file).unwrap();
    let refused = async |bytes: &[u8], what: &str| {
        fs::write(&file, bytes).unwrap();
        let error = Store::restore(&file, &to).await.err().unwrap_or_else(|| panic!("{what} is restored"));
        assert!(matches!(error, StoreError::Backup { .. } | StoreError::Newer { .. }), "{what}: {error}");
        assert!(!to.exists(), "{what} left something");
    };
    for len in (0..whole.len()).step_by(whole.len() / 60) {
        refused(&whole[..len], &format!("a file of {len} bytes")).await;
    }
    for place in (0..whole.len()).step_by(whole.len() / 120) {
        let mut bytes = whole.clone();
        bytes[place] ^= 1 << (place % 8);
        refused(&bytes, &format!("a flipped bit at {place}")).await;
    }
    refused(&[whole.as_slice(), b"more"].concat(), "a longer file").await;
    refused(b"", "an empty file").await;
    fs::write(&file, &whole).unwrap();
    Store::restore(&file, &to).await.unwrap();
    let missing = Store::restore(&dir.path().join("none"), &dir.path().join("new")).await.err().unwrap();
    assert!(matches!(missing, StoreError::Backup { .. }), "{missing}");
}

fn files_with(dir: &Path, words: &str) -> Vec<String> {
    let files =
        walkdir::WalkDir::new(dir).into_iter().map(Result::unwrap).filter(|file| file.file_type().is_file());
    let holds =
        |path: &Path| fs::read(path).unwrap().windows(words.len()).any(|part| part == words.as_bytes());
    files.filter(|file| holds(file.path())).map(|file| file.path().display().to_string()).collect()
}

#[tokio::test]
async fn after_a_purge_no_file_holds_erased_words() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path()).await;
    let canary = "quillwort-zanzibar";
    let text = format!("The code word is {canary}.");
    let held = store.blobs().put(Bytes::from(text.clone())).await.unwrap();
    let id = record(&store, plain("anna", &format!("{canary}.md"), &text)).await.document;
    drop(held);
    let mut said = turn("anna", 9, 99, 9, &[&id]);
    said.answer.citations[0].quote = text.clone();
    said.answer.response = text.clone();
    store.add_turn(said).await.unwrap();
    assert_eq!(files_with(dir.path(), canary).len(), 2);

    let other = store.clone();
    store.delete_documents(&creator_id("anna"), &[id]).await.unwrap();
    let before = told(&store).await;
    store.purge().await.unwrap();
    assert_eq!(files_with(dir.path(), canary), Vec::<String>::new());
    assert_eq!(told(&other).await, before);
    record(&other, plain("anna", "after.md", "After.")).await;
    assert!(matches!(Store::open(dir.path(), Options::default()).await.err().unwrap(), StoreError::InUse(_)));
    let before = told(&store).await;
    drop((store, other));
    let store = Store::open(dir.path(), Options::default()).await.unwrap();
    assert_eq!(told(&store).await, before);

    store.remove_creator(&creator_id("ben")).await.unwrap();
    store.purge().await.unwrap();
    assert_eq!(files_with(dir.path(), "of ben"), Vec::<String>::new());
    assert_eq!(store.counts(&creator_id("anna")).await.unwrap().documents, 21);
}

#[tokio::test]
async fn a_store_in_memory_can_be_purged_too() {
    let store = store_with(&["anna"]).await;
    record(&store, plain("anna", "a.md", "One.")).await;
    store.purge().await.unwrap();
    assert_eq!(rows(&store, "anna").await.len(), 1);
}

#[tokio::test]
async fn what_a_crashed_purge_left_is_deleted() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path()).await;
    fs::write(dir.path().join(NEW_FILE), b"half a database").unwrap();
    let store = Store::open(dir.path(), Options::default()).await.unwrap();
    assert_eq!(store.creators().await.unwrap().len(), 2);
    assert!(!dir.path().join(NEW_FILE).exists());
}

#[tokio::test]
async fn a_damaged_vector_is_named() {
    let store = store_with(&["anna"]).await;
    let chunk = record(&store, plain("anna", "a.md", "One. Two.")).await.added[1];
    store
        .write(move |tables| {
            let row = codec::creator_chunk(1, chunk);
            let mut bytes = tables::Rows::fetch(&tables.vectors, &row)?.unwrap();
            bytes[5] ^= 4;
            tables.vectors.insert(&row[..], &bytes[..])?;
            Ok(())
        })
        .await
        .unwrap();
    let error = store.index_rows(&creator_id("anna"), |_| {}).await.unwrap_err();
    assert_eq!(error.to_string(), format!("a stored record is damaged: the vector of chunk {chunk}"));
}

#[tokio::test]
async fn other_files_and_newer_data_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join(FILE), b"not a database at all, but long enough to look at").unwrap();
    let error = Store::open(dir.path(), Options::default()).await.err().unwrap();
    assert!(matches!(error, StoreError::Open { .. }), "{error}");

    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), Options::default()).await.unwrap();
    let newer = |tables: &mut Writing| {
        tables.meta.insert(&b"schema"[..], &codec::write_number(99)[..])?;
        Ok(())
    };
    store.write(newer).await.unwrap();
    drop(store);
    let error = Store::open(dir.path(), Options::default()).await.err().unwrap();
    assert!(matches!(error, StoreError::Newer { found: 99, known: migrate::SCHEMA }), "{error}");
}

/// The file was written by the first release of this schema, by running this test with the variable set.
#[tokio::test]
async fn data_of_schema_1_is_read() {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/store/v1.redb");
    let dir = tempfile::tempdir().unwrap();
    if std::env::var_os("NEVERAFK_WRITE_FIXTURES").is_some() {
        let store = Store::open(dir.path(), Options::default()).await.unwrap();
        store.add_creator(creator("anna")).await.unwrap();
        let id = record(&store, plain("anna", "a.md", "One. Zwei – drei.")).await.document;
        store.add_turn(turn("anna", 1, 1, 1, &[&id])).await.unwrap();
        store.enqueue(job("anna", 1, 1, ContentHash::of(b"x"))).await.unwrap();
        let (hash, created_at) = ([7; 32], Timestamp(1));
        let (scopes, expires_at) = (Vec::new(), None);
        let (id, creator, name) = ("k1".into(), creator_id("anna"), "laptop".into());
        let api_key = ApiKey { id, creator, name, hash, created_at, scopes, expires_at };
        store.add_key(api_key).await.unwrap();
        store.purge().await.unwrap();
        drop(store);
        fs::create_dir_all(fixture.parent().unwrap()).unwrap();
        fs::copy(dir.path().join(FILE), &fixture).unwrap();
    }
    fs::copy(&fixture, dir.path().join(FILE)).unwrap();
    let store = Store::open(dir.path(), Options::default()).await.unwrap();
    let anna = creator_id("anna");
    let rows = rows(&store, "anna").await;
    assert_eq!(rows[1], (2, " zwei – drei.".as_bytes().to_vec(), vec![15.0, 1.0]));
    let hit = store.hydrate(&anna, &[ChunkId(2)]).await.unwrap().remove(0).unwrap();
    assert_eq!((hit.chunk.text.as_str(), hit.chunk.anchor.page), (" Zwei – drei.", Some(2)));
    assert_eq!((hit.document.title.as_str(), hit.document.media), ("a.md", MediaType::Plain));
    let turns = store.turns(&anna, 9).await.unwrap();
    assert_eq!(turns, [turn("anna", 1, 1, 1, &[&hit.document.id])]);
    assert_eq!(store.jobs(&anna, 9).await.unwrap(), [job("anna", 1, 1, ContentHash::of(b"x"))]);
    assert_eq!(store.key_by_hash(&[7; 32]).await.unwrap().unwrap().name, "laptop");
    assert_eq!(store.creator(&anna).await.unwrap().embedding, Some(model()));
    assert_eq!(record(&store, plain("anna", "b.md", "New.")).await.added, [ChunkId(3)]);
}
