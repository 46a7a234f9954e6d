//! Against Optuna's decisions (`parity/tune.py`).

use super::*;
use crate::fixture::{fixture, numbers};
use crate::trial::State;
use serde_json::Value;

fn pruner(name: &str) -> Pruner {
    match name {
        "median" => Pruner::Median(Median::default()),
        "median, later and seldom" => Pruner::Median(Median { startup: 2, warmup: 3, interval: 4 }),
        "halving" => Pruner::Halving(Halving::default()),
        "halving, later" => Pruner::Halving(Halving { first: 2, factor: 3, skipped: 1 }),
        "hyperband" => Pruner::Hyperband(Hyperband { first: 1, last: 12, factor: 3 }),
        other => panic!("{other}"),
    }
}

/// Two trials at a time report in turn; the decision follows each report.
fn ends(pruner: Pruner, direction: Direction, curves: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let (mut trials, mut ends): (Vec<Trial>, Vec<Vec<f64>>) = (Vec::new(), Vec::new());
    for pair in 0..curves.len() / 2 {
        let both = [2 * pair, 2 * pair + 1];
        trials.extend(both.map(|number| Trial::new(number as i64, number as u32, State::Running)));
        for step in 1..=curves[0].len() {
            for place in both {
                if trials[place].state != State::Running {
                    continue;
                }
                trials[place].reports.insert(step as i64, curves[place][step - 1]);
                let field = Field { study: "fixture", direction, trials: &trials };
                let judgement = pruner.judge(&field, &trials[place]);
                let trial = &mut trials[place];
                trial
                    .system
                    .extend(judgement.notes.into_iter().map(|(key, value)| (key, Value::from(value))));
                if judgement.prune {
                    trial.state = State::Pruned;
                    ends.push(vec![place as f64, step as f64]);
                } else if step == curves[0].len() {
                    trial.state = State::Complete;
                }
            }
        }
    }
    ends
}

#[test]
fn trials_end_where_optuna_ends_them() {
    for case in fixture()["pruned"].as_array().unwrap() {
        let direction =
            if case["direction"] == "maximize" { Direction::Maximize } else { Direction::Minimize };
        let curves: Vec<Vec<f64>> = case["curves"].as_array().unwrap().iter().map(numbers).collect();
        let expected: Vec<Vec<f64>> = case["ends"].as_array().unwrap().iter().map(numbers).collect();
        let name = case["pruner"].as_str().unwrap();
        assert!(!expected.is_empty());
        assert_eq!(ends(pruner(name), direction, &curves), expected, "{name}, {direction:?}");
    }
}

#[test]
fn without_a_pruner_no_trial_ends() {
    assert_eq!(ends(Pruner::None, Direction::Minimize, &[vec![1.0], vec![9.0]]), [[0.0; 0]; 0]);
}
