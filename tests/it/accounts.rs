//! People at the door: the first account, signing in, forms of other sites, sessions, roles, and creators kept apart.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::Stdio;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use neverafk::accounts::{Attempt, NewUser, Secret};
use neverafk::app::{now, secret, user_id};
use neverafk::domain::Role;
use neverafk::http::DASHBOARD_ROUTES;
use serde_json::json;

use crate::support::{Desk, Reply, TestApp, said};

const HOST: &str = "127.0.0.1:8000";
const ORIGIN: &str = "http://127.0.0.1:8000";
pub const PASSWORD: &str = "violet tide nine";

/// A browser that is signed in.
pub struct Browser<'a> {
    test: &'a TestApp,
    pub secret: Secret,
}

impl<'a> Browser<'a> {
    /// Of somebody with this role at a creator.
    pub async fn of(test: &'a TestApp, email: &str, creator: &str, role: Role) -> Self {
        let new = NewUser {
            email: email.parse().unwrap(),
            name: "",
            password: PASSWORD,
            roles: BTreeMap::from([(creator.parse().unwrap(), role)]),
        };
        test.app.accounts().add(new, user_id().unwrap(), now()).await.unwrap();
        let secret = secret().unwrap();
        let attempt = Attempt { email, password: PASSWORD, address: "" };
        test.app.accounts().sign_in(attempt, &secret, now()).await.unwrap();
        Self { test, secret }
    }

    pub fn cookie(&self) -> String {
        format!("neverafk_session={}", self.secret.to_text())
    }

    pub async fn get(&self, path: &str) -> Reply {
        let request = Request::get(path).header(header::HOST, HOST).header(header::COOKIE, self.cookie());
        self.test.send(request.body(Body::empty()).unwrap()).await
    }

    /// Sends a form as our own page would.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let csrf = self.secret.csrf();
        let mut all = vec![("csrf", csrf.as_str())];
        all.extend_from_slice(fields);
        let request = form(path, ORIGIN).header(header::COOKIE, self.cookie());
        self.test.send(request.body(Body::from(encoded(&all))).unwrap()).await
    }
}

fn encoded(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

fn form(path: &str, origin: &str) -> axum::http::request::Builder {
    Request::post(path)
        .header(header::HOST, HOST)
        .header(header::ORIGIN, origin)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
}

/// A form of somebody who is not signed in.
pub async fn submit(test: &TestApp, path: &str, fields: &[(&str, &str)]) -> Reply {
    test.send(form(path, ORIGIN).body(Body::from(encoded(fields))).unwrap()).await
}

pub fn location(reply: &Reply) -> &str {
    reply.headers[header::LOCATION].to_str().unwrap()
}

#[tokio::test]
async fn the_first_link_makes_the_owner_once() {
    let test = TestApp::new().await;
    let first = secret().unwrap();
    assert!(test.app.accounts().offer_first(&first).await.unwrap());
    assert_eq!(test.get("/setup?token=0").await.status, StatusCode::FORBIDDEN);
    let token = first.to_text();
    let page = test.get(&format!("/setup?token={token}")).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("course"), "it says whose assistant it is");

    let send = async |password: &str| {
        let fields = [("token", token.as_str()), ("email", "anna@x.example"), ("password", password)];
        submit(&test, "/setup", &fields).await
    };
    let short = send("short").await;
    assert_eq!(short.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        short.text.contains("anna@x.example") && !short.text.contains("short\""),
        "what was typed stays, the password does not"
    );
    let made = send(PASSWORD).await;
    assert_eq!((made.status, location(&made)), (StatusCode::SEE_OTHER, "/dashboard"), "{}", made.text);
    let cookie = made.headers[header::SET_COOKIE].to_str().unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
    let request = Request::get("/dashboard/course").header(header::COOKIE, cookie.split(';').next().unwrap());
    assert_eq!(test.send(request.body(Body::empty()).unwrap()).await.status, StatusCode::OK);
    assert_eq!(send(PASSWORD).await.status, StatusCode::FORBIDDEN);
    assert!(!test.app.accounts().offer_first(&first).await.unwrap());
}

