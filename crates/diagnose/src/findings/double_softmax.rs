//! `double-softmax`: the network ends with a softmax, and the loss computes another.

use super::finding::{Finding, Ruled};
use super::look::{Look, level, percent, short};
use super::name::Name;
use crate::log::Series;
use crate::thresholds::{DOUBLE_SOFTMAX, DOUBLE_SOFTMAX_ACCURACY};

/// The rule: nearly all answers are right, and yet the loss is ln(1 + (K-1)/e), the least that the softmax of a probability
/// can give.
pub fn double_softmax(look: &Look<'_>) -> Ruled {
    let pairs = [(Series::ValLoss, Series::ValAccuracy), (Series::TrainLoss, Series::TrainAccuracy)];
    let both = |(loss, accuracy): &(Series, Series)| look.curves.has(*loss) && look.curves.has(*accuracy);
    let Some((of_loss, of_accuracy)) = pairs.into_iter().find(both) else {
        return Err(vec!["a loss and an accuracy of the same part".to_owned()]);
    };
    let loss = level(&look.need(of_loss, 1)?).median;
    let accuracy = level(&look.need(of_accuracy, 1)?).median;
    let classes = look.know(look.facts().classes, "the number of classes (--classes)")?;
    let floor = libm::log1p((classes as f64 - 1.0) / std::f64::consts::E);
    let far = (loss - floor).abs() / floor;
    // With one class the floor is 0, and everything equals it.
    if classes < 2 || accuracy <= DOUBLE_SOFTMAX_ACCURACY.value || far > DOUBLE_SOFTMAX.value {
        return Ok(None);
    }
    if let Some(smoothing) = look.facts().number("label_smoothing").filter(|share| *share > 0.0) {
        let own = smoothed_floor(smoothing, classes as f64);
        if (loss - own).abs() / own < 5.0 * DOUBLE_SOFTMAX.value {
            return Ok(None);
        }
    }
    let sentence = format!(
        "{} of the answers are right, and yet the loss is {}, the least possible after two softmaxes ({}). The loss expects \
         logits: take the softmax out of the network.",
        percent(accuracy),
        short(loss),
        short(floor)
    );
    Ok(Some(
        Finding::new(Name::DoubleSoftmax, None, sentence)
            .evident(format!("{of_loss}, distance from ln(1 + (K-1)/e)"), far, DOUBLE_SOFTMAX)
            .evident(of_accuracy.to_string(), accuracy, DOUBLE_SOFTMAX_ACCURACY)
            .excluding("not underfitting: the answers are right"),
    ))
}

/// The least cross-entropy with label smoothing: the entropy of the smoothed target.
fn smoothed_floor(smoothing: f64, classes: f64) -> f64 {
    let other = smoothing / classes;
    let own = 1.0 - smoothing + other;
    -own * libm::log(own) - (classes - 1.0) * other * libm::log(other)
}
