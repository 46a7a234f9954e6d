//! The tree-structured Parzen estimator (Bergstra et al. 2011) over several parameters at once (Falkner et al. 2018), with
//! the defaults of Optuna 5.
//!
//! Trials are divided into a few good ones and the others; candidates are drawn from the density of the good ones, and the one
//! whose density among the good ones is largest beside that among the others is tried. Trials that still run count among the
//! others, so that workers do not all try the same ("constant liar").

mod normal;
mod parzen;
mod split;

use super::wanted::Wanted;
use crate::distribution::Distribution;
use crate::trial::{Direction, State, Trial};
use parzen::Parzen;
use serde_json::Value;
use wellfit_rng::Rng;

/// The settings; the default is Optuna's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tpe {
    /// As many trials are drawn at random first.
    pub startup: usize,
    /// As many candidates are drawn.
    pub candidates: usize,
}

impl Default for Tpe {
    fn default() -> Self {
        Self { startup: 10, candidates: 24 }
    }
}

/// Where the values stand that a running trial of Optuna is about to have.
const RELATIVE: &str = "tpe:relative_params:";

impl Tpe {
    /// Values of the `parameters`, which are looked at together, for the trial of that number.
    #[must_use]
    pub fn suggest(
        &self,
        parameters: &[(&str, &Distribution)],
        trials: &[Trial],
        (direction, number): (Direction, u32),
        rng: &mut Rng,
    ) -> Vec<f64> {
        let [good, others] = estimators(parameters, trials, direction, number);
        let candidates = (0..self.candidates).map(|_| good.draw(rng));
        let scored = candidates.map(|one| (good.log_density(&one) - others.log_density(&one), one));
        let best = scored.reduce(|best, one| if one.0 > best.0 { one } else { best });
        best.map(|(_, values)| values).unwrap_or_default()
    }
}

/// The densities of good trials and of the others.
fn estimators(
    parameters: &[(&str, &Distribution)],
    trials: &[Trial],
    direction: Direction,
    number: u32,
) -> [Parzen; 2] {
    let known = |trial: &&Trial| {
        (trial.state.is_learned_from() || trial.state == State::Running) && trial.number != number
    };
    let known: Vec<&Trial> = trials.iter().filter(known).collect();
    let finished = known.iter().filter(|trial| trial.state.is_finished()).count();
    let (good, others) = split::split(&known, direction, split::good_of(finished));
    let distributions: Vec<&Distribution> = parameters.iter().map(|(_, one)| *one).collect();
    [good, others].map(|trials| Parzen::new(&columns(parameters, &trials), &distributions))
}

/// The values of the trials that have all parameters, a column a parameter.
fn columns(parameters: &[(&str, &Distribution)], trials: &[&Trial]) -> Vec<Vec<f64>> {
    let mut columns = vec![Vec::with_capacity(trials.len()); parameters.len()];
    let (mut wanted, mut row) = (Wanted::new(parameters), vec![None; parameters.len()]);
    for trial in trials {
        let announced = announced(trial);
        wanted.of(trial, |place, found| {
            let (name, one) = parameters[place];
            row[place] = match found {
                Some((parameter, true)) => Some(parameter.internal),
                Some((parameter, false)) => one.internal(&parameter.value()),
                None => announced.as_ref().and_then(|values| one.internal(values.get(name)?)),
            };
        });
        if row.iter().all(Option::is_some) {
            columns.iter_mut().zip(&row).for_each(|(column, value)| column.extend(value));
        }
    }
    columns
}

/// The values that a running trial of Optuna has been given and not stored yet.
fn announced(trial: &Trial) -> Option<Value> {
    if trial.state != State::Running {
        return None;
    }
    let parts = (0..).map_while(|part| trial.system.get(&format!("{RELATIVE}{part}"))?.as_str());
    serde_json::from_str(&parts.collect::<String>()).ok()
}

#[cfg(test)]
mod tests;
