//! Which pair is next, and what its arms share.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::BTreeMap;
use wellfit_policy::Mode;
use wellfit_proof::trial::{
    Branch, Course, Next, PairId, PairState, Touches, branch, cannot_begin_late, first_other_rate, next_pair,
    touches,
};
use wellfit_proof::{
    Design, Measured, PairResult, Pairs, Settings, Technique, Verdict, judge, settled_after,
};
use wellfit_rng::{Rng, Stream};

fn design(pairs: Pairs, count: usize) -> Design {
    let technique = |at| Technique { name: format!("t{at}"), settings: Settings::new() };
    Design { pairs, ..Design::new("val_accuracy", Mode::Max, (0..count).map(technique).collect()) }
}

/// What a pair of a technique gives, whoever trains it and when: the first technique is sure early, the second never, the third
/// always a little behind.
fn result(id: PairId) -> PairResult {
    let wobble = f64::from((id.pair as u32 * 7919) % 11) / 1000.0;
    let treated = match id.technique {
        0 => 0.55 + wobble,
        1 => 0.475 + 5.0 * wobble,
        _ => 0.49 - wobble,
    };
    PairResult { baseline: 0.5, treated, ..PairResult::default() }
}

/// The results without gaps.
fn measured(design: &Design, states: &BTreeMap<PairId, PairState>) -> Vec<Measured> {
    let finished = |technique, pair| states.get(&PairId { pair, technique }) == Some(&PairState::Finished);
    let pairs = |technique| {
        let there = (0..).take_while(|&pair| finished(technique, pair));
        there.map(|pair| result(PairId { pair, technique })).collect()
    };
    let names = design.judged().into_iter().enumerate();
    names.map(|(technique, name)| Measured { name, pairs: pairs(technique) }).collect()
}

fn next(design: &Design, states: &BTreeMap<PairId, PairState>) -> Next {
    next_pair(design, states, &measured(design, states)).unwrap()
}

/// Some processes take pairs, finish them in any order, and are killed; returns the states in the end.
fn played(design: &Design, workers: usize, seed: u64) -> BTreeMap<PairId, PairState> {
    let mut states = BTreeMap::new();
    let mut running: Vec<PairId> = Vec::new();
    let mut rng = Rng::new(seed, Stream::Noise, 0, 0);
    let mut draw = |below: usize| rng.below(below as u32) as usize;
    loop {
        let next = next(design, &states);
        match next {
            Next::Done => return states,
            Next::Pair(id) if running.len() < workers => {
                let old = states.insert(id, PairState::Running);
                assert!(
                    matches!(old, None | Some(PairState::Interrupted)),
                    "no pair is done twice: {id:?} {old:?}"
                );
                running.push(id);
            }
            Next::Pair(_) | Next::Wait => {
                assert!(!running.is_empty(), "nobody waits for nothing");
                let id = running.swap_remove(draw(running.len()));
                let killed = draw(4) == 0;
                states.insert(id, if killed { PairState::Interrupted } else { PairState::Finished });
            }
        }
    }
}

#[test]
fn pairs_go_seed_by_seed() {
    let design = design(Pairs::Fixed { seeds: 7, grown_to: None }, 2);
    let mut states = BTreeMap::new();
    let mut order = Vec::new();
    while let Next::Pair(id) = next(&design, &states) {
        order.push((id.pair, id.technique));
        states.insert(id, PairState::Finished);
    }
    let expected: Vec<(usize, usize)> = (0..7).flat_map(|pair| [(pair, 0), (pair, 1)]).collect();
    assert_eq!(order, expected);
    assert_eq!(next(&design, &states), Next::Done);
    states.insert(PairId { pair: 6, technique: 1 }, PairState::Running);
    assert_eq!(next(&design, &states), Next::Wait);
    states.insert(PairId { pair: 6, technique: 1 }, PairState::Interrupted);
    assert_eq!(next(&design, &states), Next::Pair(PairId { pair: 6, technique: 1 }));
}

#[test]
fn a_technique_that_is_settled_gets_no_more_pairs() {
    let design = design(Pairs::UntilSure { at_most: 12 }, 2);
    let states = played(&design, 1, 1);
    let count = |technique| states.keys().filter(|id| id.technique == technique).count();
    assert_eq!((count(0), count(1)), (5, 12));
}

