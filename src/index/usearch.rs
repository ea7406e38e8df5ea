//! The graph index for large collections: HNSW in sixteen bits, by usearch, kept on disk as a checkpoint.
//!
//! usearch trusts the bytes that it loads (a flipped bit is a wrong answer or a crash) and its removal updates the
//! graph in place, which can lock up. So a checkpoint is loaded only after its BLAKE3 was verified, every add makes
//! a new node, and removed nodes are passed over until the caller builds the index anew ([`VectorIndex::dead`]).
//! There is one writer, by the borrow checker. What this cannot load, the caller rebuilds from the store.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::sync::{Condvar, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use usearch::{Index, IndexOptions, MetricKind, ScalarKind};

use super::exact::nearest_first;
use super::{Hit, IndexError, VectorIndex, VectorSearch, f16};
use crate::domain::{ChunkId, EmbeddingModelId};

/// Neighbours of a node, candidates while adding, candidates while searching: hnswlib's usual choices, with which
/// 100,000 vectors of 384 dimensions are found with a recall of 0.988 at ten.
const CONNECTIVITY: usize = 16;
const EXPANSION_ADD: usize = 128;
const EXPANSION_SEARCH: usize = 128;

/// Searches at once; usearch keeps a work space for each, and refuses one more.
const SEARCHES: usize = 8;

/// Smallest room that is reserved.
const LEAST_CAPACITY: usize = 1024;

const MAGIC: &[u8; 16] = b"neverafk hnsw 1\n";

/// Nodes that are looked for after loading, and how many of them must be found.
const SAMPLES: usize = 64;
const SAMPLES_FOUND: usize = 58;

/// Approximate nearest neighbours by cosine.
pub struct HnswIndex {
    graph: Index,
    dimensions: usize,
    /// The chunk of each node, in the order of adding: a node's key in the graph is its place here.
    nodes: Vec<ChunkId>,
    /// The living node of each chunk; every other node is dead.
    living: HashMap<ChunkId, u64>,
    searches: Gate,
}

/// What a checkpoint says of itself.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Head {
    usearch: String,
    dimensions: usize,
    connectivity: usize,
    expansion_add: usize,
    model: EmbeddingModelId,
    /// The last change of the store's list that is in it.
    change: u64,
    nodes: usize,
    living: usize,
    graph_bytes: usize,
}

impl HnswIndex {
    /// An empty index of vectors with this many dimensions.
    pub fn new(dimensions: usize) -> Result<Self, IndexError> {
        let mut graph = Index::new(&options(dimensions)).map_err(failed)?;
        reserve(&graph, LEAST_CAPACITY)?;
        set_metric(&mut graph, dimensions);
        let (nodes, living, searches) = (Vec::new(), HashMap::new(), Gate::new(SEARCHES));
        Ok(Self { graph, dimensions, nodes, living, searches })
    }

    /// Writes a checkpoint that holds the changes up to `change`; the file of that name stays whole at any moment.
    pub fn save(&self, path: &Path, model: &EmbeddingModelId, change: u64) -> Result<(), IndexError> {
        let mut graph = vec![0; self.graph.serialized_length()];
        self.graph.save_to_buffer(&mut graph).map_err(failed)?;
        let head = Head {
            usearch: usearch::version().to_owned(),
            dimensions: self.dimensions,
            connectivity: CONNECTIVITY,
            expansion_add: EXPANSION_ADD,
            model: model.clone(),
            change,
            nodes: self.nodes.len(),
            living: self.living.len(),
            graph_bytes: graph.len(),
        };
        let head = serde_json::to_vec(&head).map_err(|error| IndexError::Failed(error.to_string()))?;
        let mut body = Vec::with_capacity(8 + head.len() + self.nodes.len() * 9 + graph.len());
        body.extend((head.len() as u64).to_le_bytes());
        body.extend(head);
        for (key, chunk) in (0u64..).zip(&self.nodes) {
            body.extend(chunk.0.to_le_bytes());
            body.push(u8::from(self.living.get(chunk) == Some(&key)));
        }
        body.extend(graph);

        let folder = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(folder)?;
        file.write_all(MAGIC)?;
        file.write_all(blake3::hash(&body).as_bytes())?;
        file.write_all(&body)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        if cfg!(unix) {
            File::open(folder)?.sync_all()?;
        }
        Ok(())
    }

