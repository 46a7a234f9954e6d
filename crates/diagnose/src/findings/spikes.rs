//! `loss-spikes`: single losses, or gradients, far above the others.

use super::advice::Flag;
use super::finding::{Finding, Ruled};
use super::look::{Look, short};
use super::name::Name;
use crate::log::Series;
use crate::statistics::{median, robust_z};
use crate::thresholds::{
    GRADIENT_SPIKE, LAST, LEAST_EPOCHS_FLAT, SPIKE, SPIKE_HEIGHT, SPIKE_OF_GAIN, SPIKE_RATIO, SPIKE_WARM_UP,
};

/// Neighbours on each side that are the trend: of steps, and of epochs.
const REACH: (usize, usize) = (50, 5);
/// Steps of which spikes are looked for; of longer trainings the losses of epochs are looked at.
const MOST_STEPS: usize = 200_000;
/// The share of gradient norms that advice on clipping leaves alone.
const CLIP_AT: f64 = 0.9;

/// A value that is not so much above the one before is none: on a steep way down every value is far above those that follow.
const RISE: f64 = 1.15;

/// A value far above its neighbours.
struct Spike {
    place: usize,
    z: f64,
    ratio: f64,
    /// Its height as a share of what the loss gained.
    of_gain: f64,
}

/// The rule: a training loss of a step, or of an epoch where steps are not known, lies 8 robust standard deviations, half its
/// size, half of all that was gained and, of a step, 1 nat above its neighbours, or a gradient norm is ten times the median. The beginning does
/// not count.
pub fn spikes(look: &Look<'_>) -> Ruled {
    let norms = look.curves.points(Series::GradNorm);
    let typical = median(norms.iter().map(|(_, norm)| *norm));
    let skipped = (SPIKE_WARM_UP * norms.len() as f64).ceil() as usize;
    let wild = norms
        .iter()
        .skip(skipped)
        .find(|(_, norm)| typical.is_some_and(|typical| *norm > GRADIENT_SPIKE.value * typical));
    if let (Some(&(epoch, norm)), Some(typical)) = (wild, typical) {
        let sentence = format!(
            "The gradient jumps: its norm is {} at epoch {epoch}, usually {}.",
            short(norm),
            short(typical)
        );
        let finding = Finding::new(Name::LossSpikes, Some(epoch), sentence);
        let finding = finding.evident("grad_norm over its median", norm / typical, GRADIENT_SPIKE);
        return Ok(Some(finding.advise([clip(look)])));
    }
    let steps = &look.curves.step_losses;
    if steps.len() >= 2 * REACH.0 && steps.len() <= MOST_STEPS {
        let found = spike(steps, REACH.0, SPIKE_HEIGHT.value, Some(look.curves.epochs.len().max(1)));
        let per_epoch = steps.len() as f64 / f64::from(look.curves.last_epoch().max(1));
        return Ok(found.map(|spike| {
            let epoch = (spike.place as f64 / per_epoch) as u32 + 1;
            let sentence = format!(
                "The training loss jumps: at step {} it is {}, {} times what is usual there.",
                spike.place + 1,
                short(steps[spike.place]),
                short(spike.ratio)
            );
            told(look, &spike, "loss of a step", epoch, sentence)
        }));
    }
    let u = look.need(Series::TrainLoss, LEAST_EPOCHS_FLAT)?;
    let values: Vec<f64> = u.iter().map(|(_, value)| *value).collect();
    Ok(spike(&values, REACH.1, 0.0, None).map(|spike| {
        let (epoch, value) = u[spike.place];
        let sentence = format!(
            "The training loss jumps: at epoch {epoch} it is {}, {} times what is usual there.",
            short(value),
            short(spike.ratio)
        );
        told(look, &spike, "train_loss", epoch, sentence).without("the losses of single steps")
    }))
}

fn told(look: &Look<'_>, spike: &Spike, series: &str, epoch: u32, sentence: String) -> Finding {
    Finding::new(Name::LossSpikes, Some(epoch), sentence)
        .evident(format!("{series}, robust z"), spike.z, SPIKE)
        .evident(format!("{series}, over its trend"), spike.ratio, SPIKE_RATIO)
        .evident(format!("{series}, height as a share of all that it gained"), spike.of_gain, SPIKE_OF_GAIN)
        .excluding("not a divergence: the loss comes back")
        .advise([clip(look)])
}

/// The first spike, of that height at least. Of the steps of so many epochs, the last of each does not count: its batch may have
/// a few images only, and then BatchNorm, or one hard image, does that. The last values cannot be one: nothing tells whether they come back.
fn spike(values: &[f64], reach: usize, height: f64, epochs: Option<usize>) -> Option<Spike> {
    let per_epoch =
        epochs.filter(|epochs| values.len().is_multiple_of(*epochs)).map(|epochs| values.len() / epochs);
    let is_remainder = |place: usize| per_epoch.is_some_and(|steps| (place + 1).is_multiple_of(steps));
    let lowest = values.iter().copied().fold(f64::INFINITY, f64::min);
    let gained = median(values.iter().copied().take(LAST))? - lowest;
    let high = height.max(SPIKE_OF_GAIN.value * gained);
    let first = ((SPIKE_WARM_UP * values.len() as f64).ceil() as usize).max(2);
    let last = values.len().saturating_sub(2);
    (first..last).find_map(|place| {
        // The neighbours' median costs more than looking whether it can be one at all.
        if values[place] <= RISE * values[place - 1] || !values[place].is_finite() || is_remainder(place) {
            return None;
        }
        let (z, trend) = robust_z(values, place, reach)?;
        let ratio = values[place] / trend;
        let comes_back = values[place + 1] < values[place];
        let large = z > SPIKE.value && ratio > SPIKE_RATIO.value && values[place] - trend > high;
        (large && comes_back).then(|| Spike { place, z, ratio, of_gain: (values[place] - trend) / gained })
    })
}

/// The 90th percentile of the gradient norms, where they are known.
fn clip(look: &Look<'_>) -> super::advice::Advice {
    let mut norms: Vec<f64> =
        look.curves.points(Series::GradNorm).into_iter().map(|(_, norm)| norm).collect();
    norms.sort_by(f64::total_cmp);
    let place = (CLIP_AT * norms.len().saturating_sub(1) as f64).round() as usize;
    look.advise(Flag::ClipNorm, norms.get(place).map_or_else(|| "1".to_owned(), |norm| short(*norm)))
}
