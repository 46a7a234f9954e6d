//! Names of files and classes are data: a terminal never obeys them, and programs get them as they are.

use crate::bench::{Bench, Outcome};
use crate::material::MLP;

/// Names that would colour, clear, overwrite, forge a line, ring, or turn the direction of writing.
const HOSTILE: [&str; 6] = [
    "\u{1b}[31mred",
    "cat\nerror: all is lost",
    "over\rwritten",
    "\u{1b}]0;title\u{7}",
    "\u{9b}2Jgone",
    "gpj.\u{202e}exe",
];

/// Nothing that a terminal obeys but the ends of our own lines, none of which a name began.
#[track_caller]
fn is_plain(outcome: &Outcome) {
    let text = outcome.to_string().split_once("-- exit code").unwrap().1.to_owned();
    let obeyed = |c: char| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c);
    assert!(!text.contains(obeyed), "{text:?}");
    assert!(!text.lines().any(|line| line.starts_with("error: all is lost")), "{text}");
}

#[test]
fn hostile_classes_are_shown_and_not_obeyed() {
    let bench = Bench::new();
    bench.pictures("pets", &HOSTILE, 0..6);
    bench.pictures("pets", &HOSTILE[..1], 8..12);
    for line in [
        &format!("train pets {MLP} --epochs 1 --out run"),
        "resume run",
        "evaluate run pets",
        "predict run pets --top 6",
        "data show pets --out sheet.png",
        "data stats pets",
        "runs .",
    ] {
        is_plain(&bench.run(line).succeeds());
    }
    let predicted = bench.run("predict run pets --top 6").succeeds();
    predicted.says(r"\u{1b}[31mred").says(r"cat\nerror: all is lost");
    let shown = bench.run("data show pets --json").succeeds().json();
    let classes = shown["parts"][0]["classes"].as_array().unwrap();
    let mut exact = HOSTILE.to_vec();
    exact.sort_unstable();
    assert!(classes.iter().map(|class| class.as_str().unwrap()).eq(exact), "exact for programs: {classes:?}");
}

/// The name of the data stands in what is said of them, too.
#[test]
fn hostile_folders_are_shown_and_not_obeyed() {
    let bench = Bench::new();
    bench.pictures("pets", &["cat", "dog"], 0..8);
    bench.run(&format!("train pets {MLP} --epochs 1 --out run")).succeeds();
    std::fs::rename(bench.path("pets"), bench.path(HOSTILE[1])).unwrap();
    for line in ["evaluate run", "predict run", "data show", "data stats"] {
        let output = bench.command(line).arg(HOSTILE[1]).output().unwrap();
        is_plain(&Outcome::new(line, &output).succeeds());
    }
}

#[test]
fn hostile_files_are_shown_and_not_obeyed() {
    let bench = Bench::new();
    bench.animals();
    for name in HOSTILE {
        bench.write(&format!("animals/cat/{name}.png"), "no image");
    }
    let refused = bench.run(&format!("train animals {MLP} --out run")).exits(3);
    refused.complains(r"cat\nerror: all is lost.png");
    is_plain(&refused);
    is_plain(&bench.run(&format!("train animals {MLP} --epochs 1 --skip-bad --out run")).succeeds());
    is_plain(&bench.run("predict run animals").exits(8));
    is_plain(&bench.run("data show animals").succeeds());
}

#[test]
fn an_instruction_set_that_is_none_is_an_error() {
    let output = Bench::new().command("runs").env("WELLFIT_SIMD", "avx1024").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let problem = String::from_utf8(output.stderr).unwrap();
    assert!(problem.contains("WELLFIT_SIMD: `avx1024` is no instruction set of this machine"), "{problem}");
}
