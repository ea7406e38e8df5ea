//! Mails over encrypted lines: a server whose certificate is from an authority of the school's own, which is believed where
//! the settings say so; certificates that must not be believed, and a server that would speak openly.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use neverafk::app::now;
use neverafk::domain::{Role, Timestamp};
use neverafk::events::outbox::Outbox;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::accounts::{Browser, submit};
use crate::support::TestApp;
use crate::support::post::{LOGIN, Line, Manner, Post};

const AUTHORITY: &str = "[req]\ndistinguished_name = name\nx509_extensions = authority\nprompt = no\n[name]\n\
    CN = A school\n[authority]\nbasicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign\n";
const ASKING: &str = "[req]\ndistinguished_name = name\nprompt = no\n[name]\nCN = post.example\n";

/// An authority in `ca.pem`, and what a server needs whose certificate is for this name (`IP:127.0.0.1`); nothing where
/// there is no `openssl`.
fn certified(folder: &Path, name: &str) -> Option<Arc<ServerConfig>> {
    let write = |file: &str, text: &str| std::fs::write(folder.join(file), text).unwrap();
    write("authority.cnf", AUTHORITY);
    write("asking.cnf", ASKING);
    write("server.ext", &format!("basicConstraints = CA:FALSE\nsubjectAltName = {name}\n"));
    let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    let authority =
        ["req", "-x509", "-config", "authority.cnf", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2"];
    let asking = ["req", "-new", "-config", "asking.cnf", "-keyout", "server.key", "-out", "server.csr"];
    let signing = [
        "x509",
        "-req",
        "-in",
        "server.csr",
        "-CA",
        "ca.pem",
        "-CAkey",
        "ca.key",
        "-CAcreateserial",
        "-days",
        "2",
        "-extfile",
        "server.ext",
        "-out",
        "server.pem",
    ];
    let commands = [[&authority[..], &curve].concat(), [&asking[..], &curve].concat(), signing.to_vec()];
    for arguments in commands {
        let mut command = Command::new("openssl");
        command.args(&arguments).current_dir(folder).stdin(Stdio::null());
        let Ok(output) = command.output() else {
            eprintln!("skipped: there is no `openssl` that makes certificates");
            return None;
        };
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    let read = |file: &str| std::fs::read(folder.join(file)).unwrap();
    let chain = CertificateDer::pem_slice_iter(&read("server.pem")).collect::<Result<Vec<_>, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_slice(&read("server.key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Some(Arc::new(builder.with_no_client_auth().with_single_cert(chain, key).unwrap()))
}

/// An app that sends mails by this server; `authority` is a file or nothing.
async fn app(post: &Post, security: &str, authority: &str) -> TestApp {
    let port = post.port.to_string();
    let all = [
        ("NEVERAFK_SERVER__PUBLIC_URL", "http://127.0.0.1:8000"),
        ("NEVERAFK_MAIL__HOST", "127.0.0.1"),
        ("NEVERAFK_MAIL__PORT", &port),
        ("NEVERAFK_MAIL__SECURITY", security),
        ("NEVERAFK_MAIL__USERNAME", LOGIN.0),
        ("NEVERAFK_MAIL__PASSWORD", LOGIN.1),
        ("NEVERAFK_MAIL__CA_FILE", authority),
        ("NEVERAFK_MAIL__FROM", "School <help@school.example>"),
        ("NEVERAFK_MAIL__TIMEOUT_MS", "4000"),
    ];
    let all: Vec<(String, String)> =
        all.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let test = TestApp::configured(&all).await;
    Browser::of(&test, "anna@x.example", "course", Role::Owner).await;
    test
}

/// Asks for a new password and tries once to send the mail; gives what went wrong, if it did.
async fn fault(test: &TestApp) -> Option<String> {
    submit(test, "/forgot", &[("email", "anna@x.example")]).await;
    let mailer = test.app.mailer().unwrap().unwrap();
    let due = test.app.store().claim_mails(Timestamp(now().0 + 60_000), 1, 9).await.unwrap();
    assert_eq!(due.len(), 1);
    for mail in due {
        mailer.send(mail).await.unwrap();
    }
    test.app.store().mail_counts().await.unwrap().last_fault.map(|(_, fault)| fault)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_authority_of_ones_own_is_believed_where_the_settings_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let Some(config) = certified(folder.path(), "IP:127.0.0.1") else { return };
    let authority = folder.path().join("ca.pem").display().to_string();
    for (security, line) in [("starttls", Line::StartTls(config.clone())), ("tls", Line::Tls(config.clone()))]
    {
        let post = Post::encrypted(line);
        let stranger = app(&post, security, "").await;
        assert!(fault(&stranger).await.is_some(), "{security}: nobody knows this authority");
        assert!(post.taken().is_empty(), "{security}");
        let counts = stranger.app.store().mail_counts().await.unwrap();
        assert_eq!((counts.waiting, counts.given_up), (1, 0), "{security}: it goes out once that is mended");

        let test = app(&post, security, &authority).await;
        assert_eq!(fault(&test).await, None, "{security}");
        let taken = post.taken();
        assert_eq!((taken.len(), taken[0].to[0].as_str()), (1, "anna@x.example"), "{security}");
        let checks = neverafk::app::doctor::examine_running(&test.app).await;
        let mail = checks.iter().find(|check| check.name == "mail").unwrap();
        assert!(mail.found.contains("takes mail"), "{mail:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_for_somebody_else_and_an_open_line_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let Some(config) = certified(folder.path(), "DNS:other.example") else { return };
    let authority = folder.path().join("ca.pem").display().to_string();
    let post = Post::encrypted(Line::StartTls(config));
    let test = app(&post, "starttls", &authority).await;
    let refused = fault(&test).await.expect("the certificate is for somebody else");
    assert!(refused.to_lowercase().contains("certificate"), "{refused}");
    assert!(post.taken().is_empty());

    let open = Post::start(&[Manner::Takes]);
    let test = app(&open, "starttls", &authority).await;
    assert!(fault(&test).await.is_some(), "what cannot be encrypted is not said");
    assert!(open.taken().is_empty());
}

#[tokio::test]
async fn an_authority_that_cannot_be_read_stops_no_answer() {
    let post = Post::start(&[Manner::Takes]);
    let test = app(&post, "tls", "/nowhere/at/all.pem").await;
    let Err(problem) = test.app.mailer() else { panic!("there is no such file") };
    assert!(problem.to_string().contains("/nowhere/at/all.pem"), "{problem}");
    assert_eq!(test.get("/login").await.status, axum::http::StatusCode::OK);
}
