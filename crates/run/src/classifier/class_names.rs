//! Names of classes: what a network's outputs are called, and which of them the classes of some data are.

use crate::error::RunError;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use wellfit_base::file::read_text;

/// The most bytes of a list of classes.
const MOST_LIST: u64 = 16 << 20;
/// How many names an error lists.
const LISTED: usize = 10;
/// Names that differ by more than this share of their letters are other words.
const TYPING_ERRORS: f64 = 0.25;

/// ImageNet's classes in the order of torchvision's networks, a WordNet synset and a name in each line: the names of
/// torchvision 0.29.2 (`torchvision.models._meta._IMAGENET_CATEGORIES`, BSD-3-Clause), the synsets of timm 1.0.31
/// (`timm/data/_info/imagenet_synsets.txt`, Apache-2.0), both in the order of the ILSVRC 2012 training folders.
const IMAGENET: &str = include_str!("../../assets/imagenet-classes.txt");
/// How many those are.
pub(super) const IMAGENET_CLASSES: usize = 1000;

/// Synset and name of each of ImageNet's classes.
fn imagenet() -> impl Iterator<Item = (&'static str, &'static str)> {
    IMAGENET.lines().filter_map(|line| line.split_once(' '))
}

/// The names of ImageNet's 1000 classes, in the order in which published networks have them.
#[must_use]
pub fn imagenet_classes() -> Vec<String> {
    imagenet().map(|(_, name)| name.to_owned()).collect()
}

/// A list of classes as it is typed: names separated by commas, or a file of them.
///
/// A file has a name in each line, or is JSON: a list; names by number (`{"0": "cat"}`, Keras' and timm's lists of a
/// synset and a name too); or numbers by name (`class_to_idx` of torchvision's `ImageFolder`).
///
/// # Errors
/// If it is neither a file nor several names, or a name is empty or appears twice.
pub fn class_list(text: &str) -> Result<Vec<String>, RunError> {
    let path = Path::new(text);
    let names = if path.is_file() {
        let bad = |problem: String| RunError::Unusable(format!("`classes` {text}: {problem}"));
        let text = read_text(path, MOST_LIST).map_err(|error| bad(error.to_string()))?;
        names_in(text.trim_start_matches('\u{feff}')).map_err(bad)?
    } else if text.contains(',') {
        text.split(',').map(|name| name.trim().to_owned()).collect()
    } else {
        return Err(RunError::Unusable(format!(
            "`classes` {text}: there is no such file; give a file with a name in each line, or names separated by commas"
        )));
    };
    let mut places = HashMap::new();
    for (place, name) in names.iter().enumerate() {
        let problem = match places.insert(name.as_str(), place) {
            _ if name.is_empty() => format!("name {} is empty", place + 1),
            Some(first) => format!("‘{name}’ is there twice, as name {} and {}", first + 1, place + 1),
            None => continue,
        };
        return Err(RunError::Unusable(format!("`classes` {text}: {problem}")));
    }
    Ok(names)
}

/// The names in a file's text.
fn names_in(text: &str) -> Result<Vec<String>, String> {
    if !text.trim_start().starts_with(['[', '{']) {
        return Ok(text.trim_end().lines().map(|line| line.trim().to_owned()).collect());
    }
    let json: serde_json::Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let unlike = || "it is JSON, but neither a list of names nor names by number".to_owned();
    let name = |value: &serde_json::Value| match value {
        serde_json::Value::Array(parts) => parts.last().and_then(|name| name.as_str()).map(str::to_owned),
        value => value.as_str().map(str::to_owned),
    };
    match &json {
        serde_json::Value::Array(names) => names.iter().map(name).collect::<Option<_>>().ok_or_else(unlike),
        serde_json::Value::Object(entries) => {
            let numbered = entries.iter().map(|(key, value)| match (key.parse::<usize>(), value.as_u64()) {
                (Ok(number), _) if value.is_string() || value.is_array() => Some((number, name(value)?)),
                (_, Some(number)) => Some((usize::try_from(number).ok()?, key.clone())),
                _ => None,
            });
            let numbered: Option<BTreeMap<usize, String>> = numbered.collect();
            let numbered = numbered.filter(|names| names.len() == entries.len()).ok_or_else(unlike)?;
            if let Some(gap) = (0..numbered.len()).find(|number| !numbered.contains_key(number)) {
                return Err(format!(
                    "its numbers should go from 0 to {}, but {gap} is missing",
                    numbered.len() - 1
                ));
            }
            Ok(numbered.into_values().collect())
        }
        _ => Err(unlike()),
    }
}

