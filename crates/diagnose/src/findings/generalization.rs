//! `generalization-gap`: training answers are much better than validation answers.

use super::advice::Flag;
use super::finding::{Finding, Ruled};
use super::look::{Look, level, percent, short};
use super::name::Name;
use crate::log::Series;
use crate::statistics::{difference_error, share_error};
use crate::thresholds::{ERRORS, GAP, GAP_BELOW, GAP_DIVIDE, LEAST_EPOCHS};

/// The rule: the lower end of the interval of training less validation accuracy lies above the threshold. Without figures of
/// training images in evaluation mode those of training count, but never for less than 10 points: augmentation, dropout and
/// learning within the epoch make them too low, so that the true gap is larger still.
pub fn gap(look: &Look<'_>) -> Ruled {
    let val = level(&look.need(Series::ValAccuracy, LEAST_EPOCHS)?).mean;
    let in_evaluation = look.curves.has(Series::TrainEvalAccuracy);
    let of = if in_evaluation { Series::TrainEvalAccuracy } else { Series::TrainAccuracy };
    let train = level(&look.need(of, LEAST_EPOCHS)?).mean;
    let images = look.know(look.facts().n_val, "the number of validation images (--n-val)")?;
    let error = difference_error(
        share_error(val, images),
        look.facts().n_train.map_or(0.0, |images| share_error(train, images)),
    );
    let least = train - val - ERRORS * error;
    let threshold = if in_evaluation && val >= GAP_DIVIDE { GAP } else { GAP_BELOW };
    if least <= threshold.value {
        return Ok(None);
    }
    let mut finding = Finding::new(
        Name::GeneralizationGap,
        None,
        format!(
            "{} of the training images are answered right, but {} of the validation images.",
            percent(train),
            percent(val)
        ),
    )
    .evident(format!("{of} less val_accuracy, lower end of its interval"), least, threshold)
    .excluding("not chance: the interval of the validation accuracy is taken off");
    if !in_evaluation {
        finding = finding
            .excluding(
                "figures in training mode make the gap too small, not too large, but for BatchNorm's batches",
            )
            .without("train_eval_accuracy");
    }
    let decay = look.facts().number("weight_decay").unwrap_or(0.0).max(1e-5) * 10.0;
    let stronger = (!look.is_on("augment")).then(|| look.advise(Flag::Augment, "light"));
    Ok(Some(finding.advise(stronger).advise([look.advise(Flag::WeightDecay, short(decay))])))
}
