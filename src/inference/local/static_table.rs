//! The embedding that needs no download: one vector per WordPiece token; a text is the mean of its tokens.
//!
//! In: the table's bytes (shipped inside the binary, or a file) and texts. Out: vectors of length 1. `app.rs` chooses
//! it when no neural model is installed, and retrieval may fuse it with one. `models/train_static.py` trains and
//! packs the table; the weighting by token frequency lives in its rows, so nothing is weighed here.

use std::borrow::Cow;
use std::path::Path;

use crate::domain::{Embedding, EmbeddingModelId};
use crate::inference::local::embedder::EmbedModel;
use crate::inference::local::wordpiece::WordPiece;
use crate::inference::{EmbedInput, ModelError};

/// The name in the catalogue, and in the id of every vector.
pub const NAME: &str = "static-minilm-256";

/// How a table file begins; the number after it is the version of the layout.
const MAGIC: &[u8; 8] = b"NVRSTAT1";
const VERSION: u32 = 1;
/// Magic, then version, dimensions, rows and bytes of vocabulary as little-endian u32.
const HEADER: usize = 24;

/// A table of token vectors, in eight bits with a scale for each row.
pub struct StaticTable {
    id: EmbeddingModelId,
    pieces: WordPiece,
    scales: Vec<f32>,
    /// i8 values as bytes, row after row.
    rows: Cow<'static, [u8]>,
}

impl StaticTable {
    /// The table inside the binary.
    pub fn shipped() -> Result<Self, ModelError> {
        let bytes: &'static [u8] = include_bytes!("../../../models/static-minilm-256.bin");
        Self::parse(Cow::Borrowed(bytes))
    }

    /// A table from a file of the same layout.
    pub fn open(path: &Path) -> Result<Self, ModelError> {
        let bytes = std::fs::read(path).map_err(|e| unusable(format!("{}: {e}", path.display())))?;
        Self::parse(Cow::Owned(bytes))
    }

    fn parse(bytes: Cow<'static, [u8]>) -> Result<Self, ModelError> {
        if bytes.len() < HEADER || bytes[..8] != *MAGIC {
            return Err(unusable("it is not a table of token vectors"));
        }
        let number = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let (version, dims, rows, words) =
            (number(8), number(12) as usize, number(16) as usize, number(20) as usize);
        if version != VERSION {
            return Err(unusable(format!("its layout is version {version}, this program reads {VERSION}")));
        }
        let values = HEADER + 4 * rows;
        let vocabulary = rows.checked_mul(dims).and_then(|n| n.checked_add(values));
        let Some(vocabulary) = vocabulary.filter(|v| dims > 0 && v.checked_add(words) == Some(bytes.len()))
        else {
            return Err(unusable("its length does not agree with its header"));
        };
        let scales = bytes[HEADER..values]
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
            .collect();
        let text = std::str::from_utf8(&bytes[vocabulary..])
            .map_err(|_| unusable("its vocabulary is not UTF-8"))?
            .trim_end_matches('\n');
        if text.split('\n').count() != rows {
            return Err(unusable("its vocabulary does not have one token for each row"));
        }
        let pieces =
            WordPiece::new(text.split('\n')).ok_or_else(|| unusable("its vocabulary has no [UNK]"))?;
        let revision = blake3::hash(&bytes).to_hex()[..16].to_owned();
        let id = EmbeddingModelId { name: NAME.to_owned(), revision, dimensions: dims };
        let rows = match bytes {
            Cow::Borrowed(all) => Cow::Borrowed(&all[values..vocabulary]),
            Cow::Owned(mut all) => {
                all.truncate(vocabulary);
                all.drain(..values);
                Cow::Owned(all)
            }
        };
        Ok(Self { id, pieces, scales, rows })
    }

    /// How many tokens a text has.
    pub fn count_tokens(&self, text: &str) -> usize {
        self.pieces.encode(text).len()
    }

