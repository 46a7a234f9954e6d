//! Against Optuna's own numbers (`parity/tune.py`).

use super::normal::{log_mass, quantile};
use super::*;
use crate::fixture::{close, fixture, number, numbers, space_of, trials_of};
use crate::space::Searched;
use crate::trial::Direction;
use serde_json::{Map, Value};
use std::sync::Arc;

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
        let parameters = space.iter().map(|(name, one)| Searched {
            name: name.clone(),
            distribution: Arc::new(one.clone()),
            when: None,
        });
        let space = Space { parameters: parameters.collect() };
        // A trial that is not there yet: all of these count.
        let none = Map::new();
        let known = Known { trials: &trials, direction, seed: 0, given: &none };
        let learned = Tpe::default().learn(&space, &known, u32::MAX);
        for (rows, expected) in learned.rows.iter().zip(["good", "others"]) {
            let number = |row: &usize| f64::from(learned.table.trials[*row].number);
            assert_eq!(rows.iter().map(number).collect::<Vec<_>>(), numbers(&case[expected]));
        }
        let all: Vec<usize> = (0..space.parameters.len()).collect();
        let [good, others] = learned.densities(&all);
        let columns: Vec<Vec<f64>> =
            space.parameters.iter().map(|one| numbers(&case["candidates"][&one.name])).collect();
        let scores = numbers(&case["scores"]);
        for (i, expected) in scores.iter().enumerate() {
            let point: Vec<f64> = columns.iter().map(|column| column[i]).collect();
            close(good.log_density(&point) - others.log_density(&point), *expected, 1e-9, "score");
        }
        let best = (0..scores.len()).max_by(|a, b| scores[*a].total_cmp(&scores[*b])).unwrap();
        assert_eq!(best as f64, number(&case["best"]));
    }
}
