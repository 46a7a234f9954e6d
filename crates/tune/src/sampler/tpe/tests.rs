//! Against Optuna's own numbers (`parity/tune.py`).

use super::normal::{log_mass, quantile};
use super::*;
use crate::fixture::{close, fixture, number, numbers, space_of, trials_of};
use std::collections::BTreeMap;

#[test]
fn tails_of_the_normal_distribution_equal_optunas() {
    for case in fixture()["normals"].as_array().unwrap() {
        let ends = numbers(&case["ends"]);
        close(log_mass(ends[0], ends[1]), number(&case["log_mass"]), 1e-12, "mass");
        for (share, point) in numbers(&case["shares"]).into_iter().zip(numbers(&case["points"])) {
            // Newton's method ends at a relative step of 1e-8.
            close(quantile(share, ends[0], ends[1]), point, 1e-8, &format!("{share} of {ends:?}"));
        }
    }
}

#[test]
fn densities_equal_optunas() {
    let all = fixture();
    for case in all["densities"].as_array().unwrap() {
        let space = space_of(&all, &case["space"]);
        let distributions: Vec<&Distribution> = space.values().collect();
        let table = |of: &Value| -> Vec<Vec<f64>> { space.keys().map(|key| numbers(&of[key])).collect() };
        let estimator = Parzen::new(&table(&case["columns"]), &distributions);
        let points = table(&case["points"]);
        for (i, expected) in numbers(&case["log_density"]).into_iter().enumerate() {
            let point: Vec<f64> = points.iter().map(|column| column[i]).collect();
            let what = format!("{} after {} trials", case["space"], case["columns"]);
            close(estimator.log_density(&point), expected, 1e-10, &what);
        }
    }
}

#[test]
fn good_trials_scores_and_choices_equal_optunas() {
    let all = fixture();
    for case in all["choices"].as_array().unwrap() {
        let space = space_of(&all, &case["space"]);
        let direction =
            if case["direction"] == "maximize" { Direction::Maximize } else { Direction::Minimize };
        let trials = trials_of(&case["trials"], &space);
        let known: Vec<&Trial> = trials.iter().filter(|trial| trial.state != State::Fail).collect();
        let finished = known.iter().filter(|trial| trial.state.is_finished()).count();
        let (good, others) = split::split(&known, direction, split::good_of(finished));
        let ids = |trials: &[&Trial]| trials.iter().map(|trial| f64::from(trial.number)).collect::<Vec<_>>();
        assert_eq!(ids(&good), numbers(&case["good"]));
        assert_eq!(ids(&others), numbers(&case["others"]));
        let parameters: Vec<(&str, &Distribution)> =
            space.iter().map(|(name, one)| (name.as_str(), one)).collect();
        // A trial that is not there yet: all of these count.
        let [good, others] = estimators(&parameters, &trials, direction, u32::MAX);
        let columns: Vec<Vec<f64>> = space.keys().map(|key| numbers(&case["candidates"][key])).collect();
        let scores = numbers(&case["scores"]);
        for (i, expected) in scores.iter().enumerate() {
            let point: Vec<f64> = columns.iter().map(|column| column[i]).collect();
            close(good.log_density(&point) - others.log_density(&point), *expected, 1e-9, "score");
        }
        let best = (0..scores.len()).max_by(|a, b| scores[*a].total_cmp(&scores[*b])).unwrap();
        assert_eq!(best as f64, number(&case["best"]));
    }
}

/// The values of a running trial of Optuna count before it has stored them.
#[test]
fn announced_values_count() {
    let one = Distribution::Float { step: None, low: 0.0, high: 1.0, log: false };
    let mut trial = Trial::new(0, 0, State::Running);
    trial.system = BTreeMap::from([
        ("tpe:relative_params:0".to_owned(), Value::from("{\"x\": 0.")),
        ("tpe:relative_params:1".to_owned(), Value::from("25}")),
    ]);
    assert_eq!(columns(&[("x", &one)], &[&trial]), [[0.25]]);
    trial.state = State::Complete;
    assert_eq!(columns(&[("x", &one)], &[&trial]), [[0.0; 0]]);
}
