//! Students, tickets, webhooks: what belongs to people, how it goes, and that nothing of it is lost or told twice.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use super::*;
use crate::domain::{
    Attempt, Contact, DeliveryState, Event, EventKind, Matter, Message, Party, Student, Subject, TicketState,
    Webhook, WebhookId,
};

fn student(id: &str, email: Option<&str>) -> Student {
    Student { id: id.into(), email: email.map(str::to_owned), name: None }
}

fn conversation(byte: u8) -> ConversationId {
    ConversationId::from_bytes([byte; 16])
}

fn said(byte: u8, text: &str) -> Message {
    Message {
        id: MessageId::from_bytes([byte + 100; 16]),
        creator: creator_id("anna"),
        conversation: conversation(byte),
        from: Party::Student,
        by: None,
        text: text.into(),
        at: Timestamp(50),
    }
}

fn webhook(byte: u8, events: &[EventKind]) -> Webhook {
    Webhook {
        id: WebhookId::from_bytes([byte; 16]),
        creator: creator_id("anna"),
        url: "https://hooks.example/x".into(),
        events: events.to_vec(),
        secret: vec![7; 32],
        created_at: Timestamp(u64::from(byte)),
    }
}

fn escalated(conversation: u8, message: u8, question: &str) -> Turn {
    let mut turn = turn("anna", conversation, message, u64::from(message), &[]);
    turn.question = question.into();
    turn.answer.should_escalate = true;
    turn.answer.escalation = Some(crate::domain::Escalation::NotInContent);
    turn.answer.abstained = true;
    turn
}

fn files_with(dir: &Path, words: &str) -> usize {
    let files = walkdir::WalkDir::new(dir).into_iter().map(Result::unwrap);
    let holds =
        |path: &Path| fs::read(path).unwrap().windows(words.len()).any(|part| part == words.as_bytes());
    files.filter(|file| file.file_type().is_file() && holds(file.path())).count()
}

#[tokio::test]
async fn a_student_goes_without_a_trace_and_nobody_else_does() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), Options::default()).await.unwrap();
    let (anna, canary) = (creator_id("anna"), "quillwort-zanzibar");
    for name in ["anna", "ben"] {
        store.add_creator(creator(name)).await.unwrap();
    }
    store.add_webhook(webhook(1, &[])).await.unwrap();
    for (id, email, byte) in [("17", Some("Ana@school.example"), 1), ("18", None, 2)] {
        store.link_student(&anna, &student(id, email), &conversation(byte)).await.unwrap();
        store.add_turn(escalated(byte, byte, &format!("{canary} {id}?"))).await.unwrap();
        store.add_message(said(byte, &format!("{canary} {id}"))).await.unwrap();
    }
    // Somebody whom no site named left an address; somebody else not even that.
    let contact = Contact { email: Some("Zoe@mail.example".into()), ..Contact::default() };
    store.add_turn(escalated(3, 3, canary)).await.unwrap();
    store.ask_for_person(&anna, &conversation(3), contact, Timestamp(9)).await.unwrap();
    store.add_turn(escalated(4, 4, "and me?")).await.unwrap();
    assert_eq!(store.counts(&anna).await.unwrap().conversations, 4);

    let erased = store.erase_student(&anna, "ana@SCHOOL.example").await.unwrap();
    assert_eq!(
        (erased.students, erased.conversations, erased.turns, erased.messages, erased.tickets),
        (1, 1, 1, 1, 1)
    );
    assert_eq!(erased.deliveries, 3);
    assert!(store.erase_student(&anna, "17").await.unwrap().is_nothing());
    assert!(store.erase_student(&creator_id("ben"), "18").await.unwrap().is_nothing());
    assert_eq!(store.students(&anna).await.unwrap(), [(student("18", None), vec![conversation(2)])]);
    assert_eq!(store.tickets(&anna, None, 9).await.unwrap().len(), 3);
    assert_eq!(store.erase_student(&anna, "zoe@mail.example").await.unwrap().turns, 1);
    assert_eq!(store.erase_student(&anna, "18").await.unwrap().turns, 1);
    assert_eq!(store.counts(&anna).await.unwrap().conversations, 1);
    assert!(files_with(dir.path(), canary) > 0, "free pages keep words until the file is written anew");
    store.purge().await.unwrap();
    for words in [canary, "school.example", "mail.example"] {
        assert_eq!(files_with(dir.path(), words), 0, "{words}");
    }
    let alone = store.erase_student(&anna, conversation(4).as_str()).await.unwrap();
    assert_eq!((alone.turns, alone.tickets), (1, 1));
    assert_eq!(store.deliveries(&anna, &WebhookId::from_bytes([1; 16]), 99).await.unwrap(), []);
}

