//! Weight files as data: safetensors and PyTorch `.pth`, read and written without running anything.
//!
//! A `.pth` file is a program for Python's pickle machine. Here it is only data: a small interpreter
//! knows the few instructions a state dict needs and refuses every other by name. Every claim of a file
//! is checked before it is used, so a hostile file gives an error and takes no memory.
//!
//! ```
//! use wellfit_weights::{Array, Data, WeightFile, from_bytes, to_pth_bytes};
//! let mut weights = WeightFile::default();
//! weights.arrays.push(("fc.bias".into(), Array { shape: vec![2], data: Data::F32(vec![0.5, -1.0]) }));
//! assert_eq!(from_bytes(&to_pth_bytes(&weights)?)?, weights);
//! # Ok::<(), wellfit_weights::Fault>(())
//! ```

mod array;
mod bytes;
mod element;
mod error;
mod foreign;
mod pth;
mod safetensors;
mod view;

use std::path::Path;

use wellfit_base::{atomic, file};

pub use array::{Array, Data, Dtype, WeightFile};
pub use error::{Fault, WeightsError};
pub use pth::to_pth_bytes;
pub use safetensors::{Outline, lay_out_safetensors, to_safetensors_bytes};

/// Read a weight file. Its content decides the format, not its name.
///
/// See [`from_bytes`] for what is understood.
///
/// # Errors
/// [`WeightsError::Io`] if the file cannot be read, [`WeightsError::File`] if it is not understood.
pub fn read(path: &Path) -> Result<WeightFile, WeightsError> {
    let io = |source| WeightsError::Io { action: "read", path: path.into(), source };
    let file = |fault| WeightsError::File { path: path.into(), fault };
    let bytes = file::read_whole_if(path, recognised).map_err(io)?.map_err(file)?;
    from_bytes(&bytes).map_err(file)
}

/// Whether a file that begins like this can be one of weights; gigabytes of another kind are not read.
fn recognised(first: &[u8]) -> Result<(), Fault> {
    if safetensors::recognises(first) {
        return safetensors::header_length(&mut bytes::Bytes::new(first)).map(drop);
    }
    if pth::recognises(first) { Ok(()) } else { Err(foreign::file(first)) }
}

/// The weights in the bytes of a safetensors or PyTorch file.
///
/// PyTorch's zip format (1.6 and later) and the one before it are read. They may hold a state dict, or dicts around
/// one, whatever their keys; where several dicts hold tensors, such as a network and its moving average, these keys
/// begin the names. Everything else is passed over: objects of any class are read as names, never built.
///
/// All floats become [`Dtype::F32`] (float64 is rounded), all integers and booleans [`Dtype::I64`].
/// Strided and shared tensors are copied out in row-major order. The memory used is bounded by a small
/// multiple of the file's length, whatever the file claims.
///
/// # Errors
/// A [`Fault`] says what is wrong and what to do.
pub fn from_bytes(bytes: &[u8]) -> Result<WeightFile, Fault> {
    // Any byte may begin a safetensors file, even one that begins a pickle; so it comes first.
    if safetensors::recognises(bytes) {
        safetensors::read(bytes)
    } else if pth::recognises(bytes) {
        pth::read(bytes)
    } else {
        Err(foreign::file(bytes))
    }
}

/// Write a safetensors file atomically: readers see the old file or the whole new one.
///
/// # Errors
/// As [`to_safetensors_bytes`], and [`WeightsError::Io`] if the file cannot be written.
pub fn write_safetensors(path: &Path, weights: &WeightFile) -> Result<(), WeightsError> {
    write(path, to_safetensors_bytes(weights))
}

/// Write a PyTorch file atomically: readers see the old file or the whole new one.
///
/// # Errors
/// As [`to_pth_bytes`], and [`WeightsError::Io`] if the file cannot be written.
pub fn write_pth(path: &Path, weights: &WeightFile) -> Result<(), WeightsError> {
    write(path, to_pth_bytes(weights))
}

fn write(path: &Path, bytes: Result<Vec<u8>, Fault>) -> Result<(), WeightsError> {
    write_bytes(path, &bytes.map_err(|fault| WeightsError::File { path: path.into(), fault })?)
}

/// Write any file atomically, as the weight files are: for what belongs beside them.
///
/// # Errors
/// [`WeightsError::Io`] if the file cannot be written.
pub fn write_bytes(path: &Path, bytes: &[u8]) -> Result<(), WeightsError> {
    atomic::replace(path, bytes).map_err(|source| WeightsError::Io {
        action: "write",
        path: path.into(),
        source,
    })
}
