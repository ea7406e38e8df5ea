//! Mails: links for new passwords, invitations, conversations that need a person and replies to students who are gone; what
//! a mail server that behaves badly changes, which is when they arrive and nothing else.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use neverafk::app::{App, now};
use neverafk::config::{Config, Flags};
use neverafk::domain::{ConversationId, DeliveryState, MailId, Role, Timestamp};
use neverafk::events::outbox::{self, Outbox};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::accounts::{Browser, PASSWORD, location, submit};
use crate::support::post::{LOGIN, Manner, Post, Taken};
use crate::support::wire::Socket;
use crate::support::{Desk, TestApp};

const URL: &str = "http://127.0.0.1:8000";
const UNKNOWN: &str = "Who painted the ceiling of the Sistine Chapel?";
const A_DAY: u64 = 24 * 60 * 60 * 1000;

fn environment(post: &Post, more: &[(&str, &str)]) -> Vec<(String, String)> {
    let port = post.port.to_string();
    let mut all = vec![
        ("NEVERAFK_SERVER__PUBLIC_URL", URL),
        ("NEVERAFK_MAIL__HOST", "127.0.0.1"),
        ("NEVERAFK_MAIL__PORT", &port),
        ("NEVERAFK_MAIL__SECURITY", "none"),
        ("NEVERAFK_MAIL__USERNAME", LOGIN.0),
        ("NEVERAFK_MAIL__PASSWORD", LOGIN.1),
        ("NEVERAFK_MAIL__FROM", "School <help@school.example>"),
        ("NEVERAFK_MAIL__TIMEOUT_MS", "1500"),
    ];
    all.extend_from_slice(more);
    all.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

async fn app(post: &Post) -> TestApp {
    let test = TestApp::configured(&environment(post, &[])).await;
    test.app.tell_people_by_mail().await.unwrap();
    test
}

/// Sends until the guard is dropped.
fn at_work(app: &App) -> tokio_util::sync::DropGuard {
    let stop = CancellationToken::new();
    tokio::spawn(outbox::run(app.mailer().unwrap().unwrap(), stop.clone()));
    stop.drop_guard()
}

/// Gives everything that waits one try, without waiting for its time; gives how many there were.
async fn try_all(app: &App) -> usize {
    let mailer = app.mailer().unwrap().unwrap();
    let due = app.store().claim_mails(Timestamp(now().0 + 30 * A_DAY), 1, 99).await.unwrap();
    let count = due.len();
    for mail in due {
        mailer.send(mail).await.unwrap();
    }
    count
}

async fn ask(test: &TestApp, email: &str) -> crate::support::Reply {
    submit(test, "/forgot", &[("email", email)]).await
}

/// A conversation that needs a person, with an address left in it.
async fn escalated(test: &TestApp, name: &str, email: &str) -> (Value, String) {
    let asked = test.chat(UNKNOWN).await;
    let id = asked["conversation_id"].as_str().unwrap().to_owned();
    let contact = json!({"creator_id": "course", "conversation_id": id, "email": email, "name": name,
                         "conversation_token": asked["conversation_token"]});
    assert_eq!(test.post("/chat/contact", contact).await.status, StatusCode::OK);
    let path = format!("/dashboard/course/inbox/{id}");
    (asked, path)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forgotten_password_is_renewed_by_mail() {
    let post = Post::start(&[Manner::Takes]);
    let test = app(&post).await;
    let anna = Browser::of(&test, "anna@x.example", "course", Role::Owner).await;
    let door = test.get("/login").await.text;
    assert!(door.contains("href=\"/forgot\"") && !door.contains("user passwd"), "{door}");
    assert_eq!(test.get("/forgot").await.status, StatusCode::OK);
    let _work = at_work(&test.app);

    // Whoever asks learns nothing, and a request that names another server changes no link.
    let (none, one) = (ask(&test, "nobody@x.example").await, ask(&test, "Anna@X.example").await);
    assert_eq!((none.status, one.status), (StatusCode::OK, StatusCode::OK));
    assert_eq!(none.text.replace("nobody@x.example", ""), one.text.replace("Anna@X.example", ""));
    let evil = Request::post("/forgot")
        .header(header::HOST, "evil.example")
        .header(header::ORIGIN, "https://evil.example")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    test.send(evil.body(Body::from("email=anna%40x.example")).unwrap()).await;

    let mail = post.wait_for(1).await.remove(0);
    assert_eq!(
        (mail.from.as_str(), mail.to.as_slice()),
        ("help@school.example", &["anna@x.example".to_owned()][..])
    );
    assert!(mail.head().contains(&"Auto-Submitted: auto-generated"), "{}", mail.data);
    assert!(mail.data.contains("Message-ID: <") && !mail.data.contains("List-"), "{}", mail.data);
    let token = mail.token("reset");
    assert!(mail.text().contains(&format!("{URL}/reset?token={token}")), "{}", mail.text());

    let path = format!("/reset?token={token}");
    for _ in 0..2 {
        let page = test.get(&path).await;
        assert!(page.status == StatusCode::OK && page.text.contains("anna@x.example"), "{}", page.text);
    }
    let choose = async |password: &str| {
        submit(&test, "/reset", &[("token", token.as_str()), ("password", password)]).await
    };
    let short = choose("short").await;
    assert_eq!(short.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", short.text);
    let done = choose("another violet tide").await;
    assert_eq!((done.status, location(&done)), (StatusCode::SEE_OTHER, "/dashboard"), "{}", done.text);
    assert!(done.headers.contains_key(header::SET_COOKIE));
    assert_eq!(choose("yet another violet tide").await.status, StatusCode::FORBIDDEN);
    assert_eq!(test.get(&path).await.status, StatusCode::FORBIDDEN);
    assert_ne!(anna.get("/account").await.status, StatusCode::OK, "other sessions have ended");
    let enter = async |password: &str| {
        submit(&test, "/login", &[("email", "anna@x.example"), ("password", password)]).await.status
    };
    assert_eq!(enter(PASSWORD).await, StatusCode::UNAUTHORIZED);
    assert_eq!(enter("another violet tide").await, StatusCode::SEE_OTHER);
    assert_eq!(post.taken().len(), 1, "one mail, however often it was asked within the minute");
}

#[tokio::test]
async fn without_a_mail_server_the_terminal_renews_passwords() {
    let test = TestApp::new().await;
    assert!(test.get("/login").await.text.contains("user passwd"));
    assert_eq!(test.get("/forgot").await.status, StatusCode::NOT_FOUND);
    assert_eq!(ask(&test, "anna@x.example").await.status, StatusCode::NOT_FOUND);
    assert!(test.app.mailer().unwrap().is_none());
    test.app.tell_people_by_mail().await.unwrap();
    Browser::of(&test, "anna@x.example", "course", Role::Owner).await;
    test.chat(UNKNOWN).await;
    assert_eq!(test.app.store().mail_counts().await.unwrap().waiting, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_behaves_badly_delays_mails_and_loses_none() {
    use Manner::{Busy, Cuts, Drips, Hangs, HangsAtGoodbye, KnowsNobody};
    let post = Post::start(&[Busy, Hangs, Drips, Cuts, KnowsNobody, HangsAtGoodbye]);
    let test = app(&post).await;
    let owner = Browser::of(&test, "anna@x.example", "course", Role::Owner).await;
    ask(&test, "anna@x.example").await;
    for (tries, word) in [(1, "451"), (2, "in time"), (3, "in time"), (4, "")] {
        assert_eq!(try_all(&test.app).await, 1, "{word}");
        let counts = test.app.store().mail_counts().await.unwrap();
        assert_eq!((counts.waiting, counts.given_up, counts.sent), (1, 0, 0), "{tries}");
        assert!(counts.last_fault.as_ref().unwrap().1.contains(word), "{word}: {counts:?}");
    }
    // What no further try makes better is given up, shown, and sent again by hand.
    assert_eq!(try_all(&test.app).await, 1);
    let page = owner.get("/dashboard/course/system").await.text;
    assert!(page.contains("1 were given up") && page.contains("nobody of this name"), "{page}");
    let again = owner.post("/dashboard/course/system/mails", &[]).await;
    assert_eq!(location(&again), "/dashboard/course/system?done=mails", "{}", again.text);
    assert!(owner.get(location(&again)).await.text.contains("They go out again."));
    assert!(post.taken().is_empty());
    assert_eq!(try_all(&test.app).await, 1);
    let counts = test.app.store().mail_counts().await.unwrap();
    assert_eq!((counts.waiting, counts.given_up, counts.sent), (0, 0, 1));
    let taken = post.taken();
    assert_eq!(taken.len(), 1, "a server that hangs once it has the mail gets it once");
    assert_eq!(test.get(&format!("/reset?token={}", taken[0].token("reset"))).await.status, StatusCode::OK);
    assert_eq!(try_all(&test.app).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_of_the_server_gives_no_mail_up() {
    let post = Post::start(&[Manner::Takes]);
    let test = TestApp::configured(&environment(&post, &[("NEVERAFK_MAIL__PASSWORD", "wrong")])).await;
    Browser::of(&test, "anna@x.example", "course", Role::Owner).await;
    ask(&test, "anna@x.example").await;
    assert_eq!(try_all(&test.app).await, 1);
    let counts = test.app.store().mail_counts().await.unwrap();
    assert_eq!((counts.waiting, counts.given_up), (1, 0));
    assert!(counts.last_fault.unwrap().1.contains("535"));
    let checks = neverafk::app::doctor::examine_running(&test.app).await;
    let mail = checks.iter().find(|check| check.name == "mail").unwrap();
    assert!(mail.found.contains("535") && !mail.found.contains("wrong"), "{mail:?}");
    let right = TestApp::configured(&environment(&post, &[])).await;
    let checks = neverafk::app::doctor::examine_running(&right.app).await;
    let mail = checks.iter().find(|check| check.name == "mail").unwrap();
    assert!(mail.found.contains("takes mail"), "{mail:?}");
    let privacy = checks.iter().find(|check| check.name == "privacy").unwrap();
    assert!(privacy.found.contains("mails go out through 127.0.0.1"), "{privacy:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mails_of_a_process_that_ended_go_out_with_the_next_one() {
    let post = Post::start(&[Manner::Takes]);
    let desk = Desk::new();
    let flags = Flags { data_dir: Some(desk.data()), ..Flags::default() };
    let config = || Config::resolve(&flags, &environment(&post, &[])).unwrap();
    let app = App::open(config()).await.unwrap();
    let new = neverafk::accounts::NewUser {
        email: "anna@x.example".parse().unwrap(),
        name: "Anna Ä",
        password: PASSWORD,
        roles: std::collections::BTreeMap::new(),
    };
    app.accounts().add(new, neverafk::app::user_id().unwrap(), now()).await.unwrap();
    app.accounts().ask_reset("anna@x.example", "192.0.2.1", now()).await.unwrap();
    // Claimed, and then the process is gone.
    assert_eq!(app.store().claim_mails(now(), 600_000, 9).await.unwrap().len(), 1);
    drop(app);
    let app = App::open(config()).await.unwrap();
    let _work = at_work(&app);
    let mail = post.wait_for(1).await.remove(0);
    assert_eq!(mail.to, ["anna@x.example"]);
    assert!(mail.data.is_ascii(), "{}", mail.data);
    let secret = neverafk::accounts::Secret::parse(&mail.token("reset")).unwrap();
    assert_eq!(app.accounts().resetting(&secret, now()).await.unwrap().name, "Anna Ä");
    // The link stands in the mail and in no file.
    let token = mail.token("reset");
    let file = std::fs::read(desk.data().join("neverafk.redb")).unwrap();
    assert!(!file.windows(token.len()).any(|window| window == token.as_bytes()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invitation_comes_by_mail_as_well_and_one_of_both_works() {
    let post = Post::start(&[Manner::Takes]);
    let test = app(&post).await;
    let evil = "Stars\r\nBcc: all@evil.example\r\n\r\nBuy".to_owned();
    test.app.store().update_creator(&TestApp::course(), Some(evil), None).await.unwrap();
    let owner = Browser::of(&test, "anna@x.example", "course", Role::Owner).await;
    let fields = [("email", "ben@x.example"), ("role", "agent")];
    let shown = owner.post("/dashboard/course/team", &fields).await.text;
    assert!(shown.contains("A mail with a link is on its way"), "{shown}");
    let (_, rest) = shown.split_once("/join?token=").unwrap();
    let on_page: String = rest.chars().take_while(char::is_ascii_hexdigit).collect();
    assert_eq!(try_all(&test.app).await, 1);
    let mail: Taken = post.taken().remove(0);
    assert_eq!(mail.to, ["ben@x.example"]);
    assert!(!mail.head().iter().any(|line| line.to_lowercase().starts_with("bcc")), "{}", mail.data);
    assert!(mail.subject().contains("Stars Bcc: all@evil.example Buy"), "{}", mail.subject());
    let token = mail.token("join");
    assert!(token != on_page && mail.text().contains("anna@x.example"), "{}", mail.text());
    let joined = submit(&test, "/join", &[("token", &token), ("password", PASSWORD)]).await;
    assert_eq!(joined.status, StatusCode::SEE_OTHER, "{}", joined.text);
    assert_eq!(test.get(&format!("/join?token={on_page}")).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mails_speak_the_language_of_the_creators_buttons() {
    let post = Post::start(&[Manner::Takes]);
    let test = app(&post).await;
    let owner = Browser::of(&test, "anna@x.example", "course", Role::Owner).await;
    let german = json!({"brand": {"lang": "de"}});
    assert_eq!(test.patch_as("/api/v1/settings", german, &test.key).await.status, StatusCode::OK);
    owner.post("/dashboard/course/team", &[("email", "ben@x.example"), ("role", "agent")]).await;
    ask(&test, "anna@x.example").await;
    assert_eq!(try_all(&test.app).await, 2);
    let taken = post.taken();
    let to = |address: &str| taken.iter().find(|mail| mail.to == [address]).unwrap();
    let (invited, renewed) = (to("ben@x.example"), to("anna@x.example"));
    assert!(invited.subject().starts_with("Einladung ins Team von "), "{}", invited.subject());
    assert!(invited.text().contains("als Betreuer.") && !invited.token("join").is_empty());
    assert_eq!(renewed.subject(), "Ein neues Passwort");
    assert!(renewed.text().contains("für das Konto von anna@x.example"), "{}", renewed.text());
    let page = test.get(&format!("/reset?token={}", renewed.token("reset"))).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_are_told_of_conversations_that_need_them_in_one_mail() {
    let post = Post::start(&[Manner::Takes]);
    let test = app(&post).await;
    for (email, role) in [("anna@x.example", Role::Owner), ("ben@x.example", Role::Agent)] {
        Browser::of(&test, email, "course", role).await;
    }
    let first = test.chat(UNKNOWN).await;
    let second = test.chat("Who painted the walls of the Sistine Chapel?").await;
    assert!(test.app.store().claim_mails(now(), 1, 9).await.unwrap().is_empty(), "they are gathered");
    assert_eq!(try_all(&test.app).await, 2);
    let taken = post.taken();
    let mut to: Vec<&str> = taken.iter().map(|mail| mail.to[0].as_str()).collect();
    to.sort_unstable();
    assert_eq!(to, ["anna@x.example", "ben@x.example"]);
    for mail in &taken {
        let text = mail.text();
        assert!(mail.subject().starts_with("2 students of"), "{}", mail.subject());
        for asked in [&first, &second] {
            let id = asked["conversation_id"].as_str().unwrap();
            assert!(text.contains(&format!("{URL}/dashboard/course/inbox/{id}")), "{text}");
        }
        assert!(text.contains("Who painted the walls"), "{text}");
    }
    // Resolved before it goes out, it is not told; erased, nothing waits.
    let third = test.chat("Who painted the floor of the Sistine Chapel?").await;
    let id: ConversationId = third["conversation_id"].as_str().unwrap().parse().unwrap();
    let (store, at) = (test.app.store(), now());
    store
        .change_ticket(&TestApp::course(), &id, None, move |ticket| ticket.resolve("anna", at))
        .await
        .unwrap();
    assert_eq!(try_all(&test.app).await, 2);
    assert_eq!(post.taken().len(), 2);
    let quiet = TestApp::configured(&environment(&post, &[("NEVERAFK_MAIL__ESCALATIONS", "false")])).await;
    quiet.app.tell_people_by_mail().await.unwrap();
    Browser::of(&quiet, "anna@x.example", "course", Role::Owner).await;
    quiet.chat(UNKNOWN).await;
    assert_eq!(quiet.app.store().mail_counts().await.unwrap().waiting, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_reaches_a_student_who_left_and_nobody_else() {
    let post = Post::start(&[Manner::Busy, Manner::Takes]);
    // Without news to the team, only replies wait.
    let test = TestApp::configured(&environment(&post, &[])).await;
    let address = test.served().await;
    let agent = Browser::of(&test, "ana@x.example", "course", Role::Agent).await;
    let (asked, path) = escalated(&test, "Tom\nBcc: all@evil.example", "tom@y.example").await;
    assert!(agent.get(&path).await.text.contains("it goes out by mail as well"));
    let say = async |text: &str| {
        let reply = agent.post(&path, &[("act", "say"), ("text", text)]).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.text);
        agent.get(&path).await.text
    };
    // Somebody who is there reads it there.
    let mut page = Socket::open(address, "").await.1.unwrap();
    page.send(json!({"type": "join", "creator_id": "course", "conversation_id": asked["conversation_id"],
                     "token": asked["conversation_token"]}))
        .await;
    assert_eq!(page.json().await["type"], "ready");
    assert!(!say("One moment.").await.contains("goes out by mail</p>"));
    assert_eq!(test.app.store().mail_counts().await.unwrap().waiting, 0);
    drop(page);
    let id: ConversationId = asked["conversation_id"].as_str().unwrap().parse().unwrap();
    for _ in 0..400 {
        if !test.app.is_present(&TestApp::course(), &id) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let shown = say("Michelangelo,\nfrom 1508 on. Ä").await;
    assert!(shown.contains("goes out by mail</p>"), "{shown}");
    assert_eq!(try_all(&test.app).await, 1);
    assert!(agent.get(&path).await.text.contains("goes out by mail again at"), "the server was busy");
    assert_eq!(try_all(&test.app).await, 1);
    assert!(agent.get(&path).await.text.contains("sent by mail, "));
    let mail = post.taken().remove(0);
    assert_eq!(mail.to, ["tom@y.example"], "and nobody whom a name would add");
    assert!(!mail.head().iter().any(|line| line.to_lowercase().starts_with("bcc")), "{}", mail.data);
    assert!(!mail.data.contains("Auto-Submitted"), "a person wrote it");
    assert_eq!(mail.subject(), format!("Re: {UNKNOWN}"));
    let text = mail.text();
    assert!(text.starts_with("Michelangelo,\nfrom 1508 on. Ä\n\nana, "), "{text}");
    assert!(text.contains(&format!("You asked:\n> {UNKNOWN}")) && text.contains("> One moment."), "{text}");

    // What was erased is not sent, and an address that is none is said to be none.
    say("This one waits.").await;
    let course = TestApp::course();
    test.app.store().erase_student(&course, id.as_str()).await.unwrap();
    assert_eq!(test.app.store().mail_counts().await.unwrap().waiting, 0);
    let (asked, _) = escalated(&test, "Tom", "tom@y,example").await;
    let id: ConversationId = asked["conversation_id"].as_str().unwrap().parse().unwrap();
    let by = Some("ana".to_owned());
    let party = neverafk::domain::Party::Person;
    let message = test.app.say(&course, &id, party, by, "Hello".into()).await.unwrap();
    assert_eq!(try_all(&test.app).await, 1);
    let mail = test.app.store().mail(&MailId::of_reply(&message.id)).await.unwrap().unwrap();
    assert_eq!(mail.standing.state, DeliveryState::Dead);
    assert!(mail.standing.attempts[0].error.as_ref().unwrap().contains("no address"));
}
