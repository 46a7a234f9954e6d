//! Which values a trial tries: a pure function of the space, the trials so far, a seed and the trial's number.

mod grid;
mod random;
mod table;
mod tpe;

pub use tpe::Tpe;

use crate::space::{Searched, Space};
use crate::trial::{Direction, Trial};
use serde_json::{Map, Value};
use table::Table;
use tpe::Learned;
use wellfit_rng::{Rng, Stream};

/// The stream of all that is random here; epoch = the trial, index = the parameter.
const STREAM: Stream = Stream::Search;

/// How values are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sampler {
    /// Where the good trials are and the others are not; see [`Tpe`].
    Tpe(Tpe),
    /// At random, whatever came before.
    Random,
    /// Every combination once, in random order.
    Grid,
}

/// What a sampler knows.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The trials so far.
    pub trials: &'a [Trial],
    /// Whether large values are good.
    pub direction: Direction,
    /// Whence all that is random comes.
    pub seed: u64,
    /// Values that the user gave this trial, by the names of parameters.
    pub given: &'a Map<String, Value>,
}

impl Sampler {
    /// Values for the parameters of the space, by their place; none for one that is not there. No values at all where the
    /// grid has no more.
    #[must_use]
    pub fn suggest(&self, space: &Space, known: &Known<'_>, number: u32) -> Option<Vec<Option<f64>>> {
        match self {
            Self::Grid => grid::suggest(space, known, number),
            Self::Random => Some(one_by_one(space, known, number, vec![None; space.parameters.len()], None)),
            Self::Tpe(tpe) => {
                let learned = known.trials.iter().filter(|trial| trial.state.is_learned_from()).count();
                if learned < tpe.startup {
                    return Self::Random.suggest(space, known, number);
                }
                let learned = tpe.learn(space, known, number);
                let (mut chosen, joint) = (vec![None; space.parameters.len()], learned.joint());
                if !joint.is_empty() {
                    let mut rng = Rng::new(known.seed, STREAM, number, 0);
                    let values = learned.suggest(&joint, &mut rng);
                    joint.iter().zip(values).for_each(|(place, value)| chosen[*place] = Some(value));
                }
                Some(one_by_one(space, known, number, chosen, Some(&learned)))
            }
        }
    }

    /// How many trials there can be; no end unless a grid is searched.
    ///
    /// # Errors
    /// If the space has no grid, or too large a one.
    pub fn trials(&self, space: &Space) -> Result<Option<usize>, String> {
        match self {
            Self::Grid => grid::points(space).map(|points| Some(points.len())),
            _ => Ok(None),
        }
    }
}

/// The parameters that every finished trial had, with the same values to choose from.
pub(crate) fn joint(space: &Space, trials: &[Trial]) -> Vec<usize> {
    Table::new(space, trials).shared()
}

/// Take what is given, and choose what is not chosen yet, one parameter after the other: by the estimator of that parameter
/// alone, or at random.
fn one_by_one(
    space: &Space,
    known: &Known<'_>,
    number: u32,
    mut chosen: Vec<Option<f64>>,
    learned: Option<&Learned<'_>>,
) -> Vec<Option<f64>> {
    for place in 0..chosen.len() {
        let Searched { name, distribution, .. } = &space.parameters[place];
        if !space.is_there(place, &chosen) {
            chosen[place] = None;
            continue;
        }
        let given = known.given.get(name).and_then(|value| distribution.internal(value));
        chosen[place] = given.or(chosen[place]).or_else(|| {
            let mut rng = Rng::new(known.seed, STREAM, number, place as u32 + 1);
            match learned.filter(|_| !distribution.is_single()) {
                Some(learned) => learned.suggest(&[place], &mut rng).pop(),
                None => Some(random::draw(distribution, &mut rng)),
            }
        });
    }
    chosen
}

#[cfg(test)]
mod tests;
