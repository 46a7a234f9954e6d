//! Every combination of the values once.

use super::{Known, STREAM};
use crate::distribution::Distribution;
use crate::space::Space;
use wellfit_rng::Rng;

/// The most combinations.
const MOST: usize = 1_000_000;

/// The combination of the trial of that number. Their order is random but the same for all workers, and a new trial takes the
/// place behind the new ones before it; so no two workers take the same, and none is left out.
pub fn suggest(space: &Space, known: &Known<'_>, number: u32) -> Option<Vec<Option<f64>>> {
    let points = points(space).ok()?;
    let before = known.trials.iter().filter(|trial| trial.number < number && !trial.is_retry()).count();
    let order = Rng::new(known.seed, STREAM, 0, 0).permutation(points.len());
    order.get(before).map(|place| points[*place as usize].clone())
}

/// All combinations; parameters that are not there make none.
pub fn points(space: &Space) -> Result<Vec<Vec<Option<f64>>>, String> {
    let mut points: Vec<Vec<Option<f64>>> = vec![Vec::new()];
    for (place, one) in space.parameters.iter().enumerate() {
        let values = values(&one.distribution).map_err(|problem| format!("{}: {problem}", one.name))?;
        let mut longer = Vec::new();
        for point in points {
            if space.is_there(place, &point) {
                longer.extend(values.iter().map(|value| [point.as_slice(), &[Some(*value)]].concat()));
            } else {
                longer.push([point.as_slice(), &[None]].concat());
            }
            if longer.len() > MOST {
                return Err(format!("the grid has more than {MOST} combinations"));
            }
        }
        points = longer;
    }
    Ok(points)
}

/// All values of a parameter.
fn values(distribution: &Distribution) -> Result<Vec<f64>, String> {
    let (low, step) = match *distribution {
        Distribution::Float { step: None, low, high, .. } if low == high => return Ok(vec![low]),
        Distribution::Float { step: None, .. } => {
            return Err(
                "a grid needs `choices` or a `step`: there is no end of numbers in between".to_owned()
            );
        }
        Distribution::Float { step: Some(step), low, .. } => (low, step),
        Distribution::Int { step, low, .. } => (low as f64, step as f64),
        Distribution::Categorical { .. } => (0.0, 1.0),
    };
    let count = ((distribution.last() - low) / step).round() + 1.0;
    if count > MOST as f64 {
        return Err(format!("a grid of {count} values is too large: give a larger `step`"));
    }
    Ok((0..count as usize).map(|i| low + i as f64 * step).collect())
}
