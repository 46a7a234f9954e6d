//! Where in a checkpoint the weights are: programs put them under names of their own, one or more levels deep, beside
//! all that training needs.

use std::collections::{HashMap, HashSet};

use super::object::{Heap, Id, Value};
use crate::Fault;

/// How many keys may lead to a dict of tensors.
const DEEPEST: usize = 4;

/// Beginnings of the keys under which programs keep the state of training; what is below is not the network's.
const TRAINING: [&str; 12] = [
    "optim",
    "opt_",
    "scheduler",
    "lr_sched",
    "sched",
    "scaler",
    "amp",
    "loops",
    "callbacks",
    "rng",
    "random",
    "hyper_parameters",
];

/// A dict with tensors in it.
struct Group<'a> {
    /// The keys that lead to it.
    path: Vec<&'a str>,
    tensors: Vec<(&'a str, Id)>,
}

/// The named tensors of a state dict or of the checkpoint around it, in order.
///
/// One dict of tensors gives their names in it. Where there are several, such as a network and its moving average, the
/// keys that lead to each are part of its names: `model.conv1.weight`, `ema.conv1.weight`.
pub(super) fn find<'a>(heap: &Heap<'a>, root: Value<'a>) -> Result<Vec<(String, Id)>, Fault> {
    let groups = groups(heap, root)?;
    if groups.is_empty() {
        return Err(without_tensors(heap, root));
    }
    let alone = groups.len() == 1;
    let mut named: Vec<(String, Id)> = Vec::new();
    let mut names = HashSet::new();
    for Group { path, tensors } in groups {
        for (name, tensor) in tensors {
            let whole =
                if alone || path.is_empty() { name.to_owned() } else { format!("{}.{name}", path.join(".")) };
            // Keys with dots in them may lead to one name on two ways; the first counts.
            if names.insert(whole.clone()) {
                named.push((whole, tensor));
            }
        }
    }
    Ok(named)
}

/// Every dict of tensors that can be reached by text keys, outer ones first. None is visited twice. A list or tuple around
/// all stands for the dicts in it.
fn groups<'a>(heap: &Heap<'a>, root: Value<'a>) -> Result<Vec<Group<'a>>, Fault> {
    let mut found = Vec::new();
    let roots = heap.items(root).map_or_else(|_| vec![root], <[_]>::to_vec);
    let mut visited = HashSet::new();
    let mut level: Vec<_> = roots
        .into_iter()
        .filter(|&root| visited.insert(place(root)))
        .map(|root| (Vec::new(), root))
        .collect();
    while !level.is_empty() {
        let mut next = Vec::new();
        for (path, dict) in level {
            let Some(pairs) = heap.pairs(dict) else { continue };
            let tensors = tensors(heap, pairs)?;
            for &(key, value) in pairs.iter().filter(|_| path.len() < DEEPEST) {
                let Value::Text(key) = key else { continue };
                if heap.pairs(value).is_some() && !is_of_training(key) && visited.insert(place(value)) {
                    next.push((path.iter().copied().chain([key]).collect(), value));
                }
            }
            if !tensors.is_empty() {
                found.push(Group { path, tensors });
            }
        }
        level = next;
    }
    Ok(found)
}

/// Where in the heap a dict, or an object that may be one, lies.
fn place(value: Value<'_>) -> Option<(bool, Id)> {
    match value {
        Value::Dict(id) => Some((true, id)),
        Value::Object(id) => Some((false, id)),
        _ => None,
    }
}

fn is_of_training(key: &str) -> bool {
    let key = key.to_lowercase();
    TRAINING.iter().any(|start| key.starts_with(start)) || key.ends_with("optimizer")
}

/// The tensors of a dict; as in Python, a key set again keeps its place and takes the new value.
fn tensors<'a>(heap: &Heap<'a>, pairs: &[(Value<'a>, Value<'a>)]) -> Result<Vec<(&'a str, Id)>, Fault> {
    let mut named: Vec<(&str, Id)> = Vec::new();
    let mut places = HashMap::new();
    for &(key, value) in pairs {
        match (key, value) {
            (Value::Text(name), Value::Tensor(tensor)) => {
                let place = *places.entry(name).or_insert(named.len());
                match named.get_mut(place) {
                    Some(known) => known.1 = tensor,
                    None => named.push((name, tensor)),
                }
            }
            (Value::Text(name), Value::Object(object)) => {
                let class = heap.class(object);
                let unread = class.starts_with("torch._utils._rebuild")
                    || (class.starts_with("torch.") && class.ends_with("Storage"));
                if unread {
                    return Err(Fault::Unsupported(format!(
                        "tensor `{name}` is of a kind that is not read ({class})"
                    )));
                }
            }
            _ => {}
        }
    }
    Ok(named)
}

/// Why nothing was found: a whole module, perhaps under a key, or no tensors at all.
fn without_tensors<'a>(heap: &Heap<'a>, root: Value<'a>) -> Fault {
    let loaded = "torch.load(path, weights_only=False)";
    let module = |object: Id, python: String| Fault::Module { class: heap.class(object), python };
    match root {
        Value::Object(object) if heap.objects[object].items.is_empty() => module(object, loaded.to_owned()),
        Value::Dict(_) | Value::Object(_) => {
            let pairs = heap.pairs(root).unwrap_or_default();
            let object = pairs.iter().find_map(|&(key, value)| match (key, value) {
                (Value::Text(key), Value::Object(object)) if may_be_module(&heap.class(object)) => {
                    Some((key, object))
                }
                _ => None,
            });
            if let Some((key, object)) = object {
                return module(object, format!("{loaded}[{key:?}]"));
            }
            let keys: Vec<&str> = pairs
                .iter()
                .filter_map(|(key, _)| if let Value::Text(key) = key { Some(*key) } else { None })
                .collect();
            Fault::Unsupported(match keys[..] {
                [] => "it holds no tensors under names".to_owned(),
                _ => format!("it holds no tensors, nor a dict of them under its keys {}", listed(&keys)),
            })
        }
        _ => Fault::Unsupported("it does not hold a dict of weights".into()),
    }
}

/// Classes of Python itself and of NumPy are never networks.
fn may_be_module(class: &str) -> bool {
    let module = class.split('.').next().unwrap_or(class);
    !["argparse", "builtins", "collections", "copyreg", "datetime", "enum", "numpy", "pathlib", "_codecs"]
        .contains(&module)
}

fn listed(keys: &[&str]) -> String {
    let some: Vec<String> = keys.iter().take(8).map(|key| format!("‘{key}’")).collect();
    let more = if keys.len() > some.len() { ", …" } else { "" };
    format!("{}{more}", some.join(", "))
}
