//! Where in a file a network's arrays are. Programs put prefixes before torch's names: `module.` (`DataParallel`),
//! `model.` (Lightning), `_orig_mod.` (`torch.compile`), `backbone.`, the keys of dicts around the weights, or any other.

use super::expected::{Expected, first_part};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use wellfit_weights::{Array, WeightFile};

/// Parts that wrappers put into the middle of names, before each module that they wrap.
const MARKERS: [&str; 3] = ["_orig_mod.", "_fsdp_wrapped_module.", "_checkpoint_wrapped_module."];
/// Parts of a prefix that mean a moving average of the weights. What timm, Ultralytics and torchvision's references
/// evaluate with, where a file has both.
const AVERAGES: [&str; 5] = ["ema", "averag", "swa", "shadow", "teacher"];
/// Usual names of a head, the most usual first.
const HEADS: [&str; 8] = ["fc", "classifier", "head.fc", "head", "linear", "last_linear", "output", "logits"];

/// An array of a file, under its name there.
pub(super) type Found<'f> = (&'f str, &'f Array);

/// Where in a file a network's arrays are.
pub(super) struct Places<'f> {
    /// What stands before all names.
    pub prefix: String,
    /// By the network's names.
    pub arrays: BTreeMap<String, Found<'f>>,
    /// Other prefixes with as many of the network's names.
    pub copies: Vec<String>,
    /// A head under another name: its name, weight and bias.
    pub other_head: Option<(String, Found<'f>, Found<'f>)>,
    /// Arrays between the network's layers that it does not have: those of another network.
    pub inside: Vec<Found<'f>>,
    /// Arrays that have nothing to do with the network.
    pub extra: Vec<&'f str>,
}

impl<'f> Places<'f> {
    /// Look for what is expected.
    pub fn find(expected: &Expected, file: &'f WeightFile) -> Self {
        let mut names: Vec<(Cow<'f, str>, Found<'f>)> =
            file.arrays.iter().map(|(name, array)| (unmarked(name), (name.as_str(), array))).collect();
        rename(expected, &mut names);
        let (prefix, copies) = prefixes(expected, &names);
        let mut places = Self {
            prefix,
            arrays: BTreeMap::new(),
            copies,
            other_head: None,
            inside: Vec::new(),
            extra: Vec::new(),
        };
        let mut rest = Vec::new();
        for (name, found) in &names {
            match name.strip_prefix(places.prefix.as_str()) {
                Some(own) if expected.arrays.contains_key(own) => {
                    places.arrays.entry(own.to_owned()).or_insert(*found);
                }
                own => rest.push((own, *found)),
            }
        }
        rest.retain(|(_, (name, _))| !places.is_copy(expected, name));
        match other_head(expected, &places, &rest) {
            // The head has its own name, but not the prefix of the rest.
            Some((name, weight, bias)) if format!("{name}.") == expected.head => {
                places.arrays.insert(format!("{name}.weight"), weight);
                places.arrays.insert(format!("{name}.bias"), bias);
                rest.retain(|(_, found)| found.0 != weight.0 && found.0 != bias.0);
            }
            other => places.other_head = other,
        }
        places.sort_rest(expected, &rest);
        places
    }

    fn is_copy(&self, expected: &Expected, name: &str) -> bool {
        let name = unmarked(name);
        let mut own = self.copies.iter().filter_map(|copy| name.strip_prefix(copy.as_str()));
        own.any(|own| expected.arrays.contains_key(own))
    }

    /// Whether the file has the network's own head, or one like it but for the number of classes.
    pub fn has_head(&self, expected: &Expected) -> bool {
        let head = |part: &str| self.arrays.get(&format!("{}{part}", expected.head)).map(|(_, array)| *array);
        let inputs = expected.head_inputs();
        match (head("weight"), head("bias")) {
            (Some(weight), Some(bias)) => {
                weight.shape.len() == 2 && weight.shape.get(1).copied() == inputs && bias.shape.len() == 1
            }
            _ => false,
        }
    }

