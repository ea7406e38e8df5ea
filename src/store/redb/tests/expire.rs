//! What is older than its creator keeps it: which conversations go, in what order, and which sums and people stay.

use super::*;
use crate::domain::{Contact, Feedback, Figures, Message, Party, Student};

fn conversation(byte: u8) -> ConversationId {
    ConversationId::from_bytes([byte; 16])
}

/// A day in milliseconds.
const DAY: u64 = 24 * 3_600_000;

#[tokio::test]
async fn silence_decides_and_the_oldest_go_first() {
    let store = Store::in_memory().unwrap();
    for name in ["anna", "ben"] {
        store.add_creator(creator(name)).await.unwrap();
    }
    let mut helpful = turn("anna", 1, 1, DAY, &[]);
    helpful.feedback = Some(Feedback { helpful: true, reason: None, comment: None, at: Timestamp(DAY) });
    // Conversation 1 is old; 2 goes on; 3 is old, but a person wrote later; 4 is old; 5 asked for a person only.
    for turn in [
        helpful,
        turn("anna", 1, 2, DAY + 5, &[]),
        turn("anna", 2, 3, DAY, &[]),
        turn("anna", 2, 4, 9 * DAY, &[]),
        turn("anna", 3, 5, DAY, &[]),
        turn("anna", 4, 6, 2 * DAY, &[]),
        turn("ben", 6, 7, DAY, &[]),
    ] {
        store.add_turn(turn).await.unwrap();
    }
    let anna = creator_id("anna");
    let said = Message {
        id: MessageId::from_bytes([50; 16]),
        creator: anna.clone(),
        conversation: conversation(3),
        from: Party::Person,
        by: None,
        text: "Hello".into(),
        at: Timestamp(9 * DAY),
    };
    store.add_message(said).await.unwrap();
    let contact = Contact { name: None, email: Some("tom@x.example".into()), message: None };
    store.ask_for_person(&anna, &conversation(5), contact, Timestamp(3 * DAY)).await.unwrap();
    let student = |id: &str| Student { id: id.into(), email: None, name: None };
    store.link_student(&anna, &student("gone"), &conversation(1)).await.unwrap();
    store.link_student(&anna, &student("stays"), &conversation(4)).await.unwrap();
    store.link_student(&anna, &student("stays"), &conversation(2)).await.unwrap();

    let edge = Timestamp(5 * DAY);
    let first = store.expire(&anna, edge, 1).await.unwrap();
    assert_eq!((first.conversations, first.turns, first.students), (1, 2, 1), "the oldest: {first:?}");
    let rest = store.expire(&anna, edge, 10).await.unwrap();
    assert_eq!((rest.conversations, rest.turns, rest.tickets, rest.students), (2, 1, 1, 0), "{rest:?}");
    assert!(store.expire(&anna, edge, 10).await.unwrap().is_nothing());

    let left: Vec<_> =
        store.turns(&anna, 9).await.unwrap().into_iter().map(|turn| turn.conversation).collect();
    assert_eq!(left, [conversation(2), conversation(3), conversation(2)].to_vec());
    assert_eq!(store.counts(&anna).await.unwrap().conversations, 2);
    assert_eq!(store.turns(&creator_id("ben"), 9).await.unwrap().len(), 1, "another's stay");
    let students: Vec<_> = store.students(&anna).await.unwrap().into_iter().map(|(who, _)| who.id).collect();
    assert_eq!(students, ["stays"]);

    let days = store.figures(&anna, 0).await.unwrap();
    let kept: Vec<(u32, u32, u32)> = days.iter().map(|(day, sum)| (*day, sum.asked, sum.helpful)).collect();
    assert_eq!(kept, [(1, 2, 1), (2, 1, 0)]);
    assert_eq!(store.figures(&anna, 2).await.unwrap().len(), 1, "since a day");
    assert_eq!(store.figures(&creator_id("ben"), 0).await.unwrap(), Vec::<(u32, Figures)>::new());
    store.remove_creator(&anna).await.unwrap();
    store.add_creator(creator("anna")).await.unwrap();
    assert!(store.figures(&anna, 0).await.unwrap().is_empty(), "gone with the creator");
}

#[tokio::test]
async fn a_picture_is_replaced_and_goes_with_its_creator() {
    let store = Store::in_memory().unwrap();
    store.add_creator(creator("anna")).await.unwrap();
    let anna = creator_id("anna");
    assert_eq!(store.picture_tag(&anna).await.unwrap(), None);
    for bytes in [b"one".to_vec(), b"two".to_vec()] {
        store.set_picture(&anna, Some(bytes.clone())).await.unwrap();
        let (tag, kept) = store.picture(&anna).await.unwrap().unwrap();
        assert_eq!((kept, tag.len()), (bytes, 32));
        assert_eq!(store.picture_tag(&anna).await.unwrap(), Some(tag));
    }
    store.remove_creator(&anna).await.unwrap();
    store.add_creator(creator("anna")).await.unwrap();
    assert_eq!(store.picture(&anna).await.unwrap(), None);
    store.set_picture(&anna, Some(b"three".to_vec())).await.unwrap();
    store.set_picture(&anna, None).await.unwrap();
    assert_eq!(store.picture(&anna).await.unwrap(), None);
}
