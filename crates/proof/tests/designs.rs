//! `trial.toml`: written, read back, and what is said of one that is wrong.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use proptest::prelude::*;
use wellfit_policy::Mode;
use wellfit_proof::{Design, Pairs, Settings, Technique};

const TEXT: &str = r#"
metric = "val_accuracy"
mode = "max"
delta = 0.005
alpha = 0.05
seeds = 7
first_seed = 40
treat_at = 3

[baseline]
model = "resnet20"
epochs = 12
lr = 0.01
hflip = true

[[techniques]]
name = "dropout"
settings = { dropout = 0.5 }

[[techniques]]
name = "label-smoothing"
[techniques.settings]
label_smoothing = 0.1
"#;

#[test]
fn a_design_is_read_and_written() {
    let design = Design::from_toml(TEXT).unwrap();
    assert_eq!((design.mode, design.pairs), (Mode::Max, Pairs::Fixed { seeds: 7, grown_to: None }));
    assert_eq!((design.first_seed, design.treat_at), (40, Some(3)));
    assert_eq!(design.baseline["epochs"], "12");
    assert_eq!(design.baseline["hflip"], "true");
    assert_eq!(design.techniques[1].settings["label_smoothing"], "0.1");
    assert_eq!(design.judged(), ["dropout", "label-smoothing"]);
    let text = design.to_toml().unwrap();
    assert!(text.starts_with("# The plan of a trial"));
    assert_eq!(Design::from_toml(&text).unwrap(), design);
    assert_eq!(serde_json::from_str::<Design>(&serde_json::to_string(&design).unwrap()).unwrap(), design);
}

/// The usual plan has as few pairs as can show anything.
#[test]
fn the_usual_number_of_pairs_grows_with_the_techniques() {
    let seeds = |count: usize| {
        let technique = |at| Technique { name: format!("t{at}"), settings: Settings::new() };
        let design = Design::new("val_accuracy", Mode::Max, (0..count).map(technique).collect());
        design.validate().unwrap();
        design.last_pair()
    };
    assert_eq!([seeds(1), seeds(2), seeds(3), seeds(4), seeds(10)], [6, 7, 7, 8, 9]);
}

#[test]
fn what_is_wrong_is_named() {
    let change = |from: &str, to: &str| {
        assert!(TEXT.contains(from), "{from}");
        Design::from_toml(&TEXT.replacen(from, to, 1)).unwrap_err().to_string()
    };
    for (from, to, message) in [
        ("alpha = 0.05", "alpha = 0.7", "alpha = 0.7: expected a number above 0 and below 0.5, such as 0.05"),
        ("alpha = 0.05", "alpha = nan", "alpha = NaN: expected"),
        ("delta = 0.005", "delta = 0", "delta = 0: expected the least difference that matters"),
        (
            "seeds = 7",
            "seeds = 6",
            "seeds = 6: expected 7 to 10000: fewer pairs cannot show anything at α = 0.05 for 2 verdicts together",
        ),
        ("seeds = 7", "", "seeds = neither of `seeds` and `until_sure`: expected one of the two"),
        ("seeds = 7", "seeds = 7\nuntil_sure = 30", "seeds = both `seeds` and `until_sure`"),
        ("seeds = 7", "until_sure = 30\ngrown_to = 40", "grown_to = 40: expected only beside `seeds`"),
        ("seeds = 7", "seeds = 7\ngrown_to = 7", "grown_to = 7: expected more than `seeds` 7"),
        ("seeds = 7", "seeds = -7", "line 6, seeds = -7: "),
        ("seeds = 7", "seeds = \"seven\"", "line 6, seeds = \"seven\": invalid type"),
        (
            "mode = \"max\"",
            "mode = \"up\"",
            "line 3, mode = \"up\": unknown variant `up`, expected `min` or `max`",
        ),
        ("metric = \"val_accuracy\"", "metric = \" \"", "metric = \"\": expected a name"),
        ("alpha = 0.05", "alhpa = 0.05", "line 5, alhpa = 0.05: unknown field `alhpa`"),
        ("alpha = 0.05\n", "", "missing field `alpha`"),
        ("treat_at = 3", "treat_at = 0", "treat_at = 0: expected an epoch, counted from 1"),
        ("lr = 0.01", "lr = [0.01]", "expected a single value: text, a number, true or false"),
        (
            "name = \"label-smoothing\"",
            "name = \"dropout\"",
            "techniques.name = \"dropout\": expected a name no other",
        ),
        (
            "name = \"dropout\"",
            "name = \"baseline\"",
            "techniques.name = \"baseline\": expected a name other",
        ),
        (
            "first_seed = 40",
            "first_seed = 9223372036854775807",
            "first_seed = 9223372036854775807: expected a number",
        ),
        (
            "treat_at = 3",
            "contrasts = [[\"dropout\", \"hflip\"]]",
            "expected different ones of dropout, label-smoothing",
        ),
        ("treat_at = 3", "contrasts = []", "contrasts = []: expected at least one effect"),
        ("treat_at = 3", "race = true", "race = true: expected only beside `until_sure`"),
        (
            "seeds = 7",
            "until_sure = 4",
            "until_sure = 4: expected 5 to 10000: fewer pairs cannot show anything at α = 0.05 for 2",
        ),
        ("seeds = 7", "seeds 7", "line 6, seeds 7: "),
    ] {
        let found = change(from, to);
        assert!(found.contains(message), "{to}: {found}");
    }
    let alone = TEXT.split("[[techniques]]").next().unwrap();
    assert!(Design::from_toml(alone).unwrap_err().to_string().contains("missing field `techniques`"));
}

