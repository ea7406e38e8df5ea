//! Who holds a document, and when it leaves.

use std::collections::HashSet;

use super::*;
use crate::store::Holding;

async fn held(store: &Store, holder: &str, id: &DocumentId, own: bool) {
    let holding = Holding { holder: holder.into(), document: id.clone(), own, alone: false };
    let gone = store.hold(&creator_id("anna"), vec![holding]).await.unwrap();
    assert!(gone.documents.is_empty());
}

async fn titles(store: &Store) -> Vec<String> {
    let mut titles: Vec<String> =
        store.documents(&creator_id("anna")).await.unwrap().into_iter().map(|one| one.title).collect();
    titles.sort();
    titles
}

#[tokio::test]
async fn a_document_leaves_with_the_last_that_holds_it() {
    let store = store_with(&["anna", "ben"]).await;
    let anna = creator_id("anna");
    let a = record(&store, plain("anna", "p.zip#a", "First.")).await.document;
    let b = record(&store, plain("anna", "p.zip#b", "Second.")).await.document;
    let alone = record(&store, plain("anna", "alone", "Third.")).await.document;
    let other = record(&store, plain("ben", "p.zip#a", "First.")).await.document;
    for id in [&a, &b] {
        held(&store, "p.zip", id, true).await;
    }
    // Another package holds the same, and the first also what was there alone.
    held(&store, "q.zip", &b, false).await;
    held(&store, "p.zip", &alone, false).await;

    let gone =
        store.hold_only(&anna, "p.zip", HashSet::from([a.clone(), b.clone(), alone.clone()])).await.unwrap();
    assert!(gone.documents.is_empty() && gone.chunks.is_empty());
    let gone = store.hold_only(&anna, "p.zip", HashSet::new()).await.unwrap();
    assert_eq!(gone.documents.iter().map(|one| &one.id).collect::<Vec<_>>(), [&a]);
    assert_eq!(gone.chunks.len(), 1);
    assert_eq!(titles(&store).await, ["alone", "p.zip#b"]);
    let gone = store.hold_only(&anna, "q.zip", HashSet::new()).await.unwrap();
    assert_eq!(gone.documents.len(), 1);
    assert_eq!(titles(&store).await, ["alone"]);
    assert!(store.document(&other).await.unwrap().is_some(), "another creator's");
}

#[tokio::test]
async fn a_source_that_has_it_again_holds_it_again() {
    let store = store_with(&["anna"]).await;
    let anna = creator_id("anna");
    let a = record(&store, plain("anna", "/c/a.md", "First.")).await.document;
    let copy = Holding { holder: "/c/copy.md".into(), document: a.clone(), own: false, alone: true };
    store.hold(&anna, vec![copy.clone()]).await.unwrap();
    let under = store.under(&anna, "/c/").await.unwrap();
    assert_eq!(under.holders, ["/c/copy.md"]);
    assert_eq!(under.documents, [(a.clone(), "/c/a.md".to_owned())]);
    assert_eq!(store.under(&anna, "/d/").await.unwrap(), Default::default());

    // Gone, kept by the copy, there again: then the copy may go.
    assert!(store.release(&anna, Vec::new(), vec![a.clone()]).await.unwrap().documents.is_empty());
    let again = Holding { holder: "/c/a.md".into(), document: a.clone(), own: true, alone: true };
    store.hold(&anna, vec![again]).await.unwrap();
    assert!(store.release(&anna, vec!["/c/copy.md".into()], Vec::new()).await.unwrap().documents.is_empty());
    assert_eq!(titles(&store).await, ["/c/a.md"]);
    // Gone, kept by the copy, and the copy gets other content.
    store.hold(&anna, vec![copy]).await.unwrap();
    store.release(&anna, Vec::new(), vec![a]).await.unwrap();
    let new = record(&store, plain("anna", "/c/copy.md", "Other.")).await.document;
    let holding = Holding { holder: "/c/copy.md".into(), document: new, own: true, alone: true };
    assert_eq!(store.hold(&anna, vec![holding]).await.unwrap().documents.len(), 1);
    assert_eq!(titles(&store).await, ["/c/copy.md"]);
}

#[tokio::test]
async fn deleting_leaves_no_row_behind() {
    let store = store_with(&["anna"]).await;
    let anna = creator_id("anna");
    let rows = |store: &Store| {
        let store = store.clone();
        async move {
            store
                .read(|tables| {
                    let count = |table: &super::super::tables::ReadTable| {
                        use super::super::tables::Rows;
                        Ok::<_, StoreError>(table.keys_under(b"")?.len())
                    };
                    Ok([count(&tables.holders)?, count(&tables.held)?])
                })
                .await
                .unwrap()
        }
    };
    let a = record(&store, plain("anna", "p.zip#a", "First.")).await.document;
    held(&store, "p.zip", &a, true).await;
    assert_eq!(rows(&store).await, [1, 1]);
    store.delete_documents(&anna, std::slice::from_ref(&a)).await.unwrap();
    assert_eq!(rows(&store).await, [0, 0]);
    let b = record(&store, plain("anna", "p.zip#b", "Second.")).await.document;
    held(&store, "p.zip", &b, true).await;
    store.remove_creator(&anna).await.unwrap();
    assert_eq!(rows(&store).await, [0, 0]);
}
