//! What answers cost, variants of settings that are tried on students, and where in a lesson students ask.

use axum::http::StatusCode;
use neverafk::domain::Role;
use neverafk::ingest::Item;
use serde_json::{Value, json};

use crate::accounts::{Browser, location};
use crate::support::TestApp;
use crate::support::provider::{Manner, Provider};

const REFUNDS: &str = "You can ask for a refund within 23 days.";
const QUESTION: &str = "How many days do I have to ask for a refund?";
/// What a chat model phrases: the router takes it for course content and not for a policy.
const PAGE: &str = "# Refunds\n\nYou can ask for a full refund within 23 days of buying the course. \
    Refunds are paid back to the card that was used. Write to the desk for a refund of the course.\n";
const PHRASED: &str = "Within how many days of buying the course is there a full refund?";
const UNKNOWN: &str = "Who painted the ceiling of the Sistine Chapel?";
/// What the second variant says before its quotations.
const LOUD: &str = "Look here:";

#[tokio::test]
async fn an_answer_costs_what_its_provider_says_and_a_cached_one_nothing() {
    let says = vec!["You can ask for a full refund ", "within 23 days of buying the course. "];
    let provider = Provider::start(Manner::Says(says, 50)).await;
    let settings: Vec<(String, String)> = [
        ("ANSWER__MODELS", "good:m"),
        ("PROVIDERS__GOOD__URL", provider.url().as_str()),
        ("PROVIDERS__GOOD__INPUT_PRICE", "2"),
        ("PROVIDERS__GOOD__OUTPUT_PRICE", "8"),
        ("CHAIN__CURRENCY", "EUR"),
    ]
    .iter()
    .map(|(name, value)| (format!("NEVERAFK_{name}"), (*value).to_owned()))
    .collect();
    let test = TestApp::configured(&settings).await;
    let item = Item::upload("refunds.md", PAGE.as_bytes().to_vec());
    let document = test.app.ingest().one(&TestApp::course(), item).await.unwrap().document;
    let answer = test.chat(PHRASED).await;
    assert_eq!((&answer["model"], &answer["cached"]), (&json!("good:m"), &json!(false)), "{answer}");
    assert!(answer.get("trace").is_none(), "students see no prices");
    assert_eq!(test.chat(PHRASED).await["cached"], true);

    // 50 tokens at 2 and 50 at 8 a million.
    let kept = test.get_as("/conversations/course", &test.key).await.json();
    let costs = |at: usize| kept["conversations"][at]["trace"]["costs"].clone();
    let expected =
        json!([{"model": "good:m", "prompt_tokens": 50, "completion_tokens": 50, "amount": 0.0005}]);
    assert_eq!((costs(1), costs(0)), (expected.clone(), Value::Null), "{kept}");
    let found = test.get_as("/api/v1/insights?days=7", &test.key).await.json();
    assert_eq!(
        (&found["cost"], &found["cost_per_answer"], &found["currency"], &found["days"][6]["cost"]),
        (&json!(0.0005), &json!(0.00025), &json!("EUR"), &json!(0.0005)),
        "{found}"
    );
    let editor = Browser::of(&test, "ana@x.example", "course", Role::Editor).await;
    let page = editor.get("/dashboard/course/insights").await.text;
    assert!(page.contains("0.00025") && page.contains("0.00050 EUR"), "{page}");
    let table = editor.get("/dashboard/course/insights.csv").await.text;
    assert!(table.lines().next().unwrap().ends_with(",cost"), "{table}");
    assert!(table.lines().last().unwrap().ends_with(",0.0005"), "{table}");

    // What was paid for stays known when the words are gone.
    test.app.delete_document(&document).await.unwrap();
    let kept = test.get_as("/conversations/course", &test.key).await.json();
    let trace = &kept["conversations"][1]["trace"];
    assert_eq!((&trace["costs"], &trace["parts"]), (&expected, &json!([])), "{kept}");
}

/// Asks, in a conversation if one is given, and gives the answer.
async fn ask(test: &TestApp, message: &str, before: Option<&Value>) -> Value {
    let mut body = json!({"message": message, "creator_id": "course"});
    if let Some(before) = before {
        for name in ["conversation_id", "conversation_token"] {
            body[name] = before[name].clone();
        }
    }
    let reply = test.post("/chat", body).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    reply.json()
}

fn loud() -> Value {
    json!({"name": "Louder?", "variants": [
        {"name": "as now"},
        {"name": "loud", "settings": {"intro": LOUD, "policy_intro": LOUD}},
    ]})
}

