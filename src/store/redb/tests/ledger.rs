//! The ledger's sums against a replay of it, under random calls; and messages of the payment provider, in any order.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::domain::{
    Charge, EntryKind, EventKind, MonthUse, NewEntry, News, Payment, Purchase, Report, Served, Subscription,
    SubscriptionState, Taken, Terms, ledger, subscription,
};

const OWNERS: [&str; 2] = ["anna", "ben"];

#[derive(Debug, Clone)]
enum Call {
    Add { owner: usize, kind: EntryKind, credits: i64, month: u32 },
    Pay { owner: usize, message: u8, credits: u64, month: u32, included: Option<u64>, kept: bool },
    Buy { owner: usize, order: u8, returned: u32 },
}

fn call() -> impl Strategy<Value = Call> {
    let owner = 0..OWNERS.len();
    let month = 202_611..202_613u32;
    let kind = prop_oneof![Just(EntryKind::Grant), Just(EntryKind::Adjust), Just(EntryKind::Refund)];
    let included = prop_oneof![Just(None), (0..8u64).prop_map(Some)];
    prop_oneof![
        1 => (owner.clone(), kind, -5..20i64, month.clone())
            .prop_map(|(owner, kind, credits, month)| Call::Add { owner, kind, credits, month }),
        4 => (owner.clone(), 0..12u8, 1..4u64, month, included, any::<bool>()).prop_map(
            |(owner, message, credits, month, included, kept)| {
                Call::Pay { owner, message, credits, month, included, kept }
            }
        ),
        1 => (owner, 0..3u8, 0..=subscription::WHOLE)
            .prop_map(|(owner, order, returned)| Call::Buy { owner, order, returned }),
    ]
}

async fn make(store: &Store, call: &Call, at: u64) {
    match *call {
        Call::Add { owner, kind, credits, month } => {
            let entry = NewEntry { kind, credits, month, at: Timestamp(at), reason: "why".into() };
            store.add_entry(&creator_id(OWNERS[owner]), entry).await.unwrap();
        }
        Call::Pay { owner, message, credits, month, included, kept } => {
            let terms = Terms { month, included, soft_limit: 0.8 };
            let charge = Charge { served: Served::Extractive, credits, terms };
            let number = message + 100 * owner as u8;
            if kept {
                let said = turn(OWNERS[owner], number, number, at, &[]);
                store.add_paid_turn(said, charge, ()).await.unwrap();
            } else {
                let id = MessageId::from_bytes([number; 16]);
                store.charge(&creator_id(OWNERS[owner]), &id, charge, Timestamp(at), ()).await.unwrap();
            }
        }
        Call::Buy { owner, order, returned } => {
            let bought = Purchase { id: order.to_string(), credits: 10, returned };
            let digest = *blake3::hash(&at.to_be_bytes()).as_bytes();
            let report = report(OWNERS[owner], News::Order(bought));
            store.take_report(digest, report, 202_611, Timestamp(at)).await.unwrap();
        }
    }
}

fn report(owner: &str, news: News) -> Report {
    Report { event: "order_created".into(), creator: Some(creator_id(owner)), subject: "order".into(), news }
}