/// In a race the third technique is behind after three pairs, and the second one ends where the first is proven.
#[test]
fn a_race_drops_what_is_behind_and_ends_with_its_first_winner() {
    let race = Design { race: true, ..design(Pairs::UntilSure { at_most: 12 }, 3) };
    race.validate().unwrap();
    let counts = |states: &BTreeMap<PairId, PairState>| {
        let count = |technique| states.keys().filter(|id| id.technique == technique).count();
        [count(0), count(1), count(2)]
    };
    let alone = played(&race, 1, 0);
    assert_eq!(counts(&alone), [5, 5, 3]);
    let outcome = judge("t", &race, &measured(&race, &alone)).unwrap().techniques;
    let verdicts: Vec<Verdict> = outcome.iter().map(|one| one.verdict).collect();
    assert_eq!(verdicts, [Verdict::Helps, Verdict::NoEvidence, Verdict::NoEvidence]);
    // Where less is better, being below is being ahead: the third is proven at the first look, after five pairs.
    let less = Design { mode: Mode::Min, ..race.clone() };
    let states = played(&less, 1, 0);
    assert_eq!(counts(&states), [3, 3, 5]);
    let outcome_of_less = judge("t", &less, &measured(&less, &states)).unwrap().techniques;
    let third = &outcome_of_less[2];
    assert_eq!((third.verdict, third.pairs), (Verdict::Helps, 5));
    assert!(third.e >= 3.0 / less.alpha, "{}", third.e);
    // Before the fifth pair nothing is claimed, however alike the pairs are.
    let third: Vec<PairResult> = (0..6).map(|pair| result(PairId { pair, technique: 2 })).collect();
    let settled = [3, 4, 5, 6].map(|count| settled_after(&less, &third[..count]).unwrap());
    assert_eq!(settled, [None, None, Some(5), Some(5)]);
    for chance in 1..60 {
        let states = played(&race, 1 + chance as usize % 5, chance);
        let same = judge("t", &race, &measured(&race, &states)).unwrap().techniques;
        assert_eq!(same[0], outcome[0], "{chance}");
        assert_eq!(same[2], outcome[2], "{chance}");
    }
}

/// However many processes work on a trial and whichever are killed, the verdicts are the same.
#[test]
fn the_verdict_depends_on_results_alone() {
    for pairs in [Pairs::UntilSure { at_most: 12 }, Pairs::Fixed { seeds: 7, grown_to: Some(10) }] {
        let design = design(pairs, 2);
        let outcome = |states: &BTreeMap<PairId, PairState>| {
            judge("t", &design, &measured(&design, states)).unwrap().techniques
        };
        let alone = outcome(&played(&design, 1, 0));
        for chance in 1..60 {
            let states = played(&design, 1 + chance as usize % 5, chance);
            assert_eq!(outcome(&states), alone, "{pairs:?}, {chance}");
        }
    }
}

#[test]
fn a_factorial_trial_needs_all_combinations() {
    let mut design = design(Pairs::Fixed { seeds: 6, grown_to: None }, 2);
    design.contrasts = Some(vec![vec!["t0".to_owned(), "t1".to_owned()]]);
    design.validate().unwrap();
    let first: Vec<Next> = [0, 1, 2]
        .map(|done| {
            let id = |technique| (PairId { pair: 0, technique }, PairState::Finished);
            next_pair(&design, &(0..done).map(id).collect(), &[]).unwrap()
        })
        .to_vec();
    assert_eq!(first, [0, 1, 2].map(|technique| Next::Pair(PairId { pair: 0, technique })));
}

const COURSE: Course = Course { steps_per_epoch: 100, first_other_rate: None };

