//! PyTorch's `.pth`: a pickle that describes the tensors, and their storages as raw bytes.
//!
//! Since PyTorch 1.6 the parts are entries of a zip file (`torch/serialization.py`, `_save`); before, they
//! followed one another (`_legacy_save`).

mod class;
mod class_names;
mod legacy;
mod machine;
mod object;
mod state_dict;
mod write;
mod zip;

use std::collections::HashMap;

use crate::{Array, Fault, WeightFile, foreign, view::View};
use object::{Heap, Tensor, Value};

pub use write::to_pth_bytes;

/// Storages by their key in the pickle.
type Storages<'a> = HashMap<&'a str, &'a [u8]>;

/// Whether these bytes begin as a `.pth` does: a zip file, or a pickle.
pub(crate) fn recognises(bytes: &[u8]) -> bool {
    zip::recognises(bytes) || legacy::recognises(bytes)
}

/// Read a `.pth` of either format. Names of classes beside the weights become the `classes` of its metadata, a JSON list.
pub(crate) fn read(bytes: &[u8]) -> Result<WeightFile, Fault> {
    let (heap, root, storages) = if zip::recognises(bytes) { read_zip(bytes)? } else { legacy::read(bytes)? };
    let mut budget = Budget::new(bytes.len());
    let mut arrays = Vec::new();
    for (name, tensor) in state_dict::find(&heap, root)? {
        let array = array(&heap.tensors[tensor], &storages, &mut budget);
        let array = array.map_err(|fault| fault.of(&format!("tensor `{name}`")))?;
        arrays.push((name, array));
    }
    let classes = class_names::find(&heap, root).and_then(|names| serde_json::to_string(&names).ok());
    let metadata = classes.map(|names| ("classes".to_owned(), names)).into_iter().collect();
    Ok(WeightFile { arrays, metadata })
}

fn read_zip(bytes: &[u8]) -> Result<(Heap<'_>, Value<'_>, Storages<'_>), Fault> {
    let archive = zip::Archive::open(bytes)?;
    if let Some(other) = foreign::archive(archive.names()) {
        return Err(other);
    }
    let pickle = archive.names().find_map(|name| Some((name.strip_suffix("data.pkl")?, name)));
    let Some((folder, pickle)) = pickle.filter(|(folder, _)| folder.is_empty() || folder.ends_with('/'))
    else {
        return Err(Fault::Unsupported(
            "it is a zip file, but not one that PyTorch wrote (it has no `data.pkl`)".into(),
        ));
    };
    if let Some(order) = archive.get(&format!("{folder}byteorder"))?
        && order != b"little"
    {
        return Err(Fault::Unsupported("its numbers are big-endian".into()));
    }
    let (heap, root, _) = machine::run(archive.require(pickle)?).map_err(|fault| fault.of(pickle))?;
    let mut storages = Storages::new();
    // Checksums are computed over all of them, so overlapping ones could cost the square of the file's length.
    let mut left = bytes.len();
    for storage in &heap.storages {
        if !storages.contains_key(storage.key) {
            let content = archive.require(&format!("{folder}data/{}", storage.key))?;
            left = left.checked_sub(content.len()).ok_or_else(|| Fault::damaged("its storages overlap"))?;
            storages.insert(storage.key, content);
        }
    }
    Ok((heap, root, storages))
}

fn array(tensor: &Tensor<'_>, storages: &Storages<'_>, budget: &mut Budget) -> Result<Array, Fault> {
    let Tensor { storage, offset, shape, stride } = tensor;
    let bytes = storages.get(storage.key).ok_or_else(|| Fault::damaged("its storage is missing"))?;
    let stored = bytes.len() / storage.element.size();
    if storage.count != stored as u64 {
        return Err(Fault::damaged(format!(
            "its storage should have {} elements, but has {stored}",
            storage.count
        )));
    }
    let view = View::new(*offset, shape.clone(), stride.clone(), stored)?;
    budget.spend(view.count().saturating_mul(storage.element.size_in_memory()))?;
    Ok(storage.element.array(bytes, view))
}

/// How much memory a file may ask for. A view may repeat elements and many tensors may share a storage, so
/// a short file could ask for any amount; real ones need at most eight times their length (bytes read as
/// 64-bit integers).
struct Budget {
    left: usize,
}

impl Budget {
    const FLOOR: usize = 16 << 20;

    fn new(file: usize) -> Self {
        Self { left: file.saturating_mul(8).saturating_add(Self::FLOOR) }
    }

    fn spend(&mut self, bytes: usize) -> Result<(), Fault> {
        let over = || Fault::TooLarge(format!("a tensor of {bytes} bytes with {} left", self.left));
        self.left = self.left.checked_sub(bytes).ok_or_else(over)?;
        Ok(())
    }
}