/// For each class of some data, the output of the network that stands for it, by name. A class without images
/// (`counts`) needs none and gets 0. Networks with ImageNet's names know its synsets (`n01440764`), too.
pub(super) fn outputs_of(data: &[String], counts: &[usize], network: &[String]) -> Result<Vec<u32>, String> {
    let known = Known::of(network);
    let (mut outputs, mut unknown) = (Vec::with_capacity(data.len()), Vec::new());
    for (class, &count) in data.iter().zip(counts) {
        match known.outputs.get(class.as_str()).map(Vec::as_slice) {
            Some(&[output]) => outputs.push(output),
            _ if count == 0 => outputs.push(0),
            Some([]) | None => unknown.push(class.as_str()),
            Some(several) => {
                return Err(format!(
                    "{} outputs of the network are called ‘{class}’: give each its own name with `classes`",
                    several.len()
                ));
            }
        }
    }
    if unknown.is_empty() { Ok(outputs) } else { Err(known.refusal(&unknown, data.len())) }
}

/// The outputs of a network by name.
struct Known<'a> {
    network: &'a [String],
    outputs: HashMap<&'a str, Vec<u32>>,
}

impl<'a> Known<'a> {
    fn of(network: &'a [String]) -> Self {
        let mut outputs: HashMap<&str, Vec<u32>> = HashMap::new();
        for (output, name) in (0..).zip(network) {
            outputs.entry(name).or_default().push(output);
        }
        if network.len() == IMAGENET_CLASSES && imagenet().zip(network).all(|((_, name), own)| name == own) {
            (0..)
                .zip(imagenet())
                .for_each(|(output, (synset, _))| outputs.entry(synset).or_default().push(output));
        }
        Self { network, outputs }
    }

    /// The classes that the network does not know, with names they may have been meant for.
    fn refusal(&self, unknown: &[&str], classes: usize) -> String {
        let mut near = false;
        let described: Vec<String> = unknown
            .iter()
            .take(LISTED)
            .map(|class| match self.nearest(class) {
                Some(known) => {
                    near = true;
                    format!("{class} (did you mean {known}?)")
                }
                None => (*class).to_owned(),
            })
            .collect();
        let advice = if self.network.iter().enumerate().all(|(output, name)| *name == output.to_string()) {
            "its outputs have numbers only: name them with `classes`"
        } else if near {
            "rename the folders"
        } else {
            "leave their images out"
        };
        format!(
            "the network does not know {} of the {classes} classes of the data: {}. It knows {}; {advice}",
            unknown.len(),
            listed(&described, unknown.len()),
            listed(&self.network[..self.network.len().min(LISTED)], self.network.len()),
        )
    }

    /// The name that differs from this in case, spaces and the like only, or in a letter or two.
    fn nearest(&self, class: &str) -> Option<&'a str> {
        let plain = plain(class);
        let distance = |name: &str| match self::plain(name) {
            other if other == plain => 0,
            other => strsim::osa_distance(&other, &plain),
        };
        let (distance, name) =
            self.network.iter().map(|name| (distance(name), name)).min_by_key(|near| near.0)?;
        let most = (plain.chars().count() as f64 * TYPING_ERRORS).ceil() as usize;
        (distance <= most.min(3) && plain.parse::<u64>().is_err()).then_some(name.as_str())
    }
}

