//! The rule, case by case.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use wellfit_policy::Mode;
use wellfit_proof::{
    Cost, Design, Judged, Measured, Outcome, PairResult, Pairs, Settings, Technique, Verdict, judge,
    settled_after,
};

fn design(pairs: Pairs, names: &[&str]) -> Design {
    let technique = |name: &&str| Technique { name: (*name).to_owned(), settings: Settings::new() };
    Design { pairs, ..Design::new("val_accuracy", Mode::Max, names.iter().map(technique).collect()) }
}

fn fixed(seeds: usize) -> Pairs {
    Pairs::Fixed { seeds, grown_to: None }
}

fn pair(difference: f64) -> PairResult {
    PairResult { baseline: 0.5, treated: 0.5 + difference, ..PairResult::default() }
}

fn measured(name: &str, differences: &[f64]) -> Measured {
    Measured { name: name.to_owned(), pairs: differences.iter().map(|d| pair(*d)).collect() }
}

fn one(design: &Design, differences: &[f64]) -> Judged {
    judge("t", design, &[measured("dropout", differences)]).unwrap().techniques.remove(0)
}

/// Six clear wins.
const CLEAR: [f64; 6] = [0.02, 0.03, 0.025, 0.02, 0.035, 0.03];

#[test]
fn six_clear_wins_help_and_losses_hurt() {
    let design = design(fixed(6), &["dropout"]);
    let found = one(&design, &CLEAR);
    assert_eq!((found.verdict, found.p, found.more_seeds), (Verdict::Helps, Some(0.03125), None));
    assert_eq!((found.won, found.lost, found.tied, found.pairs), (6, 0, 0, 6));
    let [low, high] = found.interval.unwrap();
    assert!(0.0 < low && low < found.mean_difference && found.mean_difference < high);
    assert!((found.mean_difference - 0.16 / 6.0).abs() < 1e-15);
    let minus = CLEAR.map(|d| -d);
    assert_eq!(one(&design, &minus).verdict, Verdict::Hurts);
    // Of a loss, less is better.
    let loss = Design { mode: Mode::Min, metric: "val_loss".to_owned(), ..design };
    assert_eq!(one(&loss, &minus).verdict, Verdict::Helps);
    assert_eq!((one(&loss, &minus).won, one(&loss, &CLEAR).verdict), (6, Verdict::Hurts));
}

#[test]
fn nothing_is_said_before_all_pairs_are_there() {
    let design = design(fixed(8), &["dropout"]);
    let found = one(&design, &CLEAR);
    assert_eq!((found.verdict, found.more_seeds, found.p), (Verdict::NoEvidence, Some(2), None));
    assert_eq!(settled_after(&design, &measured("", &CLEAR).pairs).unwrap(), None);
}

/// One large win carries the mean, not the signs; five wins and a small loss the signs are not sure of.
#[test]
fn where_the_tests_disagree_there_is_no_evidence() {
    let design = design(fixed(6), &["dropout"]);
    let found = one(&design, &[0.03, 0.03, 0.031, 0.03, 0.029, -0.001]);
    assert!(found.p.unwrap() > 0.05 && found.interval.unwrap()[0] > 0.0, "{found:?}");
    assert_eq!(found.verdict, Verdict::NoEvidence);
    let found = one(&design, &[0.001, 0.001, 0.001, 0.001, 0.001, 0.3]);
    assert!(found.p.unwrap() < 0.05 && found.interval.unwrap()[0] < 0.0, "{found:?}");
    assert_eq!(found.verdict, Verdict::NoEvidence);
    assert!(found.more_seeds.unwrap() > 100);
}