#[tokio::test]
async fn each_student_keeps_one_variant_and_the_creator_takes_the_better() {
    let test = TestApp::with(&[("refunds.txt", REFUNDS)]).await;
    let add = async |body: Value| test.post_as("/api/v1/experiments", body, &test.key).await;
    for (body, word) in [
        (json!({"name": "x", "variants": [{"name": "a"}]}), "variants"),
        (json!({"name": "x", "variants": [{"name": "a"}, {"name": "a"}]}), "two variants"),
        (json!({"name": "x", "variants": [{"name": "a"}, {"name": "b", "weight": 0}]}), "weight"),
        (
            json!({"name": "x", "variants": [{"name": "a"}, {"name": "b", "settings": {"viewer": "text"}}]}),
            "viewer",
        ),
        (
            json!({"name": "x", "variants": [{"name": "a"}, {"name": "b", "settings": {"answer": {"threshold": 2}}}]}),
            "threshold",
        ),
        (json!({"name": "x", "variants": [{"name": "a"}, {"name": "b"}], "starts_at": "soon"}), "starts_at"),
    ] {
        let refused = add(body).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.text);
        assert!(refused.text.contains(word), "{}", refused.text);
    }
    let begun = add(loud()).await;
    assert_eq!(begun.status, StatusCode::CREATED, "{}", begun.text);
    let (id, state) = (begun.json()["id"].as_str().unwrap().to_owned(), begun.json()["state"].clone());
    assert_eq!(state, "running");
    assert_eq!(add(loud()).await.status, StatusCode::CONFLICT, "two at once would mix");

    // The same question of forty students: each variant says its own, out of the cache or not.
    let mut counts = [0; 2];
    let mut first = None;
    for _ in 0..40 {
        let answer = ask(&test, QUESTION, None).await;
        let is_loud = answer["response"].as_str().unwrap().starts_with(LOUD);
        counts[usize::from(is_loud)] += 1;
        first.get_or_insert((answer, is_loud));
    }
    assert!(counts[0] > 0 && counts[1] > 0, "{counts:?}");
    let (answer, is_loud) = first.unwrap();
    for _ in 0..3 {
        let next = ask(&test, QUESTION, Some(&answer)).await;
        assert_eq!(next["response"].as_str().unwrap().starts_with(LOUD), is_loud, "{next}");
    }
    let kept = test.get_as("/conversations/course?limit=100", &test.key).await.json();
    for turn in kept["conversations"].as_array().unwrap() {
        let given = &turn["trace"]["experiment"];
        let is_loud = turn["ai_response"].as_str().unwrap().starts_with(LOUD);
        assert_eq!(given["variant"], if is_loud { "loud" } else { "as now" }, "{turn}");
        assert_eq!(given["experiment_id"], id.as_str());
    }

    let path = format!("/api/v1/experiments/{id}");
    let shown = test.get_as(&path, &test.key).await.json();
    let variants = shown["results"]["variants"].as_array().unwrap();
    let sum = |name: &str| variants.iter().map(|variant| variant[name].as_u64().unwrap()).sum::<u64>();
    assert_eq!((sum("students"), sum("asked"), sum("answered")), (40, 43, 43), "{shown}");
    let sentence = shown["results"]["sentence"].as_str().unwrap();
    assert!(sentence.starts_with("Too few answers") || sentence.starts_with("No difference"), "{sentence}");

    // Others see nothing of it.
    test.app.add_creator("other".parse().unwrap(), None).await.unwrap();
    let (_, other) = test.app.create_key(&"other".parse().unwrap(), "o".into()).await.unwrap();
    assert_eq!(test.get_as(&path, &other).await.status, StatusCode::NOT_FOUND);
    assert_eq!(test.get(&path).await.status, StatusCode::UNAUTHORIZED);
    let stop = test.post_as(&format!("{path}/stop"), json!({}), &other).await;
    assert_eq!(stop.status, StatusCode::NOT_FOUND);

    // A replay answers as the variant did.
    let message = kept["conversations"]
        .as_array()
        .unwrap()
        .iter()
        .find(|turn| turn["trace"]["experiment"]["variant"] == "loud" && turn["trace"]["cached"] == false)
        .unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let replay = test.app.replay(&message.parse().unwrap()).await.unwrap();
    assert_eq!(replay.first_difference, None, "{replay:?}");

    let none = test.post_as(&format!("{path}/use"), json!({"variant": "quiet"}), &test.key).await;
    assert_eq!(none.status, StatusCode::NOT_FOUND);
    let used = test.post_as(&format!("{path}/use"), json!({"variant": "loud"}), &test.key).await.json();
    assert_eq!((&used["state"], &used["used"]), (&json!("stopped"), &json!("loud")), "{used}");
    let settings = test.get_as("/api/v1/settings", &test.key).await.json();
    assert_eq!(settings["intro"], LOUD, "{settings}");
    for _ in 0..8 {
        assert!(ask(&test, QUESTION, None).await["response"].as_str().unwrap().starts_with(LOUD));
    }
    let kept = test.get_as("/conversations/course?limit=1", &test.key).await.json();
    assert_eq!(kept["conversations"][0]["trace"]["experiment"], Value::Null, "{kept}");
}

