//! The address of a citation: what it opens, for whom, and what it never does.

use axum::body::Body;
use axum::http::request::Builder;
use axum::http::{Method, Request, StatusCode, header};
use neverafk::domain::{DocumentId, Links, Span, Timestamp};
use serde_json::{Value, json};

use crate::support::{Reply, TestApp, pdf};

const REFUNDS: &str = "Refunds\n\nYou can ask for a full refund within 23 days of buying the course.\n";
const QUESTION: &str = "How many days do I have to ask for a refund?";

/// The first citation of an answer.
async fn cited(test: &TestApp, question: &str) -> Value {
    let answer = test.chat(question).await;
    let citation = answer["citations"][0].clone();
    assert!(citation["url"].as_str().unwrap().starts_with("/d/"), "{answer}");
    citation
}

/// The address without what only a browser reads.
fn path(citation: &Value) -> String {
    citation["url"].as_str().unwrap().split('#').next().unwrap().to_owned()
}

/// The address of something below the document.
fn below(path: &str, name: &str) -> String {
    path.replacen('?', &format!("/{name}?"), 1)
}

async fn browse(test: &TestApp, path: &str) -> Reply {
    test.send(Request::get(path).header(header::ACCEPT, "text/html").body(Body::empty()).unwrap()).await
}

async fn fetch(test: &TestApp, request: Builder) -> Reply {
    test.send(request.body(Body::empty()).unwrap()).await
}

async fn let_see(test: &TestApp, level: &str) {
    let reply = test.patch_as("/api/v1/settings", json!({"viewer": level}), &test.key).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
}

/// The words between the marks of a page.
fn marked(page: &str) -> String {
    let pieces = page.split("<mark").skip(1).map(|rest| {
        let words = rest.split_once('>').unwrap().1;
        words.split_once("</mark>").unwrap().0
    });
    pieces.collect()
}

