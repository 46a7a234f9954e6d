//! What the documents say of the source: which crate may depend on which (ARCHITECTURE.md), and what is tested against
//! other packages (docs/parity.md).

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

#[test]
fn crates_depend_as_the_table_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = std::fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap();
    let mut table: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let rows = text.lines().skip_while(|line| !line.starts_with("| crate")).skip(2);
    for line in rows.take_while(|line| line.starts_with('|')) {
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

/// What the operating system is asked directly, and why not through `base` or the record's `Io`.
const OTHER_DOORS: [(&str, &str); 1] =
    [("wellfit/src/commands/verify_resume.rs", "another process writes its errors there")];

/// Files are read with a bound and replaced as a whole, in one place: `base`.
#[test]
fn files_are_read_and_written_through_one_door() {
    let direct = [
        "fs::read(",
        "fs::read_to_string(",
        "fs::write(",
        "fs::copy(",
        "File::open(",
        "File::create(",
        "File::options(",
    ];
    let found = files_with(|line| direct.iter().any(|call| line.contains(call)), &["base", "fuzz"]);
    let known: BTreeSet<String> = OTHER_DOORS.iter().map(|(path, _)| (*path).to_owned()).collect();
    assert_eq!(found, known);
}

/// A test compares its own row with the document; this finds rows that no test prints any more.
/// The standard library asks the C library of the machine for these, so their last bit differs between machines; `libm`
/// is Rust. What only tests compute is no result.
#[test]
fn results_do_not_depend_on_the_c_library() {
    let functions = [
        "exp", "exp2", "exp_m1", "ln", "ln_1p", "log", "log2", "log10", "powf", "sin", "cos", "tan",
        "sin_cos", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh", "cbrt", "hypot",
    ];
    let calls: Vec<String> = functions
        .iter()
        .flat_map(|name| [format!(".{name}("), format!("f64::{name}"), format!("f32::{name}")])
        .collect();
    let called = |line: &str| calls.iter().any(|call| line.contains(call.as_str()));
    assert_eq!(files_with(called, &["fuzz"]), BTreeSet::new());
}

/// The source files, tests and some crates left out, with a line of code like that.
fn files_with(wanted: impl Fn(&str) -> bool, except: &[&str]) -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(&root).unwrap() {
        let folder = entry.unwrap();
        if except.iter().any(|name| folder.file_name() == *name) {
            continue;
        }
        let mut files = Vec::new();
        rust_files(&folder.path().join("src"), &mut files);
        for path in files
            .iter()
            .filter(|path| !["tests", "fuzz"].iter().any(|name| path.file_stem() == Some(name.as_ref())))
        {
            let text = std::fs::read_to_string(path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap();
            if code.lines().filter(|line| !line.trim_start().starts_with("//")).any(&wanted) {
                found.insert(path.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/"));
            }
        }
    }
    found
}

#[test]
fn every_row_of_the_parity_table_has_its_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = std::fs::read_to_string(root.join("docs/parity.md")).unwrap();
    let table = text.lines().skip_while(|line| !line.starts_with("| area |")).skip(2);
    let rows: Vec<&str> = table.take_while(|line| line.starts_with('|')).collect();
    assert!(rows.len() > 20, "{rows:?}");
    let mut tests = Vec::new();
    for entry in std::fs::read_dir(root.join("crates")).unwrap() {
        rust_files(&entry.unwrap().path().join("tests"), &mut tests);
    }
    let tests: String = tests.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    for row in rows {
        // `networks` in models' tests puts the rows of a model together from its title and the quantity.
        let area = row.split('|').nth(1).unwrap().trim();
        let named = |name: &str| tests.contains(&format!("\"{name}\""));
        let parts = area.split_once(", ").is_some_and(|(title, what)| named(title) && named(what));
        assert!(named(area) || parts, "no test prints the row of {area}");
    }
}

#[allow(clippy::unwrap_used, reason = "a test may panic")]
fn rust_files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// An example that rustdoc compiles and runs, on the facade's first page.
#[test]
fn every_part_of_the_facade_has_an_example() {
    let facade = include_str!("../src/lib.rs");
    let parts = facade
        .lines()
        .filter_map(|line| line.strip_prefix("pub use ")?.strip_suffix(';')?.split_once(" as "));
    let sections: Vec<&str> = facade.split("\n//! ## ").skip(1).collect();
    let names: Vec<&str> = parts.map(|(_, name)| name).collect();
    assert!(names.len() > 15, "{names:?}");
    for name in names {
        let titles = [format!("[`{name}`]:"), format!("`{name}`:")];
        let section = sections.iter().find(|section| titles.iter().any(|title| section.starts_with(title)));
        let example =
            section.and_then(|section| section.split_once("//! ```")).map_or("", |(_, example)| example);
        assert!(example.contains(&format!("wellfit::{name}::")), "{name} has no example");
    }
}