#[tokio::test]
async fn an_experiment_is_begun_and_ended_on_its_page() {
    let test = TestApp::with(&[("refunds.txt", REFUNDS)]).await;
    let owner = Browser::of(&test, "ana@x.example", "course", Role::Owner).await;
    let path = "/dashboard/course/experiments";
    let nothing = owner.post(path, &[("name", "What?"), ("share", "50")]).await;
    assert_eq!(nothing.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(nothing.text.contains("The variant changes nothing."), "{}", nothing.text);
    let fields = [("name", "Shorter <b>?"), ("share", "99"), ("max_sentences", "1"), ("variant", "one")];
    assert_eq!(location(&owner.post(path, &fields).await), "/dashboard/course/experiments?done=begun");
    test.chat(QUESTION).await;
    let page = owner.get(path).await.text;
    assert!(page.contains("Shorter &#60;b&#62;?") && page.contains("Too few answers to tell"), "{page}");
    assert!(page.contains("max_sentences") && page.contains("running"), "{page}");
    let all = test.get_as("/api/v1/experiments", &test.key).await.json();
    let id = all["experiments"][0]["id"].as_str().unwrap();
    let one = format!("{path}/{id}");
    assert_eq!(location(&owner.post(&one, &[("act", "stop")]).await), format!("{path}?done=stopped"));
    let fields = [("act", "use"), ("variant", "one")];
    assert_eq!(location(&owner.post(&one, &fields).await), format!("{path}?done=used"));
    let settings = test.get_as("/api/v1/settings", &test.key).await.json();
    assert_eq!(settings["answer"], json!({"max_sentences": 1}), "{settings}");
    assert_eq!(location(&owner.post(&one, &[("act", "remove")]).await), format!("{path}?done=removed"));
    assert_eq!(test.get_as("/api/v1/experiments", &test.key).await.json()["experiments"], json!([]));
    // An agent looks on.
    let agent = Browser::of(&test, "bo@x.example", "course", Role::Agent).await;
    assert!(!agent.get(path).await.text.contains("Begin one"));
}

#[tokio::test]
async fn questions_are_shown_where_in_the_lesson_they_came_up() {
    let test = TestApp::with(&[("refunds.txt", REFUNDS)]).await;
    let ask = async |message: &str, position: u64| {
        let body =
            json!({"message": message, "creator_id": "course", "lesson": "Brushes", "position_ms": position});
        let reply = test.post("/chat", body).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
        reply.json()
    };
    ask(QUESTION, 65_000).await;
    ask(UNKNOWN, 66_000).await;
    let answer = ask(QUESTION, 190_000).await;
    let judged = json!({
        "creator_id": "course", "message_id": answer["message_id"], "helpful": false,
        "conversation_token": answer["conversation_token"],
    });
    assert_eq!(test.post("/feedback", judged).await.status, StatusCode::OK);
    test.chat(UNKNOWN).await;

    let found = test.get_as("/api/v1/insights/lessons?days=7", &test.key).await.json();
    let lesson = &found["lessons"][0];
    assert_eq!(found["lessons"].as_array().unwrap().len(), 1, "{found}");
    assert_eq!(
        (
            &lesson["lesson"],
            &lesson["asked"],
            &lesson["declined"],
            &lesson["unhelpful"],
            &lesson["stretch_ms"]
        ),
        (&json!("Brushes"), &json!(3), &json!(1), &json!(1), &json!(10_000)),
        "{found}"
    );
    let at = |place: usize| &lesson["stretches"][place];
    assert_eq!(
        (&at(6)["from_ms"], &at(6)["asked"], &at(6)["declined"]),
        (&json!(60_000), &json!(2), &json!(1))
    );
    assert_eq!((&at(19)["asked"], &at(19)["unhelpful"]), (&json!(1), &json!(1)), "{found}");

    let agent = Browser::of(&test, "bo@x.example", "course", Role::Agent).await;
    let page = agent.get("/dashboard/course/insights").await.text;
    assert!(page.contains("Where in your lessons students ask"), "{page}");
    assert!(page.contains("1:00 to 1:10: 2 asked, 1 not in the content, 0 not helpful"), "{page}");
    let table = agent.get("/dashboard/course/insights.csv?table=lessons").await.text;
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines[1..], ["\"Brushes\",60,70,2,1,0,0", "\"Brushes\",190,200,1,0,1,0"], "{table}");
}