fn code(reply: &Reply) -> String {
    reply.json()["error"]["code"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_citation_opens_a_page_that_marks_its_quotation() {
    let test = TestApp::with(&[("refunds.txt", REFUNDS)]).await;
    let citation = cited(&test, QUESTION).await;
    let page = browse(&test, &path(&citation)).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    assert_eq!(marked(&page.text), citation["quote"].as_str().unwrap());
    assert_eq!(page.text.matches("id=\"quote\"").count(), 1);
    let policy = page.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert!(!page.text.contains(" style=") && !page.text.contains("<script>"), "nothing inline");
    assert!(!page.text.contains("http://") && !page.text.contains("https://"), "nobody else is asked");
    assert_eq!(page.headers[header::CACHE_CONTROL], "no-store");
    assert_eq!(page.headers["x-robots-tag"], "noindex");
    for name in ["viewer.css", "viewer.js"] {
        assert!(page.text.contains(&format!("/assets/viewer/{name}")));
        assert_eq!(test.get(&format!("/assets/viewer/{name}")).await.status, StatusCode::OK);
    }
    // What search gives opens as well.
    let hits = test.get_as("/api/v1/search?q=refund", &test.key).await.json();
    assert_eq!(browse(&test, &path(&hits["hits"][0])).await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_quotation_is_marked_byte_for_byte_in_any_script() {
    for (name, text, question) in [
        (
            "ol.txt",
            "Öl — “Lein” 🎨 ist zäh. Die Ölfarbe trocknet in 17 Tagen völlig durch 🎨. Übrigens: schön.",
            "Wie viele Tage trocknet die Ölfarbe?",
        ),
        (
            "ja.txt",
            "絵の具について。油絵の具は完全に乾くまで二十三日かかります。筆は毎日洗ってください。",
            "油絵の具は乾くまで何日かかりますか",
        ),
        (
            "ar.txt",
            "مقدمة عن الرسم. يجف طلاء الزيت تماما خلال ثلاثة وعشرين يوما. اغسل الفرشاة كل يوم.",
            "خلال كم يوما يجف طلاء الزيت",
        ),
    ] {
        let test = TestApp::with(&[(name, text)]).await;
        // By the words of retrieval, whatever the answer makes of the question.
        let hits = test.app.search(&TestApp::course(), question, 1).await.unwrap();
        let id: DocumentId = hits.hits[0].document_id.parse().unwrap();
        let document = test.app.store().document(&id).await.unwrap().unwrap();
        let (stored, _) = test.app.store().document_text(&id).await.unwrap().unwrap();
        let links = Links::new(test.app.store().link_key().await.unwrap(), neverafk::app::now());
        let sentences: Vec<_> = stored.split_inclusive(['.', '。']).collect();
        let quote = sentences[1].trim();
        let start = stored.find(quote).unwrap();
        let span = Span { start, end: start + quote.len() };
        let path = format!("/d/{id}?{}", links.query(&document, span));
        let page = browse(&test, &path).await;
        assert_eq!(marked(&page.text), quote, "{}", page.text);
        let seen = test.get(&below(&path, "text")).await.json();
        assert_eq!(seen["quote"], json!({"start": span.start, "end": span.end, "text": quote, "areas": []}));
    }
}

/// Twelve sections, each a chunk or more of its own.
fn long() -> String {
    let section = |number: usize| {
        let filler =
            format!("The brush number {number} is washed and dried and laid on the shelf again. ").repeat(11);
        match number {
            3 => format!(
                "## Varnish\n\n{filler}The varnish must cure for 41 weeks before it is touched. {filler}"
            ),
            _ => format!(
                "## Brush {number}\n\n{filler}The shelf of brush {number} is named canary-{number}-end."
            ),
        }
    };
    (0..12).map(section).collect::<Vec<_>>().join("\n\n")
}

#[tokio::test]
async fn who_may_see_how_much_is_the_creators_choice() {
    let test = TestApp::with(&[("brushes.md", &long())]).await;
    let citation = cited(&test, "For how many weeks must the varnish cure?").await;
    let path = path(&citation);
    // Nothing said: the quotation with its neighbours, and not a word more.
    let page = browse(&test, &path).await;
    assert!(marked(&page.text).contains("41 weeks"), "{}", page.text);
    let seen = test.get(&below(&path, "text")).await.json();
    assert_eq!(seen["viewer"], "quote");
    for far in [0, 1, 8, 9, 10, 11] {
        let canary = format!("canary-{far}-end");
        assert!(!page.text.contains(&canary), "{canary}");
        assert!(!seen.to_string().contains(&canary), "{canary}");
    }
    assert!(!test.get(&format!("{}&part=0", below(&path, "text"))).await.text.contains("canary-11-end"));
    let refused = test.get(&below(&path, "original")).await;
    assert_eq!((refused.status, code(&refused).as_str()), (StatusCode::FORBIDDEN, "original_not_shown"));
    // The text.
    let_see(&test, "text").await;
    let page = browse(&test, &path).await;
    assert!(page.text.contains("canary-0-end") && page.text.contains("canary-11-end"));
    assert!(marked(&page.text).contains("41 weeks"));
    assert_eq!(test.get(&below(&path, "original")).await.status, StatusCode::FORBIDDEN);
    // The file.
    let_see(&test, "original").await;
    assert_eq!(test.get(&below(&path, "original")).await.text, long());
    assert!(browse(&test, &path).await.text.contains("original?at="));
    let wrong = test.patch_as("/api/v1/settings", json!({"viewer": "all"}), &test.key).await;
    assert_eq!((wrong.status, code(&wrong).as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "invalid_setting"));
}

#[tokio::test]
async fn an_id_alone_opens_nothing_and_tells_nothing() {
    let test = TestApp::with(&[("refunds.txt", REFUNDS)]).await;
    let_see(&test, "original").await;
    let citation = cited(&test, QUESTION).await;
    let (path, id) = (path(&citation), citation["document_id"].as_str().unwrap());
    let none = DocumentId::of_source(&TestApp::course(), "upload:none.txt");
    let forge = |from: &str, to: &str| path.replacen(from, to, 1);
    let signature = path.split("sig=").nth(1).unwrap();
    let until = path.split("until=").nth(1).unwrap().split('&').next().unwrap();
    for wrong in [
        format!("/d/{id}"),
        format!("/d/{none}"),
        format!("/d/{id}?at=0-10"),
        format!("/d/{none}?{}", path.split_once('?').unwrap().1),
        "/d/..%2f..%2fetc%2fpasswd".to_owned(),
        forge("at=", "at=0"),
        forge(signature, &"0".repeat(26)),
        forge(signature, ""),
        forge(&format!("until={until}"), "until=99999"),
    ] {
        for below in ["", "/text", "/original"] {
            let (document, query) = wrong.split_once('?').unwrap_or((&wrong, ""));
            let reply = test.get(&format!("{document}{below}?{query}")).await;
            assert_eq!(reply.status, StatusCode::NOT_FOUND, "{wrong}{below}");
            assert_eq!(code(&reply), "unknown_document");
            assert_eq!(reply.json()["detail"], "there is no document at this address");
        }
    }
    // Keys: the owner's opens all, another creator's nothing, an unknown one is refused.
    let other = test.app.add_creator("other".parse().unwrap(), None).await.unwrap().id;
    let (_, foreign) = test.app.create_key(&other, "test".into()).await.unwrap();
    let document = format!("/d/{id}");
    assert_eq!(test.get_as(&format!("{document}/original"), &foreign).await.status, StatusCode::NOT_FOUND);
    assert_eq!(test.get_as(&document, "nafk_wrong").await.status, StatusCode::UNAUTHORIZED);
    let_see(&test, "quote").await;
    assert_eq!(test.get_as(&format!("{document}/original"), &test.key).await.text, REFUNDS);
    let seen = test.get_as(&format!("{document}/text?at=9-12"), &test.key).await.json();
    assert_eq!((seen["viewer"].as_str(), seen["quote"]["text"].as_str()), (Some("original"), Some("You")));
    // Whoever has a true address keeps what it opens, whatever key they bring.
    assert_eq!(test.get_as(&path, &foreign).await.status, StatusCode::OK);
}

#[tokio::test]
async fn old_deleted_and_changed_say_so_kindly() {
    let test = TestApp::with(&[("refunds.txt", REFUNDS)]).await;
    let citation = cited(&test, QUESTION).await;
    let path = path(&citation);
    let id: DocumentId = citation["document_id"].as_str().unwrap().parse().unwrap();
    let document = test.app.store().document(&id).await.unwrap().unwrap();
    let key = test.app.store().link_key().await.unwrap();
    let past = Links::new(key, Timestamp(1_700_000_000_000)).query(&document, Span { start: 9, end: 20 });
    let gone = |expected: &'static str, path: String| {
        let test = &test;
        async move {
            let reply = test.get(&path).await;
            assert_eq!((reply.status, code(&reply).as_str()), (StatusCode::GONE, expected));
            let page = browse(test, &path).await;
            assert_eq!(page.status, StatusCode::GONE);
            assert!(page.text.contains("<h1>") && !page.text.contains("23 days"), "{}", page.text);
        }
    };
    gone("address_expired", format!("/d/{id}?{past}")).await;
    let item = neverafk::ingest::Item::upload("refunds.txt", REFUNDS.replace("23", "30").into_bytes());
    test.app.ingest().one(&TestApp::course(), item).await.unwrap();
    gone("document_changed", path.clone()).await;
    let_see(&test, "text").await;
    let page = browse(&test, &path).await;
    assert!(page.text.contains("30 days") && page.text.contains("has changed"), "{}", page.text);
    assert!(!page.text.contains("<mark"));
    test.app.delete_document(&id).await.unwrap();
    gone("document_deleted", path.clone()).await;
    let german =
        Request::get(&path).header(header::ACCEPT, "text/html").header(header::ACCEPT_LANGUAGE, "de");
    assert!(fetch(&test, german).await.text.contains("wurde entfernt"));
}

#[tokio::test]
async fn the_original_comes_whole_and_in_ranges() {
    let text = format!("{REFUNDS}{}", "A long line that compresses well. ".repeat(100));
    let test = TestApp::with(&[("refunds.txt", &text)]).await;
    let_see(&test, "original").await;
    let path = below(&path(&cited(&test, QUESTION).await), "original");
    let ask = || Request::get(&path).header(header::ACCEPT_ENCODING, "gzip");
    let whole = fetch(&test, ask()).await;
    assert_eq!((whole.status, whole.text.as_str()), (StatusCode::OK, text.as_str()));
    assert_eq!(whole.headers[header::CONTENT_LENGTH], text.len().to_string());
    assert_eq!(whole.headers[header::CONTENT_TYPE], "text/plain; charset=utf-8");
    assert_eq!(whole.headers[header::ACCEPT_RANGES], "bytes");
    assert_eq!(whole.headers["x-content-type-options"], "nosniff");
    let name = whole.headers[header::CONTENT_DISPOSITION].to_str().unwrap();
    assert!(name.starts_with("inline; filename=\"refunds.txt\""), "{name}");
    let tag = whole.headers[header::ETAG].to_str().unwrap().to_owned();
    assert_eq!(tag, format!("\"{}\"", blake3::hash(text.as_bytes()).to_hex()));
    let length = text.len();
    for (range, from, to) in [
        ("bytes=0-9", 0, 10),
        ("bytes=9-", 9, length),
        ("bytes=-7", length - 7, length),
        ("bytes=100-999999", 100, length),
    ] {
        let part = fetch(&test, ask().header(header::RANGE, range)).await;
        assert_eq!(
            (part.status, part.text.as_str()),
            (StatusCode::PARTIAL_CONTENT, &text[from..to]),
            "{range}"
        );
        assert_eq!(part.headers[header::CONTENT_RANGE], format!("bytes {from}-{}/{length}", to - 1));
        assert_eq!(part.headers[header::CONTENT_LENGTH], (to - from).to_string());
        assert_eq!(part.headers[header::ETAG], tag.as_str());
    }
    let beyond = fetch(&test, ask().header(header::RANGE, "bytes=999999-")).await;
    assert_eq!(
        (beyond.status, code(&beyond).as_str()),
        (StatusCode::RANGE_NOT_SATISFIABLE, "range_not_satisfiable")
    );
    assert_eq!(beyond.headers[header::CONTENT_RANGE], format!("bytes */{length}"));
    for (name, value, status) in [
        (header::IF_RANGE, tag.as_str(), StatusCode::PARTIAL_CONTENT),
        (header::IF_RANGE, "\"other\"", StatusCode::OK),
        (header::IF_NONE_MATCH, tag.as_str(), StatusCode::NOT_MODIFIED),
        (header::IF_MATCH, "\"other\"", StatusCode::PRECONDITION_FAILED),
    ] {
        let reply = fetch(&test, ask().header(header::RANGE, "bytes=0-9").header(name.clone(), value)).await;
        assert_eq!(reply.status, status, "{name}: {value}");
    }
    let head = fetch(&test, Request::builder().method(Method::HEAD).uri(&path)).await;
    assert_eq!((head.status, head.text.as_str()), (StatusCode::OK, ""));
    assert_eq!(head.headers[header::CONTENT_LENGTH], length.to_string());
}

#[tokio::test]
async fn hostile_files_run_nothing() {
    let hostile = "<title>Hours &lt;b&gt;\"x\"</title><body onload=\"steal()\"><script>steal()</script>\
                   <p>The studio opens at 07:45 on Saturdays &lt;script&gt;steal()&lt;/script&gt; for all.</p>";
    let test = TestApp::with(&[("hours.html", hostile)]).await;
    let_see(&test, "original").await;
    let path = path(&cited(&test, "When does the studio open on Saturdays?").await);
    let page = browse(&test, &path).await;
    assert!(page.text.contains("07:45"), "{}", page.text);
    assert!(!page.text.contains("<script>") && !page.text.contains("<b>") && !page.text.contains("onload"));
    let original = test.get(&below(&path, "original")).await;
    assert_eq!(original.text, hostile);
    let header = |name: &str| original.headers[name].to_str().unwrap();
    assert_eq!(header("content-type"), "text/html; charset=utf-8");
    assert!(header("content-security-policy").starts_with("sandbox;"), "no permission at all");
    assert!(header("content-disposition").starts_with("attachment;"));
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(header("cross-origin-resource-policy"), "same-origin");
}

#[tokio::test]
async fn pages_and_times_have_names_that_addresses_lead_to() {
    let test = TestApp::new().await;
    let tubes = pdf(&["Contents of the box.", "The cobalt blue is pigment PB28 from tube 61."]);
    let talk = "WEBVTT\n\n00:01.000 --> 00:04.000\nWelcome to the talk.\n\n02:05.000 --> 02:09.000\nThe varnish cures for 41 weeks.\n";
    for (name, bytes) in [("tubes.pdf", tubes), ("talk.vtt", talk.as_bytes().to_vec())] {
        let item = neverafk::ingest::Item::upload(name, bytes);
        test.app.ingest().one(&TestApp::course(), item).await.unwrap();
    }
    let_see(&test, "original").await;
    let tube = cited(&test, "Which tube has the cobalt blue pigment?").await;
    assert!(tube["url"].as_str().unwrap().ends_with("#page=2"), "{tube}");
    let page = browse(&test, &path(&tube)).await;
    assert_eq!(page.text.matches("id=\"page=2\"").count(), 1, "{}", page.text);
    assert!(page.text.contains("<iframe") && page.text.contains("#page=2"), "{}", page.text);
    assert!(page.text.contains("Page 1") && page.text.contains("Page 2"));
    assert!(page.text.contains("viewBox=\"0 0 5950 8420\"") && page.text.contains("class=\"quoted\""));
    let area = &tube["anchor"]["areas"][0];
    assert_eq!(
        (&area["page"], &area["width"], &area["lines"][0][1]),
        (&2.into(), &595.0.into(), &60.0.into())
    );
    let file = test.get(&below(&path(&tube), "original")).await;
    assert_eq!(file.headers[header::CONTENT_TYPE], "application/pdf");
    let varnish = cited(&test, "For how many weeks does the varnish cure?").await;
    assert!(varnish["url"].as_str().unwrap().ends_with("#t=125"), "{varnish}");
    let page = browse(&test, &path(&varnish)).await;
    assert!(page.text.contains("id=\"t=125\"") && page.text.contains("2:05"), "{}", page.text);
}

#[tokio::test]
async fn a_player_shows_the_words_of_its_recording_to_those_who_may_see_them() {
    let test = TestApp::new().await;
    let tone = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/media/tone.mp4");
    let words = "WEBVTT\n\n00:01.000 --> 00:04.000\nThe varnish cures for 41 weeks.\n\n00:05.000 --> 00:07.000\nGloss & matt.\n";
    let item = neverafk::ingest::Item {
        captions: Some(words.into()),
        ..neverafk::ingest::Item::upload("talk.mp4", std::fs::read(tone).unwrap())
    };
    test.app.ingest().one(&TestApp::course(), item).await.unwrap();
    let talk = path(&cited(&test, "For how many weeks does the varnish cure?").await);
    // Neither the setting that shows quotations only nor an id alone gives all that is said.
    let refused = test.get(&below(&talk, "captions")).await;
    assert_eq!((refused.status, code(&refused)), (StatusCode::FORBIDDEN, "text_not_shown".into()));
    assert!(!browse(&test, &talk).await.text.contains("<track"));
    let bare = talk.split('?').next().unwrap();
    assert_eq!(test.get(&format!("{bare}/captions")).await.status, StatusCode::NOT_FOUND);

    let_see(&test, "original").await;
    let page = browse(&test, &talk).await.text;
    let track = page.split("<track").nth(1).unwrap().split('>').next().unwrap();
    assert!(track.contains("kind=\"captions\"") && track.contains("label=\"Captions\""), "{track}");
    let address = track.split("src=\"").nth(1).unwrap().split('"').next().unwrap();
    let address = address.replace("&amp;", "&").replace("&#x2f;", "/");
    assert!(address.starts_with(&format!("{bare}/captions?")), "{address}");
    let reply = test.get(&address).await;
    assert_eq!(reply.headers[header::CONTENT_TYPE], "text/vtt; charset=utf-8");
    assert!(reply.text.starts_with("WEBVTT\n\n00:00:01.000 --> 00:00:04.000\nThe varnish"), "{}", reply.text);
    assert!(reply.text.contains("&amp;") && !reply.text.contains('<'), "{}", reply.text);

    // A text has no times.
    let item = neverafk::ingest::Item::upload("refunds.txt", REFUNDS.as_bytes().to_vec());
    test.app.ingest().one(&TestApp::course(), item).await.unwrap();
    let refunds = path(&cited(&test, QUESTION).await);
    let none = test.get(&below(&refunds, "captions")).await;
    assert_eq!((none.status, code(&none)), (StatusCode::NOT_FOUND, "no_captions".into()));
}
