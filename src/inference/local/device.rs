//! Where local models run: the processor, or a graphics card where the program was built for one.
//!
//! In: a folder of a sentence encoder and its options. Out: the encoder, opened for the best device there is.
//! `app.rs` calls it. The processor has its own forward pass (`bert.rs`); cards use candle's (`bert_candle.rs`).

use std::path::Path;

use candle_core::Device;

use super::bert::{Bert, BertOptions};
use super::bert_candle::CandleBert;
use super::embedder::EmbedModel;
use crate::inference::ModelError;

/// The card this program was built for, if the machine has a working one; else the processor.
pub fn best() -> Device {
    let card = if cfg!(feature = "cuda") {
        Device::new_cuda(0)
    } else if cfg!(feature = "metal") {
        Device::new_metal(0)
    } else {
        return Device::Cpu;
    };
    card.unwrap_or_else(|error| {
        tracing::warn!("no graphics card can be used, models run on the processor: {error}");
        Device::Cpu
    })
}

/// Opens a sentence encoder on a device. Takes about a second; not for async threads.
pub fn open_encoder(
    folder: &Path,
    options: &BertOptions,
    device: &Device,
) -> Result<Box<dyn EmbedModel>, ModelError> {
    match device {
        Device::Cpu => Ok(Box::new(Bert::open(folder, options)?)),
        card => Ok(Box::new(CandleBert::open(folder, options, card)?)),
    }
}
