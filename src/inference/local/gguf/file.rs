//! An open GGUF file: its values by name, its tensors one at a time.
//!
//! In: a path. Out: values and [`QTensor`]s. Called by the files of this folder while a model is loaded, and
//! dropped when it is, so that nothing of the file stays in memory. What the values mean is not known here.

use std::{fs::File, io::BufReader, path::Path};

use candle_core::{
    Device,
    quantized::{
        QTensor,
        gguf_file::{Content, Value},
    },
};

use super::{error::GgufError, guard};

pub struct GgufFile {
    content: Content,
    reader: BufReader<File>,
    architecture: String,
}

impl GgufFile {
    /// Reads the header, and refuses what is not a whole and sane GGUF file.
    pub fn open(path: &Path) -> Result<Self, GgufError> {
        let file = File::open(path)?;
        guard::check(&file)?;
        let mut reader = BufReader::new(file);
        use std::io::Seek;
        reader.rewind()?;
        let content = Content::read(&mut reader)?;
        let mut this = Self { content, reader, architecture: String::new() };
        this.architecture = this.text("general.architecture")?.to_owned();
        Ok(this)
    }

    /// `general.architecture`: the family whose forward pass the weights are made for.
    pub fn architecture(&self) -> &str {
        &self.architecture
    }

    /// The value `{architecture}.{key}`.
    pub fn of_architecture(&self, key: &str) -> Option<&Value> {
        self.value(&format!("{}.{key}", self.architecture))
    }

    pub fn value(&self, key: &str) -> Option<&Value> {
        self.content.metadata.get(key)
    }

    pub fn text(&self, key: &str) -> Result<&str, GgufError> {
        match self.value(key) {
            Some(Value::String(text)) => Ok(text),
            Some(_) => Err(GgufError::bad(format!("its value `{key}` is not a text"))),
            None => Err(GgufError::bad(format!("it has no value `{key}`"))),
        }
    }

    /// The texts of an array, moved out of the file's values.
    pub fn take_texts(&mut self, key: &str) -> Result<Vec<String>, GgufError> {
        match self.content.metadata.remove(key) {
            Some(Value::Array(values)) => values
                .into_iter()
                .map(|value| match value {
                    Value::String(text) => Ok(text),
                    _ => Err(GgufError::bad(format!("its value `{key}` holds something else than texts"))),
                })
                .collect(),
            Some(_) => Err(GgufError::bad(format!("its value `{key}` is not an array"))),
            None => Err(GgufError::bad(format!("it has no value `{key}`"))),
        }
    }

    /// The numbers of an array, or none if the file lacks it.
    pub fn numbers(&self, key: &str) -> Option<Vec<f32>> {
        match self.value(key) {
            Some(Value::Array(values)) => values.iter().map(number).collect(),
            _ => None,
        }
    }

    pub fn unsigned(&self, key: &str) -> Option<u32> {
        self.value(key).and_then(unsigned)
    }

    pub fn flag(&self, key: &str) -> Option<bool> {
        self.value(key).and_then(|value| value.to_bool().ok())
    }

    pub fn has_tensor(&self, name: &str) -> bool {
        self.content.tensor_infos.contains_key(name)
    }

    /// Rows of a tensor with two dimensions.
    pub fn rows(&self, name: &str) -> Result<usize, GgufError> {
        match self.content.tensor_infos.get(name).map(|info| info.shape.dims()) {
            Some([rows, _]) => Ok(*rows),
            _ => Err(GgufError::bad(format!("it has no matrix `{name}`"))),
        }
    }

    /// How many weights all tensors have together.
    pub fn weights(&self) -> u64 {
        self.content.tensor_infos.values().map(|info| info.shape.elem_count() as u64).sum()
    }

    /// A tensor of the expected shape, rows first.
    pub fn tensor(&mut self, name: &str, shape: &[usize]) -> Result<QTensor, GgufError> {
        let Some(info) = self.content.tensor_infos.get(name) else {
            return Err(GgufError::bad(format!("it has no tensor `{name}`")));
        };
        if info.shape.dims() != shape {
            let found = info.shape.dims();
            return Err(GgufError::bad(format!("its tensor `{name}` has shape {found:?}, not {shape:?}")));
        }
        let last = shape.last().copied().unwrap_or(0);
        if !last.is_multiple_of(info.ggml_dtype.block_size()) {
            return Err(GgufError::bad(format!("the rows of its tensor `{name}` are not whole blocks")));
        }
        Ok(self.content.tensor(&mut self.reader, name, &Device::Cpu)?)
    }

    /// The values of a tensor, as 32-bit floats.
    pub fn vector(&mut self, name: &str, length: usize) -> Result<Vec<f32>, GgufError> {
        let tensor = self.tensor(name, &[length])?;
        Ok(tensor.dequantize(&Device::Cpu)?.flatten_all()?.to_vec1::<f32>()?)
    }

    /// [`Self::vector`] if the file has it.
    pub fn optional_vector(&mut self, name: &str, length: usize) -> Result<Option<Vec<f32>>, GgufError> {
        if self.has_tensor(name) { self.vector(name, length).map(Some) } else { Ok(None) }
    }
}

/// A whole number of any width that is not negative.
pub fn unsigned(value: &Value) -> Option<u32> {
    match value {
        Value::U8(v) => Some(u32::from(*v)),
        Value::U16(v) => Some(u32::from(*v)),
        Value::U32(v) => Some(*v),
        Value::I8(v) => u32::try_from(*v).ok(),
        Value::I16(v) => u32::try_from(*v).ok(),
        Value::I32(v) => u32::try_from(*v).ok(),
        Value::U64(v) => u32::try_from(*v).ok(),
        Value::I64(v) => u32::try_from(*v).ok(),
        _ => None,
    }
}

/// A number of any kind.
pub fn number(value: &Value) -> Option<f32> {
    match value {
        Value::F32(v) => Some(*v),
        Value::F64(v) => Some(*v as f32),
        Value::I8(v) => Some(f32::from(*v)),
        Value::I16(v) => Some(f32::from(*v)),
        Value::I32(v) => Some(*v as f32),
        Value::I64(v) => Some(*v as f32),
        _ => unsigned(value).map(|v| v as f32),
    }
}