    /// What else is there: arrays of another network's layers, and arrays that have nothing to do with it.
    fn sort_rest(&mut self, expected: &Expected, rest: &[(Option<&str>, Found<'f>)]) {
        let trunk = expected.trunk();
        let head = first_part(&expected.head);
        for &(own, (name, array)) in rest {
            let is_head =
                self.other_head.as_ref().is_some_and(|(_, weight, bias)| name == weight.0 || name == bias.0);
            // Single numbers, such as the counters of profilers, change no result.
            let belongs = own.is_some_and(|own| trunk.contains(first_part(own)) || first_part(own) == head);
            if belongs && array.data.len() > 1 && !is_head {
                self.inside.push((name, array));
            } else if !is_head {
                self.extra.push(name);
            }
        }
    }

    /// How many of the arrays before the head are there in their shapes, and how many there should be.
    pub fn trunk_fit(&self, expected: &Expected) -> (usize, usize) {
        let trunk =
            expected.arrays.iter().filter(|(name, wanted)| wanted.required && !expected.is_head(name));
        let (mut fit, mut all) = (0, 0);
        for (name, wanted) in trunk {
            all += 1;
            fit +=
                usize::from(self.arrays.get(name).is_some_and(|(_, array)| Expected::accepts(wanted, array)));
        }
        (fit, all)
    }
}

/// A name without the parts that wrappers put into its middle.
pub(super) fn unmarked(name: &str) -> Cow<'_, str> {
    if MARKERS.iter().any(|marker| name.contains(marker)) {
        MARKERS.iter().fold(name.to_owned(), |name, marker| name.replace(marker, "")).into()
    } else {
        name.into()
    }
}

/// Give names of another package ours, behind whatever prefix, where a file has most of that package's.
fn rename(expected: &Expected, names: &mut [(Cow<'_, str>, Found<'_>)]) {
    for package in &expected.other_names {
        // The longest end counts: a block's `bn1.weight` ends as the first one does.
        let ours = |name: &str| {
            let mut ends = name.char_indices().map(|(at, _)| name.split_at(at));
            ends.find_map(|(prefix, end)| package.get(end).map(|own| format!("{prefix}{own}")))
        };
        let renamed: Vec<Option<String>> = names.iter().map(|(name, _)| ours(name)).collect();
        if 2 * renamed.iter().flatten().count() > package.len() {
            for ((name, _), own) in names.iter_mut().zip(renamed) {
                own.into_iter().for_each(|own| *name = own.into());
            }
            return;
        }
    }
}

/// The prefix under which most of the network's names are, and others under which as many are. Of equals a moving
/// average comes first, then the one that comes first in the file.
fn prefixes(expected: &Expected, names: &[(Cow<'_, str>, Found<'_>)]) -> (String, Vec<String>) {
    let mut counts: HashMap<&str, (usize, usize)> = HashMap::new();
    for (place, (name, _)) in names.iter().enumerate() {
        for (at, _) in name.char_indices().filter(|&(at, _)| expected.arrays.contains_key(&name[at..])) {
            counts.entry(&name[..at]).or_insert((0, place)).0 += 1;
        }
    }
    let most = counts.values().map(|&(count, _)| count).max().unwrap_or(0);
    let mut best: Vec<(bool, usize, &str)> = counts
        .into_iter()
        .filter(|&(_, (count, _))| count == most)
        .map(|(prefix, (_, first))| (!is_average(prefix), first, prefix))
        .collect();
    best.sort_unstable();
    let mut best = best.into_iter().map(|(_, _, prefix)| prefix.to_owned());
    let prefix = best.next().unwrap_or_default();
    // With one name in common many prefixes are equal by chance.
    (prefix, if most > 1 { best.collect() } else { Vec::new() })
}

fn is_average(prefix: &str) -> bool {
    let prefix = prefix.to_lowercase();
    AVERAGES.iter().any(|word| prefix.contains(word))
}

/// The linear layer in the rest that reads what the network's head reads and that no other reads on: under a usual name,
/// or else the only one.
fn other_head<'f>(
    expected: &Expected,
    places: &Places<'f>,
    rest: &[(Option<&str>, Found<'f>)],
) -> Option<(String, Found<'f>, Found<'f>)> {
    if places.has_head(expected) {
        return None;
    }
    let inputs = expected.head_inputs()?;
    // A name without the prefix is its own: a head often lies beside the backbone.
    let plain: Vec<(&str, Found<'f>)> =
        rest.iter().map(|&(own, found)| (own.unwrap_or(found.0), found)).collect();
    let is_matrix = |array: &Array| array.shape.len() == 2 && array.as_f32().is_some();
    let mut candidates = Vec::new();
    for &(name, weight) in plain.iter().filter(|(_, (_, array))| is_matrix(array) && array.shape[1] == inputs)
    {
        let Some(stem) = name.strip_suffix("weight") else { continue };
        let bias = plain.iter().find(|(other, _)| other.strip_suffix("bias") == Some(stem));
        let Some(&(_, bias)) = bias.filter(|(_, (_, array))| array.shape[..] == weight.1.shape[..1]) else {
            continue;
        };
        let read_on = plain.iter().any(|(other, (_, array))| {
            *other != name && is_matrix(array) && array.shape[1] == weight.1.shape[0]
        });
        if !read_on {
            candidates.push((stem.trim_end_matches('.'), weight, bias));
        }
    }
    let usual = HEADS.iter().find_map(|head| candidates.iter().find(|(stem, ..)| stem == head));
    let chosen = usual.or(if let [only] = &candidates[..] { Some(only) } else { None });
    chosen.map(|&(stem, weight, bias)| (stem.to_owned(), weight, bias))
}
