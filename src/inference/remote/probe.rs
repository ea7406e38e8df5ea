//! Whether a server is there and takes the key: asked for its list of models, which costs nothing. For `doctor`.

use std::time::Duration;

use tokio::time::timeout;

use super::RemoteOptions;
use super::client::{Wire, unreachable};
use crate::inference::ModelError;
use crate::inference::fault::Fault;

/// Asks once; gives how long it took.
pub async fn probe(options: RemoteOptions, within: Duration) -> Result<Duration, ModelError> {
    let wire = Wire::new(options)?;
    let began = tokio::time::Instant::now();
    let asked = async {
        let sent = wire.request(reqwest::Method::GET, "models").send().await;
        let response = sent.map_err(unreachable)?;
        // Some servers have no such list, which says nothing against them.
        match response.status().as_u16() {
            404 | 405 => Ok(()),
            status if (200..300).contains(&status) => Ok(()),
            _ => Err(wire.refusal(response).await.0),
        }
    };
    let outcome = timeout(within, asked).await.unwrap_or(Err(Fault::Silent(within)));
    outcome.map(|()| began.elapsed()).map_err(|fault| wire.error(fault))
}

/// A page of JSON without a key: what another `neverafk` on this machine says of itself.
pub async fn page(url: reqwest::Url, within: Duration) -> Option<serde_json::Value> {
    let client = super::client::client(&url, within).ok()?;
    let asked = async {
        let response = client.get(url).send().await.ok()?;
        let bytes = super::client::body(response, PAGE_BYTES).await.ok()?;
        serde_json::from_slice(&bytes).ok()
    };
    timeout(within, asked).await.ok().flatten()
}

/// Longest page that is read.
const PAGE_BYTES: usize = 1 << 20;
