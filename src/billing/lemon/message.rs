//! A message of Lemon Squeezy, read: what it tells of which creator (<https://docs.lemonsqueezy.com/help/webhooks/webhook-requests>).
//!
//! Comes in: a body whose signature was right, and what is offered here. Goes out: a [`Report`], always: what is not
//! understood is one that somebody should look at, so that no payment is lost. Names, addresses and amounts of money that
//! the message holds are left behind. Pure; the store decides what is news.

use serde::Deserialize;
use serde_json::Value;

use crate::billing::offer::{Bought, Offer};
use crate::domain::subscription::WHOLE;
use crate::domain::{News, Payment, Purchase, Report, Subscription, SubscriptionState, Timestamp};

/// Names the creator in what a checkout hands through.
pub const CREATOR: &str = "creator_id";

/// What is offered, and of which of the provider's stores.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'a> {
    pub offer: &'a Offer,
    /// Empty takes messages of every store.
    pub store: &'a str,
    /// Takes messages of the provider's test mode, and no others.
    pub test_mode: bool,
}

#[derive(Deserialize)]
struct Message {
    meta: Meta,
    data: Data,
}

#[derive(Deserialize)]
struct Meta {
    event_name: String,
    #[serde(default)]
    custom_data: Value,
    #[serde(default)]
    test_mode: bool,
}

#[derive(Deserialize)]
struct Data {
    id: Value,
    attributes: Value,
}

/// Reads a message.
pub fn read(body: &[u8], reading: Reading) -> Report {
    let message: Message = match serde_json::from_slice(body) {
        Ok(message) => message,
        Err(error) => {
            // The error's own words may quote what nobody should read.
            let place = format!("line {}, column {}", error.line(), error.column());
            let digest = blake3::hash(body).to_hex();
            return Report {
                event: "unreadable".to_owned(),
                creator: None,
                subject: format!("message {}", &digest[..16]),
                news: News::Strange(format!("it is not understood at {place}")),
            };
        }
    };
    let event: String = message.meta.event_name.chars().filter(|c| !c.is_control()).take(64).collect();
    let creator = message.meta.custom_data.get(CREATOR).and_then(Value::as_str);
    let data = &message.data;
    let (subject, news) = told(&event, data, reading.offer);
    let news = match (news, elsewhere(&message, reading)) {
        (Ok(News::Nothing), _) => News::Nothing,
        (_, Some(why)) | (Err(why), None) => News::Strange(why),
        (Ok(news), None) => news,
    };
    Report { news, creator: creator.and_then(|creator| creator.parse().ok()), subject, event }
}

/// Why a message is not for this server, if it is not.
fn elsewhere(message: &Message, reading: Reading) -> Option<String> {
    let attributes = &message.data.attributes;
    let store = text(&attributes["store_id"]).unwrap_or_default();
    if !reading.store.is_empty() && !store.is_empty() && store != reading.store {
        return Some(format!("it is of the store {store}, not of {}", reading.store));
    }
    let test = message.meta.test_mode || attributes["test_mode"].as_bool().unwrap_or(false);
    (test != reading.test_mode).then(|| {
        let [is, wants] = if test { ["test mode", "payments"] } else { ["payments", "test mode"] };
        format!("it is of {is}, and the settings take {wants}")
    })
}

/// What a message is about, and what it tells, or why somebody should look at it.
fn told(event: &str, data: &Data, offer: &Offer) -> (String, Result<News, String>) {
    let Some(id) = text(&data.id) else {
        return (event.to_owned(), Err("it names nothing that it is about".to_owned()));
    };
    let attributes = &data.attributes;
    match event {
        "subscription_created"
        | "subscription_updated"
        | "subscription_cancelled"
        | "subscription_resumed"
        | "subscription_expired"
        | "subscription_paused"
        | "subscription_unpaused" => {
            (format!("subscription {id}"), subscription(id, attributes, offer).map(News::Subscription))
        }
        "subscription_payment_success" | "subscription_payment_recovered" => {
            invoice(&id, attributes, Payment::Paid)
        }
        "subscription_payment_failed" => invoice(&id, attributes, Payment::Failed),
        "subscription_payment_refunded" => invoice(&id, attributes, Payment::Refunded),
        "order_created" | "order_refunded" => (format!("order {id}"), order(id, attributes, offer)),
        _ => (format!("{event} {id}"), Ok(News::Nothing)),
    }
}