    /// Loads a checkpoint of this model with the number of its last change. Anything wrong with it is
    /// [`IndexError::Damaged`]: the caller builds the index from the store instead.
    pub fn load(path: &Path, model: &EmbeddingModelId) -> Result<(Self, u64), IndexError> {
        let damaged = |reason: String| IndexError::Damaged { path: path.display().to_string(), reason };
        let bytes = fs::read(path)?;
        let (head, nodes, graph_bytes) = verify(&bytes).map_err(|reason| damaged(reason.to_owned()))?;
        let expected = (usearch::version(), CONNECTIVITY, EXPANSION_ADD, model, model.dimensions);
        let found =
            (head.usearch.as_str(), head.connectivity, head.expansion_add, &head.model, head.dimensions);
        if found != expected {
            return Err(damaged("it is of another model or version".to_owned()));
        }
        let mut graph = Index::new(&options(head.dimensions)).map_err(failed)?;
        graph.load_from_buffer(graph_bytes).map_err(|error| damaged(error.to_string()))?;
        if graph.size() != head.nodes || graph.dimensions() != head.dimensions {
            return Err(damaged("its graph has another size".to_owned()));
        }
        reserve(&graph, head.nodes.max(LEAST_CAPACITY))?;
        set_metric(&mut graph, head.dimensions);
        let keys = (0u64..).zip(&nodes);
        let living = keys.filter(|(_, (_, lives))| *lives).map(|(key, (chunk, _))| (*chunk, key)).collect();
        let nodes: Vec<ChunkId> = nodes.into_iter().map(|(chunk, _)| chunk).collect();
        let index = Self { graph, dimensions: head.dimensions, nodes, living, searches: Gate::new(SEARCHES) };
        if index.living.len() != head.living {
            return Err(damaged("its chunks have another number".to_owned()));
        }
        index.look_for_samples().map_err(damaged)?;
        Ok((index, head.change))
    }

    /// A graph can be whole as bytes and still not lead anywhere.
    fn look_for_samples(&self) -> Result<(), String> {
        let step = self.nodes.len().div_ceil(SAMPLES).max(1);
        let (mut looked_for, mut found) = (0, 0);
        for (key, chunk) in (0u64..).zip(&self.nodes).step_by(step) {
            if self.living.get(chunk) != Some(&key) {
                continue;
            }
            looked_for += 1;
            let vector = self.stored(key).map_err(|error| error.to_string())?;
            let hits = self.nearest(&vector, 1).map_err(|error| error.to_string())?;
            // Another chunk may hold the same words.
            let own = f16::dot(&vector, &vector);
            found += usize::from(hits.first().is_some_and(|hit| hit.similarity >= own - 1e-3));
        }
        if found * SAMPLES >= looked_for * SAMPLES_FOUND {
            Ok(())
        } else {
            Err(format!("only {found} of {looked_for} samples are found"))
        }
    }

    fn nearest(&self, query: &[i16], top: usize) -> Result<Vec<Hit>, IndexError> {
        let lives = |key: u64| {
            let chunk = usize::try_from(key).ok().and_then(|place| self.nodes.get(place));
            chunk.is_some_and(|chunk| self.living.get(chunk) == Some(&key))
        };
        let query = usearch::f16::from_i16s(query);
        let matches = {
            let _turn = self.searches.enter();
            match self.dead() {
                0 => self.graph.search(query, top),
                _ => self.graph.filtered_search(query, top, lives),
            }
        };
        let matches = matches.map_err(failed)?;
        let mut hits = Vec::with_capacity(matches.keys.len());
        for (key, distance) in matches.keys.into_iter().zip(matches.distances) {
            let chunk = usize::try_from(key).ok().and_then(|place| self.nodes.get(place)).copied();
            let chunk = chunk.ok_or_else(|| IndexError::Failed(format!("node {key} is of no chunk")))?;
            hits.push(Hit { chunk, similarity: 1.0 - distance });
        }
        hits.sort_unstable_by(nearest_first);
        Ok(hits)
    }

