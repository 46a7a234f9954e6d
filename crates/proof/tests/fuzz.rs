//! Damaged plans of trials: an answer each time, within bounded memory and time (see `wellfit_fuzz`).

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use wellfit_fuzz::{Target, as_it_is, fuzz};
use wellfit_proof::Design;

const SEEDS: [&str; 3] = [
    "metric = \"val_accuracy\"\nmode = \"max\"\ndelta = 0.005\nalpha = 0.05\nseeds = 6\n\
     [[techniques]]\nname = \"dropout\"\nsettings = { dropout = 0.5 }\n",
    "metric = \"val_loss\"\nmode = \"min\"\ndelta = 0.01\nalpha = 0.01\nuntil_sure = 40\nfirst_seed = 7\n\
     [baseline]\nlr = 0.01\nmodel = \"mlp\"\n[[techniques]]\nname = \"a\"\nsettings = { lr = 0.1 }\n\
     [[techniques]]\nname = \"b\"\nsettings = { freeze = true }\n",
    "metric = \"val_accuracy\"\nmode = \"max\"\ndelta = 0.005\nalpha = 0.05\nseeds = 6\ngrown_to = 12\ntreat_at = 3\n\
     [[techniques]]\nname = \"x\"\nsettings = {}\n",
];

#[test]
fn damaged_plans_are_refused_in_peace() {
    let tokens: [&[u8]; 14] = [
        b"[",
        b"{",
        b"\"\"\"",
        b"inf",
        b"nan",
        b"-1",
        b"0",
        b"1e308",
        b"18446744073709551615",
        b"9223372036854775807",
        b"[[techniques]]\n",
        b"contrasts = [[0, 1]]\n",
        b"seeds = [1, 1]\n",
        b"\\u001b",
    ];
    let target = Target { name: "trial", seeds: &SEEDS.map(Vec::from), tokens: &tokens, repair: as_it_is };
    let report = fuzz(&target, |bytes| {
        let text = String::from_utf8_lossy(bytes);
        let design = Design::from_toml(&text)?;
        // What was read can be written, and read again.
        let again = design.to_toml()?;
        Design::from_toml(&again).map(|read| assert!(read == design, "{again}"))
    });
    assert!(report.answers > 10, "{report:?}");
}
