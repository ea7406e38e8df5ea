//! Pulling, keeping and listing models, against a stand-in for the hub on this machine.

mod hub;
#[cfg(unix)]
mod pip;

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use neverafk::cli::models::{ModelsCommand, ModelsContext, hint_of, run};
use neverafk::domain::Timestamp;
use neverafk::inference::catalog::{Catalog, CatalogEntry};
use neverafk::inference::digest::of_reader;
use neverafk::inference::download::{HubSettings, PullError, PullEvent, PullOptions, pull};
use neverafk::inference::library::{FileState, Installed, Library, LibraryError, ModelName, Source, State};

use hub::{Host, Reply, Request, nobody};

const TOKEN: &str = "hf_a_secret";
const PATH: &str = "/someone/a-model/resolve/main/w.gguf";

#[test]
fn a_redirected_file_arrives_whole_and_the_token_stays_at_the_hub() {
    let stand = Stand::new(|request, _| Reply::file(request, &weights(), "\"cdn-1\""));
    let desk = Desk::at(&stand.hub.address);
    let (model, events) = desk.pull(&known());
    let model = model.unwrap();

    assert_eq!(fs::read(model.folder.join("w.gguf")).unwrap(), weights());
    assert_eq!(model.record.files[0].sha256, digest(&weights()));
    assert_eq!(model.record.pulled_at, Timestamp(7));
    assert!(
        matches!(&model.record.source, Source::Hub { repository, .. } if repository == "someone/a-model")
    );
    assert_eq!(desk.library.list().unwrap(), vec![model]);
    let asked = stand.hub.asked();
    // The first redirect is the hub's own, for a repository that was renamed; it keeps the token.
    assert_eq!(asked.iter().map(|asked| asked.path.as_str()).collect::<Vec<_>>(), [PATH, "/renamed/w.gguf"]);
    assert!(asked.iter().all(|asked| asked.header("authorization") == Some("Bearer hf_a_secret")));
    assert_eq!(stand.cdn.asked().len(), 1);
    assert_eq!(stand.cdn.asked()[0].header("authorization"), None);
    assert_eq!(events.first(), Some(&PullEvent::Started));
    assert_eq!(events.last(), Some(&PullEvent::Installed));
    check_progress(&events);

    let (again, events) = desk.pull(&known());
    assert_eq!((again.is_ok(), events), (true, vec![PullEvent::AlreadyInstalled]));
    assert_eq!(stand.hub.asked().len(), 2, "an installed model needs no network");
}

#[test]
fn a_cut_connection_goes_on_where_it_stopped() {
    let stand = Stand::new(|request, times| {
        let cut_after = (times == 0).then_some(1_000_000);
        Reply { cut_after, ..Reply::file(request, &weights(), "\"cdn-1\"") }
    });
    let desk = Desk::at(&stand.hub.address);
    let (model, events) = desk.pull(&known());
    assert_eq!(fs::read(model.unwrap().folder.join("w.gguf")).unwrap(), weights());
    assert!(events.iter().any(|event| matches!(event, PullEvent::Retrying { .. })));
    check_progress(&events);
    let asked = stand.cdn.asked();
    assert_eq!(asked.len(), 2);
    assert_eq!((asked[1].from(), asked[1].header("if-range")), (Some(1_000_000), Some("\"cdn-1\"")));
}

#[test]
fn a_server_without_ranges_is_asked_for_everything_again() {
    let stand = Stand::new(|_, times| Reply {
        status: 200,
        body: weights(),
        cut_after: (times == 0).then_some(2_000_000),
        ..Reply::default()
    });
    let desk = Desk::at(&stand.hub.address);
    let (model, events) = desk.pull(&known());
    assert_eq!(fs::read(model.unwrap().folder.join("w.gguf")).unwrap(), weights());
    check_progress(&events);
}

