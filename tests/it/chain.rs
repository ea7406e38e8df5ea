//! The chain of models against real servers that hang, refuse, lie, break off and babble: an answer always comes, in
//! time, proved, and never with two models' words in it.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use neverafk::app::Wishes;
use neverafk::domain::{Answer, AnswerEvent, Question};
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::provider::{Manner, Provider, REFUND};

/// Asked so that the router takes it for course content: what policies say is never phrased by a model.
const QUESTION: &str = "Within how many days of buying the course is there a full refund?";
const PAGE: &str = "# Refunds\n\nYou can ask for a full refund within 23 days of buying the course. \
    Refunds are paid back to the card that was used. Write to the desk for a refund of the course.\n";

/// An app whose chain is the providers of these names, with short patience.
async fn app(chain: &str, providers: &[(&str, String)], more: &[(&str, &str)]) -> TestApp {
    let mut settings: Vec<(String, String)> = [
        ("ANSWER__MODELS", chain),
        ("CHAIN__CONNECT_MS", "1000"),
        ("CHAIN__FIRST_TOKEN_MS", "400"),
        ("CHAIN__IDLE_MS", "400"),
        ("CHAIN__BUDGET_MS", "4000"),
        // The same question is asked again and again to see the models work.
        ("ANSWER__CACHE", "0"),
    ]
    .iter()
    .chain(more)
    .map(|(name, value)| (format!("NEVERAFK_{name}"), (*value).to_owned()))
    .collect();
    for (name, url) in providers {
        settings.push((format!("NEVERAFK_PROVIDERS__{}__URL", name.to_uppercase()), url.clone()));
    }
    let test = TestApp::configured(&settings).await;
    let item = neverafk::ingest::Item::upload("refunds.md", PAGE.as_bytes().to_vec());
    test.app.ingest().one(&TestApp::course(), item).await.unwrap();
    test
}

/// Asks and gives the answer with all pieces that were shown and the time it took.
async fn ask(test: &TestApp) -> (Answer, String, Duration) {
    let began = Instant::now();
    let question = Question::parse(QUESTION, TestApp::course()).unwrap();
    let mut events = test.app.answer(question, None).await.unwrap();
    let (mut shown, mut sources) = (String::new(), 0);
    while let Some(event) = events.recv().await {
        match event.unwrap() {
            AnswerEvent::Sources { .. } => sources += 1,
            AnswerEvent::Token { content } => shown.push_str(&content),
            AnswerEvent::Done(answer) => {
                assert_eq!((sources, shown.as_str()), (1, answer.response.as_str()));
                return (*answer, shown, began.elapsed());
            }
        }
    }
    panic!("the answer has no end");
}

