//! For other programs: GraphQL, and the numbers that Prometheus reads.

use axum::http::StatusCode;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_util::sync::CancellationToken;

use crate::support::TestApp;

const REFUNDS: &str = "You can ask for a full refund within 23 days of buying the course.";

async fn ask(test: &TestApp, query: &str) -> Value {
    let reply = test.post_as("/graphql", json!({"query": query}), &test.key).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    reply.json()
}

#[tokio::test]
async fn a_query_gets_what_it_names_and_nothing_of_others() {
    let test = TestApp::with(&[("a.txt", REFUNDS), ("b.txt", "Gesso dries in 17 minutes.")]).await;
    let reply = test.post("/graphql", json!({"query": "{ __typename }"})).await;
    assert_eq!(
        (reply.status, &reply.json()["error"]["code"]),
        (StatusCode::UNAUTHORIZED, &json!("key_required"))
    );
    let schema = "{ __schema { types { name } } }";
    assert_eq!(test.post("/graphql", json!({"query": schema})).await.status, StatusCode::UNAUTHORIZED);
    assert!(ask(&test, schema).await["data"]["__schema"]["types"].as_array().unwrap().len() > 10);

    let asked = ask(
        &test,
        "mutation { ask(message: \"Within how many days is there a refund?\") \
        { response conversationId agent citations { number quote documentId } } }",
    )
    .await;
    let answer = &asked["data"]["ask"];
    assert!(answer["response"].as_str().unwrap().contains("23 days"), "{asked}");
    assert!(REFUNDS.contains(answer["citations"][0]["quote"].as_str().unwrap().trim()), "{answer}");
    test.chat("Who painted the ceiling of the Sistine Chapel?").await;

    let page = ask(
        &test,
        "{ creator { id usage { documents conversations } } documents(first: 1) { nodes { id title } next } \
        conversations(first: 1) { nodes { id question answer { abstained } } next } \
        escalations(state: OPEN) { id reason } search(query: \"refund\", k: 1) { rank text } }",
    )
    .await["data"]
        .clone();
    assert_eq!(page["creator"], json!({"id": "course", "usage": {"documents": 2, "conversations": 2}}));
    assert_eq!(page["conversations"]["nodes"][0]["answer"]["abstained"], true);
    assert_eq!(page["escalations"][0]["reason"], "not_in_content");
    assert!(page["search"][0]["text"].as_str().unwrap().contains("23 days"));
    for list in ["documents", "conversations"] {
        let next = page[list]["next"].as_str().unwrap();
        let rest =
            ask(&test, &format!("{{ {list}(first: 5, after: \"{next}\") {{ nodes {{ id }} next }} }}")).await;
        assert_eq!(rest["data"][list]["nodes"].as_array().unwrap().len(), 1, "{rest}");
        assert!(rest["data"][list]["next"].is_null());
        assert_ne!(rest["data"][list]["nodes"][0]["id"], page[list]["nodes"][0]["id"]);
    }

    test.app.add_creator("other".parse().unwrap(), None).await.unwrap();
    let (_, key) = test.app.create_key(&"other".parse().unwrap(), "o".into()).await.unwrap();
    let query = "{ documents { nodes { id } } conversations { nodes { id } } escalations { id } }";
    let other = test.post_as("/graphql", json!({"query": query}), &key).await.json()["data"].clone();
    assert_eq!(other, json!({"documents": {"nodes": []}, "conversations": {"nodes": []}, "escalations": []}));
}

#[tokio::test]
async fn queries_that_cost_too_much_are_refused_before_they_run() {
    let test = TestApp::with(&[("a.txt", REFUNDS)]).await;
    let aliases: String =
        (0..400).map(|n| format!("a{n}: documents(first: 500) {{ nodes {{ id title }} }} ")).collect();
    let directives = format!("{{ __typename {} }}", "@skip(if: false) ".repeat(20));
    let fragments = "query { ...A } fragment A on Query { ...B } fragment B on Query { ...A }".to_owned();
    let deep = format!("{{ __schema {{ types {{ {}name{} }} }} }}", "ofType { ".repeat(40), " }".repeat(40));
    for query in [format!("{{ {aliases} }}"), directives, fragments, deep, "{".repeat(5_000)] {
        let said = ask(&test, &query).await;
        assert!(said["data"].is_null() && !said["errors"].as_array().unwrap().is_empty(), "{said}");
    }
    let batch = test.post_as("/graphql", json!([{"query": "{ __typename }"}]), &test.key).await;
    assert_eq!(batch.status, StatusCode::UNPROCESSABLE_ENTITY);
    let said = ask(&test, "mutation { ask(message: \" \") { response } }").await;
    assert_eq!(said["errors"][0]["extensions"]["code"], "invalid_question", "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prometheus_reads_the_numbers_where_only_this_machine_can() {
    let test = TestApp::with(&[("a.txt", REFUNDS)]).await;
    assert_eq!(test.get("/metrics").await.status, StatusCode::NOT_FOUND);
    neverafk::telemetry::metrics::install().unwrap();
    let stop = CancellationToken::new();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(neverafk::http::metrics::watch(test.app.clone(), stop.clone()));
    tokio::spawn(neverafk::http::metrics::serve(test.app.clone(), listener, stop.clone()));
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    let canary = "quillwort";
    test.chat(&format!("Is there a {canary} refund?")).await;
    let job = "0123456789abcdefghjkmnpqrs";
    test.get_as(&format!("/api/v1/jobs/{job}"), &test.key).await;
    test.get(&format!("/{canary}")).await;

    let mut text = String::new();
    for _ in 0..100 {
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
        text.clear();
        stream.read_to_string(&mut text).await.unwrap();
        if text.contains("neverafk_answers_total{") {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200") && head.to_lowercase().contains("text/plain"), "{head}");
    let mut types = std::collections::HashMap::new();
    let mut seen = std::collections::HashSet::new();
    // The text may come in chunks, whose lengths stand on lines of their own.
    let lines = body.lines().filter(|line| !line.is_empty() && u32::from_str_radix(line, 16).is_err());
    for line in lines {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert!(types.insert(name.to_owned(), kind.to_owned()).is_none(), "{line}");
        } else if !line.starts_with('#') {
            let (series, value) = line.rsplit_once(' ').unwrap();
            value.parse::<f64>().unwrap_or_else(|_| panic!("{line}"));
            let name = series.split('{').next().unwrap();
            let family = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
            let known = types.contains_key(name) || family.is_some_and(|family| types.contains_key(family));
            assert!(known, "{line} has no type");
            assert!(seen.insert(series.to_owned()), "{series} stands twice");
        }
    }
    for name in [
        "neverafk_http_requests_total",
        "neverafk_http_request_seconds",
        "neverafk_answers_total",
        "neverafk_answer_seconds",
        "neverafk_tokens_total",
        "neverafk_jobs",
        "neverafk_answers_under_way",
        "neverafk_uptime_seconds",
        "neverafk_build_info",
        "neverafk_webhook_deliveries_waiting",
        "neverafk_mails_waiting",
    ] {
        assert!(types.contains_key(name), "{name}: {types:?}");
    }
    assert!(body.contains("route=\"/api/v1/jobs/{id}\"") && body.contains("route=\"unmatched\""), "{body}");
    assert!(!body.contains(canary) && !body.contains(job), "{body}");
    stop.cancel();
}
