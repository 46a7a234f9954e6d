//! `batchnorm-statistics`: what BatchNorm has gathered does not fit the weights.

use super::advice::Flag;
use super::finding::{Finding, Ruled};
use super::look::{Look, at, short};
use super::name::Name;
use crate::log::Series;
use crate::thresholds::BATCH_NORM;

/// The rule: validation is 5 % better with statistics that are estimated anew on training images (Wu & Johnson 2021). A
/// validation part of another kind does not do that: it stays as bad.
pub fn statistics(look: &Look<'_>) -> Ruled {
    let anew = look.need(Series::ValLossReestimated, 1)?;
    let v = look.need(Series::ValLoss, 1)?;
    let (epoch, reestimated) = anew[anew.len() - 1];
    let Some(running) = at(&v, epoch) else { return Ok(None) };
    let ratio = running / reestimated;
    if ratio.is_nan() || ratio <= BATCH_NORM.value {
        return Ok(None);
    }
    let sentence = format!(
        "BatchNorm's running statistics do not fit: the validation loss is {}, and {} with statistics estimated anew.",
        short(running),
        short(reestimated)
    );
    Ok(Some(
        Finding::new(Name::BatchNormStatistics, Some(epoch), sentence)
            .evident("val_loss over val_loss_reestimated", ratio, BATCH_NORM)
            .excluding("not other images in validation: the new statistics are of training images")
            .advise([look.scale(Flag::BatchSize, 2.0, "(larger)"), look.advise(Flag::Schedule, "cosine")]),
    ))
}