fn subscription(id: String, attributes: &Value, offer: &Offer) -> Result<Subscription, String> {
    let variant = text(&attributes["variant_id"]).ok_or("it names no variant")?;
    let Some(Bought::Plan(plan)) = offer.bought(&variant) else {
        return Err(format!("no plan has the variant {variant}"));
    };
    let status = attributes["status"].as_str().unwrap_or_default();
    let state = SubscriptionState::named(status)
        .ok_or_else(|| format!("its status is `{}`", status.chars().take(32).collect::<String>()))?;
    Ok(Subscription {
        id,
        variant,
        plan: plan.id.clone(),
        state,
        paused_free: attributes["pause"]["mode"] == "free",
        renews_at: time(&attributes["renews_at"]),
        ends_at: time(&attributes["ends_at"]),
        updated_at: time(&attributes["updated_at"]).ok_or("it does not say when it was changed")?,
    })
}

fn invoice(id: &str, attributes: &Value, payment: Payment) -> (String, Result<News, String>) {
    let Some(subscription) = text(&attributes["subscription_id"]) else {
        return (format!("invoice {id}"), Err("it names no subscription".to_owned()));
    };
    let subject = format!("subscription {subscription}, invoice {id}");
    // A part that went back ends no plan.
    if payment == Payment::Refunded && attributes["status"] == "partial_refund" {
        return (subject, Ok(News::Nothing));
    }
    let made = time(&attributes["created_at"]).ok_or("it does not say when it was made".to_owned());
    (subject, made.map(|made| News::Payment(subscription, payment, made)))
}

fn order(id: String, attributes: &Value, offer: &Offer) -> Result<News, String> {
    let item = &attributes["first_order_item"];
    let variant = text(&item["variant_id"]).ok_or("it names no variant")?;
    let pack = match offer.bought(&variant) {
        Some(Bought::Pack(pack)) => pack,
        // Its subscription is told of apart.
        Some(Bought::Plan(_)) => return Ok(News::Nothing),
        None => return Err(format!("no plan and no pack has the variant {variant}")),
    };
    let status = attributes["status"].as_str().unwrap_or_default();
    let returned = match status {
        "refunded" => WHOLE,
        "partial_refund" => share(attributes)?,
        "paid" if attributes["refunded"] == true => WHOLE,
        "paid" => 0,
        other => {
            let other: String = other.chars().take(32).collect();
            return Err(format!("its status is `{other}`: no credits were given"));
        }
    };
    let quantity = item["quantity"].as_u64().unwrap_or(1);
    Ok(News::Order(Purchase { id, credits: pack.credits.saturating_mul(quantity), returned }))
}

/// How much of an order's price went back, in millionths.
fn share(attributes: &Value) -> Result<u32, String> {
    let amounts = (attributes["refunded_amount"].as_u64(), attributes["total"].as_u64());
    let (Some(back), Some(total @ 1..)) = amounts else {
        return Err("it does not say how much was paid back".to_owned());
    };
    let share = u128::from(back.min(total)) * u128::from(WHOLE) / u128::from(total);
    u32::try_from(share).map_err(|error| error.to_string())
}

/// A number or a text as a text; ids are the one here and the other there.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => {
            let plain: String = text.chars().filter(|c| c.is_ascii_graphic()).take(64).collect();
            (!plain.is_empty()).then_some(plain)
        }
        _ => None,
    }
}

