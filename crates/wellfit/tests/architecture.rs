//! The table of ARCHITECTURE.md: which crate may depend on which.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

#[test]
fn crates_depend_as_the_table_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = std::fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap();
    let mut table: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let names = cells[3].split(", ").filter(|name| !matches!(*name, "–" | "all"));
        table.insert(cells[1].trim_matches('`').to_owned(), names.map(str::to_owned).collect());
    }
    let crates: BTreeSet<String> = std::fs::read_dir(root.join("crates"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(crates, table.keys().cloned().collect(), "every crate has its row");
    for name in crates.iter().filter(|name| *name != "wellfit") {
        let manifest = std::fs::read_to_string(root.join("crates").join(name).join("Cargo.toml")).unwrap();
        let manifest: toml::Table = manifest.parse().unwrap();
        let dependencies = manifest.get("dependencies").and_then(toml::Value::as_table);
        let used: BTreeSet<String> = dependencies
            .into_iter()
            .flat_map(toml::Table::keys)
            .filter_map(|key| key.strip_prefix("wellfit-"))
            .map(str::to_owned)
            .collect();
        assert_eq!(used, table[name], "dependencies of {name}");
    }
}