    fn stored(&self, key: u64) -> Result<Vec<i16>, IndexError> {
        let mut vector = vec![0i16; self.dimensions];
        match self.graph.get(key, usearch::f16::from_mut_i16s(&mut vector)).map_err(failed)? {
            1 => Ok(vector),
            _ => Err(IndexError::Failed(format!("node {key} has no vector"))),
        }
    }

    /// Of length 1, in sixteen bits.
    fn unit(&self, vector: &[f32]) -> Result<Vec<i16>, IndexError> {
        if vector.len() != self.dimensions {
            return Err(IndexError::Dimensions { got: vector.len(), want: self.dimensions });
        }
        let length = vector.iter().map(|number| number * number).sum::<f32>().sqrt();
        if !length.is_finite() {
            return Err(IndexError::Failed("the vector is not finite".to_owned()));
        }
        let divisor = if length == 0.0 { 1.0 } else { length };
        Ok(f16::encode(&vector.iter().map(|number| number / divisor).collect::<Vec<_>>()))
    }
}

impl VectorSearch for HnswIndex {
    /// Approximate: now and then one of the nearest is missed.
    fn search(&self, query: &[f32], top: usize) -> Result<Vec<Hit>, IndexError> {
        let query = self.unit(query)?;
        let top = top.min(self.living.len());
        if top == 0 {
            return Ok(Vec::new());
        }
        // More than asked for, so that the order of chunks decides between equals at the end.
        let mut hits = self.nearest(&query, top.max(EXPANSION_SEARCH).min(self.living.len()))?;
        hits.truncate(top);
        Ok(hits)
    }

    fn similarities(&self, query: &[f32], chunks: &[ChunkId]) -> Result<Vec<Option<f32>>, IndexError> {
        let query = self.unit(query)?;
        let similarity = |key: &u64| Ok(f16::dot(&query, &self.stored(*key)?));
        chunks.iter().map(|chunk| self.living.get(chunk).map(similarity).transpose()).collect()
    }

    fn len(&self) -> usize {
        self.living.len()
    }
}

impl VectorIndex for HnswIndex {
    fn add(&mut self, chunk: ChunkId, vector: &[f32]) -> Result<(), IndexError> {
        let vector = self.unit(vector)?;
        if self.graph.capacity() <= self.nodes.len() {
            reserve(&self.graph, (self.nodes.len() * 2).max(LEAST_CAPACITY))?;
        }
        let key = self.nodes.len() as u64;
        self.graph.add(key, usearch::f16::from_i16s(&vector)).map_err(failed)?;
        self.nodes.push(chunk);
        self.living.insert(chunk, key);
        Ok(())
    }

    fn remove(&mut self, chunk: ChunkId) -> Result<(), IndexError> {
        self.living.remove(&chunk);
        Ok(())
    }

    fn dead(&self) -> usize {
        self.nodes.len() - self.living.len()
    }
}

fn options(dimensions: usize) -> IndexOptions {
    IndexOptions {
        dimensions,
        metric: MetricKind::IP,
        quantization: ScalarKind::F16,
        connectivity: CONNECTIVITY,
        expansion_add: EXPANSION_ADD,
        expansion_search: EXPANSION_SEARCH,
        multi: false,
    }
}

