//! The constants are those that were frozen before the held-out half was opened.

use std::path::Path;
use wellfit_base::hash::sha256;

/// What was frozen, and each look at the held-out half since.
const LOG: &str = "tests/benchmark/openings.md";

#[test]
fn the_constants_are_those_that_were_frozen() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let constants = std::fs::read(root.join("src/thresholds.rs")).unwrap();
    let log = std::fs::read_to_string(root.join(LOG)).unwrap();
    let frozen = log.lines().filter_map(|line| line.strip_prefix("frozen: ")).next_back().unwrap();
    let found = sha256(&constants);
    assert_eq!(found, frozen.trim(), "a constant changed: tune on the tuning half only, and say so in {LOG}");
}
