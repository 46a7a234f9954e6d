//! What the trials have of the space's parameters, read once: a long study is larger than the processor's caches.

use crate::distribution::Distribution;
use crate::space::Space;
use crate::trial::{Parameter, State, Trial};
use serde_json::Value;
use std::cmp::Ordering;
use std::collections::btree_map;
use std::iter::Peekable;
use std::ptr;
use std::sync::Arc;

/// The values of trials: a row a trial, a column a parameter of the space.
pub struct Table<'a> {
    /// Those of the rows: finished ones that samplers learn from, and those that run.
    pub trials: Vec<&'a Trial>,
    /// Row after row; none where a trial has no such parameter, or a value that is none of the space's.
    values: Vec<Option<f64>>,
    /// Whether a parameter has several values to choose from, and all finished trials had it with the same ones.
    is_shared: Vec<bool>,
}

impl<'a> Table<'a> {
    /// Of those trials that count.
    pub fn new(space: &Space, trials: impl IntoIterator<Item = &'a Trial>) -> Self {
        let counts = |trial: &&Trial| trial.state.is_learned_from() || trial.state == State::Running;
        let trials: Vec<&Trial> = trials.into_iter().filter(counts).collect();
        let width = space.parameters.len();
        let mut table = Self {
            values: vec![None; trials.len() * width],
            is_shared: space.parameters.iter().map(|one| !one.distribution.is_single()).collect(),
            trials,
        };
        let mut wanted = wanted(space);
        for (trial, row) in table.trials.iter().zip(table.values.chunks_exact_mut(width.max(1))) {
            let announced = announced(trial);
            let mut own = trial.parameters.iter().peekable();
            for one in &mut wanted {
                let found = one.found(&mut own);
                let is_same = found.is_some_and(|parameter| one.is_same(&parameter.distribution));
                row[one.place] = match found {
                    Some(parameter) if is_same => Some(parameter.internal),
                    Some(parameter) => one.distribution.internal(&parameter.value()),
                    None => announced.as_ref().and_then(|all| one.distribution.internal(all.get(one.name)?)),
                };
                table.is_shared[one.place] &= is_same || trial.state == State::Running;
            }
        }
        table
    }

    /// The parameters that are looked at together: those that every finished trial had, with the same values to choose from.
    pub fn shared(&self) -> Vec<usize> {
        (0..self.is_shared.len()).filter(|place| self.is_shared[*place]).collect()
    }

    /// The columns of some parameters, with those of the `rows` that have a value of each.
    pub fn columns(&self, parameters: &[usize], rows: &[usize]) -> Vec<Vec<f64>> {
        let width = self.is_shared.len();
        let mut columns = vec![Vec::with_capacity(rows.len()); parameters.len()];
        for row in rows.iter().map(|row| &self.values[row * width..][..width]) {
            if parameters.iter().all(|place| row[*place].is_some()) {
                columns.iter_mut().zip(parameters).for_each(|(column, place)| column.extend(row[*place]));
            }
        }
        columns
    }
}

/// A parameter that is looked for in trial after trial.
struct Wanted<'a> {
    place: usize,
    name: &'a str,
    distribution: &'a Distribution,
    /// Where an equal one was last: all trials of a study share theirs.
    same: *const Distribution,
}

/// All parameters of the space, in the order of their names.
fn wanted(space: &Space) -> Vec<Wanted<'_>> {
    let parameters = space.parameters.iter().enumerate();
    let mut all: Vec<_> = parameters
        .map(|(place, one)| Wanted {
            place,
            name: &one.name,
            distribution: &one.distribution,
            same: ptr::null(),
        })
        .collect();
    all.sort_by_key(|one| one.name);
    all
}

impl Wanted<'_> {
    /// The trial's, where those with smaller names were looked for before: no search is needed.
    fn found<'t>(&self, own: &mut Peekable<btree_map::Iter<'t, String, Parameter>>) -> Option<&'t Parameter> {
        loop {
            let (name, parameter) = own.peek()?;
            match name.as_str().cmp(self.name) {
                Ordering::Less => own.next(),
                Ordering::Equal => return Some(*parameter),
                Ordering::Greater => return None,
            };
        }
    }

    fn is_same(&mut self, other: &Arc<Distribution>) -> bool {
        let is_same = ptr::eq(self.same, Arc::as_ptr(other)) || **other == *self.distribution;
        if is_same {
            self.same = Arc::as_ptr(other);
        }
        is_same
    }
}