#[test]
fn small_differences_do_not_matter_and_noisy_ones_tell_nothing() {
    let design = design(fixed(6), &["dropout"]);
    let small = [0.001, -0.001, 0.0, 0.002, -0.002, 0.001];
    assert_eq!(one(&design, &small).verdict, Verdict::NoDifferenceThatMatters);
    let noisy = small.map(|d| 20.0 * d);
    let found = one(&design, &noisy);
    assert_eq!(found.verdict, Verdict::NoEvidence);
    assert!(found.more_seeds.is_some_and(|more| more > 20), "{found:?}");
    // A difference that is sure and small is one: the interval says how small.
    let sure = [0.001, 0.0011, 0.0012, 0.001, 0.0011, 0.0012];
    assert_eq!(one(&design, &sure).verdict, Verdict::Helps);
}

#[test]
fn a_switch_that_does_nothing_is_found_by_its_bits() {
    let design = design(fixed(6), &["dropout"]);
    let same = PairResult { same_bits: true, ..pair(0.0) };
    let of = |pairs: Vec<PairResult>| {
        judge("t", &design, &[Measured { name: "dropout".to_owned(), pairs }]).unwrap().techniques[0].verdict
    };
    assert_eq!(of(vec![same.clone(); 6]), Verdict::IdenticalBits);
    // The same results of other weights: the networks are equally good.
    assert_eq!(of(vec![pair(0.0); 6]), Verdict::NoDifferenceThatMatters);
    let mut mostly = vec![same.clone(); 5];
    mostly.push(pair(0.0));
    assert_eq!(of(mostly), Verdict::NoDifferenceThatMatters);
    // Judged otherwise, the same weights may do better.
    let better = PairResult { treated: 0.6, ..same };
    assert_eq!(of(vec![better; 6]), Verdict::Helps);
}

#[test]
fn until_sure_ends_at_the_first_pair_that_is_enough() {
    let design = design(Pairs::UntilSure { at_most: 30 }, &["dropout"]);
    assert_eq!(one(&design, &CLEAR[..4]).verdict, Verdict::NoEvidence);
    let five = one(&design, &CLEAR[..5]);
    assert_eq!((five.verdict, five.p), (Verdict::Helps, None));
    assert!(five.e >= 20.0 && five.interval.unwrap()[0] > 0.0);
    // What came behind changes nothing.
    let later = [&CLEAR[..5], &[-0.5, -0.6, 0.7]].concat();
    assert_eq!(one(&design, &later), five);
    assert_eq!(settled_after(&design, &measured("", &later).pairs).unwrap(), Some(5));
    let noise = [0.02, -0.03, 0.01, -0.02, 0.03, 0.0, -0.01];
    let found = one(&design, &noise);
    assert_eq!((found.verdict, found.pairs), (Verdict::NoEvidence, 7));
    assert!(found.more_seeds.is_some());
}

#[test]
fn a_trial_that_grows_is_judged_as_one_until_sure() {
    let mut design = design(fixed(6), &["dropout"]);
    let noise = [0.02, -0.01, 0.03, 0.01, -0.02, 0.025];
    assert_eq!(one(&design, &noise).verdict, Verdict::NoEvidence);
    design.grow(12).unwrap();
    let complete = one(&design, &noise);
    assert!(complete.p.is_some(), "the planned pairs are what was planned");
    let grown = one(&design, &[&noise[..], &[0.02]].concat());
    assert_eq!((grown.p, grown.verdict), (None, Verdict::NoEvidence));
    assert_eq!(design.first_look(), Some(7));
    let error = design.grow(6).unwrap_err().to_string();
    assert_eq!(error, "seeds = 6: expected no fewer than the 12 this trial is planned with");
}

#[test]
fn several_techniques_share_the_error() {
    let names = ["dropout", "hflip", "freeze"];
    let design = design(fixed(7), &names);
    let clear = [&CLEAR[..], &[0.02]].concat();
    // 2/2⁷ is below .05/3, the least p of six pairs is not.
    let mut noise = clear.clone();
    noise[0] = -0.02;
    let all = |second: &[f64]| {
        let measured = [measured(names[0], &clear), measured(names[1], second), measured(names[2], &clear)];
        judge("t", &design, &measured).unwrap().techniques.iter().map(|one| one.verdict).collect::<Vec<_>>()
    };
    assert_eq!(all(&noise), [Verdict::Helps, Verdict::NoEvidence, Verdict::Helps]);
    let outcome = judge("t", &design, &names.map(|name| measured(name, &clear))).unwrap();
    let (p, adjusted) = (outcome.techniques[0].p.unwrap(), outcome.techniques[0].adjusted_p.unwrap());
    assert_eq!(adjusted, 3.0 * p);
    // Intervals are longer than one alone has.
    let alone = one(&self::design(fixed(7), &["dropout"]), &clear);
    assert!(outcome.techniques[0].interval.unwrap()[0] < alone.interval.unwrap()[0]);
}

