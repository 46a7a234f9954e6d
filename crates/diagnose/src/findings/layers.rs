//! What layers show: `vanishing-gradients`, `exploding-gradients`, `dead-units`.

use super::advice::Flag;
use super::finding::{Finding, Missing, Ruled};
use super::look::{Look, percent, short};
use super::name::Name;
use crate::log::Series;
use crate::statistics::median;
use crate::thresholds::{DEAD, EXPLODING_RATIO, FIRST_LOSS, VANISHING, VANISHING_RATIO};

/// Epochs with gradients that a rule about them needs: those of the first epoch alone are of a network that is not yet settled.
const LEAST_GRADIENTS: usize = 3;

/// The medians of the first layer's gradient norm and of its share of the last layer's.
fn gradients(look: &Look<'_>) -> Result<(f64, f64), Missing> {
    let first = look.need(Series::FirstLayerGradient, LEAST_GRADIENTS)?;
    let last = look.need(Series::LastLayerGradient, LEAST_GRADIENTS)?;
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

/// The rule of `exploding-gradients`: the loss of the first step is five times that of an answer without looking, or the first
/// layer's gradient is far larger than the last layer's. Before the first step no rate has done anything: such a loss is of
/// weights that make signals, and gradients on their way back, grow from layer to layer.
pub fn exploding(look: &Look<'_>) -> Ruled {
    let start = look.curves.step_losses.first().copied().zip(look.facts().entropy());
    if let Some((loss, entropy)) = start.filter(|(loss, entropy)| *loss > FIRST_LOSS.value * entropy) {
        let sentence = format!(
            "Signals grow from layer to layer, and so do gradients: the loss of the first step is {}, that of an answer without \
             looking {}. The first weights are too large.",
            short(loss),
            short(entropy)
        );
        return Ok(Some(
            Finding::new(Name::ExplodingGradients, Some(1), sentence)
                .evident(
                    "loss of the first step over that of an answer without looking",
                    loss / entropy,
                    FIRST_LOSS,
                )
                .excluding("not the learning rate: nothing was learnt before the first step")
                .advise([look.advise(Flag::Model, "resnet18"), look.advise(Flag::ClipNorm, "1")]),
        ));
    }
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
