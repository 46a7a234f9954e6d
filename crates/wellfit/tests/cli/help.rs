//! `--help` and `-h`: groups, and which options they list.

use crate::bench::Bench;

/// The headings, in their order.
const GROUPS: [&str; 9] = [
    "Data:",
    "Model:",
    "Optimiser:",
    "Schedule and stopping:",
    "Augmentation:",
    "Regularisation:",
    "Checkpoints:",
    "Speed:",
    "Output:",
];

#[test]
fn the_help_of_train_is_in_groups() {
    let help = Bench::new().run("train --help").succeeds().to_string();
    for group in GROUPS {
        assert_eq!(help.matches(&format!("\n{group}\n")).count(), 1, "{group} {help}");
    }
    let places = GROUPS.map(|group| help.find(&format!("\n{group}\n")));
    assert!(places.is_sorted(), "{places:?} {help}");
    let place = |text: &str| help.find(text).unwrap_or_else(|| panic!("{text} is not in {help}"));
    assert!(place("\nModel:\n") < place("--freeze") && place("--freeze") < place("\nOptimiser:\n"));
    assert!(place("\nSchedule and stopping:\n") < place("--patience"));
    for option in wellfit::run::options::entries() {
        place(&format!("--{}", option.option()));
    }
    // Lines are broken anywhere.
    let words = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for line in [
        "--lr <RATE> Learning rate; auto to find one first",
        "where the data have none [default: 0.2]",
        "Where decoded images, and with --freeze the backbone's features, are kept",
    ] {
        assert!(words.contains(line), "{line} is not in {words}");
    }
}

#[test]
fn shells_and_manuals_know_every_command() {
    let bench = Bench::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        bench.run(&format!("completions {shell}")).succeeds().says("verify-resume").says("early-stopping");
    }
    bench.run("completions bash --json").succeeds().json();
    bench.run("man pages").succeeds();
    let page = bench.text("pages/wellfit-train.1");
    assert!(page.contains("\\-\\-early\\-stopping") && page.contains(".TH wellfit-train 1"), "{page}");
    assert!(bench.has("pages/wellfit.1") && bench.has("pages/wellfit-data-show.1"));
    assert!(!bench.text("pages/wellfit.1").contains("wellfit\\-man"), "it is for packages");
}

#[test]
fn short_help_lists_what_is_common() {
    let help = Bench::new().run("train -h").succeeds();
    let help = help.says("--epochs").says("--model").says("--out").says("--help lists all options");
    let text = help.never_says("--lr-factor").never_says("--checkpoint-monitor").to_string();
    assert!(text.lines().count() < 75, "{text}");
}