#[test]
fn a_line_that_is_always_cut_ends_with_an_error_and_keeps_the_bytes() {
    let stand = Stand::new(|request, times| {
        let cut_after = Some(if times == 0 { 50_000 } else { 0 });
        Reply { cut_after, ..Reply::file(request, &weights(), "\"cdn-1\"") }
    });
    let desk = Desk::at(&stand.hub.address);
    let error = desk.pull(&known()).0.unwrap_err();
    assert!(matches!(error, PullError::Interrupted { times: 4, .. }), "{error}");
    assert!(error.hint().contains("goes on where it stopped"));
    assert!(matches!(desk.state(), State::Partial { bytes } if bytes >= 50_000));
    assert!(desk.library.list().unwrap().is_empty(), "half a model is no model");
}

#[test]
fn a_stopped_pull_is_resumed_by_the_next() {
    // Half a second for the file, so that there is time to stop it.
    let stand = Stand::new(|request, _| Reply {
        dribble: Some((100_000, Duration::from_millis(15))),
        ..Reply::file(request, &weights(), "\"cdn-1\"")
    });
    let desk = Desk::at(&stand.hub.address);
    let cancel = AtomicBool::new(false);
    let error = pull(&known(), &desk.library, &desk.options(), &cancel, &mut |event| {
        if matches!(&event, PullEvent::Progress(progress) if progress.done >= 500_000) {
            cancel.store(true, Ordering::Relaxed);
        }
    })
    .unwrap_err();
    assert!(matches!(error, PullError::Cancelled), "{error}");
    let State::Partial { bytes } = desk.state() else { panic!("{:?}", desk.state()) };
    assert!((500_000..3_000_000).contains(&bytes), "{bytes}");

    let (model, events) = desk.pull(&known());
    assert_eq!(fs::read(model.unwrap().folder.join("w.gguf")).unwrap(), weights());
    check_progress(&events);
    let asked = stand.cdn.asked();
    assert!(asked.last().unwrap().from().is_some_and(|from| from >= 500_000), "{asked:?}");
}

