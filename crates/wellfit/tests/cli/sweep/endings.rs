//! What is on the disk in the end, without what may differ between two runs that are the same.

use crate::bench::Bench;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Each file below a folder with its content, folders with none.
pub type Files = BTreeMap<PathBuf, Option<Vec<u8>>>;

/// What is below a folder; nothing if it is not there.
pub fn files(folder: &Path) -> Files {
    let mut found = Files::new();
    walk(folder, folder, &mut found);
    found
}

fn walk(root: &Path, folder: &Path, found: &mut Files) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(root).unwrap().to_owned();
        if path.is_dir() {
            found.insert(name, None);
            walk(root, &path, found);
        } else {
            found.insert(name, Some(fs::read(&path).unwrap()));
        }
    }
}

/// Put a folder into the state that it was in.
pub fn restore(folder: &Path, files: &Files) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.unwrap();
    }
    for (name, content) in files {
        match content {
            None => fs::create_dir_all(folder.join(name)).unwrap(),
            Some(bytes) => fs::write(folder.join(name), bytes).unwrap(),
        }
    }
}

/// The bench's folder and its cache.
pub fn whole(bench: &Bench) -> [Files; 2] {
    [files(&bench.path("")), files(&bench.cached(""))]
}

/// The files without times, ids, and what follows from them; without events that only tell of interruptions, and with
/// one name for all names that nobody can guess. The id of the run that was there before stays apart from others.
pub fn comparable(files: &Files, earlier: Option<&str>) -> Files {
    let named = |name: &PathBuf| {
        let parts = name.iter().map(|part| {
            let hidden = part.to_str().is_some_and(|part| part.starts_with(".wellfit-") && part.len() > 30);
            if hidden { "temporary".as_ref() } else { part }
        });
        parts.collect::<PathBuf>()
    };
    files
        .iter()
        .map(|(name, content)| (named(name), content.as_ref().map(|bytes| plain(name, bytes, earlier))))
        .collect()
}

fn plain(name: &Path, bytes: &[u8], earlier: Option<&str>) -> Vec<u8> {
    let Ok(text) = std::str::from_utf8(bytes) else { return bytes.to_vec() };
    let row = |line: &str| match serde_json::from_str::<Value>(line) {
        Ok(value) if ["resumed", "interrupted", "warning"].iter().any(|kind| value["event"] == *kind) => None,
        Ok(value) => Some(timeless(value, earlier).to_string()),
        // A line that was cut off.
        Err(_) => Some(line.to_owned()),
    };
    let setting = |line: &str| match line.split_once(" = ") {
        // A run whose number cannot be read may leave a gap: `Sweep` looks at their order.
        Some(("created" | "command" | "sequence", _)) => None,
        Some(("id", id)) => Some(format!("id = {}", which(id.trim_matches('"'), earlier))),
        _ => Some(line.to_owned()),
    };
    let lines =
        |of: &dyn Fn(&str) -> Option<String>| text.lines().filter_map(of).collect::<Vec<_>>().join("\n");
    match name.file_name().and_then(|name| name.to_str()).unwrap_or_default() {
        "run.toml" => lines(&setting),
        // The checksum of a file that has times.
        "manifest.sha256" => String::new(),
        "report.html" => page(text),
        name if name.ends_with(".jsonl") => lines(&row),
        _ => serde_json::from_str(text)
            .map_or_else(|_| text.to_owned(), |value| timeless(value, earlier).to_string()),
    }
    .into_bytes()
}

/// Whether a page is whole. What it shows is the record, which is compared, with times and interruptions.
fn page(text: &str) -> String {
    let whole = text.starts_with("<!DOCTYPE html>") && text.trim_end().ends_with("</html>");
    if whole { "a whole page".to_owned() } else { text.to_owned() }
}

fn which(id: &str, earlier: Option<&str>) -> &'static str {
    if earlier == Some(id) { "earlier" } else { "new" }
}

fn timeless(value: Value, earlier: Option<&str>) -> Value {
    let is_time = |key: &str| ["second", "time", "created", "wait"].iter().any(|part| key.contains(part));
    match value {
        Value::Object(mut fields) => {
            // These have times in them, so their checksums differ as well.
            let follows = fields.get("event") == Some(&"checkpoint".into())
                || ["position.json", "trial.json"]
                    .iter()
                    .any(|name| fields.get("name") == Some(&(*name).into()));
            if follows {
                fields.remove("sha256");
                fields.remove("length");
            }
            let plain = |(key, value): (String, Value)| {
                let value = match (&*key, &value) {
                    ("id" | "run", Value::String(id)) => which(id, earlier).into(),
                    _ if is_time(&key) => Value::Null,
                    _ => timeless(value, earlier),
                };
                (key, value)
            };
            Value::Object(fields.into_iter().map(plain).collect())
        }
        Value::Array(values) => {
            Value::Array(values.into_iter().map(|value| timeless(value, earlier)).collect())
        }
        other => other,
    }
}

/// In what two states of a folder differ, in words.
pub fn difference(found: &Files, expected: &Files) -> Option<String> {
    let names = |of: &Files, other: &Files| -> Vec<PathBuf> {
        of.keys().filter(|name| !other.contains_key(*name)).cloned().collect()
    };
    let (more, missing) = (names(found, expected), names(expected, found));
    let other: Vec<String> = expected
        .iter()
        .filter(|(name, content)| found.get(*name).is_some_and(|found| found != *content))
        .map(|(name, content)| {
            let text = |bytes: &Option<Vec<u8>>| {
                String::from_utf8_lossy(bytes.as_deref().unwrap_or_default()).into_owned()
            };
            let (found, expected) = (text(&found[name]), text(content));
            let pair = found.lines().zip(expected.lines()).find(|(found, expected)| found != expected);
            let (found, expected) = pair.unwrap_or(("(length)", "(length)"));
            // From a little before the first character that differs.
            let same = found.chars().zip(expected.chars()).take_while(|(one, other)| one == other).count();
            let short =
                |text: &str| text.chars().skip(same.saturating_sub(100)).take(300).collect::<String>();
            format!("{}:\n   found    {}\n   expected {}", name.display(), short(found), short(expected))
        })
        .collect();
    let same = more.is_empty() && missing.is_empty() && other.is_empty();
    (!same).then(|| format!("too many {more:?}, missing {missing:?}, other {}", other.join("\n")))
}
