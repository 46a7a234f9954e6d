//! Schedules by name: what users write, and the rate of every step of a run.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::io::Read;

use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use wellfit_policy::Schedule;
use wellfit_policy::schedule::{Anneal, Cosine, OneCycle, ScheduleSpec};

fn spec(text: &str) -> ScheduleSpec {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn problem(text: &str) -> String {
    text.parse::<ScheduleSpec>().unwrap_err().to_string()
}

/// The rates of a run of 4 epochs of 3 steps, from a rate of 1.
fn rates(text: &str) -> Vec<f64> {
    let schedule = spec(text).build(1.0, 4, 3).unwrap();
    schedule.map_or(vec![1.0; 12], |schedule| schedule.rates(1.0).take(12).collect())
}

/// Each rate three times.
fn thrice(rates: &[f64]) -> Vec<f64> {
    rates.iter().flat_map(|&rate| [rate; 3]).collect()
}

/// As runs were configured before schedules had options: the same bits.
#[test]
fn one_cycle_and_cosine_cover_all_steps_of_the_run() {
    let one_cycle = OneCycle {
        max_lr: 0.01,
        total_steps: 60,
        pct_start: 0.3,
        anneal: Anneal::Cos,
        div_factor: 25.0,
        final_div_factor: 1e4,
        three_phase: false,
    };
    assert_eq!(spec("one-cycle").build(0.01, 20, 3), Ok(Some(Schedule::OneCycle(one_cycle.clone()))));
    let cosine = |t_max, eta_min| Ok(Some(Schedule::Cosine(Cosine { t_max, eta_min })));
    assert_eq!(spec("cosine").build(0.01, 20, 3), cosine(60, 0.0));
    assert_eq!(spec("cosine:eta_min=1e-5").build(0.01, 20, 3), cosine(60, 1e-5));
    let linear = OneCycle { anneal: Anneal::Linear, pct_start: 0.5, ..one_cycle };
    let written = spec("one-cycle:pct_start=0.5,anneal=linear").build(0.01, 20, 3);
    assert_eq!(written, Ok(Some(Schedule::OneCycle(linear))));
}

#[test]
fn the_others_count_epochs_as_torchs_users_do() {
    assert_eq!(rates("step:step_size=2,gamma=0.5"), thrice(&[1.0, 1.0, 0.5, 0.5]));
    assert_eq!(rates("multi-step:milestones=[1, 3],gamma=0.5"), thrice(&[1.0, 0.5, 0.5, 0.25]));
    assert_eq!(rates("exponential:gamma=0.5"), thrice(&[1.0, 0.5, 0.25, 0.125]));
    assert_eq!(rates("linear-warmup:start_factor=0.5,total_iters=2"), thrice(&[0.5, 0.75, 1.0, 1.0]));
    assert_eq!(rates("polynomial:total_iters=4"), thrice(&[1.0, 0.75, 0.5, 0.25]));
    let restarts = rates("cosine-restarts:t_0=2");
    assert!((restarts[3] - 0.5).abs() < 1e-15 && restarts[6] == 1.0, "{restarts:?}");
    assert_eq!(restarts, thrice(&[restarts[0], restarts[3], restarts[0], restarts[3]]));
    let cosine = rates("cosine:t_max=2");
    assert!((cosine[3] - 0.5).abs() < 1e-15 && cosine[6].abs() < 1e-15, "{cosine:?}");
    assert_eq!(rates("cosine:by=epochs"), rates("cosine:t_max=4"));
    let one_cycle = rates("one-cycle:by=epochs");
    assert_eq!((one_cycle[0], one_cycle[2] != one_cycle[3]), (one_cycle[2], true));
}

#[test]
fn by_steps_counts_steps() {
    let rates = rates("step:step_size=5,gamma=0.5,by=steps");
    assert_eq!(rates, [[1.0; 5].as_slice(), &[0.5; 5], &[0.25; 2]].concat());
}

/// Warm up for an epoch and a half, then half a cosine over the rest: the members count what the whole counts.
#[test]
fn schedules_are_made_of_texts() {
    let text = "sequential:milestones=[2],schedules=['linear-warmup:start_factor=0.5,total_iters=2','step:step_size=1']";
    assert_eq!(rates(text), thrice(&[0.5, 0.75, 1.0, 0.1]));
    let tables = "sequential:milestones=[2],schedules=[{kind='linear_warmup',start_factor=0.5,total_iters=2},\
                  {kind='step',step_size=1}]";
    assert_eq!(rates(tables), rates(text));
    let chained = "chained:schedules=['exponential:gamma=0.5','step:step_size=2,gamma=0.5'],by=steps";
    assert_eq!(rates(chained)[..4], [1.0, 0.5, 0.125, 0.0625]);
}

#[test]
fn a_constant_rate_is_no_schedule() {
    assert!(ScheduleSpec::default().is_constant());
    assert_eq!(spec("constant"), ScheduleSpec::default());
    assert_eq!(spec("constant").build(0.1, 3, 2), Ok(None));
    assert_eq!(spec("constant").build_by_epoch(0.1, 3), Ok(Schedule::Constant));
    assert_eq!(problem("constant:gamma=1"), "a constant rate has no options");
}

#[test]
fn where_only_epochs_are_known_a_step_is_an_epoch() {
    let cosine = Schedule::Cosine(Cosine { t_max: 7, eta_min: 0.0 });
    assert_eq!(spec("cosine").build_by_epoch(0.1, 7), Ok(cosine));
    let refused = spec("step:step_size=2,by=steps").build_by_epoch(0.1, 7).unwrap_err().to_string();
    assert_eq!(refused, "by = steps: expected epochs: how many steps they have is not known here");
}

#[test]
fn wrong_texts_are_named() {
    let names = "`constant`, `one-cycle`, `cosine`, `cosine-restarts`, `step`, `multi-step`, `exponential`, \
                 `linear-warmup`, `polynomial`, `sequential`, `chained`";
    assert_eq!(problem("stairs"), format!("unknown schedule `stairs`; known are {names}"));
    assert!(problem("per-epoch:steps_per_epoch=2").starts_with("unknown schedule `per-epoch`"));
    assert!(problem("").starts_with("unknown schedule ``"));
    assert_eq!(problem("step:step_size=0"), "step_size = 0: expected a whole number, 1 or more");
    assert_eq!(problem("step"), "the option step_size is missing");
    assert!(problem("step:step_size=2,gama=1").contains("there is no option gama; known are "));
    assert!(problem("step:step_size=ten").contains("\"ten\""));
    assert_eq!(
        problem("step:step_size"),
        "cannot read \"step_size\" in the option string: expected key=value"
    );
    let twice = "cannot read \"gamma=0.2\" in the option string: this option was given before";
    assert_eq!(problem("step:step_size=2,gamma=0.1,gamma=0.2"), twice);
    assert_eq!(problem("step:step_size=2,by=weeks"), "by = \"weeks\": expected steps or epochs");
    assert_eq!(
        problem("chained:schedules=['step:step_size=1,by=steps']"),
        "only the outermost schedule takes `by`"
    );
    // What only the run can tell is said when it is known.
    let short = spec("one-cycle:pct_start=0.25").build(0.1, 2, 2).unwrap_err().to_string();
    assert!(short.starts_with("pct_start = 0.25"), "{short}");
    assert!(spec("step:step_size=1").build(0.1, 2, 0).is_err());
}

/// In a file it is a string; the error says which.
#[test]
fn a_schedule_is_a_string_in_toml() {
    #[derive(Serialize, Deserialize)]
    struct Config {
        schedule: ScheduleSpec,
    }
    let text = "schedule = \"step:step_size=10,gamma=0.1\"\n";
    let config: Config = toml::from_str(text).unwrap();
    assert_eq!(config.schedule.to_string(), "step:step_size=10,gamma=0.1");
    assert_eq!(toml::to_string(&config).unwrap(), text);
    let error = toml::from_str::<Config>("schedule = \"stairs\"").err().unwrap().to_string();
    assert!(error.contains("schedule \"stairs\": unknown schedule"), "{error}");
}

#[derive(Deserialize)]
struct Golden {
    schedule: Schedule,
    base_lr: f64,
    rates: Vec<f64>,
}

/// Every schedule that was compared with torch (`parity/policy.py`), written as a text: the same schedule, counting
/// steps or epochs.
#[test]
fn every_golden_schedule_can_be_written_as_a_text() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/schedules.json.gz");
    let mut json = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut json).unwrap();
    let mut cases: Vec<Golden> = serde_json::from_str(&json).unwrap();
    // A warm-up comes before any schedule, by an option of its own.
    cases.retain(|case| !matches!(case.schedule, Schedule::Warmup(_)));
    assert_eq!(cases.len(), 138);
    for Golden { schedule, base_lr, rates } in cases {
        let mut table = toml::Table::try_from(&schedule).unwrap();
        let toml::Value::String(kind) = table.remove("kind").unwrap() else { panic!("{schedule:?}") };
        let options: Vec<String> = table.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let text = format!("{}:{}", kind.replace('_', "-"), options.join(","));
        if schedule == Schedule::Constant {
            continue;
        }
        let by_steps = spec(&format!("{text},by=steps")).build(base_lr, 1, 40).unwrap().unwrap();
        assert_eq!(by_steps, schedule, "{text}");
        let by_epochs = spec(&format!("{text},by=epochs")).build(base_lr, 40, 3).unwrap().unwrap();
        let expected: Vec<f64> = schedule.rates(base_lr).take(rates.len()).collect();
        for (step, rate) in by_epochs.rates(base_lr).take(3 * rates.len()).enumerate() {
            assert_eq!(rate.to_bits(), expected[step / 3].to_bits(), "{text}, step {step}");
        }
    }
}

proptest! {
    #[test]
    fn no_text_makes_a_panic(text in "(step|one-cycle|chained|sequential|cosine)[:,=a-z0-9_.\"'\\[\\]{}é-]{0,40}") {
        if let Ok(spec) = text.parse::<ScheduleSpec>() {
            prop_assert_eq!(spec.to_string().parse::<ScheduleSpec>().unwrap(), spec.clone());
            if let Ok(Some(schedule)) = spec.build(0.1, 3, 2) {
                prop_assert_eq!(schedule.rates(0.1).take(6).count(), 6);
            }
        }
    }
}

/// Each schedule inside another would otherwise cost a level of the stack.
#[test]
fn schedules_nested_deeply_are_refused() {
    let mut text = "step:step_size=1".to_owned();
    for level in 0..12 {
        text =
            format!("{{kind='chained',schedules=[{}]}}", if level == 0 { format!("'{text}'") } else { text });
    }
    assert_eq!(problem(&format!("chained:schedules=[{text}]")), "too many schedules inside each other");
}