/// Nothing may be searching or adding: callers hold the index alone.
fn reserve(graph: &Index, capacity: usize) -> Result<(), IndexError> {
    graph.reserve_capacity_and_threads(capacity, SEARCHES).map_err(failed)
}

/// usearch's own product in sixteen bits, without its optional kernels, converts number by number. Called once for
/// each graph, as usearch frees only the last metric it was given.
fn set_metric(graph: &mut Index, dimensions: usize) {
    graph.change_metric::<usearch::f16>(Box::new(move |a, b| {
        // SAFETY: usearch passes two vectors of the index's dimensions, which live through the call; its `f16` is
        // a transparent `i16`.
        let (a, b) = unsafe {
            (
                std::slice::from_raw_parts(a.cast::<i16>(), dimensions),
                std::slice::from_raw_parts(b.cast::<i16>(), dimensions),
            )
        };
        1.0 - f16::dot(a, b)
    }));
}

fn failed(error: impl std::fmt::Display) -> IndexError {
    IndexError::Failed(error.to_string())
}

type Nodes = Vec<(ChunkId, bool)>;

/// The parts of a checkpoint, if its bytes are those that were written.
fn verify(bytes: &[u8]) -> Result<(Head, Nodes, &[u8]), &'static str> {
    let rest = bytes.strip_prefix(MAGIC).ok_or("it is not a checkpoint of this version")?;
    let (hash, body) = rest.split_first_chunk::<32>().ok_or("it is cut short")?;
    if blake3::hash(body) != *hash {
        return Err("it is damaged");
    }
    // From here on the bytes are ours, yet no length is trusted.
    let (len, rest) = body.split_first_chunk::<8>().ok_or("it has no head")?;
    let len = usize::try_from(u64::from_le_bytes(*len)).map_err(|_| "it has no head")?;
    let (head, rest) = rest.split_at_checked(len).ok_or("it has no head")?;
    let head: Head = serde_json::from_slice(head).map_err(|_| "its head does not read")?;
    let table = head.nodes.checked_mul(9).and_then(|len| rest.split_at_checked(len));
    let (table, graph) = table.ok_or("it has no chunks")?;
    if graph.len() != head.graph_bytes {
        return Err("its graph has another length");
    }
    let node = |bytes: &[u8; 9]| {
        let [chunk @ .., lives] = *bytes;
        (ChunkId(u64::from_le_bytes(chunk)), lives == 1)
    };
    Ok((head, table.as_chunks::<9>().0.iter().map(node).collect(), graph))
}

/// Lets so many in at once; the others wait.
struct Gate {
    free: Mutex<usize>,
    left: Condvar,
}

struct Turn<'a>(&'a Gate);

impl Gate {
    fn new(places: usize) -> Self {
        Self { free: Mutex::new(places), left: Condvar::new() }
    }