#[tokio::test]
async fn an_empty_server_gets_its_creator_with_the_first_account() {
    let test = TestApp::new().await;
    test.app.remove_creator(&TestApp::course()).await.unwrap();
    let first = secret().unwrap();
    test.app.accounts().offer_first(&first).await.unwrap();
    let token = first.to_text();
    let fields = |course| {
        vec![
            ("token", token.as_str()),
            ("email", "anna@x.example"),
            ("password", PASSWORD),
            ("creator", course),
        ]
    };
    let nameless = submit(&test, "/setup", &fields(" ")).await;
    assert_eq!(nameless.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(submit(&test, "/setup", &fields("Eight Clear Nights")).await.status, StatusCode::SEE_OTHER);
    let creators = test.app.store().creators().await.unwrap();
    assert_eq!(
        (creators[0].id.as_str(), creators[0].name.as_str()),
        ("eight-clear-nights", "Eight Clear Nights")
    );
}

#[tokio::test]
async fn signing_in_gives_a_new_session_and_signing_out_ends_it() {
    let test = TestApp::new().await;
    let old = Browser::of(&test, "anna@x.example", "course", Role::Owner).await;
    let asked = test.get("/dashboard/course/content").await;
    assert_eq!(
        (asked.status, location(&asked)),
        (StatusCode::SEE_OTHER, "/login?next=%2Fdashboard%2Fcourse%2Fcontent")
    );

    let fields = [("email", "Anna@X.example"), ("password", PASSWORD), ("next", "/dashboard/course/content")];
    let request = form("/login", ORIGIN).header(header::COOKIE, old.cookie());
    let entered = test.send(request.body(Body::from(encoded(&fields))).unwrap()).await;
    assert_eq!((entered.status, location(&entered)), (StatusCode::SEE_OTHER, "/dashboard/course/content"));
    let cookie = entered.headers[header::SET_COOKIE].to_str().unwrap();
    assert!(!cookie.contains(&old.secret.to_text()), "the secret of before is not used again");
    assert_eq!(old.get("/account").await.status, StatusCode::SEE_OTHER, "and has ended");

    let text = cookie.split(['=', ';']).nth(1).unwrap();
    let new = Browser { test: &test, secret: Secret::parse(text).unwrap() };
    assert_eq!(new.get("/dashboard/course/content").await.status, StatusCode::OK);
    let left = new.post("/logout", &[]).await;
    assert_eq!((left.status, location(&left)), (StatusCode::SEE_OTHER, "/login"));
    assert!(left.headers[header::SET_COOKIE].to_str().unwrap().contains("Max-Age=0"));
    assert_eq!(new.get("/account").await.status, StatusCode::SEE_OTHER);

    let request = form("/login", "https://127.0.0.1:8000");
    let entered = test.send(request.body(Body::from(encoded(&fields))).unwrap()).await;
    let cookie = entered.headers[header::SET_COOKIE].to_str().unwrap();
    assert!(cookie.starts_with("__Host-neverafk=") && cookie.ends_with("; Secure"), "{cookie}");
}

#[tokio::test]
async fn guesses_are_refused_alike_and_then_slowed() {
    let test = TestApp::new().await;
    Browser::of(&test, "anna@x.example", "course", Role::Owner).await;
    let mut texts = Vec::new();
    for (email, tries) in [("anna@x.example", 5), ("nobody@x.example", 1)] {
        for _ in 0..tries {
            let reply = submit(&test, "/login", &[("email", email), ("password", "wrong guess")]).await;
            assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
            texts.push(reply.text.replace(email, ""));
        }
    }
    assert!(texts.windows(2).all(|pair| pair[0] == pair[1]), "who has an account is not told");
    let reply = submit(&test, "/login", &[("email", "anna@x.example"), ("password", PASSWORD)]).await;
    assert_eq!(reply.status, StatusCode::TOO_MANY_REQUESTS);
    let wait: u64 = reply.headers[header::RETRY_AFTER].to_str().unwrap().parse().unwrap();
    assert!((1..=3).contains(&wait), "{wait}");
}

#[tokio::test]
async fn forms_of_other_sites_change_nothing() {
    let test = TestApp::new().await;
    let browser = Browser::of(&test, "anna@x.example", "course", Role::Owner).await;
    let path = "/dashboard/course/keys";
    let right = browser.secret.csrf();
    for (origin, token, why) in [
        ("https://evil.example", right.as_str(), "another origin"),
        ("null", right.as_str(), "a hidden origin"),
        (ORIGIN, "", "no token"),
        (ORIGIN, &Secret::from_bytes([1; 32]).csrf(), "another session's token"),
    ] {
        let fields = [("csrf", token), ("name", "x")];
        let request = form(path, origin).header(header::COOKIE, browser.cookie());
        let reply = test.send(request.body(Body::from(encoded(&fields))).unwrap()).await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN, "{why}");
    }
    let json = Request::post(path).header(header::HOST, HOST).header(header::ORIGIN, ORIGIN);
    let json = json.header(header::CONTENT_TYPE, "application/json").header(header::COOKIE, browser.cookie());
    let reply = test.send(json.body(Body::from(format!("{{\"csrf\":\"{right}\"}}"))).unwrap()).await;
    assert_eq!(reply.status, StatusCode::FORBIDDEN, "a body that is no form");
    for path in ["/login", "/setup"] {
        let fields = [("email", "anna@x.example"), ("password", PASSWORD)];
        let request = form(path, "https://evil.example");
        let reply = test.send(request.body(Body::from(encoded(&fields))).unwrap()).await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN, "{path}");
    }
    assert_eq!(test.app.store().keys(None).await.unwrap().len(), 1, "only the test's own");
    let made = browser.post(path, &[("name", "my script")]).await;
    assert_eq!(made.status, StatusCode::OK);
    let key = made.text.split("nafk_").nth(1).unwrap().split('<').next().unwrap();
    assert_eq!(test.get_as("/api/v1/documents", &format!("nafk_{key}")).await.status, StatusCode::OK);
}