/// Where the values stand that a running trial of Optuna is about to have.
const RELATIVE: &str = "tpe:relative_params:";

/// The values that a running trial of Optuna has been given and not stored yet.
fn announced(trial: &Trial) -> Option<Value> {
    if trial.state != State::Running {
        return None;
    }
    let parts = (0..).map_while(|part| trial.system.get(&format!("{RELATIVE}{part}"))?.as_str());
    serde_json::from_str(&parts.collect::<String>()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::space::Searched;
    use std::collections::BTreeMap;

    fn float(high: f64) -> Distribution {
        Distribution::Float { step: None, low: 0.0, high, log: false }
    }

    fn space(parameters: &[(&str, Distribution)]) -> Space {
        let searched = |(name, one): &(&str, Distribution)| Searched {
            name: (*name).to_owned(),
            distribution: Arc::new(one.clone()),
            when: None,
        };
        Space { parameters: parameters.iter().map(searched).collect() }
    }

    /// Whatever a trial has besides, and in whatever order parameters are asked for.
    #[test]
    fn what_is_found_is_what_a_search_finds() {
        let all = ["a", "lr", "m", "weight_decay", "z"];
        let asked = space(&[
            ("weight_decay", float(10.0)),
            ("b", float(10.0)),
            ("lr", float(10.0)),
            ("zz", float(10.0)),
            ("a", float(20.0)),
        ]);
        for held in 0..1_u32 << all.len() {
            let mut trial = Trial::new(0, 0, State::Complete);
            for (i, name) in all.iter().enumerate().filter(|(i, _)| held >> i & 1 == 1) {
                let distribution = Arc::new(float(if *name == "lr" { 20.0 } else { 10.0 }));
                trial.parameters.insert((*name).to_owned(), Parameter { internal: i as f64, distribution });
            }
            // Twice, for equal distributions are remembered.
            let table = Table::new(&asked, [&trial, &trial]);
            for (place, one) in asked.parameters.iter().enumerate() {
                let found = trial.parameters.get(&one.name);
                let expected: Vec<f64> = found.map_or(vec![], |parameter| vec![parameter.internal; 2]);
                assert_eq!(table.columns(&[place], &[0, 1]), [expected]);
                let is_shared = found.is_some_and(|found| found.distribution == one.distribution);
                assert_eq!(table.shared().contains(&place), is_shared, "{}", one.name);
            }
        }
    }

    /// Parameters that depend on another one are in some trials only.
    #[test]
    fn a_row_counts_where_it_has_all_of_the_parameters() {
        let asked = space(&[("x", float(1.0)), ("y", float(1.0))]);
        let trial = |number, names: &[&str]| {
            let mut trial = Trial::new(i64::from(number), number, State::Complete);
            let parameter =
                Parameter { internal: f64::from(number) / 8.0, distribution: Arc::new(float(1.0)) };
            trial.parameters = names.iter().map(|name| ((*name).to_owned(), parameter.clone())).collect();
            trial
        };
        let trials = [trial(1, &["x", "y"]), trial(2, &["x"]), trial(3, &["x", "y"])];
        let table = Table::new(&asked, &trials);
        assert_eq!(table.shared(), [0]);
        assert_eq!(table.columns(&[0], &[0, 1, 2]), [[0.125, 0.25, 0.375]]);
        assert_eq!(table.columns(&[1, 0], &[0, 1, 2]), [[0.125, 0.375], [0.125, 0.375]]);
        assert_eq!(table.columns(&[1, 0], &[1, 2]), [[0.375], [0.375]]);
    }

    /// The values of a running trial of Optuna count before it has stored them.
    #[test]
    fn announced_values_count() {
        let asked = space(&[("x", float(1.0))]);
        let mut trial = Trial::new(0, 0, State::Running);
        trial.system = BTreeMap::from([
            ("tpe:relative_params:0".to_owned(), Value::from("{\"x\": 0.")),
            ("tpe:relative_params:1".to_owned(), Value::from("25}")),
        ]);
        assert_eq!(Table::new(&asked, [&trial]).columns(&[0], &[0]), [[0.25]]);
        trial.state = State::Complete;
        assert_eq!(Table::new(&asked, [&trial]).columns(&[0], &[0]), [[0.0; 0]]);
    }
}