async fn compare(store: &Store, owner: &str, messages: &[MessageId]) {
    let id = creator_id(owner);
    let mut entries = store.ledger(&id, None, usize::MAX).await.unwrap();
    entries.reverse();
    assert!(entries.iter().map(|entry| entry.number).eq(1..=entries.len() as u64));
    let (wallet, months) = ledger::replay(&entries);
    let mut lows = BTreeMap::<u32, usize>::new();
    for entry in entries.iter().filter(|entry| entry.low) {
        *lows.entry(entry.month).or_default() += 1;
    }
    assert!(lows.values().all(|count| *count == 1), "told once a month: {lows:?}");
    for month in 202_611..202_613 {
        let account = store.account(&id, month, messages.to_vec()).await.unwrap();
        assert_eq!(account.wallet, wallet);
        assert_eq!(account.month, months.get(&month).copied().unwrap_or_default());
        let paid = |message| entries.iter().filter(|entry| entry.message.as_ref() == Some(message)).count();
        for (message, spent) in messages.iter().zip(&account.spent) {
            assert_eq!(paid(message), usize::from(*spent), "no answer is paid twice");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn the_sums_are_those_of_a_replay(calls in prop::collection::vec(call(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let store = store_with(&OWNERS).await;
            let messages: Vec<MessageId> =
                (0..12).chain(100..112).map(|byte| MessageId::from_bytes([byte; 16])).collect();
            for (at, call) in calls.iter().enumerate() {
                make(&store, call, at as u64).await;
                for owner in OWNERS {
                    compare(&store, owner, &messages).await;
                }
            }
        });
    }
}

fn charge(credits: u64, included: u64) -> Charge {
    let terms = Terms { month: 202_611, included: Some(included), soft_limit: 0.8 };
    Charge { served: Served::Generated, credits, terms }
}

#[tokio::test]
async fn an_answer_and_its_price_are_one_and_little_left_is_told_once() {
    let store = store_with(&["anna"]).await;
    let anna = creator_id("anna");
    let mut news = store.news();
    for message in 1..=6 {
        let said = turn("anna", message, message, u64::from(message), &[]);
        // Kept twice, as after a lost reply.
        for _ in 0..2 {
            store.add_paid_turn(said.clone(), charge(1, 5), ()).await.unwrap();
        }
    }
    let account = store.account(&anna, 202_611, Vec::new()).await.unwrap();
    assert_eq!((account.month.included, account.month.bought, account.wallet.balance), (5, 1, -1));
    assert_eq!(store.turns(&anna, 99).await.unwrap().len(), 6);
    let mut told = Vec::new();
    while let Ok(event) = news.try_recv() {
        if event.event.kind == EventKind::CreditsLow {
            told.push(event.event.subject.count);
        }
    }
    assert_eq!(told, [Some(1)]);

    // A turn that is refused is not paid.
    let other = turn("anna", 2, 1, 9, &[]);
    assert!(store.add_paid_turn(other, charge(1, 5), ()).await.is_err());
    assert_eq!(store.account(&anna, 202_611, Vec::new()).await.unwrap(), account);

    // All of it goes with the creator, and comes back with none.
    store.remove_creator(&anna).await.unwrap();
    store.add_creator(creator("anna")).await.unwrap();
    assert!(store.ledger(&anna, None, 9).await.unwrap().is_empty());
    let account = store.account(&anna, 202_611, Vec::new()).await.unwrap();
    assert_eq!((account.wallet.entries, account.month), (0, MonthUse::default()));
}

fn subscribed(state: SubscriptionState, updated_at: u64) -> News {
    News::Subscription(Subscription {
        id: "7".into(),
        variant: "11".into(),
        plan: "starter".into(),
        state,
        paused_free: false,
        renews_at: None,
        ends_at: None,
        updated_at: Timestamp(updated_at),
    })
}

#[tokio::test]
async fn messages_of_the_provider_may_come_in_any_order_and_again() {
    use SubscriptionState::{Active, Expired, PastDue};
    let store = store_with(&["anna"]).await;
    let anna = creator_id("anna");
    let take = async |byte: u8, news: News, now: u64| {
        store.take_report([byte; 32], report("anna", news), 202_611, Timestamp(now)).await.unwrap()
    };
    // An invoice before its subscription.
    assert_eq!(take(1, News::Payment("7".into(), Payment::Paid, Timestamp(40)), 1).await, Taken::Applied);
    assert_eq!(take(2, subscribed(Active, 50), 2).await, Taken::Applied);
    assert_eq!(take(2, subscribed(Expired, 90), 2).await, Taken::Again, "the body decides");
    assert_eq!(take(3, subscribed(Expired, 49), 3).await, Taken::Outdated);
    assert_eq!(take(4, subscribed(PastDue, 60), 4).await, Taken::Applied);
    assert_eq!(take(5, subscribed(PastDue, 70), 5).await, Taken::Applied);
    let held = store.subscriptions(&anna).await.unwrap().remove(0);
    assert_eq!(
        (held.told.state, held.since, held.payments.paid),
        (PastDue, Timestamp(60), Some(Timestamp(40)))
    );
    assert_eq!(take(6, News::Payment("7".into(), Payment::Refunded, Timestamp(40)), 6).await, Taken::Applied);
    assert!(!store.subscriptions(&anna).await.unwrap()[0].counts(Timestamp(61)));
    assert_eq!(take(7, News::Payment("7".into(), Payment::Paid, Timestamp(30)), 7).await, Taken::Outdated);

    // A refund before its order.
    let order = |returned| News::Order(Purchase { id: "5".into(), credits: 500, returned });
    assert_eq!(take(8, order(subscription::WHOLE), 8).await, Taken::Applied);
    assert_eq!(take(9, order(0), 9).await, Taken::Outdated);
    assert_eq!(store.account(&anna, 202_611, Vec::new()).await.unwrap().wallet.balance, 0);
    let part = |returned| News::Order(Purchase { id: "6".into(), credits: 500, returned });
    for (byte, returned, balance) in
        [(10, 0, 500), (11, 200_000, 400), (12, 200_000, 400), (13, 500_000, 250)]
    {
        take(byte, part(returned), u64::from(byte)).await;
        assert_eq!(store.account(&anna, 202_611, Vec::new()).await.unwrap().wallet.balance, balance);
    }
    let lines = store.events(Some(&anna), 99).await.unwrap();
    assert!(lines.iter().all(|line| line.what == "billing.told" && line.who == "Lemon Squeezy"));
    assert_eq!(lines.len(), 9, "what changed nothing is not in the record");
}

#[tokio::test]
async fn what_fits_nobody_waits_and_is_taken_once_it_fits() {
    let store = store_with(&["anna"]).await;
    let order = || News::Order(Purchase { id: "5".into(), credits: 500, returned: 0 });
    let take =
        async |report: Report| store.take_report([1; 32], report, 202_611, Timestamp(1)).await.unwrap();
    for _ in 0..2 {
        assert_eq!(take(report("nobody", order())).await, Taken::Kept);
    }
    let nameless = Report { creator: None, subject: "another".into(), ..report("anna", order()) };
    assert_eq!(take(nameless.clone()).await, Taken::Kept);
    let findings = store.findings().await.unwrap();
    assert_eq!(findings.len(), 2, "the same one again is the same finding");
    assert!(findings.iter().any(|finding| finding.why.contains("no creator `nobody`")));

    store.add_creator(creator("nobody")).await.unwrap();
    assert_eq!(take(report("nobody", order())).await, Taken::Applied);
    assert_eq!(store.findings().await.unwrap().len(), 1);
    assert_eq!(store.account(&creator_id("nobody"), 0, Vec::new()).await.unwrap().wallet.balance, 500);
    // Whose it is, an earlier message said.
    let refund = News::Order(Purchase { id: "5".into(), credits: 500, returned: subscription::WHOLE });
    let refund = Report { news: refund, ..nameless };
    assert_eq!(store.take_report([2; 32], refund, 202_611, Timestamp(2)).await.unwrap(), Taken::Applied);
    assert_eq!(store.account(&creator_id("nobody"), 0, Vec::new()).await.unwrap().wallet.balance, 0);
}