    fn enter(&self) -> Turn<'_> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free = self.left.wait_while(free, |free| *free == 0).unwrap_or_else(PoisonError::into_inner);
        *free -= 1;
        Turn(self)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.left.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};

    use super::super::conformance::{self, clustered, random};
    use super::super::exact::ExactIndex;
    use super::*;

    fn model(dimensions: usize) -> EmbeddingModelId {
        EmbeddingModelId { name: "test".into(), revision: "1".into(), dimensions }
    }

    fn filled(vectors: &[Vec<f32>]) -> HnswIndex {
        let mut index = HnswIndex::new(vectors[0].len()).unwrap();
        for (chunk, vector) in vectors.iter().enumerate() {
            index.add(ChunkId(chunk as u64 + 100), vector).unwrap();
        }
        index
    }

    #[test]
    fn it_keeps_the_contract_of_an_index() {
        conformance::all(|dimensions| Box::new(HnswIndex::new(dimensions).unwrap()));
    }

    #[test]
    fn it_finds_most_of_what_an_exact_scan_finds() {
        for vectors in [random(3_000, 64, 1), clustered(3_000, 64, 2)] {
            let (mut index, mut exact) = (filled(&vectors), ExactIndex::new(64));
            for (chunk, vector) in vectors.iter().enumerate() {
                exact.add(ChunkId(chunk as u64 + 100), vector).unwrap();
            }
            for chunk in (0..3_000).step_by(3) {
                index.remove(ChunkId(chunk + 100)).unwrap();
                exact.remove(ChunkId(chunk + 100)).unwrap();
            }
            assert_eq!((index.len(), index.dead()), (2_000, 1_000));
            let mut common = 0;
            for query in &vectors[..100] {
                let best = exact.search(query, 10).unwrap();
                let found = index.search(query, 10).unwrap();
                common +=
                    found.iter().filter(|hit| best.iter().any(|other| other.chunk == hit.chunk)).count();
            }
            assert!(common >= 970, "{common} of 1000");
        }
    }

    #[test]
    fn a_checkpoint_comes_back_and_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("index").join("anna.hnsw");
        let vectors = random(1_500, 48, 3);
        let mut index = filled(&vectors);
        index.remove(ChunkId(107)).unwrap();
        index.add(ChunkId(108), &vectors[1_000]).unwrap();
        index.save(&path, &model(48), 77).unwrap();
        let (mut loaded, change) = HnswIndex::load(&path, &model(48)).unwrap();
        assert_eq!((change, loaded.len(), loaded.dead()), (77, 1_499, 2));
        for query in &vectors[..50] {
            assert_eq!(loaded.search(query, 5).unwrap(), index.search(query, 5).unwrap());
        }
        for (chunk, vector) in random(1_000, 48, 4).iter().enumerate() {
            loaded.add(ChunkId(5_000 + chunk as u64), vector).unwrap();
        }
        assert_eq!(loaded.len(), 2_499);

        let other = EmbeddingModelId { revision: "2".into(), ..model(48) };
        assert!(matches!(HnswIndex::load(&path, &other), Err(IndexError::Damaged { .. })));
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn an_empty_checkpoint_comes_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("empty.hnsw");
        HnswIndex::new(8).unwrap().save(&path, &model(8), 0).unwrap();
        assert!(HnswIndex::load(&path, &model(8)).unwrap().0.is_empty());
    }

    #[test]
    fn every_damage_of_a_checkpoint_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("index.hnsw");
        filled(&random(300, 16, 5)).save(&path, &model(16), 1).unwrap();
        let whole = fs::read(&path).unwrap();
        let mut rng = StdRng::seed_from_u64(6);
        for round in 0..300 {
            let mut bytes = whole.clone();
            let place = rng.random_range(0..bytes.len());
            match round % 5 {
                0 => bytes[place] ^= 1 << rng.random_range(0..8),
                1 => bytes.truncate(place),
                2 => bytes.extend([0; 7]),
                3 => {
                    let end = (place + 4096).min(bytes.len());
                    bytes[place..end].fill(0);
                    // A page of zeros may have been one before.
                    bytes[place] ^= 1;
                }
                _ => {
                    let other = (place + 1 + rng.random_range(0..bytes.len() - 1)) % bytes.len();
                    bytes.swap(place, other);
                    bytes[place] = bytes[place].wrapping_add(u8::from(bytes == whole));
                }
            }
            fs::write(&path, bytes).unwrap();
            let loaded = HnswIndex::load(&path, &model(16));
            assert!(matches!(loaded, Err(IndexError::Damaged { .. })), "round {round}");
        }
    }

    #[test]
    fn many_may_search_at_once() {
        let vectors = random(500, 32, 7);
        let index = filled(&vectors);
        std::thread::scope(|scope| {
            for thread in 0..3 * SEARCHES {
                let (index, vectors) = (&index, &vectors);
                scope.spawn(move || {
                    for query in vectors.iter().skip(thread).step_by(7) {
                        assert!(!index.search(query, 3).unwrap().is_empty());
                    }
                });
            }
        });
    }
}
