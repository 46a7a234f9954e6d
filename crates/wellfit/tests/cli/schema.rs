//! What commands print with `--json` is as the JSON Schema in `docs/schemas` says: every test that reads a result asks here.

use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The commands that have commands of their own.
const FAMILIES: [&str; 3] = ["data", "lab", "weights"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schemas")
}

/// The name of the schema of a command line: `data-show`.
fn name(line: &str) -> String {
    let number = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
    let mut words = line.split_whitespace().filter(|word| !word.starts_with('-') && !number(word));
    let first = words.next().unwrap_or_default();
    match words.next() {
        Some(second) if FAMILIES.contains(&first) => format!("{first}-{second}"),
        _ => first.to_owned(),
    }
}

/// Panics unless what a command printed is as its schema says.
#[track_caller]
pub fn check(line: &str, value: &Value) {
    let path = folder().join(name(line) + ".json");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let schema: Value =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    if let Err(problem) = valid(&schema, &schema, value, "$") {
        panic!("wellfit {line}: {problem}, says {}\n{value:#}", path.display());
    }
}

/// The keywords that these schemas use (JSON Schema 2020-12), and no others.
fn valid(root: &Value, schema: &Value, value: &Value, place: &str) -> Result<(), String> {
    for (keyword, rule) in schema.as_object().ok_or("a schema must be an object")? {
        match keyword.as_str() {
            "$schema" | "$defs" | "title" | "description" => {}
            "$ref" => {
                let pointer = rule.as_str().and_then(|text| text.strip_prefix('#')).unwrap_or_default();
                valid(root, root.pointer(pointer).ok_or_else(|| format!("no {rule}"))?, value, place)?;
            }
            "type" => check_type(rule, value, place)?,
            "enum" => {
                let among = rule.as_array().is_some_and(|words| words.contains(value));
                among.then_some(()).ok_or_else(|| format!("{place} is {value}, not of {rule}"))?;
            }
            "anyOf" => {
                let tries: Vec<_> =
                    rule.as_array().into_iter().flatten().map(|one| valid(root, one, value, place)).collect();
                if tries.iter().all(Result::is_err) {
                    return Err(format!("{place} is none of {}: {tries:?}", tries.len()));
                }
            }
            "required" => {
                for name in rule.as_array().into_iter().flatten().filter_map(Value::as_str) {
                    if value.is_object() && value.get(name).is_none() {
                        return Err(format!("{place} lacks {name}"));
                    }
                }
            }
            "properties" => {
                for (name, rule) in rule.as_object().into_iter().flatten() {
                    if let Some(part) = value.get(name) {
                        valid(root, rule, part, &format!("{place}.{name}"))?;
                    }
                }
            }
            "additionalProperties" => {
                for (name, part) in value.as_object().into_iter().flatten() {
                    if schema["properties"].get(name).is_none() {
                        match rule {
                            Value::Bool(false) => {
                                return Err(format!("{place} has {name}, which is not described"));
                            }
                            rule => valid(root, rule, part, &format!("{place}.{name}"))?,
                        }
                    }
                }
            }
            "items" => {
                for (index, part) in value.as_array().into_iter().flatten().enumerate() {
                    valid(root, rule, part, &format!("{place}[{index}]"))?;
                }
            }
            other => return Err(format!("this test knows no `{other}`")),
        }
    }
    Ok(())
}

fn check_type(rule: &Value, value: &Value, place: &str) -> Result<(), String> {
    let is = |name: &str| match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    };
    let fits = match rule {
        Value::Array(names) => names.iter().filter_map(Value::as_str).any(is),
        rule => rule.as_str().is_some_and(is),
    };
    fits.then_some(()).ok_or_else(|| format!("{place} is {value}, no {rule}"))
}

/// The commands of the program: hidden ones print nothing for other programs to rely on.
fn commands() -> BTreeSet<String> {
    let bench = crate::bench::Bench::new();
    let listed = |line: &str| -> Vec<String> {
        let help = bench.run(line).succeeds().to_string();
        let lines =
            help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
        // A command is indented by two, a further line of its text by more.
        let names = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
        names
            .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
            .filter(|name| name != "help")
            .collect()
    };
    let all = listed("--help");
    let (families, single): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|name| FAMILIES.contains(&name.as_str()));
    let mut all: BTreeSet<String> = single.into_iter().collect();
    for family in &families {
        all.extend(listed(&format!("{family} --help")).into_iter().map(|name| format!("{family}-{name}")));
    }
    all
}

#[test]
fn every_command_has_its_schema() {
    let there: BTreeSet<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap().replace(".json", ""))
        .collect();
    assert_eq!(there, commands());
}

#[test]
fn what_a_schema_does_not_say_is_noticed() {
    let schema: Value = serde_json::json!({
        "type": "object", "required": ["a"], "additionalProperties": false,
        "properties": { "a": { "type": ["integer", "null"] }, "b": { "items": { "$ref": "#/$defs/word" } } },
        "$defs": { "word": { "enum": ["x", "y"] } },
    });
    let ok = |value: Value| valid(&schema, &schema, &value, "$").is_ok();
    assert!(ok(serde_json::json!({ "a": 1, "b": ["x", "y"] })) && ok(serde_json::json!({ "a": null })));
    for wrong in [
        serde_json::json!({}),
        serde_json::json!([]),
        serde_json::json!({ "a": 1.5 }),
        serde_json::json!({ "a": 1, "b": ["z"] }),
        serde_json::json!({ "a": 1, "c": 1 }),
    ] {
        assert!(!ok(wrong.clone()), "{wrong}");
    }
}
