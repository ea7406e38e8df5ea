//! [`RemoteEmbedder`]: vectors from `POST {url}/embeddings` of an OpenAI-compatible server, as an [`Embedder`].
//!
//! A collection made with it sends every passage and every question to that server. Its identity is the server's
//! model name and the length of its vectors; a server that changes its model under one name is not noticed.

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::json;
use tokio::time::timeout;

use super::RemoteOptions;
use super::client::{Wire, body, is_type, unreachable};
use crate::domain::{Embedding, EmbeddingModelId};
use crate::inference::fault::Fault;
use crate::inference::{EmbedInput, Embedder, Lane, ModelError};

/// Texts in one request: what the smallest servers take.
const BATCH: usize = 32;
/// Longest reply: a batch of vectors of 4096 numbers, written out.
const REPLY_BYTES: usize = 8 << 20;
/// What is embedded to learn how long the vectors are.
const SAMPLE: &str = "course";

/// An embedding model on another machine.
pub struct RemoteEmbedder {
    id: EmbeddingModelId,
    wire: Wire,
}

#[derive(Deserialize)]
struct Reply {
    data: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    index: usize,
    embedding: Vec<f32>,
}

impl RemoteEmbedder {
    /// Embeds one word to learn the length of the vectors.
    pub async fn open(options: RemoteOptions) -> Result<Self, ModelError> {
        let name = options.name.clone();
        let wire = Wire::new(options)?;
        let sample = vectors(&wire, &[SAMPLE.to_owned()], None).await.map_err(|fault| wire.error(fault))?;
        let dimensions = sample.first().map_or(0, Vec::len);
        let id = EmbeddingModelId { name, revision: String::new(), dimensions };
        Ok(Self { id, wire })
    }
}

#[async_trait]
impl Embedder for RemoteEmbedder {
    fn model(&self) -> &EmbeddingModelId {
        &self.id
    }

    /// Both lanes are one: the queue is on the other machine.
    async fn embed(&self, inputs: Vec<EmbedInput>, _: Lane) -> Result<Vec<Embedding>, ModelError> {
        let texts: Vec<String> = inputs.into_iter().map(|input| input.text).collect();
        let mut all = Vec::with_capacity(texts.len());
        for batch in texts.chunks(BATCH) {
            let made = vectors(&self.wire, batch, Some(self.id.dimensions)).await;
            all.extend(made.map_err(|fault| self.wire.error(fault))?.into_iter().map(Embedding));
        }
        Ok(all)
    }
}

async fn vectors(wire: &Wire, texts: &[String], dimensions: Option<usize>) -> Result<Vec<Vec<f32>>, Fault> {
    let total = wire.options.patience.total;
    let asked = async {
        let asked = json!({"model": wire.options.model, "input": texts, "encoding_format": "float"});
        let sent = wire.request(reqwest::Method::POST, "embeddings").json(&asked).send().await;
        let response = sent.map_err(unreachable)?;
        if !response.status().is_success() {
            return Err(wire.refusal(response).await.0);
        }
        if !is_type(&response, "application/json") {
            return Err(Fault::Garbled("it answered with something else than JSON".into()));
        }
        body(response, REPLY_BYTES).await
    };
    let bytes = timeout(total, asked).await.unwrap_or(Err(Fault::Slow(total)))?;
    in_order(&bytes, texts.len(), dimensions)
}

/// The vectors of a reply in the order of the texts, each of length 1.
fn in_order(bytes: &[u8], count: usize, dimensions: Option<usize>) -> Result<Vec<Vec<f32>>, Fault> {
    let garbled = |what: &str| Fault::Garbled(what.to_owned());
    let reply: Reply = serde_json::from_slice(bytes).map_err(|error| garbled(&error.to_string()))?;
    let mut rows = reply.data;
    rows.sort_by_key(|row| row.index);
    if rows.len() != count || rows.iter().enumerate().any(|(at, row)| row.index != at) {
        return Err(garbled("it gave another number of vectors than of texts"));
    }
    let mut vectors = Vec::with_capacity(count);
    for mut vector in rows.into_iter().map(|row| row.embedding) {
        if dimensions.is_some_and(|wanted| wanted != vector.len()) {
            return Err(garbled("its vectors have another length than before"));
        }
        let norm = vector.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
        if !norm.is_normal() {
            return Err(garbled("a vector has no direction"));
        }
        vector.iter_mut().for_each(|x| *x = (f64::from(*x) / norm) as f32);
        vectors.push(vector);
    }
    Ok(vectors)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_come_in_order_and_normal() {
        let reply = br#"{"data":[{"index":1,"embedding":[0,2]},{"index":0,"embedding":[3,4]}]}"#;
        assert_eq!(in_order(reply, 2, Some(2)).unwrap(), [vec![0.6, 0.8], vec![0.0, 1.0]]);
    }

    #[test]
    fn wrong_vectors_are_refused() {
        for (reply, count, dimensions) in [
            (r#"{"data":[{"index":0,"embedding":[1]}]}"#, 2, None),
            (r#"{"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[1]}]}"#, 2, None),
            (r#"{"data":[{"index":0,"embedding":[1]}]}"#, 1, Some(2)),
            (r#"{"data":[{"index":0,"embedding":[0,0]}]}"#, 1, None),
            (r#"{"data":[{"index":0,"embedding":[]}]}"#, 1, None),
            (r#"{"data":"none"}"#, 1, None),
        ] {
            assert!(
                matches!(in_order(reply.as_bytes(), count, dimensions), Err(Fault::Garbled(_))),
                "{reply}"
            );
        }
    }
}