#[test]
fn new_images_have_an_interval_of_their_own() {
    let design = design(fixed(6), &["dropout"]);
    let image = |seed: usize, image: usize| (image % 5) as f64 * 0.3 - 0.5 + (seed * 7 % 4) as f64 * 0.02;
    let pairs: Vec<PairResult> = (0..6)
        .map(|seed| {
            let row: Vec<f64> = (0..40).map(|at| image(seed, at)).collect();
            let difference = row.iter().sum::<f64>() / 40.0;
            let cost = Cost { epochs: 2.0, seconds: seed as f64, images: -10.0 };
            PairResult { per_image: Some(row), cost, ..pair(difference) }
        })
        .collect();
    let mut measured = [Measured { name: "dropout".to_owned(), pairs }];
    let found = judge("t", &design, &measured).unwrap().techniques.remove(0);
    let ([low, high], [new_low, new_high]) = (found.interval.unwrap(), found.interval_new_images.unwrap());
    assert!(new_high - new_low > high - low && (new_low + new_high - low - high).abs() < 1e-9);
    assert_eq!(found.cost, Cost { epochs: 2.0, seconds: 2.5, images: -10.0 });
    measured[0].pairs[3].per_image = None;
    assert_eq!(judge("t", &design, &measured).unwrap().techniques[0].interval_new_images, None);
}

#[test]
fn the_outcome_is_json_with_stable_names() {
    let outcome = judge("trials/1", &design(fixed(6), &["dropout"]), &[measured("dropout", &CLEAR)]).unwrap();
    let text = serde_json::to_string(&outcome).unwrap();
    assert!(text.starts_with(r#"{"trial":"trials/1","pairs":6,"techniques":[{"name":"dropout","verdict":"helps","mean_difference":"#));
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    for key in ["interval", "interval_new_images", "p", "e", "more_seeds", "cost"] {
        assert!(value["techniques"][0].get(key).is_some(), "{key}");
    }
    assert_eq!(serde_json::from_str::<Outcome>(&text).unwrap(), outcome);
    for verdict in [
        Verdict::Helps,
        Verdict::Hurts,
        Verdict::NoDifferenceThatMatters,
        Verdict::NoEvidence,
        Verdict::IdenticalBits,
    ] {
        assert_eq!(serde_json::to_string(&verdict).unwrap(), format!("\"{verdict}\""));
    }
    // Of a single pair nothing is known, and no number is infinite.
    let single = one(&design(Pairs::UntilSure { at_most: 9 }, &["dropout"]), &[0.1]);
    assert_eq!((single.interval, single.e, single.more_seeds), (None, 1.0, None));
    assert!(!serde_json::to_string(&single).unwrap().contains("Infinity"));
}

#[test]
fn what_cannot_be_judged_is_said() {
    let design = design(fixed(6), &["dropout"]);
    let message = |measured: &[Measured]| judge("t", &design, measured).unwrap_err().to_string();
    assert_eq!(message(&[measured("dropout", &[])]), "dropout: there are no pairs yet");
    assert_eq!(message(&[measured("hflip", &CLEAR)]), "name = hflip: expected dropout, as in the design");
    assert_eq!(message(&[]), "techniques with results: expected 1 values, found 0");
    assert!(message(&[measured("dropout", &[0.1, f64::NAN])]).contains("result of pair 2 is NaN"));
}
