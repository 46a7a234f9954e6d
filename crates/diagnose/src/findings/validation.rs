//! What the validation part can tell: `validation-above-train`, `validation-too-small`.

use super::advice::Flag;
use super::finding::{Finding, Ruled};
use super::look::{Look, level, percent};
use super::name::Name;
use crate::log::Series;
use crate::statistics::median;
use crate::thresholds::{LEAST_EPOCHS, OURS, VALIDATION_WIDTH};
use wellfit_policy::classification::{Interval, wilson};

/// The interval of an accuracy on so many images.
fn interval(accuracy: f64, images: u64) -> Interval {
    wilson((accuracy * images as f64).round() as u64, images)
}

/// The rule of `validation-above-train`: the interval of the validation accuracy lies above the accuracy on training images
/// in evaluation mode. While training, dropout and augmentation make training worse than it is, so that figures in training
/// mode count only where there is none of that, and against the validation before: they are of weights on the way from there.
pub fn above_train(look: &Look<'_>) -> Ruled {
    let accuracy = look.need(Series::ValAccuracy, LEAST_EPOCHS)?;
    let as_validated = look.facts().trains_as_it_validates == Some(true);
    let of = if !look.curves.has(Series::TrainEvalAccuracy) && as_validated {
        Series::TrainAccuracy
    } else {
        Series::TrainEvalAccuracy
    };
    let before = if of == Series::TrainAccuracy { &accuracy[..accuracy.len() - 1] } else { &accuracy[..] };
    let (val, train) = (level(before).median, level(&look.need(of, 1)?).median);
    let images = look.know(look.facts().n_val, "the number of validation images (--n-val)")?;
    let low = interval(val, images).low;
    if low.is_nan() || low <= train {
        return Ok(None);
    }
    let sentence = format!(
        "Validation ({}) is better than training ({}): its images are easier, or are in the training part as well.",
        percent(val),
        percent(train)
    );
    Ok(Some(
        Finding::new(Name::ValidationAboveTrain, None, sentence)
            .evident_by("val_accuracy, lower end of its interval", low, train, "the training accuracy")
            .excluding("not dropout or augmentation: training was judged without")
            .advise([look.advise(Flag::ValSplit, "0.2"), look.advise(Flag::Folds, "5")]),
    ))
}

/// The rule of `validation-too-small`: the interval of the best accuracy is wider than 10 points, and than what choosing the
/// best epoch gained over the median of the second half.
pub fn too_small(look: &Look<'_>) -> Ruled {
    let accuracy = look.need(Series::ValAccuracy, 1)?;
    let images = look.know(look.facts().n_val, "the number of validation images (--n-val)")?;
    let best = accuracy.iter().map(|(_, value)| *value).fold(0.0, f64::max);
    let half = &accuracy[accuracy.len() / 2..];
    let typical = median(half.iter().map(|(_, value)| *value)).unwrap_or(best);
    let of = interval(best, images);
    let width = of.high - of.low;
    if width.is_nan() || width <= VALIDATION_WIDTH.value || width <= best - typical {
        return Ok(None);
    }
    let sentence = format!(
        "{images} validation images cannot tell much: the accuracy of {} may be anything from {} to {}.",
        percent(best),
        percent(of.low),
        percent(of.high)
    );
    Ok(Some(
        Finding::new(Name::ValidationTooSmall, None, sentence)
            .evident("val_accuracy, width of its interval of 95 %", width, VALIDATION_WIDTH)
            .evident_by(
                "gain of the best epoch over the median of the second half",
                best - typical,
                width,
                OURS,
            )
            .advise([look.advise(Flag::Folds, "5"), look.advise(Flag::ValSplit, "0.3")]),
    ))
}