/// Every route behind the gate, and who may use it: owner, editor, agent.
const WHO: &[(&str, &str, [bool; 3])] = &[
    ("GET", "/dashboard", [true, true, true]),
    ("GET", "/account", [true, true, true]),
    ("POST", "/account/password", [true, true, true]),
    ("POST", "/account/sessions", [true, true, true]),
    ("GET", "/dashboard/{creator}", [true, true, true]),
    ("GET", "/dashboard/{creator}/inbox", [true, true, true]),
    ("GET", "/dashboard/{creator}/inbox/{conversation}", [true, true, true]),
    ("POST", "/dashboard/{creator}/inbox/{conversation}", [true, true, true]),
    ("POST", "/dashboard/{creator}/replies", [true, true, true]),
    ("GET", "/dashboard/{creator}/content", [true, true, true]),
    ("POST", "/dashboard/{creator}/content", [true, true, false]),
    ("POST", "/dashboard/{creator}/content/{document}/delete", [true, true, false]),
    ("POST", "/dashboard/{creator}/sources", [true, true, false]),
    ("POST", "/dashboard/{creator}/sources/{source}", [true, true, false]),
    ("POST", "/dashboard/{creator}/jobs/{job}", [true, true, false]),
    ("GET", "/dashboard/{creator}/conversations", [true, true, true]),
    ("GET", "/dashboard/{creator}/conversations/{conversation}", [true, true, true]),
    ("POST", "/dashboard/{creator}/conversations/{conversation}/correct", [true, true, false]),
    ("GET", "/dashboard/{creator}/insights", [true, true, true]),
    ("GET", "/dashboard/{creator}/insights.csv", [true, true, true]),
    ("GET", "/dashboard/{creator}/experiments", [true, true, true]),
    ("POST", "/dashboard/{creator}/experiments", [true, false, false]),
    ("POST", "/dashboard/{creator}/experiments/{experiment}", [true, false, false]),
    ("GET", "/dashboard/{creator}/voice", [true, true, false]),
    ("POST", "/dashboard/{creator}/voice", [true, true, false]),
    ("POST", "/dashboard/{creator}/voice/phrases", [true, true, false]),
    ("POST", "/dashboard/{creator}/voice/rules", [true, true, false]),
    ("POST", "/dashboard/{creator}/voice/avatar", [true, true, false]),
    ("POST", "/dashboard/{creator}/voice/avatar/remove", [true, true, false]),
    ("GET", "/dashboard/{creator}/widget", [true, true, false]),
    ("POST", "/dashboard/{creator}/origins", [true, false, false]),
    ("POST", "/dashboard/{creator}/keys", [true, false, false]),
    ("POST", "/dashboard/{creator}/keys/{key}/revoke", [true, false, false]),
    ("GET", "/dashboard/{creator}/models", [true, false, false]),
    ("POST", "/dashboard/{creator}/models", [true, false, false]),
    ("GET", "/dashboard/{creator}/models/pulls", [true, false, false]),
    ("POST", "/dashboard/{creator}/models/try", [true, false, false]),
    ("POST", "/dashboard/{creator}/models/pull", [false, false, false]),
    ("GET", "/dashboard/{creator}/webhooks", [true, false, false]),
    ("POST", "/dashboard/{creator}/webhooks", [true, false, false]),
    ("POST", "/dashboard/{creator}/webhooks/{webhook}", [true, false, false]),
    ("GET", "/dashboard/{creator}/data", [true, false, false]),
    ("POST", "/dashboard/{creator}/data/privacy", [true, false, false]),
    ("POST", "/dashboard/{creator}/data/erase", [true, false, false]),
    ("GET", "/account/authenticator", [true, true, true]),
    ("POST", "/account/authenticator", [true, true, true]),
    ("POST", "/account/authenticator/remove", [true, true, true]),
    ("GET", "/dashboard/{creator}/team", [true, true, false]),
    ("POST", "/dashboard/{creator}/team", [true, false, false]),
    ("POST", "/dashboard/{creator}/team/{user}", [true, false, false]),
    // For those who own every assistant of the server, which nobody here does; `pages.rs` has one who does.
    ("GET", "/dashboard/{creator}/system", [false, false, false]),
    ("POST", "/dashboard/{creator}/system/backup", [false, false, false]),
    ("POST", "/dashboard/{creator}/system/mails", [false, false, false]),
    ("GET", "/dashboard/{creator}/record", [true, false, false]),
    ("GET", "/dashboard/{creator}/billing", [true, false, false]),
    ("GET", "/dashboard/{creator}/billing/ledger.csv", [true, false, false]),
    ("POST", "/dashboard/{creator}/billing/checkout", [true, false, false]),
    ("POST", "/dashboard/{creator}/billing/portal", [true, false, false]),
    // Last: it ends the session.
    ("POST", "/logout", [true, true, true]),
];