    /// The vector of a text, of length 1; all zeros for a text without any known token, which is like nothing.
    pub fn embed_text(&self, text: &str) -> Vec<f32> {
        let dims = self.id.dimensions;
        let mut sum = vec![0f32; dims];
        for token in self.pieces.encode(text) {
            let row = token as usize;
            let scale = self.scales[row];
            for (total, &value) in sum.iter_mut().zip(&self.rows[row * dims..][..dims]) {
                *total += scale * f32::from(value.cast_signed());
            }
        }
        let length = sum.iter().map(|v| v * v).sum::<f32>().sqrt();
        // The mean and the sum have the same direction, so the number of tokens need not be divided by.
        if length > 1e-12 {
            sum.iter_mut().for_each(|v| *v /= length);
        }
        sum
    }
}

impl EmbedModel for StaticTable {
    fn id(&self) -> &EmbeddingModelId {
        &self.id
    }

    fn embed(&mut self, inputs: &[EmbedInput]) -> Result<Vec<Embedding>, ModelError> {
        Ok(inputs.iter().map(|input| Embedding(self.embed_text(&input.text))).collect())
    }

    /// About ten milliseconds of work.
    fn unit_bytes(&self) -> usize {
        256 * 1024
    }
}

fn unusable(reason: impl Into<String>) -> ModelError {
    ModelError::Unusable { model: NAME.to_owned(), reason: reason.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three tokens of two dimensions.
    fn small() -> Vec<u8> {
        let words = "[UNK]\nrefund\ncourse";
        let mut file = MAGIC.to_vec();
        for number in [VERSION, 2, 3, words.len() as u32] {
            file.extend(number.to_le_bytes());
        }
        for scale in [0f32, 0.5, 0.25] {
            file.extend(scale.to_le_bytes());
        }
        file.extend([0u8, 0, 3, 4, 0, (-8i8).cast_unsigned()]);
        file.extend(words.as_bytes());
        file
    }

    #[test]
    fn a_text_is_the_direction_of_the_sum_of_its_rows() {
        let table = StaticTable::parse(Cow::Owned(small())).expect("well formed");
        assert_eq!(table.embed_text("Refund"), [0.6, 0.8]);
        assert_eq!(table.embed_text("refund course"), [1.0, 0.0]);
        assert_eq!(table.embed_text("zebra"), [0.0, 0.0]);
        assert_eq!(table.embed_text(""), [0.0, 0.0]);
    }

    #[test]
    fn a_damaged_file_is_refused_with_a_reason() {
        let check = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut file = small();
            change(&mut file);
            assert!(matches!(StaticTable::parse(Cow::Owned(file)), Err(ModelError::Unusable { .. })));
        };
        check(&|f| f.clear());
        check(&|f| f[0] = b'X');
        check(&|f| f[8] = 9);
        check(&|f| f[12] = 0);
        check(&|f| f[16..20].copy_from_slice(&u32::MAX.to_le_bytes()));
        check(&|f| f.truncate(30));
        check(&|f| *f.last_mut().expect("not empty") = 0xff);
        check(&|f| f.push(b'\n'));
    }

    #[test]
    fn text_of_many_scripts_is_cut_as_the_tokenizers_package_cuts_it() {
        #[derive(serde::Deserialize)]
        struct Reference {
            text: String,
            ids: Vec<u32>,
        }
        let json = include_str!("../../../tests/fixtures/embedding/minilm.json");
        let references: Vec<Reference> = serde_json::from_str(json).expect("the fixture is well formed");
        let table = StaticTable::shipped().expect("it is built in");
        for Reference { text, ids } in references {
            assert_eq!(table.pieces.encode(&text), ids, "{text:?}");
        }
    }

    #[test]
    fn the_shipped_table_knows_what_belongs_together() {
        let table = StaticTable::shipped().expect("it is built in");
        let cosine = |a: &str, b: &str| -> f32 {
            table.embed_text(a).iter().zip(table.embed_text(b)).map(|(x, y)| x * y).sum()
        };
        let question = "How do I get my money back?";
        let right = cosine(question, "Refunds are paid within 14 days of the purchase.");
        let wrong = cosine(question, "The lesson about photosynthesis has two videos.");
        assert!(right > wrong + 0.1, "{right} against {wrong}");
    }
}
