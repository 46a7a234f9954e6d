//! What settings are called elsewhere: in torchvision's references, torch's examples, timm, Ultralytics, Keras,
//! Lightning and Hugging Face's Trainer.
//!
//! The tables are the only place that knows these words; [`given`] answers for a name with its value. Names are compared without case, `-` and `_`, so `--batchSize`, `batch_size` and `batch-size` are one name.

mod given;
mod meaning;
mod names;
mod values;

pub use given::{Given, Takes, given, takes};
pub use meaning::{Meaning, meaning, setting, squeezed, truth, value_meaning};
pub use names::NAMES;
pub use values::VALUES;
