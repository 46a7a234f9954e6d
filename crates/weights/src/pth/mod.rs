//! PyTorch's `.pth`: a pickle that describes the tensors, and their storages as raw bytes.
//!
//! Since PyTorch 1.6 the parts are entries of a zip file (`torch/serialization.py`, `_save`); before, they
//! followed one another (`_legacy_save`).

mod legacy;
mod machine;
mod object;
mod write;
mod zip;

use std::collections::HashMap;

use crate::{Array, Fault, WeightFile, view::View};
use object::{Heap, Id, Tensor, Value};

pub use write::to_pth_bytes;

/// Storages by their key in the pickle.
type Storages<'a> = HashMap<&'a str, &'a [u8]>;

/// Keys under which checkpoints keep their state dict.
const WRAPPERS: [&str; 3] = ["state_dict", "model_state_dict", "model"];

/// Whether these bytes begin as a `.pth` does: a zip file, or a pickle.
pub(crate) fn recognises(bytes: &[u8]) -> bool {
    zip::recognises(bytes) || legacy::recognises(bytes)
}

/// Read a `.pth` of either format.
pub(crate) fn read(bytes: &[u8]) -> Result<WeightFile, Fault> {
    let (heap, root, storages) = if zip::recognises(bytes) { read_zip(bytes)? } else { legacy::read(bytes)? };
    let mut budget = Budget::new(bytes.len());
    let mut arrays = Vec::new();
    for (name, tensor) in state_dict(&heap, root)? {
        let array = array(&heap.tensors[tensor], &storages, &mut budget);
        arrays.push((name.to_owned(), array.map_err(|fault| fault.of(&format!("tensor `{name}`")))?));
    }
    Ok(WeightFile { arrays, ..WeightFile::default() })
}

fn read_zip(bytes: &[u8]) -> Result<(Heap<'_>, Value<'_>, Storages<'_>), Fault> {
    let archive = zip::Archive::open(bytes)?;
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

/// The named tensors of a state dict or of the checkpoint around it, in order.
fn state_dict<'a>(heap: &Heap<'a>, root: Value<'a>) -> Result<Vec<(&'a str, Id)>, Fault> {
    let Value::Dict(outer) = root else {
        return Err(Fault::Unsupported("it does not hold a dict of weights".into()));
    };
    let wrapped = WRAPPERS.iter().find_map(|wrapper| match heap.entry(outer, wrapper) {
        Some(Value::Dict(inner)) => Some(tensors(heap, inner)).filter(|tensors| !tensors.is_empty()),
        _ => None,
    });
    let mut named = wrapped.unwrap_or_else(|| tensors(heap, outer));
    if named.is_empty() {
        return Err(Fault::Unsupported(format!(
            "it holds no tensors, nor a dict of them under {WRAPPERS:?}"
        )));
    }
    if named.iter().all(|(name, _)| name.starts_with("module.")) {
        named.iter_mut().for_each(|(name, _)| *name = &name["module.".len()..]);
    }
    Ok(named)
}

/// The tensors of a dict; as in Python, a key set again keeps its place and takes the new value.
fn tensors<'a>(heap: &Heap<'a>, dict: Id) -> Vec<(&'a str, Id)> {
    let mut named: Vec<(&str, Id)> = Vec::new();
    let mut places = HashMap::new();
    for &(key, value) in &heap.dicts[dict] {
        if let (Value::Text(name), Value::Tensor(tensor)) = (key, value) {
            let place = *places.entry(name).or_insert(named.len());
            match named.get_mut(place) {
                Some(known) => known.1 = tensor,
                None => named.push((name, tensor)),
            }
        }
    }
    named
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