#[tokio::test]
async fn a_conversation_has_one_ticket_and_each_change_is_told_after_it_is_kept() {
    let store = store_with(&["anna"]).await;
    let (anna, mut news) = (creator_id("anna"), store.news());
    let mut heard = || {
        let mut kinds = Vec::new();
        while let Ok(told) = news.try_recv() {
            kinds.push(told.event.kind);
        }
        kinds
    };
    store.add_turn(escalated(1, 1, "Where is the moon?")).await.unwrap();
    assert_eq!(heard(), [EventKind::ConversationEscalated, EventKind::AnswerCreated]);
    store.add_turn(escalated(1, 2, "And the sun?")).await.unwrap();
    // Written again, it is no news.
    store.add_turn(escalated(1, 2, "And the sun?")).await.unwrap();
    assert_eq!(heard(), [EventKind::AnswerCreated]);
    let tickets = store.tickets(&anna, Some(TicketState::Open), 9).await.unwrap();
    assert_eq!(tickets.len(), 1);
    assert_eq!(
        (tickets[0].question.as_str(), tickets[0].reason.as_str()),
        ("And the sun?", "not_in_content")
    );

    let resolve = |ticket: &mut crate::domain::Ticket| ticket.resolve("ana", Timestamp(5));
    let kind = Some(EventKind::ConversationResolved);
    let changed = store.change_ticket(&anna, &conversation(1), kind, resolve).await.unwrap();
    assert_eq!(changed.unwrap().state, TicketState::Resolved);
    assert!(store.change_ticket(&anna, &conversation(9), kind, resolve).await.unwrap().is_none());
    store.add_turn(escalated(1, 3, "Hello?")).await.unwrap();
    assert_eq!(
        heard(),
        [EventKind::ConversationResolved, EventKind::ConversationEscalated, EventKind::AnswerCreated]
    );
    assert_eq!(store.tickets(&anna, None, 9).await.unwrap()[0].state, TicketState::Open);
    record(&store, plain("anna", "a.md", "One.")).await;
    record(&store, plain("anna", "a.md", "One.")).await;
    assert_eq!(heard(), [EventKind::DocumentReady]);
}

#[tokio::test]
async fn deliveries_are_written_with_their_event_claimed_once_and_given_back() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), Options::default()).await.unwrap();
    let anna = creator_id("anna");
    store.add_creator(creator("anna")).await.unwrap();
    store.add_webhook(webhook(1, &[])).await.unwrap();
    store.add_webhook(webhook(2, &[EventKind::ConversationEscalated])).await.unwrap();
    store.add_turn(turn("anna", 1, 1, 10, &[])).await.unwrap();
    store.add_turn(escalated(2, 20, "Why?")).await.unwrap();
    assert_eq!(store.waiting_deliveries().await.unwrap(), 4);
    // Killed here, nothing is lost.
    drop(store);
    let store = Store::open(dir.path(), Options::default()).await.unwrap();
    let nobody = HashSet::new();
    let claimed = store.claim_deliveries(Timestamp(99), 1_000, 9, &nobody).await.unwrap();
    assert_eq!(claimed.len(), 2, "one for each webhook, so that order holds");
    assert_eq!(claimed[0].1.event.kind, EventKind::AnswerCreated);
    let busy: HashSet<WebhookId> = claimed.iter().map(|(webhook, _)| webhook.id.clone()).collect();
    assert!(store.claim_deliveries(Timestamp(99), 1_000, 9, &busy).await.unwrap().is_empty());
    let attempt = Attempt { at: Timestamp(100), status: Some(500), error: Some("no".into()), took_ms: 3 };
    let (hook, first) = &claimed[0];
    let finish = |state, next| {
        let (store, attempt, anna, id) = (store.clone(), attempt.clone(), anna.clone(), first.id.clone());
        async move { store.finish_delivery(&anna, &id, attempt, state, Timestamp(next)).await.unwrap() }
    };
    assert!(finish(DeliveryState::Waiting, 5_000).await);
    // A claim whose process died is due again; what waits for its next try is not.
    let again = store.claim_deliveries(Timestamp(2_000), 1_000, 9, &nobody).await.unwrap();
    assert!(again.iter().all(|(_, delivery)| delivery.id != first.id), "{again:?}");
    assert!(finish(DeliveryState::Dead, 0).await);
    // What a process that was killed had claimed goes out with the next one, and nothing else does.
    let claimed = again.len() as u64;
    assert_eq!(store.release_deliveries().await.unwrap(), claimed);
    assert_eq!(store.release_deliveries().await.unwrap(), 0);
    let kept = store.deliveries(&anna, &hook.id, 9).await.unwrap();
    let dead = kept.iter().find(|delivery| delivery.id == first.id).unwrap();
    let dead = &dead.standing;
    assert_eq!((dead.state, dead.attempts.len(), dead.tries), (DeliveryState::Dead, 2, 2));
    let sent_again = store.redeliver(&anna, &first.id, Timestamp(3_000)).await.unwrap().unwrap();
    assert_eq!((sent_again.standing.state, sent_again.standing.tries), (DeliveryState::Waiting, 0));

    let test = Event::new(&anna, EventKind::WebhookTest, Subject::default(), Timestamp(7));
    assert!(store.deliver_to(&anna, &hook.id, test.clone()).await.unwrap().is_some());
    assert!(store.deliver_to(&anna, &WebhookId::from_bytes([9; 16]), test).await.unwrap().is_none());
    assert!(store.remove_webhook(&anna, &hook.id).await.unwrap());
    assert!(!store.remove_webhook(&anna, &hook.id).await.unwrap());
    assert!(!finish(DeliveryState::Waiting, 1).await);
    store.remove_creator(&anna).await.unwrap();
    assert_eq!(store.waiting_deliveries().await.unwrap(), 0);
    let mut news = store.news();
    store.tell(crate::domain::Told {
        event: Event::new(&anna, EventKind::Typing, Subject::default(), Timestamp(1)),
        matter: Matter::Typing(Party::Person),
    });
    assert_eq!(news.recv().await.unwrap().event.kind, EventKind::Typing);
}
