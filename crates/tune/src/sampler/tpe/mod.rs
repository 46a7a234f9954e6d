//! The tree-structured Parzen estimator (Bergstra et al. 2011) over several parameters at once (Falkner et al. 2018), with
//! the defaults of Optuna 5.
//!
//! Trials are divided into a few good ones and the others; candidates are drawn from the density of the good ones, and the one
//! whose density among the good ones is largest beside that among the others is tried. Trials that still run count among the
//! others, so that workers do not all try the same ("constant liar").

mod normal;
mod parzen;
mod split;

use super::Known;
use super::table::Table;
use crate::distribution::Distribution;
use crate::space::Space;
use parzen::Parzen;
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

impl Tpe {
    /// What all trials but the one with that number tell.
    pub(super) fn learn<'a>(self, space: &'a Space, known: &Known<'a>, number: u32) -> Learned<'a> {
        let table = Table::new(space, known.trials.iter().filter(|trial| trial.number != number));
        let finished = table.trials.iter().filter(|trial| trial.state.is_finished()).count();
        let rows = split::split(&table.trials, known.direction, split::good_of(finished));
        Learned { candidates: self.candidates, space, table, rows }
    }
}

/// The values of the trials so far, and which of them are good ones.
pub(super) struct Learned<'a> {
    candidates: usize,
    space: &'a Space,
    table: Table<'a>,
    /// The rows of the good trials, and of the others.
    rows: [Vec<usize>; 2],
}

impl Learned<'_> {
    /// The parameters that are chosen together.
    pub fn joint(&self) -> Vec<usize> {
        self.table.shared()
    }

    /// Values of these parameters of the space, which are looked at together.
    pub fn suggest(&self, parameters: &[usize], rng: &mut Rng) -> Vec<f64> {
        let [good, others] = self.densities(parameters);
        let candidates = (0..self.candidates).map(|_| good.draw(rng));
        let scored = candidates.map(|one| (good.log_density(&one) - others.log_density(&one), one));
        let best = scored.reduce(|best, one| if one.0 > best.0 { one } else { best });
        best.map(|(_, values)| values).unwrap_or_default()
    }

    /// The densities of good trials and of the others.
    fn densities(&self, parameters: &[usize]) -> [Parzen; 2] {
        let of = |place: &usize| &*self.space.parameters[*place].distribution;
        let distributions: Vec<&Distribution> = parameters.iter().map(of).collect();
        self.rows.each_ref().map(|rows| Parzen::new(&self.table.columns(parameters, rows), &distributions))
    }
}

#[cfg(test)]
mod tests;