/// Settings as a run decides them; `changes` are added.
fn settings(changes: &[(&str, &str)]) -> Settings {
    let all = [
        ("epochs", "10"),
        ("schedule", "constant"),
        ("lr", "0.01"),
        ("early_stopping", "false"),
        ("patience", "5"),
        ("lr_scheduler", "false"),
        ("lr_patience", "5"),
        ("semantics", "torch"),
        ("freeze_epochs", "0"),
        ("hflip", "false"),
        ("workers", "2"),
        ("model", "resnet20"),
    ];
    all.iter().chain(changes).map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn of(baseline: &[(&str, &str)], treated: &[(&str, &str)], treat_at: Option<u32>, course: Course) -> Branch {
    branch(&settings(baseline), &settings(treated), treat_at, course)
}

#[test]
fn early_stopping_needs_no_training_of_its_own() {
    let found = of(&[], &[("early_stopping", "true"), ("patience", "3")], None, COURSE);
    assert!(found.is_one_training() && found.ends && !found.at_reduction);
    assert_eq!(found.shared_steps(1000, Some(300)), 1000);
    assert_eq!(found.because.iter().map(String::as_str).collect::<Vec<_>>(), ["early_stopping", "patience"]);
}

#[test]
fn a_scheduler_needs_the_steps_behind_its_first_reduction() {
    let found = of(&[], &[("lr_scheduler", "true"), ("lr_patience", "2")], None, COURSE);
    assert!(found.at_reduction && !found.is_one_training());
    assert_eq!(found.shared_steps(1000, Some(301)), 300);
    assert_eq!(found.shared_steps(1000, None), 1000, "it never lowered the rate");
    let late = of(&[], &[("lr_scheduler", "true")], Some(6), COURSE);
    assert_eq!(late.shared_steps(1000, Some(301)), 500, "it is not there before");
}

#[test]
fn settings_of_what_is_off_change_nothing() {
    let found = of(
        &[],
        &[("patience", "9"), ("lr_patience", "1"), ("semantics", "keras"), ("workers", "8")],
        None,
        COURSE,
    );
    assert_eq!(found, Branch { not_before: 1, ..Branch::default() });
    assert!(found.is_one_training() && found.because.is_empty());
    let on = [("early_stopping", "true")];
    assert!(of(&on, &[on[0], ("semantics", "keras")], None, COURSE).ends);
}

#[test]
fn what_changes_steps_shares_none_and_rates_those_before() {
    for change in [("hflip", "true"), ("lr", "0.1"), ("model", "mlp"), ("an_option_to_come", "1")] {
        let found = of(&[], &[change], None, COURSE);
        assert_eq!((found.step, found.shared_steps(1000, None)), (Some(1), 0), "{change:?}");
    }
    assert_eq!(of(&[], &[("hflip", "true")], Some(4), COURSE).shared_steps(1000, None), 300);
    let rates = Course { first_other_rate: Some(501), ..COURSE };
    assert_eq!(of(&[], &[("schedule", "step:step_size=5")], None, rates).shared_steps(1000, None), 500);
    assert_eq!(of(&[], &[("epochs", "20")], None, COURSE).shared_steps(2000, None), 2000);
    assert_eq!(of(&[("freeze_epochs", "2")], &[("freeze_epochs", "4")], None, COURSE).step, Some(201));
    let both = of(&[], &[("schedule", "cosine"), ("lr_scheduler", "true")], None, rates);
    assert_eq!((both.shared_steps(1000, Some(301)), both.shared_steps(1000, Some(701))), (300, 500));
    assert_eq!(first_other_rate([0.1, 0.1, 0.2], [0.1, 0.1, 0.3]), Some(3));
    assert_eq!(first_other_rate([0.1, 0.1], [0.1, 0.1, 0.3]), None);
}

#[test]
fn a_network_cannot_change_in_the_middle() {
    let treated = settings(&[("model", "mlp"), ("hflip", "true"), ("an_option_to_come", "1")]);
    assert_eq!(cannot_begin_late(&settings(&[]), &treated), ["an_option_to_come", "model"]);
}

/// The options of a run are listed in its crate; each has its place here, by its own name.
#[test]
fn every_setting_of_a_run_is_known() {
    let folder = format!("{}/../run/src/options", env!("CARGO_MANIFEST_DIR"));
    let mut found = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = if path.is_file() { std::fs::read_to_string(path).unwrap() } else { continue };
        if !text.contains("collect! { $rest") {
            continue;
        }
        let head = |line: &str| -> Option<String> {
            let rest = line.strip_prefix("        ")?.strip_suffix(" {")?;
            let (name, _) = rest.split_once(": ")?;
            let usual = |c: char| c.is_ascii_lowercase() || c == '_' || c.is_ascii_digit();
            name.chars().all(usual).then(|| name.to_owned())
        };
        for name in text.lines().filter_map(head) {
            assert!(touches(&name).is_some(), "crates/proof/src/trial/branching.rs does not know `{name}`");
            found += 1;
        }
    }
    assert!(found > 60, "{found}");
    assert_eq!((touches("hflip"), touches("nothing_like_it")), (Some(Touches::Training), None));
}