#[test]
fn a_file_that_changed_at_the_hub_begins_anew() {
    let changed = Arc::new(AtomicBool::new(false));
    let mut other = weights();
    other[0] ^= 1;
    let stand = {
        let (changed, other, later) = (Arc::clone(&changed), other.clone(), Arc::clone(&changed));
        let hub_other = digest(&other);
        Stand::with_etag(
            move || if changed.load(Ordering::Relaxed) { hub_other.clone() } else { digest(&weights()) },
            move |request, times| {
                let now = if later.load(Ordering::Relaxed) { &other } else { &weights() };
                // The host of the bytes has no etag of its own, so only the hub's tells.
                let mut reply = Reply::file(request, now, "W/\"weak\"");
                reply.cut_after = (times < 4).then_some(if times == 0 { 700_000 } else { 0 });
                reply
            },
        )
    };
    let desk = Desk::at(&stand.hub.address);
    let unknown = entry(r#"path = "w.gguf""#, "");
    desk.pull(&unknown).0.unwrap_err();
    changed.store(true, Ordering::Relaxed);
    let model = desk.pull(&unknown).0.unwrap();
    assert_eq!(fs::read(model.folder.join("w.gguf")).unwrap(), other);
    assert_eq!(model.record.files[0].sha256, digest(&other), "the hub's SHA-256 is checked and locked");
}

#[test]
fn wrong_bytes_are_refused_and_removed() {
    let mut wrong = weights();
    wrong[1_234_567] ^= 1;
    let stand = Stand::new(move |request, _| Reply::file(request, &wrong, "\"cdn-1\""));
    let desk = Desk::at(&stand.hub.address);
    for entry in [known(), entry(r#"path = "w.gguf""#, "")] {
        let error = desk.pull(&entry).0.unwrap_err();
        assert!(
            matches!(&error, PullError::WrongHash { expected, .. } if *expected == digest(&weights())),
            "{error}"
        );
        assert!(error.hint().contains("the file was removed"));
        assert_eq!(desk.state(), State::Absent);
    }
}

#[test]
fn damaged_bytes_of_an_earlier_run_get_one_more_chance() {
    let stand = Stand::new(|request, times| Reply {
        cut_after: (times < 4).then_some(if times == 0 { 900_000 } else { 0 }),
        ..Reply::file(request, &weights(), "\"cdn-1\"")
    });
    let desk = Desk::at(&stand.hub.address);
    desk.pull(&known()).0.unwrap_err();
    let part = desk.library.folder(&ModelName::parse("a-model").unwrap()).join("w.gguf.part");
    let mut bytes = fs::read(&part).unwrap();
    bytes[5] ^= 1;
    fs::write(&part, bytes).unwrap();
    let (model, events) = desk.pull(&known());
    assert_eq!(fs::read(model.unwrap().folder.join("w.gguf")).unwrap(), weights());
    check_progress(&events);
}

#[test]
fn a_hub_with_another_file_is_told_before_it_is_fetched() {
    let stand =
        Stand::with_etag(|| "a".repeat(64), |request, _| Reply::file(request, &weights(), "\"cdn-1\""));
    let desk = Desk::at(&stand.hub.address);
    let error = desk.pull(&known()).0.unwrap_err();
    assert!(matches!(&error, PullError::WrongHash { found, .. } if *found == "a".repeat(64)), "{error}");
    let small = entry(r#"path = "w.gguf", size = 5"#, "");
    assert!(matches!(desk.pull(&small).0, Err(PullError::WrongSize { expected: 5, found: 3_000_000, .. })));
}

#[test]
fn refusals_say_what_to_do() {
    let check = |reply: Reply, with_token: bool, says: &str, hint: &str| {
        let hub = Host::start(move |_| reply.clone());
        let mut desk = Desk::at(&hub.address);
        desk.token = with_token.then(|| TOKEN.to_owned());
        let error = desk.pull(&known()).0.unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
        assert!(error.hint().contains(hint), "{}", error.hint());
        assert!(!error.to_string().contains(TOKEN) && !format!("{error:?}").contains(TOKEN));
        assert_eq!(hub.asked().len(), 1, "trying again does not help");
    };
    let gated = |status| Reply::status(status).with("x-error-message", "Access to this model is restricted.");
    check(Reply::status(401), false, "refuses `someone/a-model` (401)", "set `HF_TOKEN`");
    check(gated(401), false, "(401: Access to this model is restricted.)", "accept the licence");
    check(gated(403), true, "(403: Access to this model is restricted.)", "with the same account");
    check(Reply::status(404), true, "has no `w.gguf` in `someone/a-model` at `main`", "moved");
    check(Reply::status(403), true, "cannot be reached: HTTP 403", "proxy");
    check(Reply::status(410), true, "answered 410", "moved");
    check(Reply::status(302).with("location", "file:///etc/passwd"), true, "not safe", "HF_ENDPOINT");
    check(Reply::status(429).with("retry-after", "3600"), true, "asks to wait 3600 s", "goes on");
}

#[test]
fn a_busy_hub_is_waited_for_within_bounds() {
    let stand = Stand::new(|request, times| match times {
        0 => Reply::status(503).with("retry-after", "0"),
        1 => Reply::status(429),
        _ => Reply::file(request, &weights(), "\"cdn-1\""),
    });
    let (model, events) = Desk::at(&stand.hub.address).pull(&known());
    model.unwrap();
    let waits = events.iter().filter(|event| matches!(event, PullEvent::Retrying { .. })).count();
    assert_eq!(waits, 2);

    let stand = Stand::new(|_, _| Reply::status(500));
    let error = Desk::at(&stand.hub.address).pull(&known()).0.unwrap_err();
    assert!(matches!(error, PullError::Busy { status: 500, .. }), "{error}");
    assert_eq!(stand.cdn.asked().len(), 4, "the first try and three more");
}

#[test]
fn a_stalled_connection_is_given_up_and_resumed() {
    let stand = Stand::new(|request, times| Reply {
        dribble: (times == 0).then_some((1_000_000, Duration::from_millis(900))),
        ..Reply::file(request, &weights(), "\"cdn-1\"")
    });
    let desk = Desk::at(&stand.hub.address);
    let mut options = desk.options();
    options.stall = Duration::from_millis(300);
    let (model, events) = desk.pull_with(&known(), &options);
    assert_eq!(fs::read(model.unwrap().folder.join("w.gguf")).unwrap(), weights());
    check_progress(&events);
    assert_eq!(stand.cdn.asked()[1].from(), Some(1_000_000));
}

#[test]
fn a_slow_download_stops_soon_when_told() {
    let stand = Stand::new(|request, _| Reply {
        dribble: Some((1_000, Duration::from_millis(20))),
        ..Reply::file(request, &weights(), "\"cdn-1\"")
    });
    let desk = Desk::at(&stand.hub.address);
    let cancel = AtomicBool::new(false);
    let mut told = None;
    let error = pull(&known(), &desk.library, &desk.options(), &cancel, &mut |event| {
        if matches!(event, PullEvent::Progress(_)) {
            told.get_or_insert_with(Instant::now);
            cancel.store(true, Ordering::Relaxed);
        }
    })
    .unwrap_err();
    assert!(matches!(error, PullError::Cancelled), "{error}");
    assert!(told.unwrap().elapsed() < Duration::from_secs(1));
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_said_to_be_one() {
    let stand = Stand::new(|request, _| Reply::file(request, &weights(), "\"cdn-1\""));
    let desk = Desk::at(&stand.hub.address);
    let folder = desk.library.folder(&ModelName::parse("a-model").unwrap());
    fs::create_dir_all(&folder).unwrap();
    // Every write to it fails as on a full disk.
    std::os::unix::fs::symlink("/dev/full", folder.join("w.gguf.part")).unwrap();
    let error = desk.pull(&known()).0.unwrap_err();
    assert!(matches!(&error, PullError::DiskFull { file, .. } if file == "w.gguf"), "{error:?}");
    assert!(error.hint().contains("NEVERAFK_MODELS_DIR"));
    assert!(desk.library.list().unwrap().is_empty());

    let huge = entry(r#"path = "w.gguf", size = 9000000000000000000"#, "");
    let hub = Host::start(|request| {
        Reply::file(request, b"x", "\"e\"").with("x-linked-size", "9000000000000000000")
    });
    let error = Desk::at(&hub.address).pull(&huge).0.unwrap_err();
    assert!(matches!(error, PullError::DiskFull { .. }), "it is seen before it is fetched: {error}");
}

#[test]
fn two_pulls_of_a_model_do_not_meet() {
    let desk = Desk::at(&nobody());
    let _held = desk.library.lock(&ModelName::parse("a-model").unwrap()).unwrap();
    let error = desk.pull(&known()).0.unwrap_err();
    assert!(matches!(error, PullError::Library(LibraryError::Busy(_))), "{error}");
}

#[test]
fn a_damaged_model_is_mended_by_pulling_it_again() {
    let stand = Stand::new(|request, _| Reply::file(request, &weights(), "\"cdn-1\""));
    let desk = Desk::at(&stand.hub.address);
    let model = desk.pull(&known()).0.unwrap();
    fs::write(model.folder.join("w.gguf"), b"short").unwrap();
    assert!(desk.library.list().unwrap().is_empty());
    desk.pull(&known()).0.unwrap();
    let states = desk.library.verify("a-model", &AtomicBool::new(false), &mut |_| ()).unwrap();
    assert_eq!(states[0].1, FileState::Intact);
}

#[test]
fn several_files_keep_what_an_earlier_run_finished() {
    let times = AtomicUsize::new(0);
    let hub = Host::start(move |request| match request.path.rsplit('/').next() {
        Some("w.gguf") => Reply::file(request, &weights(), "\"one\""),
        _ if times.fetch_add(1, Ordering::Relaxed) == 0 => Reply::status(404),
        _ => Reply::file(request, b"{}", "\"two\""),
    });
    let desk = Desk::at(&hub.address);
    let first = format!(r#"path = "w.gguf", sha256 = "{}""#, digest(&weights()));
    let both = entry(&format!("{first} }}, {{ path = \"sub/settings.json\", save_as = \"s.json\""), "");
    assert!(matches!(desk.pull(&both).0, Err(PullError::NotFound { .. })));
    let (model, events) = desk.pull(&both);
    assert_eq!(fs::read(model.unwrap().folder.join("s.json")).unwrap(), b"{}");
    assert!(events.contains(&PullEvent::Kept { file: "w.gguf".to_owned() }));
    assert_eq!(hub.asked().iter().filter(|asked| asked.path.ends_with("w.gguf")).count(), 1);
}

#[test]
fn the_commands_list_show_verify_and_remove() {
    let stand = Stand::new(|request, _| Reply::file(request, &weights(), "\"cdn-1\""));
    let desk = Desk::at(&stand.hub.address);
    desk.pull(&known()).0.unwrap();
    let call = |command: ModelsCommand, json: bool| {
        let (mut out, mut people) = (Vec::new(), Vec::new());
        let context = ModelsContext {
            models_dir: desk.library.root(),
            offline: true,
            json,
            quiet: false,
            terminal: false,
            now: Timestamp(7),
            cancel: &AtomicBool::new(false),
        };
        let done = run(&command, &context, &mut out, &mut people);
        (done, String::from_utf8(out).unwrap(), String::from_utf8(people).unwrap())
    };
    let (_, text, _) = call(ModelsCommand::List, false);
    assert!(text.starts_with("NAME"), "{text}");
    assert!(
        text.lines().any(|line| line.starts_with("all-MiniLM-L6-v2 ") && line.contains(" 91.3 MB ")),
        "{text}"
    );
    assert!(text.lines().any(|line| line.starts_with("a-model ") && line.contains(" installed ")), "{text}");
    let (_, text, _) = call(ModelsCommand::List, true);
    let values: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    assert!(values.iter().any(|value| value["name"] == "a-model" && value["installed"] == true));

    let (_, text, _) = call(ModelsCommand::Show { name: "minilm".to_owned() }, true);
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (&value["catalogue"]["name"], &value["installed"]),
        (&"all-MiniLM-L6-v2".into(), &false.into())
    );
    let (_, text, _) = call(ModelsCommand::Show { name: "a-model".to_owned() }, false);
    assert!(text.contains("the hub's someone/a-model") && text.contains(&digest(&weights())), "{text}");

    call(ModelsCommand::Verify { names: Vec::new() }, false).0.unwrap();
    let path = desk.library.root().join("a-model/w.gguf");
    let mut bytes = weights();
    bytes[9] ^= 1;
    fs::write(path, bytes).unwrap();
    let (done, text, _) = call(ModelsCommand::Verify { names: vec!["a-model".to_owned()] }, false);
    assert!(text.contains("changed"), "{text}");
    assert!(hint_of(&done.unwrap_err()).unwrap().contains("models pull a-model"));

    let (done, _, people) = call(ModelsCommand::Remove { names: vec!["a-model".to_owned()] }, false);
    done.unwrap();
    assert_eq!(people, "removed `a-model`\n");
    let (done, _, _) = call(ModelsCommand::Pull { names: vec!["minilm".to_owned()] }, false);
    assert!(hint_of(&done.unwrap_err()).unwrap().contains("models import"), "offline");
    let (done, _, _) = call(ModelsCommand::Pull { names: vec!["qwen3-0.6".to_owned()] }, false);
    assert!(hint_of(&done.unwrap_err()).unwrap().starts_with("did you mean `Qwen3-0.6B`"));
}

/// A hub that redirects to a host of bytes, as the real one does.
struct Stand {
    hub: Host,
    cdn: Host,
}

impl Stand {
    /// `answer` gets the request to the host of bytes, and how many came before.
    fn new(answer: impl Fn(&Request, usize) -> Reply + Send + Sync + 'static) -> Self {
        Self::with_etag(|| digest(&weights()), answer)
    }

    fn with_etag(
        etag: impl Fn() -> String + Send + Sync + 'static,
        answer: impl Fn(&Request, usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let times = AtomicUsize::new(0);
        let cdn = Host::start(move |request| answer(request, times.fetch_add(1, Ordering::Relaxed)));
        let target = format!("{}/blobs/w?signature=1", cdn.address);
        let hub = Host::start(move |request| match request.path.as_str() {
            PATH => Reply::status(307).with("location", "/renamed/w.gguf"),
            "/renamed/w.gguf" => Reply::status(302)
                .with("location", target.clone())
                .with("x-linked-etag", format!("\"{}\"", etag()))
                .with("x-linked-size", weights().len().to_string()),
            _ => Reply::status(404),
        });
        Self { hub, cdn }
    }
}

/// A library in a folder of its own, and the hub it pulls from.
struct Desk {
    folder: tempfile::TempDir,
    library: Library,
    endpoint: String,
    token: Option<String>,
}

impl Desk {
    fn at(endpoint: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let library = Library::new(folder.path().join("models"));
        Self { folder, library, endpoint: endpoint.to_owned(), token: Some(TOKEN.to_owned()) }
    }

    fn options(&self) -> PullOptions {
        PullOptions {
            hub: HubSettings { endpoint: Some(self.endpoint.clone()), token: self.token.clone() },
            offline: false,
            search_path: None,
            now: Timestamp(7),
            retries: 3,
            backoff: Duration::from_millis(1),
            stall: Duration::from_secs(10),
        }
    }

    fn pull(&self, entry: &CatalogEntry) -> (Result<Installed, PullError>, Vec<PullEvent>) {
        self.pull_with(entry, &self.options())
    }

    fn pull_with(
        &self,
        entry: &CatalogEntry,
        options: &PullOptions,
    ) -> (Result<Installed, PullError>, Vec<PullEvent>) {
        let mut events = Vec::new();
        let model =
            pull(entry, &self.library, options, &AtomicBool::new(false), &mut |event| events.push(event));
        (model, events)
    }

    fn state(&self) -> State {
        self.library.state(&ModelName::parse("a-model").unwrap()).unwrap()
    }
}

/// The entry whose bytes the catalogue knows.
fn known() -> CatalogEntry {
    let bytes = weights();
    entry(&format!(r#"path = "w.gguf", size = {}, sha256 = "{}""#, bytes.len(), digest(&bytes)), "")
}

fn entry(file: &str, more: &str) -> CatalogEntry {
    let text = format!(
        r#"
        [defaults]
        [[model]]
        name = "a-model"
        kind = "chat"
        repository = "someone/a-model"
        revision = "main"
        licence = "MIT"
        memory_mb = 1
        languages = ["en"]
        notes = ""
        files = [{{ {file} }}]
        {more}"#
    );
    Catalog::parse(&text).unwrap().entries()[0].clone()
}

/// Three million bytes that no compression makes small.
fn weights() -> Vec<u8> {
    let mut state = 88_172_645_463_325_252_u64;
    std::iter::repeat_with(|| {
        // Marsaglia's xorshift64.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    })
    .take(375_000)
    .flatten()
    .collect()
}

fn digest(mut bytes: &[u8]) -> String {
    of_reader(&mut bytes, &mut std::io::sink(), &AtomicBool::new(false), &mut |_| ()).unwrap().sha256
}

/// Progress never goes back, and ends at the end.
fn check_progress(events: &[PullEvent]) {
    let done: Vec<u64> = events
        .iter()
        .filter_map(|event| match event {
            PullEvent::Progress(progress) => Some(progress.done),
            _ => None,
        })
        .collect();
    assert!(done.is_sorted(), "{done:?}");
    assert_eq!(done.last(), Some(&3_000_000));
}
