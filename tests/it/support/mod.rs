//! What the tests stand on: a data directory with the real program at work on it, and an app to speak HTTP to.

pub mod post;
pub mod provider;
pub mod wire;

use std::io::{BufRead, BufReader, Cursor, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use neverafk::app::App;
use neverafk::config::{Config, Flags};
use neverafk::domain::CreatorId;
use neverafk::ingest::Item;
use neverafk::ingest::sandbox::{Allowance, Program, Sandbox};
use neverafk::store::Store;
use serde_json::Value;
use tower::ServiceExt;

/// A data directory of its own, and the built program.
pub struct Desk {
    pub directory: tempfile::TempDir,
}

/// What the program said.
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Desk {
    pub fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    /// A file beside the data directory.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.directory.path().join("files").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    pub fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_neverafk"));
        command.args(arguments).env_clear().env("HOME", self.directory.path()).stdin(Stdio::null());
        command
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("NEVERAFK_DATA_DIR", self.data());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Said {
        said(self.command(arguments).output().unwrap())
    }

    /// Runs what must work.
    pub fn ok(&self, arguments: &[&str]) -> String {
        let said = self.run(arguments);
        assert_eq!(said.code, 0, "{arguments:?}\n{}\n{}", said.out, said.err);
        said.out
    }

    pub fn json(&self, arguments: &[&str]) -> Value {
        let mut all = arguments.to_vec();
        all.push("--json");
        serde_json::from_str(&self.ok(&all)).unwrap()
    }

    /// Runs what must fail with a sentence and a hint, and gives what it said to people.
    pub fn refused(&self, arguments: &[&str]) -> String {
        let said = self.run(arguments);
        assert_eq!(said.code, 1, "{arguments:?}\n{}\n{}", said.out, said.err);
        assert!(said.err.contains("error: ") && said.err.contains("hint: "), "{}", said.err);
        assert!(!said.err.contains("panicked"), "{}", said.err);
        said.err
    }

    pub fn creator(&self) -> &Self {
        self.ok(&["creator", "add", "course"]);
        self
    }

    pub fn ingest(&self, path: &Path) {
        self.ok(&["ingest", path.to_str().unwrap(), "--creator", "course"]);
    }

    pub fn ask(&self, question: &str) -> Value {
        self.json(&["ask", question, "--creator", "course"])
    }
}

/// A server that is killed when the test ends.
pub struct Server {
    child: Child,
    /// `http://127.0.0.1:PORT`
    pub address: String,
}

impl Server {
    /// Waits until it listens.
    pub fn start(command: Command) -> Self {
        Self::start_after(command, "\0")
    }

    /// Waits until it listens; lines of other programs before it hold `others`.
    pub fn start_after(mut command: Command, others: &str) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let (mut first, mut rest) = (String::new(), BufReader::new(child.stderr.take().unwrap()));
        while {
            first.clear();
            rest.read_line(&mut first).unwrap() > 0 && !first.starts_with("listening on ")
        } {
            assert!(first.contains(others) || first.contains("added") || first.contains("next:"), "{first}");
        }
        let address = first.trim().strip_prefix("listening on ").unwrap_or_else(|| panic!("it ended")).into();
        // Read on, so that the server never waits for a reader.
        std::thread::spawn(move || std::io::copy(&mut rest, &mut std::io::sink()));
        Self { child, address }
    }

    /// SIGKILL: the process gets no chance to tidy up.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Status and body of a request.
    pub fn request(&self, request: ureq::http::Request<Vec<u8>>) -> (u16, Value) {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let mut response = agent.run(request).unwrap();
        let text = response.body_mut().read_to_string().unwrap();
        (response.status().as_u16(), serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    pub fn chat(&self, creator: &str, message: &str) -> (u16, Value) {
        let body = serde_json::json!({"message": message, "creator_id": creator}).to_string();
        let request = ureq::http::Request::post(format!("{}/chat", self.address))
            .header("content-type", "application/json");
        self.request(request.body(body.into_bytes()).unwrap())
    }

    pub fn upload(&self, name: &str, content: &[u8], key: &str, query: &str) -> (u16, Value) {
        let (kind, body) = form(name, content);
        let request = ureq::http::Request::post(format!("{}/api/v1/documents{query}", self.address))
            .header("content-type", kind)
            .header("authorization", format!("Bearer {key}"));
        self.request(request.body(body).unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Content type and body of a form with a file, as a browser sends it.
pub fn form(name: &str, content: &[u8]) -> (String, Vec<u8>) {
    let edge = "edge-of-the-form";
    let mut body = format!(
        "--{edge}\r\nContent-Disposition: form-data; name=\"creator_id\"\r\n\r\ncourse\r\n\
         --{edge}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n"
    )
    .into_bytes();
    body.extend_from_slice(content);
    body.extend_from_slice(format!("\r\n--{edge}--\r\n").as_bytes());
    (format!("multipart/form-data; boundary={edge}"), body)
}

pub fn said(output: Output) -> Said {
    Said {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Reads documents with the built program, since the one that runs the tests is no reader.
pub fn sandbox() -> Sandbox {
    let path = env!("CARGO_BIN_EXE_neverafk").into();
    Sandbox::Apart(Program { path, allowance: Allowance::default() })
}

/// An app over a store in memory, with a creator `course` and a key for it.
pub struct TestApp {
    pub app: Arc<App>,
    pub key: String,
    _directory: tempfile::TempDir,
}

/// A reply, read to its end.
pub struct Reply {
    pub status: StatusCode,
    pub headers: axum::http::HeaderMap,
    pub text: String,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The events of a stream.
    pub fn events(&self) -> Vec<Value> {
        let data = self.text.lines().filter_map(|line| line.strip_prefix("data: "));
        data.map(|json| serde_json::from_str(json).unwrap()).collect()
    }
}

impl TestApp {
    pub async fn new() -> Self {
        Self::configured(&[]).await
    }

    /// With these variables of the environment.
    pub async fn configured(environment: &[(String, String)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let flags = Flags { data_dir: Some(directory.path().into()), ..Flags::default() };
        let config = Config { sandbox: sandbox(), ..Config::resolve(&flags, environment).unwrap() };
        let app = App::with_store(config, Store::in_memory().unwrap()).unwrap();
        app.add_creator(Self::course(), None).await.unwrap();
        let (_, key) = app.create_key(&Self::course(), "test".into()).await.unwrap();
        Self { app, key, _directory: directory }
    }

    pub fn course() -> CreatorId {
        "course".parse().unwrap()
    }

    pub async fn with(files: &[(&str, &str)]) -> Self {
        let this = Self::new().await;
        for (name, content) in files {
            let item = Item::upload(name, content.as_bytes().to_vec());
            this.app.ingest().one(&Self::course(), item).await.unwrap();
        }
        this
    }

    pub async fn send(&self, request: Request<Body>) -> Reply {
        let response = neverafk::http::router(self.app.clone()).oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        Reply {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    pub async fn get_as(&self, path: &str, key: &str) -> Reply {
        let request = Request::get(path).header(header::AUTHORIZATION, format!("Bearer {key}"));
        self.send(request.body(Body::empty()).unwrap()).await
    }

    pub async fn post_as(&self, path: &str, body: Value, key: &str) -> Reply {
        self.send_as(Request::post(path), body, key).await
    }

    pub async fn patch_as(&self, path: &str, body: Value, key: &str) -> Reply {
        self.send_as(Request::patch(path), body, key).await
    }

    async fn send_as(&self, request: axum::http::request::Builder, body: Value, key: &str) -> Reply {
        let request = request
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, format!("Bearer {key}"));
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Reply {
        let request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    /// Asks the course, and gives the answer.
    pub async fn chat(&self, message: &str) -> Value {
        let body = serde_json::json!({"message": message, "creator_id": "course"});
        let reply = self.post("/chat", body).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
        reply.json()
    }

    /// Uploads a file as a browser's form would.
    pub async fn upload(&self, name: &str, content: &[u8], key: &str, query: &str) -> Reply {
        let (kind, body) = form(name, content);
        let request = Request::post(format!("/upload/content{query}"))
            .header(header::CONTENT_TYPE, kind)
            .header(header::AUTHORIZATION, format!("Bearer {key}"));
        self.send(request.body(Body::from(body)).unwrap()).await
    }
}

/// A PDF with one page for each text; the smallest that readers accept.
pub fn pdf(pages: &[&str]) -> Vec<u8> {
    let mut objects: Vec<String> = vec![
        "<</Type/Catalog/Pages 2 0 R>>".into(),
        String::new(),
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>".into(),
    ];
    let mut kids = String::new();
    for text in pages {
        let stream = format!("BT /F1 12 Tf 60 700 Td ({text}) Tj ET");
        objects.push(format!("<</Length {}>>\nstream\n{stream}\nendstream", stream.len()));
        let content = objects.len();
        objects.push(format!(
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents {content} 0 R/Resources<</Font<</F1 3 0 R>>>>>>"
        ));
        kids.push_str(&format!("{} 0 R ", objects.len()));
    }
    objects[1] = format!("<</Type/Pages/Kids[{kids}]/Count {}>>", pages.len());
    let (mut file, mut places) = (String::from("%PDF-1.4\n"), Vec::new());
    for (number, object) in objects.iter().enumerate() {
        places.push(file.len());
        file.push_str(&format!("{} 0 obj\n{object}\nendobj\n", number + 1));
    }
    let table = file.len();
    file.push_str(&format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1));
    for place in places {
        file.push_str(&format!("{place:010} 00000 n \n"));
    }
    file.push_str(&format!(
        "trailer\n<</Size {}/Root 1 0 R>>\nstartxref\n{table}\n%%EOF\n",
        objects.len() + 1
    ));
    file.into_bytes()
}

/// A zip of these files.
pub fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}