/// Letters and digits in lower case.
fn plain(name: &str) -> String {
    name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn listed(names: &[String], all: usize) -> String {
    let more = all - names.len();
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{rest}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn outputs(data: &[&str], network: &[&str]) -> Result<Vec<u32>, String> {
        outputs_of(&names(data), &vec![1; data.len()], &names(network))
    }

    #[test]
    fn classes_are_found_by_name() {
        let network = ["ant", "bee", "cat"];
        assert_eq!(outputs(&["ant", "bee", "cat"], &network), Ok(vec![0, 1, 2]));
        assert_eq!(outputs(&["cat", "ant"], &network), Ok(vec![2, 0]), "a subset in another order");
        assert_eq!(outputs(&["bee"], &network), Ok(vec![1]), "one class");
        let empty = outputs_of(&names(&["bee", "owl"]), &[3, 0], &names(&network));
        assert_eq!(empty, Ok(vec![1, 0]), "a class without images need not be known");
    }

    #[test]
    fn unknown_classes_are_named_with_what_may_be_meant() {
        let network = ["great_white_shark", "Tench", "cat"];
        for (class, meant) in [
            ("Cat", "cat"),
            ("great white shark", "great_white_shark"),
            ("great-white-shark", "great_white_shark"),
            ("tensch", "Tench"),
            ("tecnh", "Tench"),
        ] {
            let problem = outputs(&[class, "cat"], &network).unwrap_err();
            assert!(problem.contains("1 of the 2 classes"), "{problem}");
            assert!(problem.contains(&format!("{class} (did you mean {meant}?)")), "{problem}");
            assert!(problem.contains("It knows great_white_shark, Tench, cat"), "{problem}");
        }
        let problem = outputs(&["owl", "rook"], &network).unwrap_err();
        assert!(problem.contains("owl, rook") && !problem.contains("did you mean"), "{problem}");
        let problem = outputs(&["cat"], &["0", "1"]).unwrap_err();
        assert!(problem.contains("numbers only") && problem.contains("`classes`"), "{problem}");
        let problem = outputs(&["cat"], &["cat", "cat"]).unwrap_err();
        assert!(problem.contains("2 outputs of the network are called ‘cat’"), "{problem}");
        let many: Vec<String> = (0..30).map(|place| format!("class{place:02}x")).collect();
        let problem = outputs_of(&names(&["zebra"]), &[1], &many).unwrap_err();
        assert!(problem.contains("class09x and 20 more"), "{problem}");
    }

    /// torchvision's names in its order: `_IMAGENET_CATEGORIES[0]`, `[134]`, `[517]`, `[639]`, `[999]`, and that all 1000
    /// differ.
    #[test]
    fn imagenet_is_torchvisions() {
        let classes = imagenet_classes();
        let mut unique = classes.clone();
        unique.sort();
        unique.dedup();
        assert_eq!((classes.len(), unique.len()), (IMAGENET_CLASSES, IMAGENET_CLASSES));
        assert_eq!(
            [0, 134, 517, 639, 999].map(|place| classes[place].as_str()),
            ["tench", "crane bird", "crane", "maillot tank suit", "toilet tissue"]
        );
        let by_synset = outputs_of(&names(&["n15075141", "tench"]), &[1, 1], &classes);
        assert_eq!(by_synset, Ok(vec![999, 0]));
        assert!(outputs(&["n15075141"], &["tench", "cat"]).is_err(), "synsets are ImageNet's only");
    }

    #[test]
    fn lists_of_classes_in_every_form() {
        let expected = names(&["cat", "big dog", "owl"]);
        for text in [
            "cat\nbig dog\nowl\n",
            "cat\r\nbig dog\r\nowl\r\n\r\n",
            r#"["cat", "big dog", "owl"]"#,
            r#"{"0": "cat", "2": "owl", "1": "big dog"}"#,
            r#"{"0": ["n1", "cat"], "1": ["n2", "big dog"], "2": ["n3", "owl"]}"#,
            r#"{"owl": 2, "cat": 0, "big dog": 1}"#,
        ] {
            assert_eq!(names_in(text), Ok(expected.clone()), "{text}");
        }
        assert!(names_in(r#"{"0": "cat", "2": "owl"}"#).unwrap_err().contains("1 is missing"));
        for text in [r#"{"a": "b"}"#, "[1, 2]", "[", r#"{"0": "cat", "cat": 0}"#] {
            assert!(names_in(text).is_err(), "{text}");
        }
        assert_eq!(class_list("cat, big dog ,owl").unwrap(), expected);
        for (text, part) in
            [("cat", "no such file"), ("cat,,owl", "name 2 is empty"), ("a,b,a", "name 1 and 3")]
        {
            let problem = class_list(text).unwrap_err().to_string();
            assert!(problem.contains(part) && problem.contains("`classes`"), "{problem}");
        }
    }
}
