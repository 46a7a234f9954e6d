//! `underfitting`: the network is too small, too frozen or too constrained.

use super::advice::Flag;
use super::convergence::is_flat;
use super::decay::{usual_decay, weaker_decay};
use super::finding::{Finding, Missing, Ruled};
use super::look::{Look, level, short};
use super::name::Name;
use crate::log::Series;
use crate::statistics::{difference_error, share_error};
use crate::thresholds::{
    ERRORS, LEAST_EPOCHS_FLAT, OURS, UNDERFITTING_GAP, UNDERFITTING_LOSS, UNDERFITTING_WRONG,
};

/// The rule: the training loss stands still above half of the loss of an answer without looking, and validation is as good
/// as training.
pub fn underfitting(look: &Look<'_>) -> Ruled {
    let in_evaluation = look.curves.has(Series::TrainEvalLoss);
    let of = if in_evaluation { Series::TrainEvalLoss } else { Series::TrainLoss };
    let u = look.need(of, LEAST_EPOCHS_FLAT)?;
    let v = look.need(Series::ValLoss, LEAST_EPOCHS_FLAT)?;
    let entropy = look.know(look.facts().entropy(), "the number of classes (--classes)")?;
    let (train, val) = (level(&u).median, level(&v).median);
    let most = UNDERFITTING_LOSS.value * entropy;
    // In training mode dropout and augmentation raise the loss; validation must then be as high.
    let high = train > most && (in_evaluation || val > most);
    let wrong = wrong(look);
    // A hard task, or noise in its labels, keeps the loss up, too: but then most answers are right.
    let learnt = wrong.is_some_and(|wrong| wrong <= UNDERFITTING_WRONG.value);
    if !high || learnt || !is_flat(look, &u) || gap(look, train, val)? {
        return Ok(None);
    }
    let sentence = format!(
        "The network cannot even learn the training images: the loss stands still at {}, above half of the {} of an answer \
         without looking, and validation is no worse ({}).",
        short(train),
        short(entropy),
        short(val)
    );
    let mut finding = Finding::new(Name::Underfitting, None, sentence)
        .evident_by(format!("{of}, median of the last 3"), train, most, UNDERFITTING_LOSS.source)
        .evident_by("val_loss, median of the last 3", val, most, OURS)
        .excluding("not a short training: the loss no longer falls")
        .excluding("not overfitting: validation is as good as training");
    if !in_evaluation {
        finding = finding.without("train_eval_loss");
    }
    if let Some(wrong) = wrong {
        let series = "train_accuracy, wrong answers over those of an answer without looking";
        finding = finding.evident(series, wrong, UNDERFITTING_WRONG);
    }
    finding = finding.without("whether the labels are right: wrong ones look alike");
    let frozen = look.is_on("freeze");
    Ok(Some(
        finding
            .advise(usual_decay(look))
            .advise([look
                .advise(Flag::Model, if frozen { "(the same, without --freeze)" } else { "(a larger one)" })])
            .advise(weaker_decay(look)),
    ))
}

/// Wrong answers in training as a share of those of an answer without looking, which names the largest class.
fn wrong(look: &Look<'_>) -> Option<f64> {
    let accuracy = look.curves.points(Series::TrainAccuracy);
    let largest = look.facts().largest_share()?;
    (!accuracy.is_empty()).then(|| (1.0 - level(&accuracy).median) / (1.0 - largest))
}

/// Whether training is better than validation beyond chance.
fn gap(look: &Look<'_>, train: f64, val: f64) -> Result<bool, Missing> {
    let accuracies = [Series::TrainAccuracy, Series::ValAccuracy].map(|series| look.curves.points(series));
    Ok(match (look.facts().n_val, &accuracies) {
        (Some(images), [of_train, of_val]) if !of_train.is_empty() && !of_val.is_empty() => {
            let (train, val) = (level(of_train).mean, level(of_val).mean);
            let error = look.facts().n_train.map_or(0.0, |images| share_error(train, images));
            train - val > ERRORS * difference_error(share_error(val, images), error)
        }
        _ => val > UNDERFITTING_GAP.value * train,
    })
}
