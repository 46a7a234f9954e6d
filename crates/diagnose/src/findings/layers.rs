//! What layers show: `vanishing-gradients`, `exploding-gradients`, `dead-units`.

use super::advice::Flag;
use super::finding::{Finding, Missing, Ruled};
use super::look::{Look, percent, short};
use super::name::Name;
use crate::log::Series;
use crate::statistics::median;
use crate::thresholds::{DEAD, EXPLODING_RATIO, VANISHING, VANISHING_RATIO};

/// The medians of the first layer's gradient norm and of its share of the last layer's.
fn gradients(look: &Look<'_>) -> Result<(f64, f64), Missing> {
    let first = look.need(Series::FirstLayerGradient, 1)?;
    let last = look.need(Series::LastLayerGradient, 1)?;
    let typical = |points: &[(u32, f64)]| median(points.iter().map(|(_, norm)| *norm)).unwrap_or(f64::NAN);
    let (first, last) = (typical(&first), typical(&last));
    Ok((first, first / last))
}

/// The rule of `vanishing-gradients`: the first layer's gradient is tiny, also beside the last layer's.
pub fn vanishing(look: &Look<'_>) -> Ruled {
    let (first, ratio) = gradients(look)?;
    // A frozen layer has no gradient at all.
    if first == 0.0 || ratio.is_nan() || ratio >= VANISHING_RATIO.value || first >= VANISHING.value {
        return Ok(None);
    }
    let sentence = format!(
        "The first layers hardly learn: their gradient is {}, {} of the last layer's. A network with BatchNorm or with \
         shortcuts, such as a ResNet, does not have that.",
        short(first),
        short(ratio)
    );
    Ok(Some(
        Finding::new(Name::VanishingGradients, None, sentence)
            .evident("first over last layer's gradient, median", ratio, VANISHING_RATIO)
            .evident("first_layer_gradient, median", first, VANISHING)
            .excluding("not frozen: the gradient is not 0")
            .advise([look.advise(Flag::Model, "resnet18")]),
    ))
}

/// The rule of `exploding-gradients`: the first layer's gradient is far larger than the last layer's.
pub fn exploding(look: &Look<'_>) -> Ruled {
    let (first, ratio) = gradients(look)?;
    if ratio.is_nan() || ratio <= EXPLODING_RATIO.value {
        return Ok(None);
    }
    let sentence = format!(
        "Gradients grow towards the first layer: {} there, {} times the last layer's.",
        short(first),
        short(ratio)
    );
    Ok(Some(
        Finding::new(Name::ExplodingGradients, None, sentence)
            .evident("first over last layer's gradient, median", ratio, EXPLODING_RATIO)
            .advise([look.advise(Flag::ClipNorm, "1"), look.rate(1.0 / 3.0)]),
    ))
}

/// The rule of `dead-units`: half of a layer's units are 0 for every image at the end.
pub fn dead_units(look: &Look<'_>) -> Ruled {
    let dead = look.need(Series::DeadUnits, 1)?;
    let (_, share) = dead[dead.len() - 1];
    if share < DEAD.value {
        return Ok(None);
    }
    let onset = dead.iter().find(|(_, share)| *share >= DEAD.value).map(|(epoch, _)| *epoch);
    let sentence =
        format!("{} of a layer's units are 0 for every image: they learn no more.", percent(share));
    Ok(Some(
        Finding::new(Name::DeadUnits, onset, sentence)
            .evident("dead_units, last", share, DEAD)
            .excluding("not sparse: each of them is 0 for every image")
            .advise([look.rate(1.0 / 3.0)]),
    ))
}