fn says() -> Manner {
    Manner::Says(vec!["You can ask for a full refund ", "within 23 days of buying the course. "], 50)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_comes_whatever_a_provider_does() {
    let manners = [
        Manner::Hangs,
        Manner::HangsAfter(vec!["You can"]),
        Manner::CutsAfter(vec![]),
        Manner::CutsAfter(vec!["You can ask"]),
        Manner::Status(500, "", "oops"),
        Manner::Status(503, "", ""),
        Manner::Status(429, "retry-after: 60\r\n", "{}"),
        Manner::Status(401, "", r#"{"error":{"message":"Incorrect API key provided: sk-hidden"}}"#),
        Manner::Status(404, "", ""),
        Manner::Status(400, "", r#"{"error":{"message":"no"}}"#),
        Manner::Status(302, "location: http://127.0.0.1:1/\r\n", ""),
        Manner::PromisesMore,
        Manner::PromisesLess,
        Manner::Garbage,
        Manner::Page,
        Manner::OtherEvents,
        Manner::EndlessLine,
        Manner::EndlessComments,
        Manner::EndlessWords,
        Manner::Says(vec![], 0),
        Manner::Says(vec!["The final was played in Paris."], 5),
    ];
    let good = Provider::start(says()).await;
    for manner in manners {
        let bad = Provider::start(manner.clone()).await;
        let alone = app("bad:m", &[("bad", bad.url())], &[]).await;
        let (answer, _, took) = ask(&alone).await;
        eprintln!("{manner:?}: {} in {} ms", answer.model, took.as_millis());
        assert!(answer.response.contains("23 days") && !answer.abstained, "{manner:?}: {answer:?}");
        assert_eq!(answer.model, "extractive", "{manner:?}");
        assert!(took < Duration::from_secs(5), "{manner:?} took {took:?}");

        // A model that ends as it should, with nothing to say, has had its turn.
        if matches!(manner, Manner::Says(..) | Manner::EndlessWords) {
            continue;
        }
        let both = app("bad:m,good:m", &[("bad", bad.url()), ("good", good.url())], &[]).await;
        let (answer, _, took) = ask(&both).await;
        assert_eq!(answer.model, "good:m", "{manner:?}");
        assert_eq!(answer.usage.completion_tokens, 50);
        assert!(took < Duration::from_secs(5), "{manner:?} took {took:?}");
    }
}

#[tokio::test]
async fn a_closed_port_is_passed_over() {
    let good = Provider::start(says()).await;
    let nobody = Provider::nobody().await;
    let test = app("bad:m,good:m", &[("bad", nobody), ("good", good.url())], &[]).await;
    assert_eq!(ask(&test).await.0.model, "good:m");
}

#[tokio::test]
async fn anthropic_is_spoken() {
    let provider = Provider::start(Manner::SaysAsAnthropic(vec![REFUND], 31)).await;
    let more = [("PROVIDERS__ANTHROPIC__KEY", "sk-ant-hidden")];
    let test = app("anthropic:claude", &[("anthropic", provider.url())], &more).await;
    let (answer, ..) = ask(&test).await;
    assert_eq!((answer.model.as_str(), answer.usage.prompt_tokens), ("anthropic:claude", 31));
    let (head, body) = provider.requests.lock().unwrap()[0].clone();
    let head = head.to_lowercase();
    assert!(head.starts_with("post /v1/messages") && head.contains("x-api-key: sk-ant-hidden"), "{head}");
    assert!(
        head.contains("anthropic-version: 2023-06-01")
            && body["system"].is_string()
            && body["stream"] == true
    );
}

#[tokio::test]
async fn two_models_never_mix_in_one_answer() {
    let bad = Provider::start(Manner::CutsAfter(vec![REFUND, " And the moon is made of"])).await;
    let good = Provider::start(says()).await;
    let providers = [("bad", bad.url()), ("good", good.url())];
    let test = app("bad:m,good:m", &providers, &[]).await;
    let (answer, shown, _) = ask(&test).await;
    assert_eq!((answer.model.as_str(), good.hits()), ("bad:m", 0));
    assert!(shown.starts_with(REFUND) && !shown.contains("moon"), "{shown}");
    assert_eq!(shown.matches("23 days").count(), 1, "{shown}");
    for sentence in &answer.sentences {
        assert!(PAGE.contains(&sentence.text), "{sentence:?}");
        assert!(
            sentence.citations.iter().all(|id| answer.citations.iter().any(|citation| citation.id == *id))
        );
    }
}

#[tokio::test]
async fn a_passing_fault_is_tried_again_and_a_lasting_one_is_not() {
    let once = Provider::start(Manner::Status(503, "", "")).await;
    let test = app("once:m", &[("once", once.url())], &[("CHAIN__ATTEMPTS", "3")]).await;
    ask(&test).await;
    assert_eq!(once.hits(), 3);
    let denied = Provider::start(Manner::Status(401, "", "")).await;
    let test = app("denied:m", &[("denied", denied.url())], &[("CHAIN__ATTEMPTS", "3")]).await;
    ask(&test).await;
    assert_eq!(denied.hits(), 1);
}

#[tokio::test]
async fn a_parameter_that_a_server_does_not_know_is_taken_back() {
    for name in ["max_tokens", "temperature", "seed", "stream_options"] {
        let provider = Provider::start(Manner::RefusesParameter(name)).await;
        let test = app("picky:m", &[("picky", provider.url())], &[]).await;
        assert_eq!(ask(&test).await.0.model, "picky:m", "{name}");
        let requests = provider.requests.lock().unwrap();
        assert_eq!(requests.len(), 2);
        assert_eq!(requests[1].1.get("max_completion_tokens").is_some(), name == "max_tokens");
    }
}

#[tokio::test]
async fn a_breaker_opens_rests_and_closes_and_health_says_so() {
    let provider = Provider::start(Manner::Status(500, "", "")).await;
    let more = [("CHAIN__ATTEMPTS", "1"), ("CHAIN__REST_MS", "700")];
    let test = app("flaky:m", &[("flaky", provider.url())], &more).await;
    let state = async || test.get("/health/detailed").await.json()["models"][0].clone();
    assert_eq!(state().await["state"], "unused");
    for _ in 0..3 {
        ask(&test).await;
    }
    let open = state().await;
    assert_eq!(
        (&open["state"], &open["failures"], &open["last_fault"]),
        (&json!("open"), &json!(3), &json!("server_error"))
    );
    provider.becomes(says());
    assert_eq!(ask(&test).await.0.model, "extractive");
    assert_eq!(provider.hits(), 3, "an open breaker asks nothing");
    tokio::time::sleep(Duration::from_millis(800)).await;
    assert_eq!(state().await["state"], "half_open");
    assert_eq!(ask(&test).await.0.model, "flaky:m");
    assert_eq!(state().await["state"], "closed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leaving_closes_the_connection_to_the_provider() {
    for manner in [Manner::Hangs, Manner::HangsAfter(vec!["You can"]), Manner::EndlessComments] {
        let provider = Provider::start(manner.clone()).await;
        let patience =
            [("CHAIN__FIRST_TOKEN_MS", "60000"), ("CHAIN__IDLE_MS", "60000"), ("CHAIN__BUDGET_MS", "60000")];
        let test = app("slow:m", &[("slow", provider.url())], &patience).await;
        let question = Question::parse(QUESTION, TestApp::course()).unwrap();
        let mut events = test.app.answer(question, None).await.unwrap();
        assert!(matches!(events.recv().await, Some(Ok(AnswerEvent::Sources { .. }))));
        wait_for(|| provider.hits() == 1).await;
        drop(events);
        wait_for(|| provider.left.load(Ordering::SeqCst) == 1).await;
    }
}

async fn wait_for(condition: impl Fn() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < Duration::from_secs(5), "it did not happen");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_spent_month_leaves_the_rest_to_the_next_model() {
    let (dear, cheap) = (Provider::start(says()).await, Provider::start(says()).await);
    let providers = [("dear", dear.url())];
    let test = app("dear:m", &providers, &[("CHAIN__MONTHLY_TOKENS", "150")]).await;
    for (model, hits) in [("dear:m", 1), ("dear:m", 2), ("extractive", 2)] {
        assert_eq!(ask(&test).await.0.model, model);
        assert_eq!(dear.hits(), hits);
    }
    // A creator may set less, and a server's word about its usage is believed up to the window.
    cheap.becomes(Manner::Says(vec![REFUND], 1 << 50));
    let test = app("cheap:m", &[("cheap", cheap.url())], &[]).await;
    let usage = ask(&test).await.0.usage;
    assert_eq!((usage.prompt_tokens, usage.completion_tokens), (8192, 8192));
    let change = test.patch_as("/api/v1/settings", json!({"monthly_tokens": 5}), &test.key).await;
    assert_eq!(change.status, StatusCode::OK, "{}", change.text);
    assert_eq!(ask(&test).await.0.model, "extractive");
}

#[tokio::test]
async fn a_creator_chooses_among_what_is_offered() {
    let (one, two) = (Provider::start(says()).await, Provider::start(says()).await);
    let providers = [("one", one.url()), ("two", two.url())];
    let test = app("one:m", &providers, &[("ANSWER__OFFERED", "two:m")]).await;
    assert_eq!(ask(&test).await.0.model, "one:m");
    for (models, status, model) in [
        (json!(["two:m"]), StatusCode::OK, "two:m"),
        (json!(["two:other"]), StatusCode::FORBIDDEN, "two:m"),
        (json!("two:m"), StatusCode::UNPROCESSABLE_ENTITY, "two:m"),
        (json!([]), StatusCode::OK, "extractive"),
        (json!(["extractive", "one:m"]), StatusCode::OK, "extractive"),
        (Value::Null, StatusCode::OK, "one:m"),
    ] {
        let change = test.patch_as("/api/v1/settings", json!({"models": models}), &test.key).await;
        assert_eq!(change.status, status, "{models} {}", change.text);
        assert_eq!(ask(&test).await.0.model, model, "{models}");
    }
}

#[tokio::test]
async fn models_are_compared_side_by_side() {
    let (good, bad) = (Provider::start(says()).await, Provider::start(Manner::Status(401, "", "")).await);
    let providers = [("good", good.url()), ("bad", bad.url())];
    let test = app("good:m,bad:m", &providers, &[("PROVIDERS__BAD__KEY", "sk-hidden")]).await;
    let ask = json!({"question": QUESTION, "models": ["extractive", "bad:m", "good:m"]});
    assert_eq!(test.post("/api/v1/compare", ask.clone()).await.status, StatusCode::UNAUTHORIZED);
    let reply = test.post_as("/api/v1/compare", ask, &test.key).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    let results = reply.json()["results"].clone();
    assert_eq!(results[0]["answer"]["model"], "extractive");
    assert_eq!(
        (&results[1]["answer"], &results[1]["error"]["code"]),
        (&Value::Null, &json!("model_key_refused"))
    );
    assert_eq!(results[2]["answer"]["model"], "good:m");
    assert!(!reply.text.contains("sk-hidden"));
    for (models, status) in [
        (json!([]), StatusCode::UNPROCESSABLE_ENTITY),
        (json!(vec!["extractive"; 5]), StatusCode::UNPROCESSABLE_ENTITY),
        (json!(["openai:gpt-4o"]), StatusCode::FORBIDDEN),
    ] {
        let ask = json!({"question": QUESTION, "models": models});
        assert_eq!(test.post_as("/api/v1/compare", ask, &test.key).await.status, status);
    }
    // Nothing of it is kept.
    let kept = test.get_as("/conversations/course", &test.key).await.json();
    assert_eq!(kept["conversations"], json!([]));
}

#[tokio::test]
async fn whoever_wishes_gets_the_models_own_failure() {
    let bad = Provider::start(Manner::Hangs).await;
    let test = app("bad:m", &[("bad", bad.url())], &[]).await;
    let question = Question::parse(QUESTION, TestApp::course()).unwrap();
    let wishes = Wishes { strict: true, forget: true, ..Wishes::default() };
    let mut events = test.app.answer_with(question, wishes).await.unwrap();
    let mut last = None;
    while let Some(event) = events.recv().await {
        last = Some(event);
    }
    let error = last.unwrap().unwrap_err().to_string();
    assert!(error.contains("bad:m") && error.contains("said nothing"), "{error}");
}