#[tokio::test]
async fn every_route_lets_in_whom_it_should() {
    for rule in DASHBOARD_ROUTES {
        assert!(
            WHO.iter().any(|(method, path, _)| (*method, *path) == (rule.method, rule.path)),
            "{rule:?} is not tested"
        );
    }
    let test = TestApp::with(&[("refunds.txt", "You can ask for a refund within 23 days.")]).await;
    test.app.add_creator("other".parse().unwrap(), None).await.unwrap();
    let nothing = "0".repeat(26);
    let at = |path: &str, creator: &str| {
        let path = path.replace("{creator}", creator).replace("{document}", &nothing);
        path.replace("{conversation}", &nothing)
            .replace("{key}", "none")
            .replace("{user}", &nothing)
            .replace("{webhook}", &nothing)
            .replace("{source}", &nothing)
            .replace("{job}", &nothing)
            .replace("{experiment}", &nothing)
    };
    for (place, role) in [Role::Owner, Role::Editor, Role::Agent].into_iter().enumerate() {
        let browser = Browser::of(&test, &format!("{role}@x.example"), "course", role).await;
        for (method, path, who) in WHO {
            let ask = async |creator: &str| match *method {
                "GET" => browser.get(&at(path, creator)).await,
                _ => browser.post(&at(path, creator), &[]).await,
            };
            let status = ask("course").await.status;
            if who[place] {
                assert!(
                    status != StatusCode::FORBIDDEN && !status.is_server_error(),
                    "{role} {method} {path}: {status}"
                );
            } else {
                assert_eq!(status, StatusCode::FORBIDDEN, "{role} {method} {path}");
            }
            if path.contains("{creator}") {
                for creator in ["other", "nobody", "..%2Fcourse"] {
                    assert_eq!(
                        ask(creator).await.status,
                        StatusCode::NOT_FOUND,
                        "{role} {method} {path} of {creator}"
                    );
                }
            }
            if *method == "GET" {
                let stranger = test.get(&at(path, "course")).await;
                assert_eq!(stranger.status, StatusCode::SEE_OTHER, "{path} without a session");
                assert!(location(&stranger).starts_with("/login"));
            } else {
                let stranger = submit(&test, &at(path, "course"), &[("csrf", "0")]).await;
                assert_eq!(stranger.status, StatusCode::UNAUTHORIZED, "{path} without a session");
            }
        }
    }
    assert_eq!(test.app.store().documents(&TestApp::course()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_another_creators_is_not_there() {
    let test = TestApp::with(&[("refunds.txt", "You can ask for a refund within 23 days.")]).await;
    test.app.add_creator("other".parse().unwrap(), None).await.unwrap();
    let answer = test.chat("How many days do I have to ask for a refund?").await;
    let conversation = answer["conversation_id"].as_str().unwrap();
    let document = test.app.store().documents(&TestApp::course()).await.unwrap().remove(0).id;
    let key = test.app.store().keys(None).await.unwrap().remove(0).id;
    let stranger = Browser::of(&test, "ben@x.example", "other", Role::Owner).await;
    for path in [format!("content/{document}/delete"), format!("keys/{key}/revoke")] {
        let reply = stranger.post(&format!("/dashboard/other/{path}"), &[]).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND, "{path}");
    }
    let reply = stranger.get(&format!("/dashboard/other/conversations/{conversation}")).await;
    assert_eq!(reply.status, StatusCode::NOT_FOUND);
    assert!(!stranger.get("/dashboard/other/conversations?q=refund").await.text.contains("23 days"));
    assert_eq!(
        test.get_as("/api/v1/documents", &test.key).await.json()["documents"].as_array().unwrap().len(),
        1
    );

    let owner = Browser::of(&test, "anna@x.example", "course", Role::Owner).await;
    let page = owner.get(&format!("/dashboard/course/conversations/{conversation}")).await;
    assert!(page.text.contains("within 23 days") && page.text.contains("refunds"), "{}", page.text);
    let gone = owner.post(&format!("/dashboard/course/content/{document}/delete"), &[]).await;
    assert_eq!(gone.status, StatusCode::SEE_OTHER);
    assert!(test.app.store().documents(&TestApp::course()).await.unwrap().is_empty());
    let events = test.app.store().events(Some(&TestApp::course()), 9).await.unwrap();
    assert_eq!((events[0].what.as_str(), events[0].who.as_str()), ("content.deleted", "anna@x.example"));
}

#[tokio::test]
async fn pages_are_ours_alone_and_small() {
    let test = TestApp::with(&[("refunds.txt", "You can ask for a <b>refund</b> within 23 days.")]).await;
    test.chat("How many days do I have to ask for a refund? <script>alert(1)</script>").await;
    let browser = Browser::of(&test, "anna@x.example", "course", Role::Owner).await;
    let mut pages = vec![test.get("/login").await];
    for path in [
        "",
        "/inbox",
        "/content",
        "/conversations",
        "/insights",
        "/experiments",
        "/voice",
        "/widget",
        "/models",
        "/webhooks",
        "/data",
        "/team",
        "/record",
        "/system",
    ] {
        pages.push(browser.get(&format!("/dashboard/course{path}")).await);
    }
    pages.push(browser.get("/account").await);
    pages.push(browser.get("/account/authenticator").await);
    let extra: usize = {
        let style = test.get("/assets/dashboard/dashboard.css").await;
        let script = test.get("/assets/dashboard/dashboard.js").await;
        let live = test.get("/assets/dashboard/live.js").await;
        assert_eq!([style.status, script.status, live.status], [StatusCode::OK; 3]);
        style.text.len() + script.text.len() + live.text.len()
    };
    for page in &pages {
        assert_eq!(page.status, StatusCode::OK);
        let policy = page.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'self'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(page.headers[header::REFERRER_POLICY], "same-origin");
        assert_eq!(page.headers[header::CACHE_CONTROL], "no-store");
        for inline in ["<script>", "<style", " style=", " onclick=", "javascript:"] {
            assert!(!page.text.contains(inline), "{inline} in {}", page.text);
        }
        assert!(page.text.len() + extra < 150_000);
    }
}

#[tokio::test]
async fn a_page_takes_files_and_says_what_is_wrong_with_them() {
    let test = TestApp::new().await;
    let browser = Browser::of(&test, "anna@x.example", "course", Role::Editor).await;
    let send = async |token: &str, name: &str| {
        let (kind, body) = crate::support::form(name, b"You can ask for a refund within 23 days.");
        let request = Request::post("/dashboard/course/content")
            .header(header::HOST, HOST)
            .header(header::ORIGIN, ORIGIN)
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, kind)
            .header("x-csrf-token", token)
            .header(header::COOKIE, browser.cookie());
        test.send(request.body(Body::from(body)).unwrap()).await
    };
    let refused = send("0", "a.txt").await;
    assert_eq!(
        (refused.status, &refused.json()["error"]["code"]),
        (StatusCode::FORBIDDEN, &json!("form_too_old"))
    );
    let csrf = browser.secret.csrf();
    let added = send(&csrf, "a.txt").await;
    assert_eq!(added.status, StatusCode::OK, "{}", added.text);
    assert_eq!(added.json()["passages"], 1);
    let unread = send(&csrf, "a.pdf").await;
    assert!(unread.status == StatusCode::OK || unread.json()["error"]["hint"].is_string(), "{}", unread.text);
    assert!(browser.get("/dashboard/course/content?q=a.txt").await.text.contains("a.txt"));
}

#[tokio::test]
async fn origins_are_set_by_the_owner_and_checked() {
    let test = TestApp::new().await;
    let owner = Browser::of(&test, "anna@x.example", "course", Role::Owner).await;
    let wrong = owner.post("/dashboard/course/origins", &[("origins", "school.example")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.text.contains("school.example"), "what was typed stays");
    let list = "https://school.example/\n\n http://localhost:3000 ";
    assert_eq!(
        owner.post("/dashboard/course/origins", &[("origins", list)]).await.status,
        StatusCode::SEE_OTHER
    );
    let settings = test.get_as("/api/v1/settings", &test.key).await.json();
    assert_eq!(settings["allowed_origins"], json!(["https://school.example", "http://localhost:3000"]));
}

#[tokio::test]
async fn a_new_password_ends_the_other_sessions() {
    let test = TestApp::new().await;
    let browser = Browser::of(&test, "anna@x.example", "course", Role::Owner).await;
    let elsewhere = secret().unwrap();
    let attempt = Attempt { email: "anna@x.example", password: PASSWORD, address: "" };
    test.app.accounts().sign_in(attempt, &elsewhere, now()).await.unwrap();
    let change = async |current, password| {
        browser.post("/account/password", &[("current", current), ("password", password)]).await.status
    };
    assert_eq!(change("wrong guess", "another violet tide").await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(change(PASSWORD, "short").await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(change(PASSWORD, "another violet tide").await, StatusCode::SEE_OTHER);
    assert_eq!(browser.get("/account").await.status, StatusCode::OK);
    let elsewhere = Browser { test: &test, secret: elsewhere };
    assert_eq!(elsewhere.get("/account").await.status, StatusCode::SEE_OTHER);
}

#[test]
fn people_are_let_in_and_out_in_the_terminal() {
    let desk = Desk::new();
    desk.creator();
    let made = desk.json(&["user", "add", "Anna@X.example", "--creator", "course", "--name", "Anna"]);
    assert_eq!((&made["email"], &made["roles"]), (&json!("anna@x.example"), &json!({"course": "owner"})));
    assert_eq!(made["password"].as_str().unwrap().len(), 23);
    assert!(!desk.ok(&["user", "list", "--json"]).contains("argon2"), "hashes are not shown");

    let mut command = desk.command(&[
        "user",
        "add",
        "ben@x.example",
        "--creator",
        "course",
        "--role",
        "agent",
        "--password-stdin",
        "--json",
    ]);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"violet tide nine\n").unwrap();
    let reply = said(child.wait_with_output().unwrap());
    assert_eq!(reply.code, 0, "{}", reply.err);
    assert!(!reply.out.contains("violet"));

    desk.ok(&["creator", "add", "second"]);
    desk.ok(&["user", "add", "ben@x.example", "--creator", "second", "--role", "editor"]);
    let users = desk.json(&["user", "list"])["users"].clone();
    assert_eq!(users[1]["roles"], json!({"course": "agent", "second": "editor"}));
    assert_eq!(desk.json(&["user", "list", "--creator", "second"])["users"].as_array().unwrap().len(), 1);
    assert!(desk.refused(&["user", "remove", "anna@x.example"]).contains("no owner left"));
    desk.ok(&["user", "remove", "ben@x.example", "--creator", "course"]);
    desk.ok(&["user", "passwd", "ben@x.example"]);
    desk.ok(&["user", "remove", "ben@x.example"]);
    for wrong in [
        &["user", "add", "no address", "--creator", "course"][..],
        &["user", "add", "c@x.example", "--creator", "nobody"],
        &["user", "add", "c@x.example", "--creator", "course", "--role", "king"],
        &["user", "passwd", "nobody@x.example"],
        &["user", "remove", "ben@x.example"],
    ] {
        desk.refused(wrong);
    }
    assert_eq!(desk.json(&["user", "list"])["users"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_invitation_lets_one_person_in_once() {
    let test = TestApp::new().await;
    let owner = Browser::of(&test, "anna@x.example", "course", Role::Owner).await;
    let wrong = owner.post("/dashboard/course/team", &[("email", "ben"), ("role", "editor")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let invite = async |email: &str, role: &str| {
        let made = owner.post("/dashboard/course/team", &[("email", email), ("role", role)]).await;
        made.text.split("/join?token=").nth(1).unwrap()[..64].to_owned()
    };
    let token = invite("ben@x.example", "editor").await;
    let page = test.get(&format!("/join?token={token}")).await;
    assert!(page.status == StatusCode::OK && page.text.contains("ben@x.example"), "{}", page.text);
    let join = async |token: &str, password: &str| {
        submit(&test, "/join", &[("token", token), ("name", "Ben"), ("password", password)]).await
    };
    assert_eq!(join(&token, "short").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(location(&join(&token, PASSWORD).await), "/dashboard/course");
    assert_eq!(join(&token, PASSWORD).await.status, StatusCode::FORBIDDEN, "it works once");
    let ben = test.app.store().user_by_email(&"ben@x.example".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(ben.roles[&TestApp::course()], Role::Editor);

    // Who has an account proves it with the password, and keeps what they are elsewhere.
    test.app.add_creator("other".parse().unwrap(), None).await.unwrap();
    let other = Browser::of(&test, "carla@x.example", "other", Role::Owner).await;
    let token = invite("carla@x.example", "agent").await;
    assert_eq!(join(&token, "not her password").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(join(&token, PASSWORD).await.status, StatusCode::SEE_OTHER);
    assert_eq!(other.get("/dashboard/course/content").await.status, StatusCode::OK);
    assert_eq!(other.get("/dashboard/other/data").await.status, StatusCode::OK);

    let change = async |id: &str, role: &str| {
        owner.post(&format!("/dashboard/course/team/{id}"), &[("role", role)]).await.status
    };
    assert_eq!(change(ben.id.as_str(), "none").await, StatusCode::SEE_OTHER);
    assert!(test.app.store().user(&ben.id).await.unwrap().is_none());
    let anna = test.app.store().user_by_email(&"anna@x.example".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(change(anna.id.as_str(), "agent").await, StatusCode::CONFLICT, "somebody must own it");
    let record = owner.get("/dashboard/course/record").await.text;
    for word in ["invited", "joined as", "took off the team", "ben@x.example"] {
        assert!(record.contains(word), "{word}");
    }
}

#[tokio::test]
async fn an_authenticator_guards_the_second_step() {
    let test = TestApp::new().await;
    let browser = Browser::of(&test, "anna@x.example", "course", Role::Owner).await;
    let page = browser.get("/account/authenticator").await.text;
    let secret = page.split("name=\"secret\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let wrong = browser.post("/account/authenticator", &[("secret", &secret), ("code", "12345")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.text.contains(&secret), "the same picture stays");

    let (codes, recovery) = neverafk::accounts::totp::recovery(&Secret::from_bytes([4; 32]));
    let factor = neverafk::store::SecondFactor { secret: vec![1; 20], recovery, last_step: 0 };
    let anna = test.app.store().users().await.unwrap().remove(0);
    test.app.store().change_user(&anna.id, move |user| user.second = Some(factor.clone())).await.unwrap();
    let first =
        submit(&test, "/login", &[("email", "anna@x.example"), ("password", PASSWORD), ("next", "/account")])
            .await;
    assert_eq!(first.status, StatusCode::OK);
    assert!(!first.headers.contains_key(header::SET_COOKIE));
    let ticket = first.text.split("name=\"ticket\" value=\"").nth(1).unwrap()[..64].to_owned();
    let enter = async |code: &str| {
        submit(&test, "/login/code", &[("ticket", &ticket), ("code", code), ("next", "/account")]).await
    };
    assert_eq!(enter("000000").await.status, StatusCode::UNAUTHORIZED);
    let entered = enter(&codes[0]).await;
    assert_eq!((entered.status, location(&entered)), (StatusCode::SEE_OTHER, "/account"));
    assert!(entered.headers.contains_key(header::SET_COOKIE));
    assert_eq!(location(&enter(&codes[1]).await), "/login", "the ticket is gone");
    let kept = browser.post("/account/authenticator/remove", &[("password", "wrong guess")]).await;
    assert_eq!(kept.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        browser.post("/account/authenticator/remove", &[("password", PASSWORD)]).await.status,
        StatusCode::SEE_OTHER
    );
    assert!(test.app.store().user(&anna.id).await.unwrap().unwrap().second.is_none());
}

#[tokio::test]
async fn a_key_opens_what_its_scopes_say_until_it_expires() {
    use neverafk::domain::{Scope, Timestamp};
    let test = TestApp::new().await;
    let key = async |scopes: &[Scope], expires_at: Option<Timestamp>| {
        let course = TestApp::course();
        test.app.create_key_for(&course, String::new(), scopes.to_vec(), expires_at).await.unwrap().1
    };
    let status = async |key: &str| {
        let patched = test.patch_as("/api/v1/settings", json!({}), key).await.status;
        [
            test.get_as("/v1/models", key).await.status,
            test.get_as("/api/v1/documents", key).await.status,
            patched,
        ]
    };
    let (ok, no, unknown) = (StatusCode::OK, StatusCode::FORBIDDEN, StatusCode::UNAUTHORIZED);
    assert_eq!(status(&key(&[], None).await).await, [ok, ok, ok]);
    assert_eq!(status(&key(&[Scope::Ask], None).await).await, [ok, no, no]);
    assert_eq!(status(&key(&[Scope::Read], None).await).await, [no, ok, no]);
    assert_eq!(status(&key(&[Scope::Write, Scope::Read], None).await).await, [no, ok, ok]);
    assert_eq!(status(&key(&[], Some(Timestamp(now().0 + 60_000))).await).await, [ok, ok, ok]);
    assert_eq!(status(&key(&[], Some(Timestamp(now().0))).await).await, [unknown, unknown, unknown]);
}