#[test]
fn declared_contrasts_are_what_is_judged() {
    let text =
        TEXT.replacen("treat_at = 3", "contrasts = [[\"dropout\"], [\"label-smoothing\", \"dropout\"]]", 1);
    let design = Design::from_toml(&text).unwrap();
    assert_eq!(design.judged(), ["dropout", "label-smoothing × dropout"]);
    assert_eq!(Design::from_toml(&design.to_toml().unwrap()).unwrap(), design);
}

proptest! {
    #[test]
    fn any_design_survives_its_text(
        metric in "[a-z_@\"'\\\\ é]{1,12}x", delta in 1e-9..1e3_f64, alpha in 0.001..0.49_f64, first_seed in 0..1_u64 << 60,
        name in "[ -~é☃]{1,20}", value in "[ -~\n\t☃]{0,20}", sure in any::<bool>(), grown in prop::option::of(1..50_usize),
    ) {
        let settings = Settings::from([(name.clone(), value)]);
        let mut design = Design::new(&metric, Mode::Min, vec![Technique { name: format!("{name}x"), settings: settings.clone() }]);
        (design.delta, design.alpha, design.first_seed, design.baseline) = (delta, alpha, first_seed, settings);
        design.race = sure && first_seed % 2 == 0;
        design.pairs = if sure { Pairs::UntilSure { at_most: 40 } } else { Pairs::Fixed { seeds: 30, grown_to: grown.map(|more| 30 + more) } };
        let text = design.to_toml().unwrap();
        prop_assert_eq!(Design::from_toml(&text).unwrap(), design);
    }

    /// Any text is an answer or an error with a place, never a panic.
    #[test]
    fn no_text_is_too_odd(cut in 0..TEXT.len(), with in "[ -~\n]{0,6}") {
        let mut text = TEXT.to_owned();
        text.replace_range(cut..cut + 1, &with);
        let _ = Design::from_toml(&text);
    }
}

#[test]
fn the_example_of_the_document_is_a_design() {
    let path = format!("{}/../../docs/prove.md", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    let example = text.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let design = Design::from_toml(example).unwrap();
    assert_eq!(design.judged(), ["dropout", "hflip"]);
    // What stands there as a comment is possible, too.
    let more = example.replace("# treat_at", "treat_at").replace("# contrasts", "contrasts");
    assert_eq!(Design::from_toml(&more).unwrap().judged(), ["dropout", "dropout × hflip"]);
}
