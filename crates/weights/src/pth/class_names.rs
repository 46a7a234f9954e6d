//! Names of classes that lie beside the weights: programs save them in the same dict, as a list, by number, or the other
//! way round (`class_to_idx` of torchvision's `ImageFolder`, `names` of Ultralytics, `meta.CLASSES` of OpenMMLab).

use std::collections::BTreeMap;

use super::object::{Heap, Value};

/// The keys under which they are looked for, in lower case and in this order.
const KEYS: [&str; 7] =
    ["classes", "class_names", "class_to_idx", "idx_to_class", "label_names", "names", "categories"];

/// The names in the order of their numbers, from a checkpoint or from a dict directly in it. None where there are none, or
/// where they are not plain: other values than text, gaps between the numbers.
pub(super) fn find(heap: &Heap<'_>, root: Value<'_>) -> Option<Vec<String>> {
    let pairs = heap.pairs(root)?;
    let inner = pairs.iter().filter_map(|&(_, value)| heap.pairs(value));
    std::iter::once(pairs).chain(inner).find_map(|pairs| {
        let under = |wanted: &&str| {
            let named = |key: Value<'_>| matches!(key, Value::Text(key) if key.eq_ignore_ascii_case(wanted));
            pairs.iter().filter(|(key, _)| named(*key)).find_map(|&(_, value)| names(heap, value))
        };
        KEYS.iter().find_map(under)
    })
}

fn names(heap: &Heap<'_>, value: Value<'_>) -> Option<Vec<String>> {
    let text = |value: &Value<'_>| match value {
        Value::Text(name) => Some((*name).to_owned()),
        _ => None,
    };
    let names: Vec<String> = match heap.pairs(value) {
        None => heap.items(value).ok()?.iter().map(text).collect::<Option<_>>()?,
        Some(pairs) => {
            let numbered = pairs.iter().map(|pair| match *pair {
                (Value::Int(number), Value::Text(name)) | (Value::Text(name), Value::Int(number)) => {
                    Some((usize::try_from(number).ok()?, name.to_owned()))
                }
                _ => None,
            });
            let by_number: BTreeMap<usize, String> = numbered.collect::<Option<_>>()?;
            let whole = by_number.len() == pairs.len() && by_number.keys().copied().eq(0..pairs.len());
            whole.then(|| by_number.into_values().collect())?
        }
    };
    (!names.is_empty()).then_some(names)
}
