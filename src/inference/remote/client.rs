//! One HTTP client for one server: TLS, time-outs, the key, and what a refusal means.
//!
//! Redirects are not followed: a key must not go where nobody sent it. A server on this machine is never asked
//! through a proxy.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url, redirect};
use serde_json::Value;

use super::{Api, RemoteOptions, anthropic};
use crate::inference::ModelError;
use crate::inference::fault::Fault;

/// What of a refusal's body is read, in bytes, and shown, in characters.
const REFUSAL_BYTES: usize = 16 << 10;
const SAID_CHARS: usize = 200;
/// Waiting longer for the words of a refusal is not worth it.
const REFUSAL_TIME: Duration = Duration::from_secs(2);

/// A way to a server.
#[derive(Clone)]
pub struct Wire {
    pub options: Arc<RemoteOptions>,
    client: reqwest::Client,
}

impl Wire {
    pub fn new(options: RemoteOptions) -> Result<Self, ModelError> {
        let unusable = |reason: String| ModelError::Unusable { model: options.name.clone(), reason };
        let client = client(&options.url, options.patience.connect).map_err(unusable)?;
        Ok(Self { options: Arc::new(options), client })
    }

    /// A request to `{url}/{path}` with the key.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let base = self.options.url.as_str().trim_end_matches('/');
        let mut request = self.client.request(method, format!("{base}/{path}"));
        let key = self.options.key.as_ref().map(super::Key::reveal);
        let secret = |text: String| {
            // A key is visible ASCII (`Key::parse`), so it is a header; if it were not, none is sent.
            HeaderValue::from_str(&text).ok().map(|mut value| {
                value.set_sensitive(true);
                value
            })
        };
        match self.options.api {
            Api::OpenAi => {
                if let Some(value) = key.and_then(|key| secret(format!("Bearer {key}"))) {
                    request = request.header("authorization", value);
                }
            }
            Api::Anthropic => {
                request = request.header("anthropic-version", anthropic::VERSION);
                if let Some(value) = key.and_then(|key| secret(key.to_owned())) {
                    request = request.header("x-api-key", value);
                }
            }
        }
        request
    }

    /// The fault as this model's error.
    pub fn error(&self, fault: Fault) -> ModelError {
        ModelError::Remote { model: self.options.name.clone(), fault }
    }

    /// What a refusal means, and which parameter it names, if it names one.
    pub async fn refusal(&self, response: Response) -> (Fault, Option<String>) {
        let status = response.status();
        let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after = retry_after.and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => return (Fault::Denied, None),
            StatusCode::NOT_FOUND => return (Fault::NoModel, None),
            StatusCode::TOO_MANY_REQUESTS => return (Fault::Limited { retry_after }, None),
            _ if status.is_server_error() => return (Fault::Broken(status.as_u16()), None),
            _ => {}
        }
        let read = tokio::time::timeout(REFUSAL_TIME, body(response, REFUSAL_BYTES)).await;
        let text = read.ok().and_then(Result::ok).unwrap_or_default();
        let value: Value = serde_json::from_slice(&text)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&text).into_owned()));
        let error = value.get("error").unwrap_or(&value);
        let mut said = said(error);
        if let Some(key) = &self.options.key {
            said = said.replace(key.reveal(), "********");
        }
        let named = error.get("param").and_then(Value::as_str).map(str::to_owned);
        (Fault::Refused { status: status.as_u16(), said }, named)
    }
}

/// The sentence of an error as these APIs write them; of anything else, its beginning.
pub fn said(error: &Value) -> String {
    let text = match (error.get("message").and_then(Value::as_str), error) {
        (Some(message), _) => message.to_owned(),
        (None, Value::String(text)) => text.clone(),
        (None, other) => other.to_string(),
    };
    let words: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let clean: String = words.chars().filter(|c| !c.is_control()).take(SAID_CHARS).collect();
    if clean.is_empty() { "nothing more".to_owned() } else { clean }
}

/// Why a request did not get its response.
pub fn unreachable(error: reqwest::Error) -> Fault {
    // The address may hold what nobody should read; the last cause says what happened.
    let error = error.without_url();
    let mut cause: &dyn std::error::Error = &error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    if error.is_timeout() {
        Fault::Unreachable("no connection in time".into())
    } else {
        Fault::Unreachable(cause.to_string())
    }
}

/// A body, as long as it is no longer than `most`.
pub async fn body(mut response: Response, most: usize) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|_| Fault::Cut)? {
        if bytes.len() + piece.len() > most {
            return Err(Fault::Endless(most));
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

/// Whether a response says that it is of this type.
pub fn is_type(response: &Response, kind: &str) -> bool {
    let given =
        response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    given.get(..kind.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(kind))
}

/// TLS by rustls with ring, as downloads have it. A server without TLS needs no certificates of the system.
pub fn client(url: &Url, connect: Duration) -> Result<reqwest::Client, String> {
    // For the whole process, and once: whoever installed one before was faster, with the same one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .connect_timeout(connect)
        .redirect(redirect::Policy::none())
        .user_agent(concat!("neverafk/", env!("CARGO_PKG_VERSION")));
    if url.scheme() == "http" {
        let tls = rustls::ClientConfig::builder()
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
        builder = builder.tls_backend_preconfigured(tls);
    }
    let here = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    if here {
        builder = builder.no_proxy();
    }
    builder.build().map_err(|error| format!("no HTTP client can be made: {}", unreachable(error)))
}