fn time(value: &Value) -> Option<Timestamp> {
    let time: jiff::Timestamp = value.as_str()?.parse().ok()?;
    u64::try_from(time.as_millisecond()).ok().map(Timestamp)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::billing::offer::tests::offer;

    fn said(event: &str, attributes: &Value) -> Report {
        let body = json!({
            "meta": {"event_name": event, "custom_data": {"creator_id": "course"}, "test_mode": false},
            "data": {"type": "things", "id": "7", "attributes": attributes},
        });
        let offer = offer();
        read(body.to_string().as_bytes(), Reading { offer: &offer, store: "5", test_mode: false })
    }

    #[test]
    fn orders_of_packs_become_credits() {
        let order = |status: &str, more: Value| {
            let mut attributes = json!({
                "store_id": 5, "status": status, "total": 900,
                "first_order_item": {"variant_id": 33, "quantity": 2},
            });
            attributes.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            said("order_created", &attributes).news
        };
        let bought = |returned| News::Order(Purchase { id: "7".into(), credits: 1_000, returned });
        assert_eq!(order("paid", json!({})), bought(0));
        assert_eq!(order("paid", json!({"refunded": true})), bought(WHOLE));
        assert_eq!(order("refunded", json!({})), bought(WHOLE));
        assert_eq!(order("partial_refund", json!({"refunded_amount": 225})), bought(250_000));
        for (status, more) in [
            ("pending", json!({})),
            ("fraudulent", json!({})),
            ("", json!({})),
            ("partial_refund", json!({})),
            ("paid", json!({"first_order_item": {"variant_id": 44}})),
            ("paid", json!({"first_order_item": null})),
            ("paid", json!({"store_id": 6})),
            ("paid", json!({"test_mode": true})),
        ] {
            assert!(matches!(order(status, more.clone()), News::Strange(_)), "{status} {more}");
        }
        // A plan's order: the subscription is told of apart.
        assert_eq!(order("paid", json!({"first_order_item": {"variant_id": 11}})), News::Nothing);
    }

    #[test]
    fn subscriptions_and_their_invoices_are_read() {
        let attributes = json!({
            "store_id": 5, "variant_id": 22, "status": "cancelled", "pause": null,
            "ends_at": "2026-12-24T10:00:00.000000Z", "updated_at": "2026-11-24T10:00:00.000000Z",
            "renews_at": null,
        });
        let report = said("subscription_cancelled", &attributes);
        assert_eq!((report.creator.unwrap().as_str(), report.subject.as_str()), ("course", "subscription 7"));
        let News::Subscription(told) = report.news else { panic!("{:?}", report.news) };
        assert_eq!((told.plan.as_str(), told.state), ("pro", SubscriptionState::Cancelled));
        assert_eq!(told.ends_at, Some(Timestamp(told.updated_at.0 + 30 * 86_400_000)));
        for (name, value) in [
            ("status", json!("dreaming")),
            ("variant_id", json!(44)),
            ("variant_id", json!(33)),
            ("updated_at", json!("yesterday")),
        ] {
            let mut wrong = attributes.clone();
            wrong[name] = value;
            assert!(matches!(said("subscription_updated", &wrong).news, News::Strange(_)), "{wrong}");
        }
        let invoice = json!({"store_id": 5, "subscription_id": 9, "created_at": "1970-01-01T00:00:01Z"});
        assert_eq!(
            said("subscription_payment_refunded", &invoice).news,
            News::Payment("9".into(), Payment::Refunded, Timestamp(1_000))
        );
        assert_eq!(said("license_key_created", &json!({"store_id": 5})).news, News::Nothing);
    }

    #[test]
    fn what_is_no_message_is_kept_for_somebody_to_look_at() {
        let offer = offer();
        let reading = Reading { offer: &offer, store: "", test_mode: false };
        for body in ["", "{}", "[]", "{\"meta\":{\"event_name\":\"order_created\"},\"data\":{}}", "\u{0}"] {
            let report = read(body.as_bytes(), reading);
            assert!(matches!(report.news, News::Strange(_)), "{body}");
        }
        let nobody = br#"{"meta":{"event_name":"x","custom_data":{"creator_id":"../"}},"data":{"id":1,"attributes":{}}}"#;
        assert_eq!(read(nobody, reading).creator, None);
    }
}
