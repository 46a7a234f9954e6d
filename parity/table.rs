//! The rows of docs/parity.md. Each parity test names its own, so that the document cannot go stale: a test fails
//! when its row says something else. `just parity-table` writes the rows anew. Included by path, from every
//! crate's tests.

use std::{fs, path::Path, sync::Mutex};

/// Tests of one process run in parallel; `cargo test` runs processes one after the other.
static ONE_WRITER: Mutex<()> = Mutex::new(());

/// Prints a row and compares it with the document's.
///
/// `packages` are looked up in parity/requirements.txt. `largest` is the largest difference seen, in the
/// tolerance's unit; it depends on the instruction set and is not compared.
pub fn row(area: &str, packages: &[&str], cases: &str, tolerance: &str, largest: f64) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let pins = fs::read_to_string(root.join("parity/requirements.txt")).unwrap();
    let version = |package: &&str| {
        let pin = pins.lines().find_map(|line| line.strip_prefix(package)?.strip_prefix("=="));
        format!("{package} {}", pin.unwrap_or_else(|| panic!("{package} is not in requirements.txt")))
    };
    let reference = packages.iter().map(version).collect::<Vec<_>>().join(", ");
    let claim = format!("| {area} | {reference} | {cases} | {tolerance} |");
    let row = format!("{claim} {} |", if largest == 0.0 { "0".into() } else { format!("{largest:.0e}") });
    println!("{row}");
    let _guard = ONE_WRITER.lock();
    let path = root.join("docs/parity.md");
    let text = fs::read_to_string(&path).unwrap();
    let found = text.lines().find(|line| line.starts_with(&format!("| {area} |")));
    if std::env::var_os("WELLFIT_PARITY_TABLE").is_some() {
        let old = found.unwrap_or("|---|---|---|---|---|");
        let new = if found.is_some() { row } else { format!("{old}\n{row}") };
        fs::write(&path, text.replacen(old, &new, 1)).unwrap();
    } else {
        let stale = "docs/parity.md says something else; run `just parity-table`";
        assert!(
            found.is_some_and(|line| line.starts_with(&claim)),
            "{stale}\n  here: {claim}\n  there: {found:?}"
        );
    }
}
