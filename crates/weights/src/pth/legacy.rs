//! The format before PyTorch 1.6: five pickles (magic, version, system, object, storage keys), then each
//! storage as its number of elements and their bytes.

use std::collections::HashMap;

use super::{
    Storages, machine,
    object::{Heap, Value},
};
use crate::{Fault, bytes::Bytes};

/// `torch.serialization.MAGIC_NUMBER`, 0x1950a86a20f9469cfc6c, as a pickled integer's bytes.
const MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
const VERSION: Value<'_> = Value::Int(1001);

/// Whether these bytes begin as a binary pickle does.
pub(super) fn recognises(bytes: &[u8]) -> bool {
    bytes.first() == Some(&0x80)
}

/// The objects, their root, and the storages.
pub(super) fn read(bytes: &[u8]) -> Result<(Heap<'_>, Value<'_>, Storages<'_>), Fault> {
    let mut at = 0;
    let mut next = || {
        let (heap, value, length) = machine::run(&bytes[at..])?;
        at += length;
        Ok((heap, value))
    };
    if next()?.1 != Value::Long(&MAGIC) {
        return Err(Fault::Unsupported("it is a pickle, but not one that PyTorch wrote".into()));
    }
    if next()?.1 != VERSION {
        return Err(Fault::Unsupported("its version of PyTorch's format is unknown".into()));
    }
    let (heap, system) = next()?;
    if matches!(system, Value::Dict(_)) && heap.entry(system, "little_endian") != Some(Value::Bool(true)) {
        return Err(Fault::Unsupported("its numbers are big-endian".into()));
    }
    let (heap, root) = next()?;
    let (key_heap, keys) = next()?;
    let storages = storages(&heap, key_heap.items(keys)?, Bytes::at(bytes, at as u64)?)?;
    Ok((heap, root, storages))
}

/// The storages lie in the order of `keys`; only the object knows their types.
fn storages<'a>(heap: &Heap<'a>, keys: &[Value<'a>], mut rest: Bytes<'a>) -> Result<Storages<'a>, Fault> {
    let sizes: HashMap<_, _> =
        heap.storages.iter().map(|storage| (storage.key, storage.element.size())).collect();
    let mut storages = Storages::new();
    for key in keys {
        let Value::Text(key) = *key else {
            return Err(Fault::damaged("a storage's key is not text"));
        };
        let size =
            *sizes.get(key).ok_or_else(|| Fault::damaged(format!("no tensor uses the storage {key}")))?;
        let length = rest.u64()?.saturating_mul(size as u64);
        storages.insert(key, rest.take(length)?);
    }
    Ok(storages)
}
