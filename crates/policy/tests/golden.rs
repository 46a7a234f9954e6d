//! Every policy against traces of the real packages (`parity/policy.py`), at every epoch.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;
#[path = "../../../parity/table.rs"]
mod table;

use std::collections::BTreeMap;
use std::io::Read;

use common::{SEQUENCES, sequence};
use serde::{Deserialize, de::DeserializeOwned};
use wellfit_policy::{
    CheckpointConfig, CheckpointPolicy, EarlyStopping, EarlyStoppingConfig, EarlyStoppingReason, Mode,
    PlateauConfig, ReduceLrOnPlateau, Schedule, Semantics, direction,
};

/// FNV-1a over the bits of all values, NaN counting as the bits of 0.5.
fn checksum() -> u64 {
    let values = (0..SEQUENCES).flat_map(sequence).map(|value| if value.is_nan() { 0.5 } else { value });
    values
        .flat_map(f64::to_le_bytes)
        .fold(0xcbf2_9ce4_8422_2325, |sum: u64, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// A fixture written by `parity/policy.py`.
fn fixture<T: DeserializeOwned>(name: &str) -> T {
    let path = format!("{}/tests/fixtures/{name}.json.gz", env!("CARGO_MANIFEST_DIR"));
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[derive(Deserialize)]
struct Monitors {
    checksum: String,
    cases: Vec<Case>,
}

/// One policy under one option set, over all sequences.
#[derive(Deserialize)]
struct Case {
    policy: String,
    semantics: Semantics,
    options: String,
    traces: Vec<String>,
}

fn monitor_cases(policy: &str) -> Vec<Case> {
    let monitors: Monitors = fixture("monitors");
    assert_eq!(monitors.checksum, checksum().to_string(), "the two generators disagree");
    monitors.cases.into_iter().filter(|case| case.policy == policy).collect()
}

fn traces(cases: &[Case]) -> String {
    format!("{} option sets × {SEQUENCES} sequences of {} epochs", cases.len(), sequence(0).len())
}

/// What one epoch's token of a trace says, taken apart.
#[derive(Debug, PartialEq, Default)]
struct Token {
    counter: u32,
    cooldown: u32,
    best: bool,
    stop: Option<char>,
    new_lr: Option<f64>,
}

impl Token {
    fn read(text: &str) -> Self {
        let (text, new_lr) = text.split_once('@').map_or((text, None), |(text, lr)| (text, lr.parse().ok()));
        let stop = text.chars().last().filter(char::is_ascii_alphabetic);
        let text = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let (text, best) = text.strip_suffix('*').map_or((text, false), |text| (text, true));
        let (counter, cooldown) = text.split_once('c').unwrap_or((text, "0"));
        let number = |digits: &str| digits.parse().unwrap();
        Self { counter: number(counter), cooldown: number(cooldown), best, stop, new_lr }
    }
}

/// Walks a case's traces: the machine (made anew for each) must give each epoch's token, and `best` must be
/// the metric of the last epoch marked best, as `seen` by the package.
fn compare<M>(
    case: &Case,
    seen: fn(f64) -> f64,
    make: impl Fn() -> M,
    step: impl Fn(&mut M, u32, f64) -> (Token, Option<f64>),
) {
    assert_eq!(case.traces.len() as u64, SEQUENCES);
    for (index, trace) in (0..).zip(&case.traces) {
        let (mut machine, mut expected_best, metrics) = (make(), None, sequence(index));
        assert_eq!(trace.split(' ').count(), metrics.len());
        for ((epoch, expected), metric) in (0..).zip(trace.split(' ')).zip(metrics) {
            let expected = Token::read(expected);
            expected_best = if expected.best { Some(seen(metric)) } else { expected_best };
            let (token, best) = step(&mut machine, epoch, metric);
            let place = format!("{} {} sequence {index} epoch {epoch}", case.policy, case.options);
            assert_eq!(token, expected, "{place}: metric {metric}");
            assert_eq!(best.map(canonical), expected_best.map(canonical), "{place}: best");
        }
    }
}

/// The bits, all NaNs being one.
fn canonical(value: f64) -> u64 {
    if value.is_nan() { f64::NAN.to_bits() } else { value.to_bits() }
}

#[test]
fn early_stopping_matches_the_book_keras_and_lightning() {
    let cases = monitor_cases("early_stopping");
    assert_eq!(cases.len(), 27);
    for case in &cases {
        let seen = match case.semantics {
            Semantics::Lightning => |metric| f64::from(metric as f32),
            _ => |metric| metric,
        };
        let config = EarlyStoppingConfig::parse(case.semantics, &case.options).unwrap();
        let make = || EarlyStopping::new(config.clone()).unwrap();
        compare(case, seen, make, |machine, epoch, metric| {
            let seen = machine.observe(epoch, metric);
            let stop = seen.stop.map(|reason| match reason {
                EarlyStoppingReason::Patience { .. } => 'p',
                EarlyStoppingReason::NotFinite { .. } => 'n',
                EarlyStoppingReason::StoppingThreshold { .. } => 's',
                EarlyStoppingReason::DivergenceThreshold { .. } => 'd',
            });
            (Token { counter: seen.counter, best: seen.improved, stop, ..Token::default() }, seen.best)
        });
    }
    let compared = traces(&cases);
    table::row("EarlyStopping", &["keras", "lightning"], &compared, "equal at every epoch", 0.0);
}

/// Rates are compared bit for bit: torch computes them as Python floats, Keras stores them as `f32`.
#[test]
fn reduce_on_plateau_matches_torch_and_keras() {
    let cases = monitor_cases("plateau");
    assert_eq!(cases.len(), 24);
    for case in &cases {
        let config = PlateauConfig::parse(case.semantics, &case.options).unwrap();
        let make = || ReduceLrOnPlateau::new(config.clone(), 0.1).unwrap();
        compare(
            case,
            |metric| metric,
            make,
            |machine, epoch, metric| {
                let before = machine.state().clone();
                let seen = machine.observe(metric);
                assert_eq!((seen.epoch, seen.lr_before), (u64::from(epoch) + 1, before.lr));
                assert_eq!((seen.reduced, seen.lr_after), (seen.lr_after != before.lr, machine.lr()));
                let new_lr = seen.reduced.then_some(seen.lr_after);
                let (counter, cooldown, best) = (seen.bad_epochs, seen.cooldown_left, seen.improved);
                let token = Token { counter, cooldown, best, new_lr, ..Token::default() };
                (token, seen.best)
            },
        );
    }
    table::row("ReduceLROnPlateau", &["torch", "keras"], &traces(&cases), "equal at every epoch", 0.0);
}

#[derive(Deserialize)]
struct ScheduleCase {
    schedule: Schedule,
    base_lr: f64,
    rates: Vec<f64>,
}

/// Whether a schedule's rates involve `cos` or `pow`, which each platform's libm rounds in its own way.
fn uses_libm(schedule: &Schedule) -> bool {
    match schedule {
        Schedule::Sequential(sequential) => sequential.schedules.iter().any(uses_libm),
        Schedule::Chained(chained) => chained.schedules.iter().any(uses_libm),
        Schedule::Warmup(warmup) => uses_libm(&warmup.schedule),
        Schedule::MultiStep(_)
        | Schedule::Cosine(_)
        | Schedule::CosineRestarts(_)
        | Schedule::OneCycle(_)
        | Schedule::Polynomial(_) => true,
        _ => false,
    }
}

/// Bit for bit where only + − × ÷ are involved. Elsewhere within 1e-12 of the schedule's highest rate:
/// torch's recurrences amplify an ulp of difference between two `cos`, most of all near the floor, where
/// the rate itself is (almost) 0.
#[test]
fn schedules_match_torch() {
    let cases: Vec<ScheduleCase> = fixture("schedules");
    assert_eq!(cases.len(), 162);
    let compared = format!("{} schedules of {} steps", cases.len(), cases[0].rates.len());
    let mut worst = 0.0_f64;
    for ScheduleCase { schedule, base_lr, rates } in cases {
        schedule.validate().unwrap();
        let highest = rates.iter().fold(0.0_f64, |highest, &rate| highest.max(rate));
        for (step, (expected, lr)) in (0..).zip(rates.iter().zip(schedule.rates(base_lr))) {
            assert_eq!(schedule.lr(base_lr, step), lr, "{schedule:?} step {step}: the walk and the function");
            let off = (lr - expected).abs() / highest;
            let allowed = if uses_libm(&schedule) { 1e-12 } else { 0.0 };
            assert!(off <= allowed, "{schedule:?} step {step}: {lr}, torch has {expected}");
            worst = worst.max(off);
        }
    }
    let tolerance = "1e-12 of the highest rate; bit for bit without cos and pow";
    table::row("Schedules", &["torch"], &compared, tolerance, worst);
}

#[derive(Deserialize)]
struct Checkpoints {
    cases: Vec<CheckpointCase>,
    directions: BTreeMap<String, Mode>,
}

#[derive(Deserialize)]
struct CheckpointCase {
    config: CheckpointConfig,
    messages: Vec<String>,
    traces: Vec<String>,
}

#[test]
fn checkpoints_match_keras() {
    let Checkpoints { cases, .. } = fixture("checkpoint");
    assert_eq!(cases.len(), 4);
    let compared = format!("{} option sets × {SEQUENCES} sequences", cases.len());
    for CheckpointCase { config, messages, traces } in cases {
        assert_eq!((traces.len() as u64, messages.len()), (SEQUENCES, 20 * traces[0].len()));
        let mut messages = messages.iter();
        for (index, trace) in (0..).zip(&traces) {
            let mut policy = CheckpointPolicy::new(config.clone()).unwrap();
            for ((epoch, expected), value) in (0..).zip(trace.chars()).zip(sequence(index)) {
                let metrics = [("val_loss".to_owned(), value), ("loss".to_owned(), f64::from(epoch) / 7.0)];
                let decision = policy.observe(epoch, &metrics.into()).unwrap();
                assert_eq!(decision.save, expected == '*', "{config:?} sequence {index} epoch {epoch}");
                if let Some(message) = messages.next() {
                    assert_eq!(&decision.message, message);
                }
            }
        }
    }
    table::row("ModelCheckpoint", &["keras"], &compared, "equal decisions and messages", 0.0);
}

#[test]
fn auto_mode_knows_the_directions_keras_knows() {
    let Checkpoints { directions, .. } = fixture("checkpoint");
    assert!(directions.len() > 35, "{}", directions.len());
    for (name, mode) in directions {
        assert_eq!(direction(&name), Ok(mode));
        assert_eq!(direction(&format!("val_{name}")), Ok(mode));
    }
    assert_eq!(direction("val_acc"), Ok(Mode::Max));
    assert!(direction("gradient_norm").is_err());
}
